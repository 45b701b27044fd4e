//! Printing as json-smart prints: what `$input.json` gives, and what an array's `toString` gives.
//!
//! Compact, members in the document's order, nulls kept. The two differ in one character: the
//! service's `$input.json` uses `JSONStyle.LT_COMPRESS`, which leaves `/` alone, and
//! `JSONArray.toString` the default style, which escapes it.

use std::fmt::Write;

use crate::json::number::Number;
use crate::json::tape::{Document, Kind, NodeId};

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
/// Recursion is bounded by [`limits::DEPTH_MAX`](super::limits::DEPTH_MAX), which the parser keeps.
pub fn write(document: &Document<'_, '_>, node: NodeId, style: Style, out: &mut String) {
    match document.kind(node) {
        Kind::Null => out.push_str("null"),
        Kind::Bool => out.push_str(if document.is_true(node) { "true" } else { "false" }),
        Kind::Number => {
            write_number(out, &document.number(node).expect("a number has a value"));
        }
        Kind::String => {
            let string = document.string(node).expect("a string has characters");
            write_string(out, string.as_str(), style);
        }
        Kind::Array => {
            out.push('[');
            for (index, element) in document.elements(node).enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(document, element, style, out);
            }
            out.push(']');
        }
        Kind::Object => {
            out.push('{');
            for (index, (key, value)) in document.members(node).enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(out, key.as_str(), style);
                out.push(':');
                write(document, value, style, out);
            }
            out.push('}');
        }
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
pub fn write_string(out: &mut String, string: &str, style: Style) {
    out.reserve(string.len() + 2);
    out.push('"');
    escape(out, string, style);
    out.push('"');
}

/// Appends `string` escaped, without quotes: `"`, `\`, control characters up to U+009F and
/// U+2000 to U+20FF, and `/` in [`Style::ToString`].
pub fn escape(out: &mut String, string: &str, style: Style) {
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
