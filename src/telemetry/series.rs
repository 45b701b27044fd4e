//! What is counted per method of a stage.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::telemetry::{Cell64, Histogram, Refused};

/// One time series: a method of a stage, on all shards.
///
/// A request that matched no method counts under its API and stage only: resource and method are empty.
/// So the sum over all resources and methods is what CloudWatch shows for `ApiName, Stage`.
///
/// A shard's cells come with the first request that it counts: of a gateway's 90 000 methods most are
/// never called, and cells for all of them on two shards would take
/// 40 MB.
#[derive(Debug)]
pub struct Series {
    /// `Resource`: the pattern, `/pets/{id}`.
    pub(super) resource: Arc<str>,
    /// `Method`, as declared: a request that an `ANY` answers counts under `ANY`.
    pub(super) method: &'static str,
    cells: Box<[OnceLock<Box<SeriesCells>>]>,
}

impl Series {
    pub(super) fn new(resource: Arc<str>, method: &'static str, shards: usize) -> Self {
        Self { resource, method, cells: (0..shards).map(|_| OnceLock::new()).collect() }
    }

    /// The cells of one shard, for that shard only to write.
    ///
    /// # Panics
    /// If there is no such shard.
    #[inline]
    pub fn of_shard(&self, shard: usize) -> &SeriesCells {
        self.cells[shard].get_or_init(Box::default)
    }

    /// The cells of those shards that have counted.
    pub(super) fn counted(&self) -> impl Iterator<Item = &SeriesCells> {
        self.cells.iter().filter_map(|cells| Some(&**cells.get()?))
    }
}

/// All series of a deployment of a stage.
#[derive(Clone, Debug)]
pub struct StageSeries(pub(super) Arc<[Arc<Series>]>);

impl StageSeries {
    /// The series of a method by its index, or of the requests that matched none.
    #[inline]
    pub fn of(&self, method: Option<u32>) -> &Series {
        let unmatched = self.0.len() - 1;
        &self.0[method.map_or(unmatched, |index| (index as usize).min(unmatched))]
    }
}

/// One shard's cells of one time series. Only that shard writes, any thread reads.
///
/// The shard allocates them itself, so their neighbours in memory are its own, too: no padding keeps
/// them from sharing a cache line with another shard's.
#[derive(Debug, Default)]
pub struct SeriesCells {
    pub(super) count: Cell64,
    pub(super) errors_4xx: Cell64,
    pub(super) errors_5xx: Cell64,
    pub(super) throttled: Cell64,
    pub(super) quota_refused: Cell64,
    pub(super) forbidden: Cell64,
    pub(super) cache_hits: Cell64,
    pub(super) cache_misses: Cell64,
    pub(super) latency: Histogram,
    /// With the first call of an integration: a MOCK has none.
    pub(super) integration_latency: OnceLock<Box<Histogram>>,
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
            self.integration_latency.get_or_init(Box::default).record(latency);
        }
    }

    /// Counts a request that was not admitted, besides [`record`](Self::record).
    pub fn refused(&self, why: Refused) {
        match why {
            Refused::Throttled => self.throttled.increment(),
            Refused::Quota => self.quota_refused.increment(),
            Refused::Forbidden => self.forbidden.increment(),
        }
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
