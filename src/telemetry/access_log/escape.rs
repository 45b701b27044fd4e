//! Keeps a value inside its field and its line, whatever a client put into it.
//!
//! In a format that begins with `<` (XML), `& < > " '` become entities; in every other one `"` and
//! `\` get a backslash, which JSON reads back and which ends no quoted field of a CLF line. Control
//! characters become `\n`, `\t`, `\u001b` and the like everywhere. Bytes that are no UTF-8 are read
//! as Latin-1 and written as `\u00e9`, so that a line always is valid UTF-8.

/// A longer value is cut, bytes. AWS's header and URL limits are 10,240; with those limits off, one
/// request must not fill the log.
const VALUE_BYTES_MAX: usize = 16_384;

/// How values are escaped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Escape {
    Backslash,
    Xml,
}

/// A shorter value is looked up byte by byte; a longer one is compared, many bytes at once.
const SHORT: usize = 32;

/// [`Escape::is_special`] of every byte, for the ways of [`Escape::place`].
static SPECIAL: [[bool; 256]; 3] = [
    specials(Escape::Backslash, false),
    specials(Escape::Backslash, true),
    specials(Escape::Xml, false),
];

const fn specials(escape: Escape, quoted: bool) -> [bool; 256] {
    let mut specials = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        specials[byte] = escape.is_special(byte as u8, quoted);
        byte += 1;
    }
    specials
}

/// Whether there is such a byte. Goes on behind the first one, so that it can look at many at once.
#[inline(always)]
fn has(value: &[u8], is_special: impl Fn(u8) -> bool) -> bool {
    value.iter().fold(false, |found, &byte| found | is_special(byte))
}

impl Escape {
    /// The way that suits a format.
    pub(super) fn of(format: &str) -> Self {
        if format.trim_start().starts_with('<') { Self::Xml } else { Self::Backslash }
    }

    /// Escapes what stands in `out` from `start` on. A `quoted` value keeps `"` and `\`: it is JSON.
    pub(super) fn value(self, out: &mut Vec<u8>, start: usize, quoted: bool) {
        if out.len() - start > VALUE_BYTES_MAX {
            let mut end = start + VALUE_BYTES_MAX;
            while end > start && out[end] & 0xC0 == 0x80 {
                end -= 1; // not within a character
            }
            out.truncate(end);
        }
        // One loop for each way: hardly any value has a special byte.
        let value = &out[start..];
        let has_special = match self {
            _ if value.len() < SHORT => {
                let specials = &SPECIAL[self.place(quoted)];
                has(value, |byte| specials[usize::from(byte)])
            }
            Self::Backslash => has(value, |byte| Self::Backslash.is_special(byte, quoted)),
            Self::Xml => has(value, |byte| Self::Xml.is_special(byte, quoted)),
        };
        if has_special {
            self.rewrite(out, start, quoted);
        }
    }

    /// Its place in [`SPECIAL`].
    #[inline(always)]
    fn place(self, quoted: bool) -> usize {
        match self {
            Self::Backslash => usize::from(quoted),
            Self::Xml => 2,
        }
    }

    /// Without a branch, for `has`.
    #[inline(always)]
    const fn is_special(self, byte: u8, quoted: bool) -> bool {
        let is_control_or_no_ascii = (byte < 0x20) | (byte >= 0x7F);
        let is_own = match self {
            Self::Backslash => ((byte == b'"') | (byte == b'\\')) & !quoted,
            Self::Xml => {
                (byte == b'"') | (byte == b'\'') | (byte == b'&') | (byte == b'<') | (byte == b'>')
            }
        };
        is_control_or_no_ascii | is_own
    }

    /// Appends the escaped form, then takes the raw one out from before it: no second buffer.
    #[cold]
    fn rewrite(self, out: &mut Vec<u8>, start: usize, quoted: bool) {
        let end = out.len();
        let mut at = start;
        while at < end {
            let byte = out[at];
            if !self.is_special(byte, quoted) {
                out.push(byte);
                at += 1;
            } else if byte.is_ascii() {
                self.ascii(out, byte);
                at += 1;
            } else {
                at += character(out, at, end);
            }
        }
        out.drain(start..end);
    }

    fn ascii(self, out: &mut Vec<u8>, byte: u8) {
        match (self, byte) {
            (_, b'\n') => out.extend_from_slice(b"\\n"),
            (_, b'\r') => out.extend_from_slice(b"\\r"),
            (_, b'\t') => out.extend_from_slice(b"\\t"),
            (_, 0..=0x1F | 0x7F) => hex(out, byte.into()),
            (Self::Backslash, _) => out.extend_from_slice(&[b'\\', byte]),
            (Self::Xml, b'&') => out.extend_from_slice(b"&amp;"),
            (Self::Xml, b'<') => out.extend_from_slice(b"&lt;"),
            (Self::Xml, b'>') => out.extend_from_slice(b"&gt;"),
            (Self::Xml, b'"') => out.extend_from_slice(b"&quot;"),
            (Self::Xml, _) => out.extend_from_slice(b"&#39;"),
        }
    }
}

/// Appends the non-ASCII character at `at` as it is, or escaped if it is a control character, a line
/// separator or no UTF-8; returns the bytes it takes.
fn character(out: &mut Vec<u8>, at: usize, end: usize) -> usize {
    let mut bytes = [0; 4];
    let length = (end - at).min(4);
    bytes[..length].copy_from_slice(&out[at..at + length]);
    let valid = match std::str::from_utf8(&bytes[..length]) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    };
    let Some(c) = valid.chars().next() else {
        hex(out, bytes[0].into());
        return 1;
    };
    if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
        hex(out, c as u16);
    } else {
        out.extend_from_slice(&bytes[..c.len_utf8()]);
    }
    c.len_utf8()
}

/// `\u001b`.
fn hex(out: &mut Vec<u8>, unit: u16) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        out.push(DIGITS[usize::from(unit >> shift & 0xF)]);
    }
}
