//! Walking a compiled path over any tree, as Jayway 2.0.0's tokens evaluate themselves.
//!
//! Jayway's one exception for "nothing there" ends the whole evaluation, unless a wildcard over an
//! array or an indefinite rest of the path catches it. So `Stop::NotFound` travels here like an
//! exception, and what was found before it inside a wildcard stays found.
//!
//! Recursion: once for each step of the path and once for each level of the tree, both bounded.
//! Work: every value looked at costs a visit of the budget, a search among members a little more.

use std::fmt;

use smallvec::SmallVec;

use super::filter::Filter;
use super::{Function, JsonPath, NotAnArray, Select, Token, Tokens};
use crate::json::limits::{DEPTH_MAX, PATH_STEPS_MAX, PATH_VISITS_MAX};
use crate::json::number::Number;
use crate::json::tape::{Key, Kind};

/// What a value of a tree is, with the value of a scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number<'a>),
    /// A string.
    String(&'a str),
    /// A list.
    Array,
    /// A map.
    Object,
}

/// Values that a path can be evaluated on. `Node` is a cheap handle to one of them.
///
/// A container is never borrowed over a call: iteration goes by a cursor that the tree gives
/// meaning to and that starts at 0, so trees behind a `RefCell` can implement this, too.
pub trait Tree {
    /// A handle to a value.
    type Node: Clone;

    /// What the value is.
    fn kind(&self, node: &Self::Node) -> Kind;
    /// What the value is, with the value of a scalar.
    fn view<'a>(&'a self, node: &'a Self::Node) -> View<'a>;
    /// Elements of an array, members of an object; 0 for anything else.
    fn len(&self, node: &Self::Node) -> usize;
    /// The member of an object; `None` for anything else.
    fn member(&self, node: &Self::Node, key: &Key) -> Option<Self::Node>;
    /// The element of an array; `None` for anything else.
    fn element(&self, node: &Self::Node, index: usize) -> Option<Self::Node>;
    /// The next element of an array.
    fn next_element(&self, node: &Self::Node, cursor: &mut usize) -> Option<Self::Node>;
    /// The value of an object's next member.
    fn next_member(&self, node: &Self::Node, cursor: &mut usize) -> Option<Self::Node>;
    /// Whether both are the same value in memory, as Java's `==` asks.
    fn same(&self, left: &Self::Node, right: &Self::Node) -> bool;
    /// A new array of the object's keys.
    fn new_keys(&mut self, object: &Self::Node) -> Self::Node;
    /// A new object; the keys are distinct.
    fn new_object(&mut self, members: &[(&str, Self::Node)]) -> Self::Node;
    /// A new array.
    fn new_array(&mut self, elements: &[Self::Node]) -> Self::Node;
    /// A new number.
    fn new_number(&mut self, number: Number<'_>) -> Self::Node;
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<N> {
    /// Nothing: Jayway's `PathNotFoundException`. Indefinite paths can end so, too.
    Missing,
    /// The one value of a definite path.
    One(N),
    /// The values of an indefinite path, perhaps none.
    Many(Vec<N>),
}

impl<N: Clone> Found<N> {
    /// As one value: many become a new array, nothing stays nothing.
    pub fn into_node<T: Tree<Node = N>>(self, tree: &mut T) -> Option<N> {
        match self {
            Self::Missing => None,
            Self::One(node) => Some(node),
            Self::Many(nodes) => Some(tree.new_array(&nodes)),
        }
    }
}

/// Why an evaluation failed: where Jayway throws something other than "not found".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalError {
    /// An index or a slice of a value that is neither an array nor null.
    NotAnArray,
    /// A filter on a value without elements or members.
    FilterOnScalar,
    /// `['a','b']` before the path's end.
    MembersBeforeEnd,
    /// An index that the compiler let through without a meaning.
    InvalidIndex,
    /// `[?]`, whose criteria are nowhere.
    FilterWithoutCriteria,
    /// A number was compared with a literal that is none.
    NotANumber,
    /// `=~` with no pattern on either side.
    NoPattern,
    /// `..` with nothing to look for, as in the path `.`.
    ScanAtEnd,
    /// The budget is spent.
    OutOfBudget,
    /// The tree is deeper than any parsed document.
    TooDeep,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self {
            Self::NotAnArray => return NotAnArray.fmt(f),
            Self::FilterOnScalar => "a filter can only be applied to an array or an object",
            Self::MembersBeforeEnd => "several members can only be taken at the end of a path",
            Self::InvalidIndex => "the index has no meaning",
            Self::FilterWithoutCriteria => "the filter has no criteria",
            Self::NotANumber => "a number is compared with something that is none",
            Self::NoPattern => "`=~` needs a regular expression",
            Self::ScanAtEnd => "`..` with nothing to look for",
            Self::OutOfBudget => "the path visits too many values",
            Self::TooDeep => "the values are nested too deeply",
        };
        write!(f, "JsonPath: {reason}")
    }
}

impl std::error::Error for EvalError {}

impl From<NotAnArray> for EvalError {
    fn from(NotAnArray: NotAnArray) -> Self {
        Self::NotAnArray
    }
}

/// How many more values may be visited; one budget may serve several evaluations.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    visits: u32,
}

impl Budget {
    /// A budget of so many visits.
    pub fn new(visits: u32) -> Self {
        Self { visits }
    }

    /// What is left.
    pub fn visits_left(&self) -> u32 {
        self.visits
    }

    fn spend(&mut self, visits: usize) -> Result<(), EvalError> {
        let left = (self.visits as usize).checked_sub(visits);
        self.visits = left.unwrap_or(0) as u32;
        if left.is_some() { Ok(()) } else { Err(EvalError::OutOfBudget) }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(PATH_VISITS_MAX)
    }
}

/// How an evaluation ends early.
#[derive(Debug)]
pub(super) enum Stop {
    NotFound,
    Failed(EvalError),
}

impl From<EvalError> for Stop {
    fn from(error: EvalError) -> Self {
        Self::Failed(error)
    }
}

/// Members that are searched in the time of one visit.
const MEMBERS_A_VISIT: usize = 16;
/// Levels of recursion: those of a document, the path's steps, and a few for what wraps them.
const LEVELS_MAX: u32 = DEPTH_MAX + PATH_STEPS_MAX as u32 + 8;

pub(super) fn evaluate<T: Tree>(
    path: &JsonPath,
    tree: &mut T,
    root: &T::Node,
    budget: &mut Budget,
) -> Result<Found<T::Node>, EvalError> {
    let mut evaluator = Evaluator {
        tree,
        budget,
        root: root.clone(),
        level: 0,
        all_members: false,
        rooted: SmallVec::new(),
    };
    let tokens = &path.tokens;
    let mut nodes = Vec::new();
    let found = match evaluator.run(tokens, tokens.list.len(), 0, root, &mut nodes) {
        Ok(()) if tokens.definite => nodes.drain(..).next().map_or(Found::Missing, Found::One),
        Ok(()) => Found::Many(nodes),
        Err(Stop::NotFound) => Found::Missing,
        Err(Stop::Failed(error)) => return Err(error),
    };
    match path.function {
        Some(function) if is_nothing(&found) => {
            let called = evaluator.call(tokens, function)?;
            Ok(called.map_or(found, Found::One))
        }
        _ => Ok(found),
    }
}

fn is_nothing<N>(found: &Found<N>) -> bool {
    match found {
        Found::Missing => true,
        Found::One(_) => false,
        Found::Many(nodes) => nodes.is_empty(),
    }
}

/// A `$` path inside a filter, and what it led to.
type Rooted<'f, N> = (&'f Tokens, Option<N>);

/// One evaluation under way. `'f` is the path's lifetime.
pub(super) struct Evaluator<'f, 'e, T: Tree> {
    pub(super) tree: &'e mut T,
    budget: &'e mut Budget,
    root: T::Node,
    level: u32,
    /// Of several members, a missing one counts: an existence test is under way.
    all_members: bool,
    /// What the `$` paths inside filters led to; they are the same for every element.
    rooted: SmallVec<[Rooted<'f, T::Node>; 2]>,
}

impl<'f, T: Tree> Evaluator<'f, '_, T> {
    /// The value of a definite path from `node`.
    pub(super) fn one(&mut self, path: &'f Tokens, node: &T::Node) -> Result<T::Node, Stop> {
        let mut nodes = Vec::new();
        self.run(path, path.list.len(), 0, node, &mut nodes)?;
        nodes.drain(..).next().ok_or(Stop::NotFound)
    }

    /// The value of a definite path from `node`, where a missing member is never left out.
    pub(super) fn existing(&mut self, path: &'f Tokens, node: &T::Node) -> Result<T::Node, Stop> {
        self.all_members = true;
        let found = self.one(path, node);
        self.all_members = false;
        found
    }

    /// The value of a definite `$` path, evaluated once.
    pub(super) fn of_root(&mut self, path: &'f Tokens) -> Result<T::Node, Stop> {
        let known = self.rooted.iter().find(|(known, _)| std::ptr::eq(*known, path));
        if let Some((_, node)) = known {
            return node.clone().ok_or(Stop::NotFound);
        }
        let root = self.root.clone();
        let found = match self.one(path, &root) {
            Ok(node) => Some(node),
            Err(Stop::NotFound) => None,
            Err(failed) => return Err(failed),
        };
        self.rooted.push((path, found.clone()));
        found.ok_or(Stop::NotFound)
    }

    /// Evaluates tokens `at..end` of `path` from `node`; what they lead to goes to `out`.
    fn run(
        &mut self,
        path: &'f Tokens,
        end: usize,
        at: usize,
        node: &T::Node,
        out: &mut Vec<T::Node>,
    ) -> Result<(), Stop> {
        self.budget.spend(1)?;
        if at == end {
            out.push(node.clone());
            return Ok(());
        }
        self.level += 1;
        let done = if self.level > LEVELS_MAX {
            Err(EvalError::TooDeep.into())
        } else {
            self.token(path, end, at, node, out)
        };
        self.level -= 1;
        done
    }

    fn token(
        &mut self,
        path: &'f Tokens,
        end: usize,
        at: usize,
        node: &T::Node,
        out: &mut Vec<T::Node>,
    ) -> Result<(), Stop> {
        match &path.list[at] {
            Token::Here => self.run(path, end, at + 1, node, out),
            Token::Members(keys) => match self.tree.kind(node) {
                Kind::Object => self.members(path, end, at, keys, node, out),
                _ => Err(Stop::NotFound),
            },
            Token::Elements(select) => match self.tree.kind(node) {
                Kind::Array => self.elements(path, end, at, select, node, out),
                Kind::Null => Err(Stop::NotFound),
                _ => Err(EvalError::NotAnArray.into()),
            },
            Token::Wildcard => self.wildcard(path, end, at, node, out),
            Token::Filter(filter) => self.filter(path, end, at, filter.as_ref(), node, out),
            Token::Scan => {
                if at + 1 < end {
                    self.scan(path, end, at + 1, node, out)
                } else {
                    Err(EvalError::ScanAtEnd.into())
                }
            }
        }
    }

    fn members(
        &mut self,
        path: &'f Tokens,
        end: usize,
        at: usize,
        keys: &'f [Key],
        node: &T::Node,
        out: &mut Vec<T::Node>,
    ) -> Result<(), Stop> {
        if let [key] = keys {
            return match self.member(node, key)? {
                Some(member) => self.run(path, end, at + 1, &member, out),
                // A missing member at the end is an error everywhere; before it, only in paths
                // whose rest is definite.
                None if at + 1 < end && !path.strict[at] => Ok(()),
                None => Err(Stop::NotFound),
            };
        }
        if at + 1 < end {
            return Err(EvalError::MembersBeforeEnd.into());
        }
        let mut found: SmallVec<[(&str, T::Node); 8]> = SmallVec::new();
        for key in keys {
            let twice = found.iter().any(|(known, _)| *known == key.as_str());
            match self.member(node, key)? {
                Some(member) if !twice => found.push((key.as_str(), member)),
                Some(_) => {}
                None if self.all_members => return Err(Stop::NotFound),
                None => {}
            }
        }
        out.push(self.tree.new_object(&found));
        Ok(())
    }

    fn member(&mut self, node: &T::Node, key: &Key) -> Result<Option<T::Node>, Stop> {
        self.budget.spend(self.tree.len(node) / MEMBERS_A_VISIT)?;
        Ok(self.tree.member(node, key))
    }

    fn elements(
        &mut self,
        path: &'f Tokens,
        end: usize,
        at: usize,
        select: &Select,
        node: &T::Node,
        out: &mut Vec<T::Node>,
    ) -> Result<(), Stop> {
        let len = i64::try_from(self.tree.len(node)).expect("an array fits memory");
        let range = match select {
            Select::Index(index) => return self.index(path, end, at, i64::from(*index), node, out),
            Select::FromEnd(index) => {
                return self.index(path, end, at, len + i64::from(*index), node, out);
            }
            Select::Each(indexes) => {
                for index in indexes {
                    self.index(path, end, at, i64::from(*index), node, out)?;
                }
                return Ok(());
            }
            Select::From(from) => {
                let from = i64::from(*from);
                (if from < 0 { from + len } else { from }).max(0)..len
            }
            Select::To(to) => {
                let to = i64::from(*to);
                0..(if to < 0 { to + len } else { to }).min(len)
            }
            Select::Between(from, to) => i64::from(*from)..i64::from(*to).min(len),
            Select::Nothing => return Err(EvalError::InvalidIndex.into()),
        };
        if len == 0 || range.is_empty() {
            return Ok(());
        }
        if range.start < 0 {
            return Err(Stop::NotFound);
        }
        let mut cursor = 0;
        for index in 0..range.end {
            let element = self.tree.next_element(node, &mut cursor).ok_or(Stop::NotFound)?;
            if index >= range.start {
                self.run(path, end, at + 1, &element, out)?;
            } else {
                self.budget.spend(1)?;
            }
        }
        Ok(())
    }

    fn index(
        &mut self,
        path: &'f Tokens,
        end: usize,
        at: usize,
        index: i64,
        node: &T::Node,
        out: &mut Vec<T::Node>,
    ) -> Result<(), Stop> {
        let index = usize::try_from(index).map_err(|_| Stop::NotFound)?;
        if index >= self.tree.len(node) {
            return Err(Stop::NotFound);
        }
        self.budget.spend(index / MEMBERS_A_VISIT)?;
        let element = self.tree.element(node, index).ok_or(Stop::NotFound)?;
        self.run(path, end, at + 1, &element, out)
    }

    fn wildcard(
        &mut self,
        path: &'f Tokens,
        end: usize,
        at: usize,
        node: &T::Node,
        out: &mut Vec<T::Node>,
    ) -> Result<(), Stop> {
        let mut cursor = 0;
        match self.tree.kind(node) {
            Kind::Object => {
                while let Some(member) = self.tree.next_member(node, &mut cursor) {
                    self.run(path, end, at + 1, &member, out)?;
                }
            }
            Kind::Array => {
                while let Some(element) = self.tree.next_element(node, &mut cursor) {
                    match self.run(path, end, at + 1, &element, out) {
                        Ok(()) | Err(Stop::NotFound) => {}
                        Err(failed) => return Err(failed),
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn filter(
        &mut self,
        path: &'f Tokens,
        end: usize,
        at: usize,
        filter: Option<&'f Filter>,
        node: &T::Node,
        out: &mut Vec<T::Node>,
    ) -> Result<(), Stop> {
        match self.tree.kind(node) {
            Kind::Object => {
                if self.accepts(filter, node)? {
                    self.run(path, end, at + 1, node, out)?;
                }
            }
            Kind::Array => {
                let mut cursor = 0;
                while let Some(element) = self.tree.next_element(node, &mut cursor) {
                    if self.accepts(filter, &element)? {
                        self.run(path, end, at + 1, &element, out)?;
                    }
                }
            }
            _ => return Err(EvalError::FilterOnScalar.into()),
        }
        Ok(())
    }

    fn accepts(&mut self, filter: Option<&'f Filter>, node: &T::Node) -> Result<bool, EvalError> {
        self.budget.spend(1)?;
        filter.ok_or(EvalError::FilterWithoutCriteria)?.accepts(self, node)
    }

    /// `..` before token `at`: the token on `node` and on everything inside it, where it applies.
    fn scan(
        &mut self,
        path: &'f Tokens,
        end: usize,
        at: usize,
        node: &T::Node,
        out: &mut Vec<T::Node>,
    ) -> Result<(), Stop> {
        self.budget.spend(1)?;
        if !matches!(self.tree.kind(node), Kind::Array | Kind::Object) {
            return Ok(());
        }
        self.level += 1;
        let done = if self.level > LEVELS_MAX {
            Err(EvalError::TooDeep.into())
        } else {
            self.scan_inside(path, end, at, node, out)
        };
        self.level -= 1;
        done
    }

    fn scan_inside(
        &mut self,
        path: &'f Tokens,
        end: usize,
        at: usize,
        node: &T::Node,
        out: &mut Vec<T::Node>,
    ) -> Result<(), Stop> {
        let mut cursor = 0;
        match self.tree.kind(node) {
            Kind::Object => {
                if self.applies(&path.list[at], node)? {
                    self.run(path, end, at, node, out)?;
                }
                while let Some(member) = self.tree.next_member(node, &mut cursor) {
                    self.scan(path, end, at, &member, out)?;
                }
            }
            Kind::Array => {
                if self.applies(&path.list[at], node)? {
                    if at + 1 == end {
                        self.run(path, end, at, node, out)?;
                    } else {
                        // Jayway steps over the token here: `..[0].a` asks every element for `a`.
                        while let Some(element) = self.tree.next_element(node, &mut cursor) {
                            self.run(path, end, at + 1, &element, out)?;
                        }
                        cursor = 0;
                    }
                }
                while let Some(element) = self.tree.next_element(node, &mut cursor) {
                    self.scan(path, end, at, &element, out)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a scan evaluates `token` on `node`.
    fn applies(&mut self, token: &'f Token, node: &T::Node) -> Result<bool, Stop> {
        Ok(match token {
            Token::Members(keys) => {
                if self.tree.kind(node) != Kind::Object {
                    return Ok(false);
                }
                for key in keys {
                    if self.member(node, key)?.is_none() {
                        return Ok(false);
                    }
                }
                true
            }
            Token::Elements(_) => self.tree.kind(node) == Kind::Array,
            Token::Wildcard => true,
            Token::Filter(filter) => self.accepts(filter.as_ref(), node)?,
            Token::Here | Token::Scan => false,
        })
    }

    /// Calls the function at the end of a path on what the rest of the path leads to; nothing if it
    /// has no result for that.
    fn call(&mut self, path: &'f Tokens, function: Function) -> Result<Option<T::Node>, EvalError> {
        let mut nodes = Vec::new();
        let root = self.root.clone();
        let end = path.list.len() - 1;
        match self.run(path, end, 0, &root, &mut nodes) {
            Ok(()) => {}
            Err(Stop::NotFound) => return Ok(None),
            Err(Stop::Failed(error)) => return Err(error),
        }
        let definite = path.list[..end].iter().all(Token::is_definite);
        let target = match nodes.first() {
            Some(node) if definite => node.clone(),
            _ if definite => return Ok(None),
            _ => self.tree.new_array(&nodes),
        };
        let array = self.tree.kind(&target) == Kind::Array;
        let container = array || self.tree.kind(&target) == Kind::Object;
        Ok(match function {
            Function::Length if container => {
                let len = i64::try_from(self.tree.len(&target)).expect("a container fits memory");
                let int = i32::try_from(len).map_or(Number::Long(len), Number::Int);
                Some(self.tree.new_number(int))
            }
            Function::Keys if container && !array => Some(self.tree.new_keys(&target)),
            Function::First if array => self.tree.element(&target, 0),
            Function::Last if array => {
                self.tree.len(&target).checked_sub(1).and_then(|at| self.tree.element(&target, at))
            }
            Function::Index(index) if array => {
                let len = self.tree.len(&target);
                let distance = usize::try_from(index.unsigned_abs()).expect("32 bits fit");
                let at = if index < 0 { len.checked_sub(distance) } else { Some(distance) };
                at.and_then(|at| self.tree.element(&target, at))
            }
            Function::Min | Function::Max | Function::Avg | Function::Sum | Function::StdDev
                if array =>
            {
                self.aggregate(function, &target)?
                    .map(|value| self.tree.new_number(Number::Double(value)))
            }
            _ => None,
        })
    }

    /// The aggregate of an array's numbers; elements that are none do not count.
    fn aggregate(&mut self, function: Function, array: &T::Node) -> Result<Option<f64>, EvalError> {
        let (mut count, mut sum, mut squares) = (0u32, 0.0, 0.0);
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut cursor = 0;
        while let Some(element) = self.tree.next_element(array, &mut cursor) {
            self.budget.spend(1)?;
            if let View::Number(number) = self.tree.view(&element) {
                let value = number.to_f64();
                count += 1;
                sum += value;
                squares += value * value;
                min = value.min(min);
                max = value.max(max);
            }
        }
        if count == 0 {
            return Ok(None);
        }
        let average = sum / f64::from(count);
        Ok(Some(match function {
            Function::Min => min,
            Function::Max => max,
            Function::Avg => average,
            Function::StdDev => (squares / f64::from(count) - average * average).sqrt(),
            _ => sum,
        }))
    }
}
