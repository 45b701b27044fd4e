//! Stage: where a deployment is served, with which variables and settings.
//!
//! Source: facts, aws-recorded 10.2 to 10.6, stages-canary-cache-throttle sections 2 to 4.

use std::collections::BTreeMap;

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::objects::{CanarySettings, Deployment, Stage, StageHistory, Tags};
use super::stage_patch;
use super::usage_plans;
use crate::store::{StoreError, Transaction};
use serde_json::json;

/// Longest name of a stage variable, characters.
const VARIABLE_NAME_MAX: usize = 64;
/// Longest value, characters.
const VARIABLE_VALUE_MAX: usize = 512;

pub(super) fn get_stages(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let mut all: Vec<Stage> = context.list(&[&api])?;
    if let Some(deployment) = call.query("deploymentId").filter(|id| !id.is_empty()) {
        all.retain(|stage| stage.deployment_id == deployment);
    }
    for stage in &mut all {
        stage.tags = stage.tags.take().filter(|tags| !tags.is_empty());
    }
    Ok(Reply::json(&json!({ "item": all })))
}

pub(super) fn get_stage(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let (_, stage) = found(context, call)?;
    Ok(Reply::json(&stage))
}

pub(super) fn create_stage(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let name = call.text("stageName").unwrap_or_default();
    if context.has::<Stage>(&[&api, name])? {
        return Err(ApiError::conflict("Stage already exists"));
    }
    let deployment = call.text("deploymentId").unwrap_or_default();
    if !context.has::<Deployment>(&[&api, deployment])? {
        return Err(ApiError::bad_request("Deployment id does not exist"));
    }
    let mut stage = new_stage(context, name, deployment)?;
    stage.description = call.owned("description");
    stage.documentation_version = call.owned("documentationVersion");
    stage.tracing_enabled = call.flag("tracingEnabled").unwrap_or(false);
    set_cache(&mut stage, call.flag("cacheClusterEnabled"), call.owned("cacheClusterSize"));
    let variables = call.member::<BTreeMap<String, String>>("variables")?;
    for (name, value) in variables.iter().flatten() {
        check_variable(name, value)?;
    }
    stage.variables = variables.filter(|all| !all.is_empty());
    stage.tags = call.member::<Tags>("tags")?.filter(|tags| !tags.is_empty());
    if let Some(mut canary) = call.member::<CanarySettings>("canarySettings")? {
        check_percent(canary.percent_traffic)?;
        let own = canary.deployment_id.get_or_insert_with(|| deployment.to_owned());
        if !context.has::<Deployment>(&[&api, own])? {
            return Err(ApiError::bad_request("Deployment id does not exist"));
        }
        stage.canary_settings = Some(canary);
    }
    put(context, &api, &mut stage)?;
    Ok(Reply::json(&stage))
}

pub(super) fn update_stage(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let (api, mut stage) = found(context, call)?;
    for patch in call.patches()? {
        stage_patch::apply(context, &api, &mut stage, &patch)?;
    }
    put(context, &api, &mut stage)?;
    Ok(Reply::json(&stage))
}

pub(super) fn delete_stage(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let (api, stage) = found(context, call)?;
    context.delete::<Stage>(&[&api, &stage.stage_name])?;
    usage_plans::forget_stage(context, &api, &stage.stage_name)?;
    context.delete::<StageHistory>(&[&api, &stage.stage_name])?;
    context.effects.removed_stages.insert((api, stage.stage_name));
    Ok(Reply::empty())
}

/// There is no cache to flush yet; the call is answered as AWS does, and flushing nothing is done.
pub(super) fn flush_cache(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    found(context, call)?;
    context.not_carried_out(format!("{}: there is no cache to flush yet", call.operation.name));
    Ok(Reply::empty())
}

/// A stage with nothing but a deployment.
///
/// # Errors
/// The name is none.
pub(super) fn new_stage(
    context: &Context<'_>,
    name: &str,
    deployment: &str,
) -> Result<Stage, ApiError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || name.len() > 128 || !name.bytes().all(fits) {
        return Err(ApiError::bad_request("Stage name only allows a-zA-Z0-9_-"));
    }
    Ok(Stage {
        stage_name: name.to_owned(),
        deployment_id: deployment.to_owned(),
        cache_cluster_status: "NOT_AVAILABLE".to_owned(),
        created_date: context.now,
        ..Stage::default()
    })
}

/// Keeps a stage that was made or changed, and has it published.
///
/// # Errors
/// The store's.
pub(super) fn put(context: &mut Context<'_>, api: &str, stage: &mut Stage) -> Result<(), ApiError> {
    let key = [api, &stage.stage_name];
    if let Some(before) = context.get::<Stage>(&key)?
        && before.deployment_id != stage.deployment_id
    {
        let mut history = context.get::<StageHistory>(&key)?.unwrap_or_default();
        history.moved(&before.deployment_id, &stage.deployment_id);
        context.put(&key, &history)?;
    }
    stage.last_updated_date = context.now;
    context.put(&[api, &stage.stage_name], stage)?;
    context.effects.changed_stages.insert((api.to_owned(), stage.stage_name.clone()));
    let name = format!("stage {} of API {api}", stage.stage_name);
    if stage.cache_cluster_enabled {
        context.not_carried_out(format!("{name}: its cache"));
    }
    if stage.tracing_enabled {
        context.not_carried_out(format!("{name}: X-Ray tracing"));
    }
    Ok(())
}

/// Turns the cache cluster on or off. AWS takes four minutes over it; we have none to wait for.
pub(super) fn set_cache(stage: &mut Stage, enabled: Option<bool>, size: Option<String>) {
    if let Some(enabled) = enabled {
        stage.cache_cluster_enabled = enabled;
    }
    if let Some(size) = size {
        stage.cache_cluster_size = Some(size);
    }
    if stage.cache_cluster_enabled {
        stage.cache_cluster_size.get_or_insert_with(|| "0.5".to_owned());
        "AVAILABLE".clone_into(&mut stage.cache_cluster_status);
    } else {
        "NOT_AVAILABLE".clone_into(&mut stage.cache_cluster_status);
    }
}

/// Refuses what AWS does not take as a stage variable.
///
/// # Errors
/// `BadRequestException`.
pub fn check_variable(name: &str, value: &str) -> Result<(), ApiError> {
    let name_fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || name.len() > VARIABLE_NAME_MAX || !name.bytes().all(name_fits) {
        return Err(ApiError::bad_request(format!(
            "Stage variable names can only contain alphanumeric characters and underscores, up to {VARIABLE_NAME_MAX} of them: {name}"
        )));
    }
    let value_fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&byte);
    if value.len() > VARIABLE_VALUE_MAX || !value.bytes().all(value_fits) {
        return Err(ApiError::bad_request(format!(
            "Stage variable value for '{name}' can have at most {VARIABLE_VALUE_MAX} characters of [A-Za-z0-9-._~:/?#&=,]"
        )));
    }
    Ok(())
}

/// Refuses a share of requests that is none.
pub(super) fn check_percent(percent: f64) -> Result<(), ApiError> {
    if (0.0..=100.0).contains(&percent) {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "Invalid canary percentTraffic {percent}: it has to be between 0.0 and 100.0"
    )))
}

fn found(context: &Context<'_>, call: &Call<'_>) -> Result<(String, Stage), ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let stage = stage(context, &api, call.label("stage_name"))?;
    Ok((api, stage))
}

/// Deployments that a stage has had before its own and that are still there, the latest first.
///
/// # Errors
/// The store's.
pub fn earlier_deployments(
    store: &Transaction,
    api: &str,
    stage: &str,
) -> Result<Vec<String>, StoreError> {
    let history = store.get::<StageHistory>(&[api, stage])?.unwrap_or_default();
    let mut earlier = Vec::new();
    for id in history.deployments.into_iter().rev() {
        if store.has::<Deployment>(&[api, &id])? {
            earlier.push(id);
        }
    }
    Ok(earlier)
}

/// A stage of an API.
///
/// # Errors
/// 404.
pub(super) fn stage(context: &Context<'_>, api: &str, name: &str) -> Result<Stage, ApiError> {
    context
        .get(&[api, name])?
        .ok_or_else(|| ApiError::not_found("Invalid stage identifier specified"))
}
