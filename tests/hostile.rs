//! Every request of `ringway::http::hostile` through real sockets: refused with its status however it is
//! cut, and the next good request on another connection succeeds.

mod support;

use ringway::http::hostile::HOSTILE;
use ringway::telemetry::AccessLogFormat;
use serde_json::json;

use support::{Definition, Gateway, Options, Peer, get, post};

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
    assert!(HOSTILE.len() >= 150);
    let all = support::every_variable();
    for format in AccessLogFormat::PRESET_NAMES.into_iter().chain([all.as_str()]) {
        let gateway = Options::new(api()).logged_as(format).start();
        for &(what, bytes, status) in HOSTILE {
            refuses(&gateway, &[bytes], what, status);
            is_well(&gateway, what);
        }
    }
}

#[test]
fn a_refused_request_is_logged_without_what_was_not_understood() {
    let folder = support::Folder::new();
    let file = folder.file("access.log");
    let format = "$context.httpMethod|$context.path|$context.domainName|\
                  $context.identity.userAgent|$context.status|$context.requestId";
    let gateway = Options::new(api())
        .limit("head-timeout=500ms")
        .access_log(&file)
        .flag("--access-log-format", format)
        .start();
    // The shard knows a good head already when it refuses the others.
    is_well(&gateway, "nothing");
    refuses(&gateway, &[b"GET /dev/pets HTTP/1.1\r\n\r\n"], "no Host", 400);
    refuses(&gateway, &[b"GET /dev/pets HTTP/1.1\r\nHost: h\r\nUser-"], "half a head", 408);
    let lines = support::wait_for("three lines", || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        (lines.len() == 3 && text.ends_with('\n')).then_some(lines)
    });
    assert!(lines[0].starts_with("POST|/dev/pets|"), "{lines:?}");
    assert!(lines[1].starts_with("-|-|-|-|400|"), "{lines:?}");
    assert!(lines[2].starts_with("-|-|-|-|408|"), "{lines:?}");
}

#[test]
fn hostile_requests_are_refused_however_they_are_cut() {
    let gateway = Options::new(api()).logged().start();
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
    let gateway = Options::new(api()).logged().start();
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
    let definition = Definition::new().proxy("ANY", "/{proxy+}", &peer.url("/{proxy}"));
    let gateway = Options::new(definition).logged().start();
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
