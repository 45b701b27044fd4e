//! What does admitting a request by its API key cost: among a million keys, for one key that everybody
//! uses, and with another core at the same key? And what do a million keys weigh, and how long do they take
//! to load?

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};

use ringway::throttle::Rate;
use ringway::time::{Nanos, WallMillis};
use ringway::usage::{Counted, KeyId, Plan, PlanStage, Quota, QuotaPeriod, UsagePlans};

/// The product's, since it is its memory that counts.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const KEYS: u64 = 1_000_000;
const STAGE: (&str, &str) = ("a1b2c3d4e5", "prod");
const METHOD: (&str, &str) = ("/pets/{id}", "GET");
const NOON: WallMillis = WallMillis(1_764_158_400_000);

/// One that no run uses up, so that every request is admitted, also one whose clock has fallen behind.
fn plan(quota: bool) -> Plan {
    Plan {
        id: "plan01".into(),
        throttle: quota.then(|| Rate::new(1e6, u32::MAX)),
        quota: quota.then_some(Quota { limit: 1 << 38, period: QuotaPeriod::Month, offset: 3 }),
        stages: [PlanStage {
            api_id: STAGE.0.into(),
            stage: STAGE.1.into(),
            methods: [].into(),
            first_method: 0,
        }]
        .into(),
    }
}

/// Forty characters that look like nothing, different for each number.
fn value(number: u64) -> [u8; 40] {
    let mut state = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    std::array::from_fn(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
            [(state >> 33) as usize % 62]
    })
}

fn with_keys(count: u64) -> UsagePlans {
    let usage = UsagePlans::default();
    usage.set_plan(plan(true));
    let nothing = |_: &str| [Counted { period: 0, count: 0 }; 2];
    for number in 0..count {
        let id = KeyId::new(&format!("{number:010}")).expect("ten characters");
        usage.set_key(id, &value(number), true, &["plan01"], nothing);
    }
    usage
}

/// Resident memory, MiB.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("it is Linux");
    let pages: f64 = statm.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a number");
    pages * 4_096.0 / f64::from(1 << 20)
}

/// Runs `body` while another thread uses these keys, too.
fn beside_another(usage: &Arc<UsagePlans>, key: u64, body: impl FnOnce()) {
    let stop = Arc::new(AtomicBool::new(false));
    let other = {
        let (usage, stop) = (Arc::clone(usage), Arc::clone(&stop));
        std::thread::spawn(move || {
            let (key, mut now) = (value(key), 0);
            while !stop.load(Ordering::Relaxed) {
                now += 100;
                black_box(usage.pin().admit(&key, STAGE, METHOD, Nanos(now), NOON).is_ok());
            }
        })
    };
    body();
    stop.store(true, Ordering::Relaxed);
    other.join().expect("the other thread");
}

fn usage(c: &mut Criterion) {
    let (before, start) = (resident(), Instant::now());
    let usage = Arc::new(with_keys(KEYS));
    let (took, memory) = (start.elapsed(), resident() - before);
    println!("{KEYS} keys of one plan: {memory:.0} MiB, loaded in {took:.1?}");
    assert_eq!(usage.key_count() as u64, KEYS);
    for number in [0, KEYS / 2, KEYS - 1] {
        let keys = usage.pin();
        let admitted = keys.admit(&value(number), STAGE, METHOD, Nanos(1), NOON).expect("known");
        assert_eq!(admitted.caller.key.as_str(), format!("{number:010}"));
    }
    assert!(usage.pin().admit(&value(KEYS), STAGE, METHOD, Nanos(1), NOON).is_err());

    let mut group = c.benchmark_group("usage");
    let mut now = 0;
    let mut admit = |usage: &UsagePlans, key: &[u8]| {
        now += 100;
        usage.pin().admit(key, STAGE, METHOD, Nanos(now), NOON).is_ok()
    };
    let hot = value(7);
    group.bench_function("admit/one_key_of_1M", |b| b.iter(|| admit(&usage, black_box(&hot))));
    let mut number = 0_u64;
    group.bench_function("admit/any_key_of_1M", |b| {
        b.iter_batched(
            || {
                number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                value((number >> 20) % KEYS)
            },
            |key| admit(&usage, black_box(&key)),
            criterion::BatchSize::LargeInput,
        );
    });
    let unknown = value(KEYS);
    group.bench_function("admit/unknown_key", |b| b.iter(|| admit(&usage, black_box(&unknown))));
    beside_another(&usage, 7, || {
        group.bench_function("admit/one_key/2_threads", |b| {
            b.iter(|| admit(&usage, black_box(&hot)));
        });
    });
    beside_another(&usage, 8, || {
        group.bench_function("admit/another_key/2_threads", |b| {
            b.iter(|| admit(&usage, black_box(&hot)));
        });
    });
    usage.set_plan(plan(false));
    group.bench_function("admit/no_limits", |b| b.iter(|| admit(&usage, black_box(&hot))));
    group.finish();
}

criterion_group!(benches, usage);
criterion_main!(benches);
