//! The admin port's service: who calls, which operation, in which transaction; then what shards serve.
//!
//! ```text
//! request → signature → route → members ─┬─ reads: a view of the store ────────────────────┐
//!                                        └─ writes, one after the other:                   ├─▶ answer
//!             operation → compile → commit → names resolved → published, acknowledged ──────┘
//! ```
//!
//! A change is answered when it is on the disk and on every shard. Operations and compiling run on a
//! thread for blocking work; the control thread stays free for names, logs and scrapes.
//!
//! Source: facts, control-plane sections 1 to 4.

use std::sync::{Arc, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::api::{self, ApiError, Body, Call, Context, Effects, Reply, Route};
use super::publish::Update;
use super::serving::Serving;
use crate::auth::Credentials;
use crate::auth::sigv4::AuthError;
use crate::auth::sigv4::{self, Payload, Verifier};
use crate::memory::filling_tables;
use crate::store::Store;
use crate::time::{Nanos, WallMillis};
use crate::usage::{Day, UsagePlans};

/// Rows of usage that are looked at together; whoever wants to change the store waits for no more.
const OLD_USAGE_ROWS: usize = 5_000;

/// Who may call.
pub enum AdminAuth {
    /// Whoever reaches the port.
    Open,
    /// Who signs with one of these keys.
    SigV4 {
        /// Checks signatures.
        verifier: Verifier,
        /// Keys that are known.
        credentials: Box<dyn Credentials + Send + Sync>,
    },
}

/// Updates on their way to the shards, and where to say that all have them.
pub struct Publication {
    /// What changes.
    pub updates: Vec<Update>,
    /// Told when every shard has applied it.
    pub done: oneshot::Sender<Result<(), String>>,
}

/// The parts of the service.
pub struct ServiceParts {
    /// Where everything is kept.
    pub store: Arc<Store>,
    /// Who and where this gateway is.
    pub settings: api::Settings,
    /// Who may call.
    pub auth: AdminAuth,
    /// Compiles stages.
    pub serving: Arc<Serving>,
    /// To the task that publishes.
    pub publications: mpsc::Sender<Publication>,
    /// The shards' clock.
    pub clock: fn() -> Nanos,
    /// Keys and plans as requests meet them.
    pub usage: Arc<UsagePlans>,
    /// Longest body of a request, bytes.
    pub body_bytes_max: usize,
    /// Runs test invocations on a shard.
    pub tests: Box<dyn api::TestInvoker>,
}

/// The control-plane API behind HTTP.
pub struct Service {
    parts: Arc<Shared>,
    /// Whoever changes the store holds it until shards serve the change: they see changes in the order
    /// of their commits.
    writing: Arc<Mutex<()>>,
}

/// What the threads for blocking work need.
struct Shared {
    parts: ServiceParts,
    /// Whoever brings counts to the store holds it from taking them to their commit: a count that is taken
    /// later is stored later, and who finds nothing to keep knows that all is kept.
    counts: std::sync::Mutex<api::Counts>,
}

impl std::ops::Deref for Shared {
    type Target = ServiceParts;

    fn deref(&self) -> &ServiceParts {
        &self.parts
    }
}

/// A change that is ready to be committed and published.
struct Changed {
    reply: Reply,
    updates: Vec<Update>,
}

impl Service {
    /// A service over these parts; `counts` are what the store's journal holds.
    pub fn new(parts: ServiceParts, counts: api::Counts) -> Self {
        let counts = std::sync::Mutex::new(counts);
        Self { parts: Arc::new(Shared { parts, counts }), writing: Arc::default() }
    }

    /// The parts it was made of.
    pub fn parts(&self) -> &ServiceParts {
        &self.parts
    }

    /// Checks the signature of any request to the admin port.
    ///
    /// # Errors
    /// AWS's refusals.
    pub fn authenticate(&self, parts: &Parts, body: Payload<'_>) -> Result<(), ApiError> {
        let AdminAuth::SigV4 { verifier, credentials } = &self.parts.auth else { return Ok(()) };
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let path = parts.uri.path().as_bytes();
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let request = sigv4::Request::new(parts.method.as_str(), path, query, headers, body);
        verifier.verify(&request, credentials.as_ref(), wall_now()).map(drop).map_err(|error| {
            ApiError {
                status: AuthError::STATUS,
                kind: error.kind().error_type(),
                message: error.message().to_owned(),
            }
        })
    }

    /// Answers a request of the control-plane API.
    pub async fn answer(&self, parts: &Parts, body: Bytes) -> Response {
        let outcome = async {
            self.authenticate(parts, Payload::Bytes(&body))?;
            self.call(parts, body).await
        };
        match outcome.await {
            Ok(reply) => response(reply),
            Err(error) => refusal(&error),
        }
    }

    async fn call(&self, parts: &Parts, body: Bytes) -> Result<Reply, ApiError> {
        let query = query_of(parts.uri.query().unwrap_or_default());
        let route = api::route(parts.method.as_str(), parts.uri.path(), &query)
            .ok_or_else(|| ApiError::unknown_operation(parts.method.as_str(), parts.uri.path()))?;
        let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        let request = Request { route, query, accept: accept.map(str::to_owned), body };
        if request.route.operation.name == "TestInvokeMethod" {
            return self.test_invoke(request).await;
        }
        if matches!(request.route.operation.name, "GetUsage" | "UpdateUsage") {
            // What they answer and change is in its rows only when it has been settled.
            self.settle_usage().await?;
        }
        if !request.route.operation.writes() {
            let shared = self.parts.clone();
            return blocking(move || request.read(&shared)).await;
        }
        self.change(move |shared| request.write(shared)).await
    }

    /// Runs what changes the store, and brings the change to the shards. A client that goes away ends its
    /// own waiting only: what is committed has to reach the shards all the same.
    async fn change(
        &self,
        work: impl FnOnce(&Shared) -> Result<Changed, ApiError> + Send + 'static,
    ) -> Result<Reply, ApiError> {
        let (writing, shared) = (self.writing.clone(), self.parts.clone());
        let whole = async move {
            let _writing = writing.lock_owned().await;
            let at_work = shared.clone();
            let Changed { reply, updates } = blocking(move || work(&at_work)).await?;
            if !updates.is_empty() {
                shared.publish(updates).await?;
            }
            Ok(reply)
        };
        tokio::spawn(whole).await.map_err(|error| mistake(&error))?
    }

    /// Keeps what requests have counted since the last time.
    ///
    /// # Errors
    /// The store cannot be written; what could not be kept will be the next time.
    pub async fn keep_usage(&self) -> Result<(), ApiError> {
        let shared = self.parts.clone();
        blocking(move || shared.keep_usage(&mut shared.counts()).map(drop)).await
    }

    /// The same, and brings a piece of what was kept to its rows when there is much of it.
    ///
    /// # Errors
    /// The store cannot be written; what could not be done will be the next time.
    pub async fn tend_usage(&self) -> Result<(), ApiError> {
        let shared = self.parts.clone();
        let tend = move || {
            let mut counts = shared.counts();
            let kept = shared.keep_usage(&mut counts)?;
            // Faster than new members come, whatever their number.
            match counts.is_to_be_settled() {
                true => Ok(counts.settle(&shared.store, api::Counts::PIECE.max(2 * kept))?),
                false => Ok(()),
            }
        };
        blocking(tend).await
    }

    /// Brings all that has been counted up to now to its rows.
    async fn settle_usage(&self) -> Result<(), ApiError> {
        let shared = self.parts.clone();
        let settle = move || {
            let mut counted = None;
            loop {
                // Let go after each piece, and what is counted meanwhile is kept in time.
                let mut counts = shared.counts();
                shared.keep_usage(&mut counts)?;
                if counts.is_settled(*counted.get_or_insert(counts.next_part())) {
                    return Ok(());
                }
                counts.settle(&shared.store, api::Counts::PIECE)?;
            }
        };
        blocking(settle).await
    }

    /// Removes usage that nobody can ask for any more, a piece at a time.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn forget_old_usage(&self) -> Result<(), ApiError> {
        let mut after = None;
        loop {
            let shared = self.parts.clone();
            let piece = blocking(move || {
                let today = Day::of(wall_now());
                Ok(api::forget_old_days(&shared.store, today, after.as_deref(), OLD_USAGE_ROWS)?)
            });
            after = piece.await?.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn test_invoke(&self, request: Request) -> Result<Reply, ApiError> {
        let shared = self.parts.clone();
        let clock = self.parts.clock;
        let trial = blocking(move || {
            let transaction = shared.store.read()?;
            let mut context = shared.context(&transaction);
            let call = request.call()?;
            api::prepare_test_invoke(&mut context, &call, &shared.serving, clock())
        });
        let trial = trial.await?;
        // Brings nothing to the shards, but has the names of the trial's targets looked up.
        self.parts.publish(Vec::new()).await?;
        let outcome = self.parts.tests.invoke(trial).await.map_err(ApiError::internal)?;
        Ok(api::test_invoke_reply(outcome))
    }

    /// Puts a backup in the place of all that is stored, and serves it.
    ///
    /// # Errors
    /// It is no backup, or a stage of it does not compile; nothing has changed then.
    pub async fn restore(&self, backup: Store) -> Result<(), ApiError> {
        let replace = move |shared: &Shared| {
            // What was counted before does not count in the backup's plans. Taken first, as by others.
            let mut counts = shared.counts();
            let before = stages_of(&shared.store.read()?)?;
            let transaction = shared.store.write()?;
            transaction.replace_all(&backup.read()?)?;
            shared.serving.forget();
            let mut effects = Effects { domains: true, ..Effects::default() };
            let mut endpoints = shared.store.read()?.list::<api::objects::RestApi>(&[])?;
            endpoints.extend(transaction.list(&[])?);
            effects.endpoints = endpoints.into_iter().map(|api| api.id).collect();
            effects.changed_stages = stages_of(&transaction)?;
            effects.removed_stages = before.difference(&effects.changed_stages).cloned().collect();
            let updates = shared.serving.updates(&transaction, &effects, (shared.clock)())?;
            api::check_keys(&transaction, &shared.settings)?;
            transaction.commit()?;
            shared.usage.clear();
            let store = shared.store.read()?;
            *counts = api::Counts::load(&store)?;
            filling_tables(api::key_count(&store)?, || {
                api::load_keys(&store, &shared.settings, &shared.usage, &counts)
            })?;
            Ok(Changed { reply: Reply::empty(), updates })
        };
        let work = move |shared: &Shared| {
            replace(shared).inspect_err(|_: &ApiError| shared.serving.forget())
        };
        self.change(work).await.map(drop)
    }
}

/// API id and name of every stage.
fn stages_of(
    store: &crate::store::Transaction,
) -> Result<std::collections::BTreeSet<(String, String)>, ApiError> {
    let mut all = std::collections::BTreeSet::new();
    for api in store.list::<api::objects::RestApi>(&[])? {
        for stage in store.list::<api::objects::Stage>(&[&api.id])? {
            all.insert((api.id.clone(), stage.stage_name));
        }
    }
    Ok(all)
}

impl Shared {
    /// Brings updates to every shard.
    async fn publish(&self, updates: Vec<Update>) -> Result<(), ApiError> {
        let (done, published) = oneshot::channel();
        let gone = || ApiError::internal("the gateway is ending; what was changed is stored");
        let publication = Publication { updates, done };
        self.publications.send(publication).await.map_err(|_| gone())?;
        let published = published.await.map_err(|_| gone())?;
        published.map_err(ApiError::internal)
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, api::Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_usage(&self, counts: &mut api::Counts) -> Result<usize, ApiError> {
        Ok(counts.keep(&self.store, &self.usage)?)
    }

    fn context<'a>(&'a self, store: &'a crate::store::Transaction) -> Context<'a> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Context {
            store,
            settings: &self.settings,
            now: i64::try_from(now).unwrap_or(i64::MAX),
            effects: Effects { now: wall_now(), ..Effects::default() },
        }
    }
}

/// A routed request that may be taken to another thread.
struct Request {
    route: Route,
    query: Vec<(String, String)>,
    accept: Option<String>,
    body: Bytes,
}

impl Request {
    fn call(&self) -> Result<Call<'_>, ApiError> {
        let operation = self.route.operation;
        let input = match operation.takes_document() || operation.method == "GET" {
            true => serde_json::Map::new(),
            false => api::members(&self.body)?,
        };
        Ok(Call {
            operation,
            labels: self.route.labels.clone(),
            query: self.query.clone(),
            accept: self.accept.as_deref(),
            body: &self.body,
            input,
        })
    }

    fn read(&self, shared: &Shared) -> Result<Reply, ApiError> {
        let transaction = shared.store.read()?;
        let mut context = shared.context(&transaction);
        api::carry_out(&mut context, &self.call()?)
    }

    fn write(&self, shared: &Shared) -> Result<Changed, ApiError> {
        let transaction = shared.store.write()?;
        let mut context = shared.context(&transaction);
        let reply = api::carry_out(&mut context, &self.call()?)?;
        let effects = context.effects;
        let updates = shared.serving.updates(&transaction, &effects, (shared.clock)())?;
        transaction.commit()?;
        if effects.has_keys() {
            let stored = shared.store.read()?;
            filling_tables(effects.imported_keys.len(), || {
                api::apply_keys(&stored, &shared.usage, &effects)
            })?;
        }
        for what in effects.not_carried_out {
            tracing::warn!("{}: stored, not carried out yet: {what}", self.route.operation.name);
        }
        Ok(Changed { reply, updates })
    }
}

/// Runs `work` on a thread that may block, behind the shards in the CPU's queue.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(move || {
        yield_to_shards();
        work()
    })
    .await
    .map_err(|error| mistake(&error))?
}

/// A task has panicked.
fn mistake(error: &tokio::task::JoinError) -> ApiError {
    ApiError::internal(format!("a mistake in Ringway: {error}"))
}

/// Lowers this thread's priority: compiling a large API must not cost requests their time.
fn yield_to_shards() {
    const NICE: i32 = 10;
    let thread = rustix::thread::gettid();
    // Without the right to, it runs as any other thread.
    let _ = rustix::process::setpriority_process(Some(thread), NICE);
}

/// A query's parameters, decoded; `+` is a blank.
fn query_of(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        })
        .collect()
}

fn wall_now() -> WallMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A reply over HTTP.
pub fn response(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let (content_type, disposition, bytes) = match reply.body {
        Body::Empty => (None, None, Vec::new()),
        Body::Json(value) => (Some("application/json".to_owned()), None, value.to_string().into()),
        Body::Raw { content_type, disposition, bytes } => (Some(content_type), disposition, bytes),
    };
    let mut response = Response::new(axum::body::Body::from(bytes));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, content_type);
    set(&mut response, header::CONTENT_DISPOSITION, disposition);
    with_ids(response)
}

/// An error over HTTP.
pub fn refusal(error: &ApiError) -> Response {
    if error.status >= 500 && error.status != 501 {
        tracing::error!("control-plane API: {error}");
    }
    let body = json!({ "message": error.message }).to_string();
    let mut response = Response::new(axum::body::Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set(&mut response, header::CONTENT_TYPE, Some("application/json".to_owned()));
    let kind = HeaderName::from_static("x-amzn-errortype");
    set(&mut response, kind, Some(error.kind.to_owned()));
    with_ids(response)
}

/// The ids that every answer of AWS's carries.
fn with_ids(mut response: Response) -> Response {
    let (high, low) = (fastrand::u64(..), fastrand::u64(..));
    // A UUID of version 4 (RFC 9562 section 5.4).
    let request_id = format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    );
    set(&mut response, HeaderName::from_static("x-amzn-requestid"), Some(request_id));
    let extended: String = (0..15).map(|_| fastrand::alphanumeric()).chain(['=']).collect();
    set(&mut response, HeaderName::from_static("x-amz-apigw-id"), Some(extended));
    response
}

fn set(response: &mut Response, name: HeaderName, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
        response.headers_mut().insert(name, value);
    }
}
