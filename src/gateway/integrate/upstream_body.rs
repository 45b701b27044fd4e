//! The body of an integration's answer on its way to the client.

use std::time::Duration;

use crate::gateway::Env;
use crate::http::BodyDecoder;
use crate::limits::{BULK_THRESHOLD_BYTES, COPIED_BODY_BYTES_MAX};
use crate::ring::{Either, RecvBuf, Timer, select};
use crate::time::Nanos;
use crate::upstream::{Connection, Target};
use std::sync::Arc;

/// Why a body ended before its end. The client's answer is cut off: its head may have left already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// The connection to the integration broke, or its framing did.
    Broken,
    /// The integration's time was over.
    TimedOut,
    /// It became larger than the limit.
    TooLarge,
}

/// An answer's body that is being read.
pub struct UpstreamBody {
    target: Arc<Target>,
    connection: Option<Box<Connection>>,
    decoder: BodyDecoder,
    /// Received and not decoded.
    piece: RecvBuf,
    keep: bool,
    timer: Timer,
    deadline: Nanos,
    /// When the client began to be waited for: that time is not the integration's.
    paused_at: Option<Nanos>,
    total: u64,
    limit: u64,
    /// When the request was sent.
    started_at: Nanos,
}

impl UpstreamBody {
    /// A body of which `piece` has been received. `keep`: the connection may carry another request
    /// when the body was read to its end.
    #[allow(clippy::too_many_arguments, reason = "one caller; every part is a different thing")]
    pub(super) fn new(
        target: &Arc<Target>,
        connection: Box<Connection>,
        decoder: BodyDecoder,
        piece: RecvBuf,
        keep: bool,
        timer: Timer,
        deadline: Nanos,
        limit: u64,
        started_at: Nanos,
    ) -> Self {
        Self {
            target: Arc::clone(target),
            connection: Some(connection),
            decoder,
            piece,
            keep,
            timer,
            deadline,
            paused_at: None,
            total: 0,
            limit,
            started_at,
        }
    }

    /// Whether the whole body has been handed out.
    pub fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// Whether the rest of the body has been received already, by what its framing says, and is so short
    /// that copying it behind the head is cheaper than sending it from where it is.
    pub(super) fn is_small_and_here(&self) -> bool {
        let here = self.piece.len().min(COPIED_BODY_BYTES_MAX) as u64;
        self.decoder.remaining().is_some_and(|rest| rest <= here)
    }

    /// From now on the body must not be larger than this, bytes.
    pub(super) fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// Largest body, bytes.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Time from sending the request until now.
    pub fn latency(&self, env: &Env) -> Duration {
        env.ring.now().since(self.started_at)
    }

    /// The next piece; `None`: the body has ended, and the connection went back to its pool.
    ///
    /// # Errors
    /// The body cannot be completed.
    pub async fn next(&mut self, env: &Env) -> Result<Option<RecvBuf>, Interrupted> {
        if let Some(paused_at) = self.paused_at.take() {
            self.deadline = self.deadline.after(env.ring.now().since(paused_at));
        }
        loop {
            if let Some(data) = self.decode()? {
                self.paused_at = Some(env.ring.now());
                // The client may take its time with it.
                self.piece.detach_if_scarce();
                if self.is_done() {
                    self.release(env);
                }
                return Ok(Some(data));
            }
            if self.is_done() {
                self.release(env);
                return Ok(None);
            }
            let Some(connection) = &mut self.connection else { return Err(Interrupted::Broken) };
            if self.decoder.remaining().is_none_or(|bytes| bytes > BULK_THRESHOLD_BYTES) {
                connection.begin_bulk().await;
            }
            self.timer.set(self.deadline);
            let read = match select(connection.read(), self.timer.fired()).await {
                Either::Left(read) => read,
                Either::Right(()) => return Err(Interrupted::TimedOut),
            };
            let piece = read.map_err(|_| Interrupted::Broken)?;
            if piece.is_empty() {
                self.keep = false;
                self.decoder.end_of_input().map_err(|_| Interrupted::Broken)?;
                self.release(env);
                return Ok(None);
            }
            self.piece = piece;
        }
    }

    fn decode(&mut self) -> Result<Option<RecvBuf>, Interrupted> {
        while !self.piece.is_empty() && !self.decoder.is_done() {
            let decoded = self.decoder.decode(&self.piece).map_err(|_| Interrupted::Broken)?;
            let data = self.piece.slice(decoded.data);
            self.piece.advance(decoded.consumed);
            if !data.is_empty() {
                self.total += data.len() as u64;
                if self.total > self.limit {
                    return Err(Interrupted::TooLarge);
                }
                return Ok(Some(data));
            }
            if decoded.consumed == 0 {
                break;
            }
        }
        Ok(None)
    }

    /// The body was read to its end: the connection goes back, if it may carry another request.
    pub(super) fn release(&mut self, env: &Env) {
        let Some(connection) = self.connection.take() else { return };
        // Bytes after the end belong to no request of ours.
        if self.keep && self.piece.is_empty() {
            let large = self.total > BULK_THRESHOLD_BYTES;
            env.upstreams.keep(&self.target, connection, large);
        }
    }
}
