//! Numbers as json-smart types them, Java prints them and `BigDecimal` compares them.
//!
//! A number stays its text until somebody wants its value. Java's rules: a whole number takes the
//! smallest of `Integer`, `Long` and `BigInteger`; any other is a `Double`, but a `BigDecimal` if
//! its text is longer than 18 characters (`USE_HI_PRECISION_FLOAT`).

use std::cmp::Ordering;
use std::fmt::Write;

/// Longest text of a `Double`, characters; longer ones keep all their digits.
const DOUBLE_CHARS_MAX: usize = 18;
/// Longest text of a whole number that json-smart reads as a `Long` at all, without the sign.
const LONG_DIGITS_MAX: usize = 19;

/// A number's value, with Java's type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number<'a> {
    /// `Integer`
    Int(i32),
    /// `Long`
    Long(i64),
    /// `BigInteger`: an optional minus and digits, perhaps with leading zeros.
    Big(&'a str),
    /// `Double`; may be infinite, and not a number.
    Double(f64),
    /// `BigDecimal`: the text of a number that is not whole.
    Decimal(&'a str),
}

impl<'a> Number<'a> {
    /// The number of an optional minus and digits.
    pub fn of_integer(text: &'a str) -> Self {
        let (negative, digits) = split_sign(text);
        if digits.len() > LONG_DIGITS_MAX {
            return Self::Big(text);
        }
        // Nineteen digits fit 64 bits without a sign.
        let magnitude = digits.bytes().fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        let value = if negative { -i128::from(magnitude) } else { i128::from(magnitude) };
        if let Ok(int) = i32::try_from(value) {
            Self::Int(int)
        } else if let Ok(long) = i64::try_from(value) {
            Self::Long(long)
        } else {
            Self::Big(text)
        }
    }

    /// The number of a text with a point or an exponent, as a parsed document has it.
    ///
    /// # Panics
    /// If `text` is up to 18 characters long and no number.
    pub fn of_float(text: &'a str) -> Self {
        if text.len() > DOUBLE_CHARS_MAX {
            return Self::Decimal(text);
        }
        Self::Double(text.parse().expect("`is_float` held when the number was parsed"))
    }

    /// Appends what Java's `toString` gives.
    pub fn write_java(&self, out: &mut String) {
        match *self {
            Self::Int(int) => out.push_str(itoa::Buffer::new().format(int)),
            Self::Long(long) => out.push_str(itoa::Buffer::new().format(long)),
            Self::Double(double) => java_double(double, out),
            Self::Big(text) => {
                let (negative, digits) = split_sign(text);
                let digits = digits.trim_start_matches('0');
                if negative && !digits.is_empty() {
                    out.push('-');
                }
                out.push_str(if digits.is_empty() { "0" } else { digits });
            }
            Self::Decimal(text) => match Decimal::parse(text) {
                Some(decimal) => decimal.write_java(out),
                None => out.push_str(text),
            },
        }
    }

    /// The value as a double, rounded where it must be.
    pub fn to_f64(&self) -> f64 {
        match *self {
            Self::Int(int) => f64::from(int),
            Self::Long(long) => long as f64,
            Self::Double(double) => double,
            Self::Big(text) | Self::Decimal(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// Compares as `new BigDecimal(a.toString()).compareTo(new BigDecimal(b.toString()))`.
    /// `None` where the constructor throws: NaN and the infinities.
    pub fn compare(&self, other: &Number<'_>) -> Option<Ordering> {
        if let (Some(left), Some(right)) = (self.exact(), other.exact()) {
            return left.partial_cmp(&right);
        }
        self.with_decimal(|left| other.with_decimal(|right| Some(left?.compare(&right?))))
    }

    /// Compares `new BigDecimal(text)` with `other`; `None` where either is no decimal.
    pub fn compare_text(text: &str, other: &Number<'_>) -> Option<Ordering> {
        if is_canonical(text)
            && text.len() <= 15
            && let (Ok(left), Some(right)) = (text.parse::<f64>(), other.exact())
        {
            return left.partial_cmp(&right);
        }
        let left = Decimal::parse(text)?;
        other.with_decimal(|right| Some(left.compare(&right?)))
    }

    /// The value as a double, if doubles compare as the printed digits do: a double prints as a
    /// decimal that no other double is nearer to, and whole numbers up to 2^53 are doubles.
    fn exact(&self) -> Option<f64> {
        match *self {
            Self::Int(int) => Some(f64::from(int)),
            Self::Long(long) if long.unsigned_abs() < 1 << 53 => Some(long as f64),
            Self::Double(double) if double.is_finite() => Some(double),
            _ => None,
        }
    }

    fn with_decimal<T>(&self, f: impl FnOnce(Option<Decimal<'_>>) -> T) -> T {
        match self {
            Self::Big(text) | Self::Decimal(text) => f(Decimal::parse(text)),
            Self::Int(_) | Self::Long(_) | Self::Double(_) => {
                let mut text = String::new();
                self.write_java(&mut text);
                f(Decimal::parse(&text))
            }
        }
    }
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    }
}

/// Whether json-smart makes a number of `text`, which has a minus, digits, a point, digits, and an
/// exponent, each of them perhaps missing.
#[inline]
pub(super) fn is_float(text: &str) -> bool {
    if text.len() > DOUBLE_CHARS_MAX {
        return Decimal::parse(text).is_some();
    }
    // Both have to have a digit before the exponent, and one after it if there is one.
    let digit_in = |part: &str| part.bytes().any(|byte| byte.is_ascii_digit());
    match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => digit_in(mantissa) && digit_in(exponent),
        None => digit_in(text),
    }
}

/// Whether `new BigDecimal(text)` reads a JSON number that is not whole: its exponent has an end.
#[inline]
pub(super) fn is_decimal(text: &str) -> bool {
    // Nothing shorter has ten digits after an `e`.
    text.len() < 12 || Decimal::parse(text).is_some()
}

/// Whether a valid number's `text` is what Java prints for it, so that nobody has to convert it:
/// a whole number, or up to 15 digits around a point (as many as every double keeps) without an
/// exponent, in the range that Java prints without one.
#[inline]
pub(super) fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let whole = digits.iter().position(|&byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let leading_zero = digits.first() == Some(&b'0') && whole > 1;
    if whole == 0 || leading_zero {
        return false;
    }
    let fraction = match &digits[whole..] {
        [] => return text != "-0",
        [b'.', fraction @ ..] => fraction,
        _ => return false,
    };
    let nonzero = fraction.iter().position(|&byte| byte != b'0');
    fraction.iter().all(u8::is_ascii_digit)
        && whole <= 7
        && whole + fraction.len() <= 15
        && (fraction == b"0" || fraction.last().is_some_and(|&last| last != b'0'))
        && (digits[0] != b'0' || fraction == b"0" || nonzero.is_some_and(|at| at < 3))
}

/// Appends `value` as Java's `Double.toString` does: `1.0`, `0.001`, `1.0E10`, `1.0E-5`, `NaN`.
///
/// The digits are the fewest that read back as `value`. Java has that since 19; older ones print
/// one digit more for some values.
pub fn java_double(value: f64, out: &mut String) {
    if value.is_nan() {
        out.push_str("NaN");
        return;
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    let magnitude = value.abs();
    if magnitude.is_infinite() {
        out.push_str("Infinity");
        return;
    }
    if magnitude == 0.0 {
        out.push_str("0.0");
        return;
    }
    if (1e-3..1e7).contains(&magnitude) {
        let start = out.len();
        write!(out, "{magnitude}").expect("a string takes whatever is written");
        if !out[start..].contains('.') {
            out.push_str(".0");
        }
        return;
    }
    let start = out.len();
    write!(out, "{magnitude:E}").expect("a string takes whatever is written");
    let digits = &out[start..];
    let exponent = digits.find('E').expect("the form has an exponent");
    if !digits[..exponent].contains('.') {
        out.insert_str(start + exponent, ".0");
    }
}

/// A `BigDecimal` as its text has it: all its digits, and how many of them are after the point.
#[derive(Clone, Copy, Debug)]
struct Decimal<'a> {
    negative: bool,
    /// Digits before and after the point, without the zeros in front of all of them.
    whole: &'a str,
    fraction: &'a str,
    /// `BigDecimal.scale()`: digits after the point, less the exponent.
    scale: i64,
}

impl<'a> Decimal<'a> {
    /// `new BigDecimal(text)`; `None` where it throws `NumberFormatException`.
    fn parse(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => (&unsigned[..at], Self::exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || whole.len() + fraction.len() == 0 {
            return None;
        }
        let scale = fraction.len() as i64 - exponent;
        i32::try_from(scale).ok()?;
        let whole = whole.trim_start_matches('0');
        let fraction = if whole.is_empty() { fraction.trim_start_matches('0') } else { fraction };
        Some(Self { negative: text.starts_with('-'), whole, fraction, scale })
    }

    fn exponent(text: &str) -> Option<i64> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_start_matches('0');
        if significant.len() > 10 {
            return None;
        }
        let value = significant.bytes().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        let value = if negative { -value } else { value };
        i32::try_from(value).ok().map(i64::from)
    }

    fn digits(&self) -> impl Iterator<Item = u8> + 'a {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    fn digit_count(&self) -> i64 {
        (self.whole.len() + self.fraction.len()) as i64
    }

    fn is_zero(&self) -> bool {
        self.digit_count() == 0
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less.reverse_if(other.negative),
            (false, true) => return Ordering::Greater.reverse_if(self.negative),
            (false, false) => {}
        }
        if self.negative != other.negative {
            return Ordering::Greater.reverse_if(self.negative);
        }
        // Neither has zeros in front, so the one with more places before the point is larger.
        let places = self.digit_count() - self.scale;
        let by_place = places.cmp(&(other.digit_count() - other.scale));
        let by_digit = || {
            let (mut left, mut right) = (self.digits(), other.digits());
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return Ordering::Equal,
                    (left, right) => {
                        let order = left.unwrap_or(b'0').cmp(&right.unwrap_or(b'0'));
                        if order.is_ne() {
                            return order;
                        }
                    }
                }
            }
        };
        by_place.then_with(by_digit).reverse_if(self.negative)
    }

    /// `BigDecimal.toString`: plain while the scale is not negative and the number not too small.
    fn write_java(&self, out: &mut String) {
        if self.negative && !self.is_zero() {
            out.push('-');
        }
        let mut digits = String::with_capacity(self.whole.len() + self.fraction.len() + 1);
        digits.push_str(self.whole);
        digits.push_str(self.fraction);
        if digits.is_empty() {
            digits.push('0');
        }
        let adjusted = digits.len() as i64 - 1 - self.scale;
        if self.scale == 0 {
            out.push_str(&digits);
        } else if self.scale > 0 && adjusted >= -6 {
            let whole = digits.len() as i64 - self.scale;
            if whole > 0 {
                out.push_str(&digits[..whole as usize]);
                out.push('.');
                out.push_str(&digits[whole as usize..]);
            } else {
                out.push_str("0.");
                out.extend(std::iter::repeat_n('0', -whole as usize));
                out.push_str(&digits);
            }
        } else {
            out.push_str(&digits[..1]);
            if digits.len() > 1 {
                out.push('.');
                out.push_str(&digits[1..]);
            }
            if adjusted != 0 {
                out.push_str(if adjusted > 0 { "E+" } else { "E" });
                out.push_str(itoa::Buffer::new().format(adjusted));
            }
        }
    }
}

trait ReverseIf {
    fn reverse_if(self, reverse: bool) -> Self;
}

impl ReverseIf for Ordering {
    fn reverse_if(self, reverse: bool) -> Self {
        if reverse { self.reverse() } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn java(number: Number<'_>) -> String {
        let mut out = String::new();
        number.write_java(&mut out);
        out
    }

    #[test]
    fn whole_numbers_take_the_smallest_type_that_holds_them() {
        for (text, want) in [
            ("0", Number::Int(0)),
            ("-0", Number::Int(0)),
            ("-", Number::Int(0)), // permissive: json-smart sums no digits
            ("007", Number::Int(7)),
            ("2147483647", Number::Int(i32::MAX)),
            ("2147483648", Number::Long(2_147_483_648)),
            ("-2147483648", Number::Int(i32::MIN)),
            ("-2147483649", Number::Long(-2_147_483_649)),
            ("9223372036854775807", Number::Long(i64::MAX)),
            ("9223372036854775808", Number::Big("9223372036854775808")),
            ("-9223372036854775808", Number::Long(i64::MIN)),
            ("-9223372036854775809", Number::Big("-9223372036854775809")),
            ("00000000000000000001", Number::Big("00000000000000000001")), // by length alone
        ] {
            assert_eq!(Number::of_integer(text), want, "{text}");
        }
    }

    #[test]
    fn eighteen_characters_are_a_double_and_nineteen_a_decimal() {
        assert_eq!(Number::of_float("1.2345678901234567"), Number::Double(1.2345678901234567));
        assert_eq!(Number::of_float("1.23456789012345678"), Number::Decimal("1.23456789012345678"));
    }

    #[test]
    fn doubles_print_as_java_prints_them() {
        for (value, want) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (0.1, "0.1"),
            (0.001, "0.001"),
            (0.000_999, "9.99E-4"),
            (1e-5, "1.0E-5"),
            (-1.5e-7, "-1.5E-7"),
            (9_999_999.5, "9999999.5"),
            (1e7, "1.0E7"),
            (1.25e10, "1.25E10"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(java(Number::Double(value)), want);
        }
    }

    #[test]
    fn canonical_texts_print_as_they_stand() {
        for text in [
            "0",
            "-1",
            "12345678901234567890",
            "0.0",
            "-0.0",
            "0.5",
            "0.001",
            "1.25",
            "9999999.5",
            "1234567.12345678",
            "100.0",
        ] {
            assert!(is_canonical(text), "{text}");
        }
        for text in [
            "-0",
            "",
            "-",
            "007",
            "00.5",
            ".5",
            "1.",
            "1.50",
            "0.0001",
            "0.00",
            "10000000.0",
            "1e5",
            "1.5E3",
            "1234567.123456789",
            "1.00",
        ] {
            assert!(!is_canonical(text), "{text}");
        }
        for n in 0..20_000u32 {
            let text = format!("{}.{}", n % 97, n % 1009);
            if is_canonical(&text) {
                assert_eq!(java(Number::of_float(&text)), text);
            }
        }
    }

    #[test]
    fn decimals_print_as_java_prints_them() {
        for (text, want) in [
            ("1.00000000000000000000", "1.00000000000000000000"),
            ("-0.0000000000000000000", "0E-19"),
            ("0.00000000000000000001", "1E-20"),
            ("0.00000100000000000000", "0.00000100000000000000"),
            ("0.00000010000000000000", "1.0000000000000E-7"),
            ("1234567890.1234567890e5", "123456789012345.67890"),
            ("1234567890.1234567890e10", "12345678901234567890"),
            ("1234567890.1234567890e12", "1.2345678901234567890E+21"),
            ("12345678901234567890.", "12345678901234567890"),
        ] {
            assert_eq!(java(Number::Decimal(text)), want, "{text}");
        }
    }

    #[test]
    fn numbers_compare_by_value_and_not_by_type() {
        let double = Number::Double(0.1);
        for (text, number, want) in [
            ("0.1", double, Some(Ordering::Equal)),
            ("0.10", double, Some(Ordering::Equal)),
            ("+1e-1", double, Some(Ordering::Equal)),
            ("0", double, Some(Ordering::Less)),
            ("-5", Number::Int(-6), Some(Ordering::Greater)),
            ("10", Number::Int(9), Some(Ordering::Greater)),
            ("9", Number::Int(10), Some(Ordering::Less)),
            ("1e3", Number::Long(1000), Some(Ordering::Equal)),
            ("-0", Number::Double(0.0), Some(Ordering::Equal)),
            ("1e2147483648", Number::Int(1), None),
            ("", double, None),
            (".", double, None),
            ("1 ", double, None),
            ("0x1", double, None),
            ("1", Number::Double(f64::NAN), None),
        ] {
            assert_eq!(Number::compare_text(text, &number), want, "{text} {number:?}");
        }
        let big = Number::Big("123456789012345678901");
        assert_eq!(big.compare(&Number::Long(i64::MAX)), Some(Ordering::Greater));
        assert_eq!(big.compare(&Number::Double(1.5)), Some(Ordering::Greater));
    }
}
