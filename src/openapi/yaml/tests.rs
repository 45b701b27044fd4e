use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::document::tests::{any_json, places, shown};
use super::{json_number, parse, position_from};
use crate::openapi::Position;

fn refused(text: &str) -> (u32, u32, String, String) {
    let refusal = parse(text).expect_err(text);
    (refusal.position.line, refusal.position.column, refusal.message, refusal.help)
}

fn placed(text: &str) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    places(&parse(text).unwrap_or_else(|refusal| panic!("{text:?}: {refusal:?}")), &mut found);
    found
}

#[test]
fn yaml_is_read_by_the_core_schema() {
    for (text, want) in [
        ("---\n", "null"),
        ("a:", r#"{"a":null}"#),
        ("a:\n- b\n-\n- c", r#"{"a":["b",null,"c"]}"#),
        ("- - a\n  - b\n- - c", r#"[["a","b"],["c"]]"#),
        ("- a: 1\n  b: 2\n- c: 3", r#"[{"a":1,"b":2},{"c":3}]"#),
        ("[~, null, Null, NULL, nuLL, '~']", r#"[null,null,null,null,"nuLL","~"]"#),
        (
            "[true, True, TRUE, tRUE, false, False, FALSE]",
            r#"[true,true,true,"tRUE",false,false,false]"#,
        ),
        // YAML 1.1's booleans, sexagesimals, dates and underscored numbers are texts.
        ("[yes, no, on, off, y, n, Yes]", r#"["yes","no","on","off","y","n","Yes"]"#),
        (
            "[12:30:45, 2001-12-14, 1_000, 0b11, 1,2]",
            r#"["12:30:45","2001-12-14","1_000","0b11",1,2]"#,
        ),
        // Numbers keep their text as far as JSON has it.
        (
            "[0, -0, 1.0, 10.50e+07, 1E5, 12345678901234567890.1]",
            "[0,-0,1.0,10.50e+07,1E5,12345678901234567890.1]",
        ),
        (
            "[+1, 007, -007, .5, -.5, 1., +1.e5, 0o17, 0x1F, 0xff]",
            "[1,7,-7,0.5,-0.5,1,1e5,15,31,255]",
        ),
        (
            "[1e, e5, ., -., +, 0x, 0o8, 0xg, -0x1F, 1.2.3, 1e5.0, '1']",
            r#"["1e","e5",".","-.","+","0x","0o8","0xg","-0x1F","1.2.3","1e5.0","1"]"#,
        ),
        ("[0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF]", "[340282366920938463463374607431768211455]"),
        // Keys are text.
        ("200: a\n'404': b\n\"500\": c\n", r#"{"200":"a","404":"b","500":"c"}"#),
        (
            "0200: a\ntrue: b\nnull: c\n1.0: d\n.inf: e\n",
            r#"{"0200":"a","true":"b","null":"c","1.0":"d",".inf":"e"}"#,
        ),
        ("'': a\n? b c\n: d\n/x/{y}: e\n", r#"{"":"a","b c":"d","/x/{y}":"e"}"#),
        ("a b: c:d\nurl: http://h:1/p#q\n", r#"{"a b":"c:d","url":"http://h:1/p#q"}"#),
        // Quoted and folded texts.
        ("'it''s'", r#""it's""#),
        ("'a\n\n b\n c'", r#""a\nb c""#),
        ("\"a\\n\\x41\\u00e9\\U0001F600\\\n   b\\ \"", "\"a\\nAé\u{1F600}b \""),
        ("a\n b\n\n c", r#""a b\nc""#),
        ("a: |\n  x\n   y\n\nb: >\n  x\n  y\n\n  z\n", r#"{"a":"x\n y\n","b":"x y\nz\n"}"#),
        ("a: |-\n  x\nb: |+\n  y\n\nc: >-\n  z\n", r#"{"a":"x","b":"y\n\n","c":"z"}"#),
        ("a: |2-\n    x\n   y\n", r#"{"a":"  x\n y"}"#),
        (
            "a: |\n  #set($x = \"1\")\n  {\"a\": $x}\n",
            r##"{"a":"#set($x = \"1\")\n{\"a\": $x}\n"}"##,
        ),
        ("a: |\n  5\nb: |-\n  true\n", r#"{"a":"5\n","b":"true"}"#),
        ("a: |\nb: >\n", r#"{"a":"","b":""}"#),
        // At the end of the document: no line break that is not there.
        ("a: |\n  x", r#"{"a":"x"}"#),
        ("a: >+\n  x\n  y", r#"{"a":"x y"}"#),
        ("a: |-\n  x", r#"{"a":"x"}"#),
        ("a: |\n  x\n  ", r#"{"a":"x\n"}"#),
        ("a: |\n  x\n ", r#"{"a":"x\n"}"#),
        ("a: |\n  x\n\n\n", r#"{"a":"x\n"}"#),
        ("a: |+\n  x\n\n", r#"{"a":"x\n\n"}"#),
        ("a: |\n  x\n# c", r#"{"a":"x\n"}"#),
        ("a: |", r#"{"a":""}"#),
        ("a: |\n\n\nb: |+\n\nc: |-\n\n", r#"{"a":"","b":"\n","c":""}"#),
        // Line breaks.
        ("a: |\r\n  x\r\n  y\r\nb: 1\r\n", r#"{"a":"x\ny\n","b":1}"#),
        ("a: 1\rb: 2\r", r#"{"a":1,"b":2}"#),
        // Blanks and comments.
        ("a: \t1\t# one\nb: [1,\t2] #two\n#end", r#"{"a":1,"b":[1,2]}"#),
        ("a: x#y\nb: 'c # d'", r#"{"a":"x#y","b":"c # d"}"#),
        // Flow.
        (
            "{a: 1, b: {c: [d, e]}, 'f':g, \"h\":1, i, }",
            r#"{"a":1,"b":{"c":["d","e"]},"f":"g","h":1,"i":null}"#,
        ),
        ("[a: b, c]", r#"[{"a":"b"},"c"]"#),
        ("{\"a\":1,\"b\":[\"c\",-2,{}]}", r#"{"a":1,"b":["c",-2,{}]}"#),
        // Tags of JSON's kinds.
        (
            "[!!str 5, !!str true, !!str , !!int '5', !!float 5, !!bool \"true\", !!null '']",
            r#"["5","true","",5,5,true,null]"#,
        ),
        (
            "[! 5, ! x, ! {a: 1}, ! [2], !!map {b: 3}, !!seq [4]]",
            r#"["5","x",{"a":1},[2],{"b":3},[4]]"#,
        ),
        ("!!map\na: !!seq\n- !!str 1\n", r#"{"a":["1"]}"#),
        ("!<tag:yaml.org,2002:str> 5", "\"5\""),
        ("%TAG !y! tag:yaml.org,2002:\n---\n!y!str 5", "\"5\""),
        ("!!int 5: a", r#"{"5":"a"}"#),
        // One document, with or without its markers.
        ("%YAML 1.2\n---\na: 1\n...\n", r#"{"a":1}"#),
        ("# c\n--- {a: 1}", r#"{"a":1}"#),
        ("--- |\n a\n", "\"a\\n\""),
    ] {
        let node = parse(text).unwrap_or_else(|refusal| panic!("{text:?}: {refusal:?}"));
        assert_eq!(shown(&node), want, "{text:?}");
    }
}

#[test]
fn anchors_aliases_and_merge_keys_are_resolved() {
    for (text, want) in [
        ("a: &x 1\nb: *x", r#"{"a":1,"b":1}"#),
        ("a: &x {b: [1]}\nc: [*x, *x]", r#"{"a":{"b":[1]},"c":[{"b":[1]},{"b":[1]}]}"#),
        ("a: &x 1\nb: &x 2\nc: *x", r#"{"a":1,"b":2,"c":2}"#),
        ("a: &x\nb: *x", r#"{"a":null,"b":null}"#),
        ("&k a: 1\n*k : 2\n", ""),
        ("- &k a\n- *k : 2\n", r#"["a",{"a":2}]"#),
        ("- &a !!str 5\n- !!str &b 6\n- *a\n- *b", r#"["5","6","5","6"]"#),
        // Merges: what the map has itself wins, then the first one merged.
        ("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3", r#"{"a":{"x":1,"y":2},"b":{"x":1,"y":3}}"#),
        ("a: &a {x: 1, y: 2}\nb:\n  y: 3\n  <<: *a", r#"{"a":{"x":1,"y":2},"b":{"y":3,"x":1}}"#),
        (
            "- &a {x: 1}\n- &b {x: 2, y: 2}\n- <<: [*a, *b, {z: 3, y: 4}]",
            r#"[{"x":1},{"x":2,"y":2},{"x":1,"y":2,"z":3}]"#,
        ),
        ("- &a {x: 1}\n- &b {<<: *a, y: 2}\n- <<: *b", r#"[{"x":1},{"x":1,"y":2},{"x":1,"y":2}]"#),
        ("- &l [{x: 1}, {y: 2}]\n- <<: *l", r#"[[{"x":1},{"y":2}],{"x":1,"y":2}]"#),
        ("<<: {a: 1}\nb: 2", r#"{"a":1,"b":2}"#),
        ("<<: []\nb: 2", r#"{"b":2}"#),
        // Quoted, it is a key like any other.
        ("'<<': 1\n<<: {a: 2}\n\"\\0<<\": 3", r#"{"<<":1,"a":2,"\u0000<<":3}"#),
    ] {
        match want {
            "" => assert!(parse(text).is_err(), "{text:?}"),
            _ => {
                let node = parse(text).unwrap_or_else(|refusal| panic!("{text:?}: {refusal:?}"));
                assert_eq!(shown(&node), want, "{text:?}");
            }
        }
    }
}

#[test]
fn what_is_no_yaml_is_refused_with_its_place() {
    for (text, line, column, want) in [
        ("a: b: c", 1, 5, "not YAML: mapping values are not allowed in this context"),
        (
            "a:\n  b: 1\n c: 2\n",
            3,
            2,
            "not YAML: while parsing a block mapping, did not find expected key",
        ),
        ("a: [1, 2\nb: 3", 2, 2, ""),
        ("a: 'x", 1, 4, "not YAML: while scanning a quoted scalar, found unexpected end of stream"),
        (
            "é: \"\\q\"",
            1,
            4,
            "not YAML: while parsing a quoted scalar, found unknown escape character",
        ),
        ("a: @b", 1, 4, "not YAML: unexpected character: `@'"),
        ("a: *b", 1, 4, "not YAML: while parsing node, found unknown anchor"),
        ("a: 1\n---\nb: 2", 2, 1, "a second document begins here"),
        ("a: 1\n...\n---\nb: 2", 3, 1, "a second document begins here"),
        ("é: \u{1}", 1, 4, "the control character U+0001 cannot stand in YAML"),
        ("a: \0", 1, 4, "the control character U+0000 cannot stand in YAML"),
        ("a: !Sub x", 1, 9, "the tag `!Sub` is unknown"),
        ("a: !!binary x", 1, 13, "the tag `!!binary` is unknown"),
        ("a: !<x:y> z", 1, 11, "the tag `x:y` is unknown"),
        ("a: !!int x", 1, 10, "the tag does not fit its value"),
        ("a: !!int 1.5", 1, 10, "the tag does not fit its value"),
        ("a: !!map x", 1, 10, "the tag does not fit its value"),
        ("a: !!str [x]", 1, 10, "the tag does not fit its value"),
        ("!!int a: 1", 1, 7, "the tag does not fit its value"),
        ("a: .inf", 1, 4, "the number `.inf` cannot be written in JSON"),
        ("a: [-.INF, 1]", 1, 5, "the number `-.INF` cannot be written in JSON"),
        ("a: .nan", 1, 4, "the number `.nan` cannot be written in JSON"),
        (
            "a: 0x1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
            1,
            4,
            "the number `0x1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF` cannot be written in JSON",
        ),
        (": a", 1, 1, "a key is missing or null"),
        ("~: a", 1, 1, "a key is missing or null"),
        ("? [a]\n: b", 1, 3, "a key is a list or an object"),
        ("{a: 1}: b", 1, 1, "a key is a list or an object"),
        ("- &x [a]\n- *x : b", 2, 3, "a key is a list or an object"),
        ("a: &x [*x]", 1, 8, "the alias stands within what it refers to"),
        ("a: &x\n  b: *x", 2, 6, "the alias stands within what it refers to"),
        ("a: 1\nb: 2\n'a': 3", 3, 1, "the key `a` stands twice in this object, first at 1:1"),
        ("200: a\n'200': b", 2, 1, "the key `200` stands twice in this object, first at 1:1"),
        ("- &k a\n- a: 1\n  *k : 2", 3, 3, "the key `a` stands twice in this object, first at 2:3"),
        ("<<: {a: 1}\n<<: {b: 1}", 2, 1, "the key `<<` stands twice in this object, first at 1:1"),
        ("<<: a", 1, 5, "only objects can be merged by `<<`"),
        ("a: &x 1\n<<: *x", 2, 5, "only objects can be merged by `<<`"),
        ("<<: [{a: 1}, b]", 1, 14, "only objects can be merged by `<<`"),
        ("<<:", 1, 3, "only objects can be merged by `<<`"),
    ] {
        let (line_got, column_got, message, help) = refused(text);
        if want.is_empty() {
            assert!(message.starts_with("not YAML: "), "{text:?}: {message}");
        } else {
            assert_eq!(message, want, "{text:?}");
        }
        assert_eq!((line_got, column_got), (line, column), "{text:?}: {message}");
        assert!(!help.is_empty(), "{text:?}");
    }
}

#[test]
fn a_mistake_in_the_layout_comes_with_what_mends_it() {
    for (text, part) in [
        ("description: Pets: all", "A text that has `: ` in it needs quotes"),
        ("a:\n  b:\n\tc: 1", "Indent by spaces, not by tabs"),
        (
            "a: *b",
            "Write `&name` before a value and `*name` after it; a text that begins with `*` needs quotes.",
        ),
        ("a: %b", "A text that begins with this character needs quotes"),
        ("a: `b`", "A text that begins with this character needs quotes"),
        ("a: \"b", "Close the quote"),
        ("a: \"\\d+\"", "In single quotes a `\\` is just a `\\`."),
        ("a: \"\\ud83d\\ude00\"", "In single quotes a `\\` is just a `\\`."),
        ("a: 'b' c", "Put the whole text in quotes"),
        ("a: [1, 2\nb: 3", "Separate members and items by commas, and close every bracket."),
        ("a: {b: 1", "Separate members and items by commas, and close every bracket."),
        ("a: 1]\n", ""),
        ("a: b\n  c\nd\ne: 1", "Look at the indentation"),
        ("!x!y z", "Only !!str, !!int"),
    ] {
        let refusal = parse(text);
        match part {
            "" => assert!(refusal.is_ok(), "{text:?}"),
            _ => {
                let refusal = refusal.expect_err(text);
                assert!(refusal.help.contains(part), "{text:?}: {refusal:?}");
                assert!(refusal.of_syntax, "{text:?}: {refusal:?}");
            }
        }
    }
}

#[test]
fn nodes_stand_where_they_begin() {
    let cases: [(&str, &[(u32, u32)]); 24] = [
        ("a: b", &[(1, 1), (1, 1), (1, 4)]),
        ("---\n# é\n  a: b", &[(3, 3), (3, 3), (3, 6)]),
        ("é\u{1F600}: \"ü\" # \u{1F600}\nb: c", &[(1, 1), (1, 1), (1, 5), (2, 1), (2, 4)]),
        ("a: 'é'\r\nb: c\r\n\r\nd: e", &[(1, 1), (1, 1), (1, 4), (2, 1), (2, 4), (4, 1), (4, 4)]),
        ("a:\n  b:\n    c: 1", &[(1, 1), (1, 1), (2, 3), (2, 3), (3, 5), (3, 5), (3, 8)]),
        ("- a\n-   b", &[(1, 1), (1, 3), (2, 5)]),
        ("- - a\n  - - b", &[(1, 1), (1, 3), (1, 5), (2, 5), (2, 7)]),
        // A list begins at its first dash, indented or not.
        ("k:\n- a\n- b", &[(1, 1), (1, 1), (2, 1), (2, 3), (3, 3)]),
        ("k:\n  - a", &[(1, 1), (1, 1), (2, 3), (2, 5)]),
        ("k: # -\n # -\n- [a]", &[(1, 1), (1, 1), (3, 1), (3, 3), (3, 4)]),
        ("k: &x-y\n- - a", &[(1, 1), (1, 1), (2, 1), (2, 3), (2, 5)]),
        ("k: [a,\n {b: c}]", &[(1, 1), (1, 1), (1, 4), (1, 5), (2, 2), (2, 3), (2, 6)]),
        // A block of text begins at its indicator.
        ("k: |\n  a\n  b\nl: >-\n\n  c", &[(1, 1), (1, 1), (1, 4), (4, 1), (4, 4)]),
        ("'a | b': # |\n  !!str &x|y |2- # |\n   a", &[(1, 1), (1, 1), (2, 14)]),
        ("- |\n a\n- >\n b\n-  | # >\n\n c", &[(1, 1), (1, 3), (3, 3), (5, 4)]),
        ("--- |\n a", &[(1, 5)]),
        // What is missing stands at the mark before it.
        ("a:\nb: ~", &[(1, 1), (1, 1), (1, 2), (2, 1), (2, 4)]),
        ("- \n-   # c\n- - \n- x", &[(1, 1), (1, 1), (2, 1), (3, 3), (3, 3), (4, 3)]),
        ("k:\n-\n- a\n-\n", &[(1, 1), (1, 1), (2, 1), (2, 1), (3, 3), (4, 1)]),
        ("a: &x\nb: !!str\nc: 1", &[(1, 1), (1, 1), (1, 4), (2, 1), (2, 4), (3, 1), (3, 4)]),
        ("- &x-y\n-\n- !!str\n-", &[(1, 1), (1, 3), (2, 1), (3, 3), (4, 1)]),
        ("[&a,&b , !!str ,&c ]", &[(1, 1), (1, 2), (1, 5), (1, 10), (1, 17)]),
        // An alias is a place of its own, the inside of what it repeats is not.
        ("- &a {b: 1}\n- *a", &[(1, 1), (1, 6), (1, 7), (1, 10), (2, 3), (1, 7), (1, 10)]),
        ("? a\n: b\n? - c\n", &[]),
    ];
    for (text, want) in cases {
        if want.is_empty() {
            assert_eq!(refused(text).1, 3, "{text:?}");
        } else {
            assert_eq!(placed(text), want, "{text:?}");
        }
    }
}

#[test]
fn aliases_have_a_budget() {
    let mut laughs = "a: &a0 [ha, ha, ha]\n".to_owned();
    for level in 1..30 {
        let alias = format!("*a{}", level - 1);
        let _ = writeln!(laughs, "b{level}: &a{level} [{}]", [&*alias; 9].join(", "));
    }
    let text = "x".repeat(100_000);
    let map: String = (0..5000).map(|index| format!("{{k{index}: 1}}, ")).collect();
    for (case, text) in [
        ("billion laughs", laughs),
        ("texts", format!("- &a {text}\n{}", "- *a\n".repeat(1000))),
        ("keys", format!("- &a {text}\n{}", "- {? *a : 1}\n".repeat(1000))),
        ("merges", format!("- &a [{map}]\n{}", "- <<: *a\n".repeat(1000))),
        ("maps merged", format!("- &a [{map}]\n{}", "- <<: [{b: *a}]\n".repeat(1000))),
    ] {
        let (_, _, message, help) = refused(&text);
        assert_eq!(message, "aliases repeat more than 67108864 bytes", "{case}");
        assert_eq!(help, "Use `$ref` to `components` instead.", "{case}");
    }
    // What an honest document repeats is far from it, and an anchor that is not used is free.
    let honest = format!("- &a {{b: {}}}\n{}", "x".repeat(1000), "- *a\n".repeat(10_000));
    assert!(parse(&honest).is_ok());
}

#[test]
fn aliases_do_not_nest_deeper_than_what_is_written() {
    for (case, first, link) in [
        ("lists", "- &a0 []\n", "- &a{n} [*a{p}]\n"),
        ("maps", "- &a0 {}\n", "- &a{n} {k: *a{p}}\n"),
        ("merges", "- &a0 {x: 1}\n", "- &a{n} {<<: *a{p}}\n"),
        ("merges of lists", "- &a0 {x: 1}\n", "- &a{n} {<<: [*a{p}]}\n"),
    ] {
        let text = |links: usize| {
            let mut text = first.to_owned();
            for n in 1..=links {
                text += &link.replace("{n}", &n.to_string()).replace("{p}", &(n - 1).to_string());
            }
            text
        };
        assert!(parse(&text(100)).is_ok(), "{case}");
        let (_, _, message, _) = refused(&text(50_000));
        assert_eq!(message, "lists and objects nest more than 128 deep", "{case}");
    }
}

#[test]
fn numbers_are_rewritten_only_where_json_lacks_them() {
    for (text, want) in [
        ("0", Some("0")),
        ("-0.0", Some("-0.0")),
        ("1e05", Some("1e05")),
        ("00", Some("0")),
        ("-00.50", Some("-0.50")),
        ("+0", Some("0")),
        ("+.5e1", Some("0.5e1")),
        ("5.", Some("5")),
        ("0o0", Some("0")),
        ("0x0", Some("0")),
        (".inf", None),
        ("-.inf", None),
        (".NaN", None),
        ("0o7777777777777777777777777777777777777777777", None),
    ] {
        assert_eq!(json_number(text).as_deref(), want, "{text:?}");
    }
}

/// A value as it can be written, for [`Writer`].
#[derive(Clone, Debug)]
enum Shape {
    /// One line, anywhere.
    Scalar(&'static str),
    /// An indicator and a line.
    Text(&'static str, &'static str),
    FlowList(Vec<Shape>),
    FlowMap(Vec<Shape>),
    List(Vec<Shape>),
    Map(Vec<Shape>),
}

fn any_shape() -> impl Strategy<Value = Shape> {
    let scalar = prop::sample::select(vec![
        "a",
        "é\u{1F600} b",
        "'ü | x'",
        "\"- \\n: é\"",
        "12.5",
        "~",
        "true",
        "a-b",
        "\"\"",
        "[]",
        "{}",
    ])
    .prop_map(Shape::Scalar);
    let text = (
        prop::sample::select(vec!["|", ">", "|-", ">+", "| # é | >", "|1"]),
        prop::sample::select(vec!["é - x", "# no comment", "| > -", "k: v"]),
    )
        .prop_map(|(indicator, line)| Shape::Text(indicator, line));
    let flow = scalar.clone().prop_recursive(3, 12, 3, |inner| {
        let some = prop::collection::vec(inner, 1..4);
        prop_oneof![some.clone().prop_map(Shape::FlowList), some.prop_map(Shape::FlowMap)]
    });
    prop_oneof![scalar, text, flow].prop_recursive(5, 40, 5, |inner| {
        let some = prop::collection::vec(inner, 1..5);
        prop_oneof![some.clone().prop_map(Shape::List), some.prop_map(Shape::Map)]
    })
}

const KEYS: [&str; 5] = ["k", "\"k 1\"", "'é | ''k'", "200", "a - é"];

/// Writes shapes and notes where each node and key begins.
struct Writer {
    text: String,
    places: Vec<(u32, u32)>,
    newline: &'static str,
    comments: bool,
    /// Whether lists in maps are written without indentation.
    indentless: bool,
    properties: &'static str,
}

impl Writer {
    fn place(&mut self) {
        let Position { line, column } =
            position_from(&self.text, (0, super::START), self.text.len());
        self.places.push((line, column));
    }

    fn line(&mut self, indent: usize) {
        if self.comments {
            let _ = write!(self.text, " # é - | [ {{{}# - a: > ", self.newline);
        }
        let _ = write!(self.text, "{}{}", self.newline, " ".repeat(indent));
    }

    fn flow(&mut self, shape: &Shape) {
        self.place();
        let (open, members, close) = match shape {
            Shape::Scalar(text) => return self.text.push_str(text),
            Shape::FlowMap(members) => ("{", members, "}"),
            Shape::FlowList(members) => ("[", members, "]"),
            _ => unreachable!("only flow nodes are in flow nodes"),
        };
        self.text.push_str(open);
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            if open == "{" {
                self.place();
                self.text.push_str(KEYS[index]);
                self.text.push_str(": ");
            }
            self.flow(member);
        }
        self.text.push_str(close);
    }

    /// A node whose lines are indented so; the first one is begun already.
    fn block(&mut self, shape: &Shape, indent: usize) {
        match shape {
            Shape::Text(indicator, line) => {
                self.place();
                // `|1` counts from the parent's indentation, which is one less here.
                let _ =
                    write!(self.text, "{indicator}{}{}{line}", self.newline, " ".repeat(indent));
            }
            Shape::List(items) => {
                self.place();
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.after(&items[index - 1], indent);
                    }
                    self.text.push_str("- ");
                    self.block_item(item, indent);
                }
            }
            Shape::Map(members) => {
                self.place();
                for (index, member) in members.iter().enumerate() {
                    if index > 0 {
                        self.after(&members[index - 1], indent);
                    }
                    self.place();
                    self.text.push_str(KEYS[index]);
                    self.text.push(':');
                    let inner = match member {
                        Shape::List(_) if self.indentless => indent,
                        _ => indent + 1,
                    };
                    if !self.properties.is_empty() {
                        let _ = write!(self.text, " {}{}", self.properties, self.places.len());
                    }
                    match member {
                        Shape::List(_) | Shape::Map(_) => self.line(inner),
                        _ => self.text.push(' '),
                    }
                    self.block(member, inner);
                }
            }
            _ => self.flow(shape),
        }
    }

    fn block_item(&mut self, item: &Shape, indent: usize) {
        match item {
            // The text's indentation is counted from the dash.
            Shape::Text(..) => self.block(item, indent + 1),
            _ => self.block(item, indent + 2),
        }
    }

    /// The line after a node: a comment behind a text would belong to it.
    fn after(&mut self, previous: &Shape, indent: usize) {
        let mut last = previous;
        while let Shape::List(inner) | Shape::Map(inner) = last {
            last = inner.last().expect("a shape with members");
        }
        let comments = self.comments;
        self.comments &= !matches!(last, Shape::Text(..));
        self.line(indent);
        self.comments = comments;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_serde_json_writes_is_yaml_too(value in any_json()) {
        let plain = value.to_string();
        for text in [&plain, &serde_json::to_string_pretty(&value).unwrap()] {
            let node = parse(text).map_err(|it| TestCaseError::fail(format!("{text}: {it:?}")))?;
            prop_assert_eq!(&shown(&node), &plain);
        }
    }

    #[test]
    fn every_node_stands_where_it_begins(
        shape in any_shape(),
        crlf in any::<bool>(),
        comments in any::<bool>(),
        indentless in any::<bool>(),
        anchors in any::<bool>(),
    ) {
        let mut writer = Writer {
            text: String::new(),
            places: Vec::new(),
            newline: if crlf { "\r\n" } else { "\n" },
            comments,
            indentless,
            properties: if anchors { "&x|-" } else { "" },
        };
        let root = Shape::Map(vec![shape]);
        writer.block(&root, 0);
        writer.text.push_str(writer.newline);
        let text = &writer.text;
        let node = parse(text).map_err(|it| TestCaseError::fail(format!("{text}\n{it:?}")))?;
        let mut got = Vec::new();
        places(&node, &mut got);
        prop_assert_eq!(got, writer.places, "{}", text);
    }

    #[test]
    fn a_number_that_yaml_reads_is_one_that_json_reads(text in "[-+]?[0-9.]{0,4}([eE][-+]?[0-9]{0,2})?") {
        let node = parse(&format!("[{text}]"));
        if let Ok(node) = node
            && let [item] = node.items()
            && let crate::openapi::Value::Number(number) = &item.value
        {
            let json = json_number(number).expect("a number that JSON can write");
            let read: serde_json::Number = serde_json::from_str(&json)
                .map_err(|it| TestCaseError::fail(format!("{text} {json}: {it}")))?;
            let exact: f64 = number.parse().expect("a number");
            prop_assert!((read.as_f64().unwrap() - exact).abs() <= exact.abs() * 1e-12);
        }
    }
}
