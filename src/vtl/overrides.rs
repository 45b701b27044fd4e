//! What templates of one request set in `$context.requestOverride` and `$context.responseOverride`.

use std::rc::Rc;

use super::heap::Heap;
use super::value::{Entries, Key, List, ListKind, Map, Value};

/// A value that has left its rendering.
#[derive(Clone, Debug, PartialEq)]
pub enum Owned {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Long(i64),
    /// A string, and every number that is not whole.
    Text(String),
    /// A list.
    List(Vec<Owned>),
    /// A map.
    Map(Vec<(String, Owned)>),
}

/// The overrides of one request; they outlive the templates that set them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    request: Option<Vec<(String, Owned)>>,
    response: Option<Vec<(String, Owned)>>,
}

impl Overrides {
    /// Whether no template has asked for any.
    pub fn is_empty(&self) -> bool {
        self.request.is_none() && self.response.is_none()
    }

    /// `requestOverride`: `header`, `path`, `querystring` and whatever else was set.
    pub fn request(&self) -> &[(String, Owned)] {
        self.request.as_deref().unwrap_or_default()
    }

    /// `responseOverride`: `header`, `status` and whatever else was set.
    pub fn response(&self) -> &[(String, Owned)] {
        self.response.as_deref().unwrap_or_default()
    }

    /// What was set in one of the maps of the request's or response's.
    pub fn entries<'o>(all: &'o [(String, Owned)], name: &str) -> &'o [(String, Owned)] {
        match all.iter().find(|(key, _)| key == name) {
            Some((_, Owned::Map(entries))) => entries,
            _ => &[],
        }
    }

    /// Whether anything was set, beyond the empty maps that are always there.
    pub fn is_written(&self) -> bool {
        let written = |all: &[(String, Owned)], names: &[&str]| {
            all.iter().any(|(key, value)| match value {
                Owned::Map(entries) if names.contains(&key.as_str()) => !entries.is_empty(),
                _ => true,
            })
        };
        written(self.request(), &["header", "path", "querystring"])
            || written(self.response(), &["header"])
    }

    /// As maps that a template can read and write.
    pub(super) fn restore<'a>(&self) -> [Rc<Map<'a>>; 2] {
        [self.request(), self.response()].map(|entries| value_map(entries, true))
    }

    /// Takes what a template has left in the maps.
    pub(super) fn keep<'a>(&mut self, heap: &Heap<'a>, maps: &[Rc<Map<'a>>; 2]) {
        self.request = Some(owned_entries(heap, &maps[0], 0));
        self.response = Some(owned_entries(heap, &maps[1], 0));
    }
}

fn value_map<'a>(entries: &[(String, Owned)], prints_empty: bool) -> Rc<Map<'a>> {
    let mut values = Entries::default();
    for (key, value) in entries {
        values.insert(Key::Text(key.as_str().into()), value_of(value, prints_empty));
    }
    Rc::new(Map { prints_empty, entries: values.into(), ..Map::default() })
}

fn value_of<'a>(owned: &Owned, prints_empty: bool) -> Value<'a> {
    match owned {
        Owned::Null => Value::Null,
        Owned::Bool(value) => Value::Bool(*value),
        Owned::Long(value) => match i32::try_from(*value) {
            Ok(value) => Value::Int(value),
            Err(_) => Value::Long(*value),
        },
        Owned::Text(text) => Value::Text(super::value::Text::Shared(text.as_str().into())),
        Owned::List(items) => {
            let items = items.iter().map(|item| value_of(item, false)).collect();
            Value::List(List::new(ListKind::ArrayList, items))
        }
        Owned::Map(entries) => Value::Map(value_map(entries, prints_empty)),
    }
}

fn owned_entries<'a>(heap: &Heap<'a>, map: &Rc<Map<'a>>, depth: u32) -> Vec<(String, Owned)> {
    let mut entries = Vec::new();
    for (key, value) in map.entries.borrow().iter() {
        let mut text = String::new();
        // A value that cannot be printed is one that holds itself; nothing can be set to it.
        if heap.write(&key.value(), &mut text).is_ok() {
            entries.push((text, owned(heap, value, depth)));
        }
    }
    entries
}

fn owned<'a>(heap: &Heap<'a>, value: &Value<'a>, depth: u32) -> Owned {
    if depth > 8 {
        return Owned::Null;
    }
    if let Value::List(list) = value {
        return Owned::List(
            list.items.borrow().iter().map(|item| owned(heap, item, depth + 1)).collect(),
        );
    }
    match value {
        Value::Null => Owned::Null,
        Value::Bool(value) => Owned::Bool(*value),
        Value::Int(value) => Owned::Long(i64::from(*value)),
        Value::Long(value) => Owned::Long(*value),
        Value::Map(map) => Owned::Map(owned_entries(heap, map, depth + 1)),
        other => {
            let mut text = String::new();
            if heap.write(other, &mut text).is_err() {
                return Owned::Null;
            }
            Owned::Text(text)
        }
    }
}
