//! Limits of usage plans: as flags, as the API has them, as people read them.

use clap::Args;
use serde_json::{Value, json};

use super::super::table::table;
use super::{csv, text};

/// How often.
#[derive(Debug, Args)]
pub(super) struct Throttle {
    /// Requests a second that each key may make on average
    #[arg(long, value_name = "R", value_parser = parse_rate)]
    rate: Option<f64>,

    /// Requests that each key may make at once
    #[arg(long, value_name = "B")]
    burst: Option<u32>,
}

/// How much.
#[derive(Debug, Args)]
pub(super) struct Quota {
    /// Requests that each key may make in a day, week or month, like 1000/DAY
    #[arg(long, value_name = "N/DAY|WEEK|MONTH", value_parser = parse_quota)]
    quota: Option<Amount>,

    /// Days by which a quota's week (0 to 6) or month (0 to 27) begins later
    #[arg(long, value_name = "DAYS", requires = "quota")]
    quota_offset: Option<u32>,
}

/// `1000/DAY`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Amount {
    limit: u32,
    period: &'static str,
}

impl Throttle {
    /// `rateLimit` and `burstLimit`, those that are given, as patches have them.
    pub(super) fn members(&self) -> Vec<(&'static str, String)> {
        let rate = self.rate.map(|rate| ("rateLimit", rate.to_string()));
        let burst = self.burst.map(|burst| ("burstLimit", burst.to_string()));
        rate.into_iter().chain(burst).collect()
    }

    /// The object of a new plan.
    pub(super) fn document(&self) -> Option<Value> {
        match (self.rate, self.burst) {
            (None, None) => None,
            (Some(rate), None) => Some(json!({ "rateLimit": rate })),
            (None, Some(burst)) => Some(json!({ "burstLimit": burst })),
            (Some(rate), Some(burst)) => Some(json!({ "rateLimit": rate, "burstLimit": burst })),
        }
    }
}

impl Quota {
    /// `limit`, `period` and `offset` as patches have them; the offset of a plan's former period would
    /// not fit another.
    pub(super) fn members(&self) -> Vec<(&'static str, String)> {
        let Some(Amount { limit, period }) = &self.quota else { return Vec::new() };
        let offset = self.quota_offset.unwrap_or(0);
        vec![
            ("limit", limit.to_string()),
            ("period", (*period).to_owned()),
            ("offset", offset.to_string()),
        ]
    }

    /// The object of a new plan.
    pub(super) fn document(&self) -> Option<Value> {
        let Amount { limit, period } = self.quota.as_ref()?;
        let offset = self.quota_offset.unwrap_or(0);
        Some(json!({ "limit": limit, "period": period, "offset": offset }))
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate >= 0.0);
    rate.ok_or_else(|| "write a number of requests a second, 0 or more".to_owned())
}

fn parse_quota(text: &str) -> Result<Amount, String> {
    let parsed = text.split_once('/').and_then(|(limit, period)| {
        let limit = limit.parse().ok()?;
        let period =
            ["DAY", "WEEK", "MONTH"].into_iter().find(|it| it.eq_ignore_ascii_case(period));
        Some(Amount { limit, period: period? })
    });
    parsed.ok_or_else(|| {
        format!(
            "write a number of requests (at most {}) and DAY, WEEK or MONTH, like 1000/DAY",
            u32::MAX
        )
    })
}

/// A resource's path.
pub(super) fn parse_path(text: &str) -> Result<String, String> {
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    Err("a path begins with '/', like /pets/{id}".to_owned())
}

/// The patch path of a method's limit.
pub(super) fn of_method(stage: &str, path: &str, method: &str) -> String {
    let escaped = path.replace('~', "~0").replace('/', "~1");
    format!("/apiStages/{stage}/throttle/{escaped}/{method}")
}

/// `5 per second, burst 10`.
fn throttle_of(limit: Option<&Value>) -> String {
    let member = |name: &str| limit.and_then(|limit| limit.get(name)).filter(|it| !it.is_null());
    // The API writes 5.0 for 5.
    let rate = member("rateLimit").and_then(Value::as_f64);
    let burst = member("burstLimit");
    match (rate, burst) {
        (None, None) => "none".to_owned(),
        (Some(rate), None) => format!("{rate} per second"),
        (None, Some(burst)) => format!("burst {burst}"),
        (Some(rate), Some(burst)) => format!("{rate} per second, burst {burst}"),
    }
}

/// `1000/WEEK, 1 day later`.
fn quota_of(plan: &Value) -> String {
    let Some(quota) = plan.get("quota").filter(|quota| quota.is_object()) else {
        return "none".to_owned();
    };
    let said = format!("{}/{}", quota["limit"], text(quota, "period"));
    match quota["offset"].as_u64().unwrap_or(0) {
        0 => said,
        1 => said + ", 1 day later",
        days => said + &format!(", {days} days later"),
    }
}

fn stages_of(plan: &Value) -> impl Iterator<Item = (String, &Value)> {
    let stages = plan["apiStages"].as_array().into_iter().flatten();
    stages.map(|it| (format!("{}:{}", text(it, "apiId"), text(it, "stage")), it))
}

/// Plans as a table.
pub(super) fn summary(plans: &[Value]) -> String {
    if plans.is_empty() {
        return "no usage plans; `ringway plans create` makes one\n".to_owned();
    }
    let row = |plan: &Value| {
        let stages: Vec<String> = stages_of(plan).map(|(stage, _)| stage).collect();
        [
            text(plan, "id").to_owned(),
            csv::one_line(text(plan, "name")),
            throttle_of(plan.get("throttle")),
            quota_of(plan),
            if stages.is_empty() { "-".to_owned() } else { stages.join(", ") },
        ]
    };
    let rows: Vec<[String; 5]> = plans.iter().map(row).collect();
    table(["PLAN", "NAME", "THROTTLE", "QUOTA", "STAGES"], &rows)
}

/// Limits and stages of a plan, a line each.
pub(super) fn show(plan: &Value) -> String {
    let mut said =
        format!("throttle: {}\nquota: {}\n", throttle_of(plan.get("throttle")), quota_of(plan));
    let mut stages = stages_of(plan).peekable();
    said += match stages.peek() {
        None => "stages: none; `ringway plans add-stage` adds one\n",
        Some(_) => "stages:\n",
    };
    for (stage, object) in stages {
        said += &format!("    {stage}\n");
        for (key, limit) in object.get("throttle").and_then(Value::as_object).into_iter().flatten()
        {
            // `/pets/GET`; the root's is `//GET`.
            let (path, method) = key.rsplit_once('/').unwrap_or(("", key));
            let path = if path.is_empty() { "/" } else { path };
            said += &format!("        {method} {path}: {}\n", throttle_of(Some(limit)));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_and_rates_are_read_and_bad_ones_refused() {
        for (text, want) in [
            ("1000/DAY", Some((1_000, "DAY"))),
            ("0/week", Some((0, "WEEK"))),
            ("4294967295/Month", Some((u32::MAX, "MONTH"))),
            ("4294967296/DAY", None),
            ("-1/DAY", None),
            ("1000", None),
            ("1000/YEAR", None),
            ("/DAY", None),
        ] {
            let got = parse_quota(text).ok().map(|it| (it.limit, it.period));
            assert_eq!(got, want, "{text}");
        }
        for (text, want) in [
            ("5", Some(5.0)),
            ("0.1", Some(0.1)),
            ("0", Some(0.0)),
            ("-1", None),
            ("inf", None),
            ("x", None),
        ] {
            assert_eq!(parse_rate(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn limits_become_what_the_api_takes() {
        let throttle = Throttle { rate: Some(2.5), burst: Some(10) };
        assert_eq!(throttle.document(), Some(json!({"rateLimit": 2.5, "burstLimit": 10})));
        let members = [("rateLimit", "2.5".to_owned()), ("burstLimit", "10".to_owned())];
        assert_eq!(throttle.members(), members);
        let nothing = Throttle { rate: None, burst: None };
        assert_eq!((nothing.document(), nothing.members()), (None, Vec::new()));
        let burst = Throttle { rate: None, burst: Some(1) };
        assert_eq!(burst.document(), Some(json!({"burstLimit": 1})));
        let quota = Quota { quota: parse_quota("7/week").ok(), quota_offset: Some(2) };
        assert_eq!(quota.document(), Some(json!({"limit": 7, "period": "WEEK", "offset": 2})));
        assert_eq!(quota.members()[2], ("offset", "2".to_owned()));
        assert_eq!(
            of_method("a1:v1", "/pets/{id}", "GET"),
            "/apiStages/a1:v1/throttle/~1pets~1{id}/GET"
        );
        assert_eq!(of_method("a1:v1", "/", "GET"), "/apiStages/a1:v1/throttle/~1/GET");
        assert!(parse_path("pets").is_err());
    }

    #[test]
    fn plans_are_a_table_and_one_is_lines() {
        let gold = json!({
            "id": "p1", "name": "gold", "throttle": {"rateLimit": 5.0, "burstLimit": 10},
            "quota": {"limit": 1000, "period": "MONTH", "offset": 9},
            "apiStages": [{"apiId": "a1", "stage": "v1", "throttle": {
                "/pets/{id}/GET": {"rateLimit": 0.5}, "//POST": {"burstLimit": 2}}}],
        });
        let free = json!({"id": "p2", "name": "free", "apiStages": []});
        assert_eq!(
            summary(&[gold.clone(), free.clone()]),
            "PLAN  NAME  THROTTLE                QUOTA                     STAGES\n\
             p1    gold  5 per second, burst 10  1000/MONTH, 9 days later  a1:v1\n\
             p2    free  none                    none                      -\n"
        );
        assert_eq!(
            show(&gold),
            "throttle: 5 per second, burst 10\nquota: 1000/MONTH, 9 days later\nstages:\n    a1:v1\n        \
             GET /pets/{id}: 0.5 per second\n        POST /: burst 2\n"
        );
        assert!(show(&free).ends_with("stages: none; `ringway plans add-stage` adds one\n"));
        assert_eq!(summary(&[]), "no usage plans; `ringway plans create` makes one\n");
    }
}
