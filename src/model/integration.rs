//! Integrations: what a method's request becomes, and what its answer becomes.

use indexmap::IndexMap;

use super::{MethodName, Pointer};

/// Kind of an integration. Only the first three are carried out yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum IntegrationType {
    #[default]
    Mock,
    Http,
    HttpProxy,
    Aws,
    AwsProxy,
}

named!(IntegrationType:
    Mock = "MOCK",
    Http = "HTTP",
    HttpProxy = "HTTP_PROXY",
    Aws = "AWS",
    AwsProxy = "AWS_PROXY",
);

/// What happens to a body that no request template matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PassthroughBehavior {
    /// It passes through.
    #[default]
    WhenNoMatch,
    /// It passes through only if there are no templates at all; otherwise 415.
    WhenNoTemplates,
    /// 415.
    Never,
}

named!(PassthroughBehavior:
    WhenNoMatch = "WHEN_NO_MATCH",
    WhenNoTemplates = "WHEN_NO_TEMPLATES",
    Never = "NEVER",
);

/// How a payload changes between bytes and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentHandling {
    /// Text is decoded as Base64.
    ConvertToBinary,
    /// Bytes are encoded as Base64.
    ConvertToText,
}

named!(ContentHandling: ConvertToBinary = "CONVERT_TO_BINARY", ConvertToText = "CONVERT_TO_TEXT");

/// How an answer travels to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ResponseTransferMode {
    /// In one piece.
    #[default]
    Buffered,
    /// As it comes.
    Stream,
}

named!(ResponseTransferMode: Buffered = "BUFFERED", Stream = "STREAM");

/// How an integration is reached.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ConnectionType {
    /// Over the network, directly.
    #[default]
    Internet,
    /// Through a VPC link; its id (`connectionId`), often a stage variable. Not carried out yet.
    VpcLink(String),
}

/// An integration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Integration {
    /// Its kind.
    pub kind: IntegrationType,
    /// URL, or ARN for AWS and AWS_PROXY, with `{path parameters}` and `${stageVariables.x}`; `None`
    /// for MOCK.
    pub uri: Option<String>,
    /// Method towards the backend; `Any` or `None` (HTTP_PROXY under an ANY method): the client's.
    pub http_method: Option<MethodName>,
    /// Role that AWS services are called as, or `arn:aws:iam::*:user/*` for the caller's own identity.
    pub credentials: Option<String>,
    /// `integration.request.{path,querystring,header}.NAME` → expression, in the document's order.
    pub request_parameters: IndexMap<String, String>,
    /// Media type → template.
    pub request_templates: IndexMap<String, String>,
    /// For bodies that match no template.
    pub passthrough_behavior: PassthroughBehavior,
    /// For the request.
    pub content_handling: Option<ContentHandling>,
    /// For the whole answer, milliseconds, 50 to 29 000 unless the limit was raised. `None`: the limit
    /// `integration-timeout`, 29 s unless that was changed.
    pub timeout_ms: Option<u32>,
    /// How the backend is reached.
    pub connection_type: ConnectionType,
    /// ARN of the load balancer behind a VPC link.
    pub integration_target: Option<String>,
    /// How answers travel to the client.
    pub response_transfer_mode: ResponseTransferMode,
    /// Methods that name the same one share what is cached; `None`: the resource's id.
    pub cache_namespace: Option<String>,
    /// `method.request.{path,querystring,header}.NAME`: what tells cached answers apart.
    pub cache_key_parameters: Vec<String>,
    /// `tlsConfig.insecureSkipVerification`: the backend's certificate is not checked.
    pub insecure_skip_verification: bool,
    /// Integration responses, in the document's order; the one without pattern is the default.
    pub responses: Vec<IntegrationResponse>,
    /// Where it stands.
    pub pointer: Pointer,
}

/// An integration response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntegrationResponse {
    /// Java regex over the whole status text; `None`: the default.
    pub selection_pattern: Option<String>,
    /// Status towards the client, 100 to 599.
    pub status_code: u16,
    /// `method.response.header.NAME` → expression, in the document's order.
    pub response_parameters: IndexMap<String, String>,
    /// Media type → template.
    pub response_templates: IndexMap<String, String>,
    /// For the response.
    pub content_handling: Option<ContentHandling>,
    /// Where it stands.
    pub pointer: Pointer,
}
