//! Documentation in an export, after the example of the developer guide.

use serde_json::{Value as Json, json};

use super::super::{DocumentationSnapshot, ExportOptions, ExportType, export};
use super::{api, operation, options, same};
use crate::model::MethodName;

const GUIDE: &str = r#"
openapi: 3.0.1
info: { title: doc, version: '2016-11-22T22:39:14Z' }
paths:
  /:
    get:
      responses: { 200: { content: { application/json: { schema: { $ref: '#/components/schemas/Empty' } } } } }
      x-amazon-apigateway-integration: { type: mock }
components: { schemas: { Empty: { type: object, title: Empty Schema } } }
x-amazon-apigateway-documentation:
  documentationParts:
    - location: { type: API }
      properties: { description: API description, foo: API foo, x-bar: API x-bar, info: {
        description: API info description, version: API info version, foo: API info foo, x-bar: API info x-bar } }
    - location: { type: METHOD, method: GET }
      properties: { description: Method description., x-example: x- Method example, foo: Method foo, info: { version: method info version } }
    - location: { type: RESOURCE }
      properties: { description: resource description, foo: resource foo, x-bar: resource x-bar }
"#;

fn documented(text: &str, kind: ExportType, extensions: &str) -> Json {
    let snapshot = DocumentationSnapshot {
        version: "1.0.0".to_owned(),
        created_date: Some("2016-11-22T22:41:40Z".to_owned()),
    };
    let options = ExportOptions { documentation: Some(snapshot), ..options(kind, extensions) };
    export(&api(text), &options).unwrap()
}

#[test]
fn the_guides_example_comes_out() {
    same(
        &documented(GUIDE, ExportType::Swagger, "documentation"),
        r##"{
  "swagger": "2.0",
  "info": {
    "description": "API info description", "version": "2016-11-22T22:39:14Z", "title": "doc",
    "x-bar": "API info x-bar"
  },
  "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
  "basePath": "/dev",
  "schemes": [ "https" ],
  "paths": { "/": {
    "get": {
      "description": "Method description.",
      "produces": [ "application/json" ],
      "responses": { "200": {
        "description": "200 response", "schema": { "$ref": "#/definitions/Empty" } } },
      "x-example": "x- Method example"
    },
    "x-bar": "resource x-bar"
  } },
  "definitions": { "Empty": { "type": "object", "title": "Empty Schema" } },
  "x-amazon-apigateway-documentation": {
    "version": "1.0.0",
    "createdDate": "2016-11-22T22:41:40Z",
    "documentationParts": [ {
      "location": { "type": "API" },
      "properties": {
        "description": "API description", "foo": "API foo", "x-bar": "API x-bar",
        "info": { "description": "API info description", "version": "API info version",
          "foo": "API info foo", "x-bar": "API info x-bar" }
      }
    }, {
      "location": { "type": "METHOD", "method": "GET" },
      "properties": { "description": "Method description.", "x-example": "x- Method example",
        "foo": "Method foo", "info": { "version": "method info version" } }
    }, {
      "location": { "type": "RESOURCE" },
      "properties": { "description": "resource description", "foo": "resource foo",
        "x-bar": "resource x-bar" }
    } ]
  },
  "x-bar": "API x-bar"
}"##,
    );
}

#[test]
fn texts_come_without_the_extension_but_not_without_a_version() {
    let document = documented(GUIDE, ExportType::Oas30, "integrations");
    let get = operation(&document, "/", MethodName::Get);
    assert_eq!(get["description"], "Method description.");
    assert_eq!(document.get("x-amazon-apigateway-documentation"), None);
    let options = options(ExportType::Oas30, "documentation");
    let plain = export(&api(GUIDE), &options).unwrap().to_string();
    assert!(!plain.contains("escription.") && !plain.contains("documentation"), "{plain}");
}

const NESTED: &str = r#"
openapi: 3.0.1
info: { title: T }
paths:
  /a/{id}:
    get:
      parameters: [{ name: q, in: query }, { name: h, in: header }]
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses: { 200: { headers: { X: {} } }, 404: {} }
      security: [{ auth: [] }]
    put: { responses: { 200: {} } }
  /ab: { get: { responses: { 200: {} } } }
components: { securitySchemes: { auth: { type: apiKey, name: A, in: header, x-amazon-apigateway-authorizer: { type: token } } } }
x-amazon-apigateway-documentation:
  documentationParts:
    - { location: { type: METHOD, path: /, method: '*' }, properties: { summary: any, tags: [t] } }
    - { location: { type: METHOD, path: /a }, properties: { summary: below a } }
    - { location: { type: METHOD, path: '/a/{id}', method: GET }, properties: { summary: own } }
    - { location: { type: RESPONSE, statusCode: '200' }, properties: { description: fine } }
    - { location: { type: RESPONSE, path: /a }, properties: { description: below a } }
    - { location: { type: RESPONSE, path: '/a/{id}', method: GET, statusCode: 404 }, properties: { description: none, x-why: lost } }
    - { location: { type: RESPONSE_HEADER, path: /a, name: X }, properties: { description: X } }
    - { location: { type: PATH_PARAMETER, name: id }, properties: { description: id } }
    - { location: { type: QUERY_PARAMETER, path: '/a/{id}', method: get, name: q }, properties: { description: q } }
    - { location: { type: REQUEST_HEADER, path: /b, name: h }, properties: { description: another } }
    - { location: { type: REQUEST_BODY }, properties: { description: body } }
    - { location: { type: AUTHORIZER, name: auth }, properties: { description: who } }
    - { location: { type: API }, properties: '7' }
"#;

#[test]
fn the_most_specific_part_counts_the_path_before_the_status() {
    let document = documented(NESTED, ExportType::Oas30, "");
    let summary = |path, method| operation(&document, path, method)["summary"].clone();
    assert_eq!(summary("/a/{id}", MethodName::Get), "own");
    assert_eq!(summary("/a/{id}", MethodName::Put), "below a");
    assert_eq!(summary("/ab", MethodName::Get), "any", "a prefix of a segment is none");
    let get = operation(&document, "/a/{id}", MethodName::Get);
    let description = |value: &Json| value["description"].clone();
    assert_eq!(description(&get["responses"]["404"]), "none");
    assert_eq!(get["responses"]["404"]["x-why"], "lost");
    assert_eq!(description(&get["responses"]["200"]), "below a", "the path before the status");
    let ab = operation(&document, "/ab", MethodName::Get);
    assert_eq!(description(&ab["responses"]["200"]), "fine");
    assert_eq!(description(&get["responses"]["200"]["headers"]["X"]), "X");
    let parameters = get["parameters"].as_array().unwrap();
    let described: Vec<(Json, Json)> =
        parameters.iter().map(|it| (it["name"].clone(), description(it))).collect();
    let want = [("h", json!(null)), ("id", json!("id")), ("q", json!("q"))];
    assert_eq!(described, want.map(|(name, text)| (json!(name), text)));
    assert_eq!(description(&get["requestBody"]), "body");
    let scheme = &document["components"]["securitySchemes"]["auth"];
    assert_eq!(description(scheme), "who");
    let swagger = documented(NESTED, ExportType::Swagger, "");
    let get = operation(&swagger, "/a/{id}", MethodName::Get);
    assert_eq!(description(&get["parameters"][3]), "body");
}

#[test]
fn extensions_of_texts_cannot_pose_as_the_gateways() {
    let text = r#"
openapi: 3.0.1
info: { title: T }
paths: { /: { get: { x-amazon-apigateway-integration: { type: mock } } } }
x-amazon-apigateway-documentation:
  documentationParts:
    - { location: { type: METHOD }, properties: { x-amazon-apigateway-auth: { type: NONE }, x-ringway-throttle: {}, x-own: 1 } }
"#;
    let document = documented(text, ExportType::Oas30, "");
    assert_eq!(operation(&document, "/", MethodName::Get), json!({ "x-own": 1 }));
}
