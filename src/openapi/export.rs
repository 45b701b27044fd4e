//! From the model to a document: what API Gateway's GetExport does.
//!
//! An import of an export with `extensions=apigateway` gives the same model. What an export cannot say,
//! AWS's no more than ours:
//!
//! - Resources without methods, other than those between.
//! - The layout of a model's schema, its `$schema`, a description beside it, content types other than
//!   JSON.
//! - Swagger only: which of several media types a body or an answer has which model for, and types that
//!   only templates name.
//! - An API's version if it has none: it becomes the time of the deployment.
//! - Types of endpoints: an import is told them by a parameter. Address types: (unverified).
//! - `timeoutInMillis` 29000, `connectionType` INTERNET, `responseTransferMode` BUFFERED: the defaults.
//! - Authorizers without `authorizerResultTtlInSeconds`: an import fills in 300 for Lambda's.
//! - Texts and documentation parts, unless their extension is asked for; without it the API's
//!   description comes back as a part besides.
//! - An empty selection pattern: it is `default`, as none at all.
//!
//! In: model, stage, extensions. Out: a document's tree, in AWS's order of keys.
//! Source: facts, aws-recorded section 19, openapi sections 8 and 9; exports in `tests/data/openapi`;
//! developer guide, "Export a REST API" and "Publish API documentation".
//!
//! **Invariant**: no model makes it panic, whatever texts are in it.

mod documentation;
mod integration;
mod operation;
mod schemas;
mod security;

#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value as Json, json};

use self::documentation::Texts;
use super::write;
use crate::model::{
    ApiKeySource, DocumentationPartType, GatewayResponse, MethodName, Resource, RestApi,
    ThrottleSettings,
};

/// Language of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ExportType {
    /// OpenAPI 3.0.
    #[default]
    Oas30,
    /// Swagger 2.0.
    Swagger,
}

impl ExportType {
    /// `oas30`, `swagger`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Oas30 => "oas30",
            Self::Swagger => "swagger",
        }
    }

    /// Reads `oas30` and `swagger`.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Oas30, Self::Swagger].into_iter().find(|it| it.as_str() == name)
    }
}

/// What an export has beside plain OpenAPI. `postman` adds nothing to either language (unverified: AWS
/// documents it as "suitable for Postman" and shows no example).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Extensions {
    /// `apigateway`: all but documentation.
    pub api_gateway: bool,
    /// `x-amazon-apigateway-integration`.
    pub integrations: bool,
    /// `x-amazon-apigateway-authorizer`.
    pub authorizers: bool,
    /// `x-amazon-apigateway-request-validators` and `-request-validator`.
    pub validators: bool,
    /// `x-amazon-apigateway-documentation`.
    pub documentation: bool,
}

impl Extensions {
    /// Reads the parameter `extensions`: names with commas between. `None`: one of them is none.
    pub fn named(list: &str) -> Option<Self> {
        let mut extensions = Self::default();
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "apigateway" => extensions.api_gateway = true,
                "integrations" => extensions.integrations = true,
                "authorizers" => extensions.authorizers = true,
                "validators" => extensions.validators = true,
                "documentation" => extensions.documentation = true,
                "postman" => {}
                _ => return None,
            }
        }
        Some(extensions)
    }
}

/// How to export.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ExportOptions {
    /// The language.
    pub kind: ExportType,
    /// What is added to it.
    pub extensions: Extensions,
    /// The stage.
    pub stage: String,
    /// Host under which the API is reached: `a1b2c3d4e5.execute-api.us-east-1.amazonaws.com`.
    pub host: String,
    /// Whether that host is reached without TLS; AWS's never are.
    pub plain_http: bool,
    /// When the stage was deployed, like `2025-07-02T13:13:23Z`: the version of an API that has none.
    pub deployed_at: String,
    /// The stage's documentation version. Without one, no text of the API's documentation is exported.
    pub documentation: Option<DocumentationSnapshot>,
}

/// A documentation version; its parts are the model's.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DocumentationSnapshot {
    /// Its name.
    pub version: String,
    /// When it was made, like [`ExportOptions::deployed_at`].
    pub created_date: Option<String>,
}

/// Why an API cannot be exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportError {
    /// Swagger has one schema for a body, and AWS takes the one for JSON.
    NonJsonBodyModels {
        /// The method.
        method: MethodName,
        /// Its resource.
        path: String,
    },
}

impl fmt::Display for ExportError {
    /// AWS's words, of which the end was not recorded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NonJsonBodyModels { method, path } = self;
        write!(f, "Only found non-JSON body models for method '{} {path}'", method.as_str())
    }
}

impl std::error::Error for ExportError {}

/// Exports an API.
///
/// # Errors
/// As [`ExportError`] says.
pub fn export(api: &RestApi, options: &ExportOptions) -> Result<Json, ExportError> {
    Exporter { api, options, texts: Texts::new(api, options) }.document()
}

/// A document as `application/json`, laid out as AWS does.
pub fn export_json(document: &Json) -> String {
    write::json(document)
}

/// A document as `application/yaml`.
pub fn export_yaml(document: &Json) -> String {
    write::yaml(document)
}

/// The file name of GetExport's `Content-Disposition`: `oas30_1.0.0.json`. What a header cannot carry
/// in a quoted text becomes `_`.
pub fn export_file_name(api: &RestApi, options: &ExportOptions, extension: &str) -> String {
    let version = api.version.as_deref().unwrap_or(&options.deployed_at);
    let plain = |c: char| if c.is_ascii_graphic() && c != '"' && c != '\\' { c } else { '_' };
    let version: String = version.chars().map(plain).collect();
    format!("{}_{version}.{extension}", options.kind.as_str())
}

/// An export that is under way.
struct Exporter<'a> {
    api: &'a RestApi,
    options: &'a ExportOptions,
    texts: Texts<'a>,
}

impl Exporter<'_> {
    fn is_swagger(&self) -> bool {
        self.options.kind == ExportType::Swagger
    }

    fn document(&self) -> Result<Json, ExportError> {
        let mut document = Map::new();
        let paths = self.paths()?;
        if self.is_swagger() {
            document.insert("swagger".to_owned(), json!("2.0"));
            document.insert("info".to_owned(), self.info(&["description", "version", "title"]));
            document.insert("host".to_owned(), json!(self.options.host));
            document.insert("basePath".to_owned(), json!(format!("/{}", self.options.stage)));
            document.insert("schemes".to_owned(), json!([self.url_scheme()]));
        } else {
            document.insert("openapi".to_owned(), json!("3.0.1"));
            document.insert("info".to_owned(), self.info(&["title", "description", "version"]));
            document.insert("servers".to_owned(), json!([self.server()]));
        }
        let api_texts = self.texts.of(DocumentationPartType::Api, None, None, None, None);
        documentation::take(&mut document, api_texts, &["tags", "externalDocs"]);
        document.insert("paths".to_owned(), Json::Object(paths));
        let (schemas, schemes) = (self.schemas(), self.security_schemes());
        if self.is_swagger() {
            insert_some(&mut document, "securityDefinitions", schemes);
            insert_some(&mut document, "definitions", schemas);
        } else {
            let mut components = Map::new();
            insert_some(&mut components, "schemas", schemas);
            insert_some(&mut components, "securitySchemes", schemes);
            document.insert("components".to_owned(), Json::Object(components));
        }
        if self.options.extensions.api_gateway {
            self.root_extensions(&mut document);
        }
        if self.options.extensions.validators || self.options.extensions.api_gateway {
            self.validators(&mut document);
        }
        if self.options.extensions.documentation {
            insert_some(&mut document, documentation::EXTENSION, self.texts.extension());
        }
        documentation::take_extensions(&mut document, api_texts);
        Ok(Json::Object(document))
    }

    fn info(&self, order: &[&str]) -> Json {
        let api = self.api;
        let texts = self.texts.of(DocumentationPartType::Api, None, None, None, None);
        let texts = texts.and_then(|texts| texts.get("info")).and_then(Json::as_object);
        let mut info = Map::new();
        for key in order {
            let value = match *key {
                "title" => Some(api.name.clone()),
                "version" => {
                    Some(api.version.clone().unwrap_or_else(|| self.options.deployed_at.clone()))
                }
                // The API's own description; the documentation's is the same or better.
                _ => api.description.clone(),
            };
            info.extend(value.map(|value| ((*key).to_owned(), Json::String(value))));
            if *key == "description" {
                let keys = ["description", "termsOfService", "contact", "license"];
                documentation::take(&mut info, texts, &keys);
            }
        }
        documentation::take_extensions(&mut info, texts);
        Json::Object(info)
    }

    fn url_scheme(&self) -> &'static str {
        if self.options.plain_http { "http" } else { "https" }
    }

    fn server(&self) -> Json {
        let mut server = Map::new();
        let url = format!("{}://{}/{{basePath}}", self.url_scheme(), self.options.host);
        server.insert("url".to_owned(), Json::String(url));
        // The stage's name without a slash, as recorded; the guide has `/stage`.
        let default = json!({ "basePath": { "default": self.options.stage } });
        server.insert("variables".to_owned(), default);
        if self.options.extensions.api_gateway {
            insert_some(&mut server, ENDPOINT, self.endpoint_configuration());
        }
        Json::Object(server)
    }

    /// Paths with methods, by path.
    fn paths(&self) -> Result<Map<String, Json>, ExportError> {
        let mut paths = Map::new();
        for resource in self.api.resources.iter().filter(|it| !it.methods.is_empty()) {
            paths.insert(resource.path.clone(), Json::Object(self.path_item(resource)?));
        }
        Ok(paths)
    }

    fn path_item(&self, resource: &Resource) -> Result<Map<String, Json>, ExportError> {
        let mut item = Map::new();
        for (name, key) in METHODS {
            if let Some(method) = resource.methods.get(&name) {
                let operation = self.operation(&resource.path, name, method)?;
                item.insert(key.to_owned(), Json::Object(operation));
            }
        }
        let kind = DocumentationPartType::Resource;
        // A path's other texts stay behind: AWS puts its `x-` members only.
        let texts = self.texts.of(kind, Some(&resource.path), None, None, None);
        documentation::take_extensions(&mut item, texts);
        Ok(item)
    }

    fn root_extensions(&self, document: &mut Map<String, Json>) {
        let api = self.api;
        let mut insert = |key: &str, value: Json| {
            document.insert(format!("x-amazon-apigateway-{key}"), value);
        };
        if let Some(policy) = &api.security_policy {
            insert("security-policy", json!(policy));
        }
        if let Some(policy) = &api.policy {
            insert("policy", policy.clone());
        }
        if let Some(mode) = api.endpoint_access_mode {
            insert("endpoint-access-mode", json!(mode.as_str()));
        }
        if api.api_key_source != ApiKeySource::Header {
            insert("api-key-source", json!(api.api_key_source.as_str()));
        }
        if !api.gateway_responses.is_empty() {
            let responses = api.gateway_responses.iter();
            let response = |(kind, it): (&crate::model::ResponseType, &GatewayResponse)| {
                (kind.as_str().to_owned(), gateway_response(it))
            };
            insert("gateway-responses", Json::Object(responses.map(response).collect()));
        }
        if !api.binary_media_types.is_empty() {
            insert("binary-media-types", json!(api.binary_media_types));
        }
        if let Some(size) = api.minimum_compression_size {
            insert("minimum-compression-size", json!(size));
        }
        if self.is_swagger() {
            insert_some(document, ENDPOINT, self.endpoint_configuration());
        }
        insert_throttle(document, api.throttle);
    }

    fn endpoint_configuration(&self) -> Map<String, Json> {
        let mut configuration = Map::new();
        let ids = &self.api.endpoint_configuration.vpc_endpoint_ids;
        if !ids.is_empty() {
            configuration.insert("vpcEndpointIds".to_owned(), json!(ids));
        }
        if self.api.disable_execute_api_endpoint {
            configuration.insert("disableExecuteApiEndpoint".to_owned(), json!(true));
        }
        configuration
    }

    fn validators(&self, document: &mut Map<String, Json>) {
        let validators = self.api.request_validators.iter().map(|(name, it)| {
            let value = json!({
                "validateRequestParameters": it.validate_request_parameters,
                "validateRequestBody": it.validate_request_body,
            });
            (name.clone(), value)
        });
        insert_some(document, "x-amazon-apigateway-request-validators", validators.collect());
    }
}

const ENDPOINT: &str = "x-amazon-apigateway-endpoint-configuration";
const METHODS: [(MethodName, &str); 8] = [
    (MethodName::Get, "get"),
    (MethodName::Put, "put"),
    (MethodName::Post, "post"),
    (MethodName::Delete, "delete"),
    (MethodName::Options, "options"),
    (MethodName::Head, "head"),
    (MethodName::Patch, "patch"),
    (MethodName::Any, "x-amazon-apigateway-any-method"),
];

fn gateway_response(response: &GatewayResponse) -> Json {
    let mut object = Map::new();
    // A number, other than everywhere else. Source: exports in the field.
    if let Some(status) = response.status_code {
        object.insert("statusCode".to_owned(), json!(status));
    }
    insert_some(&mut object, "responseParameters", texts(&response.response_parameters));
    insert_some(&mut object, "responseTemplates", texts(&response.response_templates));
    Json::Object(object)
}

/// Ringway's own extension.
fn insert_throttle(object: &mut Map<String, Json>, throttle: Option<ThrottleSettings>) {
    if let Some(ThrottleSettings { rate_limit, burst_limit }) = throttle {
        let value = json!({ "rateLimit": rate_limit, "burstLimit": burst_limit });
        object.insert("x-ringway-throttle".to_owned(), value);
    }
}

fn texts(members: &indexmap::IndexMap<String, String>) -> Map<String, Json> {
    members.iter().map(|(key, text)| (key.clone(), json!(text))).collect()
}

/// Inserts an object that has members.
fn insert_some(object: &mut Map<String, Json>, key: &str, members: Map<String, Json>) {
    if !members.is_empty() {
        object.insert(key.to_owned(), Json::Object(members));
    }
}
