//! The config flow: document → model → compiled stage → every shard.
//!
//! A [`DataPlane`] brings [`Update`]s to the shards, whoever makes them: it gives them the series that
//! count their requests, hands them to every shard, waits until all have applied them, and forgets what
//! nobody uses any more. So who is told that a deployment is there finds it on every shard.
//!
//! A [`Publisher`] is the one of `ringway run`: [`Publisher::prepare`] does all that can fail without
//! touching what is served; [`Publisher::publish`] then hands the stage to the shards. A definition that
//! does not compile is never published: the one before stays. Throttle buckets and targets live in
//! registries that outlast a publish, so a reload neither refills a bucket nor closes a kept connection.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, oneshot};

use crate::deploy::{self, Applied, Batch, Change, CompileEnv, CompiledStage, StageSettings};
use crate::model::{IntegrationType, Method, RestApi};
use crate::openapi::{self, Document, Import, Severity};
use crate::telemetry::{AccessLogFormat, Registry};
use crate::throttle::BucketRegistry;
use crate::time::Nanos;
use crate::upstream::TargetRegistry;

pub use crate::deploy::{
    BasePathMapping, CanaryContent, Domain, DomainTable, Publication, StageContent, Update,
};

use super::findings::{self, Finding};

/// How long a shard may leave its mailbox full, or a batch unapplied, before publishing gives up.
const MAILBOX_WAIT: Duration = Duration::from_secs(5);
/// Between two tries at a full mailbox.
const MAILBOX_RETRY: Duration = Duration::from_millis(5);

/// Makes stages of one document and brings them to the shards.
pub struct Publisher {
    settings: StageSettings,
    access_log: Option<Arc<AccessLogFormat>>,
    buckets: Arc<BucketRegistry>,
    targets: Arc<TargetRegistry>,
    /// Model of what is served, for saying what a reload changed.
    served: Option<RestApi>,
}

/// A definition that compiles.
#[derive(Debug)]
pub struct Prepared {
    /// What the document declares.
    pub api: RestApi,
    /// What shards serve.
    pub stage: Arc<CompiledStage>,
    /// Warnings, and what is not carried out yet.
    pub findings: Vec<Finding>,
}

/// The shards, as publishing sees them.
pub trait Shards {
    /// How many there are.
    fn count(&self) -> usize;

    /// Hands a batch to one shard without waiting; `applied` is called when it has been applied.
    ///
    /// # Errors
    /// Why it was not taken; the caller may try again after [`Refusal::Full`].
    fn offer(&self, shard: usize, batch: &Batch, applied: Applied) -> Result<(), Refusal>;
}

/// Why a shard did not take a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its mailbox is full.
    Full,
    /// Its thread is gone.
    Gone,
    /// It took the batch and has not applied it.
    Silent,
}

/// A shard that does not apply what is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishError {
    shard: usize,
    refusal: Refusal,
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.refusal {
            Refusal::Full => "has not looked into its mailbox for 5 s",
            Refusal::Gone => "has ended",
            Refusal::Silent => "has not applied what was published for 5 s",
        };
        write!(f, "shard {} {why}", self.shard)
    }
}

impl std::error::Error for PublishError {}

/// What is served, seen from where it is decided.
///
/// One for the process; any number of tasks may publish.
pub struct DataPlane {
    shards: Arc<dyn Shards + Send + Sync>,
    registry: Arc<Registry>,
    buckets: Arc<BucketRegistry>,
    targets: Arc<TargetRegistry>,
    /// What every stage serves, by API and stage. Locked for as long as a batch is on its way: all
    /// shards apply batches in the same order.
    served: Mutex<HashMap<(String, String), Arc<Publication>>>,
}

impl fmt::Debug for DataPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataPlane").field("shards", &self.shards.count()).finish_non_exhaustive()
    }
}

impl DataPlane {
    /// Nothing is served yet. Buckets and targets are those that stages are compiled with.
    pub fn new(
        shards: Arc<dyn Shards + Send + Sync>,
        registry: Arc<Registry>,
        buckets: Arc<BucketRegistry>,
        targets: Arc<TargetRegistry>,
    ) -> Self {
        Self { shards, registry, buckets, targets, served: Mutex::default() }
    }

    /// Brings updates to every shard, which applies all of them between two requests; returns when all
    /// shards have. A request that is in flight ends on the stage that it began with.
    ///
    /// Names of new targets are to be resolved before ([`super::resolve::Refresher::resolve_new`]): a
    /// request to a target without addresses fails.
    ///
    /// To be awaited to its end: dropped before, some shards may have the updates and others not. A task
    /// of its own is the place for it, not a client's call.
    ///
    /// # Errors
    /// A shard is gone or stuck. Others may have applied the updates: the process should end.
    pub async fn publish(&self, updates: Vec<Update>, now: Nanos) -> Result<(), PublishError> {
        let mut served = self.served.lock().await;
        for update in &updates {
            let Update::Serve(content) = update else { continue };
            if let Some(canary) = &content.canary {
                canary.stage.apply_throttles(now);
            }
            // A bucket that both have gets the setting of the stage itself.
            content.main.apply_throttles(now);
        }
        let changes = updates.into_iter().map(|update| Change::new(update, &self.registry));
        let batch: Batch = changes.collect();
        self.deliver(&batch).await?;
        // What is replaced is dropped here and not by a shard: freeing a large stage takes its time.
        for change in &*batch {
            match change {
                Change::Serve(publication) => {
                    let CompiledStage { api_id, stage, .. } = &*publication.content.main;
                    served.insert((api_id.clone(), stage.clone()), Arc::clone(publication));
                }
                Change::Remove { api_id, stage } => {
                    served.remove(&(api_id.clone(), stage.clone()));
                }
                Change::Domains(_) | Change::DefaultEndpoint { .. } | Change::DefaultApi(_) => {}
            }
        }
        drop(batch);
        self.registry.sweep();
        self.buckets.sweep();
        self.targets.sweep();
        Ok(())
    }

    async fn deliver(&self, batch: &Batch) -> Result<(), PublishError> {
        let deadline = Instant::now() + MAILBOX_WAIT;
        let mut on_their_way = Vec::with_capacity(self.shards.count());
        for shard in 0..self.shards.count() {
            loop {
                let (told, applied) = oneshot::channel();
                let told = Box::new(move || {
                    // Nobody listens any more where another shard has failed.
                    let _ = told.send(());
                });
                match self.shards.offer(shard, batch, told) {
                    Ok(()) => break on_their_way.push(applied),
                    Err(Refusal::Full) if Instant::now() < deadline => {
                        tokio::time::sleep(MAILBOX_RETRY).await;
                    }
                    Err(refusal) => return Err(PublishError { shard, refusal }),
                }
            }
        }
        for (shard, applied) in on_their_way.into_iter().enumerate() {
            let refusal = match tokio::time::timeout_at(deadline.into(), applied).await {
                Ok(Ok(())) => continue,
                Ok(Err(_)) => Refusal::Gone,
                Err(_) => Refusal::Silent,
            };
            return Err(PublishError { shard, refusal });
        }
        Ok(())
    }
}

/// What a publish changed, in routes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// New.
    pub added: usize,
    /// No more there.
    pub removed: usize,
    /// The same method and path, declared otherwise.
    pub changed: usize,
    /// As before.
    pub unchanged: usize,
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, removed, changed, unchanged } = self;
        write!(
            f,
            "routes: {added} added, {removed} removed, {changed} changed, {unchanged} unchanged"
        )
    }
}

impl Publisher {
    /// A publisher for one stage.
    pub fn new(
        settings: StageSettings,
        buckets: Arc<BucketRegistry>,
        targets: Arc<TargetRegistry>,
    ) -> Self {
        Self { settings, access_log: None, buckets, targets, served: None }
    }

    /// The same with an access log.
    #[must_use]
    pub fn with_access_log(self, format: Option<Arc<AccessLogFormat>>) -> Self {
        Self { access_log: format, ..self }
    }

    /// Reads and compiles a document; `now` is what new throttle buckets start from.
    ///
    /// # Errors
    /// Everything that is wrong, by position; at least one is a [`Severity::Error`].
    pub fn prepare(&self, text: &[u8], now: Nanos) -> Result<Prepared, Vec<Finding>> {
        let limit = self.settings.limits.definition_bytes;
        let document = read(text, limit).map_err(|finding| vec![finding])?;
        let Import { api, diagnostics, .. } = openapi::import(&document);
        let mut found: Vec<Finding> = diagnostics.into_iter().map(Finding::from).collect();
        let mut env = CompileEnv { buckets: &self.buckets, targets: &self.targets, now };
        let settings =
            StageSettings { deployment_id: deployment_id(text), ..self.settings.clone() };
        let mut warnings = Vec::new();
        let compiled = match deploy::compile_with(&api, &settings, &mut env, &mut warnings) {
            Ok(stage) => Some(Arc::new(stage)),
            Err(errors) => {
                let errors = errors
                    .into_iter()
                    .map(|it| Finding::from_compile(it, Severity::Error, &document));
                let news: Vec<Finding> =
                    errors.filter(|error| !findings::follows(error, &found)).collect();
                found.extend(news);
                None
            }
        };
        let warnings = warnings.into_iter();
        found.extend(warnings.map(|it| Finding::from_compile(it, Severity::Warning, &document)));
        findings::sort(&mut found);
        match compiled {
            Some(stage) if found.iter().all(|finding| finding.severity != Severity::Error) => {
                Ok(Prepared { api, stage, findings: found })
            }
            _ => Err(found),
        }
    }

    /// Has a stage been published?
    pub fn has_served(&self) -> bool {
        self.served.is_some()
    }

    /// Makes every shard serve a prepared stage, and waits until all do: on the API's own host and in
    /// the path form as every API, and as the default API on any other.
    ///
    /// # Errors
    /// A shard is gone or stuck. Others may serve the new stage already: the process should end.
    pub async fn publish(
        &mut self,
        prepared: Prepared,
        plane: &DataPlane,
        now: Nanos,
    ) -> Result<Changes, PublishError> {
        let Prepared { api, stage, .. } = prepared;
        let mut updates = Vec::new();
        if let Some(before) = self.served.as_ref().filter(|before| before.id != api.id) {
            let (api_id, stage) = (before.id.clone(), self.settings.stage.clone());
            updates.push(Update::Remove { api_id, stage });
        }
        let access_log = self.access_log.clone();
        updates.push(Update::Serve(StageContent { main: stage, canary: None, access_log }));
        updates.push(Update::DefaultApi(Some(api.id.clone())));
        plane.publish(updates, now).await?;
        let changes = changes(self.served.as_ref(), &api);
        self.served = Some(api);
        Ok(changes)
    }
}

fn read(text: &[u8], bytes_max: Option<u64>) -> Result<Document, Finding> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let line = 1 + text[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
        Finding {
            severity: Severity::Error,
            position: Some((u32::try_from(line).unwrap_or(u32::MAX), 1)),
            pointer: String::new(),
            message: "the document is not UTF-8 text".to_owned(),
            help: "save it as UTF-8; the first bytes that are not are on this line".to_owned(),
        }
    })?;
    Ok(Document::parse_within(text, bytes_max)?)
}

/// An id as AWS's are, six lower-case letters and digits, made from the definition: the same text is
/// the same deployment on every machine.
fn deployment_id(text: &[u8]) -> String {
    // FNV-1a, 64 bits.
    let mut hash = text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut id = String::with_capacity(6);
    for _ in 0..6 {
        id.push(char::from(DIGITS[(hash % 36) as usize]));
        hash /= 36;
    }
    id
}

/// An API's methods by method name and path.
fn methods(api: &RestApi) -> BTreeMap<(&str, &str), &Method> {
    api.resources
        .iter()
        .flat_map(|resource| {
            resource
                .methods
                .iter()
                .map(|(name, method)| ((resource.path.as_str(), name.as_str()), method))
        })
        .collect()
}

fn changes(before: Option<&RestApi>, after: &RestApi) -> Changes {
    let old: HashMap<_, _> = before.map(methods).unwrap_or_default().into_iter().collect();
    let new = methods(after);
    let mut changes = Changes::default();
    for (route, method) in &new {
        match old.get(route) {
            None => changes.added += 1,
            Some(was) if was == method => changes.unchanged += 1,
            Some(_) => changes.changed += 1,
        }
    }
    changes.removed = old.keys().filter(|route| !new.contains_key(*route)).count();
    changes
}

/// One line per route: method, path and integration, in columns.
pub fn route_lines(api: &RestApi) -> Vec<String> {
    let routes: Vec<(&str, &str, String)> = methods(api)
        .into_iter()
        .map(|((path, name), method)| (name, path, integration_of(method)))
        .collect();
    let path_width = routes.iter().map(|(_, path, _)| path.chars().count()).max().unwrap_or(0);
    routes
        .into_iter()
        .map(|(name, path, integration)| format!("{name:<7}  {path:<path_width$}  {integration}"))
        .collect()
}

fn integration_of(method: &Method) -> String {
    let Some(integration) = &method.integration else {
        return "none".to_owned();
    };
    match (&integration.kind, &integration.uri) {
        (IntegrationType::Mock, _) | (_, None) => integration.kind.as_str().to_owned(),
        (kind, Some(uri)) => format!("{} {uri}", kind.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::limits::Limits;
    use crate::model::{Integration, MethodName, Resource};

    fn api(routes: &[(&str, MethodName, Option<&str>)]) -> RestApi {
        let mut api = RestApi { id: "a1b2c3d4e5".to_owned(), ..RestApi::default() };
        for &(path, name, uri) in routes {
            let method = Method {
                integration: Some(Integration {
                    kind: uri.map_or(IntegrationType::Mock, |_| IntegrationType::HttpProxy),
                    uri: uri.map(str::to_owned),
                    ..Integration::default()
                }),
                ..Method::default()
            };
            match api.resources.iter_mut().find(|resource| resource.path == path) {
                Some(resource) => drop(resource.methods.insert(name, method)),
                None => api.resources.push(Resource {
                    path: path.to_owned(),
                    methods: BTreeMap::from([(name, method)]),
                    ..Resource::default()
                }),
            }
        }
        api
    }

    #[test]
    fn changes_are_counted_by_route() {
        use MethodName::{Get, Post};
        let before = api(&[("/a", Get, None), ("/a", Post, None), ("/b", Get, Some("http://x/"))]);
        let after = api(&[("/a", Get, None), ("/b", Get, Some("http://y/")), ("/c", Get, None)]);
        let want = Changes { added: 1, removed: 1, changed: 1, unchanged: 1 };
        assert_eq!(changes(Some(&before), &after), want);
        assert_eq!(changes(None, &after), Changes { added: 3, ..Changes::default() });
        assert_eq!(want.to_string(), "routes: 1 added, 1 removed, 1 changed, 1 unchanged");
    }

    #[test]
    fn routes_are_listed_in_columns() {
        let api = api(&[
            ("/pets/{petId}", MethodName::Get, None),
            ("/files", MethodName::Any, Some("http://127.0.0.1:9000/{proxy}")),
        ]);
        assert_eq!(
            route_lines(&api),
            [
                "ANY      /files         HTTP_PROXY http://127.0.0.1:9000/{proxy}",
                "GET      /pets/{petId}  MOCK",
            ]
        );
    }

    /// Takes nothing `full` times, then everything.
    #[derive(Default)]
    struct Scripted {
        full: AtomicU32,
        refusal: Option<Refusal>,
        taken: std::sync::Mutex<Vec<(usize, Batch)>>,
    }

    impl Shards for Scripted {
        fn count(&self) -> usize {
            2
        }

        fn offer(&self, shard: usize, batch: &Batch, applied: Applied) -> Result<(), Refusal> {
            let full = &self.full;
            if full.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
                return Err(Refusal::Full);
            }
            if let Some(refusal) = self.refusal {
                return Err(refusal);
            }
            self.taken.lock().unwrap().push((shard, Arc::clone(batch)));
            applied();
            Ok(())
        }
    }

    fn plane(shards: Arc<Scripted>) -> DataPlane {
        DataPlane::new(shards, Arc::new(Registry::new(2)), Arc::default(), Arc::default())
    }

    fn publisher() -> Publisher {
        let settings = StageSettings {
            stage: "dev".to_owned(),
            limits: Arc::new(Limits::default()),
            ..StageSettings::default()
        };
        Publisher::new(settings, Arc::default(), Arc::default())
    }

    const DOCUMENT: &[u8] = br#"{
      "openapi": "3.0.1", "info": {"title": "T", "version": "1"},
      "paths": {"/a": {"get": {"x-amazon-apigateway-integration": {"type": "mock",
        "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": "200"}}}}}}
    }"#;

    #[test]
    fn every_shard_gets_the_stage_though_its_mailbox_is_full_at_first() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut publisher = publisher();
            let shards = Arc::new(Scripted { full: AtomicU32::new(3), ..Scripted::default() });
            let prepared = publisher.prepare(DOCUMENT, Nanos(1)).expect("a good document");
            let plane = plane(Arc::clone(&shards));
            let changes = publisher.publish(prepared, &plane, Nanos(1)).await.unwrap();
            let taken: Vec<usize> =
                shards.taken.lock().unwrap().iter().map(|(shard, _)| *shard).collect();
            assert_eq!(taken, [0, 1]);
            assert_eq!(changes.added, 1);

            let gone = Scripted { refusal: Some(Refusal::Gone), ..Scripted::default() };
            let prepared = publisher.prepare(DOCUMENT, Nanos(1)).expect("a good document");
            let plane = self::plane(Arc::new(gone));
            let error = publisher.publish(prepared, &plane, Nanos(1)).await.unwrap_err();
            assert_eq!(error.to_string(), "shard 0 has ended");
        });
    }

    #[test]
    fn a_bad_document_is_refused_with_positions() {
        let bad = String::from_utf8_lossy(DOCUMENT).replace("\"mock\"", "\"http\"");
        let found = publisher().prepare(bad.as_bytes(), Nanos(1)).expect_err("http without uri");
        assert!(found.iter().any(|finding| finding.severity == Severity::Error), "{found:?}");
        assert!(found.iter().all(|finding| finding.position.is_some()), "{found:?}");
        let torn = publisher().prepare(b"{\"openapi\": ", Nanos(1)).expect_err("torn JSON");
        assert_eq!(torn.len(), 1, "{torn:?}");
    }
}
