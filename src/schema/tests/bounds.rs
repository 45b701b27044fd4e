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

/// A body of about so many bytes: an array of an element.
fn array_of(element: &str, bytes: usize) -> String {
    format!("[{}]", vec![element; bytes / (element.len() + 1)].join(","))
}

/// Steps, not time: a body that means harm has about a tenth of what 8 steps a byte would give.
#[test]
fn a_large_body_holds_a_shard_for_no_more_steps_than_its_fuel() {
    const MIB: usize = 1 << 20;
    for (bytes, most) in [(0, 100_000), (1_000, 108_000), (MIB, 3_000_000), (10 * MIB, 12_500_000)]
    {
        assert!(limits::fuel(bytes) <= most, "{bytes}");
    }
    // However the schema makes the most of every element, it ends, and explaining it is no second one.
    let every = r#"{"items":{"anyOf":[{"type":"string"},{"enum":[1]},{"multipleOf":3}]}}"#;
    for (schema, element) in [
        (every, "3"),
        (r#"{"uniqueItems":true}"#, "0"),
        (r#"{"items":{"enum":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}}"#, "16"),
        (r#"{"items":{"pattern":"^(a+)\\1b$"}}"#, r#""aab""#),
    ] {
        let (schema, body) = (compile(schema), array_of(element, 2 * MIB));
        assert_eq!(judge(&schema, &body).0, Verdict::Exhausted, "{element}");
        let few = array_of(element, 10_000);
        assert_ne!(judge(&schema, &few).0, Verdict::Exhausted, "{element}");
    }
}

#[test]
fn bodies_of_ten_megabytes_that_mean_no_harm_have_fuel_enough() {
    let order = r#"{"id":"0f8fad5b-d9cb-469f-a165-70867728950e","when":"2024-01-01T00:00:00Z","qty":3,
        "price":19.99,"state":"open","tags":["new","gift"],"to":{"name":"Ann","zip":"12345"}}"#;
    let schema = compile(
        r##"{"type":"array","minItems":1,"items":{"$ref":"#/definitions/order"},"definitions":{
        "order":{"type":"object","required":["id","qty","price"],"additionalProperties":false,
        "properties":{"id":{"type":"string","pattern":"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
        "when":{"type":"string","format":"date-time"},"qty":{"type":"integer","minimum":1,"maximum":99},
        "price":{"type":"number","multipleOf":0.01,"minimum":0},"state":{"enum":["open","closed"]},
        "tags":{"uniqueItems":true,"maxItems":5,"items":{"type":"string","minLength":1}},
        "to":{"oneOf":[{"type":"null"},{"type":"object","required":["name"],
            "properties":{"zip":{"pattern":"^\\d{5}$"}}}]}}}}}"##,
    );
    let size = crate::limits::Limits::default().payload_max() as usize;
    assert_eq!(judge(&schema, &array_of(order, size)).0, Verdict::Valid);
    // One long text, and many numbers.
    let text = format!("\"{}\"", "x".repeat(size));
    assert_eq!(
        judge(&compile(r#"{"pattern":"^x*$","maxLength":99999999}"#), &text).0,
        Verdict::Valid
    );
    let series = compile(r#"{"items":{"type":"number","minimum":0,"maximum":1000}}"#);
    assert_eq!(judge(&series, &array_of("12.5", size)).0, Verdict::Valid);
    let numbers: Vec<String> = (0..800_000).map(|n| (n + 10_000_000).to_string()).collect();
    let body = format!("[{}]", numbers.join(","));
    assert_eq!(judge(&compile(r#"{"uniqueItems":true}"#), &body).0, Verdict::Valid);
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
