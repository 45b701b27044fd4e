//! Deployment: a frozen state of an API, kept for ever.
//!
//! Source: facts, aws-recorded 10.1 and 11, stages-canary-cache-throttle sections 1 and 4.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::ids;
use super::objects::{CanarySettings, Deployment, SNAPSHOT, Stage};
use super::page;
use super::stages;
use crate::control::definition::Definition;

pub(super) fn get_deployments(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let mut all: Vec<Deployment> = context.list(&[&api])?;
    // The newest first: a history reads that way. AWS's order is not recorded.
    all.sort_by(|a, b| b.order.cmp(&a.order).then_with(|| a.id.cmp(&b.id)));
    Ok(page::reply(call, &all.iter().map(shown).collect::<Vec<_>>(), |it| &it.id))
}

pub(super) fn get_deployment(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let (api, deployment) = found(context, call)?;
    let mut answer = serde_json::to_value(shown(&deployment)).expect("our objects serialize");
    if call.queries("embed").any(|it| it.eq_ignore_ascii_case("apisummary")) {
        answer["apiSummary"] = summary(&snapshot(context, &api, &deployment.id)?);
    }
    Ok(Reply::json(&answer))
}

pub(super) fn create_deployment(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let stage_name = call.text("stageName");
    let canary = call.member::<CanarySettings>("canarySettings")?;
    let stage = match stage_name.filter(|name| !name.is_empty()) {
        Some(name) => context.get::<Stage>(&[&api, name])?,
        None => None,
    };
    if canary.is_some() {
        refuse_canary_without_stage(stage_name, stage.is_some())?;
    }
    let definition = Definition::load(context.store, &api)?
        .ok_or_else(|| ApiError::internal("the API is gone"))?;
    definition.check_deployable()?;
    let taken = |id: &str| context.has::<Deployment>(&[&api, id]);
    let deployment = Deployment {
        id: ids::new(ids::SHORT, taken)?,
        description: call.owned("description").filter(|text| !text.is_empty()),
        created_date: context.now,
        order: Some(
            context
                .list::<Deployment>(&[&api])?
                .iter()
                .filter_map(|it| it.order)
                .max()
                .unwrap_or(0)
                + 1,
        ),
    };
    context.put(&[&api, &deployment.id], &deployment)?;
    context.put_blob(SNAPSHOT, &[&api, &deployment.id], &definition.freeze())?;
    match (stage_name.filter(|name| !name.is_empty()), stage) {
        (None, _) => {}
        (Some(name), None) => {
            let mut stage = stages::new_stage(context, name, &deployment.id)?;
            settings_of(call, &mut stage)?;
            stage.variables = variables(call)?;
            stages::put(context, &api, &mut stage)?;
        }
        (Some(_), Some(mut stage)) => {
            settings_of(call, &mut stage)?;
            move_stage(call, &mut stage, canary, &deployment.id)?;
            stages::put(context, &api, &mut stage)?;
        }
    }
    Ok(Reply::json(&shown(&deployment)))
}

pub(super) fn update_deployment(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let (api, mut deployment) = found(context, call)?;
    for patch in call.patches()? {
        if patch.segments() != ["description"] {
            return Err(patch.not_one_of(&["/description"]));
        }
        patch.only_replace()?;
        deployment.description = patch.value.clone().filter(|text| !text.is_empty());
    }
    context.put(&[&api, &deployment.id], &deployment)?;
    Ok(Reply::json(&shown(&deployment)))
}

pub(super) fn delete_deployment(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let (api, deployment) = found(context, call)?;
    let id = &deployment.id;
    let is_used = |stage: &Stage| {
        let canary = stage.canary_settings.as_ref().and_then(|it| it.deployment_id.as_ref());
        stage.deployment_id == *id || canary == Some(id)
    };
    if context.list::<Stage>(&[&api])?.iter().any(is_used) {
        return Err(ApiError::bad_request(
            "Active stages pointing to this deployment must be moved or deleted",
        ));
    }
    context.delete::<Deployment>(&[&api, id])?;
    context.delete_blobs(SNAPSHOT, &[&api, id])?;
    Ok(Reply::empty())
}

fn refuse_canary_without_stage(name: Option<&str>, exists: bool) -> Result<(), ApiError> {
    match name {
        None | Some("") => Err(ApiError::bad_request(format!(
            "Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. Provided value is {}",
            name.unwrap_or("null")
        ))),
        Some(name) if !exists => Err(ApiError::bad_request(format!(
            "Invalid deployment content specified.Stage {name} must already be created before making a canary release deployment"
        ))),
        Some(_) => Ok(()),
    }
}

/// Gives an existing stage its new deployment: to its canary if the call asks for one or the stage has
/// one, else to itself.
fn move_stage(
    call: &Call<'_>,
    stage: &mut Stage,
    canary: Option<CanarySettings>,
    deployment: &str,
) -> Result<(), ApiError> {
    match (canary, &mut stage.canary_settings) {
        (Some(given), _) => {
            stages::check_percent(given.percent_traffic)?;
            stage.canary_settings =
                Some(CanarySettings { deployment_id: Some(deployment.to_owned()), ..given });
        }
        (None, Some(there)) => there.deployment_id = Some(deployment.to_owned()),
        (None, None) => {
            deployment.clone_into(&mut stage.deployment_id);
            // Given variables extend the stage's and replace those of the same name (unverified).
            if let Some(given) = variables(call)? {
                stage.variables.get_or_insert_default().extend(given);
            }
        }
    }
    Ok(())
}

fn settings_of(call: &Call<'_>, stage: &mut Stage) -> Result<(), ApiError> {
    if let Some(description) = call.owned("stageDescription") {
        stage.description = Some(description);
    }
    if let Some(tracing) = call.flag("tracingEnabled") {
        stage.tracing_enabled = tracing;
    }
    stages::set_cache(stage, call.flag("cacheClusterEnabled"), call.owned("cacheClusterSize"));
    Ok(())
}

fn variables(call: &Call<'_>) -> Result<Option<BTreeMap<String, String>>, ApiError> {
    let variables = call.member::<BTreeMap<String, String>>("variables")?;
    for (name, value) in variables.iter().flatten() {
        stages::check_variable(name, value)?;
    }
    Ok(variables.filter(|all| !all.is_empty()))
}

/// The API's id and the deployment that the call is about.
fn found(context: &Context<'_>, call: &Call<'_>) -> Result<(String, Deployment), ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let deployment = context.get(&[&api, call.label("deployment_id")])?.ok_or_else(unknown)?;
    Ok((api, deployment))
}

fn unknown() -> ApiError {
    ApiError::not_found("Invalid Deployment identifier specified")
}

/// What a deployment froze.
///
/// # Errors
/// 404, or the store's.
pub fn snapshot(
    context: &Context<'_>,
    api: &str,
    deployment: &str,
) -> Result<Definition, ApiError> {
    let text = context.blob(SNAPSHOT, &[api, deployment])?.ok_or_else(unknown)?;
    Definition::thaw(&text)
}

/// A deployment without what only we know.
fn shown(deployment: &Deployment) -> Deployment {
    Deployment { order: None, ..deployment.clone() }
}

/// Path → method → how it is protected.
fn summary(definition: &Definition) -> Value {
    let mut paths: Vec<_> = definition.resources.iter().collect();
    paths.sort_by(|a, b| a.path.cmp(&b.path));
    let methods = paths.iter().filter_map(|it| Some((&it.path, it.resource_methods.as_ref()?)));
    let shown = methods.map(|(path, methods)| {
        let methods: Map<String, Value> = methods
            .iter()
            .map(|(name, it)| {
                let snapshot = json!({
                    "authorizationType": it.authorization_type,
                    "apiKeyRequired": it.api_key_required,
                });
                (name.clone(), snapshot)
            })
            .collect();
        (path.clone(), Value::Object(methods))
    });
    Value::Object(shown.collect())
}
