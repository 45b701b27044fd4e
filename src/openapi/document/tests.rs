use proptest::prelude::*;

use super::{Document, excerpt, position_from};
use crate::limits::{DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX};
use crate::openapi::{Node, Position, Value, json_number};

/// A tree as compact JSON.
pub(in crate::openapi) fn shown(node: &Node) -> String {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => json_number(text).expect("a number that JSON can write").into(),
        Value::String(text) => quoted(text),
        Value::List(items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(","))
        }
        Value::Map(members) => {
            let member = |it: &super::Member| format!("{}:{}", quoted(&it.key), shown(&it.node));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
        }
    }
}

/// Places of all nodes and keys, in the text's order.
pub(in crate::openapi) fn places(node: &Node, into: &mut Vec<(u32, u32)>) {
    into.push((node.position.line, node.position.column));
    node.items().iter().for_each(|item| places(item, into));
    for member in node.members() {
        into.push((member.position.line, member.position.column));
        places(&member.node, into);
    }
}

/// Any value that JSON can write.
pub(in crate::openapi) fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let text = || {
        let some = prop::sample::select(vec![
            "",
            "<<",
            "~",
            "null",
            "yes",
            "200",
            "a: b",
            "# no",
            "- x",
            "'",
            "\"",
            "\\",
            "\u{1F600}",
            "\u{FEFF}",
            "\u{85}",
            "\u{2028}",
            "\u{7F}",
            "\u{0}",
            "\r\n",
            "\t",
            " ",
            "---",
            "*a",
            "&a",
        ]);
        let parts = prop_oneof![any::<char>().prop_map(String::from), some.prop_map(String::from)];
        prop::collection::vec(parts, 0..6).prop_map(|parts| parts.concat())
    };
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<u64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        text().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::vec((text(), inner), 0..12)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The error as people read it.
fn error(text: &str) -> String {
    let error = Document::parse(text).expect_err(text);
    error.in_file("api").to_string()
}

#[test]
fn json_and_yaml_are_told_apart() {
    for (text, want) in [
        (r#"{"a": [1, 2.50]}"#, r#"{"a":[1,2.50]}"#),
        ("\u{FEFF}{\"a\": 1}", r#"{"a":1}"#),
        ("\r\n\t {\"a\": 1}\n", r#"{"a":1}"#),
        ("\u{FEFF}a: 1", r#"{"a":1}"#),
        ("a: 1\nb: {c: 2}", r#"{"a":1,"b":{"c":2}}"#),
        // YAML's flow style, which looks like JSON at first.
        ("{a: 1, 'b': two, \"c\": [x, ], }", r#"{"a":1,"b":"two","c":["x"]}"#),
        ("{\"a\": 1, # why\n \"b\": 2}", r#"{"a":1,"b":2}"#),
        ("{\"a\": 007}", r#"{"a":7}"#),
        ("# a comment\n{\"a\": 1}", r#"{"a":1}"#),
        // JSON has no merge keys.
        (r#"{"<<": {"a": 1}}"#, r#"{"<<":{"a":1}}"#),
        ("\"text\"", "\"text\""),
        ("7", "7"),
    ] {
        let document = Document::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
        assert_eq!(shown(document.root()), want, "{text:?}");
    }
}

#[test]
fn errors_say_what_where_and_how_to_mend() {
    for (text, want) in [
        ("", "api:1:1: error: the document is empty\n  help: Write an OpenAPI definition."),
        (
            "\u{FEFF} \n",
            "api:1:1: error: the document is empty\n  help: Write an OpenAPI definition.",
        ),
        ("# only\n", "api:1:1: error: the document is empty\n  help: Write an OpenAPI definition."),
        // Who begins like JSON reads of JSON.
        (
            "{\n  \"a\": 1\n  \"b\": 2\n}",
            "api:3:3: error: expected `,` or `}`, found `\"`\n  help: Separate members and items by \
             commas, and close every bracket and quote.",
        ),
        (
            "{\"é\": \"x\\qy\"}",
            "api:1:10: error: expected an escape after `\\`, found `q`\n  help: The escapes are \\\" \
             \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hex digits.",
        ),
        (
            "{\"a\": 1, // why\n \"b\": 2}",
            "api:1:10: error: JSON has no comments\n  help: Remove it; in YAML a comment begins with \
             `#`.",
        ),
        (
            "{a: 1",
            "api:1:6: error: not YAML: while parsing a flow mapping, did not find expected ',' or \
             '}'\n  help: Separate members and items by commas, and close every bracket.",
        ),
        (
            "{\"a\": 1, \"b\": {\"c\": 2, \"c\": 3}}",
            "api:1:24: error: the key `c` stands twice in this object, first at 1:16\n  help: Remove \
             one of them, or join what they hold.",
        ),
        (
            "a:\n  b: 1\n  it's: 2\n  b: 3\n",
            "api:4:3: error: the key `b` stands twice in this object, first at 2:3\n  help: Remove \
             one of them, or join what they hold.",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "api:2:1: error: a second document begins here\n  help: Keep one document in a file: \
             remove the `---` and what follows it.",
        ),
    ] {
        assert_eq!(error(text), want, "{text:?}");
    }
}

#[test]
fn a_document_has_a_greatest_size() {
    let fitting = format!("\"{}\"", "x".repeat(DOCUMENT_BYTES_MAX - 2));
    assert!(Document::parse(&fitting).is_ok());
    let longer = format!("{fitting} ");
    assert!(Document::parse_within(&longer, None).is_ok());
    assert!(Document::parse_within(&longer, Some(longer.len() as u64)).is_ok());
    let error = error(&longer);
    assert!(
        error.starts_with("api:1:1: error: 6291457 bytes are more than the 6291456"),
        "{error}"
    );
}

#[test]
fn nesting_is_bounded_in_either_syntax() {
    let nested = |depth: usize, open: &str, close: &str| open.repeat(depth) + &close.repeat(depth);
    let deep = DOCUMENT_DEPTH_MAX;
    for (open, close) in
        [("[", "]"), ("{\"a\":", "}"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("a: [", "]")]
    {
        // `a: [` nests two at a time, and not in itself.
        if open != "a: [" {
            let close_last = if open.starts_with('{') { "1" } else { "" };
            let text = open.repeat(deep) + close_last + &close.repeat(deep);
            let fits = Document::parse(&text);
            // A key that is an object is refused for that, but not for its depth.
            assert!(fits.is_ok() || open == "? ", "{open:?}: {fits:?}");
        }
        for beyond in [deep + 1, 300, 200_000] {
            let text = match open {
                "a: [" => format!("a: {}", nested(beyond, "[", "]")),
                _ => open.repeat(beyond),
            };
            let error = error(&text);
            let want = "error: lists and objects nest more than 128 deep\n  help: Move the inner";
            assert!(error.contains(want), "{open:?} {beyond}: {error}");
        }
    }
    let at = error(&"[".repeat(deep + 1));
    assert!(at.starts_with("api:1:129: "), "{at}");
}

#[test]
fn positions_count_characters_and_every_kind_of_line_break() {
    let text = "aé\u{1F600}\tb\r\nc\rd\n\ne";
    let place = |to| {
        let Position { line, column } = position_from(text, (0, super::START), to);
        (line, column)
    };
    let got: Vec<_> = text.char_indices().map(|(at, c)| (c, place(at))).collect();
    assert_eq!(
        got,
        [
            ('a', (1, 1)),
            ('é', (1, 2)),
            ('\u{1F600}', (1, 3)),
            ('\t', (1, 4)),
            ('b', (1, 5)),
            ('\r', (1, 6)),
            ('\n', (1, 7)),
            ('c', (2, 1)),
            ('\r', (2, 2)),
            ('d', (3, 1)),
            ('\n', (3, 2)),
            ('\n', (4, 1)),
            ('e', (5, 1)),
        ]
    );
    assert_eq!(place(text.len()), (5, 2));
    assert_eq!(place(usize::MAX), (5, 2));
    // Counting on from anywhere gives the same.
    for (from, _) in text.char_indices() {
        let middle = (from, position_from(text, (0, super::START), from));
        for (to, _) in text.char_indices().filter(|&(to, _)| to >= from) {
            let on = position_from(text, middle, to);
            assert_eq!((on.line, on.column), place(to), "{from} {to}");
        }
    }
}

#[test]
fn a_pointer_has_the_place_of_its_key_or_of_the_nearest_ancestor() {
    let text = "paths:\n  /pets:\n    get:\n      tags: [a, bé, c]\n      list:\n      - x\n      - {y: 1}\n";
    let document = Document::parse(text).unwrap();
    for (pointer, want) in [
        ("", Some((1, 1))),
        ("/paths", Some((1, 1))),
        ("/paths/~1pets", Some((2, 3))),
        ("/paths/~1pets/get/tags", Some((4, 7))),
        ("/paths/~1pets/get/tags/0", Some((4, 14))),
        ("/paths/~1pets/get/tags/2", Some((4, 21))),
        ("/paths/~1pets/get/tags/3", Some((4, 7))),
        ("/paths/~1pets/get/list/0", Some((6, 9))),
        ("/paths/~1pets/get/list/1", Some((7, 9))),
        ("/paths/~1pets/get/list/1/y", Some((7, 10))),
        ("/paths/~1pets/put/responses/200", Some((2, 3))),
        ("/nothing", Some((1, 1))),
        ("paths", None),
        ("/paths/~", None),
    ] {
        let got = document.position(pointer).map(|Position { line, column }| (line, column));
        assert_eq!(got, want, "{pointer:?}");
    }
}

#[test]
fn an_excerpt_is_one_short_line() {
    for (text, want) in [
        ("it's \"fine\"", "it's \"fine\"".to_owned()),
        ("a\nb\t\u{1B}[31m", r"a\nb\t\u{1b}[31m".to_owned()),
        ("C:\\", r"C:\\".to_owned()),
        (&"é".repeat(60), "é".repeat(60)),
        (&"é".repeat(61), "é".repeat(60) + "…"),
    ] {
        assert_eq!(excerpt(text), want);
    }
}

const GOOD: [&str; 4] = [
    "{\"openapi\": \"3.0.1\", \"info\": {\"title\": \"a\\u00e9\\ud83d\\ude00\\n\", \"version\": 1.0e+5},\r\n \"paths\": {\
     \"/p\u{1F600}\": [true, false, null, -0.5, [], {}]}}",
    "%YAML 1.2\n---\nopenapi: '3.0.1' # why\ninfo: &info\n  title: \"caf\\u00e9 \\\n    au lait\"\n  version: 1.0\n\
     other:\n  <<: [*info, {a: 1}]\n  ? complex\n  : value\npaths:\n  /pets/{id}:\n    get: {responses: {200: {x: !!str 5}}}\n...\n",
    "list:\n- a\n-\n- - b\n  - c\n- k: |2-\n     literal\n    more\n\n  l: >+\n    folded\n    text\n\n- !!map {a, b: , \"c\":d}\n-\t'it''s'\r\n",
    "\u{FEFF}# comment\r\na: plain\r\n  over lines\r\nb: é\u{1F600} # \u{1F600}\r\nc: [~, yes, 0x1F, .5,\r\n  &x on, *x]\r\n",
];

#[test]
fn prefixes_and_gaps_of_good_documents_never_panic() {
    for good in GOOD {
        assert!(Document::parse(good).is_ok(), "{good:?}: {:?}", Document::parse(good));
        for (at, c) in good.char_indices() {
            let (before, after) = good.split_at(at);
            let rest = &after[c.len_utf8()..];
            let _ = Document::parse(before);
            let _ = Document::parse(after);
            let _ = Document::parse(&format!("{before}{rest}"));
            for other in ['\n', '{', '"', ':', '\t', '\0'] {
                let _ = Document::parse(&format!("{before}{other}{rest}"));
                let _ = Document::parse(&format!("{before}{other}{after}"));
            }
        }
    }
}

/// The characters of a text by line, as [`position_from`] counts.
fn char_at(text: &str, place: (u32, u32)) -> Option<char> {
    let mut at = (0, super::START);
    for (index, c) in text.char_indices() {
        at = (index, position_from(text, at, index));
        if (at.1.line, at.1.column) == place {
            return Some(c);
        }
    }
    None
}

/// What can be said of any document's positions: they are in the text, in front of something that
/// a node of this kind can begin with.
fn check_places(text: &str, node: &Node) -> Result<(), TestCaseError> {
    let place = (node.position.line, node.position.column);
    let first = char_at(text, place);
    let fine = match &node.value {
        // A null may be nothing.
        Value::Null => true,
        Value::String(text) if text.is_empty() => true,
        Value::List(_) => matches!(first, Some('[' | '-' | '*')),
        _ => first.is_some_and(|c| !" \t\r\n#,]}".contains(c)),
    };
    prop_assert!(fine, "{:?} at {:?} {:?} of {:?}", node.value, place, first, text);
    node.items().iter().try_for_each(|item| check_places(text, item))?;
    for member in node.members() {
        let place = (member.position.line, member.position.column);
        let first = char_at(text, place);
        prop_assert!(first.is_some_and(|c| !" \t\r\n#,]}".contains(c)), "{member:?} of {text:?}");
        check_places(text, &member.node)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*|(?s:.{0,200})") {
        let _ = Document::parse(&text);
    }

    #[test]
    fn any_yaml_like_text_is_read_or_refused(
        words in prop::collection::vec(prop::sample::select(vec![
            "a", "b", "é", "1", " ", " ", "  ", "\n", "\n", "\n  ", "\n    ", "\r\n", "\r", "\t", ":", ": ",
            ": ", "- ", "-", "\n- ", "? ", "&a ", "&b ", "*a", "*b", "!!str ", "!!map ", "! ", "!x", "!<y>",
            "{", "}", "[", "]", ",", "|", ">", "|2", ">-", "|+", "\n  |\n", "'", "\"", "\\", "\\u00e9",
            "\\\n", "#", " #", "---", "\n---\n", "...", "%", "%TAG ! x", "%YAML 1.2", "<<", "<<: ", "~",
            "null", "@", "`", "\u{FEFF}", "\u{1F600}", "\u{85}", "\u{2028}", "//", "k: ", "\nk: ", "\nl: ",
        ]), 0..30),
    ) {
        let text = words.concat();
        if let Ok(document) = Document::parse(&text) {
            check_places(text.strip_prefix('\u{FEFF}').unwrap_or(&text), document.root())?;
        }
    }

    #[test]
    fn any_json_like_text_is_read_or_refused(
        words in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"a\":", "\\", "\\u", "\\ud83d", "\\ude00", "1", "-",
            ".", "e", "+", "0", "true", "null", " ", "\n", "\r", "\t", "\u{1}", "é", "\u{1F600}", "/", "//", "#",
        ]), 0..25),
        opening in prop::sample::select(vec!["", "{", "[", "{\"b\":"]),
    ) {
        let _ = Document::parse(&(opening.to_owned() + &words.concat()));
    }
}
