//! An API that is paid for, from the owner's side and the customer's: keys, usage plans, quotas and what
//! they count, against the real gateway.

#[path = "../support/mod.rs"]
mod support;

mod counters;
mod guide;
mod many;
mod owner;
mod shop;
