//! Pooled client connections to integrations.
