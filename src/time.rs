//! Time as the gateway counts it.
//!
//! A shard reads the clock once per loop turn and hands the same [`Nanos`] to every step of that
//! turn: deadlines, token buckets and latencies cost no clock read per request. The simulated ring
//! has a simulated clock, so nothing below `server` may read the system's clock by itself.

use std::time::Duration;

/// A moment on the monotonic clock, nanoseconds since an arbitrary start (`CLOCK_MONOTONIC`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Later than any moment that will come: a deadline that is off.
    pub const NEVER: Self = Self(u64::MAX);

    /// This moment plus `duration`; saturates at [`Nanos::NEVER`].
    pub fn after(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// Time from `earlier` until this moment; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A moment on the wall clock, milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WallMillis(pub u64);

/// A calendar date and time of day in UTC (proleptic Gregorian calendar).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Civil {
    /// Year, for example 2026.
    pub year: i64,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
    /// Day of the week, 0 = Sunday.
    pub weekday: u8,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

impl WallMillis {
    /// Splits into date and time of day.
    ///
    /// Counts days in 400-year eras that start on 1 March, so that the leap day is the last of its
    /// year and month lengths follow one linear formula.
    pub fn civil(self) -> Civil {
        let seconds = self.0 / 1_000;
        let days = (seconds / 86_400).cast_signed();
        let of_day = seconds % 86_400;
        let shifted = days + 719_468; // days since 0000-03-01
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Civil {
            year,
            month: month as u8,
            day: day as u8,
            hour: (of_day / 3_600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
            weekday: (days + 4).rem_euclid(7) as u8,
        }
    }

    /// `2025-07-02T13:13:23Z` (RFC 3339).
    pub fn iso_8601(self) -> String {
        let c = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            c.year, c.month, c.day, c.hour, c.minute, c.second
        )
    }

    /// `Date` header's form: `Tue, 15 Nov 1994 08:12:31 GMT` (RFC 9110 section 5.6.7), 29 bytes.
    pub fn http_date(self) -> String {
        let c = self.civil();
        format!(
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
            WEEKDAYS[usize::from(c.weekday)],
            c.day,
            MONTHS[usize::from(c.month) - 1],
            c.year,
            c.hour,
            c.minute,
            c.second
        )
    }

    /// The form of a test invocation's log: `Tue Nov 04 16:59:12 UTC 2025`, 28 bytes.
    pub fn java_date(self) -> String {
        let c = self.civil();
        format!(
            "{} {} {:02} {:02}:{:02}:{:02} UTC {:04}",
            WEEKDAYS[usize::from(c.weekday)],
            MONTHS[usize::from(c.month) - 1],
            c.day,
            c.hour,
            c.minute,
            c.second,
            c.year
        )
    }

    /// `$context.requestTime`'s form: `04/Mar/2020:19:15:17 +0000`. Years have four digits.
    pub fn clf(self) -> [u8; 26] {
        let c = self.civil();
        let mut text = *b"00/Jan/0000:00:00:00 +0000";
        let mut two = |at: usize, number: u8| {
            text[at] += number / 10 % 10;
            text[at + 1] += number % 10;
        };
        let year = c.year.rem_euclid(10_000);
        two(0, c.day);
        two(7, (year / 100) as u8);
        two(9, (year % 100) as u8);
        two(12, c.hour);
        two(15, c.minute);
        two(18, c.second);
        text[3..6].copy_from_slice(MONTHS[usize::from(c.month) - 1].as_bytes());
        text
    }
}

/// [`WallMillis::clf`], made once for all moments of a second.
#[derive(Clone, Debug)]
pub struct ClfClock {
    second: u64,
    text: [u8; 26],
}

impl Default for ClfClock {
    fn default() -> Self {
        Self { second: 0, text: WallMillis(0).clf() }
    }
}

impl ClfClock {
    /// The text of a moment.
    #[inline]
    pub fn text(&mut self, wall: WallMillis) -> &[u8; 26] {
        let second = wall.0 / 1_000;
        if self.second != second {
            *self = Self { second, text: wall.clf() };
        }
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_http_and_clf_want_them() {
        for (millis, http, clf) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT", "01/Jan/1970:00:00:00 +0000"),
            (784_887_151_000, "Tue, 15 Nov 1994 08:12:31 GMT", "15/Nov/1994:08:12:31 +0000"),
            (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT", "29/Feb/2000:00:00:00 +0000"),
            (1_583_349_317_999, "Wed, 04 Mar 2020 19:15:17 GMT", "04/Mar/2020:19:15:17 +0000"),
            (4_107_542_399_000, "Sun, 28 Feb 2100 23:59:59 GMT", "28/Feb/2100:23:59:59 +0000"),
            (4_107_542_400_000, "Mon, 01 Mar 2100 00:00:00 GMT", "01/Mar/2100:00:00:00 +0000"),
        ] {
            assert_eq!(WallMillis(millis).http_date(), http);
            assert_eq!(WallMillis(millis).clf(), clf.as_bytes());
        }
        let mut clock = ClfClock::default();
        for millis in [0, 999, 1_000, 951_782_400_000, 951_782_400_999, 951_782_399_999, 0] {
            assert_eq!(*clock.text(WallMillis(millis)), WallMillis(millis).clf());
        }
        let date = WallMillis(1_762_275_552_999).java_date();
        assert_eq!(date, "Tue Nov 04 16:59:12 UTC 2025");
    }
}
