//! Authorizers, API keys and IAM to security schemes and requirements.
//!
//! Source: facts, openapi section 6; exports in the field: each requirement is an entry of its own.

use std::collections::HashSet;

use serde_json::{Map, Value as Json, json};

use super::{Exporter, documentation};
use crate::model::{AuthorizationType, Authorizer, AuthorizerType, DocumentationPartType, Method};

const API_KEY: &str = "api_key";
const IAM: &str = "sigv4";

impl Exporter<'_> {
    /// A scheme's name that no authorizer has.
    fn free_name(&self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while self.api.authorizers.contains_key(&name) {
            name.push('_');
        }
        name
    }

    /// What a method requires.
    pub(super) fn requirements(&self, method: &Method) -> Vec<Json> {
        let mut requirements = Vec::new();
        let mut require = |name: String, scopes: &[String]| {
            let mut requirement = Map::new();
            requirement.insert(name, json!(scopes));
            requirements.push(Json::Object(requirement));
        };
        match method.authorization_type {
            AuthorizationType::None => {}
            AuthorizationType::AwsIam => require(self.free_name(IAM), &[]),
            AuthorizationType::Custom | AuthorizationType::CognitoUserPools => {
                if let Some(name) = &method.authorizer {
                    require(name.clone(), &method.authorization_scopes);
                }
            }
        }
        if method.api_key_required {
            require(self.free_name(API_KEY), &[]);
        }
        requirements
    }

    /// The schemes that methods require; with the extension, those of all authorizers.
    pub(super) fn security_schemes(&self) -> Map<String, Json> {
        let extensions = self.options.extensions;
        let whole = extensions.authorizers || extensions.api_gateway;
        let methods = || self.api.resources.iter().flat_map(|it| it.methods.values());
        let mut schemes = Map::new();
        let used: HashSet<&String> = methods().filter_map(|it| it.authorizer.as_ref()).collect();
        for (name, authorizer) in &self.api.authorizers {
            if whole || used.contains(name) {
                schemes.insert(name.clone(), self.scheme(name, authorizer, whole));
            }
        }
        if methods().any(|it| it.authorization_type == AuthorizationType::AwsIam) {
            let scheme = json!({
                "type": "apiKey", "name": "Authorization", "in": "header",
                "x-amazon-apigateway-authtype": "awsSigv4",
            });
            schemes.insert(self.free_name(IAM), scheme);
        }
        if methods().any(|it| it.api_key_required) {
            let scheme = json!({ "type": "apiKey", "name": "x-api-key", "in": "header" });
            schemes.insert(self.free_name(API_KEY), scheme);
        }
        schemes
    }

    fn scheme(&self, name: &str, authorizer: &Authorizer, whole: bool) -> Json {
        let (header, place) = scheme_name(authorizer);
        let mut scheme = Map::new();
        scheme.insert("type".to_owned(), json!("apiKey"));
        let kind = DocumentationPartType::Authorizer;
        let texts = self.texts.of(kind, None, None, None, Some(name));
        documentation::take(&mut scheme, texts, &["description"]);
        scheme.insert("name".to_owned(), json!(header));
        scheme.insert("in".to_owned(), json!(place));
        if let Some(auth_type) = &authorizer.auth_type {
            scheme.insert("x-amazon-apigateway-authtype".to_owned(), json!(auth_type));
        }
        if whole {
            let extension = extension(authorizer, header == UNUSED);
            scheme.insert("x-amazon-apigateway-authorizer".to_owned(), extension);
        }
        documentation::take_extensions(&mut scheme, texts);
        Json::Object(scheme)
    }
}

const UNUSED: &str = "Unused";

/// The one header or query parameter that an authorizer reads: `name` and `in` of its scheme.
fn scheme_name(authorizer: &Authorizer) -> (&str, &'static str) {
    let source = authorizer.identity_source.as_deref().unwrap_or_default();
    let single = |prefix| {
        let plain = |name: &&str| !name.is_empty() && !name.contains([',', ' ']);
        source.strip_prefix(prefix).filter(plain)
    };
    match (single("method.request.header."), single("method.request.querystring.")) {
        (Some(name), _) => (name, "header"),
        (_, Some(name)) => (name, "query"),
        _ => (UNUSED, "header"),
    }
}

fn extension(authorizer: &Authorizer, unused: bool) -> Json {
    let mut object = Map::new();
    let mut insert = |key: &str, value: Option<Json>| {
        object.extend(value.map(|value| (key.to_owned(), value)));
    };
    let text = |value: &Option<String>| value.as_ref().map(|it| json!(it));
    // Elsewhere the scheme's name says it.
    let says_source = authorizer.kind == AuthorizerType::Request || unused;
    insert("identitySource", text(&authorizer.identity_source).filter(|_| says_source));
    let arns = &authorizer.provider_arns;
    insert("providerARNs", (!arns.is_empty()).then(|| json!(arns)));
    insert("authorizerUri", text(&authorizer.authorizer_uri));
    insert("authorizerCredentials", text(&authorizer.authorizer_credentials));
    insert("authorizerResultTtlInSeconds", authorizer.result_ttl_seconds.map(|it| json!(it)));
    insert("identityValidationExpression", text(&authorizer.identity_validation_expression));
    insert("jwtConfiguration", authorizer.jwt_configuration.clone());
    insert("type", Some(json!(authorizer.kind.as_str().to_ascii_lowercase())));
    Json::Object(object)
}
