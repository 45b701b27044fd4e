//! Step 3: syntax tree → instructions.
//!
//! What can be decided here is: literal text is merged, literal JSONPaths are compiled, variables of
//! `$context` become numbers, names become slots, macros are found. Constants are not folded where
//! Velocity's result would depend on operands being references.
//!
//! In: [`Block`]. Out: [`Program`].

mod survey;

use std::collections::{HashMap, HashSet};

use super::ast::{
    Block, Expr, Interpolated, MacroCall, MacroDefinition, Operator, Reference, Statement,
    StatementKind, Step, StepKind,
};
use super::methods::Method;
use super::program::{
    Argument, Arithmetic, Call, Comparison, Constant, Define, Getter, Instr, Loop, Macro, Path,
    Print, Program, Property, Region, Root,
};
use crate::context::ContextVariable;
use crate::json::{JsonPath, Key};
use survey::{has_blocks, survey};

/// Compiles a tree.
///
/// `names` are variables that have slots already: those of the template around an `#evaluate`.
pub(super) fn compile(
    block: &Block,
    undefined_is_empty: bool,
    is_api_gateway: bool,
    names: &[Box<str>],
    source_bytes: usize,
) -> Program {
    let mut generator = Generator {
        program: Program {
            undefined_is_empty,
            source_bytes: source_bytes as u32,
            ..Program::default()
        },
        slots: HashMap::new(),
        spans: HashMap::new(),
        macros: HashMap::new(),
        loops: Vec::new(),
        at: 0,
        assigned: HashSet::new(),
        dynamic: !names.is_empty(),
        is_api_gateway,
        has_blocks: !names.is_empty(),
        landed: u32::MAX,
    };
    for name in names {
        generator.slot(name);
    }
    let mut found = Vec::new();
    survey(block, &mut generator.assigned, &mut generator.dynamic, &mut found);
    generator.has_blocks |= generator.dynamic || has_blocks(block);
    // What a loop sets beside its variable has a slot wherever something could read it.
    if generator.dynamic {
        for name in ["foreach", "velocityCount", "velocityHasNext"] {
            generator.slot(name);
        }
    }
    for definition in &found {
        let index = generator.macros.len() as u32;
        generator.macros.entry(definition.name.clone()).or_insert(index);
    }
    let mut first: Vec<&MacroDefinition> = Vec::new();
    for definition in found {
        if !first.iter().any(|other| other.name == definition.name) {
            first.push(definition);
        }
    }
    for definition in first {
        generator.macro_body(definition);
    }
    let start = generator.here();
    generator.block(block);
    generator.program.main = (start, generator.here());
    let slot = |name: &str| generator.slots.get(name).copied();
    generator.program.loop_slots = ["velocityCount", "velocityHasNext", "foreach"].map(slot);
    let roots = [
        ("input", Root::Input),
        ("util", Root::Util),
        ("context", Root::Context),
        ("stageVariables", Root::StageVariables),
    ];
    generator.program.roots =
        roots.into_iter().filter_map(|(name, root)| Some((slot(name)?, root))).collect();
    generator.program
}

/// Whether evaluating a link's arguments could do or fail anything: they are not evaluated then where
/// there is nothing to call.
fn has_effects(step: &Step) -> bool {
    let constant = |expr: &Expr| {
        matches!(
            expr,
            Expr::Integer(_) | Expr::Long(_) | Expr::Double(_) | Expr::Bool(_) | Expr::Text(_)
        )
    };
    match &step.kind {
        StepKind::Property(_) => false,
        StepKind::Method(_, arguments) => !arguments.iter().all(constant),
        StepKind::Index(index) => !constant(index),
    }
}

struct Generator {
    program: Program,
    slots: HashMap<String, u16>,
    spans: HashMap<String, u32>,
    macros: HashMap<String, u32>,
    /// Loops around this place in the region that is being written.
    loops: Vec<u32>,
    /// Byte of the template that what is written comes from.
    at: u32,
    assigned: HashSet<String>,
    dynamic: bool,
    /// `$input` and its like are the request's; in plain Velocity they are variables like others.
    is_api_gateway: bool,
    /// A block that is within itself too often prints its reference.
    has_blocks: bool,
    /// Where the last jump led.
    landed: u32,
}

impl Generator {
    fn here(&self) -> u32 {
        self.program.code.len() as u32
    }

    fn emit(&mut self, instr: Instr) -> u32 {
        self.program.code.push(instr);
        self.program.positions.push(self.at);
        self.here() - 1
    }

    /// Lets the jump at `at` lead here.
    fn land(&mut self, at: u32) {
        let here = self.here();
        self.landed = here;
        match &mut self.program.code[at as usize] {
            Instr::JumpIfNull(target)
            | Instr::Jump(target)
            | Instr::JumpUnless(target)
            | Instr::And(target)
            | Instr::Or(target)
            | Instr::DropIfNull(target) => *target = here,
            other => unreachable!("{other:?} is no jump"),
        }
    }

    fn slot(&mut self, name: &str) -> u16 {
        if let Some(&slot) = self.slots.get(name) {
            return slot;
        }
        let slot = self.program.names.len() as u16;
        self.program.names.push(name.into());
        self.slots.insert(name.to_owned(), slot);
        slot
    }

    fn span(&mut self, text: &str) -> u32 {
        if let Some(&index) = self.spans.get(text) {
            return index;
        }
        let start = self.program.text.len() as u32;
        self.program.text.push_str(text);
        let index = self.program.spans.len() as u32;
        self.program.spans.push((start, self.program.text.len() as u32));
        self.spans.insert(text.to_owned(), index);
        index
    }

    fn constant(&mut self, constant: Constant) {
        let index = self.program.constants.len() as u32;
        self.program.constants.push(constant);
        self.emit(Instr::Constant(index));
    }

    fn text_constant(&mut self, text: &str) {
        let span = self.span(text);
        let span = self.program.spans[span as usize];
        self.constant(Constant::Text(span));
    }

    /// Writes what a region holds, apart from the loops around it.
    fn region(&mut self, write: impl FnOnce(&mut Self)) -> Region {
        let loops = std::mem::take(&mut self.loops);
        let start = self.here();
        write(self);
        let end = self.here();
        self.loops = loops;
        Region { start, end }
    }

    fn macro_body(&mut self, definition: &MacroDefinition) {
        let parameters = definition.parameters.iter().map(|name| self.slot(name)).collect();
        let region = self.region(|generator| generator.block(&definition.body));
        let name = definition.name.as_str().into();
        self.program.macros.push(Macro { name, parameters, region });
    }

    fn block(&mut self, block: &Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        self.at = statement.at;
        match &statement.kind {
            StatementKind::Text(text) => {
                let span = self.span(text);
                self.emit(Instr::Text(span));
            }
            StatementKind::Reference(reference) => self.print(reference),
            StatementKind::Set { target, value } => self.set(target, value),
            StatementKind::If { branches, otherwise } => {
                let mut ends = Vec::new();
                for (index, (condition, block)) in branches.iter().enumerate() {
                    self.condition(condition);
                    let unless = self.emit(Instr::JumpUnless(0));
                    self.block(block);
                    if index + 1 < branches.len() || otherwise.is_some() {
                        ends.push(self.emit(Instr::Jump(0)));
                    }
                    self.land(unless);
                }
                if let Some(block) = otherwise {
                    self.block(block);
                }
                for end in ends {
                    self.land(end);
                }
            }
            StatementKind::Foreach { variable, source, body } => {
                self.foreach(variable, source, body);
            }
            StatementKind::Macro(_) => {}
            StatementKind::Define { name, body } => {
                let variable = self.slot(name);
                let index = self.program.defines.len() as u32;
                self.emit(Instr::Define(index));
                let region = Region { start: 0, end: 0 };
                self.program.defines.push(Define { variable, region });
                let region = self.region(|generator| generator.block(body));
                self.program.defines[index as usize].region = region;
            }
            StatementKind::Evaluate(value) => {
                self.expr(value);
                self.emit(Instr::Evaluate);
            }
            StatementKind::Break(None) => match self.loops.last() {
                Some(&innermost) => {
                    self.emit(Instr::LoopBreak(innermost));
                }
                None => {
                    self.emit(Instr::Break);
                }
            },
            StatementKind::Break(Some(scope)) => {
                self.expr(scope);
                self.emit(Instr::BreakScope);
            }
            StatementKind::Stop => {
                self.emit(Instr::Stop);
            }
            StatementKind::Call(call) => self.call(call),
            StatementKind::Literal(text) => {
                let span = self.span(text);
                self.emit(Instr::Text(span));
            }
            StatementKind::Fails(why) => {
                let span = self.span(why);
                self.emit(Instr::Fail(span));
            }
        }
    }

    fn foreach(&mut self, variable: &str, source: &Expr, body: &Block) {
        self.expr(source);
        let variable = self.slot(variable);
        let index = self.program.loops.len() as u32;
        self.program.loops.push(Loop { variable, body: 0, exit: 0 });
        self.emit(Instr::LoopBegin(index));
        self.program.loops[index as usize].body = self.here();
        self.loops.push(index);
        self.block(body);
        self.loops.pop();
        self.emit(Instr::LoopNext(index));
        self.program.loops[index as usize].exit = self.here();
    }

    fn call(&mut self, call: &MacroCall) {
        let name = self.span(&call.name);
        let source = self.span(&call.source);
        let bare_word = call.bare_word.as_ref().map(|word| self.span(word));
        let index = self.program.calls.len() as u32;
        let found = self.macros.get(&call.name).copied();
        self.program.calls.push(Call {
            name,
            found,
            arguments: (0, 0),
            source,
            bare_word,
            body: None,
            after: 0,
        });
        self.emit(Instr::Call(index));
        let mut arguments = Vec::new();
        for argument in &call.arguments {
            let region = self.region(|generator| generator.expr(&argument.value));
            let constant = matches!(
                argument.value,
                Expr::Integer(_) | Expr::Long(_) | Expr::Big(_) | Expr::Double(_) | Expr::Bool(_)
            );
            arguments.push(Argument { region, constant, source: self.span(&argument.source) });
        }
        let body = call.body.as_ref().map(|body| {
            self.slot("bodyContent");
            self.region(|generator| generator.block(body))
        });
        let first = self.program.arguments.len() as u32;
        self.program.arguments.append(&mut arguments);
        let past = self.program.arguments.len() as u32;
        let after = self.here();
        let entry = &mut self.program.calls[index as usize];
        entry.arguments = (first, past);
        entry.body = body;
        entry.after = after;
    }

    fn print(&mut self, reference: &Reference) {
        if reference.runt {
            let span = self.span(&reference.null_text);
            self.emit(Instr::Text(span));
            return;
        }
        let plain = !reference.escaped
            && reference.escape_prefix.is_empty()
            && reference.more_prefix.is_empty();
        if plain && self.program.undefined_is_empty && !self.has_blocks {
            if let Some(path) = self.literal_input(reference, "json")
                && reference.steps.len() == 1
            {
                let index = self.path(path);
                self.emit(Instr::PrintInputJson(index));
                return;
            }
            if let Some(argument) = self.escaped_argument(reference) {
                self.expr(argument);
                self.emit(Instr::PrintEscapedJavaScript);
                return;
            }
            self.chain(reference);
            self.print_top();
            return;
        }
        self.value(reference);
        let index = self.program.prints.len() as u32;
        let null_text = self.span(&reference.null_text);
        let parameter = reference
            .null_text
            .strip_prefix('$')
            .filter(|name| reference.root.as_deref() == Some(*name))
            .map(|name| self.slot(name));
        let print = Print {
            null_text,
            escape_prefix: self.span(&reference.escape_prefix),
            more_prefix: self.span(&reference.more_prefix),
            parameter,
        };
        self.program.prints.push(print);
        self.emit(if reference.escaped {
            Instr::PrintEscaped(index)
        } else {
            Instr::PrintReference(index)
        });
    }

    /// The argument of `$util.escapeJavaScript(…)` if `$util` is certainly API Gateway's.
    fn escaped_argument<'r>(&self, reference: &'r Reference) -> Option<&'r Expr> {
        if reference.root.as_deref() != Some("util") || self.is_dynamic("util") {
            return None;
        }
        match reference.steps.as_slice() {
            [Step { kind: StepKind::Method(name, arguments), .. }]
                if name == "escapeJavaScript" =>
            {
                match arguments.as_slice() {
                    [argument] => Some(argument),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Prints what the last instruction has pushed, with it in one where there is such a one.
    fn print_top(&mut self) {
        let fused = match self.program.code.last() {
            // A jump may lead behind the last instruction: then it has to stay.
            _ if self.landed == self.here() => None,
            Some(&Instr::Load(slot)) => Some(Instr::PrintVariable(slot)),
            Some(&Instr::Context(variable)) => Some(Instr::PrintContext(variable)),
            Some(&Instr::InputPath(path)) => Some(Instr::PrintInputPath(path)),
            _ => None,
        };
        match fused {
            Some(instr) => {
                let last = self.program.code.len() - 1;
                self.program.code[last] = instr;
            }
            None => {
                self.emit(Instr::Print);
            }
        }
    }

    fn set(&mut self, target: &Reference, value: &Expr) {
        let at = self.at;
        self.expr(value);
        self.at = at;
        let Some(root) = &target.root else {
            self.emit(Instr::Drop(1));
            return;
        };
        let slot = self.slot(root);
        let Some((last, before)) = target.steps.split_last() else {
            self.emit(if target.formal { Instr::Drop(1) } else { Instr::Store(slot) });
            return;
        };
        // Two values are on the stack from here on: the new value and the object it goes to.
        let skip_null = self.emit(Instr::JumpIfNull(0));
        self.emit(Instr::Load(slot));
        let mut outs = vec![self.emit(Instr::DropIfNull(0))];
        for step in before {
            self.step(step);
            outs.push(self.emit(Instr::DropIfNull(0)));
        }
        self.at = last.at;
        match &last.kind {
            StepKind::Property(name) | StepKind::Method(name, _) => {
                let name = self.span(name);
                self.emit(Instr::SetProperty(name));
            }
            StepKind::Index(index) => {
                self.expr(index);
                self.emit(Instr::SetIndex);
            }
        }
        let past = self.emit(Instr::Jump(0));
        self.land(skip_null);
        self.emit(Instr::Drop(1));
        for out in outs {
            self.land(out);
        }
        self.land(past);
    }

    /// A condition, as `#if` and the logical operators take it: only references, comparisons, logical
    /// operators, `true` and `false` can hold.
    fn condition(&mut self, expr: &Expr) {
        match expr {
            Expr::Reference(_)
            | Expr::Bool(_)
            | Expr::Not(_)
            | Expr::Binary(
                Operator::Or
                | Operator::And
                | Operator::Eq
                | Operator::Ne
                | Operator::Lt
                | Operator::Gt
                | Operator::Le
                | Operator::Ge,
                _,
            ) => self.expr(expr),
            _ => {
                self.emit(Instr::Bool(false));
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Integer(value) => {
                self.emit(Instr::Int(*value));
            }
            Expr::Long(value) => self.constant(Constant::Long(*value)),
            Expr::Big(value) => self.constant(Constant::Big(value.clone())),
            Expr::Double(value) => self.constant(Constant::Double(*value)),
            Expr::Bool(value) => {
                self.emit(Instr::Bool(*value));
            }
            Expr::Text(text) => self.text_constant(text),
            Expr::Interpolated(string) => self.interpolated(string),
            Expr::Reference(reference) => {
                let at = self.at;
                self.at = at.max(reference.at);
                self.value(reference);
                self.at = at;
            }
            Expr::List(elements) => {
                for element in elements {
                    self.expr(element);
                }
                self.emit(Instr::List(elements.len() as u32));
            }
            Expr::Map(entries) => {
                for (key, value) in entries {
                    self.expr(key);
                    self.expr(value);
                }
                self.emit(Instr::Map(entries.len() as u32));
            }
            Expr::Range(bounds) => {
                self.expr(&bounds.0);
                self.expr(&bounds.1);
                self.emit(Instr::Range);
            }
            Expr::Binary(operator @ (Operator::And | Operator::Or), operands) => {
                self.condition(&operands.left);
                let jump = self.emit(match operator {
                    Operator::And => Instr::And(0),
                    _ => Instr::Or(0),
                });
                self.condition(&operands.right);
                self.land(jump);
                self.emit(Instr::Truth);
            }
            Expr::Binary(operator, operands) => {
                self.expr(&operands.left);
                self.expr(&operands.right);
                let instr = match operator {
                    Operator::Add => {
                        let sources =
                            (self.span(&operands.left_source), self.span(&operands.right_source));
                        let index = self.program.operands.len() as u32;
                        self.program.operands.push(sources);
                        Instr::Add(index)
                    }
                    Operator::Subtract => Instr::Arithmetic(Arithmetic::Subtract),
                    Operator::Multiply => Instr::Arithmetic(Arithmetic::Multiply),
                    Operator::Divide => Instr::Arithmetic(Arithmetic::Divide),
                    Operator::Modulus => Instr::Arithmetic(Arithmetic::Modulus),
                    Operator::Eq => Instr::Compare(Comparison::Eq),
                    Operator::Ne => Instr::Compare(Comparison::Ne),
                    Operator::Lt => Instr::Compare(Comparison::Lt),
                    Operator::Gt => Instr::Compare(Comparison::Gt),
                    Operator::Le => Instr::Compare(Comparison::Le),
                    Operator::Ge => Instr::Compare(Comparison::Ge),
                    Operator::And | Operator::Or => unreachable!("has its own arm"),
                };
                self.emit(instr);
            }
            Expr::Not(operand) => {
                self.condition(operand);
                self.emit(Instr::Not);
            }
            Expr::Null => {
                self.emit(Instr::Null);
            }
        }
    }

    fn interpolated(&mut self, string: &Interpolated) {
        let at = self.at;
        self.emit(Instr::Capture);
        self.block(&string.body);
        self.at = at;
        // The blank that was added is taken off here where it certainly is what came out last.
        let last = self.program.code.last().copied();
        let ends_with_text =
            matches!(string.body.last(), Some(Statement { kind: StatementKind::Text(_), .. }));
        let mut drop_last = string.drop_last;
        if drop_last
            && ends_with_text
            && let Some(Instr::Text(span)) = last
        {
            let text = self.program.span(span).to_owned();
            if let Some(shorter) = text.strip_suffix(' ') {
                let span = self.span(shorter);
                self.program.code.pop();
                self.program.positions.pop();
                if !shorter.is_empty() {
                    self.emit(Instr::Text(span));
                }
                drop_last = false;
            }
        }
        self.emit(Instr::EndCapture(drop_last));
    }

    /// A reference as a value.
    fn value(&mut self, reference: &Reference) {
        if reference.runt {
            self.emit(Instr::Null);
            return;
        }
        self.chain(reference);
        if self.program.undefined_is_empty {
            self.emit(Instr::NullToEmpty);
        }
    }

    /// A reference's links; null where one of them has nothing.
    fn chain(&mut self, reference: &Reference) {
        let Some(root) = &reference.root else {
            self.emit(Instr::Null);
            return;
        };
        let taken = self.shortcut(root, reference);
        if taken == 0 {
            let slot = self.slot(root);
            self.emit(Instr::Load(slot));
        }
        let at = self.at;
        let mut outs = Vec::new();
        let skip = taken.saturating_sub(1);
        for step in &reference.steps[skip..] {
            if has_effects(step) {
                outs.push(self.emit(Instr::JumpIfNull(0)));
            }
            self.at = step.at.max(at);
            self.step(step);
            self.at = at;
        }
        for out in outs {
            self.land(out);
        }
    }

    /// The literal argument of `$input.name('…')` if `$input` is certainly the request.
    fn literal_input<'r>(&self, reference: &'r Reference, method: &str) -> Option<&'r str> {
        if reference.root.as_deref() != Some("input") || self.is_dynamic("input") {
            return None;
        }
        match &reference.steps.first()?.kind {
            StepKind::Method(name, arguments) if name == method => match arguments.as_slice() {
                [Expr::Text(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_dynamic(&self, root: &str) -> bool {
        self.dynamic || !self.is_api_gateway || self.assigned.contains(root)
    }

    /// Writes one instruction for the beginning of a reference to the request; returns how many links
    /// it stands for plus one, or 0.
    fn shortcut(&mut self, root: &str, reference: &Reference) -> usize {
        if self.is_dynamic(root) {
            return 0;
        }
        match root {
            "input" => {
                if let Some(path) = self.literal_input(reference, "path") {
                    let index = self.path(path);
                    self.emit(Instr::InputPath(index));
                    return 2;
                }
                if let Some(path) = self.literal_input(reference, "json") {
                    let index = self.path(path);
                    self.emit(Instr::InputJson(index));
                    return 2;
                }
                if let Some(name) = self.literal_input(reference, "params") {
                    let name = self.span(name);
                    self.emit(Instr::InputParam(name));
                    return 2;
                }
                if matches!(&reference.steps.first(), Some(Step { kind: StepKind::Property(name), .. }) if name == "body")
                {
                    self.emit(Instr::InputBody);
                    return 2;
                }
                0
            }
            "context" => {
                let mut name = String::new();
                let mut found = None;
                for (index, step) in reference.steps.iter().enumerate() {
                    let StepKind::Property(property) = &step.kind else { break };
                    if index > 0 {
                        name.push('.');
                    }
                    name.push_str(property);
                    if let Some(variable) = ContextVariable::named(&name) {
                        found = Some((variable, index + 2));
                    }
                }
                let Some((variable, taken)) = found else { return 0 };
                let index = ContextVariable::ALL.iter().position(|&other| other == variable);
                self.emit(Instr::Context(index.unwrap_or(0) as u16));
                taken
            }
            "stageVariables" => match reference.steps.first() {
                Some(Step { kind: StepKind::Property(name), .. }) => {
                    let name = self.span(name);
                    self.emit(Instr::StageVariable(name));
                    2
                }
                Some(Step { kind: StepKind::Index(Expr::Text(name)), .. }) => {
                    let name = self.span(name);
                    self.emit(Instr::StageVariable(name));
                    2
                }
                _ => 0,
            },
            _ => 0,
        }
    }

    fn property(&mut self, name: &str) -> u32 {
        let known = &mut self.program.properties;
        if let Some(index) = known.iter().position(|property| property.key.as_str() == name) {
            return index as u32;
        }
        known.push(Property { key: Key::new(name), getter: Getter::named(name) });
        known.len() as u32 - 1
    }

    fn path(&mut self, text: &str) -> u32 {
        let span = self.span(text);
        if let Some(index) = self.program.paths.iter().position(|path| path.text == span) {
            return index as u32;
        }
        let path = JsonPath::compile(text).map_err(|error| error.to_string());
        self.program.paths.push(Path { path, text: span });
        self.program.paths.len() as u32 - 1
    }

    fn step(&mut self, step: &Step) {
        match &step.kind {
            StepKind::Property(name) => {
                let name = self.property(name);
                match (self.program.code.last(), u16::try_from(name)) {
                    (Some(&Instr::Load(slot)), Ok(name)) if self.landed != self.here() => {
                        let last = self.program.code.len() - 1;
                        self.program.code[last] = Instr::LoadProperty { slot, name };
                    }
                    _ => {
                        self.emit(Instr::Property(name));
                    }
                }
            }
            StepKind::Method(_, arguments) if arguments.len() > usize::from(u8::MAX) => {
                // No method of Java's takes as many.
                self.emit(Instr::Drop(1));
                self.emit(Instr::Null);
            }
            StepKind::Method(name, arguments) => {
                let at = self.at;
                for argument in arguments {
                    self.expr(argument);
                    self.at = at;
                }
                self.emit(Instr::Method(Method::named(name), arguments.len() as u8));
            }
            StepKind::Index(index) => {
                let at = self.at;
                self.expr(index);
                self.at = at;
                self.emit(Instr::Index);
            }
        }
    }
}
