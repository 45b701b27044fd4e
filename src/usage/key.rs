//! Keys, and their members: what one key has in one plan.

use std::hash::Hasher;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use siphasher::sip128::{Hasher128, SipHasher13};
use smallvec::SmallVec;

use super::counter::Counter;
use super::plan::Plan;
use crate::throttle::{Rate, RateState};
use crate::time::Nanos;

/// A keyed hash of a key's value. Two values of one hash are not to be found without the key, which is
/// made anew with every process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueHash(u128);

/// What values are hashed with.
#[derive(Clone)]
pub(super) struct HashKey([u64; 2]);

impl HashKey {
    /// A new one by the system's generator.
    pub(super) fn random() -> Self {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system gives random bytes");
        let half = |range: std::ops::Range<usize>| {
            u64::from_ne_bytes(bytes[range].try_into().expect("eight bytes"))
        };
        Self([half(0..8), half(8..16)])
    }

    #[inline]
    pub(super) fn hash(&self, value: &[u8]) -> ValueHash {
        let mut hasher = SipHasher13::new_with_keys(self.0[0], self.0[1]);
        hasher.write(value);
        ValueHash(hasher.finish128().as_u128())
    }
}

/// Longest id that is kept in place. AWS's have ten characters.
const ID_BYTES: usize = 15;

/// A key's id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId {
    bytes: [u8; ID_BYTES],
    length: u8,
}

impl KeyId {
    /// Keeps an id of at most 15 bytes; `None`: it is longer.
    pub fn new(id: &str) -> Option<Self> {
        let mut bytes = [0; ID_BYTES];
        bytes.get_mut(..id.len())?.copy_from_slice(id.as_bytes());
        Some(Self { bytes, length: u8::try_from(id.len()).ok()? })
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An API key. Immutable; a change makes another with the same members.
#[derive(Debug)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// Whether it opens anything.
    pub enabled: bool,
    /// One for each of its plans.
    pub(super) members: SmallVec<[Arc<Member>; 1]>,
}

/// One key in one plan.
#[derive(Debug)]
pub struct Member {
    /// The key.
    pub key: KeyId,
    /// The plan as it is now; the same cell for all members.
    pub plan: Arc<ArcSwap<Plan>>,
    bucket: RateState,
    /// Counts towards the quota.
    pub(super) quota: Counter,
    /// Counts of the day.
    pub(super) day: Counter,
    /// Whether it is among the changes that nobody has taken yet.
    pub(super) changed: AtomicBool,
    /// Buckets of single methods, by their place in the plan; made when the first is needed.
    methods: OnceLock<Box<[RateState]>>,
}

impl Member {
    /// A member that has counted so far.
    pub(super) fn new(key: KeyId, plan: Arc<ArcSwap<Plan>>, quota: Counter, day: Counter) -> Self {
        Self {
            key,
            plan,
            bucket: RateState::default(),
            quota,
            day,
            changed: AtomicBool::new(false),
            methods: OnceLock::new(),
        }
    }

    /// The bucket of all methods together.
    pub(super) fn bucket(&self) -> &RateState {
        &self.bucket
    }

    /// The bucket of a method at a place among those of the plan. `None`: the plan has got more of them
    /// than when the first was needed; such a method is under the plan's other limits only, until the
    /// process starts again.
    pub(super) fn method_bucket(&self, plan: &Plan, place: usize) -> Option<&RateState> {
        let make = || (0..plan.method_count().max(METHODS_MIN)).map(|_| RateState::default());
        self.methods.get_or_init(|| make().collect()).get(place)
    }

    /// The same where it has been needed before.
    pub(super) fn known_method_bucket(&self, place: usize) -> Option<&RateState> {
        self.methods.get()?.get(place)
    }

    /// Whether nobody has taken its changes since.
    pub(super) fn is_first_change(&self) -> bool {
        !self.changed.load(Ordering::Relaxed) && !self.changed.swap(true, Ordering::AcqRel)
    }
}

/// Room for methods that a plan may get later: AWS allows 20 for a stage.
const METHODS_MIN: usize = 20;

// A million members are a million of these.
const _: () = assert!(size_of::<RateState>() == size_of::<AtomicU64>());

/// What a bucket gave, to be put back.
pub(super) type Given<'a> = (&'a RateState, Rate, u64);

/// Takes from a bucket.
#[inline]
pub(super) fn take(state: &RateState, rate: Rate, now: Nanos) -> Option<Given<'_>> {
    state.take(rate, now).map(|token| (state, rate, token))
}
