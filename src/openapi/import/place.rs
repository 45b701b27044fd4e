//! A node together with the way that led to it.

use std::borrow::Cow;

use super::super::{Node, Position};

/// A node, the pointer that leads to it, and the position that a diagnostic about it names: its
/// key's, or its own in a list and at the root.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub(super) node: &'a Node,
    pub(super) pointer: String,
    pub(super) position: Position,
}

impl<'a> Place<'a> {
    pub(super) fn root(node: &'a Node) -> Self {
        Self { node, pointer: String::new(), position: node.position }
    }

    /// The member of that key.
    pub(super) fn member(&self, key: &str) -> Option<Self> {
        self.members().find(|(name, _)| *name == key).map(|(_, place)| place())
    }

    /// An object's members, their places made on demand; nothing for anything else.
    pub(super) fn members(
        &self,
    ) -> impl Iterator<Item = (&'a str, impl Fn() -> Self + use<'a, '_>)> {
        self.node.members().iter().map(move |member| {
            let place = move || Self {
                node: &member.node,
                pointer: below(&self.pointer, &member.key),
                position: member.position,
            };
            (&*member.key, place)
        })
    }

    /// A list's items; nothing for anything else.
    pub(super) fn items(&self) -> impl Iterator<Item = Self> + use<'a, '_> {
        self.node.items().iter().enumerate().map(move |(index, node)| Self {
            node,
            pointer: format!("{}/{index}", self.pointer),
            position: node.position,
        })
    }

    /// The place a JSON pointer (RFC 6901) leads to from here.
    pub(super) fn at(&self, pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(self.clone());
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self.clone(), |place, token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            match place.member(&token) {
                Some(member) => Some(member),
                None => place.items().nth(token.parse().ok()?),
            }
        })
    }

    /// The last token of the pointer: the key, or the number in a list.
    pub(super) fn key(&self) -> String {
        let token = self.pointer.rsplit('/').next().unwrap_or_default();
        token.replace("~1", "/").replace("~0", "~")
    }
}

/// The pointer of a member.
fn below(pointer: &str, key: &str) -> String {
    let key: Cow<'_, str> = if key.contains(['~', '/']) {
        key.replace('~', "~0").replace('/', "~1").into()
    } else {
        key.into()
    };
    format!("{pointer}/{key}")
}
