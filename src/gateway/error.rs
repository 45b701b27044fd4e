//! Why a request is not answered by its integration, and what the client is told instead.
//!
//! Most errors become a *gateway response*, which the API's owner may customise by type. A few are
//! refused at the front door, before the API plays a part; AWS lets nobody customise those.
//!
//! Source: developer guide, "Gateway response types"; facts, rest-api sections 8, 11 and 12.

use std::fmt;

use crate::deploy::{INVALID_BODY, TemplateSide, ThrottleScope};
use crate::http::{BodyError, HeadError};
use crate::model::ResponseType;
use crate::telemetry::Refused;

/// Why a request gets an answer of the gateway instead of its integration's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayError {
    /// No resource matches the path, or it lacks the method. AWS answers 403, not 404.
    NoSuchMethod,
    /// No API has this host, and the path names none.
    UnknownApi,
    /// The path does not name a stage of the API where its name has to be.
    UnknownStage,
    /// The API was asked at its default endpoint, which its owner has disabled.
    NoDefaultEndpoint,
    /// The caller may not call this method.
    NotAuthorized,
    /// A method that requires an API key was given none that opens its stage.
    InvalidApiKey,
    /// The quota of the request's API key is used up.
    QuotaExceeded,
    /// Required parameters are not there.
    MissingParameters {
        /// What the client is told: `MISSING_PARAMETERS` and all of their names.
        message: Box<str>,
    },
    /// The body is not what its model says.
    InvalidBody(Box<InvalidBody>),
    /// A token bucket was empty; the scope is logged, never sent.
    Throttled {
        /// Whose bucket.
        scope: ThrottleScope,
    },
    /// The head is none; the connection is closed afterwards.
    MalformedHead(HeadError),
    /// The body's framing is broken; the connection is closed afterwards.
    MalformedBody(BodyError),
    /// What a client did wrong otherwise.
    BadRequest(&'static str),
    /// A mapping reads the body as JSON and it is none.
    InvalidJsonBody,
    /// No request template matches and `passthroughBehavior` says no, or a `Content-Encoding` that
    /// is unknown or broken.
    UnsupportedMediaType,
    /// The request's body is larger than this limit, bytes.
    PayloadTooLarge {
        /// The limit.
        limit: u64,
    },
    /// The request target is larger than the limit.
    UriTooLong,
    /// The headers are larger than this limit, bytes.
    HeadersTooLarge {
        /// The limit.
        limit: u64,
    },
    /// There are more header fields than this limit.
    TooManyHeaders {
        /// The limit.
        limit: u64,
    },
    /// Head or body did not arrive in time.
    RequestTimeout,
    /// The integration's whole answer did not arrive in time.
    IntegrationTimeout,
    /// The integration cannot be reached or broke the connection; why.
    IntegrationNetwork(&'static str),
    /// The integration's answer is not HTTP; why.
    IntegrationMalformed(&'static str),
    /// The integration's address is unusable or its name leads nowhere.
    InvalidEndpointAddress,
    /// The definition cannot be carried out for this request; the execution log's reason.
    Configuration(&'static str),
    /// A mapping template failed.
    Template(Box<TemplateFailure>),
    /// A mapping sets a header that is the gateway's own.
    HeaderAlreadyPresent {
        /// Its name.
        name: String,
    },
    /// No integration response fits this status, and there is no default one.
    NoMatchingResponse {
        /// Status of the integration's answer.
        status: i64,
    },
    /// An integration response leads to a status that the method does not declare.
    UndeclaredStatus {
        /// The status.
        status: u16,
    },
    /// The integration's answer is larger than the limit.
    ResponseTooLarge {
        /// Its length as announced, or as far as it was read.
        length: u64,
        /// The limit.
        limit: u64,
    },
}

/// Begins the message about required parameters; `[name, …]` follows.
pub const MISSING_PARAMETERS: &str = "Missing required request parameters: ";

/// A body that is not what its model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidBody {
    /// By which the model was found.
    pub media_type: Box<str>,
    /// `$context.error.validationErrorString`: `[…, …]`; empty if nobody was going to read it.
    pub details: Box<str>,
}

/// Which template failed for a request, where in it, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFailure {
    /// Of the request or of the response.
    pub side: TemplateSide,
    /// Its key.
    pub media_type: Box<str>,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What went wrong, half a sentence.
    pub message: String,
}

impl fmt::Display for TemplateFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, media_type, line, column, message } = self;
        let side = side.as_str();
        write!(
            f,
            "Unable to transform {side}: template for {media_type}, line {line}, column {column}: \
             {message}"
        )
    }
}

/// What the execution log says where AWS's texts differ by kind only.
const UNPARSABLE_STATUS: &str =
    "Unable to parse statusCode. It should be an integer that is defined in the request template.";

impl GatewayError {
    /// A MOCK whose template has no integer `statusCode`.
    pub const UNPARSABLE_STATUS: Self = Self::Configuration(UNPARSABLE_STATUS);

    /// Type of the gateway response; `None` for what the front door refuses: it cannot be customised.
    ///
    /// Exhaustive on purpose: a new variant has to choose.
    pub fn response_type(&self) -> Option<ResponseType> {
        Some(match self {
            Self::NoSuchMethod => ResponseType::MissingAuthenticationToken,
            Self::InvalidApiKey => ResponseType::InvalidApiKey,
            Self::QuotaExceeded => ResponseType::QuotaExceeded,
            Self::NotAuthorized => ResponseType::AccessDenied,
            Self::Throttled { .. } => ResponseType::Throttled,
            Self::MissingParameters { .. } => ResponseType::BadRequestParameters,
            Self::InvalidBody(_) | Self::InvalidJsonBody => ResponseType::BadRequestBody,
            Self::UnsupportedMediaType => ResponseType::UnsupportedMediaType,
            Self::IntegrationTimeout => ResponseType::IntegrationTimeout,
            Self::IntegrationNetwork(_) | Self::IntegrationMalformed(_) => {
                ResponseType::IntegrationFailure
            }
            Self::InvalidEndpointAddress
            | Self::Configuration(_)
            | Self::Template(_)
            | Self::HeaderAlreadyPresent { .. }
            | Self::NoMatchingResponse { .. }
            | Self::UndeclaredStatus { .. }
            | Self::ResponseTooLarge { .. } => ResponseType::ApiConfigurationError,
            Self::UnknownApi
            | Self::UnknownStage
            | Self::NoDefaultEndpoint
            | Self::MalformedHead(_)
            | Self::MalformedBody(_)
            | Self::BadRequest(_)
            | Self::PayloadTooLarge { .. }
            | Self::UriTooLong
            | Self::HeadersTooLarge { .. }
            | Self::TooManyHeaders { .. }
            | Self::RequestTimeout => return None,
        })
    }

    /// Status without customisation.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadRequest(_)
            | Self::MissingParameters { .. }
            | Self::InvalidBody(_)
            | Self::InvalidJsonBody => 400,
            Self::NoSuchMethod
            | Self::InvalidApiKey
            | Self::NotAuthorized
            | Self::UnknownApi
            | Self::UnknownStage
            | Self::NoDefaultEndpoint => 403,
            Self::RequestTimeout => 408,
            Self::PayloadTooLarge { .. } => 413,
            Self::UriTooLong => 414,
            Self::UnsupportedMediaType => 415,
            Self::Throttled { .. } | Self::QuotaExceeded => 429,
            Self::HeadersTooLarge { .. } | Self::TooManyHeaders { .. } => 431,
            Self::InvalidEndpointAddress
            | Self::Configuration(_)
            | Self::Template(_)
            | Self::HeaderAlreadyPresent { .. }
            | Self::NoMatchingResponse { .. }
            | Self::UndeclaredStatus { .. }
            | Self::ResponseTooLarge { .. } => 500,
            Self::IntegrationMalformed(_) => 502,
            Self::IntegrationTimeout | Self::IntegrationNetwork(_) => 504,
            Self::MalformedHead(error) => error.status(),
            Self::MalformedBody(error) => error.status(),
        }
    }

    /// `$context.error.message`: what the client reads. The plain-text refusals are written by
    /// `gateway_response`, since they name their limit.
    pub fn message(&self) -> &str {
        match self {
            Self::MissingParameters { message } => message,
            _ => self.fixed_message(),
        }
    }

    /// The same without what depends on the request.
    pub fn fixed_message(&self) -> &'static str {
        match self {
            Self::NoSuchMethod => "Missing Authentication Token",
            Self::NotAuthorized => "User is not authorized to access this resource",
            Self::UnknownApi
            | Self::UnknownStage
            | Self::NoDefaultEndpoint
            | Self::InvalidApiKey => "Forbidden",
            Self::Throttled { .. } => "Too Many Requests",
            Self::QuotaExceeded => "Limit Exceeded",
            Self::MissingParameters { .. } => "Missing required request parameters",
            Self::InvalidBody(_) => INVALID_BODY,
            Self::InvalidJsonBody => "Invalid JSON in request body",
            Self::UnsupportedMediaType => "Unsupported Media Type",
            Self::PayloadTooLarge { .. } => "Request Too Long",
            Self::UriTooLong => "Request URI too long",
            Self::HeadersTooLarge { .. } => "Request header too large",
            Self::TooManyHeaders { .. } => "Too many request headers",
            Self::RequestTimeout => "Request Timeout",
            Self::IntegrationTimeout => "Endpoint request timed out",
            Self::IntegrationNetwork(_) => "Network error communicating with endpoint",
            Self::IntegrationMalformed(_)
            | Self::InvalidEndpointAddress
            | Self::Configuration(_)
            | Self::Template(_)
            | Self::HeaderAlreadyPresent { .. }
            | Self::NoMatchingResponse { .. }
            | Self::UndeclaredStatus { .. }
            | Self::ResponseTooLarge { .. } => "Internal server error",
            Self::BadRequest(_) | Self::MalformedHead(_) | Self::MalformedBody(_) => {
                match self.status() {
                    414 => "Request URI too long",
                    417 => "Expectation Failed",
                    431 => "Request header too large",
                    501 => "Not Implemented",
                    505 => "HTTP Version Not Supported",
                    _ => "Bad Request",
                }
            }
        }
    }

    /// `x-amzn-ErrorType`.
    pub fn error_type(&self) -> &'static str {
        if let Some(kind) = self.response_type() {
            return kind.error_type();
        }
        match self.status() {
            403 => "ForbiddenException",
            408 => "RequestTimeoutException",
            413 | 414 | 431 => "RequestTooLargeException",
            _ => "BadRequestException",
        }
    }

    /// Whether the rest of the request is not going to be read: the connection must be closed.
    pub fn ends_connection(&self) -> bool {
        match self {
            Self::MalformedHead(_)
            | Self::MalformedBody(_)
            | Self::BadRequest(_)
            | Self::PayloadTooLarge { .. }
            | Self::UriTooLong
            | Self::HeadersTooLarge { .. }
            | Self::TooManyHeaders { .. }
            | Self::RequestTimeout => true,
            Self::NoSuchMethod
            | Self::NotAuthorized
            | Self::UnknownApi
            | Self::UnknownStage
            | Self::NoDefaultEndpoint
            | Self::InvalidApiKey
            | Self::QuotaExceeded
            | Self::MissingParameters { .. }
            | Self::InvalidBody(_)
            | Self::Throttled { .. }
            | Self::InvalidJsonBody
            | Self::UnsupportedMediaType
            | Self::IntegrationTimeout
            | Self::IntegrationNetwork(_)
            | Self::IntegrationMalformed(_)
            | Self::InvalidEndpointAddress
            | Self::Configuration(_)
            | Self::Template(_)
            | Self::HeaderAlreadyPresent { .. }
            | Self::NoMatchingResponse { .. }
            | Self::UndeclaredStatus { .. }
            | Self::ResponseTooLarge { .. } => false,
        }
    }

    /// How a request counts that was not admitted; `None`: it was.
    pub fn refused(&self) -> Option<Refused> {
        match self {
            Self::Throttled { .. } => Some(Refused::Throttled),
            Self::QuotaExceeded => Some(Refused::Quota),
            Self::InvalidApiKey => Some(Refused::Forbidden),
            _ => None,
        }
    }

    /// Whether it was the request's API key that did not admit it.
    pub fn is_of_key_check(&self) -> bool {
        matches!(
            self,
            Self::InvalidApiKey
                | Self::QuotaExceeded
                | Self::Throttled { scope: ThrottleScope::UsagePlan }
        )
    }

    /// The execution log's line: for the API's owner, never for its callers.
    pub fn execution_log(&self) -> String {
        const CONFIGURATION: &str = "Execution failed due to configuration error";
        match self {
            Self::NoSuchMethod => "No resource and method match the request".to_owned(),
            Self::NotAuthorized => {
                "The method is protected by what is not carried out yet: it is closed".to_owned()
            }
            Self::UnknownApi => "No API is asked by this host and path".to_owned(),
            Self::UnknownStage => "The path does not name a stage of the API".to_owned(),
            Self::NoDefaultEndpoint => "The API's default endpoint is disabled".to_owned(),
            Self::Throttled { scope } => {
                format!("Rate limit exceeded: the {}'s bucket is empty", scope.as_str())
            }
            Self::InvalidApiKey => "The request has no API key that opens the stage".to_owned(),
            Self::QuotaExceeded => "The quota of the request's API key is used up".to_owned(),
            Self::MissingParameters { message } => message.clone().into(),
            Self::InvalidBody(invalid) => {
                let InvalidBody { media_type, details } = &**invalid;
                format!(
                    "Request body does not match model schema for content type {media_type}: {details}"
                )
            }
            Self::MalformedHead(error) => format!("The request's head is malformed: {error}"),
            Self::MalformedBody(error) => format!("The request's body is malformed: {error}"),
            Self::BadRequest(what) => format!("The request is malformed: {what}"),
            Self::InvalidJsonBody => "Execution failed: a parameter mapping reads the request's \
                                      body as JSON, and it is none"
                .to_owned(),
            Self::UnsupportedMediaType => {
                "Execution failed: no mapping for the request's Content-Type or Content-Encoding"
                    .to_owned()
            }
            Self::PayloadTooLarge { limit } => {
                format!("HTTP content length exceeded {limit} bytes.")
            }
            Self::UriTooLong => "The request's target is longer than the limit 'url'".to_owned(),
            Self::HeadersTooLarge { limit } => format!("HTTP header is larger than {limit} bytes."),
            Self::TooManyHeaders { limit } => format!("HTTP header has more than {limit} fields."),
            Self::RequestTimeout => "The request did not arrive in time".to_owned(),
            Self::IntegrationTimeout => "Execution failed due to a timeout error".to_owned(),
            Self::IntegrationNetwork(why) => format!(
                "Execution failed due to a network error communicating with endpoint: {why}"
            ),
            Self::IntegrationMalformed(why) => {
                format!("Execution failed: the endpoint's answer is not HTTP: {why}")
            }
            Self::InvalidEndpointAddress => format!("{CONFIGURATION}: Invalid endpoint address"),
            Self::Configuration(why) => format!("{CONFIGURATION}: {why}"),
            Self::Template(failure) => format!("{CONFIGURATION}: {failure}"),
            Self::HeaderAlreadyPresent { name } => {
                format!("{CONFIGURATION}: {name} header already present")
            }
            Self::NoMatchingResponse { status } => format!(
                "{CONFIGURATION}: No match for output mapping and no default output mapping \
                 configured. Endpoint Response Status Code: {status}"
            ),
            Self::UndeclaredStatus { status } => format!(
                "{CONFIGURATION}: Output mapping refers to an invalid method response: {status}"
            ),
            Self::ResponseTooLarge { length, limit } => format!(
                "{CONFIGURATION}: Integration response of reported length {length} is larger than \
                 allowed maximum of {limit} bytes."
            ),
        }
    }
}

impl From<HeadError> for GatewayError {
    fn from(error: HeadError) -> Self {
        Self::MalformedHead(error)
    }
}

impl From<BodyError> for GatewayError {
    fn from(error: BodyError) -> Self {
        Self::MalformedBody(error)
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.execution_log())
    }
}

impl std::error::Error for GatewayError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::PREPARED;

    #[test]
    fn errors_have_aws_type_status_and_message() {
        use ResponseType as T;
        let config = (Some(T::ApiConfigurationError), 500, "Internal server error");
        for (error, (kind, status, message)) in [
            (
                GatewayError::NoSuchMethod,
                (Some(T::MissingAuthenticationToken), 403, "Missing Authentication Token"),
            ),
            (GatewayError::UnknownApi, (None, 403, "Forbidden")),
            (GatewayError::UnknownStage, (None, 403, "Forbidden")),
            (GatewayError::NoDefaultEndpoint, (None, 403, "Forbidden")),
            (
                GatewayError::Throttled { scope: ThrottleScope::Stage },
                (Some(T::Throttled), 429, "Too Many Requests"),
            ),
            (GatewayError::InvalidApiKey, (Some(T::InvalidApiKey), 403, "Forbidden")),
            (GatewayError::QuotaExceeded, (Some(T::QuotaExceeded), 429, "Limit Exceeded")),
            (
                GatewayError::InvalidBody(Box::new(InvalidBody {
                    media_type: "application/json".into(),
                    details: "[x]".into(),
                })),
                (Some(T::BadRequestBody), 400, "Invalid request body"),
            ),
            (
                GatewayError::UnsupportedMediaType,
                (Some(T::UnsupportedMediaType), 415, "Unsupported Media Type"),
            ),
            (
                GatewayError::InvalidJsonBody,
                (Some(T::BadRequestBody), 400, "Invalid JSON in request body"),
            ),
            (
                GatewayError::IntegrationTimeout,
                (Some(T::IntegrationTimeout), 504, "Endpoint request timed out"),
            ),
            (
                GatewayError::IntegrationNetwork("refused"),
                (Some(T::IntegrationFailure), 504, "Network error communicating with endpoint"),
            ),
            (
                GatewayError::IntegrationMalformed("x"),
                (Some(T::IntegrationFailure), 502, "Internal server error"),
            ),
            (GatewayError::InvalidEndpointAddress, config),
            (GatewayError::UNPARSABLE_STATUS, config),
            (GatewayError::NoMatchingResponse { status: 200 }, config),
            (GatewayError::BadRequest("x"), (None, 400, "Bad Request")),
            (GatewayError::UriTooLong, (None, 414, "Request URI too long")),
            (HeadError::Expectation.into(), (None, 417, "Expectation Failed")),
            (HeadError::TwoLengths.into(), (None, 400, "Bad Request")),
        ] {
            assert_eq!(
                (error.response_type(), error.status(), error.message()),
                (kind, status, message)
            );
            if let Some(kind) = kind {
                assert_eq!(kind.why_never(), None, "{error:?} occurs");
                assert!(
                    PREPARED.contains(&(kind, status, message)),
                    "{error:?} is not encoded in advance"
                );
            }
        }
    }
}
