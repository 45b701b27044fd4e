//! Shards that serve many APIs and stages, published to as the control plane does.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::tests::{api, method, mock, proxy};
use super::{ShardConfig, ShardHandle, ShardLink, ShardMessage, spawn_with};
use crate::control::publish::{
    BasePathMapping, CanaryContent, DataPlane, Domain, DomainTable, StageContent, Update,
};
use crate::deploy::{CompileEnv, CompiledStage, StageSettings, compile};
use crate::limits::Limits;
use crate::model::{
    ClientCertificate, Integration, MethodName, MethodSetting, RestApi, ThrottleSettings,
};
use crate::ring::RingConfig;
use crate::telemetry::Registry;
use crate::throttle::BucketRegistry;
use crate::time::Nanos;
use crate::tls::ClientTrust;
use crate::upstream::TargetRegistry;

const API: &str = "a1b2c3d4e5";
const OTHER: &str = "z9y8x7w6v5";

/// Shards, and the way to publish to them.
struct Gateway {
    shards: Vec<ShardHandle>,
    addresses: Vec<SocketAddr>,
    registry: Arc<Registry>,
    buckets: Arc<BucketRegistry>,
    targets: Arc<TargetRegistry>,
    plane: DataPlane,
    runtime: tokio::runtime::Runtime,
}

impl Gateway {
    fn start(count: usize) -> Self {
        let registry = Arc::new(Registry::new(count));
        let trust = Arc::new(ClientTrust::load(&[]).unwrap());
        let (mut shards, mut addresses) = (Vec::new(), Vec::new());
        for index in 0..count {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            addresses.push(listener.local_addr().unwrap());
            let config = ShardConfig {
                index,
                cpu: None,
                listeners: vec![listener],
                limits: Arc::new(Limits::default()),
                cells: registry.shard(index),
                log: None,
                trust: Arc::clone(&trust),
                usage: Arc::default(),
            };
            shards.push(spawn_with(config, RingConfig::default()).unwrap());
        }
        let link = Arc::new(ShardLink::new(&shards));
        let (buckets, targets): (Arc<BucketRegistry>, Arc<TargetRegistry>) = Default::default();
        let plane =
            DataPlane::new(link, Arc::clone(&registry), Arc::clone(&buckets), Arc::clone(&targets));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { shards, addresses, registry, buckets, targets, plane, runtime }
    }

    fn compile(&self, api: &RestApi, settings: &StageSettings) -> Arc<CompiledStage> {
        let env = &mut CompileEnv { buckets: &self.buckets, targets: &self.targets, now: NOW };
        Arc::new(compile(api, settings, env).unwrap())
    }

    fn publish(&self, updates: Vec<Update>) {
        self.runtime.block_on(self.plane.publish(updates, NOW)).unwrap();
    }

    /// Serves the API under this stage.
    fn serve(&self, api: &RestApi, stage: &str) {
        self.publish(vec![serving(self.compile(api, &named(stage)))]);
    }

    fn connect(&self, shard: usize) -> Connection {
        Connection::to(self.addresses[shard])
    }

    /// One request to the first shard.
    fn ask(&self, host: &str, path: &str) -> Answer {
        self.connect(0).asks(host, path)
    }

    /// Sum of a counter over the series that have all of `labels`.
    fn count(&self, labels: &[&str]) -> f64 {
        let text = self.registry.render();
        let series = text.lines().filter(|line| {
            line.starts_with("ringway_count_total{") && labels.iter().all(|it| line.contains(it))
        });
        series.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
    }
}

const NOW: Nanos = Nanos(0);

impl Drop for Gateway {
    fn drop(&mut self) {
        for shard in &self.shards {
            assert!(shard.send(ShardMessage::Drain { deadline: None }).is_ok());
        }
        for shard in self.shards.drain(..) {
            shard.join().unwrap();
        }
        if !std::thread::panicking() {
            for index in 0..self.registry.shard_count() {
                assert_eq!(self.registry.shard(index).panics.load(), 0);
            }
        }
    }
}

fn named(stage: &str) -> StageSettings {
    StageSettings { stage: stage.to_owned(), ..StageSettings::default() }
}

fn serving(main: Arc<CompiledStage>) -> Update {
    Update::Serve(StageContent { main, canary: None, access_log: None })
}

/// An API with a MOCK at `/pets`.
fn pets(id: &str, body: &str) -> RestApi {
    let resources = vec![("/pets", MethodName::Get, method(mock(body)))];
    RestApi { id: id.to_owned(), ..api(resources) }
}

fn own_host(api: &str) -> String {
    format!("{api}.execute-api.localhost")
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// A kept connection.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    fn sends(&mut self, host: &str, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    fn reads(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.0.read_line(&mut head).unwrap() > 0, "closed after {head:?}");
        }
        let length = head.split("Content-Length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        let status = head[9..12].parse().unwrap();
        Answer { status, head, body: String::from_utf8(body).unwrap() }
    }

    fn asks(&mut self, host: &str, path: &str) -> Answer {
        self.sends(host, path);
        self.reads()
    }
}

fn assert_forbidden(answer: &Answer) {
    assert_eq!((answer.status, &*answer.body), (403, "{\"message\":\"Forbidden\"}"), "{answer:?}");
    assert!(answer.head.contains("\r\nx-amzn-ErrorType: ForbiddenException\r\n"), "{answer:?}");
}

#[test]
fn requests_reach_their_stage_in_every_form_of_address() {
    let gateway = Gateway::start(1);
    let template = "$context.apiId $context.stage $context.path $context.domainName \
                    $context.domainPrefix";
    for (api, stage) in [(API, "dev"), (API, "prod"), (OTHER, "live")] {
        gateway.serve(&pets(api, template), stage);
    }
    let mapping = |base_path: &str, api: &str, stage: Option<&str>| BasePathMapping {
        base_path: base_path.to_owned(),
        api_id: api.to_owned(),
        stage: stage.map(str::to_owned),
    };
    let shop = Domain {
        name: "shop.example.com".to_owned(),
        mappings: vec![
            mapping("(none)", API, Some("prod")),
            mapping("v1", API, None),
            mapping("v1/other", OTHER, Some("live")),
        ],
    };
    gateway.publish(vec![Update::Domains(Arc::new(DomainTable::new([shop])))]);
    let mut connection = gateway.connect(0);
    let own = own_host(API);
    for (host, path, want) in [
        (&*own, "/dev/pets", format!("{API} dev /dev/pets {own} {API}")),
        (&own, "/prod/pets", format!("{API} prod /prod/pets {own} {API}")),
        (
            "Z9Y8X7W6V5.Execute-Api.us-east-1.amazonaws.com:8080",
            "/live/pets",
            format!(
                "{OTHER} live /live/pets Z9Y8X7W6V5.Execute-Api.us-east-1.amazonaws.com Z9Y8X7W6V5"
            ),
        ),
        ("shop.example.com", "/pets", format!("{API} prod /pets shop.example.com shop")),
        (
            "shop.example.com:8443",
            "/v1/dev/pets",
            format!("{API} dev /v1/dev/pets shop.example.com shop"),
        ),
        (
            "shop.example.com",
            "/v1/other/pets",
            format!("{OTHER} live /v1/other/pets shop.example.com shop"),
        ),
        (
            "127.0.0.1:8080",
            "/_aws/execute-api/z9y8x7w6v5/live/pets",
            format!("{OTHER} live /live/pets 127.0.0.1 127"),
        ),
    ] {
        let answer = connection.asks(host, path);
        assert_eq!((answer.status, answer.body), (200, want), "{host} {path}");
    }
    for (host, path) in [
        ("localhost", "/dev/pets"),
        ("nosuchapi0.execute-api.localhost", "/dev/pets"),
        (&own, "/nostage/pets"),
        (&own, "/"),
        ("shop.example.com", "/v1/nostage/pets"),
        ("localhost", "/_aws/execute-api/nosuchapi0/dev/pets"),
        ("localhost", "/_aws/execute-api/z9y8x7w6v5/dev/pets"),
    ] {
        assert_forbidden(&connection.asks(host, path));
    }
    let missing = connection.asks(&own, "/dev/nothing");
    assert_eq!(missing.body, "{\"message\":\"Missing Authentication Token\"}");
}

#[test]
fn a_gateway_without_any_stage_answers_forbidden() {
    let gateway = Gateway::start(1);
    gateway.publish(Vec::new());
    let mut connection = gateway.connect(0);
    assert_forbidden(&connection.asks("localhost", "/dev/pets"));
    assert_forbidden(&connection.asks(&own_host(API), "/dev/pets"));
    gateway.serve(&pets(API, "here"), "dev");
    assert_eq!(connection.asks(&own_host(API), "/dev/pets").body, "here");
}

#[test]
fn an_api_without_its_default_endpoint_answers_on_its_domains_only() {
    let gateway = Gateway::start(1);
    let mapping = BasePathMapping { base_path: String::new(), api_id: API.to_owned(), stage: None };
    let domain = Domain { name: "d.example.com".to_owned(), mappings: vec![mapping] };
    let endpoint = |enabled| Update::DefaultEndpoint { api_id: API.to_owned(), enabled };
    let stage = gateway.compile(&pets(API, "here"), &named("dev"));
    let domains = Update::Domains(Arc::new(DomainTable::new([domain])));
    gateway.publish(vec![endpoint(false), domains, serving(stage)]);
    let mut connection = gateway.connect(0);
    let path_form = format!("/_aws/execute-api/{API}/dev/pets");
    assert_forbidden(&connection.asks(&own_host(API), "/dev/pets"));
    assert_forbidden(&connection.asks("localhost", &path_form));
    assert_eq!(connection.asks("d.example.com", "/dev/pets").body, "here");
    gateway.publish(vec![endpoint(true)]);
    assert_eq!(connection.asks(&own_host(API), "/dev/pets").body, "here");
    assert_eq!(connection.asks("localhost", &path_form).body, "here");
}

/// The first request after a publish sees it, on every shard and over connections that were there.
#[test]
fn what_is_published_is_served_by_every_shard() {
    let gateway = Gateway::start(3);
    let host = own_host(API);
    gateway.serve(&pets(API, "0"), "dev");
    let mut kept: Vec<Connection> = (0..3).map(|shard| gateway.connect(shard)).collect();
    for number in 1..100 {
        gateway.serve(&pets(API, &number.to_string()), "dev");
        for (shard, connection) in kept.iter_mut().enumerate() {
            let body = connection.asks(&host, "/dev/pets").body;
            assert_eq!(body, number.to_string(), "on shard {shard}");
        }
    }
    let (api_id, stage) = (API.to_owned(), "dev".to_owned());
    gateway.publish(vec![Update::Remove { api_id, stage }]);
    for connection in &mut kept {
        assert_forbidden(&connection.asks(&host, "/dev/pets"));
    }
}

/// A backend that answers once it is released, with what it was asked.
fn slow_backend(released: &Arc<AtomicBool>, arrived: &Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (released, arrived) = (Arc::clone(released), Arc::clone(arrived));
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let (released, arrived) = (Arc::clone(&released), Arc::clone(&arrived));
            std::thread::spawn(move || {
                let mut head = [0; 4_096];
                assert!(stream.read(&mut head).unwrap() > 0);
                arrived.fetch_add(1, Ordering::Relaxed);
                while !released.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow";
                stream.write_all(answer).unwrap();
            });
        }
    });
    address
}

#[test]
fn requests_in_flight_end_on_the_stage_they_began_with() {
    let gateway = Gateway::start(1);
    let (released, arrived) = (Arc::default(), Arc::default());
    let backend = slow_backend(&released, &arrived);
    let integration = proxy(&format!("http://{backend}/{{proxy}}"));
    let slow = api(vec![("/{proxy+}", MethodName::Any, method(integration))]);
    gateway.serve(&slow, "dev");
    gateway.serve(&slow, "prod");
    let host = own_host(API);
    let mut removed = gateway.connect(0);
    let mut redeployed = gateway.connect(0);
    removed.sends(&host, "/prod/x");
    redeployed.sends(&host, "/dev/x");
    while arrived.load(Ordering::Relaxed) < 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (api_id, stage) = (API.to_owned(), "prod".to_owned());
    gateway.publish(vec![Update::Remove { api_id, stage }]);
    gateway.serve(&pets(API, "new"), "dev");
    assert_eq!(gateway.targets.targets().len(), 1, "a request has it");
    assert_forbidden(&gateway.ask(&host, "/prod/x"));
    assert_eq!(gateway.ask(&host, "/dev/pets").body, "new");
    released.store(true, Ordering::Relaxed);
    assert_eq!(removed.reads().body, "slow");
    assert_eq!(redeployed.reads().body, "slow");
    assert_forbidden(&removed.asks(&host, "/prod/x"));
    assert_eq!(redeployed.asks(&host, "/dev/pets").body, "new");
    gateway.publish(Vec::new());
    assert_eq!(gateway.targets.targets().len(), 0, "nobody has it");
}

/// A stage and its canary, both of a deployment with this number.
fn with_canary(gateway: &Gateway, number: u64, percent_traffic: f64) -> Update {
    let body = |kind: &str| {
        format!(
            "{kind} {number} $stageVariables.number $context.isCanaryRequest $stageVariables.own"
        )
    };
    let settings = |kind: &str| {
        let variables = [("number", number.to_string()), ("own", kind.to_owned())];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
        StageSettings { variables, ..named("dev") }
    };
    let compiled = |kind| gateway.compile(&pets(API, &body(kind)), &settings(kind));
    let canary = Some(CanaryContent { percent_traffic, stage: compiled("canary") });
    Update::Serve(StageContent { main: compiled("main"), canary, access_log: None })
}

#[test]
fn a_canary_gets_its_part_and_its_own_variables_and_metrics() {
    let gateway = Gateway::start(2);
    let host = own_host(API);
    let mut asked = 0.0;
    for (percent, least, most) in [(0.0, 0, 0), (100.0, 200, 200), (50.0, 50, 150)] {
        gateway.publish(vec![with_canary(&gateway, 7, percent)]);
        for shard in 0..2 {
            let mut connection = gateway.connect(shard);
            let bodies: Vec<String> =
                (0..200).map(|_| connection.asks(&host, "/dev/pets").body).collect();
            let canary = bodies.iter().filter(|body| *body == "canary 7 7 true canary").count();
            let main = bodies.iter().filter(|body| *body == "main 7 7 false main").count();
            assert_eq!(canary + main, 200, "{bodies:?}");
            // At 50 % of 200 it is 7 standard deviations to either bound.
            assert!((least..=most).contains(&canary), "{canary} of 200 at {percent} %");
        }
        asked += 400.0;
    }
    // A method that the canary does not find counts as what it is, too.
    gateway.publish(vec![with_canary(&gateway, 8, 100.0)]);
    assert_eq!(gateway.ask(&host, "/dev/none").status, 403);
    let all = gateway.count(&["stage=\"dev\""]);
    let canary = gateway.count(&["stage=\"dev/Canary\""]);
    assert_eq!(all, asked + 1.0, "the stage counts its canary's requests");
    assert!((400.0 + 101.0..400.0 + 301.0).contains(&canary), "{canary}");
    assert_eq!(gateway.count(&["stage=\"dev/Canary\"", "resource=\"\""]), 1.0);

    gateway.serve(&pets(API, "[$context.isCanaryRequest]"), "dev");
    assert_eq!(gateway.ask(&host, "/dev/pets").body, "[]", "no canary, no value");
    assert_eq!(gateway.count(&["stage=\"dev/Canary\""]), 0.0, "what is gone is told no more");
    assert_eq!(gateway.count(&["stage=\"dev\""]), asked + 2.0, "a redeploy goes on counting");
}

/// Both shards are asked all the time while deployment follows deployment: every answer is whole and of
/// one deployment, and none is older than what had been published when it was asked for.
#[test]
fn redeploys_under_load_never_fail_and_never_mix() {
    const DEPLOYMENTS: u64 = 200;
    let gateway = Gateway::start(2);
    gateway.publish(vec![with_canary(&gateway, 1, 50.0)]);
    let published = AtomicU64::new(1);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|client| {
                let (gateway, published, ended) = (&gateway.addresses, &published, &ended);
                let address = gateway[client % 2];
                scope.spawn(move || {
                    let mut connection = Connection::to(address);
                    let (mut answers, mut canaries) = (0, 0);
                    while !ended.load(Ordering::Relaxed) {
                        let least = published.load(Ordering::Acquire);
                        let answer = connection.asks(&own_host(API), "/dev/pets");
                        assert_eq!(answer.status, 200, "{answer:?}");
                        let words: Vec<&str> = answer.body.split(' ').collect();
                        let [kind, number, variable, is_canary, own] = words[..] else {
                            panic!("{answer:?}")
                        };
                        assert_eq!(number, variable, "{answer:?}");
                        assert_eq!(kind, own, "{answer:?}");
                        assert_eq!(kind == "canary", is_canary == "true", "{answer:?}");
                        assert!(number.parse::<u64>().unwrap() >= least, "{answer:?} < {least}");
                        answers += 1;
                        canaries += u32::from(kind == "canary");
                    }
                    (answers, canaries)
                })
            })
            .collect();
        for number in 2..=DEPLOYMENTS {
            gateway.publish(vec![with_canary(&gateway, number, 50.0)]);
            published.store(number, Ordering::Release);
        }
        ended.store(true, Ordering::Relaxed);
        let (answers, canaries) = clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
        println!("{answers} answers, {canaries} of canaries, during {DEPLOYMENTS} deployments");
        assert!(canaries > 0 && canaries < answers);
    });
}

#[test]
fn a_thousand_redeploys_leave_nothing_behind() {
    let gateway = Gateway::start(1);
    let limit = || {
        let setting = MethodSetting {
            throttling_rate_limit: Some(100.0),
            throttling_burst_limit: Some(100),
            ..MethodSetting::default()
        };
        [("*/*".to_owned(), setting)].into()
    };
    let account_throttle = Some(ThrottleSettings { rate_limit: 1e6, burst_limit: 1_000_000 });
    let settings =
        |stage: &str| StageSettings { method_settings: limit(), account_throttle, ..named(stage) };
    let host = own_host(API);
    let mut connection = gateway.connect(0);
    let mut sizes = None;
    for number in 0..1_000_u32 {
        // Other routes, backends and canary each time; one route stays, and another API comes and goes.
        let body = number.to_string();
        let uri = format!("http://127.0.0.1:{}/", 10_000 + number);
        let resources = [
            ("/pets".to_owned(), mock(&body)),
            (format!("/a{number}"), mock("")),
            (format!("/b{number}/{{id}}"), mock("")),
            (format!("/c{number}"), proxy(&uri)),
        ];
        let resources = resources
            .iter()
            .map(|(path, it)| (path.as_str(), MethodName::Get, method(it.clone())))
            .collect();
        let main = gateway.compile(&api(resources), &settings("dev"));
        let canary = gateway.compile(&pets(API, &body), &settings("dev"));
        let canary = Some(CanaryContent { percent_traffic: 0.0, stage: canary });
        let other = |number: u32| format!("other{number:05}");
        let guest = gateway.compile(&pets(&other(number), ""), &settings("guest"));
        let mut updates =
            vec![Update::Serve(StageContent { main, canary, access_log: None }), serving(guest)];
        if let Some(before) = number.checked_sub(1).map(other) {
            updates.push(Update::Remove { api_id: before, stage: "guest".to_owned() });
        }
        gateway.publish(updates);
        if number % 100 == 0 {
            assert_eq!(connection.asks(&host, "/dev/pets").body, body);
            assert_eq!(connection.asks(&own_host(&other(number)), "/guest/pets").status, 200);
            // The routes of now may be asked, those of before are gone.
            assert_eq!(connection.asks(&host, &format!("/dev/a{number}")).status / 100, 2);
        }
        let now = (
            gateway.registry.series_count(),
            gateway.buckets.len(),
            gateway.targets.targets().len(),
        );
        // Series: the stage's 4 and 1, the canary's 1 and 1, the guest's 1 and 1. Buckets: 4 methods, the
        // guest's, the account. Targets: 1.
        assert_eq!(*sizes.get_or_insert(now), now, "at {number}");
    }
    assert_eq!(sizes, Some((9, 6, 1)));
    // Requests of 1 000 deployments were counted in one series.
    assert_eq!(gateway.count(&["resource=\"/pets\"", "stage=\"dev\""]), 10.0);
    gateway.publish(vec![
        Update::Remove { api_id: API.to_owned(), stage: "dev".to_owned() },
        Update::Remove { api_id: "other00999".to_owned(), stage: "guest".to_owned() },
    ]);
    let left = (gateway.registry.series_count(), gateway.buckets.len());
    assert_eq!((left, gateway.targets.targets().len()), ((0, 0), 0));
}

/// A TLS backend that asks for a certificate and answers whether it was shown one.
fn asking_backend() -> SocketAddr {
    let certified = rcgen::generate_simple_self_signed(["backend".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls_pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(Arc::new(AnyClient(provider)))
        .with_single_cert(vec![certified.cert.der().clone()], key.unwrap())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            std::thread::spawn(move || {
                let mut tls = rustls::StreamOwned::new(session, stream);
                let mut head = [0; 4_096];
                while let Ok(1..) = tls.read(&mut head) {
                    let shown = tls.conn.peer_certificates().map_or(0, <[_]>::len);
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{shown}");
                    if tls.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Asks for a certificate, takes any and none.
#[derive(Debug)]
struct AnyClient(Arc<rustls::crypto::CryptoProvider>);

impl rustls::server::danger::ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &[rustls_pki_types::CertificateDer<'_>],
        _: rustls_pki_types::UnixTime,
    ) -> Result<rustls::server::danger::ClientCertVerified, rustls::Error> {
        Ok(rustls::server::danger::ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &rustls_pki_types::CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &rustls_pki_types::CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[test]
fn a_client_certificate_is_shown_for_its_stage_and_for_no_other() {
    let gateway = Gateway::start(1);
    let backend = asking_backend();
    let integration = Integration {
        insecure_skip_verification: true,
        ..proxy(&format!("https://{backend}/{{proxy}}"))
    };
    let api = api(vec![("/{proxy+}", MethodName::Any, method(integration))]);
    let certificate = |name: &str| {
        let certified = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        Some(ClientCertificate {
            pem_encoded_certificate: certified.cert.pem(),
            private_key: certified.signing_key.serialize_pem(),
        })
    };
    let mut served = Vec::new();
    for (stage, client_certificate) in [("with", certificate("a")), ("without", None)] {
        let settings = StageSettings { client_certificate, ..named(stage) };
        served.push(serving(gateway.compile(&api, &settings)));
    }
    gateway.publish(served);
    let mut connection = gateway.connect(0);
    let mut asks = |stage: &str| connection.asks(&own_host(API), &format!("/{stage}/x")).body;
    // Kept connections, too, serve the stage that they were made for.
    for _ in 0..3 {
        assert_eq!(asks("with"), "1");
        assert_eq!(asks("without"), "0");
    }
    // The certificate goes: so do the connections that showed it.
    let settings = named("with");
    gateway.publish(vec![serving(gateway.compile(&api, &settings))]);
    assert_eq!(asks("with"), "0");
    let settings = StageSettings { client_certificate: certificate("b"), ..named("with") };
    gateway.publish(vec![serving(gateway.compile(&api, &settings))]);
    assert_eq!(asks("with"), "1");
    assert_eq!(asks("without"), "0");
    let variables: BTreeMap<_, _> = [("v".to_owned(), "1".to_owned())].into();
    let settings = StageSettings { variables, ..settings };
    gateway.publish(vec![serving(gateway.compile(&api, &settings))]);
    assert_eq!(asks("with"), "1");
    assert_eq!(gateway.targets.targets().len(), 2);
}
