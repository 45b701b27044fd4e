//! Method and MethodResponse: what a resource takes and what it answers.
//!
//! Methods live in their resource's document.
//!
//! Source: facts, aws-recorded section 4, control-plane sections 4 and 5.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::mapping::{self, REQUEST_PLACES, RESPONSE_PLACES};
use super::objects::{Authorizer, Method, MethodResponse, Model, RequestValidator, Resource};
use super::patch::{Op, Patch};
use super::resources;

const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];
/// `JWT` came with the authorizers of that type. Source: facts, security 6b.
const AUTHORIZATION_TYPES: [&str; 5] = ["NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS", "JWT"];
const NEEDS_AUTHORIZER: &str = "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.";
/// Told of a parameter that is not there.
pub(super) const NO_PARAMETER: &str = "Invalid parameter name specified";
/// Told of a template or model that is not there.
pub(super) const NO_CONTENT_TYPE: &str = "Content-Type specified was not found";

/// A method's place: the resource that has it or is to get it.
pub(super) struct MethodPlace<'a> {
    api: &'a str,
    name: &'a str,
    pub(super) resource: Resource,
}

impl<'a> MethodPlace<'a> {
    /// The place that a call names.
    ///
    /// # Errors
    /// 404: there is no such resource.
    pub(super) fn of_call(context: &Context<'_>, call: &'a Call<'_>) -> Result<Self, ApiError> {
        let resource = resources::of_call(context, call)?;
        Ok(Self { api: call.label("restapi_id"), name: call.label("http_method"), resource })
    }

    /// The method, if there is one.
    pub(super) fn method(&mut self) -> Option<&mut Method> {
        self.resource.resource_methods.as_mut()?.get_mut(self.name)
    }

    /// The method.
    ///
    /// # Errors
    /// 404: there is none.
    pub(super) fn existing(&mut self) -> Result<&mut Method, ApiError> {
        self.method().ok_or_else(|| ApiError::not_found("Invalid Method identifier specified"))
    }

    /// Keeps the resource with what has been changed in it.
    ///
    /// # Errors
    /// The store's.
    pub(super) fn save(&self, context: &Context<'_>) -> Result<(), ApiError> {
        Ok(context.put(&[self.api, &self.resource.id], &self.resource)?)
    }

    /// `GET /pets`, for people.
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.name, self.resource.path)
    }
}

pub(super) fn get_method(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(MethodPlace::of_call(context, call)?.existing()?))
}

pub(super) fn put_method(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    if !METHODS.contains(&place.name) {
        let all = METHODS.join(",");
        return Err(ApiError::bad_request(format!(
            "Invalid HttpMethod specified. Valid options are {all}"
        )));
    }
    if place.method().is_some() {
        return Err(ApiError::conflict("Method already exists for this resource"));
    }
    let method = Method {
        http_method: place.name.to_owned(),
        authorization_type: authorization_type(call.text("authorizationType").unwrap_or_default())?,
        authorizer_id: call.owned("authorizerId").filter(|id| !id.is_empty()),
        api_key_required: call.owned("apiKeyRequired").as_deref() == Some("true"),
        request_validator_id: call.owned("requestValidatorId").filter(|id| !id.is_empty()),
        operation_name: call.owned("operationName"),
        request_parameters: call.flags("requestParameters"),
        request_models: call.texts("requestModels"),
        method_responses: None,
        method_integration: None,
        authorization_scopes: call
            .member::<Vec<String>>("authorizationScopes")?
            .filter(|scopes| !scopes.is_empty()),
        ringway_throttle: None,
    };
    check_authorizer(context, place.api, &method)?;
    for model in method.request_models.iter().flat_map(IndexMap::values) {
        check_model(context, place.api, model)?;
    }
    if let Some(id) = &method.request_validator_id {
        check_validator(context, place.api, id)?;
    }
    check_parameters(&method)?;
    tell(context, &place, &method);
    let methods = place.resource.resource_methods.get_or_insert_default();
    methods.insert(method.http_method.clone(), method.clone());
    place.save(context)?;
    Ok(Reply::json(&method))
}

pub(super) fn update_method(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    let api = place.api;
    let method = place.existing()?;
    let mut changes_authorizer = false;
    for patch in call.patches()? {
        changes_authorizer |= ["/authorizationType", "/authorizerId"].contains(&patch.path());
        apply(context, api, method, &patch)?;
    }
    if changes_authorizer {
        check_authorizer(context, api, method)?;
    }
    check_parameters(method)?;
    let method = method.clone();
    tell(context, &place, &method);
    place.save(context)?;
    Ok(Reply::json(&method))
}

pub(super) fn delete_method(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    place.existing()?;
    if let Some(methods) = &mut place.resource.resource_methods {
        methods.remove(place.name);
    }
    place.resource.resource_methods =
        place.resource.resource_methods.take().filter(|methods| !methods.is_empty());
    place.save(context)?;
    Ok(Reply::empty())
}

pub(super) fn get_method_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    let responses = place.existing()?.method_responses.as_ref();
    let response = responses.and_then(|all| all.get(call.label("status_code")));
    response.map(Reply::json).ok_or_else(no_such_status)
}

pub(super) fn put_method_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    let api = place.api;
    let method = place.existing()?;
    let status = call.label("status_code");
    if method.method_responses.as_ref().is_some_and(|all| all.contains_key(status)) {
        return Err(ApiError::conflict("Response already exists for this resource"));
    }
    let response = MethodResponse {
        status_code: status.to_owned(),
        response_parameters: call.flags("responseParameters"),
        response_models: call.texts("responseModels"),
    };
    for model in response.response_models.iter().flat_map(IndexMap::values) {
        check_model(context, api, model)?;
    }
    check_response_parameters(&response)?;
    method.method_responses.get_or_insert_default().insert(status.to_owned(), response.clone());
    place.save(context)?;
    Ok(Reply::json(&response))
}

pub(super) fn update_method_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    let api = place.api;
    let responses = place.existing()?.method_responses.as_mut();
    let response = responses.and_then(|all| all.get_mut(call.label("status_code")));
    let response = response.ok_or_else(no_such_status)?;
    for patch in call.patches()? {
        let segments = patch.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["responseParameters", name] => {
                let required = || Ok(patch.flag());
                patch.apply_to(&mut response.response_parameters, name, NO_PARAMETER, required)?;
            }
            ["responseModels", media_type] => {
                let model = || {
                    check_model(context, api, patch.value())?;
                    Ok(patch.value().to_owned())
                };
                patch.apply_to(
                    &mut response.response_models,
                    media_type,
                    NO_CONTENT_TYPE,
                    model,
                )?;
            }
            _ => return Err(patch.invalid_path()),
        }
    }
    check_response_parameters(response)?;
    let response = response.clone();
    place.save(context)?;
    Ok(Reply::json(&response))
}

pub(super) fn delete_method_response(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut place = MethodPlace::of_call(context, call)?;
    let method = place.existing()?;
    let responses = method.method_responses.as_mut();
    let was = responses.and_then(|all| all.remove(call.label("status_code")));
    was.ok_or_else(no_such_status)?;
    method.method_responses = method.method_responses.take().filter(|all| !all.is_empty());
    place.save(context)?;
    Ok(Reply::empty())
}

pub(super) fn no_such_status() -> ApiError {
    ApiError::not_found("Invalid Response status code specified")
}

fn apply(
    context: &Context<'_>,
    api: &str,
    method: &mut Method,
    patch: &Patch,
) -> Result<(), ApiError> {
    let segments = patch.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let given = || patch.value.clone().filter(|value| !value.is_empty());
    match segments.as_slice() {
        ["requestParameters", name] => {
            let required = || Ok(patch.flag());
            return patch.apply_to(&mut method.request_parameters, name, NO_PARAMETER, required);
        }
        ["requestModels", media_type] => {
            let model = || {
                check_model(context, api, patch.value())?;
                Ok(patch.value().to_owned())
            };
            return patch.apply_to(&mut method.request_models, media_type, NO_CONTENT_TYPE, model);
        }
        ["authorizationScopes"] => return apply_scope(&mut method.authorization_scopes, patch),
        [
            "apiKeyRequired" | "authorizationType" | "authorizerId" | "operationName"
            | "requestValidatorId",
        ] => patch.only_replace()?,
        _ => return Err(patch.invalid_path()),
    }
    match segments[0] {
        "apiKeyRequired" => method.api_key_required = patch.flag(),
        "authorizationType" => method.authorization_type = authorization_type(patch.value())?,
        "authorizerId" => method.authorizer_id = given(),
        "operationName" => method.operation_name = given(),
        // An empty value takes the validator away.
        _ => {
            method.request_validator_id = given();
            if let Some(id) = &method.request_validator_id {
                check_validator(context, api, id)?;
            }
        }
    }
    Ok(())
}

fn apply_scope(scopes: &mut Option<Vec<String>>, patch: &Patch) -> Result<(), ApiError> {
    if !matches!(patch.op, Op::Add | Op::Remove) {
        return Err(ApiError::bad_request(
            "Invalid patch operation specified. Must be one of: [add, remove]",
        ));
    }
    let all = scopes.get_or_insert_default();
    all.retain(|scope| scope != patch.value());
    if patch.op == Op::Add {
        all.push(patch.value().to_owned());
    }
    *scopes = scopes.take().filter(|all| !all.is_empty());
    Ok(())
}

/// Any case is taken and upper case kept.
fn authorization_type(text: &str) -> Result<String, ApiError> {
    let found = AUTHORIZATION_TYPES.into_iter().find(|it| it.eq_ignore_ascii_case(text));
    found.map(str::to_owned).ok_or_else(|| {
        let all = AUTHORIZATION_TYPES[..4].join(",");
        ApiError::bad_request(format!(
            "Invalid Authorization Type specified. Valid options are {all}"
        ))
    })
}

fn check_authorizer(context: &Context<'_>, api: &str, method: &Method) -> Result<(), ApiError> {
    if matches!(method.authorization_type.as_str(), "NONE" | "AWS_IAM") {
        return Ok(());
    }
    let id = method.authorizer_id.as_deref().unwrap_or_default();
    if context.has::<Authorizer>(&[api, id])? {
        return Ok(());
    }
    Err(ApiError::bad_request(NEEDS_AUTHORIZER))
}

/// `Empty` may be named even where it is not: imported APIs do so.
fn check_model(context: &Context<'_>, api: &str, name: &str) -> Result<(), ApiError> {
    if name == "Empty" || context.has::<Model>(&[api, name])? {
        return Ok(());
    }
    Err(ApiError::bad_request(format!("Invalid model identifier specified: {name}")))
}

fn check_validator(context: &Context<'_>, api: &str, id: &str) -> Result<(), ApiError> {
    if context.has::<RequestValidator>(&[api, id])? {
        return Ok(());
    }
    Err(ApiError::bad_request("Invalid Request Validator identifier specified"))
}

fn check_parameters(method: &Method) -> Result<(), ApiError> {
    let Some(parameters) = &method.request_parameters else { return Ok(()) };
    mapping::check_keys(parameters.keys(), "method.request", REQUEST_PLACES)?;
    let mut places: HashMap<&str, &str> = HashMap::with_capacity(parameters.len());
    for key in parameters.keys() {
        let Some((place, name)) = mapping::parts(key, "method.request", REQUEST_PLACES) else {
            continue;
        };
        if *places.entry(name).or_insert(place) != place {
            return Err(ApiError::bad_request(
                "Parameter names must be unique across querystring, header and path",
            ));
        }
    }
    Ok(())
}

fn check_response_parameters(response: &MethodResponse) -> Result<(), ApiError> {
    let keys = response.response_parameters.iter().flat_map(IndexMap::keys);
    mapping::check_keys(keys, "method.response", RESPONSE_PLACES)
}

/// Tells what of a method is not carried out.
fn tell(context: &mut Context<'_>, place: &MethodPlace<'_>, method: &Method) {
    let shown = place.shown();
    if method.authorization_type != "NONE" {
        let kind = &method.authorization_type;
        context.not_carried_out(format!(
            "Method {shown} has authorizationType {kind}, which is not carried out yet: it is closed, and answers 403."
        ));
    }
}

#[cfg(test)]
mod tests;
