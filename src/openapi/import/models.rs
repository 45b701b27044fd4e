//! Models: the document's schemas, and those that stand where they are used.
//!
//! References between models become the URLs that AWS knows them by. A schema of an object or a list
//! that stands in a body becomes a model with a generated name (`MODELd2a00d`); ours comes from the
//! schema's text, so that equal ones share a model and a reload keeps it, AWS's is random. Schemas of
//! anything else make no model, and AWS says so.
//!
//! Source: facts, openapi section 3, aws-recorded section 18; field reports of the messages.

use super::super::{Member, Node, Value, write};
use super::aws::validation;
use super::place::Place;
use super::{Dialect, Importer, names};
use crate::model::{API_ID_PLACEHOLDER, Model, model_reference, referenced_model};

const JSON: &str = "application/json";

impl<'a> Importer<'a> {
    /// Where the document's schemas stand.
    fn schemas_prefix(&self) -> &'static str {
        match self.dialect {
            Dialect::Swagger2 => "#/definitions/",
            Dialect::OpenApi3 => "#/components/schemas/",
        }
    }

    /// Makes a model of each of the document's schemas.
    pub(super) fn declared_models(&mut self, root: &Place<'a>) {
        let schemas = match self.dialect {
            Dialect::Swagger2 => self.quiet_object(root, "definitions"),
            Dialect::OpenApi3 => {
                let components = self.quiet_object(root, "components");
                components.and_then(|components| self.quiet_object(&components, "schemas"))
            }
        };
        let Some(schemas) = schemas else { return };
        let objects = schemas.node.members().iter();
        let objects = objects.filter(|it| matches!(it.node.value, Value::Map(_)));
        self.schemas = objects.map(|it| &*it.key).collect();
        for (name, place) in schemas.members() {
            let before = self.report.step(format!("Unable to create model for '{name}'"));
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) || name.is_empty() {
                self.report.aws_error(&format!("Model name must be alphanumeric: {name}"));
            }
            let place = place();
            if matches!(place.node.value, Value::Map(_)) {
                let model = self.model(&place);
                self.models.insert(name.to_owned(), model);
            } else if place.node.value != Value::Null {
                let refusal =
                    validation("Invalid model specified", "Invalid model schema specified");
                self.report.aws_error(&refusal);
            }
            self.report.step(before);
        }
    }

    fn model(&mut self, place: &Place<'a>) -> Model {
        let schema = self.with_model_references(place.node);
        let description = place.node.member("description").and_then(Node::scalar);
        Model {
            id: None,
            // AWS has no empty descriptions.
            description: description.filter(|it| !it.is_empty()).map(str::to_owned),
            schema: write::json(&schema),
            content_type: JSON.to_owned(),
            pointer: place.pointer.clone(),
        }
    }

    /// A schema whose references are URLs of models.
    fn with_model_references(&mut self, node: &Node) -> Node {
        let value = match &node.value {
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.with_model_references(item)).collect())
            }
            Value::Map(members) => {
                let member = |member: &Member| {
                    let node = match &member.node.value {
                        Value::String(target) if &*member.key == "$ref" => {
                            let value = Value::String(self.model_url(target).into());
                            Node { position: member.node.position, value }
                        }
                        _ => self.with_model_references(&member.node),
                    };
                    Member { key: member.key.clone(), position: member.position, node }
                };
                Value::Map(members.iter().map(member).collect())
            }
            scalar => scalar.clone(),
        };
        Node { position: node.position, value }
    }

    fn model_url(&mut self, reference: &str) -> String {
        match self.model_named_by(reference) {
            Some(name) if self.schemas.contains(&*name) => {
                model_reference(API_ID_PLACEHOLDER, &name)
            }
            _ => {
                self.report.aws_error(&validation(
                    "Invalid model specified",
                    "Model reference must be in canonical form",
                ));
                reference.to_owned()
            }
        }
    }

    /// The name of the model that a reference means, whether or not there is such a model.
    fn model_named_by(&self, reference: &str) -> Option<String> {
        if let Some(name) = referenced_model(reference) {
            return Some(name.to_owned());
        }
        let token = reference.strip_prefix(self.schemas_prefix())?;
        let token = percent_encoding::percent_decode_str(token).decode_utf8_lossy();
        (!token.contains('/')).then(|| token.replace("~1", "/").replace("~0", "~"))
    }

    /// The name of the model for a body's schema; `of` completes AWS's message: ` in 200 response to`.
    pub(super) fn body_model(&mut self, schema: &Place<'a>, of: &str) -> Option<String> {
        if let Some(reference) = schema.node.member("$ref").and_then(Node::as_str) {
            let name = self.model_named_by(reference);
            let known = name.as_ref().filter(|name| self.models.contains_key(*name));
            if known.is_none() {
                let shown = name.as_deref().unwrap_or(reference);
                let message = format!("Reference to model '{shown}' not found. Ignoring.");
                self.report.aws_warning(message);
                return None;
            }
            return name;
        }
        if let Some(kind) = unsupported(schema.node) {
            let message = format!("Unsupported model type '{kind}'{of}. Ignoring.");
            self.report.aws_warning(message);
            return None;
        }
        let model = self.model(schema);
        let mut salt = String::new();
        loop {
            let hash = names::hash(&format!("{}{salt}", model.schema));
            let name = format!("MODEL{:06x}", hash & 0xFF_FFFF);
            match self.models.get(&name) {
                None => {
                    self.models.insert(name.clone(), model);
                    return Some(name);
                }
                Some(same) if same.schema == model.schema => return Some(name),
                Some(_) => salt.push(' '),
            }
        }
    }
}

/// What AWS calls a schema that makes no model, after the classes of its parser; `None`: it makes one.
/// Only `StringSchema` was seen, the others are (unverified).
fn unsupported(schema: &Node) -> Option<&'static str> {
    if !matches!(schema.value, Value::Map(_)) {
        return Some("Schema");
    }
    let has = |key: &str| schema.member(key).is_some();
    let kind = match schema.member("type") {
        Some(Node { value: Value::List(kinds), .. }) => {
            let said: Vec<&str> = kinds.iter().filter_map(Node::as_str).collect();
            let whole = said.iter().find(|it| matches!(**it, "object" | "array"));
            whole.or(said.iter().find(|it| **it != "null")).copied()
        }
        kind => kind.and_then(Node::as_str),
    };
    let format = schema.member("format").and_then(Node::as_str);
    match (kind, format) {
        (Some("object" | "array"), _) => None,
        (Some("string"), Some("date")) => Some("DateSchema"),
        (Some("string"), Some("date-time")) => Some("DateTimeSchema"),
        (Some("string"), Some("binary")) => Some("BinarySchema"),
        (Some("string"), Some("byte")) => Some("ByteArraySchema"),
        (Some("string"), Some("uuid")) => Some("UUIDSchema"),
        (Some("string"), Some("email")) => Some("EmailSchema"),
        (Some("string"), Some("password")) => Some("PasswordSchema"),
        (Some("string"), _) => Some("StringSchema"),
        (Some("integer"), _) => Some("IntegerSchema"),
        (Some("number"), _) => Some("NumberSchema"),
        (Some("boolean"), _) => Some("BooleanSchema"),
        (Some("file"), _) => Some("FileSchema"),
        (_, _)
            if ["properties", "items", "allOf", "anyOf", "oneOf", "additionalProperties"]
                .into_iter()
                .any(has) =>
        {
            None
        }
        _ => Some("Schema"),
    }
}
