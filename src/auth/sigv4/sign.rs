//! Making signatures: the key, the string to sign, and the headers that a client adds.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;

use super::canonical::{self, PathForm, Query};
use super::date;
use super::request::{Request, hex};
use crate::auth::Credential;
use crate::time::WallMillis;

/// The algorithm's name.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What ends every scope.
pub(super) const TERMINATOR: &str = "aws4_request";

/// Headers that proxies and HTTP clients change on the way; SDKs leave them unsigned.
const UNSIGNED: [&[u8]; 12] = [
    b"authorization",
    b"connection",
    b"expect",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"user-agent",
    b"x-amzn-trace-id",
];

/// The headers that sign `request` with `credential` for a service in a region: `X-Amz-Date`, then
/// `X-Amz-Security-Token` for temporary credentials, for S3 `X-Amz-Content-Sha256`, `Authorization`.
///
/// They have to be added to the request; those it has already are signed too, but for those that
/// change on the way.
///
/// # Panics
/// The request has no `Host`, or has a header that this adds.
pub fn sign(
    credential: &Credential,
    region: &str,
    service: &str,
    request: &Request<'_>,
    now: WallMillis,
) -> Vec<(&'static str, String)> {
    assert!(!request.headers_named(b"host").is_empty(), "a request is signed with its Host");
    let payload_hash = match request.header(b"x-amz-content-sha256") {
        Some(given) => String::from_utf8_lossy(&given).into_owned(),
        None => request.payload_hash(),
    };
    let timestamp = date::basic(now);
    let mut added = vec![("X-Amz-Date", timestamp.clone())];
    if let Some(token) = &credential.session_token {
        added.push(("X-Amz-Security-Token", token.expose().to_owned()));
    }
    if service == "s3" && request.headers_named(b"x-amz-content-sha256").is_empty() {
        added.push(("X-Amz-Content-Sha256", payload_hash.clone()));
    }
    for (name, _) in &added {
        let name = name.to_ascii_lowercase();
        assert!(request.headers_named(name.as_bytes()).is_empty(), "the signer adds {name}");
    }
    let whole = request.with_headers(&added);
    let mut signed = whole.header_names();
    signed.retain(|name| !UNSIGNED.contains(&name.as_slice()));
    let query = Query::parse(request.query);
    let canonical = canonical::request(
        &whole,
        PathForm::of_service(service),
        &query,
        false,
        &signed,
        payload_hash.as_bytes(),
    );
    let scope = Scope { date: &timestamp[..8], region, service };
    let signature = signature(
        credential.secret.expose(),
        scope,
        string_to_sign(&timestamp, scope, &canonical).as_bytes(),
    );
    let signed = String::from_utf8_lossy(&signed.join(&b';')).into_owned();
    let id = &credential.access_key_id;
    let authorization = format!(
        "{ALGORITHM} Credential={id}/{}, SignedHeaders={signed}, Signature={signature}",
        scope.text()
    );
    added.push(("Authorization", authorization));
    added
}

/// What a signing key is good for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    /// `YYYYMMDD`.
    pub date: &'a str,
    pub region: &'a str,
    pub service: &'a str,
}

impl Scope<'_> {
    fn text(&self) -> String {
        format!("{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}

pub(super) fn string_to_sign(timestamp: &str, scope: Scope<'_>, canonical: &[u8]) -> String {
    let hash = hex(digest(&SHA256, canonical).as_ref());
    format!("{ALGORITHM}\n{timestamp}\n{}\n{hash}", scope.text())
}

/// The signature, as lower-case hex digits.
pub(super) fn signature(secret: &str, scope: Scope<'_>, string_to_sign: &[u8]) -> String {
    let first = format!("AWS4{secret}").into_bytes();
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, &first);
    for step in [scope.date, scope.region, scope.service, TERMINATOR] {
        let next = hmac::sign(&key, step.as_bytes());
        key = hmac::Key::new(hmac::HMAC_SHA256, next.as_ref());
    }
    hex(hmac::sign(&key, string_to_sign).as_ref())
}
