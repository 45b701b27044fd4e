use serde_json::{Value, json};

use super::objects::{Integration, Method, Resource};
use super::testing::Plane;

/// An API with one MOCK method, put where operations of other files would put it.
fn api(plane: &mut Plane) -> String {
    let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
    let (id, root) = (api["id"].as_str().unwrap(), api["rootResourceId"].as_str().unwrap());
    let integration = Integration { r#type: "MOCK".to_owned(), ..Integration::default() };
    let method = Method {
        http_method: "GET".to_owned(),
        authorization_type: "NONE".to_owned(),
        method_integration: Some(integration),
        ..Method::default()
    };
    let resource = Resource {
        id: root.to_owned(),
        path: "/".to_owned(),
        resource_methods: Some([("GET".to_owned(), method)].into()),
        ..Resource::default()
    };
    let writing = plane.store().write().unwrap();
    writing.put(&[id, root], &resource).unwrap();
    writing.commit().unwrap();
    id.to_owned()
}

fn deploy(plane: &mut Plane, api: &str, input: Value) -> String {
    let deployment = plane.ok("POST", &format!("/restapis/{api}/deployments"), input);
    deployment["id"].as_str().unwrap().to_owned()
}

fn earlier(plane: &Plane, api: &str) -> Vec<String> {
    super::earlier_deployments(&plane.store().read().unwrap(), api, "v1").unwrap()
}

#[test]
fn a_deployment_makes_moves_and_keeps_stages() {
    let mut plane = Plane::new();
    let empty = plane.ok("POST", "/restapis", json!({"name": "none"}));
    let uri = format!("/restapis/{}/deployments", empty["id"].as_str().unwrap());
    assert_eq!(
        plane.refused("POST", &uri, json!({})),
        "400 BadRequestException: The REST API doesn't contain any methods"
    );
    let api = api(&mut plane);
    let unserved = deploy(&mut plane, &api, json!({"description": "d"}));
    assert!(plane.effects.changed_stages.is_empty());
    let input = json!({"stageName": "v1", "variables": {"a": "1", "b": "2"}});
    let first = deploy(&mut plane, &api, input);
    assert!(plane.effects.changed_stages.contains(&(api.clone(), "v1".to_owned())));
    let stage = format!("/restapis/{api}/stages/v1");
    assert_eq!(
        plane.ok("GET", &stage, Value::Null),
        json!({
            "deploymentId": first, "stageName": "v1", "cacheClusterEnabled": false,
            "cacheClusterStatus": "NOT_AVAILABLE", "methodSettings": {}, "tracingEnabled": false,
            "variables": {"a": "1", "b": "2"},
            "createdDate": 1_700_000_000, "lastUpdatedDate": 1_700_000_000,
        })
    );
    let second = deploy(&mut plane, &api, json!({"stageName": "v1", "variables": {"b": "3"}}));
    let got = plane.ok("GET", &stage, Value::Null);
    assert_eq!(got["deploymentId"], json!(second));
    assert_eq!(got["variables"], json!({"a": "1", "b": "3"}));

    let list = plane.ok("GET", &format!("/restapis/{api}/deployments"), Value::Null);
    let ids: Vec<_> = list["item"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
    assert_eq!(ids, [json!(second), json!(first), json!(unserved)]);
    let uri = format!("/restapis/{api}/deployments/{unserved}");
    assert_eq!(
        plane.ok("GET", &uri, Value::Null),
        json!({"id": unserved, "description": "d", "createdDate": 1_700_000_000})
    );
    let summary = plane.ok("GET", &format!("{uri}?embed=apisummary"), Value::Null);
    assert_eq!(
        summary["apiSummary"],
        json!({"/": {"GET": {"apiKeyRequired": false, "authorizationType": "NONE"}}})
    );
    assert_eq!(plane.patch(&uri, "replace", "/description", "new").unwrap()["description"], "new");
    assert_eq!(
        plane.refused("DELETE", &format!("/restapis/{api}/deployments/{second}"), Value::Null),
        "400 BadRequestException: Active stages pointing to this deployment must be moved or deleted"
    );
    plane.ok("DELETE", &uri, Value::Null);
    assert_eq!(
        plane.refused("GET", &uri, Value::Null),
        "404 NotFoundException: Invalid Deployment identifier specified"
    );
    // Back to the first: variables stay as they are.
    let rolled = plane.patch(&stage, "replace", "/deploymentId", &first).unwrap();
    assert_eq!((&rolled["deploymentId"], &rolled["variables"]["b"]), (&json!(first), &json!("3")));
    assert_eq!(earlier(&plane, &api), [""; 0]);
    let third = deploy(&mut plane, &api, json!({"stageName": "v1"}));
    plane.patch(&stage, "replace", "/deploymentId", &second).unwrap();
    assert_eq!(earlier(&plane, &api), [&*third, &first]);
    plane.ok("DELETE", &format!("/restapis/{api}/deployments/{third}"), Value::Null);
    assert_eq!(earlier(&plane, &api), [&*first], "only what is still there");
    plane.ok("DELETE", &stage, Value::Null);
    assert_eq!(earlier(&plane, &api), [""; 0]);
    assert!(plane.effects.removed_stages.contains(&(api, "v1".to_owned())));
}

#[test]
fn stages_are_made_as_recorded() {
    let mut plane = Plane::new();
    let api = api(&mut plane);
    let deployment = deploy(&mut plane, &api, json!({}));
    let uri = format!("/restapis/{api}/stages");
    let made = plane.ok(
        "POST",
        &uri,
        json!({
            "stageName": "v1", "deploymentId": deployment,
            "canarySettings": {
                "deploymentId": deployment, "percentTraffic": 50,
                "stageVariableOverrides": {"x": "1"},
            },
        }),
    );
    assert_eq!(
        made["canarySettings"],
        json!({
            "deploymentId": deployment, "percentTraffic": 50.0, "useStageCache": false,
            "stageVariableOverrides": {"x": "1"},
        })
    );
    for (name, value, message) in [
        ("stageName", "v1", "409 ConflictException: Stage already exists"),
        ("stageName", "a b", "400 BadRequestException: Stage name only allows a-zA-Z0-9_-"),
        ("deploymentId", "nope", "400 BadRequestException: Deployment id does not exist"),
    ] {
        let mut input = json!({"stageName": "v2", "deploymentId": deployment});
        input[name] = json!(value);
        assert_eq!(plane.refused("POST", &uri, input), message);
    }
    let list = plane.ok("GET", &format!("{uri}?deploymentId=nope"), Value::Null);
    assert_eq!(list, json!({"item": []}));
    assert_eq!(
        plane.refused("GET", &format!("{uri}/nope"), Value::Null),
        "404 NotFoundException: Invalid stage identifier specified"
    );
}

/// A plane with a stage to patch.
struct Patched {
    plane: Plane,
    uri: String,
    deployment: String,
}

impl Patched {
    fn new() -> Self {
        let mut plane = Plane::new();
        let api = api(&mut plane);
        let deployment = deploy(&mut plane, &api, json!({"stageName": "v1"}));
        Self { plane, uri: format!("/restapis/{api}/stages/v1"), deployment }
    }

    fn patch(&mut self, op: &str, path: &str, value: &str) -> Result<Value, String> {
        let uri = self.uri.clone();
        self.plane.patch(&uri, op, path, value).map_err(|error| error.message)
    }

    fn copy(&mut self, from: &str, path: &str) -> Result<Value, String> {
        let uri = self.uri.clone();
        let patch = json!({"op": "copy", "path": path, "from": from});
        let answer = self.plane.call("PATCH", &uri, json!({"patchOperations": [patch]}));
        answer.map_err(|error| error.message)
    }
}

fn nothing_there(path: &str) -> Result<Value, String> {
    Err(format!(
        "Cannot remove method setting {path} because there is no method setting for this method "
    ))
}

#[test]
fn method_settings_are_whole_once_touched() {
    let mut stage = Patched::new();
    let got = stage.patch("replace", "/*/*/throttling/burstLimit", "123").unwrap();
    let all = json!({
        "cacheDataEncrypted": false, "cacheTtlInSeconds": 300, "cachingEnabled": false,
        "dataTraceEnabled": false, "metricsEnabled": false,
        "requireAuthorizationForCacheControl": true, "throttlingBurstLimit": 123,
        "throttlingRateLimit": 10000.0,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
    });
    assert_eq!(got["methodSettings"], json!({"*/*": all}));
    stage.patch("replace", "/*/*/caching/enabled", "true").unwrap();
    let got = stage.patch("replace", "/~1pets~1{id}/GET/logging/loglevel", "INFO").unwrap();
    let own = &got["methodSettings"]["pets/{id}/GET"];
    assert_eq!(own["loggingLevel"], "INFO");
    assert_eq!((&own["cachingEnabled"], &own["throttlingBurstLimit"]), (&json!(true), &json!(123)));
    let got = stage.patch("remove", "/~1pets~1{id}/GET", "").unwrap();
    assert_eq!(got["methodSettings"].as_object().unwrap().len(), 1);
    stage.patch("remove", "/*/*", "").unwrap();
    assert_eq!(stage.patch("remove", "/*/*", ""), nothing_there("*/*"));
    for path in [
        "canarySettings/badPath",
        "canarySettings/stageVariableOverrides",
        "accessLogSettings/*",
        "accessLogSettings/destinationArn",
    ] {
        assert_eq!(stage.patch("remove", &format!("/{path}"), ""), nothing_there(path));
    }
    for path in
        ["/documentation_version", "/tags/tag1", "/canarySettings", "/canarySettings/badPath"]
    {
        let error = stage.patch("replace", path, "x").unwrap_err();
        let start =
            format!("Invalid method setting path: {path}. Must be one of: [/deploymentId, ");
        assert!(error.starts_with(&start) && error.ends_with("/tracingEnabled]"), "{error}");
    }
    assert!(stage.patch("replace", "/*/*/throttling/rateLimit", "fast").is_err());
}

#[test]
fn access_log_settings_and_variables_are_patched() {
    let mut stage = Patched::new();
    let got = stage.patch("add", "/accessLogSettings/destinationArn", "arn").unwrap();
    assert_eq!(got["accessLogSettings"], json!({"destinationArn": "arn"}));
    stage.patch("replace", "/accessLogSettings/format", "$context.requestId").unwrap();
    let wrong = Err("Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]".to_owned());
    assert_eq!(stage.patch("add", "/accessLogSettings", "x"), wrong);
    assert_eq!(stage.patch("replace", "/accessLogSettings/*", "x"), wrong);
    assert_eq!(
        stage.patch("replace", "/accessLogSettings/format", ""),
        Err("Access Log value must not be empty".to_owned())
    );
    let got = stage.patch("remove", "/accessLogSettings", "").unwrap();
    assert_eq!(got.get("accessLogSettings"), None);
    let got = stage.patch("replace", "/variables/v", "1").unwrap();
    assert_eq!(got["variables"], json!({"v": "1"}));
    assert!(stage.patch("replace", "/variables/v-w", "1").is_err());
    assert!(stage.patch("replace", "/variables/v", "a b").is_err());
    assert_eq!(stage.patch("remove", "/variables/v", "").unwrap().get("variables"), None);
}

#[test]
fn canaries_come_are_promoted_and_go() {
    let mut stage = Patched::new();
    let (uri, first) = (stage.uri.clone(), stage.deployment.clone());
    let api = uri.split('/').nth(2).unwrap().to_owned();
    let got = stage.patch("replace", "/canarySettings/percentTraffic", "50").unwrap();
    assert_eq!(
        got["canarySettings"],
        json!({"deploymentId": first, "percentTraffic": 50.0, "useStageCache": false})
    );
    assert_eq!(stage.patch("remove", "/canarySettings", "").unwrap().get("canarySettings"), None);
    assert_eq!(
        stage.copy("/canarySettings/deploymentId", "/deploymentId"),
        Err("Promotion not available. Canary does not exist.".to_owned())
    );
    assert_eq!(
        stage.patch("add", "/canarySettings/deploymentId", "x"),
        Err("Invalid add operation with path: /canarySettings/deploymentId".to_owned())
    );
    assert_eq!(
        stage.patch("replace", "/canarySettings/deploymentId", "nope"),
        Err("Deployment id does not exist".to_owned())
    );
    let canary = json!({"percentTraffic": 10, "stageVariableOverrides": {"color": "blue"}});
    let input = json!({"stageName": "v1", "canarySettings": canary});
    let second = deploy(&mut stage.plane, &api, input);
    let deployments = |stage: &mut Patched| {
        let got = stage.plane.ok("GET", &uri, Value::Null);
        [got["deploymentId"].clone(), got["canarySettings"]["deploymentId"].clone()]
    };
    assert_eq!(deployments(&mut stage), [json!(first), json!(second)]);
    // A plain deployment to a stage with a canary is the canary's.
    let third = deploy(&mut stage.plane, &api, json!({"stageName": "v1"}));
    assert_eq!(deployments(&mut stage), [json!(first), json!(third)]);
    stage.patch("replace", "/canarySettings/percentTraffic", "0.0").unwrap();
    stage.copy("/canarySettings/stageVariableOverrides", "/variables").unwrap();
    let got = stage.copy("/canarySettings/deploymentId", "/deploymentId").unwrap();
    assert_eq!(got["variables"], json!({"color": "blue"}));
    assert_eq!(got["canarySettings"]["percentTraffic"], json!(0.0));
    assert_eq!(deployments(&mut stage), [json!(third), json!(third)]);
    let error = stage.copy("/variables", "/deploymentId").unwrap_err();
    let start =
        "Invalid copy operation with path: /deploymentId and from /variables. Valid copy:path are";
    assert!(error.starts_with(start), "{error}");
    assert!(stage.patch("replace", "/canarySettings/percentTraffic", "100.1").is_err());
    assert!(stage.patch("replace", "/canarySettings/percentTraffic", "NaN").is_err());
    let null = "Non null and non empty stageName must be provided for canary deployment. Provided value is ";
    for (input, message) in [
        (json!({"canarySettings": {}}), format!("{null}null")),
        (json!({"canarySettings": {}, "stageName": ""}), null.to_owned()),
        (
            json!({"canarySettings": {}, "stageName": "non-existing"}),
            "Stage non-existing must already be created before making a canary release deployment"
                .to_owned(),
        ),
    ] {
        let got = stage.plane.refused("POST", &format!("/restapis/{api}/deployments"), input);
        let want =
            format!("400 BadRequestException: Invalid deployment content specified.{message}");
        assert_eq!(got, want);
    }
}
