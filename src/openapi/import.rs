//! From a document to the model: what API Gateway's ImportRestApi does.
//!
//! Takes OpenAPI 3.0 and 3.1 and Swagger 2.0 alike. Every key that is met is accounted for: it is
//! read, it only describes, or it is reported. All problems are found in one run. What the stage's
//! compiler checks (mapping expressions, selection patterns, addresses, templates of gateway
//! responses) is left to it.
//!
//! In: a document's tree. Out: the model, what there is to say about it, and what AWS would say.
//! Source: developer guide, "Use OpenAPI"; facts, openapi and aws-recorded section 18.
//!
//! **Invariant**: nothing in a definition is ignored silently.

mod authorizers;
mod aws;
mod base_path;
mod documentation;
mod endpoint;
mod integration;
mod mappings;
mod models;
mod names;
mod operation;
mod parameters;
mod paths;
mod place;
mod quiet;
mod references;
mod report;
mod root;
mod security;
mod validators;
mod values;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use indexmap::IndexMap;

pub use self::aws::{AwsFinding, AwsSeverity};
pub use self::base_path::BasePath;
pub use self::documentation::{DocumentationImport, import_documentation};
use self::place::Place;
use self::report::Report;
pub use self::security::NO_KEYS_IN_RUN;
use super::{Diagnostic, Document, Severity};
use crate::model::{Authorizer, DocumentationPart, Model, RequestValidator, RestApi};

/// What a document declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The model; with errors, what could be read. References between its models and the ARNs of its
    /// policy have a placeholder for the API's id: [`RestApi::set_id`] fills it.
    pub api: RestApi,
    /// What there is to say, sorted by position.
    pub diagnostics: Vec<Diagnostic>,
    /// What AWS's import would say. It refuses some documents that are served here, and takes others
    /// that cannot be yet.
    pub aws: Vec<AwsFinding>,
}

impl Import {
    /// Whether the document can be served as far as the import can tell.
    pub fn is_sound(&self) -> bool {
        self.diagnostics.iter().all(|it| it.severity != Severity::Error)
    }
}

/// How to import. The defaults are AWS's, and what `ringway run` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// What becomes of the document's base path: the parameter `basepath`.
    pub base_path: BasePath,
    /// Whether documentation is left out: the parameter `ignore=documentation`.
    pub ignore_documentation: bool,
    /// `${AWS::Region}`, and the region in the policy's ARNs.
    pub region: String,
    /// `${AWS::AccountId}`, and the account in the policy's ARNs.
    pub account_id: String,
    /// `${AWS::Partition}`, and the partition in the policy's ARNs.
    pub partition: String,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            base_path: BasePath::Ignore,
            ignore_documentation: false,
            region: "us-east-1".to_owned(),
            account_id: "123456789012".to_owned(),
            partition: "aws".to_owned(),
        }
    }
}

/// Imports a document as `ringway run` does.
pub fn import(document: &Document) -> Import {
    import_with(document, &ImportOptions::default())
}

/// Imports a document.
pub fn import_with(document: &Document, options: &ImportOptions) -> Import {
    let mut importer = Importer::new(document, options);
    let api = importer.rest_api();
    let (diagnostics, aws) = importer.report.finish();
    Import { api, diagnostics, aws }
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
    options: &'a ImportOptions,
    dialect: Dialect,
    report: Report,
    /// Names of the document's schemas.
    schemas: HashSet<&'a str>,
    /// Models so far, by name.
    models: IndexMap<String, Model>,
    /// The document's request validators, by name.
    validators: IndexMap<String, RequestValidator>,
    /// The document's authorizers, by name.
    authorizers: IndexMap<String, Authorizer>,
    /// What stands before every path: the base path, if it is wanted.
    path_prefix: String,
    /// Whether texts of the document's objects become documentation parts.
    documents: bool,
    /// Those that did.
    documentation: Vec<DocumentationPart>,
}

impl<'a> Importer<'a> {
    fn new(document: &'a Document, options: &'a ImportOptions) -> Self {
        Self {
            root: Place::root(document.root()),
            options,
            dialect: Dialect::OpenApi3,
            report: Report::default(),
            schemas: HashSet::new(),
            models: IndexMap::new(),
            validators: IndexMap::new(),
            authorizers: IndexMap::new(),
            path_prefix: String::new(),
            documents: false,
            documentation: Vec::new(),
        }
    }
}
