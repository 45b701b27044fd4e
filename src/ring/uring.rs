//! The real kernel: set-up of the ring, encoding of SQEs.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use io_uring::{EnterFlags, IoUring, cqueue, opcode, squeue, types};

use super::buf_ring::BufPool;
use super::op::{Cqe, Op, SendMode};
use crate::limits::{RING_CQ_ENTRIES, RING_SQ_ENTRIES};

/// `buf_group` of the small receive buffers.
pub(super) const GROUP_RECV: u16 = 0;
/// `buf_group` of the bulk receive buffers.
pub(super) const GROUP_BULK: u16 = 1;

const SEND_FLAGS: i32 = libc::MSG_WAITALL | libc::MSG_NOSIGNAL;

/// Header and vector of a vectored send. Boxed, so that it stays put while the SQE points to it.
pub(super) struct MessageParts {
    header: libc::msghdr,
    parts: [libc::iovec; 2],
}

/// Most bytes one part of a send names, so that their count fits the SQE; the rest is sent after it.
const SEND_BYTES_MAX: usize = 1 << 30;

/// The thread's io_uring.
pub(super) struct Uring {
    // Declared before the pools: the ring is closed before its buffers can be freed.
    ring: IoUring,
    /// SQEs that found the queue full and the kernel short of memory; they go first, in order.
    backlog: VecDeque<squeue::Entry>,
    pools: Vec<Rc<BufPool>>,
}

impl Uring {
    /// Sets the ring up; must be called on the thread that will use it (`SINGLE_ISSUER`).
    pub(super) fn new() -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_coop_taskrun()
            .setup_submit_all()
            .setup_cqsize(RING_CQ_ENTRIES)
            .build(RING_SQ_ENTRIES)?;
        Ok(Self { ring, backlog: VecDeque::new(), pools: Vec::new() })
    }

    pub(super) fn register_buffers(&mut self, pool: &Rc<BufPool>) -> io::Result<()> {
        let (address, count) = pool.registration().expect("a pool for a real ring is shared");
        // SAFETY: `address` leads to `count` entries, page-aligned, that live as long as `pool`, which
        // `self.pools` keeps until after the ring is gone (field order).
        unsafe {
            self.ring.submitter().register_buf_ring_with_flags(address, count, pool.group, 0)?
        };
        self.pools.push(Rc::clone(pool));
        Ok(())
    }

    pub(super) fn push(
        &mut self,
        user_data: u64,
        op: &mut Op,
        message: &mut Option<Box<MessageParts>>,
    ) {
        let entry = sqe(op, message).user_data(user_data);
        if self.backlog.is_empty() && self.try_push(&entry) {
            return;
        }
        // The queue is full: hand over what is there. An error would come again in `submit`.
        let _ = self.ring.submit();
        self.backlog.push_back(entry);
        self.push_backlog();
    }

    /// `false`: the queue is full. `entry` is one that `push` made.
    fn try_push(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: every pointer in `entry` leads into its op's heap memory or into its message's box
        // (`sqe`). Both belong to the op's slot (`Ring::start`), which is retired only after the final
        // CQE, so the memory outlives the kernel's use of it. A posted send has no CQE if it was sent
        // while it was submitted; its slot is retired after that (`Ring::settle_posts`). Ops without a
        // slot have no pointers (asserted in `Ring::push_unowned`).
        unsafe { self.ring.submission().push(entry) }.is_ok()
    }

    fn push_backlog(&mut self) {
        while let Some(entry) = self.backlog.pop_front() {
            if !self.try_push(&entry) {
                self.backlog.push_front(entry);
                return;
            }
        }
    }

    pub(super) fn submit(&mut self, wait: bool, timeout: Option<Duration>) -> io::Result<()> {
        self.push_backlog();
        // What is in the backlog is not to wait for what is submitted before it.
        let wait = wait && self.backlog.is_empty();
        let result = match (wait, timeout) {
            (false, _) => {
                // With DEFER_TASKRUN completions are only posted by an enter with GETEVENTS, which the
                // crate leaves out when nothing is waited for: a task that keeps waking itself would
                // then never see a completion.
                let queued = self.ring.submission().len() as u32;
                let flags = EnterFlags::GETEVENTS.bits();
                // SAFETY: no argument is passed; `queued` SQEs are in the queue, put there by `push`.
                unsafe { self.ring.submitter().enter::<libc::sigset_t>(queued, 0, flags, None) }
            }
            (true, None) => self.ring.submit_and_wait(1),
            (true, Some(timeout)) => {
                let timeout = types::Timespec::from(timeout);
                let args = types::SubmitArgs::new().timespec(&timeout);
                self.ring.submitter().submit_with_args(1, &args)
            }
        };
        match result {
            Ok(_) => Ok(()),
            Err(error) => match error.raw_os_error() {
                // ETIME: the timeout. EINTR: a signal. EBUSY: the CQ has overflowed; draining mends it.
                // EAGAIN: the kernel was short of memory for requests; they stay queued.
                Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN) => Ok(()),
                _ => Err(error),
            },
        }
    }

    /// Whether the kernel has taken every SQE.
    pub(super) fn has_taken_all(&mut self) -> bool {
        self.backlog.is_empty() && self.ring.submission().is_empty()
    }

    pub(super) fn cq_overflowed(&mut self) -> bool {
        self.ring.submission().cq_overflow()
    }

    pub(super) fn drain(&mut self, cqes: &mut Vec<Cqe>) {
        cqes.extend(self.ring.completion().map(|cqe| Cqe {
            user_data: cqe.user_data(),
            result: cqe.result(),
            more: cqueue::more(cqe.flags()),
            buf_id: cqueue::buffer_select(cqe.flags()),
        }));
    }
}

fn sqe(op: &mut Op, message: &mut Option<Box<MessageParts>>) -> squeue::Entry {
    match op {
        Op::Accept { fd } => {
            opcode::AcceptMulti::new(types::Fd(*fd)).flags(libc::SOCK_CLOEXEC).build()
        }
        Op::RecvMulti { fd } => opcode::RecvMulti::new(types::Fd(*fd), GROUP_RECV).build(),
        Op::RecvBulk { fd } => opcode::Recv::new(types::Fd(*fd), std::ptr::null_mut(), 0)
            .buf_group(GROUP_BULK)
            .build()
            .flags(squeue::Flags::BUFFER_SELECT),
        Op::RecvHeap { fd, buf } => {
            opcode::Recv::new(types::Fd(*fd), buf.as_mut_ptr(), buf.len() as u32).build()
        }
        Op::Send { fd, buf, mode } => {
            let posted = *mode == SendMode::Posted;
            let flags = if posted { SEND_FLAGS | libc::MSG_DONTWAIT } else { SEND_FLAGS };
            let part = |part: &[u8]| {
                opcode::Send::new(types::Fd(*fd), part.as_ptr(), send_len(part))
                    .flags(flags)
                    .build()
            };
            let entry = match buf.unsent() {
                (head, []) => part(head),
                ([], tail) => part(tail),
                (head, tail) => {
                    let message = message_of(message, head, tail);
                    opcode::SendMsg::new(types::Fd(*fd), &raw const message.header)
                        .flags(flags as u32)
                        .build()
                }
            };
            if posted { entry.flags(squeue::Flags::SKIP_SUCCESS) } else { entry }
        }
        Op::Connect { fd, addr } => {
            opcode::Connect::new(types::Fd(*fd), addr.as_ptr().cast(), addr.len()).build()
        }
        Op::Shutdown { fd } => opcode::Shutdown::new(types::Fd(*fd), libc::SHUT_WR).build(),
        Op::Poll { fd } => {
            opcode::PollAdd::new(types::Fd(*fd), libc::POLLIN as u32).multi(true).build()
        }
        // The kernel adds errors and hang-ups to whatever is asked for; a reset is both.
        Op::Hangup { fd } => opcode::PollAdd::new(types::Fd(*fd), 0).multi(true).build(),
        Op::Close { fd } => opcode::Close::new(types::Fd(*fd)).build(),
        Op::Cancel { target } => opcode::AsyncCancel::new(*target).build(),
    }
}

fn send_len(part: &[u8]) -> u32 {
    part.len().min(SEND_BYTES_MAX) as u32
}

fn message_of<'a>(
    message: &'a mut Option<Box<MessageParts>>,
    head: &[u8],
    tail: &[u8],
) -> &'a MessageParts {
    let message = message.get_or_insert_with(|| {
        // SAFETY: all-zero is a valid `msghdr` and a valid `iovec` (null pointers, zero lengths).
        Box::new(unsafe { std::mem::zeroed::<MessageParts>() })
    });
    message.parts = [head, tail]
        .map(|part| libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() });
    message.header.msg_iov = message.parts.as_mut_ptr();
    message.header.msg_iovlen = 2;
    message
}
