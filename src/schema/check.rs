//! Judging a body: the fast pass, which stops at the first failure and says nothing.
//!
//! Rules run over the tape from the outside in. Every rule set on every value takes fuel; so does
//! whatever a value makes longer than that. Recursion follows the body's nesting and the schema's
//! `allOf` and the like, and is bounded ([`limits::DEPTH_MAX`]).

use foldhash::fast::RandomState;

use crate::json::{Document, Key, NodeId, Shape};
use crate::schema::decimal::{self, Candidate};
use crate::schema::program::{
    ArrayRules, Bound, Enumeration, GeneralRules, NONE, Node, NumberRules, ObjectRules, Program,
    StringRules, Types,
};
use crate::schema::unique;
use crate::schema::{Verdict, limits};

/// The fuel is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// Steps that are left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fuel(usize);

impl Fuel {
    pub(super) fn new(steps: usize) -> Self {
        Self(steps)
    }

    #[inline(always)]
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        match self.0.checked_sub(steps) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(Exhausted),
        }
    }
}

/// Why a check ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Invalid,
    Exhausted,
}

impl From<Exhausted> for Stop {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Exhausted
    }
}

pub(super) type Outcome = Result<(), Stop>;

#[inline(always)]
fn require(holds: bool) -> Outcome {
    if holds { Ok(()) } else { Err(Stop::Invalid) }
}

/// Memory for checks, which one shard uses for all of its bodies.
#[derive(Debug, Default)]
pub struct Checker {
    pub(super) hasher: RandomState,
    /// Elements of an array by their hashes.
    pub(super) seen: Vec<(u64, NodeId)>,
}

impl Checker {
    /// A checker without memory; it allocates with its first large array.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of memory that it holds on to, for whoever pools checkers.
    pub fn memory_bytes(&self) -> usize {
        self.seen.capacity() * size_of::<(u64, NodeId)>()
    }

    /// What the value is worth, and how much of the fuel is left.
    pub(super) fn check(
        &mut self,
        program: &Program,
        document: &Document<'_, '_>,
        root: NodeId,
        fuel: usize,
    ) -> (Verdict, usize) {
        let mut run = Run::new(program, self, *document, fuel);
        let verdict = match run.check(program.root, root) {
            Ok(()) => Verdict::Valid,
            Err(Stop::Invalid) => Verdict::Invalid,
            Err(Stop::Exhausted) => Verdict::Exhausted,
        };
        (verdict, run.fuel.0)
    }
}

/// One check under way.
pub(super) struct Run<'a> {
    pub(super) program: &'a Program,
    pub(super) document: Document<'a, 'a>,
    pub(super) checker: &'a mut Checker,
    pub(super) fuel: Fuel,
    depth: u32,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        program: &'a Program,
        checker: &'a mut Checker,
        document: Document<'a, 'a>,
        fuel: usize,
    ) -> Self {
        Self { program, document, checker, fuel: Fuel::new(fuel), depth: 0 }
    }

    /// Whether the value at `at` is what `schema` asks for; `schema` may be [`NONE`] or
    /// [`FORBIDDEN`](super::program::FORBIDDEN).
    ///
    /// Values that are only asked for their type, or for nothing, cost no call.
    #[inline]
    pub(super) fn check(&mut self, schema: u32, at: NodeId) -> Outcome {
        self.check_shaped(schema, at, self.document.shape(at))
    }

    #[inline(always)]
    fn check_shaped(&mut self, schema: u32, at: NodeId, shape: Shape) -> Outcome {
        let Some(node) = self.program.nodes.get(schema as usize) else {
            return require(schema == NONE);
        };
        if node.plain.has(type_of(shape)) {
            return Ok(());
        }
        // Each has few registers to save, which one function for all of them would not.
        match shape {
            Shape::String => self.check_string(node, at),
            Shape::Whole | Shape::Decimal => self.check_number(node, at, shape),
            _ => self.check_other(node, at, shape),
        }
    }

    #[inline(never)]
    fn check_string(&mut self, node: &'a Node, at: NodeId) -> Outcome {
        require(node.types.has(Types::STRING))?;
        if let Some(rules) = self.program.strings.get(node.string as usize) {
            self.string(rules, self.document.spelling(at))?;
        }
        self.check_general(node, at)
    }

    #[inline(never)]
    fn check_number(&mut self, node: &'a Node, at: NodeId, shape: Shape) -> Outcome {
        require(node.types.has(type_of(shape)))?;
        if let Some(rules) = self.program.numbers.get(node.number as usize) {
            self.number(rules, self.document.spelling(at))?;
        }
        self.check_general(node, at)
    }

    #[inline(never)]
    fn check_other(&mut self, node: &'a Node, at: NodeId, shape: Shape) -> Outcome {
        require(node.types.has(type_of(shape)))?;
        if shape == Shape::Object
            && let Some(rules) = self.program.objects.get(node.object as usize)
        {
            self.nested(|run| run.object(rules, at))?;
        }
        if shape == Shape::Array
            && let Some(rules) = self.program.arrays.get(node.array as usize)
        {
            self.nested(|run| run.array(rules, at))?;
        }
        self.check_general(node, at)
    }

    #[inline(always)]
    fn check_general(&mut self, node: &'a Node, at: NodeId) -> Outcome {
        match self.program.generals.get(node.general as usize) {
            Some(rules) => self.nested(|run| run.general(rules, at)),
            None => Ok(()),
        }
    }

    #[inline(always)]
    fn nested(&mut self, check: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        self.enter()?;
        let outcome = check(self);
        self.leave();
        outcome
    }

    /// One level deeper, until [`Run::leave`].
    #[inline(always)]
    pub(super) fn enter(&mut self) -> Result<(), Exhausted> {
        if self.depth == limits::DEPTH_MAX {
            return Err(Exhausted);
        }
        self.depth += 1;
        Ok(())
    }

    #[inline(always)]
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Whether no two elements of the array are equal.
    pub(super) fn all_differ(&mut self, at: NodeId, len: usize) -> Result<bool, Exhausted> {
        let Self { document, checker, fuel, .. } = self;
        unique::all_differ(document, at, len, checker, fuel)
    }

    #[inline(always)]
    fn string(&mut self, rules: &StringRules, text: &[u8]) -> Outcome {
        require(long_enough(text, rules.min) && short_enough(text, rules.max))?;
        if let Some(pattern) = &rules.pattern {
            require(pattern.matches(text, &mut self.fuel)?)?;
        }
        match rules.format {
            Some(format) => {
                self.fuel.spend(text.len() / limits::STEP_BYTES)?;
                require(format.accepts(str_of(text)))
            }
            None => Ok(()),
        }
    }

    #[inline(always)]
    fn number(&mut self, rules: &NumberRules, text: &[u8]) -> Outcome {
        // Even a number of a megabyte is compared digit by digit.
        self.fuel.spend(text.len() / limits::STEP_BYTES)?;
        if let Some((least, most)) = rules.whole
            && let Some(within) = decimal::is_within(text, least, most)
        {
            return require(within);
        }
        self.number_exactly(rules, text)
    }

    #[inline(never)]
    fn number_exactly(&mut self, rules: &NumberRules, text: &[u8]) -> Outcome {
        let number = Candidate::new(str_of(text));
        if let Some(Bound { value, exclusive }) = &rules.minimum {
            let order = value.compare(&number);
            require(order.is_some_and(|order| order.is_gt() || (order.is_eq() && !exclusive)))?;
        }
        if let Some(Bound { value, exclusive }) = &rules.maximum {
            let order = value.compare(&number);
            require(order.is_some_and(|order| order.is_lt() || (order.is_eq() && !exclusive)))?;
        }
        match &rules.multiple_of {
            Some(divisor) => {
                self.fuel.spend(text.len())?;
                require(divisor.divides(&number))
            }
            None => Ok(()),
        }
    }

    #[inline(never)]
    fn object(&mut self, rules: &ObjectRules, at: NodeId) -> Outcome {
        let len = self.document.len(at);
        require(len >= rules.min.max(rules.required) as usize && len <= rules.max as usize)?;
        self.fuel.spend(1 + len)?;
        let required = if rules.patterns.is_empty() {
            let (mut required, mut expected) = (0, 0);
            let mut members = self.document.hashed_members(at);
            while let Some((hash, name, value, shape)) = members.next_shaped() {
                let mut schema = rules.additional;
                if let Some(found) = rules.names.find_next(&mut expected, hash, name) {
                    required += u32::from(found.required);
                    schema = found.schema;
                }
                self.check_shaped(schema, value, shape)?;
            }
            required
        } else {
            self.patterned_members(rules, at)?
        };
        // No name is there twice, so a count tells whether all are.
        require(required == rules.required)?;
        if rules.dependencies.is_empty() { Ok(()) } else { self.dependencies(rules, at) }
    }

    /// The members of an object with `patternProperties`; gives how many required ones there are.
    #[inline(never)]
    fn patterned_members(&mut self, rules: &ObjectRules, at: NodeId) -> Result<u32, Stop> {
        let mut required = 0;
        let mut members = self.document.hashed_members(at);
        while let Some((hash, name, value)) = members.next_member() {
            let found = rules.names.find(hash, name);
            required += u32::from(found.is_some_and(|found| found.required));
            let mut matched = false;
            if let Some(found) = found.filter(|found| found.property) {
                matched = true;
                self.check(found.schema, value)?;
            }
            for (pattern, schema) in &rules.patterns {
                if pattern.matches(name, &mut self.fuel)? {
                    matched = true;
                    self.check(*schema, value)?;
                }
            }
            if !matched {
                self.check(rules.additional, value)?;
            }
        }
        Ok(required)
    }

    #[cold]
    fn dependencies(&mut self, rules: &ObjectRules, at: NodeId) -> Outcome {
        let len = self.document.len(at);
        for dependency in &rules.dependencies {
            self.fuel.spend(1 + len * (1 + dependency.required.len()) / limits::STEP_BYTES)?;
            if self.document.member(at, &dependency.name).is_none() {
                continue;
            }
            for name in &dependency.required {
                require(self.document.member(at, name).is_some())?;
            }
            self.check(dependency.schema, at)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn array(&mut self, rules: &ArrayRules, at: NodeId) -> Outcome {
        let len = self.document.len(at);
        require(len >= rules.min as usize && len <= rules.max as usize)?;
        self.fuel.spend(1 + len)?;
        if rules.tuple.is_empty() {
            if rules.rest != NONE {
                for element in self.document.elements(at) {
                    self.check(rules.rest, element)?;
                }
            }
        } else {
            self.tuple(rules, at)?;
        }
        if rules.unique && len > 1 { require(self.all_differ(at, len)?) } else { Ok(()) }
    }

    fn tuple(&mut self, rules: &ArrayRules, at: NodeId) -> Outcome {
        for (index, element) in self.document.elements(at).enumerate() {
            let schema = rules.tuple.get(index).copied().unwrap_or(rules.rest);
            if schema == NONE && index >= rules.tuple.len() {
                break;
            }
            self.check(schema, element)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn general(&mut self, rules: &GeneralRules, at: NodeId) -> Outcome {
        self.fuel.spend(1)?;
        if let Some(values) = &rules.values {
            require(self.is_listed(values, at)?)?;
        }
        for &schema in &rules.all_of {
            self.fuel.spend(1)?;
            self.check(schema, at)?;
        }
        if !rules.any_of.is_empty() {
            require(self.matching(&rules.any_of, at, 1)? == 1)?;
        }
        if !rules.one_of.is_empty() {
            require(self.matching(&rules.one_of, at, 2)? == 1)?;
        }
        if rules.not != NONE {
            require(!self.accepts(rules.not, at)?)?;
        }
        Ok(())
    }

    /// Whether `schema` accepts the value, for rules that go on either way.
    pub(super) fn accepts(&mut self, schema: u32, at: NodeId) -> Result<bool, Exhausted> {
        self.fuel.spend(1)?;
        match self.check(schema, at) {
            Ok(()) => Ok(true),
            Err(Stop::Invalid) => Ok(false),
            Err(Stop::Exhausted) => Err(Exhausted),
        }
    }

    /// How many of `schemas` accept the value; counting ends at `enough`.
    pub(super) fn matching(
        &mut self,
        schemas: &[u32],
        at: NodeId,
        enough: usize,
    ) -> Result<usize, Exhausted> {
        let mut matched = 0;
        for &schema in schemas {
            matched += usize::from(self.accepts(schema, at)?);
            if matched == enough {
                break;
            }
        }
        Ok(matched)
    }

    /// Whether `enum` has the value.
    pub(super) fn is_listed(
        &mut self,
        values: &Enumeration,
        at: NodeId,
    ) -> Result<bool, Exhausted> {
        if self.document.shape(at) == Shape::String {
            let text = self.document.spelling(at);
            self.fuel.spend(text.len() / limits::STEP_BYTES)?;
            return Ok(values.strings.find(Key::hash_of(text), text).is_some());
        }
        let listed = self.program.sources[values.source as usize].document();
        for &other in &values.others {
            self.fuel.spend(1)?;
            if unique::equal(&self.document, at, &listed, other, &mut self.fuel)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn node(&self, schema: u32) -> &'a Node {
        &self.program.nodes[schema as usize]
    }
}

/// The one type that a value has.
#[inline(always)]
pub(super) fn type_of(shape: Shape) -> Types {
    const TYPES: [Types; 8] = [
        Types::NULL,
        Types::BOOLEAN,
        Types::BOOLEAN,
        Types::INTEGER,
        Types::NUMBER,
        Types::STRING,
        Types::ARRAY,
        Types::OBJECT,
    ];
    TYPES[shape as usize]
}

/// The characters of a piece of a tape's text.
fn str_of(text: &[u8]) -> &str {
    str::from_utf8(text).expect("a tape has whole characters")
}

/// Code points of UTF-8: each has one byte that does not continue another.
pub(super) fn count(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

/// Whether `text` has `min` code points, each one to four bytes; most texts need no counting.
#[inline(always)]
fn long_enough(text: &[u8], min: u32) -> bool {
    let min = min as usize;
    min <= text.len().div_ceil(4) || (min <= text.len() && min <= count(text))
}

#[inline(always)]
fn short_enough(text: &[u8], max: u32) -> bool {
    let max = max as usize;
    text.len() <= max || (text.len().div_ceil(4) <= max && count(text) <= max)
}
