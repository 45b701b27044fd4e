//! Load for `perf/compare` that wrk and h2load cannot put on.
//!
//! `open`: an open loop; `bulk`: bodies on a few connections; `sink`: an upstream that drops uploads.
//! The first two print one JSON object. Everything runs on one thread over epoll.

mod bulk;
mod flags;
mod http;
mod net;
mod open;
mod sink;

use std::process::ExitCode;

const USAGE: &str = "usage:
  perf-load open --address A:P --path P --seconds S --connections N --rate R
  perf-load bulk --address A:P --path P --seconds S --connections N --direction up|down --body-bytes B
  perf-load sink --listen A:P";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let outcome = flags::Flags::parse(arguments).and_then(|flags| match mode.as_str() {
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
