//! ApiKey: what a caller shows in `x-api-key`.
//!
//! Four rows a key: the key under its id, what requests need of it ([`KeyAccess`]), its id under its
//! value's hash (so that no value is given twice), and its place in lists, newest first, with what lists
//! filter by. A page of a list reads the places and its own keys, not all of a million.
//!
//! AWS's limit of 10 000 keys an account is not enforced: it is what Ringway's users leave behind.
//!
//! Source: facts, aws-recorded section 12, stages-canary-cache-throttle section 8.
//!
//! **Invariant**: values are encrypted in the store, and no value is part of a row's key, of an error or
//! of a `Debug` output.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::{Call, Reply};
use super::context::{Context, Settings};
use super::error::ApiError;
use super::ids;
use super::key_access::{self, KeyAccess};
use super::objects::{Secret, Stage, Tags, objects, wire};
use super::page::{self, Page};
use super::patch::{Op, Patch};
use super::{tags, usage_plan_keys};
use crate::usage::ValueHash;

/// Characters of a value.
const VALUE_CHARS_MIN: usize = 20;
const VALUE_CHARS_MAX: usize = 128;
/// Characters of a name.
const NAME_CHARS_MAX: usize = 1024;
/// Characters of a description. The number is not in AWS's documentation; a text may be long.
const DESCRIPTION_CHARS_MAX: usize = 125_000;
const REPLACEABLE: [&str; 4] = ["/description", "/enabled", "/name", "/customerId"];
/// Before usage plans a key belonged to stages, and had labels, which are not answered.
const SETS: [&str; 2] = ["/labels", "/stages"];

wire! {
    /// An API key.
    ApiKey {
        id: String,
        value: Option<Secret>,
        name: Option<String>,
        customer_id: Option<String>,
        description: Option<String>,
        enabled: bool,
        created_date: i64,
        last_updated_date: i64,
        stage_keys: Vec<String>,
        tags: Option<Tags>,
        /// Its place in lists, id of [`ApiKeyInOrder`]; never answered.
        order: Option<String>,
    }

    /// Which key has a value; under the value's hash.
    ApiKeyByValue {
        id: String,
    }

    /// A key in lists.
    ApiKeyInOrder {
        id: String,
        name: Option<String>,
        customer_id: Option<String>,
    }

    /// A stage in `stageKeys`.
    StageKey {
        rest_api_id: String,
        stage_name: String,
    }
}

/// A key as it is stored: its value is encrypted. Only this file makes one, and makes a key of it again.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedApiKey(ApiKey);

objects! {
    SealedApiKey: "apikey";
    ApiKeyByValue: "apikeyvalue";
    ApiKeyInOrder: "apikeyorder";
}

pub(super) fn get_api_keys(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let given = |name| call.query(name).filter(|value| !value.is_empty());
    let (prefix, customer) = (given("name").unwrap_or_default(), given("customerId"));
    let is_wanted = |row: &ApiKeyInOrder| {
        row.name.as_deref().unwrap_or_default().starts_with(prefix)
            && customer.is_none_or(|id| row.customer_id.as_deref() == Some(id))
    };
    let limit = page::limit(call);
    let mut page = Page::default();
    context.each::<ApiKeyInOrder>(&[], given("position"), |order, row| {
        !is_wanted(&row) || page.add(limit, order, Value::from(row.id))
    })?;
    for item in page.items() {
        let key = key_of(context, item.as_str().unwrap_or_default())?;
        *item = page::item(&shown(key, call.query_flag("includeValues")));
    }
    Ok(page.reply())
}

pub(super) fn get_api_key(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let key = key_of(context, call.label("api_Key"))?;
    Ok(Reply::json(&with_tags(shown(key, call.query_flag("includeValue")))))
}

pub(super) fn create_api_key(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let given = |name| call.owned(name).filter(|text| !text.is_empty());
    let value = match given("value") {
        Some(value) => {
            check_value(&value)?;
            value
        }
        None => ids::secret(ids::KEY_VALUE),
    };
    let (name, description) = (given("name"), given("description"));
    check_name(name.as_deref().unwrap_or_default())?;
    check_description(description.as_deref().unwrap_or_default())?;
    let mut stage_keys = Vec::new();
    for key in call.member::<Vec<StageKey>>("stageKeys")?.unwrap_or_default() {
        check_stage(context, &key)?;
        stage_keys.push(format!("{}/{}", key.rest_api_id, key.stage_name));
    }
    if key_with(context, hash_of(context, &value))?.is_some() {
        return Err(ApiError::conflict("API Key already exists"));
    }
    // `generateDistinctId` is read and has no effect: an id always differs from the value.
    let key = ApiKey {
        value: Some(Secret(value)),
        name,
        customer_id: given("customerId"),
        description,
        enabled: call.flag("enabled").unwrap_or(false),
        stage_keys,
        tags: tags::given(call)?,
        ..ApiKey::default()
    };
    let key = ApiKey {
        id: ids::new(ids::LONG, |id| context.has::<SealedApiKey>(&[id]))?,
        created_date: context.now,
        last_updated_date: context.now,
        order: Some(shown_order(next_order(context)?)),
        ..key
    };
    let hash = hash_of(context, key.value.as_ref().map_or("", |value| &value.0));
    put_hash(context, hash, &key.id)?;
    insert(context, &key, &KeyAccess { hash, enabled: key.enabled, plans: Vec::new() })?;
    context.effects.keys.insert(key.id.clone());
    Ok(Reply::json(&shown(key, true)))
}

pub(super) fn update_api_key(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut key = key_of(context, call.label("api_Key"))?;
    for patch in call.patches()? {
        apply(context, &mut key, &patch)?;
    }
    key.last_updated_date = context.now;
    change(context, &key)?;
    context.effects.keys.insert(key.id.clone());
    Ok(Reply::json(&with_tags(shown(key, false))))
}

pub(super) fn delete_api_key(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let key = key_of(context, call.label("api_Key"))?;
    let hash = key_access::access_of(context, &key.id)?.hash;
    usage_plan_keys::forget_key(context, &key.id)?;
    context.delete::<KeyAccess>(&[&key.id])?;
    context.delete::<ApiKeyByValue>(&[&hash.to_string()])?;
    if let Some(order) = &key.order {
        context.delete::<ApiKeyInOrder>(&[order])?;
    }
    context.delete::<SealedApiKey>(&[&key.id])?;
    context.effects.removed_keys.push(hash);
    Ok(Reply::empty())
}

/// The key of that id.
pub(super) fn key_of(context: &Context<'_>, id: &str) -> Result<ApiKey, ApiError> {
    let key: Option<SealedApiKey> = context.get(&[id])?;
    opened(
        context.settings,
        key.ok_or_else(|| ApiError::not_found("Invalid API Key identifier specified"))?,
    )
}

/// Id of the key whose value has that hash.
pub(super) fn key_with(context: &Context<'_>, hash: ValueHash) -> Result<Option<String>, ApiError> {
    Ok(context.get::<ApiKeyByValue>(&[&hash.to_string()])?.map(|row| row.id))
}

/// A key as it was stored, with its value in clear.
///
/// # Errors
/// The value was encrypted with another key than this store's.
pub(super) fn opened(settings: &Settings, key: SealedApiKey) -> Result<ApiKey, ApiError> {
    let SealedApiKey(mut key) = key;
    if let Some(Secret(sealed)) = &key.value {
        let value = settings.vault.open(sealed).ok_or_else(|| {
            ApiError::internal(format!(
                "the value of API key {} was encrypted with another key than the one beside the store",
                key.id
            ))
        })?;
        key.value = Some(Secret(value));
    }
    Ok(key)
}

/// What stands for a value: keys of rows may be printed, values of keys may not.
pub(super) fn hash_of(context: &Context<'_>, value: &str) -> ValueHash {
    context.settings.vault.hash(value)
}

/// An id of [`ApiKeyInOrder`].
pub(super) fn shown_order(order: u64) -> String {
    format!("{order:016x}")
}

/// The place of the next key: places count down, so that the newest key comes first.
pub(super) fn next_order(context: &Context<'_>) -> Result<u64, ApiError> {
    let mut newest = None;
    context.each::<ApiKeyInOrder>(&[], None, |order, _| {
        newest = u64::from_str_radix(order, 16).ok();
        false
    })?;
    Ok(newest.unwrap_or(u64::MAX).saturating_sub(1))
}

/// Keeps which key has a value, by the value's hash.
pub(super) fn put_hash(context: &Context<'_>, hash: ValueHash, key: &str) -> Result<(), ApiError> {
    Ok(context.put(&[&hash.to_string()], &ApiKeyByValue { id: key.to_owned() })?)
}

/// Keeps a new key, of which the rest is known: its id, place and dates, and the key under its hash.
pub(super) fn insert(
    context: &Context<'_>,
    key: &ApiKey,
    access: &KeyAccess,
) -> Result<(), ApiError> {
    put(context, key)?;
    Ok(context.put(&[&key.id], access)?)
}

/// Keeps a key's tags, which nothing else depends on.
pub(super) fn keep_tags(context: &Context<'_>, key: &ApiKey) -> Result<(), ApiError> {
    put(context, key)
}

/// Keeps a changed key.
pub(super) fn change(context: &Context<'_>, key: &ApiKey) -> Result<(), ApiError> {
    put(context, key)?;
    let access = key_access::access_of(context, &key.id)?;
    usage_plan_keys::rename_key(context, &key.id, key.name.as_deref(), &access.plans)?;
    if access.enabled == key.enabled {
        return Ok(());
    }
    Ok(context.put(&[&key.id], &KeyAccess { enabled: key.enabled, ..access })?)
}

fn put(context: &Context<'_>, key: &ApiKey) -> Result<(), ApiError> {
    let (name, customer_id) = (key.name.clone(), key.customer_id.clone());
    let row = ApiKeyInOrder { id: key.id.clone(), name, customer_id };
    context.put(&[key.order.as_deref().unwrap_or_default()], &row)?;
    let sealed = key.value.as_ref().map(|value| Secret(context.settings.vault.seal(&value.0)));
    let sealed = SealedApiKey(ApiKey { value: sealed, ..key.clone() });
    Ok(context.put(&[&key.id], &sealed)?)
}

/// What of a key is answered.
fn shown(mut key: ApiKey, with_value: bool) -> ApiKey {
    key.order = None;
    key.value = key.value.filter(|_| with_value);
    key
}

fn with_tags(mut key: ApiKey) -> ApiKey {
    key.tags.get_or_insert_default();
    key
}

pub(super) fn check_value(value: &str) -> Result<(), ApiError> {
    match value.chars().count() {
        ..VALUE_CHARS_MIN => {
            Err(ApiError::bad_request("API Key value should be at least 20 characters"))
        }
        VALUE_CHARS_MIN..=VALUE_CHARS_MAX => Ok(()),
        _ => Err(ApiError::bad_request("API Key value exceeds maximum size of 128 characters")),
    }
}

pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    if name.chars().count() <= NAME_CHARS_MAX {
        return Ok(());
    }
    Err(ApiError::bad_request("Invalid API Key name, can be at most 1024 characters."))
}

pub(super) fn check_description(description: &str) -> Result<(), ApiError> {
    if description.chars().count() <= DESCRIPTION_CHARS_MAX {
        return Ok(());
    }
    Err(ApiError::bad_request("Invalid API Key description specified."))
}

fn check_stage(context: &Context<'_>, key: &StageKey) -> Result<(), ApiError> {
    let api = context.rest_api(&key.rest_api_id)?.id;
    if context.has::<Stage>(&[&api, &key.stage_name])? {
        return Ok(());
    }
    Err(ApiError::not_found("Invalid stage identifier specified"))
}

fn apply(context: &Context<'_>, key: &mut ApiKey, patch: &Patch) -> Result<(), ApiError> {
    let given = || patch.value.clone().filter(|value| !value.is_empty());
    match (patch.op, patch.path()) {
        (Op::Replace, "/description") => {
            check_description(patch.value())?;
            key.description = given();
        }
        (Op::Replace, "/enabled") => key.enabled = patch.flag(),
        (Op::Replace, "/name") => {
            check_name(patch.value())?;
            key.name = given();
        }
        (Op::Replace, "/customerId") => key.customer_id = given(),
        (Op::Replace, _) => return Err(patch.not_one_of(&REPLACEABLE)),
        (Op::Add | Op::Remove, "/labels") => {}
        (Op::Add | Op::Remove, "/stages") => {
            let stage = patch.value();
            key.stage_keys.retain(|it| it != stage);
            if patch.op == Op::Add {
                let (api, name) = stage.split_once('/').unwrap_or((stage, ""));
                let (rest_api_id, stage_name) = (api.to_owned(), name.to_owned());
                check_stage(context, &StageKey { rest_api_id, stage_name })?;
                key.stage_keys.push(stage.to_owned());
            }
        }
        (Op::Add | Op::Remove, _) => return Err(patch.not_one_of(&SETS)),
        (Op::Move | Op::Copy | Op::Test, _) => return Err(patch.not_supported()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::Plane;
    use super::*;

    fn create(plane: &mut Plane, name: &str) -> String {
        let key = plane.ok("POST", "/apikeys", json!({"name": name}));
        key["id"].as_str().unwrap().to_owned()
    }

    fn names(page: &Value) -> Vec<&str> {
        page["item"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn a_new_key_is_answered_as_recorded() {
        let mut plane = Plane::new();
        let key = plane.ok("POST", "/apikeys", json!({"value": ""}));
        let (id, value) = (key["id"].as_str().unwrap(), key["value"].as_str().unwrap());
        assert_eq!((id.len(), value.len()), (10, 40));
        assert_eq!(
            key,
            json!({
                "id": id, "value": value, "enabled": false, "createdDate": 1_700_000_000,
                "lastUpdatedDate": 1_700_000_000, "stageKeys": [],
            })
        );
        assert!(plane.effects.keys.contains(id));
        let got = plane.ok("GET", &format!("/apikeys/{id}"), Value::Null);
        assert_eq!((got.get("value"), &got["tags"]), (None, &json!({})));
        let got = plane.ok("GET", &format!("/apikeys/{id}?includeValue=true"), Value::Null);
        assert_eq!(got["value"], value);
        for (input, want) in [
            (
                json!({"value": "0123456789012345678"}),
                "400 BadRequestException: API Key value should be at least 20 characters",
            ),
            (
                json!({"value": "x".repeat(129)}),
                "400 BadRequestException: API Key value exceeds maximum size of 128 characters",
            ),
            (
                json!({"name": "x".repeat(1025)}),
                "400 BadRequestException: Invalid API Key name, can be at most 1024 characters.",
            ),
            (
                json!({"description": "x".repeat(125_001)}),
                "400 BadRequestException: Invalid API Key description specified.",
            ),
            (json!({"value": value}), "409 ConflictException: API Key already exists"),
            (
                json!({"stageKeys": [{"restApiId": "nope", "stageName": "dev"}]}),
                "404 NotFoundException: Invalid API identifier specified 123456789012:nope",
            ),
        ] {
            assert_eq!(plane.refused("POST", "/apikeys", input), want);
        }
        let tagged = json!({"tags": {"a": "b"}, "enabled": true, "value": "x".repeat(128)});
        let key = plane.ok("POST", "/apikeys", tagged);
        assert_eq!((&key["tags"], &key["enabled"]), (&json!({"a": "b"}), &json!(true)));
    }

    #[test]
    fn lists_are_newest_first_and_filtered_by_prefix() {
        let mut plane = Plane::new();
        for name in ["one", "two", "Two", "twofold", "three"] {
            create(&mut plane, name);
        }
        let input = json!({"name": "four", "customerId": "c1", "tags": {"a": "b"}});
        plane.ok("POST", "/apikeys", input);
        let mut get = |uri: &str| plane.ok("GET", uri, Value::Null);
        let all = get("/apikeys?limit=-1");
        assert_eq!(names(&all), ["four", "three", "twofold", "Two", "two", "one"]);
        assert!(all.get("position").is_none());
        assert_eq!(all["item"][0]["tags"], json!({"a": "b"}));
        for member in ["value", "tags", "order"] {
            assert_eq!(all["item"][1].get(member), None, "{member}");
        }
        assert!(get("/apikeys?includeValues=true")["item"][1]["value"].is_string());
        for (query, want) in [
            ("name=two", &["twofold", "two"][..]),
            ("name=t&limit=2", &["three", "twofold"]),
            ("name=nobody", &[]),
            ("customerId=c1", &["four"]),
            ("customerId=c2", &[]),
            ("position=zzz", &[]),
        ] {
            assert_eq!(names(&get(&format!("/apikeys?{query}"))), want, "{query}");
        }
        let mut seen = Vec::new();
        let mut uri = "/apikeys?limit=1".to_owned();
        loop {
            let page = get(&uri);
            assert_eq!(page["item"].as_array().unwrap().len(), 1);
            seen.push(names(&page)[0].to_owned());
            let Some(position) = page.get("position") else { break };
            uri = format!("/apikeys?limit=1&position={}", position.as_str().unwrap());
        }
        assert_eq!(seen, names(&all));
    }

    #[test]
    fn patches_do_what_was_recorded() {
        let mut plane = Plane::new();
        let id = create(&mut plane, "one");
        let uri = format!("/apikeys/{id}");
        plane.now += 5;
        let key = plane.patch(&uri, "replace", "/enabled", "true").unwrap();
        assert_eq!(
            key,
            json!({
                "id": id, "name": "one", "enabled": true, "createdDate": 1_700_000_000,
                "lastUpdatedDate": 1_700_000_005, "stageKeys": [], "tags": {},
            })
        );
        for (path, value, member, want) in [
            ("/enabled", "false", "enabled", json!(false)),
            ("/enabled", "yes", "enabled", json!(false)),
            ("/name", "new", "name", json!("new")),
            ("/description", "d", "description", json!("d")),
            ("/customerId", "c", "customerId", json!("c")),
        ] {
            assert_eq!(plane.patch(&uri, "replace", path, value).unwrap()[member], want, "{path}");
        }
        for (op, path, want) in [
            (
                "replace",
                "/id",
                "Invalid patch path  '/id' specified for op 'replace'. Must be one of: [/description, /enabled, /name, /customerId]",
            ),
            (
                "add",
                "/name",
                "Invalid patch path  '/name' specified for op 'add'. Must be one of: [/labels, /stages]",
            ),
            (
                "copy",
                "/name",
                "Invalid patch path  '/name' specified for op 'copy'. Please choose supported operations",
            ),
        ] {
            assert_eq!(plane.patch(&uri, op, path, "x").unwrap_err().message, want);
        }
        let listed = plane.ok("GET", "/apikeys?name=ne", Value::Null);
        assert_eq!(names(&listed), ["new"]);
        assert_eq!(
            plane.patch("/apikeys/nope", "replace", "/name", "x").unwrap_err(),
            ApiError::not_found("Invalid API Key identifier specified")
        );
    }

    #[test]
    fn a_deleted_key_leaves_nothing_and_its_value_is_free() {
        let mut plane = Plane::new();
        let value = "v".repeat(20);
        for _ in 0..2 {
            let key = plane.ok("POST", "/apikeys", json!({"value": value}));
            let uri = format!("/apikeys/{}", key["id"].as_str().unwrap());
            assert_eq!(plane.ok("DELETE", &uri, Value::Null), Value::Null);
            assert!(plane.refused("DELETE", &uri, Value::Null).starts_with("404"));
        }
        let reading = plane.store().read().unwrap();
        assert!(reading.list::<ApiKeyByValue>(&[]).unwrap().is_empty());
        assert!(reading.list::<ApiKeyInOrder>(&[]).unwrap().is_empty());
        assert!(reading.list::<KeyAccess>(&[]).unwrap().is_empty());
    }

    #[test]
    fn a_key_does_not_print_its_value() {
        let key = ApiKey { value: Some(Secret("hidden".to_owned())), ..ApiKey::default() };
        assert!(!format!("{key:?}").contains("hidden"));
    }
}
