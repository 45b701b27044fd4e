//! The syntax tree: what the parser found, with the source text that a construct prints when it
//! comes to nothing.

use num_bigint::BigInt;

/// A run of statements.
pub type Block = Vec<Statement>;

/// One statement, and the byte it begins at.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// First byte.
    pub at: u32,
    /// What it does.
    pub kind: StatementKind,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// Prints this.
    Text(String),
    /// `\\` before a directive or none: prints this.
    Reference(Reference),
    /// `#set`.
    Set { target: Reference, value: Expr },
    /// `#if … #elseif … #else`.
    If { branches: Vec<(Expr, Block)>, otherwise: Option<Block> },
    /// `#foreach`.
    Foreach { variable: String, source: Expr, body: Block },
    /// `#macro`: known from the template's beginning.
    Macro(MacroDefinition),
    /// `#define`.
    Define { name: String, body: Block },
    /// `#evaluate`.
    Evaluate(Expr),
    /// `#break`, with its argument.
    Break(Option<Expr>),
    /// `#stop`.
    Stop,
    /// `#name`, `#name(…)`: a macro's call, or text if there is no such macro when it renders.
    Call(MacroCall),
    /// `#literal() … #end`: prints its source.
    Literal(String),
    /// A directive whose arguments Velocity accepts and then fails over when it renders.
    Fails(String),
}

/// `#macro(name $a $b) body #end`.
#[derive(Clone, Debug, PartialEq)]
pub struct MacroDefinition {
    /// Its name.
    pub name: String,
    /// Its parameters without `$`.
    pub parameters: Vec<String>,
    /// What a call renders.
    pub body: Block,
}

/// `#name(args)` or `#@name(args) body #end`.
#[derive(Clone, Debug, PartialEq)]
pub struct MacroCall {
    /// Without `#`.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// What it prints if there is no such macro.
    pub source: String,
    /// A bare word among the arguments: fails if the macro exists.
    pub bare_word: Option<String>,
    /// The block of `#@name`.
    pub body: Option<Block>,
}

/// An argument of a macro, evaluated each time the parameter is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// What it is worth.
    pub value: Expr,
    /// Its source, which an undefined argument prints.
    pub source: String,
}

/// `$a.b[0].c(1)` in all its forms.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// First byte.
    pub at: u32,
    /// Name of the variable; `None`: cannot be computed and prints `null_text`.
    pub root: Option<String>,
    /// What is done to it.
    pub steps: Vec<Step>,
    /// What it prints if it is null; empty for `$!`.
    pub null_text: String,
    /// Half of the backslashes before it.
    pub escape_prefix: String,
    /// `$` and `#` before it that begin nothing.
    pub more_prefix: String,
    /// An odd number of backslashes before it.
    pub escaped: bool,
    /// `$!` or `${`: Velocity sets a variable that nothing can read.
    pub formal: bool,
    /// A name without `$` where a reference may stand: prints itself, is null.
    pub runt: bool,
}

/// One link of a reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// First byte.
    pub at: u32,
    /// What it does.
    pub kind: StepKind,
}

/// What a link does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// `.name`
    Property(String),
    /// `.name(…)`
    Method(String, Vec<Expr>),
    /// `[…]`
    Index(Expr),
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A whole number.
    Integer(i32),
    /// One that needs 64 bits.
    Long(i64),
    /// One that needs more.
    Big(BigInt),
    /// A number with a point or an exponent.
    Double(f64),
    /// `true`, `false`.
    Bool(bool),
    /// A string without references and directives.
    Text(String),
    /// A string that is a template itself.
    Interpolated(Box<Interpolated>),
    /// A reference.
    Reference(Box<Reference>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{k: v}`
    Map(Vec<(Expr, Expr)>),
    /// `[a..b]`
    Range(Box<(Expr, Expr)>),
    /// Two operands, with their sources for a null beside a string.
    Binary(Operator, Box<Operands>),
    /// `!a`
    Not(Box<Expr>),
    /// A place where Velocity finds no value: null.
    Null,
}

/// A string in double quotes with something to evaluate in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpolated {
    /// Its content as a template.
    pub body: Block,
    /// Velocity adds a blank to what it parses and takes the last character off what comes out.
    pub drop_last: bool,
}

/// Operands of a binary operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Operands {
    /// First byte of the left one.
    pub at: u32,
    /// Left.
    pub left: Expr,
    /// Right.
    pub right: Expr,
    /// Source of the left one.
    pub left_source: String,
    /// Source of the right one.
    pub right_source: String,
}

/// A binary operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulus,
}
