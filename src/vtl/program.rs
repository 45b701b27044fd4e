//! What a template is compiled to: instructions and the tables they point into.

use std::rc::Rc;

use num_bigint::BigInt;

use super::methods::Method;
use crate::context::ContextVariable;
use crate::json::{JsonPath, Key};

/// One step of the machine. Eight bytes; a test pins that.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Instr {
    /// Prints a text.
    Text(u32),
    /// Takes a value and prints it; null prints nothing.
    Print,
    /// Takes a value and prints it with its prefixes, or its source if it is null.
    PrintReference(u32),
    /// Takes a value and prints the source of its reference without half of the backslashes.
    PrintEscaped(u32),
    /// Prints `$input.json(literal)` without building a string first.
    PrintInputJson(u32),
    /// Pushes null.
    Null,
    /// Pushes `true` or `false`.
    Bool(bool),
    /// Pushes a whole number.
    Int(i32),
    /// Pushes a constant.
    Constant(u32),
    /// Pushes a variable.
    Load(u16),
    /// Takes a value and sets a variable; null changes nothing.
    Store(u16),
    /// Pushes a property of a variable.
    LoadProperty {
        /// The variable.
        slot: u16,
        /// The property's index.
        name: u16,
    },
    /// Prints a variable.
    PrintVariable(u16),
    /// Prints a variable of `$context`.
    PrintContext(u16),
    /// Prints `$input.path(literal)`.
    PrintInputPath(u32),
    /// Takes a value and prints `$util.escapeJavaScript(value)`.
    PrintEscapedJavaScript,
    /// Takes a value, pushes a property of it.
    Property(u32),
    /// Takes an index and a value, pushes the element.
    Index,
    /// Takes arguments and a value, pushes what the method returns.
    Method(Method, u8),
    /// Takes a value and an object and sets a property of it.
    SetProperty(u32),
    /// Takes a value, an object and an index and sets the element.
    SetIndex,
    /// `$input.path(literal)`
    InputPath(u32),
    /// `$input.json(literal)`
    InputJson(u32),
    /// `$input.params(literal)`
    InputParam(u32),
    /// `$input.body`
    InputBody,
    /// A variable of `$context` by its index in [`ContextVariable::ALL`].
    Context(u16),
    /// `$stageVariables.name`
    StageVariable(u32),
    /// Takes a value; `true` unless it is null or `false`.
    Truth,
    /// Takes a value; the contrary of [`Instr::Truth`].
    Not,
    /// Takes two values. The index is of the operands' sources.
    Add(u32),
    /// Takes two numbers.
    Arithmetic(Arithmetic),
    /// Takes two values.
    Compare(Comparison),
    /// Takes as many values.
    List(u32),
    /// Takes as many pairs of values.
    Map(u32),
    /// Takes two numbers.
    Range,
    /// Goes there if the topmost value is null, which stays.
    JumpIfNull(u32),
    /// Turns null into the empty string.
    NullToEmpty,
    /// Goes there.
    Jump(u32),
    /// Takes a condition and goes there unless it holds. The first of an `#if` says so when traced.
    JumpUnless(u32),
    /// Goes there if the topmost condition does not hold, which stays; else takes it.
    And(u32),
    /// Goes there if the topmost condition holds, which stays; else takes it.
    Or(u32),
    /// Takes two values if the topmost is null and goes there, else does nothing.
    DropIfNull(u32),
    /// Takes as many values.
    Drop(u8),
    /// From here on what is printed becomes a string.
    Capture,
    /// Pushes what was printed since, without its last character if told so.
    EndCapture(bool),
    /// Takes a value and begins a loop over it, or goes past it.
    LoopBegin(u32),
    /// Goes to the next element, or past the loop.
    LoopNext(u32),
    /// Ends a loop.
    LoopBreak(u32),
    /// Ends what runs.
    Break,
    /// Takes a value: `#break($foreach)`.
    BreakScope,
    /// Ends the template.
    Stop,
    /// Calls a macro, or prints the call.
    Call(u32),
    /// Sets a variable to a block.
    Define(u32),
    /// Takes a value and renders it as a template.
    Evaluate,
    /// Fails.
    Fail(u32),
}

/// An operator on numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arithmetic {
    Subtract,
    Multiply,
    Divide,
    Modulus,
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
}

/// Instructions from `start` to before `end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// First instruction.
    pub start: u32,
    /// Past the last one.
    pub end: u32,
}

/// Bytes of [`Program::text`].
pub type Span = (u32, u32);

/// A compiled template.
#[derive(Debug, Default)]
pub struct Program {
    /// The instructions of everything.
    pub code: Vec<Instr>,
    /// Byte of the template for each instruction.
    pub positions: Vec<u32>,
    /// The template itself.
    pub main: (u32, u32),
    /// All constant text.
    pub text: String,
    /// Pieces of `text`: texts, names, sources.
    pub spans: Vec<Span>,
    /// Constants that are no text.
    pub constants: Vec<Constant>,
    /// Variables by slot.
    pub names: Vec<Box<str>>,
    /// Variables that are the request's.
    pub roots: Vec<(u16, Root)>,
    /// Slots of `$velocityCount`, `$velocityHasNext` and `$foreach`, where something reads them.
    pub loop_slots: [Option<u16>; 3],
    /// Literal JSONPaths.
    pub paths: Vec<Path>,
    /// Names after a dot.
    pub properties: Vec<Property>,
    /// How references print.
    pub prints: Vec<Print>,
    /// Sources of the operands of `+`.
    pub operands: Vec<(u32, u32)>,
    /// Loops.
    pub loops: Vec<Loop>,
    /// Calls of macros.
    pub calls: Vec<Call>,
    /// Arguments of calls.
    pub arguments: Vec<Argument>,
    /// Macros, the first of each name.
    pub macros: Vec<Macro>,
    /// `#define`s.
    pub defines: Vec<Define>,
    /// Whether an undefined reference is the empty string.
    pub undefined_is_empty: bool,
    /// Template bytes.
    pub source_bytes: u32,
}

/// A variable that is there before a template of API Gateway's begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Root {
    /// `$input`
    Input,
    /// `$util`
    Util,
    /// `$context`
    Context,
    /// `$stageVariables`
    StageVariables,
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    Text(Span),
    Long(i64),
    Double(f64),
    Big(BigInt),
}

/// A literal path; one that is none fails when it is used, as in Velocity.
#[derive(Debug)]
pub struct Path {
    /// The path.
    pub path: Result<JsonPath, String>,
    /// Its text, an index of spans.
    pub text: u32,
}

/// A name after a dot.
#[derive(Clone, Debug)]
pub struct Property {
    /// The name, as a key of the body's objects.
    pub key: Key,
    /// What it means for classes that have getters.
    pub getter: Getter,
}

/// Getters that templates can reach as properties.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Getter {
    None,
    Empty,
    Bytes,
    Blank,
    Key,
    Value,
    Index,
    Count,
    First,
    Last,
    HasNext,
    Parent,
    Topmost,
    Body,
}

impl Getter {
    pub(super) fn named(name: &str) -> Self {
        match name {
            "empty" | "Empty" => Self::Empty,
            "bytes" | "Bytes" => Self::Bytes,
            "blank" | "Blank" => Self::Blank,
            "key" | "Key" => Self::Key,
            "value" | "Value" => Self::Value,
            "index" | "Index" => Self::Index,
            "count" | "Count" => Self::Count,
            "first" | "First" => Self::First,
            "last" | "Last" => Self::Last,
            "hasNext" | "HasNext" => Self::HasNext,
            "parent" | "Parent" => Self::Parent,
            "topmost" | "Topmost" => Self::Topmost,
            "body" => Self::Body,
            _ => Self::None,
        }
    }
}

/// How a reference prints; indexes of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Instead of null.
    pub null_text: u32,
    /// Backslashes.
    pub escape_prefix: u32,
    /// `$` and `#`.
    pub more_prefix: u32,
    /// Slot of `name` if the text is `$name`: a macro's parameter prints its argument's source.
    pub parameter: Option<u16>,
}

/// A `#foreach`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// Its variable.
    pub variable: u16,
    /// First instruction of its body.
    pub body: u32,
    /// Past it.
    pub exit: u32,
}

/// A call of a macro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name, an index of spans.
    pub name: u32,
    /// The macro, if this program has it.
    pub found: Option<u32>,
    /// Its arguments.
    pub arguments: (u32, u32),
    /// What it prints without a macro, an index of spans.
    pub source: u32,
    /// The bare word among its arguments, an index of spans.
    pub bare_word: Option<u32>,
    /// The block of `#@name`.
    pub body: Option<Region>,
    /// Where to go on.
    pub after: u32,
}

/// An argument of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its expression.
    pub region: Region,
    /// It is a constant: evaluated once.
    pub constant: bool,
    /// Its source, an index of spans.
    pub source: u32,
}

/// A macro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Macro {
    /// Its name.
    pub name: Box<str>,
    /// Slots of its parameters.
    pub parameters: Vec<u16>,
    /// Its body.
    pub region: Region,
}

/// A `#define`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Define {
    /// Its variable.
    pub variable: u16,
    /// Its body.
    pub region: Region,
}

impl Program {
    /// A piece of text by the index of its span.
    pub(super) fn span(&self, index: u32) -> &str {
        let (start, end) = self.spans[index as usize];
        &self.text[start as usize..end as usize]
    }

    /// Whether a rendering may look at the payload: a host without one can be asked then in vain.
    ///
    /// `$input` as a value of its own may be asked for anything, and so may text that is evaluated.
    pub fn reads_body(&self) -> bool {
        let reads = |instr: &Instr| {
            matches!(
                instr,
                Instr::InputPath(_)
                    | Instr::PrintInputPath(_)
                    | Instr::InputJson(_)
                    | Instr::PrintInputJson(_)
                    | Instr::InputBody
                    | Instr::Evaluate
            )
        };
        self.names.iter().any(|name| &**name == "input") || self.code.iter().any(reads)
    }

    /// The instructions of the template itself.
    pub(super) fn main(&self) -> Region {
        Region { start: self.main.0, end: self.main.1 }
    }

    /// The variable an [`Instr::Context`] names.
    pub(super) fn context_variable(index: u16) -> ContextVariable {
        ContextVariable::ALL[usize::from(index)]
    }
}

/// Code that runs: the template's, or what an `#evaluate` has compiled.
#[derive(Clone, Debug)]
pub enum Code<'a> {
    /// The template.
    Template(&'a Program),
    /// Compiled while rendering.
    Evaluated(Rc<Program>),
}

impl<'a> std::ops::Deref for Code<'a> {
    type Target = Program;

    fn deref(&self) -> &Program {
        match self {
            Self::Template(program) => program,
            Self::Evaluated(program) => program,
        }
    }
}
