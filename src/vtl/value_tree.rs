//! JSONPath over a body that the template has written to.

use super::heap::Heap;
use super::value::{Entries, Key as MapKey, List, ListKind, Map, MapRef, Value};
use crate::json::path::{Tree, View};
use crate::json::{Key, Kind, Number};

/// Values as a tree of JSON.
pub(super) struct ValueTree<'h, 'a> {
    pub(super) heap: &'h mut Heap<'a>,
}

impl<'a> Tree for ValueTree<'_, 'a> {
    type Node = Value<'a>;

    fn kind(&self, node: &Value<'a>) -> Kind {
        match self.view(node) {
            View::Null => Kind::Null,
            View::Bool(_) => Kind::Bool,
            View::Number(_) => Kind::Number,
            View::String(_) => Kind::String,
            View::Array => Kind::Array,
            View::Object => Kind::Object,
        }
    }

    fn view<'v>(&'v self, node: &'v Value<'a>) -> View<'v> {
        match node {
            Value::Null => View::Null,
            Value::Bool(value) => View::Bool(*value),
            Value::Int(value) => View::Number(Number::Int(*value)),
            Value::Long(value) => View::Number(Number::Long(*value)),
            Value::Text(text) => View::String(self.heap.str(text)),
            number if number.is_number() => {
                View::Number(Number::Double(super::machine::to_f64(number)))
            }
            other if self.heap.is_list(self.heap.current(other).as_ref().unwrap_or(other)) => {
                View::Array
            }
            other if self.heap.map(other).is_some() => View::Object,
            _ => View::Null,
        }
    }

    fn len(&self, node: &Value<'a>) -> usize {
        match self.heap.map(node) {
            Some(map) => self.heap.map_len(&map),
            None => self.heap.list_len(node).unwrap_or(0),
        }
    }

    fn member(&self, node: &Value<'a>, key: &Key) -> Option<Value<'a>> {
        self.heap.peek_member(&self.heap.map(node)?, key.as_str())
    }

    fn element(&self, node: &Value<'a>, index: usize) -> Option<Value<'a>> {
        self.heap.peek_element(node, index)
    }

    fn next_element(&self, node: &Value<'a>, cursor: &mut usize) -> Option<Value<'a>> {
        if let Value::Node(array) = self.heap.current(node).as_ref().unwrap_or(node) {
            let element = self.heap.tape.next_element(*array, cursor)?;
            return Some(self.heap.peek_node(element));
        }
        let element = self.heap.peek_element(node, *cursor)?;
        *cursor += 1;
        Some(element)
    }

    fn next_member(&self, node: &Value<'a>, cursor: &mut usize) -> Option<Value<'a>> {
        match self.heap.map(node)? {
            MapRef::Node(object) => {
                let (_, value) = self.heap.tape.next_member(object, cursor)?;
                Some(self.heap.peek_node(value))
            }
            MapRef::Map(map) => {
                let entries = map.entries.borrow();
                let (_, value) = entries.get_index(*cursor)?;
                *cursor += 1;
                Some(value.clone())
            }
            MapRef::Host(_) => None,
        }
    }

    fn same(&self, left: &Value<'a>, right: &Value<'a>) -> bool {
        use std::rc::Rc;
        let current = |value: &Value<'a>| self.heap.current(value).unwrap_or_else(|| value.clone());
        match (current(left), current(right)) {
            (Value::Node(left), Value::Node(right)) => left == right,
            (Value::List(left), Value::List(right)) => Rc::ptr_eq(&left, &right),
            (Value::Map(left), Value::Map(right)) => Rc::ptr_eq(&left, &right),
            _ => false,
        }
    }

    fn new_keys(&mut self, object: &Value<'a>) -> Value<'a> {
        let mut keys = Vec::new();
        if let Some(map) = self.heap.map(object) {
            keys.extend(self.heap.entries(&map).into_iter().map(|(key, _)| key));
        }
        Value::List(List::new(ListKind::Json, keys))
    }

    fn new_object(&mut self, members: &[(&str, Value<'a>)]) -> Value<'a> {
        let mut entries = Entries::default();
        for (key, value) in members {
            entries.insert(MapKey::Text((*key).into()), value.clone());
        }
        Value::Map(Map::new(entries))
    }

    fn new_array(&mut self, elements: &[Value<'a>]) -> Value<'a> {
        Value::List(List::new(ListKind::Json, elements.to_vec()))
    }

    fn new_number(&mut self, number: Number<'_>) -> Value<'a> {
        match number {
            Number::Int(value) => Value::Int(value),
            Number::Long(value) => Value::Long(value),
            Number::Double(value) => Value::Double(value),
            Number::Big(text) | Number::Decimal(text) => {
                Value::Double(text.parse().unwrap_or(f64::NAN))
            }
        }
    }
}

impl<'a> Heap<'a> {
    /// A member, without keeping a decoded string.
    fn peek_member(&self, map: &MapRef<'a>, key: &str) -> Option<Value<'a>> {
        match map {
            MapRef::Map(map) => map.entries.borrow().get(&super::heap::KeyStr(key)).cloned(),
            MapRef::Node(node) => {
                let value = self.tape.document(self.body_text).member_named(*node, key)?;
                Some(self.peek_node(value))
            }
            MapRef::Host(_) => None,
        }
    }

    fn peek_element(&self, node: &Value<'a>, index: usize) -> Option<Value<'a>> {
        match self.current(node).as_ref().unwrap_or(node) {
            Value::List(list) => list.items.borrow().get(index).cloned(),
            Value::Node(node) => {
                let element = self.tape.document(self.body_text).element(*node, index)?;
                Some(self.peek_node(element))
            }
            _ => None,
        }
    }
}
