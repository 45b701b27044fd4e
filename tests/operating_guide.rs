//! `docs/operating.md`, command by command, against a real gateway: see [`support::guide`].

mod support;

use support::guide::{Reader, guide};

#[test]
fn the_guides_commands_do_what_they_say() {
    let said = Reader::new().works_through(&guide("operating.md"));
    // What was promised in between.
    for words in [
        "made of the document",
        r#"{"id": 1, "type": "dog""#,
        "(canary, 10%)",
        "for all requests; the canary has ended",
        "gets all requests",
        "stage variables stay as they are",
        "bytes, the store of http://",
        "restored and served: 1 API with 1 stage",
        "restored: other-data",
    ] {
        assert!(said.contains(words), "no {words:?} in:\n{said}");
    }
}

#[test]
fn every_subcommand_is_in_the_guide() {
    let guide = guide("operating.md");
    for name in [
        "deploy", "rollback", "history", "promote", "abort", "status", "backup", "restore", "serve",
    ] {
        assert!(guide.contains(&format!("`ringway {name}")), "ringway {name}");
        let help = support::Told::by(&[name, "--help"], &[]).fine();
        for flag in help.lines().filter_map(|line| line.trim_start().strip_prefix("--")) {
            let flag = flag.split([' ', '=']).next().unwrap_or_default();
            let elsewhere = name == "serve" || matches!(flag, "help" | "version");
            assert!(elsewhere || guide.contains(&format!("--{flag}")), "ringway {name} --{flag}");
        }
    }
}
