//! Moments as signatures write them: `20150830T123600Z`, and the `Date` header's form.

use crate::time::WallMillis;

/// Reads ISO 8601's basic format, `20150830T123600Z`.
pub(super) fn parse_basic(text: &[u8]) -> Option<WallMillis> {
    let [date @ .., b'T', h1, h2, m1, m2, s1, s2, b'Z'] = text else { return None };
    if date.len() != 8 {
        return None;
    }
    let number = |digits: &[u8]| number(digits);
    moment(
        number(&date[..4])?,
        number(&date[4..6])?,
        number(&date[6..])?,
        [number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?],
    )
}

/// Reads `Tue, 15 Nov 1994 08:12:31 GMT` (RFC 9110 section 5.6.7, the form that is not obsolete).
pub(super) fn parse_http(text: &[u8]) -> Option<WallMillis> {
    const MONTHS: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    if text.len() != 29 || &text[3..5] != b", " || &text[25..] != b" GMT" {
        return None;
    }
    if [7, 11, 16].iter().any(|&at| text[at] != b' ') || [19, 22].iter().any(|&at| text[at] != b':')
    {
        return None;
    }
    let month = MONTHS.iter().position(|month| *month == &text[8..11])? + 1;
    moment(
        number(&text[12..16])?,
        u32::try_from(month).ok()?,
        number(&text[5..7])?,
        [number(&text[17..19])?, number(&text[20..22])?, number(&text[23..25])?],
    )
}

/// Writes `20150830T123600Z`; its first eight bytes are the date of a credential's scope.
pub(super) fn basic(moment: WallMillis) -> String {
    let c = moment.civil();
    format!("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum: u32, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'))
    })
}

/// A moment from 1970 on whose parts are all in range.
fn moment(year: u32, month: u32, day: u32, [hour, minute, second]: [u32; 3]) -> Option<WallMillis> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days_of_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    let good = (1970..=9999).contains(&year)
        && (1..=days_of_month).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !good {
        return None;
    }
    // Years that begin in March, so that the leap day is the last of its year; see `WallMillis::civil`.
    let (year, month_from_march) =
        if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    let seconds = u64::from(days) * 86_400 + u64::from(hour * 3_600 + minute * 60 + second);
    Some(WallMillis(seconds * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_written() {
        // A step of days and a bit: each month, leap years and centuries, until 2200.
        for step in 0..4_000_u64 {
            let moment = WallMillis(step * 1_814_399 * 1_000);
            assert_eq!(parse_basic(basic(moment).as_bytes()), Some(moment), "{}", basic(moment));
            assert_eq!(parse_http(moment.http_date().as_bytes()), Some(moment));
        }
        assert_eq!(parse_basic(b"20150830T123600Z"), Some(WallMillis(1_440_938_160_000)));
        assert_eq!(basic(WallMillis(1_440_938_160_999)), "20150830T123600Z");
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "2015",
            "20150830",
            "20150830T123600",
            "20150830T123600z",
            "20150830 123600Z",
            "2015-08-30T12:36:00Z",
            "20151330T123600Z",
            "20150229T000000Z",
            "20150832T000000Z",
            "20150800T000000Z",
            "20150830T240000Z",
            "20150830T126000Z",
            "20150830T123660Z",
            "19691231T235959Z",
            "+0150830T123600Z",
            "120150830T123600Z",
            "2015083ZT123600Z",
        ] {
            assert_eq!(parse_basic(text.as_bytes()), None, "{text:?}");
        }
        for text in [
            "",
            "Tue, 15 Nov 1994 08:12:31 UTC",
            "Tue, 15 nov 1994 08:12:31 GMT",
            "Tue, 31 Nov 1994 08:12:31 GMT",
            "Tue, 15-Nov-1994 08:12:31 GMT",
            "Tuesday, 15-Nov-94 08:12:31 GMT",
            "Tue Nov 15 08:12:31 1994",
        ] {
            assert_eq!(parse_http(text.as_bytes()), None, "{text:?}");
        }
    }
}
