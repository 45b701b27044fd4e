//! From a format's text to its parts.

use std::error::Error;
use std::fmt;

use super::Value;
use crate::context::ContextVariable;
use crate::limits::KIB;

/// A format's length, bytes. AWS quota.
pub const FORMAT_BYTES_MAX: usize = 3 * KIB;

const PREFIX: &str = "$context.";

/// Variables of REST APIs that AWS knows and that nothing here has a value for (IAM, WAF, mutual
/// TLS): a format with them is right and prints `-`.
const ABSENT: [&str; 15] = [
    "waf.error",
    "waf.latency",
    "waf.status",
    "authenticate.error",
    "authenticate.latency",
    "authenticate.status",
    "authorize.error",
    "authorize.latency",
    "authorize.status",
    "identity.clientCert.clientCertPem",
    "identity.clientCert.subjectDN",
    "identity.clientCert.issuerDN",
    "identity.clientCert.serialNumber",
    "identity.clientCert.validity.notBefore",
    "identity.clientCert.validity.notAfter",
];

/// Why a text is no access-log format. Columns count characters from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FormatError {
    /// There is nothing in it.
    Empty,
    /// It is longer than [`FORMAT_BYTES_MAX`].
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It has a control character, a line feed for example, that is not its end.
    NotOneLine {
        /// Where.
        column: usize,
    },
    /// It refers to `$input`, `$stageVariables` or the like, or to `$context` as a whole.
    NotContext {
        /// Where.
        column: usize,
        /// What, with the dollar sign.
        reference: String,
    },
    /// It refers to a `$context` variable that does not exist.
    UnknownVariable {
        /// Where its `$` is.
        column: usize,
        /// The part after `$context.`.
        name: String,
        /// The known name that is nearest, if one is near.
        nearest: Option<&'static str>,
    },
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "access-log format: it is empty; write for example \
                 '$context.requestId $context.status', or name a preset: clf, json, csv, xml",
            ),
            Self::TooLong { bytes } => write!(
                f,
                "access-log format: it has {bytes} bytes, and {FORMAT_BYTES_MAX} are the most; \
                 leave variables out"
            ),
            Self::NotOneLine { column } => write!(
                f,
                "access-log format, column {column}: a line feed or another control character; \
                 write the format as one line"
            ),
            Self::NotContext { column, reference } => write!(
                f,
                "access-log format, column {column}: '{reference}' is no $context variable; only \
                 those have a value here, for example $context.requestId"
            ),
            Self::UnknownVariable { column, name, nearest } => {
                write!(
                    f,
                    "access-log format, column {column}: there is no variable '$context.{name}'; "
                )?;
                match nearest {
                    Some(nearest) => write!(f, "is '$context.{nearest}' meant?"),
                    None => f.write_str("the developer guide lists them for access logging"),
                }
            }
        }
    }
}

impl Error for FormatError {}

/// Without the line end that AWS allows: a line feed, or `\n` in letters as shells and JSON leave it.
pub(super) fn without_line_end(format: &str) -> &str {
    let format = format.strip_suffix("\\n").unwrap_or(format);
    let format = format.strip_suffix('\n').unwrap_or(format);
    format.strip_suffix('\r').unwrap_or(format)
}

/// A piece of a format.
#[derive(Debug)]
pub(super) enum Part<'f> {
    Text(&'f str),
    Value(Value),
    /// A value of the authorizer by its key.
    Authorizer(String),
}

pub(super) fn parts(format: &str) -> Result<Vec<Part<'_>>, FormatError> {
    if format.trim().is_empty() {
        return Err(FormatError::Empty);
    }
    if format.len() > FORMAT_BYTES_MAX {
        return Err(FormatError::TooLong { bytes: format.len() });
    }
    if let Some(at) = format.find(|c: char| c.is_control() && c != '\t') {
        return Err(FormatError::NotOneLine { column: column(format, at) });
    }
    let mut parts = Vec::new();
    let (mut at, mut text_start) = (0, 0);
    while let Some(offset) = format[at..].find('$') {
        let dollar = at + offset;
        let rest = &format[dollar..];
        if let Some(path) = rest.strip_prefix(PREFIX) {
            let length = path_length(path);
            if text_start < dollar {
                parts.push(Part::Text(&format[text_start..dollar]));
            }
            parts.push(value(&path[..length], column(format, dollar))?);
            at = dollar + PREFIX.len() + length;
            text_start = at;
        } else if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '{') {
            let length = rest[1..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || "{}._".contains(c)))
                .map_or(rest.len(), |length| length + 1);
            let reference = rest[..length].trim_end_matches('.').to_owned();
            return Err(FormatError::NotContext { column: column(format, dollar), reference });
        } else {
            at = dollar + 1; // a dollar sign, as in prices
        }
    }
    if text_start < format.len() {
        parts.push(Part::Text(&format[text_start..]));
    }
    Ok(parts)
}

fn column(format: &str, at: usize) -> usize {
    format[..at].chars().count() + 1
}

/// Bytes of the name at the beginning of `text`: words joined by dots, and `['key']` where keys can
/// be free (`authorizer.claims['custom:role']`). A dot that no word follows is text.
fn path_length(text: &str) -> usize {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = text.as_bytes();
    let word = |from: usize| bytes[from..].iter().take_while(|byte| is_word(byte)).count();
    let mut end = word(0);
    loop {
        let more = match bytes.get(end) {
            Some(b'.') => Some(word(end + 1)).filter(|&length| length > 0).map(|l| l + 1),
            Some(b'[') if text[..end].starts_with("authorizer") => {
                bracket_key(&text[end..]).map(|key| key.len() + "['']".len())
            }
            _ => None,
        };
        match more {
            Some(length) => end += length,
            None => return end,
        }
    }
}

/// `key` of `['key']` or `["key"]` at the beginning of `text`.
fn bracket_key(text: &str) -> Option<&str> {
    let (quote, rest) = match text.get(..2)? {
        "['" => ("']", &text[2..]),
        "[\"" => ("\"]", &text[2..]),
        _ => return None,
    };
    let key = &rest[..rest.find(quote)?];
    (!key.is_empty()).then_some(key)
}

fn value<'f>(path: &str, column: usize) -> Result<Part<'f>, FormatError> {
    if let Some(variable) = ContextVariable::named(path) {
        return Ok(Part::Value(Value::Variable(variable)));
    }
    if ABSENT.contains(&path) {
        return Ok(Part::Value(Value::Absent));
    }
    if let Some(key) = path.strip_prefix("authorizer").and_then(authorizer_key) {
        return Ok(match key.as_str() {
            "principalId" => Part::Value(Value::Variable(ContextVariable::AuthorizerPrincipalId)),
            _ => Part::Authorizer(key),
        });
    }
    Err(FormatError::UnknownVariable { column, name: path.to_owned(), nearest: nearest(path) })
}

/// `claims.custom:role` of `.claims['custom:role']`.
fn authorizer_key(mut rest: &str) -> Option<String> {
    let mut key = String::new();
    while !rest.is_empty() {
        let word = if let Some(word) = rest.strip_prefix('.') {
            let word = &word[..word.find(['.', '[']).unwrap_or(word.len())];
            rest = &rest[1 + word.len()..];
            word
        } else {
            let word = bracket_key(rest)?;
            rest = &rest[word.len() + "['']".len()..];
            word
        };
        if !key.is_empty() {
            key.push('.');
        }
        key.push_str(word);
    }
    (!key.is_empty()).then_some(key)
}

/// The known name with the fewest edits, if that is at most a third of the name.
fn nearest(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    ContextVariable::ALL
        .iter()
        .map(|variable| variable.name())
        .chain(ABSENT)
        .map(|known| {
            // `sourceIp` for `identity.sourceIp` is a frequent slip and many edits.
            let last = known.rsplit('.').next().unwrap_or(known).to_ascii_lowercase();
            let by_last = edits(&lower, &last) + 1;
            (edits(&lower, &known.to_ascii_lowercase()).min(by_last), known)
        })
        .filter(|(edits, _)| *edits <= name.len().div_ceil(3).max(1))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, known)| known)
}

/// Levenshtein distance, bytes. Both are short: a format has at most [`FORMAT_BYTES_MAX`].
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}
