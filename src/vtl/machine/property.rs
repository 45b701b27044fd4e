//! Properties and elements: `$a.b`, `$a['b']`, and setting them.

use std::rc::Rc;

use super::super::error::RenderError;
use super::super::host::HostMap;
use super::super::limits;
use super::super::program::{Getter, Property};
use super::super::value::{ListKind, Value};
use super::{Machine, Result, arithmetic};

impl<'a> Machine<'a, '_> {
    /// `$object.name`: a map's entry, or what a getter of that name returns.
    #[inline]
    pub(in crate::vtl) fn property(
        &mut self,
        object: &Value<'a>,
        property: &Property,
    ) -> Result<Value<'a>> {
        match object {
            Value::Node(node) if self.heap.written.is_none() => {
                let document = self.heap.tape.document(self.heap.body_text);
                let (found, len) = (document.member(*node, &property.key), document.len(*node));
                // A lookup goes through the members one by one.
                self.burn(len as u64 / 64)?;
                if let Some(value) = found {
                    return Ok(self.heap.node(value));
                }
            }
            Value::Loop(depth) => return Ok(self.loop_property(*depth, property.getter)),
            _ => {}
        }
        self.slow_property(object, property)
    }

    fn slow_property(&mut self, object: &Value<'a>, property: &Property) -> Result<Value<'a>> {
        if let Some(map) = self.heap.map(object) {
            let value = self.heap.map_get_str(&map, property.key.as_str());
            return Ok(value.unwrap_or(Value::Null));
        }
        Ok(match (object, property.getter) {
            (Value::Input, Getter::Body) => Value::text(self.heap.body_text),
            (Value::Text(text), Getter::Empty) => Value::Bool(self.heap.str(text).is_empty()),
            (Value::Text(text), Getter::Blank) => {
                Value::Bool(super::super::java::text::is_blank(self.heap.str(text)))
            }
            (Value::Text(text), Getter::Bytes) => {
                let bytes =
                    self.heap.str(text).bytes().map(|byte| Value::Byte(byte as i8)).collect();
                self.own_list(ListKind::Array, bytes)
            }
            (Value::List(_) | Value::Node(_), Getter::Empty) => {
                self.heap.list_len(object).map_or(Value::Null, |len| Value::Bool(len == 0))
            }
            (Value::View(_, map), Getter::Empty) => Value::Bool(self.heap.map_len(map) == 0),
            (Value::Entry(entry), Getter::Key) => entry.0.clone(),
            (Value::Entry(entry), Getter::Value) => entry.1.clone(),
            _ => Value::Null,
        })
    }

    /// `$foreach.name`
    pub(in crate::vtl) fn loop_property(&self, depth: u16, getter: Getter) -> Value<'a> {
        let Some(running) = self.loops.get(usize::from(depth)) else { return Value::Null };
        match getter {
            Getter::Index => Value::Int(running.count as i32 - 1),
            Getter::Count => Value::Int(running.count as i32),
            Getter::First => Value::Bool(running.count == 1),
            Getter::Last => Value::Bool(!running.has_next),
            Getter::HasNext => Value::Bool(running.has_next),
            Getter::Parent if depth > 0 => Value::Loop(depth - 1),
            Getter::Topmost => Value::Loop(0),
            _ => Value::Null,
        }
    }

    /// `$object[index]`: what the method `get` returns.
    pub(in crate::vtl) fn index(
        &mut self,
        object: &Value<'a>,
        index: Value<'a>,
    ) -> Result<Value<'a>> {
        if object.is_null() {
            return Ok(Value::Null);
        }
        let index = self.counted_from_end(object, index)?;
        self.get(object, &index)
    }

    /// A negative index counts from the end where there is one.
    fn counted_from_end(&mut self, object: &Value<'a>, index: Value<'a>) -> Result<Value<'a>> {
        let Value::Int(number) = index else { return Ok(index) };
        if number >= 0 {
            return Ok(index);
        }
        let len = match object {
            Value::View(_, map) => Some(self.heap.map_len(map)),
            _ => match self.heap.map(object) {
                Some(map) => Some(self.heap.map_len(&map)),
                None => self.heap.list_len(object),
            },
        };
        let len = len.ok_or_else(|| RenderError::new("a negative index of what has no size"))?;
        Ok(Value::Int(number.wrapping_add(len as i32)))
    }

    /// `$object.get(key)`
    pub(in crate::vtl) fn get(&mut self, object: &Value<'a>, key: &Value<'a>) -> Result<Value<'a>> {
        if let Some(map) = self.heap.map(object) {
            return Ok(self.heap.map_get(&map, key).unwrap_or(Value::Null));
        }
        if self.heap.is_list(object) {
            let Some(index) = arithmetic::as_int_argument(key) else { return Ok(Value::Null) };
            self.burn(u64::try_from(index).unwrap_or(0) / 64)?;
            let found = usize::try_from(index).ok().and_then(|at| self.heap.list_get(object, at));
            return found.ok_or_else(|| self.out_of_bounds(object, index));
        }
        Ok(Value::Null)
    }

    pub(in crate::vtl) fn out_of_bounds(&self, list: &Value<'a>, index: i32) -> Box<RenderError> {
        let len = self.heap.list_len(list).unwrap_or(0);
        RenderError::new(format!("there is no element {index} in a list of {len}"))
    }

    /// `#set($object.name = value)`; what has no such property ignores it.
    pub(in crate::vtl) fn set_property(
        &mut self,
        object: &Value<'a>,
        name: Value<'a>,
        value: Value<'a>,
    ) -> Result<()> {
        if let Value::Loop(_) | Value::Input | Value::Util = object {
            return Ok(());
        }
        if let Value::Entry(_) = object {
            return Ok(());
        }
        if self.heap.map(object).is_some() {
            self.put(object, &name, value)?;
        }
        Ok(())
    }

    /// `#set($object[index] = value)`: a list's `set`, else a map's `put`.
    pub(in crate::vtl) fn set_index(
        &mut self,
        object: &Value<'a>,
        index: Value<'a>,
        value: Value<'a>,
    ) -> Result<()> {
        let index = self.counted_from_end(object, index)?;
        if self.heap.is_list(object) {
            let Some(at) = arithmetic::as_int_argument(&index) else { return Ok(()) };
            self.list_set(object, at, value)?;
        } else if self.heap.map(object).is_some() {
            self.put(object, &index, value)?;
        }
        Ok(())
    }

    /// `list.set(index, value)`: the old element.
    pub(in crate::vtl) fn list_set(
        &mut self,
        object: &Value<'a>,
        index: i32,
        value: Value<'a>,
    ) -> Result<Value<'a>> {
        let Some(list) = self.heap.writable_list(object) else { return Ok(Value::Null) };
        let mut items = list.items.borrow_mut();
        match usize::try_from(index).ok().and_then(|index| items.get_mut(index)) {
            Some(item) => Ok(std::mem::replace(item, value)),
            None => {
                drop(items);
                Err(self.out_of_bounds(object, index))
            }
        }
    }

    /// `map.put(key, value)`: the old value.
    pub(in crate::vtl) fn put(
        &mut self,
        object: &Value<'a>,
        key: &Value<'a>,
        value: Value<'a>,
    ) -> Result<Value<'a>> {
        let Some(map) = self.heap.map(object) else { return Ok(Value::Null) };
        let map = self.heap.writable_map(map);
        let key = self.heap.key(key);
        let mut entries = map.entries.borrow_mut();
        if entries.len() >= limits::ELEMENTS_MAX {
            return Err(RenderError::new("a map has too many entries"));
        }
        let old = entries.insert(key, value);
        if old.is_none() {
            drop(entries);
            map.changed();
        }
        Ok(old.unwrap_or(Value::Null))
    }

    /// `list.add(value)`
    pub(in crate::vtl) fn list_add(
        &mut self,
        object: &Value<'a>,
        at: Option<i32>,
        value: Value<'a>,
    ) -> Result<Value<'a>> {
        let Some(list) = self.heap.writable_list(object) else { return Ok(Value::Null) };
        if list.kind == ListKind::Array {
            return Ok(Value::Null);
        }
        let len = list.items.borrow().len();
        if len >= limits::ELEMENTS_MAX {
            return Err(RenderError::new("a list has too many elements"));
        }
        match at {
            None => list.items.borrow_mut().push(value),
            Some(index) => match usize::try_from(index).ok().filter(|&index| index <= len) {
                Some(index) => {
                    self.burn((len - index) as u64 / 64)?;
                    list.items.borrow_mut().insert(index, value);
                }
                None => return Err(self.out_of_bounds(object, index)),
            },
        }
        list.changed();
        Ok(if at.is_none() { Value::Bool(true) } else { Value::EMPTY })
    }

    /// Whether a map of the request was written to, so that its entries must be looked up there.
    pub(in crate::vtl) fn is_written(&self, map: HostMap) -> bool {
        self.heap.written.as_ref().is_some_and(|written| written.maps.contains_key(&map))
    }

    /// A list that no map or other list knows.
    pub(in crate::vtl) fn own_list(&self, kind: ListKind, items: Vec<Value<'a>>) -> Value<'a> {
        Value::List(super::super::value::List::new(kind, items))
    }

    pub(in crate::vtl) fn same_map(left: &Value<'a>, right: &Value<'a>) -> bool {
        matches!((left, right), (Value::Map(left), Value::Map(right)) if Rc::ptr_eq(left, right))
    }
}
