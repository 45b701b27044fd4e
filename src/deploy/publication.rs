//! What the control plane publishes, and what every shard gets of it.
//!
//! ```text
//! Update ── with the series that count its requests ──▶ Change ──▶ Batch, the same for all shards
//! ```
//!
//! A batch is applied by a shard at once, between two requests.

use std::sync::Arc;

use super::compiled::CompiledStage;
use super::domains::DomainTable;
use crate::telemetry::{AccessLogFormat, Registry, StageSeries};

/// What a stage serves. Its key is the API's id and the stage's name of `main`.
#[derive(Clone, Debug)]
pub struct StageContent {
    /// The stage's own deployment.
    pub main: Arc<CompiledStage>,
    /// The canary, if the stage has one.
    pub canary: Option<CanaryContent>,
    /// How access-log lines are written; `None`: they are not.
    pub access_log: Option<Arc<AccessLogFormat>>,
}

/// A stage's canary.
#[derive(Clone, Debug)]
pub struct CanaryContent {
    /// Its part of the requests, 0.0 to 100.0.
    pub percent_traffic: f64,
    /// The canary's deployment, compiled with the overridden stage variables.
    pub stage: Arc<CompiledStage>,
}

/// One thing that changes in what is served.
#[derive(Clone, Debug)]
pub enum Update {
    /// The stage is there, with this content.
    Serve(StageContent),
    /// The stage is gone.
    Remove {
        /// Id of its API.
        api_id: String,
        /// Its name.
        stage: String,
    },
    /// These are all custom domain names.
    Domains(Arc<DomainTable>),
    /// `disableExecuteApiEndpoint`: without its default endpoint an API answers on custom domain names
    /// only. Kept until it is enabled again, whatever becomes of the API's stages.
    DefaultEndpoint {
        /// The API.
        api_id: String,
        /// Whether it is there.
        enabled: bool,
    },
    /// Requests that nothing else fits go to this API, as with `ringway run`; `None`: they are refused.
    DefaultApi(Option<String>),
}

/// A stage as shards get it.
#[derive(Debug)]
pub struct Publication {
    /// What it serves.
    pub content: StageContent,
    /// What counts the requests of `main`.
    pub series: StageSeries,
    /// What counts the canary's.
    pub canary_series: Option<CanarySeries>,
}

/// What counts a canary's requests.
///
/// CloudWatch shows them under the stage `{stage}/Canary` besides the stage itself, as the logs of a
/// canary go to a group of their own in addition to the stage's (facts, stages section 4; the naming of
/// the metrics is not verified there).
#[derive(Debug)]
pub struct CanarySeries {
    /// Under the stage's name.
    pub stage: StageSeries,
    /// Under `{stage}/Canary`.
    pub canary: StageSeries,
}

/// An [`Update`] as shards get it.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Change {
    Serve(Arc<Publication>),
    Remove { api_id: String, stage: String },
    Domains(Arc<DomainTable>),
    DefaultEndpoint { api_id: String, enabled: bool },
    DefaultApi(Option<String>),
}

/// Changes that are applied together.
pub type Batch = Arc<[Change]>;

/// Called by a shard once it has applied a batch and holds nothing of it but what it serves.
pub type Applied = Box<dyn FnOnce() + Send>;

impl Publication {
    /// `content` with the series of `registry`: those that count for the stage already, and new ones.
    pub fn new(content: StageContent, registry: &Registry) -> Self {
        let canary_series = content.canary.as_ref().map(|CanaryContent { stage, .. }| {
            let label = format!("{}/Canary", content.main.stage);
            CanarySeries {
                stage: series(registry, stage, &content.main.stage),
                canary: series(registry, stage, &label),
            }
        });
        let series = series(registry, &content.main, &content.main.stage);
        Self { content, series, canary_series }
    }
}

fn series(registry: &Registry, stage: &CompiledStage, label: &str) -> StageSeries {
    let methods =
        stage.methods.iter().map(|method| (&method.resource_path, method.http_method.as_str()));
    registry.stage(&stage.api_name, &stage.api_id, label, methods)
}

impl Change {
    /// The update with what counts its requests.
    pub fn new(update: Update, registry: &Registry) -> Self {
        match update {
            Update::Serve(content) => Self::Serve(Arc::new(Publication::new(content, registry))),
            Update::Remove { api_id, stage } => Self::Remove { api_id, stage },
            Update::Domains(table) => Self::Domains(table),
            Update::DefaultEndpoint { api_id, enabled } => {
                Self::DefaultEndpoint { api_id, enabled }
            }
            Update::DefaultApi(api_id) => Self::DefaultApi(api_id),
        }
    }
}
