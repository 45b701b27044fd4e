//! Request validators: `x-amazon-apigateway-request-validators`, and which one a method has.
//!
//! Source: facts, openapi section 11. The wording of a missing one is (unverified).

use indexmap::IndexMap;

use super::Importer;
use super::place::Place;
use crate::model::RequestValidator;

const VALIDATORS: &str = "x-amazon-apigateway-request-validators";
const VALIDATOR: &str = "x-amazon-apigateway-request-validator";

impl<'a> Importer<'a> {
    /// The document's validators by name.
    pub(super) fn request_validators(
        &mut self,
        root: &Place<'a>,
    ) -> IndexMap<String, RequestValidator> {
        let mut validators = IndexMap::new();
        let Some(object) = self.quiet_object(root, VALIDATORS) else { return validators };
        for (name, _) in object.members() {
            let Some(place) = self.quiet_object(&object, name) else { continue };
            let mut flag = |key| self.quiet_boolean(place.node, key).unwrap_or(false);
            let validator = RequestValidator {
                id: None,
                validate_request_body: flag("validateRequestBody"),
                validate_request_parameters: flag("validateRequestParameters"),
                pointer: place.pointer.clone(),
            };
            validators.insert(name.to_owned(), validator);
        }
        validators
    }

    /// The validator of an operation: its own, or the document's.
    pub(super) fn request_validator(&mut self, operation: &Place<'a>) -> Option<String> {
        let root = self.root.node;
        let name = self
            .quiet_text(operation.node, VALIDATOR)
            .or_else(|| self.quiet_text(root, VALIDATOR))?;
        if !self.validators.contains_key(&name) {
            self.report.aws_error("Invalid Request Validator identifier specified");
            return None;
        }
        Some(name)
    }
}
