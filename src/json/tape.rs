//! The tape: a parsed document as one flat list of nodes, and how to read it.
//!
//! A document is written in the order of its text. A container is followed by everything inside it
//! and knows how many nodes that is, so the next sibling of anything is one addition away. A member
//! of an object is its key node and then its value.
//!
//! ```text
//! {"a":[1,2],"b":"x"}      0 Object span 7, 2 members
//!                          1   key "a"      2 Array span 3, 2 elements   3 1   4 2
//!                          5   key "b"      6 "x"
//! ```
//!
//! Strings and numbers are spans of the parsed text; only what had to be decoded (`"\n"`) lives in
//! the tape's own buffer. Numbers are checked while parsing and converted when somebody asks.
//!
//! Keys that repeat follow `LinkedHashMap.put`: the place of the first, the value of the last. The
//! first value is overwritten with a `MOVED` node that leads to the last one, the later keys are
//! marked dead. Nothing is moved in memory, so hostile nesting costs no more than its length.
//! Path evaluation uses the same `MOVED` nodes to build results that share the document's nodes.

use std::hash::BuildHasher;

use crate::json::number::Number;
use crate::json::{JsonError, JsonErrorKind, parse, permissive};

/// A value on a [`Tape`]. Valid until the tape parses its next document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The document itself.
    pub const ROOT: Self = Self(0);

    /// Of the node in the list.
    #[inline]
    pub(super) fn at(index: usize) -> Self {
        Self(index as u32)
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// Any number; [`Document::number`] types it.
    Number,
    /// A string.
    String,
    /// A list.
    Array,
    /// A map with the order of its text.
    Object,
}

/// One node: twelve bytes. `meta` is the tag, and above it, for a key, 24 bits of its hash.
///
/// | tag | `start` | `len` |
/// | --- | --- | --- |
/// | string, key, number | where its bytes begin | how many |
/// | double | low half of its bits | high half |
/// | array, object | nodes to the next sibling, itself included | elements or members |
/// | moved | nodes to the next sibling, itself included | index of the real value |
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) meta: u32,
    pub(super) start: u32,
    pub(super) len: u32,
}

pub(super) mod tag {
    pub(crate) const NULL: u32 = 0;
    pub(crate) const FALSE: u32 = 1;
    pub(crate) const TRUE: u32 = 2;
    pub(crate) const INT: u32 = 3;
    pub(crate) const FLOAT: u32 = 4;
    pub(crate) const NAN: u32 = 5;
    pub(crate) const STRING: u32 = 6;
    /// A double that no text has.
    pub(crate) const DOUBLE: u32 = 7;
    /// From here on `start` is a count of nodes.
    pub(crate) const WIDE: u32 = 8;
    pub(crate) const ARRAY: u32 = 8;
    pub(crate) const OBJECT: u32 = 9;
    pub(crate) const MOVED: u32 = 10;
    pub(crate) const KIND_MASK: u32 = 15;
    /// The bytes are in the tape's buffer, not in the text.
    pub(crate) const OWNED: u32 = 16;
    /// A key that an earlier equal key has taken over.
    pub(crate) const DEAD: u32 = 32;
    pub(crate) const HASH_SHIFT: u32 = 8;
}

impl Node {
    #[inline]
    pub(super) fn tag(self) -> u32 {
        self.meta & tag::KIND_MASK
    }

    /// Nodes from here to the next sibling.
    #[inline(always)]
    pub(super) fn span(self) -> usize {
        if self.meta & tag::WIDE != 0 { self.start as usize } else { 1 }
    }
}

/// A string of a document, and who owns its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonStr<'text, 'tape> {
    /// A piece of the parsed text, as it stands there.
    Text(&'text str),
    /// Decoded, because the text had escapes; it lives until the tape parses again.
    Tape(&'tape str),
}

impl<'a> JsonStr<'a, 'a> {
    /// The characters, for as long as both owners live.
    pub fn as_str(self) -> &'a str {
        match self {
            Self::Text(text) | Self::Tape(text) => text,
        }
    }
}

/// A key that is looked up: its text and the hash that tape nodes carry, computed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    text: Box<str>,
    hash: u32,
}

impl Key {
    /// A key for [`Document::member`].
    pub fn new(text: &str) -> Self {
        Self { text: text.into(), hash: key_hash(text.as_bytes()) }
    }

    /// What [`Key::hash`] gives for a key of these characters.
    #[inline]
    pub fn hash_of(text: &[u8]) -> u32 {
        key_hash(text)
    }

    /// The 24 bits that stand for the key's characters in a tape. Equal keys have equal hashes.
    pub fn hash(&self) -> u32 {
        self.hash
    }

    /// The key's characters.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// 24 bits of a key: its length, its first eight bytes and its last eight. Equal keys have equal
/// hashes; the rest is only there to make comparing rare.
#[inline]
pub(super) fn key_hash(key: &[u8]) -> u32 {
    let len = key.len();
    let word = |at: usize| {
        u64::from_le_bytes(key[at..at + 8].try_into().expect("eight bytes make eight bytes"))
    };
    let half = |at: usize| {
        u64::from(u32::from_le_bytes(
            key[at..at + 4].try_into().expect("four bytes make four bytes"),
        ))
    };
    let (head, tail) = match len {
        8.. => (word(0), word(len - 8)),
        4..=7 => (half(0), half(len - 4)),
        1..=3 => (u64::from(key[0]), u64::from(key[len / 2]) << 8 | u64::from(key[len - 1])),
        0 => (0, 0),
    };
    let mixed = (head ^ tail.rotate_left(29)).wrapping_add(len as u64);
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as u32
}

/// A container that is being parsed: its node, its size so far, and which key hashes it has seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) node: u32,
    pub(super) count: u32,
    /// One bit for each of 64 hash values: a bit that is already there may be a repeated key.
    pub(super) seen: u64,
    pub(super) object: bool,
    pub(super) repeats: bool,
}

/// A reusable parsed document: it keeps its memory from one text to the next.
///
/// The text itself is not kept. Pass the same text to [`Tape::document`] to read what was parsed;
/// another text gives nonsense or a panic, never undefined behaviour.
#[derive(Debug, Default)]
pub struct Tape {
    pub(super) nodes: Vec<Node>,
    pub(super) strings: String,
    pub(super) stack: Vec<Frame>,
    /// Open-addressed table of key node indexes plus one, for large objects.
    table: Vec<u32>,
    hasher: foldhash::fast::RandomState,
}

impl Tape {
    /// An empty tape; it allocates with its first document.
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses `text` and forgets the document before it; gives the root, [`NodeId::ROOT`].
    ///
    /// JSON is accepted as it is, and so is everything else that json-smart 2.2 reads in
    /// `MODE_PERMISSIVE`: single quotes, no quotes, stray commas, data after the value and so on.
    /// A text of no JSON at all is one string. No allocation once the tape is large enough.
    ///
    /// # Errors
    /// Where json-smart throws, with the byte offset; a document deeper than
    /// [`limits::DEPTH_MAX`](super::limits::DEPTH_MAX) or longer than
    /// [`limits::TEXT_BYTES_MAX`](super::limits::TEXT_BYTES_MAX). The tape is then empty.
    pub fn parse(&mut self, text: &str) -> Result<NodeId, JsonError> {
        self.clear();
        let parsed = match parse::strict::<false>(self, text) {
            Ok(()) => Ok(NodeId::ROOT),
            Err(parse::Refusal::NotStrict { .. }) => {
                self.clear();
                permissive::parse(self, text).map(|()| NodeId::ROOT)
            }
            Err(parse::Refusal::Failed(error)) => Err(error),
        };
        if parsed.is_err() {
            self.clear();
        }
        parsed
    }

    /// Parses `text` by RFC 8259 alone, as a body is read that a schema is to judge. No key may
    /// repeat within an object, and a number's exponent has to fit 32 bits.
    ///
    /// What is accepted means the same to [`Tape::parse`], but for DEL in strings with escapes.
    ///
    /// # Errors
    /// Everything else, with the byte offset. The tape is then empty.
    pub fn parse_strict(&mut self, text: &str) -> Result<NodeId, JsonError> {
        self.clear();
        let error = match parse::strict::<true>(self, text) {
            Ok(()) => return Ok(NodeId::ROOT),
            Err(parse::Refusal::Failed(error)) => error,
            Err(parse::Refusal::NotStrict { at }) if at < text.len() => {
                JsonError { at, kind: JsonErrorKind::UnexpectedCharacter }
            }
            Err(parse::Refusal::NotStrict { .. }) => {
                JsonError { at: text.len(), kind: JsonErrorKind::UnexpectedEnd }
            }
        };
        self.clear();
        Err(error)
    }

    /// Forgets the document and keeps the memory.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.strings.clear();
        self.stack.clear();
    }

    /// The parsed document with the text it came from.
    #[inline]
    pub fn document<'text, 'tape>(&'tape self, text: &'text str) -> Document<'text, 'tape> {
        Document { tape: self, text }
    }

    /// Bytes of memory that the tape holds on to, for whoever pools tapes.
    pub fn memory_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
            + self.strings.capacity()
            + self.stack.capacity() * size_of::<Frame>()
            + self.table.capacity() * size_of::<u32>()
    }

    #[inline]
    pub(super) fn push(&mut self, meta: u32, start: usize, len: usize) {
        // `TEXT_BYTES_MAX` keeps every offset and count within 32 bits.
        self.nodes.push(Node { meta, start: start as u32, len: len as u32 });
    }

    /// Ends the container that `frame` describes: its last node has been written. Gives its size,
    /// without the keys that repeat.
    #[inline]
    pub(super) fn close(&mut self, frame: &Frame, text: &str) -> u32 {
        let at = frame.node as usize;
        let span = (self.nodes.len() - at) as u32;
        let node = &mut self.nodes[at];
        node.start = span;
        node.len = frame.count;
        if frame.repeats && self.may_repeat_keys(at) {
            self.merge_repeated_keys(at, text);
            return self.nodes[at].len;
        }
        frame.count
    }

    /// Whether two keys of the object have the same 24 bits. The 6 bits that `Frame::seen` goes by
    /// are the same for two keys out of ten about every second time.
    #[inline(never)]
    fn may_repeat_keys(&self, object: usize) -> bool {
        const COMPARED_MAX: usize = 32;
        let members = self.nodes[object].len as usize;
        if members > COMPARED_MAX {
            return true;
        }
        let mut hashes = [0; COMPARED_MAX];
        let mut at = object + 1;
        for member in 0..members {
            let hash = self.nodes[at].meta >> tag::HASH_SHIFT;
            if hashes[..member].contains(&hash) {
                return true;
            }
            hashes[member] = hash;
            at += 1 + self.nodes[at + 1].span();
        }
        false
    }

    /// Gives every repeated key of the object at `object` the place of the first and the value of
    /// the last. O(members); the keys are compared by hash, then by bytes.
    #[cold]
    #[inline(never)]
    fn merge_repeated_keys(&mut self, object: usize, text: &str) {
        let members = self.nodes[object].len as usize;
        let end = object + self.nodes[object].span();
        let mut table = std::mem::take(&mut self.table);
        table.clear();
        table.resize((members * 2).next_power_of_two(), 0);
        let mask = table.len() - 1;
        let mut live = members as u32;

        let mut at = object + 1;
        while at < end {
            let key = self.nodes[at];
            let next = at + 1 + self.nodes[at + 1].span();
            let bytes = self.bytes(key, text);
            let mut slot = self.hasher.hash_one(bytes) as usize & mask;
            loop {
                let Some(first) = (table[slot] as usize).checked_sub(1) else {
                    table[slot] = at as u32 + 1;
                    break;
                };
                if self.bytes(self.nodes[first], text) == bytes {
                    let span = self.nodes[first + 1].span() as u32;
                    self.nodes[first + 1] =
                        Node { meta: tag::MOVED, start: span, len: at as u32 + 1 };
                    self.nodes[at].meta |= tag::DEAD;
                    live -= 1;
                    break;
                }
                slot = (slot + 1) & mask;
            }
            at = next;
        }
        self.nodes[object].len = live;
        self.table = table;
    }

    #[inline]
    fn bytes<'a>(&'a self, node: Node, text: &'a str) -> &'a [u8] {
        let (start, end) = (node.start as usize, node.start as usize + node.len as usize);
        if node.meta & tag::OWNED == 0 {
            &text.as_bytes()[start..end]
        } else {
            &self.strings.as_bytes()[start..end]
        }
    }

    /// The node that stands for the value at `index`.
    #[inline]
    fn resolve(&self, index: usize) -> NodeId {
        let node = self.nodes[index];
        // A target is a value of the document, so it may have moved as well, but always forward.
        if node.tag() == tag::MOVED { self.resolve_moved(node) } else { NodeId(index as u32) }
    }

    #[cold]
    pub(super) fn resolve_moved(&self, mut node: Node) -> NodeId {
        loop {
            let target = node.len as usize;
            node = self.nodes[target];
            if node.tag() != tag::MOVED {
                return NodeId(target as u32);
            }
        }
    }

    /// Appends a number that no text has.
    pub(super) fn append_number(&mut self, number: Number<'_>) -> NodeId {
        if let Number::Double(double) = number {
            let bits = double.to_bits();
            return self.append(tag::DOUBLE, (bits & 0xFFFF_FFFF) as usize, (bits >> 32) as usize);
        }
        let start = self.strings.len();
        number.write_java(&mut self.strings);
        let float = matches!(number, Number::Decimal(_));
        let tag = if float { tag::FLOAT } else { tag::INT };
        self.append(tag | tag::OWNED, start, self.strings.len() - start)
    }

    /// Appends an array whose elements are values that the tape already has.
    pub(super) fn append_array(&mut self, elements: &[NodeId]) -> NodeId {
        let array = self.append(tag::ARRAY, elements.len() + 1, elements.len());
        for element in elements {
            self.append(tag::MOVED, 1, element.index());
        }
        array
    }

    /// Appends an object of values that the tape already has. The keys are distinct.
    pub(super) fn append_object(&mut self, members: &[(&str, NodeId)]) -> NodeId {
        let object = self.append(tag::OBJECT, members.len() * 2 + 1, members.len());
        for (key, value) in members {
            let start = self.strings.len();
            self.strings.push_str(key);
            let hash = key_hash(key.as_bytes()) << tag::HASH_SHIFT;
            self.append(tag::STRING | tag::OWNED | hash, start, key.len());
            self.append(tag::MOVED, 1, value.index());
        }
        object
    }

    fn append(&mut self, meta: u32, start: usize, len: usize) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.push(meta, start, len);
        id
    }
}

/// A parsed document together with its text: everything there is to read of it.
#[derive(Clone, Copy, Debug)]
pub struct Document<'text, 'tape> {
    pub(super) tape: &'tape Tape,
    text: &'text str,
}

impl<'text, 'tape> Document<'text, 'tape> {
    /// What `node` is.
    #[inline]
    pub fn kind(&self, node: NodeId) -> Kind {
        match self.node(node).tag() {
            tag::NULL => Kind::Null,
            tag::FALSE | tag::TRUE => Kind::Bool,
            tag::INT | tag::FLOAT | tag::NAN | tag::DOUBLE => Kind::Number,
            tag::STRING => Kind::String,
            tag::ARRAY => Kind::Array,
            tag::OBJECT => Kind::Object,
            other => unreachable!("a node id leads to a value, not to tag {other}"),
        }
    }

    /// Whether `node` is `true`.
    #[inline]
    pub fn is_true(&self, node: NodeId) -> bool {
        self.node(node).tag() == tag::TRUE
    }

    /// The characters of a string; `None` for anything else.
    #[inline]
    pub fn string(&self, node: NodeId) -> Option<JsonStr<'text, 'tape>> {
        let node = self.node(node);
        (node.tag() == tag::STRING).then(|| self.characters(node))
    }

    /// A number as json-smart types it; `None` for anything else.
    #[inline]
    pub fn number<'a>(&self, node: NodeId) -> Option<Number<'a>>
    where
        'text: 'a,
        'tape: 'a,
    {
        let node = self.node(node);
        let digits = || -> &'a str { self.characters(node).as_str() };
        match node.tag() {
            tag::INT => Some(Number::of_integer(digits())),
            tag::FLOAT => Some(Number::of_float(digits())),
            tag::NAN => Some(Number::Double(f64::NAN)),
            tag::DOUBLE => {
                let bits = u64::from(node.len) << 32 | u64::from(node.start);
                Some(Number::Double(f64::from_bits(bits)))
            }
            _ => None,
        }
    }

    /// A number as it was written, if it was.
    #[inline]
    pub(super) fn number_text(&self, node: NodeId) -> Option<JsonStr<'text, 'tape>> {
        let node = self.node(node);
        matches!(node.tag(), tag::INT | tag::FLOAT).then(|| self.characters(node))
    }

    /// Where the bytes of a string or number begin, in whatever owns them.
    #[inline]
    pub(super) fn place(&self, node: NodeId) -> usize {
        self.node(node).start as usize
    }

    /// The text that was parsed.
    #[inline]
    pub fn text(&self) -> &'text str {
        self.text
    }

    /// A number's text where Java would print it the same: then it needs no conversion and back.
    ///
    /// Whole numbers of up to nine digits, and decimal fractions of up to fifteen from 0.001 to below
    /// 10 000 000, without zeros that say nothing.
    pub fn plain_number(&self, node: NodeId) -> Option<&'text str> {
        let node = self.node(node);
        let JsonStr::Text(text) = self.characters(node) else { return None };
        let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
        let plain = match node.tag() {
            tag::INT => digits.len() <= 9 && digits[0] != b'0' || text == "0",
            tag::FLOAT if digits.len() <= 16 => {
                let point = digits.iter().position(|&byte| byte == b'.')?;
                let (whole, fraction) = (&digits[..point], &digits[point + 1..]);
                let ends_plainly = match fraction {
                    [b'0'] => whole != b"0",
                    [.., last] => *last != b'0' && fraction.iter().all(u8::is_ascii_digit),
                    [] => false,
                };
                let begins_plainly = match whole {
                    b"0" => !fraction.starts_with(b"000"),
                    [first, ..] => *first != b'0' && whole.len() <= 7,
                    [] => false,
                };
                ends_plainly && begins_plainly
            }
            _ => false,
        };
        plain.then_some(text)
    }

    /// Elements of an array or members of an object; 0 for anything else.
    #[inline]
    pub fn len(&self, node: NodeId) -> usize {
        let node = self.node(node);
        if node.meta & tag::WIDE == 0 { 0 } else { node.len as usize }
    }

    /// Whether `node` has nothing inside: an empty container or no container.
    pub fn is_empty(&self, node: NodeId) -> bool {
        self.len(node) == 0
    }

    /// The value that an object has for `key`. O(members).
    #[inline]
    pub fn member(&self, object: NodeId, key: &Key) -> Option<NodeId> {
        self.member_hashed(object, &key.text, key.hash)
    }

    #[inline]
    fn member_hashed(&self, object: NodeId, name: &str, hash: u32) -> Option<NodeId> {
        let nodes = self.tape.nodes.as_slice();
        let node = self.node(object);
        if node.tag() != tag::OBJECT {
            return None;
        }
        let inside = &nodes[object.index()..object.index() + node.span()];
        let mut at = 1;
        while let Some(&[found, value]) = inside.get(at..).and_then(<[Node]>::first_chunk) {
            if found.meta >> tag::HASH_SHIFT == hash
                && found.len as usize == name.len()
                && self.tape.bytes(found, self.text) == name.as_bytes()
                && found.meta & tag::DEAD == 0
            {
                return Some(self.tape.resolve(object.index() + at + 1));
            }
            at += 1 + value.span();
        }
        None
    }

    /// As [`Document::member`], for a name that is known only now.
    pub fn member_named(&self, object: NodeId, name: &str) -> Option<NodeId> {
        self.member_hashed(object, name, key_hash(name.as_bytes()))
    }

    /// The element of an array at `index`. O(1) where the elements are scalars, else O(index).
    #[inline]
    pub fn element(&self, array: NodeId, index: usize) -> Option<NodeId> {
        let node = self.node(array);
        if node.tag() != tag::ARRAY || index >= node.len as usize {
            return None;
        }
        let mut at = array.index() + 1;
        if node.span() == node.len as usize + 1 {
            at += index;
        } else {
            for _ in 0..index {
                at += self.tape.nodes[at].span();
            }
        }
        Some(self.tape.resolve(at))
    }

    /// The value at the end of literal steps, which is what most templates ask for.
    ///
    /// # Errors
    /// [`NotAnArray`](super::path::NotAnArray) where a step is an index and the value is neither an array nor null: Jayway
    /// calls the path invalid then, instead of missing.
    #[inline]
    pub fn walk(
        &self,
        from: NodeId,
        steps: &[super::path::Step],
    ) -> Result<Option<NodeId>, super::path::NotAnArray> {
        let mut at = from;
        for step in steps {
            let next = match step {
                super::path::Step::Member(key) => self.member(at, key),
                super::path::Step::Index(index) => match self.node(at).tag() {
                    tag::ARRAY => {
                        usize::try_from(*index).ok().and_then(|index| self.element(at, index))
                    }
                    tag::NULL => None,
                    _ => return Err(super::path::NotAnArray),
                },
            };
            match next {
                Some(node) => at = node,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// The elements of an array, in order; none for anything else.
    #[inline]
    pub fn elements(&self, array: NodeId) -> Elements<'tape> {
        let (at, end) = self.inside(array, tag::ARRAY);
        Elements { tape: self.tape, at, end }
    }

    /// The members of an object in the order of their first appearance; none for anything else.
    #[inline]
    pub fn members(&self, object: NodeId) -> Members<'text, 'tape> {
        Members { document: *self, nodes: self.member_nodes(object) }
    }

    #[inline]
    pub(super) fn member_nodes(&self, object: NodeId) -> MemberNodes<'tape> {
        let (at, end) = self.inside(object, tag::OBJECT);
        MemberNodes { tape: self.tape, at, end }
    }

    #[inline]
    pub(super) fn inside(&self, container: NodeId, tag: u32) -> (usize, usize) {
        let node = self.node(container);
        let begin = container.index() + 1;
        (begin, if node.tag() == tag { container.index() + node.span() } else { begin })
    }

    #[inline]
    pub(super) fn node(&self, id: NodeId) -> Node {
        self.tape.nodes[id.index()]
    }

    #[inline]
    pub(super) fn characters(&self, node: Node) -> JsonStr<'text, 'tape> {
        let range = node.start as usize..node.start as usize + node.len as usize;
        if node.meta & tag::OWNED == 0 {
            JsonStr::Text(&self.text[range])
        } else {
            JsonStr::Tape(&self.tape.strings[range])
        }
    }
}

/// See [`Document::elements`].
#[derive(Clone, Debug)]
pub struct Elements<'tape> {
    tape: &'tape Tape,
    at: usize,
    end: usize,
}

impl Iterator for Elements<'_> {
    type Item = NodeId;

    #[inline]
    fn next(&mut self) -> Option<NodeId> {
        if self.at >= self.end {
            return None;
        }
        let element = self.tape.resolve(self.at);
        self.at += self.tape.nodes[self.at].span();
        Some(element)
    }
}

/// See [`Document::members`].
#[derive(Clone, Debug)]
pub struct Members<'text, 'tape> {
    document: Document<'text, 'tape>,
    nodes: MemberNodes<'tape>,
}

impl<'text, 'tape> Iterator for Members<'text, 'tape> {
    type Item = (JsonStr<'text, 'tape>, NodeId);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.nodes.next()?;
        Some((self.document.characters(self.document.node(key)), value))
    }
}

/// The members of an object with their keys as nodes, which are strings.
#[derive(Clone, Debug)]
pub(super) struct MemberNodes<'tape> {
    tape: &'tape Tape,
    at: usize,
    end: usize,
}

impl Iterator for MemberNodes<'_> {
    type Item = (NodeId, NodeId);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.end {
            let key = self.at;
            let value = key + 1;
            self.at = value + self.tape.nodes[value].span();
            if self.tape.nodes[key].meta & tag::DEAD == 0 {
                return Some((NodeId(key as u32), self.tape.resolve(value)));
            }
        }
        None
    }
}

/// Where an iteration over a container stands, without borrowing it; for [`super::path::Tree`].
impl Tape {
    #[inline]
    pub(crate) fn next_element(&self, array: NodeId, cursor: &mut usize) -> Option<NodeId> {
        let node = self.nodes[array.index()];
        if node.tag() != tag::ARRAY {
            return None;
        }
        let at = array.index() + 1 + *cursor;
        if at >= array.index() + node.span() {
            return None;
        }
        *cursor += self.nodes[at].span();
        Some(self.resolve(at))
    }

    /// The next value of an object, and its key's node.
    #[inline]
    pub(crate) fn next_member(
        &self,
        object: NodeId,
        cursor: &mut usize,
    ) -> Option<(NodeId, NodeId)> {
        let node = self.nodes[object.index()];
        if node.tag() != tag::OBJECT {
            return None;
        }
        loop {
            let at = object.index() + 1 + *cursor;
            if at >= object.index() + node.span() {
                return None;
            }
            *cursor += 1 + self.nodes[at + 1].span();
            if self.nodes[at].meta & tag::DEAD == 0 {
                return Some((NodeId(at as u32), self.resolve(at + 1)));
            }
        }
    }
}
