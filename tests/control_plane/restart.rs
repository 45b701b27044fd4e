//! What was served is served again after a kill, before the admin port opens.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::support::plane::get_at;
use crate::support::{Client, PATIENCE, PlaneOptions};
use crate::{numbered, said};

/// A free address of loopback that stays free as long as nobody looks for one: of the ports that the
/// kernel does not give away by itself.
fn quiet_address() -> SocketAddr {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").expect("Linux");
    let lowest: u16 =
        range.split_whitespace().next().expect("two numbers").parse().expect("a port");
    let free = |_| {
        let port = fastrand::u16(1_100..lowest);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        TcpListener::bind(address).ok().map(|_| address)
    };
    (0..1_000).find_map(free).expect("a free port")
}

/// The first answer that can be had, from the moment the port is there.
fn first_answer(address: SocketAddr, request: &str) -> crate::Answer {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if TcpStream::connect(address).is_ok() {
            return Client::connect(address).asks(request);
        }
        assert!(Instant::now() < give_up, "nobody listens on {address}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_was_served_is_served_again_before_the_admin_port_opens() {
    let options = PlaneOptions::new();
    let gateway = options.start();
    let mut admin = gateway.api();
    let api = admin.imports(&numbered(1));
    let first = admin.deploys(&api, "v1", json!({"variables": {"n": "one"}}));
    admin.overwrites(&api, &numbered(2));
    let canary = json!({"percentTraffic": 100.0, "stageVariableOverrides": {"n": "two"}});
    let second = admin.deploys(&api, "v1", json!({ "canarySettings": canary }));
    let members = json!({"stageName": "plain", "deploymentId": first});
    admin.does("POST", &format!("/restapis/{api}/stages"), members);
    // Reached by its custom domain only.
    let hidden = admin.imports(&numbered(3));
    admin.deploys(&hidden, "prod", json!({"variables": {"n": "three"}}));
    let disable =
        crate::support::plane::patches(&[("replace", "/disableExecuteApiEndpoint", "true")]);
    admin.does("PATCH", &format!("/restapis/{hidden}"), disable);
    let arn = "arn:aws:acm:us-east-1:123456789012:certificate/none";
    let domain = json!({
        "domainName": "api.example.com", "regionalCertificateArn": arn,
        "endpointConfiguration": {"types": ["REGIONAL"]},
    });
    admin.does("POST", "/domainnames", domain);
    for mapping in [
        json!({"basePath": "hidden", "restApiId": hidden, "stage": "prod"}),
        json!({"basePath": "any", "restApiId": api}),
    ] {
        admin.does("POST", "/domainnames/api.example.com/basepathmappings", mapping);
    }
    let at_domain =
        |path: &str| format!("GET {path} HTTP/1.1\r\nHost: API.example.com:8080\r\n\r\n");
    let all_is_served = |client: &mut Client| {
        let canary = said(&client.asks(get_at(&api, "/v1/number")));
        assert_eq!(
            (&*canary.number, &*canary.variable, &*canary.deployment, canary.canary),
            ("2", "two", &*second, true)
        );
        let plain = said(&client.asks(get_at(&api, "/plain/number")));
        assert_eq!((&*plain.number, &*plain.variable, plain.canary), ("1", "", false));
        let mapped = said(&client.asks(at_domain("/hidden/number")));
        assert_eq!((&*mapped.number, &*mapped.variable), ("3", "three"));
        assert_eq!(said(&client.asks(at_domain("/any/plain/number"))).number, "1");
        let disabled = client.asks(get_at(&hidden, "/prod/number"));
        assert_eq!((disabled.status, disabled.text()), (403, r#"{"message":"Forbidden"}"#));
    };
    all_is_served(&mut gateway.client());

    let mut gateway = gateway;
    for signal in [Signal::KILL, Signal::TERM] {
        gateway.signal(signal);
        gateway.exit();
        drop(gateway);
        gateway = options.start();
        all_is_served(&mut gateway.client());
    }
    drop(gateway);

    // Who connects as soon as somebody listens is served, and nobody else's answer comes before.
    for _ in 0..3 {
        let (listen, admin) = (quiet_address(), quiet_address());
        let options = options.clone().at(listen, admin);
        let request = get_at(&hidden, "/prod/number");
        let (early, health) = std::thread::scope(|scope| {
            let early = scope.spawn(|| first_answer(listen, &get_at(&api, "/v1/number")));
            let health = scope.spawn(|| {
                let health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
                let answer = first_answer(admin, health);
                // The admin port answers: all of it is served.
                all_is_served(&mut Client::connect(listen));
                (answer, Client::connect(listen).asks(&request))
            });
            let _gateway = options.start();
            (early.join().expect("an answer"), health.join().expect("an answer"))
        });
        assert_eq!(said(&early).number, "2");
        assert_eq!((health.0.status, health.1.status), (200, 403));
    }
}
