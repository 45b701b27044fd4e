//! Strict JSON (RFC 8259) onto the tape: the fast path.
//!
//! One pass over the bytes, no recursion: the container being filled is in local variables, those
//! around it on the tape's stack. Strings are scanned eight bytes at a time. Whatever is not strict
//! JSON, and the few strict texts that json-smart reads in its own way, are refused here and
//! go to [`permissive`](super::permissive); what is accepted here means the same there.
//!
//! With `JSON` set, only the grammar decides: DEL stays in strings, a number is one that
//! `BigDecimal` reads, and an object that has a key twice is refused.

use crate::json::limits::{DEPTH_MAX, TEXT_BYTES_MAX};
use crate::json::number;
use crate::json::tape::{Frame, Tape, key_hash, tag};
use crate::json::{JsonError, JsonErrorKind};

/// Why the text did not become a tape here.
pub(super) enum Refusal {
    /// The permissive parser may still read it; the grammar is broken at this byte.
    NotStrict { at: usize },
    /// No parser may read it.
    Failed(JsonError),
}

/// The frame below the document's value.
const BOTTOM: Frame = Frame { node: u32::MAX, count: 0, seen: 0, object: false, repeats: false };

/// Parses all of `text` into the empty `tape`. Cost: O(bytes), no allocation on a warm tape.
pub(super) fn strict<const JSON: bool>(tape: &mut Tape, text: &str) -> Result<(), Refusal> {
    let bytes = text.as_bytes();
    if bytes.len() > TEXT_BYTES_MAX as usize {
        let kind = JsonErrorKind::TooLong;
        return Err(Refusal::Failed(JsonError { at: TEXT_BYTES_MAX as usize, kind }));
    }
    let mut frame = BOTTOM;
    let mut at = skip_blanks(bytes, 0);
    loop {
        // A value begins at `at`.
        match byte_at(bytes, at) {
            b'"' => at = string::<JSON>(tape, text, at + 1)?,
            b'{' => {
                open(tape, &mut frame, at, true)?;
                at = skip_blanks(bytes, at + 1);
                match byte_at(bytes, at) {
                    b'"' => {
                        at = key::<JSON>(tape, text, &mut frame, at + 1)?;
                        continue;
                    }
                    b'}' => {
                        at += 1;
                        close::<JSON>(tape, &mut frame, text, at)?;
                    }
                    _ => return Err(Refusal::NotStrict { at }),
                }
            }
            b'[' => {
                open(tape, &mut frame, at, false)?;
                at = skip_blanks(bytes, at + 1);
                if byte_at(bytes, at) != b']' {
                    continue;
                }
                at += 1;
                close::<JSON>(tape, &mut frame, text, at)?;
            }
            b'-' | b'0'..=b'9' => at = number::<JSON>(tape, text, at)?,
            b't' => at = word(tape, bytes, at, b"true", tag::TRUE)?,
            b'f' => at = word(tape, bytes, at, b"false", tag::FALSE)?,
            b'n' => at = word(tape, bytes, at, b"null", tag::NULL)?,
            _ => return Err(Refusal::NotStrict { at }),
        }
        // A value has ended before `at`.
        loop {
            at = skip_blanks(bytes, at);
            if frame.node == BOTTOM.node {
                return if at == bytes.len() { Ok(()) } else { Err(Refusal::NotStrict { at }) };
            }
            frame.count += 1;
            match byte_at(bytes, at) {
                b',' => {
                    at = skip_blanks(bytes, at + 1);
                    if frame.object {
                        if byte_at(bytes, at) != b'"' {
                            return Err(Refusal::NotStrict { at });
                        }
                        at = key::<JSON>(tape, text, &mut frame, at + 1)?;
                    }
                    break;
                }
                b'}' if frame.object => close::<JSON>(tape, &mut frame, text, at)?,
                b']' if !frame.object => close::<JSON>(tape, &mut frame, text, at)?,
                _ => return Err(Refusal::NotStrict { at }),
            }
            at += 1;
        }
    }
}

/// The byte at `at`; past the end 0, which begins and ends nothing.
#[inline(always)]
fn byte_at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

fn open(tape: &mut Tape, frame: &mut Frame, at: usize, object: bool) -> Result<(), Refusal> {
    // The bottom frame is on the stack as well.
    if tape.stack.len() >= DEPTH_MAX as usize {
        return Err(Refusal::Failed(JsonError { at, kind: JsonErrorKind::TooDeep }));
    }
    let node = tape.nodes.len() as u32;
    tape.stack.push(*frame);
    *frame = Frame { node, count: 0, seen: 0, object, repeats: false };
    tape.push(if object { tag::OBJECT } else { tag::ARRAY }, 0, 0);
    Ok(())
}

#[inline(always)]
fn close<const JSON: bool>(
    tape: &mut Tape,
    frame: &mut Frame,
    text: &str,
    at: usize,
) -> Result<(), Refusal> {
    let live = tape.close(frame, text);
    if JSON && live != frame.count {
        return Err(Refusal::Failed(JsonError { at, kind: JsonErrorKind::RepeatedKey }));
    }
    *frame = tape.stack.pop().expect("`open` pushed the frame around this one");
    Ok(())
}

/// A string value whose first character is at `start`; gives the offset after its quote.
#[inline(always)]
fn string<const JSON: bool>(tape: &mut Tape, text: &str, start: usize) -> Result<usize, Refusal> {
    let end = plain_end(text.as_bytes(), start);
    if byte_at(text.as_bytes(), end) == b'"' {
        tape.push(tag::STRING, start, end - start);
        return Ok(end + 1);
    }
    let (end, from, len) = escaped::<JSON>(tape, text, start, end)?;
    tape.push(tag::STRING | tag::OWNED, from, len);
    Ok(end)
}

/// A key and its colon; gives the offset of the value.
#[inline(always)]
fn key<const JSON: bool>(
    tape: &mut Tape,
    text: &str,
    frame: &mut Frame,
    start: usize,
) -> Result<usize, Refusal> {
    let bytes = text.as_bytes();
    let end = plain_end(bytes, start);
    let after = if byte_at(bytes, end) == b'"' {
        push_key(tape, frame, tag::STRING, start, &bytes[start..end]);
        end + 1
    } else {
        let (after, from, len) = escaped::<JSON>(tape, text, start, end)?;
        let hash = key_hash(&tape.strings.as_bytes()[from..from + len]);
        note_key(frame, hash);
        tape.push(tag::STRING | tag::OWNED | hash << tag::HASH_SHIFT, from, len);
        after
    };
    let colon = skip_blanks(bytes, after);
    if byte_at(bytes, colon) != b':' {
        return Err(Refusal::NotStrict { at: colon });
    }
    Ok(skip_blanks(bytes, colon + 1))
}

#[inline(always)]
fn push_key(tape: &mut Tape, frame: &mut Frame, meta: u32, start: usize, bytes: &[u8]) {
    let hash = key_hash(bytes);
    note_key(frame, hash);
    tape.push(meta | hash << tag::HASH_SHIFT, start, bytes.len());
}

/// Remembers a key of the object in `frame`, and whether one like it may have been there before.
#[inline(always)]
pub(super) fn note_key(frame: &mut Frame, hash: u32) {
    let bit = 1u64 << (hash & 63);
    frame.repeats |= frame.seen & bit != 0;
    frame.seen |= bit;
}

/// The offset of the first quote, backslash or control character from `at` on, or the end.
#[inline(always)]
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let special = specials(u64::from_le_bytes(*chunk));
        if special != 0 {
            return at + (special.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        at += 1;
    }
    at
}

pub(super) const EACH: u64 = 0x0101_0101_0101_0101;
pub(super) const TOPS: u64 = 0x8080_8080_8080_8080;

/// The top bit of each byte that is a quote, a backslash or a control character. Bits above the
/// lowest one that is set may be wrong: the subtraction borrows.
#[inline(always)]
pub(super) fn specials(word: u64) -> u64 {
    let quote = word ^ (EACH * b'"' as u64);
    let slash = word ^ (EACH * b'\\' as u64);
    let controls = word.wrapping_sub(EACH * b' ' as u64) & !word;
    ((quote.wrapping_sub(EACH) & !quote) | (slash.wrapping_sub(EACH) & !slash) | controls) & TOPS
}

#[inline(always)]
fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    // No token begins below a blank, so one comparison is all that compact JSON pays.
    if byte_at(bytes, at) > b' ' { at } else { skip_blanks_slow(bytes, at) }
}

fn skip_blanks_slow(bytes: &[u8], mut at: usize) -> usize {
    loop {
        // Pretty-printed JSON has a line break and then a run of spaces.
        while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let other = u64::from_le_bytes(*chunk) ^ (EACH * b' ' as u64);
            if other != 0 {
                at += (other.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
        }
        match bytes.get(at) {
            Some(b' ' | b'\n' | b'\r' | b'\t') => at += 1,
            _ => return at,
        }
    }
}

/// A number; gives the offset after it.
#[inline(always)]
fn number<const JSON: bool>(tape: &mut Tape, text: &str, start: usize) -> Result<usize, Refusal> {
    let bytes = text.as_bytes();
    let mut at = start + usize::from(bytes[start] == b'-');
    match byte_at(bytes, at) {
        b'0' => at += 1,
        b'1'..=b'9' => at = skip_digits(bytes, at + 1),
        _ => return Err(Refusal::NotStrict { at }),
    }
    let mut tag = tag::INT;
    let mut next = byte_at(bytes, at);
    if next == b'.' {
        tag = tag::FLOAT;
        let end = skip_digits(bytes, at + 1);
        if end == at + 1 {
            return Err(Refusal::NotStrict { at });
        }
        at = end;
        next = byte_at(bytes, at);
    }
    if next | 0x20 == b'e' {
        tag = tag::FLOAT;
        let sign = matches!(byte_at(bytes, at + 1), b'+' | b'-');
        let digits = at + 1 + usize::from(sign);
        at = skip_digits(bytes, digits);
        if at == digits {
            return Err(Refusal::NotStrict { at });
        }
    }
    // json-smart reads a long one as a BigDecimal, which bounds its exponent; or what follows makes
    // it a string.
    if tag == tag::FLOAT {
        let text = &text[start..at];
        if JSON && !number::is_decimal(text) {
            let kind = JsonErrorKind::InvalidNumber;
            return Err(Refusal::Failed(JsonError { at: start, kind }));
        }
        if !JSON && !number::is_float(text) {
            return Err(Refusal::NotStrict { at: start });
        }
    }
    tape.push(tag, start, at - start);
    Ok(at)
}

#[inline(always)]
fn skip_digits(bytes: &[u8], mut at: usize) -> usize {
    while byte_at(bytes, at).is_ascii_digit() {
        at += 1;
    }
    at
}

#[inline(always)]
fn word(tape: &mut Tape, bytes: &[u8], at: usize, word: &[u8], tag: u32) -> Result<usize, Refusal> {
    if bytes.get(at..at + word.len()) != Some(word) {
        return Err(Refusal::NotStrict { at });
    }
    tape.push(tag, 0, 0);
    Ok(at + word.len())
}

/// Decodes a string from its first special character, at `at`, on. Gives the offset after its
/// quote, and where in the tape's buffer the whole string is.
#[inline(never)]
fn escaped<const JSON: bool>(
    tape: &mut Tape,
    text: &str,
    start: usize,
    mut at: usize,
) -> Result<(usize, usize, usize), Refusal> {
    let bytes = text.as_bytes();
    let from = tape.strings.len();
    let mut plain = start;
    loop {
        match byte_at(bytes, at) {
            b'"' => break,
            b'\\' => {}
            _ => return Err(Refusal::NotStrict { at }),
        }
        push_plain::<JSON>(tape, text, plain, at)?;
        let decoded = match byte_at(bytes, at + 1) {
            escape @ (b'"' | b'\\' | b'/') => escape,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                at = unicode_escape(tape, bytes, at + 2)?;
                plain = at;
                at = plain_end(bytes, at);
                continue;
            }
            _ => return Err(Refusal::NotStrict { at }),
        };
        tape.strings.push(char::from(decoded));
        plain = at + 2;
        at = plain_end(bytes, plain);
    }
    push_plain::<JSON>(tape, text, plain, at)?;
    Ok((at + 1, from, tape.strings.len() - from))
}

/// json-smart drops DEL from strings that have escapes, and only from those.
fn push_plain<const JSON: bool>(
    tape: &mut Tape,
    text: &str,
    from: usize,
    to: usize,
) -> Result<(), Refusal> {
    let plain = &text[from..to];
    if !JSON && memchr::memchr(0x7f, plain.as_bytes()).is_some() {
        return Err(Refusal::NotStrict { at: from });
    }
    tape.strings.push_str(plain);
    Ok(())
}

/// The character of the hex digits at `at`; gives the offset after it. A pair of surrogates is one
/// character. A lone one is `?`: so Java prints what it cannot encode.
fn unicode_escape(tape: &mut Tape, bytes: &[u8], at: usize) -> Result<usize, Refusal> {
    let first = hex(bytes, at).ok_or(Refusal::NotStrict { at })?;
    if (0xD800..0xDC00).contains(&first) && bytes.get(at + 4..at + 6) == Some(b"\\u") {
        let second = hex(bytes, at + 6).ok_or(Refusal::NotStrict { at })?;
        if (0xDC00..0xE000).contains(&second) {
            tape.strings.push(pair(first, second));
            return Ok(at + 10);
        }
    }
    tape.strings.push(char::from_u32(first).unwrap_or('?'));
    Ok(at + 4)
}

/// The character that two surrogates make.
pub(super) fn pair(high: u32, low: u32) -> char {
    let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    char::from_u32(code).expect("two surrogates are a character past U+FFFF")
}

fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)?
        .iter()
        .try_fold(0, |value, &byte| Some(value << 4 | char::from(byte).to_digit(16)?))
}
