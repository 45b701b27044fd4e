//! Access-log formats: a stage's format, compiled to a list of parts, writes a line per request.
//!
//! A format is text with `$context.name` in it; a variable without a value prints `-`. Source:
//! developer guide, "Set up CloudWatch logging for REST APIs", "Variables for access logging".
//!
//! AWS prints values as they are, and a client that sends a quote or a line feed can forge a field
//! or a line. We do not (see `escape`): a deliberate deviation.

mod escape;
mod parse;

use escape::Escape;
use parse::Part;
pub use parse::{FORMAT_BYTES_MAX, FormatError};

use crate::context::ContextVariable;

/// What `$context` variables are worth for one request.
pub trait Variables {
    /// Appends the variable's value; `false` (and what was appended is dropped) if it has none.
    fn write(&self, variable: ContextVariable, out: &mut Vec<u8>) -> bool;

    /// The same for `$context.authorizer.{key}`, all but `principalId`; a claim's key is
    /// `claims.{name}`.
    fn write_authorizer(&self, key: &str, out: &mut Vec<u8>) -> bool {
        let _ = (key, out);
        false
    }
}

/// An access-log format, ready to write lines.
///
/// It takes little memory, because a line finds none of it in the core's first cache: a request reads and
/// writes more than that holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessLogFormat {
    /// All that stands before, between and behind the values.
    text: Box<str>,
    fields: Box<[Field]>,
    /// Keys of the authorizer's values.
    keys: Box<[Box<str>]>,
    escape: Escape,
}

/// A value, and bytes of the text before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Field {
    value: Value,
    text: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Value {
    Variable(ContextVariable),
    /// Of the key in this place.
    Authorizer(u16),
    /// Of a variable AWS has and nothing here ever gives a value.
    Absent,
}

/// A text up to this length is copied together with what comes behind it, then cut: that takes a few
/// instructions, a copy of any length a call.
const TEXT_BYTES: usize = 32;

/// The console's presets, by name.
const PRESETS: [(&str, &str); 4] = [
    (
        "clf",
        r#"$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] "$context.httpMethod $context.resourcePath $context.protocol" $context.status $context.responseLength $context.requestId $context.extendedRequestId"#,
    ),
    (
        "json",
        r#"{ "requestId":"$context.requestId", "extendedRequestId":"$context.extendedRequestId", "ip": "$context.identity.sourceIp", "caller":"$context.identity.caller", "user":"$context.identity.user", "requestTime":"$context.requestTime", "httpMethod":"$context.httpMethod", "resourcePath":"$context.resourcePath", "status":"$context.status", "protocol":"$context.protocol", "responseLength":"$context.responseLength" }"#,
    ),
    (
        "csv",
        "$context.identity.sourceIp,$context.identity.caller,$context.identity.user,$context.requestTime,$context.httpMethod,$context.resourcePath,$context.protocol,$context.status,$context.responseLength,$context.requestId,$context.extendedRequestId",
    ),
    (
        "xml",
        r#"<request id="$context.requestId"> <extendedRequestId>$context.extendedRequestId</extendedRequestId> <ip>$context.identity.sourceIp</ip> <caller>$context.identity.caller</caller> <user>$context.identity.user</user> <requestTime>$context.requestTime</requestTime> <httpMethod>$context.httpMethod</httpMethod> <resourcePath>$context.resourcePath</resourcePath> <status>$context.status</status> <protocol>$context.protocol</protocol> <responseLength>$context.responseLength</responseLength> </request>"#,
    ),
];

impl AccessLogFormat {
    /// Names of the presets.
    pub const PRESET_NAMES: [&'static str; 4] =
        [PRESETS[0].0, PRESETS[1].0, PRESETS[2].0, PRESETS[3].0];

    /// Compiles a format.
    ///
    /// # Errors
    /// It is empty, too long, not one line, or refers to something that is no `$context` variable;
    /// the error says where, and what the nearest name is.
    pub fn parse(format: &str) -> Result<Self, FormatError> {
        let format = parse::without_line_end(format);
        let (mut text, mut fields, mut keys) = (String::new(), Vec::new(), Vec::new());
        let mut before = 0;
        for part in parse::parts(format)? {
            let value = match part {
                Part::Text(piece) => {
                    text.push_str(piece);
                    continue;
                }
                Part::Value(value) => value,
                Part::Authorizer(key) => {
                    keys.push(key.into());
                    Value::Authorizer(keys.len() as u16 - 1)
                }
            };
            // Of at most `FORMAT_BYTES_MAX`.
            fields.push(Field { value, text: (text.len() - before) as u16 });
            before = text.len();
        }
        text.push('\n');
        Ok(Self {
            text: text.into(),
            fields: fields.into(),
            keys: keys.into(),
            escape: Escape::of(format),
        })
    }

    /// One of the console's presets: `clf`, `json`, `csv` or `xml`.
    pub fn preset(name: &str) -> Option<Self> {
        let (_, format) = PRESETS.iter().find(|preset| preset.0 == name)?;
        Self::parse(format).ok()
    }

    /// Whether it has `$context.requestId` or `$context.extendedRequestId`, as AWS demands.
    pub fn identifies_requests(&self) -> bool {
        self.reads(ContextVariable::RequestId) || self.reads(ContextVariable::ExtendedRequestId)
    }

    /// Whether it has this variable.
    pub fn reads(&self, variable: ContextVariable) -> bool {
        self.fields.iter().any(|field| field.value == Value::Variable(variable))
    }

    /// Appends one line with its line feed. Allocates nothing but what `out` may grow by.
    pub fn write<V: Variables>(&self, out: &mut Vec<u8>, variables: &V) {
        let mut text = self.text.as_bytes();
        for &Field { value, text: before } in &self.fields {
            let (piece, rest) = text.split_at(usize::from(before));
            match text.first_chunk::<TEXT_BYTES>() {
                Some(chunk) if piece.len() <= TEXT_BYTES => {
                    let end = out.len() + piece.len();
                    out.extend_from_slice(chunk);
                    out.truncate(end);
                }
                _ => out.extend_from_slice(piece),
            }
            text = rest;
            let start = out.len();
            let has_value = match value {
                Value::Variable(variable) => variables.write(variable, out),
                Value::Authorizer(place) => {
                    variables.write_authorizer(&self.keys[usize::from(place)], out)
                }
                Value::Absent => false,
            };
            if !has_value {
                out.truncate(start);
                out.push(b'-');
                continue;
            }
            match value {
                Value::Variable(variable) if variable.is_plain() => {}
                // The one value that is JSON already, quotes included.
                Value::Variable(ContextVariable::ErrorMessageString) => {
                    self.escape.value(out, start, true);
                }
                _ => self.escape.value(out, start, false),
            }
        }
        out.extend_from_slice(text);
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
