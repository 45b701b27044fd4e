//! Step integrate, HTTP and HTTP_PROXY: one request to a backend and its answer.
//!
//! ```text
//! plan → (collect the body) → connect → send head and body → read head → (collect the answer) → map
//! ```
//!
//! Bodies that nothing reads are streamed: the request's while it arrives, the answer's by the
//! carrier, piece by piece as the client takes it ([`UpstreamBody`]). An answer that comes before the
//! request's body was sent ends the sending. The integration's time starts when the request is there and
//! covers connecting, sending and the whole answer; for a body that is streamed it starts again with each
//! piece and when all has been sent. Waiting for the client does not count.
//!
//! Cost: no allocation but for an answer that is streamed; heads are written and parsed in pooled memory.
//! Source: facts, rest-api sections 5 to 8; RFC 9110 section 9.2.2 on what may be sent again.

use super::{Interrupted, UpstreamBody};
use crate::deploy::{CompiledHttp, CompiledMethod, CompiledStage};
use crate::gateway::map_request::{self, RequestBody, UpstreamFraming};
use crate::gateway::map_response::AnswerBody;
use crate::gateway::{
    Client, Env, Exchange, GatewayError, ResponseBody, execution_log, map_response, request_body,
};
use crate::http::{
    BodyDecoder, HeadScan, KnownHeader, Method, ResponseFraming, ResponseHead, encode,
};
use crate::limits::{POSTED_BYTES_MAX, time_to_take};
use crate::ring::{Either, RecvBuf, SendBuf, Timer, select};
use crate::time::Nanos;
use crate::upstream::{ConnectError, Connection};

/// Up to this length, in bytes, copying a chunk of a body costs less than a send of its own for the end.
const COPIED_CHUNK_BYTES_MAX: usize = 4_096;

/// Nobody is left to answer; the text is for nobody.
const CLIENT_GONE: GatewayError = GatewayError::BadRequest("the client has gone");

/// Sends the request to the backend and makes its answer `exchange.response`. `Some`: the carrier has to
/// stream that body.
///
/// # Errors
/// Whatever keeps the request from an answer.
pub async fn call<C: Client>(
    env: &Env,
    stage: &CompiledStage,
    method: &CompiledMethod,
    http: &CompiledHttp,
    exchange: &mut Exchange,
    client: &mut C,
) -> Result<Option<Box<UpstreamBody>>, GatewayError> {
    let outcome = attempt(env, stage, method, http, exchange, client).await;
    if let Err(error) = &outcome {
        exchange.integration.error = Some(error.fixed_message());
    }
    outcome
}

async fn attempt<C: Client>(
    env: &Env,
    stage: &CompiledStage,
    method: &CompiledMethod,
    http: &CompiledHttp,
    exchange: &mut Exchange,
    client: &mut C,
) -> Result<Option<Box<UpstreamBody>>, GatewayError> {
    let mut plan = map_request::plan(stage, method, http, exchange)?;
    if plan.body == RequestBody::Stream {
        request_body::check_announced(client, stage.limits.payload_max())?;
    } else {
        if !exchange.body_is_taken {
            request_body::read(stage, exchange, client, plan.collects_body()).await?;
            if let Some(coding) = plan.coding_to_undo() {
                request_body::decompress(env, stage, exchange, coding).await?;
            }
        }
        let renderer = &mut env.renderer.borrow_mut();
        let mapped = map_request::body(stage, method, http, &mut plan, exchange, renderer);
        renderer.trim();
        mapped?;
    }
    let framing = plan.framing(exchange);
    client.prepare_to_wait(exchange).await;
    let mut head = std::mem::take(&mut exchange.outgoing);
    head.clear();
    let sent_method =
        map_request::encode_head(stage, method, http, &plan, exchange, framing, &mut head)?;
    if exchange.log.is_some() {
        let body = match plan.body {
            RequestBody::Stream => client.body_preview(),
            RequestBody::Collect | RequestBody::Discard => &exchange.body,
        };
        execution_log::endpoint_request(
            env.ring.wall(),
            &http.target,
            &mut exchange.log,
            &head,
            body,
        );
    }
    if plan.body != RequestBody::Stream {
        head.extend_from_slice(&exchange.body);
    }
    let timer = env.ring.timer();
    let mut call =
        Call { env, stage, http, timer, deadline: Nanos::NEVER, head, sent_whole: false };
    let received = call.run(exchange, client, framing, sent_method).await;
    exchange.outgoing = std::mem::take(&mut call.head);
    let (connection, piece, started_at) = received?;
    call.answer(method, exchange, client, connection, piece, started_at).await
}

/// One call on its way.
struct Call<'a> {
    env: &'a Env,
    stage: &'a CompiledStage,
    http: &'a CompiledHttp,
    timer: Timer,
    deadline: Nanos,
    /// The encoded head, and the body if it was collected.
    head: Vec<u8>,
    /// The backend was sent all of the request: what is sent next is another one to it.
    sent_whole: bool,
}

/// Why an attempt has to be looked at again.
enum Failed {
    /// Nothing was answered on a kept connection: the backend had closed it.
    Stale,
    Error(GatewayError),
}

impl From<GatewayError> for Failed {
    fn from(error: GatewayError) -> Self {
        Self::Error(error)
    }
}

impl Call<'_> {
    /// Sends the request and reads the answer's head into `exchange.answer`; also gives what came after
    /// that head, and when the request had been sent.
    async fn run<C: Client>(
        &mut self,
        exchange: &mut Exchange,
        client: &mut C,
        framing: UpstreamFraming,
        method: Method,
    ) -> Result<(Box<Connection>, RecvBuf, Nanos), GatewayError> {
        if self.http.invalid_endpoint {
            return Err(GatewayError::InvalidEndpointAddress);
        }
        self.start_clock();
        let streams = client.has_body();
        let repeatable =
            !streams && !matches!(method, Method::Post | Method::Patch | Method::Other);
        if let Some(kept) = self.env.upstreams.kept(&self.http.target) {
            match self.exchange_over(kept, exchange, client, framing, method).await {
                Err(Failed::Stale) if repeatable && self.deadline > self.env.ring.now() => {
                    self.env.retries.set(self.env.retries.get() + 1);
                }
                Err(Failed::Stale) => return Err(reset_by_backend()),
                Err(Failed::Error(error)) => return Err(error),
                Ok(answer) => return Ok(answer),
            }
        }
        let fresh = self.connect(client).await?;
        match self.exchange_over(fresh, exchange, client, framing, method).await {
            Err(Failed::Stale) => Err(reset_by_backend()),
            Err(Failed::Error(error)) => Err(error),
            Ok(answer) => Ok(answer),
        }
    }

    fn start_clock(&mut self) {
        self.start_clock_for(0);
    }

    /// Starts the clock for sending a piece of `bytes`.
    fn start_clock_for(&mut self, bytes: usize) {
        self.deadline = self
            .http
            .timeout
            .map_or(Nanos::NEVER, |time| self.env.ring.now().after(time_to_take(time, bytes)));
        self.timer.set(self.deadline);
    }

    async fn connect<C: Client>(
        &mut self,
        client: &mut C,
    ) -> Result<Box<Connection>, GatewayError> {
        let limit = self.stage.limits.connect_timeout;
        let connect_by =
            limit.map_or(self.deadline, |time| self.env.ring.now().after(time).min(self.deadline));
        self.timer.set(connect_by);
        let connecting = self.env.upstreams.connect(&self.http.target, connect_by);
        let waited = select(connecting, select(self.timer.fired(), client.reset())).await;
        let error = match waited {
            Either::Left(Ok(connection)) => {
                self.timer.set(self.deadline);
                return Ok(connection);
            }
            Either::Left(Err(ConnectError::NoAddress)) => GatewayError::InvalidEndpointAddress,
            Either::Left(Err(ConnectError::Unresolved)) => {
                GatewayError::IntegrationNetwork("the host's name has not been resolved")
            }
            Either::Left(Err(ConnectError::Failed(_))) => {
                GatewayError::IntegrationNetwork("the connection could not be made")
            }
            Either::Right(Either::Left(())) if connect_by < self.deadline => {
                GatewayError::IntegrationNetwork("the connection was not accepted in time")
            }
            Either::Right(Either::Left(())) => GatewayError::IntegrationTimeout,
            Either::Right(Either::Right(())) => return Err(CLIENT_GONE),
        };
        self.env.connect_errors.set(self.env.connect_errors.get() + 1);
        Err(error)
    }

    async fn exchange_over<C: Client>(
        &mut self,
        mut connection: Box<Connection>,
        exchange: &mut Exchange,
        client: &mut C,
        framing: UpstreamFraming,
        method: Method,
    ) -> Result<(Box<Connection>, RecvBuf, Nanos), Failed> {
        let reused = connection.reused;
        let stale = |_| if reused { Failed::Stale } else { reset_by_backend().into() };
        self.sent_whole = !client.has_body();
        // What came of the body with its head leaves with it.
        let first = client.received_body()?;
        if first.is_none() {
            let head = SendBuf::from_vec(std::mem::take(&mut self.head));
            let whole = self.sent_whole;
            let sending = async {
                if whole { connection.post(head).await } else { connection.send(head).await }
            };
            match select(sending, self.timer.fired()).await {
                Either::Left((sent, memory)) => {
                    self.head = memory;
                    sent.map_err(stale)?;
                }
                Either::Right(()) => return Err(GatewayError::IntegrationTimeout.into()),
            }
        }
        if !self.sent_whole {
            self.sent_whole = self.stream_body(&mut connection, client, framing, first).await?;
            self.start_clock();
        }
        let started_at = self.env.ring.now();
        let head = &mut exchange.answer;
        let piece = match self.read_head(head, &mut connection, client, method).await {
            Ok(piece) => piece,
            Err(Failed::Stale) => {
                // It may be sent again, over another connection.
                if let Either::Left(head) = select(connection.settled(), self.timer.fired()).await
                    && self.head.is_empty()
                {
                    self.head = head;
                }
                return Err(Failed::Stale);
            }
            Err(failed) => return Err(failed),
        };
        match connection.take_settled() {
            Some(memory) if self.head.capacity() == 0 => self.head = memory,
            Some(_) => {}
            // It answers before it has read the request.
            None => self.sent_whole = false,
        }
        exchange.integration.status = Some(exchange.answer.status);
        Ok((connection, piece, started_at))
    }

    /// Passes the request's body on while it arrives, until it ends or the backend answers; before a
    /// piece that is `first` goes the head, which was not sent then. `true`: it was sent to its end. A
    /// piece that was read from the client may have been sent in part.
    async fn stream_body<C: Client>(
        &mut self,
        connection: &mut Connection,
        client: &mut C,
        framing: UpstreamFraming,
        first: Option<RecvBuf>,
    ) -> Result<bool, GatewayError> {
        let chunked = framing == UpstreamFraming::Chunked;
        let limit = self.stage.limits.payload_max();
        let mut total = 0_u64;
        let mut frame = std::mem::take(&mut self.head);
        if first.is_none() {
            frame.clear();
        }
        let mut ready = first;
        // A read that loses its race must lose nothing: only the armed receive can promise that, and a
        // kept connection may still be in bulk mode.
        connection.end_bulk();
        // Not raced with the backend's answer: it has to leave whole.
        client.ask_for_body().await;
        loop {
            // Whatever the backend says before the body's end is its answer, its end included.
            let read = match ready.take() {
                None => match select(client.read_body(), connection.read()).await {
                    Either::Left(read) => read?,
                    Either::Right(Ok(early)) if !early.is_empty() => {
                        connection.unread(early);
                        return Ok(false);
                    }
                    Either::Right(_) => return Err(reset_by_backend()),
                },
                ready => ready,
            };
            let mut piece = match read {
                Some(piece) => piece,
                None if chunked => {
                    if total > 0 {
                        frame.extend_from_slice(encode::CHUNK_END);
                    }
                    frame.extend_from_slice(encode::LAST_CHUNK);
                    RecvBuf::default()
                }
                None => {
                    self.head = frame;
                    return Ok(true);
                }
            };
            let mut last = piece.is_empty();
            if !last && chunked {
                if total > 0 {
                    frame.extend_from_slice(encode::CHUNK_END);
                }
                encode::chunk_head(&mut frame, piece.len() as u64);
            }
            total += piece.len() as u64;
            if total > limit {
                return Err(GatewayError::PayloadTooLarge { limit });
            }
            self.start_clock_for(piece.len());
            let copied = chunked && piece.len() <= COPIED_CHUNK_BYTES_MAX;
            if copied {
                // Then the body's end leaves with it if that is here too.
                frame.extend_from_slice(&piece);
                piece = RecvBuf::default();
            }
            if !last && (copied || !chunked) {
                ready = client.received_body()?;
                last = ready.is_none() && !client.has_body();
                if last && chunked {
                    frame.extend_from_slice(encode::CHUNK_END);
                    frame.extend_from_slice(encode::LAST_CHUNK);
                }
            }
            let buf = SendBuf::with_tail(std::mem::take(&mut frame), piece);
            let sending = async {
                if last && buf.len() <= POSTED_BYTES_MAX {
                    let (sent, memory) = connection.post(buf).await;
                    (sent.map(|()| true), memory)
                } else {
                    connection.send_until_answered(buf).await
                }
            };
            match select(sending, self.timer.fired()).await {
                Either::Left((Ok(true), memory)) => {
                    frame = memory;
                    frame.clear();
                }
                Either::Left((Ok(false), _)) => return Ok(false),
                Either::Left((Err(_), _)) => return Err(reset_by_backend()),
                Either::Right(_) => return Err(GatewayError::IntegrationTimeout),
            }
            if last {
                self.head = frame;
                return Ok(true);
            }
        }
    }

    /// Reads the answer's head; gives its bytes and what came after them as one piece.
    async fn read_head<C: Client>(
        &mut self,
        head: &mut ResponseHead,
        connection: &mut Connection,
        client: &mut C,
        method: Method,
    ) -> Result<RecvBuf, Failed> {
        let mut scan = HeadScan::default();
        let mut gathered = RecvBuf::default();
        loop {
            let waited =
                select(connection.read(), select(self.timer.fired(), client.reset())).await;
            let piece = match waited {
                Either::Left(Ok(piece)) if !piece.is_empty() => piece,
                Either::Left(_) if gathered.is_empty() && connection.reused => {
                    return Err(Failed::Stale);
                }
                Either::Left(_) if gathered.is_empty() => return Err(reset_by_backend().into()),
                Either::Left(_) => {
                    return Err(
                        GatewayError::IntegrationMalformed("it ended within its head").into()
                    );
                }
                Either::Right(Either::Left(())) => {
                    return Err(GatewayError::IntegrationTimeout.into());
                }
                Either::Right(Either::Right(())) => return Err(CLIENT_GONE.into()),
            };
            gathered = if gathered.is_empty() {
                piece
            } else {
                let mut bytes = gathered.to_vec();
                bytes.extend_from_slice(&piece);
                RecvBuf::from_vec(bytes)
            };
            // More than one head may be there already: 100 Continue, 103 Early Hints, then the answer.
            loop {
                let complete = head
                    .parse(&gathered, method, &mut scan)
                    .map_err(|_| GatewayError::IntegrationMalformed("its head is not HTTP/1.1"))?;
                if !complete {
                    break;
                }
                if head.status >= 200 {
                    return Ok(gathered);
                }
                gathered.advance(head.len as usize);
                scan.reset();
                if gathered.is_empty() {
                    break;
                }
            }
            // Half a head may stay half for as long as the integration has.
            gathered.detach();
        }
    }

    /// Makes the backend's answer ours.
    async fn answer<C: Client>(
        self,
        method: &CompiledMethod,
        exchange: &mut Exchange,
        client: &mut C,
        connection: Box<Connection>,
        mut received: RecvBuf,
        started_at: Nanos,
    ) -> Result<Option<Box<UpstreamBody>>, GatewayError> {
        let (stage, http, env) = (self.stage, self.http, self.env);
        let limit = stage.limits.payload_max();
        let head = std::mem::take(&mut exchange.answer);
        let head_len = head.len as usize;
        let decoder = BodyDecoder::response(head.framing);
        // A request whose body was not sent to its end leaves the connection unusable.
        let keep =
            head.keep_alive && self.sent_whole && head.framing != ResponseFraming::UntilClose;
        let announced = match head.framing {
            ResponseFraming::Length(length) => Some(length),
            ResponseFraming::None => Some(0),
            ResponseFraming::Chunked | ResponseFraming::UntilClose => None,
        };
        if announced.is_none_or(|length| length > (received.len() - head_len) as u64) {
            // The rest of the body is waited for, and the backend may be slow.
            received.detach_if_scarce();
        }
        let mut rest = received.clone();
        rest.advance(head_len);
        let mut body = UpstreamBody::new(
            &http.target,
            connection,
            decoder,
            rest,
            keep,
            self.timer,
            self.deadline,
            limit,
            started_at,
        );
        if announced.is_some_and(|length| length > limit) {
            let length = announced.unwrap_or(0);
            exchange.answer = head;
            return Err(GatewayError::ResponseTooLarge { length, limit });
        }
        let bytes = &received[..head_len];
        // What a log wants to see is collected, also where nobody else reads it.
        let logs = exchange.log.as_ref().is_some_and(|log| log.wants_bodies());
        let mut collected = std::mem::take(&mut exchange.response.buffer);
        collected.clear();
        let mapped = 'mapped: {
            let selected = match http.proxy {
                true => Ok(None),
                false => map_response::select(http, head.status).map(Some),
            };
            let mut plan = match &selected {
                Ok(selected) => map_response::plan(stage, *selected, exchange, &head, bytes),
                Err(_) => AnswerBody::Discard,
            };
            if plan == AnswerBody::Collect || logs {
                let held_max = stage.limits.held_max();
                match announced {
                    // Only to be compressed, and too large to be held.
                    Some(length) if length > held_max && http.proxy && !logs => {
                        plan = AnswerBody::Stream;
                    }
                    Some(length) if length > held_max => {
                        let limit = held_max;
                        break 'mapped Err(GatewayError::ResponseTooLarge { length, limit });
                    }
                    _ => body.set_limit(held_max),
                }
            }
            let selected = match selected {
                Err(error) if !logs => break 'mapped Err(error),
                selected => selected,
            };
            let reading = if logs { AnswerBody::Collect } else { plan };
            let read = read_answer(env, client, &mut body, reading, &mut collected).await;
            exchange.integration.latency = Some(body.latency(env));
            let complete = match read {
                Ok(complete) => complete,
                Err(error) => break 'mapped Err(error),
            };
            execution_log::endpoint_response(env.ring.wall(), exchange, &head, bytes, &collected);
            if plan == AnswerBody::Discard {
                collected.clear();
            }
            let selected = match selected {
                Ok(selected) => selected,
                Err(error) => break 'mapped Err(error),
            };
            let made = match selected {
                None => map_response::proxy(stage, method, http, exchange, &head, bytes),
                Some(selected) => {
                    let body = complete.then_some(&mut collected);
                    let renderer = &mut env.renderer.borrow_mut();
                    map_response::http(
                        stage, method, http, selected, exchange, &head, bytes, body, renderer,
                    )
                }
            };
            made.map(|()| complete)
        };
        if head.framing == ResponseFraming::None && exchange.head.method == Method::Head {
            exchange.response.head_length = head
                .find(&received[..head_len], KnownHeader::ContentLength)
                .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        }
        exchange.answer = head;
        let complete = mapped?;
        if http.proxy && complete {
            std::mem::swap(&mut exchange.response.buffer, &mut collected);
            let empty = exchange.response.buffer.is_empty();
            exchange.response.body =
                if empty { ResponseBody::Empty } else { ResponseBody::Buffered };
        } else if exchange.response.buffer.capacity() == 0 {
            // The memory stays with the exchange.
            collected.clear();
            exchange.response.buffer = collected;
        }
        Ok((!complete).then(|| Box::new(body)))
    }
}

/// Reads the answer's body: all of it unless it is to be streamed, then only if all is here already.
/// `true`: it was read to its end, into `collected` unless it is discarded.
async fn read_answer<C: Client>(
    env: &Env,
    client: &mut C,
    body: &mut UpstreamBody,
    plan: AnswerBody,
    collected: &mut Vec<u8>,
) -> Result<bool, GatewayError> {
    while !body.is_done() {
        if plan == AnswerBody::Stream && !body.is_small_and_here() {
            return Ok(false);
        }
        let next = match select(body.next(env), client.reset()).await {
            Either::Left(next) => next,
            Either::Right(()) => return Err(CLIENT_GONE),
        };
        match next {
            Ok(Some(_)) if plan == AnswerBody::Discard => {}
            Ok(Some(piece)) => collected.extend_from_slice(&piece),
            Ok(None) => {}
            Err(Interrupted::Broken) => {
                return Err(GatewayError::IntegrationMalformed("its body is broken"));
            }
            Err(Interrupted::TimedOut) => return Err(GatewayError::IntegrationTimeout),
            Err(Interrupted::TooLarge) => {
                let limit = body.limit();
                return Err(GatewayError::ResponseTooLarge { length: limit + 1, limit });
            }
        }
    }
    if body.is_done() {
        body.release(env);
    }
    Ok(body.is_done())
}

fn reset_by_backend() -> GatewayError {
    GatewayError::IntegrationNetwork("the backend closed the connection")
}
