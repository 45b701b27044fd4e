//! Mapping expressions as the control plane checks them: their form, and that what they name is declared.
//! Whether one means anything (a context variable, a path into a body) is found out at deployment.
//!
//! Source: facts, rest-api section 4, aws-recorded section 4.

use super::error::ApiError;

/// Names of parameters are `^[a-zA-Z0-9._$-]+$`.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._$-".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// Place and name of `{prefix}.{place}.{name}`; `None`: the text is not of this form.
pub(super) fn parts<'a>(
    text: &'a str,
    prefix: &str,
    places: &[&str],
) -> Option<(&'a str, &'a str)> {
    let (place, name) = text.strip_prefix(prefix)?.strip_prefix('.')?.split_once('.')?;
    (places.contains(&place) && is_name(name)).then_some((place, name))
}

/// Where the parameters of a request stand.
pub(super) const REQUEST_PLACES: &[&str] = &["path", "querystring", "header"];
/// Where those of a response stand.
pub(super) const RESPONSE_PLACES: &[&str] = &["header"];

/// Checks that all `keys` are `{prefix}.{place}.{name}`.
///
/// # Errors
/// 400 that names all that are not.
pub(super) fn check_keys<'a>(
    keys: impl IntoIterator<Item = &'a String>,
    prefix: &str,
    places: &[&str],
) -> Result<(), ApiError> {
    let wrong = keys.into_iter().filter(|key| parts(key, prefix, places).is_none());
    refuse(wrong.map(|key| not_an_expression(key)).collect())
}

/// Whether a text may be the source of an integration's request parameter.
pub(super) fn is_request_source(text: &str) -> bool {
    const PLACES: &[&str] =
        &["path", "querystring", "header", "multivaluequerystring", "multivalueheader"];
    is_common_source(text)
        || parts(text, "method.request", PLACES).is_some()
        || is_body(text, "method.request.body")
}

/// Whether a text may be the source of a method's response header.
pub(super) fn is_response_source(text: &str) -> bool {
    is_common_source(text)
        || parts(text, "integration.response", &["header", "multivalueheader"]).is_some()
        || is_body(text, "integration.response.body")
}

/// Whether a text may be the source of a gateway response's header.
pub(super) fn is_gateway_response_source(text: &str) -> bool {
    is_common_source(text) || parts(text, "method.request", REQUEST_PLACES).is_some()
}

/// Static text in quotes, a stage variable, a context variable.
fn is_common_source(text: &str) -> bool {
    let named = |prefix: &str| text.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
    (text.len() >= 2 && text.starts_with('\'') && text.ends_with('\''))
        || named("stageVariables.")
        || named("context.")
}

fn is_body(text: &str, whole: &str) -> bool {
    text.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The parameter of the method request that a source reads: `method.request.header.X`. `None`: it reads
/// none.
pub(super) fn method_parameter(source: &str) -> Option<String> {
    let (place, name) = source.strip_prefix("method.request.")?.split_once('.')?;
    let place = match place {
        "path" | "querystring" | "header" => place,
        "multivaluequerystring" => "querystring",
        "multivalueheader" => "header",
        _ => return None,
    };
    Some(format!("method.request.{place}.{name}"))
}

/// Whether two texts name the same parameter: names of headers have no case, all others do.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let is_header = |text: &str| text.contains(".header.");
    if is_header(one) && is_header(other) { one.eq_ignore_ascii_case(other) } else { one == other }
}

/// What is wrong with a text that is no mapping expression.
pub(super) fn not_an_expression(text: &str) -> String {
    format!("Invalid mapping expression specified: {text}")
}

/// What is wrong with a parameter that is not declared.
pub(super) fn not_declared(parameter: &str) -> String {
    format!("Invalid mapping expression parameter specified: {parameter}")
}

/// Refuses if something is wrong.
///
/// # Errors
/// 400 that lists it.
pub(super) fn refuse(errors: Vec<String>) -> Result<(), ApiError> {
    if errors.is_empty() {
        return Ok(());
    }
    let all = errors.join(", ");
    Err(ApiError::bad_request(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [{all}]"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_told_from_other_texts() {
        for (text, request, response) in [
            ("'static'", true, true),
            ("''", true, true),
            ("'", false, false),
            ("'open", false, false),
            ("stageVariables.v", true, true),
            ("stageVariables.", false, false),
            ("context.resourceId", true, true),
            ("method.request.header.X-A", true, false),
            ("method.request.multivalueheader.X", true, false),
            ("method.request.querystring.a[b]", false, false),
            ("method.request.cookie.a", false, false),
            ("method.request.body", true, false),
            ("method.request.body.pets[0].name", true, false),
            ("method.request.bodyguard", false, false),
            ("integration.response.header.ETag", false, true),
            ("integration.response.querystring.a", false, false),
            ("integration.response.body.id", false, true),
            ("true", false, false),
            ("", false, false),
            ("\u{1f408}", false, false),
        ] {
            assert_eq!(is_request_source(text), request, "{text:?}");
            assert_eq!(is_response_source(text), response, "{text:?}");
        }
        assert_eq!(
            method_parameter("method.request.multivalueheader.X").as_deref(),
            Some("method.request.header.X")
        );
        assert_eq!(method_parameter("method.request.body.header.x"), None);
        assert!(is_same("method.request.header.X", "method.request.header.x"));
        assert!(!is_same("method.request.path.X", "method.request.path.x"));
    }

    #[test]
    fn wrong_keys_are_all_named() {
        let keys = ["true".to_owned(), "method.request.path.p".to_owned(), "x".to_owned()];
        let error = check_keys(&keys, "method.request", REQUEST_PLACES).unwrap_err();
        assert_eq!(
            error.message,
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: true, Invalid mapping expression specified: x]"
        );
    }
}
