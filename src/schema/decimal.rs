//! JSON numbers as exact decimals, out of their text.
//!
//! A number is digits and the power of ten they are multiplied with; nothing is ever rounded. What
//! bodies have, up to eighteen digits without an exponent, is compared and divided as integers
//! ([`Quick`]); anything longer is walked digit by digit where it stands ([`Digits`]), so a number
//! of a megabyte costs its length and no memory.

use std::cmp::Ordering;

use num_bigint::BigUint;
use num_traits::{One, Zero};

/// Longest text that becomes a [`Quick`], bytes: as many digits always fit an `i64`.
const QUICK_BYTES_MAX: usize = 18;

/// 10^0 to 10^18.
const POWERS: [i64; QUICK_BYTES_MAX + 1] = {
    let mut powers = [1; QUICK_BYTES_MAX + 1];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// A short number: `units / 10^places`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quick {
    units: i64,
    places: u32,
}

impl Quick {
    /// `None` if `text` is too long or has an exponent.
    #[inline]
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() > QUICK_BYTES_MAX {
            return None;
        }
        let (negative, digits) = match bytes {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let (mut units, mut places, mut step) = (0i64, 0, 0);
        for &byte in digits {
            match byte {
                b'0'..=b'9' => {
                    units = units * 10 + i64::from(byte - b'0');
                    places += step;
                }
                b'.' => step = 1,
                _ => return None,
            }
        }
        Some(Self { units: if negative { -units } else { units }, places })
    }

    #[inline]
    fn compare(self, other: Self) -> Ordering {
        // The one with fewer places is scaled. If that is too much for 64 bits, it is further from
        // zero than the other, which has eighteen digits at most.
        let scaled = |a: Self, places: u32| a.units.checked_mul(POWERS[places as usize]);
        if self.places >= other.places {
            match scaled(other, self.places - other.places) {
                Some(units) => self.units.cmp(&units),
                None => 0.cmp(&other.units),
            }
        } else {
            match scaled(self, other.places - self.places) {
                Some(units) => units.cmp(&other.units),
                None => self.units.cmp(&0),
            }
        }
    }

    /// Whether this is a whole number of `divisor`s, which is not zero.
    fn is_multiple_of(self, divisor: Self) -> bool {
        if self.places == divisor.places {
            return self.units % divisor.units == 0;
        }
        let scaled = |a: Self, b: Self| {
            i128::from(a.units) * i128::from(POWERS[b.places.saturating_sub(a.places) as usize])
        };
        let (dividend, divisor) = (scaled(self, divisor), scaled(divisor, self));
        match (i64::try_from(dividend), i64::try_from(divisor)) {
            (Ok(dividend), Ok(divisor)) => dividend % divisor == 0,
            _ => dividend % divisor == 0,
        }
    }
}

/// Any number: its significant digits, first and last not zero, times `10^scale`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digits<'a> {
    negative: bool,
    /// The digits before and after the point. Zero has none.
    whole: &'a [u8],
    fraction: &'a [u8],
    scale: i64,
}

impl<'a> Digits<'a> {
    /// `None` if `text` is no JSON number, or its exponent needs more than 32 bits.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let unsigned = bytes.strip_prefix(b"-").unwrap_or(bytes);
        let (mantissa, exponent) = match unsigned.iter().position(|byte| byte | 0x20 == b'e') {
            Some(at) => (&unsigned[..at], exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        let point = mantissa.iter().position(|&byte| byte == b'.').unwrap_or(mantissa.len());
        let (mut whole, mut fraction) = (&mantissa[..point], &mantissa[point..]);
        fraction = fraction.strip_prefix(b".").unwrap_or(fraction);
        let all_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        fraction = trim_end(fraction);
        let mut scale = exponent - fraction.len() as i64;
        whole = trim_start(whole);
        if whole.is_empty() {
            fraction = trim_start(fraction);
        }
        if fraction.is_empty() {
            let trimmed = trim_end(whole);
            scale += (whole.len() - trimmed.len()) as i64;
            whole = trimmed;
        }
        let zero = whole.is_empty() && fraction.is_empty();
        let negative = !zero && bytes.first() == Some(&b'-');
        Some(Self { negative, whole, fraction, scale: if zero { 0 } else { scale } })
    }

    fn count(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    fn is_zero(&self) -> bool {
        self.count() == 0
    }

    fn digits(&self) -> impl Iterator<Item = u8> + 'a {
        self.whole.iter().chain(self.fraction).map(|byte| byte - b'0')
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.is_zero(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let by_sign = sign(self).cmp(&sign(other));
        if by_sign.is_ne() || self.is_zero() {
            return by_sign;
        }
        // Places before the point; of two numbers with as many, the digits decide as text does.
        let places = |number: &Self| number.count() as i64 + number.scale;
        let magnitude =
            places(self).cmp(&places(other)).then_with(|| self.digits().cmp(other.digits()));
        if self.negative { magnitude.reverse() } else { magnitude }
    }

    /// A number's parts, the same for all ways to write it.
    pub(super) fn canonical(&self) -> (bool, i64, impl Iterator<Item = u8> + 'a) {
        (self.negative, self.scale, self.digits())
    }
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&byte| byte == b'0').count();
    &digits[zeros..]
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|&&byte| byte == b'0').count();
    &digits[..digits.len() - zeros]
}

fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let significant = trim_start(digits);
    if digits.is_empty() || significant.len() > 10 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = significant.iter().fold(0, |sum, &digit| sum * 10 + i64::from(digit - b'0'));
    let value = if negative { -value } else { value };
    i32::try_from(value).ok().map(i64::from)
}

/// Compares two JSON numbers by value. `None` if one of them is none.
#[inline]
pub(super) fn compare(left: &str, right: &str) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (Quick::parse(left), Quick::parse(right)) {
        return Some(left.compare(right));
    }
    Some(Digits::parse(left)?.compare(&Digits::parse(right)?))
}

/// Whether a JSON number is within bounds whose least and greatest whole numbers are these. `None`
/// where that takes a closer look.
#[inline(always)]
pub(super) fn is_within(text: &[u8], least: i64, most: i64) -> Option<bool> {
    if text.len() > QUICK_BYTES_MAX {
        return None;
    }
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (mut sum, mut at) = (0, 0);
    while let Some(digit) = digits.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&d| d <= 9) {
        sum = sum * 10 + i64::from(digit);
        at += 1;
    }
    match digits.get(at..) {
        Some([]) => {
            let whole = if negative { -sum } else { sum };
            Some(least <= whole && whole <= most)
        }
        // Between two whole numbers that are both within bounds everything is.
        Some([b'.', fraction @ ..])
            if !negative
                && least <= sum
                && sum < most
                && fraction.iter().all(|byte| byte.is_ascii_digit()) =>
        {
            Some(true)
        }
        _ => None,
    }
}

/// A number that a schema has, ready to be compared with.
#[derive(Debug)]
pub(super) struct Constant {
    text: Box<str>,
    quick: Option<Quick>,
}

impl Constant {
    /// `None` if `text` is no number.
    pub(super) fn new(text: &str) -> Option<Self> {
        Digits::parse(text)?;
        Some(Self { text: text.into(), quick: Quick::parse(text) })
    }

    /// As the schema writes it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The whole numbers that are nearest: not above, and not below. `None` if they are too large.
    pub(super) fn whole_neighbours(&self) -> Option<(i64, i64)> {
        let Quick { units, places } = self.quick?;
        let power = POWERS[places as usize];
        let floor = units.div_euclid(power);
        Some((floor, floor + i64::from(units.rem_euclid(power) != 0)))
    }

    pub(super) fn is_positive(&self) -> bool {
        Digits::parse(&self.text).is_some_and(|digits| !digits.negative && !digits.is_zero())
    }

    /// How `number` compares to this. `None` if it is no number.
    #[inline]
    pub(super) fn compare(&self, number: &Candidate<'_>) -> Option<Ordering> {
        match (number.quick, self.quick) {
            (Some(number), Some(quick)) => Some(number.compare(quick)),
            _ => compare(number.text, &self.text),
        }
    }

    /// Whether `number` is this, which is positive, some whole number of times.
    #[inline]
    pub(super) fn divides(&self, number: &Candidate<'_>) -> bool {
        match (number.quick, self.quick) {
            (Some(number), Some(quick)) => number.is_multiple_of(quick),
            _ => self.divides_digits(number.text),
        }
    }

    fn divides_digits(&self, number: &str) -> bool {
        let (Some(number), Some(divisor)) = (Digits::parse(number), Digits::parse(&self.text))
        else {
            return false;
        };
        if number.is_zero() {
            return true;
        }
        // Neither mantissa ends in zero. If the divisor's last digit stands further left, the
        // mantissa would have to be a multiple of ten.
        let Ok(shift) = u64::try_from(number.scale - divisor.scale) else { return false };
        if divisor.count() <= QUICK_BYTES_MAX {
            let modulus = divisor.digits().fold(0u64, |sum, digit| sum * 10 + u64::from(digit));
            remainder(&number, shift, modulus) == 0
        } else {
            remainder_big(&number, shift, &divisor).is_zero()
        }
    }
}

/// A number that a body has, read once for all rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) text: &'a str,
    quick: Option<Quick>,
}

impl<'a> Candidate<'a> {
    #[inline]
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, quick: Quick::parse(text) }
    }
}

/// `digits × 10^shift mod modulus`, in as many steps as there are digits.
fn remainder(number: &Digits<'_>, shift: u64, modulus: u64) -> u64 {
    let modulus = u128::from(modulus);
    let mut sum = number.digits().fold(0, |sum, digit| (sum * 10 + u128::from(digit)) % modulus);
    let (mut power, mut left) = (10 % modulus, shift);
    while left > 0 {
        if left & 1 == 1 {
            sum = sum * power % modulus;
        }
        power = power * power % modulus;
        left >>= 1;
    }
    sum as u64
}

#[cold]
fn remainder_big(number: &Digits<'_>, shift: u64, divisor: &Digits<'_>) -> BigUint {
    let text: Vec<u8> = divisor.digits().map(|digit| digit + b'0').collect();
    let modulus = BigUint::parse_bytes(&text, 10).unwrap_or_else(BigUint::one);
    let mut sum = BigUint::zero();
    let mut digits = number.digits().peekable();
    while digits.peek().is_some() {
        let (mut chunk, mut base) = (0u64, 1u64);
        for digit in digits.by_ref().take(QUICK_BYTES_MAX) {
            chunk = chunk * 10 + u64::from(digit);
            base *= 10;
        }
        sum = (sum * base + chunk) % &modulus;
    }
    sum * BigUint::from(10u8).modpow(&BigUint::from(shift), &modulus) % &modulus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value_whatever_their_form() {
        use Ordering::*;
        for (left, right, want) in [
            ("1", "1.0", Equal),
            ("1e2", "100", Equal),
            ("100e-2", "1", Equal),
            ("-0", "0.000", Equal),
            ("0e99", "0", Equal),
            ("0.10", "0.1", Equal),
            ("-1", "1", Less),
            ("-2", "-1", Less),
            ("-0.5", "0", Less),
            ("9.99", "10", Less),
            ("0.1", "0.09999999999999999999999", Greater),
            ("12345678901234567890", "12345678901234567889", Greater),
            ("12345678901234567890", "12345678901234567890.0", Equal),
            ("1e999999999", "1e999999998", Greater),
            ("1e-999999999", "0", Greater),
            ("-1e999999999", "0", Less),
            ("123456789012345678.9", "123456789012345678.89", Greater),
            ("99999999999999999", "0.0000000000000001", Greater),
        ] {
            assert_eq!(compare(left, right), Some(want), "{left} {right}");
            assert_eq!(compare(right, left), Some(want.reverse()), "{right} {left}");
            assert_eq!(
                Constant::new(right).unwrap().compare(&Candidate::new(left)),
                Some(want),
                "{left} {right}"
            );
        }
        for text in ["", "-", "1e", "1e99999999999", "x", "NaN", "1.2.3"] {
            assert!(Digits::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn whole_numbers_have_whole_neighbours() {
        for (text, want) in [
            ("5", Some((5, 5))),
            ("-5", Some((-5, -5))),
            ("0.5", Some((0, 1))),
            ("-0.5", Some((-1, 0))),
            ("-2.00", Some((-2, -2))),
            ("1e2", None),
            ("1234567890123456789", None),
        ] {
            assert_eq!(Constant::new(text).unwrap().whole_neighbours(), want, "{text}");
        }
        for (text, least, most, want) in [
            ("5", 5, 5, Some(true)),
            ("-5", -4, 4, Some(false)),
            ("-5", -5, 4, Some(true)),
            ("5.5", 5, 6, Some(true)),
            ("5.5", 5, 5, None), // the bound may be 5.7
            ("4.5", 5, 6, None),
            ("-5.5", -10, 10, None),
            ("5e0", 5, 6, None),
            ("5.0e9", 5, 6, None),
            ("999999999999999999", 0, i64::MAX, Some(true)),
            ("1000000000000000000", 0, i64::MAX, None),
        ] {
            assert_eq!(is_within(text.as_bytes(), least, most), want, "{text}");
        }
    }

    #[test]
    fn division_is_exact() {
        for (number, divisor, want) in [
            ("10", "2", true),
            ("7", "2", false),
            ("0", "7", true),
            ("-9", "3", true),
            ("4.5", "1.5", true),
            ("0.3", "0.1", true), // which no double would say
            ("0.35", "0.1", false),
            ("19.99", "0.01", true),
            ("19.999", "0.01", false),
            ("1", "0.0001", true),
            ("1e308", "0.5", true),
            ("1e-5", "1e-6", true),
            ("1e-6", "1e-5", false),
            ("100", "1e2", true),
            ("12345678901234567890", "10", true),
            ("12345678901234567891", "10", false),
            ("123456789012345678901234567891", "7", false),
            ("86419752308641975230864197530", "12345678901234567890123456790", true),
            ("86419752308641975230864197531", "12345678901234567890123456790", false),
            ("1e999999999", "3", false),
            ("3e999999999", "3", true),
            ("900000000000000000", "0.0000000000000001", true),
        ] {
            let divisor = Constant::new(divisor).unwrap();
            assert_eq!(
                divisor.divides(&Candidate::new(number)),
                want,
                "{number} / {}",
                divisor.as_str()
            );
        }
        for positive in ["1", "0.001", "1e-9"] {
            assert!(Constant::new(positive).unwrap().is_positive());
        }
        for other in ["0", "0.0", "-1", "0e5"] {
            assert!(!Constant::new(other).unwrap().is_positive(), "{other}");
        }
    }
}
