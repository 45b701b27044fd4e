//! The tape as a tree for paths: its nodes are the document's, its results are appended to it.

use super::evaluate::{Tree, View};
use crate::json::JsonError;
use crate::json::number::Number;
use crate::json::tape::{Document, Key, Kind, NodeId, Tape};

/// A tape and its text, to evaluate paths on. What a path builds (lists of matches, objects of
/// several members, sums) stays on the tape until it parses again.
#[derive(Debug)]
pub struct TapeTree<'a> {
    tape: &'a mut Tape,
    text: &'a str,
}

impl<'a> TapeTree<'a> {
    /// The document that `tape` parsed from `text`.
    pub fn new(tape: &'a mut Tape, text: &'a str) -> Self {
        Self { tape, text }
    }

    /// Parses the text; for tapes that have not done so yet. Forgets what paths have built.
    ///
    /// # Errors
    /// As [`Tape::parse`].
    pub fn parse(&mut self) -> Result<NodeId, JsonError> {
        self.tape.parse(self.text)
    }

    /// The document as it is read, with everything that paths have built.
    pub fn document(&self) -> Document<'_, '_> {
        self.tape.document(self.text)
    }
}

impl Tree for TapeTree<'_> {
    type Node = NodeId;

    fn kind(&self, node: &NodeId) -> Kind {
        self.document().kind(*node)
    }

    fn view<'a>(&'a self, node: &'a NodeId) -> View<'a> {
        let document = self.document();
        match document.kind(*node) {
            Kind::Null => View::Null,
            Kind::Bool => View::Bool(document.is_true(*node)),
            Kind::Number => View::Number(document.number(*node).expect("a number has a value")),
            Kind::String => {
                View::String(document.string(*node).expect("a string has characters").as_str())
            }
            Kind::Array => View::Array,
            Kind::Object => View::Object,
        }
    }

    fn len(&self, node: &NodeId) -> usize {
        self.document().len(*node)
    }

    fn member(&self, node: &NodeId, key: &Key) -> Option<NodeId> {
        self.document().member(*node, key)
    }

    fn element(&self, node: &NodeId, index: usize) -> Option<NodeId> {
        self.document().element(*node, index)
    }

    fn next_element(&self, node: &NodeId, cursor: &mut usize) -> Option<NodeId> {
        self.tape.next_element(*node, cursor)
    }

    fn next_member(&self, node: &NodeId, cursor: &mut usize) -> Option<NodeId> {
        self.tape.next_member(*node, cursor).map(|(_, value)| value)
    }

    fn same(&self, left: &NodeId, right: &NodeId) -> bool {
        left == right
    }

    fn new_keys(&mut self, object: &NodeId) -> NodeId {
        let mut cursor = 0;
        let mut keys = Vec::with_capacity(self.len(object));
        // A key's node is a string like any other.
        while let Some((key, _)) = self.tape.next_member(*object, &mut cursor) {
            keys.push(key);
        }
        self.tape.append_array(&keys)
    }

    fn new_object(&mut self, members: &[(&str, NodeId)]) -> NodeId {
        self.tape.append_object(members)
    }

    fn new_array(&mut self, elements: &[NodeId]) -> NodeId {
        self.tape.append_array(elements)
    }

    fn new_number(&mut self, number: Number<'_>) -> NodeId {
        self.tape.append_number(number)
    }
}
