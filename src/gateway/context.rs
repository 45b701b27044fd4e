//! `$context`: what its variables are worth for one request, and where mapped values come from.
//!
//! In: stage, method, exchange. Out: bytes behind those that the caller has. Cost: a copy of the
//! value; nothing is kept and nothing is allocated but what the buffer grows by.
//! Source: facts, vtl section 11.

pub mod connection;
#[cfg(test)]
pub(super) mod testing;
pub mod trace;
pub mod values;

use std::time::Duration;

use super::error::{GatewayError, MISSING_PARAMETERS};
use super::exchange::{Exchange, ResponseBody};
use super::find_api::without_port;
use super::route;
use super::secret::mask;
use crate::context::ContextVariable;
use crate::deploy::{CompiledMethod, CompiledStage, write_json_string};
use crate::http::{KnownHeader, encode};
use crate::model::MethodName;
use crate::telemetry::Variables;

/// One request as its context sees it.
#[derive(Clone, Copy)]
pub struct ContextView<'a> {
    /// The stage it came to.
    pub stage: &'a CompiledStage,
    /// Its method, once it is known.
    pub method: Option<&'a CompiledMethod>,
    /// The request and its answer so far.
    pub exchange: &'a Exchange,
    /// Time from the head's first byte to the answer's last, where the answer has been sent.
    pub response_latency: Option<Duration>,
    /// Bytes of the answer's body that were sent; `None`: as many as the answer has.
    pub response_length: Option<u64>,
    /// Text of `received_wall` for `requestTime`, where somebody has it already.
    pub request_time: Option<&'a [u8; 26]>,
    /// For a log: of the API key only the end is shown.
    pub hides_secrets: bool,
}

impl<'a> ContextView<'a> {
    /// The context of an exchange that is on its way.
    pub fn new(stage: &'a CompiledStage, exchange: &'a Exchange) -> Self {
        let method = exchange.method.map(|index| &stage.methods[index as usize]);
        Self {
            stage,
            method,
            exchange,
            response_latency: None,
            response_length: None,
            request_time: None,
            hides_secrets: false,
        }
    }

    /// Value of a request header.
    #[inline]
    pub fn header(&self, known: KnownHeader) -> Option<&'a [u8]> {
        self.exchange.head.find(&self.exchange.head_bytes, known)
    }

    /// Status of the answer, wherever it is encoded.
    pub fn status(&self) -> u16 {
        match self.exchange.response.body {
            ResponseBody::Constant(index) => self.stage.constants[index as usize].status,
            _ => self.exchange.response.status,
        }
    }

    fn response_length(&self) -> Option<u64> {
        self.response_length.or(match self.exchange.response.body {
            ResponseBody::Empty => Some(0),
            ResponseBody::Buffered => Some(self.exchange.response.buffer.len() as u64),
            ResponseBody::Constant(index) => {
                Some(self.stage.constants[index as usize].body.len() as u64)
            }
            ResponseBody::Streamed(length) => length,
        })
    }

    /// A variable whose value lies somewhere as it is, empty if it has none; `None`: it has to be
    /// written.
    pub fn lent(&self, variable: ContextVariable) -> Option<&'a [u8]> {
        use ContextVariable as V;
        let Self { stage, exchange, method, .. } = *self;
        Some(match variable {
            V::AccountId => stage.account_id.as_bytes(),
            V::ApiId => stage.api_id.as_bytes(),
            V::Stage => stage.stage.as_bytes(),
            V::DeploymentId => stage.deployment_id.as_bytes(),
            V::RequestId => &exchange.ids.request_id,
            V::ExtendedRequestId => &exchange.ids.extended_request_id,
            V::HttpMethod => {
                // The method that was found knows its name, unless it is ANY. Looking for an override again
                // would read the head, which has left the caches when the log is written.
                let found = method.map(|it| it.http_method).filter(|&it| it != MethodName::Any);
                let routed = || route::routed_method(&exchange.head, &exchange.head_bytes);
                match found.or_else(routed) {
                    Some(asked) => asked.as_str().as_bytes(),
                    None => exchange.head.method_name.of(&exchange.head_bytes),
                }
            }
            V::Path => self.path(),
            V::Protocol => PROTOCOL,
            V::ResourceId => method.map_or(&[], |it| it.resource_id.as_bytes()),
            V::ResourcePath => method.map_or(&[], |it| it.resource_path.as_bytes()),
            V::OperationName => {
                method.and_then(|it| it.operation_name.as_deref()).unwrap_or_default().as_bytes()
            }
            V::DomainName => self.domain_name(),
            V::DomainPrefix => {
                let name = self.domain_name();
                &name[..memchr::memchr(b'.', name).unwrap_or(name.len())]
            }
            V::IdentityUserAgent => self.header(KnownHeader::UserAgent).unwrap_or_default(),
            V::IdentitySourceIp if exchange.is_test => b"test-invoke-source-ip",
            V::IdentityApiKey if exchange.is_test => b"test-invoke-api-key",
            V::IdentityApiKeyId if exchange.is_test => b"test-invoke-api-key-id",
            V::IdentityApiKey if self.hides_secrets => return None,
            V::IdentityApiKey => {
                exchange.api_key.as_ref().map_or(&[], |key| key.value.of(&exchange.head_bytes))
            }
            V::IdentityApiKeyId => {
                exchange.api_key.as_ref().map_or(&[], |key| key.caller.key.as_bytes())
            }
            V::IsCanaryRequest => match exchange.is_canary {
                Some(true) => b"true",
                Some(false) => b"false",
                None => &[],
            },
            V::CustomDomainBasePathMatched => {
                exchange.base_path.map_or(&[], |path| path.of(&exchange.head_bytes))
            }
            _ => return None,
        })
    }

    /// Path with the stage, or as a custom domain name got it: doubled slashes at the beginning count as
    /// one. The path form's prefix has been cut off.
    fn path(&self) -> &'a [u8] {
        let path = self.exchange.head.path.of(&self.exchange.head_bytes);
        let slashes = path.iter().take_while(|&&byte| byte == b'/').count();
        &path[slashes.saturating_sub(1)..]
    }

    /// `Host` without its port.
    fn domain_name(&self) -> &'a [u8] {
        without_port(self.exchange.head.host.of(&self.exchange.head_bytes))
    }
}

const PROTOCOL: &[u8; 8] = b"HTTP/1.1";

fn text(out: &mut Vec<u8>, value: &[u8]) -> bool {
    out.extend_from_slice(value);
    !value.is_empty()
}

/// A copy of known length: two or three instructions.
#[inline]
fn fixed<const N: usize>(out: &mut Vec<u8>, value: &[u8; N]) -> bool {
    out.extend_from_slice(value);
    true
}

fn number(out: &mut Vec<u8>, value: u64) -> bool {
    encode::decimal(out, value);
    true
}

impl Variables for ContextView<'_> {
    fn write(&self, variable: ContextVariable, out: &mut Vec<u8>) -> bool {
        use ContextVariable as V;
        let exchange = self.exchange;
        match variable {
            V::RequestId => fixed(out, &exchange.ids.request_id),
            V::ExtendedRequestId => fixed(out, &exchange.ids.extended_request_id),
            V::Protocol => fixed(out, PROTOCOL),
            V::RequestTime => match self.request_time {
                Some(known) => fixed(out, known),
                None => fixed(out, &exchange.received_wall.clf()),
            },
            V::RequestTimeEpoch => number(out, exchange.received_wall.0),
            V::IdentitySourceIp if !exchange.is_test => {
                encode::address(out, exchange.peer.ip);
                true
            }
            V::ErrorMessage => match &exchange.error {
                Some(error) => text(out, error.message().as_bytes()),
                None => false,
            },
            V::ErrorValidationErrorString => match &exchange.error {
                Some(GatewayError::InvalidBody(invalid)) => text(out, invalid.details.as_bytes()),
                // The facts speak of bodies only; this is the list that the message has.
                Some(GatewayError::MissingParameters { message }) => {
                    let list = message.strip_prefix(MISSING_PARAMETERS);
                    text(out, list.unwrap_or_default().as_bytes())
                }
                _ => false,
            },
            V::IdentityApiKey if self.hides_secrets && !exchange.is_test => {
                exchange.api_key.as_ref().is_some_and(|key| {
                    mask(key.value.of(&exchange.head_bytes), out);
                    true
                })
            }
            V::ErrorMessageString => match &exchange.error {
                Some(error) => {
                    write_json_string(error.message(), out);
                    true
                }
                None => false,
            },
            V::ErrorResponseType => {
                exchange.error_type.is_some_and(|kind| text(out, kind.as_str().as_bytes()))
            }
            V::ResponseLatency => self
                .response_latency
                .is_some_and(|it| number(out, u64::try_from(it.as_millis()).unwrap_or(u64::MAX))),
            V::ResponseLength => self.response_length().is_some_and(|length| number(out, length)),
            V::Status => match self.status() {
                0 => false,
                status => number(out, status.into()),
            },
            V::IntegrationError | V::IntegrationErrorMessage => {
                exchange.integration.error.is_some_and(|error| text(out, error.as_bytes()))
            }
            V::IntegrationLatency | V::IntegrationLatencyOld => exchange
                .integration
                .latency
                .is_some_and(|it| number(out, u64::try_from(it.as_millis()).unwrap_or(u64::MAX))),
            V::IntegrationStatus | V::IntegrationIntegrationStatus | V::IntegrationStatusOld => {
                exchange.integration.status.is_some_and(|status| number(out, status.into()))
            }
            V::XrayTraceId => trace::root(&exchange.trace).is_some_and(|root| text(out, root)),
            V::EndpointType => text(out, b"REGIONAL"),
            V::AccountId
            | V::ApiId
            | V::Stage
            | V::DeploymentId
            | V::HttpMethod
            | V::Path
            | V::ResourceId
            | V::ResourcePath
            | V::OperationName
            | V::DomainName
            | V::DomainPrefix
            | V::IdentityUserAgent
            | V::IdentitySourceIp
            | V::IdentityApiKey
            | V::IdentityApiKeyId
            | V::IsCanaryRequest
            | V::CustomDomainBasePathMatched => {
                self.lent(variable).is_some_and(|value| text(out, value))
            }
            // Come with authorizers, private APIs, WAF and TLS.
            V::AwsEndpointRequestId
            | V::IdentityAccountId
            | V::IdentityAccessKey
            | V::IdentityCaller
            | V::IdentityUser
            | V::IdentityUserArn
            | V::IdentityPrincipalOrgId
            | V::IdentityCognitoIdentityId
            | V::IdentityCognitoIdentityPoolId
            | V::IdentityCognitoAuthenticationType
            | V::IdentityCognitoAuthenticationProvider
            | V::IdentityVpcId
            | V::IdentityVpceId
            | V::AuthorizerPrincipalId
            | V::WafResponseCode
            | V::WebaclArn
            | V::IntegrationRequestId
            | V::TlsVersion
            | V::CipherSuite => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{Api, exchange};
    use super::*;
    use crate::model::ResponseType;
    use crate::time::WallMillis;

    #[test]
    fn variables_are_written_as_aws_prints_them() {
        let stage = Api::new().mock("GET", "/pets/{id}").stage();
        let mut exchange = exchange(
            "GET //dev/pets/7?x=1 HTTP/1.1\r\nHost: abc.api.example:8080\r\nUser-Agent: curl\r\n\r\n",
        );
        testing::route(&stage, &mut exchange).unwrap();
        exchange.received_wall = WallMillis(1_583_349_317_999);
        exchange.trace.extend_from_slice(b"Root=1-5e1b4151-43a0913a12345678901234567;Sampled=1");
        exchange.integration.status = Some(502);
        exchange.integration.latency = Some(Duration::from_micros(12_900));
        exchange.error = Some(GatewayError::IntegrationMalformed("x"));
        exchange.error_type = Some(ResponseType::IntegrationFailure);
        exchange.response.status = 502;
        exchange.response.body = ResponseBody::Buffered;
        exchange.response.buffer.extend_from_slice(b"12345");
        let mut view = ContextView::new(&stage, &exchange);
        view.response_latency = Some(Duration::from_millis(14));
        for (name, want) in [
            ("apiId", Some("a1b2c3d4e5")),
            ("stage", Some("dev")),
            ("httpMethod", Some("GET")),
            ("path", Some("/dev/pets/7")),
            ("protocol", Some("HTTP/1.1")),
            ("resourcePath", Some("/pets/{id}")),
            ("operationName", None),
            ("requestTime", Some("04/Mar/2020:19:15:17 +0000")),
            ("requestTimeEpoch", Some("1583349317999")),
            ("domainName", Some("abc.api.example")),
            ("domainPrefix", Some("abc")),
            ("identity.sourceIp", Some("127.0.0.1")),
            ("identity.userAgent", Some("curl")),
            ("identity.caller", None),
            ("error.message", Some("Internal server error")),
            ("error.messageString", Some("\"Internal server error\"")),
            ("error.responseType", Some("INTEGRATION_FAILURE")),
            ("status", Some("502")),
            ("responseLength", Some("5")),
            ("responseLatency", Some("14")),
            ("integrationLatency", Some("12")),
            ("integration.status", Some("502")),
            ("xrayTraceId", Some("1-5e1b4151-43a0913a12345678901234567")),
            ("tlsVersion", None),
        ] {
            let mut out = b"before".to_vec();
            let written = view.write(ContextVariable::named(name).unwrap(), &mut out);
            let value = String::from_utf8(out[6..].to_vec()).unwrap();
            assert_eq!(written.then_some(value.as_str()), want, "{name}");
        }
        // A log takes these as they are.
        for ip in ["2001:db8::ffff", "::ffff:10.0.0.1", "10.0.0.1"] {
            exchange.peer.ip = ip.parse().unwrap();
            let mut view = ContextView::new(&stage, &exchange);
            view.response_latency = Some(Duration::from_millis(14));
            for &variable in ContextVariable::ALL.iter().filter(|it| it.is_plain()) {
                let mut value = Vec::new();
                view.write(variable, &mut value);
                let is_plain =
                    |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:+/= ".contains(byte);
                let shown = value.escape_ascii();
                assert!(value.iter().all(is_plain), "{}: {shown}", variable.name());
                assert!(!value.is_empty(), "{}", variable.name());
            }
        }
        for (declared, request, want) in [
            ("GET", "GET /dev/pets/7 HTTP/1.1\r\nHost: h\r\n\r\n", "GET"),
            ("ANY", "GET /dev/pets/7 HTTP/1.1\r\nHost: h\r\n\r\n", "GET"),
            (
                "ANY",
                "POST /dev/pets/7 HTTP/1.1\r\nHost: h\r\nX-HTTP-Method-Override: PUT\r\n\r\n",
                "PUT",
            ),
            (
                "PUT",
                "POST /dev/pets/7 HTTP/1.1\r\nHost: h\r\nX-HTTP-Method-Override: PUT\r\n\r\n",
                "PUT",
            ),
            ("GET", "POST /dev/pets/7 HTTP/1.1\r\nHost: h\r\n\r\n", "POST"),
            ("ANY", "BREW /dev/pets/7 HTTP/1.1\r\nHost: h\r\n\r\n", "BREW"),
        ] {
            let stage = Api::new().mock(declared, "/pets/{id}").stage();
            let mut exchange = testing::exchange(request);
            let found = testing::route(&stage, &mut exchange).is_ok();
            assert_eq!(found, declared == "ANY" && want != "BREW" || declared == want);
            let mut out = Vec::new();
            ContextView::new(&stage, &exchange).write(ContextVariable::HttpMethod, &mut out);
            assert_eq!(out.escape_ascii().to_string(), want, "{declared}: {request}");
        }
        for (host, want) in [("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("h", "h"), ("h:1", "h")] {
            let exchange = testing::exchange(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
            let view = ContextView::new(&stage, &exchange);
            assert_eq!(view.domain_name(), want.as_bytes());
        }
    }
}
