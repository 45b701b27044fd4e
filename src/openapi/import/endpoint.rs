//! How the API is reached, by whom, and where keys come from.
//!
//! Source: facts, openapi section 4, aws-recorded sections 2.2 to 2.4.

use serde_json::Value as Json;

use super::super::{Node, Value};
use super::place::Place;
use super::{Dialect, Importer};
use crate::model::{
    API_ID_PLACEHOLDER, ApiKeySource, EndpointAccessMode, EndpointType, IpAddressType, RestApi,
};

const CONFIGURATION: &str = "x-amazon-apigateway-endpoint-configuration";

impl<'a> Importer<'a> {
    /// Everything about the API's endpoint.
    pub(super) fn endpoint(&mut self, root: &Place<'a>, api: &mut RestApi) {
        let source = "x-amazon-apigateway-api-key-source";
        let sources = ApiKeySource::ALL.iter().map(|it| (it.as_str(), *it)).collect::<Vec<_>>();
        api.api_key_source = self.choice(root, source, &sources).unwrap_or_default();
        api.security_policy = self.quiet_text(root.node, "x-amazon-apigateway-security-policy");
        let mode = "x-amazon-apigateway-endpoint-access-mode";
        api.endpoint_access_mode = self.quiet_name(root.node, mode, EndpointAccessMode::named);
        api.policy = self.resource_policy(root.node);
        if let Some(configuration) = self.quiet_object(root, CONFIGURATION) {
            self.endpoint_configuration(configuration.node, api);
        }
        if self.dialect == Dialect::OpenApi3
            && let Some(servers) = root.member("servers")
        {
            if servers.node.items().len() > 1 {
                let message = "More than one server provided. Ignoring all but the first for \
                               defining endpoint configuration";
                self.report.aws_warning(message.to_owned());
            }
            if let Some(first) = servers.items().next()
                && let Some(configuration) = self.quiet_object(&first, CONFIGURATION)
            {
                self.endpoint_configuration(configuration.node, api);
            }
        }
    }

    fn endpoint_configuration(&mut self, node: &Node, api: &mut RestApi) {
        if let Some(disable) = self.quiet_boolean(node, "disableExecuteApiEndpoint") {
            api.disable_execute_api_endpoint = disable;
        }
        let configuration = &mut api.endpoint_configuration;
        for text in self.quiet_texts(node, "types") {
            match EndpointType::named(&text) {
                Some(kind) => configuration.types.push(kind),
                None => self.report.aws_error(
                    "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE",
                ),
            }
        }
        configuration.vpc_endpoint_ids.extend(self.quiet_texts(node, "vpcEndpointIds"));
        if let Some(text) = self.quiet_text(node, "ipAddressType") {
            configuration.ip_address_type = IpAddressType::named(&text);
            if configuration.ip_address_type.is_none() {
                self.report.aws_error("ipAddressType must be either ipv4 or dualstack.");
            }
        }
    }

    fn resource_policy(&mut self, root: &Node) -> Option<Json> {
        let node = root.member("x-amazon-apigateway-policy")?;
        let mut policy = match &node.value {
            Value::Null => return None,
            Value::Map(_) => node.to_json(),
            // A policy as text is read as one.
            Value::String(text) => match serde_json::from_str(text) {
                Ok(policy @ Json::Object(_)) => policy,
                _ => {
                    self.report
                        .aws_error("Invalid policy document. Please check the policy syntax");
                    return None;
                }
            },
            _ => {
                self.report.aws_error("Invalid policy document. Please check the policy syntax");
                return None;
            }
        };
        self.substitute(&mut policy);
        let options = self.options;
        let arn = format!(
            "arn:{}:execute-api:{}:{}:{API_ID_PLACEHOLDER}/",
            options.partition, options.region, options.account_id
        );
        let statements = policy.get_mut("Statement");
        match statements {
            Some(Json::Array(statements)) => {
                statements.iter_mut().for_each(|it| expand_resources(it, &arn));
            }
            Some(statement) => expand_resources(statement, &arn),
            None => {}
        }
        Some(policy)
    }

    /// Puts import variables into every text.
    fn substitute(&self, value: &mut Json) {
        match value {
            Json::String(text) => *text = self.options.with_variables(text).0,
            Json::Array(items) => items.iter_mut().for_each(|it| self.substitute(it)),
            Json::Object(members) => members.values_mut().for_each(|it| self.substitute(it)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
}

/// `execute-api:/stage/GET/path` to a whole ARN; a list of one becomes that one.
fn expand_resources(statement: &mut Json, arn: &str) {
    for key in ["Resource", "NotResource"] {
        let Some(resources) = statement.get_mut(key) else { continue };
        let expand = |resource: &mut Json| {
            if let Json::String(text) = resource
                && let Some(rest) = text.strip_prefix("execute-api:/")
            {
                *text = format!("{arn}{rest}");
            }
        };
        if let Json::Array(items) = resources {
            items.iter_mut().for_each(expand);
            if items.len() == 1 {
                *resources = items.remove(0);
            }
        } else {
            expand(resources);
        }
    }
}
