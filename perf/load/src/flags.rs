//! `--name value` pairs, nothing more.

use std::collections::HashMap;
use std::io;
use std::str::FromStr;

/// The command line after the mode.
pub struct Flags(HashMap<String, String>);

impl Flags {
    /// Reads `--name value` pairs.
    ///
    /// # Errors
    /// `InvalidInput` for anything else.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> io::Result<Self> {
        let mut flags = HashMap::new();
        while let Some(name) = arguments.next() {
            let value = arguments.next();
            match (name.strip_prefix("--"), value) {
                (Some(name), Some(value)) => flags.insert(name.to_owned(), value),
                _ => return Err(usage(format!("{name:?} is no flag with a value"))),
            };
        }
        Ok(Self(flags))
    }

    /// The value of a flag that has to be there.
    ///
    /// # Errors
    /// `InvalidInput` when it is missing or does not parse.
    pub fn value<T: FromStr>(&self, name: &str) -> io::Result<T> {
        self.optional(name)?.ok_or_else(|| usage(format!("--{name} is missing")))
    }

    /// The value of a flag, if it is there.
    ///
    /// # Errors
    /// `InvalidInput` when it does not parse.
    pub fn optional<T: FromStr>(&self, name: &str) -> io::Result<Option<T>> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| usage(format!("--{name} {text:?} is no value")))
    }
}

/// An error that is answered with the usage.
pub fn usage(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
