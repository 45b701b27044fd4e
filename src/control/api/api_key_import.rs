//! ImportApiKeys: keys from a CSV document.
//!
//! Columns `Name`, `Key`, `Description`, `Enabled` and `UsagePlanIds` in any order and case, others
//! ignored. A line that cannot become a key refuses the whole import, with the lines' numbers; a usage
//! plan that does not fit is a warning, which refuses it only where the caller says so. A line whose
//! `Key` exists changes that key.
//!
//! A million lines are written in the order of the store's rows, not in theirs: hashes of values are sorted
//! before they are looked up and kept, and new keys get ascending ids. Rows at random places cost ten times
//! as much, once the store outgrows its cache.
//!
//! Cost: two passes over the text, which is held once; a hash and an id a line beside it; five rows a key.
//!
//! Source: facts, stages-canary-cache-throttle section 8, "CSV import".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::api_keys::{self, ApiKey, SealedApiKey};
use super::call::{Call, Reply};
use super::context::Context;
use super::csv::Records;
use super::error::ApiError;
use super::ids;
use super::key_access::KeyAccess;
use super::objects::Secret;
use super::usage_plan_keys;
use super::usage_plans::UsagePlan;
use crate::usage::{KeyId, ValueHash};

/// Problems or warnings that are told; of the others only the number.
const TOLD_MAX: usize = 20;

/// What a line says of a key.
struct Row {
    name: String,
    value: Secret,
    description: Option<String>,
    enabled: bool,
    plans: Vec<String>,
}

pub(super) fn import_api_keys(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    if let Some(format) = call.query("format").filter(|format| *format != "csv") {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value '{format}' at 'importApiKeysInput.format' failed to satisfy constraint: Member must satisfy enum value set: [csv]"
        )));
    }
    let text = std::str::from_utf8(call.body)
        .map_err(|_| ApiError::bad_request("The API keys file has to be UTF-8 text"))?;
    let mut import = Import::prepare(context, text)?;
    import.carry_out(context, text)?;
    let Import { listed, warnings, .. } = import;
    if call.query_flag("failonwarnings") && warnings.count > 0 {
        let all = warnings.told().join("; ");
        return Err(ApiError::bad_request(format!("Warnings found during import: {all}")));
    }
    let answer = answer(&listed, warnings);
    context.effects.imported_keys = listed;
    Ok(Reply::raw("application/json", None, answer.into_bytes()))
}

/// The answer, written at once: a tree of a million ids would take more memory than the keys.
fn answer(ids: &[KeyId], warnings: Told) -> String {
    let mut answer = "{\"ids\":[".to_owned();
    for (number, id) in ids.iter().enumerate() {
        if number > 0 {
            answer.push(',');
        }
        // Letters and digits only.
        answer.push('"');
        answer.push_str(id.as_str());
        answer.push('"');
    }
    answer.push(']');
    if warnings.count > 0 {
        answer.push_str(",\"warnings\":");
        answer.push_str(&Value::from(warnings.told()).to_string());
    }
    answer.push('}');
    answer
}

/// What an import has found and done so far.
struct Import {
    /// Ids of the keys that it makes, ascending: in the order of their lines.
    ids: Vec<KeyId>,
    /// Numbers of the lines, counted from 0 without the first, whose keys are there: in the store, or by a
    /// line before. Ascending.
    known: Vec<u32>,
    /// Every key that was made or changed, in the order of the lines.
    listed: Vec<KeyId>,
    warnings: Told,
}

impl Import {
    /// Checks every line, chooses the ids of new keys, and keeps which values they have.
    fn prepare(context: &Context<'_>, text: &str) -> Result<Self, ApiError> {
        let mut hashes: Vec<(ValueHash, u32)> = Vec::new();
        let mut problems = Told::default();
        for (line, row) in Rows::of(text)? {
            match row? {
                Ok(row) => {
                    let number = u32::try_from(hashes.len());
                    let number = number.map_err(|_| ApiError::bad_request("Too many lines"))?;
                    hashes.push((api_keys::hash_of(context, &row.value.0), number));
                }
                Err(error) => problems.add(line, &error),
            }
        }
        if problems.count > 0 {
            return Err(ApiError::bad_request(problems.told().join("; ")));
        }
        hashes.sort_unstable();
        let mut known = Vec::new();
        let mut before = None;
        let mut failed = Ok(());
        hashes.retain(|&(hash, number)| {
            let is_known = before == Some(hash)
                || match api_keys::key_with(context, hash) {
                    Ok(id) => id.is_some(),
                    Err(error) => {
                        failed = Err(error);
                        true
                    }
                };
            before = Some(hash);
            if is_known {
                known.push(number);
            }
            !is_known
        });
        failed?;
        known.sort_unstable();
        let taken = |id: &str| context.has::<SealedApiKey>(&[id]);
        let ids = ids::many(hashes.len(), taken)?;
        for &(hash, number) in &hashes {
            let known_before = known.partition_point(|&known| known < number);
            let id = ids[number as usize - known_before];
            api_keys::put_hash(context, hash, id.as_str())?;
        }
        Ok(Self { ids, known, listed: Vec::new(), warnings: Told::default() })
    }

    /// Makes and changes the keys.
    fn carry_out(&mut self, context: &Context<'_>, text: &str) -> Result<(), ApiError> {
        let mut plans = Plans::default();
        let mut order = api_keys::next_order(context)?;
        let (known, ids) = (std::mem::take(&mut self.known), std::mem::take(&mut self.ids));
        let (mut known, mut new) = (known.into_iter().peekable(), ids.iter());
        let mut changed = BTreeSet::new();
        self.listed.reserve_exact(ids.len());
        for (number, (line, row)) in (0..).zip(Rows::of(text)?) {
            let row = row??;
            if known.next_if_eq(&number).is_some() {
                let id = self.change(context, line, row, &mut plans)?;
                if ids.binary_search(&id).is_err() && changed.insert(id) {
                    self.listed.push(id);
                }
                continue;
            }
            let id = *new.next().expect("an id for each line whose key is not known");
            order = order.saturating_sub(1);
            self.make(context, line, row, (id, order), &mut plans)?;
            self.listed.push(id);
        }
        Ok(())
    }

    /// Makes the key of a line, whose value has been kept under the id.
    fn make(
        &mut self,
        context: &Context<'_>,
        line: usize,
        row: Row,
        (id, order): (KeyId, u64),
        plans: &mut Plans,
    ) -> Result<(), ApiError> {
        let hash = api_keys::hash_of(context, &row.value.0);
        let mut access = KeyAccess { hash, enabled: row.enabled, plans: Vec::new() };
        let key = ApiKey {
            id: id.as_str().to_owned(),
            value: Some(row.value),
            name: Some(row.name),
            description: row.description,
            enabled: row.enabled,
            created_date: context.now,
            last_updated_date: context.now,
            order: Some(api_keys::shown_order(order)),
            ..ApiKey::default()
        };
        for plan in &row.plans {
            let joined = plans.find(context, plan).and_then(|found| {
                if access.plans.contains(plan) {
                    return Ok(());
                }
                usage_plan_keys::join(context, found, &key, &mut access)
            });
            self.warn(line, joined)?;
        }
        api_keys::insert(context, &key, &access)
    }

    /// Changes the key that has a line's value already.
    fn change(
        &mut self,
        context: &Context<'_>,
        line: usize,
        row: Row,
        plans: &mut Plans,
    ) -> Result<KeyId, ApiError> {
        let gone = || ApiError::internal(format!("the key of line {line} is gone"));
        let hash = api_keys::hash_of(context, &row.value.0);
        let id = api_keys::key_with(context, hash)?.ok_or_else(gone)?;
        let key = ApiKey {
            name: Some(row.name),
            description: row.description,
            enabled: row.enabled,
            last_updated_date: context.now,
            ..api_keys::key_of(context, &id)?
        };
        api_keys::change(context, &key)?;
        for plan in &row.plans {
            let added = plans.find(context, plan);
            let added = added.and_then(|plan| usage_plan_keys::add(context, plan, &key));
            self.warn(line, added.map(drop))?;
        }
        KeyId::new(&id).ok_or_else(gone)
    }

    /// Makes a warning of what is the caller's mistake.
    fn warn(&mut self, line: usize, outcome: Result<(), ApiError>) -> Result<(), ApiError> {
        match outcome {
            Err(error) if error.status != 500 => {
                self.warnings.add(line, &error);
                Ok(())
            }
            other => other,
        }
    }
}

/// Plans that lines have named, read once.
#[derive(Default)]
struct Plans(BTreeMap<String, Option<UsagePlan>>);

impl Plans {
    fn find(&mut self, context: &Context<'_>, id: &str) -> Result<&UsagePlan, ApiError> {
        if !self.0.contains_key(id) {
            self.0.insert(id.to_owned(), context.get(&[id])?);
        }
        let missing = || ApiError::not_found(format!("Usage plan {id} does not exist"));
        self.0[id].as_ref().ok_or_else(missing)
    }
}

/// What is wrong with lines: the first of all, and how many there are.
#[derive(Default)]
struct Told {
    first: Vec<String>,
    count: usize,
}

impl Told {
    fn add(&mut self, line: usize, error: &ApiError) {
        if self.count < TOLD_MAX {
            self.first.push(format!("Line {line}: {}", error.message));
        }
        self.count += 1;
    }

    fn told(self) -> Vec<String> {
        let mut told = self.first;
        if self.count > TOLD_MAX {
            told.push(format!("{} more", self.count - TOLD_MAX));
        }
        told
    }
}

/// The lines, read by the columns that the first of them names.
struct Rows<'a> {
    records: Records<'a>,
    name: usize,
    key: usize,
    /// `Description`, `Enabled` and `UsagePlanIds`, which may be missing.
    others: [Option<usize>; 3],
}

impl<'a> Rows<'a> {
    /// Reads the first line.
    fn of(text: &'a str) -> Result<Self, ApiError> {
        let mut records = Records::of(text);
        let header = records.next().transpose().map_err(ApiError::bad_request)?;
        let header = header.map_or(Vec::new(), |record| record.fields);
        let column = |name: &str| header.iter().position(|it| it.eq_ignore_ascii_case(name));
        let required = |name: &str| {
            let missing = || ApiError::bad_request(format!("Missing required column '{name}'"));
            column(name).ok_or_else(missing)
        };
        Ok(Self {
            key: required("Key")?,
            name: required("Name")?,
            others: ["Description", "Enabled", "UsagePlanIds"].map(column),
            records,
        })
    }
}

/// The number of a line with what it says; the outer error is one of the whole document.
impl Iterator for Rows<'_> {
    type Item = (usize, Result<Result<Row, ApiError>, ApiError>);

    fn next(&mut self) -> Option<Self::Item> {
        let record = match self.records.next()? {
            Ok(record) => record,
            Err(why) => return Some((0, Err(ApiError::bad_request(why)))),
        };
        let field = |at: usize| record.fields.get(at).map_or("", |it| it);
        let others = self.others.map(|at| at.map_or("", field));
        Some((record.line, Ok(row(field(self.name), field(self.key), others))))
    }
}

fn row(name: &str, key: &str, [description, enabled, plans]: [&str; 3]) -> Result<Row, ApiError> {
    if name.is_empty() {
        return Err(ApiError::bad_request("Name must not be empty"));
    }
    api_keys::check_name(name)?;
    api_keys::check_value(key)?;
    api_keys::check_description(description)?;
    let enabled = match enabled.to_ascii_lowercase().as_str() {
        "" | "true" => true,
        "false" => false,
        _ => return Err(ApiError::bad_request("Enabled has to be true or false")),
    };
    let plans = plans.split(',').map(str::trim).filter(|id| !id.is_empty());
    Ok(Row {
        name: name.to_owned(),
        value: Secret(key.to_owned()),
        description: Some(description.to_owned()).filter(|text| !text.is_empty()),
        enabled,
        plans: plans.map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::testing::Plane;
    use super::*;

    const URI: &str = "/apikeys?mode=import&format=csv";

    proptest! {
        #[test]
        fn no_document_panics_an_import(text in "[a\"', \t\r\n\u{feff}é]{0,40}") {
            if let Ok(rows) = Rows::of(&text) {
                rows.for_each(drop);
            }
        }
    }

    #[test]
    fn keys_come_from_lines_and_go_to_their_plans() {
        let mut plane = Plane::new();
        let plan = plane.ok("POST", "/usageplans", json!({"name": "gold"}));
        let plan = plan["id"].as_str().unwrap().to_owned();
        let text = format!(
            "other,key,NAME,enabled,usageplanids\n\
             x,{a},first,,\"{plan}, nope\"\n\
             ,{b},second,FALSE,'{plan}'\n\
             ,{a},renamed\n",
            a = "a".repeat(30),
            b = "b".repeat(30),
        );
        let answer = plane.ok("POST", URI, json!(text));
        let ids = answer["ids"].as_array().unwrap().clone();
        assert_eq!(ids.len(), 2);
        assert_eq!(answer["warnings"], json!(["Line 2: Usage plan nope does not exist"]));
        assert_eq!(plane.effects.imported_keys.len(), 2);
        let all = plane.ok("GET", "/apikeys?includeValues=true", Value::Null);
        let shown: Vec<_> = all["item"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| (key["name"].as_str().unwrap(), key["enabled"].as_bool().unwrap()))
            .collect();
        assert_eq!(shown, [("second", false), ("renamed", true)]);
        assert_eq!(all["item"][1]["value"], "a".repeat(30));
        let keys = plane.ok("GET", &format!("/usageplans/{plan}/keys"), Value::Null);
        let mut names: Vec<_> = keys["item"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].as_str().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["renamed", "second"]);
        // The same again with the caller not wanting warnings: nothing changes.
        let text = text.replace("renamed", "changed");
        assert_eq!(
            plane.refused("POST", &format!("{URI}&failonwarnings=true"), json!(text)),
            "400 BadRequestException: Warnings found during import: Line 2: Usage plan nope does not exist"
        );
        let all = plane.ok("GET", "/apikeys", Value::Null);
        assert_eq!(all["item"][1]["name"], "renamed");
    }

    #[test]
    fn new_lines_between_known_ones_get_keys_of_their_own() {
        let mut plane = Plane::new();
        let value = |number: usize| format!("value-of-the-key-{number:05}");
        let mut import = |numbers: &[usize], as_what: &str| -> Vec<String> {
            let lines = numbers.iter().map(|it| format!("{as_what}{it},{}\n", value(*it)));
            let text = format!("Name,Key\n{}", lines.collect::<String>());
            let answer = plane.ok("POST", URI, json!(text));
            let ids = answer["ids"].as_array().unwrap().iter();
            let ids: Vec<String> = ids.map(|id| id.as_str().unwrap().to_owned()).collect();
            let imported = plane.effects.imported_keys.iter();
            assert!(imported.map(KeyId::as_str).eq(ids.iter().map(String::as_str)));
            ids
        };
        let first = import(&[7, 3, 5, 3], "a");
        assert_eq!(first.len(), 3);
        let second = import(&[8, 5, 9, 8, 7, 4, 5], "b");
        assert_eq!(second.len(), 5);
        assert_eq!((&second[1], &second[3]), (&first[2], &first[0]), "in the order of the lines");
        let keys = [("b8", 0), ("b5", 1), ("b9", 2), ("b7", 3), ("b4", 4)];
        for (name, index) in keys {
            let uri = format!("/apikeys/{}?includeValue=true", second[index]);
            let key = plane.ok("GET", &uri, Value::Null);
            assert_eq!(key["name"], name);
            assert_eq!(key["value"], value(name[1..].parse().unwrap()), "{name}");
        }
        let all = plane.ok("GET", "/apikeys", Value::Null);
        let names: Vec<_> = all["item"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["b4", "b9", "b8", "b5", "a3", "b7"], "newest first");
    }

    #[test]
    fn a_line_with_two_plans_of_one_stage_joins_the_first() {
        let mut plane = Plane::new();
        let api = plane.ok("POST", "/restapis", json!({"name": "x"}))["id"].clone();
        let api = api.as_str().unwrap().to_owned();
        let writing = plane.store().write().unwrap();
        let stage = super::super::objects::Stage::default();
        writing.put(&[&api, "dev"], &stage).unwrap();
        writing.commit().unwrap();
        let mut plan = || {
            let input = json!({"name": "p", "apiStages": [{"apiId": api, "stage": "dev"}]});
            plane.ok("POST", "/usageplans", input)["id"].as_str().unwrap().to_owned()
        };
        let (one, other) = (plan(), plan());
        let value = "v".repeat(30);
        let text = format!("Name,Key,UsagePlanIds\nx,{value},\"{one},{one},{other}\"");
        let answer = plane.ok("POST", URI, json!(text));
        let id = answer["ids"][0].as_str().unwrap();
        assert_eq!(
            answer["warnings"],
            json!([format!(
                "Line 2: API Key {id} is already associated with API Stage {api}:dev through usage plan {one}"
            )])
        );
        let plans = plane.ok("GET", &format!("/usageplans?keyId={id}"), Value::Null);
        assert_eq!(plans["item"].as_array().unwrap().len(), 1);
        assert_eq!(plans["item"][0]["id"], one);
    }

    #[test]
    fn wrong_lines_are_named_and_refuse_the_import() {
        let mut plane = Plane::new();
        let key = "k".repeat(30);
        for (text, want) in [
            (String::new(), "Missing required column 'Key'"),
            (format!("name\n{key}"), "Missing required column 'Key'"),
            (format!("key\n{key}"), "Missing required column 'Name'"),
            (
                format!("name,key,enabled\na,{key}\n,{key}\nb,short\nc,{key},maybe\n"),
                "Line 3: Name must not be empty; Line 4: API Key value should be at least 20 characters; Line 5: Enabled has to be true or false",
            ),
            ("name,key\n\"a".to_owned(), "Line 2: a quoted field does not end"),
        ] {
            let got = plane.refused("POST", URI, json!(text));
            assert_eq!(got, format!("400 BadRequestException: {want}"));
        }
        let many = format!("name,key\n{}", "a,short\n".repeat(50));
        assert!(plane.refused("POST", URI, json!(many)).ends_with("characters; 30 more"));
        let got = plane.refused("POST", "/apikeys?mode=import&format=xml", json!(""));
        assert!(got.ends_with(
            "Value 'xml' at 'importApiKeysInput.format' failed to satisfy constraint: Member must satisfy enum value set: [csv]"
        ));
        assert_eq!(plane.ok("GET", "/apikeys", Value::Null), json!({"item": []}));
    }
}
