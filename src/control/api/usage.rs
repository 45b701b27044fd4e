//! Usage of a plan: what its keys have used and have left, by day.
//!
//! A day's row is kept per plan, key and day, written by [`super::counts`]: all that has been counted before a
//! call comes here is in them. Days without a row have nothing used and the plan's limit left (zero where the
//! plan has no quota).
//!
//! Source: facts, stages-canary-cache-throttle section 7, "Usage data".

use serde_json::{Map, Value, json};

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::metered::{self, UsageCount};
use super::objects::{objects, wire};
use super::page;
use super::patch::Op;
use super::usage_journal;
use super::usage_plan_keys::{PlanKey, member_of};
use super::usage_plans::{UsagePlan, plan_of};
use crate::store::{Store, StoreError};
use crate::time::WallMillis;
use crate::usage::Day;

/// Days between the first and the last one asked for.
const DAYS_MAX: u64 = 90;
const DAY_SECONDS: u64 = 86_400;
/// Days that are kept. Ours: AWS answers about the last 90.
const DAYS_KEPT: u32 = 100;

wire! {
    /// A key's day in a plan.
    UsageDay {
        used: i64,
        remaining: i64,
    }
}

objects! {
    UsageDay: "usage";
}

pub(super) fn get_usage(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let plan = plan_of(context, call)?;
    let (first, last) = (day_in(call, "startDate")?, day_in(call, "endDate")?);
    if last < first || last - first > DAYS_MAX {
        return Err(ApiError::bad_request(
            "Invalid date range specified. endDate must not be before startDate, and at most 90 days after it",
        ));
    }
    let mut values = Map::new();
    let mut position = None;
    match call.query("keyId").filter(|key| !key.is_empty()) {
        Some(key) => {
            let key = member_of(context, &plan, key)?;
            values.insert(key.id.clone(), days(context, &plan, &key.id, first, last)?);
        }
        None => {
            let limit = page::limit(call);
            let after = call.query("position").filter(|position| !position.is_empty());
            let mut keys = Vec::new();
            context.each::<PlanKey>(&[&plan.id], after, |id, _| {
                keys.push(id.to_owned());
                keys.len() <= limit
            })?;
            if keys.len() > limit {
                keys.truncate(limit);
                position = keys.last().cloned();
            }
            for key in keys {
                let days = days(context, &plan, &key, first, last)?;
                values.insert(key, days);
            }
        }
    }
    Ok(answer(&plan, first, last, values, position))
}

pub(super) fn update_usage(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let plan = plan_of(context, call)?;
    let key = member_of(context, &plan, call.label("keyId"))?;
    let today = u64::try_from(context.now).unwrap_or_default() / DAY_SECONDS;
    let mut row = row_of(context, &plan, &key.id, today)?;
    for patch in call.patches()? {
        match (patch.op, patch.path()) {
            (Op::Replace, "/remaining") => {
                let remaining = patch.value().parse().ok().filter(|it| *it >= 0);
                row.remaining = remaining.ok_or_else(|| {
                    ApiError::bad_request("Invalid value specified for /remaining")
                })?;
            }
            (Op::Replace, _) => return Err(patch.not_one_of(&["/remaining"])),
            _ => return Err(patch.not_supported()),
        }
    }
    let Some((period, limit)) = metered::period_now(&plan, context.now) else {
        return Err(ApiError::bad_request(format!("Usage Plan {} has no quota", plan.id)));
    };
    context.put(&[&plan.id, &key.id, &date(today)], &row)?;
    let mut count: UsageCount = context.get(&[&key.id, &plan.id])?.unwrap_or_default();
    count.period = count.period.max(i64::from(period));
    count.count = limit.saturating_sub(row.remaining);
    // What is left now is no news of an earlier day.
    let day = i64::try_from(today).unwrap_or(i64::MAX);
    if count.day < day {
        (count.day, count.day_count) = (day, row.used);
    }
    context.put(&[&key.id, &plan.id], &count)?;
    // Parts that have come since all was settled say what was left before.
    let member: PlanKey = context.get(&[&plan.id, &key.id])?.unwrap_or_default();
    let begins = usage_journal::begins_at(context)?;
    context.put(&[&plan.id, &key.id], &PlanKey { begins, ..member })?;
    let remaining = u64::try_from(row.remaining).unwrap_or(0);
    context.effects.remaining.push((plan.id.clone(), key.id.clone(), remaining));
    let mut values = Map::new();
    values.insert(key.id, json!([[row.used, row.remaining]]));
    Ok(answer(&plan, today, today, values, None))
}

/// Removes what a key used of a plan that it has left.
pub(super) fn forget_key(context: &Context<'_>, plan: &str, key: &str) -> Result<(), ApiError> {
    context.delete::<UsageCount>(&[key, plan])?;
    Ok(context.delete_all::<UsageDay>(&[plan, key])?)
}

/// Removes what was used of a plan that is gone.
pub(super) fn forget_plan(context: &Context<'_>, plan: &str) -> Result<(), ApiError> {
    Ok(context.delete_all::<UsageDay>(&[plan])?)
}

/// What [`forget_old_days`] has done.
#[derive(Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Days of keys that were removed.
    pub days: usize,
    /// Where to go on; `None`: all have been looked at.
    pub next: Option<String>,
}

/// Removes days past the hundred that are kept: looks at so many `rows` behind `after`.
///
/// # Errors
/// The store cannot be read or written.
pub fn forget_old_days(
    store: &Store,
    today: Day,
    after: Option<&str>,
    rows: usize,
) -> Result<Forgotten, StoreError> {
    let first_kept = Day(today.0.saturating_sub(DAYS_KEPT)).iso();
    let (mut old, mut looked_at, mut last) = (Vec::new(), 0, None);
    store.read()?.each::<UsageDay>(&[], after, |ids, _| {
        // Plan, key and date; dates are in the order of their letters.
        if ids.rsplit('\0').next().is_some_and(|date| date < first_kept.as_str()) {
            old.push(ids.to_owned());
        }
        looked_at += 1;
        last = Some(ids.to_owned());
        looked_at < rows
    })?;
    if !old.is_empty() {
        let transaction = store.write()?;
        for ids in &old {
            transaction.delete::<UsageDay>(&ids.split('\0').collect::<Vec<_>>())?;
        }
        transaction.commit()?;
    }
    Ok(Forgotten { days: old.len(), next: last.filter(|_| looked_at == rows) })
}

fn answer(
    plan: &UsagePlan,
    first: u64,
    last: u64,
    values: Map<String, Value>,
    position: Option<String>,
) -> Reply {
    let mut answer = json!({
        "usagePlanId": plan.id, "startDate": date(first), "endDate": date(last), "values": values,
    });
    if let Some(position) = position {
        answer["position"] = position.into();
    }
    Reply::json(&answer)
}

/// `[used, remaining]` of each day.
fn days(
    context: &Context<'_>,
    plan: &UsagePlan,
    key: &str,
    first: u64,
    last: u64,
) -> Result<Value, ApiError> {
    let nothing = nothing_used(plan);
    let mut days = vec![[nothing.used, nothing.remaining]; (last - first + 1) as usize];
    let before = first.checked_sub(1).map(date);
    context.each::<UsageDay>(&[&plan.id, key], before.as_deref(), |day, row| {
        match day_of(day) {
            Some(day) if (first..=last).contains(&day) => {
                days[(day - first) as usize] = [row.used, row.remaining];
                true
            }
            _ => false,
        }
    })?;
    Ok(json!(days))
}

fn row_of(
    context: &Context<'_>,
    plan: &UsagePlan,
    key: &str,
    day: u64,
) -> Result<UsageDay, ApiError> {
    let row = context.get(&[&plan.id, key, &date(day)])?;
    Ok(row.unwrap_or_else(|| nothing_used(plan)))
}

fn nothing_used(plan: &UsagePlan) -> UsageDay {
    let limit = plan.quota.as_ref().and_then(|quota| quota.limit);
    UsageDay { used: 0, remaining: limit.unwrap_or(0) }
}

fn day_in(call: &Call<'_>, name: &str) -> Result<u64, ApiError> {
    call.query(name).and_then(day_of).ok_or_else(|| {
        ApiError::bad_request(format!("Invalid {name} specified. Must be a date as YYYY-MM-DD"))
    })
}

/// `YYYY-MM-DD` of a day, counted since 1970-01-01.
fn date(day: u64) -> String {
    let civil = WallMillis(day * DAY_SECONDS * 1_000).civil();
    format!("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day)
}

/// The day of a date; `None`: there is none, or it is before 1970.
fn day_of(date_text: &str) -> Option<u64> {
    let bytes = date_text.as_bytes();
    let is_formed = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_formed {
        return None;
    }
    let number = |at: std::ops::Range<usize>| date_text[at].parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if year < 1970 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    // Years that begin in March have their leap day last. Source: `WallMillis::civil`, reversed.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = (365 * year + year / 4 - year / 100 + year / 400 + of_year).checked_sub(719_468)?;
    // The 30th of February would be a day in March.
    (date(days) == date_text).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Plane;
    use super::*;

    #[test]
    fn dates_are_days_and_days_are_dates() {
        for day in (0..60_000).step_by(13) {
            assert_eq!(day_of(&date(day)), Some(day));
        }
        for (text, want) in [
            ("1970-01-01", Some(0)),
            ("1970-02-28", Some(58)),
            ("2000-02-29", Some(11_016)),
            ("2023-02-29", None),
            ("2023-04-31", None),
            ("2023-13-01", None),
            ("2023-00-01", None),
            ("2023-01-00", None),
            ("1969-12-31", None),
            ("23-01-01", None),
            ("2023-1-01", None),
            ("2023-01-0é", None),
            ("", None),
        ] {
            assert_eq!(day_of(text), want, "{text}");
        }
    }

    fn created(plane: &mut Plane, uri: &str, input: Value) -> String {
        plane.ok("POST", uri, input)["id"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_day_has_what_was_used_and_what_is_left() {
        let mut plane = Plane::new();
        let quota = json!({"limit": 10, "period": "DAY"});
        let plan = created(&mut plane, "/usageplans", json!({"name": "x", "quota": quota}));
        let keys: Vec<String> = (0..2)
            .map(|_| {
                let key = created(&mut plane, "/apikeys", json!({}));
                let input = json!({"keyId": key, "keyType": "API_KEY"});
                plane.ok("POST", &format!("/usageplans/{plan}/keys"), input);
                key
            })
            .collect();
        // The clock says 2023-11-14.
        let uri = format!("/usageplans/{plan}/keys/{}/usage", keys[0]);
        let usage = plane.patch(&uri, "replace", "/remaining", "25").unwrap();
        let values = json!({&*keys[0]: [[0, 25]]});
        assert_eq!(
            usage,
            json!({
                "usagePlanId": plan, "startDate": "2023-11-14", "endDate": "2023-11-14",
                "values": values,
            })
        );
        let uri = format!("/usageplans/{plan}/usage?startDate=2023-11-13&endDate=2023-11-15");
        let usage = plane.ok("GET", &uri, Value::Null);
        assert_eq!(usage["values"][&keys[0]], json!([[0, 10], [0, 25], [0, 10]]));
        assert_eq!(usage["values"][&keys[1]], json!([[0, 10], [0, 10], [0, 10]]));
        let usage = plane.ok("GET", &format!("{uri}&keyId={}", keys[1]), Value::Null);
        assert_eq!(usage["values"].as_object().unwrap().len(), 1);
        let mut sorted = keys.clone();
        sorted.sort();
        let page = plane.ok("GET", &format!("{uri}&limit=1"), Value::Null);
        assert_eq!(page["position"], *sorted[0]);
        let page = plane.ok("GET", &format!("{uri}&limit=1&position={}", sorted[0]), Value::Null);
        assert_eq!(page["values"].as_object().unwrap().keys().next(), Some(&sorted[1]));
        assert_eq!(page.get("position"), None);
        // A key that comes back begins anew.
        plane.ok("DELETE", &format!("/usageplans/{plan}/keys/{}", keys[0]), Value::Null);
        let input = json!({"keyId": keys[0], "keyType": "API_KEY"});
        plane.ok("POST", &format!("/usageplans/{plan}/keys"), input);
        let usage = plane.ok("GET", &uri, Value::Null);
        assert_eq!(usage["values"][&keys[0]][1], json!([0, 10]));
    }

    #[test]
    fn old_days_are_forgotten_piece_by_piece() {
        let plane = Plane::new();
        let store = plane.store();
        let today = Day(20_000);
        let writing = store.write().unwrap();
        for day in 19_880..=20_000 {
            for key in ["k1", "k2"] {
                let row = UsageDay { used: 1, remaining: 0 };
                writing.put(&["p1", key, &Day(day).iso()], &row).unwrap();
            }
        }
        writing.commit().unwrap();
        let (mut after, mut days, mut pieces) = (None, 0, 0);
        loop {
            let done = forget_old_days(store, today, after.as_deref(), 50).unwrap();
            days += done.days;
            pieces += 1;
            after = done.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((days, pieces), (2 * 20, 5));
        let left = store.read().unwrap().list::<UsageDay>(&["p1", "k2"]).unwrap();
        assert_eq!(left.len(), 101);
        let again = forget_old_days(store, today, None, 1_000).unwrap();
        assert_eq!(again, Forgotten { days: 0, next: None });
    }

    #[test]
    fn wrong_dates_keys_and_patches_are_refused() {
        let mut plane = Plane::new();
        let plan = created(&mut plane, "/usageplans", json!({"name": "x"}));
        let uri = format!("/usageplans/{plan}/usage");
        let range = "400 BadRequestException: Invalid date range specified. endDate must not be before startDate, and at most 90 days after it";
        for (query, want) in [
            (
                "endDate=2023-01-01",
                "400 BadRequestException: Invalid startDate specified. Must be a date as YYYY-MM-DD",
            ),
            (
                "startDate=2023-01-01&endDate=2023-02-30",
                "400 BadRequestException: Invalid endDate specified. Must be a date as YYYY-MM-DD",
            ),
            ("startDate=2023-01-02&endDate=2023-01-01", range),
            ("startDate=2023-01-01&endDate=2023-04-02", range),
            (
                "startDate=2023-01-01&endDate=2023-01-01&keyId=no",
                "404 NotFoundException: Invalid API Key identifier specified",
            ),
        ] {
            assert_eq!(plane.refused("GET", &format!("{uri}?{query}"), Value::Null), want);
        }
        let whole = format!("{uri}?startDate=2023-01-01&endDate=2023-04-01");
        assert_eq!(plane.ok("GET", &whole, Value::Null)["values"], json!({}));
        let key = created(&mut plane, "/apikeys", json!({}));
        let input = json!({"keyId": key, "keyType": "API_KEY"});
        plane.ok("POST", &format!("/usageplans/{plan}/keys"), input);
        let uri = format!("/usageplans/{plan}/keys/{key}/usage");
        for (op, path, value, want) in [
            ("replace", "/remaining", "5", format!("Usage Plan {plan} has no quota")),
            (
                "replace",
                "/remaining",
                "-5",
                "Invalid value specified for /remaining".to_owned(),
            ),
            (
                "replace",
                "/used",
                "5",
                "Invalid patch path  '/used' specified for op 'replace'. Must be one of: [/remaining]".to_owned(),
            ),
            (
                "add",
                "/remaining",
                "5",
                "Invalid patch path  '/remaining' specified for op 'add'. Please choose supported operations".to_owned(),
            ),
        ] {
            assert_eq!(plane.patch(&uri, op, path, value).unwrap_err().message, want);
        }
    }
}
