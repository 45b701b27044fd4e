use super::*;
use crate::model;
use crate::openapi::{self, Document};

fn imported(text: &str) -> model::RestApi {
    let document = Document::parse_within(text, None).expect("a document");
    let import = openapi::import(&document);
    assert!(import.is_sound(), "{:?}", import.diagnostics);
    import.api
}

fn empty() -> Definition {
    Definition {
        rest_api: RestApi {
            id: "a1b2c3d4e5".to_owned(),
            root_resource_id: "r1r2r3r4r5".to_owned(),
            ..RestApi::default()
        },
        ..Definition::default()
    }
}

const PETS: &str = r##"{
  "openapi": "3.0.1",
  "info": {"title": "Pets", "version": "7", "description": "about pets"},
  "x-amazon-apigateway-binary-media-types": ["image/png"],
  "x-amazon-apigateway-gateway-responses": {"THROTTLED": {"statusCode": 420,
    "responseTemplates": {"application/json": "{}"}}},
  "paths": {
    "/pets/{id}": {"get": {
      "operationId": "pet",
      "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
      "responses": {"200": {"description": "ok", "headers": {"X-A": {"schema": {"type": "string"}}}}},
      "x-amazon-apigateway-integration": {
        "type": "http", "httpMethod": "POST", "uri": "http://127.0.0.1:9/pets/{id}",
        "requestParameters": {"integration.request.path.id": "method.request.path.id"},
        "requestTemplates": {"application/json": "{}"}, "timeoutInMillis": 1000,
        "responses": {"default": {"statusCode": "200"}, "4\\d{2}": {"statusCode": "404",
          "responseParameters": {"method.response.header.X-A": "'a'"},
          "responseTemplates": {"application/json": "gone"}}}
      }}},
    "/toys": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": {
      "type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
      "responses": {"default": {"statusCode": "200"}}}}}
  }
}"##;

/// A model without what documents of the store do not know.
fn without_origin(mut api: model::RestApi) -> model::RestApi {
    for resource in &mut api.resources {
        resource.id.clear();
        for method in resource.methods.values_mut() {
            method.pointer.clear();
            let Some(integration) = &mut method.integration else { continue };
            integration.pointer.clear();
            integration.cache_namespace = None;
            integration.responses.iter_mut().for_each(|it| it.pointer.clear());
        }
    }
    api.gateway_responses.values_mut().for_each(|it| it.pointer.clear());
    api.id.clear();
    api
}

#[test]
fn what_is_adopted_declares_the_same() {
    let api = imported(PETS);
    let mut definition = empty();
    definition.adopt(&api, PutMode::Overwrite).unwrap();
    let thawed = Definition::thaw(&definition.freeze()).unwrap();
    assert_eq!(thawed, definition);
    assert_eq!(without_origin(thawed.declare()), without_origin(api));
    definition.check_deployable().unwrap();
}

#[test]
fn the_tree_is_whole_and_keeps_its_ids() {
    let mut definition = empty();
    definition.adopt(&imported(PETS), PutMode::Overwrite).unwrap();
    let shape = |definition: &Definition| -> Vec<String> {
        let mut all: Vec<_> = definition.resources.iter().collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        let parent = |it: &Resource| {
            let parent = definition.resources.iter().find(|p| Some(&p.id) == it.parent_id.as_ref());
            parent.map_or("-", |it| it.path.as_str())
        };
        all.iter()
            .map(|it| {
                let methods: Vec<_> = it.resource_methods.iter().flat_map(|it| it.keys()).collect();
                format!("{} {} {:?} {:?}", it.path, parent(it), it.path_part.as_deref(), methods)
            })
            .collect()
    };
    let want = [
        r#"/ - None []"#,
        r#"/pets / Some("pets") []"#,
        r#"/pets/{id} /pets Some("{id}") ["GET"]"#,
        r#"/toys / Some("toys") ["ANY"]"#,
    ];
    assert_eq!(shape(&definition), want);
    assert!(definition.resources.iter().any(|it| it.id == "r1r2r3r4r5" && it.path == "/"));
    let ids = |definition: &Definition| -> std::collections::BTreeMap<String, String> {
        definition.resources.iter().map(|it| (it.path.clone(), it.id.clone())).collect()
    };
    let before = ids(&definition);

    let more = imported(&PETS.replace("/toys", "/toys/new").replace("\"7\"", "\"8\""));
    let mut merged = definition.clone();
    merged.adopt(&more, PutMode::Merge).unwrap();
    assert_eq!(
        shape(&merged)[3..],
        [
            r#"/toys / Some("toys") ["ANY"]"#.to_owned(),
            r#"/toys/new /toys Some("new") ["ANY"]"#.to_owned(),
        ]
    );
    assert_eq!(merged.rest_api.version.as_deref(), Some("8"));
    definition.adopt(&more, PutMode::Overwrite).unwrap();
    assert_eq!(shape(&definition)[3], r#"/toys / Some("toys") []"#);
    for (path, id) in &before {
        assert_eq!((ids(&merged)[path].as_str(), ids(&definition)[path].as_str()), (&**id, &**id));
    }
}

#[test]
fn what_cannot_be_deployed_says_why() {
    let mut definition = empty();
    let refused = |definition: &Definition| definition.check_deployable().unwrap_err().message;
    assert_eq!(refused(&definition), "The REST API doesn't contain any methods");
    definition.adopt(&imported(PETS), PutMode::Overwrite).unwrap();
    for resource in &mut definition.resources {
        for method in resource.resource_methods.iter_mut().flat_map(|it| it.values_mut()) {
            method.method_integration = None;
        }
    }
    assert_eq!(refused(&definition), "No integration defined for method");
}

#[test]
fn a_policy_goes_there_and_back() {
    let document = serde_json::json!({"Statement": [{"Resource": "a\"b\\c"}]});
    let text = crate::control::api::objects::escaped_policy(&document);
    assert_eq!(declare::policy(&text), Some(document));
    assert_eq!(declare::policy("nonsense"), None);
}
