//! `String`.

use std::rc::Rc;

use super::super::error::RenderError;
use super::super::java::{self, JavaRegex};
use super::super::machine::{Machine, Result, as_int_argument};
use super::super::value::{ListKind, Text, Value};
use super::{Method, null_pointer};

/// Regular expressions that are kept between calls.
const REGEXES_MAX: usize = 64;
/// Bytes of a string that a method looks at in one step.
const BYTES_PER_STEP: u64 = 256;
/// Steps of a match that may try again and again.
const BACKTRACKING_STEPS: u64 = 10_000;

impl<'a> Machine<'a, '_> {
    pub(super) fn text_method(
        &mut self,
        receiver: &Text<'a>,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        // Whatever it does, it may look at all of the text.
        self.burn(self.heap.str(receiver).len() as u64 / BYTES_PER_STEP)?;
        match arguments {
            [] => self.text_method_0(receiver, method),
            [one] => self.text_method_1(receiver, method, one),
            [one, two] => self.text_method_2(receiver, method, one, two),
            _ => Ok(match (method, arguments) {
                (Method::Format, [Value::Text(_), ..]) => self.format(arguments)?,
                _ => Value::Null,
            }),
        }
    }

    fn text_method_0(&mut self, receiver: &Text<'a>, method: Method) -> Result<Value<'a>> {
        let text = self.heap.str(receiver);
        Ok(match method {
            Method::Length => Value::Int(java::text::length(text)),
            Method::IsEmpty => Value::Bool(text.is_empty()),
            Method::IsBlank => Value::Bool(java::text::is_blank(text)),
            Method::HashCode => Value::Int(java::text::hash_code(text)),
            Method::ToString | Method::Intern => Value::Text(receiver.clone()),
            Method::Trim => self.part(receiver, java::text::trim),
            Method::Strip => self.part(receiver, java::text::strip),
            Method::StripLeading => self.part(receiver, java::text::strip_leading),
            Method::StripTrailing => self.part(receiver, java::text::strip_trailing),
            Method::ToUpperCase => self.build_from(receiver, java::text::to_upper)?,
            Method::ToLowerCase => self.build_from(receiver, java::text::to_lower)?,
            Method::GetBytes => {
                let items = text.bytes().map(|byte| Value::Byte(byte as i8)).collect();
                self.own_list(ListKind::Array, items)
            }
            Method::ToCharArray => {
                let items = text.encode_utf16().map(Value::Char).collect();
                self.own_list(ListKind::Array, items)
            }
            _ => Value::Null,
        })
    }

    /// A part of a string that needs no copy.
    fn part(&self, receiver: &Text<'a>, of: impl Fn(&str) -> &str) -> Value<'a> {
        let text = self.heap.str(receiver);
        let part = of(text);
        let skipped = part.as_ptr().addr() - text.as_ptr().addr();
        self.slice(receiver, skipped, skipped + part.len())
    }

    /// Bytes `start..end` of a string.
    fn slice(&self, receiver: &Text<'a>, start: usize, end: usize) -> Value<'a> {
        Value::Text(match receiver {
            Text::Slice(text) => Text::Slice(&text[start..end]),
            Text::Built { start: first, .. } => {
                Text::Built { start: first + start as u32, len: (end - start) as u32 }
            }
            Text::Shared(text) => Text::Shared(text[start..end].into()),
        })
    }

    fn build_from(
        &mut self,
        receiver: &Text<'a>,
        write: impl Fn(&str, &mut String),
    ) -> Result<Value<'a>> {
        let value = self.heap.build(|heap, out| {
            write(heap.str(receiver), out);
            Ok(())
        })?;
        self.charge(self.heap.as_str(&value).map_or(0, str::len))?;
        Ok(value)
    }

    fn text_method_1(
        &mut self,
        receiver: &Text<'a>,
        method: Method,
        argument: &Value<'a>,
    ) -> Result<Value<'a>> {
        let number = as_int_argument(argument);
        let text = self.heap.str(receiver);
        match (method, argument, number) {
            (Method::CharAt, _, Some(index)) => {
                return Ok(Value::Char(java::text::char_at(text, index)?));
            }
            (Method::CodePointAt, _, Some(index)) => {
                return Ok(Value::Int(java::text::code_point_at(text, index)?));
            }
            (Method::Substring, _, Some(begin)) => return self.substring(receiver, begin, None),
            (Method::Repeat, _, Some(count)) => {
                let bytes = text.len().saturating_mul(usize::try_from(count).unwrap_or(0));
                if bytes > super::super::limits::BUILT_BYTES_MAX {
                    return Err(super::super::heap::too_much_text());
                }
                self.charge(bytes)?;
                return self
                    .heap
                    .build(|heap, out| Ok(java::text::repeat(heap.str(receiver), count, out)?));
            }
            (Method::IndexOf, _, Some(code)) if !matches!(argument, Value::Null) => {
                return Ok(Value::Int(java::text::index_of_char(text, code, 0)));
            }
            (Method::LastIndexOf, _, Some(code)) => {
                return Ok(Value::Int(java::text::last_index_of_char(text, code, i32::MAX)));
            }
            (Method::ValueOf, ..) => return self.text_of(argument),
            (Method::Equals, ..) => {
                let same = self.heap.as_str(argument) == Some(self.heap.str(receiver));
                return Ok(Value::Bool(same));
            }
            (Method::EqualsIgnoreCase, Value::Null, _) => return Ok(Value::Bool(false)),
            (Method::Format, Value::Text(_), _) => {
                return self.format(std::slice::from_ref(argument));
            }
            (Method::Join, ..) => return Ok(Value::Null),
            _ => {}
        }
        let takes_text = matches!(
            method,
            Method::Concat
                | Method::Contains
                | Method::StartsWith
                | Method::EndsWith
                | Method::IndexOf
                | Method::LastIndexOf
                | Method::EqualsIgnoreCase
                | Method::CompareTo
                | Method::CompareToIgnoreCase
                | Method::ContentEquals
                | Method::Matches
                | Method::Split
        );
        if !takes_text {
            return Ok(Value::Null);
        }
        let other = match argument {
            Value::Text(_) => self.heap.as_str(argument).unwrap_or_default(),
            Value::Null => return Err(null_pointer(method)),
            // The comparison with anything is there, and throws.
            _ if method == Method::CompareTo => {
                return Err(RenderError::new(
                    "ClassCastException: a string is compared to another class",
                ));
            }
            _ => return Ok(Value::Null),
        };
        Ok(match method {
            Method::Contains => Value::Bool(java::text::contains(text, other)),
            Method::StartsWith => Value::Bool(java::text::starts_with(text, other, 0)),
            Method::EndsWith => Value::Bool(java::text::ends_with(text, other)),
            Method::IndexOf => Value::Int(java::text::index_of(text, other, 0)),
            Method::LastIndexOf => Value::Int(java::text::last_index_of(text, other, i32::MAX)),
            Method::EqualsIgnoreCase => Value::Bool(java::text::equals_ignore_case(text, other)),
            Method::ContentEquals => Value::Bool(text == other),
            Method::CompareTo => Value::Int(java::text::compare(text, other)),
            Method::CompareToIgnoreCase => Value::Int(java::text::compare_ignore_case(text, other)),
            Method::Concat => {
                let bytes = text.len() + other.len();
                self.charge(bytes)?;
                self.heap.build(|heap, out| {
                    out.push_str(heap.str(receiver));
                    out.push_str(heap.as_str(argument).unwrap_or_default());
                    Ok(())
                })?
            }
            Method::Matches => {
                let bytes = text.len();
                let regex = self.regex(argument)?;
                self.charge(bytes * 16)?;
                Value::Bool(regex.is_full_match(self.heap.str(receiver))?)
            }
            Method::Split => self.split(receiver, argument, 0)?,
            _ => Value::Null,
        })
    }

    fn text_method_2(
        &mut self,
        receiver: &Text<'a>,
        method: Method,
        one: &Value<'a>,
        two: &Value<'a>,
    ) -> Result<Value<'a>> {
        let text = self.heap.str(receiver);
        let second = as_int_argument(two);
        match (method, one, second) {
            (Method::Substring | Method::SubSequence, _, Some(end)) => {
                let Some(begin) = as_int_argument(one) else { return Ok(Value::Null) };
                return self.substring(receiver, begin, Some(end));
            }
            (Method::IndexOf, Value::Text(_), Some(from)) => {
                let other = self.heap.as_str(one).unwrap_or_default();
                return Ok(Value::Int(java::text::index_of(text, other, from)));
            }
            (Method::LastIndexOf, Value::Text(_), Some(from)) => {
                let other = self.heap.as_str(one).unwrap_or_default();
                return Ok(Value::Int(java::text::last_index_of(text, other, from)));
            }
            (Method::IndexOf, _, Some(from)) => {
                let Some(code) = as_int_argument(one) else { return Ok(Value::Null) };
                return Ok(Value::Int(java::text::index_of_char(text, code, from)));
            }
            (Method::LastIndexOf, _, Some(from)) => {
                let Some(code) = as_int_argument(one) else { return Ok(Value::Null) };
                return Ok(Value::Int(java::text::last_index_of_char(text, code, from)));
            }
            (Method::StartsWith, Value::Text(_), Some(offset)) => {
                let other = self.heap.as_str(one).unwrap_or_default();
                return Ok(Value::Bool(java::text::starts_with(text, other, offset)));
            }
            (Method::Split, Value::Text(_), Some(limit)) => {
                return self.split(receiver, one, limit);
            }
            (Method::Format, Value::Text(_), _) => {
                return self.format(&[one.clone(), two.clone()]);
            }
            (Method::Join, Value::Text(_), _) => return self.join(one, two),
            (Method::Replace, Value::Char(old), _) => {
                if let Value::Char(new) = two {
                    let (old, new) = (*old, *new);
                    return self.build_from(receiver, |text, out| {
                        java::text::replace_char(text, old, new, out);
                    });
                }
                return Ok(Value::Null);
            }
            _ => {}
        }
        if !matches!(method, Method::Replace | Method::ReplaceAll | Method::ReplaceFirst) {
            return Ok(Value::Null);
        }
        for argument in [one, two] {
            match argument {
                Value::Text(_) => {}
                Value::Null => return Err(null_pointer(method)),
                _ => return Ok(Value::Null),
            }
        }
        let bytes = text.len();
        if method == Method::Replace {
            self.charge(bytes)?;
            return self.heap.build(|heap, out| {
                let target = heap.as_str(one).unwrap_or_default();
                let replacement = heap.as_str(two).unwrap_or_default();
                let matches = heap.str(receiver).len() / target.len().max(1) + 1;
                if matches.saturating_mul(replacement.len()) > super::super::limits::BUILT_BYTES_MAX
                {
                    return Err(super::super::heap::too_much_text());
                }
                java::text::replace(heap.str(receiver), target, replacement, out);
                Ok(())
            });
        }
        let regex = self.regex(one)?;
        self.charge(bytes * 16)?;
        let value = self.heap.build(|heap, out| {
            let text = heap.str(receiver);
            let replacement = heap.as_str(two).unwrap_or_default();
            if (text.len() + 1).saturating_mul(replacement.len() + 1)
                > super::super::limits::BUILT_BYTES_MAX
            {
                return Err(super::super::heap::too_much_text());
            }
            match method {
                Method::ReplaceAll => regex.replace_all(text, replacement, out)?,
                _ => regex.replace_first(text, replacement, out)?,
            }
            Ok(())
        })?;
        Ok(value)
    }

    fn substring(
        &mut self,
        receiver: &Text<'a>,
        begin: i32,
        end: Option<i32>,
    ) -> Result<Value<'a>> {
        let text = self.heap.str(receiver);
        // Where every character is one byte, a substring is a slice.
        let len = text.len() as i32;
        let to = end.unwrap_or(len);
        if 0 <= begin && begin <= to && to <= len && text.is_ascii() {
            return Ok(self.slice(receiver, begin as usize, to as usize));
        }
        let value = self.heap.build(|heap, out| {
            let text = heap.str(receiver);
            match end {
                Some(end) => java::text::substring(text, begin, end, out)?,
                None => java::text::substring_from(text, begin, out)?,
            }
            Ok(())
        })?;
        self.charge(self.heap.as_str(&value).map_or(0, str::len))?;
        Ok(value)
    }

    /// The regular expression a string holds; compiled the first time.
    fn regex(&mut self, pattern: &Value<'a>) -> Result<Rc<JavaRegex>> {
        let text = self.heap.as_str(pattern).unwrap_or_default();
        if let Some(regex) = self.regexes.get(text) {
            let regex = Rc::clone(regex);
            if regex.backtracks() {
                self.burn(BACKTRACKING_STEPS)?;
            }
            return Ok(regex);
        }
        let regex = Rc::new(JavaRegex::compile(text)?);
        let key: Box<str> = text.into();
        self.burn(1_000)?;
        if self.regexes.len() >= REGEXES_MAX {
            self.regexes.clear();
        }
        self.regexes.insert(key, Rc::clone(&regex));
        Ok(regex)
    }

    fn split(&mut self, receiver: &Text<'a>, pattern: &Value<'a>, limit: i32) -> Result<Value<'a>> {
        let regex = self.regex(pattern)?;
        let text = self.heap.str(receiver);
        self.burn(text.len() as u64 / 4)?;
        let text = self.heap.str(receiver);
        let mut pieces = Vec::new();
        regex.split(text, limit, &mut pieces)?;
        let items =
            pieces.into_iter().map(|piece| self.slice(receiver, piece.start, piece.end)).collect();
        Ok(self.own_list(ListKind::Array, items))
    }

    /// `String.join(delimiter, elements)`
    fn join(&mut self, delimiter: &Value<'a>, elements: &Value<'a>) -> Result<Value<'a>> {
        let Some(mut cursor) = self.cursor(elements) else { return Ok(Value::Null) };
        let mut items = Vec::new();
        while let Some(item) = self.next(&mut cursor)? {
            if !matches!(item, Value::Text(_) | Value::Null) {
                return Err(RenderError::new("ClassCastException: 'join' of what is no string"));
            }
            items.push(item);
        }
        self.burn(items.len() as u64)?;
        self.heap.build(|heap, out| {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(heap.as_str(delimiter).unwrap_or_default());
                }
                heap.write(item, out)?;
            }
            Ok(())
        })
    }

    /// `String.format(format, …)`
    fn format(&mut self, arguments: &[Value<'a>]) -> Result<Value<'a>> {
        use super::super::java::format::{FormatArg as Argument, format};
        let mut texts: Vec<String> = Vec::new();
        for argument in &arguments[1..] {
            let mut text = String::new();
            self.heap.write(argument, &mut text)?;
            texts.push(text);
        }
        let values: Vec<Argument<'_>> = arguments[1..]
            .iter()
            .zip(&texts)
            .map(|(argument, text)| match argument {
                Value::Null => Argument::Null,
                Value::Bool(value) => Argument::Bool(*value),
                Value::Char(unit) => Argument::Char(*unit),
                Value::Byte(_) | Value::Short(_) | Value::Int(_) => {
                    Argument::Int(as_int_argument(argument).unwrap_or(0))
                }
                Value::Long(value) => Argument::Long(*value),
                Value::Big(value) => Argument::Big(value),
                Value::Float(value) => Argument::Float(*value),
                Value::Double(value) => Argument::Double(*value),
                _ => Argument::Str(text),
            })
            .collect();
        self.heap.build(|heap, out| {
            format(heap.as_str(&arguments[0]).unwrap_or_default(), &values, out)?;
            Ok(())
        })
    }
}
