//! One API with all its objects: between the store's documents, the model that is compiled, and the
//! frozen text of a deployment.
//!
//! ```text
//! documents ──load──▶ Definition ──declare──▶ model::RestApi ──▶ compile, export
//!     ▲                 │      ▲                    │
//!     └──────store──────┘      └──────adopt─────────┘ (an imported document)
//! ```

mod adopt;
mod declare;

#[cfg(test)]
mod tests;

pub use adopt::PutMode;

use serde::{Deserialize, Serialize};

use super::api::ApiError;
use super::api::objects::{
    Authorizer, DocumentationPart, GatewayResponse, Model, RequestValidator, Resource, RestApi,
};
use crate::store::{StoreError, Transaction};

/// All of an API that a deployment freezes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Definition {
    /// The API itself.
    pub rest_api: RestApi,
    /// Its path tree, methods included; in no particular order.
    pub resources: Vec<Resource>,
    /// Schemas.
    pub models: Vec<Model>,
    /// What of requests is checked.
    pub request_validators: Vec<RequestValidator>,
    /// Who may call.
    pub authorizers: Vec<Authorizer>,
    /// Those that were customised.
    pub gateway_responses: Vec<GatewayResponse>,
    /// Texts.
    pub documentation_parts: Vec<DocumentationPart>,
}

impl Definition {
    /// An API as it is now; `None`: there is none of that id.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn load(store: &Transaction, id: &str) -> Result<Option<Self>, StoreError> {
        let Some(rest_api) = store.get::<RestApi>(&[id])? else { return Ok(None) };
        Ok(Some(Self {
            rest_api,
            resources: store.list(&[id])?,
            models: store.list(&[id])?,
            request_validators: store.list(&[id])?,
            authorizers: store.list(&[id])?,
            gateway_responses: store.list(&[id])?,
            documentation_parts: store.list(&[id])?,
        }))
    }

    /// Writes it in the place of what the store has of this API. Stages and deployments stay.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn store(&self, store: &Transaction) -> Result<(), StoreError> {
        let id = self.rest_api.id.as_str();
        store.put(&[id], &self.rest_api)?;
        store.delete_all::<Resource>(&[id])?;
        for resource in &self.resources {
            store.put(&[id, &resource.id], resource)?;
        }
        store.delete_all::<Model>(&[id])?;
        for model in &self.models {
            store.put(&[id, &model.name], model)?;
        }
        store.delete_all::<RequestValidator>(&[id])?;
        for validator in &self.request_validators {
            store.put(&[id, &validator.id], validator)?;
        }
        store.delete_all::<Authorizer>(&[id])?;
        for authorizer in &self.authorizers {
            store.put(&[id, &authorizer.id], authorizer)?;
        }
        store.delete_all::<GatewayResponse>(&[id])?;
        for response in &self.gateway_responses {
            store.put(&[id, &response.response_type], response)?;
        }
        store.delete_all::<DocumentationPart>(&[id])?;
        for part in &self.documentation_parts {
            store.put(&[id, &part.id], part)?;
        }
        Ok(())
    }

    /// Its text for a deployment.
    pub fn freeze(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("our objects serialize")
    }

    /// What a deployment froze.
    ///
    /// # Errors
    /// The text is not one of ours.
    pub fn thaw(text: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice(text)
            .map_err(|error| ApiError::internal(format!("a deployment cannot be read: {error}")))
    }

    /// Whether there is anything to serve.
    ///
    /// # Errors
    /// AWS's words for an API without methods, and for a method without an integration.
    pub fn check_deployable(&self) -> Result<(), ApiError> {
        let mut methods = self.resources.iter().flat_map(|it| it.resource_methods.iter().flatten());
        let mut any = false;
        let bare = methods.any(|(_, method)| {
            any = true;
            method.method_integration.is_none()
        });
        if bare {
            return Err(ApiError::bad_request("No integration defined for method"));
        }
        if !any {
            return Err(ApiError::bad_request("The REST API doesn't contain any methods"));
        }
        Ok(())
    }
}
