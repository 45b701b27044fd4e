//! GatewayResponse: what the gateway answers by itself.
//!
//! Kept is what was put or patched, and answered is what it makes of the defaults: a type that was never
//! put takes those of DEFAULT_4XX or DEFAULT_5XX if that was put, and is a default response all the same.
//!
//! Source: facts, aws-recorded section 9, rest-api section 12.

use std::collections::BTreeMap;

use serde::Serialize;

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::mapping;
use super::methods::{NO_CONTENT_TYPE, NO_PARAMETER};
use super::objects::{GatewayResponse, Texts};
use super::page;
use super::patch::{Op, Patch};
use crate::model::ResponseType;

const MEDIA_TYPE_DEFAULT: &str = "application/json";
const TEMPLATE_DEFAULT: &str = "{\"message\":$context.error.messageString}";

/// A gateway response as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    response_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<String>,
    response_parameters: Texts,
    response_templates: Texts,
    default_response: bool,
}

type All = BTreeMap<String, GatewayResponse>;

pub(super) fn get_gateway_responses(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let put = all_of(context, &api)?;
    let all: Vec<_> = ResponseType::ALL.into_iter().map(|kind| shown(&put, kind)).collect();
    Ok(page::reply(call, &all, |response| response.response_type))
}

pub(super) fn get_gateway_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let (api, kind) = of_call(context, call)?;
    Ok(Reply::json(&shown(&all_of(context, &api)?, kind)))
}

pub(super) fn put_gateway_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let (api, kind) = of_call(context, call)?;
    let given = |member| call.texts(member).filter(|texts| !texts.is_empty());
    let response = GatewayResponse {
        response_type: kind.as_str().to_owned(),
        status_code: call.owned("statusCode"),
        response_parameters: given("responseParameters"),
        response_templates: given("responseTemplates"),
    };
    for (target, source) in response.response_parameters.iter().flatten() {
        check_parameter(target, source)?;
    }
    save(context, &api, kind, response)
}

pub(super) fn update_gateway_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let (api, kind) = of_call(context, call)?;
    let mut response = context.get(&[&api, kind.as_str()])?.unwrap_or_else(|| GatewayResponse {
        response_type: kind.as_str().to_owned(),
        ..GatewayResponse::default()
    });
    for patch in call.patches()? {
        apply(&mut response, &patch)?;
    }
    save(context, &api, kind, response)
}

pub(super) fn delete_gateway_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let (api, kind) = of_call(context, call)?;
    if context.delete::<GatewayResponse>(&[&api, kind.as_str()])? {
        return Ok(Reply::empty());
    }
    Err(ApiError::not_found("Gateway response type not defined on api"))
}

/// API and type of a call.
fn of_call(context: &Context<'_>, call: &Call<'_>) -> Result<(String, ResponseType), ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let name = call.label("response_type");
    // The form of a call has been checked; this is for whoever forgets to.
    let kind = ResponseType::named(name).ok_or_else(|| {
        ApiError::not_found(format!("Invalid Gateway response type specified: {name}"))
    })?;
    Ok((api, kind))
}

fn all_of(context: &Context<'_>, api: &str) -> Result<All, ApiError> {
    let all: Vec<GatewayResponse> = context.list(&[api])?;
    Ok(all.into_iter().map(|response| (response.response_type.clone(), response)).collect())
}

fn save(
    context: &Context<'_>,
    api: &str,
    kind: ResponseType,
    response: GatewayResponse,
) -> Result<Reply, ApiError> {
    context.put(&[api, kind.as_str()], &response)?;
    let put = All::from([(response.response_type.clone(), response)]);
    Ok(Reply::json(&shown(&put, kind)))
}

/// What a type's answer is, given all that were put.
fn shown(put: &All, kind: ResponseType) -> Shown {
    let own = put.get(kind.as_str());
    let class = kind.status_code().map(|status| match status {
        400..500 => ResponseType::Default4xx,
        _ => ResponseType::Default5xx,
    });
    let response = own.or_else(|| put.get(class?.as_str()));
    let status = response.and_then(|it| it.status_code.clone());
    let templates = response.and_then(|it| it.response_templates.clone());
    Shown {
        response_type: kind.as_str(),
        status_code: status.or_else(|| Some(kind.status_code()?.to_string())),
        response_parameters: response
            .and_then(|it| it.response_parameters.clone())
            .unwrap_or_default(),
        response_templates: templates.unwrap_or_else(default_templates),
        default_response: own.is_none(),
    }
}

fn default_templates() -> Texts {
    Texts::from([(MEDIA_TYPE_DEFAULT.to_owned(), TEMPLATE_DEFAULT.to_owned())])
}

fn apply(response: &mut GatewayResponse, patch: &Patch) -> Result<(), ApiError> {
    let segments = patch.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["statusCode"] if patch.op == Op::Replace => {
            // An empty value gives the type its own status back.
            response.status_code = patch.value.clone().filter(|status| !status.is_empty());
            let status = response.status_code.as_deref();
            if !status.is_none_or(is_status) {
                return Err(ApiError::bad_request("Invalid status code specified"));
            }
            Ok(())
        }
        [member @ "responseParameters", name] => {
            let value = value_of(member, patch)?;
            let parameters = &mut response.response_parameters;
            let is_there = parameters.as_ref().is_some_and(|all| all.contains_key(*name));
            if patch.op == Op::Replace && !is_there {
                return Err(ApiError::not_found(NO_PARAMETER));
            }
            patch.apply_to(parameters, name, NO_PARAMETER, || {
                check_parameter(name, value)?;
                Ok(value.to_owned())
            })
        }
        [member @ "responseTemplates", media_type] => {
            let value = value_of(member, patch)?;
            // What was not given are the defaults, and they stay beside what is added.
            let templates = &mut response.response_templates;
            templates.get_or_insert_with(default_templates);
            patch.apply_to(templates, media_type, NO_CONTENT_TYPE, || Ok(value.to_owned()))
        }
        _ => Err(patch.invalid_path()),
    }
}

/// The value, which only a removal may leave out.
fn value_of<'a>(member: &str, patch: &'a Patch) -> Result<&'a str, ApiError> {
    if patch.value().is_empty() && matches!(patch.op, Op::Add | Op::Replace) {
        return Err(ApiError::bad_request(format!("Invalid null or empty value in {member}")));
    }
    Ok(patch.value())
}

fn is_status(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 3 && (b'1'..=b'5').contains(&bytes[0]) && bytes.iter().all(u8::is_ascii_digit)
}

/// `gatewayresponse.header.NAME`, and a source that is there when the gateway answers.
fn check_parameter(target: &str, source: &str) -> Result<(), ApiError> {
    let mut errors = Vec::new();
    if mapping::parts(target, "gatewayresponse", mapping::RESPONSE_PLACES).is_none() {
        errors.push(mapping::not_an_expression(target));
    }
    if !mapping::is_gateway_response_source(source) {
        errors.push(mapping::not_an_expression(source));
    }
    mapping::refuse(errors)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::Plane;
    use super::ResponseType;

    /// The URI of an API's gateway responses.
    fn responses(plane: &mut Plane) -> String {
        let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
        format!("/restapis/{}/gatewayresponses", api["id"].as_str().unwrap())
    }

    fn default_templates() -> Value {
        json!({"application/json": "{\"message\":$context.error.messageString}"})
    }

    #[test]
    fn untouched_types_are_answered_with_the_defaults() {
        let mut plane = Plane::new();
        let uri = responses(&mut plane);
        let all = plane.ok("GET", &uri, Value::Null);
        let statuses = [
            ("ACCESS_DENIED", 403),
            ("API_CONFIGURATION_ERROR", 500),
            ("AUTHORIZER_CONFIGURATION_ERROR", 500),
            ("AUTHORIZER_FAILURE", 500),
            ("BAD_REQUEST_BODY", 400),
            ("BAD_REQUEST_PARAMETERS", 400),
            ("DEFAULT_4XX", 0),
            ("DEFAULT_5XX", 0),
            ("EXPIRED_TOKEN", 403),
            ("INTEGRATION_FAILURE", 504),
            ("INTEGRATION_TIMEOUT", 504),
            ("INVALID_API_KEY", 403),
            ("INVALID_SIGNATURE", 403),
            ("MISSING_AUTHENTICATION_TOKEN", 403),
            ("QUOTA_EXCEEDED", 429),
            ("REQUEST_TOO_LARGE", 413),
            ("RESOURCE_NOT_FOUND", 404),
            ("THROTTLED", 429),
            ("UNAUTHORIZED", 401),
            ("UNSUPPORTED_MEDIA_TYPE", 415),
            ("WAF_FILTERED", 403),
        ];
        assert_eq!(all["item"].as_array().unwrap().len(), statuses.len());
        for (item, (kind, status)) in all["item"].as_array().unwrap().iter().zip(statuses) {
            let mut want = json!({
                "responseType": kind, "responseParameters": {},
                "responseTemplates": default_templates(), "defaultResponse": true,
            });
            if status > 0 {
                want["statusCode"] = json!(status.to_string());
            }
            assert_eq!(item, &want);
            assert_eq!(plane.ok("GET", &format!("{uri}/{kind}"), Value::Null), want);
        }
        let page = plane.ok("GET", &format!("{uri}?limit=1&position=UNAUTHORIZED"), Value::Null);
        assert_eq!(page["position"], "UNSUPPORTED_MEDIA_TYPE|WAF_FILTERED");
    }

    #[test]
    fn what_is_not_put_is_the_types_default() {
        let mut plane = Plane::new();
        let uri = format!("{}/THROTTLED", responses(&mut plane));
        for (input, status, parameters, templates) in [
            (json!({"statusCode": "430"}), "430", json!({}), default_templates()),
            (json!({"statusCode": 430}), "430", json!({}), default_templates()),
            (
                json!({"responseTemplates": {"application/xml": "<x/>"}}),
                "429",
                json!({}),
                json!({"application/xml": "<x/>"}),
            ),
            (
                json!({"responseParameters": {"gatewayresponse.header.A": "'*'"}, "responseTemplates": {}}),
                "429",
                json!({"gatewayresponse.header.A": "'*'"}),
                default_templates(),
            ),
        ] {
            let want = json!({
                "responseType": "THROTTLED", "statusCode": status, "responseParameters": parameters,
                "responseTemplates": templates, "defaultResponse": false,
            });
            assert_eq!(plane.ok("PUT", &uri, input), want);
            assert_eq!(plane.ok("GET", &uri, Value::Null), want);
        }
        plane.ok("DELETE", &uri, Value::Null);
        assert_eq!(plane.ok("GET", &uri, Value::Null)["defaultResponse"], true);
        assert_eq!(
            plane.refused("DELETE", &uri, Value::Null),
            "404 NotFoundException: Gateway response type not defined on api"
        );
    }

    #[test]
    fn the_default_of_a_class_spreads_to_what_was_not_put() {
        let mut plane = Plane::new();
        let uri = responses(&mut plane);
        let parameters = json!({"gatewayresponse.header.Class": "'5xx'"});
        let templates = json!({"application/json": "{}"});
        let input = json!({
            "statusCode": "599", "responseParameters": parameters, "responseTemplates": templates,
        });
        plane.ok("PUT", &format!("{uri}/DEFAULT_5XX"), input);
        let own = json!({"gatewayresponse.header.Own": "method.request.header.X"});
        let answer = plane.ok(
            "PUT",
            &format!("{uri}/AUTHORIZER_FAILURE"),
            json!({"responseParameters": own}),
        );
        assert_eq!(answer["statusCode"], "500");
        let all = plane.ok("GET", &uri, Value::Null);
        for item in all["item"].as_array().unwrap() {
            let kind = ResponseType::named(item["responseType"].as_str().unwrap()).unwrap();
            let want = match (kind.as_str(), kind.status_code()) {
                ("AUTHORIZER_FAILURE", _) => (json!("500"), &own, default_templates(), false),
                ("DEFAULT_5XX", _) => (json!("599"), &parameters, templates.clone(), false),
                (_, Some(500..)) => (json!("599"), &parameters, templates.clone(), true),
                (_, status) => (
                    status.map_or(Value::Null, |status| json!(status.to_string())),
                    &json!({}),
                    default_templates(),
                    true,
                ),
            };
            let got = (
                item["statusCode"].clone(),
                &item["responseParameters"],
                item["responseTemplates"].clone(),
                item["defaultResponse"].as_bool().unwrap(),
            );
            assert_eq!(got, want, "{}", kind.as_str());
        }
        // A default without a status leaves each type its own.
        plane.ok("PUT", &format!("{uri}/DEFAULT_4XX"), json!({"responseTemplates": templates}));
        let answer = plane.ok("GET", &format!("{uri}/THROTTLED"), Value::Null);
        assert_eq!(
            (&answer["statusCode"], &answer["responseTemplates"]),
            (&json!("429"), &templates)
        );
    }

    #[test]
    fn patches_do_what_was_recorded() {
        let mut plane = Plane::new();
        let uri = format!("{}/DEFAULT_4XX", responses(&mut plane));
        let mut patch = |op: &str, path: &str, value: &str| match plane.patch(&uri, op, path, value)
        {
            Ok(response) => response,
            Err(error) => Value::from(format!("{} {error}", error.status)),
        };
        // One that was never put becomes one that was.
        assert_eq!(
            patch("replace", "/statusCode", "444"),
            json!({
                "responseType": "DEFAULT_4XX", "statusCode": "444", "responseParameters": {},
                "responseTemplates": default_templates(), "defaultResponse": false,
            })
        );
        let xml = "/responseTemplates/application~1xml";
        let mut both = default_templates();
        both["application/xml"] = json!("<x/>");
        assert_eq!(patch("add", xml, "<x/>")["responseTemplates"], both);
        assert_eq!(patch("replace", xml, "<y/>")["responseTemplates"]["application/xml"], "<y/>");
        assert_eq!(patch("remove", xml, "")["responseTemplates"], default_templates());
        let allow = "/responseParameters/gatewayresponse.header.Access-Control-Allow-Origin";
        assert_eq!(
            patch("add", allow, "'*'")["responseParameters"],
            json!({"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"})
        );
        for value in [
            "'x'",
            "method.request.header.X",
            "method.request.path.X",
            "method.request.querystring.X",
        ] {
            let name = "gatewayresponse.header.Access-Control-Allow-Origin";
            assert_eq!(patch("replace", allow, value)["responseParameters"][name], value);
        }
        assert_eq!(patch("remove", allow, "")["responseParameters"], json!({}));
        assert_eq!(patch("replace", "/statusCode", "").get("statusCode"), None);
        for (op, path, value, want) in [
            (
                "add",
                "/statusCode",
                "400",
                "400 BadRequestException: Invalid patch path /statusCode",
            ),
            (
                "remove",
                "/statusCode",
                "",
                "400 BadRequestException: Invalid patch path /statusCode",
            ),
            (
                "replace",
                "/statusCode",
                "wrong",
                "400 BadRequestException: Invalid status code specified",
            ),
            ("replace", allow, "'*'", "404 NotFoundException: Invalid parameter name specified"),
            (
                "replace",
                allow,
                "",
                "400 BadRequestException: Invalid null or empty value in responseParameters",
            ),
            (
                "replace",
                "/responseTemplates/application~1json",
                "",
                "400 BadRequestException: Invalid null or empty value in responseTemplates",
            ),
            ("remove", xml, "", "404 NotFoundException: Content-Type specified was not found"),
            (
                "replace",
                "/wrongPath",
                "x",
                "400 BadRequestException: Invalid patch path /wrongPath",
            ),
            (
                "add",
                "/responseParameters/gatewayresponse.body",
                "'x'",
                "400 BadRequestException: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: gatewayresponse.body]",
            ),
        ] {
            assert_eq!(patch(op, path, value), want, "{op} {path} {value}");
        }
        let no_path = json!({"patchOperations": [{"op": "replace", "value": "x"}]});
        assert_eq!(
            plane.refused("PATCH", &uri, no_path),
            "400 BadRequestException: Invalid patch path null"
        );
        let no_value = json!({"patchOperations": [
            {"op": "replace", "path": "/responseTemplates/application~1json"},
        ]});
        assert_eq!(
            plane.refused("PATCH", &uri, no_value),
            "400 BadRequestException: Invalid null or empty value in responseTemplates"
        );
    }

    #[test]
    fn types_and_apis_that_are_not_there_are_refused() {
        let mut plane = Plane::new();
        let uri = responses(&mut plane);
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            assert_eq!(
                plane.refused(method, &format!("{uri}/TEAPOT"), json!({})),
                "400 ValidationException: 1 validation error detected: Value 'TEAPOT' at 'responseType' failed to satisfy constraint: Member must satisfy enum value set: [DEFAULT_4XX, DEFAULT_5XX, RESOURCE_NOT_FOUND, UNAUTHORIZED, INVALID_API_KEY, ACCESS_DENIED, AUTHORIZER_FAILURE, AUTHORIZER_CONFIGURATION_ERROR, INVALID_SIGNATURE, EXPIRED_TOKEN, MISSING_AUTHENTICATION_TOKEN, INTEGRATION_FAILURE, INTEGRATION_TIMEOUT, API_CONFIGURATION_ERROR, UNSUPPORTED_MEDIA_TYPE, BAD_REQUEST_PARAMETERS, BAD_REQUEST_BODY, REQUEST_TOO_LARGE, THROTTLED, QUOTA_EXCEEDED, WAF_FILTERED]"
            );
            assert_eq!(
                plane.refused(method, "/restapis/nope/gatewayresponses/THROTTLED", json!({})),
                "404 NotFoundException: Invalid API identifier specified 123456789012:nope"
            );
        }
        let bare = json!({"responseParameters": {"gatewayresponse.header.A": "*"}});
        assert_eq!(
            plane.refused("PUT", &format!("{uri}/THROTTLED"), bare),
            "400 BadRequestException: Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: *]"
        );
    }
}
