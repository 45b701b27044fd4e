//! Definitions for tests, as JSON: short to write where the test's point is elsewhere.

use serde_json::{Map, Value, json};

/// An OpenAPI document in the making.
#[derive(Clone, Debug)]
pub struct Definition(Value);

impl Definition {
    pub fn new() -> Self {
        Self(json!({
            "openapi": "3.0.1",
            "info": {"title": "test", "version": "1"},
            "paths": {},
        }))
    }

    /// A MOCK that answers `body` as JSON.
    pub fn mock(self, method: &str, path: &str, status: u16, body: &str) -> Self {
        let key = status.to_string();
        let integration = json!({
            "type": "mock",
            "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
            "responses": {"default": {
                "statusCode": key,
                "responseTemplates": {"application/json": body},
            }},
        });
        self.method(method, path, &[&key], integration)
    }

    /// HTTP_PROXY with the client's method; every `{name}` of `path` goes where `uri` has it.
    pub fn proxy(self, method: &str, path: &str, uri: &str) -> Self {
        self.proxy_with(method, path, uri, json!({}))
    }

    /// The same with more keys of the integration.
    pub fn proxy_with(self, method: &str, path: &str, uri: &str, more: Value) -> Self {
        let mut integration = json!({
            "type": "http_proxy",
            "httpMethod": method.to_ascii_uppercase(),
            "uri": uri,
            "requestParameters": path_mappings(path),
        });
        merge(&mut integration, more);
        self.method(method, path, &["200"], integration)
    }

    /// HTTP; the answer's status and body pass through for 200, everything else is the caller's.
    pub fn http_with(self, method: &str, path: &str, uri: &str, more: Value) -> Self {
        let mut integration = json!({
            "type": "http",
            "httpMethod": method.to_ascii_uppercase(),
            "uri": uri,
            "requestParameters": path_mappings(path),
            "responses": {"default": {"statusCode": "200"}},
        });
        merge(&mut integration, more);
        self.method(method, path, &["200"], integration)
    }

    /// A method with any integration.
    pub fn method(self, method: &str, path: &str, statuses: &[&str], integration: Value) -> Self {
        let statuses: Map<String, Value> = statuses
            .iter()
            .map(|status| ((*status).to_owned(), json!({"description": "as declared"})))
            .collect();
        self.operation(
            method,
            path,
            json!({"responses": statuses, "x-amazon-apigateway-integration": integration}),
        )
    }

    /// A method, all of it by the caller but the parameters of its path.
    pub fn operation(mut self, method: &str, path: &str, mut operation: Value) -> Self {
        let key = match method.to_ascii_lowercase() {
            any if any == "any" => "x-amazon-apigateway-any-method".to_owned(),
            method => method,
        };
        let names = path_parameters(path);
        if !names.is_empty() && operation.get("parameters").is_none() {
            operation["parameters"] = names
                .iter()
                .map(|name| {
                    json!({"name": name, "in": "path", "required": true,
                           "schema": {"type": "string"}})
                })
                .collect();
        }
        self.0["paths"][path][key] = operation;
        self
    }

    /// Sets a key of the document's root.
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.0[key] = value;
        self
    }

    pub fn text(&self) -> String {
        format!("{:#}\n", self.0)
    }
}

impl From<Definition> for String {
    fn from(definition: Definition) -> Self {
        definition.text()
    }
}

/// Names between braces, without the `+` of a greedy one.
fn path_parameters(path: &str) -> Vec<&str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_end_matches('+'))
        .collect()
}

fn path_mappings(path: &str) -> Value {
    path_parameters(path)
        .into_iter()
        .map(|name| {
            (
                format!("integration.request.path.{name}"),
                json!(format!("method.request.path.{name}")),
            )
        })
        .collect::<Map<String, Value>>()
        .into()
}

/// Objects key by key, everything else replaced.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
