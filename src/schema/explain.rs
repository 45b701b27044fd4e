//! Why a body is refused, in the words and the order of the Java validator.
//!
//! It visits a value's own keywords first, by name, `format` last; only while nothing has been said
//! yet it goes on to what is inside: elements in order, members by name. So one refused member
//! does not hide its sisters, but it hides what is inside of them. What `allOf`, `anyOf`, `oneOf`
//! and `not` find is summed up in one sentence. Source: json-schema-validator 2.2, `InstanceValidator`,
//! `ValidatorBuilder`, `validation.properties`; the text of `required` is recorded from AWS.
//!
//! Strings are shown as they are, values as JSON, numbers as the body writes them, lists of names
//! sorted as Java sorts.

use std::cmp::Ordering;
use std::fmt::Write;

use crate::json::{Document, Key, Kind, NodeId, Value};
use crate::schema::check::{Checker, Exhausted, Outcome, Run, count, type_of};
use crate::schema::decimal::Candidate;
use crate::schema::messages::{EXHAUSTED, Messages};
use crate::schema::program::{
    ArrayRules, Bound, Dependency, FORBIDDEN, GeneralRules, NONE, NumberRules, ObjectRules,
    Program, StringRules, Types,
};
use crate::schema::{Verdict, limits};

/// Adds to `out` why `document` was refused.
pub(super) fn explain(
    program: &Program,
    checker: &mut Checker,
    document: &Document<'_, '_>,
    root: NodeId,
    fuel: usize,
    verdict: Verdict,
    out: &mut Messages,
) {
    let said = out.iter().count();
    let run = Run::new(program, checker, *document, fuel);
    let complete = Explainer { run, said, out: &mut *out }.visit(program.root, root).is_ok();
    // A body whose judgement was given up may have failed before that: its messages are enough.
    if !complete && (verdict == Verdict::Exhausted || out.iter().count() == said) {
        out.push(EXHAUSTED);
    }
}

struct Explainer<'a, 'out> {
    run: Run<'a>,
    out: &'out mut Messages,
    /// Messages that were there before.
    said: usize,
}

impl Explainer<'_, '_> {
    fn visit(&mut self, schema: u32, at: NodeId) -> Outcome {
        // What is forbidden altogether has been said by the container.
        if schema == NONE || schema == FORBIDDEN || self.out.is_full() {
            return Ok(());
        }
        self.run.fuel.spend(1)?;
        self.own_keywords(schema, at)?;
        if self.out.iter().count() > self.said {
            return Ok(());
        }
        self.children(schema, at)
    }

    /// `additionalItems` to `uniqueItems`, then `format`.
    fn own_keywords(&mut self, schema: u32, at: NodeId) -> Outcome {
        let program = self.run.program;
        let node = *self.run.node(schema);
        let value = self.run.document.value(at);
        let general = program.generals.get(node.general as usize);
        // Rules for other types do not apply, and the type is all that is said.
        let string = match value {
            Value::String(text) => {
                program.strings.get(node.string as usize).map(|rules| (rules, text))
            }
            _ => None,
        };
        let number = match value {
            Value::Whole(text) | Value::Decimal(text) => {
                program.numbers.get(node.number as usize).map(|rules| (rules, text))
            }
            _ => None,
        };
        let array = match value {
            Value::Array(len) => program.arrays.get(node.array as usize).map(|rules| (rules, len)),
            _ => None,
        };
        let object = match value {
            Value::Object(len) => {
                program.objects.get(node.object as usize).map(|rules| (rules, len))
            }
            _ => None,
        };

        if let Some((rules, len)) = array {
            self.additional_items(rules, len);
        }
        if let Some((rules, _)) = object {
            self.additional_properties(rules, at)?;
        }
        if let Some(rules) = general {
            self.all_of(rules, at)?;
            self.any_of(rules, at)?;
        }
        if let Some((rules, _)) = object {
            self.dependencies(rules, at)?;
        }
        if let Some(rules) = general {
            self.values(rules, at)?;
        }
        if let Some((rules, len)) = array {
            self.items_bounds(rules, len);
        }
        if let Some((rules, text)) = string {
            self.lengths(rules, text)?;
        }
        if let Some((rules, len)) = object {
            self.property_bounds(rules, len);
        }
        if let Some((rules, text)) = number {
            self.bounds(rules, text)?;
        }
        if let Some(rules) = general {
            self.not(rules, at)?;
            self.one_of(rules, at)?;
        }
        if let Some((StringRules { pattern: Some(pattern), .. }, text)) = string
            && !pattern.matches(text.as_bytes(), &mut self.run.fuel)?
        {
            let source = &pattern.source;
            self.say(|out| {
                write!(out, "ECMA 262 regex \"{source}\" does not match input string \"{text}\"")
            });
        }
        if let Some((rules, _)) = object {
            self.required(rules, at)?;
        }
        self.types(node.types, type_of(self.run.document.shape(at)));
        if let Some((ArrayRules { unique: true, .. }, len)) = array
            && !self.run.all_differ(at, len)?
        {
            self.say(|out| out.write_str("array must not contain duplicate elements"));
        }
        if let Some((StringRules { format: Some(format), .. }, text)) = string
            && !format.accepts(text)
        {
            self.say(|out| write!(out, "string \"{text}\" {}", format.complaint()));
        }
        Ok(())
    }

    fn say(&mut self, write: impl FnOnce(&mut String) -> std::fmt::Result) {
        self.out.write(|out| write(out).expect("a string takes whatever is written"));
    }

    fn types(&mut self, allowed: Types, found: Types) {
        if allowed.has(found) {
            return;
        }
        let found = found.names().next().unwrap_or_default();
        self.say(|out| {
            write!(
                out,
                "instance type ({found}) does not match any allowed primitive type (allowed: "
            )?;
            write_names(out, allowed.names());
            out.write_char(')')
        });
    }

    fn additional_items(&mut self, rules: &ArrayRules, len: usize) {
        let allowed = rules.tuple.len();
        if rules.rest == FORBIDDEN && len > allowed {
            self.say(|out| {
                write!(
                    out,
                    "schema only allows {allowed} elements in array but instance has {len} elements"
                )
            });
        }
    }

    fn items_bounds(&mut self, rules: &ArrayRules, len: usize) {
        let (min, max) = (rules.min, rules.max);
        if len > max as usize {
            self.say(|out| {
                write!(out, "array is too long: must have at most {max} elements but instance has {len} elements")
            });
        }
        if len < min as usize {
            self.say(|out| {
                write!(out, "array is too short: must have at least {min} elements but instance has {len} elements")
            });
        }
    }

    fn lengths(&mut self, rules: &StringRules, text: &str) -> Outcome {
        self.run.fuel.spend(text.len() / limits::STEP_BYTES)?;
        let len = count(text.as_bytes());
        let (min, max) = (rules.min, rules.max);
        if len > max as usize {
            self.say(|out| {
                write!(out, "string \"{text}\" is too long (length: {len}, maximum allowed: {max})")
            });
        }
        if len < min as usize {
            self.say(|out| {
                write!(
                    out,
                    "string \"{text}\" is too short (length: {len}, required minimum: {min})"
                )
            });
        }
        Ok(())
    }

    fn bounds(&mut self, rules: &NumberRules, text: &str) -> Outcome {
        self.run.fuel.spend(text.len())?;
        let number = Candidate::new(text);
        let order = |bound: &Bound| bound.value.compare(&number);
        if let Some(bound) = &rules.maximum {
            let value = bound.value.as_str();
            match order(bound) {
                Some(Ordering::Greater) => self.say(|out| {
                    write!(out, "numeric instance is greater than the required maximum (maximum: {value}, found: {text})")
                }),
                Some(Ordering::Equal) if bound.exclusive => self.say(|out| {
                    write!(out, "numeric instance is not strictly lower than the required maximum {value}")
                }),
                _ => {}
            }
        }
        if let Some(bound) = &rules.minimum {
            let value = bound.value.as_str();
            match order(bound) {
                Some(Ordering::Less) => self.say(|out| {
                    write!(out, "numeric instance is lower than the required minimum (minimum: {value}, found: {text})")
                }),
                Some(Ordering::Equal) if bound.exclusive => self.say(|out| {
                    write!(out, "numeric instance is not strictly greater than the required minimum {value}")
                }),
                _ => {}
            }
        }
        if let Some(divisor) = &rules.multiple_of
            && !divisor.divides(&number)
        {
            let divisor = divisor.as_str();
            self.say(|out| write!(out, "remainder of division is not zero ({text} / {divisor})"));
        }
        Ok(())
    }

    fn property_bounds(&mut self, rules: &ObjectRules, len: usize) {
        let (min, max) = (rules.min, rules.max);
        if len > max as usize {
            self.say(|out| {
                write!(
                    out,
                    "object has too many properties (found {len} but schema requires at most {max})"
                )
            });
        }
        if len < min as usize {
            self.say(|out| {
                write!(
                    out,
                    "object has too few properties (found {len} but schema requires at least {min})"
                )
            });
        }
    }

    fn required(&mut self, rules: &ObjectRules, at: NodeId) -> Outcome {
        let document = self.run.document;
        let mut missing = Vec::new();
        for name in rules.names.list.iter().filter(|name| name.required) {
            self.run.fuel.spend(1 + document.len(at) / limits::STEP_BYTES)?;
            if document.member_named(at, &name.text).is_none() {
                missing.push(&*name.text);
            }
        }
        if !missing.is_empty() {
            missing.sort_unstable_by(|a, b| java_order(a, b));
            self.say(|out| {
                out.push_str("object has missing required properties (");
                write_names(out, missing.into_iter());
                out.write_char(')')
            });
        }
        Ok(())
    }

    /// The schemas that apply to a member: what `properties` has, then every pattern that matches,
    /// or else what is left for the others.
    fn schemas_of(&mut self, rules: &ObjectRules, name: &str) -> Result<Vec<u32>, Exhausted> {
        let mut schemas = Vec::new();
        let found = rules.names.find(Key::hash_of(name.as_bytes()), name.as_bytes());
        schemas.extend(found.filter(|found| found.property).map(|found| found.schema));
        for (pattern, schema) in &rules.patterns {
            if pattern.matches(name.as_bytes(), &mut self.run.fuel)? {
                schemas.push(*schema);
            }
        }
        if schemas.is_empty() {
            schemas.push(rules.additional);
        }
        Ok(schemas)
    }

    fn additional_properties(&mut self, rules: &ObjectRules, at: NodeId) -> Outcome {
        if rules.additional != FORBIDDEN {
            return Ok(());
        }
        let mut unwanted = Vec::new();
        for (name, _) in self.run.document.members(at) {
            self.run.fuel.spend(1)?;
            if self.schemas_of(rules, name.as_str())?.contains(&FORBIDDEN) {
                unwanted.push(name.as_str());
            }
        }
        if !unwanted.is_empty() {
            unwanted.sort_unstable_by(|a, b| java_order(a, b));
            self.say(|out| {
                out.push_str(
                    "object instance has properties which are not allowed by the schema: ",
                );
                write_names(out, unwanted.into_iter());
                Ok(())
            });
        }
        Ok(())
    }

    fn dependencies(&mut self, rules: &ObjectRules, at: NodeId) -> Outcome {
        let document = self.run.document;
        let present = |dependency: &&Dependency| document.member(at, &dependency.name).is_some();
        for dependency in rules.dependencies.iter().filter(present) {
            self.run.fuel.spend(1 + dependency.required.len())?;
            let missing =
                || dependency.required.iter().filter(|&name| document.member(at, name).is_none());
            if missing().next().is_some() {
                self.say(|out| {
                    let name = dependency.name.as_str();
                    write!(out, "property \"{name}\" of object has missing property dependencies (schema requires ")?;
                    write_names(out, dependency.required.iter().map(|name| name.as_str()));
                    out.push_str("; missing: ");
                    write_names(out, missing().map(|name| name.as_str()));
                    out.write_char(')')
                });
            }
        }
        for dependency in rules.dependencies.iter().filter(present) {
            self.deeper(dependency.schema, at)?;
        }
        Ok(())
    }

    fn values(&mut self, rules: &GeneralRules, at: NodeId) -> Outcome {
        let Some(values) = &rules.values else { return Ok(()) };
        if self.run.is_listed(values, at)? {
            return Ok(());
        }
        let document = self.run.document;
        let listed = self.run.program.sources[values.source as usize].document();
        self.say(|out| {
            out.push_str("instance value (");
            write_value(out, &document, at);
            out.push_str(") not found in enum (possible values: ");
            write_value(out, &listed, values.list);
            out.write_char(')')
        });
        Ok(())
    }

    fn all_of(&mut self, rules: &GeneralRules, at: NodeId) -> Outcome {
        let all = rules.all_of.len();
        let matched = self.run.matching(&rules.all_of, at, usize::MAX)?;
        if matched < all {
            self.say(|out| {
                write!(out, "instance failed to match all required schemas (matched only {matched} out of {all})")
            });
        }
        Ok(())
    }

    fn any_of(&mut self, rules: &GeneralRules, at: NodeId) -> Outcome {
        let all = rules.any_of.len();
        if all > 0 && self.run.matching(&rules.any_of, at, 1)? == 0 {
            self.say(|out| {
                write!(out, "instance failed to match at least one required schema among {all}")
            });
        }
        Ok(())
    }

    fn one_of(&mut self, rules: &GeneralRules, at: NodeId) -> Outcome {
        let all = rules.one_of.len();
        if all == 0 {
            return Ok(());
        }
        let matched = self.run.matching(&rules.one_of, at, usize::MAX)?;
        if matched != 1 {
            self.say(|out| {
                write!(
                    out,
                    "instance failed to match exactly one schema (matched {matched} out of {all})"
                )
            });
        }
        Ok(())
    }

    fn not(&mut self, rules: &GeneralRules, at: NodeId) -> Outcome {
        if rules.not != NONE && self.run.accepts(rules.not, at)? {
            self.say(|out| out.write_str("instance matched a schema which it should not have"));
        }
        Ok(())
    }

    fn children(&mut self, schema: u32, at: NodeId) -> Outcome {
        let program = self.run.program;
        let node = *self.run.node(schema);
        let document = self.run.document;
        match document.kind(at) {
            Kind::Array => {
                let Some(rules) = program.arrays.get(node.array as usize) else { return Ok(()) };
                for (index, element) in document.elements(at).enumerate() {
                    let schema = rules.tuple.get(index).copied().unwrap_or(rules.rest);
                    self.deeper(schema, element)?;
                }
            }
            Kind::Object => {
                let Some(rules) = program.objects.get(node.object as usize) else { return Ok(()) };
                let mut members: Vec<_> =
                    document.members(at).map(|(name, value)| (name.as_str(), value)).collect();
                self.run.fuel.spend(members.len())?;
                members.sort_unstable_by(|(a, _), (b, _)| java_order(a, b));
                for (name, value) in members {
                    for schema in self.schemas_of(rules, name)? {
                        self.deeper(schema, value)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn deeper(&mut self, schema: u32, at: NodeId) -> Outcome {
        self.run.enter()?;
        let outcome = self.visit(schema, at);
        self.run.leave();
        outcome
    }
}

/// `String.compareTo`: by UTF-16 units.
fn java_order(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// Appends `["a","b"]`.
fn write_names<'n>(out: &mut String, names: impl Iterator<Item = &'n str>) {
    out.push('[');
    for (index, name) in names.enumerate() {
        out.push_str(if index > 0 { "," } else { "" });
        write_string(out, name);
    }
    out.push(']');
}

/// Appends a string as Jackson writes it. What will not be shown anyway is left out.
fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars().take(limits::MESSAGES_BYTES_MAX) {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{C}' => out.push_str("\\f"),
            '\0'..='\u{1F}' => {
                write!(out, "\\u{:04X}", u32::from(char))
                    .expect("a string takes whatever is written");
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}

/// Appends a value as compact JSON.
fn write_value(out: &mut String, document: &Document<'_, '_>, at: NodeId) {
    if out.len() >= 2 * limits::MESSAGES_BYTES_MAX {
        return;
    }
    match document.value(at) {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Whole(text) | Value::Decimal(text) => out.push_str(text),
        Value::String(text) => write_string(out, text),
        Value::Array(_) => {
            out.push('[');
            for (index, element) in document.elements(at).enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_value(out, document, element);
            }
            out.push(']');
        }
        Value::Object(_) => {
            out.push('{');
            for (index, (name, value)) in document.members(at).enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_string(out, name.as_str());
                out.push(':');
                write_value(out, document, value);
            }
            out.push('}');
        }
    }
}
