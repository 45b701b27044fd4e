//! Keys, and their members: what one key has in one plan.

use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use once_cell::race::OnceBox;
use siphasher::sip128::{Hasher128, SipHasher24};
use triomphe::ThinArc;

use super::counter::Counter;
use super::plan::{Plan, PlanCell};
use crate::throttle::RateState;

/// A keyed hash of a key's value: without the [`HashKey`] nothing can be told from it, and no two values
/// of one hash can be found. So it may be stored, and stands for the value wherever that is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueHash {
    // Two words instead of one of 128 bits, which would have to lie at a multiple of 16 bytes.
    high: u64,
    low: u64,
}

impl ValueHash {
    /// To be stored.
    pub fn to_bytes(self) -> [u8; 16] {
        self.whole().to_be_bytes()
    }

    /// What was stored.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self::from(u128::from_be_bytes(bytes))
    }

    fn whole(self) -> u128 {
        (u128::from(self.high) << 64) | u128::from(self.low)
    }
}

impl From<u128> for ValueHash {
    fn from(whole: u128) -> Self {
        Self { high: (whole >> 64) as u64, low: whole as u64 }
    }
}

/// 32 hexadecimal digits, in the order of the hashes.
impl std::fmt::Display for ValueHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.whole())
    }
}

/// What values are hashed with: SipHash-2-4, a pseudorandom function for short texts under a secret key.
///
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF"; 128 bits are its authors' variant.
#[derive(Clone)]
pub struct HashKey([u64; 2]);

impl HashKey {
    /// One of these bytes, which are secret.
    pub fn new(bytes: [u8; 16]) -> Self {
        let whole = u128::from_le_bytes(bytes);
        Self([whole as u64, (whole >> 64) as u64])
    }

    /// A new one by the system's generator.
    pub(super) fn random() -> Self {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system gives random bytes");
        Self::new(bytes)
    }

    /// The hash of a value.
    #[inline]
    pub fn hash(&self, value: &[u8]) -> ValueHash {
        let mut hasher = SipHasher24::new_with_keys(self.0[0], self.0[1]);
        hasher.write(value);
        hasher.finish128().as_u128().into()
    }
}

/// Longest id that is kept in place. AWS's have ten characters.
const ID_BYTES: usize = 14;

/// A key's id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    bytes: [u8; ID_BYTES],
    length: u8,
}

impl KeyId {
    /// Keeps an id of at most 14 bytes; `None`: it is longer.
    pub fn new(id: &str) -> Option<Self> {
        let mut bytes = [0; ID_BYTES];
        bytes.get_mut(..id.len())?.copy_from_slice(id.as_bytes());
        Some(Self { bytes, length: u8::try_from(id.len()).ok()? })
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The same as bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A member, shared by its key and whoever brings what it has counted to the store. Without weak references,
/// so that a member and its count of references are one cache line.
pub(super) type MemberRef = triomphe::Arc<Member>;

/// An API key. Immutable; a change makes another with the same members.
///
/// It lies in the map itself: a request that looks a key up among a million waits for memory four times
/// (the map's tags, its pointer, this, the member), a cache line each, and there are a million of these.
#[derive(Debug)]
pub(super) enum Key {
    /// Has one plan, as nearly all have; that takes no memory of its own.
    One { enabled: bool, member: MemberRef },
    /// Has several plans, or none.
    Several { enabled: bool, members: ThinArc<(), MemberRef> },
}

impl Key {
    /// A key that opens something if it is `enabled`, with a member for each of its plans.
    pub(super) fn new(enabled: bool, members: &[MemberRef]) -> Self {
        match members {
            [member] => Self::One { enabled, member: member.clone() },
            _ => {
                let members = ThinArc::from_header_and_iter((), members.iter().cloned());
                Self::Several { enabled, members }
            }
        }
    }

    /// Whether it opens anything.
    #[inline]
    pub(super) fn is_enabled(&self) -> bool {
        let (Self::One { enabled, .. } | Self::Several { enabled, .. }) = *self;
        enabled
    }

    /// One for each of its plans.
    #[inline]
    pub(super) fn members(&self) -> &[MemberRef] {
        match self {
            Self::One { member, .. } => std::slice::from_ref(member),
            Self::Several { members, .. } => &members.slice,
        }
    }
}

// Hash and key together are an entry of the map: half a cache line, and never parts of two.
const _: () = assert!(size_of::<(ValueHash, Key)>() == 32);

/// One key in one plan.
#[derive(Debug)]
pub(super) struct Member {
    /// The plan as it is now; the same cell for all members.
    pub(super) plan: Arc<PlanCell>,
    bucket: RateState,
    /// Counts towards the quota.
    pub(super) quota: Counter,
    /// Counts of the day.
    pub(super) day: Counter,
    /// Buckets of single methods, by their place in the plan; made when the first is needed.
    methods: OnceBox<Box<[RateState]>>,
    /// The key.
    pub(super) key: KeyId,
    /// [`CHANGED`] and [`GONE`].
    marks: AtomicU8,
}

/// It is among the changes that nobody has taken yet.
const CHANGED: u8 = 1;
/// Its key is gone, or has left the plan: what it counts is nobody's.
const GONE: u8 = 2;

impl Member {
    /// A member that has counted so far.
    pub(super) fn new(key: KeyId, plan: Arc<PlanCell>, quota: Counter, day: Counter) -> Self {
        Self {
            key,
            plan,
            bucket: RateState::default(),
            quota,
            day,
            methods: OnceBox::new(),
            marks: AtomicU8::new(0),
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
        self.methods.get_or_init(|| Box::new(make().collect())).get(place)
    }

    /// The same where it has been needed before.
    pub(super) fn known_method_bucket(&self, place: usize) -> Option<&RateState> {
        self.methods.get()?.get(place)
    }

    /// Marks it as changed, after its counters were; `true`: it was not, and whoever marked it hands it over.
    ///
    /// Nearly always it is marked already, so a look comes first: it leaves the word with all the shards
    /// that share it, where a swap would fetch it to each in turn.
    ///
    /// The look loses no count. All that happens to the counters and the mark is `SeqCst`, so it has one
    /// order that everybody agrees on. Here a count comes before the look; there
    /// ([`take_mark`](Self::take_mark)) the mark is taken before the counters are read. If the look finds
    /// the mark, that is taken after the look, and the counters are read later still: with the count. If
    /// it does not, this call hands the count over.
    /// With less than `SeqCst` on any of the four, the look may find a mark that is just being taken while
    /// the taker reads a counter from before the count: then nobody hands it over. On x86-64 none of this
    /// costs a thing: the count is a locked instruction anyway, and the look an ordinary load.
    #[inline]
    pub(super) fn is_first_change(&self) -> bool {
        let is_new = |marks: u8| marks & CHANGED == 0;
        is_new(self.marks.load(Ordering::SeqCst))
            && is_new(self.marks.fetch_or(CHANGED, Ordering::SeqCst))
    }

    /// Says that its key is gone, or has left the plan.
    pub(super) fn leave(&self) {
        self.marks.fetch_or(GONE, Ordering::Release);
    }

    /// Whether its key is still in the plan, and that a plan.
    pub(super) fn is_present(&self) -> bool {
        self.marks.load(Ordering::Acquire) & GONE == 0 && self.plan.is_present()
    }

    /// Takes the mark. Counts before the mark are seen after this; later ones mark it anew.
    pub(super) fn take_mark(&self) {
        self.marks.fetch_and(!CHANGED, Ordering::SeqCst);
    }
}

/// Room for methods that a plan may get later: AWS allows 20 for a stage.
const METHODS_MIN: usize = 20;

// A million members are a million of these, and each is one cache line with its count of references, which
// the allocator puts at a multiple of its size.
const _: () = assert!(size_of::<RateState>() == size_of::<AtomicU64>());
const _: () = assert!(size_of::<Member>() + size_of::<usize>() == 64);
