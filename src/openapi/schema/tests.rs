//! References, flattened schemas, templates.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::model::model_reference;
use crate::vtl::{self, Undefined};

fn url(name: &str) -> String {
    model_reference("a1b2c3d4e5", name)
}

fn to(name: &str) -> Json {
    json!({ "$ref": url(name) })
}

fn none(_: &str) -> Option<String> {
    None
}

#[test]
fn a_schema_refers_to_models() {
    let schema = json!({
        "properties": { "a": to("Pet"), "b": { "items": [to("House"), to("Pet")] }, "$ref": to("Inner") },
        "definitions": { "c": { "$ref": "#/definitions/d" } },
        "title": url("NoReference"),
    });
    assert_eq!(referenced_models(&schema.to_string()), ["Pet", "House", "Inner"]);
    for other in ["", "no json", "{", "[]", "7"] {
        assert!(referenced_models(other).is_empty(), "{other}");
    }
}

#[test]
fn flattening_brings_in_every_model_once() {
    let schemas = |name: &str| {
        let schema = match name {
            "House" => json!({ "properties": { "owner": to("Person") } }),
            "Person" => json!({ "properties": { "home": to("House"), "self": { "$ref": "#" },
                "part": { "$ref": "#/properties/home" } } }),
            "Broken" => return Some("{".to_owned()),
            _ => return None,
        };
        Some(schema.to_string())
    };
    let schema = json!({
        "title": "T", "items": [to("House"), to("House"), to("No"), to("Broken")],
        "definitions": { "House": { "items": { "$ref": "#/title" } } },
    });
    let found: Json = serde_json::from_str(&flatten(&schema.to_string(), &schemas)).unwrap();
    let local = |key: &str| json!({ "$ref": format!("#/definitions/{key}") });
    assert_eq!(
        found,
        json!({
            "title": "T",
            // What is taken already keeps its name; what is not there, its reference.
            "items": [local("House_"), local("House_"), to("No"), to("Broken")],
            "definitions": {
                "House": { "items": { "$ref": "#/title" } },
                "House_": { "properties": { "owner": local("Person") } },
                "Person": { "properties": { "home": local("House_"), "self": local("Person"),
                    "part": local("Person/properties/home") } },
            },
        })
    );
    assert_eq!(flatten("<xml/>", &none), "<xml/>");
    assert_eq!(flatten("{\"type\": \"object\"}", &none), "{\n  \"type\" : \"object\"\n}");
}

#[test]
fn a_model_that_refers_to_itself_is_flattened() {
    let schemas = |name: &str| (name == "Tree").then(|| json!({ "items": to("Tree") }).to_string());
    let found = flatten(&schemas("Tree").unwrap(), &schemas);
    let want = json!({
        "items": { "$ref": "#/definitions/Tree" },
        "definitions": { "Tree": { "items": { "$ref": "#/definitions/Tree" } } },
    });
    assert_eq!(serde_json::from_str::<Json>(&found).unwrap(), want);
}

/// The example of AWS's API reference.
#[test]
fn a_template_of_an_object_is_as_documented() {
    let schema = json!({ "type": "object", "properties": {
        "a": { "type": "number" }, "b": { "type": "number" }, "op": { "type": "string" }, "c": { "type": "number" } } });
    assert_eq!(
        default_template(&schema.to_string(), &none),
        "#set($inputRoot = $input.path('$'))\n{\n  \"a\" : 3.1415,\n  \"b\" : 3.1415,\n  \"op\" : \
         \"foo\",\n  \"c\" : 3.1415\n}"
    );
}

/// As templates in the field have it that were made by the console.
#[test]
fn a_template_of_a_list_has_a_loop() {
    let schema = json!({ "type": "array", "items": { "type": "object", "properties": {
        "age": { "type": "integer" }, "tall": { "type": "boolean" } } } });
    assert_eq!(
        default_template(&schema.to_string(), &none),
        "#set($inputRoot = $input.path('$'))
[
##TODO: Update this foreach loop to reference array from input json
#foreach($elem in $inputRoot)
 {
  \"age\" : 42,
  \"tall\" : true
} 
#if($foreach.hasNext),#end
#end
]"
    );
}

#[test]
fn templates_follow_references_and_nest() {
    let schemas = |name: &str| {
        (name == "Tag").then(|| json!({ "properties": { "name": { "type": "string" }, "tags": { "type": "array", "items": { "type": "string" } } } }).to_string())
    };
    let schema = json!({
        "allOf": [{ "properties": { "kind": { "enum": ["dog", "cat"] } } }, { "$ref": "#/definitions/d" }],
        "properties": { "tags": { "type": "array", "items": to("Tag") }, "a-b": { "items": { "type": ["null", "number"] } },
            "gone": to("No"), "none": {} },
        "definitions": { "d": { "properties": { "d": { "type": "null" } } } },
    });
    assert_eq!(
        default_template(&schema.to_string(), &schemas),
        "#set($inputRoot = $input.path('$'))
{
  \"tags\" : [
  ##TODO: Update this foreach loop to reference array from input json
  #foreach($elem in $inputRoot.tags)
   {
    \"name\" : \"foo\",
    \"tags\" : [
    ##TODO: Update this foreach loop to reference array from input json
    #foreach($elem2 in $elem.tags)
     \"foo\" 
    #if($foreach.hasNext),#end
    #end
    ]
  } 
  #if($foreach.hasNext),#end
  #end
  ],
  \"a-b\" : [
  ##TODO: Update this foreach loop to reference array from input json
  #foreach($elem in $inputRoot)
   3.1415 
  #if($foreach.hasNext),#end
  #end
  ],
  \"gone\" : null,
  \"none\" : { },
  \"kind\" : \"dog\",
  \"d\" : null
}"
    );
    for (schema, want) in [("{}", "{ }"), ("", "null"), ("{\"type\": \"string\"}", "\"foo\"")] {
        let template = default_template(schema, &none);
        assert_eq!(template.split_once('\n').unwrap().1, want, "{schema}");
    }
}

#[test]
fn recursion_ends() {
    let schemas = |name: &str| {
        match name {
        "Loop" => Some(to("Loop").to_string()),
        _ => Some(
            json!({ "properties": { "a": to("Tree"), "b": to("Tree"), "c": { "items": to("Tree") }, "d": to("Tree") } })
                .to_string(),
        ),
    }
    };
    assert!(default_template(&to("Loop").to_string(), &schemas).ends_with("\n{ }"));
    let template = default_template(&to("Tree").to_string(), &schemas);
    assert!(
        template.ends_with(
            "\"a\" : { },\n  \"b\" : { },\n  \"c\" : [\n  ##TODO: Update this foreach \
         loop to reference array from input json\n  #foreach($elem in $inputRoot.c)\n   { } \n  \
         #if($foreach.hasNext),#end\n  #end\n  ],\n  \"d\" : { }\n}"
        ),
        "{template}"
    );
}

#[test]
fn what_doubles_with_each_reference_is_cut() {
    // Models without end, each of which refers to the next one twice: in members, some in parts.
    let schemas = |name: &str| {
        let next = to(&format!("M{}", name[1..].parse::<u32>().unwrap() + 1));
        let pair = json!({ "a": next.clone(), "b": next.clone() });
        let schema = match name.len() {
            2 => json!({ "allOf": [next.clone(), next] }),
            _ => json!({ "properties": pair }),
        };
        Some(schema.to_string())
    };
    let template = default_template(&to("M0").to_string(), &schemas);
    assert!(template.len() < 2 * TEMPLATE_BYTES_MAX, "{}", template.len());
    assert!(vtl::compile(&template, Undefined::Empty).is_ok());
}

fn schema() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(to("A")),
        Just(json!({ "$ref": "#" })),
        Just(json!({ "$ref": "#/items" })),
        Just(json!({ "type": "string" })),
        Just(json!({ "enum": [[], null, "x"] })),
        Just(json!(7)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let keys = proptest::sample::select(
            &["properties", "items", "allOf", "oneOf", "definitions", "type", "a", "$ref", "b c"][..],
        );
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            proptest::collection::vec((keys, inner), 0..4)
                .prop_map(|members| members.into_iter().map(|(key, it)| (key.to_owned(), it)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_schema_is_flattened_and_makes_a_template(root in schema(), other in schema()) {
        let root = json!({ "allOf": [root] });
        let schemas = |name: &str| (name == "A").then(|| other.to_string());
        let flat = flatten(&root.to_string(), &schemas);
        prop_assert!(referenced_models(&flat).is_empty(), "{}", flat);
        let template = default_template(&root.to_string(), &schemas);
        prop_assert!(vtl::compile(&template, Undefined::Empty).is_ok(), "{}", template);
    }

    #[test]
    fn any_text_is_survived(text in ".{0,40}") {
        flatten(&text, &none);
        default_template(&text, &none);
        referenced_models(&text);
    }
}
