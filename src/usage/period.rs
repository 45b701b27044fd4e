//! Days, weeks and months of quotas, by the calendar of UTC.

use crate::time::WallMillis;

const DAY_MS: u64 = 86_400_000;

/// A day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u32);

impl Day {
    /// The day of a moment.
    pub fn of(moment: WallMillis) -> Self {
        Self(u32::try_from(moment.0 / DAY_MS).unwrap_or(u32::MAX))
    }

    /// Its first moment.
    pub fn begin(self) -> WallMillis {
        WallMillis(u64::from(self.0) * DAY_MS)
    }

    /// `2026-11-26`.
    pub fn iso(self) -> String {
        let date = self.begin().civil();
        format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
    }
}

/// After what time a quota begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuotaPeriod {
    /// At 00:00 UTC.
    Day,
    /// On Sunday, 00:00 UTC.
    Week,
    /// On the first of the month, 00:00 UTC.
    Month,
}

/// A quota: so many requests in a period.
///
/// `offset` moves the beginning of a week by 0 to 6 days and that of a month by 0 to 27, which are the
/// bounds that AWS sets. (Its guide calls the offset a number of requests; its bounds are those of days.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    /// Requests.
    pub limit: u64,
    /// In which time.
    pub period: QuotaPeriod,
    /// Days by which the period begins later.
    pub offset: u32,
}

impl Quota {
    /// Number of the period that a moment is in: its first day, so that numbers of days, weeks and months
    /// can be compared. A plan that changes from one to another goes on counting, or begins anew, and its
    /// next period begins when it should. A later moment's is never lower.
    #[inline]
    pub fn period_of(&self, moment: WallMillis) -> u32 {
        let day = Day::of(moment).0;
        let shifted = day.saturating_sub(self.offset);
        let into = match self.period {
            QuotaPeriod::Day => 0,
            // 1970-01-01 was a Thursday: four days after a Sunday.
            QuotaPeriod::Week => (shifted + 4) % 7,
            QuotaPeriod::Month => u32::from(Day(shifted).begin().civil().day).saturating_sub(1),
        };
        day.saturating_sub(into)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::counter::Counter;
    use super::*;

    /// Milliseconds of a UTC date, by the days of its year's months.
    fn at(year: u64, month: usize, day: u64, ms: u64) -> WallMillis {
        let leap = |year: u64| {
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
        };
        let before: u64 = (1970..year).map(|it| if leap(it) { 366 } else { 365 }).sum();
        let months = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let days = before + months[..month - 1].iter().sum::<u64>() + day - 1;
        WallMillis(days * DAY_MS + ms)
    }

    #[test]
    fn periods_begin_where_aws_lets_them_begin() {
        let quota = |period, offset| Quota { limit: 1, period, offset };
        use QuotaPeriod::{Day, Month, Week};
        for (period, offset, last, first) in [
            (Day, 0, at(2026, 11, 26, DAY_MS - 1), at(2026, 11, 27, 0)),
            (Day, 0, at(2028, 2, 29, DAY_MS - 1), at(2028, 3, 1, 0)),
            // 2026-11-22 is a Sunday.
            (Week, 0, at(2026, 11, 21, DAY_MS - 1), at(2026, 11, 22, 0)),
            (Week, 1, at(2026, 11, 22, DAY_MS - 1), at(2026, 11, 23, 0)),
            (Week, 6, at(2026, 11, 27, DAY_MS - 1), at(2026, 11, 28, 0)),
            (Month, 0, at(2026, 11, 30, DAY_MS - 1), at(2026, 12, 1, 0)),
            (Month, 0, at(2026, 12, 31, DAY_MS - 1), at(2027, 1, 1, 0)),
            (Month, 9, at(2026, 12, 9, DAY_MS - 1), at(2026, 12, 10, 0)),
            (Month, 27, at(2027, 2, 27, DAY_MS - 1), at(2027, 2, 28, 0)),
        ] {
            let quota = quota(period, offset);
            let (last_period, first_period) = (quota.period_of(last), quota.period_of(first));
            assert_eq!(first_period, super::Day::of(first).0, "{quota:?}");
            assert!(last_period < first_period, "{quota:?}");
        }
        for (period, offset, moment, first) in [
            (Day, 0, at(2026, 11, 26, 5), "2026-11-26"),
            (Week, 0, at(2026, 11, 26, 5), "2026-11-22"),
            (Week, 6, at(2026, 11, 26, 5), "2026-11-21"),
            (Month, 9, at(2026, 12, 3, 5), "2026-11-10"),
            (Month, 0, at(2028, 2, 29, 5), "2028-02-01"),
            (Month, 27, at(2027, 3, 27, 5), "2027-02-28"),
        ] {
            assert_eq!(super::Day(quota(period, offset).period_of(moment)).iso(), first);
        }
    }

    fn any_quota() -> impl Strategy<Value = Quota> {
        let period =
            prop_oneof![Just(QuotaPeriod::Day), Just(QuotaPeriod::Week), Just(QuotaPeriod::Month)];
        (period, 0_u32..28).prop_map(|(period, offset)| {
            let most = match period {
                QuotaPeriod::Day => 1,
                QuotaPeriod::Week => 7,
                QuotaPeriod::Month => 28,
            };
            Quota { limit: 1, period, offset: offset % most }
        })
    }

    proptest! {
        #[test]
        fn periods_never_go_back_and_begin_at_midnight(
            quota in any_quota(),
            early in 40 * DAY_MS..60_000 * DAY_MS,
            step in 0..400 * DAY_MS,
        ) {
            let late = WallMillis(early + step);
            let early = quota.period_of(WallMillis(early));
            let period = quota.period_of(late);
            prop_assert!(early <= period);
            prop_assert!(period <= Day::of(late).0);
            // The period's first moment is in it, the one before is not.
            let first = u64::from(period) * DAY_MS;
            prop_assert_eq!(quota.period_of(WallMillis(first)), period);
            prop_assert!(quota.period_of(WallMillis(first - 1)) < period);
        }

        #[test]
        fn periods_are_as_long_as_their_name_says(
            quota in any_quota(),
            moment in 40 * DAY_MS..60_000 * DAY_MS,
        ) {
            let first = quota.period_of(WallMillis(moment));
            let mut next = first + 1;
            while quota.period_of(WallMillis(u64::from(next) * DAY_MS)) == first {
                next += 1;
            }
            let begin = |day: u32| WallMillis(u64::from(day) * DAY_MS).civil();
            match quota.period {
                QuotaPeriod::Day => prop_assert_eq!(next - first, 1),
                QuotaPeriod::Week => {
                    prop_assert_eq!(next - first, 7);
                    // Days since a Sunday.
                    prop_assert_eq!((first + 4) % 7, quota.offset);
                }
                // 27, AWS's most, is one that every month has.
                QuotaPeriod::Month => {
                    prop_assert_eq!(u32::from(begin(first).day), quota.offset + 1);
                    prop_assert_eq!(u32::from(begin(next).day), quota.offset + 1);
                    prop_assert!((28..=31).contains(&(next - first)));
                }
            }
        }

        /// A counter's period only goes forward, whatever a plan's quota is changed to.
        #[test]
        fn a_changed_period_locks_nobody_out(
            before in any_quota(),
            after in any_quota(),
            moment in 40 * DAY_MS..60_000 * DAY_MS,
        ) {
            let counter = Counter::default();
            let moment = WallMillis(moment);
            let _ = counter.take(before.period_of(moment), Some(1)).expect("the first");
            prop_assert!(counter.take(before.period_of(moment), Some(1)).is_none());
            // However the period is called now, 31 days later a new one has begun.
            let later = WallMillis(moment.0 + 31 * DAY_MS);
            prop_assert!(counter.take(after.period_of(later), Some(1)).is_some());
            prop_assert!(counter.take(after.period_of(later), Some(1)).is_none());
        }
    }
}
