//! `String.format` for the conversions `b h s c d o x e f g % n`, in the root locale.
//!
//! Dates (`t`) and hexadecimal floats (`a`) are refused as unknown conversions.
//!
//! Cost: one pass; a field with a width is built in a buffer that is kept between fields.

use num_bigint::{BigInt, Sign};

use super::JavaException;
use super::double;
use super::integer;
use super::text;

/// Largest width and precision. Ours: Java would fill the heap.
pub const FORMAT_WIDTH_MAX: i32 = 1 << 20;

/// An argument of `String.format`.
#[derive(Clone, Copy, Debug)]
pub enum FormatArg<'a> {
    /// `null`.
    Null,
    /// `Boolean`.
    Bool(bool),
    /// `Character`, a UTF-16 code unit.
    Char(u16),
    /// `Byte`, `Short` or `Integer`.
    Int(i32),
    /// `Long`.
    Long(i64),
    /// `BigInteger`.
    Big(&'a BigInt),
    /// `Float`.
    Float(f32),
    /// `Double`.
    Double(f64),
    /// `String`.
    Str(&'a str),
    /// Anything else: what its `toString()`, `hashCode()` and `getClass().getName()` return.
    Other {
        /// `toString()`.
        text: &'a str,
        /// `hashCode()`.
        hash: i32,
        /// `getClass().getName()`.
        class: &'a str,
    },
}

impl FormatArg<'_> {
    fn class(&self) -> &str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "java.lang.Boolean",
            Self::Char(_) => "java.lang.Character",
            Self::Int(_) => "java.lang.Integer",
            Self::Long(_) => "java.lang.Long",
            Self::Big(_) => "java.math.BigInteger",
            Self::Float(_) => "java.lang.Float",
            Self::Double(_) => "java.lang.Double",
            Self::Str(_) => "java.lang.String",
            Self::Other { class, .. } => class,
        }
    }

    fn hash(&self) -> i32 {
        match *self {
            Self::Null => 0,
            Self::Bool(value) => integer::hash_code_bool(value),
            Self::Char(unit) => i32::from(unit),
            Self::Int(value) => value,
            Self::Long(value) => integer::hash_code_long(value),
            Self::Big(value) => super::big::hash_code(value),
            Self::Float(value) if value.is_nan() => 0x7FC0_0000,
            Self::Float(value) => value.to_bits() as i32,
            Self::Double(value) => double::hash_code(value),
            Self::Str(value) => text::hash_code(value),
            Self::Other { hash, .. } => hash,
        }
    }

    fn write(&self, out: &mut String) {
        match *self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Self::Char(unit) => text::push_unit(unit, out),
            Self::Int(value) => integer::write_long(i64::from(value), out),
            Self::Long(value) => integer::write_long(value, out),
            Self::Big(value) => super::big::write(value, out),
            Self::Float(value) => double::write_float(value, out),
            Self::Double(value) => double::write_double(value, out),
            Self::Str(value) | Self::Other { text: value, .. } => out.push_str(value),
        }
    }
}

/// Appends `String.format(pattern, args...)`. After an error `out` is as it was.
///
/// # Errors
/// Java's subclasses of `IllegalFormatException`.
pub fn format(
    pattern: &str,
    args: &[FormatArg<'_>],
    out: &mut String,
) -> Result<(), JavaException> {
    let start = out.len();
    let result = format_all(pattern, args, out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn format_all(
    pattern: &str,
    args: &[FormatArg<'_>],
    out: &mut String,
) -> Result<(), JavaException> {
    // Java looks at every field before it prints one.
    let mut rest = pattern;
    while let Some(at) = memchr::memchr(b'%', rest.as_bytes()) {
        let (spec, tail) = Spec::parse(&rest[at..])?;
        spec.check()?;
        rest = tail;
    }
    let mut field = String::new();
    let mut ordinary = 0; // the next argument a field without an index takes
    let mut last = None; // what `<` takes
    let mut rest = pattern;
    while let Some(at) = memchr::memchr(b'%', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let (spec, tail) = Spec::parse(&rest[at..])?;
        rest = tail;
        let null = FormatArg::Null;
        let arg = if matches!(spec.conversion, b'%' | b'n') {
            &null
        } else {
            let index = match spec.index {
                Index::Ordinary => {
                    ordinary += 1;
                    Some(ordinary - 1)
                }
                Index::Explicit(index) => Some(index),
                Index::Previous => last,
            };
            last = index;
            index.and_then(|index| args.get(index)).ok_or_else(|| {
                let message = format!("Format specifier '{}'", spec.canonical());
                JavaException::new("MissingFormatArgumentException", message)
            })?
        };
        field.clear();
        spec.print(arg, &mut field)?;
        spec.justify(&field, out);
    }
    out.push_str(rest);
    Ok(())
}

/// Which argument a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Index {
    Ordinary,
    Explicit(usize),
    Previous,
}

/// One `%…` of a pattern.
#[derive(Debug)]
struct Spec {
    index: Index,
    flags: Flags,
    width: Option<usize>,
    precision: Option<usize>,
    /// Lower case; `upper` keeps the case it was written in.
    conversion: u8,
    upper: bool,
}

/// The flags, each its character when set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flags {
    left: bool,
    alternate: bool,
    plus: bool,
    space: bool,
    zero: bool,
    group: bool,
    parentheses: bool,
    previous: bool,
}

impl Flags {
    fn slot(&mut self, flag: u8) -> Option<&mut bool> {
        Some(match flag {
            b'-' => &mut self.left,
            b'#' => &mut self.alternate,
            b'+' => &mut self.plus,
            b' ' => &mut self.space,
            b'0' => &mut self.zero,
            b',' => &mut self.group,
            b'(' => &mut self.parentheses,
            b'<' => &mut self.previous,
            _ => return None,
        })
    }

    /// The flags in the order of Java's messages.
    fn canonical(self) -> String {
        let flags = [
            (self.left, '-'),
            (self.alternate, '#'),
            (self.plus, '+'),
            (self.space, ' '),
            (self.zero, '0'),
            (self.group, ','),
            (self.parentheses, '('),
            (self.previous, '<'),
        ];
        flags.iter().filter(|(set, _)| *set).map(|(_, flag)| flag).collect()
    }
}

fn unknown(conversion: &str) -> JavaException {
    let message = format!("Conversion = '{conversion}'");
    JavaException::new("UnknownFormatConversionException", message)
}

/// Reads digits; numbers past our bound saturate above it.
fn number(bytes: &[u8], at: &mut usize) -> Option<i32> {
    let start = *at;
    let mut value = 0i32;
    while let Some(digit) = bytes.get(*at).filter(|byte| byte.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(i32::from(digit - b'0'));
        *at += 1;
    }
    (*at > start).then_some(value)
}

impl Spec {
    /// Reads the field `text` starts with: `%[index$][flags][width][.precision]conversion`.
    fn parse(text: &str) -> Result<(Self, &str), JavaException> {
        let bytes = text.as_bytes();
        let mut at = 1;
        let mut index = Index::Ordinary;
        let number_start = at;
        if let Some(value) = number(bytes, &mut at)
            && bytes.get(at) == Some(&b'$')
        {
            at += 1;
            if value == 0 {
                return Err(JavaException::new(
                    "IllegalFormatArgumentIndexException",
                    "Illegal format argument index = 0",
                ));
            }
            index = Index::Explicit(value as usize - 1);
        } else {
            at = number_start;
        }
        let mut flags = Flags::default();
        while let Some(&byte) = bytes.get(at)
            && let Some(slot) = flags.slot(byte)
        {
            if std::mem::replace(slot, true) {
                let message = format!("Flags = '{}'", char::from(byte));
                return Err(JavaException::new("DuplicateFormatFlagsException", message));
            }
            at += 1;
        }
        if flags.previous {
            index = Index::Previous;
        }
        let bounded = |value: i32, class| {
            if value > FORMAT_WIDTH_MAX {
                return Err(JavaException::new(class, value.to_string()));
            }
            Ok(Some(value as usize))
        };
        let mut width = None;
        if let Some(value) = number(bytes, &mut at) {
            width = bounded(value, "IllegalFormatWidthException")?;
        }
        let mut precision = None;
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            let Some(value) = number(bytes, &mut at) else {
                return Err(unknown("."));
            };
            precision = bounded(value, "IllegalFormatPrecisionException")?;
        }
        let Some(&conversion) = bytes.get(at) else {
            return Err(unknown("%"));
        };
        if !matches!(
            conversion,
            b'b' | b'B'
                | b'h'
                | b'H'
                | b's'
                | b'S'
                | b'c'
                | b'C'
                | b'd'
                | b'o'
                | b'x'
                | b'X'
                | b'e'
                | b'E'
                | b'f'
                | b'g'
                | b'G'
                | b'%'
                | b'n'
        ) {
            let c = text[at..].chars().next().unwrap_or('%');
            return Err(unknown(c.encode_utf8(&mut [0; 4])));
        }
        at += 1;
        let spec = Self {
            index,
            flags,
            width,
            precision,
            conversion: conversion.to_ascii_lowercase(),
            upper: conversion.is_ascii_uppercase(),
        };
        Ok((spec, &text[at..]))
    }

    /// Refuses flags, widths and precisions that the conversion does not take.
    fn check(&self) -> Result<(), JavaException> {
        let Flags { left, alternate, plus, space, zero, group, parentheses, previous } = self.flags;
        let new = |class, message: String| Err(JavaException::new(class, message));
        let quoted_flags = || format!("Flags = '{}'", self.flags.canonical());
        let no_precision = || match self.precision {
            Some(digits) => new("IllegalFormatPrecisionException", digits.to_string()),
            None => Ok(()),
        };
        match self.conversion {
            b'n' | b'%' => {
                no_precision()?;
                if let Some(width) = self.width.filter(|_| self.conversion == b'n') {
                    return new("IllegalFormatWidthException", width.to_string());
                }
                let others = previous || alternate || plus || space || zero || group || parentheses;
                if others || (left && self.conversion == b'n') {
                    return new("IllegalFormatFlagsException", quoted_flags());
                }
                if left && self.width.is_none() {
                    return new("MissingFormatWidthException", self.canonical());
                }
            }
            b'd' | b'o' | b'x' | b'e' | b'f' | b'g' => {
                if self.width.is_none() && (left || zero) {
                    return new("MissingFormatWidthException", self.canonical());
                }
                if (plus && space) || (left && zero) {
                    return new("IllegalFormatFlagsException", quoted_flags());
                }
                if matches!(self.conversion, b'd' | b'o' | b'x') {
                    no_precision()?;
                }
                match self.conversion {
                    b'd' | b'g' => self.forbid(&[(alternate, '#')])?,
                    b'o' | b'x' | b'e' => self.forbid(&[(group, ',')])?,
                    _ => {}
                }
            }
            conversion => {
                if conversion == b'c' {
                    no_precision()?;
                }
                if conversion != b's' {
                    self.forbid(&[(alternate, '#')])?;
                }
                if left && self.width.is_none() {
                    return new("MissingFormatWidthException", self.canonical());
                }
                self.forbid(&[
                    (plus, '+'),
                    (space, ' '),
                    (zero, '0'),
                    (group, ','),
                    (parentheses, '('),
                ])?;
            }
        }
        Ok(())
    }

    /// Refuses the first of `flags` that is set.
    fn forbid(&self, flags: &[(bool, char)]) -> Result<(), JavaException> {
        match flags.iter().find(|(set, _)| *set) {
            None => Ok(()),
            Some((_, flag)) => {
                let conversion = char::from(self.conversion);
                let message = format!("Conversion = {conversion}, Flags = {flag}");
                Err(JavaException::new("FormatFlagsConversionMismatchException", message))
            }
        }
    }

    /// The field as Java's messages spell it.
    #[cold]
    fn canonical(&self) -> String {
        let mut text = format!("%{}", self.flags.canonical());
        if let Index::Explicit(index) = self.index {
            text.push_str(&format!("{}$", index + 1));
        }
        if let Some(width) = self.width {
            text.push_str(&width.to_string());
        }
        if let Some(precision) = self.precision {
            text.push_str(&format!(".{precision}"));
        }
        let conversion = char::from(self.conversion);
        text.push(if self.upper { conversion.to_ascii_uppercase() } else { conversion });
        text
    }

    #[cold]
    fn wrong_type(&self, arg: &FormatArg<'_>) -> JavaException {
        let message = format!("{} != {}", char::from(self.conversion), arg.class());
        JavaException::new("IllegalFormatConversionException", message)
    }

    /// Appends `field` with blanks up to the width.
    fn justify(&self, field: &str, out: &mut String) {
        let width = self.width.unwrap_or(0);
        let blanks = width.saturating_sub(text::length(field) as usize);
        let pad = |out: &mut String| out.extend(std::iter::repeat_n(' ', blanks));
        if !self.flags.left {
            pad(out);
        }
        out.push_str(field);
        if self.flags.left {
            pad(out);
        }
    }

    /// Writes the converted argument, not yet justified.
    fn print(&self, arg: &FormatArg<'_>, field: &mut String) -> Result<(), JavaException> {
        match self.conversion {
            b'%' => field.push('%'),
            b'n' => field.push('\n'),
            b'b' => {
                let value = match *arg {
                    FormatArg::Null => false,
                    FormatArg::Bool(value) => value,
                    _ => true,
                };
                self.print_text(if value { "true" } else { "false" }, field);
            }
            b's' | b'h' => {
                let mut value = String::new();
                if self.conversion == b'h' && !matches!(arg, FormatArg::Null) {
                    integer::write_int_hex(arg.hash(), &mut value);
                } else {
                    self.forbid(&[(self.flags.alternate, '#')])?;
                    arg.write(&mut value);
                }
                self.print_text(&value, field);
            }
            _ if matches!(arg, FormatArg::Null) => self.print_text("null", field),
            b'c' => {
                let mut value = String::new();
                match *arg {
                    FormatArg::Char(unit) => text::push_unit(unit, &mut value),
                    FormatArg::Int(code) if (0..=0x10_FFFF).contains(&code) => {
                        value.push(char::from_u32(code as u32).unwrap_or('?'));
                    }
                    FormatArg::Int(code) => {
                        let message = format!("Code point = 0x{code:x}");
                        return Err(JavaException::new("IllegalFormatCodePointException", message));
                    }
                    _ => return Err(self.wrong_type(arg)),
                }
                self.print_text(&value, field);
            }
            b'd' | b'o' | b'x' => self.print_integer(arg, field)?,
            _ => match *arg {
                FormatArg::Float(value) => self.print_double(f64::from(value), field),
                FormatArg::Double(value) => self.print_double(value, field),
                _ => return Err(self.wrong_type(arg)),
            },
        }
        Ok(())
    }

    fn print_text(&self, value: &str, field: &mut String) {
        let units = text::length(value);
        let shown = self.precision.map_or(units, |precision| units.min(precision as i32));
        let mut cut = String::new();
        // Cannot fail: the end is within the text.
        let _ = text::substring(value, 0, shown, &mut cut);
        if self.upper {
            text::to_upper(&cut, field);
        } else {
            field.push_str(&cut);
        }
    }

    fn print_integer(&self, arg: &FormatArg<'_>, field: &mut String) -> Result<(), JavaException> {
        let mut digits = String::new();
        let negative;
        match (*arg, self.conversion) {
            (FormatArg::Int(_) | FormatArg::Long(_), b'd') => {
                let value = if let FormatArg::Int(value) = *arg {
                    i64::from(value)
                } else if let FormatArg::Long(value) = *arg {
                    value
                } else {
                    unreachable!("matched above")
                };
                negative = value < 0;
                digits.push_str(itoa::Buffer::new().format(value.unsigned_abs()));
            }
            (FormatArg::Int(value), conversion) => {
                negative = false;
                if conversion == b'x' {
                    integer::write_int_hex(value, &mut digits);
                } else {
                    integer::write_int_octal(value, &mut digits);
                }
            }
            (FormatArg::Long(value), conversion) => {
                negative = false;
                if conversion == b'x' {
                    integer::write_long_hex(value, &mut digits);
                } else {
                    integer::write_long_octal(value, &mut digits);
                }
            }
            (FormatArg::Big(value), conversion) => {
                negative = value.sign() == Sign::Minus;
                let radix = match conversion {
                    b'd' => 10,
                    b'o' => 8,
                    _ => 16,
                };
                digits = value.magnitude().to_str_radix(radix);
            }
            _ => return Err(self.wrong_type(arg)),
        }
        if self.conversion == b'd' {
            self.leading_sign(negative, field);
            self.magnitude(&digits, self.width_without_closing(negative), field);
            self.trailing_sign(negative, field);
            return Ok(());
        }
        let flags = self.flags;
        if !matches!(arg, FormatArg::Big(_)) {
            self.forbid(&[(flags.parentheses, '('), (flags.space, ' '), (flags.plus, '+')])?;
        }
        self.leading_sign(negative, field);
        if flags.alternate {
            field.push_str(if self.conversion == b'x' { "0x" } else { "0" });
        }
        if flags.zero {
            let closing = usize::from(negative && flags.parentheses);
            let used = field.len() + digits.len() + closing;
            let zeros = self.width.unwrap_or(0).saturating_sub(used);
            field.extend(std::iter::repeat_n('0', zeros));
        }
        field.push_str(&digits);
        if self.upper {
            field.make_ascii_uppercase();
        }
        self.trailing_sign(negative, field);
        Ok(())
    }

    fn leading_sign(&self, negative: bool, field: &mut String) {
        if negative {
            field.push(if self.flags.parentheses { '(' } else { '-' });
        } else if self.flags.plus {
            field.push('+');
        } else if self.flags.space {
            field.push(' ');
        }
    }

    fn trailing_sign(&self, negative: bool, field: &mut String) {
        if negative && self.flags.parentheses {
            field.push(')');
        }
    }

    /// The width less the place a closing parenthesis takes.
    fn width_without_closing(&self, negative: bool) -> usize {
        let closing = usize::from(negative && self.flags.parentheses);
        self.width.unwrap_or(0).saturating_sub(closing)
    }

    /// Appends a number after its sign: grouped, and with zeros up to `width`.
    fn magnitude(&self, number: &str, width: usize, field: &mut String) {
        let whole = number.find('.').unwrap_or(number.len());
        let groups = if self.flags.group { whole.saturating_sub(1) / 3 } else { 0 };
        if self.flags.zero {
            let used = field.len() + number.len() + groups;
            field.extend(std::iter::repeat_n('0', width.saturating_sub(used)));
        }
        if groups == 0 {
            field.push_str(number);
            return;
        }
        for (index, digit) in number[..whole].chars().enumerate() {
            if index > 0 && (whole - index).is_multiple_of(3) {
                field.push(',');
            }
            field.push(digit);
        }
        field.push_str(&number[whole..]);
    }

    fn print_double(&self, value: f64, field: &mut String) {
        if value.is_nan() {
            field.push_str(if self.upper { "NAN" } else { "NaN" });
            return;
        }
        let negative = value.is_sign_negative();
        self.leading_sign(negative, field);
        if value.is_infinite() {
            field.push_str(if self.upper { "INFINITY" } else { "Infinity" });
        } else {
            self.print_finite(value.abs(), negative, field);
        }
        self.trailing_sign(negative, field);
    }

    fn print_finite(&self, value: f64, negative: bool, field: &mut String) {
        let mut decimal = Digits::of(value);
        let mut precision = self.precision.unwrap_or(6);
        let mut scientific = self.conversion == b'e';
        match self.conversion {
            b'e' => decimal.round_to(precision as i32 + 1),
            b'f' => decimal.round_to(decimal.exponent + precision as i32),
            _ => {
                precision = precision.max(1);
                decimal.round_to(precision as i32);
                let exponent = decimal.exponent - 1;
                scientific = value != 0.0 && (exponent < -4 || exponent >= precision as i32);
                precision = if scientific {
                    precision - 1
                } else {
                    // At least the digits before the point are shown.
                    (precision as i32 - decimal.exponent).max(0) as usize
                };
            }
        }
        let mut number = String::new();
        let mut width = self.width_without_closing(negative);
        if !scientific {
            decimal.write_fixed(precision, &mut number);
        } else {
            decimal.write_scientific(precision, &mut number);
        }
        if self.flags.alternate && precision == 0 {
            number.push('.');
        }
        if !scientific {
            self.magnitude(&number, width, field);
            return;
        }
        let exponent = if value == 0.0 { 0 } else { decimal.exponent - 1 };
        let mut tail = String::from(if self.upper { "E" } else { "e" });
        tail.push(if exponent < 0 { '-' } else { '+' });
        if exponent.abs() < 10 {
            tail.push('0');
        }
        tail.push_str(itoa::Buffer::new().format(exponent.abs()));
        width = width.saturating_sub(tail.len());
        self.magnitude(&number, width, field);
        field.push_str(&tail);
    }
}

/// A double's digits on their way into a field; zeros follow the last.
struct Digits {
    decimal: Option<double::Decimal>,
    exponent: i32,
}

impl Digits {
    fn of(value: f64) -> Self {
        if value == 0.0 {
            return Self { decimal: None, exponent: 1 };
        }
        let decimal = double::digits_of_double(value, false);
        Self { exponent: decimal.exponent, decimal: Some(decimal) }
    }

    fn round_to(&mut self, count: i32) {
        if let Some(decimal) = &mut self.decimal {
            decimal.round_to(count);
            self.exponent = decimal.exponent;
        }
    }

    /// The digit `index` places after the first; zero before and beyond.
    fn digit(&self, index: i32) -> char {
        let digits = self.decimal.as_ref().map_or(&[][..], double::Decimal::digits);
        let digit = usize::try_from(index).ok().and_then(|index| digits.get(index));
        digit.map_or('0', |&digit| char::from(digit))
    }

    fn write_fixed(&self, precision: usize, out: &mut String) {
        if self.exponent <= 0 {
            out.push('0');
        }
        out.extend((0..self.exponent).map(|index| self.digit(index)));
        self.write_fraction(self.exponent, precision, out);
    }

    fn write_scientific(&self, precision: usize, out: &mut String) {
        out.push(self.digit(0));
        self.write_fraction(1, precision, out);
    }

    fn write_fraction(&self, from: i32, precision: usize, out: &mut String) {
        if precision > 0 {
            out.push('.');
            out.extend((0..precision as i32).map(|index| self.digit(from + index)));
        }
    }
}
