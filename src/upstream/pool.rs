//! A shard's connections to integrations: taken for one request at a time, kept when clean.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use super::connection::Open;
use super::{Connection, Scheme, Target, TargetAddresses};
use crate::limits::{UPSTREAM_IDLE_MAX, UPSTREAM_IDLE_TIMEOUT};
use crate::ring::{Either, Ring, select};
use crate::time::Nanos;
use crate::tls::ClientTrust;

/// All pools of one shard.
pub struct Upstreams {
    ring: Ring,
    trust: Arc<ClientTrust>,
    /// By the target's slot.
    pools: RefCell<Vec<Pool>>,
    open: Rc<Cell<u64>>,
    opened: Cell<u64>,
    reused: Cell<u64>,
}

/// Idle connections to one target.
#[derive(Default)]
struct Pool {
    /// [`Target::id`]: another target may have had the slot before.
    target: u64,
    /// The freshest last.
    // Boxed: a connection is handed on some times for each request.
    #[expect(clippy::vec_box, reason = "moved as they are, never unboxed")]
    idle: Vec<Box<Connection>>,
}

/// Why no connection could be had.
#[derive(Debug)]
pub enum ConnectError {
    /// The name leads nowhere.
    NoAddress,
    /// The name has not been looked up yet.
    Unresolved,
    /// No address took the connection, or TLS failed.
    Failed(io::Error),
}

/// What a shard's pools have done.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpstreamStats {
    /// Connections that are open, busy or idle.
    pub open: u64,
    /// Connections made.
    pub opened: u64,
    /// Requests that went over a kept connection.
    pub reused: u64,
}

impl Upstreams {
    /// Empty pools.
    pub fn new(ring: &Ring, trust: Arc<ClientTrust>) -> Self {
        Self {
            ring: ring.clone(),
            trust,
            pools: RefCell::default(),
            open: Rc::default(),
            opened: Cell::new(0),
            reused: Cell::new(0),
        }
    }

    /// What has been done so far.
    pub fn stats(&self) -> UpstreamStats {
        UpstreamStats {
            open: self.open.get(),
            opened: self.opened.get(),
            reused: self.reused.get(),
        }
    }

    /// A kept connection to `target` that is still good, if there is one.
    pub fn kept(&self, target: &Target) -> Option<Box<Connection>> {
        let mut pools = self.pools.borrow_mut();
        let pool = pools.get_mut(target.slot as usize).filter(|pool| pool.target == target.id)?;
        let now = self.ring.now();
        while let Some(mut connection) = pool.idle.pop() {
            if now.since(connection.idle_since) < UPSTREAM_IDLE_TIMEOUT && connection.is_silent() {
                connection.reused = true;
                self.reused.set(self.reused.get() + 1);
                return Some(connection);
            }
        }
        None
    }

    /// A new connection to `target`: its addresses are tried one after the other. The time until
    /// `connect_by` is shared out, so that one that does not answer leaves some for the others; the last
    /// has no bound here, and the caller gives up.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(
        &self,
        target: &Target,
        connect_by: Nanos,
    ) -> Result<Box<Connection>, ConnectError> {
        let addresses = target.addresses.load_full();
        let addresses = match &*addresses {
            TargetAddresses::Resolved(addresses) => addresses,
            TargetAddresses::Failed(_) => return Err(ConnectError::NoAddress),
            TargetAddresses::Unresolved => return Err(ConnectError::Unresolved),
        };
        let tls = match target.scheme {
            Scheme::Http => None,
            Scheme::Https => Some(match &target.identity {
                None => self.trust.config(target.insecure_skip_verification),
                Some(it) => it.config(&self.trust, target.insecure_skip_verification),
            }),
        };
        let mut last = ConnectError::NoAddress;
        for (index, &address) in addresses.iter().enumerate() {
            let tls = tls.as_ref().map(|config| (Arc::clone(config), target.host.as_str()));
            let opening = Connection::open(&self.ring, address, tls, Open::new(&self.open));
            let mut timer = self.ring.timer();
            timer.set(self.share(connect_by, addresses.len() - index));
            match select(opening, timer.fired()).await {
                Either::Left(Ok(connection)) => {
                    self.opened.set(self.opened.get() + 1);
                    return Ok(Box::new(connection));
                }
                Either::Left(Err(error)) => last = ConnectError::Failed(error),
                Either::Right(()) => last = ConnectError::Failed(io::ErrorKind::TimedOut.into()),
            }
        }
        Err(last)
    }

    /// When the first of so many addresses has had its part of the time.
    fn share(&self, connect_by: Nanos, addresses_left: usize) -> Nanos {
        if addresses_left < 2 || connect_by == Nanos::NEVER {
            return Nanos::NEVER;
        }
        let now = self.ring.now();
        now.after(connect_by.since(now) / u32::try_from(addresses_left).unwrap_or(u32::MAX))
    }

    /// Takes back a connection whose last answer was read to its end and that may be kept.
    ///
    /// After a `large` answer it stays with large buffers: the next one is probably large too, and would
    /// else arrive in many small pieces before its head is read.
    pub fn keep(&self, target: &Target, mut connection: Box<Connection>, large: bool) {
        if !large {
            connection.end_bulk();
        }
        let mut pools = self.pools.borrow_mut();
        let slot = target.slot as usize;
        if pools.len() <= slot {
            pools.resize_with(slot + 1, Pool::default);
        }
        let pool = &mut pools[slot];
        if pool.target < target.id {
            // What is left are connections to a target that is forgotten.
            *pool = Pool { target: target.id, idle: Vec::new() };
        }
        if pool.target > target.id || pool.idle.len() >= UPSTREAM_IDLE_MAX {
            return;
        }
        connection.idle_since = self.ring.now();
        pool.idle.push(connection);
    }

    /// Closes what has been idle for too long, or was closed by its peer.
    pub fn sweep(&self) {
        let now = self.ring.now();
        let mut gone = Vec::new();
        for Pool { idle: kept, .. } in self.pools.borrow_mut().iter_mut() {
            let mut index = 0;
            while index < kept.len() {
                if now.since(kept[index].idle_since) < UPSTREAM_IDLE_TIMEOUT
                    && kept[index].is_silent()
                {
                    index += 1;
                } else {
                    gone.push(kept.swap_remove(index));
                }
            }
            kept.sort_by_key(|connection| connection.idle_since);
        }
    }

    /// Closes every idle connection.
    pub fn clear(&self) {
        self.pools.borrow_mut().clear();
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use super::*;
    use crate::ring::RingConfig;
    use crate::ring::sim::{Answering, Sim, SimConfig, SimLink, SimPeer};
    use crate::upstream::TargetRegistry;

    /// A server that says nothing.
    struct Mute;

    impl SimPeer for Mute {
        fn act(&mut self, _: &mut SimLink<'_>) -> Option<Duration> {
            None
        }
    }

    #[test]
    fn an_address_that_does_not_answer_leaves_time_for_the_others() {
        let addresses: [SocketAddr; 3] =
            ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"].map(|it| it.parse().unwrap());
        for (good, takes) in [(Some(1), 4), (Some(2), 8), (Some(0), 0), (None, 12)] {
            let sim = Sim::new(SimConfig::calm(1));
            let ring = sim.ring(RingConfig { recv_bufs: 1, bulk_bufs: 1 });
            for (index, address) in addresses.into_iter().enumerate() {
                sim.server(address, move |_| match good == Some(index) {
                    true => Answering::Accepts(Box::new(Mute)),
                    false => Answering::Silent,
                });
            }
            let target = TargetRegistry::new().get(Scheme::Http, "h", 80, false);
            target.addresses.store(Arc::new(TargetAddresses::Resolved(addresses.to_vec())));
            let trust = Arc::new(ClientTrust::load(&[]).unwrap());
            ring.spawn({
                let ring = ring.clone();
                async move {
                    let upstreams = Upstreams::new(&ring, trust);
                    let begun = ring.now();
                    let connect_by = begun.after(Duration::from_secs(12));
                    let mut timer = ring.timer();
                    timer.set(connect_by);
                    let connecting = upstreams.connect(&target, connect_by);
                    let connected = match select(connecting, timer.fired()).await {
                        Either::Left(outcome) => outcome.is_ok(),
                        Either::Right(()) => false,
                    };
                    assert_eq!(connected, good.is_some());
                    assert_eq!(ring.now().since(begun).as_secs(), takes, "{good:?}");
                }
            });
            ring.run().unwrap();
            assert_eq!(ring.stats().panics, 0, "{good:?}");
            ring.shut_down();
        }
    }
}
