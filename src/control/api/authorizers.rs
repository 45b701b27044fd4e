//! Authorizer: who may call.
//!
//! Source: facts, aws-recorded section 8 and 1.6, control-plane section 5, security sections 5 to 6b.

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::ids;
use super::integrations::service_of;
use super::mapping;
use super::objects::{Authorizer, RestApi};
use super::page;
use super::patch::{Op, Patch};

const TYPES: [&str; 4] = ["TOKEN", "REQUEST", "COGNITO_USER_POOLS", "JWT"];
/// What an answer may be kept for at most, seconds.
const TTL_MAX: i64 = 3_600;
const IDENTITY_SOURCE_DEFAULT: &str = "method.request.header.Authorization";

pub(super) fn get_authorizers(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let all: Vec<Authorizer> = context.list(&[&api])?;
    Ok(page::reply(call, &all, |authorizer| &authorizer.id))
}

pub(super) fn get_authorizer(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    Ok(Reply::json(&of_call(context, call)?))
}

pub(super) fn create_authorizer(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = call.label("restapi_id");
    let given = |member: &str| call.owned(member).filter(|text| !text.is_empty());
    let kind = given("type").unwrap_or_default();
    let authorizer = Authorizer {
        id: ids::new(ids::SHORT, |id| context.has::<Authorizer>(&[api, id]))?,
        name: call.owned("name").unwrap_or_default(),
        provider_arns: call.member("providerARNs")?,
        auth_type: given("authType").or_else(|| auth_type(&kind).map(str::to_owned)),
        authorizer_uri: given("authorizerUri"),
        authorizer_credentials: given("authorizerCredentials"),
        identity_source: given("identitySource").or_else(|| {
            // One of requests may read several places, so it has no default.
            (kind != "REQUEST").then(|| IDENTITY_SOURCE_DEFAULT.to_owned())
        }),
        identity_validation_expression: given("identityValidationExpression"),
        authorizer_result_ttl_in_seconds: given("authorizerResultTtlInSeconds")
            .map(|text| ttl(&text))
            .transpose()?,
        jwt_configuration: call.member("jwtConfiguration")?,
        r#type: kind,
    };
    // The form is told of before the API.
    check(&authorizer)?;
    if !context.has::<RestApi>(&[api])? {
        return Err(ApiError::conflict(
            "Unable to complete operation due to concurrent modification. Please try again later.",
        ));
    }
    save(context, api, authorizer)
}

pub(super) fn update_authorizer(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut authorizer = of_call(context, call)?;
    for patch in call.patches()? {
        apply(&mut authorizer, &patch)?;
    }
    check(&authorizer)?;
    save(context, call.label("restapi_id"), authorizer)
}

/// Methods that use it keep its id; until there is another authorizer of that id, nobody may call them.
pub(super) fn delete_authorizer(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let authorizer = of_call(context, call)?;
    context.delete::<Authorizer>(&[call.label("restapi_id"), &authorizer.id])?;
    Ok(Reply::empty())
}

/// The authorizer of a call; of a wrong API the same is told as of a wrong authorizer.
fn of_call(context: &Context<'_>, call: &Call<'_>) -> Result<Authorizer, ApiError> {
    let ids = [call.label("restapi_id"), call.label("authorizer_id")];
    context.get(&ids)?.ok_or_else(|| ApiError::not_found("Invalid Authorizer identifier specified"))
}

fn save(context: &mut Context<'_>, api: &str, authorizer: Authorizer) -> Result<Reply, ApiError> {
    let Authorizer { id, name, .. } = &authorizer;
    let others: Vec<Authorizer> = context.list(&[api])?;
    if others.iter().any(|other| other.name == *name && other.id != *id) {
        return Err(ApiError::bad_request(format!(
            "Authorizer name must be unique. Authorizer {name} already exists in this RestApi."
        )));
    }
    context.not_carried_out(format!("Authorizer {name} is stored: no caller is authorized yet."));
    context.put(&[api, &authorizer.id], &authorizer)?;
    Ok(Reply::json(&authorizer))
}

fn auth_type(kind: &str) -> Option<&'static str> {
    match kind {
        "TOKEN" | "REQUEST" => Some("custom"),
        "COGNITO_USER_POOLS" => Some("cognito_user_pools"),
        _ => None,
    }
}

fn ttl(text: &str) -> Result<i64, ApiError> {
    let within = |seconds: &i64| (0..=TTL_MAX).contains(seconds);
    text.parse().ok().filter(within).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid authorizerResultTtlInSeconds specified. It must be between 0 and {TTL_MAX}"
        ))
    })
}

fn apply(authorizer: &mut Authorizer, patch: &Patch) -> Result<(), ApiError> {
    let given = || patch.value.clone().filter(|value| !value.is_empty());
    if patch.path() == "/providerARNs" {
        return apply_provider(authorizer, patch);
    }
    let target = match patch.path() {
        "/authType" => &mut authorizer.auth_type,
        "/authorizerUri" => &mut authorizer.authorizer_uri,
        "/authorizerCredentials" => &mut authorizer.authorizer_credentials,
        "/identitySource" => &mut authorizer.identity_source,
        "/identityValidationExpression" => &mut authorizer.identity_validation_expression,
        "/name" | "/type" | "/authorizerResultTtlInSeconds" => {
            patch.only_replace()?;
            match patch.path() {
                "/name" => patch.value().clone_into(&mut authorizer.name),
                "/type" => patch.value().clone_into(&mut authorizer.r#type),
                _ => {
                    authorizer.authorizer_result_ttl_in_seconds =
                        given().map(|text| ttl(&text)).transpose()?;
                }
            }
            return Ok(());
        }
        _ => return Err(patch.invalid_path()),
    };
    patch.only_replace()?;
    *target = given();
    Ok(())
}

fn apply_provider(authorizer: &mut Authorizer, patch: &Patch) -> Result<(), ApiError> {
    if !matches!(patch.op, Op::Add | Op::Remove) {
        return Err(ApiError::bad_request(
            "Invalid patch operation specified. Must be one of: [add, remove]",
        ));
    }
    let arns = authorizer.provider_arns.get_or_insert_default();
    arns.retain(|arn| arn != patch.value());
    if patch.op == Op::Add {
        arns.push(patch.value().to_owned());
    }
    Ok(())
}

/// Whether an authorizer has what its type needs.
fn check(authorizer: &Authorizer) -> Result<(), ApiError> {
    let refuse = |message: String| Err(ApiError::bad_request(message));
    let kind = authorizer.r#type.as_str();
    if authorizer.name.trim().is_empty() {
        return refuse("Authorizer name cannot be blank".to_owned());
    }
    match kind {
        "TOKEN" | "REQUEST" => {
            let uri = authorizer.authorizer_uri.as_deref().unwrap_or_default();
            let is_invocation = service_of(uri).is_some_and(|(service, action)| {
                service == "lambda"
                    && action.starts_with("path/")
                    && action.contains("/functions/")
                    && action.ends_with("/invocations")
            });
            if !is_invocation {
                return refuse(format!(
                    "Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."
                ));
            }
        }
        "COGNITO_USER_POOLS" => {
            let arns = authorizer.provider_arns.as_deref().unwrap_or_default();
            if arns.is_empty() {
                return refuse(format!("providerARNs must be non-empty for type {kind}"));
            }
            if let Some(arn) = arns.iter().find(|arn| !is_user_pool(arn)) {
                return refuse(format!("Invalid ARN. ARN is not well formed {arn}"));
            }
        }
        "JWT" => {
            if !authorizer.jwt_configuration.as_ref().is_some_and(serde_json::Value::is_object) {
                return refuse(format!("jwtConfiguration must be specified for type {kind}"));
            }
        }
        _ => {
            let all = TYPES.join(",");
            return refuse(format!("Invalid AuthorizerType specified. Valid options are {all}"));
        }
    }
    check_identity_source(authorizer)
}

fn is_user_pool(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", _, "cognito-idp", region, _, pool]
        if !region.is_empty() && pool.strip_prefix("userpool/").is_some_and(|id| !id.is_empty()))
}

/// One header, or of requests a list of places; without any, nothing may be kept by it.
fn check_identity_source(authorizer: &Authorizer) -> Result<(), ApiError> {
    let source = authorizer.identity_source.as_deref().unwrap_or_default();
    let is_header = |text| mapping::parts(text, "method.request", &["header"]).is_some();
    let fits = match authorizer.r#type.as_str() {
        "REQUEST" if source.is_empty() => authorizer.authorizer_result_ttl_in_seconds == Some(0),
        "REQUEST" => source.split(',').map(str::trim).all(is_place_of_request),
        _ => is_header(source),
    };
    if fits {
        return Ok(());
    }
    Err(ApiError::bad_request(format!("Invalid identitySource specified: {source}")))
}

/// Path parameters are none. Source: facts, security section 5.
fn is_place_of_request(text: &str) -> bool {
    let named = |prefix: &str| text.strip_prefix(prefix).is_some_and(mapping::is_name);
    mapping::parts(text, "method.request", &["header", "querystring"]).is_some()
        || named("stageVariables.")
        || named("context.")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::Plane;

    const URI: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:auth/invocations";
    const POOL: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc";

    /// The URI of an API's authorizers.
    fn authorizers(plane: &mut Plane) -> String {
        let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
        format!("/restapis/{}/authorizers", api["id"].as_str().unwrap())
    }

    #[test]
    fn authorizers_are_answered_as_recorded() {
        let mut plane = Plane::new();
        let uri = authorizers(&mut plane);
        let source = "method.request.header.Auth";
        for (input, more) in [
            (
                json!({"type": "TOKEN", "authorizerUri": URI, "identitySource": source}),
                json!({"authType": "custom"}),
            ),
            (
                json!({
                    "type": "REQUEST", "authorizerUri": URI, "authorizerResultTtlInSeconds": 300,
                    "identitySource": "method.request.header.A, method.request.querystring.q,stageVariables.v,context.identity.sourceIp",
                }),
                json!({"authType": "custom"}),
            ),
            (
                json!({
                    "type": "REQUEST", "authorizerUri": URI, "authorizerResultTtlInSeconds": 0,
                    "authorizerCredentials": "arn:aws:iam::123456789012:role/r",
                }),
                json!({"authType": "custom"}),
            ),
            (
                json!({
                    "type": "COGNITO_USER_POOLS", "providerARNs": [POOL], "identitySource": source,
                }),
                json!({"authType": "cognito_user_pools"}),
            ),
            (
                json!({
                    "type": "COGNITO_USER_POOLS", "providerARNs": [POOL], "authType": "mine",
                }),
                json!({"identitySource": "method.request.header.Authorization"}),
            ),
            (
                json!({
                    "type": "JWT", "identitySource": source,
                    "jwtConfiguration": {"issuers": [{"issuer": "https://example.com"}]},
                }),
                json!({}),
            ),
        ] {
            let mut input = input;
            input["name"] = json!("auth");
            let mut want = input.clone();
            for (name, value) in more.as_object().unwrap() {
                want[name] = value.clone();
            }
            let made = plane.ok("POST", &uri, input);
            assert_eq!(
                plane.effects.not_carried_out,
                ["Authorizer auth is stored: no caller is authorized yet."]
            );
            want["id"] = made["id"].clone();
            assert_eq!(made, want);
            let one = format!("{uri}/{}", made["id"].as_str().unwrap());
            assert_eq!(plane.ok("GET", &one, Value::Null), want);
            assert_eq!(plane.ok("GET", &uri, Value::Null), json!({"item": [want]}));
            plane.ok("DELETE", &one, Value::Null);
        }
    }

    #[test]
    fn wrong_authorizers_are_refused() {
        let mut plane = Plane::new();
        let uri = authorizers(&mut plane);
        let token = json!({"name": "taken", "type": "TOKEN", "authorizerUri": URI});
        plane.ok("POST", &uri, token);
        let no_source = "Invalid identitySource specified: ";
        for (input, want) in [
            (
                json!({"name": "taken", "type": "TOKEN", "authorizerUri": URI}),
                "Authorizer name must be unique. Authorizer taken already exists in this RestApi.",
            ),
            (
                json!({"name": "a", "type": "TOKEN", "authorizerUri": "arn:aws:lambda:x"}),
                "Invalid Authorizer URI: arn:aws:lambda:x. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.",
            ),
            (
                json!({"name": "a", "type": "REQUEST"}),
                "Invalid Authorizer URI: . Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.",
            ),
            (
                json!({"name": "a", "type": "COGNITO_USER_POOLS"}),
                "providerARNs must be non-empty for type COGNITO_USER_POOLS",
            ),
            (
                json!({"name": "a", "type": "COGNITO_USER_POOLS", "providerARNs": ["x"]}),
                "Invalid ARN. ARN is not well formed x",
            ),
            (
                json!({"name": "a", "type": "JWT"}),
                "jwtConfiguration must be specified for type JWT",
            ),
            (
                json!({
                    "name": "a", "type": "TOKEN", "authorizerUri": URI,
                    "authorizerResultTtlInSeconds": 3601,
                }),
                "Invalid authorizerResultTtlInSeconds specified. It must be between 0 and 3600",
            ),
            (
                json!({
                    "name": "a", "type": "TOKEN", "authorizerUri": URI,
                    "identitySource": "method.request.querystring.q",
                }),
                "Invalid identitySource specified: method.request.querystring.q",
            ),
            (json!({"name": "a", "type": "REQUEST", "authorizerUri": URI}), no_source),
            (
                json!({
                    "name": "a", "type": "REQUEST", "authorizerUri": URI,
                    "identitySource": "method.request.header.A,method.request.path.p",
                }),
                "Invalid identitySource specified: method.request.header.A,method.request.path.p",
            ),
            (
                json!({"name": " ", "type": "TOKEN", "authorizerUri": URI}),
                "Authorizer name cannot be blank",
            ),
        ] {
            assert_eq!(
                plane.refused("POST", &uri, input),
                format!("400 BadRequestException: {want}")
            );
        }
    }

    #[test]
    fn patches_are_carried_out() {
        let mut plane = Plane::new();
        let uri = authorizers(&mut plane);
        let input = json!({"name": "a", "type": "COGNITO_USER_POOLS", "providerARNs": [POOL]});
        let made = plane.ok("POST", &uri, input);
        let one = format!("{uri}/{}", made["id"].as_str().unwrap());
        let other = format!("{POOL}2");
        for (op, path, value, member, want) in [
            ("add", "/providerARNs", other.as_str(), "providerARNs", json!([POOL, other])),
            ("remove", "/providerARNs", POOL, "providerARNs", json!([other])),
            ("replace", "/name", "b", "name", json!("b")),
            ("replace", "/authType", "custom", "authType", json!("custom")),
            ("replace", "/authorizerUri", URI, "authorizerUri", json!(URI)),
            ("replace", "/type", "TOKEN", "type", json!("TOKEN")),
            ("replace", "/authorizerCredentials", "arn:x", "authorizerCredentials", json!("arn:x")),
            ("replace", "/authorizerCredentials", "", "authorizerCredentials", Value::Null),
            (
                "replace",
                "/authorizerResultTtlInSeconds",
                "0",
                "authorizerResultTtlInSeconds",
                json!(0),
            ),
            (
                "replace",
                "/identitySource",
                "method.request.header.X",
                "identitySource",
                json!("method.request.header.X"),
            ),
            (
                "replace",
                "/identityValidationExpression",
                "x.*",
                "identityValidationExpression",
                json!("x.*"),
            ),
        ] {
            let answer = plane.patch(&one, op, path, value).unwrap();
            assert_eq!(answer.get(member).unwrap_or(&Value::Null), &want, "{op} {path}");
        }
        for (op, path, value, want) in [
            ("replace", "/nope", "x", "Invalid patch path /nope"),
            ("add", "/name", "x", "Invalid patch operation specified. Must be one of: [replace]"),
            (
                "replace",
                "/providerARNs",
                "x",
                "Invalid patch operation specified. Must be one of: [add, remove]",
            ),
            (
                "replace",
                "/type",
                "NOPE",
                "Invalid AuthorizerType specified. Valid options are TOKEN,REQUEST,COGNITO_USER_POOLS,JWT",
            ),
            (
                "replace",
                "/authorizerUri",
                "x",
                "Invalid Authorizer URI: x. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.",
            ),
        ] {
            let error = plane.patch(&one, op, path, value).unwrap_err();
            assert_eq!((error.status, error.message.as_str()), (400, want));
        }
    }

    #[test]
    fn what_is_missing_is_told_as_recorded() {
        let mut plane = Plane::new();
        let uri = authorizers(&mut plane);
        assert_eq!(
            plane.refused("GET", "/restapis/nope/authorizers", Value::Null),
            "404 NotFoundException: Invalid API identifier specified 123456789012:nope"
        );
        let input = |uri: &str| json!({"name": "a", "type": "TOKEN", "authorizerUri": uri});
        assert_eq!(
            plane.refused("POST", "/restapis/nope/authorizers", input(URI)),
            "409 ConflictException: Unable to complete operation due to concurrent modification. Please try again later."
        );
        // The form of the address is looked at first.
        let refused = plane.refused("POST", "/restapis/nope/authorizers", input("x"));
        assert!(refused.starts_with("400 BadRequestException: Invalid Authorizer URI: x."));
        for uri in [format!("{uri}/nope"), "/restapis/nope/authorizers/a".to_owned()] {
            for method in ["GET", "PATCH", "DELETE"] {
                assert_eq!(
                    plane.refused(method, &uri, json!({})),
                    "404 NotFoundException: Invalid Authorizer identifier specified"
                );
            }
        }
    }
}
