//! The head of an integration's answer.
//!
//! In: what has arrived, from the first byte of the head. Out: status, spans, framing. As strict as
//! for requests (the caller answers 502): an answer that could be read in two ways would let one
//! client's answer become another's on a kept connection.
//!
//! Source: RFC 9112 sections 4, 6.3, 9.3.

use std::mem::MaybeUninit;

use super::fields::{self, Coding, HeaderField, Side, Values};
use super::scan::{HEAD_BYTES_CEILING, HeadScan};
use super::{HeadError, KnownHeader, Method, Span, Version};
use crate::limits::{HEADER_COUNT_MAX, RESPONSE_HEAD_BYTES_MAX};

/// How the end of an answer's body is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ResponseFraming {
    /// There is no body, whatever the headers say: an answer to `HEAD`, 1xx, 204, 304.
    #[default]
    None,
    /// So many bytes; may be 0.
    Length(u64),
    /// Chunks until one of length 0.
    Chunked,
    /// Until the connection ends.
    UntilClose,
}

/// One answer's head as spans into the bytes it was parsed from.
///
/// Reused from answer to answer; after an error or `Ok(false)` its contents mean nothing.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    /// Status, 100 to 999 and never 101.
    pub status: u16,
    /// The version the integration speaks.
    pub version: Version,
    /// The reason phrase as it was sent; may be empty.
    pub reason: Span,
    /// All header fields in the order they came.
    pub headers: Vec<HeaderField>,
    /// How the body's end is told.
    pub framing: ResponseFraming,
    /// Whether the connection may carry another request after the body.
    pub keep_alive: bool,
    /// Whether `Connection` names headers, which then go no further (RFC 9110 section 7.6.1), and does not
    /// just say what becomes of the connection.
    pub names_headers: bool,
    /// Bytes of the head: the body begins here.
    pub len: u32,
}

impl ResponseHead {
    /// Reads the head at the beginning of `bytes`; `Ok(false)`: more bytes are needed.
    ///
    /// A 1xx is returned like any other head: skip its `len` bytes and parse again.
    /// `request_method` is the method that was asked with. The caller keeps `bytes` and comes back
    /// with more behind them and with the same `scan`.
    ///
    /// # Errors
    /// [`HeadError`]: the connection is of no use any more.
    pub fn parse(
        &mut self,
        bytes: &[u8],
        request_method: Method,
        scan: &mut HeadScan,
    ) -> Result<bool, HeadError> {
        let bytes = &bytes[..bytes.len().min(HEAD_BYTES_CEILING)];
        if scan.is_fresh() && self.parse_whole(bytes, request_method) == Ok(true) {
            return Ok(true);
        }
        let end = match scan.response(bytes) {
            Ok(Some(end)) => end,
            Ok(None) => return Ok(false),
            Err(error) => {
                scan.reset();
                return Err(error);
            }
        };
        scan.reset();
        match self.parse_whole(&bytes[..end], request_method)? {
            true => Ok(true),
            false => Err(HeadError::BareCarriageReturn),
        }
    }

    fn parse_whole(&mut self, bytes: &[u8], request_method: Method) -> Result<bool, HeadError> {
        match bytes.first() {
            None => return Ok(false),
            Some(b'H') => {}
            Some(_) => return Err(HeadError::StatusLine),
        }
        let mut slots = [const { MaybeUninit::uninit() }; HEADER_COUNT_MAX];
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            bytes,
            &mut slots,
        )?;
        let len = match parsed {
            httparse::Status::Complete(len) => len,
            httparse::Status::Partial => return Ok(false),
        };
        if len > RESPONSE_HEAD_BYTES_MAX {
            return Err(HeadError::HeadersTooLarge);
        }
        let (Some(status), Some(version)) = (response.code, response.version) else {
            return Err(HeadError::StatusLine);
        };
        if status < 100 {
            return Err(HeadError::StatusLine);
        }
        if status == 101 {
            return Err(HeadError::SwitchingProtocols);
        }
        let bytes = &bytes[..len];
        self.status = status;
        self.version = if version == 0 { Version::Http10 } else { Version::Http11 };
        let line = memchr::memchr(b'\n', bytes).ok_or(HeadError::StatusLine)?;
        let reason_at = "HTTP/1.1 200 ".len();
        self.reason = Span::new(reason_at, line.saturating_sub(reason_at + 1));

        let facts =
            fields::collect(&mut self.headers, bytes, line + 1, response.headers, Side::Response)?;
        let bodiless = request_method == Method::Head || matches!(status, 100..=199 | 204 | 304);
        self.framing = match (facts.coding, facts.content_length) {
            (Coding::Chunked, _) if self.version == Version::Http10 => {
                return Err(HeadError::TransferEncodingInHttp10);
            }
            _ if bodiless => ResponseFraming::None,
            (Coding::Chunked, _) => ResponseFraming::Chunked,
            (Coding::None, Some(length)) => ResponseFraming::Length(length),
            (Coding::None, None) => ResponseFraming::UntilClose,
        };
        self.keep_alive =
            facts.persists(self.version) && self.framing != ResponseFraming::UntilClose;
        self.names_headers = facts.names_headers;
        self.len = len as u32;
        Ok(true)
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
