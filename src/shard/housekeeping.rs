//! What a shard does besides serving: figures, log batches, idle connections to integrations.

use std::rc::Rc;
use std::time::Duration;

use super::state::Shard;
use crate::limits::LOG_BATCH_DELAY;
use crate::ring::{Either, select};

/// Time between two looks at idle connections to integrations.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// Time between two looks at whether a drain is over.
const DRAIN_LOOK_EVERY: Duration = Duration::from_millis(20);

/// Runs until the shard has drained its last connection, and its last test.
pub(super) async fn run(shard: Rc<Shard>) {
    let ring = shard.ring().clone();
    let mut timer = ring.timer();
    let mut swept_at = ring.now();
    while !shard.is_draining() {
        timer.set(ring.now().after(LOG_BATCH_DELAY));
        if let Either::Right(()) = select(timer.fired(), shard.drained()).await {
            break;
        }
        shard.hand_over_log_if_due();
        shard.publish_figures();
        if ring.now().since(swept_at) >= SWEEP_EVERY {
            swept_at = ring.now();
            shard.env.upstreams.sweep();
        }
    }
    let is_busy = || shard.connections.get() > 0 || shard.tests.get() > 0;
    while is_busy() && ring.now() < shard.drain_by() {
        timer.set(ring.now().after(DRAIN_LOOK_EVERY).min(shard.drain_by()));
        timer.fired().await;
        shard.hand_over_log_if_due();
        shard.publish_figures();
    }
    shard.env.upstreams.clear();
    ring.stop();
}
