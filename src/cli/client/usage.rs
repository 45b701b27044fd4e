//! `ringway usage`: what the keys of a plan have used, and how to give them more.

use std::collections::HashMap;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::super::Failure;
use super::super::table::table;
use super::admin::{Admin, encoded, wall_now};
use super::csv::one_line;
use super::named::{self, called};
use super::{ClientArgs, text};
use crate::usage::Day;

/// Days that are shown if nothing else is wanted.
const DAYS_DEFAULT: u32 = 7;

/// Flags of `ringway usage`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in super::super) struct UsageArgs {
    #[command(subcommand)]
    command: Option<UsageCommand>,

    /// The plan's id, or its name if no other has it
    #[arg(required = true)]
    plan: Option<String>,

    /// Id or name of a key: its days, one by one [default: all keys, their days together]
    #[arg(long, value_name = "ID|NAME")]
    key: Option<String>,

    /// First day, in UTC [default: six days before the last]
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<String>,

    /// Last day, in UTC, at most 90 days later [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<String>,

    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Subcommand)]
enum UsageCommand {
    /// Say how many requests a key has left in the quota's present period.
    Grant(GrantArgs),
}

#[derive(Debug, Args)]
struct GrantArgs {
    /// The plan's id, or its name if no other has it
    plan: String,

    /// The key's id, or its name if no other has it
    key: String,

    /// Requests, more or fewer than the quota's limit
    #[arg(long, value_name = "N")]
    remaining: u32,

    #[command(flatten)]
    client: ClientArgs,
}

pub(in super::super) fn run(args: &UsageArgs) -> Result<(), Failure> {
    match &args.command {
        Some(UsageCommand::Grant(args)) => grant(args),
        None => show(args),
    }
}

fn show(args: &UsageArgs) -> Result<(), Failure> {
    let wanted = args.plan.as_deref().expect("clap requires it");
    let (from, to) = range(args.from.as_deref(), args.to.as_deref(), Day::of(wall_now()))?;
    let admin = args.client.connect()?;
    let plan = named::plan(&admin, wanted)?;
    let key = args.key.as_deref().map(|key| named::key(&admin, key)).transpose()?;
    let base = format!("/usageplans/{}", encoded(text(&plan, "id")));
    let mut target = format!("{base}/usage?endDate={}&startDate={}", encoded(&to), encoded(&from));
    if let Some(key) = &key {
        target += &format!("&keyId={}", encoded(text(key, "id")));
    }
    let usage = all_pages(&admin, &target)?;
    let has_quota = plan.get("quota").is_some_and(Value::is_object);
    match key {
        Some(key) => args.client.show(&usage, || {
            let days = days_of(&usage["values"][text(&key, "id")]);
            let first = first_day(&usage);
            format!(
                "plan {}, key {}\n{}",
                called(&plan),
                called(&key),
                by_day(first, &days, has_quota)
            )
        }),
        None => {
            let keys = match args.client.json {
                true => Vec::new(),
                false => admin.items(&format!("{base}/keys"))?,
            };
            args.client.show(&usage, || {
                format!(
                    "plan {}, {from} to {to}\n{}",
                    called(&plan),
                    by_key(&keys, &usage, has_quota)
                )
            });
        }
    }
    Ok(())
}

/// First and last day as the API wants them, which checks them.
fn range(from: Option<&str>, to: Option<&str>, today: Day) -> Result<(String, String), Failure> {
    let last = match to {
        None => today,
        Some(text) => day(text).ok_or_else(|| no_day("--to", text))?,
    };
    let first = match from {
        None => Day(last.0.saturating_sub(DAYS_DEFAULT - 1)),
        Some(text) => day(text).ok_or_else(|| no_day("--from", text))?,
    };
    if first > last {
        let why = format!("--from {} is after the last day, {}", first.iso(), last.iso());
        return Err(Failure::Usage(why));
    }
    Ok((first.iso(), last.iso()))
}

fn no_day(flag: &str, text: &str) -> Failure {
    Failure::Usage(format!("{flag}: '{text}' is no day; write it as 2026-01-31"))
}

/// The day of `2026-01-31`. Found by its neighbours: there are few days in a century.
fn day(text: &str) -> Option<Day> {
    let year: u32 = text.get(..4)?.parse().ok().filter(|year| (1970..=9_999).contains(year))?;
    let about = (year - 1970) * 365;
    (about..about + 2 * 366 + 8_030 / 4).map(Day).find(|day| day.iso() == text)
}

/// An answer of GetUsage with the keys of all pages.
fn all_pages(admin: &Admin, target: &str) -> Result<Value, Failure> {
    let mut position: Option<String> = None;
    let mut values = Map::new();
    loop {
        let mut page = format!("{target}&limit=500");
        if let Some(position) = &position {
            page += &format!("&position={}", encoded(position));
        }
        let mut answer = admin.get(&page)?;
        if let Value::Object(keys) = answer["values"].take() {
            values.extend(keys);
        }
        let next = answer.get("position").and_then(Value::as_str).map(str::to_owned);
        if next.is_none() || next == position {
            answer["values"] = values.into();
            return Ok(answer);
        }
        position = next;
    }
}

fn first_day(usage: &Value) -> Day {
    day(text(usage, "startDate")).unwrap_or(Day(0))
}

/// Used and left, day by day.
fn days_of(days: &Value) -> Vec<(u64, u64)> {
    let number = |pair: &Value, at: usize| pair.get(at).and_then(Value::as_u64).unwrap_or(0);
    let days = days.as_array().into_iter().flatten();
    days.map(|pair| (number(pair, 0), number(pair, 1))).collect()
}

fn remaining(left: u64, has_quota: bool) -> String {
    if has_quota { left.to_string() } else { "-".to_owned() }
}

fn by_day(first: Day, days: &[(u64, u64)], has_quota: bool) -> String {
    let rows: Vec<[String; 3]> = (first.0..)
        .zip(days)
        .map(|(day, &(used, left))| [Day(day).iso(), used.to_string(), remaining(left, has_quota)])
        .collect();
    table(["DAY (UTC)", "USED", "REMAINING"], &rows)
}

/// A line for each key that has used something, then how many have not.
fn by_key(keys: &[Value], usage: &Value, has_quota: bool) -> String {
    let names: HashMap<&str, &str> =
        keys.iter().map(|key| (text(key, "id"), text(key, "name"))).collect();
    let values = usage["values"].as_object();
    let mut rows: Vec<(u64, [String; 4])> = Vec::new();
    let mut idle = 0;
    for (key, days) in values.into_iter().flatten() {
        let days = days_of(days);
        let used: u64 = days.iter().map(|(used, _)| used).sum();
        if used == 0 {
            idle += 1;
            continue;
        }
        let left = days.last().map_or(0, |(_, left)| *left);
        let name = names.get(key.as_str()).copied().unwrap_or_default();
        let name = if name.is_empty() { "-".to_owned() } else { one_line(name) };
        rows.push((used, [key.clone(), name, used.to_string(), remaining(left, has_quota)]));
    }
    rows.sort_by(|(one, _), (other, _)| other.cmp(one));
    let rows: Vec<[String; 4]> = rows.into_iter().map(|(_, row)| row).collect();
    let mut said = match rows.is_empty() {
        true => String::new(),
        false => table(["KEY", "NAME", "USED", "REMAINING"], &rows),
    };
    said += &match (rows.len(), idle) {
        (0, 0) => "the plan has no keys\n".to_owned(),
        (_, 0) => String::new(),
        (_, 1) => "1 key has used nothing\n".to_owned(),
        (_, count) => format!("{count} keys have used nothing\n"),
    };
    said
}

fn grant(args: &GrantArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let plan = named::plan(&admin, &args.plan)?;
    let key = named::key(&admin, &args.key)?;
    let path = format!(
        "/usageplans/{}/keys/{}/usage",
        encoded(text(&plan, "id")),
        encoded(text(&key, "id"))
    );
    let value = args.remaining.to_string();
    let patch = json!([{ "op": "replace", "path": "/remaining", "value": value }]);
    let answer = admin.patch(&path, patch);
    let answer = answer.map_err(|error| named::of_member(error, &key, &plan))?;
    args.client.show(&answer, || {
        format!("plan {}, key {}: {value} requests left\n", called(&plan), called(&key))
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_found_by_their_dates() {
        for (text, want) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29", Some(11_016)),
            ("2026-11-26", Some(20_783)),
            ("2026-12-31", Some(20_818)),
            ("9999-12-31", Some(2_932_896)),
            ("2026-02-30", None),
            ("1969-12-31", None),
            ("2026-1-1", None),
            ("today", None),
            ("", None),
        ] {
            assert_eq!(day(text).map(|day| day.0), want, "{text}");
        }
    }

    #[test]
    fn a_week_is_shown_unless_days_are_given() {
        let today = day("2026-03-03").unwrap();
        let range = |from, to| range(from, to, today).map_err(|error| format!("{error:?}"));
        let dates = |from: &str, to: &str| Ok((from.to_owned(), to.to_owned()));
        assert_eq!(range(None, None), dates("2026-02-25", "2026-03-03"));
        assert_eq!(range(None, Some("2026-01-07")), dates("2026-01-01", "2026-01-07"));
        assert_eq!(range(Some("2026-03-03"), None), dates("2026-03-03", "2026-03-03"));
        assert!(range(Some("2026-03-04"), None).unwrap_err().contains("is after the last day"));
        assert!(range(None, Some("x")).unwrap_err().contains("--to: 'x' is no day"));
    }

    #[test]
    fn usage_is_a_line_per_key_or_per_day() {
        let usage = json!({"startDate": "2026-03-01", "values": {
            "k1": [[0, 10], [3, 7]], "k2": [[1, 9], [5, 4]], "k3": [[0, 10], [0, 10]]}});
        let keys = [json!({"id": "k1", "name": "mobile"}), json!({"id": "k2"})];
        assert_eq!(
            by_key(&keys, &usage, true),
            "KEY  NAME    USED  REMAINING\n\
             k2   -       6     4\n\
             k1   mobile  3     7\n\
             1 key has used nothing\n"
        );
        assert!(by_key(&keys, &usage, false).contains("k1   mobile  3     -\n"));
        assert_eq!(by_key(&[], &json!({"values": {}}), true), "the plan has no keys\n");
        let days = days_of(&usage["values"]["k1"]);
        assert_eq!(
            by_day(first_day(&usage), &days, true),
            "DAY (UTC)   USED  REMAINING\n2026-03-01  0     10\n2026-03-02  3     7\n"
        );
    }
}
