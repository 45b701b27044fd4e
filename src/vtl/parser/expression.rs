//! Values and operators.

use num_bigint::BigInt;

use super::super::ast::{Expr, Interpolated, Operands, Operator};
use super::super::error::SyntaxError;
use super::super::token::{Kind, Token};
use super::reference::begins_parameter;
use super::{Parser, Result, parse_nested};

/// An operand and the tokens that are its source.
pub(super) struct Operand {
    pub(super) value: Expr,
    first: usize,
    past: usize,
}

/// Operators from loose to tight; all group to the left.
const LEVELS: [&[(Kind, Operator)]; 6] = [
    &[(Kind::Or, Operator::Or)],
    &[(Kind::And, Operator::And)],
    &[(Kind::Eq, Operator::Eq), (Kind::Ne, Operator::Ne)],
    &[
        (Kind::Lt, Operator::Lt),
        (Kind::Gt, Operator::Gt),
        (Kind::Le, Operator::Le),
        (Kind::Ge, Operator::Ge),
    ],
    &[(Kind::Plus, Operator::Add), (Kind::Minus, Operator::Subtract)],
    &[
        (Kind::Multiply, Operator::Multiply),
        (Kind::Divide, Operator::Divide),
        (Kind::Modulus, Operator::Modulus),
    ],
];

impl Parser<'_, '_> {
    /// An expression, with the tokens around it that are blanks.
    pub(super) fn expression(&mut self) -> Result<Operand> {
        self.nested(|parser| {
            let first = parser.at;
            let value = parser.level(0)?.value;
            Ok(Operand { value, first, past: parser.at })
        })
    }

    fn level(&mut self, level: usize) -> Result<Operand> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        loop {
            let next = self.peek()?;
            let Some(&(_, operator)) = operators.iter().find(|(kind, _)| *kind == next) else {
                return Ok(left);
            };
            self.take()?;
            // Velocity takes a binary node's right side for its source.
            let first = self.at;
            let right = self.level(level + 1)?;
            let operands = Operands {
                at: self.tokens[left.first].start,
                left_source: self.literal(left.first, left.past),
                right_source: self.literal(right.first, right.past),
                left: left.value,
                right: right.value,
            };
            let value = Expr::Binary(operator, Box::new(operands));
            left = Operand { value, first, past: self.at };
        }
    }

    fn unary(&mut self) -> Result<Operand> {
        let blanks = usize::from(self.peek()? == Kind::Whitespace);
        if self.peek_at(blanks)? == Kind::Not {
            return self.nested(|parser| {
                parser.at += blanks + 1;
                let first = parser.at;
                let operand = parser.unary()?;
                let value = Expr::Not(Box::new(operand.value));
                Ok(Operand { value, first, past: parser.at })
            });
        }
        self.skip_whitespace()?;
        let mut first = self.at;
        let mut past = None;
        let value = match self.peek()? {
            Kind::Identifier | Kind::Lcurly => Expr::Reference(Box::new(self.reference()?)),
            Kind::Lparen => {
                self.take()?;
                let inner = self.expression()?;
                self.expect(Kind::Rparen, "an operator or ')'")?;
                first = inner.first;
                past = Some(inner.past);
                inner.value
            }
            kind if begins_constant(kind) => self.constant()?,
            Kind::Lbracket | Kind::LeftCurly => self.collection()?,
            Kind::Word => {
                let token = self.token(0)?;
                let word = self.image(token);
                let message = if word == "null" {
                    "there is no 'null' literal; an unset reference such as $null is null"
                        .to_owned()
                } else {
                    format!("'{word}' is no value; a string needs quotes, a reference '$'")
                };
                return Err(SyntaxError::new(token.start as usize, message));
            }
            _ => return Err(self.unexpected("a value")),
        };
        let past = past.unwrap_or(self.at);
        self.skip_whitespace()?;
        Ok(Operand { value, first, past })
    }

    /// An argument of a method, an element of a list, a key or value of a map.
    pub(super) fn parameter(&mut self) -> Result<Expr> {
        self.nested(|parser| {
            parser.skip_whitespace()?;
            let value = match parser.peek()? {
                Kind::Identifier | Kind::Lcurly => Expr::Reference(Box::new(parser.reference()?)),
                Kind::Lbracket | Kind::LeftCurly => parser.collection()?,
                kind if begins_constant(kind) => parser.constant()?,
                _ => return Err(parser.unexpected("a value (operators cannot stand here)")),
            };
            parser.skip_whitespace()?;
            Ok(value)
        })
    }

    /// A string, number, `true` or `false`.
    pub(super) fn constant(&mut self) -> Result<Expr> {
        let token = self.take()?;
        match token.kind {
            Kind::StringLiteral => self.string(token),
            Kind::True => Ok(Expr::Bool(true)),
            Kind::False => Ok(Expr::Bool(false)),
            Kind::Integer => Ok(integer(self.image(token))),
            _ => Ok(Expr::Double(self.image(token).parse().unwrap_or(f64::NAN))),
        }
    }

    /// A list, range or map; the next token is its bracket.
    pub(super) fn collection(&mut self) -> Result<Expr> {
        self.nested(|parser| {
            if parser.peek()? == Kind::LeftCurly {
                return parser.map();
            }
            if let Some(range) = parser.range()? {
                return Ok(range);
            }
            parser.take()?;
            let mut elements = Vec::new();
            if begins_parameter(parser.peek()?) {
                elements.push(parser.parameter()?);
                while parser.peek()? == Kind::Comma {
                    parser.take()?;
                    elements.push(parser.parameter()?);
                }
            }
            parser.expect(Kind::Rbracket, "',' or ']'")?;
            Ok(Expr::List(elements))
        })
    }

    /// `[a..b]`; takes everything back if what begins here is none.
    fn range(&mut self) -> Result<Option<Expr>> {
        let start = self.at;
        self.take()?;
        self.skip_whitespace()?;
        let from = match self.peek()? {
            Kind::Integer => Some(self.constant()?),
            Kind::Identifier | Kind::Lcurly => {
                let known = self.tokens.len();
                match self.reference() {
                    Ok(reference) => Some(Expr::Reference(Box::new(reference))),
                    // A character that is no token is wrong however it is read.
                    Err(error) if self.tokens.len() == known => return Err(error),
                    Err(_) => None,
                }
            }
            _ => None,
        };
        if let Some(from) = from {
            self.skip_whitespace()?;
            if self.peek()? == Kind::DoubleDot {
                self.take()?;
                self.skip_whitespace()?;
                let to = match self.peek()? {
                    Kind::Integer => self.constant()?,
                    Kind::Identifier | Kind::Lcurly => Expr::Reference(Box::new(self.reference()?)),
                    _ => return Err(self.unexpected("a whole number or reference")),
                };
                self.skip_whitespace()?;
                self.expect(Kind::Rbracket, "']'")?;
                return Ok(Some(Expr::Range(Box::new((from, to)))));
            }
        }
        self.at = start;
        Ok(None)
    }

    fn map(&mut self) -> Result<Expr> {
        self.take()?;
        let mut entries = Vec::new();
        let blanks = usize::from(self.peek()? == Kind::Whitespace);
        if blanks == 1 && matches!(self.peek_at(1)?, Kind::RightCurly | Kind::Rcurly) {
            self.take()?;
        } else if begins_parameter(self.peek()?) {
            loop {
                let key = self.parameter()?;
                self.expect(
                    Kind::Colon,
                    "':' and a value (keys are strings, numbers or references)",
                )?;
                entries.push((key, self.parameter()?));
                if self.peek()? != Kind::Comma {
                    break;
                }
                self.take()?;
            }
        }
        if !matches!(self.peek()?, Kind::RightCurly | Kind::Rcurly) {
            return Err(self.unexpected("',' or '}'"));
        }
        self.take()?;
        Ok(Expr::Map(entries))
    }

    /// A string: plain, or in double quotes a template of its own.
    fn string(&mut self, token: Token) -> Result<Expr> {
        let image = self.image(token);
        let quote = &image[..1];
        let inner = &image[1..image.len() - 1];
        if quote == "'" {
            return Ok(Expr::Text(inner.replace("''", "'")));
        }
        let at = token.start as usize;
        let inner = unescape(inner, at)?.replace("\"\"", "\"");
        if !image.contains(['$', '#']) {
            return Ok(Expr::Text(inner));
        }
        let drop_last = !inner.contains("##");
        let template = if drop_last { format!("{inner} ") } else { inner };
        let depth = self.depth + 1;
        if depth >= super::limits::NESTING_MAX {
            return Err(SyntaxError::new(at, "strings nested too deeply"));
        }
        let body = parse_nested(&template, self.known, depth).map_err(|error| {
            SyntaxError::new(
                (at + 1 + error.at).min(token.end as usize - 1),
                format!("in this string: {}", error.message),
            )
        })?;
        Ok(Expr::Interpolated(Box::new(Interpolated { body, drop_last })))
    }
}

/// Whether a constant begins with this token.
fn begins_constant(kind: Kind) -> bool {
    matches!(kind, Kind::StringLiteral | Kind::Integer | Kind::Float | Kind::True | Kind::False)
}

fn integer(image: &str) -> Expr {
    if let Ok(value) = image.parse() {
        return Expr::Integer(value);
    }
    if let Ok(value) = image.parse() {
        return Expr::Long(value);
    }
    image.parse::<BigInt>().map_or(Expr::Null, Expr::Big)
}

/// Decodes `\uXXXX`; nothing else is an escape.
fn unescape(text: &str, at: usize) -> Result<String> {
    if !text.contains("\\u") {
        return Ok(text.to_owned());
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(escape) = rest.find("\\u") {
        units.extend(rest[..escape].encode_utf16());
        let digits = rest
            .get(escape + 2..escape + 6)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(unit) = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) else {
            let at = at + 1 + text.len() - rest.len() + escape;
            return Err(SyntaxError::new(at, "'\\u' needs four hexadecimal digits"));
        };
        units.push(unit);
        rest = &rest[escape + 6..];
    }
    units.extend(rest.encode_utf16());
    Ok(char::decode_utf16(units).map(|unit| unit.unwrap_or('?')).collect())
}
