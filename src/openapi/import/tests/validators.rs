//! Which validator a method has.

use super::{imported, method_at, operation, root, said};
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

#[test]
fn what_is_wrong_with_a_validator_is_said() {
    said(&[
        (
            root(
                r"x-amazon-apigateway-request-validators: { all: { validateRequestBody: true } }
x-amazon-apigateway-request-validator: all
x-amazon-apigateway-api-key-source: header",
            ),
            &[],
        ),
        (root("x-amazon-apigateway-request-validators: {}"), &[]),
        (
            root(
                r"x-amazon-apigateway-request-validators:
  a: { validateRequestBody: maybe, validateRequestParameters: null, validateRequestParams: true }
  b: [body]",
            ),
            &[
                "5 error /x-amazon-apigateway-request-validators/a/validateRequestBody: \
                 'validateRequestBody' is a string (maybe), but has to be true or false | write \
                 true or false",
                "5 warning /x-amazon-apigateway-request-validators/a/validateRequestParameters: \
                 'validateRequestParameters' is null and counts as not there | remove the key, or \
                 give it a value",
                "5 warning /x-amazon-apigateway-request-validators/a/validateRequestParams: a \
                 request validator has no key 'validateRequestParams' | did you mean \
                 'validateRequestParameters'?",
                "6 error /x-amazon-apigateway-request-validators/b: 'b' is a list, but has to be \
                 an object | write an object",
            ],
        ),
        (
            operation("x-amazon-apigateway-request-validator: all"),
            &["7 error @/x-amazon-apigateway-request-validator: there is no request validator \
                 'all' | define it in x-amazon-apigateway-request-validators"],
        ),
        (
            root("x-amazon-apigateway-api-key-source: QUERY"),
            &["4 error /x-amazon-apigateway-api-key-source: 'QUERY' is no \
                 x-amazon-apigateway-api-key-source | write one of HEADER, AUTHORIZER"],
        ),
    ]);
}
