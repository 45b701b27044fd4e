//! UsagePlanKey: a key's belonging to a plan.
//!
//! Kept twice: under the plan (for its list) and in the key's [`KeyAccess`] (for requests, and for the rule
//! that a key has one plan per API stage). A plan may have a million keys: nothing here reads them all but a new stage of a
//! plan whose stage another plan has too, and a plan's end, both a bounded piece at a time.
//!
//! Source: facts, aws-recorded section 13, stages-canary-cache-throttle section 7.

use serde_json::{Value, json};

use super::api_keys::{self, ApiKey};
use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::key_access::{KeyAccess, access_of};
use super::metered::UsageCount;
use super::objects::{Secret, objects, wire};
use super::page::{self, Page};
use super::usage;
use super::usage_journal;
use super::usage_plans::{UsagePlan, plan_of};

/// Keys of a plan that are looked at together.
const CHUNK: usize = 1_000;

wire! {
    /// A key of a plan, with the key's name to filter by.
    PlanKey {
        name: Option<String>,
        /// The part of the [usage journal](super::usage_journal) from which on it speaks of this member.
        begins: Option<i64>,
    }

    /// As it is answered.
    UsagePlanKey {
        id: String,
        r#type: String,
        value: Option<Secret>,
        name: Option<String>,
    }
}

objects! {
    PlanKey: "usageplankey";
}

pub(super) fn get_usage_plan_keys(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let plan = plan_of(context, call)?;
    let prefix = call.query("name").unwrap_or_default();
    let after = call.query("position").filter(|position| !position.is_empty());
    let limit = page::limit(call);
    let mut page = Page::default();
    context.each::<PlanKey>(&[&plan.id], after, |id, row| {
        let is_wanted = row.name.as_deref().unwrap_or_default().starts_with(prefix);
        !is_wanted || page.add(limit, id, Value::from(id))
    })?;
    for item in page.items() {
        let key = api_keys::key_of(context, item.as_str().unwrap_or_default())?;
        *item = json!(answer(key));
    }
    Ok(page.reply())
}

pub(super) fn get_usage_plan_key(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let plan = plan_of(context, call)?;
    Ok(Reply::json(&answer(member_of(context, &plan, call.label("keyId"))?)))
}

pub(super) fn create_usage_plan_key(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let plan = plan_of(context, call)?;
    if call.text("keyType") != Some("API_KEY") {
        return Err(ApiError::bad_request("Invalid key type specified. Valid options are API_KEY"));
    }
    let key = api_keys::key_of(context, call.text("keyId").unwrap_or_default())?;
    if !add(context, &plan, &key)? {
        return Err(ApiError::conflict("Usage Plan Key already exists"));
    }
    context.effects.keys.insert(key.id.clone());
    Ok(Reply::json(&answer(key)))
}

pub(super) fn delete_usage_plan_key(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let plan = plan_of(context, call)?;
    let key = member_of(context, &plan, call.label("keyId"))?;
    context.delete::<PlanKey>(&[&plan.id, &key.id])?;
    leave(context, &key.id, &plan.id)?;
    usage::forget_key(context, &plan.id, &key.id)?;
    context.effects.keys.insert(key.id);
    Ok(Reply::empty())
}

/// The key, if it is one of the plan's.
pub(super) fn member_of(
    context: &Context<'_>,
    plan: &UsagePlan,
    key: &str,
) -> Result<ApiKey, ApiError> {
    if context.has::<PlanKey>(&[&plan.id, key])? {
        return api_keys::key_of(context, key);
    }
    Err(ApiError::not_found("Invalid API Key identifier specified"))
}

/// Ids of the plans that a key belongs to.
pub(super) fn plans_of(context: &Context<'_>, key: &str) -> Result<Vec<String>, ApiError> {
    Ok(access_of(context, key)?.plans)
}

/// Takes a plan out of what a key opens.
fn leave(context: &Context<'_>, key: &str, plan: &str) -> Result<(), ApiError> {
    let mut access = access_of(context, key)?;
    access.remove(plan);
    Ok(context.put(&[key], &access)?)
}

/// Makes a key one of a plan's; `false`: it was.
///
/// # Errors
/// 409: another of its plans has a stage that this one has.
pub(super) fn add(context: &Context<'_>, plan: &UsagePlan, key: &ApiKey) -> Result<bool, ApiError> {
    if context.has::<PlanKey>(&[&plan.id, &key.id])? {
        return Ok(false);
    }
    let mut access = access_of(context, &key.id)?;
    join(context, plan, key, &mut access)?;
    context.put(&[&key.id], &access)?;
    Ok(true)
}

/// Makes a key one of a plan's, which it is not; the caller keeps `access`, which is the key's.
///
/// # Errors
/// As [`add`].
pub(super) fn join(
    context: &Context<'_>,
    plan: &UsagePlan,
    key: &ApiKey,
    access: &mut KeyAccess,
) -> Result<(), ApiError> {
    for id in &access.plans {
        let Some(other) = context.get::<UsagePlan>(&[id])? else { continue };
        let both = plan.api_stages.iter().find(|it| other.has(&it.api_id, &it.stage));
        if let Some(stage) = both {
            return Err(two_plans(&key.id, &other.id, &stage.api_id, &stage.stage));
        }
    }
    let begins = usage_journal::begins_at(context)?;
    context.put(&[&plan.id, &key.id], &PlanKey { name: key.name.clone(), begins })?;
    access.add(&plan.id);
    Ok(())
}

/// Whether a plan may get a stage: none of its keys has another plan with that stage.
///
/// # Errors
/// 409: one has.
pub(super) fn check_new_stage(
    context: &Context<'_>,
    plan: &UsagePlan,
    api: &str,
    stage: &str,
) -> Result<(), ApiError> {
    let mut others = context.list::<UsagePlan>(&[])?;
    others.retain(|other| other.id != plan.id && other.has(api, stage));
    if others.is_empty() {
        return Ok(());
    }
    each_key(context, &plan.id, |key| {
        for other in &others {
            if context.has::<PlanKey>(&[&other.id, key])? {
                return Err(two_plans(key, &other.id, api, stage));
            }
        }
        Ok(())
    })
}

/// Takes a key out of its plans, whose access the caller removes.
pub(super) fn forget_key(context: &Context<'_>, key: &str) -> Result<(), ApiError> {
    for plan in plans_of(context, key)? {
        context.delete::<PlanKey>(&[&plan, key])?;
        usage::forget_key(context, &plan, key)?;
    }
    Ok(())
}

/// Takes the keys out of a plan that is gone.
pub(super) fn forget_plan(context: &Context<'_>, plan: &str) -> Result<(), ApiError> {
    each_key(context, plan, |key| {
        leave(context, key, plan)?;
        context.delete::<UsageCount>(&[key, plan])?;
        Ok(())
    })?;
    Ok(context.delete_all::<PlanKey>(&[plan])?)
}

/// Takes over a key's name, which the lists of its plans are filtered by.
pub(super) fn rename_key(
    context: &Context<'_>,
    key: &str,
    name: Option<&str>,
    plans: &[String],
) -> Result<(), ApiError> {
    for plan in plans {
        let row: Option<PlanKey> = context.get(&[plan, key])?;
        let name = name.map(str::to_owned);
        context.put(&[plan, key], &PlanKey { name, ..row.unwrap_or_default() })?;
    }
    Ok(())
}

/// Calls `f` with each key of a plan; the store is free for `f` in between.
fn each_key(
    context: &Context<'_>,
    plan: &str,
    mut f: impl FnMut(&str) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let mut after: Option<String> = None;
    loop {
        let mut keys = Vec::new();
        context.each::<PlanKey>(&[plan], after.as_deref(), |id, _| {
            keys.push(id.to_owned());
            keys.len() < CHUNK
        })?;
        for key in &keys {
            f(key)?;
        }
        match keys.pop() {
            Some(last) => after = Some(last),
            None => return Ok(()),
        }
    }
}

fn two_plans(key: &str, plan: &str, api: &str, stage: &str) -> ApiError {
    ApiError::conflict(format!(
        "API Key {key} is already associated with API Stage {api}:{stage} through usage plan {plan}"
    ))
}

fn answer(key: ApiKey) -> UsagePlanKey {
    let r#type = "API_KEY".to_owned();
    UsagePlanKey { id: key.id, r#type, value: key.value, name: key.name }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::objects::Stage;
    use super::super::testing::Plane;
    use super::*;

    fn create(plane: &mut Plane, uri: &str, input: Value) -> String {
        plane.ok("POST", uri, input)["id"].as_str().unwrap().to_owned()
    }

    fn plan(plane: &mut Plane, stages: &[&str]) -> String {
        let transaction = plane.store().write().unwrap();
        for stage in stages {
            transaction.put(&["a1", stage], &Stage::default()).unwrap();
        }
        transaction.commit().unwrap();
        let stages: Vec<Value> =
            stages.iter().map(|stage| json!({"apiId": "a1", "stage": stage})).collect();
        create(plane, "/usageplans", json!({"name": "x", "apiStages": stages}))
    }

    fn member(key: &str) -> Value {
        json!({"keyId": key, "keyType": "API_KEY"})
    }

    #[test]
    fn a_key_of_a_plan_is_answered_as_recorded() {
        let mut plane = Plane::new();
        let plan = plan(&mut plane, &[]);
        let key = create(&mut plane, "/apikeys", json!({"name": "one", "value": "v".repeat(20)}));
        let uri = format!("/usageplans/{plan}/keys");
        let want = json!({"id": key, "type": "API_KEY", "value": "v".repeat(20), "name": "one"});
        assert_eq!(plane.ok("POST", &uri, member(&key)), want);
        assert_eq!(plane.ok("GET", &format!("{uri}/{key}"), Value::Null), want);
        for (input, message) in [
            (member(&key), "409 ConflictException: Usage Plan Key already exists"),
            (member("nope"), "404 NotFoundException: Invalid API Key identifier specified"),
            (
                json!({"keyId": key, "keyType": "x"}),
                "400 BadRequestException: Invalid key type specified. Valid options are API_KEY",
            ),
        ] {
            assert_eq!(plane.refused("POST", &uri, input), message);
        }
        plane.ok("DELETE", &format!("{uri}/{key}"), Value::Null);
        for method in ["GET", "DELETE"] {
            assert_eq!(
                plane.refused(method, &format!("{uri}/{key}"), Value::Null),
                "404 NotFoundException: Invalid API Key identifier specified"
            );
        }
        assert_eq!(plane.ok("GET", &uri, Value::Null), json!({"item": []}));
    }

    #[test]
    fn keys_come_in_pages_and_by_their_present_names() {
        let mut plane = Plane::new();
        let plan = plan(&mut plane, &[]);
        let uri = format!("/usageplans/{plan}/keys");
        let mut made = Vec::new();
        for name in ["one", "two", "twofold"] {
            let key = create(&mut plane, "/apikeys", json!({"name": name}));
            plane.ok("POST", &uri, member(&key));
            made.push(key);
        }
        plane.patch(&format!("/apikeys/{}", made[0]), "replace", "/name", "twin").unwrap();
        let count = |page: &Value| page["item"].as_array().unwrap().len();
        for (query, want) in [("name=tw", 3), ("name=two", 2), ("name=one", 0), ("limit=2", 2)] {
            let page = plane.ok("GET", &format!("{uri}?{query}"), Value::Null);
            assert_eq!(count(&page), want, "{query}");
        }
        let first = plane.ok("GET", &format!("{uri}?limit=2"), Value::Null);
        let position = first["position"].as_str().unwrap();
        let rest = plane.ok("GET", &format!("{uri}?limit=2&position={position}"), Value::Null);
        assert_eq!((count(&rest), rest.get("position")), (1, None));
        plane.ok("DELETE", &format!("/apikeys/{}", made[0]), Value::Null);
        assert_eq!(count(&plane.ok("GET", &uri, Value::Null)), 2);
        plane.ok("DELETE", &format!("/usageplans/{plan}"), Value::Null);
        let reading = plane.store().read().unwrap();
        assert!(reading.list::<PlanKey>(&[]).unwrap().is_empty());
        let access = reading.list::<KeyAccess>(&[]).unwrap();
        assert_eq!(access.len(), 2);
        assert!(access.iter().all(|key| key.plans.is_empty()), "{access:?}");
    }

    #[test]
    fn a_key_has_one_plan_per_stage() {
        let mut plane = Plane::new();
        let (gold, dev) = (plan(&mut plane, &["dev", "prod"]), plan(&mut plane, &["dev"]));
        let test = plan(&mut plane, &["test"]);
        let key = create(&mut plane, "/apikeys", json!({}));
        plane.ok("POST", &format!("/usageplans/{gold}/keys"), member(&key));
        plane.ok("POST", &format!("/usageplans/{test}/keys"), member(&key));
        let refusal = format!(
            "API Key {key} is already associated with API Stage a1:dev through usage plan {gold}"
        );
        assert_eq!(
            plane.refused("POST", &format!("/usageplans/{dev}/keys"), member(&key)),
            format!("409 ConflictException: {refusal}")
        );
        let uri = format!("/usageplans/{test}");
        let error = plane.patch(&uri, "add", "/apiStages", "a1:dev").unwrap_err();
        assert_eq!(error, ApiError::conflict(refusal));
        // The other plan gone, the stage is free.
        plane.ok("DELETE", &format!("/usageplans/{gold}/keys/{key}"), Value::Null);
        plane.patch(&uri, "add", "/apiStages", "a1:dev").unwrap();
    }
}
