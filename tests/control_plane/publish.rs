//! What an answer of the control-plane API promises about requests that come after it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::plane::{get_at, patches};
use crate::support::{Admin, Client, Gateway, Serve, wait_for};
use crate::{Said, numbered, said};

/// So many connections that both shards have some: the kernel deals them out by their ports.
const CONNECTIONS: usize = 24;

/// Asks on every connection, and on a new one.
fn on_all(
    connections: &mut [Client],
    gateway: &Gateway,
    request: &str,
    check: impl Fn(&crate::Answer),
) {
    for client in connections.iter_mut() {
        check(&client.asks(request));
    }
    check(&gateway.client().asks(request));
}

#[test]
fn the_next_request_on_any_connection_sees_what_was_answered() {
    let gateway = Serve::new();
    let mut admin = gateway.api();
    let api = admin.imports(&numbered(0));
    let first = admin.deploys(&api, "v1", json!({"variables": {"n": "0"}}));
    let request = get_at(&api, "/v1/number");
    let mut connections: Vec<Client> = (0..CONNECTIONS).map(|_| gateway.client()).collect();
    let all_say = |connections: &mut [Client], want: &Said| {
        on_all(connections, &gateway, &request, |answer| assert_eq!(said(answer), *want));
    };
    let mut want = Said {
        number: "0".to_owned(),
        variable: "0".to_owned(),
        sequence: String::new(),
        deployment: first.clone(),
        canary: false,
    };
    all_say(&mut connections, &want);
    for number in 1..=10 {
        // A deployment.
        admin.overwrites(&api, &numbered(number));
        all_say(&mut connections, &want);
        let before = want.clone();
        want.deployment = admin.deploys(&api, "v1", Value::Null);
        want.number = number.to_string();
        all_say(&mut connections, &want);
        // A variable.
        want.variable = format!("v{number}");
        admin.patches_stage(&api, "v1", &[("replace", "/variables/n", &want.variable)]);
        all_say(&mut connections, &want);
        // Back, and forth.
        admin.patches_stage(&api, "v1", &[("replace", "/deploymentId", &before.deployment)]);
        let back = Said { variable: want.variable.clone(), ..before };
        all_say(&mut connections, &back);
        admin.patches_stage(&api, "v1", &[("replace", "/deploymentId", &want.deployment)]);
        all_say(&mut connections, &want);
        // A throttle that lets nobody through, and none.
        let paths = ["/*/*/throttling/rateLimit", "/*/*/throttling/burstLimit"];
        admin.patches_stage(&api, "v1", &paths.map(|path| ("replace", path, "0")));
        on_all(&mut connections, &gateway, &request, |answer| {
            assert_eq!((answer.status, answer.text()), (429, r#"{"message":"Too Many Requests"}"#));
        });
        admin.patches_stage(&api, "v1", &[("remove", "/*/*", "")]);
        all_say(&mut connections, &want);
        // A canary for all, promoted, and removed.
        admin.patches_stage(
            &api,
            "v1",
            &[
                ("replace", "/canarySettings/percentTraffic", "100.0"),
                ("replace", "/canarySettings/deploymentId", &first),
                ("replace", "/canarySettings/stageVariableOverrides/n", "canary"),
            ],
        );
        let canary = Said {
            number: "0".to_owned(),
            variable: "canary".to_owned(),
            sequence: String::new(),
            deployment: first.clone(),
            canary: true,
        };
        all_say(&mut connections, &canary);
        admin.patches_stage(&api, "v1", &[("remove", "/canarySettings", "")]);
        all_say(&mut connections, &want);
    }
    // The stage is gone, then the API.
    admin.does("DELETE", &format!("/restapis/{api}/stages/v1"), Value::Null);
    let forbidden = |answer: &crate::Answer| {
        assert_eq!((answer.status, answer.text()), (403, r#"{"message":"Forbidden"}"#));
    };
    on_all(&mut connections, &gateway, &request, forbidden);
    admin.deploys(&api, "v1", json!({"variables": {"n": want.variable}}));
    on_all(&mut connections, &gateway, &request, |answer| {
        assert_eq!(said(answer).number, want.number);
    });
    admin.does("DELETE", &format!("/restapis/{api}"), Value::Null);
    on_all(&mut connections, &gateway, &request, forbidden);
    // Both shards have taken part.
    wait_for("two shards' figures", || {
        let metrics = gateway.metrics();
        let busy = ["0", "1"].iter().filter(|shard| {
            let label = format!("shard=\"{shard}\"");
            metrics.sum("ringway_requests_total", &[&label]) > 0.0
        });
        (busy.count() == 2).then_some(())
    });
}

/// Puts `number` into the API's answers, header and body.
fn renumber(admin: &mut Admin, api: &str, resource: &str, number: usize) {
    let document = numbered(number).text();
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let operation = &document["paths"]["/number"]["get"];
    let response = &operation["x-amazon-apigateway-integration"]["responses"]["default"];
    let members = json!({
        "responseParameters": response["responseParameters"],
        "responseTemplates": response["responseTemplates"],
    });
    let path =
        format!("/restapis/{api}/resources/{resource}/methods/GET/integration/responses/200");
    admin.does("PUT", &path, members);
}

/// Open descriptors of a process.
fn descriptors(gateway: &Gateway) -> usize {
    let path = format!("/proc/{}/fd", gateway.pid());
    std::fs::read_dir(path).expect("the gateway lives").count()
}

/// Its threads.
fn threads(gateway: &Gateway) -> usize {
    let path = format!("/proc/{}/task", gateway.pid());
    std::fs::read_dir(path).expect("the gateway lives").count()
}

/// Growth between the 100th and the 1 000th redeploy that is not a leak: caches of the allocator and of
/// the store fill up.
const GROWTH_BYTES_MAX: u64 = 6 << 20;

/// Every so many redeploys there is a new deployment; the others move the stage to one that is there,
/// which a debug build can do a thousand times in reasonable time.
const NEW_EVERY: usize = if cfg!(debug_assertions) { 10 } else { 1 };

#[test]
fn one_thousand_redeploys_under_load_lose_no_request_and_leak_nothing() {
    let gateway = Serve::new();
    let mut admin = gateway.api();
    let api = admin.imports(&numbered(0));
    let variables = |number: usize, sequence: usize| json!({"variables": {"n": number.to_string(), "s": sequence.to_string()}});
    let mut deployments = vec![admin.deploys(&api, "v1", variables(0, 0))];
    let listed = admin.gets(&format!("/restapis/{api}/resources"));
    let resource = listed["item"]
        .as_array()
        .expect("resources")
        .iter()
        .find(|it| it["path"] == "/number")
        .and_then(|it| it["id"].as_str())
        .expect("an id")
        .to_owned();
    let request = get_at(&api, "/v1/number");
    let (done, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    // An answer is all of one deployment (number and variable, headers and body), and none comes after
    // one that was published later.
    let check = |answer: &crate::Answer, last: usize| -> usize {
        let said = said(answer);
        assert_eq!(said.number, said.variable, "{answer:?}");
        let sequence = said.sequence.parse().expect("a number");
        assert!(sequence >= last, "after {last} came {sequence}");
        asked.fetch_add(1, Ordering::Relaxed);
        sequence
    };
    let pause = || std::thread::sleep(Duration::from_millis(3));
    // Kept connections one request at a time, one with pipelines, and new connections.
    let kept = || {
        let (mut client, mut last) = (gateway.client(), 0);
        while !done.load(Ordering::Acquire) {
            last = check(&client.asks(&request), last);
            pause();
        }
    };
    let pipelined = || {
        let (mut client, mut last) = (gateway.client(), 0);
        while !done.load(Ordering::Acquire) {
            client.sends(request.repeat(10));
            for _ in 0..10 {
                last = check(&client.answer(), last);
            }
            pause();
        }
    };
    let new = || {
        let mut last = 0;
        while !done.load(Ordering::Acquire) {
            last = check(&gateway.client().asks(&request), last);
            pause();
        }
    };
    let figures = || (gateway.memory("VmRSS"), descriptors(&gateway), threads(&gateway));
    std::thread::scope(|scope| {
        // Whatever happens here ends the load as well.
        let _end = OnDrop(|| done.store(true, Ordering::Release));
        let load = [
            scope.spawn(kept),
            scope.spawn(kept),
            scope.spawn(kept),
            scope.spawn(pipelined),
            scope.spawn(new),
        ];
        let mut after_100 = None;
        let mut own = gateway.client();
        let began = Instant::now();
        for sequence in 1..=1_000 {
            if sequence % NEW_EVERY == 0 {
                let number = deployments.len();
                renumber(&mut admin, &api, &resource, number);
                deployments.push(admin.deploys(&api, "v1", variables(number, sequence)));
            } else {
                let number = sequence * 7 % deployments.len();
                let move_stage = [
                    ("replace", "/variables/n", &*number.to_string()),
                    ("replace", "/deploymentId", &*deployments[number]),
                    ("replace", "/variables/s", &*sequence.to_string()),
                ];
                admin.patches_stage(&api, "v1", &move_stage);
            }
            assert_eq!(check(&own.asks(&request), 0), sequence, "the next request");
            assert!(load.iter().all(|it| !it.is_finished()), "the load has ended");
            if sequence == 100 {
                after_100 = Some(figures());
            }
        }
        let (took, after_1000) = (began.elapsed(), figures());
        let after_100 = after_100.expect("it was measured");
        println!(
            "1000 redeploys in {took:?}, {} requests meanwhile; RSS, descriptors, threads after 100: \
             {after_100:?}, after 1000: {after_1000:?}",
            asked.load(Ordering::Relaxed)
        );
        assert!(after_1000.0 <= after_100.0 + GROWTH_BYTES_MAX, "{after_100:?} {after_1000:?}");
        // A connection of the load may be open or not at that moment.
        assert!(after_1000.1.abs_diff(after_100.1) <= 2, "{after_100:?} {after_1000:?}");
    });
    assert!(asked.load(Ordering::Relaxed) > 2_000, "the load has slept");
    // The history is complete, and what it has is served again.
    let listed = admin.gets(&format!("/restapis/{api}/deployments?limit=500"));
    let count = listed["item"].as_array().map(Vec::len);
    assert_eq!(count, Some(deployments.len().min(500)));
    let mut client = gateway.client();
    for (number, id) in deployments.iter().enumerate().step_by(deployments.len() / 4) {
        admin.patches_stage(&api, "v1", &[("replace", "/deploymentId", id)]);
        assert_eq!(said(&client.asks(&request)).number, number.to_string());
    }
}

/// Calls a function when it goes, on a panic too.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// All that the store tells of an API.
fn everything(admin: &mut Admin, api: &str) -> Value {
    json!([
        admin.gets(&format!("/restapis/{api}")),
        admin.gets(&format!("/restapis/{api}/resources?embed=methods&limit=500")),
        admin.gets(&format!("/restapis/{api}/deployments?limit=500")),
        admin.gets(&format!("/restapis/{api}/stages")),
    ])
}

#[test]
fn what_does_not_compile_is_refused_by_name_and_changes_nothing() {
    let gateway = Serve::new();
    let mut admin = gateway.api();
    let good = numbered(1).proxy("GET", "/there", "http://127.0.0.1:9/${stageVariables.n}");
    let api = admin.imports(&good);
    let first = admin.deploys(&api, "v1", json!({"variables": {"n": "one"}}));
    let request = get_at(&api, "/v1/number");
    let served = said(&gateway.client().asks(&request));
    assert_eq!((&*served.number, &*served.variable, &*served.deployment), ("1", "one", &*first));

    let template = "#if($input.path('$.a')) no end";
    let bad = numbered(2).mock("POST", "/broken/{id}", 200, template);
    admin.overwrites(&api, &bad);
    let before = everything(&mut admin, &api);
    let path = format!("/restapis/{api}/deployments");
    for members in [
        json!({"stageName": "v1", "variables": {"n": "two"}}),
        json!({"stageName": "v2"}),
        json!({"stageName": "v1", "canarySettings": {"percentTraffic": 50.0}}),
    ] {
        let (status, message) = admin.refuses("POST", &path, members.clone());
        assert_eq!(status, 400, "{members}: {message}");
        for words in ["cannot be served", "/broken/{id}", "POST", "#if"] {
            assert!(message.contains(words), "no {words:?} in {message:?}");
        }
        assert_eq!(everything(&mut admin, &api), before, "{members}");
        assert_eq!(said(&gateway.client().asks(&request)), served, "{members}");
    }
    // A deployment without a stage is kept as it is; its stage is what does not come to be.
    let kept = admin.does("POST", &path, json!({"description": "for later"}));
    let kept = kept["id"].as_str().expect("an id");
    let before = everything(&mut admin, &api);
    let stages = format!("/restapis/{api}/stages");
    let members = json!({"stageName": "v3", "deploymentId": kept});
    let (status, message) = admin.refuses("POST", &stages, members);
    assert!(status == 400 && message.contains("/broken/{id}"), "{status} {message}");
    let move_all =
        patches(&[("replace", "/variables/n", "three"), ("replace", "/deploymentId", kept)]);
    let (status, message) = admin.refuses("PATCH", &format!("{stages}/v1"), move_all);
    assert!(status == 400 && message.contains("/broken/{id}"), "{status} {message}");
    assert_eq!(everything(&mut admin, &api), before);
    assert_eq!(said(&gateway.client().asks(&request)), served);
    // After a restart it is still so.
    let gateway = gateway.restart();
    assert_eq!(everything(&mut gateway.api(), &api), before);
    assert_eq!(said(&gateway.client().asks(&request)), served);
}

#[test]
fn a_caller_who_goes_away_leaves_nothing_half_done() {
    let gateway = Serve::new();
    let mut admin = gateway.api();
    let api = admin.imports(&numbered(0));
    admin.deploys(&api, "v1", json!({"variables": {"n": "0"}}));
    let request = get_at(&api, "/v1/number");
    let path = format!("/restapis/{api}/stages/v1");
    let mut client = gateway.client();
    let mut usual = Duration::from_millis(5);
    let mut carried_out = 0;
    for number in 1..=60 {
        let call = patches(&[("replace", "/variables/n", &number.to_string())]).to_string();
        let socket = &mut Client::connect(gateway.admin);
        socket.sends(Admin::request("PATCH", &path, &call));
        std::thread::sleep(usual.mul_f64(fastrand::f64()));
        socket.stream.shutdown(std::net::Shutdown::Both).expect("an open connection");
        // Whoever writes next comes after it.
        let began = Instant::now();
        let description = patches(&[("replace", "/description", "x")]);
        admin.does("PATCH", &format!("/restapis/{api}"), description.clone());
        usual = began.elapsed();
        // It may be that nobody has heard of the call, or not yet. What is stored is what is served.
        let stored = |admin: &mut Admin| {
            admin.gets(&path)["variables"]["n"].as_str().expect("a variable").to_owned()
        };
        let (stored, served) = loop {
            let before = stored(&mut admin);
            // Whoever has stored a change has it served before the next one may write.
            admin.does("PATCH", &format!("/restapis/{api}"), description.clone());
            let served = said(&client.asks(&request)).variable;
            if stored(&mut admin) == before {
                break (before, served);
            }
        };
        carried_out += usize::from(stored == number.to_string());
        assert_eq!(served, stored, "call {number}");
    }
    println!("{carried_out} of 60 calls whose caller has gone were carried out");
}

#[test]
fn writers_at_the_same_time_do_not_disturb_each_other() {
    let gateway = Serve::new();
    let mut admin = gateway.api();
    let api = admin.imports(&numbered(7));
    admin.deploys(&api, "v0", json!({"variables": {"n": "0"}}));
    std::thread::scope(|scope| {
        for stage in ["v1", "v2", "v3", "v4"] {
            let (gateway, api) = (&gateway, &api);
            scope.spawn(move || {
                let (mut admin, mut client) = (gateway.api(), gateway.client());
                let request = get_at(api, &format!("/{stage}/number"));
                for number in 0..25 {
                    let n = format!("{stage}-{number}");
                    let id = admin.deploys(api, stage, json!({"variables": {"n": n}}));
                    let said = said(&client.asks(&request));
                    assert_eq!((said.variable, said.deployment), (n, id));
                }
            });
        }
    });
    let listed = admin.gets(&format!("/restapis/{api}/deployments?limit=500"));
    assert_eq!(listed["item"].as_array().map(Vec::len), Some(101));
}
