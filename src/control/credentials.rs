//! Keys of the admin API that nobody has configured: made at first start, kept beside the store.
//!
//! The file has the form of `~/.aws/credentials`, so that
//! `AWS_SHARED_CREDENTIALS_FILE=ringway-data/credentials aws …` works as it is; keys may be added to it
//! as further profiles. It appears whole or not at all, and one that others may read is refused.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::auth::credential::{check_access_key_id, check_secret};
use crate::auth::{Credential, Secret};

/// Name of the file in the store's directory.
pub const FILE_NAME: &str = "credentials";

/// Longest file, bytes. Ours: hundreds of keys.
const FILE_BYTES_MAX: u64 = 64 << 10;
/// Permissions of others.
const OTHERS_MODE: u32 = 0o077;

/// The admin API's own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminCredentials {
    /// At least one; the first is the profile `default`, or the one that stands first.
    pub keys: Vec<Credential>,
    /// Their file.
    pub path: PathBuf,
    /// Were they made now? Then nobody knows them yet.
    pub created: bool,
}

/// Why there are no keys. Shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsError {
    path: PathBuf,
    why: String,
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for CredentialsError {}

impl AdminCredentials {
    /// Reads the keys of the store in `directory`, as a client on the same machine does. `None`: none
    /// have been made yet.
    ///
    /// # Errors
    /// The file cannot be read, is readable by others, or has no keys.
    pub fn load(directory: &Path) -> Result<Option<Self>, CredentialsError> {
        let path = directory.join(FILE_NAME);
        match load(&path) {
            Ok(keys) => Ok(keys.map(|keys| Self { keys, path, created: false })),
            Err(why) => Err(CredentialsError { path, why }),
        }
    }

    /// Reads the keys of the store in `directory`. If there are none, makes the directory and one key.
    ///
    /// # Errors
    /// The file cannot be read or written, is readable by others, or has no keys.
    pub fn load_or_create(directory: &Path) -> Result<Self, CredentialsError> {
        let path = directory.join(FILE_NAME);
        let fail = |why: String| CredentialsError { path: path.clone(), why };
        if let Some(keys) = load(&path).map_err(fail)? {
            return Ok(Self { keys, path, created: false });
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| fail(format!("its directory cannot be made: {error}")))?;
        let made = generate().map_err(fail)?;
        match publish(directory, &path, &file_text(&made)) {
            Ok(()) => Ok(Self { keys: vec![made], path, created: true }),
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                match load(&path).map_err(fail)? {
                    Some(keys) => Ok(Self { keys, path, created: false }),
                    None => Err(fail("was made by another process, and is gone again".to_owned())),
                }
            }
            Err(error) => Err(fail(format!("cannot be written: {error}"))),
        }
    }
}

/// Reads the file; `None`: there is none.
fn load(path: &Path) -> Result<Option<Vec<Credential>>, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    // Of what was opened, not of what has that name by now.
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err("is not a file".to_owned());
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & OTHERS_MODE != 0 {
        return Err(format!(
            "has mode {mode:04o}: others may read or change the keys of the admin API, so they are \
             not used; run `chmod 600 {}`, and make new keys if somebody may have seen these",
            path.display()
        ));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("is longer than {FILE_BYTES_MAX} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    parse(&text).map(Some)
}

/// A profile that is being read.
#[derive(Default)]
struct Profile {
    line: usize,
    name: String,
    id: Option<String>,
    secret: Option<Secret>,
}

impl Profile {
    fn credential(self) -> Result<Credential, String> {
        let (line, name) = (self.line, &self.name);
        let missing = |key: &str| format!("line {line}: the profile [{name}] has no {key}");
        let id = self.id.ok_or_else(|| missing("aws_access_key_id"))?;
        let secret = self.secret.ok_or_else(|| missing("aws_secret_access_key"))?;
        let place = |why: String| format!("line {line}: the profile [{name}]: {why}");
        check_access_key_id(&id).map_err(place)?;
        check_secret(secret.expose()).map_err(|why| place(format!("the secret {why}")))?;
        Ok(Credential::new(id, secret))
    }
}

/// Reads profiles as AWS's tools write them. Keys other than the two are theirs and skipped.
fn parse(text: &str) -> Result<Vec<Credential>, String> {
    let mut profiles: Vec<Profile> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let name = name.trim().to_owned();
            profiles.push(Profile { line: number, name, ..Profile::default() });
            continue;
        }
        // A line that is none of these may be a secret that was torn off its name.
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| format!("line {number}: is no [profile] and no key = value"))?;
        let profile = profiles
            .last_mut()
            .ok_or_else(|| format!("line {number}: stands in no profile; write [default] above"))?;
        let value = value.trim();
        match key.trim() {
            "aws_access_key_id" => profile.id = Some(value.to_owned()),
            "aws_secret_access_key" => profile.secret = Some(Secret::new(value)),
            _ => {}
        }
    }
    // The sort is stable: the others stay in their order.
    profiles.sort_by_key(|profile| profile.name != "default");
    let keys = profiles.into_iter().map(Profile::credential).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err("has no keys; remove it, and new ones are made at the next start".to_owned());
    }
    let twice = keys.iter().enumerate().find(|(index, key)| {
        keys[..*index].iter().any(|other| other.access_key_id == key.access_key_id)
    });
    match twice {
        Some((_, key)) => Err(format!("has the key {} twice", key.access_key_id)),
        None => Ok(keys),
    }
}

fn file_text(key: &Credential) -> String {
    format!(
        "# Keys of Ringway's admin API. Made at first start; more may be added as further profiles.\n\
         # AWS_SHARED_CREDENTIALS_FILE may name this file. Ringway reads it when it starts.\n\
         [default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        key.access_key_id,
        key.secret.expose()
    )
}

/// A new key: an id like AWS's, 20 characters, and a secret of 240 random bits.
fn generate() -> Result<Credential, String> {
    let no_random = |_| "the system has no random numbers for a key".to_owned();
    let mut id = "RWAK".to_owned();
    while id.len() < 20 {
        const LETTERS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let mut byte = [0];
        rand::fill(&mut byte).map_err(no_random)?;
        // 252 is a multiple of 36: every letter is as likely as the others.
        if byte[0] < 252 {
            id.push(char::from(LETTERS[usize::from(byte[0] % 36)]));
        }
    }
    let mut secret = [0; 30];
    rand::fill(&mut secret).map_err(no_random)?;
    Ok(Credential::new(id, Secret::new(STANDARD.encode(secret))))
}

/// Lets `path` appear with all of `text`, durably, unless it is there already.
fn publish(directory: &Path, path: &Path, text: &str) -> io::Result<()> {
    let temporary = directory.join(format!("{FILE_NAME}.{}.new", std::process::id()));
    // One of a process that died and had the same id.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write_new(&temporary, text).and_then(|()| fs::hard_link(&temporary, path));
    // A rename would replace what another process has made; a link fails.
    fs::remove_file(&temporary)?;
    written?;
    File::open(directory)?.sync_all()
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Barrier;

    use super::*;

    /// A directory of the test's own that goes with it.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("ringway-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn keys_are_made_once_and_only_their_owner_may_read_them() {
        let directory = Directory::new("credentials-made");
        let store = directory.0.join("a/b");
        let made = AdminCredentials::load_or_create(&store).unwrap();
        assert!(made.created);
        assert_eq!(made.path, store.join("credentials"));
        assert_eq!((mode(&made.path), mode(&store)), (0o600, 0o700));
        let [key] = &made.keys[..] else { panic!("{made:?}") };
        let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        assert!(key.access_key_id.starts_with("RWAK") && key.access_key_id.chars().all(upper));
        assert_eq!((key.access_key_id.len(), key.secret.expose().len()), (20, 40));
        assert!(!format!("{made:?}").contains(key.secret.expose()));
        assert_eq!(fs::read_dir(&store).unwrap().count(), 1, "nothing temporary is left");

        assert_eq!(
            AdminCredentials::load(&store).unwrap(),
            Some(AdminCredentials { created: false, ..made.clone() })
        );
        let again = AdminCredentials::load_or_create(&store).unwrap();
        assert_eq!(again, AdminCredentials { created: false, ..made });
    }

    #[test]
    fn keys_differ() {
        let keys: Vec<Credential> = (0..100).map(|_| generate().unwrap()).collect();
        let ids: BTreeSet<&str> = keys.iter().map(|key| key.access_key_id.as_str()).collect();
        let secrets: BTreeSet<&str> = keys.iter().map(|key| key.secret.expose()).collect();
        assert_eq!((ids.len(), secrets.len()), (100, 100));
        for key in &keys {
            assert_eq!(parse(&file_text(key)).unwrap(), std::slice::from_ref(key));
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let directory = Directory::new("credentials-mode");
        let path = AdminCredentials::load_or_create(&directory.0).unwrap().path;
        for bad in [0o640, 0o604, 0o620, 0o601, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(bad)).unwrap();
            let error = AdminCredentials::load_or_create(&directory.0).unwrap_err().to_string();
            let file = path.display();
            let says = format!("{file}: has mode {bad:04o}: others may read or change the keys");
            assert!(error.starts_with(&says), "{error}");
            assert!(error.contains(&format!("`chmod 600 {file}`")), "{error}");
        }
        for good in [0o600, 0o400] {
            fs::set_permissions(&path, fs::Permissions::from_mode(good)).unwrap();
            assert!(AdminCredentials::load_or_create(&directory.0).is_ok());
        }
    }

    #[test]
    fn processes_that_start_together_have_the_same_keys() {
        let directory = Directory::new("credentials-race");
        fs::create_dir(&directory.0).unwrap();
        let path = directory.0.join(FILE_NAME);
        fs::write(directory.0.join(format!("credentials.{}.new", std::process::id())), "x")
            .unwrap();
        // `publish` of one process after another's: the first stays.
        publish(&directory.0, &path, "first").unwrap();
        let error = publish(&directory.0, &path, "second").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 1);
        fs::remove_file(&path).unwrap();
        // A link by another process between our look and our own: both read one file.
        let barrier = Barrier::new(2);
        let other = format!("credentials.{}.other", std::process::id());
        let keys = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| {
                let key = generate().unwrap();
                write_new(&directory.0.join(&other), &file_text(&key)).unwrap();
                barrier.wait();
                let _ = fs::hard_link(directory.0.join(&other), &path);
            });
            barrier.wait();
            let ours = AdminCredentials::load_or_create(&directory.0).unwrap();
            theirs.join().unwrap();
            ours.keys
        });
        assert_eq!(AdminCredentials::load_or_create(&directory.0).unwrap().keys, keys);
    }

    #[test]
    fn profiles_are_read_as_aws_tools_write_them() {
        let keys = parse(
            "# c\n; c\n\n[ci]\naws_access_key_id=AKCI\n aws_secret_access_key = s=/+ \nregion = x\n\
             [default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key = t\n",
        );
        let keys: Vec<(String, String)> = keys
            .unwrap()
            .iter()
            .map(|key| (key.access_key_id.clone(), key.secret.expose().to_owned()))
            .collect();
        let want = [("AKDEFAULT", "t"), ("AKCI", "s=/+")];
        assert_eq!(keys, want.map(|(id, secret)| (id.to_owned(), secret.to_owned())));
    }

    #[test]
    fn broken_files_are_refused_and_no_secret_is_shown() {
        const ID: &str = "aws_access_key_id = AK";
        for (text, says) in [
            ("", "has no keys; remove it"),
            ("# only a comment", "has no keys; remove it"),
            (ID, "line 1: stands in no profile"),
            ("[default]\nwJalrSecret", "line 2: is no [profile] and no key = value"),
            (&format!("[x]\n{ID}"), "line 1: the profile [x] has no aws_secret_access_key"),
            (
                "\n[x]\naws_secret_access_key = wJalr",
                "line 2: the profile [x] has no aws_access_key",
            ),
            (&format!("[x]\n{ID}/\naws_secret_access_key = wJalr"), "an access key's id has 1 to"),
            (
                &format!("[x]\n{ID}\naws_secret_access_key = wJ alr"),
                "the secret has to have 1 to 256",
            ),
            (
                &format!("[x]\n{ID}\naws_secret_access_key=a\n[y]\n{ID}\naws_secret_access_key=b"),
                "has the key AK twice",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(says), "{text:?}: {error}");
            assert!(!error.contains("alr"), "{error}");
        }
    }

    #[test]
    fn what_is_no_file_is_told() {
        let directory = Directory::new("credentials-dir");
        fs::create_dir_all(directory.0.join(FILE_NAME)).unwrap();
        let error = AdminCredentials::load_or_create(&directory.0).unwrap_err().to_string();
        assert!(error.ends_with("credentials: is not a file"), "{error}");
        fs::remove_dir(directory.0.join(FILE_NAME)).unwrap();
        fs::write(directory.0.join("x"), "").unwrap();
        let error = AdminCredentials::load_or_create(&directory.0.join("x/y")).unwrap_err();
        assert!(error.to_string().contains("cannot be read"), "{error}");
        let long = directory.0.join(FILE_NAME);
        write_new(&long, &"#".repeat(70_000)).unwrap();
        let error = AdminCredentials::load_or_create(&directory.0).unwrap_err();
        assert!(error.to_string().contains("longer than 65536 bytes"), "{error}");
    }
}
