//! Step 8, validate: what the method's validator asks of a request before it costs anything.
//!
//! Required parameters first: each has to be there and not blank. A repeated one is there if one of its
//! values is not blank. Names of headers are compared without regard to case.
//!
//! In: method, head, body. Out: `Ok(())`; or 400 with AWS's message.
//! Cost: a look at the head for each required parameter; no allocation for a request that fits.
//! Source: facts, rest-api section 3.

use super::context::ContextView;
use super::context::values::{Values, decoded};
use super::error::GatewayError;
use super::exchange::Exchange;
use crate::deploy::{CompiledMethod, CompiledStage, RequiredParameter, Validation};

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
    let mut message = String::from("Missing required request parameters: [");
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

#[cfg(test)]
mod tests {
    use super::super::context::testing::{self, Api, allocations, exchange};
    use super::*;
    use crate::model::RequestValidator;

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

    fn check(stage: &CompiledStage, target: &str, headers: &str) -> Result<(), String> {
        let head = format!("GET /dev{target} HTTP/1.1\r\nHost: h\r\n{headers}\r\n");
        let mut exchange = exchange(&head);
        let method = testing::route(stage, &mut exchange).unwrap();
        parameters(stage, method, &exchange).map_err(|error| {
            assert_eq!(error.status(), 400);
            error.message().to_owned()
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
