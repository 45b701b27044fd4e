//! Test invocations: one request through the real steps, without a connection, and the log of it.
//!
//! ```text
//! control ──TestInvoke──▶ mailbox ──▶ a task of its own ──▶ gateway::respond_to_test ──▶ reply
//! ```
//!
//! The method is addressed, not routed to, and nobody is authorized, throttled or counted. The stage is one
//! that was compiled for this call from the API as it is now; it is published nowhere. AWS's marks are kept:
//! the path has no stage in it, the client is `test-invoke-source-ip` at `testPrefix.testDomainName`, a
//! given `Content-Type` counts as JSON, and a path that does not fit the resource leaves its parameters
//! empty.
//!
//! A reply always comes: the task's end, whatever it is (its panic, the shard's drain), drops the
//! [`TestReply`], and that answers.
//!
//! Source: facts, aws-recorded section 17, rest-api section 16.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::state::Shard;
use crate::deploy::route_tree::RouteTreeBuilder;
use crate::deploy::{CompiledMethod, CompiledStage};
use crate::gateway::execution_log::{ExecutionLog, LogDetail, answer_headers};
use crate::gateway::{self, Client, Exchange, GatewayError, HeadBytes, ResponseBody};
use crate::http::{
    HeadLimits, HeadScan, HeaderField, KnownHeader, Method, RequestHead, Span, encode,
};
use crate::limits::{TEST_INVOCATION_TIME_MAX, TEST_INVOCATIONS_MAX};
use crate::model::MethodName;
use crate::ring::{Either, RecvBuf, select};

/// Name of the stage that test invocations run on.
pub const TEST_INVOKE_STAGE: &str = "test-invoke-stage";

/// What is to be tested, and with which request.
#[derive(Debug)]
pub struct TestInvocation {
    /// Compiled for this call, with its stage variables; named [`TEST_INVOKE_STAGE`].
    pub stage: Arc<CompiledStage>,
    /// The resource.
    pub resource_id: String,
    /// The request's method, none but ANY: its own method is tested, else the resource's ANY.
    pub method: MethodName,
    /// Path and query as a client would send them, without a stage; `None` or an empty path: the
    /// resource's pattern as it stands.
    pub path_with_query_string: Option<String>,
    /// Names and values in order; a name may come several times.
    pub headers: Vec<(String, String)>,
    /// The request's body.
    pub body: Vec<u8>,
}

/// What came of a test.
#[derive(Debug, PartialEq, Eq)]
pub struct TestOutcome {
    /// The answer's status.
    pub status: u16,
    /// Its headers in order; names may come several times.
    pub headers: Vec<(String, String)>,
    /// Its body, after whatever compression the request asked for.
    pub body: Vec<u8>,
    /// AWS's execution log, each line ended by `\n`.
    pub log: String,
    /// From the beginning to the whole answer.
    pub latency: Duration,
}

/// Why a test had no outcome, as a sentence; or its outcome.
pub type TestResult = Result<TestOutcome, String>;

/// Where a test's result goes. It is told once: dropped unused, it tells of an internal error.
pub struct TestReply(Option<Box<dyn FnOnce(TestResult) + Send>>);

/// AWS's words for what is no fault of the definition or the call.
const INTERNAL_ERROR: &str = "Execution failed due to an internal error";

impl TestReply {
    /// Calls `tell` with the result, on whatever thread that is known.
    pub fn new(tell: impl FnOnce(TestResult) + Send + 'static) -> Self {
        Self(Some(Box::new(tell)))
    }

    fn send(mut self, result: TestResult) {
        if let Some(tell) = self.0.take() {
            tell(result);
        }
    }
}

impl Drop for TestReply {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell(Err(INTERNAL_ERROR.to_owned()));
        }
    }
}

/// Counts a test for as long as it runs.
struct Running(Rc<Shard>);

impl Running {
    fn new(shard: &Rc<Shard>) -> Option<Self> {
        let tests: &Cell<usize> = &shard.tests;
        (tests.get() < TEST_INVOCATIONS_MAX).then(|| {
            tests.set(tests.get() + 1);
            Self(Rc::clone(shard))
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.tests.set(self.0.tests.get() - 1);
    }
}

/// Runs a test as a task of the shard's.
pub(super) fn start(shard: &Rc<Shard>, test: Box<TestInvocation>, reply: TestReply) {
    let Some(running) = Running::new(shard) else {
        return reply.send(Err(format!("{TEST_INVOCATIONS_MAX} tests are running already")));
    };
    let ring = shard.ring().clone();
    ring.spawn(async move {
        let result = run(&running.0, *test).await;
        reply.send(result);
    });
}

async fn run(shard: &Shard, test: TestInvocation) -> TestResult {
    let begun_at = shard.ring().now();
    let mut exchange = Exchange::default();
    let method = find(&test)?;
    write_request(&test, method, &shard.head_limits, &mut exchange)?;
    let method = method.index;
    exchange.received_at = begun_at;
    exchange.received_wall = shard.ring().wall();
    exchange.ids = shard.next_ids();
    exchange.is_test = true;
    exchange.log = Some(Box::new(ExecutionLog::new(LogDetail::Data)));

    let stage = &*test.stage;
    let mut client = Tester { body: RecvBuf::from_vec(test.body) };
    let mut timer = shard.ring().timer();
    timer.set(begun_at.after(TEST_INVOCATION_TIME_MAX));
    let testing = async {
        gateway::respond_to_test(&shard.env, stage, method, &mut exchange, &mut client).await;
        gateway::finish(&shard.env, stage, &mut exchange).await;
    };
    if let Either::Right(()) = select(testing, timer.fired()).await {
        return Err(format!(
            "the test did not end within {} s",
            TEST_INVOCATION_TIME_MAX.as_secs()
        ));
    }
    Ok(outcome(stage, &mut exchange, shard.ring().now().since(begun_at)))
}

fn find(test: &TestInvocation) -> Result<&CompiledMethod, String> {
    if test.method == MethodName::Any {
        return Err("a test needs one HTTP method, also where the resource has ANY".to_owned());
    }
    let named = |name| {
        let methods = test.stage.methods.iter();
        methods
            .filter(move |it| it.http_method == name)
            .find(|it| it.resource_id == test.resource_id)
    };
    let method = named(test.method).or_else(|| named(MethodName::Any));
    method.ok_or_else(|| "Invalid Method identifier specified".to_owned())
}

/// Makes the exchange's request: a head that is parsed like any other, and behind it the headers that
/// were given. They are not parsed with it, for they say nothing about a connection or a body's framing.
fn write_request(
    test: &TestInvocation,
    method: &CompiledMethod,
    limits: &HeadLimits,
    exchange: &mut Exchange,
) -> Result<(), String> {
    let name = test.method.as_str();
    let mut bytes = format!("{name} ").into_bytes();
    write_target(test.path_with_query_string.as_deref(), &method.resource_path, &mut bytes);
    bytes.extend_from_slice(b" HTTP/1.1\r\nHost: testPrefix.testDomainName\r\n");
    if !test.body.is_empty() {
        encode::content_length(&mut bytes, test.body.len() as u64);
    }
    bytes.extend_from_slice(b"\r\n");
    let head: &mut RequestHead = &mut exchange.head;
    match head.parse(&bytes, &mut HeadScan::default(), limits) {
        Ok(true) => {}
        Ok(false) => return Err(INTERNAL_ERROR.to_owned()),
        Err(error) => return Err(format!("pathWithQueryString is none: {error}")),
    }
    head.headers.clear();
    if test.headers.len() > limits.header_count {
        return Err(format!("there are more than {} headers", limits.header_count));
    }
    let start = bytes.len();
    for (name, value) in &test.headers {
        let value = value.trim_matches([' ', '\t']);
        let known = KnownHeader::of(name.as_bytes());
        let is_control = |byte: u8| (byte < b' ' && byte != b'\t') || byte == 0x7f;
        if !encode::is_token(name.as_bytes()) || value.bytes().any(is_control) {
            return Err(format!("the header '{}' cannot be sent", name.escape_debug()));
        }
        // Whether it does name headers is looked at where headers are passed on.
        head.names_headers |= known == KnownHeader::Connection;
        let value = if known == KnownHeader::ContentType { "application/json" } else { value };
        let name_at = bytes.len();
        bytes.extend_from_slice(name.as_bytes());
        let value_at = bytes.len();
        bytes.extend_from_slice(value.as_bytes());
        if bytes.len() - start > limits.header_bytes {
            return Err(format!("the headers are larger than {} bytes", limits.header_bytes));
        }
        let (name, value) = (Span::new(name_at, name.len()), Span::new(value_at, value.len()));
        head.headers.push(HeaderField { name, value, known });
    }
    exchange.path = head.path;
    exchange.head_bytes = HeadBytes::Owned(bytes);
    capture(method, exchange);
    Ok(())
}

/// Writes path and query; what no request line may hold is escaped.
fn write_target(given: Option<&str>, pattern: &str, out: &mut Vec<u8>) {
    let given = given.unwrap_or_default();
    let (path, query) = given.split_at(given.find('?').unwrap_or(given.len()));
    let path = if path.is_empty() { pattern } else { path };
    if !path.starts_with('/') {
        out.push(b'/');
    }
    for byte in path.bytes().chain(query.bytes()) {
        if byte.is_ascii_graphic() && byte != b'#' {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

/// Finds the values of the path parameters; none where the path does not fit.
fn capture(method: &CompiledMethod, exchange: &mut Exchange) {
    let mut tree = RouteTreeBuilder::default();
    if tree.add(&method.resource_path, MethodName::Any, 0).is_ok() {
        let path = exchange.path.of(&exchange.head_bytes);
        let found = tree.build().find(path, MethodName::Any, &mut exchange.captures);
        if found.is_none() {
            exchange.captures.clear();
        }
    }
    for capture in &mut exchange.captures {
        capture.start += exchange.path.start;
    }
}

fn outcome(stage: &CompiledStage, exchange: &mut Exchange, latency: Duration) -> TestOutcome {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let headers = answer_headers(stage, exchange);
    let (status, body) = match exchange.response.body {
        ResponseBody::Constant(index) => {
            let constant = &stage.constants[index as usize];
            (constant.status, constant.body.to_vec())
        }
        ResponseBody::Buffered => {
            (exchange.response.status, std::mem::take(&mut exchange.response.buffer))
        }
        ResponseBody::Empty | ResponseBody::Streamed(_) => (exchange.response.status, Vec::new()),
    };
    let bodiless = exchange.head.method == Method::Head || matches!(status, 100..=199 | 204 | 304);
    let log = exchange.log.as_ref().map(|log| log.of_test(&exchange.ids)).unwrap_or_default();
    TestOutcome {
        status,
        headers: headers.into_iter().map(|(name, value)| (text(name), text(value))).collect(),
        body: if bodiless { Vec::new() } else { body },
        log,
        latency,
    }
}

/// A client without a connection: its body is here, and it waits for as long as it takes.
struct Tester {
    /// What has not been read of the body.
    body: RecvBuf,
}

impl Client for Tester {
    fn has_body(&self) -> bool {
        !self.body.is_empty()
    }

    fn body_remaining(&self) -> Option<u64> {
        Some(self.body.len() as u64)
    }

    fn body_preview(&self) -> &[u8] {
        &self.body
    }

    fn is_gone(&self) -> bool {
        false
    }

    async fn ask_for_body(&mut self) {}

    async fn read_body(&mut self) -> Result<Option<RecvBuf>, GatewayError> {
        let body = std::mem::take(&mut self.body);
        Ok(Some(body).filter(|body| !body.is_empty()))
    }

    async fn reset(&mut self) {
        std::future::pending().await
    }

    async fn prepare_to_wait(&mut self, _exchange: &mut Exchange) {}
}

#[cfg(test)]
mod tests;
