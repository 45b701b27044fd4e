//! Heap allocations of a whole shard per request, once it is warm: none for a MOCK, with a template
//! or without, at most two for an
//! HTTP_PROXY.
//!
//! The shard's thread counts what it allocates from its start to its end. Two runs that differ by a
//! number of requests differ by what those requests cost.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::tests::{api, apply, method, mock, prepare, proxy};
use super::{MAILBOX_CAPACITY, ShardMessage, run};
use crate::limits::Limits;
use crate::model::{MethodName, RestApi};
use crate::ring::{Mailbox, Ring, RingConfig};

const REQUESTS: u64 = 2_000;
/// What comes by time and not by request: housekeeping, a table that grows.
const STRAY_MAX: u64 = REQUESTS / 50;

/// Allocations of a shard that serves so many requests, one after the other on one connection, each
/// with this answer's end.
fn allocations(api: &RestApi, path: &str, ends_with: &[u8], requests: u64) -> u64 {
    let (config, batch, address) = prepare(api, Limits::default(), None);
    let Mailbox { sender, receiver } = Mailbox::new(MAILBOX_CAPACITY).unwrap();
    let shard = std::thread::spawn(move || {
        let ring = Ring::new(RingConfig::default()).unwrap();
        allocation_counter::measure(|| run(&ring, config, receiver).unwrap()).count_total
    });
    assert!(sender.send(apply(batch)).is_ok());
    ask(address, path, ends_with, requests);
    assert!(sender.send(ShardMessage::Drain { deadline: None }).is_ok());
    shard.join().unwrap()
}

fn ask(address: SocketAddr, path: &str, ends_with: &[u8], requests: u64) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\n\r\n");
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
    let few = allocations(api, path, ends_with, 100);
    let many = allocations(api, path, ends_with, 100 + REQUESTS);
    many.saturating_sub(few)
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
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut buffer = [0; 4_096];
            let mut length = 0;
            while let Ok(count @ 1..) = stream.read(&mut buffer[length..]) {
                length += count;
                if buffer[..length].ends_with(b"\r\n\r\n") {
                    length = 0;
                    let answer = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\n[1,2]";
                    if stream.write_all(answer).is_err() {
                        break;
                    }
                }
            }
        }
    });
    let integration = proxy(&format!("http://{upstream}/{{proxy}}"));
    let api = api(vec![("/{proxy+}", MethodName::Any, method(integration))]);
    let cost = cost(&api, "/dev/pets/7?q=1", b"\r\n\r\n[1,2]");
    println!("{cost} allocations in {REQUESTS} HTTP_PROXY requests");
    assert!(cost <= 2 * REQUESTS + STRAY_MAX, "{cost} allocations in {REQUESTS} requests");
}
