//! A stage as the request flow sees it: everything that can be decided before a request is.
//!
//! Immutable once built, shared by all shards. Nothing here refers to `model`'s objects; what the
//! flow needs of them has been copied or compiled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::gateway_responses::GatewayResponses;
use super::media_type::{self, MediaTypes};
use super::route_tree::RouteTree;
use super::selector::Selector;
use super::source::{BodySource, Source};
use super::template::{CompiledTemplate, Template};
use super::validation::Validation;
use crate::http::{self, HeaderList, KnownHeader};
use crate::limits::Limits;
use crate::model::{
    ApiKeySource, ContentHandling, MethodName, PassthroughBehavior, ThrottleSettings,
};
use crate::throttle::TokenBucket;
use crate::time::Nanos;
use crate::upstream::Target;

/// One deployed stage.
#[derive(Debug)]
pub struct CompiledStage {
    /// The API's id.
    pub api_id: String,
    /// The API's name.
    pub api_name: String,
    /// The stage's name: first segment of every path.
    pub stage: String,
    /// Id of the deployment.
    pub deployment_id: String,
    /// Owner's account.
    pub account_id: String,
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// Limits in force.
    pub limits: Arc<Limits>,
    /// Paths and methods; its numbers lead into `methods`.
    pub routes: RouteTree,
    /// All methods.
    pub methods: Box<[CompiledMethod]>,
    /// Every bucket that the methods spend from, with the settings this stage gives it.
    pub throttles: Box<[(Arc<TokenBucket>, ThrottleSettings)]>,
    /// Answers that depend on nothing.
    pub constants: Box<[ConstantResponse]>,
    /// What each kind of error is answered with.
    pub gateway_responses: GatewayResponses,
    /// Payloads that are bytes.
    pub binary_media_types: MediaTypes,
    /// Smallest body that is compressed; `None`: off.
    pub minimum_compression_size: Option<u32>,
    /// `User-Agent: AmazonAPIGateway_{api id}\r\n`, for integrations where the client names none.
    pub user_agent_line: Box<[u8]>,
    /// `X-Amzn-Apigateway-Api-Id: {api id}\r\n`, for every integration.
    pub api_id_line: Box<[u8]>,
}

impl CompiledStage {
    /// Gives the token buckets this stage's settings; they keep their tokens. The publisher does this
    /// once, so that a definition which is refused changes no limit.
    pub fn apply_throttles(&self, now: Nanos) {
        for (bucket, ThrottleSettings { rate_limit, burst_limit }) in &self.throttles {
            bucket.reconfigure(*rate_limit, *burst_limit, now);
        }
    }
}

/// Level of a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ThrottleScope {
    /// One key of a usage plan, for one method or for all; not among a method's buckets.
    UsagePlan,
    /// One method.
    Method,
    /// All methods of the stage.
    Stage,
    /// All APIs of the account.
    Account,
}

impl ThrottleScope {
    /// As the execution log names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UsagePlan => "usage plan",
            Self::Method => "method",
            Self::Stage => "stage",
            Self::Account => "account",
        }
    }
}

/// One method of one resource.
#[derive(Debug)]
pub struct CompiledMethod {
    /// Its place in `CompiledStage::methods`.
    pub index: u32,
    /// Its name as declared; may be ANY.
    pub http_method: MethodName,
    /// The resource's pattern; the series that count its requests share it.
    pub resource_path: Arc<str>,
    /// The resource's id.
    pub resource_id: String,
    /// `operationId`.
    pub operation_name: Option<String>,
    /// Whether it is protected by what is not carried out yet, so that nobody is let in.
    pub is_closed: bool,
    /// Names of the path parameters in the path's order.
    pub path_parameters: Box<[Box<[u8]>]>,
    /// Where a request's API key comes from; `None`: it needs none.
    pub api_key: Option<ApiKeySource>,
    /// What is checked of a request; `None`: nothing.
    pub validation: Option<Box<Validation>>,
    /// Buckets that every request takes a token of, in AWS's order: method, stage, account.
    pub buckets: Box<[(ThrottleScope, Arc<TokenBucket>)]>,
    /// What answers.
    pub integration: CompiledIntegration,
}

/// What answers a method's requests.
#[derive(Debug)]
pub enum CompiledIntegration {
    /// The gateway itself.
    Mock(CompiledMock),
    /// An HTTP backend.
    Http(Box<CompiledHttp>),
}

impl CompiledIntegration {
    /// `MOCK`, `HTTP` or `HTTP_PROXY`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mock(_) => "MOCK",
            Self::Http(http) if http.proxy => "HTTP_PROXY",
            Self::Http(_) => "HTTP",
        }
    }
}

/// Templates by media type.
#[derive(Clone, Debug)]
pub struct Templates<T = Template> {
    /// In the document's order; media types as declared.
    pub entries: Box<[(Box<str>, T)]>,
    /// The one for `$default`.
    default: Option<usize>,
    /// The one where nothing of `Accept` fits: `application/json`, else the first.
    fallback: usize,
}

impl<T> Templates<T> {
    /// From entries in the document's order.
    pub fn new(entries: Vec<(Box<str>, T)>) -> Self {
        let place = |name: &str| entries.iter().position(|(key, _)| key.eq_ignore_ascii_case(name));
        let (default, fallback) = (place("$default"), place(media_type::JSON).unwrap_or(0));
        Self { entries: entries.into(), default, fallback }
    }

    fn place(&self, media_type: &[u8]) -> Option<usize> {
        self.entries.iter().position(|(key, _)| key.as_bytes().eq_ignore_ascii_case(media_type))
    }

    /// Index of the template for a request: by its `Content-Type`, where there is none as JSON.
    ///
    /// Source: facts, vtl section 15.
    #[inline]
    pub fn for_content_type(&self, content_type: Option<&[u8]>) -> Option<usize> {
        if self.entries.is_empty() {
            return None;
        }
        let given = content_type.map_or(media_type::JSON.as_bytes(), media_type::essence);
        self.place(given).or(self.default)
    }

    /// Index of the template for an answer: by the first type of `Accept`, else JSON, else the first.
    #[inline]
    pub fn for_accept(&self, accept: Option<&[u8]>) -> Option<usize> {
        match self.entries.len() {
            0 => None,
            1 => Some(0),
            _ => {
                let given = accept.map_or(media_type::JSON.as_bytes(), media_type::first);
                Some(self.place(given).unwrap_or(self.fallback))
            }
        }
    }
}

/// A MOCK integration.
#[derive(Debug)]
pub struct CompiledMock {
    /// Templates, already reduced to what they lead to.
    pub templates: Templates<MockTemplate>,
    /// Where no template matches.
    pub passthrough: PassthroughBehavior,
    /// Which response a status selects.
    pub selector: Selector,
    /// Integration responses in stored order.
    pub responses: Box<[CompiledResponse]>,
}

/// What a MOCK's request template leads to.
#[derive(Clone, Debug)]
pub enum MockTemplate {
    /// A status that selects this response.
    Response(usize),
    /// No integer `statusCode`.
    Unparsable,
    /// A status that selects nothing.
    NoMatch(i64),
    /// Empty: the client's body is the template.
    Passthrough,
    /// The status is known once it has rendered.
    Program(Arc<CompiledTemplate>),
}

/// An HTTP or HTTP_PROXY integration.
#[derive(Debug)]
pub struct CompiledHttp {
    /// HTTP_PROXY: request and answer pass through.
    pub proxy: bool,
    /// Where the backend is.
    pub target: Arc<Target>,
    /// The address is unusable since a stage variable is missing or wrong: every request gets 500
    /// `Invalid endpoint address`, as with AWS.
    pub invalid_endpoint: bool,
    /// Method towards the backend; `None`: the client's.
    pub method: Option<http::Method>,
    /// Path and query towards the backend.
    pub uri: Box<[UriPiece]>,
    /// Whether `uri` has a `?`.
    pub uri_has_query: bool,
    /// Names that a template may override, and their places in `uri`; only where a template overrides
    /// anything.
    pub uri_names: Box<[(Box<str>, usize)]>,
    /// Query parameters that are added, in the document's order.
    pub query: Box<[QueryMapping]>,
    /// Headers that are set, in the document's order.
    pub headers: Box<[HeaderMapping]>,
    /// What the mappings read of the request's body, by number.
    pub body_sources: Box<[BodySource]>,
    /// Request templates; of no use for HTTP_PROXY.
    pub templates: Templates,
    /// Where no template matches.
    pub passthrough: PassthroughBehavior,
    /// For the request's body.
    pub content_handling: Option<ContentHandling>,
    /// For the whole answer; `None`: no limit.
    pub timeout: Option<Duration>,
    /// Which response a status selects.
    pub selector: Selector,
    /// Integration responses in stored order; none for HTTP_PROXY.
    pub responses: Box<[CompiledResponse]>,
}

/// A set of known headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownSet(u64);

impl KnownSet {
    /// A set of these.
    pub const fn of(headers: &[KnownHeader]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < headers.len() {
            bits |= 1 << headers[index] as u8;
            index += 1;
        }
        Self(bits)
    }

    /// Adds one; [`KnownHeader::Other`] is never in a set.
    pub fn insert(&mut self, known: KnownHeader) {
        if known != KnownHeader::Other {
            self.0 |= 1 << known as u8;
        }
    }

    /// Whether it is in the set.
    #[inline]
    pub const fn contains(self, known: KnownHeader) -> bool {
        self.0 & (1 << known as u8) != 0
    }

    /// Both together.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

const _: () = assert!(KnownHeader::COUNT <= 64);

/// A piece of the URI's path and query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UriPiece {
    /// As it stands.
    Literal(Box<[u8]>),
    /// A mapped value in the path: blanks and the like are escaped, slashes stay.
    Path(Source),
    /// A mapped value in the query: everything but unreserved characters is escaped.
    Query(Source),
}

/// A query parameter that is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryMapping {
    /// Escaped name.
    pub name: Box<[u8]>,
    /// Its value or values.
    pub source: Source,
}

/// A request header that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMapping {
    /// Name as declared.
    pub name: Box<[u8]>,
    /// Which one it is.
    pub known: KnownHeader,
    /// Its value.
    pub source: Source,
    /// A value breaks the call: 500, `<name> header already present`.
    pub forbidden: bool,
}

/// An integration response.
#[derive(Debug)]
pub struct CompiledResponse {
    /// Status towards the client.
    pub status: u16,
    /// Whether the method has a method response of this status; AWS answers 500 if not.
    pub declared: bool,
    /// Headers that are set, already renamed.
    pub headers: Box<[ResponseMapping]>,
    /// Response templates.
    pub templates: Templates,
    /// For the answer's body.
    pub content_handling: Option<ContentHandling>,
    /// MOCK only: the finished answer per template (the only entry if there is no template), `None` for
    /// a program; empty where headers depend on the request.
    pub constants: Box<[Option<u32>]>,
    /// Whether a header is mapped from the body.
    pub reads_body: bool,
}

/// A response header that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseMapping {
    /// Name as it is sent.
    pub name: Box<[u8]>,
    /// Its value.
    pub source: Source,
}

/// An answer that depends on nothing, encoded when the stage is compiled.
#[derive(Debug)]
pub struct ConstantResponse {
    /// Its status.
    pub status: u16,
    /// Status line and fixed headers with `Content-Type` and `Content-Length`, every line ended, no
    /// empty line: the carrier adds `Date`, ids and `Connection`.
    pub h1: Box<[u8]>,
    /// Its body.
    pub body: Box<[u8]>,
    /// The same headers without `Content-Length`, for carriers that encode differently.
    pub headers: HeaderList,
}

/// Collects constants; equal ones are one.
#[derive(Debug, Default)]
pub(super) struct Constants {
    all: Vec<ConstantResponse>,
}

impl Constants {
    /// Number of the answer with this status, these headers and this body.
    pub(super) fn add(&mut self, status: u16, mut headers: HeaderList, body: &[u8]) -> u32 {
        if headers.find(KnownHeader::ContentType).is_none() {
            headers.push_known(KnownHeader::ContentType, media_type::JSON.as_bytes());
        }
        debug_assert!(!headers.holds_writers_own(), "{headers:?}");
        // RFC 9110 sections 6.4.1 and 8.6: no body, and for 1xx and 204 no length either.
        let bodiless = matches!(status, 100..=199 | 204 | 304);
        let body = if bodiless { &[] } else { body };
        let mut h1 = Vec::new();
        http::encode::status_line(&mut h1, status);
        headers.encode(&mut h1);
        if !bodiless {
            http::encode::content_length(&mut h1, body.len() as u64);
        }
        let known = self.all.iter().position(|other| *other.h1 == *h1 && *other.body == *body);
        let index = known.unwrap_or_else(|| {
            let constant = ConstantResponse { status, h1: h1.into(), body: body.into(), headers };
            self.all.push(constant);
            self.all.len() - 1
        });
        u32::try_from(index).expect("fewer constants than templates and error texts: below 2^32")
    }

    pub(super) fn finish(self) -> Box<[ConstantResponse]> {
        self.all.into()
    }
}
