use super::super::context::testing::{self, Api, allocations, answer, at_once, exchange};
use super::super::{map_response, route};
use super::*;
use crate::deploy::CompiledIntegration;
use crate::model::{ContentHandling, Integration, IntegrationType};

/// Head and body that the integration gets, or the error of the first step that fails.
fn sent(api: &Api, request: &str) -> Result<(String, Vec<u8>), GatewayError> {
    let stage = api.stage();
    let mut exchange = exchange(request);
    let method = testing::route(&stage, &mut exchange)?;
    let CompiledIntegration::Http(http) = &method.integration else { panic!("no HTTP") };
    let mut plan = plan(&stage, method, http, &exchange)?;
    if plan.body != RequestBody::Stream {
        if !plan.collects_body() {
            exchange.body.clear();
        }
        if let Some(coding) = plan.coding_to_undo() {
            let limit = stage.limits.held_max();
            at_once(content::decompress(&mut exchange.body, coding, limit, async || {}))?;
        }
        body(&stage, method, http, &mut plan, &mut exchange, &mut Renderer::default())?;
    }
    let framing = plan.framing(&exchange);
    let mut out = Vec::new();
    encode_head(&stage, method, http, &plan, &mut exchange, framing, &mut out)?;
    Ok((String::from_utf8(out).unwrap(), exchange.body))
}

fn parameters<const N: usize>(pairs: [(&str, &str); N]) -> impl FnOnce(&mut Integration) {
    let pairs =
        pairs.map(|(target, source)| (format!("integration.request.{target}"), source.to_owned()));
    move |integration| integration.request_parameters = pairs.into()
}

const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

#[test]
fn http_proxy_passes_the_clients_headers_but_for_its_own() {
    let api = Api::new().http(IntegrationType::HttpProxy, "POST", "/p", "http://b:9/x", |_| {});
    let (head, body) = sent(
        &api,
        &format!(
            "POST /dev/p?a=1&a=%20&b HTTP/1.1\r\nHost: gateway.example\r\naccept: application/xml\r\n\
             Accept-Encoding: gzip, deflate\r\nuser-Agent: test/integration\r\nContent-Type: text/a\r\n\
             tEsT-HEADeR: x\r\ntEsT-HEADeR: y\r\nAuthorization: Basic a\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=x\r\nCookie: c=1\r\nRange: r\r\n\
             Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nVia: v\r\n\
             Content-MD5: m\r\nMax-Forwards: 1\r\nProxy-Authenticate: p\r\nServer: s\r\nTrailer: t\r\n\
             Upgrade: u\r\nWWW-Authenticate: w\r\nProxy-Connection: c\r\nProxy-Authorization: p\r\n\
             X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Amzn-Trace-Id: {TRACE}\r\n\
             X-Amzn-Apigateway-Api-Id: forged\r\nContent-Length: 2\r\n\r\nhi"
        ),
    )
    .unwrap();
    let want = format!(
        "POST /x?a=1&a=%20&b HTTP/1.1\r\nHost: b:9\r\naccept: application/xml\r\n\
         Accept-Encoding: gzip, deflate\r\nuser-Agent: test/integration\r\nContent-Type: text/a\r\n\
         tEsT-HEADeR: x\r\ntEsT-HEADeR: y\r\nAuthorization: Basic a\r\nCookie: c=1\r\nRange: r\r\n\
         X-Forwarded-For: 10.0.0.1, 127.0.0.1\r\nX-Forwarded-Port: 0\r\nX-Forwarded-Proto: http\r\n\
         X-Amzn-Apigateway-Api-Id: a1b2c3d4e5\r\nX-Amzn-Trace-Id: {TRACE}\r\n\
         Connection: keep-alive\r\nContent-Length: 2\r\n\r\n"
    );
    assert_eq!(head, want);
    assert_eq!(body, b"hi");
}

#[test]
fn http_sends_nothing_of_the_clients_but_what_is_mapped() {
    let api = Api::new().http(
        IntegrationType::Http,
        "POST",
        "/p/{id}",
        "https://b/items/{item}?fixed=1",
        parameters([
            ("path.item", "method.request.path.id"),
            ("querystring.q", "method.request.querystring.q"),
            ("querystring.none", "method.request.querystring.none"),
            ("querystring.a b", "'x&y z'"),
            ("header.X-Stage", "context.stage"),
            ("header.X-Id", "method.request.body.id"),
            ("header.X-None", "method.request.header.none"),
            ("header.Via", "'dropped'"),
        ]),
    );
    let (head, body) = sent(
        &api,
        &format!(
            "POST /dev/p/a%2Fb?q=1&q=%26+ HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\nX-A: b\r\n\
             X-Amzn-Trace-Id: {TRACE}\r\nContent-Length: 18\r\n\r\n{{\"id\": \"a\\r\\nb:c\"}}"
        ),
    )
    .unwrap();
    let want = format!(
        "POST /items/a%2Fb?fixed=1&q=%26+&a%20b=x%26y%20z HTTP/1.1\r\nHost: b\r\nX-Stage: dev\r\n\
         X-Id: a  b:c\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
         User-Agent: AmazonAPIGateway_a1b2c3d4e5\r\nX-Amzn-Apigateway-Api-Id: a1b2c3d4e5\r\n\
         X-Amzn-Trace-Id: {TRACE}\r\nConnection: keep-alive\r\nContent-Length: 18\r\n\r\n"
    );
    assert_eq!(head, want);
    assert_eq!(body, b"{\"id\": \"a\\r\\nb:c\"}");
}

#[test]
fn mapped_headers_replace_the_clients_and_mapped_queries_follow_it() {
    let api = Api::new().http(
        IntegrationType::HttpProxy,
        "GET",
        "/{map+}",
        "http://b/status/{map}/",
        parameters([
            ("path.map", "method.request.path.map"),
            ("querystring.testQs", "'foo'"),
            ("querystring.all", "method.request.multivaluequerystring.m"),
            ("header.Host", "'mapped.example'"),
            ("header.user-agent", "'mine'"),
            ("header.X-Custom", "'new'"),
            ("header.X-Kept", "method.request.header.missing"),
            ("header.X-Forwarded-For", "'nobody'"),
            ("header.X-Joined", "method.request.multivalueheader.x-custom"),
        ]),
    );
    let (head, _) = sent(
        &api,
        &format!(
            "GET /dev/a//b/?testQs=bar&m=1&m=2 HTTP/1.1\r\nHost: h\r\nUser-Agent: curl\r\n\
             x-custom: old\r\nx-custom: older\r\nX-Kept: kept\r\nX-Amzn-Trace-Id: {TRACE}\r\n\r\n"
        ),
    )
    .unwrap();
    let want = format!(
        "GET /status/a//b/?testQs=bar&m=1&m=2&testQs=foo&all=1&all=2 HTTP/1.1\r\n\
         Host: mapped.example\r\nuser-agent: mine\r\nX-Custom: new\r\nX-Forwarded-For: nobody\r\n\
         X-Joined: old,older\r\nX-Kept: kept\r\nX-Forwarded-Port: 0\r\nX-Forwarded-Proto: http\r\n\
         Accept: application/json\r\nX-Amzn-Apigateway-Api-Id: a1b2c3d4e5\r\n\
         X-Amzn-Trace-Id: {TRACE}\r\nConnection: keep-alive\r\n\r\n"
    );
    assert_eq!(head, want);
}

#[test]
fn headers_of_the_gateway_cannot_be_mapped() {
    for name in
        ["Content-Length", "transfer-encoding", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id"]
    {
        let api = |source| {
            let target = format!("header.{name}");
            let change = parameters([(target.as_str(), source)]);
            Api::new().http(IntegrationType::HttpProxy, "GET", "/", "http://b", change)
        };
        let get = "GET /dev HTTP/1.1\r\nHost: h\r\n\r\n";
        let name = name.to_owned();
        assert_eq!(sent(&api("'1'"), get), Err(GatewayError::HeaderAlreadyPresent { name }));
        assert!(sent(&api("method.request.header.none"), get).is_ok(), "nothing was set");
    }
}

#[test]
fn mapped_values_in_the_path_are_escaped() {
    for (source, request, want) in [
        ("method.request.path.id", "/dev/a%20b%2F?x", "/x/a%20b%2F"),
        ("method.request.querystring.q", "/dev/i?q=a%2Fb%20c%3Fd%25", "/x/a/b%20c%3Fd%"),
        ("'\u{e9} #'", "/dev/i", "/x/%C3%A9%20%23"),
        ("method.request.header.none", "/dev/i", "/x/"),
    ] {
        let api = Api::new().http(
            IntegrationType::Http,
            "GET",
            "/{id}",
            "http://b/x/{p}",
            parameters([("path.p", source)]),
        );
        let (head, _) = sent(&api, &format!("GET {request} HTTP/1.1\r\nHost: h\r\n\r\n")).unwrap();
        assert_eq!(head.split(' ').nth(1), Some(want), "{source}");
    }
}

#[test]
fn the_bodys_framing_follows_method_and_body() {
    use IntegrationType::{Http, HttpProxy};
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (kind, method, headers, want) in [
        (HttpProxy, "GET", "", ""),
        (HttpProxy, "GET", "Content-Length: 2\r\n", "Content-Length: 2\r\n"),
        (HttpProxy, "POST", "", "Content-Length: 0\r\n"),
        (HttpProxy, "POST", "Content-Length: 0\r\n", "Content-Length: 0\r\n"),
        (HttpProxy, "POST", chunked, chunked),
        (HttpProxy, "DELETE", "", ""),
        (Http, "GET", "Content-Length: 2\r\n", ""),
        (Http, "POST", "", "Content-Length: 0\r\n"),
        (Http, "POST", "Content-Length: 2\r\n", "Content-Length: 2\r\n"),
        (Http, "POST", chunked, "Content-Length: 2\r\n"), // collected, as text
        (Http, "DELETE", "Content-Length: 2\r\n", "Content-Length: 2\r\n"),
    ] {
        let api = Api::new().http(kind, method, "/", "http://b", |_| {});
        let body = if headers.contains('2') || headers == chunked { "hi" } else { "" };
        let request = format!("{method} /dev HTTP/1.1\r\nHost: h\r\n{headers}\r\n{body}");
        let (head, _) = sent(&api, &request).unwrap();
        let (_, framing) = head.split_once("Connection: keep-alive\r\n").unwrap();
        assert_eq!(framing, format!("{want}\r\n"), "{kind:?} {method} {headers}");
    }
}

#[test]
fn bodies_go_through_template_and_content_handling() {
    use ContentHandling::{ConvertToBinary, ConvertToText};
    use PassthroughBehavior as P;
    let config = |why| Err(GatewayError::Configuration(why));
    let unsupported = Err(GatewayError::UnsupportedMediaType);
    let no_base64 = config("Unable to base64 decode the body");
    let bytes = config("Unable to transform the body: a template takes no binary payload");
    let png = "image/png";
    let json = "application/json";
    for (template, passthrough, handling, content_type, body, want) in [
        (None, P::WhenNoMatch, None, json, "a", Ok("a")),
        (None, P::WhenNoTemplates, None, json, "a", Ok("a")),
        (None, P::Never, None, json, "a", unsupported.clone()),
        (Some(json), P::WhenNoMatch, None, json, "a", Ok("literal")),
        (Some(json), P::Never, None, "", "a", Ok("literal")), // no Content-Type counts as JSON
        (Some(json), P::Never, None, "Application/JSON;charset=x", "a", Ok("literal")),
        (Some(json), P::WhenNoMatch, None, "text/plain", "a", Ok("a")),
        (Some(json), P::WhenNoTemplates, None, "text/plain", "a", unsupported.clone()),
        (Some("$default"), P::Never, None, "text/plain", "a", Ok("literal")),
        (Some(json), P::WhenNoMatch, None, json, "", Ok("literal")),
        (None, P::WhenNoMatch, Some(ConvertToBinary), json, "YWI=", Ok("ab")),
        (None, P::WhenNoMatch, Some(ConvertToBinary), json, "no base64", no_base64),
        (Some(json), P::WhenNoMatch, Some(ConvertToBinary), json, "YWI=", bytes.clone()),
        (Some(json), P::WhenNoMatch, Some(ConvertToBinary), "text/a", "YWI=", Ok("ab")),
        (None, P::WhenNoMatch, None, png, "ab", Ok("ab")),
        (None, P::WhenNoMatch, Some(ConvertToBinary), png, "ab", Ok("ab")),
        (None, P::WhenNoMatch, Some(ConvertToText), png, "ab", Ok("YWI=")),
        (Some(png), P::WhenNoMatch, Some(ConvertToText), png, "ab", Ok("literal")),
        (Some(png), P::WhenNoMatch, None, png, "ab", bytes),
    ] {
        let mut api = Api::new().http(IntegrationType::Http, "POST", "/", "http://b", |it| {
            it.passthrough_behavior = passthrough;
            it.content_handling = handling;
            if let Some(key) = template {
                it.request_templates.insert(key.to_owned(), "literal".to_owned());
            }
        });
        api.model.binary_media_types = vec![png.to_owned()];
        let content_type = match content_type {
            "" => String::new(),
            text => format!("Content-Type: {text}\r\n"),
        };
        let length = body.len();
        let request = format!(
            "POST /dev HTTP/1.1\r\nHost: h\r\n{content_type}Content-Length: {length}\r\n\r\n{body}"
        );
        let got = sent(&api, &request).map(|(_, body)| String::from_utf8(body).unwrap());
        assert_eq!(
            got,
            want.map(str::to_owned),
            "{template:?} {passthrough:?} {handling:?} {request}"
        );
    }
}

#[test]
fn the_clients_coding_is_undone_or_refused() {
    let api = Api::new().http(IntegrationType::HttpProxy, "POST", "/", "http://b", |_| {});
    for (headers, want) in [
        ("Content-Encoding: br\r\nContent-Length: 2\r\n", Err(GatewayError::UnsupportedMediaType)),
        (
            "Content-Encoding: gzip\r\nContent-Length: 2\r\n",
            Err(GatewayError::UnsupportedMediaType),
        ),
        ("Content-Encoding: br\r\n", Ok("")),
        ("Content-Encoding: identity\r\nContent-Length: 2\r\n", Ok("hi")),
    ] {
        let body = if headers.contains("Length") { "hi" } else { "" };
        let request = format!("POST /dev HTTP/1.1\r\nHost: h\r\n{headers}\r\n{body}");
        let got = sent(&api, &request);
        assert_eq!(got.as_ref().map(|(_, body)| &body[..]), want.as_ref().map(|it| it.as_bytes()));
        assert!(got.is_err() || !got.unwrap().0.contains("Content-Encoding"));
    }
}

#[test]
fn a_missing_stage_variable_is_an_invalid_endpoint_and_the_clients_method_is_passed() {
    let mut api = Api::new().http(
        IntegrationType::HttpProxy,
        "ANY",
        "/",
        "http://${stageVariables.host}/${stageVariables.unset}",
        |_| {},
    );
    let request = "POST /dev HTTP/1.1\r\nHost: h\r\nX-HTTP-Method-Override: PUT\r\n\r\n";
    assert_eq!(sent(&api, request), Err(GatewayError::InvalidEndpointAddress));
    api.settings.variables.insert("host".into(), "b".into());
    assert!(sent(&api, request).unwrap().0.starts_with("PUT / HTTP/1.1\r\nHost: b\r\n"));
    let broken = Api::new().http(
        IntegrationType::HttpProxy,
        "POST",
        "/",
        "http://b",
        parameters([("header.X", "method.request.body.a")]),
    );
    let request = "POST /dev HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n{";
    assert_eq!(sent(&broken, request), Err(GatewayError::InvalidJsonBody));
}

#[test]
fn escaping_in_place_agrees_with_the_library() {
    proptest::proptest!(|(text in "\\PC{0,20}", before in "[a-z]{0,5}")| {
        for set in [uri::PATH, uri::COMPONENT] {
            let mut out = [before.as_bytes(), text.as_bytes()].concat();
            escape(&mut out, before.len(), set);
            let want = format!("{before}{}", percent_encoding::utf8_percent_encode(&text, set));
            proptest::prop_assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    });
}

#[test]
fn mapping_a_proxied_request_and_its_answer_allocates_nothing() {
    let api = Api::new().http(
        IntegrationType::HttpProxy,
        "GET",
        "/{proxy+}",
        "http://b/{proxy}",
        parameters([
            ("path.proxy", "method.request.path.proxy"),
            ("querystring.q", "method.request.header.user-agent"),
            ("header.X-Id", "context.requestId"),
        ]),
    );
    let stage = api.stage();
    let mut exchange =
        exchange("GET /dev/a/b?c=d HTTP/1.1\r\nHost: h\r\nUser-Agent: a b\r\nX-A: b\r\n\r\n");
    let (head, head_bytes) =
        answer("HTTP/1.1 200 OK\r\nServer: s\r\nX-B: c\r\nContent-Length: 5\r\n\r\n");
    let mut out = Vec::new();
    testing::route(&stage, &mut exchange).unwrap();
    let count = allocations(|| {
        out.clear();
        exchange.trace.clear();
        exchange.response.headers.clear();
        let method = route::find(&stage, &mut exchange).unwrap();
        let CompiledIntegration::Http(http) = &method.integration else { panic!() };
        let plan = plan(&stage, method, http, &exchange).unwrap();
        let framing = plan.framing(&exchange);
        encode_head(&stage, method, http, &plan, &mut exchange, framing, &mut out).unwrap();
        map_response::proxy(&stage, method, http, &mut exchange, &head, &head_bytes).unwrap();
    });
    assert_eq!(count, 0);
    assert!(out.starts_with(b"GET /a/b?c=d&q=a%20b HTTP/1.1\r\n"));
}

fn templated(template: &str) -> impl FnOnce(&mut Integration) {
    let template = [("application/json".to_owned(), template.to_owned())];
    move |integration| integration.request_templates = template.into()
}

#[test]
fn a_template_makes_the_body_of_the_clients() {
    let post = |template: &str, method: &str| {
        Api::new().http(IntegrationType::Http, method, "/a/{id}", "http://b", templated(template))
    };
    let request = |method: &str, body: &str| {
        format!(
            "{method} /dev/a/x%20y?q=1&q=a+b HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let template = "{\"n\":$input.json('$.n'),\"id\":\"$input.params('id')\",\"q\":\"$input.params().querystring.q\"}";
    for (method, body, want) in [
        ("POST", r#"{"n":[1]}"#, r#"{"n":[1],"id":"x y","q":"a b"}"#),
        ("POST", "", r#"{"n":"","id":"x y","q":"a b"}"#),
        ("GET", "", ""),
    ] {
        let (head, got) = sent(&post(template, method), &request(method, body)).unwrap();
        assert_eq!(String::from_utf8(got).unwrap(), want, "{method} {body}");
        let length = format!("Content-Length: {}\r\n", want.len());
        assert_eq!(head.contains(&length), method == "POST", "{head}");
    }
    let fails = post("{\n  $input.path('$.a[')\n}", "POST");
    let Err(GatewayError::Template(why)) = sent(&fails, &request("POST", "{}")) else { panic!() };
    assert_eq!((why.line, why.column, &*why.media_type), (2, 3, "application/json"), "{why}");
}

#[test]
fn overrides_take_the_place_of_what_is_mapped() {
    let api = |template: &str| {
        Api::new().http(
            IntegrationType::Http,
            "POST",
            "/a/{id}",
            "http://b/x/{id}/{other}?z={id}",
            |integration| {
                integration.request_parameters = [
                    ("integration.request.path.id", "method.request.path.id"),
                    ("integration.request.querystring.q", "'mapped'"),
                    ("integration.request.querystring.r", "'kept'"),
                    ("integration.request.header.X-A", "'mapped'"),
                    ("integration.request.header.X-B", "'kept'"),
                ]
                .map(|(target, source)| (target.to_owned(), source.to_owned()))
                .into();
                templated(template)(integration);
            },
        )
    };
    let request = "POST /dev/a/7 HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
                   Content-Length: 2\r\n\r\n{}";
    let line = |template: &str| {
        let (head, _) = sent(&api(template), request).unwrap();
        head.lines().next().unwrap().to_owned()
    };
    let header = "$context.requestOverride.header";
    assert_eq!(line("{}"), "POST /x/7/%7Bother%7D?z=7&q=mapped&r=kept HTTP/1.1");
    assert_eq!(line("#set($x = $context.requestOverride)"), line("{}"));
    assert_eq!(
        line(
            "#set($context.requestOverride.path.id = 'a b/c')\
             #set($context.requestOverride.path.other = 8)\
             #set($context.requestOverride.querystring.q = ['1', 2])\
             #set($context.requestOverride.querystring['n&'] = true)"
        ),
        "POST /x/a%20b/c/8?z=a%20b%2Fc&r=kept&q=1&q=2&n%26=true HTTP/1.1"
    );
    let (head, body) = sent(
        &api(&format!(
            "#set({header}.x-a = ['v', 'w'])#set({header}.Content-Type = 'text/a')\
             #set({header}.host = 'other')#set({header}.TE = 'x')#set({header}.X-L = \"a\nb\")ok"
        )),
        request,
    )
    .unwrap();
    assert_eq!(body, b"ok");
    for line in [
        "x-a: v,w\r\n",
        "X-B: kept\r\n",
        "Content-Type: text/a\r\n",
        "host: other\r\n",
        "X-L: a b\r\n",
    ] {
        assert_eq!(head.matches(line).count(), 1, "{line} in {head}");
    }
    for line in ["mapped\r\n", "Content-Type: application/json", "Host: b", "TE: x"] {
        assert!(!head.contains(line), "{line} in {head}");
    }
    for (template, error) in [
        (
            format!("#set({header}.Content-Length = 9)"),
            GatewayError::HeaderAlreadyPresent { name: "Content-Length".into() },
        ),
        (
            format!("#set({header}.X-A = 1)#set({header}.x-a = 2)"),
            GatewayError::Configuration("a template overrides a header twice"),
        ),
        (
            format!("#set({header}['a b'] = 1)"),
            GatewayError::Configuration("a template overrides a header whose name is none"),
        ),
    ] {
        assert_eq!(sent(&api(&template), request).unwrap_err(), error, "{template}");
    }
}

#[test]
fn a_template_takes_no_bytes() {
    for (handling, binary, want) in [
        (None, false, Ok("<hi>")),
        (None, true, Err(content::BYTES_IN_TEMPLATE)),
        (Some(ContentHandling::ConvertToBinary), false, Err(content::BYTES_IN_TEMPLATE)),
        (Some(ContentHandling::ConvertToText), true, Ok("<aGk=>")),
    ] {
        let mut api = Api::new().http(IntegrationType::Http, "POST", "/", "http://b", |it| {
            it.content_handling = handling;
            templated("<$input.body>")(it);
        });
        if binary {
            api.model.binary_media_types = vec!["application/json".into()];
        }
        let request = "POST /dev HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
                       Content-Length: 2\r\n\r\nhi";
        let got = sent(&api, request).map(|(_, body)| String::from_utf8(body).unwrap());
        assert_eq!(got, want.map(str::to_owned), "{handling:?} {binary}");
    }
}

#[test]
fn a_body_on_the_tape_is_parsed_for_nobody_again() {
    let api = Api::new().http(IntegrationType::Http, "POST", "/p", "http://b/", |it| {
        it.request_parameters =
            [("integration.request.header.X-B".to_owned(), "method.request.body.a.b".to_owned())]
                .into();
        let template = "$input.json('$.a') $input.path('$.a.b')";
        it.request_templates = [("application/json".to_owned(), template.to_owned())].into();
    });
    let stage = api.stage();
    let request = "POST /dev/p HTTP/1.1\r\nHost: h\r\nContent-Length: 13\r\n\r\n{\"a\":{\"b\":1}}";
    let mapped = |parse: bool, spoil: bool| {
        let mut exchange = exchange(request);
        let method = testing::route(&stage, &mut exchange).unwrap();
        let CompiledIntegration::Http(http) = &method.integration else { panic!("no HTTP") };
        let mut renderer = Renderer::default();
        exchange.body_is_taken = true;
        if parse {
            exchange.parsed = renderer.parse_json(&exchange.body);
        }
        if spoil {
            // Now it is no JSON, but for who has parsed it before.
            *exchange.body.last_mut().unwrap() = b' ';
        }
        let mut plan = plan(&stage, method, http, &exchange).unwrap();
        assert_eq!((plan.body, plan.coding_to_undo()), (RequestBody::Collect, None));
        body(&stage, method, http, &mut plan, &mut exchange, &mut renderer)?;
        assert!(!renderer.has(exchange.parsed), "the body is another one now");
        let framing = plan.framing(&exchange);
        let mut head = Vec::new();
        encode_head(&stage, method, http, &plan, &mut exchange, framing, &mut head).unwrap();
        assert!(String::from_utf8(head).unwrap().contains("\r\nX-B: 1\r\n"));
        Ok(String::from_utf8(exchange.body).unwrap())
    };
    let want = Ok("{\"b\":1} 1".to_owned());
    assert_eq!(mapped(false, false), want);
    assert_eq!(mapped(true, false), want);
    assert_eq!(mapped(true, true), want);
    assert_eq!(mapped(false, true), Err(GatewayError::InvalidJsonBody));
}

#[test]
fn a_body_that_was_taken_is_sent_with_its_length_and_without_its_coding() {
    let api = Api::new().http(IntegrationType::HttpProxy, "POST", "/p", "http://b/x", |_| {});
    let stage = api.stage();
    for framing in ["Content-Length: 99", "Transfer-Encoding: chunked"] {
        let mut exchange = exchange(&format!(
            "POST /dev/p HTTP/1.1\r\nHost: h\r\n{framing}\r\nContent-Encoding: gzip\r\n\r\n"
        ));
        let method = testing::route(&stage, &mut exchange).unwrap();
        let CompiledIntegration::Http(http) = &method.integration else { panic!("no HTTP") };
        exchange.body = b"{}".to_vec();
        exchange.body_is_taken = true;
        let mut plan = plan(&stage, method, http, &exchange).unwrap();
        body(&stage, method, http, &mut plan, &mut exchange, &mut Renderer::default()).unwrap();
        assert_eq!(plan.framing(&exchange), UpstreamFraming::Length(2));
        assert_eq!(exchange.body, b"{}");
        let mut head = Vec::new();
        let framing = plan.framing(&exchange);
        encode_head(&stage, method, http, &plan, &mut exchange, framing, &mut head).unwrap();
        let head = String::from_utf8(head).unwrap();
        assert!(!head.contains("Encoding") && head.contains("\r\nContent-Length: 2\r\n"), "{head}");
    }
}
