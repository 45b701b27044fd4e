//! RequestValidator: what of a request is checked.
//!
//! Source: facts, aws-recorded section 7, 1.5 and 1.6.

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::ids;
use super::objects::{RequestValidator, RestApi};
use super::page;
use super::patch::Op;

const PATHS: [&str; 3] = ["/name", "/validateRequestParameters", "/validateRequestBody"];
const BLANK_NAME: &str = "Request Validator name cannot be blank";

pub(super) fn get_request_validators(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let all: Vec<RequestValidator> = context.list(&[&api])?;
    Ok(page::reply(call, &all, |validator| &validator.id))
}

pub(super) fn get_request_validator(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    Ok(Reply::json(&of_call(context, call)?))
}

pub(super) fn create_request_validator(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = call.label("restapi_id");
    if !context.has::<RestApi>(&[api])? {
        return Err(ApiError::bad_request("Invalid REST API identifier specified"));
    }
    let name = call.owned("name");
    if name.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(ApiError::bad_request(BLANK_NAME));
    }
    let flag = |member| call.owned(member).as_deref() == Some("true");
    let validator = RequestValidator {
        id: ids::new(ids::SHORT, |id| context.has::<RequestValidator>(&[api, id]))?,
        name,
        validate_request_body: flag("validateRequestBody"),
        validate_request_parameters: flag("validateRequestParameters"),
    };
    context.put(&[api, &validator.id], &validator)?;
    Ok(Reply::json(&validator))
}

pub(super) fn update_request_validator(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut validator = of_call(context, call)?;
    for patch in call.patches()? {
        if patch.op != Op::Replace {
            return Err(patch.not_supported());
        }
        match patch.path() {
            "/name" if patch.value().trim().is_empty() => {
                return Err(ApiError::bad_request(BLANK_NAME));
            }
            "/name" => validator.name = patch.value.clone(),
            "/validateRequestBody" => validator.validate_request_body = patch.flag(),
            "/validateRequestParameters" => validator.validate_request_parameters = patch.flag(),
            _ => return Err(patch.not_one_of(&PATHS)),
        }
    }
    context.put(&[call.label("restapi_id"), &validator.id], &validator)?;
    Ok(Reply::json(&validator))
}

pub(super) fn delete_request_validator(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let validator = of_call(context, call)?;
    context.delete::<RequestValidator>(&[call.label("restapi_id"), &validator.id])?;
    Ok(Reply::empty())
}

/// The validator of a call; of a wrong API the same is told as of a wrong validator.
fn of_call(context: &Context<'_>, call: &Call<'_>) -> Result<RequestValidator, ApiError> {
    let ids = [call.label("restapi_id"), call.label("requestvalidator_id")];
    context
        .get(&ids)?
        .ok_or_else(|| ApiError::not_found("Invalid Request Validator identifier specified"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::Plane;

    /// The URI of an API's validators.
    fn validators(plane: &mut Plane) -> String {
        let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
        format!("/restapis/{}/requestvalidators", api["id"].as_str().unwrap())
    }

    #[test]
    fn validators_are_answered_as_recorded() {
        let mut plane = Plane::new();
        let uri = validators(&mut plane);
        assert_eq!(plane.ok("GET", &uri, Value::Null), json!({"item": []}));
        let made = plane.ok("POST", &uri, json!({"name": "v"}));
        let id = made["id"].as_str().unwrap();
        assert_eq!(
            made,
            json!({
                "id": id, "name": "v", "validateRequestBody": false,
                "validateRequestParameters": false,
            })
        );
        let one = format!("{uri}/{id}");
        assert_eq!(plane.ok("GET", &one, Value::Null), made);
        assert_eq!(plane.ok("GET", &uri, Value::Null), json!({"item": [made]}));
        plane.ok("DELETE", &one, Value::Null);
        assert_eq!(plane.ok("GET", &uri, Value::Null), json!({"item": []}));
        let both = json!({"validateRequestBody": true, "validateRequestParameters": "true"});
        let made = plane.ok("POST", &uri, both);
        assert_eq!(
            (&made["validateRequestBody"], &made["validateRequestParameters"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(
            plane.refused("POST", &uri, json!({"name": " "})),
            "400 BadRequestException: Request Validator name cannot be blank"
        );
    }

    #[test]
    fn patches_do_what_was_recorded() {
        let mut plane = Plane::new();
        let uri = validators(&mut plane);
        let made = plane.ok("POST", &uri, json!({"name": "v", "validateRequestBody": true}));
        let one = format!("{uri}/{}", made["id"].as_str().unwrap());
        for (path, value, member, want) in [
            ("/name", Some("w"), "name", json!("w")),
            ("/validateRequestParameters", Some("true"), "validateRequestParameters", json!(true)),
            ("/validateRequestBody", None, "validateRequestBody", json!(false)),
        ] {
            let mut patch = json!({"op": "replace", "path": path});
            if let Some(value) = value {
                patch["value"] = json!(value);
            }
            let answer = plane.ok("PATCH", &one, json!({"patchOperations": [patch]}));
            assert_eq!(answer[member], want);
        }
        for (patch, want) in [
            (json!({"op": "replace", "path": "/name"}), "Request Validator name cannot be blank"),
            (
                json!({"op": "add", "path": "/name", "value": "x"}),
                "Invalid patch path  '/name' specified for op 'add'. Please choose supported operations",
            ),
            (
                json!({"op": "remove", "path": "/nope"}),
                "Invalid patch path  '/nope' specified for op 'remove'. Please choose supported operations",
            ),
            (
                json!({"op": "replace", "path": "/nope", "value": "x"}),
                "Invalid patch path  '/nope' specified for op 'replace'. Must be one of: [/name, /validateRequestParameters, /validateRequestBody]",
            ),
        ] {
            assert_eq!(
                plane.refused("PATCH", &one, json!({"patchOperations": [patch]})),
                format!("400 BadRequestException: {want}")
            );
        }
    }

    #[test]
    fn what_is_missing_is_told_as_recorded() {
        let mut plane = Plane::new();
        let uri = validators(&mut plane);
        assert_eq!(
            plane.refused("GET", "/restapis/nope/requestvalidators", Value::Null),
            "404 NotFoundException: Invalid API identifier specified 123456789012:nope"
        );
        assert_eq!(
            plane.refused("POST", "/restapis/nope/requestvalidators", json!({"name": "v"})),
            "400 BadRequestException: Invalid REST API identifier specified"
        );
        for uri in [format!("{uri}/nope"), "/restapis/nope/requestvalidators/v".to_owned()] {
            for method in ["GET", "PATCH", "DELETE"] {
                assert_eq!(
                    plane.refused(method, &uri, json!({})),
                    "404 NotFoundException: Invalid Request Validator identifier specified"
                );
            }
        }
    }
}
