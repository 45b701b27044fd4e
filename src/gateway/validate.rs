//! Step 8, validate: what the method's validator asks of a request before it costs anything.
//!
//! Required parameters first: each has to be there and not blank. A repeated one is there if one of its
//! values is not blank. Names of headers are compared without regard to case.
//!
//! Then the body, if the method has a model for its `Content-Type`: it is collected, its coding undone, and
//! judged while it is parsed. The parsed body stays on the shard's tape for the mappings and the template
//! that come next. They agree on what they read: a model wants JSON by the letter (RFC 8259, no key twice),
//! templates alone read what AWS's lenient parser reads, and of what passes here both make the same.
//!
//! In: method, head, body. Out: `Ok(())`; or 400 with AWS's message.
//! Why a body is refused is found out in a second pass, and only where something shows it: a gateway
//! response, the access log (both known when the stage is deployed) or the execution log.
//!
//! Cost: a look at the head for each required parameter; one pass over the body, and the model's rules. No
//! allocation for a request that fits.
//! Source: facts, rest-api section 3.

use super::Env;
use super::client::Client;
use super::content::Coding;
use super::context::ContextView;
use super::context::values::{Values, decoded};
use super::error::{GatewayError, InvalidBody, MISSING_PARAMETERS};
use super::exchange::Exchange;
use super::request_body;
use super::templates::{Renderer, is_read_alike};
use crate::deploy::{CompiledMethod, CompiledStage, RequiredParameter, Validation, media_type};
use crate::http::KnownHeader;
use crate::schema::{self, Checker, Messages, Schema};

/// What judges the bodies of one shard, one after the other.
#[derive(Debug, Default)]
pub struct Validator {
    checker: Checker,
    messages: Messages,
}

/// Memory beyond this is not kept for the next body, bytes.
const KEPT_BYTES_MAX: usize = 256 * 1_024;

/// Looks for the required parameters.
///
/// # Errors
/// [`GatewayError::MissingParameters`] with all that are missing.
#[inline]
pub fn parameters(
    stage: &CompiledStage,
    method: &CompiledMethod,
    exchange: &Exchange,
) -> Result<(), GatewayError> {
    match &method.validation {
        None => Ok(()),
        Some(validation) => required(validation, stage, exchange),
    }
}

fn required(
    validation: &Validation,
    stage: &CompiledStage,
    exchange: &Exchange,
) -> Result<(), GatewayError> {
    let values = Values::of(ContextView::new(stage, exchange));
    let is_missing = |parameter: &&RequiredParameter| !is_there(parameter, &values);
    let Some(first) = validation.parameters.iter().position(|it| is_missing(&it)) else {
        return Ok(());
    };
    let mut message = String::from(MISSING_PARAMETERS);
    message.push('[');
    for (index, parameter) in validation.parameters[first..].iter().filter(is_missing).enumerate() {
        if index > 0 {
            message.push_str(", ");
        }
        message.push_str(parameter.name());
    }
    message.push(']');
    Err(GatewayError::MissingParameters { message: message.into() })
}

fn is_there<'a>(parameter: &'a RequiredParameter, values: &Values<'a>) -> bool {
    let exchange = values.context.exchange;
    match parameter {
        RequiredParameter::Header { name, known } => {
            let fields = exchange.head.headers.iter().filter(|field| field.known == *known);
            let bytes = &exchange.head_bytes;
            fields
                .filter(|field| field.name.of(bytes).eq_ignore_ascii_case(name.as_bytes()))
                .any(|field| field.value.of(bytes).iter().any(|byte| !byte.is_ascii_whitespace()))
        }
        RequiredParameter::Path { index, .. } => {
            values.raw_path_parameter(*index).is_some_and(|value| !is_blank(value, false))
        }
        RequiredParameter::Query { name } => {
            values.query_values(name.as_bytes()).any(|value| !is_blank(value, true))
        }
    }
}

fn is_blank(escaped: &[u8], plus: bool) -> bool {
    decoded(escaped, plus).all(|byte| byte.is_ascii_whitespace())
}

/// Takes and judges the body, where there is a model for it.
///
/// # Errors
/// [`GatewayError::InvalidBody`]; or the body cannot be read, is too large, or not what its coding says.
pub async fn body<C: Client>(
    env: &Env,
    stage: &CompiledStage,
    method: &CompiledMethod,
    exchange: &mut Exchange,
    client: &mut C,
) -> Result<(), GatewayError> {
    let Some(validation) = &method.validation else { return Ok(()) };
    let content_type = exchange.head.find(&exchange.head_bytes, KnownHeader::ContentType);
    let Some(index) = validation.bodies.for_content_type(content_type) else { return Ok(()) };
    if client.has_body() {
        let coding = exchange.head.find(&exchange.head_bytes, KnownHeader::ContentEncoding);
        let coding = Coding::of_request(coding)?;
        request_body::read(stage, exchange, client, true).await?;
        if let Some(coding) = coding {
            request_body::decompress(env, stage, exchange, coding).await?;
        }
    }
    exchange.body_is_taken = true;
    let (renderer, validator) = (&mut env.renderer.borrow_mut(), &mut env.validator.borrow_mut());
    judge(&validation.bodies.entries[index].1, exchange, renderer, validator)
}

fn judge(
    schema: &Schema,
    exchange: &mut Exchange,
    renderer: &mut Renderer,
    validator: &mut Validator,
) -> Result<(), GatewayError> {
    let Validator { checker, messages } = validator;
    let is_explained = exchange.explains || exchange.log.is_some();
    let body = &*exchange.body;
    let (verdict, parsed) = renderer.parse(|tape| {
        let verdict =
            schema::check_body(schema, body, tape, checker, is_explained.then_some(&mut *messages));
        // Of a blank body, which counts as `{}` here, there is nothing on the tape.
        let is_json = verdict.is_valid() && !body.trim_ascii().is_empty() && is_read_alike(body);
        (verdict, is_json)
    });
    exchange.parsed = parsed;
    if checker.memory_bytes() > KEPT_BYTES_MAX {
        *checker = Checker::default();
    }
    if verdict.is_valid() {
        return Ok(());
    }
    renderer.trim();
    let content_type = exchange.head.find(&exchange.head_bytes, KnownHeader::ContentType);
    let media_type = content_type.map_or(media_type::JSON.as_bytes(), media_type::essence);
    Err(GatewayError::InvalidBody(Box::new(InvalidBody {
        media_type: String::from_utf8_lossy(media_type).into(),
        details: if is_explained { messages.to_string().into() } else { Box::default() },
    })))
}

#[cfg(test)]
mod tests {
    use super::super::context::testing::{self, Api, allocations, exchange};
    use super::super::execution_log::{ExecutionLog, LogDetail};
    use super::*;
    use crate::context::ContextVariable;
    use crate::model::{Model, RequestValidator};
    use crate::telemetry::Variables as _;

    /// `/a/{id}` with these parameters required (or, with `?` in front, only declared).
    fn stage(parameters: &[&str], validates: bool) -> CompiledStage {
        let mut api = Api::new().mock("GET", "/a/{id}");
        let validator =
            RequestValidator { validate_request_parameters: validates, ..Default::default() };
        api.model.request_validators.insert("v".to_owned(), validator);
        let method = api.method("/a/{id}", "GET");
        method.request_validator = Some("v".to_owned());
        for text in parameters {
            let name = text.trim_start_matches('?');
            let required = name == *text;
            method.request_parameters.insert(format!("method.request.{name}"), required);
        }
        api.stage()
    }

    fn details(stage: &CompiledStage, exchange: &Exchange) -> String {
        let mut details = Vec::new();
        let variable = ContextVariable::ErrorValidationErrorString;
        ContextView::new(stage, exchange).write(variable, &mut details);
        String::from_utf8(details).unwrap()
    }

    fn check(stage: &CompiledStage, target: &str, headers: &str) -> Result<(), String> {
        let head = format!("GET /dev{target} HTTP/1.1\r\nHost: h\r\n{headers}\r\n");
        let mut exchange = exchange(&head);
        let method = testing::route(stage, &mut exchange).unwrap();
        parameters(stage, method, &exchange).map_err(|error| {
            assert_eq!(error.status(), 400);
            let message = error.message().to_owned();
            // The list is in the details, too.
            exchange.error = Some(error);
            assert!(message.ends_with(&format!(": {}", details(stage, &exchange))), "{message}");
            message
        })
    }

    #[test]
    fn required_parameters_are_there_and_not_blank() {
        for (parameter, target, headers, fits) in [
            ("querystring.q", "/a/1?q=1", "", true),
            ("querystring.q", "/a/1?q=0&q=", "", true),
            ("querystring.q", "/a/1?%71=x", "", true),
            ("querystring.q", "/a/1?q=", "", false),
            ("querystring.q", "/a/1?q", "", false),
            ("querystring.q", "/a/1?q=%20+", "", false),
            ("querystring.q", "/a/1?Q=1", "", false),
            ("querystring.q", "/a/1", "q: 1\r\n", false),
            ("header.X-Tenant", "/a/1", "x-tenant: a\r\n", true),
            ("header.X-Tenant", "/a/1", "X-TENANT:\r\nX-Tenant: b\r\n", true),
            ("header.X-Tenant", "/a/1", "X-Tenant: \t\r\n", false),
            ("header.X-Tenant", "/a/1?X-Tenant=a", "X-Tenants: a\r\n", false),
            ("header.content-TYPE", "/a/1", "Content-Type: a/b\r\n", true),
            ("header.content-type", "/a/1", "", false),
            ("path.id", "/a/1", "", true),
            ("path.id", "/a/%20", "", false),
            ("?querystring.q", "/a/1", "", true),
        ] {
            let outcome = check(&stage(&[parameter], true), target, headers);
            assert_eq!(outcome.is_ok(), fits, "{parameter}: {target} {headers:?}");
            assert_eq!(check(&stage(&[parameter], false), target, headers), Ok(()));
        }
    }

    #[test]
    fn all_that_are_missing_are_named_by_place_and_name() {
        let stage = stage(
            &[
                "querystring.qs1",
                "path.id",
                "header.x-header-param",
                "querystring.issuer",
                "?header.o",
            ],
            true,
        );
        for (target, want) in [
            ("/a/%20?unused=1", "[x-header-param, id, issuer, qs1]"),
            ("/a/7?issuer=a", "[x-header-param, qs1]"),
        ] {
            let message = format!("Missing required request parameters: {want}");
            assert_eq!(check(&stage, target, ""), Err(message));
        }
        assert_eq!(check(&stage, "/a/7?issuer=a&qs1=b", "X-Header-Param: c\r\n"), Ok(()));
    }

    const PET: &str = r#"{"type":"object","required":["name"],"properties":{
        "name":{"type":"string"},"age":{"type":"integer","minimum":0}}}"#;

    fn pets(change: impl FnOnce(&mut Api)) -> CompiledStage {
        let mut api = Api::new().mock("POST", "/pets");
        let validator = RequestValidator { validate_request_body: true, ..Default::default() };
        api.model.request_validators.insert("v".to_owned(), validator);
        let model = Model { schema: PET.to_owned(), ..Model::default() };
        api.model.models.insert("Pet".to_owned(), model);
        let method = api.method("/pets", "POST");
        method.request_validator = Some("v".to_owned());
        method.request_models.insert("application/json".to_owned(), "Pet".to_owned());
        change(&mut api);
        api.stage()
    }

    /// The outcome for a body; `None`: nothing judges it.
    fn judged(stage: &CompiledStage, headers: &str, body: &[u8]) -> Option<Result<(), String>> {
        let head = format!("POST /dev/pets HTTP/1.1\r\nHost: h\r\n{headers}\r\n");
        let mut exchange = exchange(&head);
        exchange.body = body.to_vec();
        exchange.explains = true;
        let method = testing::route(stage, &mut exchange).unwrap();
        let bodies = &method.validation.as_ref()?.bodies;
        let content_type = exchange.head.find(&exchange.head_bytes, KnownHeader::ContentType);
        let schema = &bodies.entries[bodies.for_content_type(content_type)?].1;
        let outcome =
            judge(schema, &mut exchange, &mut Renderer::default(), &mut Validator::default());
        Some(outcome.map_err(|error| {
            assert_eq!((error.status(), error.message()), (400, "Invalid request body"));
            exchange.error = Some(error);
            details(stage, &exchange)
        }))
    }

    #[test]
    fn a_body_is_judged_by_the_model_of_its_media_type() {
        let stage = pets(|_| {});
        let missing = r#"[object has missing required properties (["name"])]"#;
        let unreadable = "[Unknown error parsing request body]";
        let refused = |details: &str| Some(Err(details.to_owned()));
        for (headers, body, want) in [
            ("", &br#"{"name":"Ann","age":7}"#[..], Some(Ok(()))),
            ("Content-Type: application/json; charset=utf-8\r\n", br#"{"name":""}"#, Some(Ok(()))),
            ("content-type: APPLICATION/JSON\r\n", b"{}", refused(missing)),
            ("Content-Type: text/plain\r\n", b"{}", None),
            ("", b"{}", refused(missing)),
            ("", b"", refused(unreadable)),
            ("", b" \r\n", refused(unreadable)),
            ("", b"{\"name\":\"Ann\"", refused(unreadable)),
            // What templates would read.
            ("", b"{name: 'Ann'}", refused(unreadable)),
            ("", b"{\"name\":\"\xff\"}", refused(unreadable)),
            ("", br#"{"name":"Ann","name":"Bob"}"#, refused(unreadable)),
            ("", b"{\"name\":\"Ann\"} x", refused(unreadable)),
        ] {
            let shown = String::from_utf8_lossy(body);
            assert_eq!(judged(&stage, headers, body), want, "{headers:?} {shown}");
        }
        let deep = format!("{{\"name\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(judged(&stage, "", deep.as_bytes()), refused(unreadable));
        let huge = format!("{{\"name\":\"Ann\",\"age\":{}}}", "9".repeat(100_000));
        assert_eq!(judged(&stage, "", huge.as_bytes()), Some(Ok(())));
        let huge = "{\"name\":\"Ann\",\"age\":1e99999999999}".as_bytes();
        assert_eq!(judged(&stage, "", huge), refused(unreadable));
    }

    #[test]
    fn why_a_body_is_refused_is_found_out_for_who_reads_it() {
        let stage = pets(|_| {});
        let missing = r#"[object has missing required properties (["name"])]"#;
        for (explains, is_logged, want) in
            [(false, false, ""), (true, false, missing), (false, true, missing)]
        {
            let mut exchange = exchange("POST /dev/pets HTTP/1.1\r\nHost: h\r\n\r\n");
            exchange.body = b"{}".to_vec();
            exchange.explains = explains;
            exchange.log = is_logged.then(|| Box::new(ExecutionLog::new(LogDetail::Errors)));
            let method = testing::route(&stage, &mut exchange).unwrap();
            let schema = &method.validation.as_ref().unwrap().bodies.entries[0].1;
            // What was said of the body before is not said of this one.
            let mut validator = Validator::default();
            for _ in 0..2 {
                let error = judge(schema, &mut exchange, &mut Renderer::default(), &mut validator);
                exchange.error = Some(error.unwrap_err());
                assert_eq!(details(&stage, &exchange), want, "{explains} {is_logged}");
            }
        }
    }

    #[test]
    fn the_default_model_is_for_all_media_types_without_their_own() {
        let stage = pets(|api| {
            let models = &mut api.method("/pets", "POST").request_models;
            models.insert("$default".to_owned(), "Any".to_owned());
            let any = Model { schema: "{}".to_owned(), ..Model::default() };
            api.model.models.insert("Any".to_owned(), any);
        });
        assert_eq!(judged(&stage, "Content-Type: text/plain\r\n", b"[1]"), Some(Ok(())));
        assert!(judged(&stage, "Content-Type: text/plain\r\n", b"x").unwrap().is_err());
        assert!(judged(&stage, "", b"{}").unwrap().is_err());
        let off = pets(|api| api.model.request_validators["v"].validate_request_body = false);
        assert!(off.methods[0].validation.is_none());
    }

    #[test]
    fn a_body_that_is_valid_costs_no_allocation_and_stays_on_the_tape() {
        let stage = pets(|_| {});
        let mut exchange = exchange("POST /dev/pets HTTP/1.1\r\nHost: h\r\n\r\n");
        let method = testing::route(&stage, &mut exchange).unwrap();
        let schema = &method.validation.as_ref().unwrap().bodies.entries[0].1;
        let (mut renderer, mut validator) = (Renderer::default(), Validator::default());
        exchange.body = br#"{"name":"Ann\t","age":7}"#.to_vec();
        let cost = allocations(|| {
            assert_eq!(judge(schema, &mut exchange, &mut renderer, &mut validator), Ok(()));
        });
        assert_eq!(cost, 0);
        assert!(renderer.has(exchange.parsed));
        let first = exchange.parsed;
        // The next body takes its place; one that templates read otherwise is on nobody's tape.
        exchange.body = b"{\"name\":\"Ann\\t\x7f\"}".to_vec();
        assert_eq!(judge(schema, &mut exchange, &mut renderer, &mut validator), Ok(()));
        assert!(!renderer.has(exchange.parsed) && !renderer.has(first));
    }

    #[test]
    fn parameters_that_are_there_cost_no_allocation() {
        let stage = stage(&["querystring.q", "path.id", "header.X-Tenant"], true);
        let mut exchange =
            exchange("GET /dev/a/7?p=1&q=%41 HTTP/1.1\r\nHost: h\r\nX-Tenant: a\r\n\r\n");
        let method = testing::route(&stage, &mut exchange).unwrap();
        let cost = allocations(|| assert_eq!(parameters(&stage, method, &exchange), Ok(())));
        assert_eq!(cost, 0);
    }
}
