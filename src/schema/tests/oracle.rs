//! Does the `jsonschema` crate agree? Schemas are generated, bodies are generated to fit them, and
//! then broken; both validators judge every pair.
//!
//! `SCHEMA_ORACLE_PAIRS` sets how many; a run of a million is part of changing this module. What the
//! two see differently is not generated, and is listed here:
//!
//! - `format`: the Java validator's reading is ours ([`format`](super::super::format)). Generated
//!   are `ipv4` and `ipv6`, where all agree.
//! - Numbers beyond what a double holds: the oracle's `serde_json` rounds them, ours are exact.
//! - `multipleOf` with a divisor that no double is, which the oracle computes in floating point.
//!   Halves and quarters are generated.
//! - `\p{...}`, look-behind and named groups in `pattern` are a later standard's.
//! - An empty `required` and a numeric `exclusiveMinimum` are warned about here and errors there.

use jsonschema::Draft;
use serde_json::{Map, Value, json};

use super::*;

/// A few thousand, so that CI stays quick.
const PAIRS: usize = 6_000;
const BODIES_PER_SCHEMA: usize = 12;

const NAMES: [&str; 8] = ["a", "b", "id", "name", "items", "prefix_x", "é", "a_rather_long_name"];
const PATTERNS: [&str; 8] = [
    "^a",
    "b$",
    "^[a-z]{2,3}$",
    "\\d",
    "^(?!x).*$",
    "^(?=.*[a-z])(?=.*\\d).{2,}$",
    "a|b",
    "^prefix_",
];
const STRINGS: [&str; 12] =
    ["", "a", "ab", "abc", "x", "x1", "a1b2", "prefix_x", "é", "💩💩", "127.0.0.1", "::1"];

struct Generator(fastrand_like::Rng);

/// As small a generator of numbers as will do: the same pairs in every run.
mod fastrand_like {
    pub(super) struct Rng(pub(super) u64);

    impl Rng {
        /// SplitMix64.
        pub(super) fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        }
    }
}

impl Generator {
    fn below(&mut self, bound: usize) -> usize {
        (self.0.next() % bound as u64) as usize
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn number(&mut self) -> Value {
        match self.below(6) {
            0 => json!(self.below(1_000_000_000) as i64 - 500_000_000),
            1 => json!((self.below(81) as f64 - 40.0) / 4.0),
            2 => json!(1.0),
            _ => json!(self.below(12) as i64 - 4),
        }
    }

    /// Any value, not made for any schema.
    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => json!(self.one_in(2)),
            2 | 3 => self.number(),
            4 | 5 => json!(self.pick(&STRINGS)),
            6 => {
                let len = self.below(4) + 6 * usize::from(self.one_in(8));
                (0..len).map(|_| self.value(depth - 1)).collect()
            }
            _ => {
                let len = self.below(4);
                let members =
                    (0..len).map(|_| (self.pick(&NAMES).to_owned(), self.value(depth - 1)));
                Value::Object(members.collect())
            }
        }
    }

    fn schema(&mut self, depth: usize, root: bool) -> Value {
        if !root && self.one_in(9) {
            return json!({ "$ref": self.pick(&["#", "#/definitions/x", "#/definitions/y"]) });
        }
        let mut schema = Map::new();
        if self.one_in(3) {
            let types = ["array", "boolean", "integer", "null", "number", "object", "string"];
            let one = self.pick(&types);
            let other = self.pick(&types);
            let several = one != other && self.one_in(3);
            schema.insert("type".into(), if several { json!([one, other]) } else { json!(one) });
        }
        if self.one_in(12) {
            let mut values: Vec<Value> = Vec::new();
            for _ in 0..1 + self.below(3) {
                let value = self.value(1);
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            schema.insert("enum".into(), json!(values));
        }
        match self.below(if depth == 0 { 2 } else { 5 }) {
            0 => self.string_keywords(&mut schema),
            1 => self.number_keywords(&mut schema),
            2 => self.array_keywords(&mut schema, depth - 1),
            _ => self.object_keywords(&mut schema, depth - 1),
        }
        if depth > 0 && self.one_in(4) {
            let keyword = self.pick(&["allOf", "anyOf", "oneOf", "not"]);
            let rules = if keyword == "not" {
                self.schema_without_reference(depth - 1)
            } else {
                (0..1 + self.below(3)).map(|_| self.schema_without_reference(depth - 1)).collect()
            };
            schema.insert(keyword.into(), rules);
        }
        if root {
            let definitions = json!({
                "x": self.schema_without_reference(1),
                "y": { "properties": { "a": { "$ref": "#/definitions/y" }, "b": { "$ref": "#/definitions/x" } } },
            });
            schema.insert("definitions".into(), definitions);
            schema.insert("$schema".into(), json!("http://json-schema.org/draft-04/schema#"));
        }
        Value::Object(schema)
    }

    /// References right inside of `allOf` and the like might lead around in circles.
    fn schema_without_reference(&mut self, depth: usize) -> Value {
        loop {
            let schema = self.schema(depth, false);
            if schema.get("$ref").is_none() {
                return schema;
            }
        }
    }

    fn string_keywords(&mut self, schema: &mut Map<String, Value>) {
        if self.one_in(2) {
            schema.insert("minLength".into(), json!(self.below(4)));
        }
        if self.one_in(2) {
            schema.insert("maxLength".into(), json!(self.below(5)));
        }
        if self.one_in(3) {
            schema.insert("pattern".into(), json!(self.pick(&PATTERNS)));
        }
        if self.one_in(6) {
            schema.insert("format".into(), json!(self.pick(&["ipv4", "ipv6", "unheard-of"])));
        }
    }

    fn number_keywords(&mut self, schema: &mut Map<String, Value>) {
        for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")]
        {
            if self.one_in(2) {
                schema.insert(bound.into(), self.number());
                if self.one_in(3) {
                    schema.insert(exclusive.into(), json!(self.one_in(2)));
                }
            }
        }
        if self.one_in(3) {
            schema.insert("multipleOf".into(), self.pick(&[1.0, 2.0, 3.0, 0.5, 0.25, 7.0]).into());
        }
    }

    fn array_keywords(&mut self, schema: &mut Map<String, Value>, depth: usize) {
        match self.below(4) {
            0 => {}
            1 => {
                let list = (0..1 + self.below(3)).map(|_| self.schema(depth, false)).collect();
                schema.insert("items".into(), list);
            }
            _ => {
                schema.insert("items".into(), self.schema(depth, false));
            }
        }
        if self.one_in(3) {
            let rest =
                if self.one_in(2) { json!(self.one_in(2)) } else { self.schema(depth, false) };
            schema.insert("additionalItems".into(), rest);
        }
        if self.one_in(3) {
            schema.insert("minItems".into(), json!(self.below(3)));
        }
        if self.one_in(3) {
            schema.insert("maxItems".into(), json!(self.below(5)));
        }
        if self.one_in(3) {
            schema.insert("uniqueItems".into(), json!(!self.one_in(5)));
        }
    }

    fn object_keywords(&mut self, schema: &mut Map<String, Value>, depth: usize) {
        let members = |this: &mut Self, names: &[&str]| -> Map<String, Value> {
            (0..1 + this.below(4))
                .map(|_| (this.pick(names).to_owned(), this.schema(depth, false)))
                .collect()
        };
        if !self.one_in(4) {
            schema.insert("properties".into(), members(self, &NAMES).into());
        }
        if self.one_in(4) {
            schema.insert("patternProperties".into(), members(self, &PATTERNS).into());
        }
        if self.one_in(3) {
            let rest =
                if self.one_in(2) { json!(self.one_in(2)) } else { self.schema(depth, false) };
            schema.insert("additionalProperties".into(), rest);
        }
        if self.one_in(2) {
            let mut names: Vec<&str> = (0..1 + self.below(3)).map(|_| self.pick(&NAMES)).collect();
            names.sort_unstable();
            names.dedup();
            schema.insert("required".into(), json!(names));
        }
        if self.one_in(6) {
            schema.insert("minProperties".into(), json!(self.below(3)));
        }
        if self.one_in(6) {
            schema.insert("maxProperties".into(), json!(self.below(5)));
        }
        if self.one_in(6) {
            let dependency = if self.one_in(2) {
                json!([self.pick(&NAMES)])
            } else {
                self.schema_without_reference(depth.saturating_sub(1))
            };
            schema.insert("dependencies".into(), json!({ self.pick(&NAMES): dependency }));
        }
    }

    /// A value that tries to fit `schema`; nothing promises that it does.
    fn fitting(&mut self, root: &Value, schema: &Value, depth: usize) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let target =
                root.pointer(&reference[1..]).expect("generated references lead somewhere");
            return self.fitting(root, target, depth.saturating_sub(1));
        }
        if let Some(values) = schema["enum"].as_array() {
            return values[self.below(values.len())].clone();
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            if let Some(list) = schema[keyword].as_array()
                && self.one_in(3)
            {
                let chosen = &list[self.below(list.len())];
                return self.fitting(root, chosen, depth.saturating_sub(1));
            }
        }
        let declared = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
        let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.get(keyword).is_some());
        let guessed =
            if has(&["properties", "required", "patternProperties", "additionalProperties"]) {
                "object"
            } else if has(&["items", "uniqueItems", "minItems"]) {
                "array"
            } else if has(&["minLength", "maxLength", "pattern", "format"]) {
                "string"
            } else {
                "number"
            };
        match declared.unwrap_or(guessed) {
            "null" => Value::Null,
            "boolean" => json!(self.one_in(2)),
            "string" => json!(self.pick(&STRINGS)),
            "integer" => json!(self.below(12) as i64 - 4),
            "number" => {
                let near = self.pick(&["minimum", "maximum"]);
                if self.one_in(2) && schema.get(near).is_some() {
                    schema[near].clone()
                } else {
                    self.number()
                }
            }
            _ if depth == 0 => self.value(0),
            "array" => {
                let len = self.below(4) + 5 * usize::from(self.one_in(6));
                let element = |this: &mut Self, index: usize| {
                    let items = &schema["items"];
                    let items = if items.is_array() { &items[index] } else { items };
                    if items.is_null() {
                        this.value(1)
                    } else {
                        this.fitting(root, items, depth - 1)
                    }
                };
                (0..len).map(|index| element(self, index)).collect()
            }
            _ => {
                let mut members = Map::new();
                for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                    if !self.one_in(4) {
                        let value = self.fitting(root, schema, depth - 1);
                        members.insert(name.clone(), value);
                    }
                }
                for name in schema["required"].as_array().into_iter().flatten() {
                    let name = name.as_str().expect("names are strings");
                    if !members.contains_key(name) && !self.one_in(12) {
                        let value = self.value(1);
                        members.insert(name.to_owned(), value);
                    }
                }
                if self.one_in(3) {
                    let value = self.value(1);
                    members.insert(self.pick(&NAMES).to_owned(), value);
                }
                members.into()
            }
        }
    }

    /// Changes one thing somewhere inside.
    fn broken(&mut self, value: &mut Value) {
        match value {
            Value::Array(list) if !list.is_empty() && !self.one_in(3) => match self.below(3) {
                0 => list.push(list[0].clone()),
                1 => drop(list.pop()),
                _ => {
                    let at = self.below(list.len());
                    self.broken(&mut list[at]);
                }
            },
            Value::Object(members) if !members.is_empty() && !self.one_in(3) => {
                let name = members.keys().nth(self.below(members.len())).expect("within").clone();
                if self.one_in(3) {
                    members.remove(&name);
                } else {
                    self.broken(members.get_mut(&name).expect("just found"));
                }
            }
            other => *other = self.value(1),
        }
    }
}

#[test]
fn another_validator_gives_the_same_verdicts() {
    let pairs = std::env::var("SCHEMA_ORACLE_PAIRS").ok().and_then(|text| text.parse().ok());
    let seed = std::env::var("SCHEMA_ORACLE_SEED").ok().and_then(|text| text.parse().ok());
    let mut generator = Generator(fastrand_like::Rng(seed.unwrap_or(4)));
    let (mut tape, mut checker, mut messages) = (Tape::new(), Checker::new(), Messages::new());
    let (mut valid, mut judged) = (0usize, 0usize);
    let pairs = pairs.unwrap_or(PAIRS);
    while judged < pairs {
        let schema = generator.schema(3, true);
        let text = schema.to_string();
        let ours = match Schema::compile(&text, &|_| None) {
            Ok(ours) => ours,
            Err(error) => panic!("{text}\n{error}"),
        };
        let theirs = jsonschema::options()
            .with_draft(Draft::Draft4)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .build(&schema)
            .unwrap_or_else(|error| panic!("{text}\n{error}"));
        for _ in 0..BODIES_PER_SCHEMA {
            let mut body = generator.fitting(&schema, &schema, 5);
            if generator.one_in(3) {
                generator.broken(&mut body);
            }
            let body_text = body.to_string();
            let short = check_body(&ours, body_text.as_bytes(), &mut tape, &mut checker, None);
            let verdict = check_body(
                &ours,
                body_text.as_bytes(),
                &mut tape,
                &mut checker,
                Some(&mut messages),
            );
            let want = if theirs.is_valid(&body) { Verdict::Valid } else { Verdict::Invalid };
            assert_eq!(verdict, want, "\n{text}\n{body_text}\n{messages}");
            assert_eq!(short, verdict, "{text}\n{body_text}");
            assert_eq!(messages.is_empty(), verdict.is_valid(), "{text}\n{body_text}\n{messages}");
            valid += usize::from(verdict.is_valid());
            judged += 1;
        }
    }
    // Neither kind is rare, or the comparison is worth little.
    assert!(valid * 10 > judged * 2 && valid * 10 < judged * 9, "{valid} of {judged} are valid");
}
