//! The real binary, started on free ports of loopback.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{Client, Folder, Metrics, PATIENCE};

/// How a gateway is started: one shard, no access log, no throttle, unless said otherwise.
#[derive(Clone, Debug)]
pub struct Options {
    definition: String,
    file_name: String,
    /// `None`: as many as the gateway itself finds right.
    shards: Option<usize>,
    /// What the command is started by: `taskset -c 0` for example.
    through: Vec<String>,
    access_log: String,
    throttle: String,
    flags: Vec<String>,
}

impl Options {
    pub fn new(definition: impl Into<String>) -> Self {
        let definition = definition.into();
        let json = definition.trim_start().starts_with('{');
        Self {
            definition,
            file_name: if json { "api.json" } else { "api.yaml" }.to_owned(),
            shards: Some(1),
            through: Vec::new(),
            access_log: "off".to_owned(),
            throttle: "off".to_owned(),
            flags: Vec::new(),
        }
    }

    pub fn shards(mut self, count: usize) -> Self {
        self.shards = Some(count);
        self
    }

    pub fn shards_as_found(mut self) -> Self {
        self.shards = None;
        self
    }

    /// Starts it by another command, which must become it (`exec`): the signals go to its pid.
    pub fn through(mut self, command: &[&str]) -> Self {
        self.through = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    pub fn limit(self, limit: &str) -> Self {
        self.flag("--limit", limit)
    }

    pub fn var(self, assignment: &str) -> Self {
        self.flag("--var", assignment)
    }

    pub fn access_log(mut self, destination: &Path) -> Self {
        self.access_log = destination.display().to_string();
        self
    }

    /// With an access log that nobody reads: what is wrong with writing a line still shows.
    /// `format` as the flag takes it.
    pub fn logged_as(self, format: &str) -> Self {
        self.access_log(Path::new("/dev/null")).flag("--access-log-format", format)
    }

    /// The same with a format that has every variable there is.
    pub fn logged(self) -> Self {
        self.logged_as(&super::every_variable())
    }

    pub fn account_throttle(mut self, throttle: &str) -> Self {
        self.throttle = throttle.to_owned();
        self
    }

    pub fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// If it ends before, with what it said.
    pub fn start(mut self) -> Gateway {
        let folder = Folder::new();
        let file = folder.write(&self.file_name, &self.definition);
        let mut words = self.through.iter().map(String::as_str);
        let mut command = match words.next() {
            Some(program) => {
                let mut command = Command::new(program);
                command.args(words).arg(env!("CARGO_BIN_EXE_ringway"));
                command
            }
            None => Command::new(env!("CARGO_BIN_EXE_ringway")),
        };
        if let Some(shards) = self.shards {
            self.flags.extend(["--shards".to_owned(), shards.to_string()]);
        }
        command
            .arg("run")
            .arg(&file)
            .args(["--stage", "dev", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .args(["--access-log", &self.access_log])
            .args(["--account-throttle", &self.throttle])
            .args(&self.flags);
        Gateway::spawn(command, folder, file).unwrap_or_else(|why| {
            panic!("the gateway did not start {why}\nits definition:\n{}", self.definition)
        })
    }
}

/// `… http://127.0.0.1:4711/…`, or `… http://127.0.0.1:4711: …`
pub fn address_in(line: &str) -> SocketAddr {
    let rest = line.split("://").nth(1).unwrap_or_else(|| panic!("no URL in {line:?}"));
    let authority = rest.split(['/', ' ']).next().unwrap_or_default().trim_end_matches(':');
    authority.parse().unwrap_or_else(|error| panic!("{authority:?} in {line:?}: {error}"))
}

/// A running gateway; killed when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    pub(super) child: Child,
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
    pub folder: Folder,
    pub file: PathBuf,
}

impl Gateway {
    /// Starts `command` and waits until it listens. `file` is what it serves.
    ///
    /// # Errors
    /// It ended before; its status and all that it said.
    pub fn spawn(mut command: Command, folder: Folder, file: PathBuf) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the ringway binary");
        let stdout = Output::read(child.stdout.take().expect("it is piped"));
        let stderr = Output::read(child.stderr.take().expect("it is piped"));
        let Some(listening) = stdout.find(0, "listening on ") else {
            let _ = child.kill();
            let status = child.wait();
            return Err(format!("({status:?}):\n{}\n{}", stdout.text(), stderr.text()));
        };
        let address = address_in(&listening);
        let admin = address_in(&stdout.find(0, "admin on ").expect("the admin port is on"));
        Ok(Self { child, address, admin, stdout, stderr, folder, file })
    }

    /// One with a definition and nothing special.
    pub fn serving(definition: impl Into<String>) -> Self {
        Options::new(definition).start()
    }

    /// `path` begins with `/` and has no stage.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/dev{path}", self.address)
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address)
    }

    pub fn metrics(&self) -> Metrics {
        Metrics::of(self.admin)
    }

    /// Waits until the sum of a metric is at least that much: shards copy their figures now and then.
    pub fn counts(&self, name: &str, least: f64) {
        super::wait_for(name, || (self.metrics().total(name) >= least).then_some(()));
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed on standard output so far.
    pub fn printed(&self) -> String {
        self.stdout.text()
    }

    /// Number of lines it has said on standard error so far: where [`says`](Self::says) may begin.
    pub fn said(&self) -> usize {
        self.stderr.lines()
    }

    /// Waits until standard error has `words` in a line from line `from` on; gives that line.
    ///
    /// # Panics
    /// If it never says so.
    pub fn says(&self, from: usize, words: &str) -> String {
        self.stderr.find(from, words).unwrap_or_else(|| {
            panic!("the gateway never said {words:?}, but:\n{}", self.stderr.text())
        })
    }

    /// All of standard error.
    pub fn messages(&self) -> String {
        self.stderr.text()
    }

    /// Puts another definition in the place of the served one.
    pub fn rewrite(&self, definition: impl Into<String>) {
        let name = self.file.file_name().and_then(|name| name.to_str()).expect("a UTF-8 name");
        self.folder.write(name, &definition.into());
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, signal).expect("the gateway lives");
    }

    /// Waits for its end.
    pub fn exit(&mut self) -> ExitStatus {
        super::wait_for("the gateway's end", || self.child.try_wait().expect("its status"))
    }

    /// A line of `/proc/PID/status` in bytes: `VmRSS`, `VmHWM`, `RssAnon`.
    pub fn memory(&self, key: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("the gateway lives");
        let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|n| n.parse().ok());
        kib.map(|kib: u64| kib * 1_024).unwrap_or_else(|| panic!("no {key} in {status}"))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the gateway said:\n{}", self.stderr.text());
        } else {
            // One connection's panic is survived, so a test that passes may have met one.
            let said = self.stderr.text();
            assert!(!said.contains("panicked at"), "the gateway panicked:\n{said}");
        }
    }
}

/// Lines of an output while they come.
#[derive(Clone, Debug)]
pub struct Output(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<String>,
    ended: bool,
}

impl Output {
    /// Reads `source` to its end on a thread of its own.
    pub fn read(source: impl Read + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new(Lines::default()), Condvar::new()));
        let output = Self(shared.clone());
        std::thread::spawn(move || {
            let (state, changed) = &*shared;
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            while source.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
                state.lock().expect("no reader panics").lines.push(text);
                changed.notify_all();
            }
            state.lock().expect("no reader panics").ended = true;
            changed.notify_all();
        });
        output
    }

    /// Waits for a line with `words`, from line `from` on; `None`: the output ended, or nothing came.
    pub fn find(&self, from: usize, words: &str) -> Option<String> {
        let (state, changed) = &*self.0;
        let give_up = Instant::now() + PATIENCE;
        let mut lines = state.lock().expect("no reader panics");
        let mut next = from;
        loop {
            let rest = lines.lines.get(next..).unwrap_or_default();
            if let Some(line) = rest.iter().find(|line| line.contains(words)) {
                return Some(line.clone());
            }
            next += rest.len();
            let left = give_up.saturating_duration_since(Instant::now());
            if lines.ended || left == Duration::ZERO {
                return None;
            }
            lines = changed.wait_timeout(lines, left).expect("no reader panics").0;
        }
    }

    pub fn lines(&self) -> usize {
        self.0.0.lock().expect("no reader panics").lines.len()
    }

    pub fn text(&self) -> String {
        self.0.0.lock().expect("no reader panics").lines.join("\n")
    }
}
