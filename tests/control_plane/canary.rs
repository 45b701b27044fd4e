//! A canary's share of the requests, counted over sockets.

use serde_json::json;

use crate::support::plane::get_at;
use crate::support::{Client, Definition, Serve, wait_for};

const REQUESTS: usize = 100_000;
/// Both shards have some of them.
const CONNECTIONS: usize = 8;
/// Requests that are sent before their answers are read.
const PIPELINED: usize = 50;

/// A chi-square of one degree of freedom is above this once in 10 million times.
const CHI_SQUARE_1_MAX: f64 = 28.4;
/// One of eight degrees once in 10 million times.
const CHI_SQUARE_8_MAX: f64 = 50.0;

/// How many of a connection's requests got the canary. Every answer is wholly of one of the two.
fn canaries(client: &mut Client, request: &str, count: usize) -> usize {
    let mut canaries = 0;
    let batch = request.repeat(PIPELINED);
    for _ in 0..count / PIPELINED {
        client.sends(&batch);
        for _ in 0..PIPELINED {
            let answer = client.answer();
            match (answer.status, answer.text()) {
                (200, "stage false main") => {}
                (200, "canary true override") => canaries += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    canaries
}

fn api(name: &str) -> Definition {
    let body = format!("{name} $context.isCanaryRequest $stageVariables.v");
    Definition::new().mock("GET", "/", 200, &body)
}

#[test]
fn a_canary_gets_its_share_of_every_connections_requests() {
    let gateway = Serve::new();
    let mut admin = gateway.api();
    let id = admin.imports(&api("stage"));
    admin.deploys(&id, "v1", json!({"variables": {"v": "main"}}));
    admin.overwrites(&id, &api("canary"));
    let overrides = json!({"v": "override"});
    let canary = json!({"percentTraffic": 0.0, "stageVariableOverrides": overrides});
    admin.deploys(&id, "v1", json!({ "canarySettings": canary }));
    let request = get_at(&id, "/v1");
    let mut clients: Vec<Client> = (0..CONNECTIONS).map(|_| gateway.client()).collect();
    let mut totals = (0, 0);
    for (percent, requests) in
        [("0.0", REQUESTS / 5), ("10.0", REQUESTS), ("50.0", REQUESTS), ("100.0", REQUESTS / 5)]
    {
        let path = "/canarySettings/percentTraffic";
        admin.patches_stage(&id, "v1", &[("replace", path, percent)]);
        let each = requests / CONNECTIONS;
        let counts: Vec<usize> = std::thread::scope(|scope| {
            let request = &request;
            let asking: Vec<_> = clients
                .iter_mut()
                .map(|client| scope.spawn(move || canaries(client, request, each)))
                .collect();
            asking.into_iter().map(|it| it.join().expect("answers")).collect()
        });
        let sum: usize = counts.iter().sum();
        totals = (totals.0 + requests, totals.1 + sum);
        let share = percent.parse::<f64>().expect("a number") / 100.0;
        if share == 0.0 || share == 1.0 {
            assert_eq!(sum, if share == 0.0 { 0 } else { requests }, "{percent}%: {counts:?}");
            continue;
        }
        let chi_square = |count: usize, of: usize| {
            let expected = of as f64 * share;
            (count as f64 - expected).powi(2) / (expected * (1.0 - share))
        };
        let whole = chi_square(sum, requests);
        let apart: f64 = counts.iter().map(|&count| chi_square(count, each)).sum();
        println!(
            "{percent}%: {sum} of {requests}, chi-square {whole:.2}; by connection {apart:.2}"
        );
        assert!(whole < CHI_SQUARE_1_MAX, "{percent}%: {counts:?}");
        assert!(apart < CHI_SQUARE_8_MAX, "{percent}%: {counts:?}");
    }
    // Counted for the stage, and the canary's once more for themselves.
    wait_for("the shards' figures", || {
        let metrics = gateway.metrics();
        let of = |label: &str| {
            let stage = format!("stage=\"{label}\"");
            metrics.sum("ringway_count_total", &[&stage, "resource=\"/\""])
        };
        (of("v1") == totals.0 as f64 && of("v1/Canary") == totals.1 as f64).then_some(())
    });
}
