use super::*;
use crate::deploy::{CompiledIntegration, CompiledMock};
use crate::model::{
    ConnectionType, GatewayResponse, Integration, IntegrationResponse, IntegrationType, Model,
    RequestValidator, ResponseType,
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
            http(|it| it.timeout_ms = Some(49)),
            "GET /pets/{id} integration",
            "/i/timeoutInMillis",
            "not within 50 to 29000 ms",
        ),
        (
            http(|it| it.timeout_ms = Some(29_001)),
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
            http(|it| it.request_templates = pair("application/json", "{\n #if($input.body }")),
            "GET /pets/{id} integration",
            "/i/requestTemplates/application~1json",
            "the request template for application/json, line 2, column 18: ",
        ),
        (
            http(|it| it.responses[0].response_templates = pair("text/a", "#foreach($x)")),
            "GET /pets/{id} integration",
            "/i/responses/default/responseTemplates/text~1a",
            "the response template for text/a, line 1, column ",
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
            http(|it| it.responses[0].status_code = 199),
            "GET /pets/{id} integration",
            "/i/responses/default/statusCode",
            "the status 199 ends no request",
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
        (
            gateway_response(GatewayResponse { status_code: Some(100), ..Default::default() }),
            "gateway response THROTTLED",
            "/g/statusCode",
            "ends no request",
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

/// What is not carried out as it is written: one finding each, at its place.
#[test]
fn what_is_served_otherwise_than_written_is_a_warning() {
    let request = |name: &str, value: &str| {
        let name = format!("integration.request.{name}");
        http(|it| it.request_parameters = pair(&name, value))
    };
    let response = |name: &str, value: &str| {
        let name = format!("method.response.header.{name}");
        http(|it| it.responses[0].response_parameters = pair(&name, value))
    };
    let uri = |uri: &str| http(|it| it.uri = Some(uri.to_owned()));
    let mock = |template: &str| {
        http(|it| {
            it.kind = IntegrationType::Mock;
            it.request_templates = pair("application/json", template);
            it.responses[0].selection_pattern = Some("2..".to_owned());
        })
    };
    let gateway_response = |entry: GatewayResponse| {
        let mut api = http(|_| {});
        let entry = GatewayResponse { pointer: "/g".into(), ..entry };
        api.gateway_responses = [(ResponseType::Throttled, entry)].into();
        api
    };
    let gateway_header = |name: &str, value: &str| {
        gateway_response(GatewayResponse {
            response_parameters: pair(&format!("gatewayresponse.header.{name}"), value),
            ..GatewayResponse::default()
        })
    };
    const REQUEST: &str = "/i/requestParameters/integration.request.";
    const RESPONSE: &str = "/i/responses/default/responseParameters/method.response.header.";
    const GATEWAY: &str = "/g/responseParameters/gatewayresponse.header.";
    for (api, pointer, says) in [
        (request("header.Via", "'x'"), [REQUEST, "header.Via"], "Via is not sent to the backend"),
        (request("header.Connection", "'x'"), [REQUEST, "header.Connection"], "is not sent"),
        (request("header.expect", "'x'"), [REQUEST, "header.expect"], "is not sent"),
        (
            request("header.Content-Length", "'5'"),
            [REQUEST, "header.Content-Length"],
            "answered 500",
        ),
        (request("header.X-Amzn-Trace-Id", "'5'"), [REQUEST, "header.X-Amzn-Trace-Id"], "500"),
        (
            request("header.X", "stageVariables.nothing"),
            [REQUEST, "header.X"],
            "the stage variable 'nothing' is not set",
        ),
        (
            request("querystring.x", "method.request.header.content-length"),
            [REQUEST, "querystring.x"],
            "the client's Content-Length is not there",
        ),
        (request("path.unused", "'x'"), [REQUEST, "path.unused"], "uri has no {unused}"),
        (uri("http://b/{name}"), ["/i", "/uri"], "nothing is mapped to {name}"),
        (uri("http://b/x#part"), ["/i", "/uri"], "the part from '#' on is not sent"),
        (uri("http://b/${stageVariables.no}"), ["/i", "/uri"], "variable 'no' is not set"),
        (response("Transfer-Encoding", "'x'"), [RESPONSE, "Transfer-Encoding"], "is not sent"),
        (response("x-amz-apigw-id", "'x'"), [RESPONSE, "x-amz-apigw-id"], "is not sent"),
        (
            response("connection", "'close'"),
            [RESPONSE, "connection"],
            "the header connection is sent as x-amzn-Remapped-Connection",
        ),
        (response("X", "stageVariables.v"), [RESPONSE, "X"], "'v' is not set"),
        (mock("garbage"), ["/i/requestTemplates/", "application~1json"], "no integer statusCode"),
        (mock("{}"), ["/i/requestTemplates/", "application~1json"], "answered 500"),
        (
            mock("{statusCode: 404}"),
            ["/i/requestTemplates/", "application~1json"],
            "no integration response fits the status 404",
        ),
        (
            gateway_header("Content-Length", "'3'"),
            [GATEWAY, "Content-Length"],
            "sent as x-amzn-Remapped-Content-Length",
        ),
        (gateway_header("Date", "'x'"), [GATEWAY, "Date"], "x-amzn-Remapped-Date"),
        (gateway_header("Connection", "'x'"), [GATEWAY, "Connection"], "x-amzn-Remapped-"),
        (gateway_header("X-AMZN-REQUESTID", "'x'"), [GATEWAY, "X-AMZN-REQUESTID"], "Remapped"),
        (gateway_header("Transfer-Encoding", "'x'"), [GATEWAY, "Transfer-Encoding"], "is not sent"),
        (gateway_header("X", "stageVariables.v"), [GATEWAY, "X"], "'v' is not set"),
        (
            gateway_response(GatewayResponse {
                response_templates: pair("text/plain", "${stageVariables.v}"),
                ..GatewayResponse::default()
            }),
            ["/g/responseTemplates/", "text~1plain"],
            "'v' is not set",
        ),
    ] {
        let warnings = warnings(&api);
        assert_eq!(warnings.len(), 1, "{says}: {warnings:#?}");
        let warning = &warnings[0];
        assert_eq!(warning.pointer, pointer.concat(), "{warning:?}");
        assert!(warning.message.contains(says), "{}", warning.message);
        assert!(!warning.help.is_empty());
    }
    let nowhere = warnings(&uri("${stageVariables.url}"));
    assert_eq!(nowhere.len(), 1, "{nowhere:#?}");
    assert!(nowhere[0].message.contains("every request is answered 500"), "{nowhere:?}");
    assert_eq!(nowhere[0].help, "set --var url=VALUE");
    let mut from_answer = mock("{statusCode: 200}");
    let integration = from_answer.resources[0].methods.values_mut().next().unwrap();
    integration.integration.as_mut().unwrap().responses[0].response_parameters =
        pair("method.response.header.X", "integration.response.header.X");
    assert!(warnings(&from_answer)[0].message.contains("no answer to map from"));
    for fine in [
        http(|_| {}),
        request("header.Host", "'x'"),
        request("header.X", "method.request.path.other"),
        response("X", "integration.response.header.X"),
        mock(""),
        gateway_header("Access-Control-Allow-Origin", "'*'"),
    ] {
        assert_eq!(warnings(&fine), []);
    }
}

fn warnings(api: &RestApi) -> Vec<CompileError> {
    let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
    let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
    let mut warnings = Vec::new();
    compile_with(api, &settings(), &mut env, &mut warnings).unwrap();
    warnings
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
        (None, Some(second(29)), Some(second(29))),
        (Some(29_000), Some(second(29)), Some(second(29))),
        (Some(50), Some(second(29)), Some(Duration::from_millis(50))),
        (Some(60_000), Some(second(60)), Some(second(60))),
        (None, Some(second(5)), Some(second(5))),
        (None, Some(second(60)), Some(second(60))),
        (None, None, None),
        // Who writes AWS's default means it, whatever the limit is.
        (Some(29_000), None, Some(second(29))),
        (Some(29_000), Some(second(60)), Some(second(29))),
        (Some(100_000), None, Some(second(100))),
        (Some(1_000), None, Some(second(1))),
    ] {
        let mut settings = settings();
        let limits = Limits { integration_timeout: ceiling, ..Limits::default() };
        settings.limits = Arc::new(limits);
        let stage = run(&http(|it| it.timeout_ms = declared), &settings).unwrap();
        let CompiledIntegration::Http(http) = &stage.methods[0].integration else { panic!() };
        assert_eq!(http.timeout, want, "{declared:?} under {ceiling:?}");
    }
    let limits = Limits { integration_timeout: Some(second(5)), ..Limits::default() };
    let settings = StageSettings { limits: Arc::new(limits), ..settings() };
    let errors = run(&http(|it| it.timeout_ms = Some(29_000)), &settings).unwrap_err();
    assert!(errors[0].message.contains("29000 is not within 50 to 5000 ms"), "{errors:?}");
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
    let constant = &stage.constants[responses[0].constants[0].unwrap() as usize];
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

/// Limits of the methods of a stage, by path; `None`: no bucket of its own.
fn method_limits(api: &RestApi, settings: &StageSettings) -> Vec<(String, Option<(f64, u32)>)> {
    let stage = run(api, settings).unwrap();
    let limit = |method: &CompiledMethod| {
        let own = method.buckets.iter().find(|(scope, _)| *scope == ThrottleScope::Method);
        own.map(|(_, bucket)| (bucket.rate(), bucket.burst()))
    };
    stage.methods.iter().map(|it| (it.resource_path.to_string(), limit(it))).collect()
}

#[test]
fn a_methods_own_setting_replaces_that_of_all_methods_as_a_whole() {
    let method = |throttle| Method {
        integration: Some(Integration { kind: IntegrationType::Mock, ..Integration::default() }),
        throttle,
        ..Method::default()
    };
    let mut api = api("/", method(None));
    let limit = |rate_limit, burst_limit| Some(ThrottleSettings { rate_limit, burst_limit });
    for (path, throttle) in
        [("/pets", None), ("/pets/{id}", None), ("/own", limit(3.0, 4)), ("/both", limit(3.0, 4))]
    {
        let methods = [(MethodName::Get, method(throttle))].into();
        api.resources.push(Resource { id: "r".into(), path: path.into(), methods });
    }
    let setting = |rate: Option<f64>, burst| MethodSetting {
        throttling_rate_limit: rate,
        throttling_burst_limit: burst,
        ..MethodSetting::default()
    };
    let settings = |entries: &[(&str, MethodSetting)]| StageSettings {
        method_settings: entries.iter().map(|(key, it)| ((*key).to_owned(), it.clone())).collect(),
        ..settings()
    };
    let want = |limits: [Option<(f64, u32)>; 5]| {
        ["/", "/pets", "/pets/{id}", "/own", "/both"].map(str::to_owned).into_iter().zip(limits)
    };
    let from_document = Some((3.0, 4));
    for (entries, limits) in [
        (&[][..], [None, None, None, from_document, from_document]),
        (
            &[("*/*", setting(Some(7.0), Some(9)))],
            [Some((7.0, 9)), Some((7.0, 9)), Some((7.0, 9)), from_document, from_document],
        ),
        (
            &[
                ("*/*", setting(Some(7.0), Some(9))),
                ("//GET", setting(Some(0.5), Some(1))),
                // Whole: what it does not set is not taken from `*/*`.
                ("pets/GET", setting(None, None)),
                ("pets/{id}/GET", setting(None, Some(2))),
                ("both/GET", setting(Some(8.0), None)),
                ("pets/{id}/POST", setting(Some(1.0), Some(1))),
            ],
            [Some((0.5, 1)), None, Some((10_000.0, 2)), from_document, Some((8.0, 5_000))],
        ),
    ] {
        let found = method_limits(&api, &settings(entries));
        assert_eq!(found, want(limits).collect::<Vec<_>>(), "{entries:?}");
    }
    // One bucket each, not one for all.
    let stage = run(&api, &settings(&[("*/*", setting(Some(1.0), Some(1)))])).unwrap();
    let bucket = |index: usize| &stage.methods[index].buckets[0].1;
    assert!(bucket(0).take(Nanos(0)) && bucket(1).take(Nanos(0)) && !bucket(0).take(Nanos(0)));
    // A rate or a burst of 0 closes.
    for closed in [setting(Some(0.0), Some(9)), setting(Some(9.0), Some(0))] {
        let stage = run(&api, &settings(&[("pets/GET", closed)])).unwrap();
        assert!(!stage.methods[1].buckets[0].1.take(Nanos(0)));
    }
}

#[test]
fn a_limit_that_the_accounts_always_reaches_first_has_no_bucket() {
    let api = with(Integration { kind: IntegrationType::Mock, ..Integration::default() });
    let account = ThrottleSettings { rate_limit: 100.0, burst_limit: 50 };
    for (rate, burst, account_throttle, has_bucket) in [
        (100.0, 50, Some(account), false),
        (101.0, 51, Some(account), false),
        (99.9, 50, Some(account), true),
        (100.0, 49, Some(account), true),
        (0.0, 5_000, Some(account), true),
        (10_000.0, 5_000, None, true),
    ] {
        let setting = MethodSetting {
            throttling_rate_limit: Some(rate),
            throttling_burst_limit: Some(burst),
            ..MethodSetting::default()
        };
        let settings = StageSettings {
            method_settings: [("*/*".to_owned(), setting)].into(),
            account_throttle,
            ..settings()
        };
        let limits = method_limits(&api, &settings);
        assert_eq!(limits[0].1.is_some(), has_bucket, "{rate}:{burst} of {account_throttle:?}");
    }
}

#[test]
fn a_client_certificate_is_a_target_of_its_own_and_a_bad_one_an_error() {
    let certified = rcgen::generate_simple_self_signed(["gateway".to_owned()]).unwrap();
    let certificate = ClientCertificate {
        pem_encoded_certificate: certified.cert.pem(),
        private_key: certified.signing_key.serialize_pem(),
    };
    let with_certificate = |certificate: Option<ClientCertificate>| StageSettings {
        client_certificate: certificate,
        ..settings()
    };
    let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
    let target = |uri: &str, certificate: Option<&ClientCertificate>| {
        let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
        let api = http(|it| it.uri = Some(uri.to_owned()));
        let stage = compile(&api, &with_certificate(certificate.cloned()), &mut env).unwrap();
        let CompiledIntegration::Http(http) = &stage.methods[0].integration else { panic!() };
        Arc::clone(&http.target)
    };
    let (with, without) = (target("https://b/", Some(&certificate)), target("https://b/", None));
    assert!(with.identity.is_some() && without.identity.is_none());
    assert!(!Arc::ptr_eq(&with, &without) && with.slot != without.slot);
    assert!(Arc::ptr_eq(&with, &target("https://b/", Some(&certificate))), "read anew, the same");
    let plain = target("http://b/", Some(&certificate));
    assert!(plain.identity.is_none() && Arc::ptr_eq(&plain, &target("http://b/", None)));

    let other = rcgen::generate_simple_self_signed(["other".to_owned()]).unwrap();
    let bad = |change: &dyn Fn(&mut ClientCertificate)| {
        let mut bad = certificate.clone();
        change(&mut bad);
        let errors = run(&http(|_| {}), &with_certificate(Some(bad))).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].object, "stage");
        errors[0].message.clone()
    };
    let says = bad(&|it| it.pem_encoded_certificate = "x".to_owned());
    assert!(says.contains("no PEM text with a certificate"), "{says}");
    let says = bad(&|it| it.private_key = "x".to_owned());
    assert!(says.contains("key is not readable"), "{says}");
    let says = bad(&|it| it.private_key = other.signing_key.serialize_pem());
    assert_eq!(says, "the key is not the client certificate's");
}

/// An API whose method's bodies are held to `model`, one of these.
fn modelled(models: &[(&str, &str)], model: &str) -> RestApi {
    let mut api = http(|_| {});
    let validator = RequestValidator {
        validate_request_body: true,
        pointer: "/v".into(),
        ..Default::default()
    };
    api.request_validators.insert("body".to_owned(), validator);
    for (name, schema) in models {
        let pointer = format!("/components/schemas/{name}");
        let schema = (*schema).to_owned();
        api.models.insert((*name).to_owned(), Model { schema, pointer, ..Model::default() });
    }
    let resource = &mut api.resources[0];
    let method = resource.methods.get_mut(&MethodName::Get).unwrap();
    method.pointer = "/m".to_owned();
    method.request_validator = Some("body".to_owned());
    method.request_models.insert("application/json".to_owned(), model.to_owned());
    let twin = method.clone();
    resource.methods.insert(MethodName::Post, twin);
    api
}

#[test]
fn models_are_compiled_once_and_what_is_wrong_with_them_is_said_once() {
    let reference =
        |name: &str| format!(r#"{{"$ref":"{}"}}"#, crate::model::model_reference("a1", name));
    let pet = r#"{"type":"object","required":["name"]}"#;
    let api = modelled(&[("Pet", pet), ("Twin", pet), ("Link", &reference("Pet"))], "Pet");
    let stage = run(&api, &settings()).unwrap();
    let schema = |index: usize| {
        let validation = stage.methods[index].validation.as_ref().unwrap();
        Arc::clone(&validation.bodies.entries[0].1)
    };
    assert!(Arc::ptr_eq(&schema(0), &schema(1)));
    let mut api = api;
    let post = api.resources[0].methods.get_mut(&MethodName::Post).unwrap();
    post.request_models.insert("application/json".to_owned(), "Twin".to_owned());
    post.request_models.insert("text/json".to_owned(), "Link".to_owned());
    let stage = run(&api, &settings()).unwrap();
    let of = |index: usize| &stage.methods[index].validation.as_ref().unwrap().bodies.entries;
    assert!(Arc::ptr_eq(&of(0)[0].1, &of(1)[0].1), "models of one text are one");
    assert_eq!(of(1).len(), 2);

    let broken = r#"{"type":"object","properties":{"a":{"type":"strin"}}}"#;
    for (models, model, pointer, says) in [
        (
            vec![("Pet", broken)],
            "Pet",
            "/components/schemas/Pet/properties/a",
            "model Pet at #/properties/a",
        ),
        (
            vec![("Pet", broken), ("Link", &*reference("Pet"))],
            "Link",
            "/components/schemas/Pet/properties/a",
            "model Pet at #/properties/a",
        ),
        (vec![("Pet", &*reference("Gone"))], "Pet", "/components/schemas/Pet", "Gone"),
        (vec![("Pet", "{")], "Pet", "/components/schemas/Pet", "model Pet"),
    ] {
        let errors = run(&modelled(&models, model), &settings()).expect_err(says);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        let error = &errors[0];
        assert!(error.pointer.starts_with(pointer), "{error:#?}");
        assert_eq!(error.object, "GET /pets/{id}");
        assert!(error.message.contains(says) && !error.help.is_empty(), "{error:#?}");
    }
    let errors = run(&modelled(&[], "Pet"), &settings()).unwrap_err();
    assert_eq!((errors.len(), &*errors[0].pointer), (2, "/m"), "{errors:#?}");
    let mut api = modelled(&[("Pet", pet)], "Pet");
    api.request_validators.clear();
    let errors = run(&api, &settings()).unwrap_err();
    assert!(errors[0].message.contains("no request validator 'body'"), "{errors:#?}");
}

#[test]
fn a_key_that_an_authorizer_has_to_say_is_a_warning() {
    let mut api = http(|_| {});
    api.api_key_source = ApiKeySource::Authorizer;
    let method = api.resources[0].methods.get_mut(&MethodName::Get).unwrap();
    method.api_key_required = true;
    method.pointer = "/m".to_owned();
    let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
    let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
    let mut warnings = Vec::new();
    let stage = compile_with(&api, &settings(), &mut env, &mut warnings).unwrap();
    assert_eq!(stage.methods[0].api_key, Some(ApiKeySource::Authorizer));
    assert_eq!((warnings.len(), &*warnings[0].pointer), (1, "/m"));
    assert!(warnings[0].message.contains("403"), "{warnings:?}");
}
