use serde_json::{Value, json};

use super::super::testing::Plane;

/// The URI of an API, and of its documentation.
fn documentation(plane: &mut Plane) -> (String, String) {
    let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
    let uri = format!("/restapis/{}", api["id"].as_str().unwrap());
    let documentation = format!("{uri}/documentation");
    (uri, documentation)
}

fn part(location: Value, properties: &str) -> Value {
    json!({"location": location, "properties": properties})
}

/// Locations of a list of parts.
fn locations(answer: &Value) -> Vec<Value> {
    answer["item"].as_array().unwrap().iter().map(|it| it["location"].clone()).collect()
}

#[test]
fn parts_are_answered_as_recorded() {
    let mut plane = Plane::new();
    let uri = format!("{}/parts", documentation(&mut plane).1);
    let made = plane.ok("POST", &uri, part(json!({"type": "API"}), "{\"a\":1}"));
    let id = made["id"].clone();
    assert_eq!(made, json!({"id": id, "location": {"type": "API"}, "properties": "{\"a\":1}"}));
    let one = format!("{uri}/{}", id.as_str().unwrap());
    assert_eq!(plane.ok("GET", &one, Value::Null), made);
    let answer = plane.patch(&one, "replace", "/properties", "{ }").unwrap();
    assert_eq!(answer["properties"], "{ }");
    plane.ok("DELETE", &one, Value::Null);
    for method in ["GET", "PATCH", "DELETE"] {
        for uri in [&one, "/restapis/nope/documentation/parts/x"] {
            assert_eq!(
                plane.refused(method, uri, json!({})),
                "404 NotFoundException: Invalid Documentation part identifier specified"
            );
        }
    }
    for (method, input) in
        [("GET", Value::Null), ("POST", part(json!({"type": "API"}), "{}")), ("PUT", json!("{}"))]
    {
        assert_eq!(
            plane.refused(method, "/restapis/nope/documentation/parts", input),
            "404 NotFoundException: Invalid API identifier specified 123456789012:nope"
        );
    }
}

#[test]
fn wrong_parts_are_refused() {
    let mut plane = Plane::new();
    let uri = format!("{}/parts", documentation(&mut plane).1);
    let made = plane.ok("POST", &uri, part(json!({"type": "API"}), "{}"));
    let one = format!("{uri}/{}", made["id"].as_str().unwrap());
    let method = json!({"type": "METHOD", "path": "/", "method": "GET"});
    plane.ok("POST", &uri, part(method.clone(), "{}"));
    plane.ok("POST", &uri, part(json!({"type": "RESOURCE", "path": "/"}), "{}"));
    for (location, properties, want) in [
        (
            json!({"type": "API"}),
            "{}",
            "409 ConflictException: Documentation part already exists for the specified location: type 'API'.",
        ),
        (
            method,
            "{}",
            "409 ConflictException: Documentation part already exists for the specified location: type 'METHOD', path '/', method 'GET'.",
        ),
        // What is left out is the default.
        (
            json!({"type": "RESOURCE"}),
            "{}",
            "409 ConflictException: Documentation part already exists for the specified location: type 'RESOURCE'.",
        ),
        (
            json!({"type": "API", "path": "/"}),
            "{}",
            "400 BadRequestException: Invalid location specified: type 'API' has no path",
        ),
        (
            json!({"type": "MODEL"}),
            "{}",
            "400 BadRequestException: Invalid location specified: type 'MODEL' needs a name",
        ),
        (
            json!({"type": "RESPONSE", "statusCode": "2xx"}),
            "{}",
            "400 BadRequestException: Invalid location specified: statusCode has to be like 200, or *",
        ),
        (
            json!({"type": "RESOURCE", "path": "pets"}),
            "{}",
            "400 BadRequestException: Invalid location specified: path has to begin with '/'",
        ),
        (
            json!({}),
            "{}",
            "400 BadRequestException: Invalid location specified: there is no type ''",
        ),
        (
            json!({"type": "MODEL", "name": "x"}),
            "",
            "400 BadRequestException: Documentation part properties must be non-empty",
        ),
        (
            json!({"type": "MODEL", "name": "x"}),
            "text",
            "400 BadRequestException: Documentation part properties must be valid JSON: expected ident at line 1 column 2",
        ),
    ] {
        assert_eq!(plane.refused("POST", &uri, part(location, properties)), want);
    }
    let refused = plane.refused("POST", &uri, part(json!({"type": "TEAPOT"}), "{}"));
    let want = "400 ValidationException: 1 validation error detected: Value 'TEAPOT' at 'createDocumentationPartInput.location.type' failed to satisfy constraint: Member must satisfy enum value set: [API, ";
    assert!(refused.starts_with(want), "{refused}");
    for (op, path, value, want) in [
        ("replace", "/properties", "", "Documentation part properties must be non-empty"),
        (
            "replace",
            "/location",
            "x",
            "Invalid patch path  '/location' specified for op 'replace'. Must be one of: [/properties]",
        ),
        (
            "add",
            "/properties",
            "{}",
            "Invalid patch path  '/properties' specified for op 'add'. Please choose supported operations",
        ),
        (
            "remove",
            "/nope",
            "",
            "Invalid patch path  '/nope' specified for op 'remove'. Please choose supported operations",
        ),
    ] {
        let error = plane.patch(&one, op, path, value).unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (400, want));
    }
}

#[test]
fn parts_are_listed_by_what_they_are_about() {
    let mut plane = Plane::new();
    let uri = format!("{}/parts", documentation(&mut plane).1);
    let pets = json!({"type": "RESOURCE", "path": "/pets"});
    let pet = json!({"type": "MODEL", "name": "Pet"});
    let root = json!({"type": "RESOURCE"});
    for location in [&pets, &pet, &root] {
        plane.ok("POST", &uri, part(location.clone(), "{}"));
    }
    for (query, want) in [
        ("type=RESOURCE&path=%2Fpets", vec![&pets]),
        ("path=%2F", vec![&root]),
        ("name=Pe", vec![&pet]),
        ("name=pe", vec![]),
        ("type=MODEL&locationStatus=DOCUMENTED", vec![&pet]),
        ("type=API", vec![]),
    ] {
        let answer = plane.ok("GET", &format!("{uri}?{query}"), Value::Null);
        assert_eq!(locations(&answer).iter().collect::<Vec<_>>(), want, "{query}");
    }
    let page = plane.ok("GET", &format!("{uri}?limit=2"), Value::Null);
    let rest = format!("{uri}?limit=2&position={}", page["position"].as_str().unwrap());
    assert_eq!(locations(&plane.ok("GET", &rest, Value::Null)).len(), 1);
    assert_eq!(
        plane.refused("GET", &format!("{uri}?locationStatus=SOME"), Value::Null),
        "400 ValidationException: 1 validation error detected: Value 'SOME' at 'locationStatus' failed to satisfy constraint: Member must satisfy enum value set: [DOCUMENTED, UNDOCUMENTED]"
    );
}

#[test]
fn what_is_not_documented_is_listed_without_ids() {
    let mut plane = Plane::new();
    let (api, uri) = documentation(&mut plane);
    let uri = format!("{uri}/parts");
    let root = plane.ok("GET", &api, Value::Null)["rootResourceId"].as_str().unwrap().to_owned();
    let method = format!("{api}/resources/{root}/methods/GET");
    let input = json!({
        "authorizationType": "NONE",
        "requestParameters": {
            "method.request.path.p": true, "method.request.querystring.q": true,
            "method.request.header.H": true,
        },
        "requestModels": {"application/json": "Empty"},
    });
    plane.ok("PUT", &method, input);
    let input = json!({
        "responseParameters": {"method.response.header.X": true},
        "responseModels": {"application/json": "Error"},
    });
    plane.ok("PUT", &format!("{method}/responses/200"), input);
    let get = |kind: &str| json!({"type": kind, "path": "/", "method": "GET"});
    let with = |mut location: Value, member: &str, value: &str| {
        location[member] = json!(value);
        location
    };
    let mut want = vec![
        json!({"type": "API"}),
        json!({"type": "MODEL", "name": "Empty"}),
        json!({"type": "MODEL", "name": "Error"}),
        json!({"type": "RESOURCE", "path": "/"}),
        get("METHOD"),
        with(get("PATH_PARAMETER"), "name", "p"),
        with(get("QUERY_PARAMETER"), "name", "q"),
        with(get("REQUEST_HEADER"), "name", "H"),
        get("REQUEST_BODY"),
        with(get("RESPONSE"), "statusCode", "200"),
        with(with(get("RESPONSE_HEADER"), "statusCode", "200"), "name", "X"),
        with(get("RESPONSE_BODY"), "statusCode", "200"),
    ];
    let undocumented = format!("{uri}?locationStatus=UNDOCUMENTED");
    let answer = plane.ok("GET", &undocumented, Value::Null);
    assert_eq!(answer["item"][0], json!({"location": {"type": "API"}}));
    assert_eq!(locations(&answer), want);
    // A part about any method or status is about each.
    for location in [
        json!({"type": "API"}),
        json!({"type": "RESOURCE"}),
        json!({"type": "METHOD"}),
        json!({"type": "RESPONSE", "method": "GET"}),
    ] {
        plane.ok("POST", &uri, part(location.clone(), "{}"));
        want.retain(|it| it["type"] != location["type"]);
    }
    assert_eq!(locations(&plane.ok("GET", &undocumented, Value::Null)), want);
    let page = plane.ok("GET", &format!("{undocumented}&limit=3"), Value::Null);
    let position = page["position"].as_str().unwrap().replace(' ', "%20");
    let rest = plane.ok("GET", &format!("{undocumented}&position={position}"), Value::Null);
    assert_eq!(locations(&rest), want[3..]);
}

#[test]
fn a_version_keeps_the_parts_as_they_were() {
    let mut plane = Plane::new();
    let (api, uri) = documentation(&mut plane);
    let (parts, versions) = (format!("{uri}/parts"), format!("{uri}/versions"));
    let made = plane.ok("POST", &parts, part(json!({"type": "API"}), "{\"v\":1}"));
    let input = json!({"documentationVersion": "1.0"});
    let version = plane.ok("POST", &versions, input.clone());
    assert_eq!(version, json!({"version": "1.0", "createdDate": 1_700_000_000}));
    let one = format!("{parts}/{}", made["id"].as_str().unwrap());
    plane.patch(&one, "replace", "/properties", "{\"v\":2}").unwrap();
    let mut frozen = Vec::new();
    plane.with_context(|context| {
        let api = api.rsplit('/').next().unwrap();
        frozen = super::frozen_parts(context, api, "1.0").unwrap();
        assert_eq!(super::frozen_parts(context, api, "2.0").unwrap(), []);
    });
    assert_eq!((frozen.len(), frozen[0].properties.as_str()), (1, "{\"v\":1}"));

    let one = format!("{versions}/1.0");
    assert_eq!(plane.ok("GET", &one, Value::Null), version);
    let answer = plane.patch(&one, "replace", "/description", "d").unwrap();
    assert_eq!(answer["description"], "d");
    assert_eq!(plane.ok("GET", &versions, Value::Null), json!({"item": [answer]}));
    assert_eq!(
        plane.refused("POST", &versions, input),
        "409 ConflictException: Documentation version already exists"
    );
    for (op, path, want) in [
        (
            "replace",
            "/version",
            "Invalid patch path  '/version' specified for op 'replace'. Must be one of: [/description]",
        ),
        (
            "add",
            "/description",
            "Invalid patch path  '/description' specified for op 'add'. Please choose supported operations",
        ),
    ] {
        let error = plane.patch(&one, op, path, "x").unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (400, want));
    }
    for wrong in ["", " ", "a\0b"] {
        assert_eq!(
            plane.refused("POST", &versions, json!({"documentationVersion": wrong})),
            "400 BadRequestException: Invalid Documentation version specified"
        );
    }
    assert_eq!(
        plane.refused("POST", &versions, json!({"documentationVersion": "2", "stageName": "x"})),
        "404 NotFoundException: Invalid Stage identifier specified"
    );
    plane.ok("DELETE", &one, Value::Null);
    plane.with_context(|context| {
        let api = api.rsplit('/').next().unwrap();
        assert_eq!(super::frozen_parts(context, api, "1.0").unwrap(), []);
    });
    for method in ["GET", "PATCH", "DELETE"] {
        assert_eq!(
            plane.refused(method, &one, json!({})),
            "404 NotFoundException: Invalid Documentation version specified"
        );
    }
}

#[test]
fn a_version_may_be_given_to_a_stage() {
    let mut plane = Plane::new();
    let (api, uri) = documentation(&mut plane);
    let ids = [api.rsplit('/').next().unwrap(), "dev"];
    let writing = plane.store().write().unwrap();
    let stage = super::Stage { stage_name: "dev".to_owned(), ..Default::default() };
    writing.put(&ids, &stage).unwrap();
    writing.commit().unwrap();
    let input = json!({"documentationVersion": "1", "stageName": "dev", "description": ""});
    plane.ok("POST", &format!("{uri}/versions"), input);
    let stage: super::Stage = plane.store().read().unwrap().get(&ids).unwrap().unwrap();
    assert_eq!(stage.documentation_version.as_deref(), Some("1"));
}

const DOCUMENT: &str = r##"{
    "openapi": "3.0.1", "info": {"title": "pets", "version": "1"}, "paths": {},
    "x-amazon-apigateway-documentation": {
        "version": "1.0.3",
        "documentationParts": [
            {"location": {"type": "API"}, "properties": {"description": "API", "n": 1.50}},
            {"location": {"type": "RESPONSE", "method": "GET", "statusCode": 200}, "properties": {}},
            {"location": {"type": "API", "name": "x"}, "properties": {}},
            {"location": {"type": "METHOD", "path": "/", "method": "GET"}}
        ]
    }
}"##;

#[test]
fn parts_are_imported_from_documents() {
    let mut plane = Plane::new();
    let uri = format!("{}/parts", documentation(&mut plane).1);
    let there = plane.ok("POST", &uri, part(json!({"type": "API"}), "{}"))["id"].clone();
    let other = json!({"type": "MODEL", "name": "Pet"});
    plane.ok("POST", &uri, part(other.clone(), "{}"));
    assert_eq!(
        plane.refused("PUT", &format!("{uri}?failonwarnings=true"), json!(DOCUMENT)),
        "400 BadRequestException: Warnings found during import:\n\tIgnoring documentation part 3: Invalid location specified: type 'API' has no name\n\tIgnoring documentation part 4: it has no properties"
    );
    let answer = plane.ok("PUT", &uri, json!(DOCUMENT));
    assert_eq!(
        answer["warnings"],
        json!([
            "Ignoring documentation part 3: Invalid location specified: type 'API' has no name",
            "Ignoring documentation part 4: it has no properties",
        ])
    );
    let ids = answer["ids"].as_array().unwrap();
    assert_eq!((ids.len(), &ids[0]), (2, &there));
    let api = plane.ok("GET", &format!("{uri}/{}", there.as_str().unwrap()), Value::Null);
    assert_eq!(api["properties"], r#"{"description":"API","n":1.5}"#);
    let response = plane.ok("GET", &format!("{uri}/{}", ids[1].as_str().unwrap()), Value::Null);
    assert_eq!(
        response["location"],
        json!({"type": "RESPONSE", "method": "GET", "statusCode": "200"})
    );
    assert_eq!(locations(&plane.ok("GET", &uri, Value::Null)).len(), 3);

    let yaml = "x-amazon-apigateway-documentation:\n  documentationParts:\n  - location: {type: API}\n    properties: {a: [0x1F, yes, null]}\n  - location: {type: API}\n    properties: {a: 2}\n";
    let answer = plane.ok("PUT", &format!("{uri}?mode=overwrite"), json!(yaml));
    assert_eq!(answer, json!({"ids": [there]}));
    let all = plane.ok("GET", &uri, Value::Null);
    assert_eq!(all["item"].as_array().unwrap().len(), 1);
    assert_eq!(all["item"][0]["properties"], r#"{"a":2}"#);
    assert_eq!(plane.ok("PUT", &uri, json!("{\"swagger\": \"2.0\"}")), json!({"ids": []}));
}

#[test]
fn what_is_no_document_is_refused() {
    let mut plane = Plane::new();
    let uri = format!("{}/parts", documentation(&mut plane).1);
    let deep = "[".repeat(100_000);
    for text in ["", "text", "{", "[]", "a: b: c", "%", &deep] {
        assert_eq!(
            plane.refused("PUT", &uri, json!(text)),
            "400 BadRequestException: Unable to build importer with provided input.",
            "{text:.20}"
        );
    }
    assert_eq!(
        plane.refused("PUT", &format!("{uri}?mode=some"), json!("{}")),
        "400 ValidationException: 1 validation error detected: Value 'some' at 'mode' failed to satisfy constraint: Member must satisfy enum value set: [merge, overwrite]"
    );
}

#[test]
fn a_deleted_api_leaves_no_frozen_parts() {
    let mut plane = Plane::new();
    let (api, uri) = documentation(&mut plane);
    plane.ok("POST", &format!("{uri}/parts"), part(json!({"type": "API"}), "{}"));
    plane.ok("POST", &format!("{uri}/versions"), json!({"documentationVersion": "1"}));
    plane.ok("DELETE", &api, Value::Null);
    plane.with_context(|context| {
        let api = api.rsplit('/').next().unwrap();
        assert_eq!(super::frozen_parts(context, api, "1").unwrap(), []);
    });
}
