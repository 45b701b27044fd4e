//! What the whole-gateway tests share: the real binary, clients and upstreams, all on loopback.
//!
//! Tests wait for events (a line of the gateway's output, bytes, a closed connection), never for a time.
//! [`PATIENCE`] only turns a hang into a failure; no test passes or fails by how fast something is.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "every test uses a part of it")]

pub mod client;
pub mod definition;
pub mod gateway;
pub mod guide;
pub mod load;
pub mod metrics;
pub mod peer;
pub mod plane;
pub mod serve;
pub mod servers;
pub mod tools;

pub use client::{Answer, Client, get, post};
pub use definition::Definition;
pub use gateway::{Gateway, Options};
pub use load::{Load, Report};
pub use metrics::Metrics;
pub use peer::{Peer, PeerConnection, Seen};
pub use plane::{Admin, PlaneOptions, Serve};
pub use serve::{ServeOptions, Serving, Told};

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take before it counts as hanging. Generous: the machine may be busy, or its
/// hypervisor elsewhere.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at something that tells nobody when it changes.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until `look` finds something.
///
/// # Panics
/// If it has not within [`PATIENCE`]; `what` says what was waited for.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < give_up, "waited in vain for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// An access-log format with every `$context` variable.
pub fn every_variable() -> String {
    let names = ringway::context::ContextVariable::ALL.iter().map(|it| it.name());
    names.map(|name| format!("$context.{name}")).collect::<Vec<_>>().join("|")
}

/// A new empty directory, gone when it is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// One in memory, where there is such a place. What a process has written survives its kill there as
    /// on a disk, and does not wait 10 ms for each `fsync`.
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::below(memory) } else { Self::new() }
    }

    fn below(parent: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ringway-test-{}-{number}", std::process::id());
        let path = parent.join(name);
        std::fs::create_dir_all(&path).expect("a directory for temporary files");
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file as editors do: another one, renamed.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let (file, new) = (self.file(name), self.file(&format!("{name}.new")));
        std::fs::write(&new, text).expect("writing a temporary file");
        std::fs::rename(&new, &file).expect("renaming a temporary file");
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
