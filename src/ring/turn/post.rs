//! Posted sends: those that nobody waits for.
//!
//! ```text
//! post ──submit──▶ no CQE: all of it has left ───────────────────────────────▶ settled
//!                   └─ CQE: a part has left, or nothing ──▶ ordinary send ──▶ settled or failed
//! ```
//!
//! A small answer fits the socket's buffer and leaves while it is submitted. A CQE for that would run its
//! task once more for nothing, and end the wait for the next request before it has begun. So a posted send
//! has a CQE only if it could not leave whole at once: `IOSQE_CQE_SKIP_SUCCESS` drops the CQE of a success,
//! `MSG_DONTWAIT` keeps the kernel from waiting for room, and with `MSG_WAITALL` a part is no success. When
//! the kernel has taken every SQE and no CQE is held back, a posted send without one has been sent. What
//! could not leave goes on as an ordinary send; its connection need not be there for it.
//!
//! The memory of an answer that has left serves the next answers, of any connection: as many buffers stay
//! warm as a turn sends answers, instead of one for each connection.
//!
//! Source: io_uring_enter(2); Linux 6.1 to 6.18, `io_send`, `io_sendmsg`, `io_net_retry` and
//! `io_sendrecv_fail` of io_uring/net.c, `io_queue_async` of io_uring/io_uring.c.

use std::os::fd::RawFd;

use super::{Handle, Key, Ring, Slot};
use crate::limits::{POSTED_BYTES_MAX, POSTED_MEMORY_MAX};
use crate::ring::op::{Cqe, Op, SendBuf, SendMode, Tail};
use crate::ring::slot::State;

impl Ring {
    /// Queues a posted send; its handle is settled with the op when it has been sent.
    pub(in crate::ring) fn post(&self, fd: RawFd, buf: SendBuf) -> Handle {
        let handle = self.start(Op::Send { fd, buf, mode: SendMode::Posted });
        self.0.posted.borrow_mut().extend(handle.key);
        handle
    }

    /// Settles posted sends that had no CQE. To be called when all CQEs that were there have been taken
    /// in, and none is held back for want of space.
    pub(super) fn settle_posts(&self) {
        if self.0.posted.borrow().is_empty() || !self.0.kernel.borrow_mut().has_taken_all() {
            return;
        }
        let mut posted = std::mem::take(&mut *self.0.posted.borrow_mut());
        for key in posted.drain(..) {
            // Received pieces give their buffers back, orphans drop their op: when nothing is borrowed.
            let dropped = self.settle(key);
            drop(dropped);
        }
        *self.0.posted.borrow_mut() = posted; // its memory
    }

    fn settle(&self, key: Key) -> Option<(Tail, Option<Op>)> {
        let mut slots = self.0.slots.borrow_mut();
        let slot = slots.slot_if_alive(key)?;
        let Some(Op::Send { buf, mode: SendMode::Posted, .. }) = &mut slot.op else { return None };
        let (sent, tail) = (buf.len(), std::mem::take(&mut buf.tail));
        if buf.gives_memory {
            self.keep_memory(std::mem::take(&mut buf.head));
        }
        match slot.state {
            State::Live => {
                slot.state = State::Done;
                let result = i32::try_from(sent).unwrap_or(i32::MAX);
                let user_data = key.user_data();
                slot.cqes.push_back(Cqe { user_data, result, more: false, buf_id: None });
                if slot.awaited {
                    self.wake(slot.task);
                }
                Some((tail, None))
            }
            State::Orphaned => Some((tail, Some(slots.retire(key)))),
            // It has failed.
            State::Done | State::Free => Some((tail, None)),
        }
    }

    /// Memory for bytes to send, empty: the last that has left, or none yet.
    pub fn memory(&self) -> Vec<u8> {
        self.0.memory.borrow_mut().pop().unwrap_or_default()
    }

    fn keep_memory(&self, mut memory: Vec<u8>) {
        let mut kept = self.0.memory.borrow_mut();
        if kept.len() < POSTED_MEMORY_MAX && memory.capacity() <= POSTED_BYTES_MAX * 2 {
            memory.clear();
            kept.push(memory);
        }
    }

    /// Goes on with a posted send that has not left whole. `false`: it has ended, and `cqe` says how.
    pub(super) fn resume_post(&self, slot: &mut Slot, key: Key, cqe: &Cqe) -> bool {
        let Some(op) = &mut slot.op else { return false };
        let Op::Send { buf, mode, .. } = op else { return false };
        match cqe.result {
            sent @ 1.. => buf.sent += sent as usize,
            failed if failed == -libc::EINTR => {}
            failed if failed == -libc::EAGAIN && *mode == SendMode::Posted => {}
            _ => return false,
        }
        if buf.sent >= buf.len() {
            return false;
        }
        *mode = SendMode::Resumed;
        // A peer that does not read must not keep what all connections share.
        if let Tail::Received(tail) = &mut buf.tail {
            tail.detach_if_scarce();
        }
        slot.cqes.clear();
        slot.state = State::Live;
        self.0.kernel.borrow_mut().push(key.user_data(), op, &mut slot.message);
        self.count_sqe();
        true
    }
}
