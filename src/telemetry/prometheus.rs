//! Prometheus's text format, version 0.0.4.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.

use std::fmt::Write;
use std::sync::Arc;

use crate::limits::USAGE_PLAN_SERIES_MAX;
use crate::telemetry::histogram::{BOUND_LABELS, HistogramSum};
use crate::telemetry::registry::ScrapedStage;
use crate::telemetry::shard_cells::SHARD_METRICS;
use crate::telemetry::{
    Cell64, Histogram, PlanCells, Series, SeriesCells, ShardCells, TimeoutKind,
};
use crate::time::WallMillis;

/// What the text is served as.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A counter per series.
struct SeriesCounter {
    name: &'static str,
    help: &'static str,
    cell: fn(&SeriesCells) -> &Cell64,
    /// Left out while it is 0 everywhere in a series: without a cache there is nothing to say.
    hides_zero: bool,
}

const SERIES_COUNTERS: &[SeriesCounter] = &[
    SeriesCounter {
        name: "ringway_count_total",
        help: "Requests (CloudWatch: Count).",
        cell: |cells| &cells.count,
        hides_zero: false,
    },
    SeriesCounter {
        name: "ringway_4xx_error_total",
        help: "Requests answered with a status from 400 to 499 (CloudWatch: 4XXError).",
        cell: |cells| &cells.errors_4xx,
        hides_zero: false,
    },
    SeriesCounter {
        name: "ringway_5xx_error_total",
        help: "Requests answered with a status from 500 to 599 (CloudWatch: 5XXError).",
        cell: |cells| &cells.errors_5xx,
        hides_zero: false,
    },
    SeriesCounter {
        name: "ringway_throttled_total",
        help: "Requests refused for their rate; also counted as 4XX errors.",
        cell: |cells| &cells.throttled,
        hides_zero: false,
    },
    SeriesCounter {
        name: "ringway_quota_refused_total",
        help: "Requests refused because their key's quota is used up; also counted as 4XX errors.",
        cell: |cells| &cells.quota_refused,
        hides_zero: true,
    },
    SeriesCounter {
        name: "ringway_forbidden_total",
        help: "Requests refused for want of an API key that opens the stage; also counted as 4XX errors.",
        cell: |cells| &cells.forbidden,
        hides_zero: true,
    },
    SeriesCounter {
        name: "ringway_cache_hit_count_total",
        help: "Requests answered from the cache (CloudWatch: CacheHitCount).",
        cell: |cells| &cells.cache_hits,
        hides_zero: true,
    },
    SeriesCounter {
        name: "ringway_cache_miss_count_total",
        help: "Requests the cache had no answer for (CloudWatch: CacheMissCount).",
        cell: |cells| &cells.cache_misses,
        hides_zero: true,
    },
];

/// A histogram per series.
struct SeriesHistogram {
    name: &'static str,
    help: &'static str,
    histogram: fn(&SeriesCells) -> Option<&Histogram>,
    /// Left out while it is empty: a MOCK never has an integration's latency.
    hides_zero: bool,
}

const SERIES_HISTOGRAMS: &[SeriesHistogram] = &[
    SeriesHistogram {
        name: "ringway_latency_seconds",
        help: "From the request's first byte to its answer (CloudWatch: Latency).",
        histogram: |cells| Some(&cells.latency),
        hides_zero: false,
    },
    SeriesHistogram {
        name: "ringway_integration_latency_seconds",
        help: "From calling the integration to its whole answer (CloudWatch: IntegrationLatency).",
        histogram: |cells| cells.integration_latency.get().map(|histogram| &**histogram),
        hides_zero: true,
    },
];

/// Everything, as text. `String`'s `Write` never fails, so its results are dropped.
pub(super) fn render(
    shards: &[Arc<ShardCells>],
    stages: &[ScrapedStage],
    started_at: Option<WallMillis>,
) -> String {
    let series: Vec<(String, &Series)> = stages
        .iter()
        .flat_map(|stage| stage.series.iter().map(|series| (labels(stage, series), &**series)))
        .collect();
    // About 30 lines of 120 bytes a series.
    let mut out = String::with_capacity(16_384 + series.len() * 4_096);
    process(&mut out, started_at);
    for counter in SERIES_COUNTERS {
        head(&mut out, counter.name, "counter", counter.help);
        for (labels, series) in &series {
            let sum: u64 = series.counted().map(|cells| (counter.cell)(cells).load()).sum();
            if sum > 0 || !counter.hides_zero {
                let _ = writeln!(out, "{}{{{labels}}} {sum}", counter.name);
            }
        }
    }
    for metric in SERIES_HISTOGRAMS {
        head(&mut out, metric.name, "histogram", metric.help);
        for (labels, series) in &series {
            let mut sum = HistogramSum::default();
            for histogram in series.counted().filter_map(metric.histogram) {
                histogram.add_to(&mut sum);
            }
            if sum.count() > 0 || !metric.hides_zero {
                histogram(&mut out, metric.name, labels, &sum);
            }
        }
    }
    for metric in SHARD_METRICS {
        head(&mut out, metric.name, metric.kind, metric.help);
        for (index, cells) in shards.iter().enumerate() {
            let value = (metric.cell)(cells).load();
            let _ = writeln!(out, "{}{{shard=\"{index}\"}} {value}", metric.name);
        }
    }
    timeouts(&mut out, shards);
    out
}

fn process(out: &mut String, started_at: Option<WallMillis>) {
    head(out, "ringway_build_info", "gauge", "Always 1; the labels say what runs.");
    let _ = writeln!(out, "ringway_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    if let Some(WallMillis(millis)) = started_at {
        let name = "process_start_time_seconds";
        head(out, name, "gauge", "When the process started, seconds since 1970.");
        let _ = writeln!(out, "{name} {}.{:03}", millis / 1_000, millis % 1_000);
    }
}

fn timeouts(out: &mut String, shards: &[Arc<ShardCells>]) {
    let name = "ringway_timeouts_total";
    head(out, name, "counter", "Deadlines missed, by the limit that sets them.");
    for (index, cells) in shards.iter().enumerate() {
        for kind in TimeoutKind::ALL {
            let (label, value) = (kind.label(), cells.timeouts(kind));
            let _ = writeln!(out, "{name}{{shard=\"{index}\",kind=\"{label}\"}} {value}");
        }
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn histogram(out: &mut String, name: &str, labels: &str, sum: &HistogramSum) {
    let mut below = 0;
    for (bound, count) in BOUND_LABELS.iter().chain(&["+Inf"]).zip(sum.buckets) {
        below += count;
        let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {below}");
    }
    let (seconds, nanos) = (sum.nanos / 1_000_000_000, sum.nanos % 1_000_000_000);
    let _ = writeln!(out, "{name}_sum{{{labels}}} {seconds}.{nanos:09}");
    let _ = writeln!(out, "{name}_count{{{labels}}} {below}");
}

/// A counter of usage plans.
struct PlanCounter {
    name: &'static str,
    help: &'static str,
    cell: fn(&PlanCells) -> &Cell64,
}

const PLAN_COUNTERS: [PlanCounter; 3] = [
    PlanCounter {
        name: "ringway_usage_plan_requests_total",
        help: "Requests with a key of the usage plan, refused ones included.",
        cell: |cells| &cells.requests,
    },
    PlanCounter {
        name: "ringway_usage_plan_throttled_total",
        help: "Requests that the usage plan refused for their rate.",
        cell: |cells| &cells.throttled,
    },
    PlanCounter {
        name: "ringway_usage_plan_quota_refused_total",
        help: "Requests that the usage plan refused because their key's quota was used up.",
        cell: |cells| &cells.quota_refused,
    },
];

/// What is counted by usage plan, by the numbers that `names` have; the last number is that of all
/// others. A plan is told of from its first request on.
pub(super) fn plans(shards: &[Arc<ShardCells>], names: &[Box<str>]) -> String {
    let mut out = String::new();
    let counted: Vec<&[PlanCells]> = shards.iter().filter_map(|cells| cells.plans()).collect();
    let others = usize::from(USAGE_PLAN_SERIES_MAX);
    let sum = |index: usize, cell: fn(&PlanCells) -> &Cell64| -> u64 {
        counted.iter().map(|cells| cell(&cells[index]).load()).sum()
    };
    let named = names.iter().take(others).map(|name| &**name).enumerate();
    let told: Vec<(usize, &str)> = named
        .chain([(others, "other")])
        .filter(|(index, _)| sum(*index, |cells| &cells.requests) > 0)
        .collect();
    for PlanCounter { name, help, cell } in PLAN_COUNTERS {
        head(&mut out, name, "counter", help);
        for &(index, plan) in &told {
            let _ = write!(out, "{name}{{plan=\"");
            escape(plan, &mut out);
            let _ = writeln!(out, "\"}} {}", sum(index, cell));
        }
    }
    out
}

fn escape(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            _ => out.push(c),
        }
    }
}

/// `api_name="…",api_id="…",stage="…",resource="…",method="…"`, escaped.
fn labels(stage: &ScrapedStage, series: &Series) -> String {
    let mut out = String::with_capacity(128);
    for (name, value) in [
        ("api_name", &*stage.api_name),
        ("api_id", &stage.key.api_id),
        ("stage", &stage.key.stage),
        ("resource", &series.resource),
        ("method", series.method),
    ] {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(name);
        out.push_str("=\"");
        escape(value, &mut out);
        out.push('"');
    }
    out
}

#[cfg(test)]
#[path = "prometheus_tests.rs"]
mod tests;
