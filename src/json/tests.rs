//! The module as a whole: against what the Java libraries answered, against itself, and against
//! texts that mean harm.
//!
//! `testdata/*.jsonl` are answers of json-smart 2.2 and Jayway JsonPath 2.0.0 to questions written
//! here. A line has `body` (none: that of the line before), perhaps `path`, and either `want` (the
//! value with Java's number types: `i` Integer, `l` Long, `b` BigInteger, `d` Double, `D`
//! BigDecimal) with `json` (as `$input.json` prints it) and, for arrays, `str` (as `toString`
//! prints it), or `error`: `parse`, `compile`, `eval` or `missing`.

use proptest::prelude::*;

use super::limits::DEPTH_MAX;
use super::path::{Budget, EvalError, Found, TapeTree};
use super::*;

/// A value with its types, in the form of the oracle's tables.
fn dump(document: &Document<'_, '_>, node: NodeId, out: &mut String) {
    match document.kind(node) {
        Kind::Null => out.push_str("null"),
        Kind::Bool => out.push_str(if document.is_true(node) { "true" } else { "false" }),
        Kind::String => quote(document.string(node).unwrap().as_str(), out),
        Kind::Number => {
            let number = document.number(node).unwrap();
            out.push(match number {
                Number::Int(_) => 'i',
                Number::Long(_) => 'l',
                Number::Big(_) => 'b',
                Number::Double(_) => 'd',
                Number::Decimal(_) => 'D',
            });
            number.write_java(out);
        }
        Kind::Array => {
            out.push('[');
            assert_eq!(document.elements(node).count(), document.len(node));
            for (index, element) in document.elements(node).enumerate() {
                assert_eq!(document.element(node, index), Some(element));
                out.push_str(if index > 0 { "," } else { "" });
                dump(document, element, out);
            }
            out.push(']');
        }
        Kind::Object => {
            out.push('{');
            assert_eq!(document.members(node).count(), document.len(node));
            for (index, (key, value)) in document.members(node).enumerate() {
                assert_eq!(document.member(node, &Key::new(key.as_str())), Some(value));
                out.push_str(if index > 0 { "," } else { "" });
                quote(key.as_str(), out);
                out.push(':');
                dump(document, value, out);
            }
            out.push('}');
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\0'..='\u{1f}' | '\u{7f}' => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => out.push(char),
        }
    }
    out.push('"');
}

/// What the module answers to a line of a table: the value's dump, JSON and `toString`, or the kind
/// of error.
fn answer(body: &str, path: Option<&str>) -> Result<(String, String, String), &'static str> {
    let mut tape = Tape::new();
    let root = tape.parse(body).map_err(|_| "parse")?;
    let node = match path {
        None => root,
        Some(path) => {
            let path = JsonPath::compile(path).map_err(|_| "compile")?;
            let walked = path.simple_steps().map(|steps| tape.document(body).walk(root, steps));
            let mut tree = TapeTree::new(&mut tape, body);
            let found = path.evaluate(&mut tree, &root, &mut Budget::default());
            if let Some(walked) = walked {
                let walked = walked.map(|node| node.map_or(Found::Missing, Found::One));
                assert_eq!(walked.map_err(EvalError::from), found, "walk and evaluate disagree");
            }
            let found = found.map_err(|_| "eval")?;
            if path.is_definite() {
                assert!(!matches!(found, Found::Many(_)));
            }
            found.into_node(&mut tree).ok_or("missing")?
        }
    };
    let document = tape.document(body);
    let (mut value, mut json, mut string) = (String::new(), String::new(), String::new());
    dump(&document, node, &mut value);
    write::write(&document, node, Style::Json, &mut json);
    write::write(&document, node, Style::ToString, &mut string);
    Ok((value, json, string))
}

fn check_table(table: &str, lines_min: usize) {
    let mut lines = 0;
    let mut body = String::new();
    for line in table.lines() {
        let mut tape = Tape::new();
        let root = tape.parse(line).unwrap();
        let document = tape.document(line);
        let field = |name: &str| {
            let node = document.member(root, &Key::new(name))?;
            document.string(node).map(|string| string.as_str())
        };
        if let Some(other) = field("body") {
            body = other.to_owned();
        }
        let got = answer(&body, field("path"));
        match field("error") {
            Some(error) => assert_eq!(got, Err(error), "{line}"),
            None => {
                let (value, json, string) = got.unwrap_or_else(|error| panic!("{error}: {line}"));
                assert_eq!(Some(&value[..]), field("want"), "{line}");
                assert_eq!(Some(&json[..]), field("json"), "{line}");
                if let Some(want) = field("str") {
                    assert_eq!(string, want, "{line}");
                }
            }
        }
        lines += 1;
    }
    assert!(lines >= lines_min, "the table has only {lines} lines");
}

#[test]
fn strict_json_is_read_as_json_smart_reads_it() {
    check_table(include_str!("testdata/strict.jsonl"), 100);
}

#[test]
fn other_texts_are_read_as_json_smart_reads_them() {
    check_table(include_str!("testdata/permissive.jsonl"), 200);
}

#[test]
fn paths_lead_where_jayway_goes() {
    check_table(include_str!("testdata/paths.jsonl"), 300);
}

#[test]
fn paths_of_the_template_corpus_lead_where_jayway_goes() {
    check_table(include_str!("testdata/corpus.jsonl"), 30);
}

#[test]
fn a_body_is_parsed_walked_filtered_and_printed() {
    // The example of the module's documentation.
    let body = r#"{"customer": {"name": "Ann"}, "items": [{"price": 2}, {"price": 3.5}]}"#;
    let mut tape = Tape::new();
    let root = tape.parse(body).unwrap();
    let path = JsonPath::compile("$.customer.name").unwrap();
    let name = tape.document(body).walk(root, path.simple_steps().unwrap()).unwrap().unwrap();
    assert_eq!(tape.document(body).string(name), Some(JsonStr::Text("Ann")));

    let path = JsonPath::compile("$.items[?(@.price > 2)].price").unwrap();
    let mut tree = TapeTree::new(&mut tape, body);
    let found = path.evaluate(&mut tree, &root, &mut Budget::default()).unwrap();
    let list = found.into_node(&mut tree).unwrap();
    let mut out = String::new();
    write::write(&tape.document(body), list, Style::Json, &mut out);
    assert_eq!(out, "[3.5]");
}

#[test]
fn functions_are_called_where_no_member_has_their_name() {
    let body = r#"{"n": [3, 1, "x", 2.5], "o": {"a": 1, "b": 2}, "s": "abc", "e": [],
                   "m": {"length()": 7}, "l": [{"p": 1}, {"p": 3}]}"#;
    for (path, want) in [
        ("$.n.length()", "i4"),
        ("$.n.size()", "i4"),
        ("$.o.length()", "i2"),
        ("$.o.keys()", r#"["a","b"]"#),
        ("$.n.min()", "d1.0"),
        ("$.n.max()", "d3.0"),
        ("$.n.sum()", "d6.5"),
        ("$.n.avg()", "d2.1666666666666665"),
        ("$.l[*].p.stddev()", "d1.0"),
        ("$.l[*].p.sum()", "d4.0"),
        ("$..p.sum()", "d4.0"),
        ("$.n.first()", "i3"),
        ("$.n.last()", "d2.5"),
        ("$.n.index(1)", "i1"),
        ("$.n.index(-1)", "d2.5"),
        ("$.length()", "i6"),
        ("$.m.length()", "i7"), // a member, as 2.0.0 has it
    ] {
        assert_eq!(answer(body, Some(path)).map(|(value, ..)| value), Ok(want.into()), "{path}");
    }
    for path in ["$.s.length()", "$.e.sum()", "$.nope.length()", "$.n.keys()", "$.n.index(9)"] {
        assert_eq!(answer(body, Some(path)), Err("missing"), "{path}");
    }
}

#[test]
fn strings_say_who_owns_them() {
    let text = r#"["plain é", "esc\u0061ped"]"#;
    let mut tape = Tape::new();
    let root = tape.parse(text).unwrap();
    let document = tape.document(text);
    let strings: Vec<_> = document.elements(root).map(|node| document.string(node)).collect();
    assert_eq!(strings, [Some(JsonStr::Text("plain é")), Some(JsonStr::Tape("escaped"))]);
}

#[test]
fn errors_have_the_place_and_the_reason() {
    use JsonErrorKind as K;
    for (text, at, kind) in [
        ("[1,2", 4, K::UnexpectedEnd),
        ("{\"a\" 1}", 5, K::UnexpectedCharacter),
        ("{\"a\":'x' \"b\"}", 9, K::MissingComma),
        ("[\"\\u12x4\"]", 6, K::InvalidEscape),
        ("[1e+]", 1, K::InvalidNumber),
        ("  }", 2, K::UnexpectedCharacter),
    ] {
        assert_eq!(Tape::new().parse(text), Err(JsonError { at, kind }), "{text}");
    }
    let error = JsonPath::compile("$.a b").unwrap_err();
    assert_eq!(
        (error.at, error.to_string()),
        (3, "JsonPath: a space outside brackets at byte 3".into())
    );
}

#[test]
fn depth_is_bounded_in_both_parsers_and_in_paths() {
    let nested = |depth: usize, open: &str, close: &str| {
        format!("{}1{}", open.repeat(depth), close.repeat(depth))
    };
    let max = DEPTH_MAX as usize;
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[,", ",]"), ("{a:", "}")] {
        let mut tape = Tape::new();
        let text = nested(max, open, close);
        let root = tape.parse(&text).unwrap();
        let path = JsonPath::compile("$..x").unwrap();
        let mut tree = TapeTree::new(&mut tape, &text);
        let found = path.evaluate(&mut tree, &root, &mut Budget::default());
        assert_eq!(found, Ok(Found::Many(Vec::new())));
        let error = tape.parse(&nested(max + 1, open, close)).unwrap_err();
        assert_eq!(error.kind, JsonErrorKind::TooDeep);
        let error = tape.parse(&open.repeat((10 << 20) / open.len())).unwrap_err();
        assert_eq!(error.kind, JsonErrorKind::TooDeep);
    }
}

#[test]
fn hostile_objects_take_no_more_than_their_length() {
    // A quadratic step in any of these runs for minutes.
    let mut tape = Tape::new();
    let equal: String = (0..100_000).map(|n| format!("\"key\":{n},")).collect();
    let distinct: String =
        (0..100_000).map(|n| format!("\"key number {n:06} key\":{n},")).collect();
    for (members, len, key) in [(&equal, 1, "key"), (&distinct, 100_000, "key number 099999 key")] {
        for text in [
            format!("{{{}}}", members.trim_end_matches(',')),
            format!("{{{members}}}"), // permissive
            format!("{{\"a\":{{{}}},\"a\":{{{}}}}}", &members[..members.len() - 1], "\"b\":1"),
        ] {
            let root = tape.parse(&text).unwrap();
            let document = tape.document(&text);
            if text.starts_with("{\"a\"") {
                assert_eq!((document.len(root), document.members(root).count()), (1, 1));
                continue;
            }
            assert_eq!(document.len(root), len);
            assert_eq!(document.members(root).count(), len);
            let value = document.member(root, &Key::new(key)).unwrap();
            assert_eq!(document.number(value), Some(Number::Int(99_999)));
        }
    }
    // Repeated keys within each other, at every depth, around a long tail.
    let depth = DEPTH_MAX as usize - 2;
    let text = format!(
        "{}[{}1]{}",
        "{\"a\":1,\"a\":".repeat(depth),
        "1,".repeat(100_000),
        ",\"a\":2}".repeat(depth)
    );
    let root = tape.parse(&text).unwrap();
    let value = tape.document(&text).member(root, &Key::new("a")).unwrap();
    assert_eq!(tape.document(&text).number(value), Some(Number::Int(2)));
}

#[test]
fn the_budget_ends_every_path() {
    let text = format!("[{}1]", "[[1,2,3],[4,5,6]],".repeat(2_000));
    let mut tape = Tape::new();
    let root = tape.parse(&text).unwrap();
    for path in ["$..*..*..*..*", "$[?(@[0] == $[0])]", "$.*", "$..[0:9]"] {
        let path = JsonPath::compile(path).unwrap();
        let mut tree = TapeTree::new(&mut tape, &text);
        let mut budget = Budget::new(1_000);
        let found = path.evaluate(&mut tree, &root, &mut budget);
        assert_eq!(found, Err(EvalError::OutOfBudget));
        assert_eq!(budget.visits_left(), 0);
    }
}

#[test]
fn a_warm_tape_parses_without_allocation() {
    let bodies = [
        include_str!("testdata/items_8163.json"),
        include_str!("testdata/pretty.json"),
        r#"{"a":1,"a":2,"b":"\n","c":[1,2,3]}"#,
        "{'a':1,a:2,b:'\\n',}",
    ];
    let mut tape = Tape::new();
    for body in bodies {
        tape.parse(body).unwrap();
    }
    for body in bodies {
        let allocations = allocation_counter::measure(|| {
            tape.parse(body).unwrap();
        });
        assert_eq!(allocations.count_total, 0, "{body}");
    }
    let body = bodies[0];
    let root = tape.parse(body).unwrap();
    let path = JsonPath::compile("$.items[3].sku").unwrap();
    let allocations = allocation_counter::measure(|| {
        tape.document(body).walk(root, path.simple_steps().unwrap()).unwrap().unwrap();
    });
    assert_eq!(allocations.count_total, 0);
}

/// JSON text of any value, with blanks here and there.
fn json() -> impl Strategy<Value = String> {
    let blank = prop::sample::select(vec!["", "", "", " ", "\n", "\t", "\r\n        "]);
    let scalar = prop_oneof![
        prop::sample::select(vec![
            "null", "true", "false", "0", "-0", "1e5", "-1.5E-7", "{}", "[]"
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON has no such number", |number| number.is_finite())
            .prop_map(|number| format!("{number:?}")),
        "[0-9]{1,30}".prop_map(|digits| format!("1{digits}")),
        string(),
    ];
    let padded = (blank.clone(), scalar, blank).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
    padded.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8)
                .prop_map(|elements| format!("[{}]", elements.join(","))),
            prop::collection::vec((key(), inner), 0..8).prop_map(|members| {
                let members: Vec<_> =
                    members.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// A string literal: any characters, some of them escaped that need not be.
fn string() -> impl Strategy<Value = String> {
    prop::collection::vec((any::<char>(), any::<u8>()), 0..24).prop_map(|chars| {
        let mut out = String::from("\"");
        for (char, form) in chars {
            // DEL goes another way in strings with escapes, which the oracle's tables have.
            let char = if char == '\u{7f}' { 'x' } else { char };
            if form < 20 || char < ' ' || matches!(char, '"' | '\\') {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                out.push(if form < 200 { (b'a' + form % 26) as char } else { char });
            }
        }
        out + "\""
    })
}

/// Few different keys, so that some repeat.
fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec![r#""a""#, r#""b""#, r#""\u0061""#, r#""longer key""#, r#""""#])
        .prop_map(str::to_owned)
}

/// Text that is nearly JSON, or a path.
fn noise() -> impl Strategy<Value = String> {
    let pieces = vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "'",
        "\\",
        "\\u",
        "\\ud83d",
        "\\ude00",
        "\\x4",
        "1",
        "-",
        ".",
        "e",
        "E+",
        "0",
        "12345678901234567890",
        "null",
        "true",
        "NaN",
        "a",
        "é",
        "😀",
        "\u{2003}",
        "\u{1}",
        "\u{1a}",
        "\u{7f}",
        "~",
        " ",
        "\n",
        "$",
        "@",
        "..",
        "*",
        "?(",
        ")",
        "&&",
        "||",
        "==",
        "=~",
        "/",
        "<",
        ">=",
        "!",
        "length",
        "(@.length-1)",
        "[?(@.a==1)]",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

/// JSON whose numbers are doubles: a long double reads back as a `BigDecimal` and prints another way.
fn by_value(text: &str) -> serde_json::Value {
    fn double(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Number(number) => {
                *value = number.as_f64().map_or(serde_json::Value::Null, Into::into);
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(double),
            serde_json::Value::Object(members) => members.values_mut().for_each(double),
            _ => {}
        }
    }
    let mut value = serde_json::from_str(text).unwrap();
    double(&mut value);
    value
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_parsers_agree_on_json(text in json()) {
        let mut strict = Tape::new();
        prop_assert!(parse::strict::<false>(&mut strict, &text).is_ok(), "refused: {text}");
        let mut lenient = Tape::new();
        permissive::parse(&mut lenient, &text).unwrap();
        let (mut left, mut right) = (String::new(), String::new());
        dump(&strict.document(&text), NodeId::ROOT, &mut left);
        dump(&lenient.document(&text), NodeId::ROOT, &mut right);
        prop_assert_eq!(left, right);
    }

    #[test]
    fn what_is_written_reads_back_the_same(text in json()) {
        let (_, json, string) = answer(&text, None).unwrap();
        let want = by_value(&json);
        for written in [json, string] {
            let (_, again, _) = answer(&written, None).unwrap();
            prop_assert_eq!(&by_value(&again), &want);
        }
    }

    #[test]
    fn no_text_panics(text in noise(), any in any::<String>()) {
        let _ = answer(&text, None);
        let _ = answer(&any, None);
    }

    #[test]
    fn no_path_panics(path in noise(), any in any::<String>(), body in json()) {
        let _ = answer(&body, Some(&path));
        let _ = answer(&body, Some(&format!("${path}")));
        let _ = answer(&body, Some(&any));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plain_number_is_what_java_prints(
        text in "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,10})?",
    ) {
        let mut tape = Tape::new();
        let root = tape.parse(&text).unwrap();
        let document = tape.document(&text);
        if let Some(plain) = document.plain_number(root) {
            let mut printed = String::new();
            document.number(root).unwrap().write_java(&mut printed);
            prop_assert_eq!(plain, printed);
        }
    }
}

#[test]
fn plain_numbers_are_told_from_others() {
    for (text, plain) in [
        ("0", true),
        ("7", true),
        ("-12", true),
        ("119.98", true),
        ("0.5", true),
        ("1.0", true),
        ("0.001", true),
        ("-0", false),
        ("007", false),
        ("1.50", false),
        ("0.0", false),
        ("0.0001", false),
        ("12345678.5", false),
        ("1e3", false),
        ("1234567890", false),
        ("1.", false),
        (".5", false),
    ] {
        let mut tape = Tape::new();
        let root = tape.parse(text).unwrap();
        assert_eq!(tape.document(text).plain_number(root).is_some(), plain, "{text}");
    }
}

#[test]
fn strict_json_is_rfc_8259_without_repeated_keys() {
    use JsonErrorKind::*;

    let deep = |depth: u32| "[".repeat(depth as usize) + &"]".repeat(depth as usize);
    for (text, want) in [
        (r#"{"a":[1,-0.5e+3,true,false,null,"x\u00e9\n"]}"#, Ok(())),
        (" 1 ", Ok(())),
        ("\"a\\t\u{7f}\"", Ok(())), // which json-smart would drop
        (&deep(DEPTH_MAX), Ok(())),
        (&deep(DEPTH_MAX + 1), Err((DEPTH_MAX as usize, TooDeep))),
        ("", Err((0, UnexpectedEnd))),
        ("{} x", Err((3, UnexpectedCharacter))),
        ("[1,]", Err((3, UnexpectedCharacter))),
        ("{'a':1}", Err((1, UnexpectedCharacter))),
        ("NaN", Err((0, UnexpectedCharacter))),
        ("[1", Err((2, UnexpectedEnd))),
        ("\"a\nb\"", Err((2, UnexpectedCharacter))),
        ("\u{feff}1", Err((0, UnexpectedCharacter))),
        (r#"{"a":1,"b":{"x":1,"\u0078":2}}"#, Err((28, RepeatedKey))),
        (r#"{"a":1,"A":2,"b":{"a":3}}"#, Ok(())),
        ("01", Err((1, UnexpectedCharacter))),
        ("1e999999999", Ok(())),
        ("[1e9999999999]", Err((1, InvalidNumber))),
        ("1.00000000000000000000000000000001", Ok(())),
    ] {
        let mut tape = Tape::new();
        let got = tape.parse_strict(text);
        assert_eq!(got.map(|_| ()).map_err(|error| (error.at, error.kind)), want, "{text}");
        if got.is_err() {
            assert_eq!(tape.nodes.len(), 0);
        }
    }
    let mut tape = Tape::new();
    let text = "\"a\\t\u{7f}\"";
    let root = tape.parse_strict(text).unwrap();
    assert_eq!(tape.document(text).value(root), Value::String("a\t\u{7f}"));
}

#[test]
fn a_value_is_decoded_with_its_characters_and_members_with_their_hashes() {
    let text =
        r#"{"null":null,"t":true,"f":false,"i":-12,"d":1.50,"s":"a\n","l":[1,2],"o":{"x":1}}"#;
    let mut tape = Tape::new();
    let root = tape.parse_strict(text).unwrap();
    let document = tape.document(text);
    let mut members = document.hashed_members(root);
    for (name, want) in [
        ("null", Value::Null),
        ("t", Value::Bool(true)),
        ("f", Value::Bool(false)),
        ("i", Value::Whole("-12")),
        ("d", Value::Decimal("1.50")),
        ("s", Value::String("a\n")),
        ("l", Value::Array(2)),
        ("o", Value::Object(1)),
    ] {
        let (hash, found, value) = members.next_member().unwrap();
        assert_eq!((found, hash), (name.as_bytes(), Key::new(name).hash()));
        assert_eq!(document.value(value), want);
    }
    assert!(members.next_member().is_none());
}
