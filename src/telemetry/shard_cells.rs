//! What is counted per shard, whatever the API.

use std::sync::OnceLock;

use crate::limits::USAGE_PLAN_SERIES_MAX;
use crate::telemetry::Cell64;

/// Which deadline ended something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum TimeoutKind {
    /// A new connection sent nothing.
    FirstByte,
    /// A head did not end.
    Head,
    /// A body stopped.
    BodyRead,
    /// A body dripped.
    Body,
    /// A kept connection was silent.
    Idle,
    /// A client did not read its answer.
    Send,
    /// An integration could not be connected to in time.
    Connect,
    /// An integration's answer was not complete in time.
    Integration,
    /// A request was still in flight when draining ended.
    Drain,
}

impl TimeoutKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::FirstByte,
        Self::Head,
        Self::BodyRead,
        Self::Body,
        Self::Idle,
        Self::Send,
        Self::Connect,
        Self::Integration,
        Self::Drain,
    ];

    /// The label's value, named as the limit is (`--limit head-timeout=...`).
    pub const fn label(self) -> &'static str {
        match self {
            Self::FirstByte => "first_byte",
            Self::Head => "head",
            Self::BodyRead => "body_read",
            Self::Body => "body",
            Self::Idle => "idle",
            Self::Send => "send",
            Self::Connect => "connect",
            Self::Integration => "integration",
            Self::Drain => "drain",
        }
    }
}

/// One shard's cells of one usage plan, or of all that are not counted one by one.
#[derive(Debug, Default)]
pub struct PlanCells {
    pub(super) requests: Cell64,
    pub(super) throttled: Cell64,
    pub(super) quota_refused: Cell64,
}

impl PlanCells {
    /// Counts a request whose key is of the plan, and why the plan refuses it, if it does.
    pub fn record(&self, refused: Option<Refused>) {
        self.requests.increment();
        match refused {
            Some(Refused::Throttled) => self.throttled.increment(),
            Some(Refused::Quota) => self.quota_refused.increment(),
            Some(Refused::Forbidden) | None => {}
        }
    }
}

/// Why a request was not admitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// For its rate.
    Throttled,
    /// Its key's quota is used up.
    Quota,
    /// It has no key that opens the stage.
    Forbidden,
}

/// A cell of [`ShardCells`] as the scrape shows it.
pub(super) struct ShardMetric {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) help: &'static str,
    pub(super) cell: fn(&ShardCells) -> &Cell64,
}

macro_rules! shard_cells {
    ($($cell:ident: $kind:literal $name:literal, $help:literal;)*) => {
        /// One shard's cells. Only that shard writes, any thread reads.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub struct ShardCells {
            $(#[doc = $help] pub $cell: Cell64,)*
            timeouts: [Cell64; TimeoutKind::ALL.len()],
            /// With the first request that has an API key.
            plans: OnceLock<Box<[PlanCells]>>,
        }

        pub(super) const SHARD_METRICS: &[ShardMetric] = &[$(ShardMetric {
            name: $name,
            kind: $kind,
            help: $help,
            cell: |cells| &cells.$cell,
        }),*];
    };
}

shard_cells! {
    connections: "gauge" "ringway_connections",
        "Client connections open.";
    connections_accepted: "counter" "ringway_connections_accepted_total",
        "Client connections accepted.";
    connections_refused: "counter" "ringway_connections_refused_total",
        "Client connections closed because there were too many.";
    requests: "counter" "ringway_requests_total",
        "Requests answered, those with an unreadable head included.";
    bytes_in: "counter" "ringway_received_bytes_total",
        "Bytes received from clients.";
    bytes_out: "counter" "ringway_sent_bytes_total",
        "Bytes sent to clients.";
    head_errors: "counter" "ringway_head_errors_total",
        "Requests refused because their head or framing was unreadable, ambiguous or too large.";
    ring_waits: "counter" "ringway_ring_waits_total",
        "Calls that submit to and wait for the ring.";
    ring_sqes: "counter" "ringway_ring_sqes_total",
        "Submission queue entries handed to the kernel.";
    ring_cqes: "counter" "ringway_ring_cqes_total",
        "Completion queue entries taken; over ringway_ring_waits_total: how many per wait.";
    ring_enobufs: "counter" "ringway_ring_enobufs_total",
        "Receives ended with ENOBUFS (no provided buffer was free) and armed again.";
    ring_spilled_bytes: "counter" "ringway_ring_spilled_bytes_total",
        "Bytes copied to the heap because their connection was not reading.";
    ring_cq_overflows: "counter" "ringway_ring_cq_overflows_total",
        "Loop turns that found completions overflowed into the kernel's backlog.";
    panics: "counter" "ringway_panics_total",
        "Connections dropped because of a mistake in Ringway. Please report them.";
    recv_buffers_in_use: "gauge" "ringway_recv_buffers_in_use",
        "Provided receive buffers held by connections.";
    bulk_buffers_in_use: "gauge" "ringway_bulk_buffers_in_use",
        "Provided buffers for bulk transfer held by connections.";
    upstream_connections: "gauge" "ringway_upstream_connections",
        "Connections to integrations open, idle ones included.";
    upstream_connects: "counter" "ringway_upstream_connects_total",
        "Connections to integrations opened.";
    upstream_connect_errors: "counter" "ringway_upstream_connect_errors_total",
        "Connections to integrations that could not be opened.";
    upstream_reuses: "counter" "ringway_upstream_reuses_total",
        "Integration requests that a kept connection served.";
    upstream_retries: "counter" "ringway_upstream_retries_total",
        "Integration requests sent again because a kept connection had gone stale.";
    access_log_lines: "counter" "ringway_access_log_lines_total",
        "Access-log lines written into batches.";
    access_log_dropped: "counter" "ringway_access_log_dropped_lines_total",
        "Access-log lines dropped because the writer was too slow.";
}

impl ShardCells {
    /// Counts a deadline that was missed.
    pub fn timed_out(&self, kind: TimeoutKind) {
        self.timeouts[kind as usize].increment();
    }

    /// The cells of a usage plan by its number, at most [`USAGE_PLAN_SERIES_MAX`].
    pub fn plan(&self, number: usize) -> &PlanCells {
        let plans = || (0..=USAGE_PLAN_SERIES_MAX).map(|_| PlanCells::default()).collect();
        &self.plans.get_or_init(plans)[number]
    }

    /// The cells of all usage plans, if any has counted.
    pub(super) fn plans(&self) -> Option<&[PlanCells]> {
        self.plans.get().map(|plans| &**plans)
    }

    /// Deadlines of that kind missed.
    pub fn timeouts(&self, kind: TimeoutKind) -> u64 {
        self.timeouts[kind as usize].load()
    }
}
