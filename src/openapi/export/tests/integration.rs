//! Integrations in an export.

use serde_json::json;

use super::{oas30, operation, same};
use crate::model::MethodName;

fn exported(keys: &str) -> serde_json::Value {
    let keys: String = keys.lines().map(|line| format!("        {line}\n")).collect();
    let text = format!(
        "openapi: 3.0.1\ninfo: {{ title: T }}\npaths:\n  /a:\n    get:\n      \
         x-amazon-apigateway-integration:\n{keys}"
    );
    let document = oas30(&text, "integrations");
    operation(&document, "/a", MethodName::Get)["x-amazon-apigateway-integration"].clone()
}

#[test]
fn an_integration_has_aws_order_of_keys_and_no_defaults() {
    same(
        &exported(
            "responses:
  '2\\d{2}': { statusCode: 200, responseParameters: { method.response.header.A: \"'a'\" } }
  default: { statusCode: '500', responseTemplates: { text/html: x }, contentHandling: CONVERT_TO_TEXT }
timeoutInMillis: 29000
connectionType: INTERNET
responseTransferMode: BUFFERED
requestTemplates: { application/json: null }
requestParameters: { integration.request.header.A: \"'a'\" }
uri: http://example.com/
httpMethod: get
type: HTTP_PROXY",
        ),
        r#"{
  "type": "http_proxy",
  "httpMethod": "GET",
  "uri": "http://example.com/",
  "responses": {
    "2\\d{2}": { "statusCode": "200", "responseParameters": { "method.response.header.A": "'a'" } },
    "default": {
      "statusCode": "500",
      "responseTemplates": { "text/html": "x" },
      "contentHandling": "CONVERT_TO_TEXT"
    }
  },
  "requestParameters": { "integration.request.header.A": "'a'" },
  "requestTemplates": { "application/json": "" },
  "passthroughBehavior": "when_no_match"
}"#,
    );
    same(&exported("type: mock"), r#"{ "type": "mock", "passthroughBehavior": "when_no_match" }"#);
}

#[test]
fn what_is_no_default_is_said() {
    same(
        &exported(
            "type: aws_proxy
uri: arn:aws:apigateway:us-east-1:lambda:path/x
httpMethod: POST
credentials: arn:aws:iam::1:role/r
passthroughBehavior: never
contentHandling: CONVERT_TO_BINARY
timeoutInMillis: 1000
connectionType: VPC_LINK
connectionId: ${stageVariables.link}
integrationTarget: arn:lb
responseTransferMode: STREAM
cacheNamespace: pets
cacheKeyParameters: [method.request.header.A]
tlsConfig: { insecureSkipVerification: true }",
        ),
        r#"{
  "type": "aws_proxy",
  "connectionId": "${stageVariables.link}",
  "credentials": "arn:aws:iam::1:role/r",
  "httpMethod": "POST",
  "uri": "arn:aws:apigateway:us-east-1:lambda:path/x",
  "passthroughBehavior": "never",
  "connectionType": "VPC_LINK",
  "integrationTarget": "arn:lb",
  "timeoutInMillis": 1000,
  "cacheNamespace": "pets",
  "responseTransferMode": "STREAM",
  "cacheKeyParameters": [ "method.request.header.A" ],
  "contentHandling": "CONVERT_TO_BINARY",
  "tlsConfig": { "insecureSkipVerification": true }
}"#,
    );
}

#[test]
fn the_first_response_without_a_pattern_is_the_default() {
    let mut integration = crate::model::Integration::default();
    for (pattern, status_code) in [(Some(""), 200), (None, 201), (Some("4.."), 400)] {
        integration.responses.push(crate::model::IntegrationResponse {
            selection_pattern: pattern.map(str::to_owned),
            status_code,
            ..Default::default()
        });
    }
    let found = super::super::integration::object(&integration);
    let want = json!({ "default": { "statusCode": "200" }, "4..": { "statusCode": "400" } });
    assert_eq!(found["responses"], want);
}
