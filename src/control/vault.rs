//! Secrets at rest: API key values and private keys are encrypted in the store, with a key in a file of its
//! own beside it (mode 0600). Whoever gets a backup of the store without that file learns none of them.
//!
//! AES-256-GCM with a random nonce (NIST SP 800-38D); values of API keys are found again by a hash under a
//! key of its own ([`HashKey`]), since the same value is never encrypted alike. Requests look keys up by
//! the same hash, so a start decrypts nothing.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::usage::{HashKey, ValueHash};

/// The file beside the store.
pub const FILE_NAME: &str = "key";
/// Begins every encrypted text.
const VERSION: &str = "v1:";
const KEY_BYTES: usize = 32;

/// Encrypts and finds secrets.
pub struct Vault {
    cipher: RandomizedNonceKey,
    hash_key: HashKey,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

/// Why there is no vault, in a sentence with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultError(String);

impl std::fmt::Display for VaultError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for VaultError {}

impl Vault {
    /// Reads the key of the store in `directory`; makes one if there is none.
    ///
    /// # Errors
    /// The file cannot be read or written, others may read it, or it is none.
    pub fn load_or_create(directory: &Path) -> Result<Self, VaultError> {
        let path = directory.join(FILE_NAME);
        let fail = |why: &str| VaultError(format!("{}: {why}", path.display()));
        if let Some(key) = load(&path).map_err(|why| fail(&why))? {
            return Ok(Self::new(&key));
        }
        let mut key = [0; KEY_BYTES];
        rand::fill(&mut key).map_err(|_| fail("the system gives no random bytes"))?;
        match create(&path, &key) {
            Ok(()) => Ok(Self::new(&key)),
            Err(error) => Err(fail(&format!("cannot be written: {error}"))),
        }
    }

    /// A vault with this key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, b"ringway store").extract(key);
        let part = |purpose: &[u8]| {
            let mut bytes = [0; KEY_BYTES];
            derived
                .expand(&[purpose], hkdf::HKDF_SHA256)
                .and_then(|it| it.fill(&mut bytes))
                .expect("a key of the hash's own length");
            bytes
        };
        let hash_key = *part(b"values of keys").first_chunk().expect("a key is longer");
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, &part(b"cipher"));
        Self {
            cipher: cipher.expect("a key of the cipher's length"),
            hash_key: HashKey::new(hash_key),
        }
    }

    /// A text that [`open`](Self::open) makes `secret` of again.
    pub fn seal(&self, secret: &str) -> String {
        let mut bytes = secret.as_bytes().to_vec();
        let nonce = self
            .cipher
            .seal_in_place_append_tag(Aad::empty(), &mut bytes)
            .expect("the system gives random bytes, and a secret is short");
        let mut all = nonce.as_ref().to_vec();
        all.append(&mut bytes);
        format!("{VERSION}{}", STANDARD_NO_PAD.encode(all))
    }

    /// The secret in a sealed text; `None`: it was sealed with another key, or damaged.
    pub fn open(&self, sealed: &str) -> Option<String> {
        let mut bytes = STANDARD_NO_PAD.decode(sealed.strip_prefix(VERSION)?).ok()?;
        if bytes.len() < NONCE_LEN {
            return None;
        }
        let mut rest = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).ok()?;
        let secret = self.cipher.open_in_place(nonce, Aad::empty(), &mut rest).ok()?;
        String::from_utf8(secret.to_vec()).ok()
    }

    /// What the value of an API key is found by: always the same for the same value, and nothing to
    /// guess it from.
    pub fn hash(&self, value: &str) -> ValueHash {
        self.hash_key.hash(value.as_bytes())
    }

    /// What it hashes values with.
    pub fn hash_key(&self) -> HashKey {
        self.hash_key.clone()
    }
}

/// Reads the file; `None`: there is none.
fn load(path: &PathBuf) -> Result<Option<[u8; KEY_BYTES]>, String> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    let metadata = file.metadata().map_err(|error| format!("cannot be read: {error}"))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "has mode {mode:04o}: others may read the key of all secrets in the store; run `chmod 600 {}`",
            path.display()
        ));
    }
    let mut text = String::new();
    file.take(1_024)
        .read_to_string(&mut text)
        .map_err(|error| format!("cannot be read: {error}"))?;
    let bytes = STANDARD_NO_PAD.decode(text.trim()).ok();
    let key = bytes.and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok());
    key.map(Some).ok_or_else(|| {
        "is no key of a store; bring the right one back, without it no secret can be read"
            .to_owned()
    })
}

/// Writes the file, whole or not at all.
fn create(path: &PathBuf, key: &[u8; KEY_BYTES]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    writeln!(file, "{}", STANDARD_NO_PAD.encode(key))?;
    file.sync_all()?;
    // Not over one that another process has made meanwhile.
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    linked?;
    fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_sealed_and_opened_by_the_same_key_only() {
        let (vault, other) = (Vault::new(&[7; KEY_BYTES]), Vault::new(&[8; KEY_BYTES]));
        let sealed = vault.seal("a secret");
        assert!(!sealed.contains("secret") && sealed.starts_with("v1:"), "{sealed}");
        assert_ne!(sealed, vault.seal("a secret"), "never alike");
        assert_eq!(vault.open(&sealed).as_deref(), Some("a secret"));
        assert_eq!(other.open(&sealed), None);
        let mut damaged = sealed.clone().into_bytes();
        let last = damaged.len() - 1;
        damaged[last] = if damaged[last] == b'A' { b'B' } else { b'A' };
        for wrong in ["", "v1:", "v1:AAAA", "a secret", std::str::from_utf8(&damaged).unwrap()] {
            assert_eq!(vault.open(wrong), None, "{wrong}");
        }
        assert_eq!(vault.hash("x"), vault.hash("x"));
        assert_ne!(vault.hash("x"), other.hash("x"));
        assert_eq!(vault.hash_key().hash(b"x"), Vault::new(&[7; KEY_BYTES]).hash("x"));
    }

    #[test]
    fn the_key_is_made_once_and_kept_from_others() {
        let directory = std::env::temp_dir().join(format!("ringway-vault-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join(FILE_NAME);
        let sealed = Vault::load_or_create(&directory).unwrap().seal("s");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Vault::load_or_create(&directory).unwrap();
        assert_eq!(again.open(&sealed).as_deref(), Some("s"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Vault::load_or_create(&directory).unwrap_err().to_string();
        assert!(error.contains("mode 0644"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "nonsense").unwrap();
        let error = Vault::load_or_create(&directory).unwrap_err().to_string();
        assert!(error.contains("is no key of a store"), "{error}");
        fs::remove_dir_all(&directory).unwrap();
    }
}
