//! The criteria of `[?( )]` and how Jayway 2.0.0 compares values.
//!
//! A filter is split at every `&&` and `||`, whatever quotes and parentheses say, and each piece at
//! the first operator of a fixed order. `&&` binds tighter. The pieces are tried from the right,
//! which matters only where one of them throws. A literal is a string, `10` and `true` too: it is
//! made a number or a boolean when it is the right side and meets one.

use std::cmp::Ordering;

use super::compile::compile_tokens;
use super::evaluate::{EvalError, Evaluator, Stop, Tree, View};
use super::pattern::Pattern;
use super::{PathError, PathErrorKind, Tokens};
use crate::json::number::Number;
use crate::json::tape::Kind;

/// What an element has to satisfy: all criteria of any group.
#[derive(Debug)]
pub(super) struct Filter {
    groups: Vec<Vec<Criterion>>,
}

#[derive(Debug)]
struct Criterion {
    left: Operand,
    test: Test,
    right: Operand,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Exists(bool),
    Equal,
    AtLeast,
    AtMost,
    NotEqual,
    Less,
    Greater,
    Matches,
}

/// In the order in which a criterion is searched for them.
const OPERATORS: [(&str, Test); 7] = [
    ("==", Test::Equal),
    (">=", Test::AtLeast),
    ("<=", Test::AtMost),
    ("!=", Test::NotEqual),
    ("<", Test::Less),
    (">", Test::Greater),
    ("=~", Test::Matches),
];

#[derive(Debug)]
enum Operand {
    Path(Tokens),
    Literal(String),
    Pattern(Pattern),
}

/// Parses a filter from its `[` to its `]`; it stands at byte `offset` of the whole path.
pub(super) fn parse(text: &str, offset: usize) -> Result<Filter, PathError> {
    let fail = |kind| PathError { at: offset, kind };
    let inside = strip(text.trim_matches(is_blank), "[", "]")
        .and_then(|inside| inside.trim_matches(is_blank).strip_prefix('?'))
        .and_then(|inside| strip(inside.trim_matches(is_blank), "(", ")"))
        .ok_or_else(|| fail(PathErrorKind::UnbalancedFilter))?
        .trim_matches(is_blank);

    let mut operators = Vec::new();
    let mut criteria = Vec::new();
    for piece in split(inside) {
        match piece.trim_matches(is_blank) {
            "&&" => operators.push(true),
            "||" => operators.push(false),
            piece => {
                let at = offset + (piece.as_ptr() as usize - text.as_ptr() as usize);
                criteria.push(criterion(piece, at)?);
            }
        }
    }
    let missing = || fail(PathErrorKind::MissingCriterion);
    let mut groups = vec![vec![criteria.pop().ok_or_else(missing)?]];
    while let Some(and) = operators.pop() {
        let next = criteria.pop().ok_or_else(missing)?;
        match groups.last_mut() {
            Some(group) if and => group.push(next),
            _ => groups.push(vec![next]),
        }
    }
    if !criteria.is_empty() {
        return Err(missing());
    }
    Ok(Filter { groups })
}

/// What `String.trim` trims.
fn is_blank(char: char) -> bool {
    char <= ' '
}

fn strip<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    // Java checks both ends before it cuts: one character may not be both.
    text.strip_prefix(open)?.strip_suffix(close)
}

/// `text` cut before and after each `&&` and `||`; no piece is empty.
fn split(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let operator_at = |at: usize| matches!(bytes.get(at..at + 2), Some(b"&&" | b"||"));
    let mut pieces = Vec::new();
    let mut start = 0;
    for at in 1..bytes.len() {
        if operator_at(at) || (at >= 2 && operator_at(at - 2)) {
            pieces.push(&text[start..at]);
            start = at;
        }
    }
    pieces.push(&text[start..]);
    pieces
}

fn criterion(piece: &str, offset: usize) -> Result<Criterion, PathError> {
    let fail = |kind| PathError { at: offset, kind };
    let clean = piece.trim_start_matches(['[', '?', '(', ' ']).trim_end_matches([')', ' ']);
    if clean.is_empty() {
        return Err(fail(PathErrorKind::MissingCriterion));
    }
    let found = OPERATORS.iter().find_map(|&(operator, test)| {
        clean.split_once(operator).map(|(left, right)| (left, test, right))
    });
    let (left, test, right) = match found {
        Some((left, test, right)) => {
            (left.trim_matches(is_blank), Some(test), right.trim_matches(is_blank))
        }
        None => (clean.trim_matches(is_blank), None, ""),
    };
    if is_path(right) && right.starts_with('!') {
        return Err(fail(PathErrorKind::InvalidNegation));
    }
    // A `!` before a path that is compared means nothing.
    let exists = !(is_path(left) && left.starts_with('!'));
    let left = operand(if exists { left } else { &left[1..] }, offset)?;
    let right = operand(right, offset)?;
    let test = match (test, &left) {
        (Some(test), _) => test,
        (None, Operand::Path(_)) => Test::Exists(exists),
        (None, _) => return Err(fail(PathErrorKind::MissingOperator)),
    };
    Ok(Criterion { left, test, right })
}

fn is_path(text: &str) -> bool {
    text.starts_with(['$', '@']) || text.starts_with("!@")
}

fn operand(text: &str, offset: usize) -> Result<Operand, PathError> {
    let fail = |kind| Err(PathError { at: offset, kind });
    if is_path(text) {
        let (tokens, _) = compile_tokens(text, offset)?;
        if !tokens.definite {
            return fail(PathErrorKind::IndefiniteCriterion);
        }
        return Ok(Operand::Path(tokens));
    }
    if text.starts_with('\'') && text.ends_with('\'') {
        let Some(literal) = text.get(1..text.len() - 1) else {
            return fail(PathErrorKind::UnexpectedEnd);
        };
        return Ok(Operand::Literal(literal.to_owned()));
    }
    if text.starts_with('/') && (text.ends_with('/') || text.ends_with("/i")) {
        let last = text.rfind('/').expect("the text starts with a slash");
        let Some(pattern) = text.get(1..last) else {
            return fail(PathErrorKind::InvalidPattern);
        };
        return match Pattern::compile(pattern, text.ends_with('i')) {
            Some(pattern) => Ok(Operand::Pattern(pattern)),
            None => fail(PathErrorKind::InvalidPattern),
        };
    }
    Ok(Operand::Literal(text.to_owned()))
}

/// A side of a comparison, evaluated.
enum Side<'f, N> {
    Node(N),
    Literal(&'f str),
    Pattern(&'f Pattern),
}

impl Filter {
    /// Whether `node` satisfies the filter.
    pub(super) fn accepts<'f, T: Tree>(
        &'f self,
        evaluator: &mut Evaluator<'f, '_, T>,
        node: &T::Node,
    ) -> Result<bool, EvalError> {
        for group in &self.groups {
            let mut all = true;
            for criterion in group {
                if !criterion.accepts(evaluator, node)? {
                    all = false;
                    break;
                }
            }
            if all {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Criterion {
    fn accepts<'f, T: Tree>(
        &'f self,
        evaluator: &mut Evaluator<'f, '_, T>,
        node: &T::Node,
    ) -> Result<bool, EvalError> {
        if let Test::Exists(exists) = self.test {
            let Operand::Path(path) = &self.left else {
                unreachable!("only a path is tested for existence")
            };
            // Jayway starts `$` paths at the element here, too.
            return match evaluator.existing(path, node) {
                Ok(value) => Ok(exists != (evaluator.tree.kind(&value) == Kind::Null)),
                Err(Stop::NotFound) => Ok(!exists),
                Err(Stop::Failed(error)) => Err(error),
            };
        }
        let left = match self.left.evaluate(evaluator, node) {
            Ok(left) => left,
            Err(Stop::NotFound) => return Ok(false),
            Err(Stop::Failed(error)) => return Err(error),
        };
        let right = match self.right.evaluate(evaluator, node) {
            Ok(right) => right,
            Err(Stop::NotFound) => return Ok(false),
            Err(Stop::Failed(error)) => return Err(error),
        };
        if self.test == Test::Matches {
            return matches(evaluator.tree, &left, &right);
        }
        let same = match (&left, &right) {
            (Side::Node(left), Side::Node(right)) => evaluator.tree.same(left, right),
            _ => false,
        };
        if same {
            return Ok(self.test.holds(Ordering::Equal, false));
        }
        let (left, right) = (scalar(evaluator.tree, &left), scalar(evaluator.tree, &right));
        let one_null = matches!(left, Scalar::Null) != matches!(right, Scalar::Null);
        // Jayway compares the right side with the left.
        Ok(compare(right, left)?.is_some_and(|order| self.test.holds(order, one_null)))
    }
}

impl Test {
    /// Whether the test holds for the order of the right side to the left. Orders of something
    /// with null hold for nothing but (in)equality.
    fn holds(self, right_to_left: Ordering, one_null: bool) -> bool {
        match self {
            Self::Equal => right_to_left.is_eq(),
            Self::NotEqual => right_to_left.is_ne(),
            Self::Less => !one_null && right_to_left.is_gt(),
            Self::AtMost => !one_null && right_to_left.is_ge(),
            Self::Greater => !one_null && right_to_left.is_lt(),
            Self::AtLeast => !one_null && right_to_left.is_le(),
            Self::Exists(_) | Self::Matches => unreachable!("not a test of order"),
        }
    }
}

impl Operand {
    fn evaluate<'f, T: Tree>(
        &'f self,
        evaluator: &mut Evaluator<'f, '_, T>,
        node: &T::Node,
    ) -> Result<Side<'f, T::Node>, Stop> {
        match self {
            Self::Path(path) if path.from_root => evaluator.of_root(path).map(Side::Node),
            Self::Path(path) => evaluator.one(path, node).map(Side::Node),
            Self::Literal(literal) => Ok(Side::Literal(literal)),
            Self::Pattern(pattern) => Ok(Side::Pattern(pattern)),
        }
    }
}

/// `=~`: one side is the pattern, and the other is printed and must match as a whole.
fn matches<T: Tree>(
    tree: &T,
    left: &Side<'_, T::Node>,
    right: &Side<'_, T::Node>,
) -> Result<bool, EvalError> {
    let (pattern, target) = match (left, right) {
        (Side::Pattern(pattern), target) | (target, Side::Pattern(pattern)) => (pattern, target),
        (left, right) => {
            // Java's cast lets a null through, and with nothing to match nobody looks at it.
            let null = |side| matches!(scalar(tree, side), Scalar::Null);
            return if null(left) && null(right) { Ok(false) } else { Err(EvalError::NoPattern) };
        }
    };
    Ok(match scalar(tree, target) {
        Scalar::Null | Scalar::Other => false,
        Scalar::Bool(bool) => pattern.matches(if bool { "true" } else { "false" }),
        Scalar::String(string) => pattern.matches(string),
        Scalar::Number(number) => {
            let mut text = String::new();
            number.write_java(&mut text);
            pattern.matches(&text)
        }
    })
}

enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(Number<'a>),
    String(&'a str),
    Other,
}

fn scalar<'a, T: Tree>(tree: &'a T, side: &'a Side<'_, T::Node>) -> Scalar<'a> {
    match side {
        Side::Literal(literal) => Scalar::String(literal),
        Side::Pattern(_) => Scalar::Other,
        Side::Node(node) => match tree.view(node) {
            View::Null => Scalar::Null,
            View::Bool(bool) => Scalar::Bool(bool),
            View::Number(number) => Scalar::Number(number),
            View::String(string) => Scalar::String(string),
            View::Array | View::Object => Scalar::Other,
        },
    }
}

/// Jayway's `safeCompare(left, right)`; `None` where the two cannot be compared.
fn compare(left: Scalar<'_>, right: Scalar<'_>) -> Result<Option<Ordering>, EvalError> {
    let nullish = |scalar: &Scalar<'_>| matches!(scalar, Scalar::Null | Scalar::String("null"));
    match (nullish(&left), nullish(&right)) {
        (true, true) => return Ok(Some(Ordering::Equal)),
        (true, false) => return Ok(Some(Ordering::Less)),
        (false, true) => return Ok(Some(Ordering::Greater)),
        (false, false) => {}
    }
    let number = |order: Option<Ordering>| order.map(Some).ok_or(EvalError::NotANumber);
    match (left, right) {
        (Scalar::String(left), Scalar::String(right)) if left.contains('\'') => {
            Ok(Some(java_order(&left.replace("\\'", "'"), right)))
        }
        (Scalar::String(left), Scalar::String(right)) => Ok(Some(java_order(left, right))),
        (Scalar::Number(left), Scalar::Number(right)) => number(left.compare(&right)),
        (Scalar::String(left), Scalar::Number(right)) => number(Number::compare_text(left, &right)),
        (Scalar::String(left), Scalar::Bool(right)) => {
            Ok(Some(left.eq_ignore_ascii_case("true").cmp(&right)))
        }
        (Scalar::Bool(left), Scalar::Bool(right)) => Ok(Some(left.cmp(&right))),
        _ => Ok(None),
    }
}

/// `String.compareTo`: by UTF-16 unit.
fn java_order(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}
