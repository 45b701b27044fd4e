//! All cells there are, by shard and by series.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::telemetry::prometheus;
use crate::telemetry::{SeriesCells, SeriesKey, ShardCells};
use crate::time::WallMillis;

pub(super) type SeriesMap = BTreeMap<SeriesKey, Vec<Arc<SeriesCells>>>;

/// All cells of the process. Publishes and scrapes ask it; requests never do, they have their cells.
#[derive(Debug)]
pub struct Registry {
    shards: Vec<Arc<ShardCells>>,
    /// Ordered, so that every scrape lists the series alike. Locked by publishes and scrapes only.
    series: Mutex<SeriesMap>,
    started_at: Option<WallMillis>,
}

impl Registry {
    /// Cells for that many shards.
    pub fn new(shards: usize) -> Self {
        Self {
            shards: (0..shards).map(|_| Arc::default()).collect(),
            series: Mutex::default(),
            started_at: None,
        }
    }

    /// The same with `process_start_time_seconds`.
    #[must_use]
    pub fn started_at(self, moment: WallMillis) -> Self {
        Self { started_at: Some(moment), ..self }
    }

    /// Shards there are cells for.
    pub fn shard_count(&self) -> usize {
        self.shards.len()
    }

    /// A shard's cells.
    ///
    /// # Panics
    /// If there is no such shard.
    pub fn shard(&self, index: usize) -> Arc<ShardCells> {
        Arc::clone(&self.shards[index])
    }

    /// A series' cells, one per shard. The same key gets the same cells again, so that a reload goes
    /// on counting.
    pub fn series(&self, key: &SeriesKey) -> Vec<Arc<SeriesCells>> {
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cells) = series.get(key) {
            return cells.clone();
        }
        let cells: Vec<_> = self.shards.iter().map(|_| Arc::default()).collect();
        series.insert(key.clone(), cells.clone());
        cells
    }

    /// All of it in Prometheus's text format; serve it as [`CONTENT_TYPE`](super::CONTENT_TYPE).
    pub fn render(&self) -> String {
        // Arcs are copied out so that a publish does not wait for the rendering.
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner).clone();
        prometheus::render(&self.shards, &series, self.started_at)
    }
}
