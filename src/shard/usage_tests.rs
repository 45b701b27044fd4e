//! Keys, plans and validation through whole shards: the order of checks, what a refusal costs, and what is
//! told of it all.

use std::sync::Arc;

use super::tests::{Served, api, method, mock, prepare};
use crate::limits::Limits;
use crate::model::{MethodName, RequestValidator, RestApi, ThrottleSettings};
use crate::ring::RingConfig;
use crate::telemetry::{AccessLogFormat, LogQueue};
use crate::throttle::Rate;
use crate::usage::{Counted, KeyId, Plan, PlanStage, Quota, QuotaPeriod, UsagePlans};

pub(super) const KEY: &str = "0123456789012345678901234567890123456789";

fn key_id() -> KeyId {
    KeyId::new("key0000001").unwrap()
}

/// A plan with this quota and burst, hardly anything a second, and one key of it.
pub(super) fn usage(burst: u32, quota: u64) -> Arc<UsagePlans> {
    let usage = UsagePlans::default();
    usage.set_plan(Plan {
        id: "plan01".into(),
        throttle: Some(Rate::new(0.001, burst)),
        quota: Some(Quota { limit: quota, period: QuotaPeriod::Month, offset: 0 }),
        stages: [PlanStage {
            api_id: "a1b2c3d4e5".into(),
            stage: "dev".into(),
            methods: [].into(),
            first_method: 0,
        }]
        .into(),
    });
    let nothing = |_: &str| [Counted { period: 0, count: 0 }; 2];
    usage.set_key(key_id(), KEY.as_bytes(), true, &["plan01"], nothing);
    Arc::new(usage)
}

/// `/keyed` requires a key and a query parameter, `/open` nothing.
fn shop(change: impl FnOnce(&mut RestApi)) -> RestApi {
    let mut keyed = method(mock("$context.identity.apiKeyId $context.identity.apiKey"));
    keyed.api_key_required = true;
    keyed.request_validator = Some("all".to_owned());
    keyed.request_parameters.insert("method.request.querystring.q".to_owned(), true);
    let mut api = api(vec![
        ("/keyed", MethodName::Get, keyed),
        ("/open", MethodName::Get, method(mock("open"))),
    ]);
    let validator = RequestValidator {
        validate_request_parameters: true,
        validate_request_body: true,
        ..RequestValidator::default()
    };
    api.request_validators.insert("all".to_owned(), validator);
    change(&mut api);
    api
}

fn serve(api: &RestApi, usage: &Arc<UsagePlans>, log: Option<(&str, &Arc<LogQueue>)>) -> Served {
    let format = log.map(|(format, _)| Arc::new(AccessLogFormat::parse(format).unwrap()));
    let (mut config, batch, address) = prepare(api, Limits::default(), format);
    config.usage = Arc::clone(usage);
    config.log = log.map(|(_, queue)| Arc::clone(queue));
    Served::run(config, batch, address, RingConfig::default())
}

fn get(target: &str, key: Option<&str>) -> String {
    let key = key.map_or_else(String::new, |key| format!("x-api-key: {key}\r\n"));
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{key}Connection: close\r\n\r\n")
}

/// Status, `x-amzn-ErrorType` and body.
fn told(answer: &str) -> (&str, &str, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let kind = head.split("x-amzn-ErrorType: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    (&head[9..12], kind.unwrap_or_default(), body)
}

const FORBIDDEN: (&str, &str, &str) = ("403", "ForbiddenException", r#"{"message":"Forbidden"}"#);

#[test]
fn checks_come_in_aws_order_and_each_has_its_answer() {
    let usage = usage(3, 2);
    let api = shop(|_| {});
    let served = serve(&api, &usage, None);
    let missing =
        ("400", "BadRequestException", r#"{"message":"Missing required request parameters: [q]"}"#);
    let passed = format!("key0000001 {KEY}");
    for (target, key, want) in [
        ("/dev/open", None, ("200", "", "open")),
        // Without a key nobody looks at parameters.
        ("/dev/keyed", None, FORBIDDEN),
        ("/dev/keyed?q=1", Some("another"), FORBIDDEN),
        (
            "/dev/nothing",
            Some(KEY),
            (
                "403",
                "MissingAuthenticationTokenException",
                r#"{"message":"Missing Authentication Token"}"#,
            ),
        ),
        // What validation refuses has been counted, as AWS counts before it validates.
        ("/dev/keyed?q=", Some(KEY), missing),
        ("/dev/keyed?q=1", Some(KEY), ("200", "", &*passed)),
        // Of three tokens one is left, but nothing of the quota; the refusal gives the token back.
        (
            "/dev/keyed?q=1",
            Some(KEY),
            ("429", "LimitExceededException", r#"{"message":"Limit Exceeded"}"#),
        ),
    ] {
        assert_eq!(told(&served.ask(&get(target, key))), want, "{target}");
    }
    assert!(usage.set_remaining(
        "plan01",
        usage.hash(KEY.as_bytes()),
        5,
        crate::time::WallMillis(0)
    ));
    assert_eq!(told(&served.ask(&get("/dev/keyed?q=1", Some(KEY)))).0, "200");
    let throttled = ("429", "TooManyRequestsException", r#"{"message":"Too Many Requests"}"#);
    assert_eq!(told(&served.ask(&get("/dev/keyed?q=1", Some(KEY)))), throttled);
    // A change of the keys is there for the next request.
    usage.remove_key(usage.hash(KEY.as_bytes()));
    assert_eq!(told(&served.ask(&get("/dev/keyed?q=1", Some(KEY)))), FORBIDDEN);
}

#[test]
fn what_the_stage_refuses_costs_the_key_nothing() {
    let usage = usage(10, 10);
    let api = shop(|api| {
        api.throttle = Some(ThrottleSettings { rate_limit: 0.001, burst_limit: 1 });
    });
    let served = serve(&api, &usage, None);
    assert_eq!(told(&served.ask(&get("/dev/keyed?q=1", Some(KEY)))).0, "200");
    for _ in 0..5 {
        let answer = served.ask(&get("/dev/keyed?q=1", Some(KEY)));
        assert_eq!(told(&answer).1, "TooManyRequestsException");
    }
    let counted = usage.counted("plan01", key_id()).unwrap();
    assert_eq!(counted.map(|it| it.count), [1, 1]);
}

#[test]
fn the_access_log_tells_of_keys_and_hides_them() {
    let (usage, queue) = (usage(100, 1), Arc::new(LogQueue::new()));
    let api = shop(|_| {});
    let format = "$context.status $context.identity.apiKey $context.identity.apiKeyId \
                  $context.error.responseType $context.requestId";
    let served = serve(&api, &usage, Some((format, &queue)));
    for (target, key) in [
        ("/dev/keyed?q=1", Some(KEY)),
        ("/dev/keyed?q=1", Some(KEY)),
        ("/dev/keyed?q=1", Some("a-key-that-nobody-has")),
        ("/dev/open", Some(KEY)),
    ] {
        served.ask(&get(target, key));
    }
    drop(served);
    let mut text = String::new();
    while let Some((batch, _)) = queue.pop() {
        text.push_str(std::str::from_utf8(&batch).unwrap());
    }
    let lines: Vec<&str> = text.lines().map(|line| line.rsplit_once(' ').unwrap().0).collect();
    let hidden = "**********************************456789 key0000001";
    assert_eq!(
        lines,
        [
            &format!("200 {hidden} -"),
            &format!("429 {hidden} QUOTA_EXCEEDED"),
            "403 - - INVALID_API_KEY",
            "200 - - -",
        ]
    );
}

#[test]
fn refusals_are_counted_by_stage_and_by_plan() {
    let usage = usage(2, 1);
    let api = shop(|_| {});
    let (mut config, _, address) = prepare(&api, Limits::default(), None);
    let registry = crate::telemetry::Registry::new(1);
    config.cells = registry.shard(0);
    config.usage = Arc::clone(&usage);
    let stage = super::tests::compiled(&api);
    let batch = super::tests::batch(stage, None, &registry);
    let served = Served::run(config, batch, address, RingConfig::default());
    for (key, status) in [(Some(KEY), "200"), (Some(KEY), "429"), (None, "403"), (Some("x"), "403")]
    {
        assert_eq!(told(&served.ask(&get("/dev/keyed?q=1", key))).0, status);
    }
    usage.set_remaining("plan01", usage.hash(KEY.as_bytes()), 9, crate::time::WallMillis(0));
    for status in ["200", "429"] {
        assert_eq!(told(&served.ask(&get("/dev/keyed?q=1", Some(KEY)))).0, status);
    }
    drop(served);
    let text = registry.render() + &registry.render_plans(&usage.counted_plans());
    let value = |name: &str, label: &str| {
        let mut lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        let line = lines.next().unwrap_or_else(|| panic!("{name} {label}: {text}"));
        line.rsplit_once(' ').unwrap().1.to_owned()
    };
    for (name, label, want) in [
        ("ringway_throttled_total{", "/keyed", "1"),
        ("ringway_quota_refused_total{", "/keyed", "1"),
        ("ringway_forbidden_total{", "/keyed", "2"),
        ("ringway_usage_plan_requests_total{", "\"plan01\"", "4"),
        ("ringway_usage_plan_throttled_total{", "\"plan01\"", "1"),
        ("ringway_usage_plan_quota_refused_total{", "\"plan01\"", "1"),
    ] {
        assert_eq!(value(name, label), want, "{name}");
    }
}
