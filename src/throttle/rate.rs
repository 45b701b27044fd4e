//! Buckets whose settings are kept elsewhere: a word each, for a million of them.

use std::sync::atomic::{AtomicU64, Ordering};

use super::bucket::{TICKS_PER_NANO, TICKS_PER_SECOND, ticks};
use crate::time::Nanos;

/// Settings of a token bucket, ready to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Ticks per token.
    interval: u64,
    /// Ticks that a full bucket is worth. Zero refuses everything.
    tolerance: u64,
}

impl Rate {
    /// `rate` tokens a second, `burst` at once. Either of 0 refuses everything.
    pub fn new(rate: f64, burst: u32) -> Self {
        let (interval, tolerance) = ticks(rate, burst);
        Self { interval, tolerance }
    }

    /// Tokens a second, as near as ticks say.
    pub fn per_second(&self) -> f64 {
        if self.tolerance == 0 { 0.0 } else { TICKS_PER_SECOND / self.interval as f64 }
    }

    /// Tokens at once.
    pub fn burst(&self) -> u64 {
        self.tolerance / self.interval
    }
}

/// The state of a [token bucket](super::TokenBucket) without its settings; new, it is full.
///
/// Under settings that change it keeps its debt in time, at most what an empty bucket of the new settings
/// owes: whoever is blocked and gets a higher rate is served at that rate at once.
#[derive(Debug, Default)]
pub struct RateState(
    /// When the bucket will be full again, in ticks of the monotonic clock.
    AtomicU64,
);

impl RateState {
    /// Takes one token; `None` if there is none. What is returned [puts it back](Self::put_back).
    #[inline]
    pub fn take(&self, rate: Rate, now: Nanos) -> Option<u64> {
        // Relaxed throughout: the word guards nothing but itself.
        let now = now.0.saturating_mul(TICKS_PER_NANO);
        let latest = now.saturating_add(rate.tolerance);
        let mut current = self.0.load(Ordering::Relaxed);
        loop {
            let full_at = current.max(now).checked_add(rate.interval)?;
            if full_at > latest {
                if current > latest {
                    // More than an empty bucket owes is a debt of former settings. If another thread
                    // is faster, it has seen to it.
                    let empty = (current, latest);
                    let _ = self.0.compare_exchange(
                        empty.0,
                        empty.1,
                        Ordering::Relaxed,
                        Ordering::Relaxed,
                    );
                }
                return None;
            }
            match self.0.compare_exchange_weak(
                current,
                full_at,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(full_at),
                Err(changed) => current = changed,
            }
        }
    }

    /// Undoes the latest take; spent if another was since, as with [`TokenBucket::put_back`](super::TokenBucket::put_back).
    pub fn put_back(&self, rate: Rate, token: u64) {
        let before = token - rate.interval;
        let _ = self.0.compare_exchange(token, before, Ordering::Relaxed, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn it_gives_what_a_token_bucket_gives() {
        let start = 1_000 * SECOND;
        for (rate, burst) in [(1.0, 1), (5.0, 10), (0.1, 2), (10_000.0, 5_000), (0.0, 5), (5.0, 0)]
        {
            let whole = super::super::TokenBucket::new(rate, burst, Nanos(start));
            let (state, settings) = (RateState::default(), Rate::new(rate, burst));
            let mut at = start;
            for step in 0..2_000_u64 {
                at += step.wrapping_mul(0x9e37_79b9) % (SECOND / 3);
                let taken = state.take(settings, Nanos(at));
                assert_eq!(taken.is_some(), whole.take(Nanos(at)), "{rate} {burst} {step}");
            }
        }
    }

    #[test]
    fn a_token_comes_back_and_settings_may_change() {
        let (state, slow) = (RateState::default(), Rate::new(1.0, 2));
        let now = Nanos(10 * SECOND);
        let first = state.take(slow, now).unwrap();
        state.put_back(slow, first);
        assert!(state.take(slow, now).is_some() && state.take(slow, now).is_some());
        assert!(state.take(slow, now).is_none());
        // Other settings hold from now on: the bucket is empty, and fills at the new rate.
        let fast = Rate::new(1_000.0, 1);
        assert!(state.take(fast, now).is_none());
        let later = Nanos(now.0 + SECOND / 500);
        assert!(state.take(fast, later).is_some() && state.take(fast, later).is_none());
    }
}
