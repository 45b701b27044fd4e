//! Trees to text, as AWS lays it out: JSON as its exports and imported schemas have it (`"key" : value`,
//! `[ {`, `{ }`), YAML with every text in double quotes.
//!
//! The YAML is our own because it needs one style only, and none of the libraries that write YAML with
//! serde is maintained and small (`serde_yaml` is deprecated). Double quotes have JSON's escapes, so no
//! text can be taken for anything else.

use std::fmt::Write as _;

use super::tree::{Kind, Tree};

/// JSON, two blanks for each level. Source: facts, the exports in `tests/data/openapi`.
pub(super) fn json<T: Tree>(tree: &T) -> String {
    let mut out = String::new();
    write_json(tree, 0, &mut out);
    out
}

/// YAML 1.2 with a line break at its end.
pub(super) fn yaml<T: Tree>(tree: &T) -> String {
    let mut out = String::new();
    match tree.kind() {
        Kind::Map(members) if !members.is_empty() => yaml_members(&members, 0, &mut out),
        Kind::List(items) if !items.is_empty() => yaml_items(items, 0, &mut out),
        other => {
            scalar(&other, &mut out);
            out.push('\n');
        }
    }
    out
}

/// Length of a key, bytes, from which on it stands on a line of its own. YAML 1.2.2, section 7.4.2, has
/// 1024 characters, and escapes are longer than what they stand for.
const IMPLICIT_KEY_BYTES_MAX: usize = 128;

fn write_json<T: Tree>(tree: &T, depth: usize, out: &mut String) {
    match tree.kind() {
        Kind::Map(members) if !members.is_empty() => {
            for (index, (key, value)) in members.into_iter().enumerate() {
                out.push_str(if index == 0 { "{\n" } else { ",\n" });
                indent(depth + 1, out);
                quoted(key, out);
                out.push_str(" : ");
                write_json(value, depth + 1, out);
            }
            out.push('\n');
            indent(depth, out);
            out.push('}');
        }
        Kind::List(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "[ " } else { ", " });
                write_json(item, depth, out);
            }
            out.push_str(" ]");
        }
        other => scalar(&other, out),
    }
}

fn yaml_members<T: Tree>(members: &[(&str, &T)], depth: usize, out: &mut String) {
    for (index, (key, value)) in members.iter().enumerate() {
        // The first member of a list's item stands behind its dash.
        if index > 0 || out.is_empty() || out.ends_with('\n') {
            indent(depth, out);
        }
        // YAML reads no longer keys in one line with their values.
        let long = key.len() > IMPLICIT_KEY_BYTES_MAX;
        if long {
            out.push_str("? ");
        }
        match is_plain_key(key) {
            true => out.push_str(key),
            false => quoted(key, out),
        }
        if long {
            out.push('\n');
            indent(depth, out);
        }
        out.push(':');
        match value.kind() {
            Kind::Map(inner) if !inner.is_empty() => {
                out.push('\n');
                yaml_members(&inner, depth + 1, out);
            }
            Kind::List(items) if !items.is_empty() => {
                out.push('\n');
                yaml_items(items, depth, out);
            }
            other => {
                out.push(' ');
                scalar(&other, out);
                out.push('\n');
            }
        }
    }
}

fn yaml_items<T: Tree>(items: &[T], depth: usize, out: &mut String) {
    for item in items {
        if out.is_empty() || out.ends_with('\n') {
            indent(depth, out);
        }
        out.push_str("- ");
        match item.kind() {
            Kind::Map(members) if !members.is_empty() => yaml_members(&members, depth + 1, out),
            Kind::List(inner) if !inner.is_empty() => yaml_items(inner, depth + 1, out),
            other => {
                scalar(&other, out);
                out.push('\n');
            }
        }
    }
}

/// What needs no lines of its own.
fn scalar<T>(kind: &Kind<'_, T>, out: &mut String) {
    match kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Kind::Number(text) => out.push_str(text),
        Kind::Text(text) => quoted(text, out),
        Kind::List(_) => out.push_str("[ ]"),
        Kind::Map(_) => out.push_str("{ }"),
    }
}

fn indent(depth: usize, out: &mut String) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// A key that needs no quotes: `openapi`, `/pets`, `x-amazon-apigateway-policy`; `/pets/{id}` does.
fn is_plain_key(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    let word = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let null = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    word && key.bytes().all(plain) && !null.iter().any(|it| it.eq_ignore_ascii_case(key))
}

/// In double quotes with JSON's escapes, which YAML has too.
fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // Control characters, and what YAML takes for line breaks or a byte order mark.
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::openapi::Document;

    #[test]
    fn json_is_laid_out_as_aws_does() {
        let tree = json!({
            "openapi": "3.0.1", "servers": [{ "url": "a\"b" }], "content": {}, "list": [],
            "tags": [1, true, null, "é\u{1}"],
        });
        let want = r#"{
  "openapi" : "3.0.1",
  "servers" : [ {
    "url" : "a\"b"
  } ],
  "content" : { },
  "list" : [ ],
  "tags" : [ 1, true, null, "é\u0001" ]
}"#;
        assert_eq!(json(&tree), want);
    }

    #[test]
    fn yaml_has_its_texts_in_quotes() {
        let tree = json!({
            "openapi": "3.0.1",
            "servers": [{ "url": "a", "variables": { "b": 1 } }, [[2, []], {}], "c"],
            "paths": { "/pets/{id}": { "200": { "on": null } }, "/pets": {} },
        });
        let want = r#"openapi: "3.0.1"
servers:
- url: "a"
  variables:
    b: 1
- - - 2
    - [ ]
  - { }
- "c"
paths:
  "/pets/{id}":
    "200":
      "on": null
  /pets: { }
"#;
        assert_eq!(yaml(&tree), want);
        assert_eq!((yaml(&json!({})), yaml(&json!([[]]))), ("{ }\n".into(), "- [ ]\n".into()));
        assert_eq!(yaml(&json!("x")), "\"x\"\n");
    }

    #[test]
    fn yaml_has_long_keys_on_their_own_lines() {
        let (long, plain) = ("\u{1}".repeat(2_000), "a".repeat(2_000));
        let tree = json!([{
            (&long): { "a": 1, (&plain): [1, [2], { (&plain): [] }] }, (&plain): [{ (&long): "x" }],
        }]);
        let text = yaml(&tree);
        assert!(text.starts_with("- ? \"\\u0001"), "{text}");
        assert_eq!(Document::parse(&text).unwrap().root().to_json(), tree);
        assert!(yaml(&json!({ (&plain[..128]): 1 })).ends_with("a: 1\n"));
        assert!(yaml(&json!({ (&plain[..129]): 1 })).ends_with("a\n: 1\n"));
    }

    fn tree() -> impl Strategy<Value = Json> {
        let text = prop_oneof![".{0,8}", "[ -~]{0,8}", Just("~\u{2028}\u{feff}\u{85}".to_owned())];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            text.clone().prop_map(Json::from),
        ];
        leaf.prop_recursive(5, 40, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                proptest::collection::btree_map(text.clone(), inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(tree in tree()) {
            for text in [json(&tree), yaml(&tree)] {
                let document = Document::parse(&text);
                prop_assert!(document.is_ok(), "{document:?}\n{text}");
                prop_assert_eq!(&document.unwrap().root().to_json(), &tree, "{}", text);
            }
        }
    }
}
