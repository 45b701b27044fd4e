use super::super::context::testing::{self, Api, allocations, exchange};
use super::*;
use crate::deploy::CompiledIntegration;
use crate::time::WallMillis;

/// A stage with a MOCK whose response template is `template`.
fn stage(template: &str) -> CompiledStage {
    let mut api =
        Api::new().mock("ANY", "/a/{id}/{proxy+}").change("ANY", "/a/{id}/{proxy+}", |it| {
            it.responses[0].response_templates =
                [("text/a".to_owned(), template.to_owned())].into();
        });
    api.settings.variables.insert("color".into(), "blue".into());
    api.settings.variables.insert("size".into(), "9".into());
    api.stage()
}

fn program(stage: &CompiledStage) -> &CompiledTemplate {
    let CompiledIntegration::Mock(mock) = &stage.methods[0].integration else { panic!("no MOCK") };
    mock.responses[0].templates.entries[0].1.program().expect("a program")
}

fn rendered(template: &str, head: &str) -> Result<String, GatewayError> {
    let stage = stage(template);
    let mut exchange = exchange(head);
    testing::route(&stage, &mut exchange)?;
    exchange.received_wall = WallMillis(1_583_349_317_999);
    let mut out = b"overwritten".to_vec();
    let body = exchange.body.clone();
    let context = ContextView::new(&stage, &exchange);
    let mut overrides = Overrides::default();
    let result =
        Renderer::default().render(program(&stage), context, &body, &mut overrides, &mut out);
    result.map(|()| String::from_utf8(out).unwrap())
}

const HEAD: &str = "POST /dev/a/x%20y/b%2Fc/d?q=1&q=a%2Bb+c&e=&flag&n%61me=v%C3%A4;semi=2&bad=%zz%ff \
                    HTTP/1.1\r\nHost: abc.api.example:80\r\nX-A: one\r\nX-A: two\r\nx-a: low\r\n\
                    User-Agent: curl\r\nTE: trailers\r\nX-Bad: \u{e4}\r\n\r\n";

#[test]
fn templates_see_the_request() {
    for (template, want) in [
        ("$input.params('id')|$input.params('proxy')", "x y|b/c/d"),
        (
            "$input.params('q')|$input.params('e')|$input.params('flag')|$input.params('no')",
            "a+b c|||",
        ),
        ("$input.params('name')|$input.params('semi')", "v\u{e4}|2"),
        ("$input.params('bad')", "%zz\u{fffd}"),
        ("$input.params('X-A')|$input.params('x-a')|$input.params('X-a')", "two|low|"),
        ("$input.params('TE')|$input.params('Host')", "|abc.api.example:80"),
        ("$input.params().querystring.keySet()", "[q, e, flag, name, semi, bad]"),
        ("$input.params().header.keySet()", "[Host, X-A, x-a, User-Agent, X-Bad]"),
        ("$input.params().path", "{id=x y, proxy=b/c/d}"),
        ("$input.params().header.get('X-A')", "two"),
        ("$stageVariables.color$stageVariables['size']$stageVariables.no", "blue9"),
        ("$stageVariables", "{color=blue, size=9}"),
        ("$context.httpMethod $context.resourcePath", "POST /a/{id}/{proxy+}"),
        ("$context.path", "/dev/a/x%20y/b%2Fc/d"),
        (
            "$context.domainName $context.domainPrefix $context.protocol",
            "abc.api.example abc HTTP/1.1",
        ),
        (
            "$context.requestTime $context.requestTimeEpoch",
            "04/Mar/2020:19:15:17 +0000 1583349317999",
        ),
        ("#set($t = $context.requestTimeEpoch + 1)$t", "1583349318000"),
        ("$context.identity.sourceIp $context.identity.userAgent", "127.0.0.1 curl"),
        ("$context.identity.caller$context.identity.get('sourceIp')", "127.0.0.1"),
        (
            "$context.get('stage') $context['apiId'] $context.accountId",
            "dev a1b2c3d4e5 123456789012",
        ),
        ("#set($i = $context.identity)$i.keySet() $i", "[sourceIp, userAgent] "),
        (
            "$context.authorizer.principalId$context.authorizer.claims.sub|$context.error.message",
            "|",
        ),
        ("$context.status$context.integrationLatency$context.responseLength", ""),
        ("$input.body$input.json('$')", "{}{}"),
    ] {
        assert_eq!(rendered(template, HEAD).as_deref(), Ok(want), "{template}");
    }
    let keys = rendered("$context.keySet()", HEAD).unwrap();
    for key in ["identity", "requestId", "requestOverride", "responseOverride", "requestTime"] {
        assert!(keys.contains(key), "{key} in {keys}");
    }
}

#[test]
fn many_parameters_are_as_few() {
    let mut query = String::new();
    for number in 0..2_000 {
        query.push_str(&format!("k{}=v{number}&", number * 7 % 1_000));
    }
    query.push_str("k%31=last");
    let head = format!("GET /dev/a/1/2?{query} HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut long = exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let limits =
        crate::http::HeadLimits { url_bytes: 1 << 20, header_bytes: 9_999, header_count: 9 };
    let parsed = long.head.parse(head.as_bytes(), &mut crate::http::HeadScan::default(), &limits);
    assert_eq!(parsed, Ok(true));
    long.head_bytes = crate::gateway::HeadBytes::Owned(head.into_bytes());
    let stage = stage(
        "$input.params().querystring.size() $input.params('k7') $input.params('k1') \
         #foreach($k in $input.params().querystring.keySet())#if($foreach.count < 4)$k #end#end\
         $input.params('k1001')",
    );
    testing::route(&stage, &mut long).unwrap();
    let mut out = Vec::new();
    let context = ContextView::new(&stage, &long);
    let mut overrides = Overrides::default();
    Renderer::default().render(program(&stage), context, b"", &mut overrides, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "1000 v1001 last k0 k7 k14 ");
}

#[test]
fn a_failure_names_template_line_and_column() {
    let error = rendered("a\n  $input.path('$.x[')", HEAD).unwrap_err();
    let GatewayError::Template(why) = &error else { panic!("{error}") };
    assert_eq!((why.line, why.column, &*why.media_type), (2, 3, "text/a"));
    let said = error.to_string();
    assert!(
        said.starts_with(
            "Execution failed due to configuration error: Unable to transform response: template \
             for text/a, line 2, column 3: '$.x[' is no path: "
        ),
        "{said}"
    );
    // The next rendering on the same memory knows nothing of it.
    let (bad, good) =
        (stage("xx#foreach($a in [1..9])$input.path('$[')#end"), stage("$context.stage"));
    let mut renderer = Renderer::default();
    for (stage, want) in [(&good, Some("dev")), (&bad, None), (&good, Some("dev"))] {
        let mut exchange = exchange("GET /dev/a/1/2 HTTP/1.1\r\nHost: h\r\n\r\n");
        testing::route(stage, &mut exchange).unwrap();
        let mut out = Vec::new();
        let context = ContextView::new(stage, &exchange);
        let mut overrides = Overrides::default();
        let result = renderer.render(program(stage), context, b"", &mut overrides, &mut out);
        assert_eq!(result.is_ok().then_some(&*out), want.map(str::as_bytes));
        assert!(want.is_some() || out.is_empty());
    }
}

#[test]
fn failures_are_logged_ten_at_once_and_then_one_a_second() {
    let log = FailureLog::default();
    let at = |seconds: u64| Nanos(seconds * 1_000_000_000);
    let admitted = (0..100).filter(|_| log.admit(at(5)).is_some()).count();
    assert_eq!(admitted, 10);
    assert_eq!(log.admit(at(6)), Some(90));
    assert_eq!(log.admit(at(6)), None);
    assert_eq!(log.admit(at(60)), Some(1));
}

#[test]
fn a_template_of_references_allocates_nothing() {
    let stage = stage(
        "{\"id\":\"$input.params('id')\",\"q\":\"$input.params('q')\",\"ua\":\"$input.params('User-Agent')\",\
         \"r\":\"$context.requestId\",\"ip\":\"$context.identity.sourceIp\",\"s\":\"$stageVariables.color\",\
         \"b\":$input.json('$.a'),\"t\":\"$input.path('$.b')\",\"l\":\"$context.requestTime\"}",
    );
    let mut exchange = exchange(HEAD);
    testing::route(&stage, &mut exchange).unwrap();
    let (mut renderer, mut out) = (Renderer::default(), Vec::new());
    let body = br#"{"a":[1,{"x":"y"}],"b":"text"}"#;
    let count = allocations(|| {
        let context = ContextView::new(&stage, &exchange);
        let mut overrides = Overrides::default();
        renderer.render(program(&stage), context, body, &mut overrides, &mut out).unwrap();
    });
    assert_eq!(count, 0, "{}", String::from_utf8_lossy(&out));
}
