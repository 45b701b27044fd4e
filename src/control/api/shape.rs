//! What AWS's framework checks before the service sees a call: JSON types, then required members and
//! enumerations. All wrong members are told at once, in the order of the model.
//!
//! Source: facts, aws-recorded 1.2 to 1.4, control-plane sections 4 and 13.

use serde_json::{Map, Value};

use super::call::Call;
use super::error::ApiError;
use super::patch::Op;

/// JSON type of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Text,
    Flag,
    Int,
    Double,
    Texts,
    TextMap,
    FlagMap,
    /// Checked by the operation or below.
    Object,
    Objects,
}

use Type::{Double, Flag, FlagMap, Int, Object, Objects, Text, TextMap, Texts};

/// Members that are no texts, by name.
const TYPES: &[(&str, Type)] = &[
    ("apiKeyRequired", Flag),
    ("apiStages", Objects),
    ("authorizationScopes", Texts),
    ("authorizerResultTtlInSeconds", Int),
    ("binaryMediaTypes", Texts),
    ("cacheClusterEnabled", Flag),
    ("cacheKeyParameters", Texts),
    ("canarySettings", Object),
    ("additionalContext", TextMap),
    ("disableExecuteApiEndpoint", Flag),
    ("enabled", Flag),
    ("endpointConfiguration", Object),
    ("generateDistinctId", Flag),
    ("headers", TextMap),
    ("jwtConfiguration", Object),
    ("location", Object),
    ("minimumCompressionSize", Int),
    ("multiValueHeaders", Object),
    ("mutualTlsAuthentication", Object),
    ("patchOperations", Objects),
    ("providerARNs", Texts),
    ("quota", Object),
    ("requestModels", TextMap),
    ("requestParameters", TextMap),
    ("requestTemplates", TextMap),
    ("responseModels", TextMap),
    ("responseParameters", TextMap),
    ("responseTemplates", TextMap),
    ("stageKeys", Objects),
    ("stageVariables", TextMap),
    ("tags", TextMap),
    ("targetArns", Texts),
    ("throttle", Object),
    ("timeoutInMillis", Int),
    ("tlsConfig", Object),
    ("tracingEnabled", Flag),
    ("validateRequestBody", Flag),
    ("validateRequestParameters", Flag),
    ("variables", TextMap),
    ("limit", Int),
    ("offset", Int),
    ("burstLimit", Int),
    ("rateLimit", Double),
    ("percentTraffic", Double),
    ("useStageCache", Flag),
    ("insecureSkipVerification", Flag),
    ("stageVariableOverrides", TextMap),
    ("types", Texts),
    ("vpcEndpointIds", Texts),
];

/// Enumerations: operation (or any), member's path, values in the order of AWS's messages where one
/// was recorded.
const ENUMS: &[(&str, &str, &[&str])] = &[
    ("PutIntegration", "type", &["HTTP", "MOCK", "AWS_PROXY", "HTTP_PROXY", "AWS"]),
    ("CreateAuthorizer", "type", &["TOKEN", "REQUEST", "COGNITO_USER_POOLS", "JWT"]),
    ("", "connectionType", &["INTERNET", "VPC_LINK"]),
    ("", "contentHandling", &["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"]),
    ("", "responseTransferMode", &["BUFFERED", "STREAM"]),
    ("", "apiKeySource", &["HEADER", "AUTHORIZER"]),
    ("", "endpointAccessMode", &["BASIC", "STRICT"]),
    ("", "cacheClusterSize", &["0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"]),
    ("", "endpointConfiguration.types", &["PRIVATE", "EDGE", "REGIONAL"]),
    ("", "endpointConfiguration.ipAddressType", &["ipv4", "dualstack"]),
    ("", "quota.period", &["DAY", "WEEK", "MONTH"]),
    ("", "accessAssociationSourceType", &["VPCE"]),
    (
        "",
        "routingMode",
        &["BASE_PATH_MAPPING_ONLY", "ROUTING_RULE_ONLY", "ROUTING_RULE_THEN_BASE_PATH_MAPPING"],
    ),
    (
        "",
        "location.type",
        &[
            "API",
            "AUTHORIZER",
            "MODEL",
            "RESOURCE",
            "METHOD",
            "PATH_PARAMETER",
            "QUERY_PARAMETER",
            "REQUEST_HEADER",
            "REQUEST_BODY",
            "RESPONSE",
            "RESPONSE_HEADER",
            "RESPONSE_BODY",
        ],
    ),
    (
        "",
        "securityPolicy",
        &[
            "TLS_1_0",
            "TLS_1_2",
            "SecurityPolicy_TLS13_1_3_2025_09",
            "SecurityPolicy_TLS13_1_3_FIPS_2025_09",
            "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
            "SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09",
            "SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09",
            "SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09",
            "SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09",
            "SecurityPolicy_TLS13_1_2_PQ_2025_09",
            "SecurityPolicy_TLS13_1_2_2021_06",
            "SecurityPolicy_TLS13_2025_EDGE",
            "SecurityPolicy_TLS12_PFS_2025_EDGE",
            "SecurityPolicy_TLS12_2018_EDGE",
        ],
    ),
];

/// Types of gateway responses, in the order of AWS's model.
const RESPONSE_TYPES: &[&str] = &[
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "RESOURCE_NOT_FOUND",
    "UNAUTHORIZED",
    "INVALID_API_KEY",
    "ACCESS_DENIED",
    "AUTHORIZER_FAILURE",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "INVALID_SIGNATURE",
    "EXPIRED_TOKEN",
    "MISSING_AUTHENTICATION_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "API_CONFIGURATION_ERROR",
    "UNSUPPORTED_MEDIA_TYPE",
    "BAD_REQUEST_PARAMETERS",
    "BAD_REQUEST_BODY",
    "REQUEST_TOO_LARGE",
    "THROTTLED",
    "QUOTA_EXCEEDED",
    "WAF_FILTERED",
];

/// The values of a member that is an enumeration in every operation; for patches of it, whose values
/// the framework takes as any text.
pub(super) fn values_of(member: &str) -> &'static [&'static str] {
    ENUMS.iter().find(|(only, name, _)| only.is_empty() && *name == member).map_or(&[], |it| it.2)
}

/// Checks a call's form.
///
/// # Errors
/// `SerializationException`, `ValidationException`.
pub(super) fn check(call: &Call<'_>) -> Result<(), ApiError> {
    let operation = call.operation;
    for (name, _) in operation.members() {
        if let Some(value) = call.input.get(name) {
            check_type(type_of(operation.name, name), value)?;
        }
    }
    let mut problems = Vec::new();
    check_labels(call, &mut problems);
    for (name, required) in operation.members() {
        let path = format!("{}.{name}", operation.input_name());
        match call.input.get(name) {
            None | Some(Value::Null) if required => {
                problems.push(format!(
                    "Value null at '{path}' failed to satisfy constraint: Member must not be null"
                ));
            }
            None => {}
            Some(Value::Array(patches)) if name == "patchOperations" => {
                check_patches(patches, &path, &mut problems);
            }
            Some(value) => check_enums(operation.name, name, value, &path, &mut problems),
        }
    }
    refuse(&problems)
}

/// Refuses if something is wrong.
fn refuse(problems: &[String]) -> Result<(), ApiError> {
    if problems.is_empty() {
        return Ok(());
    }
    let (count, plural) = (problems.len(), if problems.len() == 1 { "" } else { "s" });
    let all = problems.join("; ");
    Err(ApiError::validation(format!("{count} validation error{plural} detected: {all}")))
}

fn type_of(operation: &str, member: &str) -> Type {
    match (operation, member) {
        ("PutMethod", "requestParameters") | ("PutMethodResponse", "responseParameters") => FlagMap,
        _ => TYPES.iter().find(|(name, _)| *name == member).map_or(Text, |(_, kind)| *kind),
    }
}

fn check_type(kind: Type, value: &Value) -> Result<(), ApiError> {
    let wanted = |name: &str| Err(not_convertible(value, name));
    match (kind, value) {
        (_, Value::Null) => Ok(()),
        // A number's text is a number, and the reverse: AWS's reader is as lenient.
        (Text, Value::String(_) | Value::Number(_))
        | (Flag, Value::Bool(_))
        | (Int | Double, Value::Number(_)) => Ok(()),
        (Text, _) => wanted("String"),
        (Flag, Value::String(text)) if text == "true" || text == "false" => Ok(()),
        (Flag, _) => wanted("Boolean"),
        (Int, Value::String(text)) if text.parse::<i64>().is_ok() => Ok(()),
        (Double, Value::String(text)) if text.parse::<f64>().is_ok() => Ok(()),
        (Int, _) => wanted("Integer"),
        (Double, _) => wanted("Double"),
        (Texts, Value::Array(items)) => items.iter().try_for_each(|it| check_type(Text, it)),
        (TextMap, Value::Object(members)) => {
            members.values().try_for_each(|it| check_type(Text, it))
        }
        (FlagMap, Value::Object(members)) => {
            members.values().try_for_each(|it| check_type(Flag, it))
        }
        (Objects, Value::Array(items)) => items.iter().try_for_each(|it| check_type(Object, it)),
        (Object, Value::Object(members)) => members.iter().try_for_each(|(name, it)| {
            match TYPES.iter().find(|(known, _)| known == name) {
                Some((_, kind)) => check_type(*kind, it),
                None => Ok(()),
            }
        }),
        (Texts | Objects, _) => wanted("List"),
        (TextMap | FlagMap | Object, _) => wanted("Map"),
    }
}

fn not_convertible(value: &Value, wanted: &str) -> ApiError {
    let class = match value {
        Value::Null => "java.lang.Object",
        Value::Bool(_) => "java.lang.Boolean",
        Value::Number(number) if number.is_f64() => "java.lang.Double",
        Value::Number(_) => "java.lang.Integer",
        Value::String(_) => "java.lang.String",
        Value::Array(_) => "java.util.ArrayList",
        Value::Object(_) => "java.util.LinkedHashMap",
    };
    ApiError::serialization(format!("class {class} can not be converted to an {wanted}"))
}

/// Status codes have a pattern, types of gateway responses are an enumeration.
fn check_labels(call: &Call<'_>, problems: &mut Vec<String>) {
    for (name, value) in &call.labels {
        if *name == "status_code" && call.operation.writes() {
            check_status("statusCode", value, problems);
        }
        if *name == "response_type" && !RESPONSE_TYPES.contains(&value.as_str()) {
            problems.push(not_in_set(value, "responseType", RESPONSE_TYPES));
        }
    }
    if let Some(status) = call.text("statusCode") {
        check_status("statusCode", status, problems);
    }
}

fn check_status(path: &str, value: &str, problems: &mut Vec<String>) {
    let bytes = value.as_bytes();
    let fits = bytes.len() == 3
        && (b'1'..=b'5').contains(&bytes[0])
        && bytes.iter().all(u8::is_ascii_digit);
    if !fits {
        problems.push(format!(
            "Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d"
        ));
    }
}

/// Checks query parameters that are enumerations.
///
/// # Errors
/// `ValidationException`.
pub(super) fn check_query(call: &Call<'_>, enums: &[(&str, &[&str])]) -> Result<(), ApiError> {
    let wrong = |(name, values): &(&str, &[&str])| {
        let value =
            call.query(name).filter(|value| !value.is_empty() && !values.contains(value))?;
        Some(not_in_set(value, name, values))
    };
    refuse(&enums.iter().filter_map(wrong).collect::<Vec<_>>())
}

fn check_patches(patches: &[Value], path: &str, problems: &mut Vec<String>) {
    let known = Op::ALL.map(Op::as_str);
    for (index, patch) in patches.iter().enumerate() {
        let Some(op) = patch.get("op").and_then(Value::as_str) else {
            problems.push(format!("Value null at '{path}.{}.member.op' failed to satisfy constraint: Member must not be null", index + 1));
            continue;
        };
        if !known.contains(&op) {
            let path = format!("{path}.{}.member.op", index + 1);
            problems.push(not_in_set(op, &path, &known));
        }
    }
}

fn check_enums(
    operation: &str,
    member: &str,
    value: &Value,
    path: &str,
    problems: &mut Vec<String>,
) {
    for (only, place, values) in ENUMS {
        if !only.is_empty() && *only != operation {
            continue;
        }
        let (parent, child) = match place.split_once('.') {
            Some((parent, child)) => (parent, Some(child)),
            None => (*place, None),
        };
        if parent != member {
            continue;
        }
        let (value, path) = match child {
            Some(child) => (value.get(child).unwrap_or(&Value::Null), format!("{path}.{child}")),
            None => (value, path.to_owned()),
        };
        match value {
            Value::String(text) if !values.contains(&text.as_str()) => {
                problems.push(not_in_set(text, &path, values));
            }
            Value::Array(items) => check_list(items, &path, values, problems),
            _ => {}
        }
    }
}

fn check_list(items: &[Value], path: &str, values: &[&str], problems: &mut Vec<String>) {
    let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
    if texts.iter().any(|text| !values.contains(text)) {
        let (shown, set) = (texts.join(", "), values.join(", "));
        problems.push(format!(
            "Value '[{shown}]' at '{path}' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [{set}]]"
        ));
    }
}

fn not_in_set(value: &str, path: &str, values: &[&str]) -> String {
    let set = values.join(", ");
    format!(
        "Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: [{set}]"
    )
}

/// A JSON body's members.
///
/// # Errors
/// `SerializationException`: it is no JSON object.
pub fn members(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(other) => Err(not_convertible(&other, "Object")),
        Err(error) => Err(ApiError::serialization(format!("the body is not JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::call_with;
    use super::*;
    use serde_json::json;

    fn refusal(operation: &str, labels: &[(&'static str, &str)], input: Value) -> String {
        match check(&call_with(operation, labels, input)) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn enumerations_are_refused_in_awss_words() {
        for (operation, input, want) in [
            (
                "PutIntegration",
                json!({"type": "HTTPS_PROXY"}),
                "ValidationException: 1 validation error detected: Value 'HTTPS_PROXY' at 'putIntegrationInput.type' failed to satisfy constraint: Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
            ),
            (
                "CreateRestApi",
                json!({"name": "x", "endpointConfiguration": {"types": ["wrong"]}}),
                "ValidationException: 1 validation error detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]",
            ),
            (
                "UpdateRestApi",
                json!({"patchOperations": [{"op": "wrong"}, {"op": "add"}, {"op": "wrong"}]}),
                "ValidationException: 2 validation errors detected: Value 'wrong' at 'updateRestApiInput.patchOperations.1.member.op' failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]; Value 'wrong' at 'updateRestApiInput.patchOperations.3.member.op' failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]",
            ),
            (
                "CreateRestApi",
                json!({}),
                "ValidationException: 1 validation error detected: Value null at 'createRestApiInput.name' failed to satisfy constraint: Member must not be null",
            ),
            ("CreateRestApi", json!({"name": "x", "policy": null}), ""),
        ] {
            assert_eq!(refusal(operation, &[], input), want);
        }
        let labels = [("status_code", "wrong")];
        assert_eq!(
            refusal("PutMethodResponse", &labels, json!({})),
            "ValidationException: 1 validation error detected: Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d"
        );
    }

    #[test]
    fn types_are_refused_in_javas_words() {
        for (operation, input, want) in [
            (
                "PutIntegration",
                json!({"type": "wrong", "requestParameters": {"a": true}}),
                "class java.lang.Boolean can not be converted to an String",
            ),
            (
                "PutMethod",
                json!({"requestParameters": {"a": true}, "authorizationType": "NONE"}),
                "",
            ),
            (
                "PutMethod",
                json!({"requestParameters": ["a"]}),
                "class java.util.ArrayList can not be converted to an Map",
            ),
            (
                "CreateRestApi",
                json!({"minimumCompressionSize": {}}),
                "class java.util.LinkedHashMap can not be converted to an Integer",
            ),
        ] {
            let got = refusal(operation, &[], input);
            let want = if want.is_empty() {
                String::new()
            } else {
                format!("SerializationException: {want}")
            };
            assert_eq!(got, want);
        }
        assert!(members(b"[1]").is_err() && members(b"{").is_err());
        assert!(members(b" \n").unwrap().is_empty());
    }
}
