//! Where a mapped value comes from: the right side of a parameter mapping, compiled.
//!
//! Source: developer guide, "Parameter mapping"; facts, rest-api section 4 and section 12.

use std::collections::BTreeMap;

use super::json_path::JsonPath;
use crate::context::ContextVariable;
use crate::http::KnownHeader;

/// Where a value comes from. A source that has no value makes no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing ever: a name that the request cannot have, an unset stage variable.
    Nothing,
    /// Known since the stage was compiled: static text, stage variables, the API's own names.
    Literal(Box<[u8]>),
    /// Path parameter by its place in `CompiledMethod::path_parameters`.
    Path(u16),
    /// Path parameter by name, where the method is only known with the request.
    PathNamed(Box<[u8]>),
    /// Query parameter.
    Query {
        /// Decoded name; case matters.
        name: Box<[u8]>,
        /// All values instead of the last.
        all: bool,
    },
    /// Request header.
    Header {
        /// Name in any case of letters.
        name: Box<[u8]>,
        /// Which one it is.
        known: KnownHeader,
        /// All values joined with `,` instead of the last.
        all: bool,
    },
    /// From the request's body: place in `CompiledHttp::body_sources`.
    Body(u16),
    /// A variable of the request's context.
    Context(ContextVariable),
    /// Header of the integration's answer; case matters (developer guide).
    IntegrationHeader {
        /// Name.
        name: Box<[u8]>,
        /// All values joined with `,` instead of the last.
        all: bool,
    },
    /// From the body of the integration's answer.
    IntegrationBody(BodySource),
}

/// What is taken of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodySource {
    /// The whole text.
    Whole,
    /// One value of a JSON body.
    Path(JsonPath),
}

impl BodySource {
    /// Whether the body has to be JSON for it.
    pub fn reads_json(&self) -> bool {
        matches!(self, Self::Path(_))
    }
}

/// Which side a mapping stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `integration.request.…`: reads `method.request.…`.
    Request,
    /// `method.response.…`: reads `integration.response.…`.
    Response,
    /// `gatewayresponse.…`: reads `method.request.…`, but no body.
    GatewayResponse,
}

/// What an expression is compiled against.
pub struct Scope<'a> {
    /// The stage's variables.
    pub variables: &'a BTreeMap<String, String>,
    /// Values of context variables that are the same for every request.
    pub constants: &'a [(ContextVariable, &'a str)],
    /// Names of the method's path parameters; of no use for gateway responses, which serve any method.
    pub path_parameters: &'a [String],
}

/// Headers that never get past the front door: a mapping from one gives nothing.
/// Source: facts, aws-recorded section 24.1.
const NEVER_RECEIVED: [KnownHeader; 12] = [
    KnownHeader::Connection,
    KnownHeader::ContentLength,
    KnownHeader::ContentMd5,
    KnownHeader::Expect,
    KnownHeader::MaxForwards,
    KnownHeader::ProxyAuthenticate,
    KnownHeader::Server,
    KnownHeader::Te,
    KnownHeader::TransferEncoding,
    KnownHeader::Trailer,
    KnownHeader::Upgrade,
    KnownHeader::WwwAuthenticate,
];

/// Whether a request header of this kind exists for the pipeline.
pub fn is_received(known: KnownHeader) -> bool {
    !NEVER_RECEIVED.contains(&known)
}

impl Source {
    /// Compiles a mapping expression. Body sources of requests are appended to `bodies`.
    ///
    /// # Errors
    /// What is wrong and what would be right, as sentences.
    pub fn compile(
        text: &str,
        side: Side,
        scope: &Scope<'_>,
        bodies: &mut Vec<BodySource>,
    ) -> Result<Self, (String, String)> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix('\'') {
            return match rest.strip_suffix('\'') {
                Some(literal) => Ok(Self::Literal(literal.as_bytes().into())),
                None => Err(invalid(text, "close the static value with a single quote")),
            };
        }
        if let Some(name) = text.strip_prefix("stageVariables.") {
            return Ok(Self::variable(name, scope));
        }
        if let Some(name) = text.strip_prefix("context.") {
            return Self::context(name, scope);
        }
        match side {
            Side::Request | Side::GatewayResponse => {
                Self::compile_request(text, side, scope, bodies)
            }
            Side::Response => Self::compile_response(text),
        }
    }

    fn compile_request(
        text: &str,
        side: Side,
        scope: &Scope<'_>,
        bodies: &mut Vec<BodySource>,
    ) -> Result<Self, (String, String)> {
        let Some(rest) = text.strip_prefix("method.request.") else {
            return Err(invalid(text, REQUEST_HELP));
        };
        if side == Side::Request
            && let Some(source) = body_source(rest, text)?
        {
            let slot = u16::try_from(bodies.len())
                .map_err(|_| invalid(text, "map fewer values from the body"))?;
            bodies.push(source);
            return Ok(Self::Body(slot));
        }
        let Some((place, name)) = rest.split_once('.') else {
            return Err(invalid(text, REQUEST_HELP));
        };
        check_name(name, text)?;
        match place {
            "path" if side == Side::GatewayResponse => Ok(Self::PathNamed(name.as_bytes().into())),
            "path" => Ok(Self::path(name, scope)),
            "querystring" | "multivaluequerystring" => Ok(Self::Query {
                name: name.as_bytes().into(),
                all: place == "multivaluequerystring",
            }),
            "header" | "multivalueheader" => Ok(Self::header(name, place == "multivalueheader")),
            _ => Err(invalid(text, REQUEST_HELP)),
        }
    }

    fn compile_response(text: &str) -> Result<Self, (String, String)> {
        let Some(rest) = text.strip_prefix("integration.response.") else {
            return Err(invalid(text, RESPONSE_HELP));
        };
        if let Some(source) = body_source(rest, text)? {
            return Ok(Self::IntegrationBody(source));
        }
        let Some((place @ ("header" | "multivalueheader"), name)) = rest.split_once('.') else {
            return Err(invalid(text, RESPONSE_HELP));
        };
        check_name(name, text)?;
        Ok(Self::IntegrationHeader {
            name: name.as_bytes().into(),
            all: place == "multivalueheader",
        })
    }

    /// Why an expression that compiles to [`Source::Nothing`] never has a value, and what to do about it.
    /// `None`: not for the compiler to say (a path parameter that is not declared).
    pub fn why_nothing(text: &str, scope: &Scope<'_>) -> Option<(String, String)> {
        let text = text.trim();
        if let Some(name) = text.strip_prefix("stageVariables.") {
            return (!scope.variables.contains_key(name)).then(|| unset_variable(name));
        }
        let (place, name) = text.strip_prefix("method.request.")?.split_once('.')?;
        let known = KnownHeader::of(name.as_bytes());
        let is_header = matches!(place, "header" | "multivalueheader");
        (is_header && !is_received(known)).then(|| {
            (
                format!("the client's {} is not there to be mapped", known.as_str()),
                "AWS takes it off every request too: map another header".to_owned(),
            )
        })
    }

    /// A stage variable; one that is not set has no value.
    pub fn variable(name: &str, scope: &Scope<'_>) -> Self {
        match scope.variables.get(name) {
            Some(value) => Self::Literal(value.as_bytes().into()),
            None => Self::Nothing,
        }
    }

    /// A context variable.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn context(name: &str, scope: &Scope<'_>) -> Result<Self, (String, String)> {
        let Some(variable) = ContextVariable::named(name) else {
            let help = if name.starts_with("authorizer.") || name.starts_with("identity.clientCert")
            {
                "authorizers and mutual TLS are not carried out yet: remove the variable"
            } else {
                "see the developer guide's list of $context variables; case matters"
            };
            return Err((format!("there is no context variable '{name}'"), help.to_owned()));
        };
        match scope.constants.iter().find(|(constant, _)| *constant == variable) {
            Some((_, value)) => Ok(Self::Literal(value.as_bytes().into())),
            None => Ok(Self::Context(variable)),
        }
    }

    /// A request header; one that never gets past the front door has no value.
    pub fn header(name: &str, all: bool) -> Self {
        let known = KnownHeader::of(name.as_bytes());
        if !is_received(known) {
            return Self::Nothing;
        }
        Self::Header { name: name.as_bytes().into(), known, all }
    }

    /// A path parameter; one that the path has not has no value.
    pub fn path(name: &str, scope: &Scope<'_>) -> Self {
        let index = scope.path_parameters.iter().position(|other| other == name);
        match index.and_then(|index| u16::try_from(index).ok()) {
            Some(index) => Self::Path(index),
            None => Self::Nothing,
        }
    }

    /// Whether it is worth the same for every request.
    pub fn is_constant(&self) -> bool {
        matches!(self, Self::Nothing | Self::Literal(_))
    }
}

/// What is said of a stage variable that is not set.
pub fn unset_variable(name: &str) -> (String, String) {
    (
        format!("the stage variable '{name}' is not set: it stands for nothing"),
        format!("set it with --var {name}=VALUE"),
    )
}

const REQUEST_HELP: &str = "write a static value in single quotes, method.request.{path,\
     querystring,multivaluequerystring,header,multivalueheader}.NAME, method.request.body[.PATH], \
     stageVariables.NAME or context.NAME";
const RESPONSE_HELP: &str = "write a static value in single quotes, integration.response.{header,\
     multivalueheader}.NAME, integration.response.body[.PATH], stageVariables.NAME or context.NAME";

fn invalid(text: &str, help: &str) -> (String, String) {
    (format!("Invalid mapping expression specified: {text}"), help.to_owned())
}

fn body_source(rest: &str, text: &str) -> Result<Option<BodySource>, (String, String)> {
    if rest == "body" {
        return Ok(Some(BodySource::Whole));
    }
    let Some(path) = rest.strip_prefix("body").filter(|path| path.starts_with(['.', '['])) else {
        return Ok(None);
    };
    let path = path.strip_prefix('.').unwrap_or(path);
    match JsonPath::compile(path) {
        Ok(path) => Ok(Some(BodySource::Path(path))),
        Err(why) => Err((
            format!("Invalid mapping expression specified: {text}: {why}"),
            "write a path to one value, for example method.request.body.pets[0].name".to_owned(),
        )),
    }
}

/// Names are `^[a-zA-Z0-9._$-]+$`.
fn check_name(name: &str, text: &str) -> Result<(), (String, String)> {
    let ok = |byte: u8| byte.is_ascii_alphanumeric() || b"._$-".contains(&byte);
    if name.is_empty() || !name.bytes().all(ok) {
        return Err(invalid(text, "a name consists of letters, digits, '.', '_', '$' and '-'"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapping_expressions_compile_to_their_source() {
        let variables = BTreeMap::from([("v".to_owned(), "1".to_owned())]);
        let names = ["id".to_owned(), "proxy".to_owned()];
        let scope = Scope {
            variables: &variables,
            constants: &[(ContextVariable::Stage, "dev")],
            path_parameters: &names,
        };
        let literal = |text: &str| Source::Literal(text.as_bytes().into());
        let header = |name: &str, all| Source::Header {
            name: name.as_bytes().into(),
            known: KnownHeader::of(name.as_bytes()),
            all,
        };
        let mut bodies = Vec::new();
        for (text, want) in [
            ("'a''b'", literal("a''b")),
            ("''", literal("")),
            ("stageVariables.v", literal("1")),
            ("stageVariables.unset", Source::Nothing),
            ("context.stage", literal("dev")),
            ("context.requestId", Source::Context(ContextVariable::RequestId)),
            ("method.request.path.proxy", Source::Path(1)),
            ("method.request.path.other", Source::Nothing),
            ("method.request.header.X-A", header("X-A", false)),
            ("method.request.multivalueheader.accept", header("accept", true)),
            ("method.request.header.Connection", Source::Nothing),
            ("method.request.header.WWW-Authenticate", Source::Nothing),
            ("method.request.querystring.q", Source::Query { name: (*b"q").into(), all: false }),
            (
                "method.request.multivaluequerystring.q",
                Source::Query { name: (*b"q").into(), all: true },
            ),
            ("method.request.body", Source::Body(0)),
            ("method.request.body.a[0]", Source::Body(1)),
        ] {
            assert_eq!(
                Source::compile(text, Side::Request, &scope, &mut bodies),
                Ok(want),
                "{text}"
            );
        }
        assert_eq!(bodies[0], BodySource::Whole);
        for (text, side) in [
            ("true", Side::Request),
            ("'open", Side::Request),
            ("method.request.cookie.x", Side::Request),
            ("method.request.header.a b", Side::Request),
            ("method.request.header.", Side::Request),
            ("method.request.body..x", Side::Request),
            ("method.request.body", Side::GatewayResponse),
            ("integration.response.header.x", Side::Request),
            ("method.request.header.x", Side::Response),
            ("integration.response.path.x", Side::Response),
            ("context.nothing", Side::Response),
        ] {
            assert!(Source::compile(text, side, &scope, &mut bodies).is_err(), "{text}");
        }
        assert_eq!(
            Source::compile("integration.response.body", Side::Response, &scope, &mut bodies),
            Ok(Source::IntegrationBody(BodySource::Whole))
        );
    }
}
