//! MOCK: the gateway answers itself.
//!
//! The request template's `statusCode` selects an integration response, whose template is the body; no
//! integration answers, so `$input.body` is empty there. What the request template overrides reaches the
//! response template and the answer.
//!
//! Where templates are literal text the status is known since the stage was compiled, and where no
//! header depends on the request the whole answer is: then the work per request is a look at two
//! headers.
//!
//! In: exchange, with its body where [`CompiledMock::reads_body`] says so. Out: its response.
//! Cost: no allocation for a constant answer; otherwise what the templates cost.
//! Source: facts, rest-api section 7, aws-recorded section 26, vtl sections 13, 15 and 16.

use crate::deploy::{
    CompiledMethod, CompiledMock, CompiledResponse, CompiledStage, CompiledTemplate, MockTemplate,
    Template, mock_status,
};
use crate::gateway::context::ContextView;
use crate::gateway::context::values::Values;
use crate::gateway::error::GatewayError;
use crate::gateway::exchange::{Exchange, ResponseBody};
use crate::gateway::overrides;
use crate::gateway::templates::Renderer;
use crate::http::KnownHeader;
use crate::model::PassthroughBehavior;

/// How a MOCK finds its status.
enum Choice<'a> {
    Response(usize),
    Template(&'a CompiledTemplate),
    /// The client's body is the template.
    Body,
}

impl CompiledMock {
    /// Whether the answer depends on the request's body: then it has to be collected.
    pub fn reads_body(&self, exchange: &Exchange) -> bool {
        match choose(self, exchange) {
            Ok(Choice::Body) => true,
            Ok(Choice::Template(template)) => template.reads_body,
            Ok(Choice::Response(_)) | Err(_) => false,
        }
    }
}

fn choose<'a>(mock: &'a CompiledMock, exchange: &Exchange) -> Result<Choice<'a>, GatewayError> {
    let content_type = exchange.head.find(&exchange.head_bytes, KnownHeader::ContentType);
    if let Some(index) = mock.templates.for_content_type(content_type) {
        return match &mock.templates.entries[index].1 {
            MockTemplate::Passthrough => Ok(Choice::Body),
            MockTemplate::Program(template) => Ok(Choice::Template(template)),
            MockTemplate::Response(index) => Ok(Choice::Response(*index)),
            MockTemplate::NoMatch(status) => {
                Err(GatewayError::NoMatchingResponse { status: *status })
            }
            MockTemplate::Unparsable => Err(GatewayError::UNPARSABLE_STATUS),
        };
    }
    match mock.passthrough {
        PassthroughBehavior::WhenNoMatch => Ok(Choice::Body),
        PassthroughBehavior::WhenNoTemplates if mock.templates.entries.is_empty() => {
            Ok(Choice::Body)
        }
        PassthroughBehavior::WhenNoTemplates | PassthroughBehavior::Never => {
            Err(GatewayError::UnsupportedMediaType)
        }
    }
}

/// Makes the answer.
///
/// # Errors
/// [`GatewayError::UnsupportedMediaType`]; [`GatewayError::Configuration`]: no integer status;
/// [`GatewayError::UndeclaredStatus`]; [`GatewayError::NoMatchingResponse`]; [`GatewayError::Template`].
pub fn respond(
    stage: &CompiledStage,
    method: &CompiledMethod,
    mock: &CompiledMock,
    exchange: &mut Exchange,
    renderer: &mut Renderer,
) -> Result<(), GatewayError> {
    let index = match choose(mock, exchange)? {
        Choice::Response(index) => index,
        Choice::Template(template) => {
            let body = std::mem::take(&mut exchange.body);
            let rendered = render(stage, method, template, exchange, &body, renderer);
            exchange.body = body;
            rendered?;
            select(mock, &exchange.response.buffer)?
        }
        Choice::Body => select_by_body(mock, &exchange.body)?,
    };
    let selected = &mock.responses[index];
    if !selected.declared {
        return Err(GatewayError::UndeclaredStatus { status: selected.status });
    }
    let accept = exchange.head.find(&exchange.head_bytes, KnownHeader::Accept);
    let template = selected.templates.for_accept(accept);
    if !exchange.overrides.is_written()
        && let Some(Some(constant)) = selected.constants.get(template.unwrap_or(0))
    {
        exchange.response.status = selected.status;
        exchange.response.body = ResponseBody::Constant(*constant);
        return Ok(());
    }
    let template = template.map(|index| &selected.templates.entries[index].1);
    write(stage, method, selected, template, exchange, renderer)
}

/// The response for the status in a text.
fn select(mock: &CompiledMock, text: &[u8]) -> Result<usize, GatewayError> {
    let status = mock_status::parse(text)
        .map_err(|mock_status::NoStatus| GatewayError::UNPARSABLE_STATUS)?;
    mock.selector.select(status).ok_or(GatewayError::NoMatchingResponse { status })
}

/// The same for the client's body; an empty one counts as `{}` without a status, for which the
/// documentation promises the default response.
fn select_by_body(mock: &CompiledMock, body: &[u8]) -> Result<usize, GatewayError> {
    if mock_status::is_blank(body) {
        return mock.selector.default_entry().ok_or(GatewayError::UNPARSABLE_STATUS);
    }
    select(mock, body)
}

/// Renders into the response's buffer.
fn render(
    stage: &CompiledStage,
    method: &CompiledMethod,
    template: &CompiledTemplate,
    exchange: &mut Exchange,
    body: &[u8],
    renderer: &mut Renderer,
) -> Result<(), GatewayError> {
    let mut buffer = std::mem::take(&mut exchange.response.buffer);
    let mut overrides = std::mem::take(&mut exchange.overrides);
    let mut context = ContextView::new(stage, exchange);
    context.method = Some(method);
    let result = renderer.render(template, context, body, &mut overrides, &mut buffer);
    exchange.response.buffer = buffer;
    exchange.overrides = overrides;
    result
}

/// Writes an answer that depends on the request.
fn write(
    stage: &CompiledStage,
    method: &CompiledMethod,
    selected: &CompiledResponse,
    template: Option<&Template>,
    exchange: &mut Exchange,
    renderer: &mut Renderer,
) -> Result<(), GatewayError> {
    let mut headers = std::mem::take(&mut exchange.response.headers);
    // The status has been found: the memory of the request's body is free for the values of headers.
    let mut scratch = std::mem::take(&mut exchange.body);
    let mut context = ContextView::new(stage, exchange);
    context.method = Some(method);
    let result = Values::of(context).set_headers(&selected.headers, &mut scratch, &mut headers);
    scratch.clear();
    exchange.body = scratch;
    exchange.response.headers = headers;
    exchange.response.buffer.clear();
    exchange.response.status = selected.status;
    exchange.response.body = ResponseBody::Buffered;
    result?;
    match template {
        Some(Template::Program(program)) => {
            render(stage, method, program, exchange, b"", renderer)?;
        }
        Some(Template::Literal(text)) => exchange.response.buffer.extend_from_slice(text),
        Some(Template::Passthrough) | None => {}
    }
    if !exchange.overrides.is_empty() {
        let (response, scratch) = (&mut exchange.response, &mut exchange.body);
        overrides::apply_to_response(&exchange.overrides, true, response, scratch)?;
        scratch.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::{CompiledIntegration, ConstantResponse};
    use crate::gateway::context::testing::{self, Api, exchange};
    use crate::gateway::{gateway_response, route, throttle};
    use crate::model::{Integration, IntegrationResponse};
    use crate::time::Nanos;

    fn answer(api: &Api, head: &str) -> Result<(u16, String, String), GatewayError> {
        let stage = api.stage();
        let mut exchange = exchange(head);
        let method = testing::route(&stage, &mut exchange)?;
        let CompiledIntegration::Mock(mock) = &method.integration else { panic!("no MOCK") };
        if !mock.reads_body(&exchange) {
            exchange.body.clear();
        }
        respond(&stage, method, mock, &mut exchange, &mut Renderer::default())?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ok(match exchange.response.body {
            ResponseBody::Constant(index) => {
                let ConstantResponse { status, h1, body, .. } = &stage.constants[index as usize];
                assert_eq!(*status, exchange.response.status);
                (*status, text(h1), text(body))
            }
            _ => {
                let mut head = Vec::new();
                exchange.response.headers.encode(&mut head);
                (exchange.response.status, text(&head), text(&exchange.response.buffer))
            }
        })
    }

    fn api(change: impl FnOnce(&mut Integration)) -> Api {
        Api::new().mock("POST", "/").change("POST", "/", change)
    }

    const POST: &str = "POST /dev HTTP/1.1\r\nHost: h\r\n";

    #[test]
    fn templates_select_the_response_by_status() {
        let responses = |integration: &mut Integration| {
            integration.responses.push(IntegrationResponse {
                status_code: 200,
                selection_pattern: Some("4\\d{2}".into()),
                response_templates: [("application/json".to_owned(), "four".to_owned())].into(),
                ..Default::default()
            });
        };
        let unparsable = Err(GatewayError::UNPARSABLE_STATUS);
        for (template, want) in [
            ("{\"statusCode\": 200}", Ok("")),
            ("{statusCode: 404}", Ok("four")),
            ("{statusCode: -1000}", Ok("")),
            ("{\"statusCode\": \"200\"}", unparsable.clone()),
            ("statusCode: 200", unparsable.clone()),
        ] {
            let api = api(|integration| {
                responses(integration);
                integration.request_templates.insert("application/json".into(), template.into());
            });
            let got = answer(&api, &format!("{POST}\r\n"));
            assert_eq!(got.as_ref().map(|it| it.2.as_str()), want.as_ref().copied(), "{template}");
        }
        let api =
            api(|integration| integration.responses[0].selection_pattern = Some("404".into()));
        let none = GatewayError::NoMatchingResponse { status: 200 };
        assert_eq!(answer(&api, &format!("{POST}\r\n")), Err(none));
    }

    #[test]
    fn a_body_without_template_is_the_template() {
        use PassthroughBehavior as P;
        let text = "text/plain";
        let json = "application/json";
        let default = Ok(200);
        let unsupported = Err(GatewayError::UnsupportedMediaType);
        for (templates, passthrough, content_type, body, want) in [
            (true, P::WhenNoMatch, json, "", default.clone()),
            (true, P::WhenNoMatch, "Application/JSON; charset=utf-8", "", default.clone()),
            (true, P::WhenNoMatch, text, "{statusCode: 200}", default.clone()),
            (true, P::WhenNoMatch, text, "", default.clone()),
            (true, P::WhenNoMatch, text, "hello", Err(GatewayError::UNPARSABLE_STATUS)),
            (true, P::WhenNoTemplates, text, "{statusCode: 200}", unsupported.clone()),
            (true, P::Never, text, "{statusCode: 200}", unsupported.clone()),
            (true, P::Never, json, "", default.clone()),
            (false, P::WhenNoMatch, json, "{statusCode: 200}", default.clone()),
            (false, P::WhenNoTemplates, json, "{statusCode: 200}", default.clone()),
            (false, P::Never, json, "{statusCode: 200}", unsupported.clone()),
        ] {
            let api = api(|integration| {
                integration.passthrough_behavior = passthrough;
                if !templates {
                    integration.request_templates.clear();
                }
            });
            let head = format!(
                "{POST}Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            assert_eq!(answer(&api, &head).map(|it| it.0), want, "{passthrough:?} {head}");
        }
    }

    #[test]
    fn headers_and_bodies_of_a_mock_are_constant_or_mapped() {
        let mut model = api(|integration| {
            let response = &mut integration.responses[0];
            for (name, value) in [
                ("Access-Control-Allow-Origin", "'*'"),
                ("Server", "'me'"),
                ("WWW-Authenticate", "'Basic'"),
                ("Transfer-Encoding", "'chunked'"),
                ("X-Missing", "integration.response.header.x"),
                ("X-Stage", "stageVariables.name"),
            ] {
                response
                    .response_parameters
                    .insert(format!("method.response.header.{name}"), value.to_owned());
            }
            response.response_templates = [
                ("application/json".to_owned(), "{\"a\":1}".to_owned()),
                ("application/xml".to_owned(), "<a/>".to_owned()),
            ]
            .into();
        });
        model.settings.variables.insert("name".into(), "v".into());
        let head = "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nx-amzn-Remapped-Server: me\r\n\
                    WWW-Authenticate: Basic\r\nX-Stage: v\r\nContent-Type: application/json\r\n";
        for (accept, body) in [
            ("*/*", "{\"a\":1}"),
            ("application/xml;q=0.1, application/json", "<a/>"),
            ("text/html", "{\"a\":1}"),
        ] {
            let got = answer(&model, &format!("{POST}Accept: {accept}\r\n\r\n")).unwrap();
            assert_eq!(got.1, format!("{head}Content-Length: {}\r\n", body.len()));
            assert_eq!(got.2, body, "{accept}");
        }
        let mapped = api(|integration| {
            integration.responses[0].response_parameters = [
                ("method.response.header.X-Id".to_owned(), "context.httpMethod".to_owned()),
                ("method.response.header.X-None".to_owned(), "context.operationName".to_owned()),
            ]
            .into();
            integration.responses[0].response_templates =
                [("text/plain".to_owned(), "body".to_owned())].into();
        });
        let got = answer(&mapped, &format!("{POST}\r\n")).unwrap();
        assert_eq!(got, (200, "X-Id: POST\r\n".to_owned(), "body".to_owned()));
    }

    #[test]
    fn a_status_the_method_does_not_declare_breaks_the_call() {
        let mut api = api(|_| {});
        api.method("/", "POST").method_responses.clear();
        assert_eq!(
            answer(&api, &format!("{POST}\r\n")),
            Err(GatewayError::UndeclaredStatus { status: 200 })
        );
    }

    #[test]
    fn a_constant_answer_allocates_nothing() {
        let mut api = api(|_| {});
        api.model.throttle =
            Some(crate::model::ThrottleSettings { rate_limit: 1e6, burst_limit: 1_000 });
        let stage = api.stage();
        for (head, works) in [
            (format!("{POST}Content-Type: application/json\r\nAccept: */*\r\n\r\n"), true),
            ("GET /dev/none HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), false),
        ] {
            let mut exchange = exchange(&head);
            let mut renderer = Renderer::default();
            let _ = testing::route(&stage, &mut exchange);
            let count = testing::allocations(|| {
                let method = match route::find(&stage, &mut exchange) {
                    Ok(method) => method,
                    Err(error) => return gateway_response::write(&stage, &mut exchange, error),
                };
                throttle::admit(method, None, Nanos(0)).unwrap();
                let CompiledIntegration::Mock(mock) = &method.integration else { panic!() };
                respond(&stage, method, mock, &mut exchange, &mut renderer).unwrap();
            });
            assert_eq!(count, 0, "{head}");
            assert_eq!(exchange.error.is_none(), works);
            assert!(matches!(exchange.response.body, ResponseBody::Constant(_)));
        }
    }
}
