//! YAML 1.2 to [`Node`]s: scalars by the core schema, merge keys, aliases within a budget.
//!
//! Two passes. The first puts the events of `saphyr-parser` into a list of parts, where an alias is
//! the index of what it stands for; the second builds the tree from it. So an anchor that nobody
//! uses costs nothing, and only what aliases repeat is charged to the budget.
//!
//! As API Gateway wants it, the tree is one that JSON could have written: keys are text, tags are
//! those of JSON's kinds, and one file holds one document.
//!
//! Source: YAML 1.2.2, section 10.3; "Merge Key Language-Independent Type for YAML", 2005.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag as YamlTag};

use super::document::{Refusal, START, excerpt, position_from};
use super::{Member, Node, Position, Value};
use crate::limits::DOCUMENT_DEPTH_MAX;

/// What aliases may repeat, bytes: [`NODE_BYTES`] and the text of every node. Ours: ten times the
/// greatest document, far less than "billion laughs" need.
const ALIASED_BYTES_MAX: usize = 64 << 20;
/// A node without its text, as the budget counts it.
const NODE_BYTES: usize = 64;

const LAYOUT: &str = "Look at the indentation, and for a missing `:`, quote or bracket, in this line and the one above.";
const TAGS: &str = "Only !!str, !!int, !!float, !!bool, !!null, !!map and !!seq are read: write the value itself, as CloudFormation would put it.";
const ESCAPES: &str = "The escapes are those of JSON, and \\x with two hex digits, \\U with eight. In single quotes a `\\` is just a `\\`.";
const KEYS: &str = "Write the key as text, in quotes if need be.";

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Node, Refusal> {
    // The scanner takes NUL for the end of the text, and YAML has no other control characters.
    if let Some(at) = text.find(|c| c < ' ' && !matches!(c, '\t' | '\n' | '\r')) {
        let position = position_from(text, (0, START), at);
        let code = text.as_bytes()[at];
        let message = format!("the control character U+{code:04X} cannot stand in YAML");
        return Err(Refusal::syntax(position, message, "Write it as an escape in double quotes."));
    }
    let mut parts = Parts::default();
    let mut places = Places { text, at: 0, position: START, last: START };
    let end = position_from(text, (0, START), text.len());
    for event in Parser::new_from_str(text) {
        let (mut event, span) = event.map_err(|error| not_yaml(&error, end))?;
        let begin = places.of(&event, span, parts.is_in_list());
        if let Event::Scalar(content, ScalarStyle::Literal | ScalarStyle::Folded, ..) = &mut event {
            let unended = position(span.end) >= end && !text.ends_with(['\n', '\r']);
            chomp(content, &text[places.at..], unended);
        }
        parts.push(event, begin)?;
    }
    let Some(root) = parts.root else {
        return Err(Refusal::content(
            START,
            "the document is empty",
            "Write an OpenAPI definition.",
        ));
    };
    let builder = Builder { parts: &parts.parts, budget_bytes: Cell::new(ALIASED_BYTES_MAX) };
    builder.node(root, 0, None)
}

fn position(marker: Marker) -> Position {
    let count = |from_parser: usize| u32::try_from(from_parser).unwrap_or(u32::MAX);
    Position { line: count(marker.line()), column: count(marker.col()).saturating_add(1) }
}

/// The scanner may be past the end of the text.
fn not_yaml(error: &ScanError, end: Position) -> Refusal {
    let position = position(*error.marker()).min(end);
    // The scanner's own bound, met when it looks ahead of our bound.
    if error.info() == "recursion limit exceeded" {
        return Refusal::too_deep(position);
    }
    Refusal::syntax(position, format!("not YAML: {}", error.info()), remedy(error.info()))
}

/// How to mend what the scanner says is wrong.
fn remedy(info: &str) -> &'static str {
    // By a part of its message; the first one that fits.
    const REMEDIES: [(&str, &str); 14] = [
        ("valid YAML whitespace", "Put a space there, not a tab."),
        ("tab", "Indent by spaces, not by tabs."),
        (
            "mapping values are not allowed",
            "A text that has `: ` in it needs quotes; otherwise look at the indentation.",
        ),
        (
            "unknown anchor",
            "Write `&name` before a value and `*name` after it; a text that begins with `*` needs quotes.",
        ),
        ("unexpected character", "A text that begins with this character needs quotes."),
        ("directive", "A text that begins with this character needs quotes."),
        ("end of stream", "Close the quote."),
        ("escape c", ESCAPES),
        ("hex", ESCAPES),
        (
            "trailing content after double-quoted",
            "Put the whole text in quotes; in single quotes a quote is written twice.",
        ),
        ("illegal placement", "Separate members and items by commas, and close every bracket."),
        ("flow ", "Separate members and items by commas, and close every bracket."),
        ("handle", TAGS),
        ("tag", TAGS),
    ];
    let found = REMEDIES.iter().find(|(part, _)| info.contains(part));
    found.map_or(LAYOUT, |(_, remedy)| remedy)
}

/// Where nodes begin, in places where the parser knows the end of the mark before them only.
///
/// Moves through the text once, behind the parser.
struct Places<'a> {
    text: &'a str,
    /// A byte and its place.
    at: usize,
    position: Position,
    /// Nothing but marks, comments and blanks are between here and the next node.
    last: Position,
}

impl Places<'_> {
    /// Where the node of an event begins.
    fn of(&mut self, event: &Event<'_>, span: Span, in_list: bool) -> Position {
        let (start, end) = (position(span.start), position(span.end));
        let marks: &[char] = match event {
            // Said to begin at its first line.
            Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..) => &['|', '>'],
            // Nothing but an anchor or a tag: said to be at what comes next.
            Event::Scalar(text, ScalarStyle::Plain, ..) if text.is_empty() => &['&', '!'],
            // Nothing at all, and a list without indentation: said to begin behind the dash.
            Event::Scalar(_, ScalarStyle::Plain, ..) if span.is_empty() && in_list => &['-'],
            Event::SequenceStart(..) if span.is_empty() && !in_list => &['-'],
            // Said to begin at its root.
            Event::DocumentStart(false) => return start,
            Event::Scalar(..) | Event::Alias(_) => {
                self.last = end;
                return start;
            }
            _ => {
                self.last = start;
                return start;
            }
        };
        let found = self.seek(start, marks);
        match event {
            Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..) => {
                self.last = end;
                return found.unwrap_or(start);
            }
            // Its first item stands behind the same dash.
            Event::SequenceStart(..) => {}
            _ if found.is_some() => {
                self.step();
                self.skip_while(is_of_property);
            }
            _ => {}
        }
        self.last = self.position;
        found.unwrap_or(start)
    }

    /// The first of these marks from the last node on, not behind `end`.
    fn seek(&mut self, end: Position, marks: &[char]) -> Option<Position> {
        while self.position < self.last && self.step().is_some() {}
        let mut after_blank = true;
        while self.position <= end {
            let c = self.text[self.at..].chars().next()?;
            if marks.contains(&c) {
                return Some(self.position);
            }
            match c {
                '#' if after_blank => self.skip_while(|c| !matches!(c, '\n' | '\r')),
                '&' | '!' => self.skip_while(is_of_property),
                _ => {
                    self.step();
                }
            }
            after_blank = c.is_ascii_whitespace();
        }
        None
    }

    fn skip_while(&mut self, passed: impl Fn(char) -> bool) {
        while self.text[self.at..].starts_with(&passed) {
            self.step();
        }
    }

    /// Passes one character.
    fn step(&mut self) -> Option<char> {
        let c = self.text[self.at..].chars().next()?;
        let next = self.at + c.len_utf8();
        self.position = position_from(self.text, (self.at, self.position), next);
        self.at = next;
        Some(c)
    }
}

/// Whether an anchor or a tag goes on with it.
fn is_of_property(c: char) -> bool {
    !c.is_ascii_whitespace() && !matches!(c, ',' | '[' | ']' | '{' | '}')
}

/// Takes away the line breaks that the scanner gives to a block of text at the end of the document.
/// Source: YAML 1.2.2, section 8.1.1.2.
///
/// `header` is the document from the block's indicator on, `unended` whether the block goes on to
/// its end and no line break is there.
fn chomp(content: &mut Cow<'_, str>, header: &str, unended: bool) {
    // Where the indicator was not found, the content stays.
    if !header.starts_with(['|', '>']) {
        return;
    }
    let mut indicators = header.chars().skip(1).take_while(|c| matches!(c, '+' | '-' | '1'..='9'));
    let chomping = indicators.find(|c| matches!(c, '+' | '-'));
    if unended && content.ends_with('\n') {
        let last_line = header.rsplit(['\n', '\r']).next().unwrap_or_default();
        if !last_line.trim_start_matches(' ').is_empty() {
            content.to_mut().pop();
        }
    }
    if chomping.is_none() {
        let text_end = content.trim_end_matches('\n').len();
        let break_end = if text_end == 0 { 0 } else { text_end + 1 };
        if break_end < content.len() {
            content.to_mut().truncate(break_end);
        }
    }
}

/// What the text consists of, in its order.
#[derive(Default)]
struct Parts<'a> {
    parts: Vec<Part<'a>>,
    root: Option<usize>,
    /// Part of each anchor, by the parser's number for it.
    anchors: HashMap<usize, usize>,
    open: Vec<Open>,
}

struct Part<'a> {
    position: Position,
    item: Item<'a>,
}

enum Item<'a> {
    Scalar {
        text: Cow<'a, str>,
        plain: bool,
        tag: Option<Tag>,
    },
    List(Vec<usize>),
    /// Keys and values.
    Map(Vec<(usize, usize)>),
    /// Of a part that is complete.
    Alias(usize),
}

/// A list or map whose end is still to come.
struct Open {
    part: usize,
    /// A map's key that waits for its value.
    key: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Str,
    Int,
    Float,
    Bool,
    Null,
    Map,
    Seq,
}

impl<'a> Parts<'a> {
    /// Whether the next node is an item of a list.
    fn is_in_list(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(self.parts[open.part].item, Item::List(_)))
    }

    fn push(&mut self, event: Event<'a>, position: Position) -> Result<(), Refusal> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(_) if self.root.is_some() => {
                let message = "a second document begins here";
                let help = "Keep one document in a file: remove the `---` and what follows it.";
                return Err(Refusal::content(position, message, help));
            }
            Event::DocumentStart(_) => {}
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).copied().unwrap_or(usize::MAX);
                if target == usize::MAX || self.open.iter().any(|open| open.part == target) {
                    let message = "the alias stands within what it refers to";
                    return Err(Refusal::content(
                        position,
                        message,
                        "Write the value out, or use `$ref`.",
                    ));
                }
                self.add(position, Item::Alias(target), 0);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| read_tag(&tag, position)).transpose()?;
                if let Some(Tag::Map | Tag::Seq) = tag {
                    return Err(wrong_tag(position));
                }
                let plain = style == ScalarStyle::Plain;
                self.add(position, Item::Scalar { text, plain, tag }, anchor);
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(position, Item::List(Vec::new()), anchor, tag, Tag::Seq)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.open(position, Item::Map(Vec::new()), anchor, tag, Tag::Map)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
            }
        }
        Ok(())
    }

    fn open(
        &mut self,
        position: Position,
        item: Item<'a>,
        anchor: usize,
        tag: Option<Cow<'_, YamlTag>>,
        fitting: Tag,
    ) -> Result<(), Refusal> {
        if self.open.len() == DOCUMENT_DEPTH_MAX {
            return Err(Refusal::too_deep(position));
        }
        if let Some(tag) = tag
            && !is_non_specific(&tag)
            && read_tag(&tag, position)? != fitting
        {
            return Err(wrong_tag(position));
        }
        let part = self.add(position, item, anchor);
        self.open.push(Open { part, key: None });
        Ok(())
    }

    /// Adds a part to the innermost open one.
    fn add(&mut self, position: Position, item: Item<'a>, anchor: usize) -> usize {
        let part = self.parts.len();
        self.parts.push(Part { position, item });
        if anchor != 0 {
            self.anchors.insert(anchor, part);
        }
        match self.open.last_mut() {
            None => self.root = Some(part),
            Some(parent) => match &mut self.parts[parent.part].item {
                Item::List(items) => items.push(part),
                Item::Map(members) => match parent.key.take() {
                    None => parent.key = Some(part),
                    Some(key) => members.push((key, part)),
                },
                Item::Scalar { .. } | Item::Alias(_) => unreachable!("only lists and maps open"),
            },
        }
        part
    }
}

/// The tag `!`, which says that a scalar is text and any list or map what it is.
fn is_non_specific(tag: &YamlTag) -> bool {
    tag.handle.is_empty() && tag.suffix == "!"
}

fn read_tag(tag: &YamlTag, position: Position) -> Result<Tag, Refusal> {
    if is_non_specific(tag) {
        return Ok(Tag::Str);
    }
    let name = format!("{}{}", tag.handle, tag.suffix);
    Ok(match name.strip_prefix("tag:yaml.org,2002:") {
        Some("str") => Tag::Str,
        Some("int") => Tag::Int,
        Some("float") => Tag::Float,
        Some("bool") => Tag::Bool,
        Some("null") => Tag::Null,
        Some("map") => Tag::Map,
        Some("seq") => Tag::Seq,
        Some(name) => return Err(unknown_tag(position, &format!("!!{name}"))),
        None => return Err(unknown_tag(position, &name)),
    })
}

fn unknown_tag(position: Position, name: &str) -> Refusal {
    Refusal::content(position, format!("the tag `{}` is unknown", excerpt(name)), TAGS)
}

fn wrong_tag(position: Position) -> Refusal {
    Refusal::content(position, "the tag does not fit its value", TAGS)
}

/// Parts to nodes.
struct Builder<'p, 'a> {
    parts: &'p [Part<'a>],
    /// What is left of [`ALIASED_BYTES_MAX`].
    budget_bytes: Cell<usize>,
}

impl<'p> Builder<'p, '_> {
    /// `depth` counts the lists and maps around it; `alias` is the outermost alias it is under.
    fn node(&self, part: usize, depth: usize, alias: Option<Position>) -> Result<Node, Refusal> {
        let Part { position, ref item } = self.parts[part];
        self.charge(alias, 0)?;
        let inner = || match depth < DOCUMENT_DEPTH_MAX {
            true => Ok(depth + 1),
            false => Err(Refusal::too_deep(alias.unwrap_or(position))),
        };
        let value = match item {
            Item::Alias(target) => {
                self.node(*target, depth, Some(alias.unwrap_or(position)))?.value
            }
            Item::Scalar { text, plain, tag } => {
                self.charge(alias, text.len())?;
                scalar(text, *plain, *tag, position)?
            }
            Item::List(items) => {
                let depth = inner()?;
                let nodes = items.iter().map(|item| self.node(*item, depth, alias));
                Value::List(nodes.collect::<Result<_, _>>()?)
            }
            Item::Map(members) => Value::Map(self.members(members, inner()?, alias)?),
        };
        Ok(Node { position, value })
    }

    fn members(
        &self,
        pairs: &[(usize, usize)],
        depth: usize,
        alias: Option<Position>,
    ) -> Result<Vec<Member>, Refusal> {
        let mut own: HashMap<&str, Position> = HashMap::with_capacity(pairs.len());
        // Not among the others: a quoted `<<` is a key like any other.
        let mut merge: Option<Position> = None;
        for &(key, _) in pairs {
            let (text, position, first) = if self.is_merge(key) {
                let position = self.parts[key].position;
                ("<<", position, merge.replace(position))
            } else {
                let (text, position) = self.key(key)?;
                (text, position, own.insert(text, position))
            };
            if let Some(first) = first {
                return Err(Refusal::duplicate(text, first, position));
            }
        }
        let mut members = Vec::with_capacity(pairs.len());
        let mut merged: HashSet<Box<str>> = HashSet::new();
        for &(key, value) in pairs {
            if self.is_merge(key) {
                // An alias of a list repeats each of its maps.
                let alias = self.aliased(value, alias);
                for source in self.merge_sources(value)? {
                    // A merge counts as nesting: aliases chain any number of them.
                    let Value::Map(inherited) = self.node(source, depth, alias)?.value else {
                        return Err(self.no_merge(source));
                    };
                    for member in inherited {
                        if !own.contains_key(&*member.key) && merged.insert(member.key.clone()) {
                            members.push(member);
                        }
                    }
                }
                continue;
            }
            let (text, position) = self.key(key)?;
            self.charge(self.aliased(key, alias), text.len())?;
            let node = self.node(value, depth, alias)?;
            members.push(Member { key: text.into(), position, node });
        }
        Ok(members)
    }

    /// A key's text, and where it stands.
    fn key(&self, part: usize) -> Result<(&'p str, Position), Refusal> {
        let Part { position, ref item } = self.parts[part];
        let target = match item {
            Item::Alias(target) => &self.parts[*target].item,
            item => item,
        };
        match target {
            // What the parser makes of a missing key.
            Item::Scalar { text, plain: true, tag: None } if text == "~" || text.is_empty() => {
                Err(Refusal::content(position, "a key is missing or null", KEYS))
            }
            Item::Scalar { text, plain, tag } => {
                // Without a tag it is text, whatever it would be as a value.
                if tag.is_some() {
                    scalar(text, *plain, *tag, position)?;
                }
                Ok((text, position))
            }
            _ => Err(Refusal::content(position, "a key is a list or an object", KEYS)),
        }
    }

    fn is_merge(&self, key: usize) -> bool {
        matches!(&self.parts[key].item, Item::Scalar { text, plain: true, tag: None } if text == "<<")
    }

    /// The maps that a merge key names, the first one winning.
    fn merge_sources(&self, value: usize) -> Result<Vec<usize>, Refusal> {
        match &self.parts[self.target(value)].item {
            Item::Map(_) => Ok(vec![value]),
            Item::List(items) => Ok(items.clone()),
            _ => Err(self.no_merge(value)),
        }
    }

    /// What an alias stands for, or the part itself.
    fn target(&self, part: usize) -> usize {
        match self.parts[part].item {
            Item::Alias(target) => target,
            _ => part,
        }
    }

    /// The outermost alias that a part is under, itself included.
    fn aliased(&self, part: usize, outer: Option<Position>) -> Option<Position> {
        let Part { position, ref item } = self.parts[part];
        outer.or(matches!(item, Item::Alias(_)).then_some(position))
    }

    fn no_merge(&self, part: usize) -> Refusal {
        let help = "Write `<<: *anchor` or `<<: [*first, *second]`, each the anchor of an object.";
        Refusal::content(self.parts[part].position, "only objects can be merged by `<<`", help)
    }

    fn charge(&self, alias: Option<Position>, text_bytes: usize) -> Result<(), Refusal> {
        let Some(position) = alias else { return Ok(()) };
        match self.budget_bytes.get().checked_sub(NODE_BYTES + text_bytes) {
            Some(left) => {
                self.budget_bytes.set(left);
                Ok(())
            }
            None => {
                let message = format!("aliases repeat more than {ALIASED_BYTES_MAX} bytes");
                Err(Refusal::content(position, message, "Use `$ref` to `components` instead."))
            }
        }
    }
}

fn scalar(text: &str, plain: bool, tag: Option<Tag>, position: Position) -> Result<Value, Refusal> {
    let value = match tag {
        None if !plain => return Ok(Value::String(text.into())),
        Some(Tag::Str) => return Ok(Value::String(text.into())),
        _ => core_schema(text),
    };
    match (tag, &value) {
        (None, _)
        | (Some(Tag::Null), Value::Null)
        | (Some(Tag::Bool), Value::Bool(_))
        | (Some(Tag::Float), Value::Number(_)) => {}
        (Some(Tag::Int), Value::Number(_)) if is_integer(text) => {}
        _ => return Err(wrong_tag(position)),
    }
    if let Value::Number(text) = &value
        && json_number(text).is_none()
    {
        let message = format!("the number `{}` cannot be written in JSON", excerpt(text));
        return Err(Refusal::content(position, message, "Put it in quotes if it is a text."));
    }
    Ok(value)
}

/// What a plain scalar is. Source: YAML 1.2.2, section 10.3.2.
fn core_schema(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_integer(text) || is_float(text) => Value::Number(text.into()),
        _ => Value::String(text.into()),
    }
}

/// `[-+]?[0-9]+`, `0o[0-7]+`, `0x[0-9a-fA-F]+`.
fn is_integer(text: &str) -> bool {
    let all = |digits: &str, radix| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    match (text.strip_prefix("0o"), text.strip_prefix("0x")) {
        (Some(octal), _) => all(octal, 8),
        (_, Some(hex)) => all(hex, 16),
        _ => all(text.strip_prefix(['-', '+']).unwrap_or(text), 10),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, `[-+]?\.inf`, `\.nan`.
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
    !(whole.is_empty() && fraction.is_empty())
        && digits(whole)
        && digits(fraction)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// A [`Value::Number`]'s text as JSON writes it: YAML also has `0x1F`, `0o17`, `+1`, `007`, `.5`
/// and `1.`. `None` for `.inf`, `.nan` and what exceeds 128 bits in hex or octal; no [`Document`]
/// has those.
///
/// [`Document`]: super::Document
pub fn json_number(text: &str) -> Option<Cow<'_, str>> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return u128::from_str_radix(digits, radix).ok().map(|value| value.to_string().into());
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let exponent_at = unsigned.find(['e', 'E']).unwrap_or(unsigned.len());
    let (mantissa, exponent) = unsigned.split_at(exponent_at);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && !fraction.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let trimmed = whole.trim_start_matches('0');
    let whole_json = if trimmed.is_empty() { "0" } else { trimmed };
    let point = mantissa.contains('.');
    if whole_json == whole && point != fraction.is_empty() && !text.starts_with('+') {
        return Some(text.into());
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole_json}{point}{fraction}{exponent}").into())
}

#[cfg(test)]
mod tests;
