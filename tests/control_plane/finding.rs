//! Which stage of which API a request is for.

use serde_json::{Value, json};

use crate::support::plane::patches;
use crate::support::{Definition, PlaneOptions, Serve};

/// An API that answers its name, and the resource's path.
fn api(name: &str) -> Definition {
    let body = format!("{name} $context.stage $context.resourcePath");
    Definition::new().mock("GET", "/", 200, &body).mock("GET", "/pets", 200, &body).mock(
        "GET",
        "/pets/{id}",
        200,
        &body,
    )
}

fn ask(gateway: &Serve, host: &str, path: &str) -> (u16, String) {
    let answer = gateway.client().asks(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    (answer.status, answer.text().to_owned())
}

fn forbidden() -> (u16, String) {
    (403, r#"{"message":"Forbidden"}"#.to_owned())
}

#[test]
fn an_api_is_found_by_its_own_host_whatever_follows() {
    let gateway = Serve::new();
    let mut admin = gateway.api();
    let ids = ["one", "two"].map(|name| {
        let id = admin.imports(&api(name));
        admin.deploys(&id, "v1", Value::Null);
        id
    });
    for (id, name) in ids.iter().zip(["one", "two"]) {
        let upper = id.to_uppercase();
        for host in [
            format!("{id}.execute-api.localhost"),
            format!("{id}.execute-api.localhost:8080"),
            format!("{id}.execute-api.us-east-1.amazonaws.com"),
            format!("{id}.execute-api.gateway.internal.example:65535"),
            format!("{id}.Execute-API.LocalHost"),
            format!("{upper}.execute-api.localhost"),
        ] {
            for (path, resource) in
                [("/v1", "/"), ("/v1/", "/"), ("/v1/pets", "/pets"), ("/v1/pets/7", "/pets/{id}")]
            {
                let want = (200, format!("{name} v1 {resource}"));
                assert_eq!(ask(&gateway, &host, path), want, "{host} {path}");
            }
            for path in ["/", "/v2/pets", "/pets", "/V1/pets"] {
                assert_eq!(ask(&gateway, &host, path), forbidden(), "{host} {path}");
            }
        }
        // The path form, for tools that cannot set a host.
        for host in ["localhost", "127.0.0.1:8080", "other.execute-api.localhost", "example.com"] {
            let path = format!("/_aws/execute-api/{id}/v1/pets");
            assert_eq!(ask(&gateway, host, &path), (200, format!("{name} v1 /pets")), "{host}");
            let path = format!("/_aws/execute-api/{id}/v2/pets");
            assert_eq!(ask(&gateway, host, &path), forbidden(), "{host}");
        }
    }
    for host in ["localhost", "zzzzzzzzzz.execute-api.localhost", "execute-api.localhost", "a.b"] {
        assert_eq!(ask(&gateway, host, "/v1/pets"), forbidden(), "{host}");
    }
    assert_eq!(ask(&gateway, "h", "/_aws/execute-api/zzzzzzzzzz/v1/pets"), forbidden());
    assert_eq!(ask(&gateway, "h", "/_aws/execute-api/"), forbidden());
    // One connection may change between them.
    let mut client = gateway.client();
    for _ in 0..3 {
        for (id, name) in ids.iter().zip(["one", "two"]) {
            let answer = client.asks(crate::support::plane::get_at(id, "/v1/pets"));
            assert_eq!(answer.text(), format!("{name} v1 /pets"));
        }
    }
    // Without its own host it is found by the path form no more, either.
    let disable = patches(&[("replace", "/disableExecuteApiEndpoint", "true")]);
    admin.does("PATCH", &format!("/restapis/{}", ids[0]), disable);
    let host = format!("{}.execute-api.localhost", ids[0]);
    assert_eq!(ask(&gateway, &host, "/v1/pets"), forbidden());
    let enable = patches(&[("replace", "/disableExecuteApiEndpoint", "false")]);
    admin.does("PATCH", &format!("/restapis/{}", ids[0]), enable);
    assert_eq!(ask(&gateway, &host, "/v1/pets").0, 200);
}

#[test]
fn a_custom_domain_takes_the_longest_base_path() {
    let gateway = Serve::new();
    let mut admin = gateway.api();
    let [shop, old, any] = ["shop", "old", "any"].map(|name| {
        let id = admin.imports(&api(name));
        admin.deploys(&id, "v1", Value::Null);
        id
    });
    admin.deploys(&any, "test", Value::Null);
    let arn = "arn:aws:acm:us-east-1:123456789012:certificate/none";
    for domain in ["api.example.com", "bare.example.com"] {
        let members = json!({
            "domainName": domain, "regionalCertificateArn": arn,
            "endpointConfiguration": {"types": ["REGIONAL"]},
        });
        admin.does("POST", "/domainnames", members);
    }
    let mappings = "/domainnames/api.example.com/basepathmappings";
    for mapping in [
        json!({"basePath": "shop", "restApiId": shop, "stage": "v1"}),
        json!({"basePath": "old", "restApiId": old, "stage": "v1"}),
        json!({"basePath": "any", "restApiId": any}),
        json!({"restApiId": old, "stage": "v1"}),
    ] {
        admin.does("POST", mappings, mapping);
    }
    let at = |path: &str| ask(&gateway, "api.example.com", path);
    for (path, want) in [
        ("/shop/pets", "shop v1 /pets"),
        ("/shop", "shop v1 /"),
        ("/shop/pets/7", "shop v1 /pets/{id}"),
        ("/old/pets", "old v1 /pets"),
        ("/any/v1/pets", "any v1 /pets"),
        ("/any/test/pets", "any test /pets"),
        // The mapping without a base path takes what no other does.
        ("/pets", "old v1 /pets"),
        ("/pets/7", "old v1 /pets/{id}"),
        ("/", "old v1 /"),
    ] {
        assert_eq!(at(path), (200, want.to_owned()), "{path}");
    }
    let host = "API.Example.COM:8443";
    assert_eq!(ask(&gateway, host, "/shop/pets"), (200, "shop v1 /pets".to_owned()));
    // "shopping" does not begin with the base path "shop", but with no base path at all.
    assert_eq!(at("/shopping").1, r#"{"message":"Missing Authentication Token"}"#);
    for (host, path) in [
        ("bare.example.com", "/shop/pets"),
        ("example.com", "/shop/pets"),
        ("www.api.example.com", "/shop/pets"),
        ("api.example.com", "/any/v2/pets"),
        ("api.example.com", "/any"),
    ] {
        assert_eq!(ask(&gateway, host, path), forbidden(), "{host} {path}");
    }
    // Changes are there at once.
    admin.does("DELETE", &format!("{mappings}/shop"), Value::Null);
    assert_eq!(at("/shop/pets").1, r#"{"message":"Missing Authentication Token"}"#);
    let moved = patches(&[("replace", "/basePath", "new")]);
    admin.does("PATCH", &format!("{mappings}/old"), moved);
    assert_eq!(at("/new/pets"), (200, "old v1 /pets".to_owned()));
    admin.does("DELETE", "/domainnames/api.example.com", Value::Null);
    assert_eq!(at("/new/pets"), forbidden());
}

#[test]
fn what_is_printed_has_the_suffix_that_is_configured() {
    let gateway = PlaneOptions::new().flag("--api-host-suffix", "gw.example").start();
    assert!(gateway.printed().contains("{apiId}.execute-api.gw.example"), "{}", gateway.printed());
    let mut admin = gateway.api();
    let id = admin.imports(&api("one"));
    admin.deploys(&id, "v1", Value::Null);
    let status = admin.gets("/_ringway/status");
    let url = status["apis"][0]["stages"][0]["url"].as_str().expect("a URL").to_owned();
    let port = gateway.address.port();
    assert_eq!(url, format!("http://{id}.execute-api.gw.example:{port}/v1"));
    for host in ["gw.example", "localhost"] {
        let host = format!("{id}.execute-api.{host}");
        assert_eq!(ask(&gateway, &host, "/v1/pets").0, 200, "{host}");
    }
}
