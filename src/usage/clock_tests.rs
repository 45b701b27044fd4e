//! Quotas under clocks that go as they like, beside a plain list of what was admitted when.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::time::{Nanos, WallMillis};

const DAY_MS: u64 = 86_400_000;
const VALUE: &[u8] = b"0123456789012345678901234567890123456789";
const DEV: (&str, &str) = ("a1b2c3d4e5", "dev");

/// A period's name by the calendar, whatever numbers the counters use.
type Name = (i64, u64);

fn name_of(quota: &Quota, moment: WallMillis) -> Name {
    let shifted = moment.0 / DAY_MS - u64::from(quota.offset);
    let date = WallMillis(shifted * DAY_MS).civil();
    match quota.period {
        QuotaPeriod::Day => (0, shifted),
        // Days since Sunday 1969-12-28.
        QuotaPeriod::Week => (0, (shifted + 4) / 7),
        QuotaPeriod::Month => (date.year, u64::from(date.month)),
    }
}

fn any_quota() -> impl Strategy<Value = Quota> {
    let period = prop_oneof![
        (Just(QuotaPeriod::Day), Just(0_u32)),
        (Just(QuotaPeriod::Week), 0_u32..7),
        (Just(QuotaPeriod::Month), 0_u32..28),
    ];
    (period, 0_u64..4).prop_map(|((period, offset), limit)| Quota { limit, period, offset })
}

/// Steps of the clock between requests, milliseconds: mostly hours, at times weeks.
fn any_steps(back: bool) -> impl Strategy<Value = Vec<i64>> {
    let hour = 3_600_000_i64;
    let least = if back { -1 } else { 0 };
    let step = prop_oneof![
        4 => least * 30 * hour..40 * hour,
        1 => least * 40 * 24 * hour..40 * 24 * hour,
        2 => Just(0),
    ];
    proptest::collection::vec(step, 1..120)
}

/// What is admitted of a request after each step.
fn played(quota: Quota, begins: u64, steps: &[i64]) -> Vec<(WallMillis, bool)> {
    let plans = UsagePlans::default();
    plans.set_plan(Plan {
        id: "plan01".into(),
        throttle: None,
        quota: Some(quota),
        stages: [PlanStage {
            api_id: DEV.0.into(),
            stage: DEV.1.into(),
            methods: [].into(),
            first_method: 0,
        }]
        .into(),
    });
    let nothing = |_: &str| [Counted { period: 0, count: 0 }; 2];
    plans.set_key(KeyId::new("k1").unwrap(), VALUE, true, &["plan01"], nothing);
    let mut wall = begins;
    let ask = |step: &i64| {
        wall = wall.saturating_add_signed(*step).max(100 * DAY_MS);
        let wall = WallMillis(wall);
        let admitted = plans.pin().admit(VALUE, DEV, ("/", "GET"), Nanos(1), wall).is_ok();
        (wall, admitted)
    };
    steps.iter().map(ask).collect()
}

proptest! {
    #[test]
    fn a_clock_that_goes_forward_gives_each_period_its_limit(
        quota in any_quota(),
        begins in 10_000 * DAY_MS..30_000 * DAY_MS,
        steps in any_steps(false),
    ) {
        let mut admitted: BTreeMap<Name, u64> = BTreeMap::new();
        for (wall, is_admitted) in played(quota, begins, &steps) {
            let count = admitted.entry(name_of(&quota, wall)).or_default();
            prop_assert_eq!(is_admitted, *count < quota.limit, "{:?} at {:?}", quota, wall);
            *count += u64::from(is_admitted);
        }
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_more_than_its_latest_period(
        quota in any_quota(),
        begins in 10_000 * DAY_MS..30_000 * DAY_MS,
        steps in any_steps(true),
    ) {
        // What is asked in a period that is over is counted in the latest one.
        let (mut latest, mut count) = ((0, 0), 0);
        for (wall, is_admitted) in played(quota, begins, &steps) {
            let name = name_of(&quota, wall);
            if name > latest {
                (latest, count) = (name, 0);
            }
            prop_assert_eq!(is_admitted, count < quota.limit, "{:?} at {:?}", quota, wall);
            count += u64::from(is_admitted);
        }
    }
}
