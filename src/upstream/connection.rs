//! One client connection to an integration: bytes in plain or through TLS.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use crate::limits::POSTED_BYTES_MAX;
use crate::ring::{Either, RecvBuf, RecvStream, Ring, SendBuf, Socket, select};
use crate::time::Nanos;
use crate::tls::ClientTls;

/// A connection to an integration.
pub struct Connection {
    recv: RecvStream,
    socket: Socket,
    tls: Option<Box<ClientTls>>,
    /// Received before the receive was stopped, not read yet; the last comes first.
    held: Vec<RecvBuf>,
    /// The multishot receive is disarmed: large buffers are used.
    bulk: bool,
    /// Whether it has carried a request before.
    pub reused: bool,
    /// When it became idle.
    pub(super) idle_since: Nanos,
    _open: Open,
}

/// Counts a connection for as long as it lives.
pub(super) struct Open(Rc<Cell<u64>>);

impl Open {
    pub(super) fn new(count: &Rc<Cell<u64>>) -> Self {
        count.set(count.get() + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Connection {
    /// Connects to `addr`; with `tls`, also shakes hands.
    ///
    /// # Errors
    /// What connect says, or why the peer's TLS is not acceptable.
    pub(super) async fn open(
        ring: &Ring,
        addr: SocketAddr,
        tls: Option<(Arc<rustls::ClientConfig>, &str)>,
        open: Open,
    ) -> io::Result<Self> {
        let socket = Socket::connect(ring, addr).await?;
        let mut connection = Self {
            recv: socket.recv_stream(),
            socket,
            tls: None,
            held: Vec::new(),
            bulk: false,
            reused: false,
            idle_since: Nanos(0),
            _open: open,
        };
        if let Some((config, host)) = tls {
            let session = ClientTls::new(config, host).map_err(io::Error::other)?;
            connection.shake_hands(Box::new(session)).await?;
        }
        connection.recv.arm();
        Ok(connection)
    }

    async fn shake_hands(&mut self, mut tls: Box<ClientTls>) -> io::Result<()> {
        let mut out = Vec::new();
        let mut early = Vec::new();
        while tls.handshaking() {
            tls.pending(&mut out);
            if !out.is_empty() {
                let (result, buf) =
                    self.socket.send_all(SendBuf::from_vec(std::mem::take(&mut out))).await;
                out = buf.head;
                out.clear();
                result?;
                continue;
            }
            let piece = self.recv.next().await?;
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Err(error) = tls.receive(&piece, &mut early) {
                // Tell the peer why, as far as it still listens.
                tls.pending(&mut out);
                if !out.is_empty() {
                    let _ = self.socket.send_all(SendBuf::from_vec(out)).await;
                }
                return Err(io::Error::other(error));
            }
        }
        tls.pending(&mut out);
        if !out.is_empty() {
            self.socket.send_all(SendBuf::from_vec(out)).await.0?;
        }
        if !early.is_empty() {
            self.held.push(RecvBuf::from_vec(early));
        }
        self.tls = Some(tls);
        Ok(())
    }

    /// Sends all of `buf`; its memory comes back.
    ///
    /// # Errors
    /// The peer is gone.
    pub async fn send(&mut self, buf: SendBuf) -> (io::Result<()>, Vec<u8>) {
        let Some(tls) = &mut self.tls else {
            let (result, buf) = self.socket.send_all(buf).await;
            return (result, buf.head);
        };
        let mut sealed = Vec::with_capacity(buf.len() + 1_024);
        tls.seal(&buf.head, &mut sealed);
        if let crate::ring::Tail::Received(tail) = &buf.tail {
            tls.seal(tail, &mut sealed);
        }
        let (result, _) = self.socket.send_all(SendBuf::from_vec(sealed)).await;
        (result, buf.head)
    }

    /// Hands `buf` over and does not wait for it if it is small; then [`Self::take_settled`] tells later
    /// whether it has left. The last that is sent before an answer is read.
    ///
    /// # Errors
    /// The peer is gone; of what was posted [`Self::read`] tells it.
    pub async fn post(&mut self, buf: SendBuf) -> (io::Result<()>, Vec<u8>) {
        if self.tls.is_some() || buf.is_empty() || buf.len() > POSTED_BYTES_MAX {
            return self.send(buf).await;
        }
        self.socket.post(buf);
        (Ok(()), Vec::new())
    }

    /// The head of what was posted if it has been sent; an empty one if nothing was.
    pub fn take_settled(&mut self) -> Option<Vec<u8>> {
        match self.socket.poll_settled() {
            Poll::Ready((Ok(()), head)) => Some(head),
            Poll::Ready((Err(_), _)) | Poll::Pending => None,
        }
    }

    /// Waits for what was posted, and gives its head back whether it has been sent or not.
    pub async fn settled(&mut self) -> Vec<u8> {
        self.socket.settled().await.1
    }

    /// Sends all of `buf` unless the peer answers before it is sent: then what it answered is kept for
    /// the next [`Self::read`], and sending ends. `true`: all was sent.
    ///
    /// # Errors
    /// The peer is gone.
    pub async fn send_until_answered(&mut self, buf: SendBuf) -> (io::Result<bool>, Vec<u8>) {
        if self.tls.is_some() {
            let (result, memory) = self.send(buf).await;
            return (result.map(|()| true), memory);
        }
        // The armed receive loses nothing when the send ends first.
        self.end_bulk();
        match select(self.socket.send_all(buf), self.recv.next()).await {
            Either::Left((result, buf)) => (result.map(|()| true), buf.head),
            Either::Right(piece) => {
                // An end or an error shows again at the next read.
                self.unread(piece.unwrap_or_default());
                (Ok(false), Vec::new())
            }
        }
    }

    /// The next piece of what the peer sends; empty: it has ended its side.
    ///
    /// # Errors
    /// The connection was reset, or TLS was cut off or broken.
    pub async fn read(&mut self) -> io::Result<RecvBuf> {
        loop {
            if let Some(piece) = self.held.pop() {
                return Ok(piece);
            }
            let piece = if self.bulk {
                self.recv.next_bulk().await?
            } else {
                match select(self.recv.next(), self.socket.post_failed()).await {
                    Either::Left(piece) => piece?,
                    Either::Right(()) => return Err(io::ErrorKind::BrokenPipe.into()),
                }
            };
            let Some(tls) = &mut self.tls else { return Ok(piece) };
            if piece.is_empty() {
                tls.end().map_err(io::Error::other)?;
                return Ok(piece);
            }
            let mut plain = Vec::with_capacity(piece.len());
            let received = tls.receive(&piece, &mut plain).map_err(io::Error::other)?;
            if !plain.is_empty() || received.closed {
                return Ok(RecvBuf::from_vec(plain));
            }
        }
    }

    /// Gives back the rest of a piece that is not wanted now: the next read yields it.
    pub fn unread(&mut self, piece: RecvBuf) {
        if !piece.is_empty() {
            self.held.push(piece);
        }
    }

    /// Switches to large one-shot receives: nothing is received but what is asked for, so a slow reader
    /// on the other side stops this one.
    pub async fn begin_bulk(&mut self) {
        if self.bulk {
            return;
        }
        let mut pieces = self.recv.stop().await;
        if let Some(tls) = &mut self.tls {
            let mut plain = Vec::new();
            for piece in pieces.drain(..) {
                // A broken record shows again at the next read: rustls stays in its error.
                let _ = tls.receive(&piece, &mut plain);
            }
            if !plain.is_empty() {
                pieces.push(RecvBuf::from_vec(plain));
            }
        }
        // What was held came before what the stop brought.
        pieces.reverse();
        pieces.append(&mut self.held);
        self.held = pieces;
        self.bulk = true;
    }

    /// Back to the armed receive, which suits heads and small answers.
    pub fn end_bulk(&mut self) {
        if self.bulk {
            self.bulk = false;
            self.recv.arm();
        }
    }

    /// Whether the connection is still silent and open, as an idle one has to be.
    pub(super) fn is_silent(&mut self) -> bool {
        self.held.is_empty() && self.recv.is_silent()
    }
}
