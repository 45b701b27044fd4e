//! Whole shards over real sockets, with stages compiled from models made here.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{ShardConfig, ShardHandle, ShardMessage, spawn_with};
use crate::context::ContextVariable;
use crate::deploy::{
    Batch, Change, CompileEnv, CompiledStage, StageContent, StageSettings, Update, compile,
};
use crate::limits::Limits;
use crate::model::{
    Integration, IntegrationResponse, IntegrationType, Method, MethodName, MethodResponse,
    Resource, RestApi,
};
use crate::ring::RingConfig;
use crate::telemetry::{AccessLogFormat, LogQueue, Registry};
use crate::throttle::BucketRegistry;
use crate::time::Nanos;
use crate::tls::ClientTrust;
use crate::upstream::TargetRegistry;

pub(super) fn method(integration: Integration) -> Method {
    Method {
        integration: Some(integration),
        method_responses: BTreeMap::from([("200".to_owned(), MethodResponse::default())]),
        ..Method::default()
    }
}

pub(super) fn mock(body: &str) -> Integration {
    Integration {
        kind: IntegrationType::Mock,
        request_templates: [("application/json".to_owned(), "{\"statusCode\": 200}".to_owned())]
            .into(),
        responses: vec![IntegrationResponse {
            status_code: 200,
            response_templates: [("application/json".to_owned(), body.to_owned())].into(),
            ..IntegrationResponse::default()
        }],
        ..Integration::default()
    }
}

pub(super) fn proxy(uri: &str) -> Integration {
    Integration {
        kind: IntegrationType::HttpProxy,
        uri: Some(uri.to_owned()),
        http_method: Some(MethodName::Any),
        request_parameters: [(
            "integration.request.path.proxy".to_owned(),
            "method.request.path.proxy".to_owned(),
        )]
        .into(),
        ..Integration::default()
    }
}

pub(super) fn api(resources: Vec<(&str, MethodName, Method)>) -> RestApi {
    let mut api = RestApi { id: "a1b2c3d4e5".into(), name: "shop".into(), ..RestApi::default() };
    for (path, name, mut method) in resources {
        for parameter in path.split(['{', '}']).skip(1).step_by(2) {
            let key = format!("method.request.path.{}", parameter.trim_end_matches('+'));
            method.request_parameters.insert(key, true);
        }
        api.resources.push(Resource {
            id: "abc123".into(),
            path: path.into(),
            methods: BTreeMap::from([(name, method)]),
        });
    }
    api
}

/// What a shard needs to serve `api`, and where it is going to listen.
pub(super) fn prepare(
    api: &RestApi,
    limits: Limits,
    access_log: Option<Arc<AccessLogFormat>>,
) -> (ShardConfig, Batch, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Arc::new(limits);
    let registry = Registry::new(1);
    let config = ShardConfig {
        index: 0,
        cpu: None,
        listeners: vec![listener],
        limits: Arc::clone(&limits),
        cells: registry.shard(0),
        log: None,
        trust: Arc::new(ClientTrust::load(&[]).unwrap()),
        usage: Arc::default(),
    };
    (config, batch(compiled_with(api, limits), access_log, &registry), address)
}

/// The API's stage `dev`.
pub(super) fn compiled(api: &RestApi) -> Arc<CompiledStage> {
    compiled_with(api, Arc::default())
}

fn compiled_with(api: &RestApi, limits: Arc<Limits>) -> Arc<CompiledStage> {
    let settings = StageSettings { stage: "dev".into(), limits, ..StageSettings::default() };
    let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
    let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
    Arc::new(compile(api, &settings, &mut env).unwrap())
}

/// What makes a shard serve `stage`, on any host.
pub(super) fn batch(
    stage: Arc<CompiledStage>,
    access_log: Option<Arc<AccessLogFormat>>,
    registry: &Registry,
) -> Batch {
    let default = Update::DefaultApi(Some(stage.api_id.clone()));
    let serve = Update::Serve(StageContent { main: stage, canary: None, access_log });
    [serve, default].into_iter().map(|update| Change::new(update, registry)).collect()
}

/// Lets a shard apply it, and does not wait.
pub(super) fn apply(batch: Batch) -> ShardMessage {
    ShardMessage::Apply { batch, applied: Box::new(|| {}) }
}

/// A log format with every variable.
fn every_variable() -> Arc<AccessLogFormat> {
    let names = ContextVariable::ALL.iter().map(|variable| variable.name());
    let format: String = names.map(|name| format!("$context.{name} ")).collect();
    Arc::new(AccessLogFormat::parse(&format).unwrap())
}

pub(super) struct Served {
    shard: Option<ShardHandle>,
    pub(super) cells: Arc<crate::telemetry::ShardCells>,
    address: SocketAddr,
}

impl Served {
    pub(super) fn start(api: &RestApi, limits: Limits) -> Self {
        Self::start_with(api, limits, RingConfig::default())
    }

    fn start_with(api: &RestApi, limits: Limits, ring: RingConfig) -> Self {
        let (mut config, batch, address) = prepare(api, limits, Some(every_variable()));
        // Nobody reads it: writing the lines is what may go wrong.
        config.log = Some(Arc::new(LogQueue::new()));
        Self::run(config, batch, address, ring)
    }

    pub(super) fn run(
        config: ShardConfig,
        batch: Batch,
        address: SocketAddr,
        ring: RingConfig,
    ) -> Self {
        let cells = Arc::clone(&config.cells);
        let shard = spawn_with(config, ring).unwrap();
        assert!(shard.send(apply(batch)).is_ok());
        Self { shard: Some(shard), cells, address }
    }

    pub(super) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Sends a request and reads until the gateway closes.
    pub(super) fn ask(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let shard = self.shard.take().unwrap();
        assert!(shard.send(ShardMessage::Drain { deadline: None }).is_ok());
        shard.join().unwrap();
        if !std::thread::panicking() {
            assert_eq!(
                self.cells.panics.load(),
                0,
                "a connection's panic is survived, but is a bug"
            );
        }
    }
}

pub(super) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

#[test]
fn a_mock_answers_with_its_literal_template() {
    let served = Served::start(
        &api(vec![("/pets", MethodName::Get, method(mock("[1,2]")))]),
        Limits::default(),
    );
    let answer = served.ask(&get("/dev/pets"));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\nContent-Type: application/json\r\n"), "{answer}");
    assert!(answer.contains("\r\nContent-Length: 5\r\n"), "{answer}");
    assert!(answer.contains("\r\nx-amzn-RequestId: "), "{answer}");
    assert!(answer.ends_with("\r\nConnection: close\r\n\r\n[1,2]"), "{answer}");
}

#[test]
fn what_matches_nothing_is_403_missing_authentication_token() {
    let served = Served::start(
        &api(vec![("/pets", MethodName::Get, method(mock("[]")))]),
        Limits::default(),
    );
    let answer = served.ask(&get("/dev/nothing"));
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert!(answer.contains("x-amzn-ErrorType: MissingAuthenticationTokenException"), "{answer}");
    assert!(answer.ends_with("{\"message\":\"Missing Authentication Token\"}"), "{answer}");
}

#[test]
fn pipelined_requests_are_answered_in_order_and_a_head_may_come_in_pieces() {
    let served = Served::start(
        &api(vec![
            ("/a", MethodName::Get, method(mock("A"))),
            ("/b", MethodName::Get, method(mock("B"))),
        ]),
        Limits::default(),
    );
    let mut stream = served.connect();
    let one = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut requests = String::new();
    for index in 0..50 {
        requests.push_str(&one(if index % 3 == 0 { "/dev/a" } else { "/dev/b" }));
    }
    requests.push_str(&get("/dev/a"));
    for piece in requests.as_bytes().chunks(37) {
        stream.write_all(piece).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let bodies: String = answer
        .split("HTTP/1.1 200 OK\r\n")
        .skip(1)
        .map(|answer| answer.split_once("\r\n\r\n").unwrap().1)
        .collect();
    let want: String =
        (0..50).map(|index| if index % 3 == 0 { 'A' } else { 'B' }).chain(['A']).collect();
    assert_eq!(bodies, want);
}

#[test]
fn hostile_requests_are_refused_and_harm_nobody() {
    let served = Served::start(
        &api(vec![("/pets", MethodName::Any, method(mock("fine")))]),
        Limits::default(),
    );
    for &(what, bytes, status) in crate::http::hostile::HOSTILE {
        let mut stream = served.connect();
        // The gateway may refuse, and close, before it has read everything.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let line = String::from_utf8_lossy(&answer[..answer.len().min(12)]).into_owned();
        assert_eq!(line, format!("HTTP/1.1 {status}"), "{what}");
        assert!(served.ask(&get("/dev/pets")).ends_with("fine"), "after {what}");
    }
}

/// An upstream that answers each connection's requests by `answer` until it returns `None`.
pub(super) fn upstream(
    answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> (SocketAddr, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    let thread = std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), answer) = (stream, Arc::clone(&answer)) else { return };
            std::thread::spawn(move || {
                let mut received = Vec::new();
                let mut buffer = [0; 4_096];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    received.extend_from_slice(&buffer[..count]);
                    while let Some(end) = received.windows(4).position(|it| it == b"\r\n\r\n") {
                        let head = String::from_utf8(received.drain(..end + 4).collect()).unwrap();
                        let Some(bytes) = answer(&head) else { return };
                        if stream.write_all(&bytes).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    (address, thread)
}

#[test]
fn http_proxy_passes_requests_and_answers_and_keeps_connections() {
    let (address, _) = upstream(|head| {
        let body = format!("saw {}", head.lines().next().unwrap());
        Some(
            format!(
                "HTTP/1.1 201 Created\r\nX-Own: 1\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into(),
        )
    });
    let served = Served::start(
        &api(vec![(
            "/{proxy+}",
            MethodName::Any,
            method(proxy(&format!("http://{address}/x/{{proxy}}"))),
        )]),
        Limits::default(),
    );
    for _ in 0..3 {
        let answer = served.ask(&get("/dev/a/b?q=1"));
        assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
        assert!(answer.contains("\r\nX-Own: 1\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nsaw GET /x/a/b?q=1 HTTP/1.1"), "{answer}");
    }
}

#[test]
fn http_proxy_streams_large_and_chunked_answers() {
    let (address, _) = upstream(|head| {
        let mut answer = Vec::new();
        if head.starts_with("GET /x/chunked") {
            answer.extend_from_slice(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for _ in 0..1_000 {
                answer.extend_from_slice(b"400\r\n");
                answer.extend_from_slice(&[b'z'; 0x400]);
                answer.extend_from_slice(b"\r\n");
            }
            answer.extend_from_slice(b"0\r\n\r\n");
        } else {
            answer.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n");
            answer.resize(answer.len() + 5_000_000, b'p');
        }
        Some(answer)
    });
    let served = Served::start(
        &api(vec![(
            "/{proxy+}",
            MethodName::Any,
            method(proxy(&format!("http://{address}/x/{{proxy}}"))),
        )]),
        Limits::default(),
    );
    let plain = served.ask(&get("/dev/plain"));
    let (head, body) = plain.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Content-Length: 5000000"), "{head}");
    assert!(body.len() == 5_000_000 && body.bytes().all(|byte| byte == b'p'));
    let chunked = served.ask(&get("/dev/chunked"));
    let (head, body) = chunked.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Transfer-Encoding: chunked"), "{head}");
    assert!(body.ends_with("\r\n0\r\n\r\n"));
    assert_eq!(body.bytes().filter(|&byte| byte == b'z').count(), 1_024_000);
}

#[test]
fn a_backend_that_fails_is_told_as_aws_tells_it() {
    let (address, _) = upstream(|head| match head.split('/').nth(2) {
        Some("garbage HTTP") => Some(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()),
        Some("close HTTP") => None,
        _ => Some(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()),
    });
    // Bound, so that nobody else gets the port, and not listening.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let closed = socket.local_addr().unwrap().as_socket().unwrap();
    let to = |address: SocketAddr| method(proxy(&format!("http://{address}/x/{{proxy}}")));
    let api = api(vec![
        ("/up/{proxy+}", MethodName::Any, to(address)),
        ("/refused/{proxy+}", MethodName::Any, to(closed)),
    ]);
    let served = Served::start(&api, Limits::default());
    for (path, status) in [
        ("/dev/up/garbage", "502"),
        ("/dev/up/close", "504"),
        ("/dev/refused/x", "504"),
        ("/dev/up/fine", "200"),
    ] {
        let answer = served.ask(&get(path));
        assert_eq!(&answer[9..12], status, "{path}: {answer}");
    }
}

/// A ring that a handful of clients can empty.
const TINY: RingConfig = RingConfig { recv_bufs: 4, bulk_bufs: 1 };

/// A MOCK at `/fine` and a proxy to `address` at `/up/...`.
fn fine_and_up(address: SocketAddr) -> RestApi {
    api(vec![
        ("/fine", MethodName::Get, method(mock("fine"))),
        ("/up/{proxy+}", MethodName::Any, method(proxy(&format!("http://{address}/x/{{proxy}}")))),
    ])
}

/// Others are served, each in a short time.
fn assert_serves_others(served: &Served) {
    for _ in 0..20 {
        let begun = Instant::now();
        assert!(served.ask(&get("/dev/fine")).ends_with("\r\n\r\nfine"));
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[test]
fn clients_that_pipeline_while_their_requests_hang_starve_nobody() {
    const PIPELINED: usize = 20;
    let (released, arrived) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (address, _) = upstream({
        let (released, arrived) = (Arc::clone(&released), Arc::clone(&arrived));
        move |_| {
            arrived.fetch_add(1, Ordering::Relaxed);
            while !released.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
            Some(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow".to_vec())
        }
    });
    let served = Served::start_with(&fine_and_up(address), Limits::default(), TINY);
    let mut clients: Vec<TcpStream> = (0..50).map(|_| served.connect()).collect();
    for client in &mut clients {
        client.set_nodelay(true).unwrap();
        client.write_all(b"GET /dev/up/hangs HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    }
    while arrived.load(Ordering::Relaxed) < clients.len() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let next = format!("GET /dev/fine HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(900));
    for _ in 0..PIPELINED {
        for client in &mut clients {
            client.write_all(next.as_bytes()).unwrap();
        }
    }
    assert_serves_others(&served);
    released.store(true, Ordering::Relaxed);
    for mut client in clients {
        client.write_all(get("/dev/fine").as_bytes()).unwrap();
        let mut answers = String::new();
        client.read_to_string(&mut answers).unwrap();
        let slow = answers.find("slow").expect("the first answer");
        assert_eq!(answers[slow..].matches("\r\n\r\nfine").count(), PIPELINED + 1);
    }
}

#[test]
fn bodies_for_an_integration_that_takes_no_connection_starve_nobody() {
    // Its queue is full: further connections are not answered.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        queued.push(stream);
    }
    let served = Served::start_with(&fine_and_up(address), Limits::default(), TINY);
    let clients: Vec<TcpStream> = (0..12)
        .map(|_| {
            let mut client = served.connect();
            // So that the end of the test need not wait for the connect timeout.
            socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
            let request = "POST /dev/up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
            client.write_all(request.as_bytes()).unwrap();
            client
        })
        .collect();
    std::thread::sleep(Duration::from_millis(50));
    assert_serves_others(&served);
    drop(clients);
}

#[test]
fn uploads_that_an_integration_does_not_read_starve_nobody() {
    // Connections wait in its queue and are never accepted.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = Served::start_with(&fine_and_up(address), Limits::default(), TINY);
    let body = vec![b'u'; 1 << 20];
    let clients: Vec<TcpStream> = (0..30)
        .map(|index| {
            let mut client = served.connect();
            client.set_nonblocking(true).unwrap();
            let framing = match index % 2 {
                0 => "Content-Length: 9000000\r\n\r\n",
                _ => "Transfer-Encoding: chunked\r\n\r\n800000\r\n",
            };
            let head = format!("POST /dev/up/x HTTP/1.1\r\nHost: a\r\n{framing}");
            client.write_all(head.as_bytes()).unwrap();
            client
        })
        .collect();
    for _ in 0..50 {
        for mut client in &clients {
            // As much as goes in.
            let _ = client.write(&body);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_serves_others(&served);
    drop(clients);
    assert_serves_others(&served);
    drop(listener);
}

#[test]
fn a_client_that_resets_ends_its_call_although_it_was_held_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = Served::start_with(&fine_and_up(address), Limits::default(), TINY);
    for pipelined in [0, 1_000, 400_000] {
        let mut client = served.connect();
        client.write_all(b"GET /dev/up/x HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let (mut call, _) = listener.accept().unwrap();
        assert!(call.read(&mut [0; 1_000]).unwrap() > 0);
        client.set_nonblocking(true).unwrap();
        let _ = client.write(&vec![b'\r'; pipelined]);
        std::thread::sleep(Duration::from_millis(30));
        socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        call.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let ended = call.read(&mut [0; 1]);
        let gone = match &ended {
            Ok(count) => *count == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        };
        assert!(gone, "{pipelined} bytes pipelined: {ended:?}");
    }
}

#[test]
fn at_the_connection_limit_new_ones_wait_and_old_ones_live_on() {
    let mut limits = Limits::default();
    limits.set("connections=2").unwrap();
    let api = api(vec![("/fine", MethodName::Get, method(mock("fine")))]);
    let served = Served::start(&api, limits);
    let mut clients: Vec<TcpStream> = (0..6).map(|_| served.connect()).collect();
    let ask = |client: &mut TcpStream| {
        client.write_all(b"GET /dev/fine HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut buffer = [0; 1_000];
        let count = client.read(&mut buffer).unwrap();
        assert!(buffer[..count].ends_with(b"fine"));
    };
    while let [first, second, ..] = &mut clients[..] {
        ask(first);
        ask(second);
        ask(first);
        clients.drain(..2);
    }
}
