//! UsageJournal: what requests have counted, in the order of its being kept.
//!
//! Every second some ten thousand members may have counted, and a row of the store costs microseconds each
//! time it changes. So all that was counted since the last time is one row, a *part* of the journal;
//! [`Counts`](super::counts::Counts) brings the latest of it to the rows of members and days now and then,
//! and removes the parts then. Parts hold whole counts and no differences: one that is read twice changes
//! nothing.

use super::context::Context;
use super::error::ApiError;
use crate::store::{Object, StoreError, Transaction};
use crate::usage::{Counted, KeyId};

/// What was kept at once, under its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct JournalPart {
    /// Ids of plans, which entries name by their places.
    pub(super) plans: Vec<Box<str>>,
    pub(super) entries: Vec<Entry>,
}

/// What one member, a key in a plan, had counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Place of the plan's id among those of the part.
    pub(super) plan: u32,
    pub(super) key: KeyId,
    /// Whether the day is over, and the quota's counter may be of the next one already.
    pub(super) is_over: bool,
    pub(super) quota: Counted,
    pub(super) day: Counted,
}

impl JournalPart {
    /// Bytes of its row.
    pub(super) fn byte_count(&self) -> usize {
        let plans: usize = self.plans.iter().map(|id| 1 + id.len()).sum();
        let ids: usize = self.entries.iter().map(|entry| entry.key.as_bytes().len()).sum();
        4 + plans + ids + self.entries.len() * ENTRY_BYTES
    }
}

/// Number of the next part; parts before it are in the journal, or in the rows and gone from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct JournalHead(u64);

impl Object for JournalHead {
    const KIND: &'static str = "usagejournalhead";

    fn to_row(&self) -> Result<Vec<u8>, String> {
        Ok(self.0.to_le_bytes().to_vec())
    }

    fn from_row(row: &[u8]) -> Result<Self, String> {
        let number = row.try_into().map_err(|_| CUT_OFF)?;
        Ok(Self(u64::from_le_bytes(number)))
    }
}

const CUT_OFF: &str = "it is cut off";

/// A part is the number of its plans, each plan's id behind its length, and entries to the end: numbers
/// have their full width, little-endian, and an id its length before it.
impl Object for JournalPart {
    const KIND: &'static str = "usagejournal";

    fn to_row(&self) -> Result<Vec<u8>, String> {
        let mut row = Vec::with_capacity(self.byte_count());
        let count = u32::try_from(self.plans.len()).map_err(|_| "it has too many plans")?;
        row.extend_from_slice(&count.to_le_bytes());
        for plan in &self.plans {
            put_id(&mut row, plan.as_bytes())?;
        }
        for entry in &self.entries {
            row.extend_from_slice(&entry.plan.to_le_bytes());
            put_id(&mut row, entry.key.as_bytes())?;
            row.push(u8::from(entry.is_over));
            for Counted { period, count } in [entry.quota, entry.day] {
                row.extend_from_slice(&period.to_le_bytes());
                row.extend_from_slice(&count.to_le_bytes());
            }
        }
        Ok(row)
    }

    fn from_row(row: &[u8]) -> Result<Self, String> {
        let mut rest = row;
        let count = u32::from_le_bytes(take(&mut rest)?);
        let plans = (0..count).map(|_| Ok(take_id(&mut rest)?.into()));
        let mut part = Self { plans: plans.collect::<Result<_, String>>()?, entries: Vec::new() };
        part.entries.reserve(rest.len() / ENTRY_BYTES);
        while !rest.is_empty() {
            let plan = u32::from_le_bytes(take(&mut rest)?);
            let key = KeyId::new(take_id(&mut rest)?).ok_or("it has a key with too long an id")?;
            let [is_over] = take(&mut rest)?;
            let (quota, day) = (take_counted(&mut rest)?, take_counted(&mut rest)?);
            if plan >= count {
                return Err(format!("it has no plan {plan}"));
            }
            part.entries.push(Entry { plan, key, is_over: is_over == 1, quota, day });
        }
        Ok(part)
    }
}

/// Bytes of an entry beside its key's id.
const ENTRY_BYTES: usize = 4 + 1 + 1 + 2 * 12;

fn put_id(row: &mut Vec<u8>, id: &[u8]) -> Result<(), String> {
    let length = u8::try_from(id.len());
    row.push(length.map_err(|_| format!("the id {} is too long", id.escape_ascii()))?);
    row.extend_from_slice(id);
    Ok(())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], String> {
    let (taken, after) = rest.split_first_chunk().ok_or(CUT_OFF)?;
    *rest = after;
    Ok(*taken)
}

fn take_id<'r>(rest: &mut &'r [u8]) -> Result<&'r str, String> {
    let [length] = take(rest)?;
    let (id, after) = rest.split_at_checked(usize::from(length)).ok_or(CUT_OFF)?;
    *rest = after;
    std::str::from_utf8(id).map_err(|error| error.to_string())
}

fn take_counted(rest: &mut &[u8]) -> Result<Counted, String> {
    let period = u32::from_le_bytes(take(rest)?);
    Ok(Counted { period, count: i64::from_le_bytes(take(rest)?) })
}

/// A part's id: numbers in their order.
fn id_of(number: u64) -> String {
    format!("{number:016x}")
}

/// Number of the part that will be written next.
pub(super) fn next_part(store: &Transaction) -> Result<u64, StoreError> {
    Ok(store.get::<JournalHead>(&[])?.unwrap_or_default().0)
}

/// The same for a member that begins now: what earlier parts say is not about it.
///
/// # Errors
/// The store cannot be read.
pub(super) fn begins_at(context: &Context<'_>) -> Result<Option<i64>, ApiError> {
    let next = next_part(context)?;
    Ok((next > 0).then(|| i64::try_from(next).unwrap_or(i64::MAX)))
}

/// Adds a part; `number` is the [`next_part`].
pub(super) fn append(
    store: &Transaction,
    number: u64,
    part: &JournalPart,
) -> Result<(), StoreError> {
    store.put(&[&id_of(number)], part)?;
    store.put(&[], &JournalHead(number + 1))
}

/// Calls `f` with each part and its number, in their order.
pub(super) fn each_part(
    store: &Transaction,
    mut f: impl FnMut(u64, JournalPart),
) -> Result<(), StoreError> {
    store.each::<JournalPart>(&[], None, |id, part| {
        // Whatever has another id was not written by `append`.
        if let Ok(number) = u64::from_str_radix(id, 16) {
            f(number, part);
        }
        true
    })
}

/// Removes parts, whose numbers these are.
pub(super) fn remove(store: &Transaction, numbers: std::ops::Range<u64>) -> Result<(), StoreError> {
    numbers.into_iter().try_for_each(|number| {
        store.delete::<JournalPart>(&[&id_of(number)])?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_read_as_it_was_written() {
        let counted = |period, count| Counted { period, count };
        let entry = |plan, key, is_over, count| Entry {
            plan,
            key: KeyId::new(key).unwrap(),
            is_over,
            quota: counted(7, count),
            day: counted(20_000, i64::MAX),
        };
        let part = JournalPart {
            plans: vec!["gold12".into(), "s".into()],
            entries: vec![
                entry(1, "a234567890", false, -3),
                entry(0, "b", true, 0),
                entry(0, "fourteen-signs", false, 1),
            ],
        };
        let row = part.to_row().unwrap();
        assert_eq!(row.len(), part.byte_count());
        assert_eq!(JournalPart::from_row(&row).as_ref(), Ok(&part));
        let whole: Vec<usize> = (0..row.len())
            .filter(|&length| JournalPart::from_row(&row[..length]).is_ok())
            .collect();
        // Cut off between two entries it is a shorter part; the store keeps rows whole.
        assert_eq!(whole, [13, 13 + 40, 13 + 40 + 31]);
        let empty = JournalPart::default();
        assert_eq!(JournalPart::from_row(&empty.to_row().unwrap()), Ok(empty));
        let unknown =
            JournalPart { plans: vec!["x".into()], entries: vec![entry(1, "k", false, 1)] };
        assert!(JournalPart::from_row(&unknown.to_row().unwrap()).is_err());
        let long = JournalPart { plans: vec!["x".repeat(256).into()], entries: Vec::new() };
        assert!(long.to_row().is_err());
    }
}
