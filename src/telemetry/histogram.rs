//! A latency histogram with one writer.

use std::time::Duration;

use crate::telemetry::Cell64;

/// Upper bounds of the buckets, nanoseconds, inclusive; a last bucket without bound follows.
///
/// From what a MOCK takes to AWS's integration timeout of 29 s. Each bound is at least twice the one
/// before, so that an octave `[2ᵏ, 2ᵏ⁺¹)` holds at most one: [`bucket_of`] relies on it.
pub(super) const BOUNDS: [u64; 17] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
];

/// The same as Prometheus's `le`, seconds.
pub(super) const BOUND_LABELS: [&str; BOUNDS.len()] = [
    "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
    "0.25", "0.5", "1", "2.5", "5", "10", "30",
];

/// Buckets, the one without bound included.
pub(super) const BUCKETS: usize = BOUNDS.len() + 1;

/// By octave: the first bucket that its smallest value falls into.
const FIRST_OF_OCTAVE: [u8; 64] = {
    let mut first = [0; 64];
    let mut octave = 0;
    while octave < 64 {
        let mut bucket = 0;
        while bucket < BOUNDS.len() && BOUNDS[bucket] < 1 << octave {
            bucket += 1;
        }
        first[octave] = bucket as u8;
        octave += 1;
    }
    first
};

const _: () = {
    let mut bucket = 1;
    while bucket < BOUNDS.len() {
        assert!(BOUNDS[bucket] >= 2 * BOUNDS[bucket - 1]);
        bucket += 1;
    }
};

/// The bucket of a value: its octave's first, or the next one if it is beyond that one's bound.
fn bucket_of(nanos: u64) -> usize {
    let octave = (nanos | 1).ilog2();
    let first = usize::from(FIRST_OF_OCTAVE[octave as usize]);
    first + usize::from(BOUNDS.get(first).is_some_and(|&bound| nanos > bound))
}

/// Latencies by size, 0.1 ms to 30 s, and their sum. One thread records, any thread reads.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [Cell64; BUCKETS],
    sum_nanos: Cell64,
}

impl Histogram {
    /// Upper bounds of all buckets but the last, nanoseconds, inclusive.
    pub const BOUNDS_NANOS: &'static [u64] = &BOUNDS;

    /// Counts one latency.
    pub fn record(&self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket_of(nanos)].increment();
        self.sum_nanos.add(nanos);
    }

    /// Latencies recorded.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(Cell64::load).sum()
    }

    /// Adds what is recorded here to `sum`.
    pub(super) fn add_to(&self, sum: &mut HistogramSum) {
        for (total, bucket) in sum.buckets.iter_mut().zip(&self.buckets) {
            *total += bucket.load();
        }
        sum.nanos += u128::from(self.sum_nanos.load());
    }
}

/// Several histograms added up; buckets are not cumulative.
#[derive(Default)]
pub(super) struct HistogramSum {
    pub(super) buckets: [u64; BUCKETS],
    pub(super) nanos: u128,
}

impl HistogramSum {
    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_of_agrees_with_a_search_at_every_bound_and_octave() {
        let plain = |nanos: u64| BOUNDS.iter().position(|&b| nanos <= b).unwrap_or(BOUNDS.len());
        let octaves = (0..64).map(|octave| 1_u64 << octave);
        for edge in BOUNDS.into_iter().chain(octaves).chain([0, u64::MAX]) {
            for nanos in [edge.saturating_sub(1), edge, edge.saturating_add(1)] {
                assert_eq!(bucket_of(nanos), plain(nanos), "{nanos}");
            }
        }
    }

    #[test]
    fn labels_say_what_the_bounds_are() {
        for (label, bound) in BOUND_LABELS.iter().zip(BOUNDS) {
            assert_eq!((label.parse::<f64>().unwrap() * 1e9).round() as u64, bound);
        }
    }

    #[test]
    fn histograms_count_and_sum() {
        let (one, other) = (Histogram::default(), Histogram::default());
        one.record(Duration::from_micros(100));
        one.record(Duration::from_secs(3_600));
        other.record(Duration::ZERO);
        let mut sum = HistogramSum::default();
        one.add_to(&mut sum);
        other.add_to(&mut sum);
        assert_eq!((one.count(), sum.count()), (2, 3));
        assert_eq!((sum.buckets[0], sum.buckets[BUCKETS - 1]), (2, 1));
        assert_eq!(sum.nanos, 3_600_000_100_000);
    }
}
