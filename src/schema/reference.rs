//! `$ref`: into the same text, or to another model of the same API.

use std::collections::HashMap;

use crate::json::{Document, JsonErrorKind, Kind, NodeId, Tape, Value};
use crate::schema::error::{Place, SchemaError, Warning};
use crate::schema::limits;
use crate::schema::program::Source;

/// Where a reference leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The model, or the text with the reference itself.
    pub(super) model: Option<String>,
    /// A JSON pointer, decoded from the URL's fragment.
    pub(super) pointer: String,
}

impl Target {
    /// Reads a reference out of a text whose own `id` is `base`.
    ///
    /// # Errors
    /// Why it cannot be followed.
    pub(super) fn parse(reference: &str, base: Option<&str>) -> Result<Self, &'static str> {
        let (locator, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let model = if locator.is_empty() || base == Some(locator) {
            None
        } else {
            Some(model_of(locator).ok_or("leads out of the API, which is not allowed")?.to_owned())
        };
        let pointer = decode_percent(fragment).ok_or("has a `%` without two hex digits")?;
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err("does not have a JSON pointer after the `#`");
        }
        Ok(Self { model, pointer })
    }
}

/// `Name` of `https://apigateway.amazonaws.com/restapis/{api}/models/{Name}`, with or without a region.
fn model_of(locator: &str) -> Option<&str> {
    let rest = locator.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    let region = host.strip_prefix("apigateway")?.strip_suffix(".amazonaws.com")?;
    let region_valid = region.is_empty() || (region.starts_with('.') && !region[1..].contains('.'));
    let (_api, name) = path.strip_prefix("restapis/")?.split_once("/models/")?;
    (region_valid && !name.is_empty() && !name.contains('/')).then_some(name)
}

fn decode_percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let (decoded, next) = match byte {
            b'%' => {
                let (digits, next) = after.split_at_checked(2)?;
                (u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?, next)
            }
            &byte => (byte, after),
        };
        bytes.push(decoded);
        rest = next;
    }
    String::from_utf8(bytes).ok()
}

/// The value at a JSON pointer (RFC 6901).
pub(super) fn locate(document: &Document<'_, '_>, pointer: &str) -> Option<NodeId> {
    pointer.split('/').skip(1).try_fold(NodeId::ROOT, |at, token| {
        let token = token.replace("~1", "/").replace("~0", "~");
        match document.kind(at) {
            Kind::Array => document.element(at, token.parse().ok()?),
            _ => document.member_named(at, &token),
        }
    })
}

/// Appends a member's name to a JSON pointer.
pub(super) fn push_token(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// The models that a model's text refers to, each once, in the text's order. A text that is no JSON
/// refers to nothing.
pub fn referenced(text: &str) -> Vec<String> {
    let mut tape = Tape::new();
    let mut found = Vec::new();
    if let Ok(root) = tape.parse(text) {
        collect(&tape.document(text), root, &mut found);
    }
    found
}

/// Recursion is bounded by the nesting of JSON.
fn collect(document: &Document<'_, '_>, at: NodeId, found: &mut Vec<String>) {
    for element in document.elements(at) {
        collect(document, element, found);
    }
    for (name, value) in document.members(at) {
        if name.as_str() == "$ref"
            && let Value::String(reference) = document.value(value)
            && let Ok(Target { model: Some(model), .. }) = Target::parse(reference, None)
            && !found.contains(&model)
        {
            found.push(model);
        }
        collect(document, value, found);
    }
}

/// All texts that a schema is made of.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) list: Vec<Source>,
    pub(super) by_model: HashMap<String, usize>,
    pub(super) warnings: Vec<Warning>,
}

impl Sources {
    /// Reads `text` and all models that it leads to, directly or not. Models that `resolve` does not
    /// know are missing; whoever follows the reference says so.
    pub(super) fn load<'m>(
        text: &str,
        resolve: &dyn Fn(&str) -> Option<&'m str>,
    ) -> Result<Self, SchemaError> {
        let mut sources = Self { list: Vec::new(), by_model: HashMap::new(), warnings: Vec::new() };
        let mut bytes_left = limits::TEXT_BYTES_MAX;
        let mut wanted = sources.add(None, text, &mut bytes_left)?;
        while let Some(model) = wanted.pop() {
            if sources.by_model.contains_key(&model) {
                continue;
            }
            if let Some(text) = resolve(&model) {
                sources.by_model.insert(model.clone(), sources.list.len());
                wanted.extend(sources.add(Some(model.into()), text, &mut bytes_left)?);
            }
        }
        Ok(sources)
    }

    /// Reads one text; gives the models that it refers to.
    fn add(
        &mut self,
        model: Option<Box<str>>,
        text: &str,
        bytes_left: &mut usize,
    ) -> Result<Vec<String>, SchemaError> {
        let place = Place { model: model.clone(), pointer: String::new() };
        let Some(left) = bytes_left.checked_sub(text.len()) else {
            let bytes = limits::TEXT_BYTES_MAX;
            return Err(SchemaError {
                place,
                what: format!("the schema and its models are longer than {bytes} bytes"),
                help: "split the API or drop definitions that nothing uses".to_owned(),
            });
        };
        *bytes_left = left;
        let text: Box<str> = text.into();
        let mut tape = Tape::new();
        let parsed = tape.parse_strict(&text).or_else(|error| {
            if error.kind != JsonErrorKind::RepeatedKey {
                return Err(error);
            }
            let note = format!("{error}; the last one counts");
            self.warnings.push(Warning { place: place.clone(), text: note });
            tape.parse(&text)
        });
        parsed.map_err(|error| SchemaError {
            place,
            what: format!("the schema cannot be read, {error}"),
            help: "write it as a JSON object".to_owned(),
        })?;
        let mut found = Vec::new();
        collect(&tape.document(&text), NodeId::ROOT, &mut found);
        self.list.push(Source { model, text, tape });
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_into_the_text_or_to_a_model() {
        let same = |pointer: &str| Ok(Target { model: None, pointer: pointer.to_owned() });
        let model = |name: &str, pointer: &str| {
            Ok(Target { model: Some(name.to_owned()), pointer: pointer.to_owned() })
        };
        for (reference, want) in [
            ("#", same("")),
            ("", same("")),
            ("#/definitions/a%25b~1c", same("/definitions/a%b~1c")),
            ("http://x/base#/a", same("/a")),
            ("https://apigateway.amazonaws.com/restapis/abc123/models/Pet", model("Pet", "")),
            ("https://apigateway.eu-west-1.amazonaws.com/restapis/x/models/Pet", model("Pet", "")),
            (
                "https://apigateway.amazonaws.com/restapis/x/models/Pet#/properties/a",
                model("Pet", "/properties/a"),
            ),
        ] {
            assert_eq!(Target::parse(reference, Some("http://x/base")), want, "{reference}");
        }
        for reference in [
            "#anchor",
            "#/a%2",
            "http://apigateway.amazonaws.com/restapis/x/models/Pet",
            "https://apigateway.amazonaws.com.evil.com/restapis/x/models/Pet",
            "https://apigateway.amazonaws.com/restapis/x/models/",
            "https://apigateway.amazonaws.com/restapis/x/models/a/b",
            "https://example.com/schema.json",
            "other.json#/a",
            "file:///etc/passwd",
        ] {
            assert!(Target::parse(reference, Some("http://x/base")).is_err(), "{reference}");
        }
    }

    #[test]
    fn pointers_are_rfc_6901() {
        let text = r#"{"a/b":[{"c~d":1}],"":2}"#;
        let mut tape = Tape::new();
        tape.parse_strict(text).unwrap();
        let document = tape.document(text);
        let value = |pointer: &str| locate(&document, pointer).map(|at| document.value(at));
        assert_eq!(value("/a~1b/0/c~0d"), Some(Value::Whole("1")));
        assert_eq!(value("/"), Some(Value::Whole("2")));
        assert_eq!(value(""), Some(Value::Object(2)));
        assert_eq!(value("/a~1b/1"), None);
        assert_eq!(value("/x"), None);
        assert_eq!(push_token("/x", "a/~b"), "/x/a~1~0b");
    }

    #[test]
    fn referenced_models_are_listed_once() {
        let url = |name: &str| format!("https://apigateway.amazonaws.com/restapis/x/models/{name}");
        let text = format!(
            r##"{{"items":{{"$ref":"{}"}},"allOf":[{{"$ref":"{}"}},{{"$ref":"{}"}},{{"$ref":"#/x"}}]}}"##,
            url("B"),
            url("A"),
            url("B")
        );
        assert_eq!(referenced(&text), ["B", "A"]);
        assert!(referenced("{").is_empty());
    }
}
