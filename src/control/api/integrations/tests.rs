use serde_json::{Value, json};

use super::super::testing::Plane;

const LAMBDA: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations";
const SQS: &str = "arn:aws:apigateway:us-east-1:sqs:path/123456789012/queue";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const MAPPING: &str = "400 BadRequestException: Invalid mapping expression specified: Validation Result: warnings : [], errors : ";

/// An API with `GET /test`, which declares a few parameters: the resource's URI and the method's.
fn test_method(plane: &mut Plane) -> (String, String) {
    let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
    let (id, root) = (api["id"].as_str().unwrap(), api["rootResourceId"].as_str().unwrap());
    let uri = format!("/restapis/{id}/resources");
    let made = plane.ok("POST", &format!("{uri}/{root}"), json!({"pathPart": "test"}));
    let resource = format!("{uri}/{}", made["id"].as_str().unwrap());
    let method = format!("{resource}/methods/GET");
    let input = json!({
        "authorizationType": "NONE",
        "requestParameters": {
            "method.request.header.H": true, "method.request.querystring.q": false,
            "method.request.path.p": true,
        },
    });
    plane.ok("PUT", &method, input);
    let parameters = json!({"method.response.header.X": false});
    plane.ok("PUT", &format!("{method}/responses/200"), json!({"responseParameters": parameters}));
    (resource, method)
}

/// The resource's id, which is what a cache namespace is by default.
fn id_of(resource: &str) -> &str {
    resource.rsplit('/').next().unwrap()
}

#[test]
fn integrations_get_awss_defaults() {
    let mut plane = Plane::new();
    let (resource, method) = test_method(&mut plane);
    let uri = format!("{method}/integration");
    for (input, more) in [
        (json!({"type": "MOCK"}), json!({})),
        (json!({"type": "MOCK", "httpMethod": "POST"}), json!({})),
        (
            json!({"type": "HTTP", "httpMethod": "GET", "uri": "http://host/status"}),
            json!({"httpMethod": "GET", "uri": "http://host/status", "connectionType": "INTERNET"}),
        ),
        (
            json!({"type": "HTTP_PROXY", "httpMethod": "ANY", "uri": "https://${stageVariables.h}"}),
            json!({
                "httpMethod": "ANY", "uri": "https://${stageVariables.h}",
                "connectionType": "INTERNET",
            }),
        ),
        (
            json!({"type": "AWS", "httpMethod": "POST", "uri": LAMBDA}),
            json!({"httpMethod": "POST", "uri": LAMBDA}),
        ),
        (
            json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": LAMBDA}),
            json!({"httpMethod": "POST", "uri": LAMBDA}),
        ),
        (
            json!({
                "type": "AWS", "httpMethod": "POST", "uri": SQS, "credentials": ROLE,
                "requestParameters": {
                    "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'",
                    "integration.request.header.contextHeader": "context.resourceId",
                    "integration.request.querystring.q": "method.request.multivaluequerystring.q",
                },
                "requestTemplates": {"application/json": "Action=SendMessage", "text/plain": ""},
                "passthroughBehavior": "NEVER", "contentHandling": "CONVERT_TO_TEXT",
                "timeoutInMillis": 50, "cacheNamespace": "ns",
                "cacheKeyParameters": ["method.request.querystring.q"],
            }),
            json!({
                "httpMethod": "POST", "uri": SQS, "credentials": ROLE,
                "requestParameters": {
                    "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'",
                    "integration.request.header.contextHeader": "context.resourceId",
                    "integration.request.querystring.q": "method.request.multivaluequerystring.q",
                },
                "requestTemplates": {"application/json": "Action=SendMessage", "text/plain": null},
                "passthroughBehavior": "NEVER", "contentHandling": "CONVERT_TO_TEXT",
                "timeoutInMillis": 50, "cacheNamespace": "ns",
                "cacheKeyParameters": ["method.request.querystring.q"],
            }),
        ),
        (
            json!({
                "type": "AWS_PROXY", "httpMethod": "POST", "uri": LAMBDA,
                "responseTransferMode": "STREAM", "timeoutInMillis": "900000",
            }),
            json!({
                "httpMethod": "POST", "uri": LAMBDA, "responseTransferMode": "STREAM",
                "timeoutInMillis": 900_000,
            }),
        ),
    ] {
        let mut want = json!({
            "type": input["type"], "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29_000,
            "cacheNamespace": id_of(&resource), "cacheKeyParameters": [],
        });
        for (name, value) in more.as_object().unwrap() {
            want[name] = value.clone();
        }
        assert_eq!(plane.ok("PUT", &uri, input), want);
        assert_eq!(plane.ok("GET", &uri, Value::Null), want);
        assert_eq!(plane.ok("GET", &method, Value::Null)["methodIntegration"], want);
    }
}

#[test]
fn what_is_not_carried_out_is_told() {
    let mut plane = Plane::new();
    let (_, method) = test_method(&mut plane);
    let input = json!({
        "type": "AWS_PROXY", "httpMethod": "POST", "uri": LAMBDA, "credentials": ROLE,
        "connectionType": "VPC_LINK", "connectionId": "x", "responseTransferMode": "STREAM",
        "cacheKeyParameters": ["method.request.path.p"],
    });
    plane.ok("PUT", &format!("{method}/integration"), input);
    assert_eq!(
        plane.effects.not_carried_out,
        [
            "Integration of GET /test has type AWS_PROXY: AWS services are not called yet.",
            "Integration of GET /test has connectionType VPC_LINK: VPC links are not used yet.",
            "Integration of GET /test has cacheKeyParameters: answers are not cached yet.",
            "Integration of GET /test has credentials: requests are not signed yet.",
            "Integration of GET /test has responseTransferMode STREAM: the mode is stored only.",
        ]
    );
}

#[test]
fn wrong_integrations_are_refused() {
    let mut plane = Plane::new();
    let (_, method) = test_method(&mut plane);
    let uri = format!("{method}/integration");
    let http = "Invalid HTTP endpoint specified for URI";
    let arn = "Invalid ARN specified in the request";
    let timeout = "Timeout should be between 50 ms and 29000 ms";
    let no_method = "Enumeration value for HttpMethod must be non-empty";
    let role = "Role ARN must be specified for AWS integrations";
    let proxy = "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.";
    for (input, want) in [
        (json!({"type": "HTTP", "uri": "http://x"}), no_method),
        (json!({"type": "AWS_PROXY", "httpMethod": "", "uri": LAMBDA}), no_method),
        (
            json!({"type": "HTTP", "httpMethod": "BREW", "uri": "http://x"}),
            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
        ),
        (json!({"type": "HTTP", "httpMethod": "GET"}), http),
        (json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "example.com"}), http),
        (json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "ftp://example.com"}), http),
        (json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http:///x"}), http),
        (json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "${stageVariables.url}"}), http),
        (json!({"type": "AWS", "httpMethod": "GET"}), arn),
        (json!({"type": "AWS", "httpMethod": "GET", "uri": "http://x"}), arn),
        (json!({"type": "AWS", "httpMethod": "GET", "uri": "arn:aws:lambda:us-east-1:1:x"}), arn),
        (
            json!({"type": "AWS", "httpMethod": "GET", "uri": "arn:aws:apigateway:us-east-1:s3:bucket"}),
            "AWS ARN for integration must contain path or action",
        ),
        (
            json!({
                "type": "AWS_PROXY", "httpMethod": "POST",
                "uri": "arn:aws:apigateway:us-east-1:dynamodb:action/Query",
            }),
            proxy,
        ),
        (json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": SQS}), proxy),
        (json!({"type": "AWS", "httpMethod": "POST", "uri": SQS}), role),
        (json!({"type": "AWS", "httpMethod": "POST", "uri": SQS, "credentials": "role"}), arn),
        (json!({"type": "MOCK", "timeoutInMillis": 49}), timeout),
        (json!({"type": "MOCK", "timeoutInMillis": 29_001}), timeout),
        (json!({"type": "MOCK", "timeoutInMillis": -1}), timeout),
        (json!({"type": "MOCK", "timeoutInMillis": 1e300}), timeout),
        (
            json!({"type": "MOCK", "timeoutInMillis": 900_001, "responseTransferMode": "STREAM"}),
            "Timeout should be between 50 ms and 900000 ms",
        ),
        (
            json!({"type": "MOCK", "passthroughBehavior": "SOMETIMES"}),
            "Invalid PassthroughBehavior specified. Valid options are WHEN_NO_MATCH,WHEN_NO_TEMPLATES,NEVER",
        ),
        (
            json!({"type": "MOCK", "requestTemplates": {"123": "{}"}}),
            "Validation Result: warnings : [], errors : [Invalid content type specified: 123]",
        ),
    ] {
        assert_eq!(
            plane.refused("PUT", &uri, input.clone()),
            format!("400 BadRequestException: {want}"),
            "{input}"
        );
    }
    for (parameters, want) in [
        (
            json!({"integration.request.header.X": "true"}),
            "[Invalid mapping expression specified: true]",
        ),
        (json!({"true": "'x'"}), "[Invalid mapping expression specified: true]"),
        (
            json!({"integration.request.path.x": "method.request.path.nope"}),
            "[Invalid mapping expression parameter specified: method.request.path.nope]",
        ),
        (
            json!({"integration.request.path.x": "method.request.querystring.Q"}),
            "[Invalid mapping expression parameter specified: method.request.querystring.Q]",
        ),
    ] {
        let input = json!({
            "type": "HTTP", "httpMethod": "GET", "uri": "http://x", "requestParameters": parameters,
        });
        assert_eq!(plane.refused("PUT", &uri, input), format!("{MAPPING}{want}"));
    }
    let input = json!({"type": "MOCK", "cacheKeyParameters": ["q"]});
    assert_eq!(
        plane.refused("PUT", &uri, input),
        format!("{MAPPING}[Invalid mapping expression specified: q]")
    );
    let other = "arn:aws:iam::999999999999:role/r";
    let input = json!({"type": "AWS", "httpMethod": "POST", "uri": SQS, "credentials": other});
    assert_eq!(
        plane.refused("PUT", &uri, input),
        "403 AccessDeniedException: Cross-account pass role is not allowed."
    );
    let input = json!({
        "type": "AWS", "httpMethod": "POST", "uri": SQS, "credentials": "arn:aws:iam::*:user/*",
    });
    plane.ok("PUT", &uri, input);
    // Names of headers have no case, and a mock reads nothing.
    for input in [
        json!({
            "type": "HTTP", "httpMethod": "GET", "uri": "HTTPS://x",
            "requestParameters": {"integration.request.header.A": "method.request.header.h"},
        }),
        json!({
            "type": "MOCK",
            "requestParameters": {"integration.request.header.A": "method.request.header.nope"},
        }),
    ] {
        plane.ok("PUT", &uri, input);
    }
}

#[test]
fn patches_of_integrations_are_carried_out() {
    let mut plane = Plane::new();
    let (_, method) = test_method(&mut plane);
    let uri = format!("{method}/integration");
    plane.ok("PUT", &uri, json!({"type": "HTTP", "httpMethod": "GET", "uri": "http://x"}));
    for (op, path, value, member, want) in [
        (
            "add",
            "/requestTemplates/application~1json",
            "{}",
            "requestTemplates",
            json!({"application/json": "{}"}),
        ),
        (
            "add",
            "/requestParameters/integration.request.header.Accept",
            "'application/xml'",
            "requestParameters",
            json!({"integration.request.header.Accept": "'application/xml'"}),
        ),
        ("remove", "/requestTemplates/application~1json", "", "requestTemplates", Value::Null),
        (
            "remove",
            "/requestParameters/integration.request.header.Accept",
            "",
            "requestParameters",
            Value::Null,
        ),
        (
            "add",
            "/cacheKeyParameters/method.request.path.p",
            "",
            "cacheKeyParameters",
            json!(["method.request.path.p"]),
        ),
        (
            "remove",
            "/cacheKeyParameters/method.request.path.p",
            "",
            "cacheKeyParameters",
            json!([]),
        ),
        ("replace", "/cacheNamespace", "ns", "cacheNamespace", json!("ns")),
        ("replace", "/connectionType", "VPC_LINK", "connectionType", json!("VPC_LINK")),
        ("replace", "/connectionId", "abc", "connectionId", json!("abc")),
        (
            "replace",
            "/contentHandling",
            "CONVERT_TO_TEXT",
            "contentHandling",
            json!("CONVERT_TO_TEXT"),
        ),
        ("replace", "/contentHandling", "", "contentHandling", Value::Null),
        ("replace", "/credentials", ROLE, "credentials", json!(ROLE)),
        ("replace", "/httpMethod", "POST", "httpMethod", json!("POST")),
        ("replace", "/passthroughBehavior", "NEVER", "passthroughBehavior", json!("NEVER")),
        ("replace", "/timeoutInMillis", "50", "timeoutInMillis", json!(50)),
        ("replace", "/uri", "https://y/{p}", "uri", json!("https://y/{p}")),
        (
            "replace",
            "/tlsConfig/insecureSkipVerification",
            "true",
            "tlsConfig",
            json!({"insecureSkipVerification": true}),
        ),
        ("replace", "/responseTransferMode", "STREAM", "responseTransferMode", json!("STREAM")),
        ("replace", "/integrationTarget", "arn:x", "integrationTarget", json!("arn:x")),
    ] {
        let answer = plane.patch(&uri, op, path, value).unwrap();
        assert_eq!(answer.get(member).unwrap_or(&Value::Null), &want, "{op} {path} {value}");
    }
    let only_replace =
        "400 BadRequestException: Invalid patch operation specified. Must be one of: [replace]";
    plane.patch(&uri, "replace", "/responseTransferMode", "BUFFERED").unwrap();
    for (op, path, value, want) in [
        ("add", "/uri", "http://x", only_replace),
        ("remove", "/credentials", "", only_replace),
        ("replace", "/type", "MOCK", "400 BadRequestException: Invalid patch path /type"),
        ("replace", "/", "", "400 BadRequestException: Invalid patch path /"),
        (
            "replace",
            "/uri",
            "nope",
            "400 BadRequestException: Invalid HTTP endpoint specified for URI",
        ),
        (
            "replace",
            "/timeoutInMillis",
            "soon",
            "400 BadRequestException: Timeout should be between 50 ms and 29000 ms",
        ),
        (
            "replace",
            "/httpMethod",
            "",
            "400 BadRequestException: Enumeration value for HttpMethod must be non-empty",
        ),
        (
            "replace",
            "/contentHandling",
            "CONVERT",
            "400 BadRequestException: Invalid ContentHandling specified. Valid options are CONVERT_TO_BINARY,CONVERT_TO_TEXT",
        ),
        (
            "remove",
            "/requestParameters/integration.request.header.Accept",
            "",
            "404 NotFoundException: Invalid parameter name specified",
        ),
        (
            "remove",
            "/requestTemplates/application~1json",
            "",
            "404 NotFoundException: Content-Type specified was not found",
        ),
        (
            "remove",
            "/cacheKeyParameters/method.request.path.p",
            "",
            "404 NotFoundException: Invalid parameter name specified",
        ),
    ] {
        let error = plane.patch(&uri, op, path, value).unwrap_err();
        assert_eq!(format!("{} {error}", error.status), want, "{op} {path} {value}");
    }
    let parameter = "/requestParameters/integration.request.header.Accept";
    let error = plane.patch(&uri, "add", parameter, "method.request.header.nope").unwrap_err();
    assert_eq!(
        format!("400 {error}"),
        format!(
            "{MAPPING}[Invalid mapping expression parameter specified: method.request.header.nope]"
        )
    );
}

#[test]
fn integration_responses_are_answered_as_recorded() {
    let mut plane = Plane::new();
    let (_, method) = test_method(&mut plane);
    plane.ok("PUT", &format!("{method}/integration"), json!({"type": "MOCK"}));
    let uri = format!("{method}/integration/responses/200");
    for (input, more) in [
        (json!({}), json!({})),
        (json!({"selectionPattern": ""}), json!({"selectionPattern": ""})),
        (json!({"responseTemplates": {}}), json!({"responseTemplates": {}})),
        (
            json!({"responseTemplates": {"application/json": ""}}),
            json!({"responseTemplates": {"application/json": null}}),
        ),
        (
            json!({"contentHandling": "CONVERT_TO_BINARY", "selectionPattern": "foobar"}),
            json!({"contentHandling": "CONVERT_TO_BINARY", "selectionPattern": "foobar"}),
        ),
        (
            json!({"responseParameters": {"method.response.header.X": "integration.response.header.ETag"}}),
            json!({"responseParameters": {"method.response.header.X": "integration.response.header.ETag"}}),
        ),
    ] {
        let mut want = more;
        want["statusCode"] = json!("200");
        // Putting over what is there replaces it whole.
        assert_eq!(plane.ok("PUT", &uri, input), want);
        assert_eq!(plane.ok("GET", &uri, Value::Null), want);
        assert_eq!(
            plane.ok("GET", &method, Value::Null)["methodIntegration"]["integrationResponses"],
            json!({"200": want})
        );
    }
    // Nothing declares 504.
    let uri_504 = format!("{method}/integration/responses/504");
    plane.ok("PUT", &uri_504, json!({"selectionPattern": "5\\d{2}"}));
    for (input, want) in [
        (
            json!({"responseParameters": {"method.response.header.Y": "'y'"}}),
            format!("{MAPPING}[Invalid mapping expression parameter specified: method.response.header.Y]"),
        ),
        (
            json!({"responseParameters": {"method.response.header.X": "y"}}),
            format!("{MAPPING}[Invalid mapping expression specified: y]"),
        ),
        (
            json!({"responseTemplates": {"123": ""}}),
            "400 BadRequestException: Validation Result: warnings : [], errors : [Invalid content type specified: 123]".to_owned(),
        ),
    ] {
        assert_eq!(plane.refused("PUT", &uri, input), want);
    }
    plane.ok("DELETE", &uri_504, Value::Null);
    plane.ok("DELETE", &uri, Value::Null);
    let integration = plane.ok("GET", &format!("{method}/integration"), Value::Null);
    assert_eq!(integration.get("integrationResponses"), None);
}

#[test]
fn patches_of_integration_responses_do_what_was_recorded() {
    let mut plane = Plane::new();
    let (_, method) = test_method(&mut plane);
    plane.ok("PUT", &format!("{method}/integration"), json!({"type": "MOCK"}));
    let uri = format!("{method}/integration/responses/200");
    plane.ok("PUT", &uri, json!({"responseTemplates": {"application/json": "a"}}));
    let mut patch = |op: &str, path: &str, value: &str| match plane.patch(&uri, op, path, value) {
        Ok(response) => response,
        Err(error) => Value::from(format!("{} {error}", error.status)),
    };
    let template = "/responseTemplates/application~1json";
    assert_eq!(
        patch("replace", "/selectionPattern", "2\\d{2}"),
        json!({
            "statusCode": "200", "selectionPattern": "2\\d{2}",
            "responseTemplates": {"application/json": "a"},
        })
    );
    assert_eq!(patch("replace", template, "b")["responseTemplates"]["application/json"], "b");
    assert_eq!(patch("remove", template, "useless").get("responseTemplates"), None);
    assert_eq!(
        patch("replace", "/contentHandling", "CONVERT_TO_TEXT")["contentHandling"],
        "CONVERT_TO_TEXT"
    );
    let parameter = "/responseParameters/method.response.header.X";
    assert_eq!(
        patch("add", parameter, "'x'")["responseParameters"],
        json!({"method.response.header.X": "'x'"})
    );
    assert_eq!(patch("remove", parameter, "").get("responseParameters"), None);
    for (op, path, value, want) in [
        ("remove", template, "", "404 NotFoundException: Content-Type specified was not found"),
        ("remove", parameter, "", "404 NotFoundException: Invalid parameter name specified"),
        ("replace", "/statusCode", "1", "400 BadRequestException: Invalid patch path /statusCode"),
        (
            "add",
            "/selectionPattern",
            "",
            "400 BadRequestException: Invalid patch operation specified. Must be one of: [replace]",
        ),
    ] {
        assert_eq!(patch(op, path, value), want);
    }
}

#[test]
fn what_is_missing_is_told_from_the_resource_down() {
    let mut plane = Plane::new();
    let (resource, method) = test_method(&mut plane);
    let wrong_resource = method.replace(id_of(&resource), "nope");
    let api = resource.split('/').nth(2).unwrap();
    let wrong_api = method.replace(api, "api_id");
    let wrong_method = method.replace("/GET", "/WRONG");
    plane.ok("PUT", &format!("{resource}/methods/POST"), json!({"authorizationType": "NONE"}));
    let bare = method.replace("/GET", "/POST");
    plane.ok("PUT", &format!("{method}/integration"), json!({"type": "MOCK"}));
    for (base, call, want) in [
        (&wrong_resource, "GET PUT PATCH DELETE", "Resource identifier"),
        (&wrong_api, "GET PUT PATCH DELETE", "Resource identifier"),
        (&wrong_method, "GET PUT PATCH", "Method identifier"),
        (&wrong_method, "DELETE", "Integration identifier"),
        (&bare, "GET PUT PATCH DELETE", "Integration identifier"),
        (&method, "GET PATCH DELETE", "Response status code"),
    ] {
        for call in call.split(' ') {
            assert_eq!(
                plane.refused(call, &format!("{base}/integration/responses/200"), json!({})),
                format!("404 NotFoundException: Invalid {want} specified"),
                "{call} {base}"
            );
        }
    }
    for (base, want) in [
        (&wrong_resource, "Resource identifier"),
        (&wrong_method, "Method identifier"),
        (&bare, "Integration identifier"),
    ] {
        for call in ["GET", "PATCH", "DELETE"] {
            assert_eq!(
                plane.refused(call, &format!("{base}/integration"), json!({})),
                format!("404 NotFoundException: Invalid {want} specified"),
                "{call} {base}"
            );
        }
    }
    plane.ok("DELETE", &format!("{method}/integration"), Value::Null);
    assert_eq!(plane.ok("GET", &method, Value::Null).get("methodIntegration"), None);
}

#[test]
fn a_new_integration_has_no_responses() {
    let mut plane = Plane::new();
    let (_, method) = test_method(&mut plane);
    let uri = format!("{method}/integration");
    plane.ok("PUT", &uri, json!({"type": "MOCK"}));
    plane.ok("PUT", &format!("{uri}/responses/200"), json!({}));
    let answer = plane.ok("PUT", &uri, json!({"type": "MOCK"}));
    assert_eq!(answer.get("integrationResponses"), None);
}
