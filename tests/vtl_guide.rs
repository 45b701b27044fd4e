//! `docs/templates.md`, example by example, and the command `ringway vtl`.
//!
//! An example is a fenced block `vtl` and, directly behind it, blocks of what it gets (`json` or `body`,
//! `params`) and what comes of it (`output`, or `error`; `overrides`; `trace`). The newline before a
//! closing fence belongs to no block.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ringway::vtl::limits;
use serde_json::{Value, json};

use support::Folder;
use support::tools::ringway;

/// One example of the guide.
#[derive(Debug)]
struct Example {
    /// Line of the guide, for messages.
    line: usize,
    template: String,
    /// The blocks behind the template, by what their fences say.
    blocks: BTreeMap<String, String>,
}

impl Example {
    fn block(&self, name: &str) -> Option<&str> {
        self.blocks.get(name).map(String::as_str)
    }

    fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.block("params").unwrap_or_default().lines().map(|line| {
            line.split_once('=').unwrap_or_else(|| panic!("line {}: no '=' in {line}", self.line))
        })
    }

    /// As `ringway vtl --jsonl` reads it.
    fn case(&self) -> Value {
        let body = self.block("json").or_else(|| self.block("body")).unwrap_or_default();
        let mut aws = json!({
            "body": body,
            "params": {"path": {}, "querystring": {}, "header": {}},
            "stageVariables": {},
            "context": {},
        });
        for (name, value) in self.parameters() {
            let (place, name) = name.split_once('.').expect("PLACE.NAME");
            let (map, names) = match place {
                "path" | "querystring" | "header" => (&mut aws["params"][place], vec![name]),
                "stageVariables" => (&mut aws[place], vec![name]),
                "context" => (&mut aws[place], name.split('.').collect()),
                _ => panic!("line {}: nothing is called {place}", self.line),
            };
            *names.iter().fold(map, |map, name| &mut map[name]) = json!(value);
        }
        json!({"id": self.line.to_string(), "template": self.template, "aws": aws})
    }
}

fn guide() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/templates.md");
    fs::read_to_string(file).expect("the guide")
}

fn examples(guide: &str) -> Vec<Example> {
    const BEHIND: [&str; 7] = ["json", "body", "params", "output", "error", "overrides", "trace"];
    let mut examples: Vec<Example> = Vec::new();
    let mut open: Option<(usize, &str, Vec<&str>)> = None;
    let mut last_end = 0;
    for (line, text) in (1..).zip(guide.lines()) {
        let fence = text.strip_prefix("```");
        match (&mut open, fence) {
            (None, None) => {}
            (None, Some(kind)) => open = Some((line, kind, Vec::new())),
            (Some((_, _, lines)), None) => lines.push(text),
            (Some(_), Some(_)) => {
                let (begin, kind, lines) = open.take().expect("a block is open");
                let content = lines.join("\n");
                if kind == "vtl" {
                    let blocks = BTreeMap::new();
                    examples.push(Example { line: begin, template: content, blocks });
                } else if BEHIND.contains(&kind) {
                    assert_eq!(begin, last_end + 1, "line {begin}: not directly behind a block");
                    let example = examples.last_mut().expect("a template before it");
                    let before = example.blocks.insert(kind.to_owned(), content);
                    assert_eq!(before, None, "line {begin}: a second block {kind}");
                }
                last_end = line;
            }
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    examples
}

/// Renders all cases with one process.
fn render(cases: &str) -> Vec<Value> {
    let mut process = Command::new(env!("CARGO_BIN_EXE_ringway"))
        .args(["vtl", "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the ringway binary");
    let mut stdin = process.stdin.take().expect("a pipe");
    let input = cases.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = process.wait_with_output().expect("its output");
    writer.join().expect("no panic").expect("all is read");
    assert!(output.status.success(), "{}", output.status);
    let text = text(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn every_example_of_the_guide_is_true() {
    let examples = examples(&guide());
    assert!(examples.len() >= 40, "{} examples", examples.len());
    let cases: String = examples.iter().map(|it| format!("{}\n", it.case())).collect();
    let answers = render(&cases);
    assert_eq!(answers.len(), examples.len());
    for (example, answer) in examples.iter().zip(&answers) {
        let at = format!("docs/templates.md:{}", example.line);
        assert_eq!(answer["id"], json!(example.line.to_string()));
        match (example.block("output"), example.block("error")) {
            (Some(output), None) => assert_eq!(answer["output"], json!(output), "{at}: {answer}"),
            (None, Some(error)) => {
                let kind = answer["error"].as_str().unwrap_or_else(|| panic!("{at}: {answer}"));
                let message = answer["message"].as_str().expect("a message");
                assert_eq!(format!("{kind} error: t.vtl: {message}"), error, "{at}");
            }
            _ => panic!("{at}: an example shows either its output or its error"),
        }
        let overrides = example.block("overrides").map(|it| serde_json::from_str(it).expect(&at));
        assert_eq!(answer.get("overrides"), overrides.as_ref(), "{at}");
    }
}

#[test]
fn traces_in_the_guide_are_what_the_command_says() {
    let folder = Folder::new();
    let examples = examples(&guide());
    let traced = examples.iter().filter_map(|it| it.block("trace").map(|trace| (it, trace)));
    let mut count = 0;
    for (example, trace) in traced {
        let template = folder.write("t.vtl", &example.template).display().to_string();
        let parameters: Vec<String> =
            example.parameters().map(|(name, value)| format!("--param={name}={value}")).collect();
        let mut arguments = vec!["vtl", &template, "--trace"];
        arguments.extend(parameters.iter().map(String::as_str));
        let output = ringway(&arguments);
        assert_eq!(text(&output.stderr).trim_end(), trace, "docs/templates.md:{}", example.line);
        count += 1;
    }
    assert!(count > 0, "the guide shows no trace");
}

#[test]
fn bounds_in_the_guide_are_those_of_the_code() {
    let guide = guide();
    let bounds = &guide[guide.find("\n## Bounds").expect("a section on bounds")..];
    let row = |of: &str| {
        let row = bounds.lines().find(|line| line.starts_with(&format!("| {of} |")));
        let row = row.unwrap_or_else(|| panic!("no row about {of}"));
        // "5 000 000, within half a second": the number before the words.
        let value = row.split('|').nth(2).expect("a value").replace(' ', "");
        let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
        let unit = value[digits.len()..].get(..3).map_or(1, |unit| match unit {
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            _ => 1,
        });
        digits.parse::<u64>().unwrap_or_else(|_| panic!("no number in {row}")) * unit
    };
    for (of, value) in [
        ("a template", limits::TEMPLATE_BYTES_MAX as u64),
        ("blocks, expressions, strings within each other", limits::NESTING_MAX as u64),
        ("iterations of one `#foreach`", u64::from(limits::FOREACH_ITERATIONS_MAX)),
        ("macros within macros", u64::from(limits::MACRO_DEPTH_MAX)),
        ("a `#define` within itself", u64::from(limits::DEFINE_DEPTH_MAX)),
        (
            "`#evaluate`, blocks, strings, macros within each other",
            u64::from(limits::CALL_DEPTH_MAX),
        ),
        ("steps of one rendering", limits::FUEL),
        ("output", limits::OUTPUT_BYTES_MAX as u64),
        ("strings built by one rendering, together", limits::BUILT_BYTES_MAX as u64),
        ("elements of a list, range or map", limits::ELEMENTS_MAX as u64),
        ("a whole number", limits::BIG_BITS_MAX),
    ] {
        assert_eq!(row(of), value, "{of}");
    }
}

/// A folder with a template, and `ringway vtl` on it with more arguments; `FOLDER/` in them is the folder.
fn vtl(template: &str, files: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = Folder::new();
    for (name, content) in files {
        folder.write(name, content);
    }
    let template = folder.write("t.vtl", template).display().to_string();
    let place = format!("{}/", folder.file("").display().to_string().trim_end_matches('/'));
    let arguments: Vec<String> =
        arguments.iter().map(|argument| argument.replace("FOLDER/", &place)).collect();
    let mut all = vec!["vtl", &template];
    all.extend(arguments.iter().map(String::as_str));
    ringway(&all)
}

#[test]
fn flags_are_what_the_template_sees() {
    let body = r#"{"name": "Rex"}"#;
    let context =
        r#"{"stage": "dev", "identity": {"sourceIp": "192.0.2.1"}, "none": null, "n": 7}"#;
    let files = [("b.json", body), ("c.json", context)];
    for (template, arguments, want) in [
        (
            "$input.body $input.path('$.name')",
            &["--body", "FOLDER/b.json"][..],
            r#"{"name": "Rex"} Rex"#,
        ),
        ("$input.body", &[], "{}"),
        ("$input.params('id')", &["--param", "path.id=7"], "7"),
        ("$input.params().path.id", &["--param", "path.id=a=b"], "a=b"),
        (
            "$input.params().querystring",
            &["--param", "querystring.a=1", "--param", "query.b=2"],
            "{a=1, b=2}",
        ),
        ("$input.params().header", &["--param", "header.a=1", "--header", "B=2"], "{B=2, a=1}"),
        ("$input.params('Accept')", &["--header", "Accept: text/xml; q=1"], "text/xml; q=1"),
        ("$input.params().querystring", &["--query", "a=1", "--query", "b="], "{a=1, b=}"),
        ("$input.params('a')", &["--query", "a=q", "--header", "a=h", "--param", "path.a=p"], "p"),
        ("$stageVariables.env $stageVariables", &["--stage-var", "env=test"], "test {env=test}"),
        (
            "$context.stage $context.identity.sourceIp $context.n [$context.none] [$context.identity]",
            &["--context", "FOLDER/c.json"],
            "dev 192.0.2.1 7 [] []",
        ),
        ("$none", &[], ""),
        ("$none $input", &["--stock"], "$none $input"),
        (
            "$stage $n $none $identity",
            &["--stock", "--context", "FOLDER/c.json"],
            "dev 7 $none {sourceIp=192.0.2.1}",
        ),
    ] {
        let output = vtl(template, &files, arguments);
        let got = (output.status.code(), text(&output.stdout), text(&output.stderr));
        assert_eq!(got, (Some(0), want, ""), "{template} {arguments:?}");
    }
}

#[test]
fn a_template_may_come_from_standard_input() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_ringway"))
        .args(["vtl", "-", "--query", "a=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the ringway binary");
    process.stdin.take().expect("a pipe").write_all(b"a is $input.params('a')\n").expect("read");
    let output = process.wait_with_output().expect("its output");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "a is 1\n"));
}

#[test]
fn trace_goes_to_standard_error() {
    let template = "#set($a = 1)\n#if($a==2)\nx\n#else\na is $a\n#end\n$none\n";
    let output = vtl(template, &[], &["--trace"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "a is 1\n\n"));
    let trace = text(&output.stderr);
    for line in [
        "1:1: $a is set to \"1\"",
        "2:1: #if($a==2) is not taken",
        "5:6: $a = \"1\"",
        "7:1: $none = ",
    ] {
        assert!(trace.lines().any(|it| it.starts_with(line)), "no {line:?} in:\n{trace}");
    }
}

#[test]
fn disassembly_names_instructions_and_renders_nothing() {
    let output = vtl("Hello $context.requestId!", &[], &["--disassemble"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let said = text(&output.stdout);
    for part in ["main 0..", "@0", "Text \"Hello \"", "@6", "Context requestId", "Text \"!\""] {
        assert!(said.contains(part), "no {part:?} in:\n{said}");
    }
}

#[test]
fn overrides_are_told_beside_the_output() {
    let template = "#set($context.responseOverride.status = 404)#set($context.requestOverride.header.A = 'b')x";
    let want = json!({
        "requestOverride": {"header": {"A": "b"}, "path": {}, "querystring": {}},
        "responseOverride": {"header": {}, "status": 404},
    });
    let output = vtl(template, &[], &[]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "x"));
    let said = text(&output.stderr).strip_prefix("overrides: ").expect("overrides");
    assert_eq!(serde_json::from_str::<Value>(said).expect("JSON"), want);

    let output = vtl(template, &[], &["--json"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(said, json!({"output": "x", "overrides": want}));

    let said: Value = serde_json::from_slice(&vtl("x", &[], &["--json"]).stdout).expect("JSON");
    assert_eq!(said, json!({"output": "x"}), "nothing was overridden");
}

#[test]
fn errors_name_file_and_place_and_exit_with_1() {
    for (template, kind, place, excerpt) in [
        (
            "a\n  #if($x == )\n#end",
            "parse",
            "line 2, column 13: ",
            "  2 |   #if($x == )\n    |             ^\n",
        ),
        (
            "é $util.parseJson('[')",
            "runtime",
            "line 1, column 9: ",
            "  1 | é $util.parseJson('[')\n    |         ^\n",
        ),
    ] {
        let output = vtl(template, &[], &[]);
        let said = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(1), ""),
            "{template}: {said}"
        );
        let rest =
            said.strip_prefix(&format!("{kind} error: ")).unwrap_or_else(|| panic!("{said}"));
        let (file, rest) = rest.split_once(": ").expect("a file");
        assert!(file.ends_with("/t.vtl"), "{said}");
        assert!(rest.starts_with(place), "{place} in {said}");
        assert!(rest.ends_with(&format!("\n{excerpt}")), "{said}");

        let output = vtl(template, &[], &["--json"]);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), ""), "{template}");
        let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(said["error"], json!(kind));
        assert!(said["message"].as_str().is_some_and(|it| it.starts_with(place)), "{said}");
    }
}

#[test]
fn files_that_cannot_be_read_exit_with_1() {
    for (files, arguments, words) in [
        (&[][..], &["--body", "FOLDER/none.json"][..], "none.json: "),
        (&[], &["--context", "FOLDER/none.json"], "none.json: "),
        (
            &[("c.json", "[1]")],
            &["--context", "FOLDER/c.json"],
            "c.json: $context is a JSON object",
        ),
        (&[("c.json", "{")], &["--context", "FOLDER/c.json"], "c.json: "),
        (
            &[("c.json", "[1]")],
            &["--stock", "--context", "FOLDER/c.json"],
            "c.json: variables are a JSON object",
        ),
    ] {
        let output = vtl("x", files, arguments);
        let said = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(1), ""),
            "{arguments:?}: {said}"
        );
        assert!(said.starts_with("error: ") && said.contains(words), "{arguments:?}: {said}");
    }
    let output = ringway(&["vtl", "/nowhere/t.vtl"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error: /nowhere/t.vtl: "));
}

#[test]
fn wrong_usage_exits_with_2() {
    for (arguments, words) in [
        (&["vtl"][..], "TEMPLATE"),
        (&["vtl", "t.vtl", "--jsonl"], "cannot be used with"),
        (&["vtl", "t.vtl", "--nosuch"], "--nosuch"),
        (&["vtl", "t.vtl", "--body"], "--body"),
        (&["vtl", "t.vtl", "--param", "id=7"], "write path.id, querystring.id or header.id"),
        (&["vtl", "t.vtl", "--param", "body.id=7"], "does not say where it is"),
        (&["vtl", "t.vtl", "--param", "path.id"], "write NAME=VALUE"),
        (&["vtl", "t.vtl", "--query", "=1"], "write NAME=VALUE"),
        (&["vtl", "t.vtl", "--stage-var", "x"], "write NAME=VALUE"),
        (&["vtl", "t.vtl", "--header", "Accept"], "write NAME=VALUE or 'NAME: VALUE'"),
    ] {
        let output = ringway(arguments);
        let said = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(2), ""),
            "{arguments:?}: {said}"
        );
        assert!(said.contains(words), "{arguments:?}: no {words:?} in {said}");
    }
}

#[test]
fn json_lines_answer_in_order_and_survive_what_is_no_case() {
    let answers = render(
        "{\"id\": \"1\", \"template\": \"$x\", \"context\": {\"x\": 1}}\n\
         \n\
         nonsense\n\
         {\"id\": \"2\"}\n\
         {\"id\": \"3\", \"template\": \"[$x]\", \"context\": {}, \"undefined\": \"empty\"}\n\
         {\"id\": \"4\", \"template\": \"#if(\", \"aws\": {}}\n\
         {\"id\": \"5\", \"template\": \"$util.parseJson('{')\", \"aws\": {}}\n\
         {\"id\": \"6\", \"template\": \"$x\", \"context\": {}}\n",
    );
    let brief: Vec<(&Value, &Value)> = answers
        .iter()
        .map(|it| (&it["id"], it.get("output").or(it.get("error")).expect("either")))
        .collect();
    let want = [
        (json!("1"), json!("1")),
        (json!(null), json!("case")),
        (json!(null), json!("case")),
        (json!("3"), json!("[]")),
        (json!("4"), json!("parse")),
        (json!("5"), json!("runtime")),
        (json!("6"), json!("$x")),
    ];
    assert_eq!(brief, want.iter().map(|(id, it)| (id, it)).collect::<Vec<_>>());
}
