//! Access keys, and secrets that cannot be printed by accident.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::time::WallMillis;

/// A text that no log, message or `Debug` shows.
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// Keeps `text`.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who signs or stores it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Is it `other`? Takes the same time wherever the first difference is.
    pub fn is(&self, other: &[u8]) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), other).is_ok()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.0.as_bytes())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// An access key: what one caller signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its public name, for example `AKIDEXAMPLE`.
    pub access_key_id: String,
    /// What signatures are made with.
    pub secret: Secret,
    /// Temporary credentials: the token that each request has to carry.
    pub session_token: Option<Secret>,
    /// Temporary credentials: from when on they are refused.
    pub expires_at: Option<WallMillis>,
}

impl Credential {
    /// A long-lived access key.
    pub fn new(access_key_id: impl Into<String>, secret: Secret) -> Self {
        Self { access_key_id: access_key_id.into(), secret, session_token: None, expires_at: None }
    }
}

/// Checks an access key's id. AWS's have 16 to 128 word characters; short ones like `test` are for
/// tests.
///
/// # Errors
/// A sentence that says what would be right. It does not repeat the id, which may be the secret, put in
/// the wrong place.
pub fn check_access_key_id(text: &str) -> Result<(), String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !(1..=128).contains(&text.len()) || !text.bytes().all(good) {
        return Err("an access key's id has 1 to 128 letters, digits, '_' and '-'".to_owned());
    }
    Ok(())
}

/// Checks a secret.
///
/// # Errors
/// What it has to have, without the secret.
pub fn check_secret(text: &str) -> Result<(), String> {
    if !(1..=256).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has to have 1 to 256 ASCII characters without blanks".to_owned());
    }
    Ok(())
}

/// Where a verifier looks keys up.
pub trait Credentials {
    /// The key of that id. Ids are public, so this may take different times.
    fn find(&self, access_key_id: &str) -> Option<Arc<Credential>>;
}

/// Keys that are known beforehand.
#[derive(Clone, Debug, Default)]
pub struct StaticCredentials(HashMap<String, Arc<Credential>>);

impl FromIterator<Credential> for StaticCredentials {
    fn from_iter<I: IntoIterator<Item = Credential>>(all: I) -> Self {
        Self(all.into_iter().map(|one| (one.access_key_id.clone(), Arc::new(one))).collect())
    }
}

impl Credentials for StaticCredentials {
    fn find(&self, access_key_id: &str) -> Option<Arc<Credential>> {
        self.0.get(access_key_id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_compared_and_never_shown() {
        let secret = Secret::new("wJalrXUtnFEMI");
        assert!(secret.is(b"wJalrXUtnFEMI") && !secret.is(b"wJalrXUtnFEM") && !secret.is(b""));
        assert_eq!(secret, Secret::new("wJalrXUtnFEMI"));
        assert_ne!(secret, Secret::new("wJalrXUtnFEMJ"));
        let mut key = Credential::new("AKID", secret);
        key.session_token = Some(Secret::new("wJalrToken"));
        assert!(!format!("{key:?}").contains("wJalr"), "{key:?}");
    }

    #[test]
    fn ids_and_secrets_have_their_characters() {
        for (id, good) in [
            ("test", true),
            ("AKIA_EX-1", true),
            (&*"A".repeat(128), true),
            (&*"A".repeat(129), false),
            ("", false),
            ("a/b", false),
            ("ü", false),
        ] {
            assert_eq!(check_access_key_id(id).is_ok(), good, "{id}");
        }
        for (secret, good) in
            [("test", true), ("a/b+c=", true), ("", false), ("a b", false), ("ü", false)]
        {
            assert_eq!(check_secret(secret).is_ok(), good, "{secret}");
        }
        assert!(check_secret(&"s".repeat(257)).is_err());
    }

    #[test]
    fn keys_are_found_by_their_id() {
        let keys: StaticCredentials =
            ["A", "B"].map(|id| Credential::new(id, Secret::new(id))).into_iter().collect();
        assert_eq!(keys.find("B").unwrap().access_key_id, "B");
        assert!(keys.find("b").is_none());
    }
}
