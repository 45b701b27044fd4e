//! What does taking a token cost, alone and with another core at the same bucket, against a bucket
//! behind a mutex?

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use criterion::{Criterion, criterion_group, criterion_main};

use ringway::throttle::{TokenBucket, admit};
use ringway::time::Nanos;

/// The plain bucket: tokens and the last refill, behind a lock.
struct Locked {
    rate: f64,
    burst: f64,
    state: Mutex<(f64, u64)>,
}

impl Locked {
    fn take(&self, now: Nanos) -> bool {
        let mut state = self.state.lock().expect("nothing panics while it holds the lock");
        let (tokens, last) = *state;
        let passed = now.0.saturating_sub(last) as f64 / 1e9;
        let tokens = (tokens + passed * self.rate).min(self.burst);
        let enough = tokens >= 1.0;
        *state = (if enough { tokens - 1.0 } else { tokens }, last.max(now.0));
        enough
    }
}

/// Runs `body` while another thread does the same with its own clock.
fn beside_another<T: Send + Sync + 'static>(
    shared: &Arc<T>,
    take: impl Fn(&T, Nanos) -> bool + Copy + Send + 'static,
    body: impl FnOnce(),
) {
    let stop = Arc::new(AtomicBool::new(false));
    let other = {
        let (shared, stop) = (Arc::clone(shared), Arc::clone(&stop));
        thread::spawn(move || {
            let mut now = 0;
            while !stop.load(Ordering::Relaxed) {
                now += 100;
                black_box(take(&shared, Nanos(now)));
            }
        })
    };
    body();
    stop.store(true, Ordering::Relaxed);
    other.join().expect("the other thread");
}

fn throttle(c: &mut Criterion) {
    let check = TokenBucket::new(1e6, 5_000, Nanos(0));
    assert_eq!((0..6_000).filter(|_| check.take(Nanos(0))).count(), 5_000);
    // A burst that no run uses up, so that every take admits, also the take of a thread whose clock
    // has fallen behind the other's.
    let new = || TokenBucket::new(1e6, u32::MAX, Nanos(0));
    let full = f64::from(u32::MAX);
    let locked = || Locked { rate: 1e6, burst: full, state: Mutex::new((full, 0)) };

    let mut group = c.benchmark_group("throttle");
    let mut now = 0;
    let mut turn = move || {
        now += 100;
        Nanos(now)
    };

    let bucket = new();
    group.bench_function("take/1_thread", |b| b.iter(|| black_box(bucket.take(turn()))));
    let refusing = TokenBucket::new(1e-3, 1, Nanos(0));
    group.bench_function("refuse/1_thread", |b| b.iter(|| black_box(refusing.take(turn()))));
    let (stage, account) = (new(), new());
    group.bench_function("admit_2/1_thread", |b| {
        b.iter(|| black_box(admit([&stage, &account], turn())));
    });
    let plain = locked();
    group.bench_function("take/1_thread/mutex", |b| b.iter(|| black_box(plain.take(turn()))));

    let bucket = Arc::new(new());
    beside_another(&bucket, TokenBucket::take, || {
        group.bench_function("take/2_threads", |b| b.iter(|| black_box(bucket.take(turn()))));
    });
    assert!(bucket.take(turn()), "it was takes that were timed, not refusals");
    let plain = Arc::new(locked());
    beside_another(&plain, Locked::take, || {
        group.bench_function("take/2_threads/mutex", |b| b.iter(|| black_box(plain.take(turn()))));
    });
    group.finish();
}

criterion_group!(benches, throttle);
criterion_main!(benches);
