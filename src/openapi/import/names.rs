//! Ids from names, and the name somebody may have meant.

/// Longest name that is compared with others; what is longer is no misspelling.
const NAME_CHARS_MAX: usize = 64;

/// An id of `length` lower-case letters and digits that is always the same for the same name.
pub(super) fn id(name: &str, length: usize) -> String {
    const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut hash = hash(name);
    let mut id = String::with_capacity(length);
    for _ in 0..length {
        id.push(char::from(DIGITS[(hash % 36) as usize]));
        hash /= 36;
    }
    id
}

/// A number that is always the same for the same text.
pub(super) fn hash(text: &str) -> u64 {
    // FNV-1a, and the last step of splitmix64, which spreads the low bits of short names. Both are
    // written out because an id has to survive new versions of any library.
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// The candidate that `name` is most like, whatever the case of letters, and its distance.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<(&'a str, usize)> {
    if name.chars().count() > NAME_CHARS_MAX {
        return None;
    }
    let measured = candidates.into_iter().map(|other| (other, distance(name, other)));
    measured.min_by_key(|&(_, distance)| distance)
}

/// The candidate that `name` may be a misspelling of.
pub(super) fn meant<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    nearest(name, candidates)
        .filter(|&(other, distance)| distance <= (other.len().min(name.len()) / 3).max(1))
        .map(|(other, _)| other)
}

/// Levenshtein's distance without regard to case.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(!a.eq_ignore_ascii_case(b));
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

/// A value for a message: long ones are cut, and one stays on its line.
pub(super) fn shown(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 80;
    let mut shown = String::new();
    for (index, char) in text.chars().enumerate() {
        match char {
            _ if index == SHOWN_CHARS_MAX => {
                shown.push_str("...");
                break;
            }
            _ if char.is_control() => shown.extend(char.escape_default()),
            _ => shown.push(char),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stable_and_differ() {
        assert_eq!(id("Petstore", 10), id("Petstore", 10));
        assert_ne!(id("/pets", 6), id("/pet", 6));
        let ids: std::collections::BTreeSet<String> =
            (0..1_000).map(|index| id(&format!("/p/{index}"), 6)).collect();
        assert_eq!(ids.len(), 1_000);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        assert!(ids.iter().all(|id| id.len() == 6 && id.chars().all(plain)));
    }

    #[test]
    fn the_nearest_name_is_found_and_a_strange_one_has_none() {
        let names = ["paths", "components", "servers"];
        for (name, want) in [
            ("path", Some("paths")),
            ("Paths", Some("paths")),
            ("component", Some("components")),
            ("server", Some("servers")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(meant(name, names), want, "{name}");
        }
        assert_eq!(meant(&"p".repeat(1_000_000), names), None);
        assert_eq!(nearest("pats", names), Some(("paths", 1)));
    }

    #[test]
    fn what_is_shown_is_one_short_line() {
        assert_eq!(shown("it's \"ä\""), "it's \"ä\"");
        assert_eq!(shown("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(shown(&"x".repeat(80)), "x".repeat(80));
        assert_eq!(shown(&"x".repeat(81)), "x".repeat(80) + "...");
    }
}
