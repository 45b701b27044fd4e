//! One client connection over HTTP/1.1: heads in, answers out, one request at a time, in order.
//!
//! ```text
//!        ┌──────────────────────── keep-alive ────────────────────────┐
//!        ▼                                                            │
//!  wait for bytes ──▶ read the head ──▶ gateway::respond ──▶ write ───┤
//!        │                 │                                          │
//!        └── idle, closed  └── refused: answer, linger, close ◀───────┘ Connection: close
//! ```
//!
//! Answers to requests that came together leave together: the output is sent when no whole request is
//! left in the input, when it is full, or before a wait for anybody else.

use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use super::body::Link;
use super::state::Shard;
use super::write::{self, BodyFraming};
use crate::gateway::find_api::HostMemo;
use crate::gateway::{self, Client, Exchange, GatewayError, HeadBytes, Peer, UpstreamBody};
use crate::http::{BodyDecoder, HeadError, HeadScan, encode};
use crate::limits::{LINGER_QUIET_TIME, LINGER_TIME, PIPELINED_RESPONSE_BYTES_MAX};
use crate::ring::{Either, RecvBuf, Socket, select};
use crate::telemetry::TimeoutKind;
use crate::time::Nanos;

/// A connection that has been without a request for this time is parked in a task of little memory.
const PARK_AFTER: Duration = Duration::from_millis(100);

/// Time that a new connection has for its first bytes once the shard drains.
const DRAIN_GRACE: Duration = Duration::from_millis(250);

/// Serves a connection until it ends.
///
/// One that is idle is a small task with a [`Link`] and a wait; serving a request takes some KiB of state
/// more. So a connection changes to a larger task when bytes come, and back after [`PARK_AFTER`].
pub(super) fn start(shard: &Rc<Shard>, socket: Socket) {
    let counted = Counted::new(shard);
    let Ok(names) = socket.names() else { return };
    let link = Link {
        recv: socket.recv_stream(),
        socket,
        peer: Peer { ip: names.peer.ip().to_canonical(), local_port: names.local.port() },
        input: RecvBuf::default(),
        held: Vec::new(),
        out: Vec::new(),
        timer: shard.ring().timer(),
        body: BodyDecoder::none(),
        owes_continue: false,
        body_by: None,
        idle_by: shard.deadline(shard.limits.first_byte_timeout),
        fresh: true,
        bulk: false,
        large: false,
        gone: false,
        host: HostMemo::default(),
        shard: Rc::clone(shard),
        _counted: counted,
    };
    shard.ring().spawn(idle(Box::new(link)));
}

/// Counts a connection for as long as it lives.
pub(super) struct Counted(Rc<Shard>);

impl Counted {
    fn new(shard: &Rc<Shard>) -> Self {
        shard.connections.set(shard.connections.get() + 1);
        Self(Rc::clone(shard))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.set(self.0.connections.get() - 1);
    }
}

/// Waits for bytes, for as long as the client may be idle. Polled by hand: 10 000 of these wait at a
/// time, and nested futures would each hold their own state.
async fn idle(mut link: Box<Link>) {
    link.timer.set(link.idle_by.min(link.shard.drain_by()));
    let mut drains = false;
    let came = std::future::poll_fn(|_| {
        if let Poll::Ready(received) = link.recv.poll_piece() {
            return Poll::Ready(received.ok().filter(|piece| !piece.is_empty()));
        }
        if link.timer.has_fired() {
            if !drains {
                timed_out(&link);
            }
            return Poll::Ready(None);
        }
        if link.shard.is_draining() && !drains {
            if !link.fresh {
                return Poll::Ready(None);
            }
            // A client that has just connected has probably sent its request already.
            drains = true;
            let grace = link.shard.ring().now().after(DRAIN_GRACE);
            link.timer.set(grace.min(link.shard.drain_by()));
        }
        Poll::Pending
    });
    if let Some(piece) = came.await {
        link.shard.cells.bytes_in.add(piece.len() as u64);
        link.input = piece;
        let ring = link.shard.ring().clone();
        ring.spawn(serve(link));
    }
}

fn timed_out(link: &Link) {
    link.shard.cells.timed_out(match link.fresh {
        true => TimeoutKind::FirstByte,
        false => TimeoutKind::Idle,
    });
}

/// What came of reading a head.
enum Head {
    Complete,
    /// The client ended, or said nothing for too long.
    End,
    Refused(GatewayError),
}

/// What becomes of the connection after an answer.
enum Then {
    NextRequest,
    Close,
    /// The client may still be sending: closing at once could destroy the answer on its way.
    Linger,
}

async fn serve(mut link: Box<Link>) {
    link.out = link.shard.take_buffer();
    loop {
        if !link.has_input() {
            match wait_for_input(&mut link).await {
                Input::Here => {}
                Input::Later if link.settle().await => {
                    // A connection without a request holds no output buffer.
                    let ring = link.shard.ring().clone();
                    link.shard.keep_buffer(std::mem::take(&mut link.out));
                    return ring.spawn(idle(link));
                }
                Input::Later => break,
                Input::Never => break,
            }
        }
        link.fresh = false;
        let shard = Rc::clone(&link.shard);
        let mut exchange = shard.take_exchange();
        exchange.peer.clone_from(&link.peer);
        exchange.received_at = shard.ring().now();
        exchange.received_wall = shard.ring().wall();
        exchange.ids = shard.next_ids();
        let then = one_request(&mut link, &mut exchange).await;
        if let HeadBytes::Owned(bytes) = std::mem::take(&mut exchange.head_bytes) {
            shard.keep_buffer(bytes);
        }
        shard.keep_exchange(exchange);
        match then {
            Then::NextRequest => {
                let full = link.out.len() >= PIPELINED_RESPONSE_BYTES_MAX;
                if (full || !link.has_input()) && !link.post(RecvBuf::default()).await {
                    break;
                }
            }
            Then::Close => {
                link.flush(RecvBuf::default()).await;
                break;
            }
            Then::Linger => {
                if link.flush(RecvBuf::default()).await {
                    linger(&mut link).await;
                }
                break;
            }
        }
    }
    if !link.gone {
        // A client that has ended its side may still be reading.
        link.settle().await;
    }
    let out = std::mem::take(&mut link.out);
    link.shard.keep_buffer(out);
}

/// What came of waiting for a request.
enum Input {
    Here,
    /// Nothing came for [`PARK_AFTER`].
    Later,
    /// The client has gone or was idle for too long, or the shard drains.
    Never,
}

/// Waits a little for the first bytes of the next request.
async fn wait_for_input(link: &mut Link) -> Input {
    let shard = Rc::clone(&link.shard);
    shard.keep_buffer(std::mem::take(&mut link.out));
    link.idle_by = shard.deadline(shard.limits.idle_timeout);
    // A receive into a large buffer cannot be given up without losing what is just arriving.
    let park_at = if link.bulk { Nanos::NEVER } else { shard.ring().now().after(PARK_AFTER) };
    link.timer.set(link.idle_by.min(park_at));
    let waited = {
        let received = Link::first_bytes(&mut link.recv, link.bulk);
        let ended = select(shard.drained(), link.socket.post_failed());
        select(received, select(link.timer.fired(), ended)).await
    };
    match waited {
        Either::Left(Ok(piece)) if !piece.is_empty() => {
            shard.cells.bytes_in.add(piece.len() as u64);
            link.input = piece;
            link.reuse_memory();
            Input::Here
        }
        Either::Right(Either::Left(())) if shard.ring().now() < link.idle_by => Input::Later,
        Either::Right(Either::Left(())) => {
            timed_out(link);
            Input::Never
        }
        _ => Input::Never,
    }
}

/// Reads a head into the exchange. What comes after it stays in the link's input.
async fn read_head(link: &mut Link, exchange: &mut Exchange) -> Head {
    let shard = Rc::clone(&link.shard);
    let mut scan = HeadScan::default();
    let mut gathered: Option<Vec<u8>> = None;
    if link.input.is_empty() {
        link.input = link.held.pop().unwrap_or_default();
    }
    loop {
        let bytes: &[u8] = gathered.as_deref().unwrap_or(&link.input);
        match exchange.head.parse(bytes, &mut scan, &shard.head_limits) {
            Ok(true) => break,
            Ok(false) => {}
            Err(error) => {
                shard.cells.head_errors.increment();
                exchange.head_bytes = HeadBytes::None;
                return Head::Refused(refusal(error, &shard));
            }
        }
        // In pieces: they are put together in memory of our own, and the shared buffers go back.
        if gathered.is_none() {
            let mut buffer = shard.take_buffer();
            buffer.extend_from_slice(&link.input);
            link.input = RecvBuf::default();
            gathered = Some(buffer);
            if !link.flush(RecvBuf::default()).await {
                return Head::End;
            }
            shard.set_timer(&mut link.timer, shard.limits.head_timeout);
        }
        match select(link_receive(link), wait_head(&shard, exchange)).await {
            Either::Left(Ok(piece)) if !piece.is_empty() => {
                if let Some(buffer) = &mut gathered {
                    buffer.extend_from_slice(&piece);
                }
            }
            Either::Left(_) => return Head::End,
            Either::Right(()) => {
                shard.cells.timed_out(TimeoutKind::Head);
                return Head::Refused(GatewayError::RequestTimeout);
            }
        }
    }
    let len = exchange.head.len as usize;
    match gathered {
        None => {
            exchange.head_bytes = HeadBytes::Leased(link.input.slice(0..len));
            link.input.advance(len);
        }
        Some(mut bytes) => {
            if bytes.len() > len {
                link.input = RecvBuf::from_vec(bytes.split_off(len));
            }
            exchange.head_bytes = HeadBytes::Owned(bytes);
        }
    }
    if link.input.is_empty() {
        link.input = RecvBuf::default();
    }
    Head::Complete
}

async fn link_receive(link: &mut Link) -> std::io::Result<RecvBuf> {
    link.receive().await
}

/// Waits until the head that began with the exchange is overdue.
async fn wait_head(shard: &Shard, exchange: &Exchange) {
    let mut timer = shard.ring().timer();
    let limit = shard.limits.head_timeout;
    let due = limit.map_or(Nanos::NEVER, |time| exchange.received_at.after(time));
    timer.set(due.min(shard.drain_by()));
    timer.fired().await;
}

fn refusal(error: HeadError, shard: &Shard) -> GatewayError {
    match error {
        HeadError::UrlTooLong => GatewayError::UriTooLong,
        // Without a limit there is still what a head can be at all.
        HeadError::HeadersTooLarge => GatewayError::HeadersTooLarge {
            limit: shard.limits.header_bytes.unwrap_or(shard.head_limits.head_bytes_max() as u64),
        },
        HeadError::TooManyHeaders => {
            GatewayError::TooManyHeaders { limit: shard.head_limits.count() as u64 }
        }
        _ => GatewayError::MalformedHead(error),
    }
}

/// One request from its head to its answer in the link's output (or, if streamed, on its way).
async fn one_request(link: &mut Link, exchange: &mut Box<Exchange>) -> Then {
    let shard = Rc::clone(&link.shard);
    let head = read_head(link, exchange).await;
    let (deployment, found, refused) = match head {
        Head::End => return Then::Close,
        Head::Complete => {
            let (deployment, found) = shard.find(&mut link.host, exchange);
            (deployment, found, None)
        }
        Head::Refused(error) => (shard.of_nobody(), Ok(()), Some(error)),
    };
    let stage = &deployment.stage;
    let mut keep_alive = refused.is_none() && exchange.head.keep_alive;
    // Only a client that said so itself sends nothing more.
    let asked_to_close = refused.is_none() && !keep_alive;
    let mut streamed = None;
    if let Some(error) = refused {
        // What was parsed before the refusal (and of the request before) has no bytes any more.
        exchange.head.clear();
        link.body = BodyDecoder::none();
        gateway::refuse(stage, exchange, error);
    } else {
        let body = BodyDecoder::request(exchange.head.framing);
        link.begin_body(body, exchange.head.expect_continue);
        match found {
            Ok(()) => streamed = gateway::respond(&shard.env, stage, exchange, link).await,
            Err(error) => gateway::refuse(stage, exchange, error),
        }
        if link.gone {
            return Then::Close;
        }
        gateway::finish(&shard.env, stage, exchange).await;
        let whole = link.skip_received_body();
        // A client that waits for 100 Continue has not sent its body, and may or may not do so now.
        keep_alive &= whole && !exchange.response.close;
        link.end_body();
    }
    keep_alive &= !shard.is_draining();
    let framing = write::response(&shard, stage, exchange, keep_alive, &mut link.out);
    if let Some(body) = streamed.filter(|_| framing != BodyFraming::Complete) {
        let sent = Box::pin(stream(link, exchange, body, framing)).await;
        keep_alive &= sent && framing != BodyFraming::UntilClose;
        shard.record(&deployment, exchange);
        if !sent {
            // Cut off: what is missing must not look like an end.
            link.out.clear();
            return Then::Close;
        }
    } else {
        shard.record(&deployment, exchange);
    }
    after(link, keep_alive, asked_to_close)
}

fn after(link: &Link, keep_alive: bool, asked_to_close: bool) -> Then {
    let has_all = link.body.is_done() && !link.has_input() && !link.owes_continue;
    if keep_alive {
        Then::NextRequest
    } else if asked_to_close && has_all {
        Then::Close
    } else {
        Then::Linger
    }
}

/// Sends the integration's body piece by piece, as the client takes it. `false`: it was cut off.
async fn stream(
    link: &mut Link,
    exchange: &mut Exchange,
    mut body: Box<UpstreamBody>,
    framing: BodyFraming,
) -> bool {
    let shard = Rc::clone(&link.shard);
    let chunked = framing == BodyFraming::Chunked;
    let mut open_chunk = false;
    loop {
        let next = match select(body.next(&shard.env), link.reset()).await {
            Either::Left(next) => next,
            Either::Right(()) => return false,
        };
        exchange.integration.latency = Some(body.latency(&shard.env));
        let Ok(piece) = next else { return false };
        if open_chunk {
            link.out.extend_from_slice(encode::CHUNK_END);
            open_chunk = false;
        }
        let Some(piece) = piece else {
            if chunked {
                link.out.extend_from_slice(encode::LAST_CHUNK);
            }
            return true;
        };
        if chunked {
            encode::chunk_head(&mut link.out, piece.len() as u64);
            open_chunk = true;
        }
        exchange.response.length += piece.len() as u64;
        if body.is_done() && !chunked {
            return link.post(piece).await;
        }
        if !link.flush(piece).await {
            return false;
        }
    }
}

/// Reads and drops what the client is still sending, so that it gets to read its answer: a close with
/// unread input resets the connection, and the reset overtakes the answer.
async fn linger(link: &mut Link) {
    if link.socket.shut_down().await.is_err() {
        return;
    }
    let shard = Rc::clone(&link.shard);
    let end = shard.deadline(Some(LINGER_TIME));
    link.input = RecvBuf::default();
    link.held.clear();
    loop {
        link.timer.set(shard.deadline(Some(LINGER_QUIET_TIME)).min(end));
        let (recv, timer) = (&mut link.recv, &link.timer);
        // The timer first: a client that never stops must not outrun it.
        match select(timer.fired(), recv.next()).await {
            Either::Right(Ok(piece)) if !piece.is_empty() && shard.ring().now() < end => {}
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn future_bytes<F>(_: impl Fn(Box<Link>) -> F) -> usize {
        size_of::<F>()
    }

    /// What an idle connection takes on the heap besides a slot, a timer and a task's place.
    #[test]
    fn an_idle_connection_is_small() {
        assert!(size_of::<Link>() <= 352, "{}", size_of::<Link>());
        assert!(future_bytes(idle) <= 128, "{}", future_bytes(idle));
    }
}
