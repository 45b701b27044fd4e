//! Buckets by name, kept from one publish to the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::throttle::TokenBucket;
use crate::time::Nanos;

/// Buckets by name: `account`, `a1b2c3/dev`, `a1b2c3/dev/GET /pets`.
///
/// Compiling a stage asks for its buckets by name and so gets those that the stage before it used,
/// with their tokens. Requests never look here: the compiled stage holds the buckets.
#[derive(Debug, Default)]
pub struct BucketRegistry {
    /// Locked by compiling and publishing only.
    buckets: Mutex<HashMap<Box<str>, Arc<TokenBucket>>>,
}

impl BucketRegistry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bucket of that name: the one there is, as it is, else a new, full one with these settings.
    ///
    /// One that is there may be in use, so whoever publishes the settings changes it
    /// ([`TokenBucket::reconfigure`]), not whoever asks for it.
    pub fn bucket(&self, name: &str, rate: f64, burst: u32, now: Nanos) -> Arc<TokenBucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(name) {
            return Arc::clone(bucket);
        }
        let bucket = Arc::new(TokenBucket::new(rate, burst, now));
        buckets.insert(name.into(), Arc::clone(&bucket));
        bucket
    }

    /// Forgets every bucket that no stage holds any more.
    pub fn sweep(&self) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody can get one from here meanwhile: that takes the lock.
        buckets.retain(|_, bucket| Arc::strong_count(bucket) > 1);
    }

    /// Buckets there are.
    pub fn len(&self) -> usize {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_is_the_same_bucket_and_keeps_its_tokens() {
        let registry = BucketRegistry::new();
        let now = Nanos(5);
        let before = registry.bucket("a1b2c3/dev", 1.0, 2, now);
        assert!(before.take(now) && before.take(now) && !before.take(now));
        let after = registry.bucket("a1b2c3/dev", 1.0, 4, now);
        assert!(Arc::ptr_eq(&before, &after));
        assert_eq!((after.rate(), after.burst()), (1.0, 2), "who asks changes nothing");
        assert!(!after.take(now), "a reload refills nothing");
        assert!(
            registry.bucket("a1b2c3/prod", 1.0, 1, now).take(now),
            "another name, another bucket"
        );
    }

    #[test]
    fn buckets_that_nobody_holds_are_forgotten() {
        let registry = BucketRegistry::new();
        let account = registry.bucket("account", 1.0, 1, Nanos(0));
        let stage = registry.bucket("a1b2c3/dev", 1.0, 1, Nanos(0));
        assert!(stage.take(Nanos(0)));
        registry.sweep();
        assert_eq!(registry.len(), 2);
        drop(stage);
        registry.sweep();
        assert_eq!(registry.len(), 1);
        assert!(Arc::ptr_eq(&account, &registry.bucket("account", 1.0, 1, Nanos(0))));
        assert!(
            registry.bucket("a1b2c3/dev", 1.0, 1, Nanos(0)).take(Nanos(0)),
            "a new one is full"
        );
    }
}
