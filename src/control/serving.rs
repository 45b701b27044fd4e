//! From the store to what shards serve: snapshots are thawed, compiled against their stage's settings, and
//! become updates. Runs on a thread of its own and never on a shard's.
//!
//! In: a transaction of the store, what a call changed of it. Out: updates for
//! [`DataPlane::publish`](super::publish::DataPlane::publish), or the error that names the object which
//! does not compile; nothing has been published then.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::api::objects::{self, RestApi, SNAPSHOT, Stage};
use super::api::{ApiError, Effects};
use super::definition::Definition;
use super::publish::{CanaryContent, StageContent, Update};
use super::vault::Vault;
use crate::deploy::{self, CompileEnv, CompileError, CompiledStage, StageSettings};
use crate::limits::Limits;
use crate::model::{self, ThrottleSettings};
use crate::store::{Store, StoreError, Transaction};
use crate::telemetry::AccessLogFormat;
use crate::throttle::BucketRegistry;
use crate::time::Nanos;
use crate::upstream::TargetRegistry;

/// Declared snapshots that are kept: changes of a stage's settings come in rows and need no new one.
const RECENT_MAX: usize = 4;
/// Declared snapshots that wait to be compiled at the start.
const DECLARED_AHEAD_MAX: usize = 4;
/// Errors of a stage that a refusal tells.
const ERRORS_TOLD_MAX: usize = 5;

/// What stages are compiled with.
pub struct ServingConfig {
    /// Limits in force.
    pub limits: Arc<Limits>,
    /// Limit of the whole account; `None`: off.
    pub account_throttle: Option<ThrottleSettings>,
    /// Owner's account.
    pub account_id: String,
    /// Opens private keys.
    pub vault: Arc<Vault>,
    /// Format of the access log of stages that have none of their own; `None`: the log is off.
    pub access_log: Option<Arc<AccessLogFormat>>,
}

/// Compiles stages of the store.
pub struct Serving {
    config: ServingConfig,
    buckets: Arc<BucketRegistry>,
    targets: Arc<TargetRegistry>,
    recent: Mutex<VecDeque<Declared>>,
}

/// A snapshot's model; a deployment's never changes.
#[derive(Clone)]
struct Declared {
    api: String,
    deployment: String,
    model: Arc<model::RestApi>,
}

/// What a start found in the store.
#[derive(Default)]
pub struct Everything {
    /// All that can be served.
    pub updates: Vec<Update>,
    /// Stages that do not compile any more, and why.
    pub failures: Vec<String>,
}

impl Serving {
    /// Nothing is compiled yet.
    pub fn new(
        config: ServingConfig,
        buckets: Arc<BucketRegistry>,
        targets: Arc<TargetRegistry>,
    ) -> Self {
        Self { config, buckets, targets, recent: Mutex::default() }
    }

    /// What shards have to be told of a call's effects.
    ///
    /// # Errors
    /// A stage does not compile: `BadRequestException` with the objects and what is wrong with them.
    pub fn updates(
        &self,
        store: &Transaction,
        effects: &Effects,
        now: Nanos,
    ) -> Result<Vec<Update>, ApiError> {
        let mut updates = Vec::new();
        for (api_id, stage) in &effects.removed_stages {
            updates.push(Update::Remove { api_id: api_id.clone(), stage: stage.clone() });
        }
        for (api, name) in &effects.changed_stages {
            if effects.removed_stages.contains(&(api.clone(), name.clone())) {
                continue;
            }
            let Some(stage) = store.get::<Stage>(&[api, name])? else { continue };
            let declared = |deployment: &str| self.declared(store, api, deployment);
            updates.push(Update::Serve(self.content(store, &stage, now, declared)?));
        }
        for api in &effects.endpoints {
            let api = store.get::<RestApi>(&[api])?.map_or_else(
                || (api.clone(), true),
                |it| (it.id, !it.disable_execute_api_endpoint),
            );
            updates.push(Update::DefaultEndpoint { api_id: api.0, enabled: api.1 });
        }
        if effects.domains {
            updates.push(Update::Domains(Arc::new(super::api::domain_table(store)?)));
        }
        Ok(updates)
    }

    /// All stages of the store. One that does not compile (it was stored by another version) is left
    /// out, and the rest is served.
    ///
    /// Snapshots are read and declared on another thread than they are compiled on: it takes half the
    /// time, and what is short-lived does not lie between what stays, which would keep its memory.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn everything(&self, store: &Store, now: Nanos) -> Result<Everything, StoreError> {
        let reading = store.read()?;
        let mut all = Everything::default();
        std::thread::scope(|scope| {
            let (ready, stages) = sync_channel(DECLARED_AHEAD_MAX);
            let declaring = scope.spawn(move || declare_all(store, &ready));
            for Ready { api, stage, models } in stages {
                let declared = |deployment: &str| {
                    let found = models.iter().find(|(id, _)| id == deployment);
                    found.map_or_else(|| Err(no_snapshot(&api, deployment)), |(_, it)| it.clone())
                };
                match self.content(&reading, &stage, now, declared) {
                    Ok(content) => all.updates.push(Update::Serve(content)),
                    Err(error) => all.failures.push(format!(
                        "stage {} of API {api} is not served: {}",
                        stage.stage_name, error.message
                    )),
                }
            }
            declaring.join().expect("what a store holds does not make us panic")
        })?;
        for api in reading.list::<RestApi>(&[])? {
            if api.disable_execute_api_endpoint {
                all.updates.push(Update::DefaultEndpoint { api_id: api.id, enabled: false });
            }
        }
        all.updates.push(Update::Domains(Arc::new(super::api::domain_table(&reading)?)));
        Ok(all)
    }

    /// A stage with its canary, compiled; `declared` gives the model of a deployment.
    fn content(
        &self,
        store: &Transaction,
        stage: &Stage,
        now: Nanos,
        declared: impl Fn(&str) -> Result<Arc<model::RestApi>, ApiError>,
    ) -> Result<StageContent, ApiError> {
        let variables = stage.variables.clone().unwrap_or_default();
        let certificate = super::api::client_certificate(store, &self.config.vault, stage)?;
        let settings = |deployment: &str, variables| StageSettings {
            stage: stage.stage_name.clone(),
            variables,
            limits: self.config.limits.clone(),
            account_throttle: self.config.account_throttle,
            account_id: self.config.account_id.clone(),
            deployment_id: deployment.to_owned(),
            method_settings: method_settings(stage),
            client_certificate: certificate.clone(),
        };
        let compile = |deployment: &str, variables| {
            let declared = declared(deployment)?;
            let settings = settings(deployment, variables);
            self.compile(&declared, &settings, now).map(Arc::new)
        };
        let main = compile(&stage.deployment_id, variables.clone())?;
        let canary = match &stage.canary_settings {
            None => None,
            Some(canary) => {
                let deployment = canary.deployment_id.as_deref().unwrap_or(&stage.deployment_id);
                let mut variables = variables;
                variables.extend(canary.stage_variable_overrides.clone().unwrap_or_default());
                Some(CanaryContent {
                    percent_traffic: canary.percent_traffic,
                    stage: compile(deployment, variables)?,
                })
            }
        };
        Ok(StageContent { main, canary, access_log: self.access_log(stage)? })
    }

    /// Compiles a model that is not deployed, for a test invocation.
    ///
    /// # Errors
    /// As [`Self::updates`].
    pub fn trial(
        &self,
        definition: &Definition,
        variables: BTreeMap<String, String>,
        now: Nanos,
    ) -> Result<CompiledStage, ApiError> {
        let settings = StageSettings {
            stage: TEST_STAGE.to_owned(),
            variables,
            limits: self.config.limits.clone(),
            account_id: self.config.account_id.clone(),
            ..StageSettings::default()
        };
        // Buckets of its own: a test spends nothing of what is served.
        let buckets = BucketRegistry::default();
        let mut env = CompileEnv { buckets: &buckets, targets: &self.targets, now };
        deploy::compile(&definition.declare(), &settings, &mut env)
            .map_err(|errors| refusal(&errors))
    }

    fn compile(
        &self,
        model: &model::RestApi,
        settings: &StageSettings,
        now: Nanos,
    ) -> Result<CompiledStage, ApiError> {
        let mut env = CompileEnv { buckets: &self.buckets, targets: &self.targets, now };
        deploy::compile(model, settings, &mut env).map_err(|errors| refusal(&errors))
    }

    fn declared(
        &self,
        store: &Transaction,
        api: &str,
        deployment: &str,
    ) -> Result<Arc<model::RestApi>, ApiError> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = recent.iter().find(|it| it.api == api && it.deployment == deployment) {
            return Ok(known.model.clone());
        }
        let model = declare(store, api, deployment)?;
        recent.truncate(RECENT_MAX - 1);
        recent.push_front(Declared {
            api: api.to_owned(),
            deployment: deployment.to_owned(),
            model: model.clone(),
        });
        Ok(model)
    }

    /// Forgets which snapshots it has read: after a restore the same ids may mean others.
    pub fn forget(&self) {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn access_log(&self, stage: &Stage) -> Result<Option<Arc<AccessLogFormat>>, ApiError> {
        let Some(default) = &self.config.access_log else { return Ok(None) };
        match stage.access_log_settings.as_ref().and_then(|it| it.format.as_deref()) {
            None => Ok(Some(default.clone())),
            Some(format) => {
                AccessLogFormat::parse(format).map(Arc::new).map(Some).map_err(|error| {
                    ApiError::bad_request(format!("Invalid access log format: {error}"))
                })
            }
        }
    }
}

/// A stage of the store, and the models of its deployments by their ids.
struct Ready {
    api: String,
    stage: Stage,
    models: Models,
}

type Models = Vec<(String, Result<Arc<model::RestApi>, ApiError>)>;

/// Declares the snapshots of all stages, one API after the other, until nobody takes them any more.
fn declare_all(store: &Store, ready: &SyncSender<Ready>) -> Result<(), StoreError> {
    let reading = store.read()?;
    for RestApi { id: api, .. } in reading.list(&[])? {
        // Stages of an API often have the same one.
        let mut models = Models::new();
        for stage in reading.list::<Stage>(&[&api])? {
            let canary = stage.canary_settings.as_ref().and_then(|it| it.deployment_id.as_ref());
            for deployment in [Some(&stage.deployment_id), canary].into_iter().flatten() {
                if models.iter().all(|(id, _)| id != deployment) {
                    models.push((deployment.clone(), declare(&reading, &api, deployment)));
                }
            }
            let of_stage = Ready { api: api.clone(), stage, models: models.clone() };
            if ready.send(of_stage).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The model of what a deployment froze.
fn declare(
    store: &Transaction,
    api: &str,
    deployment: &str,
) -> Result<Arc<model::RestApi>, ApiError> {
    let text = store.blob(SNAPSHOT, &[api, deployment])?;
    let text = text.ok_or_else(|| no_snapshot(api, deployment))?;
    Ok(Arc::new(Definition::thaw(&text)?.declare()))
}

fn no_snapshot(api: &str, deployment: &str) -> ApiError {
    ApiError::internal(format!("deployment {deployment} of API {api} has no snapshot"))
}

/// Name of the stage that a test invocation runs in. Source: facts, rest-api section 16.
pub const TEST_STAGE: &str = "test-invoke-stage";

/// Settings of the stage's methods as the compiler takes them.
fn method_settings(stage: &Stage) -> BTreeMap<String, model::MethodSetting> {
    let setting = |it: &objects::MethodSetting| model::MethodSetting {
        metrics_enabled: Some(it.metrics_enabled),
        logging_level: it.logging_level.clone(),
        data_trace_enabled: Some(it.data_trace_enabled),
        // Below 0: no limit.
        throttling_burst_limit: u32::try_from(it.throttling_burst_limit).ok(),
        throttling_rate_limit: Some(it.throttling_rate_limit).filter(|&rate| rate >= 0.0),
        caching_enabled: Some(it.caching_enabled),
        cache_ttl_in_seconds: u32::try_from(it.cache_ttl_in_seconds).ok(),
        cache_data_encrypted: Some(it.cache_data_encrypted),
        require_authorization_for_cache_control: Some(it.require_authorization_for_cache_control),
        unauthorized_cache_control_header_strategy: Some(
            it.unauthorized_cache_control_header_strategy.clone(),
        ),
    };
    stage.method_settings.iter().map(|(key, it)| (key.clone(), setting(it))).collect()
}

/// What does not compile, by object.
fn refusal(errors: &[CompileError]) -> ApiError {
    let mut told: Vec<String> =
        errors.iter().take(ERRORS_TOLD_MAX).map(ToString::to_string).collect();
    if errors.len() > ERRORS_TOLD_MAX {
        told.push(format!("and {} more", errors.len() - ERRORS_TOLD_MAX));
    }
    ApiError::bad_request(format!("The deployment cannot be served: {}", told.join("; ")))
}
