//! What a client of a gateway sees where no integration plays a part: routes, MOCK, gateway responses,
//! and HTTP/1.1 itself.

mod support;

use serde_json::json;

use support::tools::{curl, curl_answer};
use support::{Answer, Client, Definition, Gateway, Options, get, post};

const PETSTORE: &str = include_str!("data/petstore.yaml");

/// A string of that many bytes.
fn long(count: usize) -> String {
    "x".repeat(count)
}

#[test]
fn a_petstore_answers_curl() {
    let gateway = Gateway::serving(PETSTORE);
    for (arguments, path, status, body) in [
        (&[][..], "/pets", 200, r#"[{"id":1,"name":"Rex"},{"id":2,"name":"Tom"}]"#),
        (&[], "/pets/1", 200, r#"{"id":1,"name":"Rex"}"#),
        (&[], "/pets/mine", 200, r#"{"id":2,"name":"Tom"}"#),
        (&[], "/pets/1?verbose=1&verbose=2", 200, r#"{"id":1,"name":"Rex"}"#),
        (&["--json", r#"{"name":"Ada"}"#], "/pets", 201, r#"{"id":3}"#),
    ] {
        let url = gateway.url(path);
        let answer = curl_answer(&[arguments, &[&url]].concat());
        assert_eq!((answer.status, answer.text()), (status, body), "{path}");
        assert_eq!(answer.header("Content-Type"), Some("application/json"), "{path}");
        assert_eq!(answer.header("Connection"), Some("keep-alive"), "{path}");
        let length = body.len().to_string();
        assert_eq!(answer.header("Content-Length"), Some(&*length), "{path}");
    }
}

#[test]
fn the_start_says_routes_throttle_and_addresses() {
    let gateway = Gateway::serving(PETSTORE);
    let printed = gateway.printed();
    for words in [
        "1 shard",
        "stage dev",
        "account throttle: off",
        "access log: off",
        "GET      /pets/{petId}  MOCK",
        "OPTIONS  /pets          MOCK",
    ] {
        assert!(printed.contains(words), "no {words:?} in:\n{printed}");
    }
    assert!(
        printed.trim_end().ends_with(&format!("listening on {}", gateway.url(""))),
        "{printed}"
    );
}

#[test]
fn every_answer_has_aws_ids_and_they_differ() {
    let gateway = Gateway::serving(PETSTORE);
    let mut client = gateway.client();
    let answers = [get("/pets"), get("/pets"), get("/nothing")].map(|request| client.asks(request));
    let mut ids = Vec::new();
    for answer in &answers {
        let id = answer.header("x-amzn-RequestId").expect("a request id");
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id} is no UUID");
        assert!(id.chars().all(|c| c == '-' || c.is_ascii_hexdigit()), "{id}");
        let extended = answer.header("x-amz-apigw-id").expect("an extended id");
        assert!(extended.ends_with('='), "{extended}");
        assert!(answer.header("Date").is_some_and(|date| date.ends_with(" GMT")), "{answer:?}");
        ids.extend([id, extended]);
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{answers:?}");
    // AWS: not on a MOCK's answers, not on gateway responses.
    assert_eq!(answers[0].header("X-Amzn-Trace-Id"), None);
}

#[test]
fn what_no_route_matches_is_a_missing_authentication_token() {
    let api = Definition::new().mock("GET", "/pets", 200, "[]").mock("ANY", "/any", 200, "{}");
    let gateway = Gateway::serving(api);
    let mut client = gateway.client();
    for (request, status, message, kind) in [
        ("GET /dev/nothing", 403, "Missing Authentication Token", "MissingAuthenticationToken"),
        ("DELETE /dev/pets", 403, "Missing Authentication Token", "MissingAuthenticationToken"),
        ("GET /dev", 403, "Missing Authentication Token", "MissingAuthenticationToken"),
        ("GET /prod/pets", 403, "Forbidden", "Forbidden"),
        ("GET /", 403, "Forbidden", "Forbidden"),
    ] {
        let answer = client.asks(format!("{request} HTTP/1.1\r\nHost: any.example\r\n\r\n"));
        let body = format!(r#"{{"message":"{message}"}}"#);
        assert_eq!((answer.status, answer.text()), (status, &*body), "{request}");
        let kind = format!("{kind}Exception");
        assert_eq!(answer.header("x-amzn-ErrorType"), Some(&*kind), "{request}");
    }
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let answer = client.asks(format!("{method} /dev/any HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!((answer.status, answer.text()), (200, "{}"), "{method}");
    }
}

#[test]
fn a_gateway_response_is_customised() {
    let gateway = Gateway::serving(PETSTORE);
    let answer = gateway.client().asks(get("/cats/7"));
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.text(),
        r#"{"message":"Missing Authentication Token","type":"MISSING_AUTHENTICATION_TOKEN","path":"/dev/cats/7"}"#
    );
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(answer.header("x-amzn-ErrorType"), Some("MissingAuthenticationTokenException"));
}

#[test]
fn default_4xx_applies_where_no_type_has_its_own() {
    let api = Definition::new().mock("GET", "/pets", 200, "[]").with(
        "x-amazon-apigateway-gateway-responses",
        json!({
            "DEFAULT_4XX": {
                "responseParameters": {
                    "gatewayresponse.header.X-Asked-For": "method.request.querystring.q",
                    "gatewayresponse.header.X-Always": "'yes'",
                },
                "responseTemplates": {
                    "application/json": "{\"said\":$context.error.messageString}",
                },
            },
            "DEFAULT_5XX": {"statusCode": "599"},
        }),
    );
    let gateway = Gateway::serving(api);
    let answer = gateway.client().asks(get("/nothing?q=cats"));
    assert_eq!(answer.status, 403);
    assert_eq!(answer.text(), r#"{"said":"Missing Authentication Token"}"#);
    assert_eq!(answer.header("X-Asked-For"), Some("cats"));
    assert_eq!(answer.header("X-Always"), Some("yes"));
}

#[test]
fn a_gateway_response_cannot_break_the_framing() {
    let headers = [
        ("Content-Length", "'3'"),
        ("Transfer-Encoding", "'chunked'"),
        ("Connection", "method.request.querystring.q"),
        ("Date", "'yesterday'"),
        ("x-amzn-RequestId", "'me'"),
        ("x-amz-apigw-id", "'me'"),
    ];
    let mut entry = json!({"responseParameters": {}});
    for (name, value) in headers {
        entry["responseParameters"][format!("gatewayresponse.header.{name}")] = json!(value);
    }
    let constant = {
        let mut entry = entry.clone();
        entry["responseParameters"]["gatewayresponse.header.Connection"] = json!("'close'");
        entry
    };
    let api = Definition::new()
        .mock("GET", "/pets", 200, "[]")
        .http_with("PUT", "/pets", "http://127.0.0.1:9/", json!({"passthroughBehavior": "never"}))
        .with(
            "x-amazon-apigateway-gateway-responses",
            json!({"MISSING_AUTHENTICATION_TOKEN": constant, "UNSUPPORTED_MEDIA_TYPE": entry}),
        );
    let gateway = Gateway::serving(api);
    let mut client = gateway.client();
    // One that is encoded in advance, and one that is made from the request.
    for (request, status, connection) in [
        ("GET /dev/nothing HTTP/1.1\r\nHost: h\r\n\r\n", 403, "close"),
        ("PUT /dev/pets?q=a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 415, "a"),
    ] {
        let answer = client.asks(request);
        assert_eq!(answer.status, status);
        for (name, _) in headers {
            let own = answer.header(name);
            assert!(!own.is_some_and(|value| ["3", "yesterday", "me"].contains(&value)), "{own:?}");
        }
        assert_eq!(answer.header("Transfer-Encoding"), None);
        assert_eq!(answer.header("Connection"), Some("keep-alive"));
        assert_eq!(answer.header("x-amzn-Remapped-Connection"), Some(connection));
        assert_eq!(answer.header("x-amzn-Remapped-Content-Length"), Some("3"));
        assert_eq!(answer.header("x-amzn-Remapped-x-amzn-RequestId"), Some("me"));
    }
}

#[test]
fn a_cors_preflight_is_answered_as_the_console_generates_it() {
    let gateway = Gateway::serving(PETSTORE);
    let answer = curl_answer(&[
        "--request",
        "OPTIONS",
        "--header",
        "Origin: https://shop.example",
        "--header",
        "Access-Control-Request-Method: POST",
        "--header",
        "Access-Control-Request-Headers: content-type",
        &gateway.url("/pets"),
    ]);
    assert_eq!((answer.status, answer.text()), (200, ""));
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(answer.header("Access-Control-Allow-Methods"), Some("GET,OPTIONS,POST"));
    assert_eq!(
        answer.header("Access-Control-Allow-Headers"),
        Some("Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token")
    );
}

#[test]
fn head_gets_the_head_alone() {
    let body = r#"{"name":"Rex"}"#;
    let gateway = Gateway::serving(
        Definition::new().mock("HEAD", "/pets", 200, body).mock("GET", "/pets", 200, body),
    );
    let mut client = gateway.client();
    let head = client.asks("HEAD /dev/pets HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!((head.status, head.header("Content-Length")), (200, Some("14")));
    // Were there a body, it would stand before the next answer.
    assert_eq!(client.asks(get("/pets")).text(), body);
    let refused = client.asks("HEAD /dev/nothing HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(refused.status, 403);
    assert_eq!(client.asks(get("/pets")).text(), body);
    let output = curl(&["--head", &gateway.url("/pets")]).expect("curl is content");
    assert!(output.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&output));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut api = Definition::new();
    for index in 0..10 {
        api = api.mock("GET", &format!("/{index}"), 200, &index.to_string());
    }
    let gateway = Gateway::serving(api);
    let mut client = gateway.client();
    let requests: String = (0..1_000).map(|index| get(&format!("/{}", index % 10))).collect();
    // In pieces that end anywhere.
    for piece in requests.as_bytes().chunks(777) {
        client.sends(piece);
    }
    for index in 0..1_000 {
        assert_eq!(client.answer().text(), (index % 10).to_string(), "answer {index}");
    }
    let last = format!("{}GET /dev/2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", get("/1"));
    client.sends(last);
    assert_eq!(client.answer().text(), "1");
    let answer = client.answer();
    assert_eq!((answer.text(), answer.header("Connection")), ("2", Some("close")));
    client.is_closed();
}

#[test]
fn http_1_0_is_answered_and_closed_unless_it_asks_otherwise() {
    let gateway = Gateway::serving(PETSTORE);
    let mut client = gateway.client();
    let answer = client.asks("GET /dev/pets/1 HTTP/1.0\r\nHost: h\r\n\r\n");
    assert_eq!((answer.status, answer.header("Connection")), (200, Some("close")));
    client.is_closed();
    let mut client = gateway.client();
    let kept = "GET /dev/pets/1 HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n";
    for _ in 0..2 {
        let answer = client.asks(kept);
        assert_eq!((answer.status, answer.header("Connection")), (200, Some("keep-alive")));
    }
    let answer = curl_answer(&["--http1.0", &gateway.url("/pets/1")]);
    assert_eq!(answer.text(), r#"{"id":1,"name":"Rex"}"#);
}

#[test]
fn connection_close_is_honoured() {
    let gateway = Gateway::serving(PETSTORE);
    let mut client = gateway.client();
    let answer = client.asks("GET /dev/pets/1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_eq!((answer.status, answer.header("Connection")), (200, Some("close")));
    client.is_closed();
}

/// A MOCK without a template: the client's body is its template, so that the gateway has to read it.
fn reading_mock() -> Definition {
    let responses = json!({
        "default": {"statusCode": "200", "responseTemplates": {"application/json": "default"}},
        "202": {"statusCode": "202", "responseTemplates": {"application/json": "taken"}},
    });
    Definition::new().method(
        "POST",
        "/",
        &["200", "202"],
        json!({"type": "mock", "responses": responses}),
    )
}

#[test]
fn a_body_comes_whole_in_chunks_or_after_100_continue() {
    let gateway = Gateway::serving(reading_mock());
    let mut client = gateway.client();
    let body = "{\"statusCode\": 202}";
    let head = "POST /dev HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n";
    let taken = |answer: Answer, case: &str| {
        assert_eq!((answer.status, answer.text()), (202, "taken"), "{case}");
    };
    taken(client.asks(post("", body)), "whole");
    client.sends(format!("{head}Content-Length: {}\r\n\r\n", body.len()));
    for byte in body.as_bytes() {
        client.sends([*byte]);
    }
    taken(client.answer(), "byte by byte");
    let mut chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    for piece in body.as_bytes().chunks(5) {
        let piece = std::str::from_utf8(piece).expect("ASCII");
        chunked += &format!("{:x};ext=\"a b\"\r\n{piece}\r\n", piece.len());
    }
    chunked += "0\r\nX-Trailer: dropped\r\n\r\n";
    taken(client.asks(&chunked), "in chunks");
    for byte in chunked.as_bytes() {
        client.sends([*byte]);
    }
    taken(client.answer(), "in chunks, byte by byte");

    let expect = format!("{head}Content-Length: {}\r\nExpect: 100-continue\r\n\r\n", body.len());
    let interim = client.asks(&expect);
    assert_eq!((interim.status, interim.headers.len()), (100, 0), "{interim:?}");
    taken(client.asks(body), "after 100 Continue");
    taken(client.asks(post("", body)), "after that");
}

#[test]
fn curl_gets_its_100_continue() {
    let gateway = Gateway::serving(reading_mock());
    let answer = curl_answer(&[
        "--header",
        "Expect: 100-continue",
        "--expect100-timeout",
        "50",
        "--json",
        "{\"statusCode\": 202}",
        &gateway.url(""),
    ]);
    assert_eq!((answer.status, answer.text()), (202, "taken"));
}

#[test]
fn a_refusal_needs_no_100_continue() {
    let gateway = Gateway::serving(PETSTORE);
    let mut client = gateway.client();
    let answer = client.asks(
        "POST /dev/nothing HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!((answer.status, answer.header("Connection")), (404, Some("close")));
    client.ends().is_closed();
}

#[test]
fn an_expectation_nobody_knows_fails() {
    let gateway = Gateway::serving(PETSTORE);
    let answer = gateway.client().asks("GET /dev/pets HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n");
    assert_eq!((answer.status, answer.text()), (417, r#"{"message":"Expectation Failed"}"#));
}

#[test]
fn a_payload_over_the_limit_is_413_in_plain_text() {
    let gateway = Options::new(reading_mock()).limit("payload=1000").start();
    let refused = |answer: Answer| {
        assert_eq!(answer.status, 413);
        assert_eq!(answer.text(), "HTTP content length exceeded 1000 bytes.");
        assert_eq!(answer.header("Content-Type"), Some("text/plain"));
        assert_eq!(answer.header("Connection"), Some("close"));
    };
    let mut client = gateway.client();
    let fits = format!("{{\"statusCode\": 202, \"x\": \"{}\"}}", long(1_000 - 28));
    assert_eq!(fits.len(), 1_000);
    assert_eq!(client.asks(post("", &fits)).status, 202, "at the limit");
    refused(client.asks(post("", &long(1_001))));
    client.ends().is_closed();
    let mut client = gateway.client();
    let head = "POST /dev HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    refused(client.asks(format!("{head}3e9\r\n{}\r\n0\r\n\r\n", long(1_001))));
    client.ends().is_closed();
    assert_eq!(gateway.client().asks(post("", "{\"statusCode\": 202}")).status, 202);
}

#[test]
fn aws_limit_of_a_payload_is_the_default() {
    let gateway = Gateway::serving(reading_mock());
    let head = |bytes: usize| {
        format!(
            "POST /dev HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
                 Content-Length: {bytes}\r\n\r\n"
        )
    };
    const LIMIT: usize = 10 * 1_024 * 1_024;
    let mut client = gateway.client();
    let mut body = b"{\"statusCode\": 202}".to_vec();
    body.resize(LIMIT, b' ');
    client.sends(head(LIMIT));
    assert_eq!(client.asks(&body).status, 202);
    // Refused by its announcement, before a byte of it.
    let answer = client.asks(head(LIMIT + 1));
    assert_eq!(answer.status, 413);
    assert_eq!(answer.text(), "HTTP content length exceeded 10485760 bytes.");
}

#[test]
fn a_long_url_is_414_and_long_headers_are_431() {
    let gateway = Gateway::serving(Definition::new().mock("GET", "/pets", 200, "[]"));
    // The limit is 10 240 bytes of target.
    let request = |query: usize, header: usize| {
        format!(
            "GET /dev/pets?q={} HTTP/1.1\r\nHost: h\r\nX-Long: {}\r\n\r\n",
            long(query),
            long(header)
        )
    };
    let target = "/dev/pets?q=".len();
    let mut client = gateway.client();
    assert_eq!(client.asks(request(10_240 - target, 1)).status, 200, "a target of 10 240 bytes");
    let answer = client.asks(request(10_241 - target, 1));
    assert_eq!((answer.status, answer.text()), (414, r#"{"message":"Request URI too long"}"#));
    assert_eq!(answer.header("x-amzn-ErrorType"), Some("RequestTooLargeException"));
    client.is_closed();

    let mut client = gateway.client();
    assert_eq!(client.asks(request(1, 10_000)).status, 200);
    let answer = client.asks(request(1, 10_240));
    assert_eq!((answer.status, answer.text()), (431, "HTTP header is larger than 10240 bytes."));
    client.is_closed();

    let raised = Options::new(Definition::new().mock("GET", "/pets", 200, "[]"))
        .limit("url=off")
        .limit("headers=100KiB")
        .start();
    assert_eq!(raised.client().asks(request(60_000, 60_000)).status, 200);
}

#[test]
fn many_small_headers_are_431() {
    let gateway = Gateway::serving(PETSTORE);
    let headers: String = (0..500).map(|index| format!("X{index}: y\r\n")).collect();
    let answer =
        gateway.client().asks(format!("GET /dev/pets HTTP/1.1\r\nHost: h\r\n{headers}\r\n"));
    assert_eq!(answer.status, 431);
}

#[test]
fn what_two_parsers_could_read_differently_is_400_and_closed() {
    let gateway = Gateway::serving(PETSTORE);
    for head in [
        "POST /dev/pets HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /dev/pets HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        "POST /dev/pets HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\n",
        "POST /dev/pets HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "GET /dev/pets HTTP/1.1\r\n\r\n",
        "GET /dev/pets HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /dev/pets HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /dev/pets HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
        "GET /dev/pets HTTP/1.1\nHost: a\n\n",
        "GET /dev/pets HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
        "GET  /dev/pets HTTP/1.1\r\nHost: a\r\n\r\n",
        "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03 no TLS here\r\n\r\n",
    ] {
        let mut client = gateway.client();
        // What follows would be a second request to a laxer parser.
        client.sends(format!("{head}{}", get("/smuggled")));
        let answer = client.answer();
        assert!(matches!(answer.status, 400 | 501), "{head:?}: {answer:?}");
        assert_eq!(answer.header("Connection"), Some("close"), "{head:?}");
        client.ends().is_closed();
        assert_eq!(gateway.client().asks(get("/pets/1")).status, 200, "after {head:?}");
    }
    assert_eq!(gateway.metrics().total("ringway_head_errors_total"), 12.0);
}

#[test]
fn a_media_type_without_a_template_is_415_where_passthrough_says_never() {
    let integration = json!({
        "type": "mock",
        "passthroughBehavior": "never",
        "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": "200"}},
    });
    let gateway = Gateway::serving(Definition::new().method("POST", "/", &["200"], integration));
    let url = gateway.url("");
    let answer = curl_answer(&["--data", "a", "--header", "Content-Type: text/csv", &url]);
    assert_eq!((answer.status, answer.text()), (415, r#"{"message": "Unsupported Media Type"}"#));
    assert_eq!(curl_answer(&["--json", "{}", &url]).status, 200);
}

#[test]
fn two_shards_answer_all_the_same() {
    let gateway = Options::new(PETSTORE).shards(2).start();
    let mut clients: Vec<Client> = (0..64).map(|_| gateway.client()).collect();
    for client in &mut clients {
        assert_eq!(client.asks(get("/pets/1")).text(), r#"{"id":1,"name":"Rex"}"#);
    }
    let metrics = gateway.metrics();
    for shard in ["shard=\"0\"", "shard=\"1\""] {
        // 64 connections all on one of two shards: once in 2^63 runs.
        assert!(metrics.sum("ringway_requests_total", &[shard]) > 0.0, "{shard} has nothing to do");
    }
    assert_eq!(metrics.total("ringway_requests_total"), 64.0);
}

#[test]
fn h2load_over_http_1_gets_every_answer() {
    let gateway = Options::new(PETSTORE).shards(2).start();
    for pipelined in [1, 8] {
        let report = support::load::h2load(&gateway.url("/pets/1"), 16, 4_000, pipelined);
        assert_eq!((report.failed, report.answered(200)), (0, 4_000), "{}", report.text);
    }
}

#[test]
fn there_is_one_shard_per_cpu_the_process_may_use_and_each_stays_on_its_own() {
    let cpus = |gateway: &Gateway, threads: &str| -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", gateway.pid())).expect("it lives");
        let mut cpus: Vec<String> = tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("status")).ok())
            .filter(|status| status.starts_with(&format!("Name:\t{threads}")))
            .filter_map(|status| {
                let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
                line.map(|list| list.trim().to_owned())
            })
            .collect();
        cpus.sort();
        cpus
    };
    let one = Options::new(PETSTORE).shards_as_found().through(&["taskset", "-c", "0"]).start();
    assert!(one.printed().contains("1 shard (the CPUs this process may use)"), "{}", one.printed());
    assert_eq!(cpus(&one, "shard-"), ["0"]);
    assert_eq!(one.client().asks(get("/pets/1")).status, 200);
    // More than there are CPUs is a wish like any other.
    let three = Options::new(PETSTORE).shards(3).through(&["taskset", "-c", "0"]).start();
    assert!(three.printed().contains("3 shards (--shards)"), "{}", three.printed());
    assert_eq!(cpus(&three, "shard-"), ["0", "0", "0"]);
}

#[test]
fn answers_are_compressed_where_the_api_and_the_client_want_it() {
    let body = format!("[{}0]", "1,".repeat(2_000));
    let api = Definition::new()
        .mock("GET", "/long", 200, &body)
        .mock("GET", "/short", 200, "[]")
        .with("x-amazon-apigateway-minimum-compression-size", json!(1_000));
    let gateway = Gateway::serving(api);
    let (long, short) = (gateway.url("/long"), gateway.url("/short"));
    let zipped = curl_answer(&["--header", "Accept-Encoding: gzip", &long]);
    assert_eq!(zipped.header("Content-Encoding"), Some("gzip"));
    assert!(zipped.body.len() < body.len() / 10, "{} bytes", zipped.body.len());
    let unzipped = curl(&["--compressed", &long]).expect("curl undoes it");
    assert_eq!(unzipped, body.as_bytes());
    for (flags, url, want) in [
        (&["--header", "Accept-Encoding: gzip"][..], &short, "[]"),
        (&[], &long, &*body),
        (&["--header", "Accept-Encoding: br"], &long, &body),
    ] {
        let answer = curl_answer(&[flags, &[url]].concat());
        assert_eq!((answer.header("Content-Encoding"), answer.text()), (None, want), "{flags:?}");
    }
}
