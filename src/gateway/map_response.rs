//! Step 11, map response: what the client gets of the integration's answer.
//!
//! HTTP_PROXY passes status, headers and body; headers that the gateway writes itself are renamed
//! `x-amzn-Remapped-<Name>`, those of the connection go. HTTP selects an integration response by
//! status and sends only what that one maps; the body goes through contentHandling and template.
//!
//! AWS's recordings say that HTTP_PROXY drops `Content-Encoding` of an answer, its published table
//! that it passes. It passes here: without it nobody could read a compressed body.
//!
//! Cost: one pass over the answer's headers; no allocation once the buffers have grown.
//! Source: facts, rest-api section 6, aws-recorded sections 24.2, 25 and 28.2, vtl section 15.

use super::content::{self, Conversion};
use super::context::values::{Answer, Values};
use super::context::{ContextView, connection};
use super::error::GatewayError;
use super::exchange::{Exchange, ResponseBody};
use super::overrides;
use super::templates::Renderer;
use crate::deploy::{
    CompiledHttp, CompiledMethod, CompiledResponse, CompiledStage, KnownSet, Template,
};
use crate::http::{KnownHeader, ResponseFraming, ResponseHead};

/// What is done with the body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerBody {
    /// It is read and dropped: nothing of it is sent.
    Discard,
    /// It passes through as it comes.
    Stream,
    /// It is collected before [`http`] (in its own buffer) or [`proxy`] (in
    /// `Exchange::response.buffer`) is called.
    Collect,
}

/// Headers of an answer that HTTP_PROXY renames: the recorded four and the backend's request id,
/// and those that AWS's published table remaps (facts, rest-api section 6).
const RENAMED: KnownSet = KnownSet::of(&[
    KnownHeader::Authorization,
    KnownHeader::Connection,
    KnownHeader::ContentLength,
    KnownHeader::ContentMd5,
    KnownHeader::Date,
    KnownHeader::MaxForwards,
    KnownHeader::Server,
    KnownHeader::UserAgent,
    KnownHeader::WwwAuthenticate,
    KnownHeader::XAmznRequestId,
]);

/// Headers of an answer that go no further.
const DROPPED: KnownSet = KnownSet::of(&[
    KnownHeader::Expect,
    KnownHeader::Host,
    KnownHeader::KeepAlive,
    KnownHeader::ProxyAuthenticate,
    KnownHeader::ProxyConnection,
    KnownHeader::Te,
    KnownHeader::Trailer,
    KnownHeader::TransferEncoding,
    KnownHeader::Upgrade,
    KnownHeader::Via,
    KnownHeader::XAmzApigwId,
]);

/// Selects the integration response for a status.
///
/// # Errors
/// [`GatewayError::NoMatchingResponse`]; [`GatewayError::UndeclaredStatus`]: it leads to a status that
/// the method does not declare.
pub fn select(http: &CompiledHttp, status: u16) -> Result<&CompiledResponse, GatewayError> {
    let status = i64::from(status);
    let index = http.selector.select(status).ok_or(GatewayError::NoMatchingResponse { status })?;
    let selected = &http.responses[index];
    if selected.declared {
        Ok(selected)
    } else {
        Err(GatewayError::UndeclaredStatus { status: selected.status })
    }
}

/// Decides what is done with the answer's body. `selected` is `None` for HTTP_PROXY.
pub fn plan(
    stage: &CompiledStage,
    selected: Option<&CompiledResponse>,
    exchange: &Exchange,
    head: &ResponseHead,
    head_bytes: &[u8],
) -> AnswerBody {
    let Some(selected) = selected else {
        if head.framing == ResponseFraming::None {
            return AnswerBody::Stream;
        }
        let coded = head.find(head_bytes, KnownHeader::ContentEncoding).is_some();
        return if content::wants_compression(stage, exchange, coded) {
            AnswerBody::Collect
        } else {
            AnswerBody::Stream
        };
    };
    if selected.reads_body {
        return AnswerBody::Collect;
    }
    let template = template(selected, exchange);
    if template.is_some_and(Template::ignores_body) {
        return AnswerBody::Discard;
    }
    if template.is_some_and(Template::takes_text)
        || conversion(stage, selected, exchange, head, head_bytes) != Conversion::Raw
        || content::wants_compression(stage, exchange, false)
    {
        return AnswerBody::Collect;
    }
    AnswerBody::Stream
}

/// The body's length where it is streamed.
fn streamed(head: &ResponseHead) -> ResponseBody {
    match head.framing {
        ResponseFraming::None => ResponseBody::Empty,
        ResponseFraming::Length(bytes) => ResponseBody::Streamed(Some(bytes)),
        ResponseFraming::Chunked | ResponseFraming::UntilClose => ResponseBody::Streamed(None),
    }
}

/// Fills status and headers of the client's answer for HTTP_PROXY. The body is streamed; who has
/// collected it sets [`ResponseBody::Buffered`] afterwards.
///
/// # Errors
/// None so far; the signature is that of all mapping steps.
pub fn proxy(
    _stage: &CompiledStage,
    _method: &CompiledMethod,
    _http: &CompiledHttp,
    exchange: &mut Exchange,
    head: &ResponseHead,
    head_bytes: &[u8],
) -> Result<(), GatewayError> {
    let response = &mut exchange.response;
    response.status = head.status;
    response.body = streamed(head);
    let connection = || head.values(head_bytes, b"Connection");
    for field in &head.headers {
        if field.known != KnownHeader::Other {
            if DROPPED.contains(field.known) {
                continue;
            }
            if RENAMED.contains(field.known) {
                response.headers.pass_as(remapped(field.known), field, head_bytes);
                continue;
            }
        }
        if head.names_headers && connection::is_named(connection(), field.name.of(head_bytes)) {
            continue;
        }
        response.headers.pass(field, head_bytes);
    }
    Ok(())
}

/// `x-amzn-Remapped-<Name>` of a renamed header.
fn remapped(known: KnownHeader) -> &'static [u8] {
    match known {
        KnownHeader::Authorization => b"x-amzn-Remapped-Authorization",
        KnownHeader::Connection => b"x-amzn-Remapped-Connection",
        KnownHeader::ContentLength => b"x-amzn-Remapped-Content-Length",
        KnownHeader::ContentMd5 => b"x-amzn-Remapped-Content-MD5",
        KnownHeader::Date => b"x-amzn-Remapped-Date",
        KnownHeader::MaxForwards => b"x-amzn-Remapped-Max-Forwards",
        KnownHeader::Server => b"x-amzn-Remapped-Server",
        KnownHeader::UserAgent => b"x-amzn-Remapped-User-Agent",
        KnownHeader::WwwAuthenticate => b"x-amzn-Remapped-WWW-Authenticate",
        KnownHeader::XAmznRequestId => b"x-amzn-Remapped-x-amzn-RequestId",
        _ => unreachable!("only what RENAMED holds is renamed; a test goes through all of it"),
    }
}

fn template<'s>(selected: &'s CompiledResponse, exchange: &Exchange) -> Option<&'s Template> {
    let accept = exchange.head.find(&exchange.head_bytes, KnownHeader::Accept);
    let index = selected.templates.for_accept(accept)?;
    Some(&selected.templates.entries[index].1)
}

fn conversion(
    stage: &CompiledStage,
    selected: &CompiledResponse,
    exchange: &Exchange,
    head: &ResponseHead,
    head_bytes: &[u8],
) -> Conversion {
    let content_type = head.find(head_bytes, KnownHeader::ContentType);
    Conversion::of_answer(stage, selected, exchange, content_type)
}

/// Fills the client's answer for HTTP. `body` is the answer's body if it was read (it is left with
/// another buffer's contents); `None`: it is streamed, or it was discarded.
///
/// # Errors
/// [`GatewayError::Configuration`]: the body cannot be converted, or a mapping reads it as JSON and
/// it is none. [`GatewayError::Template`].
#[expect(clippy::too_many_arguments, reason = "a step takes what it needs, each a different thing")]
pub fn http(
    stage: &CompiledStage,
    method: &CompiledMethod,
    _http: &CompiledHttp,
    selected: &CompiledResponse,
    exchange: &mut Exchange,
    head: &ResponseHead,
    head_bytes: &[u8],
    mut body: Option<&mut Vec<u8>>,
    renderer: &mut Renderer,
) -> Result<(), GatewayError> {
    let template = template(selected, exchange);
    let conversion = conversion(stage, selected, exchange, head, head_bytes);
    if template.is_some_and(Template::takes_text) && conversion.makes_bytes() {
        return Err(content::BYTES_IN_TEMPLATE);
    }

    let mut headers = std::mem::take(&mut exchange.response.headers);
    // The request has been sent: the memory of its body is free for the values of headers.
    let mut scratch = std::mem::take(&mut exchange.body);
    let mut context = ContextView::new(stage, exchange);
    context.method = Some(method);
    let answer = Answer { head, head_bytes, body: body.as_deref().map_or(&[][..], |it| it) };
    let values = Values { context, body: None, answer: Some(answer) };
    let mapped = values.set_headers(&selected.headers, &mut scratch, &mut headers);
    exchange.response.headers = headers;
    scratch.clear();
    exchange.body = scratch;
    mapped?;
    exchange.response.status = selected.status;
    exchange.response.buffer.clear();
    if let Some(Template::Program(program)) = template {
        let text = body.as_deref_mut();
        let text = match text {
            Some(body) => {
                conversion.apply(body)?;
                &body[..]
            }
            None => &[],
        };
        let mut buffer = std::mem::take(&mut exchange.response.buffer);
        let mut overrides = std::mem::take(&mut exchange.overrides);
        let mut context = ContextView::new(stage, exchange);
        context.method = Some(method);
        let rendered = renderer.render(program, context, text, &mut overrides, &mut buffer);
        exchange.response.buffer = buffer;
        exchange.overrides = overrides;
        rendered?;
    }
    if !exchange.overrides.is_empty() {
        let (response, scratch) = (&mut exchange.response, &mut exchange.body);
        overrides::apply_to_response(&exchange.overrides, false, response, scratch)?;
        scratch.clear();
    }

    let response = &mut exchange.response;
    // What is mapped to `X-Amzn-Trace-Id` would stand beside the gateway's own.
    response.headers.set(KnownHeader::XAmznTraceId.as_str().as_bytes(), &exchange.trace);
    response.body = match (template, &mut body) {
        (Some(Template::Literal(text)), _) => {
            response.buffer.extend_from_slice(text);
            ResponseBody::Buffered
        }
        (Some(Template::Program(_)), _) => ResponseBody::Buffered,
        (_, Some(body)) => {
            conversion.apply(body)?;
            std::mem::swap(*body, &mut response.buffer);
            ResponseBody::Buffered
        }
        (_, None) => streamed(head),
    };
    Ok(())
}

#[cfg(test)]
mod tests;
