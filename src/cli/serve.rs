//! `ringway serve`: the whole gateway.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::Failure;
use crate::control::log_writer::LogDestination;
use crate::control::service::AdminAuth;
use crate::server::{self, ACCOUNT_THROTTLE, ServeConfig, listen};
use crate::telemetry::AccessLogFormat;

/// Flags of `ringway serve`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[arg(long, default_value = "127.0.0.1:8080", value_parser = listen::parse_address)]
    listen: SocketAddr,
    #[arg(long, default_value = "127.0.0.1:9080", value_parser = listen::parse_address)]
    admin: SocketAddr,
    #[arg(long, default_value = "ringway-data")]
    store: PathBuf,
}

pub(super) fn run(args: ServeArgs) -> Result<(), Failure> {
    let config = ServeConfig {
        listen: vec![args.listen],
        shards: None,
        store: args.store,
        admin: args.admin,
        auth: AdminAuth::Open,
        admin_body_bytes_max: 10 << 20,
        metrics: None,
        region: "us-east-1".into(),
        account_id: "123456789012".into(),
        api_host_suffix: "localhost".into(),
        access_log: Some(LogDestination::Stdout),
        access_log_format: Arc::new(AccessLogFormat::preset("clf").expect("a preset")),
        account_throttle: Some(ACCOUNT_THROTTLE),
        limits: Arc::default(),
        ca_files: Vec::new(),
        greeting: String::new(),
    };
    if server::serve(config) == ExitCode::SUCCESS { Ok(()) } else { Err(Failure::Told) }
}
