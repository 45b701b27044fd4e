//! The admin port: metrics and health for the machines that watch this one, and with `ringway serve`
//! the control-plane API for those that manage it.
//!
//! `GET /metrics` is Prometheus text, `GET /healthz` says that the process lives, `GET /readyz` that it
//! serves a stage and is not draining. Everything else is a JSON 404. Runs on the control thread; a
//! scrape never touches a shard but by reading its counters.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::admin_tls::{AdminTls, TlsListener};
use super::api::ApiError;
use super::ops;
use super::service::{Service, refusal};

/// Whether the process should get traffic, as `/readyz` tells.
#[derive(Debug, Default)]
pub struct Readiness(AtomicBool);

impl Readiness {
    /// Says whether a stage is published and the process is not draining.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What the admin port tells.
pub struct Admin {
    /// For `/readyz`.
    pub readiness: Arc<Readiness>,
    /// Renders `/metrics`.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// The control-plane API, where there is one (`ringway serve`).
    pub service: Option<Arc<Service>>,
    /// Its certificate; `None`: plain HTTP.
    pub tls: Option<AdminTls>,
}

/// A bound admin port that does not answer yet.
#[derive(Debug)]
pub struct AdminListener(TcpListener);

impl AdminListener {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// The kernel's.
    pub fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// The address with its real port.
    ///
    /// # Errors
    /// The kernel's.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Answers until the process ends. Must run in the control thread's runtime.
    ///
    /// # Errors
    /// The socket cannot be watched by the runtime.
    pub async fn serve(self, admin: Admin) -> std::io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.0)?;
        match &admin.tls {
            None => axum::serve(listener, router(admin)).await,
            Some(tls) => {
                let listener = TlsListener::new(listener, tls)?;
                axum::serve(listener, router(admin)).await
            }
        }
    }
}

fn router(admin: Admin) -> Router {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz));
    let router = match admin.service {
        None => router.fallback(not_found).method_not_allowed_fallback(not_allowed),
        Some(_) => router.fallback(service),
    };
    router.with_state(Arc::new(admin))
}

/// Everything else is the control-plane API's, and what Ringway adds to it.
async fn service(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let Some(service) = &admin.service else { return not_found().await };
    let (parts, body) = request.into_parts();
    if ops::is_one(parts.uri.path()) {
        return ops::answer(service, &parts, body).await;
    }
    match read_body(service, body).await {
        Ok(body) => service.answer(&parts, body).await,
        Err(error) => refusal(&error),
    }
}

/// All of a call's body.
pub(super) async fn read_body(service: &Service, body: Body) -> Result<Bytes, ApiError> {
    let most = service.parts().body_bytes_max;
    axum::body::to_bytes(body, most).await.map_err(|error| {
        ApiError::bad_request(format!(
            "the request's body cannot be read, or has more than {most} bytes (admin.max_body): {error}"
        ))
    })
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let text = (admin.metrics)();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn healthz() -> Response {
    json(StatusCode::OK, r#"{"status":"alive"}"#)
}

async fn readyz(State(admin): State<Arc<Admin>>) -> Response {
    if admin.readiness.is_ready() {
        json(StatusCode::OK, r#"{"status":"ready"}"#)
    } else {
        json(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"not ready"}"#)
    }
}

async fn not_found() -> Response {
    json(
        StatusCode::NOT_FOUND,
        r#"{"message":"The admin port has /metrics, /healthz and /readyz"}"#,
    )
}

async fn not_allowed() -> Response {
    json(StatusCode::METHOD_NOT_ALLOWED, r#"{"message":"The admin port takes GET and HEAD"}"#)
}

fn json(status: StatusCode, body: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn ask(address: SocketAddr, request_line: &str) -> String {
        let mut socket = TcpStream::connect(address).unwrap();
        write!(socket, "{request_line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn the_admin_port_tells_metrics_and_health() {
        let readiness = Arc::new(Readiness::default());
        let listener = AdminListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.address().unwrap();
        let admin = Admin {
            service: None,
            tls: None,
            readiness: readiness.clone(),
            metrics: Box::new(|| "ringway_up 1\n".to_owned()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            tokio::spawn(listener.serve(admin));
            let asked = tokio::task::spawn_blocking(move || {
                for (ready, request, status, says) in [
                    (false, "GET /healthz", "200 OK", "alive"),
                    (false, "GET /readyz", "503 Service Unavailable", "not ready"),
                    (true, "GET /readyz", "200 OK", "\"ready\""),
                    (true, "GET /metrics", "200 OK", "ringway_up 1\n"),
                    (true, "GET /metrics/", "404 Not Found", "/metrics, /healthz"),
                    (true, "GET /", "404 Not Found", "/metrics, /healthz"),
                    (true, "POST /metrics", "405 Method Not Allowed", "GET and HEAD"),
                ] {
                    readiness.set(ready);
                    let answer = ask(address, request);
                    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
                    assert!(answer.contains(says), "{request}: {answer}");
                }
            });
            asked.await.unwrap();
        });
    }
}
