//! `ringway history`: the deployments of an API, and which stages serve them.

use clap::Args;
use serde_json::{Value, json};

use super::super::Failure;
use super::super::args::parse_stage;
use super::super::table::table;
use super::admin::encoded;
use super::apis::{self, Api, StageStatus};
use super::{ClientArgs, date, text};

/// Flags of `ringway history`.
#[derive(Debug, Args)]
pub(in super::super) struct HistoryArgs {
    /// The API's id or name; needed where there are several
    #[arg(long, value_name = "ID|NAME")]
    api: Option<String>,

    /// Only deployments that this stage or its canary has, or that the stage had before
    #[arg(long, value_name = "NAME", value_parser = parse_stage)]
    stage: Option<String>,

    #[command(flatten)]
    client: ClientArgs,
}

pub(in super::super) fn run(args: &HistoryArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let api = apis::chosen(&admin, args.api.as_deref())?;
    let only = match &args.stage {
        None => None,
        Some(name) => Some(api.clone().take_stage(name).map_err(Failure::Failed)?),
    };
    let deployments = admin.items(&format!("/restapis/{}/deployments", encoded(&api.id)))?;
    let entries = entries(&api, only.as_ref(), &deployments);
    let document = json!({
        "restApiId": api.id,
        "item": entries.iter().map(Entry::json).collect::<Vec<_>>(),
    });
    args.client.show(&document, || format!("{api}\n{}", lines(&entries)));
    Ok(())
}

/// A deployment, and where it is.
struct Entry<'a> {
    deployment: &'a Value,
    /// Names of stages that have it.
    stages: Vec<&'a str>,
    /// Stages whose canary has it.
    canaries: Vec<(&'a str, f64)>,
}

/// What the API has, in its order: the newest first.
fn entries<'a>(
    api: &'a Api,
    only: Option<&StageStatus>,
    deployments: &'a [Value],
) -> Vec<Entry<'a>> {
    let is_of = |stage: &StageStatus, id: &str| {
        let canary = stage.canary.as_ref().is_some_and(|canary| canary.deployment == id);
        stage.deployment == id || canary || stage.earlier.iter().any(|earlier| earlier == id)
    };
    deployments
        .iter()
        .map(|deployment| (text(deployment, "id"), deployment))
        .filter(|(id, _)| only.is_none_or(|stage| is_of(stage, id)))
        .map(|(id, deployment)| Entry {
            deployment,
            stages: api
                .stages
                .iter()
                .filter(|stage| stage.deployment == id)
                .map(|stage| stage.name.as_str())
                .collect(),
            canaries: api
                .stages
                .iter()
                .filter_map(|stage| Some((stage.name.as_str(), stage.canary.as_ref()?)))
                .filter(|(_, canary)| canary.deployment == id)
                .map(|(name, canary)| (name, canary.percent))
                .collect(),
        })
        .collect()
}

impl Entry<'_> {
    /// What the API answers, and where the deployment is.
    fn json(&self) -> Value {
        let mut object = self.deployment.clone();
        object["stages"] = json!(self.stages);
        object["canaries"] = json!(self.canaries.iter().map(|(name, _)| name).collect::<Vec<_>>());
        object
    }

    fn places(&self) -> String {
        let stages = self.stages.iter().map(|name| (*name).to_owned());
        let canaries =
            self.canaries.iter().map(|(name, percent)| format!("{name} (canary, {percent}%)"));
        stages.chain(canaries).collect::<Vec<_>>().join(", ")
    }
}

fn lines(entries: &[Entry<'_>]) -> String {
    if entries.is_empty() {
        return "no deployments\n".to_owned();
    }
    let rows: Vec<[String; 4]> = entries
        .iter()
        .map(|entry| {
            let places = Some(entry.places()).filter(|it| !it.is_empty());
            [
                text(entry.deployment, "id").to_owned(),
                date(&entry.deployment["createdDate"]),
                places.unwrap_or_else(|| "-".to_owned()),
                // One line each, whatever somebody wrote.
                text(entry.deployment, "description")
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" "),
            ]
        })
        .collect();
    table(["DEPLOYMENT", "DATE (UTC)", "STAGES", "DESCRIPTION"], &rows)
}

#[cfg(test)]
mod tests {
    use super::super::apis::Canary;
    use super::super::apis::tests::api;
    use super::*;

    fn stage(name: &str, deployment: &str, canary: Option<&str>, earlier: &[&str]) -> StageStatus {
        StageStatus {
            name: name.to_owned(),
            deployment: deployment.to_owned(),
            canary: canary.map(|id| Canary {
                percent: 12.5,
                deployment: id.to_owned(),
                settings: json!({}),
            }),
            url: String::new(),
            earlier: earlier.iter().map(|&id| id.to_owned()).collect(),
            not_carried_out: Vec::new(),
        }
    }

    #[test]
    fn deployments_are_shown_with_the_stages_that_have_them() {
        let mut pets = api("a", "Pets");
        pets.stages = vec![stage("dev", "d3", None, &[]), stage("v1", "d2", Some("d3"), &["d1"])];
        let all: Vec<Value> = [("d3", "third\nline"), ("d2", ""), ("d1", "first"), ("d0", "")]
            .map(
                |(id, description)| json!({"id": id, "description": description, "createdDate": 0}),
            )
            .into();
        let all_entries = entries(&pets, None, &all);
        assert_eq!(
            lines(&all_entries),
            "DEPLOYMENT  DATE (UTC)           STAGES                   DESCRIPTION\n\
             d3          1970-01-01 00:00:00  dev, v1 (canary, 12.5%)  third line\n\
             d2          1970-01-01 00:00:00  v1\n\
             d1          1970-01-01 00:00:00  -                        first\n\
             d0          1970-01-01 00:00:00  -\n"
        );
        let first = all_entries[0].json();
        assert_eq!((&first["stages"], &first["canaries"]), (&json!(["dev"]), &json!(["v1"])));
        assert_eq!(first["description"], "third\nline");
        let ids = |only: &str| -> Vec<&str> {
            let only = pets.stage(only);
            entries(&pets, only, &all).iter().map(|entry| text(entry.deployment, "id")).collect()
        };
        assert_eq!(ids("v1"), ["d3", "d2", "d1"]);
        assert_eq!(ids("dev"), ["d3"]);
        assert_eq!(lines(&[]), "no deployments\n");
    }
}
