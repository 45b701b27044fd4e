//! Variables, macros, blocks, `#evaluate`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::super::codegen;
use super::super::error::RenderError;
use super::super::frame::{Closure, Frame, Home, Parameter};
use super::super::host::HostMap;
use super::super::limits;
use super::super::parser;
use super::super::program::{Code, Region};
use super::super::value::Value;
use super::{Flow, Machine, Result};

impl<'a> Machine<'a, '_> {
    /// A variable that is there before the template begins.
    pub(in crate::vtl) fn root(&self, name: &str) -> Option<Value<'a>> {
        self.heap.host.root(name).or_else(|| match name {
            _ if !self.heap.host.is_api_gateway() => None,
            "input" => Some(Value::Input),
            "util" => Some(Value::Util),
            "context" => Some(Value::Host(HostMap::CONTEXT)),
            "stageVariables" => Some(Value::Host(HostMap::STAGE_VARIABLES)),
            _ => None,
        })
    }

    /// A variable's value.
    #[inline]
    pub(in crate::vtl) fn load(&mut self, slot: u16) -> Result<Value<'a>> {
        if self.frame.is_none() {
            return Ok(self.variables[usize::from(slot)].clone());
        }
        self.load_through_frames(slot)
    }

    fn load_through_frames(&mut self, slot: u16) -> Result<Value<'a>> {
        let mut frame = self.frame.clone();
        while let Some(current) = frame {
            let local = current
                .locals
                .borrow()
                .iter()
                .find(|(name, _)| *name == slot)
                .map(|(_, value)| value.clone());
            if let Some(value) = local.filter(|value| !value.is_null()) {
                return Ok(value);
            }
            let parameter = current
                .parameters
                .borrow()
                .iter()
                .find(|parameter| parameter.slot == slot)
                .cloned();
            if let Some(parameter) = parameter {
                return self.argument(&current, &parameter);
            }
            frame = current.below.clone();
        }
        Ok(self.variables[usize::from(slot)].clone())
    }

    /// Evaluates a macro's argument where the macro was called.
    fn argument(&mut self, frame: &Rc<Frame<'a>>, parameter: &Parameter<'a>) -> Result<Value<'a>> {
        let above = std::mem::replace(&mut self.frame, frame.below.clone());
        let flow = self.run(&parameter.code, parameter.region)?;
        self.frame = above;
        match flow {
            Flow::Done => Ok(self.pop()),
            Flow::Break => Ok(Value::Null),
            Flow::Stop => {
                self.stopping = true;
                Ok(Value::Null)
            }
        }
    }

    /// Sets a variable, in every frame and below them.
    pub(in crate::vtl) fn store(&mut self, slot: u16, value: Value<'a>) {
        let mut frame = self.frame.as_ref();
        while let Some(current) = frame {
            let mut locals = current.locals.borrow_mut();
            match locals.iter_mut().find(|(name, _)| *name == slot) {
                Some((_, old)) => *old = value.clone(),
                None => locals.push((slot, value.clone())),
            }
            drop(locals);
            frame = current.below.as_ref();
        }
        self.variables[usize::from(slot)] = value;
    }

    /// Removes a variable, and the parameter of its name.
    pub(in crate::vtl) fn remove(&mut self, slot: u16) {
        let mut frame = self.frame.as_ref();
        while let Some(current) = frame {
            current.locals.borrow_mut().retain(|(name, _)| *name != slot);
            current.parameters.borrow_mut().retain(|parameter| parameter.slot != slot);
            frame = current.below.as_ref();
        }
        self.variables[usize::from(slot)] = Value::Null;
    }

    /// The source of the argument that a parameter stands for.
    pub(in crate::vtl) fn argument_source(&self, slot: u16) -> Option<(Code<'a>, u32)> {
        let mut frame = self.frame.as_ref();
        while let Some(current) = frame {
            let parameters = current.parameters.borrow();
            if let Some(parameter) = parameters.iter().find(|parameter| parameter.slot == slot) {
                return Some((parameter.code.clone(), parameter.source));
            }
            drop(parameters);
            frame = current.below.as_ref();
        }
        None
    }

    /// The slot of a name; names that no code has used have none.
    pub(in crate::vtl) fn slot_of(&self, name: &str) -> Option<u16> {
        let names = self.program.names.iter().chain(&self.more_names);
        names.enumerate().find(|(_, other)| &***other == name).map(|(slot, _)| slot as u16)
    }

    fn find_macro(
        &self,
        code: &Code<'a>,
        name: &str,
        found: Option<u32>,
    ) -> Option<(Code<'a>, u32)> {
        let own = self.program.macros.iter().position(|other| &*other.name == name);
        if let Some(index) = own {
            return Some((Code::Template(self.program), index as u32));
        }
        let more = self
            .more_macros
            .iter()
            .find(|(code, index)| &*code.macros[*index as usize].name == name)
            .cloned();
        more.or_else(|| found.map(|index| (code.clone(), index)))
    }

    /// Calls a macro, or prints the call if there is none.
    pub(in crate::vtl) fn call(
        &mut self,
        code: &Code<'a>,
        index: u32,
        at: &mut u32,
    ) -> Result<Flow> {
        let call = &code.calls[index as usize];
        *at = call.after;
        let name = code.span(call.name);
        let Some((owner, found)) = self.find_macro(code, name, call.found) else {
            let source = code.span(call.source);
            self.out.push_str(source);
            self.charge(source.len())?;
            return Ok(Flow::Done);
        };
        if let Some(word) = call.bare_word {
            return Err(RenderError::new(format!(
                "'{}' is no value for the macro '#{name}'; a string needs quotes, a reference '$'",
                code.span(word)
            )));
        }
        if self.macro_depth >= limits::MACRO_DEPTH_MAX {
            return Err(RenderError::new(format!(
                "macros call each other more than {} deep, last '#{name}'",
                limits::MACRO_DEPTH_MAX
            )));
        }
        let definition = &owner.macros[found as usize];
        let arguments = call.arguments.0..call.arguments.1;
        let mut frame = Frame {
            below: self.frame.clone(),
            parameters: RefCell::default(),
            locals: RefCell::default(),
        };
        if let Some(body) = call.body
            && let Some(slot) = self.slot_of("bodyContent")
        {
            let block = Closure {
                code: code.clone(),
                region: body,
                frame: Home::Reference,
                depth: Cell::new(0),
            };
            frame.locals.get_mut().push((slot, Value::Block(Rc::new(block))));
        }
        for (&slot, argument) in definition.parameters.iter().zip(arguments) {
            let argument = code.arguments[argument as usize];
            if argument.constant {
                self.run(code, argument.region)?;
                let value = self.pop();
                frame.locals.get_mut().push((slot, value));
            } else {
                frame.parameters.get_mut().push(Parameter {
                    slot,
                    code: code.clone(),
                    region: argument.region,
                    source: argument.source,
                });
            }
        }
        let region = definition.region;
        let below = self.frame.replace(Rc::new(frame));
        self.macro_depth += 1;
        let flow = self.run(&owner, region)?;
        self.macro_depth -= 1;
        self.frame = below;
        Ok(if flow == Flow::Stop { Flow::Stop } else { Flow::Done })
    }

    /// Sets a variable to a block, which is rendered when its reference is.
    pub(in crate::vtl) fn define(&mut self, code: &Code<'a>, index: u32, at: &mut u32) {
        let define = code.defines[index as usize];
        *at = define.region.end;
        let block = Closure {
            code: code.clone(),
            region: define.region,
            frame: Home::Frame(self.frame.clone()),
            depth: Cell::new(0),
        };
        self.store(define.variable, Value::Block(Rc::new(block)));
    }

    /// Renders a block here; nothing if it is within itself too often.
    pub(in crate::vtl) fn render_block(&mut self, block: &Rc<Closure<'a>>) -> Result<bool> {
        // The body of `#@name` is bounded by the depth of macros.
        let is_define = matches!(block.frame, Home::Frame(_));
        if is_define && block.depth.get() >= limits::DEFINE_DEPTH_MAX {
            return Ok(false);
        }
        block.depth.set(block.depth.get() + 1);
        let here = self.frame.clone();
        if let Home::Frame(frame) = &block.frame {
            self.frame = frame.clone();
        }
        let flow = self.run(&block.code, block.region)?;
        self.frame = here;
        block.depth.set(block.depth.get() - 1);
        if flow == Flow::Stop {
            self.stopping = true;
        }
        Ok(true)
    }

    /// A block as the string it renders.
    pub(in crate::vtl) fn block_text(&mut self, block: &Rc<Closure<'a>>) -> Result<Value<'a>> {
        let start = self.out.len();
        self.captures.push(start);
        self.render_block(block)?;
        self.captures.pop();
        let value = self.heap.keep(&self.out[start..])?;
        self.out.truncate(start);
        Ok(value)
    }

    /// `#evaluate`: renders a string as a template, in the variables of this place.
    pub(in crate::vtl) fn evaluate(&mut self) -> Result<Flow> {
        let value = self.pop();
        let mut source = String::new();
        match &value {
            Value::Null => {}
            Value::Block(block) => {
                let text = self.block_text(block)?;
                source.push_str(self.heap.as_str(&text).unwrap_or_default());
            }
            value => self.heap.write(value, &mut source)?,
        }
        self.burn(source.len() as u64 / 4 + 16)?;
        let known = |name: &str| {
            self.program.macros.iter().any(|other| &*other.name == name)
                || self
                    .more_macros
                    .iter()
                    .any(|(code, index)| &*code.macros[*index as usize].name == name)
        };
        let block = parser::parse(&source, &known).map_err(|error| {
            RenderError::new(format!("#evaluate: {}", error.explain(&source).replace('\n', "; ")))
        })?;
        let mut names: Vec<Box<str>> = self.program.names.clone();
        names.extend(self.more_names.iter().cloned());
        let program =
            codegen::compile(&block, self.program.undefined_is_empty, false, &names, source.len());
        for name in &program.names[names.len()..] {
            let value = self.root(name).unwrap_or(Value::Null);
            self.more_names.push(name.clone());
            self.variables.push(value);
        }
        let code = Code::Evaluated(Rc::new(program));
        for index in 0..code.macros.len() as u32 {
            let name = &code.macros[index as usize].name;
            if self.find_macro(&code, name, None).is_none() {
                self.more_macros.push((code.clone(), index));
            }
        }
        let region: Region = code.main();
        self.run(&code, region)?;
        // `#stop` and `#break` in it end it alone.
        self.stopping = false;
        Ok(Flow::Done)
    }
}
