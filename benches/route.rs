//! How fast is a path routed among 10, 200 and 2 000 routes, against trying one route after the other?

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};

use ringway::deploy::route_tree::{Captures, RouteTreeBuilder};
use ringway::deploy::{BasePathMapping, Domain, DomainTable, RouteTree};
use ringway::gateway::find_api::{ApiTable, HostMemo};
use ringway::gateway::{Exchange, HeadBytes};
use ringway::http::{HeadLimits, HeadScan};
use ringway::model::MethodName;

/// `count` routes as APIs have them: collections, items, and something below an item.
fn paths(count: usize) -> Vec<String> {
    let forms = ["", "/{id}", "/{id}/history", "/{id}/history/{entry}", "/search"];
    (0..count)
        .map(|n| format!("/v1/collection-{:04}{}", n / forms.len(), forms[n % forms.len()]))
        .collect()
}

fn tree(paths: &[String]) -> RouteTree {
    let mut builder = RouteTreeBuilder::default();
    for (index, path) in paths.iter().enumerate() {
        builder.add(path, MethodName::Get, index as u32).expect("these paths are right");
    }
    builder.build()
}

/// The first route whose segments fit; the routes are declared most specific first per shape.
fn naive(paths: &[String], path: &str) -> Option<usize> {
    paths.iter().position(|route| {
        let mut given = path.split('/');
        let fits = route.split('/').all(|segment| {
            given.next().is_some_and(|value| segment == value || segment.starts_with('{'))
        });
        fits && given.next().is_none()
    })
}

fn route(c: &mut Criterion) {
    let mut group = c.benchmark_group("route");
    for count in [10, 200, 2_000] {
        let paths = paths(count);
        let tree = tree(&paths);
        let last = (count - 1) / 5;
        for (case, path) in [
            ("literal", format!("/v1/collection-{last:04}")),
            ("deep", format!("/v1/collection-{last:04}/7f3a/history/12")),
        ] {
            let mut captures = Captures::new();
            let found = tree.find(path.as_bytes(), MethodName::Get, &mut captures);
            assert_eq!(found.map(|index| index as usize), naive(&paths, &path), "{path}");
            group.bench_function(format!("{case}/{count}"), |b| {
                b.iter(|| tree.find(black_box(path.as_bytes()), MethodName::Get, &mut captures));
            });
            group.bench_function(format!("{case}_naive/{count}"), |b| {
                b.iter(|| naive(&paths, black_box(&path)));
            });
        }
        let missing = "/v1/collection-9999/x";
        assert_eq!(tree.find(missing.as_bytes(), MethodName::Get, &mut Captures::new()), None);
        let mut captures = Captures::new();
        group.bench_function(format!("missing/{count}"), |b| {
            b.iter(|| tree.find(black_box(missing.as_bytes()), MethodName::Get, &mut captures));
        });
    }
    // The worst case: literal and variable at every level, so that the walk has to turn back.
    let mut builder = RouteTreeBuilder::default();
    let mut paths = vec![String::new()];
    for _ in 0..8 {
        paths = paths.iter().flat_map(|it| [format!("{it}/a"), format!("{it}/{{v}}")]).collect();
    }
    for (index, path) in paths.iter().enumerate() {
        let mut path = path.clone();
        // Names differ per depth: a path repeats none.
        for depth in 0..8 {
            path = path.replacen("{v}", &format!("{{v{depth}}}"), 1);
        }
        let _ = builder.add(&path, MethodName::Post, index as u32);
    }
    let tree = builder.build();
    let path = "/a".repeat(8);
    let mut captures = Captures::new();
    assert_eq!(tree.find(path.as_bytes(), MethodName::Get, &mut captures), None);
    group.bench_function("worst/turning_back", |b| {
        b.iter(|| tree.find(black_box(path.as_bytes()), MethodName::Get, &mut captures));
    });
    group.finish();
}

const APIS: usize = 300;

fn domain(number: usize) -> Domain {
    let mapping = |base_path: &str, stage: Option<&str>| BasePathMapping {
        base_path: base_path.to_owned(),
        api_id: format!("api{number:07}"),
        stage: stage.map(str::to_owned),
    };
    let mappings = vec![
        mapping("", None),
        mapping("v1", Some("prod")),
        mapping("v2", Some("prod")),
        mapping("v1/orders", Some("prod")),
    ];
    Domain { name: format!("shop-{number:03}.example.com"), mappings }
}

fn exchange(host: &str, path: &str) -> Exchange {
    let text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let limits = HeadLimits { url_bytes: 10_240, header_bytes: 10_240, header_count: 128 };
    let mut exchange = Exchange::default();
    let parsed = exchange.head.parse(text.as_bytes(), &mut HeadScan::default(), &limits);
    assert_eq!(parsed, Ok(true));
    exchange.head_bytes = HeadBytes::Owned(text.into_bytes());
    exchange
}

/// How long does it take to find the stage among 300 APIs, over a kept connection and over a new one?
fn find_api(c: &mut Criterion) {
    let mut group = c.benchmark_group("route/find_api");
    let mut table = ApiTable::default();
    for number in 0..APIS {
        table.serve(&format!("api{number:07}"), "prod", number);
    }
    table.set_domains(Arc::new(DomainTable::new((0..APIS).map(domain))));
    table.end_batch();
    let own = "api0000123.execute-api.localhost:8080";
    let long = "api0000123.execute-api.eu-central-1.amazonaws.com";
    let shop = "shop-123.example.com";
    for (case, host, path, keeps_memo) in [
        ("memo hit", own, "/prod/pets/7", true),
        ("memo hit/long host", long, "/prod/pets/7", true),
        ("host miss", own, "/prod/pets/7", false),
        ("domain", shop, "/v1/orders/7", true),
        ("domain/miss", shop, "/v1/orders/7", false),
        ("domain/last mapping", shop, "/prod/orders/7", true),
        ("path form", "localhost:8080", "/_aws/execute-api/api0000123/prod/pets/7", true),
    ] {
        let mut exchange = exchange(host, path);
        let whole_path = exchange.head.path;
        let mut memo = HostMemo::default();
        assert_eq!(table.find(&mut memo, &mut exchange).ok(), Some(&123), "{case}");
        group.bench_function(case, |b| {
            b.iter(|| {
                // The path form cuts its prefix off.
                exchange.head.path = whole_path;
                if !keeps_memo {
                    memo = HostMemo::default();
                }
                table.find(black_box(&mut memo), black_box(&mut exchange)).is_ok()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, route, find_api);
criterion_main!(benches);
