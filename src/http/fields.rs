//! Header fields of either direction, and what framing needs to know of them.

use super::{HeadError, KnownHeader, Span, Version};

/// One header field of a parsed head.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HeaderField {
    /// Name as it was sent.
    pub name: Span,
    /// Value without the blanks around it.
    pub value: Span,
    /// Which name it is.
    pub known: KnownHeader,
}

impl HeaderField {
    /// Appends the field as a line, `Name: value\r\n`. What a parser has let through cannot end the line
    /// early, so nothing is looked at again; `head` is what it was parsed from.
    #[inline]
    pub fn encode(&self, head: &[u8], out: &mut Vec<u8>) {
        let (name, value) = (self.name.range(), self.value.range());
        // Most are written as we would write them, and are one copy.
        if head.get(name.end..value.start) == Some(b": ")
            && head.get(value.end..value.end + 2) == Some(b"\r\n")
        {
            out.extend_from_slice(&head[name.start..value.end + 2]);
            return;
        }
        out.extend_from_slice(&head[name]);
        out.extend_from_slice(b": ");
        out.extend_from_slice(&head[value]);
        out.extend_from_slice(b"\r\n");
    }
}

/// All values of one name, in the order they came.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    bytes: &'a [u8],
    fields: std::slice::Iter<'a, HeaderField>,
    name: &'a [u8],
    known: KnownHeader,
}

impl<'a> Values<'a> {
    pub(crate) fn new(bytes: &'a [u8], fields: &'a [HeaderField], name: &'a [u8]) -> Self {
        Self { bytes, fields: fields.iter(), name, known: KnownHeader::of(name) }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let Self { bytes, fields, name, known } = self;
        fields.find(|field| is_named(field, bytes, *known, name)).map(|field| field.value.of(bytes))
    }
}

/// Whether a field has this name; `known` is what [`KnownHeader::of`] says of it.
#[inline]
pub(crate) fn is_named(field: &HeaderField, bytes: &[u8], known: KnownHeader, name: &[u8]) -> bool {
    field.known == known
        && (known != KnownHeader::Other || field.name.of(bytes).eq_ignore_ascii_case(name))
}

/// Value of the first field of this kind. [`KnownHeader::Other`] finds nothing.
#[inline]
pub(crate) fn find<'a>(
    fields: &[HeaderField],
    bytes: &'a [u8],
    known: KnownHeader,
) -> Option<&'a [u8]> {
    if known == KnownHeader::Other {
        return None;
    }
    fields.iter().find(|field| field.known == known).map(|field| field.value.of(bytes))
}

/// Value of the first field of this name, in any case of letters.
pub(crate) fn find_name<'a>(
    fields: &[HeaderField],
    bytes: &'a [u8],
    name: &[u8],
) -> Option<&'a [u8]> {
    let known = KnownHeader::of(name);
    fields
        .iter()
        .find(|field| is_named(field, bytes, known, name))
        .map(|field| field.value.of(bytes))
}

/// `Transfer-Encoding`, as far as it has been read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Coding {
    #[default]
    None,
    Chunked,
}

/// What the header fields say about framing and the connection.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) content_length: Option<u64>,
    pub(crate) coding: Coding,
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    /// `Connection` names headers, and does not just say what becomes of the connection.
    pub(crate) names_headers: bool,
    pub(crate) host: Option<Span>,
    pub(crate) expect: bool,
    pub(crate) expect_other: bool,
    /// Names and values together, bytes.
    pub(crate) total_bytes: usize,
}

/// Whose head it is: a request's rules are harder in two places.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// Takes over httparse's fields as spans into `bytes` and reads what framing depends on.
///
/// `bytes` is the head to its last byte; `fields_at` is where its header section begins. Checks
/// what httparse is lenient about: every line must end in CRLF, not LF.
pub(crate) fn collect(
    fields: &mut Vec<HeaderField>,
    bytes: &[u8],
    fields_at: usize,
    parsed: &[httparse::Header<'_>],
    side: Side,
) -> Result<Facts, HeadError> {
    fields.clear();
    if !bytes.ends_with(b"\r\n\r\n") || bytes.get(fields_at - 2..fields_at) != Some(b"\r\n") {
        return Err(HeadError::BareLineFeed);
    }
    let base = bytes.as_ptr().addr();
    let mut facts = Facts::default();
    for header in parsed {
        let name_at = header.name.as_ptr().addr() - base;
        let value_at = header.value.as_ptr().addr() - base;
        if bytes[name_at - 2] != b'\r' {
            return Err(HeadError::BareLineFeed);
        }
        let known = KnownHeader::of(header.name.as_bytes());
        let field = HeaderField {
            name: Span::new(name_at, header.name.len()),
            value: Span::new(value_at, header.value.len()),
            known,
        };
        facts.total_bytes += header.name.len() + header.value.len();
        match known {
            KnownHeader::Host if side == Side::Request => {
                let before = facts.host.replace(field.value);
                if before.is_some() {
                    return Err(HeadError::HostRepeated);
                }
            }
            KnownHeader::ContentLength => {
                let length = content_length(header.value)?;
                let before = facts.content_length.replace(length);
                // Equal lengths of an answer are harmless (RFC 9110 section 8.6) and do occur.
                if before.is_some_and(|before| side == Side::Request || before != length) {
                    return Err(HeadError::ContentLengthRepeated);
                }
            }
            KnownHeader::TransferEncoding => {
                if facts.coding != Coding::None {
                    return Err(HeadError::TransferEncodingRepeated);
                }
                transfer_encoding(header.value)?;
                facts.coding = Coding::Chunked;
            }
            KnownHeader::Connection => connection(header.value, &mut facts),
            KnownHeader::Expect => {
                let known = header.value.eq_ignore_ascii_case(b"100-continue");
                facts.expect |= known;
                facts.expect_other |= !known;
            }
            _ => {}
        }
        fields.push(field);
    }
    if facts.coding != Coding::None && facts.content_length.is_some() {
        return Err(HeadError::TwoLengths);
    }
    Ok(facts)
}

impl Facts {
    /// Whether another message may follow on the connection (RFC 9112 section 9.3).
    pub(crate) fn persists(&self, version: Version) -> bool {
        !self.close
            && match version {
                Version::Http11 => true,
                Version::Http10 => self.keep_alive,
            }
    }
}

/// Reads a `Content-Length`: digits only, no sign, no list, below 2^63.
fn content_length(value: &[u8]) -> Result<u64, HeadError> {
    // Of so many digits none can overflow.
    const SAFE_DIGITS: usize = 18;
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(HeadError::ContentLength);
    }
    let digit = |byte: &u8| u64::from(byte - b'0');
    let (first, rest) = value.split_at(value.len().min(SAFE_DIGITS));
    let first = first.iter().fold(0, |length, byte| length * 10 + digit(byte));
    rest.iter()
        .try_fold(first, |length, byte| {
            let length = length.checked_mul(10)?.checked_add(digit(byte))?;
            (length <= i64::MAX as u64).then_some(length)
        })
        .ok_or(HeadError::ContentLength)
}

/// Accepts exactly `chunked`; tells codings we do not decode (501) from what is wrong (400).
fn transfer_encoding(value: &[u8]) -> Result<(), HeadError> {
    const CHUNKED: &[u8] = b"chunked";
    if value.eq_ignore_ascii_case(CHUNKED) {
        return Ok(());
    }
    // `gzip, chunked` is well formed; anything whose end is not one `chunked` has no known length.
    let mut codings = value.rsplit(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    if !codings.next().is_some_and(|last| last.eq_ignore_ascii_case(CHUNKED)) {
        return Err(HeadError::TransferEncoding);
    }
    let mut others_are_codings = true;
    for coding in codings {
        others_are_codings &= !coding.is_empty()
            && super::all_in(coding, super::TOKEN)
            && !coding.eq_ignore_ascii_case(CHUNKED)
            && !coding.eq_ignore_ascii_case(b"identity");
    }
    Err(if others_are_codings {
        HeadError::TransferEncodingUnsupported
    } else {
        HeadError::TransferEncoding
    })
}

/// Reads one `Connection` list; `close` wins over `keep-alive` (RFC 9112 section 9.3).
fn connection(value: &[u8], facts: &mut Facts) {
    // What backends send with every answer.
    if value == b"keep-alive" {
        facts.keep_alive = true;
        return;
    }
    for option in value.split(|&byte| byte == b',') {
        let option = option.trim_ascii();
        let close = option.eq_ignore_ascii_case(b"close");
        let keep_alive = option.eq_ignore_ascii_case(b"keep-alive");
        facts.close |= close;
        facts.keep_alive |= keep_alive;
        facts.names_headers |= !close && !keep_alive && !option.is_empty();
    }
}
