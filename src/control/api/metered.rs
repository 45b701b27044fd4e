//! API keys and usage plans between the store and the requests that they admit, and what was counted back.
//!
//! A member's counters are a row of their own, and so is each of its days (what GetUsage answers). What was
//! counted lately may still be on its way there ([`Counts`]).

use std::collections::HashMap;

use super::api_keys::{self, SealedApiKey};
use super::context::{Effects, Settings};
use super::counts::Counts;
use super::error::ApiError;
use super::key_access::KeyAccess;
use super::objects::{objects, wire};
use super::usage_plans::{QuotaSettings, ThrottleSettings, UsagePlan};
use crate::store::{StoreError, Transaction};
use crate::throttle::Rate;
use crate::usage::{Counted, KeyId, MethodLimit, Plan, PlanStage, Quota, QuotaPeriod, UsagePlans};

/// Keys that are read together.
const CHUNK: usize = 1_024;
/// Rows that a key of one plan has. A table that expects too few keys grows.
const ROWS_OF_A_KEY: u64 = 5;

wire! {
    /// What one key has counted in one plan.
    UsageCount {
        /// Number of the quota's period.
        period: i64,
        count: i64,
        /// Days since 1970-01-01.
        day: i64,
        day_count: i64,
    }
}

// Keys: the API key's id, the plan's.
objects! {
    UsageCount: "usagecount";
}

/// Brings all keys and plans of the store to the requests.
///
/// # Errors
/// The store cannot be read, or it is of another vault.
pub fn load_keys(
    store: &Transaction,
    settings: &Settings,
    usage: &UsagePlans,
    counts: &Counts,
) -> Result<(), ApiError> {
    check_vault(store, settings)?;
    for plan in store.list::<UsagePlan>(&[])? {
        usage.set_plan(plan_of(&plan));
    }
    usage.reserve(key_count(store)?);
    // Keys and their counters are in the same order: two walks side by side.
    let mut keys: Vec<(KeyId, KeyAccess)> = Vec::with_capacity(CHUNK);
    let mut after: Option<String> = None;
    loop {
        store.each::<KeyAccess>(&[], after.as_deref(), |id, key| {
            keys.extend(KeyId::new(id).map(|id| (id, key)));
            keys.len() < CHUNK
        })?;
        let Some(&(last, _)) = keys.last() else { return Ok(()) };
        let from = after.map(|id| format!("{id}\u{1}"));
        let mut rows: HashMap<String, UsageCount> = HashMap::new();
        store.each::<UsageCount>(&[], from.as_deref(), |ids, count| {
            let is_one = ids.split('\0').next().is_some_and(|key| key <= last.as_str());
            if is_one {
                rows.insert(ids.to_owned(), count);
            }
            is_one
        })?;
        for (id, key) in keys.drain(..) {
            let mut failure = None;
            set_key(usage, id, &key, |plan| {
                let row = match rows.is_empty() {
                    true => UsageCount::default(),
                    false => rows.remove(&ids_of(id, plan)).unwrap_or_default(),
                };
                let latest = counts.latest(store, (plan, id), row);
                latest.unwrap_or_else(|error| {
                    failure = Some(error);
                    UsageCount::default()
                })
            });
            failure.map_or(Ok(()), Err)?;
        }
        after = Some(last.as_str().to_owned());
    }
}

/// About how many keys there are.
///
/// # Errors
/// The store cannot be read.
pub fn key_count(store: &Transaction) -> Result<usize, StoreError> {
    Ok(usize::try_from(store.object_count()? / ROWS_OF_A_KEY).unwrap_or(0))
}

/// Where the store has what a key has counted in a plan.
fn ids_of(key: KeyId, plan: &str) -> String {
    format!("{}\0{plan}", key.as_str())
}

/// Checks by its first key that a store is of this vault; all were written with the same.
fn check_vault(store: &Transaction, settings: &Settings) -> Result<(), ApiError> {
    let mut first = None;
    store.each::<SealedApiKey>(&[], None, |_, key| {
        first = Some(key);
        false
    })?;
    first.map_or(Ok(()), |key| api_keys::opened(settings, key).map(drop))
}

/// Checks that a backup's keys can be used here.
///
/// # Errors
/// 400: their values were encrypted with another key than this store's.
pub fn check_keys(backup: &Transaction, settings: &Settings) -> Result<(), ApiError> {
    let mut foreign = None;
    backup.each::<SealedApiKey>(&[], None, |id, key| {
        let is_ours = api_keys::opened(settings, key).is_ok();
        foreign = (!is_ours).then(|| id.to_owned());
        is_ours
    })?;
    foreign.map_or(Ok(()), |id| {
        Err(ApiError::bad_request(format!(
            "the value of API key {id} in this backup was encrypted with the key of another store; bring \
             the file `key` that was beside that store"
        )))
    })
}

/// Brings a call's changes of keys and plans to the requests.
///
/// # Errors
/// The store cannot be read.
pub fn apply_keys(
    store: &Transaction,
    usage: &UsagePlans,
    effects: &Effects,
) -> Result<(), ApiError> {
    for id in &effects.plans {
        match store.get::<UsagePlan>(&[id])? {
            Some(plan) => usage.set_plan(plan_of(&plan)),
            None => usage.remove_plan(id),
        }
    }
    for hash in &effects.removed_keys {
        usage.remove_key(*hash);
    }
    let changed = effects.keys.iter().filter_map(|id| KeyId::new(id));
    for id in changed.chain(effects.imported_keys.iter().copied()) {
        let Some(key) = store.get::<KeyAccess>(&[id.as_str()])? else { continue };
        // One that has joined a plan begins anew.
        set_key(usage, id, &key, |_| UsageCount::default());
    }
    for (plan, key, remaining) in &effects.remaining {
        if let Some(key) = store.get::<KeyAccess>(&[key])? {
            usage.set_remaining(plan, key.hash, *remaining, effects.now);
        }
    }
    Ok(())
}

fn set_key(
    usage: &UsagePlans,
    id: KeyId,
    key: &KeyAccess,
    mut count_of: impl FnMut(&str) -> UsageCount,
) {
    let whole = |number: i64| u32::try_from(number).unwrap_or(0);
    usage.set_hashed(id, key.hash, key.enabled, &key.plans, |plan| {
        let count = count_of(plan);
        [
            Counted { period: whole(count.period), count: count.count },
            Counted { period: whole(count.day), count: count.day_count },
        ]
    });
}

/// A plan as requests need it.
fn plan_of(plan: &UsagePlan) -> Plan {
    let mut first_method = 0;
    let stages = plan.api_stages.iter().map(|stage| {
        let limits = stage.throttle.iter().flatten();
        let methods: Box<[_]> = limits.filter_map(|(key, it)| method_limit(key, it)).collect();
        let first = first_method;
        first_method += u32::try_from(methods.len()).unwrap_or(0);
        PlanStage {
            api_id: stage.api_id.as_str().into(),
            stage: stage.stage.as_str().into(),
            methods,
            first_method: first,
        }
    });
    Plan {
        id: plan.id.as_str().into(),
        stages: stages.collect(),
        throttle: plan.throttle.as_ref().and_then(rate_of),
        quota: plan.quota.as_ref().and_then(quota_of),
    }
}

/// `/pets/{id}/GET` as path and method; the root's key is `//GET`.
fn method_limit(key: &str, limit: &ThrottleSettings) -> Option<MethodLimit> {
    let (path, method) = key.rsplit_once('/')?;
    let path = if path.is_empty() { "/" } else { path };
    Some(MethodLimit { path: path.into(), method: method.into(), rate: rate_of(limit)? })
}

/// A rate without a burst lets at once through what it lets through in a second, and at least one: a
/// bucket without a bottom would never refuse anybody. A burst without a rate limits what comes at
/// the same instant.
fn rate_of(limit: &ThrottleSettings) -> Option<Rate> {
    let (rate, burst) = match (limit.rate_limit, limit.burst_limit) {
        (None, None) => return None,
        (Some(rate), None) => (rate, rate.ceil().max(1.0) as u32),
        (rate, Some(burst)) => (rate.unwrap_or(f64::MAX), u32::try_from(burst).unwrap_or(u32::MAX)),
    };
    Some(Rate::new(rate, burst))
}

pub(super) fn quota_of(quota: &QuotaSettings) -> Option<Quota> {
    Some(Quota {
        limit: u64::try_from(quota.limit?).unwrap_or(0),
        period: match quota.period.as_deref()? {
            "WEEK" => QuotaPeriod::Week,
            "MONTH" => QuotaPeriod::Month,
            _ => QuotaPeriod::Day,
        },
        offset: u32::try_from(quota.offset).unwrap_or(0),
    })
}

/// The quota's period that a moment is in, and its limit; `None`: the plan has no quota.
pub(super) fn period_now(plan: &UsagePlan, seconds: i64) -> Option<(u32, i64)> {
    let quota = quota_of(plan.quota.as_ref()?)?;
    let moment = crate::time::WallMillis(u64::try_from(seconds).unwrap_or(0) * 1_000);
    Some((quota.period_of(moment), plan.quota.as_ref()?.limit?))
}
