//! Looks for the end of a head, each byte once.
//!
//! ```text
//!   (fresh) ── one CRLF skipped ──▶ first line ── CRLF, line is fine ──▶ fields ── CRLF CRLF ──▶ end
//!                                      │                                   │
//!                                      └────── wrong or past a limit ──────┴──▶ error
//! ```
//!
//! A client that drips would cost quadratic work if every byte started the parser again, so the
//! parser runs when this scan has seen the end, and before that only once, on the first read.
//! Errors that are certain before the end is there (a first line that is none, an LF without CR, a
//! NUL, a passed limit) are reported at once, at the first byte that proves them: the verdict does
//! not depend on how the bytes were cut.

use memchr::{memchr, memchr2};

use super::{HeadError, Method, TOKEN, Version, all_in, target};
use crate::limits::{HEADER_COUNT_CEILING, HEADER_COUNT_MAX, RESPONSE_HEAD_BYTES_MAX};

/// A method, bytes. The longest registered one is `UPDATEREDIRECTREF` with 17.
pub const METHOD_BYTES_MAX: usize = 32;

/// No head is longer, whatever the limits say, bytes: spans are 32 bits wide.
pub(crate) const HEAD_BYTES_CEILING: usize = 1 << 30;

/// What a head may have of each; `usize::MAX` is off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadLimits {
    /// The target, bytes.
    pub url_bytes: usize,
    /// Names and values of all headers together, bytes.
    pub header_bytes: usize,
    /// Header fields; never more than [`HEADER_COUNT_CEILING`].
    pub header_count: usize,
}

impl HeadLimits {
    /// Header fields, with the compiled-in bound.
    pub(crate) fn count(&self) -> usize {
        self.header_count.min(HEADER_COUNT_CEILING)
    }

    /// Method, two spaces, target and version, bytes.
    fn first_line_bytes_max(&self) -> usize {
        (METHOD_BYTES_MAX + 1 + 1 + VERSION_BYTES)
            .saturating_add(self.url_bytes)
            .min(HEAD_BYTES_CEILING)
    }

    /// Everything after the first line, bytes: per field a colon, a CRLF and some blanks on top.
    pub(crate) fn section_bytes_max(&self) -> usize {
        (8 * self.count() + 2).saturating_add(self.header_bytes).min(HEAD_BYTES_CEILING)
    }

    /// The longest head that is accepted, bytes: what a connection may have to gather.
    pub fn head_bytes_max(&self) -> usize {
        (2 + self.first_line_bytes_max() + 2 + self.section_bytes_max()).min(HEAD_BYTES_CEILING)
    }
}

/// `HTTP/1.1`
const VERSION_BYTES: usize = 8;

/// How far the end of a head has been looked for. One per connection, reset between heads.
///
/// The bytes handed to the parser must begin at the same byte each time until it has a verdict.
#[derive(Clone, Debug, Default)]
pub struct HeadScan {
    /// Everything before has been looked at.
    at: usize,
    /// Where the current line begins.
    line: usize,
    /// Where the header fields begin; 0 while the first line is not there.
    fields: usize,
    /// Complete header lines.
    lines: usize,
}

impl HeadScan {
    /// Forgets everything: the next head begins. Parsing does it by itself after each verdict.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing has been looked at.
    pub(crate) fn is_fresh(&self) -> bool {
        self.at == 0
    }

    /// Where the head of a request ends; `None`: not there yet.
    pub(crate) fn request(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        if self.fields == 0 && !self.request_line(bytes, limits)? {
            return Ok(None);
        }
        self.header_section(bytes, limits.count(), self.fields + limits.section_bytes_max())
    }

    /// Where the head of an answer ends; `None`: not there yet.
    pub(crate) fn response(&mut self, bytes: &[u8]) -> Result<Option<usize>, HeadError> {
        if self.fields == 0 && !self.status_line(bytes)? {
            return Ok(None);
        }
        self.header_section(bytes, HEADER_COUNT_MAX, RESPONSE_HEAD_BYTES_MAX)
    }

    /// Skips one empty line, finds and checks the request line; `false`: it is not complete.
    fn request_line(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<bool, HeadError> {
        if self.line == 0 {
            match (bytes.first(), bytes.get(1)) {
                (None, _) | (Some(b'\r'), None) => return Ok(false),
                (Some(b'\r'), Some(b'\n')) => {
                    self.line = 2;
                    self.at = 2;
                }
                (Some(b'\r' | b'\n'), _) => return Err(HeadError::EmptyLines),
                _ => {}
            }
        }
        // One byte more than allowed is looked at: the CR of a line of exactly the allowed length.
        let end = bytes.len().min(self.line + limits.first_line_bytes_max() + 1);
        let found = bytes[self.at..end].iter().position(|byte| !matches!(byte, b' '..=b'~'));
        let Some(found) = found else {
            if end == self.line + limits.first_line_bytes_max() + 1 {
                let method = &bytes[self.line..self.line + METHOD_BYTES_MAX + 1];
                let ends = memchr(b' ', method).is_some();
                return Err(if ends { HeadError::UrlTooLong } else { HeadError::MethodTooLong });
            }
            self.at = end;
            return Ok(false);
        };
        self.at += found;
        match bytes[self.at] {
            b'\r' | b'\n' if self.at == self.line => return Err(HeadError::EmptyLines),
            b'\r' => {}
            b'\n' => return Err(HeadError::BareLineFeed),
            0 => return Err(HeadError::Nul),
            _ => return Err(HeadError::RequestLine),
        }
        match bytes.get(self.at + 1) {
            None => return Ok(false),
            Some(b'\n') => {}
            Some(_) => return Err(HeadError::BareCarriageReturn),
        }
        check_request_line(&bytes[self.line..self.at], limits)?;
        self.begin_fields();
        Ok(true)
    }

    /// Finds the status line, which the parser checks; `false`: it is not complete.
    fn status_line(&mut self, bytes: &[u8]) -> Result<bool, HeadError> {
        const PREFIX: &[u8] = b"HTTP/1.";
        let seen = bytes.len().min(PREFIX.len());
        if bytes[..seen] != PREFIX[..seen] {
            return Err(HeadError::StatusLine);
        }
        let end = bytes.len().min(RESPONSE_HEAD_BYTES_MAX);
        match memchr2(b'\n', 0, &bytes[self.at..end]) {
            None if end == RESPONSE_HEAD_BYTES_MAX => Err(HeadError::HeadersTooLarge),
            None => {
                self.at = end;
                Ok(false)
            }
            Some(found) => {
                self.at += found;
                match (bytes[self.at - 1], bytes[self.at]) {
                    (_, 0) => Err(HeadError::Nul),
                    (b'\r', _) => {
                        self.at -= 1;
                        self.begin_fields();
                        Ok(true)
                    }
                    _ => Err(HeadError::BareLineFeed),
                }
            }
        }
    }

    /// `at` is at the CR that ends the first line.
    fn begin_fields(&mut self) {
        self.at += 2;
        self.line = self.at;
        self.fields = self.at;
    }

    /// Finds the empty line; the head may end at `end_max` at the latest.
    fn header_section(
        &mut self,
        bytes: &[u8],
        count_max: usize,
        end_max: usize,
    ) -> Result<Option<usize>, HeadError> {
        let end = bytes.len().min(end_max);
        while let Some(found) = bytes.get(self.at..end).and_then(|rest| memchr2(b'\n', 0, rest)) {
            let at = self.at + found;
            if bytes[at] == 0 {
                return Err(HeadError::Nul);
            }
            if bytes[at - 1] != b'\r' {
                return Err(HeadError::BareLineFeed);
            }
            if at == self.line + 1 {
                return Ok(Some(at + 1));
            }
            self.lines += 1;
            if self.lines > count_max {
                return Err(HeadError::TooManyHeaders);
            }
            self.at = at + 1;
            self.line = self.at;
        }
        if bytes.len() >= end_max {
            return Err(HeadError::HeadersTooLarge);
        }
        self.at = self.at.max(end);
        Ok(None)
    }
}

/// Checks a request line without its CRLF; it accepts whatever the parser of the head accepts.
fn check_request_line(line: &[u8], limits: &HeadLimits) -> Result<(), HeadError> {
    let method_len = memchr(b' ', line).ok_or(HeadError::RequestLine)?;
    let (method, rest) = (&line[..method_len], &line[method_len + 1..]);
    let target_len = memchr(b' ', rest).ok_or(HeadError::RequestLine)?;
    let (target, version) = (&rest[..target_len], &rest[target_len + 1..]);
    if method.is_empty() || target.is_empty() {
        return Err(HeadError::RequestLine);
    }
    check_method(method)?;
    check_version(version)?;
    if target.len() > limits.url_bytes {
        return Err(HeadError::UrlTooLong);
    }
    target::split(target, 0, Method::of(method)).map(|_| ())
}

/// Checks that a method is a token of bearable length, and one that a gateway can serve.
pub(crate) fn check_method(method: &[u8]) -> Result<(), HeadError> {
    if !all_in(method, TOKEN) {
        return Err(HeadError::Method);
    }
    if method.len() > METHOD_BYTES_MAX {
        return Err(HeadError::MethodTooLong);
    }
    if method == b"CONNECT" {
        return Err(HeadError::Connect);
    }
    Ok(())
}

/// Reads `HTTP/1.0` or `HTTP/1.1`; tells other versions (505) from what is none (400).
pub(crate) fn check_version(version: &[u8]) -> Result<Version, HeadError> {
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(HeadError::VersionUnsupported)
        }
        _ => Err(HeadError::Version),
    }
}
