//! Bodies of any size pass in constant memory, and a side that does not read stops the other one.

mod support;

use std::io::{Read, Write};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use support::{Client, Definition, Gateway, Options, Peer, PeerConnection, Seen};

const KIB: u64 = 1_024;
const MIB: u64 = 1_024 * KIB;
const GIB: u64 = 1_024 * MIB;

/// What one big body may cost the gateway above what it had before, bytes: the bulk buffers of a shard
/// (16 of 256 KiB, allocated at the start, touched when used) and some more.
const GROWTH_MAX: u64 = 16 * MIB;

/// Nothing is taken for this long: the other side has stopped reading. Longer only makes the test surer.
const BLOCKED: Duration = Duration::from_secs(2);

/// The bytes of every body here: number N is at every N modulo its length, a prime.
fn pattern() -> Vec<u8> {
    const LENGTH: usize = 65_537;
    (0..LENGTH).map(|index| (index * 31 % 251) as u8).collect()
}

/// Yields the pattern's bytes from any place of a body on, without end.
struct Source {
    /// Twice the pattern and more, so that a whole block stands there from any place.
    bytes: Vec<u8>,
    period: usize,
}

const BLOCK: usize = 128 * 1_024;

impl Source {
    fn new() -> Self {
        let pattern = pattern();
        let period = pattern.len();
        let bytes = pattern.iter().copied().cycle().take(period + BLOCK).collect();
        Self { bytes, period }
    }

    /// At most so many bytes from place `at` on.
    fn from(&self, at: u64, most: u64) -> &[u8] {
        let begin = (at % self.period as u64) as usize;
        &self.bytes[begin..begin + most.min(BLOCK as u64) as usize]
    }

    /// Counts what `read` yields until it yields nothing, and compares every byte.
    fn check(&self, first: &[u8], total: u64, mut read: impl FnMut(&mut [u8]) -> usize) {
        let mut at = 0;
        for piece in first.chunks(BLOCK) {
            assert!(piece == self.from(at, piece.len() as u64), "it differs after {at} bytes");
            at += piece.len() as u64;
        }
        let mut buffer = vec![0; BLOCK];
        while at < total {
            let most = (total - at).min(BLOCK as u64) as usize;
            let count = read(&mut buffer[..most]);
            assert!(count > 0, "it ends after {at} bytes");
            let want = self.from(at, count as u64);
            assert!(buffer[..count] == *want, "it differs between {at} and {count} bytes later");
            at += count as u64;
        }
    }
}

/// Takes bodies of `Content-Length` and answers with as long a one where asked for by its path,
/// `/down/LENGTH`.
fn big_upstream() -> Peer {
    Peer::start(|mut connection| {
        let source = Source::new();
        while let Some(request) = connection.head() {
            if let Some(length) = request.header("Content-Length") {
                let length: u64 = length.parse().expect("a length");
                let first = connection.take_received();
                source.check(&first, length, |into| connection.read(into));
                connection.tells(Seen::Bytes(length));
            }
            let Some(length) = request.target.strip_prefix("/down/") else {
                connection.sends("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                continue;
            };
            let length: u64 = length.parse().expect("a length");
            connection.sends(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
            let mut at = 0;
            while at < length {
                let piece = source.from(at, length - at);
                if !connection.sends(piece) {
                    return;
                }
                at += piece.len() as u64;
            }
        }
    })
}

fn unlimited(peer: &Peer) -> Gateway {
    Options::new(Definition::new().proxy("ANY", "/{proxy+}", &peer.url("/{proxy}")))
        .limit("payload=off")
        .limit("body-timeout=off")
        .limit("send-timeout=off")
        .limit("integration-timeout=off")
        .start()
}

fn uploads(client: &mut Client, length: u64) {
    let source = Source::new();
    client.sends(format!("PUT /dev/up HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n"));
    let mut at = 0;
    while at < length {
        let piece = source.from(at, length - at);
        client.sends(piece);
        at += piece.len() as u64;
    }
    assert_eq!(client.answer().text(), "ok");
}

fn downloads(client: &mut Client, length: u64) {
    client.sends(support::get(&format!("/down/{length}")));
    let head = client.head();
    assert_eq!(head.header("Content-Length"), Some(&*length.to_string()));
    let first = client.take_received();
    Source::new().check(&first, length, |into| client.stream.read(into).expect("more of it"));
}

#[test]
fn five_gib_pass_both_ways_in_constant_memory() {
    let peer = big_upstream();
    let gateway = unlimited(&peer);
    let mut client = gateway.client();
    // Once in small, so that code and buffers are there.
    uploads(&mut client, MIB);
    downloads(&mut client, MIB);
    assert_eq!(peer.saw(), Seen::Bytes(MIB));
    let before = gateway.memory("VmRSS");
    uploads(&mut client, 5 * GIB);
    assert_eq!(peer.saw(), Seen::Bytes(5 * GIB));
    downloads(&mut client, 5 * GIB);
    let most = gateway.memory("VmHWM");
    println!("RSS {} KiB before, at most {} KiB since", before / KIB, most / KIB);
    assert!(most < before + GROWTH_MAX, "{before} bytes grew to {most}");
    assert_eq!(client.asks(support::get("/small")).text(), "ok", "the connection is good still");
}

#[test]
fn a_gib_in_chunks_passes_both_ways_in_constant_memory() {
    let peer = Peer::start(|mut connection| {
        let source = Source::new();
        while let Some(request) = connection.head() {
            assert_eq!(request.header("Transfer-Encoding"), Some("chunked"));
            echo_chunks(&mut connection, &source);
        }
    });
    let gateway = unlimited(&peer);
    let source = Source::new();
    let before = gateway.memory("VmRSS");
    let mut client = gateway.client();
    client.sends("PUT /dev/up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut sending = client.stream.try_clone().expect("one more descriptor");
    let sender = std::thread::spawn(move || {
        let mut at = 0;
        while at < GIB {
            let piece = source.from(at, GIB - at);
            write!(sending, "{:x}\r\n", piece.len()).expect("the gateway reads");
            sending.write_all(piece).expect("the gateway reads");
            sending.write_all(b"\r\n").expect("the gateway reads");
            at += piece.len() as u64;
        }
        sending.write_all(b"0\r\n\r\n").expect("the gateway reads");
    });
    sender.join().expect("a good sender");
    assert_eq!(peer.saw(), Seen::Bytes(GIB));
    assert_eq!(client.head().header("Transfer-Encoding"), Some("chunked"));
    let mut rest = Dechunker::new(client.take_received());
    let source = Source::new();
    let mut at = 0;
    while let Some(piece) = rest.next(|into| client.stream.read(into).expect("more of it")) {
        for block in piece.chunks(BLOCK) {
            assert!(block == source.from(at, block.len() as u64), "it differs after {at} bytes");
            at += block.len() as u64;
        }
    }
    assert_eq!(at, GIB);
    let most = gateway.memory("VmHWM");
    assert!(most < before + 2 * GROWTH_MAX, "{before} bytes grew to {most}");
}

/// Reads a chunked body to its end, tells its length, then sends as long a one.
fn echo_chunks(connection: &mut PeerConnection, source: &Source) {
    let mut chunks = Dechunker::new(connection.take_received());
    let mut received = 0;
    while let Some(piece) = chunks.next(|into| connection.read(into)) {
        for block in piece.chunks(BLOCK) {
            assert!(block == source.from(received, block.len() as u64), "after {received} bytes");
            received += block.len() as u64;
        }
    }
    connection.tells(Seen::Bytes(received));
    connection.sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut at = 0;
    while at < received {
        let piece = source.from(at, received - at);
        let head = format!("{:x}\r\n", piece.len());
        if !(connection.sends(head) && connection.sends(piece) && connection.sends("\r\n")) {
            break;
        }
        at += piece.len() as u64;
    }
    connection.sends("0\r\n\r\n");
}

/// Takes the framing off a chunked body without holding more than a block of it.
struct Dechunker {
    buffer: Vec<u8>,
    /// Of the current chunk, still to come.
    left: usize,
}

impl Dechunker {
    fn new(received: Vec<u8>) -> Self {
        Self { buffer: received, left: 0 }
    }

    fn fill(&mut self, read: &mut impl FnMut(&mut [u8]) -> usize) {
        let mut bytes = vec![0; BLOCK];
        let count = read(&mut bytes);
        assert!(count > 0, "the body ends within a chunk");
        self.buffer.extend_from_slice(&bytes[..count]);
    }

    fn line(&mut self, read: &mut impl FnMut(&mut [u8]) -> usize) -> String {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|bytes| bytes == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..at + 2).collect();
                return String::from_utf8_lossy(&line[..at]).into_owned();
            }
            self.fill(read);
        }
    }

    /// The next piece of payload; `None`: that was all.
    fn next(&mut self, mut read: impl FnMut(&mut [u8]) -> usize) -> Option<Vec<u8>> {
        if self.left == 0 {
            let line = self.line(&mut read);
            self.left = usize::from_str_radix(&line, 16).unwrap_or_else(|_| panic!("{line:?}"));
            if self.left == 0 {
                assert_eq!(self.line(&mut read), "", "there are no trailers");
                return None;
            }
        }
        if self.buffer.is_empty() {
            self.fill(&mut read);
        }
        let count = self.left.min(self.buffer.len());
        let piece: Vec<u8> = self.buffer.drain(..count).collect();
        self.left -= count;
        if self.left == 0 {
            assert_eq!(self.line(&mut read), "", "behind a chunk");
        }
        Some(piece)
    }
}

/// What may be on its way through a gateway between two sides, bytes: kernel buffers of two connections
/// (at most 4 MiB to send and 6 MiB to receive each, Linux's defaults) and the gateway's own.
const IN_FLIGHT_MAX: u64 = 28 * MIB;
const SLOW_BODY: u64 = 256 * MIB;

#[test]
fn a_client_that_does_not_read_stops_the_reading_from_its_upstream() {
    let (go, may_go) = channel();
    let may_go = Mutex::new(may_go);
    let peer = Peer::start(move |mut connection| {
        if connection.head().expect("a request").target != "/slow" {
            connection.sends("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            return;
        }
        connection.sends(format!("HTTP/1.1 200 OK\r\nContent-Length: {SLOW_BODY}\r\n\r\n"));
        let zeros = vec![0; BLOCK];
        let sent = connection.sends_until_blocked(&zeros, SLOW_BODY, BLOCKED);
        connection.tells(Seen::Bytes(sent));
        may_go.lock().expect("no script panics").recv().expect("the test says so");
        let mut left = (SLOW_BODY - sent) as usize;
        while left > 0 {
            let count = left.min(BLOCK);
            assert!(connection.sends(&zeros[..count]), "the gateway reads again");
            left -= count;
        }
    });
    let gateway = unlimited(&peer);
    let before = gateway.memory("VmRSS");
    let mut client = gateway.client();
    client.sends(support::get("/slow"));
    let Seen::Bytes(sent) = peer.saw() else { panic!("the upstream blocks") };
    println!("{} KiB in flight", sent / KIB);
    assert!(sent < IN_FLIGHT_MAX, "{sent} bytes went although nobody reads them");
    // Others notice nothing.
    assert_eq!(gateway.client().asks(support::get("/quick")).text(), "ok");
    go.send(()).expect("the upstream waits");
    let answer = client.answer();
    assert_eq!(answer.body.len() as u64, SLOW_BODY);
    let most = gateway.memory("VmHWM");
    assert!(most < before + GROWTH_MAX, "{before} bytes grew to {most}");
}

#[test]
fn an_upstream_that_does_not_read_stops_the_reading_from_its_client() {
    let (go, may_go) = channel();
    let may_go = Mutex::new(may_go);
    let peer = Peer::start(move |mut connection| {
        let request = connection.head().expect("a request");
        if request.target == "/slow" {
            may_go.lock().expect("no script panics").recv().expect("the test says so");
            let mut left = SLOW_BODY - connection.take_received().len() as u64;
            let mut buffer = vec![0; BLOCK];
            while left > 0 {
                left -= connection.read(&mut buffer) as u64;
            }
        }
        connection.sends("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    let gateway = unlimited(&peer);
    let before = gateway.memory("VmRSS");
    let mut client = gateway.client();
    client
        .sends(format!("PUT /dev/slow HTTP/1.1\r\nHost: h\r\nContent-Length: {SLOW_BODY}\r\n\r\n"));
    client.stream.set_write_timeout(Some(BLOCKED)).expect("a time above 0");
    let zeros = vec![0; BLOCK];
    let mut sent = 0;
    while sent < SLOW_BODY {
        let most = (SLOW_BODY - sent).min(BLOCK as u64) as usize;
        match client.stream.write(&zeros[..most]) {
            Ok(count) => sent += count as u64,
            Err(_blocked) => break,
        }
    }
    println!("{} KiB in flight", sent / KIB);
    assert!(sent < IN_FLIGHT_MAX, "{sent} bytes went although nobody reads them");
    assert_eq!(gateway.client().asks(support::get("/quick")).text(), "ok");
    client.stream.set_write_timeout(Some(support::PATIENCE)).expect("a time above 0");
    go.send(()).expect("the upstream waits");
    while sent < SLOW_BODY {
        let most = (SLOW_BODY - sent).min(BLOCK as u64) as usize;
        client.sends(&zeros[..most]);
        sent += most as u64;
    }
    assert_eq!(client.answer().text(), "ok");
    let most = gateway.memory("VmHWM");
    assert!(most < before + GROWTH_MAX, "{before} bytes grew to {most}");
}

#[test]
fn fifty_clients_that_do_not_read_leave_buffers_for_the_others() {
    let peer = big_upstream();
    let gateway = unlimited(&peer);
    let mut idle: Vec<Client> = (0..50)
        .map(|_| {
            let mut client = Client::connect_with_buffer(gateway.address, 4_096);
            client.sends(support::get(&format!("/down/{}", 64 * MIB)));
            client.head();
            client
        })
        .collect();
    let mut client = gateway.client();
    for _ in 0..5 {
        uploads(&mut client, 8 * MIB);
        assert_eq!(peer.saw(), Seen::Bytes(8 * MIB));
        downloads(&mut client, 8 * MIB);
    }
    println!("RSS {} KiB with 50 stopped answers", gateway.memory("VmRSS") / KIB);
    for client in &mut idle {
        let first = client.take_received();
        Source::new().check(&first, 64 * MIB, |into| client.stream.read(into).expect("more of it"));
    }
}

/// Without a payload limit, what lies in memory whole still has one.
#[test]
fn bodies_that_are_held_whole_are_bounded_by_a_limit_of_their_own() {
    const HELD_MAX: usize = 100_000;
    let peer = Peer::start(|mut connection| {
        while let Some(request) = connection.request() {
            let length = request.target.trim_start_matches('/').parse().expect("a length");
            connection.sends(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
            connection.sends(vec![b'x'; length]);
        }
    });
    let uri = peer.url("/{length}");
    let api = Definition::new()
        .proxy("POST", "/through/{length}", &uri)
        .http_with("POST", "/held/{length}", &uri, serde_json::json!({}))
        .with("x-amazon-apigateway-minimum-compression-size", serde_json::json!(0));
    let gateway =
        Options::new(api).limit("payload=off").limit(&format!("held-body={HELD_MAX}")).start();
    let zeros = |length: usize| {
        let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        coder.write_all(&vec![0; length]).expect("memory");
        coder.finish().expect("memory")
    };
    for (path, request, answer, coding, status) in [
        ("through", HELD_MAX * 3, HELD_MAX * 3, "", 200),
        ("held", HELD_MAX, HELD_MAX, "", 200),
        ("held", HELD_MAX + 1, 1, "", 413),
        ("held", 1, HELD_MAX + 1, "", 500),
        // Its coding has to be undone.
        ("through", HELD_MAX, 1, "Content-Encoding: gzip\r\n", 200),
        ("through", HELD_MAX + 1, 1, "Content-Encoding: gzip\r\n", 413),
        // Too large to be compressed, and passed on as it is.
        ("through", 1, HELD_MAX + 1, "Accept-Encoding: gzip\r\n", 200),
    ] {
        let packed = coding.starts_with("Content");
        let body = if packed { zeros(request) } else { vec![b'x'; request] };
        let length = body.len();
        let head = format!(
            "POST /dev/{path}/{answer} HTTP/1.1\r\nHost: h\r\n{coding}Content-Length: {length}\r\n\r\n"
        );
        let mut client = gateway.client();
        client.sends(head);
        client.tries_to_send(body);
        let got = client.answer();
        assert_eq!(got.status, status, "{path} {request} {answer} {coding}");
        assert!(status != 200 || got.body.len() == answer, "{path} {request} {answer} {coding}");
    }
}
