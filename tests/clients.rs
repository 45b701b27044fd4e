//! Clients that do nothing, or do it slowly, or are very many: each ends at its deadline, others notice
//! nothing, and an idle connection costs next to nothing.

mod support;

use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};

use support::servers::Python;
use support::{
    Answer, Client, Definition, Gateway, Load, Options, Peer, Seen, get, post, wait_for,
};

fn api() -> Definition {
    Definition::new().mock("GET", "/a", 200, "{}")
}

/// The other one, who notices nothing.
fn others_notice_nothing(gateway: &Gateway) {
    let mut other = gateway.client();
    for _ in 0..10 {
        assert_eq!(other.asks(get("/a")).status, 200);
    }
}

/// Waits until the deadlines of this kind have been missed so often.
fn timed_out(gateway: &Gateway, kind: &str, times: f64) {
    let label = format!("kind=\"{kind}\"");
    wait_for(kind, || {
        let missed = gateway.metrics().sum("ringway_timeouts_total", &[&label]);
        (missed == times).then_some(())
    });
}

fn is_408(answer: &Answer) {
    assert_eq!((answer.status, answer.text()), (408, r#"{"message":"Request Timeout"}"#));
    assert_eq!(answer.header("Connection"), Some("close"));
}

#[test]
fn a_connection_that_never_writes_is_closed() {
    let gateway = Options::new(api()).logged().limit("first-byte-timeout=500ms").start();
    let mut silent: Vec<Client> = (0..10).map(|_| gateway.client()).collect();
    others_notice_nothing(&gateway);
    for client in &mut silent {
        client.is_closed();
    }
    timed_out(&gateway, "first_byte", 10.0);
    others_notice_nothing(&gateway);
}

#[test]
fn an_idle_kept_connection_is_closed() {
    let gateway = Options::new(api()).logged().limit("idle-timeout=500ms").start();
    let mut client = gateway.client();
    assert_eq!(client.asks(get("/a")).status, 200);
    others_notice_nothing(&gateway);
    client.is_closed();
    timed_out(&gateway, "idle", 1.0);
}

#[test]
fn half_a_head_is_408() {
    let gateway = Options::new(api()).logged().limit("head-timeout=500ms").start();
    let mut client = gateway.client();
    client.sends("GET /dev/a HTTP/1.1\r\nHos");
    others_notice_nothing(&gateway);
    is_408(&client.answer());
    client.ends().is_closed();
    timed_out(&gateway, "head", 1.0);
}

#[test]
fn a_dripping_head_is_408_although_it_never_stops() {
    let gateway = Options::new(api()).logged().limit("head-timeout=500ms").start();
    let mut client = gateway.client();
    client.sends("GET /dev/a HTTP/1.1\r\nHost: h\r\n");
    let mut dripping = client.stream.try_clone().expect("one more descriptor");
    let dripper = std::thread::spawn(move || {
        // Until the gateway has had enough.
        while std::io::Write::write_all(&mut dripping, b"X: y\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    others_notice_nothing(&gateway);
    is_408(&client.answer());
    drop(client);
    dripper.join().expect("it was closed");
    timed_out(&gateway, "head", 1.0);
}

#[test]
fn half_a_body_and_a_dripping_body_are_408_and_end_the_upstream_call() {
    let peer = Peer::start(|mut connection| {
        connection.head();
        connection.tells(Seen::Said("asked"));
        connection.waits_for_close();
        connection.tells(Seen::Closed);
    });
    let proxied = api().proxy("POST", "/up", &peer.url("/"));
    let gateway = Options::new(proxied)
        .logged()
        .limit("body-read-timeout=500ms")
        .limit("body-timeout=1500ms")
        .start();
    let head = "POST /dev/up HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nhalf";
    let mut client = gateway.client();
    client.sends(head);
    assert_eq!(peer.saw(), Seen::Said("asked"));
    others_notice_nothing(&gateway);
    is_408(&client.answer());
    assert_eq!(peer.saw(), Seen::Closed);

    let mut client = gateway.client();
    client.sends(head);
    let mut dripping = client.stream.try_clone().expect("one more descriptor");
    let dripper = std::thread::spawn(move || {
        while std::io::Write::write_all(&mut dripping, b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(peer.saw(), Seen::Said("asked"));
    others_notice_nothing(&gateway);
    is_408(&client.answer());
    assert_eq!(peer.saw(), Seen::Closed);
    drop(client);
    dripper.join().expect("it was closed");
    timed_out(&gateway, "body_read", 1.0);
    timed_out(&gateway, "body", 1.0);
}

#[test]
fn a_client_that_never_reads_is_closed_and_its_memory_returns() {
    let python = Python::start();
    let proxied = api().proxy("GET", "/{proxy+}", &python.url("/{proxy}"));
    let gateway = Options::new(proxied)
        .logged()
        .limit("send-timeout=1s")
        .limit("payload=off")
        .limit("integration-timeout=off")
        .start();
    let before = gateway.memory("VmRSS");
    let stuck: Vec<Client> = (0..20)
        .map(|_| {
            let mut client = Client::connect_with_buffer(gateway.address, 4_096);
            client.sends(get("/length/50000000"));
            client
        })
        .collect();
    others_notice_nothing(&gateway);
    timed_out(&gateway, "send", 20.0);
    for mut client in stuck {
        // What was on its way may be read; it is not the whole answer.
        assert!(client.try_answer().is_err());
    }
    wait_for("the upstream's connections to go", || {
        (gateway.metrics().total("ringway_upstream_connections") == 0.0).then_some(())
    });
    let after = gateway.memory("VmRSS");
    let growth = after.saturating_sub(before);
    println!("RSS grew by {} KiB", growth / 1_024);
    // The shard's large buffers stay once they have been used; what 1 GB of answers held is gone.
    let kept = ringway::limits::BULK_BUF_BYTES as u64 * u64::from(ringway::limits::BULK_BUF_COUNT);
    assert!(growth < kept + 8 * 1_024 * 1_024, "{before} bytes grew to {after}");
}

#[test]
fn pipelined_requests_whose_answers_nobody_reads_are_bounded() {
    let body = "x".repeat(10_000);
    let gateway =
        Options::new(api().mock("GET", "/big", 200, &body)).limit("send-timeout=1s").start();
    let before = gateway.memory("VmRSS");
    let mut client = Client::connect_with_buffer(gateway.address, 4_096);
    let requests = get("/big").repeat(1_000);
    // Until nothing more is taken, or the gateway has had enough.
    client.stream.set_write_timeout(Some(Duration::from_secs(5))).expect("a time above 0");
    let mut sent = 0_usize;
    while sent < 2_000_000 && client.tries_to_send(&requests) {
        sent += 1_000;
    }
    // Kernel buffers hold some 10 MiB of requests.
    assert!(sent < 2_000_000, "80 MB of requests were taken, and no answer");
    timed_out(&gateway, "send", 1.0);
    others_notice_nothing(&gateway);
    let most = gateway.memory("VmHWM");
    assert!(most < before + 16 * 1_024 * 1_024, "{before} bytes grew to {most}");
}

#[test]
fn at_the_connection_limit_new_ones_wait_and_old_ones_live_on() {
    let gateway = Options::new(api()).limit("connections=5").start();
    let mut old: Vec<Client> = (0..5).map(|_| gateway.client()).collect();
    for client in &mut old {
        assert_eq!(client.asks(get("/a")).status, 200);
    }
    let mut new = gateway.client();
    new.sends(get("/a"));
    new.stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a time above 0");
    assert!(new.try_answer().is_err(), "it has to wait");
    for client in &mut old {
        assert_eq!(client.asks(get("/a")).status, 200);
    }
    drop(old.pop());
    new.stream.set_read_timeout(Some(support::PATIENCE)).expect("a time above 0");
    assert_eq!(new.answer().status, 200, "there is room now");
}

#[test]
fn connections_that_come_and_go_leave_nothing_behind() {
    let gateway = Options::new(api()).shards(2).start();
    let url = gateway.url("/a");
    let descriptors = || {
        let entries = std::fs::read_dir(format!("/proc/{}/fd", gateway.pid()));
        entries.expect("the gateway lives").count()
    };
    let before = descriptors();
    let report = Load::wrk(&url, 64, 3, &["-H", "Connection: close"]).finish();
    assert_eq!(report.failed, 0, "{}", report.text);
    for _ in 0..200 {
        let mut client = gateway.client();
        client.sends(get("/a"));
        client.resets();
    }
    wait_for("the last connection's end", || (descriptors() == before).then_some(()));
    wait_for("the figures", || {
        (gateway.metrics().total("ringway_connections") == 0.0).then_some(())
    });
}

#[test]
fn running_out_of_descriptors_loses_no_connection() {
    let few = ["sh", "-c", "ulimit -n 100; exec \"$0\" \"$@\""];
    let gateway = Options::new(api()).through(&few).start();
    let mut clients: Vec<Client> = (0..150).map(|_| gateway.client()).collect();
    for client in &mut clients {
        client.sends(get("/a"));
    }
    let line = gateway.says(0, "accepts failed");
    assert!(line.contains("Too many open files") && line.contains("RLIMIT_NOFILE"), "{line}");
    // Each that ends makes room for one that waits.
    for mut client in clients {
        assert_eq!(client.answer().status, 200);
    }
    others_notice_nothing(&gateway);
}

// -- Many ---------------------------------------------------------------------------------------------

const IDLE: usize = 10_000;
/// User memory of an idle connection, bytes.
const IDLE_BYTES_MAX: f64 = 1_536.0;

#[test]
fn ten_thousand_idle_connections_beside_traffic() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the soft limit may be the hard one");
    // The gateway inherits it; both sides of each connection need a descriptor each.
    let most = limit.current.unwrap_or(u64::MAX);
    assert!(most > IDLE as u64 + 500, "RLIMIT_NOFILE is {most}: raise it (ulimit -Hn 20000)");

    let gateway = Options::new(api()).shards(2).start();
    let report = Load::wrk(&gateway.url("/a"), 64, 2, &[]).finish();
    assert_eq!(report.failed, 0, "{}", report.text);
    let before = gateway.memory("VmRSS");
    let mut idle: Vec<TcpStream> = Vec::with_capacity(IDLE);
    for index in 0..IDLE {
        let local = Ipv4Addr::new(127, 0, 1, (1 + index / 2_500) as u8);
        let mut client = Client::connect_from(local, gateway.address);
        assert_eq!(client.asks(get("/a")).status, 200);
        idle.push(client.stream);
    }
    wait_for("all of them", || {
        (gateway.metrics().total("ringway_connections") == IDLE as f64).then_some(())
    });
    let with = gateway.memory("VmRSS");
    let each = with.saturating_sub(before) as f64 / IDLE as f64;
    println!("{each:.0} bytes of user memory per idle connection");
    assert!(each <= IDLE_BYTES_MAX, "{each:.0} bytes per idle connection");

    let report = Load::wrk(&gateway.url("/a"), 64, 3, &[]).finish();
    assert_eq!(report.failed, 0, "{}", report.text);
    assert!(report.requests > 100, "{}", report.text);
    assert_eq!(report.answered(200), report.statuses.values().sum::<u64>(), "{}", report.text);
    // All of them are good still.
    for stream in &idle {
        std::io::Write::write_all(&mut &*stream, get("/a").as_bytes()).expect("it is open");
    }
    let mut answered = 0;
    for stream in &idle {
        stream.set_read_timeout(Some(support::PATIENCE)).expect("a time above 0");
        let mut bytes = [0; 1_024];
        let count = std::io::Read::read(&mut &*stream, &mut bytes).expect("an answer");
        answered += usize::from(bytes[..count].starts_with(b"HTTP/1.1 200 "));
    }
    assert_eq!(answered, IDLE);
    drop(idle);
    wait_for("the end of all", || {
        (gateway.metrics().total("ringway_connections") == 0.0).then_some(())
    });
}

#[test]
fn a_thousand_slow_clients_of_every_kind_leave_the_others_alone() {
    let python = Python::start();
    let proxied = api().proxy("ANY", "/{proxy+}", &python.url("/{proxy}"));
    let gateway = Options::new(proxied).shards(2).start();
    let mut slow: Vec<Client> = Vec::new();
    for index in 0..1_000 {
        let mut client = Client::connect_with_buffer(gateway.address, 4_096);
        match index % 4 {
            0 => {}
            1 => drop(client.sends("GET /dev/a HTTP/1.1\r\nHost: h\r\nX: ")),
            2 => drop(client.sends(
                "POST /dev/count/x HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\nhalf",
            )),
            _ => drop(client.sends(get("/length/300000"))),
        }
        slow.push(client);
    }
    others_notice_nothing(&gateway);
    let report = Load::wrk(&gateway.url("/a"), 32, 3, &[]).finish();
    assert_eq!(report.failed, 0, "{}", report.text);
    assert!(report.requests > 100, "{}", report.text);
    let mut client = gateway.client();
    for _ in 0..10 {
        assert_eq!(client.asks(post("/count/x", "12345")).text(), "{\"length\":5}");
        assert_eq!(client.asks(get("/length/100000")).body.len(), 100_000);
    }
    // Those that go on get what they asked for.
    for (index, client) in slow.iter_mut().enumerate() {
        let answer = match index % 4 {
            0 => client.asks(get("/a")),
            1 => client.asks("y\r\n\r\n"),
            2 => client.asks("x".repeat(50_000 - 4)),
            _ => client.answer(),
        };
        assert_eq!(answer.status, 200, "client {index}: {answer:?}");
        let length = [2, 2, 16, 300_000][index % 4];
        assert_eq!(answer.body.len(), length, "client {index}");
    }
}
