//! Step integrate: what answers a request. One file per kind of integration.

pub mod http;
pub mod mock;
mod upstream_body;

pub use upstream_body::{Interrupted, UpstreamBody};
