//! API keys and usage plans, as requests meet them: who is calling, and is there something left?
//!
//! ```text
//! x-api-key ──hash──▶ key ──the plan that has this stage──▶ member ──▶ method's bucket, bucket, quota
//! ```
//!
//! A *member* is one key in one plan: a bucket, a quota counter and a day counter, a word each, shared by
//! all shards. The control plane changes keys and plans at any time ([`UsagePlans`]); a change is there
//! for the next request on every shard, and counters outlast it. Values of keys are not kept, only a keyed
//! hash of 128 bits: what is not in memory cannot leak from it. Nor are ids a way to a key: whoever changes
//! one brings its hash, which the store has beside the id, and which never changes; a table of ids would
//! cost a million keys 70 MB.
//!
//! What was counted is handed to whoever stores it by [`UsagePlans::take_changes`], each count once.
//!
//! Cost of a request: one SipHash of the key, one probe of a papaya map, a compare-and-swap for each
//! limit; no allocation, no lock, and no word that is written to for the sake of bookkeeping.
//! Source: developer guide, "Usage plans and API keys for REST APIs"; facts, stages-canary-cache-throttle
//! sections 7 to 9.

mod counter;
mod key;
mod period;
mod plan;
mod plans;

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod tests;

pub use counter::{Counted, Counter};
pub use key::{HashKey, KeyId, ValueHash};
pub use period::{Day, Quota, QuotaPeriod};
pub use plan::{MethodLimit, Plan, PlanNumber, PlanStage};
pub use plans::{Admission, Caller, Change, Pinned, Refusal, Refused, UsagePlans};
