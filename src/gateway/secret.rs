//! How secrets are shown in logs: hidden but for their end, as AWS does.
//!
//! Source: facts, observability section 2.

/// Characters of a secret that are shown.
const SHOWN: usize = 6;

/// Appends one `*` for each hidden character, and the last six; of what is no longer than that nothing is
/// shown.
pub fn mask(value: &[u8], out: &mut Vec<u8>) {
    // Characters, not bytes; what is no UTF-8 counts as whatever its bytes are replaced by.
    let lengths = || {
        value.utf8_chunks().flat_map(|chunk| {
            let replaced = (!chunk.invalid().is_empty()).then_some(chunk.invalid().len());
            chunk.valid().chars().map(char::len_utf8).chain(replaced)
        })
    };
    let count = lengths().count();
    let hidden = if count > SHOWN { count - SHOWN } else { count };
    let hidden_bytes = lengths().take(hidden).sum();
    out.resize(out.len() + hidden, b'*');
    for chunk in value[hidden_bytes..].utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_characters_at_the_end_are_shown() {
        for (value, want) in [
            (&b""[..], ""),
            (b"abc", "***"),
            (b"abcdef", "******"),
            (b"abcdefg", "*bcdefg"),
            ("\u{e4}bcdef\u{fc}".as_bytes(), "*bcdef\u{fc}"),
            (b"\xff\xffabcde\xff", "**abcde\u{fffd}"),
            (
                b"0123456789012345678901234567890123456789",
                "**********************************456789",
            ),
        ] {
            let mut out = Vec::new();
            mask(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), want, "{value:?}");
        }
    }
}
