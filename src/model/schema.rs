//! Models of bodies, and the validators that hold requests to them.

use super::Pointer;

/// A model: the schema of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Six lower-case letters and digits; `None` while nobody has given it one.
    pub id: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// JSON Schema draft 4, as text. It refers to other models of the API as [`model_reference`] has it,
    /// after an import with [`API_ID_PLACEHOLDER`] for the id.
    pub schema: String,
    /// `application/json`, mostly.
    pub content_type: String,
    /// Where it stands.
    pub pointer: Pointer,
}

/// Stands for the API's id in the schemas of an import that knows none yet. Whoever gives the API its
/// id replaces it by that ([`Model::schema_of`]); no id and no other text of a schema's reference
/// contains braces.
pub const API_ID_PLACEHOLDER: &str = "{restapi_id}";

const REFERENCES: &str = "https://apigateway.amazonaws.com/restapis/";

/// The URL by which a schema refers to another model of the same API.
pub fn model_reference(api_id: &str, name: &str) -> String {
    format!("{REFERENCES}{api_id}/models/{name}")
}

/// The model's name in such a URL, whatever the API.
pub fn referenced_model(reference: &str) -> Option<&str> {
    let (_, name) = reference.strip_prefix(REFERENCES)?.split_once("/models/")?;
    (!name.is_empty()).then_some(name)
}

impl Model {
    /// The schema with the API's id where an import left [`API_ID_PLACEHOLDER`].
    pub fn schema_of(&self, api_id: &str) -> String {
        let placeholder = format!("{REFERENCES}{API_ID_PLACEHOLDER}/");
        self.schema.replace(&placeholder, &format!("{REFERENCES}{api_id}/"))
    }
}

/// What is checked of a request before it reaches the integration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestValidator {
    /// Six lower-case letters and digits; `None` while nobody has given it one.
    pub id: Option<String>,
    /// The body, against the method's models.
    pub validate_request_body: bool,
    /// That required parameters are there.
    pub validate_request_parameters: bool,
    /// Where it stands.
    pub pointer: Pointer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_models_of_the_api() {
        let reference = model_reference("a1b2c3d4e5", "Pet");
        assert_eq!(reference, "https://apigateway.amazonaws.com/restapis/a1b2c3d4e5/models/Pet");
        assert_eq!(referenced_model(&reference), Some("Pet"));
        for other in [
            "#/definitions/Pet",
            "https://example.com/restapis/a/models/Pet",
            "https://apigateway.amazonaws.com/restapis/a/models/",
            "https://apigateway.amazonaws.com/restapis/a",
        ] {
            assert_eq!(referenced_model(other), None, "{other}");
        }
    }

    #[test]
    fn the_placeholder_gives_way_to_the_id() {
        let schema = format!(
            r#"{{"$ref":"{}","title":"{API_ID_PLACEHOLDER}"}}"#,
            model_reference(API_ID_PLACEHOLDER, "Pet")
        );
        let model = Model { schema, ..Model::default() };
        assert_eq!(
            model.schema_of("a1"),
            r#"{"$ref":"https://apigateway.amazonaws.com/restapis/a1/models/Pet","title":"{restapi_id}"}"#
        );
    }
}
