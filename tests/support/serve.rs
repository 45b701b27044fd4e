//! `ringway serve` with a store of its own, on free ports of loopback.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use super::gateway::{Output, address_in};
use super::Folder;

/// Options of `ringway serve` that are the same for all: free ports, one shard, no access log.
const FLAGS: [&str; 8] = [
    "--listen",
    "127.0.0.1:0",
    "--admin",
    "127.0.0.1:0",
    "--shards",
    "1",
    "--access-log",
    "off",
];

/// A running control plane with its gateway; ended by SIGKILL when it is dropped.
#[derive(Debug)]
pub struct Serve {
    child: Child,
    /// Where clients of APIs connect.
    pub address: SocketAddr,
    /// Where AWS's tools connect.
    pub admin: SocketAddr,
    stdout: Output,
    stderr: Output,
    /// Its working directory; the store is `ringway-data` in it.
    pub folder: Folder,
}

impl Serve {
    /// One that takes the access key `test` with the secret `test`.
    pub fn with_test_keys() -> Self {
        let keys = "[admin]\naccess_keys = [{ id = \"test\", secret = \"test\" }]\n";
        let folder = Folder::new();
        folder.write("ringway.toml", keys);
        Self::start(folder, &["--config", "ringway.toml"])
    }

    /// One without a configuration, which makes its own key.
    pub fn as_found() -> Self {
        Self::start(Folder::new(), &[])
    }

    fn start(folder: Folder, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ringway"))
            .arg("serve")
            .args(FLAGS)
            .args(more)
            .current_dir(folder.file("."))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the ringway binary");
        let stdout = Output::read(child.stdout.take().expect("it is piped"));
        let stderr = Output::read(child.stderr.take().expect("it is piped"));
        let (Some(admin), Some(listening)) =
            (stdout.find(0, "admin on "), stdout.find(0, "listening on "))
        else {
            let _ = child.kill();
            let status = child.wait();
            panic!("it did not start ({status:?}):\n{}\n{}", stdout.text(), stderr.text());
        };
        let (address, admin) = (address_in(&listening), address_in(&admin));
        Self { child, address, admin, stdout, stderr, folder }
    }

    /// What it has printed on standard output so far.
    pub fn printed(&self) -> String {
        self.stdout.text()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let said = self.stderr.text();
        if std::thread::panicking() {
            eprintln!("ringway serve said:\n{said}");
        } else {
            assert!(!said.contains("panicked at"), "ringway serve panicked:\n{said}");
        }
    }
}
