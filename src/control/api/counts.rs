//! What requests have counted, on its way into the store.
//!
//! ```text
//! members that changed ──every second──▶ a part of the journal ──now and then──▶ a row a member and day
//! ```
//!
//! [`Counts::keep`] is the first step: what it has written is there after any crash. [`Counts::settle`] is
//! the second: a piece at a time, until the parts are not needed any more and go. In between, what the
//! journal says last of each member is in memory too, so that a member is written once for all the parts
//! that it is in.
//!
//! **Invariant**: rows and the journal together say what has been kept. Rows hold whole counts, so a
//! piece that is settled again after a crash changes nothing.

use std::collections::{HashMap, VecDeque};

use smallvec::SmallVec;

use super::metered::{UsageCount, quota_of};
use super::usage::UsageDay;
use super::usage_journal::{self, Entry, JournalPart};
use super::usage_plan_keys::PlanKey;
use super::usage_plans::UsagePlan;
use crate::store::{Object, Store, StoreError, Transaction};
use crate::usage::{Change, Counted, Day, KeyId, Quota, UsagePlans};

/// What the journal may hold before it is settled: bytes of its parts, parts, and members in memory,
/// a hundred bytes each.
const BYTES_MAX: usize = 32 * 1024 * 1024;
const PARTS_MAX: usize = 1_024;
const MEMBERS_MAX: usize = 200_000;
/// Changes that room is kept for from one second to the next, a hundred bytes each.
const ROOM_MAX: usize = 65_536;

/// What is in the journal.
#[derive(Debug, Default)]
pub struct Counts {
    /// Days of members, ascending, as the journal says them last.
    members: HashMap<MemberId, SmallVec<[MemberDay; 1]>, foldhash::fast::RandomState>,
    /// Ids of plans; members have their places.
    plans: Vec<Box<str>>,
    /// Bytes of the parts that are in the journal.
    parts: VecDeque<usize>,
    /// Number of the next part.
    next: u64,
    settling: Option<Settling>,
    /// Room for what changes in a second; empty between two calls of [`keep`](Self::keep).
    changes: Vec<Change>,
    /// Room for the part that is made of it.
    part: JournalPart,
}

/// A key in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct MemberId {
    key: KeyId,
    plan: u32,
}

/// A member's counters on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MemberDay {
    day: Counted,
    /// The quota's counter at that time.
    quota: Counted,
    /// Whether the member has counted on a later day already.
    is_over: bool,
    /// The latest part that says so.
    part: u64,
}

/// The parts before `until` are being settled.
#[derive(Debug)]
struct Settling {
    until: u64,
    /// Members that are still to be settled; the next is last.
    members: Vec<MemberId>,
}

impl Counts {
    /// Members that are to be settled at once, at least.
    pub const PIECE: usize = 4_096;

    /// What a store's journal holds.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn load(store: &Transaction) -> Result<Self, StoreError> {
        let mut counts = Self { next: usage_journal::next_part(store)?, ..Self::default() };
        let mut first = None;
        usage_journal::each_part(store, |number, part| {
            first.get_or_insert(number);
            counts.parts.push_back(part.byte_count());
            counts.take_in(number, &part);
        })?;
        let is_whole = first.is_none_or(|first| first + counts.parts.len() as u64 == counts.next);
        if !is_whole {
            let why = format!(
                "{} parts from {first:?} on are not what comes before part {}",
                counts.parts.len(),
                counts.next
            );
            return Err(StoreError::Document { key: JournalPart::KIND.to_owned(), why });
        }
        Ok(counts)
    }

    /// Writes down what has been counted since the last time; how many members that were.
    ///
    /// # Errors
    /// The store cannot be written; what could not be kept will be the next time.
    pub fn keep(&mut self, store: &Store, usage: &UsagePlans) -> Result<usize, StoreError> {
        if !usage.has_changes() {
            return Ok(0);
        }
        // First the right to write: nobody joins or leaves a plan in the store between the taking and the
        // commit, and a member that has left it is no member here before its key can come back.
        let writing = store.write()?;
        let mut changes = std::mem::take(&mut self.changes);
        usage.take_changes(|change| changes.push(change));
        let count = changes.len();
        let kept = self.append(writing, &changes);
        if kept.is_err() {
            changes.iter().for_each(|change| usage.give_back(change));
        }
        changes.clear();
        changes.shrink_to(ROOM_MAX);
        self.changes = changes;
        kept.map(|()| count)
    }

    /// Makes changes the next part of the journal; none if all that was counted is of members that are gone.
    fn append(&mut self, writing: Transaction, changes: &[Change]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut part = std::mem::take(&mut self.part);
        part.set(changes);
        let appended =
            usage_journal::append(&writing, self.next, &part).and_then(|()| writing.commit());
        if appended.is_ok() {
            self.parts.push_back(part.byte_count());
            self.take_in(self.next, &part);
            self.next += 1;
        }
        part.entries.clear();
        part.entries.shrink_to(ROOM_MAX);
        self.part = part;
        appended
    }

    /// Takes a part in that is in the journal.
    fn take_in(&mut self, number: u64, part: &JournalPart) {
        let plans: Vec<u32> = part.plans.iter().map(|id| self.plan(id)).collect();
        for entry in &part.entries {
            let id = MemberId { key: entry.key, plan: plans[entry.plan as usize] };
            let days = self.members.entry(id).or_default();
            let place = days.partition_point(|it| it.day.period < entry.day.period);
            match days.get_mut(place).filter(|it| it.day.period == entry.day.period) {
                Some(known) => known.go_on(entry, number),
                None => days.insert(place, MemberDay::new(entry, number)),
            }
        }
    }

    /// The place of a plan's id.
    fn plan(&mut self, id: &str) -> u32 {
        let known = self.plans.iter().position(|it| **it == *id);
        let place = known.unwrap_or_else(|| {
            self.plans.push(id.into());
            self.plans.len() - 1
        });
        place as u32
    }

    /// Whether the journal is as long as it may be, or on its way into the rows.
    pub fn is_to_be_settled(&self) -> bool {
        self.settling.is_some()
            || self.members.len() >= MEMBERS_MAX
            || self.parts.len() >= PARTS_MAX
            || self.parts.iter().sum::<usize>() >= BYTES_MAX
    }

    /// Number of the next part: what is kept by now is in those before it.
    pub fn next_part(&self) -> u64 {
        self.next
    }

    /// Whether the rows have all that the parts before `part` say.
    pub fn is_settled(&self, part: u64) -> bool {
        self.next - self.parts.len() as u64 >= part
    }

    /// Brings a piece of the journal into the rows: so many members.
    ///
    /// # Errors
    /// The store cannot be written; the same piece comes the next time.
    pub fn settle(&mut self, store: &Store, members: usize) -> Result<(), StoreError> {
        let mut settling = self.settling.take().unwrap_or_else(|| {
            let mut members: Vec<_> = self.members.keys().copied().collect();
            // In the order of their rows: neighbours share pages.
            members.sort_unstable_by(|a, b| b.cmp(a));
            Settling { until: self.next, members }
        });
        let rest = settling.members.len().saturating_sub(members.max(1));
        let settled = self.write_rows(store, &settling.members[rest..], settling.until, rest == 0);
        if settled.is_ok() && rest == 0 {
            self.forget(settling.until);
        } else {
            if settled.is_ok() {
                settling.members.truncate(rest);
            }
            self.settling = Some(settling);
        }
        settled
    }

    /// Writes the rows of these members; with the last of them, the parts before `until` go.
    fn write_rows(
        &self,
        store: &Store,
        members: &[MemberId],
        until: u64,
        is_last: bool,
    ) -> Result<(), StoreError> {
        let writing = store.write()?;
        let mut quotas: HashMap<u32, Option<Quota>> = HashMap::new();
        for id in members.iter().rev() {
            let plan = &*self.plans[id.plan as usize];
            let quota = match quotas.get(&id.plan) {
                Some(&known) => known,
                None => {
                    let plan = writing.get::<UsagePlan>(&[plan])?;
                    let quota = plan.and_then(|plan| quota_of(plan.quota.as_ref()?));
                    *quotas.entry(id.plan).or_insert(quota)
                }
            };
            write_member(&writing, (plan, id.key.as_str()), &self.members[id], quota)?;
        }
        if is_last {
            usage_journal::remove(&writing, self.next - self.parts.len() as u64..until)?;
        }
        writing.commit()
    }

    /// Forgets what the parts before `until` said, which are gone.
    fn forget(&mut self, until: u64) {
        let gone = self.parts.len() as u64 - (self.next - until);
        self.parts.drain(..gone as usize);
        self.members.retain(|_, days| {
            days.retain(|day| day.part >= until);
            !days.is_empty()
        });
        if self.members.is_empty() {
            self.plans.clear();
        }
        // A burst's table is not kept.
        self.members.shrink_to(2 * self.members.len());
    }

    /// What a member has counted: what the journal says of it, else its row.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn latest(
        &self,
        store: &Transaction,
        (plan, key): (&str, KeyId),
        row: UsageCount,
    ) -> Result<UsageCount, StoreError> {
        let place = self.plans.iter().position(|it| **it == *plan);
        let id = place.map(|place| MemberId { key, plan: place as u32 });
        let Some(days) = id.and_then(|id| self.members.get(&id)) else { return Ok(row) };
        let Some(begins) = begins_at(store, (plan, key.as_str()))? else { return Ok(row) };
        let latest = days.iter().rev().find_map(|day| day.count(begins, &row));
        Ok(latest.unwrap_or(row))
    }
}

impl JournalPart {
    /// Makes it the part of these changes.
    fn set(&mut self, changes: &[Change]) {
        let Self { plans, entries } = self;
        plans.clear();
        entries.clear();
        let mut places: HashMap<&str, u32> = HashMap::new();
        let mut last = None;
        entries.extend(changes.iter().map(|change| {
            let place = match last {
                // Nearly always the same again.
                Some((id, place)) if std::ptr::eq(id, change.plan()) => place,
                _ => *places.entry(change.plan()).or_insert_with(|| {
                    plans.push(change.plan().into());
                    plans.len() as u32 - 1
                }),
            };
            last = Some((change.plan(), place));
            let Change { is_over, quota, day, .. } = *change;
            Entry { plan: place, key: change.key(), is_over, quota, day }
        }));
    }
}

impl MemberDay {
    fn new(entry: &Entry, part: u64) -> Self {
        let Entry { is_over, quota, day, .. } = *entry;
        Self { day, quota, is_over, part }
    }

    /// Takes what a later part says of the same day.
    fn go_on(&mut self, entry: &Entry, part: u64) {
        let Self { day, quota, .. } = std::mem::replace(self, Self::new(entry, part));
        if self.is_over && self.quota.period > quota.period {
            // Other shards counted on the next day before this one was seen to end. Until then the quota
            // went with the day.
            let count = quota.count + self.day.count - day.count;
            self.quota = Counted { count, ..quota };
        }
    }

    /// The member's counters, if this is the latest of them: its row may be of a later day.
    fn count(&self, begins: u64, row: &UsageCount) -> Option<UsageCount> {
        let day = i64::from(self.day.period);
        let is_latest = !self.is_over || row.day <= day;
        (is_latest && self.part >= begins).then(|| UsageCount {
            period: i64::from(self.quota.period),
            count: self.quota.count,
            day,
            day_count: self.day.count,
        })
    }

    /// What was left of a quota when the day was over, or is now. `row` is the day's.
    fn remaining(
        &self,
        quota: Quota,
        row: impl FnOnce() -> Result<Option<UsageDay>, StoreError>,
    ) -> Result<i64, StoreError> {
        let left = |count: i64| i64::try_from(quota.limit).unwrap_or(i64::MAX) - count;
        let used = self.day.count;
        let is_late =
            self.is_over && self.quota.period > quota.period_of(Day(self.day.period).begin());
        let remaining = match is_late {
            false => left(self.quota.count),
            // See `go_on`.
            true => row()?.map_or_else(|| left(used), |row| row.remaining - (used - row.used)),
        };
        Ok(remaining.max(0))
    }
}

/// The part from which on the journal speaks of a member; `None`: it is none.
fn begins_at(store: &Transaction, (plan, key): (&str, &str)) -> Result<Option<u64>, StoreError> {
    let row = store.get::<PlanKey>(&[plan, key])?;
    Ok(row.map(|row| row.begins.and_then(|part| u64::try_from(part).ok()).unwrap_or(0)))
}

fn write_member(
    store: &Transaction,
    (plan, key): (&str, &str),
    days: &[MemberDay],
    quota: Option<Quota>,
) -> Result<(), StoreError> {
    // One that has left the plan meanwhile begins anew when it comes back.
    let Some(begins) = begins_at(store, (plan, key))? else { return Ok(()) };
    for day in days.iter().filter(|day| day.part >= begins) {
        let date = Day(day.day.period).iso();
        let ids = [plan, key, &date];
        let remaining = match quota {
            Some(quota) => day.remaining(quota, || store.get(&ids))?,
            None => 0,
        };
        store.put(&ids, &UsageDay { used: day.day.count, remaining })?;
        let row = match day.is_over {
            true => store.get::<UsageCount>(&[key, plan])?.unwrap_or_default(),
            false => UsageCount::default(),
        };
        if let Some(count) = day.count(begins, &row) {
            store.put(&[key, plan], &count)?;
        }
    }
    Ok(())
}
