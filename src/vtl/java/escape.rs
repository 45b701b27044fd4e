//! Escapes and encodings: `escapeJavaScript`, `URLEncoder`, `URLDecoder`, `Base64`.
//!
//! Cost: one pass. Text that needs no escape is looked through eight bytes at a time. Decoding
//! base64 allocates the decoded bytes, decoding URLs one buffer where there is a `%`.
//! Source: commons-lang 2.6, `java.net` and `java.util.Base64` of OpenJDK 17, measured.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::JavaException;
use super::chars;

/// Every byte of a word one.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The top bit of every byte.
const TOPS: u64 = 0x8080_8080_8080_8080;

const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// ASCII on its way to a `String`: bytes are cheaper to put one by one than characters.
struct Ascii {
    bytes: [u8; Self::CAPACITY],
    len: usize,
}

impl Ascii {
    const CAPACITY: usize = 256;

    fn new() -> Self {
        Self { bytes: [0; Self::CAPACITY], len: 0 }
    }

    fn push(&mut self, byte: u8) {
        debug_assert!(byte.is_ascii());
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    /// Makes room for `count` more bytes.
    fn reserve(&mut self, count: usize, out: &mut String) {
        if self.len + count > Self::CAPACITY {
            self.flush(out);
        }
    }

    fn flush(&mut self, out: &mut String) {
        out.push_str(std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default());
        self.len = 0;
    }
}

/// In [`ESCAPES`]: the byte stands for itself.
const PLAIN: u8 = 0;
/// In [`ESCAPES`]: the byte, or the character it starts, is written as `\u`.
const UNICODE: u8 = 1;

/// What follows the backslash for each byte, or [`PLAIN`] or [`UNICODE`].
const ESCAPES: [u8; 256] = {
    let mut table = [PLAIN; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0C => b'f',
            b'\r' => b'r',
            quoted @ (b'"' | b'\'' | b'/' | b'\\') => quoted,
            ..0x20 | 0x80.. => UNICODE,
            _ => PLAIN,
        };
        byte += 1;
    }
    table
};

/// Appends `StringEscapeUtils.escapeJavaScript(text)` of commons-lang 2.6.
///
/// `'`, `"`, `\` and `/` get a backslash, controls their letter or `\u00XX`, and what is not ASCII
/// one `\uXXXX` per UTF-16 unit, in capitals.
pub fn escape_java_script(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let Some(mut at) = first_special(bytes) else {
        out.push_str(text);
        return;
    };
    out.reserve(bytes.len() + bytes.len() / 8);
    out.push_str(&text[..at]);
    let mut ascii = Ascii::new();
    while at < bytes.len() {
        ascii.reserve(16, out);
        if let Some((word, _)) = bytes[at..].split_first_chunk::<8>()
            && specials(u64::from_le_bytes(*word)) == 0
        {
            ascii.bytes[ascii.len..ascii.len + 8].copy_from_slice(word);
            ascii.len += 8;
            at += 8;
            continue;
        }
        if ESCAPES[usize::from(bytes[at])] == UNICODE {
            let c = text[at..].chars().next().unwrap_or_default();
            for unit in c.encode_utf16(&mut [0; 2]) {
                push_unicode_escape(*unit, &mut ascii);
            }
            at += c.len_utf8();
            continue;
        }
        // Up to eight bytes, without a decision about quotes that the processor could guess wrong.
        let mut len = ascii.len;
        for &byte in &bytes[at..bytes.len().min(at + 8)] {
            let escape = ESCAPES[usize::from(byte)];
            if escape == UNICODE {
                break;
            }
            let escaped = usize::from(escape != PLAIN);
            ascii.bytes[len] = b'\\';
            ascii.bytes[len + escaped] = if escaped == 1 { escape } else { byte };
            len += 1 + escaped;
            at += 1;
        }
        ascii.len = len;
    }
    ascii.flush(out);
}

fn push_unicode_escape(unit: u16, ascii: &mut Ascii) {
    ascii.push(b'\\');
    ascii.push(b'u');
    for shift in [12, 8, 4, 0] {
        ascii.push(HEX_UPPER[usize::from(unit >> shift & 15)]);
    }
}

/// Marks, in the top bit of each byte, what [`escape_java_script`] does not copy as it is. Only the
/// lowest mark is sure, and no mark at all.
///
/// A byte of `x ^ c` is zero where `x` has `c`, and subtracting one from every byte borrows into the
/// top bit of those that were zero. A borrow may spill into the next byte and mark it too, but never
/// a lower one.
fn specials(word: u64) -> u64 {
    let equal = |byte: u8| {
        let word = word ^ (ONES * u64::from(byte));
        word.wrapping_sub(ONES) & !word
    };
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (control | word | equal(b'"') | equal(b'\'') | equal(b'/') | equal(b'\\')) & TOPS
}

/// The first byte that [`escape_java_script`] does not copy as it is.
fn first_special(bytes: &[u8]) -> Option<usize> {
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marks = specials(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(index * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    let found = tail.iter().position(|&byte| ESCAPES[usize::from(byte)] != PLAIN);
    found.map(|index| words.len() * 8 + index)
}

/// Appends `URLEncoder.encode(text, UTF_8)`, the form encoding.
pub fn url_encode(text: &str, out: &mut String) {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'*' | b'_');
    out.reserve(text.len() + text.len() / 4);
    let mut ascii = Ascii::new();
    for byte in text.bytes() {
        ascii.reserve(3, out);
        if plain(byte) {
            ascii.push(byte);
        } else if byte == b' ' {
            ascii.push(b'+');
        } else {
            ascii.push(b'%');
            ascii.push(HEX_UPPER[usize::from(byte >> 4)]);
            ascii.push(HEX_UPPER[usize::from(byte & 15)]);
        }
    }
    ascii.flush(out);
}

/// Appends `URLDecoder.decode(text, UTF_8)`: `+` is a blank, bytes that are no UTF-8 are U+FFFD.
///
/// # Errors
/// `IllegalArgumentException`: a `%` without two hexadecimal digits after it.
pub fn url_decode(text: &str, out: &mut String) -> Result<(), JavaException> {
    let bytes = text.as_bytes();
    let start = out.len();
    let mut done = 0;
    let mut run: Vec<u8> = Vec::new();
    while let Some(found) = memchr::memchr2(b'+', b'%', &bytes[done..]) {
        let mut at = done + found;
        out.push_str(&text[done..at]);
        if bytes[at] == b'+' {
            out.push(' ');
            done = at + 1;
            continue;
        }
        run.clear();
        while bytes.get(at) == Some(&b'%') {
            match percent_byte(&text[at + 1..]) {
                Ok((byte, length)) => {
                    run.push(byte);
                    at += 1 + length;
                }
                Err(message) => {
                    out.truncate(start);
                    let message = format!("URLDecoder: {message}");
                    return Err(JavaException::new("IllegalArgumentException", message));
                }
            }
        }
        push_utf8(&run, out);
        done = at;
    }
    out.push_str(&text[done..]);
    Ok(())
}

/// Appends `new String(bytes, UTF_8)`: what is malformed becomes U+FFFD, by Java's lengths. They are
/// Rust's but for an encoded half of a pair, which is one for Java and three for Rust.
pub fn push_utf8(mut bytes: &[u8], out: &mut String) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        out.push_str(text);
        return;
    }
    // A half is `ED`, which is never a continuation, then `A0` or more.
    let continues = |byte: Option<&u8>| byte.is_some_and(|byte| (0x80..0xC0).contains(byte));
    let mut search = 0;
    while let Some(at) = memchr::memchr(0xED, &bytes[search..]).map(|at| search + at) {
        search = at + 1;
        if continues(bytes.get(at + 1)) && bytes[at + 1] >= 0xA0 {
            out.push_str(&String::from_utf8_lossy(&bytes[..at]));
            out.push('\u{FFFD}');
            bytes = &bytes[at + 2 + usize::from(continues(bytes.get(at + 2)))..];
            search = 0;
        }
    }
    out.push_str(&String::from_utf8_lossy(bytes));
}

/// The byte two characters stand for, and their length. Java reads them as an `int`, so a sign
/// passes, and so do the digits of other scripts.
fn percent_byte(text: &str) -> Result<(u8, usize), String> {
    let mut ends = text.char_indices().map(|(at, c)| (at + c.len_utf8(), c));
    let (Some((first_end, first)), second) = (ends.next(), ends.next()) else {
        return Err("Incomplete trailing escape (%) pattern".into());
    };
    // A character past the basic plane is two of Java's.
    let (second, end) = match second {
        _ if first.len_utf16() == 2 => (None, first_end),
        Some((end, c)) => (Some(c), end),
        None => return Err("Incomplete trailing escape (%) pattern".into()),
    };
    let illegal = |index: usize| {
        let mut shown = String::new();
        super::text::substring(&text[..end], 0, 2, &mut shown).ok();
        format!(
            "Illegal hex characters in escape (%) pattern - Error at index {index} in: \"{shown}\""
        )
    };
    let low = second.and_then(|c| chars::digit(c, 16));
    let value = match (first, chars::digit(first, 16), low) {
        ('+', _, Some(low)) => low,
        ('-', _, Some(0)) => 0,
        ('-', _, Some(_)) => {
            return Err("Illegal hex characters in escape (%) pattern - negative value".into());
        }
        (_, Some(high), Some(low)) => high << 4 | low,
        ('+' | '-', _, None) | (_, Some(_), None) => return Err(illegal(1)),
        (_, None, _) => return Err(illegal(0)),
    };
    Ok((value as u8, end))
}

/// Appends `Base64.getEncoder()` of the text's UTF-8.
pub fn base64_encode(text: &str, out: &mut String) {
    STANDARD.encode_string(text, out);
}

/// Appends `new String(Base64.getDecoder().decode(text), UTF_8)`.
///
/// Padding may be missing, but not be half there; bytes that are no UTF-8 are U+FFFD.
///
/// # Errors
/// `IllegalArgumentException`.
pub fn base64_decode(text: &str, out: &mut String) -> Result<(), JavaException> {
    push_utf8(&base64_decode_bytes(text)?, out);
    Ok(())
}

/// `Base64.getDecoder().decode(text)`.
///
/// # Errors
/// `IllegalArgumentException`.
pub fn base64_decode_bytes(text: &str) -> Result<Vec<u8>, JavaException> {
    // What the strict decoder takes, Java's takes with the same result.
    STANDARD.decode(text).or_else(|_| lenient_base64(text))
}

/// Java's decoder in full: it does not insist on padding, nor on zeros in unused bits.
fn lenient_base64(text: &str) -> Result<Vec<u8>, JavaException> {
    let error = |message: String| JavaException::new("IllegalArgumentException", message);
    // Java reads the text as Latin-1, where every character past it is a question mark.
    let symbols: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
    if symbols.len() == 1 {
        return Err(error("Input byte[] should at least have 2 bytes for base64 bytes".into()));
    }
    let mut decoded = Vec::with_capacity(symbols.len() / 4 * 3 + 3);
    let mut bits = 0u32;
    let mut count = 0;
    let mut at = 0;
    while let Some(&symbol) = symbols.get(at) {
        at += 1;
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                let complete = match count {
                    2 => {
                        at += 1;
                        symbols.get(at - 1) == Some(&b'=')
                    }
                    3 => true,
                    _ => false,
                };
                if !complete {
                    return Err(error("Input byte array has wrong 4-byte ending unit".into()));
                }
                break;
            }
            // Java's bytes have a sign.
            0x80.. => {
                let negated = symbol.wrapping_neg();
                return Err(error(format!("Illegal base64 character -{negated:x}")));
            }
            _ => return Err(error(format!("Illegal base64 character {symbol:x}"))),
        };
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            decoded.extend_from_slice(&bits.to_be_bytes()[1..]);
            bits = 0;
            count = 0;
        }
    }
    match count {
        1 => return Err(error("Last unit does not have enough valid bits".into())),
        2 => decoded.push((bits >> 4) as u8),
        3 => decoded.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
    if at < symbols.len() {
        return Err(error(format!("Input byte array has incorrect ending byte at {at}")));
    }
    Ok(decoded)
}
