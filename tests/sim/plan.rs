//! What the clients of a run send, and what they must get for it.

use ringway::http::Method;
use ringway::http::hostile::HOSTILE;
use ringway::ring::sim::SimRng;

use crate::stage::PAYLOAD_BYTES_MAX;

/// What a run has to go through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weather {
    /// A calm kernel and peers that do as they say.
    Still,
    /// The kernel cuts, delays and reorders; peers do as they say.
    Rough,
    /// The same with a handful of receive buffers.
    Scarce,
    /// The peers reset, stall and vanish too.
    Stormy,
    /// The shard drains in the middle of it, with little time.
    Drains,
    /// Integrations answer while the request is being sent, in small cut pieces; never drawn.
    Early,
    /// Clients are refused and go on sending; never drawn.
    Refused,
    /// Integrations are slow within their answers, and receive buffers scarce; never drawn.
    Slow,
}

impl Weather {
    pub fn draw(rng: &mut SimRng) -> Self {
        rng.one_of(&[
            Self::Still,
            Self::Rough,
            Self::Rough,
            Self::Scarce,
            Self::Stormy,
            Self::Stormy,
            Self::Drains,
        ])
    }

    /// Whether only what the plan says goes wrong.
    pub fn is_fair(self) -> bool {
        !matches!(self, Self::Stormy | Self::Drains)
    }
}

/// One client from its connect to its close.
pub struct Plan {
    pub requests: Vec<Request>,
    /// Requests that may wait for their answers at once.
    pub depth: usize,
    /// Most bytes of a write.
    pub write_max: usize,
    /// Longest pause between two writes, microseconds.
    pub write_gap_us: usize,
    /// Most bytes of a read.
    pub read_max: usize,
    /// Longest pause between two reads, microseconds.
    pub read_gap_us: usize,
    pub ending: Ending,
}

/// How a client ends its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Ends its side when all is sent, and reads on.
    HalfClose,
    /// Closes when all answers are there.
    Close,
    /// Resets after this many bytes.
    Reset(usize),
    /// Closes after this many bytes, whatever it may get.
    Vanish(usize),
    /// Sends no more after this many bytes and waits for the gateway to give up.
    Stops(usize),
    /// Never reads, and waits for the gateway to give up.
    Deaf,
}

/// One request.
pub struct Request {
    pub head: Vec<u8>,
    /// As it is sent, chunks and all.
    pub body: Vec<u8>,
    pub method: Method,
    /// The body waits for `100 Continue`, or for the answer.
    pub expects: bool,
    /// Answers that are right.
    pub want: Vec<Answer>,
    /// The connection may end after the answer.
    pub may_close: bool,
    /// The connection may end within the answer, or before it.
    pub may_break: bool,
}

/// A right answer.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    /// `None`: anything.
    pub body: Option<Vec<u8>>,
}

/// The body that the integration sends for `id`: text, because HTTP integrations pass text on.
pub fn pattern(id: u32, len: usize) -> Vec<u8> {
    let mut rng = SimRng::new(u64::from(id));
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        bytes.extend(rng.bits().to_le_bytes().map(|byte| b'0' + byte % 64));
    }
    bytes.truncate(len);
    bytes
}

pub fn clients(rng: &mut SimRng, weather: Weather) -> Vec<Plan> {
    let count = rng.range(1..10);
    // Whether integrations close connections that could be kept.
    let flaky = rng.chance(700);
    (0..count).map(|index| client(rng, weather, flaky, index as u32)).collect()
}

fn client(rng: &mut SimRng, weather: Weather, flaky: bool, index: u32) -> Plan {
    let count = rng.one_of(&[1, 1, 2, 3, 5, 9]);
    let mut requests: Vec<Request> = Vec::new();
    for number in 0..count {
        let id = index * 100 + number;
        let request = match weather {
            Weather::Early => upload(rng, false, id),
            Weather::Refused => hostile(rng),
            Weather::Slow => download(rng, false, id),
            _ => request(rng, flaky, id, number + 1 == count),
        };
        let last = request.may_close || request.may_break;
        requests.push(request);
        if last && rng.chance(800) {
            break;
        }
    }
    if !weather.is_fair() {
        for request in &mut requests {
            // The integration may fail at any moment.
            if find(&request.head, b"/dev/p/") || find(&request.head, b"/dev/h/") {
                request.may_break = true;
                request.may_close = true;
                for status in [502, 504] {
                    request.want.push(Answer { status, body: None });
                }
            }
        }
    }
    if weather == Weather::Drains {
        // The end may come before anything else, and within a head.
        for request in &mut requests {
            request.want.push(Answer { status: 408, body: None });
            request.may_break = true;
            request.may_close = true;
        }
    }
    let total: usize = requests.iter().map(|it| it.head.len() + it.body.len()).sum();
    let ending = match rng.below(10) {
        0..4 => Ending::HalfClose,
        4 if !weather.is_fair() => Ending::Reset(rng.range(0..total + 1)),
        5 if !weather.is_fair() => Ending::Vanish(rng.range(0..total + 1)),
        6 if weather == Weather::Stormy => Ending::Stops(rng.range(0..total + 1)),
        7 if weather == Weather::Stormy => Ending::Deaf,
        _ => Ending::Close,
    };
    // Slow ones are slow, but never slower than the limits allow.
    let least = 1 + total / 300;
    let write_max = rng.one_of(&[1, 3, 40, 400, 4_000, 1 << 20]).max(least);
    let read_max = rng.one_of(&[100, 1_000, 10_000, 1 << 20]);
    Plan {
        requests,
        depth: rng.one_of(&[1, 1, 2, 100]),
        write_max,
        write_gap_us: rng.one_of(&[10, 1_000, 20_000]),
        read_max,
        read_gap_us: if read_max < 1_000 { 1_000 } else { rng.one_of(&[10, 1_000, 30_000]) },
        ending,
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|it| it == wanted)
}

/// Starts a request; `last`: it may be one after which the connection ends.
fn request(rng: &mut SimRng, flaky: bool, id: u32, last: bool) -> Request {
    match rng.below(100) {
        0..25 => mock(rng),
        25..30 => missing(rng),
        30..36 if last => hostile(rng),
        36..40 if last => closing(rng),
        36..50 => upload(rng, flaky, id),
        50..54 => too_large(rng),
        _ => download(rng, flaky, id),
    }
}

fn get(method: &str, path: &str, headers: &str) -> Request {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: sim.example\r\n{headers}\r\n");
    Request {
        head: head.into_bytes(),
        body: Vec::new(),
        method: if method == "HEAD" { Method::Head } else { Method::Get },
        expects: false,
        want: Vec::new(),
        may_close: false,
        may_break: false,
    }
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Vec<Answer> {
    vec![Answer { status, body: Some(body.into()) }]
}

fn a_mock(rng: &mut SimRng) -> (&'static str, &'static str) {
    rng.one_of(&[("/dev/a", "answer a"), ("/dev/b", "the answer of b is a little longer")])
}

/// Header lines that change nothing but the head's size.
fn padding(rng: &mut SimRng) -> String {
    let size = rng.one_of(&[0, 0, 0, 100, 3_000]);
    if size == 0 { String::new() } else { format!("X-Padding: {}\r\n", "p".repeat(size)) }
}

fn mock(rng: &mut SimRng) -> Request {
    let (path, body) = a_mock(rng);
    let padding = padding(rng);
    let mut request = match rng.below(4) {
        0 => {
            let size = rng.one_of(&[0, 1, 100, 20_000, 120_000]);
            with_body(rng, path, vec![b'b'; size])
        }
        1 => {
            let mut request = get("HEAD", path, &padding);
            request.want = answer(200, "");
            return request;
        }
        _ => get("GET", path, &padding),
    };
    request.want = answer(200, body);
    request
}

fn missing(rng: &mut SimRng) -> Request {
    let mut request = get("GET", rng.one_of(&["/dev/none", "/dev/a/b", "/dev/"]), "");
    request.want = answer(403, "{\"message\":\"Missing Authentication Token\"}");
    request
}

fn hostile(rng: &mut SimRng) -> Request {
    let (_, bytes, status) = rng.one_of(HOSTILE);
    let mut request = get("GET", "/", "");
    request.head = bytes.to_vec();
    if rng.chance(300) {
        // It goes on as if nothing was wrong.
        request.body = vec![b'x'; rng.range(1..200_000)];
    }
    request.want = vec![Answer { status, body: None }];
    request.may_close = true;
    request
}

/// The client itself wants the connection to end.
fn closing(rng: &mut SimRng) -> Request {
    let (path, body) = a_mock(rng);
    let mut request = get("GET", path, "Connection: close\r\n");
    if rng.chance(500) {
        request.head = format!("GET {path} HTTP/1.0\r\n\r\n").into_bytes();
    }
    request.want = answer(200, body);
    request.may_close = true;
    request
}

/// A POST of `body`, in one of the ways a body is sent.
fn with_body(rng: &mut SimRng, path: &str, body: Vec<u8>) -> Request {
    let expects = rng.chance(250);
    let expect = if expects { "Expect: 100-continue\r\n" } else { "" };
    let chunked = rng.chance(500);
    let framing = if chunked {
        "Transfer-Encoding: chunked\r\n".to_owned()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let headers = format!("Content-Type: application/json\r\n{expect}{framing}");
    let mut request = get("POST", path, &headers);
    request.method = Method::Post;
    request.expects = expects;
    request.body = if chunked { in_chunks(rng, &body) } else { body };
    // Where a body was not asked for, the gateway may end the connection instead of waiting for it.
    request.may_close = expects;
    request
}

/// `body` in chunks of all sizes, with an extension and a trailer now and then.
pub fn in_chunks(rng: &mut SimRng, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 100);
    let mut rest = body;
    let most = rng.one_of(&[10, 1_000, 40_000, 1 << 20]).max(body.len() / 100 + 1);
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rng.range(1..most + 1).min(rest.len()));
        let extension = if rng.chance(20) { ";a=b" } else { "" };
        out.extend(format!("{:x}{extension}\r\n", chunk.len()).into_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
        rest = after;
    }
    out.extend_from_slice(b"0\r\n");
    if rng.chance(200) {
        out.extend_from_slice(b"X-Trailer: dropped\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn upload(rng: &mut SimRng, flaky: bool, id: u32) -> Request {
    let size = rng.one_of(&[0, 1, 5, 1_000, 17_000, 70_000, 200_000]);
    let kind =
        rng.one_of(if flaky { &["echo", "echo", "early", "refuses"] } else { &["echo", "early"] });
    let way = rng.one_of(&["p", "p", "h"]);
    let body = pattern(id, size);
    let mut request = with_body(rng, &format!("/dev/{way}/{kind}/{size}/{id}"), body.clone());
    // The integration may answer without having read the body: what is left of it nobody reads.
    request.may_close |= kind != "echo";
    request.want = answer(if kind == "refuses" && way == "p" { 403 } else { 200 }, body);
    if flaky {
        // A kept connection may have been closed just now, and a POST is not repeated; an integration
        // that closes with unread input loses its answer, or the end of it.
        request.want.push(Answer { status: 504, body: None });
        request.may_close = true;
        if kind == "refuses" {
            request.want.push(Answer { status: 502, body: None });
            request.may_break = true;
        }
    }
    request
}

/// The integration may find out that its client's body is too large before or after it answers.
fn too_large(rng: &mut SimRng) -> Request {
    let path = rng.one_of(&["/dev/a", "/dev/p/echo/0/0"]);
    let size = PAYLOAD_BYTES_MAX + rng.range(1..40_000);
    let mut request = with_body(rng, path, vec![b'l'; size]);
    request.want = vec![Answer { status: 413, body: None }];
    if path != "/dev/a" {
        // The integration may have been gone before the body was too large.
        request.want.push(Answer { status: 504, body: None });
    }
    request.may_close = true;
    request
}

fn download(rng: &mut SimRng, flaky: bool, id: u32) -> Request {
    let size = rng.one_of(&[0, 1, 10, 1_000, 20_000, 70_000, 250_000]);
    let kind = match rng.one_of(&[
        "length", "length", "length", "flaky", "flaky", "chunked", "chunked", "close", "slow",
        "hints", "bodiless", "garbage", "reset", "stall", "cut", "stops", "large", "gone",
    ]) {
        "flaky" if !flaky => "length",
        kind => kind,
    };
    let way = rng.one_of(&["p", "p", "h"]);
    let method = if rng.chance(100) { "HEAD" } else { "GET" };
    let padding = padding(rng);
    let mut request = get(method, &format!("/dev/{way}/{kind}/{size}/{id}"), &padding);
    let body = if method == "HEAD" { Vec::new() } else { pattern(id, size) };
    let failed = |status| vec![Answer { status, body: None }];
    request.want = match (kind, way, method) {
        ("bodiless", "p", _) => answer(204, ""),
        ("bodiless", ..) => answer(200, ""),
        ("garbage", ..) => failed(502),
        ("reset" | "stall" | "gone", ..) => failed(504),
        ("cut" | "stops" | "large", _, "HEAD") => answer(200, ""),
        // The answer is read to its end before any of it is sent.
        ("cut", "h", _) => failed(502),
        ("stops", "h", _) => failed(504),
        ("large", "h", _) => failed(500),
        ("cut" | "stops" | "large", ..) => {
            // It is cut off after its head had left.
            request.may_break = true;
            request.may_close = true;
            Vec::new()
        }
        _ => answer(200, body),
    };
    request
}
