//! `docs/operating.md`, command by command, against a real gateway.
//!
//! A block `sh` is run by bash as it stands, in a folder that has the repository's `docs`; variables stay
//! for the blocks behind it. A block `sh serve` is a command that goes on: it is started, and its
//! addresses, which the guide prints as the defaults, are free ones instead. `sh root` is for an
//! administrator, and only read by bash.

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Output as Ended, Stdio};

use support::Folder;
use support::gateway::Output;
use support::serve::without_settings;

/// A block of commands.
#[derive(Debug)]
struct Block {
    /// Line of the guide, for messages.
    line: usize,
    /// What its fence says behind `sh`.
    kind: String,
    text: String,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, String)> = None;
    for (line, text) in (1..).zip(guide.lines()) {
        match (&mut open, text.strip_prefix("```")) {
            (None, None) => {}
            (None, Some(language)) => open = Some((line, language, String::new())),
            (Some((_, _, lines)), None) => {
                lines.push_str(text);
                lines.push('\n');
            }
            (Some(_), Some(_)) => {
                let (line, language, text) = open.take().expect("a block is open");
                if let Some(kind) = language.strip_prefix("sh") {
                    blocks.push(Block { line, kind: kind.trim().to_owned(), text });
                }
            }
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

/// The folder of someone who works through the guide.
struct Reader {
    folder: Folder,
    gateway: Option<Child>,
    admin_url: String,
}

impl Reader {
    fn new() -> Self {
        let folder = Folder::new();
        symlink(repository().join("docs"), folder.file("docs")).expect("a link");
        Self { folder, gateway: None, admin_url: String::new() }
    }

    fn bash(&self, arguments: &[&str]) -> Command {
        let bin = Path::new(env!("CARGO_BIN_EXE_ringway")).parent().expect("a directory");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut bash = without_settings(Command::new("bash"));
        bash.args(arguments)
            .current_dir(self.folder.file("."))
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("no_proxy", "*")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        bash
    }

    /// Starts a command that goes on, and waits until it listens.
    fn starts(&mut self, block: &Block) {
        // Bash becomes it, so that it ends with the test.
        let mut child = self
            .bash(&["-c", &format!("exec {}", block.text)])
            .env("RINGWAY_SERVER_LISTEN", "127.0.0.1:0")
            .env("RINGWAY_SERVER_SHARDS", "1")
            .env("RINGWAY_ADMIN_LISTEN", "127.0.0.1:0")
            .spawn()
            .expect("bash");
        let stdout = Output::read(child.stdout.take().expect("it is piped"));
        let stderr = Output::read(child.stderr.take().expect("it is piped"));
        let previous = self.gateway.replace(child);
        assert!(previous.is_none(), "line {}: a second gateway", block.line);
        let admin = stdout.find(0, "admin on ").unwrap_or_else(|| {
            panic!("line {}: it did not start:\n{}\n{}", block.line, stdout.text(), stderr.text())
        });
        stdout.find(0, "listening on ").expect("it listens");
        self.admin_url = admin.trim_start_matches("admin on ").to_owned();
    }

    /// Runs a block with the variables of those before it.
    fn runs(&self, block: &Block) -> Ended {
        let script = format!(
            "set -euo pipefail\nif [ -f .variables ]; then . ./.variables; fi\nset -a\n{}\
             set +a\nexport -p > .variables\n",
            block.text
        );
        self.bash(&["-c", &script])
            .env("RINGWAY_ADMIN_URL", &self.admin_url)
            .output()
            .expect("bash")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(gateway) = &mut self.gateway {
            let _ = gateway.kill();
            let _ = gateway.wait();
        }
    }
}

#[test]
fn the_guides_commands_do_what_they_say() {
    let guide = fs::read_to_string(repository().join("docs/operating.md")).expect("the guide");
    let mut reader = Reader::new();
    let mut said = String::new();
    for block in blocks(&guide) {
        match block.kind.as_str() {
            "serve" => reader.starts(&block),
            "root" => {
                let read = reader.bash(&["-n", "-c", &block.text]).output().expect("bash");
                assert!(read.status.success(), "line {}", block.line);
            }
            "" => {
                let ended = reader.runs(&block);
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let (out, err) = (text(&ended.stdout), text(&ended.stderr));
                assert!(
                    ended.status.success(),
                    "line {}:\n{}\n{out}\n{err}",
                    block.line,
                    block.text
                );
                said += &out;
            }
            other => panic!("line {}: sh {other}", block.line),
        }
    }
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
    let guide = fs::read_to_string(repository().join("docs/operating.md")).expect("the guide");
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
