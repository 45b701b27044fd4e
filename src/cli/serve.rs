//! `ringway serve`: the whole gateway.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::config::ConfigArgs;
use super::{Failure, complain};
use crate::auth::StaticCredentials;
use crate::auth::sigv4::Verifier;
use crate::config::{self, Config};
use crate::control::admin_tls::AdminTls;
use crate::control::credentials::AdminCredentials;
use crate::control::service::AdminAuth;
use crate::server::{self, ServeConfig};

/// Flags of `ringway serve`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    let config = serve_config(config).map_err(|why| {
        complain(&format!("ringway: {why}\n"));
        Failure::Told
    })?;
    if server::serve(config) == ExitCode::SUCCESS { Ok(()) } else { Err(Failure::Told) }
}

fn serve_config(config: Config) -> Result<ServeConfig, String> {
    let (auth, greeting) = admin_auth(&config)?;
    let tls = match &config.admin.tls {
        None => None,
        Some(files) => Some(AdminTls::load(&files.certificate, &files.key)?),
    };
    Ok(ServeConfig {
        listen: config.server.listen,
        shards: config.server.shards,
        store: config.store.path,
        admin: config.admin.listen,
        auth,
        admin_tls: tls,
        admin_body_bytes_max: usize::try_from(config.admin.max_body_bytes).unwrap_or(usize::MAX),
        metrics: config.telemetry.metrics_listen,
        region: config.aws.region,
        account_id: config.aws.account_id,
        api_host_suffix: config.server.api_host_suffix,
        access_log: config.telemetry.access_log,
        access_log_format: config.telemetry.access_log_format,
        account_throttle: config.throttle.account,
        limits: Arc::new(config.limits),
        ca_files: config.server.ca_files,
        greeting,
    })
}

/// Who may use the admin port, and what to say about it: a key that was just made is shown once.
fn admin_auth(config: &Config) -> Result<(AdminAuth, String), String> {
    if config.admin.auth == config::AdminAuth::None {
        let greeting = "admin port: open to whoever reaches it (admin.auth = \"none\")\n";
        return Ok((AdminAuth::Open, greeting.to_owned()));
    }
    let region = &config.aws.region;
    let (keys, greeting) = match config.admin.access_keys.as_slice() {
        [] => {
            let known = AdminCredentials::load_or_create(&config.store.path)
                .map_err(|error| error.to_string())?;
            let greeting = greeting(&known, region);
            (known.keys, greeting)
        }
        keys => (keys.to_vec(), String::new()),
    };
    let auth = AdminAuth::SigV4 {
        verifier: Verifier::new("apigateway", region.as_str()).explaining(),
        credentials: Box::new(keys.into_iter().collect::<StaticCredentials>()),
    };
    Ok((auth, greeting))
}

fn greeting(known: &AdminCredentials, region: &str) -> String {
    let path = known.path.display();
    let Some(key) = known.keys.first().filter(|_| known.created) else {
        return format!("access keys of the admin port: {path}\n");
    };
    format!(
        "made an access key for the admin port, kept in {path}:\n  \
         export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={} AWS_DEFAULT_REGION={region}\n",
        key.access_key_id,
        key.secret.expose()
    )
}
