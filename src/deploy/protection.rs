//! What protects a method, and whether that can be carried out.

use serde_json::Value;

use crate::model::{AuthorizationType, Method, RestApi};

/// Why a method is closed; `None`: it is open.
pub(super) fn why_closed(api_is_closed: bool, method: &Method) -> Option<&'static str> {
    match method.authorization_type {
        AuthorizationType::None if api_is_closed => {
            Some("the API's resource policy is not carried out yet")
        }
        AuthorizationType::None => None,
        AuthorizationType::AwsIam => Some("IAM authorization is not carried out yet"),
        AuthorizationType::Custom | AuthorizationType::CognitoUserPools => {
            Some("authorizers are not carried out yet")
        }
    }
}

/// Whether an API's resource policy keeps anybody out. One that allows everybody everything, and nothing
/// else, is as none. Source: facts, security section 4.
pub(super) fn is_closed(api: &RestApi) -> bool {
    let Some(policy) = &api.policy else { return false };
    let statements = match &policy["Statement"] {
        Value::Array(all) => all.as_slice(),
        one @ Value::Object(_) => std::slice::from_ref(one),
        _ => return true,
    };
    let is_open = |statement: &Value| {
        statement["Effect"] == "Allow"
            && statement.get("Condition").is_none()
            && statement.get("NotPrincipal").is_none()
            && (statement["Principal"] == "*"
                || has(&statement["Principal"]["AWS"], |it| it == "*"))
            && has(&statement["Action"], |it| {
                ["*", "execute-api:*", "execute-api:Invoke"].contains(&it)
            })
            && has(&statement["Resource"], is_everything)
    };
    let denies = statements.iter().any(|statement| statement["Effect"] != "Allow");
    denies || !statements.iter().any(is_open)
}

/// Whether a text, or one of a list, fits.
fn has(value: &Value, fits: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).any(fits),
        value => value.as_str().is_some_and(fits),
    }
}

/// `*`, `execute-api:/*`, or an API's ARN that ends with its id and `/*`.
fn is_everything(resource: &str) -> bool {
    let of_api = resource.strip_prefix("arn:aws:execute-api:").unwrap_or_default();
    matches!(
        resource,
        "*" | "execute-api:*" | "execute-api:/*" | "execute-api:/*/*" | "execute-api:/*/*/*"
    ) || of_api.ends_with("/*") && !of_api.trim_end_matches("/*").contains('/')
}
