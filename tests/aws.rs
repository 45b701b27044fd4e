//! AWS's own tools against `ringway serve`: boto3, the aws-cli, the JS SDK, the calls of Terraform's
//! provider, and every command of `docs/aws-tools.md`. The scenarios are in `tests/aws`, in the tools'
//! languages; `tests/run` installs the tools there.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::serve::without_settings;
use support::{ServeOptions, Serving};

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws")
}

/// Where pip has put what `requirements.txt` names.
fn python_tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.venv/bin")
}

/// One that takes the access key `test` with the secret `test`.
fn serving() -> Serving {
    ServeOptions::new().variable("RINGWAY_ADMIN_ACCESS_KEYS", "test:test").start()
}

/// Runs a program that talks to `serve`, in its folder; gives all that it printed.
///
/// # Panics
/// If it fails.
fn runs(serve: &Serving, words: &[&str]) -> String {
    for needed in [python_tools().join("aws"), scripts().join("js/node_modules")] {
        assert!(needed.exists(), "{} is missing: tests/run installs it", needed.display());
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let output = without_settings(Command::new(words[0]))
        .args(&words[1..])
        .current_dir(serve.folder.file("."))
        .env("PATH", format!("{}:{path}", python_tools().display()))
        .env("PYTHONPATH", scripts())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("AWS_ENDPOINT_URL_API_GATEWAY", &serve.url)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_CONFIG_FILE", "none")
        .env("AWS_SHARED_CREDENTIALS_FILE", "none")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_PAGER", "")
        .env("RINGWAY_ADMIN", &serve.url)
        .env("RINGWAY_STORE", &serve.store)
        .env("RINGWAY_URL", format!("http://{}", serve.address))
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error} (tests/run installs it)", words[0]));
    let said = [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
    let said = said.join("\n");
    assert!(output.status.success(), "{words:?}: {}\n{said}", output.status);
    said
}

/// Runs a file of `tests/aws`.
fn script(serve: &Serving, program: &str, file: &str) -> String {
    let file = scripts().join(file);
    runs(serve, &[program, file.to_str().expect("a UTF-8 path")])
}

/// A test for each module of boto3's scenarios.
macro_rules! scenarios {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            let serve = serving();
            let said = runs(&serve, &["python3", "-m", "unittest", stringify!($name)]);
            let fine = said.trim_end().ends_with("OK") && !said.contains("Ran 0 tests");
            assert!(fine, "{said}");
        })*

        /// All of them.
        const SCENARIOS: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios! {
    account
    api_keys
    authorizers
    client_certificates
    deployments
    documentation
    documents
    domain_names
    gateway_responses
    integrations
    methods
    models
    paid
    request_validators
    resources
    rest_apis
    security
    tags
    terraform
    test_invoke
    usage_plans
    vpc_links
    wire
}

#[test]
fn every_file_with_scenarios_is_run() {
    let others = ["page", "support", "walk"];
    let mut files: Vec<String> = std::fs::read_dir(scripts())
        .expect("tests/aws")
        .filter_map(|entry| {
            let name = entry.expect("an entry").file_name().into_string().expect("a UTF-8 name");
            name.strip_suffix(".py").map(str::to_owned)
        })
        .filter(|name| !others.contains(&name.as_str()))
        .collect();
    files.sort();
    assert_eq!(files, SCENARIOS);
}

/// And `docs/compatibility.md` has what came of it.
#[test]
fn every_operation_of_botocores_model_answers_as_it_says() {
    let file = scripts().join("walk.py").display().to_string();
    let mut words = vec!["python3", &file];
    if std::env::var_os("BLESS").is_some() {
        words.push("--write");
    }
    let said = runs(&serving(), &words);
    assert!(said.contains("124 operations: "), "{said}");
}

#[test]
fn the_aws_cli_deploys_rolls_back_promotes_and_exports() {
    let said = script(&serving(), "bash", "cli.sh");
    assert!(said.contains("the aws-cli's flow went through"), "{said}");
}

#[test]
fn the_js_sdk_deploys_patches_exports_and_pages() {
    let said = script(&serving(), "node", "js/flow.mjs");
    assert!(said.contains("the JS SDK's flow went through"), "{said}");
}

/// With a key of the gateway's own making, as the page starts it.
#[test]
fn everything_in_the_page_about_awss_tools_works() {
    let said = script(&ServeOptions::new().start(), "python3", "page.py");
    assert!(said.contains("blocks went through"), "{said}");
}
