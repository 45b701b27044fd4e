//! `BigInteger` over `num-bigint`: what differs from it, and what throws.
//!
//! `+`, `-`, `*`, `pow`, `&`, `|`, `^` on `BigInt` are Java's already. Allocates, as those do.

use num_bigint::{BigInt, Sign};
use num_traits::{Signed, ToPrimitive, Zero};

use super::JavaException;
use super::chars;
use super::integer;

/// Appends `value.toString(radix)`; a radix Java does not know counts as ten.
pub fn write_radix(value: &BigInt, radix: i32, out: &mut String) {
    let radix = if (2..=36).contains(&radix) { radix as u32 } else { 10 };
    match value.to_i64() {
        Some(small) => integer::write_long_radix(small, radix as i32, out),
        None => out.push_str(&value.to_str_radix(radix)),
    }
}

/// Appends `value.toString()`.
pub fn write(value: &BigInt, out: &mut String) {
    write_radix(value, 10, out);
}

/// `new BigInteger(text, radix)`.
///
/// # Errors
/// `NumberFormatException`.
pub fn parse(text: &str, radix: i32) -> Result<BigInt, JavaException> {
    let error = |message: String| JavaException::new("NumberFormatException", message);
    if !(2..=36).contains(&radix) {
        return Err(error("Radix out of range".into()));
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if text.is_empty() || digits.is_empty() {
        return Err(error("Zero length BigInteger".into()));
    }
    if digits.contains(['+', '-']) {
        return Err(error("Illegal embedded sign character".into()));
    }
    let mut ascii = String::with_capacity(digits.len());
    for c in digits.chars() {
        match chars::digit(c, radix as u32).and_then(|digit| char::from_digit(digit, 36)) {
            Some(digit) => ascii.push(digit),
            None => {
                let shown = digits.trim_start_matches('0');
                let under =
                    if radix == 10 { String::new() } else { format!(" under radix {radix}") };
                return Err(error(format!("For input string: \"{shown}\"{under}")));
            }
        }
    }
    let magnitude = BigInt::parse_bytes(ascii.as_bytes(), radix as u32).unwrap_or_default();
    Ok(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// `value.longValue()`: the low 64 bits.
pub fn to_long(value: &BigInt) -> i64 {
    let low = value.iter_u64_digits().next().unwrap_or(0) as i64;
    if value.is_negative() { low.wrapping_neg() } else { low }
}

/// `value.intValue()`: the low 32 bits.
pub fn to_int(value: &BigInt) -> i32 {
    to_long(value) as i32
}

/// `value.doubleValue()`: rounds half to even, infinite beyond the range.
pub fn to_double(value: &BigInt) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

/// `a.compareTo(b)`: -1, 0 or 1.
pub fn compare(a: &BigInt, b: &BigInt) -> i32 {
    integer::sign_of(a.cmp(b))
}

/// `value.signum()`.
pub fn signum(value: &BigInt) -> i32 {
    match value.sign() {
        Sign::Minus => -1,
        Sign::NoSign => 0,
        Sign::Plus => 1,
    }
}

/// `value.hashCode()`.
pub fn hash_code(value: &BigInt) -> i32 {
    let words = value.magnitude().iter_u32_digits().rev();
    let hash = words.fold(0i32, |hash, word| hash.wrapping_mul(31).wrapping_add(word as i32));
    hash.wrapping_mul(signum(value))
}

/// `a.divide(b)`: truncates toward zero.
///
/// # Errors
/// `ArithmeticException` for a zero divisor.
pub fn divide(a: &BigInt, b: &BigInt) -> Result<BigInt, JavaException> {
    if b.is_zero() { Err(divide_by_zero()) } else { Ok(a / b) }
}

/// `a.remainder(b)`: the sign is that of `a`.
///
/// # Errors
/// `ArithmeticException` for a zero divisor.
pub fn remainder(a: &BigInt, b: &BigInt) -> Result<BigInt, JavaException> {
    if b.is_zero() { Err(divide_by_zero()) } else { Ok(a % b) }
}

/// `a.mod(b)`: never negative.
///
/// # Errors
/// `ArithmeticException` for a divisor that is not positive.
pub fn modulus(a: &BigInt, b: &BigInt) -> Result<BigInt, JavaException> {
    if !b.is_positive() {
        return Err(JavaException::new("ArithmeticException", "BigInteger: modulus not positive"));
    }
    let rest = a % b;
    Ok(if rest.is_negative() { rest + b } else { rest })
}

#[cold]
fn divide_by_zero() -> JavaException {
    JavaException::new("ArithmeticException", "BigInteger divide by zero")
}
