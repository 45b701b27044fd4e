//! Small documents to the model, and to exactly what there is to say about them.

mod aws;
mod base_path;
mod documentation;
mod endpoint;
mod extensions;
mod guards;
mod integration;
mod model;
mod parameters;
mod paths;
mod properties;
mod references;
mod root;
mod schemas;
mod security;
mod validators;
mod values;

use super::super::Document;
use super::{Import, import};
use crate::model::{Method, MethodName, RestApi};

/// Where the operation of [`operation`] and [`integration`] stands.
const OPERATION: &str = "/paths/~1a~1{id}/get";

/// Imports a text that is a document.
fn imported(text: &str) -> Import {
    match Document::parse(text) {
        Ok(document) => import(&document),
        Err(refusal) => panic!("{}\n{text}", refusal.in_file("the test's document")),
    }
}

/// An API's method.
fn method_at<'a>(api: &'a RestApi, path: &str, name: MethodName) -> &'a Method {
    let resource = api.resources.iter().find(|it| it.path == path);
    &resource.unwrap_or_else(|| panic!("no {path}")).methods[&name]
}

/// What is said about a text: `LINE SEVERITY POINTER: MESSAGE | HELP`, with `@` for [`OPERATION`].
fn findings(text: &str) -> Vec<String> {
    let line = |it: &crate::openapi::Diagnostic| {
        let (line, severity) = (it.position.line, it.severity);
        let said = format!("{line} {severity} {}: {} | {}", it.pointer, it.message, it.help);
        said.replace(OPERATION, "@")
    };
    imported(text).diagnostics.iter().map(line).collect()
}

/// Checks that exactly this is said about each document.
fn said(cases: &[(String, &[&str])]) {
    for (text, want) in cases {
        assert_eq!(findings(text), *want, "\n{text}");
    }
}

/// A whole document.
fn raw(text: &str) -> String {
    text.to_owned()
}

/// A sound document with these keys at its root, from line 4 on.
fn root(keys: &str) -> String {
    format!(
        "openapi: 3.0.1\ninfo: {{ title: T }}\npaths: {{ /a: {{ get: {{ \
         x-amazon-apigateway-integration: {{ type: mock }} }} }} }}\n{keys}\n"
    )
}

/// A document with these paths, from line 4 on.
fn paths(keys: &str) -> String {
    format!("openapi: 3.0.1\ninfo: {{ title: T }}\npaths:\n{}", indented(2, keys))
}

/// A sound document with these keys in its one operation, from line 7 on.
fn operation(keys: &str) -> String {
    paths(&format!(
        "/a/{{id}}:\n  get:\n    x-amazon-apigateway-integration: {{ type: mock }}\n{}",
        indented(4, keys)
    ))
}

/// The same in Swagger 2.0.
fn swagger(keys: &str) -> String {
    operation(keys).replacen("openapi: 3.0.1", "swagger: '2.0'", 1)
}

/// A document whose one operation has this integration, from line 8 on.
fn integration(keys: &str) -> String {
    paths(&format!(
        "/a/{{id}}:\n  get:\n    responses: {{ '200': {{ headers: {{ X: {{}} }} }} }}\n    \
         x-amazon-apigateway-integration:\n{}",
        indented(6, keys)
    ))
}

/// A document whose one operation wants this security scheme, which is on line 4.
fn secured(scheme: &str) -> String {
    format!(
        "openapi: 3.0.1\ninfo: {{ title: T }}\npaths: {{ /a: {{ get: {{ security: [{{ s: [] }}], \
         x-amazon-apigateway-integration: {{ type: mock }} }} }} }}\n\
         components: {{ securitySchemes: {{ s: {scheme} }} }}\n"
    )
}

fn indented(by: usize, text: &str) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}
