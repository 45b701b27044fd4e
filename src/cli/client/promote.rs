//! `ringway promote`: a canary's deployment and variables become its stage's, and the canary ends.

use clap::Args;
use serde_json::json;

use super::super::Failure;
use super::admin::encoded;
use super::apis::{Canary, StageStatus};
use super::{ClientArgs, StageOfArgs, canary};

/// Flags of `ringway promote`.
#[derive(Debug, Args)]
pub(in super::super) struct PromoteArgs {
    #[command(flatten)]
    stage: StageOfArgs,

    #[command(flatten)]
    client: ClientArgs,
}

pub(in super::super) fn run(args: &PromoteArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let (api, stage) = args.stage.find(&admin)?;
    let canary = running(&stage)?;
    // As AWS documents the promotion; all of it or nothing.
    let operations = json!([
        {"op": "copy", "from": "/canarySettings/stageVariableOverrides", "path": "/variables"},
        {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"},
        {"op": "remove", "path": "/canarySettings"},
    ]);
    let path = format!("/restapis/{}/stages/{}", encoded(&api.id), encoded(&stage.name));
    let answer = admin.patch(&path, operations)?;
    args.client.show(&answer, || told(&stage, canary));
    Ok(())
}

/// The stage's canary.
///
/// # Errors
/// There is none.
pub(super) fn running(stage: &StageStatus) -> Result<&Canary, Failure> {
    stage.canary.as_ref().ok_or_else(|| {
        Failure::Failed(format!(
            "stage {} has no canary; `ringway deploy FILE --stage {0} --canary PERCENT` makes one",
            stage.name
        ))
    })
}

fn told(stage: &StageStatus, canary: &Canary) -> String {
    let mut said = format!(
        "stage {}: deployment {} → {}, for all requests; the canary has ended\n",
        stage.name, stage.deployment, canary.deployment
    );
    let overrides = canary::overrides(canary);
    if !overrides.is_empty() {
        let names: Vec<&str> = overrides.keys().map(String::as_str).collect();
        said += &format!("its variables are the stage's now: {}\n", names.join(", "));
    }
    said + &format!("{}\n", stage.url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promotion_tells_what_became_of_the_stage() {
        let canary = Canary {
            percent: 10.0,
            deployment: "d2".to_owned(),
            settings: json!({"stageVariableOverrides": {"a": "1", "b": "2"}}),
        };
        let mut stage = StageStatus {
            name: "v1".to_owned(),
            deployment: "d1".to_owned(),
            canary: None,
            url: "http://x/v1".to_owned(),
            earlier: Vec::new(),
            not_carried_out: Vec::new(),
        };
        assert!(
            matches!(running(&stage), Err(Failure::Failed(why)) if why.contains("has no canary"))
        );
        stage.canary = Some(canary.clone());
        assert_eq!(
            told(&stage, running(&stage).unwrap()),
            "stage v1: deployment d1 → d2, for all requests; the canary has ended\n\
             its variables are the stage's now: a, b\nhttp://x/v1\n"
        );
    }
}
