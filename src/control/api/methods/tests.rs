use serde_json::{Value, json};

use super::super::testing::Plane;
use super::{Authorizer, RequestValidator};

/// An API with a resource `/test`: the API's URI and the resource's.
fn test_resource(plane: &mut Plane) -> (String, String) {
    let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
    let uri = format!("/restapis/{}", api["id"].as_str().unwrap());
    let root = api["rootResourceId"].as_str().unwrap();
    let made = plane.ok("POST", &format!("{uri}/resources/{root}"), json!({"pathPart": "test"}));
    let resource = format!("{uri}/resources/{}", made["id"].as_str().unwrap());
    (uri, resource)
}

/// Puts an authorizer `auth` and a validator `valid` into the store.
fn put_helpers(plane: &mut Plane, api: &str) {
    let api = api.rsplit('/').next().unwrap();
    let writing = plane.store().write().unwrap();
    writing
        .put(&[api, "auth"], &Authorizer { id: "auth".to_owned(), ..Default::default() })
        .unwrap();
    let validator = RequestValidator { id: "valid".to_owned(), ..Default::default() };
    writing.put(&[api, "valid"], &validator).unwrap();
    writing.commit().unwrap();
}

fn none() -> Value {
    json!({"authorizationType": "NONE"})
}

#[test]
fn a_method_is_answered_as_recorded() {
    let mut plane = Plane::new();
    let (_, resource) = test_resource(&mut plane);
    for (method, kind) in [("GET", "none"), ("POST", "None"), ("ANY", "NONE")] {
        let uri = format!("{resource}/methods/{method}");
        let want =
            json!({"httpMethod": method, "authorizationType": "NONE", "apiKeyRequired": false});
        let input = json!({"authorizationType": kind, "authorizationScopes": []});
        let made = plane.ok("PUT", &uri, input);
        assert_eq!(made, want);
        assert_eq!(plane.ok("GET", &uri, Value::Null), want);
        assert_eq!(plane.effects, Default::default());
    }
    let uri = format!("{resource}/methods/PUT");
    let parameters =
        json!({"method.request.querystring.q": true, "method.request.header.h": false});
    let made = plane.ok(
        "PUT",
        &uri,
        json!({
            "authorizationType": "AWS_IAM", "apiKeyRequired": true, "operationName": "op",
            "requestParameters": parameters, "requestModels": {"application/json": "Error"},
            "authorizationScopes": ["a"],
        }),
    );
    assert_eq!(
        made,
        json!({
            "httpMethod": "PUT", "authorizationType": "AWS_IAM", "apiKeyRequired": true,
            "operationName": "op", "requestParameters": parameters,
            "requestModels": {"application/json": "Error"}, "authorizationScopes": ["a"],
        })
    );
    assert_eq!(
        plane.effects.not_carried_out,
        [
            "Method PUT /test has authorizationType AWS_IAM, which is not carried out yet: it is closed, and answers 403.",
        ]
    );
    plane.ok("DELETE", &uri, Value::Null);
    assert_eq!(
        plane.refused("GET", &uri, Value::Null),
        "404 NotFoundException: Invalid Method identifier specified"
    );
}

#[test]
fn the_last_method_leaves_no_member() {
    let mut plane = Plane::new();
    let (_, resource) = test_resource(&mut plane);
    let uri = format!("{resource}/methods/GET");
    plane.ok("PUT", &uri, none());
    plane.ok("DELETE", &uri, Value::Null);
    assert_eq!(plane.ok("GET", &resource, Value::Null).get("resourceMethods"), None);
    assert_eq!(
        plane.refused("DELETE", &uri, Value::Null),
        "404 NotFoundException: Invalid Method identifier specified"
    );
}

#[test]
fn wrong_methods_are_refused() {
    let mut plane = Plane::new();
    let (api, resource) = test_resource(&mut plane);
    plane.ok("PUT", &format!("{resource}/methods/GET"), none());
    let http_methods = "400 BadRequestException: Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY";
    let authorizer = format!("400 BadRequestException: {}", super::NEEDS_AUTHORIZER);
    for (method, input, want) in [
        ("WRONG", json!({}), http_methods),
        ("get", json!({}), http_methods),
        ("GET", json!({}), "409 ConflictException: Method already exists for this resource"),
        ("PUT", json!({"authorizationType": "CUSTOM"}), &authorizer),
        ("PUT", json!({"authorizationType": "custom", "authorizerId": "nope"}), &authorizer),
        ("PUT", json!({"authorizationType": "COGNITO_USER_POOLS"}), &authorizer),
        (
            "PUT",
            json!({"authorizationType": "WRONG"}),
            "400 BadRequestException: Invalid Authorization Type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS",
        ),
        (
            "PUT",
            json!({"requestModels": {"application/json": "petModel"}}),
            "400 BadRequestException: Invalid model identifier specified: petModel",
        ),
        (
            "PUT",
            json!({"requestValidatorId": "nope"}),
            "400 BadRequestException: Invalid Request Validator identifier specified",
        ),
        (
            "PUT",
            json!({"requestParameters": {
                "method.request.querystring.optional": true, "method.request.header.optional": true,
            }}),
            "400 BadRequestException: Parameter names must be unique across querystring, header and path",
        ),
        (
            "PUT",
            json!({"requestParameters": {"true": true}}),
            "400 BadRequestException: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: true]",
        ),
    ] {
        let mut input = input;
        if input.get("authorizationType").is_none() {
            input["authorizationType"] = json!("NONE");
        }
        let uri = format!("{resource}/methods/{method}");
        assert_eq!(plane.refused("PUT", &uri, input), want);
    }
    for uri in [format!("{api}/resources/nope/methods/GET"), resource.replace(&api, "/restapis/x")]
    {
        let uri = if uri.contains("methods") { uri } else { format!("{uri}/methods/GET") };
        for method in ["GET", "DELETE"] {
            assert_eq!(
                plane.refused(method, &uri, Value::Null),
                "404 NotFoundException: Invalid Resource identifier specified"
            );
        }
        assert_eq!(
            plane.refused("PUT", &uri, none()),
            "404 NotFoundException: Invalid Resource identifier specified"
        );
    }
}

#[test]
fn patches_of_methods_do_what_was_recorded() {
    let mut plane = Plane::new();
    let (api, resource) = test_resource(&mut plane);
    put_helpers(&mut plane, &api);
    let uri = format!("{resource}/methods/GET");
    let models = json!({"application/json": "Empty"});
    plane.ok("PUT", &uri, json!({"authorizationType": "NONE", "requestModels": models}));
    for (op, path, value, member, want) in [
        (
            "replace",
            "/requestModels/application~1json",
            "Error",
            "requestModels",
            json!({"application/json": "Error"}),
        ),
        ("remove", "/requestModels/application~1json", "", "requestModels", Value::Null),
        ("add", "/requestModels/text~1csv", "Empty", "requestModels", json!({"text/csv": "Empty"})),
        (
            "add",
            "/requestParameters/method.request.header.X",
            "true",
            "requestParameters",
            json!({"method.request.header.X": true}),
        ),
        (
            "replace",
            "/requestParameters/method.request.header.X",
            "false",
            "requestParameters",
            json!({"method.request.header.X": false}),
        ),
        (
            "remove",
            "/requestParameters/method.request.header.X",
            "",
            "requestParameters",
            Value::Null,
        ),
        ("replace", "/apiKeyRequired", "true", "apiKeyRequired", json!(true)),
        ("replace", "/apiKeyRequired", "whatever", "apiKeyRequired", json!(false)),
        ("replace", "/authorizationType", "aws_iam", "authorizationType", json!("AWS_IAM")),
        ("replace", "/authorizerId", "auth", "authorizerId", json!("auth")),
        ("replace", "/authorizationType", "CUSTOM", "authorizationType", json!("CUSTOM")),
        ("replace", "/operationName", "op", "operationName", json!("op")),
        ("replace", "/requestValidatorId", "valid", "requestValidatorId", json!("valid")),
        ("replace", "/requestValidatorId", "", "requestValidatorId", Value::Null),
        ("add", "/authorizationScopes", "a", "authorizationScopes", json!(["a"])),
        ("add", "/authorizationScopes", "b", "authorizationScopes", json!(["a", "b"])),
        ("remove", "/authorizationScopes", "a", "authorizationScopes", json!(["b"])),
        ("remove", "/authorizationScopes", "b", "authorizationScopes", Value::Null),
    ] {
        let answer = plane.patch(&uri, op, path, value).unwrap();
        assert_eq!(answer.get(member).unwrap_or(&Value::Null), &want, "{op} {path} {value}");
    }
    let authorizer = format!("400 BadRequestException: {}", super::NEEDS_AUTHORIZER);
    let only_replace =
        "400 BadRequestException: Invalid patch operation specified. Must be one of: [replace]";
    for (op, path, value, want) in [
        (
            "replace",
            "/httpMethod",
            "POST",
            "400 BadRequestException: Invalid patch path /httpMethod",
        ),
        (
            "add",
            "/requestModels/application/json",
            "Error",
            "400 BadRequestException: Invalid patch path /requestModels/application/json",
        ),
        ("add", "/operationName", "x", only_replace),
        ("remove", "/authorizerId", "", only_replace),
        ("replace", "/authorizerId", "nope", &authorizer),
        ("replace", "/authorizerId", "", &authorizer),
        (
            "replace",
            "/requestModels/application~1json",
            "nope",
            "400 BadRequestException: Invalid model identifier specified: nope",
        ),
        (
            "replace",
            "/requestValidatorId",
            "nope",
            "400 BadRequestException: Invalid Request Validator identifier specified",
        ),
        (
            "remove",
            "/requestParameters/method.request.header.X",
            "",
            "404 NotFoundException: Invalid parameter name specified",
        ),
        (
            "remove",
            "/requestModels/application~1json",
            "",
            "404 NotFoundException: Content-Type specified was not found",
        ),
        (
            "add",
            "/requestParameters/true",
            "true",
            "400 BadRequestException: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: true]",
        ),
        (
            "test",
            "/requestModels/application~1json",
            "",
            "400 BadRequestException: Invalid patch operation specified. Must be one of: [add, remove, replace]",
        ),
    ] {
        let error = plane.patch(&uri, op, path, value).unwrap_err();
        assert_eq!(format!("{} {error}", error.status), want, "{op} {path} {value}");
    }
    // The authorizer and the type that needs it may come in one call, in any order.
    plane.patch(&uri, "replace", "/authorizationType", "NONE").unwrap();
    plane.patch(&uri, "replace", "/authorizerId", "").unwrap();
    let both = json!({"patchOperations": [
        {"op": "replace", "path": "/authorizationType", "value": "CUSTOM"},
        {"op": "replace", "path": "/authorizerId", "value": "auth"},
    ]});
    assert_eq!(plane.ok("PATCH", &uri, both)["authorizerId"], "auth");
}

#[test]
fn method_responses_are_answered_as_recorded() {
    let mut plane = Plane::new();
    let (_, resource) = test_resource(&mut plane);
    let method = format!("{resource}/methods/GET");
    plane.ok("PUT", &method, none());
    let uri = format!("{method}/responses/200");
    let empty = json!({"statusCode": "200", "responseModels": {}, "responseParameters": {}});
    let made = plane.ok("PUT", &uri, json!({"responseModels": {}, "responseParameters": {}}));
    assert_eq!(made, empty);
    let uri_404 = format!("{method}/responses/404");
    assert_eq!(plane.ok("PUT", &uri_404, Value::Null), json!({"statusCode": "404"}));
    assert_eq!(plane.ok("GET", &uri, Value::Null), empty);
    assert_eq!(
        plane.ok("GET", &method, Value::Null)["methodResponses"],
        json!({"200": empty, "404": {"statusCode": "404"}})
    );
    assert_eq!(
        plane.refused("PUT", &uri, Value::Null),
        "409 ConflictException: Response already exists for this resource"
    );
    plane.ok("DELETE", &uri_404, Value::Null);
    for method in ["GET", "DELETE"] {
        assert_eq!(
            plane.refused(method, &uri_404, Value::Null),
            "404 NotFoundException: Invalid Response status code specified"
        );
    }
    plane.ok("DELETE", &uri, Value::Null);
    assert_eq!(plane.ok("GET", &method, Value::Null).get("methodResponses"), None);
}

#[test]
fn patches_of_method_responses_do_what_was_recorded() {
    let mut plane = Plane::new();
    let (_, resource) = test_resource(&mut plane);
    let method = format!("{resource}/methods/GET");
    plane.ok("PUT", &method, none());
    let uri = format!("{method}/responses/200");
    plane.ok("PUT", &uri, Value::Null);
    let mut patch = |op: &str, path: &str, value: &str| match plane.patch(&uri, op, path, value) {
        Ok(response) => response,
        Err(error) => Value::from(format!("{} {error}", error.status)),
    };
    let header = "/responseParameters/method.response.header.my-header";
    assert_eq!(
        patch("add", header, "true"),
        json!({
            "statusCode": "200", "responseParameters": {"method.response.header.my-header": true}
        })
    );
    assert_eq!(
        patch("add", "/responseModels/application~1json", "Empty")["responseModels"],
        json!({"application/json": "Empty"})
    );
    assert_eq!(patch("remove", header, "").get("responseParameters"), None);
    assert_eq!(
        patch("remove", "/responseModels/application~1json", ""),
        json!({"statusCode": "200"})
    );
    for (op, path, value, want) in [
        ("remove", header, "", "404 NotFoundException: Invalid parameter name specified"),
        (
            "remove",
            "/responseModels/application~1json",
            "",
            "404 NotFoundException: Content-Type specified was not found",
        ),
        (
            "remove",
            "/wrong/method.response.header.my-header",
            "",
            "400 BadRequestException: Invalid patch path /wrong/method.response.header.my-header",
        ),
        (
            "replace",
            "/statusCode",
            "404",
            "400 BadRequestException: Invalid patch path /statusCode",
        ),
        (
            "add",
            "/responseModels/application~1json",
            "nope",
            "400 BadRequestException: Invalid model identifier specified: nope",
        ),
        (
            "add",
            "/responseParameters/my-header",
            "true",
            "400 BadRequestException: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: my-header]",
        ),
    ] {
        assert_eq!(patch(op, path, value), want);
    }
}

#[test]
fn what_is_missing_is_told_from_the_resource_down() {
    let mut plane = Plane::new();
    let (api, resource) = test_resource(&mut plane);
    plane.ok("PUT", &format!("{resource}/methods/GET"), none());
    for (uri, want) in [
        (format!("{api}/resources/nope/methods/GET/responses/200"), "Resource identifier"),
        (format!("{resource}/methods/POST/responses/200"), "Method identifier"),
        (format!("{resource}/methods/GET/responses/200"), "Response status code"),
    ] {
        for method in ["GET", "DELETE", "PATCH"] {
            assert_eq!(
                plane.refused(method, &uri, json!({})),
                format!("404 NotFoundException: Invalid {want} specified")
            );
        }
    }
}

#[test]
fn many_patches_of_one_call_are_carried_out() {
    let mut plane = Plane::new();
    let (_, resource) = test_resource(&mut plane);
    let uri = format!("{resource}/methods/GET");
    plane.ok("PUT", &uri, none());
    let patches: Vec<_> = (0..10_000)
        .map(|n| {
            let path = format!("/requestParameters/method.request.header.X{n}");
            json!({"op": "add", "path": path, "value": "true"})
        })
        .collect();
    let answer = plane.ok("PATCH", &uri, json!({"patchOperations": patches}));
    assert_eq!(answer["requestParameters"].as_object().unwrap().len(), 10_000);
}
