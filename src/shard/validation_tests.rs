//! Bodies judged by models through whole shards: however they come, and whatever reads them next.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use super::tests::{Served, api, method, mock, prepare, proxy};
use crate::limits::Limits;
use crate::model::{
    GatewayResponse, Integration, MethodName, Model, RequestValidator, ResponseType, RestApi,
};
use crate::ring::RingConfig;
use crate::telemetry::{AccessLogFormat, LogQueue};

const PET: &str = r#"{"type":"object","required":["name"],"properties":{
    "name":{"type":"string","maxLength":300000},"age":{"type":"integer"}}}"#;

fn shop(path: &str, integration: Integration) -> RestApi {
    let mut method = method(integration);
    method.request_validator = Some("body".to_owned());
    method.request_models.insert("application/json".to_owned(), "Pet".to_owned());
    let mut api = api(vec![(path, MethodName::Any, method)]);
    let validator = RequestValidator { validate_request_body: true, ..RequestValidator::default() };
    api.request_validators.insert("body".to_owned(), validator);
    api.models.insert("Pet".to_owned(), Model { schema: PET.to_owned(), ..Model::default() });
    api
}

/// A MOCK whose template reads the body.
fn echo() -> Integration {
    let mut integration = mock("$context.requestOverride.header.name");
    let template = "#set($context.requestOverride.header.name = $input.path('$.name'))\
                    {\"statusCode\": 200}";
    integration.request_templates = [("application/json".to_owned(), template.to_owned())].into();
    integration
}

fn serve(api: &RestApi, limits: Limits) -> Served {
    let (config, batch, address) = prepare(api, limits, None);
    Served::run(config, batch, address, RingConfig::default())
}

fn post(target: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn ask(served: &Served, request: &[u8]) -> (String, String) {
    let mut stream = served.connect();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].to_owned(), body.to_owned())
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_body_is_judged_however_it_comes_and_a_template_reads_it_after() {
    let mut api = shop("/pets", echo());
    let details = "$context.error.message: $context.error.validationErrorString";
    let template = [("application/json".to_owned(), details.to_owned())].into();
    let response = GatewayResponse { response_templates: template, ..GatewayResponse::default() };
    api.gateway_responses.insert(ResponseType::BadRequestBody, response);
    let mut limits = Limits::default();
    limits.set("held-body=1MiB").unwrap();
    let served = serve(&api, limits);
    let good = br#"{"name":"Ann","age":7}"#;
    let missing = r#"[object has missing required properties (["name"])]"#;
    let refused = |details: &str| ("400".to_owned(), format!("Invalid request body: {details}"));
    let ok = |name: &str| ("200".to_owned(), name.to_owned());
    let unreadable = refused("[Unknown error parsing request body]");
    for (headers, body, want) in [
        ("", good.to_vec(), ok("Ann")),
        ("Content-Encoding: gzip\r\n", gzip(good), ok("Ann")),
        ("Content-Encoding: gzip\r\n", gzip(b"{}"), refused(missing)),
        ("", b"{}".to_vec(), refused(missing)),
        ("", Vec::new(), unreadable.clone()),
        ("", b"{name: Ann}".to_vec(), unreadable),
        (
            "",
            format!("{{\"name\":\"{}\"}}", "x".repeat(200_000)).into_bytes(),
            ok(&"x".repeat(200_000)),
        ),
    ] {
        let (status, answer) = ask(&served, &post("/dev/pets", headers, &body));
        let shown = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
        assert_eq!((status, answer), want, "{headers} {shown}");
    }
    // Of another media type nobody asks anything: it is the MOCK's template now, and has no status.
    let xml = post("/dev/pets", "Content-Type: application/xml\r\n", b"<pet/>");
    assert_eq!(ask(&served, &xml).0, "500");
    let chunked = "POST /dev/pets HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
                   Transfer-Encoding: chunked\r\n\r\n9\r\n{\"name\":\"\r\n5\r\nAnn\"}\r\n0\r\n\r\n";
    assert_eq!(ask(&served, chunked.as_bytes()), ok("Ann"));
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(2 << 20));
    let (status, answer) = ask(&served, &post("/dev/pets", "", large.as_bytes()));
    assert_eq!((&*status, &*answer), ("413", "HTTP content length exceeded 1048576 bytes."));
    let bomb = post("/dev/pets", "Content-Encoding: gzip\r\n", &gzip(large.as_bytes()));
    assert_eq!(ask(&served, &bomb).0, "413");
    let coded = post("/dev/pets", "Content-Encoding: br\r\n", good);
    assert_eq!(ask(&served, &coded).0, "415");
    // A method without a body is judged, too.
    let get = "GET /dev/pets HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    assert_eq!(ask(&served, get.as_bytes()).0, "400");
}

#[test]
fn an_access_log_that_shows_it_has_why_a_body_was_refused() {
    for (format, want) in [
        ("$context.status $context.error.validationErrorString", "400 [object has missing"),
        ("$context.status $context.error.message", "400 Invalid request body"),
    ] {
        let queue = Arc::new(LogQueue::new());
        let format = Arc::new(AccessLogFormat::parse(format).unwrap());
        let api = shop("/pets", echo());
        let (mut config, batch, address) = prepare(&api, Limits::default(), Some(format));
        config.log = Some(Arc::clone(&queue));
        let served = Served::run(config, batch, address, RingConfig::default());
        assert_eq!(ask(&served, &post("/dev/pets", "", b"{}")).0, "400");
        drop(served);
        let mut lines = String::new();
        while let Some((batch, _)) = queue.pop() {
            lines.push_str(&String::from_utf8(batch).unwrap());
        }
        assert!(lines.starts_with(want), "{lines}");
    }
}

#[test]
fn a_backend_gets_the_body_that_was_judged_and_nothing_of_one_that_was_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let backend = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut all, mut buffer) = (Vec::new(), [0; 4_096]);
        let mut seen = Vec::new();
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            all.extend_from_slice(&buffer[..count]);
            let text = String::from_utf8_lossy(&all).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.split("Content-Length: ").nth(1).unwrap();
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            if body.len() == length {
                seen.push(body.to_owned());
                all.clear();
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
            }
        }
        seen
    });
    let api = shop("/{proxy+}", proxy(&format!("http://{address}/{{proxy}}")));
    let served = serve(&api, Limits::default());
    for (headers, body, want) in [
        ("", br#"{ "name" : "Ann" }"#.to_vec(), "200"),
        ("", br#"{"age":1}"#.to_vec(), "400"),
        ("Content-Encoding: gzip\r\n", gzip(br#"{"name":"Bob"}"#), "200"),
        // It has come already, so nobody is told to go on.
        ("Expect: 100-continue\r\n", br#"{"name":"Cid"}"#.to_vec(), "200"),
    ] {
        let (status, _) = ask(&served, &post("/dev/pets", headers, &body));
        // What asks for it is told to go on first, unless its body is there already.
        let goes_on = headers.starts_with("Expect") && status == "100";
        assert!(status == want || goes_on, "{headers}: {status}");
    }
    drop(served);
    let seen = backend.join().unwrap();
    assert_eq!(seen, [r#"{ "name" : "Ann" }"#, r#"{"name":"Bob"}"#, r#"{"name":"Cid"}"#]);
}
