//! `java.util.regex.Pattern` and what `String` does with it: `matches`, `replaceAll`, `split`.
//!
//! A pattern is parsed by Java's grammar into a tree, and the tree is spelled out again for an
//! engine: a plain text search for literals (most `split` and `replaceAll` calls), the `regex` crate
//! where it agrees with Java, `fancy-regex` for the rest. Engines are built at first use, for `find`
//! and for `matches` apart; [`JavaRegex::prepare`] builds them ahead.
//!
//! Java puts no bound on a match. Here a pattern has [`REGEX_PROGRAM_BYTES_MAX`], one attempt of the
//! backtracking engine [`REGEX_BACKTRACK_STEPS_MAX`], and one call of ours [`REGEX_TIME_MAX`].
//!
//! Cost: literals are one pass of `memchr`; `regex` is linear in the text per match. Replacements
//! with `$` or `\` allocate once per call, `fancy-regex` captures once per match.

use std::ops::Range;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fancy_regex::Regex as FancyRegex;
use memchr::memmem::Finder;
use regex::{CaptureLocations, Regex, RegexBuilder};

use super::JavaException;

mod ast;
mod emit;
mod parse;
mod property;

use ast::Node;
use emit::{Needs, Scope, Spelling};
pub use parse::REGEX_DEPTH_MAX;

/// A compiled pattern, bytes; each of the two or four engines it may come to.
pub const REGEX_PROGRAM_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Backtracking steps in one attempt to find a match.
pub const REGEX_BACKTRACK_STEPS_MAX: usize = 100_000;
/// Time one call may take; looked at every `CLOCK_CHECK_BYTES` of possible work.
pub const REGEX_TIME_MAX: Duration = Duration::from_millis(100);

/// Text that may be searched between two looks at the clock, bytes. About 20 ms.
const CLOCK_CHECK_BYTES: usize = 16 * 1024 * 1024;
/// What an attempt of the backtracking engine counts for, bytes.
const FANCY_ATTEMPT_BYTES: usize = 1024 * 1024;

/// A pattern of `java.util.regex`.
#[derive(Debug)]
pub struct JavaRegex {
    pattern: Box<str>,
    group_count: usize,
    names: Vec<(String, usize)>,
    /// The pattern is this text and no more.
    literal: Option<Literal>,
    search: Engines,
    full: Engines,
}

#[derive(Debug)]
struct Literal {
    text: Box<str>,
    finder: Finder<'static>,
}

/// One reading of the pattern for two engines, each built when a text needs it.
#[derive(Debug)]
struct Engines {
    node: Node,
    needs: Needs,
    scope: Scope,
    group_count: usize,
    simple: OnceLock<Result<Regex, JavaException>>,
    exact: OnceLock<Result<FancyRegex, JavaException>>,
    /// For the search after an empty match, if there is a `\G`.
    after_empty: OnceLock<Result<FancyRegex, JavaException>>,
}

impl Engines {
    fn new(node: Node, group_count: usize, scope: Scope) -> Self {
        let needs = Needs::of(&node);
        Self {
            node,
            needs,
            scope,
            group_count,
            simple: OnceLock::new(),
            exact: OnceLock::new(),
            after_empty: OnceLock::new(),
        }
    }

    fn simple(&self) -> Result<&Regex, JavaException> {
        let build = || {
            let source = self.spell(Spelling::Simple);
            RegexBuilder::new(&source)
                .size_limit(REGEX_PROGRAM_BYTES_MAX)
                .nest_limit(1_000)
                .build()
                .map_err(|error| not_runnable(&error.to_string()))
        };
        self.simple.get_or_init(build).as_ref().map_err(Clone::clone)
    }

    fn exact(&self) -> Result<&FancyRegex, JavaException> {
        let build = || self.fancy(Spelling::Exact);
        self.exact.get_or_init(build).as_ref().map_err(Clone::clone)
    }

    fn after_empty(&self) -> Result<&FancyRegex, JavaException> {
        let build = || self.fancy(Spelling::AfterEmpty);
        self.after_empty.get_or_init(build).as_ref().map_err(Clone::clone)
    }

    fn fancy(&self, spelling: Spelling) -> Result<FancyRegex, JavaException> {
        fancy_regex::RegexBuilder::new(&self.spell(spelling))
            .backtrack_limit(REGEX_BACKTRACK_STEPS_MAX)
            .delegate_size_limit(REGEX_PROGRAM_BYTES_MAX)
            .build()
            .map_err(|error| not_runnable(&error.to_string()))
    }

    fn spell(&self, spelling: Spelling) -> String {
        emit::emit(&self.node, self.group_count, self.scope, spelling)
    }

    fn engine_for(&self, text: &str) -> Result<Engine<'_>, JavaException> {
        if self.needs.simple_for(text) {
            self.simple().map(Engine::Simple)
        } else {
            self.exact().map(Engine::Exact)
        }
    }

    fn prepare(&self) -> Result<(), JavaException> {
        if !self.needs.fancy {
            self.simple()?;
        }
        if self.needs.any() {
            self.exact()?;
        }
        if self.needs.previous_end && self.scope == Scope::Search {
            self.after_empty()?;
        }
        Ok(())
    }
}

/// A pattern Java would run and we do not.
#[cold]
fn not_runnable(reason: &str) -> JavaException {
    let message = format!("the pattern is legal but not supported: {reason}");
    JavaException::new("PatternSyntaxException", message)
}

#[cold]
fn out_of_steps() -> JavaException {
    let message = format!("a match took more than {REGEX_BACKTRACK_STEPS_MAX} steps");
    JavaException::new("StackOverflowError", message)
}

#[cold]
fn out_of_time() -> JavaException {
    let message = format!("matching took more than {} ms", REGEX_TIME_MAX.as_millis());
    JavaException::new("StackOverflowError", message)
}

impl JavaRegex {
    /// `Pattern.compile(pattern)`.
    ///
    /// # Errors
    /// `PatternSyntaxException`: what Java refuses, and groups nested past [`REGEX_DEPTH_MAX`].
    pub fn compile(pattern: &str) -> Result<Self, JavaException> {
        let parsed = parse::parse(pattern)?;
        let literal = parsed
            .node
            .literal()
            .map(|text| Literal { finder: Finder::new(&text).into_owned(), text: text.into() });
        let group_count = parsed.group_count;
        let full = emit::without_final_line_end(&parsed.node);
        Ok(Self {
            pattern: pattern.into(),
            group_count,
            names: parsed.names,
            literal,
            search: Engines::new(parsed.node, group_count, Scope::Search),
            full: Engines::new(full, group_count, Scope::Full),
        })
    }

    /// The pattern as it was written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether a match may try again and again, up to [`REGEX_BACKTRACK_STEPS_MAX`] steps, instead of
    /// going through its text once.
    pub fn backtracks(&self) -> bool {
        self.search.needs.fancy || self.full.needs.fancy
    }

    /// Capturing groups, the whole match not counted.
    pub fn group_count(&self) -> usize {
        self.group_count
    }

    /// Builds every engine a call may need, so that none is built while a request waits.
    ///
    /// # Errors
    /// `PatternSyntaxException` for a pattern past our bounds, or beyond both engines.
    pub fn prepare(&self) -> Result<(), JavaException> {
        if self.literal.is_some() {
            return Ok(());
        }
        self.search.prepare()?;
        self.full.prepare()
    }

    /// `text.matches(pattern)`: whether all of `text` matches.
    ///
    /// # Errors
    /// A bound was hit.
    pub fn is_full_match(&self, text: &str) -> Result<bool, JavaException> {
        if let Some(literal) = &self.literal {
            return Ok(*literal.text == *text);
        }
        match self.full.engine_for(text)? {
            Engine::Simple(regex) => Ok(regex.is_match(text)),
            Engine::Exact(regex) => regex.is_match(text).map_err(|_| out_of_steps()),
            Engine::Literal(_) => unreachable!("returned above"),
        }
    }

    /// `matcher.find()`: the first match, bytes of `text`.
    ///
    /// # Errors
    /// A bound was hit.
    pub fn find(&self, text: &str) -> Result<Option<Range<usize>>, JavaException> {
        self.matches(text, false)?.next()
    }

    /// Appends `text.replaceAll(pattern, replacement)`. After an error `out` is as it was.
    ///
    /// # Errors
    /// With a match: `IllegalArgumentException` or `IndexOutOfBoundsException` for a replacement
    /// Java refuses. Or a bound was hit.
    pub fn replace_all(
        &self,
        text: &str,
        replacement: &str,
        out: &mut String,
    ) -> Result<(), JavaException> {
        self.replace(text, replacement, usize::MAX, out)
    }

    /// Appends `text.replaceFirst(pattern, replacement)`.
    ///
    /// # Errors
    /// As [`Self::replace_all`].
    pub fn replace_first(
        &self,
        text: &str,
        replacement: &str,
        out: &mut String,
    ) -> Result<(), JavaException> {
        self.replace(text, replacement, 1, out)
    }

    fn replace(
        &self,
        text: &str,
        replacement: &str,
        count: usize,
        out: &mut String,
    ) -> Result<(), JavaException> {
        let start = out.len();
        let result = self.replace_some(text, replacement, count, out);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    fn replace_some(
        &self,
        text: &str,
        replacement: &str,
        count: usize,
        out: &mut String,
    ) -> Result<(), JavaException> {
        let plain = memchr::memchr2(b'\\', b'$', replacement.as_bytes()).is_none();
        let mut parts = Vec::new();
        let mut matches = self.matches(text, !plain)?;
        let mut done = 0;
        for _ in 0..count {
            let Some(found) = matches.next()? else {
                break;
            };
            out.push_str(&text[done..found.start]);
            if plain {
                out.push_str(replacement);
            } else {
                if parts.is_empty() {
                    // Java reads the replacement at the first match, not before.
                    parts = self.parse_replacement(replacement)?;
                }
                for part in &parts {
                    match *part {
                        Part::Text(part) => out.push_str(part),
                        Part::Group(0) => out.push_str(&text[found.clone()]),
                        Part::Group(group) => {
                            if let Some(range) = matches.group(group) {
                                out.push_str(&text[range]);
                            }
                        }
                    }
                }
            }
            done = found.end;
        }
        out.push_str(&text[done..]);
        Ok(())
    }

    /// Reads `$1`, `${name}` and `\c`. Not empty: the caller has seen one of them.
    fn parse_replacement<'r>(&self, replacement: &'r str) -> Result<Vec<Part<'r>>, JavaException> {
        let illegal = |message: &str| JavaException::new("IllegalArgumentException", message);
        let mut parts = Vec::new();
        let mut rest = replacement;
        while let Some(at) = memchr::memchr2(b'\\', b'$', rest.as_bytes()) {
            parts.push(Part::Text(&rest[..at]));
            let escape = rest.as_bytes()[at] == b'\\';
            rest = &rest[at + 1..];
            let Some(c) = rest.chars().next() else {
                return Err(illegal(if escape {
                    "character to be escaped is missing"
                } else {
                    "Illegal group reference: group index is missing"
                }));
            };
            if escape {
                parts.push(Part::Text(&rest[..c.len_utf8()]));
                rest = &rest[c.len_utf8()..];
            } else if c == '{' {
                let length = rest[1..].bytes().take_while(u8::is_ascii_alphanumeric).count();
                let name = &rest[1..1 + length];
                if name.is_empty() {
                    return Err(illegal("named capturing group has 0 length name"));
                }
                if rest.as_bytes().get(1 + length) != Some(&b'}') {
                    return Err(illegal("named capturing group is missing trailing '}'"));
                }
                if name.starts_with(|c: char| c.is_ascii_digit()) {
                    let message =
                        format!("capturing group name {{{name}}} starts with digit character");
                    return Err(illegal(&message));
                }
                match self.names.iter().find(|(known, _)| known == name) {
                    Some(&(_, group)) => parts.push(Part::Group(group)),
                    None => return Err(illegal(&format!("No group with name {{{name}}}"))),
                }
                rest = &rest[length + 2..];
            } else {
                let Some(digit) = c.to_digit(10) else {
                    return Err(illegal("Illegal group reference"));
                };
                let mut group = digit as usize;
                if group > self.group_count {
                    let message = format!("No group {group}");
                    return Err(JavaException::new("IndexOutOfBoundsException", message));
                }
                rest = &rest[1..];
                // More digits belong to it while there are that many groups.
                while let Some(digit) = rest.chars().next().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer > self.group_count {
                        break;
                    }
                    group = longer;
                    rest = &rest[1..];
                }
                parts.push(Part::Group(group));
            }
        }
        parts.push(Part::Text(rest));
        Ok(parts)
    }

    /// `text.split(pattern, limit)`, which without a limit is `split(pattern, 0)`: byte ranges of the
    /// pieces, appended to `pieces`.
    ///
    /// A match without width at the start makes no empty piece. A limit of zero drops the empty
    /// pieces at the end, a positive one is how many pieces there may be, the last with the rest.
    ///
    /// # Errors
    /// A bound was hit.
    pub fn split(
        &self,
        text: &str,
        limit: i32,
        pieces: &mut Vec<Range<usize>>,
    ) -> Result<(), JavaException> {
        let start = pieces.len();
        let most = usize::try_from(limit).ok().filter(|&limit| limit > 0).unwrap_or(usize::MAX);
        let mut done = 0;
        let mut matches = self.matches(text, false)?;
        while pieces.len() - start < most - 1 {
            let Some(found) = matches.next()? else {
                break;
            };
            if found.end == 0 {
                continue;
            }
            pieces.push(done..found.start);
            done = found.end;
        }
        let found_none = pieces.len() == start;
        pieces.push(done..text.len());
        if limit == 0 && !found_none {
            while pieces.len() > start && pieces.last().is_some_and(Range::is_empty) {
                pieces.pop();
            }
        }
        Ok(())
    }

    /// The matches in `text` from left to right, in Java's order.
    fn matches<'r, 't>(
        &'r self,
        text: &'t str,
        groups: bool,
    ) -> Result<Matches<'r, 't>, JavaException> {
        let engine = match &self.literal {
            Some(literal) => Engine::Literal(literal),
            None => self.search.engine_for(text)?,
        };
        let groups = match engine {
            Engine::Simple(regex) if groups && self.group_count > 0 => {
                Groups::Simple(regex.capture_locations())
            }
            Engine::Exact(_) if groups && self.group_count > 0 => Groups::Exact(Vec::new()),
            _ => Groups::None,
        };
        Ok(Matches {
            engine,
            text,
            groups,
            next_start: Some(0),
            engines: &self.search,
            clock: Clock::default(),
        })
    }
}

/// A piece of a replacement.
#[derive(Clone, Copy, Debug)]
enum Part<'r> {
    Text(&'r str),
    Group(usize),
}

/// What runs a pattern on a text.
#[derive(Clone, Copy)]
enum Engine<'r> {
    Literal(&'r Literal),
    Simple(&'r Regex),
    Exact(&'r FancyRegex),
}

/// Where the groups of the last match are.
enum Groups {
    None,
    Simple(CaptureLocations),
    Exact(Vec<Option<Range<usize>>>),
}

/// `Matcher.find` again and again.
struct Matches<'r, 't> {
    engine: Engine<'r>,
    text: &'t str,
    groups: Groups,
    /// Where the next search starts; none after the last one.
    next_start: Option<usize>,
    engines: &'r Engines,
    clock: Clock,
}

impl Matches<'_, '_> {
    fn next(&mut self) -> Result<Option<Range<usize>>, JavaException> {
        let Some(start) = self.next_start else {
            return Ok(None);
        };
        let found = self.find_at(start)?;
        // The next search starts where this match ended, one character on if it was empty.
        self.next_start = found.as_ref().and_then(|found| {
            if !found.is_empty() {
                Some(found.end)
            } else {
                self.text[found.end..].chars().next().map(|c| found.end + c.len_utf8())
            }
        });
        if self.engines.needs.previous_end
            && let Some(found) = &found
        {
            self.engine = Engine::Exact(if found.is_empty() {
                self.engines.after_empty()?
            } else {
                self.engines.exact()?
            });
        }
        Ok(found)
    }

    fn find_at(&mut self, start: usize) -> Result<Option<Range<usize>>, JavaException> {
        let text = self.text;
        match self.engine {
            Engine::Literal(literal) => {
                let tail = &text.as_bytes()[start..];
                let found = match *literal.text.as_bytes() {
                    [byte] => memchr::memchr(byte, tail),
                    _ => literal.finder.find(tail),
                };
                Ok(found.map(|at| start + at..start + at + literal.text.len()))
            }
            Engine::Simple(regex) => {
                self.clock.spend(text.len() - start + 64)?;
                Ok(match &mut self.groups {
                    Groups::Simple(groups) => regex.captures_read_at(groups, text, start),
                    _ => regex.find_at(text, start),
                }
                .map(|found| found.range()))
            }
            Engine::Exact(regex) => {
                self.clock.spend(FANCY_ATTEMPT_BYTES)?;
                if let Groups::Exact(groups) = &mut self.groups {
                    let captures =
                        regex.captures_from_pos(text, start).map_err(|_| out_of_steps())?;
                    groups.clear();
                    let Some(captures) = captures else {
                        return Ok(None);
                    };
                    groups.extend(captures.iter().map(|group| group.map(|group| group.range())));
                    Ok(groups.first().cloned().flatten())
                } else {
                    let found = regex.find_from_pos(text, start).map_err(|_| out_of_steps())?;
                    Ok(found.map(|found| found.range()))
                }
            }
        }
    }

    /// Group `index` of the last match, from 1, if it took part.
    fn group(&self, index: usize) -> Option<Range<usize>> {
        match &self.groups {
            Groups::None => None,
            Groups::Simple(groups) => groups.get(index).map(|(start, end)| start..end),
            Groups::Exact(groups) => groups.get(index).cloned().flatten(),
        }
    }
}

/// Keeps one call within [`REGEX_TIME_MAX`]. Short calls never look at the clock.
#[derive(Default)]
struct Clock {
    spent: usize,
    deadline: Option<Instant>,
}

impl Clock {
    fn spend(&mut self, bytes: usize) -> Result<(), JavaException> {
        self.spent = self.spent.saturating_add(bytes);
        if self.spent < CLOCK_CHECK_BYTES {
            return Ok(());
        }
        self.spent = 0;
        let now = Instant::now();
        let deadline = *self.deadline.get_or_insert(now + REGEX_TIME_MAX);
        if now > deadline { Err(out_of_time()) } else { Ok(()) }
    }
}
