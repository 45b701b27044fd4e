//! From a model's text to a program.
//!
//! Every schema object becomes a node the first time something leads to it, so recursion in the
//! schema is no recursion here: nodes wait in a queue. Whoever refers gets the target's number, and
//! chains of references are followed to their end. A chain without an end, and rules that lead back
//! to the same value (`{"allOf": [{"$ref": "#"}]}`), are refused: no body could ever be judged.

use std::collections::{HashMap, VecDeque};

use crate::json::{Document, NodeId, Value};
use crate::schema::error::{Place, SchemaError, Warning};
use crate::schema::keywords::Draft;
use crate::schema::program::{FORBIDDEN, NONE, Node, Program, Source};
use crate::schema::reference::{Sources, Target, locate, push_token};
use crate::schema::{Schema, limits};

pub(super) fn compile<'m>(
    text: &str,
    resolve: &dyn Fn(&str) -> Option<&'m str>,
) -> Result<Schema, SchemaError> {
    let Sources { list, by_model, warnings } = Sources::load(text, resolve)?;
    let mut compiler = Compiler {
        sources: &list,
        by_model: &by_model,
        known: HashMap::new(),
        spots: Vec::new(),
        waiting: VecDeque::new(),
        program: Program::default(),
        warnings,
    };
    let root = compiler.spot(0, NodeId::ROOT, String::new());
    compiler.program.root = compiler.schema(root)?;
    while let Some((number, spot)) = compiler.waiting.pop_front() {
        let node = Draft::read(&mut compiler, &spot)?.finish(&mut compiler, &spot)?;
        compiler.program.nodes[number as usize] = node;
    }
    compiler.refuse_circles()?;
    let Compiler { mut program, mut warnings, .. } = compiler;
    warnings.sort_by(|a, b| (&a.place, &a.text).cmp(&(&b.place, &b.text)));
    // Only the values of `enum` are read where they stand.
    if program.generals.iter().any(|rules| rules.values.is_some()) {
        program.sources = list;
    }
    Ok(Schema { program, warnings })
}

/// A value in one of the sources.
#[derive(Clone, Debug)]
pub(super) struct Spot<'s> {
    pub(super) source: usize,
    pub(super) document: Document<'s, 's>,
    pub(super) node: NodeId,
    pub(super) pointer: String,
}

impl<'s> Spot<'s> {
    pub(super) fn value(&self) -> Value<'s> {
        self.document.value(self.node)
    }

    /// A value inside of this one.
    pub(super) fn inside(&self, token: &str, node: NodeId) -> Self {
        Self { node, pointer: push_token(&self.pointer, token), ..*self }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&'s str, Self)> {
        self.document.members(self.node).map(|(name, value)| {
            let name = name.as_str();
            (name, self.inside(name, value))
        })
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = Self> {
        self.document
            .elements(self.node)
            .enumerate()
            .map(|(index, element)| self.inside(&index.to_string(), element))
    }

    pub(super) fn member(&self, name: &str) -> Option<Self> {
        Some(self.inside(name, self.document.member_named(self.node, name)?))
    }
}

pub(super) struct Compiler<'s> {
    sources: &'s [Source],
    by_model: &'s HashMap<String, usize>,
    /// Nodes of schemas that something has led to.
    known: HashMap<(usize, NodeId), u32>,
    /// Where each node's schema is.
    spots: Vec<Place>,
    waiting: VecDeque<(u32, Spot<'s>)>,
    pub(super) program: Program,
    warnings: Vec<Warning>,
}

impl<'s> Compiler<'s> {
    fn spot(&self, source: usize, node: NodeId, pointer: String) -> Spot<'s> {
        Spot { source, document: self.sources[source].document(), node, pointer }
    }

    fn place(&self, spot: &Spot<'s>) -> Place {
        Place { model: self.sources[spot.source].model.clone(), pointer: spot.pointer.clone() }
    }

    pub(super) fn error<T>(
        &self,
        spot: &Spot<'s>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Result<T, SchemaError> {
        Err(SchemaError { place: self.place(spot), what: what.into(), help: help.into() })
    }

    pub(super) fn warn(&mut self, spot: &Spot<'s>, text: impl Into<String>) {
        let warning = Warning { place: self.place(spot), text: text.into() };
        self.warnings.push(warning);
    }

    /// The node of the schema at `spot`, or of the one that it refers to.
    pub(super) fn schema(&mut self, spot: Spot<'s>) -> Result<u32, SchemaError> {
        let mut spot = spot;
        let mut followed = vec![(spot.source, spot.node)];
        loop {
            let Value::Object(_) = spot.value() else {
                return self.error(
                    &spot,
                    "a schema has to be an object",
                    "write `{}` for one that accepts everything",
                );
            };
            let Some(reference) = spot.member("$ref") else { break };
            let target = self.follow(&spot, &reference)?;
            if followed.contains(&(target.source, target.node)) {
                return self.error(
                    &reference,
                    "the reference leads back to itself",
                    "let it lead to a schema that says something",
                );
            }
            followed.push((target.source, target.node));
            spot = target;
        }
        let key = (spot.source, spot.node);
        if let Some(&number) = self.known.get(&key) {
            return Ok(number);
        }
        let number = self.program.nodes.len() as u32;
        self.known.insert(key, number);
        self.program.nodes.push(Node::ANY);
        self.spots.push(self.place(&spot));
        self.waiting.push_back((number, spot));
        Ok(number)
    }

    /// The schema that the reference at `reference`, a member of the one at `spot`, leads to.
    fn follow(&mut self, spot: &Spot<'s>, reference: &Spot<'s>) -> Result<Spot<'s>, SchemaError> {
        const HELP: &str = "refer to `#/definitions/Name` of the same model or to \
             `https://apigateway.amazonaws.com/restapis/{api}/models/Name`";
        let Value::String(text) = reference.value() else {
            return self.error(reference, "`$ref` has to be a string", HELP);
        };
        for (name, beside) in spot.members() {
            let harmless = ["$ref", "definitions", "title", "description", "$schema", "id"];
            if !harmless.contains(&name) && !name.starts_with("x-") {
                self.warn(&beside, format!("draft 4 ignores `{name}` beside `$ref`"));
            }
        }
        let base = self.spot(spot.source, NodeId::ROOT, String::new()).member("id");
        let base = base.and_then(|id| match id.value() {
            Value::String(id) => Some(id.split('#').next().unwrap_or(id)),
            _ => None,
        });
        let target = match Target::parse(text, base) {
            Ok(target) => target,
            Err(why) => return self.error(reference, format!("`{text}` {why}"), HELP),
        };
        let source = match &target.model {
            None => spot.source,
            Some(model) => match self.by_model.get(model) {
                Some(&source) => source,
                None => {
                    let what = format!("there is no model `{model}`");
                    return self.error(reference, what, "create the model first");
                }
            },
        };
        if let Some(node) = locate(&self.sources[source].document(), &target.pointer) {
            return Ok(self.spot(source, node, target.pointer));
        }
        // OpenAPI's place of models, if whoever wrote the model's text left it in.
        let component = target.pointer.strip_prefix("/components/schemas/");
        if let Some(&source) = component.and_then(|name| self.by_model.get(name)) {
            return Ok(self.spot(source, NodeId::ROOT, String::new()));
        }
        self.error(reference, format!("`{text}` leads to nothing"), HELP)
    }

    /// Refuses schemas that apply themselves to the same value.
    fn refuse_circles(&self) -> Result<(), SchemaError> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.program.nodes.len()];
        for start in 0..marks.len() as u32 {
            let mut path = vec![(start, self.same_value(start))];
            if marks[start as usize] != Mark::New {
                continue;
            }
            marks[start as usize] = Mark::Open;
            while let Some((node, next)) = path.last_mut() {
                match next.pop() {
                    None => {
                        marks[*node as usize] = Mark::Done;
                        path.pop();
                    }
                    Some(next) => match marks[next as usize] {
                        Mark::Done => {}
                        Mark::New => {
                            marks[next as usize] = Mark::Open;
                            path.push((next, self.same_value(next)));
                        }
                        Mark::Open => {
                            return Err(SchemaError {
                                place: self.spots[next as usize].clone(),
                                what: "the schema leads back to itself for the same value".into(),
                                help: "let `allOf` and the like lead to other schemas, and refer \
                                       back from `properties` or `items` only"
                                    .into(),
                            });
                        }
                    },
                }
            }
        }
        Ok(())
    }

    /// Nodes that a node applies to the value it is applied to.
    fn same_value(&self, node: u32) -> Vec<u32> {
        let node = self.program.nodes[node as usize];
        let mut found = Vec::new();
        if let Some(general) = self.program.generals.get(node.general as usize) {
            let lists = [&general.all_of, &general.any_of, &general.one_of];
            found.extend(lists.into_iter().flatten().copied());
            found.push(general.not);
        }
        if let Some(object) = self.program.objects.get(node.object as usize) {
            found.extend(object.dependencies.iter().map(|dependency| dependency.schema));
        }
        found.retain(|&schema| schema != NONE && schema != FORBIDDEN);
        found
    }

    /// Refuses more names than an index can count.
    pub(super) fn few_enough(&self, spot: &Spot<'s>, count: usize) -> Result<(), SchemaError> {
        if count <= limits::NAMES_MAX {
            return Ok(());
        }
        let max = limits::NAMES_MAX;
        self.error(spot, format!("there are {count} names"), format!("use {max} at most"))
    }
}
