//! `ringway plans`: usage plans, their limits, stages and keys.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::super::{Failure, complain};
use super::admin::{Admin, Body, encoded};
use super::keys::{add_to_plan, without_value};
use super::named::{self, ApiStage, called, parse_api_stage};
use super::plan_limits::{Quota, Throttle, of_method, parse_path, show, summary};
use super::{ClientArgs, text};

/// Flags of `ringway plans`.
#[derive(Debug, Args)]
pub(in super::super) struct PlansArgs {
    #[command(subcommand)]
    command: PlansCommand,
}

#[derive(Debug, Subcommand)]
enum PlansCommand {
    /// Make a usage plan.
    Create(CreateArgs),
    /// List usage plans and their limits.
    List(ListArgs),
    /// Show a plan: limits, stages and keys.
    Show(PlanArgs),
    /// Change the limits of a plan.
    Change(ChangeArgs),
    /// Let the keys of a plan call a stage.
    AddStage(StageArgs),
    /// Take a stage out of a plan.
    RemoveStage(StageArgs),
    /// Put a key into a plan.
    AddKey(KeyArgs),
    /// Take a key out of a plan; what it has counted there is forgotten.
    RemoveKey(KeyArgs),
    /// Limit how often each key may call one method.
    Limit(LimitArgs),
    /// Delete a plan that has no stages.
    Delete(PlanArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// What it is called
    name: String,

    #[command(flatten)]
    throttle: Throttle,

    #[command(flatten)]
    quota: Quota,

    /// A stage that its keys may call, like Pets:v1; may be repeated
    #[arg(long = "stage", value_name = "API:STAGE", value_parser = parse_api_stage)]
    stages: Vec<ApiStage>,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct PlanArgs {
    /// The plan's id, or its name if no other has it
    plan: String,

    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct ChangeArgs {
    /// The plan's id, or its name if no other has it
    plan: String,

    #[command(flatten)]
    throttle: Throttle,

    #[command(flatten)]
    quota: Quota,

    /// Take rate and burst away: the plan limits no rate
    #[arg(long, conflicts_with_all = ["rate", "burst"])]
    no_throttle: bool,

    /// Take the quota away
    #[arg(long, conflicts_with_all = ["quota", "quota_offset"])]
    no_quota: bool,

    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct StageArgs {
    /// The plan's id, or its name if no other has it
    plan: String,

    /// The API's id or name, and the stage's name
    #[arg(value_name = "API:STAGE", value_parser = parse_api_stage)]
    stage: ApiStage,

    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct KeyArgs {
    /// The plan's id, or its name if no other has it
    plan: String,

    /// The key's id, or its name if no other has it
    key: String,

    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct LimitArgs {
    /// The plan's id, or its name if no other has it
    plan: String,

    /// The API's id or name, and the stage's name
    #[arg(value_name = "API:STAGE", value_parser = parse_api_stage)]
    stage: ApiStage,

    /// GET, POST and so on, or ANY where the API has it
    method: String,

    /// The resource's path as the definition has it, like /pets/{id}
    #[arg(value_parser = parse_path)]
    path: String,

    #[command(flatten)]
    throttle: Throttle,

    /// Take the method's limit away
    #[arg(long, conflicts_with_all = ["rate", "burst"])]
    none: bool,

    #[command(flatten)]
    client: ClientArgs,
}

pub(in super::super) fn run(args: &PlansArgs) -> Result<(), Failure> {
    match &args.command {
        PlansCommand::Create(args) => create(args),
        PlansCommand::List(args) => list(args),
        PlansCommand::Show(args) => show_one(args),
        PlansCommand::Change(args) => change(args),
        PlansCommand::AddStage(args) => add_stage(args),
        PlansCommand::RemoveStage(args) => remove_stage(args),
        PlansCommand::AddKey(args) => add_key(args),
        PlansCommand::RemoveKey(args) => remove_key(args),
        PlansCommand::Limit(args) => limit(args),
        PlansCommand::Delete(args) => delete(args),
    }
}

fn plan_path(plan: &Value) -> String {
    format!("/usageplans/{}", encoded(text(plan, "id")))
}

/// A plan as it is shown after a change.
fn told(plan: &Value, what: &str) -> String {
    format!("plan {}: {what}\n{}", called(plan), show(plan))
}

fn create(args: &CreateArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let stages = named::stages(&admin, &args.stages)?;
    let stages = stages.iter().filter_map(|stage| stage.split_once(':'));
    let stages: Vec<Value> =
        stages.map(|(api, stage)| json!({ "apiId": api, "stage": stage })).collect();
    let mut input = json!({ "name": args.name, "apiStages": stages });
    if let Some(throttle) = args.throttle.document() {
        input["throttle"] = throttle;
    }
    if let Some(quota) = args.quota.document() {
        input["quota"] = quota;
    }
    if let Some(description) = &args.description {
        input["description"] = description.as_str().into();
    }
    let plan = admin.send("POST", "/usageplans", &Body::Json(&input))?;
    args.client.show(&plan, || told(&plan, "made"));
    Ok(())
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let plans = named::plans(&admin)?;
    args.client.show(&json!({ "item": plans }), || summary(&plans));
    Ok(())
}

/// Keys of a plan that people are shown; programs get them all.
const KEYS_SHOWN: usize = 20;

fn show_one(args: &PlanArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let mut plan = named::plan(&admin, &args.plan)?;
    let path = format!("{}/keys", plan_path(&plan));
    let mut keys = match args.client.json {
        true => admin.items(&path)?,
        false => {
            let mut page = admin.get(&format!("{path}?limit={}", KEYS_SHOWN + 1))?;
            match page["item"].take() {
                Value::Array(keys) => keys,
                _ => Vec::new(),
            }
        }
    };
    keys.iter_mut().for_each(without_value);
    plan["keys"] = keys.into();
    args.client.show(&plan, || told_with_keys(&plan));
    Ok(())
}

fn told_with_keys(plan: &Value) -> String {
    let keys = plan["keys"].as_array().map_or(&[][..], Vec::as_slice);
    let description = text(plan, "description");
    let mut said = match description {
        "" => format!("plan {}\n", called(plan)),
        description => format!("plan {}: {description}\n", called(plan)),
    };
    said += &show(plan);
    said += match keys.len() {
        0 => "keys: none; `ringway plans add-key` adds one\n",
        _ => "keys:\n",
    };
    for key in keys.iter().take(KEYS_SHOWN) {
        said += &format!("    {}\n", called(key));
    }
    if keys.len() > KEYS_SHOWN {
        said += "    and more; --json has them all\n";
    }
    said
}

fn change(args: &ChangeArgs) -> Result<(), Failure> {
    let mut operations = Vec::new();
    if args.no_throttle {
        operations.push(json!({ "op": "remove", "path": "/throttle" }));
    }
    if args.no_quota {
        operations.push(json!({ "op": "remove", "path": "/quota" }));
    }
    let given = args.throttle.members().into_iter().map(|(name, value)| ("throttle", name, value));
    let quota = args.quota.members().into_iter().map(|(name, value)| ("quota", name, value));
    operations.extend(given.chain(quota).map(|(of, name, value)| {
        json!({ "op": "replace", "path": format!("/{of}/{name}"), "value": value })
    }));
    if operations.is_empty() {
        let all = "--rate, --burst, --no-throttle, --quota, --no-quota";
        return Err(Failure::Usage(format!("nothing to change; give one of {all}")));
    }
    let admin = args.client.connect()?;
    let plan = named::plan(&admin, &args.plan)?;
    let plan = admin.patch(&plan_path(&plan), operations.into())?;
    args.client.show(&plan, || told(&plan, "changed"));
    Ok(())
}

fn add_stage(args: &StageArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let plan = named::plan(&admin, &args.plan)?;
    let stage = named::stage(&admin, &args.stage)?;
    let patch = json!([{ "op": "add", "path": "/apiStages", "value": stage }]);
    let plan = admin.patch(&plan_path(&plan), patch)?;
    args.client.show(&plan, || told(&plan, &format!("its keys may call {stage}")));
    Ok(())
}

fn remove_stage(args: &StageArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let plan = named::plan(&admin, &args.plan)?;
    let stage = named::stage(&admin, &args.stage)?;
    let patch = json!([{ "op": "remove", "path": "/apiStages", "value": stage }]);
    let plan = admin.patch(&plan_path(&plan), patch)?;
    args.client.show(&plan, || told(&plan, &format!("its keys may no longer call {stage}")));
    Ok(())
}

fn add_key(args: &KeyArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let plan = named::plan(&admin, &args.plan)?;
    let key = named::key(&admin, &args.key)?;
    let answer = add_to_plan(&admin, text(&plan, "id"), text(&key, "id"))?;
    args.client.show(&answer, || format!("plan {}: has key {}\n", called(&plan), called(&key)));
    Ok(())
}

fn remove_key(args: &KeyArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let plan = named::plan(&admin, &args.plan)?;
    let key = named::key(&admin, &args.key)?;
    let path = format!("{}/keys/{}", plan_path(&plan), encoded(text(&key, "id")));
    let removed = admin.send("DELETE", &path, &Body::Nothing);
    removed.map_err(|error| named::of_member(error, &key, &plan))?;
    let document = json!({ "usagePlanId": plan["id"], "id": key["id"], "removed": true });
    args.client.show(&document, || {
        format!("plan {}: has key {} no longer\n", called(&plan), called(&key))
    });
    Ok(())
}

fn limit(args: &LimitArgs) -> Result<(), Failure> {
    let members = args.throttle.members();
    if members.is_empty() && !args.none {
        return Err(Failure::Usage("give --rate, --burst or both, or --none".to_owned()));
    }
    let admin = args.client.connect()?;
    let plan = named::plan(&admin, &args.plan)?;
    let stage = named::stage(&admin, &args.stage)?;
    let method = args.method.to_ascii_uppercase();
    let has_stage = plan["apiStages"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|it| format!("{}:{}", text(it, "apiId"), text(it, "stage")) == stage);
    if !has_stage {
        return Err(Failure::Failed(format!(
            "plan {} does not have {stage}; `ringway plans add-stage` adds it",
            called(&plan)
        )));
    }
    if !args.none && !has_method(&admin, &stage, &method, &args.path)? {
        complain(&format!(
            "warning: the API has no {method} {} now; the limit holds once a deployment has it\n",
            args.path
        ));
    }
    let at = of_method(&stage, &args.path, &method);
    let operations: Value = match args.none {
        true => json!([{ "op": "remove", "path": at }]),
        false => members
            .into_iter()
            .map(|(name, value)| {
                json!({ "op": "replace", "path": format!("{at}/{name}"), "value": value })
            })
            .collect(),
    };
    let plan = admin.patch(&plan_path(&plan), operations)?;
    let what = if args.none { "has no limit of its own now" } else { "has a limit of its own" };
    args.client.show(&plan, || told(&plan, &format!("{method} {} {what}", args.path)));
    Ok(())
}

/// Whether the API of a stage has a method now.
fn has_method(admin: &Admin, stage: &str, method: &str, path: &str) -> Result<bool, Failure> {
    let api = stage.split(':').next().unwrap_or_default();
    let resources = admin.items(&format!("/restapis/{}/resources?embed=methods", encoded(api)))?;
    Ok(resources.iter().any(|it| {
        text(it, "path") == path
            && it.get("resourceMethods").is_some_and(|methods| methods.get(method).is_some())
    }))
}

fn delete(args: &PlanArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let plan = named::plan(&admin, &args.plan)?;
    let stages = plan["apiStages"].as_array().map_or(0, Vec::len);
    admin.send("DELETE", &plan_path(&plan), &Body::Nothing).map_err(|error| {
        let help = "\n    help: `ringway plans remove-stage` takes a stage out";
        Failure::Failed(format!("{error}{}", if stages > 0 { help } else { "" }))
    })?;
    let document = json!({ "id": plan["id"], "name": plan["name"], "deleted": true });
    args.client.show(&document, || format!("plan {}: deleted\n", called(&plan)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_shown_with_its_first_keys() {
        let mut plan = json!({"id": "p1", "name": "gold", "apiStages": [], "keys": []});
        assert_eq!(
            told_with_keys(&plan),
            "plan gold (p1)\nthrottle: none\nquota: none\nstages: none; `ringway plans add-stage` \
             adds one\nkeys: none; `ringway plans add-key` adds one\n"
        );
        plan["description"] = "for all".into();
        plan["keys"] = (0..22).map(|n| json!({"id": format!("k{n}"), "name": "n"})).collect();
        let said = told_with_keys(&plan);
        assert!(said.starts_with("plan gold (p1): for all\n"), "{said}");
        assert!(said.ends_with("    n (k19)\n    and more; --json has them all\n"), "{said}");
    }
}
