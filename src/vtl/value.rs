//! Values as Java's classes have them, borrowing from the request as long as they can.
//!
//! A string is a piece of the request, of the template, or of the machine's own buffer, so that
//! string methods allocate nothing. A container of the parsed body is its node on the tape; it
//! becomes a container of its own when something is written to it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use indexmap::IndexMap;
use num_bigint::BigInt;

use super::decimal::Decimal;
use super::frame::Closure;
use super::host::HostMap;
use crate::json::NodeId;

/// What a reference or expression is worth.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `Boolean`
    Bool(bool),
    /// `Character`
    Char(u16),
    /// `Byte`
    Byte(i8),
    /// `Short`
    Short(i16),
    /// `Integer`
    Int(i32),
    /// `Long`
    Long(i64),
    /// `Float`
    Float(f32),
    /// `Double`
    Double(f64),
    /// `BigInteger`
    Big(Rc<BigInt>),
    /// `BigDecimal`
    Decimal(Rc<Decimal>),
    /// `String`
    Text(Text<'a>),
    /// An object or array of the body.
    Node(NodeId),
    /// Parameters, stage variables, `$context` and what is in it.
    Host(HostMap),
    /// `ArrayList`, `JSONArray` or an array.
    List(Rc<List<'a>>),
    /// `LinkedHashMap`
    Map(Rc<Map<'a>>),
    /// `keySet()`, `values()` or `entrySet()` of a map.
    View(ViewKind, MapRef<'a>),
    /// One entry of a map.
    Entry(Rc<(Value<'a>, Value<'a>)>),
    /// `iterator()`
    Iterator(Rc<RefCell<Cursor<'a>>>),
    /// `$foreach`, by its depth.
    Loop(u16),
    /// `#define`, or the body of `#@name`.
    Block(Rc<Closure<'a>>),
    /// `$input`
    Input,
    /// `$util`
    Util,
}

/// A string.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// Of the request or the template.
    Slice(&'a str),
    /// Of the machine's buffer.
    Built {
        /// First byte.
        start: u32,
        /// Bytes.
        len: u32,
    },
    /// A key of a map.
    Shared(Rc<str>),
}

/// A map wherever it lives.
#[derive(Clone, Debug)]
pub enum MapRef<'a> {
    /// An object of the body.
    Node(NodeId),
    /// A map of the request.
    Host(HostMap),
    /// A map that the template has made or written to.
    Map(Rc<Map<'a>>),
}

/// What of a map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ViewKind {
    /// Its keys.
    Keys,
    /// Its values.
    Values,
    /// Its entries.
    Entries,
}

/// Which class of list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListKind {
    /// Prints `[a, b]`.
    ArrayList,
    /// Prints as JSON.
    Json,
    /// `String[]`: has a list's methods but those that change its length.
    Array,
}

/// A list.
#[derive(Debug)]
pub struct List<'a> {
    /// Its class.
    pub kind: ListKind,
    /// Its elements.
    pub items: RefCell<Vec<Value<'a>>>,
    /// Grows when its length changes: a loop over it then fails, as in Java.
    pub changes: Cell<u32>,
}

impl<'a> List<'a> {
    pub(super) fn new(kind: ListKind, items: Vec<Value<'a>>) -> Rc<Self> {
        Rc::new(Self { kind, items: RefCell::new(items), changes: Cell::new(0) })
    }

    pub(super) fn changed(&self) {
        self.changes.set(self.changes.get().wrapping_add(1));
    }
}

/// A map in the order of insertion.
#[derive(Debug, Default)]
pub struct Map<'a> {
    /// `$context` and what is in it prints as the empty string.
    pub prints_empty: bool,
    /// Its entries.
    pub entries: RefCell<Entries<'a>>,
    /// Grows when an entry comes or goes.
    pub changes: Cell<u32>,
}

/// Entries of a map.
pub type Entries<'a> = IndexMap<Key, Value<'a>, foldhash::fast::FixedState>;

impl<'a> Map<'a> {
    pub(super) fn new(entries: Entries<'a>) -> Rc<Self> {
        Rc::new(Self { prints_empty: false, entries: RefCell::new(entries), changes: Cell::new(0) })
    }

    pub(super) fn changed(&self) {
        self.changes.set(self.changes.get().wrapping_add(1));
    }
}

/// A key of a map; equal where Java's `equals` says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// `null`
    Null,
    /// `Boolean`
    Bool(bool),
    /// `Character`
    Char(u16),
    /// `Integer`, and the smaller ones.
    Int(i32),
    /// `Long`
    Long(i64),
    /// `Double` by its bits.
    Double(u64),
    /// `String`
    Text(Rc<str>),
    /// Anything else, by what it prints.
    Other(Rc<str>),
}

impl std::hash::Hash for Key {
    // Strings hash by their text alone, so that one is found without making a key of it.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match self {
            Self::Text(text) => text.hash(state),
            Self::Other(text) => (1u8, text).hash(state),
            Self::Null => 2u8.hash(state),
            Self::Bool(value) => (3u8, value).hash(state),
            Self::Char(value) => (4u8, value).hash(state),
            Self::Int(value) => (5u8, value).hash(state),
            Self::Long(value) => (6u8, value).hash(state),
            Self::Double(bits) => (7u8, bits).hash(state),
        }
    }
}

impl Key {
    /// The key as a value. What is none of Java's simple classes comes back as its text.
    pub(super) fn value<'a>(&self) -> Value<'a> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Char(value) => Value::Char(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Long(value) => Value::Long(*value),
            Self::Double(bits) => Value::Double(f64::from_bits(*bits)),
            Self::Text(text) | Self::Other(text) => Value::Text(Text::Shared(Rc::clone(text))),
        }
    }
}

/// A place in something that is iterated.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    /// What is iterated.
    pub source: Source<'a>,
    /// The next element.
    pub next: usize,
    /// How many there were at the beginning.
    pub len: usize,
    /// Changes of the source at the beginning.
    pub changes: u32,
}

/// What can be iterated.
#[derive(Clone, Debug)]
pub enum Source<'a> {
    /// An array of the body; the cursor's second number is the next node.
    Array(NodeId, u32),
    /// Keys, values or entries of an object of the body.
    Object(ViewKind, NodeId, u32),
    /// Keys, values or entries of a map of the request.
    Host(ViewKind, HostMap),
    /// A list.
    List(Rc<List<'a>>),
    /// Keys, values or entries of a map.
    Map(ViewKind, Rc<Map<'a>>),
    /// `[from..to]`: the first number and the step.
    Range(i32, i32),
}

impl<'a> Value<'a> {
    /// The empty string.
    pub const EMPTY: Self = Value::Text(Text::Slice(""));

    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Text::Slice(text))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether `#if` takes it for true: null and `false` are not, everything else is.
    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Byte(_)
                | Self::Short(_)
                | Self::Int(_)
                | Self::Long(_)
                | Self::Float(_)
                | Self::Double(_)
                | Self::Big(_)
                | Self::Decimal(_)
        )
    }

    /// The map behind the value, if it is one.
    pub(super) fn big(value: BigInt) -> Self {
        Self::Big(Rc::new(value))
    }
}
