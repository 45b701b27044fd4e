use super::super::context::ContextView;
use super::super::context::testing::{Api, exchange};
use super::*;
use crate::context::ContextVariable;
use crate::deploy::{BasePathMapping, Domain};
use crate::telemetry::Variables;

const A: &str = "aaaaaaaaaa";
const B: &str = "bbbbbbbbbb";

fn mapping(base_path: &str, api_id: &str, stage: Option<&str>) -> BasePathMapping {
    BasePathMapping {
        base_path: base_path.to_owned(),
        api_id: api_id.to_owned(),
        stage: stage.map(str::to_owned),
    }
}

fn domains() -> Arc<DomainTable> {
    let shop = vec![
        mapping("", A, Some("dev")),
        mapping("v1", A, None),
        mapping("v1/orders", B, Some("live")),
        mapping("gone", "cccccccccc", Some("dev")),
        mapping("lost", A, Some("lost")),
    ];
    Arc::new(DomainTable::new([
        Domain { name: "shop.example.com".to_owned(), mappings: shop },
        Domain { name: "*.example.com".to_owned(), mappings: vec![mapping("", B, None)] },
        Domain { name: "bare.example.com".to_owned(), mappings: vec![mapping("x", A, None)] },
    ]))
}

/// Two APIs: `a` with the stages dev and development, `b` with live; and custom domain names.
fn table() -> ApiTable<&'static str> {
    let mut table = ApiTable::default();
    table.serve(A, "dev", "a/dev");
    table.serve(A, "development", "a/development");
    table.serve(B, "live", "b/live");
    table.set_domains(domains());
    table.end_batch();
    table
}

/// What a request comes to: the stage's entry and the path below it, or the error.
fn ask(
    table: &ApiTable<&'static str>,
    memo: &mut HostMemo,
    host: &str,
    path: &str,
) -> Result<(&'static str, String), GatewayError> {
    let mut exchange = exchange(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    match table.find(memo, &mut exchange) {
        Ok(&entry) => {
            let below = exchange.path.of(&exchange.head_bytes);
            Ok((entry, String::from_utf8(below.to_vec()).unwrap()))
        }
        Err(not_found) => Err(not_found.error),
    }
}

const UNKNOWN_API: Result<(&str, &str), GatewayError> = Err(GatewayError::UnknownApi);
const UNKNOWN_STAGE: Result<(&str, &str), GatewayError> = Err(GatewayError::UnknownStage);

type Case = (&'static str, &'static str, Result<(&'static str, &'static str), GatewayError>);

fn cases() -> Vec<Case> {
    let found = |entry, below| Ok((entry, below));
    vec![
        // The API's own host, with any suffix, any port, in any case.
        ("aaaaaaaaaa.execute-api.localhost", "/dev/pets/7?x=1", found("a/dev", "/pets/7")),
        ("aaaaaaaaaa.execute-api.localhost:8080", "/development/x", found("a/development", "/x")),
        ("AAAAAAAAAA.Execute-API.us-east-1.amazonaws.com", "/dev", found("a/dev", "/")),
        ("bbbbbbbbbb.execute-api.x", "//live//pets//7/", found("b/live", "/pets//7/")),
        ("bbbbbbbbbb.execute-api.x", "/dev/pets", UNKNOWN_STAGE),
        ("bbbbbbbbbb.execute-api.x", "/LIVE/pets", UNKNOWN_STAGE),
        ("bbbbbbbbbb.execute-api.x", "/liver/pets", UNKNOWN_STAGE),
        ("bbbbbbbbbb.execute-api.x", "/", UNKNOWN_STAGE),
        ("cccccccccc.execute-api.x", "/dev/pets", UNKNOWN_API),
        ("bbbbbbbbbb.execute-api", "/live/pets", UNKNOWN_API),
        ("x.bbbbbbbbbb.execute-api.x", "/live/pets", UNKNOWN_API),
        (".execute-api.x", "/live/pets", UNKNOWN_API),
        ("bbbbbbbbbb", "/live/pets", UNKNOWN_API),
        // Custom domain names: the longest base path wins, with a stage or without.
        ("shop.example.com", "/pets/7", found("a/dev", "/pets/7")),
        ("Shop.Example.COM:8443", "/", found("a/dev", "/")),
        ("shop.example.com", "//pets", found("a/dev", "/pets")),
        ("shop.example.com", "/v1/dev/pets", found("a/dev", "/pets")),
        ("shop.example.com", "/v1/development", found("a/development", "/")),
        ("shop.example.com", "//v1//dev//pets", found("a/dev", "/pets")),
        ("shop.example.com", "/v1/orders/9", found("b/live", "/9")),
        ("shop.example.com", "/v1/orders", found("b/live", "/")),
        ("shop.example.com", "/v1/orders/", found("b/live", "/")),
        // A base path ends with a segment.
        ("shop.example.com", "/v1/ordersx", UNKNOWN_API),
        ("shop.example.com", "/v1x", found("a/dev", "/v1x")),
        // The mapping that fits has no such stage: no shorter one steps in.
        ("shop.example.com", "/v1", UNKNOWN_API),
        ("shop.example.com", "/v1/pets", UNKNOWN_API),
        ("shop.example.com", "/gone/x", UNKNOWN_API),
        ("shop.example.com", "/lost/x", UNKNOWN_API),
        ("other.example.com", "/live/x", found("b/live", "/x")),
        ("other.example.com", "/dev/x", UNKNOWN_API),
        ("bare.example.com", "/x/dev/y", found("a/dev", "/y")),
        ("bare.example.com", "/dev/y", UNKNOWN_API),
        ("a.b.example.com", "/live/x", UNKNOWN_API),
        // The path form, whatever the host is.
        ("localhost:8080", "/_aws/execute-api/aaaaaaaaaa/dev/pets/7", found("a/dev", "/pets/7")),
        ("127.0.0.1", "/_aws/execute-api/bbbbbbbbbb/live", found("b/live", "/")),
        ("[::1]:80", "/_aws/execute-api/bbbbbbbbbb//live//x", found("b/live", "/x")),
        ("bare.example.com", "/_aws/execute-api/bbbbbbbbbb/live/x", found("b/live", "/x")),
        ("aaaaaaaaaa.execute-api.x", "/_aws/execute-api/bbbbbbbbbb/live/x", found("b/live", "/x")),
        ("localhost", "/_aws/execute-api/bbbbbbbbbb/dev/x", UNKNOWN_STAGE),
        ("localhost", "/_aws/execute-api/bbbbbbbbbb", UNKNOWN_STAGE),
        ("localhost", "/_aws/execute-api/cccccccccc/dev/x", UNKNOWN_API),
        ("localhost", "/_aws/execute-api/", UNKNOWN_API),
        ("localhost", "/_aws/execute-api", UNKNOWN_API),
        ("localhost", "/live/x", UNKNOWN_API),
    ]
}

#[test]
fn every_form_of_address_leads_to_its_stage() {
    let table = table();
    for (host, path, want) in cases() {
        let want = want.map(|(entry, below)| (entry, below.to_owned()));
        assert_eq!(ask(&table, &mut HostMemo::default(), host, path), want, "{host} {path}");
    }
}

/// One connection asks for everything, each twice, in every order: what it remembers changes nothing.
#[test]
fn a_memo_never_leads_elsewhere() {
    let table = table();
    let mut memo = HostMemo::default();
    let cases = cases();
    for first in &cases {
        for second in &cases {
            for (host, path, want) in [first, first, second] {
                let want = want.clone().map(|(entry, below)| (entry, below.to_owned()));
                assert_eq!(ask(&table, &mut memo, host, path), want, "{host} {path}");
            }
        }
    }
}

#[test]
fn a_memo_ends_with_its_generation() {
    let mut table = table();
    let mut memo = HostMemo::default();
    let (own, form) = ("aaaaaaaaaa.execute-api.x", "/_aws/execute-api/aaaaaaaaaa/dev/x");
    let found = || Ok(("a/dev", "/x".to_owned()));
    assert_eq!(ask(&table, &mut memo, own, "/dev/x"), found());
    assert_eq!(ask(&table, &mut memo, "localhost", form), found());
    table.set_domains(Arc::default());
    table.remove(A, "dev");
    table.remove(A, "development");
    table.end_batch();
    assert_eq!(table.api_count(), 1, "what is neither served nor mapped is forgotten");
    assert_eq!(ask(&table, &mut memo, "localhost", form), Err(GatewayError::UnknownApi));
    assert_eq!(ask(&table, &mut memo, own, "/dev/x"), Err(GatewayError::UnknownApi));
    // Another API takes the slot.
    table.serve("dddddddddd", "dev", "d/dev");
    table.end_batch();
    assert_eq!(ask(&table, &mut memo, "localhost", form), Err(GatewayError::UnknownApi));
    assert_eq!(ask(&table, &mut memo, own, "/dev/x"), Err(GatewayError::UnknownApi));
    let other = ask(&table, &mut memo, "dddddddddd.execute-api.x", "/dev/x");
    assert_eq!(other, Ok(("d/dev", "/x".to_owned())));
}

#[test]
fn a_long_host_is_remembered_whole() {
    let mut table = table();
    let suffix = "x".repeat(80);
    let mut memo = HostMemo::default();
    let own = format!("aaaaaaaaaa.execute-api.{suffix}");
    for _ in 0..2 {
        assert_eq!(ask(&table, &mut memo, &own, "/dev/x").unwrap().0, "a/dev");
        assert_eq!(ask(&table, &mut memo, "localhost", "/x"), Err(GatewayError::UnknownApi));
        assert_eq!(ask(&table, &mut memo, &suffix, "/dev/x"), Err(GatewayError::UnknownApi));
    }
    // HTTP/1.0 without Host after one of those.
    table.set_default_api(Some(B));
    table.end_batch();
    assert_eq!(ask(&table, &mut memo, &own, "/dev/x").unwrap().0, "a/dev");
    let mut exchange = exchange("GET /live/x HTTP/1.0\r\n\r\n");
    assert_eq!(table.find(&mut memo, &mut exchange).ok(), Some(&"b/live"));
}

#[test]
fn the_default_api_answers_what_nothing_else_does() {
    let mut table = table();
    table.set_default_api(Some(A));
    table.end_batch();
    let mut memo = HostMemo::default();
    for (host, path, want) in [
        ("localhost", "/dev/x", Ok("a/dev")),
        ("localhost", "/prod/x", Err(GatewayError::UnknownStage)),
        ("cccccccccc.execute-api.x", "/dev/x", Ok("a/dev")),
        ("bbbbbbbbbb.execute-api.x", "/live/x", Ok("b/live")),
        ("localhost", "/_aws/execute-api/bbbbbbbbbb/live/x", Ok("b/live")),
        ("localhost", "/_aws/execute-api/cccccccccc/dev/x", Err(GatewayError::UnknownApi)),
    ] {
        let found = ask(&table, &mut memo, host, path).map(|(entry, _)| entry);
        assert_eq!(found, want, "{host} {path}");
    }
    let mut exchange = exchange("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    let not_found = table.find(&mut memo, &mut exchange).unwrap_err();
    assert_eq!(not_found.error, GatewayError::UnknownStage);
    assert_eq!(not_found.told_to, Some(&"a/dev"), "its log tells of it");
}

#[test]
fn without_its_default_endpoint_an_api_answers_on_custom_domain_names_only() {
    let mut table = table();
    table.set_default_endpoint(A, false);
    table.set_default_api(Some(A));
    table.end_batch();
    let mut memo = HostMemo::default();
    let disabled = || Err(GatewayError::NoDefaultEndpoint);
    for (host, path, want) in [
        ("aaaaaaaaaa.execute-api.x", "/dev/x", disabled()),
        ("localhost", "/_aws/execute-api/aaaaaaaaaa/dev/x", disabled()),
        ("shop.example.com", "/x", Ok("a/dev")),
        ("bbbbbbbbbb.execute-api.x", "/live/x", Ok("b/live")),
    ] {
        let found = ask(&table, &mut memo, host, path).map(|(entry, _)| entry);
        assert_eq!(found, want, "{host} {path}");
    }
    // It is the API's, and stays whatever becomes of its stages.
    table.set_default_api(None);
    table.set_domains(Arc::default());
    table.remove(A, "dev");
    table.remove(A, "development");
    table.end_batch();
    table.serve(A, "dev", "again");
    table.end_batch();
    let found = ask(&table, &mut memo, "aaaaaaaaaa.execute-api.x", "/dev/x");
    assert_eq!(found, Err(GatewayError::NoDefaultEndpoint));
    table.set_default_endpoint(A, true);
    table.end_batch();
    assert_eq!(ask(&table, &mut memo, "aaaaaaaaaa.execute-api.x", "/dev/x").unwrap().0, "again");
}

#[test]
fn context_variables_say_how_the_request_was_addressed() {
    let stage = Api::new().mock("GET", "/pets").stage();
    let table = table();
    for (host, path, want) in [
        (
            "aaaaaaaaaa.execute-api.eu-west-1.example:8080",
            "//dev/pets?x=1",
            ["aaaaaaaaaa.execute-api.eu-west-1.example", "aaaaaaaaaa", "/dev/pets", ""],
        ),
        ("shop.example.com", "/pets", ["shop.example.com", "shop", "/pets", ""]),
        ("shop.example.com:1", "//v1/dev/pets", ["shop.example.com", "shop", "/v1/dev/pets", "v1"]),
        (
            "shop.example.com",
            "/v1/orders/pets",
            ["shop.example.com", "shop", "/v1/orders/pets", "v1/orders"],
        ),
        (
            "localhost:80",
            "/_aws/execute-api/aaaaaaaaaa/dev/pets",
            ["localhost", "localhost", "/dev/pets", ""],
        ),
    ] {
        let mut exchange = exchange(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(table.find(&mut HostMemo::default(), &mut exchange).is_ok(), "{host} {path}");
        let view = ContextView::new(&stage, &exchange);
        let names = ["domainName", "domainPrefix", "path", "customDomain.basePathMatched"];
        let values = names.map(|name| {
            let mut out = Vec::new();
            view.write(ContextVariable::named(name).unwrap(), &mut out);
            String::from_utf8(out).unwrap()
        });
        assert_eq!(values, want, "{host} {path}");
    }
}

#[test]
fn finding_allocates_nothing() {
    use super::super::context::testing::allocations;
    let table = table();
    for (host, path) in [
        ("aaaaaaaaaa.execute-api.localhost", "/dev/x"),
        ("shop.example.com", "/v1/orders/9"),
        ("other.example.com", "/live/x"),
        ("localhost", "/_aws/execute-api/aaaaaaaaaa/dev/x"),
    ] {
        let mut exchange = exchange(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        let original = exchange.head.path;
        let count = allocations(|| {
            exchange.head.path = original;
            assert!(table.find(&mut HostMemo::default(), &mut exchange).is_ok());
        });
        assert_eq!(count, 0, "{host} {path}");
    }
}
