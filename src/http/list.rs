//! Header fields that we send, gathered by the steps of a request and written in one copy.

use super::fields::{HeaderField, find, find_name, is_named};
use super::{KnownHeader, Span, encode};

/// Header fields on their way out; emptied and used again by the next request.
///
/// The fields lie in one buffer in the form in which they are sent, so that encoding is a copy.
///
/// Nothing that is pushed can end its line: in a value every control byte but HTAB is written as a
/// space (RFC 9110 section 5.5 allows it for CR, LF, NUL), and a field whose name is no token is
/// refused. So no value, wherever it comes from, can add a header or a response.
#[derive(Clone, Debug, Default)]
pub struct HeaderList {
    /// `Name: value\r\n` of every field ever pushed since the last `clear`.
    bytes: Vec<u8>,
    fields: Vec<HeaderField>,
    /// Whether `bytes` has lines whose fields were removed.
    has_holes: bool,
}

/// What [`HeaderList::holds_writers_own`] looks for.
const WRITERS_OWN: [KnownHeader; 6] = [
    KnownHeader::Connection,
    KnownHeader::ContentLength,
    KnownHeader::Date,
    KnownHeader::TransferEncoding,
    KnownHeader::XAmznRequestId,
    KnownHeader::XAmzApigwId,
];

impl HeaderList {
    /// An empty list; allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes everything and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.fields.clear();
        self.has_holes = false;
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Adds a field behind the others, also if there is one of its name. `false`: `name` is no
    /// token, nothing was added.
    pub fn push(&mut self, name: &[u8], value: &[u8]) -> bool {
        self.push_with(name, |out| out.extend_from_slice(value))
    }

    /// Adds a field whose value `write` appends to the buffer it is given. `false`: `name` is no
    /// token, `write` was not called.
    pub fn push_with(&mut self, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) -> bool {
        if !encode::is_token(name) {
            return false;
        }
        let known = KnownHeader::of(name);
        self.append(known, name, write);
        true
    }

    /// Adds a field of a known name. [`KnownHeader::Other`] has no name and adds nothing.
    pub fn push_known(&mut self, known: KnownHeader, value: &[u8]) {
        if known != KnownHeader::Other {
            self.append(known, known.as_str().as_bytes(), |out| out.extend_from_slice(value));
        }
    }

    /// Adds a field of a parsed head as it is.
    #[inline]
    pub fn pass(&mut self, field: &HeaderField, head: &[u8]) {
        let name_at = self.bytes.len();
        field.encode(head, &mut self.bytes);
        self.note(name_at, field.name.range().len(), field.known);
    }

    /// Adds the value of a field of a parsed head under another name, which is no known header's.
    #[inline]
    pub fn pass_as(&mut self, name: &'static [u8], field: &HeaderField, head: &[u8]) {
        debug_assert!(encode::is_token(name) && KnownHeader::of(name) == KnownHeader::Other);
        let name_at = self.bytes.len();
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(b": ");
        self.bytes.extend_from_slice(field.value.of(head));
        self.bytes.extend_from_slice(b"\r\n");
        self.note(name_at, name.len(), KnownHeader::Other);
    }

    /// Notes the line that was appended.
    #[inline]
    fn note(&mut self, name_at: usize, name_bytes: usize, known: KnownHeader) {
        let value_at = name_at + name_bytes + 2;
        let value = Span::new(value_at, self.bytes.len() - 2 - value_at);
        self.fields.push(HeaderField { name: Span::new(name_at, name_bytes), value, known });
    }

    fn append(&mut self, known: KnownHeader, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        let name_at = self.bytes.len();
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(b": ");
        let value_at = self.bytes.len();
        write(&mut self.bytes);
        assert!(self.bytes.len() >= value_at, "`write` appends, it does not cut");
        encode::blank_controls(&mut self.bytes[value_at..]);
        self.bytes.extend_from_slice(b"\r\n");
        self.note(name_at, name.len(), known);
    }

    /// Makes this the only field of its name; it stands behind the others.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> bool {
        self.remove_name(name);
        self.push(name, value)
    }

    /// Removes all fields of this name, in any case of letters; whether there were any.
    pub fn remove_name(&mut self, name: &[u8]) -> bool {
        let known = KnownHeader::of(name);
        let Self { bytes, fields, has_holes } = self;
        let before = fields.len();
        fields.retain(|field| !is_named(field, bytes, known, name));
        let removed = fields.len() < before;
        *has_holes |= removed;
        removed
    }

    /// Removes all fields for which `keep` says no.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8], &[u8], KnownHeader) -> bool) {
        let Self { bytes, fields, has_holes } = self;
        let before = fields.len();
        fields.retain(|field| keep(field.name.of(bytes), field.value.of(bytes), field.known));
        *has_holes |= fields.len() < before;
    }

    /// Name, value and kind of every field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], KnownHeader)> {
        self.fields
            .iter()
            .map(|field| (field.name.of(&self.bytes), field.value.of(&self.bytes), field.known))
    }

    /// Value of the first field of this kind.
    pub fn find(&self, known: KnownHeader) -> Option<&[u8]> {
        find(&self.fields, &self.bytes, known)
    }

    /// Value of the first field of this name, in any case of letters.
    pub fn find_name(&self, name: &[u8]) -> Option<&[u8]> {
        find_name(&self.fields, &self.bytes, name)
    }

    /// Whether it holds what the writer of a message adds itself: framing, `Connection`, `Date`, the two
    /// ids. Sent twice, two parsers could read the message differently.
    pub fn holds_writers_own(&self) -> bool {
        let own = |field: &HeaderField| WRITERS_OWN.contains(&field.known);
        self.fields.iter().any(own)
    }

    /// Appends `Name: value\r\n` of every field; without the empty line that ends a head.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if !self.has_holes {
            out.extend_from_slice(&self.bytes);
            return;
        }
        for field in &self.fields {
            out.extend_from_slice(
                &self.bytes[field.name.range().start..field.value.range().end + 2],
            );
        }
    }
}
