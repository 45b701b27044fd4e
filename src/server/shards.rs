//! The shards of the process, seen from the control thread: start, publish, drain, watch over.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::limits::Limits;
use crate::shard::{
    self, ShardConfig, ShardHandle, ShardLink, ShardMailbox, ShardMessage, TestInvocation,
    TestReply, TestResult,
};
use crate::telemetry::{LogQueue, Registry};
use crate::tls::ClientTrust;
use crate::usage::UsagePlans;

/// Between two looks whether a shard has ended by itself.
const WATCH_EVERY: Duration = Duration::from_millis(100);
/// Between two looks whether a draining shard is done.
const DRAIN_LOOK_EVERY: Duration = Duration::from_millis(10);
/// What a shard may take over its drain deadline before it counts as stuck.
const DRAIN_GRACE: Duration = Duration::from_secs(5);

/// What every shard gets.
pub struct ShardParts {
    /// Bounds.
    pub limits: Arc<Limits>,
    /// Whom TLS trusts.
    pub trust: Arc<ClientTrust>,
    /// API keys and usage plans.
    pub usage: Arc<UsagePlans>,
    /// Where access-log batches go; `None`: off.
    pub log: Option<Arc<LogQueue>>,
    /// Counters of all shards.
    pub registry: Arc<Registry>,
}

/// All shards.
pub struct RunningShards {
    handles: Vec<ShardHandle>,
}

impl RunningShards {
    /// Starts one shard per set of listeners, on the CPU of the same index.
    ///
    /// # Errors
    /// A sentence that says which shard could not be started and why; those before it end with the
    /// process.
    pub fn spawn(
        listeners: Vec<Vec<TcpListener>>,
        cpus: &[Option<usize>],
        parts: &ShardParts,
    ) -> Result<Self, String> {
        assert_eq!(listeners.len(), cpus.len());
        let mut handles = Vec::with_capacity(listeners.len());
        for (index, (listeners, &cpu)) in listeners.into_iter().zip(cpus).enumerate() {
            let config = ShardConfig {
                index,
                cpu,
                listeners,
                limits: parts.limits.clone(),
                cells: parts.registry.shard(index),
                log: parts.log.clone(),
                trust: parts.trust.clone(),
                usage: parts.usage.clone(),
            };
            let handle = shard::spawn(config)
                .map_err(|error| format!("shard {index} cannot be started: {error}"))?;
            handles.push(handle);
        }
        Ok(Self { handles })
    }

    /// What runs test invocations on the shards, for as long as they live.
    pub fn tests(&self) -> TestInvoker {
        let mailboxes = self.handles.iter().map(ShardHandle::mailbox).collect();
        TestInvoker { mailboxes, next: Arc::default() }
    }

    /// Waits until a shard has ended by itself, and says why.
    pub async fn failure(&mut self) -> String {
        loop {
            tokio::time::sleep(WATCH_EVERY).await;
            if let Some(index) = self.handles.iter().position(ShardHandle::is_finished) {
                let why = match self.handles.swap_remove(index).join() {
                    Ok(()) => "it ended without being told to".to_owned(),
                    Err(why) => why,
                };
                return format!("shard {index} has failed: {why}");
            }
        }
    }

    /// Tells every shard to finish what it has and waits for all.
    ///
    /// # Errors
    /// A shard is stuck or failed.
    pub async fn drain(self, deadline: Option<Duration>) -> Result<(), String> {
        let give_up = deadline.map(|deadline| Instant::now() + deadline + DRAIN_GRACE);
        for (index, handle) in self.handles.iter().enumerate() {
            let mut message = ShardMessage::Drain { deadline };
            while let Err(back) = handle.send(message) {
                if handle.is_finished() {
                    break;
                }
                if give_up.is_some_and(|at| Instant::now() >= at) {
                    return Err(format!("shard {index} does not look into its mailbox"));
                }
                message = back;
                tokio::time::sleep(DRAIN_LOOK_EVERY).await;
            }
        }
        while !self.handles.iter().all(ShardHandle::is_finished) {
            if give_up.is_some_and(|at| Instant::now() >= at) {
                return Err("a shard has not ended 5 s after the drain deadline".to_owned());
            }
            tokio::time::sleep(DRAIN_LOOK_EVERY).await;
        }
        for (index, handle) in self.handles.into_iter().enumerate() {
            handle.join().map_err(|why| format!("shard {index} has failed: {why}"))?;
        }
        Ok(())
    }

    /// The way to the shards for whoever publishes.
    pub fn link(&self) -> ShardLink {
        ShardLink::new(&self.handles)
    }
}

/// Runs test invocations, on each shard in its turn. Clones share the turn.
#[derive(Clone)]
pub struct TestInvoker {
    mailboxes: Arc<[ShardMailbox]>,
    next: Arc<AtomicUsize>,
}

impl TestInvoker {
    /// Carries out one request against one method, and waits for its outcome. Names that the stage's
    /// integrations use have to be resolved before. Dropping the future loses the outcome only: the test
    /// goes on to its end.
    ///
    /// # Errors
    /// A sentence for the caller: the test is none, too many are running, or the shard has ended.
    pub async fn invoke(&self, test: TestInvocation) -> TestResult {
        let (sender, outcome) = oneshot::channel();
        let reply = TestReply::new(move |result| {
            // Whoever asked may have gone.
            let _ = sender.send(result);
        });
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut message = ShardMessage::TestInvoke(Box::new(test), reply);
        for index in 0..self.mailboxes.len() {
            let place = first.wrapping_add(index) % self.mailboxes.len();
            match self.mailboxes[place].send(message) {
                Ok(()) => {
                    // The reply is told or dropped, and a dropped one tells too.
                    return outcome.await.unwrap_or_else(|_| Err("the shard has ended".to_owned()));
                }
                Err(back) => message = back,
            }
        }
        Err("no shard takes a test now".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::{CompileEnv, StageSettings, compile};
    use crate::model::MethodName;
    use crate::openapi::{self, Document};
    use crate::shard::TEST_INVOKE_STAGE;
    use crate::throttle::BucketRegistry;
    use crate::time::Nanos;
    use crate::upstream::TargetRegistry;

    fn test() -> TestInvocation {
        let document = "openapi: 3.0.1\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n    get:\n      \
            responses: {'200': {description: fine}}\n      \
            x-amazon-apigateway-integration:\n        type: mock\n        \
            requestTemplates: {application/json: '{\"statusCode\": 200}'}\n        \
            responses: {default: {statusCode: '200'}}\n";
        let api = openapi::import(&Document::parse(document).unwrap()).api;
        let settings =
            StageSettings { stage: TEST_INVOKE_STAGE.to_owned(), ..StageSettings::default() };
        let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
        let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
        let stage = Arc::new(compile(&api, &settings, &mut env).unwrap());
        TestInvocation {
            resource_id: stage.methods[0].resource_id.clone(),
            stage,
            method: MethodName::Get,
            path_with_query_string: None,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    #[test]
    fn tests_are_invoked_on_the_shards_until_they_end() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listeners =
                (0..2).map(|_| vec![TcpListener::bind("127.0.0.1:0").unwrap()]).collect();
            let parts = ShardParts {
                limits: Arc::default(),
                trust: Arc::new(ClientTrust::load(&[]).unwrap()),
                usage: Arc::default(),
                log: None,
                registry: Arc::new(Registry::new(2)),
            };
            let shards = RunningShards::spawn(listeners, &[None, None], &parts).unwrap();
            let tests = shards.tests();
            for _ in 0..3 {
                let outcome = tests.invoke(test()).await.unwrap();
                assert_eq!(outcome.status, 200);
                assert!(outcome.log.ends_with("Method completed with status: 200\n"));
            }
            // A future that is dropped after it has sent loses its outcome only.
            tokio::select! {
                biased;
                _ = tests.invoke(test()) => {}
                () = std::future::ready(()) => {}
            }
            shards.drain(None).await.unwrap();
            let late = tests.clone().invoke(test()).await;
            assert_eq!(late, Err("Execution failed due to an internal error".to_owned()));
        });
    }
}
