//! What is wrong with a definition, or not carried out yet: one list from import and compile, with
//! positions, as `ringway check` prints it and a failed reload says it.

use std::fmt::Write as _;

use serde_json::json;

use crate::deploy::CompileError;
use crate::openapi::{Diagnostic, Document, Severity};

/// One thing to know about a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Line from 1 and column from 1; `None`: it concerns no place.
    pub position: Option<(u32, u32)>,
    /// JSON pointer, empty for the whole document.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
}

/// How many there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The definition cannot be served.
    pub errors: usize,
    /// It can, but probably not as meant.
    pub warnings: usize,
    /// Accepted, but without effect yet.
    pub not_carried_out: usize,
}

/// The word `check` and its JSON use.
pub fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::NotCarriedOut => "not carried out",
    }
}

impl From<Diagnostic> for Finding {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            severity: diagnostic.severity,
            position: Some((diagnostic.position.line, diagnostic.position.column)),
            pointer: diagnostic.pointer,
            message: diagnostic.message,
            help: diagnostic.help,
        }
    }
}

impl Finding {
    /// What compiling found, at the position of the nearest object of the document that has one.
    pub fn from_compile(error: CompileError, severity: Severity, document: &Document) -> Self {
        let position = document.position(&error.pointer);
        let message = if error.object.is_empty() {
            error.message
        } else {
            format!("{}: {}", error.object, error.message)
        };
        Self {
            severity,
            position: position.map(|position| (position.line, position.column)),
            pointer: error.pointer,
            message,
            help: error.help,
        }
    }

    /// `file:line:col: error at /pointer: message`, without a line end; further lines of the message,
    /// the excerpt of a template, are indented.
    pub fn line(&self, file: &str) -> String {
        let mut text = file.to_owned();
        if let Some((line, column)) = self.position {
            // Writing to a String cannot fail.
            let _ = write!(text, ":{line}:{column}");
        }
        let _ = write!(text, ": {}", severity_word(self.severity));
        if !self.pointer.is_empty() {
            let _ = write!(text, " at {}", self.pointer);
        }
        let _ = write!(text, ": {}", self.message.replace('\n', "\n    "));
        text
    }

    /// The line, and below it what to do.
    pub fn text(&self, file: &str) -> String {
        let mut text = self.line(file);
        if !self.help.is_empty() {
            let _ = write!(text, "\n    help: {}", self.help.replace('\n', "\n          "));
        }
        text.push('\n');
        text
    }

    /// For `check --json`.
    pub fn json(&self, file: &str) -> serde_json::Value {
        json!({
            "file": file,
            "line": self.position.map(|(line, _)| line),
            "column": self.position.map(|(_, column)| column),
            "severity": severity_word(self.severity),
            "pointer": self.pointer,
            "message": self.message,
            "help": self.help,
        })
    }
}

/// Sorts by position and drops what was said twice.
pub fn sort(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| (finding.position, finding.pointer.clone());
        key(a).cmp(&key(b))
    });
    findings.dedup();
}

/// Counts by severity.
pub fn count(findings: &[Finding]) -> Counts {
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    Counts {
        errors: of(Severity::Error),
        warnings: of(Severity::Warning),
        not_carried_out: of(Severity::NotCarriedOut),
    }
}

impl Counts {
    /// `2 errors, 1 warning, 3 not carried out yet`, or `nothing to complain about`.
    pub fn summary(&self) -> String {
        let plural = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {one}s"),
        };
        let mut parts = Vec::new();
        if self.errors > 0 {
            parts.push(plural(self.errors, "error"));
        }
        if self.warnings > 0 {
            parts.push(plural(self.warnings, "warning"));
        }
        if self.not_carried_out > 0 {
            parts.push(format!("{} not carried out yet", self.not_carried_out));
        }
        if parts.is_empty() { "nothing to complain about".to_owned() } else { parts.join(", ") }
    }
}

/// Whether a compile error only says again that something could not be imported: it is about what
/// an error among `found` stands in, or about a part of it.
pub fn follows(error: &Finding, found: &[Finding]) -> bool {
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    found
        .iter()
        .filter(|it| it.severity == Severity::Error)
        .any(|it| within(&it.pointer, &error.pointer) || within(&error.pointer, &it.pointer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, position: Option<(u32, u32)>, message: &str) -> Finding {
        Finding {
            severity,
            position,
            pointer: "/paths/~1pets/get".to_owned(),
            message: message.to_owned(),
            help: "do this".to_owned(),
        }
    }

    #[test]
    fn a_finding_says_file_line_pointer_and_what_to_do() {
        let with = finding(Severity::Error, Some((12, 7)), "no integration");
        assert_eq!(
            with.text("api.yaml"),
            "api.yaml:12:7: error at /paths/~1pets/get: no integration\n    help: do this\n"
        );
        let json = with.json("api.yaml");
        assert_eq!((json["line"].as_u64(), json["severity"].as_str()), (Some(12), Some("error")));

        let whole = Finding {
            severity: Severity::NotCarriedOut,
            position: None,
            pointer: String::new(),
            message: "it is empty".to_owned(),
            help: String::new(),
        };
        assert_eq!(whole.text("api.yaml"), "api.yaml: not carried out: it is empty\n");
    }

    #[test]
    fn findings_come_by_position_once_and_counted() {
        let mut all = vec![
            finding(Severity::Warning, Some((9, 1)), "b"),
            finding(Severity::Error, Some((2, 1)), "a"),
            finding(Severity::Warning, Some((9, 1)), "b"),
            finding(Severity::Error, Some((30, 1)), "c"),
        ];
        sort(&mut all);
        let messages: Vec<&str> = all.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["a", "b", "c"]);
        assert_eq!(count(&all), Counts { errors: 2, warnings: 1, not_carried_out: 0 });
        assert_eq!(count(&all).summary(), "2 errors, 1 warning");
        assert_eq!(Counts::default().summary(), "nothing to complain about");
        let later = Counts { not_carried_out: 4, ..Counts::default() };
        assert_eq!(later.summary(), "4 not carried out yet");
    }

    #[test]
    fn what_follows_from_an_import_error_is_not_said_again() {
        let mut found = [finding(Severity::Error, None, "no type")];
        found[0].pointer = "/paths/~1a/get/x".to_owned();
        for (pointer, want) in [
            ("/paths/~1a/get", true),
            ("/paths/~1a/get/x", true),
            ("/paths/~1a/get/x/uri", true),
            ("/paths/~1a/get/xy", false),
            ("/paths/~1a/post", false),
        ] {
            let mut error = finding(Severity::Error, None, "cannot");
            error.pointer = pointer.to_owned();
            assert_eq!(follows(&error, &found), want, "{pointer}");
            found[0].severity = Severity::Warning;
            assert!(!follows(&error, &found), "a warning stops nothing");
            found[0].severity = Severity::Error;
        }
    }
}
