//! Tests whose methods have a backend.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use super::*;
use crate::ring::Mailbox;
use crate::ring::sim::{Answering, Sim, SimConfig, SimLink, SimPeer};
use crate::shard::tests::upstream;
use crate::shard::{MAILBOX_CAPACITY, run as run_shard};

/// HTTP with templates, a mapped answer and a default.
fn http(address: SocketAddr) -> String {
    format!(
        r#"
  /orders/{{id}}:
    parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}]
    post:
      parameters: [{{name: puppies, in: header, schema: {{type: string}}}}]
      responses:
        '200': {{description: fine, headers: {{X-Made: {{schema: {{type: string}}}}}}}}
        '404': {{description: none}}
      x-amazon-apigateway-integration:
        type: http
        httpMethod: PUT
        uri: http://{address}/x/{{id}}
        requestParameters:
          integration.request.path.id: method.request.path.id
          integration.request.header.DogsAge0: method.request.header.puppies
          integration.request.querystring.q: "'a b'"
        requestTemplates: {{application/json: '{{"n":$input.json("$.name")}}'}}
        responses:
          '200':
            statusCode: '200'
            responseParameters: {{method.response.header.X-Made: integration.response.header.X-Own}}
            responseTemplates: {{application/json: '{{"made":$input.json("$.id")}}'}}
          '404': {{statusCode: '404'}}
          '5\d{{2}}': {{statusCode: '502'}}
"#
    )
}

/// A backend that answers with the status in the path, and a JSON body.
fn backend() -> SocketAddr {
    let answer = |head: &str| {
        let status = head.split(['/', '?']).nth(2)?.to_owned();
        let body = "{\"id\":7,\n\"x\":1}";
        let length = body.len();
        Some(
            format!(
                "HTTP/1.1 {status} X\r\nX-Own: 1\r\nX-Own: 2\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .into(),
        )
    };
    upstream(answer).0
}

const HTTP_LOG: &str = "
Starting execution for request: ID
HTTP Method: POST, Resource Path: /orders/STATUS
Method request path: {id=STATUS}
Method request query string: {}
Method request headers: {puppies=true}
Method request body before transformations: {\"name\": \"John\"}
Endpoint request URI: http://127.0.0.1:PORT/x/STATUS?q=a%20b
Endpoint request headers: {DogsAge0=true, Content-Type=application/json, \
     x-amzn-apigateway-api-id=@, Accept=application/json, User-Agent=AmazonAPIGateway_@, \
     X-Amzn-Trace-Id=Root=1-T}
Endpoint request body after transformations: {\"n\":\"John\"}
Sending request to http://127.0.0.1:PORT/x/STATUS?q=a%20b
Received response. Status: STATUS, Integration latency: N ms
Endpoint response headers: {X-Own=1,2, Content-Length=15}
Endpoint response body before transformations: {\"id\":7,
\"x\":1}";

#[test]
fn http_tells_what_the_endpoint_got_and_gave() {
    let (address, shard) = (backend(), Testing::start());
    let stage = stage(&http(address));
    for (status, rest) in [
        (
            "200",
            "
Method response body after transformations: {\"made\":7}
Method response headers: {X-Amzn-Trace-Id=Root=1-T, X-Made=2, Content-Type=application/json}
Successfully completed execution
Method completed with status: 200",
        ),
        (
            "404",
            "
Method response body after transformations: {\"id\":7,
\"x\":1}
Method response headers: {X-Amzn-Trace-Id=Root=1-T, Content-Type=application/json}
Successfully completed execution
Method completed with status: 404",
        ),
        (
            "302",
            "
Execution failed due to configuration error: No match for output mapping and no default output \
             mapping configured. Endpoint Response Status Code: 302
Method completed with status: 500",
        ),
        (
            "503",
            "
Execution failed due to configuration error: Output mapping refers to an invalid method response: \
             502
Method completed with status: 500",
        ),
    ] {
        let mut test = test(&stage, MethodName::Post, Some(&format!("/orders/{status}")));
        test.headers.push(("puppies".to_owned(), " true ".to_owned()));
        test.body = b"{\"name\": \"John\"}".to_vec();
        let outcome = shard.run(test).unwrap();
        let log = HTTP_LOG.replace("STATUS", status).replace('@', &stage.api_id) + rest;
        assert_log(&outcome, &log);
    }
}

pub(super) fn proxy(uri: &str) -> Arc<CompiledStage> {
    stage(&format!(
        "
  /any/{{proxy+}}:
    parameters: [{{name: proxy, in: path, required: true, schema: {{type: string}}}}]
    x-amazon-apigateway-any-method:
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: ANY
        uri: '{uri}'
        requestParameters: {{integration.request.path.proxy: method.request.path.proxy}}
        timeoutInMillis: 5000
"
    ))
}

#[test]
fn http_proxy_is_collected_whole_and_told_in_part() {
    const CHUNKS: usize = 3_000;
    let (address, _) = upstream(|_| {
        let mut answer = b"HTTP/1.1 201 Created\r\nServer: x\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\
            Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
        for _ in 0..CHUNKS {
            answer.extend_from_slice(b"400\r\n");
            answer.extend_from_slice("\u{fc}".repeat(512).as_bytes());
            answer.extend_from_slice(b"\r\n");
        }
        answer.extend_from_slice(b"0\r\n\r\n");
        Some(answer)
    });
    let stage = proxy(&format!("http://{address}/x/{{proxy}}"));
    let shard = Testing::start();
    let mut test = test(&stage, MethodName::Get, Some("/any/a?b=1"));
    // What `Connection` names goes no further, here as in any request.
    for (name, value) in [("Accept", "text/plain"), ("Connection", "X-Hop"), ("X-Hop", "1")] {
        test.headers.push((name.to_owned(), value.to_owned()));
    }
    let outcome = shard.run(test).unwrap();
    let api_id = &stage.api_id;
    // 1 024 bytes a line, and no half characters.
    let shown =
        |name: &str| format!("{name}{} [TRUNCATED]", "\u{fc}".repeat((1_024 - name.len()) / 2));
    assert_log(
        &outcome,
        &format!(
            "
Starting execution for request: ID
HTTP Method: GET, Resource Path: /any/a
Method request path: {{proxy=a}}
Method request query string: {{b=1}}
Method request headers: {{Accept=text/plain, Connection=X-Hop, X-Hop=1}}
Method request body before transformations: 
Endpoint request URI: http://127.0.0.1:PORT/x/a?b=1
Endpoint request headers: {{x-amzn-apigateway-api-id={api_id}, Accept=text/plain, \
             User-Agent=AmazonAPIGateway_{api_id}, X-Amzn-Trace-Id=Root=1-T}}
Endpoint request body after transformations: 
Sending request to http://127.0.0.1:PORT/x/a?b=1
Received response. Status: 201, Integration latency: N ms
Endpoint response headers: {{Server=x, Set-Cookie=a,b, Content-Type=text/plain, \
             Transfer-Encoding=chunked}}
{}
{}
Method response headers: {{x-amzn-Remapped-Server=x, Set-Cookie=a,b, Content-Type=text/plain}}
Successfully completed execution
Method completed with status: 201",
            shown("Endpoint response body before transformations: "),
            shown("Method response body after transformations: "),
        ),
    );
    assert_eq!(outcome.status, 201);
    assert_eq!(outcome.body.len(), CHUNKS * 1_024);
    assert_eq!(
        headers(&outcome),
        [
            ("x-amzn-Remapped-Server", "x"),
            ("Set-Cookie", "a"),
            ("Set-Cookie", "b"),
            ("Content-Type", "text/plain"),
        ]
    );
}

#[test]
fn a_body_for_a_proxy_is_sent_and_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let received = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut received, mut buffer) = (Vec::new(), [0; 4_096]);
        while !received.ends_with(b"tail") {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the gateway ended");
            received.extend_from_slice(&buffer[..count]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        String::from_utf8(received).unwrap()
    });
    let stage = proxy(&format!("http://{address}/{{proxy}}"));
    let mut test = test(&stage, MethodName::Put, Some("any/a"));
    test.body = format!("{}tail", "b".repeat(100_000)).into_bytes();
    let body = test.body.clone();
    let outcome = Testing::start().run(test).unwrap();
    let received = received.join().unwrap();
    assert!(received.starts_with("PUT /a HTTP/1.1\r\n"), "{received:.200}");
    assert!(received.contains("\r\nContent-Length: 100004\r\n"), "{received:.500}");
    assert!(!received.contains("X-Forwarded"), "there is no client: {received:.500}");
    assert!(received.as_bytes().ends_with(&body));
    assert_eq!((outcome.status, outcome.body.len()), (204, 0));
    let told = lines(&outcome);
    for name in [
        "Method request body before transformations: ",
        "Endpoint request body after transformations: ",
    ] {
        let want = format!("{name}{} [TRUNCATED]", "b".repeat(1_024 - name.len()));
        assert!(told.contains(&want), "{told:#?}");
    }
}

#[test]
fn a_refused_connection_is_a_network_error() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let stage = proxy(&format!("http://{address}/{{proxy}}"));
    let outcome = Testing::start().run(test(&stage, MethodName::Get, Some("/any/a"))).unwrap();
    let told = lines(&outcome);
    assert_eq!(
        told[told.len() - 3..],
        [
            "Sending request to http://127.0.0.1:PORT/a",
            "Execution failed due to a network error communicating with endpoint: the connection \
             could not be made",
            "Method completed with status: 504",
        ]
    );
    assert_eq!(outcome.body, b"{\"message\": \"Network error communicating with endpoint\"}");
    assert_eq!(headers(&outcome), [("x-amzn-ErrorType", "InternalServerErrorException")]);
}

#[test]
fn an_endpoint_that_says_nothing_is_a_timeout() {
    let sim = Sim::new(SimConfig::calm(1));
    let ring = sim.ring(RingConfig { recv_bufs: 16, bulk_bufs: 2 });
    struct Mute;
    impl SimPeer for Mute {
        fn act(&mut self, link: &mut SimLink<'_>) -> Option<Duration> {
            link.read(usize::MAX);
            if link.ended() || link.was_reset() {
                link.close();
            }
            None
        }
    }
    sim.server("10.0.0.1:80".parse().unwrap(), |_| Answering::Accepts(Box::new(Mute)));
    let Mailbox { sender, receiver } = Mailbox::new(MAILBOX_CAPACITY).unwrap();
    let stage = proxy("http://10.0.0.1/{proxy}");
    let (told, result) = mpsc::channel();
    let reply = TestReply::new({
        let sender = sender.clone();
        move |it| {
            told.send(it).unwrap();
            assert!(sender.send(ShardMessage::Drain { deadline: None }).is_ok());
        }
    });
    let test = Box::new(test(&stage, MethodName::Get, Some("/any/a")));
    assert!(sender.send(ShardMessage::TestInvoke(test, reply)).is_ok());
    let (config, ..) = prepare(&crate::model::RestApi::default(), Limits::default(), None);
    run_shard(&ring, config, receiver).unwrap();
    let outcome = result.recv().unwrap().unwrap();
    let told = lines(&outcome);
    assert_eq!(
        told[told.len() - 3..],
        [
            "Sending request to http://10.0.0.1/a",
            "Execution failed due to a timeout error",
            "Method completed with status: 504",
        ]
    );
    assert_eq!(outcome.body, b"{\"message\": \"Endpoint request timed out\"}");
    assert!(outcome.latency.abs_diff(Duration::from_secs(5)) < Duration::from_millis(100));
}

#[test]
fn head_has_no_body_and_the_length_of_none() {
    let stage = proxy(&format!("http://{}/x/{{proxy}}", backend()));
    let outcome = Testing::start().run(test(&stage, MethodName::Head, Some("/any/200"))).unwrap();
    assert_eq!((outcome.status, outcome.body.len()), (200, 0));
    assert!(outcome.log.contains("HTTP Method: HEAD"), "{}", outcome.log);
}

#[test]
fn stage_variables_are_those_of_the_call() {
    let address = backend().to_string();
    let paths = "
  /:
    get:
      x-amazon-apigateway-integration:
        {type: http_proxy, httpMethod: GET, uri: 'http://${stageVariables.host}/x/200'}";
    let stage = stage_with(paths, "", &[("host", &address)], Limits::default());
    let outcome = Testing::start().run(test(&Arc::new(stage), MethodName::Get, None)).unwrap();
    assert_eq!(outcome.status, 200);
    let headers: BTreeMap<_, _> = headers(&outcome).into_iter().collect();
    assert_eq!(headers["X-Own"], "2");
}

#[test]
fn a_response_template_that_fails_is_told_behind_the_answer_it_could_not_map() {
    let stage = stage(&http(backend()).replace("$.id", "$.id["));
    let mut test = test(&stage, MethodName::Post, Some("/orders/200"));
    test.body = b"{\"name\": \"John\"}".to_vec();
    let outcome = Testing::start().run(test).unwrap();
    let told = lines(&outcome);
    let [.., body, error, status] = &told[..] else { panic!("{told:?}") };
    assert_eq!(body, "Endpoint response body before transformations: {\"id\":7,\n\"x\":1}");
    let start = "Execution failed due to configuration error: Unable to transform response: ";
    assert!(error.starts_with(start), "{error}");
    assert_eq!(status, "Method completed with status: 500");
    assert_eq!(headers(&outcome), [("x-amzn-ErrorType", "InternalServerErrorException")]);
}

#[test]
fn an_answer_that_nobody_reads_is_told_all_the_same() {
    // The template ignores the body: without a log it would be dropped unread.
    let stage = stage(&http(backend()).replace("$input.json(\"$.id\")", "8"));
    let mut test = test(&stage, MethodName::Post, Some("/orders/200"));
    test.body = b"{}".to_vec();
    let outcome = Testing::start().run(test).unwrap();
    assert_eq!(outcome.body, b"{\"made\":8}");
    let told = "Endpoint response body before transformations: {\"id\":7,\n\"x\":1}\n";
    assert!(outcome.log.contains(told), "{}", outcome.log);
}
