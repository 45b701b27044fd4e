//! `ringway status`: what a gateway is and serves.

use clap::Args;
use serde_json::Value;

use super::super::Failure;
use super::super::table::table;
use super::apis::{self, Api};
use super::{ClientArgs, text};

/// Flags of `ringway status`.
#[derive(Debug, Args)]
pub(in super::super) struct StatusArgs {
    #[command(flatten)]
    client: ClientArgs,
}

pub(in super::super) fn run(args: &StatusArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let status = admin.get("/_ringway/status")?;
    args.client.show(&status, || lines(admin.url(), &status));
    Ok(())
}

fn lines(url: &str, status: &Value) -> String {
    let of = |member| text(status, member);
    let mut said = format!(
        "ringway {} at {url}, region {}, account {}\nstore {}\n\n",
        of("version"),
        of("region"),
        of("accountId"),
        of("store")
    );
    let apis = apis::of_status(status);
    if apis.is_empty() {
        said += "no APIs yet; `ringway deploy FILE --stage NAME` makes one\n";
        return said;
    }
    said += &table(
        ["API", "NAME", "STAGE", "DEPLOYMENT", "CANARY", "URL"],
        &apis.iter().flat_map(rows).collect::<Vec<_>>(),
    );
    let later: String = apis
        .iter()
        .flat_map(|api| api.stages.iter().map(move |stage| (api, stage)))
        .filter(|(_, stage)| !stage.not_carried_out.is_empty())
        .map(|(api, stage)| {
            format!("    {api}, stage {}: {}\n", stage.name, stage.not_carried_out.join(", "))
        })
        .collect();
    if !later.is_empty() {
        said += &format!("\nstored, not carried out yet:\n{later}");
    }
    said
}

/// A line for each stage, or one for an API without.
fn rows(api: &Api) -> Vec<[String; 6]> {
    let none = || "-".to_owned();
    if api.stages.is_empty() {
        return vec![[api.id.clone(), api.name.clone(), none(), none(), none(), none()]];
    }
    let row = |stage: &apis::StageStatus| {
        let canary = stage.canary.as_ref();
        [
            api.id.clone(),
            api.name.clone(),
            stage.name.clone(),
            stage.deployment.clone(),
            canary.map_or_else(none, |it| format!("{} ({}%)", it.deployment, it.percent)),
            stage.url.clone(),
        ]
    };
    api.stages.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_a_table_and_what_is_without_effect() {
        let mut status = json!({
            "version": "1.2.3", "region": "r", "accountId": "1", "store": "/s/ringway.redb", "apis": [],
        });
        let said = lines("http://x", &status);
        let head = "ringway 1.2.3 at http://x, region r, account 1\nstore /s/ringway.redb\n\n";
        assert_eq!(
            said,
            format!("{head}no APIs yet; `ringway deploy FILE --stage NAME` makes one\n")
        );
        status["apis"] = json!([
            {"id": "a", "name": "Pets", "stages": [
                {"name": "v1", "deploymentId": "d1", "url": "http://a/v1", "canary":
                 {"percentTraffic": 10.0, "deploymentId": "d2"}, "notCarriedOut": ["cache", "WAF"]},
            ]},
            {"id": "b", "name": "Shop", "stages": []},
        ]);
        assert_eq!(
            lines("http://x", &status),
            format!(
                "{head}API  NAME  STAGE  DEPLOYMENT  CANARY    URL\n\
                 a    Pets  v1     d1          d2 (10%)  http://a/v1\n\
                 b    Shop  -      -           -         -\n\n\
                 stored, not carried out yet:\n    API a (Pets), stage v1: cache, WAF\n"
            )
        );
    }
}
