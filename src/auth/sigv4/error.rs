//! Why a signature is refused, in AWS's words.
//!
//! Sources: recorded answers of AWS services. Marked "ours" where none was recorded.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What kind of refusal, as `x-amzn-ErrorType` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthErrorKind {
    /// There is no signature.
    MissingAuthenticationToken,
    /// Something is missing from the signature, or cannot be read.
    IncompleteSignature,
    /// The signature is not right: for this request, this service or this time.
    InvalidSignature,
    /// Nobody has this access key, or the session token is another.
    UnrecognizedClient,
    /// Temporary credentials after their time.
    ExpiredToken,
}

impl AuthErrorKind {
    /// AWS's name of the exception.
    pub fn error_type(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::ExpiredToken => "ExpiredTokenException",
        }
    }
}

/// A refused signature. Its message is for the caller and shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthError {
    kind: AuthErrorKind,
    message: String,
}

impl AuthError {
    /// HTTP status of every refusal by API Gateway.
    pub const STATUS: u16 = 403;

    pub(super) fn new(kind: AuthErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn incomplete(message: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::IncompleteSignature, message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::InvalidSignature, message)
    }

    pub(super) fn missing_token() -> Self {
        Self::new(AuthErrorKind::MissingAuthenticationToken, "Missing Authentication Token")
    }

    pub(super) fn unrecognized_client() -> Self {
        Self::new(
            AuthErrorKind::UnrecognizedClient,
            "The security token included in the request is invalid.",
        )
    }

    pub(super) fn expired_token() -> Self {
        Self::new(
            AuthErrorKind::ExpiredToken,
            "The security token included in the request is expired",
        )
    }

    /// The kind, for those who map it on.
    pub fn kind(&self) -> AuthErrorKind {
        self.kind
    }

    /// For `x-amzn-ErrorType`.
    pub fn error_type(&self) -> &'static str {
        self.kind.error_type()
    }

    /// For `{"message": …}`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        Self::STATUS
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type(), self.message)
    }
}

impl std::error::Error for AuthError {}

/// Longest piece of a request that a message repeats, characters. Ours.
const SHOWN_CHARS_MAX: usize = 256;

/// A piece of the request for a message.
pub(super) fn shown(bytes: &[u8]) -> String {
    // Four bytes a character at most: what is beyond cannot be shown anyway.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * (SHOWN_CHARS_MAX + 1))]);
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => text[..end].to_owned() + "...",
        None => text.into_owned(),
    }
}

/// An `Authorization` header as messages repeat it: it may be another system's token, so AWS shows its
/// hash only.
pub(super) fn hashed(authorization: &[u8]) -> String {
    STANDARD.encode(digest(&SHA256, authorization))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_messages_repeat_is_bounded() {
        assert_eq!(shown(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(shown(&[b'x'; 256]), "x".repeat(256));
        assert_eq!(shown(&vec![b'x'; 1 << 20]), "x".repeat(256) + "...");
        assert_eq!(shown("ü".repeat(300).as_bytes()), "ü".repeat(256) + "...");
        assert_eq!(hashed(b""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn errors_have_awss_names() {
        let error = AuthError::missing_token();
        assert_eq!(
            (error.status(), error.error_type(), error.message()),
            (403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        );
        assert_eq!(
            error.to_string(),
            "MissingAuthenticationTokenException: Missing Authentication Token"
        );
    }
}
