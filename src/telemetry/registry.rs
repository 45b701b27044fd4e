//! All cells there are, by shard and by series.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::telemetry::prometheus;
use crate::telemetry::{Series, ShardCells, StageSeries};
use crate::time::WallMillis;

/// CloudWatch's dimensions that all series of a stage share.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct StageKey {
    /// `ApiId`.
    pub(super) api_id: Box<str>,
    /// `Stage`.
    pub(super) stage: Box<str>,
}

#[derive(Debug)]
struct RegisteredStage {
    /// `ApiName`: the definition's title. CloudWatch drops what is not ASCII; we keep it.
    api_name: Arc<str>,
    /// Sorted by resource and method.
    series: Vec<Arc<Series>>,
    /// What was handed out: when a deployment is gone, series may be, too.
    deployments: Vec<Weak<[Arc<Series>]>>,
}

/// A stage's series as a scrape reads them.
pub(super) struct ScrapedStage {
    pub(super) key: StageKey,
    pub(super) api_name: Arc<str>,
    pub(super) series: Vec<Arc<Series>>,
}

/// All cells of the process. Publishes and scrapes ask it; requests never do, they have their cells.
#[derive(Debug)]
pub struct Registry {
    shards: Vec<Arc<ShardCells>>,
    /// Ordered, so that every scrape lists the series alike. Locked by publishes and scrapes only.
    stages: Mutex<BTreeMap<StageKey, RegisteredStage>>,
    started_at: Option<WallMillis>,
}

impl Registry {
    /// Cells for that many shards.
    pub fn new(shards: usize) -> Self {
        Self {
            shards: (0..shards).map(|_| Arc::default()).collect(),
            stages: Mutex::default(),
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

    /// The series of a stage's methods, in their order, and one for requests that match none.
    ///
    /// A method that has a series already gets the same one, so that a new deployment goes on counting.
    /// Those of methods that are gone stay until [`Self::sweep`].
    pub fn stage<'a>(
        &self,
        api_name: &str,
        api_id: &str,
        stage: &str,
        methods: impl IntoIterator<Item = (&'a Arc<str>, &'static str)>,
    ) -> StageSeries {
        let key = StageKey { api_id: api_id.into(), stage: stage.into() };
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let registered = stages.entry(key).or_insert_with(|| RegisteredStage {
            api_name: api_name.into(),
            series: Vec::new(),
            deployments: Vec::new(),
        });
        if *registered.api_name != *api_name {
            registered.api_name = api_name.into();
        }
        let known = registered.series.len();
        let mut series_of = |resource: &Arc<str>, method: &'static str| {
            let sought = (&**resource, method);
            let place = registered.series[..known]
                .binary_search_by(|series| (&*series.resource, series.method).cmp(&sought));
            if let Ok(index) = place {
                return Arc::clone(&registered.series[index]);
            }
            let series = Arc::new(Series::new(Arc::clone(resource), method, self.shards.len()));
            registered.series.push(Arc::clone(&series));
            series
        };
        let mut series: Vec<_> =
            methods.into_iter().map(|(resource, method)| series_of(resource, method)).collect();
        series.push(series_of(&Arc::from(""), ""));
        if registered.series.len() > known {
            let by_key = |a: &Arc<Series>, b: &Arc<Series>| {
                (&a.resource, a.method).cmp(&(&b.resource, b.method))
            };
            registered.series.sort_by(by_key);
            registered.series.shrink_to_fit();
        }
        let series: Arc<[_]> = series.into();
        registered.deployments.push(Arc::downgrade(&series));
        StageSeries(series)
    }

    /// Forgets every series that no deployment has any more; they are no longer scraped. Cheap where no
    /// deployment has gone.
    pub fn sweep(&self) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        stages.retain(|_, stage| {
            let before = stage.deployments.len();
            stage.deployments.retain(|deployment| deployment.strong_count() > 0);
            if stage.deployments.len() < before || stage.deployments.is_empty() {
                // Nobody can get one from here meanwhile: that takes the lock.
                stage.series.retain(|series| Arc::strong_count(series) > 1);
                stage.series.shrink_to_fit();
            }
            !stage.series.is_empty()
        });
    }

    /// Series there are.
    pub fn series_count(&self) -> usize {
        let stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        stages.values().map(|stage| stage.series.len()).sum()
    }

    /// All of it in Prometheus's text format; serve it as [`CONTENT_TYPE`](super::CONTENT_TYPE). A
    /// series is in it from its first request on.
    pub fn render(&self) -> String {
        // Arcs are copied out so that a publish does not wait for the rendering.
        let stages: Vec<ScrapedStage> = {
            let stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
            let counted = |series: &&Arc<Series>| series.counted().next().is_some();
            stages
                .iter()
                .map(|(key, stage)| ScrapedStage {
                    key: key.clone(),
                    api_name: Arc::clone(&stage.api_name),
                    series: stage.series.iter().filter(counted).cloned().collect(),
                })
                .collect()
        };
        prometheus::render(&self.shards, &stages, self.started_at)
    }

    /// What is counted by usage plan, in the same format; `names` are the plans' ids by their numbers.
    pub fn render_plans(&self, names: &[Box<str>]) -> String {
        prometheus::plans(&self.shards, names)
    }
}
