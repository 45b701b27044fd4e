//! Many cases, one JSON object a line: the contract for checking the engine from outside.
//!
//! In: `{"id", "template", "context" | "aws", "undefined"?}`, the corpus's format. Out, in the same
//! order: `{"id", "output"[, "overrides"]}` or `{"id", "error": "parse"|"runtime", "message"}`. A line
//! that is no case gets `{"id": null, "error": "case", "message"}`.

use std::io::{BufRead, Write};

use serde_json::{Map, Value, json};

use super::case::Case;
use super::{Failure, overrides_json, settings};
use crate::json::{Document, NodeId, Tape};
use crate::vtl::{self, Overrides, Scratch, Undefined};

pub(super) fn run() -> Result<(), Failure> {
    let stdin = std::io::stdin().lock();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut scratch = Scratch::default();
    let mut tape = Tape::new();
    for line in stdin.lines() {
        let answer = match line {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => answer(&line, &mut tape, &mut scratch),
            Err(error) => not_a_case(&error.to_string()),
        };
        // A reader that went away is no failure.
        if writeln!(out, "{answer}").is_err() {
            return Ok(());
        }
    }
    let _ = out.flush();
    Ok(())
}

fn not_a_case(message: &str) -> Value {
    json!({ "id": null, "error": "case", "message": message })
}

fn answer(line: &str, tape: &mut Tape, scratch: &mut Scratch) -> Value {
    let root = match tape.parse(line) {
        Ok(root) => root,
        Err(error) => return not_a_case(&error.to_string()),
    };
    let document = tape.document(line);
    let text = |name: &str| text_of(&document, root, name);
    let Some(template) = text("template") else { return not_a_case("it has no template") };
    let case = match Case::of_corpus(&document, root) {
        Ok(case) => case,
        Err(error) => return not_a_case(&error),
    };
    let is_aws = document.member_named(root, "aws").is_some();
    let undefined = match text("undefined") {
        Some("empty") => Undefined::Empty,
        Some(_) => Undefined::Literal,
        None if is_aws => Undefined::Empty,
        None => Undefined::Literal,
    };
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(text("id")));
    let compiled = if is_aws {
        vtl::compile(template, undefined)
    } else {
        vtl::compile_stock(template, undefined)
    };
    let (kind, message) = match compiled {
        Err(error) => ("parse", error.explain(template)),
        Ok(program) => {
            let mut overrides = Overrides::default();
            let mut output = String::new();
            let case = &case;
            let settings = settings(!is_aws);
            match program.render(&case, scratch, settings, &mut overrides, &mut output) {
                Ok(()) => {
                    object.insert("output".to_owned(), json!(output));
                    if let Some(overrides) = overrides_json(&overrides) {
                        object.insert("overrides".to_owned(), overrides);
                    }
                    return Value::Object(object);
                }
                Err(error) => ("runtime", error.explain(template)),
            }
        }
    };
    object.insert("error".to_owned(), json!(kind));
    object.insert("message".to_owned(), json!(message));
    Value::Object(object)
}

fn text_of<'a>(document: &Document<'a, 'a>, object: NodeId, name: &str) -> Option<&'a str> {
    let node = document.member_named(object, name)?;
    document.string(node).map(|text| text.as_str())
}
