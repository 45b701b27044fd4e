//! Compiles what a method's request validator asks for.
//!
//! A validator without anything to check is none. Names are sorted as AWS lists them when they are
//! missing: by their full expressions, so headers come first, then path parameters, then those of the query.
//!
//! A model is compiled once for a stage, however many methods use it; so are models of the same text. What
//! is wrong with one is said once, at the first method that needs it.
//!
//! Source: facts, rest-api section 3.

use std::collections::HashMap;
use std::sync::Arc;

use super::compile::Report;
use super::compiled::Templates;
use crate::http::KnownHeader;
use crate::model::{Method, Model, Pointer, RequestValidator, RestApi};
use crate::schema::Schema;

/// What is checked of a method's requests.
#[derive(Debug)]
pub struct Validation {
    /// What every request has to have, in the order in which they are told of.
    pub parameters: Box<[RequiredParameter]>,
    /// What bodies are judged by.
    pub bodies: Templates<Arc<Schema>>,
}

/// A parameter that a request has to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequiredParameter {
    /// A header.
    Header {
        /// Its name as declared.
        name: Box<str>,
        /// Which one it is.
        known: KnownHeader,
    },
    /// A path parameter.
    Path {
        /// Its name.
        name: Box<str>,
        /// Its place among the path's.
        index: usize,
    },
    /// A query parameter.
    Query {
        /// Its name.
        name: Box<str>,
    },
}

impl RequiredParameter {
    /// Its name as declared.
    pub fn name(&self) -> &str {
        match self {
            Self::Header { name, .. } | Self::Path { name, .. } | Self::Query { name } => name,
        }
    }

    /// Reads `method.request.PLACE.NAME`; `None`: it is none, or names no parameter of the path.
    fn parse(expression: &str, path_parameters: &[String]) -> Option<Self> {
        let (place, name) = expression.strip_prefix("method.request.")?.split_once('.')?;
        match place {
            "header" => {
                Some(Self::Header { name: name.into(), known: KnownHeader::of(name.as_bytes()) })
            }
            "path" => {
                let index = path_parameters.iter().position(|other| other == name)?;
                Some(Self::Path { name: name.into(), index })
            }
            "querystring" => Some(Self::Query { name: name.into() }),
            _ => None,
        }
    }
}

/// The models of a stage, compiled when a method needs them.
pub(super) struct Schemas<'a> {
    api: &'a RestApi,
    /// By their texts; `None`: it is no schema, which has been reported.
    compiled: HashMap<&'a str, Option<Arc<Schema>>>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(api: &'a RestApi) -> Self {
        Self { api, compiled: HashMap::new() }
    }

    /// Compiles the method's validator; `None`: nothing is checked.
    pub(super) fn validation(
        &mut self,
        method: &Method,
        path_parameters: &[String],
        report: &mut Report<'_>,
    ) -> Option<Box<Validation>> {
        let validator = validator(self.api, method, report)?;
        let required = method.request_parameters.iter().filter(|(_, required)| **required);
        let required =
            required.filter_map(|(name, _)| RequiredParameter::parse(name, path_parameters));
        let parameters = match validator.validate_request_parameters {
            true => required.collect(),
            false => Box::default(),
        };
        let mut bodies = Vec::new();
        if validator.validate_request_body {
            for (media_type, model) in &method.request_models {
                let schema = self.schema(model, method, report);
                bodies.extend(schema.map(|schema| (media_type.as_str().into(), schema)));
            }
        }
        let checks = !parameters.is_empty() || !bodies.is_empty();
        checks.then(|| Box::new(Validation { parameters, bodies: Templates::new(bodies) }))
    }

    fn schema(
        &mut self,
        name: &str,
        method: &Method,
        report: &mut Report<'_>,
    ) -> Option<Arc<Schema>> {
        let Some(model) = self.api.models.get(name) else {
            report.add(
                method.pointer.clone(),
                format!("there is no model '{name}'"),
                "define it, or give the method another model",
            );
            return None;
        };
        if let Some(known) = self.compiled.get(&*model.schema) {
            return known.clone();
        }
        let models = &self.api.models;
        let resolve = |name: &str| models.get(name).map(|model| model.schema.as_str());
        let schema = match Schema::compile(&model.schema, &resolve) {
            Ok(schema) => {
                for warning in schema.warnings() {
                    let place = self.place((name, model), warning.model(), warning.pointer());
                    let message = format!("{}: {}", place.what, warning.text());
                    let help = "bodies are judged without it";
                    report.warn(place.pointer.unwrap_or(method.pointer.clone()), message, help);
                }
                Some(Arc::new(schema))
            }
            Err(error) => {
                let place = self.place((name, model), error.model(), error.pointer());
                let message = format!("{}: {}", place.what, error.what());
                let pointer = place.pointer.unwrap_or(method.pointer.clone());
                report.add(pointer, message, error.help());
                None
            }
        };
        self.compiled.insert(&model.schema, schema.clone());
        schema
    }

    /// Where something is in `model`, or in another one that it refers to.
    fn place(&self, model: (&str, &Model), other: Option<&str>, pointer: &str) -> Place {
        let (name, model) = match other.and_then(|name| self.api.models.get_key_value(name)) {
            Some((name, model)) => (name.as_str(), model),
            None => model,
        };
        let at = match pointer {
            "" => String::new(),
            pointer => format!(" at #{pointer}"),
        };
        // A model that has no place in a document came through the control plane.
        let in_document = !model.pointer.is_empty();
        Place {
            what: format!("model {name}{at}"),
            pointer: in_document.then(|| format!("{}{pointer}", model.pointer)),
        }
    }
}

/// Where in which model.
struct Place {
    what: String,
    /// `None`: in no document.
    pointer: Option<Pointer>,
}

fn validator<'a>(
    api: &'a RestApi,
    method: &Method,
    report: &mut Report<'_>,
) -> Option<&'a RequestValidator> {
    let name = method.request_validator.as_ref()?;
    let found = api.request_validators.get(name);
    if found.is_none() {
        report.add(
            method.pointer.clone(),
            format!("there is no request validator '{name}'"),
            "define it in x-amazon-apigateway-request-validators, or name another",
        );
    }
    found
}
