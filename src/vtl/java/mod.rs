//! What Java 17's String, Integer, Long, Double, BigInteger and java.util.regex do, on Rust types.
//!
//! Templates call Java methods; this module has the methods, the VTL engine the dispatch. Every
//! function is pure: text comes in as `&str`, text goes out appended to a `String` of the caller,
//! and what Java throws comes back as a [`JavaException`] with Java's class and message.
//!
//! Indices and lengths count UTF-16 code units, as in Java, while our text is UTF-8. ASCII text,
//! where the two agree, takes a fast path. UTF-8 cannot hold half of a surrogate pair: a half that
//! a method cuts out is `?`, which is how Java's encoder prints it.
//!
//! | file | what |
//! | --- | --- |
//! | `chars` | facts about single characters: digits, white space, case |
//! | `double` | `Double.toString`, `Float.toString`, `parseDouble`, narrowing |
//! | `integer` | `Integer` and `Long`: parsing, radix output, bits |
//! | `big` | `BigInteger` over `num-bigint` |
//! | `text` | `String`, all but the methods that take a pattern |
//! | `format` | `String.format` |
//! | `regex` | `java.util.regex` on `regex` and `fancy-regex`; `matches`, `replaceAll`, `split` |
//! | `escape` | commons-lang `escapeJavaScript`, `URLEncoder`, `URLDecoder`, `Base64` |
//!
//! Cost: no allocation beyond the growth of `out`, except where a function says so.
//! Source: measured against OpenJDK 17 and commons-lang 2.6; `testdata` holds a part of it.

use std::error::Error;
use std::fmt;

pub mod big;
pub mod chars;
pub mod double;
pub mod escape;
pub mod format;
pub mod integer;
pub mod regex;
pub mod text;

#[cfg(test)]
mod tests;

pub use regex::JavaRegex;

/// An exception Java would have thrown; in a template, a run-time error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JavaException {
    /// Simple name of the class, such as `NumberFormatException`.
    pub class: &'static str,
    /// What `getMessage()` returns.
    pub message: String,
}

impl JavaException {
    /// An exception of `class` saying `message`.
    #[cold]
    pub fn new(class: &'static str, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }
}

impl fmt::Display for JavaException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.message)
    }
}

impl Error for JavaException {}
