//! Mapping templates: Apache Velocity 1.7's language as API Gateway restricts and extends it.
//!
//! ```text
//! source → lexer → parser → Block (ast) → codegen → Program (instr) → machine + Host → output
//! ```
//!
//! A template is compiled once, when its stage is; a rendering runs the program against one request.
//! Semantics are those of the live engine, down to its accidents: `facts/vtl*.md`, and the corpus in
//! `shared/vtl-corpus`. This module knows no HTTP and does no I/O.

mod ast;
mod codegen;
mod decimal;
mod disassemble;
mod error;
mod frame;
pub mod fuzz;
mod heap;
mod host;
pub mod java;
mod lexer;
pub mod limits;
mod machine;
mod methods;
mod overrides;
mod parser;
mod program;
mod token;
mod trace;
mod value;
mod value_tree;

#[cfg(test)]
mod tests;

pub use error::{Place, RenderError, SyntaxError};
pub use host::{Host, HostMap, HostValue};
pub use machine::{Scratch, Settings};
pub use methods::{Method, own_value};
pub use overrides::{Overrides, Owned};
pub use program::{Instr, Program};
pub use trace::Tracer;
pub use value::{Entries, Key, List, ListKind, Map, Text, Value};

/// What an undefined or null reference is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undefined {
    /// Null, and prints its own source: Velocity as it comes.
    Literal,
    /// The empty string: API Gateway.
    Empty,
}

/// Compiles a template.
///
/// # Errors
/// [`SyntaxError`]: what Velocity refuses, `#include` and `#parse`, and templates beyond
/// [`limits::TEMPLATE_BYTES_MAX`] or [`limits::NESTING_MAX`].
pub fn compile(source: &str, undefined: Undefined) -> Result<Program, SyntaxError> {
    let block = parser::parse(source, &|_| false)?;
    Ok(codegen::compile(&block, undefined == Undefined::Empty, true, &[], source.len()))
}

/// As [`compile`], for plain Velocity: `$input`, `$util`, `$context` and `$stageVariables` are variables
/// like any others.
///
/// # Errors
/// As [`compile`].
pub fn compile_stock(source: &str, undefined: Undefined) -> Result<Program, SyntaxError> {
    let block = parser::parse(source, &|_| false)?;
    Ok(codegen::compile(&block, undefined == Undefined::Empty, false, &[], source.len()))
}

impl Program {
    /// Renders onto the end of `out`; `overrides` are read and written.
    ///
    /// # Errors
    /// [`RenderError`], with the byte of the template. `out` may have got a part of the output.
    pub fn render<'a>(
        &'a self,
        host: &'a dyn Host<'a>,
        scratch: &mut Scratch,
        settings: Settings,
        overrides: &mut Overrides,
        out: &mut String,
    ) -> Result<(), RenderError> {
        machine::render(self, host, scratch, settings, overrides, None, out).map_err(|error| *error)
    }

    /// As [`Program::render`], for the body that [`Scratch::parse`] has been given last, or that
    /// [`Scratch::set_parsed`] was said of.
    ///
    /// # Errors
    /// As [`Program::render`].
    pub fn render_parsed<'a>(
        &'a self,
        host: &'a dyn Host<'a>,
        scratch: &mut Scratch,
        settings: Settings,
        overrides: &mut Overrides,
        out: &mut String,
    ) -> Result<(), RenderError> {
        machine::render_parsed(self, host, scratch, settings, overrides, out)
            .map_err(|error| *error)
    }

    /// As [`Program::render`], and tells `tracer` what happens.
    ///
    /// # Errors
    /// As [`Program::render`].
    pub fn render_traced<'a>(
        &'a self,
        host: &'a dyn Host<'a>,
        scratch: &mut Scratch,
        settings: Settings,
        overrides: &mut Overrides,
        tracer: &mut dyn Tracer,
        out: &mut String,
    ) -> Result<(), RenderError> {
        machine::render(self, host, scratch, settings, overrides, Some(tracer), out)
            .map_err(|error| *error)
    }
}
