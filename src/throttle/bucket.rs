//! One token bucket, and several taken together.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crossbeam::utils::CachePadded;
use smallvec::SmallVec;

use crate::time::Nanos;

/// Ticks in a nanosecond. Intervals are whole ticks, rounded up: at 1 000 000 tokens a second that
/// costs nothing, at 3 000 000 0.005 %, at 100 000 000 at most 0.2 %.
///
/// The horizon follows from it: 2⁶⁴ ticks are 9.1 years. Ticks count from the bucket's creation,
/// and the clock, the debt and the burst together have to stay below. A burst that takes longer to
/// refill is in effect capped there; a process that has run for 9.1 years refuses.
pub(super) const TICKS_PER_NANO: u64 = 64;
pub(super) const TICKS_PER_SECOND: f64 = 64e9;

/// A token bucket of `burst` tokens that gains `rate` tokens a second.
///
/// All shards take from it at once. Settings can be changed at any time; the tokens stay.
#[derive(Debug)]
pub struct TokenBucket {
    /// When the bucket will be full again, in ticks since `origin`; at or before now: it is full.
    full_at: CachePadded<AtomicU64>,
    /// Where ticks start.
    origin: Nanos,
    /// Ticks per token.
    interval: AtomicU64,
    /// Ticks that a full bucket is worth: `burst × interval`. Zero refuses everything.
    tolerance: AtomicU64,
    /// `rate` as it was set (an `f64`'s bits).
    rate_bits: AtomicU64,
    burst: AtomicU32,
}

/// A token taken from a [`TokenBucket`], to be put back if the request is refused after all.
#[derive(Debug)]
#[must_use = "a token that is not put back is spent"]
pub struct Token {
    /// `full_at` as the take left it.
    full_at: u64,
    interval: u64,
}

impl TokenBucket {
    /// A full bucket.
    ///
    /// A `burst` of 0 refuses everything, and so does a `rate` of 0 (or one that is no number),
    /// as AWS answers 429 to everything then.
    pub fn new(rate: f64, burst: u32, now: Nanos) -> Self {
        let (interval, tolerance) = ticks(rate, burst);
        Self {
            full_at: CachePadded::new(AtomicU64::new(0)),
            origin: now,
            interval: AtomicU64::new(interval),
            tolerance: AtomicU64::new(tolerance),
            rate_bits: AtomicU64::new(rate.to_bits()),
            burst: AtomicU32::new(burst),
        }
    }

    /// Takes one token; `false` if there is none.
    pub fn take(&self, now: Nanos) -> bool {
        self.take_token(now).is_some()
    }

    /// Takes one token that can be [put back](Self::put_back); `None` if there is none.
    pub fn take_token(&self, now: Nanos) -> Option<Token> {
        // Relaxed throughout: the word guards nothing but itself.
        let now = self.tick(now);
        let interval = self.interval.load(Ordering::Relaxed);
        let latest = now.saturating_add(self.tolerance.load(Ordering::Relaxed));
        let mut current = self.full_at.load(Ordering::Relaxed);
        loop {
            let full_at = current.max(now).checked_add(interval)?;
            if full_at > latest {
                return None;
            }
            match self.full_at.compare_exchange_weak(
                current,
                full_at,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(Token { full_at, interval }),
                Err(changed) => current = changed,
            }
        }
    }

    /// Undoes the latest take, for a request that another bucket refuses.
    ///
    /// If another thread has taken since, the token counts as spent: had the bucket been full for
    /// that one without our take, its refill was lost, and one word cannot tell. So a bucket may
    /// rarely admit one less (a take by another shard within the some 20 ns between take and undo),
    /// but never more than `rate × time + burst`.
    pub fn put_back(&self, token: Token) {
        let Token { full_at, interval } = token;
        if interval != self.interval.load(Ordering::Relaxed) {
            return; // reconfigured in between: the token is worth something else now
        }
        // Not the weak kind: it must not fail by itself. Failing because of others is fine.
        let _ = self.full_at.compare_exchange(
            full_at,
            full_at - interval,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }

    /// Changes the settings and keeps the tokens, as many of them as the new burst holds.
    ///
    /// A larger burst is not a gift: the bucket grows into it at its rate. Settings that are as they
    /// were change nothing. One caller at a time (the publisher). A take that runs at the very same
    /// moment may see one old and one new setting and so be decided by either.
    pub fn reconfigure(&self, rate: f64, burst: u32, now: Nanos) {
        if rate.to_bits() == self.rate_bits.load(Ordering::Relaxed) && burst == self.burst() {
            return;
        }
        let (interval, tolerance) = ticks(rate, burst);
        let now = self.tick(now);
        let old_interval = self.interval.swap(interval, Ordering::Relaxed);
        let old_tolerance = self.tolerance.swap(tolerance, Ordering::Relaxed);
        self.rate_bits.store(rate.to_bits(), Ordering::Relaxed);
        self.burst.store(burst, Ordering::Relaxed);
        let convert = |full_at: u64| {
            let debt = full_at.saturating_sub(now).min(old_tolerance);
            let worth =
                u128::from(old_tolerance - debt) * u128::from(interval) / u128::from(old_interval);
            let worth = u64::try_from(worth).unwrap_or(u64::MAX).min(tolerance);
            Some(now.saturating_add(tolerance - worth))
        };
        // `convert` always returns a value, so this cannot fail.
        let _ = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, convert);
    }

    /// Tokens a second.
    pub fn rate(&self) -> f64 {
        f64::from_bits(self.rate_bits.load(Ordering::Relaxed))
    }

    /// Tokens the bucket holds when full.
    pub fn burst(&self) -> u32 {
        self.burst.load(Ordering::Relaxed)
    }

    fn tick(&self, now: Nanos) -> u64 {
        now.0.saturating_sub(self.origin.0).saturating_mul(TICKS_PER_NANO)
    }
}

/// Interval and tolerance in ticks. The interval is at least 1 and rounded up.
pub(super) fn ticks(rate: f64, burst: u32) -> (u64, u64) {
    if rate.is_nan() || rate <= 0.0 {
        return (u64::MAX, 0);
    }
    // `as` saturates: a rate too small for the horizon gets the horizon.
    let interval = ((TICKS_PER_SECOND / rate).ceil() as u64).max(1);
    (interval, interval.saturating_mul(u64::from(burst)))
}

/// Takes one token from every bucket, in order, or from none.
///
/// # Errors
/// The index of the first bucket that is empty. What was taken from those before it is put back: a
/// refused request does not use up another limit.
pub fn admit<'a>(
    buckets: impl IntoIterator<Item = &'a TokenBucket>,
    now: Nanos,
) -> Result<(), usize> {
    // AWS knows five levels at most: two of the usage plan, stage method, stage, account.
    let mut taken: SmallVec<[(&TokenBucket, Token); 6]> = SmallVec::new();
    for (index, bucket) in buckets.into_iter().enumerate() {
        match bucket.take_token(now) {
            Some(token) => taken.push((bucket, token)),
            None => {
                for (bucket, token) in taken.drain(..).rev() {
                    bucket.put_back(token);
                }
                return Err(index);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
mod tests;
