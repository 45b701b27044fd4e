//! Everything that is not JSON and that json-smart 2.2 reads all the same (`MODE_PERMISSIVE`).
//!
//! The library's grammar is what its code does, so this follows it state by state:
//!
//! - A string may have single quotes, or none: then it runs to the next character that ends a
//!   value where it stands, and is trimmed. `null`, `true`, `false`, `NaN` and numbers are such
//!   strings that happen to mean something.
//! - Commas may be missing between elements, doubled, or trail. Data after the value is ignored.
//! - Where a quoted string has escapes, its control characters are dropped and unknown escapes
//!   vanish; where it has none, everything stays.
//! - U+001A is the end of the text, wherever it stands outside quotes.
//!
//! Measured against the library; `testdata/permissive.jsonl` has its answers.
//!
//! Only texts that [`parse`](super::parse) refuses come here. Recursion is bounded by `DEPTH_MAX`.

use crate::json::limits::DEPTH_MAX;
use crate::json::number;
use crate::json::parse::{note_key, pair};
use crate::json::tape::{Frame, Tape, key_hash, tag};
use crate::json::{JsonError, JsonErrorKind};

/// json-smart's mark for the end of the text; the character itself counts as the end, too.
const END: u8 = 0x1A;
/// Characters from here on never make a string of what began as a number.
const STOP_MAX: u8 = 126;

/// Parses the value that `text` begins with into the empty `tape`.
pub(super) fn parse(tape: &mut Tape, text: &str) -> Result<(), JsonError> {
    Parser { tape, text, at: 0, depth: 0 }.first_value()
}

/// Where an unquoted string ends.
#[derive(Clone, Copy)]
enum Stop {
    End,
    Element,
    Value,
    Key,
}

impl Stop {
    fn at(self, byte: u8) -> bool {
        byte == END
            || match self {
                Self::End => false,
                Self::Element => matches!(byte, b',' | b']'),
                Self::Value => matches!(byte, b',' | b'}'),
                Self::Key => byte == b':',
            }
    }
}

/// A piece of the text, or of the tape's buffer.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    len: usize,
    owned: u32,
}

struct Parser<'t> {
    tape: &'t mut Tape,
    text: &'t str,
    at: usize,
    depth: u32,
}

impl Parser<'_> {
    fn first_value(&mut self) -> Result<(), JsonError> {
        self.skip_blanks();
        if self.byte() == END {
            // An empty text is an empty string; so is what follows an early end.
            self.tape.push(tag::STRING, self.at, 0);
            return Ok(());
        }
        self.value(Stop::End)
    }

    /// The current byte, or `END`.
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(END)
    }

    fn fail<T>(&self, kind: JsonErrorKind) -> Result<T, JsonError> {
        Err(JsonError { at: self.at.min(self.text.len()), kind })
    }

    fn value(&mut self, stop: Stop) -> Result<(), JsonError> {
        self.skip_blanks();
        match self.byte() {
            b':' | b'}' | b']' => self.fail(JsonErrorKind::UnexpectedCharacter),
            END => self.fail(JsonErrorKind::UnexpectedEnd),
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' | b'\'' => {
                let span = self.quoted()?;
                self.tape.push(tag::STRING | span.owned, span.start, span.len);
                Ok(())
            }
            b'-' | b'0'..=b'9' => self.number(stop),
            first => {
                let span = self.unquoted(self.at, stop);
                // What was trimmed in front of a word keeps it a string.
                match (first, &self.text[span.start..span.start + span.len]) {
                    (b'n', "null") => self.tape.push(tag::NULL, 0, 0),
                    (b't', "true") => self.tape.push(tag::TRUE, 0, 0),
                    (b'f', "false") => self.tape.push(tag::FALSE, 0, 0),
                    (b'N', "NaN") => self.tape.push(tag::NAN, 0, 0),
                    _ => self.tape.push(tag::STRING, span.start, span.len),
                }
                Ok(())
            }
        }
    }

    fn array(&mut self) -> Result<(), JsonError> {
        let mut frame = self.open(false)?;
        self.at += 1;
        loop {
            match self.byte() {
                b' ' | b'\r' | b'\n' | b'\t' | b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    self.close(&frame);
                    return Ok(());
                }
                b':' | b'}' => return self.fail(JsonErrorKind::UnexpectedCharacter),
                END => return self.fail(JsonErrorKind::UnexpectedEnd),
                _ => {
                    self.value(Stop::Element)?;
                    frame.count += 1;
                }
            }
        }
    }

    fn object(&mut self) -> Result<(), JsonError> {
        let mut frame = self.open(true)?;
        loop {
            self.at += 1;
            let key = match self.byte() {
                b' ' | b'\r' | b'\n' | b'\t' | b',' => continue,
                b':' | b']' | b'[' | b'{' => {
                    return self.fail(JsonErrorKind::UnexpectedCharacter);
                }
                b'}' => {
                    self.at += 1;
                    self.close(&frame);
                    return Ok(());
                }
                b'"' | b'\'' => self.quoted()?,
                _ => self.unquoted(self.at, Stop::Key),
            };
            self.skip_controls();
            match self.byte() {
                b':' => self.at += 1,
                END => return self.fail(JsonErrorKind::UnexpectedEnd),
                _ => return self.fail(JsonErrorKind::UnexpectedCharacter),
            }
            self.push_key(key, &mut frame);
            self.value(Stop::Value)?;
            frame.count += 1;
            self.skip_controls();
            match self.byte() {
                b'}' => {
                    self.at += 1;
                    self.close(&frame);
                    return Ok(());
                }
                b',' => {}
                END => return self.fail(JsonErrorKind::UnexpectedEnd),
                _ => return self.fail(JsonErrorKind::MissingComma),
            }
        }
    }

    fn open(&mut self, object: bool) -> Result<Frame, JsonError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.fail(JsonErrorKind::TooDeep);
        }
        let node = self.tape.nodes.len() as u32;
        self.tape.push(if object { tag::OBJECT } else { tag::ARRAY }, 0, 0);
        Ok(Frame { node, count: 0, seen: 0, object, repeats: false })
    }

    fn close(&mut self, frame: &Frame) {
        self.depth -= 1;
        self.tape.close(frame, self.text);
    }

    fn push_key(&mut self, key: Span, frame: &mut Frame) {
        let bytes =
            if key.owned == 0 { self.text.as_bytes() } else { self.tape.strings.as_bytes() };
        let hash = key_hash(&bytes[key.start..key.start + key.len]);
        note_key(frame, hash);
        self.tape.push(tag::STRING | key.owned | hash << tag::HASH_SHIFT, key.start, key.len);
    }

    /// A number, unless something follows that makes it a string, such as `12 monkeys`.
    fn number(&mut self, stop: Stop) -> Result<(), JsonError> {
        let start = self.at;
        self.at += 1;
        self.skip_digits();
        let mut float = false;
        if self.byte() == b'.' {
            float = true;
            self.at += 1;
            self.skip_digits();
        }
        let mut string = false;
        if matches!(self.byte(), b'e' | b'E') {
            float = true;
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-' | b'0'..=b'9') {
                self.at += 1;
                self.skip_digits();
            } else {
                string = true;
            }
        }
        if !string {
            self.skip_controls();
            let byte = self.byte();
            string = byte < STOP_MAX && !stop.at(byte);
        }
        if string {
            let span = self.unquoted(start, stop);
            self.tape.push(tag::STRING, span.start, span.len);
            return Ok(());
        }
        let span = self.trim(start, self.at);
        if float && !number::is_float(&self.text[span.start..span.start + span.len]) {
            return Err(JsonError { at: start, kind: JsonErrorKind::InvalidNumber });
        }
        self.tape.push(if float { tag::FLOAT } else { tag::INT }, span.start, span.len);
        Ok(())
    }

    /// The string without quotes that began at `start` and goes on where the parser stands.
    fn unquoted(&mut self, start: usize, stop: Stop) -> Span {
        while !stop.at(self.byte()) {
            self.at += 1;
        }
        self.trim(start, self.at)
    }

    /// Control characters and blanks off both ends.
    fn trim(&self, start: usize, end: usize) -> Span {
        let piece = self.text[start..end].trim_end_matches(|char| char <= ' ');
        let len = piece.trim_start_matches(|char| char <= ' ').len();
        Span { start: start + piece.len() - len, len, owned: 0 }
    }

    /// A string in the quotes that the parser stands at.
    fn quoted(&mut self) -> Result<Span, JsonError> {
        let quote = self.byte();
        let start = self.at + 1;
        let Some(len) = memchr::memchr(quote, &self.text.as_bytes()[start..]) else {
            self.at = self.text.len();
            return self.fail(JsonErrorKind::UnexpectedEnd);
        };
        if memchr::memchr(b'\\', &self.text.as_bytes()[start..start + len]).is_none() {
            self.at = start + len + 1;
            return Ok(Span { start, len, owned: 0 });
        }
        self.at = start;
        self.escaped(quote)
    }

    fn escaped(&mut self, quote: u8) -> Result<Span, JsonError> {
        let start = self.tape.strings.len();
        let mut units = Units { out: std::mem::take(&mut self.tape.strings), high: None };
        let end = self.escaped_units(quote, &mut units);
        units.flush();
        self.tape.strings = units.out;
        end?;
        Ok(Span { start, len: self.tape.strings.len() - start, owned: tag::OWNED })
    }

    fn escaped_units(&mut self, quote: u8, units: &mut Units) -> Result<(), JsonError> {
        loop {
            match self.byte() {
                END => return self.fail(JsonErrorKind::UnexpectedEnd),
                byte if byte == quote => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => {
                    self.at += 1;
                    self.escape(units)?;
                }
                0..=0x1F | 0x7F => self.at += 1,
                _ => {
                    let char = self.char();
                    units.char(char);
                    self.at += char.len_utf8();
                }
            }
        }
    }

    /// The character at the parser's place, which is inside the text.
    fn char(&self) -> char {
        self.text[self.at..].chars().next().expect("the place is before the end")
    }

    fn escape(&mut self, units: &mut Units) -> Result<(), JsonError> {
        let decoded = match self.byte() {
            b't' => '\t',
            b'n' => '\n',
            b'r' => '\r',
            b'f' => '\u{c}',
            b'b' => '\u{8}',
            byte @ (b'\\' | b'/' | b'\'' | b'"') => char::from(byte),
            b'u' => return self.hex(4, units),
            b'x' => return self.hex(2, units),
            END => {
                self.at += 1;
                return Ok(());
            }
            _ => {
                // Java drops one UTF-16 unit.
                let char = self.char();
                if char.len_utf16() == 2 {
                    let mut pair = [0; 2];
                    char.encode_utf16(&mut pair);
                    units.unit(u32::from(pair[1]));
                }
                self.at += char.len_utf8();
                return Ok(());
            }
        };
        units.char(decoded);
        self.at += 1;
        Ok(())
    }

    fn hex(&mut self, digits: usize, units: &mut Units) -> Result<(), JsonError> {
        let mut value = 0;
        for _ in 0..digits {
            self.at += 1;
            match char::from(self.byte()).to_digit(16) {
                Some(digit) => value = value << 4 | digit,
                None => return self.fail(JsonErrorKind::InvalidEscape),
            }
        }
        units.unit(value);
        self.at += 1;
        Ok(())
    }

    fn skip_digits(&mut self) {
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
    }

    /// Blanks as they are skipped before a value.
    fn skip_blanks(&mut self) {
        while matches!(self.byte(), b' ' | b'\r' | b'\n' | b'\t') {
            self.at += 1;
        }
    }

    /// Blanks as they are skipped after a value and around a colon: all control characters.
    fn skip_controls(&mut self) {
        while self.byte() <= b' ' && self.byte() != END {
            self.at += 1;
        }
    }
}

/// UTF-16 as Java collects it: the two halves of a pair may come from different escapes.
struct Units {
    out: String,
    high: Option<u32>,
}

impl Units {
    fn unit(&mut self, unit: u32) {
        match (self.high.take(), unit) {
            (Some(high), 0xDC00..=0xDFFF) => self.out.push(pair(high, unit)),
            (high, _) => {
                self.high = high;
                self.flush();
                match unit {
                    0xD800..=0xDBFF => self.high = Some(unit),
                    _ => self.out.push(char::from_u32(unit).unwrap_or('?')),
                }
            }
        }
    }

    fn char(&mut self, char: char) {
        self.flush();
        self.out.push(char);
    }

    /// A half that found no other is `?`, as Java prints it.
    fn flush(&mut self) {
        if self.high.take().is_some() {
            self.out.push('?');
        }
    }
}
