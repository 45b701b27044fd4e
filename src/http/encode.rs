//! Writes the parts of a message: status line, fields, chunk framing.
//!
//! Everything appends to the caller's buffer. What comes from a value cannot end its line: see
//! [`header`] and [`HeaderList`](super::HeaderList).

use std::io::Write as _;
use std::net::IpAddr;

use super::{TOKEN, VALUE, all_in};

/// Ends a chunked body: a chunk of length 0 and no trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Ends the data of one chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// The interim answer to `Expect: 100-continue`.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Generated: the reason phrases and the finished status lines come from one list.
macro_rules! statuses {
    ($($status:literal $reason:literal,)+) => {
        /// Reason phrase of a status; empty for those that are not registered.
        /// Source: IANA "HTTP Status Code Registry".
        pub fn reason(status: u16) -> &'static str {
            match status {
                $($status => $reason,)+
                _ => "",
            }
        }

        fn known_line(status: u16) -> Option<&'static [u8]> {
            Some(match status {
                $($status => concat!("HTTP/1.1 ", $status, " ", $reason, "\r\n").as_bytes(),)+
                _ => return None,
            })
        }
    };
}

statuses! {
    100 "Continue",
    101 "Switching Protocols",
    102 "Processing",
    103 "Early Hints",
    200 "OK",
    201 "Created",
    202 "Accepted",
    203 "Non-Authoritative Information",
    204 "No Content",
    205 "Reset Content",
    206 "Partial Content",
    207 "Multi-Status",
    208 "Already Reported",
    226 "IM Used",
    300 "Multiple Choices",
    301 "Moved Permanently",
    302 "Found",
    303 "See Other",
    304 "Not Modified",
    305 "Use Proxy",
    307 "Temporary Redirect",
    308 "Permanent Redirect",
    400 "Bad Request",
    401 "Unauthorized",
    402 "Payment Required",
    403 "Forbidden",
    404 "Not Found",
    405 "Method Not Allowed",
    406 "Not Acceptable",
    407 "Proxy Authentication Required",
    408 "Request Timeout",
    409 "Conflict",
    410 "Gone",
    411 "Length Required",
    412 "Precondition Failed",
    413 "Content Too Large",
    414 "URI Too Long",
    415 "Unsupported Media Type",
    416 "Range Not Satisfiable",
    417 "Expectation Failed",
    421 "Misdirected Request",
    422 "Unprocessable Content",
    423 "Locked",
    424 "Failed Dependency",
    425 "Too Early",
    426 "Upgrade Required",
    428 "Precondition Required",
    429 "Too Many Requests",
    431 "Request Header Fields Too Large",
    451 "Unavailable For Legal Reasons",
    500 "Internal Server Error",
    501 "Not Implemented",
    502 "Bad Gateway",
    503 "Service Unavailable",
    504 "Gateway Timeout",
    505 "HTTP Version Not Supported",
    506 "Variant Also Negotiates",
    507 "Insufficient Storage",
    508 "Loop Detected",
    510 "Not Extended",
    511 "Network Authentication Required",
}

/// `HTTP/1.1 200 OK\r\n`. A status that is not registered gets an empty reason phrase.
///
/// # Panics
/// If `status` has not three digits: it would be another status line.
#[inline]
pub fn status_line(out: &mut Vec<u8>, status: u16) {
    if let Some(line) = known_line(status) {
        out.extend_from_slice(line);
        return;
    }
    assert!((100..=999).contains(&status), "a status has three digits, {status} has not");
    out.extend_from_slice(b"HTTP/1.1 ");
    decimal(out, u64::from(status));
    out.extend_from_slice(b" \r\n");
}

/// `name: value\r\n`. Control bytes of the value but HTAB become spaces, and a field whose name is
/// no token is left out (`false`), so no value can end its line.
#[inline]
pub fn header(out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> bool {
    if !is_token(name) {
        return false;
    }
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    let value_at = out.len();
    out.extend_from_slice(value);
    blank_controls(&mut out[value_at..]);
    out.extend_from_slice(b"\r\n");
    true
}

/// [`header`] on its own, for a field that is written again and again.
pub fn line(name: &str, value: &str) -> Box<[u8]> {
    let mut out = Vec::new();
    header(&mut out, name.as_bytes(), value.as_bytes());
    out.into()
}

/// The first `length` bytes of a text. The text is copied whole and cut: that takes a few instructions, a
/// copy of any length a call.
#[inline]
fn padded<const N: usize>(out: &mut Vec<u8>, text: &[u8; N], length: usize) {
    let end = out.len() + length;
    out.extend_from_slice(text);
    out.truncate(end);
}

/// A number in decimal digits.
#[inline]
pub fn decimal(out: &mut Vec<u8>, number: u64) {
    if number < 1_000 {
        // Statuses, latencies and lengths, mostly.
        let (digits, length) = short_decimal(number as u16);
        padded(out, &digits, length);
    } else {
        long_decimal(out, number);
    }
}

#[inline(never)]
fn long_decimal(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// The digits of a number below 1000, and how many they are. Without a branch.
#[inline]
fn short_decimal(number: u16) -> ([u8; 4], usize) {
    let digit = |digit: u16| b'0' + digit as u8;
    let three = [digit(number / 100), digit(number / 10 % 10), digit(number % 10), 0];
    let zeros = usize::from(number < 100) + usize::from(number < 10);
    ((u32::from_le_bytes(three) >> (8 * zeros)).to_le_bytes(), 3 - zeros)
}

/// The lowest `digits` hexadecimal digits of a number, leading zeros included.
#[inline]
pub fn hex(out: &mut Vec<u8>, number: u64, digits: u32) {
    let text = hex_digits(number);
    out.extend_from_slice(&text[text.len() - digits as usize..]);
}

/// All sixteen hexadecimal digits of a number, eight nibbles at a time.
#[inline]
pub fn hex_digits(number: u64) -> [u8; 16] {
    let mut text = [0; 16];
    let (high, low) = text.split_at_mut(8);
    for (place, half) in [(high, number >> 32), (low, number & 0xFFFF_FFFF)] {
        // Every nibble to a byte of its own.
        let mut spread = (half | half << 16) & 0x0000_FFFF_0000_FFFF;
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF;
        spread = (spread | spread << 4) & 0x0F0F_0F0F_0F0F_0F0F;
        // 1 in the bytes of ten and more: those take letters.
        let letters = (spread + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
        let digits = spread + 0x3030_3030_3030_3030 + letters * u64::from(b'a' - b'0' - 10);
        place.copy_from_slice(&digits.to_be_bytes());
    }
    text
}

/// An IP address as text.
pub fn address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let mut text = [b'.'; "255.255.255.255.".len()];
            let mut end = 0;
            for octet in address.octets() {
                if octet >= 100 {
                    text[end] = b'0' + octet / 100;
                    end += 1;
                }
                if octet >= 10 {
                    text[end] = b'0' + octet / 10 % 10;
                    end += 1;
                }
                text[end] = b'0' + octet % 10;
                end += 2;
            }
            padded(out, &text, end - 1);
        }
        // Writing to a `Vec` cannot fail.
        IpAddr::V6(address) => drop(write!(out, "{address}")),
    }
}

/// `Content-Length: number\r\n`.
#[inline]
pub fn content_length(out: &mut Vec<u8>, bytes: u64) {
    out.extend_from_slice(b"Content-Length: ");
    decimal(out, bytes);
    out.extend_from_slice(b"\r\n");
}

/// The line before a chunk's data: its length in hexadecimal digits, CRLF. [`CHUNK_END`] follows
/// the data.
///
/// # Panics
/// If `bytes` is 0: that would be the end of the body, [`LAST_CHUNK`].
#[inline]
pub fn chunk_head(out: &mut Vec<u8>, bytes: u64) {
    assert!(bytes > 0, "a chunk of length 0 ends the body");
    let digits = (67 - bytes.leading_zeros()) / 4;
    for place in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(bytes >> (place * 4) & 0xf) as usize]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Whether `name` can be a header's name or a method.
#[inline]
pub fn is_token(name: &[u8]) -> bool {
    !name.is_empty() && all_in(name, TOKEN)
}

/// Makes every byte that a field value must not have a space.
#[inline]
pub(crate) fn blank_controls(value: &mut [u8]) {
    // Without a branch per byte, so that the compiler can look at many at once.
    let bad = |byte: u8| (byte < b' ' && byte != b'\t') | (byte == 0x7f);
    if value.iter().fold(false, |any, &byte| any | bad(byte)) {
        for byte in value.iter_mut().filter(|byte| bad(**byte)) {
            *byte = b' ';
        }
    }
    debug_assert!(is_value(value));
}

/// Whether `value` can be a field's value as it is.
#[inline]
pub(crate) fn is_value(value: &[u8]) -> bool {
    all_in(value, VALUE)
}
