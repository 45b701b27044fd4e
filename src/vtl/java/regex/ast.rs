//! What a Java pattern means, after flags and quotations are gone.

/// Some characters. `Ranges` may span the surrogates, which our text cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// Inclusive ranges of code points, in any order.
    Ranges(Vec<(u32, u32)>),
    /// The name between the braces of the `regex` crate's `\p{…}`.
    Property(String),
    Not(Box<Set>),
    Or(Vec<Set>),
    And(Box<Set>, Box<Set>),
}

impl Set {
    pub(super) fn of(ranges: &[(char, char)]) -> Self {
        Self::Ranges(ranges.iter().map(|&(low, high)| (low as u32, high as u32)).collect())
    }

    pub(super) fn property(name: &str) -> Self {
        Self::Property(name.to_owned())
    }

    pub(super) fn properties(names: &[&str]) -> Self {
        Self::Or(names.iter().map(|name| Self::property(name)).collect())
    }

    /// Matches nothing.
    pub(super) fn empty() -> Self {
        Self::Ranges(Vec::new())
    }

    pub(super) fn not(self) -> Self {
        Self::Not(Box::new(self))
    }

    pub(super) fn or(self, other: Self) -> Self {
        match self {
            Self::Or(mut sets) => {
                sets.push(other);
                Self::Or(sets)
            }
            set => Self::Or(vec![set, other]),
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }
}

/// How far case is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Exact,
    /// `(?i)`: ASCII letters. Sets are folded when they are built.
    Ascii,
    /// `(?iu)`.
    Unicode,
}

/// A place without width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    TextStart,
    TextEnd,
    /// The end, or before a line terminator that ends the text.
    FinalLineEnd {
        unix: bool,
    },
    /// `^` of `(?m)`: the start or after a terminator, but never the end of the text.
    LineStart {
        unix: bool,
    },
    /// `$` of `(?m)`.
    LineEnd {
        unix: bool,
    },
    WordBoundary,
    NotWordBoundary,
    /// `\G`.
    PreviousEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greed {
    Greedy,
    Lazy,
    Possessive,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Empty,
    Char(char, Case),
    Set(Set, Case),
    Place(Place),
    /// A group that captures if it has a number.
    Group(Option<usize>, Box<Node>),
    Look {
        ahead: bool,
        negated: bool,
        node: Box<Node>,
    },
    Atomic(Box<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        greed: Greed,
    },
    BackReference(usize, Case),
    /// `\R`.
    LineBreak,
    Concat(Vec<Node>),
    Alternatives(Vec<Node>),
}

/// What Java finds out about a part of a pattern before it runs it: whether a look-behind may have
/// it. The arithmetic is Java's `int`, and it wraps, which accepts some endless texts and not others.
#[derive(Clone, Copy)]
pub(super) struct Study {
    /// The longest text it may match.
    longest: i32,
    /// Java sees an end to it.
    pub(super) bounded: bool,
    /// No choice inside. Groups with choices lose their length when they are repeated.
    deterministic: bool,
}

impl Study {
    const NOTHING: Self = Self { longest: 0, bounded: true, deterministic: true };

    fn add(&mut self, length: i32) {
        self.longest = self.longest.wrapping_add(length);
    }
}

impl Node {
    /// Whether the node, as a whole, never consumes a character.
    pub(super) fn is_zero_width(&self) -> bool {
        match self {
            Self::Empty | Self::Place(_) | Self::Look { .. } => true,
            Self::Group(_, node) | Self::Atomic(node) => node.is_zero_width(),
            Self::Repeat { node, max, .. } => *max == Some(0) || node.is_zero_width(),
            Self::Concat(nodes) | Self::Alternatives(nodes) => {
                nodes.iter().all(Self::is_zero_width)
            }
            Self::Char(..) | Self::Set(..) | Self::LineBreak | Self::BackReference(..) => false,
        }
    }

    /// Whether the node may match nothing.
    pub(super) fn is_nullable(&self) -> bool {
        match self {
            Self::Empty | Self::Place(_) | Self::Look { .. } | Self::BackReference(..) => true,
            Self::Char(..) | Self::Set(..) | Self::LineBreak => false,
            Self::Group(_, node) | Self::Atomic(node) => node.is_nullable(),
            Self::Repeat { node, min, .. } => *min == 0 || node.is_nullable(),
            Self::Concat(nodes) => nodes.iter().all(Self::is_nullable),
            Self::Alternatives(nodes) => nodes.iter().any(Self::is_nullable),
        }
    }

    /// Whether there is a capturing group in the node.
    pub(super) fn captures(&self) -> bool {
        match self {
            Self::Group(Some(_), _) => true,
            Self::Group(None, node)
            | Self::Atomic(node)
            | Self::Look { node, .. }
            | Self::Repeat { node, .. } => node.captures(),
            Self::Concat(nodes) | Self::Alternatives(nodes) => nodes.iter().any(Self::captures),
            _ => false,
        }
    }

    /// Java's study of a node: decides which look-behinds it accepts.
    pub(super) fn study(&self) -> Study {
        let mut study = Study::NOTHING;
        self.continue_study(&mut study);
        study
    }

    /// Adds this node to what came before it.
    fn continue_study(&self, study: &mut Study) {
        match self {
            Self::Empty | Self::Place(_) | Self::Look { .. } => {}
            Self::Char(..) | Self::Set(..) => study.add(1),
            Self::LineBreak => study.add(2),
            Self::BackReference(..) => study.bounded = false,
            Self::Group(_, node) | Self::Atomic(node) => node.continue_study(study),
            Self::Concat(nodes) => nodes.iter().for_each(|node| node.continue_study(study)),
            Self::Alternatives(nodes) => {
                let branches = || nodes.iter().map(Self::study);
                study.add(branches().map(|branch| branch.longest).max().unwrap_or(0));
                study.bounded &= branches().all(|branch| branch.bounded);
                study.deterministic = false;
            }
            Self::Repeat { node, min: 0, max: Some(1), .. } => {
                node.continue_study(study);
                study.deterministic = false;
            }
            Self::Repeat { node, max: None, greed: Greed::Greedy, .. }
                if matches!(**node, Self::Char(..) | Self::Set(..)) =>
            {
                study.add(i32::MAX);
                study.deterministic = false;
            }
            Self::Repeat { node, min, max, greed } => {
                let inner = node.study();
                let is_group = matches!(**node, Self::Group(..));
                if is_group && *greed != Greed::Possessive && !inner.deterministic {
                    study.bounded = false;
                    study.deterministic = false;
                    return;
                }
                let before = study.longest;
                let times = max.and_then(|max| i32::try_from(max).ok()).unwrap_or(i32::MAX);
                study.add(inner.longest.wrapping_mul(times));
                study.bounded &= inner.bounded && study.longest >= before;
                study.deterministic &= inner.deterministic && *max == Some(*min);
            }
        }
    }

    /// The text, if the node matches this text and nothing else.
    pub(super) fn literal(&self) -> Option<String> {
        let single = |node: &Self| match node {
            Self::Char(c, Case::Exact) => Some(*c),
            Self::Char(c, Case::Ascii) if !c.is_ascii_alphabetic() => Some(*c),
            _ => None,
        };
        match self {
            Self::Concat(nodes) => nodes.iter().map(single).collect(),
            node => single(node).map(String::from),
        }
    }
}
