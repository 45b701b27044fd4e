//! Operations to methods.

use super::documentation::Operation;
use super::parameters::{Location, Parameter, Parameters};
use super::place::Place;
use super::report::{Keys, Use};
use super::security::Guard;
use super::{Importer, mappings, names};
use crate::model::{DocumentationPartType, Method, MethodName};

use Use::{Documentation, Read};

const INTEGRATION: &str = "x-amazon-apigateway-integration";
const OPERATION: &Keys = &[
    ("operationId", Read),
    ("parameters", Read),
    ("requestBody", Read),
    ("responses", Read),
    ("security", Read),
    ("tags", Documentation),
    ("summary", Documentation),
    ("description", Documentation),
    ("externalDocs", Documentation),
    ("deprecated", Documentation),
    ("callbacks", Documentation),
    ("servers", Documentation),
    ("consumes", Documentation),
    ("produces", Documentation),
    ("schemes", Documentation),
    (INTEGRATION, Read),
    ("x-amazon-apigateway-auth", Read),
    ("x-ringway-throttle", Read),
    ("x-amazon-apigateway-request-validator", Read),
];

impl<'a> Importer<'a> {
    /// One operation of a path; `shared` are the path's own parameters.
    pub(super) fn operation(
        &mut self,
        place: &Place<'a>,
        path: &str,
        name: MethodName,
        shared: &Parameters<'a>,
    ) -> Method {
        let at = Operation { path, method: name.as_str() };
        let step = |what: &str| format!("Unable to put {what} '{}'", at.method);
        let before = self.report.step(format!("{} on resource at path '{path}'", step("method")));
        self.report.keys(place, "an operation", OPERATION);
        let texts = ["tags", "summary", "description", "externalDocs"];
        self.document(at.location(DocumentationPartType::Method), place.node, &texts);
        let guard = self.security(place, name);
        let Guard { authorization_type, authorizer, authorization_scopes, api_key_required } =
            guard;
        let mut request_models = self.request_body(place, at);
        let own = self.parameters(place);
        if let Some(body) = own.body.as_ref().or(shared.body.as_ref()) {
            request_models = self.body_parameter(place, body, at);
        }
        let parameters = self.merged(path, &shared.declared, own.declared);
        let mut method = Method {
            operation_name: self.text(place, "operationId"),
            authorization_type,
            authorizer,
            authorization_scopes,
            api_key_required,
            request_validator: self.request_validator(place),
            request_models,
            method_responses: self.method_responses(place, at),
            throttle: self.throttle(place),
            pointer: place.pointer.clone(),
            ..Method::default()
        };
        for parameter in &parameters {
            let key = format!("method.request.{}.{}", parameter.location.as_str(), parameter.name);
            method.request_parameters.insert(key, parameter.required);
            let kind = match parameter.location {
                Location::Path => DocumentationPartType::PathParameter,
                Location::Query => DocumentationPartType::QueryParameter,
                Location::Header => DocumentationPartType::RequestHeader,
            };
            self.document(at.named(kind, &parameter.name), parameter.definition, &["description"]);
        }
        // AWS declares the path's parameters by itself (facts, aws-recorded section 18).
        for variable in path_variables(path) {
            method.request_parameters.insert(format!("method.request.path.{variable}"), true);
        }
        if let Some(integration) = self.object(place, INTEGRATION)
            && let Some(integration) = self.resolve(&integration)
        {
            let step = format!("{} for resource at path '{path}'", step("integration on"));
            self.report.step(step);
            method.integration = self.integration(&integration);
            if let Some(declared) = &method.integration {
                mappings::check(&mut self.report, &integration, declared, &method, at);
            }
        }
        self.report.step(before);
        method
    }

    /// The operation's own parameters, and those of its path that it does not declare itself.
    fn merged(
        &mut self,
        path: &str,
        shared: &[Parameter<'a>],
        own: Vec<Parameter<'a>>,
    ) -> Vec<Parameter<'a>> {
        let mut merged = own;
        for parameter in shared {
            let overridden = merged
                .iter()
                .any(|it| it.location == parameter.location && it.name == parameter.name);
            if !overridden {
                merged.push(parameter.clone());
            }
        }
        for (index, parameter) in merged.iter().enumerate() {
            let shown = names::shown(&parameter.name);
            let twin = merged[..index].iter().find(|it| it.name == parameter.name);
            if let Some(twin) = twin {
                self.report.error_as(
                    &parameter.place,
                    format!(
                        "Parameter names must be unique across querystring, header and path: \
                         '{shown}' is in {} too",
                        twin.location.as_str()
                    ),
                    "rename one of the two, or leave it out: proxy integrations pass everything on",
                    "Parameter names must be unique across querystring, header and path",
                );
            }
            let in_path = path_variables(path).any(|variable| variable == parameter.name);
            if parameter.location == Location::Path && !in_path {
                let known = path_variables(path).collect::<Vec<_>>();
                let help = match names::meant(&parameter.name, known) {
                    Some(name) => format!("did you mean '{name}'?"),
                    None => format!("write {{{shown}}} in the path, or remove the parameter"),
                };
                let message = format!("the path {path} has no parameter '{shown}'");
                self.report.warning(&parameter.place, message, help);
            }
        }
        merged
    }
}

/// Names of a path's `{variables}`, without the `+` of a greedy one.
fn path_variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.strip_suffix('+').unwrap_or(name))
    })
}
