//! UpdateStage: family C of AWS's patches, with messages of its own.
//!
//! Source: facts, aws-recorded 10.3 to 11, stages-canary-cache-throttle sections 2 and 4.

use super::context::Context;
use super::error::ApiError;
use super::objects::{AccessLogSettings, CanarySettings, Deployment, MethodSetting, Stage};
use super::patch::{Op, Patch, segments};
use super::stages;

/// The setting that methods without their own have.
const ALL_METHODS: &str = "*/*";

const LOG_PATHS: &str = "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]";

/// AWS's list of paths, its missing commas and all.
const PATHS: &str = "[/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, /{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, /{resourcePath}/{httpMethod}/logging/loglevel, /{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit/{resourcePath}/{httpMethod}/caching/ttlInSeconds, /{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, /{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, /{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, /tracingEnabled]";

/// Carries one operation of a patch out.
///
/// # Errors
/// What AWS says.
pub(super) fn apply(
    context: &Context<'_>,
    api: &str,
    stage: &mut Stage,
    patch: &Patch,
) -> Result<(), ApiError> {
    let segments = patch.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if patch.op == Op::Copy {
        return promote(stage, patch);
    }
    if patch.op == Op::Remove {
        return remove(stage, &segments, patch);
    }
    match segments.as_slice() {
        ["canarySettings", rest @ ..] => return canary(context, api, stage, rest, patch),
        ["deploymentId"] => {
            stage.deployment_id = existing_deployment(context, api, patch.value())?;
        }
        ["description"] => stage.description = patch.value.clone(),
        ["cacheClusterEnabled"] => stages::set_cache(stage, Some(patch.flag()), None),
        ["cacheClusterSize"] => {
            const SIZES: [&str; 8] = ["0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"];
            if !SIZES.contains(&patch.value()) {
                return Err(ApiError::bad_request(format!(
                    "Invalid cache cluster size. Must be one of: [{}]",
                    SIZES.join(", ")
                )));
            }
            stages::set_cache(stage, None, Some(patch.value().to_owned()));
        }
        ["clientCertificateId"] => {
            stage.client_certificate_id = patch.value.clone().filter(|id| !id.is_empty());
        }
        ["tracingEnabled"] => stage.tracing_enabled = patch.flag(),
        ["documentationVersion"] => {
            stage.documentation_version = patch.value.clone().filter(|it| !it.is_empty());
        }
        ["webAclArn"] => stage.web_acl_arn = patch.value.clone().filter(|arn| !arn.is_empty()),
        ["variables", name] => {
            stages::check_variable(name, patch.value())?;
            let variables = stage.variables.get_or_insert_default();
            variables.insert((*name).to_owned(), patch.value().to_owned());
        }
        ["accessLogSettings", rest @ ..] => {
            let (["destinationArn"] | ["format"]) = rest else {
                return Err(ApiError::bad_request(LOG_PATHS));
            };
            if patch.value().is_empty() {
                return Err(ApiError::bad_request("Access Log value must not be empty"));
            }
            let settings = stage.access_log_settings.get_or_insert_with(AccessLogSettings::default);
            let target = match rest {
                ["format"] => &mut settings.format,
                _ => &mut settings.destination_arn,
            };
            *target = patch.value.clone();
        }
        [path, method, group, name] => {
            return method_setting(stage, [path, method, group, name], patch);
        }
        _ => return Err(unknown_path(patch)),
    }
    Ok(())
}

fn unknown_path(patch: &Patch) -> ApiError {
    let path = patch.path();
    ApiError::bad_request(format!("Invalid method setting path: {path}. Must be one of: {PATHS}"))
}

fn existing_deployment(context: &Context<'_>, api: &str, id: &str) -> Result<String, ApiError> {
    if context.has::<Deployment>(&[api, id])? {
        return Ok(id.to_owned());
    }
    Err(ApiError::bad_request("Deployment id does not exist"))
}

fn remove(stage: &mut Stage, segments: &[&str], patch: &Patch) -> Result<(), ApiError> {
    match segments {
        ["canarySettings"] => stage.canary_settings = None,
        ["canarySettings", "stageVariableOverrides", name] => {
            let overrides =
                stage.canary_settings.as_mut().and_then(|it| it.stage_variable_overrides.as_mut());
            if overrides.and_then(|all| all.remove(*name)).is_none() {
                return Err(nothing_to_remove(segments));
            }
        }
        ["accessLogSettings"] => stage.access_log_settings = None,
        ["description"] => stage.description = None,
        ["clientCertificateId"] => stage.client_certificate_id = None,
        ["documentationVersion"] => stage.documentation_version = None,
        ["webAclArn"] => stage.web_acl_arn = None,
        ["variables", name] => {
            if let Some(variables) = &mut stage.variables {
                variables.remove(*name);
                if variables.is_empty() {
                    stage.variables = None;
                }
            }
        }
        [path, method] => {
            let key = setting_key(path, method);
            if stage.method_settings.shift_remove(&key).is_none() {
                return Err(nothing_to_remove(&[&key]));
            }
        }
        _ => {
            let sent = segments_as_sent(patch);
            return Err(nothing_to_remove(&[&sent]));
        }
    }
    Ok(())
}

fn segments_as_sent(patch: &Patch) -> String {
    let path = patch.path();
    path.strip_prefix('/').unwrap_or(path).to_owned()
}

fn nothing_to_remove(segments: &[&str]) -> ApiError {
    let path = segments.join("/");
    ApiError::bad_request(format!(
        "Cannot remove method setting {path} because there is no method setting for this method "
    ))
}

/// The key of a method's settings: its path without the leading slash, and its name.
fn setting_key(path: &str, method: &str) -> String {
    // The root's path is a slash, of which nothing is taken away (unverified).
    let path = if path.len() > 1 { path.strip_prefix('/').unwrap_or(path) } else { path };
    format!("{path}/{method}")
}

/// What a setting has that nobody has touched.
fn untouched() -> MethodSetting {
    MethodSetting {
        throttling_burst_limit: 5_000,
        throttling_rate_limit: 10_000.0,
        cache_ttl_in_seconds: 300,
        require_authorization_for_cache_control: true,
        unauthorized_cache_control_header_strategy: "SUCCEED_WITH_RESPONSE_HEADER".to_owned(),
        ..MethodSetting::default()
    }
}

fn method_setting(
    stage: &mut Stage,
    [path, method, group, name]: [&str; 4],
    patch: &Patch,
) -> Result<(), ApiError> {
    let key = setting_key(path, method);
    // A new entry begins as a copy of what all methods have.
    let mut setting = stage
        .method_settings
        .get(&key)
        .or_else(|| stage.method_settings.get(ALL_METHODS))
        .cloned()
        .unwrap_or_else(untouched);
    set(&mut setting, group, name, patch)?;
    stage.method_settings.insert(key, setting);
    Ok(())
}

fn set(
    setting: &mut MethodSetting,
    group: &str,
    name: &str,
    patch: &Patch,
) -> Result<(), ApiError> {
    const STRATEGIES: [&str; 3] =
        ["FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER", "SUCCEED_WITHOUT_RESPONSE_HEADER"];
    let wrong = |what: &str| {
        ApiError::bad_request(format!(
            "Invalid value {} for {}: {what}",
            patch.value(),
            patch.path()
        ))
    };
    let number = |least: f64, most: f64| {
        let number: Option<f64> = patch.value().parse().ok();
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| wrong(&format!("it has to be a number from {least} to {most}")))
    };
    match (group, name) {
        ("metrics", "enabled") => setting.metrics_enabled = patch.flag(),
        ("logging", "dataTrace") => setting.data_trace_enabled = patch.flag(),
        ("logging", "loglevel") => match patch.value() {
            level @ ("OFF" | "ERROR" | "INFO") => setting.logging_level = Some(level.to_owned()),
            _ => return Err(wrong("it has to be OFF, ERROR or INFO")),
        },
        ("throttling", "burstLimit") => {
            // -1 takes the limit away.
            setting.throttling_burst_limit = number(-1.0, f64::from(i32::MAX))? as i64;
        }
        ("throttling", "rateLimit") => setting.throttling_rate_limit = number(-1.0, 1e12)?,
        ("caching", "enabled") => setting.caching_enabled = patch.flag(),
        ("caching", "ttlInSeconds") => setting.cache_ttl_in_seconds = number(0.0, 3_600.0)? as i64,
        ("caching", "dataEncrypted") => setting.cache_data_encrypted = patch.flag(),
        ("caching", "requireAuthorizationForCacheControl") => {
            setting.require_authorization_for_cache_control = patch.flag();
        }
        ("caching", "unauthorizedCacheControlHeaderStrategy") => {
            if !STRATEGIES.contains(&patch.value()) {
                return Err(wrong(&format!("it has to be one of {}", STRATEGIES.join(", "))));
            }
            patch.value().clone_into(&mut setting.unauthorized_cache_control_header_strategy);
        }
        _ => return Err(unknown_path(patch)),
    }
    Ok(())
}

fn canary(
    context: &Context<'_>,
    api: &str,
    stage: &mut Stage,
    rest: &[&str],
    patch: &Patch,
) -> Result<(), ApiError> {
    let known = matches!(
        rest,
        ["deploymentId" | "percentTraffic" | "useStageCache"] | ["stageVariableOverrides", _]
    );
    if !known {
        return Err(unknown_path(patch));
    }
    if patch.op != Op::Replace {
        let (op, path) = (patch.op.as_str(), patch.path());
        return Err(ApiError::bad_request(format!("Invalid {op} operation with path: {path}")));
    }
    let own = stage.deployment_id.clone();
    let settings = stage.canary_settings.get_or_insert_with(|| CanarySettings {
        deployment_id: Some(own),
        ..CanarySettings::default()
    });
    match rest {
        ["deploymentId"] => {
            settings.deployment_id = Some(existing_deployment(context, api, patch.value())?);
        }
        ["percentTraffic"] => {
            let percent = patch.value().parse().unwrap_or(f64::NAN);
            stages::check_percent(percent)?;
            settings.percent_traffic = percent;
        }
        ["useStageCache"] => settings.use_stage_cache = patch.flag(),
        ["stageVariableOverrides", name] => {
            stages::check_variable(name, patch.value())?;
            let overrides = settings.stage_variable_overrides.get_or_insert_default();
            overrides.insert((*name).to_owned(), patch.value().to_owned());
        }
        _ => unreachable!("known paths were told apart above"),
    }
    Ok(())
}

/// `copy`: a canary's deployment or variables become the stage's. The canary stays.
fn promote(stage: &mut Stage, patch: &Patch) -> Result<(), ApiError> {
    let from = patch.from.as_deref().unwrap_or("null");
    let (to, source) = (patch.segments(), segments(from));
    let pair = (
        to.iter().map(String::as_str).collect::<Vec<_>>(),
        source.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let is_deployment = pair == (vec!["deploymentId"], vec!["canarySettings", "deploymentId"]);
    if !is_deployment
        && pair != (vec!["variables"], vec!["canarySettings", "stageVariableOverrides"])
    {
        return Err(ApiError::bad_request(format!(
            "Invalid copy operation with path: {} and from {from}. Valid copy:path are [/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]",
            patch.path()
        )));
    }
    let Some(canary) = &stage.canary_settings else {
        return Err(ApiError::bad_request("Promotion not available. Canary does not exist."));
    };
    if is_deployment {
        if let Some(deployment) = &canary.deployment_id {
            deployment.clone_into(&mut stage.deployment_id);
        }
    } else if let Some(overrides) = canary.stage_variable_overrides.clone() {
        stage.variables.get_or_insert_default().extend(overrides);
    }
    Ok(())
}
