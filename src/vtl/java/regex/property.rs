//! The names of `\p{…}`, translated to those of the `regex` crate.

use super::ast::Set;

/// The property of title case, as opposed to the category, when case is ignored.
const TITLE_CASE: &str = "gc=Lt";

/// `set` when case is ignored. Java widens the sets of one case to those of every case, and folds
/// nothing else that has a name.
pub(super) fn caseless(set: Set) -> Set {
    let (lower, upper) = (Set::of(&[('a', 'z')]), Set::of(&[('A', 'Z')]));
    match &set {
        Set::Ranges(_) if set == lower || set == upper => lower.or(upper),
        Set::Property(name) => match name.as_str() {
            "Lu" | "Ll" | "Lt" => Set::properties(&["Lu", "Ll", "Lt"]),
            "Lowercase" | "Uppercase" | TITLE_CASE => {
                Set::properties(&["Lowercase", "Uppercase", "Lt"])
            }
            _ => set,
        },
        _ => set,
    }
}

/// Java's predefined classes that mean something else under `(?U)`.
pub(super) fn posix(name: &str, unicode: bool) -> Option<Set> {
    if unicode { posix_unicode(name) } else { posix_ascii(name) }
}

fn posix_ascii(name: &str) -> Option<Set> {
    Some(match name {
        "Lower" => Set::of(&[('a', 'z')]),
        "Upper" => Set::of(&[('A', 'Z')]),
        "ASCII" => Set::of(&[('\0', '\x7F')]),
        "Alpha" => Set::of(&[('a', 'z'), ('A', 'Z')]),
        "Digit" => Set::of(&[('0', '9')]),
        "Alnum" => Set::of(&[('a', 'z'), ('A', 'Z'), ('0', '9')]),
        "Punct" => Set::of(&[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
        "Graph" => Set::of(&[('!', '~')]),
        "Print" => Set::of(&[(' ', '~')]),
        "Blank" => Set::of(&[(' ', ' '), ('\t', '\t')]),
        "Cntrl" => Set::of(&[('\0', '\x1F'), ('\x7F', '\x7F')]),
        "XDigit" => Set::of(&[('0', '9'), ('a', 'f'), ('A', 'F')]),
        "Space" => Set::of(&[('\t', '\r'), (' ', ' ')]),
        _ => return None,
    })
}

fn posix_unicode(name: &str) -> Option<Set> {
    let visible = || Set::properties(&["White_Space", "Cc", "Cn"]).not();
    let blank = || Set::property("Zs").or(Set::of(&[('\t', '\t')]));
    Some(match name.to_ascii_uppercase().as_str() {
        "ALPHA" => Set::property("Alphabetic"),
        "LOWER" => Set::property("Lowercase"),
        "UPPER" => Set::property("Uppercase"),
        "SPACE" => Set::property("White_Space"),
        "PUNCT" => Set::property("P"),
        "XDIGIT" => Set::property("Nd").or(Set::of(&[
            ('A', 'F'),
            ('a', 'f'),
            ('\u{FF21}', '\u{FF26}'),
            ('\u{FF41}', '\u{FF46}'),
        ])),
        "ALNUM" => Set::properties(&["Alphabetic", "Nd"]),
        "CNTRL" => Set::property("Cc"),
        "DIGIT" => Set::property("Nd"),
        "BLANK" => blank(),
        "GRAPH" => visible(),
        "PRINT" => visible().or(blank()).and(Set::property("Cc").not()),
        _ => return None,
    })
}

/// `\p{javaLowerCase}` and the like, which ask `java.lang.Character`.
pub(super) fn java(name: &str) -> Option<Set> {
    let ignorable =
        || Set::property("Cf").or(Set::of(&[('\0', '\x08'), ('\x0E', '\x1B'), ('\x7F', '\u{9F}')]));
    Some(match name {
        "javaLowerCase" => Set::property("Lowercase"),
        "javaUpperCase" => Set::property("Uppercase"),
        "javaAlphabetic" => Set::property("Alphabetic"),
        "javaIdeographic" => Set::property("Ideographic"),
        "javaTitleCase" => Set::property(TITLE_CASE),
        "javaDigit" => Set::property("Nd"),
        "javaDefined" => Set::property("Cn").not(),
        "javaLetter" => Set::property("L"),
        "javaLetterOrDigit" => Set::properties(&["L", "Nd"]),
        "javaSpaceChar" => Set::property("Z"),
        "javaWhitespace" => {
            let breaking = Set::of(&[
                ('\u{A0}', '\u{A0}'),
                ('\u{2007}', '\u{2007}'),
                ('\u{202F}', '\u{202F}'),
            ])
            .not();
            Set::property("Z").and(breaking).or(Set::of(&[('\t', '\r'), ('\x1C', '\x1F')]))
        }
        "javaISOControl" => Set::property("Cc"),
        "javaIdentifierIgnorable" => ignorable(),
        "javaJavaIdentifierStart" => Set::properties(&["L", "Nl", "Sc", "Pc"]),
        "javaJavaIdentifierPart" => {
            Set::properties(&["L", "Nl", "Sc", "Pc", "Nd", "Mn", "Mc"]).or(ignorable())
        }
        "javaUnicodeIdentifierStart" => Set::property("ID_Start"),
        "javaUnicodeIdentifierPart" => Set::property("ID_Continue").or(ignorable()),
        _ => return None,
    })
}

/// A general category by its short name, with Java's additions.
pub(super) fn category(name: &str) -> Option<Set> {
    Some(match name {
        "LD" => Set::properties(&["L", "Nd"]),
        "LC" => Set::properties(&["Lu", "Ll", "Lt"]),
        "L1" => Set::of(&[('\0', '\u{FF}')]),
        "all" => Set::of(&[('\0', '\u{10FFFF}')]),
        // Halves of pairs are not in our text.
        "Cs" => Set::empty(),
        "C" | "Cc" | "Cf" | "Cn" | "Co" | "L" | "Ll" | "Lm" | "Lo" | "Lt" | "Lu" | "M" | "Mc"
        | "Me" | "Mn" | "N" | "Nd" | "Nl" | "No" | "P" | "Pc" | "Pd" | "Pe" | "Pf" | "Pi"
        | "Po" | "Ps" | "S" | "Sc" | "Sk" | "Sm" | "So" | "Z" | "Zl" | "Zp" | "Zs" => {
            Set::property(name)
        }
        _ => return None,
    })
}

/// `\p{IsAlphabetic}` and the like, in any case.
pub(super) fn binary(name: &str) -> Option<Set> {
    Some(match name.to_ascii_uppercase().as_str() {
        "ALPHABETIC" => Set::property("Alphabetic"),
        "LETTER" => Set::property("L"),
        "IDEOGRAPHIC" => Set::property("Ideographic"),
        "LOWERCASE" => Set::property("Lowercase"),
        "UPPERCASE" => Set::property("Uppercase"),
        "TITLECASE" => Set::property(TITLE_CASE),
        "WHITE_SPACE" | "WHITESPACE" => Set::property("White_Space"),
        "CONTROL" => Set::property("Cc"),
        "PUNCTUATION" => Set::property("P"),
        "HEX_DIGIT" | "HEXDIGIT" => posix_unicode("XDIGIT")?,
        "ASSIGNED" => Set::property("Cn").not(),
        "NONCHARACTER_CODE_POINT" | "NONCHARACTERCODEPOINT" => {
            Set::property("Noncharacter_Code_Point")
        }
        "JOIN_CONTROL" | "JOINCONTROL" => Set::property("Join_Control"),
        "DIGIT" => Set::property("Nd"),
        "ALNUM" | "BLANK" | "GRAPH" | "PRINT" => posix_unicode(name)?,
        "WORD" => word(),
        _ => return None,
    })
}

/// `\w` under `(?U)`.
pub(super) fn word() -> Set {
    Set::properties(&["Alphabetic", "M", "Nd", "Pc", "Join_Control"])
}

/// A script by its name or code, if the `regex` crate knows it.
pub(super) fn script(name: &str) -> Option<Set> {
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    let property = format!("sc={name}");
    (plain && regex::Regex::new(&format!("\\p{{{property}}}")).is_ok())
        .then_some(Set::Property(property))
}

/// A block of characters by its name, blanks, hyphens and underscores aside. The common ones.
pub(super) fn block(name: &str) -> Option<Set> {
    if name.starts_with(' ') || name.ends_with(' ') {
        return None;
    }
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let (low, high) = match plain.as_str() {
        "basiclatin" => (0x0000, 0x007F),
        "latin1supplement" => (0x0080, 0x00FF),
        "latinextendeda" => (0x0100, 0x017F),
        "latinextendedb" => (0x0180, 0x024F),
        "ipaextensions" => (0x0250, 0x02AF),
        "spacingmodifierletters" => (0x02B0, 0x02FF),
        "combiningdiacriticalmarks" => (0x0300, 0x036F),
        "greek" | "greekandcoptic" => (0x0370, 0x03FF),
        "cyrillic" => (0x0400, 0x04FF),
        "cyrillicsupplement" | "cyrillicsupplementary" => (0x0500, 0x052F),
        "armenian" => (0x0530, 0x058F),
        "hebrew" => (0x0590, 0x05FF),
        "arabic" => (0x0600, 0x06FF),
        "devanagari" => (0x0900, 0x097F),
        "bengali" => (0x0980, 0x09FF),
        "tamil" => (0x0B80, 0x0BFF),
        "thai" => (0x0E00, 0x0E7F),
        "georgian" => (0x10A0, 0x10FF),
        "hanguljamo" => (0x1100, 0x11FF),
        "latinextendedadditional" => (0x1E00, 0x1EFF),
        "greekextended" => (0x1F00, 0x1FFF),
        "generalpunctuation" => (0x2000, 0x206F),
        "superscriptsandsubscripts" => (0x2070, 0x209F),
        "currencysymbols" => (0x20A0, 0x20CF),
        "letterlikesymbols" => (0x2100, 0x214F),
        "numberforms" => (0x2150, 0x218F),
        "arrows" => (0x2190, 0x21FF),
        "mathematicaloperators" => (0x2200, 0x22FF),
        "boxdrawing" => (0x2500, 0x257F),
        "geometricshapes" => (0x25A0, 0x25FF),
        "miscellaneoussymbols" => (0x2600, 0x26FF),
        "dingbats" => (0x2700, 0x27BF),
        "cjksymbolsandpunctuation" => (0x3000, 0x303F),
        "hiragana" => (0x3040, 0x309F),
        "katakana" => (0x30A0, 0x30FF),
        "cjkunifiedideographs" => (0x4E00, 0x9FFF),
        "hangulsyllables" => (0xAC00, 0xD7AF),
        "privateusearea" => (0xE000, 0xF8FF),
        "cjkcompatibilityideographs" => (0xF900, 0xFAFF),
        "halfwidthandfullwidthforms" => (0xFF00, 0xFFEF),
        "specials" => (0xFFF0, 0xFFFF),
        "emoticons" => (0x1F600, 0x1F64F),
        _ => return None,
    };
    Some(Set::Ranges(vec![(low, high)]))
}
