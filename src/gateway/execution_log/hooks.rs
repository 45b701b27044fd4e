//! What the steps call, in the order of a request's life. Without a log all of it is a look at `None`.

use super::headers::{JavaMap, answer_headers};
use super::{ExecutionLog, LogDetail};
use crate::deploy::{CompiledMethod, CompiledStage, ThrottleScope};
use crate::gateway::context::ContextView;
use crate::gateway::context::values::{decoded, pairs};
use crate::gateway::{Exchange, GatewayError, ResponseBody};
use crate::http::{KnownHeader, ResponseHead};
use crate::telemetry::Variables as _;
use crate::time::WallMillis;
use crate::upstream::Target;

/// The request as its method gets it; `body`: as much of it as is known.
#[inline]
pub fn method_request(
    at: WallMillis,
    method: &CompiledMethod,
    exchange: &mut Exchange,
    body: &[u8],
) {
    record(exchange, |log, exchange| log.method_request(at, method, exchange, body));
}

/// The request as it is about to be sent to `target`: its encoded head, and what is known of its body.
#[cold]
pub fn endpoint_request(
    at: WallMillis,
    target: &Target,
    log: &mut Option<Box<ExecutionLog>>,
    head: &[u8],
    body: &[u8],
) {
    if let Some(log) = log {
        log.endpoint_request(at, target, head, body);
    }
}

/// The integration's answer, its body as far as it was collected; the exchange has its latency.
#[inline]
pub fn endpoint_response(
    at: WallMillis,
    exchange: &mut Exchange,
    head: &ResponseHead,
    head_bytes: &[u8],
    body: &[u8],
) {
    record(exchange, |log, exchange| {
        log.endpoint_response(at, exchange, head, head_bytes, body);
    });
}

/// The answer that the client is about to get.
#[inline]
pub fn success(at: WallMillis, stage: &CompiledStage, exchange: &mut Exchange) {
    record(exchange, |log, exchange| log.success(at, stage, exchange));
}

/// Why the client gets a gateway response; to be called when that is made.
#[inline]
pub fn failure(at: WallMillis, stage: &CompiledStage, exchange: &mut Exchange) {
    record(exchange, |log, exchange| log.failure(at, stage, exchange));
}

#[inline]
pub(super) fn record(exchange: &mut Exchange, write: impl FnOnce(&mut ExecutionLog, &Exchange)) {
    if exchange.log.is_some() {
        record_now(exchange, write);
    }
}

#[cold]
fn record_now(exchange: &mut Exchange, write: impl FnOnce(&mut ExecutionLog, &Exchange)) {
    if let Some(mut log) = exchange.log.take() {
        write(&mut log, exchange);
        exchange.log = Some(log);
    }
}

impl ExecutionLog {
    fn map(&mut self, at: WallMillis, name: &str, fill: impl FnOnce(&mut JavaMap)) {
        self.line(at, LogDetail::Data, |out| {
            let mut map = JavaMap::default();
            fill(&mut map);
            out.extend_from_slice(name.as_bytes());
            map.write(out);
        });
    }

    fn method_request(
        &mut self,
        at: WallMillis,
        method: &CompiledMethod,
        exchange: &Exchange,
        body: &[u8],
    ) {
        let bytes = &*exchange.head_bytes;
        let id = String::from_utf8_lossy(&exchange.ids.request_id);
        self.text(at, LogDetail::Phases, format_args!("Starting execution for request: {id}"));
        let http_method = String::from_utf8_lossy(exchange.head.method_name.of(bytes));
        let path = String::from_utf8_lossy(exchange.path.of(bytes));
        let line = format_args!("HTTP Method: {http_method}, Resource Path: {path}");
        self.text(at, LogDetail::Phases, line);
        self.api_key(at, exchange);
        self.map(at, "Method request path: ", |map| {
            for (name, value) in method.path_parameters.iter().zip(&exchange.captures) {
                map.parameter(name, decoded(value.of(bytes), false));
            }
        });
        self.map(at, "Method request query string: ", |map| {
            for (name, value) in pairs(exchange.head.query.of(bytes)) {
                let name: Vec<u8> = decoded(name, true).collect();
                map.parameter(&name, decoded(value, true));
            }
        });
        self.map(at, "Method request headers: ", |map| {
            for field in &exchange.head.headers {
                map.header(field.name.of(bytes), field.value.of(bytes));
            }
        });
        self.body(at, "Method request body before transformations: ", body);
    }

    fn endpoint_request(&mut self, at: WallMillis, target: &Target, head: &[u8], body: &[u8]) {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split("\r\n");
        let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        let (scheme, authority) = (target.scheme.as_str(), &target.authority);
        let line = format_args!("Endpoint request URI: {scheme}://{authority}{path}");
        self.text(at, LogDetail::Phases, line);
        self.map(at, "Endpoint request headers: ", |map| sent_headers(lines, map));
        self.body(at, "Endpoint request body after transformations: ", body);
        let line = format_args!("Sending request to {scheme}://{authority}{path}");
        self.text(at, LogDetail::Phases, line);
    }

    fn endpoint_response(
        &mut self,
        at: WallMillis,
        exchange: &Exchange,
        head: &ResponseHead,
        head_bytes: &[u8],
        body: &[u8],
    ) {
        let (status, latency) = (head.status, exchange.integration.latency.unwrap_or_default());
        let line = format_args!(
            "Received response. Status: {status}, Integration latency: {} ms",
            latency.as_millis()
        );
        self.text(at, LogDetail::Phases, line);
        self.map(at, "Endpoint response headers: ", |map| {
            for field in &head.headers {
                map.header(field.name.of(head_bytes), field.value.of(head_bytes));
            }
        });
        self.body(at, "Endpoint response body before transformations: ", body);
    }

    fn success(&mut self, at: WallMillis, stage: &CompiledStage, exchange: &Exchange) {
        let body: &[u8] = match exchange.response.body {
            ResponseBody::Constant(index) => &stage.constants[index as usize].body,
            ResponseBody::Buffered => &exchange.response.buffer,
            ResponseBody::Empty | ResponseBody::Streamed(_) => &[],
        };
        self.body(at, "Method response body after transformations: ", body);
        self.map(at, "Method response headers: ", |map| {
            for (name, value) in answer_headers(stage, exchange) {
                map.header(&name, &value);
            }
        });
        self.text(at, LogDetail::Phases, format_args!("Successfully completed execution"));
        self.status(at, LogDetail::Phases, stage, exchange);
    }

    fn failure(&mut self, at: WallMillis, stage: &CompiledStage, exchange: &Exchange) {
        // What a key's check has refused has been told with the plan's words.
        if let Some(error) = exchange.error.as_ref().filter(|error| !error.is_of_key_check()) {
            self.line(at, LogDetail::Errors, |out| write_error(error, stage, exchange, out));
        }
        self.status(at, LogDetail::Errors, stage, exchange);
    }

    fn status(
        &mut self,
        at: WallMillis,
        detail: LogDetail,
        stage: &CompiledStage,
        exchange: &Exchange,
    ) {
        let status = ContextView::new(stage, exchange).status();
        self.text(at, detail, format_args!("Method completed with status: {status}"));
    }
}

/// What is sent to an integration, from the lines behind the request line: first what the mappings and
/// the client have given, then what the gateway adds, as AWS orders it. What belongs to the connection is
/// not told, nor is `Host` where it stands first: then it is the one of the URI.
fn sent_headers<'a>(lines: impl Iterator<Item = &'a str>, map: &mut JavaMap) {
    const ADDED: [KnownHeader; 4] = [
        KnownHeader::XAmznApigatewayApiId,
        KnownHeader::Accept,
        KnownHeader::UserAgent,
        KnownHeader::XAmznTraceId,
    ];
    const UNTOLD: [KnownHeader; 3] =
        [KnownHeader::Connection, KnownHeader::ContentLength, KnownHeader::TransferEncoding];
    let mut added: [Option<(&str, &str)>; ADDED.len()] = [None; ADDED.len()];
    let fields = lines.filter_map(|line| line.split_once(": ")).enumerate();
    for (index, (name, value)) in fields {
        let known = KnownHeader::of(name.as_bytes());
        if UNTOLD.contains(&known) || (index == 0 && known == KnownHeader::Host) {
            continue;
        }
        match ADDED.iter().position(|&other| other == known) {
            Some(place) if added[place].is_none() => added[place] = Some((name, value)),
            _ => map.header(name.as_bytes(), value.as_bytes()),
        }
    }
    for (known, field) in ADDED.into_iter().zip(added) {
        let Some((name, value)) = field else { continue };
        let is_ours = known == KnownHeader::XAmznApigatewayApiId;
        let name = if is_ours { "x-amzn-apigateway-api-id" } else { name };
        map.header(name.as_bytes(), value.as_bytes());
    }
}

/// Why a request failed. That a bucket was empty is told with what it holds.
fn write_error(
    error: &GatewayError,
    stage: &CompiledStage,
    exchange: &Exchange,
    out: &mut Vec<u8>,
) {
    let line = match error {
        GatewayError::Throttled { scope } => throttled(*scope, stage, exchange),
        _ => None,
    };
    let line = line.unwrap_or_else(|| error.execution_log());
    out.extend_from_slice(line.as_bytes());
}

/// `None`: the request has no such bucket.
fn throttled(scope: ThrottleScope, stage: &CompiledStage, exchange: &Exchange) -> Option<String> {
    let method = &stage.methods[exchange.method? as usize];
    let (_, bucket) = method.buckets.iter().find(|(other, _)| *other == scope)?;
    let (_, limit) = stage.throttles.iter().find(|(it, _)| std::sync::Arc::ptr_eq(it, bucket))?;
    let mut http_method = Vec::new();
    ContextView::new(stage, exchange)
        .write(crate::context::ContextVariable::HttpMethod, &mut http_method);
    Some(format!(
        "Key throttle limit exceeded for RestApi {}, Stage {}, Resource {}, HttpMethod {}. Limit: \
         {:.2} Burst: {}",
        stage.api_id,
        stage.stage,
        method.resource_id,
        String::from_utf8_lossy(&http_method),
        limit.rate_limit,
        limit.burst_limit
    ))
}
