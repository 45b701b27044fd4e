//! Writes the answer to a request that its integration does not answer.
//!
//! Errors of the API's own types follow its gateway responses; those that depend on nothing else
//! were encoded when the stage was compiled. What the front door refuses is answered here in AWS's
//! words and cannot be customised.
//!
//! In: exchange, error. Out: the exchange's response, error and error type. Cost: no allocation.
//! Source: facts, rest-api sections 11 and 12.

use super::context::ContextView;
use super::context::values::Values;
use super::error::GatewayError;
use super::exchange::{Exchange, ResponseBody};
use crate::context::ContextVariable;
use crate::deploy::source::Source;
use crate::deploy::{
    CompiledGatewayResponse, CompiledStage, GatewayTemplate, media_type, write_json_string,
};
use crate::http::{HeaderList, KnownHeader};
use crate::model::ResponseType;

/// Fills the exchange's response for `error`.
pub fn write(stage: &CompiledStage, exchange: &mut Exchange, error: GatewayError) {
    exchange.response.headers.clear();
    exchange.response.buffer.clear();
    exchange.response.close |= error.ends_connection();
    exchange.error_type = error.response_type();
    let Some(kind) = error.response_type() else {
        refuse(exchange, &error);
        exchange.error = Some(error);
        return;
    };
    let entry = stage.gateway_responses.of(kind);
    let status = error.status();
    if let Some(constant) = entry.constant(status, Some(error.message())) {
        exchange.response.status = stage.constants[constant as usize].status;
        exchange.response.body = ResponseBody::Constant(constant);
        exchange.error = Some(error);
        return;
    }
    exchange.error = Some(error);
    exchange.response.status = entry.status.unwrap_or(status);
    exchange.response.body = ResponseBody::Buffered;
    let mut headers = std::mem::take(&mut exchange.response.headers);
    let mut buffer = std::mem::take(&mut exchange.response.buffer);
    render(stage, exchange, kind, entry, &mut headers, &mut buffer);
    exchange.response.headers = headers;
    exchange.response.buffer = buffer;
}

/// Headers and body of a gateway response that depends on the request.
fn render(
    stage: &CompiledStage,
    exchange: &Exchange,
    kind: ResponseType,
    entry: &CompiledGatewayResponse,
    headers: &mut HeaderList,
    body: &mut Vec<u8>,
) {
    let context = ContextView::new(stage, exchange);
    let values = Values::of(context);
    headers.push_known(KnownHeader::XAmznErrorType, kind.error_type().as_bytes());
    for (name, source) in &entry.headers {
        body.clear();
        if has_value(&values, source, body) {
            headers.set(name, body);
        }
    }
    body.clear();
    let index = entry.templates.for_accept(context.header(KnownHeader::Accept));
    let Some((media_type, template)) = index.map(|index| &entry.templates.entries[index]) else {
        return;
    };
    if headers.find(KnownHeader::ContentType).is_none() {
        headers.push_known(KnownHeader::ContentType, media_type.as_bytes());
    }
    substitute(&values, template, body);
}

fn substitute(values: &Values<'_>, template: &GatewayTemplate, body: &mut Vec<u8>) {
    for piece in &template.pieces {
        if !has_value(values, piece, body)
            && *piece == Source::Context(ContextVariable::ErrorMessageString)
        {
            body.extend_from_slice(b"null");
        }
    }
}

/// Only a source that reads an integration's body can fail, and gateway responses have none.
fn has_value(values: &Values<'_>, source: &Source, out: &mut Vec<u8>) -> bool {
    values.write(source, out).unwrap_or(false)
}

/// Answers what never reached the API.
fn refuse(exchange: &mut Exchange, error: &GatewayError) {
    let response = &mut exchange.response;
    response.status = error.status();
    response.body = ResponseBody::Buffered;
    // Plain text: recorded for 413, reported from the field for 431; AWS has no count of headers.
    let plain = match error {
        GatewayError::PayloadTooLarge { limit } => {
            Some((&b"HTTP content length exceeded "[..], *limit, &b" bytes."[..]))
        }
        GatewayError::HeadersTooLarge { limit } => {
            Some((&b"HTTP header is larger than "[..], *limit, &b" bytes."[..]))
        }
        GatewayError::TooManyHeaders { limit } => {
            Some((&b"HTTP header has more than "[..], *limit, &b" fields."[..]))
        }
        _ => None,
    };
    let body = &mut response.buffer;
    if let Some((text, limit, unit)) = plain {
        response.headers.push_known(KnownHeader::ContentType, b"text/plain");
        body.extend_from_slice(text);
        crate::http::encode::decimal(body, limit);
        body.extend_from_slice(unit);
        return;
    }
    response.headers.push_known(KnownHeader::XAmznErrorType, error.error_type().as_bytes());
    response.headers.push_known(KnownHeader::ContentType, media_type::JSON.as_bytes());
    body.extend_from_slice(b"{\"message\":");
    write_json_string(error.message(), body);
    body.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::super::context::testing::{self, Api, exchange};
    use super::*;
    use crate::deploy::ThrottleScope;
    use crate::http::HeadError;
    use crate::model::GatewayResponse;

    /// Status, headers as they are sent, body.
    fn answer(api: &Api, head: &str, error: GatewayError) -> (u16, String, String) {
        let stage = api.stage();
        let mut exchange = exchange(head);
        let _ = testing::route(&stage, &mut exchange);
        write(&stage, &mut exchange, error.clone());
        assert_eq!(exchange.error, Some(error));
        let response = &exchange.response;
        let mut headers = Vec::new();
        let body = match response.body {
            ResponseBody::Constant(index) => {
                let constant = &stage.constants[index as usize];
                assert_eq!(constant.status, response.status);
                let length = format!("Content-Length: {}\r\n", constant.body.len());
                let head = std::str::from_utf8(&constant.h1).unwrap();
                assert!(head.ends_with(&length), "{head}");
                constant.headers.encode(&mut headers);
                &*constant.body
            }
            _ => {
                response.headers.encode(&mut headers);
                &response.buffer
            }
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (response.status, text(&headers), text(body))
    }

    const GET: &str =
        "GET /dev/pets/7?q=a HTTP/1.1\r\nHost: h\r\nOrigin: https://o.example\r\n\r\n";

    fn api(entries: &[(ResponseType, GatewayResponse)]) -> Api {
        let mut api = Api::new().mock("GET", "/pets/{id}");
        api.model.gateway_responses = entries.iter().cloned().collect();
        api
    }

    #[test]
    fn whether_a_refused_body_is_explained_is_known_beforehand() {
        use ResponseType::{BadRequestBody, BadRequestParameters, Default4xx, Default5xx};
        let template = |text: &str| GatewayResponse {
            response_templates: [("application/json".to_owned(), text.to_owned())].into(),
            ..GatewayResponse::default()
        };
        let why = "{\"why\":\"${context.error.validationErrorString}\"}";
        let mut header = template("{}");
        let source = "context.error.validationErrorString".to_owned();
        header.response_parameters.insert("gatewayresponse.header.X-Why".to_owned(), source);
        for (entries, want) in [
            (vec![], false),
            (vec![(BadRequestBody, template("$context.error.message"))], false),
            (vec![(BadRequestBody, template(why))], true),
            (vec![(BadRequestBody, header)], true),
            (vec![(Default4xx, template(why))], true),
            (vec![(Default4xx, template(why)), (BadRequestBody, template("{}"))], false),
            (vec![(Default5xx, template(why)), (BadRequestParameters, template(why))], false),
        ] {
            assert_eq!(api(&entries).stage().gateway_responses.explain(), want, "{entries:?}");
        }
    }

    #[test]
    fn answers_without_customisation_are_byte_exact() {
        let json = "Content-Type: application/json\r\n";
        for (error, status, kind, body) in [
            (
                GatewayError::NoSuchMethod,
                403,
                "MissingAuthenticationTokenException",
                r#"{"message":"Missing Authentication Token"}"#,
            ),
            (GatewayError::UnknownStage, 403, "ForbiddenException", r#"{"message":"Forbidden"}"#),
            (
                GatewayError::Throttled { scope: ThrottleScope::Stage },
                429,
                "TooManyRequestsException",
                r#"{"message":"Too Many Requests"}"#,
            ),
            (
                GatewayError::InvalidEndpointAddress,
                500,
                "InternalServerErrorException",
                r#"{"message": "Internal server error"}"#,
            ),
            (
                GatewayError::IntegrationMalformed("x"),
                502,
                "InternalServerErrorException",
                r#"{"message": "Internal server error"}"#,
            ),
            (
                GatewayError::IntegrationTimeout,
                504,
                "InternalServerErrorException",
                r#"{"message": "Endpoint request timed out"}"#,
            ),
            (
                GatewayError::IntegrationNetwork("x"),
                504,
                "InternalServerErrorException",
                r#"{"message": "Network error communicating with endpoint"}"#,
            ),
            (
                GatewayError::UnsupportedMediaType,
                415,
                "BadRequestException",
                r#"{"message": "Unsupported Media Type"}"#,
            ),
            (
                GatewayError::InvalidJsonBody,
                400,
                "BadRequestException",
                r#"{"message":"Invalid JSON in request body"}"#,
            ),
            (
                HeadError::TwoLengths.into(),
                400,
                "BadRequestException",
                r#"{"message":"Bad Request"}"#,
            ),
            (
                GatewayError::UriTooLong,
                414,
                "RequestTooLargeException",
                r#"{"message":"Request URI too long"}"#,
            ),
        ] {
            let got = answer(&api(&[]), GET, error);
            let headers = format!("x-amzn-ErrorType: {kind}\r\n{json}");
            assert_eq!(got, (status, headers, body.to_owned()));
        }
        assert_eq!(r#"{"message": "Internal server error"}"#.len(), 36);
        let plain = "Content-Type: text/plain\r\n".to_owned();
        assert_eq!(
            answer(&api(&[]), GET, GatewayError::PayloadTooLarge { limit: 10_485_760 }),
            (413, plain.clone(), "HTTP content length exceeded 10485760 bytes.".to_owned())
        );
        assert_eq!(
            answer(&api(&[]), GET, GatewayError::HeadersTooLarge { limit: 10_240 }),
            (431, plain.clone(), "HTTP header is larger than 10240 bytes.".to_owned())
        );
        assert_eq!(
            answer(&api(&[]), GET, GatewayError::TooManyHeaders { limit: 128 }),
            (431, plain, "HTTP header has more than 128 fields.".to_owned())
        );
    }

    #[test]
    fn customised_answers_take_their_values_from_the_request() {
        let cors = |value: &str| GatewayResponse {
            response_parameters: [(
                "gatewayresponse.header.Access-Control-Allow-Origin".to_owned(),
                value.to_owned(),
            )]
            .into(),
            ..GatewayResponse::default()
        };
        let templates = |text: &str| GatewayResponse {
            status_code: Some(404),
            response_templates: [("application/json".to_owned(), text.to_owned())].into(),
            ..GatewayResponse::default()
        };
        let json = "Content-Type: application/json\r\n";
        let kind = "x-amzn-ErrorType: MissingAuthenticationTokenException\r\n";
        let message = r#"{"message":"Missing Authentication Token"}"#.to_owned();
        let error = GatewayError::NoSuchMethod;
        let own = ResponseType::MissingAuthenticationToken;
        for (entries, status, headers, body) in [
            (
                vec![(ResponseType::Default4xx, cors("'*'"))],
                403,
                format!("{kind}Access-Control-Allow-Origin: *\r\n{json}"),
                message.clone(),
            ),
            (
                vec![(own, cors("method.request.header.origin"))],
                403,
                format!("{kind}Access-Control-Allow-Origin: https://o.example\r\n{json}"),
                message.clone(),
            ),
            (
                vec![(own, cors("method.request.header.missing"))],
                403,
                format!("{kind}{json}"),
                message.clone(),
            ),
            (
                vec![(
                    own,
                    templates(
                        "{\"t\":\"$context.error.responseType\",\"m\":$context.error.messageString,\
                         \"p\":\"$context.path\",\"q\":\"$method.request.querystring.q\",\
                         \"i\":\"$method.request.path.id\"}",
                    ),
                )],
                404,
                format!("{kind}{json}"),
                "{\"t\":\"MISSING_AUTHENTICATION_TOKEN\",\"m\":\"Missing Authentication Token\",\
                 \"p\":\"/dev/pets/7\",\"q\":\"a\",\"i\":\"7\"}"
                    .to_owned(),
            ),
            // A type put by itself keeps its own status; the default's is not inherited.
            (
                vec![
                    (
                        ResponseType::Default4xx,
                        GatewayResponse { status_code: Some(499), ..templates("x") },
                    ),
                    (own, cors("'a'")),
                ],
                403,
                format!("{kind}Access-Control-Allow-Origin: a\r\n{json}"),
                message.clone(),
            ),
            (
                vec![(
                    ResponseType::Default4xx,
                    GatewayResponse { status_code: Some(499), ..templates("x") },
                )],
                499,
                format!("{kind}{json}"),
                "x".to_owned(),
            ),
        ] {
            let got = answer(&api(&entries), GET, error.clone());
            assert_eq!(got, (status, headers, body), "{entries:?}");
        }
    }

    #[test]
    fn the_template_is_chosen_by_accept() {
        let entry = GatewayResponse {
            response_templates: [
                ("application/xml".to_owned(), "<m>$context.error.message</m>".to_owned()),
                ("application/json".to_owned(), "{}".to_owned()),
            ]
            .into(),
            ..GatewayResponse::default()
        };
        let api = api(&[(ResponseType::Throttled, entry)]);
        for (accept, content_type, body) in [
            ("application/xml", "application/xml", "<m>Too Many Requests</m>"),
            ("text/html", "application/json", "{}"),
            ("application/json, application/xml", "application/json", "{}"),
        ] {
            let head = format!("GET /dev/pets/7 HTTP/1.1\r\nHost: h\r\nAccept: {accept}\r\n\r\n");
            let got = answer(&api, &head, GatewayError::Throttled { scope: ThrottleScope::Stage });
            assert!(got.1.contains(&format!("Content-Type: {content_type}\r\n")), "{}", got.1);
            assert_eq!(got.2, body);
        }
    }

    #[test]
    fn details_of_a_body_are_told_where_a_template_asks_for_them() {
        let details = r#"[object has missing required properties (["name"])]"#;
        let error = GatewayError::InvalidBody(Box::new(crate::gateway::error::InvalidBody {
            media_type: "application/json".into(),
            details: details.into(),
        }));
        let template = "$context.error.message|$context.error.validationErrorString";
        let entry = GatewayResponse {
            response_templates: [("text/plain".to_owned(), template.to_owned())].into(),
            ..GatewayResponse::default()
        };
        let customised = api(&[(ResponseType::BadRequestBody, entry)]);
        let (status, _, body) = answer(&customised, GET, error.clone());
        assert_eq!((status, body), (400, format!("Invalid request body|{details}")));
        let (_, _, body) = answer(&customised, GET, GatewayError::InvalidJsonBody);
        assert_eq!(body, "Invalid JSON in request body|", "nothing else has any");
        let (_, headers, body) = answer(&api(&[]), GET, error);
        assert_eq!(body, r#"{"message":"Invalid request body"}"#);
        assert!(headers.contains("x-amzn-ErrorType: BadRequestException"), "{headers}");
    }
}
