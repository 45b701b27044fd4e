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
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessLogFormat {
    parts: Vec<Part>,
    escape: Escape,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(Box<str>),
    Variable(ContextVariable),
    Authorizer(Box<str>),
    /// A variable AWS has and nothing here ever gives a value.
    Absent,
}

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
        Ok(Self { parts: parse::parts(format)?, escape: Escape::of(format) })
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
        self.parts.iter().any(|part| matches!(part, Part::Variable(other) if *other == variable))
    }

    /// Appends one line with its line feed. Allocates nothing but what `out` may grow by.
    pub fn write<V: Variables>(&self, out: &mut Vec<u8>, variables: &V) {
        for part in &self.parts {
            let start = out.len();
            let has_value = match part {
                Part::Text(text) => {
                    out.extend_from_slice(text.as_bytes());
                    continue;
                }
                Part::Variable(variable) => variables.write(*variable, out),
                Part::Authorizer(key) => variables.write_authorizer(key, out),
                Part::Absent => false,
            };
            if !has_value {
                out.truncate(start);
                out.push(b'-');
                continue;
            }
            match part {
                Part::Variable(variable) if variable.is_plain() => {}
                // The one value that is JSON already, quotes included.
                Part::Variable(ContextVariable::ErrorMessageString) => {
                    self.escape.value(out, start, true);
                }
                _ => self.escape.value(out, start, false),
            }
        }
        out.push(b'\n');
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
