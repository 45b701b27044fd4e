//! DocumentationPart and DocumentationVersion: what is said about an API, and frozen states of it.
//!
//! A version keeps all parts as they were, as a blob beside its document.
//!
//! Source: facts, aws-recorded section 14 and 1.5, openapi section 9.

mod import;
mod location;
#[cfg(test)]
mod tests;

pub(super) use import::import_documentation_parts;

use serde::Serialize;

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::ids;
use super::objects::{
    DOCUMENTATION, DocumentationPart, DocumentationPartLocation, DocumentationVersion, Stage,
};
use super::page;
use super::patch::Op;
use super::shape;
use location::Place;

const EMPTY_PROPERTIES: &str = "Documentation part properties must be non-empty";
const LOCATION_STATUSES: [&str; 2] = ["DOCUMENTED", "UNDOCUMENTED"];

/// A place that no part is about.
#[derive(Debug, Serialize)]
struct Undocumented {
    /// What a page's position is: no place has an id.
    #[serde(skip)]
    key: String,
    location: DocumentationPartLocation,
}

pub(super) fn get_documentation_parts(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let status = call.query("locationStatus");
    shape::check_query(
        call,
        &[("type", &location::TYPES), ("locationStatus", &LOCATION_STATUSES)],
    )?;
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let mut parts: Vec<DocumentationPart> = context.list(&[&api])?;
    if status == Some(LOCATION_STATUSES[1]) {
        let all = location::undocumented(context, &api, &parts)?;
        let all = all.into_iter().filter(|location| is_wanted(call, location));
        let all: Vec<_> = all
            .map(|location| Undocumented { key: Place::of(&location).described(), location })
            .collect();
        return Ok(page::reply(call, &all, |place| &place.key));
    }
    parts.retain(|part| is_wanted(call, &part.location));
    Ok(page::reply(call, &parts, |part| &part.id))
}

pub(super) fn get_documentation_part(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    Ok(Reply::json(&part_of_call(context, call)?))
}

pub(super) fn create_documentation_part(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let location = call.member::<DocumentationPartLocation>("location")?.unwrap_or_default();
    let location = location::checked(location).map_err(ApiError::bad_request)?;
    let properties = call.owned("properties").unwrap_or_default();
    check_properties(&properties)?;
    let place = Place::of(&location);
    let others: Vec<DocumentationPart> = context.list(&[&api])?;
    if others.iter().any(|other| Place::of(&other.location) == place) {
        return Err(ApiError::conflict(format!(
            "Documentation part already exists for the specified location: {}.",
            location::described(&location)
        )));
    }
    let part = DocumentationPart { id: new_id(context, &api)?, location, properties };
    context.put(&[&api, &part.id], &part)?;
    Ok(Reply::json(&part))
}

pub(super) fn update_documentation_part(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut part = part_of_call(context, call)?;
    for patch in call.patches()? {
        if patch.op != Op::Replace {
            return Err(patch.not_supported());
        }
        if patch.path() != "/properties" {
            return Err(patch.not_one_of(&["/properties"]));
        }
        check_properties(patch.value())?;
        patch.value().clone_into(&mut part.properties);
    }
    context.put(&[call.label("restapi_id"), &part.id], &part)?;
    Ok(Reply::json(&part))
}

pub(super) fn delete_documentation_part(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let part = part_of_call(context, call)?;
    context.delete::<DocumentationPart>(&[call.label("restapi_id"), &part.id])?;
    Ok(Reply::empty())
}

pub(super) fn get_documentation_versions(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let all: Vec<DocumentationVersion> = context.list(&[&api])?;
    Ok(page::reply(call, &all, |version| &version.version))
}

pub(super) fn get_documentation_version(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    Ok(Reply::json(&version_of_call(context, call)?))
}

pub(super) fn create_documentation_version(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let version = DocumentationVersion {
        version: call.owned("documentationVersion").unwrap_or_default(),
        created_date: context.now,
        description: call.owned("description").filter(|text| !text.is_empty()),
    };
    // It becomes part of a key, where it cannot have any character.
    if version.version.trim().is_empty() || version.version.contains(char::is_control) {
        return Err(ApiError::bad_request("Invalid Documentation version specified"));
    }
    if context.has::<DocumentationVersion>(&[&api, &version.version])? {
        return Err(ApiError::conflict("Documentation version already exists"));
    }
    if let Some(stage) = call.text("stageName").filter(|name| !name.is_empty()) {
        let mut stage: Stage = context
            .get(&[&api, stage])?
            .ok_or_else(|| ApiError::not_found("Invalid Stage identifier specified"))?;
        stage.documentation_version = Some(version.version.clone());
        stage.last_updated_date = context.now;
        context.put(&[&api, &stage.stage_name], &stage)?;
    }
    freeze(context, &api, &version)?;
    Ok(Reply::json(&version))
}

/// Makes the version that an imported document names, of the parts it brought; one that is there stays.
///
/// # Errors
/// The store's.
pub(super) fn ensure_version(
    context: &Context<'_>,
    api: &str,
    version: &str,
) -> Result<(), ApiError> {
    let is_none = version.trim().is_empty() || version.contains(char::is_control);
    if is_none || context.has::<DocumentationVersion>(&[api, version])? {
        return Ok(());
    }
    let version = DocumentationVersion {
        version: version.to_owned(),
        created_date: context.now,
        description: None,
    };
    freeze(context, api, &version)
}

/// Keeps a version, and all parts as they are now under it.
fn freeze(
    context: &Context<'_>,
    api: &str,
    version: &DocumentationVersion,
) -> Result<(), ApiError> {
    let parts: Vec<DocumentationPart> = context.list(&[api])?;
    let frozen = serde_json::to_vec(&parts).expect("our objects serialize");
    context.put_blob(DOCUMENTATION, &[api, &version.version], &frozen)?;
    Ok(context.put(&[api, &version.version], version)?)
}

pub(super) fn update_documentation_version(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut version = version_of_call(context, call)?;
    for patch in call.patches()? {
        if patch.op != Op::Replace {
            return Err(patch.not_supported());
        }
        if patch.path() != "/description" {
            return Err(patch.not_one_of(&["/description"]));
        }
        version.description = patch.value.clone().filter(|text| !text.is_empty());
    }
    context.put(&[call.label("restapi_id"), &version.version], &version)?;
    Ok(Reply::json(&version))
}

pub(super) fn delete_documentation_version(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let version = version_of_call(context, call)?.version;
    let ids = [call.label("restapi_id"), &version];
    context.delete::<DocumentationVersion>(&ids)?;
    context.delete_blobs(DOCUMENTATION, &ids)?;
    Ok(Reply::empty())
}

/// All parts as a version froze them; none of a version that there is not.
///
/// # Errors
/// The store's, or the blob is damaged.
pub(super) fn frozen_parts(
    context: &Context<'_>,
    api: &str,
    version: &str,
) -> Result<Vec<DocumentationPart>, ApiError> {
    let Some(frozen) = context.blob(DOCUMENTATION, &[api, version])? else { return Ok(Vec::new()) };
    serde_json::from_slice(&frozen).map_err(|error| {
        ApiError::internal(format!("documentation version {version} of {api}: {error}"))
    })
}

/// The part of a call; of a wrong API the same is told as of a wrong part.
fn part_of_call(context: &Context<'_>, call: &Call<'_>) -> Result<DocumentationPart, ApiError> {
    context
        .get(&[call.label("restapi_id"), call.label("part_id")])?
        .ok_or_else(|| ApiError::not_found("Invalid Documentation part identifier specified"))
}

fn version_of_call(
    context: &Context<'_>,
    call: &Call<'_>,
) -> Result<DocumentationVersion, ApiError> {
    context
        .get(&[call.label("restapi_id"), call.label("doc_version")])?
        .ok_or_else(|| ApiError::not_found("Invalid Documentation version specified"))
}

fn new_id(context: &Context<'_>, api: &str) -> Result<String, ApiError> {
    ids::new(ids::SHORT, |id| Ok(context.has::<DocumentationPart>(&[api, id])?))
}

/// Properties are JSON, written as text.
fn check_properties(properties: &str) -> Result<(), ApiError> {
    if properties.is_empty() {
        return Err(ApiError::bad_request(EMPTY_PROPERTIES));
    }
    match serde_json::from_str::<serde_json::Value>(properties) {
        Ok(_) => Ok(()),
        Err(error) => Err(ApiError::bad_request(format!(
            "Documentation part properties must be valid JSON: {error}"
        ))),
    }
}

/// Whether a place is of the type and path, and of a name that begins as the call wants it.
fn is_wanted(call: &Call<'_>, location: &DocumentationPartLocation) -> bool {
    let place = Place::of(location);
    let given = |name| call.query(name).filter(|text| !text.is_empty());
    given("type").is_none_or(|kind| location.r#type == kind)
        && given("path").is_none_or(|path| place.path == Some(path))
        && given("name").is_none_or(|name| place.name.is_some_and(|it| it.starts_with(name)))
}
