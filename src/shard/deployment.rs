//! What a shard serves: its own view of what was published.
//!
//! A request holds the deployment it came to until its end, by a count that only this thread changes;
//! the stage behind it is shared with all shards.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::context::ContextVariable;
use crate::deploy::{Change, CompiledStage, Publication};
use crate::gateway::canary::CanaryShare;
use crate::gateway::find_api::ApiTable;
use crate::telemetry::{AccessLogFormat, Refused, StageSeries};

/// One deployment of a stage: what a request is answered from.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) stage: Arc<CompiledStage>,
    /// How access-log lines are written; `None`: they are not.
    pub(super) access_log: Option<Arc<AccessLogFormat>>,
    /// On a stage with a canary: whether this is the canary's.
    pub(super) is_canary: Option<bool>,
    /// Whether something shows why a body is refused.
    pub(super) explains: bool,
    /// Under the stage's name, and for a canary under its own, too.
    series: [Option<StageSeries>; 2],
}

impl Deployment {
    /// The one of requests that come to no stage.
    pub(super) fn nowhere(stage: Arc<CompiledStage>) -> Self {
        let (is_canary, explains) = (None, false);
        Self { stage, access_log: None, is_canary, explains, series: [None, None] }
    }

    /// Counts an answered request.
    pub(super) fn count(
        &self,
        shard: usize,
        method: Option<u32>,
        status: u16,
        latency: Duration,
        integration_latency: Option<Duration>,
        refused: Option<Refused>,
    ) {
        for series in self.series.iter().flatten() {
            let cells = series.of(method).of_shard(shard);
            cells.record(status, latency, integration_latency);
            if let Some(why) = refused {
                cells.refused(why);
            }
        }
    }
}

/// A stage as it is served.
#[derive(Debug)]
pub(super) struct StageEntry {
    pub(super) main: Rc<Deployment>,
    canary: Option<(CanaryShare, Rc<Deployment>)>,
}

impl StageEntry {
    fn new(publication: &Publication) -> Self {
        let Publication { content, series, canary_series } = publication;
        let is_logged = content
            .access_log
            .as_ref()
            .is_some_and(|format| format.reads(ContextVariable::ErrorValidationErrorString));
        let explains = |stage: &CompiledStage| is_logged || stage.gateway_responses.explain();
        let canary = content.canary.as_ref().zip(canary_series.as_ref()).map(|(canary, series)| {
            let deployment = Deployment {
                stage: Arc::clone(&canary.stage),
                access_log: content.access_log.clone(),
                is_canary: Some(true),
                explains: explains(&canary.stage),
                series: [Some(series.stage.clone()), Some(series.canary.clone())],
            };
            (CanaryShare::percent(canary.percent_traffic), Rc::new(deployment))
        });
        let main = Deployment {
            stage: Arc::clone(&content.main),
            access_log: content.access_log.clone(),
            is_canary: canary.as_ref().map(|_| false),
            explains: explains(&content.main),
            series: [Some(series.clone()), None],
        };
        Self { main: Rc::new(main), canary }
    }

    /// The deployment of the next request.
    #[inline]
    pub(super) fn draw(&self, random: &mut fastrand::Rng) -> &Rc<Deployment> {
        match &self.canary {
            Some((share, canary)) if share.draw(random) => canary,
            _ => &self.main,
        }
    }
}

/// Changes what is served, all at once.
pub(super) fn apply(table: &mut ApiTable<StageEntry>, batch: &[Change]) {
    for change in batch {
        match change {
            Change::Serve(publication) => {
                let CompiledStage { api_id, stage, .. } = &*publication.content.main;
                table.serve(api_id, stage, StageEntry::new(publication));
            }
            Change::Remove { api_id, stage } => table.remove(api_id, stage),
            Change::Domains(domains) => table.set_domains(Arc::clone(domains)),
            Change::DefaultEndpoint { api_id, enabled } => {
                table.set_default_endpoint(api_id, *enabled);
            }
            Change::DefaultApi(api_id) => table.set_default_api(api_id.as_deref()),
        }
    }
    table.end_batch();
}
