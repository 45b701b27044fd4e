//! Schemas with mistakes, schemas with oddities, schemas made of several models.

use super::*;

#[test]
fn mistakes_are_reported_with_their_place() {
    for (text, want) in [
        ("", "#: the schema cannot be read"),
        ("[]", "#: a schema has to be an object"),
        (
            r#"{"properties":{"a":{"type":"strnig"}}}"#,
            "#/properties/a/type: `strnig` is no type; use array",
        ),
        (
            r#"{"properties":{"a/b":{"type":[]}}}"#,
            "#/properties/a~1b/type: the list of types is empty",
        ),
        (r#"{"type":5}"#, "#/type: a type has to be a name"),
        (
            r#"{"properties":{"a":{"required":true}}}"#,
            "#/properties/a/required: `required` is a boolean, as it was in draft 3; list the names",
        ),
        (r#"{"required":"a"}"#, "#/required: `required` has to be a list"),
        (r#"{"required":[1]}"#, "#/required/0: `required` has to be a list"),
        (r#"{"properties":[]}"#, "#/properties: `properties` has to be an object"),
        (r#"{"properties":{"a":true}}"#, "#/properties/a: a schema has to be an object"),
        (r#"{"items":true}"#, "#/items: a schema has to be an object"),
        (r#"{"items":[]}"#, "#/items: `items` has to be a list of schemas"),
        (r#"{"allOf":[]}"#, "#/allOf: `allOf` has to be a list of schemas"),
        (r#"{"anyOf":{}}"#, "#/anyOf: `anyOf` has to be a list of schemas"),
        (r#"{"oneOf":[1]}"#, "#/oneOf/0: a schema has to be an object"),
        (r#"{"not":[]}"#, "#/not: a schema has to be an object"),
        (r#"{"enum":[]}"#, "#/enum: `enum` has to be a list of values"),
        (r#"{"minLength":-1}"#, "#/minLength: `minLength` has to be a count"),
        (r#"{"maxItems":1.5}"#, "#/maxItems: `maxItems` has to be a count"),
        (r#"{"minimum":"1"}"#, "#/minimum: `minimum` has to be a number"),
        (
            r#"{"minimum":1,"exclusiveMinimum":"x"}"#,
            "#/exclusiveMinimum: `exclusiveMinimum` has to be a boolean",
        ),
        (r#"{"multipleOf":0}"#, "#/multipleOf: `multipleOf` is 0; write a number above 0"),
        (r#"{"uniqueItems":1}"#, "#/uniqueItems: `uniqueItems` has to be a boolean"),
        (r#"{"pattern":"("}"#, "#/pattern: the expression `(` has a `(` without its `)`"),
        (
            r#"{"patternProperties":{"[":{}}}"#,
            "#/patternProperties/[: the expression `[` has a `[`",
        ),
        (
            r#"{"additionalProperties":0}"#,
            "#/additionalProperties: `additionalProperties` has to be a schema or a boolean",
        ),
        (r#"{"dependencies":{"a":"b"}}"#, "#/dependencies/a: a schema has to be an object"),
        (r#"{"dependencies":{"a":[1]}}"#, "#/dependencies/a/0: `0` has to be a string"),
        (r#"{"definitions":{"a":{"type":"x"}}}"#, "#/definitions/a/type: `x` is no type"), // though nothing uses it
        (r##"{"$ref":"#"}"##, "#/$ref: the reference leads back to itself"),
        (
            r##"{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}}"##,
            "#/definitions/b/$ref: the reference leads back to itself",
        ),
        (r##"{"allOf":[{"$ref":"#"}]}"##, "#: the schema leads back to itself for the same value"),
        (
            r##"{"properties":{"x":{"$ref":"#/definitions/a"}},"definitions":{"a":{"anyOf":[{"not":{"$ref":"#/definitions/a"}}]}}}"##,
            "#/definitions/a: the schema leads back to itself for the same value",
        ),
        (
            r##"{"dependencies":{"a":{"$ref":"#"}}}"##,
            "#: the schema leads back to itself for the same value",
        ),
        (r##"{"$ref":"#/definitions/x"}"##, "#/$ref: `#/definitions/x` leads to nothing"),
        (r##"{"$ref":"#x"}"##, "#/$ref: `#x` does not have a JSON pointer"),
        (r##"{"$ref":5}"##, "#/$ref: `$ref` has to be a string"),
        (
            r#"{"$ref":"https://example.com/x.json"}"#,
            "#/$ref: `https://example.com/x.json` leads out of the API, which is not allowed; refer to",
        ),
        (
            r#"{"$ref":"https://apigateway.amazonaws.com/restapis/x/models/Gone"}"#,
            "#/$ref: there is no model `Gone`; create the model first",
        ),
    ] {
        let error = Schema::compile(text, &|_| None).map(drop).unwrap_err();
        assert!(error.to_string().starts_with(want), "{text}\n{error}\n{want}");
        assert!(!error.what().is_empty() && !error.help().is_empty() && error.model().is_none());
    }
}

#[test]
fn what_draft_4_does_not_know_is_warned_about() {
    let warnings = |text: &str| -> Vec<String> {
        compile(text).warnings().iter().map(ToString::to_string).collect()
    };
    for (text, want) in [
        (
            r#"{"properties":{"a":{"type":"string","nullable":true}}}"#,
            "#/properties/a/nullable: draft 4 has no `nullable`, so it is ignored; write `\"type\"",
        ),
        (
            r#"{"exclusiveMinimum":5}"#,
            "#/exclusiveMinimum: draft 4 has no number in `exclusiveMinimum`, so it is ignored; write `\"minimum\": 5`",
        ),
        (r#"{"exclusiveMaximum":true}"#, "#/exclusiveMaximum: there is no `maximum`"),
        (r#"{"const":1}"#, "#/const: draft 4 has no `const`"),
        (r#"{"discriminator":{}}"#, "#/discriminator: draft 4 has no"),
        (r#"{"readOnly":true}"#, "#/readOnly: draft 4 has no"),
        (r#"{"if":{}}"#, "#/if: draft 4 has no"),
        (r#"{"propertyNames":{}}"#, "#/propertyNames: draft 4 has no"),
        (
            r#"{"requierd":["a"]}"#,
            "#/requierd: draft 4 has no `requierd`, so it is ignored; is it misspelt?",
        ),
        (r#"{"items":[{"format":"int32"}]}"#, "#/items/0/format: format `int32` is not checked"),
        (
            r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#,
            "#/$schema: `http://json-schema.org/draft-07/schema#` is not draft 4",
        ),
        (r#"{"pattern":"(?<=a)b"}"#, "#/pattern: the expression looks behind"),
        (r#"{"pattern":"\\p{L}"}"#, "#/pattern: the expression has `\\p{...}`"),
        (r#"{"required":[]}"#, "#/required: draft 4 has no empty `required`"),
        (r#"{"required":["a","a"]}"#, "#/required/1: `a` is required twice"),
        (r#"{"enum":["a","a"]}"#, "#/enum/1: `a` is listed twice"),
        (
            r##"{"properties":{"a":{"$ref":"#","maximum":1}}}"##,
            "#/properties/a/maximum: draft 4 ignores `maximum` beside `$ref`",
        ),
        (
            r##"{"properties":{"a":{"id":"x"}}}"##,
            "#/properties/a/id: references are read from the text's root",
        ),
        (r#"{"title":"a","title":"b"}"#, "#: JSON: an object that ends here has a key twice"),
    ] {
        let got = warnings(text);
        assert!(got.len() == 1 && got[0].starts_with(want), "{text}\n{got:?}\n{want}");
    }
    let quiet = r##"{"$schema":"http://json-schema.org/draft-04/schema#","id":"http://x/y","title":"","description":"",
        "default":1,"example":1,"x-anything":1,"properties":{"nullable":{},"a":{"$ref":"http://x/y#/definitions/b"}},
        "definitions":{"b":{}},"minimum":0,"exclusiveMinimum":true}"##;
    assert_eq!(warnings(quiet), [""; 0]);
    let two = compile(r#"{"nullable":true,"properties":{"b":{"const":1}}}"#);
    assert_eq!(two.warnings()[1].pointer(), "/properties/b/const");
    assert!(two.warnings()[1].text().contains("const") && two.warnings()[1].model().is_none());
}

#[test]
fn a_schema_is_shared_by_shards() {
    fn shared<T: Send + Sync>() {}
    shared::<Schema>();
}

#[test]
fn models_refer_to_each_other() {
    let url = "https://apigateway.amazonaws.com/restapis/abc/models";
    let owner = format!(r#"{{"properties":{{"pets":{{"items":{{"$ref":"{url}/Pet"}}}}}}}}"#);
    let pet = format!(
        r##"{{"required":["name"],"properties":{{"owner":{{"$ref":"{url}/Owner"}},"name":{{"$ref":"#/definitions/n"}},
        "tag":{{"enum":["a",1]}}}},"definitions":{{"n":{{"type":"string"}}}}}}"##
    );
    let resolve = |name: &str| match name {
        "Pet" => Some(&pet[..]),
        "Owner" => Some(&owner[..]),
        "Bad" => Some(r#"{"properties":{"a":{"type":"x"}}}"#),
        "Odd" => Some(r#"{"nullable":true}"#),
        _ => None,
    };
    let schema = Schema::compile(&owner, &resolve).unwrap();
    assert_eq!(
        judge(&schema, r#"{"pets":[{"name":"a","owner":{"pets":[{"name":"b","tag":1}]}}]}"#).1,
        ""
    );
    assert_eq!(
        judge(&schema, r#"{"pets":[{"name":"a","owner":{"pets":[{"nam":"b"}]}}]}"#).1,
        r#"[object has missing required properties (["name"])]"#
    );
    assert_eq!(
        judge(&schema, r#"{"pets":[{"name":"a","tag":2}]}"#).1,
        r#"[instance value (2) not found in enum (possible values: ["a",1])]"#
    );

    let to = |name: &str| format!(r#"{{"$ref":"{url}/{name}"}}"#);
    let error = Schema::compile(&to("Bad"), &resolve).unwrap_err();
    assert_eq!((error.model(), error.pointer()), (Some("Bad"), "/properties/a/type"));
    assert!(error.to_string().starts_with("model Bad, #/properties/a/type: "));
    let odd = Schema::compile(&to("Odd"), &resolve).unwrap();
    assert!(odd.warnings()[0].to_string().starts_with("model Odd, #/nullable: "));

    let component =
        format!(r##"{{"allOf":[{{"$ref":"#/components/schemas/Pet"}},{{"$ref":"{url}/Pet"}}]}}"##);
    let schema = Schema::compile(&component, &resolve).unwrap();
    assert_eq!(judge(&schema, r#"{"name":"a"}"#).1, "");
}
