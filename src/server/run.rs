//! Start, serve, drain: what the control thread does from the first to the last moment.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::cpus::{self, ShardPlan};
use super::listen;
use super::process::{
    Process, ProcessParts, ProcessSignal, Signals, bind_admin, exit_now, start_admin,
};
use super::{Config, complain, findings_text, monotonic_now, read_definition, say};
use crate::control::admin::AdminListener;
use crate::control::publish::{self, Prepared, Publisher};
use crate::control::resolve::Refresher;
use crate::control::watch::FileWatch;
use crate::memory::use_small_pages;
use crate::model::RestApi;
use crate::ring;
use crate::telemetry::LogQueue;
use crate::throttle::BucketRegistry;
use crate::tls::ClientTrust;
use crate::upstream::TargetRegistry;

/// Serves until a signal.
///
/// # Errors
/// Why it could not start or go on, in a sentence or more.
pub(super) fn run(config: Config) -> Result<(), String> {
    use_small_pages();
    let file = config.file.display().to_string();
    let kernel = ring::probe().map_err(|error| error.to_string())?;
    let trust = Arc::new(ClientTrust::load(&config.ca_files)?);
    let targets = Arc::new(TargetRegistry::new());
    let log = config.access_log.is_some().then(|| Arc::new(LogQueue::new()));
    let format = log.is_some().then(|| config.access_log_format.clone());
    let buckets: Arc<BucketRegistry> = Arc::default();
    let publisher = Publisher::new(config.stage_settings(), buckets.clone(), targets.clone())
        .with_access_log(format);
    let text = read_definition(&config.file).map_err(|why| format!("{file} {why}"))?;
    let prepared = publisher.prepare(&text, monotonic_now()).map_err(|findings| {
        complain(&findings_text(&findings, &file));
        format!("{file} cannot be served")
    })?;
    complain(&findings_text(&prepared.findings, &file));

    let plan = cpus::plan(config.shards);
    let (listeners, addresses) = listen::bind_all(&[config.listen], plan.cpus.len())?;
    let address = addresses[0];
    let admin = config
        .admin
        .map(|address| bind_admin(address).map_err(|why| format!("{why} (--admin off)")))
        .transpose()?;
    let parts = ProcessParts {
        limits: config.limits.clone(),
        trust: trust.clone(),
        usage: Arc::default(),
        log,
        buckets,
        targets: targets.clone(),
    };
    let process = Process::spawn(listeners, &plan, parts)?;

    for warning in trust.warnings() {
        tracing::warn!("{warning}");
    }
    let start = start_text(&kernel.release, &plan, &config, &prepared.api);
    let listening = format!("listening on http://{address}/{}\n", config.stage);
    let control = Control { file, text, config, publisher, process };
    tokio_uring::start(async {
        if let Err(why) = control.serve(prepared, targets, admin, [start, listening]).await {
            // Returning would wait for a write of the access log that may hang.
            exit_now(&why);
        }
    });
    Ok(())
}

/// What is printed before the gateway listens.
fn start_text(kernel: &str, plan: &ShardPlan, config: &Config, api: &RestApi) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let shards = match plan.cpus.len() {
        1 => "1 shard".to_owned(),
        count => format!("{count} shards"),
    };
    let routes = publish::route_lines(api);
    let mut text = format!("ringway {version} on Linux {kernel}: {shards} ({})\n", plan.reason);
    text += &format!("api {} ({}), stage {}\n", api.name, api.id, config.stage);
    text += &match config.account_throttle {
        Some(throttle) => format!(
            "account throttle: {} requests a second, burst {}{}\n",
            throttle.rate_limit,
            throttle.burst_limit,
            if config.account_throttle_is_default {
                " (AWS's default; --account-throttle RATE:BURST or off changes it)"
            } else {
                ""
            }
        ),
        None => "account throttle: off\n".to_owned(),
    };
    text += &match &config.access_log {
        Some(destination) => format!("access log: {destination}\n"),
        None => "access log: off\n".to_owned(),
    };
    text += "routes:\n";
    for route in routes {
        text += &format!("  {route}\n");
    }
    text
}

/// The control thread's state while it serves.
struct Control {
    file: String,
    /// The text that was compiled last, good or bad: a file event without a change is none.
    text: Vec<u8>,
    config: Config,
    publisher: Publisher,
    process: Process,
}

/// Why the definition is read again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trigger {
    File,
    Hangup,
}

/// What wakes the control thread.
enum Event {
    FileChanged,
    Signal(ProcessSignal),
    ShardFailed(String),
}

impl Control {
    async fn serve(
        mut self,
        prepared: Prepared,
        targets: Arc<TargetRegistry>,
        admin: Option<AdminListener>,
        [start, listening]: [String; 2],
    ) -> Result<(), String> {
        let mut signals = Signals::listen()?;
        self.process.start_log(self.config.access_log.as_ref())?;
        let refresher = Rc::new(Refresher::new(targets)?);
        self.publish(prepared, &refresher).await?;
        say(&start);
        if let Some(listener) = admin {
            let address = listener.address().map_err(|error| format!("admin port: {error}"))?;
            let admin = self.process.admin(None);
            start_admin(listener, admin);
            say(&format!("admin on http://{address}/metrics\n"));
        }
        let mut watch = match FileWatch::new(&self.config.file) {
            Ok(watch) => Some(watch),
            Err(why) => {
                tracing::warn!("{why}; the definition is read again on SIGHUP only");
                None
            }
        };
        tokio_uring::spawn({
            let refresher = refresher.clone();
            async move { refresher.run().await }
        });
        self.process.readiness.set(true);
        say(&listening);

        loop {
            let changed = async {
                match &mut watch {
                    Some(watch) => watch.changed().await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                () = changed => Event::FileChanged,
                signal = signals.next() => Event::Signal(signal),
                why = self.process.failure() => Event::ShardFailed(why),
            };
            match event {
                Event::FileChanged => self.reload(Trigger::File, &refresher).await?,
                Event::Signal(ProcessSignal::Hangup) => {
                    self.process.reopen_log();
                    self.reload(Trigger::Hangup, &refresher).await?;
                }
                Event::Signal(ProcessSignal::ReopenLog) => self.process.reopen_log(),
                Event::Signal(ProcessSignal::End(name)) => {
                    let deadline = self.config.limits.drain_timeout;
                    return self.process.drain(deadline, name, signals).await;
                }
                Event::ShardFailed(why) => return Err(why),
            }
        }
    }

    /// Resolves the stage's new targets, then hands it to all shards.
    async fn publish(&mut self, prepared: Prepared, refresher: &Refresher) -> Result<(), String> {
        for warning in refresher.resolve_new().await {
            tracing::warn!("{warning}");
        }
        let reload = self.publisher.has_served();
        let changes = self
            .publisher
            .publish(prepared, &self.process.plane, monotonic_now())
            .await
            .map_err(|error| error.to_string())?;
        if reload {
            tracing::info!("{} reloaded: {changes}", self.file);
        }
        Ok(())
    }

    /// Reads, compiles and publishes the definition again. What cannot be read or compiled is told,
    /// and what is served stays.
    ///
    /// # Errors
    /// A shard did not take the new stage: the shards may serve different ones now.
    async fn reload(&mut self, trigger: Trigger, refresher: &Refresher) -> Result<(), String> {
        let text = match read_definition(Path::new(&self.config.file)) {
            Ok(text) => text,
            Err(why) => {
                tracing::error!("{} {why}; the API served before stays", self.file);
                return Ok(());
            }
        };
        if trigger == Trigger::File && text == self.text {
            return Ok(());
        }
        let prepared = self.publisher.prepare(&text, monotonic_now());
        self.text = text;
        match prepared {
            Ok(prepared) => {
                complain(&findings_text(&prepared.findings, &self.file));
                self.publish(prepared, refresher).await?;
            }
            Err(findings) => {
                complain(&findings_text(&findings, &self.file));
                tracing::error!("{} cannot be served; the API served before stays", self.file);
            }
        }
        Ok(())
    }
}
