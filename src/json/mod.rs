//! JSON as API Gateway's templates see it: json-smart's documents and Jayway's JsonPath.
//!
//! A [`Tape`] parses a body once into a flat list of nodes, [`Document`] reads it, [`JsonPath`]
//! asks for parts of it, [`mod@write`] prints parts of it. All four follow what the service's own
//! libraries do (json-smart 2.2 in `MODE_PERMISSIVE`, Jayway JsonPath 2.0.0), oddities included;
//! `testdata` holds what those libraries answered. What a schema is to judge has to be JSON by the
//! standard: [`Tape::parse_strict`].
//!
//! ```ignore
//! use crate::json::{JsonPath, Tape, path, write};
//!
//! let body = r#"{"customer": {"name": "Ann"}, "items": [{"price": 2}, {"price": 3.5}]}"#;
//! let mut tape = Tape::new();
//! let root = tape.parse(body)?;
//!
//! // A definite path of literal steps is a walk over the tape.
//! let path = JsonPath::compile("$.customer.name")?;
//! let steps = path.simple_steps().unwrap();
//! let name = tape.document(body).walk(root, steps)?.unwrap();
//! assert_eq!(tape.document(body).string(name).unwrap().as_str(), "Ann");
//!
//! // Any other is evaluated, within a budget.
//! let path = JsonPath::compile("$.items[?(@.price > 2)].price")?;
//! let mut tree = path::TapeTree::new(&mut tape, body);
//! let found = path.evaluate(&mut tree, &root, &mut path::Budget::default())?.into_node(&mut tree);
//! let mut out = String::new();
//! write::write(&tape.document(body), found.unwrap(), write::Style::Json, &mut out);
//! assert_eq!(out, "[3.5]");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Cost: parsing is O(bytes) and allocates nothing on a warm tape, whatever the text. Everything
//! has a bound in [`limits`]. Nothing here knows of requests, templates or I/O.

pub mod number;
mod parse;
pub mod path;
mod permissive;
mod tape;
mod value;
pub mod write;

#[cfg(test)]
mod tests;

use std::fmt;

pub use number::Number;
pub use path::JsonPath;
pub use tape::{Document, Elements, JsonStr, Key, Kind, Members, NodeId, Tape};
pub use value::{HashedMembers, Shape, Value};
pub use write::Style;

/// Every bound of this module.
pub mod limits {
    /// Containers within each other. json-smart's own bound since it has one (CVE-2023-1370).
    pub const DEPTH_MAX: u32 = 400;
    /// A text that is parsed, bytes. Ours; API Gateway's payloads end at 10 MB, and a node needs a
    /// 32-bit offset.
    pub const TEXT_BYTES_MAX: u32 = 64 << 20;
    /// Steps of a path. Ours: evaluation recurses once for each, and Jayway overflows its stack
    /// not far above.
    pub const PATH_STEPS_MAX: usize = 256;
    /// A path as it is written, bytes. Ours.
    pub const PATH_BYTES_MAX: usize = 16 << 10;
    /// Values that one evaluation may visit. Ours.
    pub const PATH_VISITS_MAX: u32 = 1_000_000;
    /// Steps back that one match of a regular expression may take. Ours.
    pub const REGEX_BACKTRACKS_MAX: usize = 100_000;
    /// A compiled regular expression, bytes. Ours.
    pub const REGEX_BYTES_MAX: usize = 1 << 20;

    const _: () = assert!(TEXT_BYTES_MAX < u32::MAX / 2);
}

/// A text that is no document, not even to json-smart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Byte of the text where it stops making sense.
    pub at: usize,
    /// What is wrong there.
    pub kind: JsonErrorKind,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// A bracket, colon or anything else where it has no meaning.
    UnexpectedCharacter,
    /// A value after a value, without a comma.
    MissingComma,
    /// The text ends inside a string or a container.
    UnexpectedEnd,
    /// `\u` or `\x` without its hex digits.
    InvalidEscape,
    /// A number's text that Java's constructors refuse.
    InvalidNumber,
    /// An object has a key twice; only [`Tape::parse_strict`] minds.
    RepeatedKey,
    /// More than [`limits::DEPTH_MAX`] containers within each other.
    TooDeep,
    /// More than [`limits::TEXT_BYTES_MAX`] bytes.
    TooLong,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.kind {
            JsonErrorKind::UnexpectedCharacter => "unexpected character",
            JsonErrorKind::MissingComma => "expected a comma or the end of the container",
            JsonErrorKind::UnexpectedEnd => "unexpected end",
            JsonErrorKind::InvalidEscape => "invalid escape in a string",
            JsonErrorKind::InvalidNumber => "invalid number",
            JsonErrorKind::RepeatedKey => "an object that ends here has a key twice",
            JsonErrorKind::TooDeep => "nested too deeply",
            JsonErrorKind::TooLong => "too long",
        };
        write!(f, "JSON: {reason} at byte {}", self.at)
    }
}

impl std::error::Error for JsonError {}
