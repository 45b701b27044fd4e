//! What Ringway adds to AWS's API for its own commands: `/_ringway/status`, `/_ringway/backup`,
//! `/_ringway/restore`. Signed as every other call.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use aws_lc_rs::digest;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use serde_json::{Value, json};

use super::admin::read_body;
use super::api::objects::{RestApi, Stage};
use super::api::{ApiError, Reply, earlier_deployments};
use super::service::{self, Service, refusal};
use crate::auth::sigv4::Payload;
use crate::store::{self, Store, StoreError};

const PREFIX: &str = "/_ringway/";
/// Longest backup that is taken, bytes. Ours: only to have a bound.
const RESTORE_BYTES_MAX: u64 = 16 << 30;
/// What of a backup is in memory at a time, bytes.
const PIECE_BYTES: usize = 1 << 20;

/// Whether a path is one of these.
pub fn is_one(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// Answers one of these requests.
pub async fn answer(service: &Service, parts: &Parts, body: Body) -> Response {
    let outcome = async {
        let name = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        if (parts.method.as_str(), name) == ("PUT", "restore") {
            return restore(service, parts, body).await;
        }
        let body = read_body(service, body).await?;
        service.authenticate(parts, Payload::Bytes(&body))?;
        match (parts.method.as_str(), name) {
            ("GET", "status") => Ok(service::response(Reply::json(&status(service)?))),
            ("GET", "backup") => backup(service).await,
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
        let mut stages = Vec::new();
        for stage in store.list::<Stage>(&[&api.id])? {
            let earlier = earlier_deployments(&store, &api.id, &stage.stage_name)?;
            stages.push(stage_status(service, &api.id, &stage, &earlier));
        }
        apis.push(json!({ "id": api.id, "name": api.name, "stages": stages }));
    }
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "region": parts.settings.region,
        "accountId": parts.settings.account_id,
        "store": parts.store.path().display().to_string(),
        "apis": apis,
    }))
}

/// A stage; `earlier` are the deployments that it has had before its own, the latest first.
fn stage_status(service: &Service, api: &str, stage: &Stage, earlier: &[String]) -> Value {
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
        "earlierDeploymentIds": earlier,
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
        let open = || {
            let file = std::fs::File::open(&passing.0)?;
            let left = file.metadata()?.len();
            Ok((file, left))
        };
        let (file, left) = open().map_err(|error| io(&passing.0, &error))?;
        Ok(FileBody { file, left, _passing: passing })
    };
    let body = blocking(work).await?;
    let content_type = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((content_type, Body::new(body)).into_response())
}

/// A file as a body, piece by piece: it was just written, so it is read from memory mostly.
struct FileBody {
    file: std::fs::File,
    left: u64,
    _passing: Passing,
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        const PIECE: u64 = 64 << 10;
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = vec![0; usize::try_from(self.left.min(PIECE)).expect("a small number")];
        // One that is shorter than it was ends the answer with an error and not as if it were whole.
        if let Err(error) = self.file.read_exact(&mut piece) {
            self.left = 0;
            return Poll::Ready(Some(Err(error)));
        }
        self.left -= piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Makes a backup all there is, and serves it.
async fn restore(service: &Service, parts: &Parts, body: Body) -> Result<Response, ApiError> {
    // A backup may be larger than memory should be. So the signature is checked with what the caller
    // says that the body is, and then the body with that.
    let said =
        parts.headers.get("x-amz-content-sha256").and_then(|it| sha256_of_hex(it.as_bytes()));
    let said = said.ok_or_else(|| {
        ApiError::bad_request("a restore has the backup's SHA-256 in X-Amz-Content-Sha256")
    })?;
    service.authenticate(parts, Payload::Hash(said))?;
    let passing = Passing::beside(service.parts().store.path());
    let directory = passing.0.clone();
    let file = directory.join(store::FILE_NAME);
    std::fs::create_dir(&directory).map_err(|error| io(&directory, &error))?;
    if receive(body, &file).await? != said {
        return Err(ApiError::bad_request("the backup is not the one of X-Amz-Content-Sha256"));
    }
    let work = move || {
        Store::open(&directory).map_err(|error| match error {
            StoreError::Damaged { why, .. } => {
                ApiError::bad_request(format!("this is no backup of a store: {why}"))
            }
            error => ApiError::bad_request(error.to_string()),
        })
    };
    let opened = blocking(work).await?;
    service.restore(opened).await?;
    Ok(service::response(Reply::json(&json!({}))))
}

/// Writes a body to `path` piece by piece; gives its SHA-256.
async fn receive(mut body: Body, path: &Path) -> Result<[u8; 32], ApiError> {
    let mut file = std::fs::File::create_new(path).map_err(|error| io(path, &error))?;
    let mut digest = digest::Context::new(&digest::SHA256);
    let (mut piece, mut total) = (Vec::new(), 0_u64);
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        let is_last = frame.is_none();
        if let Some(frame) = frame {
            let frame = frame
                .map_err(|error| ApiError::bad_request(format!("the backup broke off: {error}")))?;
            if let Ok(bytes) = frame.into_data() {
                total += bytes.len() as u64;
                piece.extend_from_slice(&bytes);
            }
        }
        if total > RESTORE_BYTES_MAX {
            return Err(ApiError::bad_request(format!(
                "a backup has at most {RESTORE_BYTES_MAX} bytes"
            )));
        }
        if piece.len() >= PIECE_BYTES || is_last {
            let name = path.to_owned();
            let work = move || {
                digest.update(&piece);
                file.write_all(&piece).map_err(|error| io(&name, &error))?;
                piece.clear();
                Ok((file, digest, piece))
            };
            (file, digest, piece) = blocking(work).await?;
        }
        if is_last {
            let mut hash = [0; 32];
            hash.copy_from_slice(digest.finish().as_ref());
            return Ok(hash);
        }
    }
}

/// Reads 64 hexadecimal digits.
fn sha256_of_hex(text: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut hash = [0; 32];
    if text.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.chunks_exact(2)) {
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(hash)
}

/// Runs work that waits for a disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ApiError::internal(format!("a mistake in Ringway: {error}")))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_and_nothing_else() {
        let hash = sha256_of_hex("0aFf".repeat(16).as_bytes()).unwrap();
        assert_eq!((hash[0], hash[1], hash[31]), (0x0a, 0xff, 0xff));
        for bad in ["", "UNSIGNED-PAYLOAD", &"0".repeat(63), &"g".repeat(64), &"0".repeat(65)] {
            assert_eq!(sha256_of_hex(bad.as_bytes()), None, "{bad}");
        }
    }
}
