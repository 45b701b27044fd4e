//! Imports of keys from documents as people and spreadsheets write them: whatever the columns' order and
//! case, the quotes, the blanks and the line ends, the keys are those that were meant.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::string::string_regex;
use serde_json::{Value, json};

use super::testing::Plane;

const URI: &str = "/apikeys?mode=import&format=csv";

/// A key as its author means it. Few values, so that one comes twice.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Meant {
    name: String,
    value: String,
    description: String,
    enabled: Option<bool>,
    in_plan: bool,
}

/// How a document is written; every number is taken as far as there is a choice.
#[derive(Clone, Debug)]
struct Style {
    /// Order of the columns.
    order: Vec<usize>,
    has_mark: bool,
    is_upper: bool,
    choices: Vec<Index>,
}

fn any_text(least: usize) -> impl Strategy<Value = String> {
    let texts = ["[ -~é\n\r\t]", "[a-z \"',]", "[a-zA-Z0-9@.-]"];
    let [any, awkward, plain] =
        texts.map(|set| string_regex(&format!("{set}{{{least},12}}")).unwrap());
    prop_oneof![any, awkward, plain]
}

fn any_key() -> impl Strategy<Value = Meant> {
    (any_text(1), 0..8_u32, any_text(0), any::<Option<bool>>(), any::<bool>()).prop_map(
        |(name, value, description, enabled, in_plan)| Meant {
            name,
            value: format!("value-of-key-number-{value:04}"),
            description,
            enabled,
            in_plan,
        },
    )
}

fn any_style() -> impl Strategy<Value = Style> {
    let order = Just((0..COLUMNS.len()).collect::<Vec<_>>()).prop_shuffle();
    let choices = proptest::collection::vec(any::<Index>(), 64);
    (order, any::<bool>(), any::<bool>(), choices).prop_map(
        |(order, has_mark, is_upper, choices)| Style { order, has_mark, is_upper, choices },
    )
}

/// Those there are, and two that nobody knows.
const COLUMNS: [&str; 7] =
    ["Name", "Key", "Description", "Enabled", "UsagePlanIds", "Owner", "Created At"];

/// Writes a document in a style.
struct Writer<'s> {
    style: &'s Style,
    next: usize,
    text: String,
}

impl Writer<'_> {
    fn one_of<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        self.next += 1;
        choices[self.style.choices[self.next % self.style.choices.len()].index(choices.len())]
    }

    fn blanks(&mut self) {
        let blanks = self.one_of(&["", "", "", " ", "\t ", "  "]);
        self.text.push_str(blanks);
    }

    fn field(&mut self, text: &str) {
        self.blanks();
        let is_plain = !text.contains(['"', '\'', ',', '\r', '\n'])
            && !text.starts_with([' ', '\t'])
            && !text.ends_with([' ', '\t']);
        let quotes: &[&str] = if is_plain { &["", "\"", "'"] } else { &["\"", "'"] };
        let quote = self.one_of(quotes);
        let inner =
            if quote.is_empty() { text.to_owned() } else { text.replace(quote, &quote.repeat(2)) };
        self.text += &format!("{quote}{inner}{quote}");
        self.blanks();
    }

    fn line(&mut self, fields: &[String]) {
        for (at, column) in self.style.order.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            self.field(&fields[*column]);
        }
        // A line's end, and at times lines with nothing.
        let end = self.one_of(&["\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\n \t\n"]);
        self.text.push_str(end);
    }
}

fn written(keys: &[Meant], plan: &str, style: &Style) -> String {
    let mut writer = Writer { style, next: 0, text: String::new() };
    if style.has_mark {
        writer.text.push('\u{feff}');
    }
    let header =
        COLUMNS.map(|name| if style.is_upper { name.to_uppercase() } else { name.to_lowercase() });
    writer.line(&header);
    for key in keys {
        let enabled = key.enabled.map_or_else(String::new, |it| it.to_string());
        let enabled = if style.is_upper { enabled.to_uppercase() } else { enabled };
        let plans = if key.in_plan { plan } else { "" };
        let fields = [&key.name, &key.value, &key.description, &enabled, plans, "Ann", "a, \"b\""];
        writer.line(&fields.map(str::to_owned));
    }
    writer.text
}

/// Name, description, whether enabled and whether in the plan, by value.
type Keys = BTreeMap<String, (String, String, bool, bool)>;

fn stored(plane: &mut Plane, plan: &str) -> Keys {
    let members = plane.ok("GET", &format!("/usageplans/{plan}/keys?limit=500"), Value::Null);
    let members = members["item"].as_array().unwrap().clone();
    let all = plane.ok("GET", "/apikeys?includeValues=true&limit=500", Value::Null);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let keys = all["item"].as_array().unwrap().iter().map(|key| {
        let in_plan = members.iter().any(|it| it["id"] == key["id"]);
        let enabled = key["enabled"].as_bool().unwrap();
        let what = (text(&key["name"]), text(&key["description"]), enabled, in_plan);
        (text(&key["value"]), what)
    });
    keys.collect()
}

/// What is meant: later lines change what earlier ones made, and take nobody out of a plan.
fn meant(keys: &[Meant]) -> Keys {
    let mut all = Keys::new();
    for key in keys {
        let was_in = all.get(&key.value).is_some_and(|it| it.3);
        let enabled = key.enabled.unwrap_or(true);
        let what = (key.name.clone(), key.description.clone(), enabled, key.in_plan || was_in);
        all.insert(key.value.clone(), what);
    }
    all
}

fn new_plan(plane: &mut Plane) -> String {
    let plan = plane.ok("POST", "/usageplans", json!({"name": "gold"}));
    plan["id"].as_str().unwrap().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn keys_are_what_was_meant_however_it_is_written(
        keys in proptest::collection::vec(any_key(), 0..12),
        again in proptest::collection::vec(any_key(), 0..6),
        styles in [any_style(), any_style()],
    ) {
        let mut plane = Plane::new();
        let plan = new_plan(&mut plane);
        let text = written(&keys, &plan, &styles[0]);
        let answer = plane.ok("POST", URI, json!(text));
        // A key that is in the plan already is told; nothing else is odd.
        let warnings = answer["warnings"].as_array().cloned().unwrap_or_default();
        prop_assert!(warnings.len() <= keys.len());
        prop_assert_eq!(stored(&mut plane, &plan), meant(&keys), "{:?}", text);
        let ids = answer["ids"].as_array().unwrap();
        prop_assert_eq!(ids.len(), meant(&keys).len(), "each once");

        // A second document changes what it has, and leaves the rest.
        plane.ok("POST", URI, json!(written(&again, &plan, &styles[1])));
        let all: Vec<Meant> = keys.iter().chain(&again).cloned().collect();
        prop_assert_eq!(stored(&mut plane, &plan), meant(&all));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_and_nothing_is_kept(
        kinds in proptest::collection::vec(0..7_u8, 1..60),
        end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
    ) {
        let mut text = format!("name,key,enabled{end}");
        let (mut line, mut problems) = (2, Vec::new());
        for kind in kinds {
            let value = format!("value-of-key-number-{line:04}");
            let (fields, problem) = match kind {
                0 => (format!(",{value},true"), Some("Name must not be empty")),
                1 => ("a,short,".to_owned(), Some("API Key value should be at least 20 characters")),
                2 => (format!("a,{value},yes"), Some("Enabled has to be true or false")),
                // Empty lines and lines within quotes count, too.
                3 => (String::new(), None),
                4 => (format!("\"a{end}b\",{value}"), None),
                _ => (format!("a,{value},FALSE,more"), None),
            };
            problems.extend(problem.map(|problem| format!("Line {line}: {problem}")));
            text += &format!("{fields}{end}");
            line += if kind == 4 { 2 } else { 1 };
        }
        let mut plane = Plane::new();
        if problems.is_empty() {
            plane.ok("POST", URI, json!(text));
            return Ok(());
        }
        let (told, untold) = problems.split_at(problems.len().min(20));
        let mut want = format!("400 BadRequestException: {}", told.join("; "));
        if !untold.is_empty() {
            want += &format!("; {} more", untold.len());
        }
        prop_assert_eq!(plane.refused("POST", URI, json!(text)), want);
        prop_assert_eq!(plane.ok("GET", "/apikeys", Value::Null), json!({"item": []}));
    }
}
