//! What does a line of the access log cost?

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use ringway::deploy::{CompileEnv, CompiledStage, StageSettings, compile};
use ringway::gateway::find_api::{ApiTable, HostMemo};
use ringway::gateway::{ContextView, Exchange, HeadBytes, route};
use ringway::http::{HeadLimits, HeadScan};
use ringway::model::{Method, MethodName, Resource, RestApi};
use ringway::telemetry::AccessLogFormat;
use ringway::throttle::BucketRegistry;
use ringway::time::{Nanos, WallMillis};
use ringway::upstream::TargetRegistry;

const REQUEST: &str = "POST /dev/orders?source=web HTTP/1.1\r\nHost: api.example\r\n\
    Content-Type: application/json\r\nContent-Length: 2\r\n\r\n";

fn stage() -> CompiledStage {
    let integration = ringway::model::Integration::default();
    let method = Method { integration: Some(integration), ..Method::default() };
    let resource = Resource {
        path: "/orders".to_owned(),
        methods: [(MethodName::Post, method)].into(),
        ..Resource::default()
    };
    let api =
        RestApi { id: "a1b2c3d4e5".to_owned(), resources: vec![resource], ..RestApi::default() };
    let settings = StageSettings { stage: "dev".to_owned(), ..StageSettings::default() };
    let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
    let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
    compile(&api, &settings, &mut env).expect("the definition is right")
}

fn access_log(c: &mut Criterion) {
    let mut group = c.benchmark_group("access_log");
    let stage = stage();
    let mut exchange = Exchange::default();
    let limits = HeadLimits { url_bytes: 10_240, header_bytes: 10_240, header_count: 128 };
    let mut head = std::mem::take(&mut exchange.head);
    let parsed = head.parse(REQUEST.as_bytes(), &mut HeadScan::default(), &limits);
    assert_eq!(parsed, Ok(true));
    exchange.head = head;
    exchange.head_bytes = HeadBytes::Owned(REQUEST.as_bytes().to_vec());
    exchange.received_wall = WallMillis(1_764_150_000_000);
    exchange.response.status = 200;
    let mut table = ApiTable::default();
    table.serve(&stage.api_id, &stage.stage, ());
    table.set_default_api(Some(&stage.api_id));
    assert!(table.find(&mut HostMemo::default(), &mut exchange).is_ok());
    route::find(&stage, &mut exchange).expect("the path is there");
    let mut view = ContextView::new(&stage, &exchange);
    view.response_latency = Some(Duration::from_millis(7));
    view.response_length = Some(1_024);
    view.hides_secrets = true;
    let mut out = Vec::with_capacity(4_096);
    for name in AccessLogFormat::PRESET_NAMES {
        let format = AccessLogFormat::preset(name).expect("a preset");
        out.clear();
        format.write(&mut out, &view);
        group.throughput(Throughput::Bytes(out.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                format.write(&mut out, black_box(&view));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, access_log);
criterion_main!(benches);
