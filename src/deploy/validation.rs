//! Compiles what a method's request validator asks for.
//!
//! A validator without anything to check is none. Names are sorted as AWS lists them when they are
//! missing: by their full expressions, so headers come first, then path parameters, then those of the query.
//!
//! Source: facts, rest-api section 3.

use super::compile::Report;
use crate::http::KnownHeader;
use crate::model::{Method, RequestValidator, RestApi};

/// What is checked of a method's requests.
#[derive(Debug, Default)]
pub struct Validation {
    /// What every request has to have, in the order in which they are told of.
    pub parameters: Box<[RequiredParameter]>,
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

/// Compiles the method's validator; `None`: nothing is checked.
pub(super) fn compile(
    api: &RestApi,
    method: &Method,
    path_parameters: &[String],
    report: &mut Report<'_>,
) -> Option<Box<Validation>> {
    let validator = validator(api, method, report)?;
    let mut validation = Validation::default();
    if validator.validate_request_parameters {
        let required = method.request_parameters.iter().filter(|(_, required)| **required);
        validation.parameters = required
            .filter_map(|(name, _)| RequiredParameter::parse(name, path_parameters))
            .collect();
    }
    (!validation.parameters.is_empty()).then(|| Box::new(validation))
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
