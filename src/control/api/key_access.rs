//! KeyAccess: what requests need of an API key, in a row of its own.
//!
//! A start reads these rows and nothing else of the keys: no JSON, and no value to be decrypted. A row is
//! the hash of the key's value, whether the key is enabled, and the ids of its plans.
//!
//! **Invariant**: every key has one, written by the calls that write the key, in the same transaction.

use super::context::Context;
use super::error::ApiError;
use crate::store::Object;
use crate::usage::ValueHash;

/// Between the ids of plans. No id contains it.
const SEPARATOR: char = '\0';

/// What a key opens, under the key's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAccess {
    /// What its value is known by.
    pub hash: ValueHash,
    /// Whether it opens anything.
    pub enabled: bool,
    /// Ids of its plans, ascending.
    pub plans: Vec<String>,
}

impl Object for KeyAccess {
    const KIND: &'static str = "apikeyaccess";

    fn to_row(&self) -> Result<Vec<u8>, String> {
        let mut row = self.hash.to_bytes().to_vec();
        row.push(u8::from(self.enabled));
        for (number, plan) in self.plans.iter().enumerate() {
            if number > 0 {
                row.push(SEPARATOR as u8);
            }
            row.extend_from_slice(plan.as_bytes());
        }
        Ok(row)
    }

    fn from_row(row: &[u8]) -> Result<Self, String> {
        let (hash, rest) = row.split_first_chunk().ok_or("it is cut off")?;
        let (enabled, plans) = rest.split_first().ok_or("it is cut off")?;
        let plans = std::str::from_utf8(plans).map_err(|error| error.to_string())?;
        let plans = plans.split(SEPARATOR).filter(|id| !id.is_empty());
        Ok(Self {
            hash: ValueHash::from_bytes(*hash),
            enabled: *enabled == 1,
            plans: plans.map(str::to_owned).collect(),
        })
    }
}

/// What the key of that id opens.
///
/// # Errors
/// There is no such key.
pub(super) fn access_of(context: &Context<'_>, key: &str) -> Result<KeyAccess, ApiError> {
    context
        .get(&[key])?
        .ok_or_else(|| ApiError::internal(format!("API key {key} has no row for requests")))
}

impl KeyAccess {
    /// Takes a plan in; it was none of the key's.
    pub(super) fn add(&mut self, plan: &str) {
        let place = self.plans.partition_point(|id| id.as_str() < plan);
        self.plans.insert(place, plan.to_owned());
    }

    /// Takes a plan out.
    pub(super) fn remove(&mut self, plan: &str) {
        self.plans.retain(|id| id != plan);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let hash = ValueHash::from_bytes(*b"0123456789abcdef");
        let mut access = KeyAccess { hash, enabled: true, plans: Vec::new() };
        for (plan, want) in [("b", &["b"][..]), ("c", &["b", "c"]), ("a", &["a", "b", "c"])] {
            access.add(plan);
            assert_eq!(access.plans, want);
            let row = access.to_row().unwrap();
            assert_eq!(KeyAccess::from_row(&row).as_ref(), Ok(&access));
        }
        assert_eq!(access.to_row().unwrap(), b"0123456789abcdef\x01a\0b\0c");
        access.remove("b");
        access.enabled = false;
        assert_eq!(access.to_row().unwrap(), b"0123456789abcdef\0a\0c");
        for length in 0..17 {
            assert!(KeyAccess::from_row(&b"0123456789abcdef"[..length.min(16)]).is_err());
        }
    }
}
