//! `ringway deploy FILE`: a document becomes an API or meets one, and a stage serves it.
//!
//! The document is checked here, as `ringway check` does and with the stage's variables, before the
//! first call that changes anything: one that cannot be served changes nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::super::args::{parse_limit, parse_stage, parse_variable};
use super::super::{Failure, check, complain};
use super::admin::{Admin, Body, CallError, encoded};
use super::apis::{self, Api, Canary, StageStatus};
use super::{ClientArgs, canary, text};
use crate::control::api;
use crate::control::findings::{self, Finding};
use crate::openapi::{self, Document};
use crate::server::read_definition;

/// Flags of `ringway deploy`.
#[derive(Debug, Args)]
pub(in super::super) struct DeployArgs {
    /// OpenAPI 3.0, 3.1 or Swagger 2.0, JSON or YAML
    file: PathBuf,

    /// Name of the stage, which is made if there is none: the first segment of every path
    #[arg(long, value_name = "NAME", value_parser = parse_stage)]
    stage: String,

    /// Id or name of the API that the document is for [default: the one with the document's title, or
    /// a new one]
    #[arg(long, value_name = "ID|NAME")]
    api: Option<String>,

    /// Give the new deployment only this share of the stage's requests; `ringway promote` gives it all,
    /// `ringway abort` takes it away
    #[arg(long, value_name = "PERCENT", value_parser = canary::parse_percent)]
    canary: Option<f64>,

    /// A stage variable; of the canary, where the deployment goes to one; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = parse_variable)]
    variables: Vec<(String, String)>,

    /// What this deployment is, for `ringway history`
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// What becomes of that in the API which the document does not have
    #[arg(long, value_enum, default_value_t = Mode::Overwrite)]
    mode: Mode,

    /// A limit that the gateway has otherwise than AWS and than the configuration here, for checking
    /// the document; may be repeated
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = parse_limit)]
    limits: Vec<String>,

    #[command(flatten)]
    client: ClientArgs,
}

/// How a document meets an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// It goes: the API becomes what the document says
    Overwrite,
    /// It stays
    Merge,
}

pub(in super::super) fn run(args: &DeployArgs) -> Result<(), Failure> {
    // The API would refuse them, too, but when it has the document already.
    for (name, value) in &args.variables {
        api::check_variable(name, value).map_err(|error| Failure::Usage(error.message))?;
    }
    let admin = args.client.connect()?;
    let file = args.file.display().to_string();
    let document =
        read_definition(&args.file).map_err(|why| told(&[check::unreadable(why)], &file))?;
    // One that cannot be read at all has no title; the check below says why.
    let title = title(&document);
    let target = match (&args.api, &title) {
        (None, None) => None,
        _ => {
            let all = apis::of_status(&admin.get("/_ringway/status")?);
            target(&all, args.api.as_deref(), title.as_deref()).map_err(Failure::Failed)?.cloned()
        }
    };
    let stage = target.as_ref().and_then(|api| api.stage(&args.stage));
    if args.canary.is_some() && stage.is_none() {
        return Err(Failure::Failed(format!(
            "a canary gets part of a stage's requests, and there is no stage '{}' yet; deploy to it \
             without --canary first",
            args.stage
        )));
    }
    let canary =
        canary::settings(args.canary, stage.and_then(|it| it.canary.as_ref()), &args.variables);
    let mut variables = match (&target, stage) {
        (Some(api), Some(_)) => variables_of(&admin, api, &args.stage)?,
        _ => BTreeMap::new(),
    };
    if let Some(canary) = stage.and_then(|it| it.canary.as_ref()) {
        let overrides = canary::overrides(canary).into_iter();
        variables.extend(overrides.filter_map(|(name, it)| Some((name, it.as_str()?.to_owned()))));
    }
    variables.extend(args.variables.iter().cloned());

    let mut limits = admin.limits().clone();
    for assignment in &args.limits {
        limits.set(assignment).expect("clap has parsed it with `parse_limit`");
    }
    let mut found = check::findings_of(&document, &args.stage, variables, Arc::new(limits));
    // The gateway that it goes to has keys.
    found.retain(|finding| finding.help != openapi::NO_KEYS_IN_RUN);
    if findings::count(&found).errors > 0 {
        return Err(told(&found, &file));
    }
    complain(&check::report(&found, &file, false));

    let api = put(&admin, target.as_ref(), &document, args.mode)?;
    let deployment = match deploy(&admin, &api, args, canary.as_ref()) {
        Ok(deployment) => deployment,
        Err(error) => return Err(undone(&admin, &api, target.is_none(), &args.stage, &error)),
    };
    let after = apis::of_status(&admin.get("/_ringway/status")?);
    let now = after.iter().find(|it| it.id == api).and_then(|it| it.stage(&args.stage));
    let now = now.ok_or_else(|| {
        Failure::Failed(format!("stage {} of API {api} has been deleted meanwhile", args.stage))
    })?;
    let id = text(&deployment, "id").to_owned();
    let outcome = Outcome {
        api: &api,
        target: target.as_ref(),
        mode: args.mode,
        id: &id,
        before: stage,
        now,
    };
    let mut document = outcome.json();
    document["deployment"] = deployment;
    document["findings"] = found.iter().map(|finding| finding.json(&file)).collect();
    args.client.show(&document, || outcome.text(title.as_deref().unwrap_or_default()));
    Ok(())
}

/// Says why a document is not deployed.
fn told(findings: &[Finding], file: &str) -> Failure {
    complain(&check::report(findings, file, false));
    Failure::Told
}

fn title(document: &[u8]) -> Option<String> {
    let document = Document::parse(std::str::from_utf8(document).ok()?).ok()?;
    Some(openapi::import(&document).api.name).filter(|name| !name.is_empty())
}

/// The API that the document is for; `None`: a new one.
fn target<'a>(
    all: &'a [Api],
    wanted: Option<&str>,
    title: Option<&str>,
) -> Result<Option<&'a Api>, String> {
    match (wanted, title) {
        (Some(_), _) => apis::choose(all, wanted).map(Some),
        (None, Some(title)) => apis::named(all, title),
        (None, None) => Ok(None),
    }
}

/// Variables that the stage has now.
fn variables_of(
    admin: &Admin,
    api: &Api,
    stage: &str,
) -> Result<BTreeMap<String, String>, Failure> {
    let stage = admin.get(&format!("/restapis/{}/stages/{}", encoded(&api.id), encoded(stage)))?;
    let variables = stage.get("variables").and_then(Value::as_object);
    let variables = variables.into_iter().flatten();
    Ok(variables.filter_map(|(name, it)| Some((name.clone(), it.as_str()?.to_owned()))).collect())
}

/// Brings the document to its API, or makes one of it; gives the API's id.
fn put(
    admin: &Admin,
    target: Option<&Api>,
    document: &[u8],
    mode: Mode,
) -> Result<String, Failure> {
    let body = Body::Document(document);
    let answer = match target {
        None => admin.send("POST", "/restapis?mode=import", &body)?,
        Some(api) => {
            let mode = match mode {
                Mode::Overwrite => "overwrite",
                Mode::Merge => "merge",
            };
            admin.send("PUT", &format!("/restapis/{}?mode={mode}", encoded(&api.id)), &body)?
        }
    };
    for warning in answer.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        complain(&format!("warning: {}\n", warning.as_str().unwrap_or_default()));
    }
    Ok(text(&answer, "id").to_owned())
}

fn deploy(
    admin: &Admin,
    api: &str,
    args: &DeployArgs,
    canary: Option<&Value>,
) -> Result<Value, CallError> {
    let mut input = json!({ "stageName": args.stage });
    if let Some(description) = &args.description {
        input["description"] = json!(description);
    }
    match canary {
        Some(canary) => input["canarySettings"] = canary.clone(),
        None if args.variables.is_empty() => {}
        None => input["variables"] = args.variables.iter().cloned().collect(),
    }
    admin.send("POST", &format!("/restapis/{}/deployments", encoded(api)), &Body::Json(&input))
}

/// What is left when the document was taken and could not be deployed: nothing of a new API, and of one
/// that was there what it serves.
fn undone(admin: &Admin, api: &str, is_new: bool, stage: &str, error: &CallError) -> Failure {
    if !is_new {
        return Failure::Failed(format!(
            "{error}\nAPI {api} has what the document says, but it was not deployed: stage {stage} \
             serves what it did"
        ));
    }
    let deleted = admin.send("DELETE", &format!("/restapis/{}", encoded(api)), &Body::Nothing);
    match deleted {
        Ok(_) => Failure::Failed(error.to_string()),
        Err(also) => {
            Failure::Failed(format!("{error}\nand the new API {api} is still there: {also}"))
        }
    }
}

/// What a deployment has changed.
struct Outcome<'a> {
    /// Id of the API.
    api: &'a str,
    /// The API as it was; `None`: there was none.
    target: Option<&'a Api>,
    mode: Mode,
    /// The new deployment.
    id: &'a str,
    before: Option<&'a StageStatus>,
    now: &'a StageStatus,
}

impl Outcome<'_> {
    /// The deployment that had the new one's part of the requests before.
    fn previous(&self) -> Option<&str> {
        let before = self.before?;
        match (&self.now.canary, &before.canary) {
            (Some(_), Some(canary)) => Some(&canary.deployment),
            (Some(_), None) => None,
            (None, _) => Some(&before.deployment),
        }
    }

    fn json(&self) -> Value {
        let Self { api, target, id, now, .. } = self;
        json!({
            "restApiId": api,
            "created": target.is_none(),
            "stageName": now.name,
            "deploymentId": id,
            "previousDeploymentId": self.previous(),
            "canary": now.canary.as_ref().map(|canary| &canary.settings),
            "url": now.url,
        })
    }

    fn text(&self, title: &str) -> String {
        let Self { api, target, mode, id, now, .. } = self;
        let name = match (target, mode) {
            (None, _) | (_, Mode::Overwrite) => title,
            (Some(api), Mode::Merge) => &api.name,
        };
        let what = match (target, mode) {
            (None, _) => "made of the document",
            (Some(_), Mode::Overwrite) => "replaced by the document",
            (Some(_), Mode::Merge) => "merged with the document",
        };
        let moved = match self.previous() {
            Some(previous) => format!("{previous} → {id}"),
            None => format!("{id} (new)"),
        };
        let part = match &now.canary {
            None => format!("deployment {moved}"),
            Some(canary) => format!("canary {moved}\n{}", shares(canary, &now.deployment)),
        };
        format!("API {api} ({name}): {what}\nstage {}: {part}\n{}\n", now.name, now.url)
    }
}

/// Who gets which part of a stage's requests.
fn shares(canary: &Canary, own: &str) -> String {
    format!(
        "    {}, the rest to {own}\n    `ringway promote` or `ringway abort` ends that",
        canary.share()
    )
}

#[cfg(test)]
mod tests {
    use super::super::apis::tests::api;
    use super::*;

    #[test]
    fn a_document_is_for_the_api_of_its_title() {
        let all = [api("p1", "Pets"), api("s1", "Shop"), api("s2", "Shop")];
        let id =
            |wanted, title| target(&all, wanted, title).map(|it| it.map(|api| api.id.as_str()));
        assert_eq!(id(None, Some("Pets")), Ok(Some("p1")));
        assert_eq!(id(None, Some("Cats")), Ok(None));
        assert_eq!(id(None, None), Ok(None));
        assert_eq!(id(Some("s2"), Some("Pets")), Ok(Some("s2")));
        assert!(id(None, Some("Shop")).unwrap_err().contains("several APIs are called 'Shop'"));
        assert!(id(Some("Cats"), Some("Pets")).unwrap_err().contains("there is no API 'Cats'"));
    }

    fn stage(deployment: &str, canary: Option<&str>) -> StageStatus {
        StageStatus {
            name: "v1".to_owned(),
            deployment: deployment.to_owned(),
            canary: canary.map(|id| Canary {
                percent: 10.0,
                deployment: id.to_owned(),
                settings: json!({"percentTraffic": 10.0}),
            }),
            url: "http://a.execute-api.localhost:8080/v1".to_owned(),
            earlier: Vec::new(),
            not_carried_out: Vec::new(),
        }
    }

    #[test]
    fn what_has_changed_is_told() {
        let pets = api("a", "Pets");
        for (target, mode, before, now, says) in [
            (
                None,
                Mode::Overwrite,
                None,
                stage("d1", None),
                "made of the document\nstage v1: deployment d1 (new)\n",
            ),
            (
                Some(&pets),
                Mode::Overwrite,
                Some(stage("d0", None)),
                stage("d1", None),
                "replaced by the document\nstage v1: deployment d0 → d1\nhttp://",
            ),
            (
                Some(&pets),
                Mode::Merge,
                Some(stage("d0", None)),
                stage("d0", Some("d1")),
                "(Pets): merged with the document\nstage v1: canary d1 (new)\n    10% of requests go to \
                 deployment d1, the rest to d0\n",
            ),
            (
                Some(&pets),
                Mode::Overwrite,
                Some(stage("d0", Some("dx"))),
                stage("d0", Some("d1")),
                "stage v1: canary dx → d1\n",
            ),
        ] {
            let outcome =
                Outcome { api: "a", target, mode, id: "d1", before: before.as_ref(), now: &now };
            let text = outcome.text("Title");
            assert!(text.contains(says), "{text}");
            assert!(text.ends_with("\nhttp://a.execute-api.localhost:8080/v1\n"), "{text}");
        }
    }
}
