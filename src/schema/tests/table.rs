//! Every keyword, a value that it accepts and one that it does not, and what is said then.

use super::*;

/// `schema`, `body`, and the messages; none if it is valid.
fn check(cases: &[(&str, &str, &str)]) {
    for &(schema, body, want) in cases {
        let (verdict, messages) = judge(&compile(schema), body);
        let want_verdict = if want.is_empty() { Verdict::Valid } else { Verdict::Invalid };
        assert_eq!((verdict, &messages[..]), (want_verdict, want), "{schema}\n{body}");
    }
}

#[test]
fn types() {
    let all = ["[]", "true", "7", "null", "1.5", "{}", r#""s""#];
    let names = ["array", "boolean", "integer", "null", "number", "object", "string"];
    for name in names {
        let schema = compile(&format!(r#"{{"type":"{name}"}}"#));
        for (body, found) in all.iter().zip(names) {
            let valid = name == found || (name, found) == ("number", "integer");
            let allowed =
                if name == "number" { r#"["integer","number"]"# } else { &format!("[\"{name}\"]") };
            let message = format!(
                "[instance type ({found}) does not match any allowed primitive type (allowed: {allowed})]"
            );
            assert_eq!(judge(&schema, body).1, if valid { "" } else { &message }, "{name} {body}");
        }
    }
    check(&[
        ("{}", "null", ""),
        (
            r#"{"type":"integer"}"#,
            "1.0",
            r#"[instance type (number) does not match any allowed primitive type (allowed: ["integer"])]"#,
        ),
        (
            r#"{"type":"integer"}"#,
            "1e2",
            r#"[instance type (number) does not match any allowed primitive type (allowed: ["integer"])]"#,
        ),
        (r#"{"type":"integer"}"#, "123456789012345678901234567890", ""),
        (r#"{"type":["string","null"]}"#, "null", ""),
        (
            r#"{"type":["string","null"]}"#,
            "0",
            r#"[instance type (integer) does not match any allowed primitive type (allowed: ["null","string"])]"#,
        ),
        (
            r#"{"type":["string"],"minLength":5}"#,
            "0",
            r#"[instance type (integer) does not match any allowed primitive type (allowed: ["string"])]"#,
        ),
    ]);
}

#[test]
fn values() {
    check(&[
        (r#"{"enum":["a","b"]}"#, r#""b""#, ""),
        (
            r#"{"enum":["a","b"]}"#,
            r#""x""#,
            r#"[instance value ("x") not found in enum (possible values: ["a","b"])]"#,
        ),
        (
            r#"{"enum":["a\"é"]}"#,
            r#""\"""#,
            r#"[instance value ("\"") not found in enum (possible values: ["a\"é"])]"#,
        ),
        (r#"{"enum":[1,2.50,null,true,[1,{"a":"b"}]]}"#, "1.0", ""),
        (r#"{"enum":[1,2.50,null,true,[1,{"a":"b"}]]}"#, "25e-1", ""),
        (r#"{"enum":[1,2.50,null,true,[1,{"a":"b"}]]}"#, "null", ""),
        (r#"{"enum":[1,2.50,null,true,[1,{"a":"b"}]]}"#, r#"[1, {"a":"b"}]"#, ""),
        (
            r#"{"enum":[1,2.50,null,true,[1,{"a":"b"}]]}"#,
            "false",
            r#"[instance value (false) not found in enum (possible values: [1,2.50,null,true,[1,{"a":"b"}]])]"#,
        ),
        (
            r#"{"enum":[1]}"#,
            r#""1""#,
            r#"[instance value ("1") not found in enum (possible values: [1])]"#,
        ),
        (r#"{"enum":[{"a":1,"b":[2]}]}"#, r#"{"b":[2.0],"a":1}"#, ""),
        (
            r#"{"enum":[{"a":1,"b":[2]}]}"#,
            r#"{"a":1,"c":[2]}"#,
            r#"[instance value ({"a":1,"c":[2]}) not found in enum (possible values: [{"a":1,"b":[2]}])]"#,
        ),
        (
            r#"{"enum":[12345678901234567890]}"#,
            "12345678901234567891",
            "[instance value (12345678901234567891) not found in enum (possible values: [12345678901234567890])]",
        ),
    ]);
}

#[test]
fn numbers() {
    check(&[
        (r#"{"minimum":0}"#, "0", ""),
        (
            r#"{"minimum":0}"#,
            "-1",
            "[numeric instance is lower than the required minimum (minimum: 0, found: -1)]",
        ),
        (
            r#"{"minimum":0.5}"#,
            "0.49",
            "[numeric instance is lower than the required minimum (minimum: 0.5, found: 0.49)]",
        ),
        (r#"{"minimum":0}"#, r#""-1""#, ""), // says nothing about strings
        (
            r#"{"minimum":0,"exclusiveMinimum":true}"#,
            "0.0",
            "[numeric instance is not strictly greater than the required minimum 0]",
        ),
        (
            r#"{"minimum":0,"exclusiveMinimum":true}"#,
            "-1",
            "[numeric instance is lower than the required minimum (minimum: 0, found: -1)]",
        ),
        (r#"{"minimum":0,"exclusiveMinimum":true}"#, "0.0000001", ""),
        (r#"{"minimum":0,"exclusiveMinimum":false}"#, "0", ""),
        (r#"{"maximum":9}"#, "9", ""),
        (
            r#"{"maximum":9}"#,
            "10",
            "[numeric instance is greater than the required maximum (maximum: 9, found: 10)]",
        ),
        (
            r#"{"maximum":9,"exclusiveMaximum":true}"#,
            "9",
            "[numeric instance is not strictly lower than the required maximum 9]",
        ),
        (r#"{"maximum":9,"exclusiveMaximum":true}"#, "8.9", ""),
        (
            r#"{"maximum":9007199254740992}"#,
            "9007199254740993",
            "[numeric instance is greater than the required maximum (maximum: 9007199254740992, found: 9007199254740993)]",
        ),
        (
            r#"{"maximum":1e300}"#,
            "1e301",
            "[numeric instance is greater than the required maximum (maximum: 1e300, found: 1e301)]",
        ),
        (r#"{"multipleOf":2}"#, "8", ""),
        (r#"{"multipleOf":2}"#, "7", "[remainder of division is not zero (7 / 2)]"),
        (r#"{"multipleOf":0.01}"#, "19.99", ""),
        (r#"{"multipleOf":0.01}"#, "19.999", "[remainder of division is not zero (19.999 / 0.01)]"),
        (
            r#"{"maximum":5,"minimum":9,"multipleOf":4}"#,
            "7",
            "[numeric instance is greater than the required maximum (maximum: 5, found: 7), numeric instance is lower than the required minimum (minimum: 9, found: 7), remainder of division is not zero (7 / 4)]",
        ),
    ]);
}

#[test]
fn strings() {
    check(&[
        (r#"{"minLength":2}"#, r#""ab""#, ""),
        (
            r#"{"minLength":2}"#,
            r#""x""#,
            r#"[string "x" is too short (length: 1, required minimum: 2)]"#,
        ),
        (
            r#"{"minLength":2}"#,
            r#""💩""#,
            r#"[string "💩" is too short (length: 1, required minimum: 2)]"#,
        ), // code points
        (r#"{"minLength":2}"#, r#""\ud83d\udca9é""#, ""),
        (r#"{"minLength":2}"#, "1", ""),
        (r#"{"maxLength":2}"#, r#""💩💩""#, ""),
        (
            r#"{"maxLength":2}"#,
            r#""xyz""#,
            r#"[string "xyz" is too long (length: 3, maximum allowed: 2)]"#,
        ),
        (r#"{"maxLength":0}"#, r#""""#, ""),
        (r#"{"pattern":"^a"}"#, r#""ab""#, ""),
        (
            r#"{"pattern":"^a"}"#,
            r#""b""#,
            r#"[ECMA 262 regex "^a" does not match input string "b"]"#,
        ),
        (r#"{"pattern":"b"}"#, r#""abc""#, ""),
        (
            r#"{"pattern":"^(?!admin).*$"}"#,
            r#""admin1""#,
            r#"[ECMA 262 regex "^(?!admin).*$" does not match input string "admin1"]"#,
        ),
        (r#"{"format":"date-time"}"#, r#""2024-01-01T00:00:00Z""#, ""),
        (
            r#"{"format":"date-time"}"#,
            r#""2024-01-01""#,
            r#"[string "2024-01-01" is invalid against requested date format(s) [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,12}Z]]"#,
        ),
        (r#"{"format":"email"}"#, r#""a@b.c""#, ""),
        (r#"{"format":"email"}"#, r#""x""#, r#"[string "x" is not a valid email address]"#),
        (r#"{"format":"ipv4"}"#, r#""1.2.3.4""#, ""),
        (r#"{"format":"ipv4"}"#, r#""1.2.3""#, r#"[string "1.2.3" is not a valid IPv4 address]"#),
        (r#"{"format":"ipv6"}"#, r#""::1""#, ""),
        (r#"{"format":"ipv6"}"#, r#""x""#, r#"[string "x" is not a valid IPv6 address]"#),
        (r#"{"format":"hostname"}"#, r#""example.com""#, ""),
        (r#"{"format":"hostname"}"#, r#""-x""#, r#"[string "-x" is not a valid hostname]"#),
        (r#"{"format":"uri"}"#, r#""http://a/b""#, ""),
        (r#"{"format":"uri"}"#, r#""a b""#, r#"[string "a b" is not a valid URI]"#),
        (r#"{"format":"unheard-of"}"#, r#""anything""#, ""),
        (r#"{"format":"email"}"#, "5", ""),
        // Keywords by name, and `format` at the end.
        (
            r#"{"format":"email","pattern":"^a","maxLength":1,"minLength":5,"enum":["q"],"not":{}}"#,
            r#""xyz""#,
            r#"[instance value ("xyz") not found in enum (possible values: ["q"]), string "xyz" is too long (length: 3, maximum allowed: 1), string "xyz" is too short (length: 3, required minimum: 5), instance matched a schema which it should not have, ECMA 262 regex "^a" does not match input string "xyz", string "xyz" is not a valid email address]"#,
        ),
    ]);
}

#[test]
fn arrays() {
    check(&[
        (r#"{"items":{"type":"integer"}}"#, "[1,2]", ""),
        (r#"{"items":{"type":"integer"}}"#, "[]", ""),
        (
            r#"{"items":{"type":"integer"}}"#,
            r#"[1,"a",2,null]"#,
            r#"[instance type (string) does not match any allowed primitive type (allowed: ["integer"]), instance type (null) does not match any allowed primitive type (allowed: ["integer"])]"#,
        ),
        (r#"{"items":[{"type":"integer"},{"type":"string"}]}"#, r#"[1,"a",null]"#, ""),
        (r#"{"items":[{"type":"integer"},{"type":"string"}]}"#, "[1]", ""),
        (
            r#"{"items":[{"type":"integer"},{"type":"string"}]}"#,
            "[1,2]",
            r#"[instance type (integer) does not match any allowed primitive type (allowed: ["string"])]"#,
        ),
        (r#"{"items":[{},{}],"additionalItems":false}"#, "[1,2]", ""),
        (
            r#"{"items":[{},{}],"additionalItems":false}"#,
            "[1,2,3]",
            "[schema only allows 2 elements in array but instance has 3 elements]",
        ),
        (r#"{"items":[{}],"additionalItems":{"type":"null"}}"#, "[1,null]", ""),
        (
            r#"{"items":[{}],"additionalItems":{"type":"null"}}"#,
            "[1,2]",
            r#"[instance type (integer) does not match any allowed primitive type (allowed: ["null"])]"#,
        ),
        (r#"{"additionalItems":false}"#, "[1]", ""), // nothing is additional without a list
        (r#"{"items":{},"additionalItems":false}"#, "[1]", ""),
        (r#"{"minItems":1}"#, "[0]", ""),
        (
            r#"{"minItems":1}"#,
            "[]",
            "[array is too short: must have at least 1 elements but instance has 0 elements]",
        ),
        (r#"{"maxItems":2}"#, "[1,2]", ""),
        (
            r#"{"maxItems":2}"#,
            "[1,2,3]",
            "[array is too long: must have at most 2 elements but instance has 3 elements]",
        ),
        (r#"{"uniqueItems":true}"#, r#"[1,"1",[1],{"a":1},true,null,2]"#, ""),
        (r#"{"uniqueItems":true}"#, "[1,2,1.0]", "[array must not contain duplicate elements]"),
        (
            r#"{"uniqueItems":true}"#,
            r#"[{"a":1,"b":2},{"b":2,"a":1e0}]"#,
            "[array must not contain duplicate elements]",
        ),
        (
            r#"{"uniqueItems":true}"#,
            r#"[0,1,2,3,4,5,6,{"a":[1],"b":null},7,{"b":null,"a":[1.0]}]"#,
            "[array must not contain duplicate elements]",
        ),
        (r#"{"uniqueItems":true}"#, r#"[0,1,2,3,4,5,6,"a","b","c",[0],{"a":0}]"#, ""),
        (r#"{"uniqueItems":false}"#, "[1,1]", ""),
        (
            r#"{"minItems":9,"uniqueItems":true,"maxItems":1}"#,
            "[1,1]",
            "[array is too long: must have at most 1 elements but instance has 2 elements, array is too short: must have at least 9 elements but instance has 2 elements, array must not contain duplicate elements]",
        ),
    ]);
}

#[test]
fn objects() {
    check(&[
        (r#"{"properties":{"a":{"type":"integer"}}}"#, r#"{"a":1,"b":"x"}"#, ""),
        (
            r#"{"properties":{"a":{"type":"integer"}}}"#,
            r#"{"\u0061":"x"}"#,
            r#"[instance type (string) does not match any allowed primitive type (allowed: ["integer"])]"#,
        ),
        (r#"{"properties":{"a":{"type":"integer"}}}"#, "[]", ""),
        (
            r#"{"required":["b","a","c"]}"#,
            r#"{"b":1}"#,
            r#"[object has missing required properties (["a","c"])]"#,
        ),
        (r#"{"required":["b","a","c"]}"#, r#"{"b":1,"a":null,"c":2}"#, ""),
        (r#"{"required":["a"]}"#, r#""a""#, ""),
        (r#"{"additionalProperties":false,"properties":{"a":{}}}"#, r#"{"a":1}"#, ""),
        (
            r#"{"additionalProperties":false,"properties":{"a":{}}}"#,
            r#"{"c":1,"a":1,"b":2}"#,
            r#"[object instance has properties which are not allowed by the schema: ["b","c"]]"#,
        ),
        (
            r#"{"additionalProperties":false,"required":["b"]}"#,
            r#"{"b":2}"#,
            r#"[object instance has properties which are not allowed by the schema: ["b"]]"#,
        ),
        (
            r#"{"additionalProperties":{"type":"null"},"properties":{"a":{}}}"#,
            r#"{"a":1,"b":null}"#,
            "",
        ),
        (
            r#"{"additionalProperties":{"type":"null"},"properties":{"a":{}}}"#,
            r#"{"a":1,"b":0}"#,
            r#"[instance type (integer) does not match any allowed primitive type (allowed: ["null"])]"#,
        ),
        (r#"{"additionalProperties":true}"#, r#"{"a":1}"#, ""),
        (
            r#"{"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false,"properties":{"xa":{"minimum":5}}}"#,
            r#"{"xa":5,"xb":1}"#,
            "",
        ),
        (
            r#"{"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false,"properties":{"xa":{"minimum":5}}}"#,
            r#"{"xa":1.5}"#,
            r#"[numeric instance is lower than the required minimum (minimum: 5, found: 1.5), instance type (number) does not match any allowed primitive type (allowed: ["integer"])]"#,
        ),
        (
            r#"{"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}"#,
            r#"{"ax":1}"#,
            r#"[object instance has properties which are not allowed by the schema: ["ax"]]"#,
        ),
        (
            r#"{"patternProperties":{"^x":{}},"required":["x1"]}"#,
            r#"{"x2":1}"#,
            r#"[object has missing required properties (["x1"])]"#,
        ),
        (r#"{"minProperties":1}"#, r#"{"a":1}"#, ""),
        (
            r#"{"minProperties":1}"#,
            "{}",
            "[object has too few properties (found 0 but schema requires at least 1)]",
        ),
        (r#"{"maxProperties":2}"#, r#"{"a":1,"b":2}"#, ""),
        (
            r#"{"maxProperties":2}"#,
            r#"{"a":1,"b":2,"c":3}"#,
            "[object has too many properties (found 3 but schema requires at most 2)]",
        ),
        (r#"{"dependencies":{"a":["c","b"]}}"#, "{}", ""),
        (r#"{"dependencies":{"a":["c","b"]}}"#, r#"{"a":1,"b":1,"c":1}"#, ""),
        (
            r#"{"dependencies":{"a":["c","b"]}}"#,
            r#"{"a":1,"c":1}"#,
            r#"[property "a" of object has missing property dependencies (schema requires ["b","c"]; missing: ["b"])]"#,
        ),
        (r#"{"dependencies":{"a":{"required":["b"]}}}"#, r#"{"c":1}"#, ""),
        (
            r#"{"dependencies":{"a":{"required":["b"]}}}"#,
            r#"{"a":1}"#,
            r#"[object has missing required properties (["b"])]"#,
        ),
        // What is wrong with a value hides what is wrong inside of it, and inside of what follows.
        (
            r#"{"required":["x"],"properties":{"a":{"type":"null"}}}"#,
            r#"{"a":1}"#,
            r#"[object has missing required properties (["x"])]"#,
        ),
        (
            r#"{"properties":{"b":{"type":"null"},"a":{"type":"null"},"c":{"properties":{"d":{"type":"null"}}}}}"#,
            r#"{"b":1,"c":{"d":1},"a":"x"}"#,
            r#"[instance type (string) does not match any allowed primitive type (allowed: ["null"]), instance type (integer) does not match any allowed primitive type (allowed: ["null"])]"#,
        ),
        (
            r#"{"properties":{"c":{"properties":{"d":{"type":"null"}}}}}"#,
            r#"{"c":{"d":1}}"#,
            r#"[instance type (integer) does not match any allowed primitive type (allowed: ["null"])]"#,
        ),
        (
            r#"{"type":"object","required":["a"],"minProperties":2,"additionalProperties":false}"#,
            r#"{"b":1}"#,
            r#"[object instance has properties which are not allowed by the schema: ["b"], object has too few properties (found 1 but schema requires at least 2), object has missing required properties (["a"])]"#,
        ),
    ]);
}

#[test]
fn combinations() {
    check(&[
        (r#"{"allOf":[{"minimum":1},{"maximum":3}]}"#, "2", ""),
        (
            r#"{"allOf":[{"minimum":1},{"maximum":3}]}"#,
            "4",
            "[instance failed to match all required schemas (matched only 1 out of 2)]",
        ),
        (r#"{"anyOf":[{"type":"string"},{"minimum":3}]}"#, "3", ""),
        (
            r#"{"anyOf":[{"type":"string"},{"minimum":3}]}"#,
            "2",
            "[instance failed to match at least one required schema among 2]",
        ),
        (r#"{"oneOf":[{"multipleOf":2},{"multipleOf":3}]}"#, "4", ""),
        (
            r#"{"oneOf":[{"multipleOf":2},{"multipleOf":3}]}"#,
            "6",
            "[instance failed to match exactly one schema (matched 2 out of 2)]",
        ),
        (
            r#"{"oneOf":[{"multipleOf":2},{"multipleOf":3}]}"#,
            "5",
            "[instance failed to match exactly one schema (matched 0 out of 2)]",
        ),
        (r#"{"not":{"type":"null"}}"#, "0", ""),
        (
            r#"{"not":{"type":"null"}}"#,
            "null",
            "[instance matched a schema which it should not have]",
        ),
        (
            r#"{"allOf":[{"type":"null"}],"anyOf":[{"type":"null"}],"oneOf":[{"type":"null"}],"not":{"type":"integer"},"type":"null"}"#,
            "1",
            r#"[instance failed to match all required schemas (matched only 0 out of 1), instance failed to match at least one required schema among 1, instance matched a schema which it should not have, instance failed to match exactly one schema (matched 0 out of 1), instance type (integer) does not match any allowed primitive type (allowed: ["null"])]"#,
        ),
    ]);
}

#[test]
fn references() {
    let list = r##"{"properties":{"value":{"type":"integer"},"next":{"$ref":"#"}},"additionalProperties":false}"##;
    let mutual = r##"{"$ref":"#/definitions/a","definitions":{
        "a":{"properties":{"b":{"$ref":"#/definitions/b"}},"additionalProperties":false},
        "b":{"properties":{"a":{"$ref":"#/definitions/a"}},"additionalProperties":false}}}"##;
    check(&[
        (list, r#"{"value":1,"next":{"value":2,"next":{}}}"#, ""),
        (
            list,
            r#"{"value":1,"next":{"value":2,"next":{"x":1}}}"#,
            r#"[object instance has properties which are not allowed by the schema: ["x"]]"#,
        ),
        (mutual, r#"{"b":{"a":{"b":{}}}}"#, ""),
        (
            mutual,
            r#"{"b":{"a":{"a":{}}}}"#,
            r#"[object instance has properties which are not allowed by the schema: ["a"]]"#,
        ),
        (
            r##"{"properties":{"a":{"type":"null"},"b":{"$ref":"#/properties/a"}}}"##,
            r#"{"b":null}"#,
            "",
        ),
        (
            r##"{"properties":{"a":{"type":"null"},"b":{"$ref":"#/properties/a"}}}"##,
            r#"{"b":1}"#,
            r#"[instance type (integer) does not match any allowed primitive type (allowed: ["null"])]"#,
        ),
        (
            r##"{"$ref":"#/definitions/x~1y/items/1","definitions":{"x/y":{"items":[{},{"$ref":"#/definitions/n"}]},"n":{"type":"null"}}}"##,
            "1",
            r#"[instance type (integer) does not match any allowed primitive type (allowed: ["null"])]"#,
        ),
        // Beside a reference nothing else counts.
        (
            r##"{"properties":{"b":{"$ref":"#/definitions/n","maximum":0}},"definitions":{"n":{}}}"##,
            r#"{"b":1}"#,
            "",
        ),
        // A property may be called so.
        (
            r##"{"properties":{"$ref":{"type":"string"}}}"##,
            r#"{"$ref":1}"#,
            r#"[instance type (integer) does not match any allowed primitive type (allowed: ["string"])]"#,
        ),
    ]);
}

#[test]
fn bodies_that_are_no_json() {
    let schema = compile(r#"{"type":"object"}"#);
    let demanding = compile(r#"{"required":["a"]}"#);
    let (mut tape, mut checker, mut messages) = (Tape::new(), Checker::new(), Messages::new());
    let deep = "[".repeat(401) + &"]".repeat(401);
    let repeated = r#"{"a":1,"a":1}"#;
    for body in [
        b"{" as &[u8],
        b"{} x",
        b"{'a':1}",
        b"NaN",
        b"\xff",
        b"\"\xc3\"",
        b"{\"a\":1,}",
        b"[1e99999999999]",
        repeated.as_bytes(),
        deep.as_bytes(),
    ] {
        let verdict = check_body(&schema, body, &mut tape, &mut checker, Some(&mut messages));
        assert_eq!(verdict, Verdict::Unreadable, "{}", String::from_utf8_lossy(body));
        assert_eq!(messages.to_string(), "[Unknown error parsing request body]");
    }
    // A body of nothing is an empty object, and if that will not do, no JSON.
    for body in [b"" as &[u8], b" \n"] {
        let verdict = check_body(&schema, body, &mut tape, &mut checker, Some(&mut messages));
        assert_eq!((verdict, messages.is_empty()), (Verdict::Valid, true));
        let verdict = check_body(&demanding, body, &mut tape, &mut checker, Some(&mut messages));
        assert_eq!(verdict, Verdict::Unreadable);
        assert_eq!(messages.to_string(), "[Unknown error parsing request body]");
    }
}
