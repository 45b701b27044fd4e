//! What is told of an API key's check, before the execution starts. A test invocation checks no key and
//! has none of these lines.
//!
//! Source: facts, observability section 2, rows 7 to 9b and 11b.

use super::hooks::record;
use super::{ExecutionLog, LogDetail};
use crate::context::ContextVariable;
use crate::deploy::{CompiledMethod, CompiledStage};
use crate::gateway::Exchange;
use crate::gateway::context::ContextView;
use crate::gateway::secret::mask;
use crate::http::Span;
use crate::telemetry::Variables as _;
use crate::time::WallMillis;
use crate::usage::{Pinned, Plan, QuotaPeriod, Refusal, Refused};

/// The method requires no key.
#[inline]
pub fn not_needed(
    at: WallMillis,
    stage: &CompiledStage,
    method: &CompiledMethod,
    exchange: &mut Exchange,
) {
    record(exchange, |log, exchange| {
        log.begins(at, stage, exchange, None);
        let (name, path) = (method.http_method.as_str(), &method.resource_path);
        let line = format_args!(
            "API Key  authorized because method '{name} {path}' does not require API Key. Request \
             will not contribute to throttle or quota limits"
        );
        log.text(at, LogDetail::Phases, line);
    });
}

/// A key is about to be looked up, if one was given.
#[inline]
pub fn begins(at: WallMillis, stage: &CompiledStage, exchange: &mut Exchange, given: Option<Span>) {
    record(exchange, |log, exchange| log.begins(at, stage, exchange, given));
}

/// The key's plan has let the request through.
#[inline]
pub fn succeeded(at: WallMillis, stage: &CompiledStage, exchange: &mut Exchange, given: Span) {
    record(exchange, |log, exchange| {
        let (key, stage) = (masked(exchange, Some(given)), name(stage));
        let line =
            format_args!("Usage Plan check succeeded for API Key {key} and API Stage {stage}");
        log.text(at, LogDetail::Phases, line);
    });
}

/// It has not; [`failure`](super::failure) says no more about that.
#[cold]
pub fn refused(
    at: WallMillis,
    keys: &Pinned<'_>,
    stage: &CompiledStage,
    method: &CompiledMethod,
    exchange: &mut Exchange,
    given: Option<Span>,
    refused: Refused,
) {
    record(exchange, |log, exchange| {
        let plan = given.and_then(|value| {
            let asked = (&*stage.api_id, &*stage.stage);
            keys.plan_of(value.of(&exchange.head_bytes), asked)
        });
        let line = refusal(stage, method, exchange, given, refused, plan.as_deref());
        log.text(at, LogDetail::Errors, format_args!("{line}"));
    });
}

impl ExecutionLog {
    fn begins(
        &mut self,
        at: WallMillis,
        stage: &CompiledStage,
        exchange: &Exchange,
        given: Option<Span>,
    ) {
        let id = String::from_utf8_lossy(&exchange.ids.request_id);
        let (key, stage) = (masked(exchange, given), name(stage));
        let line = format_args!(
            "Verifying Usage Plan for request: {id}. API Key: {key} API Stage: {stage}"
        );
        self.text(at, LogDetail::Phases, line);
    }

    /// Whose key the request has, once the execution has started.
    pub(super) fn api_key(&mut self, at: WallMillis, exchange: &Exchange) {
        let Some(key) = &exchange.api_key else { return };
        let value = masked(exchange, Some(key.value));
        self.text(at, LogDetail::Phases, format_args!("API Key: {value}"));
        let id = key.caller.key;
        self.text(at, LogDetail::Phases, format_args!("API Key ID: {}", id.as_str()));
    }
}

fn refusal(
    stage: &CompiledStage,
    method: &CompiledMethod,
    exchange: &Exchange,
    given: Option<Span>,
    refused: Refused,
    plan: Option<&Plan>,
) -> String {
    let (key, api_stage) = (masked(exchange, given), name(stage));
    let (pattern, declared) = (&*method.resource_path, method.http_method.as_str());
    match (refused.why, plan) {
        (Refusal::Throttled, Some(plan)) => {
            let limit = refused.limit.map_or_else(String::new, |rate| {
                format!("Limit: {:.2} Burst: {}", rate.per_second(), rate.burst())
            });
            let mut http_method = Vec::new();
            ContextView::new(stage, exchange).write(ContextVariable::HttpMethod, &mut http_method);
            let http_method = String::from_utf8_lossy(&http_method);
            let (api, name, resource) = (&stage.api_id, &stage.stage, &method.resource_id);
            format!(
                "API Key {key} exceeded throttle limit for API Stage {api_stage}: Key throttle limit \
                 exceeded for Usage Plan ID {}, RestApi {api}, Stage {name}, Resource {resource}, \
                 HttpMethod {http_method}. {limit}",
                plan.id
            )
        }
        (Refusal::QuotaExceeded, Some(Plan { id, quota: Some(quota), .. })) => {
            let period = match quota.period {
                QuotaPeriod::Day => "DAY",
                QuotaPeriod::Week => "WEEK",
                QuotaPeriod::Month => "MONTH",
            };
            format!(
                "API Key {key} exceeded quota limit for API Stage {api_stage}: Key quota exhausted \
                 for Usage Plan ID {id}. Quota Limit: {} Period: {period}",
                quota.limit
            )
        }
        // The plan may have been changed since.
        _ => {
            let reason = match given {
                None => "API Key was required but not present",
                Some(_) => "No Usage Plan found for key and API Stage",
            };
            format!(
                "API Key {key} not authorized because method '{declared} {pattern}' requires API Key \
                 and API Key is not associated with a Usage Plan for API Stage {api_stage}: {reason}"
            )
        }
    }
}

fn masked(exchange: &Exchange, given: Option<Span>) -> String {
    let mut out = Vec::new();
    if let Some(value) = given {
        mask(value.of(&exchange.head_bytes), &mut out);
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn name(stage: &CompiledStage) -> String {
    format!("{}/{}", stage.api_id, stage.stage)
}
