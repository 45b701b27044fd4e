//! `Integer` and the other numbers, `Boolean`, `Character`.

use super::super::error::RenderError;
use super::super::java;
use super::super::machine::{
    Machine, Result, as_int_argument, order, to_f64, to_int, to_long, whole,
};
use super::super::value::Value;
use super::{Method, null_pointer};

impl<'a> Machine<'a, '_> {
    pub(super) fn number_method(
        &mut self,
        receiver: &Value<'a>,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        match (method, arguments) {
            (Method::IntValue, []) => Ok(to_int(receiver).map_or(Value::Null, Value::Int)),
            (Method::LongValue, []) => Ok(Value::Long(to_long(receiver))),
            (Method::DoubleValue, []) => Ok(Value::Double(to_f64(receiver))),
            (Method::FloatValue, []) => Ok(Value::Float(match receiver {
                Value::Float(value) => *value,
                other => to_f64(other) as f32,
            })),
            (Method::ShortValue, []) => Ok(Value::Short(to_int(receiver).unwrap_or(0) as i16)),
            (Method::ByteValue, []) => Ok(Value::Byte(to_int(receiver).unwrap_or(0) as i8)),
            (Method::CompareTo, [other]) => compare_to(receiver, other),
            _ => match receiver {
                Value::Int(_) => self.integer_static(method, arguments),
                Value::Long(_) => self.long_static(method, arguments),
                Value::Double(value) => self.double_static(*value, method, arguments),
                Value::Big(value) if method == Method::Signum && arguments.is_empty() => {
                    Ok(Value::Int(java::big::signum(value)))
                }
                Value::Decimal(value) if method == Method::Signum && arguments.is_empty() => {
                    Ok(Value::Int(value.signum()))
                }
                _ => Ok(Value::Null),
            },
        }
    }

    fn text_argument<'v>(
        &'v self,
        method: Method,
        value: &'v Value<'a>,
    ) -> Result<Option<&'v str>> {
        match value {
            Value::Text(text) => Ok(Some(self.heap.str(text))),
            Value::Null => Err(null_pointer(method)),
            _ => Ok(None),
        }
    }

    fn integer_static(&mut self, method: Method, arguments: &[Value<'a>]) -> Result<Value<'a>> {
        Ok(match (method, arguments) {
            (Method::ParseInt | Method::ValueOf, [text @ (Value::Text(_) | Value::Null)]) => {
                let Some(text) = self.text_argument(method, text)? else { return Ok(Value::Null) };
                Value::Int(java::integer::parse_int(text, 10)?)
            }
            (Method::ValueOf, [number]) => as_int_argument(number).map_or(Value::Null, Value::Int),
            (Method::ParseInt | Method::ValueOf, [text, radix]) => {
                let Some(radix) = as_int_argument(radix) else { return Ok(Value::Null) };
                let Some(text) = self.text_argument(method, text)? else { return Ok(Value::Null) };
                Value::Int(java::integer::parse_int(text, radix)?)
            }
            (Method::ToString, [number]) => match as_int_argument(number) {
                Some(number) => {
                    self.write(|out| java::integer::write_long(i64::from(number), out))?
                }
                None => Value::Null,
            },
            (Method::ToString, [number, radix]) => {
                let (Some(number), Some(radix)) = (as_int_argument(number), as_int_argument(radix))
                else {
                    return Ok(Value::Null);
                };
                self.write(|out| java::integer::write_long_radix(i64::from(number), radix, out))?
            }
            (Method::ToHexString, [number]) => match as_int_argument(number) {
                Some(number) => self.write(|out| java::integer::write_int_hex(number, out))?,
                None => Value::Null,
            },
            (Method::ToOctalString, [number]) => match as_int_argument(number) {
                Some(number) => self.write(|out| java::integer::write_int_octal(number, out))?,
                None => Value::Null,
            },
            (Method::ToBinaryString, [number]) => match as_int_argument(number) {
                Some(number) => self.write(|out| java::integer::write_int_binary(number, out))?,
                None => Value::Null,
            },
            (Method::BitCount, [number]) => as_int_argument(number)
                .map_or(Value::Null, |number| Value::Int(java::integer::bit_count_int(number))),
            (Method::Signum, [number]) => {
                as_int_argument(number).map_or(Value::Null, |number| Value::Int(number.signum()))
            }
            (Method::Max | Method::Min | Method::Sum | Method::Compare, [left, right]) => {
                let (Some(left), Some(right)) = (as_int_argument(left), as_int_argument(right))
                else {
                    return Ok(Value::Null);
                };
                Value::Int(match method {
                    Method::Max => left.max(right),
                    Method::Min => left.min(right),
                    Method::Sum => left.wrapping_add(right),
                    _ => java::integer::compare(i64::from(left), i64::from(right)),
                })
            }
            _ => Value::Null,
        })
    }

    fn long_static(&mut self, method: Method, arguments: &[Value<'a>]) -> Result<Value<'a>> {
        let number = |value: &Value<'a>| match value {
            Value::Char(unit) => Some(i64::from(*unit)),
            other => whole(other),
        };
        Ok(match (method, arguments) {
            (Method::ParseLong | Method::ValueOf, [text @ (Value::Text(_) | Value::Null)]) => {
                let Some(text) = self.text_argument(method, text)? else { return Ok(Value::Null) };
                Value::Long(java::integer::parse_long(text, 10)?)
            }
            (Method::ValueOf, [value]) => number(value).map_or(Value::Null, Value::Long),
            (Method::ParseLong | Method::ValueOf, [text, radix]) => {
                let Some(radix) = as_int_argument(radix) else { return Ok(Value::Null) };
                let Some(text) = self.text_argument(method, text)? else { return Ok(Value::Null) };
                Value::Long(java::integer::parse_long(text, radix)?)
            }
            (Method::ToString, [value]) => match number(value) {
                Some(value) => self.write(|out| java::integer::write_long(value, out))?,
                None => Value::Null,
            },
            (Method::ToString, [value, radix]) => {
                let (Some(value), Some(radix)) = (number(value), as_int_argument(radix)) else {
                    return Ok(Value::Null);
                };
                self.write(|out| java::integer::write_long_radix(value, radix, out))?
            }
            (Method::ToHexString, [value]) => match number(value) {
                Some(value) => self.write(|out| java::integer::write_long_hex(value, out))?,
                None => Value::Null,
            },
            (Method::ToOctalString, [value]) => match number(value) {
                Some(value) => self.write(|out| java::integer::write_long_octal(value, out))?,
                None => Value::Null,
            },
            (Method::ToBinaryString, [value]) => match number(value) {
                Some(value) => self.write(|out| java::integer::write_long_binary(value, out))?,
                None => Value::Null,
            },
            (Method::BitCount, [value]) => number(value)
                .map_or(Value::Null, |value| Value::Int(java::integer::bit_count_long(value))),
            (Method::Signum, [value]) => {
                number(value).map_or(Value::Null, |value| Value::Int(java::integer::signum(value)))
            }
            (Method::Max | Method::Min | Method::Sum | Method::Compare, [left, right]) => {
                let (Some(left), Some(right)) = (number(left), number(right)) else {
                    return Ok(Value::Null);
                };
                match method {
                    Method::Max => Value::Long(left.max(right)),
                    Method::Min => Value::Long(left.min(right)),
                    Method::Sum => Value::Long(left.wrapping_add(right)),
                    _ => Value::Int(java::integer::compare(left, right)),
                }
            }
            _ => Value::Null,
        })
    }

    fn double_static(
        &mut self,
        receiver: f64,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        let number = |value: &Value<'a>| value.is_number().then(|| to_f64(value));
        Ok(match (method, arguments) {
            (Method::IsNaN, []) => Value::Bool(receiver.is_nan()),
            (Method::IsInfinite, []) => Value::Bool(receiver.is_infinite()),
            (Method::IsNaN, [value]) => {
                number(value).map_or(Value::Null, |value| Value::Bool(value.is_nan()))
            }
            (Method::IsInfinite, [value]) => {
                number(value).map_or(Value::Null, |value| Value::Bool(value.is_infinite()))
            }
            (Method::ParseDouble | Method::ValueOf, [text @ (Value::Text(_) | Value::Null)]) => {
                let Some(text) = self.text_argument(method, text)? else { return Ok(Value::Null) };
                Value::Double(java::double::parse_double(text)?)
            }
            (Method::ValueOf, [value]) => number(value).map_or(Value::Null, Value::Double),
            (Method::ToString, [value]) => match number(value) {
                Some(value) => self.write(|out| java::double::write_double(value, out))?,
                None => Value::Null,
            },
            (Method::Max | Method::Min | Method::Sum | Method::Compare, [left, right]) => {
                let (Some(left), Some(right)) = (number(left), number(right)) else {
                    return Ok(Value::Null);
                };
                match method {
                    Method::Max => {
                        Value::Double(if left.is_nan() { left } else { left.max(right) })
                    }
                    Method::Min => {
                        Value::Double(if left.is_nan() { left } else { left.min(right) })
                    }
                    Method::Sum => Value::Double(left + right),
                    _ => Value::Int(java::double::compare(left, right)),
                }
            }
            _ => Value::Null,
        })
    }

    fn write(&mut self, write: impl Fn(&mut String)) -> Result<Value<'a>> {
        self.heap.build(|_, out| {
            write(out);
            Ok(())
        })
    }

    pub(super) fn bool_method(
        &mut self,
        receiver: bool,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        Ok(match (method, arguments) {
            (Method::BooleanValue, []) => Value::Bool(receiver),
            (Method::CompareTo, [Value::Bool(other)]) => {
                Value::Int(i32::from(receiver) - i32::from(*other))
            }
            (Method::CompareTo, [Value::Null]) => return Err(null_pointer(method)),
            (Method::CompareTo, [_]) => return Err(other_class()),
            (
                Method::LogicalAnd | Method::LogicalOr | Method::LogicalXor,
                [Value::Bool(left), Value::Bool(right)],
            ) => Value::Bool(match method {
                Method::LogicalAnd => *left && *right,
                Method::LogicalOr => *left || *right,
                _ => left != right,
            }),
            (Method::Compare, [Value::Bool(left), Value::Bool(right)]) => {
                Value::Int(i32::from(*left) - i32::from(*right))
            }
            (Method::ParseBoolean | Method::ValueOf, [value @ (Value::Text(_) | Value::Null)]) => {
                let holds =
                    self.heap.as_str(value).is_some_and(|text| text.eq_ignore_ascii_case("true"));
                Value::Bool(holds)
            }
            (Method::ValueOf, [Value::Bool(value)]) => Value::Bool(*value),
            (Method::ToString, [Value::Bool(value)]) => {
                Value::text(if *value { "true" } else { "false" })
            }
            _ => Value::Null,
        })
    }

    pub(super) fn char_method(
        &mut self,
        receiver: u16,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        let of = |value: &Value<'a>| match value {
            Value::Char(unit) => char::from_u32(u32::from(*unit)),
            other => as_int_argument(other).and_then(|code| char::from_u32(code as u32)),
        };
        Ok(match (method, arguments) {
            (Method::CharValue, []) => Value::Char(receiver),
            (Method::CompareTo, [Value::Char(other)]) => {
                Value::Int(i32::from(receiver) - i32::from(*other))
            }
            (Method::CompareTo, [Value::Null]) => return Err(null_pointer(method)),
            (Method::CompareTo, [_]) => return Err(other_class()),
            (Method::IsDigit, [value]) => {
                of(value).map_or(Value::Null, |c| Value::Bool(c.is_numeric()))
            }
            (Method::IsLetter, [value]) => {
                of(value).map_or(Value::Null, |c| Value::Bool(c.is_alphabetic()))
            }
            (Method::IsLetterOrDigit, [value]) => {
                of(value).map_or(Value::Null, |c| Value::Bool(c.is_alphanumeric()))
            }
            (Method::IsUpperCase, [value]) => {
                of(value).map_or(Value::Null, |c| Value::Bool(c.is_uppercase()))
            }
            (Method::IsLowerCase, [value]) => {
                of(value).map_or(Value::Null, |c| Value::Bool(c.is_lowercase()))
            }
            (Method::IsWhitespace, [value]) => {
                of(value).map_or(Value::Null, |c| Value::Bool(java::chars::is_whitespace(c)))
            }
            _ => Value::Null,
        })
    }
}

fn compare_to<'a>(receiver: &Value<'a>, other: &Value<'a>) -> Result<Value<'a>> {
    let same = std::mem::discriminant(receiver) == std::mem::discriminant(other);
    match other {
        Value::Null => Err(null_pointer(Method::CompareTo)),
        _ if same => {
            let order = match (receiver, other) {
                (Value::Double(left), Value::Double(right)) => java::double::compare(*left, *right),
                _ => order(receiver, other).map_or(0, java::integer::sign_of),
            };
            Ok(Value::Int(order))
        }
        _ => Err(other_class()),
    }
}

fn other_class() -> Box<RenderError> {
    RenderError::new("ClassCastException: compareTo of another class")
}
