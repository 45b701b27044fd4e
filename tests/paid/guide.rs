//! `docs/usage-plans.md`, command by command.

use super::support::Told;
use super::support::guide::{Reader, guide};

#[test]
fn the_guides_commands_do_what_they_say() {
    let said = Reader::new().works_through(&guide("usage-plans.md"));
    // What was promised in between.
    for words in [
        "without a key: 403",
        "with a key: 200",
        "bad order: 400",
        "throttled: 429",
        "quota used up: 429 {\"message\":\"Limit Exceeded\"}",
        "2 requests left",
        "imported: 2 keys",
        "disabled: 403",
        "sold by boto3: 200 200 429",
        "sold by aws-cli: 200",
        "ringway_usage_plan_requests_total{plan=",
    ] {
        assert!(said.contains(words), "no {words:?} in:\n{said}");
    }
}

#[test]
fn every_subcommand_and_flag_is_in_the_guide() {
    let guide = guide("usage-plans.md");
    for (group, names) in [
        ("keys", &["create", "import", "list", "enable", "disable", "delete", "export"][..]),
        (
            "plans",
            &[
                "create",
                "list",
                "show",
                "change",
                "add-stage",
                "remove-stage",
                "add-key",
                "remove-key",
                "limit",
                "delete",
            ],
        ),
        ("usage", &["", "grant"]),
    ] {
        for name in names {
            let words = format!("ringway {group} {name}");
            assert!(guide.contains(&format!("`{}", words.trim_end())), "{words}");
            let mut words = vec![group, name, "--help"];
            words.retain(|word| !word.is_empty());
            let help = Told::by(&words, &[]).fine();
            // Those of every client are in docs/operating.md.
            let own = help.split("\nGateway:").next().unwrap_or_default();
            for flag in own.lines().filter_map(|line| line.trim_start().strip_prefix("--")) {
                let flag = flag.split([' ', '=']).next().unwrap_or_default();
                let is_own = !matches!(flag, "help" | "version" | "json");
                assert!(!is_own || guide.contains(&format!("--{flag}")), "{words:?} --{flag}");
            }
        }
    }
}
