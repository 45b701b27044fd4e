//! Model: the schema of a body.
//!
//! Source: facts, aws-recorded section 6, 1.5 and 1.6.

use serde_json::{Value, json};

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::ids;
use super::objects::{Model, Resource};
use super::page;
use super::patch::Op;
use crate::openapi;

const PATHS: [&str; 2] = ["/description", "/schema"];

pub(super) fn get_models(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let all: Vec<Model> = context.list(&[&api])?;
    Ok(page::reply(call, &all, |model| &model.name))
}

pub(super) fn get_model(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let mut model = of_call(context, call)?;
    if call.query_flag("flatten") {
        let schemas = schema_of(context, call.label("restapi_id"));
        // One without references is answered as it was put.
        model.schema = model.schema.map(|schema| match openapi::referenced_models(&schema).len() {
            0 => schema,
            _ => openapi::flatten(&schema, &schemas),
        });
    }
    Ok(Reply::json(&model))
}

pub(super) fn get_model_template(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let model = of_call(context, call)?;
    let schema = model.schema.unwrap_or_default();
    let schemas = schema_of(context, call.label("restapi_id"));
    Ok(Reply::json(&json!({"value": openapi::default_template(&schema, &schemas)})))
}

pub(super) fn create_model(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let model = Model {
        id: ids::new(ids::SHORT, |_| Ok::<_, ApiError>(false))?,
        name: call.owned("name").unwrap_or_default(),
        description: call.owned("description").filter(|text| !text.is_empty()),
        schema: call.owned("schema"),
        content_type: call.owned("contentType").unwrap_or_default(),
    };
    if model.name.is_empty() {
        return Err(ApiError::bad_request("Model name must be non-empty"));
    }
    if !model.name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let name = &model.name;
        return Err(ApiError::bad_request(format!("Model name must be alphanumeric: {name}")));
    }
    if context.has::<Model>(&[&api, &model.name])? {
        return Err(ApiError::conflict("Model name already exists for this REST API"));
    }
    check_schema(&model)?;
    context.put(&[&api, &model.name], &model)?;
    Ok(Reply::json(&model))
}

pub(super) fn update_model(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let mut model = of_call(context, call)?;
    let mut changes_schema = false;
    for patch in call.patches()? {
        if patch.op != Op::Replace {
            return Err(patch.not_supported());
        }
        match patch.path() {
            "/description" => {
                model.description = patch.value.clone().filter(|text| !text.is_empty());
            }
            "/schema" => {
                changes_schema = true;
                model.schema.clone_from(&patch.value);
            }
            _ => return Err(patch.not_one_of(&PATHS)),
        }
    }
    if changes_schema {
        check_schema(&model)?;
    }
    context.put(&[call.label("restapi_id"), &model.name], &model)?;
    Ok(Reply::json(&model))
}

pub(super) fn delete_model(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let model = of_call(context, call)?;
    let api = call.label("restapi_id");
    if let Some(user) = user_of(context, api, &model.name)? {
        let name = &model.name;
        return Err(ApiError::conflict(format!(
            "Cannot delete model '{name}', is referenced in method request: {user}"
        )));
    }
    context.delete::<Model>(&[api, &model.name])?;
    Ok(Reply::empty())
}

/// The model of a call; of a wrong API the same is told as of a wrong name.
fn of_call(context: &Context<'_>, call: &Call<'_>) -> Result<Model, ApiError> {
    let name = call.label("model_name");
    context
        .get(&[call.label("restapi_id"), name])?
        .ok_or_else(|| ApiError::not_found(format!("Invalid model name specified: {name}")))
}

/// A method whose requests have that model, as AWS writes it: `/test/GET`, and `//ANY` at the root.
///
/// AWS names the one that was added last. Nothing here tells when a method got its model, so it is the
/// last by path, which was the same where it was recorded.
fn user_of(context: &Context<'_>, api: &str, model: &str) -> Result<Option<String>, ApiError> {
    let mut resources: Vec<Resource> = context.list(&[api])?;
    resources.sort_by(|one, other| one.path.cmp(&other.path));
    let mut user = None;
    for resource in &resources {
        for (name, method) in resource.resource_methods.iter().flatten() {
            if method.request_models.iter().flatten().any(|(_, it)| it == model) {
                user = Some(format!("{}/{name}", resource.path));
            }
        }
    }
    Ok(user)
}

/// A schema is JSON, whatever the media type of the bodies it describes, and an object.
fn check_schema(model: &Model) -> Result<(), ApiError> {
    let schema = model.schema.as_deref().unwrap_or_default();
    if schema.is_empty() {
        return Err(ApiError::bad_request(
            "Model schema must have at least 1 property or array items defined",
        ));
    }
    match serde_json::from_str(schema) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(ApiError::bad_request(
            "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]",
        )),
    }
}

/// The schema of another model of the API.
fn schema_of<'a>(context: &'a Context<'_>, api: &'a str) -> impl Fn(&str) -> Option<String> + 'a {
    move |name| context.get::<Model>(&[api, name]).ok().flatten()?.schema
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::Plane;

    /// An API's URI and its root resource's id.
    fn api(plane: &mut Plane) -> (String, String) {
        let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
        let root = api["rootResourceId"].as_str().unwrap().to_owned();
        (format!("/restapis/{}", api["id"].as_str().unwrap()), root)
    }

    fn model(name: &str, schema: &str) -> Value {
        json!({"name": name, "contentType": "application/json", "schema": schema})
    }

    #[test]
    fn a_new_api_has_two_models() {
        let mut plane = Plane::new();
        let uri = format!("{}/models", api(&mut plane).0);
        let all = plane.ok("GET", &uri, Value::Null);
        let schema = |index: usize| -> Value {
            serde_json::from_str(all["item"][index]["schema"].as_str().unwrap()).unwrap()
        };
        let shown = |index: usize| {
            let model = &all["item"][index];
            (model["name"].clone(), model["description"].clone(), model["contentType"].clone())
        };
        let json = json!("application/json");
        assert_eq!(
            shown(0),
            (json!("Empty"), json!("This is a default empty schema model"), json.clone())
        );
        assert_eq!(shown(1), (json!("Error"), json!("This is a default error schema model"), json));
        let draft = "http://json-schema.org/draft-04/schema#";
        assert_eq!(schema(0), json!({"$schema": draft, "title": "Empty Schema", "type": "object"}));
        assert_eq!(
            schema(1),
            json!({
                "$schema": draft, "title": "Error Schema", "type": "object",
                "properties": {"message": {"type": "string"}},
            })
        );
    }

    #[test]
    fn models_are_answered_as_recorded() {
        let mut plane = Plane::new();
        let uri = format!("{}/models", api(&mut plane).0);
        let schema = "{ \"title\": \"X\",\n \"type\": \"object\"}";
        let mut input = model("MySchema", schema);
        input["description"] = json!("");
        let made = plane.ok("POST", &uri, input);
        let id = made["id"].clone();
        assert_eq!(
            made,
            json!({
                "id": id, "name": "MySchema", "contentType": "application/json", "schema": schema,
            })
        );
        let one = format!("{uri}/MySchema");
        assert_eq!(plane.ok("GET", &one, Value::Null), made);
        assert_eq!(plane.ok("GET", &format!("{one}?flatten=true"), Value::Null), made);
        for (path, value, member, want) in [
            ("/description", "d", "description", json!("d")),
            ("/description", "", "description", Value::Null),
            ("/schema", "{}", "schema", json!("{}")),
        ] {
            let answer = plane.patch(&one, "replace", path, value).unwrap();
            assert_eq!(answer.get(member).unwrap_or(&Value::Null), &want);
        }
        plane.ok("DELETE", &one, Value::Null);
        assert_eq!(
            plane.refused("GET", &one, Value::Null),
            "404 NotFoundException: Invalid model name specified: MySchema"
        );
    }

    #[test]
    fn wrong_models_are_refused() {
        let mut plane = Plane::new();
        let uri = format!("{}/models", api(&mut plane).0);
        let no_schema = "400 BadRequestException: Model schema must have at least 1 property or array items defined";
        let no_json = "400 BadRequestException: Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]";
        let deep = "[".repeat(100_000);
        for (input, want) in [
            (model("", "{}"), "400 BadRequestException: Model name must be non-empty"),
            (model("a-b", "{}"), "400 BadRequestException: Model name must be alphanumeric: a-b"),
            (
                model("\u{1f408}", "{}"),
                "400 BadRequestException: Model name must be alphanumeric: \u{1f408}",
            ),
            (
                model("Empty", "{}"),
                "409 ConflictException: Model name already exists for this REST API",
            ),
            (model("A", ""), no_schema),
            (json!({"name": "A", "contentType": "application/json"}), no_schema),
            (json!({"name": "A", "contentType": "application/xml", "schema": ""}), no_schema),
            (model("A", "{"), no_json),
            (model("A", "[]"), no_json),
            (model("A", &deep), no_json),
        ] {
            assert_eq!(plane.refused("POST", &uri, input), want);
        }
        let one = format!("{uri}/Empty");
        for (op, path, value, want) in [
            ("replace", "/schema", "", no_schema),
            ("replace", "/schema", "x", no_json),
            (
                "replace",
                "/name",
                "x",
                "400 BadRequestException: Invalid patch path  '/name' specified for op 'replace'. Must be one of: [/description, /schema]",
            ),
            (
                "add",
                "/schema",
                "{}",
                "400 BadRequestException: Invalid patch path  '/schema' specified for op 'add'. Please choose supported operations",
            ),
            (
                "remove",
                "/nope",
                "",
                "400 BadRequestException: Invalid patch path  '/nope' specified for op 'remove'. Please choose supported operations",
            ),
        ] {
            let error = plane.patch(&one, op, path, value).unwrap_err();
            assert_eq!(format!("{} {error}", error.status), want);
        }
        assert_eq!(
            plane.refused("GET", "/restapis/nope/models", Value::Null),
            "404 NotFoundException: Invalid API identifier specified 123456789012:nope"
        );
        assert_eq!(
            plane.refused("POST", "/restapis/nope/models", model("A", "{}")),
            "404 NotFoundException: Invalid API identifier specified 123456789012:nope"
        );
        for method in ["GET", "PATCH", "DELETE"] {
            assert_eq!(
                plane.refused(method, "/restapis/nope/models/A", json!({})),
                "404 NotFoundException: Invalid model name specified: A"
            );
        }
    }

    #[test]
    fn a_model_in_use_stays() {
        let mut plane = Plane::new();
        let (api, root) = api(&mut plane);
        plane.ok("POST", &format!("{api}/models"), model("MySchema", "{}"));
        let one = format!("{api}/models/MySchema");
        let made =
            plane.ok("POST", &format!("{api}/resources/{root}"), json!({"pathPart": "test"}));
        let resources = [root.as_str(), made["id"].as_str().unwrap()];
        let input = json!({
            "authorizationType": "NONE", "requestModels": {"application/json": "MySchema"},
        });
        for (resource, user) in resources.iter().zip(["//ANY", "/test/ANY"]) {
            let uri = format!("{api}/resources/{resource}/methods/ANY");
            plane.ok("PUT", &uri, input.clone());
            assert_eq!(
                plane.refused("DELETE", &one, Value::Null),
                format!(
                    "409 ConflictException: Cannot delete model 'MySchema', is referenced in method request: {user}"
                )
            );
        }
        for resource in resources {
            plane.ok("DELETE", &format!("{api}/resources/{resource}/methods/ANY"), Value::Null);
        }
        plane.ok("DELETE", &one, Value::Null);
    }

    #[test]
    fn a_template_follows_references_to_other_models() {
        let mut plane = Plane::new();
        let (api, _) = api(&mut plane);
        let uri = format!("{api}/models");
        let id = api.trim_start_matches("/restapis/");
        let owner = json!({"type": "object", "properties": {"id": {"type": "integer"}}});
        plane.ok("POST", &uri, model("Owner", &owner.to_string()));
        let reference = crate::model::model_reference(id, "Owner");
        let pet = json!({"type": "object", "properties": {"owner": {"$ref": reference}}});
        plane.ok("POST", &uri, model("Pet", &pet.to_string()));
        let answer = plane.ok("GET", &format!("{uri}/Pet/default_template"), Value::Null);
        let want =
            "#set($inputRoot = $input.path('$'))\n{\n  \"owner\" : {\n    \"id\" : 42\n  }\n}";
        assert_eq!(answer, json!({"value": want}));
        let flat = plane.ok("GET", &format!("{uri}/Pet?flatten=true"), Value::Null);
        let flat: Value = serde_json::from_str(flat["schema"].as_str().unwrap()).unwrap();
        assert_eq!(flat["definitions"]["Owner"], owner);
    }
}
