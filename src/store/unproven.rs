//! A file that nothing is written to until it is known to be a store of ours.
//!
//! redb writes to a file as soon as it opens it: a mark that it is in use, a repair after a crash, a
//! summary when it closes. On a file that is then refused (its format is newer, it is cut off) those
//! writes would be damage of our making. So they are kept in memory, in their order, until
//! [`Proof::accept`] carries them out; a file that is not accepted stays as it is.
//!
//! Cost: opening holds what a repair writes; afterwards one uncontended read lock an operation.

use std::io;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// The file as redb sees it.
#[derive(Debug)]
pub(super) struct Unproven(Arc<Shared>);

/// The right to let the writes through.
pub(super) struct Proof(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: FileBackend,
    /// `None`: accepted, everything goes to the file.
    kept: RwLock<Option<Kept>>,
}

/// What the file would have become.
#[derive(Debug)]
struct Kept {
    length: u64,
    /// So much of the file still shows: it was never shorter since.
    shown: u64,
    /// In order: order is what makes redb's writes safe.
    writes: Vec<Write>,
}

#[derive(Debug)]
enum Write {
    Length(u64),
    Bytes(u64, Vec<u8>),
    Sync,
}

/// Keeps writes to `file` back.
///
/// # Errors
/// The file cannot be read.
pub(super) fn unproven(file: std::fs::File) -> Result<(Unproven, Proof), redb::DatabaseError> {
    let file = FileBackend::new(file)?;
    let length = file.len().map_err(redb::StorageError::Io)?;
    let kept = RwLock::new(Some(Kept { length, shown: length, writes: Vec::new() }));
    let shared = Arc::new(Shared { file, kept });
    Ok((Unproven(shared.clone()), Proof(shared)))
}

impl Proof {
    /// Carries out what was kept back; from now on everything goes to the file at once.
    ///
    /// # Errors
    /// The file cannot be written. As after a crash in the middle of it, the next opening repairs it.
    pub(super) fn accept(self) -> io::Result<()> {
        let Shared { file, kept } = &*self.0;
        let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
        for write in kept.take().into_iter().flat_map(|kept| kept.writes) {
            match write {
                Write::Length(length) => file.set_len(length)?,
                Write::Bytes(offset, bytes) => file.write(offset, &bytes)?,
                Write::Sync => file.sync_data()?,
            }
        }
        Ok(())
    }
}

impl Kept {
    fn read(&self, file: &FileBackend, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(out.len() as u64).filter(|&end| end <= self.length);
        let end = end.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let shown = usize::try_from(self.shown.clamp(offset, end) - offset).unwrap_or(out.len());
        let (there, zeros) = out.split_at_mut(shown);
        if !there.is_empty() {
            file.read(offset, there)?;
        }
        zeros.fill(0);
        for write in &self.writes {
            let Write::Bytes(at, bytes) = write else { continue };
            let (from, to) = ((*at).max(offset), (at + bytes.len() as u64).min(end));
            if from < to {
                let length = (to - from) as usize;
                let (source, target) = ((from - at) as usize, (from - offset) as usize);
                out[target..][..length].copy_from_slice(&bytes[source..][..length]);
            }
        }
        Ok(())
    }

    fn set_length(&mut self, length: u64) {
        // What is cut off and comes back is zeros.
        for write in &mut self.writes {
            if let Write::Bytes(at, bytes) = write
                && *at + bytes.len() as u64 > length
            {
                bytes.truncate(usize::try_from(length.saturating_sub(*at)).unwrap_or(usize::MAX));
            }
        }
        self.length = length;
        self.shown = self.shown.min(length);
        self.writes.push(Write::Length(length));
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) {
        self.length = self.length.max(offset + bytes.len() as u64);
        self.writes.push(Write::Bytes(offset, bytes.to_vec()));
    }
}

impl Unproven {
    /// Does `kept` with what is kept back, or `accepted` with the file.
    fn change(
        &self,
        accepted: impl FnOnce(&FileBackend) -> io::Result<()>,
        kept: impl FnOnce(&mut Kept),
    ) -> io::Result<()> {
        if self.0.kept.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            return accepted(&self.0.file);
        }
        match &mut *self.0.kept.write().unwrap_or_else(PoisonError::into_inner) {
            None => accepted(&self.0.file),
            Some(there) => {
                kept(there);
                Ok(())
            }
        }
    }
}

impl StorageBackend for Unproven {
    fn len(&self) -> io::Result<u64> {
        match &*self.0.kept.read().unwrap_or_else(PoisonError::into_inner) {
            None => self.0.file.len(),
            Some(kept) => Ok(kept.length),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &*self.0.kept.read().unwrap_or_else(PoisonError::into_inner) {
            None => self.0.file.read(offset, out),
            Some(kept) => kept.read(&self.0.file, offset, out),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.change(|file| file.set_len(length), |kept| kept.set_length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(FileBackend::sync_data, |kept| kept.writes.push(Write::Sync))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(|file| file.write(offset, bytes), |kept| kept.write(offset, bytes))
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.0.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_back_is_seen_by_redb_and_by_nobody_else() {
        let path = std::env::temp_dir().join(format!("ringway-unproven-{}", std::process::id()));
        std::fs::write(&path, b"0123456789").unwrap();
        let open = || std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let act = |file: &Unproven| {
            let read = |offset, length| {
                let mut out = vec![b'?'; length];
                file.read(offset, &mut out).map(|()| String::from_utf8(out).unwrap())
            };
            assert_eq!((file.len().unwrap(), &*read(2, 3).unwrap()), (10, "234"));
            file.write(3, b"abc").unwrap();
            file.write(5, b"XY").unwrap();
            file.sync_data().unwrap();
            assert_eq!(read(0, 10).unwrap(), "012abXY789");
            assert_eq!(read(4, 2).unwrap(), "bX");
            assert!(read(8, 3).is_err(), "beyond its end");
            file.set_len(6).unwrap();
            assert_eq!((file.len().unwrap(), &*read(0, 6).unwrap()), (6, "012abX"));
            file.set_len(9).unwrap();
            assert_eq!(read(4, 5).unwrap(), "bX\0\0\0");
            file.write(8, b"end").unwrap();
            assert_eq!((file.len().unwrap(), &*read(5, 6).unwrap()), (11, "X\0\0end"));
        };
        let (file, proof) = unproven(open()).unwrap();
        act(&file);
        drop((file, proof));
        assert_eq!(std::fs::read(&path).unwrap(), b"0123456789");
        let (file, proof) = unproven(open()).unwrap();
        act(&file);
        proof.accept().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"012abX\0\0end");
        file.write(0, b"now").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"nowabX\0\0end");
        std::fs::remove_file(&path).unwrap();
    }
}
