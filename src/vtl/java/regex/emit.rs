//! The tree as a pattern of the `regex` crate, or of `fancy-regex` where that one falls short.
//!
//! Most of what Java does and `regex` does not are places: `$` before a final line terminator, the
//! other terminators of `(?m)`, Java's own idea of a word. On most texts the simple spelling means
//! the same, so a pattern may have two: a simple one for the texts that pass [`Needs::simple_for`],
//! and an exact one with look-around for the others.

use std::fmt::Write;

use super::ast::{Case, Greed, Node, Place, Set};

/// What the simple spelling does not cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Look-around, back references, possessive quantifiers: there is no simple spelling.
    pub(super) fancy: bool,
    /// `\G`.
    pub(super) previous_end: bool,
    /// `$`, `\Z`: simple if the text does not end in a line terminator.
    final_line_end: bool,
    /// `^`, `$` of `(?m)`: simple if there is text, all terminators are `\n`, and none ends it.
    lines: bool,
    /// `\b`, `\B`: simple if the text is ASCII.
    words: bool,
}

impl Needs {
    pub(super) fn of(node: &Node) -> Self {
        let mut needs = Self::default();
        needs.visit(node);
        needs
    }

    fn visit(&mut self, node: &Node) {
        match node {
            Node::Empty | Node::Char(..) | Node::Set(..) | Node::LineBreak => {}
            Node::Place(place) => match place {
                Place::TextStart | Place::TextEnd => {}
                Place::FinalLineEnd { .. } => self.final_line_end = true,
                Place::LineStart { .. } | Place::LineEnd { .. } => self.lines = true,
                Place::WordBoundary | Place::NotWordBoundary => self.words = true,
                Place::PreviousEnd => {
                    self.previous_end = true;
                    self.fancy = true;
                }
            },
            Node::Group(_, node) => self.visit(node),
            Node::Look { node, .. } | Node::Atomic(node) => {
                self.fancy = true;
                self.visit(node);
            }
            Node::Repeat { node, greed, .. } => {
                self.fancy |= *greed == Greed::Possessive;
                // The engines differ in what a group is after a last round that matched nothing.
                self.fancy |= node.is_nullable() && node.captures();
                self.visit(node);
            }
            Node::BackReference(..) => self.fancy = true,
            Node::Concat(nodes) | Node::Alternatives(nodes) => {
                nodes.iter().for_each(|node| self.visit(node));
            }
        }
    }

    /// Whether the simple spelling is right for `text`.
    pub(super) fn simple_for(self, text: &str) -> bool {
        let ends_in_terminator = || text.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
        let only_newlines = || {
            memchr::memchr(b'\r', text.as_bytes()).is_none()
                && (text.is_ascii() || !text.contains(['\u{85}', '\u{2028}', '\u{2029}']))
        };
        let plain_lines = || !text.is_empty() && !text.ends_with('\n') && only_newlines();
        !self.fancy
            && (!self.final_line_end || !ends_in_terminator())
            && (!self.lines || plain_lines())
            && (!self.words || text.is_ascii())
    }

    /// Whether some text needs the exact spelling.
    pub(super) fn any(self) -> bool {
        self != Self::default()
    }
}

/// Where a match has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Anywhere, the first one.
    Search,
    /// From the start of the text to its end.
    Full,
}

/// How places are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// For texts that pass [`Needs::simple_for`].
    Simple,
    Exact,
    /// Exact, for the search after an empty match: it starts one character on, where `\G` fails.
    AfterEmpty,
}

/// Repetitions from this many on are taken for endless.
const REPEAT_ENDLESS: u32 = 1 << 26;

/// Spells `node` out.
pub(super) fn emit(node: &Node, group_count: usize, scope: Scope, spelling: Spelling) -> String {
    let exact = spelling != Spelling::Simple;
    let previous_end = if spelling == Spelling::AfterEmpty { NEVER } else { "\\G" };
    let mut emitter = Emitter { out: String::new(), group_count, exact, previous_end };
    match scope {
        Scope::Search => emitter.node(node),
        Scope::Full => {
            emitter.out.push_str("\\A(?:");
            emitter.node(node);
            emitter.out.push_str(")\\z");
        }
    }
    emitter.out
}

/// `node` without a `$` at its end, which holds wherever a full match ends.
pub(super) fn without_final_line_end(node: &Node) -> Node {
    match node {
        Node::Place(Place::FinalLineEnd { .. }) => Node::Empty,
        Node::Concat(nodes) => match nodes.split_last() {
            Some((last, init)) => {
                let last = without_final_line_end(last);
                Node::Concat(init.iter().cloned().chain([last]).collect())
            }
            None => Node::Empty,
        },
        Node::Alternatives(nodes) => {
            Node::Alternatives(nodes.iter().map(without_final_line_end).collect())
        }
        node => node.clone(),
    }
}

struct Emitter {
    out: String,
    group_count: usize,
    exact: bool,
    /// How `\G` is spelled.
    previous_end: &'static str,
}

/// Matches no character at all.
const NEVER: &str = "[^\\x{0}-\\x{10FFFF}]";
/// The line terminators but `\n`, for a class.
const OTHER_TERMINATORS: &str = "\r\u{85}\u{2028}\u{2029}";

impl Emitter {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Empty => {}
            Node::Char(c, case) => self.char(*c, *case),
            Node::Set(set, Case::Unicode) => {
                self.push("(?i:");
                self.set(set);
                self.push(")");
            }
            Node::Set(set, _) => self.set(set),
            Node::Place(place) => self.place(*place),
            Node::Group(number, node) => {
                self.push(if number.is_some() { "(" } else { "(?:" });
                self.node(node);
                self.push(")");
            }
            Node::Look { ahead, negated, node } => {
                self.push(match (ahead, negated) {
                    (true, false) => "(?=",
                    (true, true) => "(?!",
                    (false, false) => "(?<=",
                    (false, true) => "(?<!",
                });
                self.node(node);
                self.push(")");
            }
            Node::Atomic(node) => {
                self.push("(?>");
                self.node(node);
                self.push(")");
            }
            Node::Repeat { node, min, max, greed } => {
                // No text is that long.
                let max = max.filter(|&max| max < REPEAT_ENDLESS);
                self.repeat(node, *min, max, *greed);
            }
            Node::LineBreak => self.push("(?:\\r\\n|[\\n-\\r\u{85}\u{2028}\u{2029}])"),
            Node::BackReference(number, _) if *number > self.group_count => self.push(NEVER),
            Node::BackReference(number, case) => {
                let open = if *case == Case::Exact { "(?:" } else { "(?i:" };
                let _ = write!(self.out, "{open}\\{number})");
            }
            Node::Concat(nodes) => nodes.iter().for_each(|node| match node {
                Node::Alternatives(_) => self.grouped(node),
                node => self.node(node),
            }),
            Node::Alternatives(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    if index > 0 {
                        self.push("|");
                    }
                    self.node(node);
                }
            }
        }
    }

    fn grouped(&mut self, node: &Node) {
        self.push("(?:");
        self.node(node);
        self.push(")");
    }

    fn char(&mut self, c: char, case: Case) {
        match case {
            Case::Ascii if c.is_ascii_alphabetic() => {
                let pair = ['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']'];
                self.out.extend(pair);
            }
            Case::Unicode if !c.is_ascii() || c.is_ascii_alphabetic() => {
                self.push("(?i:");
                self.escaped(c);
                self.push(")");
            }
            _ => self.escaped(c),
        }
    }

    /// A character that means itself, in a class or out of it.
    fn escaped(&mut self, c: char) {
        if c.is_ascii() && !c.is_ascii_alphanumeric() {
            let _ = write!(self.out, "\\x{{{:X}}}", c as u32);
        } else {
            self.out.push(c);
        }
    }

    fn set(&mut self, set: &Set) {
        match set {
            Set::Ranges(ranges) => {
                let start = self.out.len();
                self.push("[");
                for &(low, high) in ranges {
                    self.range(low, high.min(0xD7FF));
                    self.range(low.max(0xE000), high);
                }
                if self.out.len() == start + 1 {
                    self.out.truncate(start);
                    self.push(NEVER);
                } else {
                    self.push("]");
                }
            }
            Set::Property(name) => {
                let _ = write!(self.out, "[\\p{{{name}}}]");
            }
            Set::Not(set) => {
                self.push("[^");
                self.set(set);
                self.push("]");
            }
            Set::Or(sets) => {
                self.push("[");
                sets.iter().for_each(|set| self.set(set));
                self.push("]");
            }
            Set::And(left, right) => {
                self.push("[");
                self.set(left);
                self.push("&&");
                self.set(right);
                self.push("]");
            }
        }
    }

    fn range(&mut self, low: u32, high: u32) {
        let (Some(low), Some(high)) = (char::from_u32(low), char::from_u32(high)) else {
            return;
        };
        if low > high {
            return;
        }
        self.escaped(low);
        if low < high {
            self.push("-");
            self.escaped(high);
        }
    }

    fn repeat(&mut self, node: &Node, min: u32, max: Option<u32>, greed: Greed) {
        if greed == Greed::Possessive {
            self.push("(?>");
        }
        let mark = if greed == Greed::Lazy { "?" } else { "" };
        if max == Some(0) {
            // Stays in the pattern for the numbers of the groups in it.
            self.push("(?:");
            self.push(NEVER);
            self.grouped(node);
            self.push(")?");
        } else if node.is_zero_width() {
            // Once is as good as often, and neither engine repeats nothing.
            self.push("(?:");
            if min == 0 && greed == Greed::Lazy {
                self.push("|");
            }
            self.node(node);
            if min == 0 && greed != Greed::Lazy {
                self.push("|");
            }
            self.push(")");
        } else {
            match node {
                Node::Char(..) | Node::Set(..) | Node::Group(..) => self.node(node),
                node => self.grouped(node),
            }
            let _ = match (min, max) {
                (0, Some(1)) => write!(self.out, "?{mark}"),
                (0, None) => write!(self.out, "*{mark}"),
                (1, None) => write!(self.out, "+{mark}"),
                (min, None) => write!(self.out, "{{{min},}}{mark}"),
                (min, Some(max)) if min == max => write!(self.out, "{{{min}}}"),
                (min, Some(max)) => write!(self.out, "{{{min},{max}}}{mark}"),
            };
        }
        if greed == Greed::Possessive {
            self.push(")");
        }
    }

    fn place(&mut self, place: Place) {
        let word = "[\\x{5F}[\\p{L}][\\p{Nd}][\\p{Mn}]]";
        match place {
            Place::TextStart => self.push("\\A"),
            Place::TextEnd => self.push("\\z"),
            Place::PreviousEnd => self.push(self.previous_end),
            Place::FinalLineEnd { .. } if !self.exact => self.push("\\z"),
            Place::FinalLineEnd { unix: true } => self.push("(?=\\n?\\z)"),
            Place::FinalLineEnd { unix: false } => {
                let _ = write!(
                    self.out,
                    "(?:(?=(?:\\r\\n|[{OTHER_TERMINATORS}])?\\z)|(?<!\\r)(?=\\n\\z))"
                );
            }
            Place::LineStart { .. } if !self.exact => self.push("(?m:^)"),
            Place::LineStart { unix: true } => self.push("(?:(?:\\A|(?<=\\n))(?!\\z))"),
            Place::LineStart { unix: false } => {
                self.push("(?:(?:\\A|(?<=[\\n\u{85}\u{2028}\u{2029}])|(?<=\\r)(?!\\n))(?!\\z))")
            }
            Place::LineEnd { .. } if !self.exact => self.push("(?m:$)"),
            Place::LineEnd { unix: true } => self.push("(?:(?=\\n)|\\z)"),
            Place::LineEnd { unix: false } => {
                let _ = write!(self.out, "(?:(?<!\\r)(?=\\n)|(?=[{OTHER_TERMINATORS}])|\\z)");
            }
            Place::WordBoundary if !self.exact => self.push("(?-u:\\b)"),
            Place::NotWordBoundary if !self.exact => self.push("(?-u:\\B)"),
            Place::WordBoundary => {
                let _ = write!(self.out, "(?:(?<={word})(?!{word})|(?<!{word})(?={word}))");
            }
            Place::NotWordBoundary => {
                let _ = write!(self.out, "(?:(?<={word})(?={word})|(?<!{word})(?!{word}))");
            }
        }
    }
}
