//! The admin port counts what was sent.

mod support;

use support::metrics::admin_get;
use support::tools::curl_answer;
use support::{Definition, Gateway, Load, Options, Peer, get, post};

#[test]
fn prometheus_text_counts_what_was_sent_under_cloudwatchs_names() {
    let peer = Peer::answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno");
    let api = Definition::new()
        .mock("GET", "/pets/{id}", 200, "{}")
        .mock("ANY", "/any", 404, "{}")
        .proxy("POST", "/up", &peer.url("/"));
    let gateway = Options::new(api).shards(2).start();
    let mut client = gateway.client();
    for (request, times, status) in [
        (get("/pets/1"), 5, 200),
        (get("/any"), 4, 404),
        (post("/up", "{}"), 3, 503),
        (get("/nothing"), 2, 403),
    ] {
        for _ in 0..times {
            assert_eq!(client.asks(&request).status, status);
        }
    }
    drop(client);
    gateway.counts("ringway_upstream_reuses_total", 2.0);
    let metrics = gateway.metrics();
    let all = r#"api_name="test""#;
    for (name, labels, want) in [
        ("ringway_count_total", &[all, r#"resource="/pets/{id}""#, r#"method="GET""#][..], 5.0),
        ("ringway_count_total", &[all, r#"resource="/any""#, r#"method="ANY""#], 4.0),
        ("ringway_count_total", &[all, r#"resource="/up""#, r#"method="POST""#], 3.0),
        ("ringway_count_total", &[all, r#"resource="""#, r#"method="""#], 2.0),
        ("ringway_count_total", &[all, r#"stage="dev""#], 14.0),
        ("ringway_4xx_error_total", &[all], 6.0),
        ("ringway_4xx_error_total", &[r#"resource="/any""#], 4.0),
        ("ringway_5xx_error_total", &[r#"resource="/up""#], 3.0),
        ("ringway_latency_seconds_count", &[all], 14.0),
        ("ringway_latency_seconds_bucket", &[r#"resource="/any""#, r#"le="+Inf""#], 4.0),
        ("ringway_integration_latency_seconds_count", &[r#"resource="/up""#], 3.0),
        ("ringway_integration_latency_seconds_count", &[r#"resource="/any""#], 0.0),
        ("ringway_requests_total", &[], 14.0),
        ("ringway_connections_accepted_total", &[], 1.0),
        ("ringway_upstream_connects_total", &[], 1.0),
        ("ringway_ring_cq_overflows_total", &[], 0.0),
    ] {
        assert_eq!(metrics.sum(name, labels), want, "{name} {labels:?}\n{}", metrics.0);
    }
    for name in ["ringway_ring_waits_total", "ringway_ring_cqes_total", "ringway_sent_bytes_total"]
    {
        assert!(metrics.total(name) > 0.0, "{name}\n{}", metrics.0);
    }
}

#[test]
fn every_metric_has_a_help_and_a_type_and_a_number() {
    let gateway = Gateway::serving(Definition::new().mock("GET", "/a", 200, "{}"));
    assert_eq!(gateway.client().asks(get("/a")).status, 200);
    let answer = curl_answer(&[&format!("http://{}/metrics", gateway.admin)]);
    assert!(answer.header("Content-Type").is_some_and(|kind| kind.starts_with("text/plain")));
    let text = answer.text();
    let mut typed = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("name and type");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(!typed.contains(&name), "{name} is typed twice");
            typed.push(name);
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').expect("series and value");
            value.parse::<f64>().unwrap_or_else(|_| panic!("no number: {line}"));
            let name = series.split('{').next().unwrap_or_default();
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let known = typed.contains(&name) || base.is_some_and(|base| typed.contains(&base));
            assert!(known, "{name} has no type before it");
        }
    }
    assert!(typed.len() > 20, "{typed:?}");
}

#[test]
fn health_and_readiness_are_told() {
    let gateway = Gateway::serving(Definition::new().mock("GET", "/a", 200, "{}"));
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/", 404)] {
        assert_eq!(admin_get(gateway.admin, path).status, status, "{path}");
    }
}

#[test]
fn a_scrape_under_load_loses_nothing() {
    let gateway = Options::new(Definition::new().mock("GET", "/a", 200, "{}")).shards(2).start();
    let load = Load::wrk(&gateway.url("/a"), 16, 120, &[]);
    let mut last = 0.0;
    for _ in 0..50 {
        let count = gateway.metrics().total("ringway_count_total");
        assert!(count >= last, "{count} after {last}");
        last = count;
    }
    gateway.counts("ringway_count_total", 1_000.0);
    let report = load.stop();
    let counted = gateway.metrics().total("ringway_count_total");
    // Those that wrk did not wait for are counted here only.
    let unread = counted - report.requests as f64;
    assert!((0.0..=16.0).contains(&unread), "{counted} here, {} there", report.requests);
}
