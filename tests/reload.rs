//! A definition is replaced while it is served, and the process ends: no request is lost by either.

mod support;

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use rustix::process::Signal;

use support::metrics::admin_get;
use support::{Definition, Gateway, Load, Options, Peer, Seen, get, post, wait_for};

fn version(number: usize) -> Definition {
    Definition::new().mock("GET", "/version", 200, &number.to_string()).mock(
        "GET",
        &format!("/only/{number}"),
        200,
        "here",
    )
}

/// Waits until new requests are answered by that version.
fn serves(gateway: &Gateway, number: usize) {
    wait_for("the new definition", || {
        let answer = gateway.client().asks(get("/version"));
        assert_eq!(answer.status, 200);
        (answer.text() == number.to_string()).then_some(())
    });
}

#[test]
fn one_hundred_reloads_under_load_fail_no_request() {
    let gateway = Options::new(version(0)).shards(2).start();
    let kept = Load::wrk(&gateway.url("/version"), 32, 300, &[]);
    let closing = Load::wrk(&gateway.url("/version"), 8, 300, &["-H", "Connection: close"]);
    gateway.counts("ringway_count_total", 500.0);
    let mut said = 0;
    for number in 1..=100 {
        gateway.rewrite(version(number));
        if number % 2 == 0 {
            gateway.signal(Signal::HUP);
        }
        serves(&gateway, number);
        // Both triggers may come for one change; at least one says so.
        said += 1;
        // The other shard may be a moment behind.
        wait_for("the end of the version before", || {
            let answer = gateway.client().asks(get(&format!("/only/{}", number - 1)));
            (answer.status == 403).then_some(())
        });
    }
    for load in [kept, closing] {
        let report = load.stop();
        assert_eq!(report.failed, 0, "{}", report.text);
        assert!(report.requests > 100, "{}", report.text);
        let counted: u64 = report.statuses.values().sum();
        assert_eq!(report.answered(200), counted, "{}", report.text);
    }
    let reloads = gateway.messages().lines().filter(|line| line.contains("reloaded: ")).count();
    assert!(reloads >= said, "{reloads} reloads of {said} are told");
}

#[test]
fn a_reload_says_what_it_has_changed() {
    let gateway = Gateway::serving(version(1));
    let from = gateway.said();
    gateway.rewrite(version(2));
    let line = gateway.says(from, "reloaded: ");
    assert!(line.contains("1 added, 1 removed, 1 changed, 0 unchanged"), "{line}");
}

#[test]
fn a_hangup_reloads_although_nothing_has_changed() {
    let gateway = Gateway::serving(version(1));
    for _ in 0..3 {
        let from = gateway.said();
        gateway.signal(Signal::HUP);
        gateway.says(from, "0 changed, 2 unchanged");
    }
}

#[test]
fn a_broken_file_keeps_the_old_api_and_says_where_it_is_wrong() {
    let good = version(1).text();
    let gateway = Gateway::serving(good.clone());
    let unknown_type = good.replacen("\"mock\"", "\"mook\"", 1);
    let line_of_type = 1 + unknown_type.lines().position(|line| line.contains("mook")).unwrap_or(0);
    for (broken, place, pointer) in [
        (
            unknown_type.as_str(),
            format!("api.json:{line_of_type}:"),
            "x-amazon-apigateway-integration",
        ),
        ("{\"openapi\": \"3.0.1\",\n  \"paths\": [}", "api.json:2:".to_owned(), ""),
        ("", "api.json".to_owned(), ""),
    ] {
        let from = gateway.said();
        gateway.rewrite(broken);
        let line = gateway.says(from, "error");
        assert!(line.contains(&place) && line.contains(pointer), "{place} {pointer}: {line}");
        gateway.says(from, "cannot be served; the API served before stays");
        assert_eq!(gateway.client().asks(get("/version")).text(), "1");
    }
    gateway.rewrite(version(2));
    serves(&gateway, 2);
}

#[test]
fn a_file_that_is_gone_for_a_while_keeps_the_old_api() {
    let gateway = Gateway::serving(version(1));
    let from = gateway.said();
    std::fs::remove_file(&gateway.file).expect("the file is there");
    gateway.signal(Signal::HUP);
    gateway.says(from, "the API served before stays");
    assert_eq!(gateway.client().asks(get("/version")).text(), "1");
    gateway.rewrite(version(2));
    serves(&gateway, 2);
}

#[test]
fn a_request_in_flight_ends_on_the_definition_it_began_with() {
    let (go, peer) = held_upstream();
    let old = Definition::new().proxy("GET", "/a", &peer.url("/old"));
    let gateway = Gateway::serving(old);
    let mut client = gateway.client();
    client.sends(get("/a"));
    assert_eq!(peer.saw(), Seen::Said("asked"));
    gateway.rewrite(Definition::new().mock("GET", "/a", 200, "new"));
    wait_for("the new definition", || {
        // While the old one is served, a request would wait for the upstream.
        gateway.messages().contains("reloaded: ").then_some(())
    });
    wait_for("the shard's new stage", || {
        let text = gateway.client().asks(get("/a")).text().to_owned();
        (text == "new").then_some(())
    });
    go.send(()).expect("the upstream waits");
    assert_eq!(client.answer().text(), "old");
    assert_eq!(client.asks(get("/a")).text(), "new", "the same connection goes on");
}

#[test]
fn a_reload_keeps_connections_to_upstreams_and_throttles() {
    let peer = Peer::answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    // One request every 1 000 s and five at once: a refilled bucket would show.
    let api = |title: &str| {
        Definition::new()
            .proxy("GET", "/a", &peer.url("/a"))
            .with("info", serde_json::json!({"title": title, "version": "1"}))
            .with("x-ringway-throttle", serde_json::json!({"rateLimit": 0.001, "burstLimit": 5}))
    };
    let gateway = Gateway::serving(api("test"));
    let mut client = gateway.client();
    for _ in 0..3 {
        assert_eq!(client.asks(get("/a")).status, 200);
    }
    for _ in 0..3 {
        let from = gateway.said();
        gateway.signal(Signal::HUP);
        gateway.says(from, "reloaded: ");
    }
    let statuses: Vec<u16> = (0..4).map(|_| client.asks(get("/a")).status).collect();
    assert_eq!(statuses, [200, 200, 429, 429]);
    assert_eq!(peer.connections(), 1);
}

// -- The end -----------------------------------------------------------------------------------------

/// An upstream that answers `old` when the test says so.
fn held_upstream() -> (Sender<()>, Peer) {
    let (go, may_go) = channel();
    let may_go = Mutex::new(may_go);
    let peer = Peer::start(move |mut connection| {
        while connection.request().is_some() {
            connection.tells(Seen::Said("asked"));
            may_go.lock().expect("no script panics").recv().expect("the test says so");
            connection.sends("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
        }
    });
    (go, peer)
}

#[test]
fn a_signal_finishes_requests_in_flight_and_exits_with_0() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let (go, peer) = held_upstream();
        let api = Definition::new()
            .proxy("ANY", "/held", &peer.url("/"))
            .mock("GET", "/version", 200, "1");
        let mut gateway = Options::new(api).shards(2).start();
        assert_eq!(admin_get(gateway.admin, "/readyz").status, 200);
        let mut held = gateway.client();
        held.sends(post("/held", "{}"));
        assert_eq!(peer.saw(), Seen::Said("asked"));
        let mut idle = gateway.client();
        assert_eq!(idle.asks(get("/version")).status, 200);
        // The head of one more request, not all of it.
        let mut half = gateway.client();
        half.sends("GET /dev/version HTTP/1.1\r\nHost: h\r\n");
        wait_for("all three connections", || {
            (gateway.metrics().total("ringway_connections") == 3.0).then_some(())
        });

        gateway.signal(signal);
        gateway.says(0, &format!("{name}: finishing requests in flight"));
        idle.is_closed();
        wait_for("the closed listener", || {
            let refused = TcpStream::connect(gateway.address).err();
            refused.filter(|error| error.kind() == ErrorKind::ConnectionRefused)
        });
        let answer = half.asks("\r\n");
        assert_eq!((answer.status, answer.header("Connection")), (200, Some("close")), "{name}");
        half.is_closed();
        assert_eq!(admin_get(gateway.admin, "/healthz").status, 200);
        assert_eq!(admin_get(gateway.admin, "/readyz").status, 503);
        go.send(()).expect("the upstream waits");
        let answer = held.answer();
        assert_eq!((answer.status, answer.text()), (200, "old"), "{name}");
        assert_eq!(answer.header("Connection"), Some("close"), "{name}");
        held.is_closed();
        assert_eq!(gateway.exit().code(), Some(0), "{name}: {}", gateway.messages());
        gateway.says(0, "drained");
    }
}

#[test]
fn a_drain_finishes_an_answer_that_is_being_streamed() {
    let (go, may_go) = channel();
    let may_go = Mutex::new(may_go);
    let peer = Peer::start(move |mut connection| {
        connection.request().expect("a request");
        connection.sends("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n");
        connection.sends(vec![b'a'; 1_000_000]);
        may_go.lock().expect("no script panics").recv().expect("the test says so");
        connection.sends(vec![b'b'; 1_000_000]);
    });
    let api = Definition::new().proxy("ANY", "/big", &peer.url("/"));
    let mut gateway = Gateway::serving(api);
    let mut client = gateway.client();
    client.sends(get("/big"));
    let head = client.head();
    assert_eq!(head.header("Content-Length"), Some("2000000"));
    gateway.signal(Signal::TERM);
    gateway.says(0, "finishing requests in flight");
    go.send(()).expect("the upstream waits");
    let body = client.read_to_end().expect("all of it, then a good end");
    assert_eq!(body.len(), 2_000_000);
    assert!(body.starts_with(b"aaa") && body.ends_with(b"bbb"));
    assert_eq!(gateway.exit().code(), Some(0), "{}", gateway.messages());
}

#[test]
fn a_drain_under_load_fails_no_request() {
    let mut gateway = Options::new(version(0)).shards(2).start();
    let load = Load::wrk(&gateway.url("/version"), 32, 300, &[]);
    gateway.counts("ringway_count_total", 500.0);
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.exit().code(), Some(0));
    // wrk goes on against a closed port; what it has got until then is good.
    let report = load.stop();
    let counted: u64 = report.statuses.values().sum();
    assert_eq!(report.answered(200), counted, "{}", report.text);
}

#[test]
fn a_drain_has_a_deadline() {
    let (_go, peer) = held_upstream();
    let api = Definition::new().proxy("ANY", "/held", &peer.url("/"));
    let mut gateway = Options::new(api).limit("drain-timeout=300ms").start();
    let mut held = gateway.client();
    held.sends(get("/held"));
    assert_eq!(peer.saw(), Seen::Said("asked"));
    gateway.signal(Signal::TERM);
    held.is_closed();
    assert_eq!(gateway.exit().code(), Some(0), "{}", gateway.messages());
}

#[test]
fn a_second_signal_ends_at_once() {
    let (_go, peer) = held_upstream();
    let api = Definition::new().proxy("ANY", "/held", &peer.url("/"));
    let mut gateway = Options::new(api).limit("drain-timeout=off").start();
    let mut held = gateway.client();
    held.sends(get("/held"));
    assert_eq!(peer.saw(), Seen::Said("asked"));
    gateway.signal(Signal::TERM);
    gateway.says(0, "SIGTERM: finishing requests in flight");
    // Another SIGTERM would have to come a second later, see `server::run`.
    gateway.signal(Signal::INT);
    assert_eq!(gateway.exit().code(), Some(1));
    gateway.says(0, "SIGINT: ending at once");
}
