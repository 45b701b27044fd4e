//! A document as an ordered tree in which every node knows where it stands.

/// A place in the text, counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub position: Position,
    /// What it is.
    pub value: Value,
}

/// JSON's kinds of value; members keep the document's order.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number, as it is written.
    Number(Box<str>),
    /// A string.
    String(Box<str>),
    /// A list.
    List(Vec<Node>),
    /// An object; keys are unique.
    Map(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its key; in YAML a number or boolean as a key is its text.
    pub key: Box<str>,
    /// Where the key begins.
    pub position: Position,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// The member of that key, if this is an object that has it.
    pub fn member(&self, key: &str) -> Option<&Node> {
        self.members().iter().find(|member| &*member.key == key).map(|member| &member.node)
    }

    /// An object's members; empty for anything else.
    pub fn members(&self) -> &[Member] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    /// A list's items; empty for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// A string's text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Text of a string, number or boolean: what AWS takes where it wants a string.
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) | Value::Number(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// What kind it is, for messages: `a string`, `an object`.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "an object",
        }
    }

    /// The node a JSON pointer (RFC 6901) leads to.
    pub fn at(&self, pointer: &str) -> Option<&Node> {
        let mut node = self;
        for token in pointer_tokens(pointer)? {
            (_, node) = node.child(&token)?;
        }
        Some(node)
    }

    /// What a token of a JSON pointer leads to, and where: a member's key, an item's value.
    pub(super) fn child(&self, token: &str) -> Option<(Position, &Node)> {
        match &self.value {
            Value::Map(members) => {
                let member = members.iter().find(|member| &*member.key == token)?;
                Some((member.position, &member.node))
            }
            Value::List(items) => {
                let item = items.get(list_index(token)?)?;
                Some((item.position, item))
            }
            _ => None,
        }
    }
}

/// The unescaped tokens of a JSON pointer; `None` for a text that is none.
pub(super) fn pointer_tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let unescape = |token: &str| {
        let mut escapes = token.split('~').skip(1);
        let fine = escapes.all(|after| after.starts_with(['0', '1']));
        // In this order: `~01` is `~1`.
        fine.then(|| token.replace("~1", "/").replace("~0", "~"))
    };
    pointer.strip_prefix('/')?.split('/').map(unescape).collect()
}

/// RFC 6901, section 4: digits without a leading zero.
fn list_index(token: &str) -> Option<usize> {
    let fine = token == "0" || token.starts_with(|c: char| matches!(c, '1'..='9'));
    if fine { token.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::pointer_tokens;
    use crate::openapi::Document;

    #[test]
    fn a_pointer_splits_into_unescaped_tokens() {
        let cases: [(&str, Option<&[&str]>); 10] = [
            ("", Some(&[])),
            ("/", Some(&[""])),
            ("/a//b", Some(&["a", "", "b"])),
            ("/~1pets~1{id}/get", Some(&["/pets/{id}", "get"])),
            ("/~01", Some(&["~1"])),
            ("/~0~1", Some(&["~/"])),
            ("a", None),
            ("/a~", None),
            ("/~2", None),
            ("/a~/b", None),
        ];
        for (pointer, want) in cases {
            let got = pointer_tokens(pointer);
            let want = want.map(|tokens| tokens.iter().map(|&it| it.to_owned()).collect());
            assert_eq!(got, want, "{pointer:?}");
        }
    }

    #[test]
    fn a_pointer_leads_to_a_node() {
        let text = r#"{"a/b": [true, {"~": "deep"}], "0": "member", "": 7}"#;
        let document = Document::parse(text).unwrap();
        for (pointer, want) in [
            ("/a~1b/0", Some("true")),
            ("/a~1b/1/~0", Some("deep")),
            ("/0", Some("member")),
            ("/", Some("7")),
            ("", None),
            ("/a~1b", None),
            ("/a~1b/2", None),
            ("/a~1b/00", None), // no index has a leading zero
            ("/a~1b/+1", None),
            ("/a~1b/-", None),
            ("/0/x", None),
            ("0", None),
        ] {
            let got = document.root().at(pointer).and_then(|node| node.scalar());
            assert_eq!(got, want, "{pointer:?}");
        }
    }

    #[test]
    fn a_node_knows_its_kind() {
        let document = Document::parse(r#"[null, true, false, 1.50, "x", [2], {"k": 3}]"#).unwrap();
        let seen: Vec<_> = document
            .root()
            .items()
            .iter()
            .map(|it| (it.kind(), it.scalar(), it.as_str(), it.items().len(), it.members().len()))
            .collect();
        assert_eq!(
            seen,
            [
                ("null", None, None, 0, 0),
                ("a boolean", Some("true"), None, 0, 0),
                ("a boolean", Some("false"), None, 0, 0),
                ("a number", Some("1.50"), None, 0, 0),
                ("a string", Some("x"), Some("x"), 0, 0),
                ("a list", None, None, 1, 0),
                ("an object", None, None, 0, 1),
            ]
        );
        assert_eq!(document.root().items()[6].member("k").and_then(|it| it.scalar()), Some("3"));
        assert_eq!(document.root().items()[6].member("K"), None);
    }
}
