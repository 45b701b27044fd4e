//! The shards of the process, seen from the control thread: start, publish, drain, watch over.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::limits::Limits;
use crate::shard::{self, ShardConfig, ShardHandle, ShardLink, ShardMessage};
use crate::telemetry::{LogQueue, Registry};
use crate::tls::ClientTrust;

/// Between two looks whether a shard has ended by itself.
const WATCH_EVERY: Duration = Duration::from_millis(100);
/// Between two looks whether a draining shard is done.
const DRAIN_LOOK_EVERY: Duration = Duration::from_millis(10);
/// What a shard may take over its drain deadline before it counts as stuck.
const DRAIN_GRACE: Duration = Duration::from_secs(5);

/// What every shard gets.
pub struct ShardParts {
    /// Bounds.
    pub limits: Arc<Limits>,
    /// Whom TLS trusts.
    pub trust: Arc<ClientTrust>,
    /// Where access-log batches go; `None`: off.
    pub log: Option<Arc<LogQueue>>,
    /// Counters of all shards.
    pub registry: Arc<Registry>,
}

/// All shards.
pub struct RunningShards {
    handles: Vec<ShardHandle>,
}

impl RunningShards {
    /// Starts one shard per listener, on the CPU of the same index.
    ///
    /// # Errors
    /// A sentence that says which shard could not be started and why; those before it end with the
    /// process.
    pub fn spawn(
        listeners: Vec<TcpListener>,
        cpus: &[Option<usize>],
        parts: &ShardParts,
    ) -> Result<Self, String> {
        assert_eq!(listeners.len(), cpus.len());
        let mut handles = Vec::with_capacity(listeners.len());
        for (index, (listener, &cpu)) in listeners.into_iter().zip(cpus).enumerate() {
            let config = ShardConfig {
                index,
                cpu,
                listener,
                limits: parts.limits.clone(),
                cells: parts.registry.shard(index),
                log: parts.log.clone(),
                trust: parts.trust.clone(),
            };
            let handle = shard::spawn(config)
                .map_err(|error| format!("shard {index} cannot be started: {error}"))?;
            handles.push(handle);
        }
        Ok(Self { handles })
    }

    /// Waits until a shard has ended by itself, and says why.
    pub async fn failure(&mut self) -> String {
        loop {
            tokio::time::sleep(WATCH_EVERY).await;
            if let Some(index) = self.handles.iter().position(ShardHandle::is_finished) {
                let why = match self.handles.swap_remove(index).join() {
                    Ok(()) => "it ended without being told to".to_owned(),
                    Err(why) => why,
                };
                return format!("shard {index} has failed: {why}");
            }
        }
    }

    /// Tells every shard to finish what it has and waits for all.
    ///
    /// # Errors
    /// A shard is stuck or failed.
    pub async fn drain(self, deadline: Option<Duration>) -> Result<(), String> {
        let give_up = deadline.map(|deadline| Instant::now() + deadline + DRAIN_GRACE);
        for (index, handle) in self.handles.iter().enumerate() {
            let mut message = ShardMessage::Drain { deadline };
            while let Err(back) = handle.send(message) {
                if handle.is_finished() {
                    break;
                }
                if give_up.is_some_and(|at| Instant::now() >= at) {
                    return Err(format!("shard {index} does not look into its mailbox"));
                }
                message = back;
                tokio::time::sleep(DRAIN_LOOK_EVERY).await;
            }
        }
        while !self.handles.iter().all(ShardHandle::is_finished) {
            if give_up.is_some_and(|at| Instant::now() >= at) {
                return Err("a shard has not ended 5 s after the drain deadline".to_owned());
            }
            tokio::time::sleep(DRAIN_LOOK_EVERY).await;
        }
        for (index, handle) in self.handles.into_iter().enumerate() {
            handle.join().map_err(|why| format!("shard {index} has failed: {why}"))?;
        }
        Ok(())
    }

    /// The way to the shards for whoever publishes.
    pub fn link(&self) -> ShardLink {
        ShardLink::new(&self.handles)
    }
}
