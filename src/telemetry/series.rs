//! What is counted per method of a stage.

use std::time::Duration;

use crate::telemetry::{Cell64, Histogram};

/// CloudWatch's dimensions of one time series.
///
/// A request that matched no resource counts under its API and stage only: `resource` and `method`
/// are `None`. So the sum over all resources and methods is what CloudWatch shows for `ApiName,
/// Stage`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SeriesKey {
    /// `ApiName`: the definition's title. CloudWatch drops what is not ASCII; we keep it.
    pub api_name: String,
    /// `ApiId`.
    pub api_id: String,
    /// `Stage`.
    pub stage: String,
    /// `Resource`: the pattern, `/pets/{id}`.
    pub resource: Option<String>,
    /// `Method`, as declared: a request that an `ANY` answers counts under `ANY`.
    pub method: Option<String>,
}

/// One shard's cells of one time series. Only that shard writes, any thread reads.
// Two cache lines: the adjacent-line prefetcher pulls pairs, and the neighbour may be another shard's.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct SeriesCells {
    pub(super) count: Cell64,
    pub(super) errors_4xx: Cell64,
    pub(super) errors_5xx: Cell64,
    pub(super) throttled: Cell64,
    pub(super) cache_hits: Cell64,
    pub(super) cache_misses: Cell64,
    pub(super) latency: Histogram,
    pub(super) integration_latency: Histogram,
}

impl SeriesCells {
    /// Counts one answered request: `Count`, `4XXError` or `5XXError`, `Latency`, and
    /// `IntegrationLatency` if an integration was called (not for a MOCK or a cache hit).
    ///
    /// `latency` runs from the first byte of the request to the answer's being handed back.
    pub fn record(&self, status: u16, latency: Duration, integration_latency: Option<Duration>) {
        self.count.increment();
        match status {
            400..=499 => self.errors_4xx.increment(),
            500..=599 => self.errors_5xx.increment(),
            _ => {}
        }
        self.latency.record(latency);
        if let Some(latency) = integration_latency {
            self.integration_latency.record(latency);
        }
    }

    /// Counts a request refused for its rate or quota, besides [`record`](Self::record).
    pub fn throttled(&self) {
        self.throttled.increment();
    }

    /// Counts an answer from the cache: `CacheHitCount`.
    pub fn cache_hit(&self) {
        self.cache_hits.increment();
    }

    /// Counts a request that the cache had no answer for: `CacheMissCount`.
    pub fn cache_miss(&self) {
        self.cache_misses.increment();
    }

    /// Requests counted.
    pub fn count(&self) -> u64 {
        self.count.load()
    }
}
