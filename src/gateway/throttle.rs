//! Step 7, throttle: spends one token from every bucket the request falls under.
//!
//! API Gateway's order: usage plan (the step before), method, stage, account; the first empty bucket
//! decides, and what the plan and the buckets before it gave is put back. Shards share the buckets.
//!
//! In: method, the plan's admission, arrival time. Out: `Ok(())` or [`GatewayError::Throttled`].
//! Cost: one compare-and-swap per bucket, no allocation.
//! Source: developer guide, "Throttle API requests for better throughput".

use super::error::GatewayError;
use crate::deploy::CompiledMethod;
use crate::throttle;
use crate::time::Nanos;
use crate::usage::Admission;

/// Admits a request, or says whose bucket is empty.
///
/// # Errors
/// [`GatewayError::Throttled`]; nothing was spent, and the plan has back what it gave.
#[inline]
pub fn admit(
    method: &CompiledMethod,
    admission: Option<Admission<'_>>,
    now: Nanos,
) -> Result<(), GatewayError> {
    throttle::admit(method.buckets.iter().map(|(_, bucket)| &**bucket), now).map_err(|index| {
        if let Some(admission) = admission {
            admission.refund();
        }
        GatewayError::Throttled { scope: method.buckets[index].0 }
    })
}

#[cfg(test)]
mod tests {
    use super::super::context::testing::Api;
    use super::*;
    use crate::deploy::ThrottleScope;
    use crate::model::ThrottleSettings;

    #[test]
    fn the_first_empty_bucket_refuses_and_the_others_keep_their_tokens() {
        let limit = |burst_limit| Some(ThrottleSettings { rate_limit: 1.0, burst_limit });
        let mut api = Api::new().mock("GET", "/own").mock("GET", "/shared");
        api.method("/own", "GET").throttle = limit(1);
        api.model.throttle = limit(3);
        api.settings.account_throttle = limit(4);
        let stage = api.stage();
        let find = |path: &str| stage.methods.iter().find(|it| &*it.resource_path == path).unwrap();
        let (own, shared) = (find("/own"), find("/shared"));
        let scopes: Vec<_> = own.buckets.iter().map(|(scope, _)| *scope).collect();
        assert_eq!(scopes, [ThrottleScope::Method, ThrottleScope::Stage, ThrottleScope::Account]);

        let now = Nanos(0);
        let refused = |scope| Err(GatewayError::Throttled { scope });
        assert_eq!(admit(own, None, now), Ok(()));
        for _ in 0..10 {
            assert_eq!(admit(own, None, now), refused(ThrottleScope::Method));
        }
        // The refusals cost the stage nothing: two of its three tokens are left.
        assert_eq!(admit(shared, None, now), Ok(()));
        assert_eq!(admit(shared, None, now), Ok(()));
        assert_eq!(admit(shared, None, now), refused(ThrottleScope::Stage));
        assert_eq!(admit(own, None, Nanos(1_000_000_000)), Ok(()));
    }
}
