//! The corpus of templates with the output of the real Velocity 1.7, through `ringway vtl --jsonl`.
//!
//! `tests/data/vtl/corpus` has the files that were written for Ringway; `../shared/vtl-corpus`, where it
//! stands beside the checkout, has more. `tests/data/vtl/differences.tsv` lists every case that differs,
//! with its reason: a new difference fails, and so does one that is gone. `differs` cases of the tier
//! `unsure` hang on choices that no public recording settles; they count like the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Renders all cases with one process.
fn render(cases: &str) -> BTreeMap<String, Value> {
    let mut process = Command::new(env!("CARGO_BIN_EXE_ringway"))
        .args(["vtl", "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = cases.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\n')
        .map(|line| {
            let answer: Value = serde_json::from_str(line).unwrap();
            (answer["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(), answer)
        })
        .collect()
}

/// Whether an answer is what the case wants. Error messages are ours.
fn is_right(case: &Value, answer: &Value) -> bool {
    match case.get("error") {
        Some(kind) => answer.get("error") == Some(kind),
        None => {
            answer.get("output") == case.get("expected")
                && answer.get("overrides") == case.get("overrides")
        }
    }
}

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = ["vtl", "aws", "empty"]
        .map(|name| root.join(format!("tests/data/vtl/corpus/{name}.jsonl")));
    let shared =
        ["upstream", "fuzz"].map(|name| root.join(format!("../shared/vtl-corpus/{name}.jsonl")));
    own.into_iter().chain(shared.into_iter().filter(|file| file.exists())).collect()
}

fn known_differences() -> BTreeMap<String, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vtl/differences.tsv");
    fs::read_to_string(file)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let (id, reason) = line.split_once('\t').unwrap_or_else(|| panic!("no reason: {line}"));
            (id.to_owned(), reason.to_owned())
        })
        .collect()
}

#[test]
fn every_template_renders_as_velocity_renders_it() {
    let known = known_differences();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files() {
        let text = fs::read_to_string(&file).unwrap();
        let answers = render(&text);
        let mut tiers: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        for line in text.split_terminator('\n') {
            let case: Value = serde_json::from_str(line).unwrap();
            let id = case["id"].as_str().unwrap();
            let right = is_right(&case, &answers[id]);
            let (good, all) = tiers.entry(case["tier"].as_str().unwrap().to_owned()).or_default();
            *good += u32::from(right);
            *all += 1;
            seen.insert(id.to_owned());
            if right == known.contains_key(id) {
                wrong.push(format!(
                    "{id}: {}\n  template {:?}\n  want     {}\n  got      {}",
                    if right { "is right, and listed as different" } else { "differs" },
                    case["template"].as_str().unwrap(),
                    case.get("expected").or(case.get("error")).unwrap(),
                    answers[id],
                ));
            }
        }
        let name = file.file_name().unwrap().to_string_lossy();
        for (tier, (good, all)) in tiers {
            println!("{name:16} {tier:8} {good} of {all}");
            let least = if matches!(tier.as_str(), "core" | "unsure") { 1.0 } else { 0.98 };
            assert!(f64::from(good) >= least * f64::from(all), "{name} {tier}: {good} of {all}");
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen.len() >= 1_300, "the corpus is there");
}

#[test]
fn in_plain_velocity_the_names_of_a_request_are_variables_like_others() {
    let case = serde_json::json!({
        "id": "names",
        "template": "$context.stage $input.path('$.a') $util.length() $stageVariables.v",
        "context": {"context": {"stage": "S"}, "input": "I", "util": "four", "stageVariables": {"v": 1}},
    });
    let answers = render(&format!("{case}\n"));
    assert_eq!(answers["names"]["output"], "S $input.path('$.a') 4 1");
    let case = serde_json::json!({
        "id": "none", "undefined": "empty", "context": {},
        "template": "[$input.json('$')] [$util.escapeJavaScript('x')] [$context.stage] [$stageVariables.v]",
    });
    let answers = render(&format!("{case}\n"));
    assert_eq!(answers["none"]["output"], "[] [] [] []");
}

#[test]
fn a_line_that_is_no_case_is_answered_and_the_next_one_rendered() {
    let input = "no json\n{\"id\":\"a\"}\n[]\n\n{\"id\":\"b\",\"template\":\"x$y\",\"context\":{\"y\":1}}\n";
    let mut process = Command::new(env!("CARGO_BIN_EXE_ringway"))
        .args(["vtl", "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    for line in &lines[..3] {
        assert_eq!(line["error"], "case", "{line}");
        assert!(line["message"].as_str().is_some_and(|message| !message.is_empty()), "{line}");
    }
    assert_eq!(lines[3], serde_json::json!({"id": "b", "output": "x1"}));
}
