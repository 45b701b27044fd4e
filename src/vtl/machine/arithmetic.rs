//! Numbers as Velocity calculates with them: whole ones grow instead of overflowing, one `Double`
//! makes everything a `Double`, a big whole number beside one makes a `BigDecimal`.

use std::cmp::Ordering;
use std::rc::Rc;

use num_bigint::BigInt;

use super::super::decimal::Decimal;
use super::super::error::RenderError;
use super::super::java;
use super::super::limits;
use super::super::program::{Arithmetic, Code};
use super::super::value::Value;
use super::{Machine, Result};

/// What two numbers are calculated as.
enum Base {
    /// As 64 bits, with the rank of the wider operand.
    Whole(i64, i64, u8),
    Big(BigInt, BigInt),
    Float(f32, f32),
    Double(f64, f64),
    Decimal(Decimal, Decimal),
    /// A big whole number or decimal beside what is no finite number.
    NotFinite(f64),
}

fn rank(value: &Value<'_>) -> Option<u8> {
    Some(match value {
        Value::Byte(_) => 0,
        Value::Short(_) => 1,
        Value::Int(_) => 2,
        Value::Long(_) => 3,
        Value::Big(_) => 4,
        Value::Float(_) => 5,
        Value::Double(_) => 6,
        Value::Decimal(_) => 7,
        _ => return None,
    })
}

/// A whole number of at most 64 bits.
pub(in crate::vtl) fn whole(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Byte(value) => Some(i64::from(*value)),
        Value::Short(value) => Some(i64::from(*value)),
        Value::Int(value) => Some(i64::from(*value)),
        Value::Long(value) => Some(*value),
        _ => None,
    }
}

/// Any number as Java's `doubleValue` gives it.
pub(in crate::vtl) fn to_f64(value: &Value<'_>) -> f64 {
    match value {
        Value::Float(value) => f64::from(*value),
        Value::Double(value) => *value,
        Value::Big(value) => java::big::to_double(value),
        Value::Decimal(value) => value.to_f64(),
        other => whole(other).map_or(f64::NAN, |value| value as f64),
    }
}

/// Any number as Java's `longValue` gives it.
pub(in crate::vtl) fn to_long(value: &Value<'_>) -> i64 {
    match value {
        Value::Float(value) => *value as i64,
        Value::Double(value) => *value as i64,
        Value::Big(value) => java::big::to_long(value),
        Value::Decimal(value) => value.to_i64(),
        other => whole(other).unwrap_or(0),
    }
}

/// Any number as Java's `intValue` gives it; `None`: it is none.
pub(in crate::vtl) fn to_int(value: &Value<'_>) -> Option<i32> {
    Some(match value {
        Value::Float(value) => *value as i32,
        Value::Double(value) => *value as i32,
        Value::Big(_) | Value::Decimal(_) => to_long(value) as i32,
        other => whole(other)? as i32,
    })
}

/// The argument of a method that wants an `int`: an `Integer` or a smaller one.
pub(in crate::vtl) fn as_int_argument(value: &Value<'_>) -> Option<i32> {
    match value {
        Value::Byte(value) => Some(i32::from(*value)),
        Value::Short(value) => Some(i32::from(*value)),
        Value::Int(value) => Some(*value),
        Value::Char(unit) => Some(i32::from(*unit)),
        _ => None,
    }
}

fn to_big(value: &Value<'_>) -> BigInt {
    match value {
        Value::Big(value) => (**value).clone(),
        other => BigInt::from(whole(other).unwrap_or(0)),
    }
}

fn to_decimal(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Decimal(value) => Some((**value).clone()),
        Value::Float(value) => Decimal::of_double(f64::from(*value)),
        Value::Double(value) => Decimal::of_double(*value),
        other => Some(Decimal::whole(to_big(other))),
    }
}

fn base(left: &Value<'_>, right: &Value<'_>) -> Option<Base> {
    if let (Some(left_whole), Some(right_whole)) = (whole(left), whole(right)) {
        return Some(Base::Whole(left_whole, right_whole, rank(left)?.max(rank(right)?)));
    }
    let (left_rank, right_rank) = (rank(left)?, rank(right)?);
    if left_rank <= 4 && right_rank <= 4 {
        return Some(Base::Big(to_big(left), to_big(right)));
    }
    let needs_decimal = |rank: u8| rank == 4 || rank == 7;
    if needs_decimal(left_rank) || needs_decimal(right_rank) {
        return Some(match (to_decimal(left), to_decimal(right)) {
            (Some(left), Some(right)) => Base::Decimal(left, right),
            (None, _) => Base::NotFinite(to_f64(left)),
            (_, None) => Base::NotFinite(to_f64(right)),
        });
    }
    // A `Float` keeps its precision beside whole numbers of up to 32 bits only.
    let float = |rank: u8| rank == 5 || rank <= 2;
    if float(left_rank) && float(right_rank) {
        return Some(Base::Float(to_f64(left) as f32, to_f64(right) as f32));
    }
    Some(Base::Double(to_f64(left), to_f64(right)))
}

/// The narrowest of Java's classes that is no narrower than both operands.
fn wrap<'a>(value: i64, rank: u8) -> Value<'a> {
    if rank == 0
        && let Ok(value) = i8::try_from(value)
    {
        return Value::Byte(value);
    }
    if rank <= 1
        && let Ok(value) = i16::try_from(value)
    {
        return Value::Short(value);
    }
    if rank <= 2
        && let Ok(value) = i32::try_from(value)
    {
        return Value::Int(value);
    }
    Value::Long(value)
}

fn bounded<'a>(value: BigInt) -> Result<Value<'a>> {
    if value.bits() > limits::BIG_BITS_MAX {
        return Err(RenderError::new(format!(
            "a whole number has more than {} bits",
            limits::BIG_BITS_MAX
        )));
    }
    Ok(Value::big(value))
}

fn bounded_decimal<'a>(value: Decimal) -> Result<Value<'a>> {
    if value.bits() > limits::BIG_BITS_MAX {
        return Err(RenderError::new("a decimal number has too many digits"));
    }
    Ok(Value::Decimal(Rc::new(value)))
}

fn not_finite(value: f64) -> Box<RenderError> {
    RenderError::new(format!("{value} cannot be calculated with exactly"))
}

/// The sum of two numbers.
fn sum<'a>(left: &Value<'_>, right: &Value<'_>) -> Result<Value<'a>> {
    match base(left, right) {
        None => Ok(Value::Null),
        Some(Base::Whole(left, right, rank)) => match left.checked_add(right) {
            Some(value) => Ok(wrap(value, rank)),
            None => bounded(BigInt::from(left) + right),
        },
        Some(Base::Big(left, right)) => bounded(left + right),
        Some(Base::Float(left, right)) => Ok(Value::Float(left + right)),
        Some(Base::Double(left, right)) => Ok(Value::Double(left + right)),
        Some(Base::Decimal(left, right)) => bounded_decimal(left.add(&right)),
        Some(Base::NotFinite(value)) => Err(not_finite(value)),
    }
}

/// `-`, `*`, `/`, `%`; null for what are no numbers and for a zero divisor.
pub(in crate::vtl) fn calculate<'a>(
    operator: Arithmetic,
    left: &Value<'_>,
    right: &Value<'_>,
) -> Result<Value<'a>> {
    let doubles = match (left, right) {
        (Value::Double(left), Value::Double(right)) => Some((*left, *right)),
        (Value::Int(left), Value::Double(right)) => Some((f64::from(*left), *right)),
        (Value::Double(left), Value::Int(right)) => Some((*left, f64::from(*right))),
        _ => None,
    };
    match (operator, doubles) {
        (Arithmetic::Multiply, Some((left, right))) => return Ok(Value::Double(left * right)),
        (Arithmetic::Subtract, Some((left, right))) => return Ok(Value::Double(left - right)),
        _ => {}
    }
    let Some(base) = base(left, right) else { return Ok(Value::Null) };
    let divides = matches!(operator, Arithmetic::Divide | Arithmetic::Modulus);
    if divides && is_zero(right) {
        return Ok(Value::Null);
    }
    match base {
        Base::Whole(left, right, rank) => {
            let exact = match operator {
                Arithmetic::Subtract => left.checked_sub(right),
                Arithmetic::Multiply => left.checked_mul(right),
                Arithmetic::Divide => Some(left.wrapping_div(right)),
                Arithmetic::Modulus => Some(left.wrapping_rem(right)),
            };
            match exact {
                Some(value) => Ok(wrap(value, rank)),
                None => bounded(match operator {
                    Arithmetic::Subtract => BigInt::from(left) - right,
                    _ => BigInt::from(left) * right,
                }),
            }
        }
        Base::Big(left, right) => bounded(match operator {
            Arithmetic::Subtract => left - right,
            Arithmetic::Multiply => left * right,
            Arithmetic::Divide => left / right,
            Arithmetic::Modulus => left % right,
        }),
        Base::Float(left, right) => Ok(Value::Float(match operator {
            Arithmetic::Subtract => left - right,
            Arithmetic::Multiply => left * right,
            Arithmetic::Divide => left / right,
            Arithmetic::Modulus => left % right,
        })),
        Base::Double(left, right) => Ok(Value::Double(match operator {
            Arithmetic::Subtract => left - right,
            Arithmetic::Multiply => left * right,
            Arithmetic::Divide => left / right,
            Arithmetic::Modulus => left % right,
        })),
        Base::Decimal(left, right) => match operator {
            Arithmetic::Subtract => bounded_decimal(left.subtract(&right)),
            Arithmetic::Multiply => bounded_decimal(left.multiply(&right)),
            Arithmetic::Divide => left.divide(&right).map_or(Ok(Value::Null), bounded_decimal),
            Arithmetic::Modulus => {
                Err(RenderError::new("there is no remainder of decimal numbers with many digits"))
            }
        },
        Base::NotFinite(value) => Err(not_finite(value)),
    }
}

fn is_zero(value: &Value<'_>) -> bool {
    match value {
        Value::Float(value) => *value == 0.0,
        Value::Double(value) => *value == 0.0,
        Value::Big(value) => value.sign() == num_bigint::Sign::NoSign,
        Value::Decimal(value) => value.is_zero(),
        other => whole(other) == Some(0),
    }
}

/// Two numbers in order; `None`: one of them is no number. What is not comparable counts as larger.
pub(in crate::vtl) fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    Some(match base(left, right)? {
        Base::Whole(left, right, _) => left.cmp(&right),
        Base::Big(left, right) => left.cmp(&right),
        Base::Float(left, right) => float_order(f64::from(left), f64::from(right)),
        Base::Double(left, right) => float_order(left, right),
        Base::Decimal(left, right) => left.compare(&right),
        Base::NotFinite(_) => float_order(to_f64(left), to_f64(right)),
    })
}

fn float_order(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or(Ordering::Greater)
}

impl<'a> Machine<'a, '_> {
    /// `+`: a string on either side joins both.
    pub(in crate::vtl) fn add(&mut self, code: &Code<'a>, operands: u32) -> Result<()> {
        let mut right = self.pop();
        let mut left = self.pop();
        if let (Value::Int(a), Value::Int(b)) = (&left, &right) {
            let value = wrap(i64::from(*a) + i64::from(*b), 2);
            self.stack.push(value);
            return Ok(());
        }
        if let (Value::Double(a), Value::Int(b)) = (&left, &right) {
            let value = Value::Double(*a + f64::from(*b));
            self.stack.push(value);
            return Ok(());
        }
        if !matches!(left, Value::Text(_)) && !matches!(right, Value::Text(_)) {
            let value = sum(&left, &right)?;
            self.stack.push(value);
            return Ok(());
        }
        // A null beside a string stands for its own source.
        let (left_source, right_source) = code.operands[operands as usize];
        if left.is_null() {
            left = Value::Text(self.span_text(code, left_source)?);
        } else if right.is_null() {
            right = Value::Text(self.span_text(code, right_source)?);
        }
        for value in [&mut left, &mut right] {
            if let Value::Block(block) = value {
                let block = Rc::clone(block);
                *value = self.block_text(&block)?;
            }
        }
        let value = self.heap.build(|heap, out| {
            heap.write(&left, out)?;
            heap.write(&right, out)
        })?;
        self.charge(self.heap.as_str(&value).map_or(0, str::len))?;
        self.stack.push(value);
        Ok(())
    }
}
