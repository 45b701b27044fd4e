//! The regular expressions of `=~`: Java's syntax, matched by Rust's engines.
//!
//! `regex` runs what it can in linear time. Look-around, back-references and possessive
//! repetitions go to `fancy-regex`, under a bound on its steps back; a match that reaches the bound
//! is no match. What Java means by `\d`, `\w`, `\s` and `.` is spelled out, since Rust means
//! Unicode. Known differences: `(?i)` folds all letters here and ASCII in Java; `\p{...}` names
//! that only Java has (`\p{javaLowerCase}`) are refused.

use crate::json::limits::{REGEX_BACKTRACKS_MAX, REGEX_BYTES_MAX};

/// A compiled pattern that matches whole strings.
#[derive(Debug)]
pub(super) enum Pattern {
    Linear(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
}

impl Pattern {
    /// Compiles Java's `pattern`; `None` where neither engine can.
    pub(super) fn compile(pattern: &str, ignore_case: bool) -> Option<Self> {
        let flags = if ignore_case { "(?i)" } else { "" };
        let whole = format!(r"{flags}\A(?:{})\z", translate(pattern));
        let linear = regex::RegexBuilder::new(&whole).size_limit(REGEX_BYTES_MAX).build();
        if let Ok(linear) = linear {
            return Some(Self::Linear(linear));
        }
        fancy_regex::RegexBuilder::new(&whole)
            .backtrack_limit(REGEX_BACKTRACKS_MAX)
            .delegate_size_limit(REGEX_BYTES_MAX)
            .build()
            .ok()
            .map(|pattern| Self::Backtracking(Box::new(pattern)))
    }

    /// Whether all of `text` matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Linear(pattern) => pattern.is_match(text),
            Self::Backtracking(pattern) => pattern.is_match(text).unwrap_or(false),
        }
    }
}

/// Java's syntax → Rust's, where the same letters mean something else.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars();
    let mut class = 0usize;
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                None => out.push('\\'),
                Some('Q') => {
                    let rest = chars.as_str();
                    let (quoted, after) = rest.split_once(r"\E").unwrap_or((rest, ""));
                    out.push_str(&regex::escape(quoted));
                    chars = after.chars();
                }
                Some('d') => out.push_str(if class > 0 { "0-9" } else { "[0-9]" }),
                Some('w') => out.push_str(if class > 0 { "a-zA-Z0-9_" } else { "[a-zA-Z0-9_]" }),
                Some('s') => {
                    out.push_str(if class > 0 { r" \t\n\x0B\f\r" } else { r"[ \t\n\x0B\f\r]" });
                }
                Some('D') => out.push_str("[^0-9]"),
                Some('W') => out.push_str("[^a-zA-Z0-9_]"),
                Some('S') => out.push_str(r"[^ \t\n\x0B\f\r]"),
                Some('h') => out.push_str(
                    r"[ \t\xA0\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]",
                ),
                Some('R') => out.push_str(r"(?:\r\n|[\n\x0B\f\r\x{85}\x{2028}\x{2029}])"),
                Some('Z') => out.push_str(r"(?:\n?\z)"),
                Some('e') => out.push_str(r"\x1B"),
                // A slash needs no escape in Rust, and has none.
                Some('/') => out.push('/'),
                Some(other) => out.extend(['\\', other]),
            },
            '.' if class == 0 => out.push_str(r"[^\n\r\x{85}\x{2028}\x{2029}]"),
            '[' => {
                class += 1;
                out.push('[');
                // A bracket right after the opening one is a nested class in Java, too.
                if let Some(rest) = chars.as_str().strip_prefix('^') {
                    out.push('^');
                    chars = rest.chars();
                }
            }
            ']' => {
                class = class.saturating_sub(1);
                out.push(']');
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_java() {
        for (pattern, ignore_case, text, want) in [
            ("a.c", false, "abc", true),
            ("a.c", false, "abcd", false), // the whole string, or nothing
            ("a.c", false, "a\nc", false),
            ("a.c", false, "a\u{2028}c", false),
            ("ABC", true, "abc", true),
            (r"\d+", false, "123", true),
            (r"\d+", false, "१२३", false),
            (r"[\w-]+", false, "a-b_c", true),
            (r"[^\s]+", false, "a\u{a0}b", true),
            (r"\Qa.b\E+", false, "a.bb", true),
            (r"(?=a)\w+", false, "abc", true), // look-around
            (r"(a)\1", false, "aa", true),
            (r"a++b", false, "aab", true), // possessive
            ("[a-z&&[^b]]+", false, "ac", true),
            ("[a-z&&[^b]]+", false, "abc", false),
            ("a|bc", false, "a", true),
            ("a|bc", false, "bc", true),
            ("(a+)+$", false, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false),
            (r"(?=a)(a+)+\1b", false, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            let compiled = Pattern::compile(pattern, ignore_case).expect(pattern);
            assert_eq!(compiled.matches(text), want, "{pattern} {text:?}");
        }
        assert!(Pattern::compile("(", false).is_none());
        assert!(Pattern::compile("*", false).is_none());
    }
}
