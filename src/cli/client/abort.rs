//! `ringway abort`: a canary ends, and its stage's own deployment gets all requests again.

use clap::Args;
use serde_json::json;

use super::super::Failure;
use super::admin::encoded;
use super::promote::running;
use super::{ClientArgs, StageOfArgs};

/// Flags of `ringway abort`.
#[derive(Debug, Args)]
pub(in super::super) struct AbortArgs {
    #[command(flatten)]
    stage: StageOfArgs,

    #[command(flatten)]
    client: ClientArgs,
}

pub(in super::super) fn run(args: &AbortArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let (api, stage) = args.stage.find(&admin)?;
    let canary = running(&stage)?;
    let path = format!("/restapis/{}/stages/{}", encoded(&api.id), encoded(&stage.name));
    let answer = admin.patch(&path, json!([{ "op": "remove", "path": "/canarySettings" }]))?;
    args.client.show(&answer, || {
        format!(
            "stage {}: the canary with deployment {} has ended; deployment {} gets all requests\n{}\n",
            stage.name, canary.deployment, stage.deployment, stage.url
        )
    });
    Ok(())
}
