//! Step 2: tokens → syntax tree.
//!
//! Decides with as many tokens of look-ahead as Velocity's parser does, because tokens once read
//! have moved the lexer's state: a reference that could be a call and is none leaves its parenthesis
//! to the text, in the state of arguments.
//!
//! In: source. Out: [`Block`]. Cost: linear, but for ranges, which are tried first and taken back;
//! a budget bounds that.
//! Source: facts, vtl-grammar.

mod directive;
mod expression;
mod reference;

use super::ast::{Block, Statement, StatementKind};
use super::error::SyntaxError;
use super::lexer::Lexer;
use super::limits;
use super::token::{Kind, Token};

type Result<T> = std::result::Result<T, SyntaxError>;

/// Which macros exist before this template is read; those of the template around an `#evaluate`.
pub type KnownMacros<'a> = &'a dyn Fn(&str) -> bool;

/// Parses a template.
///
/// # Errors
/// What Velocity refuses, and what nests deeper than [`limits::NESTING_MAX`].
pub fn parse(source: &str, known: KnownMacros<'_>) -> Result<Block> {
    if source.len() > limits::TEMPLATE_BYTES_MAX {
        let message = format!(
            "the template has {} bytes, the limit is {}",
            source.len(),
            limits::TEMPLATE_BYTES_MAX
        );
        return Err(SyntaxError::new(0, message));
    }
    parse_nested(source, known, 0)
}

fn parse_nested(source: &str, known: KnownMacros<'_>, depth: usize) -> Result<Block> {
    let mut parser = Parser {
        source,
        lexer: Lexer::new(source),
        tokens: Vec::new(),
        at: 0,
        depth,
        steps: 0,
        known,
        own_macros: Vec::new(),
    };
    let block = parser.block()?;
    if parser.peek()? != Kind::Eof {
        return Err(parser.unexpected(""));
    }
    Ok(block)
}

struct Parser<'s, 'k> {
    source: &'s str,
    lexer: Lexer<'s>,
    /// All tokens read so far; the tree refers to none of them.
    tokens: Vec<Token>,
    /// The next token to take.
    at: usize,
    depth: usize,
    steps: usize,
    known: KnownMacros<'k>,
    /// Names of macros defined so far: `\#name` is an escape for them.
    own_macros: Vec<String>,
}

impl Parser<'_, '_> {
    /// Token `ahead` places on, reading as far as needed.
    fn token(&mut self, ahead: usize) -> Result<Token> {
        while self.tokens.len() <= self.at + ahead {
            let token = self.lexer.next_token()?;
            self.tokens.push(token);
        }
        Ok(self.tokens[self.at + ahead])
    }

    fn peek(&mut self) -> Result<Kind> {
        Ok(self.token(0)?.kind)
    }

    fn peek_at(&mut self, ahead: usize) -> Result<Kind> {
        Ok(self.token(ahead)?.kind)
    }

    fn take(&mut self) -> Result<Token> {
        let token = self.token(0)?;
        self.at += 1;
        self.steps += 1;
        if self.steps > limits::PARSE_STEPS_MAX {
            return Err(SyntaxError::new(token.start as usize, "this nests too deeply to be read"));
        }
        Ok(token)
    }

    fn expect(&mut self, kind: Kind, what: &str) -> Result<Token> {
        if self.peek()? != kind {
            return Err(self.unexpected(what));
        }
        self.take()
    }

    fn skip_whitespace(&mut self) -> Result<()> {
        if self.peek()? == Kind::Whitespace {
            self.take()?;
        }
        Ok(())
    }

    fn image(&self, token: Token) -> &str {
        &self.source[token.start as usize..token.end as usize]
    }

    /// What Velocity keeps of the `$` and `#` before a token that led to nothing.
    fn special_text(&self, token: Token, out: &mut String) {
        let (first, past) = token.special;
        for &(start, end) in &self.lexer.specials[first as usize..past as usize] {
            let text = &self.source[start as usize..end as usize];
            let mut rest = text;
            while let Some(at) = rest.find(['$', '#', '\\']) {
                rest = &rest[at..];
                let escapes = rest.bytes().take_while(|&byte| byte == b'\\').count();
                if escapes == 0 {
                    out.push_str(&rest[..1]);
                    rest = &rest[1..];
                } else if rest[escapes..].starts_with('$') {
                    out.push_str(&rest[..=escapes]);
                    rest = &rest[escapes + 1..];
                    let skipped = rest.chars().next().map_or(0, char::len_utf8);
                    rest = &rest[skipped..];
                } else {
                    rest = &rest[1..];
                }
            }
        }
    }

    /// What the tokens from `first` to before `past` print as text.
    fn literal(&self, first: usize, past: usize) -> String {
        let mut out = String::new();
        for &token in &self.tokens[first..past] {
            if token.kind != Kind::BlockComment {
                self.special_text(token, &mut out);
                out.push_str(self.image(token));
            }
        }
        out
    }

    /// The next token is none of those that may stand here.
    fn unexpected(&self, what: &str) -> SyntaxError {
        let Some(&token) = self.tokens.get(self.at) else {
            return SyntaxError::new(self.source.len(), "the template ends too early");
        };
        let found = match token.kind {
            Kind::Eof => "the template ends".to_owned(),
            Kind::End => "found '#end'".to_owned(),
            Kind::Else => "found '#else'".to_owned(),
            _ => {
                let image = self.image(token).trim();
                let shown: String = image.chars().take(30).collect();
                let more = if shown.len() < image.len() { "…" } else { "" };
                if shown.is_empty() {
                    "found blanks".to_owned()
                } else {
                    format!("found '{shown}{more}'")
                }
            }
        };
        let message = match (what, token.kind) {
            ("", Kind::End) => "this '#end' closes nothing".to_owned(),
            ("", Kind::Else | Kind::ElseIf) => {
                format!("'{}' has no '#if' before it", self.image(token).trim())
            }
            ("", _) => format!("{found} where it cannot stand"),
            _ => format!("expected {what}, but {found}"),
        };
        SyntaxError::new(token.start as usize, message)
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= limits::NESTING_MAX {
            let at =
                self.tokens.get(self.at).map_or(self.source.len(), |token| token.start as usize);
            let message = format!("nested deeper than {} levels", limits::NESTING_MAX);
            return Err(SyntaxError::new(at, message));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Statements up to the first token that begins none.
    fn block(&mut self) -> Result<Block> {
        self.nested(|parser| {
            let mut block = Block::new();
            loop {
                let first = parser.token(0)?;
                let Some(kind) = parser.statement(first)? else { return Ok(block) };
                match (block.last_mut(), kind) {
                    (
                        Some(Statement { kind: StatementKind::Text(before), .. }),
                        StatementKind::Text(text),
                    ) => before.push_str(&text),
                    (_, StatementKind::Text(text)) if text.is_empty() => {}
                    (_, kind) => block.push(Statement { at: first.start, kind }),
                }
            }
        })
    }

    /// The next statement; `None`: none begins here.
    fn statement(&mut self, first: Token) -> Result<Option<StatementKind>> {
        let kind = match first.kind {
            Kind::If => self.if_statement()?,
            Kind::Identifier => StatementKind::Reference(self.reference()?),
            Kind::Lcurly if self.peek_at(1)? == Kind::Identifier => {
                StatementKind::Reference(self.reference()?)
            }
            Kind::LineCommentStart => {
                self.take()?;
                if self.peek()? == Kind::LineCommentEnd {
                    self.take()?;
                }
                StatementKind::Text(before_comment(self.image(first)).to_owned())
            }
            Kind::BlockComment | Kind::FormalComment => {
                self.take()?;
                StatementKind::Text(before_comment(self.image(first)).to_owned())
            }
            Kind::Textblock => {
                self.take()?;
                let image = self.image(first);
                let inner = image.get(3..image.len().saturating_sub(3)).unwrap_or_default();
                StatementKind::Text(inner.to_owned())
            }
            Kind::Set => self.set_directive()?,
            Kind::EscapeDirective => {
                self.take()?;
                StatementKind::Text(self.escaped_directive(self.image(first)))
            }
            Kind::DoubleEscape => StatementKind::Text(self.escapes()?),
            Kind::Word | Kind::BracketedWord => return self.directive(first).map(Some),
            Kind::Text
            | Kind::Dot
            | Kind::Rparen
            | Kind::Lparen
            | Kind::Integer
            | Kind::Float
            | Kind::StringLiteral
            | Kind::Escape
            | Kind::Lcurly
            | Kind::Rcurly
            | Kind::EmptyIndex => {
                self.take()?;
                let mut text = String::new();
                self.special_text(first, &mut text);
                text.push_str(self.image(first));
                StatementKind::Text(text)
            }
            Kind::Eof => {
                // `$` and `#` that led to nothing before the end have no token to stand before.
                return Ok(None);
            }
            _ => return Ok(None),
        };
        Ok(Some(kind))
    }

    /// `\\`, once or more: halved before a directive.
    fn escapes(&mut self) -> Result<String> {
        let mut count = 0;
        while self.peek()? == Kind::DoubleEscape {
            self.take()?;
            count += 1;
        }
        let next = self.token(0)?;
        let is_directive = match next.kind {
            Kind::If | Kind::Else | Kind::ElseIf | Kind::End => true,
            _ => {
                let image = self.image(next);
                let name = image.get(1..).unwrap_or_default();
                is_pluggable(name) || (self.known)(name)
            }
        };
        Ok(if is_directive { "\\" } else { "\\\\" }.repeat(count))
    }

    /// `\#name`: the backslashes are halved if there is such a directive.
    fn escaped_directive(&self, image: &str) -> String {
        let last = image.rfind('\\').unwrap_or(0);
        let directive = &image[last + 1..];
        let tag = &directive[1..];
        let name = tag.strip_prefix('{').and_then(|tag| tag.strip_suffix('}')).unwrap_or(tag);
        let is_directive = is_pluggable(name)
            || self.own_macros.iter().any(|own| own == name)
            || (self.known)(name)
            || matches!(name, "if" | "end" | "set" | "else" | "elseif");
        if is_directive { format!("{}{directive}", &image[..last / 2]) } else { image.to_owned() }
    }

    fn if_statement(&mut self) -> Result<StatementKind> {
        let opening = self.take()?;
        let mut branches = vec![self.condition_and_block()?];
        while self.peek()? == Kind::ElseIf {
            self.take()?;
            branches.push(self.condition_and_block()?);
        }
        let mut otherwise = None;
        if self.peek()? == Kind::Else {
            self.take()?;
            otherwise = Some(self.block()?);
        }
        self.expect_end(opening, "#if")?;
        Ok(StatementKind::If { branches, otherwise })
    }

    fn condition_and_block(&mut self) -> Result<(super::ast::Expr, Block)> {
        self.skip_whitespace()?;
        self.expect(Kind::Lparen, "'(' and a condition")?;
        let condition = self.expression()?.value;
        self.expect(Kind::Rparen, "an operator or ')'")?;
        Ok((condition, self.block()?))
    }

    /// `#end` of what `opening` began.
    fn expect_end(&mut self, opening: Token, name: &str) -> Result<()> {
        match self.peek()? {
            Kind::End => {
                self.take()?;
                Ok(())
            }
            Kind::Eof => {
                let at = opening.start as usize;
                Err(SyntaxError::new(at, format!("this '{name}' has no '#end'")))
            }
            _ => Err(self.unexpected("'#end'")),
        }
    }

    fn set_directive(&mut self) -> Result<StatementKind> {
        self.take()?;
        self.skip_whitespace()?;
        if !matches!(self.peek()?, Kind::Identifier | Kind::Lcurly) {
            return Err(self.unexpected("a reference to set"));
        }
        let target = self.reference()?;
        self.skip_whitespace()?;
        self.expect(Kind::Equals, "'='")?;
        let value = self.expression()?.value;
        self.expect(Kind::Rparen, "an operator or ')'")?;
        self.lexer.in_set = false;
        Ok(StatementKind::Set { target, value })
    }
}

/// Directives that Velocity's parser looks up by name.
fn is_pluggable(name: &str) -> bool {
    matches!(
        name,
        "foreach"
            | "macro"
            | "define"
            | "evaluate"
            | "break"
            | "stop"
            | "literal"
            | "include"
            | "parse"
    )
}

/// A comment's token begins with the `$` and `#` before it that led nowhere.
fn before_comment(image: &str) -> &str {
    let end = image.find("##").or_else(|| image.find("#*")).unwrap_or(0);
    &image[..end]
}
