//! Methods that templates can call, by the class of the value.
//!
//! A method that a class does not have, or not for these arguments, is null, as in Velocity; one that
//! throws in Java ends the rendering. Nothing else is reachable: no reflection, no classes.
//!
//! Source: facts, vtl section 7; Java 17's class library.

mod collection;
mod number;
mod text;
mod util;

use std::rc::Rc;

use smallvec::SmallVec;

use super::error::RenderError;
use super::java::JavaException;
use super::machine::{Machine, Result};
use super::value::Value;
pub use util::own_value;

macro_rules! methods {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// A method by name.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Method {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
            /// No class has it.
            Unknown,
        }

        impl Method {
            /// The method of this name.
            pub(super) fn named(name: &str) -> Self {
                match name { $($name => Self::$variant,)* _ => Self::Unknown }
            }

            /// Its name; `?` for those that no class has.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* Self::Unknown => "?" }
            }
        }
    };
}

methods! {
    Add = "add", AddAll = "addAll", Base64Decode = "base64Decode", Base64Encode = "base64Encode",
    BitCount = "bitCount", BooleanValue = "booleanValue", ByteValue = "byteValue", CharAt = "charAt",
    CharValue = "charValue", Clear = "clear", CodePointAt = "codePointAt", Compare = "compare",
    CompareTo = "compareTo", CompareToIgnoreCase = "compareToIgnoreCase", Concat = "concat",
    Contains = "contains", ContentEquals = "contentEquals", ContainsAll = "containsAll", ContainsKey = "containsKey",
    ContainsValue = "containsValue", Count = "count", DoubleValue = "doubleValue",
    EndsWith = "endsWith", EntrySet = "entrySet", Equals = "equals",
    EqualsIgnoreCase = "equalsIgnoreCase", EscapeJavaScript = "escapeJavaScript",
    FloatValue = "floatValue", Format = "format", Get = "get", GetBytes = "getBytes", GetBody = "getBody",
    GetCount = "getCount", GetFirst = "getFirst", GetIndex = "getIndex", GetKey = "getKey",
    GetLast = "getLast", GetOrDefault = "getOrDefault", GetParent = "getParent",
    GetTopmost = "getTopmost", GetValue = "getValue", HasNext = "hasNext", HashCode = "hashCode",
    IndexOf = "indexOf", IntValue = "intValue", Intern = "intern", IsBlank = "isBlank",
    IsDigit = "isDigit", IsEmpty = "isEmpty", IsFirst = "isFirst", IsHasNext = "isHasNext",
    IsInfinite = "isInfinite", IsLast = "isLast", IsLetter = "isLetter",
    IsLetterOrDigit = "isLetterOrDigit", IsLowerCase = "isLowerCase", IsNaN = "isNaN",
    IsUpperCase = "isUpperCase", IsWhitespace = "isWhitespace", Iterator = "iterator", Join = "join",
    Json = "json", KeySet = "keySet", LastIndexOf = "lastIndexOf", ListIterator = "listIterator", Length = "length", LogicalAnd = "logicalAnd", LogicalOr = "logicalOr",
    LogicalXor = "logicalXor",
    LongValue = "longValue", Matches = "matches", Max = "max", Min = "min", Next = "next",
    Params = "params", ParseBoolean = "parseBoolean", ParseDouble = "parseDouble",
    ParseInt = "parseInt", ParseJson = "parseJson", ParseLong = "parseLong", Path = "path",
    Put = "put", PutAll = "putAll", PutIfAbsent = "putIfAbsent", RegionMatches = "regionMatches",
    Remove = "remove", RemoveAll = "removeAll", Repeat = "repeat", Replace = "replace",
    ReplaceAll = "replaceAll", ReplaceFirst = "replaceFirst", RetainAll = "retainAll", Set = "set",
    SetValue = "setValue", ShortValue = "shortValue", Signum = "signum", Size = "size", Sort = "sort",
    Split = "split", StartsWith = "startsWith", Stop = "stop", Strip = "strip",
    StripLeading = "stripLeading", StripTrailing = "stripTrailing", SubList = "subList",
    SubSequence = "subSequence", Substring = "substring", Sum = "sum", ToArray = "toArray",
    ToBinaryString = "toBinaryString", ToCharArray = "toCharArray", ToHexString = "toHexString",
    ToJsonString = "toJSONString", ToLowerCase = "toLowerCase", ToOctalString = "toOctalString",
    ToString = "toString", ToUpperCase = "toUpperCase", Trim = "trim", UrlDecode = "urlDecode",
    UrlEncode = "urlEncode", ValueOf = "valueOf", Values = "values",
}

/// Arguments of one call.
type Arguments<'a> = SmallVec<[Value<'a>; 3]>;

impl From<JavaException> for Box<RenderError> {
    #[cold]
    fn from(exception: JavaException) -> Self {
        RenderError::new(exception.to_string())
    }
}

/// A method got null where it needs a value.
#[cold]
fn null_pointer(method: Method) -> Box<RenderError> {
    RenderError::new(format!("'{}' got null where it needs a value", method.name()))
}

impl<'a> Machine<'a, '_> {
    /// Calls a method of the value below the arguments on the stack.
    pub(super) fn method(&mut self, method: Method, count: u8) -> Result<()> {
        let (receiver, value) = match count {
            0 => {
                let receiver = self.pop();
                let value = self.call_method(&receiver, method, &[])?;
                self.stack.push(value);
                return Ok(());
            }
            1 => {
                let argument = self.pop();
                let receiver = self.pop();
                let value = self.call_method(&receiver, method, std::slice::from_ref(&argument))?;
                (receiver, value)
            }
            count => {
                let at = self.stack.len() - usize::from(count);
                let arguments: Arguments<'a> = self.stack.drain(at..).collect();
                let receiver = self.pop();
                let value = self.call_method(&receiver, method, &arguments)?;
                (receiver, value)
            }
        };
        if value.is_null() && self.has_without_arguments(&receiver, method) {
            return Err(RenderError::new(format!("'{}' takes no arguments", method.name())));
        }
        self.stack.push(value);
        Ok(())
    }

    /// Whether the class has this method without arguments. Velocity takes it then for any number of
    /// them, and fails.
    fn has_without_arguments(&self, receiver: &Value<'a>, method: Method) -> bool {
        use Method as M;
        if receiver.is_null() {
            return false;
        }
        if matches!(method, M::ToString | M::HashCode) {
            return true;
        }
        let of_list = matches!(
            method,
            M::Size | M::IsEmpty | M::Clear | M::Iterator | M::ToArray | M::ListIterator
        );
        match receiver {
            Value::Text(_) => matches!(
                method,
                M::Length
                    | M::IsEmpty
                    | M::IsBlank
                    | M::Trim
                    | M::Strip
                    | M::StripLeading
                    | M::StripTrailing
                    | M::ToUpperCase
                    | M::ToLowerCase
                    | M::Intern
                    | M::ToCharArray
                    | M::GetBytes
            ),
            Value::List(_) | Value::View(..) => of_list,
            Value::Node(_) if self.heap.is_list(receiver) => of_list || method == M::ToJsonString,
            Value::Node(_) | Value::Host(_) | Value::Map(_) => matches!(
                method,
                M::Size | M::IsEmpty | M::Clear | M::KeySet | M::Values | M::EntrySet
            ),
            Value::Entry(_) => matches!(method, M::GetKey | M::GetValue),
            Value::Iterator(_) => matches!(method, M::HasNext | M::Next),
            Value::Bool(_) => method == M::BooleanValue,
            Value::Char(_) => method == M::CharValue,
            number if number.is_number() => {
                matches!(
                    method,
                    M::IntValue
                        | M::LongValue
                        | M::DoubleValue
                        | M::FloatValue
                        | M::ShortValue
                        | M::ByteValue
                ) || (matches!(number, Value::Double(_) | Value::Float(_))
                    && matches!(method, M::IsNaN | M::IsInfinite))
            }
            _ => false,
        }
    }

    fn call_method(
        &mut self,
        receiver: &Value<'a>,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        match receiver {
            Value::Null => return Ok(Value::Null),
            Value::Text(text) => {
                let text = text.clone();
                return self.text_method(&text, method, arguments);
            }
            Value::Input => return self.input_method(method, arguments),
            Value::Util => return self.util_method(method, arguments),
            _ => {}
        }
        if matches!(method, Method::ToString | Method::Equals | Method::HashCode)
            && let Some(value) = self.object_method(receiver, method, arguments)?
        {
            return Ok(value);
        }
        match receiver {
            Value::List(_) => self.list_method(receiver, method, arguments),
            Value::Node(_) if self.heap.is_list(receiver) => {
                self.list_method(receiver, method, arguments)
            }
            Value::Node(_) | Value::Host(_) | Value::Map(_) => {
                self.map_method(receiver, method, arguments)
            }
            Value::View(kind, map) => {
                let (kind, map) = (*kind, map.clone());
                self.view_method(kind, &map, method, arguments)
            }
            Value::Entry(entry) => {
                let entry = Rc::clone(entry);
                Ok(match (method, arguments) {
                    (Method::GetKey, []) => entry.0.clone(),
                    (Method::GetValue, []) => entry.1.clone(),
                    _ => Value::Null,
                })
            }
            Value::Iterator(cursor) => {
                let cursor = Rc::clone(cursor);
                match (method, arguments) {
                    (Method::HasNext, []) => Ok(Value::Bool(cursor.borrow().has_next())),
                    (Method::Next, []) => {
                        let mut state = cursor.borrow().clone();
                        let next = self.next(&mut state)?;
                        *cursor.borrow_mut() = state;
                        next.ok_or_else(|| RenderError::new("the iterator has no next element"))
                    }
                    _ => Ok(Value::Null),
                }
            }
            Value::Loop(depth) => Ok(self.loop_method(*depth, method, arguments)),
            Value::Bool(value) => self.bool_method(*value, method, arguments),
            Value::Char(unit) => self.char_method(*unit, method, arguments),
            number if number.is_number() => self.number_method(receiver, method, arguments),
            _ => Ok(Value::Null),
        }
    }

    /// What every object has: `toString`, `equals`, `hashCode`.
    fn object_method(
        &mut self,
        receiver: &Value<'a>,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Option<Value<'a>>> {
        Ok(Some(match (method, arguments) {
            (Method::ToString, []) => self.text_of(receiver)?,
            (Method::Equals, [other]) => {
                if other.is_null() {
                    return Ok(Some(Value::Bool(false)));
                }
                Value::Bool(self.equals(receiver, other, 0)?)
            }
            (Method::HashCode, []) => match self.hash_code(receiver, 0)? {
                Some(hash) => Value::Int(hash),
                None => Value::Null,
            },
            _ => return Ok(None),
        }))
    }

    fn loop_method(&self, depth: u16, method: Method, arguments: &[Value<'a>]) -> Value<'a> {
        use super::program::Getter;
        if !arguments.is_empty() {
            return Value::Null;
        }
        let getter = match method {
            Method::GetIndex => Getter::Index,
            Method::GetCount => Getter::Count,
            Method::IsFirst | Method::GetFirst => Getter::First,
            Method::IsLast | Method::GetLast => Getter::Last,
            Method::HasNext | Method::IsHasNext => Getter::HasNext,
            Method::GetParent => Getter::Parent,
            Method::GetTopmost => Getter::Topmost,
            _ => return Value::Null,
        };
        self.loop_property(depth, getter)
    }

    /// Java's `hashCode`; `None` for what has one by its place in memory.
    fn hash_code(&mut self, value: &Value<'a>, depth: u32) -> Result<Option<i32>> {
        use super::java::{big, double, integer, text};
        if depth > 32 {
            return Ok(None);
        }
        Ok(match value {
            Value::Null => Some(0),
            Value::Bool(value) => Some(integer::hash_code_bool(*value)),
            Value::Char(unit) => Some(i32::from(*unit)),
            Value::Byte(value) => Some(i32::from(*value)),
            Value::Short(value) => Some(i32::from(*value)),
            Value::Int(value) => Some(*value),
            Value::Long(value) => Some(integer::hash_code_long(*value)),
            Value::Float(value) => Some(value.to_bits() as i32),
            Value::Double(value) => Some(double::hash_code(*value)),
            Value::Big(value) => Some(big::hash_code(value)),
            Value::Text(value) => Some(text::hash_code(self.heap.str(value))),
            Value::Entry(entry) => {
                let entry = Rc::clone(entry);
                let key = self.hash_code(&entry.0, depth + 1)?;
                let value = self.hash_code(&entry.1, depth + 1)?;
                key.zip(value).map(|(key, value)| key ^ value)
            }
            _ => {
                if self.heap.list_len(value).is_some() {
                    let mut hash = 1_i32;
                    for item in self.items(value)? {
                        let Some(item) = self.hash_code(&item, depth + 1)? else { return Ok(None) };
                        hash = hash.wrapping_mul(31).wrapping_add(item);
                    }
                    return Ok(Some(hash));
                }
                let Some(map) = self.heap.map(value) else { return Ok(None) };
                let mut hash = 0_i32;
                for (key, value) in self.heap.entries(&map) {
                    let key = self.hash_code(&key, depth + 1)?;
                    let value = self.hash_code(&value, depth + 1)?;
                    let Some((key, value)) = key.zip(value) else { return Ok(None) };
                    hash = hash.wrapping_add(key ^ value);
                }
                Some(hash)
            }
        })
    }
}
