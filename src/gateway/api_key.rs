//! Step 6, API key: whose key a request has, and whether its usage plan has something left for it.
//!
//! Only methods that require a key ask for one. The key, its plan, the plan's throttle and its quota are
//! `usage`'s business; this step finds the key in the request and says what is wrong in the gateway's
//! terms. A request that a later limit refuses gets back what its plan has given ([`Admission::refund`]).
//!
//! In: method, head. Out: the admission, and `Exchange::api_key`; or 403 `Forbidden`, 429 `Too Many
//! Requests`, 429 `Limit Exceeded`.
//! Cost: as [`Pinned::admit`]; no allocation.
//! Source: facts, stages-canary-cache-throttle sections 7 to 9.

use super::Env;
use super::error::GatewayError;
use super::exchange::{ApiKey, Exchange};
use super::execution_log::key_check;
use super::route;
use crate::deploy::{CompiledMethod, CompiledStage, ThrottleScope};
use crate::http::{KnownHeader, Span};
use crate::model::{ApiKeySource, MethodName};
use crate::time::{Nanos, WallMillis};
use crate::usage::{Admission, Pinned, Refusal, Refused};

/// What is told of a request whose method requires no key; no plan counts it.
#[inline]
pub fn not_needed(
    env: &Env,
    stage: &CompiledStage,
    method: &CompiledMethod,
    exchange: &mut Exchange,
) {
    key_check::not_needed(env.ring.wall(), stage, method, exchange);
}

/// Admits a request to a method that requires a key, which comes from `source`.
///
/// # Errors
/// [`GatewayError::InvalidApiKey`], [`GatewayError::Throttled`], [`GatewayError::QuotaExceeded`]; nothing
/// was spent.
#[inline]
pub fn admit<'p>(
    env: &Env,
    keys: &'p Pinned<'_>,
    stage: &CompiledStage,
    method: &CompiledMethod,
    source: ApiKeySource,
    exchange: &mut Exchange,
) -> Result<Admission<'p>, GatewayError> {
    check(keys, stage, method, source, exchange, env.ring.now(), env.ring.wall())
}

fn check<'p>(
    keys: &'p Pinned<'_>,
    stage: &CompiledStage,
    method: &CompiledMethod,
    source: ApiKeySource,
    exchange: &mut Exchange,
    now: Nanos,
    wall: WallMillis,
) -> Result<Admission<'p>, GatewayError> {
    let given = match source {
        ApiKeySource::Header => header(exchange),
        // No authorizer has said one.
        ApiKeySource::Authorizer => None,
    };
    key_check::begins(wall, stage, exchange, given);
    let Some(value) = given else {
        key_check::refused(wall, keys, stage, method, exchange, None, Refused::FORBIDDEN);
        return Err(GatewayError::InvalidApiKey);
    };
    let asked = (&*stage.api_id, &*stage.stage);
    let of_method = (&*method.resource_path, asked_method(method, exchange).as_str());
    let bytes = value.of(&exchange.head_bytes);
    match keys.admit(bytes, asked, of_method, now, wall) {
        Ok(admission) => {
            exchange.api_key = Some(ApiKey { value, caller: admission.caller });
            key_check::succeeded(wall, stage, exchange, value);
            Ok(admission)
        }
        Err(refused) => {
            exchange.api_key = refused.caller.map(|caller| ApiKey { value, caller });
            key_check::refused(wall, keys, stage, method, exchange, Some(value), refused);
            Err(match refused.why {
                Refusal::Forbidden => GatewayError::InvalidApiKey,
                Refusal::Throttled => GatewayError::Throttled { scope: ThrottleScope::UsagePlan },
                Refusal::QuotaExceeded => GatewayError::QuotaExceeded,
            })
        }
    }
}

/// What the client asks for, also where an ANY method serves it: a plan may limit GET alone.
fn asked_method(method: &CompiledMethod, exchange: &Exchange) -> MethodName {
    match method.http_method {
        MethodName::Any => {
            let routed = route::routed_method(&exchange.head, &exchange.head_bytes);
            routed.unwrap_or(MethodName::Any)
        }
        declared => declared,
    }
}

/// The last `x-api-key` that says something, as with other headers that come several times.
fn header(exchange: &Exchange) -> Option<Span> {
    let mut fields = exchange.head.headers.iter().rev();
    let field = fields.find(|field| field.known == KnownHeader::XApiKey)?;
    Some(field.value).filter(|value| value.len > 0)
}

#[cfg(test)]
mod tests {
    use super::super::context::testing::{self, Api, allocations, exchange};
    use super::super::{ContextView, throttle};
    use super::*;
    use crate::context::ContextVariable;
    use crate::deploy::StageSettings;
    use crate::model::ThrottleSettings;
    use crate::telemetry::Variables as _;
    use crate::throttle::Rate;
    use crate::usage::{
        Counted, KeyId, MethodLimit, Plan, PlanStage, Quota, QuotaPeriod, UsagePlans,
    };

    const KEY: &str = "0123456789012345678901234567890123456789";
    const NOW: Nanos = Nanos(100_000_000_000);
    const WALL: WallMillis = WallMillis(1_728_043_200_000);

    fn usage(throttle: Option<(f64, u32)>, quota: Option<u64>) -> UsagePlans {
        let usage = UsagePlans::default();
        usage.set_plan(Plan {
            id: "plan01".into(),
            throttle: throttle.map(|(rate, burst)| Rate::new(rate, burst)),
            quota: quota.map(|limit| Quota { limit, period: QuotaPeriod::Day, offset: 0 }),
            stages: [PlanStage {
                api_id: "a1b2c3d4e5".into(),
                stage: "dev".into(),
                methods: [MethodLimit {
                    path: "/limited/{id}".into(),
                    method: "GET".into(),
                    rate: Rate::new(1.0, 1),
                }]
                .into(),
                first_method: 0,
            }]
            .into(),
        });
        let nothing = |_: &str| [Counted { period: 0, count: 0 }; 2];
        usage.set_key(
            KeyId::new("key0000001").unwrap(),
            KEY.as_bytes(),
            true,
            &["plan01"],
            nothing,
        );
        usage
    }

    fn stage(change: impl FnOnce(&mut Api)) -> CompiledStage {
        let mut api =
            Api::new().mock("GET", "/open").mock("GET", "/keyed").mock("GET", "/limited/{id}");
        api.method("/keyed", "GET").api_key_required = true;
        api.method("/limited/{id}", "GET").api_key_required = true;
        change(&mut api);
        api.stage()
    }

    /// What the steps of keys and throttles do with a request.
    fn ask(
        usage: &UsagePlans,
        stage: &CompiledStage,
        path: &str,
        headers: &str,
    ) -> (Exchange, Result<(), GatewayError>) {
        let mut exchange =
            exchange(&format!("GET /dev{path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n"));
        let method = testing::route(stage, &mut exchange).unwrap();
        let outcome = match method.api_key {
            None => throttle::admit(method, None, NOW),
            Some(source) => check(&usage.pin(), stage, method, source, &mut exchange, NOW, WALL)
                .and_then(|admission| throttle::admit(method, Some(admission), NOW)),
        };
        (exchange, outcome)
    }

    fn with_key() -> String {
        format!("X-API-Key: {KEY}\r\n")
    }

    #[test]
    fn a_method_that_requires_a_key_is_open_to_those_of_its_plans_only() {
        let (usage, stage) = (usage(None, None), stage(|_| {}));
        let forbidden = Err(GatewayError::InvalidApiKey);
        for (path, headers, want) in [
            ("/open", String::new(), Ok(())),
            ("/keyed", with_key(), Ok(())),
            ("/keyed", String::new(), forbidden.clone()),
            ("/keyed", "x-api-key:\r\n".to_owned(), forbidden.clone()),
            ("/keyed", format!("x-api-key: {KEY}x\r\n"), forbidden.clone()),
            ("/keyed", format!("Authorization: {KEY}\r\n"), forbidden.clone()),
            // The last one counts.
            ("/keyed", format!("x-api-key: no\r\nx-api-key: {KEY}\r\n"), Ok(())),
            ("/keyed", format!("x-api-key: {KEY}\r\nx-api-key: no\r\n"), forbidden),
        ] {
            let (exchange, outcome) = ask(&usage, &stage, path, &headers);
            assert_eq!(outcome, want, "{path} {headers}");
            let context = |name| {
                let mut out = Vec::new();
                let variable = ContextVariable::named(name).unwrap();
                ContextView::new(&stage, &exchange).write(variable, &mut out);
                String::from_utf8(out).unwrap()
            };
            let known = outcome.is_ok() && path == "/keyed";
            assert_eq!(context("identity.apiKey"), if known { KEY } else { "" }, "{headers}");
            assert_eq!(context("identity.apiKeyId"), if known { "key0000001" } else { "" });
        }
    }

    #[test]
    fn a_key_from_an_authorizer_is_none_as_long_as_there_is_no_authorizer() {
        let usage = usage(None, None);
        let stage = stage(|api| api.model.api_key_source = ApiKeySource::Authorizer);
        let (_, outcome) = ask(&usage, &stage, "/keyed", &with_key());
        assert_eq!(outcome, Err(GatewayError::InvalidApiKey));
        assert_eq!(ask(&usage, &stage, "/open", "").1, Ok(()));
    }

    #[test]
    fn a_plan_refuses_before_the_stage_and_the_caller_is_known() {
        let usage = usage(Some((1.0, 2)), Some(3));
        let stage = stage(|_| {});
        let throttled = Err(GatewayError::Throttled { scope: ThrottleScope::UsagePlan });
        assert_eq!(ask(&usage, &stage, "/limited/7", &with_key()).1, Ok(()));
        let (exchange, outcome) = ask(&usage, &stage, "/limited/8", &with_key());
        assert_eq!(outcome, throttled, "the method's own limit, whatever the path parameter");
        assert_eq!(exchange.api_key.unwrap().caller.key.as_str(), "key0000001");
        assert_eq!(ask(&usage, &stage, "/keyed", &with_key()).1, Ok(()));
        assert_eq!(ask(&usage, &stage, "/keyed", &with_key()).1, throttled);
    }

    #[test]
    fn a_limit_of_get_holds_where_any_serves_it() {
        let usage = usage(None, None);
        let mut api = Api::new().mock("ANY", "/limited/{id}");
        api.method("/limited/{id}", "ANY").api_key_required = true;
        let stage = api.stage();
        let throttled = Err(GatewayError::Throttled { scope: ThrottleScope::UsagePlan });
        let asks = |method: &str, more: &str| {
            let target = format!("{method} /dev/limited/7 HTTP/1.1\r\nHost: h\r\n{more}");
            let mut exchange = exchange(&format!("{target}{}\r\n", with_key()));
            let method = testing::route(&stage, &mut exchange).unwrap();
            let source = method.api_key.unwrap();
            check(&usage.pin(), &stage, method, source, &mut exchange, NOW, WALL).map(drop)
        };
        assert_eq!(asks("GET", ""), Ok(()));
        assert_eq!(asks("GET", ""), throttled);
        assert_eq!(asks("POST", ""), Ok(()));
        assert_eq!(asks("POST", "X-HTTP-Method-Override: GET\r\n"), throttled);
        assert_eq!(asks("POST", ""), Ok(()));
    }

    #[test]
    fn what_a_later_limit_refuses_costs_the_plan_nothing() {
        let usage = usage(Some((1.0, 3)), Some(3));
        let limit = |burst_limit| ThrottleSettings { rate_limit: 1.0, burst_limit };
        let stage = stage(|api| {
            api.method("/keyed", "GET").throttle = Some(limit(1));
            let StageSettings { account_throttle, .. } = &mut api.settings;
            *account_throttle = Some(limit(3));
        });
        assert_eq!(ask(&usage, &stage, "/keyed", &with_key()).1, Ok(()));
        for _ in 0..10 {
            let (exchange, outcome) = ask(&usage, &stage, "/keyed", &with_key());
            assert_eq!(outcome, Err(GatewayError::Throttled { scope: ThrottleScope::Method }));
            assert!(exchange.api_key.is_some());
        }
        let of_key = usage.counted("plan01", KeyId::new("key0000001").unwrap()).unwrap();
        assert_eq!(of_key.map(|it| it.count), [1, 1]);
        // Two of three tokens are left, in the plan and in the account.
        assert_eq!(ask(&usage, &stage, "/limited/7", &with_key()).1, Ok(()));
        assert_eq!(ask(&usage, &stage, "/open", "").1, Ok(()));
        let account = Err(GatewayError::Throttled { scope: ThrottleScope::Account });
        assert_eq!(ask(&usage, &stage, "/open", "").1, account);
    }

    #[test]
    fn a_quota_that_is_used_up_has_words_of_its_own() {
        let (usage, stage) = (usage(None, Some(2)), stage(|_| {}));
        for want in [Ok(()), Ok(()), Err(GatewayError::QuotaExceeded)] {
            assert_eq!(ask(&usage, &stage, "/keyed", &with_key()).1, want);
        }
    }

    #[test]
    fn a_key_costs_no_allocation() {
        let (usage, stage) = (usage(Some((1e6, 1_000)), Some(1_000)), stage(|_| {}));
        let head = format!("GET /dev/limited/7 HTTP/1.1\r\nHost: h\r\n{}\r\n", with_key());
        let mut exchange = exchange(&head);
        let method = testing::route(&stage, &mut exchange).unwrap();
        let cost = allocations(|| {
            let now = Nanos(exchange.received_at.0 + 10_000_000_000);
            exchange.received_at = now;
            let source = ApiKeySource::Header;
            let keys = usage.pin();
            let admitted = check(&keys, &stage, method, source, &mut exchange, now, WALL);
            assert!(throttle::admit(method, Some(admitted.unwrap()), now).is_ok());
        });
        assert_eq!(cost, 0);
    }
}
