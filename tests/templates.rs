//! Mapping templates through the whole gateway: what a client and an upstream see of them.

mod support;

use serde_json::{Value, json};

use support::{Client, Definition, Gateway, Options, Peer, Seen, get, post};

const INTERNAL_ERROR: &str = r#"{"message": "Internal server error"}"#;

/// A MOCK with these templates; the answer's status is 200 unless the request's template says so.
fn mocked(request: &str, response: Value) -> Value {
    json!({
        "type": "mock",
        "requestTemplates": {"application/json": request},
        "responses": {
            "default": {"statusCode": "200", "responseTemplates": response},
            "404": {
                "statusCode": "404",
                "responseTemplates": {"application/json": "{\"missing\":\"$input.params('id')\"}"},
            },
        },
    })
}

#[test]
fn a_mock_answers_by_its_templates() {
    let integration = mocked(
        "{\"statusCode\": #if($input.params('id') == 'none')404#{else}200#end}",
        json!({
            "application/json": "{\"id\": \"$input.params('id')\", \"color\": \"$stageVariables.color\", \
                \"stage\": \"$context.stage\", \"q\": \"$util.escapeJavaScript($input.params('q'))\"}",
            "application/xml": "<pet id='$input.params().path.id'/>",
        }),
    );
    let api = Definition::new().method("GET", "/pets/{id}", &["200", "404"], integration);
    let gateway = Options::new(api).var("color=blue").start();
    let mut client = gateway.client();
    let answer = client.asks(get("/pets/a%20b?q=x%22y"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), r#"{"id": "a b", "color": "blue", "stage": "dev", "q": "x\"y"}"#);
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    let answer = client.asks(get("/pets/none"));
    assert_eq!((answer.status, answer.text()), (404, r#"{"missing":"none"}"#));
    let answer =
        client.asks("GET /dev/pets/7 HTTP/1.1\r\nHost: h\r\nAccept: application/xml\r\n\r\n");
    assert_eq!((answer.status, answer.text()), (200, "<pet id='7'/>"));
}

/// Asks with a body of a type.
fn sends(client: &mut Client, path: &str, content_type: Option<&str>, body: &str) -> (u16, String) {
    let length = body.len();
    let content_type = content_type.map_or(String::new(), |it| format!("Content-Type: {it}\r\n"));
    let answer = client.asks(format!(
        "POST /dev{path} HTTP/1.1\r\nHost: h\r\n{content_type}Content-Length: {length}\r\n\r\n{body}"
    ));
    (answer.status, answer.text().to_owned())
}

/// An upstream that answers with what it was sent, and tells of it.
fn echo() -> Peer {
    Peer::start(|mut connection| {
        while let Some(request) = connection.request() {
            let body = request.body.clone();
            let status = if request.target.contains("fail") { 500 } else { 200 };
            connection.tells(Seen::Request(request));
            let length = body.len();
            connection.sends(format!(
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nX-Up: yes\r\n\
                 Content-Length: {length}\r\n\r\n"
            ));
            connection.sends(body);
        }
    })
}

#[test]
fn a_mocks_request_template_hands_over_what_it_read() {
    let over = "$context.responseOverride";
    let request = format!(
        "#set($context.requestOverride.path.body = $input.json('$.name'))\
         #if($input.path('$.teapot'))#set({over}.status = 444)#set({over}.header.foo = 'bar')\
         #set({over}.custom = 'mine')#end{{\"statusCode\": 200}}"
    );
    let response = "$context.requestOverride.path.body $context.responseOverride.custom \
                    $context.responseOverride.status$input.body";
    let api = Definition::new()
        .method(
            "POST",
            "/with",
            &["200"],
            mocked(&request, json!({"application/json": response, "text/plain": "constant"})),
        )
        .method("POST", "/without", &["200"], mocked(&request, json!({})));
    let gateway = Gateway::serving(api);
    let mut client = gateway.client();
    for (path, body, status, foo, text) in [
        ("/with", r#"{"name":"Rex","teapot":false}"#, 200, None, "\"Rex\"  {}"),
        ("/with", r#"{"name":"Rex","teapot":true}"#, 444, Some("bar"), "\"Rex\" mine 444{}"),
        ("/without", r#"{"name":"Rex","teapot":true}"#, 444, Some("bar"), ""),
        ("/without", r#"{"name":"Rex","teapot":false}"#, 200, None, ""),
    ] {
        let answer = client.asks(post(path, body));
        assert_eq!((answer.status, answer.text()), (status, text), "{path} {body}");
        assert_eq!(answer.header("foo"), foo, "{path} {body}");
    }
    // A constant answer is overridden like any other.
    let body = r#"{"name":"Rex","teapot":true}"#;
    let answer = client.asks(post("/with", body).replace("Host", "Accept: text/plain\r\nHost"));
    assert_eq!(
        (answer.status, answer.text(), answer.header("foo")),
        (444, "constant", Some("bar"))
    );
}

#[test]
fn requests_and_answers_of_an_http_integration_are_mapped() {
    let upstream = echo();
    let integration = json!({
        "requestTemplates": {"application/json":
            "{\"pet\": $input.json('$.pet'), \"id\": \"$input.params('id')\", \"by\": \"$context.identity.userAgent\"}"},
        "responses": {
            "default": {
                "statusCode": "200",
                "responseParameters": {"method.response.header.X-Up": "integration.response.header.X-Up"},
                "responseTemplates": {"application/json":
                    "#set($in = $input.path('$'))$in.pet.name is $in.id of $input.params('id')"},
            },
            "5\\d{2}": {
                "statusCode": "502",
                "responseTemplates": {"application/json":
                    "#set($context.responseOverride.status = 503){\"error\": $input.json('$.pet')}"},
            },
        },
    });
    let integration = {
        let mut all = integration;
        all["type"] = json!("http");
        all["httpMethod"] = json!("POST");
        all["uri"] = json!(upstream.url("/v1/{id}"));
        all["requestParameters"] = json!({"integration.request.path.id": "method.request.path.id"});
        all
    };
    let api = Definition::new().method("POST", "/pets/{id}", &["200", "502"], integration);
    let gateway = Gateway::serving(api);
    let mut client = gateway.client();
    let ask = |id: &str| {
        post(&format!("/pets/{id}"), r#"{"pet":{"name":"Rex","tags":["a",1.5]}}"#)
            .replace("Host", "User-Agent: me\r\nHost")
    };
    let answer = client.asks(ask("7"));
    assert_eq!((answer.status, answer.text()), (200, "Rex is 7 of 7"));
    assert_eq!(answer.header("X-Up"), Some("yes"));
    let seen = upstream.request();
    assert_eq!(seen.target, "/v1/7");
    let body = r#"{"pet": {"name":"Rex","tags":["a",1.5]}, "id": "7", "by": "me"}"#;
    assert_eq!(String::from_utf8_lossy(&seen.body), body);
    assert_eq!(seen.header("Content-Length"), Some(&*body.len().to_string()));
    let answer = client.asks(ask("fail"));
    assert_eq!(answer.status, 503);
    assert_eq!(answer.text(), r#"{"error": {"name":"Rex","tags":["a",1.5]}}"#);
}

/// Facts, vtl section 15.
#[test]
fn without_a_template_the_body_passes_or_is_refused() {
    let upstream = echo();
    let mut api = Definition::new();
    for behaviour in ["when_no_match", "when_no_templates", "never"] {
        for (path, templates) in [
            ("templates", json!({"application/json": "<$input.path('$.a')>"})),
            ("none", json!({})),
            ("default", json!({"$default": "any $input.body"})),
            ("empty", json!({"application/json": ""})),
        ] {
            api = api.http_with(
                "POST",
                &format!("/{behaviour}/{path}"),
                &upstream.url("/"),
                json!({"passthroughBehavior": behaviour, "requestTemplates": templates}),
            );
        }
    }
    let gateway = Gateway::serving(api);
    let mut client = gateway.client();
    let body = r#"{"a":1}"#;
    let refused = (415, r#"{"message": "Unsupported Media Type"}"#.to_owned());
    let (json, text) = (Some("application/json; charset=utf-8"), Some("text/plain"));
    for (path, content_type, want) in [
        ("/when_no_match/templates", json, Some("<1>")),
        ("/when_no_match/templates", None, Some("<1>")),
        ("/when_no_match/templates", Some("APPLICATION/json"), Some("<1>")),
        ("/when_no_match/templates", text, Some(body)),
        ("/when_no_match/none", json, Some(body)),
        ("/when_no_match/default", text, Some("any {\"a\":1}")),
        ("/when_no_match/empty", json, Some(body)),
        ("/when_no_templates/templates", json, Some("<1>")),
        ("/when_no_templates/templates", text, None),
        ("/when_no_templates/none", text, Some(body)),
        ("/when_no_templates/empty", json, Some(body)),
        ("/never/templates", json, Some("<1>")),
        ("/never/templates", text, None),
        ("/never/none", json, None),
        ("/never/default", text, Some("any {\"a\":1}")),
    ] {
        let want = want.map_or_else(|| refused.clone(), |body| (200, body.to_owned()));
        assert_eq!(sends(&mut client, path, content_type, body), want, "{path} {content_type:?}");
    }
}

#[test]
fn a_template_that_fails_is_a_500_and_a_few_lines_in_the_log() {
    let upstream = echo();
    let failing = "ok\n   $util.parseJson('{')";
    let api = Definition::new()
        .method(
            "GET",
            "/mock/{id}",
            &["200"],
            mocked("{\"statusCode\": 200}", json!({"application/json": failing})),
        )
        .http_with(
            "POST",
            "/request",
            &upstream.url("/"),
            json!({"requestTemplates": {"application/json": failing}}),
        )
        .http_with(
            "POST",
            "/response",
            &upstream.url("/"),
            json!({"responses": {"default": {
                "statusCode": "200", "responseTemplates": {"application/json": failing},
            }}}),
        )
        .mock("GET", "/fine", 200, "$context.httpMethod");
    let gateway = Gateway::serving(api);
    let mut client = gateway.client();
    for request in [get("/mock/7"), post("/request", "{}"), post("/response", "{}")] {
        let answer = client.asks(&request);
        assert_eq!((answer.status, answer.text()), (500, INTERNAL_ERROR), "{request}");
        assert_eq!(
            answer.header("x-amzn-ErrorType"),
            Some("InternalServerErrorException"),
            "{request}"
        );
        let fine = client.asks(get("/fine"));
        assert_eq!((fine.status, fine.text()), (200, "GET"), "the connection is kept");
    }
    for _ in 0..200 {
        assert_eq!(client.asks(get("/mock/7")).status, 500);
    }
    let said = gateway.messages();
    for (method, side) in [
        ("GET /mock/{id}", "response"),
        ("POST /request", "request"),
        ("POST /response", "response"),
    ] {
        let line = said.lines().find(|line| line.contains(method));
        let line = line.unwrap_or_else(|| panic!("nothing about {method} in:\n{said}"));
        for words in [
            "WARN",
            "stage dev",
            &format!(
                "Unable to transform {side}: template for application/json, line 2, column 10: "
            ),
        ] {
            assert!(line.contains(words), "no {words:?} in {line}");
        }
    }
    let lines = said.lines().filter(|line| line.contains("Unable to transform")).count();
    assert!((3..=15).contains(&lines), "{lines} lines:\n{said}");
}

#[test]
fn the_examples_answer_by_their_templates() {
    let petstore = Gateway::serving(include_str!("../docs/examples/petstore.yaml"));
    let mut client = petstore.client();
    let mut asks = |request: String| {
        let answer = client.asks(&request);
        let body: Value = serde_json::from_slice(&answer.body)
            .unwrap_or_else(|error| panic!("{error}: {request}{}", answer.text()));
        (answer.status, body)
    };
    let pets = json!([
        {"id": 1, "type": "dog", "price": 249.99},
        {"id": 2, "type": "cat", "price": 124.99},
        {"id": 3, "type": "fish", "price": 0.99},
    ]);
    assert_eq!(asks(get("/pets")), (200, pets.clone()));
    assert_eq!(asks(get("/pets?type=cat")), (200, json!([pets[1]])));
    assert_eq!(asks(get("/pets?type=cow")), (200, json!([])));
    assert_eq!(asks(get("/pets/3")), (200, json!({"id": 3, "type": "fish", "price": 0.99})));
    assert_eq!(asks(get("/pets/4%22")), (404, json!({"message": "there is no pet 4\""})));
    let bird = json!({"type": "bird", "price": 5});
    assert_eq!(asks(post("/pets", &bird.to_string())), (201, json!({"id": 4, "pet": bird})));
    assert_eq!(
        asks(post("/pets", r#"{"type": "bird"}"#)),
        (400, json!({"message": "a pet has a type and a price"}))
    );

    let xml = Gateway::serving(include_str!("../docs/examples/json_to_xml.yaml"));
    let order = r#"{"customer": "Ann & <Bo>", "items": [{"sku": "a1", "count": 2}, {"sku": "b", "count": 1}]}"#;
    let answer = xml.client().asks(post("/orders", order));
    assert_eq!(answer.header("Content-Type"), Some("application/xml"));
    let lines: Vec<&str> =
        answer.text().lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    assert_eq!(
        lines,
        [
            "<order customer=\"Ann &amp; &lt;Bo>\">",
            "<item sku=\"a1\" count=\"2\"/>",
            "<item sku=\"b\" count=\"1\"/>",
            "</order>",
        ]
    );
    assert_eq!(
        sends(&mut xml.client(), "/orders", Some("text/xml"), "<order/>").0,
        415,
        "only JSON is templated"
    );

    let query = Gateway::serving(include_str!("../docs/examples/query_to_json.yaml"));
    let answer = query.client().asks(get("/search/b%C3%BCcher?q=moby+%22dick%22&page=2&q=last&x"));
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|error| {
        panic!("{error}: {}", answer.text());
    });
    assert_eq!(
        body,
        json!({"kind": "b\u{fc}cher", "page": 2, "query": {"q": "last", "page": "2", "x": ""}})
    );
}

#[test]
fn a_reload_refuses_a_template_that_does_not_compile() {
    let api = |template: &str| Definition::new().mock("GET", "/", 200, template);
    let gateway = Gateway::serving(api("one $context.stage"));
    assert_eq!(gateway.client().asks(get("")).text(), "one dev");
    let from = gateway.said();
    gateway.rewrite(api("two\n#if($x"));
    let line = gateway.says(from, "template for application/json, line 2, column 7: ");
    assert!(line.contains("/responseTemplates/application~1json"), "{line}");
    gateway.says(from, "  2 | #if($x");
    gateway.says(from, "    |       ^");
    assert_eq!(gateway.client().asks(get("")).text(), "one dev");
}
