//! Start, serve, drain: what the control thread does from the first to the last moment.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use super::cpus::{self, ShardPlan};
use super::listen;
use super::shards::{RunningShards, ShardParts};
use super::{Config, complain, findings_text, monotonic_now, read_definition, say, wall_now};
use crate::control::admin::{Admin, AdminListener, Readiness};
use crate::control::log_writer::{LogCommand, LogWriter, LogWriterCells};
use crate::control::publish::{self, DataPlane, Prepared, Publisher};
use crate::control::resolve::Refresher;
use crate::control::watch::FileWatch;
use crate::model::RestApi;
use crate::ring;
use crate::telemetry::{LogQueue, Registry};
use crate::throttle::BucketRegistry;
use crate::tls::ClientTrust;
use crate::upstream::TargetRegistry;

/// How long the access log may take for its last lines.
const LOG_FLUSH_WAIT: Duration = Duration::from_secs(2);

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
    let (listeners, address) = listen::bind(config.listen, plan.cpus.len())?;
    let admin = config.admin.map(bind_admin).transpose()?;
    let registry = Arc::new(Registry::new(plan.cpus.len()).started_at(wall_now()));
    let parts = ShardParts {
        limits: config.limits.clone(),
        trust: trust.clone(),
        log: log.clone(),
        registry: registry.clone(),
    };
    let shards = RunningShards::spawn(listeners, &plan.cpus, &parts)?;
    let plane = DataPlane::new(Arc::new(shards.link()), registry.clone(), buckets);

    for warning in trust.warnings() {
        tracing::warn!("{warning}");
    }
    let start = start_text(&kernel.release, &plan, &config, &prepared.api);
    let listening = format!("listening on http://{address}/{}\n", config.stage);
    let control = Control {
        file,
        text,
        config,
        publisher,
        plane,
        shards,
        registry,
        log_queue: log,
        log_cells: Arc::default(),
        log_commands: None,
        readiness: Arc::default(),
    };
    tokio_uring::start(async {
        if let Err(why) = control.serve(prepared, targets, admin, [start, listening]).await {
            // Returning would wait for a write of the access log that may hang.
            exit_now(&why);
        }
    });
    Ok(())
}

/// Keeps the kernel from backing memory with pages of 2 MiB, as the allocator asks it to: memory that is
/// touched here and there (10 000 idle connections) took three times as much, 40 MiB before the first
/// request instead of 7. Measured: neither requests nor large bodies cost more CPU without them.
fn use_small_pages() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::warn!("transparent huge pages stay on, more memory will be used: {error}");
    }
}

fn bind_admin(address: std::net::SocketAddr) -> Result<AdminListener, String> {
    AdminListener::bind(address)
        .map_err(|error| format!("admin port: {} (--admin off)", listen::explain(address, &error)))
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
    plane: DataPlane,
    shards: RunningShards,
    registry: Arc<Registry>,
    log_queue: Option<Arc<LogQueue>>,
    log_cells: Arc<LogWriterCells>,
    log_commands: Option<mpsc::Sender<LogCommand>>,
    readiness: Arc<Readiness>,
}

/// Why the definition is read again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trigger {
    File,
    Hangup,
}

struct Signals {
    hangup: Signal,
    user1: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, String> {
        let on = |kind| signal(kind).map_err(|error| format!("signals cannot be handled: {error}"));
        Ok(Self {
            hangup: on(SignalKind::hangup())?,
            user1: on(SignalKind::user_defined1())?,
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
        })
    }

    /// Waits for any of them.
    async fn next(&mut self) -> Event {
        tokio::select! {
            _ = self.hangup.recv() => Event::Hangup,
            _ = self.user1.recv() => Event::ReopenLog,
            _ = self.terminate.recv() => Event::End("SIGTERM"),
            _ = self.interrupt.recv() => Event::End("SIGINT"),
        }
    }

    /// Waits for the signal after `first` that means it.
    async fn again(&mut self, first: &'static str) -> &'static str {
        let begun = Instant::now();
        loop {
            let name = tokio::select! {
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
            };
            if !is_repetition(first, name, begun.elapsed()) {
                return name;
            }
        }
    }
}

/// Supervisors send SIGTERM to a process and to its group, and both arrive: within this time they mean
/// one and the same end.
const REPETITION_TIME: Duration = Duration::from_secs(1);

/// Whether `name`, so long after `first`, says nothing new.
fn is_repetition(first: &str, name: &str, after: Duration) -> bool {
    first == "SIGTERM" && name == first && after < REPETITION_TIME
}

/// What wakes the control thread.
enum Event {
    FileChanged,
    Hangup,
    ReopenLog,
    End(&'static str),
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
        self.start_log()?;
        let refresher = Rc::new(Refresher::new(targets)?);
        self.publish(prepared, &refresher).await?;
        say(&start);
        if let Some(listener) = admin {
            let address = listener.address().map_err(|error| format!("admin port: {error}"))?;
            self.start_admin(listener);
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
        self.readiness.set(true);
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
                event = signals.next() => event,
                why = self.shards.failure() => Event::ShardFailed(why),
            };
            match event {
                Event::FileChanged => self.reload(Trigger::File, &refresher).await?,
                Event::Hangup => {
                    self.reopen_log();
                    self.reload(Trigger::Hangup, &refresher).await?;
                }
                Event::ReopenLog => self.reopen_log(),
                Event::End(name) => return self.drain(name, signals).await,
                Event::ShardFailed(why) => return Err(why),
            }
        }
    }

    fn start_log(&mut self) -> Result<(), String> {
        if let (Some(destination), Some(queue)) = (&self.config.access_log, &self.log_queue) {
            let writer =
                LogWriter::open(destination.clone(), queue.clone(), self.log_cells.clone())?;
            let (commands, receiver) = mpsc::channel(8);
            tokio_uring::spawn(writer.run(receiver));
            self.log_commands = Some(commands);
        }
        Ok(())
    }

    fn start_admin(&self, listener: AdminListener) {
        let (registry, cells) = (self.registry.clone(), self.log_cells.clone());
        let admin = Admin {
            readiness: self.readiness.clone(),
            metrics: Box::new(move || registry.render() + &log_metrics(&cells)),
        };
        tokio::spawn(async move {
            if let Err(error) = listener.serve(admin).await {
                tracing::error!("the admin port has ended: {error}");
            }
        });
    }

    /// Resolves the stage's new targets, then hands it to all shards.
    async fn publish(&mut self, prepared: Prepared, refresher: &Refresher) -> Result<(), String> {
        for warning in refresher.resolve_new().await {
            tracing::warn!("{warning}");
        }
        let reload = self.publisher.has_served();
        let changes = self
            .publisher
            .publish(prepared, &self.plane, monotonic_now())
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

    fn reopen_log(&self) {
        if let Some(commands) = &self.log_commands
            && commands.try_send(LogCommand::Reopen).is_err()
        {
            // It hangs in a write, or is gone; neither may hold up a reload.
            tracing::warn!("the access log is not reopened: its writer does not answer");
        }
    }

    async fn drain(self, signal_name: &'static str, mut signals: Signals) -> Result<(), String> {
        self.readiness.set(false);
        let deadline = self.config.limits.drain_timeout;
        let within = deadline.map_or_else(String::new, |time| format!(" within {time:?}"));
        tracing::info!(
            "{signal_name}: finishing requests in flight{within}; a second signal ends at once"
        );
        let drained = tokio::select! {
            drained = self.shards.drain(deadline) => drained,
            name = signals.again(signal_name) => exit_now(&format!("{name}: ending at once")),
        };
        if let Some(commands) = self.log_commands {
            let (done, flushed) = oneshot::channel();
            let flush = async {
                if commands.send(LogCommand::Flush(done)).await.is_ok() {
                    let _ = flushed.await;
                }
            };
            if tokio::time::timeout(LOG_FLUSH_WAIT, flush).await.is_err() {
                // The runtime would wait for the write that hangs.
                tracing::warn!("the access log takes no more; its last lines are lost");
                std::process::exit(i32::from(drained.is_err()));
            }
        }
        if drained.is_ok() {
            tracing::info!("drained");
        }
        drained
    }
}

/// Ends without waiting for shards, requests or the log.
fn exit_now(why: &str) -> ! {
    complain(&format!("ringway: {why}\n"));
    std::process::exit(1);
}

fn log_metrics(cells: &LogWriterCells) -> String {
    let bytes = cells.bytes_written.load(Ordering::Relaxed);
    let failed = cells.lines_failed.load(Ordering::Relaxed);
    format!(
        "# HELP ringway_access_log_written_bytes_total Bytes of access log written.\n\
         # TYPE ringway_access_log_written_bytes_total counter\n\
         ringway_access_log_written_bytes_total {bytes}\n\
         # HELP ringway_access_log_failed_lines_total Access-log lines lost because writing failed.\n\
         # TYPE ringway_access_log_failed_lines_total counter\n\
         ringway_access_log_failed_lines_total {failed}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sigterm_that_comes_twice_at_once_is_one() {
        let ms = Duration::from_millis;
        for (first, name, after, repeated) in [
            ("SIGTERM", "SIGTERM", ms(0), true),
            ("SIGTERM", "SIGTERM", ms(999), true),
            ("SIGTERM", "SIGTERM", ms(1_000), false),
            // A person at a terminal who presses twice means it.
            ("SIGINT", "SIGINT", ms(0), false),
            ("SIGTERM", "SIGINT", ms(0), false),
            ("SIGINT", "SIGTERM", ms(0), false),
        ] {
            assert_eq!(is_repetition(first, name, after), repeated, "{first} {name} {after:?}");
        }
    }
}
