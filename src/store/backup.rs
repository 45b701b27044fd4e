//! A copy of the store while it is in use, and the way back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{FILE_NAME, FORMAT, FORMAT_KEY, META, Store, StoreError, Transaction};

impl Store {
    /// Writes a copy of the store as it is now to `file`: a store of its own, whole or not there at all.
    /// Changes go on meanwhile and are not in it.
    ///
    /// # Errors
    /// `file` exists already or cannot be written.
    pub fn backup(&self, file: &Path) -> Result<(), StoreError> {
        if file.exists() {
            return Err(StoreError::Io {
                path: file.to_owned(),
                why: "it exists already; a backup overwrites nothing".to_owned(),
            });
        }
        let unfinished = beside(file, "unfinished");
        let outcome = copy(&self.read()?, &unfinished);
        finish(outcome, &unfinished, file)
    }
}

/// Puts the backup `file` in the place of the store in `directory`, which must not be in use. The store
/// that was there is kept beside it; the answer is its name.
///
/// # Errors
/// `file` is no whole store of a format that we know, or `directory`'s is in use. Nothing was changed.
pub fn restore(file: &Path, directory: &Path) -> Result<Option<PathBuf>, StoreError> {
    if !file.exists() {
        return Err(StoreError::io(file, &io::ErrorKind::NotFound.into()));
    }
    // Opening writes to a file, so a copy is opened, and becomes the store.
    let store = directory.join(FILE_NAME);
    let held = store.exists().then(|| Store::open(directory));
    if let Some(Err(error @ StoreError::Held { .. })) = held {
        return Err(error);
    }
    drop(held);
    fs::create_dir_all(directory).map_err(|error| StoreError::io(directory, &error))?;
    let trial = directory.join("restoring");
    let checked = (|| {
        fs::create_dir_all(&trial).map_err(|error| StoreError::io(&trial, &error))?;
        let copied = trial.join(FILE_NAME);
        fs::copy(file, &copied).map_err(|error| StoreError::io(file, &error))?;
        let opened = Store::open(&trial).map_err(|error| error.about(file))?;
        opened.read()?.rows(|_, _, _| Ok(())).map_err(|error| error.about(file))?;
        drop(opened);
        sync(&copied)?;
        let kept = store.exists().then(|| beside(&store, "before-restore"));
        if let Some(kept) = &kept {
            fs::rename(&store, kept).map_err(|error| StoreError::io(&store, &error))?;
        }
        fs::rename(&copied, &store).map_err(|error| StoreError::io(&store, &error))?;
        sync(directory)?;
        Ok(kept)
    })();
    // Only what this function made; failing to remove it loses nothing.
    let _ = fs::remove_dir_all(&trial);
    checked
}

fn copy(from: &Transaction, to: &Path) -> Result<(), StoreError> {
    let database = redb::Database::create(to).map_err(|error| StoreError::opening(to, error))?;
    let writing = database.begin_write()?;
    writing.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
    let writing = Transaction::writing(writing)?;
    from.rows(|is_blob, key, value| writing.put_row(is_blob, key, value))?;
    writing.commit()
}

fn finish(outcome: Result<(), StoreError>, from: &Path, to: &Path) -> Result<(), StoreError> {
    let outcome = outcome.and_then(|()| {
        sync(from)?;
        fs::rename(from, to).map_err(|error| StoreError::io(to, &error))?;
        sync(to.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    });
    if outcome.is_err() {
        // What is unfinished is of no use to anybody.
        let _ = fs::remove_file(from);
    }
    outcome
}

fn sync(path: &Path) -> Result<(), StoreError> {
    let file = fs::File::open(path).map_err(|error| StoreError::io(path, &error))?;
    file.sync_all().map_err(|error| StoreError::io(path, &error))
}

/// A name beside `file` that is not in use.
fn beside(file: &Path, what: &str) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (0..)
        .map(|number| match number {
            0 => file.with_file_name(format!("{name}.{what}")),
            number => file.with_file_name(format!("{name}.{what}-{number}")),
        })
        .find(|path| !path.exists())
        .expect("a name that is not in use")
}

impl StoreError {
    /// The same about the file that the user named.
    fn about(self, file: &Path) -> Self {
        let path = file.to_owned();
        match self {
            Self::Io { why, .. } => Self::Io { path, why },
            Self::Held { .. } => Self::Held { path },
            Self::Damaged { why, .. } => Self::Damaged { path, why },
            Self::Format { found, .. } => Self::Format { path, found },
            other => Self::Damaged { path, why: other.to_string() },
        }
    }
}
