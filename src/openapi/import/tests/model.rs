//! Small documents to the model.

use super::{imported, integration, operation, paths, root};
use crate::model::{
    ConnectionType, ContentHandling, Integration, IntegrationResponse, IntegrationType, Method,
    MethodName, PassthroughBehavior, ResponseTransferMode, ResponseType, RestApi, ThrottleSettings,
};
use crate::openapi::testing::bare;

/// The model of a document about which there is nothing to say.
fn sound(text: &str) -> RestApi {
    let import = imported(text);
    assert_eq!(import.diagnostics, [], "\n{text}");
    import.api
}

/// The one method of [`operation`] and [`integration`].
fn method(text: &str) -> Method {
    let mut api = imported(text).api;
    let resource = api.resources.iter_mut().find(|it| it.path == "/a/{id}").unwrap();
    resource.methods.remove(&MethodName::Get).unwrap()
}

fn map<V: Clone, M: FromIterator<(String, V)>>(members: &[(&str, V)]) -> M {
    members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

const SWAGGER: &str = r#"{
  "swagger": "2.0",
  "info": { "title": "Pets", "version": 1, "description": "All of them" },
  "basePath": "/v1", "schemes": ["https"], "host": "example.com",
  "paths": { "/pets/{id}": {
    "parameters": [{ "name": "id", "in": "path", "required": true, "type": "string" }],
    "get": {
      "operationId": "getPet",
      "produces": ["application/json"],
      "parameters": [{ "name": "verbose", "in": "query", "type": "boolean" }],
      "responses": { "200": { "description": "", "headers": { "X-A": { "type": "string" } } } },
      "x-amazon-apigateway-integration": {
        "type": "HTTP", "httpMethod": "GET", "uri": "http://127.0.0.1/{id}",
        "requestParameters": { "integration.request.path.id": "method.request.path.id" },
        "responses": { "default": { "statusCode": 200 } }
      }
    } } },
  "definitions": { "Pet": {} }
}"#;

const OPENAPI_YAML: &str = r#"# The same
openapi: 3.0.1
info:
  title: Pets
  version: "1"
  description: All of them
servers:
  - url: https://example.com/{basePath}
    variables: { basePath: { default: /v1 } }
paths:
  /pets/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: string } }
    get:
      operationId: getPet
      parameters:
        - $ref: '#/components/parameters/verbose'
      responses:
        200:
          $ref: '#/components/responses/One%20%7E1%20Pet'
      x-amazon-apigateway-integration:
        type: http
        httpMethod: get
        uri: http://127.0.0.1/{id}
        requestParameters:
          integration.request.path.id: method.request.path.id
        responses:
          default:
            statusCode: "200"
components:
  parameters:
    verbose: { name: verbose, in: query, schema: { type: boolean } }
  responses:
    One / Pet:
      description: ""
      headers: { X-A: { $ref: '#/components/headers/X-A' } }
  headers:
    X-A: { schema: { type: string } }
  schemas: { Pet: {} }
"#;

#[test]
fn dialects_and_syntaxes_give_the_same_model() {
    let sound = |text: &str| bare(sound(text));
    let want = sound(SWAGGER);
    assert_eq!((&*want.name, want.version.as_deref()), ("Pets", Some("1")));
    assert_eq!(want.description.as_deref(), Some("All of them"));
    assert_eq!(sound(OPENAPI_YAML), want);
    for version in ["3.0", "3.0.3", "3.1.0", "3.1"] {
        assert_eq!(sound(&OPENAPI_YAML.replacen("3.0.1", version, 1)), want, "{version}");
    }
    // A byte order mark, line breaks of Windows, and YAML's flow style change nothing.
    assert_eq!(sound(&format!("\u{feff}{}", OPENAPI_YAML.replace('\n', "\r\n"))), want);
    assert_eq!(sound(&SWAGGER.replacen("\"swagger\"", "swagger", 1)), want);
}

#[test]
fn resources_have_their_parents_and_stable_ids() {
    let mock = "{ get: { x-amazon-apigateway-integration: { type: mock } } }";
    let text = paths(&format!("/b/{{x}}/c/{{rest+}}: {mock}\n/a~b/c.d:e,f@g/-_: {mock}"));
    let api = sound(&text);
    let found: Vec<&str> = api.resources.iter().map(|it| it.path.as_str()).collect();
    let want = [
        "/",
        "/a~b",
        "/a~b/c.d:e,f@g",
        "/a~b/c.d:e,f@g/-_",
        "/b",
        "/b/{x}",
        "/b/{x}/c",
        "/b/{x}/c/{rest+}",
    ];
    assert_eq!(found, want);
    let with_methods = api.resources.iter().filter(|it| !it.methods.is_empty());
    assert_eq!(with_methods.count(), 2);
    assert_eq!(sound(&text), api, "ids are the same each time");
    let ids: std::collections::BTreeSet<&str> =
        api.resources.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids.len(), api.resources.len());
}

#[test]
fn a_slash_at_the_end_joins_paths() {
    let get = "{ get: { x-amazon-apigateway-integration: { type: mock } } }";
    let post = get.replace("get", "post");
    let api = imported(&paths(&format!("/a: {get}\n/a/: {post}"))).api;
    let methods: Vec<_> = api.resources[1].methods.keys().copied().collect();
    assert_eq!((&*api.resources[1].path, methods), ("/a", vec![MethodName::Get, MethodName::Post]));
}

#[test]
fn a_path_that_aws_refuses_is_not_in_the_model() {
    let mock = "{ get: { x-amazon-apigateway-integration: { type: mock } } }";
    let refused = ["a", "/a b", "/a//b", "/{x}y", "/{x+}/y", "/b/{y}", "/{z}/{z}", "/$default"];
    for path in refused {
        let import = imported(&paths(&format!("/b/{{x}}: {mock}\n{path}: {mock}")));
        assert!(!import.is_sound(), "{path}");
        let found: Vec<&str> = import.api.resources.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(found, ["/", "/b", "/b/{x}"], "{path}");
    }
}

#[test]
fn every_method_and_any_stand_beside_each_other() {
    let keys = "get put post delete patch options head x-amazon-apigateway-any-method";
    let operations: Vec<String> = keys
        .split(' ')
        .map(|key| format!("  {key}: {{ x-amazon-apigateway-integration: {{ type: mock }} }}\n"))
        .collect();
    let api = sound(&paths(&format!("/a:\n{}", operations.concat())));
    let methods: Vec<&str> = api.resources[1].methods.keys().map(|it| it.as_str()).collect();
    assert_eq!(methods, ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"]);
    assert_eq!(
        api.resources[1].methods[&MethodName::Any].pointer,
        format!("/paths/~1a/{}", &keys[39..])
    );
}

#[test]
fn parameters_of_path_and_operation_are_merged() {
    let text = paths(
        "/a/{id}:
  parameters:
    - { name: page, in: query, required: true }
    - { name: X-Id, in: header, required: true }
    - { name: id, in: path }
  get:
    parameters:
      - { name: page, in: query }
      - { name: all, in: query, required: true }
    x-amazon-apigateway-integration: { type: mock }",
    );
    sound(&text);
    let want = map(&[
        ("method.request.header.X-Id", true),
        ("method.request.path.id", true),
        ("method.request.querystring.all", true),
        ("method.request.querystring.page", false),
    ]);
    assert_eq!(method(&text).request_parameters, want);
    // AWS declares the path's own parameters where the document does not.
    let want = map(&[("method.request.path.id", true)]);
    assert_eq!(method(&operation("")).request_parameters, want);
}

#[test]
fn responses_become_method_responses_with_headers() {
    let text = operation(
        "responses:\n  200: { headers: { X-A: {}, x-b: { required: true } } }\n  default: {}\n  404: {}",
    );
    sound(&text);
    let responses = method(&text).method_responses;
    let found: Vec<&str> = responses.keys().map(String::as_str).collect();
    assert_eq!(found, ["200", "404"]);
    let want = map(&[("method.response.header.X-A", false), ("method.response.header.x-b", false)]);
    assert_eq!(responses["200"].response_parameters, want);
}

#[test]
fn every_key_of_an_integration_arrives() {
    let text = integration(
        "type: HTTP
uri: https://${stageVariables.host}/${AWS::Region}/{id}
httpMethod: any
passthroughBehavior: WHEN_NO_TEMPLATES
contentHandling: convert_to_text
timeoutInMillis: 2.9e4
connectionType: vpc_link
connectionId: ${stageVariables.link}
tlsConfig: { insecureSkipVerification: true }
requestParameters:
  integration.request.path.id: method.request.path.id
  integration.request.header.A: \"'a'\"
requestTemplates: { text/plain: a, application/json: null }
responses:
  2\\d{2}: { statusCode: 200, responseParameters: { method.response.header.X: \"'1'\" } }
  default:
    statusCode: '200'
    responseTemplates: { application/json: '', '*/*': b }
    contentHandling: CONVERT_TO_BINARY",
    );
    let pointer = format!("{}/x-amazon-apigateway-integration", super::OPERATION);
    let want = Integration {
        kind: IntegrationType::Http,
        uri: Some("https://${stageVariables.host}/us-east-1/{id}".to_owned()),
        http_method: Some(MethodName::Any),
        request_parameters: map(&[
            ("integration.request.path.id", "method.request.path.id".to_owned()),
            ("integration.request.header.A", "'a'".to_owned()),
        ]),
        request_templates: map(&[
            ("text/plain", "a".to_owned()),
            ("application/json", String::new()),
        ]),
        passthrough_behavior: PassthroughBehavior::WhenNoTemplates,
        content_handling: Some(ContentHandling::ConvertToText),
        timeout_ms: Some(29_000),
        connection_type: ConnectionType::VpcLink("${stageVariables.link}".to_owned()),
        insecure_skip_verification: true,
        responses: vec![
            IntegrationResponse {
                selection_pattern: Some("2\\d{2}".to_owned()),
                status_code: 200,
                response_parameters: map(&[("method.response.header.X", "'1'".to_owned())]),
                pointer: format!("{pointer}/responses/2\\d{{2}}"),
                ..IntegrationResponse::default()
            },
            IntegrationResponse {
                selection_pattern: None,
                status_code: 200,
                response_templates: map(&[
                    ("application/json", String::new()),
                    ("*/*", "b".to_owned()),
                ]),
                content_handling: Some(ContentHandling::ConvertToBinary),
                pointer: format!("{pointer}/responses/default"),
                ..IntegrationResponse::default()
            },
        ],
        pointer,
        ..Integration::default()
    };
    assert_eq!(method(&text).integration, Some(want));
}

#[test]
fn an_integration_with_a_service_arrives_whole() {
    let text = integration(
        "type: aws_proxy
uri: arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/f/invocations
httpMethod: POST
credentials: arn:aws:iam::${AWS::AccountId}:role/r
cacheNamespace: pets
cacheKeyParameters: [method.request.path.id, method.request.header.A]
connectionType: INTERNET
integrationTarget: arn:lb
responseTransferMode: stream",
    );
    let found = method(&text).integration.unwrap();
    assert_eq!(
        (found.kind, found.http_method),
        (IntegrationType::AwsProxy, Some(MethodName::Post))
    );
    let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations";
    assert_eq!(found.uri.as_deref(), Some(uri));
    assert_eq!(found.credentials.as_deref(), Some("arn:aws:iam::123456789012:role/r"));
    assert_eq!(found.cache_namespace.as_deref(), Some("pets"));
    assert_eq!(found.cache_key_parameters, ["method.request.path.id", "method.request.header.A"]);
    assert_eq!(found.integration_target.as_deref(), Some("arn:lb"));
    assert_eq!(found.response_transfer_mode, ResponseTransferMode::Stream);
    // What is of the wrong kind is left out, and AWS refuses it.
    let text = integration(
        "type: mock\ncredentials: { 'Fn::GetAtt': [Role, Arn] }\ncacheKeyParameters: a",
    );
    let found = method(&text).integration.unwrap();
    assert_eq!((found.credentials, found.cache_key_parameters), (None, vec![]));
    let refusal = imported(&text).aws_refusal(false).unwrap();
    assert!(refusal.contains("'credentials' is an object"), "{refusal}");
}

#[test]
fn an_integration_has_the_defaults_of_aws() {
    let found = method(&integration("type: http_proxy\nuri: http://a/\nhttpMethod: GET"));
    let want = Integration {
        kind: IntegrationType::HttpProxy,
        uri: Some("http://a/".to_owned()),
        http_method: Some(MethodName::Get),
        passthrough_behavior: PassthroughBehavior::WhenNoMatch,
        timeout_ms: None,
        connection_type: ConnectionType::Internet,
        pointer: format!("{}/x-amazon-apigateway-integration", super::OPERATION),
        ..Integration::default()
    };
    assert_eq!(found.integration, Some(want));
}

#[test]
fn a_mock_keeps_nothing_of_a_backend() {
    let text = integration("type: mock\nuri: http://a/\nhttpMethod: GET");
    let found = method(&text).integration.unwrap();
    assert_eq!((found.kind, found.uri, found.http_method), (IntegrationType::Mock, None, None));
}

#[test]
fn an_integration_may_stand_elsewhere() {
    let there = "x-amazon-apigateway-integrations: { a: { type: mock } }";
    let text = integration("$ref: '#/components/x-amazon-apigateway-integrations/a'");
    let text = format!("{text}components: {{ {there} }}\n");
    let found = method(&text).integration.unwrap();
    assert_eq!(found.pointer, "/components/x-amazon-apigateway-integrations/a");
}

#[test]
fn what_concerns_the_whole_api_arrives() {
    let api = sound(&root(
        "x-amazon-apigateway-binary-media-types: [image/png, '*/*', application/*]
x-amazon-apigateway-minimum-compression-size: 1024
x-ringway-throttle: { rateLimit: 0.5, burstLimit: 7 }
x-amazon-apigateway-gateway-responses:
  THROTTLED:
    statusCode: 420
    responseParameters: { gatewayresponse.header.X: \"'a'\" }
    responseTemplates: { application/json: '{}' }
  DEFAULT_5XX: {}",
    ));
    assert_eq!(api.binary_media_types, ["image/png", "*/*", "application/*"]);
    assert_eq!(api.minimum_compression_size, Some(1024));
    assert_eq!(api.throttle, Some(ThrottleSettings { rate_limit: 0.5, burst_limit: 7 }));
    let responses = &api.gateway_responses;
    let throttled = &responses[&ResponseType::Throttled];
    assert_eq!((responses.len(), throttled.status_code), (2, Some(420)));
    let parameters: indexmap::IndexMap<String, String> =
        map(&[("gatewayresponse.header.X", "'a'".to_owned())]);
    assert_eq!(throttled.response_parameters, parameters);
    let templates: indexmap::IndexMap<String, String> =
        map(&[("application/json", "{}".to_owned())]);
    assert_eq!(throttled.response_templates, templates);
    assert_eq!(responses[&ResponseType::Default5xx].status_code, None);
    assert_eq!(
        sound(&root("x-amazon-apigateway-minimum-compression-size: null")).minimum_compression_size,
        None
    );
}

#[test]
fn a_method_has_its_own_throttle() {
    let found = method(&operation("x-ringway-throttle: { rateLimit: 10, burstLimit: 20 }"));
    assert_eq!(found.throttle, Some(ThrottleSettings { rate_limit: 10.0, burst_limit: 20 }));
}
