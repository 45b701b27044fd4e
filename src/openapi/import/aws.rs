//! What AWS's own import would say, in its words.
//!
//! AWS refuses some documents that Ringway serves, and takes others that Ringway cannot serve yet, so
//! this list stands beside the diagnostics. The control plane answers by it. Wordings that were not
//! seen are our diagnostic's own message behind AWS's beginning (`Unable to put method ...: `).
//!
//! Source: facts, openapi section 2; field reports of the texts.

use super::Import;

/// How grave a finding is to AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsSeverity {
    /// The document cannot be read as one: the finding is the whole answer.
    Unreadable,
    /// The import is refused.
    Error,
    /// The import goes on, unless `failonwarnings` was asked for.
    Warning,
}

/// What AWS would say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsFinding {
    /// How grave it is.
    pub severity: AwsSeverity,
    /// One line.
    pub message: String,
}

impl Import {
    /// Members of the API's `warnings` after an import that was not refused, in AWS's order.
    pub fn aws_warnings(&self) -> Vec<&str> {
        self.aws_messages(AwsSeverity::Warning)
    }

    /// Message of the `BadRequestException` (400) with which AWS refuses the document; `None`: it
    /// imports it.
    pub fn aws_refusal(&self, fail_on_warnings: bool) -> Option<String> {
        if let Some(unreadable) = self.aws_messages(AwsSeverity::Unreadable).first() {
            return Some((*unreadable).to_owned());
        }
        let list = |heading: &str, messages: &[&str]| {
            messages.iter().fold(heading.to_owned(), |text, message| format!("{text}\n\t{message}"))
        };
        let (errors, warnings) = (self.aws_messages(AwsSeverity::Error), self.aws_warnings());
        match (errors.is_empty(), warnings.is_empty()) {
            (true, true) => None,
            (true, false) => {
                fail_on_warnings.then(|| list("Warnings found during import:", &warnings))
            }
            (false, true) => Some(list("Errors found during import:", &errors)),
            (false, false) => Some(format!(
                "{}\n{}",
                list("Errors found during import:", &errors),
                list("Additionally, these warnings were found:", &warnings)
            )),
        }
    }

    fn aws_messages(&self, severity: AwsSeverity) -> Vec<&str> {
        let wanted = self.aws.iter().filter(|it| it.severity == severity);
        wanted.map(|it| it.message.as_str()).collect()
    }
}

/// A validator's refusal, as AWS words it.
pub(super) fn validation(what: &str, error: &str) -> String {
    format!("{what}: Validation Result: warnings : [], errors : [{error}]")
}
