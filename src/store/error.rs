//! What can be wrong with a store, in sentences.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why the store cannot do what it was asked.
#[derive(Debug)]
pub enum StoreError {
    /// The operating system refused.
    Io {
        /// File or directory.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// Another process has it open.
    Held {
        /// The file.
        path: PathBuf,
    },
    /// It is not a store, or not a whole one.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// Another version wrote it.
    Format {
        /// The file.
        path: PathBuf,
        /// Its format's number.
        found: u64,
    },
    /// A document in it cannot be read.
    Document {
        /// Kind and ids.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// The engine failed.
    Engine(String),
}

impl StoreError {
    pub(super) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), why: error.to_string() }
    }

    pub(super) fn opening(path: &Path, error: redb::DatabaseError) -> Self {
        use redb::{DatabaseError, StorageError};
        let path = path.to_owned();
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::Held { path },
            DatabaseError::UpgradeRequired(version) => Self::Damaged {
                path,
                why: format!("its file format {version} is older than this version reads"),
            },
            DatabaseError::Storage(StorageError::Io(error)) => match error.kind() {
                std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => {
                    Self::Damaged { path, why: error.to_string() }
                }
                _ => Self::io(&path, &error),
            },
            error => Self::Damaged { path, why: error.to_string() },
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, why } => write!(f, "{}: {why}", path.display()),
            Self::Held { path } => write!(
                f,
                "{} is in use by another process; stop it, or give this one another store path",
                path.display()
            ),
            Self::Damaged { path, why } => write!(
                f,
                "{} cannot be used: {why}. Nothing was changed; `ringway restore` brings a backup back",
                path.display()
            ),
            Self::Format { path, found } => write!(
                f,
                "{} has format {found}, and this version of Ringway reads {}. Nothing was changed; \
                 start the version that wrote it, or restore a backup",
                path.display(),
                super::FORMAT
            ),
            Self::Document { key, why } => write!(f, "{key} in the store cannot be read: {why}"),
            Self::Engine(why) => write!(f, "the store failed: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

macro_rules! from_engine {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Engine(error.to_string())
            }
        }
    )*};
}

from_engine!(
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    redb::Error
);
