//! `Double` and `Float`: text out, text in, narrowing, comparing.
//!
//! Before JDK 19, `Double.toString` does not always print the shortest digits that read back: it
//! runs Steele and White's digit loop in whatever width its estimate says is enough, and each width
//! has its own habits at the edges. We run the same loop, so that we print the same digits.
//!
//! The loop, in prose. The value is `b / s` times a power of ten, and `m / s` is half the distance
//! to the neighbouring doubles. Take the next digit `b / s`, keep the remainder times ten, scale
//! `m` alike. Stop when what is left is below `m` (the digits so far round to the value: `low`) or
//! when rounding the last digit up does (`high`). Where both hold, the nearer one wins.
//!
//! The habits: exponent form always runs the loop twice, for it prints at least two digits; at a
//! power of two `m` is halved though only the lower neighbour is that near; `high` includes
//! equality only in the widest arithmetic; integers skip the loop and drop, rounding half up, the
//! digits their exponent makes insignificant; and `m` may overflow, which stops the loop.

use std::cmp::Ordering;

use num_bigint::BigUint;
use num_traits::ToPrimitive;

use super::JavaException;

/// Explicit fraction bits of a double.
const FRACTION_BITS: i32 = 52;
/// The fraction of a double, and the bit above it that normal numbers imply.
const FRACTION_MASK: u64 = (1 << FRACTION_BITS) - 1;
const HIDDEN_BIT: u64 = 1 << FRACTION_BITS;
const EXPONENT_BIAS: i32 = 1023;
/// Fraction bits that a double has and a float has not.
const FLOAT_SHIFT: i32 = FRACTION_BITS - 23;

/// Java's digit buffer: as long as the exact value of the largest integer the short way prints.
const DIGITS_MAX: usize = 26;
/// Zeros that plain form puts around the digits; never more than these.
const ZEROS: &str = "0000000";
/// Powers of five that Java tabulates: `5^26` is the last with room to spare in 64 bits.
const FIVES_MAX: i32 = 27;

/// The decimal digits Java prints for a positive finite number: `0.d1d2d3… × 10^exponent`.
#[derive(Clone, Copy)]
pub(super) struct Decimal {
    digits: [u8; DIGITS_MAX],
    count: usize,
    /// Where the decimal point is, counted from before the first digit.
    pub(super) exponent: i32,
}

impl Decimal {
    fn new() -> Self {
        Self { digits: [b'0'; DIGITS_MAX], count: 0, exponent: 0 }
    }

    /// The digits, ASCII, first one significant unless the number is zero.
    pub(super) fn digits(&self) -> &[u8] {
        &self.digits[..self.count]
    }

    fn push(&mut self, digit: u64) {
        debug_assert!(digit < 10);
        self.digits[self.count] = b'0' + digit as u8;
        self.count += 1;
    }

    /// Adds one to the last digit; nines carry, and ten becomes one with the exponent moved.
    fn round_up(&mut self) {
        for index in (0..self.count).rev() {
            if self.digits[index] != b'9' {
                self.digits[index] += 1;
                return;
            }
            self.digits[index] = b'0';
        }
        self.digits[0] = b'1';
        self.exponent += 1;
    }

    /// Rounds half up to `count` digits, as `String.format` does. No digits left leaves `0` or `1`.
    pub(super) fn round_to(&mut self, count: i32) {
        let Ok(keep) = usize::try_from(count) else {
            return; // Java leaves these digits; its caller cuts them off
        };
        if keep >= self.count {
            return;
        }
        let up = self.digits[keep] >= b'5';
        if keep == 0 {
            self.count = 1;
            self.digits[0] = if up { b'1' } else { b'0' };
            self.exponent += i32::from(up);
            return;
        }
        self.count = keep;
        if up {
            self.round_up();
        }
    }
}

/// Appends `Double.toString(value)`.
pub fn write_double(value: f64, out: &mut String) {
    if let Some(special) = special(value) {
        out.push_str(special);
        return;
    }
    if value < 0.0 {
        out.push('-');
    }
    write_decimal(&digits_of_double(value.abs(), true), out);
}

/// Appends `Float.toString(value)`.
pub fn write_float(value: f32, out: &mut String) {
    if let Some(special) = special(f64::from(value)) {
        out.push_str(special);
        return;
    }
    if value < 0.0 {
        out.push('-');
    }
    write_decimal(&digits_of_float(value.abs()), out);
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value.is_infinite() {
        Some(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else if value == 0.0 {
        Some(if value.is_sign_negative() { "-0.0" } else { "0.0" })
    } else {
        None
    }
}

/// Plain form from 10^-3 up to, not including, 10^7; exponent form with at least two digits beyond.
fn write_decimal(decimal: &Decimal, out: &mut String) {
    let digits = std::str::from_utf8(decimal.digits()).unwrap_or_default();
    let exponent = decimal.exponent;
    if (1..8).contains(&exponent) {
        let whole = exponent as usize;
        match digits.split_at_checked(whole).filter(|(_, fraction)| !fraction.is_empty()) {
            Some((whole, fraction)) => {
                out.push_str(whole);
                out.push('.');
                out.push_str(fraction);
            }
            None => {
                out.push_str(digits);
                out.push_str(&ZEROS[..whole - digits.len()]);
                out.push_str(".0");
            }
        }
    } else if (-2..=0).contains(&exponent) {
        out.push_str("0.");
        out.push_str(&ZEROS[..exponent.unsigned_abs() as usize]);
        out.push_str(digits);
    } else {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        out.push('.');
        out.push_str(if rest.is_empty() { "0" } else { rest });
        out.push('E');
        out.push_str(itoa::Buffer::new().format(exponent - 1));
    }
}

/// The digits of a positive finite double. `compatible` is for `toString`, its absence for `format`.
pub(super) fn digits_of_double(value: f64, compatible: bool) -> Decimal {
    let bits = value.to_bits();
    let exponent = (bits >> FRACTION_BITS) as i32;
    let fraction = bits & FRACTION_MASK;
    if exponent > 0 {
        let exponent = exponent - EXPONENT_BIAS;
        return digits(exponent, fraction | HIDDEN_BIT, FRACTION_BITS + 1, compatible);
    }
    let shift = fraction.leading_zeros() as i32 - (63 - FRACTION_BITS);
    digits(1 - shift - EXPONENT_BIAS, fraction << shift, FRACTION_BITS + 1 - shift, compatible)
}

fn digits_of_float(value: f32) -> Decimal {
    let bits = value.to_bits();
    let exponent = (bits >> 23) as i32;
    let fraction = bits & 0x7F_FFFF;
    if exponent > 0 {
        let fraction = u64::from(fraction | 0x80_0000) << FLOAT_SHIFT;
        return digits(exponent - 127, fraction, 24, true);
    }
    let shift = fraction.leading_zeros() as i32 - 8;
    digits(1 - shift - 127, u64::from(fraction << shift) << FLOAT_SHIFT, 24 - shift, true)
}

/// The digits of `fraction / 2^52 * 2^exponent`, where `fraction` has its bit 52 set and only its
/// top `significant` bits mean anything.
fn digits(exponent: i32, fraction: u64, significant: i32, compatible: bool) -> Decimal {
    let tail_zeros = fraction.trailing_zeros() as i32;
    let fraction_bits = FRACTION_BITS + 1 - tail_zeros;
    // Bits right of the binary point.
    let tiny_bits = (fraction_bits - exponent - 1).max(0);
    if (-21..=62).contains(&exponent) && tiny_bits == 0 {
        return integer_digits(exponent, fraction, significant);
    }

    let decimal_exponent = estimate_exponent(fraction, exponent);
    let b5 = (-decimal_exponent).max(0);
    let s5 = decimal_exponent.max(0);
    let mut b2 = b5 + tiny_bits + exponent;
    let mut s2 = s5 + tiny_bits;
    let mut m2 = b2 - significant;
    b2 -= fraction_bits - 1;
    let common = b2.min(s2);
    b2 -= common;
    s2 -= common;
    m2 -= common;
    if fraction_bits == 1 {
        m2 -= 1;
    }
    if m2 < 0 {
        b2 -= m2;
        s2 -= m2;
        m2 = 0;
    }
    let scale = Scale {
        fraction: fraction >> tail_zeros,
        b2: b2 as u32,
        b5: b5 as u32,
        s2: s2 as u32,
        s5: s5 as u32,
        m2: m2 as u32,
        decimal_exponent,
        // Exponent form runs the loop at least twice.
        long_form: !compatible || !(-3..8).contains(&decimal_exponent),
    };
    let b_bits = fraction_bits + b2 + bits_of_five(b5);
    let tens_bits = s2 + 1 + bits_of_five(s5 + 1);
    if b_bits < 32 && tens_bits < 32 {
        narrow_digits(&scale, |value| i64::from(value as i32))
    } else if b_bits < 64 && tens_bits < 64 {
        narrow_digits(&scale, |value| value)
    } else if b_bits + 5 < 128 && tens_bits + 5 < 128 {
        wide_digits(&scale)
    } else {
        big_digits(&scale)
    }
}

/// A number as `fraction * 2^b2 * 5^b5` over `2^s2 * 5^s5`, half its spacing `2^m2 * 5^b5` over
/// the same.
struct Scale {
    fraction: u64,
    b2: u32,
    b5: u32,
    s2: u32,
    s5: u32,
    m2: u32,
    decimal_exponent: i32,
    long_form: bool,
}

/// Bits of `5^power` as Java's table has them, with its rule of thumb past the table's end.
fn bits_of_five(power: i32) -> i32 {
    match power {
        0 => 0,
        1..FIVES_MAX => 64 - 5u64.pow(power as u32).leading_zeros() as i32,
        _ => power * 3,
    }
}

/// The decimal exponent, or one more. Java's linear estimate of the logarithm, to the bit.
fn estimate_exponent(fraction: u64, exponent: i32) -> i32 {
    const ONE: u64 = (EXPONENT_BIAS as u64) << FRACTION_BITS;
    let mantissa = f64::from_bits(ONE | (fraction & FRACTION_MASK));
    #[expect(clippy::approx_constant, reason = "Java's constant, cut to fifteen digits")]
    let log =
        (mantissa - 1.5) * 0.289529654 + 0.176091259 + f64::from(exponent) * 0.301029995663981;
    log.floor() as i32
}

/// An integer below 2^63: all its digits, less those its exponent makes insignificant.
fn integer_digits(exponent: i32, fraction: u64, significant: i32) -> Decimal {
    let mut decimal = Decimal::new();
    let shift = exponent - FRACTION_BITS;
    let mut value = if shift >= 0 { fraction << shift } else { fraction >> -shift };
    if exponent > significant {
        let spare_bits = exponent - significant - 1;
        // Decimal digits of 2^spare_bits, less one; Java's table starts at two bits.
        let insignificant = if spare_bits > 1 { (1u64 << spare_bits).ilog10() } else { 0 };
        if insignificant > 0 {
            let power = 10u64.pow(insignificant);
            let residue = value % power;
            value /= power;
            decimal.exponent = insignificant as i32;
            if residue >= power >> 1 {
                value += 1;
            }
        }
    }
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value);
    decimal.exponent += text.len() as i32;
    let text = text.trim_end_matches('0').as_bytes();
    decimal.digits[..text.len()].copy_from_slice(text);
    decimal.count = text.len();
    decimal
}

/// The loop in Java's `int` (where `wrap` narrows to 32 bits) or `long`, overflow included.
fn narrow_digits(scale: &Scale, wrap: impl Fn(i64) -> i64) -> Decimal {
    let mut decimal = Decimal::new();
    let five_b = 5i64.pow(scale.b5);
    let mut b = (scale.fraction as i64 * five_b) << scale.b2;
    let five_s = 5i64.pow(scale.s5);
    let s = five_s << scale.s2;
    let mut m = wrap(five_b << scale.m2);
    let tens = s * 10;
    let mut exponent = scale.decimal_exponent;
    // `b / s`, but dividing small numbers, and mostly none: without fives a shift is all of it.
    let divide = |b: i64| {
        let top = b >> scale.s2;
        let digit = if five_s == 1 { top } else { top / five_s };
        (digit, 10 * (b - digit * s))
    };

    let mut digit;
    (digit, b) = divide(b);
    m = wrap(m.wrapping_mul(10));
    let mut low = b < m;
    let mut high = wrap(b.wrapping_add(m)) > tens;
    if digit == 0 && !high {
        exponent -= 1; // the estimate was one too large
    } else {
        decimal.push(digit as u64);
    }
    if scale.long_form {
        low = false;
        high = false;
    }
    while !low && !high {
        (digit, b) = divide(b);
        m = wrap(m.wrapping_mul(10));
        if m > 0 {
            low = b < m;
            high = wrap(b.wrapping_add(m)) > tens;
        } else {
            low = true;
            high = true;
        }
        decimal.push(digit as u64);
    }
    // The difference is small though twice `b` may not be: wrapping brings it back.
    finish(decimal, exponent, low, high, wrap((b << 1).wrapping_sub(tens)).cmp(&0))
}

/// The loop in 128 bits, where Java goes to big integers: nothing overflows, `high` has equality.
fn wide_digits(scale: &Scale) -> Decimal {
    let mut decimal = Decimal::new();
    let five_b = 5u128.pow(scale.b5);
    let mut b = (u128::from(scale.fraction) * five_b) << scale.b2;
    let s = 5u128.pow(scale.s5) << scale.s2;
    let mut m = five_b << scale.m2;
    let tens = s * 10;
    let mut exponent = scale.decimal_exponent;
    // Without a factor of five the divisor is a power of two: most fractions are of this kind.
    let power_of_two = scale.s5 == 0;
    let divide = |b: u128| {
        if power_of_two { ((b >> scale.s2) as u64, b & (s - 1)) } else { ((b / s) as u64, b % s) }
    };

    let (mut digit, rest) = divide(b);
    b = rest * 10;
    m *= 10;
    let mut low = b < m;
    let mut high = tens <= b + m;
    if digit == 0 && !high {
        exponent -= 1;
    } else {
        decimal.push(digit);
    }
    if scale.long_form {
        low = false;
        high = false;
    }
    while !low && !high {
        let rest;
        (digit, rest) = divide(b);
        b = rest * 10;
        m *= 10;
        low = b < m;
        high = tens <= b + m;
        decimal.push(digit);
    }
    finish(decimal, exponent, low, high, (b << 1).cmp(&tens))
}

/// The loop in big integers, for numbers far from one. Allocates.
fn big_digits(scale: &Scale) -> Decimal {
    let mut decimal = Decimal::new();
    let five_b = BigUint::from(5u32).pow(scale.b5);
    let mut b = (&five_b * scale.fraction) << scale.b2;
    let s = BigUint::from(5u32).pow(scale.s5) << scale.s2;
    let mut m = five_b << scale.m2;
    let tens = &s * 10u32;
    let mut exponent = scale.decimal_exponent;

    let divide = |b: &mut BigUint| {
        let digit = &*b / &s;
        *b -= &digit * &s;
        *b *= 10u32;
        digit.to_u64().unwrap_or(0)
    };
    let mut digit = divide(&mut b);
    m *= 10u32;
    let mut low = b < m;
    let mut high = tens <= &b + &m;
    if digit == 0 && !high {
        exponent -= 1;
    } else {
        decimal.push(digit);
    }
    if scale.long_form {
        low = false;
        high = false;
    }
    while !low && !high {
        digit = divide(&mut b);
        m *= 10u32;
        low = b < m;
        high = tens <= &b + &m;
        decimal.push(digit);
    }
    finish(decimal, exponent, low, high, (b << 1u32).cmp(&tens))
}

/// Rounds the last digit; `rest` compares what is left with one half of it.
fn finish(mut decimal: Decimal, exponent: i32, low: bool, high: bool, rest: Ordering) -> Decimal {
    decimal.exponent = exponent + 1;
    let odd = decimal.digits().last().is_some_and(|digit| digit & 1 == 1);
    if high && (!low || rest == Ordering::Greater || (rest == Ordering::Equal && odd)) {
        decimal.round_up();
    }
    decimal
}

/// `Double.parseDouble(text)`: blanks around it, a type suffix and hexadecimal form are allowed.
///
/// # Errors
/// `NumberFormatException` for everything else.
pub fn parse_double(text: &str) -> Result<f64, JavaException> {
    match classify(text)? {
        Literal::Special(value) => Ok(value),
        Literal::Decimal(number) => number.parse().map_err(|_| bad_number(text)),
        Literal::Hex(hex) => Ok(hex.to_f64(53, -1074, 1023)),
    }
}

/// `Float.parseFloat(text)`.
///
/// # Errors
/// As [`parse_double`].
pub fn parse_float(text: &str) -> Result<f32, JavaException> {
    match classify(text)? {
        Literal::Special(value) => Ok(value as f32),
        Literal::Decimal(number) => number.parse().map_err(|_| bad_number(text)),
        // The value has a float's bits already, so the conversion does not round again.
        Literal::Hex(hex) => Ok(hex.to_f64(24, -149, 127) as f32),
    }
}

enum Literal<'a> {
    Special(f64),
    /// What Rust's parser takes too, and rounds alike.
    Decimal(&'a str),
    Hex(Hex),
}

/// A hexadecimal number, `mantissa * 2^exponent`; the lowest bit of the mantissa is sticky.
struct Hex {
    negative: bool,
    mantissa: u64,
    exponent: i64,
}

fn bad_number(text: &str) -> JavaException {
    let text = trim(text);
    if text.is_empty() {
        return JavaException::new("NumberFormatException", "empty String");
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mantissa = unsigned.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.');
    if mantissa.filter(|&byte| byte == b'.').count() > 1 {
        return JavaException::new("NumberFormatException", "multiple points");
    }
    JavaException::new("NumberFormatException", format!("For input string: \"{text}\""))
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ')
}

/// Checks Java's grammar of floating-point text.
fn classify(text: &str) -> Result<Literal<'_>, JavaException> {
    let trimmed = trim(text);
    let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    let sign = if trimmed.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned {
        "NaN" => return Ok(Literal::Special(f64::NAN)),
        "Infinity" => return Ok(Literal::Special(sign * f64::INFINITY)),
        _ => {}
    }
    if let Some(hex) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let hex = parse_hex(hex, sign < 0.0).ok_or_else(|| bad_number(text))?;
        return Ok(Literal::Hex(hex));
    }
    let number = trimmed.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(trimmed);
    if is_decimal(number) { Ok(Literal::Decimal(number)) } else { Err(bad_number(text)) }
}

/// Whether `number` is digits with at most one point, then perhaps an exponent.
fn is_decimal(number: &str) -> bool {
    let number = number.strip_prefix(['+', '-']).unwrap_or(number).as_bytes();
    let digits = |from: usize| number[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(0);
    let mut at = whole;
    let mut mantissa_digits = whole;
    if number.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        mantissa_digits += fraction;
        at += 1 + fraction;
    }
    if mantissa_digits == 0 {
        return false;
    }
    if matches!(number.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(number.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        let exponent = digits(at);
        if exponent == 0 {
            return false;
        }
        at += exponent;
    }
    at == number.len()
}

/// The part of a hexadecimal number after `0x`.
fn parse_hex(text: &str, negative: bool) -> Option<Hex> {
    let (mantissa_text, exponent_text) = text.split_once(['p', 'P'])?;
    let mut hex = Hex { negative, mantissa: 0, exponent: 0 };
    let mut digit_count = 0;
    let mut fraction = false;
    for byte in mantissa_text.bytes() {
        if byte == b'.' && !fraction {
            fraction = true;
            continue;
        }
        let digit = u64::from(char::from(byte).to_digit(16)?);
        digit_count += 1;
        if hex.mantissa >> 60 == 0 {
            hex.mantissa = hex.mantissa << 4 | digit;
            hex.exponent -= if fraction { 4 } else { 0 };
        } else {
            hex.mantissa |= u64::from(digit != 0); // sticky
            hex.exponent += if fraction { 0 } else { 4 };
        }
    }
    let exponent_text = exponent_text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(exponent_text);
    let digits = exponent_text.strip_prefix(['+', '-']).unwrap_or(exponent_text);
    if digit_count == 0 || digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Too long for 64 bits is as good as infinite.
    let magnitude = digits.parse::<i64>().unwrap_or(i64::MAX).min(1 << 40);
    hex.exponent += if exponent_text.starts_with('-') { -magnitude } else { magnitude };
    Some(hex)
}

impl Hex {
    /// Rounds half to even to `precision` bits, with the last bit no lower than `2^lowest`.
    fn to_f64(&self, precision: i64, lowest: i64, highest: i64) -> f64 {
        let sign = if self.negative { -1.0 } else { 1.0 };
        if self.mantissa == 0 {
            return sign * 0.0;
        }
        let bits = 64 - i64::from(self.mantissa.leading_zeros());
        let drop = (bits - precision).max(lowest - self.exponent).max(0);
        let (mut kept, rest, half) = if drop > 64 {
            (0, 0, 1)
        } else {
            let wide = u128::from(self.mantissa);
            ((wide >> drop) as u64, wide & ((1 << drop) - 1), (1u128 << drop) >> 1)
        };
        if drop > 0 && (rest > half || (rest == half && kept & 1 == 1)) {
            kept += 1;
        }
        let exponent = self.exponent.saturating_add(drop);
        let top = exponent + 63 - i64::from(kept.leading_zeros());
        if kept == 0 {
            sign * 0.0
        } else if top > highest {
            sign * f64::INFINITY
        } else {
            sign * scale_by_power_of_two(kept as f64, exponent)
        }
    }
}

/// `value * 2^exponent`, exact whenever the result is representable, in steps that stay normal.
fn scale_by_power_of_two(mut value: f64, mut exponent: i64) -> f64 {
    let power = |exponent: i64| f64::from_bits(((exponent + 1023) as u64) << FRACTION_BITS);
    while exponent > 1000 {
        value *= power(1000);
        exponent -= 1000;
    }
    while exponent < -1000 {
        value *= power(-1000);
        exponent += 1000;
    }
    value * power(exponent)
}

/// `(int) value`: truncates, saturates, and NaN is zero. Rust's cast does the same.
pub fn to_int(value: f64) -> i32 {
    value as i32
}

/// `(long) value`.
pub fn to_long(value: f64) -> i64 {
    value as i64
}

/// `Double.hashCode(value)`.
pub fn hash_code(value: f64) -> i32 {
    let bits = if value.is_nan() { 0x7FF8_0000_0000_0000 } else { value.to_bits() };
    (bits ^ (bits >> 32)) as i32
}

/// `Double.compare(a, b)`: -0.0 is below 0.0, and NaN equals itself and is above everything.
pub fn compare(a: f64, b: f64) -> i32 {
    match a.partial_cmp(&b) {
        Some(Ordering::Less) => -1,
        Some(Ordering::Greater) => 1,
        Some(Ordering::Equal) => sort_key(a).cmp(&sort_key(b)) as i32,
        None => i32::from(a.is_nan()) - i32::from(b.is_nan()),
    }
}

/// Orders the two zeros.
fn sort_key(value: f64) -> bool {
    value.is_sign_positive()
}

/// `Double.equals`: NaN equals itself, and the two zeros differ.
pub fn equals(a: f64, b: f64) -> bool {
    compare(a, b) == 0
}

/// `Math.round(value)`: half up, saturating.
pub fn round(value: f64) -> i64 {
    // Adding 0.5 first would round 0.49999999999999994 up.
    let floor = value.floor();
    if value - floor >= 0.5 { (floor + 1.0) as i64 } else { floor as i64 }
}
