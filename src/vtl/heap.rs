//! What values refer to: the request, the parsed body, the strings that were built; and what can be
//! done with a value that needs nothing else: printing, comparing, looking inside.

use std::collections::HashMap;
use std::rc::Rc;

use super::error::RenderError;
use super::host::{Host, HostMap, HostValue};
use super::java;
use super::limits;
use super::value::{Entries, Key, List, ListKind, Map, MapRef, Text, Value, ViewKind};
use crate::json::{self, JsonStr, NodeId, Number, Style, Tape};

/// How deep containers within containers are printed and compared.
const DEPTH_MAX: u32 = 400;

/// Where the body stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Body {
    /// Nobody has asked for it.
    #[default]
    Unread,
    /// Its root on the tape.
    Parsed(NodeId),
    /// It is no JSON.
    Invalid,
}

/// What values refer to.
pub(super) struct Heap<'a> {
    pub(super) host: &'a dyn Host<'a>,
    pub(super) tape: Tape,
    pub(super) body: Body,
    /// The payload, `{}` if there is none.
    pub(super) body_text: &'a str,
    /// Strings that were built.
    pub(super) built: String,
    /// A string that is being built.
    pub(super) temporary: String,
    /// Containers of the body and maps of the request that were written to.
    pub(super) written: Option<Box<Written<'a>>>,
    /// `requestOverride` and `responseOverride`, once something has asked for them.
    pub(super) overrides: Option<[Rc<Map<'a>>; 2]>,
}

#[derive(Default)]
pub(super) struct Written<'a> {
    pub(super) nodes: HashMap<NodeId, Value<'a>, foldhash::fast::FixedState>,
    pub(super) maps: HashMap<HostMap, Rc<Map<'a>>, foldhash::fast::FixedState>,
}

impl<'a> Heap<'a> {
    /// The characters of a string.
    #[inline]
    pub(super) fn str<'h>(&'h self, text: &'h Text<'a>) -> &'h str {
        match text {
            Text::Slice(text) => text,
            Text::Built { start, len } => &self.built[*start as usize..(*start + *len) as usize],
            Text::Shared(text) => text,
        }
    }

    /// The characters of a value that is a string.
    pub(super) fn as_str<'h>(&'h self, value: &'h Value<'a>) -> Option<&'h str> {
        match value {
            Value::Text(text) => Some(self.str(text)),
            _ => None,
        }
    }

    /// Keeps a string that was built.
    pub(super) fn keep(&mut self, text: &str) -> Result<Value<'a>, Box<RenderError>> {
        if self.built.len() + text.len() > limits::BUILT_BYTES_MAX {
            return Err(too_much_text());
        }
        let start = self.built.len() as u32;
        self.built.push_str(text);
        Ok(Value::Text(Text::Built { start, len: text.len() as u32 }))
    }

    /// Builds a string from others and keeps it.
    pub(super) fn build(
        &mut self,
        write: impl FnOnce(&Self, &mut String) -> Result<(), Box<RenderError>>,
    ) -> Result<Value<'a>, Box<RenderError>> {
        let mut temporary = std::mem::take(&mut self.temporary);
        temporary.clear();
        let result = write(self, &mut temporary).and_then(|()| self.keep(&temporary));
        self.temporary = temporary;
        result
    }

    /// The value of a node of the body.
    pub(super) fn node(&mut self, node: NodeId) -> Value<'a> {
        let document = self.tape.document(self.body_text);
        match document.kind(node) {
            json::Kind::Null => Value::Null,
            json::Kind::Bool => Value::Bool(document.is_true(node)),
            json::Kind::Number => match document.number(node) {
                Some(number) => self.number_value(&number),
                None => Value::Null,
            },
            json::Kind::String => match document.string(node) {
                Some(JsonStr::Text(text)) => Value::text(text),
                Some(JsonStr::Tape(text)) => {
                    let start = self.built.len() as u32;
                    self.built.push_str(text);
                    Value::Text(Text::Built { start, len: text.len() as u32 })
                }
                None => Value::Null,
            },
            json::Kind::Array | json::Kind::Object => Value::Node(node),
        }
    }

    fn number_value(&self, number: &Number<'_>) -> Value<'a> {
        match *number {
            Number::Int(value) => Value::Int(value),
            Number::Long(value) => Value::Long(value),
            Number::Double(value) => Value::Double(value),
            Number::Big(text) => text.parse().map_or(Value::Null, Value::big),
            Number::Decimal(text) => match super::decimal::Decimal::parse(text) {
                Some(value) => Value::Decimal(Rc::new(value)),
                None => Value::Null,
            },
        }
    }

    /// The root of the body, which is parsed the first time.
    ///
    /// `None`: it is no JSON.
    pub(super) fn body_root(&mut self) -> Option<NodeId> {
        if self.body == Body::Unread {
            self.body = match self.tape.parse(self.body_text) {
                Ok(root) => Body::Parsed(root),
                Err(_) => Body::Invalid,
            };
        }
        match self.body {
            Body::Parsed(root) => Some(root),
            _ => None,
        }
    }

    /// A value of the request.
    pub(super) fn host_value(&mut self, value: HostValue<'a>) -> Value<'a> {
        match value {
            HostValue::Null => Value::Null,
            HostValue::Text(text) => Value::text(text),
            HostValue::Computed(computed) => {
                let start = self.built.len() as u32;
                self.host.write(computed, &mut self.built);
                Value::Text(Text::Built { start, len: self.built.len() as u32 - start })
            }
            HostValue::Number(number) => match i32::try_from(number) {
                Ok(number) => Value::Int(number),
                Err(_) => Value::Long(number),
            },
            HostValue::Double(number) => Value::Double(number),
            HostValue::Bool(value) => Value::Bool(value),
            HostValue::Map(map) => Value::Host(map),
        }
    }

    /// The value that stands for one that was written to.
    pub(super) fn current(&self, value: &Value<'a>) -> Option<Value<'a>> {
        let written = self.written.as_ref()?;
        match value {
            Value::Node(node) => written.nodes.get(node).cloned(),
            Value::Host(map) => written.maps.get(map).map(|map| Value::Map(Rc::clone(map))),
            _ => None,
        }
    }

    /// The map behind a value.
    pub(super) fn map(&self, value: &Value<'a>) -> Option<MapRef<'a>> {
        if let Some(Value::Map(map)) = self.current(value) {
            return Some(MapRef::Map(map));
        }
        match value {
            Value::Map(map) => Some(MapRef::Map(Rc::clone(map))),
            Value::Host(map) => Some(MapRef::Host(*map)),
            Value::Node(node) if self.is_object(*node) => Some(MapRef::Node(*node)),
            _ => None,
        }
    }

    fn is_object(&self, node: NodeId) -> bool {
        self.tape.document(self.body_text).kind(node) == json::Kind::Object
    }

    /// Whether a value is a list of any class.
    pub(super) fn is_list(&self, value: &Value<'a>) -> bool {
        match value {
            Value::List(_) => true,
            Value::Node(node) => !self.is_object(*node),
            _ => false,
        }
    }

    /// Elements of a list.
    pub(super) fn list_len(&self, value: &Value<'a>) -> Option<usize> {
        match self.current(value).as_ref().unwrap_or(value) {
            Value::List(list) => Some(list.items.borrow().len()),
            Value::Node(node) if !self.is_object(*node) => {
                Some(self.tape.document(self.body_text).len(*node))
            }
            _ => None,
        }
    }

    /// An element of a list; `None` past its end.
    pub(super) fn list_get(&mut self, value: &Value<'a>, index: usize) -> Option<Value<'a>> {
        let current = self.current(value);
        match current.as_ref().unwrap_or(value) {
            Value::List(list) => list.items.borrow().get(index).cloned(),
            Value::Node(node) => {
                let element = self.tape.document(self.body_text).element(*node, index)?;
                Some(self.node(element))
            }
            _ => None,
        }
    }

    /// Entries of a map.
    pub(super) fn map_len(&self, map: &MapRef<'a>) -> usize {
        match map {
            MapRef::Map(map) => map.entries.borrow().len(),
            MapRef::Node(node) => self.tape.document(self.body_text).len(*node),
            MapRef::Host(HostMap::PARAMS) => 3,
            MapRef::Host(HostMap::CONTEXT) => self.host.len(HostMap::CONTEXT) + 2,
            MapRef::Host(map) => self.host.len(*map),
        }
    }

    /// What a map has for a string; `None`: nothing.
    pub(super) fn map_get_str(&mut self, map: &MapRef<'a>, key: &str) -> Option<Value<'a>> {
        match map {
            MapRef::Map(map) => map.entries.borrow().get(&KeyStr(key)).cloned(),
            MapRef::Node(node) => {
                let value = self.tape.document(self.body_text).member_named(*node, key)?;
                Some(self.node(value))
            }
            MapRef::Host(map) => self.host_get(*map, key),
        }
    }

    fn host_get(&mut self, map: HostMap, key: &str) -> Option<Value<'a>> {
        if map == HostMap::PARAMS {
            return match key {
                "path" => Some(Value::Host(HostMap::PATH)),
                "querystring" => Some(Value::Host(HostMap::QUERYSTRING)),
                "header" => Some(Value::Host(HostMap::HEADER)),
                _ => None,
            };
        }
        if map == HostMap::CONTEXT {
            match key {
                "requestOverride" => return Some(Value::Map(self.override_map(0))),
                "responseOverride" => return Some(Value::Map(self.override_map(1))),
                _ => {}
            }
        }
        match self.host.lookup(map, key) {
            HostValue::Null => None,
            value => Some(self.host_value(value)),
        }
    }

    /// `requestOverride` (0) or `responseOverride` (1).
    pub(super) fn override_map(&mut self, which: usize) -> Rc<Map<'a>> {
        let maps = self.overrides.get_or_insert_with(|| {
            let empty = || Value::Map(Rc::new(Map { prints_empty: true, ..Map::default() }));
            let with = |names: &[&str]| {
                let map = Map { prints_empty: true, ..Map::default() };
                for name in names {
                    map.entries.borrow_mut().insert(Key::Text(Rc::from(*name)), empty());
                }
                Rc::new(map)
            };
            [with(&["header", "path", "querystring"]), with(&["header"])]
        });
        Rc::clone(&maps[which])
    }

    /// What a map has for any key.
    pub(super) fn map_get(&mut self, map: &MapRef<'a>, key: &Value<'a>) -> Option<Value<'a>> {
        match (map, key) {
            (MapRef::Map(map), Value::Text(text)) => {
                map.entries.borrow().get(&KeyStr(self.str(text))).cloned()
            }
            (MapRef::Map(map), key) => {
                let key = self.key(key);
                map.entries.borrow().get(&key).cloned()
            }
            (_, Value::Text(Text::Slice(text))) => self.map_get_str(map, text),
            (_, Value::Text(Text::Shared(text))) => {
                let text = Rc::clone(text);
                self.map_get_str(map, &text)
            }
            (_, Value::Text(Text::Built { .. })) => {
                // The key is in the buffer that a found value may be built in.
                let mut temporary = std::mem::take(&mut self.temporary);
                temporary.clear();
                temporary.push_str(self.as_str(key).unwrap_or_default());
                let found = self.map_get_str(map, &temporary);
                self.temporary = temporary;
                found
            }
            _ => None,
        }
    }

    /// A value as the key of a map.
    pub(super) fn key(&self, value: &Value<'a>) -> Key {
        match value {
            Value::Null => Key::Null,
            Value::Bool(value) => Key::Bool(*value),
            Value::Char(value) => Key::Char(*value),
            Value::Byte(value) => Key::Int(i32::from(*value)),
            Value::Short(value) => Key::Int(i32::from(*value)),
            Value::Int(value) => Key::Int(*value),
            Value::Long(value) => Key::Long(*value),
            Value::Double(value) => Key::Double(value.to_bits()),
            Value::Text(Text::Shared(text)) => Key::Text(Rc::clone(text)),
            Value::Text(text) => Key::Text(self.str(text).into()),
            other => {
                let mut text = String::new();
                let _ = self.write(other, &mut text);
                Key::Other(text.into())
            }
        }
    }

    /// The map of the template's own that stands for a map from now on, so that it can be written to.
    pub(super) fn writable_map(&mut self, map: MapRef<'a>) -> Rc<Map<'a>> {
        let entries = match &map {
            MapRef::Map(map) => return Rc::clone(map),
            _ => {
                let mut entries = Entries::default();
                for (key, value) in self.entries(&map) {
                    entries.insert(self.key(&key), value);
                }
                entries
            }
        };
        let prints_empty = matches!(map, MapRef::Host(host) if host.prints_empty());
        let own = Rc::new(Map { prints_empty, entries: entries.into(), ..Map::default() });
        let written = self.written.get_or_insert_default();
        match map {
            MapRef::Node(node) => {
                written.nodes.insert(node, Value::Map(Rc::clone(&own)));
            }
            MapRef::Host(host) => {
                written.maps.insert(host, Rc::clone(&own));
            }
            MapRef::Map(_) => {}
        }
        own
    }

    /// The list of the template's own that stands for a list from now on.
    pub(super) fn writable_list(&mut self, value: &Value<'a>) -> Option<Rc<List<'a>>> {
        match self.current(value).as_ref().unwrap_or(value) {
            Value::List(list) => Some(Rc::clone(list)),
            Value::Node(node) if !self.is_object(*node) => {
                let node = *node;
                let elements: Vec<NodeId> =
                    self.tape.document(self.body_text).elements(node).collect();
                let items = elements.into_iter().map(|element| self.node(element)).collect();
                let own = List::new(ListKind::Json, items);
                let written = self.written.get_or_insert_default();
                written.nodes.insert(node, Value::List(Rc::clone(&own)));
                Some(own)
            }
            _ => None,
        }
    }

    /// All entries of a map, in one pass.
    pub(super) fn entries(&mut self, map: &MapRef<'a>) -> Vec<(Value<'a>, Value<'a>)> {
        match map {
            MapRef::Map(map) => {
                let entries = map.entries.borrow();
                entries.iter().map(|(key, value)| (key.value(), value.clone())).collect()
            }
            MapRef::Node(node) => {
                let mut cursor = 0;
                let mut entries = Vec::new();
                while let Some((key, value)) = self.tape.next_member(*node, &mut cursor) {
                    entries.push((self.node_key(key), self.node(value)));
                }
                entries
            }
            MapRef::Host(host) => {
                (0..self.map_len(map)).filter_map(|index| self.host_entry(*host, index)).collect()
            }
        }
    }

    pub(super) fn host_entry(
        &mut self,
        map: HostMap,
        index: usize,
    ) -> Option<(Value<'a>, Value<'a>)> {
        if map == HostMap::PARAMS {
            let (name, map) = [
                ("path", HostMap::PATH),
                ("querystring", HostMap::QUERYSTRING),
                ("header", HostMap::HEADER),
            ]
            .get(index)
            .copied()?;
            return Some((Value::text(name), Value::Host(map)));
        }
        let len = self.host.len(map);
        if index < len {
            let (key, value) = self.host.entry(map, index);
            return Some((Value::text(key), self.host_value(value)));
        }
        if map == HostMap::CONTEXT {
            return match index - len {
                0 => Some((Value::text("requestOverride"), Value::Map(self.override_map(0)))),
                1 => Some((Value::text("responseOverride"), Value::Map(self.override_map(1)))),
                _ => None,
            };
        }
        None
    }

    // Printing ----------------------------------------------------------------------------------

    /// Appends what Java's `toString` gives. A block prints nothing here: the machine renders it.
    ///
    /// # Errors
    /// Containers nest deeper than can be printed, or hold themselves.
    pub(super) fn write(
        &self,
        value: &Value<'a>,
        out: &mut String,
    ) -> Result<(), Box<RenderError>> {
        self.write_at(value, out, 0)
    }

    fn write_at(
        &self,
        value: &Value<'a>,
        out: &mut String,
        depth: u32,
    ) -> Result<(), Box<RenderError>> {
        if depth > DEPTH_MAX || out.len() > limits::BUILT_BYTES_MAX {
            return Err(RenderError::new("a list or map is too deep or too long to print"));
        }
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Char(unit) => java::text::push_unit(*unit, out),
            Value::Byte(value) => push_integer(i64::from(*value), out),
            Value::Short(value) => push_integer(i64::from(*value), out),
            Value::Int(value) => push_integer(i64::from(*value), out),
            Value::Long(value) => push_integer(*value, out),
            Value::Float(value) => java::double::write_float(*value, out),
            Value::Double(value) => java::double::write_double(*value, out),
            Value::Big(value) => java::big::write(value, out),
            Value::Decimal(value) => value.write(out),
            Value::Text(text) => out.push_str(self.str(text)),
            Value::Node(_) | Value::Host(_) | Value::List(_) | Value::Map(_) => {
                return self.write_container(value, out, depth);
            }
            Value::View(kind, map) => {
                out.push('[');
                self.write_entries(map, Some(*kind), out, depth)?;
                out.push(']');
            }
            Value::Entry(entry) => {
                self.write_at(&entry.0, out, depth + 1)?;
                out.push('=');
                self.write_at(&entry.1, out, depth + 1)?;
            }
            Value::Loop(_) => out.push_str("{}"),
            Value::Iterator(_) | Value::Block(_) | Value::Input | Value::Util => {}
        }
        Ok(())
    }

    fn write_container(
        &self,
        value: &Value<'a>,
        out: &mut String,
        depth: u32,
    ) -> Result<(), Box<RenderError>> {
        if let Some(current) = self.current(value) {
            return self.write_at(&current, out, depth);
        }
        match value {
            Value::List(list) if list.kind == ListKind::Json => {
                self.write_json_at(value, Style::ToString, out, depth)
            }
            Value::List(list) => {
                out.push('[');
                let items = list.items.try_borrow().map_err(|_| holds_itself())?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    if matches!(item, Value::List(inner) if Rc::ptr_eq(inner, list)) {
                        out.push_str("(this Collection)");
                    } else {
                        self.write_at(item, out, depth + 1)?;
                    }
                }
                out.push(']');
                Ok(())
            }
            Value::Node(node) if !self.is_object(*node) => {
                self.write_json_at(value, Style::ToString, out, depth)
            }
            _ => {
                let Some(map) = self.map(value) else { return Ok(()) };
                let prints_empty = match &map {
                    MapRef::Map(map) => map.prints_empty,
                    MapRef::Host(map) => map.prints_empty(),
                    MapRef::Node(_) => false,
                };
                if prints_empty {
                    return Ok(());
                }
                out.push('{');
                self.write_entries(&map, None, out, depth)?;
                out.push('}');
                Ok(())
            }
        }
    }

    /// Entries separated by commas: whole, or what a view shows.
    fn write_entries(
        &self,
        map: &MapRef<'a>,
        kind: Option<ViewKind>,
        out: &mut String,
        depth: u32,
    ) -> Result<(), Box<RenderError>> {
        let shows_key = kind != Some(ViewKind::Values);
        let shows_value = kind != Some(ViewKind::Keys);
        let mut first = true;
        self.for_entries(map, |heap, key, value| {
            if !first {
                out.push_str(", ");
            }
            first = false;
            if shows_key {
                heap.write_at(key, out, depth + 1)?;
            }
            if shows_key && shows_value {
                out.push('=');
            }
            if shows_value {
                let is_itself = matches!(
                    (value, map), (Value::Map(inner), MapRef::Map(map)) if Rc::ptr_eq(inner, map)
                );
                if is_itself {
                    out.push_str("(this Map)");
                } else {
                    heap.write_at(value, out, depth + 1)?;
                }
            }
            Ok(())
        })
    }

    /// Calls `each` with every entry, without building strings for them.
    fn for_entries(
        &self,
        map: &MapRef<'a>,
        mut each: impl FnMut(&Self, &Value<'a>, &Value<'a>) -> Result<(), Box<RenderError>>,
    ) -> Result<(), Box<RenderError>> {
        match map {
            MapRef::Map(map) => {
                let entries = map.entries.try_borrow().map_err(|_| holds_itself())?;
                for (key, value) in entries.iter() {
                    each(self, &key.value(), value)?;
                }
                Ok(())
            }
            MapRef::Node(node) => {
                let document = self.tape.document(self.body_text);
                for (key, value) in document.members(*node) {
                    let key = match key {
                        JsonStr::Text(text) => Value::text(text),
                        JsonStr::Tape(text) => Value::Text(Text::Shared(text.into())),
                    };
                    each(self, &key, &self.peek_node(value))?;
                }
                Ok(())
            }
            MapRef::Host(map) => {
                let len = self.map_len(&MapRef::Host(*map));
                for index in 0..len {
                    if let Some((key, value)) = self.peek_host_entry(*map, index) {
                        each(self, &key, &value)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// The key of a member of an object, by its node.
    pub(super) fn node_key(&mut self, key: NodeId) -> Value<'a> {
        self.node(key)
    }

    /// As [`Heap::node`], but a decoded string is shared instead of kept.
    pub(super) fn peek_node(&self, node: NodeId) -> Value<'a> {
        let document = self.tape.document(self.body_text);
        match document.kind(node) {
            json::Kind::Null => Value::Null,
            json::Kind::Bool => Value::Bool(document.is_true(node)),
            json::Kind::Number => {
                document.number(node).map_or(Value::Null, |number| self.number_value(&number))
            }
            json::Kind::String => match document.string(node) {
                Some(JsonStr::Text(text)) => Value::text(text),
                Some(JsonStr::Tape(text)) => Value::Text(Text::Shared(text.into())),
                None => Value::Null,
            },
            json::Kind::Array | json::Kind::Object => Value::Node(node),
        }
    }

    fn peek_host_entry(&self, map: HostMap, index: usize) -> Option<(Value<'a>, Value<'a>)> {
        if map == HostMap::PARAMS {
            let (name, map) = [
                ("path", HostMap::PATH),
                ("querystring", HostMap::QUERYSTRING),
                ("header", HostMap::HEADER),
            ]
            .get(index)
            .copied()?;
            return Some((Value::text(name), Value::Host(map)));
        }
        let len = self.host.len(map);
        if index >= len {
            let which = index - len;
            let name = *["requestOverride", "responseOverride"].get(which)?;
            let own = self.overrides.as_ref().map(|maps| Value::Map(Rc::clone(&maps[which])));
            return (map == HostMap::CONTEXT)
                .then(|| (Value::text(name), own.unwrap_or(Value::EMPTY)));
        }
        let (key, value) = self.host.entry(map, index);
        let value = match value {
            HostValue::Null => Value::Null,
            HostValue::Text(text) => Value::text(text),
            HostValue::Computed(computed) => {
                let mut text = String::new();
                self.host.write(computed, &mut text);
                Value::Text(Text::Shared(text.into()))
            }
            HostValue::Number(number) => Value::Long(number),
            HostValue::Double(number) => Value::Double(number),
            HostValue::Bool(value) => Value::Bool(value),
            HostValue::Map(map) => Value::Host(map),
        };
        Some((Value::text(key), value))
    }

    /// Appends JSON, as json-smart writes it.
    ///
    /// # Errors
    /// As [`Heap::write`].
    pub(super) fn write_json(
        &self,
        value: &Value<'a>,
        style: Style,
        out: &mut String,
    ) -> Result<(), Box<RenderError>> {
        self.write_json_at(value, style, out, 0)
    }

    fn write_json_at(
        &self,
        value: &Value<'a>,
        style: Style,
        out: &mut String,
        depth: u32,
    ) -> Result<(), Box<RenderError>> {
        if depth > DEPTH_MAX || out.len() > limits::BUILT_BYTES_MAX {
            return Err(RenderError::new("a list or map is too deep or too long to print"));
        }
        if let Some(current) = self.current(value) {
            return self.write_json_at(&current, style, out, depth);
        }
        match value {
            Value::Node(node) if self.written.is_none() => {
                json::write::write(&self.tape.document(self.body_text), *node, style, out);
                Ok(())
            }
            Value::Node(node) if !self.is_object(*node) => {
                out.push('[');
                let document = self.tape.document(self.body_text);
                for (index, element) in document.elements(*node).enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.write_json_at(&self.peek_node(element), style, out, depth + 1)?;
                }
                out.push(']');
                Ok(())
            }
            Value::List(list) => {
                let items = list.items.try_borrow().map_err(|_| holds_itself())?;
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.write_json_at(item, style, out, depth + 1)?;
                }
                out.push(']');
                Ok(())
            }
            Value::Null
            | Value::Bool(_)
            | Value::Byte(_)
            | Value::Short(_)
            | Value::Int(_)
            | Value::Long(_)
            | Value::Big(_)
            | Value::Decimal(_) => self.write_at(value, out, depth),
            Value::Float(number) if number.is_infinite() => {
                out.push_str("null");
                Ok(())
            }
            Value::Double(number) if number.is_infinite() => {
                out.push_str("null");
                Ok(())
            }
            Value::Float(_) | Value::Double(_) => self.write_at(value, out, depth),
            _ => {
                let Some(map) = self.map(value) else {
                    // Any other object is written as the string it prints.
                    let mut text = String::new();
                    self.write_at(value, &mut text, depth + 1)?;
                    json::write::write_string(out, &text, style);
                    return Ok(());
                };
                out.push('{');
                let mut first = true;
                self.for_entries(&map, |heap, key, value| {
                    if !first {
                        out.push(',');
                    }
                    first = false;
                    let mut text = String::new();
                    heap.write_at(key, &mut text, depth + 1)?;
                    json::write::write_string(out, &text, style);
                    out.push(':');
                    heap.write_json_at(value, style, out, depth + 1)
                })?;
                out.push('}');
                Ok(())
            }
        }
    }
}

/// A string looked up in a map without making a key of it.
pub(super) struct KeyStr<'s>(pub(super) &'s str);

impl std::hash::Hash for KeyStr<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl indexmap::Equivalent<Key> for KeyStr<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        matches!(key, Key::Text(text) if **text == *self.0)
    }
}

pub(super) fn push_integer(value: i64, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(value));
}

pub(super) fn too_much_text() -> Box<RenderError> {
    RenderError::new(format!(
        "the strings of this rendering have more than {} bytes",
        limits::BUILT_BYTES_MAX
    ))
}

fn holds_itself() -> Box<RenderError> {
    RenderError::new("a list or map is changed while it is printed")
}
