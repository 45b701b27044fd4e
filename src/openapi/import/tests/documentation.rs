//! Documentation parts of the extension, or of the document's texts.

use crate::model::{DocumentationPart, DocumentationPartType};
use crate::openapi::{Document, ImportOptions, import_documentation, import_with};

/// `TYPE path METHOD status name: properties`, `-` for what is not there.
fn line(part: &DocumentationPart) -> String {
    let location = &part.location;
    let or = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
    format!(
        "{} {} {} {} {}: {}",
        location.kind.as_str(),
        or(&location.path),
        or(&location.method),
        or(&location.status_code),
        or(&location.name),
        part.properties
    )
}

fn parts(text: &str) -> Vec<String> {
    super::imported(text).api.documentation_parts.iter().map(line).collect()
}

const TEXTS: &str = r#"
openapi: 3.0.1
info: { title: T, description: All pets, contact: { name: Me } }
tags: [{ name: pets, description: Animals }]
paths:
  /pets/{id}:
    summary: A pet
    get:
      tags: [pets]
      summary: Gets one
      description: ''
      operationId: getPet
      parameters:
        - { name: id, in: path, description: Which }
        - { name: q, in: query, description: How }
        - $ref: '#/components/parameters/trace'
        - { name: silent, in: query }
      requestBody: { description: Nothing }
      responses:
        200: { description: 200 response }
        404: { description: None, headers: { X: { description: Why } } }
        default: { description: Else, headers: { Y: { description: Y } } }
      x-amazon-apigateway-integration: { type: mock }
components:
  parameters: { trace: { name: X-Trace, in: header, description: Traces } }
  securitySchemes:
    a: { type: apiKey, name: A, in: header, description: Who, x-amazon-apigateway-authorizer: { type: token } }
"#;

#[test]
fn texts_of_objects_become_parts() {
    assert_eq!(
        parts(TEXTS),
        [
            r#"API - - - -: {"info":{"description":"All pets","contact":{"name":"Me"}},"tags":[{"name":"pets","description":"Animals"}]}"#,
            r#"AUTHORIZER - - - a: {"description":"Who"}"#,
            r#"RESOURCE /pets/{id} - - -: {"summary":"A pet"}"#,
            r#"METHOD /pets/{id} GET - -: {"tags":["pets"],"summary":"Gets one"}"#,
            r#"REQUEST_BODY /pets/{id} GET - -: {"description":"Nothing"}"#,
            r#"RESPONSE_HEADER /pets/{id} GET 404 X: {"description":"Why"}"#,
            r#"RESPONSE /pets/{id} GET 404 -: {"description":"None"}"#,
            r#"PATH_PARAMETER /pets/{id} GET - id: {"description":"Which"}"#,
            r#"QUERY_PARAMETER /pets/{id} GET - q: {"description":"How"}"#,
            r#"REQUEST_HEADER /pets/{id} GET - X-Trace: {"description":"Traces"}"#,
        ]
    );
    let options = ImportOptions { ignore_documentation: true, ..ImportOptions::default() };
    let api = import_with(&Document::parse(TEXTS).unwrap(), &options).api;
    assert_eq!(api.documentation_parts, []);
    assert_eq!(api.description.as_deref(), Some("All pets"), "which is not a part");
}

const EXTENSION: &str = r#"
x-amazon-apigateway-documentation:
  version: 1.0.0
  createdDate: "2016-11-22T22:41:40Z"
  documentationParts:
    - { location: { type: API }, properties: { description: All, info: { description: pets } } }
    - { location: { type: response_header, path: /a, method: GET, statusCode: 200, name: X }, properties: '{"a": 1}' }
    - { location: { type: METHOD } }
"#;

#[test]
fn the_extension_has_parts_and_a_version() {
    let want = [
        r#"API - - - -: {"description":"All","info":{"description":"pets"}}"#,
        r#"RESPONSE_HEADER /a GET 200 X: {"a": 1}"#,
        r#"METHOD - - - -: {}"#,
    ];
    let text = format!("{TEXTS}{EXTENSION}");
    assert_eq!(parts(&text), want, "the texts came from the same parts");
    let import = super::imported(&text);
    assert_eq!(import.api.documentation_version.as_deref(), Some("1.0.0"));
    let options = ImportOptions { ignore_documentation: true, ..ImportOptions::default() };
    let api = import_with(&Document::parse(&text).unwrap(), &options).api;
    assert_eq!((api.documentation_parts, api.documentation_version), (vec![], None));
    // ImportDocumentationParts needs nothing else.
    let found = import_documentation(&Document::parse(EXTENSION).unwrap());
    assert_eq!(found.parts.iter().map(line).collect::<Vec<_>>(), want);
    assert_eq!((found.version.as_deref(), found.aws), (Some("1.0.0"), vec![]));
}

#[test]
fn parts_without_a_place_are_refused() {
    let text = "x-amazon-apigateway-documentation: { documentationParts: [{}, { location: { type: PET } }, \
                { location: {} }, 7, { location: { type: API, path: [] } }] }";
    let found = import_documentation(&Document::parse(text).unwrap());
    assert_eq!(found.parts.len(), 1);
    assert_eq!(found.parts[0].location.kind, DocumentationPartType::Api);
    let said: Vec<&str> = found.aws.iter().map(|it| it.message.as_str()).collect();
    let want = [
        "Invalid documentation part: it has no location",
        "'PET' is no type",
        "'path' is a list, but has to be a string",
    ];
    assert_eq!(said, want);
    let nothing = import_documentation(&Document::parse("[7]").unwrap());
    assert_eq!(nothing.parts, []);
}
