//! `pattern` and `patternProperties`: ECMA 262 expressions on engines whose work is bounded.
//!
//! An expression is spelled in Rust's syntax ([`ecma`](super::ecma)) and becomes, in this order:
//!
//! - a DFA, built when the schema is: immutable, no scratch, one table look-up per byte; and where
//!   every state leads to one other (`^[A-Z]{3}-[0-9]{4}$`), a list of what each byte has to be,
//!   whose look-ups need not wait for each other;
//! - where that grows too large, `regex`: linear time as well;
//! - with look-aheads that all stand at the beginning (`^(?=.*[A-Z])(?!.*\s).{8,}$`, as passwords
//!   are asked for), one of the above for each of them: all have to agree;
//! - with any other look-around, or back-references, `fancy-regex`, which steps back and is
//!   bounded: first to a few steps, then to many against a price. A match that reaches the bound
//!   ends the check.

use fancy_regex::RuntimeError;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, Input};

use crate::schema::check::{Exhausted, Fuel};
use crate::schema::ecma::{self, Translated};
use crate::schema::limits;

/// A compiled expression that is searched for anywhere in a text.
#[derive(Debug)]
pub(super) struct Pattern {
    /// As the schema writes it.
    pub(super) source: Box<str>,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Chain(Box<Chain>),
    Table(Table),
    Automaton(Box<dense::DFA<Vec<u32>>>),
    Linear(Box<regex::Regex>),
    /// What has to match, and what must not.
    All(Box<[(Engine, bool)]>),
    Backtracking(Box<Backtracking>),
}

/// A small DFA: a row of next states for each state, which takes half the instructions of the
/// general form.
#[derive(Debug)]
struct Table {
    /// Row 0 is that of the first state. Numbers are rows; [`Table::DEAD`] and [`Table::MATCHED`]
    /// have none.
    rows: Box<[[u8; 256]]>,
    /// Whether the text may end in a state.
    ends: Box<[bool]>,
}

/// A DFA whose states lead to one other each, the last one perhaps to itself.
#[derive(Debug)]
struct Chain {
    /// For each byte, one bit for each class that it is in.
    classes: [u8; 256],
    /// The class that each byte of a text has to be in, as its bit.
    steps: Box<[u8]>,
    /// The class of all further bytes; 0 if there may be none.
    further: u8,
    /// Whether a text may have as many bytes, up to all steps and any more.
    ends: Box<[bool]>,
}

#[derive(Debug)]
struct Backtracking {
    quick: fancy_regex::Regex,
    thorough: fancy_regex::Regex,
}

impl Pattern {
    /// Compiles ECMA's `source`. Gives the notes that its author should read as well.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn compile(source: &str) -> Result<(Self, Vec<String>), String> {
        if source.len() > limits::PATTERN_BYTES_MAX {
            return Err(format!("is longer than {} bytes", limits::PATTERN_BYTES_MAX));
        }
        let translated = ecma::translate(source)?;
        let engine = Engine::compile(&translated)?;
        Ok((Self { source: source.into(), engine }, translated.notes))
    }

    /// Whether `text`, which is UTF-8, has a match.
    #[inline(always)]
    pub(super) fn matches(&self, text: &[u8], fuel: &mut Fuel) -> Result<bool, Exhausted> {
        fuel.spend(1 + text.len() / limits::STEP_BYTES)?;
        match &self.engine {
            Engine::Chain(chain) => Ok(chain.matches(text)),
            Engine::Table(table) => Ok(table.matches(text)),
            other => other.matches(str::from_utf8(text).map_err(|_| Exhausted)?, fuel),
        }
    }
}

impl Engine {
    fn compile(translated: &Translated) -> Result<Self, String> {
        if !translated.looks_around {
            return Self::linear(&translated.rust);
        }
        if let Some(parts) = translated.conjunction() {
            let engines: Result<Vec<_>, String> = parts
                .into_iter()
                .map(|(part, wanted)| Ok((Self::linear(&part)?, wanted)))
                .collect();
            return Ok(Self::All(engines?.into_boxed_slice()));
        }
        let stepping = translated.stepping();
        let build = |backtracks: usize| {
            fancy_regex::RegexBuilder::new(&stepping)
                .backtrack_limit(backtracks)
                .delegate_size_limit(limits::PATTERN_PROGRAM_BYTES_MAX)
                .build()
                .map_err(|error| format!("is no expression that can be compiled: {error}"))
        };
        let quick = build(limits::PATTERN_BACKTRACKS_QUICK)?;
        let thorough = build(limits::PATTERN_BACKTRACKS_MAX)?;
        Ok(Self::Backtracking(Box::new(Backtracking { quick, thorough })))
    }

    fn linear(rust: &str) -> Result<Self, String> {
        let table = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .start_kind(StartKind::Unanchored)
                    .dfa_size_limit(Some(limits::PATTERN_TABLE_BYTES_MAX))
                    .determinize_size_limit(Some(limits::PATTERN_PROGRAM_BYTES_MAX)),
            )
            .thompson(
                thompson::Config::new()
                    .which_captures(WhichCaptures::None)
                    .nfa_size_limit(Some(limits::PATTERN_PROGRAM_BYTES_MAX)),
            )
            .build(rust);
        if let Ok(automaton) = table {
            return Ok(match Table::new(&automaton) {
                Some(table) => match Chain::new(&table) {
                    Some(chain) => Self::Chain(Box::new(chain)),
                    None => Self::Table(table),
                },
                None => Self::Automaton(Box::new(automaton)),
            });
        }
        regex::RegexBuilder::new(rust)
            .size_limit(limits::PATTERN_PROGRAM_BYTES_MAX)
            .build()
            .map(|linear| Self::Linear(Box::new(linear)))
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => "is too large when it is compiled".to_owned(),
                other => format!("is no expression that can be compiled: {other}"),
            })
    }

    fn matches(&self, text: &str, fuel: &mut Fuel) -> Result<bool, Exhausted> {
        match self {
            Self::Chain(chain) => Ok(chain.matches(text.as_bytes())),
            Self::Table(table) => Ok(table.matches(text.as_bytes())),
            // The search fails on bytes that Unicode's word boundaries give up on; `ecma` has none
            // of those.
            Self::Automaton(automaton) => {
                let input = Input::new(text).earliest(true);
                Ok(matches!(automaton.try_search_fwd(&input), Ok(Some(_))))
            }
            Self::Linear(linear) => Ok(linear.is_match(text)),
            Self::All(parts) => {
                for (engine, wanted) in parts {
                    if engine.matches(text, fuel)? != *wanted {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Backtracking(backtracking) => backtracking.matches(text, fuel),
        }
    }
}

impl Table {
    const DEAD: u8 = 255;
    const MATCHED: u8 = 254;

    /// `None` if there are too many states to number.
    fn new(automaton: &dense::DFA<Vec<u32>>) -> Option<Self> {
        let start = start::Config::new().anchored(Anchored::No);
        let mut states: Vec<StateID> = vec![automaton.start_state(&start).ok()?];
        let mut rows: Vec<[u8; 256]> = Vec::new();
        while let Some(&state) = states.get(rows.len()) {
            let mut row = [Self::DEAD; 256];
            for byte in 0..=255 {
                let next = automaton.next_state(state, byte);
                if automaton.is_quit_state(next) {
                    return None;
                }
                row[usize::from(byte)] = if automaton.is_dead_state(next) {
                    Self::DEAD
                } else if automaton.is_match_state(next) {
                    Self::MATCHED
                } else {
                    let known = states.iter().position(|&other| other == next);
                    let number = known.unwrap_or_else(|| {
                        states.push(next);
                        states.len() - 1
                    });
                    u8::try_from(number).ok().filter(|&number| number < Self::MATCHED)?
                };
            }
            rows.push(row);
        }
        let ends = |&state: &StateID| automaton.is_match_state(automaton.next_eoi_state(state));
        let ends = states.iter().map(ends).collect();
        Some(Self { rows: rows.into(), ends })
    }

    #[inline(always)]
    fn matches(&self, text: &[u8]) -> bool {
        let mut state = 0;
        for &byte in text {
            let Some(row) = self.rows.get(usize::from(state)) else { break };
            state = row[usize::from(byte)];
        }
        match self.ends.get(usize::from(state)) {
            Some(ends) => *ends,
            None => state == Self::MATCHED,
        }
    }
}

impl Chain {
    /// `None` if `table` is none, or has more than eight classes.
    fn new(table: &Table) -> Option<Self> {
        let mut sets: Vec<[bool; 256]> = Vec::new();
        let mut chain =
            Self { classes: [0; 256], steps: [].into(), further: 0, ends: table.ends.clone() };
        let mut steps = Vec::new();
        for (number, row) in table.rows.iter().enumerate() {
            let Some(&next) = row.iter().find(|&&next| next != Table::DEAD) else {
                // The end of the chain, behind which there is no state.
                return (number + 1 == table.rows.len())
                    .then(|| Self { steps: steps.into(), ..chain });
            };
            let set = row.map(|other| other != Table::DEAD);
            if row.iter().any(|&other| other != Table::DEAD && other != next) {
                return None;
            }
            let class = sets.iter().position(|other| *other == set).unwrap_or_else(|| {
                sets.push(set);
                sets.len() - 1
            });
            let bit = 1u8.checked_shl(class as u32)?;
            for (byte, _) in set.iter().enumerate().filter(|&(_, &member)| member) {
                chain.classes[byte] |= bit;
            }
            if usize::from(next) == number && number + 1 == table.rows.len() {
                chain.further = bit;
                return Some(Self { steps: steps.into(), ..chain });
            }
            if usize::from(next) != number + 1 {
                return None;
            }
            steps.push(bit);
        }
        None
    }

    #[inline(always)]
    fn matches(&self, text: &[u8]) -> bool {
        let known = text.len().min(self.steps.len());
        let (first, further) = text.split_at(known);
        let mut fits = self.ends[known];
        for (&byte, &step) in first.iter().zip(&self.steps) {
            fits &= self.classes[usize::from(byte)] & step != 0;
        }
        fits && further.iter().all(|&byte| self.classes[usize::from(byte)] & self.further != 0)
    }
}

impl Backtracking {
    #[cold]
    fn matches(&self, text: &str, fuel: &mut Fuel) -> Result<bool, Exhausted> {
        if text.len() > limits::PATTERN_BACKTRACKED_BYTES_MAX {
            return Err(Exhausted);
        }
        fuel.spend(limits::PATTERN_QUICK_STEPS + text.len())?;
        match self.quick.is_match(text) {
            Ok(matched) => return Ok(matched),
            Err(fancy_regex::Error::RuntimeError(RuntimeError::BacktrackLimitExceeded)) => {}
            Err(_) => return Err(Exhausted),
        }
        fuel.spend(limits::PATTERN_BACKTRACKS_MAX)?;
        self.thorough.is_match(text).map_err(|_| Exhausted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> Result<bool, Exhausted> {
        let (pattern, _) =
            Pattern::compile(pattern).unwrap_or_else(|why| panic!("{pattern} {why}"));
        pattern.matches(text.as_bytes(), &mut Fuel::new(1_000_000))
    }

    #[test]
    fn expressions_match_as_in_ecma_262() {
        for (pattern, text, want) in [
            ("b", "abc", true), // not anchored
            ("^b", "abc", false),
            ("a$", "a\n", false), // the end, not the last line
            ("^a", "b\na", false),
            ("a.c", "a\nc", false),
            ("a.c", "a\u{2028}c", false),
            ("a.c", "a\u{85}c", true),
            ("^.$", "💩", true),
            (r"^\d+$", "123", true),
            (r"^\d+$", "१२३", false),
            (r"^\w+$", "aé", false),
            (r"\bb", "éb", true), // é is no word character
            (r"é\b", "é", false),
            (r"^\s$", "\u{feff}", true),
            (r"^\s$", "\u{85}", false),
            (r"^\S$", "\u{85}", true),
            (r"^[\s\S]$", "\n", true),
            (r"^[^]$", "\n", true),
            ("a[]", "a", false),
            (r"^[\w.-]+@[\w-]+\.\w{2,}$", "a.b-c@ex-ample.com", true),
            (r"^[\w.-]+@[\w-]+\.\w{2,}$", "a b@example.com", false),
            (r"^[a\-z]+$", "-", true),
            (r"^[\d-x]+$", "1-x", true), // a hyphen beside a class is itself
            (r"^[&&~~[]+$", "&~[", true),
            (r"^[^\D]$", "7", true),
            (r"^[\W]$", "é", true),
            (r"^\u0041\x42\cJ\0$", "AB\n\0", true),
            (r"^\uD83D\uDCA9$", "💩", true),
            (r"^\u{1F4A9}$", "💩", true),
            (r"^\/\-\@\e$", "/-@e", true), // identity escapes
            ("^a{2}$", "aa", true),
            ("^a{,2}$", "a{,2}", true), // no quantifier
            ("^{a}$", "{a}", true),
            ("^a]$", "a]", true),
            ("^x*?$", "xx", true),
            ("^[\\b]$", "\u{8}", true),
            (r"^(a)(?:b)\1$", "aba", true),
            (r"^(?<x>a)\k<x>$", "aa", true),
            (r"^\p{Lu}+$", "ÄÖ", true),
            (r"(?<=\$)\d+", "cost $5", true),
            (r"(?<!\$)\b\d+", "cost $5", false),
            ("^a|b$", "xb", true),
            ("a#b c", "a#b c", true),
            ("^(?=.*[A-Z])(?=.*\\d)(?!.*\\s).{8,}$", "Passw0rdX", true),
            ("^(?=.*[A-Z])(?=.*\\d)(?!.*\\s).{8,}$", "passw0rdx", false),
            ("^(?=.*[A-Z])(?=.*\\d)(?!.*\\s).{8,}$", "Passw0rd X", false),
            ("^(?=.*[A-Z])(?=.*\\d)(?!.*\\s).{8,}$", "Pa5s", false),
            ("^(?!foo$|bar$).*$", "foo", false),
            ("^(?!foo$|bar$).*$", "food", true),
            ("^(?=a)b|c", "c", true), // the look-ahead belongs to one branch only
            ("(a+)+$", &format!("{}b", "a".repeat(5_000)), false), // linear
        ] {
            assert_eq!(matches(pattern, text), Ok(want), "{pattern} {text:?}");
        }
    }

    #[test]
    fn chains_are_found_and_agree_with_their_tables() {
        let texts = ["", "A", "AB", "ABC", "AB1", "ABCD", "A-1", "AAAAAAAAAAAA", "é", "AB\n", "ab"];
        for (source, is_chain) in [
            ("^[A-Z]{2}$", true),
            ("^[A-Z]{2,4}$", true),
            ("^A?B?$", false), // an `A` or a `B` may come first
            ("^[A-Z]-[0-9]+$", true),
            ("^A*$", true),
            ("^$", true),
            ("^[A-Z]{2}", false), // what follows does not matter
            ("^.$", false),       // é is two bytes, and begins with other bytes than A
            ("AB", false),
            ("^(AB|CD)$", false),
        ] {
            let rust = ecma::translate(source).unwrap().rust;
            let automaton = dense::DFA::new(&rust).unwrap();
            let table = Table::new(&automaton).unwrap();
            let chain = Chain::new(&table);
            assert_eq!(chain.is_some(), is_chain, "{source}");
            for text in texts {
                let want = regex::Regex::new(&rust).unwrap().is_match(text);
                assert_eq!(table.matches(text.as_bytes()), want, "{source} {text:?}");
                if let Some(chain) = &chain {
                    assert_eq!(chain.matches(text.as_bytes()), want, "{source} {text:?}");
                }
            }
        }
    }

    #[test]
    fn catastrophic_expressions_end_in_exhaustion() {
        let text = format!("{}b", "a".repeat(40));
        assert_eq!(matches(r"^((a+)\2*)+c$", &text), Err(Exhausted));
        assert_eq!(matches(r"(x)\1", &"x".repeat(200_000)), Err(Exhausted));
    }

    #[test]
    fn what_is_no_expression_is_refused_with_a_reason() {
        for pattern in [
            "(",
            ")",
            "*a",
            "a**",
            "a++",
            "[b-a]",
            "[a",
            "\\",
            "a{2}{3}",
            "(?a)",
            "a{3,2}",
            "(?i)a",
            r"\2(a)",
            r"\uD83D",
            "a{99999}{1}",
            "^*",
            "^(?=a)*b",
        ] {
            assert!(Pattern::compile(pattern).is_err(), "{pattern}");
        }
        assert!(Pattern::compile(&"a".repeat(limits::PATTERN_BYTES_MAX + 1)).is_err());
        assert!(Pattern::compile("((a{1000}){1000}){1000}").is_err());
    }
}
