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
        let text = self.0.get(name).ok_or_else(|| usage(format!("--{name} is missing")))?;
        text.parse().map_err(|_| usage(format!("--{name} {text:?} is no value")))
    }
}

/// An error that is answered with the usage.
pub fn usage(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
