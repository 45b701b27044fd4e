//! What the store says of members, whatever happens between their requests and the store.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::metered_tests::{DAY_MS, Metered, NOW};
use super::usage_journal::JournalPart;
use crate::time::WallMillis;
use crate::usage::Refusal;

const LIMIT: i64 = 6;
const KEYS: usize = 3;
/// The first day of the tests, 2023-11-14, and a last one that none of them gets to, of the same month.
const FIRST: &str = "2023-11-14";
const LAST: &str = "2023-11-30";

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A key asks so often.
    Ask(usize, u8),
    Keep,
    /// So many members are settled.
    Settle(usize),
    /// The process is killed, and starts again.
    Kill,
    NextDay,
    /// A key leaves its plan, and comes back.
    Return(usize),
    /// So many requests are granted to a key, which asks so often just before.
    Grant(usize, i64, u8),
}

fn any_step() -> impl Strategy<Value = Step> {
    let key = 0..KEYS;
    prop_oneof![
        6 => (key.clone(), 1_u8..4).prop_map(|(key, times)| Step::Ask(key, times)),
        4 => Just(Step::Keep),
        3 => (1_usize..4).prop_map(Step::Settle),
        2 => Just(Step::Kill),
        2 => Just(Step::NextDay),
        1 => key.clone().prop_map(Step::Return),
        1 => (key, 0_i64..9, 0_u8..3).prop_map(|(key, left, times)| Step::Grant(key, left, times)),
    ]
}

/// What should be known of a member.
#[derive(Clone, Debug, Default)]
struct Member {
    /// Requests that the quota has counted.
    counted: i64,
    /// Used and remaining, by the day's number in the test.
    days: BTreeMap<u64, (i64, i64)>,
}

impl Member {
    fn ask(&mut self, day: u64) -> bool {
        if self.counted >= LIMIT {
            return false;
        }
        self.counted += 1;
        let used = self.days.get(&day).map_or(0, |it| it.0) + 1;
        self.days.insert(day, (used, LIMIT - self.counted));
        true
    }

    fn grant(&mut self, day: u64, left: i64) {
        self.counted = LIMIT - left;
        let used = self.days.get(&day).map_or(0, |it| it.0);
        self.days.insert(day, (used, left));
    }
}

struct World {
    metered: Metered,
    /// Ids of plan and key. The first key's quota is the day's, the others' the month's.
    keys: Vec<(String, String)>,
    now: [Member; KEYS],
    kept: [Member; KEYS],
    day: u64,
}

fn value_of(key: usize) -> String {
    format!("a-value-of-twenty-characters-{key}")
}

impl World {
    fn new() -> Self {
        let mut metered = Metered::new();
        let plans: Vec<String> = ["DAY", "MONTH"]
            .map(|period| metered.plan(&json!({"quota": {"limit": LIMIT, "period": period}})))
            .into();
        let keys = (0..KEYS).map(|key| {
            let plan = plans[usize::from(key > 0)].clone();
            let id = metered.key(&value_of(key), &plan);
            (plan, id)
        });
        let keys = keys.collect();
        Self { metered, keys, now: Default::default(), kept: Default::default(), day: 0 }
    }

    fn ask(&mut self, key: usize, times: u8) {
        let wall = WallMillis(NOW.0 + self.day * DAY_MS);
        for _ in 0..times {
            let want =
                if self.now[key].ask(self.day) { Ok(()) } else { Err(Refusal::QuotaExceeded) };
            assert_eq!(
                self.metered.ask(&value_of(key), "/", wall),
                want,
                "key {key}, {:?}",
                self.now
            );
        }
    }

    fn keep(&mut self) {
        self.metered.keep();
        self.kept = self.now.clone();
    }

    fn settle(&mut self) {
        self.metered.settle();
        self.kept = self.now.clone();
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Ask(key, times) => self.ask(key, times),
            Step::Keep => self.keep(),
            Step::Settle(members) => self.metered.settle_some(members),
            Step::Kill => {
                self.metered.restart();
                self.now = self.kept.clone();
                // The other day's quota is a new one, also where nothing was kept of it.
                self.begin_day();
            }
            Step::NextDay => {
                self.day += 1;
                self.metered.plane.now += 86_400;
                self.begin_day();
            }
            Step::Return(key) => {
                let (plan, id) = &self.keys[key];
                let uri = format!("/usageplans/{plan}/keys");
                self.metered.call("DELETE", &format!("{uri}/{id}"), Value::Null);
                let input = json!({"keyId": id, "keyType": "API_KEY"});
                self.metered.call("POST", &uri, input);
                (self.now[key], self.kept[key]) = Default::default();
            }
            Step::Grant(key, left, times) => {
                // What the service does first; what comes after it is kept before the call all the same.
                self.settle();
                self.kept[key].grant(self.day, left);
                self.ask(key, times);
                self.metered.keep();
                for other in (0..KEYS).filter(|&other| other != key) {
                    self.kept[other] = self.now[other].clone();
                }
                let (plan, id) = &self.keys[key];
                let patch =
                    json!({"op": "replace", "path": "/remaining", "value": left.to_string()});
                let uri = format!("/usageplans/{plan}/keys/{id}/usage");
                self.metered.call("PATCH", &uri, json!({"patchOperations": [patch]}));
                self.now[key].grant(self.day, left);
            }
        }
    }

    fn begin_day(&mut self) {
        let day = self.day;
        for members in [&mut self.now, &mut self.kept] {
            if !members[0].days.contains_key(&day) {
                members[0].counted = 0;
            }
        }
    }

    /// Checks what GetUsage says.
    fn check(&mut self) {
        self.settle();
        for (key, (plan, id)) in self.keys.clone().into_iter().enumerate() {
            let uri =
                format!("/usageplans/{plan}/usage?keyId={id}&startDate={FIRST}&endDate={LAST}");
            let usage = self.metered.call("GET", &uri, Value::Null);
            let want =
                (0..17).map(|day| self.now[key].days.get(&day).copied().unwrap_or((0, LIMIT)));
            let want: Vec<[i64; 2]> = want.map(|(used, remaining)| [used, remaining]).collect();
            assert_eq!(usage["values"][&id], json!(want), "key {key}");
        }
        let store = self.metered.plane.store().read().unwrap();
        assert!(store.list::<JournalPart>(&[]).unwrap().is_empty(), "what is settled is gone");
    }
}

#[test]
fn a_long_journal_is_to_be_settled() {
    let mut world = World::new();
    let mut kept = 0;
    // The owner grants the key more whenever it has used up its quota.
    while !world.metered.counts.is_to_be_settled() {
        world.now[0] = Member::default();
        world.ask(0, 1);
        world.metered.keep();
        kept += 1;
        assert!(kept <= 1_024, "the journal grows on and on");
        let plan = world.keys[0].0.clone();
        world.metered.grant(&plan, &value_of(0), LIMIT.unsigned_abs());
    }
    assert_eq!(kept, 1_024);
    world.metered.settle();
    assert!(!world.metered.counts.is_to_be_settled());
    world.metered.restart();
    assert!(!world.metered.counts.is_to_be_settled());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_tell_what_was_counted(steps in prop::collection::vec(any_step(), 1..40)) {
        let mut world = World::new();
        for step in steps {
            if world.day < 15 || !matches!(step, Step::NextDay) {
                world.step(step);
            }
        }
        world.check();
        // And what has been settled outlasts a kill.
        world.step(Step::Kill);
        world.check();
    }
}
