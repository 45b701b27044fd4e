//! `ringway run FILE`: serves one OpenAPI file.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::Failure;
use super::args::{AccountThrottle, StageArgs, parse_account_throttle};
use crate::control::log_writer::LogDestination;
use crate::server::{self, ACCOUNT_THROTTLE, Config, listen};
use crate::telemetry::AccessLogFormat;

/// Flags of `ringway run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    stage: StageArgs,

    /// Where clients connect; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080",
          value_parser = listen::parse_address)]
    listen: SocketAddr,

    /// Threads that serve, each with its own ring [default: one per CPU this process may use]
    #[arg(long, value_name = "N", value_parser = parse_shards)]
    shards: Option<usize>,

    /// Where /metrics, /healthz and /readyz are, or off
    #[arg(long, value_name = "HOST:PORT|off", default_value = "127.0.0.1:9080",
          value_parser = parse_admin)]
    admin: AdminAddress,

    /// Where the access log goes: a file, - for standard output, or off
    #[arg(long, value_name = "FILE|-|off", default_value = "-")]
    access_log: String,

    /// Its format: clf, json, csv, xml, or one of your own like '$context.requestId $context.status'
    #[arg(long, value_name = "FORMAT", default_value = "clf")]
    access_log_format: String,

    /// Requests a second and burst of all methods together, or off [default: AWS's 10000:5000]
    #[arg(long, value_name = "RATE:BURST|off", value_parser = parse_account_throttle)]
    account_throttle: Option<AccountThrottle>,

    /// PEM file of certificates that integrations' certificates may be signed by, besides the system's;
    /// may be repeated
    #[arg(long = "ca-file", value_name = "PEM")]
    ca_files: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug)]
struct AdminAddress(Option<SocketAddr>);

fn parse_admin(text: &str) -> Result<AdminAddress, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(AdminAddress(None));
    }
    listen::parse_address(text).map(|address| AdminAddress(Some(address)))
}

/// More than any machine has CPUs is a slip of the finger.
const SHARDS_MAX: usize = 1_024;

fn parse_shards(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=SHARDS_MAX).contains(count))
        .ok_or_else(|| format!("write a number from 1 to {SHARDS_MAX}"))
}

fn access_log(text: &str) -> Option<LogDestination> {
    match text {
        "-" => Some(LogDestination::Stdout),
        off if off.eq_ignore_ascii_case("off") => None,
        file => Some(LogDestination::File(PathBuf::from(file))),
    }
}

/// A preset by its name, or a format of the user's own.
fn access_log_format(text: &str) -> Result<AccessLogFormat, Failure> {
    if let Some(preset) = AccessLogFormat::preset(text) {
        return Ok(preset);
    }
    if !text.contains('$') {
        let names = AccessLogFormat::PRESET_NAMES.join(", ");
        return Err(Failure::Usage(format!(
            "--access-log-format: there is no preset '{text}'; there are {names}, and a format of \
             your own has $context variables"
        )));
    }
    AccessLogFormat::parse(text)
        .map_err(|error| Failure::Usage(format!("--access-log-format: {error}")))
}

pub(super) fn run(args: RunArgs) -> Result<(), Failure> {
    let format = access_log_format(&args.access_log_format)?;
    let config = Config {
        stage: args.stage.stage.clone(),
        variables: args.stage.variables(),
        limits: args.stage.limits(),
        file: args.stage.file,
        listen: args.listen,
        shards: args.shards,
        admin: args.admin.0,
        access_log: access_log(&args.access_log),
        access_log_format: Arc::new(format),
        account_throttle_is_default: args.account_throttle.is_none(),
        account_throttle: args.account_throttle.map_or(Some(ACCOUNT_THROTTLE), |given| given.0),
        ca_files: args.ca_files,
    };
    if server::run(config) == ExitCode::SUCCESS { Ok(()) } else { Err(Failure::Told) }
}
