//! What the user declared, as plain data, under API Gateway's names.
//!
//! Filled by `openapi` (and later by the control plane), frozen and compiled by `deploy`. Nothing here
//! decides anything: no defaults are applied but AWS's own, and no text is interpreted. Objects refer to
//! each other by name, not by id: a method to its authorizer, validator and models.
//!
//! **Invariant**: the request flow never reads this module.

/// AWS's names of an enum's values, there and back.
macro_rules! named {
    ($type:ident: $($variant:ident = $name:literal),+ $(,)?) => {
        impl $type {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As AWS writes it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Reads AWS's name in any case of letters.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str().eq_ignore_ascii_case(name))
            }
        }
    };
}

mod access;
mod documentation;
mod endpoint;
mod integration;
mod schema;
mod stage;

pub use access::{ApiKeySource, AuthorizationType, Authorizer, AuthorizerType};
pub use documentation::{DocumentationPart, DocumentationPartLocation, DocumentationPartType};
pub use endpoint::{EndpointAccessMode, EndpointConfiguration, EndpointType, IpAddressType};
pub use integration::{
    ConnectionType, ContentHandling, Integration, IntegrationResponse, IntegrationType,
    PassthroughBehavior, ResponseTransferMode,
};
pub use schema::{API_ID_PLACEHOLDER, Model, RequestValidator, model_reference, referenced_model};
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
    /// Where the keys of requests come from.
    pub api_key_source: ApiKeySource,
    /// The resource policy's document.
    pub policy: Option<serde_json::Value>,
    /// How the API is reached.
    pub endpoint_configuration: EndpointConfiguration,
    /// Whether only custom domain names lead here.
    pub disable_execute_api_endpoint: bool,
    /// TLS policy of the endpoint: `TLS_1_2`, `SecurityPolicy_TLS13_1_3_2025_09` and so on.
    pub security_policy: Option<String>,
    /// How strictly the endpoint checks how it is reached.
    pub endpoint_access_mode: Option<EndpointAccessMode>,
    /// Models by name, in the document's order.
    pub models: IndexMap<String, Model>,
    /// Request validators by name.
    pub request_validators: IndexMap<String, RequestValidator>,
    /// Authorizers by name.
    pub authorizers: IndexMap<String, Authorizer>,
    /// Texts about the API's objects.
    pub documentation_parts: Vec<DocumentationPart>,
    /// Version under which the document gives them, if it does.
    pub documentation_version: Option<String>,
    /// Every resource that has methods, and those between; sorted by path, the root first.
    pub resources: Vec<Resource>,
    /// Customised gateway responses by type.
    pub gateway_responses: BTreeMap<ResponseType, GatewayResponse>,
    /// `x-ringway-throttle` at the document's root: limit of the stage.
    pub throttle: Option<ThrottleSettings>,
}

impl RestApi {
    /// Gives the API its id, also where an import left [`API_ID_PLACEHOLDER`]: in the references
    /// between models and in the policy's ARNs.
    pub fn set_id(&mut self, id: &str) {
        self.id = id.to_owned();
        for model in self.models.values_mut() {
            model.schema = model.schema_of(id);
        }
        if let Some(policy) = &mut self.policy {
            set_id_in(policy, id);
        }
    }
}

fn set_id_in(policy: &mut serde_json::Value, id: &str) {
    match policy {
        serde_json::Value::String(text) if text.contains(API_ID_PLACEHOLDER) => {
            *text = text.replace(API_ID_PLACEHOLDER, id);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|it| set_id_in(it, id)),
        serde_json::Value::Object(members) => {
            members.values_mut().for_each(|it| set_id_in(it, id));
        }
        _ => {}
    }
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

named!(MethodName:
    Get = "GET",
    Put = "PUT",
    Post = "POST",
    Delete = "DELETE",
    Patch = "PATCH",
    Options = "OPTIONS",
    Head = "HEAD",
    Any = "ANY",
);

/// A method of a resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Method {
    /// `operationId`.
    pub operation_name: Option<String>,
    /// How callers are told apart.
    pub authorization_type: AuthorizationType,
    /// Name of the authorizer, for the types that have one.
    pub authorizer: Option<String>,
    /// Of which a caller's token needs one; with Cognito and JWT authorizers.
    pub authorization_scopes: Vec<String>,
    /// Whether a request needs a key.
    pub api_key_required: bool,
    /// Name of the validator; `None`: nothing is checked.
    pub request_validator: Option<String>,
    /// `method.request.{path,querystring,header}.NAME` → required.
    pub request_parameters: BTreeMap<String, bool>,
    /// Media type, or `$default` → name of the body's model.
    pub request_models: IndexMap<String, String>,
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
    /// Media type → name of the body's model.
    pub response_models: IndexMap<String, String>,
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
            | Self::BadRequestParameters
            | Self::Default4xx
            | Self::Default5xx
            | Self::IntegrationFailure
            | Self::IntegrationTimeout
            | Self::InvalidApiKey
            | Self::MissingAuthenticationToken
            | Self::QuotaExceeded
            | Self::Throttled
            | Self::UnsupportedMediaType => return None,
            Self::AccessDenied
            | Self::AuthorizerConfigurationError
            | Self::AuthorizerFailure
            | Self::ExpiredToken
            | Self::InvalidSignature
            | Self::Unauthorized => "authorizers and IAM come with a later release",
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
