//! `ringway rollback`: a stage goes back to a deployment that it has had.

use clap::Args;
use serde_json::{Value, json};

use super::super::Failure;
use super::admin::encoded;
use super::apis::{Api, StageStatus};
use super::{ClientArgs, StageOfArgs, date, text};

/// Flags of `ringway rollback`.
#[derive(Debug, Args)]
pub(in super::super) struct RollbackArgs {
    #[command(flatten)]
    stage: StageOfArgs,

    /// Id of the deployment to go to, any of the API's [default: the one that the stage had before]
    #[arg(long, value_name = "DEPLOYMENT")]
    to: Option<String>,

    #[command(flatten)]
    client: ClientArgs,
}

pub(in super::super) fn run(args: &RollbackArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let (api, stage) = args.stage.find(&admin)?;
    let base = format!("/restapis/{}", encoded(&api.id));
    let deployments = admin.items(&format!("{base}/deployments"))?;
    let target =
        destination(&api, &stage, args.to.as_deref(), &deployments).map_err(Failure::Failed)?;
    let operations =
        json!([{ "op": "replace", "path": "/deploymentId", "value": text(target, "id") }]);
    let answer = admin.patch(&format!("{base}/stages/{}", encoded(&stage.name)), operations)?;
    args.client.show(&answer, || told(&stage, target));
    Ok(())
}

/// The deployment that the stage is to go to: of `deployments`, the one named, or the latest that the
/// stage has had before its own.
///
/// # Errors
/// There is none, or the stage has it already.
fn destination<'a>(
    api: &Api,
    stage: &StageStatus,
    to: Option<&str>,
    deployments: &'a [Value],
) -> Result<&'a Value, String> {
    let name = &stage.name;
    let hint = format!("`ringway history --api {}` lists the API's deployments", api.id);
    let wanted = match to {
        Some(id) if id == stage.deployment => {
            return Err(format!("stage {name} has deployment {id} already"));
        }
        Some(id) => id,
        None => stage.earlier.first().ok_or_else(|| {
            format!(
                "stage {name} has had no deployment before {}; {hint}, and --to goes to any of them",
                stage.deployment
            )
        })?,
    };
    deployments
        .iter()
        .find(|deployment| text(deployment, "id") == wanted)
        .ok_or_else(|| format!("{api} has no deployment '{wanted}'; {hint}"))
}

fn told(stage: &StageStatus, target: &Value) -> String {
    let id = text(target, "id");
    let mut said = format!("stage {}: deployment {} → {id}", stage.name, stage.deployment);
    said += &format!("\n    of {} UTC", date(&target["createdDate"]));
    let description = text(target, "description");
    if !description.is_empty() {
        said += &format!(": {description}");
    }
    if let Some(canary) = &stage.canary {
        said += &format!(
            "\nthe canary stays: {}; `ringway abort --stage {}` ends that",
            canary.share(),
            stage.name
        );
    }
    said += "\nstage variables stay as they are\n";
    said + &format!("{}\n", stage.url)
}

#[cfg(test)]
mod tests {
    use super::super::apis::Canary;
    use super::super::apis::tests::api;
    use super::*;

    fn stage(deployment: &str, earlier: &[&str]) -> StageStatus {
        StageStatus {
            name: "v1".to_owned(),
            deployment: deployment.to_owned(),
            canary: None,
            url: "http://x/v1".to_owned(),
            earlier: earlier.iter().map(|&id| id.to_owned()).collect(),
            not_carried_out: Vec::new(),
        }
    }

    #[test]
    fn a_stage_goes_back_to_what_it_had_before() {
        let pets = api("a", "Pets");
        let all = ["d4", "d3", "d2", "d1"].map(|id| json!({"id": id, "createdDate": 0}));
        for (stage, to, id) in [
            (stage("d4", &["d2", "d1"]), None, "d2"), // d3 is another stage's, or a canary given up
            (stage("d4", &["d2"]), Some("d3"), "d3"),
            (stage("d1", &[]), Some("d4"), "d4"),
        ] {
            let found = destination(&pets, &stage, to, &all).unwrap();
            assert_eq!(text(found, "id"), id);
        }
        for (stage, to, says) in [
            (stage("d1", &[]), None, "stage v1 has had no deployment before d1; `ringway history"),
            (stage("d1", &[]), Some("d1"), "stage v1 has deployment d1 already"),
            (stage("d1", &[]), Some("x"), "API a (Pets) has no deployment 'x'; `ringway history"),
            (stage("d1", &["x"]), None, "has no deployment 'x'"),
        ] {
            let error = destination(&pets, &stage, to, &all).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_rollback_tells_of_a_canary() {
        let mut stage = stage("d2", &["d1"]);
        let target = json!({"id": "d1", "createdDate": 0, "description": "the first"});
        assert_eq!(
            told(&stage, &target),
            "stage v1: deployment d2 → d1\n    of 1970-01-01 00:00:00 UTC: the first\n\
             stage variables stay as they are\nhttp://x/v1\n"
        );
        stage.canary = Some(Canary { percent: 5.0, deployment: "d3".into(), settings: json!({}) });
        let told = told(&stage, &target);
        assert!(told.contains("the canary stays: 5% of requests go to deployment d3;"), "{told}");
    }
}
