//! `BigDecimal`, as far as templates meet it: numbers of the body with many digits, and big whole
//! numbers beside a `Double`.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

/// A whole number and how many of its digits stand behind the point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    unscaled: BigInt,
    scale: i32,
}

/// Digits behind the point, or zeros before it, that are worked with.
const SCALE_MAX: i32 = 4_096;

impl Decimal {
    /// Of `-12.5e3` and the like; `None`: it is none, or its exponent is too large to work with.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].trim_start_matches('+').parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let unscaled: BigInt = format!("{whole}{fraction}").parse().ok()?;
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        (scale.abs() <= SCALE_MAX).then_some(Self { unscaled, scale })
    }

    /// Of a whole number.
    pub(super) fn whole(unscaled: BigInt) -> Self {
        Self { unscaled, scale: 0 }
    }

    /// `BigDecimal(Double.toString(value))`; `None`: not finite.
    pub(super) fn of_double(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        Self::parse(&format!("{value:?}"))
    }

    fn aligned(&self, other: &Self) -> (BigInt, BigInt, i32) {
        let scale = self.scale.max(other.scale);
        (self.unscaled_at(scale), other.unscaled_at(scale), scale)
    }

    fn unscaled_at(&self, scale: i32) -> BigInt {
        let more = u32::try_from(scale - self.scale).unwrap_or(0);
        &self.unscaled * BigInt::from(10).pow(more)
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let (left, right, scale) = self.aligned(other);
        Self { unscaled: left + right, scale }
    }

    pub(super) fn subtract(&self, other: &Self) -> Self {
        let (left, right, scale) = self.aligned(other);
        Self { unscaled: left - right, scale }
    }

    pub(super) fn multiply(&self, other: &Self) -> Self {
        Self { unscaled: &self.unscaled * &other.unscaled, scale: self.scale + other.scale }
    }

    /// With the left one's scale, half down; `None` for a zero divisor.
    pub(super) fn divide(&self, other: &Self) -> Option<Self> {
        if other.unscaled.is_zero() {
            return None;
        }
        // self / other at this scale is self.unscaled * 10^other.scale / other.unscaled.
        let (mut dividend, mut divisor) = (self.unscaled.clone(), other.unscaled.clone());
        if other.scale >= 0 {
            dividend *= BigInt::from(10).pow(other.scale.unsigned_abs());
        } else {
            divisor *= BigInt::from(10).pow(other.scale.unsigned_abs());
        }
        let quotient = &dividend / &divisor;
        let remainder = &dividend % &divisor;
        let twice = remainder.abs() * 2;
        let unscaled = if twice > divisor.abs() {
            let up = if dividend.is_negative() == divisor.is_negative() { 1 } else { -1 };
            quotient + up
        } else {
            quotient
        };
        Some(Self { unscaled, scale: self.scale })
    }

    pub(super) fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let (left, right, _) = self.aligned(other);
        left.cmp(&right)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.unscaled.is_zero()
    }

    pub(super) fn bits(&self) -> u64 {
        self.unscaled.bits()
    }

    pub(super) fn to_f64(&self) -> f64 {
        let mut text = String::new();
        self.write(&mut text);
        text.parse().unwrap_or(f64::NAN)
    }

    /// The whole part.
    pub(super) fn to_big(&self) -> BigInt {
        if self.scale <= 0 {
            self.unscaled_at(0)
        } else {
            &self.unscaled / BigInt::from(10).pow(self.scale.unsigned_abs())
        }
    }

    pub(super) fn to_i64(&self) -> i64 {
        super::java::big::to_long(&self.to_big())
    }

    /// As `BigDecimal.toString` writes it.
    pub(super) fn write(&self, out: &mut String) {
        let digits = self.unscaled.magnitude().to_string();
        if self.unscaled.is_negative() {
            out.push('-');
        }
        let exponent = digits.len() as i64 - 1 - i64::from(self.scale);
        if self.scale >= 0 && exponent >= -6 {
            let scale = self.scale as usize;
            if scale == 0 {
                out.push_str(&digits);
            } else if digits.len() > scale {
                out.push_str(&digits[..digits.len() - scale]);
                out.push('.');
                out.push_str(&digits[digits.len() - scale..]);
            } else {
                out.push_str("0.");
                out.extend(std::iter::repeat_n('0', scale - digits.len()));
                out.push_str(&digits);
            }
            return;
        }
        out.push_str(&digits[..1]);
        if digits.len() > 1 {
            out.push('.');
            out.push_str(&digits[1..]);
        }
        if exponent != 0 {
            out.push('E');
            out.push(if exponent > 0 { '+' } else { '-' });
            out.push_str(&exponent.unsigned_abs().to_string());
        }
    }

    pub(super) fn signum(&self) -> i32 {
        self.unscaled.signum().to_i32().unwrap_or(0)
    }
}
