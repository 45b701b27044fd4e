//! Equality of JSON values, and `uniqueItems`.
//!
//! Values are equal as the draft has it: numbers by value, whatever their form; objects without
//! order. A large array is hashed with a seed that no client knows, sorted by hash, and compared
//! only where hashes meet, so distinct elements cost O(n log n) whatever they are.

use std::hash::{BuildHasher, Hasher};

use crate::json::{Document, NodeId, Value};
use crate::schema::check::{Checker, Exhausted, Fuel};
use crate::schema::decimal::{self, Digits};
use crate::schema::limits;

/// Arrays up to this length are compared pair by pair.
const PAIRWISE_MAX: usize = 6;

/// Whether no two of the `len` elements are equal.
pub(super) fn all_differ(
    document: &Document<'_, '_>,
    array: NodeId,
    len: usize,
    checker: &mut Checker,
    fuel: &mut Fuel,
) -> Result<bool, Exhausted> {
    if len <= PAIRWISE_MAX {
        let mut before = [NodeId::ROOT; PAIRWISE_MAX];
        for (index, element) in document.elements(array).enumerate() {
            for &other in &before[..index] {
                if equal(document, element, document, other, fuel)? {
                    return Ok(false);
                }
            }
            before[index] = element;
        }
        return Ok(true);
    }
    // Before there is memory for them.
    fuel.spend(limits::SORT_STEPS * len)?;
    let Checker { hasher, seen } = checker;
    seen.clear();
    // What a huge array has needed is not kept for ordinary ones.
    seen.shrink_to(limits::SEEN_KEPT);
    for element in document.elements(array) {
        let mut state = hasher.build_hasher();
        hash(document, element, &mut state, hasher, fuel)?;
        seen.push((state.finish(), element));
    }
    seen.sort_unstable_by_key(|&(hash, _)| hash);
    for index in 1..seen.len() {
        let (hash, element) = seen[index];
        let same = seen[..index].iter().rev().take_while(|&&(other, _)| other == hash);
        for &(_, other) in same {
            if equal(document, element, document, other, fuel)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Whether two values are equal. Recursion is bounded by the nesting of JSON.
pub(super) fn equal(
    left: &Document<'_, '_>,
    a: NodeId,
    right: &Document<'_, '_>,
    b: NodeId,
    fuel: &mut Fuel,
) -> Result<bool, Exhausted> {
    fuel.spend(1)?;
    Ok(match (left.value(a), right.value(b)) {
        (Value::String(a), Value::String(b)) => {
            a.len() == b.len() && {
                fuel.spend(a.len() / limits::STEP_BYTES)?;
                a == b
            }
        }
        (Value::Whole(a) | Value::Decimal(a), Value::Whole(b) | Value::Decimal(b)) => {
            fuel.spend((a.len() + b.len()) / limits::STEP_BYTES)?;
            a == b || decimal::compare(a, b).is_some_and(|order| order.is_eq())
        }
        (Value::Array(len), Value::Array(other)) => {
            if len != other {
                return Ok(false);
            }
            for (a, b) in left.elements(a).zip(right.elements(b)) {
                if !equal(left, a, right, b, fuel)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(len), Value::Object(other)) => {
            if len != other {
                return Ok(false);
            }
            // Equal objects mostly have the same order, so the look-up begins where the last ended.
            let mut hint = right.hashed_members(b);
            let mut members = left.hashed_members(a);
            while let Some((hash, name, value)) = members.next_member() {
                let found = match hint.next_member() {
                    Some((other_hash, other_name, found))
                        if (other_hash, other_name) == (hash, name) =>
                    {
                        found
                    }
                    _ => match find(right, b, hash, name, fuel)? {
                        Some(found) => found,
                        None => return Ok(false),
                    },
                };
                if !equal(left, value, right, found, fuel)? {
                    return Ok(false);
                }
            }
            true
        }
        (a, b) => a == b && matches!(a, Value::Null | Value::Bool(_)),
    })
}

fn find(
    document: &Document<'_, '_>,
    object: NodeId,
    hash: u32,
    name: &[u8],
    fuel: &mut Fuel,
) -> Result<Option<NodeId>, Exhausted> {
    let mut members = document.hashed_members(object);
    while let Some((other_hash, other, value)) = members.next_member() {
        fuel.spend(1)?;
        if other_hash == hash && other == name {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Feeds a value to `state` so that equal values give equal hashes.
fn hash(
    document: &Document<'_, '_>,
    node: NodeId,
    state: &mut impl Hasher,
    hasher: &impl BuildHasher,
    fuel: &mut Fuel,
) -> Result<(), Exhausted> {
    fuel.spend(1)?;
    match document.value(node) {
        Value::Null => state.write_u8(0),
        Value::Bool(value) => state.write_u8(1 + u8::from(value)),
        Value::Whole(text) | Value::Decimal(text) => {
            fuel.spend(text.len() / limits::STEP_BYTES)?;
            state.write_u8(3);
            if let Some(digits) = Digits::parse(text) {
                let (negative, scale, digits) = digits.canonical();
                state.write_u8(u8::from(negative));
                state.write_i64(scale);
                let mut word = 0u64;
                for (index, digit) in digits.enumerate() {
                    word = word << 4 | u64::from(digit);
                    if index % 16 == 15 {
                        state.write_u64(word);
                        word = 0;
                    }
                }
                state.write_u64(word);
            }
        }
        Value::String(text) => {
            fuel.spend(text.len() / limits::STEP_BYTES)?;
            state.write_u8(4);
            state.write(text.as_bytes());
        }
        Value::Array(len) => {
            state.write_u8(5);
            state.write_usize(len);
            for element in document.elements(node) {
                hash(document, element, state, hasher, fuel)?;
            }
        }
        Value::Object(len) => {
            state.write_u8(6);
            state.write_usize(len);
            // A sum has no order.
            let mut sum = 0u64;
            let mut members = document.hashed_members(node);
            while let Some((_, name, value)) = members.next_member() {
                let mut member = hasher.build_hasher();
                member.write(name);
                hash(document, value, &mut member, hasher, fuel)?;
                sum = sum.wrapping_add(member.finish());
            }
            state.write_u64(sum);
        }
    }
    Ok(())
}
