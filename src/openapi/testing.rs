//! What the tests of import and export share: models made up, and models without their places.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value as Json, json};

use super::write;
use crate::model::{
    API_ID_PLACEHOLDER, ApiKeySource, AuthorizationType, Authorizer, AuthorizerType,
    ConnectionType, ContentHandling, DocumentationPart, DocumentationPartLocation,
    DocumentationPartType, EndpointAccessMode, EndpointConfiguration, GatewayResponse, Integration,
    IntegrationResponse, IntegrationType, Method, MethodName, MethodResponse, Model,
    PassthroughBehavior, RequestValidator, Resource, ResponseTransferMode, ResponseType, RestApi,
    ThrottleSettings, model_reference,
};

/// An API without ids, and without what says where its objects stand in a document.
pub(super) fn bare(mut api: RestApi) -> RestApi {
    let clear = String::clear;
    clear(&mut api.id);
    api.models.values_mut().for_each(|it| clear(&mut it.pointer));
    api.request_validators.values_mut().for_each(|it| clear(&mut it.pointer));
    api.authorizers.values_mut().for_each(|it| clear(&mut it.pointer));
    api.gateway_responses.values_mut().for_each(|it| clear(&mut it.pointer));
    for resource in &mut api.resources {
        clear(&mut resource.id);
        for method in resource.methods.values_mut() {
            clear(&mut method.pointer);
            if let Some(integration) = &mut method.integration {
                clear(&mut integration.pointer);
                integration.responses.iter_mut().for_each(|it| clear(&mut it.pointer));
            }
        }
    }
    api
}

/// Media types that a generated API has bodies of.
pub(super) const MEDIA_TYPES: [&str; 4] =
    ["application/json", "application/xml", "text/plain; charset=UTF-8", "$default"];

/// Text without `$`, which begins import variables.
fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof!["[a-z]{1,6}", "[ -#%-~é\n]{0,10}"]
}

fn word() -> impl Strategy<Value = String> + Clone {
    "[A-Za-z][A-Za-z0-9]{0,5}"
}

fn texts() -> impl Strategy<Value = IndexMap<String, String>> {
    btree_map(word(), text(), 0..3).prop_map(|members| members.into_iter().collect())
}

/// A whole API as an import leaves it, of which an export with all extensions says everything.
pub(super) fn rest_api(media_types: &'static [&'static str]) -> impl Strategy<Value = RestApi> {
    let names = (
        btree_set("[A-Z][A-Za-z0-9]{0,6}", 0..4),
        btree_map(text(), any::<[bool; 2]>(), 0..3),
        btree_map(text(), authorizer(), 0..4),
    );
    let names = names.prop_flat_map(|(models, validators, authorizers)| {
        let models: Vec<String> = models.into_iter().collect();
        (vec(schema(models.clone()), models.len()), Just((models, validators, authorizers)))
    });
    names.prop_flat_map(move |(schemas, (names, validators, authorizers))| {
        let models: IndexMap<String, Model> = names.into_iter().zip(schemas).collect();
        let validators: IndexMap<String, RequestValidator> = validators
            .into_iter()
            .map(|(name, [body, parameters])| {
                let validator = RequestValidator {
                    validate_request_body: body,
                    validate_request_parameters: parameters,
                    ..RequestValidator::default()
                };
                (name, validator)
            })
            .collect();
        let authorizers: IndexMap<String, Authorizer> = authorizers.into_iter().collect();
        let names = Names {
            models: models.keys().cloned().collect(),
            validators: validators.keys().cloned().collect(),
            authorizers: authorizers.iter().map(|(name, it)| (name.clone(), it.kind)).collect(),
            media_types,
        };
        (root(), resources(&names), documentation()).prop_map(move |(root, resources, parts)| {
            RestApi {
                models: models.clone(),
                request_validators: validators.clone(),
                authorizers: authorizers.clone(),
                resources,
                documentation_version: (!parts.is_empty()).then(|| "1.0".to_owned()),
                documentation_parts: parts,
                ..root
            }
        })
    })
}

/// What methods of a generated API may refer to.
#[derive(Clone, Debug)]
struct Names {
    models: Vec<String>,
    validators: Vec<String>,
    authorizers: Vec<(String, AuthorizerType)>,
    media_types: &'static [&'static str],
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(values: &[T]) -> BoxedStrategy<Option<T>> {
    if values.is_empty() { Just(None).boxed() } else { option::of(select(values.to_vec())).boxed() }
}

fn json_tree() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::from),
            btree_map(text(), inner, 0..3).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Json>> {
    btree_map(text(), json_tree(), 0..3).prop_map(|members| members.into_iter().collect())
}

fn schema(names: Vec<String>) -> impl Strategy<Value = Model> {
    (object(), one_of(&names), option::of("[a-z]{1,5}")).prop_map(|(object, name, description)| {
        let mut schema = object;
        schema.insert("type".to_owned(), json!("object"));
        if let Some(name) = name {
            let reference = model_reference(API_ID_PLACEHOLDER, &name);
            schema.insert("items".to_owned(), json!([{ "$ref": reference }]));
        }
        if let Some(description) = &description {
            schema.insert("description".to_owned(), json!(description));
        } else {
            schema.shift_remove("description");
        }
        Model {
            description,
            schema: write::json(&Json::Object(schema)),
            content_type: "application/json".to_owned(),
            ..Model::default()
        }
    })
}

fn authorizer() -> impl Strategy<Value = Authorizer> {
    let sources = [
        "method.request.header.Authorization",
        "method.request.header.Unused",
        "method.request.querystring.q",
        "method.request.header.A, context.B",
        "stageVariables.x",
    ];
    let kinds = select(AuthorizerType::ALL);
    let texts = (option::of(text()), option::of(text()), option::of(text()));
    (kinds, one_of(&sources), texts, vec(text(), 0..3), 0..3600_u32, object()).prop_map(
        |(kind, source, (uri, credentials, expression), arns, ttl, jwt)| {
            let lambda = matches!(kind, AuthorizerType::Token | AuthorizerType::Request);
            let auth_type = match kind {
                AuthorizerType::CognitoUserPools => Some("cognito_user_pools".to_owned()),
                AuthorizerType::Jwt => None,
                _ => Some("custom".to_owned()),
            };
            Authorizer {
                id: None,
                kind,
                provider_arns: arns,
                auth_type,
                authorizer_uri: uri,
                authorizer_credentials: credentials,
                identity_source: source.map(str::to_owned),
                identity_validation_expression: expression,
                result_ttl_seconds: lambda.then_some(ttl),
                jwt_configuration: (kind == AuthorizerType::Jwt).then_some(Json::Object(jwt)),
                pointer: String::new(),
            }
        },
    )
}

/// What an API says about itself.
fn root() -> impl Strategy<Value = RestApi> {
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": "*", "Resource": "arn:aws:execute-api:r:1:{restapi_id}/*" },
        { "Effect": "Deny", "Resource": ["a", "b"], "Condition": { "IpAddress": {} } },
    ] });
    let info = ("[a-z]{1,6}", text(), option::of(text()), vec("[a-z]{1,4}/[a-z*]{1,4}", 0..3));
    let endpoint = (
        one_of(&[policy]),
        vec("vpce-[0-9]{1,3}", 0..3),
        any::<bool>(),
        one_of(&["TLS_1_0", "TLS_1_2"]),
        one_of(EndpointAccessMode::ALL),
        select(ApiKeySource::ALL),
    );
    let response = (option::of(100..600_u16), texts(), texts());
    let rest = (
        option::of(0..10_485_760_u32),
        btree_map(select(&ResponseType::ALL[..]), response, 0..3),
        throttle(),
    );
    (info, endpoint, rest).prop_map(|(info, endpoint, rest)| {
        let gateway_response =
            |(status_code, response_parameters, response_templates)| GatewayResponse {
                status_code,
                response_parameters,
                response_templates,
                pointer: String::new(),
            };
        RestApi {
            name: info.0,
            version: Some(info.1),
            description: info.2,
            binary_media_types: info.3,
            policy: endpoint.0,
            endpoint_configuration: EndpointConfiguration {
                vpc_endpoint_ids: endpoint.1,
                ..EndpointConfiguration::default()
            },
            disable_execute_api_endpoint: endpoint.2,
            security_policy: endpoint.3.map(str::to_owned),
            endpoint_access_mode: endpoint.4,
            api_key_source: endpoint.5,
            minimum_compression_size: rest.0,
            gateway_responses: rest
                .1
                .into_iter()
                .map(|(kind, response)| (kind, gateway_response(response)))
                .collect(),
            throttle: rest.2,
            ..RestApi::default()
        }
    })
}

fn throttle() -> impl Strategy<Value = Option<ThrottleSettings>> {
    let settings = (1..1_000_u32, 1..1_000_u32).prop_map(|(rate, burst_limit)| ThrottleSettings {
        rate_limit: f64::from(rate) / 4.0,
        burst_limit,
    });
    option::of(settings)
}

const PATHS: [&str; 6] = ["/", "/a", "/a/{id}", "/a/{id}/b", "/files/{proxy+}", "/~x/y"];

/// Resources with methods, and those between.
fn resources(names: &Names) -> impl Strategy<Value = Vec<Resource>> + use<> {
    let names = names.clone();
    subsequence(PATHS.to_vec(), 1..4).prop_flat_map(move |paths| {
        let methods: Vec<_> = paths.iter().map(|path| methods(path, &names)).collect();
        (Just(paths), methods).prop_map(|(paths, methods)| {
            let mut resources: BTreeMap<String, BTreeMap<MethodName, Method>> = BTreeMap::new();
            resources.insert("/".to_owned(), BTreeMap::new());
            for (path, methods) in paths.iter().zip(methods) {
                for (end, _) in path.match_indices('/').skip(1) {
                    resources.entry(path[..end].to_owned()).or_default();
                }
                resources.entry((*path).to_owned()).or_default().extend(methods);
            }
            let resource = |(path, methods)| Resource { id: String::new(), path, methods };
            resources.into_iter().map(resource).collect()
        })
    })
}

fn methods(
    path: &'static str,
    names: &Names,
) -> impl Strategy<Value = BTreeMap<MethodName, Method>> + use<> {
    btree_map(select(MethodName::ALL), method(path, names), 1..4)
}

fn bodies(names: &Names) -> BoxedStrategy<IndexMap<String, String>> {
    if names.models.is_empty() {
        return Just(IndexMap::new()).boxed();
    }
    let types: Vec<String> = names.media_types.iter().map(|&it| it.to_owned()).collect();
    let bodies = btree_map(select(types), select(names.models.clone()), 0..3);
    bodies.prop_map(|members| members.into_iter().collect()).boxed()
}

fn templates(names: &Names) -> impl Strategy<Value = IndexMap<String, String>> + use<> {
    let types: Vec<String> = names.media_types.iter().map(|&it| it.to_owned()).collect();
    btree_map(select(types), text(), 0..3).prop_map(|members| members.into_iter().collect())
}

fn method(path: &'static str, names: &Names) -> impl Strategy<Value = Method> + use<> {
    let guard = (
        one_of(&names.authorizers),
        any::<bool>(),
        vec("[a-z/]{1,5}", 0..3),
        any::<bool>(),
        one_of(&names.validators),
    );
    let parameters = (
        btree_map("q[a-z._-]{0,4}", any::<bool>(), 0..3),
        btree_map("h[a-z._-]{0,4}", any::<bool>(), 0..3),
    );
    let response = (btree_set("[A-Z][a-z-]{0,4}", 0..3), bodies(names));
    let rest = (
        option::of(word()),
        bodies(names),
        btree_map("[1-5][0-9]{2}", response, 0..3),
        option::of(integration(names)),
        throttle(),
    );
    (guard, parameters, rest).prop_map(move |(guard, (query, headers), rest)| {
        let (authorizer, iam, scopes, api_key_required, request_validator) = guard;
        let (operation_name, request_models, responses, integration, throttle) = rest;
        let authorization_type = match &authorizer {
            Some((_, kind)) => kind.authorization_type(),
            None if iam => AuthorizationType::AwsIam,
            None => AuthorizationType::None,
        };
        let scoped = authorization_type == AuthorizationType::CognitoUserPools;
        let mut request_parameters = BTreeMap::new();
        let key = |place: &str, name: &str| format!("method.request.{place}.{name}");
        request_parameters.extend(query.into_iter().map(|(it, on)| (key("querystring", &it), on)));
        request_parameters.extend(headers.into_iter().map(|(it, on)| (key("header", &it), on)));
        for variable in path.split('/').filter_map(|it| it.strip_prefix('{')) {
            request_parameters.insert(key("path", variable.trim_end_matches(['+', '}'])), true);
        }
        let response = |(headers, response_models): (BTreeSet<String>, _)| {
            let header = |name: String| (format!("method.response.header.{name}"), false);
            let response_parameters = headers.into_iter().map(header).collect();
            MethodResponse { response_parameters, response_models }
        };
        Method {
            operation_name,
            authorization_type,
            authorizer: authorizer.map(|(name, _)| name),
            authorization_scopes: if scoped { scopes } else { Vec::new() },
            api_key_required,
            request_validator,
            request_parameters,
            request_models,
            method_responses: responses
                .into_iter()
                .map(|(it, value)| (it, response(value)))
                .collect(),
            integration,
            throttle,
            pointer: String::new(),
        }
    })
}

fn integration(names: &Names) -> impl Strategy<Value = Integration> + use<> {
    let kind = (
        select(IntegrationType::ALL),
        text(),
        select(MethodName::ALL),
        option::of(text()),
        select(PassthroughBehavior::ALL),
        one_of(ContentHandling::ALL),
        option::of(50..29_000_u32),
    );
    let expressions = select(&["'a'", "context.stage", "method.request.header.x"][..]);
    let parameters = btree_map("integration[.]request[.]header[.][a-z]{1,3}", expressions, 0..3);
    let connection =
        prop_oneof![Just(ConnectionType::Internet), text().prop_map(ConnectionType::VpcLink),];
    let rest = (
        parameters,
        templates(names),
        connection,
        option::of(text()),
        select(ResponseTransferMode::ALL),
        any::<bool>(),
        option::of(text()),
        vec("method[.]request[.]header[.][a-z]", 0..3),
    );
    let response = (100..600_u16, texts(), templates(names), one_of(ContentHandling::ALL)).boxed();
    let responses =
        (option::of(response.clone()), btree_map("[1-5][.\\\\d{2}|+]{1,6}", response, 0..3));
    (kind, rest, responses).prop_map(|(kind, rest, (default, others))| {
        let calls = kind.0 != IntegrationType::Mock;
        let response =
            |pattern, (status_code, parameters, templates, content_handling)| IntegrationResponse {
                selection_pattern: pattern,
                status_code,
                response_parameters: parameters,
                response_templates: templates,
                content_handling,
                pointer: String::new(),
            };
        let mut responses: Vec<IntegrationResponse> =
            others.into_iter().map(|(pattern, it)| response(Some(pattern), it)).collect();
        responses.extend(default.map(|it| response(None, it)));
        Integration {
            kind: kind.0,
            uri: calls.then_some(kind.1),
            http_method: calls.then_some(kind.2),
            credentials: kind.3,
            request_parameters: rest
                .0
                .into_iter()
                .map(|(key, value)| (key, value.to_owned()))
                .collect(),
            request_templates: rest.1,
            passthrough_behavior: kind.4,
            content_handling: kind.5,
            timeout_ms: kind.6,
            connection_type: rest.2,
            integration_target: rest.3,
            response_transfer_mode: rest.4,
            cache_namespace: rest.6,
            cache_key_parameters: rest.7,
            insecure_skip_verification: rest.5,
            responses,
            pointer: String::new(),
        }
    })
}

/// Parts whose texts change nothing but the documentation: no `info`, which is the API's own.
fn documentation() -> impl Strategy<Value = Vec<DocumentationPart>> {
    let location = (
        select(DocumentationPartType::ALL),
        option::of(select(&PATHS[..])),
        one_of(&["*", "GET", "ANY"]),
        one_of(&["*", "200"]),
        option::of(text()),
    );
    let key = select(&["description", "summary", "foo", "x-foo", "x-bar"][..]);
    let properties = btree_map(key, text(), 0..3);
    let part =
        (location, properties).prop_map(|((kind, path, method, status, name), properties)| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            DocumentationPart {
                location: DocumentationPartLocation {
                    kind,
                    path: owned(path),
                    method: owned(method),
                    status_code: owned(status),
                    name,
                },
                properties: json!(properties).to_string(),
            }
        });
    vec(part, 0..4)
}
