//! Every request of `ringway::http::hostile` through real sockets: refused with its status however it is
//! cut, and the next good request on another connection succeeds.

mod support;

use ringway::http::hostile::HOSTILE;
use serde_json::json;

use support::{Definition, Gateway, Peer, get, post};

/// Heads longer than this are cut in this many places instead of at every byte.
const CUTS_MAX: usize = 400;

/// A MOCK that reads its body, so that what is wrong with the body is seen.
fn api() -> Definition {
    let responses = json!({
        "default": {"statusCode": "200", "responseTemplates": {"application/json": "fine"}},
    });
    Definition::new()
        .method("POST", "/pets", &["200"], json!({"type": "mock", "responses": responses}))
        .mock("GET", "/pets", 200, "fine")
}

fn is_well(gateway: &Gateway, after: &str) {
    let mut other = gateway.client();
    let answer = other.asks(post("/pets", "{\"statusCode\": 200}"));
    assert_eq!((answer.status, answer.text()), (200, "fine"), "after {after}");
}

fn refuses(gateway: &Gateway, pieces: &[&[u8]], what: &str, status: u16) {
    let mut client = gateway.client();
    for piece in pieces {
        // What was refused by its first bytes need not take the others.
        client.tries_to_send(piece);
    }
    let answer = client.try_answer().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(answer.status, status, "{what}: {answer:?}");
    assert_eq!(answer.header("Connection"), Some("close"), "{what}");
    client.ends().is_closed();
}

#[test]
fn hostile_requests_are_refused_and_the_next_client_notices_nothing() {
    let gateway = Gateway::serving(api());
    for &(what, bytes, status) in HOSTILE {
        refuses(&gateway, &[bytes], what, status);
        is_well(&gateway, what);
    }
    assert!(HOSTILE.len() >= 150);
}

#[test]
fn hostile_requests_are_refused_however_they_are_cut() {
    let gateway = Gateway::serving(api());
    for &(what, bytes, status) in HOSTILE {
        for at in (1..bytes.len()).step_by(bytes.len().div_ceil(CUTS_MAX)) {
            let what = format!("{what}, cut at {at}");
            refuses(&gateway, &[&bytes[..at], &bytes[at..]], &what, status);
        }
        is_well(&gateway, what);
    }
}

#[test]
fn what_follows_a_hostile_request_is_never_answered() {
    let gateway = Gateway::serving(api());
    for &(what, bytes, status) in HOSTILE {
        let mut client = gateway.client();
        let smuggled = get("/pets").repeat(3);
        client.tries_to_send([bytes, smuggled.as_bytes()].concat());
        let answer = client.try_answer().unwrap_or_else(|error| panic!("{what}: {error}"));
        // What has no end of its own takes some of what follows to its end; a refusal it stays.
        assert!(answer.status == status || answer.status >= 400, "{what}: {answer:?}");
        client.ends().is_closed();
    }
}

#[test]
fn nothing_hostile_reaches_an_upstream() {
    let peer = Peer::start(|mut connection| {
        while let Some(request) = connection.head() {
            connection.tells(support::Seen::Request(request));
            connection.sends("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let gateway =
        Gateway::serving(Definition::new().proxy("ANY", "/{proxy+}", &peer.url("/{proxy}")));
    for &(what, bytes, status) in HOSTILE {
        let head =
            bytes.windows(4).position(|end| end == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
        let body = &bytes[head..];
        // A broken body is found when its head has left already; all else must not get that far.
        if !body.is_empty() && bytes[..head].ends_with(b"chunked\r\n\r\n") {
            continue;
        }
        refuses(&gateway, &[bytes], what, status);
    }
    assert_eq!(peer.connections(), 0);
}
