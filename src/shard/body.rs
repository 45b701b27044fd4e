//! The client of an exchange over HTTP/1.1: its connection's input, decoded.

use std::rc::Rc;
use std::task::Poll;

use super::connection::Counted;
use super::state::Shard;
use crate::gateway::find_api::HostMemo;
use crate::gateway::{Client, Exchange, GatewayError, HeadBytes, Peer};
use crate::http::{BodyDecoder, encode};
use crate::limits::{BULK_THRESHOLD_BYTES, POSTED_BYTES_MAX, SEND_PIECE_BYTES_MAX, time_to_take};
use crate::ring::{Either, RecvBuf, RecvStream, SendBuf, Socket, Timer, select};
use crate::telemetry::TimeoutKind;
use crate::time::Nanos;

/// One client connection's two directions.
pub(super) struct Link {
    pub(super) shard: Rc<Shard>,
    pub(super) recv: RecvStream,
    pub(super) socket: Socket,
    /// The client.
    pub(super) peer: Peer,
    /// Received and not used.
    pub(super) input: RecvBuf,
    /// Received by a stopped receive, to be read after `input`; the last comes first.
    pub(super) held: Vec<RecvBuf>,
    /// Answers that wait to be sent.
    pub(super) out: Vec<u8>,
    pub(super) timer: Timer,
    /// The current request's body.
    pub(super) body: BodyDecoder,
    /// `100 Continue` is owed before the body is read.
    pub(super) owes_continue: bool,
    /// The body has to be read to its end by then; set with its first read.
    pub(super) body_by: Option<Nanos>,
    /// The next request has to begin by then.
    pub(super) idle_by: Nanos,
    /// No request has come yet.
    pub(super) fresh: bool,
    /// The multishot receive is disarmed: large buffers are used.
    pub(super) bulk: bool,
    /// The current request's body is one for large buffers.
    pub(super) large: bool,
    /// Nobody is left to answer.
    pub(super) gone: bool,
    /// Whose requests come over it.
    pub(super) host: HostMemo,
    pub(super) _counted: Counted,
}

impl Link {
    /// Posts what waits in `out`, then `tail`, an answer's last bytes: it leaves while the next request is
    /// waited for. What is large is sent. `false`: the client is gone or does not read.
    pub(super) async fn post(&mut self, tail: RecvBuf) -> bool {
        let len = self.out.len() + tail.len();
        if len == 0 || len > POSTED_BYTES_MAX {
            return self.flush(tail).await;
        }
        if !self.settle().await {
            return false;
        }
        self.release_if_scarce();
        self.shard.cells.bytes_out.add(len as u64);
        let buf = SendBuf::with_tail(std::mem::take(&mut self.out), tail);
        self.socket.post(buf.giving_memory());
        true
    }

    /// Waits until what was posted has been sent. `false`: the client is gone or does not read.
    pub(super) async fn settle(&mut self) -> bool {
        // As a rule it has been when the next request began: nothing to wait for, and no timer.
        let settled = match self.socket.poll_settled() {
            Poll::Ready(settled) => Some(settled),
            Poll::Pending => {
                let limit = self.shard.limits.send_timeout;
                let time = limit.map(|time| time_to_take(time, POSTED_BYTES_MAX));
                self.timer.set(self.shard.deadline(time));
                match select(self.socket.settled(), self.timer.fired()).await {
                    Either::Left(settled) => Some(settled),
                    Either::Right(()) => None,
                }
            }
        };
        match settled {
            Some((result, memory)) => {
                self.gone |= result.is_err();
                self.take_memory(memory);
            }
            None => {
                self.shard.cells.timed_out(TimeoutKind::Send);
                self.gone = true;
            }
        }
        !self.gone
    }

    /// Gets memory for what is sent next, that of what was posted if it comes back.
    pub(super) fn reuse_memory(&mut self) {
        if let Poll::Ready((Ok(()), memory)) = self.socket.poll_settled() {
            self.take_memory(memory);
        }
        if self.out.capacity() == 0 {
            self.out = self.shard.take_buffer();
        }
    }

    fn take_memory(&mut self, mut memory: Vec<u8>) {
        if memory.capacity() == 0 {
            return;
        }
        if self.out.capacity() == 0 {
            memory.clear();
            self.out = memory;
        } else {
            self.shard.keep_buffer(memory);
        }
    }

    /// Sends what waits in `out`, then `tail`. `false`: the client is gone or does not read.
    pub(super) async fn flush(&mut self, tail: RecvBuf) -> bool {
        if !self.settle().await {
            return false;
        }
        if self.out.is_empty() && tail.is_empty() {
            return !self.gone;
        }
        self.release_if_scarce();
        if self.out.len() > SEND_PIECE_BYTES_MAX {
            // Of such an answer the copies are the smaller part.
            let out = std::mem::take(&mut self.out);
            Box::pin(self.send_in_pieces(&out)).await;
            if self.gone || tail.is_empty() {
                return !self.gone;
            }
        }
        let out = std::mem::take(&mut self.out);
        self.send(SendBuf::with_tail(out, tail)).await
    }

    /// Sends `bytes` so that the client has the send timeout for each piece: one send completes when all
    /// of it was taken, and a slow client may need longer for a large answer although it never stops.
    async fn send_in_pieces(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(SEND_PIECE_BYTES_MAX) {
            let mut memory = std::mem::take(&mut self.out);
            memory.extend_from_slice(piece);
            if !self.send(SendBuf::from_vec(memory)).await {
                return;
            }
        }
    }

    /// One send; `out` gets the memory of `buf` back.
    async fn send(&mut self, buf: SendBuf) -> bool {
        self.shard.cells.bytes_out.add(buf.len() as u64);
        let deadline = self.shard.limits.send_timeout.map_or(Nanos::NEVER, |time| {
            self.shard.ring().now().after(time_to_take(time, buf.len()))
        });
        self.timer.set(deadline);
        match select(self.socket.send_all(buf), self.timer.fired()).await {
            Either::Left((result, mut buf)) => {
                buf.head.clear();
                self.out = buf.head;
                self.gone |= result.is_err();
            }
            Either::Right(()) => {
                self.shard.cells.timed_out(TimeoutKind::Send);
                self.gone = true;
            }
        }
        !self.gone
    }

    /// The next piece of input, whatever it is; empty: the client has ended its side.
    pub(super) async fn receive(&mut self) -> std::io::Result<RecvBuf> {
        if !self.input.is_empty() {
            return Ok(std::mem::take(&mut self.input));
        }
        if let Some(piece) = self.held.pop() {
            return Ok(piece);
        }
        let piece = if self.bulk { self.recv.next_bulk().await? } else { self.recv.next().await? };
        self.shard.cells.bytes_in.add(piece.len() as u64);
        Ok(piece)
    }

    /// Whether input is here that belongs to what comes after the current request.
    pub(super) fn has_input(&self) -> bool {
        !self.input.is_empty() || !self.held.is_empty()
    }

    /// Gives shared receive buffers back if they are running out: whoever is waited for next may be slow.
    fn release_if_scarce(&mut self) {
        self.input.detach_if_scarce();
        self.held.iter_mut().for_each(RecvBuf::detach_if_scarce);
    }

    fn decode(&mut self) -> Result<Option<RecvBuf>, GatewayError> {
        while !self.input.is_empty() && !self.body.is_done() {
            let decoded = self.body.decode(&self.input).map_err(GatewayError::MalformedBody)?;
            let data = self.input.slice(decoded.data);
            self.input.advance(decoded.consumed);
            if !data.is_empty() {
                return Ok(Some(data));
            }
            if decoded.consumed == 0 {
                break;
            }
        }
        Ok(None)
    }

    /// Reads and drops what is left of the body if it is here already; `true`: the body is at its end.
    pub(super) fn skip_received_body(&mut self) -> bool {
        loop {
            match self.decode() {
                Ok(Some(_)) => {}
                Ok(None) if self.body.is_done() => return true,
                Ok(None) => match self.held.pop() {
                    Some(piece) => self.input = piece,
                    None => return false,
                },
                Err(_) => return false,
            }
        }
    }

    async fn begin_bulk(&mut self) {
        if self.bulk {
            return;
        }
        let mut pieces = self.recv.stop().await;
        pieces.reverse();
        pieces.append(&mut self.held);
        self.held = pieces;
        self.bulk = true;
    }

    /// A request begins, whose body `body` decodes.
    pub(super) fn begin_body(&mut self, body: BodyDecoder, owes_continue: bool) {
        self.large = body.remaining().is_none_or(|bytes| bytes > BULK_THRESHOLD_BYTES);
        self.body = body;
        self.body_by = None;
        self.owes_continue = owes_continue;
    }

    /// Back to the armed receive, unless the body was large: then the next one probably is too, and would
    /// else arrive in many small pieces before its head is read.
    pub(super) fn end_body(&mut self) {
        if self.bulk && !self.large {
            self.bulk = false;
            self.recv.arm();
        }
    }

    /// What the client sends next, a request's first bytes; empty: it has ended.
    pub(super) async fn first_bytes(recv: &mut RecvStream, bulk: bool) -> std::io::Result<RecvBuf> {
        if bulk { recv.next_bulk().await } else { recv.next().await }
    }
}

impl Client for Link {
    fn has_body(&self) -> bool {
        !self.body.is_done()
    }

    fn body_remaining(&self) -> Option<u64> {
        self.body.remaining()
    }

    fn is_gone(&self) -> bool {
        self.gone
    }

    async fn ask_for_body(&mut self) {
        if self.owes_continue {
            self.owes_continue = false;
            self.out.extend_from_slice(encode::CONTINUE);
            self.flush(RecvBuf::default()).await;
        }
    }

    fn received_body(&mut self) -> Result<Option<RecvBuf>, GatewayError> {
        let data = self.decode()?;
        if data.is_some() {
            self.owes_continue = false;
            // The integration may take its time with it.
            self.release_if_scarce();
        } else if self.body.is_done() {
            self.end_body();
        }
        Ok(data)
    }

    async fn read_body(&mut self) -> Result<Option<RecvBuf>, GatewayError> {
        loop {
            if let Some(data) = self.received_body()? {
                return Ok(Some(data));
            }
            if self.body.is_done() {
                return Ok(None);
            }
            self.ask_for_body().await;
            if self.gone {
                return Err(GatewayError::BadRequest("the client has gone"));
            }
            if self.body.remaining().is_none_or(|bytes| bytes > BULK_THRESHOLD_BYTES) {
                self.begin_bulk().await;
            }
            let now = self.shard.ring().now();
            let limits = &self.shard.limits;
            let body_by = *self.body_by.get_or_insert_with(|| {
                limits.body_timeout.map_or(Nanos::NEVER, |time| now.after(time))
            });
            let read_by = limits.body_read_timeout.map_or(Nanos::NEVER, |time| now.after(time));
            let mut timer = self.shard.ring().timer();
            timer.set(read_by.min(body_by));
            match select(self.receive(), timer.fired()).await {
                Either::Left(Ok(piece)) if !piece.is_empty() => self.input = piece,
                Either::Left(_) => {
                    self.gone = true;
                    return Err(GatewayError::BadRequest("the client has gone"));
                }
                Either::Right(()) => {
                    let stopped = read_by < body_by;
                    let kind = if stopped { TimeoutKind::BodyRead } else { TimeoutKind::Body };
                    self.shard.cells.timed_out(kind);
                    return Err(GatewayError::RequestTimeout);
                }
            }
        }
    }

    async fn reset(&mut self) {
        self.recv.reset().await;
        self.gone = true;
    }

    async fn prepare_to_wait(&mut self, exchange: &mut Exchange) {
        if let HeadBytes::Leased(bytes) = &exchange.head_bytes {
            let mut owned = self.shard.take_buffer();
            owned.extend_from_slice(bytes);
            exchange.head_bytes = HeadBytes::Owned(owned);
        }
        if self.body.is_done() {
            // Of the next requests: they wait for as long as this one does.
            self.input.detach();
            self.held.iter_mut().for_each(RecvBuf::detach);
        } else {
            self.release_if_scarce();
        }
        self.flush(RecvBuf::default()).await;
    }
}
