//! `ringway.toml`: from TOML to values with their places, and everything in it that is not as it should be.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, KEYS, Key, Value};
use super::{Origin, Problem};
use crate::auth::Secret;

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub values: Vec<(&'static Key, Value, Origin)>,
    pub problems: Vec<Problem>,
}

/// Reads a file's text. What is no TOML is told alone, and once a line: the rest may be an effect of it.
pub(super) fn read(path: &Path, text: &str) -> Read {
    let mut reader = Reader::default();
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        reader.document(document.get_ref());
    }
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        reader.wrong.push((at, error.message().replace('\n', ", ")));
    }
    reader.wrong.sort();
    // What follows on its line is an effect of it.
    reader.wrong.dedup_by_key(|(at, _)| place(text, *at).0);
    reader.found.sort_by_key(|(_, _, at)| *at);
    let origin = |at| {
        let (line, column) = place(text, at);
        Origin::File { path: path.to_owned(), line, column }
    };
    Read {
        values: reader.found.into_iter().map(|(key, value, at)| (key, value, origin(at))).collect(),
        problems: reader
            .wrong
            .into_iter()
            .map(|(at, message)| Problem { origin: origin(at), message })
            .collect(),
    }
}

/// Line and column of a byte, from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let at = (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let before = &text[..at];
    let line_begin = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_begin..].chars().count() + 1)
}

#[derive(Default)]
struct Reader {
    /// Values, with the byte where their key begins.
    found: Vec<(&'static Key, Value, usize)>,
    wrong: Vec<(usize, String)>,
}

impl Reader {
    fn complain(&mut self, span: Range<usize>, message: String) {
        self.wrong.push((span.start, message));
    }

    fn document(&mut self, document: &DeTable<'_>) {
        let tables = keys::tables();
        for (name, value) in document {
            let table = name.get_ref().as_ref();
            let known = tables.contains(&table);
            match (known, value.get_ref()) {
                (true, DeValue::Table(members)) => {
                    members.iter().for_each(|(key, value)| self.member(table, key, value));
                }
                (true, other) => {
                    let message = format!("[{table}] is a table of keys, not {}", type_of(other));
                    self.complain(name.span(), message);
                }
                (false, DeValue::Table(_)) => {
                    let hint = match keys::nearest(table, tables.iter().copied(), 4) {
                        Some(meant) => format!("did you mean [{meant}]?"),
                        None => format!("the tables are {}", tables.join(", ")),
                    };
                    self.complain(
                        name.span(),
                        format!("there is no table [{}]; {hint}", shown(table)),
                    );
                }
                (false, _) => {
                    let meant = KEYS.iter().find(|key| key.name == table);
                    let hint = match meant {
                        Some(key) => format!("'{table}' belongs to [{}]", key.table),
                        None => format!("the tables are {}", tables.join(", ")),
                    };
                    let message = format!("'{}' stands in no table; {hint}", shown(table));
                    self.complain(name.span(), message);
                }
            }
        }
    }

    fn member(&mut self, table: &str, name: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>) {
        let written = name.get_ref().as_ref();
        let Some(key) = KEYS.iter().find(|key| key.table == table && key.name == written) else {
            let hint = keys::hint(table, written);
            let message = format!("there is no key '{}' in [{table}]; {hint}", shown(written));
            return self.complain(name.span(), message);
        };
        match self.value(key, value) {
            Some(value) => self.found.push((key, value, name.span().start)),
            // `value` has said why, or it is of another type.
            None if self.wrong.iter().any(|(at, _)| value.span().contains(at)) => {}
            None => {
                let found = type_of(value.get_ref());
                let message = format!("{} takes {}, not {found}", key.path(), key.expects);
                self.complain(value.span(), message);
            }
        }
    }

    /// The value, if it has a type that the key takes.
    fn value(&mut self, key: &Key, value: &Spanned<DeValue<'_>>) -> Option<Value> {
        match (&key.default, value.get_ref()) {
            (Value::Text(_) | Value::List(_), DeValue::String(text)) => {
                let text = text.to_string();
                // One element needs no brackets.
                let is_list = matches!(key.default, Value::List(_));
                Some(if is_list { Value::List(vec![text]) } else { Value::Text(text) })
            }
            (Value::Text(_), DeValue::Integer(number)) if key.takes_numbers() => {
                let decimal = i128::from_str_radix(number.as_str(), number.radix()).ok();
                Some(Value::Text(decimal.map_or_else(|| number.to_string(), |n| n.to_string())))
            }
            (Value::List(_), DeValue::Array(elements)) => {
                let texts = elements.iter().map(|element| element.get_ref().as_str());
                let texts = texts.map(|text| text.map(str::to_owned));
                texts.collect::<Option<Vec<String>>>().map(Value::List)
            }
            (Value::AccessKeys(_), DeValue::Array(elements)) => {
                let keys: Vec<Option<(String, Secret)>> =
                    elements.iter().map(|element| self.access_key(key, element)).collect();
                keys.into_iter().collect::<Option<Vec<_>>>().map(Value::AccessKeys)
            }
            _ => None,
        }
    }

    /// `{ id = "...", secret = "..." }`. No message repeats what was written: it may be the secret.
    fn access_key(
        &mut self,
        key: &Key,
        element: &Spanned<DeValue<'_>>,
    ) -> Option<(String, Secret)> {
        let expected = format!("{} takes {}", key.path(), key.expects);
        let Some(members) = element.get_ref().as_table() else {
            self.complain(element.span(), expected);
            return None;
        };
        let unknown =
            members.keys().find(|name| !["id", "secret"].contains(&name.get_ref().as_ref()));
        if let Some(name) = unknown {
            self.complain(
                name.span(),
                format!("an access key has 'id' and 'secret', not '{}'", shown(name.get_ref())),
            );
            return None;
        }
        let text = |name: &str| members.get(name).and_then(|value| value.get_ref().as_str());
        let (Some(id), Some(secret)) = (text("id"), text("secret")) else {
            self.complain(element.span(), expected);
            return None;
        };
        Some((id.to_owned(), Secret::new(secret)))
    }
}

fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A name for a message: one short line.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(64).collect();
    short.escape_debug().to_string()
}
