use super::*;
use crate::throttle::Rate;
use crate::time::{Nanos, WallMillis};

const DAY_MS: u64 = 86_400_000;
const SECOND: u64 = 1_000_000_000;
const VALUE: &[u8] = b"0123456789012345678901234567890123456789";
const PETS: (&str, &str) = ("/pets", "GET");
const DEV: (&str, &str) = ("a1b2c3d4e5", "dev");

fn key(id: &str) -> KeyId {
    KeyId::new(id).unwrap()
}

fn plan(throttle: Option<(f64, u32)>, quota: Option<(u64, QuotaPeriod)>) -> Plan {
    let rate = |(rate, burst)| Rate::new(rate, burst);
    Plan {
        id: "plan01".into(),
        throttle: throttle.map(rate),
        quota: quota.map(|(limit, period)| Quota { limit, period, offset: 0 }),
        stages: [PlanStage {
            api_id: DEV.0.into(),
            stage: DEV.1.into(),
            methods: [MethodLimit {
                path: "/toys".into(),
                method: "GET".into(),
                rate: rate((1.0, 1)),
            }]
            .into(),
            first_method: 0,
        }]
        .into(),
    }
}

fn nothing(_: &str) -> [Counted; 2] {
    [Counted { period: 0, count: 0 }; 2]
}

fn plans(plan: Plan) -> UsagePlans {
    let plans = UsagePlans::default();
    plans.set_plan(plan);
    plans.set_key(key("k1"), VALUE, true, &["plan01"], nothing);
    plans
}

/// When tests begin, and the wall clock then: noon of day 20 000.
const START: Nanos = Nanos(100 * SECOND);
const NOON: WallMillis = WallMillis(20_000 * DAY_MS + DAY_MS / 2);

fn ask(plans: &UsagePlans, method: (&str, &str)) -> Result<(), Refusal> {
    plans.pin().admit(VALUE, DEV, method, START, NOON).map(drop).map_err(|refused| refused.why)
}

#[test]
fn a_key_opens_the_stages_of_its_plans_only() {
    let plans = plans(plan(None, None));
    let with = |value: &[u8], stage| match plans.pin().admit(value, stage, PETS, START, NOON) {
        Ok(admission) => Ok(admission.caller.key),
        Err(refused) => Err(refused.why),
    };
    assert_eq!(with(VALUE, DEV), Ok(key("k1")));
    assert_eq!(with(b"another", DEV), Err(Refusal::Forbidden));
    assert_eq!(with(b"", DEV), Err(Refusal::Forbidden));
    assert_eq!(with(VALUE, (DEV.0, "prod")), Err(Refusal::Forbidden));
    assert_eq!(with(VALUE, ("other", DEV.1)), Err(Refusal::Forbidden));
    plans.set_key(key("k1"), VALUE, false, &["plan01"], nothing);
    assert_eq!(with(VALUE, DEV), Err(Refusal::Forbidden), "disabled");
    plans.set_key(key("k1"), VALUE, true, &[] as &[&str], nothing);
    assert_eq!(with(VALUE, DEV), Err(Refusal::Forbidden), "no plan");
    plans.set_key(key("k1"), VALUE, true, &["plan01"], nothing);
    plans.remove_plan("plan01");
    assert_eq!(with(VALUE, DEV), Err(Refusal::Forbidden), "the plan is gone");
    plans.remove_key(plans.hash(VALUE));
    assert_eq!((plans.key_count(), with(VALUE, DEV)), (0, Err(Refusal::Forbidden)));
}

#[test]
fn limits_refuse_in_their_order_and_spend_nothing_then() {
    let plans = plans(plan(Some((1.0, 3)), Some((2, QuotaPeriod::Day))));
    let toys = ("/toys", "GET");
    assert_eq!(ask(&plans, toys), Ok(()));
    // The method's own limit refuses, and takes nothing of the others.
    assert_eq!(ask(&plans, toys), Err(Refusal::Throttled));
    assert_eq!(ask(&plans, PETS), Ok(()));
    // The quota refuses; the bucket still has its third token for whoever has a quota.
    assert_eq!(ask(&plans, PETS), Err(Refusal::QuotaExceeded));
    assert!(plans.set_remaining("plan01", plans.hash(VALUE), 5, NOON));
    assert_eq!(ask(&plans, PETS), Ok(()));
    assert_eq!(ask(&plans, PETS), Err(Refusal::Throttled));
    let [quota, day] = plans.counted("plan01", key("k1")).unwrap();
    assert_eq!((quota.count, day.count), (-2, 3));
}

#[test]
fn a_limit_of_any_is_for_methods_that_have_none_of_their_own() {
    let limit = |path: &str, method: &str, burst| MethodLimit {
        path: path.into(),
        method: method.into(),
        rate: Rate::new(1.0, burst),
    };
    let mut limited = plan(Some((1.0, 9)), None);
    limited.stages[0].methods =
        [limit("/toys", "ANY", 2), limit("/toys", "GET", 1), limit("/pets", "GET", 1)].into();
    let plans = plans(limited);
    let left = |path, methods: &[&str]| {
        methods.iter().filter(|method| ask(&plans, (path, method)).is_ok()).count()
    };
    assert_eq!(left("/toys", &["GET", "GET", "GET"]), 1, "its own");
    assert_eq!(left("/toys", &["POST", "PUT", "POST", "DELETE"]), 2, "one bucket of all others");
    assert_eq!(left("/pets", &["POST", "POST", "GET", "GET"]), 3, "only GET is limited");
    assert_eq!(left("/toys/{id}", &["GET", "GET"]), 2, "another path");
    let refused = |method| plans.pin().admit(VALUE, DEV, method, START, NOON).unwrap_err().limit;
    assert_eq!(refused(("/toys", "GET")), Some(Rate::new(1.0, 1)));
    assert_eq!(refused(("/toys", "POST")), Some(Rate::new(1.0, 2)));
    assert_eq!(left("/other", &["GET"; 9]), 1);
    assert_eq!(refused(("/other", "GET")), Some(Rate::new(1.0, 9)), "of all methods together");
}

#[test]
fn a_refund_takes_everything_back() {
    let plans = plans(plan(Some((1.0, 1)), Some((1, QuotaPeriod::Day))));
    for _ in 0..5 {
        let keys = plans.pin();
        let admission = keys.admit(VALUE, DEV, ("/toys", "GET"), START, NOON).unwrap();
        assert_eq!(&*admission.plan(), "plan01");
        admission.refund();
    }
    assert_eq!(ask(&plans, ("/toys", "GET")), Ok(()));
    assert!(ask(&plans, ("/toys", "GET")).is_err());
    let [quota, day] = plans.counted("plan01", key("k1")).unwrap();
    assert_eq!((quota.count, day.count), (1, 1));
}

#[test]
fn changes_of_plans_and_keys_keep_what_was_counted() {
    let plans = plans(plan(None, Some((2, QuotaPeriod::Day))));
    assert_eq!(ask(&plans, PETS), Ok(()));
    plans.set_plan(plan(None, Some((3, QuotaPeriod::Day))));
    plans.set_key(key("k1"), VALUE, true, &["plan01"], |_| panic!("it is a member already"));
    assert_eq!(ask(&plans, PETS), Ok(()));
    assert_eq!(ask(&plans, PETS), Ok(()));
    assert_eq!(ask(&plans, PETS), Err(Refusal::QuotaExceeded));
    // A new process begins with what was stored.
    let period = Day::of(NOON).0;
    let stored = Counted { period, count: 2 };
    let restarted = UsagePlans::default();
    restarted.set_plan(plan(None, Some((3, QuotaPeriod::Day))));
    restarted.set_key(key("k1"), VALUE, true, &["plan01"], |_| [stored, stored]);
    assert_eq!(ask(&restarted, PETS), Ok(()));
    assert_eq!(ask(&restarted, PETS), Err(Refusal::QuotaExceeded));
}

#[test]
fn every_count_is_handed_out_once() {
    let plans = plans(plan(None, Some((9, QuotaPeriod::Month))));
    let taken = |plans: &UsagePlans| {
        let mut all = Vec::new();
        plans.take_changes(|change| {
            all.push((change.day.period, change.day.count, change.quota.count))
        });
        all
    };
    assert_eq!(taken(&plans), []);
    let day = Day::of(NOON).0;
    assert_eq!(ask(&plans, PETS), Ok(()));
    assert_eq!(ask(&plans, PETS), Ok(()));
    assert_eq!(taken(&plans), [(day, 2, 2)]);
    assert_eq!(taken(&plans), []);
    assert_eq!(ask(&plans, PETS), Ok(()));
    let tomorrow = WallMillis(NOON.0 + DAY_MS);
    assert!(plans.pin().admit(VALUE, DEV, PETS, START, tomorrow).is_ok());
    assert_eq!(
        taken(&plans),
        [(day, 3, 3), (day + 1, 1, 4)],
        "the day that is over, and the new one"
    );
}

#[test]
fn shards_together_admit_no_more_than_one_would() {
    let plans = plans(plan(None, Some((10_000, QuotaPeriod::Day))));
    let admitted: usize = std::thread::scope(|scope| {
        let shards: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..5_000).filter(|_| ask(&plans, PETS).is_ok()).count()))
            .collect();
        shards.into_iter().map(|shard| shard.join().unwrap()).sum()
    });
    assert_eq!(admitted, 10_000);
    let mut days = Vec::new();
    plans.take_changes(|change| days.push(change.day.count));
    assert_eq!(days, [10_000]);
}

#[test]
fn plans_are_numbered_once_and_those_beyond_the_bound_share_a_number() {
    let named = |id: &str| Plan { id: id.into(), ..plan(Some((1.0, 1)), None) };
    let plans = UsagePlans::default();
    let bound = usize::from(crate::limits::USAGE_PLAN_SERIES_MAX);
    for index in 0..bound + 2 {
        plans.set_plan(named(&format!("p{index}")));
    }
    plans.remove_plan("p1");
    plans.set_plan(named("p1"));
    for (index, number) in
        [(0, 0), (1, 1), (bound - 1, bound - 1), (bound, bound), (bound + 1, bound)]
    {
        plans.set_key(key("k1"), VALUE, true, &[format!("p{index}")], nothing);
        let keys = plans.pin();
        let ask = || keys.admit(VALUE, DEV, PETS, START, NOON);
        assert_eq!(ask().unwrap().caller.plan.index(), number);
        let refused = ask().unwrap_err();
        assert_eq!(refused.why, Refusal::Throttled);
        assert_eq!(refused.caller.unwrap().plan.index(), number, "a refused one has a plan, too");
        assert_eq!(&*keys.plan_of(VALUE, DEV).unwrap().id, format!("p{index}"));
    }
    assert_eq!(plans.counted_plans().len(), bound);
    assert_eq!(&*plans.counted_plans()[1], "p1");
}

#[test]
fn what_could_not_be_kept_is_handed_out_again() {
    let plans = plans(plan(None, Some((9, QuotaPeriod::Month))));
    assert_eq!(ask(&plans, PETS), Ok(()));
    let tomorrow = WallMillis(NOON.0 + DAY_MS);
    assert!(plans.pin().admit(VALUE, DEV, PETS, START, tomorrow).is_ok());
    let taken = || {
        let mut all = Vec::new();
        plans.take_changes(|change| all.push(change));
        all
    };
    let shown = |all: &[Change]| -> Vec<_> {
        all.iter().map(|it| (it.day.period, it.day.count, it.quota.count, it.is_over)).collect()
    };
    let first = taken();
    assert_eq!(first.len(), 2, "a day that is over, and the new one");
    assert!(taken().is_empty());
    first.iter().for_each(|change| plans.give_back(change));
    first.iter().for_each(|change| plans.give_back(&Change { is_over: false, ..change.clone() }));
    assert_eq!(shown(&taken()), shown(&first), "each once");
}

#[test]
fn a_key_that_left_its_plan_and_came_back_begins_anew() {
    let plans = plans(plan(None, Some((2, QuotaPeriod::Day))));
    assert_eq!(ask(&plans, PETS), Ok(()));
    plans.set_key(key("k1"), VALUE, true, &[] as &[&str], nothing);
    plans.set_key(key("k1"), VALUE, true, &["plan01"], nothing);
    plans.take_changes(|change| panic!("{change:?} is a former member's"));
    assert_eq!(ask(&plans, PETS), Ok(()));
    let value = plans.hash(VALUE);
    plans.remove_key(value);
    assert!(!plans.set_remaining("plan01", value, 5, NOON));
    plans.set_key(key("k1"), VALUE, true, &["plan01"], nothing);
    plans.take_changes(|change| panic!("{change:?} is a key's that is gone"));
    assert_eq!(ask(&plans, PETS), Ok(()));
    let mut counts = Vec::new();
    plans.take_changes(|change| counts.push((change.quota.count, change.day.count)));
    assert_eq!(counts, [(1, 1)]);
    assert_eq!(ask(&plans, PETS), Ok(()));
    plans.clear();
    plans.take_changes(|change| panic!("{change:?} is from before"));
}

/// Shards count while the changes are taken all the time: the last taking has the last count of every
/// member, whatever came in between.
#[test]
fn no_count_is_missed_by_who_takes_the_changes() {
    const KEYS: usize = 8;
    const ROUNDS: u64 = 20_000;
    let plans = plans(plan(None, None));
    let values: Vec<String> = (0..KEYS).map(|n| format!("a value of a key, number {n}")).collect();
    for (n, value) in values.iter().enumerate() {
        plans.set_key(key(&format!("k{n}")), value.as_bytes(), true, &["plan01"], nothing);
    }
    let mut last = std::collections::HashMap::new();
    let mut take = || {
        plans.take_changes(|change| {
            let before = last.insert(change.key(), change.day.count);
            assert!(before.unwrap_or(0) <= change.day.count, "a count went back");
        });
    };
    std::thread::scope(|scope| {
        let shards: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for round in 0..ROUNDS {
                        let value = values[round as usize % KEYS].as_bytes();
                        let _ = plans.pin().admit(value, DEV, PETS, START, NOON).unwrap();
                    }
                })
            })
            .collect();
        while shards.iter().any(|shard| !shard.is_finished()) {
            take();
        }
    });
    take();
    let total: i64 = last.values().sum();
    assert_eq!((last.len(), total), (KEYS, 2 * ROUNDS.cast_signed()));
}

/// Whatever is taken while requests are admitted and given back, the last taking has what stands.
#[test]
fn no_refund_is_missed_by_who_takes_the_changes() {
    const ROUNDS: i64 = 20_000;
    let plans = plans(plan(None, Some((1_000_000, QuotaPeriod::Day))));
    let mut last = [0; 2];
    let mut take = || plans.take_changes(|it| last = [it.quota.count, it.day.count]);
    std::thread::scope(|scope| {
        let shard = |refunds_every: i64| {
            let plans = &plans;
            move || {
                for round in 1..=ROUNDS {
                    let keys = plans.pin();
                    let admission = keys.admit(VALUE, DEV, PETS, START, NOON).unwrap();
                    // The last of all is given back.
                    if round % refunds_every == 0 {
                        admission.refund();
                    }
                }
            }
        };
        let shards = [scope.spawn(shard(1)), scope.spawn(shard(2)), scope.spawn(shard(4))];
        while shards.iter().any(|shard| !shard.is_finished()) {
            take();
        }
    });
    take();
    assert_eq!(last, [ROUNDS / 2 + ROUNDS * 3 / 4; 2]);
}

#[test]
fn a_refund_is_a_change_of_its_own() {
    let plans = plans(plan(None, Some((9, QuotaPeriod::Day))));
    let taken = || {
        let mut all = Vec::new();
        plans.take_changes(|it| all.push((it.quota.count, it.day.count)));
        all
    };
    assert_eq!(ask(&plans, PETS), Ok(()));
    let keys = plans.pin();
    let admission = keys.admit(VALUE, DEV, PETS, START, NOON).unwrap();
    assert_eq!(taken(), [(2, 2)]);
    admission.refund();
    assert_eq!(taken(), [(1, 1)], "what was kept meanwhile was one too many");
    assert_eq!(taken(), []);
}

/// A count of references that each request of a key changed would be a word that all shards fight for.
#[test]
fn an_admission_outlives_its_key_and_counts_no_references() {
    let plans = plans(plan(Some((1.0, 2)), None));
    let keys = plans.pin();
    let admission = keys.admit(VALUE, DEV, PETS, START, NOON).unwrap();
    assert_eq!(plans.references(plans.hash(VALUE)), 2, "the key's and that of the change");
    plans.remove_key(plans.hash(VALUE));
    plans.remove_plan("plan01");
    assert_eq!(&*admission.plan(), "plan01");
    admission.refund();
    plans.take_changes(|change| panic!("{change:?} is of no member"));
}
