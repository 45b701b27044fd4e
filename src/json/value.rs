//! Reading a document at a pace: values decoded once, members with the hashes that the tape has.
//!
//! For whoever looks at every value of a body, as a schema does. Everything here is in
//! [`Document`]'s other methods as well, one question at a time.

use crate::json::tape::{Document, Node, NodeId, tag};

/// What a value is, with the two kinds of numbers and of booleans apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Shape {
    /// `null`
    Null,
    /// `false`
    False,
    /// `true`
    True,
    /// A number without a point or an exponent.
    Whole,
    /// Any other number.
    Decimal,
    /// A string.
    String,
    /// A list.
    Array,
    /// A map.
    Object,
}

impl Shape {
    /// By tag. What has been moved is never asked.
    const OF_TAG: [Self; 16] = {
        let mut shapes = [Self::Null; 16];
        shapes[tag::FALSE as usize] = Self::False;
        shapes[tag::TRUE as usize] = Self::True;
        shapes[tag::INT as usize] = Self::Whole;
        shapes[tag::FLOAT as usize] = Self::Decimal;
        shapes[tag::NAN as usize] = Self::Decimal;
        shapes[tag::DOUBLE as usize] = Self::Decimal;
        shapes[tag::STRING as usize] = Self::String;
        shapes[tag::ARRAY as usize] = Self::Array;
        shapes[tag::OBJECT as usize] = Self::Object;
        shapes
    };
}

/// A value, decoded once: what it is, and its characters if it has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without a point or an exponent, as it was written.
    Whole(&'a str),
    /// Any other number, as it was written. One that no text has is `NaN`.
    Decimal(&'a str),
    /// A string.
    String(&'a str),
    /// A list; how long it is.
    Array(usize),
    /// A map; how many members it has.
    Object(usize),
}

impl<'text, 'tape> Document<'text, 'tape> {
    /// What `node` is, without a look at its characters.
    #[inline(always)]
    pub fn shape(&self, node: NodeId) -> Shape {
        Shape::OF_TAG[self.node(node).tag() as usize]
    }

    /// The bytes of a string or of a number as it was written, `NaN` if it was not; of anything else
    /// nonsense. UTF-8, all of it.
    #[inline(always)]
    pub fn spelling<'a>(&self, node: NodeId) -> &'a [u8]
    where
        'text: 'a,
        'tape: 'a,
    {
        let node = self.node(node);
        if node.tag() == tag::DOUBLE || node.tag() == tag::NAN {
            return b"NaN";
        }
        let owner = if node.meta & tag::OWNED == 0 { self.text() } else { &self.tape.strings };
        owner
            .as_bytes()
            .get(node.start as usize..node.start as usize + node.len as usize)
            .unwrap_or_default()
    }

    /// The value at `node`. What path evaluation has computed, which no text has, is `NaN`.
    #[inline(always)]
    pub fn value<'a>(&self, node: NodeId) -> Value<'a>
    where
        'text: 'a,
        'tape: 'a,
    {
        let node = self.node(node);
        let characters = || -> &'a str { self.characters(node).as_str() };
        match node.tag() {
            tag::NULL => Value::Null,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::INT => Value::Whole(characters()),
            tag::FLOAT => Value::Decimal(characters()),
            tag::NAN | tag::DOUBLE => Value::Decimal("NaN"),
            tag::STRING => Value::String(characters()),
            tag::ARRAY => Value::Array(node.len as usize),
            tag::OBJECT => Value::Object(node.len as usize),
            other => unreachable!("a node id leads to a value, not to tag {other}"),
        }
    }

    /// The members of an object with what `Key::hash` would give for their names.
    #[inline]
    pub fn hashed_members(&self, object: NodeId) -> HashedMembers<'text, 'tape> {
        let (begin, end) = self.inside(object, tag::OBJECT);
        HashedMembers { document: *self, rest: &self.tape.nodes[begin..end], index: begin }
    }
}

/// See [`Document::hashed_members`].
#[derive(Clone, Debug)]
pub struct HashedMembers<'text, 'tape> {
    document: Document<'text, 'tape>,
    /// Nodes of the members that are left, and the first one's index.
    rest: &'tape [Node],
    index: usize,
}

impl<'text, 'tape> HashedMembers<'text, 'tape> {
    /// The next member: its name's hash, its name, its value.
    #[inline(always)]
    pub fn next_member<'a>(&mut self) -> Option<(u32, &'a [u8], NodeId)>
    where
        'text: 'a,
        'tape: 'a,
    {
        self.next_shaped().map(|(hash, name, value, _)| (hash, name, value))
    }

    /// As [`HashedMembers::next_member`], and what the value is.
    #[inline(always)]
    pub fn next_shaped<'a>(&mut self) -> Option<(u32, &'a [u8], NodeId, Shape)>
    where
        'text: 'a,
        'tape: 'a,
    {
        loop {
            let &[key, value] = self.rest.first_chunk()?;
            let nodes = 1 + value.span();
            self.rest = self.rest.get(nodes..).unwrap_or_default();
            let at = self.index + 1;
            self.index += nodes;
            if key.meta & tag::DEAD != 0 {
                continue;
            }
            let tape = self.document.tape;
            let owner =
                if key.meta & tag::OWNED == 0 { self.document.text() } else { &tape.strings };
            let (start, end) = (key.start as usize, key.start as usize + key.len as usize);
            let (hash, name) = (key.meta >> tag::HASH_SHIFT, &owner.as_bytes()[start..end]);
            if value.tag() == tag::MOVED {
                let value = tape.resolve_moved(value);
                return Some((hash, name, value, self.document.shape(value)));
            }
            return Some((hash, name, NodeId::at(at), Shape::OF_TAG[value.tag() as usize]));
        }
    }
}
