//! Schemas to models, and which of them bodies have.

use serde_json::{Value as Json, json};

use super::{imported, method_at};
use crate::model::{API_ID_PLACEHOLDER, MethodName, RestApi, model_reference};
use crate::openapi::AwsFinding;

fn names(api: &RestApi) -> Vec<&str> {
    api.models.keys().map(String::as_str).collect()
}

fn schema(api: &RestApi, name: &str) -> Json {
    serde_json::from_str(&api.models[name].schema).unwrap()
}

const BODY: &str = "{ type: object }";

/// A document in both dialects whose models and bodies are the same.
fn both(schemas: &str, body: &str, answer: &str) -> [RestApi; 2] {
    let openapi = format!(
        "openapi: 3.0.1\ninfo: {{ title: T }}\npaths:\n  /a:\n    post:\n      \
         requestBody: {{ content: {{ application/json: {{ schema: {body} }} }} }}\n      \
         responses: {{ 200: {{ content: {{ application/json: {{ schema: {answer} }} }} }} }}\n      \
         x-amazon-apigateway-integration: {{ type: mock }}\n\
         components: {{ schemas: {schemas} }}\n"
    );
    let swagger = format!(
        "swagger: '2.0'\ninfo: {{ title: T }}\npaths:\n  /a:\n    post:\n      \
         parameters: [{{ in: body, name: b, schema: {body} }}]\n      \
         responses: {{ 200: {{ schema: {answer} }} }}\n      \
         x-amazon-apigateway-integration: {{ type: mock }}\n\
         definitions: {schemas}\n"
    )
    .replace("#/components/schemas/", "#/definitions/");
    [openapi, swagger].map(|text| {
        let import = imported(&text);
        assert_eq!((import.diagnostics, import.aws), (vec![], vec![]), "\n{text}");
        import.api
    })
}

#[test]
fn schemas_become_models_of_their_names() {
    let schemas = "{
        House: { type: object, description: 'Where people live', properties: {
            owners: { type: array, items: { $ref: '#/components/schemas/Person' } } } },
        Person: { title: A person, properties: { home: { $ref: '#/components/schemas/House' } } } }";
    let reference = "{ $ref: '#/components/schemas/Person' }";
    for api in both(schemas, reference, "{ $ref: '#/components/schemas/House' }") {
        assert_eq!(names(&api), ["House", "Person"], "no Empty, no Error");
        let house = &api.models["House"];
        assert_eq!(house.content_type, "application/json");
        assert_eq!(house.description.as_deref(), Some("Where people live"));
        assert_eq!(api.models["Person"].description, None);
        let person = model_reference(API_ID_PLACEHOLDER, "Person");
        assert_eq!(
            schema(&api, "House"),
            json!({ "type": "object", "description": "Where people live", "properties": {
                "owners": { "type": "array", "items": { "$ref": person } } } })
        );
        // Circular, and without a title of its own making.
        let home = model_reference(API_ID_PLACEHOLDER, "House");
        assert_eq!(schema(&api, "Person")["properties"]["home"]["$ref"], home);
        assert_eq!(schema(&api, "House").get("title"), None);
        let method = method_at(&api, "/a", MethodName::Post);
        assert_eq!(method.request_models["application/json"], "Person");
        assert_eq!(method.method_responses["200"].response_models["application/json"], "House");
    }
}

#[test]
fn a_schema_keeps_its_order_and_its_numbers() {
    let [api, _] =
        both("{ A: { type: object, maxProperties: 1.50, minProperties: 0x10 } }", BODY, BODY)
            .map(|api| api.models["A"].schema.clone());
    assert_eq!(
        api,
        "{\n  \"type\" : \"object\",\n  \"maxProperties\" : 1.50,\n  \"minProperties\" : 16\n}"
    );
}

#[test]
fn the_api_id_fills_every_reference() {
    let schemas = "{ A: { items: { $ref: '#/components/schemas/A' } } }";
    let [mut api, _] = both(schemas, BODY, BODY);
    api.set_id("a1b2c3d4e5");
    assert_eq!(api.id, "a1b2c3d4e5");
    let want = "https://apigateway.amazonaws.com/restapis/a1b2c3d4e5/models/A";
    assert_eq!(schema(&api, "A")["items"]["$ref"], want);
}

#[test]
fn inline_objects_and_lists_become_models_with_generated_names() {
    let inline = "{ type: array, items: { $ref: '#/components/schemas/A' } }";
    for api in both("{ A: { type: object } }", inline, inline) {
        let method = method_at(&api, "/a", MethodName::Post);
        let name = &method.request_models["application/json"];
        let hex = name.strip_prefix("MODEL").unwrap();
        assert!(hex.len() == 6 && hex.bytes().all(|it| it.is_ascii_hexdigit()), "{name}");
        let answer = &method.method_responses["200"].response_models["application/json"];
        assert_eq!(answer, name, "equal schemas share one model");
        assert_eq!(names(&api), ["A", name]);
        let item = model_reference(API_ID_PLACEHOLDER, "A");
        assert_eq!(schema(&api, name), json!({ "type": "array", "items": { "$ref": item } }));
    }
    let [one, _] = both("{}", "{ type: object, title: a }", "{ properties: { a: {} } }");
    assert_eq!(one.models.len(), 2);
    let [again, _] = both("{}", "{ type: object, title: a }", "{ properties: { a: {} } }");
    assert_eq!(names(&one), names(&again), "and are the same each time");
}

#[test]
fn other_schemas_make_no_model_and_aws_says_so() {
    let text = "openapi: 3.0.1
info: { title: T }
paths:
  /events:
    post:
      requestBody: { content: { text/plain: { schema: { type: string } }, application/json: {} } }
      responses:
        201: { content: { text/plain: { schema: { type: string } } } }
        202: { content: { a/b: { schema: { type: [integer, 'null'] } }, c/d: { schema: {} } } }
        203: { content: { application/json: { schema: { $ref: '#/components/schemas/No' } } } }
      x-amazon-apigateway-integration: { type: mock }
";
    let import = imported(text);
    assert_eq!(import.diagnostics, []);
    assert_eq!(import.api.models.len(), 0);
    let method = method_at(&import.api, "/events", MethodName::Post);
    assert!(method.request_models.is_empty());
    assert!(method.method_responses.values().all(|it| it.response_models.is_empty()));
    assert_eq!(
        import.aws_warnings(),
        [
            "Unsupported model type 'StringSchema' for method 'POST /events'. Ignoring.",
            "Unsupported model type 'StringSchema' in 201 response to method 'POST /events'. Ignoring.",
            "Unsupported model type 'IntegerSchema' in 202 response to method 'POST /events'. Ignoring.",
            "Unsupported model type 'Schema' in 202 response to method 'POST /events'. Ignoring.",
            "Reference to model 'No' not found. Ignoring.",
        ]
    );
}

#[test]
fn swagger_bodies_have_every_media_type_that_is_consumed_or_produced() {
    let text = "swagger: '2.0'
info: { title: T }
consumes: [application/xml]
paths:
  /a:
    parameters: [{ in: body, name: b, schema: { $ref: '#/definitions/A' } }]
    post:
      produces: [application/json, text/csv]
      responses: { 200: { schema: { $ref: '#/definitions/A' } } }
      x-amazon-apigateway-integration: { type: mock }
    put:
      consumes: [application/json]
      parameters: [{ $ref: '#/parameters/other' }]
      responses: { 200: { schema: { $ref: '#/definitions/A' } } }
      x-amazon-apigateway-integration: { type: mock }
parameters: { other: { in: body, name: o, schema: { $ref: '#/definitions/B' } } }
definitions: { A: { type: object }, B: { type: object } }
";
    let api = imported(text).api;
    let models = |name| {
        let method = method_at(&api, "/a", name);
        let pairs = |models: &indexmap::IndexMap<String, String>| {
            models.iter().map(|(key, model)| format!("{key}={model}")).collect::<Vec<_>>().join(" ")
        };
        let answer = &method.method_responses["200"].response_models;
        (pairs(&method.request_models), pairs(answer))
    };
    let post = ("application/xml=A".to_owned(), "application/json=A text/csv=A".to_owned());
    assert_eq!(models(MethodName::Post), post);
    let put = ("application/json=B".to_owned(), "application/json=A".to_owned());
    assert_eq!(models(MethodName::Put), put);
}

#[test]
fn aws_refuses_names_and_references_of_models() {
    let text = "openapi: 3.0.1
info: { title: T }
paths: { /a: { get: { x-amazon-apigateway-integration: { type: mock } } } }
components:
  schemas:
    my-model: { type: object }
    A: { items: { $ref: 'https://example.com/schema.json' } }
    B: { properties: { b: { $ref: '#/components/schemas/No' }, c: { $ref: '#/components/schemas/A/items' } } }
    C: { properties: { $ref: { type: string } }, enum: [{ $ref: 7 }] }
    D: []
    E: null
";
    let import = imported(text);
    assert_eq!(import.diagnostics, [], "nobody needs them to be served");
    assert_eq!(names(&import.api), ["my-model", "A", "B", "C"]);
    let found: Vec<&str> = import.aws.iter().map(|it| it.message.as_str()).collect();
    let invalid = "Invalid model specified: Validation Result: warnings : [], errors : ";
    assert_eq!(
        found,
        [
            "Unable to create model for 'my-model': Model name must be alphanumeric: my-model",
            &format!(
                "Unable to create model for 'A': {invalid}[Model reference must be in canonical form]"
            ),
            &format!(
                "Unable to create model for 'B': {invalid}[Model reference must be in canonical form]"
            ),
            &format!("Unable to create model for 'D': {invalid}[Invalid model schema specified]"),
        ]
    );
    let error = |it: &AwsFinding| it.severity == crate::openapi::AwsSeverity::Error;
    assert!(import.aws.iter().all(error));
}
