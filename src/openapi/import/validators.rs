//! Request validators: `x-amazon-apigateway-request-validators`, and which one a method has.
//!
//! Source: facts, openapi section 11. The wording of a missing one is (unverified).

use indexmap::IndexMap;

use super::Importer;
use super::names::{self, shown};
use super::place::Place;
use super::report::{Keys, Use::Read};
use crate::model::RequestValidator;

const VALIDATORS: &str = "x-amazon-apigateway-request-validators";
const VALIDATOR: &str = "x-amazon-apigateway-request-validator";
const BODY: &str = "validateRequestBody";
const PARAMETERS: &str = "validateRequestParameters";
const KEYS: &Keys = &[(BODY, Read), (PARAMETERS, Read)];

impl<'a> Importer<'a> {
    /// The document's validators by name.
    pub(super) fn request_validators(
        &mut self,
        root: &Place<'a>,
    ) -> IndexMap<String, RequestValidator> {
        let mut validators = IndexMap::new();
        let Some(object) = self.object(root, VALIDATORS) else { return validators };
        for (name, _) in object.members() {
            let Some(place) = self.object(&object, name) else { continue };
            self.report.keys(&place, "a request validator", KEYS);
            let validator = RequestValidator {
                id: None,
                validate_request_body: self.flag(&place, BODY),
                validate_request_parameters: self.flag(&place, PARAMETERS),
                pointer: place.pointer.clone(),
            };
            validators.insert(name.to_owned(), validator);
        }
        validators
    }

    /// A member that is `true` or `false`, or its text as AWS's SDKs write it; false if it is not there.
    fn flag(&mut self, of: &Place<'a>, key: &str) -> bool {
        let Some(place) = of.member(key) else { return false };
        match place.node.scalar() {
            Some("true") => true,
            Some("false") => false,
            _ => {
                if !self.is_null(&place) {
                    self.wrong_kind(&place, "true or false");
                }
                false
            }
        }
    }

    /// The validator of an operation: its own, or the document's.
    pub(super) fn request_validator(&mut self, operation: &Place<'a>) -> Option<String> {
        let root = self.root.clone();
        let (of, name) = match self.text(operation, VALIDATOR) {
            Some(name) => (operation, name),
            None => (&root, self.text(&root, VALIDATOR)?),
        };
        if self.validators.contains_key(&name) {
            return Some(name);
        }
        let help = match names::meant(&name, self.validators.keys().map(String::as_str)) {
            Some(name) => format!("did you mean '{name}'?"),
            None => format!("define it in {VALIDATORS}"),
        };
        let place = of.member(VALIDATOR).unwrap_or_else(|| of.clone());
        let message = format!("there is no request validator '{}'", shown(&name));
        let aws = "Invalid Request Validator identifier specified";
        self.report.error_as(&place, message, help, aws);
        None
    }
}
