//! `ringway limits`: every bound a user may change.

use clap::Args;
use serde_json::json;

use super::args::{limits_from, parse_limit};
use super::table::table;
use super::{Failure, print};
use crate::limits::LimitRow;

/// Flags of `ringway limits`.
#[derive(Debug, Args)]
pub(super) struct LimitsArgs {
    /// Show what this would make of them, like payload=50MiB or url=off; may be repeated
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = parse_limit)]
    limits: Vec<String>,

    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &LimitsArgs) -> Result<(), Failure> {
    let rows = limits_from(&args.limits).table();
    print(&if args.json { json(&rows) } else { lines(&rows) });
    Ok(())
}

fn json(rows: &[LimitRow]) -> String {
    let all: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name, "value": row.value, "meaning": row.meaning, "source": row.source,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(all))
}

fn lines(rows: &[LimitRow]) -> String {
    let cells: Vec<[&str; 4]> =
        rows.iter().map(|row| [row.name, row.value.as_str(), row.meaning, row.source]).collect();
    table(["LIMIT", "VALUE", "MEANING", "SOURCE"], &cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_printed_with_what_was_changed() {
        let rows = limits_from(&["payload=off".to_owned()]).table();
        let text = lines(&rows);
        let payload = text.lines().find(|line| line.starts_with("payload")).unwrap();
        assert!(payload.contains(" off ") && payload.contains("API Gateway quota"), "{payload}");
        assert_eq!(text.lines().count(), rows.len() + 1);
        let all: serde_json::Value = serde_json::from_str(&json(&rows)).unwrap();
        assert_eq!(
            (all[0]["name"].as_str(), all[0]["value"].as_str()),
            (Some("payload"), Some("off"))
        );
    }
}
