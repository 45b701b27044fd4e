//! Quotas on a simulated machine: midnight passes, and the clock is set forward and back.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::tests::{api, apply, method, mock, prepare};
use super::{MAILBOX_CAPACITY, ShardMessage, run};
use crate::limits::Limits;
use crate::model::MethodName;
use crate::ring::sim::{Sim, SimConfig, SimLink, SimPeer};
use crate::ring::{Mailbox, RingConfig};
use crate::throttle::Rate;
use crate::usage::{Counted, KeyId, Plan, PlanStage, Quota, QuotaPeriod, UsagePlans};

const KEY: &str = "0123456789012345678901234567890123456789";
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Asks once, and notes the answer's status.
struct Asker {
    sent: usize,
    answer: Vec<u8>,
    statuses: Rc<RefCell<Vec<String>>>,
}

impl SimPeer for Asker {
    fn act(&mut self, link: &mut SimLink<'_>) -> Option<Duration> {
        let request = format!(
            "GET /dev/keyed HTTP/1.1\r\nHost: h\r\nx-api-key: {KEY}\r\nConnection: close\r\n\r\n"
        );
        if self.sent < request.len() {
            self.sent += link.write(&request.as_bytes()[self.sent..]);
        }
        self.answer.extend(link.read(65_536));
        if !link.ended() && !link.was_reset() {
            return Some(Duration::from_millis(1));
        }
        let status = self.answer.get(9..12).unwrap_or_default();
        self.statuses.borrow_mut().push(String::from_utf8_lossy(status).into_owned());
        link.close();
        None
    }
}

/// What happens at a time, in seconds.
enum Event {
    Asks(f64),
    /// The wall clock is set forward or back.
    Steps(f64, i64),
}
use Event::{Asks, Steps};

/// Statuses of the requests of one key with two requests in a period. The clock begins on 2026-01-01, a
/// Thursday, at midnight.
fn play(period: QuotaPeriod, events: &[Event]) -> (Vec<String>, [Counted; 2]) {
    play_from(period, 0, events)
}

/// The same where the period begins some days later.
fn play_from(period: QuotaPeriod, offset: u32, events: &[Event]) -> (Vec<String>, [Counted; 2]) {
    let usage = UsagePlans::default();
    usage.set_plan(Plan {
        id: "plan01".into(),
        throttle: Some(Rate::new(1_000.0, 1_000)),
        quota: Some(Quota { limit: 2, period, offset }),
        stages: [PlanStage {
            api_id: "a1b2c3d4e5".into(),
            stage: "dev".into(),
            methods: [].into(),
            first_method: 0,
        }]
        .into(),
    });
    let key = KeyId::new("key0000001").unwrap();
    let nothing = |_: &str| [Counted { period: 0, count: 0 }; 2];
    usage.set_key(key, KEY.as_bytes(), true, &["plan01"], nothing);
    let usage = Arc::new(usage);

    let sim = Sim::new(SimConfig::calm(1));
    let ring = sim.ring(RingConfig { recv_bufs: 16, bulk_bufs: 2 });
    let Mailbox { sender, receiver } = Mailbox::new(MAILBOX_CAPACITY).unwrap();
    let mut keyed = method(mock("fine"));
    keyed.api_key_required = true;
    let api = api(vec![("/keyed", MethodName::Get, keyed)]);
    let (mut config, batch, _) = prepare(&api, Limits::default(), None);
    config.usage = Arc::clone(&usage);
    assert!(sender.send(apply(batch)).is_ok());
    let statuses = Rc::new(RefCell::new(Vec::new()));
    let mut end = Duration::ZERO;
    for event in events {
        match *event {
            Asks(at) => {
                end = Duration::from_secs_f64(at);
                let statuses = Rc::clone(&statuses);
                sim.client(end, Asker { sent: 0, answer: Vec::new(), statuses });
            }
            Steps(at, ms) => sim.step_wall(Duration::from_secs_f64(at), ms),
        }
    }
    sim.at(end + Duration::from_secs(1), move || {
        assert!(sender.send(ShardMessage::Drain { deadline: None }).is_ok());
    });
    run(&ring, config, receiver).unwrap();
    assert_eq!(ring.stats().panics, 0);
    let statuses = statuses.borrow().clone();
    (statuses, usage.counted("plan01", key).unwrap())
}

#[test]
fn a_day_begins_at_midnight_by_the_wall_clock() {
    let (statuses, [quota, day]) = play(
        QuotaPeriod::Day,
        &[
            Asks(1.0),
            Asks(1.1),
            Asks(1.2),
            // Second 3 is 23:59:59.
            Steps(1.5, DAY_MS - 4_000),
            Asks(3.5),
            Asks(4.5),
            Asks(4.6),
            Asks(4.7),
        ],
    );
    assert_eq!(statuses, ["200", "200", "429", "429", "200", "200", "429"]);
    assert_eq!(quota, day, "both begin with the day");
    assert_eq!(day, Counted { period: 20_455, count: 2 });
}

#[test]
fn a_clock_that_is_set_gives_no_quota_twice() {
    let (statuses, _) = play(
        QuotaPeriod::Day,
        &[
            Asks(1.0),
            Asks(1.1),
            // Back into the day before: it is over.
            Steps(2.0, -2 * HOUR_MS),
            Asks(4.0),
            // Forward by three days, which have a quota of their own.
            Steps(5.0, 3 * DAY_MS),
            Asks(7.0),
            Asks(7.1),
            Asks(7.2),
            // And back: the later day goes on.
            Steps(8.0, -3 * DAY_MS),
            Asks(10.0),
            Steps(11.0, 4 * DAY_MS),
            Asks(13.0),
        ],
    );
    assert_eq!(statuses, ["200", "200", "429", "200", "200", "429", "429", "200"]);
}

#[test]
fn weeks_begin_on_sunday_and_months_on_the_first() {
    for (period, last_ms) in [(QuotaPeriod::Week, 3 * DAY_MS), (QuotaPeriod::Month, 31 * DAY_MS)] {
        let (statuses, [quota, day]) = play(
            period,
            &[
                Asks(1.0),
                Asks(1.1),
                // Second 3 is one before the period's last.
                Steps(1.5, last_ms - 4_000),
                Asks(3.5),
                Asks(4.5),
                Asks(4.6),
                Asks(4.7),
            ],
        );
        assert_eq!(statuses, ["200", "200", "429", "200", "200", "429"], "{period:?}");
        assert_eq!((quota.count, day.count), (2, 2), "{period:?}");
    }
}

#[test]
fn a_week_or_month_begins_as_many_days_later_as_its_offset_says() {
    for (period, offset, days, first) in [
        // The first Monday of 2026 is the 5th, the last one before it 2025-12-29.
        (QuotaPeriod::Week, 1, 4, 20_458),
        (QuotaPeriod::Week, 0, 3, 20_457),
        (QuotaPeriod::Month, 9, 9, 20_463),
        (QuotaPeriod::Month, 27, 27, 20_481),
        (QuotaPeriod::Month, 0, 31, 20_485),
    ] {
        let (statuses, [quota, day]) = play_from(
            period,
            offset,
            &[
                Asks(1.0),
                // Second 3 is the last of the period.
                Steps(1.5, days * DAY_MS - 4_000),
                Asks(3.0),
                Asks(3.1),
                Asks(4.5),
                // Back before its beginning, which gives nothing; forward again.
                Steps(5.0, -2 * DAY_MS),
                Asks(5.5),
                Asks(5.6),
                Steps(6.0, 2 * DAY_MS),
                Asks(6.5),
            ],
        );
        let want = ["200", "200", "429", "200", "200", "429", "429"];
        assert_eq!(statuses, want, "{period:?} {offset}");
        assert_eq!(quota, Counted { period: first, count: 2 }, "{period:?} {offset}");
        assert_eq!(day, quota, "the period's first day is the latest one");
    }
}
