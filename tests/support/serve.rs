//! `ringway serve` on free ports with a store of its own, and the subcommands that talk to it.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::gateway::{Output, address_in};
use super::{Answer, Folder, Gateway};

/// How a serving gateway is started: one shard, no access log, no throttle, unless said otherwise.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    store: Option<PathBuf>,
}

impl ServeOptions {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// A variable that sets a key of the configuration.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Serves a store that is there.
    pub fn store(mut self, directory: &Path) -> Self {
        self.store = Some(directory.to_owned());
        self
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// If it ends before, with what it said.
    pub fn start(self) -> Serving {
        let folder = Folder::new();
        let store = self.store.unwrap_or_else(|| folder.file("store"));
        let mut command = without_settings(Command::new(env!("CARGO_BIN_EXE_ringway")));
        let mut child = command
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--shards", "1"])
            .args(["--access-log", "off", "--account-throttle", "off"])
            .arg("--store")
            .arg(&store)
            .args(&self.flags)
            .envs(self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the ringway binary");
        let stdout = Output::read(child.stdout.take().expect("it is piped"));
        let stderr = Output::read(child.stderr.take().expect("it is piped"));
        let Some(listening) = stdout.find(0, "listening on ") else {
            let _ = child.kill();
            let status = child.wait();
            let (printed, said) = (stdout.text(), stderr.text());
            panic!("the gateway did not start ({status:?}):\n{printed}\n{said}");
        };
        let admin = stdout.find(0, "admin on ").expect("the admin port is on");
        let scheme = if admin.contains("https://") { "https" } else { "http" };
        let gateway = Gateway {
            address: address_in(&listening),
            admin: address_in(&admin),
            child,
            stdout,
            stderr,
            folder,
            file: store.clone(),
        };
        let url = format!("{scheme}://{}", gateway.admin);
        Serving { gateway, store, url }
    }
}

/// A command that nothing of this process's environment configures.
pub fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| ["AWS_", "RINGWAY_"].iter().any(|it| name.starts_with(it)))
        {
            command.env_remove(name);
        }
    }
    command
}

/// A running `ringway serve`.
#[derive(Debug)]
pub struct Serving {
    pub gateway: Gateway,
    pub store: PathBuf,
    /// Of its admin port.
    pub url: String,
}

impl Deref for Serving {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        &self.gateway
    }
}

impl Serving {
    /// Runs a subcommand as the gateway's owner does.
    pub fn tell(&self, arguments: &[&str]) -> Told {
        let store = self.store.display().to_string();
        let mut all = arguments.to_vec();
        all.extend(["--admin", &self.url, "--store", &store]);
        Told::by(&all, &[])
    }

    /// The same where it has to succeed; gives what it printed.
    #[track_caller]
    pub fn does(&self, arguments: &[&str]) -> String {
        self.tell(arguments).fine()
    }

    /// The same with `--json`; gives the document.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let printed = self.does(&[arguments, &["--json"]].concat());
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// Sends a `GET` to an API; `path` begins with the stage.
    pub fn get(&self, api: &str, path: &str) -> Answer {
        let host = format!("{api}.execute-api.localhost");
        self.client().asks(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    }
}

/// How a subcommand has ended.
#[derive(Debug)]
pub struct Told {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Told {
    /// Runs the ringway command to its end.
    pub fn by(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let output = without_settings(Command::new(env!("CARGO_BIN_EXE_ringway")))
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("the ringway binary");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let code = output.status.code().expect("no signal");
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    #[track_caller]
    pub fn fine(self) -> String {
        assert_eq!(self.code, 0, "{}\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// It failed with that exit status, printed nothing and said these words.
    #[track_caller]
    pub fn failed(&self, code: i32, words: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        assert!(self.stderr.contains(words), "no {words:?} in:\n{}", self.stderr);
    }
}
