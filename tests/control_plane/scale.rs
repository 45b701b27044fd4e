//! Many APIs in the store: 300 of 300 resources each in a release build, few in a debug one, which takes
//! twenty times as long for each.

use std::path::Path;
use std::time::Instant;

use indexmap::IndexMap;
use ringway::control::api::objects::{
    Deployment, Integration, IntegrationResponse, Method, MethodResponse, Resource, RestApi,
    SNAPSHOT, Stage,
};
use ringway::control::definition::Definition;
use ringway::store::Store;
use serde_json::{Value, json};

use crate::support::PlaneOptions;
use crate::support::plane::get_at;

/// `RINGWAY_TEST_APIS`, or these.
const APIS: usize = if cfg!(debug_assertions) { 10 } else { 300 };
const RESOURCES: usize = 300;

/// Whole process, bytes: what the issue promises for 300 APIs.
const MEMORY_BYTES_MAX: u64 = 200_000_000;

fn api_id(number: usize) -> String {
    format!("api{number:07}")
}

fn mock() -> Integration {
    let template = |text: &str| {
        Some([("application/json".to_owned(), Some(text.to_owned()))].into_iter().collect())
    };
    let response = IntegrationResponse {
        status_code: "200".to_owned(),
        response_templates: template("{\"fine\": true}"),
        ..IntegrationResponse::default()
    };
    Integration {
        r#type: "MOCK".to_owned(),
        request_templates: template("{\"statusCode\": 200}"),
        passthrough_behavior: "WHEN_NO_MATCH".to_owned(),
        timeout_in_millis: 29_000,
        integration_responses: Some(IndexMap::from([("200".to_owned(), response)])),
        ..Integration::default()
    }
}

fn proxy(api: usize, item: usize) -> Integration {
    let parameters =
        [("integration.request.path.id".to_owned(), "method.request.path.id".to_owned())];
    Integration {
        r#type: "HTTP_PROXY".to_owned(),
        http_method: Some("GET".to_owned()),
        uri: Some(format!("http://127.0.0.1:{}/service-{api}/item-{item}/{{id}}", 9_000 + api)),
        request_parameters: Some(IndexMap::from(parameters)),
        passthrough_behavior: "WHEN_NO_MATCH".to_owned(),
        timeout_in_millis: 29_000,
        ..Integration::default()
    }
}

/// Half of the methods are MOCKs, half proxies.
fn definition(number: usize) -> Definition {
    let mut resources =
        vec![Resource { id: "root".to_owned(), path: "/".to_owned(), ..Resource::default() }];
    for item in 0..RESOURCES {
        if item % 10 == 0 {
            let part = format!("collection-{:03}", item / 10);
            resources.push(Resource {
                id: format!("c{item:05}"),
                parent_id: Some("root".to_owned()),
                path: format!("/{part}"),
                path_part: Some(part),
                resource_methods: None,
            });
        }
        let integration = if item % 2 == 0 { mock() } else { proxy(number, item) };
        let parameter = ("method.request.path.id".to_owned(), true);
        let response = MethodResponse { status_code: "200".to_owned(), ..Default::default() };
        let method = Method {
            http_method: "GET".to_owned(),
            authorization_type: "NONE".to_owned(),
            operation_name: Some(format!("getItem{item}")),
            request_parameters: Some(IndexMap::from([parameter])),
            method_responses: Some([("200".to_owned(), response)].into()),
            method_integration: Some(integration),
            ..Method::default()
        };
        let part = format!("item-{item:03}");
        let collection = format!("/collection-{:03}", item / 10);
        resources.push(Resource {
            id: format!("i{item:05}"),
            parent_id: Some(format!("c{:05}", item / 10 * 10)),
            path: format!("{collection}/{part}"),
            path_part: Some(part.clone()),
            resource_methods: None,
        });
        resources.push(Resource {
            id: format!("r{item:05}"),
            parent_id: Some(format!("i{item:05}")),
            path: format!("{collection}/{part}/{{id}}"),
            path_part: Some("{id}".to_owned()),
            resource_methods: Some([("GET".to_owned(), method)].into()),
        });
    }
    let rest_api = RestApi {
        id: api_id(number),
        name: format!("service {number}"),
        root_resource_id: "root".to_owned(),
        api_key_source: "HEADER".to_owned(),
        ..RestApi::default()
    };
    Definition { rest_api, resources, ..Definition::default() }
}

/// What the control-plane API would have left, without 90 000 calls.
fn fill(directory: &Path, apis: usize) {
    let store = Store::open(directory).expect("a new store");
    for numbers in (0..apis).collect::<Vec<_>>().chunks(25) {
        let writing = store.write().expect("nobody else writes");
        for &number in numbers {
            let definition = definition(number);
            definition.check_deployable().expect("it has methods with integrations");
            definition.store(&writing).expect("a store to write to");
            let id = &definition.rest_api.id;
            let deployment =
                Deployment { id: "first1".to_owned(), order: Some(1), ..Deployment::default() };
            let stage = Stage {
                deployment_id: deployment.id.clone(),
                stage_name: "prod".to_owned(),
                cache_cluster_status: "NOT_AVAILABLE".to_owned(),
                ..Stage::default()
            };
            writing.put(&[id, &deployment.id], &deployment).expect("a store to write to");
            writing
                .put_blob(SNAPSHOT, &[id, &deployment.id], &definition.freeze())
                .expect("a store to write to");
            writing.put(&[id, &stage.stage_name], &stage).expect("a store to write to");
        }
        writing.commit().expect("a disk with room");
    }
}

#[test]
fn many_apis_come_back_after_a_restart_and_take_little_memory() {
    let options = PlaneOptions::new();
    let apis = std::env::var("RINGWAY_TEST_APIS").ok().and_then(|text| text.parse().ok());
    let apis = apis.unwrap_or(APIS);
    let began = Instant::now();
    fill(&options.store(), apis);
    let filled = began.elapsed();
    let file = options.store().join(ringway::store::FILE_NAME);
    let bytes = std::fs::metadata(&file).expect("the store").len();

    let began = Instant::now();
    let gateway = options.start();
    let started = began.elapsed();
    let (now, most) = (gateway.memory("VmRSS"), gateway.memory("VmHWM"));
    println!(
        "{apis} APIs of {RESOURCES} resources in a store of {} MB (written in {filled:?}): serving \
         after {started:?}, RSS {} MB, at most {} MB",
        bytes / 1_000_000,
        now / 1_000_000,
        most / 1_000_000
    );
    assert!(most < MEMORY_BYTES_MAX, "{most} bytes at most, {now} after the start");

    // All of it is there, on both shards.
    let mut clients: Vec<_> = (0..8).map(|_| gateway.client()).collect();
    for number in 0..apis {
        let client = &mut clients[number % 8];
        for item in [0, 148, 298] {
            let path = format!("/prod/collection-{:03}/item-{item:03}/7", item / 10);
            let answer = client.asks(get_at(&api_id(number), &path));
            assert_eq!((answer.status, answer.text()), (200, "{\"fine\": true}"), "{path}");
        }
    }
    // Changes among so many are as quick as among few, and cost no more memory.
    let mut admin = gateway.api();
    let began = Instant::now();
    for number in 0..20 {
        let api = api_id(number % apis);
        let id = admin.deploys(&api, "prod", json!({"variables": {"n": "1"}}));
        let stage = admin.gets(&format!("/restapis/{api}/stages/prod"));
        assert_eq!(stage["deploymentId"], Value::from(id));
    }
    let (took, after) = (began.elapsed(), gateway.memory("VmHWM"));
    println!(
        "20 deployments of 300 resources among them in {took:?}, at most {} MB",
        after / 1_000_000
    );
    assert!(after < MEMORY_BYTES_MAX, "{after} bytes");
}
