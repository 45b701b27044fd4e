//! `ringway check` and the other commands that end: what they say, where, and their exit status.

mod support;

use serde_json::{Value, json};

use support::tools::{check, ringway};
use support::{Definition, Folder};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

const YAML: &str = "openapi: 3.0.1
info: {title: t, version: '1'}
paths:
  /pets:
    get:
      responses:
        '200': {description: ok}
      x-amazon-apigateway-integration:
        type: http
        httpMethod: GET
  /cats/{id}:
    get:
      responses:
        '200': {description: ok}
";

#[test]
fn errors_have_line_pointer_and_exit_status_1() {
    let folder = Folder::new();
    let file = folder.write("api.yaml", YAML);
    let output = check(&file, &[]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let integration = "/paths/~1pets/get/x-amazon-apigateway-integration";
    let errors: Vec<&str> = said.lines().filter(|line| line.contains(": error")).collect();
    let place = format!("{}:", file.display());
    let pets = errors.iter().find(|line| line.contains(integration));
    let pets = pets.unwrap_or_else(|| panic!("nothing about {integration} in:\n{said}"));
    assert!(pets.starts_with(&place), "{pets}");
    let line: u32 =
        pets[place.len()..].split(':').next().and_then(|n| n.parse().ok()).expect("a line");
    assert!((8..=10).contains(&line), "{pets}");
    assert!(errors.iter().any(|line| line.contains("/paths/~1cats~1{id}/get")), "{said}");
    assert!(said.contains("help: "), "{said}");
    assert!(said.trim_end().ends_with("errors"), "a summary: {said}");
}

#[test]
fn findings_as_json_are_read_by_programs() {
    let folder = Folder::new();
    let file = folder.write("api.yaml", YAML);
    let output = check(&file, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).expect("an array");
    assert!(!findings.is_empty());
    for finding in &findings {
        assert_eq!(finding["file"], json!(file.display().to_string()), "{finding}");
        assert!(finding["line"].is_u64() && finding["column"].is_u64(), "{finding}");
        assert!(
            finding["message"].as_str().is_some_and(|message| !message.is_empty()),
            "{finding}"
        );
        let known = ["error", "warning", "not carried out"];
        assert!(
            finding["severity"].as_str().is_some_and(|word| known.contains(&word)),
            "{finding}"
        );
    }
}

#[test]
fn a_good_definition_has_exit_status_0() {
    let folder = Folder::new();
    let file = folder.write("api.json", &Definition::new().mock("GET", "/a", 200, "{}").text());
    let output = check(&file, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("nothing to complain about"));
    let output = check(&file, &["--json"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "[]\n"));
}

/// A method that answers `{}`, with more keys of its operation.
fn mock_operation(more: Value) -> Value {
    let mut operation = json!({
        "responses": {"200": {"description": "ok"}},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
            "responses": {"default": {"statusCode": "200"}},
        },
    });
    for (key, value) in more.as_object().expect("an object") {
        operation[key] = value.clone();
    }
    operation
}

#[test]
fn what_is_not_carried_out_yet_is_told_and_is_no_error() {
    let folder = Folder::new();
    let policy = json!("TLS_1_2");
    let api = Definition::new()
        .operation("GET", "/a", mock_operation(json!({})))
        .with("x-amazon-apigateway-security-policy", policy)
        .with("x-of-somebody-else", json!({"a": 1}));
    let file = folder.write("api.json", &api.text());
    let output = check(&file, &["--json"]);
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).expect("an array");
    assert_eq!(output.status.code(), Some(0), "{findings:#?}");
    for (pointer, severity) in [
        ("/x-amazon-apigateway-security-policy", "not carried out"),
        ("/x-of-somebody-else", "warning"),
    ] {
        let about = findings.iter().find(|finding| finding["pointer"] == pointer);
        let about = about.unwrap_or_else(|| panic!("nothing about {pointer}: {findings:#?}"));
        assert_eq!(about["severity"], severity, "{about}");
        assert!(about["help"].as_str().is_some_and(|help| !help.is_empty()), "{about}");
    }
}

#[test]
fn a_protection_that_would_not_be_enforced_is_an_error() {
    let folder = Folder::new();
    let iam = json!({"x-amazon-apigateway-auth": {"type": "AWS_IAM"}});
    let api = Definition::new().operation("GET", "/a", mock_operation(iam));
    let file = folder.write("api.json", &api.text());
    let output = check(&file, &[]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error at /paths/~1a/get/x-amazon-apigateway-auth"), "{said}");
}

#[test]
fn a_method_that_asks_for_a_key_is_closed_where_there_are_none() {
    let folder = Folder::new();
    let key = json!({"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}});
    let api = Definition::new()
        .operation("GET", "/a", mock_operation(json!({"security": [{"key": []}]})))
        .with("components", json!({"securitySchemes": key}));
    let file = folder.write("api.json", &api.text());
    let output = check(&file, &[]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("warning at /paths/~1a/get/security/0/key"), "{said}");
}

#[test]
fn templates_that_do_not_compile_are_errors_with_their_line_and_a_caret() {
    let folder = Folder::new();
    for (template, status) in
        [("{\"id\": \"$input.params('id')\"}", 0), ("{\"id\":\n  \"$input.params('id\"}", 1)]
    {
        let api = Definition::new().mock("GET", "/a", 200, template);
        let file = folder.write("api.json", &api.text());
        let output = check(&file, &[]);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(status), "{said}");
        for words in ["/responseTemplates/application~1json: ", "line 2, column ", "\n      2 | "] {
            assert_eq!(said.contains(words), status == 1, "{words:?} in {said}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let folder = Folder::new();
    let output = check(&folder.file("missing.yaml"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("missing.yaml"), "{}", text(&output.stdout));
    for broken in ["{", "openapi: [", "\u{0}", "just text", "[]", "openapi: 2.0.0\n"] {
        let output = check(&folder.write("broken.yaml", broken), &[]);
        assert_eq!(output.status.code(), Some(1), "{broken:?}: {}", text(&output.stdout));
        assert!(text(&output.stdout).contains("error"), "{broken:?}: {}", text(&output.stdout));
    }
}

#[test]
fn run_refuses_what_check_refuses() {
    let folder = Folder::new();
    let file = folder.write("api.yaml", YAML).display().to_string();
    let output = ringway(&["run", &file, "--listen", "127.0.0.1:0", "--admin", "off"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("/paths/~1pets/get") && said.contains("cannot be served"), "{said}");
}

#[test]
fn wrong_usage_has_exit_status_2() {
    for arguments in [
        &["run"][..],
        &["run", "a.yaml", "--shards", "0"],
        &["run", "a.yaml", "--limit", "paylaod=1"],
        &["run", "a.yaml", "--listen", "8080"],
        &["run", "a.yaml", "--account-throttle", "x"],
        &["run", "a.yaml", "--access-log-format", "nonsense"],
        &["fly"],
    ] {
        let output = ringway(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(ringway(&["--version"]).status.code(), Some(0));
    assert_eq!(ringway(&["run", "--help"]).status.code(), Some(0));
}

#[test]
fn an_address_that_is_taken_is_explained() {
    let folder = Folder::new();
    let api = Definition::new().mock("GET", "/a", 200, "{}").text();
    let file = folder.write("api.json", &api).display().to_string();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = listener.local_addr().expect("a bound socket").to_string();
    let output = ringway(&["run", &file, "--listen", &taken, "--admin", "off"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains(&taken) && said.contains("another process"), "{said}");
}

#[test]
fn every_limit_is_listed_with_value_meaning_and_source() {
    let output = ringway(&["limits", "--limit", "payload=off", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let limits: Vec<Value> = serde_json::from_slice(&output.stdout).expect("an array");
    let value = |name: &str| {
        let row = limits.iter().find(|row| row["name"] == name);
        row.map(|row| row["value"].clone()).unwrap_or_else(|| panic!("no limit {name}"))
    };
    assert_eq!(value("payload"), json!("off"));
    assert_eq!(value("integration-timeout"), json!("29s"));
    for row in &limits {
        for key in ["meaning", "source"] {
            assert!(row[key].as_str().is_some_and(|words| !words.is_empty()), "{row}");
        }
    }
    let output = ringway(&["limits"]);
    let table = text(&output.stdout);
    assert!(table.contains("10485760") && table.contains("API Gateway quota"), "{table}");
}

#[test]
fn the_configuration_is_printed_and_what_is_wrong_in_it_is_told() {
    let folder = Folder::new();
    let good = folder.write(
        "good.toml",
        "[admin]\naccess_keys = [{ id = \"test\", secret = \"wJalrXUtn\" }]\n[limits]\nurl = \"off\"\n",
    );
    let good = good.display().to_string();
    let output = ringway(&["config", "--config", &good, "--shards", "2"]);
    let said = text(&output.stdout);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    assert!(said.contains("secret = \"****\"") && !said.contains("wJalr"), "{said}");
    assert!(said.contains(&format!("# {good}:4:1\n")) && said.contains("# --shards\n"), "{said}");

    let output = ringway(&["config", "--config", &good, "--json", "--listen", "[::1]:0"]);
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("an array");
    let listen = rows.iter().find(|row| row["key"] == "server.listen").expect("a key");
    assert_eq!((&listen["value"], &listen["origin"]), (&json!(["[::1]:0"]), &json!("flag")));

    let bad = folder.write("bad.toml", "[admin]\nlisten = \"0.0.0.0:1\"\nauth = \"none\"\n");
    let bad = bad.display().to_string();
    let output = ringway(&["config", "--config", &bad]);
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    assert!(
        said.starts_with(&format!("{bad}:3:1: admin.auth = \"none\" lets everybody")),
        "{said}"
    );
}

#[test]
fn the_examples_are_served() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
    let mut count = 0;
    for entry in std::fs::read_dir(examples).expect("docs/examples") {
        let file = entry.expect("an entry").path();
        // Beside definitions there is a unit of systemd.
        if file.extension().is_none_or(|it| it != "yaml" && it != "json") {
            continue;
        }
        let output = check(&file, &[]);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{}: {said}", file.display());
        count += 1;
    }
    assert!(count >= 3, "there are {count} examples");
}
