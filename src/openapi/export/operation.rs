//! Methods to operations.

use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Value as Json, json};

use super::{ExportError, Exporter, documentation, insert_throttle};
use crate::model::{DocumentationPartType, Method, MethodName, MethodResponse};

/// Where an operation is, for its texts.
#[derive(Clone, Copy)]
struct At<'p> {
    path: &'p str,
    method: &'p str,
}

impl Exporter<'_> {
    pub(super) fn operation(
        &self,
        path: &str,
        name: MethodName,
        method: &Method,
    ) -> Result<Map<String, Json>, ExportError> {
        let at = At { path, method: name.as_str() };
        let mut operation = Map::new();
        let own = self.texts_at(DocumentationPartType::Method, at, None, None);
        documentation::take(
            &mut operation,
            own,
            &["tags", "summary", "description", "externalDocs"],
        );
        if let Some(id) = &method.operation_name {
            operation.insert("operationId".to_owned(), json!(id));
        }
        let mut parameters = self.parameters(at, method);
        if self.is_swagger() {
            insert_list(&mut operation, "consumes", consumes(method));
            insert_list(&mut operation, "produces", produces(method));
            parameters.extend(self.body_parameter(at, name, method)?);
        }
        insert_list(&mut operation, "parameters", parameters);
        if !self.is_swagger() && !method.request_models.is_empty() {
            let mut body = Map::new();
            let texts = self.texts_at(DocumentationPartType::RequestBody, at, None, None);
            documentation::take(&mut body, texts, &["description"]);
            body.insert("content".to_owned(), self.content(&method.request_models));
            // Always, whatever the document said.
            body.insert("required".to_owned(), json!(true));
            documentation::take_extensions(&mut body, texts);
            operation.insert("requestBody".to_owned(), Json::Object(body));
        }
        if !method.method_responses.is_empty() {
            let responses = method.method_responses.iter();
            let response = |(status, it): (&String, &MethodResponse)| {
                (status.clone(), self.response(at, status, it))
            };
            let responses: Map<String, Json> = responses.map(response).collect();
            operation.insert("responses".to_owned(), Json::Object(responses));
        }
        insert_list(&mut operation, "security", self.requirements(method));
        self.operation_extensions(&mut operation, method);
        documentation::take_extensions(&mut operation, own);
        Ok(operation)
    }

    fn operation_extensions(&self, operation: &mut Map<String, Json>, method: &Method) {
        let extensions = self.options.extensions;
        if (extensions.validators || extensions.api_gateway)
            && let Some(validator) = &method.request_validator
        {
            operation.insert("x-amazon-apigateway-request-validator".to_owned(), json!(validator));
        }
        if (extensions.integrations || extensions.api_gateway)
            && let Some(integration) = &method.integration
        {
            let integration = super::integration::object(integration);
            operation.insert("x-amazon-apigateway-integration".to_owned(), integration);
        }
        if extensions.api_gateway {
            insert_throttle(operation, method.throttle);
        }
    }

    fn texts_at(
        &self,
        kind: DocumentationPartType,
        at: At<'_>,
        status: Option<&str>,
        name: Option<&str>,
    ) -> Option<&Map<String, Json>> {
        self.texts.of(kind, Some(at.path), Some(at.method), status, name)
    }

    fn parameters(&self, at: At<'_>, method: &Method) -> Vec<Json> {
        let mut parameters = Vec::new();
        for (key, &required) in &method.request_parameters {
            let Some((place, name)) =
                key.strip_prefix("method.request.").and_then(|it| it.split_once('.'))
            else {
                continue;
            };
            let (place, kind) = match place {
                "path" => ("path", DocumentationPartType::PathParameter),
                "querystring" => ("query", DocumentationPartType::QueryParameter),
                "header" => ("header", DocumentationPartType::RequestHeader),
                _ => continue,
            };
            let mut parameter = Map::new();
            parameter.insert("name".to_owned(), json!(name));
            parameter.insert("in".to_owned(), json!(place));
            let texts = self.texts_at(kind, at, None, Some(name));
            documentation::take(&mut parameter, texts, &["description"]);
            let required = required || place == "path";
            if self.is_swagger() {
                parameter.insert("required".to_owned(), json!(required));
                parameter.insert("type".to_owned(), json!("string"));
            } else {
                if required {
                    parameter.insert("required".to_owned(), json!(true));
                }
                parameter.insert("schema".to_owned(), json!({ "type": "string" }));
            }
            documentation::take_extensions(&mut parameter, texts);
            parameters.push(Json::Object(parameter));
        }
        parameters
    }

    /// Swagger's parameter for the body: the model for JSON.
    fn body_parameter(
        &self,
        at: At<'_>,
        name: MethodName,
        method: &Method,
    ) -> Result<Option<Json>, ExportError> {
        let models = &method.request_models;
        if models.is_empty() {
            return Ok(None);
        }
        let is_json = |media_type: &str| {
            let essence = media_type.split(';').next().unwrap_or_default().trim();
            essence == "application/json" || essence.ends_with("+json") || essence == "$default"
        };
        let model = models
            .get("application/json")
            .or_else(|| models.iter().find(|(key, _)| is_json(key)).map(|(_, model)| model));
        let Some(model) = model else {
            let path = at.path.to_owned();
            return Err(ExportError::NonJsonBodyModels { method: name, path });
        };
        let mut parameter = Map::new();
        parameter.insert("in".to_owned(), json!("body"));
        parameter.insert("name".to_owned(), json!(model));
        let texts = self.texts_at(DocumentationPartType::RequestBody, at, None, None);
        documentation::take(&mut parameter, texts, &["description"]);
        parameter.insert("required".to_owned(), json!(true));
        parameter.insert("schema".to_owned(), self.reference(model));
        documentation::take_extensions(&mut parameter, texts);
        Ok(Some(Json::Object(parameter)))
    }

    fn content(&self, models: &IndexMap<String, String>) -> Json {
        let entry = |(media_type, model): (&String, &String)| {
            (media_type.clone(), json!({ "schema": self.reference(model) }))
        };
        Json::Object(models.iter().map(entry).collect())
    }

    fn response(&self, at: At<'_>, status: &str, response: &MethodResponse) -> Json {
        let mut object = Map::new();
        object.insert("description".to_owned(), json!(format!("{status} response")));
        let texts = self.texts_at(DocumentationPartType::Response, at, Some(status), None);
        documentation::take(&mut object, texts, &["description"]);
        let headers = self.headers(at, status, response);
        if self.is_swagger() {
            let models = &response.response_models;
            let model = models.get("application/json").or_else(|| models.values().next());
            if let Some(model) = model {
                object.insert("schema".to_owned(), self.reference(model));
            }
            super::insert_some(&mut object, "headers", headers);
        } else {
            super::insert_some(&mut object, "headers", headers);
            object.insert("content".to_owned(), self.content(&response.response_models));
        }
        documentation::take_extensions(&mut object, texts);
        Json::Object(object)
    }

    fn headers(&self, at: At<'_>, status: &str, response: &MethodResponse) -> Map<String, Json> {
        let mut headers = Map::new();
        for key in response.response_parameters.keys() {
            let Some(name) = key.strip_prefix("method.response.header.") else { continue };
            let mut header = Map::new();
            let kind = DocumentationPartType::ResponseHeader;
            let texts = self.texts_at(kind, at, Some(status), Some(name));
            documentation::take(&mut header, texts, &["description"]);
            let (key, value) = match self.is_swagger() {
                true => ("type", json!("string")),
                false => ("schema", json!({ "type": "string" })),
            };
            header.insert(key.to_owned(), value);
            documentation::take_extensions(&mut header, texts);
            headers.insert(name.to_owned(), Json::Object(header));
        }
        headers
    }
}

/// Media types of bodies: of the models, and of the templates.
fn consumes(method: &Method) -> Vec<Json> {
    let templates = method.integration.iter().flat_map(|it| it.request_templates.keys());
    distinct(method.request_models.keys().chain(templates))
}

/// Media types of answers, likewise.
fn produces(method: &Method) -> Vec<Json> {
    let models = method.method_responses.values().flat_map(|it| it.response_models.keys());
    let responses = method.integration.iter().flat_map(|it| &it.responses);
    distinct(models.chain(responses.flat_map(|it| it.response_templates.keys())))
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<Json> {
    let names: IndexSet<&String> = names.collect();
    names.into_iter().map(|name| json!(name)).collect()
}

fn insert_list(object: &mut Map<String, Json>, key: &str, items: Vec<Json>) {
    if !items.is_empty() {
        object.insert(key.to_owned(), Json::Array(items));
    }
}
