//! Step 14, log/metrics: counters and histograms under CloudWatch's names, and access logs.
//!
//! A shard counts into plain cells that only it writes ([`SeriesCells`] per method, [`ShardCells`]
//! for the rest); a scrape reads and sums them ([`Registry::render`]). A request costs some loads and
//! stores, no atomic read-modify-write, no lock, no allocation.
//!
//! An access-log line is written by a program compiled from the stage's format
//! ([`AccessLogFormat`]) into the shard's [`LogBatch`]; full batches go through the [`LogQueue`] to
//! whoever writes the file. A slow disk fills the queue, then lines are dropped and counted; no
//! request waits.
//!
//! In: what a request came to. Out: Prometheus text, batches of lines. It does no I/O and reads no
//! clock.

mod access_log;
mod cell;
mod histogram;
mod log_queue;
mod prometheus;
mod registry;
mod series;
mod shard_cells;

pub use access_log::{AccessLogFormat, FORMAT_BYTES_MAX, FormatError, Variables};
pub use cell::Cell64;
pub use histogram::Histogram;
pub use log_queue::{LogBatch, LogQueue};
pub use prometheus::CONTENT_TYPE;
pub use registry::Registry;
pub use series::{Series, SeriesCells, StageSeries};
pub use shard_cells::{PlanCells, Refused, ShardCells, TimeoutKind};
