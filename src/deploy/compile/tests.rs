use super::*;
use crate::deploy::{CompiledIntegration, CompiledMock};
use crate::model::{
    ConnectionType, GatewayResponse, Integration, IntegrationResponse, IntegrationType,
    ResponseType,
};

fn settings() -> StageSettings {
    StageSettings { stage: "dev".into(), ..StageSettings::default() }
}

fn api(path: &str, method: Method) -> RestApi {
    let resource = Resource {
        id: "r1".into(),
        path: path.into(),
        methods: [(MethodName::Get, method)].into(),
    };
    RestApi { id: "a1".into(), resources: vec![resource], ..RestApi::default() }
}

fn with(integration: Integration) -> RestApi {
    api("/pets/{id}", Method { integration: Some(integration), ..Method::default() })
}

fn run(api: &RestApi, settings: &StageSettings) -> Result<CompiledStage, Vec<CompileError>> {
    let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
    compile(api, settings, &mut CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) })
}

fn http(change: impl FnOnce(&mut Integration)) -> RestApi {
    let mut integration = Integration {
        kind: IntegrationType::Http,
        uri: Some("http://b/x".into()),
        pointer: "/i".into(),
        responses: vec![IntegrationResponse {
            status_code: 200,
            pointer: "/i/responses/default".into(),
            ..Default::default()
        }],
        ..Integration::default()
    };
    change(&mut integration);
    with(integration)
}

fn pair(key: &str, value: &str) -> indexmap::IndexMap<String, String> {
    [(key.to_owned(), value.to_owned())].into()
}

#[test]
fn every_problem_is_named_with_place_and_remedy() {
    let gateway_response = |entry: GatewayResponse| {
        let mut api = http(|_| {});
        let entry = GatewayResponse { pointer: "/g".into(), ..entry };
        api.gateway_responses = [(ResponseType::Throttled, entry)].into();
        api
    };
    for (api, object, pointer, says) in [
        (api("/pets", Method::default()), "GET /pets", "", "No integration defined"),
        (api("pets", Method::default()), "GET pets", "", "does not begin with '/'"),
        (
            http(|it| it.kind = IntegrationType::AwsProxy),
            "GET /pets/{id} integration",
            "/i/type",
            "AWS_PROXY are not carried out yet",
        ),
        (
            http(|it| it.connection_type = ConnectionType::VpcLink("v1".into())),
            "GET /pets/{id} integration",
            "/i/connectionType",
            "VPC links",
        ),
        (http(|it| it.uri = None), "GET /pets/{id} integration", "/i", "has no uri"),
        (
            http(|it| it.uri = Some("ftp://b".into())),
            "GET /pets/{id} integration",
            "/i/uri",
            "neither http nor https",
        ),
        (
            http(|it| it.timeout_ms = 49),
            "GET /pets/{id} integration",
            "/i/timeoutInMillis",
            "not within 50 to 29000 ms",
        ),
        (
            http(|it| it.timeout_ms = 29_001),
            "GET /pets/{id} integration",
            "/i/timeoutInMillis",
            "29001",
        ),
        (
            http(|it| it.request_parameters = pair("integration.request.header.a/b", "'x'")),
            "GET /pets/{id} integration",
            "/i/requestParameters/integration.request.header.a~1b",
            "Invalid mapping expression",
        ),
        (
            http(|it| it.request_parameters = pair("integration.request.header.a", "true")),
            "GET /pets/{id} integration",
            "/i/requestParameters/integration.request.header.a",
            "Invalid mapping expression specified: true",
        ),
        (
            http(|it| it.request_templates = pair("application/json", "$input.body")),
            "GET /pets/{id} integration",
            "/i/requestTemplates/application~1json",
            "uses the template language",
        ),
        (
            http(|it| it.responses[0].response_templates = pair("text/a", "#set($x = 1)")),
            "GET /pets/{id} integration",
            "/i/responses/default/responseTemplates/text~1a",
            "uses the template language",
        ),
        (
            http(|it| it.responses[0].selection_pattern = Some("(".into())),
            "GET /pets/{id} integration",
            "/i/responses/default",
            "no regular expression",
        ),
        (
            http(|it| it.responses[0].status_code = 700),
            "GET /pets/{id} integration",
            "/i/responses/default/statusCode",
            "700",
        ),
        (
            http(|it| it.responses[0].response_parameters = pair("method.response.status", "'1'")),
            "GET /pets/{id} integration",
            "/i/responses/default/responseParameters/method.response.status",
            "Invalid mapping expression",
        ),
        (
            gateway_response(GatewayResponse {
                response_templates: pair("application/json", "$context.unknown"),
                ..GatewayResponse::default()
            }),
            "gateway response THROTTLED",
            "/g/responseTemplates",
            "no context variable 'unknown'",
        ),
        (
            gateway_response(GatewayResponse {
                response_parameters: pair("gatewayresponse.body", "'x'"),
                ..GatewayResponse::default()
            }),
            "gateway response THROTTLED",
            "/g/responseParameters",
            "no target",
        ),
        (
            gateway_response(GatewayResponse { status_code: Some(99), ..Default::default() }),
            "gateway response THROTTLED",
            "/g/statusCode",
            "99",
        ),
    ] {
        let errors = run(&api, &settings()).expect_err(says);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        let error = &errors[0];
        assert_eq!((error.object.as_str(), error.pointer.as_str()), (object, pointer), "{error:?}");
        assert!(error.message.contains(says), "{}", error.message);
        assert!(!error.help.is_empty());
    }
    let mut bad_stage = settings();
    bad_stage.stage = "a/b".into();
    let mut api = http(|it| it.uri = None);
    let other = Resource { path: "/pets/{name}/toys".into(), ..api.resources[0].clone() };
    api.resources.push(other);
    let errors = run(&api, &bad_stage).unwrap_err();
    let objects: Vec<&str> = errors.iter().map(|error| error.object.as_str()).collect();
    assert_eq!(objects, ["stage", "GET /pets/{id} integration", "GET /pets/{name}/toys"]);
}

#[test]
fn buckets_and_targets_survive_a_reload() {
    let limit = |rate_limit| Some(ThrottleSettings { rate_limit, burst_limit: 1 });
    let mut api = http(|_| {});
    api.throttle = limit(1.0);
    let mut stage_settings = settings();
    stage_settings.account_throttle = limit(2.0);
    let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
    let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
    let before = compile(&api, &stage_settings, &mut env).unwrap();
    api.throttle = limit(3.0);
    let after = compile(&api, &stage_settings, &mut env).unwrap();
    assert_eq!(after.methods[0].buckets[0].1.rate(), 1.0, "not published yet");
    after.apply_throttles(Nanos(1));
    assert_eq!(after.methods[0].buckets[0].1.rate(), 3.0);
    for (a, b) in before.methods[0].buckets.iter().zip(&after.methods[0].buckets) {
        assert!(Arc::ptr_eq(&a.1, &b.1));
    }
    let target = |stage: &CompiledStage| match &stage.methods[0].integration {
        CompiledIntegration::Http(http) => Arc::clone(&http.target),
        CompiledIntegration::Mock(_) => panic!("HTTP was declared"),
    };
    assert!(Arc::ptr_eq(&target(&before), &target(&after)));
    assert_eq!(targets.targets().len(), 1);
}

#[test]
fn the_timeout_is_the_declared_one_under_its_ceiling() {
    use std::time::Duration;
    let second = Duration::from_secs;
    for (declared, ceiling, want) in [
        (0, Some(second(29)), Some(second(29))),
        (29_000, Some(second(29)), Some(second(29))),
        (50, Some(second(29)), Some(Duration::from_millis(50))),
        (60_000, Some(second(60)), Some(second(60))),
        (29_000, Some(second(5)), Some(second(5))),
        (29_000, None, None),
        (100_000, None, Some(second(100))),
        (1_000, None, Some(second(1))),
    ] {
        let mut settings = settings();
        let limits = Limits { integration_timeout: ceiling, ..Limits::default() };
        settings.limits = Arc::new(limits);
        let stage = run(&http(|it| it.timeout_ms = declared), &settings).unwrap();
        let CompiledIntegration::Http(http) = &stage.methods[0].integration else { panic!() };
        assert_eq!(http.timeout, want, "{declared} under {ceiling:?}");
    }
}

#[test]
fn the_consoles_cors_answer_is_encoded_in_advance() {
    let mut method = Method::default();
    method.method_responses.insert("200".into(), Default::default());
    method.integration = Some(Integration {
        request_templates: pair("application/json", "{\"statusCode\": 200}"),
        responses: vec![IntegrationResponse {
            status_code: 200,
            response_parameters: pair("method.response.header.Access-Control-Allow-Origin", "'*'"),
            ..Default::default()
        }],
        ..Integration::default()
    });
    let stage = run(&api("/", method), &settings()).unwrap();
    let CompiledIntegration::Mock(CompiledMock { responses, .. }) = &stage.methods[0].integration
    else {
        panic!("MOCK was declared")
    };
    let constant = &stage.constants[responses[0].constants[0] as usize];
    assert_eq!(
        std::str::from_utf8(&constant.h1).unwrap(),
        "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: application/json\r\n\
         Content-Length: 0\r\n"
    );
    let mut constants = Constants::default();
    let headers = crate::http::HeaderList::new;
    let no_content = constants.add(204, headers(), b"dropped");
    assert_eq!(constants.add(204, headers(), b""), no_content, "equal answers are one");
    let constants = constants.finish();
    assert_eq!(&*constants[0].body, b"");
    assert!(constants[0].h1.ends_with(b"Content-Type: application/json\r\n"));
}
