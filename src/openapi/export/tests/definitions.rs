//! The document around the operations, and operations: facts, aws-recorded section 19.

use serde_json::{Value as Json, json};

use super::super::{ExportError, ExportOptions, ExportType, Extensions, export, export_file_name};
use super::{api, oas30, operation, options, same, swagger};
use crate::model::{MethodName, RestApi};

const PETS: &str = r#"
openapi: 3.0.1
info: { title: Pets, version: 1.0.0, description: All of them }
x-amazon-apigateway-binary-media-types: [image/png]
paths:
  /pets/{id}:
    post:
      operationId: addPet
      parameters:
        - { name: verbose, in: query, required: true }
        - { name: X-Trace, in: header }
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/NewPet' } } } }
      responses:
        200:
          description: The original text is lost.
          headers: { X-A: { description: lost, schema: { type: integer } } }
          content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } }
        404: { description: None }
      x-amazon-apigateway-integration:
        type: HTTP
        httpMethod: POST
        uri: http://example.com/{id}
        requestParameters: { integration.request.path.id: method.request.path.id }
        requestTemplates: { application/json: $input.body }
        responses: { default: { statusCode: 200, responseTemplates: { text/html: hi } } }
components:
  schemas:
    NewPet: { type: object, properties: { pet: { $ref: '#/components/schemas/Pet' } } }
    Pet: { $schema: 'http://json-schema.org/draft-04/schema#', title: A pet, type: object }
"#;

#[test]
fn an_openapi_export_is_as_recorded() {
    same(
        &oas30(PETS, ""),
        r##"{
  "openapi": "3.0.1",
  "info": { "title": "Pets", "description": "All of them", "version": "1.0.0" },
  "servers": [ {
    "url": "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/{basePath}",
    "variables": { "basePath": { "default": "dev" } }
  } ],
  "paths": { "/pets/{id}": { "post": {
    "operationId": "addPet",
    "parameters": [
      { "name": "X-Trace", "in": "header", "schema": { "type": "string" } },
      { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } },
      { "name": "verbose", "in": "query", "required": true, "schema": { "type": "string" } }
    ],
    "requestBody": {
      "content": { "application/json": { "schema": { "$ref": "#/components/schemas/NewPet" } } },
      "required": true
    },
    "responses": {
      "200": {
        "description": "200 response",
        "headers": { "X-A": { "schema": { "type": "string" } } },
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Pet" } } }
      },
      "404": { "description": "404 response", "content": {} }
    }
  } } },
  "components": { "schemas": {
    "NewPet": { "type": "object", "properties": { "pet": { "$ref": "#/components/schemas/Pet" } } },
    "Pet": { "title": "A pet", "type": "object" }
  } }
}"##,
    );
}

#[test]
fn a_swagger_export_is_as_recorded() {
    same(
        &swagger(PETS, ""),
        r##"{
  "swagger": "2.0",
  "info": { "description": "All of them", "version": "1.0.0", "title": "Pets" },
  "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
  "basePath": "/dev",
  "schemes": [ "https" ],
  "paths": { "/pets/{id}": { "post": {
    "operationId": "addPet",
    "consumes": [ "application/json" ],
    "produces": [ "application/json", "text/html" ],
    "parameters": [
      { "name": "X-Trace", "in": "header", "required": false, "type": "string" },
      { "name": "id", "in": "path", "required": true, "type": "string" },
      { "name": "verbose", "in": "query", "required": true, "type": "string" },
      { "in": "body", "name": "NewPet", "required": true, "schema": { "$ref": "#/definitions/NewPet" } }
    ],
    "responses": {
      "200": {
        "description": "200 response",
        "schema": { "$ref": "#/definitions/Pet" },
        "headers": { "X-A": { "type": "string" } }
      },
      "404": { "description": "404 response" }
    }
  } } },
  "definitions": {
    "NewPet": { "type": "object", "properties": { "pet": { "$ref": "#/definitions/Pet" } } },
    "Pet": { "title": "A pet", "type": "object" }
  }
}"##,
    );
}

#[test]
fn an_api_of_nothing_has_components_all_the_same() {
    let document = export(&RestApi::default(), &options(ExportType::Oas30, "apigateway")).unwrap();
    assert_eq!((&document["paths"], &document["components"]), (&json!({}), &json!({})));
    let document =
        export(&RestApi::default(), &options(ExportType::Swagger, "apigateway")).unwrap();
    let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["swagger", "info", "host", "basePath", "schemes", "paths"]);
}

#[test]
fn extensions_of_the_root_come_with_apigateway() {
    let text = r#"
openapi: 3.0.1
info: { title: T }
servers: [{ url: /, x-amazon-apigateway-endpoint-configuration: { disableExecuteApiEndpoint: true, vpcEndpointIds: [vpce-1], types: [PRIVATE] } }]
x-amazon-apigateway-security-policy: TLS_1_2
x-amazon-apigateway-policy: { Version: '2012-10-17', Statement: [] }
x-amazon-apigateway-endpoint-access-mode: BASIC
x-amazon-apigateway-api-key-source: AUTHORIZER
x-amazon-apigateway-gateway-responses:
  DEFAULT_5XX: { responseParameters: { gatewayresponse.header.A: "'a'" } }
  ACCESS_DENIED: { statusCode: 404, responseTemplates: { application/json: '{}' } }
x-amazon-apigateway-binary-media-types: ['*/*']
x-amazon-apigateway-minimum-compression-size: 0
x-amazon-apigateway-request-validators: { all: { validateRequestBody: true } }
x-ringway-throttle: { rateLimit: 1.5, burstLimit: 2 }
paths:
  /:
    get:
      x-amazon-apigateway-request-validator: all
      x-ringway-throttle: { rateLimit: 1, burstLimit: 1 }
      x-amazon-apigateway-integration: { type: mock }
"#;
    let document = oas30(text, "apigateway");
    let found: Vec<&String> = document.as_object().unwrap().keys().skip(5).collect();
    let want = [
        "x-amazon-apigateway-security-policy",
        "x-amazon-apigateway-policy",
        "x-amazon-apigateway-endpoint-access-mode",
        "x-amazon-apigateway-api-key-source",
        "x-amazon-apigateway-gateway-responses",
        "x-amazon-apigateway-binary-media-types",
        "x-amazon-apigateway-minimum-compression-size",
        "x-ringway-throttle",
        "x-amazon-apigateway-request-validators",
    ];
    assert_eq!(found, want);
    let configuration = json!({ "vpcEndpointIds": ["vpce-1"], "disableExecuteApiEndpoint": true });
    let key = "x-amazon-apigateway-endpoint-configuration";
    assert_eq!(document["servers"][0][key], configuration, "types are told by a parameter");
    assert_eq!(swagger(text, "apigateway")[key], configuration);
    assert_eq!(
        document["x-amazon-apigateway-gateway-responses"],
        json!({
            "ACCESS_DENIED": { "statusCode": 404, "responseTemplates": { "application/json": "{}" } },
            "DEFAULT_5XX": { "responseParameters": { "gatewayresponse.header.A": "'a'" } },
        })
    );
    let validators =
        json!({ "all": { "validateRequestParameters": false, "validateRequestBody": true } });
    assert_eq!(document["x-amazon-apigateway-request-validators"], validators);
    let get: Vec<String> =
        operation(&document, "/", MethodName::Get).as_object().unwrap().keys().cloned().collect();
    let want = [
        "x-amazon-apigateway-request-validator",
        "x-amazon-apigateway-integration",
        "x-ringway-throttle",
    ];
    assert_eq!(get, want);
    // Nothing of it without being asked for.
    let plain = oas30(text, "").to_string();
    assert!(!plain.contains("x-"), "{plain}");
    let only = oas30(text, "validators").to_string();
    assert!(only.contains("-request-validators") && !only.contains("-integration"), "{only}");
    let only = oas30(text, "integrations").to_string();
    assert!(only.contains("-integration") && !only.contains("-validator"), "{only}");
}

#[test]
fn an_api_without_a_version_has_the_time_of_its_deployment() {
    let text = "openapi: 3.0.1\ninfo: { title: T }\npaths: {}";
    assert_eq!(oas30(text, "")["info"]["version"], "2025-07-02T13:13:23Z");
    for (kind, want) in [
        (ExportType::Swagger, "swagger_2025-07-02T13:13:23Z.json"),
        (ExportType::Oas30, "oas30_2025-07-02T13:13:23Z.json"),
    ] {
        assert_eq!(export_file_name(&api(text), &options(kind, ""), "json"), want);
    }
    let name = |version: &str| {
        let api = RestApi { version: Some(version.to_owned()), ..RestApi::default() };
        export_file_name(&api, &options(ExportType::Swagger, ""), "yaml")
    };
    assert_eq!(name("1.0.0"), "swagger_1.0.0.yaml");
    assert_eq!(name("1\"\r\n é\\"), "swagger_1______.yaml");
}

#[test]
fn methods_stand_in_swaggers_order_and_any_last() {
    let methods = "head get x-amazon-apigateway-any-method options put patch delete post";
    let keys: Vec<String> = methods.split(' ').map(|it| format!("{it}: {{}}")).collect();
    let text = format!(
        "openapi: 3.0.1\ninfo: {{ title: T }}\npaths: {{ /b: {{ {} }}, /a/c: {{ get: {{}} }} }}",
        keys.join(", ")
    );
    let document = oas30(&text, "");
    let keys =
        |value: &Json| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    // Resources without methods are not there.
    assert_eq!(keys(&document["paths"]), "/a/c /b");
    let want = "get put post delete options head patch x-amazon-apigateway-any-method";
    assert_eq!(keys(&document["paths"]["/b"]), want);
    assert_eq!(
        operation(&document, "/b", MethodName::Any),
        json!({}),
        "responses only if there are"
    );
}

#[test]
fn a_swagger_body_needs_a_model_for_json() {
    let text = |media_type: &str| {
        format!(
            "openapi: 3.0.1\ninfo: {{ title: T }}\npaths: {{ /a: {{ put: {{ requestBody: {{ content: \
             {{ '{media_type}': {{ schema: {{ type: object }} }} }} }} }} }} }}"
        )
    };
    let export = |media_type: &str, kind| export(&api(&text(media_type)), &options(kind, ""));
    let error = export("text/plain", ExportType::Swagger).unwrap_err();
    let want = ExportError::NonJsonBodyModels { method: MethodName::Put, path: "/a".to_owned() };
    assert_eq!(error, want);
    assert!(error.to_string().starts_with("Only found non-JSON body models for"), "{error}");
    assert!(export("text/plain", ExportType::Oas30).is_ok());
    for media_type in
        ["application/json", "application/json; charset=utf-8", "a/b+json", "$default"]
    {
        let document = export(media_type, ExportType::Swagger).unwrap();
        let put = operation(&document, "/a", MethodName::Put);
        assert_eq!(put["parameters"][0]["in"], "body", "{media_type}");
        assert_eq!(put["consumes"], json!([media_type]));
    }
}

#[test]
fn a_model_that_is_no_json_object_becomes_an_empty_schema() {
    let mut api = api(PETS);
    for schema in ["", "<xml/>", "[1]", "{", "7"] {
        api.models["Pet"].schema = schema.to_owned();
        let document = export(&api, &options(ExportType::Oas30, "")).unwrap();
        assert_eq!(document["components"]["schemas"]["Pet"], json!({}), "{schema}");
    }
    // References of whatever API lead to the document's own schemas.
    let reference = "https://apigateway.amazonaws.com/restapis/zzzzzzzzzz/models/NewPet";
    api.models["Pet"].schema = json!({ "items": { "$ref": reference } }).to_string();
    let document = export(&api, &options(ExportType::Swagger, "")).unwrap();
    let want = json!({ "items": { "$ref": "#/definitions/NewPet" } });
    assert_eq!(document["definitions"]["Pet"], want);
}

#[test]
fn parameters_that_are_none_are_left_out() {
    let mut api = api("openapi: 3.0.1\ninfo: { title: T }\npaths: { /a: { get: {} } }");
    let method = api.resources[1].methods.get_mut(&MethodName::Get).unwrap();
    for key in
        ["method.request.querystring", "method.request.body.a", "x", "method.request.header.A"]
    {
        method.request_parameters.insert(key.to_owned(), true);
    }
    let document = export(&api, &options(ExportType::Oas30, "")).unwrap();
    let parameters = &operation(&document, "/a", MethodName::Get)["parameters"];
    assert_eq!((parameters.as_array().unwrap().len(), &parameters[0]["name"]), (1, &json!("A")));
}

#[test]
fn extensions_and_types_are_named() {
    let named = Extensions::named;
    assert_eq!(named(""), Some(Extensions::default()));
    assert_eq!(named("postman"), Some(Extensions::default()));
    let want = Extensions { integrations: true, authorizers: true, ..Extensions::default() };
    assert_eq!(named("integrations, authorizers"), Some(want));
    let want = Extensions { documentation: true, validators: true, ..Extensions::default() };
    assert_eq!(named("documentation,validators"), Some(want));
    assert_eq!(named("apigateway").map(|it| it.api_gateway), Some(true));
    assert_eq!(named("integration"), None);
    assert_eq!(ExportType::named("oas30"), Some(ExportType::Oas30));
    assert_eq!(ExportType::named("swagger"), Some(ExportType::Swagger));
    assert_eq!(ExportType::named("oas3"), None);
}

#[test]
fn a_host_without_tls_is_told_as_one() {
    let api = api("{ openapi: 3.0.1, info: { title: T, version: '1' }, paths: {} }");
    for (plain_http, scheme) in [(false, "https"), (true, "http")] {
        let exported = |kind| {
            let host = "a1.execute-api.localhost:8080".to_owned();
            export(&api, &ExportOptions { host, plain_http, ..options(kind, "") }).unwrap()
        };
        let url = format!("{scheme}://a1.execute-api.localhost:8080/{{basePath}}");
        assert_eq!(exported(ExportType::Oas30)["servers"][0]["url"], url);
        assert_eq!(exported(ExportType::Swagger)["schemes"], serde_json::json!([scheme]));
    }
}

/// An export of AWS's, imported and exported again, is the same; only parameters have an order of ours.
#[test]
fn an_export_of_aws_comes_out_as_it_went_in() {
    let text = include_str!("../../../../tests/data/openapi/console_export_cors.json");
    let options = ExportOptions {
        stage: "prod".to_owned(),
        host: "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com".to_owned(),
        ..options(ExportType::Oas30, "apigateway")
    };
    let found = export(&api(text), &options).unwrap();
    let mut want: Json = serde_json::from_str(text).unwrap();
    want["paths"]["/pets"]["get"]["parameters"].as_array_mut().unwrap().reverse();
    assert_eq!(found, want);
    // And laid out in the same way.
    assert_eq!(format!("{}\n", super::export_json(&serde_json::from_str(text).unwrap())), text);
}
