//! The control-plane API of REST APIs: AWS's `apigateway` of 2015-07-09, REST-JSON.
//!
//! ```text
//! request → operation (URI, method) → shape (enums, JSON types) → the operation's function
//!                                                                   │ in one transaction of the store
//!                                   reply ◀── commit ◀── compile ◀──┘ (what it changed of served stages)
//! ```
//!
//! One file per kind of object, with its operations; `operation` lists them all with their URIs. What
//! the service says first about a wrong request (enums and JSON types) is checked in `shape` before
//! any of them runs; everything else is theirs. A patch is all or nothing because a call's transaction is.
//!
//! Source: facts, control-plane and aws-recorded.
//!
//! **Invariant**: an operation does nothing but read and change documents and tell [`Effects`]; it
//! compiles nothing, publishes nothing and waits for nobody.

mod account;
mod api_key_import;
#[cfg(test)]
mod api_key_import_tests;
mod api_keys;
mod authorizers;
mod base_path_mappings;
mod call;
mod client_certificates;
mod context;
mod counts;
#[cfg(test)]
mod counts_tests;
pub(super) mod csv;
mod deployments;
mod documentation;
mod domain_names;
mod error;
mod exports;
mod gateway_responses;
pub(super) mod ids;
mod imports;
mod integrations;
mod key_access;
mod mapping;
mod metered;
#[cfg(test)]
mod metered_tests;
mod methods;
mod models;
pub mod objects;
mod operation;
mod page;
mod patch;
mod request_validators;
mod resources;
mod rest_apis;
mod sdks;
mod served;
mod shape;
mod stage_patch;
#[cfg(test)]
mod stage_tests;
mod stages;
mod tags;
mod test_invoke;
#[cfg(test)]
mod testing;
mod usage;
mod usage_journal;
mod usage_plan_keys;
mod usage_plans;
mod vpc_links;

pub use call::{Body, Call, Reply};
pub use context::{Context, Effects, Settings};
pub use counts::Counts;
pub use error::ApiError;
pub use metered::{apply_keys, check_keys, key_count, load_keys};
pub use operation::{OPERATIONS, Operation, Route, route};
pub use served::{client_certificate, domain_table};
pub use shape::members;
pub use stages::{check_variable, earlier_deployments};
pub use test_invoke::{TestInvoker, Trial, TrialOutcome, prepare_test_invoke, test_invoke_reply};
pub use usage::forget_old_days;

/// Carries out a call that has been routed: checks its form, then runs it.
///
/// # Errors
/// What the service answers instead; the caller drops the transaction then.
pub fn carry_out(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    shape::check(call)?;
    let mut reply = (call.operation.run)(context, call)?;
    reply.status = call.operation.status;
    Ok(reply)
}
