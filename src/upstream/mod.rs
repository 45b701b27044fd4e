//! Pooled client connections to integrations.
//!
//! A [`Target`] is where an integration is; the control thread resolves its name. Each shard has its
//! own [`Upstreams`]: connections by target, each carrying one request at a time.
//!
//! **Invariant**: nothing here knows which API a request belongs to, and a shard never looks a name up.

mod connection;
mod pool;
mod target;

pub use connection::Connection;
pub use pool::{ConnectError, UpstreamStats, Upstreams};
pub use target::{Scheme, Target, TargetAddresses, TargetRegistry};
