//! The process.

pub mod cpus;
pub mod listen;
