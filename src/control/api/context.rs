//! What an operation works with.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use super::error::ApiError;
use super::objects::RestApi;
use crate::control::vault::Vault;
use crate::store::Transaction;
use crate::time::WallMillis;
use crate::usage::{KeyId, ValueHash};

/// Who and where this gateway is, for ARNs and messages.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `123456789012`.
    pub account_id: String,
    /// `us-east-1`.
    pub region: String,
    /// What follows `{apiId}.execute-api.` in the addresses that are printed: `localhost`.
    pub api_host_suffix: String,
    /// Port that clients of APIs connect to.
    pub api_port: u16,
    /// Encrypts what is secret in the store.
    pub vault: Arc<Vault>,
}

impl Settings {
    /// The default endpoint's host: `{api}.execute-api.localhost:8080`.
    pub fn host(&self, api: &str) -> String {
        let Self { api_host_suffix, api_port, .. } = self;
        match api_port {
            80 => format!("{api}.execute-api.{api_host_suffix}"),
            port => format!("{api}.execute-api.{api_host_suffix}:{port}"),
        }
    }

    /// Where a stage is served: `http://{api}.execute-api.localhost:8080/{stage}`.
    pub fn url(&self, api: &str, stage: &str) -> String {
        format!("http://{}/{stage}", self.host(api))
    }
}

/// One call's transaction and surroundings.
pub struct Context<'a> {
    /// The store.
    pub store: &'a Transaction,
    /// Of this gateway.
    pub settings: &'a Settings,
    /// When the call came, seconds since 1970.
    pub now: i64,
    /// What has to happen when the call has succeeded.
    pub effects: Effects,
}

/// What a call changes of what is served. The stages named are compiled before the transaction is
/// committed, and published after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Stages (API id, name) that were made or changed; their documents are in the store.
    pub changed_stages: BTreeSet<(String, String)>,
    /// Stages that are gone.
    pub removed_stages: BTreeSet<(String, String)>,
    /// APIs whose `disableExecuteApiEndpoint` may have changed.
    pub endpoints: BTreeSet<String>,
    /// Whether a custom domain name or a base path mapping has changed.
    pub domains: bool,
    /// API keys that were made or changed, or whose plans were.
    pub keys: BTreeSet<String>,
    /// The same of an import, which may be a million.
    pub imported_keys: Vec<KeyId>,
    /// API keys that are gone, by what their values were known by.
    pub removed_keys: Vec<ValueHash>,
    /// Usage plans that were made, changed or deleted.
    pub plans: BTreeSet<String>,
    /// Quotas that were set: plan, key, requests that are left.
    pub remaining: Vec<(String, String, u64)>,
    /// When the call came.
    pub now: WallMillis,
    /// What is stored and answered, but not carried out yet; for the log.
    pub not_carried_out: Vec<String>,
}

impl Effects {
    /// Whether what requests meet of keys and plans changes.
    pub fn has_keys(&self) -> bool {
        !self.keys.is_empty()
            || !self.imported_keys.is_empty()
            || !self.removed_keys.is_empty()
            || !self.plans.is_empty()
            || !self.remaining.is_empty()
    }
}

impl Context<'_> {
    /// The API of that id.
    ///
    /// # Errors
    /// 404 with the account and the id as it was sent. Source: facts, aws-recorded 1.6.
    pub fn rest_api(&self, id: &str) -> Result<RestApi, ApiError> {
        let account = &self.settings.account_id;
        self.get(&[id])?.ok_or_else(|| {
            ApiError::not_found(format!("Invalid API identifier specified {account}:{id}"))
        })
    }

    /// Says that what was stored is not carried out yet.
    pub fn not_carried_out(&mut self, what: impl Into<String>) {
        self.effects.not_carried_out.push(what.into());
    }

    /// `arn:aws:apigateway:us-east-1::{path}`.
    pub fn arn(&self, path: &str) -> String {
        format!("arn:aws:apigateway:{}::{path}", self.settings.region)
    }
}

impl Deref for Context<'_> {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        self.store
    }
}
