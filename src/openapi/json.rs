//! JSON (RFC 8259) to [`Node`]s.
//!
//! Exact: nothing beyond the RFC is read, and keys are unique (RFC 8259 section 4 leaves the
//! meaning of others open). Numbers keep their text, so no digit is lost on the way.
//!
//! Cost: one pass; positions are counted along the way.

use super::document::{Refusal, START, excerpt, position_from, refuse_duplicates};
use super::{Member, Node, Position, Value};
use crate::limits::DOCUMENT_DEPTH_MAX;

const COMMAS: &str = "Separate members and items by commas, and close every bracket and quote.";
const QUOTES: &str = "Keys and texts stand in double quotes.";
const VALUES: &str =
    "A value is an object, a list, a text in double quotes, a number, `true`, `false` or `null`.";
const NUMBERS: &str = "A number is written like `-12.5e3`; a text needs double quotes.";
const ESCAPES: &str =
    "The escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hex digits.";

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Node, Refusal> {
    let mut parser = Parser { text, at: 0, marked: (0, START) };
    parser.skip_blanks();
    let root = parser.value(0)?;
    parser.skip_blanks();
    if parser.peek().is_some() {
        return Err(parser.expected("the end of the document", "Only one value makes a document."));
    }
    Ok(root)
}

struct Parser<'a> {
    text: &'a str,
    /// Byte to read next; always between two characters.
    at: usize,
    /// A byte before `at` and its place, to count on from.
    marked: (usize, Position),
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, Refusal> {
        let position = self.position();
        let value = match self.peek() {
            Some(b'{' | b'[') if depth == DOCUMENT_DEPTH_MAX => {
                return Err(Refusal::too_deep(position));
            }
            Some(b'{') => self.map(depth + 1)?,
            Some(b'[') => self.list(depth + 1)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word()?,
            _ => return Err(self.expected("a value", VALUES)),
        };
        Ok(Node { position, value })
    }

    fn map(&mut self, depth: usize) -> Result<Value, Refusal> {
        let mut members = Vec::new();
        self.at += 1;
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Value::Map(members));
        }
        loop {
            let position = self.position();
            if self.peek() != Some(b'"') {
                let what = if members.is_empty() {
                    "a key in double quotes or `}`"
                } else {
                    "a key in double quotes"
                };
                return Err(self.expected(what, QUOTES));
            }
            let key = self.string()?;
            self.skip_blanks();
            if !self.take(b':') {
                return Err(self.expected("`:` after the key", COMMAS));
            }
            self.skip_blanks();
            let node = self.value(depth)?;
            members.push(Member { key, position, node });
            self.skip_blanks();
            if self.take(b'}') {
                break;
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `}`", COMMAS));
            }
            self.skip_blanks();
        }
        refuse_duplicates(&members)?;
        Ok(Value::Map(members))
    }

    fn list(&mut self, depth: usize) -> Result<Value, Refusal> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_blanks();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `]`", COMMAS));
            }
            self.skip_blanks();
        }
    }

    fn string(&mut self) -> Result<Box<str>, Refusal> {
        let opened = self.at;
        self.at += 1;
        let mut content = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain =
                rest.find(|c| matches!(c, '"' | '\\' | '\0'..='\x1F')).unwrap_or(rest.len());
            content.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(content.into_boxed_str());
                }
                Some(b'\\') => content.push(self.escape()?),
                Some(b'\n' | b'\r') => {
                    let help = "Close it with `\"`, or write the line break as \\n.";
                    return Err(self.refusal(opened, "the text does not end on its line", help));
                }
                Some(control) => {
                    let message =
                        format!("a control character cannot stand in a text: U+{control:04X}");
                    let help = "Write it as \\u and four hex digits.";
                    return Err(self.refusal(self.at, message, help));
                }
                None => {
                    return Err(self.refusal(opened, "the text has no end", "Close it with `\"`."));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Refusal> {
        let start = self.at;
        self.at += 1;
        let plain = match self.peek() {
            Some(quoted @ (b'"' | b'\\' | b'/')) => char::from(quoted),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0C',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => return Err(self.expected("an escape after `\\`", ESCAPES)),
        };
        self.at += 1;
        Ok(plain)
    }

    /// `\uXXXX`, or two of them for a character beyond U+FFFF; `at` is at the `u`.
    fn unicode_escape(&mut self, start: usize) -> Result<char, Refusal> {
        self.at += 1;
        let first = self.hex4()?;
        let code = if let 0xD800..=0xDBFF = first
            && self.text[self.at..].starts_with("\\u")
        {
            self.at += 2;
            let second = self.hex4()?;
            match second {
                0xDC00..=0xDFFF => 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00),
                _ => first,
            }
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| {
            let message = format!("\\u{first:04x} is half of a surrogate pair");
            self.refusal(
                start,
                message,
                "Write both halves, \\ud83d\\ude00, or the character itself.",
            )
        })
    }

    fn hex4(&mut self) -> Result<u32, Refusal> {
        let mut code = 0;
        for _ in 0..4 {
            match self.peek().and_then(|byte| char::from(byte).to_digit(16)) {
                Some(digit) => code = code << 4 | digit,
                None => return Err(self.expected("four hex digits after \\u", ESCAPES)),
            }
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Box<str>, Refusal> {
        let start = self.at;
        self.take(b'-');
        if self.take(b'0') {
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(self.refusal(start, "a number does not begin with 0", NUMBERS));
            }
        } else {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(self.text[start..self.at].into())
    }

    fn digits(&mut self) -> Result<(), Refusal> {
        let rest = &self.text.as_bytes()[self.at..];
        match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
            0 => Err(self.expected("a digit", NUMBERS)),
            count => {
                self.at += count;
                Ok(())
            }
        }
    }

    fn word(&mut self) -> Result<Value, Refusal> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let value = match &rest[..end] {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            word => {
                let message = format!("expected a value, found `{}`", excerpt(word));
                return Err(self.refusal(self.at, message, VALUES));
            }
        };
        self.at += end;
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Whether the next byte is this one, which is then read.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Where the next byte is.
    fn position(&mut self) -> Position {
        let position = position_from(self.text, self.marked, self.at);
        self.marked = (self.at, position);
        position
    }

    fn expected(&self, what: &str, help: &str) -> Refusal {
        let rest = &self.text[self.at..];
        if rest.starts_with("//") || rest.starts_with("/*") {
            // YAML would take it for a part of a key or a text.
            let position = position_from(self.text, (0, START), self.at);
            let help = "Remove it; in YAML a comment begins with `#`.";
            return Refusal::content(position, "JSON has no comments", help);
        }
        let message = match rest.chars().next() {
            None => format!("expected {what}, found the end of the document"),
            Some(c) if is_invisible(c) => format!("expected {what}, found U+{:04X}", u32::from(c)),
            Some(c) => format!("expected {what}, found `{c}`"),
        };
        self.refusal(self.at, message, help)
    }

    fn refusal(&self, at: usize, message: impl Into<String>, help: &str) -> Refusal {
        Refusal::syntax(position_from(self.text, (0, START), at), message, help)
    }
}

/// Whether a message has to name the character by its code.
fn is_invisible(c: char) -> bool {
    let mut escaped = c.escape_debug();
    // Spaces beyond ASCII look like the one of ASCII.
    escaped.next() == Some('\\') && !matches!(c, '"' | '\'' | '\\') || c.is_whitespace() && c != ' '
}

#[cfg(test)]
mod tests;
