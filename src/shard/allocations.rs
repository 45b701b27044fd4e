//! Heap allocations of a whole shard per request, once it is warm: none for a MOCK, with a template
//! or without, at most two for an HTTP_PROXY, and as many for one with an API key, a usage plan, a
//! required parameter, a body that is judged by a model, and an access log.
//!
//! The shard's thread counts what it allocates from its start to its end. Two runs that differ by a
//! number of requests differ by what those requests cost.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use super::tests::{api, apply, method, mock, prepare, proxy};
use super::usage_tests::{KEY, usage};
use super::{MAILBOX_CAPACITY, ShardMessage, run};
use crate::limits::Limits;
use crate::model::{MethodName, Model, RequestValidator, RestApi};
use crate::ring::{Mailbox, Ring, RingConfig};
use crate::telemetry::{AccessLogFormat, LogQueue};
use crate::usage::UsagePlans;

const REQUESTS: u64 = 2_000;
/// What comes by time and not by request: housekeeping, a table that grows.
const STRAY_MAX: u64 = REQUESTS / 50;

/// Allocations of a shard that serves so many requests, one after the other on one connection, each
/// with this answer's end.
fn allocations(asked: &Asked<'_>, requests: u64) -> u64 {
    let format = asked.access_log.map(|name| Arc::new(AccessLogFormat::preset(name).unwrap()));
    let (mut config, batch, address) = prepare(asked.api, Limits::default(), format);
    config.usage = Arc::clone(&asked.usage);
    let queue = Arc::new(LogQueue::new());
    config.log = asked.access_log.map(|_| Arc::clone(&queue));
    let Mailbox { sender, receiver } = Mailbox::new(MAILBOX_CAPACITY).unwrap();
    let shard = std::thread::spawn(move || {
        let ring = Ring::new(RingConfig::default()).unwrap();
        allocation_counter::measure(|| run(&ring, config, receiver).unwrap()).count_total
    });
    assert!(sender.send(apply(batch)).is_ok());
    ask(address, &asked.request, asked.ends_with, requests);
    assert!(sender.send(ShardMessage::Drain { deadline: None }).is_ok());
    shard.join().unwrap()
}

/// What is asked of which shard.
struct Asked<'a> {
    api: &'a RestApi,
    usage: Arc<UsagePlans>,
    /// Preset of its format.
    access_log: Option<&'static str>,
    request: String,
    ends_with: &'a [u8],
}

fn ask(address: SocketAddr, request: &str, ends_with: &[u8], requests: u64) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut buffer = [0; 4_096];
    for number in 0..requests {
        stream.write_all(request.as_bytes()).unwrap();
        let mut length = 0;
        while !buffer[..length].ends_with(ends_with) {
            let count = stream.read(&mut buffer[length..]).unwrap();
            assert!(count > 0, "closed at request {number}");
            length += count;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200 "), "request {number}");
    }
}

/// Allocations that each of [`REQUESTS`] more requests cost, times [`REQUESTS`].
fn cost(api: &RestApi, path: &str, ends_with: &[u8]) -> u64 {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\n\r\n");
    cost_of(&Asked { api, usage: Arc::default(), access_log: None, request, ends_with })
}

fn cost_of(asked: &Asked<'_>) -> u64 {
    let few = allocations(asked, 100);
    let many = allocations(asked, 100 + REQUESTS);
    many.saturating_sub(few)
}

/// A backend that answers every request, whose body of `length` bytes comes behind its head.
fn backend(length: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut buffer = [0; 8_192];
            let mut filled = 0;
            while let Ok(count @ 1..) = stream.read(&mut buffer[filled..]) {
                filled += count;
                let head = buffer[..filled].windows(4).position(|it| it == b"\r\n\r\n");
                if head.is_some_and(|at| filled == at + 4 + length) {
                    filled = 0;
                    let answer = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\n[1,2]";
                    if stream.write_all(answer).is_err() {
                        break;
                    }
                }
            }
        }
    });
    upstream
}

#[test]
fn a_mock_request_allocates_nothing() {
    let api = api(vec![("/pets/{id}", MethodName::Get, method(mock("[1,2]")))]);
    let cost = cost(&api, "/dev/pets/7?q=1", b"\r\n\r\n[1,2]");
    println!("{cost} allocations in {REQUESTS} MOCK requests");
    assert!(cost <= STRAY_MAX, "{cost} allocations in {REQUESTS} requests");
}

#[test]
fn a_templated_mock_request_allocates_nothing() {
    let template = "{\"id\":\"$input.params('id')\",\"q\":\"$input.params('q')\",\
                    \"agent\":\"$context.identity.userAgent\",\"path\":\"$context.path\",\
                    \"stage\":\"$context.stage\"}";
    let api = api(vec![("/pets/{id}", MethodName::Get, method(mock(template)))]);
    let answer = br#"{"id":"a b","q":"1","agent":"test","path":"/dev/pets/a%20b","stage":"dev"}"#;
    let cost = cost(&api, "/dev/pets/a%20b?q=1", answer);
    println!("{cost} allocations in {REQUESTS} requests of a MOCK with a template");
    assert!(cost <= STRAY_MAX, "{cost} allocations in {REQUESTS} requests");
}

#[test]
fn an_http_proxy_request_allocates_at_most_twice() {
    let upstream = backend(0);
    let integration = proxy(&format!("http://{upstream}/{{proxy}}"));
    let api = api(vec![("/{proxy+}", MethodName::Any, method(integration))]);
    let cost = cost(&api, "/dev/pets/7?q=1", b"\r\n\r\n[1,2]");
    println!("{cost} allocations in {REQUESTS} HTTP_PROXY requests");
    assert!(cost <= 2 * REQUESTS + STRAY_MAX, "{cost} allocations in {REQUESTS} requests");
}

#[test]
fn a_key_a_plan_and_a_judged_body_allocate_nothing_more() {
    const BODY: &str = r#"{"name":"Ann \u00e9","age":7,"tags":["a","b"],"address":{"city":"Ulm"}}"#;
    let upstream = backend(BODY.len());
    let mut keyed = method(proxy(&format!("http://{upstream}/{{proxy}}")));
    keyed.api_key_required = true;
    keyed.request_validator = Some("all".to_owned());
    keyed.request_parameters.insert("method.request.querystring.q".to_owned(), true);
    keyed.request_models.insert("application/json".to_owned(), "Pet".to_owned());
    let mut api = api(vec![("/{proxy+}", MethodName::Any, keyed)]);
    let all = RequestValidator {
        validate_request_body: true,
        validate_request_parameters: true,
        ..RequestValidator::default()
    };
    api.request_validators.insert("all".to_owned(), all);
    let schema = r#"{"type":"object","required":["name","tags"],"properties":{
        "name":{"type":"string","pattern":"^[A-Z]"},"age":{"type":"integer"},
        "tags":{"type":"array","uniqueItems":true,"items":{"enum":["a","b"]}},
        "address":{"type":"object","additionalProperties":false,"properties":{"city":{}}}}}"#;
    api.models.insert("Pet".to_owned(), Model { schema: schema.to_owned(), ..Model::default() });
    let request = format!(
        "POST /dev/pets/7?q=1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nx-api-key: {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let cost = cost_of(&Asked {
        api: &api,
        usage: usage(1_000_000, 1_000_000),
        access_log: Some("json"),
        request,
        ends_with: b"\r\n\r\n[1,2]",
    });
    println!("{cost} allocations in {REQUESTS} requests with everything on");
    assert!(cost <= 2 * REQUESTS + STRAY_MAX, "{cost} allocations in {REQUESTS} requests");
}
