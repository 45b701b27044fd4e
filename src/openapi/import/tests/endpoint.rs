//! The API's endpoint, policy and key source.

use serde_json::json;

use super::{imported, root};
use crate::model::{
    ApiKeySource, EndpointAccessMode, EndpointConfiguration, EndpointType, IpAddressType,
};
use crate::openapi::{Document, ImportOptions, import_with};

#[test]
fn extensions_of_the_root_describe_the_endpoint() {
    let api = imported(&root(
        "x-amazon-apigateway-api-key-source: AUTHORIZER
x-amazon-apigateway-security-policy: TLS_1_2
x-amazon-apigateway-endpoint-access-mode: strict
servers: [{ url: /, x-amazon-apigateway-endpoint-configuration: { disableExecuteApiEndpoint: true,
  vpcEndpointIds: [vpce-1, vpce-2], types: [PRIVATE], ipAddressType: dualstack } }]",
    ))
    .api;
    assert_eq!(api.api_key_source, ApiKeySource::Authorizer);
    assert_eq!(api.security_policy.as_deref(), Some("TLS_1_2"));
    assert_eq!(api.endpoint_access_mode, Some(EndpointAccessMode::Strict));
    assert!(api.disable_execute_api_endpoint);
    let want = EndpointConfiguration {
        types: vec![EndpointType::Private],
        ip_address_type: Some(IpAddressType::Dualstack),
        vpc_endpoint_ids: vec!["vpce-1".to_owned(), "vpce-2".to_owned()],
    };
    assert_eq!(api.endpoint_configuration, want);
    let swagger =
        root("x-amazon-apigateway-endpoint-configuration: { disableExecuteApiEndpoint: true }")
            .replacen("openapi: 3.0.1", "swagger: '2.0'", 1);
    assert!(imported(&swagger).api.disable_execute_api_endpoint);
    let plain = imported(&root("")).api;
    assert_eq!((plain.api_key_source, plain.policy), (ApiKeySource::Header, None));
    assert_eq!(plain.endpoint_configuration, EndpointConfiguration::default());
}

#[test]
fn aws_takes_the_first_server_only_and_warns() {
    let configuration = "x-amazon-apigateway-endpoint-configuration: { vpcEndpointIds: [a] }";
    let import =
        imported(&root(&format!("servers: [{{ url: / }}, {{ url: /b, {configuration} }}]")));
    assert_eq!(import.api.endpoint_configuration, EndpointConfiguration::default());
    assert_eq!(
        import.aws_warnings(),
        [
            "More than one server provided. Ignoring all but the first for defining endpoint configuration"
        ]
    );
}

#[test]
fn a_policy_gets_whole_arns() {
    let text = root(
        "x-amazon-apigateway-policy:
  Version: '2012-10-17'
  Statement:
    - { Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: ['execute-api:/*'] }
    - { Effect: Deny, Resource: ['execute-api:/dev/GET/a', 'arn:aws:execute-api:${AWS::Region}:1:b/*'] }
    - { Effect: Deny, Resource: 'execute-api:/b', NotResource: 'execute-api:/c' }",
    );
    let policy = imported(&text).api.policy;
    let arn = "arn:aws:execute-api:us-east-1:123456789012:{restapi_id}";
    assert_eq!(
        policy,
        Some(json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
              "Resource": format!("{arn}/*") },
            { "Effect": "Deny",
              "Resource": [format!("{arn}/dev/GET/a"), "arn:aws:execute-api:us-east-1:1:b/*"] },
            { "Effect": "Deny", "Resource": format!("{arn}/b"), "NotResource": format!("{arn}/c") },
        ] }))
    );
    let options = ImportOptions {
        region: "eu-central-1".to_owned(),
        account_id: "1".to_owned(),
        ..ImportOptions::default()
    };
    let mut api = import_with(&Document::parse(&text).unwrap(), &options).api;
    api.set_id("a1b2c3d4e5");
    let first = &api.policy.unwrap()["Statement"][0]["Resource"];
    assert_eq!(first, "arn:aws:execute-api:eu-central-1:1:a1b2c3d4e5/*");
}

#[test]
fn a_policy_may_be_text_but_has_to_be_an_object() {
    let text =
        root(r#"x-amazon-apigateway-policy: '{"Statement": {"Resource": "execute-api:/*"}}'"#);
    let policy = imported(&text).api.policy.unwrap();
    let arn = "arn:aws:execute-api:us-east-1:123456789012:{restapi_id}/*";
    assert_eq!(policy, json!({ "Statement": { "Resource": arn } }));
    for wrong in ["'no'", "[]", "7", "'[1]'"] {
        let import = imported(&root(&format!("x-amazon-apigateway-policy: {wrong}")));
        assert_eq!(import.api.policy, None);
        assert!(import.aws_refusal(false).unwrap().contains("Invalid policy document"), "{wrong}");
    }
}

#[test]
fn aws_refuses_values_that_there_are_not() {
    let endpoint = "x-amazon-apigateway-endpoint-configuration";
    for (keys, want) in [
        (format!("{endpoint}: {{ types: [GLOBAL] }}"), "Invalid EndpointTypes specified."),
        (format!("{endpoint}: {{ ipAddressType: ipv6 }}"), "ipAddressType must be either ipv4"),
        (
            format!("{endpoint}: {{ disableExecuteApiEndpoint: no }}"),
            "'disableExecuteApiEndpoint' is",
        ),
        (format!("{endpoint}: []"), "is a list, but has to be an object"),
        ("x-amazon-apigateway-api-key-source: QUERY".to_owned(), "'QUERY' is no x-amazon"),
        ("x-amazon-apigateway-endpoint-access-mode: 7".to_owned(), "'7' is no x-amazon"),
    ] {
        let refusal = imported(&root(&keys)).aws_refusal(false).unwrap_or_default();
        assert!(refusal.contains(want), "{keys}: {refusal}");
    }
}
