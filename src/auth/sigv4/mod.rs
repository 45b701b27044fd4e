//! AWS Signature Version 4: who sent a request, and that nobody has changed it on the way.
//!
//! A client hashes the request in a canonical form and signs the hash with a key that is good for one
//! day, region and service. The signature stands in the header `Authorization`, or in the query of a
//! presigned URL. [`Verifier`] makes the same signature again and compares; [`sign`] is the client.
//!
//! In: a [`Request`], the [`Credentials`] that are known, the time. Out: an [`Identity`], or an
//! [`AuthError`] with AWS's exception and message. Checks come in AWS's order: is it complete, is it
//! the time for it, is `Host` signed, is it for this service, whose key, is it right; the body is
//! hashed only when all but the last have passed. Cost: linear in the request, five HMACs.
//!
//! Sources: "AWS Signature Version 4 for API requests"; messages as recorded from AWS.

mod canonical;
mod date;
mod error;
mod presented;
mod request;
mod sign;
#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;

pub use error::{AuthError, AuthErrorKind};
pub use request::{Payload, Request};
pub use sign::sign;

use canonical::{PathForm, Query};
use error::shown;
use presented::{Form, Presented};
use sign::{ALGORITHM, Scope, TERMINATOR};

use crate::auth::Credentials;
use crate::time::WallMillis;

/// How far a client's clock may be off. Source: the messages of API Gateway ("- 5 min.").
pub const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// Longest canonical request that a message of refusal shows, bytes. Ours.
const EXPLAINED_BYTES_MAX: usize = 16 * 1024;

/// Headers of AWS's name that need not be signed: a CDN adds them on the way.
const UNSIGNED_AMZ: [&[u8]; 1] = [b"x-amz-cf-id"];

/// Whether a signature may leave the body out (`X-Amz-Content-Sha256: UNSIGNED-PAYLOAD`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UnsignedPayload {
    /// The body is always part of it.
    #[default]
    Refused,
    /// A presigned URL may be used with any body.
    Presigned,
    /// Every client may choose.
    Accepted,
}

/// Checks signatures for one service.
#[derive(Clone, Debug)]
pub struct Verifier {
    service: String,
    region: String,
    clock_skew: Duration,
    unsigned_payload: UnsignedPayload,
    explains: bool,
}

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The key it is signed with.
    pub access_key_id: String,
    /// When it was signed, as the client's clock has it.
    pub signed_at: WallMillis,
    /// Is it a presigned URL?
    pub is_presigned: bool,
}

impl Verifier {
    /// For requests to `service` (`apigateway`, `execute-api`) in `region`.
    pub fn new(service: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            region: region.into(),
            clock_skew: CLOCK_SKEW,
            unsigned_payload: UnsignedPayload::Refused,
            explains: false,
        }
    }

    /// Another tolerance than [`CLOCK_SKEW`].
    #[must_use]
    pub fn with_clock_skew(mut self, clock_skew: Duration) -> Self {
        self.clock_skew = clock_skew;
        self
    }

    /// Whether bodies may be left unsigned.
    #[must_use]
    pub fn with_unsigned_payload(mut self, unsigned_payload: UnsignedPayload) -> Self {
        self.unsigned_payload = unsigned_payload;
        self
    }

    /// Appends the canonical request and the string to sign to the message of a wrong signature, as
    /// AWS does: it tells a client's author what went wrong, and nothing that the client has not sent.
    #[must_use]
    pub fn explaining(mut self) -> Self {
        self.explains = true;
        self
    }

    /// Who signed `request`?
    ///
    /// # Errors
    /// It is not signed, or the signature is incomplete, out of its time, made for something else,
    /// with an unknown key, or not that of this request.
    pub fn verify(
        &self,
        request: &Request<'_>,
        credentials: &(impl Credentials + ?Sized),
        now: WallMillis,
    ) -> Result<Identity, AuthError> {
        let query = Query::parse(request.query);
        let presented = Presented::read(request, &query)?;
        self.check_time(&presented, now)?;
        check_signed_headers(request, &presented)?;
        if presented.algorithm != ALGORITHM.as_bytes() {
            let algorithm = shown(&presented.algorithm);
            return Err(AuthError::incomplete(format!(
                "Unsupported AWS 'algorithm': '{algorithm}' (only {ALGORITHM} for now). "
            )));
        }
        let timestamp = date::basic(presented.date);
        let scope = Scope { date: &timestamp[..8], region: &self.region, service: &self.service };
        let key_id = check_scope(&presented, scope, &timestamp)?;
        let credential = credentials.find(key_id).ok_or_else(AuthError::unrecognized_client)?;

        let is_presigned = presented.is_presigned();
        let canonical = canonical::request(
            request,
            PathForm::of_service(&self.service),
            &query,
            is_presigned,
            &presented.signed_headers,
            self.payload_hash(request, &query, is_presigned).as_bytes(),
        );
        let string_to_sign = sign::string_to_sign(&timestamp, scope, &canonical);
        let secret = credential.secret.expose();
        let signature = sign::signature(secret, scope, string_to_sign.as_bytes());
        if verify_slices_are_equal(signature.as_bytes(), &presented.signature).is_err() {
            return Err(self.mismatch(&canonical, &string_to_sign));
        }

        let token_is_right = match (&credential.session_token, &presented.session_token) {
            (None, None) => true,
            (Some(right), Some(given)) => right.is(given),
            _ => false,
        };
        if !token_is_right {
            return Err(AuthError::unrecognized_client());
        }
        if credential.expires_at.is_some_and(|end| now >= end) {
            return Err(AuthError::expired_token());
        }
        Ok(Identity {
            access_key_id: credential.access_key_id.clone(),
            signed_at: presented.date,
            is_presigned,
        })
    }

    /// Is it now the time of that signature?
    fn check_time(&self, presented: &Presented, now: WallMillis) -> Result<(), AuthError> {
        let skew_ms = u64::try_from(self.clock_skew.as_millis()).unwrap_or(u64::MAX);
        let lives_ms = match presented.form {
            Form::Query { expires: Some(seconds) } => u64::from(seconds) * 1_000,
            Form::Query { expires: None } | Form::Header => skew_ms,
        };
        let date = date::basic(presented.date);
        let now_text = date::basic(now);
        let oldest = WallMillis(now.0.saturating_sub(lives_ms));
        let newest = WallMillis(now.0.saturating_add(skew_ms));
        if presented.date < oldest {
            let (oldest, span) = (date::basic(oldest), span(lives_ms));
            return Err(AuthError::invalid(format!(
                "Signature expired: {date} is now earlier than {oldest} ({now_text} - {span})"
            )));
        }
        if presented.date > newest {
            let (newest, span) = (date::basic(newest), span(skew_ms));
            return Err(AuthError::invalid(format!(
                "Signature not yet current: {date} is still later than {newest} ({now_text} + {span})"
            )));
        }
        Ok(())
    }

    /// The hash of the body that has to be signed: that of the body which came, but as the client
    /// writes it, or none where the client may say so. A wrong one makes a wrong signature.
    fn payload_hash(&self, request: &Request<'_>, query: &Query, is_presigned: bool) -> String {
        const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
        let said = request
            .header(b"x-amz-content-sha256")
            .or_else(|| query.values(b"X-Amz-Content-Sha256").next().filter(|_| is_presigned));
        let said = said.and_then(|said| String::from_utf8(said).ok());
        let may_be_unsigned = match self.unsigned_payload {
            UnsignedPayload::Refused => false,
            UnsignedPayload::Presigned => is_presigned,
            UnsignedPayload::Accepted => true,
        };
        // S3 presigns without a body and without a word about it.
        let says_unsigned = match said.as_deref() {
            Some(said) => said == UNSIGNED,
            None => is_presigned && self.service == "s3",
        };
        if says_unsigned && may_be_unsigned {
            return UNSIGNED.to_owned();
        }
        let hash = request.payload_hash();
        said.filter(|said| said.eq_ignore_ascii_case(&hash)).unwrap_or(hash)
    }

    fn mismatch(&self, canonical: &[u8], string_to_sign: &str) -> AuthError {
        let mut message = "The request signature we calculated does not match the signature you \
                           provided. Check your AWS Secret Access Key and signing method. Consult \
                           the service documentation for details."
            .to_owned();
        if self.explains && canonical.len() <= EXPLAINED_BYTES_MAX {
            message += &format!(
                "\n\nThe Canonical String for this request should have been\n'{}'\n\n\
                 The String-to-Sign should have been\n'{string_to_sign}'\n",
                String::from_utf8_lossy(canonical)
            );
        }
        AuthError::invalid(message)
    }
}

/// A signature without the host could be played to another one, one without AWS's headers with others.
fn check_signed_headers(request: &Request<'_>, presented: &Presented) -> Result<(), AuthError> {
    let is_signed =
        |name: &[u8]| presented.signed_headers.binary_search_by(|it| (**it).cmp(name)).is_ok();
    if !is_signed(b"host") {
        return Err(AuthError::invalid(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ));
    }
    if presented.is_presigned() {
        return Ok(());
    }
    let names = request.header_names();
    let unsigned = names.iter().find(|name| {
        name.starts_with(b"x-amz-") && !UNSIGNED_AMZ.contains(&name.as_slice()) && !is_signed(name)
    });
    match unsigned {
        None => Ok(()),
        // Ours, after the one above.
        Some(name) => Err(AuthError::invalid(format!(
            "'{}' must be a 'SignedHeader' in the AWS Authorization.",
            shown(name)
        ))),
    }
}

/// Is the credential made for this scope? Returns its access key id.
fn check_scope<'p>(
    presented: &'p Presented,
    scope: Scope<'_>,
    timestamp: &str,
) -> Result<&'p str, AuthError> {
    let malformed = || {
        AuthError::incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got '{}'",
            shown(&presented.credential)
        ))
    };
    let text = std::str::from_utf8(&presented.credential).map_err(|_| malformed())?;
    let mut parts = text.split('/');
    let mut part = || parts.next().ok_or_else(malformed);
    let (key_id, date, region, service, terminator) = (part()?, part()?, part()?, part()?, part()?);
    if parts.next().is_some() {
        return Err(malformed());
    }
    let mut wrong = String::new();
    if region != scope.region {
        wrong += "Credential should be scoped to a valid region. ";
    }
    if service != scope.service {
        let service = scope.service;
        wrong += &format!("Credential should be scoped to correct service: '{service}'. ");
    }
    if terminator != TERMINATOR {
        let terminator = shown(terminator.as_bytes());
        wrong += &format!(
            "Credential should be scoped with a valid terminator: '{TERMINATOR}', not \
             '{terminator}'. "
        );
    }
    if date != scope.date {
        let (said, right) = (shown(date.as_bytes()), scope.date);
        wrong += &format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '{said}' != '{right}', from '{timestamp}'."
        );
    }
    if wrong.is_empty() { Ok(key_id) } else { Err(AuthError::invalid(wrong)) }
}

/// `5 min.`, as AWS writes it; seconds where minutes do not say it.
fn span(ms: u64) -> String {
    let seconds = ms / 1_000;
    if seconds.is_multiple_of(60) {
        format!("{} min.", seconds / 60)
    } else {
        format!("{seconds} sec.")
    }
}
