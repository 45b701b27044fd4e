//! Integration and IntegrationResponse: what carries a method out, and what becomes of its answer.
//!
//! An integration is part of its method's document, and its responses of its own. What an ARN or an
//! address leads to is not asked here; it has the form that AWS wants, no more.
//!
//! Source: facts, aws-recorded section 5, rest-api sections 4 and 5.

use indexmap::IndexMap;

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::mapping;
use super::methods::{MethodPlace, NO_CONTENT_TYPE, NO_PARAMETER, no_such_status};
use super::objects::{Integration, IntegrationResponse, Method, TlsConfig};
use super::patch::{Op, Patch};
use crate::limits::{INTEGRATION_TIMEOUT_MAX_MS, INTEGRATION_TIMEOUT_MIN_MS};

/// Longest answer that is streamed, milliseconds. Source: facts, rest-api section 9 (documented).
const STREAM_TIMEOUT_MAX_MS: u32 = 900_000;
const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];
const PASSTHROUGH_BEHAVIORS: [&str; 3] = ["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"];
const CONTENT_HANDLINGS: [&str; 2] = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"];
const CONNECTION_TYPES: [&str; 2] = ["INTERNET", "VPC_LINK"];
const TRANSFER_MODES: [&str; 2] = ["BUFFERED", "STREAM"];
/// The caller's own credentials. Source: facts, rest-api section 5.
const CALLERS_CREDENTIALS: &str = "arn:aws:iam::*:user/*";

/// Media type → template; `None` is an empty one, which transforms nothing.
type Templates = IndexMap<String, Option<String>>;

pub(super) fn get_integration(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    let integration = place.existing()?.method_integration.as_ref();
    integration.map(Reply::json).ok_or_else(no_such_integration)
}

pub(super) fn put_integration(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    let resource_id = place.resource.id.clone();
    let method = place.existing()?;
    let integration = requested(context, call, &resource_id, method)?;
    // What was there goes as a whole, its responses too.
    method.method_integration = Some(integration.clone());
    tell(context, &place, &integration);
    place.save(context)?;
    Ok(Reply::json(&integration))
}

pub(super) fn update_integration(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    let method = place.existing()?;
    // Taken out of the method while the method's parameters are read.
    let mut integration = method.method_integration.take().ok_or_else(no_such_integration)?;
    for patch in call.patches()? {
        apply(context, &mut integration, method, &patch)?;
    }
    method.method_integration = Some(integration.clone());
    tell(context, &place, &integration);
    place.save(context)?;
    Ok(Reply::json(&integration))
}

pub(super) fn delete_integration(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    place.existing()?.method_integration.take().ok_or_else(no_such_integration)?;
    place.save(context)?;
    Ok(Reply::empty())
}

pub(super) fn get_integration_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    let integration = place.existing()?.method_integration.as_ref();
    let responses = integration.ok_or_else(no_such_integration)?.integration_responses.as_ref();
    let response = responses.and_then(|all| all.get(call.label("status_code")));
    response.map(Reply::json).ok_or_else(no_such_status)
}

pub(super) fn put_integration_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    let method = place.existing()?;
    if method.method_integration.is_none() {
        return Err(no_such_integration());
    }
    let status = call.label("status_code");
    let response = IntegrationResponse {
        status_code: status.to_owned(),
        selection_pattern: call.owned("selectionPattern"),
        response_parameters: call.texts("responseParameters"),
        response_templates: templates(call, "responseTemplates")?,
        content_handling: call.owned("contentHandling"),
    };
    for (target, source) in response.response_parameters.iter().flatten() {
        check_response_mapping(method, status, target, source)?;
    }
    let responses = method.method_integration.get_or_insert_default();
    let responses = responses.integration_responses.get_or_insert_default();
    responses.insert(status.to_owned(), response.clone());
    place.save(context)?;
    Ok(Reply::json(&response))
}

pub(super) fn update_integration_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    let method = place.existing()?;
    let status = call.label("status_code");
    let integration = method.method_integration.as_ref().ok_or_else(no_such_integration)?;
    let responses = integration.integration_responses.as_ref();
    let response = responses.and_then(|all| all.get(status)).ok_or_else(no_such_status)?;
    let mut response = response.clone();
    for patch in call.patches()? {
        let segments = patch.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["selectionPattern"] => {
                patch.only_replace()?;
                response.selection_pattern.clone_from(&patch.value);
            }
            ["contentHandling"] => response.content_handling = content_handling(&patch)?,
            ["responseParameters", target] => {
                let source = || {
                    check_response_mapping(method, status, target, patch.value())?;
                    Ok(patch.value().to_owned())
                };
                patch.apply_to(&mut response.response_parameters, target, NO_PARAMETER, source)?;
            }
            ["responseTemplates", media_type] => {
                apply_template(&mut response.response_templates, media_type, &patch)?;
            }
            _ => return Err(patch.invalid_path()),
        }
    }
    let responses = method.method_integration.get_or_insert_default();
    let responses = responses.integration_responses.get_or_insert_default();
    responses.insert(status.to_owned(), response.clone());
    place.save(context)?;
    Ok(Reply::json(&response))
}

pub(super) fn delete_integration_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    // Of a missing method the same is told as of a missing integration (recorded).
    let integration = place.method().and_then(|method| method.method_integration.as_mut());
    let responses = &mut integration.ok_or_else(no_such_integration)?.integration_responses;
    let was = responses.as_mut().and_then(|all| all.shift_remove(call.label("status_code")));
    was.ok_or_else(no_such_status)?;
    *responses = responses.take().filter(|all| !all.is_empty());
    place.save(context)?;
    Ok(Reply::empty())
}

fn no_such_integration() -> ApiError {
    ApiError::not_found("Invalid Integration identifier specified")
}

/// A new integration of the call's members, with AWS's defaults.
fn requested(
    context: &Context<'_>,
    call: &Call<'_>,
    resource_id: &str,
    method: &Method,
) -> Result<Integration, ApiError> {
    let given = |member: &str| call.owned(member).filter(|text| !text.is_empty());
    let kind = given("type").unwrap_or_default();
    let is_mock = kind == "MOCK";
    let is_http = matches!(kind.as_str(), "HTTP" | "HTTP_PROXY");
    let integration = Integration {
        // A mock has no method; one may be sent all the same.
        http_method: given("httpMethod").filter(|_| !is_mock),
        uri: given("uri"),
        connection_type: given("connectionType")
            .or_else(|| is_http.then(|| CONNECTION_TYPES[0].to_owned())),
        connection_id: given("connectionId"),
        credentials: given("credentials"),
        request_parameters: call.texts("requestParameters"),
        request_templates: templates(call, "requestTemplates")?,
        passthrough_behavior: given("passthroughBehavior")
            .unwrap_or_else(|| PASSTHROUGH_BEHAVIORS[0].to_owned()),
        content_handling: given("contentHandling"),
        timeout_in_millis: match call.owned("timeoutInMillis") {
            None => INTEGRATION_TIMEOUT_MAX_MS.into(),
            Some(text) => timeout(&text, call.text("responseTransferMode"))?,
        },
        cache_namespace: given("cacheNamespace").unwrap_or_else(|| resource_id.to_owned()),
        cache_key_parameters: call.member("cacheKeyParameters")?.unwrap_or_default(),
        integration_responses: None,
        tls_config: call.member("tlsConfig")?,
        response_transfer_mode: given("responseTransferMode"),
        integration_target: given("integrationTarget"),
        r#type: kind,
    };
    if !is_mock {
        check_http_method(integration.http_method.as_deref().unwrap_or_default())?;
    }
    check_uri(&integration.r#type, integration.uri.as_deref().unwrap_or_default())?;
    check_credentials(context, &integration)?;
    one_of("PassthroughBehavior", &integration.passthrough_behavior, &PASSTHROUGH_BEHAVIORS)?;
    for (target, source) in integration.request_parameters.iter().flatten() {
        check_request_mapping(&integration, method, target, source)?;
    }
    integration.cache_key_parameters.iter().try_for_each(|key| check_cache_key(key))?;
    Ok(integration)
}

fn apply(
    context: &Context<'_>,
    integration: &mut Integration,
    method: &Method,
    patch: &Patch,
) -> Result<(), ApiError> {
    let segments = patch.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let given = || patch.value.clone().filter(|value| !value.is_empty());
    match segments.as_slice() {
        ["requestParameters", target] => {
            let source = || Ok(patch.value().to_owned());
            if matches!(patch.op, Op::Add | Op::Replace) {
                check_request_mapping(integration, method, target, patch.value())?;
            }
            let parameters = &mut integration.request_parameters;
            return patch.apply_to(parameters, target, NO_PARAMETER, source);
        }
        ["requestTemplates", media_type] => {
            return apply_template(&mut integration.request_templates, media_type, patch);
        }
        ["cacheKeyParameters", key] => return apply_cache_key(integration, key, patch),
        ["tlsConfig", "insecureSkipVerification"] => {
            patch.only_replace()?;
            let insecure_skip_verification = Some(patch.flag());
            integration.tls_config = Some(TlsConfig { insecure_skip_verification });
            return Ok(());
        }
        [
            "cacheNamespace"
            | "connectionId"
            | "connectionType"
            | "contentHandling"
            | "credentials"
            | "httpMethod"
            | "passthroughBehavior"
            | "timeoutInMillis"
            | "uri"
            | "responseTransferMode"
            | "integrationTarget",
        ] => patch.only_replace()?,
        _ => return Err(patch.invalid_path()),
    }
    match segments[0] {
        "cacheNamespace" => patch.value().clone_into(&mut integration.cache_namespace),
        "connectionId" => integration.connection_id = given(),
        "connectionType" => {
            one_of("ConnectionType", patch.value(), &CONNECTION_TYPES)?;
            integration.connection_type = given();
        }
        "contentHandling" => integration.content_handling = content_handling(patch)?,
        "credentials" => {
            integration.credentials = given();
            check_credentials(context, integration)?;
        }
        "httpMethod" => {
            check_http_method(patch.value())?;
            integration.http_method = given().filter(|_| integration.r#type != "MOCK");
        }
        "passthroughBehavior" => {
            one_of("PassthroughBehavior", patch.value(), &PASSTHROUGH_BEHAVIORS)?;
            patch.value().clone_into(&mut integration.passthrough_behavior);
        }
        "timeoutInMillis" => {
            let mode = integration.response_transfer_mode.as_deref();
            integration.timeout_in_millis = timeout(patch.value(), mode)?;
        }
        "uri" => {
            check_uri(&integration.r#type, patch.value())?;
            integration.uri = given();
            check_credentials(context, integration)?;
        }
        "responseTransferMode" => {
            one_of("ResponseTransferMode", patch.value(), &TRANSFER_MODES)?;
            integration.response_transfer_mode = given();
        }
        _ => integration.integration_target = given(),
    }
    Ok(())
}

fn apply_template(
    templates: &mut Option<Templates>,
    media_type: &str,
    patch: &Patch,
) -> Result<(), ApiError> {
    let template = || {
        check_media_type(media_type)?;
        Ok(patch.value.clone().filter(|template| !template.is_empty()))
    };
    patch.apply_to(templates, media_type, NO_CONTENT_TYPE, template)
}

fn apply_cache_key(
    integration: &mut Integration,
    key: &str,
    patch: &Patch,
) -> Result<(), ApiError> {
    let keys = &mut integration.cache_key_parameters;
    let count = keys.len();
    keys.retain(|it| it != key);
    match patch.op {
        Op::Add => {
            check_cache_key(key)?;
            keys.push(key.to_owned());
            Ok(())
        }
        Op::Remove if keys.len() < count => Ok(()),
        Op::Remove => Err(ApiError::not_found(NO_PARAMETER)),
        _ => Err(ApiError::bad_request(
            "Invalid patch operation specified. Must be one of: [add, remove]",
        )),
    }
}

fn content_handling(patch: &Patch) -> Result<Option<String>, ApiError> {
    patch.only_replace()?;
    let given = patch.value.clone().filter(|value| !value.is_empty());
    if let Some(value) = &given {
        one_of("ContentHandling", value, &CONTENT_HANDLINGS)?;
    }
    Ok(given)
}

/// The templates of a call; an empty one is `null` from then on.
fn templates(call: &Call<'_>, member: &str) -> Result<Option<Templates>, ApiError> {
    let Some(texts) = call.texts(member) else { return Ok(None) };
    let mut all = Templates::with_capacity(texts.len());
    for (media_type, template) in texts {
        check_media_type(&media_type)?;
        all.insert(media_type, Some(template).filter(|template| !template.is_empty()));
    }
    Ok(Some(all))
}

/// `type/subtype`, or `$default`.
fn check_media_type(text: &str) -> Result<(), ApiError> {
    let is_media_type = |(kind, rest): (&str, &str)| !kind.is_empty() && !rest.is_empty();
    if text == "$default" || text.split_once('/').is_some_and(is_media_type) {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "Validation Result: warnings : [], errors : [Invalid content type specified: {text}]"
    )))
}

/// The wording is AWS's of an HttpMethod.
fn one_of(what: &str, value: &str, all: &[&str]) -> Result<(), ApiError> {
    if all.contains(&value) {
        return Ok(());
    }
    let all = all.join(",");
    Err(ApiError::bad_request(format!("Invalid {what} specified. Valid options are {all}")))
}

fn check_http_method(method: &str) -> Result<(), ApiError> {
    if method.is_empty() {
        return Err(ApiError::bad_request("Enumeration value for HttpMethod must be non-empty"));
    }
    one_of("HttpMethod", method, &METHODS)
}

/// Who streams may wait longer.
fn timeout(text: &str, transfer_mode: Option<&str>) -> Result<i64, ApiError> {
    let most = match transfer_mode {
        Some("STREAM") => STREAM_TIMEOUT_MAX_MS,
        _ => INTEGRATION_TIMEOUT_MAX_MS,
    };
    let within = |millis: &u32| (INTEGRATION_TIMEOUT_MIN_MS..=most).contains(millis);
    text.parse().ok().filter(within).map(i64::from).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Timeout should be between {INTEGRATION_TIMEOUT_MIN_MS} ms and {most} ms"
        ))
    })
}

/// Whether an integration of that type may have that address.
fn check_uri(kind: &str, uri: &str) -> Result<(), ApiError> {
    match kind {
        "HTTP" | "HTTP_PROXY" => {
            let host = uri.split_once("://").and_then(|(scheme, rest)| {
                let is_http = ["http", "https"].iter().any(|it| it.eq_ignore_ascii_case(scheme));
                is_http.then_some(rest)
            });
            if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
                return Err(ApiError::bad_request("Invalid HTTP endpoint specified for URI"));
            }
        }
        "AWS" | "AWS_PROXY" => {
            let Some((service, action)) = service_of(uri) else {
                return Err(ApiError::bad_request("Invalid ARN specified in the request"));
            };
            if !action.starts_with("path/") && !action.starts_with("action/") {
                return Err(ApiError::bad_request(
                    "AWS ARN for integration must contain path or action",
                ));
            }
            if kind == "AWS_PROXY" && !["lambda", "firehose"].contains(&service) {
                return Err(ApiError::bad_request(
                    "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
                ));
            }
        }
        _ => {}
    }
    Ok(())
}

/// Service and what follows it of `arn:aws:apigateway:{region}:{[subdomain.]service}:{…}`.
pub(super) fn service_of(uri: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = uri.splitn(6, ':').collect();
    let [arn, partition, apigateway, region, service, action] = parts.try_into().ok()?;
    let is_arn = arn == "arn" && partition.starts_with("aws") && apigateway == "apigateway";
    if !is_arn || region.is_empty() || service.is_empty() {
        return None;
    }
    Some((service.rsplit('.').next().unwrap_or(service), action))
}

/// A role has to be one of this account; services other than Lambda need one.
fn check_credentials(context: &Context<'_>, integration: &Integration) -> Result<(), ApiError> {
    let Some(credentials) = integration.credentials.as_deref() else {
        let service = integration.uri.as_deref().and_then(service_of).map(|(service, _)| service);
        if integration.r#type == "AWS" && service != Some("lambda") {
            return Err(ApiError::bad_request("Role ARN must be specified for AWS integrations"));
        }
        return Ok(());
    };
    if credentials == CALLERS_CREDENTIALS {
        return Ok(());
    }
    let parts: Vec<&str> = credentials.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, role] = parts.as_slice() else {
        return Err(ApiError::bad_request("Invalid ARN specified in the request"));
    };
    if !partition.starts_with("aws") || role.is_empty() {
        return Err(ApiError::bad_request("Invalid ARN specified in the request"));
    }
    if *account != context.settings.account_id {
        return Err(ApiError {
            status: 403,
            kind: "AccessDeniedException",
            message: "Cross-account pass role is not allowed.".to_owned(),
        });
    }
    Ok(())
}

/// Both sides have to be expressions, and what is read has to be declared by the method; a mock reads
/// nothing.
fn check_request_mapping(
    integration: &Integration,
    method: &Method,
    target: &str,
    source: &str,
) -> Result<(), ApiError> {
    let mut errors = Vec::new();
    if mapping::parts(target, "integration.request", mapping::REQUEST_PLACES).is_none() {
        errors.push(mapping::not_an_expression(target));
    }
    if !mapping::is_request_source(source) {
        errors.push(mapping::not_an_expression(source));
    } else if let Some(parameter) = mapping::method_parameter(source)
        && integration.r#type != "MOCK"
        && !is_declared(method.request_parameters.as_ref(), &parameter)
    {
        errors.push(mapping::not_declared(&parameter));
    }
    mapping::refuse(errors)
}

/// Both sides have to be expressions, and the header has to be declared by the method's response.
fn check_response_mapping(
    method: &Method,
    status: &str,
    target: &str,
    source: &str,
) -> Result<(), ApiError> {
    let mut errors = Vec::new();
    let declared = method.method_responses.as_ref().and_then(|all| all.get(status));
    let declared = declared.and_then(|response| response.response_parameters.as_ref());
    if mapping::parts(target, "method.response", mapping::RESPONSE_PLACES).is_none() {
        errors.push(mapping::not_an_expression(target));
    } else if !is_declared(declared, target) {
        errors.push(mapping::not_declared(target));
    }
    if !mapping::is_response_source(source) {
        errors.push(mapping::not_an_expression(source));
    }
    mapping::refuse(errors)
}

fn is_declared(declared: Option<&IndexMap<String, bool>>, parameter: &str) -> bool {
    declared.is_some_and(|all| {
        all.contains_key(parameter) || all.keys().any(|key| mapping::is_same(key, parameter))
    })
}

fn check_cache_key(key: &str) -> Result<(), ApiError> {
    let prefixes = ["method.request", "integration.request"];
    let is_parameter = |prefix| mapping::parts(key, prefix, mapping::REQUEST_PLACES).is_some();
    if prefixes.into_iter().any(is_parameter) {
        return Ok(());
    }
    mapping::refuse(vec![mapping::not_an_expression(key)])
}

/// Tells what of an integration is not carried out.
fn tell(context: &mut Context<'_>, place: &MethodPlace<'_>, integration: &Integration) {
    let shown = place.shown();
    let mut tell = |what: &str, how: &str| {
        context.not_carried_out(format!("Integration of {shown} has {what}: {how}."));
    };
    if matches!(integration.r#type.as_str(), "AWS" | "AWS_PROXY") {
        let what = format!("type {}", integration.r#type);
        tell(&what, "AWS services are not called yet");
    }
    if integration.connection_type.as_deref() == Some("VPC_LINK") {
        tell("connectionType VPC_LINK", "VPC links are not used yet");
    }
    if !integration.cache_key_parameters.is_empty() {
        tell("cacheKeyParameters", "answers are not cached yet");
    }
    if integration.credentials.is_some() {
        tell("credentials", "requests are not signed yet");
    }
    if integration.response_transfer_mode.as_deref() == Some("STREAM") {
        tell("responseTransferMode STREAM", "the mode is stored only");
    }
}

#[cfg(test)]
mod tests;
