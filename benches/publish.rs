//! How long does a shard stand still for a new deployment, and how long does it take to compile one?

use std::rc::Rc;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

use ringway::deploy::{
    Batch, Change, CompileEnv, CompiledStage, StageContent, StageSettings, Update, compile,
};
use ringway::limits::Limits;
use ringway::model::{Integration, IntegrationType, Method, MethodName, Resource, RestApi};
use ringway::ring::RingConfig;
use ringway::ring::sim::{Sim, SimConfig};
use ringway::shard::{Shard, ShardMessage};
use ringway::telemetry::Registry;
use ringway::throttle::BucketRegistry;
use ringway::time::Nanos;
use ringway::tls::ClientTrust;
use ringway::upstream::TargetRegistry;

const APIS: usize = 300;

fn api(number: usize, resources: usize) -> RestApi {
    let resources = (0..resources).map(|item| {
        let integration = Integration {
            kind: IntegrationType::HttpProxy,
            uri: Some(format!("http://127.0.0.1:9000/items/{item}/{{id}}")),
            request_parameters: [(
                "integration.request.path.id".to_owned(),
                "method.request.path.id".to_owned(),
            )]
            .into(),
            ..Integration::default()
        };
        let method = Method { integration: Some(integration), ..Method::default() };
        Resource {
            id: format!("r{item:05}"),
            path: format!("/collection-{:03}/item-{item:03}/{{id}}", item / 10),
            methods: [(MethodName::Get, method)].into(),
        }
    });
    let id = format!("api{number:07}");
    RestApi { id, name: "service".to_owned(), resources: resources.collect(), ..Default::default() }
}

fn compiled(api: &RestApi) -> CompiledStage {
    let settings = StageSettings { stage: "prod".to_owned(), ..StageSettings::default() };
    let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
    let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
    compile(api, &settings, &mut env).expect("the definition is right")
}

fn publish(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish");
    let registry = Registry::new(1);
    let serve = |number: usize, resources: usize| {
        let main = Arc::new(compiled(&api(number, resources)));
        Change::new(Update::Serve(StageContent { main, canary: None, access_log: None }), &registry)
    };
    let sim = Sim::new(SimConfig::calm(1));
    let ring = sim.ring(RingConfig { recv_bufs: 1, bulk_bufs: 1 });
    let trust = Arc::new(ClientTrust::load(&[]).expect("the system's roots"));
    let limits = Arc::new(Limits::default());
    let shard =
        Rc::new(Shard::new(&ring, 0, limits, registry.shard(0), None, trust, Arc::default()));
    let apply =
        |batch: Batch| shard.receive(ShardMessage::Apply { batch, applied: Box::new(|| {}) });
    assert!(apply((0..APIS).map(|number| serve(number, 1)).collect()));
    // What is replaced is somebody else's to free, as with the publisher.
    let versions: [Batch; 2] = [[serve(7, 300)].into(), [serve(7, 300)].into()];
    let mut turn = 0;
    group.bench_function("swap on a shard", |b| {
        b.iter_batched(
            || {
                turn += 1;
                Arc::clone(&versions[turn % 2])
            },
            apply,
            BatchSize::SmallInput,
        );
    });
    let large = api(0, 300);
    assert_eq!(compiled(&large).methods.len(), 300);
    group.bench_function("compile/300 resources", |b| b.iter(|| compiled(&large)));
    group.finish();
    drop(shard);
    ring.shut_down();
}

criterion_group!(benches, publish);
criterion_main!(benches);
