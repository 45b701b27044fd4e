//! HTTP/1.1 without I/O: bytes in, spans out; values in, bytes out.
//!
//! `head` finds and reads one request head, `response` one head of an integration's answer, `body`
//! takes the framing off either's body, `list` and `encode` write what we send. Nothing here reads
//! a socket, keeps a buffer of its own or knows what a gateway is: a caller hands over what has
//! arrived so far and is told either "not yet", the result, or what is wrong.
//!
//! The rule of this layer is RFC 9112 read strictly: what two parsers on the same road could read
//! differently is an error, the caller answers [`HeadError::status`] and closes the connection, so
//! nobody can hide a second request in the first (request smuggling). httparse splits the head into
//! tokens; its leniencies (LF as a line end, any number of leading empty lines) are refused on top.
//!
//! A verdict never depends on how the bytes were cut into reads: it is a function of the bytes up
//! to the first place where a verdict is possible. `hostile` and the property tests hold us to it.
//!
//! **Invariant:** no I/O, no clock, no allocation once the reused vectors are warm.

mod body;
pub mod encode;
mod error;
mod fields;
pub mod fuzz;
mod head;
#[doc(hidden)]
pub mod hostile;
mod list;
mod name;
mod response;
mod scan;
mod target;
#[cfg(test)]
mod tests;

pub use body::{BodyDecoder, Decoded};
pub use error::{BodyError, HeadError};
pub use fields::{HeaderField, Values};
pub use head::{Framing, RequestHead};
pub use list::HeaderList;
pub use name::KnownHeader;
pub use response::{ResponseFraming, ResponseHead};
pub use scan::{HeadLimits, HeadScan, METHOD_BYTES_MAX};

use std::ops::Range;

/// A piece of a byte slice, kept as numbers so that it borrows nothing.
///
/// Relative to the slice that was handed to the parser. A span of length 0 is "not there".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// Index of the first byte.
    pub start: u32,
    /// Bytes.
    pub len: u32,
}

impl Span {
    /// The span from `start`, `len` bytes long. Heads are far below 4 GiB (`HEAD_BYTES_CEILING`).
    pub(crate) fn new(start: usize, len: usize) -> Self {
        debug_assert!(start <= scan::HEAD_BYTES_CEILING && len <= scan::HEAD_BYTES_CEILING);
        Self { start: start as u32, len: len as u32 }
    }

    /// The bytes it covers; none if `bytes` is empty: there is no head, and whoever describes the
    /// request (a log line) still may ask.
    ///
    /// # Panics
    /// If `bytes` is shorter than what was parsed, but not empty: the span belongs to other bytes.
    #[inline]
    pub fn of<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        if bytes.is_empty() { bytes } else { &bytes[self.range()] }
    }

    /// The same as a range of indices.
    #[inline]
    pub fn range(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }

    /// Whether it covers nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A request's method. Case matters (RFC 9110 section 9.1): `get` is [`Method::Other`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Method {
    /// `GET`
    #[default]
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// Any other token; [`RequestHead::method_name`] has it.
    Other,
}

impl Method {
    /// The method of this name.
    #[inline]
    pub fn of(name: &[u8]) -> Self {
        match name {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"PATCH" => Self::Patch,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }

    /// Its name; empty for [`Method::Other`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "",
        }
    }
}

/// The protocol version of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Version {
    /// `HTTP/1.0`
    Http10,
    /// `HTTP/1.1`
    #[default]
    Http11,
}

/// What a byte may be in, as bits of [`BYTES`].
const TOKEN: u8 = 1;
const VALUE: u8 = 2;
const HOST: u8 = 4;
const TARGET: u8 = 8;

/// Per byte, where it is allowed: in a token (RFC 9110 section 5.6.2), in a field value (section
/// 5.5, with obs-text), in a host name as we take it (see `target`), in a request target.
static BYTES: [u8; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        let alnum = byte.is_ascii_alphanumeric();
        if alnum
            || matches!(
                byte,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'
            )
            || matches!(byte, b'_' | b'`' | b'|' | b'~')
        {
            table[index] |= TOKEN;
        }
        if byte == b'\t' || (byte >= b' ' && byte != 0x7f) {
            table[index] |= VALUE;
        }
        if alnum || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            table[index] |= HOST;
        }
        if byte > b' ' && byte < 0x7f && byte != b'#' {
            table[index] |= TARGET;
        }
        index += 1;
    }
    table
};

/// Whether every byte of `bytes` is allowed in `class`; true for none. Without a branch per byte.
#[inline]
fn all_in(bytes: &[u8], class: u8) -> bool {
    bytes.iter().fold(class, |all, &byte| all & BYTES[usize::from(byte)]) != 0
}
