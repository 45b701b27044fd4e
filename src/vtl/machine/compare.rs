//! `==` and its like.

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::program::Comparison;
use super::super::value::{MapRef, Value};
use super::{Machine, Result, arithmetic};

/// Classes of which one is assignable to the other are compared by `equals`.
#[derive(PartialEq, Eq)]
enum Class {
    Bool,
    Char,
    Text,
    List,
    Map,
    View,
    Entry,
    Loop,
    Block,
    Other,
}

fn class(value: &Value<'_>, is_list: bool) -> Class {
    match value {
        Value::Bool(_) => Class::Bool,
        Value::Char(_) => Class::Char,
        Value::Text(_) => Class::Text,
        Value::List(_) => Class::List,
        Value::Node(_) if is_list => Class::List,
        Value::Node(_) | Value::Host(_) | Value::Map(_) => Class::Map,
        Value::View(..) => Class::View,
        Value::Entry(_) => Class::Entry,
        Value::Loop(_) => Class::Loop,
        Value::Block(_) => Class::Block,
        _ => Class::Other,
    }
}

impl<'a> Machine<'a, '_> {
    pub(in crate::vtl) fn compare(
        &mut self,
        comparison: Comparison,
        left: &Value<'a>,
        right: &Value<'a>,
    ) -> Result<bool> {
        match comparison {
            Comparison::Eq => self.equal(left, right),
            Comparison::Ne => Ok(!self.equal(left, right)?),
            Comparison::Lt => Ok(arithmetic::order(left, right) == Some(Ordering::Less)),
            Comparison::Gt => Ok(arithmetic::order(left, right) == Some(Ordering::Greater)),
            Comparison::Le => {
                Ok(matches!(arithmetic::order(left, right), Some(Ordering::Less | Ordering::Equal)))
            }
            Comparison::Ge => Ok(matches!(
                arithmetic::order(left, right),
                Some(Ordering::Greater | Ordering::Equal)
            )),
        }
    }

    /// `==`: numbers by value, values of one class by `equals`, others by what they print.
    fn equal(&mut self, left: &Value<'a>, right: &Value<'a>) -> Result<bool> {
        match (left, right) {
            (Value::Null, Value::Null) => return Ok(true),
            (Value::Null, _) | (_, Value::Null) => return Ok(false),
            (Value::Text(left), Value::Text(right)) => {
                return Ok(self.heap.str(left) == self.heap.str(right));
            }
            _ => {}
        }
        if let Some(order) = arithmetic::order(left, right) {
            return Ok(order == Ordering::Equal);
        }
        let left_class = class(left, self.heap.is_list(left));
        let same =
            left_class == class(right, self.heap.is_list(right)) && left_class != Class::Other;
        if same && !left.is_number() && !right.is_number() {
            return self.equals(left, right, 0);
        }
        let left = self.text_of(left)?;
        let right = self.text_of(right)?;
        Ok(self.heap.as_str(&left) == self.heap.as_str(&right))
    }

    /// A value as the string it prints.
    pub(in crate::vtl) fn text_of(&mut self, value: &Value<'a>) -> Result<Value<'a>> {
        match value {
            Value::Text(_) => Ok(value.clone()),
            Value::Block(block) => {
                let block = Rc::clone(block);
                self.block_text(&block)
            }
            value => self.heap.build(|heap, out| heap.write(value, out)),
        }
    }

    /// Java's `equals`: numbers of different classes are never equal.
    pub(in crate::vtl) fn equals(
        &mut self,
        left: &Value<'a>,
        right: &Value<'a>,
        depth: u32,
    ) -> Result<bool> {
        if depth > 64 {
            return Err(super::super::error::RenderError::new("lists or maps too deep to compare"));
        }
        self.burn(1)?;
        Ok(match (left, right) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::Char(left), Value::Char(right)) => left == right,
            (Value::Byte(left), Value::Byte(right)) => left == right,
            (Value::Short(left), Value::Short(right)) => left == right,
            (Value::Int(left), Value::Int(right)) => left == right,
            (Value::Long(left), Value::Long(right)) => left == right,
            (Value::Float(left), Value::Float(right)) => left.to_bits() == right.to_bits(),
            (Value::Double(left), Value::Double(right)) => {
                super::super::java::double::equals(*left, *right)
            }
            (Value::Big(left), Value::Big(right)) => left == right,
            (Value::Decimal(left), Value::Decimal(right)) => left == right,
            (Value::Text(left), Value::Text(right)) => self.heap.str(left) == self.heap.str(right),
            (Value::Entry(left), Value::Entry(right)) => {
                let (left, right) = (Rc::clone(left), Rc::clone(right));
                self.equals(&left.0, &right.0, depth + 1)?
                    && self.equals(&left.1, &right.1, depth + 1)?
            }
            (Value::Block(left), Value::Block(right)) => Rc::ptr_eq(left, right),
            (Value::Loop(left), Value::Loop(right)) => left == right,
            (Value::View(left_kind, left), Value::View(right_kind, right)) => {
                left_kind == right_kind && self.equal_views(left, right, depth)?
            }
            _ => self.equal_containers(left, right, depth)?,
        })
    }

    fn equal_views(&mut self, left: &MapRef<'a>, right: &MapRef<'a>, depth: u32) -> Result<bool> {
        if self.heap.map_len(left) != self.heap.map_len(right) {
            return Ok(false);
        }
        let others = self.heap.entries(right);
        for (left, right) in self.heap.entries(left).into_iter().zip(others) {
            if !self.equals(&left.0, &right.0, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn equal_containers(
        &mut self,
        left: &Value<'a>,
        right: &Value<'a>,
        depth: u32,
    ) -> Result<bool> {
        if Self::same_map(left, right) {
            return Ok(true);
        }
        if let (Some(left_len), Some(right_len)) =
            (self.heap.list_len(left), self.heap.list_len(right))
        {
            if left_len != right_len {
                return Ok(false);
            }
            let others = self.items(right)?;
            for (left, right) in self.items(left)?.into_iter().zip(others) {
                if !self.equals(&left, &right, depth + 1)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let (Some(left), Some(right)) = (self.heap.map(left), self.heap.map(right)) else {
            return Ok(false);
        };
        let len = self.heap.map_len(&left);
        if len != self.heap.map_len(&right) {
            return Ok(false);
        }
        for (key, value) in self.heap.entries(&left) {
            self.burn(len as u64 / 64)?;
            match self.heap.map_get(&right, &key) {
                Some(other) if self.equals(&value, &other, depth + 1)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}
