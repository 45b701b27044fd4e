//! Bodies and schemas that mean harm, and what an ordinary body costs in memory.

use super::*;
use crate::schema::limits;

#[test]
fn nesting_is_bounded_by_json_and_fits_the_stack() {
    // Three rule sets on every level of the body, as deep as both go.
    let schema = compile(
        r##"{"allOf":[{"anyOf":[{"properties":{"a":{"$ref":"#"}},"items":{"$ref":"#"}}]}]}"##,
    );
    let body = |depth: usize| r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth);
    assert_eq!(judge(&schema, &body(100)).0, Verdict::Valid);
    assert_eq!(judge(&schema, &body(399)).0, Verdict::Exhausted);
    assert!(judge(&schema, &body(399)).1.contains("too many steps"));
    let simple = compile(r##"{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}"##);
    assert_eq!(judge(&simple, &body(400)).0, Verdict::Valid);
    let wrong = body(399).replace('1', r#"{"b":1}"#);
    assert_eq!(
        judge(&simple, &wrong).1,
        r#"[object instance has properties which are not allowed by the schema: ["b"]]"#
    );
}

#[test]
fn explosions_end_in_exhaustion() {
    // Every level is judged twice for each judgement of the level above.
    let schema = compile(
        r##"{"oneOf":[{"properties":{"a":{"$ref":"#"}},"required":["x"]},
            {"properties":{"a":{"$ref":"#"}},"maxProperties":1}]}"##,
    );
    let body = r#"{"a":"#.repeat(60) + "1" + &"}".repeat(60);
    assert_eq!(judge(&schema, &body).0, Verdict::Exhausted);

    // A step back for every pair of characters.
    let schema = compile(r#"{"items":{"pattern":"^((a+)\\2*)+c$"}}"#);
    let body = format!("[{}]", vec![format!("\"{}b\"", "a".repeat(40)); 100].join(","));
    assert_eq!(judge(&schema, &body).0, Verdict::Exhausted);
    assert_eq!(
        judge(&compile(r#"{"not":{"items":{"pattern":"^((a+)\\2*)+c$"}}}"#), &body).0,
        Verdict::Exhausted
    );
}

#[test]
fn large_bodies_of_an_honest_kind_have_fuel_enough() {
    let unique =
        compile(r#"{"uniqueItems":true,"items":{"type":"integer","minimum":0,"multipleOf":1}}"#);
    let numbers: Vec<String> = (0..100_000).map(|number: u32| number.to_string()).collect();
    assert_eq!(judge(&unique, &format!("[{}]", numbers.join(","))).0, Verdict::Valid);
    let ones = "[1,".to_owned() + &"1,".repeat(100_000) + "1]";
    assert_eq!(
        judge(
            &compile(r#"{"items":{"allOf":[{"type":"integer"},{"minimum":0},{"maximum":1}]}}"#),
            &ones
        )
        .0,
        Verdict::Valid
    );
    let objects: Vec<String> =
        (0..5_000).map(|n| format!(r#"{{"id":{n},"tags":["a","b"]}}"#)).collect();
    let schema = compile(
        r#"{"uniqueItems":true,"items":{"required":["id"],"properties":{"tags":{"uniqueItems":true,"items":{"enum":["a","b"]}}}}}"#,
    );
    assert_eq!(judge(&schema, &format!("[{}]", objects.join(","))).0, Verdict::Valid);
    // Passwords, one after the other.
    let passwords = format!("[{}]", vec![r#""Passw0rd!""#; 2_000].join(","));
    let schema = compile(r#"{"items":{"pattern":"^(?=.*[A-Z])(?=.*\\d).{8,}$"}}"#);
    assert_eq!(judge(&schema, &passwords).0, Verdict::Valid);
    let schema = compile(r#"{"items":{"pattern":"(?=.*[A-Z])(?=.*\\d).{8,}"}}"#);
    assert_eq!(judge(&schema, &passwords).0, Verdict::Valid);
}

#[test]
fn huge_numbers_cost_their_length() {
    let digits = "9".repeat(200_000);
    for schema in [
        r#"{"multipleOf":7}"#,
        r#"{"multipleOf":123456789012345678901234567890}"#,
        r#"{"minimum":1e999999999}"#,
    ] {
        assert_eq!(judge(&compile(schema), &digits).0, Verdict::Invalid, "{schema}");
    }
    assert_eq!(judge(&compile(r#"{"enum":[1]}"#), "1e999999999").0, Verdict::Invalid);
    assert_eq!(
        judge(&compile(r#"{"uniqueItems":true}"#), "[1e999999999,10e999999998]").0,
        Verdict::Invalid
    );
}

#[test]
fn messages_are_bounded() {
    let schema = compile(r#"{"items":{"type":"null"},"additionalProperties":false,"maxLength":1}"#);
    let many = format!("[{}1]", "1,".repeat(50_000));
    let names: Vec<String> = (0..20_000).map(|n| format!("\"n{n}\":1")).collect();
    let long = format!("\"{}\"", "é".repeat(500_000));
    for body in [many, format!("{{{}}}", names.join(",")), long] {
        let (verdict, messages) = judge(&schema, &body);
        assert_eq!(verdict, Verdict::Invalid);
        assert!(messages.len() <= 2 * limits::MESSAGES_BYTES_MAX, "{}", messages.len());
    }
}

#[test]
fn large_schemas_are_refused() {
    let names = |count: usize| -> String {
        let list: Vec<String> = (0..count).map(|n| format!("\"n{n}\":{{}}")).collect();
        format!(r#"{{"properties":{{{}}}}}"#, list.join(","))
    };
    let error = Schema::compile(&names(limits::NAMES_MAX + 1), &|_| None).unwrap_err();
    assert!(error.to_string().starts_with("#/properties: there are 20001 names"), "{error}");
    let large = format!(r#"{{"title":"{}"}}"#, "x".repeat(limits::TEXT_BYTES_MAX));
    assert!(Schema::compile(&large, &|_| None).is_err());
    let schema = compile(&names(2_000));
    assert_eq!(judge(&schema, r#"{"n1999":1,"other":2}"#).0, Verdict::Valid);
}

#[test]
fn an_ordinary_body_allocates_nothing() {
    let schema = compile(
        r#"{"type":"object","required":["id","tags"],"additionalProperties":false,
        "properties":{"id":{"type":"string","pattern":"^[a-z]{2}-\\d+$"},"when":{"format":"date-time"},
        "price":{"multipleOf":0.01,"minimum":0},"tags":{"uniqueItems":true,"items":{"enum":["a","b","c"]}},
        "kind":{"oneOf":[{"type":"null"},{"type":"string"}]}}}"#,
    );
    let body = br#"{"id":"ab-12","when":"2024-01-01T00:00:00Z","price":19.99,"tags":["a","b"],"kind":"x"}"#;
    let (mut tape, mut checker) = (Tape::new(), Checker::new());
    assert!(check_body(&schema, body, &mut tape, &mut checker, None).is_valid());
    let info = allocation_counter::measure(|| {
        assert!(check_body(&schema, body, &mut tape, &mut checker, None).is_valid());
    });
    assert_eq!(info.count_total, 0);
}
