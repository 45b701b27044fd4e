//! The bytecode in words, for `ringway vtl --disassemble` and the goldens.

use std::fmt::Write;

use super::program::{Constant, Instr, Program};

impl Program {
    /// One instruction a line: its number, the byte of the template, its name, what it points to.
    ///
    /// ```text
    ///    0 @0    Text "Hello "
    ///    1 @6    Context requestId
    ///    2 @6    Print
    /// ```
    pub fn disassemble(&self) -> String {
        let mut out = String::new();
        for definition in &self.macros {
            let (start, end) = (definition.region.start, definition.region.end);
            let _ = writeln!(out, "macro #{} {start}..{end}", definition.name);
        }
        let _ = writeln!(out, "main {}..{}", self.main.0, self.main.1);
        for (index, (&instr, position)) in self.code.iter().zip(&self.positions).enumerate() {
            let _ = write!(out, "{index:4} @{position:<4} ");
            self.describe(instr, &mut out);
            out.push('\n');
        }
        out
    }

    fn describe(&self, instr: Instr, out: &mut String) {
        let name = |slot: u16| &*self.names[usize::from(slot)];
        let _ = match instr {
            Instr::Text(span) => write!(out, "Text {:?}", self.span(span)),
            Instr::PrintReference(print) => {
                let print = self.prints[print as usize];
                write!(out, "PrintReference or {:?}", self.span(print.null_text))
            }
            Instr::PrintEscaped(print) => {
                let print = self.prints[print as usize];
                write!(out, "PrintEscaped {:?}", self.span(print.null_text))
            }
            Instr::PrintInputJson(path) => {
                write!(out, "PrintInputJson {:?}", self.span(self.paths[path as usize].text))
            }
            Instr::InputPath(path) => {
                write!(out, "InputPath {:?}", self.span(self.paths[path as usize].text))
            }
            Instr::InputJson(path) => {
                write!(out, "InputJson {:?}", self.span(self.paths[path as usize].text))
            }
            Instr::InputParam(span) => write!(out, "InputParam {:?}", self.span(span)),
            Instr::StageVariable(span) => write!(out, "StageVariable {:?}", self.span(span)),
            Instr::Context(variable) => {
                write!(out, "Context {}", Self::context_variable(variable).name())
            }
            Instr::Constant(index) => match &self.constants[index as usize] {
                Constant::Text((start, end)) => {
                    write!(out, "Constant {:?}", &self.text[*start as usize..*end as usize])
                }
                other => write!(out, "Constant {other:?}"),
            },
            Instr::LoadProperty { slot, name: property } => write!(
                out,
                "LoadProperty ${}.{}",
                name(slot),
                self.properties[usize::from(property)].key.as_str()
            ),
            Instr::PrintVariable(slot) => write!(out, "PrintVariable ${}", name(slot)),
            Instr::PrintContext(variable) => {
                write!(out, "PrintContext {}", Self::context_variable(variable).name())
            }
            Instr::PrintInputPath(path) => {
                write!(out, "PrintInputPath {:?}", self.span(self.paths[path as usize].text))
            }
            Instr::Load(slot) => write!(out, "Load ${}", name(slot)),
            Instr::Store(slot) => write!(out, "Store ${}", name(slot)),
            Instr::Property(index) => {
                write!(out, "Property .{}", self.properties[index as usize].key.as_str())
            }
            Instr::SetProperty(span) => write!(out, "SetProperty .{}", self.span(span)),
            Instr::Method(method, count) => write!(out, "Method .{}() of {count}", method.name()),
            Instr::LoopBegin(index) => {
                let entry = self.loops[index as usize];
                write!(out, "LoopBegin ${} or {}", name(entry.variable), entry.exit)
            }
            Instr::LoopNext(index) => {
                write!(out, "LoopNext to {}", self.loops[index as usize].body)
            }
            Instr::LoopBreak(index) => {
                write!(out, "LoopBreak to {}", self.loops[index as usize].exit)
            }
            Instr::Call(index) => {
                let call = &self.calls[index as usize];
                write!(out, "Call #{} then {}", self.span(call.name), call.after)
            }
            Instr::Define(index) => {
                let define = self.defines[index as usize];
                write!(out, "Define ${} then {}", name(define.variable), define.region.end)
            }
            Instr::Fail(span) => write!(out, "Fail {:?}", self.span(span)),
            other => write!(out, "{other:?}"),
        };
    }
}
