//! What the service answers instead of a result: `{"message": …}` and `x-amzn-ErrorType`.

use std::fmt;

use crate::store::StoreError;

/// An error of the control-plane API. Source: facts, control-plane section 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// `x-amzn-ErrorType`.
    pub kind: &'static str,
    /// For the caller.
    pub message: String,
}

impl ApiError {
    /// 400 `BadRequestException`.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { status: 400, kind: "BadRequestException", message: message.into() }
    }

    /// 404 `NotFoundException`.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { status: 404, kind: "NotFoundException", message: message.into() }
    }

    /// 409 `ConflictException`.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self { status: 409, kind: "ConflictException", message: message.into() }
    }

    /// 429 `LimitExceededException`.
    pub fn limit_exceeded(message: impl Into<String>) -> Self {
        Self { status: 429, kind: "LimitExceededException", message: message.into() }
    }

    /// 400 `ValidationException`: the framework in front of the service.
    pub fn validation(message: impl Into<String>) -> Self {
        Self { status: 400, kind: "ValidationException", message: message.into() }
    }

    /// 400 `SerializationException`: the framework in front of the service.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self { status: 400, kind: "SerializationException", message: message.into() }
    }

    /// 501: AWS does it, Ringway does not.
    pub fn not_implemented(message: impl Into<String>) -> Self {
        Self { status: 501, kind: "NotImplementedException", message: message.into() }
    }

    /// 404: nothing is called this way.
    pub fn unknown_operation(method: &str, path: &str) -> Self {
        let message =
            format!("There is no operation {method} {path} in the REST API of API Gateway");
        Self { status: 404, kind: "UnknownOperationException", message }
    }

    /// 500: a mistake of Ringway's, or a disk's.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { status: 500, kind: "InternalFailure", message: message.into() }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl std::error::Error for ApiError {}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::internal(error.to_string())
    }
}
