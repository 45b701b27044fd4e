//! Who calls: signatures of requests, checked as pure functions of bytes and time.
//!
//! [`sigv4`] verifies and makes AWS Signature Version 4, for the admin API today and for callers of
//! APIs (`AWS_IAM`) later; [`credential`] holds the keys it works with and never prints one.

pub mod credential;
pub mod sigv4;

pub use credential::{Credential, Credentials, Secret, StaticCredentials};
