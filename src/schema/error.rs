//! What is wrong, or only odd, about a schema, for its author.

use std::fmt;

/// Where in which text: a model's name and a JSON pointer into it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The model; the text that was asked for has no name here.
    pub(super) model: Option<Box<str>>,
    pub(super) pointer: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(model) = &self.model {
            write!(f, "model {model}, ")?;
        }
        write!(f, "#{}", self.pointer)
    }
}

/// Why a text is no schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    pub(super) place: Place,
    pub(super) what: String,
    pub(super) help: String,
}

impl SchemaError {
    /// The model that has the mistake, if it is not the compiled text itself.
    pub fn model(&self) -> Option<&str> {
        self.place.model.as_deref()
    }

    /// Where the mistake is, as a JSON pointer.
    pub fn pointer(&self) -> &str {
        &self.place.pointer
    }

    /// What the mistake is.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// How to mend it.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what, self.help)
    }
}

impl std::error::Error for SchemaError {}

/// Something that a schema says in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub(super) place: Place,
    pub(super) text: String,
}

impl Warning {
    /// The model that says it, if it is not the compiled text itself.
    pub fn model(&self) -> Option<&str> {
        self.place.model.as_deref()
    }

    /// Where it stands, as a JSON pointer.
    pub fn pointer(&self) -> &str {
        &self.place.pointer
    }

    /// What it is, and what becomes of it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}
