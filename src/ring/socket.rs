//! Sockets: accept, connect, receive, send, close.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::buf_ring::RecvBuf;
use super::kernel::SocketNames;
use super::op::{Cqe, Op, SendBuf, SendMode, Tail};
use super::turn::{Handle, Ring};
use super::uring::{GROUP_BULK, GROUP_RECV};
use crate::limits::KIB;

/// Memory for a bulk receive when no bulk buffer is free, bytes.
const HEAP_RECV_BYTES: usize = 64 * KIB;

/// An open descriptor; closed through the ring, in order with the ops that use it.
struct Descriptor {
    ring: Ring,
    fd: RawFd,
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        self.ring.push_unowned(Op::Close { fd: self.fd });
    }
}

/// A connected stream socket. It is closed when it and its [`RecvStream`] are dropped: nothing of ours
/// can use a descriptor's number after another socket got it.
pub struct Socket {
    // Before the descriptor: what has not left is cancelled before the close.
    posted: Option<Handle>,
    descriptor: Rc<Descriptor>,
}

impl Socket {
    /// Connects to `addr`.
    ///
    /// # Errors
    /// What `connect(2)` says. Dropping the future gives the attempt up.
    pub async fn connect(ring: &Ring, addr: SocketAddr) -> io::Result<Self> {
        let socket = Self::new(ring, ring.open_socket(&addr)?);
        let op = Op::Connect { fd: socket.descriptor.fd, addr: Box::new(addr.into()) };
        let (cqe, _) = ring.start(op).once().await;
        if cqe.result < 0 { Err(cqe.error()) } else { Ok(socket) }
    }

    fn new(ring: &Ring, fd: RawFd) -> Self {
        Self { posted: None, descriptor: Rc::new(Descriptor { ring: ring.clone(), fd }) }
    }

    /// Addresses of both ends: one system call each, so once per connection.
    ///
    /// # Errors
    /// `ENOTCONN`: the peer is gone already.
    pub fn names(&self) -> io::Result<SocketNames> {
        self.descriptor.ring.names(self.descriptor.fd)
    }

    /// What the socket receives. There is one stream per socket at a time.
    pub fn recv_stream(&self) -> RecvStream {
        RecvStream {
            handle: None,
            hangup: None,
            ended: None,
            descriptor: Rc::clone(&self.descriptor),
        }
    }

    /// Hands `buf` over without waiting: it leaves with the ring's next submission, and what does not
    /// fit then when there is room. For what usually fits: a small answer, a request's head. Its memory
    /// comes back by [`Self::settled`], which has to come before the next send.
    ///
    /// # Panics
    /// If there is nothing to send, or what was posted before is not settled.
    pub fn post(&mut self, mut buf: SendBuf) {
        assert!(self.posted.is_none() && !buf.is_empty(), "one post at a time, of something");
        buf.sent = 0;
        let Descriptor { ring, fd } = &*self.descriptor;
        self.posted = Some(ring.post(*fd, buf));
    }

    /// Waits until what was posted has been sent; gives its head back as it was, an empty one if nothing
    /// was posted or its memory was given away ([`SendBuf::giving_memory`]).
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// `EPIPE`, `ECONNRESET`: the peer is gone.
    pub fn settled(&mut self) -> impl Future<Output = (io::Result<()>, Vec<u8>)> {
        std::future::poll_fn(|_| self.poll_settled())
    }

    /// [`Self::settled`] for those who poll by hand.
    pub fn poll_settled(&mut self) -> Poll<(io::Result<()>, Vec<u8>)> {
        let Some(handle) = &mut self.posted else { return Poll::Ready((Ok(()), Vec::new())) };
        let Poll::Ready((cqe, op)) = handle.poll() else { return Poll::Pending };
        self.posted = None;
        let Some(Op::Send { buf, .. }) = op else { unreachable!("an op comes back as it was") };
        let result = match cqe.result {
            0 => Err(io::ErrorKind::WriteZero.into()),
            ..0 => Err(cqe.error()),
            _ => Ok(()),
        };
        Poll::Ready((result, buf.head))
    }

    /// Whether nothing that was posted is on its way.
    #[cfg(test)]
    pub fn is_settled(&self) -> bool {
        self.posted.as_ref().is_none_or(Handle::has_ended)
    }

    /// Waits until what was posted has failed: for those who wait for an answer to it.
    pub async fn post_failed(&self) {
        std::future::poll_fn(|_| match &self.posted {
            Some(handle) if handle.has_failed() => Poll::Ready(()),
            _ => Poll::Pending,
        })
        .await;
    }

    /// Sends all of `buf`, which comes back for its memory. What was posted before has to be settled.
    ///
    /// Dropping the future cancels what has not been sent; the connection is of no use then.
    ///
    /// # Errors
    /// `EPIPE`, `ECONNRESET`: the peer is gone.
    pub async fn send_all(&self, mut buf: SendBuf) -> (io::Result<()>, SendBuf) {
        assert!(self.posted.is_none(), "sends would overtake each other");
        buf.sent = 0;
        // A peer that does not read must not keep what all connections share.
        if let Tail::Received(tail) = &mut buf.tail {
            tail.detach_if_scarce();
        }
        let len = buf.len();
        let Descriptor { ring, fd } = &*self.descriptor;
        while buf.sent < len {
            let op = Op::Send { fd: *fd, buf, mode: SendMode::Awaited };
            let (cqe, op) = ring.start(op).once().await;
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
        let Descriptor { ring, fd } = &*self.descriptor;
        let (cqe, _) = ring.start(Op::Shutdown { fd: *fd }).once().await;
        if cqe.result < 0 { Err(cqe.error()) } else { Ok(()) }
    }
}

/// What a socket receives, by a multishot receive that stays armed.
pub struct RecvStream {
    // Both before the descriptor: an armed receive would keep the connection open over its close.
    handle: Option<Handle>,
    /// Watches for a reset while the receive is not armed.
    hangup: Option<Handle>,
    ended: Option<Ended>,
    descriptor: Rc<Descriptor>,
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
    #[expect(clippy::should_implement_trait, reason = "an iterator does not wait")]
    pub fn next(&mut self) -> impl Future<Output = io::Result<RecvBuf>> {
        Wait { stream: self, pending: false, poll: |stream: &mut Self| stream.poll_next(true) }
    }

    /// [`Self::next`] for a task that polls by hand, and goes on polling or drops the stream.
    pub fn poll_piece(&mut self) -> Poll<io::Result<RecvBuf>> {
        self.poll_next(true)
    }

    /// The next piece if it is here already.
    pub fn try_next(&mut self) -> Option<io::Result<RecvBuf>> {
        let polled = self.poll_next(false);
        if let (Poll::Pending, Some(handle)) = (&polled, &mut self.handle) {
            handle.unawait();
        }
        match polled {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    /// Receives once, into a large buffer that is taken only when data is there. Empty: end of stream.
    /// What the armed receive brings comes first: [`Self::stop`] it before.
    ///
    /// Dropping the future may lose what has just arrived: the connection is of no use then.
    ///
    /// # Errors
    /// `ECONNRESET` and its like; the same again when asked again.
    pub async fn next_bulk(&mut self) -> io::Result<RecvBuf> {
        if self.handle.is_some() || self.ended.is_some() {
            return self.next().await;
        }
        let Descriptor { ring, fd } = &*self.descriptor;
        let (cqe, op) = ring.start(Op::RecvBulk { fd: *fd }).once().await;
        let received = ring.received(Some(&op), &cqe);
        if cqe.result != -libc::ENOBUFS {
            return self.one_shot(cqe, received);
        }
        ring.found_no_buffer(GROUP_BULK);
        let op = Op::RecvHeap { fd: *fd, buf: vec![0; HEAP_RECV_BYTES] };
        let (cqe, op) = ring.start(op).once().await;
        let Op::RecvHeap { mut buf, .. } = op else { unreachable!("an op comes back as it was") };
        buf.truncate(usize::try_from(cqe.result).unwrap_or(0));
        self.one_shot(cqe, Some(RecvBuf::from_vec(buf)))
    }

    /// The outcome of a receive that is not the armed one.
    fn one_shot(&mut self, cqe: Cqe, received: Option<RecvBuf>) -> io::Result<RecvBuf> {
        match cqe.result {
            0 => self.ended = Some(Ended::Closed),
            len if len > 0 => {}
            failed => {
                self.ended = Some(Ended::Failed(-failed));
                return Err(cqe.error());
            }
        }
        Ok(received.unwrap_or_default())
    }

    /// Waits until the peer has reset the connection, without taking what it sends. A peer that only
    /// ends its side may still want its answer: that is waited through.
    pub async fn reset(&mut self) {
        if let Some(handle) = &mut self.handle {
            handle.unawait();
        }
        std::future::poll_fn(|_| self.poll_reset()).await;
    }

    fn poll_reset(&mut self) -> Poll<()> {
        if let Some(Ended::Failed(_)) = self.ended {
            return Poll::Ready(());
        }
        if let Some(handle) = &mut self.handle {
            match handle.poll_end(false) {
                // The receive is armed, and ends with a reset.
                Poll::Pending => return Poll::Pending,
                Poll::Ready(cqe) if Ended::by(&cqe).is_some_and(Ended::is_failure) => {
                    return Poll::Ready(());
                }
                Poll::Ready(_) => {}
            }
        }
        // It has ended for want of buffers, was stopped, or the peer has ended its side.
        let Descriptor { ring, fd } = &*self.descriptor;
        let hangup = self.hangup.get_or_insert_with(|| ring.start(Op::Hangup { fd: *fd }));
        while let Poll::Ready((cqe, end)) = hangup.poll() {
            let events = cqe.result;
            if events > 0 && events & i32::from(libc::POLLERR | libc::POLLHUP) != 0 {
                self.hangup = None;
                return Poll::Ready(());
            }
            if end.is_some() {
                // The kernel gave the poll up; whoever waits for a reset has deadlines besides.
                self.hangup = None;
                return Poll::Pending;
            }
        }
        Poll::Pending
    }

    /// Arms the receive, so that data and resets are noticed while nobody reads.
    pub fn arm(&mut self) {
        if self.handle.is_none() && self.ended.is_none() {
            self.hangup = None;
            let Descriptor { ring, fd } = &*self.descriptor;
            self.handle = Some(ring.start(Op::RecvMulti { fd: *fd }));
        }
    }

    /// Whether the peer has sent nothing that was not taken, and has not ended. A receive that is armed
    /// knows; for one that is not the socket is asked, by a system call.
    pub fn is_silent(&mut self) -> bool {
        if self.ended.is_some() || self.try_next().is_some() {
            return false;
        }
        let Descriptor { ring, fd } = &*self.descriptor;
        match &mut self.handle {
            Some(handle) => handle.poll_end(false).is_pending(),
            None => ring.is_quiet(*fd),
        }
    }

    /// Disarms the receive and gives what it has brought. What comes later stays in the socket.
    ///
    /// Dropping the future loses nothing: [`Self::next`] gives what was received.
    pub async fn stop(&mut self) -> Vec<RecvBuf> {
        if let Some(handle) = &mut self.handle {
            handle.cancel();
            let poll = |stream: &mut Self| match &mut stream.handle {
                Some(handle) => handle.poll_end(true).map(drop),
                None => Poll::Ready(()),
            };
            Wait { stream: self, pending: false, poll }.await;
        }
        let mut taken = Vec::new();
        while let Some((cqe, received)) = self.take_one() {
            if let Some(mut piece) = received {
                piece.detach_if_scarce();
                taken.push(piece);
            }
            self.note_end(&cqe);
        }
        taken
    }

    /// Takes one CQE of the armed receive, with the data it brought.
    fn take_one(&mut self) -> Option<(Cqe, Option<RecvBuf>)> {
        let handle = self.handle.as_mut()?;
        let Poll::Ready((cqe, end)) = handle.poll() else { return None };
        let received = if cqe.is_spill() {
            Some(handle.take_spilled())
        } else {
            self.descriptor.ring.received(end.as_ref(), &cqe)
        };
        if end.is_some() {
            self.handle = None;
        }
        Some((cqe, received.filter(|buf| !buf.is_empty())))
    }

    fn note_end(&mut self, cqe: &Cqe) {
        if let Some(ended) = Ended::by(cqe) {
            self.ended = Some(ended);
        } else if cqe.result == -libc::ENOBUFS {
            self.descriptor.ring.found_no_buffer(GROUP_RECV);
        }
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
            if self.handle.is_none() {
                if !wait || !self.descriptor.ring.recv_buf_free_or_wait() {
                    return Poll::Pending;
                }
                self.arm();
            }
            match self.take_one() {
                Some((_, Some(piece))) => return Poll::Ready(Ok(piece)),
                Some((cqe, None)) => self.note_end(&cqe),
                None => return Poll::Pending,
            }
        }
    }
}

impl Ended {
    /// How `cqe`, which brought no data, ends the stream; `None`: only this receive is over.
    fn by(cqe: &Cqe) -> Option<Self> {
        match -cqe.result {
            0 => Some(Self::Closed),
            ..0 | libc::ENOBUFS | libc::ECANCELED | libc::EINTR | libc::EAGAIN => None,
            errno => Some(Self::Failed(errno)),
        }
    }

    fn is_failure(self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

/// Waits for something of a stream. While it does, what the armed receive brings stays in its buffer,
/// because it will be taken at once; not so when this is dropped before its end.
struct Wait<'a, F> {
    stream: &'a mut RecvStream,
    pending: bool,
    poll: F,
}

impl<T, F: FnMut(&mut RecvStream) -> Poll<T> + Unpin> Future for Wait<'_, F> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let this = self.get_mut();
        let polled = (this.poll)(this.stream);
        this.pending = polled.is_pending();
        polled
    }
}

impl<F> Drop for Wait<'_, F> {
    fn drop(&mut self) {
        if let (true, Some(handle)) = (self.pending, &mut self.stream.handle) {
            handle.unawait();
        }
    }
}

/// A connection that was accepted.
pub type Accepted = Socket;

/// Connections of a listening socket, by a multishot accept that stays armed.
pub struct AcceptStream {
    // Before the listener, so that the accept is cancelled before the close.
    handle: Option<Handle>,
    listener: Descriptor,
}

impl AcceptStream {
    /// Accepts from `listener`, which it closes when dropped.
    pub fn new(ring: &Ring, listener: impl Into<OwnedFd>) -> Self {
        let listener = listener.into();
        // An accept on a listener that does not block fails at once when nobody has connected. This
        // fails for no descriptor that listens.
        let _ = rustix::io::ioctl_fionbio(&listener, false);
        let listener = Descriptor { ring: ring.clone(), fd: listener.into_raw_fd() };
        Self { handle: None, listener }
    }

    /// The next connection.
    ///
    /// # Errors
    /// What `accept(2)` says, `EMFILE` among it. Asking again tries again: wait a little first.
    pub async fn next(&mut self) -> io::Result<Accepted> {
        std::future::poll_fn(|_| {
            loop {
                let Descriptor { ring, fd } = &self.listener;
                let handle = self.handle.get_or_insert_with(|| ring.start(Op::Accept { fd: *fd }));
                let (cqe, op) = match handle.poll() {
                    Poll::Ready(completion) => completion,
                    Poll::Pending => return Poll::Pending,
                };
                if op.is_some() {
                    self.handle = None;
                }
                match cqe.result {
                    fd if fd >= 0 => return Poll::Ready(Ok(Socket::new(ring, fd))),
                    failed => match -failed {
                        // The client went away before it was accepted, or `pause` has ended.
                        libc::ECONNABORTED | libc::EINTR | libc::ECANCELED => {}
                        _ => return Poll::Ready(Err(cqe.error())),
                    },
                }
            }
        })
        .await
    }

    /// Disarms the accept until [`Self::next`]: new connections wait in the listen queue. Those that
    /// have been accepted already wait too.
    pub fn pause(&mut self) {
        if let Some(handle) = &mut self.handle {
            handle.cancel();
        }
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
