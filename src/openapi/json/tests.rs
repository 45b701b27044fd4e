use proptest::prelude::*;

use super::super::document::tests::{any_json, places, shown};
use super::parse;

fn refused(text: &str) -> (u32, u32, String, String) {
    let refusal = parse(text).expect_err(text);
    (refusal.position.line, refusal.position.column, refusal.message, refusal.help)
}

#[test]
fn json_is_read_as_it_is_written() {
    for (text, want) in [
        (" null ", "null"),
        ("true", "true"),
        ("\tfalse\r\n", "false"),
        ("\"\"", "\"\""),
        ("[]", "[]"),
        ("{ }", "{}"),
        ("[ ]", "[]"),
        (r#"{"a":{"b":[1,[2]],"c":"d"},"":""}"#, r#"{"a":{"b":[1,[2]],"c":"d"},"":""}"#),
        // No digit of a number is lost.
        ("0", "0"),
        ("-0", "-0"),
        ("1.0", "1.0"),
        ("10.50e+007", "10.50e+007"),
        ("-1E-9", "-1E-9"),
        ("123456789012345678901234567890.123", "123456789012345678901234567890.123"),
        // Escapes.
        (r#""\"\\\/\b\f\n\r\t""#, r#""\"\\/\b\f\n\r\t""#),
        (r#""\u0041\u00e9\u00E9\uFFFF""#, "\"Aéé\u{FFFF}\""),
        (r#""\ud83d\ude00\uDBFF\uDFFF""#, "\"\u{1F600}\u{10FFFF}\""),
        (r#""\u0000\u001f\u007f""#, "\"\\u0000\\u001f\u{7F}\""),
        // Whatever is no control character may stand as it is.
        ("\"\u{7F}\u{80}\u{2028}\u{FEFF}é\"", "\"\u{7F}\u{80}\u{2028}\u{FEFF}é\""),
    ] {
        let node = parse(text).unwrap_or_else(|refusal| panic!("{text:?}: {refusal:?}"));
        assert_eq!(shown(&node), want, "{text:?}");
    }
}

#[test]
fn what_is_no_json_is_refused_where_it_ceases_to_be_json() {
    for (text, line, column, want) in [
        ("", 1, 1, "expected a value, found the end of the document"),
        (" \n ", 2, 2, "expected a value, found the end of the document"),
        ("{", 1, 2, "expected a key in double quotes or `}`, found the end of the document"),
        ("{a: 1}", 1, 2, "expected a key in double quotes or `}`, found `a`"),
        ("{'a': 1}", 1, 2, "expected a key in double quotes or `}`, found `'`"),
        ("{\"a\"}", 1, 5, "expected `:` after the key, found `}`"),
        ("{\"a\" 1}", 1, 6, "expected `:` after the key, found `1`"),
        ("{\"a\":}", 1, 6, "expected a value, found `}`"),
        ("{\"a\":1,}", 1, 8, "expected a key in double quotes, found `}`"),
        ("{\"a\":1 \"b\":2}", 1, 8, "expected `,` or `}`, found `\"`"),
        ("{\"a\":1", 1, 7, "expected `,` or `}`, found the end of the document"),
        ("[", 1, 2, "expected a value, found the end of the document"),
        ("[1,]", 1, 4, "expected a value, found `]`"),
        ("[1 2]", 1, 4, "expected `,` or `]`, found `2`"),
        ("[1}", 1, 3, "expected `,` or `]`, found `}`"),
        ("{} {}", 1, 4, "expected the end of the document, found `{`"),
        ("[]\n\n ]", 3, 2, "expected the end of the document, found `]`"),
        ("tru", 1, 1, "expected a value, found `tru`"),
        ("True", 1, 1, "expected a value, found `True`"),
        ("[nulls]", 1, 2, "expected a value, found `nulls`"),
        ("[NaN]", 1, 2, "expected a value, found `NaN`"),
        ("é", 1, 1, "expected a value, found `é`"),
        // What cannot be seen is named by its code.
        ("[\u{A0}1]", 1, 2, "expected a value, found U+00A0"),
        ("[\u{FEFF}1]", 1, 2, "expected a value, found U+FEFF"),
        ("[\u{200B}1]", 1, 2, "expected a value, found U+200B"),
        ("[1\u{0B}]", 1, 3, "expected `,` or `]`, found U+000B"),
        ("[1\0]", 1, 3, "expected `,` or `]`, found U+0000"),
        // Numbers.
        ("01", 1, 1, "a number does not begin with 0"),
        ("[-01]", 1, 2, "a number does not begin with 0"),
        ("-", 1, 2, "expected a digit, found the end of the document"),
        ("-a", 1, 2, "expected a digit, found `a`"),
        ("1.", 1, 3, "expected a digit, found the end of the document"),
        ("[1.e5]", 1, 4, "expected a digit, found `e`"),
        ("[1e]", 1, 4, "expected a digit, found `]`"),
        ("[1e+-1]", 1, 5, "expected a digit, found `-`"),
        ("+1", 1, 1, "expected a value, found `+`"),
        (".5", 1, 1, "expected a value, found `.`"),
        ("0x1F", 1, 2, "expected the end of the document, found `x`"),
        // Texts.
        ("[\"a", 1, 2, "the text has no end"),
        ("[\"a\\", 1, 5, "expected an escape after `\\`, found the end of the document"),
        ("[\n \"é\nb\"]", 2, 2, "the text does not end on its line"),
        ("[\"é\tb\"]", 1, 4, "a control character cannot stand in a text: U+0009"),
        ("[\"\u{1F}\"]", 1, 3, "a control character cannot stand in a text: U+001F"),
        ("\"é\\x41\"", 1, 4, "expected an escape after `\\`, found `x`"),
        ("\"\\é\"", 1, 3, "expected an escape after `\\`, found `é`"),
        ("\"\\u12\"", 1, 6, "expected four hex digits after \\u, found `\"`"),
        ("\"\\u12é4\"", 1, 6, "expected four hex digits after \\u, found `é`"),
        ("\"\\u+123\"", 1, 4, "expected four hex digits after \\u, found `+`"),
        ("\"a\\ud83d\"", 1, 3, "\\ud83d is half of a surrogate pair"),
        ("\"a\\ud83d\\n\"", 1, 3, "\\ud83d is half of a surrogate pair"),
        ("\"a\\ud83d\\u0041\"", 1, 3, "\\ud83d is half of a surrogate pair"),
        ("\"a\\ud83d\\ud83d\"", 1, 3, "\\ud83d is half of a surrogate pair"),
        ("\"a\\ude00\\ud83d\"", 1, 3, "\\ude00 is half of a surrogate pair"),
        // Comments.
        ("// no\n{}", 1, 1, "JSON has no comments"),
        ("{\"a\": /* no */ 1}", 1, 7, "JSON has no comments"),
        ("{\"a\": 1 // no\n}", 1, 9, "JSON has no comments"),
        ("[/]", 1, 2, "expected a value, found `/`"),
        // Keys.
        (
            "{\"a\": 1,\r\n \"\\u0061\": 2}",
            2,
            2,
            "the key `a` stands twice in this object, first at 1:2",
        ),
    ] {
        let (line_got, column_got, message, help) = refused(text);
        assert_eq!((line_got, column_got, &*message), (line, column, want), "{text:?}");
        assert!(!help.is_empty(), "{text:?}");
    }
}

#[test]
fn a_key_that_stands_twice_is_found_in_small_and_large_objects() {
    for count in [2, 8, 9, 1000] {
        let mut text = "{".to_owned();
        for index in 0..count - 1 {
            text += &format!("\"k{index}\": 1,\n");
        }
        assert!(parse(&format!("{text}\"k\": 1}}")).is_ok());
        let (line, column, message, _) = refused(&format!("{text}\"k0\": 1}}"));
        assert_eq!((line, column), (count, 1));
        assert_eq!(message, "the key `k0` stands twice in this object, first at 1:2");
    }
    // The same key in another object is another key.
    assert!(parse(r#"{"a": {"a": [{"a": 1}, {"a": 1}]}}"#).is_ok());
}

#[test]
fn nodes_stand_where_they_begin() {
    let text = "\n {\"é\u{1F600}\": [1, \"x\"],\r\n\t\"b\" :\n {\"c\": {}}, \"d\": true\r}";
    let mut got = Vec::new();
    places(&parse(text).unwrap(), &mut got);
    let want = [
        (2, 2), // {
        (2, 3), // é
        (2, 9), // [
        (2, 10),
        (2, 13),
        (3, 2), // b
        (4, 2),
        (4, 3), // c
        (4, 8),
        (4, 13), // d
        (4, 18),
    ];
    assert_eq!(got, want);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_serde_json_writes_is_read_back(value in any_json()) {
        let plain = value.to_string();
        for text in [&plain, &serde_json::to_string_pretty(&value).unwrap()] {
            let node = parse(text).map_err(|it| TestCaseError::fail(format!("{text}: {it:?}")))?;
            prop_assert_eq!(&shown(&node), &plain);
        }
    }

    #[test]
    fn what_is_read_serde_json_reads_too(
        words in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"b\":", "\\n", "\\u0041", "\\ud83d\\ude00", "\\ud83d",
            "1", "-", ".", "e", "+", "0", "true", "null", " ", "\n", "\r", "\t", "\u{1}", "é", "\u{A0}", "/",
        ]), 0..12),
    ) {
        let text = words.concat();
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        match parse(&text) {
            Ok(node) => prop_assert_eq!(
                serde_json::from_str::<serde_json::Value>(&shown(&node)).ok(), theirs.ok(), "{}", text
            ),
            // They take the last of two members with one key.
            Err(refusal) if !refusal.of_syntax => {}
            Err(refusal) => prop_assert!(theirs.is_err(), "{}: {:?}", text, refusal),
        }
    }
}
