//! What does it cost to write the head of a request to the integration, against copying the client's?

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

use ringway::deploy::{CompiledIntegration, CompiledStage};
use ringway::gateway::Exchange;
use ringway::gateway::map_request::{self, UpstreamFraming};
use ringway::model::{Integration, IntegrationType, MethodName};

mod support;

const REQUEST: &str = "GET /dev/pets/7?page=2&q=a%20b HTTP/1.1\r\nHost: api.example\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef\r\nConnection: keep-alive\r\n\
    Authorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\nX-Request-Source: bench\r\n\r\n";

fn stage(kind: IntegrationType, mappings: &[(&str, &str)]) -> CompiledStage {
    let integration = Integration {
        kind,
        uri: Some("http://127.0.0.1:9000/items/{item}".to_owned()),
        http_method: Some(MethodName::Get),
        request_parameters: mappings
            .iter()
            .map(|(target, source)| (format!("integration.request.{target}"), (*source).to_owned()))
            .collect(),
        ..Integration::default()
    };
    support::stage(MethodName::Get, "/pets/{id}", integration)
}

fn parameter_mapping(c: &mut Criterion) {
    let mut group = c.benchmark_group("parameter_mapping");
    let path = ("path.item", "method.request.path.id");
    let many = [
        path,
        ("querystring.page", "method.request.querystring.page"),
        ("querystring.text", "method.request.querystring.q"),
        ("header.X-Stage", "context.stage"),
        ("header.X-Request-Id", "context.requestId"),
        ("header.X-Source", "method.request.header.X-Request-Source"),
        ("header.Authorization", "method.request.header.Authorization"),
        ("header.X-Static", "'text'"),
    ];
    for (case, kind, mappings, last) in [
        (
            "http_proxy/path",
            IntegrationType::HttpProxy,
            &many[..1],
            "Connection: keep-alive\r\n\r\n",
        ),
        ("http_proxy/8_mappings", IntegrationType::HttpProxy, &many[..], "keep-alive\r\n\r\n"),
        ("http/8_mappings", IntegrationType::Http, &many[..], "keep-alive\r\n\r\n"),
    ] {
        let stage = stage(kind, mappings);
        let mut exchange = support::routed(&stage, REQUEST);
        let method = &stage.methods[exchange.method.expect("it is routed") as usize];
        let CompiledIntegration::Http(http) = &method.integration else {
            unreachable!("HTTP was declared")
        };
        let plan = map_request::plan(&stage, method, http, &exchange).expect("nothing to refuse");
        let mut out = Vec::with_capacity(4_096);
        let write = |exchange: &mut Exchange, out: &mut Vec<u8>| {
            out.clear();
            exchange.trace.clear();
            map_request::encode_head(
                &stage,
                method,
                http,
                &plan,
                exchange,
                UpstreamFraming::None,
                out,
            )
        };
        write(&mut exchange, &mut out).expect("nothing to refuse");
        assert!(out.starts_with(b"GET /items/7?") && out.ends_with(last.as_bytes()), "{case}");
        group.bench_function(case, |b| {
            b.iter(|| write(black_box(&mut exchange), &mut out));
        });
    }
    let mut out = Vec::with_capacity(4_096);
    group.bench_function("copy", |b| {
        b.iter(|| {
            out.clear();
            out.extend_from_slice(black_box(REQUEST.as_bytes()));
        });
    });
    group.finish();
}

criterion_group!(benches, parameter_mapping);
criterion_main!(benches);
