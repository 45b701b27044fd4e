//! Operations to methods.

use super::parameters::{Location, Parameter};
use super::place::Place;
use super::report::{Keys, Use};
use super::{Importer, mappings, names};
use crate::model::{Method, MethodName};

use Use::{Documentation, Later, Read};

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
    (
        "x-amazon-apigateway-request-validator",
        Later(
            "request validation is not carried out: requests that do not fit reach the integration",
            "it comes with a later release; let the integration check requests until then",
        ),
    ),
];

impl<'a> Importer<'a> {
    /// One operation of a path; `shared` are the path's own parameters.
    pub(super) fn operation(
        &mut self,
        place: &Place<'a>,
        path: &str,
        name: MethodName,
        shared: &[Parameter<'a>],
    ) -> Method {
        self.report.keys(place, "an operation", OPERATION);
        self.security(place, name);
        self.request_body(place);
        let own = self.parameters(place);
        let parameters = self.merged(path, shared, own);
        let mut method = Method {
            operation_name: self.text(place, "operationId"),
            method_responses: self.method_responses(place),
            throttle: self.throttle(place),
            pointer: place.pointer.clone(),
            ..Method::default()
        };
        for parameter in &parameters {
            let key = format!("method.request.{}.{}", parameter.location.as_str(), parameter.name);
            method.request_parameters.insert(key, parameter.required);
        }
        // AWS declares the path's parameters by itself (facts, aws-recorded section 18).
        for variable in path_variables(path) {
            method.request_parameters.insert(format!("method.request.path.{variable}"), true);
        }
        if let Some(integration) = self.object(place, INTEGRATION)
            && let Some(integration) = self.resolve(&integration)
        {
            method.integration = self.integration(&integration);
            if let Some(declared) = &method.integration {
                mappings::check(&mut self.report, &integration, declared, &method);
            }
        }
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
                self.report.error(
                    &parameter.place,
                    format!(
                        "Parameter names must be unique across querystring, header and path: \
                         '{shown}' is in {} too",
                        twin.location.as_str()
                    ),
                    "rename one of the two, or leave it out: proxy integrations pass everything on",
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
