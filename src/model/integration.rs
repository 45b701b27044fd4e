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

impl IntegrationType {
    /// `MOCK`, `HTTP`, `HTTP_PROXY`, `AWS`, `AWS_PROXY`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mock => "MOCK",
            Self::Http => "HTTP",
            Self::HttpProxy => "HTTP_PROXY",
            Self::Aws => "AWS",
            Self::AwsProxy => "AWS_PROXY",
        }
    }
}

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

/// How a payload changes between bytes and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentHandling {
    /// Text is decoded as Base64.
    ConvertToBinary,
    /// Bytes are encoded as Base64.
    ConvertToText,
}

/// How an integration is reached.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ConnectionType {
    /// Over the network, directly.
    #[default]
    Internet,
    /// Through a VPC link; the id. Not carried out yet.
    VpcLink(String),
}

/// An integration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Integration {
    /// Its kind.
    pub kind: IntegrationType,
    /// URL with `{path parameters}` and `${stageVariables.x}`; `None` for MOCK.
    pub uri: Option<String>,
    /// Method towards the backend; `Any` or `None` (HTTP_PROXY under an ANY method): the client's.
    pub http_method: Option<MethodName>,
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
