//! Which integration response answers for a status.
//!
//! Patterns are Java regexes over the whole status text; the first match in stored order wins, then
//! the entry without pattern. All of it is decided when the stage is compiled: a table says the
//! entry of every status an HTTP answer can have, and only a MOCK whose client chose an odd integer
//! is matched while a request waits.
//!
//! Source: facts, vtl section 16 and aws-recorded sections 25.3 and 26.

/// A table from status to integration response.
#[derive(Debug, Default)]
pub struct Selector {
    patterns: Box<[(Pattern, u16)]>,
    default: Option<u16>,
    /// Entry per status 100 to 999; empty if there are no patterns.
    table: Box<[u16]>,
}

const NO_ENTRY: u16 = u16::MAX;
const TABLE_START: i64 = 100;
const TABLE_END: i64 = 1_000;
/// Steps a pattern with look-around may take over one status text.
const BACKTRACK_MAX: usize = 10_000;

/// A Java regex over a whole text: `regex` in linear time, else `fancy-regex` under a limit.
#[derive(Debug)]
enum Pattern {
    Plain(regex::Regex),
    Fancy(Box<fancy_regex::Regex>),
}

impl Pattern {
    fn compile(text: &str) -> Result<Self, String> {
        let whole = format!(r"\A(?:{text})\z");
        if let Ok(pattern) = regex::Regex::new(&whole) {
            return Ok(Self::Plain(pattern));
        }
        fancy_regex::RegexBuilder::new(&whole)
            .backtrack_limit(BACKTRACK_MAX)
            .build()
            .map(|pattern| Self::Fancy(Box::new(pattern)))
            .map_err(|error| error.to_string())
    }

    /// A pattern that gives up has not matched.
    fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Plain(pattern) => pattern.is_match(text),
            Self::Fancy(pattern) => pattern.is_match(text).unwrap_or(false),
        }
    }
}

impl Selector {
    /// From the selection patterns of the integration responses in stored order.
    ///
    /// # Errors
    /// Index of the entry whose pattern is no regex, and why.
    pub fn compile<'a>(
        entries: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Result<Self, (usize, String)> {
        let mut patterns = Vec::new();
        let mut default = None;
        for (index, pattern) in entries.into_iter().enumerate() {
            let entry = u16::try_from(index)
                .ok()
                .filter(|&entry| entry != NO_ENTRY)
                .ok_or_else(|| (index, "there are too many integration responses".to_owned()))?;
            match pattern.filter(|pattern| !pattern.is_empty()) {
                Some(text) => {
                    patterns.push((Pattern::compile(text).map_err(|why| (index, why))?, entry));
                }
                None => {
                    default.get_or_insert(entry);
                }
            }
        }
        let mut selector = Self { patterns: patterns.into(), default, table: Box::default() };
        if !selector.patterns.is_empty() {
            selector.table = (TABLE_START..TABLE_END)
                .map(|status| selector.search(status).unwrap_or(NO_ENTRY))
                .collect();
        }
        Ok(selector)
    }

    fn search(&self, status: i64) -> Option<u16> {
        let text = status.to_string();
        let matching = self.patterns.iter().find(|(pattern, _)| pattern.is_match(&text));
        matching.map(|&(_, entry)| entry).or(self.default)
    }

    /// Index of the entry without pattern.
    pub fn default_entry(&self) -> Option<usize> {
        self.default.map(usize::from)
    }

    /// Index of the entry for a status; any integer for MOCK.
    #[inline]
    pub fn select(&self, status: i64) -> Option<usize> {
        let entry = if self.patterns.is_empty() {
            self.default
        } else if (TABLE_START..TABLE_END).contains(&status) {
            Some(self.table[(status - TABLE_START) as usize]).filter(|&entry| entry != NO_ENTRY)
        } else {
            self.search(status)
        };
        entry.map(usize::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_selects_the_first_whole_match_then_the_default() {
        for (patterns, cases) in [
            (
                &[Some(r"2\d{2}"), Some(r"4\d{2}"), Some("404"), None][..],
                &[(200, Some(0)), (404, Some(1)), (500, Some(3)), (0, Some(3)), (-1000, Some(3))][..],
            ),
            (&[Some("foobar")], &[(200, None), (1, None)]),
            (&[Some("20")], &[(200, None), (20, Some(0))]), // the whole text, not a part
            (&[Some(""), Some("200")], &[(200, Some(1)), (201, Some(0))]),
            (&[Some("200|5.."), None], &[(503, Some(0)), (2000, Some(1))]),
            (&[Some("(?!200)2.*"), None], &[(200, Some(1)), (201, Some(0))]),
            (&[Some(".*+")], &[(200, Some(0))]), // possessive
            (&[], &[(200, None)]),
            (&[None], &[(999, Some(0)), (200, Some(0))]),
        ] {
            let selector = Selector::compile(patterns.iter().copied()).unwrap();
            for &(status, want) in cases {
                assert_eq!(selector.select(status), want, "{patterns:?} and {status}");
            }
        }
        assert_eq!(Selector::compile([None, Some("(")]).unwrap_err().0, 1);
    }
}
