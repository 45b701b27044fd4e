//! Programs that run to their end.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::Answer;

/// curl with these arguments; gives what it wrote, or its exit status and words.
pub fn curl(arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "60"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("curl (tests/run installs it)");
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// curl's view of an answer: status, headers and body.
pub fn curl_answer(arguments: &[&str]) -> Answer {
    let mut all = vec!["--include"];
    all.extend(arguments);
    let output = curl(&all).unwrap_or_else(|error| panic!("curl {arguments:?}: {error}"));
    let mut rest = output.as_slice();
    // Interim answers stand before the final one.
    loop {
        let end = rest.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
        let head = std::str::from_utf8(&rest[..end]).expect("a head of text").trim_end();
        let mut lines = head.split("\r\n");
        let mut status_line = lines.next().unwrap_or_default().splitn(3, ' ');
        let version = status_line.next().unwrap_or_default().to_owned();
        let status = status_line.next().and_then(|status| status.parse().ok()).expect("a status");
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        rest = &rest[end..];
        if status >= 200 {
            return Answer { version, status, headers, body: rest.to_vec() };
        }
    }
}

/// The ringway command with these arguments, to its end.
pub fn ringway(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringway"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the ringway binary")
}

/// The same on a file.
pub fn check(file: &Path, flags: &[&str]) -> Output {
    let file = file.display().to_string();
    let mut arguments = vec!["check", &file];
    arguments.extend(flags);
    ringway(&arguments)
}
