//! One request and its answer, whatever protocol carries them.
//!
//! Exchanges are pooled by the shard: every buffer here keeps its capacity from one request to the
//! next, so that a warm shard allocates nothing for an ordinary request.

use std::net::IpAddr;
use std::time::Duration;

use smallvec::SmallVec;

use super::error::GatewayError;
use super::execution_log::ExecutionLog;
use super::templates::ParsedBody;
use crate::http::{HeaderList, RequestHead, ResponseHead, Span};
use crate::model::ResponseType;
use crate::ring::RecvBuf;
use crate::time::{Nanos, WallMillis};
use crate::usage::Caller;
use crate::vtl::Overrides;

/// The bytes a request's spans lead into.
#[derive(Debug, Default)]
pub enum HeadBytes {
    /// No request yet.
    #[default]
    None,
    /// A head that came whole, where the kernel put it.
    Leased(RecvBuf),
    /// A head that came in pieces, or one whose buffer was given back while it waits for an integration.
    Owned(Vec<u8>),
}

impl std::ops::Deref for HeadBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Leased(buf) => buf,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// A request on its way through the steps, and the answer they make of it.
#[derive(Debug, Default)]
pub struct Exchange {
    /// What the spans of `head`, `path` and `captures` lead into.
    pub head_bytes: HeadBytes,
    /// The parsed head.
    pub head: RequestHead,
    /// The request's body, where a step reads it (`Validation::bodies`, `RequestPlan::collects_body`);
    /// otherwise empty.
    pub body: Vec<u8>,
    /// All of it is there, and its coding has been undone.
    pub body_is_taken: bool,
    /// What `body` is on the shard's tape.
    pub parsed: ParsedBody,
    /// The client.
    pub peer: Peer,
    /// When the head's first byte was received, on the shard's clock.
    pub received_at: Nanos,
    /// The same moment on the wall clock.
    pub received_wall: WallMillis,
    /// `x-amzn-RequestId` and `x-amz-apigw-id`.
    pub ids: RequestIds,

    /// Path below the stage, as received; starts with `/`. Set by `find_api`.
    pub path: Span,
    /// The base path that matched, where a custom domain name was asked.
    pub base_path: Option<Span>,
    /// On a stage with a canary: whether the request is the canary's.
    pub is_canary: Option<bool>,
    /// Whether something shows why a body is refused: a gateway response of the stage or its access log.
    pub explains: bool,
    /// Index of the method in its stage, once `route` has found it.
    pub method: Option<u32>,
    /// Values of the path parameters as received (still percent-encoded), in the order of
    /// `CompiledMethod::path_parameters`.
    pub captures: SmallVec<[Span; 6]>,
    /// The key of a request that needs one, as far as it is known.
    pub api_key: Option<ApiKey>,
    /// Trace header towards the integration and, where AWS shows it, the client; empty: none yet.
    pub trace: Vec<u8>,

    /// What the request's templates have overridden.
    pub overrides: Overrides,

    /// What is sent to the integration: its head, or head and body.
    pub outgoing: Vec<u8>,
    /// Head of the integration's answer.
    pub answer: ResponseHead,

    /// What the client gets.
    pub response: Response,
    /// What the integration did, for logs and metrics.
    pub integration: IntegrationOutcome,
    /// Why the answer is a gateway response, if it is one.
    pub error: Option<GatewayError>,
    /// Type of the gateway response that was sent.
    pub error_type: Option<ResponseType>,
    /// What is written down of this request's execution; `None`: nothing is.
    pub log: Option<Box<ExecutionLog>>,
    /// It came from a test invocation and has no client's connection behind it.
    pub is_test: bool,
}

/// The API key of a request.
#[derive(Debug, Clone, Copy)]
pub struct ApiKey {
    /// Its value, in the head's bytes.
    pub value: Span,
    /// Whose it is.
    pub caller: Caller,
}

/// The client's side of a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub ip: IpAddr,
    /// Port it connected to.
    pub local_port: u16,
}

impl Default for Peer {
    fn default() -> Self {
        Self { ip: IpAddr::from([127, 0, 0, 1]), local_port: 0 }
    }
}

/// The two ids every answer carries.
#[derive(Debug, Clone, Copy)]
pub struct RequestIds {
    /// A UUID as text.
    pub request_id: [u8; 36],
    /// Base64-like, ends with `=`.
    pub extended_request_id: [u8; 16],
}

impl Default for RequestIds {
    fn default() -> Self {
        Self { request_id: [b'0'; 36], extended_request_id: *b"AAAAAAAAAAAAAAA=" }
    }
}

/// What the client gets. The carrier adds `Date`, `x-amzn-RequestId`, `x-amz-apigw-id`, the framing
/// and `Connection`, and `Content-Type: application/json` where there is none.
#[derive(Debug, Default)]
pub struct Response {
    /// 100 to 599.
    pub status: u16,
    /// Everything but what the carrier adds.
    pub headers: HeaderList,
    /// The body's bytes where `body` is [`ResponseBody::Buffered`].
    pub buffer: Vec<u8>,
    /// Where the body comes from.
    pub body: ResponseBody,
    /// `Content-Length` of an answer to HEAD, as the integration said it.
    pub head_length: Option<u64>,
    /// Bytes of the body that the client was sent.
    pub length: u64,
    /// The connection is not used again: what the client sends cannot be told apart any more.
    pub close: bool,
}

/// Where the body of an answer comes from.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum ResponseBody {
    /// There is none.
    #[default]
    Empty,
    /// `Response::buffer`.
    Buffered,
    /// Head and body were encoded when the stage was compiled: index into
    /// `CompiledStage::constants`. Status and headers of the response are not used.
    Constant(u32),
    /// The integration's body is streamed by the carrier; its length, if the integration said it.
    Streamed(Option<u64>),
}

/// What the integration did.
#[derive(Debug, Default, Clone)]
pub struct IntegrationOutcome {
    /// Status of its answer.
    pub status: Option<u16>,
    /// From sending the request to the answer's end.
    pub latency: Option<Duration>,
    /// Why there was no answer.
    pub error: Option<&'static str>,
}

impl Exchange {
    /// Makes the exchange ready for the next request; buffers keep their capacity.
    pub fn reset(&mut self) {
        self.head_bytes = HeadBytes::None;
        self.body.clear();
        self.body_is_taken = false;
        self.parsed = ParsedBody::default();
        self.path = Span::default();
        self.base_path = None;
        self.is_canary = None;
        self.explains = false;
        self.method = None;
        self.captures.clear();
        self.api_key = None;
        self.trace.clear();
        self.response.status = 0;
        self.response.headers.clear();
        self.response.buffer.clear();
        self.response.body = ResponseBody::Empty;
        self.response.head_length = None;
        self.response.length = 0;
        self.response.close = false;
        self.overrides = Overrides::default();
        self.outgoing.clear();
        self.integration = IntegrationOutcome::default();
        self.error = None;
        self.error_type = None;
        self.log = None;
        self.is_test = false;
    }
}
