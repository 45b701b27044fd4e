//! What does a line of the access log cost?

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use ringway::gateway::ContextView;
use ringway::model::{Integration, MethodName};
use ringway::telemetry::AccessLogFormat;
use ringway::time::{ClfClock, WallMillis};

mod support;

const REQUEST: &str = "POST /dev/orders?source=web HTTP/1.1\r\nHost: api.example\r\n\
    Content-Type: application/json\r\nContent-Length: 2\r\n\r\n";

fn access_log(c: &mut Criterion) {
    let mut group = c.benchmark_group("access_log");
    let stage = support::stage(MethodName::Post, "/orders", Integration::default());
    let mut exchange = support::routed(&stage, REQUEST);
    exchange.received_wall = WallMillis(1_764_150_000_000);
    exchange.response.status = 200;
    let mut view = ContextView::new(&stage, &exchange);
    view.response_latency = Some(Duration::from_millis(7));
    view.response_length = Some(1_024);
    let mut clock = ClfClock::default();
    view.request_time = Some(clock.text(exchange.received_wall));
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
