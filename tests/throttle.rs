//! Throttling: whoever counts, all shards together admit what the bucket holds and no more.

mod support;

use std::time::{Duration, Instant};

use serde_json::json;

use support::{Definition, Gateway, Load, Options, get};

#[test]
fn a_throttled_request_is_429_as_aws_words_it() {
    let api = Definition::new()
        .mock("GET", "/a", 200, "{}")
        .with("x-ringway-throttle", json!({"rateLimit": 0.001, "burstLimit": 3}));
    let gateway = Gateway::serving(api);
    let mut client = gateway.client();
    for _ in 0..3 {
        assert_eq!(client.asks(get("/a")).status, 200);
    }
    let answer = client.asks(get("/a"));
    assert_eq!((answer.status, answer.text()), (429, r#"{"message":"Too Many Requests"}"#));
    assert_eq!(answer.header("x-amzn-ErrorType"), Some("TooManyRequestsException"));
    assert_eq!(answer.header("Connection"), Some("keep-alive"));
    let metrics = gateway.metrics();
    assert_eq!(metrics.total("ringway_throttled_total"), 1.0);
    assert_eq!(metrics.total("ringway_4xx_error_total"), 1.0);
}

#[test]
fn a_method_has_its_own_bucket_besides_the_stages() {
    let mut api = Definition::new()
        .mock("GET", "/free", 200, "{}")
        .with("x-ringway-throttle", json!({"rateLimit": 0.001, "burstLimit": 4}));
    api = api.operation(
        "GET",
        "/dear",
        json!({
            "responses": {"200": {"description": "ok"}},
            "x-ringway-throttle": {"rateLimit": 0.001, "burstLimit": 1},
            "x-amazon-apigateway-integration": {
                "type": "mock",
                "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
                "responses": {"default": {"statusCode": "200"}},
            },
        }),
    );
    let gateway = Gateway::serving(api);
    let mut client = gateway.client();
    assert_eq!(client.asks(get("/dear")).status, 200);
    for _ in 0..20 {
        assert_eq!(client.asks(get("/dear")).status, 429);
    }
    // What its method refused has taken no token from the stage.
    let answered = (0..10).filter(|_| client.asks(get("/free")).status == 200).count();
    assert!((3..=4).contains(&answered), "{answered} of 10 are admitted");
}

#[test]
fn the_account_is_throttled_as_the_command_line_says() {
    let api = Definition::new().mock("GET", "/a", 200, "{}").mock("GET", "/b", 200, "{}");
    let gateway = Options::new(api.clone()).account_throttle("0.001:2").start();
    assert!(gateway.printed().contains("account throttle: 0.001 requests a second, burst 2"));
    let mut client = gateway.client();
    let statuses = ["/a", "/b", "/a", "/nothing"].map(|path| client.asks(get(path)).status);
    assert_eq!(statuses[..3], [200, 200, 429]);
    assert!([403, 429].contains(&statuses[3]), "{statuses:?}");
}

/// Requests a second, and at once. A loaded machine may stand still for as long as the burst lasts.
const RATE: u32 = 1_000;
const BURST: u32 = 1_000;
const SECONDS: u32 = 10;

/// The issue's figure: over 10 s and under threefold overload, two shards admit within 1% of
/// rate × time + burst, and never more.
#[test]
fn two_shards_under_overload_admit_what_the_bucket_holds() {
    let mut rounds = Vec::new();
    // A machine that stood still for longer than the burst lasts has lost tokens: once more, then.
    for _ in 0..3 {
        let api = Definition::new().mock("GET", "/a", 200, "{}");
        let throttle = format!("{RATE}:{BURST}");
        let gateway = Options::new(api).shards(2).account_throttle(&throttle).start();
        let began = Instant::now();
        let report = Load::wrk(&gateway.url("/a"), 64, SECONDS, &[]).finish();
        let at_most = began.elapsed();
        let bucket = |time: Duration| f64::from(RATE) * time.as_secs_f64() + f64::from(BURST);
        let admitted = report.answered(200) as f64;
        assert_eq!(report.failed, 0, "{}", report.text);
        let answers: u64 = report.statuses.values().sum();
        assert_eq!(report.answered(200) + report.answered(429), answers, "{}", report.text);
        // What was admitted without wrk's counting it counts too.
        let metrics = gateway.metrics();
        let all_admitted =
            metrics.total("ringway_count_total") - metrics.total("ringway_throttled_total");
        assert!(
            all_admitted <= bucket(at_most),
            "{all_admitted} of {} were admitted in {at_most:?}",
            bucket(at_most)
        );
        for shard in ["shard=\"0\"", "shard=\"1\""] {
            assert!(metrics.sum("ringway_requests_total", &[shard]) > 0.0, "{shard} has no work");
        }
        let offered = report.requests as f64 / bucket(report.time);
        let part = admitted / bucket(report.time);
        let line = format!("{:.2} times overload: {:.2}% admitted", offered, part * 100.0);
        println!("{line}");
        if offered >= 2.5 && part >= 0.99 {
            return;
        }
        rounds.push(line);
    }
    panic!("too few were admitted, or too few asked: {rounds:?}");
}
