//! `ringway serve`: the whole gateway. The store is opened and all its stages are served before the admin
//! port answers; then every change comes through that port.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::cpus;
use super::listen;
use super::process::{
    Process, ProcessParts, ProcessSignal, Signals, bind_admin, exit_now, start_admin,
};
use super::{complain, monotonic_now, say};
use crate::control::admin_tls::AdminTls;
use crate::control::api;
use crate::control::log_writer::LogDestination;
use crate::control::publish::DataPlane;
use crate::control::resolve::Refresher;
use crate::control::service::{AdminAuth, Publication, Service, ServiceParts};
use crate::control::serving::{Serving, ServingConfig};
use crate::control::vault::Vault;
use crate::limits::Limits;
use crate::memory::{filling_tables, use_small_pages};
use crate::model::ThrottleSettings;
use crate::ring;
use crate::store::Store;
use crate::telemetry::{AccessLogFormat, LogQueue};
use crate::throttle::BucketRegistry;
use crate::tls::ClientTrust;
use crate::upstream::TargetRegistry;
use crate::usage::UsagePlans;

/// Publications that may wait; who publishes more waits for room.
const PUBLICATIONS_MAX: usize = 16;

/// Between two storings of usage counts. With what a storing itself takes, no more than a second's counts
/// are lost when the machine stops without a word.
const KEEP_USAGE_EVERY: Duration = Duration::from_millis(800);
/// Between two removals of usage that is too old for anybody to ask for.
const FORGET_USAGE_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// What `ringway serve` is told by its configuration.
pub struct ServeConfig {
    /// Where clients connect, at least one address; port 0 takes a free one. The first is in the addresses
    /// that are printed.
    pub listen: Vec<SocketAddr>,
    /// Shards; `None`: one per CPU the process may use.
    pub shards: Option<usize>,
    /// Directory of the store.
    pub store: PathBuf,
    /// The admin port.
    pub admin: SocketAddr,
    /// Who may use it.
    pub auth: AdminAuth,
    /// Its certificate; `None`: plain HTTP.
    pub admin_tls: Option<AdminTls>,
    /// Longest body of a call, bytes.
    pub admin_body_bytes_max: usize,
    /// `/metrics`, `/healthz` and `/readyz` on an address of their own; they are on the admin port, too.
    pub metrics: Option<SocketAddr>,
    /// `us-east-1`.
    pub region: String,
    /// `123456789012`.
    pub account_id: String,
    /// `localhost`.
    pub api_host_suffix: String,
    /// Where the access log goes; `None`: off.
    pub access_log: Option<LogDestination>,
    /// Its format where a stage has none of its own.
    pub access_log_format: Arc<AccessLogFormat>,
    /// The account's throttle; `None`: off.
    pub account_throttle: Option<ThrottleSettings>,
    /// Bounds.
    pub limits: Arc<Limits>,
    /// Certificates trusted besides the system's.
    pub ca_files: Vec<PathBuf>,
    /// Printed at the start: what a user needs to know who has configured nothing.
    pub greeting: String,
}

/// Serves until a signal.
///
/// # Errors
/// Why it could not start or go on, in a sentence or more.
pub(super) fn run(config: ServeConfig) -> Result<(), String> {
    use_small_pages();
    let kernel = ring::probe().map_err(|error| error.to_string())?;
    let trust = Arc::new(ClientTrust::load(&config.ca_files)?);
    let store = Arc::new(Store::open(&config.store).map_err(|error| error.to_string())?);
    let vault = Vault::load_or_create(&config.store).map_err(|error| error.to_string())?;
    let vault = Arc::new(vault);
    let buckets: Arc<BucketRegistry> = Arc::default();
    let targets = Arc::new(TargetRegistry::new());
    let log = config.access_log.is_some().then(|| Arc::new(LogQueue::new()));
    let serving = Serving::new(
        ServingConfig {
            limits: config.limits.clone(),
            account_throttle: config.account_throttle,
            account_id: config.account_id.clone(),
            vault: vault.clone(),
            access_log: log.is_some().then(|| config.access_log_format.clone()),
        },
        buckets.clone(),
        targets.clone(),
    );
    let settings = api::Settings {
        account_id: config.account_id.clone(),
        region: config.region.clone(),
        api_host_suffix: config.api_host_suffix.clone(),
        api_port: config.listen.first().map_or(0, SocketAddr::port),
        vault: vault.clone(),
    };
    let usage = Arc::new(UsagePlans::new(vault.hash_key()));
    let counts = load_usage(&store, &settings, &usage).map_err(|error| error.message)?;
    let everything = serving.everything(&store, monotonic_now());
    let everything = everything.map_err(|error| error.to_string())?;

    let plan = cpus::plan(config.shards);
    let (listeners, addresses) = listen::bind_all(&config.listen, plan.cpus.len())?;
    let address = addresses[0];
    let admin = bind_admin(config.admin)?;
    let metrics = config.metrics.map(bind_admin).transpose()?;
    let parts = ProcessParts {
        limits: config.limits.clone(),
        trust: trust.clone(),
        usage: usage.clone(),
        log,
        buckets,
        targets: targets.clone(),
    };
    let mut process = Process::spawn(listeners, &plan, parts)?;
    for warning in trust.warnings() {
        tracing::warn!("{warning}");
    }
    for failure in &everything.failures {
        tracing::error!("{failure}");
    }
    let version = env!("CARGO_PKG_VERSION");
    let start = format!(
        "ringway {version} on Linux {}: {} shard(s) ({})\nstore {}\n{}",
        kernel.release,
        plan.cpus.len(),
        plan.reason,
        store.path().display(),
        config.greeting,
    );
    let (publications, inbox) = mpsc::channel(PUBLICATIONS_MAX);
    let service = ServiceParts {
        store,
        settings: api::Settings { api_port: address.port(), ..settings },
        usage,
        auth: config.auth,
        serving: Arc::new(serving),
        publications,
        clock: monotonic_now,
        body_bytes_max: config.admin_body_bytes_max,
        tests: Box::new(super::trials::OnShards(process.shards().tests())),
    };
    let service = Arc::new(Service::new(service, counts));
    let stages = everything.updates.len();
    tokio_uring::start(async {
        let serve = async {
            let signals = Signals::listen()?;
            process.start_log(config.access_log.as_ref())?;
            let refresher = Rc::new(Refresher::new(targets)?);
            let plane = process.plane.clone();
            bring(&plane, &refresher, everything.updates).await?;
            say(&start);
            tracing::debug!("{stages} updates published at the start");
            tokio_uring::spawn({
                let refresher = refresher.clone();
                async move { refresher.run().await }
            });
            tokio_uring::spawn(publish_all(inbox, plane, refresher));
            let admin_address = admin.address().map_err(|error| format!("admin port: {error}"))?;
            let scheme = if config.admin_tls.is_some() { "https" } else { "http" };
            let mut answers = process.admin(Some(service.clone()));
            answers.tls = config.admin_tls;
            start_admin(admin, answers);
            tokio::spawn(keep_usage(service.clone()));
            tokio::spawn(forget_usage(service.clone()));
            if let Some(listener) = metrics {
                start_admin(listener, process.admin(None));
            }
            process.readiness.set(true);
            say(&format!("admin on {scheme}://{admin_address}\n"));
            for address in &addresses {
                say(&format!(
                    "listening on http://{address}: {{apiId}}.execute-api.{}:{}/{{stage}}\n",
                    config.api_host_suffix,
                    address.port()
                ));
            }
            let drained = wait(process, signals, config.limits.drain_timeout).await;
            service.keep_usage().await.map_err(|error| error.message)?;
            drained
        };
        if let Err(why) = serve.await {
            // Returning would wait for a write of the access log that may hang.
            exit_now(&why);
        }
        // Threads for blocking work have nothing left that anybody waits for.
        std::process::exit(0);
    });
    Ok(())
}

async fn wait(
    mut process: Process,
    mut signals: Signals,
    drain_timeout: Option<Duration>,
) -> Result<(), String> {
    loop {
        let signal = tokio::select! {
            signal = signals.next() => signal,
            why = process.failure() => return Err(why),
        };
        match signal {
            ProcessSignal::Hangup | ProcessSignal::ReopenLog => process.reopen_log(),
            ProcessSignal::End(name) => return process.drain(drain_timeout, name, signals).await,
        }
    }
}

/// Removes usage that is too old.
async fn forget_usage(service: Arc<Service>) {
    loop {
        if let Err(error) = service.forget_old_usage().await {
            tracing::error!("old usage cannot be removed: {}", error.message);
        }
        tokio::time::sleep(FORGET_USAGE_EVERY).await;
    }
}

/// Brings the store's keys, plans and counts to the requests.
fn load_usage(
    store: &Store,
    settings: &api::Settings,
    usage: &UsagePlans,
) -> Result<api::Counts, api::ApiError> {
    let store = store.read()?;
    let counts = api::Counts::load(&store)?;
    filling_tables(api::key_count(&store)?, || api::load_keys(&store, settings, usage, &counts))?;
    Ok(counts)
}

/// Keeps every second what requests have counted.
async fn keep_usage(service: Arc<Service>) {
    loop {
        tokio::time::sleep(KEEP_USAGE_EVERY).await;
        if let Err(error) = service.tend_usage().await {
            tracing::error!("usage cannot be stored, and will be tried again: {}", error.message);
        }
    }
}

/// Looks the names of new targets up, then brings the updates to every shard.
async fn bring(
    plane: &DataPlane,
    refresher: &Refresher,
    updates: Vec<crate::control::publish::Update>,
) -> Result<(), String> {
    for warning in refresher.resolve_new().await {
        tracing::warn!("{warning}");
    }
    plane.publish(updates, monotonic_now()).await.map_err(|error| error.to_string())
}

/// Publishes whatever calls of the admin port have changed, one after the other.
async fn publish_all(
    mut inbox: mpsc::Receiver<Publication>,
    plane: Arc<DataPlane>,
    refresher: Rc<Refresher>,
) {
    while let Some(Publication { updates, done }) = inbox.recv().await {
        let outcome = match updates.is_empty() {
            true => {
                for warning in refresher.resolve_new().await {
                    tracing::warn!("{warning}");
                }
                Ok(())
            }
            false => bring(&plane, &refresher, updates).await,
        };
        if let Err(why) = &outcome {
            // Some shards may serve what others do not.
            complain(&format!("ringway: {why}\n"));
            exit_now(why);
        }
        // A caller that has gone away has no use for the answer.
        let _ = done.send(outcome);
    }
}
