//! GetExport: what a stage serves, as an OpenAPI document.
//!
//! Source: facts, openapi section 8 and aws-recorded section 19.

use super::call::{Call, Reply};
use super::context::Context;
use super::deployments;
use super::documentation;
use super::error::ApiError;
use super::objects::{Deployment, DocumentationVersion};
use super::stages;
use crate::openapi::{self, DocumentationSnapshot, ExportOptions, ExportType, Extensions};
use crate::time::WallMillis;

pub(super) fn get_export(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let stage = stages::stage(context, &api, call.label("stage_name"))?;
    let kind = ExportType::named(call.label("export_type")).ok_or_else(|| {
        ApiError::bad_request(
            "No API exists with the specified export type: it has to be oas30 or swagger",
        )
    })?;
    let wanted = call.query("extensions").unwrap_or_default();
    let extensions = Extensions::named(wanted).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid extensions '{wanted}': it is a list of integrations, authorizers, validators, documentation, apigateway and postman"
        ))
    })?;
    let deployment = context.get::<Deployment>(&[&api, &stage.deployment_id])?;
    let mut definition = deployments::snapshot(context, &api, &stage.deployment_id)?;
    let documentation = match &stage.documentation_version {
        None => None,
        Some(version) => context.get::<DocumentationVersion>(&[&api, version])?.map(|it| {
            DocumentationSnapshot { version: it.version, created_date: Some(date(it.created_date)) }
        }),
    };
    if let Some(version) = &stage.documentation_version {
        definition.documentation_parts = documentation::frozen_parts(context, &api, version)?;
    }
    let options = ExportOptions {
        kind,
        extensions,
        stage: stage.stage_name,
        host: context.settings.host(&api),
        // As `Settings::url` has it: APIs have no TLS listeners yet.
        plain_http: true,
        deployed_at: date(deployment.map_or(stage.created_date, |it| it.created_date)),
        documentation,
    };
    let model = definition.declare();
    let document = openapi::export(&model, &options)
        .map_err(|error| ApiError::bad_request(error.to_string()))?;
    let is_yaml = call.accept.is_some_and(|accept| accept.contains("yaml"));
    let (text, extension) = match is_yaml {
        true => (openapi::export_yaml(&document), "yaml"),
        false => (openapi::export_json(&document), "json"),
    };
    let file = openapi::export_file_name(&model, &options, extension);
    let disposition = format!("attachment; filename=\"{file}\"");
    Ok(Reply::raw("application/octet-stream", Some(disposition), text.into_bytes()))
}

/// Seconds since 1970 as `2025-07-02T13:13:23Z`.
fn date(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    WallMillis(seconds.saturating_mul(1_000)).iso_8601()
}
