//! What the tasks of one shard share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use super::ShardMessage;
use super::deployment::{self, Deployment, StageEntry};
use super::ids::IdSource;
use super::test_invoke;
use super::write::FixedHeaders;
use crate::deploy::nowhere;
use crate::gateway::find_api::{ApiTable, HostMemo, NotFound};
use crate::gateway::{ContextView, Env, Exchange, FailureLog, GatewayError, RequestIds};
use crate::http::HeadLimits;
use crate::limits::Limits;
use crate::ring::{Ring, Timer};
use crate::telemetry::{LogBatch, LogQueue, ShardCells};
use crate::time::{ClfClock, Nanos};
use crate::tls::ClientTrust;
use crate::upstream::Upstreams;
use crate::usage::UsagePlans;

/// Exchanges kept for the next request; each holds some KiB of buffers.
const POOLED_EXCHANGES_MAX: usize = 1_024;
/// Output buffers kept for the next answer.
const POOLED_BUFFERS_MAX: usize = 1_024;
/// A buffer that has grown beyond this is not kept, bytes.
const POOLED_BUFFER_BYTES_MAX: usize = 256 * 1_024;

/// One shard.
pub struct Shard {
    pub(super) env: Env,
    pub(super) limits: Arc<Limits>,
    pub(super) head_limits: HeadLimits,
    pub(super) cells: Arc<ShardCells>,
    log: Option<Arc<LogQueue>>,
    batch: RefCell<LogBatch>,
    /// The time as lines of the log have it.
    log_clock: RefCell<ClfClock>,
    /// Its number: place of its cells in every series.
    index: usize,
    /// What is served.
    apis: RefCell<ApiTable<StageEntry>>,
    /// What answers requests that come to no stage.
    nowhere: Rc<Deployment>,
    /// Draws canaries; seeded by the system, differently for each shard.
    random: RefCell<fastrand::Rng>,
    #[expect(
        clippy::vec_box,
        reason = "boxed once: an idle connection carries a pointer, not a KiB"
    )]
    exchanges: RefCell<Vec<Box<Exchange>>>,
    buffers: RefCell<Vec<Vec<u8>>>,
    ids: RefCell<IdSource>,
    fixed: RefCell<FixedHeaders>,
    /// Client connections open.
    pub(super) connections: Cell<u64>,
    /// Test invocations under way.
    pub(super) tests: Cell<usize>,
    draining: Cell<bool>,
    drain_by: Cell<Nanos>,
}

impl Shard {
    /// A shard that serves nothing yet.
    pub fn new(
        ring: &Ring,
        index: usize,
        limits: Arc<Limits>,
        cells: Arc<ShardCells>,
        log: Option<Arc<LogQueue>>,
        trust: Arc<ClientTrust>,
        usage: Arc<UsagePlans>,
    ) -> Self {
        let nowhere = Rc::new(Deployment::nowhere(Arc::new(nowhere(&limits))));
        let most = |limit: Option<u64>| limit.map_or(usize::MAX, |most| most as usize);
        Self {
            env: Env {
                ring: ring.clone(),
                upstreams: Upstreams::new(ring, trust),
                retries: Cell::new(0),
                connect_errors: Cell::new(0),
                renderer: RefCell::default(),
                validator: RefCell::default(),
                failures: FailureLog::default(),
                usage,
            },
            head_limits: HeadLimits {
                url_bytes: most(limits.url_bytes),
                header_bytes: most(limits.header_bytes),
                header_count: most(limits.header_count),
            },
            limits,
            cells,
            log,
            batch: RefCell::new(LogBatch::new()),
            log_clock: RefCell::default(),
            index,
            apis: RefCell::default(),
            nowhere,
            random: RefCell::new(fastrand::Rng::new()),
            exchanges: RefCell::default(),
            buffers: RefCell::default(),
            ids: RefCell::new(IdSource::new()),
            fixed: RefCell::new(FixedHeaders::new(ring.wall())),
            connections: Cell::new(0),
            tests: Cell::new(0),
            draining: Cell::new(false),
            drain_by: Cell::new(Nanos::NEVER),
        }
    }

    /// The shard's ring.
    pub fn ring(&self) -> &Ring {
        &self.env.ring
    }

    /// Carries a message out; `false`: it was the last one.
    pub fn receive(self: &Rc<Self>, message: ShardMessage) -> bool {
        match message {
            ShardMessage::TestInvoke(test, reply) => {
                test_invoke::start(self, test, reply);
                true
            }
            ShardMessage::Apply { batch, applied } => {
                deployment::apply(&mut self.apis.borrow_mut(), &batch);
                // Whoever waits for it may find that nobody else has what was replaced.
                drop(batch);
                applied();
                true
            }
            ShardMessage::Drain { deadline } => {
                self.draining.set(true);
                self.drain_by
                    .set(deadline.map_or(Nanos::NEVER, |time| self.ring().now().after(time)));
                self.ring().wake_all();
                false
            }
        }
    }

    /// Whether it has been told what to serve.
    pub(super) fn is_serving(&self) -> bool {
        self.apis.borrow().has_begun()
    }

    /// Finds whose request it is, and draws where there is a canary. Where nobody's: what answers it
    /// all the same, and why.
    pub(super) fn find(
        &self,
        memo: &mut HostMemo,
        exchange: &mut Exchange,
    ) -> (Rc<Deployment>, Result<(), GatewayError>) {
        let apis = self.apis.borrow();
        match apis.find(memo, exchange) {
            Ok(entry) => {
                let deployment = entry.draw(&mut self.random.borrow_mut());
                exchange.is_canary = deployment.is_canary;
                exchange.explains = deployment.explains;
                (Rc::clone(deployment), Ok(()))
            }
            Err(NotFound { error, told_to }) => (self.told_to(told_to), Err(error)),
        }
    }

    /// What answers a request of which nobody knows whose it is.
    pub(super) fn of_nobody(&self) -> Rc<Deployment> {
        self.told_to(self.apis.borrow().told_to())
    }

    fn told_to(&self, entry: Option<&StageEntry>) -> Rc<Deployment> {
        Rc::clone(entry.map_or(&self.nowhere, |entry| &entry.main))
    }

    /// Whether the shard is about to end.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Ready when the shard is to drain.
    pub(super) async fn drained(&self) {
        std::future::poll_fn(|_| if self.draining.get() { Poll::Ready(()) } else { Poll::Pending })
            .await;
    }

    /// When draining has to be over.
    pub(super) fn drain_by(&self) -> Nanos {
        self.drain_by.get()
    }

    pub(super) fn take_exchange(&self) -> Box<Exchange> {
        self.exchanges.borrow_mut().pop().unwrap_or_default()
    }

    pub(super) fn keep_exchange(&self, mut exchange: Box<Exchange>) {
        exchange.reset();
        let mut kept = self.exchanges.borrow_mut();
        let small = exchange.body.capacity() <= POOLED_BUFFER_BYTES_MAX
            && exchange.response.buffer.capacity() <= POOLED_BUFFER_BYTES_MAX
            && exchange.outgoing.capacity() <= POOLED_BUFFER_BYTES_MAX;
        if kept.len() < POOLED_EXCHANGES_MAX && small {
            kept.push(exchange);
        }
    }

    pub(super) fn take_buffer(&self) -> Vec<u8> {
        let warm = self.ring().memory();
        if warm.capacity() > 0 {
            return warm;
        }
        self.buffers.borrow_mut().pop().unwrap_or_default()
    }

    pub(super) fn keep_buffer(&self, mut buffer: Vec<u8>) {
        let mut kept = self.buffers.borrow_mut();
        let capacity = buffer.capacity();
        if kept.len() < POOLED_BUFFERS_MAX && capacity > 0 && capacity <= POOLED_BUFFER_BYTES_MAX {
            buffer.clear();
            kept.push(buffer);
        }
    }

    pub(super) fn next_ids(&self) -> RequestIds {
        self.ids.borrow_mut().next()
    }

    /// Appends `Date`, ids, `Connection` and the empty line.
    pub(super) fn end_head(&self, out: &mut Vec<u8>, ids: &RequestIds, keep_alive: bool) {
        self.fixed.borrow_mut().append(out, self.ring().wall(), ids, keep_alive);
    }

    /// Sets `timer` to fire after `time`; `None`: never. While draining, at the drain's end at the latest.
    pub(super) fn set_timer(&self, timer: &mut Timer, time: Option<std::time::Duration>) {
        timer.set(self.deadline(time));
    }

    /// The moment `time` from now, or when draining has to be over.
    pub(super) fn deadline(&self, time: Option<std::time::Duration>) -> Nanos {
        let deadline = time.map_or(Nanos::NEVER, |time| self.ring().now().after(time));
        deadline.min(self.drain_by.get())
    }

    /// Counts an answered request and writes its access-log line.
    pub(super) fn record(&self, deployment: &Deployment, exchange: &Exchange) {
        let latency = self.ring().now().since(exchange.received_at);
        let refused = exchange.error.as_ref().and_then(GatewayError::refused);
        if let Some(key) = &exchange.api_key {
            let by_plan = refused
                .filter(|_| exchange.error.as_ref().is_some_and(GatewayError::is_of_key_check));
            self.cells.plan(key.caller.plan.index()).record(by_plan);
        }
        deployment.count(
            self.index,
            exchange.method,
            exchange.response.status,
            latency,
            exchange.integration.latency,
            refused,
        );
        self.cells.requests.increment();
        let (Some(format), Some(queue)) = (&deployment.access_log, &self.log) else { return };
        let mut view = ContextView::new(&deployment.stage, exchange);
        view.response_latency = Some(latency);
        view.response_length = Some(exchange.response.length);
        let mut clock = self.log_clock.borrow_mut();
        view.request_time = Some(clock.text(exchange.received_wall));
        view.hides_secrets = true;
        let mut batch = self.batch.borrow_mut();
        let full = batch.append(queue, format, &view, self.ring().now());
        self.cells.access_log_lines.increment();
        if full {
            let dropped = batch.hand_over(queue);
            self.cells.access_log_dropped.add(u64::from(dropped));
        }
    }

    /// Hands over what the access log's batch holds, if its time has come.
    pub(super) fn hand_over_log_if_due(&self) {
        if self.batch.borrow().is_due(self.ring().now()) {
            self.hand_over_log();
        }
    }

    /// Hands over what the access log's batch holds.
    pub(super) fn hand_over_log(&self) {
        let Some(queue) = &self.log else { return };
        let mut batch = self.batch.borrow_mut();
        if batch.lines() > 0 {
            let dropped = batch.hand_over(queue);
            self.cells.access_log_dropped.add(u64::from(dropped));
        }
    }

    /// Copies the ring's and the pools' figures to where the scraper reads them.
    pub(super) fn publish_figures(&self) {
        let (ring, upstream, cells) =
            (self.ring().stats(), self.env.upstreams.stats(), &self.cells);
        cells.connections.set(self.connections.get());
        cells.ring_waits.set(ring.waits);
        cells.ring_sqes.set(ring.sqes);
        cells.ring_cqes.set(ring.cqes);
        cells.ring_enobufs.set(ring.enobufs);
        cells.panics.set(ring.panics);
        cells.ring_spilled_bytes.set(ring.spilled_bytes);
        cells.ring_cq_overflows.set(ring.cq_overflows);
        cells.recv_buffers_in_use.set(u64::from(ring.recv_bufs_leased));
        cells.bulk_buffers_in_use.set(u64::from(ring.bulk_bufs_leased));
        cells.upstream_connections.set(upstream.open);
        cells.upstream_connects.set(upstream.opened);
        cells.upstream_reuses.set(upstream.reused);
        cells.upstream_retries.set(self.env.retries.get());
        cells.upstream_connect_errors.set(self.env.connect_errors.get());
    }
}
