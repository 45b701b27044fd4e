//! `x-amazon-apigateway-integration`.

use indexmap::IndexMap;

use super::super::Value;
use super::place::Place;
use super::report::{Keys, Use};
use super::values::plain;
use super::{Importer, names};
use crate::limits::{INTEGRATION_TIMEOUT_MAX_MS, INTEGRATION_TIMEOUT_MIN_MS};
use crate::model::{
    ConnectionType, ContentHandling, Integration, IntegrationResponse, IntegrationType, MethodName,
    PassthroughBehavior, ResponseTransferMode,
};

use Use::{Later, Read};

const KINDS: [(&str, IntegrationType); 5] = [
    ("mock", IntegrationType::Mock),
    ("http", IntegrationType::Http),
    ("http_proxy", IntegrationType::HttpProxy),
    ("aws", IntegrationType::Aws),
    ("aws_proxy", IntegrationType::AwsProxy),
];
const PASSTHROUGH: [(&str, PassthroughBehavior); 3] = [
    ("when_no_match", PassthroughBehavior::WhenNoMatch),
    ("when_no_templates", PassthroughBehavior::WhenNoTemplates),
    ("never", PassthroughBehavior::Never),
];
const CONTENT_HANDLING: [(&str, ContentHandling); 2] = [
    ("CONVERT_TO_TEXT", ContentHandling::ConvertToText),
    ("CONVERT_TO_BINARY", ContentHandling::ConvertToBinary),
];

const CACHE: Use = Later(
    "responses are not cached yet, so this has no effect",
    "caching comes with a later release",
);
const HTTP_API: Use = Later(
    "this belongs to integrations of HTTP APIs, and has no effect on a REST API",
    "HTTP APIs come with a later release",
);
const INTEGRATION: &Keys = &[
    ("type", Read),
    ("uri", Read),
    ("httpMethod", Read),
    ("passthroughBehavior", Read),
    ("contentHandling", Read),
    ("timeoutInMillis", Read),
    ("connectionType", Read),
    ("connectionId", Read),
    ("tlsConfig", Read),
    ("requestParameters", Read),
    ("requestTemplates", Read),
    ("responses", Read),
    ("responseTransferMode", Read),
    (
        "credentials",
        Later(
            "credentials are not used",
            "they matter to integrations with AWS services, which come with a later release",
        ),
    ),
    ("cacheNamespace", CACHE),
    ("cacheKeyParameters", CACHE),
    ("payloadFormatVersion", HTTP_API),
    ("integrationSubtype", HTTP_API),
    ("responseParameters", HTTP_API),
    (
        "integrationTarget",
        Later(
            "the integration target is not used",
            "Ringway reaches private addresses directly: write the load balancer's address into uri",
        ),
    ),
];
const RESPONSE: &Keys = &[
    ("statusCode", Read),
    ("responseParameters", Read),
    ("responseTemplates", Read),
    ("contentHandling", Read),
];
const TLS_CONFIG: &Keys = &[("insecureSkipVerification", Read), ("serverNameToVerify", HTTP_API)];

impl<'a> Importer<'a> {
    /// The integration at a place; `None`: it has no kind, which has been said.
    pub(super) fn integration(&mut self, place: &Place<'a>) -> Option<Integration> {
        if !self.is_object(place) {
            return None;
        }
        self.report.keys(place, "an integration", INTEGRATION);
        if place.member("type").is_none_or(|it| it.node.value == Value::Null) {
            self.report.error(
                place,
                "the integration has no type",
                "write type: mock, http or http_proxy",
            );
            return None;
        }
        let kind = self.choice(place, "type", &KINDS)?;
        self.report_unused(place, kind);
        Some(Integration {
            kind,
            uri: match kind {
                IntegrationType::Mock => None,
                _ => self.text(place, "uri"),
            },
            http_method: self.http_method(place, kind),
            request_parameters: plain(&self.texts(place, "requestParameters")),
            request_templates: self.templates(place, "requestTemplates"),
            passthrough_behavior: self
                .choice(place, "passthroughBehavior", &PASSTHROUGH)
                .unwrap_or_default(),
            content_handling: self.choice(place, "contentHandling", &CONTENT_HANDLING),
            timeout_ms: self.timeout(place),
            connection_type: self.connection(place, kind),
            insecure_skip_verification: self.tls_config(place),
            responses: self.integration_responses(place),
            credentials: self.quiet_text(place.node, "credentials"),
            integration_target: self.quiet_text(place.node, "integrationTarget"),
            response_transfer_mode: self.transfer_mode(place),
            cache_namespace: self.quiet_text(place.node, "cacheNamespace"),
            cache_key_parameters: self.quiet_texts(place.node, "cacheKeyParameters"),
            pointer: place.pointer.clone(),
        })
    }

    /// What AWS ignores for this kind.
    fn report_unused(&mut self, place: &Place<'a>, kind: IntegrationType) {
        let (unused, why): (&[&str], &str) = match kind {
            IntegrationType::Mock => (
                &[
                    "uri",
                    "httpMethod",
                    "requestParameters",
                    "contentHandling",
                    "timeoutInMillis",
                    "connectionType",
                    "connectionId",
                    "tlsConfig",
                ],
                "a MOCK integration calls nobody",
            ),
            IntegrationType::HttpProxy => (
                &["requestTemplates", "responses"],
                "a proxy integration passes bodies and answers through",
            ),
            _ => return,
        };
        for key in unused {
            if let Some(member) = place.member(key)
                && !is_nothing(&member)
            {
                self.report.warning(
                    &member,
                    format!("'{key}' has no effect: {why}"),
                    "remove it, or leave it: AWS ignores it too",
                );
            }
        }
        if kind == IntegrationType::HttpProxy
            && let Some(member) = place.member("contentHandling")
            && !is_nothing(&member)
        {
            self.report.warning(
                &member,
                "'contentHandling' has no effect: a proxy integration keeps bodies byte for byte",
                "remove it, or use type: http, which converts",
            );
        }
        if kind == IntegrationType::HttpProxy
            && self.choice(place, "passthroughBehavior", &PASSTHROUGH)
                == Some(PassthroughBehavior::Never)
            && let Some(member) = place.member("passthroughBehavior")
        {
            self.report.warning(
                &member,
                "'passthroughBehavior' has no effect: a proxy integration passes bodies through",
                "remove it, or use type: http with request templates",
            );
        }
    }

    fn http_method(&mut self, place: &Place<'a>, kind: IntegrationType) -> Option<MethodName> {
        if kind == IntegrationType::Mock {
            return None;
        }
        let Some(text) = self.text(place, "httpMethod") else {
            if place.member("httpMethod").is_none_or(|it| it.node.value == Value::Null) {
                self.report.error(
                    place,
                    "Enumeration value for HttpMethod must be non-empty",
                    "add httpMethod: the method towards the backend, or ANY for the client's own",
                );
            }
            return None;
        };
        let found = MethodName::named(&text);
        if found.is_none() {
            let at = place.member("httpMethod").unwrap_or_else(|| place.clone());
            self.report.error(
                &at,
                format!("'{}' is no method", names::shown(&text)),
                "write GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD or ANY",
            );
        }
        found
    }

    fn templates(&mut self, place: &Place<'a>, key: &str) -> IndexMap<String, String> {
        let Some(object) = self.object(place, key) else { return IndexMap::new() };
        let mut templates = IndexMap::new();
        for (media_type, template) in object.members() {
            let template = template();
            // AWS exports an empty template, which passes the body on, as null or "".
            let text = match template.node.value {
                Value::Null => Some(String::new()),
                _ => self.text_at(&template),
            };
            if let Some(text) = text {
                templates.insert(media_type.to_owned(), text);
            }
        }
        templates
    }

    /// `None`: it has none of its own. Its upper bound depends on the limits in force, and is the
    /// compiler's.
    fn timeout(&mut self, place: &Place<'a>) -> Option<u32> {
        let member = place.member("timeoutInMillis")?;
        if self.is_null(&member) {
            return None;
        }
        let millis = self.whole(&member)?;
        if millis < INTEGRATION_TIMEOUT_MIN_MS {
            self.report.error(
                &member,
                format!(
                    "Timeout should be between {INTEGRATION_TIMEOUT_MIN_MS} ms and \
                     {INTEGRATION_TIMEOUT_MAX_MS} ms"
                ),
                format!("{millis} is too short; it is a number of milliseconds"),
            );
            return None;
        }
        Some(millis)
    }

    fn connection(&mut self, place: &Place<'a>, kind: IntegrationType) -> ConnectionType {
        let kinds = [("INTERNET", false), ("VPC_LINK", true)];
        let link = self.choice(place, "connectionType", &kinds).unwrap_or(false);
        let id = self.text(place, "connectionId");
        match (link, id) {
            (true, id) => ConnectionType::VpcLink(id.unwrap_or_default()),
            (false, None) => ConnectionType::Internet,
            (false, Some(_)) => {
                if let Some(member) = place.member("connectionId")
                    && kind != IntegrationType::Mock
                {
                    self.report.warning(
                        &member,
                        "'connectionId' has no effect without connectionType: VPC_LINK",
                        "remove it",
                    );
                }
                ConnectionType::Internet
            }
        }
    }

    /// Whether the backend's certificate goes unchecked.
    fn tls_config(&mut self, place: &Place<'a>) -> bool {
        let Some(config) = self.object(place, "tlsConfig") else { return false };
        self.report.keys(&config, "tlsConfig", TLS_CONFIG);
        let insecure = self.boolean(&config, "insecureSkipVerification").unwrap_or(false);
        if insecure && let Some(member) = config.member("insecureSkipVerification") {
            self.report.warning(
                &member,
                "the backend's certificate is not checked: whoever answers is believed",
                "give the backend's CA with --ca-file, and remove this",
            );
        }
        insecure
    }

    fn transfer_mode(&mut self, place: &Place<'a>) -> ResponseTransferMode {
        let modes = [
            ("BUFFERED", ResponseTransferMode::Buffered),
            ("STREAM", ResponseTransferMode::Stream),
        ];
        let mode = self.choice(place, "responseTransferMode", &modes).unwrap_or_default();
        if mode == ResponseTransferMode::Stream
            && let Some(member) = place.member("responseTransferMode")
        {
            self.report.not_carried_out(
                &member,
                "'responseTransferMode: STREAM' changes nothing",
                "answers of HTTP_PROXY are streamed anyway; raise --limit integration-timeout and \
                 --limit payload for long ones",
            );
        }
        mode
    }

    fn integration_responses(&mut self, place: &Place<'a>) -> Vec<IntegrationResponse> {
        let Some(object) = self.object(place, "responses") else { return Vec::new() };
        let mut responses: Vec<IntegrationResponse> = Vec::new();
        for (pattern, response) in object.members() {
            let response = response();
            if !self.is_object(&response) {
                continue;
            }
            self.report.keys(&response, "an integration response", RESPONSE);
            let Some(status) = response.member("statusCode") else {
                self.report.error(
                    &response,
                    "the integration response has no statusCode",
                    "add the status the client gets, like statusCode: \"200\"",
                );
                continue;
            };
            let Some(status_code) = self.status(&status) else { continue };
            if responses.iter().any(|it| it.status_code == status_code) {
                self.report.warning(
                    &status,
                    format!("another integration response gives the status {status_code} already"),
                    "Ringway tells them apart by their patterns, AWS keeps one for each status: \
                     join the patterns with '|'",
                );
            }
            responses.push(IntegrationResponse {
                selection_pattern: (pattern != "default").then(|| pattern.to_owned()),
                status_code,
                response_parameters: plain(&self.texts(&response, "responseParameters")),
                response_templates: self.templates(&response, "responseTemplates"),
                content_handling: self.choice(&response, "contentHandling", &CONTENT_HANDLING),
                pointer: response.pointer.clone(),
            });
        }
        responses
    }
}

/// What an export of AWS's writes for "nothing": null, `{}`, and for the responses of proxy
/// integrations one default with a status.
fn is_nothing(place: &Place<'_>) -> bool {
    match &place.node.value {
        Value::Null => true,
        Value::Map(members) => members.iter().all(|member| {
            let rest = member.node.members().iter().any(|it| &*it.key != "statusCode");
            &*member.key == "default" && !member.node.members().is_empty() && !rest
        }),
        _ => false,
    }
}
