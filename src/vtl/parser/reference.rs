//! References: `$a`, `$!{a.b[0].c('x')}` and what stands before them.

use super::super::ast::{Expr, Reference, Step, StepKind};
use super::super::token::Kind;
use super::{Parser, Result};

impl Parser<'_, '_> {
    /// A reference; the next token is its `{` or its name.
    pub(super) fn reference(&mut self) -> Result<Reference> {
        self.nested(Self::reference_inner)
    }

    fn reference_inner(&mut self) -> Result<Reference> {
        let first = self.at;
        let opening = self.take()?;
        let formal = opening.kind == Kind::Lcurly;
        let name = if formal { self.expect(Kind::Identifier, "a name")? } else { opening };
        let mut steps = Vec::new();
        self.indexes(&mut steps)?;
        while self.peek()? == Kind::Dot && self.peek_at(1)? == Kind::Identifier {
            self.take()?;
            let kind = if self.call_follows()? { self.method()? } else { self.property()? };
            steps.push(kind);
            self.indexes(&mut steps)?;
        }
        if formal {
            self.expect(Kind::Rcurly, "'}'")?;
        }
        let literal = self.literal(first, self.at);
        let image = self.image(opening).to_owned();
        let name = self.image(name).to_owned();
        Ok(describe(opening.start, &image, &name, steps, &literal))
    }

    /// Whether the name that comes next opens a call: `name(`, and what may follow a `(`.
    fn call_follows(&mut self) -> Result<bool> {
        Ok(self.peek_at(1)? == Kind::Lparen
            && (self.peek_at(2)? == Kind::RefMod2Rparen || begins_parameter(self.peek_at(2)?)))
    }

    fn property(&mut self) -> Result<Step> {
        let name = self.take()?;
        Ok(Step { at: name.start, kind: StepKind::Property(self.image(name).to_owned()) })
    }

    fn method(&mut self) -> Result<Step> {
        let name = self.take()?;
        self.take()?;
        let mut arguments = Vec::new();
        if self.peek()? != Kind::RefMod2Rparen {
            arguments.push(self.parameter()?);
            while self.peek()? == Kind::Comma {
                self.take()?;
                arguments.push(self.parameter()?);
            }
        }
        self.expect(Kind::RefMod2Rparen, "',' or ')'")?;
        let kind = StepKind::Method(self.image(name).to_owned(), arguments);
        Ok(Step { at: name.start, kind })
    }

    fn indexes(&mut self, steps: &mut Vec<Step>) -> Result<()> {
        while self.peek()? == Kind::IndexLbracket {
            let opening = self.take()?;
            self.skip_whitespace()?;
            let index = match self.peek()? {
                Kind::StringLiteral | Kind::Integer | Kind::True | Kind::False => {
                    self.constant()?
                }
                Kind::Identifier | Kind::Lcurly => Expr::Reference(Box::new(self.reference()?)),
                _ => return Err(self.unexpected("a string, whole number or reference as index")),
            };
            self.skip_whitespace()?;
            self.expect(Kind::IndexRbracket, "']'")?;
            steps.push(Step { at: opening.start, kind: StepKind::Index(index) });
        }
        Ok(())
    }
}

/// Whether a method's argument may begin with this token.
pub(super) fn begins_parameter(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Whitespace
            | Kind::StringLiteral
            | Kind::Integer
            | Kind::Float
            | Kind::Lbracket
            | Kind::LeftCurly
            | Kind::True
            | Kind::False
            | Kind::Identifier
            | Kind::Lcurly
    )
}

/// Takes apart what stands before the name: backslashes, stray `$` and `#`, `$`, `!`, `{`.
fn describe(at: u32, image: &str, name: &str, steps: Vec<Step>, literal: &str) -> Reference {
    let mut reference = Reference {
        at,
        root: None,
        steps,
        null_text: String::new(),
        escape_prefix: String::new(),
        more_prefix: String::new(),
        escaped: false,
        formal: false,
        runt: false,
    };
    if image.contains("\\!") {
        // `$\!a` and `$\\!a` are no references: one backslash of the first run goes.
        let Some(dollar) = image.find('$') else {
            reference.null_text = image.to_owned();
            return reference;
        };
        let start = image[dollar..].find('\\').map_or(image.len(), |at| dollar + at);
        let count = image[start..].bytes().take_while(|&byte| byte == b'\\').count();
        let mut text = image[..start].to_owned();
        text.push_str(&image[start..start + count.saturating_sub(1)]);
        text.push_str(&image[start + count..]);
        reference.null_text = text;
        return reference;
    }
    let escapes = image.bytes().take_while(|&byte| byte == b'\\').count();
    reference.escaped = escapes % 2 == 1;
    reference.escape_prefix = "\\".repeat(escapes / 2);
    let clean = &image[escapes..];
    let Some(dollar) = clean.rfind('$') else {
        reference.runt = true;
        reference.null_text = image.to_owned();
        return reference;
    };
    reference.more_prefix = clean[..dollar].to_owned();
    let clean = &clean[dollar..];
    reference.formal = clean.starts_with("$!") || clean.starts_with("${");
    // The source without what has been taken off its beginning.
    reference.null_text = literal
        .get(literal.find(image).unwrap_or(0) + escapes + dollar..)
        .unwrap_or_default()
        .to_owned();
    reference.root = Some(name.trim_start_matches(|c| !is_name_start(c)).to_owned());
    if clean.starts_with("$!") && !reference.escaped {
        reference.null_text.clear();
    }
    reference
}

/// The token of `$a` begins with what stands before the name.
fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}
