//! What every way of serving has in common: shards, the access log, signals, the drain.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use super::cpus::ShardPlan;
use super::shards::{RunningShards, ShardParts};
use super::{complain, listen, wall_now};
use crate::control::admin::{Admin, AdminListener, Readiness};
use crate::control::log_writer::{LogCommand, LogDestination, LogWriter, LogWriterCells};
use crate::control::publish::DataPlane;
use crate::control::service::Service;
use crate::limits::Limits;
use crate::telemetry::{LogQueue, Registry};
use crate::throttle::BucketRegistry;
use crate::tls::ClientTrust;
use crate::upstream::TargetRegistry;
use crate::usage::UsagePlans;

/// How long the access log may take for its last lines.
const LOG_FLUSH_WAIT: Duration = Duration::from_secs(2);

/// What shards are started with.
pub(super) struct ProcessParts {
    pub limits: Arc<Limits>,
    pub trust: Arc<ClientTrust>,
    /// API keys and usage plans; empty where there is no control API to make some.
    pub usage: Arc<UsagePlans>,
    /// `None`: there is no access log.
    pub log: Option<Arc<LogQueue>>,
    pub buckets: Arc<BucketRegistry>,
    pub targets: Arc<TargetRegistry>,
}

/// A process with shards that run.
pub(super) struct Process {
    shards: RunningShards,
    usage: Arc<UsagePlans>,
    /// The way to publish.
    pub plane: Arc<DataPlane>,
    /// Whether it should get traffic.
    pub readiness: Arc<Readiness>,
    registry: Arc<Registry>,
    log_queue: Option<Arc<LogQueue>>,
    log_cells: Arc<LogWriterCells>,
    log_commands: Option<mpsc::Sender<LogCommand>>,
}

/// Signals that mean something here.
pub(super) struct Signals {
    hangup: Signal,
    user1: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, String> {
        let on = |kind| signal(kind).map_err(|error| format!("signals cannot be handled: {error}"));
        Ok(Self {
            hangup: on(SignalKind::hangup())?,
            user1: on(SignalKind::user_defined1())?,
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
        })
    }

    /// Waits for any of them.
    pub(super) async fn next(&mut self) -> ProcessSignal {
        tokio::select! {
            _ = self.hangup.recv() => ProcessSignal::Hangup,
            _ = self.user1.recv() => ProcessSignal::ReopenLog,
            _ = self.terminate.recv() => ProcessSignal::End("SIGTERM"),
            _ = self.interrupt.recv() => ProcessSignal::End("SIGINT"),
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

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProcessSignal {
    Hangup,
    ReopenLog,
    /// Finish and end; the signal's name.
    End(&'static str),
}

impl Process {
    /// Starts one shard per set of listeners.
    ///
    /// # Errors
    /// A sentence that says which shard could not be started and why.
    pub(super) fn spawn(
        listeners: Vec<Vec<TcpListener>>,
        plan: &ShardPlan,
        parts: ProcessParts,
    ) -> Result<Self, String> {
        let registry = Arc::new(Registry::new(plan.cpus.len()).started_at(wall_now()));
        let for_shards = ShardParts {
            limits: parts.limits,
            trust: parts.trust,
            usage: parts.usage.clone(),
            log: parts.log.clone(),
            registry: registry.clone(),
        };
        let shards = RunningShards::spawn(listeners, &plan.cpus, &for_shards)?;
        let link = Arc::new(shards.link());
        Ok(Self {
            plane: Arc::new(DataPlane::new(link, registry.clone(), parts.buckets, parts.targets)),
            shards,
            usage: parts.usage,
            readiness: Arc::default(),
            registry,
            log_queue: parts.log,
            log_cells: Arc::default(),
            log_commands: None,
        })
    }

    /// Waits until a shard has ended by itself, and says why.
    pub(super) async fn failure(&mut self) -> String {
        self.shards.failure().await
    }

    /// The shards.
    pub(super) fn shards(&self) -> &RunningShards {
        &self.shards
    }

    /// Starts the writer of the access log; runs in the control thread's runtime.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(super) fn start_log(&mut self, destination: Option<&LogDestination>) -> Result<(), String> {
        if let (Some(destination), Some(queue)) = (destination, &self.log_queue) {
            let writer =
                LogWriter::open(destination.clone(), queue.clone(), self.log_cells.clone())?;
            let (commands, receiver) = mpsc::channel(8);
            tokio_uring::spawn(writer.run(receiver));
            self.log_commands = Some(commands);
        }
        Ok(())
    }

    /// What the admin port tells; with a service, it manages the gateway, too.
    pub(super) fn admin(&self, service: Option<Arc<Service>>) -> Admin {
        let (registry, cells) = (self.registry.clone(), self.log_cells.clone());
        let usage = self.usage.clone();
        Admin {
            readiness: self.readiness.clone(),
            metrics: Box::new(move || {
                let plans = registry.render_plans(&usage.counted_plans());
                registry.render() + &plans + &log_metrics(&cells)
            }),
            service,
            tls: None,
        }
    }

    pub(super) fn reopen_log(&self) {
        if let Some(commands) = &self.log_commands
            && commands.try_send(LogCommand::Reopen).is_err()
        {
            // It hangs in a write, or is gone; neither may hold up a reload.
            tracing::warn!("the access log is not reopened: its writer does not answer");
        }
    }

    /// Finishes what is in flight and ends the shards.
    ///
    /// # Errors
    /// A shard is stuck or failed.
    pub(super) async fn drain(
        self,
        deadline: Option<Duration>,
        signal_name: &'static str,
        mut signals: Signals,
    ) -> Result<(), String> {
        self.readiness.set(false);
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

/// Binds the admin port.
///
/// # Errors
/// A sentence with the address.
pub(super) fn bind_admin(address: std::net::SocketAddr) -> Result<AdminListener, String> {
    AdminListener::bind(address)
        .map_err(|error| format!("admin port: {}", listen::explain(address, &error)))
}

/// Answers on the admin port until the process ends.
pub(super) fn start_admin(listener: AdminListener, admin: Admin) {
    tokio::spawn(async move {
        if let Err(error) = listener.serve(admin).await {
            tracing::error!("the admin port has ended: {error}");
        }
    });
}

/// Ends without waiting for shards, requests or the log.
pub(super) fn exit_now(why: &str) -> ! {
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
