//! Step 1: source → tokens.
//!
//! Velocity's lexer is a machine of states with a stack: `$` and `#` switch to other states before it
//! is known whether a reference or a directive follows, and what turns out to be none falls back to
//! text. The corner cases of the language live in that machine, so it is kept: in every state the
//! longest token wins, among equals the one that is named first.
//!
//! In: the source. Out: tokens one by one; the parser may switch the state between two.
//! Cost: linear, but for the unclosed string and the unclosed comment, which are read to the end.
//! Source: facts, vtl-grammar.

use super::error::SyntaxError;
use super::token::{Kind, State, Token};

/// What one match leads to.
enum Match {
    Token(Kind),
    /// The match belongs to the next token.
    More(More),
    /// The match is dropped.
    Skip,
    /// `$` or `#` led to nothing: the state ends before this character.
    Terminator,
}

enum More {
    Dollar,
    Hash,
    Textblock,
    FormalComment,
    BlockComment,
    /// A character of a text block.
    Plain,
}

#[derive(Clone, Copy)]
struct Saved {
    state: State,
    lparen: u32,
    rparen: u32,
}

/// Reads tokens from one source.
pub struct Lexer<'s> {
    source: &'s str,
    at: usize,
    state: State,
    stack: Vec<Saved>,
    lparen: u32,
    rparen: u32,
    in_comment: bool,
    /// Between `#set(` and its end: the parser clears it.
    pub in_set: bool,
    /// Spans that led to nothing; tokens refer to them.
    pub specials: Vec<(u32, u32)>,
}

impl<'s> Lexer<'s> {
    /// At the beginning of `source`, which is shorter than 4 GiB.
    pub fn new(source: &'s str) -> Self {
        Self {
            source,
            at: 0,
            state: State::Default,
            stack: Vec::new(),
            lparen: 0,
            rparen: 0,
            in_comment: false,
            in_set: false,
            specials: Vec::new(),
        }
    }

    /// The parser knows that a directive's name is followed by arguments.
    pub fn switch_to_directive(&mut self) {
        self.state = State::Directive;
    }

    /// The parser knows that a directive's name has no arguments.
    pub fn pop(&mut self) -> bool {
        let Some(saved) = self.stack.pop() else {
            self.lparen = 0;
            self.state = State::Default;
            return false;
        };
        self.lparen = saved.lparen;
        self.rparen = saved.rparen;
        self.state = saved.state;
        true
    }

    /// Whether `(` follows, after blanks and newlines.
    pub fn left_parenthesis_follows(&self) -> bool {
        let rest = &self.source.as_bytes()[self.at..];
        let blanks = run(rest, |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        rest.get(blanks) == Some(&b'(')
    }

    fn push(&mut self, next: State) {
        self.stack.push(Saved { state: self.state, lparen: self.lparen, rparen: self.rparen });
        self.lparen = 0;
        self.state = next;
    }

    /// The next token; [`Kind::Eof`] for ever at the end.
    ///
    /// # Errors
    /// A character that no token of this state begins with, or an end within `$…`, `#…`, `#[[…`.
    pub fn next_token(&mut self) -> Result<Token, SyntaxError> {
        let first_special = self.specials.len() as u32;
        let mut start = self.at;
        let mut pending = false;
        loop {
            if self.at == self.source.len() {
                if pending {
                    return Err(self.unfinished(start));
                }
                return Ok(self.token(Kind::Eof, start, first_special));
            }
            let Some((found, len)) = self.longest() else {
                return Err(self.unexpected());
            };
            match found {
                Match::Token(kind) => {
                    self.at += len;
                    self.act(kind, start);
                    // What led to a dot is lost.
                    let start = if kind == Kind::Dot { self.at - 1 } else { start };
                    return Ok(self.token(kind, start, first_special));
                }
                Match::More(more) => {
                    self.at += len;
                    self.act_more(more);
                    pending = true;
                }
                Match::Skip => {
                    self.at += len;
                    start = self.at;
                    pending = false;
                }
                Match::Terminator => {
                    self.specials.push((start as u32, (self.at + len) as u32));
                    self.pop();
                    start = self.at;
                    pending = false;
                }
            }
        }
    }

    fn token(&self, kind: Kind, start: usize, first_special: u32) -> Token {
        Token {
            kind,
            start: start as u32,
            end: self.at as u32,
            special: (first_special, self.specials.len() as u32),
        }
    }

    /// What a token does to the state. May give back its last bytes.
    fn act(&mut self, kind: Kind, start: usize) {
        match kind {
            Kind::IndexLbracket => self.push(State::RefIndex),
            Kind::IndexRbracket | Kind::Rcurly | Kind::End | Kind::Else => {
                self.pop();
            }
            Kind::Lparen => {
                self.lparen += 1;
                if self.state == State::RefModifier {
                    self.state = State::RefMod2;
                }
            }
            Kind::Rparen => self.close_parenthesis(),
            Kind::RefMod2Rparen => self.state = State::Reference,
            Kind::Set => {
                self.push(State::Directive);
                self.in_set = true;
                self.lparen += 1;
            }
            Kind::LineCommentStart if !self.in_comment => {
                if self.state == State::Reference {
                    self.pop();
                }
                self.in_comment = true;
                self.push(State::LineComment);
            }
            Kind::LineCommentEnd | Kind::FormalComment | Kind::BlockComment | Kind::Textblock => {
                self.in_comment = false;
                self.pop();
            }
            Kind::StringLiteral
                if self.state == State::Directive && !self.in_set && self.lparen == 0 =>
            {
                self.pop();
            }
            Kind::Integer => {
                if self.source[start..self.at].ends_with("..") {
                    self.at -= 2;
                }
                if self.lparen == 0
                    && !self.in_set
                    && !matches!(self.state, State::RefMod2 | State::RefIndex)
                {
                    self.pop();
                }
            }
            Kind::Float if self.lparen == 0 && !self.in_set && self.state != State::RefMod2 => {
                self.pop();
            }
            Kind::If | Kind::ElseIf => self.state = State::Directive,
            Kind::Dot => {
                self.at -= 1;
                self.state = State::RefModifier;
            }
            _ => {}
        }
    }

    fn act_more(&mut self, more: More) {
        if self.in_comment {
            return;
        }
        match more {
            More::Dollar => {
                if self.state == State::Reference {
                    self.pop();
                }
                self.push(State::Reference);
            }
            More::Hash => {
                if matches!(self.state, State::Reference | State::RefModifier) {
                    self.pop();
                }
                self.push(State::PreDirective);
            }
            More::Textblock => {
                self.in_comment = true;
                self.push(State::Textblock);
            }
            More::FormalComment => {
                let last = self.source[..self.at].chars().next_back().map_or(0, char::len_utf8);
                self.at -= last;
                self.in_comment = true;
                self.push(State::FormalComment);
            }
            More::BlockComment => {
                self.in_comment = true;
                self.push(State::BlockComment);
            }
            More::Plain => {}
        }
    }

    /// A `)` of a directive closes the innermost state that has an open `(`.
    fn close_parenthesis(&mut self) {
        if self.in_comment {
            return;
        }
        loop {
            if self.lparen > 0 {
                if self.lparen == self.rparen + 1 {
                    self.pop();
                } else {
                    self.rparen += 1;
                }
                return;
            }
            if !self.pop() {
                return;
            }
        }
    }

    /// The longest match at this place in this state.
    fn longest(&self) -> Option<(Match, usize)> {
        let rest = &self.source.as_bytes()[self.at..];
        let token = |kind, len| Some((Match::Token(kind), len));
        match rest[0] {
            b'$' | b'\\' => {
                if let Some(found) = self.dollar(rest) {
                    return Some(found);
                }
            }
            b'#' => return Some(self.hash(rest)),
            _ => {}
        }
        match self.state {
            State::Default => self.default_state(rest),
            State::Reference | State::RefModifier => {
                let byte = rest[0];
                if matches!(byte, b' ' | b'\t')
                    && let Some(len) = set_directive(rest)
                {
                    return token(Kind::Set, len);
                }
                match byte {
                    b'[' => token(Kind::IndexLbracket, 1),
                    b'(' if self.state == State::RefModifier => token(Kind::Lparen, 1),
                    b'{' => token(Kind::Lcurly, 1),
                    b'}' => token(Kind::Rcurly, 1),
                    b'.' if rest.get(1).is_some_and(u8::is_ascii_alphabetic) => token(Kind::Dot, 2),
                    byte if is_identifier_start(byte) => Some(identifier(rest)),
                    _ => Some((Match::Terminator, self.char_len())),
                }
            }
            State::RefMod2 | State::RefIndex | State::Directive => self.arguments(rest),
            State::PreDirective => Some(self.pre_directive(rest)),
            State::LineComment => match newline(rest) {
                0 => Some((Match::Skip, self.char_len())),
                len => token(Kind::LineCommentEnd, len),
            },
            State::BlockComment if rest.starts_with(b"*#") => token(Kind::BlockComment, 2),
            State::FormalComment if rest.starts_with(b"*#") => token(Kind::FormalComment, 2),
            State::BlockComment | State::FormalComment => Some((Match::Skip, self.char_len())),
            State::Textblock if rest.starts_with(b"]]#") => token(Kind::Textblock, 3),
            State::Textblock => Some((Match::More(More::Plain), self.char_len())),
        }
    }

    /// What `\…$`, `$`, `$!`, `$[` begin; the same in every state.
    fn dollar(&self, rest: &[u8]) -> Option<(Match, usize)> {
        let escapes = run(rest, |byte| byte == b'\\');
        if rest.get(escapes) != Some(&b'$') {
            return None;
        }
        if escapes == 0 && matches!(self.state, State::Default | State::Reference) {
            for text in [&b"$["[..], b"$![", b"$\\![", b"$."] {
                if rest.starts_with(text) {
                    return Some((Match::Token(Kind::EmptyIndex), text.len()));
                }
            }
        }
        let dollar = escapes + 1;
        let more = run(&rest[dollar..], |byte| byte == b'\\');
        let len = if rest.get(dollar + more) == Some(&b'!') { dollar + more + 1 } else { dollar };
        Some((Match::More(More::Dollar), len))
    }

    /// What `#` begins.
    fn hash(&self, rest: &[u8]) -> (Match, usize) {
        let may_set = matches!(
            self.state,
            State::Default | State::Reference | State::RefModifier | State::RefMod2
        );
        if may_set && let Some(len) = set_directive(rest) {
            return (Match::Token(Kind::Set), len);
        }
        if rest.starts_with(b"#[[") {
            return (Match::More(More::Textblock), 3);
        }
        if rest.starts_with(b"#**") && rest.get(3).is_some_and(|&byte| byte != b'#') {
            let len = self.source[self.at + 3..].chars().next().map_or(1, char::len_utf8);
            return (Match::More(More::FormalComment), 3 + len);
        }
        if rest.starts_with(b"#*") {
            return (Match::More(More::BlockComment), 2);
        }
        // After `$a.b` and in a text block `##` begins no comment.
        if rest.starts_with(b"##") && !matches!(self.state, State::Textblock | State::RefModifier) {
            return (Match::Token(Kind::LineCommentStart), 2);
        }
        (Match::More(More::Hash), 1)
    }

    fn default_state(&self, rest: &[u8]) -> Option<(Match, usize)> {
        let token = |kind, len| Some((Match::Token(kind), len));
        match rest[0] {
            b'\\' => {
                let escapes = run(rest, |byte| byte == b'\\');
                if escapes % 2 == 1
                    && rest.get(escapes) == Some(&b'#')
                    && let word = word_or_bracketed(&rest[escapes + 1..])
                    && word > 0
                {
                    return token(Kind::EscapeDirective, escapes + 1 + word);
                }
                if escapes >= 2 { token(Kind::DoubleEscape, 2) } else { token(Kind::Escape, 1) }
            }
            byte => {
                if matches!(byte, b' ' | b'\t')
                    && let Some(len) = set_directive(rest)
                {
                    return token(Kind::Set, len);
                }
                token(Kind::Text, memchr::memchr3(b'$', b'#', b'\\', rest).unwrap_or(rest.len()))
            }
        }
    }

    /// Among the arguments of a call, an index or a directive.
    fn arguments(&self, rest: &[u8]) -> Option<(Match, usize)> {
        let token = |kind, len| Some((Match::Token(kind), len));
        let state = self.state;
        let byte = rest[0];
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                if state == State::RefMod2
                    && let Some(len) = set_directive(rest)
                {
                    return token(Kind::Set, len);
                }
                let len = run(rest, |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
                return token(Kind::Whitespace, len);
            }
            b'"' | b'\'' => return token(Kind::StringLiteral, string_literal(rest)?),
            b']' if state == State::RefIndex => return token(Kind::IndexRbracket, 1),
            _ => {}
        }
        if let Some((kind, len)) = number(rest) {
            return token(kind, len);
        }
        if state == State::RefIndex {
            return [(&b"true"[..], Kind::True), (b"false", Kind::False)]
                .into_iter()
                .find(|(text, _)| rest.starts_with(text))
                .and_then(|(text, kind)| token(kind, text.len()));
        }
        match byte {
            b'[' => return token(Kind::Lbracket, 1),
            b']' => return token(Kind::Rbracket, 1),
            b',' => return token(Kind::Comma, 1),
            b':' => return token(Kind::Colon, 1),
            b'.' if rest.get(1) == Some(&b'.') => return token(Kind::DoubleDot, 2),
            b'}' => return token(Kind::RightCurly, 1),
            _ => {}
        }
        if state == State::RefMod2 {
            return match byte {
                b'{' => token(Kind::LeftCurly, 1),
                b')' => token(Kind::RefMod2Rparen, 1),
                b'.' if rest.get(1).is_some_and(u8::is_ascii_alphabetic) => token(Kind::Dot, 2),
                byte if is_identifier_start(byte) => Some(identifier(rest)),
                _ => None,
            };
        }
        match byte {
            b'{' => match bracketed_word(rest) {
                0 => token(Kind::LeftCurly, 1),
                len => token(Kind::BracketedWord, len),
            },
            b'(' => token(Kind::Lparen, 1),
            b')' => token(Kind::Rparen, 1 + blanks_and_newline(&rest[1..])),
            b'-' => token(Kind::Minus, 1),
            b'+' => token(Kind::Plus, 1),
            b'*' => token(Kind::Multiply, 1),
            b'/' => token(Kind::Divide, 1),
            b'%' => token(Kind::Modulus, 1),
            b'&' if rest.get(1) == Some(&b'&') => token(Kind::And, 2),
            b'|' if rest.get(1) == Some(&b'|') => token(Kind::Or, 2),
            b'<' if rest.get(1) == Some(&b'=') => token(Kind::Le, 2),
            b'<' => token(Kind::Lt, 1),
            b'>' if rest.get(1) == Some(&b'=') => token(Kind::Ge, 2),
            b'>' => token(Kind::Gt, 1),
            b'=' if rest.get(1) == Some(&b'=') => token(Kind::Eq, 2),
            b'=' => token(Kind::Equals, 1),
            b'!' if rest.get(1) == Some(&b'=') => token(Kind::Ne, 2),
            b'!' => token(Kind::Not, 1),
            _ => match word(rest) {
                0 => None,
                len => token(keyword(&rest[..len]), len),
            },
        }
    }

    fn pre_directive(&self, rest: &[u8]) -> (Match, usize) {
        if let Some((kind, len)) = number(rest) {
            return (Match::Token(kind), len);
        }
        let len = word_or_bracketed(rest);
        if len == 0 {
            return (Match::Terminator, self.char_len());
        }
        let after = || blanks_and_newline(&rest[len..]);
        let (kind, extra) = match &rest[..len] {
            b"end" | b"{end}" => (Kind::End, after()),
            b"else" | b"{else}" => (Kind::Else, after()),
            b"if" | b"{if}" => (Kind::If, 0),
            b"elseif" | b"{elseif}" => (Kind::ElseIf, 0),
            [b'{', ..] => (Kind::BracketedWord, 0),
            _ => (Kind::Word, 0),
        };
        (Match::Token(kind), len + extra)
    }

    fn char_len(&self) -> usize {
        self.source[self.at..].chars().next().map_or(1, char::len_utf8)
    }

    fn unfinished(&self, start: usize) -> SyntaxError {
        let begun = &self.source[start..];
        let what = if begun.contains("#[[") {
            "'#[[' has no ']]#'".to_owned()
        } else {
            format!(
                "the template ends with '{begun}', which begins something and does not finish it"
            )
        };
        SyntaxError::new(start, what)
    }

    fn unexpected(&self) -> SyntaxError {
        let rest = &self.source[self.at..];
        let what = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => format!("this string has no closing {quote}"),
            Some('&') => "a single '&' is no operator, expected '&&'".to_owned(),
            Some('|') => "a single '|' is no operator, expected '||'".to_owned(),
            other => {
                let place = match self.state {
                    State::RefIndex => "in an index",
                    State::RefMod2 => "in a method's arguments",
                    _ => "in a directive's arguments",
                };
                format!("'{}' cannot stand {place}", other.unwrap_or(' '))
            }
        };
        SyntaxError::new(self.at, what)
    }
}

/// Bytes at the beginning of `rest` that `belongs` accepts.
fn run(rest: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    rest.iter().position(|&byte| !belongs(byte)).unwrap_or(rest.len())
}

/// Length of LF, CRLF or CR at the beginning; 0: there is none.
fn newline(rest: &[u8]) -> usize {
    match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// Length of blanks with one newline behind them; 0 without the newline.
fn blanks_and_newline(rest: &[u8]) -> usize {
    let blanks = run(rest, |byte| matches!(byte, b' ' | b'\t'));
    match newline(&rest[blanks..]) {
        0 => 0,
        len => blanks + len,
    }
}

/// Length of blanks, `#set` or `#{set}`, spaces and `(`.
fn set_directive(rest: &[u8]) -> Option<usize> {
    let blanks = run(rest, |byte| matches!(byte, b' ' | b'\t'));
    let name =
        [&b"#set"[..], b"#{set}"].into_iter().find(|name| rest[blanks..].starts_with(name))?;
    let after = blanks + name.len();
    let spaces = run(&rest[after..], |byte| byte == b' ');
    (rest.get(after + spaces) == Some(&b'(')).then_some(after + spaces + 1)
}

fn is_identifier_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn identifier(rest: &[u8]) -> (Match, usize) {
    let len = run(rest, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let kind = match &rest[..len] {
        b"true" => Kind::True,
        b"false" => Kind::False,
        _ => Kind::Identifier,
    };
    (Match::Token(kind), len)
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@')
}

/// Length of a directive's name; 0: there is none.
fn word(rest: &[u8]) -> usize {
    match rest.first() {
        Some(&first) if first.is_ascii_alphabetic() || matches!(first, b'_' | b'@') => {
            run(rest, is_word_byte)
        }
        _ => 0,
    }
}

/// Length of `{name}`; 0: there is none.
fn bracketed_word(rest: &[u8]) -> usize {
    let Some((b'{', inner)) = rest.split_first() else { return 0 };
    let len = run(inner, is_word_byte);
    let begins = inner.first().is_some_and(|&byte| is_identifier_start(byte));
    if begins && inner.get(len) == Some(&b'}') { len + 2 } else { 0 }
}

fn word_or_bracketed(rest: &[u8]) -> usize {
    word(rest).max(bracketed_word(rest))
}

fn keyword(word: &[u8]) -> Kind {
    match word {
        b"true" => Kind::True,
        b"false" => Kind::False,
        b"and" => Kind::And,
        b"or" => Kind::Or,
        b"lt" => Kind::Lt,
        b"le" => Kind::Le,
        b"gt" => Kind::Gt,
        b"ge" => Kind::Ge,
        b"eq" => Kind::Eq,
        b"ne" => Kind::Ne,
        b"not" => Kind::Not,
        _ => Kind::Word,
    }
}

/// A number at the beginning, and its length. An integer takes a `..` behind it along, so that the
/// first dot is not read as its point; [`Lexer::act`] gives it back.
fn number(rest: &[u8]) -> Option<(Kind, usize)> {
    let sign = usize::from(rest[0] == b'-');
    let digits = |at: usize| run(rest.get(at..).unwrap_or_default(), |byte| byte.is_ascii_digit());
    let whole = digits(sign);
    let after = sign + whole;
    let exponent = |at: usize| -> usize {
        if !matches!(rest.get(at), Some(b'e' | b'E')) {
            return 0;
        }
        let signed = usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
        match digits(at + 1 + signed) {
            0 => 0,
            len => 1 + signed + len,
        }
    };
    if whole == 0 {
        if rest.get(after) != Some(&b'.') {
            return None;
        }
        let fraction = digits(after + 1);
        let end = after + 1 + fraction;
        return (fraction > 0).then(|| (Kind::Float, end + exponent(end)));
    }
    if rest[after..].starts_with(b"..") {
        return Some((Kind::Integer, after + 2));
    }
    if rest.get(after) == Some(&b'.') {
        let end = after + 1 + digits(after + 1);
        return Some((Kind::Float, end + exponent(end)));
    }
    match exponent(after) {
        0 => Some((Kind::Integer, after)),
        len => Some((Kind::Float, after + len)),
    }
}

/// Length of a string with its quotes; a doubled quote stands for itself.
fn string_literal(rest: &[u8]) -> Option<usize> {
    let quote = rest[0];
    let mut at = 1;
    loop {
        at += memchr::memchr(quote, &rest[at..])? + 1;
        if rest.get(at) != Some(&quote) {
            return Some(at);
        }
        // Longest match: a doubled quote goes on if a closing one follows at all.
        if memchr::memchr(quote, &rest[at + 1..]).is_none() {
            return Some(at);
        }
        at += 1;
    }
}
