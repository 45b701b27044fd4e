//! Where variables live while macros and blocks run.
//!
//! A template's variables are slots. A macro's call puts a frame over them: what it sets is kept in
//! the frame and in everything below, what it reads is looked for from the frame downwards, and a
//! parameter is its argument's expression, evaluated below the frame each time it is read.

use std::cell::RefCell;
use std::rc::Rc;

use smallvec::SmallVec;

use super::program::{Code, Region};
use super::value::Value;

/// One macro's call.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The call around it.
    pub(super) below: Option<Rc<Frame<'a>>>,
    /// Parameters, until a loop over the same name removes them.
    pub(super) parameters: RefCell<SmallVec<[Parameter<'a>; 4]>>,
    /// What was set here.
    pub(super) locals: RefCell<SmallVec<[(u16, Value<'a>); 4]>>,
}

/// A parameter and its argument.
#[derive(Clone, Debug)]
pub struct Parameter<'a> {
    /// Its name's slot.
    pub(super) slot: u16,
    /// The expression, in the code that called.
    pub(super) code: Code<'a>,
    /// Where in the code.
    pub(super) region: Region,
    /// Index of the argument's source, which it prints if it is null.
    pub(super) source: u32,
}

/// A block that is rendered when its reference is.
#[derive(Debug)]
pub struct Closure<'a> {
    pub(super) code: Code<'a>,
    pub(super) region: Region,
    /// Where a `#define` was; the body of `#@name` is rendered where its reference is.
    pub(super) frame: Home<'a>,
    /// How many times it is being rendered.
    pub(super) depth: std::cell::Cell<u32>,
}

/// Which frame a block sees.
#[derive(Clone, Debug)]
pub enum Home<'a> {
    /// This one.
    Frame(Option<Rc<Frame<'a>>>),
    /// That of its reference.
    Reference,
}
