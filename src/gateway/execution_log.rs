//! The execution log of one request: what AWS tells an API's owner about each phase, in its words.
//!
//! ```text
//! key_check → admitted → method_request → endpoint_request → endpoint_response → success | failure
//!                                         └─────── not for MOCK ───────┘
//! ```
//!
//! An exchange carries a log only where somebody wants one (test invocations; logging by stage can use
//! the same lines). Elsewhere a hook costs one look at a null pointer. Lines are text with a moment and a
//! [`LogDetail`]; each is cut at [`EXECUTION_LOG_LINE_BYTES_MAX`], so a log is small whatever passes.
//!
//! What is secret in headers (`Authorization`, `x-api-key`) is masked but for its last six characters.
//!
//! Source: facts, observability section 2, aws-recorded section 17, rest-api section 16.

mod headers;
mod hooks;
pub(super) mod key_check;
#[cfg(test)]
mod tests;

pub use headers::answer_headers;
pub use hooks::{endpoint_request, endpoint_response, failure, method_request, success};

use std::fmt::Write as _;

use super::RequestIds;
use crate::limits::EXECUTION_LOG_LINE_BYTES_MAX;
use crate::time::WallMillis;

/// How much of an execution is written down; each level holds those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogDetail {
    /// `loggingLevel` ERROR: why a request failed, and the status it ended with.
    Errors,
    /// `loggingLevel` INFO: the phases, without what passed through them.
    Phases,
    /// `dataTraceEnabled`, and every test invocation: parameters, headers and bodies too.
    Data,
}

/// Ends a line that was cut.
const TRUNCATED: &str = " [TRUNCATED]";

/// See the [module](self).
#[derive(Debug)]
pub struct ExecutionLog {
    detail: LogDetail,
    /// The lines' texts, one behind the other.
    text: String,
    lines: Vec<Line>,
    /// The line that is being written.
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Line {
    at: WallMillis,
    /// In `text`.
    end: usize,
}

impl ExecutionLog {
    /// An empty log.
    pub fn new(detail: LogDetail) -> Self {
        Self { detail, text: String::new(), lines: Vec::new(), scratch: Vec::new() }
    }

    /// Whether bodies are written down: then an answer's has to be collected.
    pub fn wants_bodies(&self) -> bool {
        self.holds(LogDetail::Data)
    }

    /// Whether lines of this detail are written.
    fn holds(&self, detail: LogDetail) -> bool {
        detail <= self.detail
    }

    /// Appends what `write` appends to a buffer as a line, if lines of this detail are wanted.
    fn line(&mut self, at: WallMillis, detail: LogDetail, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.holds(detail) {
            return;
        }
        self.scratch.clear();
        write(&mut self.scratch);
        let line = String::from_utf8_lossy(&self.scratch);
        if line.len() > EXECUTION_LOG_LINE_BYTES_MAX {
            let mut end = EXECUTION_LOG_LINE_BYTES_MAX;
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            self.text.push_str(&line[..end]);
            self.text.push_str(TRUNCATED);
        } else {
            self.text.push_str(&line);
        }
        self.lines.push(Line { at, end: self.text.len() });
    }

    fn text(&mut self, at: WallMillis, detail: LogDetail, line: std::fmt::Arguments<'_>) {
        use std::io::Write as _;
        // A `Vec` takes everything.
        self.line(at, detail, |out| drop(out.write_fmt(line)));
    }

    /// `name` and a payload, of which no more than a line holds is looked at.
    fn body(&mut self, at: WallMillis, name: &str, body: &[u8]) {
        self.line(at, LogDetail::Data, |out| {
            out.extend_from_slice(name.as_bytes());
            // A character that is cut here lies behind the line's end.
            let seen = body.len().min(EXECUTION_LOG_LINE_BYTES_MAX + 4);
            out.extend_from_slice(&body[..seen]);
        });
    }

    /// Every line with the moment it was written.
    pub fn lines(&self) -> impl Iterator<Item = (WallMillis, &str)> {
        let mut start = 0;
        self.lines.iter().map(move |line| {
            let text = &self.text[start..line.end];
            start = line.end;
            (line.at, text)
        })
    }

    /// The log as `TestInvokeMethod` returns it.
    pub fn of_test(&self, ids: &RequestIds) -> String {
        let id = String::from_utf8_lossy(&ids.request_id);
        let mut log = format!("Execution log for request {id}\n");
        for (at, line) in self.lines() {
            // A `String` takes everything.
            let _ = writeln!(log, "{} : {line}", at.java_date());
        }
        log
    }
}
