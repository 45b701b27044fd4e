//! What a stage's settings do to requests, and who may change them.

use std::time::{SystemTime, UNIX_EPOCH};

use ringway::auth::sigv4::{self, Payload};
use ringway::auth::{Credential, Secret};
use ringway::time::WallMillis;
use serde_json::{Value, json};

use crate::support::plane::get_at;
use crate::support::servers::Nginx;
use crate::support::{Client, Definition, Folder, Peer, PlaneOptions, Serve, wait_for};

#[test]
fn a_stages_variables_choose_its_backend() {
    let answer = |text: &'static str| {
        Peer::start(move |mut connection| {
            while let Some(request) = connection.request() {
                let body = format!("{text} {}", request.target);
                let length = body.len();
                connection
                    .sends(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"));
            }
        })
    };
    let (red, blue) = (answer("red"), answer("blue"));
    let gateway = Serve::new();
    let mut admin = gateway.api();
    let uri = "http://${stageVariables.backend}/${stageVariables.base}/{id}";
    let api = admin.imports(&Definition::new().proxy("GET", "/pets/{id}", uri));
    let backend = |peer: &Peer| peer.address.to_string();
    let variables = |peer: &Peer| json!({"variables": {"backend": backend(peer), "base": "a/b"}});
    let deployment = admin.deploys(&api, "red", variables(&red));
    let mut members = variables(&blue);
    members["stageName"] = "blue".into();
    members["deploymentId"] = deployment.into();
    admin.does("POST", &format!("/restapis/{api}/stages"), members);
    let mut client = gateway.client();
    let mut say =
        |stage: &str| client.asks(get_at(&api, &format!("/{stage}/pets/7"))).text().to_owned();
    assert_eq!(say("red"), "red /a/b/7");
    assert_eq!(say("blue"), "blue /a/b/7");
    admin.patches_stage(
        &api,
        "red",
        &[("replace", "/variables/backend", &backend(&blue)), ("replace", "/variables/base", "c")],
    );
    assert_eq!(say("red"), "blue /c/7");
    assert_eq!(say("blue"), "blue /a/b/7");
}

#[test]
fn a_stages_methods_have_their_own_throttles() {
    let gateway = Serve::new();
    let mut admin = gateway.api();
    let document = Definition::new()
        .mock("GET", "/dear", 200, "dear")
        .mock("POST", "/dear", 200, "posted")
        .mock("GET", "/free", 200, "free");
    let api = admin.imports(&document);
    admin.deploys(&api, "v1", Value::Null);
    // One request every 1 000 s: nothing refills while this runs.
    admin.patches_stage(
        &api,
        "v1",
        &[
            ("replace", "/*/*/throttling/rateLimit", "0.001"),
            ("replace", "/*/*/throttling/burstLimit", "20"),
            ("replace", "/~1dear/GET/throttling/rateLimit", "0.001"),
            ("replace", "/~1dear/GET/throttling/burstLimit", "3"),
        ],
    );
    let mut client = gateway.client();
    let mut admitted = |request: &str, count: usize| {
        let statuses: Vec<u16> = (0..count).map(|_| client.asks(request).status).collect();
        assert!(statuses.iter().all(|status| matches!(status, 200 | 429)), "{statuses:?}");
        statuses.iter().filter(|&&status| status == 200).count()
    };
    let dear = get_at(&api, "/v1/dear");
    assert_eq!(admitted(&dear, 10), 3);
    assert!(admitted(&get_at(&api, "/v1/free"), 30) >= 17);
    // Another setting of the stage leaves spent buckets as they are.
    admin.patches_stage(&api, "v1", &[("replace", "/variables/x", "1")]);
    assert_eq!(admitted(&dear, 3), 0);
    // Its own entry is gone: `*/*` counts for it, which is spent as well.
    admin.patches_stage(&api, "v1", &[("remove", "/*/*", ""), ("remove", "/~1dear/GET", "")]);
    assert_eq!(admitted(&dear, 10), 10);
}

#[test]
fn stages_log_in_their_own_formats() {
    let folder = Folder::new();
    let log = folder.file("access.log");
    let options = PlaneOptions::new()
        .flag("--access-log", &log.display().to_string())
        .flag("--access-log-format", "default $context.stage $context.requestId");
    let gateway = options.start();
    let mut admin = gateway.api();
    let api = admin.imports(&Definition::new().mock("GET", "/a", 200, "a"));
    for stage in ["plain", "own"] {
        admin.deploys(&api, stage, Value::Null);
    }
    let format = "own $context.apiId $context.stage $context.status $context.requestId";
    admin.patches_stage(&api, "own", &[("replace", "/accessLogSettings/format", format)]);
    let mut client = gateway.client();
    for stage in ["plain", "own", "plain"] {
        assert_eq!(client.asks(get_at(&api, &format!("/{stage}/a"))).status, 200);
    }
    let lines = wait_for("three lines", || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        (text.lines().count() == 3).then_some(text)
    });
    let begins: Vec<String> = lines
        .lines()
        .map(|line| line.rsplit_once(' ').expect("a request id at the end").0.to_owned())
        .collect();
    let own = format!("own {api} own 200");
    assert_eq!(begins, ["default plain", &own, "default plain"]);
    // A format that is none is refused, and nothing has changed.
    let path = format!("/restapis/{api}/stages/own");
    let patch = crate::support::plane::patches(&[(
        "replace",
        "/accessLogSettings/format",
        "$context.nothingOfTheKind",
    )]);
    let (status, message) = admin.refuses("PATCH", &path, patch);
    assert_eq!(status, 400, "{message}");
    assert_eq!(admin.gets(&path)["accessLogSettings"]["format"], format);
}

/// An nginx that answers whom a client certificate names, if it shows the one in `client.pem`; and the
/// file of the authority that has signed its own.
fn nginx_that_asks(folder: &Folder, client_pem: &str) -> (Nginx, String) {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().expect("a key");
    let authority_pem = authority.self_signed(&authority_key).expect("a certificate").pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .and_then(|parameters| parameters.signed_by(&key, &issuer))
        .expect("a certificate");
    let files = [
        ("server.pem", certificate.pem()),
        ("server.key", key.serialize_pem()),
        ("client.pem", client_pem.to_owned()),
        ("ca.pem", authority_pem),
    ];
    let [server, key, client, authority] =
        files.map(|(name, text)| folder.write(name, &text).display().to_string());
    let nginx = Nginx::start(
        "ssl",
        &format!(
            r#"ssl_certificate {server};
               ssl_certificate_key {key};
               ssl_client_certificate {client};
               ssl_verify_client optional;
               location / {{ return 200 "$ssl_client_verify $ssl_client_s_dn"; }}"#
        ),
    );
    (nginx, authority)
}

#[test]
fn a_stage_shows_its_client_certificate_to_backends_that_ask() {
    // The certificate has to be there before nginx, and the gateway with nginx's authority after it.
    let options = PlaneOptions::new();
    let gateway = options.start();
    let mut admin = gateway.api();
    let made = admin.does("POST", "/clientcertificates", json!({"description": "for nginx"}));
    let id = made["clientCertificateId"].as_str().expect("an id").to_owned();
    let pem = made["pemEncodedCertificate"].as_str().expect("a certificate").to_owned();
    let other = admin.does("POST", "/clientcertificates", json!({}));
    let other = other["clientCertificateId"].as_str().expect("an id").to_owned();
    drop(gateway);
    let (nginx, authority) = nginx_that_asks(options.folder(), &pem);
    let options = options.flag("--ca-file", &authority);
    let gateway = options.start();
    let mut admin = gateway.api();
    let uri = format!("https://localhost:{}/", nginx.address.port());
    let api = admin.imports(&Definition::new().proxy("GET", "/a", &uri));
    for stage in ["plain", "known", "other"] {
        admin.deploys(&api, stage, Value::Null);
    }
    let ask = |gateway: &Serve, stage: &str| {
        let answer = gateway.client().asks(get_at(&api, &format!("/{stage}/a")));
        (answer.status, answer.text().to_owned())
    };
    assert_eq!(ask(&gateway, "known"), (200, "NONE ".to_owned()));
    admin.patches_stage(&api, "known", &[("replace", "/clientCertificateId", &id)]);
    admin.patches_stage(&api, "other", &[("replace", "/clientCertificateId", &other)]);
    let shows = |gateway: &Serve| {
        let (status, text) = ask(gateway, "known");
        assert!(status == 200 && text.starts_with("SUCCESS "), "{status} {text}");
        assert_eq!(ask(gateway, "plain"), (200, "NONE ".to_owned()));
        // nginx refuses what it does not know.
        let (status, text) = ask(gateway, "other");
        assert!(status == 400 || text.starts_with("FAILED"), "{status} {text}");
    };
    shows(&gateway);
    // A certificate that a stage has is not deleted, as little as one that is not there is set.
    let path = format!("/restapis/{api}/stages/plain");
    let patch = crate::support::plane::patches(&[("replace", "/clientCertificateId", "zzzzzz")]);
    let (status, message) = admin.refuses("PATCH", &path, patch);
    assert!((400..500).contains(&status), "{status} {message}");
    let gateway = gateway.restart();
    shows(&gateway);
    admin = gateway.api();
    admin.patches_stage(&api, "known", &[("remove", "/clientCertificateId", "")]);
    assert_eq!(ask(&gateway, "known"), (200, "NONE ".to_owned()));
}

#[test]
fn tags_are_kept_with_stages_and_apis() {
    let gateway = Serve::new();
    let mut admin = gateway.api();
    let api = admin.imports(&Definition::new().mock("GET", "/a", 200, "a"));
    admin.deploys(&api, "v1", Value::Null);
    let arns = [
        format!("arn:aws:apigateway:us-east-1::/restapis/{api}"),
        format!("arn:aws:apigateway:us-east-1::/restapis/{api}/stages/v1"),
    ];
    let path = |arn: &str| format!("/tags/{}", arn.replace(':', "%3A").replace('/', "%2F"));
    for arn in &arns {
        admin.does("PUT", &path(arn), json!({"tags": {"team": "pets", "cost": "7"}}));
        admin.does("DELETE", &format!("{}?tagKeys=cost", path(arn)), Value::Null);
    }
    let gateway = gateway.restart();
    let mut admin = gateway.api();
    for arn in &arns {
        assert_eq!(admin.gets(&path(arn))["tags"], json!({"team": "pets"}), "{arn}");
    }
    let stage = admin.gets(&format!("/restapis/{api}/stages/v1"));
    assert_eq!(stage["tags"], json!({"team": "pets"}));
}

/// A call signed by `credential`.
fn signed(
    credential: &Credential,
    method: &str,
    path: &str,
    body: &str,
    now: WallMillis,
) -> String {
    let headers = [("Host", "admin"), ("Content-Type", "application/json")];
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    let request = sigv4::Request::new(
        method,
        bare.as_bytes(),
        query.as_bytes(),
        headers,
        Payload::Bytes(body.as_bytes()),
    );
    let added = sigv4::sign(credential, "us-east-1", "apigateway", &request, now);
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in headers.into_iter().chain(added.iter().map(|(n, v)| (*n, v.as_str()))) {
        text += &format!("{name}: {value}\r\n");
    }
    text + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

fn now() -> WallMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    WallMillis(since.as_millis().try_into().expect("before the year 500 million"))
}

#[test]
fn who_signs_with_a_known_key_may_call() {
    let options = PlaneOptions::new().flag("--admin-auth", "sigv4");
    let gateway = options.start();
    // The first start makes a key, and says it once.
    let printed = gateway.printed();
    let value = |name: &str| {
        let rest = printed.split(&format!("{name}=")).nth(1);
        let word = rest.and_then(|rest| rest.split_whitespace().next());
        word.unwrap_or_else(|| panic!("no {name} in {printed}")).to_owned()
    };
    let secret = value("AWS_SECRET_ACCESS_KEY");
    let known = Credential::new(value("AWS_ACCESS_KEY_ID"), Secret::new(secret.as_str()));
    let wrong = Credential::new(known.access_key_id.clone(), Secret::new("wrong"));
    let unknown = Credential::new("AKIAUNKNOWN000000000", Secret::new(secret.as_str()));
    let mut client = Client::connect(gateway.admin);
    let members = r#"{"name": "signed"}"#;
    let create =
        |credential: &Credential, now| signed(credential, "POST", "/restapis", members, now);
    let six_minutes = 6 * 60 * 1_000;
    let early = WallMillis(now().0 - six_minutes);
    let late = WallMillis(now().0 + six_minutes);
    let tampered = create(&known, now()).replace("signed\"", "forged\"");
    for (request, case) in [
        (crate::support::Admin::request("POST", "/restapis", members), "not signed"),
        (create(&wrong, now()), "with another secret"),
        (create(&unknown, now()), "with a key that nobody has"),
        (create(&known, early), "six minutes ago"),
        (create(&known, late), "in six minutes"),
        (tampered, "and changed afterwards"),
    ] {
        let answer = client.asks(request);
        assert_eq!(answer.status, 403, "{case}: {}", answer.text());
        assert!(answer.header("x-amzn-ErrorType").is_some(), "{case}: {answer:?}");
    }
    let list = |credential: &Credential| {
        let request = signed(credential, "GET", "/restapis?limit=500", "", now());
        Client::connect(gateway.admin).asks(request)
    };
    let none = list(&known);
    assert_eq!(none.status, 200, "{}", none.text());
    assert!(!none.text().contains("signed") && !none.text().contains("forged"), "{}", none.text());
    assert_eq!(client.asks(create(&known, now())).status, 201);
    assert!(list(&known).text().contains("\"signed\""));
    // Who watches needs no key.
    for path in ["/metrics", "/healthz", "/readyz"] {
        assert_eq!(crate::support::metrics::admin_get(gateway.admin, path).status, 200, "{path}");
    }
    // The key is the same after a restart, and is not printed again.
    let gateway = gateway.restart();
    assert!(!gateway.printed().contains(&secret), "{}", gateway.printed());
    let request = signed(&known, "GET", "/restapis", "", now());
    assert!(Client::connect(gateway.admin).asks(request).text().contains("\"signed\""));
}
