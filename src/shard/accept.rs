//! Step accept: connections from the shard's own listening socket.

use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use super::connection;
use super::state::Shard;
use crate::ring::{AcceptStream, Either, select};

/// Pause after an accept that failed for want of descriptors or memory.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// Time between two warnings about failed accepts.
const WARN_EVERY: Duration = Duration::from_secs(5);

/// Accepts until the shard drains. At the connection limit new ones wait in the listen queue.
pub(super) async fn run(shard: Rc<Shard>, listener: OwnedFd) {
    let ring = shard.ring().clone();
    let mut stream = AcceptStream::new(&ring, listener);
    let mut timer = ring.timer();
    let mut failures = 0_u64;
    let mut warn_at = ring.now();
    let limit = shard.limits.connections.unwrap_or(u64::MAX);
    loop {
        if shard.connections.get() >= limit {
            stream.pause();
            timer.set(ring.now().after(RETRY_AFTER));
            if let Either::Right(()) = select(timer.fired(), shard.drained()).await {
                return;
            }
            continue;
        }
        match select(stream.next(), shard.drained()).await {
            Either::Left(Ok(socket)) => {
                shard.cells.connections_accepted.increment();
                connection::start(&shard, socket);
            }
            Either::Left(Err(error)) => {
                failures += 1;
                if ring.now() >= warn_at {
                    warn_at = ring.now().after(WARN_EVERY);
                    tracing::warn!(
                        "{failures} accepts failed so far, the last with: {error}; trying again every \
                         50 ms (raise RLIMIT_NOFILE?)"
                    );
                }
                timer.set(ring.now().after(RETRY_AFTER));
                if let Either::Right(()) = select(timer.fired(), shard.drained()).await {
                    return;
                }
            }
            Either::Right(()) => return,
        }
    }
}
