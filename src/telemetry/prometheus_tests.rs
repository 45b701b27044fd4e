use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::telemetry::{Refused, Registry, StageSeries};

type Labels = BTreeMap<String, String>;

/// What a scrape says, read by the format's rules.
#[derive(Default)]
struct Scrape {
    kinds: BTreeMap<String, String>,
    samples: Vec<(String, Labels, f64)>,
}

impl Scrape {
    /// Reads and checks: HELP before TYPE before samples, a family in one block, no sample twice.
    fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'));
        let mut scrape = Self::default();
        let (mut helped, mut family) = (String::new(), String::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect(line);
                assert!(!help.is_empty() && !help.contains('\\'), "{line}");
                assert!(!scrape.kinds.contains_key(name), "family {name} comes twice");
                helped = name.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect(line);
                assert_eq!(name, helped);
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                scrape.kinds.insert(name.to_owned(), kind.to_owned());
                family = name.to_owned();
            } else {
                let sample = Self::sample(line);
                let base = match scrape.kinds[&family].as_str() {
                    "histogram" => sample.0.rsplit_once('_').expect(line).0,
                    _ => &sample.0,
                };
                assert_eq!(base, family, "{line}");
                let twice = scrape.samples.iter().any(|s| (&s.0, &s.1) == (&sample.0, &sample.1));
                assert!(!twice, "{line} comes twice");
                scrape.samples.push(sample);
            }
        }
        scrape
    }

    fn sample(line: &str) -> (String, Labels, f64) {
        let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).expect(line);
        let (name, mut rest) = line.split_at(end);
        assert!(!name.starts_with(|c: char| c.is_ascii_digit()), "{line}");
        let mut labels = Labels::new();
        if let Some(inner) = rest.strip_prefix('{') {
            rest = inner;
            while !rest.starts_with('}') {
                rest = rest.strip_prefix(',').unwrap_or(rest);
                let (label, after) = rest.split_once("=\"").expect(line);
                let mut value = String::new();
                let mut chars = after.char_indices();
                loop {
                    match chars.next().expect(line) {
                        (at, '"') => break rest = &after[at + 1..],
                        (_, '\\') => value.push(match chars.next().expect(line).1 {
                            'n' => '\n',
                            c @ ('"' | '\\') => c,
                            c => panic!("\\{c} in {line}"),
                        }),
                        (_, c) => value.push(c),
                    }
                }
                assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            }
            rest = &rest[1..];
        }
        let value = rest.strip_prefix(' ').expect(line).parse().expect(line);
        (name.to_owned(), labels, value)
    }

    fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut found = self.samples.iter().filter(|(sample, has, _)| {
            sample == name && labels.iter().all(|(k, v)| has.get(*k).is_some_and(|h| h == v))
        });
        let value = found.next()?.2;
        assert!(found.next().is_none(), "{name} {labels:?} is ambiguous");
        Some(value)
    }

    fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.samples
            .iter()
            .filter(|(sample, has, _)| {
                sample == name && labels.iter().all(|(k, v)| has.get(*k).is_some_and(|h| h == v))
            })
            .map(|sample| sample.2)
            .sum()
    }
}

/// The series of one method, and of the requests that match none.
fn stage(registry: &Registry, api_name: &str, resource: &str, method: &'static str) -> StageSeries {
    registry.stage(api_name, "a1b2c3", "dev", [(&Arc::from(resource), method)])
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn outcomes_move_the_metrics_that_cloudwatch_moves() {
    let registry = Registry::new(2);
    let series = stage(&registry, "shop", "/pets/{id}", "GET");
    let pets = [0, 1].map(|shard| series.of(Some(0)).of_shard(shard));
    let unmatched = [0, 1].map(|shard| series.of(None).of_shard(shard));
    pets[0].record(200, millis(12), Some(millis(8)));
    pets[1].record(404, millis(12), Some(millis(8)));
    pets[1].record(504, Duration::from_secs(29), Some(Duration::from_secs(29)));
    pets[0].record(429, Duration::from_micros(20), None);
    pets[0].refused(Refused::Throttled);
    pets[0].record(200, Duration::from_micros(20), None);
    pets[0].cache_hit();
    unmatched[1].record(403, Duration::from_micros(20), None);
    pets[1].refused(Refused::Forbidden);
    pets[0].refused(Refused::Quota);
    pets[0].refused(Refused::Quota);

    let scrape = Scrape::read(&registry.render());
    let pets = [("resource", "/pets/{id}"), ("method", "GET"), ("api_id", "a1b2c3")];
    let stage = [("api_name", "shop"), ("stage", "dev")];
    for (name, of_pets, of_stage) in [
        ("ringway_count_total", 5.0, 6.0),
        ("ringway_4xx_error_total", 2.0, 3.0),
        ("ringway_5xx_error_total", 1.0, 1.0),
        ("ringway_throttled_total", 1.0, 1.0),
        ("ringway_quota_refused_total", 2.0, 2.0),
        ("ringway_forbidden_total", 1.0, 1.0),
        ("ringway_cache_hit_count_total", 1.0, 1.0),
        ("ringway_latency_seconds_count", 5.0, 6.0),
        ("ringway_integration_latency_seconds_count", 3.0, 3.0),
    ] {
        assert_eq!(scrape.value(name, &pets), Some(of_pets), "{name}");
        assert_eq!(scrape.sum(name, &stage), of_stage, "{name}");
    }
    assert_eq!(scrape.value("ringway_latency_seconds_sum", &pets), Some(29.024_04));
    assert_eq!(scrape.value("ringway_cache_miss_count_total", &pets), None, "there is no cache");
    assert_eq!(scrape.value("ringway_count_total", &[("resource", ""), ("method", "")]), Some(1.0));
}

#[test]
fn usage_plans_are_told_of_once_they_have_counted_and_the_last_number_is_of_others() {
    let registry = Registry::new(2);
    let names = ["gold", "si\"lver", "unused"].map(Box::from);
    for number in [0, 1, usize::from(USAGE_PLAN_SERIES_MAX)] {
        registry.shard(0).plan(number).record(None);
        registry.shard(1).plan(number).record(Some(Refused::Throttled));
        registry.shard(1).plan(number).record(Some(Refused::Quota));
    }
    let text = registry.render_plans(&names);
    let scrape = Scrape::read(&text);
    for plan in ["gold", "si\"lver", "other"] {
        for (counter, want) in [("requests", 3.0), ("throttled", 1.0), ("quota_refused", 1.0)] {
            let name = format!("ringway_usage_plan_{counter}_total");
            assert_eq!(scrape.value(&name, &[("plan", plan)]), Some(want), "{name} {plan}");
        }
    }
    assert!(!text.contains("unused"), "{text}");
    Scrape::read(&(registry.render() + &text));
}

#[test]
fn histogram_buckets_are_cumulative_and_end_with_infinity() {
    let registry = Registry::new(1);
    let series = stage(&registry, "shop", "/", "ANY");
    for micros in [1, 100, 101, 250, 5_000_000, 60_000_000] {
        series.of(Some(0)).of_shard(0).record(200, Duration::from_micros(micros), None);
    }
    let scrape = Scrape::read(&registry.render());
    let bucket = |le| scrape.value("ringway_latency_seconds_bucket", &[("le", le)]).unwrap();
    let bounds = BOUND_LABELS.iter().copied().chain(["+Inf"]);
    let counts: Vec<f64> = bounds.map(bucket).collect();
    assert!(counts.is_sorted(), "{counts:?}");
    assert_eq!((bucket("0.0001"), bucket("0.00025"), bucket("2.5")), (2.0, 4.0, 4.0));
    assert_eq!((bucket("5"), bucket("30"), bucket("+Inf")), (5.0, 5.0, 6.0));
    assert_eq!(scrape.value("ringway_latency_seconds_count", &[]), Some(6.0));
}

#[test]
fn label_values_are_escaped() {
    let registry = Registry::new(1);
    let name = "a \"b\" \\ c\nd é {x=\"y\"} 1";
    stage(&registry, name, "/{proxy+}", "ANY").of(Some(0)).of_shard(0).cache_hit();
    let scrape = Scrape::read(&registry.render());
    assert_eq!(scrape.value("ringway_count_total", &[("api_name", name)]), Some(0.0));
}

#[test]
fn a_method_goes_on_counting_in_the_next_deployment() {
    let registry = Registry::new(2);
    let paths = ["/b", "/a", "/c"].map(Arc::<str>::from);
    let of = |paths: &[Arc<str>]| {
        registry.stage("shop", "a1b2c3", "dev", paths.iter().map(|path| (path, "GET")))
    };
    let before = of(&paths[..2]);
    before.of(Some(0)).of_shard(1).record(200, millis(1), None);
    before.of(None).of_shard(0).record(403, millis(1), None);
    let after = of(&paths);
    assert!(std::ptr::eq(before.of(Some(0)), after.of(Some(0))));
    assert!(std::ptr::eq(before.of(Some(1)), after.of(Some(1))));
    assert!(std::ptr::eq(before.of(None), after.of(None)));
    after.of(Some(0)).of_shard(1).record(200, millis(1), None);
    after.of(Some(2)).of_shard(0).record(200, millis(1), None);
    let scrape = Scrape::read(&registry.render());
    let count = |path| scrape.value("ringway_count_total", &[("resource", path)]);
    assert_eq!(
        [count("/a"), count("/b"), count("/c"), count("")],
        [
            None, // no request yet
            Some(2.0),
            Some(1.0),
            Some(1.0),
        ]
    );
}

#[test]
fn series_that_no_deployment_has_are_swept() {
    let registry = Registry::new(1);
    let old = stage(&registry, "shop", "/a", "GET");
    let new = stage(&registry, "shop", "/b", "GET");
    let other = registry.stage("shop", "a1b2c3", "prod", []);
    registry.sweep();
    assert_eq!(registry.series_count(), 4, "/a, /b, unmatched, prod's unmatched");
    drop(old);
    registry.sweep();
    assert_eq!(registry.series_count(), 3);
    drop((new, other));
    registry.sweep();
    assert_eq!(registry.series_count(), 0);
}

#[test]
fn shards_are_listed_with_every_cell_and_timeout() {
    let registry = Registry::new(2).started_at(WallMillis(1_583_349_317_042));
    let shard = registry.shard(1);
    shard.connections.add(3);
    shard.connections.sub(1);
    shard.ring_waits.add(2);
    shard.ring_cqes.add(7);
    shard.timed_out(TimeoutKind::Head);
    let scrape = Scrape::read(&registry.render());
    for (name, value) in [
        ("ringway_connections", 2.0),
        ("ringway_ring_waits_total", 2.0),
        ("ringway_ring_cqes_total", 7.0),
    ] {
        assert_eq!(scrape.value(name, &[("shard", "1")]), Some(value), "{name}");
        assert_eq!(scrape.value(name, &[("shard", "0")]), Some(0.0), "{name}");
    }
    assert_eq!(scrape.kinds["ringway_connections"], "gauge");
    for kind in TimeoutKind::ALL {
        let labels = [("shard", "1"), ("kind", kind.label())];
        let value = f64::from(u8::from(kind == TimeoutKind::Head));
        assert_eq!(scrape.value("ringway_timeouts_total", &labels), Some(value), "{kind:?}");
    }
    assert_eq!(scrape.value("process_start_time_seconds", &[]), Some(1_583_349_317.042));
    assert_eq!(
        scrape.value("ringway_build_info", &[("version", env!("CARGO_PKG_VERSION"))]),
        Some(1.0)
    );
}
