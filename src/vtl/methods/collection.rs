//! `List`, `Map`, `Set`.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::error::RenderError;
use super::super::machine::{Machine, Result, as_int_argument};
use super::super::value::{Key, ListKind, MapRef, Value, ViewKind};
use super::Method;
use crate::json::Style;

impl<'a> Machine<'a, '_> {
    pub(super) fn list_method(
        &mut self,
        receiver: &Value<'a>,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        let len = self.heap.list_len(receiver).unwrap_or(0);
        let current = self.heap.current(receiver);
        let kind = match current.as_ref().unwrap_or(receiver) {
            Value::List(list) => list.kind,
            _ => ListKind::Json,
        };
        let fixed = kind == ListKind::Array;
        Ok(match (method, arguments) {
            (Method::Size, []) => Value::Int(len as i32),
            (Method::Count, []) if kind == ListKind::Json => Value::Int(len as i32),
            (Method::IsEmpty, []) => Value::Bool(len == 0),
            (Method::Get, [index]) => self.get(receiver, index)?,
            (Method::Set, [index, value]) => match as_int_argument(index) {
                Some(index) => self.list_set(receiver, index, value.clone())?,
                None => Value::Null,
            },
            (Method::Contains, [value]) => {
                Value::Bool(self.position(receiver, value, false)?.is_some())
            }
            (Method::IndexOf, [value]) => found(self.position(receiver, value, false)?),
            (Method::LastIndexOf, [value]) => found(self.position(receiver, value, true)?),
            (Method::Iterator | Method::ListIterator, []) => self.iterator(receiver),
            (Method::ToArray, []) => {
                let items = self.items(receiver)?;
                self.own_list(ListKind::Array, items)
            }
            (Method::ContainsAll, [other]) => {
                let Some(items) = self.collection(other)? else { return Ok(Value::Null) };
                let mut all = true;
                for item in items {
                    all = all && self.position(receiver, &item, false)?.is_some();
                }
                Value::Bool(all)
            }
            (Method::ToJsonString, []) if kind == ListKind::Json => {
                self.heap.build(|heap, out| heap.write_json(receiver, Style::ToString, out))?
            }
            (Method::Sort, [Value::Null]) => self.sort(receiver)?,
            _ if fixed => return self.array_method(receiver, len, method, arguments),
            (Method::Add, [value]) => self.list_add(receiver, None, value.clone())?,
            (Method::Add, [index, value]) => match as_int_argument(index) {
                Some(index) => self.list_add(receiver, Some(index), value.clone())?,
                None => Value::Null,
            },
            (Method::AddAll, [other]) => {
                let Some(items) = self.collection(other)? else { return Ok(Value::Null) };
                self.add_all(receiver, len, items)?
            }
            (Method::AddAll, [index, other]) => {
                let (Some(index), Some(items)) = (as_int_argument(index), self.collection(other)?)
                else {
                    return Ok(Value::Null);
                };
                let Some(at) = usize::try_from(index).ok().filter(|&at| at <= len) else {
                    return Err(self.out_of_bounds(receiver, index));
                };
                self.add_all(receiver, at, items)?
            }
            (Method::Remove, [argument]) => match as_int_argument(argument) {
                Some(index) => {
                    let Some(at) = usize::try_from(index).ok().filter(|&at| at < len) else {
                        return Err(self.out_of_bounds(receiver, index));
                    };
                    self.remove_at(receiver, at)?
                }
                None => match self.position(receiver, argument, false)? {
                    Some(at) => {
                        self.remove_at(receiver, at)?;
                        Value::Bool(true)
                    }
                    None => Value::Bool(false),
                },
            },
            (Method::RemoveAll | Method::RetainAll, [other]) => {
                let Some(others) = self.collection(other)? else { return Ok(Value::Null) };
                self.retain(receiver, &others, method == Method::RetainAll)?
            }
            (Method::Clear, []) => {
                if let Some(list) = self.heap.writable_list(receiver) {
                    list.items.borrow_mut().clear();
                    list.changed();
                }
                Value::EMPTY
            }
            (Method::SubList, [from, to]) => {
                let (Some(from), Some(to)) = (as_int_argument(from), as_int_argument(to)) else {
                    return Ok(Value::Null);
                };
                if from < 0 || to < from || to as usize > len {
                    return Err(RenderError::new(format!(
                        "subList({from}, {to}) of a list of {len}"
                    )));
                }
                let mut items = self.items(receiver)?;
                items.truncate(to as usize);
                items.drain(..from as usize);
                // A part of a JSON array is an ordinary list.
                self.own_list(ListKind::ArrayList, items)
            }
            _ => Value::Null,
        })
    }

    /// What changes a list's length fails on an array, if there is anything to change.
    fn array_method(
        &mut self,
        receiver: &Value<'a>,
        len: usize,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        let would_change = match (method, arguments) {
            (Method::Add, [_] | [_, _]) => true,
            (Method::Clear, []) => len > 0,
            (Method::AddAll, [other] | [_, other]) => match self.collection(other)? {
                Some(items) => !items.is_empty(),
                None => return Ok(Value::Null),
            },
            (Method::Remove, [argument]) => {
                as_int_argument(argument).is_some()
                    || self.position(receiver, argument, false)?.is_some()
            }
            (Method::RemoveAll | Method::RetainAll, [other]) => {
                let Some(others) = self.collection(other)? else { return Ok(Value::Null) };
                let mut changes = false;
                for item in self.items(receiver)? {
                    let mut is_in = false;
                    for other in &others {
                        is_in = is_in || self.equals(&item, other, 0)?;
                    }
                    changes = changes || is_in == (method == Method::RemoveAll);
                }
                changes
            }
            _ => return Ok(Value::Null),
        };
        if would_change {
            return Err(RenderError::new(format!(
                "UnsupportedOperationException: '{}' of an array",
                method.name()
            )));
        }
        Ok(if method == Method::Clear { Value::EMPTY } else { Value::Bool(false) })
    }

    /// `list.sort(null)`: strings or numbers of one class in their order.
    fn sort(&mut self, receiver: &Value<'a>) -> Result<Value<'a>> {
        let items = self.items(receiver)?;
        self.burn(items.len() as u64 * 16)?;
        let class = items.first().map(std::mem::discriminant);
        if items.iter().any(|item| Some(std::mem::discriminant(item)) != class) {
            return Err(RenderError::new(
                "ClassCastException: a list of several classes is sorted",
            ));
        }
        let mut sorted = items;
        let mut comparable = true;
        sorted.sort_by(|left, right| match (self.heap.as_str(left), self.heap.as_str(right)) {
            (Some(left), Some(right)) => super::super::java::text::compare(left, right).cmp(&0),
            _ => super::super::machine::order(left, right).unwrap_or_else(|| {
                comparable = false;
                std::cmp::Ordering::Equal
            }),
        });
        if !comparable {
            return Err(RenderError::new("ClassCastException: the elements have no order"));
        }
        if let Some(list) = self.heap.writable_list(receiver) {
            *list.items.borrow_mut() = sorted;
            list.changed();
        }
        Ok(Value::EMPTY)
    }

    fn add_all(
        &mut self,
        receiver: &Value<'a>,
        at: usize,
        items: Vec<Value<'a>>,
    ) -> Result<Value<'a>> {
        self.burn(items.len() as u64)?;
        let Some(list) = self.heap.writable_list(receiver) else { return Ok(Value::Null) };
        if list.items.borrow().len() + items.len() > super::super::limits::ELEMENTS_MAX {
            return Err(RenderError::new("a list has too many elements"));
        }
        let any = !items.is_empty();
        list.items.borrow_mut().splice(at..at, items);
        list.changed();
        Ok(Value::Bool(any))
    }

    fn remove_at(&mut self, receiver: &Value<'a>, at: usize) -> Result<Value<'a>> {
        let Some(list) = self.heap.writable_list(receiver) else { return Ok(Value::Null) };
        let moved = list.items.borrow().len() - at;
        self.burn(moved as u64 / 64)?;
        let old = list.items.borrow_mut().remove(at);
        list.changed();
        Ok(old)
    }

    fn retain(
        &mut self,
        receiver: &Value<'a>,
        others: &[Value<'a>],
        keep: bool,
    ) -> Result<Value<'a>> {
        let Some(list) = self.heap.writable_list(receiver) else { return Ok(Value::Null) };
        let items = std::mem::take(&mut *list.items.borrow_mut());
        let before = items.len();
        let mut kept = Vec::new();
        for item in items {
            let mut is_in = false;
            for other in others {
                is_in = is_in || self.equals(&item, other, 0)?;
            }
            if is_in == keep {
                kept.push(item);
            }
        }
        let changed = kept.len() != before;
        *list.items.borrow_mut() = kept;
        if changed {
            list.changed();
        }
        Ok(Value::Bool(changed))
    }

    /// The elements of a list.
    pub(in crate::vtl) fn items(&mut self, list: &Value<'a>) -> Result<Vec<Value<'a>>> {
        Ok(self.collection(list)?.unwrap_or_default())
    }

    /// The elements of what is a `Collection`; `None`: it is none.
    fn collection(&mut self, value: &Value<'a>) -> Result<Option<Vec<Value<'a>>>> {
        if value.is_null() {
            return Err(RenderError::new("NullPointerException: null instead of a list"));
        }
        if matches!(value, Value::Iterator(_) | Value::Map(_) | Value::Host(_)) {
            return Ok(None);
        }
        if self.heap.map(value).is_some() {
            return Ok(None);
        }
        let Some(mut cursor) = self.cursor(value) else { return Ok(None) };
        self.burn(cursor.len as u64)?;
        let mut items = Vec::new();
        while let Some(item) = self.next(&mut cursor)? {
            items.push(item);
        }
        Ok(Some(items))
    }

    fn position(
        &mut self,
        list: &Value<'a>,
        value: &Value<'a>,
        last: bool,
    ) -> Result<Option<usize>> {
        let items = self.items(list)?;
        let mut found = None;
        for (index, item) in items.iter().enumerate() {
            if self.equals(item, value, 0)? {
                found = Some(index);
                if !last {
                    break;
                }
            }
        }
        Ok(found)
    }

    fn iterator(&mut self, of: &Value<'a>) -> Value<'a> {
        match self.cursor(of) {
            Some(cursor) => Value::Iterator(Rc::new(RefCell::new(cursor))),
            None => Value::Null,
        }
    }

    pub(super) fn map_method(
        &mut self,
        receiver: &Value<'a>,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        let Some(map) = self.heap.map(receiver) else { return Ok(Value::Null) };
        if let MapRef::Node(_) = map {
            self.burn(self.heap.map_len(&map) as u64 / 64)?;
        }
        Ok(match (method, arguments) {
            (Method::Size, []) => Value::Int(self.heap.map_len(&map) as i32),
            (Method::IsEmpty, []) => Value::Bool(self.heap.map_len(&map) == 0),
            (Method::Get, [key]) => self.heap.map_get(&map, key).unwrap_or(Value::Null),
            (Method::GetOrDefault, [key, default]) => {
                self.heap.map_get(&map, key).unwrap_or_else(|| default.clone())
            }
            (Method::ContainsKey, [key]) => Value::Bool(self.heap.map_get(&map, key).is_some()),
            (Method::ContainsValue, [value]) => {
                let mut found = false;
                for (_, other) in self.heap.entries(&map) {
                    found = found || self.equals(&other, value, 0)?;
                }
                Value::Bool(found)
            }
            (Method::Put, [key, value]) => self.put(receiver, key, value.clone())?,
            (Method::PutIfAbsent, [key, value]) => match self.heap.map_get(&map, key) {
                Some(old) if !old.is_null() => old,
                _ => {
                    self.put(receiver, key, value.clone())?;
                    Value::Null
                }
            },
            (Method::Replace, [key, value]) => match self.heap.map_get(&map, key) {
                Some(_) => self.put(receiver, key, value.clone())?,
                None => Value::Null,
            },
            (Method::Replace, [key, old, new]) => {
                let found = self.heap.map_get(&map, key);
                let same = match found {
                    Some(value) => self.equals(&value, old, 0)?,
                    None => false,
                };
                if same {
                    self.put(receiver, key, new.clone())?;
                }
                Value::Bool(same)
            }
            (Method::PutAll, [Value::Null]) => {
                return Err(RenderError::new("NullPointerException: null instead of a map"));
            }
            (Method::PutAll, [other]) => {
                let Some(others) = self.heap.map(other) else { return Ok(Value::Null) };
                self.burn(self.heap.map_len(&others) as u64)?;
                for (key, value) in self.heap.entries(&others) {
                    self.put(receiver, &key, value)?;
                }
                Value::EMPTY
            }
            (Method::Remove, [key, value]) => {
                let same = match self.heap.map_get(&map, key) {
                    Some(found) => self.equals(&found, value, 0)?,
                    None => false,
                };
                if same {
                    let own = self.heap.writable_map(map);
                    let key = self.heap.key(key);
                    own.entries.borrow_mut().shift_remove(&key);
                    own.changed();
                }
                Value::Bool(same)
            }
            (Method::Remove, [key]) => {
                let own = self.heap.writable_map(map);
                let key = self.heap.key(key);
                let len = own.entries.borrow().len();
                self.burn(len as u64 / 16)?;
                let old = own.entries.borrow_mut().shift_remove(&key);
                if old.is_some() {
                    own.changed();
                }
                old.unwrap_or(Value::Null)
            }
            (Method::Clear, []) => {
                let own = self.heap.writable_map(map);
                own.entries.borrow_mut().clear();
                own.changed();
                Value::EMPTY
            }
            (Method::Set, _) => Value::Null,
            (Method::KeySet, []) => Value::View(ViewKind::Keys, map),
            (Method::Values, []) => Value::View(ViewKind::Values, map),
            (Method::EntrySet, []) => Value::View(ViewKind::Entries, map),
            _ => Value::Null,
        })
    }

    pub(super) fn view_method(
        &mut self,
        kind: ViewKind,
        map: &MapRef<'a>,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        let view = Value::View(kind, map.clone());
        Ok(match (method, arguments) {
            (Method::Size, []) => Value::Int(self.heap.map_len(map) as i32),
            (Method::IsEmpty, []) => Value::Bool(self.heap.map_len(map) == 0),
            (Method::Contains, [key]) if kind == ViewKind::Keys => {
                Value::Bool(self.heap.map_get(map, key).is_some())
            }
            (Method::Contains, [value]) => {
                let items = self.items(&view)?;
                let mut found = false;
                for item in items {
                    found = found || self.equals(&item, value, 0)?;
                }
                Value::Bool(found)
            }
            (Method::ContainsAll, [other]) => {
                let Some(others) = self.collection(other)? else { return Ok(Value::Null) };
                let items = self.items(&view)?;
                let mut all = true;
                for other in &others {
                    let mut found = false;
                    for item in &items {
                        found = found || self.equals(item, other, 0)?;
                    }
                    all = all && found;
                }
                Value::Bool(all)
            }
            (Method::Iterator, []) => self.iterator(&view),
            (Method::ToArray, []) => {
                let items = self.items(&view)?;
                self.own_list(ListKind::Array, items)
            }
            // A set that shows a map takes no elements.
            (Method::Add | Method::AddAll, [_]) => {
                return Err(RenderError::new(
                    "UnsupportedOperationException: a map's view takes no elements",
                ));
            }
            (Method::Remove, [key]) if kind == ViewKind::Keys => {
                let own = self.heap.writable_map(map.clone());
                let key: Key = self.heap.key(key);
                let removed = own.entries.borrow_mut().shift_remove(&key).is_some();
                if removed {
                    own.changed();
                }
                Value::Bool(removed)
            }
            (Method::Clear, []) => {
                let own = self.heap.writable_map(map.clone());
                own.entries.borrow_mut().clear();
                own.changed();
                Value::EMPTY
            }
            _ => Value::Null,
        })
    }
}

fn found<'a>(position: Option<usize>) -> Value<'a> {
    Value::Int(position.map_or(-1, |index| index as i32))
}
