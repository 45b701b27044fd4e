//! The client as the steps see it: where the request's body comes from, and whether it is still there.

use super::error::GatewayError;
use super::exchange::Exchange;
use crate::ring::RecvBuf;

/// The carrier's side of one exchange.
pub trait Client {
    /// Whether the request has a body that has not been read to its end.
    fn has_body(&self) -> bool;

    /// Bytes of the body that are still to come, where the head said so.
    fn body_remaining(&self) -> Option<u64>;

    /// What is here of the request's body before it is read, for the execution log; may be less than all.
    fn body_preview(&self) -> &[u8] {
        &[]
    }

    /// Whether the client has gone: there is nobody to answer.
    fn is_gone(&self) -> bool;

    /// Answers `Expect: 100-continue` if that is owed. To be awaited to its end: half of an interim answer
    /// would be the beginning of the final one.
    fn ask_for_body(&mut self) -> impl Future<Output = ()>;

    /// The next piece of the request's body if it is here already, decoded. Whoever sent one waits for no
    /// `100 Continue` (RFC 9110 section 10.1.1).
    ///
    /// # Errors
    /// Broken framing.
    fn received_body(&mut self) -> Result<Option<RecvBuf>, GatewayError> {
        Ok(None)
    }

    /// The next piece of the request's body, decoded; `None`: it was read to its end. The first call
    /// answers `Expect: 100-continue`.
    ///
    /// Dropping the future ends the reading: a piece of a large body may be lost with it, and half of
    /// `100 Continue` may have left unless [`Self::ask_for_body`] was awaited before.
    ///
    /// # Errors
    /// Broken framing, a deadline missed, or a client that is gone.
    fn read_body(&mut self) -> impl Future<Output = Result<Option<RecvBuf>, GatewayError>>;

    /// Ready when the client has reset its connection. A client that only ended its side is waited for.
    fn reset(&mut self) -> impl Future<Output = ()>;

    /// To be called before a wait for anybody but the client: answers to earlier requests are sent, and
    /// shared receive buffers are given back (what of them is needed is copied).
    fn prepare_to_wait(&mut self, exchange: &mut Exchange) -> impl Future<Output = ()>;
}
