//! `#foreach`.

use std::rc::Rc;

use super::super::error::RenderError;
use super::super::program::Code;
use super::super::value::{Cursor, MapRef, Source, Value, ViewKind};
use super::{Flow, Machine, Result};

/// A loop that runs.
#[derive(Debug)]
pub(in crate::vtl) struct Running<'a> {
    cursor: Cursor<'a>,
    variable: u16,
    /// From 1.
    pub(in crate::vtl) count: u32,
    pub(in crate::vtl) has_next: bool,
    /// What the variable, `$velocityCount`, `$velocityHasNext` and `$foreach` were before.
    saved: [Value<'a>; 4],
    slots: [Option<u16>; 3],
    captures: usize,
    stack: usize,
}

impl<'a> Machine<'a, '_> {
    /// Begins a loop over the topmost value, or goes past the loop.
    pub(in crate::vtl) fn loop_begin(
        &mut self,
        code: &Code<'a>,
        index: u32,
        at: &mut u32,
    ) -> Result<()> {
        let value = self.pop();
        let entry = code.loops[index as usize];
        let cursor = self.cursor(&value);
        if cursor.is_some() && code.loop_slots[2] == Some(entry.variable) {
            return Err(RenderError::new("a loop's variable cannot be $foreach"));
        }
        let cursor = match cursor {
            Some(cursor) if cursor.len > 0 => cursor,
            _ => {
                *at = entry.exit;
                return Ok(());
            }
        };
        let slots = code.loop_slots;
        let mut saved = [Value::Null, Value::Null, Value::Null, Value::Null];
        saved[0] = self.load(entry.variable)?;
        for (saved, slot) in saved[1..].iter_mut().zip(slots) {
            if let Some(slot) = slot {
                *saved = self.load(slot)?;
            }
        }
        let depth = self.loops.len() as u16;
        if let Some(slot) = slots[2] {
            self.store(slot, Value::Loop(depth));
        }
        self.loops.push(Running {
            cursor,
            variable: entry.variable,
            count: 0,
            has_next: true,
            saved,
            slots,
            captures: self.captures.len(),
            stack: self.stack.len(),
        });
        self.advance()
    }

    /// Goes to the next element, or ends the loop.
    pub(in crate::vtl) fn loop_next(
        &mut self,
        code: &Code<'a>,
        index: u32,
        at: &mut u32,
    ) -> Result<()> {
        let max = self.settings.foreach_iterations_max;
        let running = self.loops.last().expect("a loop runs");
        if running.has_next && running.count < max {
            *at = code.loops[index as usize].body;
            return self.advance();
        }
        self.loop_end();
        Ok(())
    }

    /// Sets the variables for the next element.
    fn advance(&mut self) -> Result<()> {
        let running = self.loops.last_mut().expect("a loop runs");
        let variable = running.variable;
        let slots = running.slots;
        let value = if let Source::Array(node, place) = &mut running.cursor.source {
            // The commonest loop, without moving its cursor about.
            let mut at = *place as usize;
            let element = self.heap.tape.next_element(*node, &mut at);
            *place = at as u32;
            running.cursor.next += 1;
            element.map_or(Value::Null, |element| self.heap.node(element))
        } else {
            let mut cursor = std::mem::replace(&mut running.cursor, Cursor::empty());
            let value = self.next(&mut cursor)?.unwrap_or(Value::Null);
            self.loops.last_mut().expect("a loop runs").cursor = cursor;
            value
        };
        let running = self.loops.last_mut().expect("a loop runs");
        running.count += 1;
        running.has_next = running.cursor.has_next();
        let (count, has_next) = (running.count, running.has_next);
        if let Some(slot) = slots[0] {
            self.store(slot, Value::Int(count as i32));
        }
        if let Some(slot) = slots[1] {
            self.store(slot, Value::Bool(has_next));
        }
        self.store(variable, value);
        self.burn(1)
    }

    /// Ends the innermost loop: variables are what they were before.
    pub(in crate::vtl) fn loop_end(&mut self) {
        let running = self.loops.pop().expect("a loop runs");
        let [value, count, has_next, scope] = running.saved;
        let slots = [Some(running.variable), running.slots[0], running.slots[1], running.slots[2]];
        for (slot, value) in slots.into_iter().zip([value, count, has_next, scope]) {
            match slot {
                Some(slot) if value.is_null() => self.remove(slot),
                Some(slot) => self.store(slot, value),
                None => {}
            }
        }
        if self.captures.len() > running.captures {
            self.out.truncate(self.captures[running.captures]);
            self.captures.truncate(running.captures);
        }
        self.stack.truncate(running.stack);
    }

    /// `#break($foreach)`: ends the loop of this scope.
    pub(in crate::vtl) fn break_scope(
        &mut self,
        code: &Code<'a>,
        here: u32,
        at: &mut u32,
    ) -> Result<Flow> {
        let scope = self.pop();
        let Value::Loop(depth) = scope else {
            return Err(RenderError::new("the argument of #break is no scope such as $foreach"));
        };
        // The loop of this region that began before this place and ends after it.
        let around: Vec<u32> = (0..code.loops.len() as u32)
            .filter(|&index| {
                let entry = code.loops[index as usize];
                entry.body <= here && here < entry.exit
            })
            .collect();
        let depth = usize::from(depth);
        if depth >= self.loops.len() {
            return Err(RenderError::new("the loop of this scope has ended"));
        }
        let inner = self.loops.len() - depth;
        let Some(&entry) = around.len().checked_sub(inner).and_then(|index| around.get(index))
        else {
            return Err(RenderError::new("#break of a loop around a macro or block"));
        };
        for _ in 0..inner {
            self.loop_end();
        }
        *at = code.loops[entry as usize].exit;
        Ok(Flow::Done)
    }

    /// What a value gives to a loop; `None`: it cannot be iterated.
    pub(in crate::vtl) fn cursor(&mut self, value: &Value<'a>) -> Option<Cursor<'a>> {
        let current = self.heap.current(value);
        let value = current.as_ref().unwrap_or(value);
        let source = match value {
            Value::List(list) => {
                return Some(Cursor {
                    len: list.items.borrow().len(),
                    changes: list.changes.get(),
                    source: Source::List(Rc::clone(list)),
                    next: 0,
                });
            }
            Value::Node(node) if self.heap.is_list(value) => Source::Array(*node, 0),
            Value::Iterator(cursor) => return Some(cursor.borrow().clone()),
            Value::View(kind, map) => return Some(self.map_cursor(*kind, map)),
            Value::Loop(_) => return None,
            value => {
                let map = self.heap.map(value)?;
                return Some(self.map_cursor(ViewKind::Values, &map));
            }
        };
        let len = self.heap.list_len(value)?;
        Some(Cursor { source, next: 0, len, changes: 0 })
    }

    fn map_cursor(&mut self, kind: ViewKind, map: &MapRef<'a>) -> Cursor<'a> {
        let written = match map {
            MapRef::Node(node) => self.heap.current(&Value::Node(*node)),
            MapRef::Host(map) => self.heap.current(&Value::Host(*map)),
            MapRef::Map(_) => None,
        };
        let map = match &written {
            Some(Value::Map(map)) => MapRef::Map(Rc::clone(map)),
            _ => map.clone(),
        };
        let len = self.heap.map_len(&map);
        let (source, changes) = match map {
            MapRef::Node(node) => (Source::Object(kind, node, 0), 0),
            MapRef::Host(map) => (Source::Host(kind, map), 0),
            MapRef::Map(map) => {
                let changes = map.changes.get();
                (Source::Map(kind, map), changes)
            }
        };
        Cursor { source, next: 0, len, changes }
    }

    /// The next element; `None`: there is none.
    ///
    /// # Errors
    /// The list or map has got or lost elements since the iteration began, as Java's iterators say.
    pub(in crate::vtl) fn next(&mut self, cursor: &mut Cursor<'a>) -> Result<Option<Value<'a>>> {
        if !cursor.has_next() {
            return Ok(None);
        }
        let index = cursor.next;
        cursor.next += 1;
        let value = match &mut cursor.source {
            Source::Range(from, step) => {
                Some(Value::Int(from.wrapping_add(step.wrapping_mul(index as i32))))
            }
            Source::Array(node, place) => {
                let mut at = *place as usize;
                let element = self.heap.tape.next_element(*node, &mut at);
                *place = at as u32;
                element.map(|element| self.heap.node(element))
            }
            Source::Object(kind, node, place) => {
                let kind = *kind;
                let mut at = *place as usize;
                let member = self.heap.tape.next_member(*node, &mut at);
                *place = at as u32;
                member.map(|(key, value)| match kind {
                    ViewKind::Keys => self.heap.node_key(key),
                    ViewKind::Values => self.heap.node(value),
                    ViewKind::Entries => {
                        let key = self.heap.node_key(key);
                        Value::Entry(Rc::new((key, self.heap.node(value))))
                    }
                })
            }
            Source::Host(kind, map) => {
                let (kind, map) = (*kind, *map);
                self.heap.host_entry(map, index).map(|entry| of_entry(kind, entry))
            }
            Source::List(list) => {
                if list.changes.get() != cursor.changes {
                    return Err(changed("list"));
                }
                list.items.borrow().get(index).cloned()
            }
            Source::Map(kind, map) => {
                if map.changes.get() != cursor.changes {
                    return Err(changed("map"));
                }
                let kind = *kind;
                map.entries
                    .borrow()
                    .get_index(index)
                    .map(|(key, value)| of_entry(kind, (key.value(), value.clone())))
            }
        };
        Ok(value)
    }
}

fn of_entry<'a>(kind: ViewKind, (key, value): (Value<'a>, Value<'a>)) -> Value<'a> {
    match kind {
        ViewKind::Keys => key,
        ViewKind::Values => value,
        ViewKind::Entries => Value::Entry(Rc::new((key, value))),
    }
}

fn changed(what: &str) -> Box<RenderError> {
    RenderError::new(format!("the {what} has got or lost elements while it was looped over"))
}

impl Cursor<'_> {
    pub(in crate::vtl) fn empty() -> Self {
        Self { source: Source::Range(0, 0), next: 0, len: 0, changes: 0 }
    }

    /// Whether another element follows. A list that has changed length says so, and fails then.
    pub(in crate::vtl) fn has_next(&self) -> bool {
        let len = match &self.source {
            Source::List(list) => list.items.borrow().len(),
            Source::Map(_, map) => {
                // Java's linked map knows its next entry, not its length.
                return self.next < self.len.max(map.entries.borrow().len());
            }
            _ => self.len,
        };
        self.next != len
    }
}
