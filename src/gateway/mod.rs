//! The steps of a request, one file each, and the one function that calls them in order.
//!
//! A step takes what it needs, returns what the next one needs, and calls no other step. What carries
//! the request (HTTP/1.1 today) is a [`Client`] to them: they know nothing of connections.
//!
//! **Invariant**: nothing here reads `model` or touches a client's connection.

mod api_key;
mod authorize;
pub mod canary;
mod client;
mod content;
mod context;
mod error;
mod exchange;
pub mod execution_log;
pub mod find_api;
mod gateway_response;
mod integrate;
pub mod map_request;
mod map_response;
mod overrides;
mod request_body;
pub mod route;
mod secret;
mod templates;
mod throttle;
mod validate;

pub use client::Client;
pub use context::ContextView;
pub use error::GatewayError;
pub use exchange::{
    ApiKey, Exchange, HeadBytes, IntegrationOutcome, Peer, RequestIds, Response, ResponseBody,
};
pub use integrate::{Interrupted, UpstreamBody};
pub use templates::{FailureLog, ParsedBody, Renderer};
pub use validate::Validator;

use crate::deploy::{CompiledIntegration, CompiledMethod, CompiledStage};
use crate::http::KnownHeader;
use crate::ring::{Ring, yield_now};
use crate::upstream::Upstreams;
use crate::usage::UsagePlans;

/// What the steps need of their shard.
pub struct Env {
    /// The shard's ring.
    pub ring: Ring,
    /// The shard's connections to integrations.
    pub upstreams: Upstreams,
    /// Requests that were sent again because a kept connection had gone stale.
    pub retries: std::cell::Cell<u64>,
    /// Connections to integrations that could not be made.
    pub connect_errors: std::cell::Cell<u64>,
    /// What renders mapping templates.
    pub renderer: std::cell::RefCell<Renderer>,
    /// What judges bodies.
    pub validator: std::cell::RefCell<Validator>,
    /// Tells of those that fail.
    pub failures: FailureLog,
    /// API keys and usage plans, shared by all shards.
    pub usage: std::sync::Arc<UsagePlans>,
}

/// Makes the answer to an exchange whose head has been parsed: `exchange.response`, and the
/// integration's body if it is to be streamed.
///
/// Whatever goes wrong becomes a gateway response. `None` with [`Client::is_gone`]: nobody is left to
/// answer.
pub async fn respond<C: Client>(
    env: &Env,
    stage: &CompiledStage,
    exchange: &mut Exchange,
    client: &mut C,
) -> Option<Box<UpstreamBody>> {
    match steps(env, stage, exchange, client).await {
        Ok(body) => {
            execution_log::success(env.ring.wall(), stage, exchange);
            body
        }
        Err(error) => {
            if let GatewayError::Template(_) = error {
                env.failures.add(stage, exchange, &error, env.ring.now());
            }
            refuse(stage, exchange, error);
            execution_log::failure(env.ring.wall(), stage, exchange);
            None
        }
    }
}

/// The same for a test invocation of the method with this index: nothing is routed, nobody
/// needs a key, and nobody is throttled.
///
/// The exchange carries an [`ExecutionLog`](execution_log::ExecutionLog) of all data, and so the answer is
/// whole when this returns: `exchange.response.body` is never streamed.
pub async fn respond_to_test<C: Client>(
    env: &Env,
    stage: &CompiledStage,
    method: u32,
    exchange: &mut Exchange,
    client: &mut C,
) {
    exchange.method = Some(method);
    let method = &stage.methods[method as usize];
    match carry_out(env, stage, method, exchange, client).await {
        Ok(streamed) => {
            assert!(streamed.is_none(), "what is logged is collected");
            execution_log::success(env.ring.wall(), stage, exchange);
        }
        Err(error) => {
            refuse(stage, exchange, error);
            execution_log::failure(env.ring.wall(), stage, exchange);
        }
    }
}

/// Makes the answer to a request that is refused.
pub fn refuse(stage: &CompiledStage, exchange: &mut Exchange, error: GatewayError) {
    exchange.response.headers.clear();
    exchange.response.buffer.clear();
    gateway_response::write(stage, exchange, error);
}

/// Compresses the finished answer where the API and the client want it.
pub async fn finish(env: &Env, stage: &CompiledStage, exchange: &mut Exchange) {
    if let Some(coding) = content::compression(stage, exchange) {
        let pause = async || yield_now(&env.ring).await;
        Box::pin(content::compress_response(stage, exchange, coding, pause)).await;
    }
}

/// The life of a request, from its parsed head to its answer.
async fn steps<C: Client>(
    env: &Env,
    stage: &CompiledStage,
    exchange: &mut Exchange,
    client: &mut C,
) -> Result<Option<Box<UpstreamBody>>, GatewayError> {
    let method = route::find(stage, exchange)?;
    authorize::check(method)?;
    admit(env, stage, method, exchange)?;
    carry_out(env, stage, method, exchange, client).await
}

/// What the limits say of a request. A function of its own, since what is borrowed of the keys is not held
/// while the request waits.
#[inline]
fn admit(
    env: &Env,
    stage: &CompiledStage,
    method: &CompiledMethod,
    exchange: &mut Exchange,
) -> Result<(), GatewayError> {
    let keys = method.api_key.map(|source| (source, env.usage.pin()));
    let admission = match &keys {
        Some((source, keys)) => Some(api_key::admit(env, keys, stage, method, *source, exchange)?),
        None => {
            api_key::not_needed(env, stage, method, exchange);
            None
        }
    };
    throttle::admit(method, admission, env.ring.now())
}

/// What becomes of a request that its method has admitted.
async fn carry_out<C: Client>(
    env: &Env,
    stage: &CompiledStage,
    method: &CompiledMethod,
    exchange: &mut Exchange,
    client: &mut C,
) -> Result<Option<Box<UpstreamBody>>, GatewayError> {
    execution_log::method_request(env.ring.wall(), method, exchange, client.body_preview());
    validate::parameters(stage, method, exchange)?;
    validate::body(env, stage, method, exchange, client).await?;
    match &method.integration {
        CompiledIntegration::Mock(mock) => {
            if client.has_body() {
                let wanted = mock.reads_body(exchange);
                let coding = exchange.head.find(&exchange.head_bytes, KnownHeader::ContentEncoding);
                let coding = if wanted { content::Coding::of_request(coding)? } else { None };
                request_body::read(stage, exchange, client, wanted).await?;
                if let Some(coding) = coding {
                    request_body::decompress(env, stage, exchange, coding).await?;
                }
            }
            let renderer = &mut env.renderer.borrow_mut();
            let answered = integrate::mock::respond(stage, method, mock, exchange, renderer);
            renderer.trim();
            answered.map(|()| None)
        }
        CompiledIntegration::Http(http) => {
            integrate::http::call(env, stage, method, http, exchange, client).await
        }
    }
}
