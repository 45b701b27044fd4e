//! Pooled client connections to integrations.

mod target;

pub use target::{Scheme, Target, TargetAddresses, TargetRegistry};
