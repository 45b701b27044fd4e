//! Documentation parts: those of `x-amazon-apigateway-documentation`, or else the texts of the
//! document's objects.
//!
//! A document that has the extension comes from an export, which puts the parts' texts into the objects
//! too: then only the extension counts, so that none is there twice (unverified). The same goes for
//! the `200 response` that an export writes where a response has no description.
//!
//! Source: facts, openapi sections 3 and 9, aws-recorded section 14.

use serde_json::{Map, Value as Json};

use super::super::{Document, Node, Value};
use super::place::Place;
use super::{AwsFinding, ImportOptions, Importer};
use crate::model::{DocumentationPart, DocumentationPartLocation, DocumentationPartType};

const EXTENSION: &str = "x-amazon-apigateway-documentation";

/// What ImportDocumentationParts takes from a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DocumentationImport {
    /// The parts, in the document's order.
    pub parts: Vec<DocumentationPart>,
    /// The version that the document gives them.
    pub version: Option<String>,
    /// What AWS would say.
    pub aws: Vec<AwsFinding>,
}

/// Takes the documentation extension of a document, whatever else stands there.
pub fn import_documentation(document: &Document) -> DocumentationImport {
    let options = ImportOptions::default();
    let mut importer = Importer::new(document, &options);
    let root = importer.root.clone();
    let (parts, version) = importer.documentation_extension(&root);
    DocumentationImport { parts, version, aws: importer.report.finish().1 }
}

/// Where an operation is, for the locations of its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation<'p> {
    pub(super) path: &'p str,
    pub(super) method: &'p str,
}

impl Operation<'_> {
    pub(super) fn location(self, kind: DocumentationPartType) -> DocumentationPartLocation {
        DocumentationPartLocation {
            path: Some(self.path.to_owned()),
            method: Some(self.method.to_owned()),
            ..DocumentationPartLocation::of(kind)
        }
    }

    pub(super) fn named(
        self,
        kind: DocumentationPartType,
        name: &str,
    ) -> DocumentationPartLocation {
        DocumentationPartLocation { name: Some(name.to_owned()), ..self.location(kind) }
    }
}

impl<'a> Importer<'a> {
    /// The extension's parts and version; from here on, whether texts of objects become parts.
    pub(super) fn root_documentation(
        &mut self,
        root: &Place<'a>,
    ) -> (Vec<DocumentationPart>, Option<String>) {
        if self.options.ignore_documentation {
            return (Vec::new(), None);
        }
        let found = self.documentation_extension(root);
        self.documents = root.node.member(EXTENSION).is_none_or(|it| it.value == Value::Null);
        let mut properties = Map::new();
        let info = root.node.member("info");
        let texts =
            info.map(|info| kept(info, &["description", "termsOfService", "contact", "license"]));
        if let Some(texts) = texts.filter(|texts| !texts.is_empty()) {
            properties.insert("info".to_owned(), Json::Object(texts));
        }
        properties.extend(kept(root.node, &["tags", "externalDocs"]));
        self.part(DocumentationPartLocation::of(DocumentationPartType::Api), properties);
        found
    }

    fn documentation_extension(
        &mut self,
        root: &Place<'a>,
    ) -> (Vec<DocumentationPart>, Option<String>) {
        let Some(object) = self.quiet_object(root, EXTENSION) else { return (Vec::new(), None) };
        let version = self.quiet_text(object.node, "version");
        let listed = object.node.member("documentationParts").map(Node::items).unwrap_or_default();
        (listed.iter().filter_map(|part| self.listed_part(part)).collect(), version)
    }

    fn listed_part(&mut self, part: &Node) -> Option<DocumentationPart> {
        let Some(location) = part.member("location") else {
            self.report.aws_error("Invalid documentation part: it has no location");
            return None;
        };
        let kind = self.quiet_name(location, "type", DocumentationPartType::named)?;
        let properties = match part.member("properties") {
            // As text: how the control plane has it.
            Some(Node { value: Value::String(text), .. }) => text.to_string(),
            Some(node) => node.to_json().to_string(),
            None => "{}".to_owned(),
        };
        let location = DocumentationPartLocation {
            kind,
            path: self.quiet_text(location, "path"),
            method: self.quiet_text(location, "method"),
            status_code: self.quiet_text(location, "statusCode"),
            name: self.quiet_text(location, "name"),
        };
        Some(DocumentationPart { location, properties })
    }

    /// Keeps texts of an object as a part, if there are any.
    fn part(&mut self, location: DocumentationPartLocation, properties: Map<String, Json>) {
        if self.documents && !properties.is_empty() {
            let properties = Json::Object(properties).to_string();
            self.documentation.push(DocumentationPart { location, properties });
        }
    }

    /// The same for the members of these keys.
    pub(super) fn document(
        &mut self,
        location: DocumentationPartLocation,
        object: &Node,
        keys: &[&str],
    ) {
        if self.documents {
            self.part(location, kept(object, keys));
        }
    }

    /// A path's texts.
    pub(super) fn document_path(&mut self, path: &str, item: &Node) {
        let location = DocumentationPartLocation {
            path: Some(path.to_owned()),
            ..DocumentationPartLocation::of(DocumentationPartType::Resource)
        };
        self.document(location, item, &["summary", "description"]);
    }

    /// An authorizer's texts.
    pub(super) fn document_authorizer(&mut self, name: &str, scheme: &Node) {
        let location = DocumentationPartLocation {
            name: Some(name.to_owned()),
            ..DocumentationPartLocation::of(DocumentationPartType::Authorizer)
        };
        self.document(location, scheme, &["description"]);
    }

    /// A response's texts.
    pub(super) fn document_response(
        &mut self,
        operation: Operation<'_>,
        status: &str,
        response: &Node,
    ) {
        let filler = format!("{status} response");
        let description = response.member("description").and_then(Node::as_str);
        if description.is_some_and(|it| it == filler) {
            return;
        }
        let location = DocumentationPartLocation {
            status_code: Some(status.to_owned()),
            ..operation.location(DocumentationPartType::Response)
        };
        self.document(location, response, &["description"]);
    }

    /// A response header's texts.
    pub(super) fn document_header(
        &mut self,
        operation: Operation<'_>,
        status: &str,
        name: &str,
        header: &Node,
    ) {
        let location = DocumentationPartLocation {
            status_code: Some(status.to_owned()),
            ..operation.named(DocumentationPartType::ResponseHeader, name)
        };
        self.document(location, header, &["description"]);
    }
}

/// Members of these keys that say something.
fn kept(object: &Node, keys: &[&str]) -> Map<String, Json> {
    let says = |node: &&Node| match &node.value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    let member = |key: &&str| {
        let node = object.member(key).filter(says)?;
        Some(((*key).to_owned(), node.to_json()))
    };
    keys.iter().filter_map(member).collect()
}
