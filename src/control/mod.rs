//! The control thread's parts: everything that may be slow.

pub mod admin;
pub mod admin_tls;
pub mod api;
pub mod credentials;
pub mod definition;
pub mod findings;
pub mod log_writer;
pub mod ops;
pub mod publish;
pub mod resolve;
pub mod service;
pub mod serving;
pub mod vault;
pub mod watch;
