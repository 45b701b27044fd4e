//! Signed calls to the admin port, one after the other.

use std::fmt;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use ureq::http;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::super::Failure;
use super::settings::{Key, Settings};
use crate::auth::sigv4;
use crate::limits::Limits;
use crate::time::WallMillis;
use crate::tls::trusted_certificates;

/// Service that control-plane calls are signed for.
const SERVICE: &str = "apigateway";
/// Items asked for at once: a fifth of AWS's most.
const PAGE_ITEMS: usize = 100;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a gateway may say nothing. Ours: importing and compiling a large API takes seconds.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(300);
/// Longest answer that is kept in memory, bytes. Ours: the status of many thousands of stages.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// The characters that RFC 3986 reserves for nothing.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value in a path or query.
pub(super) fn encoded(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}

/// The admin port of a gateway.
pub(super) struct Admin {
    agent: ureq::Agent,
    settings: Settings,
    /// `127.0.0.1:9080`.
    authority: String,
}

/// What a call carries.
pub(super) enum Body<'a> {
    Nothing,
    Json(&'a Value),
    /// A document as it is.
    Document(&'a [u8]),
    /// A file with its SHA-256.
    File(&'a File, [u8; 32]),
}

/// Why a call has no result: the API's words, or that there was no answer.
#[derive(Debug)]
pub(super) struct CallError {
    why: String,
    /// `None`: there was no answer, or none that is JSON.
    status: Option<u16>,
}

impl CallError {
    fn without_answer(why: String) -> Self {
        Self { why, status: None }
    }

    /// Whether the API says that what the call names is not there.
    pub(super) fn is_not_found(&self) -> bool {
        self.status == Some(404)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Failed(error.why)
    }
}

/// Checks `http://HOST:PORT` or `https://HOST:PORT`; without a slash at its end.
pub(super) fn parse_url(text: &str) -> Result<String, String> {
    let help = "write http://HOST:PORT or https://HOST:PORT";
    let url: http::Uri = text.parse().map_err(|error| format!("{error}; {help}"))?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err(help.to_owned());
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() {
        return Err(format!("an admin port has no path; {help}"));
    }
    if url.authority().is_none_or(|it| it.as_str().contains('@') || it.host().is_empty()) {
        return Err(format!("name its host; {help}"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

impl Admin {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// A CA file is none.
    pub(super) fn new(settings: Settings) -> Result<Self, Failure> {
        let (scheme, authority) =
            settings.url.split_once("://").expect("`parse_url` has checked it");
        let authority = authority.to_owned();
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // The port of one's own gateway; a proxy of the environment is for other places.
            .proxy(None)
            .max_idle_connections(0)
            .user_agent(concat!("ringway/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(SILENCE_TIMEOUT));
        if scheme == "https" {
            let trusted = trusted_certificates(&settings.ca_files).map_err(Failure::Failed)?;
            let trusted = trusted.iter().map(|it| Certificate::from_der(it).to_owned());
            let provider = rustls::crypto::aws_lc_rs::default_provider();
            let tls = TlsConfig::builder()
                .root_certs(RootCerts::from(trusted))
                .unversioned_rustls_crypto_provider(Arc::new(provider));
            config = config.tls_config(tls.build());
        }
        Ok(Self { agent: config.build().new_agent(), settings, authority })
    }

    /// As the user knows it.
    pub(super) fn url(&self) -> &str {
        &self.settings.url
    }

    /// Limits of a gateway with the configuration that is here.
    pub(super) fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// Reads a document; `target` is path and query.
    pub(super) fn get(&self, target: &str) -> Result<Value, CallError> {
        self.send("GET", target, &Body::Nothing)
    }

    /// Makes a call whose answer is a document; `null` where it is empty.
    pub(super) fn send(
        &self,
        method: &str,
        target: &str,
        body: &Body<'_>,
    ) -> Result<Value, CallError> {
        let mut response = self.open(method, target, body)?;
        let read = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let text = read.map_err(|error| self.unreachable(&error))?;
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&text).map_err(|error| {
            let url = self.url();
            let why = format!("{url} answered {method} {target} with no JSON: {error}");
            CallError::without_answer(why)
        })
    }

    /// Patches an object with operations that happen all or not at all.
    pub(super) fn patch(&self, target: &str, operations: Value) -> Result<Value, CallError> {
        let body = serde_json::json!({ "patchOperations": operations });
        self.send("PATCH", target, &Body::Json(&body))
    }

    /// All items of a list, page by page; `path` may have a query.
    pub(super) fn items(&self, path: &str) -> Result<Vec<Value>, CallError> {
        let mut all = Vec::new();
        let mut position: Option<String> = None;
        let separator = if path.contains('?') { '&' } else { '?' };
        loop {
            let mut target = format!("{path}{separator}limit={PAGE_ITEMS}");
            if let Some(position) = &position {
                target += &format!("&position={}", encoded(position));
            }
            let mut page = self.get(&target)?;
            if let Some(Value::Array(items)) = page.get_mut("item").map(Value::take) {
                all.extend(items);
            }
            let next = page.get("position").and_then(Value::as_str).map(str::to_owned);
            match next {
                None => return Ok(all),
                Some(next) if Some(&next) == position.as_ref() => {
                    return Err(CallError::without_answer(format!(
                        "{} gives the page {next} of {path} again and again",
                        self.url()
                    )));
                }
                Some(next) => position = Some(next),
            }
        }
    }

    /// Makes a call and gives its answer with the body still to be read, if it is a success.
    pub(super) fn open(
        &self,
        method: &str,
        target: &str,
        body: &Body<'_>,
    ) -> Result<http::Response<ureq::Body>, CallError> {
        let request = self.signed(method, target, body);
        let json;
        let sent = match body {
            Body::Nothing => self.agent.run(request.body(()).expect(WELL_FORMED)),
            Body::Json(value) => {
                json = value.to_string();
                self.agent.run(request.body(json.as_bytes()).expect(WELL_FORMED))
            }
            Body::Document(bytes) => self.agent.run(request.body(*bytes).expect(WELL_FORMED)),
            Body::File(file, _) => self.agent.run(request.body(*file).expect(WELL_FORMED)),
        };
        let response = sent.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() { Ok(response) } else { Err(self.refused(response)) }
    }

    fn signed(&self, method: &str, target: &str, body: &Body<'_>) -> http::request::Builder {
        let json;
        let (content_type, payload) = match body {
            Body::Nothing => (None, sigv4::Payload::Bytes(b"")),
            Body::Json(value) => {
                json = value.to_string();
                (Some("application/json"), sigv4::Payload::Bytes(json.as_bytes()))
            }
            Body::Document(bytes) => {
                (Some("application/octet-stream"), sigv4::Payload::Bytes(bytes))
            }
            Body::File(_, hash) => (Some("application/octet-stream"), sigv4::Payload::Hash(*hash)),
        };
        let mut headers =
            vec![("Host", self.authority.clone()), ("Accept", "application/json".to_owned())];
        headers.extend(content_type.map(|it| ("Content-Type", it.to_owned())));
        if let Body::File(_, hash) = body {
            headers.push(("X-Amz-Content-Sha256", hex(hash)));
        }
        if let Some(Key { credential, .. }) = &self.settings.key {
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let pairs = headers.iter().map(|(name, value)| (*name, value.as_str()));
            let request =
                sigv4::Request::new(method, path.as_bytes(), query.as_bytes(), pairs, payload);
            let region = &self.settings.region;
            let added = sigv4::sign(credential, region, SERVICE, &request, wall_now());
            headers.extend(added);
        }
        let uri = format!("{}{target}", self.settings.url);
        let request = http::Request::builder().method(method).uri(uri);
        headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// The API's words for why not.
    fn refused(&self, mut response: http::Response<ureq::Body>) -> CallError {
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        // Some of AWS's have the namespace behind a colon.
        let kind = header("x-amzn-errortype").and_then(|kind| kind.split(':').next());
        let kind = kind.map_or_else(|| format!("status {status}"), str::to_owned);
        let text = response.body_mut().read_to_string().unwrap_or_default();
        let said: Option<Value> = serde_json::from_str(&text).ok();
        let said = said.as_ref().and_then(|it| it.get("message")?.as_str()).unwrap_or(&text);
        let mut why = format!("{kind}: {}", said.trim_end());
        if status == 403 {
            why += &format!("\n    help: {}", self.settings.about_key());
        }
        CallError { why, status: Some(status) }
    }

    fn unreachable(&self, error: &ureq::Error) -> CallError {
        let url = self.url();
        let why = match error {
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                "connection refused".to_owned()
            }
            ureq::Error::ConnectionFailed => "connection refused".to_owned(),
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            error => error.to_string(),
        };
        CallError::without_answer(format!(
            "no gateway answers at {url}: {why}\n    help: `ringway serve` starts one on this \
             machine; --admin URL or RINGWAY_ADMIN_URL points to another"
        ))
    }
}

/// URLs, methods and headers are checked before or made here.
const WELL_FORMED: &str = "a well-formed request";

/// The clock of this machine.
pub(super) fn wall_now() -> WallMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    WallMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_of_a_port_and_nothing_else() {
        for (url, want) in [
            ("http://127.0.0.1:9080", "http://127.0.0.1:9080"),
            ("https://gateway.example/", "https://gateway.example"),
            ("http://[::1]:9080", "http://[::1]:9080"),
        ] {
            assert_eq!(parse_url(url).unwrap(), want);
        }
        for url in [
            "127.0.0.1:9080",
            "ftp://x:1",
            "http://",
            "http://x/path",
            "http://x/?q",
            "http://u@x:1",
            "http://x y",
            "",
        ] {
            let error = parse_url(url).unwrap_err();
            assert!(error.contains("http://HOST:PORT"), "{url}: {error}");
        }
    }

    #[test]
    fn values_are_encoded_as_signatures_want_it() {
        assert_eq!(encoded("a-b.c_d~e"), "a-b.c_d~e");
        assert_eq!(encoded("a b/c+d=ü"), "a%20b%2Fc%2Bd%3D%C3%BC");
    }
}
