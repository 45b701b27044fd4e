//! `ringway run FILE`: serves one OpenAPI file.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::Failure;
use super::args::{AccountThrottle, StageArgs, parse_account_throttle};
use crate::config::values;
use crate::server::{self, ACCOUNT_THROTTLE, Config};

/// Flags of `ringway run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    stage: StageArgs,

    /// Where clients connect; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080",
          value_parser = values::parse_address)]
    listen: SocketAddr,

    /// Threads that serve, each with its own ring [default: one per CPU this process may use]
    #[arg(long, value_name = "N", value_parser = values::shards)]
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
    values::parse_address(text).map(|address| AdminAddress(Some(address)))
}

pub(super) fn run(args: RunArgs) -> Result<(), Failure> {
    let usage = |flag: &str, why: String| Failure::Usage(format!("--{flag}: {why}"));
    let format = values::access_log_format(&args.access_log_format)
        .map_err(|why| usage("access-log-format", why))?;
    let access_log =
        values::access_log(&args.access_log).map_err(|why| usage("access-log", why))?;
    let config = Config {
        stage: args.stage.stage.clone(),
        variables: args.stage.variables(),
        limits: args.stage.limits(),
        file: args.stage.file,
        listen: args.listen,
        shards: args.shards,
        admin: args.admin.0,
        access_log,
        access_log_format: Arc::new(format),
        account_throttle_is_default: args.account_throttle.is_none(),
        account_throttle: args.account_throttle.map_or(Some(ACCOUNT_THROTTLE), |given| given.0),
        ca_files: args.ca_files,
    };
    if server::run(config) == ExitCode::SUCCESS { Ok(()) } else { Err(Failure::Told) }
}
