//! One view of the two trees there are, a document's and serde's, for whatever writes them as text.

use std::borrow::Cow;

use serde_json::{Number, Value as Json};

use super::yaml::json_number;
use super::{Node, Value};

/// What stands at a place of a tree.
pub(super) enum Kind<'a, T> {
    Null,
    Bool(bool),
    /// As JSON writes it.
    Number(Cow<'a, str>),
    Text(&'a str),
    List(&'a [T]),
    Map(Vec<(&'a str, &'a T)>),
}

/// A tree of JSON's kinds of value.
pub(super) trait Tree: Sized {
    fn kind(&self) -> Kind<'_, Self>;
}

impl Tree for Node {
    fn kind(&self) -> Kind<'_, Self> {
        match &self.value {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Bool(*value),
            // No document has a number that JSON cannot write.
            Value::Number(text) => Kind::Number(json_number(text).unwrap_or("0".into())),
            Value::String(text) => Kind::Text(text),
            Value::List(items) => Kind::List(items),
            Value::Map(members) => {
                Kind::Map(members.iter().map(|it| (&*it.key, &it.node)).collect())
            }
        }
    }
}

impl Tree for Json {
    fn kind(&self) -> Kind<'_, Self> {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(value) => Kind::Bool(*value),
            Self::Number(number) => Kind::Number(number.to_string().into()),
            Self::String(text) => Kind::Text(text),
            Self::Array(items) => Kind::List(items),
            Self::Object(members) => {
                Kind::Map(members.iter().map(|(key, value)| (key.as_str(), value)).collect())
            }
        }
    }
}

impl Node {
    /// The same tree without places. A number beyond the range of doubles becomes its text, as serde
    /// has no such number.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(text) => {
                let number = json_number(text).and_then(|text| number(&text));
                number.map_or_else(|| Json::String(text.to_string()), Json::Number)
            }
            Value::String(text) => Json::String(text.to_string()),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(members) => {
                let member = |it: &super::Member| (it.key.to_string(), it.node.to_json());
                Json::Object(members.iter().map(member).collect())
            }
        }
    }
}

/// Not by serde, which takes a neighbour of some doubles for them.
fn number(text: &str) -> Option<Number> {
    let whole = text.parse().map(|number: i64| Number::from(number));
    let whole = whole.or_else(|_| text.parse().map(|number: u64| Number::from(number)));
    whole.ok().or_else(|| Number::from_f64(text.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::openapi::Document;

    #[test]
    fn a_document_becomes_json_in_its_order() {
        let text = "b: [1, 0x10, 1.50, 1e400, .5, true, ~]\na: { '2': x }";
        let found = Document::parse(text).unwrap().root().to_json();
        assert_eq!(
            found,
            json!({ "b": [1, 16, 1.5, "1e400", 0.5, true, null], "a": { "2": "x" } })
        );
        let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["b", "a"]);
    }
}
