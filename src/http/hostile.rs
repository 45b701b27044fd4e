//! Requests that must be refused.
pub const HOSTILE: &[(&str, &[u8], u16)] = &[];
