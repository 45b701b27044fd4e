//! `ringway check` over the definitions in `tests/data/openapi`, against the `.findings` beside each.
//!
//! A new case is a new file; `BLESS=1 cargo test --test check_goldens` writes what is found, to be
//! read before it is committed. The examples are what a reader starts from: nothing is to be said
//! about them, and they compile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ringway::control::publish::Publisher;
use ringway::deploy::StageSettings;
use ringway::time::Nanos;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "json" || it == "yaml"));
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn check_says_what_the_goldens_say() {
    for file in files("tests/data/openapi") {
        let name = file.file_name().unwrap().to_str().unwrap();
        let check = Command::new(env!("CARGO_BIN_EXE_ringway"))
            .arg("check")
            .arg(name)
            .current_dir(file.parent().unwrap())
            .output()
            .unwrap();
        let found = String::from_utf8(check.stdout).unwrap();
        let golden = file.with_file_name(format!("{name}.findings"));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&golden, &found).unwrap();
        }
        let want = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(found, want, "{name}: {}", String::from_utf8_lossy(&check.stderr));
        let errors = found.lines().any(|line| line.contains(": error"));
        assert_eq!(check.status.code(), Some(i32::from(errors)), "{name}");
    }
}

#[test]
fn nothing_is_to_be_said_about_the_examples() {
    for file in files("docs/examples") {
        let backends = [("shop", "127.0.0.1:9001"), ("prices", "127.0.0.1:9002")];
        let settings = StageSettings {
            stage: "dev".to_owned(),
            variables: backends.map(|(name, place)| (name.to_owned(), place.to_owned())).into(),
            ..StageSettings::default()
        };
        let publisher = Publisher::new(settings, Arc::default(), Arc::default());
        let text = fs::read(&file).unwrap();
        match publisher.prepare(&text, Nanos::default()) {
            Ok(mut prepared) => {
                // What only `ringway run` minds.
                prepared.findings.retain(|it| it.help != ringway::openapi::NO_KEYS_IN_RUN);
                assert_eq!(prepared.findings, [], "{file:?}");
                assert!(!prepared.stage.methods.is_empty(), "{file:?}");
            }
            Err(findings) => panic!("{file:?}: {findings:#?}"),
        }
    }
}
