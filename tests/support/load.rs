//! Load from wrk and h2load.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A running wrk.
#[derive(Debug)]
pub struct Load(Child);

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub requests: u64,
    pub time: Duration,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Connects, reads, writes and answers that failed.
    pub failed: u64,
    /// All that the tool said.
    pub text: String,
}

impl Report {
    /// Answers with this status.
    pub fn answered(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }
}

impl Load {
    /// wrk with that many connections until [`stop`](Self::stop), or for `seconds`.
    pub fn wrk(url: &str, connections: usize, seconds: u32, flags: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/wrk/report.lua");
        let child = Command::new("wrk")
            .args(["-t", "1", "-c", &connections.to_string(), "-d", &format!("{seconds}s")])
            .args(["--timeout", "60s", "-s"])
            .arg(script)
            .args(flags)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("wrk (tests/run installs it)");
        Self(child)
    }

    /// Ends it early; requests in flight do not count.
    pub fn stop(self) -> Report {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::INT).expect("wrk is running still");
        }
        self.finish()
    }

    /// Waits for its end.
    pub fn finish(self) -> Report {
        let output = self.0.wait_with_output().expect("wrk's output");
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let json = text.lines().find_map(|line| line.strip_prefix("REPORT "));
        let json = json.unwrap_or_else(|| panic!("wrk said no report but: {text}"));
        let report: serde_json::Value = serde_json::from_str(json).expect("JSON");
        let count = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("no {key}: {text}"));
        let statuses = report["statuses"].as_object().expect("statuses").iter();
        Report {
            requests: count("requests"),
            time: Duration::from_micros(count("micros")),
            statuses: statuses
                .map(|(status, count)| {
                    (status.parse().expect("a status"), count.as_u64().unwrap_or(0))
                })
                .collect(),
            failed: ["connect", "read", "write", "timeout"].map(count).iter().sum(),
            text,
        }
    }
}

/// h2load over HTTP/1.1 with so many requests; `pipelined` of them at a time on each connection.
pub fn h2load(url: &str, connections: usize, requests: u64, pipelined: usize) -> Report {
    let output = Command::new("h2load")
        .args(["--h1", "-t", "1", "-c", &connections.to_string(), "-n", &requests.to_string()])
        .args(["-m", &pipelined.to_string()])
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .expect("h2load (tests/run installs it)");
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    // requests: 1000 total, 1000 started, 1000 done, 1000 succeeded, 0 failed, 0 errored, 0 timeout
    // status codes: 1000 2xx, 0 3xx, 0 4xx, 0 5xx
    let figures = |begin: &str| -> BTreeMap<String, u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(begin));
        let line = line.unwrap_or_else(|| panic!("h2load said no '{begin}' but: {text}"));
        line.split(',')
            .filter_map(|part| {
                let (count, what) = part.trim().split_once(' ')?;
                Some((what.to_owned(), count.parse().ok()?))
            })
            .collect()
    };
    let (done, codes) = (figures("requests:"), figures("status codes:"));
    Report {
        requests: done["done"],
        time: Duration::ZERO,
        statuses: [(200, "2xx"), (300, "3xx"), (400, "4xx"), (500, "5xx")]
            .map(|(status, class)| (status, codes[class]))
            .into(),
        failed: done["failed"] + done["errored"] + done["timeout"],
        text,
    }
}
