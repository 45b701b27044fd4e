//! ImportApiKeys: keys from a CSV document.
//!
//! Columns `Name`, `Key`, `Description`, `Enabled` and `UsagePlanIds` in any order and case, others
//! ignored. A line that cannot become a key refuses the whole import, with the lines' numbers; a usage
//! plan that does not fit is a warning, which refuses it only where the caller says so. A line whose
//! `Key` exists changes that key.
//!
//! Cost: one pass over the text, and a few rows a line.
//!
//! Source: facts, stages-canary-cache-throttle section 8, "CSV import".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::api_keys::{self, ApiKey};
use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::objects::Secret;
use super::usage_plan_keys;
use super::usage_plans::UsagePlan;

/// Problems or warnings that are told; of the others only the number.
const TOLD_MAX: usize = 20;

/// A line of the document.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    /// The number of the line it begins on, from 1.
    line: usize,
    fields: Vec<String>,
}

/// What a line says of a key.
struct Row {
    line: usize,
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
    let rows = rows(&records(text).map_err(ApiError::bad_request)?)?;
    let mut ids = Vec::with_capacity(rows.len());
    let mut seen = BTreeSet::new();
    let mut warnings = Vec::new();
    let mut plans: BTreeMap<String, Option<UsagePlan>> = BTreeMap::new();
    let mut order = api_keys::next_order(context)?;
    for row in rows {
        let key = match api_keys::key_by_value(context, &row.value.0)? {
            Some(key) => {
                let (name, description) = (Some(row.name), row.description);
                let last_updated_date = context.now;
                let key =
                    ApiKey { name, description, enabled: row.enabled, last_updated_date, ..key };
                api_keys::change(context, &key)?;
                key
            }
            None => {
                let key = ApiKey {
                    value: Some(row.value),
                    name: Some(row.name),
                    description: row.description,
                    enabled: row.enabled,
                    ..ApiKey::default()
                };
                order = order.saturating_sub(1);
                api_keys::insert(context, key, order)?
            }
        };
        for id in row.plans {
            let plan = match plans.get(&id) {
                Some(known) => known,
                None => {
                    let plan = context.get(&[&id])?;
                    plans.entry(id.clone()).or_insert(plan)
                }
            };
            let added = match plan {
                Some(plan) => usage_plan_keys::add(context, plan, &key),
                None => Err(ApiError::not_found(format!("Usage plan {id} does not exist"))),
            };
            match added {
                Ok(_) => {}
                Err(error) if error.status == 500 => return Err(error),
                Err(error) => warnings.push(format!("Line {}: {}", row.line, error.message)),
            }
        }
        if seen.insert(key.id.clone()) {
            ids.push(key.id);
        }
    }
    if call.query_flag("failonwarnings") && !warnings.is_empty() {
        let all = told(&warnings).join("; ");
        return Err(ApiError::bad_request(format!("Warnings found during import: {all}")));
    }
    context.effects.keys.extend(ids.iter().cloned());
    let mut answer = json!({"ids": ids});
    if !warnings.is_empty() {
        answer["warnings"] = told(&warnings).into();
    }
    Ok(Reply::json(&answer))
}

/// The first of `all`, and how many more there are.
fn told(all: &[String]) -> Vec<String> {
    let mut told = all[..all.len().min(TOLD_MAX)].to_vec();
    if all.len() > TOLD_MAX {
        told.push(format!("{} more", all.len() - TOLD_MAX));
    }
    told
}

/// Reads the lines by the columns that the first of them names.
fn rows(records: &[Record]) -> Result<Vec<Row>, ApiError> {
    let (header, lines) = match records {
        [header, lines @ ..] => (header.fields.as_slice(), lines),
        [] => (&[][..], &[][..]),
    };
    let column = |name: &str| header.iter().position(|it| it.eq_ignore_ascii_case(name));
    let required = |name: &str| {
        let missing = || ApiError::bad_request(format!("Missing required column '{name}'"));
        column(name).ok_or_else(missing)
    };
    let (key, name) = (required("Key")?, required("Name")?);
    let (description, enabled, plans) =
        (column("Description"), column("Enabled"), column("UsagePlanIds"));
    let mut rows = Vec::with_capacity(lines.len());
    let mut problems = Vec::new();
    for record in lines {
        let field = |at: Option<usize>| at.and_then(|at| record.fields.get(at)).map_or("", |it| it);
        let row = row(
            record.line,
            field(Some(name)),
            field(Some(key)),
            [field(description), field(enabled), field(plans)],
        );
        match row {
            Ok(row) => rows.push(row),
            Err(error) => problems.push(format!("Line {}: {}", record.line, error.message)),
        }
    }
    if problems.is_empty() {
        return Ok(rows);
    }
    Err(ApiError::bad_request(told(&problems).join("; ")))
}

fn row(
    line: usize,
    name: &str,
    key: &str,
    [description, enabled, plans]: [&str; 3],
) -> Result<Row, ApiError> {
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
        line,
        name: name.to_owned(),
        value: Secret(key.to_owned()),
        description: Some(description.to_owned()).filter(|text| !text.is_empty()),
        enabled,
        plans: plans.map(str::to_owned).collect(),
    })
}

/// Splits a CSV document (RFC 4180, with `'` as another quote, blanks around fields, and lines that
/// end in any way). Empty lines are no records.
fn records(text: &str) -> Result<Vec<Record>, String> {
    let mut reader = Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let mut records = Vec::new();
    while !reader.rest.is_empty() {
        let line = reader.line;
        let mut fields = Vec::new();
        loop {
            fields.push(reader.field()?);
            match reader.rest.strip_prefix(',') {
                Some(rest) => reader.rest = rest,
                None => break,
            }
        }
        reader.line_end();
        if fields.len() > 1 || !fields[0].is_empty() {
            records.push(Record { line, fields });
        }
    }
    Ok(records)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    /// A field; what follows it is a comma, a line's end or nothing.
    fn field(&mut self) -> Result<String, String> {
        self.skip_blanks();
        if let Some(quote @ ('"' | '\'')) = self.rest.chars().next() {
            self.rest = &self.rest[1..];
            return self.quoted(quote);
        }
        let end = self.rest.find([',', '\r', '\n']).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(field.trim_end_matches([' ', '\t']).to_owned())
    }

    /// The rest of a field in quotes; two of them are one of the text.
    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let opened = self.line;
        let mut field = String::new();
        loop {
            let Some((part, rest)) = self.rest.split_once(quote) else {
                return Err(format!("Line {opened}: a quoted field does not end"));
            };
            field.push_str(part);
            self.line += part.matches(['\r', '\n']).count() - part.matches("\r\n").count();
            self.rest = rest;
            match rest.strip_prefix(quote) {
                Some(rest) => {
                    field.push(quote);
                    self.rest = rest;
                }
                None => break,
            }
        }
        self.skip_blanks();
        if self.rest.is_empty() || self.rest.starts_with([',', '\r', '\n']) {
            return Ok(field);
        }
        Err(format!("Line {}: text follows a quoted field", self.line))
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn line_end(&mut self) {
        let rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
        self.rest = rest.strip_prefix('\n').unwrap_or(rest);
        self.line += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::testing::Plane;
    use super::*;

    const URI: &str = "/apikeys?mode=import&format=csv";

    fn fields(text: &str) -> Vec<Vec<String>> {
        records(text).unwrap().into_iter().map(|it| it.fields).collect()
    }

    #[test]
    fn documents_are_split_by_commas_quotes_and_line_ends() {
        for (text, want) in [
            ("", vec![]),
            ("\u{feff}a,b", vec![vec!["a", "b"]]),
            ("a , b\r\nc,d\n", vec![vec!["a", "b"], vec!["c", "d"]]),
            ("a\rb", vec![vec!["a"], vec!["b"]]),
            ("\n\n a,\n ,b\n\n", vec![vec!["a", ""], vec!["", "b"]]),
            (r#""x,y" , 'it"s' ,"say ""hi""""#, vec![vec!["x,y", "it\"s", "say \"hi\""]]),
            ("\"two\nlines\",x", vec![vec!["two\nlines", "x"]]),
            ("O'Brien,b\"c", vec![vec!["O'Brien", "b\"c"]]),
        ] {
            assert_eq!(fields(text), want, "{text:?}");
        }
        for (text, want) in [
            ("a\n\"b\nc", "Line 2: a quoted field does not end"),
            ("a\n\"b\nc\" d", "Line 3: text follows a quoted field"),
        ] {
            assert_eq!(records(text).unwrap_err(), want);
        }
        let lines: Vec<usize> =
            records("a\n\n\"b\nc\"\nd").unwrap().iter().map(|it| it.line).collect();
        assert_eq!(lines, [1, 3, 5]);
    }

    #[test]
    fn a_document_of_many_lines_is_read_in_one_pass() {
        let text = "'a',\"b\"\n".repeat(100_000);
        assert_eq!(records(&text).unwrap().len(), 100_000);
        // Each quote looks as if it might be the last.
        assert!(records(&"\"\"".repeat(100_000)).is_ok());
        assert!(records(&"\"\"\"".repeat(99_999)).is_err());
    }

    proptest! {
        #[test]
        fn what_a_writer_wrote_is_read_back(
            table in proptest::collection::vec(proptest::collection::vec(".{0,12}", 2..5), 0..8),
            with_single_quotes: bool,
        ) {
            let quote = if with_single_quotes { "'" } else { "\"" };
            let written: String = table
                .iter()
                .map(|row| {
                    let row: Vec<String> = row
                        .iter()
                        .map(|field| format!("{quote}{}{quote}", field.replace(quote, &quote.repeat(2))))
                        .collect();
                    row.join(",") + "\n"
                })
                .collect();
            prop_assert_eq!(fields(&written), table);
        }

        #[test]
        fn no_document_panics_the_reader(text in "[a\"', \t\r\n\u{feff}é]{0,40}") {
            let read = records(&text);
            if let Ok(records) = read {
                let _ = rows(&records);
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
        assert_eq!(plane.effects.keys.len(), 2);
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
