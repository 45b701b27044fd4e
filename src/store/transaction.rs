//! Reading and changing documents.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::ops::Bound;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use redb::{
    ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition,
    TableError, WriteTransaction,
};
use self_cell::self_cell;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{BLOBS, OBJECTS, StoreError};

/// Between the parts of a key. No id contains it.
const SEPARATOR: char = '\0';

/// What is kept under its kind and the ids that lead to it.
pub trait Object: Sized {
    /// First part of the key; differs from every other kind's.
    const KIND: &'static str;

    /// The bytes that are stored.
    ///
    /// # Errors
    /// It has no such form; why.
    fn to_row(&self) -> Result<Vec<u8>, String>;

    /// What these bytes were made of.
    ///
    /// # Errors
    /// They were made of nothing of the kind; why.
    fn from_row(row: &[u8]) -> Result<Self, String>;
}

/// An [`Object`] that is kept as JSON.
pub trait Document: Serialize + DeserializeOwned {
    /// [`Object::KIND`].
    const KIND: &'static str;
}

impl<T: Document> Object for T {
    const KIND: &'static str = T::KIND;

    fn to_row(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }

    fn from_row(row: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(row).map_err(|error| error.to_string())
    }
}

/// A view of the store, or the right to change it. Dropped without [`commit`](Self::commit), it leaves
/// nothing behind.
///
/// Its tables are opened once: opening one costs as much as a row, and an import touches ten rows a key.
pub struct Transaction(Inner);

#[expect(clippy::large_enum_variant, reason = "one a call, and it does not move")]
enum Inner {
    /// `None`: a new store has no such table.
    Read {
        objects: Option<Reading>,
        blobs: Option<Reading>,
    },
    Write(Writing),
}

type Reading = ReadOnlyTable<&'static str, &'static [u8]>;

/// The tables of a write transaction. One that is being walked is not written to meanwhile.
struct Tables<'txn> {
    objects: RefCell<Table<'txn, &'static str, &'static [u8]>>,
    blobs: RefCell<Table<'txn, &'static str, &'static [u8]>>,
}

self_cell!(
    struct Writing {
        owner: WriteTransaction,
        #[not_covariant]
        dependent: Tables,
    }
);

/// Runs `$body`, which gives a `Result`, with one of the tables as `$table`; a reader finds no tables in a
/// new store.
macro_rules! with_table {
    ($transaction:expr, $name:ident, $none:expr, |$table:ident| $body:expr) => {
        match &$transaction.0 {
            Inner::Read { $name: Some($table), .. } => $body,
            Inner::Read { $name: None, .. } => $none,
            Inner::Write(writing) => writing.with_dependent(|_, tables| {
                let $table = tables.$name.borrow();
                $body
            }),
        }
    };
}

/// The same with a table that is written to.
macro_rules! with_table_mut {
    ($transaction:expr, $name:ident, |$table:ident| $body:expr) => {
        match &$transaction.0 {
            Inner::Read { .. } => {
                Err(StoreError::Engine("a view for reading was written to".to_owned()))
            }
            Inner::Write(writing) => {
                writing.with_dependent(|_, tables| match tables.$name.try_borrow_mut() {
                    Ok(mut $table) => $body,
                    Err(_) => {
                        Err(StoreError::Engine("a table was written to during a walk".to_owned()))
                    }
                })
            }
        }
    };
}

impl Transaction {
    pub(super) fn reading(transaction: &ReadTransaction) -> Result<Self, StoreError> {
        let open =
            |definition: TableDefinition<'static, _, _>| match transaction.open_table(definition) {
                Ok(table) => Ok(Some(table)),
                Err(TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(StoreError::from(error)),
            };
        Ok(Self(Inner::Read { objects: open(OBJECTS)?, blobs: open(BLOBS)? }))
    }

    pub(super) fn writing(transaction: WriteTransaction) -> Result<Self, StoreError> {
        let writing = Writing::try_new(transaction, |transaction| {
            Ok::<_, StoreError>(Tables {
                objects: RefCell::new(transaction.open_table(OBJECTS)?),
                blobs: RefCell::new(transaction.open_table(BLOBS)?),
            })
        });
        Ok(Self(Inner::Write(writing?)))
    }

    /// The object under `ids`.
    ///
    /// # Errors
    /// The file cannot be read, or the document in it.
    pub fn get<T: Object>(&self, ids: &[&str]) -> Result<Option<T>, StoreError> {
        let key = key_of(T::KIND, ids);
        with_table!(self, objects, Ok(None), |table| match table.get(key.as_str())? {
            Some(value) => parse(&key, value.value()).map(Some),
            None => Ok(None),
        })
    }

    /// Whether there is an object under `ids`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn has<T: Object>(&self, ids: &[&str]) -> Result<bool, StoreError> {
        let key = key_of(T::KIND, ids);
        with_table!(self, objects, Ok(false), |table| Ok(table.get(key.as_str())?.is_some()))
    }

    /// All objects of a kind whose ids begin with `ids`, in the order of the rest of their ids.
    ///
    /// # Errors
    /// The file cannot be read, or a document in it.
    pub fn list<T: Object>(&self, ids: &[&str]) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        self.each::<T>(ids, None, |_, object| {
            all.push(object);
            true
        })?;
        Ok(all)
    }

    /// Calls `f` with the last id and the object of each whose ids begin with `ids`, beginning behind
    /// the id `after`, until it returns `false`.
    ///
    /// # Errors
    /// The file cannot be read, or a document in it.
    pub fn each<T: Object>(
        &self,
        ids: &[&str],
        after: Option<&str>,
        mut f: impl FnMut(&str, T) -> bool,
    ) -> Result<(), StoreError> {
        let prefix = prefix_of(T::KIND, ids);
        let start = after.map(|id| format!("{prefix}{id}"));
        let start = match &start {
            Some(key) => Bound::Excluded(key.as_str()),
            None => Bound::Included(prefix.as_str()),
        };
        with_table!(self, objects, Ok(()), |table| {
            for entry in table.range::<&str>((start, Bound::Unbounded))? {
                let (key, value) = entry?;
                let Some(rest) = key.value().strip_prefix(&prefix) else { break };
                if !f(rest, parse(key.value(), value.value())?) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// How many objects there are, of all kinds.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn object_count(&self) -> Result<u64, StoreError> {
        with_table!(self, objects, Ok(0), |table| Ok(table.len()?))
    }

    /// Keeps an object under `ids`, in place of what was there.
    ///
    /// # Errors
    /// The file cannot be written, or this is a view for reading.
    pub fn put<T: Object>(&self, ids: &[&str], object: &T) -> Result<(), StoreError> {
        let key = key_of(T::KIND, ids);
        let value = object.to_row();
        let value = value.map_err(|why| StoreError::Document { key: shown(&key), why })?;
        self.put_row(false, &key, &value)
    }

    /// Removes an object; `false`: there was none.
    ///
    /// # Errors
    /// The file cannot be written, or this is a view for reading.
    pub fn delete<T: Object>(&self, ids: &[&str]) -> Result<bool, StoreError> {
        let key = key_of(T::KIND, ids);
        with_table_mut!(self, objects, |table| {
            let was = table.remove(key.as_str())?.is_some();
            Ok(was)
        })
    }

    /// Removes every object of a kind whose ids begin with `ids`.
    ///
    /// # Errors
    /// The file cannot be written, or this is a view for reading.
    pub fn delete_all<T: Object>(&self, ids: &[&str]) -> Result<(), StoreError> {
        let prefix = prefix_of(T::KIND, ids);
        let end = end_of(&prefix);
        with_table_mut!(self, objects, |table| {
            Ok(table.retain_in::<&str, _>(prefix.as_str()..end.as_str(), |_, _| false)?)
        })
    }

    /// A text that never changes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn blob(&self, kind: &str, ids: &[&str]) -> Result<Option<Vec<u8>>, StoreError> {
        let key = key_of(kind, ids);
        with_table!(self, blobs, Ok(None), |table| match table.get(key.as_str())? {
            Some(value) => {
                let mut text = Vec::new();
                DeflateDecoder::new(value.value()).read_to_end(&mut text).map_err(|error| {
                    StoreError::Document { key: shown(&key), why: error.to_string() }
                })?;
                Ok(Some(text))
            }
            None => Ok(None),
        })
    }

    /// Keeps a text that never changes.
    ///
    /// # Errors
    /// The file cannot be written, or this is a view for reading.
    pub fn put_blob(&self, kind: &str, ids: &[&str], text: &[u8]) -> Result<(), StoreError> {
        let key = key_of(kind, ids);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        let packed = encoder.write_all(text).and_then(|()| encoder.finish());
        let packed = packed.map_err(|error| StoreError::Engine(error.to_string()))?;
        self.put_row(true, &key, &packed)
    }

    /// Removes every blob of a kind whose ids begin with `ids`, and the one under `ids` itself.
    ///
    /// # Errors
    /// The file cannot be written, or this is a view for reading.
    pub fn delete_blobs(&self, kind: &str, ids: &[&str]) -> Result<(), StoreError> {
        let prefix = prefix_of(kind, ids);
        let end = end_of(&prefix);
        with_table_mut!(self, blobs, |table| {
            table.remove(key_of(kind, ids).as_str())?;
            Ok(table.retain_in::<&str, _>(prefix.as_str()..end.as_str(), |_, _| false)?)
        })
    }

    /// Makes the changes permanent: on the disk when this returns.
    ///
    /// # Errors
    /// The file cannot be written; nothing was changed then.
    pub fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Inner::Read { .. } => Ok(()),
            // Closes the tables, which hands what they have become to the transaction.
            Inner::Write(writing) => Ok(writing.into_owner().commit()?),
        }
    }

    /// Every row of the store, table by table: `f(is blob, key, value)`.
    pub(super) fn rows(
        &self,
        mut f: impl FnMut(bool, &str, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        with_table!(self, objects, Ok(()), |table| {
            for entry in table.iter()? {
                let (key, value) = entry?;
                f(false, key.value(), value.value())?;
            }
            Ok::<_, StoreError>(())
        })?;
        with_table!(self, blobs, Ok(()), |table| {
            for entry in table.iter()? {
                let (key, value) = entry?;
                f(true, key.value(), value.value())?;
            }
            Ok(())
        })
    }

    /// Makes the content of `other` all there is.
    ///
    /// # Errors
    /// A file cannot be read or written, or this is a view for reading.
    pub fn replace_all(&self, other: &Self) -> Result<(), StoreError> {
        with_table_mut!(self, objects, |table| Ok::<_, StoreError>(table.retain(|_, _| false)?))?;
        with_table_mut!(self, blobs, |table| Ok::<_, StoreError>(table.retain(|_, _| false)?))?;
        other.rows(|is_blob, key, value| self.put_row(is_blob, key, value))
    }

    pub(super) fn put_row(&self, is_blob: bool, key: &str, value: &[u8]) -> Result<(), StoreError> {
        if is_blob {
            with_table_mut!(self, blobs, |table| Ok(table.insert(key, value).map(drop)?))
        } else {
            with_table_mut!(self, objects, |table| Ok(table.insert(key, value).map(drop)?))
        }
    }
}

fn key_of(kind: &str, ids: &[&str]) -> String {
    let mut key = kind.to_owned();
    for id in ids {
        key.push(SEPARATOR);
        key.push_str(id);
    }
    key
}

/// What the keys of all objects below `ids` begin with.
fn prefix_of(kind: &str, ids: &[&str]) -> String {
    let mut prefix = key_of(kind, ids);
    prefix.push(SEPARATOR);
    prefix
}

/// The first key behind all that begin with `prefix`.
fn end_of(prefix: &str) -> String {
    let mut end = prefix.strip_suffix(SEPARATOR).unwrap_or(prefix).to_owned();
    end.push('\u{1}');
    end
}

fn parse<T: Object>(key: &str, value: &[u8]) -> Result<T, StoreError> {
    T::from_row(value).map_err(|why| StoreError::Document { key: shown(key), why })
}

/// A key for people.
fn shown(key: &str) -> String {
    key.replace(SEPARATOR, "/")
}
