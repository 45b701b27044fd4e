//! RestApi: an API as a whole.
//!
//! Source: facts, aws-recorded section 2, control-plane sections 4 to 6.

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::ids;
use super::objects::{
    Authorizer, DOCUMENTATION, Deployment, DocumentationPart, DocumentationVersion,
    EndpointConfiguration, GatewayResponse, Model, RequestValidator, Resource, RestApi, SNAPSHOT,
    Stage, StageHistory, escaped_policy,
};
use super::page;
use super::patch::{Op, Patch};
use super::{base_path_mappings, tags, usage_plans};

/// Largest `minimumCompressionSize`, bytes.
const COMPRESSION_SIZE_MAX: i64 = 10_485_760;
const PRIVATE_IS_DUALSTACK: &str = "Only dualstack ipAddressType is supported for Private APIs.";
const ENDPOINT_TYPES: [&str; 3] = ["REGIONAL", "EDGE", "PRIVATE"];

pub(super) fn get_rest_apis(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let mut all: Vec<RestApi> = context.list(&[])?;
    // Lists have no `tags` where there are none.
    for api in &mut all {
        api.tags = api.tags.take().filter(|tags| !tags.is_empty());
    }
    Ok(page::reply(call, &all, |api| &api.id))
}

pub(super) fn get_rest_api(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?;
    Ok(Reply::json(&with_tags(api)))
}

pub(super) fn create_rest_api(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = requested(context, call)?;
    if let Some(from) = call.text("cloneFrom") {
        return clone_of(context, from, api);
    }
    let root =
        Resource { id: api.root_resource_id.clone(), path: "/".to_owned(), ..Resource::default() };
    context.put(&[&api.id], &api)?;
    context.put(&[&api.id, &root.id], &root)?;
    for model in default_models() {
        let id = ids::new(ids::SHORT, |_| Ok::<_, ApiError>(false))?;
        context.put(&[&api.id, &model.name], &Model { id, ..model.clone() })?;
    }
    Ok(Reply::json(&api))
}

pub(super) fn delete_rest_api(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let id = context.rest_api(call.label("restapi_id"))?.id;
    base_path_mappings::check_unmapped(context, &id)?;
    for stage in context.list::<Stage>(&[&id])? {
        usage_plans::forget_stage(context, &id, &stage.stage_name)?;
        context.effects.removed_stages.insert((id.clone(), stage.stage_name));
    }
    context.delete::<RestApi>(&[&id])?;
    context.delete_all::<Resource>(&[&id])?;
    context.delete_all::<Model>(&[&id])?;
    context.delete_all::<RequestValidator>(&[&id])?;
    context.delete_all::<Authorizer>(&[&id])?;
    context.delete_all::<GatewayResponse>(&[&id])?;
    context.delete_all::<DocumentationPart>(&[&id])?;
    context.delete_all::<DocumentationVersion>(&[&id])?;
    context.delete_all::<Deployment>(&[&id])?;
    context.delete_all::<Stage>(&[&id])?;
    context.delete_all::<StageHistory>(&[&id])?;
    context.delete_blobs(SNAPSHOT, &[&id])?;
    context.delete_blobs(DOCUMENTATION, &[&id])?;
    context.effects.endpoints.insert(id);
    Ok(Reply::empty())
}

pub(super) fn update_rest_api(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut api = context.rest_api(call.label("restapi_id"))?;
    for patch in call.patches()? {
        apply(context, &mut api, &patch)?;
    }
    context.put(&[&api.id], &api)?;
    context.effects.endpoints.insert(api.id.clone());
    Ok(Reply::json(&with_tags(api)))
}

/// A new API of the call's members.
fn requested(context: &Context<'_>, call: &Call<'_>) -> Result<RestApi, ApiError> {
    let description = call.owned("description");
    if description.as_deref() == Some("") {
        return Err(ApiError::bad_request("Description cannot be an empty string"));
    }
    let endpoint_configuration = endpoint(call.member("endpointConfiguration")?)?;
    let minimum_compression_size = match call.input.get("minimumCompressionSize") {
        None | Some(serde_json::Value::Null) => None,
        Some(value) => Some(compression_size(value.to_string().trim_matches('"'))?),
    };
    let id = ids::new(ids::LONG, |id| context.has::<RestApi>(&[id]))?;
    Ok(RestApi {
        root_resource_id: ids::new(ids::LONG, |_| Ok::<_, ApiError>(false))?,
        policy: match call.text("policy").filter(|policy| !policy.is_empty()) {
            Some(policy) => Some(stored_policy(context, &id, policy)?),
            None => None,
        },
        id,
        name: call.owned("name").unwrap_or_default(),
        description,
        created_date: context.now,
        version: call.owned("version"),
        warnings: None,
        binary_media_types: call
            .member::<Vec<String>>("binaryMediaTypes")?
            .filter(|types| !types.is_empty()),
        minimum_compression_size,
        api_key_source: call.owned("apiKeySource").unwrap_or_else(|| "HEADER".to_owned()),
        endpoint_configuration,
        tags: tags::given(call)?,
        disable_execute_api_endpoint: call.flag("disableExecuteApiEndpoint").unwrap_or(false),
        security_policy: call.owned("securityPolicy"),
        endpoint_access_mode: call.owned("endpointAccessMode"),
        ringway_throttle: None,
    })
}

/// The endpoint configuration with AWS's defaults.
pub(super) fn endpoint(
    given: Option<EndpointConfiguration>,
) -> Result<EndpointConfiguration, ApiError> {
    let mut endpoint = given.unwrap_or_default();
    match endpoint.types.len() {
        0 => endpoint.types.push("EDGE".to_owned()),
        1 => {}
        _ => {
            return Err(ApiError::bad_request(
                "Cannot create an api with multiple Endpoint Types.",
            ));
        }
    }
    let is_private = endpoint.types[0] == "PRIVATE";
    match endpoint.ip_address_type.as_deref() {
        None => endpoint.ip_address_type = Some(ip_address_type(is_private).to_owned()),
        Some("ipv4") if is_private => return Err(ApiError::bad_request(PRIVATE_IS_DUALSTACK)),
        Some(_) => {}
    }
    Ok(endpoint)
}

fn ip_address_type(is_private: bool) -> &'static str {
    if is_private { "dualstack" } else { "ipv4" }
}

fn compression_size(text: &str) -> Result<i64, ApiError> {
    let size = text.parse().ok().filter(|size| (0..=COMPRESSION_SIZE_MAX).contains(size));
    size.ok_or_else(|| {
        ApiError::bad_request("Invalid minimum compression size, must be between 0 and 10485760")
    })
}

/// A resource policy as AWS keeps it: short resources made whole, lists of one unpacked, its quotes
/// escaped once more. Source: facts, aws-recorded 2.4.
fn stored_policy(context: &Context<'_>, api: &str, policy: &str) -> Result<String, ApiError> {
    use serde_json::Value;
    let mut document: Value = serde_json::from_str(policy)
        .map_err(|error| ApiError::bad_request(format!("Invalid policy document: {error}")))?;
    if !document.is_object() {
        return Err(ApiError::bad_request("Invalid policy document: it has to be a JSON object"));
    }
    let (region, account) = (&context.settings.region, &context.settings.account_id);
    let whole = |resource: &str| match resource.strip_prefix("execute-api:/") {
        Some(rest) => format!("arn:aws:execute-api:{region}:{account}:{api}/{rest}"),
        None => resource.to_owned(),
    };
    let statements = match &mut document["Statement"] {
        Value::Array(all) => all.iter_mut().collect(),
        one @ Value::Object(_) => vec![one],
        _ => Vec::new(),
    };
    for statement in statements {
        match &mut statement["Resource"] {
            Value::String(resource) => *resource = whole(resource),
            Value::Array(all) => {
                let all: Vec<Value> =
                    all.iter().filter_map(Value::as_str).map(|it| Value::from(whole(it))).collect();
                statement["Resource"] = match all.as_slice() {
                    [one] => one.clone(),
                    _ => Value::Array(all),
                };
            }
            // Indexing has made a member that was not there.
            Value::Null => drop(statement.as_object_mut().map(|it| it.shift_remove("Resource"))),
            _ => {}
        }
    }
    if document["Statement"].is_null() {
        document.as_object_mut().map(|it| it.shift_remove("Statement"));
    }
    Ok(escaped_policy(&document))
}

fn apply(context: &Context<'_>, api: &mut RestApi, patch: &Patch) -> Result<(), ApiError> {
    let segments = patch.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let scalar = |target: &mut Option<String>| {
        match patch.op {
            Op::Remove => *target = None,
            _ => {
                patch.only_replace()?;
                *target = patch.value.clone().filter(|value| !value.is_empty());
            }
        }
        Ok::<_, ApiError>(())
    };
    match segments.as_slice() {
        ["name"] => {
            patch.only_replace()?;
            patch.value().clone_into(&mut api.name);
        }
        ["description"] => scalar(&mut api.description)?,
        ["version"] => scalar(&mut api.version)?,
        ["policy"] => {
            scalar(&mut api.policy)?;
            if let Some(policy) = api.policy.take() {
                api.policy = Some(stored_policy(context, &api.id, &policy)?);
            }
        }
        ["securityPolicy"] => scalar(&mut api.security_policy)?,
        ["endpointAccessMode"] => scalar(&mut api.endpoint_access_mode)?,
        ["apiKeySource"] => {
            patch.only_replace()?;
            if !["HEADER", "AUTHORIZER"].contains(&patch.value()) {
                return Err(ApiError::bad_request(
                    "Invalid ApiKeySource specified. Valid options are HEADER,AUTHORIZER",
                ));
            }
            patch.value().clone_into(&mut api.api_key_source);
        }
        ["minimumCompressionSize"] => match patch.op {
            Op::Remove => api.minimum_compression_size = None,
            _ => {
                patch.only_replace()?;
                let given = patch.value.as_deref().filter(|value| !value.is_empty());
                api.minimum_compression_size = given.map(compression_size).transpose()?;
            }
        },
        ["disableExecuteApiEndpoint"] => {
            patch.only_replace()?;
            api.disable_execute_api_endpoint = patch.flag();
        }
        ["binaryMediaTypes", media_type] => {
            let types = api.binary_media_types.get_or_insert_default();
            // The old one goes; the new one is appended.
            if patch.op != Op::Add {
                types.retain(|it| it != media_type);
            }
            let new = if patch.op == Op::Replace { patch.value() } else { media_type };
            if patch.op != Op::Remove && !types.iter().any(|it| it == new) {
                types.push(new.to_owned());
            }
            if types.is_empty() {
                api.binary_media_types = None;
            }
        }
        ["endpointConfiguration", rest @ ..] => {
            apply_endpoint(&mut api.endpoint_configuration, rest, patch)?;
        }
        _ => return Err(patch.invalid_path()),
    }
    Ok(())
}

fn apply_endpoint(
    endpoint: &mut EndpointConfiguration,
    rest: &[&str],
    patch: &Patch,
) -> Result<(), ApiError> {
    match rest {
        ["types", _] => {
            if patch.op != Op::Replace {
                return Err(ApiError::bad_request(
                    "Invalid patch operation specified. Must be 'add'|'remove'|'replace'",
                ));
            }
            let wanted = patch.value();
            if !ENDPOINT_TYPES.contains(&wanted) {
                return Err(ApiError::bad_request(
                    "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE",
                ));
            }
            endpoint.types = vec![wanted.to_owned()];
            if wanted == "PRIVATE" {
                endpoint.ip_address_type = Some(ip_address_type(true).to_owned());
            }
        }
        ["ipAddressType"] => {
            patch.only_replace()?;
            let is_private = endpoint.types.iter().any(|it| it == "PRIVATE");
            match patch.value() {
                "ipv4" if is_private => return Err(ApiError::bad_request(PRIVATE_IS_DUALSTACK)),
                value @ ("ipv4" | "dualstack") => endpoint.ip_address_type = Some(value.to_owned()),
                _ => {
                    return Err(ApiError::bad_request(
                        "ipAddressType must be either ipv4 or dualstack.",
                    ));
                }
            }
        }
        ["vpcEndpointIds"] => {
            let ids = endpoint.vpc_endpoint_ids.get_or_insert_default();
            ids.retain(|it| it != patch.value());
            if patch.op == Op::Add {
                ids.push(patch.value().to_owned());
            }
            if ids.is_empty() {
                endpoint.vpc_endpoint_ids = None;
            }
        }
        _ => return Err(patch.invalid_path()),
    }
    Ok(())
}

/// `cloneFrom`: another API's resources, models and so on under new ids; no stages or deployments.
fn clone_of(context: &Context<'_>, from: &str, mut api: RestApi) -> Result<Reply, ApiError> {
    let Some(source) = context.get::<RestApi>(&[from])? else {
        return Err(ApiError::not_found(format!(
            "Invalid API identifier specified {}:{from}",
            context.settings.account_id
        )));
    };
    api.root_resource_id.clone_from(&source.root_resource_id);
    api.binary_media_types = api.binary_media_types.or(source.binary_media_types);
    api.minimum_compression_size = api.minimum_compression_size.or(source.minimum_compression_size);
    let id = &api.id;
    context.put(&[id], &api)?;
    for resource in context.list::<Resource>(&[from])? {
        context.put(&[id, &resource.id], &resource)?;
    }
    for model in context.list::<Model>(&[from])? {
        let old = format!("/restapis/{from}/models/");
        let schema =
            model.schema.map(|text| text.replace(&old, &format!("/restapis/{id}/models/")));
        context.put(&[id, &model.name.clone()], &Model { schema, ..model })?;
    }
    for validator in context.list::<RequestValidator>(&[from])? {
        context.put(&[id, &validator.id], &validator)?;
    }
    for authorizer in context.list::<Authorizer>(&[from])? {
        context.put(&[id, &authorizer.id], &authorizer)?;
    }
    for response in context.list::<GatewayResponse>(&[from])? {
        context.put(&[id, &response.response_type], &response)?;
    }
    for part in context.list::<DocumentationPart>(&[from])? {
        context.put(&[id, &part.id], &part)?;
    }
    Ok(Reply::json(&api))
}

/// Answers about one API show `tags` even when there are none; a creation's does not.
fn with_tags(mut api: RestApi) -> RestApi {
    api.tags.get_or_insert_default();
    api
}

/// What a new API that was not imported has.
fn default_models() -> [Model; 2] {
    let model = |name: &str, description: &str, schema: &str| Model {
        id: String::new(),
        name: name.to_owned(),
        description: Some(description.to_owned()),
        schema: Some(schema.to_owned()),
        content_type: "application/json".to_owned(),
    };
    [
        model(
            "Empty",
            "This is a default empty schema model",
            "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Empty Schema\",\n  \"type\" : \"object\"\n}",
        ),
        model(
            "Error",
            "This is a default error schema model",
            "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Error Schema\",\n  \"type\" : \"object\",\n  \"properties\" : {\n    \"message\" : { \"type\" : \"string\" }\n  }\n}",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::Plane;

    fn create(plane: &mut Plane) -> String {
        let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
        api["id"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_new_api_is_answered_as_recorded() {
        let mut plane = Plane::new();
        let mut api =
            plane.ok("POST", "/restapis", json!({"name": "pets", "binaryMediaTypes": []}));
        let root = api["rootResourceId"].take();
        assert_eq!(root.as_str().unwrap().len(), 10);
        let id = api["id"].as_str().unwrap().to_owned();
        assert_eq!(
            api,
            json!({
                "id": id, "name": "pets", "createdDate": 1_700_000_000, "apiKeySource": "HEADER",
                "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
                "disableExecuteApiEndpoint": false, "rootResourceId": null,
            })
        );
        let got = plane.ok("GET", &format!("/restapis/{id}"), Value::Null);
        assert_eq!(got["tags"], json!({}));
        assert_eq!(
            plane.refused("GET", "/restapis/nope", Value::Null),
            "404 NotFoundException: Invalid API identifier specified 123456789012:nope"
        );
        for (input, message) in [
            (json!({"description": ""}), "Description cannot be an empty string"),
            (
                json!({"minimumCompressionSize": -1}),
                "Invalid minimum compression size, must be between 0 and 10485760",
            ),
            (
                json!({"endpointConfiguration": {"types": ["PRIVATE"], "ipAddressType": "ipv4"}}),
                "Only dualstack ipAddressType is supported for Private APIs.",
            ),
        ] {
            let mut input = input;
            input["name"] = json!("x");
            let got = plane.refused("POST", "/restapis", input);
            assert_eq!(got, format!("400 BadRequestException: {message}"));
        }
    }

    #[test]
    fn patches_do_what_was_recorded() {
        let mut plane = Plane::new();
        let id = create(&mut plane);
        let uri = format!("/restapis/{id}");
        let mut patch = |op: &str, path: &str, value: &str| match plane.patch(&uri, op, path, value)
        {
            Ok(api) => api,
            Err(error) => Value::from(error.message),
        };
        patch("add", "/binaryMediaTypes/image~1png", "");
        patch("add", "/binaryMediaTypes/-", "image/png");
        let api = patch("replace", "/binaryMediaTypes/image~1png", "image/gif");
        assert_eq!(api["binaryMediaTypes"], json!(["-", "image/gif"]));
        patch("remove", "/binaryMediaTypes/-", "");
        assert_eq!(
            patch("remove", "/binaryMediaTypes/image~1gif", "").get("binaryMediaTypes"),
            None
        );
        assert_eq!(patch("add", "/binaryMediaTypes", "x"), "Invalid patch path /binaryMediaTypes");
        assert_eq!(patch("replace", "/description", "d")["description"], "d");
        assert_eq!(patch("remove", "/description", "").get("description"), None);
        let api = patch("replace", "/endpointConfiguration/types/0", "PRIVATE");
        assert_eq!(
            api["endpointConfiguration"],
            json!({"types": ["PRIVATE"], "ipAddressType": "dualstack"})
        );
        for (op, path, value, message) in [
            (
                "replace",
                "/endpointConfiguration/ipAddressType",
                "ipv4",
                "Only dualstack ipAddressType is supported for Private APIs.",
            ),
            (
                "replace",
                "/endpointConfiguration/ipAddressType",
                "x",
                "ipAddressType must be either ipv4 or dualstack.",
            ),
            (
                "remove",
                "/endpointConfiguration/ipAddressType",
                "",
                "Invalid patch operation specified. Must be one of: [replace]",
            ),
            (
                "replace",
                "/endpointConfiguration/types/0",
                "x",
                "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE",
            ),
            (
                "remove",
                "/endpointConfiguration/types/0",
                "EDGE",
                "Invalid patch operation specified. Must be 'add'|'remove'|'replace'",
            ),
            ("replace", "/nope", "", "Invalid patch path /nope"),
        ] {
            assert_eq!(patch(op, path, value), message);
        }
        let policy =
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Resource":["execute-api:/*"]}]}"#;
        let api = patch("replace", "/policy", policy);
        assert_eq!(
            api["policy"],
            format!(
                r#"{{\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Resource\":\"arn:aws:execute-api:us-east-1:123456789012:{id}/*\"}}]}}"#
            )
        );
    }

    #[test]
    fn a_patch_is_all_or_nothing() {
        let mut plane = Plane::new();
        let id = create(&mut plane);
        let uri = format!("/restapis/{id}");
        let patches = json!({"patchOperations": [
            {"op": "replace", "path": "/name", "value": "new"},
            {"op": "replace", "path": "/nope", "value": "x"},
        ]});
        plane.refused("PATCH", &uri, patches);
        assert_eq!(plane.ok("GET", &uri, Value::Null)["name"], "pets");
    }

    #[test]
    fn lists_come_in_pages() {
        let mut plane = Plane::new();
        let mut made: Vec<String> = (0..3).map(|_| create(&mut plane)).collect();
        made.sort();
        let mut seen = Vec::new();
        let mut uri = "/restapis?limit=2".to_owned();
        loop {
            let page = plane.ok("GET", &uri, Value::Null);
            seen.extend(
                page["item"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| it["id"].as_str().unwrap().to_owned()),
            );
            let Some(position) = page.get("position") else { break };
            uri = format!("/restapis?limit=2&position={}", position.as_str().unwrap());
        }
        assert_eq!(seen, made);
        assert_eq!(
            plane.ok("GET", "/restapis?limit=-1", Value::Null)["item"].as_array().unwrap().len(),
            3
        );
    }

    #[test]
    fn pages_go_on_behind_deleted_items() {
        let mut plane = Plane::new();
        for _ in 0..5 {
            create(&mut plane);
        }
        let mut uri = "/restapis?limit=2".to_owned();
        loop {
            let page = plane.ok("GET", &uri, Value::Null);
            for api in page["item"].as_array().unwrap() {
                plane.ok(
                    "DELETE",
                    &format!("/restapis/{}", api["id"].as_str().unwrap()),
                    Value::Null,
                );
            }
            let Some(position) = page.get("position") else { break };
            uri = format!("/restapis?limit=2&position={}", position.as_str().unwrap());
        }
        assert_eq!(plane.ok("GET", "/restapis", Value::Null), json!({"item": []}));
        let position = "/restapis?position=nobody|nothing";
        create(&mut plane);
        assert_eq!(plane.ok("GET", position, Value::Null), json!({"item": []}));
    }

    #[test]
    fn a_deleted_api_leaves_nothing() {
        let mut plane = Plane::new();
        let id = create(&mut plane);
        assert_eq!(plane.ok("DELETE", &format!("/restapis/{id}"), Value::Null), Value::Null);
        let reading = plane.store().read().unwrap();
        assert!(reading.list::<super::Resource>(&[]).unwrap().is_empty());
        assert!(reading.list::<super::Model>(&[]).unwrap().is_empty());
    }
}
