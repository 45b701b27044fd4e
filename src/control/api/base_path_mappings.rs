//! BasePathMapping: which stage a custom domain name serves below a path's first segment.
//!
//! Source: facts, control-plane sections 1 and 4, security section 10.

use super::call::{Call, Reply};
use super::context::Context;
use super::domain_names::domain_of;
use super::error::ApiError;
use super::objects::{RestApi, Stage, objects, wire};
use super::page;
use super::patch::{Op, Patch};

/// How an empty base path is written.
const NONE: &str = "(none)";
/// Characters of a base path. Source: facts, security section 10 (of API mappings).
const BASE_PATH_CHARS_MAX: usize = 300;
const REPLACEABLE: [&str; 3] = ["/basePath", "/stage", "/restapiId"];

wire! {
    /// A base path mapping. Without a stage the path's next segment names it.
    BasePathMapping {
        base_path: String,
        rest_api_id: String,
        stage: Option<String>,
    }
}

// Keys: the domain name's, and the base path.
objects! {
    BasePathMapping: "basepathmapping";
}

pub(super) fn get_base_path_mappings(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let domain = domain_of(context, call)?.key();
    page::stored::<BasePathMapping>(context, call, &[&domain], |it| Some(page::item(&it)))
}

pub(super) fn get_base_path_mapping(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let domain = domain_of(context, call)?.key();
    Ok(Reply::json(&mapping_of(context, &domain, call)?))
}

pub(super) fn create_base_path_mapping(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let domain = domain_of(context, call)?.key();
    let mapping = BasePathMapping {
        base_path: base_path(call.text("basePath").unwrap_or_default())?,
        rest_api_id: call.owned("restApiId").unwrap_or_default(),
        stage: call.owned("stage").filter(|stage| !stage.is_empty()),
    };
    check(context, &mapping)?;
    put_new(context, &domain, &mapping)?;
    context.effects.domains = true;
    Ok(Reply::json(&mapping))
}

pub(super) fn update_base_path_mapping(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let domain = domain_of(context, call)?.key();
    let old = mapping_of(context, &domain, call)?;
    let mut mapping = old.clone();
    for patch in call.patches()? {
        apply(&mut mapping, &patch)?;
    }
    check(context, &mapping)?;
    context.delete::<BasePathMapping>(&[&domain, &old.base_path])?;
    put_new(context, &domain, &mapping)?;
    context.effects.domains = true;
    Ok(Reply::json(&mapping))
}

pub(super) fn delete_base_path_mapping(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let domain = domain_of(context, call)?.key();
    let mapping = mapping_of(context, &domain, call)?;
    context.delete::<BasePathMapping>(&[&domain, &mapping.base_path])?;
    context.effects.domains = true;
    Ok(Reply::empty())
}

/// Removes the mappings of a domain name that is gone.
pub(super) fn forget_domain(context: &Context<'_>, domain: &str) -> Result<(), ApiError> {
    Ok(context.delete_all::<BasePathMapping>(&[domain])?)
}

/// Whether an API may go.
///
/// # Errors
/// 400: it is mapped. Source: <https://github.com/glomex/gcdt/issues/373>.
pub(super) fn check_unmapped(context: &Context<'_>, api: &str) -> Result<(), ApiError> {
    let mut domains = Vec::new();
    context.each::<BasePathMapping>(&[], None, |ids, mapping| {
        let domain = ids.split('\0').next().unwrap_or_default();
        if mapping.rest_api_id == api && domains.last().is_none_or(|last| last != domain) {
            domains.push(domain.to_owned());
        }
        true
    })?;
    if domains.is_empty() {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "Deleting RestApi {api} failed. Please remove all base path mappings related to the RestApi in your domains: {}",
        domains.join(", ")
    )))
}

fn mapping_of(
    context: &Context<'_>,
    domain: &str,
    call: &Call<'_>,
) -> Result<BasePathMapping, ApiError> {
    let mapping = context.get(&[domain, call.label("base_path")])?;
    mapping.ok_or_else(|| ApiError::not_found("Invalid base path mapping identifier specified"))
}

fn put_new(context: &Context<'_>, domain: &str, mapping: &BasePathMapping) -> Result<(), ApiError> {
    if context.has::<BasePathMapping>(&[domain, &mapping.base_path])? {
        return Err(ApiError::conflict("Base path already exists for this domain name"));
    }
    Ok(context.put(&[domain, &mapping.base_path], mapping)?)
}

/// A base path as it is kept.
fn base_path(given: &str) -> Result<String, ApiError> {
    if given.is_empty() || given == NONE {
        return Ok(NONE.to_owned());
    }
    if given.contains('/') {
        return Err(ApiError::bad_request(
            "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base path mapping, use API Gateway V2.",
        ));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"$-_.+!*'()".contains(&byte);
    if given.len() > BASE_PATH_CHARS_MAX || !given.bytes().all(fits) {
        return Err(ApiError::bad_request(
            "Invalid base path specified. It can have at most 300 letters, numbers and $-_.+!*'()",
        ));
    }
    Ok(given.to_owned())
}

fn check(context: &Context<'_>, mapping: &BasePathMapping) -> Result<(), ApiError> {
    let api = &mapping.rest_api_id;
    if !context.has::<RestApi>(&[api])? {
        return Err(ApiError::bad_request("Invalid REST API identifier specified"));
    }
    match &mapping.stage {
        Some(stage) if !context.has::<Stage>(&[api, stage])? => {
            Err(ApiError::bad_request("Invalid stage identifier specified"))
        }
        _ => Ok(()),
    }
}

fn apply(mapping: &mut BasePathMapping, patch: &Patch) -> Result<(), ApiError> {
    match (patch.op, patch.path()) {
        (Op::Replace, "/basePath") => mapping.base_path = base_path(patch.value())?,
        (Op::Replace, "/stage") => {
            mapping.stage = patch.value.clone().filter(|stage| !stage.is_empty());
        }
        // As the service spells it, and as its own answers do.
        (Op::Replace, "/restapiId" | "/restApiId") => {
            patch.value().clone_into(&mut mapping.rest_api_id);
        }
        (Op::Replace, _) => return Err(patch.not_one_of(&REPLACEABLE)),
        _ => return Err(patch.not_supported()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::Plane;
    use super::*;

    const URI: &str = "/domainnames/api.example.com/basepathmappings";

    /// A domain name, and an API with the stages `dev` and `prod`.
    fn mapped() -> (Plane, String) {
        let mut plane = Plane::new();
        plane.ok("POST", "/domainnames", json!({"domainName": "api.example.com"}));
        let api = plane.ok("POST", "/restapis", json!({"name": "pets"}));
        let api = api["id"].as_str().unwrap().to_owned();
        let writing = plane.store().write().unwrap();
        for stage in ["dev", "prod"] {
            writing.put(&[&api, stage], &Stage::default()).unwrap();
        }
        writing.commit().unwrap();
        (plane, api)
    }

    #[test]
    fn mappings_are_made_read_and_deleted() {
        let (mut plane, api) = mapped();
        let none = plane.ok("POST", URI, json!({"restApiId": api, "stage": "dev"}));
        assert_eq!(none, json!({"basePath": "(none)", "restApiId": api, "stage": "dev"}));
        assert!(plane.effects.domains);
        let v1 = plane.ok("POST", URI, json!({"restApiId": api, "basePath": "v1"}));
        assert_eq!(v1, json!({"basePath": "v1", "restApiId": api}));
        let listed = plane.ok("GET", URI, Value::Null);
        assert_eq!(listed, json!({"item": [none, v1]}));
        let first = plane.ok("GET", &format!("{URI}?limit=1"), Value::Null);
        assert_eq!((&first["item"], &first["position"]), (&json!([none]), &json!("(none)")));
        let one = format!("{URI}/%28none%29");
        assert_eq!(plane.ok("GET", &one, Value::Null), none);
        plane.ok("DELETE", &one, Value::Null);
        assert!(plane.effects.domains);
        let gone = "404 NotFoundException: Invalid base path mapping identifier specified";
        for method in ["GET", "DELETE", "PATCH"] {
            assert_eq!(plane.refused(method, &one, Value::Null), gone);
        }
        assert_eq!(plane.refused("GET", &format!("{URI}/v1%2Fpets"), Value::Null), gone);
        assert_eq!(
            plane.refused("GET", "/domainnames/no.example.com/basepathmappings", Value::Null),
            "404 NotFoundException: Invalid domain name identifier specified"
        );
    }

    #[test]
    fn wrong_mappings_are_refused() {
        let (mut plane, api) = mapped();
        plane.ok("POST", URI, json!({"restApiId": api, "basePath": "v1"}));
        for (input, want) in [
            (
                json!({"restApiId": "no"}),
                "400 BadRequestException: Invalid REST API identifier specified",
            ),
            (
                json!({"restApiId": api, "stage": "no"}),
                "400 BadRequestException: Invalid stage identifier specified",
            ),
            (
                json!({"restApiId": api, "basePath": "v1"}),
                "409 ConflictException: Base path already exists for this domain name",
            ),
            (
                json!({"restApiId": api, "basePath": "v1/pets"}),
                "400 BadRequestException: API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base path mapping, use API Gateway V2.",
            ),
            (
                json!({"restApiId": api, "basePath": "v 1"}),
                "400 BadRequestException: Invalid base path specified. It can have at most 300 letters, numbers and $-_.+!*'()",
            ),
        ] {
            assert_eq!(plane.refused("POST", URI, input), want);
        }
    }

    #[test]
    fn patches_move_a_mapping() {
        let (mut plane, api) = mapped();
        plane.ok("POST", URI, json!({"restApiId": api, "basePath": "v1", "stage": "dev"}));
        plane.ok("POST", URI, json!({"restApiId": api, "basePath": "v2", "stage": "dev"}));
        let uri = format!("{URI}/v1");
        for (op, path, value, want) in [
            ("replace", "/stage", "no", "Invalid stage identifier specified"),
            ("replace", "/restapiId", "no", "Invalid REST API identifier specified"),
            ("replace", "/basePath", "v2", "Base path already exists for this domain name"),
            (
                "replace",
                "/domainName",
                "x",
                "Invalid patch path  '/domainName' specified for op 'replace'. Must be one of: [/basePath, /stage, /restapiId]",
            ),
            (
                "add",
                "/stage",
                "x",
                "Invalid patch path  '/stage' specified for op 'add'. Please choose supported operations",
            ),
        ] {
            assert_eq!(plane.patch(&uri, op, path, value).unwrap_err().message, want);
        }
        assert_eq!(plane.patch(&uri, "replace", "/stage", "prod").unwrap()["stage"], "prod");
        assert_eq!(plane.patch(&uri, "replace", "/stage", "").unwrap().get("stage"), None);
        let moved = plane.patch(&uri, "replace", "/basePath", "").unwrap();
        assert_eq!(moved, json!({"basePath": "(none)", "restApiId": api}));
        assert!(plane.effects.domains);
        assert!(plane.refused("GET", &uri, Value::Null).starts_with("404"));
        // Onto itself it may be moved.
        let uri = format!("{URI}/%28none%29");
        plane.patch(&uri, "replace", "/basePath", "(none)").unwrap();
    }

    #[test]
    fn a_mapped_api_stays_and_a_domain_takes_its_mappings_along() {
        let (mut plane, api) = mapped();
        plane.ok("POST", URI, json!({"restApiId": api, "basePath": "v1"}));
        plane.ok("POST", URI, json!({"restApiId": api, "basePath": "v2"}));
        let uri = format!("/restapis/{api}");
        assert_eq!(
            plane.refused("DELETE", &uri, Value::Null),
            format!(
                "400 BadRequestException: Deleting RestApi {api} failed. Please remove all base path mappings related to the RestApi in your domains: api.example.com"
            )
        );
        plane.ok("DELETE", "/domainnames/api.example.com", Value::Null);
        assert!(plane.effects.domains);
        let left = plane.store().read().unwrap().list::<BasePathMapping>(&[]).unwrap();
        assert!(left.is_empty());
        plane.ok("DELETE", &uri, Value::Null);
    }
}
