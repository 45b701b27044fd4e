//! `$util` and the methods of `$input`.

use super::super::error::RenderError;
use super::super::host::HostMap;
use super::super::java::escape;
use super::super::machine::{Machine, Result};
use super::super::value::{Entries, Key as MapKey, List, ListKind, Map, Text, Value};
use super::Method;
use crate::json::{Document, JsonPath, Kind, NodeId, Number, Tape};

impl<'a> Machine<'a, '_> {
    pub(super) fn input_method(
        &mut self,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        match (method, arguments) {
            (Method::Params, []) => Ok(Value::Host(HostMap::PARAMS)),
            (Method::Params, [name]) => {
                let Some(name) = self.heap.as_str(name) else { return Ok(Value::EMPTY) };
                let name = name.to_owned();
                Ok(self.input_param(&name))
            }
            (Method::Path | Method::Json, [path]) => {
                let Some(text) = self.heap.as_str(path) else { return Ok(Value::Null) };
                let path = JsonPath::compile(text)
                    .map_err(|error| RenderError::new(format!("'{text}' is no path: {error}")))?;
                self.burn(100)?;
                if method == Method::Path { self.find(&path) } else { self.find_json(&path) }
            }
            (Method::GetBody, []) => Ok(Value::text(self.heap.body_text)),
            _ => Ok(Value::Null),
        }
    }

    pub(super) fn util_method(
        &mut self,
        method: Method,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>> {
        let [argument] = arguments else { return Ok(Value::Null) };
        match method {
            Method::EscapeJavaScript => {
                if argument.is_null() {
                    return Ok(Value::Null);
                }
                let text = self.text_of(argument)?;
                self.write_text(&text, |text, out| {
                    escape::escape_java_script(text, out);
                    Ok(())
                })
            }
            _ if !matches!(argument, Value::Text(_)) => Ok(Value::Null),
            Method::UrlEncode => self.write_text(argument, |text, out| {
                escape::url_encode(text, out);
                Ok(())
            }),
            Method::UrlDecode => {
                self.write_text(argument, |text, out| Ok(escape::url_decode(text, out)?))
            }
            Method::Base64Encode => self.write_text(argument, |text, out| {
                escape::base64_encode(text, out);
                Ok(())
            }),
            Method::Base64Decode => {
                self.write_text(argument, |text, out| Ok(escape::base64_decode(text, out)?))
            }
            Method::ParseJson => {
                let text = self.heap.as_str(argument).unwrap_or_default().to_owned();
                self.parse_json(&text)
            }
            _ => Ok(Value::Null),
        }
    }

    fn write_text(
        &mut self,
        argument: &Value<'a>,
        write: impl Fn(&str, &mut String) -> Result<()>,
    ) -> Result<Value<'a>> {
        let value =
            self.heap.build(|heap, out| write(heap.as_str(argument).unwrap_or_default(), out))?;
        self.charge(self.heap.as_str(&value).map_or(0, str::len))?;
        Ok(value)
    }

    /// `$util.parseJson(text)`: lists and maps of the template's own.
    fn parse_json(&mut self, text: &str) -> Result<Value<'a>> {
        self.burn(text.len() as u64 / 16 + 10)?;
        let mut tape = Tape::new();
        let root = tape
            .parse(text)
            .map_err(|error| RenderError::new(format!("$util.parseJson: {error}")))?;
        Ok(own_value(&tape.document(text), root, ListKind::Json))
    }
}

/// A node and everything inside it as a value of the template's own; arrays become lists of `kind`.
pub fn own_value<'a>(document: &Document<'_, '_>, node: NodeId, kind: ListKind) -> Value<'a> {
    match document.kind(node) {
        Kind::Null => Value::Null,
        Kind::Bool => Value::Bool(document.is_true(node)),
        Kind::Number => match document.number(node) {
            Some(Number::Int(value)) => Value::Int(value),
            Some(Number::Long(value)) => Value::Long(value),
            Some(Number::Double(value)) => Value::Double(value),
            Some(Number::Big(text)) => text.parse().map_or(Value::Null, Value::big),
            // Variables of plain Velocity know no decimals.
            Some(Number::Decimal(text)) if kind == ListKind::ArrayList => {
                Value::Double(text.parse().unwrap_or(f64::NAN))
            }
            Some(Number::Decimal(text)) => match super::super::decimal::Decimal::parse(text) {
                Some(value) => Value::Decimal(value.into()),
                None => Value::Null,
            },
            None => Value::Null,
        },
        Kind::String => {
            let text = document.string(node).map_or("", |text| text.as_str());
            Value::Text(Text::Shared(text.into()))
        }
        Kind::Array => {
            let items = document.elements(node).map(|element| own_value(document, element, kind));
            Value::List(List::new(kind, items.collect()))
        }
        Kind::Object => {
            let mut entries = Entries::default();
            for (key, value) in document.members(node) {
                entries.insert(MapKey::Text(key.as_str().into()), own_value(document, value, kind));
            }
            Value::Map(Map::new(entries))
        }
    }
}
