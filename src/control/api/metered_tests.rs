use serde_json::{Value, json};

use super::counts::Counts;
use super::metered::{apply_keys, load_keys};
use super::objects::{Deployment, RestApi, Stage};
use super::testing::Plane;
use crate::time::{Nanos, WallMillis};
use crate::usage::{KeyId, Refusal, UsagePlans};

/// 2023-11-14T22:13:20Z, the plane's clock.
pub(super) const NOW: WallMillis = WallMillis(1_700_000_000_000);
pub(super) const DAY_MS: u64 = 86_400_000;

/// A control plane with the requests' view of its keys and plans.
pub(super) struct Metered {
    pub(super) plane: Plane,
    usage: UsagePlans,
    pub(super) counts: Counts,
    api: String,
}

impl Metered {
    pub(super) fn new() -> Self {
        let mut plane = Plane::new();
        let api = plane.ok("POST", "/restapis", json!({"name": "x"}))["id"].clone();
        let api = api.as_str().unwrap().to_owned();
        let writing = plane.store().write().unwrap();
        let stage = Stage { stage_name: "dev".to_owned(), ..Stage::default() };
        writing.put(&[&api, "dev"], &stage).unwrap();
        writing.put(&[&api, "d1"], &Deployment::default()).unwrap();
        assert!(writing.has::<RestApi>(&[&api]).unwrap());
        writing.commit().unwrap();
        let usage = UsagePlans::new(plane.settings().vault.hash_key());
        Self { plane, usage, counts: Counts::default(), api }
    }

    /// A call, and what the service does after it.
    pub(super) fn call(&mut self, method: &str, uri: &str, input: Value) -> Value {
        let answer = self.plane.ok(method, uri, input);
        self.plane.effects.now = WallMillis(self.plane.now.unsigned_abs() * 1_000);
        let reading = self.plane.store().read().unwrap();
        apply_keys(&reading, &self.usage, &self.plane.effects).unwrap();
        answer
    }

    /// A plan of the stage, and its id.
    pub(super) fn plan(&mut self, settings: &Value) -> String {
        let mut input = json!({"name": "gold", "apiStages": [{"apiId": self.api, "stage": "dev"}]});
        for (name, value) in settings.as_object().unwrap() {
            input[name] = value.clone();
        }
        self.created("/usageplans", input)
    }

    /// A key of a plan, and its id.
    pub(super) fn key(&mut self, value: &str, plan: &str) -> String {
        let key = self.created("/apikeys", json!({"value": value, "enabled": true}));
        let input = json!({"keyId": key, "keyType": "API_KEY"});
        self.call("POST", &format!("/usageplans/{plan}/keys"), input);
        key
    }

    fn created(&mut self, uri: &str, input: Value) -> String {
        self.call("POST", uri, input)["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn ask(&self, value: &str, path: &str, wall: WallMillis) -> Result<(), Refusal> {
        let stage = (self.api.as_str(), "dev");
        self.usage
            .pin()
            .admit(value.as_bytes(), stage, (path, "GET"), Nanos(1), wall)
            .map(drop)
            .map_err(|it| it.why)
    }

    pub(super) fn keep(&mut self) {
        self.counts.keep(self.plane.store(), &self.usage).unwrap();
    }

    /// Sets what is left to a key in memory only.
    pub(super) fn grant(&self, plan: &str, value: &str, remaining: u64) {
        let hash = self.usage.hash(value.as_bytes());
        assert!(self.usage.set_remaining(plan, hash, remaining, NOW));
    }

    /// Settles so many members.
    pub(super) fn settle_some(&mut self, members: usize) {
        self.counts.settle(self.plane.store(), members).unwrap();
    }

    /// What the service does before it answers about usage.
    pub(super) fn settle(&mut self) {
        self.keep();
        while !self.counts.is_settled(self.counts.next_part()) {
            self.settle_some(2);
        }
    }

    /// A process that starts on the same store.
    pub(super) fn restart(&mut self) {
        self.usage = UsagePlans::new(self.plane.settings().vault.hash_key());
        let store = self.plane.store().read().unwrap();
        self.counts = Counts::load(&store).unwrap();
        load_keys(&store, self.plane.settings(), &self.usage, &self.counts).unwrap();
    }
}

const VALUE: &str = "a-value-of-twenty-characters";

/// A plan with a key, and their ids.
fn plan_with_key(metered: &mut Metered, settings: Value) -> (String, String) {
    let plan = metered.plan(&settings);
    let key = metered.key(VALUE, &plan);
    (plan, key)
}

#[test]
fn calls_change_what_requests_meet() {
    let mut metered = Metered::new();
    assert_eq!(metered.ask(VALUE, "/", NOW), Err(Refusal::Forbidden));
    let throttle = json!({"throttle": {"rateLimit": 1.0, "burstLimit": 2}});
    let (plan, key) = plan_with_key(&mut metered, throttle);
    let plan_uri = format!("/usageplans/{plan}");
    assert_eq!(metered.ask(VALUE, "/", NOW), Ok(()));
    let patch = |metered: &mut Metered, uri: &str, path: &str, value: &str| {
        let patch = json!({"op": "replace", "path": path, "value": value});
        metered.call("PATCH", uri, json!({"patchOperations": [patch]}));
    };
    let path = format!("/apiStages/{}:dev/throttle/~1toys/GET/burstLimit", metered.api);
    patch(&mut metered, &plan_uri, &path, "0");
    assert_eq!(metered.ask(VALUE, "/toys", NOW), Err(Refusal::Throttled), "the method is closed");
    assert_eq!(metered.ask(VALUE, "/", NOW), Ok(()));
    assert_eq!(metered.ask(VALUE, "/", NOW), Err(Refusal::Throttled));
    let key_uri = format!("/apikeys/{key}");
    patch(&mut metered, &key_uri, "/enabled", "false");
    assert_eq!(metered.ask(VALUE, "/", NOW), Err(Refusal::Forbidden));
    patch(&mut metered, &key_uri, "/enabled", "true");
    assert_eq!(metered.ask(VALUE, "/", NOW), Err(Refusal::Throttled), "its bucket is as it was");
    metered.call("DELETE", &format!("/restapis/{}/stages/dev", metered.api.clone()), Value::Null);
    assert_eq!(metered.ask(VALUE, "/", NOW), Err(Refusal::Forbidden), "the stage is gone");
    metered.call("DELETE", &key_uri, Value::Null);
    assert_eq!(metered.usage.key_count(), 0);
}

#[test]
fn a_rate_without_a_burst_holds_too() {
    for (rate, want) in [(2.5, 3), (0.01, 1), (0.0, 0)] {
        let mut metered = Metered::new();
        plan_with_key(&mut metered, json!({"throttle": {"rateLimit": rate}}));
        let admitted = (0..20).filter(|_| metered.ask(VALUE, "/", NOW).is_ok()).count();
        assert_eq!(admitted, want, "{rate}");
    }
    for (burst, want) in [(0_u64, 0), (5, 5), (1 << 40, 20)] {
        let mut metered = Metered::new();
        plan_with_key(&mut metered, json!({"throttle": {"burstLimit": burst}}));
        let admitted = (0..20).filter(|_| metered.ask(VALUE, "/", NOW).is_ok()).count();
        assert_eq!(admitted, want, "{burst}");
    }
}

#[test]
fn counts_are_kept_answered_and_outlast_a_restart() {
    let mut metered = Metered::new();
    let (plan, key) =
        plan_with_key(&mut metered, json!({"quota": {"limit": 3, "period": "MONTH"}}));
    assert_eq!(metered.ask(VALUE, "/", NOW), Ok(()));
    assert_eq!(metered.ask(VALUE, "/", NOW), Ok(()));
    metered.keep();
    metered.restart();
    let tomorrow = WallMillis(NOW.0 + DAY_MS);
    assert_eq!(metered.ask(VALUE, "/", tomorrow), Ok(()));
    assert_eq!(metered.ask(VALUE, "/", tomorrow), Err(Refusal::QuotaExceeded));
    metered.settle();
    let uri = format!("/usageplans/{plan}/usage?startDate=2023-11-13&endDate=2023-11-15");
    let usage = metered.call("GET", &uri, Value::Null);
    assert_eq!(usage["values"][&key], json!([[0, 3], [2, 1], [1, 0]]));

    metered.plane.now += 86_400;
    metered.settle();
    let patch = json!({"op": "replace", "path": "/remaining", "value": "5"});
    let grant = json!({"patchOperations": [patch]});
    metered.call("PATCH", &format!("/usageplans/{plan}/keys/{key}/usage"), grant);
    let admitted = (0..9).filter(|_| metered.ask(VALUE, "/", tomorrow).is_ok()).count();
    assert_eq!(admitted, 5);
    metered.keep();
    metered.restart();
    assert_eq!(metered.ask(VALUE, "/", tomorrow), Err(Refusal::QuotaExceeded));
    let december = WallMillis(NOW.0 + 17 * DAY_MS);
    assert_eq!(metered.ask(VALUE, "/", december), Ok(()));

    // A key that leaves its plan and comes back begins anew.
    metered.call("DELETE", &format!("/usageplans/{plan}/keys/{key}"), Value::Null);
    assert_eq!(metered.ask(VALUE, "/", december), Err(Refusal::Forbidden));
    metered.keep();
    let input = json!({"keyId": key, "keyType": "API_KEY"});
    metered.call("POST", &format!("/usageplans/{plan}/keys"), input);
    let [quota, _] = metered.usage.counted(&plan, KeyId::new(&key).unwrap()).unwrap();
    assert_eq!(quota.count, 0);
}

#[test]
fn many_keys_come_back_with_their_plans_and_counts() {
    let mut metered = Metered::new();
    let (plan, _) = plan_with_key(&mut metered, json!({"quota": {"limit": 9, "period": "DAY"}}));
    let lines: String =
        (0..5_000).map(|n| format!("k{n},value-of-a-key-{n:010},{plan}\n")).collect();
    let csv = format!("Name,Key,UsagePlanIds\n{lines}");
    metered.call("POST", "/apikeys?mode=import&format=csv", json!(csv));
    assert_eq!(metered.usage.key_count(), 5_001);
    assert_eq!(metered.ask("value-of-a-key-0000004711", "/", NOW), Ok(()));
    metered.keep();
    metered.restart();
    assert_eq!(metered.usage.key_count(), 5_001);
    for n in [0, 1, 1_023, 1_024, 4_999] {
        assert_eq!(metered.ask(&format!("value-of-a-key-{n:010}"), "/", NOW), Ok(()), "{n}");
    }
    let left =
        (0..20).filter(|_| metered.ask("value-of-a-key-0000004711", "/", NOW).is_ok()).count();
    assert_eq!(left, 8, "one was counted before the restart");
}

#[test]
fn values_are_encrypted_at_rest() {
    let mut metered = Metered::new();
    plan_with_key(&mut metered, json!({}));
    let file = std::fs::read(metered.plane.store().path()).unwrap();
    assert!(!file.windows(VALUE.len()).any(|bytes| bytes == VALUE.as_bytes()));
}
