use super::headers::JavaMap;
use super::*;
use crate::deploy::{CompiledStage, ThrottleScope};
use crate::gateway::context::testing::{Api, allocations, exchange, route};
use crate::gateway::{Exchange, GatewayError, refuse};
use crate::model::ThrottleSettings;

const AT: WallMillis = WallMillis(1_762_275_552_999);

fn texts(exchange: &Exchange) -> Vec<&str> {
    exchange.log.as_ref().unwrap().lines().map(|(_, text)| text).collect()
}

fn logged(stage: &CompiledStage, detail: LogDetail) -> Exchange {
    let mut exchange = exchange("GET /dev/pets/7?a=b HTTP/1.1\r\nHost: h\r\n\r\n");
    route(stage, &mut exchange).unwrap();
    exchange.log = Some(Box::new(ExecutionLog::new(detail)));
    exchange
}

fn pets() -> Api {
    Api::new().mock("GET", "/pets/{id}")
}

#[test]
fn a_log_holds_what_its_detail_says() {
    let stage = pets().stage();
    let start = format!("Starting execution for request: {}", "0".repeat(36));
    let phases = [&start, "HTTP Method: GET, Resource Path: /pets/7"];
    let data = [
        "Method request path: {id=7}",
        "Method request query string: {a=b}",
        "Method request headers: {Host=h}",
        "Method request body before transformations: body",
    ];
    let answer = ["Method response body after transformations: ok"];
    let headers = ["Method response headers: {Content-Type=application/json}"];
    let end = ["Successfully completed execution", "Method completed with status: 200"];
    for (detail, want) in [
        (LogDetail::Errors, vec![]),
        (LogDetail::Phases, [&phases[..], &end].concat()),
        (LogDetail::Data, [&phases[..], &data, &answer, &headers, &end].concat()),
    ] {
        let mut exchange = logged(&stage, detail);
        method_request(AT, &stage.methods[0], &mut exchange, b"body");
        exchange.response.status = 200;
        exchange.response.body = crate::gateway::ResponseBody::Buffered;
        exchange.response.buffer.extend_from_slice(b"ok");
        success(AT, &stage, &mut exchange);
        assert_eq!(texts(&exchange), want);
    }
    for detail in [LogDetail::Errors, LogDetail::Phases, LogDetail::Data] {
        let mut exchange = logged(&stage, detail);
        refuse(&stage, &mut exchange, GatewayError::IntegrationTimeout);
        failure(AT, &stage, &mut exchange);
        assert_eq!(
            texts(&exchange),
            ["Execution failed due to a timeout error", "Method completed with status: 504"]
        );
    }
}

#[test]
fn a_throttled_request_is_told_whose_bucket_was_empty_and_what_it_holds() {
    let mut api = pets();
    api.method("/pets/{id}", "GET").throttle =
        Some(ThrottleSettings { rate_limit: 1.0, burst_limit: 1 });
    api.model.throttle = Some(ThrottleSettings { rate_limit: 2.5, burst_limit: 7 });
    let stage = api.stage();
    for (scope, limit) in [
        (ThrottleScope::Method, "Limit: 1.00 Burst: 1"),
        (ThrottleScope::Stage, "Limit: 2.50 Burst: 7"),
    ] {
        let mut exchange = logged(&stage, LogDetail::Errors);
        refuse(&stage, &mut exchange, GatewayError::Throttled { scope });
        failure(AT, &stage, &mut exchange);
        assert_eq!(
            texts(&exchange),
            [
                &format!(
                    "Key throttle limit exceeded for RestApi a1b2c3d4e5, Stage dev, Resource \
                     abc123, HttpMethod GET. {limit}"
                ),
                "Method completed with status: 429"
            ]
        );
    }
}

#[test]
fn lines_are_cut_at_1024_bytes_and_never_within_a_character() {
    let name = "Method request body before transformations: ";
    for (body, shown) in [
        ("x".repeat(1_024 - name.len()), None),
        ("x".repeat(1_025 - name.len()), Some(1_024 - name.len())),
        ("x".repeat(100_000), Some(1_024 - name.len())),
        (format!("{}\u{fc}", "x".repeat(1_023 - name.len())), Some(1_023 - name.len())),
    ] {
        let mut log = ExecutionLog::new(LogDetail::Data);
        log.body(AT, name, body.as_bytes());
        let want = match shown {
            None => format!("{name}{body}"),
            Some(shown) => format!("{name}{} [TRUNCATED]", "x".repeat(shown)),
        };
        assert_eq!(log.lines().collect::<Vec<_>>(), [(AT, &*want)]);
    }
    let mut log = ExecutionLog::new(LogDetail::Data);
    log.body(AT, "", b"a\xffb");
    assert_eq!(
        log.of_test(&RequestIds::default()),
        format!(
            "Execution log for request {}\nTue Nov 04 16:59:12 UTC 2025 : a\u{fffd}b\n",
            "0".repeat(36)
        )
    );
}

fn written(fill: impl FnOnce(&mut JavaMap)) -> String {
    let (mut map, mut out) = (JavaMap::default(), Vec::new());
    fill(&mut map);
    map.write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn maps_are_javas_and_secrets_are_masked() {
    assert_eq!(written(|_| {}), "{}");
    let parameters = written(|map| {
        for (name, value) in [("a", "1"), ("b", "2"), ("a", "3"), ("A", "4")] {
            map.parameter(name.as_bytes(), value.bytes());
        }
    });
    assert_eq!(parameters, "{a=3, b=2, A=4}");
    let headers = written(|map| {
        for (name, value) in [
            ("X-A", "1"),
            ("x-a", "2"),
            ("Authorization", "Bearer 0123456789"),
            ("x-api-key", "\u{e4}bcdefg"),
            ("X-API-KEY", "abcdef"),
            ("X-Amz-Security-Token", "in clear, as AWS has it"),
        ] {
            map.header(name.as_bytes(), value.as_bytes());
        }
    });
    assert_eq!(
        headers,
        "{X-A=1,2, Authorization=***********456789, x-api-key=*bcdefg,******, \
         X-Amz-Security-Token=in clear, as AWS has it}"
    );
    // What stands behind the end of a line is not gathered.
    let many = written(|map| {
        for index in 0..100_000 {
            map.parameter(format!("name{index}").as_bytes(), "v".bytes());
        }
    });
    assert!((1_025..2_100).contains(&many.len()), "{}", many.len());
}

#[test]
fn without_a_log_the_hooks_allocate_nothing() {
    let stage = pets().stage();
    let mut exchange = logged(&stage, LogDetail::Data);
    exchange.log = None;
    let cost = allocations(|| {
        method_request(AT, &stage.methods[0], &mut exchange, b"body");
        success(AT, &stage, &mut exchange);
        failure(AT, &stage, &mut exchange);
    });
    assert_eq!((cost, exchange.log.is_none()), (0, true));
}

mod keys {
    use super::super::key_check;
    use super::*;
    use crate::gateway::exchange::ApiKey;
    use crate::http::Span;
    use crate::throttle::Rate;
    use crate::time::Nanos;
    use crate::usage::{
        Counted, KeyId, Plan, PlanStage, Quota, QuotaPeriod, Refusal, Refused, UsagePlans,
    };

    const KEY: &str = "0123456789012345678901234567890123F0yrv6";
    const MASKED: &str = "**********************************F0yrv6";

    fn usage() -> UsagePlans {
        let usage = UsagePlans::default();
        usage.set_plan(Plan {
            id: "plan01".into(),
            throttle: Some(Rate::new(5.0, 10)),
            quota: Some(Quota { limit: 500, period: QuotaPeriod::Day, offset: 0 }),
            stages: [PlanStage {
                api_id: "a1b2c3d4e5".into(),
                stage: "dev".into(),
                methods: [].into(),
                first_method: 0,
            }]
            .into(),
        });
        let nothing = |_: &str| [Counted { period: 0, count: 0 }; 2];
        let id = KeyId::new("zp9k2xw1q0").unwrap();
        usage.set_key(id, KEY.as_bytes(), true, &["plan01"], nothing);
        usage
    }

    /// An exchange with the key, and where the key is.
    fn keyed(stage: &CompiledStage, key: &str) -> (Exchange, Span) {
        let head = format!("GET /dev/pets/7 HTTP/1.1\r\nx-api-key: {key}\r\nHost: h\r\n\r\n");
        let mut exchange = exchange(&head);
        route(stage, &mut exchange).unwrap();
        exchange.log = Some(Box::new(ExecutionLog::new(LogDetail::Phases)));
        let span = exchange.head.headers[0].value;
        (exchange, span)
    }

    #[test]
    fn a_key_is_told_masked_with_its_plans_answer() {
        let (usage, stage) = (usage(), pets().stage());
        let method = &stage.methods[0];
        let id = "0".repeat(36);
        let begins = format!(
            "Verifying Usage Plan for request: {id}. API Key: {MASKED} API Stage: a1b2c3d4e5/dev"
        );
        let (mut exchange, key) = keyed(&stage, KEY);
        key_check::begins(AT, &stage, &mut exchange, Some(key));
        key_check::succeeded(AT, &stage, &mut exchange, key);
        let asked = ("a1b2c3d4e5", "dev");
        let keys = usage.pin();
        let admitted = keys.admit(KEY.as_bytes(), asked, ("/pets/{id}", "GET"), Nanos(0), AT);
        let caller = admitted.unwrap().caller;
        exchange.api_key = Some(ApiKey { value: key, caller });
        method_request(AT, method, &mut exchange, b"");
        assert_eq!(
            texts(&exchange),
            [
                &*begins,
                &format!(
                    "Usage Plan check succeeded for API Key {MASKED} and API Stage a1b2c3d4e5/dev"
                ),
                &format!("Starting execution for request: {id}"),
                "HTTP Method: GET, Resource Path: /pets/7",
                &format!("API Key: {MASKED}"),
                "API Key ID: zp9k2xw1q0",
            ]
        );

        let of_plan = "Usage Plan ID plan01";
        let forbidden = |key: &str, reason: &str| {
            format!(
                "API Key {key} not authorized because method 'GET /pets/{{id}}' requires API Key \
                 and API Key is not associated with a Usage Plan for API Stage a1b2c3d4e5/dev: \
                 {reason}"
            )
        };
        for (key, why, error, want) in [
            (
                Some(KEY),
                Refusal::Throttled,
                GatewayError::Throttled { scope: ThrottleScope::UsagePlan },
                format!(
                    "API Key {MASKED} exceeded throttle limit for API Stage a1b2c3d4e5/dev: Key \
                     throttle limit exceeded for {of_plan}, RestApi a1b2c3d4e5, Stage dev, Resource \
                     abc123, HttpMethod GET. Limit: 2.50 Burst: 7"
                ),
            ),
            (
                Some(KEY),
                Refusal::QuotaExceeded,
                GatewayError::QuotaExceeded,
                format!(
                    "API Key {MASKED} exceeded quota limit for API Stage a1b2c3d4e5/dev: Key quota \
                     exhausted for {of_plan}. Quota Limit: 500 Period: DAY"
                ),
            ),
            (
                Some("unknownkey"),
                Refusal::Forbidden,
                GatewayError::InvalidApiKey,
                forbidden("****ownkey", "No Usage Plan found for key and API Stage"),
            ),
            (
                None,
                Refusal::Forbidden,
                GatewayError::InvalidApiKey,
                forbidden("", "API Key was required but not present"),
            ),
        ] {
            let (mut exchange, span) = keyed(&stage, key.unwrap_or("-"));
            let given = key.map(|_| span);
            // The limit that refused is told, whatever else the plan has.
            let limit = (why == Refusal::Throttled).then(|| Rate::new(2.5, 7));
            let refused = Refused { why, limit, ..Refused::FORBIDDEN };
            key_check::refused(AT, &keys, &stage, method, &mut exchange, given, refused);
            let status = error.status();
            refuse(&stage, &mut exchange, error);
            failure(AT, &stage, &mut exchange);
            let end = format!("Method completed with status: {status}");
            assert_eq!(texts(&exchange), [want, end], "{key:?}");
        }
    }

    #[test]
    fn a_method_without_a_key_says_so() {
        let stage = pets().stage();
        let (mut exchange, _) = keyed(&stage, KEY);
        key_check::not_needed(AT, &stage, &stage.methods[0], &mut exchange);
        let id = "0".repeat(36);
        assert_eq!(
            texts(&exchange),
            [
                &*format!(
                    "Verifying Usage Plan for request: {id}. API Key:  API Stage: a1b2c3d4e5/dev"
                ),
                "API Key  authorized because method 'GET /pets/{id}' does not require API Key. \
                 Request will not contribute to throttle or quota limits",
            ]
        );
    }
}
