//! `String`: everything but the methods that take a pattern or a format.
//!
//! Indices are Java's, UTF-16 code units. In ASCII text they are byte offsets; in other text they
//! are found by walking. Methods that return a part of their text as it is return `&str`.
//!
//! Cost: O(length), no allocation beyond `out`; `to_lower` and `to_upper` of text that is not ASCII
//! allocate.

use memchr::memmem;

use super::JavaException;
use super::chars;

/// What one call may produce by repeating, bytes. Ours: Java would run out of memory instead.
pub const REPEAT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A place in UTF-8 text by UTF-16 index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// Byte offset of a character's start, or of the end of the text.
    byte: usize,
    /// The index is one unit further, between the halves of that character.
    inside_pair: bool,
}

impl Place {
    /// The first character boundary at or after this place; a split character has four bytes.
    fn boundary_after(self) -> usize {
        if self.inside_pair { self.byte + 4 } else { self.byte }
    }
}

/// Finds `unit`, or nothing past the end of the text.
fn locate(text: &str, unit: usize) -> Option<Place> {
    let mut rest = unit;
    for (byte, c) in text.char_indices() {
        if rest == 0 {
            return Some(Place { byte, inside_pair: false });
        }
        if rest < c.len_utf16() {
            return Some(Place { byte, inside_pair: true });
        }
        rest -= c.len_utf16();
    }
    (rest == 0).then_some(Place { byte: text.len(), inside_pair: false })
}

/// UTF-16 code units in `text`: one per character, two past the basic plane.
fn units(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let bytes = text.as_bytes();
    let starts = bytes.iter().filter(|&&byte| (byte as i8) >= -0x40).count();
    let pairs = bytes.iter().filter(|&&byte| byte >= 0xF0).count();
    starts + pairs
}

/// Whether Java stores the text with a byte a character.
fn is_latin1(text: &str) -> bool {
    text.chars().all(|c| c <= '\u{FF}')
}

/// Java's `int`. Text longer than that does not get here: payloads have a quota.
fn to_int(value: usize) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[cold]
fn out_of_bounds(message: String) -> JavaException {
    JavaException::new("StringIndexOutOfBoundsException", message)
}

/// Appends one code unit; half of a pair prints as `?`.
pub fn push_unit(unit: u16, out: &mut String) {
    out.push(char::from_u32(u32::from(unit)).unwrap_or('?'));
}

/// `text.length()`.
pub fn length(text: &str) -> i32 {
    to_int(units(text))
}

/// `text.charAt(index)`: a code unit, perhaps half of a pair.
///
/// # Errors
/// `StringIndexOutOfBoundsException`.
pub fn char_at(text: &str, index: i32) -> Result<u16, JavaException> {
    let found = usize::try_from(index).ok().and_then(|unit| {
        if text.is_ascii() {
            text.as_bytes().get(unit).map(|&byte| u16::from(byte))
        } else {
            text.encode_utf16().nth(unit)
        }
    });
    found.ok_or_else(|| index_error(text, index))
}

/// `text.codePointAt(index)`.
///
/// # Errors
/// `StringIndexOutOfBoundsException`.
pub fn code_point_at(text: &str, index: i32) -> Result<i32, JavaException> {
    let place = usize::try_from(index).ok().and_then(|unit| locate(text, unit));
    let Some((place, c)) =
        place.and_then(|place| text[place.byte..].chars().next().map(|c| (place, c)))
    else {
        return Err(out_of_bounds(format!("index {index}, length {}", units(text))));
    };
    if place.inside_pair {
        return char_at(text, index).map(i32::from);
    }
    Ok(c as i32)
}

/// `charAt` words it by how Java stores the text: with a byte a character, or with two.
fn index_error(text: &str, index: i32) -> JavaException {
    out_of_bounds(if is_latin1(text) {
        format!("String index out of range: {index}")
    } else {
        format!("index {index}, length {}", units(text))
    })
}

/// Appends `text.substring(begin)`.
///
/// # Errors
/// `StringIndexOutOfBoundsException`.
pub fn substring_from(text: &str, begin: i32, out: &mut String) -> Result<(), JavaException> {
    substring(text, begin, length(text), out)
}

/// Appends `text.substring(begin, end)`; also `subSequence`.
///
/// # Errors
/// `StringIndexOutOfBoundsException`.
pub fn substring(text: &str, begin: i32, end: i32, out: &mut String) -> Result<(), JavaException> {
    let ascii = text.is_ascii();
    let length = if ascii { to_int(text.len()) } else { length(text) };
    if begin < 0 || begin > end || end > length {
        return Err(out_of_bounds(format!("begin {begin}, end {end}, length {length}")));
    }
    let range = begin as usize..end as usize;
    if ascii {
        out.push_str(&text[range]);
    } else {
        append_units(text, range.start, range.end, out);
    }
    Ok(())
}

/// Appends the units from `begin` up to `end`, which are in range.
fn append_units(text: &str, begin: usize, end: usize, out: &mut String) {
    if begin == end {
        return;
    }
    let (Some(begin), Some(end)) = (locate(text, begin), locate(text, end)) else {
        unreachable!("the caller checked the range");
    };
    if begin.inside_pair {
        out.push('?');
    }
    out.push_str(&text[begin.boundary_after()..end.byte]);
    if end.inside_pair {
        out.push('?');
    }
}

/// `text.indexOf(needle, from)`.
pub fn index_of(text: &str, needle: &str, from: i32) -> i32 {
    let from = from.max(0) as usize;
    if needle.is_empty() {
        return to_int(from.min(units(text)));
    }
    if text.is_ascii() {
        return match text.as_bytes().get(from..) {
            Some(tail) => memmem::find(tail, needle.as_bytes()).map_or(-1, |at| to_int(from + at)),
            None => -1,
        };
    }
    let Some(start) = locate(text, from).map(Place::boundary_after) else {
        return -1;
    };
    match memmem::find(&text.as_bytes()[start..], needle.as_bytes()) {
        Some(at) => to_int(units(&text[..start + at])),
        None => -1,
    }
}

/// `text.indexOf(code, from)`: `code` is a code point.
pub fn index_of_char(text: &str, code: i32, from: i32) -> i32 {
    match char_of(code) {
        Some(c) => index_of(text, c.encode_utf8(&mut [0; 4]), from),
        None => half_index(text, code, from.max(0) as usize, usize::MAX, false),
    }
}

/// `text.lastIndexOf(needle, from)`; without `from` in Java, pass `i32::MAX`.
pub fn last_index_of(text: &str, needle: &str, from: i32) -> i32 {
    let length = units(text);
    let Some(last) = length.checked_sub(units(needle)) else {
        return -1;
    };
    let Ok(from) = usize::try_from(from) else {
        return -1;
    };
    let from = from.min(last);
    if needle.is_empty() {
        return to_int(from);
    }
    let start = if length == text.len() {
        from
    } else {
        match locate(text, from) {
            Some(place) => place.byte,
            None => return -1,
        }
    };
    let end = (start + needle.len()).min(text.len());
    match memmem::rfind(&text.as_bytes()[..end], needle.as_bytes()) {
        Some(at) => to_int(units(&text[..at])),
        None => -1,
    }
}

/// `text.lastIndexOf(code, from)`.
pub fn last_index_of_char(text: &str, code: i32, from: i32) -> i32 {
    match (char_of(code), usize::try_from(from)) {
        (_, Err(_)) => -1,
        (Some(c), _) => last_index_of(text, c.encode_utf8(&mut [0; 4]), from),
        (None, Ok(from)) => half_index(text, code, 0, from, true),
    }
}

fn char_of(code: i32) -> Option<char> {
    u32::try_from(code).ok().and_then(char::from_u32)
}

/// Where half of a pair stands, for a `code` that is no character.
fn half_index(text: &str, code: i32, from: usize, to: usize, last: bool) -> i32 {
    let mut halves =
        text.encode_utf16().enumerate().skip(from).filter(|&(_, unit)| i32::from(unit) == code);
    let found =
        if last { halves.take_while(|&(index, _)| index <= to).last() } else { halves.next() };
    found.map_or(-1, |(index, _)| to_int(index))
}

/// `text.contains(needle)`.
pub fn contains(text: &str, needle: &str) -> bool {
    memmem::find(text.as_bytes(), needle.as_bytes()).is_some()
}

/// `text.startsWith(prefix, offset)`.
pub fn starts_with(text: &str, prefix: &str, offset: i32) -> bool {
    let Ok(offset) = usize::try_from(offset) else {
        return false;
    };
    match locate(text, offset) {
        Some(place) if place.inside_pair => prefix.is_empty(),
        Some(place) => text[place.byte..].starts_with(prefix),
        None => false,
    }
}

/// `text.endsWith(suffix)`.
pub fn ends_with(text: &str, suffix: &str) -> bool {
    text.ends_with(suffix)
}

/// `a.equalsIgnoreCase(b)`.
pub fn equals_ignore_case(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    a.chars().map(chars::fold).eq(b.chars().map(chars::fold))
}

/// `a.compareTo(b)`: the difference of the first units that differ, or of the lengths.
pub fn compare(a: &str, b: &str) -> i32 {
    let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    if common == a.len() || common == b.len() {
        // One starts with the other, unless a character's first bytes are what they share.
        if a.is_char_boundary(common) && b.is_char_boundary(common) {
            return to_int(units(&a[common..])) - to_int(units(&b[common..]));
        }
    }
    let start = (0..=common).rev().find(|&at| a.is_char_boundary(at)).unwrap_or(0);
    let pair = a[start..].encode_utf16().zip(b[start..].encode_utf16()).find(|(a, b)| a != b);
    match pair {
        Some((a, b)) => i32::from(a) - i32::from(b),
        None => length(a) - length(b),
    }
}

/// `a.compareToIgnoreCase(b)`: the difference of the first characters that differ by more than
/// case, or of the lengths.
pub fn compare_ignore_case(a: &str, b: &str) -> i32 {
    let mut folded = a.chars().map(chars::fold).zip(b.chars().map(chars::fold));
    let Some((x, y)) = folded.find(|(x, y)| x != y) else {
        return length(a) - length(b);
    };
    if is_latin1(a) || is_latin1(b) {
        // Java then compares units, so that a pair counts as its first half.
        let first_unit = |c: char| i32::from(c.encode_utf16(&mut [0; 2])[0]);
        return first_unit(x) - first_unit(y);
    }
    x as i32 - y as i32
}

/// Appends `text.concat(tail)`.
pub fn concat(text: &str, tail: &str, out: &mut String) {
    out.reserve(text.len() + tail.len());
    out.push_str(text);
    out.push_str(tail);
}

/// Appends `text.replace(old, new)` for two `char`s. A half of a pair is not found.
pub fn replace_char(text: &str, old: u16, new: u16, out: &mut String) {
    let mut replacement = String::new();
    let Some(old) = char::from_u32(u32::from(old)) else {
        out.push_str(text);
        return;
    };
    push_unit(new, &mut replacement);
    replace(text, old.encode_utf8(&mut [0; 4]), &replacement, out);
}

/// Appends `text.replace(target, replacement)`. An empty target is found before and after each unit.
pub fn replace(text: &str, target: &str, replacement: &str, out: &mut String) {
    if target.is_empty() && replacement.is_empty() {
        out.push_str(text);
        return;
    }
    if target.is_empty() {
        out.push_str(replacement);
        for c in text.chars() {
            if c.len_utf16() == 2 {
                out.push('?');
                out.push_str(replacement);
                out.push('?');
            } else {
                out.push(c);
            }
            out.push_str(replacement);
        }
        return;
    }
    let mut done = 0;
    if let &[byte] = target.as_bytes() {
        for at in memchr::memchr_iter(byte, text.as_bytes()) {
            out.push_str(&text[done..at]);
            out.push_str(replacement);
            done = at + 1;
        }
    } else {
        for at in memmem::find_iter(text.as_bytes(), target.as_bytes()) {
            out.push_str(&text[done..at]);
            out.push_str(replacement);
            done = at + target.len();
        }
    }
    out.push_str(&text[done..]);
}

/// Appends `text.toLowerCase()` of the root locale.
pub fn to_lower(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        out[start..].make_ascii_lowercase();
    } else {
        for part in text.split_inclusive(chars::is_cased_later) {
            let (part, later) = split_later(part);
            out.push_str(&part.to_lowercase());
            out.push_str(later);
        }
    }
}

/// Appends `text.toUpperCase()` of the root locale.
pub fn to_upper(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        out[start..].make_ascii_uppercase();
    } else {
        for part in text.split_inclusive(chars::is_cased_later) {
            let (part, later) = split_later(part);
            out.extend(part.chars().flat_map(char::to_uppercase));
            out.push_str(later);
        }
    }
}

/// Splits a character off the end that Java 17 knows no case of.
fn split_later(part: &str) -> (&str, &str) {
    match part.char_indices().next_back() {
        Some((at, c)) if chars::is_cased_later(c) => part.split_at(at),
        _ => (part, ""),
    }
}

/// `text.trim()`.
pub fn trim(text: &str) -> &str {
    text.trim_matches(chars::is_trimmed)
}

/// `text.strip()`.
pub fn strip(text: &str) -> &str {
    text.trim_matches(chars::is_whitespace)
}

/// `text.stripLeading()`.
pub fn strip_leading(text: &str) -> &str {
    text.trim_start_matches(chars::is_whitespace)
}

/// `text.stripTrailing()`.
pub fn strip_trailing(text: &str) -> &str {
    text.trim_end_matches(chars::is_whitespace)
}

/// `text.isBlank()`.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(chars::is_whitespace)
}

/// Appends `text.repeat(count)`.
///
/// # Errors
/// `IllegalArgumentException` for a negative count, `OutOfMemoryError` past [`REPEAT_BYTES_MAX`].
pub fn repeat(text: &str, count: i32, out: &mut String) -> Result<(), JavaException> {
    let Ok(times) = usize::try_from(count) else {
        let message = format!("count is negative: {count}");
        return Err(JavaException::new("IllegalArgumentException", message));
    };
    if text.len().saturating_mul(times) > REPEAT_BYTES_MAX {
        let message = format!("a repeated string is longer than {REPEAT_BYTES_MAX} bytes");
        return Err(JavaException::new("OutOfMemoryError", message));
    }
    if text.is_empty() {
        return Ok(());
    }
    out.reserve(text.len() * times);
    for _ in 0..times {
        out.push_str(text);
    }
    Ok(())
}

/// Appends `String.join(delimiter, parts)`.
pub fn join<'a>(delimiter: &str, parts: impl IntoIterator<Item = &'a str>, out: &mut String) {
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            out.push_str(delimiter);
        }
        out.push_str(part);
    }
}

/// `text.hashCode()`.
pub fn hash_code(text: &str) -> i32 {
    let step = |hash: i32, unit: i32| hash.wrapping_mul(31).wrapping_add(unit);
    if text.is_ascii() {
        text.bytes().map(i32::from).fold(0, step)
    } else {
        text.encode_utf16().map(i32::from).fold(0, step)
    }
}

/// `text.regionMatches(ignore_case, offset, other, other_offset, length)`.
pub fn region_matches(
    text: &str,
    ignore_case: bool,
    offset: i32,
    other: &str,
    other_offset: i32,
    length: i32,
) -> bool {
    let fits = |text: &str, offset: i32| {
        offset >= 0 && i64::from(offset) <= units(text) as i64 - i64::from(length)
    };
    if !fits(text, offset) || !fits(other, other_offset) {
        return false;
    }
    let count = length.max(0) as usize;
    let region = |text: &'_ str, offset: i32| -> Vec<u16> {
        text.encode_utf16().skip(offset as usize).take(count).collect()
    };
    let (a, b) = (region(text, offset), region(other, other_offset));
    if !ignore_case {
        return a == b;
    }
    let fold = |units: Vec<u16>| -> Vec<Result<char, u16>> {
        char::decode_utf16(units)
            .map(|c| c.map(chars::fold).map_err(|half| half.unpaired_surrogate()))
            .collect()
    };
    fold(a) == fold(b)
}
