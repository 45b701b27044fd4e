//! What is wrong with paths and their methods.

use super::{paths, said};

#[test]
fn paths_that_aws_refuses() {
    said(&[
        (
            paths("a: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/a: the path 'a' does not begin with '/' | write it from the root"],
        ),
        (
            paths("'': { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/: the path '' does not begin with '/' | write it from the root"],
        ),
        (
            paths("//: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1~1: the path has an empty segment | remove the doubled '/'"],
        ),
        (
            paths("/a//b: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1a~1~1b: the path has an empty segment | remove the doubled '/'"],
        ),
        (
            paths("/a//: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1a~1~1: the path has an empty segment | remove the doubled '/'"],
        ),
        (
            paths("/$default: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1$default: the path $default belongs to HTTP APIs | they come \
                 with a later release: write /{proxy+}, and / beside it"],
        ),
        (
            paths("/a b: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1a b: Resource's path part only allow a-zA-Z0-9._-:, or a valid \
                 greedy path variable and curly braces at the beginning and the end: 'a b' | \
                 write letters, digits and . _ - : , ~ @, or {name} with letters, digits and . _ \
                 - $"],
        ),
        (
            paths("/a%20b: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1a%20b: Resource's path part only allow a-zA-Z0-9._-:, or a \
                 valid greedy path variable and curly braces at the beginning and the end: \
                 'a%20b' | write letters, digits and . _ - : , ~ @, or {name} with letters, \
                 digits and . _ - $"],
        ),
        (
            paths("/{a}b: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1{a}b: Resource's path part only allow a-zA-Z0-9._-:, or a valid \
                 greedy path variable and curly braces at the beginning and the end: '{a}b' | a \
                 parameter is a whole segment: {name}, or {name+} at the path's end"],
        ),
        (
            paths("/{}: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1{}: Resource's path part only allow a-zA-Z0-9._-:, or a valid \
                 greedy path variable and curly braces at the beginning and the end: '{}' | write \
                 letters, digits and . _ - : , ~ @, or {name} with letters, digits and . _ - $"],
        ),
        (
            paths("/{+}: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1{+}: Resource's path part only allow a-zA-Z0-9._-:, or a valid \
                 greedy path variable and curly braces at the beginning and the end: '{+}' | \
                 write letters, digits and . _ - : , ~ @, or {name} with letters, digits and . _ \
                 - $"],
        ),
        (
            paths("/{a+}/b: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1{a+}~1b: Cannot create a child of a resource with a greedy path \
                 variable: {a+} | let the greedy parameter be the last segment"],
        ),
        (
            paths("/{a b}: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1{a b}: Resource's path part only allow a-zA-Z0-9._-:, or a \
                 valid greedy path variable and curly braces at the beginning and the end: '{a \
                 b}' | write letters, digits and . _ - : , ~ @, or {name} with letters, digits \
                 and . _ - $"],
        ),
        (
            paths("/{a}/{a}: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1{a}~1{a}: the path has two parameters of the name 'a' | give \
                 them different names"],
        ),
        (
            paths("/café: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 error /paths/~1café: Resource's path part only allow a-zA-Z0-9._-:, or a valid \
                 greedy path variable and curly braces at the beginning and the end: 'café' | \
                 write letters, digits and . _ - : , ~ @, or {name} with letters, digits and . _ \
                 - $"],
        ),
    ]);
}

#[test]
fn paths_that_work_otherwise_than_they_look() {
    said(&[
        (
            paths("/a/: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 warning /paths/~1a~1: the slash at the path's end has no effect | API Gateway \
                 ignores slashes at the end, in definitions and requests"],
        ),
        (
            paths("/ping: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &["4 warning /paths/~1ping: AWS keeps /ping and /sping for itself | Ringway serves \
                 the path; choose another one if the API is to run on AWS too"],
        ),
        (
            paths("/sping/: { get: { x-amazon-apigateway-integration: { type: mock } } }"),
            &[
                "4 warning /paths/~1sping~1: AWS keeps /ping and /sping for itself | Ringway \
                 serves the path; choose another one if the API is to run on AWS too",
                "4 warning /paths/~1sping~1: the slash at the path's end has no effect | API \
                 Gateway ignores slashes at the end, in definitions and requests",
            ],
        ),
        (paths("/: { get: { x-amazon-apigateway-integration: { type: mock } } }"), &[]),
    ]);
}

#[test]
fn one_variable_for_each_parent() {
    said(&[
        (
            paths(
                r"/a/{x}: { get: { x-amazon-apigateway-integration: { type: mock } } }
/a/{x}/b: {}
/a/{y}/c: {}
/a/{x+}: {}
/b/{y}: {}",
            ),
            &[
                "6 error /paths/~1a~1{y}~1c: A sibling ({x}) of this resource already has a \
                 variable path part -- only one is allowed | rename {y} to {x}, or move one of \
                 the two",
                "7 error /paths/~1a~1{x+}: A sibling ({x}) of this resource already has a \
                 variable path part -- only one is allowed | rename {x+} to {x}, or move one of \
                 the two",
            ],
        ),
        (
            paths(
                r"/a: { get: { x-amazon-apigateway-integration: { type: mock } } }
/a/: { get: { x-amazon-apigateway-integration: { type: mock } } }",
            ),
            &[
                "5 error /paths/~1a~1: GET /a is declared twice | remove one of the two",
                "5 warning /paths/~1a~1: the slash at the path's end has no effect | API Gateway \
                 ignores slashes at the end, in definitions and requests",
            ],
        ),
    ]);
}

#[test]
fn methods_are_the_seven_and_any() {
    said(&[
        (
            paths(
                r"/b:
  GET: {}
  trace: {}
  query: {}
  gett: {}
  post: { x-amazon-apigateway-integration: { type: mock } }",
            ),
            &[
                "5 error /paths/~1b/GET: 'GET' is no method | write it as 'get'",
                "6 warning /paths/~1b/trace: 'trace' has no effect: API Gateway has no TRACE \
                 method | remove it, or leave it: nothing reads it",
                "7 warning /paths/~1b/query: 'query' has no effect: API Gateway has no QUERY \
                 method | remove it, or leave it: nothing reads it",
                "8 warning /paths/~1b/gett: a path has no key 'gett' | did you mean 'get'?",
            ],
        ),
        (
            paths(
                r"/b:
  get: { x-amazon-apigateway-integration: { type: mock } }
  put: null
  post: []
  X-Amazon-Apigateway-Any-Method: {}",
            ),
            &[
                "6 warning /paths/~1b/put: 'put' is null and counts as not there | remove the \
                 key, or give it a value",
                "7 error /paths/~1b/post: 'post' is a list, but has to be an object | write an \
                 object",
                "8 error /paths/~1b/X-Amazon-Apigateway-Any-Method: there is no extension \
                 'X-Amazon-Apigateway-Any-Method' | did you mean 'x-amazon-apigateway-any-method'?",
            ],
        ),
    ]);
}
