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

    /// `2026-11-26`.
    pub fn iso(self) -> String {
        let date = WallMillis(u64::from(self.0) * DAY_MS).civil();
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
    /// Number of the period that a moment is in; a later moment's is never lower.
    #[inline]
    pub fn period_of(&self, moment: WallMillis) -> u32 {
        let day = Day::of(moment).0;
        let shifted = day.saturating_sub(self.offset);
        match self.period {
            QuotaPeriod::Day => day,
            // 1970-01-01 was a Thursday: four days after a Sunday.
            QuotaPeriod::Week => (shifted + 4) / 7,
            QuotaPeriod::Month => {
                let date = WallMillis(u64::from(shifted) * DAY_MS).civil();
                u32::try_from(date.year * 12 + i64::from(date.month)).unwrap_or(u32::MAX)
            }
        }
    }

    /// First day of the period that a day is in.
    pub fn first_day_of(&self, day: Day) -> Day {
        let moment = |day: u32| WallMillis(u64::from(day) * DAY_MS);
        let period = self.period_of(moment(day.0));
        let mut first = day.0;
        while first > 0 && self.period_of(moment(first - 1)) == period {
            first -= 1;
        }
        Day(first)
    }
}

#[cfg(test)]
mod tests {
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
            let (last, first) = (quota.period_of(last), quota.period_of(first));
            assert_eq!(last + 1, first, "{quota:?}");
        }
        let week = quota(Week, 0);
        assert_eq!(week.first_day_of(super::Day::of(at(2026, 11, 26, 0))).iso(), "2026-11-22");
        assert_eq!(
            quota(Month, 9).first_day_of(super::Day::of(at(2026, 12, 3, 0))).iso(),
            "2026-11-10"
        );
    }

    proptest::proptest! {
        #[test]
        fn periods_never_go_back(day in 0_u64..60_000, step in 0_u64..400, offset in 0_u32..28) {
            for period in [QuotaPeriod::Day, QuotaPeriod::Week, QuotaPeriod::Month] {
                let quota = Quota { limit: 1, period, offset };
                let (early, late) = (WallMillis(day * DAY_MS), WallMillis((day + step) * DAY_MS));
                proptest::prop_assert!(quota.period_of(early) <= quota.period_of(late));
                let first = quota.first_day_of(Day::of(late));
                let moment = WallMillis(u64::from(first.0) * DAY_MS);
                proptest::prop_assert_eq!(quota.period_of(moment), quota.period_of(late));
            }
        }
    }
}
