//! One simulated connection: what Linux keeps for a TCP socket, and the ops that wait for it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::RawFd;

use super::peer::SimPeer;
use super::world::World;
use crate::ring::buf_ring::BufPool;
use crate::ring::op::{Op, SendBuf, SendMode};
use crate::ring::uring::{GROUP_BULK, GROUP_RECV};
use crate::time::Nanos;

/// A connection as both ends see it. "In" and "out" are our side's.
#[derive(Default)]
pub(super) struct Socket {
    /// The descriptor; `None` before it is accepted and after it is closed.
    pub(super) fd: Option<RawFd>,
    /// The other side's address.
    pub(super) address: Option<SocketAddr>,
    pub(super) connected: bool,
    /// It had a descriptor; a client that was not accepted yet had none.
    pub(super) opened: bool,
    /// Ops that are armed, in the order they came.
    pub(super) ops: Vec<u64>,
    /// Received, not read.
    pub(super) incoming: VecDeque<u8>,
    /// Bytes the peer has sent that are not here yet.
    pub(super) on_the_way: usize,
    /// When the last of them arrives: nothing overtakes.
    pub(super) arrives_last: Nanos,
    /// The peer's end has arrived.
    pub(super) ended_in: bool,
    /// A reset has arrived.
    pub(super) reset_in: bool,
    /// The error that the next op is told, once.
    pub(super) error: Option<i32>,
    /// Sent by us, not read by the peer.
    pub(super) outgoing: VecDeque<u8>,
    /// We have ended our side.
    pub(super) ended_out: bool,
    /// We have reset the connection.
    pub(super) reset_out: bool,
    /// No descriptor and no op leads here any more.
    pub(super) released: bool,
    pub(super) peer: Option<Box<dyn SimPeer>>,
    /// The peer has ended its side.
    pub(super) peer_ended: bool,
    /// The peer has closed or reset: what comes is answered by a reset.
    pub(super) peer_gone: bool,
    /// The peer wants to act when there is room to write.
    pub(super) peer_blocked: bool,
    /// When the peer acts next.
    pub(super) wakes_at: Option<Nanos>,
}

/// Memory of an op that is under way.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    start: *const u8,
    len: usize,
}

impl Piece {
    fn of(bytes: &[u8]) -> Self {
        Self { start: bytes.as_ptr(), len: bytes.len() }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: as for the real kernel: the memory belongs to an op in a slot, which is retired only
        // after its final CQE, and this is read only before that CQE is made.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

/// An op that waits for something.
pub(super) enum Armed {
    Accept,
    RecvMulti,
    RecvBulk,
    /// Into memory of its own.
    RecvHeap {
        start: *mut u8,
        len: usize,
    },
    Send {
        parts: [Piece; 2],
        /// What the parts held when the op came: they must not change.
        copy: Vec<u8>,
        sent: usize,
        mode: SendMode,
    },
    Connect,
    /// For errors and hang-ups of a socket.
    Hangup {
        /// Events that a CQE has told.
        told: i32,
    },
    /// Of a real descriptor.
    Poll {
        fd: RawFd,
        /// A CQE is on its way.
        told: bool,
    },
}

impl Armed {
    pub(super) fn send(buf: &SendBuf, mode: SendMode) -> Self {
        let (head, tail) = buf.unsent();
        let parts = [head, tail].map(Piece::of);
        Self::Send { parts, copy: [head, tail].concat(), sent: 0, mode }
    }

    pub(super) fn recv_heap(buf: &mut Vec<u8>) -> Self {
        Self::RecvHeap { start: buf.as_mut_ptr(), len: buf.len() }
    }

    /// The socket op behind `op`, if it waits for a socket.
    pub(super) fn of(op: &mut Op) -> Option<Self> {
        Some(match op {
            Op::RecvMulti { .. } => Self::RecvMulti,
            Op::RecvBulk { .. } => Self::RecvBulk,
            Op::RecvHeap { buf, .. } => Self::recv_heap(buf),
            Op::Send { buf, mode, .. } => Self::send(buf, *mode),
            Op::Connect { .. } => Self::Connect,
            Op::Hangup { .. } => Self::Hangup { told: 0 },
            _ => return None,
        })
    }

    /// Result of an op that is cancelled: a send tells what it has sent.
    pub(super) fn cancelled(&self) -> i32 {
        match self {
            Self::Send { sent, .. } if *sent > 0 => *sent as i32,
            _ => -libc::ECANCELED,
        }
    }

    fn check(&self) {
        if let Self::Send { parts, copy, .. } = self {
            let (head, tail) = copy.split_at(parts[0].len);
            assert!(
                parts[0].bytes() == head && parts[1].bytes() == tail,
                "memory of a send changed before its final CQE"
            );
        }
    }
}

impl std::fmt::Debug for Armed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accept => f.write_str("accept"),
            Self::RecvMulti => f.write_str("recv multishot"),
            Self::RecvBulk => f.write_str("recv bulk"),
            Self::RecvHeap { len, .. } => write!(f, "recv of {len} bytes"),
            Self::Send { copy, mode, .. } => {
                let text = String::from_utf8_lossy(&copy[..copy.len().min(60)]);
                write!(f, "{mode:?} send of {} bytes {text:?}", copy.len())
            }
            Self::Connect => f.write_str("connect"),
            Self::Hangup { .. } => f.write_str("poll for hang-up"),
            Self::Poll { .. } => f.write_str("poll"),
        }
    }
}

impl World {
    /// Lets the ops of a socket do what they can.
    pub(super) fn progress(&mut self, index: usize) {
        let ops = self.sockets[index].ops.clone();
        for user_data in ops {
            let Some(mut armed) = self.armed.remove(&user_data) else { continue };
            let ended = match &mut armed.op {
                Armed::RecvMulti => self.recv_multi(index, user_data),
                Armed::RecvBulk => self.recv_bulk(index, user_data),
                Armed::RecvHeap { start, len } => self.recv_heap(index, user_data, *start, *len),
                Armed::Send { copy, sent, mode: SendMode::Posted, .. } => {
                    self.send_at_once(index, user_data, copy, sent);
                    true
                }
                Armed::Send { copy, sent, .. } => {
                    let result = self.send(index, copy, sent);
                    if let Some(result) = result {
                        self.post(user_data, result, false, None);
                    }
                    result.is_some()
                }
                Armed::Hangup { told } => self.hang_up(index, user_data, told),
                Armed::Connect | Armed::Accept | Armed::Poll { .. } => false,
            };
            armed.op.check();
            if ended {
                self.sockets[index].ops.retain(|&it| it != user_data);
            } else {
                self.armed.insert(user_data, armed);
            }
        }
        self.wake_writer(index);
        self.release(index);
    }

    /// What a receive is told when nothing is there to read.
    fn recv_end(&mut self, index: usize) -> Option<i32> {
        let socket = &mut self.sockets[index];
        if let Some(errno) = socket.error.take() {
            return Some(-errno);
        }
        (socket.ended_in || socket.reset_in).then_some(0)
    }

    /// How much a receive takes at once.
    fn recv_count(&mut self, index: usize) -> usize {
        let there = self.sockets[index].incoming.len();
        if there > 1 && self.rng.chance(self.config.short_recv) {
            self.rng.range(1..there)
        } else {
            there
        }
    }

    fn recv_multi(&mut self, index: usize, user_data: u64) -> bool {
        loop {
            if self.sockets[index].incoming.is_empty() {
                let Some(result) = self.recv_end(index) else { return false };
                self.post(user_data, result, false, None);
                return true;
            }
            let Some((id, count)) = self.fill(index, GROUP_RECV) else {
                self.post(user_data, -libc::ENOBUFS, false, None);
                return true;
            };
            let ends = self.rng.chance(self.config.multishot_ends);
            self.post(user_data, count as i32, !ends, Some((GROUP_RECV, id)));
            if ends {
                return true;
            }
        }
    }

    fn recv_bulk(&mut self, index: usize, user_data: u64) -> bool {
        if self.sockets[index].incoming.is_empty() {
            let Some(result) = self.recv_end(index) else { return false };
            self.post(user_data, result, false, None);
        } else if let Some((id, count)) = self.fill(index, GROUP_BULK) {
            self.post(user_data, count as i32, false, Some((GROUP_BULK, id)));
        } else {
            self.post(user_data, -libc::ENOBUFS, false, None);
        }
        true
    }

    /// Takes a buffer of `group` and moves received bytes into it.
    fn fill(&mut self, index: usize, group: u16) -> Option<(u16, usize)> {
        if self.rng.chance(self.config.no_buffers) {
            return None;
        }
        let count = self.recv_count(index);
        let pool: &BufPool = self.pools.iter().find(|pool| pool.group == group)?;
        let incoming = &mut self.sockets[index].incoming;
        let (id, count) = pool.sim_fill(|buffer| {
            let count = count.min(buffer.len());
            for (to, from) in buffer.iter_mut().zip(incoming.drain(..count)) {
                *to = from;
            }
            count
        })?;
        assert!(self.filled.insert((group, id)), "a buffer was given out twice");
        Some((id, count))
    }

    fn recv_heap(&mut self, index: usize, user_data: u64, start: *mut u8, len: usize) -> bool {
        if self.sockets[index].incoming.is_empty() {
            let Some(result) = self.recv_end(index) else { return false };
            self.post(user_data, result, false, None);
            return true;
        }
        let count = self.recv_count(index).min(len);
        // SAFETY: as for the real kernel: `start` leads to `len` bytes of an op in a slot that is
        // retired only after its final CQE, which is made below.
        let memory = unsafe { std::slice::from_raw_parts_mut(start, len) };
        for (to, from) in memory.iter_mut().zip(self.sockets[index].incoming.drain(..count)) {
            *to = from;
        }
        self.post(user_data, count as i32, false, None);
        true
    }

    /// All of it or what fits; only the latter is told.
    fn send_at_once(&mut self, index: usize, user_data: u64, bytes: &[u8], sent: &mut usize) {
        let result = match self.send(index, bytes, sent) {
            Some(result) => result,
            None if *sent > 0 => *sent as i32,
            None => -libc::EAGAIN,
        };
        if result != bytes.len() as i32 {
            self.post_now(user_data, result);
        }
    }

    /// Sends what fits; what the send is told if it ends with that.
    fn send(&mut self, index: usize, bytes: &[u8], sent: &mut usize) -> Option<i32> {
        let room_max = self.config.send_buffer;
        let socket = &mut self.sockets[index];
        if socket.error.is_some() || socket.reset_in || socket.ended_out {
            let result = match (*sent, socket.error) {
                (1.., _) => *sent as i32,
                (0, Some(errno)) => {
                    socket.error = None;
                    -errno
                }
                (0, None) => -libc::EPIPE,
            };
            return Some(result);
        }
        let room = room_max.saturating_sub(socket.outgoing.len());
        let mut count = room.min(bytes.len() - *sent);
        let short = count > 1 && self.rng.chance(self.config.short_send);
        if short {
            count = self.rng.range(1..count);
        }
        let socket = &mut self.sockets[index];
        if count > 0 {
            socket.outgoing.extend(&bytes[*sent..*sent + count]);
            *sent += count;
            self.reach_peer(index);
        }
        (*sent == bytes.len() || short).then_some(*sent as i32)
    }

    fn hang_up(&mut self, index: usize, user_data: u64, told: &mut i32) -> bool {
        let socket = &self.sockets[index];
        let mut events = 0;
        if socket.error.is_some() {
            events |= i32::from(libc::POLLERR);
        }
        if socket.reset_in || socket.ended_in && socket.ended_out {
            events |= i32::from(libc::POLLHUP);
        }
        if events & !*told == 0 {
            return false;
        }
        *told |= events;
        let ends = self.rng.chance(self.config.multishot_ends);
        self.post(user_data, events, !ends, None);
        ends
    }

    /// Gives the peer a chance to write if it waits for one.
    fn wake_writer(&mut self, index: usize) {
        let window = self.config.recv_window;
        let socket = &mut self.sockets[index];
        if socket.peer_blocked && socket.incoming.len() + socket.on_the_way < window {
            socket.peer_blocked = false;
            self.wake_peer_soon(index);
        }
    }

    /// Ends the connection if nothing of ours leads to it any more.
    pub(super) fn release(&mut self, index: usize) {
        let socket = &mut self.sockets[index];
        let used = socket.fd.is_some() || !socket.ops.is_empty();
        if socket.released || !socket.connected || !socket.opened || used {
            return;
        }
        socket.released = true;
        if socket.reset_in {
            return;
        }
        if socket.incoming.is_empty() {
            socket.ended_out = true;
        } else {
            socket.reset_out = true;
            socket.outgoing.clear();
        }
        self.wake_peer_soon(index);
    }
}
