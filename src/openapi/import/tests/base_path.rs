//! What becomes of the base path: facts, openapi section 3 and aws-recorded section 18.

use crate::openapi::{BasePath, Document, ImportOptions, import_with};

fn paths_of(text: &str, base_path: BasePath) -> Vec<String> {
    let options = ImportOptions { base_path, ..ImportOptions::default() };
    let import = import_with(&Document::parse(text).unwrap(), &options);
    assert_eq!(import.diagnostics, [], "{text}");
    import.api.resources.into_iter().map(|it| it.path).collect()
}

const PATHS: &str = "info: { title: T }
paths: { /test: { get: { x-amazon-apigateway-integration: { type: mock } } } }";

#[test]
fn the_base_path_is_ignored_put_before_or_split() {
    let swagger = |keys: &str| format!("swagger: '2.0'\n{keys}\n{PATHS}");
    let openapi = |keys: &str| format!("openapi: 3.0.1\n{keys}\n{PATHS}");
    let cases: [(String, &[&str], &[&str]); 10] = [
        (swagger("basePath: /base"), &["/", "/base", "/base/test"], &["/", "/test"]),
        (swagger("basePath: /a/b/"), &["/", "/a", "/a/b", "/a/b/test"], &["/", "/b", "/b/test"]),
        (swagger("basePath: /"), &["/", "/test"], &["/", "/test"]),
        (swagger(""), &["/", "/test"], &["/", "/test"]),
        (
            openapi("servers: [{ url: 'https://a.example.com/base-url/part?x=/y' }]"),
            &["/", "/base-url", "/base-url/part", "/base-url/part/test"],
            &["/", "/part", "/part/test"],
        ),
        (
            openapi(
                "servers: [{ url: 'https://a/{basePath}', variables: { basePath: { default: /base-var } } }]",
            ),
            &["/", "/base-var", "/base-var/test"],
            &["/", "/test"],
        ),
        (
            openapi(
                "servers: [{ url: 'https://a/{x}/{basePath}', variables: { x: { default: x }, basePath: { default: b } } }]",
            ),
            &["/", "/b", "/b/test"],
            &["/", "/test"],
        ),
        (
            openapi(
                "servers: [{ url: 'https://{h}/{y}/{x}', variables: { h: { default: h }, x: { default: x }, y: { default: y } } }]",
            ),
            &["/", "/x", "/x/test"],
            &["/", "/test"],
        ),
        (openapi("servers: [{ url: 'https://a' }, { url: /b }]"), &["/", "/test"], &["/", "/test"]),
        (openapi("servers: [{ url: /v1 }]"), &["/", "/v1", "/v1/test"], &["/", "/test"]),
    ];
    for (text, prepended, split) in cases {
        assert_eq!(paths_of(&text, BasePath::Ignore), ["/", "/test"], "{text}");
        assert_eq!(paths_of(&text, BasePath::Prepend), prepended, "{text}");
        assert_eq!(paths_of(&text, BasePath::Split), split, "{text}");
    }
}

#[test]
fn the_root_of_a_document_lands_on_the_base_path() {
    let text = "swagger: '2.0'\nbasePath: /v1\ninfo: { title: T }\npaths: { /: { get: { \
                x-amazon-apigateway-integration: { type: mock } } } }";
    let document = Document::parse(text).unwrap();
    let options = ImportOptions { base_path: BasePath::Prepend, ..ImportOptions::default() };
    let api = import_with(&document, &options).api;
    let found: Vec<(&str, usize)> =
        api.resources.iter().map(|it| (&*it.path, it.methods.len())).collect();
    assert_eq!(found, [("/", 0), ("/v1", 1)]);
}

#[test]
fn modes_are_named() {
    assert_eq!(BasePath::named("Prepend"), Some(BasePath::Prepend));
    assert_eq!(BasePath::named("split"), Some(BasePath::Split));
    assert_eq!(BasePath::named("ignore"), Some(BasePath::Ignore));
    assert_eq!(BasePath::named(""), None);
}

#[test]
fn the_worked_import_of_the_facts_comes_out() {
    let text = r#"
swagger: '2.0'
info: { title: Pets }
basePath: /v1
x-amazon-apigateway-request-validators: { all: { validateRequestBody: true, validateRequestParameters: true } }
x-amazon-apigateway-request-validator: all
paths:
  /pets/{id}:
    get:
      parameters: [{ name: id, in: path, required: true }, { name: verbose, in: query, required: true }]
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: GET
        uri: https://${stageVariables.host}/pets/{id}
        requestParameters: { integration.request.path.id: method.request.path.id }
    x-amazon-apigateway-any-method: { x-amazon-apigateway-integration: { type: mock } }
"#;
    let paths = |base_path| {
        let options = ImportOptions { base_path, ..ImportOptions::default() };
        let api = import_with(&Document::parse(text).unwrap(), &options).api;
        api.resources.into_iter().map(|it| it.path).collect::<Vec<_>>()
    };
    assert_eq!(paths(BasePath::Ignore), ["/", "/pets", "/pets/{id}"]);
    assert_eq!(paths(BasePath::Prepend), ["/", "/v1", "/v1/pets", "/v1/pets/{id}"]);
    assert_eq!(paths(BasePath::Split), ["/", "/pets", "/pets/{id}"]);
    let api = super::imported(text).api;
    let get = super::method_at(&api, "/pets/{id}", crate::model::MethodName::Get);
    let declared: Vec<(&str, bool)> =
        get.request_parameters.iter().map(|(key, required)| (&**key, *required)).collect();
    let want = [("method.request.path.id", true), ("method.request.querystring.verbose", true)];
    assert_eq!(declared, want);
    let uri = get.integration.as_ref().unwrap().uri.as_deref();
    assert_eq!(uri, Some("https://${stageVariables.host}/pets/{id}"));
    let any = super::method_at(&api, "/pets/{id}", crate::model::MethodName::Any);
    assert_eq!(
        (get.request_validator.as_deref(), any.request_validator.as_deref()),
        (Some("all"), Some("all"))
    );
}
