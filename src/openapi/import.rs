//! From a document to the model: what API Gateway's ImportRestApi does.
//!
//! Takes OpenAPI 3.0 and 3.1 and Swagger 2.0 alike. Every key that is met is accounted for: it is
//! read, it only describes, or it is reported. All problems are found in one run. What the stage's
//! compiler checks (mapping expressions, selection patterns, addresses, templates of gateway
//! responses) is left to it.
//!
//! In: a document's tree. Out: the model and what there is to say about it.
//! Source: developer guide, "Use OpenAPI"; facts, openapi and aws-recorded section 18.
//!
//! **Invariant**: nothing in a definition is ignored silently.

mod integration;
mod mappings;
mod names;
mod operation;
mod parameters;
mod paths;
mod place;
mod references;
mod report;
mod root;
mod security;
mod values;

#[cfg(test)]
mod tests;

use self::place::Place;
use self::report::Report;
use super::{Diagnostic, Document, Severity};
use crate::model::RestApi;

/// What a document declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The model; with errors, what could be read.
    pub api: RestApi,
    /// What there is to say, sorted by position.
    pub diagnostics: Vec<Diagnostic>,
}

impl Import {
    /// Whether the document can be served as far as the import can tell.
    pub fn is_sound(&self) -> bool {
        self.diagnostics.iter().all(|it| it.severity != Severity::Error)
    }
}

/// Imports a document.
pub fn import(document: &Document) -> Import {
    let root = Place::root(document.root());
    let mut importer = Importer { root, dialect: Dialect::OpenApi3, report: Report::default() };
    let api = importer.rest_api();
    Import { api, diagnostics: importer.report.finish() }
}

/// Which language a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Swagger2,
    OpenApi3,
}

/// An import that is under way.
struct Importer<'a> {
    root: Place<'a>,
    dialect: Dialect,
    report: Report,
}
