//! The stage that simulated shards serve.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ringway::context::ContextVariable;
use ringway::deploy::{
    Batch, Change, CompileEnv, CompiledStage, StageContent, StageSettings, Update, compile,
};
use ringway::limits::Limits;
use ringway::model::{
    Integration, IntegrationResponse, IntegrationType, Method, MethodName, MethodResponse,
    Resource, RestApi,
};
use ringway::telemetry::{AccessLogFormat, Registry};
use ringway::throttle::BucketRegistry;
use ringway::time::Nanos;
use ringway::tls::ClientTrust;
use ringway::upstream::TargetRegistry;

/// Largest payload the stage takes either way, bytes.
pub const PAYLOAD_BYTES_MAX: usize = 300_000;

/// Where the integrations are.
pub const UPSTREAM: &str = "10.0.0.1:9000";

/// What all runs share: making it costs more than a run.
pub struct Fixture {
    pub stage: Arc<CompiledStage>,
    pub limits: Arc<Limits>,
    /// The same, but two connections at a time.
    pub few: Arc<Limits>,
    pub trust: Arc<ClientTrust>,
    /// Every variable: what is wrong with writing a line shows.
    access_log: Arc<AccessLogFormat>,
}

impl Fixture {
    pub fn new() -> Self {
        let limits = Arc::new(Limits {
            payload_bytes: Some(PAYLOAD_BYTES_MAX as u64),
            idle_timeout: Some(Duration::from_secs(60)),
            ..Limits::default()
        });
        let settings = StageSettings {
            stage: "dev".into(),
            limits: Arc::clone(&limits),
            ..Default::default()
        };
        let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
        let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
        let stage = Arc::new(compile(&api(), &settings, &mut env).expect("the stage compiles"));
        let trust = Arc::new(ClientTrust::load(&[]).expect("the system's certificates"));
        let few = Arc::new(Limits { connections: Some(2), ..Limits::clone(&limits) });
        let names = ContextVariable::ALL.iter().map(|variable| variable.name());
        let format: String = names.map(|name| format!("$context.{name} ")).collect();
        let access_log = Arc::new(AccessLogFormat::parse(&format).expect("names there are"));
        Self { stage, limits, few, trust, access_log }
    }

    /// What makes a shard serve the stage, on any host.
    pub fn batch(&self, registry: &Registry) -> Batch {
        let (main, access_log) = (Arc::clone(&self.stage), Some(Arc::clone(&self.access_log)));
        let default = Update::DefaultApi(Some(main.api_id.clone()));
        let serve = Update::Serve(StageContent { main, canary: None, access_log });
        [serve, default].into_iter().map(|update| Change::new(update, registry)).collect()
    }
}

fn api() -> RestApi {
    let mut api = RestApi { id: "a1b2c3d4e5".into(), name: "sim".into(), ..RestApi::default() };
    let uri = format!("http://{UPSTREAM}/{{proxy}}");
    for (path, name, integration) in [
        ("/a", MethodName::Any, mock("answer a")),
        ("/b", MethodName::Any, mock("the answer of b is a little longer")),
        ("/pets", MethodName::Any, mock("fine")),
        ("/p/{proxy+}", MethodName::Any, proxy(&uri)),
        ("/h/{proxy+}", MethodName::Any, http(&uri)),
    ] {
        let mut method = Method {
            integration: Some(integration),
            method_responses: BTreeMap::from([("200".to_owned(), MethodResponse::default())]),
            ..Method::default()
        };
        if path.contains("{proxy+}") {
            method.request_parameters.insert("method.request.path.proxy".to_owned(), true);
        }
        api.resources.push(Resource {
            id: "abc123".into(),
            path: path.into(),
            methods: BTreeMap::from([(name, method)]),
        });
    }
    api
}

fn mock(body: &str) -> Integration {
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

fn proxy(uri: &str) -> Integration {
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

/// Whatever the integration answers becomes a 200 with its body.
fn http(uri: &str) -> Integration {
    Integration {
        kind: IntegrationType::Http,
        responses: vec![IntegrationResponse { status_code: 200, ..IntegrationResponse::default() }],
        ..proxy(uri)
    }
}
