//! A path's text → its tokens, character by character as Jayway 2.0.0's `PathCompiler` does it.
//!
//! The compiler cuts the text into fragments (`['a']`, `[0]`, `..`) without a look at quotes, and
//! then takes each fragment by its first telling character. Both steps are kept: `$.it's` is the
//! member `it`, and `["a1"]` the element 1.

use super::filter;
use super::{Function, JsonPath, PathError, PathErrorKind, Select, Step, Token, Tokens};
use crate::json::limits::{PATH_BYTES_MAX, PATH_STEPS_MAX};
use crate::json::tape::Key;

pub(super) fn compile(text: &str) -> Result<JsonPath, PathError> {
    let (tokens, functions) = compile_tokens(text, 0)?;
    let simple = simple_steps(&tokens.list);
    let function = functions.then(|| function_of(&tokens.list)).flatten();
    Ok(JsonPath { tokens, simple: if function.is_some() { None } else { simple }, function })
}

/// The tokens of `text`, which stands at byte `offset` of the whole path, and whether the last of
/// them was written `.name`, as a function's is.
pub(super) fn compile_tokens(text: &str, offset: usize) -> Result<(Tokens, bool), PathError> {
    let fail = |kind| Err(PathError { at: offset, kind });
    if text.len() > PATH_BYTES_MAX {
        return fail(PathErrorKind::TooLong);
    }
    let path = text.trim_matches(|char| char <= ' ');
    if path.is_empty() {
        return fail(PathErrorKind::Empty);
    }
    if path.ends_with("..") {
        return fail(PathErrorKind::UnexpectedEnd);
    }
    let offset = offset + (text.len() - text.trim_start_matches(|char| char <= ' ').len());
    let from_root = !path.starts_with('@');
    let rest = path.strip_prefix(['$', '@']);
    let mut cursor = Cursor {
        chars: rest.unwrap_or(path).chars().collect(),
        // Where a character of `chars` stands in the whole path, to say so in errors.
        offset: offset + (path.len() - rest.unwrap_or(path).len()),
        at: 0,
    };
    if rest.is_none() {
        cursor.chars.insert(0, '.');
        cursor.offset = cursor.offset.saturating_sub(1);
    }
    if !matches!(cursor.chars.first(), None | Some('.' | '[')) {
        return cursor.fail(PathErrorKind::AfterRoot);
    }

    let mut list = Vec::new();
    let mut dotted = false;
    while let Some(char) = cursor.peek() {
        if list.len() >= PATH_STEPS_MAX {
            return cursor.fail(PathErrorKind::TooLong);
        }
        dotted = false;
        list.push(match char {
            ' ' => return cursor.fail(PathErrorKind::Space),
            '$' => {
                cursor.at += 1;
                Token::Here
            }
            '[' => {
                let fragment = cursor.brackets();
                analyze(&fragment)?
            }
            '.' => {
                cursor.at += 1;
                match cursor.peek() {
                    None => return cursor.fail(PathErrorKind::UnexpectedEnd),
                    Some('.') => {
                        cursor.at += 1;
                        Token::Scan
                    }
                    Some(_) => {
                        let name = cursor.name();
                        if name.is_empty() {
                            continue;
                        }
                        if name == ['*'] {
                            Token::Wildcard
                        } else {
                            dotted = true;
                            members(&name)
                        }
                    }
                }
            }
            '*' => {
                cursor.at += 1;
                Token::Wildcard
            }
            _ => members(&cursor.name()),
        });
    }
    Ok((Tokens::new(list, from_root), dotted))
}

impl Tokens {
    fn new(list: Vec<Token>, from_root: bool) -> Self {
        let definite_from =
            list.iter().rposition(|token| !token.is_definite()).map_or(0, |at| at + 1);
        // Jayway asks whether everything from the token before this one on is definite. (It means
        // to ask about everything up to this one.) The token before the first is the root.
        let strict = (0..list.len()).map(|at| at.saturating_sub(1) >= definite_from).collect();
        Self { list, strict, definite: definite_from == 0, from_root }
    }
}

/// The characters of a path and a place among them.
struct Cursor {
    chars: Vec<char>,
    offset: usize,
    at: usize,
}

impl Cursor {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn fail<T>(&self, kind: PathErrorKind) -> Result<T, PathError> {
        let before: usize = self.chars[..self.at].iter().map(|char| char.len_utf8()).sum();
        Err(PathError { at: self.offset + before, kind })
    }

    /// The characters up to the next `.`, `[` or space.
    fn name(&mut self) -> Vec<char> {
        let rest = &self.chars[self.at..];
        let len = rest.iter().position(|char| matches!(char, '.' | '[' | ' '));
        let name = rest[..len.unwrap_or(rest.len())].to_vec();
        self.at += name.len();
        name
    }

    /// The characters from a `[` to the `]` that closes it, or to the end. Quotes do not count.
    fn brackets(&mut self) -> Fragment {
        let rest = &self.chars[self.at..];
        let mut open = 0usize;
        let mut len = rest.len();
        for (index, char) in rest.iter().enumerate() {
            match char {
                '[' => open += 1,
                ']' => {
                    open -= 1;
                    if open == 0 {
                        len = index + 1;
                        break;
                    }
                }
                _ => {}
            }
        }
        let before: usize = self.chars[..self.at].iter().map(|char| char.len_utf8()).sum();
        let fragment =
            Fragment { chars: rest[..len].to_vec(), offset: self.offset + before, at: 0 };
        self.at += len;
        fragment
    }
}

/// A piece of the path in brackets.
struct Fragment {
    chars: Vec<char>,
    offset: usize,
    at: usize,
}

impl Fragment {
    /// The current character. The end of a fragment is where Java throws.
    fn char(&self) -> Result<char, PathError> {
        self.chars.get(self.at).copied().ok_or_else(|| self.error(PathErrorKind::UnexpectedEnd))
    }

    fn next(&mut self) -> Result<char, PathError> {
        self.at += 1;
        self.char()
    }

    fn error(&self, kind: PathErrorKind) -> PathError {
        let passed = &self.chars[..self.at.min(self.chars.len())];
        let before: usize = passed.iter().map(|char| char.len_utf8()).sum();
        PathError { at: self.offset + before, kind }
    }

    fn number(&self, digits: &str) -> Result<i32, PathError> {
        // `Integer.parseInt` and Rust agree, a leading plus included.
        digits.parse().map_err(|_| self.error(PathErrorKind::InvalidIndex))
    }
}

/// A fragment → its token, by the first character that tells.
fn analyze(fragment: &Fragment) -> Result<Token, PathError> {
    if fragment.chars == ['[', '*', ']'] {
        return Ok(Token::Wildcard);
    }
    if is_placeholder(&fragment.chars) {
        return Ok(Token::Filter(None));
    }
    let telling = |char: char| matches!(char, '?' | '\'' | ':' | '-' | '@') || is_digit(char);
    let Some(at) = fragment.chars.iter().position(|&char| telling(char)) else {
        return Err(fragment.error(PathErrorKind::UnknownBrackets));
    };
    let mut fragment = Fragment { chars: fragment.chars.clone(), offset: fragment.offset, at };
    match fragment.char()? {
        '?' => filter_token(&fragment),
        '\'' => quoted(&mut fragment).map(Token::Members),
        _ => select(&mut fragment).map(Token::Elements),
    }
}

/// `[?]` and `[?,?]`: places for filters that only Java code can pass.
fn is_placeholder(chars: &[char]) -> bool {
    let blank = |char: &char| matches!(char, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r');
    let [open, inside @ .., close] = chars else { return false };
    let mut rest = inside.iter().skip_while(|char| blank(char));
    *open == '['
        && *close == ']'
        && rest.next() == Some(&'?')
        && rest.all(|char| blank(char) || matches!(char, ',' | '*' | '?'))
}

fn is_digit(char: char) -> bool {
    char.is_ascii_digit()
}

/// `.name`: Jayway writes `['name']` and reads that.
fn members(name: &[char]) -> Token {
    let mut fragment = Fragment { chars: Vec::with_capacity(name.len() + 4), offset: 0, at: 1 };
    fragment.chars.extend(['[', '\'']);
    fragment.chars.extend(name);
    fragment.chars.extend(['\'', ']']);
    Token::Members(quoted(&mut fragment).expect("the fragment ends in `]`"))
}

/// The names in quotes up to the first `]`, wherever that is.
fn quoted(fragment: &mut Fragment) -> Result<Vec<Key>, PathError> {
    let mut names = Vec::new();
    let mut name: Option<String> = None;
    loop {
        match fragment.char()? {
            ']' => return Ok(names),
            '\'' => match name.take() {
                Some(name) => names.push(Key::new(&name)),
                None => name = Some(String::new()),
            },
            char => {
                if let Some(name) = &mut name {
                    name.push(char);
                }
            }
        }
        fragment.at += 1;
    }
}

/// Indexes, slices, and `(@.length-1)`.
fn select(fragment: &mut Fragment) -> Result<Select, PathError> {
    if fragment.char()? == '@' {
        return from_end(fragment);
    }
    let mut numbers = Vec::new();
    let mut digits = String::new();
    let (mut each, mut from, mut to, mut between) = (false, false, false, false);
    let slice_end = |fragment: &mut Fragment, digits: &mut String| {
        loop {
            match fragment.next()? {
                ' ' => {}
                char if is_digit(char) || char == '-' => digits.push(char),
                _ => return Ok(()),
            }
        }
    };
    loop {
        match fragment.char()? {
            ' ' => {}
            ':' if digits.is_empty() => {
                to = true;
                slice_end(fragment, &mut digits)?;
                numbers.push(fragment.number(&digits)?);
                digits.clear();
            }
            ':' => {
                numbers.push(fragment.number(&digits)?);
                digits.clear();
                slice_end(fragment, &mut digits)?;
                if digits.is_empty() {
                    from = true;
                } else {
                    between = true;
                    numbers.push(fragment.number(&digits)?);
                    digits.clear();
                }
            }
            ',' => {
                numbers.push(fragment.number(&digits)?);
                digits.clear();
                each = true;
            }
            char if is_digit(char) || char == '-' => digits.push(char),
            _ => break,
        }
        if fragment.char()? == ']' {
            break;
        }
        fragment.next()?;
    }
    if !digits.is_empty() {
        numbers.push(fragment.number(&digits)?);
    }
    Ok(match numbers[..] {
        [index] if !to && !from => Select::Index(index),
        _ if each => Select::Each(numbers),
        [first, ..] if from => Select::From(first),
        [first, ..] if to => Select::To(first),
        [first, second, ..] if between => Select::Between(first, second),
        _ => Select::Nothing,
    })
}

/// `@.length-1)`, with `size` for `length` and blanks and parentheses wherever.
fn from_end(fragment: &mut Fragment) -> Result<Select, PathError> {
    fragment.next()?;
    let mut name = String::new();
    let mut char = fragment.next()?;
    while char != '-' {
        if !matches!(char, ' ' | '(' | ')') {
            name.push(char);
        }
        char = fragment.next()?;
    }
    if name != "size" && name != "length" {
        return Err(fragment.error(PathErrorKind::UnknownFunction));
    }
    let mut digits = String::new();
    while char != ')' {
        if char != ' ' {
            digits.push(char);
        }
        char = fragment.next()?;
    }
    fragment.number(&digits).map(Select::FromEnd)
}

/// `[?( )]`: finds where it ends, this time with an eye on quotes.
fn filter_token(fragment: &Fragment) -> Result<Token, PathError> {
    let chars = &fragment.chars;
    let start = chars[..fragment.at]
        .iter()
        .rposition(|&char| char == '[')
        .ok_or_else(|| fragment.error(PathErrorKind::UnbalancedFilter))?;
    let (mut round, mut square) = (0i32, 0i32);
    let mut quoted = false;
    let mut before = ' ';
    let mut end = None;
    for (index, &char) in chars.iter().enumerate().skip(start) {
        match char {
            '(' if !quoted => round += 1,
            ')' if !quoted => round -= 1,
            '[' if !quoted => square += 1,
            ']' if !quoted => {
                square -= 1;
                if round == 0 {
                    end = Some(index + 1);
                    break;
                }
            }
            '\'' if before != '\\' => quoted = !quoted,
            _ => {}
        }
        before = char;
    }
    let unbalanced = fragment.error(PathErrorKind::UnbalancedFilter);
    let Some(end) = end else { return Err(unbalanced) };
    if round != 0 || square != 0 {
        return Err(unbalanced);
    }
    let text: String = chars[start..end].iter().collect();
    let skipped: usize = chars[..start].iter().map(|char| char.len_utf8()).sum();
    filter::parse(&text, fragment.offset + skipped).map(|filter| Token::Filter(Some(filter)))
}

fn simple_steps(tokens: &[Token]) -> Option<Vec<Step>> {
    tokens
        .iter()
        .map(|token| match token {
            Token::Members(names) => match &names[..] {
                [name] => Some(Step::Member(name.clone())),
                _ => None,
            },
            Token::Elements(Select::Index(index)) => Some(Step::Index(*index)),
            _ => None,
        })
        .collect()
}

/// The function that the last token names.
fn function_of(tokens: &[Token]) -> Option<Function> {
    let Some(Token::Members(names)) = tokens.last() else { return None };
    let [name] = &names[..] else { return None };
    let (name, arguments) = name.as_str().strip_suffix(')')?.split_once('(')?;
    Some(match (name, arguments) {
        ("length" | "size", "") => Function::Length,
        ("keys", "") => Function::Keys,
        ("min", "") => Function::Min,
        ("max", "") => Function::Max,
        ("avg", "") => Function::Avg,
        ("sum", "") => Function::Sum,
        ("stddev", "") => Function::StdDev,
        ("first", "") => Function::First,
        ("last", "") => Function::Last,
        ("index", index) => Function::Index(index.parse().ok()?),
        _ => return None,
    })
}
