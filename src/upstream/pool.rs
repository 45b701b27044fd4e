//! A shard's connections to integrations: taken for one request at a time, kept when clean.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use super::connection::Open;
use super::{Connection, Scheme, Target, TargetAddresses};
use crate::limits::{UPSTREAM_IDLE_MAX, UPSTREAM_IDLE_TIMEOUT};
use crate::ring::Ring;
use crate::tls::ClientTrust;

/// All pools of one shard.
pub struct Upstreams {
    ring: Ring,
    trust: Arc<ClientTrust>,
    /// Idle connections by the target's slot; the freshest last.
    idle: RefCell<Vec<Vec<Connection>>>,
    open: Rc<Cell<u64>>,
    opened: Cell<u64>,
    reused: Cell<u64>,
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
            idle: RefCell::default(),
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
    pub fn kept(&self, target: &Target) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        let kept = idle.get_mut(target.slot as usize)?;
        let now = self.ring.now();
        while let Some(mut connection) = kept.pop() {
            if now.since(connection.idle_since) < UPSTREAM_IDLE_TIMEOUT && connection.is_silent() {
                connection.reused = true;
                self.reused.set(self.reused.get() + 1);
                return Some(connection);
            }
        }
        None
    }

    /// A new connection to `target`: its addresses are tried one after the other.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(&self, target: &Target) -> Result<Connection, ConnectError> {
        let addresses = target.addresses.load_full();
        let addresses = match &*addresses {
            TargetAddresses::Resolved(addresses) => addresses,
            TargetAddresses::Failed(_) => return Err(ConnectError::NoAddress),
            TargetAddresses::Unresolved => return Err(ConnectError::Unresolved),
        };
        let tls = match target.scheme {
            Scheme::Http => None,
            Scheme::Https => Some(self.trust.config(target.insecure_skip_verification)),
        };
        let mut last = ConnectError::NoAddress;
        for &address in addresses {
            let tls = tls.as_ref().map(|config| (Arc::clone(config), target.host.as_str()));
            match Connection::open(&self.ring, address, tls, Open::new(&self.open)).await {
                Ok(connection) => {
                    self.opened.set(self.opened.get() + 1);
                    return Ok(connection);
                }
                Err(error) => last = ConnectError::Failed(error),
            }
        }
        Err(last)
    }

    /// Takes back a connection whose last answer was read to its end and that may be kept.
    ///
    /// After a `large` answer it stays with large buffers: the next one is probably large too, and would
    /// else arrive in many small pieces before its head is read.
    pub fn keep(&self, target: &Target, mut connection: Connection, large: bool) {
        if !large {
            connection.end_bulk();
        }
        let mut idle = self.idle.borrow_mut();
        let slot = target.slot as usize;
        if idle.len() <= slot {
            idle.resize_with(slot + 1, Vec::new);
        }
        if idle[slot].len() >= UPSTREAM_IDLE_MAX {
            return;
        }
        connection.idle_since = self.ring.now();
        idle[slot].push(connection);
    }

    /// Closes what has been idle for too long, or was closed by its peer.
    pub fn sweep(&self) {
        let now = self.ring.now();
        let mut gone = Vec::new();
        for kept in self.idle.borrow_mut().iter_mut() {
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
        self.idle.borrow_mut().clear();
    }
}
