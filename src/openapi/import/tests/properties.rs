//! What holds for every document: no panic, true positions, and no key that is passed over.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use super::super::super::{
    Document, DocumentationSnapshot, ExportOptions, ExportType, Extensions, Node, export,
    export_json, export_yaml,
};
use super::super::import;
use super::super::report::EXTENSIONS;

const PETSTORE: &str = include_str!("../../../../docs/examples/petstore.yaml");

/// Imports, and checks that each finding stands where its pointer leads.
fn import_whatever(text: &str) {
    let Ok(document) = Document::parse(text) else { return };
    let import = import(&document);
    for it in &import.diagnostics {
        assert_eq!(document.position(&it.pointer), Some(it.position), "{it:?}\n{text}");
        assert!(!it.message.is_empty() && !it.help.is_empty(), "{it:?}");
    }
    let mut once = import.diagnostics.clone();
    once.dedup();
    assert_eq!(once, import.diagnostics, "said twice\n{text}");
}

/// The same, and exports what was imported.
fn import_and_export_whatever(text: &str) {
    import_whatever(text);
    let Ok(document) = Document::parse(text) else { return };
    let import = import(&document);
    let _ = (import.aws_refusal(true), import.aws_warnings());
    for kind in [ExportType::Oas30, ExportType::Swagger] {
        let everything = Extensions::named("apigateway,documentation").unwrap();
        let documentation = Some(DocumentationSnapshot::default());
        let options = ExportOptions {
            kind,
            extensions: everything,
            documentation,
            ..ExportOptions::default()
        };
        if let Ok(exported) = export(&import.api, &options) {
            let text = export_yaml(&exported);
            assert!(Document::parse(&export_json(&exported)).is_ok(), "{exported}");
            assert!(Document::parse(&text).is_ok(), "{text}");
        }
    }
}

fn json_of(node: &Node) -> Json {
    node.to_json()
}

/// Pointers of every node below the root.
fn pointers(node: &Json, pointer: &str, out: &mut Vec<String>) {
    let children: Vec<(String, &Json)> = match node {
        Json::Object(members) => {
            let token = |key: &str| key.replace('~', "~0").replace('/', "~1");
            members.iter().map(|(key, node)| (token(key), node)).collect()
        }
        Json::Array(items) => {
            items.iter().enumerate().map(|(index, node)| (index.to_string(), node)).collect()
        }
        _ => Vec::new(),
    };
    for (token, child) in children {
        let pointer = format!("{pointer}/{token}");
        out.push(pointer.clone());
        pointers(child, &pointer, out);
    }
}

fn remove(document: &mut Json, pointer: &str) {
    let (parent, token) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Json::Object(members) => {
            members.shift_remove(&token.replace("~1", "/").replace("~0", "~"));
        }
        Json::Array(items) => {
            items.remove(token.parse().unwrap());
        }
        _ => unreachable!("a parent has children"),
    }
}

#[test]
fn any_node_of_the_petstore_may_be_missing_or_another() {
    let petstore = json_of(Document::parse(PETSTORE).unwrap().root());
    let mut all = Vec::new();
    pointers(&petstore, "", &mut all);
    assert!(all.len() > 150, "{}", all.len());
    let others = [
        json!(null),
        json!(true),
        json!(-1.5e300),
        json!("x"),
        json!("${AWS::"),
        json!([]),
        json!([[null]]),
        json!({}),
        json!({"$ref": "#"}),
        json!({"$ref": "#/paths/~1pets/get"}),
        json!({"x-amazon-apigateway-integration": {"type": "mock"}, "": 1}),
    ];
    for pointer in &all {
        let mut document = petstore.clone();
        remove(&mut document, pointer);
        import_and_export_whatever(&document.to_string());
        for other in &others {
            let mut document = petstore.clone();
            *document.pointer_mut(pointer).unwrap() = other.clone();
            import_whatever(&document.to_string());
        }
    }
}

/// Keys that mean something somewhere.
const KEYS: [&str; 66] = [
    "openapi",
    "swagger",
    "info",
    "title",
    "version",
    "paths",
    "/",
    "/a",
    "/a/",
    "/a/{b}",
    "/{b+}",
    "get",
    "options",
    "x-amazon-apigateway-any-method",
    "x-amazon-apigateway-integration",
    "x-amazon-apigateway-auth",
    "x-amazon-apigateway-gateway-responses",
    "x-amazon-apigateway-binary-media-types",
    "x-amazon-apigateway-authorizer",
    "x-ringway-throttle",
    "rateLimit",
    "burstLimit",
    "parameters",
    "name",
    "in",
    "required",
    "responses",
    "200",
    "default",
    "headers",
    "statusCode",
    "responseParameters",
    "responseTemplates",
    "requestParameters",
    "requestTemplates",
    "integration.request.header.X",
    "method.response.header.X",
    "application/json",
    "type",
    "uri",
    "httpMethod",
    "timeoutInMillis",
    "$ref",
    "security",
    "securityDefinitions",
    "components",
    "schemas",
    "securitySchemes",
    "content",
    "schema",
    "requestBody",
    "items",
    "properties",
    "definitions",
    "consumes",
    "servers",
    "url",
    "basePath",
    "x-amazon-apigateway-documentation",
    "documentationParts",
    "location",
    "x-amazon-apigateway-policy",
    "Statement",
    "x-amazon-apigateway-request-validators",
    "key",
    "~é\n",
];

fn tree() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
        select(
            &["#", "#/paths", "#/a~1b", "${AWS::Region}", "mock", "http", "query", "header"][..]
        )
        .prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            vec((select(&KEYS[..]), inner), 0..6).prop_map(|members| {
                members.into_iter().map(|(key, node)| (key.to_owned(), node)).collect()
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_tree_imports(tree in tree()) {
        import_and_export_whatever(&tree.to_string());
    }

    #[test]
    fn any_tree_imports_at_any_place(
        tree in tree(),
        at in select(&["/info", "/paths", "/paths/~1a", "/paths/~1a/get", "/components",
            "/components/securitySchemes", "/security", "/servers", "/x-ringway-throttle",
            "/x-amazon-apigateway-gateway-responses", "/paths/~1a/get/parameters",
            "/paths/~1a/get/responses", "/paths/~1a/get/security",
            "/paths/~1a/get/x-amazon-apigateway-integration", "/paths/~1a/get/requestBody",
            "/components/schemas", "/components/securitySchemes/key",
            "/x-amazon-apigateway-documentation", "/x-amazon-apigateway-policy",
            "/x-amazon-apigateway-endpoint-configuration"][..]),
    ) {
        let mut document = json!({
            "openapi": "3.0.1",
            "info": { "title": "T" },
            "paths": { "/a": { "get": { "x-amazon-apigateway-integration": { "type": "mock" } } } },
            "components": { "securitySchemes": { "key": { "type": "apiKey" } }, "schemas": {} },
        });
        let (parent, key) = at.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[key.replace("~1", "/")] = tree;
        import_and_export_whatever(&document.to_string());
    }
}

/// A document in which each kind of object stands, and where.
fn kinds() -> (Json, [&'static str; 13]) {
    let document = json!({
        "openapi": "3.0.1",
        "info": { "title": "T" },
        "tags": [{ "name": "a" }],
        "servers": [{ "url": "/" }],
        "x-ringway-throttle": { "rateLimit": 1, "burstLimit": 1 },
        "x-amazon-apigateway-gateway-responses": { "THROTTLED": {} },
        "components": { "securitySchemes": { "s": { "type": "http" } } },
        "paths": { "/a": { "get": {
            "parameters": [{ "name": "a", "in": "query" }],
            "requestBody": {},
            "responses": { "200": { "headers": { "X": {} } } },
            "x-amazon-apigateway-integration": {
                "type": "mock", "responses": { "default": { "statusCode": 200 } }, "tlsConfig": {},
            },
        } } },
    });
    const PLACES: [&str; 13] = [
        "",
        "/info",
        "/tags/0",
        "/servers/0",
        "/components",
        "/components/securitySchemes/s",
        "/paths/~1a",
        "/paths/~1a/get",
        "/paths/~1a/get/parameters/0",
        "/paths/~1a/get/requestBody",
        "/paths/~1a/get/responses/200",
        "/paths/~1a/get/responses/200/headers/X",
        "/paths/~1a/get/x-amazon-apigateway-integration",
    ];
    (document, PLACES)
}

/// A value that is wrong wherever it is read.
fn with(document: &Json, place: &str, key: &str) -> (Document, String) {
    let mut document = document.clone();
    document.pointer_mut(place).unwrap()[key] = json!([["no"]]);
    (Document::parse(&document.to_string()).unwrap(), format!("{place}/{key}"))
}

#[test]
fn every_extension_is_read_or_reported_wherever_it_stands() {
    let (document, places) = kinds();
    for (name, _) in EXTENSIONS {
        for place in places {
            let (document, pointer) = with(&document, place, name);
            let found = import(&document).diagnostics;
            assert!(found.iter().any(|it| it.pointer.starts_with(&pointer)), "{pointer}");
        }
    }
}

#[test]
fn every_kind_of_object_reports_unknown_keys() {
    let (document, places) = kinds();
    let deeper = [
        "/x-ringway-throttle",
        "/x-amazon-apigateway-gateway-responses",
        "/x-amazon-apigateway-gateway-responses/THROTTLED",
        "/paths/~1a/get/responses",
        "/paths/~1a/get/x-amazon-apigateway-integration/tlsConfig",
        "/paths/~1a/get/x-amazon-apigateway-integration/responses/default",
    ];
    for place in places.into_iter().chain(deeper) {
        for key in ["zebra", "x-zebra"] {
            let (document, pointer) = with(&document, place, key);
            let found = import(&document).diagnostics;
            assert!(found.iter().any(|it| it.pointer == pointer), "{pointer}");
        }
    }
}
