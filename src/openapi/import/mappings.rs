//! Mappings against what the method declares: AWS refuses what is not declared, Ringway maps it.
//!
//! Whether an expression can be read at all is the compiler's to say.

use super::aws::validation;
use super::documentation::Operation;
use super::names::shown;
use super::place::Place;
use super::report::Report;
use crate::model::{Integration, IntegrationType, Method};

const INVALID: &str = "Invalid mapping expression specified";

/// Warns of each parameter, header and status that the method does not declare.
pub(super) fn check(
    report: &mut Report,
    place: &Place<'_>,
    integration: &Integration,
    method: &Method,
    at: Operation<'_>,
) {
    let calls = integration.kind != IntegrationType::Mock;
    for (target, expression) in integration.request_parameters.iter().filter(|_| calls) {
        let Some(parameter) = request_parameter(expression) else { continue };
        let declared = method.request_parameters.keys();
        if declared.into_iter().any(|key| is_same_parameter(key, &parameter)) {
            continue;
        }
        let undeclared = format!("Invalid mapping expression parameter specified: {parameter}");
        report.refused(
            &below(place, &["requestParameters", target]),
            format!("Invalid mapping expression parameter specified: {}", shown(&parameter)),
            "Ringway maps it, AWS refuses the import: declare it under the operation's parameters",
            &validation(INVALID, &undeclared),
        );
    }
    if integration.kind == IntegrationType::HttpProxy {
        return;
    }
    let step = format!(
        "Unable to put integration response on '{}' for resource at path '{}'",
        at.method, at.path
    );
    let before = report.step(step);
    for response in &integration.responses {
        let key = response.pointer.rsplit('/').next().unwrap_or_default();
        let key = key.replace("~1", "/").replace("~0", "~");
        let status = response.status_code.to_string();
        let Some(declared) = method.method_responses.get(&status) else {
            report.warning(
                &below(place, &["responses", &key, "statusCode"]),
                format!("Output mapping refers to an invalid method response: {status}"),
                format!("a request that ends here gets 500: declare {status} under responses"),
            );
            // AWS takes it as long as it maps nothing (facts, aws-recorded section 5.2).
            if !response.response_parameters.is_empty() {
                report.aws_error(&validation(INVALID, "No method response exists for method."));
            }
            continue;
        };
        for target in response.response_parameters.keys() {
            let known = declared.response_parameters.keys();
            if !known.into_iter().any(|it| is_same_parameter(it, target)) {
                let undeclared =
                    format!("Invalid mapping expression parameter specified: {target}");
                report.refused(
                    &below(place, &["responses", &key, "responseParameters", target]),
                    format!("Invalid mapping expression parameter specified: {}", shown(target)),
                    format!(
                        "Ringway sends it, AWS refuses the import: declare the header under \
                         responses, {status}, headers"
                    ),
                    &validation(INVALID, &undeclared),
                );
            }
        }
    }
    report.step(before);
}

/// The declared parameter that an expression reads: `method.request.header.X`.
fn request_parameter(expression: &str) -> Option<String> {
    let (kind, name) = expression.strip_prefix("method.request.")?.split_once('.')?;
    let kind = match kind {
        "path" | "querystring" | "header" => kind,
        "multivaluequerystring" => "querystring",
        "multivalueheader" => "header",
        _ => return None,
    };
    Some(format!("method.request.{kind}.{name}"))
}

/// Names of headers have no case, all others do.
fn is_same_parameter(one: &str, other: &str) -> bool {
    let header = |text: &str| text.contains(".header.");
    if header(one) && header(other) { one.eq_ignore_ascii_case(other) } else { one == other }
}

/// The nearest place to what the keys lead to.
fn below<'a>(place: &Place<'a>, keys: &[&str]) -> Place<'a> {
    keys.iter()
        .try_fold(place.clone(), |at, key| at.member(key).ok_or(at))
        .unwrap_or_else(|nearest| nearest)
}
