//! `$input`, `$context`, `$stageVariables`.

use super::super::error::RenderError;
use super::super::host::{HostMap, HostValue};
use super::super::program::{Code, Program};
use super::super::value::{ListKind, Value};
use super::super::value_tree::ValueTree;
use super::{Machine, Result};
use crate::json::path::{Budget, Found, TapeTree};
use crate::json::{JsonPath, NodeId, Style};

impl<'a> Machine<'a, '_> {
    fn path_of<'c>(&self, code: &'c Code<'a>, index: u32) -> Result<&'c JsonPath> {
        let path = &code.paths[index as usize];
        path.path.as_ref().map_err(|error| {
            RenderError::new(format!("'{}' is no path: {error}", code.span(path.text)))
        })
    }

    /// `$input.path('…')`
    pub(in crate::vtl) fn input_path(&mut self, code: &Code<'a>, index: u32) -> Result<Value<'a>> {
        let path = self.path_of(code, index)?;
        self.find(path)
    }

    /// What a path finds in the body; null: nothing, or the body is no JSON.
    pub(in crate::vtl) fn find(&mut self, path: &JsonPath) -> Result<Value<'a>> {
        match self.find_node(path)? {
            FoundIn::Nothing => Ok(Value::Null),
            FoundIn::Node(node) => Ok(self.heap.node(node)),
            FoundIn::Value(value) => Ok(value),
        }
    }

    fn find_node(&mut self, path: &JsonPath) -> Result<FoundIn<'a>> {
        let Some(root) = self.heap.body_root() else { return Ok(FoundIn::Nothing) };
        if self.heap.written.is_some() {
            return self.find_in_values(path, root);
        }
        if let Some(steps) = path.simple_steps() {
            let document = self.heap.tape.document(self.heap.body_text);
            let (mut at, mut scanned) = (root, 0);
            for step in steps {
                scanned += document.len(at);
                match document.walk(at, std::slice::from_ref(step)) {
                    Ok(Some(node)) => at = node,
                    Ok(None) => {
                        self.burn(scanned as u64 / 64)?;
                        return Ok(FoundIn::Nothing);
                    }
                    Err(_) => return Err(not_evaluated(&"an index of what is no array")),
                }
            }
            self.burn(scanned as u64 / 64)?;
            return Ok(FoundIn::Node(at));
        }
        let mut budget = Budget::default();
        let mut tree = TapeTree::new(&mut self.heap.tape, self.heap.body_text);
        let found =
            path.evaluate(&mut tree, &root, &mut budget).map_err(|error| not_evaluated(&error))?;
        let node = found.into_node(&mut tree);
        let visits = u64::from(Budget::default().visits_left() - budget.visits_left());
        self.burn(visits / 2)?;
        Ok(node.map_or(FoundIn::Nothing, FoundIn::Node))
    }

    /// As [`Machine::find_node`] in a body that the template has written to.
    fn find_in_values(&mut self, path: &JsonPath, root: NodeId) -> Result<FoundIn<'a>> {
        let mut budget = Budget::default();
        let mut tree = ValueTree { heap: &mut self.heap };
        let found = path
            .evaluate(&mut tree, &Value::Node(root), &mut budget)
            .map_err(|error| not_evaluated(&error))?;
        let visits = u64::from(Budget::default().visits_left() - budget.visits_left());
        let value = match found {
            Found::Missing => FoundIn::Nothing,
            Found::One(value) => FoundIn::Value(value),
            Found::Many(values) => FoundIn::Value(self.own_list(ListKind::Json, values)),
        };
        self.burn(visits / 2)?;
        Ok(value)
    }

    /// `$input.json('…')` as a string.
    pub(in crate::vtl) fn input_json(&mut self, code: &Code<'a>, index: u32) -> Result<Value<'a>> {
        let path = self.path_of(code, index)?;
        self.find_json(path)
    }

    pub(in crate::vtl) fn find_json(&mut self, path: &JsonPath) -> Result<Value<'a>> {
        let found = self.find(path)?;
        let value = self.heap.build(|heap, out| {
            if found.is_null() {
                out.push_str("\"\"");
                return Ok(());
            }
            heap.write_json(&found, Style::Json, out)
        })?;
        self.charge(self.heap.as_str(&value).map_or(0, str::len))?;
        Ok(value)
    }

    /// Prints `$input.json('…')`.
    pub(in crate::vtl) fn print_input_json(
        &mut self,
        code: &Code<'a>,
        index: u32,
        here: u32,
    ) -> Result<()> {
        let path = self.path_of(code, index)?;
        let before = self.out.len();
        match self.find_node(path)? {
            FoundIn::Nothing => self.out.push_str("\"\""),
            FoundIn::Node(node) => {
                let document = self.heap.tape.document(self.heap.body_text);
                if document.kind(node) == crate::json::Kind::Null {
                    self.out.push_str("\"\"");
                } else {
                    crate::json::write::write(&document, node, Style::Json, &mut self.out);
                }
            }
            FoundIn::Value(Value::Null) => self.out.push_str("\"\""),
            FoundIn::Value(value) => self.heap.write_json(&value, Style::Json, &mut self.out)?,
        }
        if self.tracer.is_some() {
            let printed = self.heap.keep(&self.out[before..])?;
            self.trace_value(code, here, &printed);
        }
        self.charge(self.out.len() - before)
    }

    /// Prints `$input.path('…')`.
    pub(in crate::vtl) fn print_input_path(
        &mut self,
        code: &Code<'a>,
        index: u32,
        here: u32,
    ) -> Result<()> {
        let path = self.path_of(code, index)?;
        let value = match self.find_node(path)? {
            FoundIn::Nothing => Value::Null,
            FoundIn::Node(node) => {
                let document = self.heap.tape.document(self.heap.body_text);
                let text = document.string(node).map(|text| text.as_str());
                if let Some(text) = text.or_else(|| document.plain_number(node))
                    && self.tracer.is_none()
                {
                    self.out.push_str(text);
                    return self.charge(text.len());
                }
                self.heap.node(node)
            }
            FoundIn::Value(value) => value,
        };
        if self.tracer.is_some() {
            self.trace_value(code, here, &value);
        }
        self.print(&value)
    }

    /// Prints `$context.a.b` that is a known variable.
    pub(in crate::vtl) fn print_context(
        &mut self,
        code: &Code<'a>,
        variable: u16,
        here: u32,
    ) -> Result<()> {
        if self.heap.written.is_none() && self.tracer.is_none() {
            let before = self.out.len();
            match self.heap.host.context(Program::context_variable(variable)) {
                HostValue::Null | HostValue::Map(_) => return Ok(()),
                HostValue::Text(text) => self.out.push_str(text),
                HostValue::Computed(computed) => self.heap.host.write(computed, &mut self.out),
                value => {
                    let value = self.heap.host_value(value);
                    self.heap.write(&value, &mut self.out)?;
                }
            }
            return self.charge(self.out.len() - before);
        }
        let value = self.context(variable)?;
        if self.tracer.is_some() {
            self.trace_value(code, here, &value);
        }
        self.print(&value)
    }

    /// `$input.params('name')`: path, query string, header; the empty string if none has it.
    pub(in crate::vtl) fn input_param(&mut self, name: &str) -> Value<'a> {
        for map in [HostMap::PATH, HostMap::QUERYSTRING, HostMap::HEADER] {
            match self.heap.host.lookup(map, name) {
                HostValue::Null => {}
                value => return self.heap.host_value(value),
            }
        }
        Value::EMPTY
    }

    /// `$context.a.b` that is a known variable.
    pub(in crate::vtl) fn context(&mut self, variable: u16) -> Result<Value<'a>> {
        let variable = Program::context_variable(variable);
        if self.heap.written.is_none() {
            let value = self.heap.host.context(variable);
            return Ok(self.heap.host_value(value));
        }
        let mut value = Value::Host(HostMap::CONTEXT);
        for name in variable.name().split('.') {
            let Some(map) = self.heap.map(&value) else { return Ok(Value::Null) };
            value = self.heap.map_get_str(&map, name).unwrap_or(Value::Null);
        }
        Ok(value)
    }

    /// `$stageVariables.name`
    pub(in crate::vtl) fn stage_variable(&mut self, name: &str) -> Value<'a> {
        if self.is_written(HostMap::STAGE_VARIABLES) {
            let map = self.heap.map(&Value::Host(HostMap::STAGE_VARIABLES));
            return map.and_then(|map| self.heap.map_get_str(&map, name)).unwrap_or(Value::Null);
        }
        let value = self.heap.host.lookup(HostMap::STAGE_VARIABLES, name);
        self.heap.host_value(value)
    }
}

enum FoundIn<'a> {
    Nothing,
    Node(NodeId),
    Value(Value<'a>),
}

fn not_evaluated(error: &dyn std::fmt::Display) -> Box<RenderError> {
    RenderError::new(format!("the path cannot be followed: {error}"))
}
