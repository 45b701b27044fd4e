//! Directives with a name: `#foreach`, `#macro`, … and calls of macros.

use super::super::ast::{Argument, Block, Expr, MacroCall, MacroDefinition, StatementKind};
use super::super::error::SyntaxError;
use super::super::token::{Kind, Token};
use super::{Parser, Result};

/// An argument in a directive's parentheses.
struct DirectiveArgument {
    kind: ArgumentKind,
    source: String,
    /// Image of its first token.
    first: String,
}

enum ArgumentKind {
    Word,
    Value(Expr),
}

impl DirectiveArgument {
    fn value(self) -> Expr {
        match self.kind {
            ArgumentKind::Word => Expr::Null,
            ArgumentKind::Value(value) => value,
        }
    }

    /// The name of a variable in the place of a name: `$a`, `${a}`.
    fn variable(&self) -> String {
        match &self.kind {
            ArgumentKind::Value(Expr::Reference(reference)) => match &reference.root {
                Some(root) => root.clone(),
                None => reference.null_text.clone(),
            },
            _ => self.first.chars().skip(1).collect(),
        }
    }
}

impl Parser<'_, '_> {
    /// A directive or what looks like one; the next token is its name.
    pub(super) fn directive(&mut self, token: Token) -> Result<StatementKind> {
        let first = self.at;
        self.take()?;
        let image = self.image(token);
        // What stands before the `#` belongs to the token, but Velocity counts one character.
        let name = if token.kind == Kind::BracketedWord {
            image.get(2..image.len() - 1).unwrap_or_default().to_owned()
        } else {
            image.get(1..).unwrap_or_default().to_owned()
        };
        self.lexer.switch_to_directive();
        if !self.lexer.left_parenthesis_follows() {
            self.lexer.pop();
            return self.without_arguments(token, first, name);
        }
        self.skip_whitespace()?;
        self.expect(Kind::Lparen, "'('")?;
        let arguments = self.arguments(&name)?;
        self.skip_whitespace()?;
        self.expect(Kind::Rparen, "a value, ',' or ')'")?;
        match name.as_str() {
            "foreach" => self.foreach(token, arguments),
            "define" => self.define(token, arguments),
            "macro" => self.macro_definition(token, arguments),
            "literal" => {
                let block = self.at;
                self.directive_block(token, "#literal")?;
                Ok(StatementKind::Literal(self.literal(block, self.at - 1)))
            }
            "evaluate" => match <[_; 1]>::try_from(arguments) {
                Ok([argument]) => match argument.value() {
                    value @ (Expr::Reference(_) | Expr::Text(_) | Expr::Interpolated(_)) => {
                        Ok(StatementKind::Evaluate(value))
                    }
                    _ => {
                        let message = "#evaluate takes a string or a reference";
                        Err(SyntaxError::new(token.start as usize, message))
                    }
                },
                Err(arguments) => {
                    let message = format!("#evaluate takes one argument, not {}", arguments.len());
                    Err(SyntaxError::new(token.start as usize, message))
                }
            },
            "break" => {
                Ok(StatementKind::Break(arguments.into_iter().next().map(DirectiveArgument::value)))
            }
            "stop" => Ok(StatementKind::Stop),
            "include" | "parse" => Err(refused(token, &name)),
            _ => {
                let bare_word = arguments
                    .iter()
                    .find(|argument| matches!(argument.kind, ArgumentKind::Word))
                    .map(|argument| argument.first.clone());
                let arguments = arguments
                    .into_iter()
                    .map(|argument| Argument {
                        source: argument.source.clone(),
                        value: argument.value(),
                    })
                    .collect();
                let mut call = MacroCall {
                    source: self.images(first, self.at),
                    name,
                    arguments,
                    bare_word,
                    body: None,
                };
                if let Some(name) = call.name.strip_prefix('@') {
                    let name = name.to_owned();
                    call.body = Some(self.directive_block(token, "#@…")?);
                    call.source = self.images(first, self.at);
                    call.name = name;
                }
                Ok(StatementKind::Call(call))
            }
        }
    }

    fn without_arguments(
        &mut self,
        token: Token,
        first: usize,
        name: String,
    ) -> Result<StatementKind> {
        let at = token.start as usize;
        match name.as_str() {
            "macro" => Err(SyntaxError::new(at, "'#macro' needs a name in parentheses")),
            "foreach" | "define" | "evaluate" | "literal" => {
                Err(SyntaxError::new(at, format!("'#{name}' needs arguments in parentheses")))
            }
            "include" | "parse" => Err(refused(token, &name)),
            "break" => Ok(StatementKind::Break(None)),
            "stop" => Ok(StatementKind::Stop),
            _ => {
                let source = self.images(first, self.at);
                if name.starts_with('@') {
                    return Ok(StatementKind::Text(source));
                }
                let call =
                    MacroCall { name, arguments: Vec::new(), source, bare_word: None, body: None };
                Ok(StatementKind::Call(call))
            }
        }
    }

    /// The tokens as they stand, without what led to nothing between them.
    fn images(&self, first: usize, past: usize) -> String {
        self.tokens[first..past].iter().map(|&token| self.image(token)).collect()
    }

    fn arguments(&mut self, name: &str) -> Result<Vec<DirectiveArgument>> {
        let mut arguments: Vec<DirectiveArgument> = Vec::new();
        while self.argument_follows()? {
            self.skip_whitespace()?;
            if self.peek()? == Kind::Comma {
                self.take()?;
                self.skip_whitespace()?;
            }
            let first = self.at;
            let token = self.token(0)?;
            let index = arguments.len();
            let kind = match token.kind {
                Kind::Word => {
                    self.take()?;
                    self.check_word(name, index, token)?;
                    ArgumentKind::Word
                }
                kind => {
                    if name == "macro" && index == 0 {
                        let message = "a macro's name is a bare word, without quotes and '$'";
                        return Err(SyntaxError::new(token.start as usize, message));
                    }
                    ArgumentKind::Value(self.argument_value(kind)?)
                }
            };
            arguments.push(DirectiveArgument {
                kind,
                source: self.literal(first, self.at),
                first: self.image(token).to_owned(),
            });
        }
        Ok(arguments)
    }

    fn argument_value(&mut self, kind: Kind) -> Result<Expr> {
        match kind {
            Kind::Identifier | Kind::Lcurly => Ok(Expr::Reference(Box::new(self.reference()?))),
            Kind::Lbracket | Kind::LeftCurly => self.collection(),
            Kind::StringLiteral | Kind::Integer | Kind::Float | Kind::True | Kind::False => {
                self.constant()
            }
            _ => Err(self.unexpected("a value")),
        }
    }

    /// Whether an argument follows, after a blank or a comma.
    fn argument_follows(&mut self) -> Result<bool> {
        let mut ahead = 0;
        if self.peek()? == Kind::Whitespace {
            ahead = 1;
        }
        if self.peek_at(ahead)? == Kind::Comma {
            if ahead == 1 {
                return Ok(true);
            }
            ahead = 1;
            if self.peek_at(1)? == Kind::Whitespace {
                return Ok(true);
            }
        }
        Ok(matches!(
            self.peek_at(ahead)?,
            Kind::Identifier
                | Kind::Lcurly
                | Kind::Word
                | Kind::StringLiteral
                | Kind::Integer
                | Kind::Float
                | Kind::Lbracket
                | Kind::LeftCurly
                | Kind::True
                | Kind::False
        ))
    }

    /// A bare word may name a macro, stand for `in`, or be text of what is no directive.
    fn check_word(&self, name: &str, index: usize, token: Token) -> Result<()> {
        let allowed = match name {
            "macro" => index == 0,
            "foreach" => index == 1,
            _ => !super::is_pluggable(name) && !(self.known)(name),
        };
        if allowed {
            return Ok(());
        }
        let word = self.image(token);
        let message = format!("'{word}' is no value; a string needs quotes, a reference '$'");
        Err(SyntaxError::new(token.start as usize, message))
    }

    /// The statements up to `#end`, which is taken too.
    fn directive_block(&mut self, token: Token, name: &str) -> Result<Block> {
        let block = self.block()?;
        self.expect_end(token, name)?;
        Ok(block)
    }

    fn foreach(
        &mut self,
        token: Token,
        arguments: Vec<DirectiveArgument>,
    ) -> Result<StatementKind> {
        let body = self.directive_block(token, "#foreach")?;
        let count = arguments.len();
        let mut arguments = arguments.into_iter();
        let Some(first) = arguments.next() else {
            return Ok(StatementKind::Fails("#foreach has no arguments".to_owned()));
        };
        let variable = first.variable();
        if count == 1 {
            return Ok(StatementKind::Fails("#foreach has nothing to loop over".to_owned()));
        }
        let source = arguments.nth(1).map_or(Expr::Null, DirectiveArgument::value);
        Ok(StatementKind::Foreach { variable, source, body })
    }

    fn define(&mut self, token: Token, arguments: Vec<DirectiveArgument>) -> Result<StatementKind> {
        let body = self.directive_block(token, "#define")?;
        match <[_; 1]>::try_from(arguments) {
            Ok([argument]) => Ok(StatementKind::Define { name: argument.variable(), body }),
            Err(_) => {
                let message = "#define takes one reference, such as #define($block)";
                Err(SyntaxError::new(token.start as usize, message))
            }
        }
    }

    fn macro_definition(
        &mut self,
        token: Token,
        arguments: Vec<DirectiveArgument>,
    ) -> Result<StatementKind> {
        let body = self.directive_block(token, "#macro")?;
        let mut arguments = arguments.into_iter();
        let Some(name) = arguments.next() else {
            return Err(SyntaxError::new(token.start as usize, "'#macro' needs a name"));
        };
        let parameters = arguments
            .map(|argument| argument.first.strip_prefix('$').unwrap_or(&argument.first).to_owned())
            .collect();
        self.own_macros.push(name.first.clone());
        Ok(StatementKind::Macro(MacroDefinition { name: name.first, parameters, body }))
    }
}

fn refused(token: Token, name: &str) -> SyntaxError {
    let message = format!("'#{name}' reads files and is not available in mapping templates");
    SyntaxError::new(token.start as usize, message)
}
