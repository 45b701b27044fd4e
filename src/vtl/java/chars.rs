//! Facts about single characters, as `java.lang.Character` of Java 17 (Unicode 13) has them.

/// Zeros of the decimal digits in the basic plane; nine more digits follow each.
const ZEROS: [u16; 36] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// `Character.digit(char, radix)` for a `char` of Java, which is one of the basic plane.
pub fn digit(c: char, radix: u32) -> Option<u32> {
    debug_assert!((2..=36).contains(&radix));
    if c.is_ascii() {
        return c.to_digit(radix);
    }
    let code = u32::from(c);
    let value = match code {
        0xFF21..=0xFF3A => code - 0xFF21 + 10,
        0xFF41..=0xFF5A => code - 0xFF41 + 10,
        _ => {
            let code = u16::try_from(code).ok()?;
            let zero = ZEROS[..ZEROS.partition_point(|&zero| zero <= code)].last()?;
            match code - zero {
                value @ 0..=9 => u32::from(value),
                _ => return None,
            }
        }
    };
    (value < radix).then_some(value)
}

/// `Character.isWhitespace`: separators but the non-breaking ones, and some controls.
pub fn is_whitespace(c: char) -> bool {
    matches!(
        c,
        '\t'..='\r'
            | '\u{1C}'..='\u{20}'
            | '\u{1680}'
            | '\u{2000}'..='\u{2006}'
            | '\u{2008}'..='\u{200A}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{205F}'
            | '\u{3000}'
    )
}

/// What `String.trim` takes away: the blank and everything below it.
pub fn is_trimmed(c: char) -> bool {
    c <= ' '
}

/// Whether `c` got a case, or a partner in the other case, after the Unicode version of Java 17.
pub fn is_cased_later(c: char) -> bool {
    matches!(
        c,
        '\u{19B}'
            | '\u{264}'
            | '\u{1C89}'..='\u{1C8A}'
            | '\u{2C2F}'
            | '\u{2C5F}'
            | '\u{A7C0}'..='\u{A7C1}'
            | '\u{A7CB}'..='\u{A7DC}'
            | '\u{10570}'..='\u{105BC}'
            | '\u{10D50}'..='\u{10D65}'
            | '\u{10D70}'..='\u{10D85}'
            | '\u{16EA0}'..='\u{16ED3}'
    )
}

/// `Character.toUpperCase(int)`, which maps one character to one.
pub fn to_upper(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let code = u32::from(c);
    let mapped = match code {
        _ if is_cased_later(c) => return c,
        // The full mapping of these has two characters, the simple one is the title case.
        0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7 => code + 8,
        0x1FB3 | 0x1FC3 | 0x1FF3 => code + 9,
        _ => {
            let mut full = c.to_uppercase();
            return match (full.next(), full.next()) {
                (Some(one), None) => one,
                _ => c,
            };
        }
    };
    char::from_u32(mapped).unwrap_or(c)
}

/// `Character.toLowerCase(int)`.
pub fn to_lower(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    if is_cased_later(c) {
        return c;
    }
    // One character has a longer full mapping, U+0130, and its simple mapping comes first in it.
    c.to_lowercase().next().unwrap_or(c)
}

/// What `equalsIgnoreCase` and `compareToIgnoreCase` compare.
pub fn fold(c: char) -> char {
    to_lower(to_upper(c))
}
