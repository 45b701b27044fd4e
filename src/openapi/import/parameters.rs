//! Parameters of operations, their bodies, and what they answer.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::super::{Node, Value};
use super::aws::validation;
use super::documentation::Operation;
use super::place::Place;
use super::report::{Keys, Use};
use super::{Dialect, Importer, names};
use crate::model::{DocumentationPartType, MethodResponse};

use Use::{Documentation, Read};

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Location {
    Path,
    Query,
    Header,
}

impl Location {
    /// As API Gateway writes it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "querystring",
            Self::Header => "header",
        }
    }
}

/// A declared parameter.
#[derive(Clone, Debug)]
pub(super) struct Parameter<'a> {
    pub(super) name: String,
    pub(super) location: Location,
    pub(super) required: bool,
    pub(super) place: Place<'a>,
    /// Where it is defined, which may be elsewhere.
    pub(super) definition: &'a Node,
}

/// What an operation or a path takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters<'a> {
    /// In path, query and headers.
    pub(super) declared: Vec<Parameter<'a>>,
    /// Swagger's parameter for the body.
    pub(super) body: Option<Place<'a>>,
}

const PARAMETER: &Keys = &[
    ("name", Read),
    ("in", Read),
    ("required", Read),
    ("description", Documentation),
    ("type", Documentation),
    ("format", Documentation),
    ("items", Documentation),
    ("collectionFormat", Documentation),
    ("default", Documentation),
    ("enum", Documentation),
    ("maximum", Documentation),
    ("exclusiveMaximum", Documentation),
    ("minimum", Documentation),
    ("exclusiveMinimum", Documentation),
    ("maxLength", Documentation),
    ("minLength", Documentation),
    ("pattern", Documentation),
    ("maxItems", Documentation),
    ("minItems", Documentation),
    ("uniqueItems", Documentation),
    ("multipleOf", Documentation),
    ("schema", Documentation),
    ("content", Documentation),
    ("style", Documentation),
    ("explode", Documentation),
    ("allowReserved", Documentation),
    ("allowEmptyValue", Documentation),
    ("deprecated", Documentation),
    ("example", Documentation),
    ("examples", Documentation),
];
/// A header is a parameter without `name` and `in`.
const HEADER: &Keys = PARAMETER.split_at(2).1;
const RESPONSE: &Keys = &[
    ("description", Documentation),
    ("summary", Documentation),
    ("headers", Read),
    ("schema", Documentation),
    ("content", Documentation),
    ("examples", Documentation),
    ("links", Documentation),
];
const REQUEST_BODY: &Keys =
    &[("description", Documentation), ("content", Documentation), ("required", Documentation)];

impl<'a> Importer<'a> {
    /// `parameters` of a path or an operation.
    pub(super) fn parameters(&mut self, of: &Place<'a>) -> Parameters<'a> {
        let Some(list) = self.list(of, "parameters") else { return Parameters::default() };
        let (mut parameters, mut body): (Vec<Parameter<'a>>, _) = (Vec::new(), None);
        for item in list.items() {
            if !self.is_object(&item) {
                continue;
            }
            let Some(place) = self.resolve(&item) else { continue };
            if !self.is_object(&place) {
                continue;
            }
            let Some(mut parameter) = self.parameter(&place) else {
                if self.is_body(&place) {
                    body = Some(place);
                }
                continue;
            };
            // What is wrong with its neighbours is said where it is used, not where it is defined.
            parameter.place = item.clone();
            let twin = |other: &&Parameter<'_>| {
                other.location == parameter.location && other.name == parameter.name
            };
            if parameters.iter().find(twin).is_some() {
                let (name, location) = (names::shown(&parameter.name), parameter.location.as_str());
                let message = format!("the {location} parameter '{name}' is declared twice");
                self.report.error(&item, message, "remove one of the two");
                continue;
            }
            parameters.push(parameter);
        }
        Parameters { declared: parameters, body }
    }

    fn is_body(&self, parameter: &Place<'_>) -> bool {
        let place = parameter.node.member("in").and_then(Node::as_str);
        self.dialect == Dialect::Swagger2 && place == Some("body")
    }

    fn parameter(&mut self, place: &Place<'a>) -> Option<Parameter<'a>> {
        self.report.keys(place, "a parameter", PARAMETER);
        for key in ["name", "in"] {
            if place.member(key).is_none_or(|it| it.node.value == Value::Null) {
                let help = "a parameter has a name, and says where it is: path, query or header";
                self.report.error(place, format!("the parameter has no '{key}'"), help);
                return None;
            }
        }
        let name = self.text(place, "name")?;
        let swagger = self.dialect == Dialect::Swagger2;
        let location = match &*self.text(place, "in")? {
            "path" => Location::Path,
            "query" => Location::Query,
            "header" => Location::Header,
            // It makes no parameter, but a model.
            "body" if swagger => return None,
            found @ ("formData" | "cookie") if swagger == (found == "formData") => {
                self.report.warning(
                    place,
                    format!("'{}' is a {found} parameter and has no effect", names::shown(&name)),
                    "API Gateway knows parameters in path, query and header; a proxy integration \
                     passes everything on",
                );
                return None;
            }
            other => {
                let message = format!("a parameter cannot be in '{}'", names::shown(other));
                let at = place.member("in").unwrap_or_else(|| place.clone());
                self.report.error(&at, message, "write path, query or header");
                return None;
            }
        };
        let declared = self.boolean(place, "required");
        if location == Location::Path && declared == Some(false) {
            let at = place.member("required").unwrap_or_else(|| place.clone());
            self.report.warning(
                &at,
                "a path parameter is always required",
                "write required: true, or leave it out",
            );
        }
        if !is_parameter_name(&name) {
            let expression = format!("method.request.{}.{name}", location.as_str());
            self.report.error_as(
                place,
                format!("Invalid mapping expression specified: {}", names::shown(&expression)),
                "a name consists of letters, digits, '.', '_', '$' and '-': leave the parameter \
                 out, a proxy integration passes it on all the same",
                &validation(
                    "Invalid mapping expression specified",
                    "Parameter name should match the following regular expression: \
                     ^[a-zA-Z0-9._$-]+$",
                ),
            );
            return None;
        }
        let required = location == Location::Path || declared.unwrap_or(false);
        let (place, definition) = (place.clone(), place.node);
        Some(Parameter { name, location, required, place, definition })
    }

    /// A body's models by media type.
    pub(super) fn request_body(
        &mut self,
        operation: &Place<'a>,
        at: Operation<'_>,
    ) -> IndexMap<String, String> {
        let Some(body) = self.object(operation, "requestBody") else { return IndexMap::new() };
        let Some(body) = self.resolve(&body) else { return IndexMap::new() };
        if !self.is_object(&body) {
            return IndexMap::new();
        }
        self.report.keys(&body, "a request body", REQUEST_BODY);
        let location = at.location(DocumentationPartType::RequestBody);
        self.document(location, body.node, &["description"]);
        self.content_models(&body, &format!(" for method '{} {}'", at.method, at.path))
    }

    /// The same of Swagger's parameter for the body, for every media type that the operation consumes.
    pub(super) fn body_parameter(
        &mut self,
        operation: &Place<'a>,
        body: &Place<'a>,
        at: Operation<'_>,
    ) -> IndexMap<String, String> {
        let location = at.location(DocumentationPartType::RequestBody);
        self.document(location, body.node, &["description"]);
        let of = format!(" for method '{} {}'", at.method, at.path);
        let model = body.member("schema").and_then(|schema| self.body_model(&schema, &of));
        let Some(model) = model else { return IndexMap::new() };
        let types = self.media_types(operation, "consumes").into_iter();
        types.map(|media_type| (media_type, model.clone())).collect()
    }

    /// Models of a `content` by media type.
    fn content_models(&mut self, of: &Place<'a>, what: &str) -> IndexMap<String, String> {
        let mut models = IndexMap::new();
        let Some(content) = self.quiet_object(of, "content") else { return models };
        for (media_type, place) in content.members() {
            if let Some(schema) = place().member("schema")
                && schema.node.value != Value::Null
                && let Some(model) = self.body_model(&schema, what)
            {
                models.insert(media_type.to_owned(), model);
            }
        }
        models
    }

    /// Swagger's `consumes` or `produces` of an operation, or else of the document, or else JSON.
    fn media_types(&mut self, operation: &Place<'a>, key: &str) -> Vec<String> {
        let root = self.root.node;
        let own = self.quiet_texts(operation.node, key);
        let shared = if own.is_empty() { self.quiet_texts(root, key) } else { own };
        if shared.is_empty() { vec!["application/json".to_owned()] } else { shared }
    }

    /// `responses` of an operation: method responses by status.
    pub(super) fn method_responses(
        &mut self,
        operation: &Place<'a>,
        at: Operation<'_>,
    ) -> BTreeMap<String, MethodResponse> {
        let mut responses = BTreeMap::new();
        let Some(object) = self.object(operation, "responses") else { return responses };
        for (status, place) in object.members() {
            let place = place();
            if status.starts_with("x-") {
                self.report.unknown_key(status, &place, "responses", &[]);
                continue;
            }
            if !self.is_object(&place) {
                continue;
            }
            let Some(response) = self.resolve(&place) else { continue };
            if !self.is_object(&response) {
                continue;
            }
            self.report.keys(&response, "a response", RESPONSE);
            let is_status = super::values::status(status).is_some();
            let response_parameters =
                self.response_headers(&response, is_status.then_some(at), status);
            if is_status {
                self.document_response(at, status, response.node);
                let response_models = self.response_models(operation, &response, at, status);
                let response = MethodResponse { response_parameters, response_models };
                responses.insert(status.to_owned(), response);
            } else if is_status_range(status) {
                self.report.warning(
                    &place,
                    format!("the status range '{status}' makes no method response"),
                    "API Gateway knows single statuses only: write each one",
                );
            } else if status != "default" {
                self.report.error(
                    &place,
                    format!("Invalid status code: {}", names::shown(status)),
                    "write a status from 100 to 599, or default",
                );
            }
        }
        responses
    }

    fn response_models(
        &mut self,
        operation: &Place<'a>,
        response: &Place<'a>,
        at: Operation<'_>,
        status: &str,
    ) -> IndexMap<String, String> {
        let of = format!(" in {status} response to method '{} {}'", at.method, at.path);
        if self.dialect == Dialect::OpenApi3 {
            return self.content_models(response, &of);
        }
        let schema = response.member("schema").filter(|it| it.node.value != Value::Null);
        let model = schema.and_then(|schema| self.body_model(&schema, &of));
        let Some(model) = model else { return IndexMap::new() };
        let types = self.media_types(operation, "produces").into_iter();
        types.map(|media_type| (media_type, model.clone())).collect()
    }

    /// `at` is where they are documented, if they are.
    fn response_headers(
        &mut self,
        response: &Place<'a>,
        at: Option<Operation<'_>>,
        status: &str,
    ) -> BTreeMap<String, bool> {
        let Some(headers) = self.object(response, "headers") else { return BTreeMap::new() };
        let mut parameters = BTreeMap::new();
        for (name, place) in headers.members() {
            let place = place();
            if !self.is_object(&place) {
                continue;
            }
            let Some(header) = self.resolve(&place) else { continue };
            if self.is_object(&header) {
                self.report.keys(&header, "a header", HEADER);
                if let Some(at) = at {
                    self.document_header(at, status, name, header.node);
                }
                parameters.insert(format!("method.response.header.{name}"), false);
            }
        }
        parameters
    }
}

/// `2XX` and the like.
fn is_status_range(status: &str) -> bool {
    matches!(status.as_bytes(), [b'1'..=b'5', b'X' | b'x', b'X' | b'x'])
}

/// Names are `^[a-zA-Z0-9._$-]+$`. Source: facts, rest-api section 4.
pub(super) fn is_parameter_name(name: &str) -> bool {
    let ok = |byte: u8| byte.is_ascii_alphanumeric() || b"._$-".contains(&byte);
    !name.is_empty() && name.bytes().all(ok)
}
