//! Step write: an answer as HTTP/1.1 bytes.
//!
//! In: `exchange.response`. Out: bytes appended to the connection's output, which leaves in one send
//! per loop turn. Cost: copies; `Date` is formatted once a second.
//! Source: RFC 9112 sections 4 and 6; facts, rest-api section 6.2.

use super::state::Shard;
use crate::deploy::CompiledStage;
use crate::gateway::{Exchange, RequestIds, ResponseBody};
use crate::http::{KnownHeader, Method, Version, encode};
use crate::time::WallMillis;

/// How the body after a head is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    /// All of the answer is in the output.
    Complete,
    /// The carrier streams this many bytes.
    Length(u64),
    /// The carrier streams chunks.
    Chunked,
    /// The carrier streams until it closes.
    UntilClose,
}

/// Appends the answer's head, and its body unless it is streamed. Also counts the body's bytes.
pub(super) fn response(
    shard: &Shard,
    stage: &CompiledStage,
    exchange: &mut Exchange,
    keep_alive: bool,
    out: &mut Vec<u8>,
) -> BodyFraming {
    let is_head = exchange.head.method == Method::Head;
    if let ResponseBody::Constant(index) = exchange.response.body {
        let constant = &stage.constants[index as usize];
        exchange.response.status = constant.status;
        out.extend_from_slice(&constant.h1);
        shard.end_head(out, &exchange.ids, keep_alive);
        if !is_head {
            out.extend_from_slice(&constant.body);
            exchange.response.length = constant.body.len() as u64;
        }
        return BodyFraming::Complete;
    }
    let response = &mut exchange.response;
    debug_assert!(!response.headers.holds_writers_own(), "{:?}", response.headers);
    encode::status_line(out, response.status);
    if response.headers.find(KnownHeader::ContentType).is_none() {
        out.extend_from_slice(b"Content-Type: application/json\r\n");
    }
    response.headers.encode(out);
    let bodiless = matches!(response.status, 100..=199 | 204 | 304);
    let framing = match response.body {
        _ if bodiless => BodyFraming::Complete,
        ResponseBody::Empty | ResponseBody::Buffered | ResponseBody::Constant(_) => {
            let length = response.head_length.unwrap_or(response.buffer.len() as u64);
            encode::content_length(out, length);
            BodyFraming::Complete
        }
        ResponseBody::Streamed(Some(length)) => {
            encode::content_length(out, length);
            if is_head { BodyFraming::Complete } else { BodyFraming::Length(length) }
        }
        ResponseBody::Streamed(None) if exchange.head.version == Version::Http10 => {
            BodyFraming::UntilClose
        }
        ResponseBody::Streamed(None) => {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            if is_head { BodyFraming::Complete } else { BodyFraming::Chunked }
        }
    };
    shard.end_head(out, &exchange.ids, keep_alive && framing != BodyFraming::UntilClose);
    if framing == BodyFraming::Complete && !bodiless && !is_head {
        out.extend_from_slice(&exchange.response.buffer);
        exchange.response.length = exchange.response.buffer.len() as u64;
    }
    framing
}

/// `Date`, ids and `Connection`, kept as text into which the ids are copied.
pub(super) struct FixedHeaders {
    second: u64,
    text: Vec<u8>,
}

const DATE: &[u8] = b"Date: ";
const REQUEST_ID: &[u8] = b"\r\nx-amzn-RequestId: ";
const EXTENDED_ID: &[u8] = b"\r\nx-amz-apigw-id: ";
const KEEP_ALIVE: &[u8] = b"\r\nConnection: keep-alive\r\n\r\n";
const CLOSE: &[u8] = b"\r\nConnection: close\r\n\r\n";
const DATE_BYTES: usize = 29;

impl FixedHeaders {
    pub(super) fn new(wall: WallMillis) -> Self {
        let mut fixed = Self { second: u64::MAX, text: Vec::new() };
        fixed.refresh(wall);
        fixed
    }

    fn refresh(&mut self, wall: WallMillis) {
        let second = wall.0 / 1_000;
        if self.second == second {
            return;
        }
        self.second = second;
        let date = wall.http_date();
        assert_eq!(date.len(), DATE_BYTES);
        self.text.clear();
        self.text.extend_from_slice(DATE);
        self.text.extend_from_slice(date.as_bytes());
        self.text.extend_from_slice(REQUEST_ID);
    }

    pub(super) fn append(
        &mut self,
        out: &mut Vec<u8>,
        wall: WallMillis,
        ids: &RequestIds,
        keep_alive: bool,
    ) {
        self.refresh(wall);
        out.extend_from_slice(&self.text);
        out.extend_from_slice(&ids.request_id);
        out.extend_from_slice(EXTENDED_ID);
        out.extend_from_slice(&ids.extended_request_id);
        out.extend_from_slice(if keep_alive { KEEP_ALIVE } else { CLOSE });
    }
}
