//! What was counted when the process dies: by SIGKILL at any moment, and by SIGTERM.
//!
//! Customers send as fast as they can and note when each answer came; then the process is killed, started
//! again on its store, and asked what it knows. The answers may be more than the counts by what came since
//! the counts were kept last, and fewer by the requests that were on their way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::shop::Shop;
use super::support::{Client, Folder, ServeOptions};

const VALUE: &str = "the-value-of-the-first-customers-key";
const CUSTOMERS: usize = 2;
const ROUNDS: usize = 20;
/// Counts are kept every second, or nearly. A busy machine has more to do than to keep that to the letter,
/// but what is kept every ten seconds, or only at the end, is found here.
const LOST_MAX: Duration = Duration::from_secs(5);

/// When answers came, in their order, and how many of them refused.
struct Answers {
    admitted: Vec<Instant>,
    refused: usize,
}

/// Lets the customers ask until the gateway ends or one is refused; `meanwhile` ends it.
fn under_load(shop: &mut Shop, meanwhile: impl FnOnce(&mut Shop)) -> Answers {
    let address = shop.serving.address;
    let request = shop.request("/it", VALUE);
    let over = AtomicBool::new(false);
    let ask = || {
        let mut answers = Answers { admitted: Vec::new(), refused: 0 };
        let mut client = Client::connect(address);
        while !over.load(Ordering::Relaxed) && client.tries_to_send(&request) {
            match client.try_answer().map(|answer| answer.status) {
                Ok(200) => answers.admitted.push(Instant::now()),
                Ok(429) => {
                    answers.refused += 1;
                    over.store(true, Ordering::Relaxed);
                }
                Ok(other) => panic!("answered {other}"),
                // The gateway has ended.
                Err(_) => break,
            }
        }
        answers
    };
    std::thread::scope(|scope| {
        let customers: Vec<_> = (0..CUSTOMERS).map(|_| scope.spawn(ask)).collect();
        meanwhile(shop);
        let mut all = Answers { admitted: Vec::new(), refused: 0 };
        for customer in customers {
            let answers = customer.join().expect("it ends with the gateway");
            all.admitted.extend(answers.admitted);
            all.refused += answers.refused;
        }
        all.admitted.sort_unstable();
        all
    })
}

fn sold(store: &std::path::Path, quota: &str) -> Shop {
    let shop = Shop::of(ServeOptions::new().store(store));
    shop.does(&["plans", "create", "gold", "--quota", quota, "--stage", "Pets:v1"]);
    shop.does(&["keys", "create", "first", "--value", VALUE, "--plan", "gold"]);
    shop
}

fn used(shop: &Shop) -> usize {
    usize::try_from(shop.usage("gold", "first").0).expect("a count")
}

#[test]
fn a_killed_gateway_loses_little_and_counts_nothing_twice() {
    let folder = Folder::new();
    let store = folder.file("store");
    let mut shop = sold(&store, "4000000000/MONTH");
    let mut delays = fastrand::Rng::with_seed(7);
    let mut lost: Vec<(usize, Duration)> = Vec::new();
    let mut counted = 0;
    for round in 0..ROUNDS {
        // Now and then longer than a loss may be, so that whoever keeps nothing is found.
        let most = if round % 5 == 4 { LOST_MAX.as_millis() as u64 + 1_000 } else { 1_500 };
        let least = if round % 5 == 4 { most - 500 } else { 0 };
        let delay = Duration::from_millis(delays.u64(least..most));
        let mut killed = Instant::now();
        let answers = under_load(&mut shop, |shop| {
            std::thread::sleep(delay);
            killed = Instant::now();
            shop.serving.gateway.signal(Signal::KILL);
            shop.serving.gateway.exit();
        });
        let api = shop.api.clone();
        drop(shop);
        shop = Shop::again(&store, &api);
        let now = used(&shop);
        let (kept, answered) = (now.checked_sub(counted), answers.admitted.len());
        let kept = kept.unwrap_or_else(|| panic!("{counted} were kept, and now {now}"));
        assert!(kept <= answered + CUSTOMERS, "round {round}: {answered} answers, {kept} counted");
        let first_lost = answers.admitted.get(kept).copied();
        let time = first_lost.map_or(Duration::ZERO, |at| killed.saturating_duration_since(at));
        println!(
            "round {round}: {answered} answers in {delay:?}, lost {} of {time:?}",
            answered.saturating_sub(kept)
        );
        assert!(time <= LOST_MAX, "round {round}: all of {time:?} is lost");
        lost.push((answered.saturating_sub(kept), time));
        counted = now;
    }
    lost.sort_by_key(|(_, time)| *time);
    println!("lost, median: {:?}; most: {:?}", lost[ROUNDS / 2], lost[ROUNDS - 1]);
    assert!(counted > 0, "nothing was ever kept");
}

#[test]
fn a_quota_is_exceeded_by_what_was_lost_and_no_more() {
    let folder = Folder::new();
    let store = folder.file("store");
    let mut shop = sold(&store, "300/MONTH");
    let mut limit = 300;
    for keeps in [false, true, false] {
        let answers = under_load(&mut shop, |_| {});
        assert_eq!(answers.admitted.len(), 300, "exact while nobody dies");
        assert!(answers.refused > 0);
        if keeps {
            assert_eq!(used(&shop), limit, "asking for the usage keeps it");
        }
        shop.serving.gateway.signal(Signal::KILL);
        shop.serving.gateway.exit();
        let api = shop.api.clone();
        drop(shop);
        shop = Shop::again(&store, &api);
        let kept = used(&shop);
        let left = limit - kept;
        assert!(left <= if keeps { 0 } else { 300 }, "{left} are left");
        // What was not kept may come again, and nothing else.
        assert_eq!(shop.admitted(left + 10, VALUE), left);
        assert_eq!(used(&shop), limit);
        limit += 300;
        shop.does(&["plans", "change", "gold", "--quota", &format!("{limit}/MONTH")]);
    }
}

#[test]
fn a_gateway_that_is_told_to_end_loses_nothing() {
    let folder = Folder::new();
    let store = folder.file("store");
    let mut shop = sold(&store, "4000000000/MONTH");
    let mut counted = 0;
    for round in 0..5_u64 {
        let answers = under_load(&mut shop, |shop| {
            std::thread::sleep(Duration::from_millis(150 * round + 50));
            shop.serving.gateway.signal(Signal::TERM);
            assert!(shop.serving.gateway.exit().success());
        });
        let api = shop.api.clone();
        drop(shop);
        shop = Shop::again(&store, &api);
        let now = used(&shop);
        assert_eq!(now - counted, answers.admitted.len(), "round {round}");
        counted = now;
    }
    assert!(counted > 0);
}
