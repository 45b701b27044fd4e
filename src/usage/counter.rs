//! A counter that begins anew with every period: one word, shared by all shards.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bits of the count; the rest is the period.
const COUNT_BITS: u32 = 40;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
/// What stands for a count of zero: counts below it are grants beyond the limit.
const ZERO: u64 = 1 << (COUNT_BITS - 1);

/// Requests counted in a period.
///
/// Its period only goes forward. A clock that is set back goes on counting in the later period, so that
/// nobody gets a quota twice; one that is set forward begins the later period early.
#[derive(Debug)]
pub struct Counter(AtomicU64);

/// What a counter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The period's number, below 2²⁴.
    pub period: u32,
    /// Requests; below zero: as many may come beyond the limit.
    pub count: i64,
}

/// One count, to be taken back if the request is refused after all.
#[derive(Clone, Copy, Debug)]
#[must_use = "a count that is not taken back stands"]
pub struct Count {
    period: u32,
    /// What the counter said before.
    pub before: Counted,
}

impl Count {
    /// The period that this count has ended, if something was counted in it.
    pub fn ended(&self) -> Option<Counted> {
        (self.before.period < self.period && self.before.count > 0).then_some(self.before)
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new(Counted { period: 0, count: 0 })
    }
}

impl Counter {
    /// A counter that has counted so far.
    pub fn new(counted: Counted) -> Self {
        Self(AtomicU64::new(pack(counted)))
    }

    /// What it says now.
    pub fn counted(&self) -> Counted {
        unpack(self.0.load(Ordering::SeqCst))
    }

    /// Counts one more in `period`; `None`: `limit` are counted already.
    #[inline]
    pub fn take(&self, period: u32, limit: Option<u64>) -> Option<Count> {
        // The word guards nothing but itself; `SeqCst` is for the mark that says it has changed (see
        // `Member::is_first_change`).
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let counted = unpack(word);
            let begins = period > counted.period;
            let now = if begins { Counted { period, count: 0 } } else { counted };
            if let Some(limit) = limit
                && now.count >= i64::try_from(limit).unwrap_or(i64::MAX)
            {
                return None;
            }
            let next = pack(Counted { count: now.count + 1, ..now });
            match self.0.compare_exchange_weak(word, next, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return Some(Count { period: now.period, before: counted }),
                Err(changed) => word = changed,
            }
        }
    }

    /// Takes a count back. One whose period has ended meanwhile is gone with it.
    pub fn put_back(&self, count: Count) {
        let back = |word| {
            let counted = unpack(word);
            let same = counted.period == count.period;
            same.then(|| pack(Counted { count: counted.count - 1, ..counted }))
        };
        // An error says that the period has ended.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::Relaxed, back);
    }

    /// Begins a period without counting in it; the answer is what was counted in the one that this ends.
    pub fn begin(&self, period: u32) -> Option<Counted> {
        let next = pack(Counted { period, count: 0 });
        let begin = |word| (unpack(word).period < period).then_some(next);
        let word = self.0.fetch_update(Ordering::SeqCst, Ordering::Relaxed, begin).ok()?;
        Some(unpack(word)).filter(|counted| counted.count > 0)
    }

    /// Sets what is counted, whatever was.
    pub fn set(&self, counted: Counted) {
        self.0.store(pack(counted), Ordering::SeqCst);
    }
}

fn pack(Counted { period, count }: Counted) -> u64 {
    let zero = i64::try_from(ZERO).unwrap_or(i64::MAX);
    let count = count.clamp(-zero, zero - 1) + zero;
    (u64::from(period) << COUNT_BITS) | (count.unsigned_abs() & COUNT_MASK)
}

fn unpack(word: u64) -> Counted {
    let count = (word & COUNT_MASK).cast_signed() - ZERO.cast_signed();
    Counted { period: (word >> COUNT_BITS) as u32, count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_to_the_limit_and_begins_anew() {
        let counter = Counter::default();
        assert!((0..3).all(|_| counter.take(7, Some(3)).is_some()));
        assert!(counter.take(7, Some(3)).is_none());
        assert!(counter.take(7, Some(4)).is_some(), "a higher limit holds at once");
        let first = counter.take(8, Some(3)).unwrap();
        assert_eq!(first.ended(), Some(Counted { period: 7, count: 4 }));
        assert_eq!(counter.counted(), Counted { period: 8, count: 1 });
        let second = counter.take(8, Some(3)).unwrap();
        assert_eq!((second.ended(), second.before), (None, Counted { period: 8, count: 1 }));
        counter.put_back(second);
        counter.put_back(first);
        assert_eq!(counter.counted(), Counted { period: 8, count: 0 });
        assert!(counter.take(8, Some(0)).is_none());
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_twice() {
        let counter = Counter::default();
        assert!(counter.take(10, Some(1)).is_some());
        assert!(counter.take(9, Some(1)).is_none(), "set back");
        assert!(counter.take(10, Some(1)).is_none());
        assert!(counter.take(30, Some(1)).is_some(), "set forward");
        assert!(counter.take(11, Some(1)).is_none(), "and back: the later period goes on");
        assert!(counter.take(31, Some(1)).is_some());
    }

    #[test]
    fn a_count_of_an_ended_period_is_not_taken_back() {
        let counter = Counter::default();
        let old = counter.take(1, None).unwrap();
        let _ = counter.take(2, None).unwrap();
        counter.put_back(old);
        assert_eq!(counter.counted(), Counted { period: 2, count: 1 });
    }

    #[test]
    fn a_period_begins_once() {
        let counter = Counter::new(Counted { period: 5, count: 3 });
        assert_eq!((counter.begin(4), counter.begin(5)), (None, None));
        assert_eq!(counter.begin(6), Some(Counted { period: 5, count: 3 }));
        assert_eq!((counter.begin(6), counter.begin(7)), (None, None), "nothing was counted in it");
        assert_eq!(counter.counted(), Counted { period: 7, count: 0 });
    }

    #[test]
    fn a_grant_goes_beyond_the_limit() {
        let counter = Counter::new(Counted { period: 5, count: -2 });
        assert_eq!(counter.counted(), Counted { period: 5, count: -2 });
        assert_eq!((0..9).filter(|_| counter.take(5, Some(1)).is_some()).count(), 3);
    }

    #[test]
    fn threads_together_count_exactly() {
        let counter = Counter::default();
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..10_000).filter(|_| counter.take(1, Some(25_000)).is_some()).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 25_000);
        assert_eq!(counter.counted(), Counted { period: 1, count: 25_000 });
    }
}
