//! Reads what `ringway run` does not carry out yet: what is wrong there keeps nobody from serving the
//! document, but AWS refuses it.

use super::super::{Node, Value};
use super::Importer;
use super::place::Place;
use super::values::number;

impl<'a> Importer<'a> {
    /// A member that is there and not null.
    fn quiet<'n>(&self, of: &'n Node, key: &str) -> Option<&'n Node> {
        of.member(key).filter(|node| node.value != Value::Null)
    }

    fn quiet_refusal(&mut self, key: &str, node: &Node, wanted: &str) {
        self.report.aws_error(&format!("'{key}' is {}, but has to be {wanted}", node.kind()));
    }

    /// A member that is text, import variables put in.
    pub(super) fn quiet_text(&mut self, of: &Node, key: &str) -> Option<String> {
        let node = self.quiet(of, key)?;
        self.quiet_text_at(key, node)
    }

    fn quiet_text_at(&mut self, key: &str, node: &Node) -> Option<String> {
        let Some(text) = node.scalar() else {
            self.quiet_refusal(key, node, "a string");
            return None;
        };
        let (text, unknown) = self.options.with_variables(text);
        if let Some(name) = unknown {
            self.report.aws_error(&format!("there is no import variable '${{AWS::{name}}}'"));
        }
        Some(text)
    }

    /// A member that is a list of texts; empty if there is none.
    pub(super) fn quiet_texts(&mut self, of: &Node, key: &str) -> Vec<String> {
        let Some(node) = self.quiet(of, key) else { return Vec::new() };
        let Value::List(items) = &node.value else {
            self.quiet_refusal(key, node, "a list");
            return Vec::new();
        };
        items.iter().filter_map(|item| self.quiet_text_at(key, item)).collect()
    }

    /// A member that is `true` or `false`, or its text as AWS's SDKs write it.
    pub(super) fn quiet_boolean(&mut self, of: &Node, key: &str) -> Option<bool> {
        let node = self.quiet(of, key)?;
        match node.scalar() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => {
                self.quiet_refusal(key, node, "true or false");
                None
            }
        }
    }

    /// A member that is a whole number, or its text.
    pub(super) fn quiet_whole(&mut self, of: &Node, key: &str) -> Option<u32> {
        let node = self.quiet(of, key)?;
        let value = node.scalar().and_then(number);
        let whole =
            |value: &f64| value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value);
        let Some(value) = value.filter(whole) else {
            self.quiet_refusal(key, node, "a whole number");
            return None;
        };
        Some(value as u32)
    }

    /// A member that is one of AWS's names, in any case of letters.
    pub(super) fn quiet_name<T>(
        &mut self,
        of: &Node,
        key: &str,
        named: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.quiet_text(of, key)?;
        let found = named(&text);
        if found.is_none() {
            self.report.aws_error(&format!("'{text}' is no {key}"));
        }
        found
    }

    /// A member that is an object.
    pub(super) fn quiet_object(&mut self, of: &Place<'a>, key: &str) -> Option<Place<'a>> {
        let place = of.member(key)?;
        match &place.node.value {
            Value::Map(_) => Some(place),
            Value::Null => None,
            _ => {
                self.quiet_refusal(key, place.node, "an object");
                None
            }
        }
    }
}
