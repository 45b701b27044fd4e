//! Load for `perf/compare` that wrk and h2load cannot put on.
//!
//! `closed`: a closed loop of requests with bodies and a changing header; `open`: an open loop; `bulk`:
//! bodies on a few connections; `sink`: an upstream that drops uploads.
//! All but the last print one JSON object. Everything runs on one thread over epoll.

mod bulk;
mod closed;
mod flags;
mod http;
mod net;
mod open;
mod requests;
mod sink;

use std::process::ExitCode;

const USAGE: &str = "usage:
  perf-load closed --address A:P --path P --seconds S --connections N [REQUEST]
  perf-load open --address A:P --path P --seconds S --connections N --rate R [REQUEST] [--tally FILE]
  perf-load bulk --address A:P --path P --seconds S --connections N --direction up|down --body-bytes B
  perf-load sink --listen A:P [--answer-file FILE]
REQUEST: --method M --host H --body-file FILE, and for a header that changes
  --header-name NAME --header-values FILE (a line each, all of one length) --hot-values N --hot-share 0..1
--tally writes a line for each header value: index, answers 2xx, 429, 429 by quota, others, first sent,
  last sent, first answered, last answered, in ns since the start";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let outcome = flags::Flags::parse(arguments).and_then(|flags| match mode.as_str() {
        "closed" => closed::run(&flags),
        "open" => open::run(&flags),
        "bulk" => bulk::run(&flags),
        "sink" => sink::run(&flags),
        _ => Err(flags::usage(format!("no such mode: {mode:?}"))),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
            eprintln!("perf-load: {error}\n{USAGE}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("perf-load {mode}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The value below which `share` of the sorted values lie, 0 of none.
fn quantile(sorted: &[u64], share: f64) -> u64 {
    let index = (sorted.len() as f64 * share) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantile_of_few_values_stays_inside() {
        assert_eq!(quantile(&[], 0.5), 0);
        assert_eq!(quantile(&[7], 0.999), 7);
        assert_eq!(quantile(&[1, 2, 3, 4], 0.5), 3);
    }
}
