//! Compiles one integration and its responses.

use std::time::Duration;

use indexmap::IndexMap;

use super::compile::{Report, Step, below};
use super::compiled::{
    CompiledHttp, CompiledIntegration, CompiledMock, CompiledResponse, HeaderMapping, KnownSet,
    MockTemplate, QueryMapping, ResponseMapping, Templates,
};
use super::mock_status;
use super::selector::Selector;
use super::source::{self, BodySource, Side, Source};
use super::template::{self, Template, TemplateSide};
use super::uri::{self, Uri};
use crate::http::{self, HeaderList, KnownHeader};
use crate::limits::INTEGRATION_TIMEOUT_MIN_MS;
use crate::model::{
    ConnectionType, Integration, IntegrationResponse, IntegrationType, Method, MethodName,
};
use crate::upstream::Scheme;

/// Names that a mapping must not set on a request; one with a value breaks the call.
/// Source: facts, rest-api section 4.
const FORBIDDEN: KnownSet = KnownSet::of(&[
    KnownHeader::ContentLength,
    KnownHeader::TransferEncoding,
    KnownHeader::XAmznTraceId,
    KnownHeader::XAmznApigatewayApiId,
]);

/// Names whose mapping towards HTTP backends is dropped: AWS's (facts, rest-api section 6.2), and
/// what belongs to the connection, which is ours.
const DROPPED: KnownSet = KnownSet::of(&[
    KnownHeader::Expect,
    KnownHeader::ProxyAuthenticate,
    KnownHeader::Te,
    KnownHeader::Via,
    KnownHeader::Connection,
    KnownHeader::KeepAlive,
    KnownHeader::ProxyConnection,
    KnownHeader::Trailer,
    KnownHeader::Upgrade,
]);

/// Mapped response names that AWS renames for MOCK (facts, rest-api section 6.2), and those that
/// would stand beside the gateway's own.
const RENAMED_MOCK: KnownSet = KnownSet::of(&[
    KnownHeader::Connection,
    KnownHeader::ContentLength,
    KnownHeader::Date,
    KnownHeader::Server,
    KnownHeader::XAmznRequestId,
]);

/// Mapped response names that AWS renames for HTTP (facts, aws-recorded section 24.2).
const RENAMED_HTTP: KnownSet = RENAMED_MOCK.union(KnownSet::of(&[
    KnownHeader::Authorization,
    KnownHeader::ContentMd5,
    KnownHeader::Expect,
    KnownHeader::Host,
    KnownHeader::MaxForwards,
    KnownHeader::ProxyAuthenticate,
    KnownHeader::Trailer,
    KnownHeader::Upgrade,
    KnownHeader::UserAgent,
    KnownHeader::WwwAuthenticate,
]));

/// Mapped response names that vanish: framing is ours, and so is the gateway's id.
const VANISHING: KnownSet =
    KnownSet::of(&[KnownHeader::TransferEncoding, KnownHeader::XAmzApigwId]);

/// Under which name a mapped header reaches the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ResponseName {
    /// Its own.
    Kept,
    /// Another one: the gateway writes a header of this name itself, or AWS does.
    Renamed(String),
    /// It does not.
    Vanishes,
}

/// The fate of a header that an integration response maps; `renamed` depends on the integration.
fn response_name(name: &str, renamed: KnownSet) -> ResponseName {
    match KnownHeader::of(name.as_bytes()) {
        KnownHeader::Other => ResponseName::Kept,
        known if VANISHING.contains(known) => ResponseName::Vanishes,
        known if renamed.contains(known) => {
            ResponseName::Renamed(format!("{REMAPPED}{}", known.as_str()))
        }
        _ => ResponseName::Kept,
    }
}

/// The fate of a header of a gateway response: as a MOCK's, for the gateway writes both by itself.
pub(super) fn gateway_response_name(name: &str) -> ResponseName {
    response_name(name, RENAMED_MOCK)
}

/// What becomes of a request header that a mapping or a template sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestHeader {
    /// It is sent.
    Sent,
    /// It is not.
    Dropped,
    /// It breaks the call: 500, `<name> header already present`.
    Forbidden,
}

/// The fate of a header towards an HTTP backend.
pub fn request_header(known: KnownHeader) -> RequestHeader {
    if known == KnownHeader::Other {
        RequestHeader::Sent
    } else if DROPPED.contains(known) {
        RequestHeader::Dropped
    } else if FORBIDDEN.contains(known) {
        RequestHeader::Forbidden
    } else {
        RequestHeader::Sent
    }
}

/// The name under which a header that a template sets reaches the client; `None`: it does not. A MOCK's
/// headers are not renamed as those of an HTTP integration are.
pub fn response_header(name: &str, is_mock: bool) -> Option<std::borrow::Cow<'_, str>> {
    match response_name(name, if is_mock { RENAMED_MOCK } else { RENAMED_HTTP }) {
        ResponseName::Kept => Some(name.into()),
        ResponseName::Renamed(other) => Some(other.into()),
        ResponseName::Vanishes => None,
    }
}

impl ResponseName {
    /// What to tell the owner of a mapping to this name: what becomes of it, and what to do.
    pub(super) fn warning(&self, name: &str) -> Option<(String, String)> {
        let message = match self {
            Self::Kept => return None,
            Self::Renamed(other) => format!("the header {name} is sent as {other}"),
            Self::Vanishes => format!("the header {name} is not sent"),
        };
        let help =
            "the gateway writes this header itself, and AWS does the same: remove the mapping";
        Some((message, help.to_owned()))
    }
}

pub(super) fn compile(
    step: &mut Step<'_, '_>,
    declared: &Integration,
    method: &Method,
    report: &mut Report<'_>,
) -> Option<CompiledIntegration> {
    match declared.kind {
        IntegrationType::Mock => {
            mock(step, declared, method, report).map(CompiledIntegration::Mock)
        }
        IntegrationType::Http | IntegrationType::HttpProxy => http(step, declared, method, report)
            .map(|http| CompiledIntegration::Http(Box::new(http))),
        kind @ (IntegrationType::Aws | IntegrationType::AwsProxy) => {
            report.add(
                below(&declared.pointer, &["type"]),
                format!("integrations of type {} are not carried out yet", kind.as_str()),
                "use MOCK, HTTP or HTTP_PROXY",
            );
            None
        }
    }
}

fn mock(
    step: &mut Step<'_, '_>,
    declared: &Integration,
    method: &Method,
    report: &mut Report<'_>,
) -> Option<CompiledMock> {
    let selector = selector(declared, report)?;
    let templates = declared
        .request_templates
        .iter()
        .filter_map(|(key, text)| {
            let pointer = below(&declared.pointer, &["requestTemplates", key]);
            let compiled = template::compile(TemplateSide::Request, key, text, pointer, report)?;
            let template = match compiled {
                Template::Passthrough => MockTemplate::Passthrough,
                Template::Program(program) => MockTemplate::Program(program),
                Template::Literal(text) => match mock_status::parse(&text) {
                    Err(mock_status::NoStatus) => MockTemplate::Unparsable,
                    Ok(status) => selector
                        .select(status)
                        .map_or(MockTemplate::NoMatch(status), MockTemplate::Response),
                },
            };
            let answered_500 = match template {
                MockTemplate::Unparsable => "the template has no integer statusCode".to_owned(),
                MockTemplate::NoMatch(status) => {
                    format!(
                        "no integration response fits the status {status}, and there is no default"
                    )
                }
                MockTemplate::Passthrough
                | MockTemplate::Response(_)
                | MockTemplate::Program(_) => String::new(),
            };
            if !answered_500.is_empty() {
                report.warn(
                    below(&declared.pointer, &["requestTemplates", key]),
                    format!("{answered_500}: every request that takes it is answered 500"),
                    "write {\"statusCode\": 200}, or another status that a response has",
                );
            }
            Some((key.as_str().into(), template))
        })
        .collect();
    let responses = declared
        .responses
        .iter()
        .filter_map(|it| {
            let mut compiled = response(step, it, method, RENAMED_MOCK, report)?;
            warn_of_missing_answer(it, &compiled, report);
            compiled.constants = mock_constants(step, &compiled);
            Some(compiled)
        })
        .collect();
    Some(CompiledMock {
        templates: Templates::new(templates),
        passthrough: declared.passthrough_behavior,
        selector,
        responses,
    })
}

/// A MOCK calls nobody, so mappings from an answer have no value.
fn warn_of_missing_answer(
    declared: &IntegrationResponse,
    compiled: &CompiledResponse,
    report: &mut Report<'_>,
) {
    let from_answer = |source: &Source| {
        matches!(source, Source::IntegrationHeader { .. } | Source::IntegrationBody(_))
    };
    if !compiled.headers.iter().any(|it| from_answer(&it.source)) {
        return;
    }
    for (target, expression) in &declared.response_parameters {
        if expression.trim().starts_with("integration.response.") {
            report.warn(
                below(&declared.pointer, &["responseParameters", target]),
                "the mapping never has a value: a MOCK integration has no answer to map from",
                "map a static value in single quotes, or remove the mapping",
            );
        }
    }
}

/// The finished answers of a response whose headers depend on nothing; one per template.
fn mock_constants(step: &mut Step<'_, '_>, response: &CompiledResponse) -> Box<[Option<u32>]> {
    let mut headers = HeaderList::new();
    for mapping in &response.headers {
        match &mapping.source {
            Source::Literal(value) => {
                headers.set(&mapping.name, value);
            }
            // A MOCK has no answer to map from.
            Source::Nothing | Source::IntegrationHeader { .. } | Source::IntegrationBody(_) => {}
            _ => return Box::default(),
        }
    }
    let mut add = |body: &[u8]| step.constants.add(response.status, headers.clone(), body);
    if response.templates.entries.is_empty() {
        return [Some(add(b""))].into();
    }
    let constants = response.templates.entries.iter().map(|(_, template)| match template {
        Template::Literal(text) => Some(add(text)),
        Template::Passthrough => Some(add(b"")),
        Template::Program(_) => None,
    });
    constants.collect()
}

fn http(
    step: &mut Step<'_, '_>,
    declared: &Integration,
    method: &Method,
    report: &mut Report<'_>,
) -> Option<CompiledHttp> {
    let proxy = declared.kind == IntegrationType::HttpProxy;
    if let ConnectionType::VpcLink(id) = &declared.connection_type {
        report.add(
            below(&declared.pointer, &["connectionType"]),
            format!("VPC links are not carried out yet (connectionId {id})"),
            "remove connectionType and connectionId: Ringway reaches private addresses directly",
        );
    }
    let mut bodies = Vec::new();
    let mappings = request_mappings(step, declared, &mut bodies, report);
    // AWS ignores templates and integration responses of proxy integrations.
    let templates = if proxy { Vec::new() } else { request_templates(declared, report) };
    let is_overridden = |template: &Template| {
        template.program().is_some_and(template::CompiledTemplate::overrides_request)
    };
    let overridable = templates.iter().any(|(_, template)| is_overridden(template));
    let endpoint = endpoint(step, declared, &mappings.paths, overridable, report)?;
    let timeout = timeout(step, declared, report)?;
    let (selector, responses) = if proxy {
        (Selector::default(), Box::default())
    } else {
        let responses = declared.responses.iter();
        let responses =
            responses.filter_map(|it| response(step, it, method, RENAMED_HTTP, report)).collect();
        (selector(declared, report)?, responses)
    };
    let uri_names = endpoint.as_ref().filter(|_| overridable).map(|uri| uri.names.clone());
    let insecure = declared.insecure_skip_verification;
    Some(CompiledHttp {
        proxy,
        invalid_endpoint: endpoint.is_none(),
        target: match &endpoint {
            Some(uri) => {
                let identity = step.identity;
                step.env.targets.get_as(uri.scheme, &uri.host, uri.port, insecure, identity)
            }
            None => step.env.targets.get(Scheme::Http, "", 0, false),
        },
        method: declared.http_method.and_then(backend_method),
        uri_has_query: endpoint.as_ref().is_some_and(|uri| uri.has_query),
        uri_names: uri_names.unwrap_or_default().into(),
        uri: endpoint.map_or_else(Vec::new, |uri| uri.pieces).into(),
        query: mappings.query.into(),
        headers: mappings.headers.into(),
        body_sources: bodies.into(),
        templates: Templates::new(templates),
        passthrough: declared.passthrough_behavior,
        content_handling: declared.content_handling,
        timeout,
        selector,
        responses,
    })
}

fn request_templates(declared: &Integration, report: &mut Report<'_>) -> Vec<(Box<str>, Template)> {
    let templates = declared.request_templates.iter().filter_map(|(key, text)| {
        let pointer = below(&declared.pointer, &["requestTemplates", key]);
        let compiled = template::compile(TemplateSide::Request, key, text, pointer, report)?;
        Some((key.as_str().into(), compiled))
    });
    templates.collect()
}

fn backend_method(name: MethodName) -> Option<http::Method> {
    Some(match name {
        MethodName::Get => http::Method::Get,
        MethodName::Put => http::Method::Put,
        MethodName::Post => http::Method::Post,
        MethodName::Delete => http::Method::Delete,
        MethodName::Patch => http::Method::Patch,
        MethodName::Options => http::Method::Options,
        MethodName::Head => http::Method::Head,
        MethodName::Any => return None,
    })
}

/// The backend's address; `Some(None)`: unusable because of a stage variable, requests get 500.
/// `overridable`: a template may give a value to every name in it.
#[expect(clippy::option_option, reason = "no address, no usable address, an address")]
fn endpoint(
    step: &Step<'_, '_>,
    declared: &Integration,
    paths: &IndexMap<&str, Source>,
    overridable: bool,
    report: &mut Report<'_>,
) -> Option<Option<Uri>> {
    let pointer = below(&declared.pointer, &["uri"]);
    let Some(text) = &declared.uri else {
        report.add(
            declared.pointer.clone(),
            "the integration has no uri",
            "add uri: http://host/path",
        );
        return None;
    };
    let (text, variables) = uri::with_variables(text, step.scope);
    let unset: Vec<&str> = variables
        .iter()
        .copied()
        .filter(|name| !step.scope.variables.contains_key(*name))
        .collect();
    let filled = if overridable { with_names(&text, paths) } else { paths.clone() };
    match Uri::compile(&text, &filled) {
        Ok(uri) => {
            for name in unset {
                let (message, help) = source::unset_variable(name);
                report.warn(pointer.clone(), message, help);
            }
            warn_of_uri(&text, declared, &filled, report);
            Some(Some(uri))
        }
        // AWS deploys it and answers 500 until the variable is right.
        Err(why) if !variables.is_empty() => {
            let (cause, names) = match unset.is_empty() {
                true => ("with its stage variables", &variables),
                false => ("with stage variables that are not set", &unset),
            };
            let flags: Vec<String> =
                names.iter().map(|name| format!("--var {name}=VALUE")).collect();
            report.warn(
                pointer,
                format!("{cause}, {why}: every request is answered 500"),
                format!("set {}", flags.join(" ")),
            );
            Some(None)
        }
        Err(why) => {
            report.add(
                pointer,
                format!("Invalid HTTP endpoint specified for URI: {why}"),
                "write http://host[:port]/path or https://...",
            );
            None
        }
    }
}

/// A source for each of the `uri`'s names, so that all have a place that can be overridden.
fn with_names<'a>(text: &'a str, paths: &IndexMap<&'a str, Source>) -> IndexMap<&'a str, Source> {
    let mut all = paths.clone();
    for name in uri::placeholders(text) {
        let source = all.entry(name).or_insert_with(|| {
            // As it stands, like every name that nothing is mapped to.
            Source::Literal(format!("{{{name}}}").into_bytes().into())
        });
        if *source == Source::Nothing {
            *source = Source::Literal(Box::default());
        }
    }
    all
}

/// What of a usable `uri` will not be as it is written.
fn warn_of_uri(
    text: &str,
    declared: &Integration,
    paths: &IndexMap<&str, Source>,
    report: &mut Report<'_>,
) {
    let pointer = || below(&declared.pointer, &["uri"]);
    if text.contains('#') {
        report.warn(
            pointer(),
            "the part from '#' on is not sent: a fragment is for browsers",
            "remove it, or write %23 for a '#' of the path",
        );
    }
    let names = uri::placeholders(text);
    for name in names.iter().filter(|name| !paths.contains_key(**name)) {
        report.warn(
            pointer(),
            format!("nothing is mapped to {{{name}}}: it is sent as it stands"),
            format!(
                "add to requestParameters, for example, integration.request.path.{name}: \
                 method.request.path.{name}"
            ),
        );
    }
    for name in paths.keys().filter(|name| !names.contains(name)) {
        let target = format!("integration.request.path.{name}");
        report.warn(
            below(&declared.pointer, &["requestParameters", &target]),
            format!("the mapping has no effect: uri has no {{{name}}}"),
            "put it into the uri's path or query, or remove the mapping",
        );
    }
}

/// The deadline for the whole answer; `Some(None)`: there is none.
#[expect(clippy::option_option, reason = "wrong, off, a time")]
fn timeout(
    step: &Step<'_, '_>,
    declared: &Integration,
    report: &mut Report<'_>,
) -> Option<Option<Duration>> {
    let ceiling = step.settings.limits.integration_timeout;
    let Some(millis) = declared.timeout_ms else { return Some(ceiling) };
    let timeout = Duration::from_millis(millis.into());
    if millis >= INTEGRATION_TIMEOUT_MIN_MS && ceiling.is_none_or(|ceiling| timeout <= ceiling) {
        return Some(Some(timeout));
    }
    let most = ceiling.map_or_else(String::new, |it| format!(" to {}", it.as_millis()));
    report.add(
        below(&declared.pointer, &["timeoutInMillis"]),
        format!("the timeout {millis} is not within {INTEGRATION_TIMEOUT_MIN_MS}{most} ms"),
        "change it, or raise the ceiling with --limit integration-timeout=TIME",
    );
    None
}

#[derive(Default)]
struct RequestMappings<'a> {
    paths: IndexMap<&'a str, Source>,
    query: Vec<QueryMapping>,
    headers: Vec<HeaderMapping>,
}

fn request_mappings<'a>(
    step: &Step<'_, '_>,
    declared: &'a Integration,
    bodies: &mut Vec<BodySource>,
    report: &mut Report<'_>,
) -> RequestMappings<'a> {
    let mut mappings = RequestMappings::default();
    for (target, expression) in &declared.request_parameters {
        let pointer = || below(&declared.pointer, &["requestParameters", target]);
        let place = target.strip_prefix("integration.request.").and_then(|it| it.split_once('.'));
        let (kind, name) = match place {
            Some((kind @ ("path" | "querystring"), name)) if !name.is_empty() => (kind, name),
            Some(("header", name)) if http::encode::is_token(name.as_bytes()) => ("header", name),
            _ => {
                report.add(
                    pointer(),
                    format!("Invalid mapping expression specified: {target}"),
                    "write integration.request.{path,querystring,header}.NAME",
                );
                continue;
            }
        };
        let source = match Source::compile(expression, Side::Request, step.scope, bodies) {
            Ok(source) => source,
            Err((message, help)) => {
                report.add(pointer(), message, help);
                continue;
            }
        };
        if source == Source::Nothing
            && let Some((message, help)) = Source::why_nothing(expression, step.scope)
        {
            report.warn(pointer(), message, help);
        }
        match kind {
            "path" => {
                mappings.paths.insert(name, source);
            }
            _ if source == Source::Nothing => {}
            "querystring" => mappings.query.push(QueryMapping {
                name: percent_encoding::utf8_percent_encode(name, uri::COMPONENT)
                    .to_string()
                    .into_bytes()
                    .into(),
                source,
            }),
            _ => {
                let known = KnownHeader::of(name.as_bytes());
                let fate = request_header(known);
                if fate == RequestHeader::Dropped {
                    report.warn(
                        pointer(),
                        format!("the header {name} is not sent to the backend"),
                        "it belongs to the connection, or AWS drops it too: remove the mapping",
                    );
                } else {
                    let forbidden = fate == RequestHeader::Forbidden;
                    if forbidden {
                        report.warn(
                            pointer(),
                            format!(
                                "{name} is the gateway's own header: every request for which the \
                                 mapping has a value is answered 500, as on AWS"
                            ),
                            "remove the mapping",
                        );
                    }
                    mappings.headers.push(HeaderMapping {
                        name: name.as_bytes().into(),
                        known,
                        source,
                        forbidden,
                    });
                }
            }
        }
    }
    mappings
}

fn selector(declared: &Integration, report: &mut Report<'_>) -> Option<Selector> {
    let patterns = declared.responses.iter().map(|it| it.selection_pattern.as_deref());
    match Selector::compile(patterns) {
        Ok(selector) => Some(selector),
        Err((index, why)) => {
            let response = &declared.responses[index];
            report.add(
                response.pointer.clone(),
                format!(
                    "the selection pattern '{}' is no regular expression: {why}",
                    response.selection_pattern.as_deref().unwrap_or_default()
                ),
                "write a Java regex that matches a whole status, for example 4\\d{2}",
            );
            None
        }
    }
}

fn response(
    step: &Step<'_, '_>,
    declared: &IntegrationResponse,
    method: &Method,
    renamed: KnownSet,
    report: &mut Report<'_>,
) -> Option<CompiledResponse> {
    if let Err((message, help)) = check_final(declared.status_code) {
        report.add(below(&declared.pointer, &["statusCode"]), message, help);
        return None;
    }
    let mut headers = Vec::new();
    for (target, expression) in &declared.response_parameters {
        let pointer = || below(&declared.pointer, &["responseParameters", target]);
        let Some(name) = target
            .strip_prefix("method.response.header.")
            .filter(|name| http::encode::is_token(name.as_bytes()))
        else {
            report.add(
                pointer(),
                format!("Invalid mapping expression specified: {target}"),
                "write method.response.header.NAME",
            );
            continue;
        };
        let source = match Source::compile(expression, Side::Response, step.scope, &mut Vec::new())
        {
            Ok(Source::Nothing) => {
                if let Some((message, help)) = Source::why_nothing(expression, step.scope) {
                    report.warn(pointer(), message, help);
                }
                continue;
            }
            Ok(source) => source,
            Err((message, help)) => {
                report.add(pointer(), message, help);
                continue;
            }
        };
        let fate = response_name(name, renamed);
        if let Some((message, help)) = fate.warning(name) {
            report.warn(pointer(), message, help);
        }
        let name = match fate {
            ResponseName::Kept => name.to_owned(),
            ResponseName::Renamed(other) => other,
            ResponseName::Vanishes => continue,
        };
        headers.push(ResponseMapping { name: name.into_bytes().into(), source });
    }
    let templates = declared
        .response_templates
        .iter()
        .filter_map(|(key, text)| {
            let pointer = below(&declared.pointer, &["responseTemplates", key]);
            let compiled = template::compile(TemplateSide::Response, key, text, pointer, report)?;
            Some((key.as_str().into(), compiled))
        })
        .collect();
    Some(CompiledResponse {
        status: declared.status_code,
        declared: method.method_responses.contains_key(&declared.status_code.to_string()),
        reads_body: headers.iter().any(|it| matches!(it.source, Source::IntegrationBody(_))),
        headers: headers.into(),
        templates: Templates::new(templates),
        content_handling: declared.content_handling,
        constants: Box::default(),
    })
}

/// Whether an answer may have this status.
///
/// # Errors
/// What is wrong and what would be right. After an answer of the 1xx a client waits for another one.
pub(super) fn check_final(status: u16) -> Result<(), (String, String)> {
    match status {
        200..=599 => Ok(()),
        100..=199 => Err((
            format!("the status {status} ends no request: clients would go on waiting"),
            "write a status from 200 to 599".to_owned(),
        )),
        _ => Err((
            format!("the status {status} is none"),
            "write a status from 200 to 599".to_owned(),
        )),
    }
}

/// What stands before the name of a renamed response header.
pub const REMAPPED: &str = "x-amzn-Remapped-";
