//! What many APIs take: 300 of 300 methods each, on two shards.
//!
//! The figures are printed (`cargo test --test scale -- --nocapture`); time is not judged, memory is.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use ringway::control::publish::{DataPlane, StageContent, Update};
use ringway::deploy::{CompileEnv, StageSettings, compile};
use ringway::limits::Limits;
use ringway::model::{
    Integration, IntegrationResponse, IntegrationType, Method, MethodName, Resource, RestApi,
    ThrottleSettings,
};
use ringway::shard::{self, ShardConfig, ShardLink, ShardMessage};
use ringway::telemetry::Registry;
use ringway::throttle::BucketRegistry;
use ringway::time::Nanos;
use ringway::tls::ClientTrust;
use ringway::upstream::TargetRegistry;

/// The product's, since it is the one that counts.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const APIS: usize = 300;
const METHODS: usize = 300;
const SHARDS: usize = 2;

/// A method's share of the process, bytes.
const METHOD_BYTES_MAX: u64 = 2_000;

/// `VmRSS` and `VmHWM` of this process, bytes.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("it is there");
        let kib: u64 = line.split_whitespace().nth(1).expect("a number").parse().expect("in KiB");
        kib * 1_024
    };
    (field("VmRSS:"), field("VmHWM:"))
}

fn mock() -> Integration {
    Integration {
        kind: IntegrationType::Mock,
        request_templates: [("application/json".to_owned(), "{\"statusCode\": 200}".to_owned())]
            .into(),
        responses: vec![IntegrationResponse {
            status_code: 200,
            response_templates: [("application/json".to_owned(), "{\"fine\": true}".to_owned())]
                .into(),
            ..IntegrationResponse::default()
        }],
        ..Integration::default()
    }
}

fn proxy(api: usize, item: usize) -> Integration {
    Integration {
        kind: IntegrationType::HttpProxy,
        uri: Some(format!("http://127.0.0.1:{}/service-{api}/item-{item}/{{id}}", 9_000 + api)),
        http_method: Some(MethodName::Get),
        request_parameters: [(
            "integration.request.path.id".to_owned(),
            "method.request.path.id".to_owned(),
        )]
        .into(),
        ..Integration::default()
    }
}

/// Half of the methods are MOCKs, half proxies.
fn api(number: usize) -> RestApi {
    let resources = (0..METHODS).map(|item| {
        let mut method = Method {
            operation_name: Some(format!("getItem{item}")),
            integration: Some(if item % 2 == 0 { mock() } else { proxy(number, item) }),
            ..Method::default()
        };
        method.request_parameters.insert("method.request.path.id".to_owned(), true);
        method.method_responses.insert("200".to_owned(), Default::default());
        Resource {
            id: format!("r{item:05}"),
            path: format!("/collection-{:03}/item-{item:03}/{{id}}", item / 10),
            methods: [(MethodName::Get, method)].into(),
        }
    });
    RestApi {
        id: api_id(number),
        name: format!("service {number}"),
        resources: resources.collect(),
        ..RestApi::default()
    }
}

fn api_id(number: usize) -> String {
    format!("api{number:07}")
}

#[test]
fn many_apis_take_little_memory() {
    let registry = Arc::new(Registry::new(SHARDS));
    let limits = Arc::new(Limits::default());
    let trust = Arc::new(ClientTrust::load(&[]).expect("the system's roots"));
    let listeners: Vec<_> =
        (0..SHARDS).map(|_| TcpListener::bind("127.0.0.1:0").expect("loopback")).collect();
    let addresses: Vec<_> =
        listeners.iter().map(|it| it.local_addr().expect("it is bound")).collect();
    let shards: Vec<_> = listeners
        .into_iter()
        .enumerate()
        .map(|(index, listener)| {
            let config = ShardConfig {
                index,
                cpu: None,
                listeners: vec![listener],
                limits: limits.clone(),
                cells: registry.shard(index),
                log: None,
                trust: trust.clone(),
                usage: Arc::default(),
            };
            shard::spawn(config).expect("io_uring")
        })
        .collect();
    let (buckets, targets): (Arc<BucketRegistry>, Arc<TargetRegistry>) = Default::default();
    let link = Arc::new(ShardLink::new(&shards));
    let plane = DataPlane::new(link, registry.clone(), buckets.clone(), targets.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let settings = StageSettings {
        stage: "prod".to_owned(),
        limits,
        account_throttle: Some(ThrottleSettings { rate_limit: 1e6, burst_limit: 1_000_000 }),
        ..StageSettings::default()
    };
    let (before, _) = memory();
    let began = Instant::now();
    let mut updates = Vec::new();
    for number in 0..APIS {
        let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
        let main = compile(&api(number), &settings, &mut env).expect("it compiles");
        updates.push(Update::Serve(StageContent {
            main: Arc::new(main),
            canary: None,
            access_log: None,
        }));
    }
    let compiled = began.elapsed();
    runtime.block_on(plane.publish(updates, Nanos(0))).expect("two shards that live");
    let published = began.elapsed();
    let (after, _) = memory();

    // Every API is there, on every shard.
    for address in &addresses {
        let mut stream = TcpStream::connect(address).expect("it listens");
        for number in 0..APIS {
            let host = format!("{}.execute-api.localhost", api_id(number));
            let path = format!("/prod/collection-000/item-{:03}/7", number % 5 * 2);
            write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("it reads");
            let mut answer = Vec::new();
            while !answer.ends_with(b"{\"fine\": true}") {
                let mut piece = [0; 1_024];
                let count = stream.read(&mut piece).expect("it answers");
                assert!(count > 0, "{host}: {}", String::from_utf8_lossy(&answer));
                answer.extend_from_slice(&piece[..count]);
            }
            assert!(answer.starts_with(b"HTTP/1.1 200 "), "{host}");
        }
    }
    let scrape = registry.render();
    let (_, most) = memory();
    let methods = (APIS * METHODS) as u64;
    let each = after.saturating_sub(before) / methods;
    println!(
        "{methods} methods: compiled in {compiled:?}, published after {published:?}; {} MB, {each} \
         bytes a method; at most {} MB with a scrape of {} MB",
        after / 1_000_000,
        most / 1_000_000,
        scrape.len() / 1_000_000
    );
    assert!(each <= METHOD_BYTES_MAX, "{each} bytes a method");
    assert!(most < 200_000_000, "{most} bytes");
    for shard in &shards {
        assert!(shard.send(ShardMessage::Drain { deadline: None }).is_ok());
    }
    for shard in shards {
        shard.join().expect("it ends well");
    }
}
