//! How fast do templates render? Three of them, with the body already parsed and with its parsing,
//! against `minijinja` with an equivalent template and against Rust that does the same by hand.
//!
//! Velocity, velocityjs and airspeed are measured beside it by `perf/vtl-peers`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ringway::context::ContextVariable;
use ringway::vtl::{self, Host, HostMap, HostValue, Overrides, Scratch, Settings, Undefined};
use serde_json::Value as Json;

/// A request out of `tests/data/vtl/*.json`.
struct Request {
    body: String,
    maps: Vec<Vec<(String, String)>>,
    identity: Vec<(String, String)>,
    /// By variable.
    context: Vec<Option<String>>,
}

impl Request {
    fn new(case: &Json) -> Self {
        let aws = &case["aws"];
        let pairs = |json: &Json| -> Vec<(String, String)> {
            json.as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_owned()))
                .collect()
        };
        let params = &aws["params"];
        Self {
            body: aws["body"].as_str().unwrap_or("").to_owned(),
            maps: vec![
                Vec::new(),
                pairs(&params["path"]),
                pairs(&params["querystring"]),
                pairs(&params["header"]),
                pairs(&aws["stageVariables"]),
            ],
            identity: pairs(&aws["context"]["identity"]),
            context: ContextVariable::ALL
                .iter()
                .map(|variable| {
                    let pointer = format!("/{}", variable.name().replace('.', "/"));
                    aws["context"].pointer(&pointer)?.as_str().map(str::to_owned)
                })
                .collect(),
        }
    }
}

impl<'a> Host<'a> for &'a Request {
    fn body(&self) -> &'a str {
        &self.body
    }

    fn len(&self, map: HostMap) -> usize {
        self.maps.get(usize::from(map.0)).unwrap_or(&self.identity).len()
    }

    fn entry(&self, map: HostMap, index: usize) -> (&'a str, HostValue<'a>) {
        let request: &'a Request = self;
        let (name, value) =
            &request.maps.get(usize::from(map.0)).unwrap_or(&request.identity)[index];
        (name, HostValue::Text(value))
    }

    fn context(&self, variable: ContextVariable) -> HostValue<'a> {
        let request: &'a Request = self;
        request.context[variable as usize].as_deref().map_or(HostValue::Null, HostValue::Text)
    }

    fn write(&self, _computed: u32, _out: &mut String) {}
}

fn case(name: &str) -> Json {
    let path = format!("{}/tests/data/vtl/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The same templates in minijinja's language.
fn jinja(name: &str) -> &'static str {
    match name {
        "map5" => {
            r#"{
  "id": "{{ body.orderId }}",
  "name": "{{ body.customer.name }}",
  "email": "{{ body.customer.email }}",
  "total": {{ body.total }},
  "first": "{{ body["items"][0].sku }}"
}
"#
        }
        "passall" => {
            r#"{
"body-json" : {{ body|tojson }},
"params" : {
{% for type, params in all|items %}"{{ type }}" : {
    {% for name, value in params|items %}"{{ name }}" : "{{ value|escapejs }}"{% if not loop.last %},{% endif %}
    {% endfor %}}{% if not loop.last %},{% endif %}
{% endfor %}},
"stage-variables" : {
{% for name, value in stage|items %}"{{ name }}" : "{{ value|escapejs }}"{% if not loop.last %},{% endif %}
{% endfor %}},
"context" : {
    "account-id" : "{{ context.identity.accountId }}",
    "api-id" : "{{ context.apiId }}",
    "api-key" : "{{ context.identity.apiKey }}",
    "authorizer-principal-id" : "{{ context.authorizer.principalId }}",
    "caller" : "{{ context.identity.caller }}",
    "http-method" : "{{ context.httpMethod }}",
    "stage" : "{{ context.stage }}",
    "source-ip" : "{{ context.identity.sourceIp }}",
    "user" : "{{ context.identity.user }}",
    "user-agent" : "{{ context.identity.userAgent }}",
    "user-arn" : "{{ context.identity.userArn }}",
    "request-id" : "{{ context.requestId }}",
    "resource-id" : "{{ context.resourceId }}",
    "resource-path" : "{{ context.resourcePath }}"
    }
}
"#
        }
        _ => {
            r#"
{"items":[
{% for i in body["items"] %}{% set t = i.qty * i.price + 1 %}
{"n":{{ loop.index }},"sku":"{{ i.sku|upper }}","line":{{ t }},"tag":"{{ i.name[:3] }}"}{% if not loop.last %},{% endif %}

{% endfor %}
]}
"#
        }
    }
}

fn escapejs(value: &str) -> String {
    let mut out = String::new();
    vtl::java::escape::escape_java_script(value, &mut out);
    out
}

fn render(c: &mut Criterion) {
    for name in ["map5", "passall", "loop100"] {
        let case = case(name);
        let request = Request::new(&case);
        let request = &request;
        let template = case["template"].as_str().unwrap();
        let program = vtl::compile(template, Undefined::Empty).unwrap();
        let mut scratch = Scratch::default();
        let mut overrides = Overrides::default();
        let mut out = String::new();
        let settings = Settings::default();

        program.render(&request, &mut scratch, settings, &mut overrides, &mut out).unwrap();
        let ours = out.clone();
        let mut group = c.benchmark_group(format!("vtl/{name}"));
        group.bench_function("ringway/parsed", |b| {
            scratch.parse(&request.body);
            b.iter(|| {
                out.clear();
                program
                    .render_parsed(&request, &mut scratch, settings, &mut overrides, &mut out)
                    .unwrap();
                black_box(out.len())
            });
        });
        group.bench_function("ringway/with_parse", |b| {
            b.iter(|| {
                out.clear();
                program.render(&request, &mut scratch, settings, &mut overrides, &mut out).unwrap();
                black_box(out.len())
            });
        });

        let mut environment = minijinja::Environment::new();
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.add_filter("escapejs", |value: String| escapejs(&value));
        environment.add_template(name, jinja(name)).unwrap();
        let jinja = environment.get_template(name).unwrap();
        let all = serde_json::json!({
            "path": case["aws"]["params"]["path"],
            "querystring": case["aws"]["params"]["querystring"],
            "header": case["aws"]["params"]["header"],
        });
        let context = |body: minijinja::Value| {
            minijinja::context! {
                body => body,
                all => minijinja::Value::from_serialize(&all),
                stage => minijinja::Value::from_serialize(&case["aws"]["stageVariables"]),
                context => minijinja::Value::from_serialize(&case["aws"]["context"]),
            }
        };
        let parsed: Json = serde_json::from_str(&request.body).unwrap();
        let ready = context(minijinja::Value::from_serialize(&parsed));
        // The same work: as many characters, but for blanks and number formats.
        let theirs = jinja.render(&ready).unwrap();
        let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        let (ours, theirs) = (solid(&ours), solid(&theirs));
        assert!(ours.abs_diff(theirs) * 20 <= ours, "{name}: {ours} and {theirs} characters");
        let mut buffer = Vec::new();
        group.bench_function("minijinja/parsed", |b| {
            b.iter(|| {
                buffer.clear();
                jinja.render_captured_to(&ready, &mut buffer).unwrap();
                black_box(buffer.len())
            });
        });
        let rest = ready.clone();
        group.bench_function("minijinja/with_parse", |b| {
            b.iter(|| {
                buffer.clear();
                let body: Json = serde_json::from_str(black_box(&request.body)).unwrap();
                let body = minijinja::Value::from_serialize(&body);
                let with_body = minijinja::context! { body => body, ..rest.clone() };
                jinja.render_captured_to(&with_body, &mut buffer).unwrap();
                black_box(buffer.len())
            });
        });
        group.finish();
    }
}

fn compile(c: &mut Criterion) {
    let mut group = c.benchmark_group("vtl/compile");
    for name in ["map5", "passall", "loop100"] {
        let case = case(name);
        let template = case["template"].as_str().unwrap();
        group.bench_function(name, |b| {
            b.iter(|| vtl::compile(black_box(template), Undefined::Empty).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, render, compile);
criterion_main!(benches);
