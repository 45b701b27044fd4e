use serde_json::{Value, json};

use super::super::objects::Stage;
use super::super::testing::Plane;

/// Puts stages into the store as CreateStage would.
fn stages(plane: &Plane, all: &[(&str, &str)]) {
    let transaction = plane.store().write().unwrap();
    for (api, stage) in all {
        let stage_name = (*stage).to_owned();
        transaction.put(&[api, stage], &Stage { stage_name, ..Stage::default() }).unwrap();
    }
    transaction.commit().unwrap();
}

fn create(plane: &mut Plane, input: Value) -> String {
    plane.ok("POST", "/usageplans", input)["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_new_plan_is_answered_as_recorded() {
    let mut plane = Plane::new();
    stages(&plane, &[("a1", "dev")]);
    let mut plan = plane.ok("POST", "/usageplans", json!({"name": "gold"}));
    let id = plan["id"].take();
    assert_eq!(id.as_str().unwrap().len(), 6);
    assert_eq!(plan, json!({"id": null, "name": "gold", "apiStages": []}));
    let got = plane.ok("GET", &format!("/usageplans/{}", id.as_str().unwrap()), Value::Null);
    assert_eq!(got["tags"], json!({}));
    let listed = plane.ok("GET", "/usageplans", Value::Null);
    assert_eq!(listed["item"][0].get("tags"), None);
    let plan = plane.ok(
        "POST",
        "/usageplans",
        json!({
            "name": "x", "quota": {"limit": 10, "period": "DAY"}, "tags": {"a": "b"},
            "throttle": {"rateLimit": 2, "burstLimit": 5},
            "apiStages": [{"apiId": "a1", "stage": "dev"}],
        }),
    );
    assert_eq!(plan["quota"], json!({"limit": 10, "offset": 0, "period": "DAY"}));
    assert_eq!(plan["throttle"], json!({"burstLimit": 5, "rateLimit": 2.0}));
    assert_eq!(plan["apiStages"], json!([{"apiId": "a1", "stage": "dev"}]));
    assert_eq!(plan["tags"], json!({"a": "b"}));
    assert!(plane.effects.plans.contains(plan["id"].as_str().unwrap()));
}

#[test]
fn wrong_plans_are_refused() {
    let mut plane = Plane::new();
    stages(&plane, &[("a1", "dev")]);
    for (input, want) in [
        (json!({"name": ""}), "400 BadRequestException: Usage Plan name must be set"),
        (
            json!({"apiStages": [{"apiId": "a1"}]}),
            "400 BadRequestException: Invalid API Stage specified",
        ),
        (
            json!({"apiStages": [{"apiId": "a1", "stage": "dev"}, {"apiId": "a1", "stage": "dev"}]}),
            "400 BadRequestException: Invalid API Stage specified",
        ),
        (
            json!({"quota": {"limit": 1, "offset": 1, "period": "DAY"}}),
            "400 BadRequestException: Usage Plan quota offset must be zero in the DAY period",
        ),
        (
            json!({"quota": {"limit": 1, "offset": 7, "period": "WEEK"}}),
            "400 BadRequestException: Usage Plan quota offset must be between zero and six inclusive in the WEEK period",
        ),
        (
            json!({"quota": {"limit": 1, "offset": 28, "period": "MONTH"}}),
            "400 BadRequestException: Usage Plan quota offset must be between zero and 27 inclusive in the MONTH period",
        ),
        (
            json!({"quota": {"limit": -1, "period": "DAY"}}),
            "400 BadRequestException: Usage Plan quota limit must not be negative",
        ),
        (
            json!({"quota": {"limit": 10}}),
            "400 BadRequestException: Usage Plan quota period must be set",
        ),
        (
            json!({"quota": {"period": "DAY"}}),
            "400 BadRequestException: Usage Plan quota limit must be set",
        ),
        (json!({"quota": {}}), "400 BadRequestException: Usage Plan quota limit must be set"),
        (
            json!({"throttle": {"rateLimit": -0.5}}),
            "400 BadRequestException: Throttle limits must not be negative",
        ),
        (
            json!({"quota": {"period": "YEAR"}}),
            "400 ValidationException: 1 validation error detected: Value 'YEAR' at 'createUsagePlanInput.quota.period' failed to satisfy constraint: Member must satisfy enum value set: [DAY, WEEK, MONTH]",
        ),
    ] {
        let mut input = input;
        input["name"] = input.get("name").cloned().unwrap_or(json!("x"));
        assert_eq!(plane.refused("POST", "/usageplans", input), want);
    }
    let got = plane.refused(
        "POST",
        "/usageplans",
        json!({"name": "x", "apiStages": [{"apiId": "a1", "stage": "no"}]}),
    );
    let want =
        "404 NotFoundException: Invalid API Stage {api: a1, stage: no} specified for usageplan ";
    assert!(got.starts_with(want), "{got}");
    for (method, uri) in [("GET", ""), ("DELETE", ""), ("PATCH", ""), ("GET", "/keys")] {
        assert_eq!(
            plane.refused(method, &format!("/usageplans/nope{uri}"), Value::Null),
            "404 NotFoundException: Invalid Usage Plan ID specified"
        );
    }
}

#[test]
fn patches_set_throttle_and_quota_that_were_not_there() {
    let mut plane = Plane::new();
    let id = create(&mut plane, json!({"name": "x"}));
    let uri = format!("/usageplans/{id}");
    let patches: Vec<Value> = [
        ("/throttle/burstLimit", "100"),
        ("/throttle/rateLimit", "200"),
        ("/quota/period", "MONTH"),
        ("/quota/limit", "5000"),
        ("/productCode", "p"),
        ("/description", "d"),
        ("/name", "new"),
    ]
    .into_iter()
    .map(|(path, value)| json!({"op": "replace", "path": path, "value": value}))
    .collect();
    let plan = plane.ok("PATCH", &uri, json!({"patchOperations": patches}));
    assert_eq!(
        plan,
        json!({
            "id": id, "name": "new", "description": "d", "apiStages": [], "productCode": "p",
            "throttle": {"burstLimit": 100, "rateLimit": 200.0},
            "quota": {"limit": 5000, "offset": 0, "period": "MONTH"}, "tags": {},
        })
    );
    for path in ["/quota", "/throttle", "/productCode"] {
        let plan = plane.patch(&uri, "remove", path, "").unwrap();
        assert_eq!(plan.get(&path[1..]), None, "{path}");
    }
    for (op, path, value, want) in [
        (
            "remove",
            "/name",
            "",
            "Invalid patch path  '/name' specified for op 'remove'. Must be one of: [/apiStages, /quota, /throttle, /productCode, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, /apiStages/<apidId:stageName>/throttle]",
        ),
        (
            "add",
            "/nope",
            "",
            "Invalid patch path  '/nope' specified for op 'add'. Must be one of: [/apiStages]",
        ),
        (
            "replace",
            "/throttle/rateLimit",
            "NaN",
            "Invalid value specified for /throttle/rateLimit",
        ),
        (
            "replace",
            "/throttle/burstLimit",
            "1.5",
            "Invalid value specified for /throttle/burstLimit",
        ),
        ("replace", "/quota/limit", "-5", "Usage Plan quota limit must not be negative"),
        (
            "replace",
            "/quota/period",
            "YEAR",
            "Invalid quota period specified. Valid options are DAY,WEEK,MONTH",
        ),
        // One without the other would hold nobody back.
        ("replace", "/quota/limit", "5", "Usage Plan quota period must be set"),
        ("replace", "/quota/period", "DAY", "Usage Plan quota limit must be set"),
        ("add", "/quota/offset", "0", "Usage Plan quota limit must be set"),
        ("replace", "/name", "", "Usage Plan name must be set"),
    ] {
        assert_eq!(plane.patch(&uri, op, path, value).unwrap_err().message, want, "{op} {path}");
    }
    assert_eq!(plane.ok("GET", &uri, Value::Null).get("quota"), None);
    let got = plane.patch(&uri, "replace", "/nope", "").unwrap_err().message;
    assert!(got.starts_with(
        "Invalid patch path  '/nope' specified for op 'replace'. Must be one of: [/name, "
    ));
}

#[test]
fn stages_come_and_go_as_recorded() {
    let mut plane = Plane::new();
    stages(&plane, &[("a1", "dev"), ("a1", "prod")]);
    let id = create(&mut plane, json!({"name": "x"}));
    let uri = format!("/usageplans/{id}");
    for (op, value, want) in [
        ("remove", "", "Invalid API Stage specified".to_owned()),
        ("remove", "a1", "Invalid API Stage specified".to_owned()),
        ("add", "a1", "Invalid API Stage specified".to_owned()),
        (
            "remove",
            "a1:no",
            format!("Invalid API Stage {{api: a1, stage: no}} specified for usageplan {id}"),
        ),
        (
            "add",
            "b2:dev",
            format!("Invalid API Stage {{api: b2, stage: dev}} specified for usageplan {id}"),
        ),
    ] {
        let error = plane.patch(&uri, op, "/apiStages", value).unwrap_err();
        let status = if value.contains(':') { 404 } else { 400 };
        assert_eq!((error.status, error.message), (status, want), "{op} {value}");
    }
    plane.patch(&uri, "add", "/apiStages", "a1:dev").unwrap();
    plane.patch(&uri, "add", "/apiStages", "a1:dev").unwrap();
    let plan = plane.patch(&uri, "add", "/apiStages", "a1:prod").unwrap();
    assert_eq!(plan["apiStages"].as_array().unwrap().len(), 2);
    assert_eq!(
        plane.refused("DELETE", &uri, Value::Null),
        format!(
            "400 BadRequestException: Cannot delete Usage Plan {id} because there are API Stages associated with it, including a1:dev"
        )
    );
    let plan = plane.patch(&uri, "remove", "/apiStages", "a1:dev").unwrap();
    assert_eq!(plan["apiStages"], json!([{"apiId": "a1", "stage": "prod"}]));
    plane.patch(&uri, "remove", "/apiStages", "a1:prod").unwrap();
    plane.ok("DELETE", &uri, Value::Null);
}

#[test]
fn methods_of_a_stage_have_throttles_of_their_own() {
    let mut plane = Plane::new();
    stages(&plane, &[("a1", "dev")]);
    let id =
        create(&mut plane, json!({"name": "x", "apiStages": [{"apiId": "a1", "stage": "dev"}]}));
    let uri = format!("/usageplans/{id}");
    let mut patch = |op: &str, rest: &str, value: &str| {
        let path = format!("/apiStages/a1:dev/throttle{rest}");
        plane.patch(&uri, op, &path, value).map(|plan| plan["apiStages"][0]["throttle"].clone())
    };
    for (op, rest, value, want) in [
        ("replace", "/~1pets/GET/rateLimit", "5", json!({"/pets/GET": {"rateLimit": 5.0}})),
        // As Terraform writes it.
        (
            "replace",
            "//pets/GET/burstLimit",
            "7",
            json!({"/pets/GET": {"rateLimit": 5.0, "burstLimit": 7}}),
        ),
        (
            "replace",
            "/~1pets~1{id}/PUT",
            r#"{"rateLimit": 1}"#,
            json!({"/pets/GET": {"rateLimit": 5.0, "burstLimit": 7}, "/pets/{id}/PUT": {"rateLimit": 1.0}}),
        ),
        ("remove", "/~1pets/GET", "", json!({"/pets/{id}/PUT": {"rateLimit": 1.0}})),
        ("remove", "", "", Value::Null),
        ("replace", "", r#"{"/a/GET": {"burstLimit": 3}}"#, json!({"/a/GET": {"burstLimit": 3}})),
        ("remove", "/~1a/GET", "", Value::Null),
        // The root's path is `/`, however it is written.
        ("replace", "/~1/GET/burstLimit", "1", json!({"//GET": {"burstLimit": 1}})),
        ("replace", "//GET/burstLimit", "2", json!({"//GET": {"burstLimit": 2}})),
        ("remove", "/~1/GET", "", Value::Null),
    ] {
        assert_eq!(patch(op, rest, value).unwrap(), want, "{op} {rest}");
    }
    for (op, rest, value) in [
        ("replace", "", "x"),
        ("replace", "/~1a/GET", "[]"),
        ("replace", "/~1a/GET/rateLimit", "fast"),
        ("replace", "/~1a/GET/rateLimit", "-1"),
        ("remove", "/~1a/GET", ""),
        ("remove", "/~1a/GET/rateLimit", ""),
        ("copy", "", ""),
    ] {
        assert!(patch(op, rest, value).is_err(), "{op} {rest}");
    }
    let got = plane.patch(&uri, "remove", "/apiStages/a1:dev", "").unwrap_err().message;
    assert!(got.starts_with("Invalid patch path  '/apiStages/a1:dev' specified for op 'remove'. Must be one of: [/apiStages, "));
    let got = plane.patch(&uri, "remove", "/apiStages/b:c/throttle", "").unwrap_err().message;
    assert_eq!(got, format!("Invalid API Stage {{api: b, stage: c}} specified for usageplan {id}"));
}

#[test]
fn a_deleted_api_leaves_its_plans() {
    let mut plane = Plane::new();
    let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
    let api = api["id"].as_str().unwrap().to_owned();
    stages(&plane, &[(&api, "dev"), (&api, "prod"), ("b2", "dev")]);
    let all: Vec<Value> = [(&*api, "dev"), (&*api, "prod"), ("b2", "dev")]
        .iter()
        .map(|(api, stage)| json!({"apiId": api, "stage": stage}))
        .collect();
    let id = create(&mut plane, json!({"name": "x", "apiStages": all}));
    plane.ok("DELETE", &format!("/restapis/{api}"), Value::Null);
    let plan = plane.ok("GET", &format!("/usageplans/{id}"), Value::Null);
    assert_eq!(plan["apiStages"], json!([{"apiId": "b2", "stage": "dev"}]));
    let api = plane.ok("POST", "/restapis", json!({"name": "toys"}));
    let api = api["id"].as_str().unwrap().to_owned();
    stages(&plane, &[(&api, "dev")]);
    let only = json!({"name": "x", "apiStages": [{"apiId": api, "stage": "dev"}]});
    let uri = format!("/usageplans/{}", create(&mut plane, only));
    assert!(plane.refused("DELETE", &uri, Value::Null).starts_with("400"));
    plane.ok("DELETE", &format!("/restapis/{api}"), Value::Null);
    plane.ok("DELETE", &uri, Value::Null);
}

#[test]
fn plans_come_in_pages_and_by_key() {
    let mut plane = Plane::new();
    let mut made: Vec<String> = (0..3).map(|_| create(&mut plane, json!({"name": "x"}))).collect();
    made.sort();
    let first = plane.ok("GET", "/usageplans?limit=2", Value::Null);
    let position = first["position"].as_str().unwrap();
    assert_eq!((first["item"][1]["id"].as_str(), position), (Some(&*made[1]), &*made[1]));
    let rest = plane.ok("GET", &format!("/usageplans?limit=2&position={position}"), Value::Null);
    assert_eq!((rest["item"][0]["id"].as_str(), rest.get("position")), (Some(&*made[2]), None));
    let key = plane.ok("POST", "/apikeys", json!({}))["id"].as_str().unwrap().to_owned();
    let input = json!({"keyId": key, "keyType": "API_KEY"});
    plane.ok("POST", &format!("/usageplans/{}/keys", made[1]), input);
    let of_key = plane.ok("GET", &format!("/usageplans?keyId={key}"), Value::Null);
    assert_eq!(of_key["item"].as_array().unwrap().len(), 1);
    assert_eq!(of_key["item"][0]["id"], *made[1]);
}
