//! Printing as json-smart prints: what `$input.json` gives, and what an array's `toString` gives.
//!
//! Compact, members in the document's order, nulls kept. The two differ in one character: the
//! service's `$input.json` uses `JSONStyle.LT_COMPRESS`, which leaves `/` alone, and
//! `JSONArray.toString` the default style, which escapes it.

use std::fmt::Write;

use crate::json::number::{Number, is_canonical};
use crate::json::parse::{EACH, TOPS, specials};
use crate::json::tape::{Document, JsonStr, Kind, NodeId};

/// Which of json-smart's styles is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `JSONStyle.LT_COMPRESS`: what Jayway's `JsonSmartJsonProvider.toJson` prints.
    Json,
    /// `JSONStyle.NO_COMPRESS`: what `JSONArray.toString` prints, with `\/`.
    ToString,
}

/// Appends the JSON of `node` and of everything inside it.
///
/// A compact body is mostly printed as it was written, so what is printed is kept as a piece of
/// the text for as long as the text goes on the same way, and appended in one go.
pub fn write(document: &Document<'_, '_>, node: NodeId, style: Style, out: &mut String) {
    let mut printer = Printer { document: *document, style, out, from: 0, to: 0 };
    printer.value(node);
    printer.flush();
}

struct Printer<'a, 'text, 'tape> {
    document: Document<'text, 'tape>,
    style: Style,
    out: &'a mut String,
    /// The piece of the text that is printed and not yet appended.
    from: usize,
    to: usize,
}

impl Printer<'_, '_, '_> {
    /// Recursion is bounded by [`limits::DEPTH_MAX`](crate::json::limits::DEPTH_MAX), which the
    /// parser keeps.
    fn value(&mut self, node: NodeId) {
        let document = self.document;
        match document.kind(node) {
            Kind::Null => self.push("null"),
            Kind::Bool => self.push(if document.is_true(node) { "true" } else { "false" }),
            Kind::Number => match document.number_text(node) {
                Some(JsonStr::Text(text)) if is_canonical(text) => {
                    self.piece(document.place(node), text.len());
                }
                _ => {
                    self.flush();
                    let number = document.number(node).expect("a number has a value");
                    write_number(self.out, &number);
                }
            },
            Kind::String => {
                let string = document.string(node).expect("a string has characters");
                self.string(document.place(node), string);
            }
            Kind::Array => {
                self.mark(b'[');
                for (index, element) in document.elements(node).enumerate() {
                    if index > 0 {
                        self.mark(b',');
                    }
                    self.value(element);
                }
                self.mark(b']');
            }
            Kind::Object => {
                self.mark(b'{');
                for (index, (key, value)) in document.member_nodes(node).enumerate() {
                    if index > 0 {
                        self.mark(b',');
                    }
                    let string = document.string(key).expect("a key has characters");
                    self.string(document.place(key), string);
                    self.mark(b':');
                    self.value(value);
                }
                self.mark(b'}');
            }
        }
    }

    fn string(&mut self, place: usize, string: JsonStr<'_, '_>) {
        if let JsonStr::Text(text) = string
            && is_plain(text.as_bytes(), self.style)
        {
            let bytes = self.document.text().as_bytes();
            let quoted = bytes.get(place.wrapping_sub(1)) == Some(&b'"')
                && bytes.get(place + text.len()) == Some(&b'"');
            if quoted {
                return self.piece(place - 1, text.len() + 2);
            }
        }
        self.flush();
        write_string(self.out, string.as_str(), self.style);
    }

    /// Prints `len` bytes of the text.
    #[inline(always)]
    fn piece(&mut self, at: usize, len: usize) {
        if at != self.to || self.from == self.to {
            self.flush();
            self.from = at;
        }
        self.to = at + len;
    }

    /// Prints one character of punctuation, which the text may go on with.
    #[inline(always)]
    fn mark(&mut self, mark: u8) {
        let bytes = self.document.text().as_bytes();
        if self.from != self.to && bytes.get(self.to) == Some(&mark) {
            self.to += 1;
        } else if self.from == self.to && bytes.get(self.to) == Some(&mark) {
            self.from = self.to;
            self.to += 1;
        } else {
            self.flush();
            self.out.push(char::from(mark));
        }
    }

    fn push(&mut self, word: &str) {
        let text = self.document.text();
        if self.from != self.to && text.as_bytes()[self.to..].starts_with(word.as_bytes()) {
            self.to += word.len();
        } else {
            self.flush();
            self.out.push_str(word);
        }
    }

    fn flush(&mut self) {
        self.out.push_str(&self.document.text()[self.from..self.to]);
        self.from = self.to;
    }
}

/// Appends a number as json-smart writes it: Java's `toString`, but `null` for the infinities.
pub fn write_number(out: &mut String, number: &Number<'_>) {
    match number {
        Number::Double(double) if double.is_infinite() => out.push_str("null"),
        other => other.write_java(out),
    }
}

/// Appends `string` in quotes and escaped.
#[inline]
pub fn write_string(out: &mut String, string: &str, style: Style) {
    out.push('"');
    escape(out, string, style);
    out.push('"');
}

/// Appends `string` escaped, without quotes: `"`, `\`, control characters up to U+009F and
/// U+2000 to U+20FF, and `/` in [`Style::ToString`].
#[inline]
pub fn escape(out: &mut String, string: &str, style: Style) {
    if is_plain(string.as_bytes(), style) {
        out.push_str(string);
    } else {
        escape_some(out, string, style);
    }
}

/// Whether `bytes` are ASCII without anything to escape; others may have nothing to escape, too.
#[inline]
fn is_plain(bytes: &[u8], style: Style) -> bool {
    let slash = if style == Style::ToString { EACH * b'/' as u64 } else { EACH * b'"' as u64 };
    let (chunks, rest) = bytes.as_chunks::<8>();
    let plain = |word: u64| {
        let delete = word ^ (EACH * 0x7F);
        let slash = word ^ slash;
        let others = delete.wrapping_sub(EACH) | slash.wrapping_sub(EACH) | word;
        // A byte past ASCII has its top bit in `word`; for the rest only subtraction sets it.
        (specials(word) | others & TOPS) == 0
    };
    chunks.iter().all(|chunk| plain(u64::from_le_bytes(*chunk)))
        && rest.iter().all(|&byte| {
            let class = CLASSES[byte as usize];
            byte < 0x80 && (class == PLAIN || class == SLASH && style == Style::Json)
        })
}

fn escape_some(out: &mut String, string: &str, style: Style) {
    let bytes = string.as_bytes();
    let slash = style == Style::ToString;
    let mut plain = 0;
    let mut at = 0;
    while at < bytes.len() {
        let class = CLASSES[bytes[at] as usize];
        if class == PLAIN || (class == SLASH && !slash) {
            at += 1;
            continue;
        }
        // The few characters past ASCII that are escaped begin with one of two bytes.
        let (code, len) = match (class, &bytes[at..]) {
            (LEAD, [0xC2, second @ 0x80..=0x9F, ..]) => (u32::from(*second), 2),
            (LEAD, [0xE2, second @ 0x80..=0x83, third, ..]) => {
                (0x2000 | u32::from(second & 3) << 6 | u32::from(third & 0x3F), 3)
            }
            (LEAD, _) => {
                at += 1;
                continue;
            }
            _ => (u32::from(bytes[at]), 1),
        };
        out.push_str(&string[plain..at]);
        match code {
            8 => out.push_str("\\b"),
            9 => out.push_str("\\t"),
            10 => out.push_str("\\n"),
            12 => out.push_str("\\f"),
            13 => out.push_str("\\r"),
            34 => out.push_str("\\\""),
            47 => out.push_str("\\/"),
            92 => out.push_str("\\\\"),
            _ => write!(out, "\\u{code:04X}").expect("a string takes whatever is written"),
        }
        at += len;
        plain = at;
    }
    out.push_str(&string[plain..]);
}

const PLAIN: u8 = 0;
/// Always escaped.
const ESCAPED: u8 = 1;
/// Escaped in one style.
const SLASH: u8 = 2;
/// May begin a character that is escaped.
const LEAD: u8 = 3;

const CLASSES: [u8; 256] = {
    let mut classes = [PLAIN; 256];
    let mut byte = 0;
    while byte < 0x20 {
        classes[byte] = ESCAPED;
        byte += 1;
    }
    classes[b'"' as usize] = ESCAPED;
    classes[b'\\' as usize] = ESCAPED;
    classes[0x7F] = ESCAPED;
    classes[b'/' as usize] = SLASH;
    classes[0xC2] = LEAD;
    classes[0xE2] = LEAD;
    classes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_json_smart_escapes_them() {
        for (string, json, to_string) in [
            ("", r#""""#, r#""""#),
            ("plain é 世 😀", r#""plain é 世 😀""#, r#""plain é 世 😀""#),
            ("a/b", r#""a/b""#, r#""a\/b""#),
            ("\"\\", r#""\"\\""#, r#""\"\\""#),
            ("\u{8}\t\n\u{c}\r", r#""\b\t\n\f\r""#, r#""\b\t\n\f\r""#),
            ("\0\u{1f}\u{7f}", r#""\u0000\u001F\u007F""#, r#""\u0000\u001F\u007F""#),
            ("\u{80}\u{9f}\u{a0}", "\"\\u0080\\u009F\u{a0}\"", "\"\\u0080\\u009F\u{a0}\""),
            ("\u{1fff}\u{2000}\u{20ff}\u{2100}", "\"\u{1fff}\\u2000\\u20FF\u{2100}\"", {
                "\"\u{1fff}\\u2000\\u20FF\u{2100}\""
            }),
        ] {
            for (style, want) in [(Style::Json, json), (Style::ToString, to_string)] {
                let mut out = String::new();
                write_string(&mut out, string, style);
                assert_eq!(out, want, "{style:?}");
            }
        }
    }
}
