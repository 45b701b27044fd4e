//! Subcommands for people without AWS's tools: each is a client of the admin port of a gateway that
//! serves, which need not be on this machine.
//!
//! ```text
//! flags, environment, ringway.toml → Settings → Admin (signed calls) → answers → table, or JSON
//! ```
//!
//! A command asks first and changes last, in one call where the API has one: what fails has changed
//! nothing, or says what it has changed. Nothing is tried twice.

pub(super) mod abort;
mod admin;
mod apis;
pub(super) mod backup;
mod canary;
mod csv;
pub(super) mod deploy;
pub(super) mod history;
pub(super) mod keys;
mod named;
mod plan_limits;
pub(super) mod plans;
pub(super) mod promote;
pub(super) mod restore;
pub(super) mod rollback;
mod settings;
pub(super) mod status;
pub(super) mod usage;

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::args::parse_stage;
use super::{Failure, print};
use crate::time::WallMillis;
use admin::Admin;
use apis::{Api, StageStatus};

/// Where the gateway is, and who calls.
#[derive(Debug, Args)]
#[command(next_help_heading = "Gateway")]
pub(super) struct ClientArgs {
    /// URL of its admin port [default: RINGWAY_ADMIN_URL, or what the configuration says:
    /// http://127.0.0.1:9080]
    #[arg(long, value_name = "URL", value_parser = admin::parse_url)]
    admin: Option<String>,

    /// Access key to sign with [default: RINGWAY_ACCESS_KEY_ID, AWS_ACCESS_KEY_ID, or the store's
    /// credentials]
    #[arg(long, value_name = "ID", requires = "secret_key")]
    access_key: Option<String>,

    /// Its secret, which other users of this machine see while the command runs [default:
    /// RINGWAY_SECRET_ACCESS_KEY, AWS_SECRET_ACCESS_KEY]
    #[arg(long, value_name = "SECRET", requires = "access_key", hide_default_value = true)]
    secret_key: Option<String>,

    /// Region to sign for [default: what the configuration says, AWS_REGION, AWS_DEFAULT_REGION,
    /// us-east-1]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// PEM file of certificates that an https:// admin port's may be signed by, besides the system's;
    /// may be repeated
    #[arg(long = "ca-file", value_name = "PEM")]
    ca_files: Vec<PathBuf>,

    /// Directory of the store on this machine, for its credentials [default: what the configuration
    /// says: ringway-data]
    #[arg(long, value_name = "DIRECTORY")]
    store: Option<PathBuf>,

    /// Configuration of the gateway, if it runs on this machine; see docs/configuration.md
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print what the API answers, as one JSON document
    #[arg(long, help_heading = "Options")]
    json: bool,
}

impl ClientArgs {
    fn connect(&self) -> Result<Admin, Failure> {
        Admin::new(settings::Settings::of(self)?)
    }

    /// Prints a result: the document, or its text for people.
    fn show(&self, document: &Value, text: impl FnOnce() -> String) {
        if self.json {
            print(&format!("{document:#}\n"));
        } else {
            print(&text());
        }
    }
}

/// A stage of an API.
#[derive(Debug, Args)]
pub(super) struct StageOfArgs {
    /// Name of the stage
    #[arg(long, value_name = "NAME", value_parser = parse_stage)]
    stage: String,

    /// The API's id or name; needed where there are several
    #[arg(long, value_name = "ID|NAME")]
    api: Option<String>,
}

impl StageOfArgs {
    /// Finds the API, and its stage as it is now.
    fn find(&self, admin: &Admin) -> Result<(Api, StageStatus), Failure> {
        let mut api = apis::chosen(admin, self.api.as_deref())?;
        let stage = api.take_stage(&self.stage).map_err(Failure::Failed)?;
        Ok((api, stage))
    }
}

/// `2026-01-31 12:00:00` in UTC, of seconds since 1970 as the API writes moments.
fn date(seconds: &Value) -> String {
    let Some(seconds) = seconds.as_f64().filter(|seconds| *seconds >= 0.0) else {
        return "-".to_owned();
    };
    let c = WallMillis((seconds * 1_000.0) as u64).civil();
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        c.year, c.month, c.day, c.hour, c.minute, c.second
    )
}

/// A text member of an answer; empty where there is none.
fn text<'v>(object: &'v Value, member: &str) -> &'v str {
    object.get(member).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_are_those_of_the_api() {
        assert_eq!(date(&json!(1_700_000_000)), "2023-11-14 22:13:20");
        assert_eq!(date(&json!(1_700_000_000.9)), "2023-11-14 22:13:20");
        assert_eq!(date(&json!(null)), "-");
        assert_eq!(date(&json!(-1)), "-");
    }
}
