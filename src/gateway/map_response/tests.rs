use super::super::context::testing::{self, Api, answer, exchange};
use super::*;
use crate::deploy::CompiledIntegration;
use crate::model::{ContentHandling, IntegrationResponse, IntegrationType};

/// Status, headers and body that the client gets.
fn got(
    api: &Api,
    request: &str,
    head: &str,
    body: &[u8],
) -> Result<(u16, String, Vec<u8>), GatewayError> {
    let stage = api.stage();
    let mut exchange = exchange(request);
    exchange.trace.extend_from_slice(b"Root=1");
    let method = testing::route(&stage, &mut exchange).unwrap();
    let CompiledIntegration::Http(integration) = &method.integration else { panic!("no HTTP") };
    let (head, head_bytes) = answer(head);
    let mut body = body.to_vec();
    if integration.proxy {
        proxy(&stage, method, integration, &mut exchange, &head, &head_bytes)?;
    } else {
        let selected = select(integration, head.status)?;
        let discards =
            plan(&stage, Some(selected), &exchange, &head, &head_bytes) == AnswerBody::Discard;
        if discards {
            body.clear();
        }
        let body = Some(&mut body);
        let renderer = &mut Renderer::default();
        http(
            &stage,
            method,
            integration,
            selected,
            &mut exchange,
            &head,
            &head_bytes,
            body,
            renderer,
        )?;
    }
    let mut headers = Vec::new();
    exchange.response.headers.encode(&mut headers);
    Ok((exchange.response.status, String::from_utf8(headers).unwrap(), exchange.response.buffer))
}

const GET: &str = "GET /dev HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn http_proxy_passes_the_answer_and_renames_what_is_the_gateways() {
    let api = Api::new().http(IntegrationType::HttpProxy, "GET", "/", "http://b", |_| {});
    let (status, headers, _) = got(
        &api,
        GET,
        "HTTP/1.1 418 Teapot\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nContent-Length: 3\r\n\
         Date: d\r\nServer: s\r\nx-amzn-requestid: r\r\nContent-Type: text/a\r\nSet-Cookie: a\r\n\
         Set-Cookie: b\r\nContent-Encoding: gzip\r\nVia: v\r\nKeep-Alive: 5\r\nTrailer: t\r\n\
         WWW-Authenticate: Basic\r\nX-Amzn-Trace-Id: theirs\r\nx-amz-apigw-id: theirs\r\nx-CaSe: k\r\n\r\n",
        b"abc",
    )
    .unwrap();
    assert_eq!(status, 418);
    assert_eq!(
        headers,
        "x-amzn-Remapped-Connection: keep-alive, X-Hop\r\nx-amzn-Remapped-Content-Length: 3\r\n\
         x-amzn-Remapped-Date: d\r\nx-amzn-Remapped-Server: s\r\nx-amzn-Remapped-x-amzn-RequestId: r\r\n\
         Content-Type: text/a\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Encoding: gzip\r\n\
         x-amzn-Remapped-WWW-Authenticate: Basic\r\nX-Amzn-Trace-Id: theirs\r\nx-CaSe: k\r\n"
    );
    let (_, headers, _) =
        got(&api, GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n", b"")
            .unwrap();
    assert_eq!(headers, "A: b\r\n", "no trace of ours, no framing of theirs");
}

#[test]
fn every_renamed_header_has_its_name() {
    for &known in KnownHeader::ALL {
        if RENAMED.contains(known) {
            assert_eq!(
                remapped(known),
                format!("{}{}", crate::deploy::REMAPPED, known.as_str()).as_bytes()
            );
            assert!(!DROPPED.contains(known));
        }
    }
}

#[test]
fn http_sends_what_the_selected_response_maps() {
    let api = Api::new().http(IntegrationType::Http, "GET", "/", "http://b", |integration| {
        let pairs = [
            ("X-Header", "integration.response.header.X-Backend"),
            ("X-Lower", "integration.response.header.x-backend"),
            ("X-All", "integration.response.multivalueheader.X-Backend"),
            ("X-Json", "integration.response.body.a[0].b"),
            ("X-Static", "'s'"),
            ("X-Context", "context.httpMethod"),
            ("Date", "'mine'"),
            ("WWW-Authenticate", "'Basic'"),
            ("TE", "'t'"),
            ("Transfer-Encoding", "'chunked'"),
        ];
        for response in &mut integration.responses {
            response.response_parameters = pairs
                .iter()
                .map(|(name, source)| {
                    (format!("method.response.header.{name}"), (*source).to_owned())
                })
                .collect();
        }
    });
    let backend = |status: u16| {
        format!(
            "HTTP/1.1 {status} x\r\nX-Backend: 1\r\nX-Backend: 2\r\nContent-Type: text/a\r\n\
             Content-Length: 0\r\n\r\n"
        )
    };
    let json = br#"{"a":[{"b":{"c": 1.0}}]}"#;
    let (status, headers, body) = got(&api, GET, &backend(201), json).unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        headers,
        "X-Header: 2\r\nX-All: 1,2\r\nX-Json: {\"c\":1.0}\r\nX-Static: s\r\nX-Context: GET\r\n\
         x-amzn-Remapped-Date: mine\r\nx-amzn-Remapped-WWW-Authenticate: Basic\r\nTE: t\r\n\
         X-Amzn-Trace-Id: Root=1\r\n"
    );
    assert_eq!(body, json);
    assert_eq!(got(&api, GET, &backend(404), json).unwrap().0, 404);
    assert_eq!(got(&api, GET, &backend(500), b"plain").unwrap().0, 200);
    assert!(matches!(got(&api, GET, &backend(200), b"{"), Err(GatewayError::Configuration(_))));

    let mut only_pattern = api;
    only_pattern = only_pattern.change("GET", "/", |it| it.responses.truncate(1));
    assert_eq!(
        got(&only_pattern, GET, &backend(200), b""),
        Err(GatewayError::NoMatchingResponse { status: 200 })
    );
    only_pattern.method("/", "GET").method_responses.clear();
    assert_eq!(
        got(&only_pattern, GET, &backend(404), b""),
        Err(GatewayError::UndeclaredStatus { status: 404 })
    );
}

#[test]
fn answers_go_through_template_and_content_handling() {
    use ContentHandling::{ConvertToBinary, ConvertToText};
    let png = "image/png";
    let text = "text/plain";
    let bytes = &[0x1f, 0x8b, 8][..];
    let replaced = "\u{1f}\u{fffd}\u{8}".as_bytes();
    let mut api = Api::new().http(IntegrationType::Http, "GET", "/", "http://b", |_| {});
    api.model.binary_media_types = vec![png.to_owned()];
    for (handling, payload, accept, body, want) in [
        (None, text, png, &b"aGk="[..], Some(&b"hi"[..])),
        (None, text, png, bytes, None),
        (None, text, png, b"plain text", None),
        (None, png, png, bytes, Some(bytes)),
        (None, text, text, bytes, Some(replaced)),
        (None, png, text, bytes, Some(b"H4sI")),
        (Some(ConvertToText), text, png, bytes, Some(replaced)),
        (Some(ConvertToText), png, png, bytes, Some(b"H4sI")),
        (Some(ConvertToBinary), text, text, b"aGk=", Some(b"hi")),
        (Some(ConvertToBinary), text, text, b"no base64", None),
        (Some(ConvertToBinary), png, text, bytes, Some(bytes)),
    ] {
        api = api.change("GET", "/", |it| it.responses[1].content_handling = handling);
        let request = format!("GET /dev HTTP/1.1\r\nHost: h\r\nAccept: {accept}\r\n\r\n");
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: {payload}\r\nContent-Length: 0\r\n\r\n");
        let got = got(&api, &request, &head, body).ok().map(|it| it.2);
        assert_eq!(got.as_deref(), want, "{handling:?} {payload} {accept} {body:?}");
    }

    let template = [("application/json", "json"), ("text/xml", "xml"), ("text/empty", "")]
        .map(|(key, text)| (key.to_owned(), text.to_owned()));
    let api = Api::new().http(IntegrationType::Http, "GET", "/", "http://b", |it| {
        it.responses = vec![IntegrationResponse {
            status_code: 200,
            response_templates: template.into(),
            ..Default::default()
        }];
    });
    for (accept, want) in [
        ("text/xml, */*", "xml"),
        ("text/html", "json"),
        ("*/*", "json"),
        ("text/empty", "backend"),
    ] {
        let request = format!("GET /dev HTTP/1.1\r\nHost: h\r\nAccept: {accept}\r\n\r\n");
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(got(&api, &request, head, b"backend").unwrap().2, want.as_bytes(), "{accept}");
    }
    let mut binary = api;
    binary.model.binary_media_types = vec!["*/*".to_owned()];
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(got(&binary, GET, head, b"x"), Err(content::BYTES_IN_TEMPLATE));
}

#[test]
fn a_template_makes_the_answer_of_the_integrations() {
    let api = |template: &str| {
        Api::new().http(IntegrationType::Http, "GET", "/a/{id}", "http://b", |integration| {
            let response = &mut integration.responses[1];
            response.response_templates =
                [("application/json".to_owned(), template.to_owned())].into();
            response.response_parameters = [
                ("method.response.header.X-A".to_owned(), "'mapped'".to_owned()),
                ("method.response.header.X-B".to_owned(), "integration.response.body.b".to_owned()),
            ]
            .into();
        })
    };
    let get = "GET /dev/a/7 HTTP/1.1\r\nHost: h\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let body = br#"{"b":"v"}"#;
    let answer = |template: &str| got(&api(template), get, head, body);
    assert_eq!(
        answer("$input.path('$.b') of $input.params('id')").unwrap(),
        (200, "X-A: mapped\r\nX-B: v\r\nX-Amzn-Trace-Id: Root=1\r\n".into(), b"v of 7".to_vec())
    );
    let over = "$context.responseOverride";
    let (status, headers, body) = answer(&format!(
        "#set({over}.status = 418)#set({over}.header.x-a = 'o')#set({over}.header.Server = 's')\
         #set({over}.header.Transfer-Encoding = 'chunked')#set({over}.header.X-Amzn-Trace-Id = 't')\
         #set({over}.header.Content-Type = \"text/a\r\nX: y\")ok"
    ))
    .unwrap();
    assert_eq!((status, &*body), (418, &b"ok"[..]));
    assert_eq!(
        headers,
        "X-B: v\r\nx-a: o\r\nx-amzn-Remapped-Server: s\r\nContent-Type: text/a  X: y\r\n\
         X-Amzn-Trace-Id: Root=1\r\n"
    );
    for (value, want) in [
        ("599", 599),
        ("'404'", 404),
        ("600", 200),
        ("99", 200),
        ("101", 200),
        ("-1", 200),
        ("404.5", 200),
        ("'no'", 200),
        ("[404]", 200),
    ] {
        assert_eq!(answer(&format!("#set({over}.status = {value})")).unwrap().0, want, "{value}");
    }
}

#[test]
fn an_answer_of_bytes_goes_through_no_template() {
    for (handling, want) in [
        (None, Ok("<aGk=>")),
        (Some(ContentHandling::ConvertToBinary), Err(content::BYTES_IN_TEMPLATE)),
        (Some(ContentHandling::ConvertToText), Ok("<aGk=>")),
    ] {
        let mut api = Api::new().http(IntegrationType::Http, "GET", "/", "http://b", |it| {
            let response = &mut it.responses[1];
            response.content_handling = handling;
            response.response_templates =
                [("application/json".to_owned(), "<$input.body>".to_owned())].into();
        });
        api.model.binary_media_types = vec!["image/png".into()];
        let head = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 2\r\n\r\n";
        let got = got(&api, GET, head, b"hi").map(|it| String::from_utf8(it.2).unwrap());
        assert_eq!(got, want.map(str::to_owned), "{handling:?}");
    }
}
