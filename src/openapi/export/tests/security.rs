//! Authorizers, keys and IAM in an export: facts, openapi section 6, and exports in the field.

use serde_json::json;

use super::{oas30, operation, same, swagger};
use crate::model::MethodName;

const TEXT: &str = r#"
openapi: 3.0.1
info: { title: T }
paths:
  /a:
    get: { security: [{ token: [] }, { api_key: [] }] }
    put: { security: [{ pool: [a, b] }] }
    post: { security: [{ iam: [] }] }
    delete: {}
components:
  securitySchemes:
    api_key: { type: apiKey, name: x-api-key, in: header }
    iam: { type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4 }
    token: { type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: oauth2,
      x-amazon-apigateway-authorizer: { type: token, authorizerUri: 'arn:f', authorizerCredentials: 'arn:r', authorizerResultTtlInSeconds: 60, identityValidationExpression: '^x' } }
    pool: { type: apiKey, name: Auth, in: header, x-amazon-apigateway-authtype: cognito_user_pools,
      x-amazon-apigateway-authorizer: { type: cognito_user_pools, providerARNs: ['arn:p'] } }
    request: { type: apiKey, name: Unused, in: header,
      x-amazon-apigateway-authorizer: { type: request, identitySource: 'method.request.header.A, context.B', authorizerUri: 'arn:g', authorizerResultTtlInSeconds: 0 } }
    query: { type: apiKey, name: q, in: query,
      x-amazon-apigateway-authorizer: { type: request, identitySource: method.request.querystring.q, authorizerUri: 'arn:g' } }
"#;

#[test]
fn each_requirement_is_an_entry_of_its_own() {
    let document = oas30(TEXT, "");
    let security = |method| operation(&document, "/a", method)["security"].clone();
    assert_eq!(security(MethodName::Get), json!([{ "token": [] }, { "api_key": [] }]));
    assert_eq!(security(MethodName::Put), json!([{ "pool": ["a", "b"] }]));
    assert_eq!(security(MethodName::Post), json!([{ "sigv4": [] }]));
    assert_eq!(security(MethodName::Delete), json!(null));
}

#[test]
fn with_the_extension_every_authorizer_is_there() {
    let want = r#"{
  "token": {
    "type": "apiKey", "name": "Authorization", "in": "header",
    "x-amazon-apigateway-authtype": "oauth2",
    "x-amazon-apigateway-authorizer": {
      "authorizerUri": "arn:f", "authorizerCredentials": "arn:r",
      "authorizerResultTtlInSeconds": 60, "identityValidationExpression": "^x", "type": "token"
    }
  },
  "pool": {
    "type": "apiKey", "name": "Auth", "in": "header",
    "x-amazon-apigateway-authtype": "cognito_user_pools",
    "x-amazon-apigateway-authorizer": { "providerARNs": [ "arn:p" ], "type": "cognito_user_pools" }
  },
  "request": {
    "type": "apiKey", "name": "Unused", "in": "header",
    "x-amazon-apigateway-authtype": "custom",
    "x-amazon-apigateway-authorizer": {
      "identitySource": "method.request.header.A, context.B", "authorizerUri": "arn:g",
      "authorizerResultTtlInSeconds": 0, "type": "request"
    }
  },
  "query": {
    "type": "apiKey", "name": "q", "in": "query",
    "x-amazon-apigateway-authtype": "custom",
    "x-amazon-apigateway-authorizer": {
      "identitySource": "method.request.querystring.q", "authorizerUri": "arn:g",
      "authorizerResultTtlInSeconds": 300, "type": "request"
    }
  },
  "sigv4": {
    "type": "apiKey", "name": "Authorization", "in": "header",
    "x-amazon-apigateway-authtype": "awsSigv4"
  },
  "api_key": { "type": "apiKey", "name": "x-api-key", "in": "header" }
}"#;
    same(&oas30(TEXT, "authorizers")["components"]["securitySchemes"], want);
    let document = swagger(TEXT, "apigateway");
    same(&document["securityDefinitions"], want);
    let keys: Vec<&String> = document.as_object().unwrap().keys().skip(5).collect();
    assert_eq!(keys, ["paths", "securityDefinitions"], "definitions come after, if there are any");
}

#[test]
fn without_it_only_what_methods_use_is_named() {
    same(
        &swagger(TEXT, "integrations")["securityDefinitions"],
        r#"{
  "token": {
    "type": "apiKey", "name": "Authorization", "in": "header",
    "x-amazon-apigateway-authtype": "oauth2"
  },
  "pool": {
    "type": "apiKey", "name": "Auth", "in": "header",
    "x-amazon-apigateway-authtype": "cognito_user_pools"
  },
  "sigv4": {
    "type": "apiKey", "name": "Authorization", "in": "header",
    "x-amazon-apigateway-authtype": "awsSigv4"
  },
  "api_key": { "type": "apiKey", "name": "x-api-key", "in": "header" }
}"#,
    );
}

#[test]
fn names_of_authorizers_are_not_taken_twice() {
    let text = r#"
openapi: 3.0.1
info: { title: T }
paths: { /a: { get: { security: [{ api_key: [], k: [] }] } } }
components:
  securitySchemes:
    k: { type: apiKey, name: x-api-key, in: header }
    api_key: { type: apiKey, name: A, in: header, x-amazon-apigateway-authorizer: { type: token, authorizerUri: a } }
"#;
    let document = oas30(text, "authorizers");
    let security = &operation(&document, "/a", MethodName::Get)["security"];
    assert_eq!(*security, json!([{ "api_key": [] }, { "api_key_": [] }]));
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(
        (&schemes["api_key"]["name"], &schemes["api_key_"]["name"]),
        (&json!("A"), &json!("x-api-key"))
    );
}
