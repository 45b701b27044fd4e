//! The control thread's parts: everything that may be slow.

pub mod admin;
pub mod watch;
