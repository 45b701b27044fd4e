//! `Integer` and `Long`: text in, text out in every radix, and the bit methods.
//!
//! Narrowing (`intValue` of a long) is Rust's `as`; where Java and Rust agree in one word, there is
//! no function here.

use std::cmp::Ordering;

use super::JavaException;
use super::chars;

/// `Integer.parseInt(text, radix)`.
///
/// # Errors
/// `NumberFormatException`: no digits, a digit beyond `radix`, out of range, or a bad radix.
pub fn parse_int(text: &str, radix: i32) -> Result<i32, JavaException> {
    let value = parse(text, radix, i64::from(i32::MIN), i64::from(i32::MAX))?;
    Ok(value as i32)
}

/// `Long.parseLong(text, radix)`.
///
/// # Errors
/// As [`parse_int`].
pub fn parse_long(text: &str, radix: i32) -> Result<i64, JavaException> {
    parse(text, radix, i64::MIN, i64::MAX)
}

/// `Short.parseShort` (`bits` 16) and `Byte.parseByte` (`bits` 8).
///
/// # Errors
/// As [`parse_int`]; out of range has a message of its own.
pub fn parse_small(text: &str, radix: i32, bits: u32) -> Result<i32, JavaException> {
    let value = parse_int(text, radix)?;
    let limit = 1i32 << (bits - 1);
    if (-limit..limit).contains(&value) {
        return Ok(value);
    }
    Err(number_format(format!("Value out of range. Value:\"{text}\" Radix:{radix}")))
}

fn parse(text: &str, radix: i32, min: i64, max: i64) -> Result<i64, JavaException> {
    let radix = check_radix(radix)?;
    parse_digits(text, radix, min, max).ok_or_else(|| bad_number(text, radix))
}

fn parse_digits(text: &str, radix: u32, min: i64, max: i64) -> Option<i64> {
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64; // negative, for the smallest number has no positive twin
    for c in digits.chars() {
        let digit = i64::from(chars::digit(c, radix)?);
        value = value.checked_mul(i64::from(radix))?.checked_sub(digit)?;
        if value < min {
            return None;
        }
    }
    if negative { Some(value) } else { value.checked_neg().filter(|&value| value <= max) }
}

/// `Integer.decode(text)`: decimal, `0x`, `0X`, `#` for hexadecimal, a leading `0` for octal.
///
/// # Errors
/// As [`parse_int`].
pub fn decode_int(text: &str) -> Result<i32, JavaException> {
    let value = decode(text, i64::from(i32::MIN), i64::from(i32::MAX))?;
    Ok(value as i32)
}

/// `Long.decode(text)`.
///
/// # Errors
/// As [`parse_int`].
pub fn decode_long(text: &str) -> Result<i64, JavaException> {
    decode(text, i64::MIN, i64::MAX)
}

fn decode(text: &str, min: i64, max: i64) -> Result<i64, JavaException> {
    if text.is_empty() {
        return Err(number_format("Zero length string"));
    }
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, radix) =
        if let Some(hex) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
            (hex, 16)
        } else if let Some(hex) = unsigned.strip_prefix('#') {
            (hex, 16)
        } else if let Some(octal) = unsigned.strip_prefix('0').filter(|rest| !rest.is_empty()) {
            (octal, 8)
        } else {
            (unsigned, 10)
        };
    if digits.starts_with(['+', '-']) {
        return Err(number_format("Sign character in wrong position"));
    }
    let signed = if negative { format!("-{digits}") } else { digits.to_owned() };
    parse_digits(&signed, radix, min, max).ok_or_else(|| bad_number(&signed, radix))
}

fn check_radix(radix: i32) -> Result<u32, JavaException> {
    match radix {
        ..2 => Err(number_format(format!("radix {radix} less than Character.MIN_RADIX"))),
        2..=36 => Ok(radix as u32),
        _ => Err(number_format(format!("radix {radix} greater than Character.MAX_RADIX"))),
    }
}

#[cold]
fn bad_number(text: &str, radix: u32) -> JavaException {
    let mut message = format!("For input string: \"{text}\"");
    if radix != 10 {
        message.push_str(&format!(" under radix {radix}"));
    }
    number_format(message)
}

#[cold]
fn number_format(message: impl Into<String>) -> JavaException {
    JavaException::new("NumberFormatException", message)
}

/// Appends `Long.toString(value)`; an int widens to the same text.
pub fn write_long(value: i64, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// Appends `Long.toString(value, radix)`; a radix Java does not know counts as ten.
pub fn write_long_radix(value: i64, radix: i32, out: &mut String) {
    match radix {
        2..=9 | 11..=36 => {
            if value < 0 {
                out.push('-');
            }
            write_unsigned(value.unsigned_abs(), radix as u32, out);
        }
        _ => write_long(value, out),
    }
}

/// Appends `Integer.toHexString(value)`: two's complement, lower case.
pub fn write_int_hex(value: i32, out: &mut String) {
    write_unsigned(u64::from(value as u32), 16, out);
}

/// Appends `Integer.toOctalString(value)`.
pub fn write_int_octal(value: i32, out: &mut String) {
    write_unsigned(u64::from(value as u32), 8, out);
}

/// Appends `Integer.toBinaryString(value)`.
pub fn write_int_binary(value: i32, out: &mut String) {
    write_unsigned(u64::from(value as u32), 2, out);
}

/// Appends `Long.toHexString(value)`.
pub fn write_long_hex(value: i64, out: &mut String) {
    write_unsigned(value as u64, 16, out);
}

/// Appends `Long.toOctalString(value)`.
pub fn write_long_octal(value: i64, out: &mut String) {
    write_unsigned(value as u64, 8, out);
}

/// Appends `Long.toBinaryString(value)`.
pub fn write_long_binary(value: i64, out: &mut String) {
    write_unsigned(value as u64, 2, out);
}

/// Digits of `value`, lower case.
fn write_unsigned(mut value: u64, radix: u32, out: &mut String) {
    let mut buffer = [0u8; 64];
    let mut at = buffer.len();
    loop {
        at -= 1;
        let digit = char::from_digit((value % u64::from(radix)) as u32, radix);
        buffer[at] = digit.map_or(b'0', |digit| digit as u8);
        value /= u64::from(radix);
        if value == 0 {
            break;
        }
    }
    out.extend(buffer[at..].iter().map(|&digit| char::from(digit)));
}

/// `Integer.compare`, `Long.compare`: -1, 0 or 1.
pub fn compare(a: i64, b: i64) -> i32 {
    a.cmp(&b) as i32
}

/// `Long.hashCode(value)`; an `Integer` is its own hash code.
pub fn hash_code_long(value: i64) -> i32 {
    (value ^ ((value as u64) >> 32) as i64) as i32
}

/// `Boolean.hashCode(value)`.
pub fn hash_code_bool(value: bool) -> i32 {
    if value { 1231 } else { 1237 }
}

/// `Integer.bitCount(value)`.
pub fn bit_count_int(value: i32) -> i32 {
    value.count_ones() as i32
}

/// `Long.bitCount(value)`.
pub fn bit_count_long(value: i64) -> i32 {
    value.count_ones() as i32
}

/// `Integer.signum`, `Long.signum`.
pub fn signum(value: i64) -> i32 {
    value.signum() as i32
}

/// `Integer.reverse(value)`: the bits in reverse order.
pub fn reverse_int(value: i32) -> i32 {
    value.reverse_bits()
}

/// `Long.reverse(value)`.
pub fn reverse_long(value: i64) -> i64 {
    value.reverse_bits()
}

/// `Integer.highestOneBit(value)`: that bit alone, or zero.
pub fn highest_one_bit_int(value: i32) -> i32 {
    let value = value as u32;
    value.checked_ilog2().map_or(0, |bit| (1u32 << bit) as i32)
}

/// `Long.highestOneBit(value)`.
pub fn highest_one_bit_long(value: i64) -> i64 {
    let value = value as u64;
    value.checked_ilog2().map_or(0, |bit| (1u64 << bit) as i64)
}

/// `Integer.lowestOneBit(value)`.
pub fn lowest_one_bit_int(value: i32) -> i32 {
    value & value.wrapping_neg()
}

/// `Long.lowestOneBit(value)`.
pub fn lowest_one_bit_long(value: i64) -> i64 {
    value & value.wrapping_neg()
}

/// `a / b` on ints and longs, as `long`: truncates, and the smallest number over -1 wraps.
///
/// # Errors
/// `ArithmeticException` for a zero divisor.
pub fn divide(a: i64, b: i64) -> Result<i64, JavaException> {
    if b == 0 { Err(divide_by_zero()) } else { Ok(a.wrapping_div(b)) }
}

/// `a % b`: the sign is that of `a`.
///
/// # Errors
/// `ArithmeticException` for a zero divisor.
pub fn remainder(a: i64, b: i64) -> Result<i64, JavaException> {
    if b == 0 { Err(divide_by_zero()) } else { Ok(a.wrapping_rem(b)) }
}

#[cold]
fn divide_by_zero() -> JavaException {
    JavaException::new("ArithmeticException", "/ by zero")
}

/// `Ordering` as Java's `compareTo` of numbers gives it.
pub fn sign_of(ordering: Ordering) -> i32 {
    ordering as i32
}
