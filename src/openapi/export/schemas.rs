//! Models to schemas.

use serde_json::{Map, Value as Json, json};

use super::super::json as parser;
use super::Exporter;
use crate::model::{Model, referenced_model};

impl Exporter<'_> {
    fn prefix(&self) -> &'static str {
        if self.is_swagger() { "#/definitions/" } else { "#/components/schemas/" }
    }

    /// The reference to a model.
    pub(super) fn reference(&self, model: &str) -> Json {
        json!({ "$ref": self.pointer(model) })
    }

    fn pointer(&self, model: &str) -> String {
        format!("{}{}", self.prefix(), model.replace('~', "~0").replace('/', "~1"))
    }

    /// Every model, also those that no method uses: what imports the export may want them.
    pub(super) fn schemas(&self) -> Map<String, Json> {
        let schema = |(name, model): (&String, &Model)| (name.clone(), self.schema(model));
        self.api.models.iter().map(schema).collect()
    }

    /// A model's schema with local references, without `$schema`. What is no JSON object, like an XML
    /// schema, cannot be said in OpenAPI: it becomes `{}`.
    fn schema(&self, model: &Model) -> Json {
        let parsed = parser::parse(&model.schema).map(|node| node.to_json());
        let Ok(mut schema @ Json::Object(_)) = parsed else { return json!({}) };
        self.localize(&mut schema);
        if let Json::Object(members) = &mut schema {
            members.shift_remove("$schema");
        }
        schema
    }

    fn localize(&self, schema: &mut Json) {
        match schema {
            Json::Array(items) => items.iter_mut().for_each(|it| self.localize(it)),
            Json::Object(members) => {
                for (key, value) in members {
                    if key == "$ref"
                        && let Json::String(text) = value
                        && let Some(name) = referenced_model(text)
                    {
                        *value = Json::String(self.pointer(name));
                    } else {
                        self.localize(value);
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
}
