//! A simulated kernel: sockets, buffers, time and chance, all from one seed.
//!
//! It stands behind the seam of `kernel.rs`, so the loop, the slots, the buffers and everything above
//! run as they do on Linux; only what the kernel would do is played here. Peers are scripted by tests
//! ([`SimPeer`]). The same seed and the same script give the same run, to the last CQE.
//!
//! ```text
//! push ──submit──▶ armed op ──data, space, cancel──▶ CQE ──late──▶ posted ──drain──▶ Ring
//!                     ▲                                                  │
//! SimPeer ──network, late──▶ socket ◀────────── virtual time jumps to the next event
//! ```
//!
//! What it does as Linux does: a close does not end a receive that is armed; a close with unread input,
//! and input after a close, reset the connection, and the reset destroys what the peer has not read; a
//! reset is told once (`ECONNRESET`) and is an end or `EPIPE` from then on; descriptors are reused at
//! once, the lowest first; a multishot may end with any CQE; a cancel may come too late. A posted send
//! leaves whole and without a word while it is submitted, or is told then and there what has left.
//!
//! What it checks: no op names a descriptor that is closed, no buffer is filled twice, and bytes that
//! are being sent stay as they were until the final CQE.

mod peer;
mod random;
mod socket;
#[cfg(test)]
mod tests;
mod world;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::Duration;

use super::buf_ring::BufPool;
use super::kernel::{Kernel, SocketNames};
use super::op::{Cqe, Op};
use super::turn::{Ring, RingConfig};
use crate::time::{Nanos, WallMillis};
use world::World;

pub use peer::{Answering, SimLink, SimPeer};
pub use random::SimRng;

/// How the simulated kernel and network behave. Chances are per mille.
#[derive(Clone, Copy, Debug)]
pub struct SimConfig {
    /// Where all chance comes from.
    pub seed: u64,
    /// A receive finds no buffer although there is one.
    pub no_buffers: u32,
    /// A send ends before all is sent.
    pub short_send: u32,
    /// A multishot ends with a CQE that brings something.
    pub multishot_ends: u32,
    /// A cancel takes effect late, or finds its target gone.
    pub late_cancel: u32,
    /// A wait returns with nothing.
    pub spurious_wake: u32,
    /// A receive takes less than what is there.
    pub short_recv: u32,
    /// A CQE comes much later than it could.
    pub late_cqe: u32,
    /// An accept fails for want of descriptors.
    pub accept_fails: u32,
    /// Completions that find a place in the queue; the rest comes with a later drain.
    pub cq_entries: usize,
    /// Most that our side of a connection holds unread, bytes.
    pub recv_window: usize,
    /// Most that our side of a connection holds unsent, bytes.
    pub send_buffer: usize,
    /// Events and submissions after which a run is taken to have no end.
    pub steps_max: u64,
    /// Every submission and event is told on stderr.
    pub trace: bool,
}

impl SimConfig {
    /// Draws the rest from `seed`: some runs are calm, some are stormy.
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = SimRng::new(seed ^ 0x5157_494E_4457_4159);
        let mut chance = |most: u32| if rng.chance(400) { 0 } else { rng.below(most) };
        let (no_buffers, short_send, multishot_ends) = (chance(200), chance(400), chance(200));
        let (late_cancel, spurious_wake, short_recv) = (chance(500), chance(100), chance(600));
        let (late_cqe, accept_fails) = (chance(200), chance(50));
        let (recv_window, send_buffer) = (1 << rng.range(10..18), 1 << rng.range(9..18));
        let cq_entries = if rng.chance(100) { 2 } else { 8_192 };
        Self {
            seed,
            no_buffers,
            short_send,
            multishot_ends,
            late_cancel,
            spurious_wake,
            short_recv,
            late_cqe,
            accept_fails,
            cq_entries,
            recv_window,
            send_buffer,
            steps_max: 1_000_000,
            trace: false,
        }
    }

    /// Nothing goes wrong and nothing is cut.
    pub fn calm(seed: u64) -> Self {
        Self {
            seed,
            no_buffers: 0,
            short_send: 0,
            multishot_ends: 0,
            late_cancel: 0,
            spurious_wake: 0,
            short_recv: 0,
            late_cqe: 0,
            accept_fails: 0,
            cq_entries: 8_192,
            recv_window: 1 << 16,
            send_buffer: 1 << 16,
            steps_max: 1_000_000,
            trace: false,
        }
    }
}

/// What a run has done and left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimReport {
    /// Submissions and events.
    pub steps: u64,
    /// Virtual time since the start.
    pub elapsed: Duration,
    /// Descriptors that are open.
    pub descriptors: usize,
    /// Closed sockets that an armed op keeps alive.
    pub zombies: usize,
    /// Ops that have had no final CQE.
    pub ops: usize,
    /// Buffers that were filled for CQEs nobody has taken.
    pub filled_buffers: usize,
}

/// A simulated machine. Cloning gives another handle.
#[derive(Clone)]
pub struct Sim(Rc<RefCell<World>>);

impl Sim {
    /// A machine with no peers yet.
    pub fn new(config: SimConfig) -> Self {
        Self(Rc::new(RefCell::new(World::new(config))))
    }

    /// The ring of this machine; one at a time.
    ///
    /// # Panics
    /// Never in practice: a simulated kernel refuses no ring.
    pub fn ring(&self, config: RingConfig) -> Ring {
        let kernel = Kernel::Sim(SimKernel(Rc::clone(&self.0)));
        Ring::with_kernel(kernel, config, false).expect("the simulated kernel refuses nothing")
    }

    /// A client that connects after `delay`.
    pub fn client(&self, delay: Duration, peer: impl SimPeer + 'static) {
        self.0.borrow_mut().add_client(delay, Box::new(peer));
    }

    /// What answers connections to `address`; asked anew for each.
    pub fn server(
        &self,
        address: SocketAddr,
        answering: impl FnMut(&mut SimRng) -> Answering + 'static,
    ) {
        self.0.borrow_mut().servers.push((address, Box::new(answering)));
    }

    /// Calls `what` after `delay`. It must not use this machine: it is the machine that calls.
    pub fn at(&self, delay: Duration, what: impl FnOnce() + 'static) {
        self.0.borrow_mut().call_later(delay, Box::new(what));
    }

    /// Sets the wall clock forward or back by so many milliseconds after `delay`.
    pub fn step_wall(&self, delay: Duration, ms: i64) {
        self.0.borrow_mut().step_wall(delay, ms);
    }

    /// What has been done so far, and what is open.
    pub fn report(&self) -> SimReport {
        self.0.borrow().report()
    }

    /// Carries out what was submitted last and lets the network come to rest: for looking at what is
    /// left when the ring has ended.
    pub fn settle(&self) {
        self.0.borrow_mut().settle();
    }
}

/// The seam's side of a [`Sim`].
pub(super) struct SimKernel(Rc<RefCell<World>>);

impl SimKernel {
    pub(super) fn push(&mut self, user_data: u64, op: &mut Op) {
        self.0.borrow_mut().push(user_data, op);
    }

    pub(super) fn submit(&mut self, wait: bool, timeout: Option<Duration>) {
        self.0.borrow_mut().submit(wait, timeout);
    }

    pub(super) fn drain(&mut self, cqes: &mut Vec<Cqe>) {
        self.0.borrow_mut().drain(cqes);
    }

    pub(super) fn has_taken_all(&mut self) -> bool {
        self.0.borrow().has_taken_all()
    }

    pub(super) fn cq_overflowed(&mut self) -> bool {
        self.0.borrow().cq_overflowed()
    }

    pub(super) fn register_buffers(&mut self, pool: &Rc<BufPool>) {
        self.0.borrow_mut().pools.push(Rc::clone(pool));
    }

    pub(super) fn now(&self) -> Nanos {
        self.0.borrow().now
    }

    pub(super) fn wall(&self) -> WallMillis {
        self.0.borrow().wall()
    }

    pub(super) fn socket(&mut self, address: SocketAddr) -> RawFd {
        self.0.borrow_mut().open(address)
    }

    pub(super) fn is_quiet(&self, fd: RawFd) -> bool {
        self.0.borrow().is_quiet(fd)
    }

    pub(super) fn names(&self, fd: RawFd) -> std::io::Result<SocketNames> {
        self.0.borrow().names(fd)
    }
}
