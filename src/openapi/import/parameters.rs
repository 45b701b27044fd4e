//! Parameters of operations, and headers of their responses.

use std::collections::BTreeMap;

use super::super::Value;
use super::place::Place;
use super::report::{Keys, Use};
use super::{Dialect, Importer, names};
use crate::model::MethodResponse;

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
    pub(super) fn parameters(&mut self, of: &Place<'a>) -> Vec<Parameter<'a>> {
        let Some(list) = self.list(of, "parameters") else { return Vec::new() };
        let mut parameters: Vec<Parameter<'a>> = Vec::new();
        for item in list.items() {
            if !self.is_object(&item) {
                continue;
            }
            let Some(place) = self.resolve(&item) else { continue };
            if !self.is_object(&place) {
                continue;
            }
            let Some(mut parameter) = self.parameter(&place) else { continue };
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
        parameters
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
            // Models of bodies matter to request validators only.
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
            self.report.error(
                place,
                format!("Invalid mapping expression specified: {}", names::shown(&expression)),
                "a name consists of letters, digits, '.', '_', '$' and '-': leave the parameter \
                 out, a proxy integration passes it on all the same",
            );
            return None;
        }
        let required = location == Location::Path || declared.unwrap_or(false);
        Some(Parameter { name, location, required, place: place.clone() })
    }

    /// A body's description; it would matter to request validators only, but has to be there.
    pub(super) fn request_body(&mut self, operation: &Place<'a>) {
        let Some(body) = self.object(operation, "requestBody") else { return };
        let Some(body) = self.resolve(&body) else { return };
        if self.is_object(&body) {
            self.report.keys(&body, "a request body", REQUEST_BODY);
        }
    }

    /// `responses` of an operation: method responses by status.
    pub(super) fn method_responses(
        &mut self,
        operation: &Place<'a>,
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
            let headers = self.response_headers(&response);
            if super::values::status(status).is_some() {
                let response =
                    MethodResponse { response_parameters: headers, ..MethodResponse::default() };
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

    fn response_headers(&mut self, response: &Place<'a>) -> BTreeMap<String, bool> {
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
