//! Step 4: instructions + request → output.
//!
//! A stack of values, variables by slot, output straight into the caller's buffer. Everything a
//! rendering needs is kept in a [`Scratch`] between renderings, so that a warm one allocates only for
//! the lists and maps that its template builds. Every step burns fuel, so every rendering ends.
//!
//! In: [`Program`], [`Host`]. Out: text, [`Overrides`]. Cost: some nanoseconds a step.

mod arithmetic;
mod call;
mod compare;
mod input;
mod iterate;
mod property;

use std::rc::Rc;

use super::error::RenderError;
use super::frame::Frame;
use super::heap::{Body, Heap};
use super::host::{Host, HostMap};
use super::java::JavaRegex;
use super::limits;
use super::overrides::Overrides;
use super::program::{Code, Constant, Instr, Program, Region, Root};
use super::trace::Tracer;
use super::value::{Entries, List, ListKind, Map, Text, Value};
use crate::json::{NodeId, Tape};

pub(super) use arithmetic::{as_int_argument, order, to_f64, to_int, to_long, whole};

/// Errors are rare and large: boxed, they do not weigh on every step.
pub(super) type Result<T> = std::result::Result<T, Box<RenderError>>;

/// Memory that renderings on one thread use one after the other.
#[derive(Default)]
pub struct Scratch {
    tape: Tape,
    body: Body,
    built: String,
    temporary: String,
    stack: Vec<Value<'static>>,
    variables: Vec<Value<'static>>,
    loops: Vec<iterate::Running<'static>>,
    captures: Vec<usize>,
    regexes: Regexes,
}

/// Regular expressions by their text.
type Regexes = std::collections::HashMap<Box<str>, Rc<JavaRegex>, foldhash::fast::FixedState>;

/// What a rendering may be told beside its request.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Iterations of one `#foreach`; the loop ends there.
    pub foreach_iterations_max: u32,
    /// Steps of the whole rendering.
    pub fuel: u64,
    /// Bytes that may come out.
    pub output_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            foreach_iterations_max: limits::FOREACH_ITERATIONS_MAX,
            fuel: limits::FUEL,
            output_bytes_max: limits::OUTPUT_BYTES_MAX,
        }
    }
}

/// How a run of instructions ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flow {
    /// At its end.
    Done,
    /// By a `#break` outside of its loops.
    Break,
    /// By `#stop`.
    Stop,
}

/// One rendering.
pub(super) struct Machine<'a, 't> {
    pub(super) heap: Heap<'a>,
    program: &'a Program,
    out: String,
    out_start: usize,
    pub(super) stack: Vec<Value<'a>>,
    variables: Vec<Value<'a>>,
    /// Names that `#evaluate` has added to the program's.
    more_names: Vec<Box<str>>,
    /// Macros that `#evaluate` has defined.
    more_macros: Vec<(Code<'a>, u32)>,
    loops: Vec<iterate::Running<'a>>,
    /// Where strings that are being built begin in the output.
    captures: Vec<usize>,
    frame: Option<Rc<Frame<'a>>>,
    macro_depth: u32,
    call_depth: u32,
    pub(super) regexes: Regexes,
    fuel: u64,
    /// A `#stop` within a block is on its way out.
    stopping: bool,
    settings: Settings,
    tracer: Option<&'t mut dyn Tracer>,
}

/// Empties a vector and gives its memory the type of another lifetime.
fn recycle<A, B>(mut values: Vec<A>) -> Vec<B> {
    values.clear();
    values.into_iter().map(|_| unreachable!("the vector is empty")).collect()
}

/// Renders `program` onto the end of `out`.
///
/// `overrides` hold what an earlier template of the same request has set and take what this one sets.
///
/// # Errors
/// What Velocity fails over, and every bound of [`Settings`] and [`limits`]. `out` may have got a part
/// of the output.
pub fn render<'a>(
    program: &'a Program,
    host: &'a dyn Host<'a>,
    scratch: &mut Scratch,
    settings: Settings,
    overrides: &mut Overrides,
    tracer: Option<&mut dyn Tracer>,
    out: &mut String,
) -> Result<()> {
    scratch.body = Body::Unread;
    render_inner(program, host, scratch, settings, overrides, tracer, out)
}

/// As [`render`], for the body that is on the tape.
pub fn render_parsed<'a>(
    program: &'a Program,
    host: &'a dyn Host<'a>,
    scratch: &mut Scratch,
    settings: Settings,
    overrides: &mut Overrides,
    out: &mut String,
) -> Result<()> {
    render_inner(program, host, scratch, settings, overrides, None, out)
}

impl Scratch {
    /// The tape, for whoever parses a body ahead of renderings otherwise than by [`Scratch::parse`]; once
    /// it is there, [`Scratch::set_parsed`] says so.
    pub fn tape(&mut self) -> &mut Tape {
        self.body = Body::Invalid;
        &mut self.tape
    }

    /// The body on the tape is the one of the next [`Program::render_parsed`].
    pub fn set_parsed(&mut self) {
        self.body = Body::Parsed(NodeId::ROOT);
    }

    /// Bytes of memory that grow with the bodies that are parsed.
    pub fn tape_bytes(&self) -> usize {
        self.tape.memory_bytes()
    }

    /// Parses a body ahead of renderings by [`Program::render_parsed`], so that validation and templates share
    /// one parse. A body that is no JSON is remembered as such.
    pub fn parse(&mut self, body: &str) {
        let body = if body.is_empty() { "{}" } else { body };
        self.body = match self.tape.parse(body) {
            Ok(root) => Body::Parsed(root),
            Err(_) => Body::Invalid,
        };
    }
}

fn render_inner<'a>(
    program: &'a Program,
    host: &'a dyn Host<'a>,
    scratch: &mut Scratch,
    settings: Settings,
    overrides: &mut Overrides,
    tracer: Option<&mut dyn Tracer>,
    out: &mut String,
) -> Result<()> {
    let body_text = match host.body() {
        "" => "{}",
        body => body,
    };
    let mut built = std::mem::take(&mut scratch.built);
    built.clear();
    let mut variables: Vec<Value<'a>> = recycle(std::mem::take(&mut scratch.variables));
    variables.resize(program.names.len(), Value::Null);
    let mut machine = Machine {
        heap: Heap {
            host,
            tape: std::mem::take(&mut scratch.tape),
            body: scratch.body,
            body_text,
            built,
            temporary: std::mem::take(&mut scratch.temporary),
            written: None,
            overrides: None,
        },
        program,
        out_start: out.len(),
        out: std::mem::take(out),
        stack: recycle(std::mem::take(&mut scratch.stack)),
        variables,
        more_names: Vec::new(),
        more_macros: Vec::new(),
        loops: recycle(std::mem::take(&mut scratch.loops)),
        captures: std::mem::take(&mut scratch.captures),
        frame: None,
        macro_depth: 0,
        call_depth: 0,
        regexes: std::mem::take(&mut scratch.regexes),
        fuel: settings.fuel,
        stopping: false,
        settings,
        tracer,
    };
    machine.captures.clear();
    if !overrides.is_empty() {
        machine.heap.overrides = Some(overrides.restore());
    }
    machine.set_roots();
    let result = machine.run(&Code::Template(program), program.main());
    if result.is_ok()
        && let Some(maps) = &machine.heap.overrides
    {
        overrides.keep(&machine.heap, maps);
    }
    *out = machine.out;
    scratch.tape = machine.heap.tape;
    scratch.built = machine.heap.built;
    scratch.temporary = machine.heap.temporary;
    scratch.stack = recycle(machine.stack);
    scratch.variables = recycle(machine.variables);
    scratch.loops = recycle(machine.loops);
    scratch.captures = machine.captures;
    scratch.regexes = machine.regexes;
    result.map(|_| ())
}

impl<'a> Machine<'a, '_> {
    /// `$input`, `$util`, `$context`, `$stageVariables`, where the template names them.
    fn set_roots(&mut self) {
        if self.heap.host.is_api_gateway() {
            for &(slot, root) in &self.program.roots {
                self.variables[usize::from(slot)] = match root {
                    Root::Input => Value::Input,
                    Root::Util => Value::Util,
                    Root::Context => Value::Host(HostMap::CONTEXT),
                    Root::StageVariables => Value::Host(HostMap::STAGE_VARIABLES),
                };
            }
            return;
        }
        let names = &self.program.names;
        for (slot, name) in names.iter().enumerate() {
            if let Some(value) = self.root(name) {
                self.variables[slot] = value;
            }
        }
    }

    /// Runs a region to its end.
    ///
    /// # Errors
    /// With the byte of the template that failed, unless it is text of an `#evaluate`.
    pub(super) fn run(&mut self, code: &Code<'a>, region: Region) -> Result<Flow> {
        let captures = self.captures.len();
        let loops = self.loops.len();
        let stack = self.stack.len();
        self.call_depth += 1;
        if self.call_depth > limits::CALL_DEPTH_MAX {
            return Err(RenderError::new(format!(
                "macros, blocks and evaluated templates are nested more than {} deep",
                limits::CALL_DEPTH_MAX
            )));
        }
        let flow = self.run_region(code, region)?;
        self.call_depth -= 1;
        if flow != Flow::Done {
            // What was begun in this run ends with it.
            while self.loops.len() > loops {
                self.loop_end();
            }
            if self.captures.len() > captures {
                self.out.truncate(self.captures[captures]);
                self.captures.truncate(captures);
            }
            self.stack.truncate(stack);
        }
        Ok(flow)
    }

    fn run_region(&mut self, code: &Code<'a>, region: Region) -> Result<Flow> {
        let instructions: &[Instr] = &code.code;
        let mut at = region.start;
        while at < region.end {
            let here = at;
            at += 1;
            if self.fuel == 0 {
                return Err(self.located(code, here, out_of_fuel()));
            }
            self.fuel -= 1;
            let instr = instructions[here as usize];
            match self.step(code, instr, here, &mut at) {
                Ok(Flow::Done) if !self.stopping => {}
                Ok(Flow::Done) => return Ok(Flow::Stop),
                Ok(flow) => return Ok(flow),
                Err(error) => return Err(self.located(code, here, error)),
            }
        }
        Ok(Flow::Done)
    }

    #[cold]
    fn located(&self, code: &Code<'a>, at: u32, mut error: Box<RenderError>) -> Box<RenderError> {
        if error.at == usize::MAX && matches!(code, Code::Template(_)) {
            error.at = code.positions[at as usize] as usize;
        }
        error
    }

    // One call site: the dispatch is part of the loop.
    #[inline(always)]
    fn step(&mut self, code: &Code<'a>, instr: Instr, here: u32, at: &mut u32) -> Result<Flow> {
        match instr {
            Instr::Text(span) => {
                let text = code.span(span);
                self.out.push_str(text);
                self.charge(text.len())?;
            }
            Instr::Print => {
                let value = self.pop();
                self.print(&value)?;
                if self.tracer.is_some() {
                    self.trace_value(code, here, &value);
                }
            }
            Instr::PrintVariable(slot) => {
                let value = self.load(slot)?;
                self.print(&value)?;
                if self.tracer.is_some() {
                    self.trace_value(code, here, &value);
                }
            }
            Instr::PrintEscapedJavaScript => {
                let value = self.pop();
                let before = self.out.len();
                if !value.is_null() {
                    let text = self.text_of(&value)?;
                    let text = self.heap.as_str(&text).unwrap_or_default();
                    super::java::escape::escape_java_script(text, &mut self.out);
                }
                if self.tracer.is_some() {
                    let printed = self.heap.keep(&self.out[before..])?;
                    self.trace_value(code, here, &printed);
                }
                self.charge(self.out.len() - before)?;
            }
            Instr::PrintContext(variable) => self.print_context(code, variable, here)?,
            Instr::PrintInputPath(path) => self.print_input_path(code, path, here)?,
            Instr::PrintReference(print) => self.print_reference(code, print, here)?,
            Instr::PrintEscaped(print) => {
                let value = self.pop();
                let print = code.prints[print as usize];
                self.out.push_str(code.span(print.escape_prefix));
                if value.is_null() {
                    self.out.push('\\');
                }
                self.print_null_text(code, &print);
            }
            Instr::PrintInputJson(path) => self.print_input_json(code, path, here)?,
            Instr::Null => self.stack.push(Value::Null),
            Instr::Bool(value) => self.stack.push(Value::Bool(value)),
            Instr::Int(value) => self.stack.push(Value::Int(value)),
            Instr::Constant(constant) => {
                let value = self.constant(code, constant)?;
                self.stack.push(value);
            }
            Instr::Load(slot) => {
                let value = self.load(slot)?;
                self.stack.push(value);
            }
            Instr::Store(slot) => {
                let value = self.pop();
                if !value.is_null() {
                    if self.tracer.is_some() {
                        self.trace_set(code, here, slot, &value);
                    }
                    self.store(slot, value);
                }
            }
            Instr::LoadProperty { slot, name } => {
                let object = self.load(slot)?;
                let value = self.property(&object, &code.properties[usize::from(name)])?;
                self.stack.push(value);
            }
            Instr::Property(name) => {
                let object = self.pop();
                let value = self.property(&object, &code.properties[name as usize])?;
                self.stack.push(value);
            }
            Instr::Index => {
                let index = self.pop();
                let object = self.pop();
                let value = self.index(&object, index)?;
                self.stack.push(value);
            }
            Instr::Method(method, count) => self.method(method, count)?,
            Instr::SetProperty(name) => {
                let object = self.pop();
                let value = self.pop();
                let name = Value::Text(self.span_text(code, name)?);
                self.set_property(&object, name, value)?;
            }
            Instr::SetIndex => {
                let index = self.pop();
                let object = self.pop();
                let value = self.pop();
                self.set_index(&object, index, value)?;
            }
            Instr::InputPath(path) => {
                let value = self.input_path(code, path)?;
                self.stack.push(value);
            }
            Instr::InputJson(path) => {
                let value = self.input_json(code, path)?;
                self.stack.push(value);
            }
            Instr::InputParam(name) => {
                let value = self.input_param(code.span(name));
                self.stack.push(value);
            }
            Instr::InputBody => self.stack.push(Value::text(self.heap.body_text)),
            Instr::Context(variable) => {
                let value = self.context(variable)?;
                self.stack.push(value);
            }
            Instr::StageVariable(name) => {
                let value = self.stage_variable(code.span(name));
                self.stack.push(value);
            }
            Instr::Truth => {
                let value = self.pop();
                self.stack.push(Value::Bool(value.is_true()));
            }
            Instr::Not => {
                let value = self.pop();
                self.stack.push(Value::Bool(!value.is_true()));
            }
            Instr::Add(operands) => self.add(code, operands)?,
            Instr::Arithmetic(operator) => {
                let right = self.pop();
                let left = self.pop();
                let value = arithmetic::calculate(operator, &left, &right)?;
                self.stack.push(value);
            }
            Instr::Compare(comparison) => {
                let right = self.pop();
                let left = self.pop();
                let holds = self.compare(comparison, &left, &right)?;
                self.stack.push(Value::Bool(holds));
            }
            Instr::List(count) => {
                self.burn(u64::from(count))?;
                let items = self.stack.split_off(self.stack.len() - count as usize);
                self.stack.push(Value::List(List::new(ListKind::ArrayList, items)));
            }
            Instr::Map(count) => {
                self.burn(u64::from(count) * 2)?;
                let items = self.stack.split_off(self.stack.len() - 2 * count as usize);
                let mut entries = Entries::default();
                let mut items = items.into_iter();
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    entries.insert(self.heap.key(&key), value);
                }
                self.stack.push(Value::Map(Map::new(entries)));
            }
            Instr::Range => {
                let to = self.pop();
                let from = self.pop();
                let value = self.range(&from, &to)?;
                self.stack.push(value);
            }
            Instr::JumpIfNull(target) => {
                if self.top().is_null() {
                    *at = target;
                }
            }
            Instr::NullToEmpty => {
                if let Some(top) = self.stack.last_mut()
                    && top.is_null()
                {
                    *top = Value::EMPTY;
                }
                if self.tracer.is_some() {
                    let value = self.top().clone();
                    self.trace_value(code, here, &value);
                }
            }
            Instr::Jump(target) => *at = target,
            Instr::JumpUnless(target) => {
                let holds = self.pop().is_true();
                if !holds {
                    *at = target;
                }
                if self.tracer.is_some() {
                    self.trace_branch(code, here, holds);
                }
            }
            Instr::And(target) => {
                if self.top().is_true() {
                    self.pop();
                } else {
                    *at = target;
                }
            }
            Instr::Or(target) => {
                if self.top().is_true() {
                    *at = target;
                } else {
                    self.pop();
                }
            }
            Instr::DropIfNull(target) => {
                if self.top().is_null() {
                    self.pop();
                    self.pop();
                    *at = target;
                }
            }
            Instr::Drop(count) => {
                for _ in 0..count {
                    self.pop();
                }
            }
            Instr::Capture => self.captures.push(self.out.len()),
            Instr::EndCapture(drop_last) => {
                let start = self.captures.pop().expect("a capture was begun");
                if drop_last && self.out.len() > start {
                    self.out.pop();
                }
                let value = self.heap.keep(&self.out[start..])?;
                self.out.truncate(start);
                self.stack.push(value);
            }
            Instr::LoopBegin(index) => self.loop_begin(code, index, at)?,
            Instr::LoopNext(index) => self.loop_next(code, index, at)?,
            Instr::LoopBreak(index) => {
                self.loop_end();
                *at = code.loops[index as usize].exit;
            }
            Instr::Break => return Ok(Flow::Break),
            Instr::BreakScope => return self.break_scope(code, here, at),
            Instr::Stop => return Ok(Flow::Stop),
            Instr::Call(call) => return self.call(code, call, at),
            Instr::Define(define) => self.define(code, define, at),
            Instr::Evaluate => return self.evaluate(),
            Instr::Fail(why) => return Err(RenderError::new(code.span(why))),
        }
        Ok(Flow::Done)
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Value<'a> {
        self.stack.pop().expect("the code generator keeps the stack balanced")
    }

    #[inline]
    fn top(&self) -> &Value<'a> {
        self.stack.last().expect("the code generator keeps the stack balanced")
    }

    /// Steps for work that takes more than one.
    pub(super) fn burn(&mut self, steps: u64) -> Result<()> {
        match self.fuel.checked_sub(steps) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => {
                self.fuel = 0;
                Err(out_of_fuel())
            }
        }
    }

    /// Steps for text, and the bound of the output.
    #[inline]
    pub(super) fn charge(&mut self, bytes: usize) -> Result<()> {
        if self.out.len() - self.out_start > self.settings.output_bytes_max {
            return Err(RenderError::new(format!(
                "the output has more than {} bytes",
                self.settings.output_bytes_max
            )));
        }
        if bytes < limits::BYTES_PER_STEP {
            return Ok(());
        }
        self.burn((bytes / limits::BYTES_PER_STEP) as u64)
    }

    /// A piece of constant text as a value.
    fn span_text(&mut self, code: &Code<'a>, span: u32) -> Result<Text<'a>> {
        match code {
            Code::Template(program) => Ok(Text::Slice(program.span(span))),
            Code::Evaluated(program) => match self.heap.keep(program.span(span))? {
                Value::Text(text) => Ok(text),
                _ => unreachable!("kept text is text"),
            },
        }
    }

    fn constant(&mut self, code: &Code<'a>, index: u32) -> Result<Value<'a>> {
        match (code, &code.constants[index as usize]) {
            (Code::Template(program), &Constant::Text((start, end))) => {
                Ok(Value::text(&program.text[start as usize..end as usize]))
            }
            (Code::Evaluated(program), &Constant::Text((start, end))) => {
                self.heap.keep(&program.text[start as usize..end as usize])
            }
            (_, Constant::Long(value)) => Ok(Value::Long(*value)),
            (_, Constant::Double(value)) => Ok(Value::Double(*value)),
            (_, Constant::Big(value)) => Ok(Value::big(value.clone())),
        }
    }

    /// Prints a value; null prints nothing.
    #[inline]
    pub(super) fn print(&mut self, value: &Value<'a>) -> Result<()> {
        let before = self.out.len();
        match value {
            Value::Null => return Ok(()),
            Value::Text(text) => self.out.push_str(self.heap.str(text)),
            Value::Block(block) => {
                self.render_block(block)?;
                return Ok(());
            }
            value => self.heap.write(value, &mut self.out)?,
        }
        self.charge(self.out.len().saturating_sub(before))
    }

    fn print_reference(&mut self, code: &Code<'a>, print: u32, here: u32) -> Result<()> {
        let value = self.pop();
        let print = code.prints[print as usize];
        if self.tracer.is_some() {
            self.trace_value(code, here, &value);
        }
        if value.is_null() {
            // Twice: as text, backslashes do not escape each other.
            self.out.push_str(code.span(print.escape_prefix));
            self.out.push_str(code.span(print.escape_prefix));
            self.out.push_str(code.span(print.more_prefix));
            self.print_null_text(code, &print);
            return self.charge(0);
        }
        if let Value::Block(block) = &value {
            if !self.render_block(block)? {
                self.print_null_text(code, &print);
            }
            return Ok(());
        }
        self.out.push_str(code.span(print.escape_prefix));
        self.out.push_str(code.span(print.more_prefix));
        self.print(&value)
    }

    /// What a reference prints instead of null: its source, or that of the argument it stands for.
    fn print_null_text(&mut self, code: &Code<'a>, print: &super::program::Print) {
        if let Some(slot) = print.parameter
            && let Some((code, source)) = self.argument_source(slot)
        {
            let text = code.span(source).to_owned();
            self.out.push_str(&text);
            return;
        }
        self.out.push_str(code.span(print.null_text));
    }

    /// `[from..to]` as a list.
    fn range(&mut self, from: &Value<'a>, to: &Value<'a>) -> Result<Value<'a>> {
        let (Some(from), Some(to)) = (to_int(from), to_int(to)) else {
            return Ok(Value::Null);
        };
        let count = (i64::from(to) - i64::from(from)).unsigned_abs() as usize + 1;
        if count > limits::ELEMENTS_MAX {
            return Err(RenderError::new(format!(
                "the range [{from}..{to}] has more than {} elements",
                limits::ELEMENTS_MAX
            )));
        }
        self.burn(count as u64 / 16)?;
        let items = if from >= to {
            (to..=from).rev().map(Value::Int).collect()
        } else {
            (from..=to).map(Value::Int).collect()
        };
        Ok(Value::List(List::new(ListKind::ArrayList, items)))
    }
}

impl<'a> Machine<'a, '_> {
    #[cold]
    fn trace_value(&mut self, code: &Code<'a>, here: u32, value: &Value<'a>) {
        let mut text = String::new();
        let _ = self.heap.write(value, &mut text);
        let at = code.positions[here as usize] as usize;
        let value = (!value.is_null()).then_some(text.as_str());
        if let Some(tracer) = &mut self.tracer {
            tracer.reference(at, value);
        }
    }

    #[cold]
    fn trace_set(&mut self, code: &Code<'a>, here: u32, slot: u16, value: &Value<'a>) {
        let mut text = String::new();
        let _ = self.heap.write(value, &mut text);
        let name = self.program.names.iter().chain(&self.more_names).nth(usize::from(slot));
        if let (Some(tracer), Some(name)) = (&mut self.tracer, name) {
            tracer.set(code.positions[here as usize] as usize, name, &text);
        }
    }

    #[cold]
    fn trace_branch(&mut self, code: &Code<'a>, here: u32, taken: bool) {
        if let Some(tracer) = &mut self.tracer {
            tracer.branch(code.positions[here as usize] as usize, taken);
        }
    }
}

fn out_of_fuel() -> Box<RenderError> {
    RenderError::new("the rendering takes too many steps and was ended")
}
