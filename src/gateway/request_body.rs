//! Reads a request's body, for whichever step needs it first.
//!
//! Who has taken it says so in `Exchange::body_is_taken`: then `Exchange::body` is what the client meant,
//! its coding undone, and nobody reads it again.

use super::Env;
use super::client::Client;
use super::content::{self, Coding};
use super::error::GatewayError;
use super::exchange::Exchange;
use crate::deploy::CompiledStage;
use crate::ring::yield_now;

/// Reads the request's body to its end, into `exchange.body` if it is `wanted`.
///
/// # Errors
/// The body is larger than the payload limit, or than what is held whole if it is `wanted`; or it cannot
/// be read.
pub async fn read<C: Client>(
    stage: &CompiledStage,
    exchange: &mut Exchange,
    client: &mut C,
    wanted: bool,
) -> Result<(), GatewayError> {
    let limit = if wanted { stage.limits.held_max() } else { stage.limits.payload_max() };
    check_announced(client, limit)?;
    if client.has_body() {
        client.prepare_to_wait(exchange).await;
    }
    let mut total = 0_u64;
    while let Some(piece) = client.read_body().await? {
        total += piece.len() as u64;
        if total > limit {
            return Err(GatewayError::PayloadTooLarge { limit });
        }
        if wanted {
            exchange.body.extend_from_slice(&piece);
        }
    }
    Ok(())
}

/// Undoes the coding of the body that was read.
///
/// # Errors
/// It is not what its coding says, or larger than what is held whole.
pub async fn decompress(
    env: &Env,
    stage: &CompiledStage,
    exchange: &mut Exchange,
    coding: Coding,
) -> Result<(), GatewayError> {
    let (body, limit) = (&mut exchange.body, stage.limits.held_max());
    let pause = async || yield_now(&env.ring).await;
    Box::pin(content::decompress(body, coding, limit, pause)).await
}

/// Refuses a body whose announced length is over the limit before a byte of it is read.
pub fn check_announced<C: Client>(client: &C, limit: u64) -> Result<(), GatewayError> {
    match client.body_remaining() {
        Some(announced) if announced > limit => Err(GatewayError::PayloadTooLarge { limit }),
        _ => Ok(()),
    }
}
