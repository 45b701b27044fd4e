//! JsonPath exactly as Jayway 2.0.0 reads it and evaluates it.
//!
//! That version's grammar is what its compiler does with the characters, and its evaluation has
//! corners: a filter's parentheses do not group, `["a"]` is no property, an index may be negative
//! only in a slice, and a step that finds nothing ends some paths and not others. All of it is
//! kept, because a template that was written against the service was tested against it.
//!
//! | file | step |
//! | --- | --- |
//! | `compile` | text → [`JsonPath`] |
//! | `filter` | the inside of `[?( )]` → criteria, and how values compare |
//! | `pattern` | Java's regular expressions of `=~` → Rust's |
//! | `evaluate` | path and [`Tree`] → [`Found`] |
//! | `tape_tree` | the tape as a [`Tree`] |
//!
//! One thing is added from newer versions: functions at the end of a path, `$.prices.sum()`. 2.0.0
//! looks for a member with that name; only where it finds none is the function called.

mod compile;
mod evaluate;
mod filter;
mod pattern;
mod tape_tree;

use std::fmt;

pub use evaluate::{Budget, EvalError, Found, Tree, View};
pub use tape_tree::TapeTree;

use crate::json::tape::Key;
use filter::Filter;

/// A compiled path.
#[derive(Debug)]
pub struct JsonPath {
    tokens: Tokens,
    /// The steps alone, if there is nothing but literal members and indexes.
    simple: Option<Vec<Step>>,
    /// What the last token is called for if there is no member with its name.
    function: Option<Function>,
}

/// A literal step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `.name` or `['name']`
    Member(Key),
    /// `[3]`; a negative index finds nothing.
    Index(i32),
}

/// A path's steps, the root not among them.
#[derive(Debug)]
struct Tokens {
    list: Vec<Token>,
    /// For each token: whether a missing member in it ends the evaluation, or only this branch.
    strict: Vec<bool>,
    definite: bool,
    /// Starts at `$` and not at `@`.
    from_root: bool,
}

/// One step as Jayway's compiler leaves it.
#[derive(Debug)]
enum Token {
    /// A `$` in the middle of a path: stays where it is.
    Here,
    /// `..`
    Scan,
    /// `*`
    Wildcard,
    /// `.name`, `['name']` or `['one','two']`
    Members(Vec<Key>),
    /// `[1]`, `[0,2]`, `[1:3]`, `[(@.length-1)]`
    Elements(Select),
    /// `[?( )]`; without criteria for `[?]`, whose criteria Java code would pass in.
    Filter(Option<Filter>),
}

impl Token {
    fn is_definite(&self) -> bool {
        match self {
            Self::Here | Self::Members(_) => true,
            Self::Elements(select) => matches!(select, Select::Index(_) | Select::FromEnd(_)),
            Self::Scan | Self::Wildcard | Self::Filter(_) => false,
        }
    }
}

/// Which elements of an array.
#[derive(Debug, PartialEq, Eq)]
enum Select {
    /// `[1]`
    Index(i32),
    /// `[(@.length-1)]`: the length plus this.
    FromEnd(i32),
    /// `[0,2]`
    Each(Vec<i32>),
    /// `[1:]`
    From(i32),
    /// `[:2]`
    To(i32),
    /// `[1:3]`
    Between(i32, i32),
    /// Digits that Jayway compiles and cannot evaluate.
    Nothing,
}

/// A function of newer versions, at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Length,
    Keys,
    Min,
    Max,
    Avg,
    Sum,
    StdDev,
    First,
    Last,
    Index(i32),
}

/// A text that is no path to Jayway 2.0.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// Byte of the path at or after the start of the part that is refused.
    pub at: usize,
    /// Why.
    pub kind: PathErrorKind,
}

/// Why a path is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathErrorKind {
    /// Nothing but blanks.
    Empty,
    /// The path ends in `..`, in `.` or inside brackets.
    UnexpectedEnd,
    /// A space outside brackets.
    Space,
    /// `$` or `@` goes on with neither `.` nor `[`.
    AfterRoot,
    /// Brackets around nothing that Jayway knows; `["a"]` is among that.
    UnknownBrackets,
    /// An index that is no 32-bit number.
    InvalidIndex,
    /// `[(@.name-1)]` with another name than `length` or `size`.
    UnknownFunction,
    /// A filter without `[?(` and `)]`, or with brackets that do not match.
    UnbalancedFilter,
    /// `&&` or `||` without a criterion on both sides.
    MissingCriterion,
    /// A criterion without an operator that is no path either.
    MissingOperator,
    /// `!` before a path that is compared.
    InvalidNegation,
    /// A path with `*`, `..` or a filter inside a filter.
    IndefiniteCriterion,
    /// A regular expression that cannot be compiled.
    InvalidPattern,
    /// More than [`limits::PATH_STEPS_MAX`](super::limits::PATH_STEPS_MAX) steps or
    /// [`limits::PATH_BYTES_MAX`](super::limits::PATH_BYTES_MAX) bytes.
    TooLong,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.kind {
            PathErrorKind::Empty => "the path is empty",
            PathErrorKind::UnexpectedEnd => "the path ends too early",
            PathErrorKind::Space => "a space outside brackets",
            PathErrorKind::AfterRoot => "expected `.` or `[` after the root",
            PathErrorKind::UnknownBrackets => {
                "expected `'name'`, an index, a slice, `*` or `?(` in brackets"
            }
            PathErrorKind::InvalidIndex => "invalid index",
            PathErrorKind::UnknownFunction => "expected `length` or `size`",
            PathErrorKind::UnbalancedFilter => "the filter's brackets do not match",
            PathErrorKind::MissingCriterion => "expected a criterion beside `&&` or `||`",
            PathErrorKind::MissingOperator => {
                "expected a path or one of `==`, `>=`, `<=`, `!=`, `<`, `>`, `=~`"
            }
            PathErrorKind::InvalidNegation => "`!` goes before a path that stands alone",
            PathErrorKind::IndefiniteCriterion => "a criterion's path must be definite",
            PathErrorKind::InvalidPattern => "invalid regular expression",
            PathErrorKind::TooLong => "the path is too long",
        };
        write!(f, "JsonPath: {reason} at byte {}", self.at)
    }
}

impl std::error::Error for PathError {}

/// An index was asked of a value that is neither an array nor null: an invalid path to Jayway, and
/// no missing value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnArray;

impl fmt::Display for NotAnArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonPath: an index can only be applied to an array")
    }
}

impl std::error::Error for NotAnArray {}

impl JsonPath {
    /// Compiles `text`; without a leading `$` or `@` it is a path below the root.
    ///
    /// # Errors
    /// Where Jayway 2.0.0 throws, whatever it throws, and past this module's bounds.
    pub fn compile(text: &str) -> Result<Self, PathError> {
        compile::compile(text)
    }

    /// Whether the path leads to one value at most. Any other gives a list.
    pub fn is_definite(&self) -> bool {
        self.tokens.definite
    }

    /// The path's steps, if all of them are literal members and indexes: then
    /// [`Document::walk`](super::Document::walk) does, and no evaluation is needed.
    pub fn simple_steps(&self) -> Option<&[Step]> {
        self.simple.as_deref()
    }

    /// The value or values that the path leads to from `root`.
    ///
    /// # Errors
    /// Where Jayway throws anything but `PathNotFoundException`; that one is [`Found::Missing`].
    /// Also when `budget` is spent, and for trees deeper than any parsed document.
    pub fn evaluate<T: Tree>(
        &self,
        tree: &mut T,
        root: &T::Node,
        budget: &mut Budget,
    ) -> Result<Found<T::Node>, EvalError> {
        evaluate::evaluate(self, tree, root, budget)
    }
}
