//! `x-amazon-apigateway-integration`.

use serde_json::{Map, Value as Json, json};

use super::{insert_some, texts};
use crate::limits::INTEGRATION_TIMEOUT_MAX_MS;
use crate::model::{ConnectionType, Integration, IntegrationResponse, ResponseTransferMode};

/// An integration in AWS's order of keys; what is AWS's default is left out as AWS leaves it out.
pub(super) fn object(integration: &Integration) -> Json {
    let mut object = Map::new();
    let mut insert = |key: &str, value: Option<Json>| {
        object.extend(value.map(|value| (key.to_owned(), value)));
    };
    insert("type", Some(json!(integration.kind.as_str().to_ascii_lowercase())));
    if let ConnectionType::VpcLink(id) = &integration.connection_type {
        insert("connectionId", (!id.is_empty()).then(|| json!(id)));
    }
    insert("credentials", integration.credentials.as_ref().map(|it| json!(it)));
    insert("httpMethod", integration.http_method.map(|it| json!(it.as_str())));
    insert("uri", integration.uri.as_ref().map(|it| json!(it)));
    let responses = responses(&integration.responses);
    insert("responses", (!responses.is_empty()).then_some(Json::Object(responses)));
    let parameters = texts(&integration.request_parameters);
    insert("requestParameters", (!parameters.is_empty()).then_some(Json::Object(parameters)));
    let templates = texts(&integration.request_templates);
    insert("requestTemplates", (!templates.is_empty()).then_some(Json::Object(templates)));
    let behavior = integration.passthrough_behavior.as_str().to_ascii_lowercase();
    insert("passthroughBehavior", Some(json!(behavior)));
    if let ConnectionType::VpcLink(_) = integration.connection_type {
        insert("connectionType", Some(json!("VPC_LINK")));
    }
    insert("integrationTarget", integration.integration_target.as_ref().map(|it| json!(it)));
    let timeout = integration.timeout_ms.filter(|&it| it != INTEGRATION_TIMEOUT_MAX_MS);
    insert("timeoutInMillis", timeout.map(|it| json!(it)));
    insert("cacheNamespace", integration.cache_namespace.as_ref().map(|it| json!(it)));
    if integration.response_transfer_mode == ResponseTransferMode::Stream {
        insert("responseTransferMode", Some(json!("STREAM")));
    }
    let keys = &integration.cache_key_parameters;
    let cached = integration.cache_namespace.is_some() || !keys.is_empty();
    insert("cacheKeyParameters", cached.then(|| json!(keys)));
    insert("contentHandling", integration.content_handling.map(|it| json!(it.as_str())));
    if integration.insecure_skip_verification {
        insert("tlsConfig", Some(json!({ "insecureSkipVerification": true })));
    }
    Json::Object(object)
}

/// By pattern; the one without is `default`.
fn responses(responses: &[IntegrationResponse]) -> Map<String, Json> {
    let mut object = Map::new();
    for response in responses {
        let pattern = match response.selection_pattern.as_deref() {
            None | Some("") => "default",
            Some(pattern) => pattern,
        };
        let mut value = Map::new();
        value.insert("statusCode".to_owned(), json!(response.status_code.to_string()));
        insert_some(&mut value, "responseParameters", texts(&response.response_parameters));
        insert_some(&mut value, "responseTemplates", texts(&response.response_templates));
        if let Some(handling) = response.content_handling {
            value.insert("contentHandling".to_owned(), json!(handling.as_str()));
        }
        // Two without a pattern can only be told apart by their order: the first one answers.
        object.entry(pattern).or_insert(Json::Object(value));
    }
    object
}
