//! From an imported document's model to documents: what ImportRestApi and PutRestApi store.
//!
//! Source: facts, openapi section 2 and aws-recorded section 18.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::Definition;
use super::declare::TIMEOUT_DEFAULT_MS;
use crate::control::api::objects as wire;
use crate::control::api::{ApiError, ids};
use crate::model;

/// How a document meets an API that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PutMode {
    /// What the document defines replaces what has the same key; the rest stays.
    #[default]
    Merge,
    /// The API becomes the document.
    Overwrite,
}

impl Definition {
    /// Takes an imported model over. Ids of what is there already, by path or name, stay.
    ///
    /// # Errors
    /// None of its own.
    pub fn adopt(&mut self, api: &model::RestApi, mode: PutMode) -> Result<(), ApiError> {
        let before = std::mem::take(self);
        let keep = mode == PutMode::Merge;
        self.rest_api = rest_api(&before.rest_api, api, mode);
        self.request_validators = merged(
            before.request_validators,
            keep,
            api.request_validators.iter().map(|(name, it)| validator(name, it)),
            |it| it.name.clone().unwrap_or_default(),
            |it| &mut it.id,
        )?;
        self.authorizers = merged(
            before.authorizers,
            keep,
            api.authorizers.iter().map(|(name, it)| authorizer(name, it)),
            |it| it.name.clone(),
            |it| &mut it.id,
        )?;
        let id = self.rest_api.id.clone();
        self.models = merged(
            before.models,
            keep,
            api.models.iter().map(|(name, it)| schema(&id, name, it)),
            |it| it.name.clone(),
            |it| &mut it.id,
        )?;
        self.documentation_parts = merged(
            before.documentation_parts,
            keep,
            api.documentation_parts.iter().map(part),
            |it| format!("{:?}", it.location),
            |it| &mut it.id,
        )?;
        self.gateway_responses = {
            let new: Vec<_> = api
                .gateway_responses
                .iter()
                .map(|(kind, it)| gateway_response(*kind, it))
                .collect();
            let stays = |it: &wire::GatewayResponse| {
                keep && new.iter().all(|new| new.response_type != it.response_type)
            };
            let old: Vec<_> = before.gateway_responses.into_iter().filter(stays).collect();
            old.into_iter().chain(new).collect()
        };
        self.resources = self.resources_of(before.resources, api, keep)?;
        Ok(())
    }

    fn resources_of(
        &self,
        before: Vec<wire::Resource>,
        api: &model::RestApi,
        keep: bool,
    ) -> Result<Vec<wire::Resource>, ApiError> {
        let mut all: BTreeMap<String, wire::Resource> = BTreeMap::new();
        let mut known: BTreeMap<String, wire::Resource> =
            before.into_iter().map(|it| (it.path.clone(), it)).collect();
        let mut ids: std::collections::HashSet<String> =
            known.values().map(|it| it.id.clone()).collect();
        let root = wire::Resource {
            id: self.rest_api.root_resource_id.clone(),
            path: "/".to_owned(),
            ..wire::Resource::default()
        };
        known.entry(root.path.clone()).or_insert(root);
        let mut add = |path: &str, ids: &mut std::collections::HashSet<String>| {
            let mut resource = match known.remove(path) {
                Some(resource) => resource,
                None => wire::Resource {
                    id: ids::new(ids::SHORT, |id| Ok::<_, ApiError>(ids.contains(id)))?,
                    path: path.to_owned(),
                    ..wire::Resource::default()
                },
            };
            if !keep {
                resource.resource_methods = None;
            }
            ids.insert(resource.id.clone());
            all.insert(path.to_owned(), resource);
            Ok::<_, ApiError>(())
        };
        add("/", &mut ids)?;
        let mut paths: Vec<String> =
            api.resources.iter().flat_map(|it| lineage(&it.path)).collect();
        paths.sort();
        paths.dedup();
        for path in paths.iter().filter(|path| *path != "/") {
            add(path, &mut ids)?;
        }
        if keep {
            all.extend(known);
        }
        let by_path: BTreeMap<String, String> =
            all.iter().map(|(path, it)| (path.clone(), it.id.clone())).collect();
        for (path, resource) in all.iter_mut().filter(|(path, _)| *path != "/") {
            let (parent, part) = path.rsplit_once('/').unwrap_or(("", path));
            let parent = if parent.is_empty() { "/" } else { parent };
            resource.parent_id = by_path.get(parent).cloned();
            resource.path_part = Some(part.to_owned());
        }
        for declared in &api.resources {
            let Some(resource) = all.get_mut(&declared.path) else { continue };
            let id = resource.id.clone();
            for (&name, it) in &declared.methods {
                let methods = resource.resource_methods.get_or_insert_default();
                methods.insert(name.as_str().to_owned(), self.method(&id, name, it));
            }
        }
        Ok(all.into_values().collect())
    }

    fn method(&self, resource: &str, name: model::MethodName, it: &model::Method) -> wire::Method {
        let authorizer_id = it.authorizer.as_deref().and_then(|name| {
            self.authorizers.iter().find(|it| it.name == name).map(|it| it.id.clone())
        });
        let request_validator_id = it.request_validator.as_deref().and_then(|name| {
            let validators = &mut self.request_validators.iter();
            validators.find(|it| it.name.as_deref() == Some(name)).map(|it| it.id.clone())
        });
        wire::Method {
            http_method: name.as_str().to_owned(),
            authorization_type: it.authorization_type.as_str().to_owned(),
            authorizer_id,
            api_key_required: it.api_key_required,
            request_validator_id,
            operation_name: it.operation_name.clone(),
            request_parameters: some(it.request_parameters.clone().into_iter().collect()),
            request_models: some(it.request_models.clone()),
            method_responses: (!it.method_responses.is_empty()).then(|| {
                let responses = it.method_responses.iter();
                responses
                    .map(|(status, it)| (status.clone(), method_response(status, it)))
                    .collect()
            }),
            method_integration: it.integration.as_ref().map(|it| integration(resource, it)),
            authorization_scopes: list(&it.authorization_scopes),
            ringway_throttle: it.throttle.map(throttle),
        }
    }
}

/// Old objects that stay and new ones, with an id each: that of the old one of the same key, or a new one.
fn merged<T>(
    old: Vec<T>,
    keep: bool,
    new: impl Iterator<Item = T>,
    key: impl Fn(&T) -> String,
    id: impl Fn(&mut T) -> &mut String,
) -> Result<Vec<T>, ApiError> {
    let mut old: IndexMap<String, T> = old.into_iter().map(|it| (key(&it), it)).collect();
    let mut taken: Vec<String> = old.values_mut().map(|it| id(it).clone()).collect();
    let mut all = Vec::new();
    for mut it in new {
        let new_id = match old.shift_remove(&key(&it)) {
            Some(mut was) => std::mem::take(id(&mut was)),
            None => ids::new(ids::SHORT, |id| Ok::<_, ApiError>(taken.iter().any(|it| it == id)))?,
        };
        taken.push(new_id.clone());
        *id(&mut it) = new_id;
        all.push(it);
    }
    if keep {
        all.splice(0..0, old.into_values());
    }
    Ok(all)
}

/// A path and all above it: `/a/b` gives `/`, `/a`, `/a/b`.
fn lineage(path: &str) -> Vec<String> {
    let mut all = vec!["/".to_owned()];
    let mut so_far = String::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        so_far.push('/');
        so_far.push_str(part);
        all.push(so_far.clone());
    }
    all
}

fn list(all: &[String]) -> Option<Vec<String>> {
    (!all.is_empty()).then(|| all.to_vec())
}

fn some<K, V>(map: IndexMap<K, V>) -> Option<IndexMap<K, V>> {
    (!map.is_empty()).then_some(map)
}

fn throttle(it: model::ThrottleSettings) -> wire::RingwayThrottle {
    wire::RingwayThrottle { rate_limit: it.rate_limit, burst_limit: i64::from(it.burst_limit) }
}

/// Name and version are the document's in both modes; id, root and tags stay.
fn rest_api(before: &wire::RestApi, api: &model::RestApi, mode: PutMode) -> wire::RestApi {
    let keep = |old: &Option<String>, new: Option<String>| match mode {
        PutMode::Merge => new.or_else(|| old.clone()),
        PutMode::Overwrite => new,
    };
    let mut binary_media_types = match mode {
        PutMode::Merge => before.binary_media_types.clone().unwrap_or_default(),
        PutMode::Overwrite => Vec::new(),
    };
    for new in &api.binary_media_types {
        if !binary_media_types.contains(new) {
            binary_media_types.push(new.clone());
        }
    }
    let endpoint = &api.endpoint_configuration;
    let endpoint_configuration = match endpoint.types.as_slice() {
        [] => before.endpoint_configuration.clone(),
        types => wire::EndpointConfiguration {
            types: types.iter().map(|it| it.as_str().to_owned()).collect(),
            ip_address_type: Some(
                endpoint
                    .ip_address_type
                    .unwrap_or(match types {
                        [model::EndpointType::Private] => model::IpAddressType::Dualstack,
                        _ => model::IpAddressType::Ipv4,
                    })
                    .as_str()
                    .to_owned(),
            ),
            vpc_endpoint_ids: list(&endpoint.vpc_endpoint_ids),
        },
    };
    let is_new = before.name.is_empty();
    let source_is_given = is_new || mode == PutMode::Overwrite;
    wire::RestApi {
        id: before.id.clone(),
        name: api.name.clone(),
        description: keep(&before.description, api.description.clone()),
        created_date: before.created_date,
        version: keep(&before.version, api.version.clone()),
        warnings: None,
        binary_media_types: list(&binary_media_types),
        minimum_compression_size: match mode {
            PutMode::Merge => {
                api.minimum_compression_size.map(i64::from).or(before.minimum_compression_size)
            }
            PutMode::Overwrite => api.minimum_compression_size.map(i64::from),
        },
        api_key_source: match api.api_key_source {
            model::ApiKeySource::Header if !source_is_given => before.api_key_source.clone(),
            source => source.as_str().to_owned(),
        },
        endpoint_configuration,
        policy: keep(&before.policy, api.policy.as_ref().map(wire::escaped_policy)),
        tags: before.tags.clone(),
        disable_execute_api_endpoint: api.disable_execute_api_endpoint
            || (mode == PutMode::Merge && before.disable_execute_api_endpoint),
        root_resource_id: before.root_resource_id.clone(),
        security_policy: keep(&before.security_policy, api.security_policy.clone()),
        endpoint_access_mode: keep(
            &before.endpoint_access_mode,
            api.endpoint_access_mode.map(|it| it.as_str().to_owned()),
        ),
        ringway_throttle: api.throttle.map(throttle),
    }
}

fn schema(api_id: &str, name: &str, it: &model::Model) -> wire::Model {
    wire::Model {
        id: String::new(),
        name: name.to_owned(),
        description: it.description.clone(),
        schema: Some(it.schema_of(api_id)),
        content_type: it.content_type.clone(),
    }
}

fn validator(name: &str, it: &model::RequestValidator) -> wire::RequestValidator {
    wire::RequestValidator {
        id: String::new(),
        name: Some(name.to_owned()),
        validate_request_body: it.validate_request_body,
        validate_request_parameters: it.validate_request_parameters,
    }
}

fn authorizer(name: &str, it: &model::Authorizer) -> wire::Authorizer {
    wire::Authorizer {
        id: String::new(),
        name: name.to_owned(),
        r#type: it.kind.as_str().to_owned(),
        provider_arns: list(&it.provider_arns),
        auth_type: it.auth_type.clone(),
        authorizer_uri: it.authorizer_uri.clone(),
        authorizer_credentials: it.authorizer_credentials.clone(),
        identity_source: it.identity_source.clone(),
        identity_validation_expression: it.identity_validation_expression.clone(),
        authorizer_result_ttl_in_seconds: it.result_ttl_seconds.map(i64::from),
        jwt_configuration: it.jwt_configuration.clone(),
    }
}

fn part(it: &model::DocumentationPart) -> wire::DocumentationPart {
    wire::DocumentationPart {
        id: String::new(),
        location: wire::DocumentationPartLocation {
            r#type: it.location.kind.as_str().to_owned(),
            path: it.location.path.clone(),
            method: it.location.method.clone(),
            status_code: it.location.status_code.clone(),
            name: it.location.name.clone(),
        },
        properties: it.properties.clone(),
    }
}

fn gateway_response(
    kind: model::ResponseType,
    it: &model::GatewayResponse,
) -> wire::GatewayResponse {
    wire::GatewayResponse {
        response_type: kind.as_str().to_owned(),
        status_code: it.status_code.map(|status| status.to_string()),
        response_parameters: some(it.response_parameters.clone()),
        response_templates: some(it.response_templates.clone()),
    }
}

fn method_response(status: &str, it: &model::MethodResponse) -> wire::MethodResponse {
    wire::MethodResponse {
        status_code: status.to_owned(),
        response_parameters: some(it.response_parameters.clone().into_iter().collect()),
        response_models: some(it.response_models.clone()),
    }
}

fn templates(given: &IndexMap<String, String>) -> Option<IndexMap<String, Option<String>>> {
    let all = given.iter();
    some(all.map(|(name, text)| (name.clone(), Some(text.clone()))).collect())
}

fn integration(resource: &str, it: &model::Integration) -> wire::Integration {
    use model::IntegrationType::{Http, HttpProxy};
    let (connection_type, connection_id) = match &it.connection_type {
        model::ConnectionType::VpcLink(id) => (Some("VPC_LINK"), Some(id.clone())),
        model::ConnectionType::Internet => {
            (matches!(it.kind, Http | HttpProxy).then_some("INTERNET"), None)
        }
    };
    let responses = it.responses.iter().map(integration_response);
    wire::Integration {
        r#type: it.kind.as_str().to_owned(),
        http_method: it.http_method.map(|it| it.as_str().to_owned()),
        uri: it.uri.clone(),
        connection_type: connection_type.map(str::to_owned),
        connection_id,
        credentials: it.credentials.clone(),
        request_parameters: some(it.request_parameters.clone()),
        request_templates: templates(&it.request_templates),
        passthrough_behavior: it.passthrough_behavior.as_str().to_owned(),
        content_handling: it.content_handling.map(|it| it.as_str().to_owned()),
        timeout_in_millis: it.timeout_ms.map_or(TIMEOUT_DEFAULT_MS, i64::from),
        cache_namespace: it.cache_namespace.clone().unwrap_or_else(|| resource.to_owned()),
        cache_key_parameters: it.cache_key_parameters.clone(),
        integration_responses: some(responses.map(|it| (it.status_code.clone(), it)).collect()),
        tls_config: it
            .insecure_skip_verification
            .then_some(wire::TlsConfig { insecure_skip_verification: Some(true) }),
        response_transfer_mode: match it.response_transfer_mode {
            model::ResponseTransferMode::Buffered => None,
            mode => Some(mode.as_str().to_owned()),
        },
        integration_target: it.integration_target.clone(),
    }
}

fn integration_response(it: &model::IntegrationResponse) -> wire::IntegrationResponse {
    wire::IntegrationResponse {
        status_code: it.status_code.to_string(),
        selection_pattern: it.selection_pattern.clone(),
        response_parameters: some(it.response_parameters.clone()),
        response_templates: templates(&it.response_templates),
        content_handling: it.content_handling.map(|it| it.as_str().to_owned()),
    }
}
