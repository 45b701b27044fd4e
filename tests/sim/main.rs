//! Whole shards on a simulated machine: kernel, network, clients and integrations, all from one seed.
//!
//! Each run draws clients and what they send, integrations and how they answer, and the chances of the
//! simulated kernel; then it lets them loose on a shard and checks:
//!
//! - every whole request on a connection that nobody breaks gets exactly one right answer, in order;
//! - a connection ends only where it may;
//! - in the end no slot, buffer, descriptor, connection or task is left.
//!
//! `RINGWAY_SIM_SEED=n cargo test --test sim` runs one seed (`n..m`: several, with
//! `RINGWAY_SIM_WEATHER=Early` and its like in that weather); with `RINGWAY_SIM_TRACE=1` it tells every
//! submission and event. What a seed found has a weather of
//! its own in `weathers_that_found_something`, which does not depend on one seed's luck.

mod client;
mod plan;
mod stage;
mod upstream;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ringway::ring::sim::{Sim, SimConfig, SimReport, SimRng};
use ringway::ring::{Mailbox, RingConfig};
use ringway::shard::{self, ShardConfig, ShardMessage};
use ringway::telemetry::{LogQueue, Registry};

use client::Outcome;
use plan::Weather;
use stage::Fixture;

/// Runs of [`seeds_of_all_weathers`].
const SEEDS: std::ops::Range<u64> = 0..80;

/// Virtual time after which clients that still wait are stuck.
const PATIENCE: Duration = Duration::from_secs(400);

/// What one run came to.
struct Run {
    report: SimReport,
    answers: u64,
    failures: Vec<String>,
}

/// Runs the machine of `seed`.
fn run(fixture: &Fixture, seed: u64) -> Run {
    let asked = std::env::var("RINGWAY_SIM_WEATHER").unwrap_or_default();
    let weather = Weather::RARE.into_iter().find(|it| format!("{it:?}") == asked);
    let weather = weather.unwrap_or_else(|| Weather::draw(&mut SimRng::new(!seed)));
    run_in(fixture, weather, seed)
}

fn run_in(fixture: &Fixture, weather: Weather, seed: u64) -> Run {
    let mut rng = SimRng::new(seed);
    let config = match weather {
        Weather::Still => SimConfig::calm(seed),
        Weather::Early => SimConfig { short_send: 500, late_cqe: 500, ..SimConfig::calm(seed) },
        _ => SimConfig::from_seed(seed),
    };
    let trace = std::env::var_os("RINGWAY_SIM_TRACE").is_some();
    let sim = Sim::new(SimConfig { trace, ..config });
    let bufs = RingConfig {
        recv_bufs: match weather {
            Weather::Scarce => 1 << rng.range(1..4),
            Weather::Slow => 2,
            _ => 256,
        },
        bulk_bufs: 1 << rng.range(0..4),
    };
    let ring = sim.ring(bufs);
    upstream::serve(&sim, weather);

    let Mailbox { sender, receiver } = Mailbox::new(8).expect("an eventfd");
    let clients = plan::clients(&mut rng, weather);
    let drain = ShardMessage::Drain { deadline: Some(Duration::from_secs(2)) };
    let early = weather == Weather::Drains;
    if early {
        let (sender, delay) = (sender.clone(), Duration::from_millis(rng.range(0..2_000) as u64));
        sim.at(delay, move || assert!(sender.send(drain).is_ok()));
    } else {
        let sender = sender.clone();
        sim.at(PATIENCE, move || assert!(sender.send(drain).is_ok()));
    }
    let outcome = Rc::new(RefCell::new(Outcome::new(clients.len(), {
        let sender = sender.clone();
        move || {
            if !early {
                let deadline = Some(Duration::from_secs(2));
                // The one that comes when patience ends may find nobody.
                let _ = sender.send(ShardMessage::Drain { deadline });
            }
        }
    })));
    for (index, client) in clients.into_iter().enumerate() {
        let delay = Duration::from_millis(rng.range(0..500) as u64);
        sim.client(delay, client::ScriptedClient::new(index, client, Rc::clone(&outcome)));
    }

    let registry = Registry::new(1);
    let publish =
        || ShardMessage::Apply { batch: fixture.batch(&registry), applied: Box::new(|| {}) };
    assert!(sender.send(publish()).is_ok());
    for _ in 0..rng.below(4) {
        let (sender, message) = (sender.clone(), publish());
        let delay = Duration::from_millis(rng.range(0..1_000) as u64);
        sim.at(delay, move || {
            // The shard may have drained, and its mailbox be full.
            let _ = sender.send(message);
        });
    }
    let config = ShardConfig {
        index: 0,
        cpu: None,
        listeners: vec![
            std::net::TcpListener::bind("127.0.0.1:0").expect("a listener on loopback"),
        ],
        limits: if rng.chance(200) { fixture.few.clone() } else { fixture.limits.clone() },
        cells: registry.shard(0),
        log: Some(Arc::new(LogQueue::new())),
        trust: Arc::clone(&fixture.trust),
        usage: Arc::default(),
    };
    shard::run(&ring, config, receiver).expect("the simulated ring does not fail");
    sim.settle();

    let stats = ring.stats();
    let report = sim.report();
    let outcome = outcome.borrow();
    let mut failures = outcome.failures.clone();
    if weather != Weather::Drains {
        failures.extend(outcome.unfinished());
    }
    if outcome.answers > 0 && registry.shard(0).access_log_lines.load() == 0 {
        failures.push("no line of the access log was written".to_owned());
    }
    if stats.panics > 0 {
        failures.push(format!("{} tasks panicked, see above", stats.panics));
    }
    for (what, left) in [
        ("tasks", stats.tasks),
        ("slots", stats.ops),
        ("receive buffers", stats.recv_bufs_leased.into()),
        ("bulk buffers", stats.bulk_bufs_leased.into()),
        ("descriptors", report.descriptors),
        ("closed sockets kept alive by an op", report.zombies),
        ("ops in the kernel", report.ops),
        ("buffers filled for nobody", report.filled_buffers),
    ] {
        if left > 0 {
            failures.push(format!("{left} {what} left at the end"));
        }
    }
    for failure in &mut failures {
        failure.insert_str(0, &format!("seed {seed}, {weather:?}: "));
    }
    Run { report, answers: outcome.answers, failures }
}

/// Each of these has found something; what, stands beside it.
#[test]
fn weathers_that_found_something() {
    let fixture = Fixture::new();
    for (weather, what) in [
        (
            Weather::Early,
            "a connection was kept after half a request; half of 100 Continue was sent; an answer was \
             lost with a bulk read that was dropped",
        ),
        (Weather::Refused, "a refusal's close reset the connection of a client still sending"),
        (Weather::Slow, "a slow backend's answer held a shared buffer until it was whole"),
    ] {
        for seed in 0..40 {
            let announce = Announce(seed);
            let run = run_in(&fixture, weather, seed);
            std::mem::forget(announce);
            assert!(run.failures.is_empty(), "{what}:\n{}", run.failures.join("\n"));
        }
    }
}

#[test]
fn seeds_of_all_weathers() {
    let fixture = Fixture::new();
    let asked = std::env::var("RINGWAY_SIM_SEED").ok();
    let seeds = asked.as_deref().map_or(SEEDS, |text| {
        let number = |text: &str| text.parse::<u64>().expect("RINGWAY_SIM_SEED is n or n..m");
        let (first, end) = text.split_once("..").unwrap_or((text, ""));
        let first = number(first);
        first..if end.is_empty() { first + 1 } else { number(end) }
    });
    let (mut steps, mut answers, mut failures) = (0, 0, Vec::new());
    for seed in seeds {
        // A panic within the run is told with its seed.
        let announce = Announce(seed);
        let run = run(&fixture, seed);
        std::mem::forget(announce);
        steps += run.report.steps;
        answers += run.answers;
        for failure in run.failures {
            eprintln!("{failure}");
            failures.push(failure);
        }
    }
    println!("{steps} steps, {answers} answers");
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(
        asked.is_some() || (steps > 300_000 && answers > 500),
        "{steps} steps, {answers} answers"
    );
}

/// Names the seed when it is dropped by a panic.
struct Announce(u64);

impl Drop for Announce {
    fn drop(&mut self) {
        eprintln!("panicked in seed {0}: RINGWAY_SIM_SEED={0} cargo test --test sim", self.0);
    }
}
