//! Text of an OpenAPI document, JSON or YAML, to a tree whose nodes know where they stand.
//!
//! JSON goes through our own parser, as only that can say exactly what was expected where. A text
//! that begins like JSON and is none may still be YAML's flow style (comments, bare keys, trailing
//! commas): then YAML's reading counts. AWS reads definitions in the same two syntaxes.
//!
//! In: the text. Out: [`Document`], or one [`Diagnostic`] with line, column and how to mend it.
//! Cost: linear in the text; aliases of YAML have a budget.
//! Source: RFC 8259, RFC 6901, YAML 1.2.2; developer guide, "Develop REST APIs using OpenAPI".

use std::collections::HashMap;

use super::node::pointer_tokens;
use super::{Diagnostic, Member, Node, Position, Severity, json, yaml};
use crate::limits::{DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX};

/// A parsed text, JSON or YAML.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    root: Node,
}

impl Document {
    /// Parses JSON or YAML of AWS's size at most.
    ///
    /// # Errors
    /// As [`Self::parse_within`] with [`DOCUMENT_BYTES_MAX`].
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        Self::parse_within(text, Some(DOCUMENT_BYTES_MAX as u64))
    }

    /// Parses JSON or YAML; a byte order mark is skipped.
    ///
    /// # Errors
    /// The first thing wrong with the text as such, with pointer `""`: its syntax, a key that
    /// stands twice, a tag, an alias, or `bytes_max` or [`DOCUMENT_DEPTH_MAX`] exceeded.
    pub fn parse_within(text: &str, bytes_max: Option<u64>) -> Result<Self, Diagnostic> {
        match read(text, bytes_max) {
            Ok(root) => Ok(Self { root }),
            Err(refusal) => Err(Diagnostic {
                severity: Severity::Error,
                pointer: String::new(),
                position: refusal.position,
                message: refusal.message,
                help: refusal.help,
            }),
        }
    }

    /// The outermost value.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Where what the JSON pointer names is written: a member at its key, an item at its value.
    ///
    /// A pointer that leads nowhere has the place of its nearest ancestor; `None` is for a text
    /// that is no JSON pointer (RFC 6901).
    pub fn position(&self, pointer: &str) -> Option<Position> {
        let (mut position, mut node) = (self.root.position, &self.root);
        for token in pointer_tokens(pointer)? {
            let Some(child) = node.child(&token) else { break };
            (position, node) = child;
        }
        Some(position)
    }
}

/// Why a text is no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) position: Position,
    pub(super) message: String,
    pub(super) help: String,
    /// Whether only this syntax refuses it: the other one may read the same text.
    pub(super) of_syntax: bool,
}

impl Refusal {
    /// The text is not of this syntax.
    pub(super) fn syntax(position: Position, message: impl Into<String>, help: &str) -> Self {
        Self { position, message: message.into(), help: help.to_owned(), of_syntax: true }
    }

    /// No syntax makes this a document.
    pub(super) fn content(position: Position, message: impl Into<String>, help: &str) -> Self {
        Self { of_syntax: false, ..Self::syntax(position, message, help) }
    }

    /// Lists and objects within each other deeper than [`DOCUMENT_DEPTH_MAX`].
    pub(super) fn too_deep(position: Position) -> Self {
        let message = format!("lists and objects nest more than {DOCUMENT_DEPTH_MAX} deep");
        Self::content(position, message, "Move the inner ones to `components` and refer to them.")
    }

    /// A key that the object has already.
    pub(super) fn duplicate(key: &str, first: Position, second: Position) -> Self {
        let Position { line, column } = first;
        let key = excerpt(key);
        let message =
            format!("the key `{key}` stands twice in this object, first at {line}:{column}");
        Self::content(second, message, "Remove one of them, or join what they hold.")
    }
}

/// The first key that stands twice.
pub(super) fn refuse_duplicates(members: &[Member]) -> Result<(), Refusal> {
    // Most objects are small: comparing beats hashing, and needs no memory.
    const COMPARED_MAX: usize = 8;
    let refusal = |first: &Member, second: &Member| {
        Refusal::duplicate(&second.key, first.position, second.position)
    };
    if members.len() <= COMPARED_MAX {
        for (index, second) in members.iter().enumerate() {
            if let Some(first) = members[..index].iter().find(|first| first.key == second.key) {
                return Err(refusal(first, second));
            }
        }
        return Ok(());
    }
    let mut seen: HashMap<&str, &Member> = HashMap::with_capacity(members.len());
    for second in members {
        if let Some(first) = seen.insert(&second.key, second) {
            return Err(refusal(first, second));
        }
    }
    Ok(())
}

/// A text from the document as a message can show it: one line, not long.
pub(super) fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut shown = String::new();
    for c in text.chars().take(CHARS_MAX) {
        match c {
            '"' | '\'' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// The place of a byte of the text, given the place of an earlier one. Line breaks are LF, CR LF
/// and a lone CR, as in YAML.
pub(super) fn position_from(text: &str, from: (usize, Position), to: usize) -> Position {
    let bytes = text.as_bytes();
    let (from, mut position) = from;
    for index in from..to.min(bytes.len()) {
        match bytes[index] {
            b'\r' if bytes.get(index + 1) == Some(&b'\n') => position.column += 1,
            b'\n' | b'\r' => position = Position { line: position.line + 1, column: 1 },
            // The later bytes of a character.
            0x80..=0xBF => {}
            _ => position.column += 1,
        }
    }
    position
}

/// The first place of a text.
pub(super) const START: Position = Position { line: 1, column: 1 };

fn read(text: &str, bytes_max: Option<u64>) -> Result<Node, Refusal> {
    if let Some(most) = bytes_max.filter(|&most| text.len() as u64 > most) {
        let message = format!("{} bytes are more than the {most} of a document", text.len());
        let help = "Split the API, leave out examples, or raise --limit definition=SIZE.";
        return Err(Refusal::content(START, message, help));
    }
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let beginning = text.trim_start_matches([' ', '\t', '\n', '\r']);
    if beginning.is_empty() {
        return Err(Refusal::content(
            START,
            "the document is empty",
            "Write an OpenAPI definition.",
        ));
    }
    if !beginning.starts_with(['{', '[']) {
        return yaml::parse(text);
    }
    let not_json = match json::parse(text) {
        Err(refusal) if refusal.of_syntax => refusal,
        settled => return settled,
    };
    match yaml::parse(text) {
        Ok(root) => Ok(root),
        // Who quotes the first key means JSON.
        Err(refusal) if refusal.of_syntax && !begins_as_yaml(beginning) => Err(not_json),
        Err(refusal) => Err(refusal),
    }
}

/// Whether a `{` is followed by a key as only YAML has it.
fn begins_as_yaml(text: &str) -> bool {
    let inner = text.strip_prefix('{').unwrap_or_default();
    inner.trim_start().starts_with(|c: char| c.is_alphanumeric() || "'#?&*!_$/<".contains(c))
}

#[cfg(test)]
pub(super) mod tests;
