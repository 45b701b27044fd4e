//! One pinned thread per core: accept, connections, the gateway's steps, and nothing shared with the
//! neighbours but the atomics of token buckets and quotas.
//!
//! ```text
//! mailbox ──Apply, Drain────▶ shard ──accept──▶ connection task ──▶ gateway::respond ──▶ write
//!                               └── housekeeping: figures, log batches, idle integration connections
//! ```
//!
//! **Invariant**: a shard takes no lock and reads no file. A request in flight ends on the stage it
//! began with.

mod accept;
#[cfg(test)]
mod allocations;
mod body;
mod connection;
mod deployment;
mod housekeeping;
mod ids;
mod link;
#[cfg(test)]
mod sim_tests;
#[cfg(test)]
mod stages_tests;
mod state;
mod test_invoke;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod usage_sim_tests;
#[cfg(test)]
mod usage_tests;
#[cfg(test)]
mod validation_tests;
mod write;

use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::{Arc, Weak, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::deploy::{Applied, Batch};
use crate::limits::Limits;
use crate::ring::{Mailbox, MailboxReceiver, MailboxSender, Ring, RingConfig};
use crate::telemetry::{LogQueue, ShardCells};
use crate::tls::ClientTrust;
use crate::usage::UsagePlans;

pub use link::ShardLink;
pub use state::Shard;
pub use test_invoke::{TEST_INVOKE_STAGE, TestInvocation, TestOutcome, TestReply, TestResult};

/// Messages that may wait for a shard.
const MAILBOX_CAPACITY: usize = 64;

/// What a shard needs to start.
pub struct ShardConfig {
    /// Its number, from 0.
    pub index: usize,
    /// CPU it is pinned to; `None`: wherever the system puts it.
    pub cpu: Option<usize>,
    /// Its own listening sockets, one per address.
    pub listeners: Vec<TcpListener>,
    /// Limits in force.
    pub limits: Arc<Limits>,
    /// Its figures.
    pub cells: Arc<ShardCells>,
    /// Where access-log batches go; `None`: there is no access log.
    pub log: Option<Arc<LogQueue>>,
    /// Certificates that integrations may show.
    pub trust: Arc<ClientTrust>,
    /// API keys and usage plans, the same for all shards.
    pub usage: Arc<UsagePlans>,
}

/// What a shard can be told.
pub enum ShardMessage {
    /// Serve this from the next request on.
    Apply {
        /// What changes, all at once.
        batch: Batch,
        /// Told when it has.
        applied: Applied,
    },
    /// Carry out one request without a connection; see [`TestInvocation`].
    TestInvoke(Box<TestInvocation>, TestReply),
    /// Accept no more, finish what is in flight, end.
    Drain {
        /// Time for it; `None`: as long as it takes.
        deadline: Option<Duration>,
    },
}

/// A running shard.
pub struct ShardHandle {
    mailbox: ShardMailbox,
    thread: JoinHandle<io::Result<()>>,
}

/// Where a shard is told something, for as many as want to.
#[derive(Clone)]
pub struct ShardMailbox {
    sender: MailboxSender<ShardMessage>,
    /// The shard's thread has the other end.
    alive: Weak<()>,
}

impl ShardMailbox {
    /// Tells the shard something.
    ///
    /// # Errors
    /// The message comes back: the mailbox is full.
    pub fn send(&self, message: ShardMessage) -> Result<(), ShardMessage> {
        self.sender.send(message)
    }

    /// Whether the thread has ended: nobody reads what is sent.
    pub fn is_finished(&self) -> bool {
        self.alive.strong_count() == 0
    }
}

impl ShardHandle {
    /// Tells the shard something.
    ///
    /// # Errors
    /// The message comes back: the mailbox is full.
    pub fn send(&self, message: ShardMessage) -> Result<(), ShardMessage> {
        self.mailbox.send(message)
    }

    /// The way to it for others.
    pub fn mailbox(&self) -> ShardMailbox {
        self.mailbox.clone()
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the thread's end.
    ///
    /// # Errors
    /// The ring failed, or the thread panicked; a sentence says which.
    pub fn join(self) -> Result<(), String> {
        match self.thread.join() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("its ring failed: {error}")),
            Err(_) => Err("it panicked".to_owned()),
        }
    }
}

/// Starts a shard; its ring is set up when this returns.
///
/// # Errors
/// The thread cannot be started, pinned, or get a ring.
pub fn spawn(config: ShardConfig) -> io::Result<ShardHandle> {
    spawn_with(config, RingConfig::default())
}

fn spawn_with(config: ShardConfig, ring: RingConfig) -> io::Result<ShardHandle> {
    let Mailbox { sender, receiver } = Mailbox::new(MAILBOX_CAPACITY)?;
    let (started, outcome) = mpsc::sync_channel(1);
    let life = Arc::new(());
    let alive = Arc::downgrade(&life);
    let thread =
        std::thread::Builder::new().name(format!("shard-{}", config.index)).spawn(move || {
            let _life = life;
            let ring = match pin(config.cpu).and_then(|()| Ring::new(ring)) {
                Ok(ring) => ring,
                Err(error) => {
                    // The receiver waits for exactly this message.
                    let _ = started.send(Err(error));
                    return Ok(());
                }
            };
            let _ = started.send(Ok(()));
            run(&ring, config, receiver)
        })?;
    outcome.recv().map_err(|_| io::Error::other("the shard's thread ended at once"))??;
    Ok(ShardHandle { mailbox: ShardMailbox { sender, alive }, thread })
}

fn pin(cpu: Option<usize>) -> io::Result<()> {
    let Some(cpu) = cpu else { return Ok(()) };
    let mut set = rustix::thread::CpuSet::new();
    set.set(cpu);
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

/// Runs a shard on a ring that is there already, until it is told to drain: what [`spawn`] does on its
/// thread, and the simulation on a simulated machine.
///
/// # Errors
/// The ring failed.
#[doc(hidden)]
pub fn run(
    ring: &Ring,
    config: ShardConfig,
    mailbox: MailboxReceiver<ShardMessage>,
) -> io::Result<()> {
    let ShardConfig { index, limits, cells, log, trust, usage, mut listeners, .. } = config;
    let shard = Rc::new(Shard::new(ring, index, limits, cells, log, trust, usage));
    ring.spawn_vital({
        let shard = Rc::clone(&shard);
        async move {
            let ring = shard.ring().clone();
            let each = |message| {
                let more = shard.receive(message);
                // Until it is known what is served, connections wait in the listen queue.
                if shard.is_serving() {
                    for listener in listeners.drain(..) {
                        ring.spawn_vital(accept::run(Rc::clone(&shard), listener.into()));
                    }
                }
                more
            };
            mailbox.run(&ring, each).await;
        }
    });
    ring.spawn_vital(housekeeping::run(Rc::clone(&shard)));
    let outcome = ring.run();
    shard.hand_over_log();
    shard.publish_figures();
    ring.shut_down();
    outcome
}
