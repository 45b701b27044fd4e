//! A request's head: request line and header fields.
//!
//! In: what has arrived, from the first byte of the head. Out: spans, framing, and what the
//! connection is to do afterwards. Cost: one pass of httparse (SIMD) and one over its fields; no
//! allocation once `headers` has grown.
//!
//! Source: RFC 9112 sections 2, 3, 5, 6, 9; RFC 9110 sections 5.5, 7.2, 8.6, 10.1.1.

use std::mem::MaybeUninit;

use super::fields::{self, Coding, HeaderField, Side, Values};
use super::scan::{HEAD_BYTES_CEILING, HeadLimits, HeadScan, check_method};
use super::{HeadError, KnownHeader, Method, Span, Version, target};
use crate::limits::HEADER_COUNT_MAX;

/// How the end of a request's body is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Framing {
    /// There is no body.
    #[default]
    None,
    /// So many bytes; may be 0.
    Length(u64),
    /// Chunks until one of length 0.
    Chunked,
}

/// One request's head as spans into the bytes it was parsed from.
///
/// Reused from request to request; after an error or `Ok(false)` its contents mean nothing.
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The method's name as it was sent.
    pub method_name: Span,
    /// The whole target as it was sent.
    pub target: Span,
    /// The path, beginning with `/`; `*` for `OPTIONS *`. In absolute form what follows the
    /// authority, `/` if nothing does.
    pub path: Span,
    /// The query without its `?`; empty if there is none.
    pub query: Span,
    /// The version the client speaks.
    pub version: Version,
    /// All header fields in the order they came.
    pub headers: Vec<HeaderField>,
    /// How the body's end is told.
    pub framing: Framing,
    /// Whether the client wants to send another request on this connection.
    pub keep_alive: bool,
    /// Whether `Connection` names headers, which then go no further (RFC 9110 section 7.6.1), and does not
    /// just say what becomes of the connection.
    pub names_headers: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
    /// `Host`, or the target's authority; empty only for HTTP/1.0 without either.
    pub host: Span,
    /// Bytes of the head: the body begins here.
    pub len: u32,
}

impl RequestHead {
    /// Reads the head at the beginning of `bytes`; `Ok(false)`: more bytes are needed.
    ///
    /// The caller keeps `bytes` and comes back with more behind them and with the same `scan`.
    ///
    /// # Errors
    /// [`HeadError`]: answer with its status and close; `scan` is ready for another connection.
    pub fn parse(
        &mut self,
        bytes: &[u8],
        scan: &mut HeadScan,
        limits: &HeadLimits,
    ) -> Result<bool, HeadError> {
        let bytes = &bytes[..bytes.len().min(HEAD_BYTES_CEILING)];
        // Nearly every head comes whole. Only success counts here: which of several errors is the
        // first must not depend on where the bytes were cut, so the scan decides that.
        if scan.is_fresh() && self.parse_whole(bytes, limits) == Ok(true) {
            return Ok(true);
        }
        let end = match scan.request(bytes, limits) {
            Ok(Some(end)) => end,
            Ok(None) => return Ok(false),
            Err(error) => {
                scan.reset();
                return Err(error);
            }
        };
        scan.reset();
        match self.parse_whole(&bytes[..end], limits)? {
            true => Ok(true),
            // httparse saw no end where the scan saw an empty line: they disagree on a line end.
            false => Err(HeadError::BareCarriageReturn),
        }
    }

    /// Parses without memory of earlier attempts; `Ok(false)`: no end in sight.
    fn parse_whole(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<bool, HeadError> {
        let start = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
        match bytes.get(start) {
            None => return Ok(false),
            Some(b'\r' | b'\n') => return Err(HeadError::EmptyLines),
            Some(_) => {}
        }
        let mut slots = [const { MaybeUninit::uninit() }; HEADER_COUNT_MAX];
        let mut more_slots = Vec::new();
        let mut request = httparse::Request::new(&mut []);
        let count = limits.count();
        let slots = &mut slots[..count.min(HEADER_COUNT_MAX)];
        let parsed = match request.parse_with_uninit_headers(&bytes[start..], slots) {
            // Only where the limit was raised, and only for such a head.
            Err(httparse::Error::TooManyHeaders) if count > HEADER_COUNT_MAX => {
                more_slots.resize_with(count, MaybeUninit::uninit);
                request = httparse::Request::new(&mut []);
                request.parse_with_uninit_headers(&bytes[start..], &mut more_slots)?
            }
            parsed => parsed?,
        };
        let len = match parsed {
            httparse::Status::Complete(len) => start + len,
            httparse::Status::Partial => return Ok(false),
        };
        let (Some(method), Some(target), Some(version)) =
            (request.method, request.path, request.version)
        else {
            return Err(HeadError::RequestLine);
        };
        let bytes = &bytes[..len];

        let method = method.as_bytes();
        check_method(method)?;
        self.method = Method::of(method);
        self.method_name = Span::new(start, method.len());
        let target_at = start + method.len() + 1;
        if target.len() > limits.url_bytes {
            return Err(HeadError::UrlTooLong);
        }
        let parts = target::split(target.as_bytes(), target_at, self.method)?;
        self.target = Span::new(target_at, target.len());
        self.path = parts.path;
        self.query = parts.query;
        self.version = if version == 0 { Version::Http10 } else { Version::Http11 };

        let fields_at = target_at + target.len() + " HTTP/1.1\r\n".len();
        let facts =
            fields::collect(&mut self.headers, bytes, fields_at, request.headers, Side::Request)?;
        if facts.total_bytes > limits.header_bytes || len - fields_at > limits.section_bytes_max() {
            return Err(HeadError::HeadersTooLarge);
        }
        self.host = match facts.host {
            Some(host) => {
                target::check_host(host.of(bytes))?;
                if !parts.authority.is_empty()
                    && !host.of(bytes).eq_ignore_ascii_case(parts.authority.of(bytes))
                {
                    return Err(HeadError::HostMismatch);
                }
                host
            }
            None if self.version == Version::Http11 => return Err(HeadError::HostMissing),
            None => parts.authority,
        };
        self.framing = match (facts.coding, facts.content_length) {
            (Coding::Chunked, _) if self.version == Version::Http10 => {
                return Err(HeadError::TransferEncodingInHttp10);
            }
            (Coding::Chunked, _) => Framing::Chunked,
            (Coding::None, Some(length)) => Framing::Length(length),
            (Coding::None, None) => Framing::None,
        };
        // An HTTP/1.0 client cannot mean it: the header came through a proxy (RFC 9110, 10.1.1).
        let expects = self.version == Version::Http11;
        if expects && facts.expect_other {
            return Err(HeadError::Expectation);
        }
        self.expect_continue = expects && facts.expect;
        self.keep_alive = facts.persists(self.version);
        self.names_headers = facts.names_headers;
        self.len = len as u32;
        Ok(true)
    }

    /// Forgets the head: no method, no target, no headers. `headers` keeps its capacity.
    pub fn clear(&mut self) {
        let mut headers = std::mem::take(&mut self.headers);
        headers.clear();
        *self = Self { method: Method::Other, headers, ..Self::default() };
    }

    /// Value of the first header of this kind; `bytes` are those it was parsed from.
    #[inline]
    pub fn find<'a>(&self, bytes: &'a [u8], known: KnownHeader) -> Option<&'a [u8]> {
        fields::find(&self.headers, bytes, known)
    }

    /// Value of the first header of this name, in any case of letters.
    pub fn find_name<'a>(&self, bytes: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
        fields::find_name(&self.headers, bytes, name)
    }

    /// All values of this name, in any case of letters, in the order they came.
    pub fn values<'a>(&'a self, bytes: &'a [u8], name: &'a [u8]) -> Values<'a> {
        Values::new(bytes, &self.headers, name)
    }
}
