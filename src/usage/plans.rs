//! All keys and plans of the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::Guard;
use crossbeam::queue::SegQueue;
use papaya::LocalGuard;
use smallvec::SmallVec;

use super::counter::{Count, Counted, Counter};
use super::key::{HashKey, Key, KeyId, Member, MemberRef, ValueHash};
use super::period::Day;
use super::plan::{Plan, PlanCell, PlanNumber};
use crate::limits::USAGE_PLAN_SERIES_MAX;
use crate::throttle::Rate;
use crate::time::{Nanos, WallMillis};

/// Keys and usage plans, shared by all shards and the control thread.
#[derive(Debug)]
pub struct UsagePlans {
    /// By the hash of their values. Requests only read it.
    keys: papaya::HashMap<ValueHash, Key, foldhash::fast::RandomState>,
    hash_key: HashKey,
    /// What only changes touch.
    admin: Mutex<Admin>,
    /// Members that have counted since their counters were taken last.
    changed: SegQueue<MemberRef>,
    /// Days that are over.
    ended: SegQueue<Ended>,
}

/// Members that are looked at together when changes are taken: as many as a core can wait for at a time.
const TOGETHER: usize = 24;

/// A member's day that is over.
#[derive(Debug)]
struct Ended {
    member: MemberRef,
    day: Counted,
    /// The quota's counter when the day ended, or shortly after it.
    quota: Counted,
}

#[derive(Debug, Default)]
struct Admin {
    plans: HashMap<Box<str>, Arc<PlanCell>>,
    /// Ids of plans by their numbers, those that are gone included.
    numbered: Vec<Box<str>>,
}

impl Admin {
    /// The number of a plan, which is new or has been there before.
    fn number(&mut self, id: &str) -> PlanNumber {
        let known = self.numbered.iter().position(|other| **other == *id);
        let number = PlanNumber::after(known.unwrap_or(self.numbered.len()));
        if known.is_none() && number.index() < usize::from(USAGE_PLAN_SERIES_MAX) {
            self.numbered.push(id.into());
        }
        number
    }
}

impl std::fmt::Debug for Pinned<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pinned")
    }
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey")
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such key, it is disabled, or none of its plans has the stage.
    Forbidden,
    /// The key's limit for the method, or for all methods together.
    Throttled,
    /// The key's quota is used up.
    QuotaExceeded,
}

/// Whose key a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key.
    pub key: KeyId,
    /// The plan by which it has the stage.
    pub plan: PlanNumber,
}

/// A request that its key does not admit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub why: Refusal,
    /// Whose it is; `None` where it is forbidden.
    pub caller: Option<Caller>,
    /// The limit that throttled it.
    pub limit: Option<Rate>,
}

impl Refused {
    /// There is no key, or none that opens the stage.
    pub const FORBIDDEN: Self = Self { why: Refusal::Forbidden, caller: None, limit: None };
}

/// All keys as one request finds them: what it borrows from here is there until this is dropped, even if
/// the key is removed meanwhile. Not to be held while a shard waits for something.
pub struct Pinned<'u> {
    plans: &'u UsagePlans,
    guard: LocalGuard<'u>,
}

/// A request that its key admits. Dropped, what it has taken is spent; [`refund`](Self::refund) is for
/// one that another limit refuses.
///
/// It borrows its member: a count of references would be one more word that all shards write to for each
/// request of a hot key, twice.
#[derive(Debug)]
pub struct Admission<'p> {
    /// Whose it is.
    pub caller: Caller,
    plans: &'p UsagePlans,
    member: &'p MemberRef,
    given: Given,
    quota: Option<Count>,
    day: Count,
}

/// What a member's buckets have given.
type Given = SmallVec<[(Bucket, Rate, u64); 2]>;

/// Puts it back, the latest first.
fn put_back(member: &Member, given: &Given) {
    for &(bucket, rate, token) in given.iter().rev() {
        let state = match bucket {
            Bucket::All => Some(member.bucket()),
            Bucket::Method(place) => member.known_method_bucket(place),
        };
        if let Some(state) = state {
            state.put_back(rate, token);
        }
    }
}

/// A member, its plan, and the place of the request's stage in it.
type Found<'m> = (&'m MemberRef, Guard<Arc<Plan>>, usize);

/// The member if its plan has the stage, with the plan and the stage's place in it.
#[inline]
fn find_stage<'m>(member: &'m MemberRef, api_id: &str, stage: &str) -> Option<Found<'m>> {
    let plan = member.plan.plan.load();
    let place = plan.stage_place(api_id, stage)?;
    Some((member, plan, place))
}

/// Which of a member's buckets.
#[derive(Clone, Copy, Debug)]
enum Bucket {
    All,
    Method(usize),
}

/// What has been counted of one member.
#[derive(Clone, Debug)]
pub struct Change {
    /// The quota's counter; a period of 0 says that nothing was counted towards one. Of a day that is over
    /// it is what it was then, but for requests that came at the same time.
    pub quota: Counted,
    /// The day's counter.
    pub day: Counted,
    /// Whether the day is over, and the next one counts already.
    pub is_over: bool,
    /// Whose it is.
    pub(super) member: MemberRef,
}

impl Change {
    /// Id of the plan.
    pub fn plan(&self) -> &str {
        &self.member.plan.id
    }

    /// The key.
    pub fn key(&self) -> KeyId {
        self.member.key
    }
}

impl Default for UsagePlans {
    /// With a key for values that nobody else has.
    fn default() -> Self {
        Self::new(HashKey::random())
    }
}

impl UsagePlans {
    /// No keys and no plans yet; values will be hashed with `hash_key`.
    pub fn new(hash_key: HashKey) -> Self {
        Self {
            keys: papaya::HashMap::default(),
            hash_key,
            admin: Mutex::default(),
            changed: SegQueue::new(),
            ended: SegQueue::new(),
        }
    }

    /// Looks at all keys, for one request.
    #[inline]
    pub fn pin(&self) -> Pinned<'_> {
        Pinned { plans: self, guard: self.keys.guard() }
    }

    /// Marks a member as changed, after what it counts has changed.
    #[inline]
    fn mark(&self, member: &MemberRef) {
        if member.is_first_change() {
            // Once between two takings of the changes: a second.
            self.changed.push(member.clone());
        }
    }

    /// Ids of the plans that are counted one by one, by their [`PlanNumber`].
    pub fn counted_plans(&self) -> Vec<Box<str>> {
        self.lock().numbered.clone()
    }

    /// Makes a plan, or changes what it is for all of its members.
    pub fn set_plan(&self, plan: Plan) {
        let mut admin = self.lock();
        if let Some(cell) = admin.plans.get(&plan.id) {
            return cell.plan.store(Arc::new(plan));
        }
        let id = plan.id.clone();
        let number = admin.number(&id);
        admin.plans.insert(id, Arc::new(PlanCell::new(plan, number)));
    }

    /// Forgets a plan. Its members go when their keys are set again; until then they open nothing.
    pub fn remove_plan(&self, id: &str) {
        if let Some(cell) = self.lock().plans.remove(id) {
            cell.leave();
        }
    }

    /// What a value is known by here.
    pub fn hash(&self, value: &[u8]) -> ValueHash {
        self.hash_key.hash(value)
    }

    /// Makes room for so many keys, so that the table need not grow, and be walked each time, as they come.
    pub fn reserve(&self, keys: usize) {
        self.keys.pin().reserve(keys);
    }

    /// [`set_hashed`](Self::set_hashed) by the value itself.
    pub fn set_key(
        &self,
        id: KeyId,
        value: &[u8],
        enabled: bool,
        plans: &[impl AsRef<str>],
        counted: impl FnMut(&str) -> [Counted; 2],
    ) {
        self.set_hashed(id, self.hash(value), enabled, plans, counted);
    }

    /// Makes a key, or changes it; its value stays what it was. `plans` are the ids of its plans; one it
    /// had before goes on counting, for a new one `counted` says what the quota and the day have counted
    /// so far.
    pub fn set_hashed(
        &self,
        id: KeyId,
        hash: ValueHash,
        enabled: bool,
        plans: &[impl AsRef<str>],
        mut counted: impl FnMut(&str) -> [Counted; 2],
    ) {
        let admin = self.lock();
        let keys = self.keys.pin();
        let before = keys.get(&hash);
        let members = plans.iter().filter_map(|plan| {
            let cell = admin.plans.get(plan.as_ref())?;
            let known = before.and_then(|key| {
                let mut members = key.members().iter();
                members.find(|it| it.key == id && Arc::ptr_eq(&it.plan, cell)).cloned()
            });
            Some(known.unwrap_or_else(|| {
                let [quota, day] = counted(plan.as_ref());
                let (quota, day) = (Counter::new(quota), Counter::new(day));
                MemberRef::new(Member::new(id, Arc::clone(cell), quota, day))
            }))
        });
        let members: SmallVec<[MemberRef; 1]> = members.collect();
        for former in before.into_iter().flat_map(|key| key.members()) {
            if !members.iter().any(|member| MemberRef::ptr_eq(member, former)) {
                former.leave();
            }
        }
        keys.insert(hash, Key::new(enabled, &members));
    }

    /// Forgets the key of a value.
    pub fn remove_key(&self, hash: ValueHash) {
        let _admin = self.lock();
        let keys = self.keys.pin();
        for former in keys.remove(&hash).into_iter().flat_map(|key| key.members()) {
            former.leave();
        }
    }

    /// What a member has counted: its quota's counter and the day's. `None`: there is no such member.
    /// Looks through all keys.
    #[cfg(test)]
    pub fn counted(&self, plan: &str, key: KeyId) -> Option<[Counted; 2]> {
        let keys = self.keys.pin();
        let mut members = keys.values().flat_map(|key| key.members());
        let member = members.find(|it| it.key == key && it.plan.plan.load().id.as_ref() == plan)?;
        Some([member.quota.counted(), member.day.counted()])
    }

    /// Sets what is left of a quota in the period of `wall` to the key of a value; may be more than the
    /// limit. `false`: it is not in the plan, or the plan has no quota.
    pub fn set_remaining(
        &self,
        plan: &str,
        key: ValueHash,
        remaining: u64,
        wall: WallMillis,
    ) -> bool {
        let Some(member) = self.member(plan, key) else { return false };
        let Some(quota) = member.plan.plan.load().quota else { return false };
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let count = whole(quota.limit).saturating_sub(whole(remaining));
        // A clock that was set back does not bring a former period back.
        let before = member.quota.counted();
        let period = quota.period_of(wall).max(before.period);
        member.quota.set(Counted { period, count });
        // What is left now is left of this day, and no news of the one that the member counted on last.
        if let Some(day) = member.day.begin(Day::of(wall).0) {
            self.ended.push(Ended { member: member.clone(), day, quota: before });
        }
        self.mark(&member);
        true
    }

    /// Forgets every key and plan, and what was counted and not taken.
    pub fn clear(&self) {
        while self.changed.pop().is_some() || self.ended.pop().is_some() {}
        let mut admin = self.lock();
        admin.plans.drain().for_each(|(_, cell)| cell.leave());
        self.keys.pin().clear();
    }

    /// Takes a change back that could not be kept, to hand it out again.
    pub fn give_back(&self, change: &Change) {
        let Change { quota, day, is_over, ref member } = *change;
        if is_over {
            self.ended.push(Ended { member: member.clone(), day, quota });
        } else {
            self.mark(member);
        }
    }

    /// How many keys there are.
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// Whether something has been counted that nobody has taken yet.
    pub fn has_changes(&self) -> bool {
        !self.changed.is_empty() || !self.ended.is_empty()
    }

    /// Hands out all that has been counted since the last call, each count once: days that are over, and
    /// the counters of every member that has changed. One that is a member no more is left out; if its key
    /// has come back to the plan, that is another member, which begins anew.
    pub fn take_changes(&self, mut each: impl FnMut(Change)) {
        for _ in 0..self.ended.len() {
            let Some(Ended { member, day, quota }) = self.ended.pop() else { break };
            if member.is_present() {
                each(Change { quota, day, is_over: true, member });
            }
        }
        let mut left = self.changed.len();
        let mut members: SmallVec<[MemberRef; TOGETHER]> = SmallVec::new();
        while left > 0 {
            let next = std::iter::from_fn(|| self.changed.pop()).take(left.min(TOGETHER));
            members.extend(next);
            if members.is_empty() {
                return;
            }
            left -= members.len();
            // They lie anywhere in memory, and taking a mark waits for one before the next is asked for;
            // looks alone are on their way together.
            let looks = members.iter().fold(0, |looks, member| looks ^ member.day.counted().period);
            std::hint::black_box(looks);
            for member in members.drain(..) {
                // Before the counters are read: what comes later is a change of its own (see
                // `Member::is_first_change`).
                member.take_mark();
                if member.is_present() {
                    let (quota, day) = (member.quota.counted(), member.day.counted());
                    each(Change { quota, day, is_over: false, member });
                }
            }
        }
    }

    /// How many there are to the first member of a key.
    #[cfg(test)]
    pub(super) fn references(&self, hash: ValueHash) -> usize {
        MemberRef::strong_count(&self.keys.pin().get(&hash).unwrap().members()[0])
    }

    fn member(&self, plan: &str, key: ValueHash) -> Option<MemberRef> {
        let admin = self.lock();
        let cell = admin.plans.get(plan)?;
        let keys = self.keys.pin();
        let key = keys.get(&key)?;
        let mut members = key.members().iter();
        members.find(|member| Arc::ptr_eq(&member.plan, cell)).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Admin> {
        self.admin.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pinned<'_> {
    /// Admits a request with the key `value` to a method of a stage: the pattern of its path, and the
    /// method that the client asks for, which is never ANY.
    ///
    /// Order: the key, its plan, the plan's limit for the method, its limit for all, its quota. Whatever
    /// refuses, what those before it gave is put back.
    ///
    /// # Errors
    /// Why it is refused, and whose it is; nothing is spent then.
    pub fn admit(
        &self,
        value: &[u8],
        (api_id, stage): (&str, &str),
        (path, method): (&str, &str),
        now: Nanos,
        wall: WallMillis,
    ) -> Result<Admission<'_>, Refused> {
        let plans = self.plans;
        let hash = plans.hash_key.hash(value);
        let key = plans.keys.get(&hash, &self.guard).filter(|key| key.is_enabled());
        let key = key.ok_or(Refused::FORBIDDEN)?;
        let with_stage = |member| find_stage(member, api_id, stage);
        let found = key.members().iter().find_map(with_stage);
        let (member, plan, place) = found.ok_or(Refused::FORBIDDEN)?;
        let stage = &plan.stages[place];
        let caller = Caller { key: member.key, plan: member.plan.number };
        let mut given = Given::new();
        let refuse = |why, limit, given: &Given| {
            put_back(member, given);
            Err(Refused { why, caller: Some(caller), limit })
        };
        let own = match stage.methods.is_empty() {
            true => None,
            false => stage.method(path, method),
        };
        if let Some((place, rate)) = own
            && let Some(state) = member.method_bucket(&plan, place)
        {
            match state.take(rate, now) {
                Some(token) => given.push((Bucket::Method(place), rate, token)),
                None => return refuse(Refusal::Throttled, Some(rate), &given),
            }
        }
        if let Some(rate) = plan.throttle {
            match member.bucket().take(rate, now) {
                Some(token) => given.push((Bucket::All, rate, token)),
                None => return refuse(Refusal::Throttled, Some(rate), &given),
            }
        }
        let quota = match &plan.quota {
            None => None,
            Some(quota) => match member.quota.take(quota.period_of(wall), Some(quota.limit)) {
                Some(count) => Some(count),
                None => return refuse(Refusal::QuotaExceeded, None, &given),
            },
        };
        let day = member.day.take(Day::of(wall).0, None);
        let day = day.expect("a counter without a limit counts");
        if let Some(ended) = day.ended() {
            // Once a day and member.
            let quota = quota.map_or_else(|| member.quota.counted(), |count| count.before);
            plans.ended.push(Ended { member: member.clone(), day: ended, quota });
        }
        plans.mark(member);
        Ok(Admission { caller, plans, member, given, quota, day })
    }

    /// The plan by which a key has a stage, if it has: for logs, which tell of limits.
    pub fn plan_of(&self, value: &[u8], (api_id, stage): (&str, &str)) -> Option<Arc<Plan>> {
        let hash = self.plans.hash_key.hash(value);
        let key = self.plans.keys.get(&hash, &self.guard).filter(|key| key.is_enabled())?;
        let plans = key.members().iter().map(|member| member.plan.plan.load_full());
        plans.into_iter().find(|plan| plan.stage(api_id, stage).is_some())
    }
}

impl Admission<'_> {
    /// Takes back what the request has taken: another limit has refused it.
    pub fn refund(self) {
        put_back(self.member, &self.given);
        if let Some(count) = self.quota {
            self.member.quota.put_back(count);
        }
        self.member.day.put_back(self.day);
        // Whoever took the changes since the admission has a count that is one too high.
        self.plans.mark(self.member);
    }

    /// Id of the plan.
    pub fn plan(&self) -> Box<str> {
        self.member.plan.id.clone()
    }
}
