//! `ringway config`: what `ringway serve` would run with, and where each value came from.

use std::path::PathBuf;

use clap::Args;

use super::args::parse_limit;
use super::{Failure, complain, print};
use crate::config::{self, Config, Flag};

/// The configuration file, and flags that go over it and over the environment.
#[derive(Debug, Default, Args)]
pub(super) struct ConfigArgs {
    /// Read this file (ringway.toml); see docs/configuration.md
    #[arg(long = "config", value_name = "FILE")]
    file: Option<PathBuf>,

    /// Where clients of APIs connect [default: 0.0.0.0:8080]; may be repeated
    #[arg(long, value_name = "HOST:PORT", value_parser = checked("server.listen"))]
    listen: Vec<String>,

    /// Threads that serve, or auto: one per CPU
    #[arg(long, value_name = "N", value_parser = checked("server.shards"))]
    shards: Option<String>,

    /// PEM file of certificates that integrations' certificates may be signed by; may be repeated
    #[arg(long = "ca-file", value_name = "PEM", value_parser = checked("server.ca_files"))]
    ca_files: Vec<String>,

    /// What follows {apiId}.execute-api. in URLs [default: localhost]
    #[arg(long, value_name = "HOST", value_parser = checked("server.api_host_suffix"))]
    api_host_suffix: Option<String>,

    /// Where APIs are kept [default: ringway-data]
    #[arg(long, value_name = "DIRECTORY", value_parser = checked("store.path"))]
    store: Option<String>,

    /// Where the control-plane API is [default: 127.0.0.1:9080]
    #[arg(long, value_name = "HOST:PORT", value_parser = checked("admin.listen"))]
    admin: Option<String>,

    /// Who may call it: sigv4, or none on a loopback address
    #[arg(long, value_name = "sigv4|none", value_parser = checked("admin.auth"))]
    admin_auth: Option<String>,

    /// Region of ARNs and signatures [default: us-east-1]
    #[arg(long, value_name = "REGION", value_parser = checked("aws.region"))]
    region: Option<String>,

    /// Account of ARNs [default: 123456789012]
    #[arg(long, value_name = "ID", value_parser = checked("aws.account_id"))]
    account_id: Option<String>,

    /// Raise a limit or turn it off, like payload=50MiB; see `ringway limits`; may be repeated
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = parse_limit)]
    limits: Vec<String>,

    /// Requests a second and burst of all methods together, or off [default: AWS's 10000:5000]
    #[arg(long, value_name = "RATE:BURST|off", value_parser = checked("throttle.account"))]
    account_throttle: Option<String>,

    /// Where the access log goes: a file, - for standard output, or off
    #[arg(long, value_name = "FILE|-|off", value_parser = checked("telemetry.access_log"))]
    access_log: Option<String>,

    /// Its format: clf, json, csv, xml, or one of your own
    #[arg(long, value_name = "FORMAT", value_parser = checked("telemetry.access_log_format"))]
    access_log_format: Option<String>,

    /// An address of their own for /metrics, /healthz and /readyz [default: admin]
    #[arg(long, value_name = "HOST:PORT|admin", value_parser = checked("telemetry.metrics_listen"))]
    metrics_listen: Option<String>,
}

/// Flags are checked while they are parsed, so that a wrong one is wrong usage.
fn checked(key: &'static str) -> impl Fn(&str) -> Result<String, String> + Clone {
    move |text| config::check(key, text).map(|()| text.to_owned())
}

impl ConfigArgs {
    /// Puts file, environment and flags together, and tells what is wrong or odd.
    ///
    /// # Errors
    /// [`Failure::Told`].
    pub(super) fn load(&self) -> Result<Config, Failure> {
        match Config::load(self.file.as_deref(), std::env::vars_os(), &self.flags()) {
            Ok(config) => {
                for warning in &config.warnings {
                    complain(&format!("warning: {warning}\n"));
                }
                Ok(config)
            }
            Err(error) => {
                complain(&format!("{error}\n"));
                Err(Failure::Told)
            }
        }
    }

    fn flags(&self) -> Vec<Flag> {
        let flag = |key: &str, flag: &'static str, values: &[String]| Flag {
            key: key.to_owned(),
            flag,
            values: values.to_vec(),
        };
        let mut all = vec![
            flag("server.listen", "--listen", &self.listen),
            flag("server.ca_files", "--ca-file", &self.ca_files),
        ];
        for (key, name, value) in [
            ("server.shards", "--shards", &self.shards),
            ("server.api_host_suffix", "--api-host-suffix", &self.api_host_suffix),
            ("store.path", "--store", &self.store),
            ("admin.listen", "--admin", &self.admin),
            ("admin.auth", "--admin-auth", &self.admin_auth),
            ("aws.region", "--region", &self.region),
            ("aws.account_id", "--account-id", &self.account_id),
            ("throttle.account", "--account-throttle", &self.account_throttle),
            ("telemetry.access_log", "--access-log", &self.access_log),
            ("telemetry.access_log_format", "--access-log-format", &self.access_log_format),
            ("telemetry.metrics_listen", "--metrics-listen", &self.metrics_listen),
        ] {
            all.push(flag(key, name, value.as_slice()));
        }
        for assignment in &self.limits {
            let (name, value) = assignment.split_once('=').expect("`parse_limit` has checked it");
            all.push(Flag {
                key: format!("limits.{}", name.trim()),
                flag: "--limit",
                values: vec![value.trim().to_owned()],
            });
        }
        all
    }
}

/// Flags of `ringway config`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    config: ConfigArgs,

    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ShowArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    print(&if args.json { config.to_json() } else { config.to_toml() });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every flag goes to a key that exists, and has its name.
    #[test]
    fn flags_set_their_keys() {
        let one = |text: &str| Some(text.to_owned());
        let args = ConfigArgs {
            file: None,
            listen: vec!["127.0.0.1:1".into(), "[::1]:2".into()],
            shards: one("3"),
            ca_files: vec!["a,b.pem".into()],
            api_host_suffix: one("example.com"),
            store: one("/s"),
            admin: one("127.0.0.1:4"),
            admin_auth: one("none"),
            region: one("eu-central-1"),
            account_id: one("000000000000"),
            limits: vec!["url = 64KiB".into(), "url=off".into()],
            account_throttle: one("off"),
            access_log: one("off"),
            access_log_format: one("json"),
            metrics_listen: one("127.0.0.1:5"),
        };
        let config = Config::load(None, [], &args.flags()).unwrap();
        assert_eq!(config.server.listen.len(), 2);
        assert_eq!(config.server.shards, Some(3));
        assert_eq!(config.server.ca_files, [PathBuf::from("a,b.pem")]);
        assert_eq!(config.limits.url_bytes, None);
        let json: serde_json::Value = serde_json::from_str(&config.to_json()).unwrap();
        let mut flags: Vec<&str> =
            json.as_array().unwrap().iter().filter_map(|row| row["at"].as_str()).collect();
        flags.sort_unstable();
        let want = [
            "--access-log",
            "--access-log-format",
            "--account-id",
            "--account-throttle",
            "--admin",
            "--admin-auth",
            "--api-host-suffix",
            "--ca-file",
            "--limit",
            "--listen",
            "--metrics-listen",
            "--region",
            "--shards",
            "--store",
        ];
        assert_eq!(flags, want);
        assert!(ConfigArgs::default().flags().iter().all(|flag| flag.values.is_empty()));
    }
}
