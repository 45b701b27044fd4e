//! The embedded store: documents under keys, in one file of [redb](https://www.redb.org), ACID.
//!
//! Knows no API Gateway: an [`Object`] is whatever has bytes, mostly JSON ([`Document`]), under its kind and
//! the ids that lead to it. Larger texts that never change (frozen deployments) are [blobs](Transaction::put_blob), kept
//! compressed. One call is one transaction; what was acknowledged survives a crash at any moment, and
//! of what was not nothing is left.
//!
//! **Invariant**: a file that this version does not understand is refused and left as it is.

mod backup;
mod error;
mod transaction;
mod unproven;

#[cfg(test)]
mod tests;

pub use backup::restore;
pub use error::StoreError;
pub use transaction::{Document, Object, Transaction};

use std::path::{Path, PathBuf};

use unproven::unproven;

use redb::{Database, ReadableDatabase, TableDefinition, TableError};

/// Format of the documents. Raised when an older Ringway could not read what this one writes.
pub const FORMAT: u64 = 3;
/// Oldest format that is read as it is.
const FORMAT_MIN: u64 = 2;

/// The store's file inside its directory.
pub const FILE_NAME: &str = "ringway.redb";

/// Pages that redb keeps in memory, bytes: the control plane reads little, and seldom.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const OBJECTS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("objects");
const BLOBS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("blobs");
/// Key of the format's number in [`META`].
const FORMAT_KEY: &str = "format";

/// An open store. One process at a time holds it.
#[derive(Debug)]
pub struct Store {
    database: Database,
    path: PathBuf,
}

impl Store {
    /// Opens the store in `directory`, which is made (mode 0700) if there is none.
    ///
    /// # Errors
    /// The directory cannot be used, another process holds the file, it is damaged, or it was written
    /// by a newer Ringway. The file has not been changed then.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        use std::os::unix::fs::DirBuilderExt;
        let path = directory.join(FILE_NAME);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| StoreError::io(directory, &error))?;
        check_header(&path)?;
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| StoreError::io(&path, &error))?;
        let opening = |error| StoreError::opening(&path, error);
        let (file, proof) = unproven(file).map_err(opening)?;
        let database = redb::Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(file)
            .map_err(opening)?;
        let store = Self { database, path: path.clone() };
        let found = store.format()?;
        if let Some(found) = found.filter(|found| !(FORMAT_MIN..=FORMAT).contains(found)) {
            return Err(StoreError::Format { path, found });
        }
        proof.accept().map_err(|error| StoreError::io(&path, &error))?;
        if found != Some(FORMAT) {
            store.begin()?;
        }
        Ok(store)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A view of the store as it is now; later changes do not show in it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self) -> Result<Transaction, StoreError> {
        Transaction::reading(&self.database.begin_read()?)
    }

    /// The right to change the store. Waits until whoever has it is done.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn write(&self) -> Result<Transaction, StoreError> {
        Transaction::writing(self.database.begin_write()?)
    }

    /// Number of the documents' format; `None`: there are none yet.
    fn format(&self) -> Result<Option<u64>, StoreError> {
        match self.database.begin_read()?.open_table(META) {
            Ok(table) => {
                let number = redb::ReadableTable::get(&table, FORMAT_KEY)?;
                Ok(number.map(|number| number.value()))
            }
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a new file, or an older version's, a store of this version.
    fn begin(&self) -> Result<(), StoreError> {
        let transaction = self.database.begin_write()?;
        transaction.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
        transaction.open_table(OBJECTS)?;
        transaction.open_table(BLOBS)?;
        Ok(transaction.commit()?)
    }
}

/// Refuses what is no redb file before redb opens it for writing.
fn check_header(path: &Path) -> Result<(), StoreError> {
    use std::io::Read;
    // Source: redb's design document, "Database header": the file's first nine bytes.
    const MAGIC: [u8; 9] = [b'r', b'e', b'd', b'b', 0x1a, 0x0a, 0xa9, 0x0d, 0x0a];
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io(path, &error)),
    };
    let mut start = Vec::with_capacity(MAGIC.len());
    let taken = file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut start);
    taken.map_err(|error| StoreError::io(path, &error))?;
    // An empty file is what a crash before the first page leaves.
    if start.is_empty() || start == MAGIC {
        return Ok(());
    }
    Err(StoreError::Damaged { path: path.to_owned(), why: "it is no store of Ringway".to_owned() })
}
