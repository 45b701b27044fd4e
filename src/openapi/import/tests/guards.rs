//! Security schemes to authorizers, requirements to what guards a method.

use super::{imported, method_at};
use crate::model::{AuthorizationType, Authorizer, AuthorizerType, Method, MethodName, RestApi};

const SCHEMES: &str = "
    key: { type: apiKey, name: x-api-key, in: header }
    iam: { type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4 }
    pool: { type: apiKey, name: Auth, in: header, x-amazon-apigateway-authtype: cognito_user_pools,
      x-amazon-apigateway-authorizer: { type: cognito_user_pools, providerARNs: ['arn:aws:cognito-idp:${AWS::Region}:1:userpool/p'] } }
    token: { type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: oauth2,
      x-amazon-apigateway-authorizer: { type: TOKEN, authorizerUri: 'arn:f', authorizerCredentials: 'arn:r', identityValidationExpression: '^x', authorizerResultTtlInSeconds: '60' } }
    request: { type: apiKey, name: Unused, in: header,
      x-amazon-apigateway-authorizer: { type: request, authorizerUri: 'arn:g', identitySource: 'method.request.header.A, context.B', authorizerResultTtlInSeconds: 0 } }
    query: { type: apiKey, name: q, in: query, x-amazon-apigateway-authorizer: { type: request, authorizerUri: 'arn:g' } }
    basic: { type: http, scheme: basic }
";

/// Methods with these requirements of their own: GET's, and ANY's; and of the document.
fn guarded(get: &str, any: &str, shared: &str) -> RestApi {
    let text = format!(
        "openapi: 3.0.1\ninfo: {{ title: T }}\n{shared}\npaths:\n  /a:\n    get:\n      {get}\n      \
         x-amazon-apigateway-integration: {{ type: mock }}\n    x-amazon-apigateway-any-method:\n      \
         {any}\n      x-amazon-apigateway-integration: {{ type: mock }}\n\
         components:\n  securitySchemes:{SCHEMES}"
    );
    imported(&text).api
}

fn guard(method: &Method) -> (AuthorizationType, Option<&str>, Vec<&str>, bool) {
    let scopes = method.authorization_scopes.iter().map(String::as_str).collect();
    let authorizer = method.authorizer.as_deref();
    (method.authorization_type, authorizer, scopes, method.api_key_required)
}

#[test]
fn schemes_with_the_extension_become_authorizers() {
    let api = guarded("", "", "");
    let names: Vec<&str> = api.authorizers.keys().map(String::as_str).collect();
    assert_eq!(names, ["pool", "token", "request", "query"]);
    let place = "/components/securitySchemes/";
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        api.authorizers["token"],
        Authorizer {
            kind: AuthorizerType::Token,
            auth_type: some("oauth2"),
            authorizer_uri: some("arn:f"),
            authorizer_credentials: some("arn:r"),
            identity_source: some("method.request.header.Authorization"),
            identity_validation_expression: some("^x"),
            result_ttl_seconds: Some(60),
            pointer: format!("{place}token"),
            ..Authorizer::default()
        }
    );
    assert_eq!(
        api.authorizers["pool"],
        Authorizer {
            kind: AuthorizerType::CognitoUserPools,
            provider_arns: vec!["arn:aws:cognito-idp:us-east-1:1:userpool/p".to_owned()],
            auth_type: some("cognito_user_pools"),
            // The scheme's name, and no lifetime of its own.
            identity_source: some("method.request.header.Auth"),
            pointer: format!("{place}pool"),
            ..Authorizer::default()
        }
    );
    let request = &api.authorizers["request"];
    assert_eq!(request.auth_type.as_deref(), Some("custom"), "AWS always has one");
    // The extension's, not the scheme's.
    assert_eq!(request.identity_source.as_deref(), Some("method.request.header.A, context.B"));
    assert_eq!(request.result_ttl_seconds, Some(0));
    let query = &api.authorizers["query"];
    assert_eq!(query.identity_source.as_deref(), Some("method.request.querystring.q"));
    assert_eq!(query.result_ttl_seconds, Some(300), "what AWS fills in");
}

#[test]
fn a_jwt_authorizer_keeps_its_configuration() {
    let text = super::secured(
        "{ type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authorizer: { type: jwt, \
         jwtConfiguration: { issuers: [{ issuer: 'https://i' }] } } }",
    );
    let api = imported(&text).api;
    let authorizer = &api.authorizers["s"];
    assert_eq!((authorizer.kind, authorizer.auth_type.as_deref()), (AuthorizerType::Jwt, None));
    let configuration = serde_json::json!({ "issuers": [{ "issuer": "https://i" }] });
    assert_eq!(authorizer.jwt_configuration, Some(configuration));
}

#[test]
fn requirements_guard_a_method() {
    use AuthorizationType::{AwsIam, CognitoUserPools, Custom, None as Open};
    type Want = (AuthorizationType, Option<&'static str>, Vec<&'static str>, bool);
    let cases: [(&str, Want); 11] = [
        ("security: [{ key: [] }]", (Open, None, vec![], true)),
        ("security: [{ iam: [] }]", (AwsIam, None, vec![], false)),
        ("security: [{ token: [] }]", (Custom, Some("token"), vec![], false)),
        ("security: [{ token: [a] }]", (Custom, Some("token"), vec![], false)),
        (
            "security: [{ pool: [shop/read, a] }]",
            (CognitoUserPools, Some("pool"), vec!["shop/read", "a"], false),
        ),
        ("security: [{ pool: [] }]", (CognitoUserPools, Some("pool"), vec![], false)),
        ("security: [{ key: [], token: [] }]", (Custom, Some("token"), vec![], true)),
        ("security: [{ request: [] }, { key: [] }]", (Custom, Some("request"), vec![], true)),
        ("security: [{ basic: [] }]", (Open, None, vec![], false)),
        ("x-amazon-apigateway-auth: { type: AWS_IAM }", (AwsIam, None, vec![], false)),
        ("x-amazon-apigateway-auth: { type: NONE }", (Open, None, vec![], false)),
    ];
    for (keys, want) in cases {
        let api = guarded(keys, "", "");
        assert_eq!(guard(method_at(&api, "/a", MethodName::Get)), want, "{keys}");
    }
    // NONE opens nothing that is closed, AWS_IAM closes what another closes too.
    for (kind, want) in [("NONE", Custom), ("AWS_IAM", AwsIam)] {
        let keys = format!(
            "security: [{{ token: [] }}]\n      x-amazon-apigateway-auth: {{ type: {kind} }}"
        );
        let api = guarded(&keys, "", "");
        assert_eq!(method_at(&api, "/a", MethodName::Get).authorization_type, want);
    }
}

#[test]
fn the_documents_security_is_not_for_any_methods() {
    let shared = "security: [{ pool: [a] }]";
    let api = guarded("", "", shared);
    let get = (AuthorizationType::CognitoUserPools, Some("pool"), vec!["a"], false);
    assert_eq!(guard(method_at(&api, "/a", MethodName::Get)), get);
    let open = (AuthorizationType::None, None, vec![], false);
    assert_eq!(guard(method_at(&api, "/a", MethodName::Any)), open);
    // What a method says itself counts instead.
    let api = guarded("security: [{ pool: [b] }]", "security: [{ token: [] }]", shared);
    assert_eq!(method_at(&api, "/a", MethodName::Get).authorization_scopes, ["b"]);
    assert_eq!(method_at(&api, "/a", MethodName::Any).authorizer.as_deref(), Some("token"));
    let api = guarded("security: []", "", shared);
    assert_eq!(guard(method_at(&api, "/a", MethodName::Get)), open);
}

#[test]
fn aws_passes_over_schemes_it_does_not_know() {
    let text = super::secured("{ type: http, scheme: basic }");
    let import = imported(&text);
    let want = "Unsupported security definition type 'http' for 's'. Ignoring.";
    assert_eq!(import.aws_warnings(), [want]);
    assert_eq!(import.aws_refusal(false), None);
    let refusal = format!("Warnings found during import:\n\t{want}");
    assert_eq!(import.aws_refusal(true), Some(refusal));
}

#[test]
fn aws_refuses_a_method_without_the_authorizer_it_needs() {
    let scheme =
        "{ type: apiKey, name: A, in: header, x-amazon-apigateway-authtype: cognito_user_pools }";
    let import = imported(&super::secured(scheme));
    assert_eq!(import.api.authorizers.len(), 0);
    let want = "Errors found during import:\n\tUnable to put method 'GET' on resource at path '/a': \
                Invalid authorizer ID specified. Setting the authorization type to CUSTOM or \
                COGNITO_USER_POOLS requires a valid authorizer.";
    assert_eq!(import.aws_refusal(false).as_deref(), Some(want));
    // What AWS imports is refused only because it would not be enforced here.
    let scheme = "{ type: apiKey, name: A, in: header, x-amazon-apigateway-authtype: awsSigv4 }";
    let import = imported(&super::secured(scheme));
    assert!(!import.is_sound());
    assert_eq!(import.aws_refusal(true), None);
    // A key is enforced.
    let scheme = "{ type: apiKey, name: x-api-key, in: header }";
    let import = imported(&super::secured(scheme));
    assert!(import.is_sound());
    assert_eq!(import.aws_refusal(true), None);
}

#[test]
fn aws_refuses_an_authorizer_without_a_type() {
    for (extension, want) in [
        ("{ authorizerUri: a }", "Authorizer type must be specified"),
        ("{ type: lambda }", "'lambda' is no type"),
    ] {
        let scheme = format!(
            "{{ type: apiKey, name: A, in: header, x-amazon-apigateway-authorizer: {extension} }}"
        );
        let refusal = imported(&super::secured(&scheme)).aws_refusal(false).unwrap();
        assert!(refusal.contains(&format!("Unable to create authorizer 's': {want}")), "{refusal}");
    }
}
