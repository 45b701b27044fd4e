//! Sockets: accept, connect, receive, send, close.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{OwnedFd, RawFd};
use std::task::Poll;

use super::buf_ring::RecvBuf;
use super::kernel::SocketNames;
use super::op::{Op, SendBuf};
use super::turn::{Handle, Ring};
use crate::limits::KIB;

/// Memory for a bulk receive when no bulk buffer is free, bytes.
const HEAP_RECV_BYTES: usize = 64 * KIB;

/// A connected stream socket. Dropping it closes it.
pub struct Socket {
    ring: Ring,
    fd: RawFd,
}

impl Socket {
    /// Connects to `addr`.
    ///
    /// # Errors
    /// What `connect(2)` says. Dropping the future gives the attempt up.
    pub async fn connect(ring: &Ring, addr: SocketAddr) -> io::Result<Self> {
        let socket = Self { ring: ring.clone(), fd: ring.open_socket(&addr)? };
        let op = Op::Connect { fd: socket.fd, addr: Box::new(addr.into()) };
        let (cqe, _) = ring.start(op).once().await;
        if cqe.result < 0 { Err(cqe.error()) } else { Ok(socket) }
    }

    /// Addresses of both ends: one system call each, so once per connection.
    ///
    /// # Errors
    /// `ENOTCONN`: the peer is gone already.
    pub fn names(&self) -> io::Result<SocketNames> {
        self.ring.names(self.fd)
    }

    /// What the socket receives. There is one stream per socket at a time.
    pub fn recv_stream(&self) -> RecvStream {
        RecvStream {
            ring: self.ring.clone(),
            fd: self.fd,
            handle: None,
            ended: None,
            stopping: false,
        }
    }

    /// Receives once, into a large buffer that is taken only when data is there. Empty: end of stream.
    ///
    /// The socket's [`RecvStream`] must be stopped.
    ///
    /// # Errors
    /// `ECONNRESET` and its like.
    pub async fn recv_bulk(&self) -> io::Result<RecvBuf> {
        let (cqe, op) = self.ring.start(Op::RecvBulk { fd: self.fd }).once().await;
        if cqe.result >= 0 {
            return Ok(self.ring.received(Some(&op), &cqe).unwrap_or_default());
        }
        if cqe.result != -libc::ENOBUFS {
            return Err(cqe.error());
        }
        self.ring.count_enobufs();
        let op = Op::RecvHeap { fd: self.fd, buf: vec![0; HEAP_RECV_BYTES] };
        let (cqe, op) = self.ring.start(op).once().await;
        let Op::RecvHeap { mut buf, .. } = op else { unreachable!("an op comes back as it was") };
        if cqe.result < 0 {
            return Err(cqe.error());
        }
        buf.truncate(cqe.result as usize);
        Ok(RecvBuf::from_vec(buf))
    }

    /// Sends all of `buf`, which comes back for its memory.
    ///
    /// Dropping the future cancels what has not been sent; the connection is of no use then.
    ///
    /// # Errors
    /// `EPIPE`, `ECONNRESET`: the peer is gone.
    pub async fn send_all(&self, mut buf: SendBuf) -> (io::Result<()>, SendBuf) {
        buf.sent = 0;
        let len = buf.len();
        while buf.sent < len {
            let (cqe, op) = self.ring.start(Op::Send { fd: self.fd, buf }).once().await;
            let Op::Send { buf: back, .. } = op else { unreachable!("an op comes back as it was") };
            buf = back;
            match cqe.result {
                0 => return (Err(io::ErrorKind::WriteZero.into()), buf),
                sent if sent > 0 => buf.sent += sent as usize,
                _ if cqe.result == -libc::EINTR => {}
                _ => return (Err(cqe.error()), buf),
            }
        }
        (Ok(()), buf)
    }

    /// Ends our side of the stream: the peer reads its end.
    ///
    /// # Errors
    /// `ENOTCONN`: the peer is gone.
    pub async fn shut_down(&self) -> io::Result<()> {
        let (cqe, _) = self.ring.start(Op::Shutdown { fd: self.fd }).once().await;
        if cqe.result < 0 { Err(cqe.error()) } else { Ok(()) }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A multishot receive that is still armed keeps the connection open: `RecvStream` is dropped,
        // and so cancelled, before this (declare it before the socket).
        self.ring.push_unowned(Op::Close { fd: self.fd });
    }
}

/// What a socket receives, by a multishot receive that stays armed.
pub struct RecvStream {
    ring: Ring,
    fd: RawFd,
    handle: Option<Handle>,
    ended: Option<Ended>,
    stopping: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Closed,
    Failed(i32),
}

impl RecvStream {
    /// The next piece; empty: the peer has ended its side.
    ///
    /// # Errors
    /// `ECONNRESET` and its like; the same again when asked again.
    pub async fn next(&mut self) -> io::Result<RecvBuf> {
        std::future::poll_fn(|_| self.poll_next(true)).await
    }

    /// The next piece if it is here already.
    pub fn try_next(&mut self) -> Option<io::Result<RecvBuf>> {
        match self.poll_next(false) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    /// Waits until the peer has reset the connection, without taking what it sends. A peer that only
    /// ends its side may still want its answer: that is waited through.
    pub async fn reset(&mut self) {
        std::future::poll_fn(|_| {
            if let Some(Ended::Failed(_)) = self.ended {
                return Poll::Ready(());
            }
            match self.handle.as_mut().and_then(Handle::peek_last) {
                Some(cqe)
                    if cqe.result < 0
                        && !matches!(-cqe.result, libc::ENOBUFS | libc::ECANCELED) =>
                {
                    Poll::Ready(())
                }
                _ => Poll::Pending,
            }
        })
        .await;
    }

    /// Arms the receive, so that data and resets are noticed while nobody reads.
    pub fn arm(&mut self) {
        if self.handle.is_none() && self.ended.is_none() && !self.stopping {
            self.handle = Some(self.ring.start(Op::RecvMulti { fd: self.fd }));
        }
    }

    /// Disarms the receive. What has been received stays to be taken by [`Self::try_next`].
    pub async fn stop(&mut self) -> Vec<RecvBuf> {
        self.stopping = true;
        let mut taken = Vec::new();
        if let Some(handle) = &mut self.handle {
            handle.cancel();
        }
        while self.handle.is_some() {
            match std::future::poll_fn(|_| self.poll_next(true)).await {
                Ok(buf) if !buf.is_empty() => taken.push(buf),
                _ => break,
            }
        }
        self.stopping = false;
        taken
    }

    fn poll_next(&mut self, wait: bool) -> Poll<io::Result<RecvBuf>> {
        loop {
            match self.ended {
                Some(Ended::Closed) => return Poll::Ready(Ok(RecvBuf::default())),
                Some(Ended::Failed(errno)) => {
                    return Poll::Ready(Err(io::Error::from_raw_os_error(errno)));
                }
                None => {}
            }
            let Some(handle) = &mut self.handle else {
                if self.stopping {
                    return Poll::Ready(Ok(RecvBuf::default()));
                }
                if !self.ring.recv_buf_free_or_wait() {
                    return Poll::Pending;
                }
                if !wait {
                    return Poll::Pending;
                }
                self.arm();
                continue;
            };
            let (cqe, op) = match handle.poll() {
                Poll::Ready(completion) => completion,
                Poll::Pending => return Poll::Pending,
            };
            if op.is_some() {
                self.handle = None;
            }
            match cqe.result {
                0 => self.ended = Some(Ended::Closed),
                len if len > 0 => {
                    return Poll::Ready(Ok(self
                        .ring
                        .received(op.as_ref(), &cqe)
                        .unwrap_or_default()));
                }
                failed => match -failed {
                    libc::ENOBUFS => self.ring.count_enobufs(),
                    libc::ECANCELED | libc::EINTR | libc::EAGAIN => {}
                    errno => self.ended = Some(Ended::Failed(errno)),
                },
            }
        }
    }
}

/// A connection that was accepted.
pub type Accepted = Socket;

/// Connections of a listening socket, by a multishot accept that stays armed.
pub struct AcceptStream {
    ring: Ring,
    listener: OwnedFd,
    handle: Option<Handle>,
}

impl AcceptStream {
    /// Accepts from `listener`, which it closes when dropped.
    pub fn new(ring: &Ring, listener: impl Into<OwnedFd>) -> Self {
        Self { ring: ring.clone(), listener: listener.into(), handle: None }
    }

    /// The next connection.
    ///
    /// # Errors
    /// What `accept(2)` says, `EMFILE` among it. Asking again tries again: wait a little first.
    pub async fn next(&mut self) -> io::Result<Accepted> {
        std::future::poll_fn(|_| {
            loop {
                let fd = std::os::fd::AsRawFd::as_raw_fd(&self.listener);
                let handle = self.handle.get_or_insert_with(|| self.ring.start(Op::Accept { fd }));
                let (cqe, op) = match handle.poll() {
                    Poll::Ready(completion) => completion,
                    Poll::Pending => return Poll::Pending,
                };
                if op.is_some() {
                    self.handle = None;
                }
                match cqe.result {
                    fd if fd >= 0 => {
                        return Poll::Ready(Ok(Socket { ring: self.ring.clone(), fd }));
                    }
                    failed => match -failed {
                        // The client went away before it was accepted.
                        libc::ECONNABORTED | libc::EINTR | libc::ECANCELED | libc::EAGAIN => {}
                        _ => return Poll::Ready(Err(cqe.error())),
                    },
                }
            }
        })
        .await
    }

    /// Disarms the accept: new connections wait in the listen queue.
    pub fn pause(&mut self) {
        self.handle = None;
    }
}

/// Waits until `fd` can be read, again and again.
pub(super) struct Readable {
    ring: Ring,
    fd: RawFd,
    handle: Option<Handle>,
}

impl Readable {
    pub(super) fn new(ring: &Ring, fd: RawFd) -> Self {
        Self { ring: ring.clone(), fd, handle: None }
    }

    pub(super) async fn next(&mut self) {
        std::future::poll_fn(|_| {
            let handle =
                self.handle.get_or_insert_with(|| self.ring.start(Op::Poll { fd: self.fd }));
            match handle.poll() {
                Poll::Ready((_, op)) => {
                    if op.is_some() {
                        self.handle = None;
                    }
                    Poll::Ready(())
                }
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
    }
}
