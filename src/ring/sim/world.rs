//! Time, events, submissions and completions of a simulated machine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::Duration;

use super::peer::{Answering, SimLink, SimPeer};
use super::random::SimRng;
use super::socket::{Armed, Socket};
use super::{SimConfig, SimReport};
use crate::ring::buf_ring::BufPool;
use crate::ring::kernel::SocketNames;
use crate::ring::op::{Cqe, Op};
use crate::ring::turn::UNOWNED;
use crate::time::{Nanos, WallMillis};

/// The clock does not start at 0: nobody may count on that.
const STARTS_AT: Nanos = Nanos(1_000_000_000_000);
/// 2026-01-01T00:00:00Z.
const WALL_AT_START_MS: u64 = 1_767_225_600_000;
/// Simulated descriptors begin here, far from real ones.
const FIRST_FD: RawFd = 1_000_000;

/// What happens at a moment.
enum Event {
    /// A client connects.
    Connects(usize),
    /// A peer acts, if that is still the time it acts at.
    Acts(usize),
    /// Something of the peer's arrives on our side.
    Arrives(usize, Arrival),
    /// An outgoing connection is made or refused.
    Connected { index: usize, result: i32 },
    /// A CQE becomes visible.
    Posts(Cqe, Option<(u16, u16)>),
    /// A cancel that was late takes effect.
    Cancels(u64),
    /// A test's own.
    Calls(Box<dyn FnOnce()>),
}

/// What a peer sends.
pub(super) enum Arrival {
    Bytes(Vec<u8>),
    End,
    Reset,
}

/// An op that waits, and the socket it waits for.
pub(super) struct ArmedOp {
    pub(super) op: Armed,
    socket: Option<usize>,
}

/// An SQE that was pushed and not submitted.
#[derive(Debug)]
enum Queued {
    Accept,
    OnSocket { fd: RawFd, op: Armed },
    Shutdown { fd: RawFd },
    Close { fd: RawFd },
    Poll { fd: RawFd },
    Cancel { target: u64 },
}

/// A slot's index and generation, as `#index.generation`.
fn name(user_data: u64) -> String {
    match user_data {
        UNOWNED => "#-".to_owned(),
        _ => format!("#{}.{}", user_data as u32, user_data >> 32),
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connects(index) => write!(f, "client {index} connects"),
            Self::Acts(index) => write!(f, "peer {index} acts"),
            Self::Arrives(index, Arrival::Bytes(bytes)) => {
                let text = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
                write!(f, "{} bytes of peer {index} arrive: {text:?}", bytes.len())
            }
            Self::Arrives(index, Arrival::End) => write!(f, "end of peer {index} arrives"),
            Self::Arrives(index, Arrival::Reset) => write!(f, "reset of peer {index} arrives"),
            Self::Connected { index, result } => write!(f, "connect to peer {index}: {result}"),
            Self::Posts(cqe, _) => write!(f, "{} is seen", name(cqe.user_data)),
            Self::Cancels(target) => write!(f, "late cancel of {}", name(*target)),
            Self::Calls(_) => f.write_str("the test's own"),
        }
    }
}

type Server = Box<dyn FnMut(&mut SimRng) -> Answering>;

/// The whole machine.
pub(super) struct World {
    pub(super) config: SimConfig,
    pub(super) rng: SimRng,
    pub(super) now: Nanos,
    /// By how much the wall clock is set forward or back, and when.
    wall_steps: Vec<(Nanos, i64)>,
    events: BTreeMap<(Nanos, u64), Event>,
    event_count: u64,
    steps: u64,
    queue: VecDeque<(u64, Queued)>,
    pub(super) armed: BTreeMap<u64, ArmedOp>,
    /// When the last CQE of an op becomes visible: the next comes later.
    posts_last: BTreeMap<u64, Nanos>,
    pub(super) sockets: Vec<Socket>,
    descriptors: BTreeMap<RawFd, usize>,
    /// Clients that wait to be accepted.
    backlog: VecDeque<usize>,
    pub(super) servers: Vec<(SocketAddr, Server)>,
    /// With group and id of the buffer it brings.
    posted: Vec<(Cqe, Option<(u16, u16)>)>,
    pub(super) pools: Vec<Rc<BufPool>>,
    /// Buffers that a CQE on its way names, by group.
    pub(super) filled: BTreeSet<(u16, u16)>,
}

impl World {
    pub(super) fn new(config: SimConfig) -> Self {
        Self {
            config,
            rng: SimRng::new(config.seed),
            now: STARTS_AT,
            wall_steps: Vec::new(),
            events: BTreeMap::new(),
            event_count: 0,
            steps: 0,
            queue: VecDeque::new(),
            armed: BTreeMap::new(),
            posts_last: BTreeMap::new(),
            sockets: Vec::new(),
            descriptors: BTreeMap::new(),
            backlog: VecDeque::new(),
            servers: Vec::new(),
            posted: Vec::new(),
            pools: Vec::new(),
            filled: BTreeSet::new(),
        }
    }

    pub(super) fn wall(&self) -> WallMillis {
        let steps = self.wall_steps.iter().filter(|(at, _)| *at <= self.now);
        let step_ms: i64 = steps.map(|(_, ms)| ms).sum();
        let ms = WALL_AT_START_MS + self.now.since(STARTS_AT).as_millis() as u64;
        WallMillis(ms.saturating_add_signed(step_ms))
    }

    pub(super) fn step_wall(&mut self, delay: Duration, ms: i64) {
        self.wall_steps.push((self.now.after(delay), ms));
    }

    pub(super) fn report(&self) -> SimReport {
        let zombie = |socket: &&Socket| socket.fd.is_none() && !socket.ops.is_empty();
        SimReport {
            steps: self.steps,
            elapsed: self.now.since(STARTS_AT),
            descriptors: self.descriptors.len(),
            zombies: self.sockets.iter().filter(zombie).count(),
            ops: self.armed.len(),
            filled_buffers: self.filled.len(),
        }
    }

    fn step(&mut self) {
        self.steps += 1;
        assert!(self.steps < self.config.steps_max, "the run does not end");
    }

    /// Tells what happens, if anybody wants to know.
    fn trace(&self, what: impl FnOnce() -> String) {
        if self.config.trace {
            let at = self.now.since(STARTS_AT).as_secs_f64() * 1e3;
            eprintln!("{at:12.3} ms  {}", what());
        }
    }

    // What the seam asks for -----------------------------------------------------------------------

    pub(super) fn push(&mut self, user_data: u64, op: &mut Op) {
        let queued = match op {
            Op::Accept { .. } => Queued::Accept,
            Op::Shutdown { fd } => Queued::Shutdown { fd: *fd },
            Op::Poll { fd } => Queued::Poll { fd: *fd },
            Op::Close { fd } => Queued::Close { fd: *fd },
            Op::Cancel { target } => Queued::Cancel { target: *target },
            Op::RecvMulti { fd }
            | Op::RecvBulk { fd }
            | Op::RecvHeap { fd, .. }
            | Op::Send { fd, .. }
            | Op::Hangup { fd }
            | Op::Connect { fd, .. } => {
                let fd = *fd;
                Queued::OnSocket { fd, op: Armed::of(op).expect("each of these is a socket's") }
            }
        };
        self.queue.push_back((user_data, queued));
        // Sometimes the queue is full, and is handed over at once.
        if self.rng.chance(5) {
            self.carry_out();
        }
    }

    pub(super) fn submit(&mut self, wait: bool, timeout: Option<Duration>) {
        self.step();
        self.carry_out();
        self.look_at_polls();
        let deadline = timeout.map_or(Nanos::NEVER, |time| self.now.after(time));
        if !wait {
            // Even a turn that does not wait takes time.
            self.now = self.now.after(Duration::from_nanos(u64::from(self.rng.below(20_000))));
        }
        self.run_until(self.now);
        while wait && self.posted.is_empty() {
            if self.rng.chance(self.config.spurious_wake) {
                break;
            }
            let next = self.events.keys().next().map_or(Nanos::NEVER, |&(at, _)| at);
            assert!(next.min(deadline) != Nanos::NEVER, "everybody waits and nothing will happen");
            self.now = self.now.max(next.min(deadline));
            self.run_until(self.now);
            if self.now >= deadline {
                break;
            }
        }
    }

    pub(super) fn has_taken_all(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn cq_overflowed(&self) -> bool {
        self.posted.len() > self.config.cq_entries
    }

    pub(super) fn drain(&mut self, cqes: &mut Vec<Cqe>) {
        let count = self.posted.len().min(self.config.cq_entries);
        for (cqe, buffer) in self.posted.drain(..count) {
            if let Some(buffer) = buffer {
                assert!(self.filled.remove(&buffer), "a buffer that a CQE names was filled for it");
            }
            if let Some(ArmedOp { op: Armed::Poll { told, .. }, .. }) =
                self.armed.get_mut(&cqe.user_data)
            {
                *told = false;
            }
            cqes.push(cqe);
        }
    }

    pub(super) fn settle(&mut self) {
        self.carry_out();
        for _ in 0..100_000 {
            let Some(&(at, _)) = self.events.keys().next() else { break };
            self.now = self.now.max(at);
            self.run_until(self.now);
        }
    }

    pub(super) fn open(&mut self, address: SocketAddr) -> RawFd {
        self.sockets.push(Socket { address: Some(address), ..Socket::default() });
        self.give_descriptor(self.sockets.len() - 1)
    }

    pub(super) fn is_quiet(&self, fd: RawFd) -> bool {
        let socket = &self.sockets[self.index_of(fd)];
        let ended = socket.ended_in || socket.reset_in;
        socket.incoming.is_empty() && !ended && socket.error.is_none()
    }

    pub(super) fn names(&self, fd: RawFd) -> std::io::Result<SocketNames> {
        let socket = &self.sockets[self.index_of(fd)];
        match socket.address {
            Some(peer) if socket.connected && !socket.reset_in => {
                Ok(SocketNames { peer, local: SocketAddr::from(([127, 0, 0, 1], 8_080)) })
            }
            _ => Err(std::io::Error::from_raw_os_error(libc::ENOTCONN)),
        }
    }

    // What tests ask for ---------------------------------------------------------------------------

    pub(super) fn add_client(&mut self, delay: Duration, peer: Box<dyn SimPeer>) {
        let number = self.sockets.len() as u16;
        let address = SocketAddr::from(([10, 1, (number >> 8) as u8, number as u8], 40_000));
        self.sockets.push(Socket { address: Some(address), peer: Some(peer), ..Socket::default() });
        let index = self.sockets.len() - 1;
        self.event(self.now.after(delay), Event::Connects(index));
    }

    pub(super) fn call_later(&mut self, delay: Duration, what: Box<dyn FnOnce()>) {
        self.event(self.now.after(delay), Event::Calls(what));
    }

    // Descriptors ----------------------------------------------------------------------------------

    fn give_descriptor(&mut self, index: usize) -> RawFd {
        let fd = (FIRST_FD..)
            .find(|fd| !self.descriptors.contains_key(fd))
            .expect("a test opens fewer than 2^30 sockets");
        self.descriptors.insert(fd, index);
        self.sockets[index].fd = Some(fd);
        self.sockets[index].opened = true;
        fd
    }

    fn index_of(&self, fd: RawFd) -> usize {
        *self.descriptors.get(&fd).unwrap_or_else(|| panic!("descriptor {fd} is not open"))
    }

    // Submissions ----------------------------------------------------------------------------------

    fn carry_out(&mut self) {
        while let Some((user_data, queued)) = self.queue.pop_front() {
            self.step();
            self.trace(|| format!("op {} {queued:?}", name(user_data)));
            match queued {
                Queued::Accept => {
                    self.arm(user_data, None, Armed::Accept);
                    self.accept_waiting();
                }
                Queued::OnSocket { fd, op } => {
                    let index = self.index_of(fd);
                    let connects = matches!(op, Armed::Connect);
                    self.arm(user_data, Some(index), op);
                    if connects { self.connect(index) } else { self.progress(index) }
                }
                Queued::Shutdown { fd } => self.shut_down(user_data, fd),
                Queued::Close { fd } if fd < FIRST_FD => {
                    // SAFETY: the listener, which is a real one; the ring owned it and uses it no more.
                    drop(unsafe {
                        <std::os::fd::OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(fd)
                    });
                    self.post(user_data, 0, false, None);
                }
                Queued::Close { fd } => {
                    let index = self.index_of(fd);
                    self.descriptors.remove(&fd);
                    self.sockets[index].fd = None;
                    self.release(index);
                    self.post(user_data, 0, false, None);
                }
                Queued::Poll { fd } => {
                    self.arm(user_data, None, Armed::Poll { fd, told: false });
                    self.look_at_polls();
                }
                Queued::Cancel { target } => {
                    if self.rng.chance(self.config.late_cancel) {
                        let at = self.later(300_000);
                        self.event(at, Event::Cancels(target));
                        self.post(user_data, -libc::EALREADY, false, None);
                    } else {
                        let there = self.cancel(target);
                        self.post(user_data, if there { 0 } else { -libc::ENOENT }, false, None);
                    }
                }
            }
        }
    }

    fn arm(&mut self, user_data: u64, socket: Option<usize>, op: Armed) {
        let armed = ArmedOp { op, socket };
        assert!(self.armed.insert(user_data, armed).is_none(), "an op's user_data is its own");
        self.posts_last.insert(user_data, self.now);
        if let Some(index) = socket {
            self.sockets[index].ops.push(user_data);
        }
    }

    /// Ends an op that still waits; `false`: there is none.
    fn cancel(&mut self, target: u64) -> bool {
        let Some(armed) = self.armed.remove(&target) else { return false };
        if let Some(index) = armed.socket {
            self.sockets[index].ops.retain(|&it| it != target);
        }
        self.post(target, armed.op.cancelled(), false, None);
        if let Some(index) = armed.socket {
            self.release(index);
        }
        true
    }

    fn shut_down(&mut self, user_data: u64, fd: RawFd) {
        let index = self.index_of(fd);
        let socket = &mut self.sockets[index];
        let result = if !socket.connected || socket.reset_in {
            -libc::ENOTCONN
        } else {
            socket.ended_out = true;
            0
        };
        self.posts_last.insert(user_data, self.now);
        self.post(user_data, result, false, None);
        self.progress(index);
        self.reach_peer(index);
    }

    fn connect(&mut self, index: usize) {
        let address = self.sockets[index].address.expect("an outgoing socket knows its address");
        let server = self.servers.iter_mut().find(|server| server.0 == address);
        let answering = server.map_or(Answering::Refuses, |(_, server)| server(&mut self.rng));
        let result = match answering {
            Answering::Accepts(peer) => {
                self.sockets[index].peer = Some(peer);
                0
            }
            Answering::Refuses => -libc::ECONNREFUSED,
            Answering::Silent => return,
        };
        let at = self.later(500_000);
        self.event(at, Event::Connected { index, result });
    }

    /// Hands waiting clients to an armed accept.
    fn accept_waiting(&mut self) {
        while !self.backlog.is_empty() {
            let accepts = |(_, armed): &(&u64, &ArmedOp)| matches!(armed.op, Armed::Accept);
            let Some((&user_data, _)) = self.armed.iter().find(accepts) else { return };
            if self.rng.chance(self.config.accept_fails) {
                self.armed.remove(&user_data);
                self.post(user_data, -libc::EMFILE, false, None);
                return;
            }
            let index = self.backlog.pop_front().expect("not empty");
            let fd = self.give_descriptor(index);
            let ends = self.rng.chance(self.config.multishot_ends);
            if ends {
                self.armed.remove(&user_data);
            }
            self.post(user_data, fd, !ends, None);
        }
    }

    /// Polls are of real descriptors: eventfds of mailboxes.
    fn look_at_polls(&mut self) {
        let mut ready = Vec::new();
        for (&user_data, armed) in &mut self.armed {
            let Armed::Poll { fd, told } = &mut armed.op else { continue };
            // SAFETY: the mailbox owns the descriptor and outlives the op that polls it.
            let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(*fd) };
            let mut polled = [rustix::event::PollFd::new(&fd, rustix::event::PollFlags::IN)];
            let now = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
            let readable =
                rustix::event::poll(&mut polled, Some(&now)).is_ok_and(|count| count > 0);
            if readable && !*told {
                *told = true;
                ready.push(user_data);
            }
        }
        for user_data in ready {
            self.post(user_data, libc::POLLIN.into(), true, None);
        }
    }

    // Completions ----------------------------------------------------------------------------------

    /// Makes a CQE that is seen by the enter that submitted its op.
    pub(super) fn post_now(&mut self, user_data: u64, result: i32) {
        self.posted.push((Cqe { user_data, result, more: false, buf_id: None }, None));
    }

    /// Makes a CQE, to be seen some time from now and after every earlier one of the same op.
    pub(super) fn post(
        &mut self,
        user_data: u64,
        result: i32,
        more: bool,
        buffer: Option<(u16, u16)>,
    ) {
        let mut at = if self.rng.chance(self.config.late_cqe) {
            self.later(5_000_000)
        } else if self.rng.chance(500) {
            self.later(50_000)
        } else {
            self.now
        };
        if user_data != UNOWNED {
            let last =
                self.posts_last.get_mut(&user_data).expect("an op's CQEs end with the final one");
            at = at.max(Nanos(last.0 + 1));
            *last = at;
            if !more {
                self.posts_last.remove(&user_data);
            }
        }
        let cqe = Cqe { user_data, result, more, buf_id: buffer.map(|it| it.1) };
        self.trace(|| {
            let late = at.since(self.now);
            format!(
                "   {} gives {result}, more: {more}, buffer {buffer:?}, in {late:?}",
                name(user_data)
            )
        });
        self.event(at, Event::Posts(cqe, buffer));
    }

    /// A moment less than `nanos` from now.
    fn later(&mut self, nanos: u32) -> Nanos {
        Nanos(self.now.0 + u64::from(self.rng.below(nanos)))
    }

    // Events ---------------------------------------------------------------------------------------

    fn event(&mut self, at: Nanos, event: Event) {
        self.event_count += 1;
        self.events.insert((at, self.event_count), event);
    }

    fn run_until(&mut self, until: Nanos) {
        while let Some(entry) = self.events.first_entry() {
            let at = entry.key().0;
            if at > until {
                return;
            }
            let event = entry.remove();
            self.step();
            self.now = self.now.max(at);
            match &event {
                Event::Posts(..) => {}
                Event::Acts(index) if self.sockets[*index].wakes_at != Some(at) => {}
                event => self.trace(|| format!("event {event:?}")),
            }
            match event {
                Event::Connects(index) => {
                    self.sockets[index].connected = true;
                    self.backlog.push_back(index);
                    self.accept_waiting();
                    self.wake_peer(index, self.now);
                }
                Event::Acts(index) if self.sockets[index].wakes_at == Some(at) => self.act(index),
                Event::Acts(_) => {}
                Event::Arrives(index, arrival) => self.arrive(index, arrival),
                Event::Connected { index, result } => self.connected(index, result),
                Event::Posts(cqe, buffer) => self.posted.push((cqe, buffer)),
                Event::Cancels(target) => {
                    self.cancel(target);
                }
                Event::Calls(what) => {
                    what();
                    self.look_at_polls();
                }
            }
        }
    }

    fn connected(&mut self, index: usize, result: i32) {
        let socket = &mut self.sockets[index];
        // The op may have been cancelled, and the socket closed, meanwhile.
        let Some(&user_data) = socket.ops.first() else { return };
        socket.ops.clear();
        self.armed.remove(&user_data);
        socket.connected = result == 0;
        self.post(user_data, result, false, None);
        if result == 0 {
            self.wake_peer_soon(index);
        }
    }

    fn arrive(&mut self, index: usize, arrival: Arrival) {
        let socket = &mut self.sockets[index];
        if let Arrival::Bytes(bytes) = &arrival {
            socket.on_the_way -= bytes.len();
        }
        if socket.reset_in || socket.reset_out {
            return;
        }
        match arrival {
            Arrival::Bytes(_) if socket.released => {
                socket.reset_out = true;
                socket.outgoing.clear();
                self.wake_peer_soon(index);
                return;
            }
            Arrival::Bytes(bytes) => socket.incoming.extend(bytes),
            Arrival::End => socket.ended_in = true,
            Arrival::Reset => {
                socket.reset_in = true;
                socket.outgoing.clear();
                socket.error = Some(if socket.ended_in { libc::EPIPE } else { libc::ECONNRESET });
            }
        }
        self.progress(index);
    }

    fn act(&mut self, index: usize) {
        self.sockets[index].wakes_at = None;
        let Some(mut peer) = self.sockets[index].peer.take() else { return };
        if self.sockets[index].peer_gone {
            return;
        }
        let again = peer.act(&mut SimLink { world: self, index });
        self.sockets[index].peer = Some(peer);
        if let Some(time) = again {
            self.wake_peer(index, self.now.after(time));
        }
        self.look_at_polls();
    }

    // The network ----------------------------------------------------------------------------------

    /// Sends something of the peer's on its way; it arrives after what was sent before.
    pub(super) fn send_to_us(&mut self, index: usize, arrival: Arrival) {
        let slow = self.rng.chance(50);
        let at = self.later(if slow { 20_000_000 } else { 300_000 });
        let socket = &mut self.sockets[index];
        let at = at.max(Nanos(socket.arrives_last.0 + 1));
        socket.arrives_last = at;
        self.event(at, Event::Arrives(index, arrival));
    }

    /// Something of ours is on its way to the peer.
    pub(super) fn reach_peer(&mut self, index: usize) {
        let socket = &self.sockets[index];
        if !socket.peer_gone {
            self.wake_peer_soon(index);
        } else if !socket.reset_in {
            self.send_to_us(index, Arrival::Reset);
        }
    }

    pub(super) fn wake_peer_soon(&mut self, index: usize) {
        let at = self.later(300_000);
        self.wake_peer(index, at);
    }

    fn wake_peer(&mut self, index: usize, at: Nanos) {
        let socket = &mut self.sockets[index];
        if socket.wakes_at.is_none_or(|earlier| at < earlier) {
            socket.wakes_at = Some(at);
            self.event(at, Event::Acts(index));
        }
    }
}
