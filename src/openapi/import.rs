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
use super::{Diagnostic, Document, Node, Severity};
use crate::limits::INTEGRATION_TIMEOUT_MAX_MS;
use crate::model::RestApi;

/// What an import may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// Largest `timeoutInMillis` of an integration; `None`: there is no bound.
    pub timeout_max_ms: Option<u32>,
}

impl Default for ImportOptions {
    /// AWS's own bound, 29 seconds.
    fn default() -> Self {
        Self { timeout_max_ms: Some(INTEGRATION_TIMEOUT_MAX_MS) }
    }
}

/// A document that can be served.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// What it declares.
    pub api: RestApi,
    /// What is not carried out and what AWS would warn of, sorted by position; no errors.
    pub diagnostics: Vec<Diagnostic>,
}

/// Imports a document.
///
/// # Errors
/// The document has an error: all diagnostics, graver and lighter ones, sorted by position.
pub fn import(document: &Document, options: &ImportOptions) -> Result<Import, Vec<Diagnostic>> {
    import_node(document.root(), options)
}

fn import_node(root: &Node, options: &ImportOptions) -> Result<Import, Vec<Diagnostic>> {
    let root = Place::root(root);
    let mut importer = Importer {
        root: root.clone(),
        dialect: Dialect::OpenApi3,
        options,
        report: Report::default(),
    };
    let api = importer.rest_api();
    let diagnostics = importer.report.finish();
    if diagnostics.iter().any(|it| it.severity == Severity::Error) {
        return Err(diagnostics);
    }
    Ok(Import { api, diagnostics })
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
    options: &'a ImportOptions,
    report: Report,
}
