//! The process: flags become shards, a control thread and a published stage; signals, drain, exit.
//!
//! ```text
//! probe → compile → bind → spawn shards → resolve names → publish → print → serve → drain → exit
//! ```
//!
//! All that can be wrong with flags, kernel or definition is found before the first socket is bound.
//! From then on the main thread is the control thread: one tokio-uring runtime for the admin port, the
//! file watch, names, the access log and signals. A shard that ends or panics ends the process: half a
//! gateway would lose its share of the connections without a word.

pub mod cpus;
pub mod listen;
mod process;
mod run;
mod serve;
pub mod shards;
mod trials;

pub use serve::ServeConfig;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

pub use crate::config::{ACCOUNT_ID, ACCOUNT_THROTTLE};
use crate::control::findings::{self, Finding};
use crate::control::log_writer::LogDestination;
use crate::deploy::StageSettings;
use crate::limits::Limits;
use crate::model::ThrottleSettings;
use crate::openapi::Severity;
use crate::telemetry::AccessLogFormat;
use crate::time::{Nanos, WallMillis};

/// What `ringway run` was told.
#[derive(Debug)]
pub struct Config {
    /// The definition.
    pub file: PathBuf,
    /// The stage's name: first segment of every path.
    pub stage: String,
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// Where clients connect; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Shards; `None`: one per CPU the process may use.
    pub shards: Option<usize>,
    /// The admin port; `None`: off.
    pub admin: Option<SocketAddr>,
    /// Where the access log goes; `None`: off.
    pub access_log: Option<LogDestination>,
    /// Its format.
    pub access_log_format: Arc<AccessLogFormat>,
    /// The account's throttle; `None`: off.
    pub account_throttle: Option<ThrottleSettings>,
    /// Is that AWS's default, and not what the user said?
    pub account_throttle_is_default: bool,
    /// Bounds.
    pub limits: Arc<Limits>,
    /// Certificates trusted besides the system's.
    pub ca_files: Vec<PathBuf>,
}

impl Config {
    /// The stage's part of it.
    pub fn stage_settings(&self) -> StageSettings {
        StageSettings {
            stage: self.stage.clone(),
            variables: self.variables.clone(),
            limits: self.limits.clone(),
            account_throttle: self.account_throttle,
            account_id: ACCOUNT_ID.to_owned(),
            ..StageSettings::default()
        }
    }
}

/// Serves until a signal ends it: 0 after a drain, 1 when it could not start or go on.
pub fn run(config: Config) -> ExitCode {
    die_of_panics();
    raise_open_files();
    match run::run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&format!("ringway: {why}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Serves a store until a signal ends it: 0 after a drain, 1 when it could not start or go on.
pub fn serve(config: ServeConfig) -> ExitCode {
    die_of_panics();
    raise_open_files();
    match serve::run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&format!("ringway: {why}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Lets a panic end the process after its message, unless it ends one connection only: shards share
/// nothing that another could take over, and a process without one of them only looks alive. A panic
/// that the ring catches and does not survive (accept, mailbox, housekeeping) ends the shard's thread,
/// which the control thread sees.
fn die_of_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        if !crate::ring::is_panic_caught() {
            complain("ringway: a thread panicked, the process ends; please report this\n");
            std::process::exit(1);
        }
    }));
}

/// Raises the soft limit of open files to the hard one: every connection is a file, and the usual
/// soft limit of 1 024 is there for `select(2)`, which nothing here uses.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!("the limit of open files stays at {:?}: {error}", limit.current);
        }
    }
}

/// Now on the clock shards use.
pub fn monotonic_now() -> Nanos {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
    Nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
}

/// Now on the wall clock.
fn wall_now() -> WallMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    WallMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Reads the definition.
///
/// # Errors
/// Why, in half a sentence that does not name the file.
pub fn read_definition(file: &std::path::Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("cannot be read: {error}"))
}

/// Findings shown where a definition is served; the others are counted.
const FINDINGS_SHOWN_MAX: usize = 20;

/// Findings for a person who wants to serve, not to study: errors with help, the rest in a line each,
/// and not too many.
fn findings_text(all: &[Finding], file: &str) -> String {
    let mut text = String::new();
    let errors = all.iter().filter(|finding| finding.severity == Severity::Error);
    text.extend(errors.map(|finding| finding.text(file)));
    let others = || all.iter().filter(|finding| finding.severity != Severity::Error);
    text.extend(others().take(FINDINGS_SHOWN_MAX).map(|finding| finding.line(file) + "\n"));
    let left = others().count().saturating_sub(FINDINGS_SHOWN_MAX);
    if left > 0 {
        text.push_str(&format!("{file}: and {left} more; `ringway check {file}` tells all\n"));
    }
    if !all.is_empty() {
        text.push_str(&format!("{file}: {}\n", findings::count(all).summary()));
    }
    text
}

/// Writes to standard error; where that is closed there is nobody to tell.
fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes to standard output; a reader that went away does not stop a server.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::{Ring, RingConfig, yield_now};

    /// The hook is the process's, so each case is this test in a process of its own.
    #[test]
    fn a_tasks_panic_is_survived_and_a_threads_ends_the_process() {
        const CASE: &str = "RINGWAY_TEST_PANIC_OF";
        if let Ok(case) = std::env::var(CASE) {
            panics_under_the_hook(&case);
        }
        let test = "server::tests::a_tasks_panic_is_survived_and_a_threads_ends_the_process";
        for (case, code) in [("a task", 0), ("a vital task", 2), ("a thread", 1)] {
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", test, "--nocapture"])
                .env(CASE, case)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&child.stderr);
            assert_eq!(child.status.code(), Some(code), "{case}: {said}");
            assert!(said.contains("expected by the test"), "{case}: {said}");
            assert_eq!(said.contains("the process ends"), code == 1, "{case}: {said}");
        }
    }

    /// Exits with 0: the panic was survived, 2: it came out of the ring; 1 is the hook's.
    fn panics_under_the_hook(case: &str) -> ! {
        die_of_panics();
        if case == "a thread" {
            panic!("expected by the test");
        }
        let ran = std::thread::spawn({
            let vital = case == "a vital task";
            move || {
                let ring = Ring::new(RingConfig { recv_bufs: 1, bulk_bufs: 1 }).unwrap();
                let panics = async { panic!("expected by the test") };
                if vital {
                    ring.spawn_vital(panics)
                } else {
                    ring.spawn(panics)
                }
                let other = std::rc::Rc::new(std::cell::Cell::new(false));
                ring.spawn({
                    let (ring, other) = (ring.clone(), other.clone());
                    async move {
                        yield_now(&ring).await;
                        other.set(true);
                    }
                });
                ring.run().unwrap();
                (ring.stats().panics, other.get())
            }
        });
        std::process::exit(if ran.join().ok() == Some((1, true)) { 0 } else { 2 });
    }

    #[test]
    fn errors_are_shown_whole_and_the_rest_in_short() {
        let finding = |severity, line| Finding {
            severity,
            position: Some((line, 1)),
            pointer: "/x".to_owned(),
            message: "m".to_owned(),
            help: "h".to_owned(),
        };
        let mut all: Vec<Finding> =
            (1..=25).map(|line| finding(Severity::NotCarriedOut, line)).collect();
        all.push(finding(Severity::Error, 99));
        let text = findings_text(&all, "f.yaml");
        assert!(
            text.starts_with("f.yaml:99:1: error at /x: m\n    help: h\nf.yaml:1:1:"),
            "{text}"
        );
        assert!(text.contains("f.yaml: and 5 more; `ringway check f.yaml` tells all\n"), "{text}");
        assert!(text.ends_with("f.yaml: 1 error, 25 not carried out yet\n"), "{text}");
        assert_eq!(findings_text(&[], "f.yaml"), "");
    }

    #[test]
    fn the_monotonic_clock_goes_forward() {
        let first = monotonic_now();
        assert!(first.0 > 0 && monotonic_now() >= first);
    }
}
