//! HTTP and HTTP_PROXY with real and with scripted upstreams: what passes, and what becomes of a
//! request when an upstream or a client does not behave.

mod support;

use std::sync::Mutex;
use std::sync::mpsc::channel;

use serde_json::{Value, json};

use support::servers::{Nginx, Python};
use support::tools::curl_answer;
use support::{
    Answer, Client, Definition, Folder, Gateway, Load, Options, Peer, Seen, get, post, wait_for,
};

const NETWORK_ERROR: &str = r#"{"message": "Network error communicating with endpoint"}"#;
const TIMED_OUT: &str = r#"{"message": "Endpoint request timed out"}"#;
const INTERNAL_ERROR: &str = r#"{"message": "Internal server error"}"#;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Everything goes to the upstream at `url`, which ends in no slash.
fn greedy(url: &str) -> Definition {
    Definition::new().proxy("ANY", "/{proxy+}", &format!("{url}/{{proxy}}"))
}

/// What `upstreams/echo.py` was asked.
fn echoed(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

/// Values of a header that reached `upstreams/echo.py`.
fn echoed_header(echo: &Value, name: &str) -> Vec<String> {
    let headers = echo["headers"].as_array().expect("headers");
    let fits = |pair: &&Value| pair[0].as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
    headers.iter().filter(fits).map(|pair| pair[1].as_str().unwrap_or_default().into()).collect()
}

// -- What passes -----------------------------------------------------------------------------------

/// Facts, rest-api sections 6.2 and 14: the coding is undone, and the header does not pass.
#[test]
fn a_compressed_request_reaches_http_proxy_plain() {
    let peer = Peer::start(|mut connection| {
        while let Some(request) = connection.request() {
            connection.tells(Seen::Request(request));
            connection.sends(OK);
        }
    });
    let gateway = Gateway::serving(greedy(&peer.url("")));
    let mut client = gateway.client();
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut coder, &b"hello ".repeat(1_000)).expect("memory");
    let packed = coder.finish().expect("memory");
    let head = |coding: &str| {
        let length = packed.len();
        format!(
            "POST /dev/a HTTP/1.1\r\nHost: h\r\nContent-Encoding: {coding}\r\n\
             Content-Length: {length}\r\n\r\n"
        )
    };
    let answer = client.asks([head("gzip").as_bytes(), &packed].concat());
    assert_eq!(answer.status, 200);
    let request = peer.request();
    assert_eq!(request.header("Content-Encoding"), None);
    assert_eq!(request.header("Content-Length"), Some("6000"));
    assert!(request.body == b"hello ".repeat(1_000));
    for coding in ["br", "deflate"] {
        let answer = gateway.client().asks([head(coding).as_bytes(), &packed].concat());
        assert_eq!(answer.status, 415, "{coding}");
    }
}

#[test]
fn http_proxy_to_nginx_passes_path_query_status_and_body() {
    let nginx = Nginx::start(
        "",
        r#"location / { return 200 "$request_method $request_uri $http_x_client\n"; }
           location /teapot { return 418 "short and stout"; }"#,
    );
    let gateway = Gateway::serving(greedy(&nginx.url("")));
    let url = gateway.url("/a/b%20c?x=1&x=2&y=%26");
    let answer = curl_answer(&["--header", "X-Client: curl", &url]);
    assert_eq!(answer.status, 200);
    let (words, client) = answer.text().trim_end().rsplit_once(' ').expect("two words");
    assert_eq!(client, "curl");
    assert!(words.starts_with("GET /a/b%20c?"), "{words}");
    for part in ["x=1", "x=2", "y=%26"] {
        assert!(words.contains(part), "no {part} in {words}");
    }
    assert!(answer.header("x-amzn-RequestId").is_some());
    // The gateway writes these itself; the backend's are renamed.
    let server = answer.header("x-amzn-Remapped-Server").expect("nginx names itself");
    assert!(server.starts_with("nginx"), "{server}");
    assert!(answer.header("x-amzn-Remapped-Date").is_some());
    let teapot = curl_answer(&[&gateway.url("/teapot")]);
    assert_eq!((teapot.status, teapot.text()), (418, "short and stout"));
}

#[test]
fn http_proxy_passes_methods_headers_and_bodies_to_python() {
    let python = Python::start();
    let gateway = Gateway::serving(greedy(&python.url("")));
    for method in ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"] {
        let body = if method == "GET" { "" } else { "the body" };
        let answer = gateway.client().asks(format!(
            "{method} /dev/echo HTTP/1.1\r\nHost: client.example\r\nX-Twice: 1\r\nX-Twice: 2\r\n\
             Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert_eq!(answer.status, 200, "{method}");
        assert_eq!(answer.header("X-Upstream"), Some("python"), "{method}");
        let echo = echoed(&answer);
        assert_eq!((&echo["method"], &echo["body"]), (&json!(method), &json!(body)));
        let sent = |name| echoed_header(&echo, name);
        assert_eq!(sent("Host"), [python.address.to_string()], "{method}");
        assert_eq!(sent("X-Forwarded-For"), ["127.0.0.1"], "{method}");
        assert_eq!(sent("X-Forwarded-Proto"), ["http"], "{method}");
        assert_eq!(sent("X-Forwarded-Port"), [gateway.address.port().to_string()], "{method}");
        assert!(sent("X-Amzn-Trace-Id")[0].starts_with("Root=1-"), "{method}");
        let twice = sent("X-Twice").join(",").replace(' ', "");
        assert_eq!(twice, "1,2", "{method}");
    }
}

#[test]
fn a_trace_id_of_the_client_reaches_the_upstream() {
    let peer = Peer::answering(OK);
    let gateway = Gateway::serving(greedy(&peer.url("")));
    let root = "Root=1-67891233-abcdef012345678912345678";
    let answer = gateway.client().asks(format!(
        "GET /dev/a HTTP/1.1\r\nHost: h\r\nX-Amzn-Trace-Id: {root}\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\
         Keep-Alive: 5\r\nTE: trailers\r\n\r\n"
    ));
    assert_eq!(answer.text(), "ok");
    let request = peer.request();
    assert!(
        request.header("X-Amzn-Trace-Id").is_some_and(|id| id.starts_with(root)),
        "{request:?}"
    );
    for hop in ["X-Hop", "Keep-Alive", "TE"] {
        assert_eq!(request.header(hop), None, "{hop}");
    }
}

#[test]
fn bodies_pass_in_chunks_both_ways() {
    let python = Python::start();
    let gateway = Gateway::serving(greedy(&python.url("")));
    let mut client = gateway.client();
    client.sends("POST /dev/chunked/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..1_000 {
        client.sends("5;x=y\r\nabcde\r\n");
    }
    client.sends("0\r\nX-Trailer: dropped\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.header("Transfer-Encoding"), Some("chunked"));
    assert_eq!((answer.header("Trailer"), answer.header("Content-Length")), (None, None));
    assert_eq!(echoed(&answer)["body"], json!("abcde".repeat(1_000)));
    // The connection carries on behind the trailers.
    assert_eq!(client.asks(get("/length/3")).text(), "xxx");
    let old = curl_answer(&["--http1.0", &gateway.url("/chunked/x")]);
    assert_eq!((old.header("Transfer-Encoding"), old.header("Connection")), (None, Some("close")));
    assert_eq!(echoed(&old)["method"], json!("GET"));
}

#[test]
fn an_answer_that_ends_with_the_connection_passes_whole() {
    let python = Python::start();
    let gateway = Gateway::serving(greedy(&python.url("")));
    let mut client = gateway.client();
    for _ in 0..3 {
        assert_eq!(echoed(&client.asks(get("/close/x")))["method"], json!("GET"));
    }
}

#[test]
fn head_through_http_proxy_has_the_upstreams_length_and_no_body() {
    let python = Python::start();
    let gateway = Gateway::serving(greedy(&python.url("")));
    let mut client = gateway.client();
    let answer = client.asks("HEAD /dev/length/1000 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!((answer.status, answer.header("Content-Length")), (200, Some("1000")));
    assert_eq!(client.asks(get("/length/3")).text(), "xxx");
}

#[test]
fn expect_100_continue_is_answered_by_the_gateway_itself() {
    let python = Python::start();
    let gateway = Gateway::serving(greedy(&python.url("")));
    let mut client = gateway.client();
    let head =
        "POST /dev/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(client.asks(head).status, 100);
    let echo = echoed(&client.asks("four"));
    assert_eq!(echo["body"], json!("four"));
    assert_eq!(echoed_header(&echo, "Expect"), [""; 0]);
}

#[test]
fn interim_answers_of_an_upstream_go_no_further() {
    let peer = Peer::answering(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
          HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    let gateway = Gateway::serving(greedy(&peer.url("")));
    let mut client = gateway.client();
    for _ in 0..2 {
        let answer = client.asks(get("/a"));
        assert_eq!((answer.status, answer.text()), (200, "ok"));
    }
    assert_eq!(peer.connections(), 1);
}

#[test]
fn http_sends_what_is_mapped_and_selects_its_response_by_status() {
    let python = Python::start();
    let operation = json!({
        "parameters": [
            {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
            {"name": "q", "in": "query", "schema": {"type": "string"}},
            {"name": "X-In", "in": "header", "schema": {"type": "string"}},
        ],
        "responses": {
            "200": {"description": "fine", "headers": {"X-Out": {"schema": {"type": "string"}}}},
            "410": {"description": "gone", "headers": {"X-Out": {"schema": {"type": "string"}}}},
        },
        "x-amazon-apigateway-integration": {
            "type": "http",
            "httpMethod": "POST",
            "uri": python.url("/status/{code}"),
            "requestParameters": {
                "integration.request.path.code": "method.request.path.id",
                "integration.request.querystring.search": "method.request.querystring.q",
                "integration.request.header.X-Mapped": "method.request.header.X-In",
                "integration.request.header.X-Static": "'always'",
            },
            "responses": {
                "default": {
                    "statusCode": "200",
                    "responseParameters": {
                        "method.response.header.X-Out": "integration.response.header.X-Upstream",
                    },
                },
                "4\\d{2}": {
                    "statusCode": "410",
                    "responseParameters": {"method.response.header.X-Out": "'mapped'"},
                    "responseTemplates": {"application/json": "{\"gone\":true}"},
                },
            },
        },
    });
    let gateway = Gateway::serving(Definition::new().operation("PUT", "/things/{id}", operation));
    let request = |id: u16| {
        format!(
            "PUT /dev/things/{id}?q=a%20b&other=1 HTTP/1.1\r\nHost: h\r\nX-In: given\r\n\
             X-Other: not mapped\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
        )
    };
    let mut client = gateway.client();
    let answer = client.asks(request(201));
    assert_eq!((answer.status, answer.header("X-Out")), (200, Some("python")));
    assert_eq!(answer.header("X-Upstream"), None, "only what is mapped comes back");
    let echo = echoed(&answer);
    assert_eq!(echo["method"], json!("POST"));
    let target = echo["target"].as_str().expect("a target");
    assert!(matches!(target, "/status/201?search=a%20b" | "/status/201?search=a+b"), "{target}");
    assert_eq!(echo["body"], json!("{}"));
    assert_eq!(echoed_header(&echo, "X-Mapped"), ["given"]);
    assert_eq!(echoed_header(&echo, "X-Static"), ["always"]);
    assert_eq!(echoed_header(&echo, "X-Other"), [""; 0]);
    let gone = client.asks(request(404));
    assert_eq!((gone.status, gone.text()), (410, r#"{"gone":true}"#));
    assert_eq!(gone.header("X-Out"), Some("mapped"));
}

#[test]
fn binary_payloads_pass_unchanged() {
    let peer = Peer::start(|mut connection| {
        while let Some(request) = connection.request() {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {}\r\n\r\n",
                request.body.len()
            );
            let body = request.body.clone();
            connection.tells(Seen::Request(request));
            connection.sends(head);
            connection.sends(body);
        }
    });
    let api = Definition::new()
        .proxy("POST", "/proxied", &peer.url("/"))
        .http_with("POST", "/mapped", &peer.url("/"), json!({}))
        .with("x-amazon-apigateway-binary-media-types", json!(["image/png"]));
    let gateway = Gateway::serving(api);
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for path in ["/proxied", "/mapped"] {
        let mut client = gateway.client();
        client.sends(format!(
            "POST /dev{path} HTTP/1.1\r\nHost: h\r\nContent-Type: image/png\r\nAccept: image/png\r\n\
             Content-Length: 100000\r\n\r\n"
        ));
        let answer = client.asks(&every_byte);
        assert!(peer.request().body == every_byte, "{path}: to the upstream");
        assert!(answer.body == every_byte, "{path}: back");
    }
}

#[test]
fn the_ingress_example_serves_two_upstreams() {
    let shop = Peer::answering(OK);
    let prices = Peer::answering(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nAge: 3\r\nContent-Length: 11\r\n\r\n{\"price\":1}",
    );
    let gateway = Options::new(include_str!("../docs/examples/ingress.yaml"))
        .var(&format!("shop={}", shop.address))
        .var(&format!("prices={}", prices.address))
        .start();
    let mut client = gateway.client();
    assert_eq!(client.asks(get("/shop/a/b?c=d")).text(), "ok");
    let request = shop.request();
    assert_eq!((&*request.target, request.header("X-Stage")), ("/a/b?c=d", Some("dev")));
    let answer = client.asks(get("/prices/7?currency=EUR"));
    assert_eq!((answer.status, answer.text()), (200, "{\"price\":1}"));
    assert_eq!(answer.header("X-Price-Age"), Some("3"));
    assert_eq!(answer.header("Cache-Control"), Some("max-age=5"));
    let target = prices.request().target;
    assert!(target.starts_with("/v2/price?"), "{target}");
    assert!(target.contains("article=7") && target.contains("in=EUR"), "{target}");
}

#[test]
fn stage_variables_say_where_an_integration_is() {
    let peer = Peer::answering(OK);
    let uri = "http://${stageVariables.place}/${stageVariables.version}/{proxy}";
    let gateway = Options::new(Definition::new().proxy_with(
        "ANY",
        "/{proxy+}",
        uri,
        json!({"requestParameters": {"integration.request.header.X-Var": "stageVariables.version"}}),
    ))
    .var(&format!("place={}", peer.address))
    .var("version=v2")
    .start();
    assert_eq!(gateway.client().asks(get("/a/b?c=d")).text(), "ok");
    let request = peer.request();
    assert_eq!(request.target, "/v2/a/b?c=d");
    assert_eq!(request.header("X-Var"), Some("v2"));
}

// -- Upstreams that do not behave ------------------------------------------------------------------

#[test]
fn an_answer_before_the_bodys_end_reaches_the_client() {
    let peer = Peer::start(|mut connection| {
        connection.head();
        connection.sends("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope");
        connection.waits_for_close();
    });
    let gateway = Gateway::serving(greedy(&peer.url("")));
    let mut client = gateway.client();
    client.sends("POST /dev/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
    client.sends(vec![b'x'; 1_000]);
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (403, "nope"));
    assert_eq!(answer.header("Connection"), Some("close"));
}

#[test]
fn an_upstream_that_closes_without_a_word_is_504() {
    for reset in [false, true] {
        let peer = Peer::start(move |mut connection| {
            connection.head();
            if reset {
                connection.resets();
            }
        });
        let gateway = Gateway::serving(greedy(&peer.url("")));
        let mut client = gateway.client();
        let answer = client.asks(post("/a", "{}"));
        assert_eq!((answer.status, answer.text()), (504, NETWORK_ERROR), "reset: {reset}");
        assert_eq!(answer.header("x-amzn-ErrorType"), Some("InternalServerErrorException"));
        assert_eq!(client.asks(get("/a")).status, 504, "the client's connection lives on");
    }
}

#[test]
fn an_answer_cut_short_looks_cut_short() {
    for head in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let peer = Peer::start(move |mut connection| {
            connection.head();
            let body = if head.starts_with('C') { "half" } else { "4\r\nhalf\r\n" };
            connection.sends(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}"));
        });
        let gateway = Gateway::serving(greedy(&peer.url("")));
        let error = {
            let mut client = gateway.client();
            client.sends(get("/a"));
            client.try_answer().expect_err("half an answer is none")
        };
        assert!(error.contains("ended") || error.contains("reset"), "{error}");
    }
}

#[test]
fn a_collected_answer_cut_short_is_502() {
    let peer = Peer::start(|mut connection| {
        connection.head();
        connection.sends("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    });
    // Only an answer that something reads is collected before the client hears of it.
    let api = Definition::new().http_with(
        "GET",
        "/a",
        &peer.url("/a"),
        json!({"responses": {"default": {"responseParameters": {
            "method.response.header.X-Id": "integration.response.body.id"}}}}),
    );
    let mut api: Value = serde_json::from_str(&api.text()).expect("JSON");
    api["paths"]["/a"]["get"]["responses"]["200"]["headers"] =
        json!({"X-Id": {"schema": {"type": "string"}}});
    let gateway = Gateway::serving(api.to_string());
    let answer = gateway.client().asks(get("/a"));
    assert_eq!((answer.status, answer.text()), (502, INTERNAL_ERROR));
}

#[test]
fn garbage_is_502() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: half a head",
    ] {
        let peer = Peer::start(move |mut connection| {
            connection.head();
            connection.sends(garbage);
        });
        let gateway = Gateway::serving(greedy(&peer.url("")));
        let mut client = gateway.client();
        let answer = client.asks(get("/a"));
        assert_eq!((answer.status, answer.text()), (502, INTERNAL_ERROR), "{garbage:?}");
        assert_eq!(client.asks(get("/a")).status, 502, "the client's connection lives on");
    }
}

#[test]
fn a_refused_connection_is_504() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&loopback.into()).expect("a free port");
    let address = socket.local_addr().ok().and_then(|it| it.as_socket()).expect("its address");
    let gateway = Gateway::serving(greedy(&format!("http://{address}")));
    let answer = gateway.client().asks(get("/a"));
    assert_eq!((answer.status, answer.text()), (504, NETWORK_ERROR));
    gateway.counts("ringway_upstream_connect_errors_total", 1.0);
}

#[test]
fn a_name_that_leads_nowhere_is_500() {
    let gateway = Gateway::serving(greedy("http://nowhere.invalid"));
    let answer = gateway.client().asks(get("/a"));
    assert_eq!((answer.status, answer.text()), (500, INTERNAL_ERROR));
}

#[test]
fn an_integration_timeout_is_504_and_covers_the_whole_answer() {
    let peer = Peer::start(|mut connection| {
        let head = connection.head().expect("a request");
        if head.target == "/drips" {
            connection.sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            while connection.sends("1\r\nx\r\n") {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            return connection.tells(Seen::Closed);
        }
        connection.waits_for_close();
        connection.tells(Seen::Closed);
    });
    let short = json!({"timeoutInMillis": 300});
    let api = Definition::new()
        .proxy_with("GET", "/silent", &peer.url("/silent"), short.clone())
        .proxy_with("GET", "/drips", &peer.url("/drips"), short.clone())
        .http_with("GET", "/collected", &peer.url("/silent"), short);
    let gateway = Gateway::serving(api);
    for path in ["/silent", "/collected"] {
        let mut client = gateway.client();
        let answer = client.asks(get(path));
        assert_eq!((answer.status, answer.text()), (504, TIMED_OUT), "{path}");
        assert_eq!(peer.saw(), Seen::Closed, "{path}: the upstream call is given up");
    }
    // Its head has left already: all that is left is to cut it off.
    let mut client = gateway.client();
    client.sends(get("/drips"));
    assert_eq!(client.head().status, 200);
    let rest = client.read_to_end().unwrap_or_default();
    assert!(!rest.ends_with(b"0\r\n\r\n"), "a cut answer must not look whole");
    assert_eq!(peer.saw(), Seen::Closed);
}

// -- Connections that are kept ---------------------------------------------------------------------

#[test]
fn connections_to_an_upstream_are_kept() {
    let peer = Peer::answering(OK);
    let gateway = Gateway::serving(greedy(&peer.url("")));
    let mut client = gateway.client();
    for _ in 0..100 {
        assert_eq!(client.asks(get("/a")).text(), "ok");
    }
    assert_eq!(peer.connections(), 1);
    gateway.counts("ringway_upstream_reuses_total", 99.0);
}

#[test]
fn a_body_that_came_with_its_head_leaves_with_it() {
    // Answers the head alone: whatever came after it would be the connection's end.
    let peer = Peer::start(|mut connection| {
        while connection.head().is_some() {
            connection.sends(OK);
            let body = connection.take_received();
            let whole = body == b"{}" || body == b"2\r\n{}\r\n0\r\n\r\n";
            connection.tells(Seen::Said(if whole { "head and body" } else { "a head" }));
            if !whole {
                return;
            }
        }
    });
    let gateway = Gateway::serving(greedy(&peer.url("")));
    let mut client = gateway.client();
    let expecting = post("/a", "{}").replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let chunked = "POST /dev/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
                   2\r\n{}\r\n0\r\n\r\n";
    for request in [&post("/a", "{}"), &expecting, chunked, &post("/a", "{}")] {
        assert_eq!(client.asks(request).text(), "ok", "{request}");
        assert_eq!(peer.saw(), Seen::Said("head and body"), "{request}");
    }
    assert_eq!(peer.connections(), 1);
}

/// Answers one request on its first connection and closes at the second; answers all on later ones.
fn goes_stale() -> Peer {
    Peer::start(|mut connection| {
        let first = connection.number == 0;
        while let Some(request) = connection.request() {
            connection.tells(Seen::Request(request));
            connection.sends(OK);
            if first {
                connection.head();
                return connection.resets();
            }
        }
    })
}

#[test]
fn a_stale_kept_connection_is_tried_again_when_that_is_safe() {
    for method in ["GET", "PUT", "DELETE"] {
        let peer = goes_stale();
        let gateway = Gateway::serving(greedy(&peer.url("")));
        let request = format!("{method} /dev/a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        let mut client = gateway.client();
        for _ in 0..2 {
            assert_eq!(client.asks(&request).text(), "ok", "{method}");
        }
        assert_eq!(peer.connections(), 2, "{method}");
        gateway.counts("ringway_upstream_retries_total", 1.0);
    }
}

#[test]
fn a_post_is_never_sent_twice() {
    let peer = goes_stale();
    let gateway = Gateway::serving(greedy(&peer.url("")));
    let mut client = gateway.client();
    assert_eq!(client.asks(post("/a", "{}")).text(), "ok");
    let answer = client.asks(post("/a", "{}"));
    assert_eq!((answer.status, answer.text()), (504, NETWORK_ERROR));
    assert_eq!(peer.connections(), 1);
    assert_eq!(client.asks(post("/a", "{}")).text(), "ok", "a new connection serves the next");
}

#[test]
fn a_kept_connection_that_its_upstream_has_closed_is_not_used() {
    let (closed, is_closed) = channel();
    let closed = Mutex::new(closed);
    let peer = Peer::start(move |mut connection| {
        connection.request();
        connection.sends(OK);
        drop(connection);
        let _ = closed.lock().expect("no script panics").send(());
    });
    let gateway = Gateway::serving(greedy(&peer.url("")));
    let mut client = gateway.client();
    for index in 0..20 {
        // Even a POST: the close was seen, or the connection is new.
        let answer = client.asks(get(&format!("/{index}")));
        assert_eq!(answer.text(), "ok", "request {index}");
        is_closed.recv_timeout(support::PATIENCE).expect("the upstream closes");
    }
}

// -- Clients that do not behave, or do so oddly ------------------------------------------------------

#[test]
fn a_client_that_resets_cancels_the_upstream_call() {
    let peer = Peer::start(|mut connection| {
        connection.head();
        connection.tells(Seen::Said("asked"));
        connection.waits_for_close();
        connection.tells(Seen::Closed);
    });
    let gateway = Gateway::serving(greedy(&peer.url("")));
    let mut client = gateway.client();
    client.sends(get("/a"));
    assert_eq!(peer.saw(), Seen::Said("asked"));
    client.resets();
    assert_eq!(peer.saw(), Seen::Closed);
    wait_for("the client's end in the figures", || {
        (gateway.metrics().total("ringway_connections") == 0.0).then_some(())
    });
}

#[test]
fn a_client_that_goes_within_its_body_cancels_the_upstream_call() {
    let peer = Peer::start(|mut connection| {
        connection.head();
        connection.tells(Seen::Said("asked"));
        connection.waits_for_close();
        connection.tells(Seen::Closed);
    });
    let gateway = Gateway::serving(greedy(&peer.url("")));
    for resets in [false, true] {
        let mut client = gateway.client();
        client.sends("POST /dev/a HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf");
        assert_eq!(peer.saw(), Seen::Said("asked"));
        if resets {
            client.resets()
        } else {
            drop(client)
        }
        assert_eq!(peer.saw(), Seen::Closed, "resets: {resets}");
    }
}

#[test]
fn a_half_closed_client_gets_its_answer() {
    let (go, may_go) = channel();
    let may_go = Mutex::new(may_go);
    let peer = Peer::start(move |mut connection| {
        let request = connection.request().expect("a request");
        connection.tells(Seen::Request(request));
        may_go.lock().expect("no script panics").recv().expect("the test says so");
        connection.sends(OK);
        connection.waits_for_close();
    });
    let gateway = Gateway::serving(greedy(&peer.url("")));
    let mut client = gateway.client();
    client.sends(post("/a", "{}")).ends();
    assert_eq!(peer.request().body, b"{}");
    go.send(()).expect("the upstream waits");
    assert_eq!(client.answer().text(), "ok");
    client.is_closed();
}

#[test]
fn a_refusal_arrives_although_the_client_is_still_sending() {
    let peer = Peer::answering(OK);
    let gateway = Gateway::serving(greedy(&peer.url("")));
    let size = 24 * 1_024 * 1_024;
    let mut client = gateway.client();
    client.sends(format!("POST /dev/a HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n"));
    let block = vec![b'x'; 65_536];
    for _ in 0..size / block.len() {
        client.sends(&block);
    }
    let answer = client.answer();
    assert_eq!(answer.status, 413);
    assert_eq!(answer.text(), "HTTP content length exceeded 10485760 bytes.");
    client.ends().is_closed();
    assert_eq!(peer.connections(), 0, "the upstream is not bothered");
}

#[test]
fn a_chunked_body_over_the_limit_is_413_and_ends_the_upstream_call() {
    let peer = Peer::start(|mut connection| {
        connection.head();
        connection.waits_for_close();
        connection.tells(Seen::Closed);
    });
    let gateway = Options::new(greedy(&peer.url(""))).limit("payload=100000").start();
    let mut client = gateway.client();
    client.sends("POST /dev/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..200 {
        client.sends(format!("400\r\n{}\r\n", "x".repeat(1_024)));
    }
    assert_eq!(client.answer().status, 413);
    assert_eq!(peer.saw(), Seen::Closed);
}

// -- Under load --------------------------------------------------------------------------------------

#[test]
fn an_upstream_killed_under_load_is_served_again_after_its_restart() {
    let mut nginx = Nginx::start("", r#"location / { return 200 "hello"; }"#);
    let gateway = Options::new(greedy(&nginx.url(""))).shards(2).start();
    let load = Load::wrk(&gateway.url("/a"), 32, 120, &[]);
    gateway.counts("ringway_count_total", 200.0);
    for _ in 0..3 {
        let errors = gateway.metrics().total("ringway_upstream_connect_errors_total");
        nginx.kill();
        gateway.counts("ringway_upstream_connect_errors_total", errors + 100.0);
        nginx.run();
        let fine = || {
            let metrics = gateway.metrics();
            metrics.total("ringway_count_total") - metrics.total("ringway_5xx_error_total")
        };
        let before = fine();
        wait_for("answers of the new nginx", || (fine() >= before + 200.0).then_some(()));
    }
    assert_eq!(gateway.client().asks(get("/a")).text(), "hello");
    let report = load.stop();
    assert_eq!(report.failed, 0, "no client loses its connection: {}", report.text);
    let only = [200, 502, 504];
    assert!(report.statuses.keys().all(|status| only.contains(status)), "{}", report.text);
    assert!(report.answered(504) > 0 && report.answered(200) > 0, "{}", report.text);
}

// -- HTTPS -------------------------------------------------------------------------------------------

/// An nginx with a certificate for `localhost`, and the PEM file of its authority.
fn https_nginx(folder: &Folder) -> (Nginx, String) {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().expect("a key");
    let authority_pem = authority.self_signed(&authority_key).expect("a certificate").pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let names = vec!["localhost".to_owned()];
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(names)
        .and_then(|parameters| parameters.signed_by(&key, &issuer))
        .expect("a certificate");
    let certificate_file = folder.write("server.pem", &certificate.pem());
    let key_file = folder.write("server.key", &key.serialize_pem());
    let authority_file = folder.write("ca.pem", &authority_pem);
    let nginx = Nginx::start(
        "ssl",
        &format!(
            r#"ssl_certificate {};
               ssl_certificate_key {};
               location / {{ return 200 "$scheme $ssl_server_name $http_host $request_method"; }}
               location /big/ {{ alias {}/; }}"#,
            certificate_file.display(),
            key_file.display(),
            folder.file("").display(),
        ),
    );
    (nginx, authority_file.display().to_string())
}

#[test]
fn https_upstreams_are_trusted_by_a_ca_file_or_not_at_all() {
    let folder = Folder::new();
    let (nginx, ca_file) = https_nginx(&folder);
    let port = nginx.address.port();
    let localhost = format!("https://localhost:{port}");
    let trusting = Options::new(greedy(&localhost)).flag("--ca-file", &ca_file).start();
    let mut client = trusting.client();
    for _ in 0..10 {
        let answer = client.asks(get("/a"));
        let words = format!("https localhost localhost:{port} GET");
        assert_eq!((answer.status, answer.text()), (200, &*words));
    }
    let strict = Gateway::serving(greedy(&localhost));
    let answer = strict.client().asks(get("/a"));
    assert_eq!((answer.status, answer.text()), (504, NETWORK_ERROR), "nobody knows that authority");
    // The certificate is for `localhost`, not for this address.
    let address = format!("https://127.0.0.1:{port}");
    let named = Options::new(greedy(&address)).flag("--ca-file", &ca_file).start();
    assert_eq!(named.client().asks(get("/a")).status, 504);
    let careless = json!({"tlsConfig": {"insecureSkipVerification": true}});
    let careless = Gateway::serving(Definition::new().proxy_with(
        "ANY",
        "/{proxy+}",
        &format!("{address}/{{proxy}}"),
        careless,
    ));
    assert_eq!(careless.client().asks(get("/a")).status, 200);
}

#[test]
fn large_bodies_pass_through_https() {
    let folder = Folder::new();
    let (nginx, ca_file) = https_nginx(&folder);
    let text: String = (0..200_000).map(|number| format!("{number:>9}\n")).collect();
    folder.write("numbers", &text);
    let gateway = Options::new(greedy(&format!("https://localhost:{}", nginx.address.port())))
        .flag("--ca-file", &ca_file)
        .start();
    let mut client = gateway.client();
    for _ in 0..3 {
        let answer = client.asks(get("/big/numbers"));
        assert_eq!(answer.status, 200);
        assert!(answer.body == text.as_bytes(), "{} bytes differ", answer.body.len());
    }
}

#[test]
fn a_plain_upstream_behind_https_is_504() {
    let peer = Peer::start(|mut connection| {
        connection.sends("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        connection.waits_for_close();
    });
    let gateway = Gateway::serving(greedy(&format!("https://{}", peer.address)));
    let answer = gateway.client().asks(get("/a"));
    assert_eq!((answer.status, answer.text()), (504, NETWORK_ERROR));
}

#[test]
fn one_hundred_clients_at_once_get_their_own_answers() {
    let python = Python::start();
    let gateway = Options::new(greedy(&python.url(""))).shards(2).start();
    let mut clients: Vec<Client> = (0..100).map(|_| gateway.client()).collect();
    for round in 0..5 {
        for (index, client) in clients.iter_mut().enumerate() {
            let body = "x".repeat(index * 100);
            client.sends(post(&format!("/echo/{round}/{index}"), &body));
        }
        for (index, client) in clients.iter_mut().enumerate() {
            let echo = echoed(&client.answer());
            assert_eq!(echo["target"], json!(format!("/echo/{round}/{index}")));
            assert_eq!(echo["body"].as_str().map(str::len), Some(index * 100));
        }
    }
}
