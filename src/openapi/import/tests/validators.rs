//! Which validator a method has.

use super::{imported, method_at};
use crate::model::{MethodName, RestApi};

fn api(root: &str, own: &str) -> (RestApi, Option<String>) {
    let text = format!(
        "openapi: 3.0.1\ninfo: {{ title: T }}\n{root}\npaths:\n  /a:\n    get:\n      {own}\n      \
         x-amazon-apigateway-integration: {{ type: mock }}\n"
    );
    let import = imported(&text);
    let refusal = import.aws_refusal(false);
    (import.api, refusal)
}

const VALIDATORS: &str = "x-amazon-apigateway-request-validators:
  all: { validateRequestBody: true, validateRequestParameters: true }
  'params only': { validateRequestParameters: 'true' }
  none: {}";

#[test]
fn validators_are_named() {
    let (api, refusal) = api(VALIDATORS, "");
    assert_eq!(refusal, None);
    let found: Vec<(&str, bool, bool)> = api
        .request_validators
        .iter()
        .map(|(name, it)| (&**name, it.validate_request_body, it.validate_request_parameters))
        .collect();
    assert_eq!(found, [("all", true, true), ("params only", false, true), ("none", false, false)]);
    let pointer = "/x-amazon-apigateway-request-validators/params only";
    assert_eq!(api.request_validators["params only"].pointer, pointer);
}

#[test]
fn a_method_has_its_own_validator_or_the_documents() {
    let key = "x-amazon-apigateway-request-validator";
    for (root, own, want) in [
        ("", "", None),
        ("all", "", Some("all")),
        ("", "none", Some("none")),
        ("all", "params only", Some("params only")),
    ] {
        let said = |name: &str| match name {
            "" => String::new(),
            name => format!("{key}: {name}"),
        };
        let (api, refusal) = api(&format!("{VALIDATORS}\n{}", said(root)), &said(own));
        assert_eq!(refusal, None);
        assert_eq!(method_at(&api, "/a", MethodName::Get).request_validator.as_deref(), want);
    }
}

#[test]
fn aws_refuses_a_validator_that_there_is_not() {
    let (api, refusal) = api(VALIDATORS, "x-amazon-apigateway-request-validator: some");
    assert_eq!(method_at(&api, "/a", MethodName::Get).request_validator, None);
    let want = "Errors found during import:\n\tUnable to put method 'GET' on resource at path '/a': \
                Invalid Request Validator identifier specified";
    assert_eq!(refusal.as_deref(), Some(want));
}
