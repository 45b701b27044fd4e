//! What AWS would say, in the words that were seen in the field.

use super::{imported, integration, operation, paths, raw, root};

fn refusal(text: &str) -> Option<String> {
    imported(text).aws_refusal(false)
}

#[test]
fn aws_refuses_in_its_own_words() {
    let invalid =
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : ";
    let get = "on 'GET' for resource at path '/a/{id}'";
    let mock = "{ get: { x-amazon-apigateway-integration: { type: mock } } }";
    let cases = [
        (
            paths("/course_terms:\n  get: { parameters: [{ name: 'page[size]', in: query }], \
                   x-amazon-apigateway-integration: { type: mock } }"),
            format!(
                "Unable to put method 'GET' on resource at path '/course_terms': {invalid}[Parameter \
                 name should match the following regular expression: ^[a-zA-Z0-9._$-]+$]"
            ),
        ),
        (
            operation("parameters: [{ name: a, in: query }, { name: a, in: header }]"),
            "Unable to put method 'GET' on resource at path '/a/{id}': Parameter names must be unique \
             across querystring, header and path"
                .to_owned(),
        ),
        (
            integration(
                "type: http\nuri: http://a/\nhttpMethod: GET\nrequestParameters: { \
                 integration.request.header.A: method.request.header.Authorization }",
            ),
            format!(
                "Unable to put integration {get}: {invalid}[Invalid mapping expression parameter \
                 specified: method.request.header.Authorization]"
            ),
        ),
        (
            integration(
                "type: mock\nresponses: { default: { statusCode: 200, responseParameters: { \
                 method.response.header.Location: integration.response.body.errorMessage } } }",
            ),
            format!(
                "Unable to put integration response {get}: {invalid}[Invalid mapping expression \
                 parameter specified: method.response.header.Location]"
            ),
        ),
        (
            integration(
                "type: mock\nresponses: { 4..: { statusCode: 401, responseParameters: { \
                 method.response.header.X: \"'a'\" } } }",
            ),
            format!(
                "Unable to put integration response {get}: {invalid}[No method response exists for \
                 method.]"
            ),
        ),
        (
            integration("type: http\nuri: http://a/\nhttpMethod: GET\ntimeoutInMillis: 49"),
            format!("Unable to put integration {get}: Timeout should be between 50 ms and 29000 ms"),
        ),
        (
            integration("type: http\nuri: http://a/"),
            format!(
                "Unable to put integration {get}: Enumeration value for HttpMethod must be non-empty"
            ),
        ),
        (
            paths(&format!("/r/{{id}}: {mock}\n/r/{{email}}/{{eventId}}: {mock}")),
            "Unable to create resource at path '/r/{email}/{eventId}': A sibling ({id}) of this \
             resource already has a variable path part -- only one is allowed"
                .to_owned(),
        ),
        (
            paths(&format!("/{{proxy+}}/a: {mock}")),
            "Unable to create resource at path '/{proxy+}/a': Cannot create a child of a resource with \
             a greedy path variable: {proxy+}"
                .to_owned(),
        ),
    ];
    for (text, want) in cases {
        let want = format!("Errors found during import:\n\t{want}");
        assert_eq!(refusal(&text), Some(want), "\n{text}");
    }
}

#[test]
fn errors_come_first_and_warnings_behind_them() {
    let text = "openapi: 3.0.1
info: { title: T }
paths: { /a: { get: {
  responses: { 200: { content: { application/json: { schema: { $ref: '#/components/schemas/my-model' } } } } },
  requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/No' } } } },
  x-amazon-apigateway-integration: { type: mock } } } }
components: { schemas: { my-model: { type: object } } }
";
    let want = "Errors found during import:
\tUnable to create model for 'my-model': Model name must be alphanumeric: my-model
Additionally, these warnings were found:
\tReference to model 'No' not found. Ignoring.";
    assert_eq!(refusal(text).as_deref(), Some(want));
}

#[test]
fn what_is_no_definition_is_unreadable() {
    for text in ["[]", "text", "info: { title: T }", "swagger: '1.2'\npaths: 7", "openapi: [3]"] {
        assert_eq!(refusal(&raw(text)).as_deref(), Some("Invalid OpenAPI input."), "{text}");
    }
}

#[test]
fn what_ringway_alone_objects_to_does_not_stop_aws() {
    for text in [
        raw("openapi: 3.0.1\ninfo: { title: T }\npaths: {}"),
        root("x-amazon-apigateway-polcy: {}"),
        root("x-amazon-apigateway-policy: { Version: '2012-10-17', Statement: [] }"),
        paths("/a: { GET: {}, get: { x-amazon-apigateway-integration: { type: mock } } }"),
        operation("x-amazon-apigateway-auth: { type: AWS_IAM }"),
        integration("type: mock\nresponses: { default: { statusCode: 404 } }"),
        root("x-kong-name: a\nzebra: 1"),
    ] {
        let import = imported(&text);
        assert_ne!(import.diagnostics, [], "\n{text}");
        assert_eq!(import.aws_refusal(true), None, "\n{text}");
    }
}

#[test]
fn a_sound_document_is_taken() {
    let import = imported(&root(""));
    assert_eq!((import.aws_refusal(true), import.aws_warnings()), (None, vec![]));
    assert_eq!(import.aws, []);
}
