//! `ringway backup FILE`: the store of a gateway that serves, as one file: whole, or not there at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;

use super::super::Failure;
use super::ClientArgs;
use super::admin::Body;

/// Bytes that are taken at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Flags of `ringway backup`.
#[derive(Debug, Args)]
pub(in super::super) struct BackupArgs {
    /// Where the backup goes; only its owner may read it, because it has secrets
    file: PathBuf,

    /// Replace the file if there is one
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    client: ClientArgs,
}

pub(in super::super) fn run(args: &BackupArgs) -> Result<(), Failure> {
    let file = &args.file;
    // Said before the work and not after it.
    if !args.force && file.symlink_metadata().is_ok() {
        return Err(exists(file));
    }
    let admin = args.client.connect()?;
    let mut response = admin.open("GET", "/_ringway/backup", &Body::Nothing)?;
    let source = response.body_mut().with_config().limit(u64::MAX).reader();
    let bytes = write_whole(source, file, args.force)?;
    let shown = file.display().to_string();
    let document = json!({ "file": shown, "bytes": bytes });
    args.client
        .show(&document, || format!("{shown}: {bytes} bytes, the store of {}\n", admin.url()));
    Ok(())
}

fn exists(file: &Path) -> Failure {
    let shown = file.display();
    Failure::Failed(format!("{shown} exists already; --force replaces it"))
}

/// Writes all of `source` to a file beside `file`, which gets its name when it is on the disk.
fn write_whole(source: impl Read, file: &Path, force: bool) -> Result<u64, Failure> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".unfinished-{}", std::process::id()));
    let unfinished = file.with_file_name(name);
    let outcome = copy(source, &unfinished).and_then(|bytes| {
        publish(&unfinished, file, force)?;
        Ok(bytes)
    });
    if outcome.is_err() {
        // What is unfinished is of no use to anybody.
        let _ = std::fs::remove_file(&unfinished);
    }
    outcome.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(file),
        _ => Failure::Failed(format!("{}: {error}", file.display())),
    })
}

fn copy(mut source: impl Read, unfinished: &Path) -> io::Result<u64> {
    // Of this process's id: what is there was left by one that is gone.
    let mut options = OpenOptions::new();
    let mut target =
        options.write(true).create(true).truncate(true).mode(0o600).open(unfinished)?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut bytes = 0;
    loop {
        let count = match source.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(io::Error::other(format!("the backup broke off: {error}"))),
        };
        target.write_all(&piece[..count])?;
        bytes += count as u64;
    }
    target.sync_all()?;
    Ok(bytes)
}

fn publish(unfinished: &Path, file: &Path, force: bool) -> io::Result<()> {
    if force {
        std::fs::rename(unfinished, file)?;
    } else {
        renameat_with(CWD, unfinished, CWD, file, RenameFlags::NOREPLACE)?;
    }
    let directory = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Gives some bytes, then an error.
    struct Broken(bool);

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 {
                return Err(io::Error::other("cut"));
            }
            self.0 = true;
            buffer[0] = 1;
            Ok(1)
        }
    }

    #[test]
    fn a_backup_appears_whole_and_replaces_nothing_unasked() {
        let directory = std::env::temp_dir().join(format!("ringway-backup-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("b");
        let failed = |outcome: Result<u64, Failure>| match outcome {
            Err(Failure::Failed(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(failed(write_whole(Broken(false), &file, false)).ends_with("broke off: cut"));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0, "nothing is left");
        assert!(matches!(write_whole(&b"one"[..], &file, false), Ok(3)));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(failed(write_whole(&b"two"[..], &file, false)).contains("--force replaces it"));
        assert_eq!(fs::read(&file).unwrap(), b"one");
        assert!(failed(write_whole(Broken(false), &file, true)).contains("broke off"));
        assert_eq!(fs::read(&file).unwrap(), b"one");
        assert!(matches!(write_whole(&b"two"[..], &file, true), Ok(3)));
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::remove_dir_all(&directory).unwrap();
    }
}
