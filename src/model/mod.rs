//! What the user declared, as plain data, under API Gateway's names.
//!
//! Filled by `openapi` (and later by the control plane), frozen and compiled by `deploy`. Nothing here
//! decides anything: no defaults are applied but AWS's own, and no text is interpreted.
//!
//! **Invariant**: the request flow never reads this module.

mod integration;
mod stage;

pub use integration::{
    ConnectionType, ContentHandling, Integration, IntegrationResponse, IntegrationType,
    PassthroughBehavior,
};
pub use stage::{ClientCertificate, MethodSetting};

use std::collections::BTreeMap;

use indexmap::IndexMap;

/// Where an object stands in its document, as a JSON pointer (RFC 6901); empty for the whole document
/// and for objects that come from no document.
pub type Pointer = String;

/// A REST API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RestApi {
    /// Ten lower-case letters and digits, like `a1b2c3d4e5`.
    pub id: String,
    /// `info.title`.
    pub name: String,
    /// `info.version`.
    pub version: Option<String>,
    /// `info.description`.
    pub description: Option<String>,
    /// Media types whose bodies are bytes and not text: `image/png`, `application/*`, `*/*`.
    pub binary_media_types: Vec<String>,
    /// Smallest body that is compressed, bytes, 0 to 10 485 760; `None`: compression is off.
    pub minimum_compression_size: Option<u32>,
    /// Every resource that has methods, and those between; sorted by path, the root first.
    pub resources: Vec<Resource>,
    /// Customised gateway responses by type.
    pub gateway_responses: BTreeMap<ResponseType, GatewayResponse>,
    /// `x-ringway-throttle` at the document's root: limit of the stage.
    pub throttle: Option<ThrottleSettings>,
}

/// A node of the API's path tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// Six lower-case letters and digits, derived from the path so that a reload keeps it.
    pub id: String,
    /// Full path, `/pets/{id}` or `/files/{proxy+}`; the root is `/`.
    pub path: String,
    /// Methods by name; [`MethodName::Any`] last.
    pub methods: BTreeMap<MethodName, Method>,
}

/// Key of a resource's method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum MethodName {
    Get,
    Put,
    Post,
    Delete,
    Patch,
    Options,
    Head,
    /// `x-amazon-apigateway-any-method`: the seven above.
    Any,
}

impl MethodName {
    /// `GET`, ..., `ANY`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Options => "OPTIONS",
            Self::Head => "HEAD",
            Self::Any => "ANY",
        }
    }

    /// Reads `GET`, ..., `ANY` in any case.
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::Get,
            Self::Put,
            Self::Post,
            Self::Delete,
            Self::Patch,
            Self::Options,
            Self::Head,
            Self::Any,
        ]
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(name))
    }
}

/// A method of a resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Method {
    /// `operationId`.
    pub operation_name: Option<String>,
    /// `method.request.{path,querystring,header}.NAME` → required.
    pub request_parameters: BTreeMap<String, bool>,
    /// Method responses by status code, like `200`.
    pub method_responses: BTreeMap<String, MethodResponse>,
    /// What answers. A method without one cannot be deployed.
    pub integration: Option<Integration>,
    /// `x-ringway-throttle` on the operation: limit of this method.
    pub throttle: Option<ThrottleSettings>,
    /// Where the operation stands.
    pub pointer: Pointer,
}

/// What a method may answer with one status.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MethodResponse {
    /// `method.response.header.NAME` → required (always false from a document).
    pub response_parameters: BTreeMap<String, bool>,
}

/// A customised gateway response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GatewayResponse {
    /// Status instead of the type's own, 100 to 599.
    pub status_code: Option<u16>,
    /// `gatewayresponse.header.NAME` → expression.
    pub response_parameters: IndexMap<String, String>,
    /// Media type → template with `$context`, `$stageVariables` and `$method.request` substitution.
    pub response_templates: IndexMap<String, String>,
    /// Where it stands.
    pub pointer: Pointer,
}

/// A token bucket's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThrottleSettings {
    /// Tokens a second, above 0; fractions are allowed.
    pub rate_limit: f64,
    /// Tokens the bucket holds, at least 1.
    pub burst_limit: u32,
}

macro_rules! response_types {
    ($($variant:ident, $name:literal, $status:expr, $error_type:literal, $message:expr;)*) => {
        /// Type of a gateway response. Source: developer guide, "Gateway response types".
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        #[repr(u8)]
        pub enum ResponseType { $($variant),* }

        impl ResponseType {
            /// All 21, in alphabetical order of their names.
            pub const ALL: [Self; 21] = [$(Self::$variant),*];

            /// `MISSING_AUTHENTICATION_TOKEN` and so on.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Status without customisation; `None` for the two defaults.
            pub fn status_code(self) -> Option<u16> {
                match self { $(Self::$variant => $status),* }
            }

            /// Value of `x-amzn-ErrorType`; empty for the two defaults.
            pub fn error_type(self) -> &'static str {
                match self { $(Self::$variant => $error_type),* }
            }

            /// `$context.error.message` where the error has no text of its own; `None` prints `null`.
            pub fn default_message(self) -> Option<&'static str> {
                match self { $(Self::$variant => $message),* }
            }
        }
    };
}

response_types! {
    AccessDenied, "ACCESS_DENIED", Some(403), "AccessDeniedException", Some("User is not authorized to access this resource");
    ApiConfigurationError, "API_CONFIGURATION_ERROR", Some(500), "InternalServerErrorException", Some("Internal server error");
    AuthorizerConfigurationError, "AUTHORIZER_CONFIGURATION_ERROR", Some(500), "AuthorizerConfigurationException", None;
    AuthorizerFailure, "AUTHORIZER_FAILURE", Some(500), "AuthorizerFailureException", None;
    BadRequestBody, "BAD_REQUEST_BODY", Some(400), "BadRequestException", Some("Invalid request body");
    BadRequestParameters, "BAD_REQUEST_PARAMETERS", Some(400), "BadRequestException", Some("Missing required request parameters");
    Default4xx, "DEFAULT_4XX", None, "", None;
    Default5xx, "DEFAULT_5XX", None, "", None;
    ExpiredToken, "EXPIRED_TOKEN", Some(403), "ExpiredTokenException", Some("The security token included in the request is expired");
    IntegrationFailure, "INTEGRATION_FAILURE", Some(504), "InternalServerErrorException", Some("Internal server error");
    IntegrationTimeout, "INTEGRATION_TIMEOUT", Some(504), "InternalServerErrorException", Some("Endpoint request timed out");
    InvalidApiKey, "INVALID_API_KEY", Some(403), "ForbiddenException", Some("Forbidden");
    InvalidSignature, "INVALID_SIGNATURE", Some(403), "InvalidSignatureException", Some("The request signature we calculated does not match the signature you provided");
    MissingAuthenticationToken, "MISSING_AUTHENTICATION_TOKEN", Some(403), "MissingAuthenticationTokenException", Some("Missing Authentication Token");
    QuotaExceeded, "QUOTA_EXCEEDED", Some(429), "LimitExceededException", Some("Limit Exceeded");
    RequestTooLarge, "REQUEST_TOO_LARGE", Some(413), "RequestTooLargeException", Some("Request Too Long");
    ResourceNotFound, "RESOURCE_NOT_FOUND", Some(404), "ResourceNotFoundException", Some("Resource not found");
    Throttled, "THROTTLED", Some(429), "TooManyRequestsException", Some("Too Many Requests");
    Unauthorized, "UNAUTHORIZED", Some(401), "UnauthorizedException", Some("Unauthorized");
    UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", Some(415), "BadRequestException", Some("Unsupported Media Type");
    WafFiltered, "WAF_FILTERED", Some(403), "ForbiddenException", Some("Forbidden");
}

impl ResponseType {
    /// Finds a type by its name; `None` if AWS has none of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Why no answer of this type occurs; `None`: it does (of the two defaults: for the types that do).
    pub fn why_never(self) -> Option<&'static str> {
        Some(match self {
            Self::ApiConfigurationError
            | Self::BadRequestBody
            | Self::Default4xx
            | Self::Default5xx
            | Self::IntegrationFailure
            | Self::IntegrationTimeout
            | Self::MissingAuthenticationToken
            | Self::Throttled
            | Self::UnsupportedMediaType => return None,
            Self::AccessDenied
            | Self::AuthorizerConfigurationError
            | Self::AuthorizerFailure
            | Self::ExpiredToken
            | Self::InvalidSignature
            | Self::Unauthorized => "authorizers and IAM come with a later release",
            Self::BadRequestParameters => "request validation comes with a later release",
            Self::InvalidApiKey | Self::QuotaExceeded => {
                "API keys and usage plans come with a later release"
            }
            Self::RequestTooLarge => {
                "a body over the limit is refused in AWS's plain text, which cannot be customised"
            }
            Self::ResourceNotFound => {
                "what matches no route is MISSING_AUTHENTICATION_TOKEN, as on AWS"
            }
            Self::WafFiltered => "there is no web application firewall",
        })
    }
}
