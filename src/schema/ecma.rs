//! ECMA 262's regular expressions, spelled for Rust's engines.
//!
//! The same letters mean other things in the two: `\d`, `\w`, `\b` and `\s` are what the standard
//! lists and not what Unicode has, `.` stops at four line terminators, `$` is the very end, `[^]`
//! and `[]` are classes, a brace or bracket without a partner is itself, and a backslash before
//! anything without a meaning is that thing. Source: ECMA-262, "Patterns" and annex B.1.4.
//!
//! Look-behind, named groups and `\p{...}` came after draft 4. They are taken, with a note: the
//! validator of API Gateway has none of them.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

/// `\s`, as the inside of a class.
const SPACES: &str = r"\t\n\x0B\x0C\r \u{A0}\u{FEFF}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}";
const WORDS: &str = "0-9A-Za-z_";
/// `\b` and `\B`, whose words are ASCII. Nothing else in a translation looks like them: every
/// parenthesis that stands for itself is escaped.
const BOUNDARIES: [(&str, &str); 2] = [
    (r"(?-u:\b)", r"(?:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))"),
    (r"(?-u:\B)", r"(?:(?<=[0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<![0-9A-Za-z_])(?![0-9A-Za-z_]))"),
];

/// An expression in Rust's syntax.
#[derive(Debug, Default)]
pub(super) struct Translated {
    pub(super) rust: String,
    /// Whether it needs an engine that steps back.
    pub(super) looks_around: bool,
    /// What its author should know.
    pub(super) notes: Vec<String>,
    /// Look-aheads right after a leading `^`: where their inside is in `rust`, and what is wanted.
    heads: Vec<(usize, usize, bool)>,
    /// Look-arounds and references in all.
    looks: usize,
    /// Whether the outermost level has a `|`.
    alternates: bool,
    /// Where the rest begins, behind the look-aheads.
    body: usize,
}

impl Translated {
    /// The expression for an engine that steps back, which cannot turn Unicode off for a boundary.
    pub(super) fn stepping(&self) -> String {
        BOUNDARIES
            .iter()
            .fold(self.rust.clone(), |text, (plain, around)| text.replace(plain, around))
    }

    /// The expression as several without look-around that have to match, or not to: possible if all
    /// its look-aheads stand at the beginning.
    pub(super) fn conjunction(&self) -> Option<Vec<(String, bool)>> {
        if self.alternates || self.heads.is_empty() || self.heads.len() != self.looks {
            return None;
        }
        let anchored = |part: &str| format!(r"\A(?:{part})");
        let mut parts: Vec<_> = self
            .heads
            .iter()
            .map(|&(from, to, wanted)| (anchored(&self.rust[from..to]), wanted))
            .collect();
        parts.push((anchored(&self.rust[self.body..]), true));
        Some(parts)
    }
}

/// Spells `source` for Rust.
///
/// # Errors
/// What the expression's author got wrong.
pub(super) fn translate(source: &str) -> Result<Translated, String> {
    let groups = count_groups(source);
    let out = Translated::default();
    Translator { chars: source.chars().peekable(), groups, open: Vec::new(), out }.run()
}

/// Groups that capture, without those that only look like it inside of classes.
fn count_groups(source: &str) -> usize {
    let mut chars = source.chars().peekable();
    let (mut groups, mut class) = (0, false);
    while let Some(char) = chars.next() {
        match char {
            '\\' => drop(chars.next()),
            '[' => class = true,
            ']' => class = false,
            '(' if !class => {
                let rest: String = chars.clone().take(3).collect();
                let named =
                    rest.starts_with("?<") && !matches!(rest.as_bytes()[2..], [b'=' | b'!']);
                groups += usize::from(!rest.starts_with('?') || named);
            }
            _ => {}
        }
    }
    groups
}

/// What a quantifier would repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing, or an assertion.
    Nothing,
    Atom,
    Quantified,
}

struct Translator<'a> {
    chars: Peekable<Chars<'a>>,
    groups: usize,
    /// For every open group: the offset after its parenthesis, if it may become a head, and
    /// whether such a head is wanted.
    open: Vec<Option<(usize, bool)>>,
    out: Translated,
}

/// One element of a class.
enum Item {
    Char(char),
    Set(String),
}

impl Translator<'_> {
    fn run(mut self) -> Result<Translated, String> {
        let mut last = Last::Nothing;
        // Nothing but `^` and look-aheads so far.
        let mut leading = false;
        let mut first = true;
        while let Some(char) = self.chars.next() {
            let head = leading && self.open.is_empty();
            let mut still_leading = false;
            last = match char {
                '^' => {
                    self.out.rust.push('^');
                    still_leading = first;
                    self.out.body = self.out.rust.len();
                    Last::Nothing
                }
                '$' => {
                    self.out.rust.push_str(r"\z");
                    Last::Nothing
                }
                '|' => {
                    self.out.alternates |= self.open.is_empty();
                    self.out.rust.push('|');
                    Last::Nothing
                }
                '(' => {
                    self.group(head)?;
                    still_leading = head && self.open.last().is_some_and(Option::is_some);
                    Last::Nothing
                }
                ')' => {
                    let opened = self.open.pop().ok_or("has a `)` without its `(`")?;
                    let inside_end = self.out.rust.len();
                    self.out.rust.push(')');
                    match opened {
                        Some((from, wanted)) => {
                            self.out.heads.push((from, inside_end, wanted));
                            self.out.body = self.out.rust.len();
                            still_leading = true;
                            Last::Nothing
                        }
                        None => Last::Atom,
                    }
                }
                '*' | '+' | '?' => {
                    self.quantifier(last, &char.to_string())?;
                    Last::Quantified
                }
                '{' => match self.counts()? {
                    Some(counts) => {
                        self.quantifier(last, &counts)?;
                        Last::Quantified
                    }
                    None => {
                        self.out.rust.push_str(r"\{");
                        Last::Atom
                    }
                },
                '.' => {
                    self.out.rust.push_str(r"[^\n\r\u{2028}\u{2029}]");
                    Last::Atom
                }
                '[' => {
                    self.class()?;
                    Last::Atom
                }
                '\\' => self.escape()?,
                other => {
                    push_literal(&mut self.out.rust, other);
                    Last::Atom
                }
            };
            // Inside of a head everything may stand; only its outermost level is leading or not.
            leading = still_leading || (leading && self.inside_head());
            first = false;
        }
        if !self.open.is_empty() {
            return Err("has a `(` without its `)`".to_owned());
        }
        self.out.looks_around = self.out.looks > 0;
        Ok(self.out)
    }

    fn inside_head(&self) -> bool {
        self.open.first().is_some_and(Option::is_some)
    }

    fn note(&mut self, note: &str) {
        if !self.out.notes.iter().any(|other| other == note) {
            self.out.notes.push(note.to_owned());
        }
    }

    /// Everything after `(`.
    fn group(&mut self, head: bool) -> Result<(), String> {
        self.out.rust.push('(');
        if self.chars.next_if_eq(&'?').is_none() {
            self.open.push(None);
            return Ok(());
        }
        self.out.rust.push('?');
        let kind = self.chars.next();
        self.out.rust.extend(kind);
        match kind {
            Some(':') => self.open.push(None),
            Some(look @ ('=' | '!')) => {
                self.out.looks += 1;
                self.open.push(head.then_some((self.out.rust.len(), look == '=')));
            }
            Some('<') => {
                if let Some(look) = self.chars.next_if(|&next| matches!(next, '=' | '!')) {
                    self.out.rust.push(look);
                    self.out.looks += 1;
                    self.note("looks behind, which API Gateway's validator cannot");
                } else {
                    self.note("names a group, which API Gateway's validator cannot");
                    let name = self.name()?;
                    write!(self.out.rust, "{name}>").expect("a string takes whatever is written");
                }
                self.open.push(None);
            }
            _ => return Err("has `(?` before something that is no kind of group".to_owned()),
        }
        Ok(())
    }

    /// A group's name and the bracket after it.
    fn name(&mut self) -> Result<String, String> {
        let name: String = std::iter::from_fn(|| self.chars.next_if(|&next| next != '>')).collect();
        let valid = name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
        if self.chars.next().is_none() || name.is_empty() || !valid {
            return Err("has a group whose name is not letters, digits and `_`".to_owned());
        }
        Ok(name)
    }

    fn quantifier(&mut self, last: Last, quantifier: &str) -> Result<(), String> {
        if last != Last::Atom {
            return Err(format!("has `{quantifier}` with nothing to repeat before it"));
        }
        self.out.rust.push_str(quantifier);
        if self.chars.next_if_eq(&'?').is_some() {
            self.out.rust.push('?');
        }
        Ok(())
    }

    /// The counts after `{`, if that is what stands there.
    fn counts(&mut self) -> Result<Option<String>, String> {
        let mut ahead = self.chars.clone();
        let inside: String = ahead.by_ref().take_while(|&char| char != '}').collect();
        let (least, most) =
            inside.split_once(',').map_or((&inside[..], None), |(a, b)| (a, Some(b)));
        let number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let closed = self.chars.clone().nth(inside.chars().count()) == Some('}');
        if !closed || !number(least) || !most.is_none_or(|most| most.is_empty() || number(most)) {
            return Ok(None);
        }
        self.chars = ahead;
        if let (Ok(least), Some(Ok(most))) = (least.parse::<u64>(), most.map(str::parse::<u64>))
            && least > most
        {
            return Err(format!("has `{{{inside}}}`, whose counts are out of order"));
        }
        Ok(Some(format!("{{{inside}}}")))
    }

    /// Everything after a backslash outside of a class.
    fn escape(&mut self) -> Result<Last, String> {
        let rust = &mut self.out.rust;
        let next = self.chars.next().ok_or("ends in a backslash")?;
        match next {
            // Words are ASCII, and so are their boundaries.
            'b' | 'B' => {
                write!(rust, r"(?-u:\{next})").expect("a string takes whatever is written");
                return Ok(Last::Nothing);
            }
            '1'..='9' => {
                let mut number = String::from(next);
                number.extend(std::iter::from_fn(|| self.chars.next_if(char::is_ascii_digit)));
                if number.parse::<usize>().map_or(true, |number| number > self.groups) {
                    return Err(format!(r"has `\{number}`, but no group of that number"));
                }
                write!(rust, r"(?:\{number})").expect("a string takes whatever is written");
                self.out.looks += 1;
            }
            'k' if self.chars.next_if_eq(&'<').is_some() => {
                let name = self.name()?;
                write!(self.out.rust, r"(?:\k<{name}>)")
                    .expect("a string takes whatever is written");
                self.out.looks += 1;
            }
            other => match self.class_escape(other)? {
                Item::Char(char) => push_literal(&mut self.out.rust, char),
                Item::Set(set) => {
                    write!(self.out.rust, "[{set}]").expect("a string takes whatever is written");
                }
            },
        }
        Ok(Last::Atom)
    }

    /// What an escape means that is the same inside and outside of a class.
    fn class_escape(&mut self, escaped: char) -> Result<Item, String> {
        Ok(match escaped {
            'd' => Item::Set("0-9".to_owned()),
            'D' => Item::Set("[^0-9]".to_owned()),
            'w' => Item::Set(WORDS.to_owned()),
            'W' => Item::Set(format!("[^{WORDS}]")),
            's' => Item::Set(SPACES.to_owned()),
            'S' => Item::Set(format!("[^{SPACES}]")),
            't' => Item::Char('\t'),
            'n' => Item::Char('\n'),
            'v' => Item::Char('\u{B}'),
            'f' => Item::Char('\u{C}'),
            'r' => Item::Char('\r'),
            '0' => Item::Char('\0'),
            'c' => match self.chars.next_if(char::is_ascii_alphabetic) {
                Some(letter) => Item::Char(char::from(letter as u8 % 32)),
                None => Item::Char('c'),
            },
            'x' => self.hex(2).map_or(Item::Char('x'), |code| Item::Char(char::from(code as u8))),
            'u' => Item::Char(self.unicode()?),
            'p' | 'P' if self.chars.peek() == Some(&'{') => {
                self.note(r"has `\p{...}`, which API Gateway's validator reads as letters");
                self.chars.next();
                let name: String =
                    std::iter::from_fn(|| self.chars.next_if(|&next| next != '}')).collect();
                self.chars.next();
                Item::Set(format!(r"\{escaped}{{{name}}}"))
            }
            other => Item::Char(other),
        })
    }

    /// `count` hex digits, if they are there.
    fn hex(&mut self, count: usize) -> Option<u32> {
        let mut ahead = self.chars.clone();
        let mut value = 0;
        for _ in 0..count {
            value = value << 4 | ahead.next()?.to_digit(16)?;
        }
        self.chars = ahead;
        Some(value)
    }

    /// The character of `\u`.
    fn unicode(&mut self) -> Result<char, String> {
        if self.chars.next_if_eq(&'{').is_some() {
            let digits: String =
                std::iter::from_fn(|| self.chars.next_if(|&next| next != '}')).collect();
            self.chars.next();
            return u32::from_str_radix(&digits, 16)
                .ok()
                .and_then(char::from_u32)
                .ok_or_else(|| format!(r"has `\u{{{digits}}}`, which is no character"));
        }
        let Some(first) = self.hex(4) else { return Ok('u') };
        let mut code = first;
        if (0xD800..0xDC00).contains(&first) {
            let ahead = self.chars.clone();
            if self.chars.next() == Some('\\')
                && self.chars.next() == Some('u')
                && let Some(second @ 0xDC00..0xE000) = self.hex(4)
            {
                code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            } else {
                self.chars = ahead;
            }
        }
        char::from_u32(code).ok_or_else(|| {
            format!(
                r"has `\u{first:04X}`, half of a character; write both halves outside of `[...]`"
            )
        })
    }

    /// Everything after `[`.
    fn class(&mut self) -> Result<(), String> {
        let negated = self.chars.next_if_eq(&'^').is_some();
        let mut inside = String::new();
        loop {
            let item = match self.item()? {
                None => break,
                Some(item) => item,
            };
            let ranges = self.chars.peek() == Some(&'-')
                && !matches!(self.chars.clone().nth(1), Some(']') | None);
            if !ranges {
                push_item(&mut inside, &item);
                continue;
            }
            self.chars.next();
            let Some(end) = self.item()? else {
                return Err("has a `[` without its `]`".to_owned());
            };
            match (&item, &end) {
                (Item::Char(first), Item::Char(last)) if first > last => {
                    return Err(format!("has the range `{first}-{last}`, which is out of order"));
                }
                (Item::Char(_), Item::Char(_)) => {
                    push_item(&mut inside, &item);
                    inside.push('-');
                    push_item(&mut inside, &end);
                }
                // Annex B: a hyphen beside a set is a hyphen.
                _ => {
                    push_item(&mut inside, &item);
                    push_item(&mut inside, &Item::Char('-'));
                    push_item(&mut inside, &end);
                }
            }
        }
        match (inside.is_empty(), negated) {
            (true, true) => self.out.rust.push_str("(?s:.)"),
            (true, false) => self.out.rust.push_str("[a&&b]"),
            (false, _) => {
                let caret = if negated { "^" } else { "" };
                write!(self.out.rust, "[{caret}{inside}]").expect("a string takes what is written");
            }
        }
        Ok(())
    }

    /// The next element of a class; `None` at its end.
    fn item(&mut self) -> Result<Option<Item>, String> {
        Ok(Some(match self.chars.next().ok_or("has a `[` without its `]`")? {
            ']' => return Ok(None),
            '\\' => match self.chars.next().ok_or("ends in a backslash")? {
                'b' => Item::Char('\u{8}'),
                other => self.class_escape(other)?,
            },
            other => Item::Char(other),
        }))
    }
}

fn push_item(inside: &mut String, item: &Item) {
    match item {
        Item::Char(char) => push_literal(inside, *char),
        Item::Set(set) => inside.push_str(set),
    }
}

/// Appends a character that stands for itself, inside of a class and outside.
fn push_literal(rust: &mut String, char: char) {
    if char.is_ascii_alphanumeric() || !char.is_ascii() {
        rust.push(char);
    } else {
        write!(rust, r"\x{:02X}", u32::from(char)).expect("a string takes whatever is written");
    }
}
