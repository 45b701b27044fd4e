//! What Ringway adds to AWS's API for its own commands: `/_ringway/status`, `/_ringway/backup`,
//! `/_ringway/restore`. Signed as every other call.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::api::objects::{RestApi, Stage};
use super::api::{ApiError, Reply};
use super::service::{self, Service, refusal};
use crate::store::{self, Store, StoreError};

const PREFIX: &str = "/_ringway/";

/// Whether a path is one of these.
pub fn is_one(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// Answers one of these requests.
pub async fn answer(service: &Service, parts: &Parts, body: Bytes) -> Response {
    let outcome = async {
        service.authenticate(parts, &body)?;
        match (parts.method.as_str(), parts.uri.path().strip_prefix(PREFIX)) {
            ("GET", Some("status")) => Ok(service::response(Reply::json(&status(service)?))),
            ("GET", Some("backup")) => backup(service).await,
            ("PUT", Some("restore")) => restore(service, body).await,
            (method, _) => Err(ApiError::unknown_operation(method, parts.uri.path())),
        }
    };
    outcome.await.unwrap_or_else(|error: ApiError| refusal(&error))
}

/// Who this is and what it serves.
fn status(service: &Service) -> Result<Value, ApiError> {
    let parts = service.parts();
    let store = parts.store.read()?;
    let mut apis = Vec::new();
    for api in store.list::<RestApi>(&[])? {
        let stages = store.list::<Stage>(&[&api.id])?;
        apis.push(json!({
            "id": api.id,
            "name": api.name,
            "stages": stages.iter().map(|stage| stage_status(service, &api.id, stage)).collect::<Vec<_>>(),
        }));
    }
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "region": parts.settings.region,
        "accountId": parts.settings.account_id,
        "store": parts.store.path().display().to_string(),
        "apis": apis,
    }))
}

fn stage_status(service: &Service, api: &str, stage: &Stage) -> Value {
    let mut not_carried_out = Vec::new();
    if stage.cache_cluster_enabled {
        not_carried_out.push("cache");
    }
    if stage.tracing_enabled {
        not_carried_out.push("X-Ray tracing");
    }
    if stage.web_acl_arn.is_some() {
        not_carried_out.push("WAF");
    }
    json!({
        "name": stage.stage_name,
        "deploymentId": stage.deployment_id,
        "canary": stage.canary_settings,
        "url": service.parts().settings.url(api, &stage.stage_name),
        "notCarriedOut": not_carried_out,
    })
}

/// A file of its own beside the store, gone when dropped.
struct Passing(PathBuf);

impl Passing {
    fn beside(store: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(store.with_file_name(format!("passing-{}-{number}", std::process::id())))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // One that was never made is gone already.
        let _ = std::fs::remove_dir_all(&self.0);
        let _ = std::fs::remove_file(&self.0);
    }
}

fn io(path: &Path, error: &std::io::Error) -> ApiError {
    ApiError::internal(format!("{}: {error}", path.display()))
}

/// The store as it is now, as a file.
async fn backup(service: &Service) -> Result<Response, ApiError> {
    let store = service.parts().store.clone();
    let work = move || {
        let passing = Passing::beside(store.path());
        store.backup(&passing.0)?;
        std::fs::read(&passing.0).map_err(|error| io(&passing.0, &error))
    };
    let bytes = tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ApiError::internal(error.to_string()))??;
    let content_type = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((content_type, Body::from(bytes)).into_response())
}

/// Makes a backup all there is, and serves it.
async fn restore(service: &Service, body: Bytes) -> Result<Response, ApiError> {
    let passing = Passing::beside(service.parts().store.path());
    let directory = passing.0.clone();
    let work = move || {
        std::fs::create_dir(&directory).map_err(|error| io(&directory, &error))?;
        let file = directory.join(store::FILE_NAME);
        std::fs::write(&file, &body).map_err(|error| io(&file, &error))?;
        Store::open(&directory).map_err(|error| match error {
            StoreError::Damaged { why, .. } => {
                ApiError::bad_request(format!("this is no backup of a store: {why}"))
            }
            error => ApiError::bad_request(error.to_string()),
        })
    };
    let opened = tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ApiError::internal(error.to_string()))??;
    service.restore(opened).await?;
    Ok(service::response(Reply::json(&json!({}))))
}
