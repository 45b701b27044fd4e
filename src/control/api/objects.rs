//! The objects under their names on the wire, which is also how they are stored.
//!
//! A member that is `None` is absent from answers; one that AWS always answers is no `Option`.
//! Source: facts, control-plane section 12.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Whether a member is left out of an answer.
pub(super) trait Absent {
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T> Absent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl Absent for String {}
impl Absent for bool {}
impl Absent for i64 {}
impl Absent for f64 {}
impl<T> Absent for Vec<T> {}
impl<K, V> Absent for BTreeMap<K, V> {}
impl<K, V> Absent for IndexMap<K, V> {}

/// A text that nobody gets to see in a log: key values, private keys.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Absent for Secret {}

/// Declares objects of the wire: `camelCase`, absent where `None`, unknown members ignored.
macro_rules! wire {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[allow(missing_docs)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "crate::control::api::objects::Absent::is_absent")]
                pub $field: $type,
            )*
        }

        impl $crate::control::api::objects::Absent for $name {}
    )*};
}
pub(super) use wire;

/// Name → text, in the order of their being set.
pub type Texts = IndexMap<String, String>;
/// Tags.
pub type Tags = BTreeMap<String, String>;

wire! {
    /// A REST API. `tags` is in every answer but that of a creation without tags.
    RestApi {
        id: String,
        name: String,
        description: Option<String>,
        created_date: i64,
        version: Option<String>,
        warnings: Option<Vec<String>>,
        binary_media_types: Option<Vec<String>>,
        minimum_compression_size: Option<i64>,
        api_key_source: String,
        endpoint_configuration: EndpointConfiguration,
        policy: Option<String>,
        tags: Option<Tags>,
        disable_execute_api_endpoint: bool,
        root_resource_id: String,
        security_policy: Option<String>,
        endpoint_access_mode: Option<String>,
        /// `x-ringway-throttle` of an imported document.
        ringway_throttle: Option<RingwayThrottle>,
    }

    /// Where an API is offered.
    EndpointConfiguration {
        types: Vec<String>,
        ip_address_type: Option<String>,
        vpc_endpoint_ids: Option<Vec<String>>,
    }

    /// A node of the path tree. Answers trim its methods.
    Resource {
        id: String,
        parent_id: Option<String>,
        path_part: Option<String>,
        path: String,
        resource_methods: Option<BTreeMap<String, Method>>,
    }

    /// A method of a resource.
    Method {
        http_method: String,
        authorization_type: String,
        authorizer_id: Option<String>,
        api_key_required: bool,
        request_validator_id: Option<String>,
        operation_name: Option<String>,
        request_parameters: Option<IndexMap<String, bool>>,
        request_models: Option<Texts>,
        method_responses: Option<BTreeMap<String, MethodResponse>>,
        method_integration: Option<Integration>,
        authorization_scopes: Option<Vec<String>>,
        /// `x-ringway-throttle` of an imported operation.
        ringway_throttle: Option<RingwayThrottle>,
    }

    /// What `x-ringway-throttle` says; AWS has no such member, and its clients pass over it.
    #[derive(Copy)]
    RingwayThrottle {
        rate_limit: f64,
        burst_limit: i64,
    }

    /// What a method may answer with one status.
    MethodResponse {
        status_code: String,
        response_parameters: Option<IndexMap<String, bool>>,
        response_models: Option<Texts>,
    }

    /// What carries a method out.
    Integration {
        /// `MOCK`, `HTTP`, …
        r#type: String,
        http_method: Option<String>,
        uri: Option<String>,
        connection_type: Option<String>,
        connection_id: Option<String>,
        credentials: Option<String>,
        request_parameters: Option<Texts>,
        request_templates: Option<IndexMap<String, Option<String>>>,
        passthrough_behavior: String,
        content_handling: Option<String>,
        timeout_in_millis: i64,
        cache_namespace: String,
        cache_key_parameters: Vec<String>,
        integration_responses: Option<IndexMap<String, IntegrationResponse>>,
        tls_config: Option<TlsConfig>,
        response_transfer_mode: Option<String>,
        integration_target: Option<String>,
    }

    /// How the backend's certificate is checked.
    TlsConfig {
        insecure_skip_verification: Option<bool>,
    }

    /// What becomes of a backend's answer.
    IntegrationResponse {
        status_code: String,
        selection_pattern: Option<String>,
        response_parameters: Option<Texts>,
        response_templates: Option<IndexMap<String, Option<String>>>,
        content_handling: Option<String>,
    }

    /// A schema.
    Model {
        id: String,
        name: String,
        description: Option<String>,
        schema: Option<String>,
        content_type: String,
    }

    /// What of a request is checked.
    RequestValidator {
        id: String,
        name: Option<String>,
        validate_request_body: bool,
        validate_request_parameters: bool,
    }

    /// Who may call.
    Authorizer {
        id: String,
        name: String,
        r#type: String,
        #[serde(rename = "providerARNs")]
        provider_arns: Option<Vec<String>>,
        auth_type: Option<String>,
        authorizer_uri: Option<String>,
        authorizer_credentials: Option<String>,
        identity_source: Option<String>,
        identity_validation_expression: Option<String>,
        authorizer_result_ttl_in_seconds: Option<i64>,
        jwt_configuration: Option<serde_json::Value>,
    }

    /// A customised gateway response, as it was put: members not given are the defaults'.
    GatewayResponse {
        response_type: String,
        status_code: Option<String>,
        response_parameters: Option<Texts>,
        response_templates: Option<Texts>,
    }

    /// A piece of documentation.
    DocumentationPart {
        id: String,
        location: DocumentationPartLocation,
        properties: String,
    }

    /// What a piece of documentation is about.
    DocumentationPartLocation {
        r#type: String,
        path: Option<String>,
        method: Option<String>,
        status_code: Option<String>,
        name: Option<String>,
    }

    /// A frozen state of the documentation.
    DocumentationVersion {
        version: String,
        created_date: i64,
        description: Option<String>,
    }

    /// A frozen state of an API. What it froze is a blob of its own.
    Deployment {
        id: String,
        description: Option<String>,
        created_date: i64,
        /// Its number in the API's history, from 1; not answered.
        order: Option<i64>,
    }

    /// Where a deployment is served.
    Stage {
        deployment_id: String,
        client_certificate_id: Option<String>,
        stage_name: String,
        description: Option<String>,
        cache_cluster_enabled: bool,
        cache_cluster_size: Option<String>,
        cache_cluster_status: String,
        method_settings: IndexMap<String, MethodSetting>,
        variables: Option<BTreeMap<String, String>>,
        documentation_version: Option<String>,
        access_log_settings: Option<AccessLogSettings>,
        canary_settings: Option<CanarySettings>,
        tracing_enabled: bool,
        web_acl_arn: Option<String>,
        tags: Option<Tags>,
        created_date: i64,
        last_updated_date: i64,
    }

    /// Deployments that a stage has had before its own, the oldest first: the way back. AWS keeps none.
    StageHistory {
        deployments: Vec<String>,
    }

    /// Settings of one method of a stage, or of all (`*/*`).
    MethodSetting {
        metrics_enabled: bool,
        logging_level: Option<String>,
        data_trace_enabled: bool,
        throttling_burst_limit: i64,
        throttling_rate_limit: f64,
        caching_enabled: bool,
        cache_ttl_in_seconds: i64,
        cache_data_encrypted: bool,
        require_authorization_for_cache_control: bool,
        unauthorized_cache_control_header_strategy: String,
    }

    /// Where and how requests are logged.
    AccessLogSettings {
        format: Option<String>,
        destination_arn: Option<String>,
    }

    /// A deployment that gets part of a stage's requests.
    CanarySettings {
        percent_traffic: f64,
        deployment_id: Option<String>,
        stage_variable_overrides: Option<BTreeMap<String, String>>,
        use_stage_cache: bool,
    }
}

macro_rules! objects {
    ($($name:ident: $kind:literal;)*) => {
        $(impl $crate::store::Document for $name {
            const KIND: &'static str = $kind;
        })*
    };
}
pub(super) use objects;

// Keys: an API's id, and where it has several of a kind, the object's own id or name.
objects! {
    RestApi: "restapi";
    Resource: "resource";
    Model: "model";
    RequestValidator: "validator";
    Authorizer: "authorizer";
    GatewayResponse: "gatewayresponse";
    DocumentationPart: "documentationpart";
    DocumentationVersion: "documentationversion";
    Deployment: "deployment";
    Stage: "stage";
    StageHistory: "stagehistory";
}

/// Most deployments of a [`StageHistory`]. Ours: nobody goes back further.
const STAGE_HISTORY_MAX: usize = 100;

impl StageHistory {
    /// The stage goes from one deployment to another. Back to one that it has had, what came after
    /// that one is forgotten: going back again leads further back.
    pub fn moved(&mut self, from: &str, to: &str) {
        if from == to {
            return;
        }
        match self.deployments.iter().position(|it| it == to) {
            Some(at) => self.deployments.truncate(at),
            None => {
                let surplus = (self.deployments.len() + 1).saturating_sub(STAGE_HISTORY_MAX);
                self.deployments.drain(..surplus);
                self.deployments.push(from.to_owned());
            }
        }
    }
}

/// A resource policy as AWS answers it: the document's text with its quotes escaped once more. Source:
/// facts, aws-recorded 2.4.
pub fn escaped_policy(document: &serde_json::Value) -> String {
    document.to_string().replace('\\', "\\\\").replace('"', "\\\"")
}

/// Kind of the blobs with what deployments froze; under the API's and the deployment's id.
pub const SNAPSHOT: &str = "snapshot";
/// Kind of the blobs with the documentation parts that versions froze; under the API's id and the
/// version.
pub const DOCUMENTATION: &str = "documentation";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_finds_the_way_back_further_and_further() {
        let mut history = StageHistory::default();
        for (from, to, before) in [
            ("a", "b", &["a"][..]),
            ("b", "b", &["a"]),
            ("b", "c", &["a", "b"]),
            ("c", "b", &["a"]),
            ("b", "a", &[]),
            ("a", "d", &["a"]),
            ("d", "c", &["a", "d"]),
            ("c", "a", &[]),
        ] {
            history.moved(from, to);
            assert_eq!(history.deployments, before, "{from} to {to}");
        }
        for number in 0..2 * STAGE_HISTORY_MAX {
            history.moved(&number.to_string(), &(number + 1).to_string());
        }
        assert_eq!(history.deployments.len(), STAGE_HISTORY_MAX);
        assert_eq!(history.deployments.last().unwrap(), "199");
    }
}
