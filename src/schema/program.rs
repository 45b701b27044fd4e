//! A compiled schema: flat lists of rules, without references, names resolved to slots.
//!
//! Every schema object that can be applied is one [`Node`]; rules that only some kinds of values
//! have are in lists of their own, so that a plain `{"type": "string"}` is one node of 32 bytes.
//! `$ref` leaves no trace: whoever refers has the target's number.

use crate::json::{Document, Key, NodeId, Tape};
use crate::schema::decimal::Constant;
use crate::schema::format::Format;
use crate::schema::pattern::Pattern;

/// No rule of that kind; or, where a schema is asked for, one that accepts everything.
pub(super) const NONE: u32 = u32::MAX;
/// Where a schema is asked for: nothing is accepted (`additionalProperties: false`).
pub(super) const FORBIDDEN: u32 = u32::MAX - 1;

/// A set of draft 4's types; a value has exactly one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Types(pub(super) u8);

impl Types {
    pub(super) const ARRAY: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    /// A number without a point or an exponent.
    pub(super) const INTEGER: Self = Self(4);
    pub(super) const NULL: Self = Self(8);
    pub(super) const NUMBER: Self = Self(16);
    pub(super) const OBJECT: Self = Self(32);
    pub(super) const STRING: Self = Self(64);
    pub(super) const ALL: Self = Self(127);

    /// In the order of their names.
    const NAMES: [(&'static str, Self); 7] = [
        ("array", Self::ARRAY),
        ("boolean", Self::BOOLEAN),
        ("integer", Self::INTEGER),
        ("null", Self::NULL),
        ("number", Self::NUMBER),
        ("object", Self::OBJECT),
        ("string", Self::STRING),
    ];

    /// What a schema means by `name`; every integer is a number.
    pub(super) fn of(name: &str) -> Option<Self> {
        let types = Self::NAMES.iter().find(|(other, _)| *other == name)?.1;
        Some(if types == Self::NUMBER { types.with(Self::INTEGER) } else { types })
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[inline(always)]
    pub(super) fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(_, one)| self.has(*one)).map(|(name, _)| name)
    }
}

/// One schema object. The numbers lead into the lists of [`Program`].
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Node {
    pub(super) types: Types,
    pub(super) string: u32,
    pub(super) number: u32,
    pub(super) object: u32,
    pub(super) array: u32,
    pub(super) general: u32,
    /// Types of values that nothing but their type is asked of.
    pub(super) plain: Types,
}

impl Node {
    pub(super) const ANY: Self = Self {
        types: Types::ALL,
        string: NONE,
        number: NONE,
        object: NONE,
        array: NONE,
        general: NONE,
        plain: Types::ALL,
    };

    /// With [`Node::plain`] as the other rules have it.
    pub(super) fn settled(self) -> Self {
        let mut ruled = Types(0);
        for (rules, types) in [
            (self.string, Types::STRING),
            (self.number, Types::NUMBER.with(Types::INTEGER)),
            (self.object, Types::OBJECT),
            (self.array, Types::ARRAY),
            (self.general, Types::ALL),
        ] {
            if rules != NONE {
                ruled = ruled.with(types);
            }
        }
        Self { plain: Types(self.types.0 & !ruled.0), ..self }
    }
}

#[derive(Debug)]
pub(super) struct StringRules {
    /// Code points.
    pub(super) min: u32,
    /// Code points; `u32::MAX` without a bound.
    pub(super) max: u32,
    pub(super) format: Option<Format>,
    pub(super) pattern: Option<Pattern>,
}

#[derive(Debug)]
pub(super) struct Bound {
    pub(super) value: Constant,
    pub(super) exclusive: bool,
}

#[derive(Debug, Default)]
pub(super) struct NumberRules {
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) multiple_of: Option<Constant>,
    /// The least and the greatest whole number within the bounds, if bounds are all there is, and
    /// short enough to tell.
    pub(super) whole: Option<(i64, i64)>,
}

impl NumberRules {
    /// With [`NumberRules::whole`] as the bounds have it.
    pub(super) fn settled(self) -> Self {
        if self.multiple_of.is_some() {
            return self;
        }
        let (mut least, mut most) = (i64::MIN, i64::MAX);
        if let Some(bound) = &self.minimum {
            let Some((floor, ceiling)) = bound.value.whole_neighbours() else { return self };
            least = if bound.exclusive { floor + 1 } else { ceiling };
        }
        if let Some(bound) = &self.maximum {
            let Some((floor, ceiling)) = bound.value.whole_neighbours() else { return self };
            most = if bound.exclusive { ceiling - 1 } else { floor };
        }
        Self { whole: Some((least, most)), ..self }
    }
}

#[derive(Debug)]
pub(super) struct ArrayRules {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) unique: bool,
    /// Schemas of the first elements.
    pub(super) tuple: Box<[u32]>,
    /// Schema of the others, [`NONE`] or [`FORBIDDEN`].
    pub(super) rest: u32,
}

#[derive(Debug)]
pub(super) struct ObjectRules {
    /// Every name of `properties` and `required`.
    pub(super) names: Names,
    /// How many of the names are required.
    pub(super) required: u32,
    pub(super) min: u32,
    pub(super) max: u32,
    /// Schema of what neither `properties` nor a pattern names, [`NONE`] or [`FORBIDDEN`].
    pub(super) additional: u32,
    pub(super) patterns: Box<[(Pattern, u32)]>,
    pub(super) dependencies: Box<[Dependency]>,
}

#[derive(Debug)]
pub(super) struct Dependency {
    pub(super) name: Key,
    /// What has to be there beside it, sorted.
    pub(super) required: Box<[Key]>,
    /// What the whole object has to be, or [`NONE`].
    pub(super) schema: u32,
}

/// What applies to values of every type.
#[derive(Debug)]
pub(super) struct GeneralRules {
    pub(super) values: Option<Enumeration>,
    pub(super) all_of: Box<[u32]>,
    pub(super) any_of: Box<[u32]>,
    pub(super) one_of: Box<[u32]>,
    pub(super) not: u32,
}

/// `enum`. Strings are looked up, everything else is compared in turn.
#[derive(Debug)]
pub(super) struct Enumeration {
    pub(super) strings: Names,
    pub(super) others: Box<[NodeId]>,
    /// Which of [`Program::sources`] has the values, and where their list is.
    pub(super) source: u32,
    pub(super) list: NodeId,
}

/// A name of an object's rules, in one cache line.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Name {
    ends: Ends,
    pub(super) hash: u32,
    /// Its schema, or that of additional properties if `properties` does not have it.
    pub(super) schema: u32,
    pub(super) required: bool,
    /// Whether `properties` has it.
    pub(super) property: bool,
    pub(super) text: Box<str>,
}

impl Name {
    pub(super) fn new(text: &str) -> Self {
        let hash = Key::hash_of(text.as_bytes());
        let ends = Ends::of(text.as_bytes());
        Self { ends, hash, schema: NONE, required: false, property: false, text: text.into() }
    }

    #[inline(always)]
    fn is(&self, ends: Ends, text: &[u8]) -> bool {
        self.ends == ends && (text.len() <= Ends::WHOLE_BYTES || self.text.as_bytes() == text)
    }
}

/// A text's length, first eight bytes and last eight: all of a text of up to sixteen. Two words are
/// compared where the name's text would be a pointer away and `memcmp` a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    len: usize,
    first: u64,
    last: u64,
}

impl Ends {
    const WHOLE_BYTES: usize = 16;

    #[inline(always)]
    fn of(text: &[u8]) -> Self {
        let len = text.len();
        let (first, last) =
            if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
                (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
            } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
                (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
            } else if let ([first, ..], [.., last]) = (text, text) {
                (u64::from(*first), u64::from(text[len / 2]) << 8 | u64::from(*last))
            } else {
                (0, 0)
            };
        Self { len, first, last }
    }
}

/// Names by the hash that a tape's keys carry anyway: an open-addressed table with few collisions,
/// since it is as large and takes the bits of the hash that suit it best.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) list: Box<[Name]>,
    /// Indexes into `list` plus one.
    slots: Box<[u16]>,
    shift: u32,
}

impl Names {
    /// `list` is distinct and shorter than [`limits::NAMES_MAX`](super::limits::NAMES_MAX).
    pub(super) fn new(list: Vec<Name>) -> Self {
        const HASH_BITS: u32 = 24;
        if list.is_empty() {
            return Self::default();
        }
        let size = (list.len() * 3).next_power_of_two();
        let shifts = HASH_BITS.saturating_sub(size.trailing_zeros());
        // Of all places to take the bits from, the one with the fewest second looks.
        let collisions = |shift: u32| {
            let mut taken = vec![false; size];
            let slot = |name: &Name| (name.hash >> shift) as usize & (size - 1);
            list.iter().filter(|name| std::mem::replace(&mut taken[slot(name)], true)).count()
        };
        let shift = (0..=shifts).min_by_key(|&shift| collisions(shift)).unwrap_or(0);
        let mut slots = vec![0u16; size];
        for (index, name) in list.iter().enumerate() {
            let mut slot = (name.hash >> shift) as usize & (size - 1);
            while slots[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            slots[slot] = u16::try_from(index + 1).expect("`NAMES_MAX` names have 16-bit indexes");
        }
        Self { list: list.into_boxed_slice(), slots: slots.into_boxed_slice(), shift }
    }

    #[inline(always)]
    pub(super) fn find(&self, hash: u32, text: &[u8]) -> Option<&Name> {
        self.look_up(hash, text, Ends::of(text)).map(|(_, name)| name)
    }

    /// As [`Names::find`], for names one after the other: most bodies have them in the schema's
    /// order, so the one after the last found is tried first. `expected` begins at 0.
    #[inline(always)]
    pub(super) fn find_next(&self, expected: &mut usize, hash: u32, text: &[u8]) -> Option<&Name> {
        let ends = Ends::of(text);
        if let Some(name) = self.list.get(*expected)
            && name.is(ends, text)
        {
            *expected += 1;
            return Some(name);
        }
        let (index, name) = self.look_up(hash, text, ends)?;
        *expected = index + 1;
        Some(name)
    }

    #[inline(always)]
    fn look_up(&self, hash: u32, text: &[u8], ends: Ends) -> Option<(usize, &Name)> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = (hash >> self.shift) as usize & mask;
        loop {
            let index = usize::from(*self.slots.get(slot)?).wrapping_sub(1);
            let name = self.list.get(index)?;
            if name.is(ends, text) {
                return Some((index, name));
            }
            slot = (slot + 1) & mask;
        }
    }
}

/// A text that schemas come from, for the values of `enum`.
#[derive(Debug)]
pub(super) struct Source {
    /// The model's name; the document that was asked for has none.
    pub(super) model: Option<Box<str>>,
    pub(super) text: Box<str>,
    pub(super) tape: Tape,
}

impl Source {
    pub(super) fn document(&self) -> Document<'_, '_> {
        self.tape.document(&self.text)
    }
}

#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) root: u32,
    pub(super) nodes: Vec<Node>,
    pub(super) strings: Vec<StringRules>,
    pub(super) numbers: Vec<NumberRules>,
    pub(super) objects: Vec<ObjectRules>,
    pub(super) arrays: Vec<ArrayRules>,
    pub(super) generals: Vec<GeneralRules>,
    pub(super) sources: Vec<Source>,
}
