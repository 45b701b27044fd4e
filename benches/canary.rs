//! What does it cost to draw whether a request is the canary's, against comparing floating-point numbers?

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

use ringway::gateway::canary::CanaryShare;

fn canary(c: &mut Criterion) {
    let mut random = fastrand::Rng::with_seed(1);
    let share = CanaryShare::percent(12.5);
    let drawn = (0..100_000).filter(|_| share.draw(&mut random)).count();
    assert!((11_500..13_500).contains(&drawn), "{drawn} of 100 000");

    let mut group = c.benchmark_group("canary");
    group.bench_function("draw", |b| b.iter(|| black_box(share).draw(&mut random)));
    group.bench_function("draw/float", |b| {
        b.iter(|| random.f64() * 100.0 < black_box(12.5));
    });
    group.finish();
}

criterion_group!(benches, canary);
criterion_main!(benches);
