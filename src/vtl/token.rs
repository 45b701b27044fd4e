//! Tokens of the template language and the states in which they are read.

/// Where the lexer is. What a character means depends on it alone.
///
/// ```text
///  Default ──$──▶ Reference ──.name──▶ RefModifier ──(──▶ RefMod2 ──)──▶ Reference
///     │              └──[──▶ RefIndex ──]──▶ (back)
///     ├──#──▶ PreDirective ──if, elseif, a name──▶ Directive ──)──▶ (back)
///     ├──##──▶ LineComment ──newline──▶ (back)
///     └──#* #** #[[──▶ BlockComment FormalComment Textblock ──*# ]]#──▶ (back)
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Text.
    Default,
    /// After `$`.
    Reference,
    /// After the dot of `$a.b`.
    RefModifier,
    /// Among the arguments of `$a.b(`.
    RefMod2,
    /// Between the brackets of `$a[`.
    RefIndex,
    /// After `#`, before it is known what it begins.
    PreDirective,
    /// Among the arguments of a directive.
    Directive,
    /// `## …`
    LineComment,
    /// `#* …`
    BlockComment,
    /// `#** …`
    FormalComment,
    /// `#[[ …`
    Textblock,
}

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Eof,
    IndexLbracket,
    IndexRbracket,
    Lbracket,
    Rbracket,
    Comma,
    DoubleDot,
    Colon,
    LeftCurly,
    RightCurly,
    Lparen,
    /// With the blanks and the newline behind it.
    Rparen,
    RefMod2Rparen,
    /// `\#name` with an odd number of backslashes.
    EscapeDirective,
    /// `#set(` with the blanks before it.
    Set,
    LineCommentStart,
    /// `\\`
    DoubleEscape,
    /// `\`
    Escape,
    Text,
    LineCommentEnd,
    FormalComment,
    BlockComment,
    Textblock,
    Whitespace,
    StringLiteral,
    True,
    False,
    Minus,
    Plus,
    Multiply,
    Divide,
    Modulus,
    And,
    Or,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
    Not,
    Equals,
    End,
    If,
    ElseIf,
    Else,
    Integer,
    Float,
    Word,
    BracketedWord,
    Identifier,
    Dot,
    Lcurly,
    Rcurly,
    /// `$[`, `$![`, `$.`: text.
    EmptyIndex,
}

/// A piece of the source.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// First byte, what `$` or `#` led to it included.
    pub start: u32,
    /// Past its last byte.
    pub end: u32,
    /// Spans `$…` and `#…` before it that led to nothing: indexes into the lexer's list.
    pub special: (u32, u32),
}
