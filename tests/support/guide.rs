//! A guide whose commands are run as a reader would, in a folder of its own.
//!
//! A block `sh` is run by bash as it stands, in a folder that has the repository's `docs`; variables and
//! functions stay for the blocks behind it. A block `sh serve` is a command that goes on: it is started, and its
//! addresses, which guides print as the defaults, are free ones instead. `sh root` is for an
//! administrator, and only read by bash. `python` is a program of Python's; a block of another language with
//! a second word is a file of that name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output as Ended, Stdio};

use super::Folder;
use super::gateway::Output;
use super::serve::without_settings;

/// A block of a guide.
#[derive(Debug)]
pub struct Block {
    /// Line of the guide, for messages.
    pub line: usize,
    /// `sh`, `python`; empty where the fence says nothing.
    pub language: String,
    /// What the fence says behind it.
    pub kind: String,
    pub text: String,
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of `docs`.
pub fn guide(name: &str) -> String {
    fs::read_to_string(repository().join("docs").join(name)).expect("the guide")
}

pub fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, String)> = None;
    for (line, text) in (1..).zip(guide.lines()) {
        match (&mut open, text.strip_prefix("```")) {
            (None, None) => {}
            (None, Some(fence)) => open = Some((line, fence, String::new())),
            (Some((_, _, lines)), None) => {
                lines.push_str(text);
                lines.push('\n');
            }
            (Some(_), Some(_)) => {
                let (line, fence, text) = open.take().expect("a block is open");
                let (language, kind) = fence.split_once(' ').unwrap_or((fence, ""));
                let (language, kind) = (language.to_owned(), kind.trim().to_owned());
                blocks.push(Block { line, language, kind, text });
            }
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

/// Where `tests/run` has put AWS's tools for Python.
pub fn python_tools() -> PathBuf {
    repository().join("tests/.venv/bin")
}

/// The folder of someone who works through a guide.
#[derive(Debug)]
pub struct Reader {
    folder: Folder,
    gateway: Option<Child>,
    admin_url: String,
}

impl Reader {
    pub fn new() -> Self {
        let folder = Folder::new();
        symlink(repository().join("docs"), folder.file("docs")).expect("a link");
        Self { folder, gateway: None, admin_url: String::new() }
    }

    /// Works through all blocks; gives all that was printed.
    ///
    /// # Panics
    /// If a command fails.
    pub fn works_through(mut self, guide: &str) -> String {
        let mut said = String::new();
        for block in blocks(guide) {
            match (block.language.as_str(), block.kind.as_str()) {
                ("sh", "serve") => self.starts(&block),
                ("sh", "root") => {
                    let read = self.bash(&["-n", "-c", &block.text]).output().expect("bash");
                    assert!(read.status.success(), "line {}", block.line);
                }
                ("sh" | "python", "") => {
                    let ended = self.runs(&block);
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    let (out, err) = (text(&ended.stdout), text(&ended.stderr));
                    let (line, block) = (block.line, &block.text);
                    assert!(ended.status.success(), "line {line}:\n{block}\n{out}\n{err}");
                    said += &out;
                }
                ("sh" | "python", other) => panic!("line {}: sh {other}", block.line),
                (_, "") => {}
                (_, file) => drop(self.folder.write(file, &block.text)),
            }
        }
        said
    }

    fn bash(&self, arguments: &[&str]) -> Command {
        let bin = Path::new(env!("CARGO_BIN_EXE_ringway")).parent().expect("a directory");
        let path = std::env::var("PATH").unwrap_or_default();
        let tools = python_tools();
        let mut bash = without_settings(Command::new("bash"));
        bash.args(arguments)
            .current_dir(self.folder.file("."))
            .env("PATH", format!("{}:{}:{path}", bin.display(), tools.display()))
            .env("no_proxy", "*")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "none")
            .env("AWS_PAGER", "")
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
        admin.trim_start_matches("admin on ").clone_into(&mut self.admin_url);
    }

    /// Runs a block with the variables of those before it.
    fn runs(&self, block: &Block) -> Ended {
        let text = block.text.replace("http://127.0.0.1:9080", &self.admin_url);
        let text = match block.language.as_str() {
            "python" => format!("python3 - <<'END_OF_PROGRAM'\n{text}END_OF_PROGRAM\n"),
            _ => text,
        };
        let script = format!(
            "set -euo pipefail\nif [ -f .variables ]; then . ./.variables; fi\nset -a\n{text}\
             set +a\nexport -p > .variables\ndeclare -f >> .variables\n"
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
