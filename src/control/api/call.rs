//! A call as an operation sees it, and what it answers.

use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::ApiError;
use super::objects::Texts;
use super::operation::Operation;
use super::patch::{self, Patch};

/// A routed call.
#[derive(Debug)]
pub struct Call<'a> {
    /// What is called.
    pub operation: &'static Operation,
    /// Path labels, percent-decoded, by the names in the operation's URI.
    pub labels: Vec<(&'static str, String)>,
    /// Query parameters, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// Value of `Accept`.
    pub accept: Option<&'a str>,
    /// The body as it came.
    pub body: &'a [u8],
    /// Members of the JSON body; empty for operations that take a raw one.
    pub input: Map<String, Value>,
}

impl Call<'_> {
    /// A path label.
    ///
    /// # Panics
    /// The operation's URI has no such label.
    pub fn label(&self, name: &str) -> &str {
        let found = self.labels.iter().find(|(label, _)| *label == name);
        &found.unwrap_or_else(|| panic!("{} has no label {name}", self.operation.name)).1
    }

    /// A query parameter; the first of several.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All query parameters of a name.
    pub fn queries<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A flag in the query; absent is `false`.
    pub fn query_flag(&self, name: &str) -> bool {
        self.query(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A text member of the body. `null` counts as not given.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.input.get(member).and_then(Value::as_str)
    }

    /// The same to keep; a number is its text.
    pub fn owned(&self, member: &str) -> Option<String> {
        self.input.get(member).and_then(scalar)
    }

    /// A whole number of the body, also one that is written as text.
    pub fn integer(&self, member: &str) -> Option<i64> {
        self.owned(member)?.parse().ok()
    }

    /// A map of the body with texts; a number is its text, and `null` counts as not given.
    pub fn texts(&self, member: &str) -> Option<Texts> {
        let members = self.input.get(member)?.as_object()?;
        let texts = members.iter().filter_map(|(name, it)| Some((name.clone(), scalar(it)?)));
        Some(texts.collect())
    }

    /// A map of the body with booleans, also those that are written as text.
    pub fn flags(&self, member: &str) -> Option<IndexMap<String, bool>> {
        let members = self.input.get(member)?.as_object()?;
        let flag = |it: &Value| it.as_bool().unwrap_or_else(|| it.as_str() == Some("true"));
        Some(members.iter().map(|(name, it)| (name.clone(), flag(it))).collect())
    }

    /// A boolean member of the body.
    pub fn flag(&self, member: &str) -> Option<bool> {
        self.input.get(member).and_then(Value::as_bool)
    }

    /// A member of the body as anything that deserializes; `shape` has checked its JSON type.
    ///
    /// # Errors
    /// A nested member has the wrong type.
    pub fn member<T: DeserializeOwned>(&self, member: &str) -> Result<Option<T>, ApiError> {
        match self.input.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value.clone())
                .map(Some)
                .map_err(|error| ApiError::serialization(format!("{member}: {error}"))),
        }
    }

    /// The `patchOperations` of the body.
    ///
    /// # Errors
    /// One is not an object of strings.
    pub fn patches(&self) -> Result<Vec<Patch>, ApiError> {
        patch::read(self.input.get("patchOperations"))
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// What an operation answers.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status; [`super::carry_out`] sets the operation's.
    pub status: u16,
    /// The body.
    pub body: Body,
}

/// Body of a [`Reply`].
#[derive(Debug)]
pub enum Body {
    /// None.
    Empty,
    /// A JSON document.
    Json(Value),
    /// A document of another kind.
    Raw {
        /// `Content-Type`.
        content_type: String,
        /// `Content-Disposition`.
        disposition: Option<String>,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

impl Reply {
    /// Nothing but a status.
    pub fn empty() -> Self {
        Self { status: 200, body: Body::Empty }
    }

    /// An object.
    pub fn json(object: &impl Serialize) -> Self {
        let value = serde_json::to_value(object).expect("our objects serialize");
        Self { status: 200, body: Body::Json(value) }
    }

    /// Another document.
    pub fn raw(content_type: &str, disposition: Option<String>, bytes: Vec<u8>) -> Self {
        let content_type = content_type.to_owned();
        Self { status: 200, body: Body::Raw { content_type, disposition, bytes } }
    }
}
