//! From documents to the model.

use std::collections::HashMap;

use super::Definition;
use crate::control::api::objects as wire;
use crate::model;

/// AWS answers this where a timeout was not given. The model leaves such a one to the limit
/// `integration-timeout`, so that raising it raises all of them.
pub(super) const TIMEOUT_DEFAULT_MS: i64 = 29_000;

impl Definition {
    /// The model of it. What the model has no place for (unknown names of enumerations) is left out;
    /// the operations have refused it.
    pub fn declare(&self) -> model::RestApi {
        let api = &self.rest_api;
        let names = Names::new(self);
        let mut resources: Vec<_> = self.resources.iter().map(|it| resource(it, &names)).collect();
        resources.sort_by(|a, b| a.path.cmp(&b.path));
        let endpoint = &api.endpoint_configuration;
        model::RestApi {
            id: api.id.clone(),
            name: api.name.clone(),
            version: api.version.clone(),
            description: api.description.clone(),
            binary_media_types: api.binary_media_types.clone().unwrap_or_default(),
            minimum_compression_size: api
                .minimum_compression_size
                .and_then(|size| u32::try_from(size).ok()),
            api_key_source: model::ApiKeySource::named(&api.api_key_source).unwrap_or_default(),
            policy: api.policy.as_deref().and_then(policy),
            endpoint_configuration: model::EndpointConfiguration {
                types: endpoint
                    .types
                    .iter()
                    .filter_map(|it| model::EndpointType::named(it))
                    .collect(),
                ip_address_type: endpoint
                    .ip_address_type
                    .as_deref()
                    .and_then(model::IpAddressType::named),
                vpc_endpoint_ids: endpoint.vpc_endpoint_ids.clone().unwrap_or_default(),
            },
            disable_execute_api_endpoint: api.disable_execute_api_endpoint,
            security_policy: api.security_policy.clone(),
            endpoint_access_mode: api
                .endpoint_access_mode
                .as_deref()
                .and_then(model::EndpointAccessMode::named),
            models: self.models.iter().map(|it| (it.name.clone(), schema(it))).collect(),
            request_validators: self
                .request_validators
                .iter()
                .map(|it| (validator_name(it).to_owned(), validator(it)))
                .collect(),
            authorizers: self
                .authorizers
                .iter()
                .map(|it| (it.name.clone(), authorizer(it)))
                .collect(),
            documentation_parts: self.documentation_parts.iter().filter_map(part).collect(),
            documentation_version: None,
            resources,
            gateway_responses: self.gateway_responses.iter().filter_map(gateway_response).collect(),
            throttle: api.ringway_throttle.map(throttle),
        }
    }
}

/// Names of what methods refer to by id.
struct Names<'a> {
    authorizers: HashMap<&'a str, &'a str>,
    validators: HashMap<&'a str, &'a str>,
}

impl<'a> Names<'a> {
    fn new(definition: &'a Definition) -> Self {
        let authorizers = definition.authorizers.iter();
        let validators = definition.request_validators.iter();
        Self {
            authorizers: authorizers.map(|it| (it.id.as_str(), it.name.as_str())).collect(),
            validators: validators.map(|it| (it.id.as_str(), validator_name(it))).collect(),
        }
    }
}

/// A validator's name; AWS lets it have none, and then its id has to do.
fn validator_name(validator: &wire::RequestValidator) -> &str {
    validator.name.as_deref().unwrap_or(&validator.id)
}

/// The document in a policy as AWS answers it: escaped once more than JSON needs.
pub(super) fn policy(text: &str) -> Option<serde_json::Value> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        plain.push(if char == '\\' { chars.next()? } else { char });
    }
    serde_json::from_str(&plain).ok()
}

fn throttle(it: wire::RingwayThrottle) -> model::ThrottleSettings {
    let burst_limit = u32::try_from(it.burst_limit).unwrap_or(u32::MAX);
    model::ThrottleSettings { rate_limit: it.rate_limit, burst_limit }
}

fn schema(it: &wire::Model) -> model::Model {
    model::Model {
        id: Some(it.id.clone()),
        description: it.description.clone(),
        schema: it.schema.clone().unwrap_or_default(),
        content_type: it.content_type.clone(),
        pointer: model::Pointer::new(),
    }
}

fn validator(it: &wire::RequestValidator) -> model::RequestValidator {
    model::RequestValidator {
        id: Some(it.id.clone()),
        validate_request_body: it.validate_request_body,
        validate_request_parameters: it.validate_request_parameters,
        pointer: model::Pointer::new(),
    }
}

fn authorizer(it: &wire::Authorizer) -> model::Authorizer {
    model::Authorizer {
        id: Some(it.id.clone()),
        kind: model::AuthorizerType::named(&it.r#type).unwrap_or_default(),
        provider_arns: it.provider_arns.clone().unwrap_or_default(),
        auth_type: it.auth_type.clone(),
        authorizer_uri: it.authorizer_uri.clone(),
        authorizer_credentials: it.authorizer_credentials.clone(),
        identity_source: it.identity_source.clone(),
        identity_validation_expression: it.identity_validation_expression.clone(),
        result_ttl_seconds: it
            .authorizer_result_ttl_in_seconds
            .and_then(|seconds| u32::try_from(seconds).ok()),
        jwt_configuration: it.jwt_configuration.clone(),
        pointer: model::Pointer::new(),
    }
}

fn part(it: &wire::DocumentationPart) -> Option<model::DocumentationPart> {
    let location = &it.location;
    Some(model::DocumentationPart {
        location: model::DocumentationPartLocation {
            kind: model::DocumentationPartType::named(&location.r#type)?,
            path: location.path.clone(),
            method: location.method.clone(),
            status_code: location.status_code.clone(),
            name: location.name.clone(),
        },
        properties: it.properties.clone(),
    })
}

fn gateway_response(
    it: &wire::GatewayResponse,
) -> Option<(model::ResponseType, model::GatewayResponse)> {
    let kind = model::ResponseType::named(&it.response_type)?;
    let response = model::GatewayResponse {
        status_code: it.status_code.as_deref().and_then(|status| status.parse().ok()),
        response_parameters: it.response_parameters.clone().unwrap_or_default(),
        response_templates: it.response_templates.clone().unwrap_or_default(),
        pointer: model::Pointer::new(),
    };
    Some((kind, response))
}

fn resource(it: &wire::Resource, names: &Names<'_>) -> model::Resource {
    let methods = it.resource_methods.iter().flatten();
    model::Resource {
        id: it.id.clone(),
        path: it.path.clone(),
        methods: methods
            .filter_map(|(name, method_of)| {
                Some((model::MethodName::named(name)?, method(&it.id, method_of, names)))
            })
            .collect(),
    }
}

fn method(resource: &str, it: &wire::Method, names: &Names<'_>) -> model::Method {
    let name_of = |names: &HashMap<&str, &str>, id: &Option<String>| {
        let id = id.as_deref()?;
        names.get(id).map(|name| (*name).to_owned())
    };
    model::Method {
        operation_name: it.operation_name.clone(),
        authorization_type: model::AuthorizationType::named(&it.authorization_type)
            .unwrap_or_default(),
        authorizer: name_of(&names.authorizers, &it.authorizer_id),
        authorization_scopes: it.authorization_scopes.clone().unwrap_or_default(),
        api_key_required: it.api_key_required,
        request_validator: name_of(&names.validators, &it.request_validator_id),
        request_parameters: it.request_parameters.clone().unwrap_or_default().into_iter().collect(),
        request_models: it.request_models.clone().unwrap_or_default(),
        method_responses: it
            .method_responses
            .iter()
            .flatten()
            .map(|(status, it)| (status.clone(), method_response(it)))
            .collect(),
        integration: it.method_integration.as_ref().map(|it| integration(resource, it)),
        throttle: it.ringway_throttle.map(throttle),
        pointer: model::Pointer::new(),
    }
}

fn method_response(it: &wire::MethodResponse) -> model::MethodResponse {
    model::MethodResponse {
        response_parameters: it
            .response_parameters
            .clone()
            .unwrap_or_default()
            .into_iter()
            .collect(),
        response_models: it.response_models.clone().unwrap_or_default(),
    }
}

/// A template that is null is an empty one.
type Templates = indexmap::IndexMap<String, Option<String>>;

fn templates(given: Option<&Templates>) -> indexmap::IndexMap<String, String> {
    let all = given.into_iter().flatten();
    all.map(|(name, text)| (name.clone(), text.clone().unwrap_or_default())).collect()
}

fn content_handling(given: Option<&String>) -> Option<model::ContentHandling> {
    given.and_then(|it| model::ContentHandling::named(it))
}

fn integration(resource: &str, it: &wire::Integration) -> model::Integration {
    let responses = it.integration_responses.iter().flatten();
    model::Integration {
        kind: model::IntegrationType::named(&it.r#type).unwrap_or_default(),
        uri: it.uri.clone(),
        http_method: it.http_method.as_deref().and_then(model::MethodName::named),
        credentials: it.credentials.clone(),
        request_parameters: it.request_parameters.clone().unwrap_or_default(),
        request_templates: templates(it.request_templates.as_ref()),
        passthrough_behavior: model::PassthroughBehavior::named(&it.passthrough_behavior)
            .unwrap_or_default(),
        content_handling: content_handling(it.content_handling.as_ref()),
        timeout_ms: u32::try_from(it.timeout_in_millis)
            .ok()
            .filter(|&timeout| timeout > 0 && i64::from(timeout) != TIMEOUT_DEFAULT_MS),
        connection_type: match it.connection_type.as_deref() {
            Some("VPC_LINK") => {
                model::ConnectionType::VpcLink(it.connection_id.clone().unwrap_or_default())
            }
            _ => model::ConnectionType::Internet,
        },
        integration_target: it.integration_target.clone(),
        response_transfer_mode: it
            .response_transfer_mode
            .as_deref()
            .and_then(model::ResponseTransferMode::named)
            .unwrap_or_default(),
        cache_namespace: Some(&it.cache_namespace).filter(|name| *name != resource).cloned(),
        cache_key_parameters: it.cache_key_parameters.clone(),
        insecure_skip_verification: it
            .tls_config
            .as_ref()
            .and_then(|tls| tls.insecure_skip_verification)
            .unwrap_or(false),
        responses: responses.filter_map(|(_, it)| integration_response(it)).collect(),
        pointer: model::Pointer::new(),
    }
}

fn integration_response(it: &wire::IntegrationResponse) -> Option<model::IntegrationResponse> {
    Some(model::IntegrationResponse {
        selection_pattern: it.selection_pattern.clone().filter(|pattern| !pattern.is_empty()),
        status_code: it.status_code.parse().ok()?,
        response_parameters: it.response_parameters.clone().unwrap_or_default(),
        response_templates: templates(it.response_templates.as_ref()),
        content_handling: content_handling(it.content_handling.as_ref()),
        pointer: model::Pointer::new(),
    })
}
