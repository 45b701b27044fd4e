//! UsagePlan: which stages its keys may call, how often and how much.
//!
//! AWS's limit of 300 plans an account is not enforced: it is what Ringway's users leave behind.
//!
//! Source: facts, aws-recorded section 13, stages-canary-cache-throttle section 7.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::ids;
use super::objects::{Stage, Tags, objects, wire};
use super::page;
use super::patch::{self, Op, Patch};
use super::{api_keys, tags, usage, usage_plan_keys};

const REPLACEABLE: [&str; 11] = [
    "/name",
    "/description",
    "/productCode",
    "/quota/limit",
    "/quota/offset",
    "/quota/period",
    "/throttle/rateLimit",
    "/throttle/burstLimit",
    "/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/rateLimit",
    "/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>/burstLimit",
    "/apiStages/<apidId:stageName>/throttle",
];
/// As AWS lists them (seen in <https://github.com/boto/boto3/issues/2629>), its misspelling and all.
const REMOVABLE: [&str; 6] = [
    "/apiStages",
    "/quota",
    "/throttle",
    "/productCode",
    "/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>",
    "/apiStages/<apidId:stageName>/throttle",
];
const PERIODS: [&str; 3] = ["DAY", "WEEK", "MONTH"];

wire! {
    /// A usage plan.
    UsagePlan {
        id: String,
        name: String,
        description: Option<String>,
        api_stages: Vec<ApiStage>,
        throttle: Option<ThrottleSettings>,
        quota: Option<QuotaSettings>,
        product_code: Option<String>,
        tags: Option<Tags>,
    }

    /// A stage that a plan's keys may call; `throttle` by path and method: `/pets/GET`.
    ApiStage {
        api_id: String,
        stage: String,
        throttle: Option<BTreeMap<String, ThrottleSettings>>,
    }

    /// How often.
    ThrottleSettings {
        burst_limit: Option<i64>,
        rate_limit: Option<f64>,
    }

    /// How much.
    QuotaSettings {
        limit: Option<i64>,
        offset: i64,
        period: Option<String>,
    }
}

objects! {
    UsagePlan: "usageplan";
}

impl UsagePlan {
    /// The place of a stage among the plan's.
    fn place_of(&self, api: &str, stage: &str) -> Option<usize> {
        self.api_stages.iter().position(|it| it.api_id == api && it.stage == stage)
    }

    /// Whether the plan has a stage.
    pub(super) fn has(&self, api: &str, stage: &str) -> bool {
        self.place_of(api, stage).is_some()
    }
}

pub(super) fn get_usage_plans(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let Some(key) = call.query("keyId").filter(|key| !key.is_empty()) else {
        return page::stored::<UsagePlan>(context, call, &[], |plan| Some(page::item(&plan)));
    };
    let key = api_keys::key_of(context, key)?;
    let mut plans = Vec::new();
    for id in usage_plan_keys::plans_of(context, &key.id)? {
        plans.extend(context.get::<UsagePlan>(&[&id])?);
    }
    for plan in &mut plans {
        plan.tags = plan.tags.take().filter(|tags| !tags.is_empty());
    }
    Ok(page::reply(call, &plans, |plan| &plan.id))
}

pub(super) fn get_usage_plan(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    Ok(Reply::json(&with_tags(plan_of(context, call)?)))
}

pub(super) fn create_usage_plan(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let plan = UsagePlan {
        id: ids::new(ids::SHORT, |id| context.has::<UsagePlan>(&[id]))?,
        name: call.owned("name").unwrap_or_default(),
        description: call.owned("description"),
        api_stages: call.member("apiStages")?.unwrap_or_default(),
        throttle: call.member("throttle")?,
        quota: call.member("quota")?,
        product_code: None,
        tags: tags::given(call)?,
    };
    if plan.name.is_empty() {
        return Err(ApiError::bad_request("Usage Plan name must be set"));
    }
    for (at, it) in plan.api_stages.iter().enumerate() {
        if it.api_id.is_empty() || it.stage.is_empty() {
            return Err(invalid_stage());
        }
        check_stage(context, &plan.id, &it.api_id, &it.stage)?;
        if plan.place_of(&it.api_id, &it.stage) != Some(at) {
            return Err(invalid_stage());
        }
    }
    check(&plan)?;
    keep(context, &plan)?;
    Ok(Reply::json(&plan))
}

pub(super) fn update_usage_plan(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut plan = plan_of(context, call)?;
    for patch in call.patches()? {
        apply(context, &mut plan, &patch)?;
    }
    check(&plan)?;
    keep(context, &plan)?;
    Ok(Reply::json(&with_tags(plan)))
}

pub(super) fn delete_usage_plan(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let plan = plan_of(context, call)?;
    if let Some(stage) = plan.api_stages.first() {
        return Err(ApiError::bad_request(format!(
            "Cannot delete Usage Plan {} because there are API Stages associated with it, including {}:{}",
            plan.id, stage.api_id, stage.stage
        )));
    }
    usage_plan_keys::forget_plan(context, &plan.id)?;
    usage::forget_plan(context, &plan.id)?;
    context.delete::<UsagePlan>(&[&plan.id])?;
    context.effects.plans.insert(plan.id);
    Ok(Reply::empty())
}

/// Takes a stage that is gone out of the plans.
pub(super) fn forget_stage(
    context: &mut Context<'_>,
    api: &str,
    stage: &str,
) -> Result<(), ApiError> {
    for mut plan in context.list::<UsagePlan>(&[])? {
        if let Some(place) = plan.place_of(api, stage) {
            plan.api_stages.remove(place);
            context.put(&[&plan.id], &plan)?;
            context.effects.plans.insert(plan.id);
        }
    }
    Ok(())
}

/// The plan that a call names.
pub(super) fn plan_of(context: &Context<'_>, call: &Call<'_>) -> Result<UsagePlan, ApiError> {
    let plan = context.get(&[call.label("usageplanId")])?;
    plan.ok_or_else(|| ApiError::not_found("Invalid Usage Plan ID specified"))
}

fn keep(context: &mut Context<'_>, plan: &UsagePlan) -> Result<(), ApiError> {
    context.put(&[&plan.id], plan)?;
    context.effects.plans.insert(plan.id.clone());
    Ok(())
}

fn with_tags(mut plan: UsagePlan) -> UsagePlan {
    plan.tags.get_or_insert_default();
    plan
}

fn invalid_stage() -> ApiError {
    ApiError::bad_request("Invalid API Stage specified")
}

fn no_such_stage(plan: &str, api: &str, stage: &str) -> ApiError {
    ApiError::not_found(format!(
        "Invalid API Stage {{api: {api}, stage: {stage}}} specified for usageplan {plan}"
    ))
}

fn check_stage(context: &Context<'_>, plan: &str, api: &str, stage: &str) -> Result<(), ApiError> {
    if context.has::<Stage>(&[api, stage])? {
        return Ok(());
    }
    Err(no_such_stage(plan, api, stage))
}

/// What a plan has to be as a whole. A burst above the rate is accepted (recorded).
fn check(plan: &UsagePlan) -> Result<(), ApiError> {
    if let Some(quota) = &plan.quota {
        if quota.limit.is_some_and(|limit| limit < 0) {
            return Err(ApiError::bad_request("Usage Plan quota limit must not be negative"));
        }
        // AWS's words are not known, but one without the other would be kept and hold nobody back.
        for (name, is_set) in [("limit", quota.limit.is_some()), ("period", quota.period.is_some())]
        {
            if !is_set {
                return Err(ApiError::bad_request(format!("Usage Plan quota {name} must be set")));
            }
        }
        // In the words of Terraform's check of the same rule; AWS's are not known.
        let (most, bound, period) = match quota.period.as_deref() {
            Some("WEEK") => (6, "between zero and six inclusive", "WEEK"),
            Some("MONTH") => (27, "between zero and 27 inclusive", "MONTH"),
            _ => (0, "zero", "DAY"),
        };
        if !(0..=most).contains(&quota.offset) {
            return Err(ApiError::bad_request(format!(
                "Usage Plan quota offset must be {bound} in the {period} period"
            )));
        }
    }
    let of_methods = plan.api_stages.iter().flat_map(|it| it.throttle.iter().flatten());
    for throttle in plan.throttle.iter().chain(of_methods.map(|(_, throttle)| throttle)) {
        if throttle.rate_limit.is_some_and(|rate| rate < 0.0)
            || throttle.burst_limit.is_some_and(|burst| burst < 0)
        {
            return Err(ApiError::bad_request("Throttle limits must not be negative"));
        }
    }
    Ok(())
}

fn apply(context: &Context<'_>, plan: &mut UsagePlan, patch: &Patch) -> Result<(), ApiError> {
    let path = patch.path();
    if let Some(rest) = path.strip_prefix("/apiStages/") {
        return apply_to_stage(plan, patch, rest);
    }
    let given = || patch.value.clone().filter(|value| !value.is_empty());
    match (patch.op, path) {
        (Op::Add, "/apiStages") => {
            let (api, stage) = stage_in(patch)?;
            check_stage(context, &plan.id, api, stage)?;
            if !plan.has(api, stage) {
                usage_plan_keys::check_new_stage(context, plan, api, stage)?;
                let (api_id, stage) = (api.to_owned(), stage.to_owned());
                plan.api_stages.push(ApiStage { api_id, stage, throttle: None });
            }
        }
        (Op::Remove, "/apiStages") => {
            let (api, stage) = stage_in(patch)?;
            let place = plan.place_of(api, stage);
            let place = place.ok_or_else(|| no_such_stage(&plan.id, api, stage))?;
            plan.api_stages.remove(place);
        }
        (Op::Remove, "/quota") => plan.quota = None,
        (Op::Remove, "/throttle") => plan.throttle = None,
        (Op::Remove, "/productCode") => plan.product_code = None,
        // `add` sets what was not there: Terraform sends it.
        (Op::Add | Op::Replace, "/name") => plan.name = given().unwrap_or_default(),
        (Op::Add | Op::Replace, "/description") => plan.description = given(),
        (Op::Add | Op::Replace, "/productCode") => plan.product_code = given(),
        (Op::Add | Op::Replace, "/quota/limit") => {
            plan.quota.get_or_insert_default().limit = Some(number(patch)?);
        }
        (Op::Add | Op::Replace, "/quota/offset") => {
            plan.quota.get_or_insert_default().offset = number(patch)?;
        }
        (Op::Add | Op::Replace, "/quota/period") => {
            if !PERIODS.contains(&patch.value()) {
                return Err(ApiError::bad_request(
                    "Invalid quota period specified. Valid options are DAY,WEEK,MONTH",
                ));
            }
            plan.quota.get_or_insert_default().period = patch.value.clone();
        }
        (Op::Add | Op::Replace, "/throttle/rateLimit") => {
            plan.throttle.get_or_insert_default().rate_limit = Some(rate(patch)?);
        }
        (Op::Add | Op::Replace, "/throttle/burstLimit") => {
            plan.throttle.get_or_insert_default().burst_limit = Some(number(patch)?);
        }
        (Op::Remove, _) => return Err(patch.not_one_of(&REMOVABLE)),
        (Op::Add, _) => return Err(patch.not_one_of(&["/apiStages"])),
        (Op::Replace, _) => return Err(patch.not_one_of(&REPLACEABLE)),
        (Op::Move | Op::Copy | Op::Test, _) => return Err(patch.not_supported()),
    }
    if plan.name.is_empty() {
        return Err(ApiError::bad_request("Usage Plan name must be set"));
    }
    Ok(())
}

/// `{api}:{stage}/throttle…`: of all methods together, of one method, or one of its two numbers. A
/// method is `{path}/{METHOD}`, its path escaped (`~1pets`) or, as Terraform sends it, not.
fn apply_to_stage(plan: &mut UsagePlan, patch: &Patch, rest: &str) -> Result<(), ApiError> {
    let wrong = || match patch.op {
        Op::Replace | Op::Add => patch.not_one_of(&REPLACEABLE),
        Op::Remove => patch.not_one_of(&REMOVABLE),
        Op::Move | Op::Copy | Op::Test => patch.not_supported(),
    };
    let (stage, rest) = rest.split_once("/throttle").ok_or_else(wrong)?;
    let (api, stage) = stage.split_once(':').ok_or_else(invalid_stage)?;
    let place = plan.place_of(api, stage).ok_or_else(|| no_such_stage(&plan.id, api, stage))?;
    let all = &mut plan.api_stages[place].throttle;
    if rest.is_empty() {
        match patch.op {
            Op::Remove => *all = None,
            Op::Replace | Op::Add => *all = Some(document(patch)?),
            _ => return Err(wrong()),
        }
        return Ok(());
    }
    let rest = rest.strip_prefix('/').ok_or_else(wrong)?;
    let (method, limit) = match rest.rsplit_once('/') {
        Some((method, limit @ ("rateLimit" | "burstLimit"))) => (method, Some(limit)),
        _ => (rest, None),
    };
    let method = patch::segments(&format!("/{method}")).join("/");
    let method = match method.trim_start_matches('/') {
        // As AWS writes the root's: its path is `/`, too.
        root if !root.contains('/') => format!("//{root}"),
        method => format!("/{method}"),
    };
    match (patch.op, limit) {
        (Op::Remove, None) => {
            let methods = all.as_mut().filter(|methods| methods.contains_key(&method));
            let methods = methods.ok_or_else(|| {
                ApiError::not_found("Invalid method specified for the throttle of an API Stage")
            })?;
            methods.remove(&method);
            if methods.is_empty() {
                *all = None;
            }
        }
        (Op::Replace | Op::Add, None) => {
            all.get_or_insert_default().insert(method, document(patch)?);
        }
        (Op::Replace | Op::Add, Some("rateLimit")) => {
            all.get_or_insert_default().entry(method).or_default().rate_limit = Some(rate(patch)?);
        }
        (Op::Replace | Op::Add, Some(_)) => {
            let burst = number(patch)?;
            all.get_or_insert_default().entry(method).or_default().burst_limit = Some(burst);
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

/// The value `{api}:{stage}`.
fn stage_in(patch: &Patch) -> Result<(&str, &str), ApiError> {
    patch.value().split_once(':').ok_or_else(invalid_stage)
}

fn invalid_value(patch: &Patch) -> ApiError {
    ApiError::bad_request(format!("Invalid value specified for {}", patch.path()))
}

fn number(patch: &Patch) -> Result<i64, ApiError> {
    patch.value().parse().map_err(|_| invalid_value(patch))
}

fn rate(patch: &Patch) -> Result<f64, ApiError> {
    let rate = patch.value().parse().ok().filter(|rate: &f64| rate.is_finite());
    rate.ok_or_else(|| invalid_value(patch))
}

/// The value as a JSON object.
fn document<T: DeserializeOwned>(patch: &Patch) -> Result<T, ApiError> {
    let members: Map<String, Value> =
        serde_json::from_str(patch.value()).map_err(|_| invalid_value(patch))?;
    serde_json::from_value(members.into()).map_err(|_| invalid_value(patch))
}

#[cfg(test)]
mod tests;
