//! Step 10, map request: what the integration gets of the client's request.
//!
//! [`plan`] decides before the body is read what is to be done with it; [`body`] transforms a body
//! that was collected; [`encode_head`] writes the whole head.
//!
//! HTTP_PROXY passes the client's request on, but for what belongs to the connection or to the
//! gateway; mapped headers replace the client's, mapped query parameters follow them. HTTP sends
//! nothing of the client's but what is mapped, and the body through template and contentHandling.
//!
//! AWS treats bodies of HTTP_PROXY that are not of a binary type as text and so damages them; we
//! keep their bytes: a deliberate deviation (facts, rest-api section 13, allows it).
//!
//! What a template has overridden takes the place of what is mapped.
//!
//! Cost: one pass over the client's headers, and what a template renders; no allocation once the buffers
//! have grown.
//! Source: facts, rest-api sections 4 to 6, aws-recorded section 25, vtl section 15.

use percent_encoding::AsciiSet;
use smallvec::SmallVec;

use super::content::{self, Coding, Conversion};
use super::context::values::{BodyValues, Values};
use super::context::{ContextView, connection, trace};
use super::error::GatewayError;
use super::exchange::Exchange;
use super::overrides::{self, RequestOverrides};
use super::route;
use super::templates::{ParsedBody, Renderer};
use crate::deploy::source::{BodySource, Source};
use crate::deploy::{
    CompiledHttp, CompiledMethod, CompiledStage, KnownSet, Template, UriPiece, uri,
};
use crate::http::{self, Framing, KnownHeader, encode};
use crate::model::{MethodName, PassthroughBehavior};
use crate::vtl::Owned;

/// What is done with the client's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// It is read and dropped, or there is none.
    Discard,
    /// It passes through as it comes, with the framing it has.
    Stream,
    /// It is collected in `Exchange::body`.
    Collect,
}

/// What is done with a request before it is sent.
#[derive(Debug)]
pub struct RequestPlan {
    /// What is done with the client's body. Unless it is streamed, [`body`] follows.
    pub body: RequestBody,
    /// Undone before mapping.
    coding: Option<Coding>,
    /// Index into the integration's templates.
    template: Option<usize>,
    conversion: Conversion,
    /// Whether the integration's method takes a body.
    sends_body: bool,
    /// What mappings need of the body, taken before it changes.
    values: BodyValues,
}

impl RequestPlan {
    /// Whether `Exchange::body` must hold the client's body when [`body`] is called.
    pub fn collects_body(&self) -> bool {
        self.body == RequestBody::Collect
    }

    /// The coding of the collected body, to be undone before [`body`] is called.
    pub fn coding_to_undo(&self) -> Option<Coding> {
        self.coding.filter(|_| self.body == RequestBody::Collect)
    }

    /// How the body's end is told to the integration, after [`body`].
    pub fn framing(&self, exchange: &Exchange) -> UpstreamFraming {
        if self.body == RequestBody::Stream {
            return match exchange.head.framing {
                Framing::None => UpstreamFraming::None,
                Framing::Length(bytes) => UpstreamFraming::Length(bytes),
                Framing::Chunked => UpstreamFraming::Chunked,
            };
        }
        if self.sends_body {
            UpstreamFraming::Length(exchange.body.len() as u64)
        } else {
            UpstreamFraming::None
        }
    }
}

/// How the end of the body is told to the integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamFraming {
    /// There is no body and nothing is said about it.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks until one of length 0.
    Chunked,
}

/// The method towards the integration.
pub fn method(http: &CompiledHttp, exchange: &Exchange) -> http::Method {
    http.method.unwrap_or_else(|| {
        match route::routed_method(&exchange.head, &exchange.head_bytes) {
            Some(MethodName::Get) => http::Method::Get,
            Some(MethodName::Head) => http::Method::Head,
            Some(MethodName::Post) => http::Method::Post,
            Some(MethodName::Put) => http::Method::Put,
            Some(MethodName::Patch) => http::Method::Patch,
            Some(MethodName::Delete) => http::Method::Delete,
            Some(MethodName::Options) => http::Method::Options,
            // A request of any other method has no route.
            Some(MethodName::Any) | None => exchange.head.method,
        }
    })
}

fn takes_body(method: http::Method) -> bool {
    !matches!(method, http::Method::Get | http::Method::Head | http::Method::Options)
}

/// Whether a request of this method says so even if it has no body (RFC 9110 section 8.6).
fn expects_body(method: http::Method) -> bool {
    matches!(method, http::Method::Post | http::Method::Put | http::Method::Patch)
}

/// Decides what is to be done with a request, before its body is read.
///
/// # Errors
/// [`GatewayError::InvalidEndpointAddress`]; [`GatewayError::UnsupportedMediaType`]: no template and
/// no passing through, or an unknown `Content-Encoding`.
pub fn plan(
    stage: &CompiledStage,
    _method: &CompiledMethod,
    http: &CompiledHttp,
    exchange: &Exchange,
) -> Result<RequestPlan, GatewayError> {
    if http.invalid_endpoint {
        return Err(GatewayError::InvalidEndpointAddress);
    }
    let bytes = &exchange.head_bytes;
    let has_body = !matches!(exchange.head.framing, Framing::None | Framing::Length(0));
    let coding = if has_body && !exchange.body_is_taken {
        Coding::of_request(exchange.head.find(bytes, KnownHeader::ContentEncoding))?
    } else {
        None
    };
    let method = method(http, exchange);
    let mut plan = RequestPlan {
        body: RequestBody::Discard,
        coding,
        template: None,
        conversion: Conversion::Raw,
        // A proxied GET may have a body; whether it has one is the client's business.
        sends_body: if http.proxy { has_body || expects_body(method) } else { takes_body(method) },
        values: BodyValues::default(),
    };
    let reads_body = coding.is_some() || !http.body_sources.is_empty();
    if http.proxy {
        plan.body = match has_body {
            true if reads_body || exchange.body_is_taken => RequestBody::Collect,
            true => RequestBody::Stream,
            false => RequestBody::Discard,
        };
        return Ok(plan);
    }
    let content_type = exchange.head.find(bytes, KnownHeader::ContentType);
    plan.template = http.templates.for_content_type(content_type);
    let refuses = match http.passthrough {
        PassthroughBehavior::WhenNoMatch => false,
        PassthroughBehavior::WhenNoTemplates => !http.templates.entries.is_empty(),
        PassthroughBehavior::Never => true,
    };
    if plan.template.is_none() && refuses {
        return Err(GatewayError::UnsupportedMediaType);
    }
    let is_binary = stage.binary_media_types.contain(content_type);
    plan.conversion = Conversion::of_request(http.content_handling, is_binary);
    let template = template(http, &plan);
    if template.is_some_and(Template::takes_text) && plan.conversion.makes_bytes() {
        return Err(content::BYTES_IN_TEMPLATE);
    }
    // A template may read what the method towards the backend does not send.
    let reads_body = reads_body || matches!(template, Some(Template::Program(it)) if it.reads_body);
    let sends_clients = match template {
        Some(template @ Template::Program(_)) => !template.ignores_body(),
        Some(template) => plan.sends_body && !template.ignores_body(),
        None => plan.sends_body,
    };
    plan.body = match has_body {
        false => RequestBody::Discard,
        true if !http.body_sources.is_empty() => RequestBody::Collect,
        true if !sends_clients => RequestBody::Discard,
        true if reads_body || plan.conversion != Conversion::Raw || exchange.body_is_taken => {
            RequestBody::Collect
        }
        true => RequestBody::Stream,
    };
    Ok(plan)
}

fn template<'s>(http: &'s CompiledHttp, plan: &RequestPlan) -> Option<&'s Template> {
    plan.template.map(|index| &http.templates.entries[index].1)
}

/// Transforms the collected body in place into the one that is sent; call it unless it is streamed, and
/// after its coding was undone. A template also sets overrides, whether its text is sent or not.
///
/// # Errors
/// [`GatewayError::InvalidJsonBody`]: a mapping reads it as JSON and it is none.
/// [`GatewayError::Configuration`]: it should be Base64 and is not. [`GatewayError::Template`].
pub fn body(
    stage: &CompiledStage,
    method: &CompiledMethod,
    http: &CompiledHttp,
    plan: &mut RequestPlan,
    exchange: &mut Exchange,
    renderer: &mut Renderer,
) -> Result<(), GatewayError> {
    let body = &mut exchange.body;
    match plan.body {
        RequestBody::Stream => return Ok(()),
        RequestBody::Discard => body.clear(),
        RequestBody::Collect => {
            let reads_json = http.body_sources.iter().any(BodySource::reads_json);
            if reads_json && !body.is_empty() && !renderer.has(exchange.parsed) {
                exchange.parsed = renderer.parse_json(body);
            }
            plan.values.take(&http.body_sources, body, renderer.has(exchange.parsed))?;
        }
    }
    if matches!(plan.conversion, Conversion::Encode | Conversion::Decode) {
        exchange.parsed = ParsedBody::default();
    }
    if let Some(Template::Program(program)) = template(http, plan) {
        plan.conversion.apply(body)?;
        let mut body = std::mem::take(body);
        let mut overrides = std::mem::take(&mut exchange.overrides);
        let mut context = ContextView::new(stage, exchange);
        context.method = Some(method);
        let rendered = renderer.render_in_place(program, context, &mut overrides, &mut body);
        (exchange.body, exchange.overrides) = (body, overrides);
        exchange.parsed = ParsedBody::default();
        if !plan.sends_body {
            exchange.body.clear();
        }
        return rendered;
    }
    if !plan.sends_body {
        body.clear();
        return Ok(());
    }
    if http.proxy {
        return Ok(());
    }
    content::replace(template(http, plan), plan.conversion, body)
}

/// Headers of the client that HTTP_PROXY does not pass on: those that never get past the front door
/// and those dropped towards HTTP backends (facts, rest-api section 6.2), those of a connection (RFC
/// 9110 section 7.6.1), and those that the gateway writes itself.
const NOT_PASSED: KnownSet = KnownSet::of(&[
    KnownHeader::Connection,
    KnownHeader::ContentEncoding,
    KnownHeader::ContentLength,
    KnownHeader::ContentMd5,
    KnownHeader::Expect,
    KnownHeader::Host,
    KnownHeader::KeepAlive,
    KnownHeader::MaxForwards,
    KnownHeader::ProxyAuthenticate,
    KnownHeader::ProxyAuthorization,
    KnownHeader::ProxyConnection,
    KnownHeader::Server,
    KnownHeader::Te,
    KnownHeader::Trailer,
    KnownHeader::TransferEncoding,
    KnownHeader::Upgrade,
    KnownHeader::Via,
    KnownHeader::WwwAuthenticate,
    KnownHeader::XAmznApigatewayApiId,
    KnownHeader::XAmznTraceId,
    KnownHeader::XForwardedFor,
    KnownHeader::XForwardedPort,
    KnownHeader::XForwardedProto,
]);

/// Appends the head of the request to the integration; returns its method. The exchange gets its
/// trace header.
///
/// # Errors
/// [`GatewayError::HeaderAlreadyPresent`]: a mapping sets what is the gateway's own; `out` may hold
/// part of a head then.
pub fn encode_head(
    stage: &CompiledStage,
    compiled: &CompiledMethod,
    http: &CompiledHttp,
    plan: &RequestPlan,
    exchange: &mut Exchange,
    framing: UpstreamFraming,
    out: &mut Vec<u8>,
) -> Result<http::Method, GatewayError> {
    trace::prepare(exchange);
    let exchange = &*exchange;
    let mut context = ContextView::new(stage, exchange);
    context.method = Some(compiled);
    let values = Values { context, body: Some(&plan.values), answer: None };
    let method = method(http, exchange);

    match method {
        http::Method::Other => {
            out.extend_from_slice(exchange.head.method_name.of(&exchange.head_bytes));
        }
        known => out.extend_from_slice(known.as_str().as_bytes()),
    }
    out.push(b' ');
    let overrides = RequestOverrides::of(&exchange.overrides);
    target(http, &values, &overrides, out)?;
    out.extend_from_slice(b" HTTP/1.1\r\n");

    // `Host` stands first (RFC 9110 section 7.2) unless a mapping may have it.
    let maps_host = http.headers.iter().any(|mapping| mapping.known == KnownHeader::Host)
        || overrides.has_header(b"Host");
    if !maps_host {
        out.extend_from_slice(&http.target.host_line);
    }
    let set = mapped_headers(http, &values, &overrides, out)?;
    let mut writer = HeadWriter { out, known: set.known };
    if maps_host {
        writer.default_line(KnownHeader::Host, &http.target.host_line);
    }
    if http.proxy {
        writer.client_headers(http, exchange, &set);
        if !exchange.is_test {
            writer.forwarded(exchange);
        }
    } else if takes_body(method) {
        let content_type = context.header(KnownHeader::ContentType);
        writer.default(KnownHeader::ContentType, content_type.unwrap_or(b"application/json"));
    }
    writer.default_line(KnownHeader::Accept, b"Accept: application/json\r\n");
    writer.default_line(KnownHeader::UserAgent, &stage.user_agent_line);
    out.extend_from_slice(&stage.api_id_line);
    out.extend_from_slice(b"X-Amzn-Trace-Id: ");
    out.extend_from_slice(&exchange.trace);
    out.extend_from_slice(b"\r\nConnection: keep-alive\r\n");
    match framing {
        UpstreamFraming::None => {}
        UpstreamFraming::Length(bytes) => encode::content_length(out, bytes),
        UpstreamFraming::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
    }
    out.extend_from_slice(b"\r\n");
    Ok(method)
}

/// Path and query: the URI's own, then the client's (HTTP_PROXY), then what is mapped.
fn target(
    http: &CompiledHttp,
    values: &Values<'_>,
    overrides: &RequestOverrides<'_>,
    out: &mut Vec<u8>,
) -> Result<(), GatewayError> {
    for (place, piece) in http.uri.iter().enumerate() {
        let start = out.len();
        if !overrides.path.is_empty()
            && let Some(value) = overridden_path(http, overrides, place)
        {
            overrides::write(value, out);
            let in_path = matches!(piece, UriPiece::Path(_));
            escape(out, start, if in_path { uri::PATH } else { uri::COMPONENT });
            continue;
        }
        match piece {
            UriPiece::Literal(text) => out.extend_from_slice(text),
            // As received, escapes and slashes included: decoding could only change its meaning.
            UriPiece::Path(Source::Path(index)) => {
                let value = values.raw_path_parameter(usize::from(*index));
                out.extend_from_slice(value.unwrap_or_default());
            }
            UriPiece::Path(source) => {
                values.write(source, out)?;
                escape(out, start, uri::PATH);
            }
            UriPiece::Query(source) => {
                values.write(source, out)?;
                escape(out, start, uri::COMPONENT);
            }
        }
    }
    let exchange = values.context.exchange;
    let mut separator = if http.uri_has_query { b'&' } else { b'?' };
    let client_query = exchange.head.query.of(&exchange.head_bytes);
    if http.proxy && !client_query.is_empty() {
        out.push(separator);
        out.extend_from_slice(client_query);
        separator = b'&';
    }
    for mapping in &http.query {
        if is_overridden(overrides.querystring, &mapping.name) {
            continue;
        }
        if let Source::Query { name, all } = &mapping.source {
            // From query to query nothing has to be decoded; repeated parameters stay repeated.
            let mut from = values.query_values(name);
            let last = if *all { None } else { from.next_back() };
            let all = all.then_some(from).into_iter().flatten();
            for value in last.into_iter().chain(all) {
                out.push(separator);
                out.extend_from_slice(&mapping.name);
                out.push(b'=');
                out.extend_from_slice(value);
                separator = b'&';
            }
            continue;
        }
        let start = out.len();
        out.push(separator);
        out.extend_from_slice(&mapping.name);
        out.push(b'=');
        let value_start = out.len();
        if values.write(&mapping.source, out)? {
            escape(out, value_start, uri::COMPONENT);
            separator = b'&';
        } else {
            out.truncate(start);
        }
    }
    for (name, value) in overrides.querystring {
        for value in overrides::each(value) {
            out.push(separator);
            let start = out.len();
            out.extend_from_slice(name.as_bytes());
            escape(out, start, uri::COMPONENT);
            out.push(b'=');
            let start = out.len();
            overrides::write(value, out);
            escape(out, start, uri::COMPONENT);
            separator = b'&';
        }
    }
    Ok(())
}

/// What a template has set over the parameter in this place of the URI.
fn overridden_path<'o>(
    http: &CompiledHttp,
    overrides: &RequestOverrides<'o>,
    place: usize,
) -> Option<&'o Owned> {
    let (name, _) = http.uri_names.iter().find(|(_, other)| *other == place)?;
    let (_, value) = overrides.path.iter().find(|(other, _)| **other == **name)?;
    overrides::has_value(value).then_some(value)
}

/// Whether a template has set a query parameter of this name, which is escaped.
fn is_overridden(values: overrides::Values<'_>, escaped: &[u8]) -> bool {
    values.iter().any(|(name, value)| {
        let name = percent_encoding::utf8_percent_encode(name, uri::COMPONENT);
        overrides::has_value(value) && name.flat_map(str::bytes).eq(escaped.iter().copied())
    })
}

/// Percent-encodes what stands in `out` from `start` on, without another buffer.
fn escape(out: &mut Vec<u8>, start: usize, set: &'static AsciiSet) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let is_kept = |byte: u8| {
        byte.is_ascii()
            && std::str::from_utf8(&[byte]).is_ok_and(|text| {
                percent_encoding::utf8_percent_encode(text, set).next() == Some(text)
            })
    };
    let escaped = out[start..].iter().filter(|&&byte| !is_kept(byte)).count();
    if escaped == 0 {
        return;
    }
    let mut from = out.len();
    let mut to = from + 2 * escaped;
    out.resize(to, 0);
    while from > start {
        from -= 1;
        let byte = out[from];
        if is_kept(byte) {
            to -= 1;
            out[to] = byte;
        } else {
            to -= 3;
            let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
            out[to..to + 3].copy_from_slice(&[b'%', high, low]);
        }
    }
}

/// Which headers the mappings have set.
#[derive(Default)]
struct MappedHeaders {
    known: KnownSet,
    /// Places in `CompiledHttp::headers` of those that are no known header.
    other: SmallVec<[u16; 8]>,
}

/// Writes the mapped headers that have a value, and those of a template instead and behind.
fn mapped_headers(
    http: &CompiledHttp,
    values: &Values<'_>,
    overrides: &RequestOverrides<'_>,
    out: &mut Vec<u8>,
) -> Result<MappedHeaders, GatewayError> {
    let mut set = MappedHeaders::default();
    for (index, mapping) in http.headers.iter().enumerate() {
        if !overrides.header.is_empty() && overrides.has_header(&mapping.name) {
            continue;
        }
        let start = out.len();
        out.extend_from_slice(&mapping.name);
        out.extend_from_slice(b": ");
        let value_start = out.len();
        if !values.write(&mapping.source, out)? {
            out.truncate(start);
            continue;
        }
        if mapping.forbidden {
            let name = String::from_utf8_lossy(&mapping.name).into_owned();
            return Err(GatewayError::HeaderAlreadyPresent { name });
        }
        encode::blank_controls(&mut out[value_start..]);
        out.extend_from_slice(b"\r\n");
        match mapping.known {
            KnownHeader::Other => set.other.extend(u16::try_from(index)),
            known => set.known.insert(known),
        }
    }
    if !overrides.header.is_empty() {
        overrides.write_headers(out, |known| set.known.insert(known))?;
    }
    Ok(set)
}

/// Writes headers and keeps in mind which of the known ones are there.
struct HeadWriter<'o> {
    out: &'o mut Vec<u8>,
    known: KnownSet,
}

impl HeadWriter<'_> {
    /// Writes a header unless it is there.
    fn default(&mut self, known: KnownHeader, value: &[u8]) {
        if !self.known.contains(known) {
            encode::header(self.out, known.as_str().as_bytes(), value);
        }
    }

    /// Writes a header unless it is there; `line` is all of it.
    #[inline]
    fn default_line(&mut self, known: KnownHeader, line: &[u8]) {
        if !self.known.contains(known) {
            self.out.extend_from_slice(line);
        }
    }

    /// The client's headers, but for those that stay here and those that a mapping has replaced.
    fn client_headers(&mut self, http: &CompiledHttp, exchange: &Exchange, set: &MappedHeaders) {
        let bytes = &*exchange.head_bytes;
        let skipped = NOT_PASSED.union(set.known);
        let connection = || exchange.head.values(bytes, b"Connection");
        for field in &exchange.head.headers {
            if field.known != KnownHeader::Other {
                if skipped.contains(field.known) {
                    continue;
                }
            } else if !set.other.is_empty() {
                let name = field.name.of(bytes);
                let is_name =
                    |&index: &u16| http.headers[usize::from(index)].name.eq_ignore_ascii_case(name);
                if set.other.iter().any(is_name) {
                    continue;
                }
            }
            // A signature is for the gateway; nobody behind it can check it.
            if field.known == KnownHeader::Authorization
                && field.value.of(bytes).starts_with(b"AWS4-HMAC-SHA256")
            {
                continue;
            }
            if exchange.head.names_headers
                && connection::is_named(connection(), field.name.of(bytes))
            {
                continue;
            }
            self.known.insert(field.known);
            field.encode(bytes, self.out);
        }
    }

    /// `X-Forwarded-For` with the client behind what it said itself, `-Port` and `-Proto`.
    fn forwarded(&mut self, exchange: &Exchange) {
        if !self.known.contains(KnownHeader::XForwardedFor) {
            self.out.extend_from_slice(b"X-Forwarded-For: ");
            let name = KnownHeader::XForwardedFor.as_str().as_bytes();
            for value in exchange.head.values(&exchange.head_bytes, name) {
                self.out.extend_from_slice(value);
                self.out.extend_from_slice(b", ");
            }
            encode::address(self.out, exchange.peer.ip);
            self.out.extend_from_slice(b"\r\n");
        }
        if !self.known.contains(KnownHeader::XForwardedPort) {
            self.out.extend_from_slice(b"X-Forwarded-Port: ");
            encode::decimal(self.out, exchange.peer.local_port.into());
            self.out.extend_from_slice(b"\r\n");
        }
        self.default_line(KnownHeader::XForwardedProto, b"X-Forwarded-Proto: http\r\n");
    }
}

#[cfg(test)]
mod tests;
