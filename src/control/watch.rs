//! Tells when the definition's file has changed.
//!
//! Editors and configuration tools do not write a file in place: they write another and rename it, or
//! swap a symbolic link (`..data` in a Kubernetes volume). A watch on the file would stay with the old
//! one, so its directory is watched.
//!
//! In: inotify events, on notify's thread. Out: one wake-up for all that happens within
//! `DEBOUNCE`. Whether the text differs is for the reader to find out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// Time from the first event until the file is read: long enough for a write in several pieces.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// A watch on one file. Dropping it ends the watch.
#[derive(Debug)]
pub struct FileWatch {
    _watcher: RecommendedWatcher,
    changes: mpsc::Receiver<()>,
}

impl FileWatch {
    /// Watches the directory of `file`, and that of the file it links to.
    ///
    /// # Errors
    /// A sentence: the directory cannot be read, or the user's inotify instances are used up.
    pub fn new(file: &Path) -> Result<Self, String> {
        let (sender, changes) = mpsc::channel(1);
        let real = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        let names: Vec<OsString> =
            [file, &real].iter().filter_map(|path| path.file_name()).map(Into::into).collect();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let concerns = match &event {
                Ok(event) => concerns(event, &names),
                // The queue overflowed: something was missed, so look.
                Err(_) => true,
            };
            if concerns {
                // Full: a wake-up waits already.
                let _ = sender.try_send(());
            }
        })
        .map_err(|error| format!("cannot watch files: {error}"))?;
        let mut directories: Vec<PathBuf> =
            [file, &real].iter().map(|path| directory_of(path)).collect();
        directories.dedup();
        for directory in &directories {
            watcher.watch(directory, RecursiveMode::NonRecursive).map_err(|error| {
                format!("cannot watch the directory {}: {error}", directory.display())
            })?;
        }
        Ok(Self { _watcher: watcher, changes })
    }

    /// Waits until the file may have changed, then until its writer is probably done.
    ///
    /// Cancel-safe: a change that came while nobody waits is told to the next one.
    pub async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            // The watcher's thread is gone; SIGHUP still works.
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(DEBOUNCE).await;
        while self.changes.try_recv().is_ok() {}
    }
}

fn directory_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Does `event` concern a file of one of `names`? Reading does not.
fn concerns(event: &Event, names: &[OsString]) -> bool {
    if event.need_rescan() {
        return true;
    }
    let moved = matches!(
        event.kind,
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    );
    if !moved && !matches!(event.kind, EventKind::Modify(_) | EventKind::Any | EventKind::Other) {
        return false;
    }
    event
        .paths
        .iter()
        .filter_map(|path| path.file_name())
        .any(|changed| names.iter().any(|name| name == changed) || (moved && changed == "..data"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn writing_renaming_and_relinking_are_changes_and_neighbours_are_none() {
        let dir = std::env::temp_dir().join(format!("ringway-watch-{}", std::process::id()));
        fs::create_dir_all(dir.join("v1")).unwrap();
        fs::create_dir_all(dir.join("v2")).unwrap();
        fs::write(dir.join("v1/api.yaml"), "1").unwrap();
        fs::write(dir.join("v2/api.yaml"), "2").unwrap();
        std::os::unix::fs::symlink("v1", dir.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/api.yaml", dir.join("linked.yaml")).unwrap();
        let plain = dir.join("plain.yaml");
        fs::write(&plain, "1").unwrap();

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let soon = Duration::from_secs(5);
            let quiet = Duration::from_millis(300);
            let mut watch = FileWatch::new(&plain).unwrap();

            fs::write(&plain, "2").unwrap();
            tokio::time::timeout(soon, watch.changed()).await.expect("written in place");

            fs::write(dir.join("plain.yaml.new"), "3").unwrap();
            fs::rename(dir.join("plain.yaml.new"), &plain).unwrap();
            tokio::time::timeout(soon, watch.changed()).await.expect("renamed over it");

            fs::write(&plain, "4").unwrap();
            tokio::time::timeout(soon, watch.changed()).await.expect("the new file is watched");

            fs::write(dir.join("access.log"), "x").unwrap();
            let _ = fs::read(&plain).unwrap();
            tokio::time::timeout(quiet, watch.changed()).await.expect_err("nothing of ours");

            let mut watch = FileWatch::new(&dir.join("linked.yaml")).unwrap();
            std::os::unix::fs::symlink("v2", dir.join("..data_tmp")).unwrap();
            fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
            tokio::time::timeout(soon, watch.changed()).await.expect("the link was swapped");
        });
        fs::remove_dir_all(&dir).unwrap();
    }
}
