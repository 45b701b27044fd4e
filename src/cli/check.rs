//! `ringway check FILE`: everything that is wrong, and everything that is accepted without effect.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Args;

use super::args::StageArgs;
use super::{Failure, print};
use crate::control::findings::{self, Finding};
use crate::control::publish::Publisher;
use crate::deploy::StageSettings;
use crate::limits::Limits;
use crate::openapi::Severity;
use crate::server::{ACCOUNT_ID, ACCOUNT_THROTTLE, monotonic_now, read_definition};

/// Flags of `ringway check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    stage: StageArgs,

    /// Print a JSON array of findings
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let file = args.stage.file.display().to_string();
    let (stage, variables) = (&args.stage.stage, args.stage.variables());
    let findings = match read_definition(&args.stage.file) {
        Ok(text) => findings_of(&text, stage, variables, args.stage.limits()),
        Err(why) => vec![unreadable(why)],
    };
    print(&report(&findings, &file, args.json));
    if findings::count(&findings).errors > 0 {
        return Err(Failure::Told);
    }
    Ok(())
}

/// Everything there is to say about a document that a stage is to serve.
pub(super) fn findings_of(
    text: &[u8],
    stage: &str,
    variables: BTreeMap<String, String>,
    limits: Arc<Limits>,
) -> Vec<Finding> {
    let settings = StageSettings {
        stage: stage.to_owned(),
        variables,
        limits,
        account_throttle: Some(ACCOUNT_THROTTLE),
        account_id: ACCOUNT_ID.to_owned(),
        ..StageSettings::default()
    };
    let publisher = Publisher::new(settings, Arc::default(), Arc::default());
    match publisher.prepare(text, monotonic_now()) {
        Ok(prepared) => prepared.findings,
        Err(findings) => findings,
    }
}

/// A document that is not there.
pub(super) fn unreadable(why: String) -> Finding {
    Finding {
        severity: Severity::Error,
        position: None,
        pointer: String::new(),
        message: why,
        help: String::new(),
    }
}

/// The findings, and how many there are.
pub(super) fn report(findings: &[Finding], file: &str, json: bool) -> String {
    if json {
        let all: Vec<serde_json::Value> =
            findings.iter().map(|finding| finding.json(file)).collect();
        return format!("{:#}\n", serde_json::Value::Array(all));
    }
    let mut text: String = findings.iter().map(|finding| finding.text(file)).collect();
    text += &format!("{file}: {}\n", findings::count(findings).summary());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_text_for_people_and_json_for_programs() {
        let finding = Finding {
            severity: Severity::Error,
            position: Some((3, 5)),
            pointer: "/paths".to_owned(),
            message: "it is empty".to_owned(),
            help: "declare a path".to_owned(),
        };
        let all = [finding];
        assert_eq!(
            report(&all, "a.yaml", false),
            "a.yaml:3:5: error at /paths: it is empty\n    help: declare a path\na.yaml: 1 error\n"
        );
        let json: serde_json::Value = serde_json::from_str(&report(&all, "a.yaml", true)).unwrap();
        assert_eq!(json[0]["pointer"], "/paths");
        assert_eq!(json[0]["column"], 5);
        assert_eq!(report(&[], "a.yaml", false), "a.yaml: nothing to complain about\n");
        assert_eq!(report(&[], "a.yaml", true), "[]\n");
    }
}
