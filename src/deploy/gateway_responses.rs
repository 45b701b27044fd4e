//! What each kind of error is answered with, compiled.
//!
//! A type's own entry wins over DEFAULT_4XX or DEFAULT_5XX (by the type's status class), which wins
//! over the built-in answer. Templates know substitution only. Answers that depend on nothing but
//! the kind of error are encoded here, once.
//!
//! Source: developer guide, "Gateway response types"; facts, rest-api section 12 and aws-recorded
//! sections 9 and 20.

use super::compiled::Constants;
use super::integration::{ResponseName, check_final, gateway_response_name};
use super::media_type;
use super::source::{Scope, Side, Source, unset_variable};
use crate::context::ContextVariable;
use crate::http::{HeaderList, KnownHeader};
use crate::model::{GatewayResponse, ResponseType, RestApi};

/// Gateway responses by type.
#[derive(Debug)]
pub struct GatewayResponses {
    /// Index by [`ResponseType`].
    entries: Box<[CompiledGatewayResponse]>,
}

/// What errors of one type are answered with.
#[derive(Debug)]
pub struct CompiledGatewayResponse {
    /// Status instead of the error's.
    pub status: Option<u16>,
    /// Headers beside `x-amzn-ErrorType` and `Content-Type`.
    pub headers: Box<[(Box<[u8]>, Source)]>,
    /// Templates by media type; never empty.
    pub templates: super::compiled::Templates<GatewayTemplate>,
    /// Answers encoded in advance.
    prepared: Box<[Prepared]>,
}

/// A template of a gateway response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayTemplate {
    /// Text and substitutions in order.
    pub pieces: Box<[Source]>,
}

#[derive(Debug)]
struct Prepared {
    status: u16,
    message: &'static str,
    constant: u32,
}

impl GatewayResponses {
    /// The entry of a type.
    #[inline]
    pub fn of(&self, kind: ResponseType) -> &CompiledGatewayResponse {
        &self.entries[kind as usize]
    }

    /// Whether the answer to a body that is not what its model says shows why.
    pub fn explain(&self) -> bool {
        const WHY: Source = Source::Context(ContextVariable::ErrorValidationErrorString);
        let entry = self.of(ResponseType::BadRequestBody);
        let mut templates = entry.templates.entries.iter();
        entry.headers.iter().any(|(_, source)| *source == WHY)
            || templates.any(|(_, template)| template.pieces.contains(&WHY))
    }
}

impl CompiledGatewayResponse {
    /// Number of the finished answer for an error with this own status and message, if there is one.
    #[inline]
    pub fn constant(&self, status: u16, message: Option<&str>) -> Option<u32> {
        let found = self
            .prepared
            .iter()
            .find(|one| one.status == status && Some(one.message) == message)?;
        Some(found.constant)
    }
}

/// What the client is told of a body that is not what its model says.
pub const INVALID_BODY: &str = "Invalid request body";

/// Errors that occur often enough to be encoded in advance: type, status and message of the error.
/// `gateway::error` has the variants; its tests hold both together.
pub const PREPARED: [(ResponseType, u16, &str); 13] = [
    (ResponseType::ApiConfigurationError, 500, "Internal server error"),
    (ResponseType::BadRequestBody, 400, "Invalid JSON in request body"),
    (ResponseType::BadRequestBody, 400, INVALID_BODY),
    (ResponseType::IntegrationFailure, 502, "Internal server error"),
    (ResponseType::IntegrationFailure, 504, "Internal server error"),
    (ResponseType::IntegrationFailure, 504, "Network error communicating with endpoint"),
    (ResponseType::IntegrationTimeout, 504, "Endpoint request timed out"),
    (ResponseType::InvalidApiKey, 403, "Forbidden"),
    (ResponseType::MissingAuthenticationToken, 403, "Missing Authentication Token"),
    (ResponseType::QuotaExceeded, 429, "Limit Exceeded"),
    (ResponseType::ResourceNotFound, 404, "Resource not found"),
    (ResponseType::Throttled, 429, "Too Many Requests"),
    (ResponseType::UnsupportedMediaType, 415, "Unsupported Media Type"),
];

/// Types whose built-in body has a blank behind the colon: those that the integration's side makes
/// (recorded length 36 of `{"message": "Internal server error"}`).
fn built_in_has_blank(kind: ResponseType) -> bool {
    matches!(
        kind,
        ResponseType::ApiConfigurationError
            | ResponseType::IntegrationFailure
            | ResponseType::IntegrationTimeout
            | ResponseType::UnsupportedMediaType
    )
}

fn built_in(kind: ResponseType) -> GatewayTemplate {
    let start: &[u8] = match kind {
        ResponseType::AccessDenied => b"{\"Message\":",
        kind if built_in_has_blank(kind) => b"{\"message\": ",
        _ => b"{\"message\":",
    };
    GatewayTemplate {
        pieces: [
            Source::Literal(start.into()),
            Source::Context(ContextVariable::ErrorMessageString),
            Source::Literal((*b"}").into()),
        ]
        .into(),
    }
}

/// Something wrong in a gateway response: its type, the member and the key in it, what, and how to mend
/// it.
pub(super) struct Problem {
    pub(super) kind: ResponseType,
    pub(super) member: &'static str,
    pub(super) key: Option<String>,
    /// It is served, but not as it is written.
    pub(super) is_warning: bool,
    pub(super) message: String,
    pub(super) help: String,
}

pub(super) fn compile(
    api: &RestApi,
    scope: &Scope<'_>,
    constants: &mut Constants,
    problems: &mut Vec<Problem>,
) -> GatewayResponses {
    let mut entries = Vec::new();
    for kind in ResponseType::ALL {
        let class = match kind.status_code() {
            Some(400..=499) => ResponseType::Default4xx,
            Some(_) => ResponseType::Default5xx,
            None => kind,
        };
        let own = api.gateway_responses.get(&kind);
        let inherited = api.gateway_responses.get(&class);
        let status = match (own, inherited) {
            // A type put by itself keeps its own status (recorded).
            (Some(own), _) => own.status_code.or(kind.status_code()),
            (None, Some(class)) => class.status_code,
            (None, None) => None,
        };
        // What is wrong with a class is said once, at the class.
        let mut ignored = Vec::new();
        let problems = if own.is_some() { &mut *problems } else { &mut ignored };
        let declared = own.or(inherited);
        let headers = declared.map_or_else(Vec::new, |it| headers(it, kind, scope, problems));
        let templates = declared.map_or_else(Vec::new, |it| templates(it, kind, scope, problems));
        let templates = if templates.is_empty() {
            vec![(media_type::JSON.into(), built_in(kind))]
        } else {
            templates
        };
        if let Some(Err((message, help))) = status.map(check_final) {
            let (key, is_warning) = (None, false);
            problems.push(Problem { kind, member: "statusCode", key, is_warning, message, help });
            continue;
        }
        let mut entry = CompiledGatewayResponse {
            status,
            headers: headers.into(),
            templates: super::compiled::Templates::new(templates),
            prepared: Box::default(),
        };
        entry.prepared = PREPARED
            .iter()
            .filter(|(prepared, _, _)| *prepared == kind)
            .filter_map(|&(_, status, message)| {
                let constant = prepare(&entry, kind, status, message, constants)?;
                Some(Prepared { status, message, constant })
            })
            .collect();
        entries.push(entry);
    }
    GatewayResponses { entries: entries.into() }
}

fn headers(
    declared: &GatewayResponse,
    kind: ResponseType,
    scope: &Scope<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<(Box<[u8]>, Source)> {
    let mut headers = Vec::new();
    for (target, expression) in &declared.response_parameters {
        let member = "responseParameters";
        let mut found = |is_warning, key, message, help| {
            problems.push(Problem { kind, member, key, is_warning, message, help });
        };
        let mut problem = |message, help| found(false, None, message, help);
        let Some(name) = target
            .strip_prefix("gatewayresponse.header.")
            .filter(|name| crate::http::encode::is_token(name.as_bytes()))
        else {
            problem(
                format!("'{target}' is no target of a gateway response"),
                "write gatewayresponse.header.NAME; the status goes into statusCode and the body \
                 into responseTemplates"
                    .to_owned(),
            );
            continue;
        };
        let source =
            match Source::compile(expression, Side::GatewayResponse, scope, &mut Vec::new()) {
                Ok(source) => source,
                Err((message, help)) => {
                    problem(format!("{target}: {message}"), help);
                    continue;
                }
            };
        let mut warn = |(message, help)| found(true, Some(target.clone()), message, help);
        if source == Source::Nothing
            && let Some(why) = Source::why_nothing(expression, scope)
        {
            warn(why);
        }
        let fate = gateway_response_name(name);
        if let Some(what) = fate.warning(name) {
            warn(what);
        }
        match fate {
            ResponseName::Kept => headers.push((name.as_bytes().into(), source)),
            ResponseName::Renamed(other) => headers.push((other.into_bytes().into(), source)),
            ResponseName::Vanishes => {}
        }
    }
    headers
}

fn templates(
    declared: &GatewayResponse,
    kind: ResponseType,
    scope: &Scope<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<(Box<str>, GatewayTemplate)> {
    let mut templates = Vec::new();
    for (media_type, text) in &declared.response_templates {
        match GatewayTemplate::compile(text, scope) {
            Ok(template) => templates.push((media_type.as_str().into(), template)),
            Err((message, help)) => problems.push(Problem {
                kind,
                member: "responseTemplates",
                key: None,
                is_warning: false,
                message: format!("{media_type}: {message}"),
                help,
            }),
        }
        for name in variables(text).filter(|&name| !scope.variables.contains_key(name)) {
            let (message, help) = unset_variable(name);
            problems.push(Problem {
                kind,
                member: "responseTemplates",
                key: Some(media_type.clone()),
                is_warning: true,
                message,
                help,
            });
        }
    }
    templates
}

/// Names of the stage variables that a template reads.
fn variables(template: &str) -> impl Iterator<Item = &str> {
    template.split('$').skip(1).filter_map(|behind| {
        reference(behind.strip_prefix('{').unwrap_or(behind)).0.strip_prefix("stageVariables.")
    })
}

impl GatewayTemplate {
    /// Compiles a template: text with `$context.…`, `$stageVariables.…` and
    /// `$method.request.{header,path,querystring}.…`, each also as `${…}`. Any other `$` is text.
    ///
    /// # Errors
    /// A name behind one of these prefixes that there is not.
    fn compile(text: &str, scope: &Scope<'_>) -> Result<Self, (String, String)> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            literal.extend_from_slice(&rest.as_bytes()[..dollar]);
            let (braced, behind) = match rest[dollar + 1..].strip_prefix('{') {
                Some(behind) => (true, behind),
                None => (false, &rest[dollar + 1..]),
            };
            let (name, after) = reference(behind);
            let closed = !braced || after.starts_with('}');
            let source = if closed { Self::substitution(name, scope)? } else { None };
            match source {
                Some(source) => {
                    match source {
                        Source::Nothing => {}
                        Source::Literal(value) => literal.extend_from_slice(&value),
                        source => {
                            if !literal.is_empty() {
                                pieces.push(Source::Literal(std::mem::take(&mut literal).into()));
                            }
                            pieces.push(source);
                        }
                    }
                    rest = if braced { &after[1..] } else { after };
                }
                None => {
                    literal.push(b'$');
                    rest = &rest[dollar + 1..];
                }
            }
        }
        literal.extend_from_slice(rest.as_bytes());
        if !literal.is_empty() {
            pieces.push(Source::Literal(literal.into()));
        }
        Ok(Self { pieces: pieces.into() })
    }

    fn substitution(name: &str, scope: &Scope<'_>) -> Result<Option<Source>, (String, String)> {
        if let Some(name) = name.strip_prefix("context.") {
            return Source::context(name, scope).map(Some);
        }
        if let Some(name) = name.strip_prefix("stageVariables.") {
            return Ok(Some(Source::variable(name, scope)));
        }
        if name.starts_with("method.request.") {
            return Source::compile(name, Side::GatewayResponse, scope, &mut Vec::new()).map(Some);
        }
        Ok(None)
    }
}

/// Splits off the longest reference; what its kind of name cannot hold, and dots at its end, are text.
fn reference(text: &str) -> (&str, &str) {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = |from: usize, allowed: &str| {
        let stop = |c: char| !word(c) && !allowed.contains(c);
        text[from..].find(stop).map_or(text.len(), |len| from + len)
    };
    let end = ["stageVariables.", "method.request."]
        .into_iter()
        .find(|it| text.starts_with(it))
        .map_or_else(
            || end(0, "."),
            |prefix| end(prefix.len(), if prefix.starts_with('s') { "" } else { ".-$" }),
        );
    text.split_at(text[..end].trim_end_matches('.').len())
}

/// Appends `text` as a JSON string.
pub fn write_json_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Encodes the answer in advance if nothing in it depends on the request.
fn prepare(
    entry: &CompiledGatewayResponse,
    kind: ResponseType,
    status: u16,
    message: &str,
    constants: &mut Constants,
) -> Option<u32> {
    let [(media_type, template)] = &*entry.templates.entries else { return None };
    let mut list = HeaderList::new();
    list.push_known(KnownHeader::XAmznErrorType, kind.error_type().as_bytes());
    for (name, source) in &entry.headers {
        match source {
            Source::Nothing => {}
            Source::Literal(value) => {
                list.set(name, value);
            }
            _ => return None,
        }
    }
    if list.find(KnownHeader::ContentType).is_none() {
        list.push_known(KnownHeader::ContentType, media_type.as_bytes());
    }
    let mut body = Vec::new();
    for piece in &template.pieces {
        match piece {
            Source::Literal(text) => body.extend_from_slice(text),
            Source::Context(ContextVariable::ErrorMessage) => {
                body.extend_from_slice(message.as_bytes());
            }
            Source::Context(ContextVariable::ErrorMessageString) => {
                write_json_string(message, &mut body);
            }
            Source::Context(ContextVariable::ErrorResponseType) => {
                body.extend_from_slice(kind.as_str().as_bytes());
            }
            // What is wrong with a body is another thing each time; nothing else that is encoded in
            // advance has details.
            Source::Context(ContextVariable::ErrorValidationErrorString)
                if message != INVALID_BODY => {}
            _ => return None,
        }
    }
    Some(constants.add(entry.status.unwrap_or(status), list, &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_substitute_names_and_keep_other_dollars() {
        let variables = [("v".to_owned(), "one".to_owned())].into();
        let scope = Scope { variables: &variables, constants: &[], path_parameters: &[] };
        let literal = |text: &str| Source::Literal(text.as_bytes().into());
        let message = Source::Context(ContextVariable::ErrorMessageString);
        for (text, want) in [
            ("", vec![]),
            ("$5 and $ and #x", vec![literal("$5 and $ and #x")]),
            (
                "{\"m\":$context.error.messageString}",
                vec![literal("{\"m\":"), message.clone(), literal("}")],
            ),
            ("${context.error.messageString}s.", vec![message.clone(), literal("s.")]),
            ("$context.error.messageString.", vec![message.clone(), literal(".")]),
            ("a$stageVariables.v-b$stageVariables.unset!", vec![literal("aone-b!")]),
            ("a$stageVariables.v.json", vec![literal("aone.json")]),
            ("${context.error.messageString", vec![literal("${context.error.messageString")]),
            ("$method.request.path.id", vec![Source::PathNamed((*b"id").into())]),
        ] {
            let template = GatewayTemplate::compile(text, &scope).unwrap();
            assert_eq!(*template.pieces, *want, "{text}");
        }
        for text in ["$context.nothing", "$context.authorizer.x", "$method.request.body.x"] {
            assert!(GatewayTemplate::compile(text, &scope).is_err(), "{text}");
        }
    }

    #[test]
    fn json_strings_are_escaped() {
        let mut out = Vec::new();
        write_json_string("a\"b\\c\n\u{1}\u{e9}", &mut out);
        assert_eq!(out, "\"a\\\"b\\\\c\\n\\u0001\u{e9}\"".as_bytes());
    }
}
