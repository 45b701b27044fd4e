//! Ops: what the kernel is asked to do, with everything it touches meanwhile.

use std::os::fd::RawFd;

use super::buf_ring::RecvBuf;

/// Bytes to send: a head in memory of ours, then perhaps a received piece that is passed on.
///
/// The two leave in one vectored send.
#[derive(Debug, Default)]
pub struct SendBuf {
    /// Sent first.
    pub head: Vec<u8>,
    /// Sent after it.
    pub tail: Tail,
    /// Bytes of both together that have been sent.
    pub(super) sent: usize,
    /// When a posted one has left, the head's memory goes to the ring, for whoever sends next.
    pub(super) gives_memory: bool,
}

/// Second part of a [`SendBuf`].
#[derive(Debug, Default)]
pub enum Tail {
    /// There is none.
    #[default]
    None,
    /// A received piece.
    Received(RecvBuf),
}

impl SendBuf {
    /// Bytes of one part only.
    pub fn from_vec(head: Vec<u8>) -> Self {
        Self { head, ..Self::default() }
    }

    /// A head and a received piece after it.
    pub fn with_tail(head: Vec<u8>, tail: RecvBuf) -> Self {
        Self { head, tail: Tail::Received(tail), ..Self::default() }
    }

    /// The same, whose head is not wanted back once it was posted and has left: [`super::Ring::memory`]
    /// gives it to whoever sends next, while it is warm.
    #[must_use]
    pub fn giving_memory(self) -> Self {
        Self { gives_memory: true, ..self }
    }

    /// Bytes in both parts.
    pub fn len(&self) -> usize {
        self.head.len() + self.tail_bytes().len()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The two parts that have not been sent yet.
    pub(super) fn unsent(&self) -> (&[u8], &[u8]) {
        let of_head = self.sent.min(self.head.len());
        (&self.head[of_head..], &self.tail_bytes()[self.sent - of_head..])
    }

    fn tail_bytes(&self) -> &[u8] {
        match &self.tail {
            Tail::None => &[],
            Tail::Received(buf) => buf,
        }
    }
}

/// How a send goes, and who looks after it; see `turn/post.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SendMode {
    /// Its task waits for the CQE.
    Awaited,
    /// All of it leaves while it is submitted, without a CQE; else a CQE says what has left.
    Posted,
    /// What did not leave of a posted one; the ring looks after it.
    Resumed,
}

/// One op; owned by its slot until the final CQE (of a posted send: until it is settled).
#[derive(Debug)]
pub(super) enum Op {
    /// Multishot accept; each CQE is a connection's descriptor.
    Accept { fd: RawFd },
    /// Multishot receive into provided buffers.
    RecvMulti { fd: RawFd },
    /// One receive into a provided bulk buffer.
    RecvBulk { fd: RawFd },
    /// One receive into memory of its own, for when no bulk buffer is free.
    RecvHeap { fd: RawFd, buf: Vec<u8> },
    /// Sends what of `buf` has not been sent.
    Send { fd: RawFd, buf: SendBuf, mode: SendMode },
    /// Connects to `addr`.
    Connect { fd: RawFd, addr: Box<socket2::SockAddr> },
    /// Ends our side of the stream.
    Shutdown { fd: RawFd },
    /// Multishot poll for readability, for the mailbox's eventfd.
    Poll { fd: RawFd },
    /// Multishot poll for errors and hang-ups only; each CQE's result is the poll's events.
    Hangup { fd: RawFd },
    /// Closes the descriptor.
    Close { fd: RawFd },
    /// Cancels the op with that `user_data`.
    Cancel { target: u64 },
}

impl Op {
    /// Whether one SQE may give many CQEs.
    pub(super) fn is_multishot(&self) -> bool {
        matches!(
            self,
            Self::Accept { .. } | Self::RecvMulti { .. } | Self::Poll { .. } | Self::Hangup { .. }
        )
    }
}

/// One completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cqe {
    pub(super) user_data: u64,
    /// A count or descriptor, or `-errno`.
    pub(super) result: i32,
    /// More CQEs of this op will follow; without it this is the final one.
    pub(super) more: bool,
    /// Provided buffer that holds the data.
    pub(super) buf_id: Option<u16>,
}

impl Cqe {
    /// Stands for `len` bytes of data that have been moved to [`super::slot::Slot::spilled`].
    pub(super) fn spill(user_data: u64, len: usize) -> Self {
        let result = i32::try_from(len).expect("a ring's buffers hold less than 2 GiB");
        Self { user_data, result, more: true, buf_id: None }
    }

    /// Whether its data are in the slot. A multishot receive's own CQEs always name a buffer.
    pub(super) fn is_spill(&self) -> bool {
        self.result > 0 && self.buf_id.is_none()
    }

    pub(super) fn error(&self) -> std::io::Error {
        std::io::Error::from_raw_os_error(-self.result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unsent_moves_from_the_head_into_the_tail() {
        let mut buf = SendBuf::with_tail(b"head".to_vec(), RecvBuf::from_vec(b"tail".to_vec()));
        for (sent, want) in [
            (0, (&b"head"[..], &b"tail"[..])),
            (3, (b"d", b"tail")),
            (4, (b"", b"tail")),
            (6, (b"", b"il")),
            (8, (b"", b"")),
        ] {
            buf.sent = sent;
            assert_eq!(buf.unsent(), want, "{sent} sent");
        }
    }
}
