//! TLS towards integrations: rustls over byte buffers.
//!
//! [`ClientTrust`] is read once when the process starts and shared by all shards, a stage may have a
//! [`ClientIdentity`] of its own; [`ClientTls`] is one connection's state machine. It neither reads nor writes a socket: ciphertext goes in by
//! [`ClientTls::receive`], comes out by [`ClientTls::pending`].
//!
//! **Invariant**: no I/O here but reading certificate files when the process starts.

mod client;
mod identity;
mod trust;

#[cfg(test)]
mod tests;

pub use client::{ClientTls, Received, TlsError};
pub use identity::ClientIdentity;
pub use trust::{ClientTrust, trusted_certificates};
