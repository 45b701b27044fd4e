//! Models to documents, and there and back.

mod definitions;
mod documentation;
mod integration;
mod round_trip;
mod security;

use serde_json::Value as Json;

use super::{ExportOptions, ExportType, Extensions, export, export_json};
use crate::model::{MethodName, RestApi};
use crate::openapi::{Document, import};

/// The model of a text.
fn api(text: &str) -> RestApi {
    import(&Document::parse(text).unwrap()).api
}

fn options(kind: ExportType, extensions: &str) -> ExportOptions {
    ExportOptions {
        kind,
        extensions: Extensions::named(extensions).unwrap(),
        stage: "dev".to_owned(),
        host: "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com".to_owned(),
        plain_http: false,
        deployed_at: "2025-07-02T13:13:23Z".to_owned(),
        documentation: None,
    }
}

fn oas30(text: &str, extensions: &str) -> Json {
    export(&api(text), &options(ExportType::Oas30, extensions)).unwrap()
}

fn swagger(text: &str, extensions: &str) -> Json {
    export(&api(text), &options(ExportType::Swagger, extensions)).unwrap()
}

/// Whether two documents are the same, the order of their keys included.
#[track_caller]
fn same(found: &Json, want: &str) {
    let want: Json = serde_json::from_str(want).unwrap();
    let (found, want) = (export_json(found), export_json(&want));
    assert!(found == want, "found\n{found}\nwant\n{want}");
}

/// The operation of a document's only path.
fn operation(document: &Json, path: &str, method: MethodName) -> Json {
    let key = match method {
        MethodName::Any => "x-amazon-apigateway-any-method".to_owned(),
        other => other.as_str().to_ascii_lowercase(),
    };
    document["paths"][path][key].clone()
}
