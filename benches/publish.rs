//! How long does a shard stand still for a new deployment, and how long does it take to compile one?

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

use ringway::control::api::Effects;
use ringway::control::api::objects::{RestApi as StoredApi, SNAPSHOT, Stage};
use ringway::control::definition::{Definition, PutMode};
use ringway::control::serving::{Serving, ServingConfig};
use ringway::control::vault::Vault;
use ringway::deploy::{
    Batch, Change, CompileEnv, CompiledStage, StageContent, StageSettings, Update, compile,
};
use ringway::limits::Limits;
use ringway::model::{Integration, IntegrationType, Method, MethodName, Resource, RestApi};
use ringway::ring::RingConfig;
use ringway::ring::sim::{Sim, SimConfig};
use ringway::shard::{Shard, ShardMessage};
use ringway::store::Store;
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

/// What a change of a stage costs before shards hear of it: its snapshot is unpacked, read, declared and
/// compiled.
fn from_the_store(c: &mut Criterion) {
    let mut group = c.benchmark_group("store");
    let api = api(0, 300);
    let id = api.id.clone();
    let rest_api =
        StoredApi { id: id.clone(), root_resource_id: "root".to_owned(), ..StoredApi::default() };
    let mut definition = Definition { rest_api, ..Definition::default() };
    definition.adopt(&api, PutMode::Overwrite).expect("a definition of a model");
    let text = definition.freeze();
    assert_eq!(Definition::thaw(&text).expect("our own text"), definition);
    group.bench_function("freeze/300 resources", |b| b.iter(|| definition.freeze()));
    group.bench_function("thaw/300 resources", |b| b.iter(|| Definition::thaw(&text)));
    group.bench_function("declare/300 resources", |b| b.iter(|| definition.declare()));

    let folder = std::env::temp_dir().join(format!("ringway-bench-{}", std::process::id()));
    let store = Store::open(&folder).expect("a new store");
    let writing = store.write().expect("nobody else writes");
    let stage = Stage {
        deployment_id: "first1".to_owned(),
        stage_name: "prod".to_owned(),
        variables: Some(BTreeMap::new()),
        ..Stage::default()
    };
    definition.store(&writing).expect("a store to write to");
    writing.put_blob(SNAPSHOT, &[&id, "first1"], &text).expect("a store to write to");
    writing.put(&[&id, "prod"], &stage).expect("a store to write to");
    writing.commit().expect("a disk with room");
    let config = ServingConfig {
        limits: Arc::new(Limits::default()),
        account_throttle: None,
        account_id: "123456789012".to_owned(),
        vault: Arc::new(Vault::new(&[7; 32])),
        access_log: None,
    };
    let serving = Serving::new(config, Arc::default(), Arc::default());
    let effects =
        Effects { changed_stages: [(id, "prod".to_owned())].into(), ..Effects::default() };
    let reading = store.read().expect("a store");
    let updates = || serving.updates(&reading, &effects, Nanos(0)).expect("it compiles");
    let [Update::Serve(content)] = &updates()[..] else { panic!("one stage") };
    assert_eq!(content.main.methods.len(), 300);
    group.bench_function("publish a deployment/300 resources", |b| {
        b.iter(|| {
            serving.forget();
            updates()
        });
    });
    // The declared snapshot is known still: a variable was changed.
    group.bench_function("publish a setting/300 resources", |b| b.iter(updates));
    group.finish();
    drop((reading, store));
    std::fs::remove_dir_all(&folder).expect("it was ours");
}

criterion_group!(benches, publish, from_the_store);
criterion_main!(benches);
