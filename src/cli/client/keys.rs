//! `ringway keys`: API keys, one by one and as CSV files.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::super::table::table;
use super::super::{Failure, complain, print};
use super::admin::{Admin, Body, encoded};
use super::csv;
use super::named::{self, called};
use super::{ClientArgs, date, text};

/// Flags of `ringway keys`.
#[derive(Debug, Args)]
pub(in super::super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key, and put it into usage plans.
    Create(CreateArgs),
    /// Make keys of a CSV file, or change those whose values it has.
    Import(ImportArgs),
    /// List keys, the newest first.
    List(ListArgs),
    /// Let a key open what its plans have.
    Enable(KeyArgs),
    /// Have a key open nothing, and keep it.
    Disable(KeyArgs),
    /// Delete a key.
    Delete(KeyArgs),
    /// Print keys as CSV that `import` reads.
    Export(ExportArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// What it is called; names need not differ
    name: Option<String>,

    /// Its value, 20 to 128 characters, which other users of this machine see while the command runs
    /// [default: 40 random letters and digits]
    #[arg(long, value_name = "VALUE")]
    value: Option<String>,

    /// Id or name of a usage plan that it is to belong to; may be repeated
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<String>,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Make it disabled: it opens nothing until `ringway keys enable`
    #[arg(long)]
    disabled: bool,

    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// Its first line names the columns: Name, Key, Description, Enabled, UsagePlanIds
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,

    /// Change nothing if a line names a plan that the key cannot belong to
    #[arg(long)]
    fail_on_warnings: bool,

    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only keys whose names begin so
    #[arg(long, value_name = "PREFIX")]
    name: Option<String>,

    /// Show their values
    #[arg(long)]
    values: bool,

    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct KeyArgs {
    /// The key's id, or its name if no other has it
    #[arg(value_name = "ID|NAME")]
    key: String,

    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct ExportArgs {
    /// Print their values, without which they cannot be imported
    #[arg(long)]
    values: bool,

    #[command(flatten)]
    client: ClientArgs,
}

pub(in super::super) fn run(args: &KeysArgs) -> Result<(), Failure> {
    match &args.command {
        KeysCommand::Create(args) => create(args),
        KeysCommand::Import(args) => import(args),
        KeysCommand::List(args) => list(args),
        KeysCommand::Enable(args) => set_enabled(args, true),
        KeysCommand::Disable(args) => set_enabled(args, false),
        KeysCommand::Delete(args) => delete(args),
        KeysCommand::Export(args) => export(args),
    }
}

fn create(args: &CreateArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let plans = named::plans_of(&admin, &args.plans)?;
    let mut input = json!({ "enabled": !args.disabled });
    for (member, given) in
        [("name", &args.name), ("value", &args.value), ("description", &args.description)]
    {
        if let Some(given) = given {
            input[member] = given.as_str().into();
        }
    }
    let mut key = admin.send("POST", "/apikeys", &Body::Json(&input))?;
    let id = text(&key, "id").to_owned();
    for plan in &plans {
        let added = add_to_plan(&admin, text(plan, "id"), &id);
        if let Err(Failure::Failed(why)) = added {
            let undone = match admin.send("DELETE", &key_path(&id), &Body::Nothing) {
                Ok(_) => "the key was deleted again".to_owned(),
                Err(error) => format!("the key {id} stays: {error}"),
            };
            let plan = called(plan);
            return Err(Failure::Failed(format!("usage plan {plan}: {why}\n    {undone}")));
        }
    }
    key["usagePlanIds"] = plans.iter().map(|plan| text(plan, "id")).collect();
    args.client.show(&key, || {
        let state = if args.disabled { "disabled" } else { "enabled" };
        let plans: Vec<String> = plans.iter().map(called).collect();
        let plans = match plans.as_slice() {
            [] => "no plan yet, so it opens nothing; `ringway plans add-key` adds it".to_owned(),
            plans => plans.join(", "),
        };
        format!(
            "key {}: made, {state}\nvalue: {}\nplans: {plans}\n",
            called(&key),
            text(&key, "value")
        )
    });
    Ok(())
}

/// Makes a key one of a plan's.
pub(super) fn add_to_plan(admin: &Admin, plan: &str, key: &str) -> Result<Value, Failure> {
    let input = json!({ "keyId": key, "keyType": "API_KEY" });
    let path = format!("/usageplans/{}/keys", encoded(plan));
    let mut answer = admin.send("POST", &path, &Body::Json(&input))?;
    without_value(&mut answer);
    Ok(answer)
}

/// Where AWS answers a value that nobody has asked for.
pub(super) fn without_value(answer: &mut Value) {
    if let Some(members) = answer.as_object_mut() {
        members.shift_remove("value");
    }
}

fn key_path(id: &str) -> String {
    format!("/apikeys/{}", encoded(id))
}

fn import(args: &ImportArgs) -> Result<(), Failure> {
    let file = args.file.display();
    let document =
        std::fs::read(&args.file).map_err(|error| Failure::Failed(format!("{file}: {error}")))?;
    let admin = args.client.connect()?;
    let target =
        format!("/apikeys?failonwarnings={}&format=csv&mode=import", args.fail_on_warnings);
    let answer = admin.send("POST", &target, &Body::Document(&document));
    let answer = answer.map_err(|error| Failure::Failed(format!("{file}: {error}")))?;
    for warning in answer.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        complain(&format!("warning: {file}: {}\n", warning.as_str().unwrap_or_default()));
    }
    args.client.show(&answer, || match answer["ids"].as_array().map_or(0, Vec::len) {
        1 => "imported: 1 key\n".to_owned(),
        count => format!("imported: {count} keys\n"),
    });
    Ok(())
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let mut target = format!("/apikeys?includeValues={}", args.values);
    if let Some(prefix) = &args.name {
        target += &format!("&name={}", encoded(prefix));
    }
    let keys = admin.items(&target)?;
    args.client.show(&json!({ "item": keys }), || lines(&keys, args.values));
    Ok(())
}

fn lines(keys: &[Value], with_values: bool) -> String {
    if keys.is_empty() {
        return "no keys; `ringway keys create` makes one\n".to_owned();
    }
    let row = |key: &Value| {
        let name = text(key, "name");
        [
            text(key, "id").to_owned(),
            if name.is_empty() { "-".to_owned() } else { csv::one_line(name) },
            if is_enabled(key) { "yes" } else { "no" }.to_owned(),
            date(&key["createdDate"]),
        ]
    };
    let rows: Vec<[String; 4]> = keys.iter().map(row).collect();
    if !with_values {
        return table(["KEY", "NAME", "ENABLED", "CREATED (UTC)"], &rows);
    }
    let rows: Vec<[String; 5]> = rows
        .into_iter()
        .zip(keys)
        .map(|([id, name, enabled, created], key)| {
            [id, name, enabled, created, text(key, "value").to_owned()]
        })
        .collect();
    table(["KEY", "NAME", "ENABLED", "CREATED (UTC)", "VALUE"], &rows)
}

fn is_enabled(key: &Value) -> bool {
    key.get("enabled").and_then(Value::as_bool).unwrap_or(false)
}

fn set_enabled(args: &KeyArgs, enabled: bool) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let key = named::key(&admin, &args.key)?;
    let patch = json!([{ "op": "replace", "path": "/enabled", "value": enabled.to_string() }]);
    let answer = admin.patch(&key_path(text(&key, "id")), patch)?;
    let state = if enabled { "enabled" } else { "disabled" };
    let was = if is_enabled(&key) == enabled { ", as it was" } else { "" };
    args.client.show(&answer, || format!("key {}: {state}{was}\n", called(&key)));
    Ok(())
}

fn delete(args: &KeyArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let key = named::key(&admin, &args.key)?;
    admin.send("DELETE", &key_path(text(&key, "id")), &Body::Nothing)?;
    let document = json!({ "id": key["id"], "name": key["name"], "deleted": true });
    args.client.show(&document, || format!("key {}: deleted\n", called(&key)));
    Ok(())
}

fn export(args: &ExportArgs) -> Result<(), Failure> {
    let admin = args.client.connect()?;
    let mut keys = admin.items(&format!("/apikeys?includeValues={}", args.values))?;
    // Lines make keys in their order: the oldest first, so that an import has them in this one.
    keys.reverse();
    let mut plans = std::collections::HashMap::<String, Vec<String>>::new();
    for plan in named::plans(&admin)? {
        let plan = text(&plan, "id");
        for key in admin.items(&format!("/usageplans/{}/keys", encoded(plan)))? {
            plans.entry(text(&key, "id").to_owned()).or_default().push(plan.to_owned());
        }
    }
    for key in &mut keys {
        key["usagePlanIds"] = plans.remove(text(key, "id")).unwrap_or_default().into();
    }
    if args.client.json {
        print(&format!("{:#}\n", json!({ "item": keys })));
    } else {
        print(&csv_of(&keys));
    }
    Ok(())
}

/// Keys in the columns of AWS's import. A key without a name gets its id for one: an import wants names.
fn csv_of(keys: &[Value]) -> String {
    let mut text_of_all = "Name,Key,Description,Enabled,UsagePlanIds\n".to_owned();
    for key in keys {
        let plans = key["usagePlanIds"].as_array().into_iter().flatten();
        let plans: Vec<&str> = plans.filter_map(Value::as_str).collect();
        let name = match text(key, "name") {
            "" => text(key, "id"),
            name => name,
        };
        text_of_all += &csv::line(&[
            name,
            text(key, "value"),
            text(key, "description"),
            if is_enabled(key) { "true" } else { "false" },
            &plans.join(","),
        ]);
    }
    text_of_all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_table_with_values_only_where_asked_for() {
        let keys = [
            json!({"id": "k1", "name": "mobile\napp", "enabled": true, "createdDate": 0, "value": "v"}),
            json!({"id": "k2", "enabled": false, "createdDate": 86_400}),
        ];
        assert_eq!(
            lines(&keys, false),
            "KEY  NAME        ENABLED  CREATED (UTC)\n\
             k1   mobile app  yes      1970-01-01 00:00:00\n\
             k2   -           no       1970-01-02 00:00:00\n"
        );
        assert!(lines(&keys, true).contains("1970-01-01 00:00:00  v\n"));
        assert_eq!(lines(&[], true), "no keys; `ringway keys create` makes one\n");
    }

    #[test]
    fn an_export_has_awss_columns() {
        let keys = [
            json!({"id": "k1", "name": "a, b", "enabled": true, "value": "v", "usagePlanIds": ["p1", "p2"]}),
            json!({"id": "k2", "description": "say \"hi\"", "enabled": false, "usagePlanIds": []}),
        ];
        assert_eq!(
            csv_of(&keys),
            "Name,Key,Description,Enabled,UsagePlanIds\n\
             \"a, b\",v,,true,\"p1,p2\"\n\
             k2,,\"say \"\"hi\"\"\",false,\n"
        );
    }
}
