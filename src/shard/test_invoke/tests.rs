//! Tests of tests: requests against real shards and backends, their outcomes and logs line by line.

mod endpoints;
mod life;

use std::sync::mpsc;

use super::*;
use crate::deploy::{CompileEnv, StageSettings, compile};
use crate::limits::Limits;
use crate::openapi::{self, Document};
use crate::ring::RingConfig;
use crate::shard::tests::prepare;
use crate::shard::{ShardHandle, ShardMailbox, ShardMessage, spawn_with};
use crate::throttle::BucketRegistry;
use crate::time::Nanos;
use crate::upstream::TargetRegistry;

/// A stage for tests of an OpenAPI document: paths as YAML, indented by two.
fn stage_with(
    paths: &str,
    more: &str,
    variables: &[(&str, &str)],
    limits: Limits,
) -> CompiledStage {
    let text = format!(
        "openapi: 3.0.1\ninfo: {{title: shop, version: '1'}}\n{more}\npaths:\n{}",
        paths.trim_matches('\n')
    );
    let api = openapi::import(&Document::parse(&text).unwrap()).api;
    let settings = StageSettings {
        stage: TEST_INVOKE_STAGE.to_owned(),
        variables: variables.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect(),
        limits: Arc::new(limits),
        ..StageSettings::default()
    };
    let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
    let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
    compile(&api, &settings, &mut env).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn stage(paths: &str) -> Arc<CompiledStage> {
    Arc::new(stage_with(paths, "", &[], Limits::default()))
}

/// A test of the only resource there is, or the first.
fn test(stage: &Arc<CompiledStage>, method: MethodName, path: Option<&str>) -> TestInvocation {
    TestInvocation {
        stage: Arc::clone(stage),
        resource_id: stage.methods[0].resource_id.clone(),
        method,
        path_with_query_string: path.map(str::to_owned),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

/// A shard that serves nobody and carries out tests.
struct Testing(Option<ShardHandle>);

impl Testing {
    fn start() -> Self {
        let (config, ..) = prepare(&crate::model::RestApi::default(), Limits::default(), None);
        Self(Some(spawn_with(config, RingConfig::default()).unwrap()))
    }

    fn send(&self, test: TestInvocation) -> mpsc::Receiver<TestResult> {
        send(&self.0.as_ref().unwrap().mailbox(), test)
    }

    fn run(&self, test: TestInvocation) -> TestResult {
        self.send(test).recv().expect("a reply always comes")
    }

    fn drain(&mut self, deadline: Option<Duration>) {
        if let Some(shard) = self.0.take() {
            assert!(shard.send(ShardMessage::Drain { deadline }).is_ok());
            shard.join().unwrap();
        }
    }
}

impl Drop for Testing {
    fn drop(&mut self) {
        self.drain(None);
    }
}

fn send(shard: &ShardMailbox, test: TestInvocation) -> mpsc::Receiver<TestResult> {
    let (told, result) = mpsc::channel();
    let reply = TestReply::new(move |it| drop(told.send(it)));
    assert!(shard.send(ShardMessage::TestInvoke(Box::new(test), reply)).is_ok());
    result
}

/// The log without dates, ids, latencies and ports.
fn lines(outcome: &TestOutcome) -> Vec<String> {
    let (first, rest) = outcome.log.split_once('\n').unwrap();
    let id = first.strip_prefix("Execution log for request ").unwrap();
    assert_eq!(id.len(), 36, "{first}");
    let mut lines: Vec<String> = Vec::new();
    for line in rest.lines() {
        // `Tue Nov 04 16:59:12 UTC 2025 : `
        let text = line.get(28..).and_then(|rest| rest.strip_prefix(" : "));
        let Some(text) = text.filter(|_| &line[19..25] == " UTC 2") else {
            let last = lines.last_mut().expect("a line before");
            last.push('\n');
            last.push_str(line);
            continue;
        };
        lines.push(text.replace(id, "ID"));
    }
    for line in &mut lines {
        cut(line, "latency: ", &[' '], "N");
        cut(line, "X-Amzn-Trace-Id=Root=1-", &[',', '}'], "T");
        cut(line, "://127.0.0.1:", &['/'], "PORT");
    }
    lines
}

/// Puts `with` between `before` and the next `after`.
fn cut(line: &mut String, before: &str, after: &[char], with: &str) {
    if let Some(at) = line.find(before).map(|at| at + before.len())
        && let Some(len) = line[at..].find(after)
    {
        line.replace_range(at..at + len, with);
    }
}

fn assert_log(outcome: &TestOutcome, want: &str) {
    assert!(outcome.log.ends_with('\n'));
    assert_eq!(lines(outcome).join("\n"), want.trim_matches('\n'), "{}", outcome.log);
}

fn headers(outcome: &TestOutcome) -> Vec<(&str, &str)> {
    outcome.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn the_recorded_failure_comes_out_line_by_line() {
    let stage = stage(
        "
  /:
    get:
      x-amazon-apigateway-integration:
        {type: http_proxy, httpMethod: GET, uri: 'https://${stageVariables.testHost}'}",
    );
    let outcome = Testing::start().run(test(&stage, MethodName::Get, None)).unwrap();
    assert_log(
        &outcome,
        "
Starting execution for request: ID
HTTP Method: GET, Resource Path: /
Method request path: {}
Method request query string: {}
Method request headers: {}
Method request body before transformations: 
Execution failed due to configuration error: Invalid endpoint address
Method completed with status: 500",
    );
    assert_eq!(outcome.status, 500);
    assert_eq!(outcome.body, b"{\"message\": \"Internal server error\"}");
    assert_eq!(headers(&outcome), [("x-amzn-ErrorType", "InternalServerErrorException")]);
}

const MOCK: &str = r##"
  /pets/{petId}/{proxy+}:
    parameters:
      - {name: petId, in: path, required: true, schema: {type: string}}
      - {name: proxy, in: path, required: true, schema: {type: string}}
    post:
      responses: {'201': {description: made, headers: {X-Pet: {schema: {type: string}}}}}
      x-ringway-throttle: {rateLimit: 1, burstLimit: 1}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates:
          application/json: |-
            #set($context.requestOverride.path.name = $input.path('$.name'))
            {"statusCode": $input.params('status')}
        responses:
          '201':
            statusCode: '201'
            responseParameters: {method.response.header.X-Pet: context.httpMethod}
            responseTemplates:
              application/json: |-
                {"id":"$input.params('petId')","name":"$context.requestOverride.path.name","from":"$context.identity.sourceIp $context.identity.apiKey $context.domainName $context.domainPrefix $context.path $context.stage"}
"##;

#[test]
fn a_mock_with_templates_tells_its_phases() {
    let stage = stage(MOCK);
    let shard = Testing::start();
    // More often than the throttle would admit.
    for _ in 0..3 {
        let mut test = test(
            &stage,
            MethodName::Post,
            Some("/pets/a%20b/c/d?status=200&status=201&x=%C3%A4+b&flag"),
        );
        test.headers = [
            ("day", "Wednesday"),
            ("X-Api-Key", "0123456789abcdefF0yrv6"),
            ("authorization", "short"),
            ("Many", "1"),
            ("many", "2"),
            ("Content-Type", "text/plain"),
            ("Content-Length", "7"),
            ("Transfer-Encoding", "gzip"),
            ("Host", "elsewhere"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        test.body = b"{\"name\":\n\"Rex\"}".to_vec();
        let outcome = shard.run(test).unwrap();
        let body = r#"{"id":"a b","name":"Rex","from":"test-invoke-source-ip test-invoke-api-key testPrefix.testDomainName testPrefix /pets/a%20b/c/d test-invoke-stage"}"#;
        assert_log(
            &outcome,
            &format!(
                "
Starting execution for request: ID
HTTP Method: POST, Resource Path: /pets/a%20b/c/d
Method request path: {{petId=a b, proxy=c/d}}
Method request query string: {{status=201, x=\u{e4} b, flag=}}
Method request headers: {{day=Wednesday, X-Api-Key=****************F0yrv6, authorization=*****, \
                 Many=1,2, Content-Type=application/json, Content-Length=7, \
                 Transfer-Encoding=gzip, Host=elsewhere}}
Method request body before transformations: {{\"name\":
\"Rex\"}}
Method response body after transformations: {body}
Method response headers: {{X-Pet=POST, Content-Type=application/json}}
Successfully completed execution
Method completed with status: 201"
            ),
        );
        assert_eq!(outcome.status, 201);
        assert_eq!(String::from_utf8(outcome.body.clone()).unwrap(), body);
        assert_eq!(headers(&outcome), [("X-Pet", "POST"), ("Content-Type", "application/json")]);
    }
}

#[test]
fn a_template_that_fails_and_a_status_without_response_are_told() {
    let stage = stage(MOCK);
    let shard = Testing::start();
    let request = "
Starting execution for request: ID
HTTP Method: POST, Resource Path: /pets/1/2
Method request path: {petId=1, proxy=2}
Method request query string: {status=S}
Method request headers: {}
Method request body before transformations: {}";
    for (status, body, reason) in [
        (
            "404",
            "{}",
            "No match for output mapping and no default output mapping configured. Endpoint \
             Response Status Code: 404",
        ),
        (
            "x",
            "{}",
            "Unable to parse statusCode. It should be an integer that is defined in the request \
             template.",
        ),
    ] {
        let mut test = test(&stage, MethodName::Post, Some(&format!("/pets/1/2?status={status}")));
        test.body = body.as_bytes().to_vec();
        let outcome = shard.run(test).unwrap();
        let request = request.replace("=S}", &format!("={status}}}"));
        assert_log(
            &outcome,
            &format!(
                "{request}\nExecution failed due to configuration error: {reason}\n\
                 Method completed with status: 500"
            ),
        );
    }
    let broken = self::stage(&MOCK.replace("'$.name'", "'$.name['"));
    let mut test = test(&broken, MethodName::Post, Some("/pets/1/2?status=201"));
    test.body = b"{}".to_vec();
    let outcome = shard.run(test).unwrap();
    let told = lines(&outcome);
    let [.., error, status] = &told[..] else { panic!("{told:?}") };
    let start = "Execution failed due to configuration error: Unable to transform request: ";
    assert!(error.starts_with(start), "{error}");
    assert_eq!(status, "Method completed with status: 500");
}

#[test]
fn paths_are_matched_with_the_resource_alone() {
    let stage = stage(
        "
  /pets/{petId}:
    parameters: [{name: petId, in: path, required: true, schema: {type: string}}]
    get:
      responses: {'200': {description: fine}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{\"statusCode\": 200}'}
        responses:
          default:
            statusCode: '200'
            responseTemplates: {application/json: $input.params('petId')}
  /pets/special:
    get:
      x-amazon-apigateway-integration: {type: mock}",
    );
    let pets = stage.methods.iter().find(|it| &*it.resource_path == "/pets/{petId}").unwrap();
    let id = pets.resource_id.clone();
    let shard = Testing::start();
    for (path, told, parameters, query, body) in [
        (Some("/pets/7"), "/pets/7", "{petId=7}", "{}", "7"),
        (Some("/pets/special"), "/pets/special", "{petId=special}", "{}", "special"),
        (Some("pets/7/?a=b#c"), "/pets/7/", "{petId=7}", "{a=b#c}", "7"),
        (Some("/pets/\u{e4} b"), "/pets/%C3%A4%20b", "{petId=\u{e4} b}", "{}", "\u{e4} b"),
        (Some("/pets/7/8"), "/pets/7/8", "{}", "{}", ""),
        (Some("/"), "/", "{}", "{}", ""),
        (Some(""), "/pets/{petId}", "{petId={petId}}", "{}", "{petId}"),
        (Some("?a=1&a=2"), "/pets/{petId}", "{petId={petId}}", "{a=2}", "{petId}"),
        (None, "/pets/{petId}", "{petId={petId}}", "{}", "{petId}"),
    ] {
        let mut test = test(&stage, MethodName::Get, path);
        test.resource_id.clone_from(&id);
        let outcome = shard.run(test).unwrap();
        let lines = lines(&outcome);
        assert_eq!(lines[1], format!("HTTP Method: GET, Resource Path: {told}"));
        assert_eq!(lines[2], format!("Method request path: {parameters}"));
        assert_eq!(lines[3], format!("Method request query string: {query}"));
        assert_eq!(String::from_utf8(outcome.body).unwrap(), body, "{path:?}");
    }
}

#[test]
fn what_is_no_test_is_refused_with_a_sentence() {
    let stage = stage(MOCK);
    let shard = Testing::start();
    let refused = |change: &dyn Fn(&mut TestInvocation)| {
        let mut test = test(&stage, MethodName::Post, Some("/pets/1/2?status=201"));
        change(&mut test);
        shard.run(test).unwrap_err()
    };
    let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    for (why, want) in [
        (
            refused(&|it| it.method = MethodName::Any),
            "a test needs one HTTP method, also where the resource has ANY",
        ),
        (refused(&|it| it.method = MethodName::Get), "Invalid Method identifier specified"),
        (refused(&|it| it.resource_id = "no".into()), "Invalid Method identifier specified"),
        (refused(&|it| it.headers = header("a b", "c")), "the header 'a b' cannot be sent"),
        (refused(&|it| it.headers = header("a", "b\r\nc: d")), "the header 'a' cannot be sent"),
        (
            refused(&|it| it.headers = header("a", &"b".repeat(20_000))),
            "the headers are larger than 10240 bytes",
        ),
        (
            refused(&|it| it.headers = vec![("a".into(), "b".into()); 200]),
            "there are more than 128 headers",
        ),
    ] {
        assert_eq!(why, want);
    }
    let long = refused(&|it| it.path_with_query_string = Some("x".repeat(20_000)));
    assert!(long.starts_with("pathWithQueryString is none: "), "{long}");
}

#[test]
fn a_body_beyond_the_payload_limit_is_refused_as_by_the_gateway() {
    let mut limits = Limits::default();
    limits.set("payload=10").unwrap();
    let stage = Arc::new(stage_with(MOCK, "", &[], limits));
    let mut test = test(&stage, MethodName::Post, Some("/pets/1/2?status=201"));
    test.body = vec![b' '; 11];
    let outcome = Testing::start().run(test).unwrap();
    assert_eq!(outcome.status, 413);
    let told = lines(&outcome);
    assert_eq!(
        told[told.len() - 2..],
        ["HTTP content length exceeded 10 bytes.", "Method completed with status: 413"]
    );
}

#[test]
fn an_answer_is_compressed_as_asked_and_told_as_it_was_mapped() {
    let more = "x-amazon-apigateway-minimum-compression-size: 0";
    let stage = Arc::new(stage_with(MOCK, more, &[], Limits::default()));
    let mut test = test(&stage, MethodName::Post, Some("/pets/1/2?status=201"));
    test.headers.push(("Accept-Encoding".to_owned(), "gzip".to_owned()));
    test.body = b"{\"name\":\"Rex\"}".to_vec();
    let outcome = Testing::start().run(test).unwrap();
    assert!(outcome.log.contains("Method response body after transformations: {\"id\":\"1\""));
    assert!(headers(&outcome).contains(&("Content-Encoding", "gzip")), "{:?}", outcome.headers);
    assert!(outcome.body.starts_with(b"\x1f\x8b"));
}

#[test]
fn a_test_needs_no_key_but_is_validated() {
    let paths = r#"
  /pets:
    post:
      security: [{key: []}]
      parameters: [{name: q, in: query, required: true, schema: {type: string}}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
      responses: {'200': {description: fine}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: '200'}}
"#;
    let more = "
x-amazon-apigateway-request-validators:
  all: {validateRequestBody: true, validateRequestParameters: true}
x-amazon-apigateway-request-validator: all
components:
  schemas: {Pet: {type: object, required: [name], properties: {name: {type: string}}}}
  securitySchemes: {key: {type: apiKey, name: x-api-key, in: header}}";
    let stage = Arc::new(stage_with(paths, more, &[], Limits::default()));
    let shard = Testing::start();
    let run = |path: &str, body: &str| {
        let mut test = test(&stage, MethodName::Post, Some(path));
        test.body = body.into();
        let outcome = shard.run(test).unwrap();
        let mut lines = lines(&outcome);
        assert_eq!(lines[0], "Starting execution for request: ID", "nothing of a key before");
        (outcome.status, lines.split_off(6).join("\n"))
    };
    assert_eq!(
        run("/pets", "{}"),
        (
            400,
            "Missing required request parameters: [q]\nMethod completed with status: 400"
                .to_owned()
        )
    );
    let (status, log) = run("/pets?q=1", "{}");
    assert_eq!(
        (status, &*log),
        (
            400,
            "Request body does not match model schema for content type application/json: [object \
             has missing required properties ([\"name\"])]\nMethod completed with status: 400"
        )
    );
    assert_eq!(run("/pets?q=1", "{\"name\":\"Ann\"}").0, 200);
}
