//! New ids. Source: facts, control-plane section 2.

use rustix::rand::{GetRandomFlags, getrandom};

use crate::usage::KeyId;

const LOWER: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const ALL: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Characters of an API's or a root resource's id, and of an API key's.
pub const LONG: usize = 10;
/// Characters of every other id.
pub const SHORT: usize = 6;
/// Characters of a generated API key value.
pub const KEY_VALUE: usize = 40;

/// An id of so many lower-case letters and digits for which `taken` is false.
///
/// # Errors
/// `taken`'s.
pub fn new<E>(chars: usize, mut taken: impl FnMut(&str) -> Result<bool, E>) -> Result<String, E> {
    loop {
        let id = random(chars, LOWER);
        if !taken(&id)? {
            return Ok(id);
        }
    }
}

/// So many ids of API keys for which `taken` is false, in ascending order: rows under them are written
/// one behind the other instead of everywhere in the store's file.
///
/// # Errors
/// `taken`'s.
pub fn many<E>(
    count: usize,
    mut taken: impl FnMut(&str) -> Result<bool, E>,
) -> Result<Vec<KeyId>, E> {
    let mut ids: Vec<KeyId> = Vec::with_capacity(count);
    while ids.len() < count {
        let fresh = (ids.len()..count).map(|_| random(LONG, LOWER));
        ids.extend(fresh.filter_map(|id| KeyId::new(&id)));
        ids.sort_unstable();
        ids.dedup();
        let mut outcome = Ok(());
        ids.retain(|id| match taken(id.as_str()) {
            Ok(taken) => !taken,
            Err(error) => {
                outcome = Err(error);
                true
            }
        });
        outcome?;
    }
    Ok(ids)
}

/// A secret of letters and digits.
pub fn secret(chars: usize) -> String {
    random(chars, ALL)
}

/// Characters of `alphabet` by the system's generator, each as likely as the others.
fn random(chars: usize, alphabet: &[u8]) -> String {
    // Bytes from here on would make the first characters likelier.
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(chars);
    let mut bytes = [0_u8; 64];
    while text.len() < chars {
        let count = getrandom(&mut bytes, GetRandomFlags::empty())
            .expect("the kernel gives random bytes after boot");
        let fit = bytes[..count].iter().filter(|&&byte| usize::from(byte) < fair);
        let left = chars - text.len();
        text.extend(
            fit.take(left).map(|&byte| char::from(alphabet[usize::from(byte) % alphabet.len()])),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_their_alphabet_and_not_taken() {
        let mut refused = 0;
        let id = new::<()>(LONG, |_| {
            refused += 1;
            Ok(refused < 4)
        });
        let id = id.unwrap();
        assert_eq!((id.len(), refused), (LONG, 4));
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{id}");
        let mut refused = 0;
        let all = many::<()>(1_000, |id| {
            assert_eq!(id.len(), LONG);
            refused += 1;
            Ok(refused < 4)
        });
        let all = all.unwrap();
        assert_eq!(all.len(), 1_000);
        assert!(all.is_sorted_by(|one, next| one < next), "ascending, and none twice");
        assert_eq!(many(9, |_| Err("the store's")), Err("the store's"));
        let value = secret(KEY_VALUE);
        assert_eq!(value.len(), KEY_VALUE);
        assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{value}");
        assert_ne!(value, secret(KEY_VALUE));
    }
}
