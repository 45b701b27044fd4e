//! The document's root: what concerns the API as a whole.

use std::collections::BTreeMap;

use super::super::Value;
use super::place::Place;
use super::report::{Keys, Use};
use super::values::{number, plain};
use super::{Dialect, Importer, names};
use crate::model::{GatewayResponse, ResponseType, RestApi, ThrottleSettings};

use Use::{Documentation, Ignored, Later, Read};

/// Largest `minimumCompressionSize`, bytes. Source: facts, rest-api section 14.
const COMPRESSION_SIZE_MAX: u32 = 10_485_760;
const API_ID_CHARS: usize = 10;

const HTTP_API: Use = Later(
    "this belongs to HTTP APIs, and has no effect on a REST API",
    "HTTP APIs come with a later release; the document is served as a REST API",
);
/// Extensions of the root, in either dialect.
const EXTENSIONS: &Keys = &[
    ("x-amazon-apigateway-binary-media-types", Read),
    ("x-amazon-apigateway-minimum-compression-size", Read),
    ("x-amazon-apigateway-gateway-responses", Read),
    ("x-amazon-apigateway-policy", Read),
    ("x-ringway-throttle", Read),
    ("x-amazon-apigateway-api-key-source", Read),
    (
        "x-amazon-apigateway-documentation",
        Later(
            "documentation parts are not kept",
            "they come with a later release; nothing about serving depends on them",
        ),
    ),
    ("x-amazon-apigateway-endpoint-configuration", ENDPOINT),
    (
        "x-amazon-apigateway-endpoint-access-mode",
        Later(
            "the endpoint's access mode is not carried out",
            "decide with --listen who reaches the gateway",
        ),
    ),
    (
        "x-amazon-apigateway-security-policy",
        Later(
            "the endpoint's TLS policy is not carried out",
            "it comes with TLS listeners in a later release",
        ),
    ),
    ("x-amazon-apigateway-request-validators", Read),
    ("x-amazon-apigateway-request-validator", Read),
    ("x-amazon-apigateway-cors", HTTP_API),
    ("x-amazon-apigateway-importexport-version", HTTP_API),
];
const ENDPOINT: Use = Later(
    "the endpoint configuration is not carried out",
    "decide with --listen who reaches the gateway",
);
const WEBHOOKS: Use = Ignored("API Gateway calls nobody by itself");
const SWAGGER2: &Keys = &[
    ("swagger", Read),
    ("info", Read),
    ("host", Documentation),
    ("basePath", Documentation),
    ("schemes", Documentation),
    ("consumes", Documentation),
    ("produces", Documentation),
    ("paths", Read),
    ("definitions", Documentation),
    ("parameters", Documentation),
    ("responses", Documentation),
    ("securityDefinitions", Read),
    ("security", Read),
    ("tags", Read),
    ("externalDocs", Documentation),
];
const OPENAPI3: &Keys = &[
    ("openapi", Read),
    ("info", Read),
    ("jsonSchemaDialect", Documentation),
    ("$self", Documentation),
    ("servers", Read),
    ("paths", Read),
    ("webhooks", WEBHOOKS),
    ("components", Read),
    ("security", Read),
    ("tags", Read),
    ("externalDocs", Documentation),
];
const INFO: &Keys = &[
    ("title", Read),
    ("version", Read),
    ("description", Read),
    ("summary", Documentation),
    ("termsOfService", Documentation),
    ("contact", Documentation),
    ("license", Documentation),
];
const NAMED_INTEGRATIONS: &str = "x-amazon-apigateway-integrations";
const COMPONENTS: &Keys = &[
    ("schemas", Documentation),
    ("responses", Documentation),
    ("parameters", Documentation),
    ("examples", Documentation),
    ("requestBodies", Documentation),
    ("headers", Documentation),
    ("securitySchemes", Read),
    ("links", Documentation),
    ("callbacks", Documentation),
    ("pathItems", Documentation),
    (NAMED_INTEGRATIONS, Read),
];
const SERVER: &Keys = &[
    ("url", Documentation),
    ("name", Documentation),
    ("description", Documentation),
    ("variables", Documentation),
    ("x-amazon-apigateway-endpoint-configuration", ENDPOINT),
];
const TAG: &Keys = &[
    ("name", Documentation),
    ("summary", Documentation),
    ("description", Documentation),
    ("parent", Documentation),
    ("kind", Documentation),
    ("externalDocs", Documentation),
    ("x-amazon-apigateway-tag-value", HTTP_API),
];
const GATEWAY_RESPONSE: &Keys =
    &[("statusCode", Read), ("responseParameters", Read), ("responseTemplates", Read)];
const THROTTLE: &Keys = &[("rateLimit", Read), ("burstLimit", Read)];

impl<'a> Importer<'a> {
    /// The whole document.
    pub(super) fn rest_api(&mut self) -> RestApi {
        let root = self.root.clone();
        if !self.is_object(&root) || !self.read_dialect(&root) {
            self.report.unreadable("Invalid OpenAPI input.");
            return RestApi::default();
        }
        let own = if self.dialect == Dialect::Swagger2 { SWAGGER2 } else { OPENAPI3 };
        let known: Vec<_> = own.iter().chain(EXTENSIONS).copied().collect();
        self.report.keys(&root, "the document", &known);
        let mut api = RestApi::default();
        self.info(&root, &mut api);
        self.describing_lists(&root);
        if self.dialect == Dialect::OpenApi3
            && let Some(components) = self.object(&root, "components")
        {
            self.report.keys(&components, "components", COMPONENTS);
            if let Some(named) = components.member(NAMED_INTEGRATIONS) {
                self.report.warning(
                    &named,
                    "named integrations belong to HTTP APIs: AWS reads none for a REST API",
                    "Ringway follows a $ref to them; to run on AWS too, write each one into its \
                     operation",
                );
            }
        }
        self.security_schemes();
        self.policy(&root);
        let (parts, version) = self.root_documentation(&root);
        self.authorizers = self.authorizers();
        self.declared_models(&root);
        self.path_prefix = self.path_prefix(&root);
        self.endpoint(&root, &mut api);
        api.id = names::id(&api.name, API_ID_CHARS);
        self.validators = self.request_validators(&root);
        api.binary_media_types = self.binary_media_types(&root);
        api.minimum_compression_size = self.minimum_compression_size(&root);
        api.gateway_responses = self.gateway_responses(&root);
        api.throttle = self.throttle(&root);
        api.resources = self.resources(&root);
        api.models = std::mem::take(&mut self.models);
        api.request_validators = std::mem::take(&mut self.validators);
        api.authorizers = std::mem::take(&mut self.authorizers);
        api.documentation_parts = parts;
        api.documentation_parts.append(&mut self.documentation);
        api.documentation_version = version;
        api
    }

    /// Reads `openapi` or `swagger`. False: the rest could not be understood.
    fn read_dialect(&mut self, root: &Place<'a>) -> bool {
        const HELP: &str = "write openapi: 3.0.3 or swagger: \"2.0\" at the top";
        let (swagger, openapi) = (root.member("swagger"), root.member("openapi"));
        let (place, ok) = match (&swagger, &openapi) {
            (Some(place), None) => {
                self.dialect = Dialect::Swagger2;
                (place, place.node.scalar() == Some("2.0"))
            }
            (None, Some(place)) => {
                let version = place.node.scalar().unwrap_or_default();
                let mut parts = version.split('.');
                let start = (parts.next(), parts.next());
                (place, matches!(start, (Some("3"), Some("0" | "1"))))
            }
            (Some(_), Some(place)) => {
                self.report.error(
                    place,
                    "Invalid OpenAPI input. The document says both 'swagger' and 'openapi'",
                    HELP,
                );
                return false;
            }
            (None, None) => {
                self.report.error(
                    root,
                    "Invalid OpenAPI input. The document has neither 'openapi' nor 'swagger'",
                    HELP,
                );
                return false;
            }
        };
        if !ok {
            let found = place.node.scalar().unwrap_or_else(|| place.node.kind());
            let message = format!(
                "Invalid OpenAPI input. The version {} is not supported",
                names::shown(found)
            );
            self.report.error(place, message, "use OpenAPI 3.0 or 3.1, or Swagger 2.0");
        }
        ok
    }

    fn info(&mut self, root: &Place<'a>, api: &mut RestApi) {
        let Some(info) = self.object(root, "info") else {
            if root.member("info").is_none_or(|it| it.node.value == Value::Null) {
                self.report.error(
                    root,
                    "the document has no info",
                    "add info with a title: it names the API",
                );
            }
            return;
        };
        self.report.keys(&info, "info", INFO);
        let title = self.text(&info, "title");
        if title.as_deref().is_none_or(str::is_empty) {
            self.report.error(&info, "info has no title", "add one: it names the API");
        }
        api.name = title.unwrap_or_default();
        api.version = self.text(&info, "version");
        api.description = self.text(&info, "description");
    }

    /// `servers` and `tags` only describe, but for the extensions in them.
    fn describing_lists(&mut self, root: &Place<'a>) {
        for (key, what, known) in [("servers", "a server", SERVER), ("tags", "a tag", TAG)] {
            if key == "servers" && self.dialect == Dialect::Swagger2 {
                continue;
            }
            let Some(list) = self.list(root, key) else { continue };
            for item in list.items() {
                if self.is_object(&item) {
                    self.report.keys(&item, what, known);
                }
            }
        }
    }

    fn policy(&mut self, root: &Place<'a>) {
        if let Some(policy) = root.member("x-amazon-apigateway-policy")
            && !self.is_null(&policy)
        {
            self.report.ours(
                &policy,
                "the resource policy would not be enforced",
                "resource policies come with a later release: until then restrict access in front \
                 of the gateway, and remove the policy to serve the API without it",
            );
        }
    }

    fn binary_media_types(&mut self, root: &Place<'a>) -> Vec<String> {
        let key = "x-amazon-apigateway-binary-media-types";
        let Some(list) = self.list(root, key) else { return Vec::new() };
        let mut types = Vec::new();
        for item in list.items() {
            let Some(text) = self.text_at(&item) else { continue };
            if text.starts_with("*/") && text != "*/*" {
                self.report.warning(
                    &item,
                    format!("'{}' never matches", names::shown(&text)),
                    "API Gateway knows type/subtype, type/* and */*",
                );
            }
            types.push(text);
        }
        types
    }

    fn minimum_compression_size(&mut self, root: &Place<'a>) -> Option<u32> {
        let place = root.member("x-amazon-apigateway-minimum-compression-size")?;
        if place.node.value == Value::Null {
            return None; // AWS writes null for "off".
        }
        let size = self.whole(&place)?;
        if size > COMPRESSION_SIZE_MAX {
            self.report.error(
                &place,
                "Invalid minimum compression size, must be between 0 and 10485760",
                format!("{size} is too large; it is a number of bytes"),
            );
        }
        Some(size)
    }

    fn gateway_responses(&mut self, root: &Place<'a>) -> BTreeMap<ResponseType, GatewayResponse> {
        let mut responses = BTreeMap::new();
        let key = "x-amazon-apigateway-gateway-responses";
        let Some(object) = self.object(root, key) else { return responses };
        for (name, place) in object.members() {
            let place = place();
            let Some(kind) = ResponseType::named(name) else {
                let known = ResponseType::ALL.map(ResponseType::as_str);
                let help = match names::nearest(name, known) {
                    Some((name, _)) => format!("did you mean {name}?"),
                    None => format!("write one of {}", known.join(", ")),
                };
                let message = format!("there is no gateway response type '{}'", names::shown(name));
                self.report.error(&place, message, help);
                continue;
            };
            if !self.is_object(&place) {
                continue;
            }
            self.report.keys(&place, "a gateway response", GATEWAY_RESPONSE);
            if let Some(why) = kind.why_never() {
                self.report.not_carried_out(
                    &place,
                    format!("no answer of type {name} occurs: {why}"),
                    "leave it: it does no harm",
                );
            }
            let status = place.member("statusCode");
            let status = status.filter(|it| it.node.value != Value::Null);
            let response = GatewayResponse {
                status_code: status.and_then(|it| self.status(&it)),
                response_parameters: plain(&self.texts(&place, "responseParameters")),
                response_templates: plain(&self.texts(&place, "responseTemplates")),
                pointer: place.pointer,
            };
            responses.insert(kind, response);
        }
        responses
    }

    /// `x-ringway-throttle` of the root or an operation.
    pub(super) fn throttle(&mut self, of: &Place<'a>) -> Option<ThrottleSettings> {
        let place = self.object(of, "x-ringway-throttle")?;
        self.report.keys(&place, "x-ringway-throttle", THROTTLE);
        let rate = self.throttle_member(&place, "rateLimit")?;
        let rate_limit = match &rate.node.value {
            Value::Number(text) => number(text).filter(|rate| *rate > 0.0),
            _ => None,
        };
        if rate_limit.is_none() {
            self.wrong_kind(&rate, "a number of requests a second above 0");
        }
        let burst = self.throttle_member(&place, "burstLimit")?;
        let burst_limit = self.whole(&burst)?;
        if burst_limit == 0 {
            self.wrong_kind(&burst, "a whole number of requests, at least 1");
        }
        Some(ThrottleSettings { rate_limit: rate_limit?, burst_limit })
    }

    fn throttle_member(&mut self, throttle: &Place<'a>, key: &str) -> Option<Place<'a>> {
        let member = throttle.member(key);
        if member.is_none() {
            self.report.error(
                throttle,
                format!("x-ringway-throttle has no {key}"),
                "write both: rateLimit (requests a second) and burstLimit (requests at once)",
            );
        }
        member
    }
}
