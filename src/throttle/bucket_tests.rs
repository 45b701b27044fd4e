use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

/// Offers a request every `step` nanoseconds for `nanos`, returns how many were admitted.
fn overload(bucket: &TokenBucket, start: u64, nanos: u64, step: u64) -> u64 {
    (0..nanos / step).filter(|i| bucket.take(Nanos(start + i * step))).count() as u64
}

#[test]
fn take_admits_within_1_percent_of_rate_and_burst_under_3x_overload_and_never_more() {
    let start = 77 * SECOND;
    for (rate, burst) in
        [(0.1, 2), (0.1, 3), (1.0, 2), (7.3, 2), (1_000.0, 50), (10_000.0, 5_000), (100_000.0, 2)]
    {
        // 10 s, longer for rates that give less than a hundred tokens in that time.
        let nanos = (SECOND as f64 * (10.0_f64).max(300.0 / rate)) as u64;
        let bucket = TokenBucket::new(rate, burst, Nanos(start));
        let step = (SECOND as f64 / rate / 3.0) as u64;
        let admitted = overload(&bucket, start, nanos, step) as f64;
        let most = rate * nanos as f64 / SECOND as f64 + f64::from(burst);
        assert!(admitted <= most, "{rate}/s burst {burst}: {admitted} > {most}");
        assert!(admitted >= most * 0.99 - 1.0, "{rate}/s burst {burst}: {admitted} << {most}");
    }
}

#[test]
fn take_is_exact_at_a_million_a_second() {
    let bucket = TokenBucket::new(1e6, 100, Nanos(0));
    let admitted = overload(&bucket, 0, SECOND / 10, 333);
    assert!((99_900..=100_100).contains(&admitted), "{admitted}");
}

#[test]
fn intervals_are_rounded_up_so_that_a_crooked_rate_never_gives_more() {
    let bucket = TokenBucket::new(3e6, 2, Nanos(0));
    let admitted = overload(&bucket, 0, SECOND / 10, 100);
    assert!((299_900..=300_002).contains(&admitted), "{admitted}");
}

#[test]
fn burst_0_rate_0_and_nonsense_refuse_everything() {
    for (rate, burst) in [(5.0, 0), (0.0, 5), (-1.0, 5), (f64::NAN, 5)] {
        let bucket = TokenBucket::new(rate, burst, Nanos(1));
        for now in [1, SECOND, 1_000 * SECOND, u64::MAX] {
            assert!(!bucket.take(Nanos(now)), "{rate}/s burst {burst} at {now}");
        }
    }
}

#[test]
fn extreme_settings_neither_overflow_nor_lock_up() {
    for rate in [f64::MIN_POSITIVE, 1e-9, 1.0, 1e9, 1e300, f64::INFINITY] {
        for burst in [1, 5_000, u32::MAX] {
            let bucket = TokenBucket::new(rate, burst, Nanos(SECOND));
            for now in [0, SECOND, 2 * SECOND, u64::MAX - 1, u64::MAX] {
                let _ = bucket.take(Nanos(now));
            }
            bucket.reconfigure(1.0, 2, Nanos(3 * SECOND));
        }
    }
    // At the end of the ticks nothing wraps to the beginning.
    let bucket = TokenBucket::new(1.0, 1, Nanos(0));
    assert!(!bucket.take(Nanos::NEVER), "no tick is left to note the take in");
}

#[test]
fn an_older_clock_gains_no_tokens() {
    let bucket = TokenBucket::new(1_000.0, 10, Nanos(0));
    let now = SECOND;
    for _ in 0..10 {
        assert!(bucket.take(Nanos(now)));
    }
    for older in [now, now - 1, now - 5_000_000, 0] {
        assert!(!bucket.take(Nanos(older)), "at {older}");
    }
    // A clock that is ahead by 3 ms gets those 3 tokens now; the others wait for as long.
    assert_eq!((0..10).filter(|_| bucket.take(Nanos(now + 3_000_000))).count(), 3);
    assert!(!bucket.take(Nanos(now)));
    assert!(!bucket.take(Nanos(now + 3_000_000)));
    assert!(bucket.take(Nanos(now + 4_000_000)));
    let early = TokenBucket::new(1.0, 1, Nanos(now));
    assert!(early.take(Nanos(now - 500)), "a new bucket is full for a shard that is behind, too");
    assert!(!early.take(Nanos(now + SECOND - 1)));
    assert!(early.take(Nanos(now + SECOND)));
}

#[test]
fn put_back_undoes_the_latest_take_only() {
    let bucket = TokenBucket::new(1.0, 2, Nanos(0));
    let first = bucket.take_token(Nanos(0)).unwrap();
    bucket.put_back(first);
    assert!(bucket.take(Nanos(0)));
    let latest = bucket.take_token(Nanos(0)).unwrap();
    assert!(!bucket.take(Nanos(0)));
    bucket.put_back(latest);
    assert!(bucket.take(Nanos(0)));
    assert!(!bucket.take(Nanos(0)));

    // Full; taken; full again; taken: to put the first back now would make it 3 out of 2.
    let bucket = TokenBucket::new(1.0, 2, Nanos(0));
    let stale = bucket.take_token(Nanos(0)).unwrap();
    assert!(bucket.take(Nanos(SECOND)));
    bucket.put_back(stale);
    assert!(bucket.take(Nanos(SECOND)));
    assert!(!bucket.take(Nanos(SECOND)));
}

#[test]
fn admit_takes_from_all_or_from_none() {
    let method = TokenBucket::new(1.0, 3, Nanos(0));
    let stage = TokenBucket::new(1.0, 3, Nanos(0));
    let account = TokenBucket::new(1.0, 1, Nanos(0));
    let order = [&method, &stage, &account];
    assert_eq!(admit(order, Nanos(0)), Ok(()));
    for _ in 0..100 {
        assert_eq!(admit(order, Nanos(0)), Err(2), "the account's is empty");
    }
    for bucket in [&method, &stage] {
        assert_eq!((0..9).filter(|_| bucket.take(Nanos(0))).count(), 2, "one was used, not 101");
    }
    assert_eq!(admit(order, Nanos(0)), Err(0), "the first that is empty decides");
    assert_eq!(admit([], Nanos(0)), Ok(()));
}

#[test]
fn reconfigure_keeps_the_tokens() {
    // (before, taken, after, tokens there must be right after)
    for (before, taken, after, left) in [
        ((1.0, 5), 5, (1_000.0, 5), 0), // faster: no gift
        ((1_000.0, 5), 5, (1.0, 5), 0), // slower: no gift either
        ((1.0, 5), 2, (2.0, 5), 3),     // what is there stays there
        ((1.0, 5), 5, (1.0, 10), 0),    // a larger burst is grown into
        ((1.0, 10), 2, (1.0, 5), 5),    // a smaller one holds no more
        ((1.0, 5), 0, (1.0, 0), 0),     // closed
        ((1.0, 0), 0, (1.0, 5), 0),     // opened again
        ((0.0, 5), 0, (1.0, 5), 0),     // the same by the rate
    ] {
        let now = Nanos(9 * SECOND);
        let bucket = TokenBucket::new(before.0, before.1, Nanos(0));
        assert_eq!((0..taken).filter(|_| bucket.take(now)).count(), taken);
        bucket.reconfigure(after.0, after.1, now);
        assert_eq!((bucket.rate(), bucket.burst()), after);
        let admitted = (0..20).filter(|_| bucket.take(now)).count();
        assert_eq!(admitted, left, "{before:?} less {taken} then {after:?}");
        if after.1 > 0 {
            let second = Nanos(now.0 + SECOND);
            assert!(bucket.take(second), "{before:?} then {after:?}: refills at the new rate");
        }
    }
}

#[test]
fn reconfigure_with_the_same_settings_changes_nothing() {
    let bucket = TokenBucket::new(10.0, 5, Nanos(0));
    let token = bucket.take_token(Nanos(0)).unwrap();
    let before = bucket.full_at.load(Ordering::Relaxed);
    bucket.reconfigure(10.0, 5, Nanos(SECOND * 99));
    assert_eq!(bucket.full_at.load(Ordering::Relaxed), before);
    bucket.put_back(token);
    assert_eq!(bucket.full_at.load(Ordering::Relaxed), 0);
}

#[test]
fn two_threads_on_one_clock_admit_no_more_than_one_bucket_holds() {
    let (rate, burst, seconds) = (100_000.0, 500, 1);
    let bucket = Arc::new(TokenBucket::new(rate, burst, Nanos(0)));
    let other = Arc::new(TokenBucket::new(rate / 2.0, burst, Nanos(0)));
    let clock = Arc::new(AtomicU64::new(0));
    let start = Arc::new(Barrier::new(2));
    let step = 1_600; // both together: 3 x the rate and more
    let threads: Vec<_> = (0..2_u64)
        .map(|thread| {
            let (bucket, other) = (Arc::clone(&bucket), Arc::clone(&other));
            let (clock, start) = (Arc::clone(&clock), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                let (mut admitted, mut both) = (0_u64, 0_u64);
                loop {
                    let now = clock.fetch_add(step, Ordering::Relaxed);
                    if now >= seconds * SECOND {
                        return (admitted, both);
                    }
                    // The second shard's clock is up to 2 ms behind.
                    let now = Nanos(now.saturating_sub(thread * (now % 2_000_000)));
                    admitted += u64::from(bucket.take(now));
                    // Put back all the time, by both.
                    both += u64::from(admit([&*other, &*bucket], now).is_ok());
                }
            })
        })
        .collect();
    let (admitted, both) = threads
        .into_iter()
        .map(|thread| thread.join().expect("a hammering thread"))
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let most = rate as u64 * seconds + u64::from(burst);
    assert!(admitted + both <= most, "{admitted} + {both} > {most}");
    assert!(admitted + both >= most * 99 / 100, "{admitted} + {both} << {most}");
    assert!(both <= rate as u64 / 2 * seconds + u64::from(burst), "{both}");
}

/// The plain bucket: a number of tokens and the last moment it was refilled, in exact fractions
/// (tokens times ticks per token).
struct Plain {
    interval: u64,
    full: u128,
    worth: u128,
    last: u64,
}

impl Plain {
    fn take(&mut self, now: u64) -> bool {
        let passed = now.saturating_sub(self.last) * TICKS_PER_NANO;
        self.last = self.last.max(now);
        self.worth = (self.worth + u128::from(passed)).min(self.full);
        let enough = self.worth >= u128::from(self.interval);
        if enough {
            self.worth -= u128::from(self.interval);
        }
        enough
    }
}

proptest! {
    #[test]
    fn take_answers_as_the_plain_bucket_does(
        rate in prop_oneof![0.01_f64..10.0, 10.0_f64..100_000.0, 1e5_f64..2e6],
        burst in 0_u32..40,
        steps in prop::collection::vec((0_u64..4, 0.0_f64..1.0), 1..400),
    ) {
        let (interval, full) = ticks(rate, burst);
        let bucket = TokenBucket::new(rate, burst, Nanos(1_000));
        let mut plain = Plain { interval, full: full.into(), worth: full.into(), last: 1_000 };
        let mut now = 1_000;
        for (kind, length) in steps {
            now += match kind {
                0 => 0,
                1 => (length * 1e9 / rate) as u64,
                2 => (length * 3e9 / rate) as u64,
                _ => (length * 1e9 / rate * f64::from(burst)) as u64,
            };
            prop_assert_eq!(bucket.take(Nanos(now)), plain.take(now), "at {}", now);
        }
    }

    #[test]
    fn clocks_that_differ_and_tokens_put_back_never_admit_more(
        rate in 100.0_f64..1e6,
        burst in 1_u32..20,
        steps in prop::collection::vec((0_u64..3_000, 0_u64..2_000_000, 0_u8..4), 1..600),
    ) {
        let bucket = TokenBucket::new(rate, burst, Nanos(0));
        let (mut clock, mut admitted) = (10_000_000, 0_u64);
        let start = clock;
        let mut held: Vec<Token> = Vec::new();
        for (forward, behind, act) in steps {
            clock += forward;
            match act {
                0 => if let Some(token) = held.pop() { bucket.put_back(token); admitted -= 1; },
                1 => if let Some(token) = bucket.take_token(Nanos(clock)) {
                    held.push(token);
                    admitted += 1;
                },
                2 => {
                    // Behind, but not before the time that is counted.
                    let now = Nanos((clock - behind).max(start));
                    admitted += u64::from(bucket.take(now));
                }
                _ => admitted += u64::from(bucket.take(Nanos(clock))),
            }
            // Not yet put back counts as admitted, and put back late as if it never had been.
            let most = rate * (clock - start) as f64 / 1e9 + f64::from(burst);
            prop_assert!(admitted as f64 <= most, "{} > {}", admitted, most);
        }
    }
}
