//! Security schemes to authorizers.
//!
//! Source: facts, openapi section 6, aws-recorded sections 8 and 18, security sections 5 to 6b.

use indexmap::IndexMap;

use super::super::{Node, Value};
use super::Importer;
use super::place::Place;
use super::security::{AUTHORIZER, AUTHTYPE};
use crate::model::{Authorizer, AuthorizerType};

/// Header name of a scheme whose authorizer reads none.
const UNUSED: &str = "Unused";
/// What AWS fills in for Lambda authorizers, seconds.
const RESULT_TTL_SECONDS: u32 = 300;

impl<'a> Importer<'a> {
    /// An authorizer for each scheme with the extension.
    pub(super) fn authorizers(&mut self) -> IndexMap<String, Authorizer> {
        let mut authorizers = IndexMap::new();
        for (name, scheme) in self.all_schemes() {
            let Value::Map(_) = scheme.node.value else { continue };
            if let Some(extension) = scheme.member(AUTHORIZER)
                && matches!(extension.node.value, Value::Map(_))
            {
                let before = self.report.step(format!("Unable to create authorizer '{name}'"));
                let authorizer = self.authorizer(&scheme, extension.node);
                self.report.step(before);
                authorizers.extend(authorizer.map(|it| (name.clone(), it)));
                self.document_authorizer(&name, scheme.node);
                continue;
            }
            let kind = scheme.node.member("type").and_then(Node::as_str).unwrap_or_default();
            if kind != "apiKey" {
                let message = format!(
                    "Unsupported security definition type '{kind}' for '{name}'. Ignoring."
                );
                self.report.aws_warning(message);
            }
        }
        authorizers
    }

    fn authorizer(&mut self, scheme: &Place<'a>, extension: &Node) -> Option<Authorizer> {
        let Some(kind) = self.quiet_name(extension, "type", AuthorizerType::named) else {
            if extension.member("type").is_none() {
                self.report.aws_error("Authorizer type must be specified");
            }
            return None;
        };
        let lambda = matches!(kind, AuthorizerType::Token | AuthorizerType::Request);
        let auth_type = self.quiet_text(scheme.node, AUTHTYPE);
        let own_source = self.quiet_text(extension, "identitySource");
        let ttl = self.quiet_whole(extension, "authorizerResultTtlInSeconds");
        let jwt = extension.member("jwtConfiguration").filter(|it| it.value != Value::Null);
        Some(Authorizer {
            id: None,
            kind,
            provider_arns: self.quiet_texts(extension, "providerARNs"),
            auth_type: auth_type.or_else(|| default_auth_type(kind).map(str::to_owned)),
            authorizer_uri: self.quiet_text(extension, "authorizerUri"),
            authorizer_credentials: self.quiet_text(extension, "authorizerCredentials"),
            identity_source: own_source.or_else(|| scheme_source(scheme.node)),
            identity_validation_expression: self
                .quiet_text(extension, "identityValidationExpression"),
            result_ttl_seconds: ttl.or(lambda.then_some(RESULT_TTL_SECONDS)),
            jwt_configuration: jwt.map(Node::to_json),
            pointer: scheme.pointer.clone(),
        })
    }
}

/// AWS always has one, but for JWT authorizers (unverified).
fn default_auth_type(kind: AuthorizerType) -> Option<&'static str> {
    match kind {
        AuthorizerType::Token | AuthorizerType::Request => Some("custom"),
        AuthorizerType::CognitoUserPools => Some("cognito_user_pools"),
        AuthorizerType::Jwt => None,
    }
}

/// The source that a scheme's `name` and `in` say.
fn scheme_source(scheme: &Node) -> Option<String> {
    let text = |key| scheme.member(key).and_then(Node::as_str);
    let name = text("name").filter(|name| !name.is_empty() && *name != UNUSED)?;
    let place = match text("in") {
        Some("query") => "querystring",
        _ => "header",
    };
    Some(format!("method.request.{place}.{name}"))
}
