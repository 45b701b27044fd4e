//! Whose deployment a request to a stage with a canary gets: each is drawn by itself, at random.
//!
//! In: the shard's random numbers. Out: stage or canary. Cost: one number, one comparison.
//! Source: facts, stages section 4: `rand * 100 < percent`, at 100 always.

/// Bits of a draw: as many as an `f64` holds of a number below 1.
const DRAW_BITS: u32 = 53;

/// A canary's part of the requests, as a threshold for draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanaryShare {
    threshold: u64,
}

impl CanaryShare {
    /// A share in percent: at 0.0 and below none, at 100.0 and above all. No number is none.
    pub fn percent(percent: f64) -> Self {
        // `as` makes 0 of what is no number.
        let threshold = (percent.clamp(0.0, 100.0) / 100.0 * (1_u64 << DRAW_BITS) as f64) as u64;
        Self { threshold }
    }

    /// Whether the next request is the canary's.
    #[inline]
    pub fn draw(self, random: &mut fastrand::Rng) -> bool {
        random.u64(..) >> (u64::BITS - DRAW_BITS) < self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 100_000;

    fn drawn(percent: f64, seed: u64) -> u32 {
        let share = CanaryShare::percent(percent);
        let mut random = fastrand::Rng::with_seed(seed);
        (0..DRAWS).filter(|_| share.draw(&mut random)).count() as u32
    }

    /// Every whole percent and some fractions, by two generators as two shards have them. The statistic
    /// of each is (drawn - expected)² / variance, which is a chi-square of one degree: their mean is
    /// about 1, and none of 208 beyond 20 is to be expected (one in 130 000 is). The seeds are fixed, so
    /// that this passes always or never.
    #[test]
    fn shares_are_drawn_as_they_are_set_by_every_generator() {
        let fractions = [0.1, 0.5, 12.5, 99.9];
        let percents = (1..=99).map(f64::from).chain(fractions);
        let seeds = [0x5EED_0001, 0x5EED_0002];
        let mut sums = [0.0; 2];
        let mut count = 0.0;
        for percent in percents {
            let part = percent / 100.0;
            let expected = f64::from(DRAWS) * part;
            let variance = expected * (1.0 - part);
            for (sum, seed) in sums.iter_mut().zip(seeds) {
                let seed = seed ^ percent.to_bits();
                let off = f64::from(drawn(percent, seed)) - expected;
                let statistic = off * off / variance;
                assert!(statistic < 20.0, "{percent} % by {seed:x}: off by {off}");
                *sum += statistic;
            }
            count += 1.0;
        }
        // The mean of 103 such statistics has a standard deviation of 0.14.
        for sum in sums {
            let mean: f64 = sum / count;
            assert!((0.5..1.5).contains(&mean), "the mean of the statistics is {mean}");
        }
    }

    #[test]
    fn nothing_is_never_and_everything_is_always() {
        for (percent, want) in [(0.0, 0), (-1.0, 0), (f64::NAN, 0), (100.0, DRAWS), (250.0, DRAWS)]
        {
            assert_eq!(drawn(percent, 7), want, "{percent}");
        }
        assert!(drawn(f64::MIN_POSITIVE, 7) == 0 && drawn(99.999_999_999, 7) > DRAWS - 5);
    }

    /// Whether one request is the canary's says nothing about the next.
    #[test]
    fn draws_are_independent() {
        let share = CanaryShare::percent(50.0);
        let mut random = fastrand::Rng::with_seed(3);
        let draws: Vec<bool> = (0..DRAWS).map(|_| share.draw(&mut random)).collect();
        let changes = draws.windows(2).filter(|pair| pair[0] != pair[1]).count() as f64;
        let (expected, deviation) = (f64::from(DRAWS) / 2.0, (f64::from(DRAWS) / 4.0).sqrt());
        assert!((changes - expected).abs() < 4.5 * deviation, "{changes}");
    }
}
