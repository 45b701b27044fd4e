//! Extensions: misspelt, of others, in the wrong place, and not carried out yet.

use super::{operation, paths, root, said};

#[test]
fn misspelt_extensions_are_errors_with_the_nearest_name() {
    said(&[
        (
            root("x-amazon-apigateway-polcy: {}"),
            &["4 error /x-amazon-apigateway-polcy: there is no extension \
                 'x-amazon-apigateway-polcy' | did you mean 'x-amazon-apigateway-policy'?"],
        ),
        (
            root("X-Amazon-Apigateway-Policy: {}"),
            &["4 error /X-Amazon-Apigateway-Policy: there is no extension \
                 'X-Amazon-Apigateway-Policy' | did you mean 'x-amazon-apigateway-policy'?"],
        ),
        (
            root("x-amazon-apigateway-anything-at-all: {}"),
            &["4 error /x-amazon-apigateway-anything-at-all: there is no extension \
                 'x-amazon-apigateway-anything-at-all' | did you mean \
                 'x-amazon-apigateway-integration'?"],
        ),
        (
            root("x-amazn-apigateway-policy: {}"),
            &["4 error /x-amazn-apigateway-policy: there is no extension \
                 'x-amazn-apigateway-policy' | did you mean 'x-amazon-apigateway-policy'?"],
        ),
        (
            root("x-ringway-throtle: {}"),
            &["4 error /x-ringway-throtle: there is no extension 'x-ringway-throtle' | did you \
                 mean 'x-ringway-throttle'?"],
        ),
        (
            root("x-ringway-cache: {}"),
            &["4 error /x-ringway-cache: there is no extension 'x-ringway-cache' | did you mean \
                 'x-ringway-throttle'?"],
        ),
        (
            root("x-amazon-apigateway-long-long-long-long-long-long-long-long-long-long-: {}"),
            &["4 error /x-amazon-apigateway-long-long-long-long-long-long-long-long-long-long-: \
                 there is no extension \
                 'x-amazon-apigateway-long-long-long-long-long-long-long-long-long-long-' | \
                 remove it"],
        ),
    ]);
}

#[test]
fn extensions_of_others_are_one_warning_each() {
    said(&[
        (
            root(
                r"x-google-backend: {}
x-kong-name: a",
            ),
            &[
                "4 warning /x-google-backend: 'x-google-backend' is another vendor's extension \
                 and has no effect | API Gateway ignores it too",
                "5 warning /x-kong-name: 'x-kong-name' is another vendor's extension and has no \
                 effect | API Gateway ignores it too",
            ],
        ),
        (
            paths(
                r"x-kong-name: a
/b:
  x-kong-name: a
  get: { x-kong-name: a, x-amazon-apigateway-integration: { type: mock } }",
            ),
            &["4 warning /paths/x-kong-name: 'x-kong-name' is another vendor's extension and \
                 has no effect (here and in 2 more places) | API Gateway ignores it too"],
        ),
        (
            paths(
                "/b: { x-kong-name: a, get: { x-kong-name: a, x-amazon-apigateway-integration: { type: mock } } }",
            ),
            &["4 warning /paths/~1b/x-kong-name: 'x-kong-name' is another vendor's extension \
                 and has no effect (here and in 1 more place) | API Gateway ignores it too"],
        ),
    ]);
}

#[test]
fn misplaced_extensions_name_their_home() {
    said(&[
        (
            root(
                r"x-amazon-apigateway-integration: {}
x-amazon-apigateway-auth: { type: AWS_IAM }",
            ),
            &[
                "4 warning /x-amazon-apigateway-integration: 'x-amazon-apigateway-integration' \
                 has no effect in the document | it belongs in an operation",
                "5 warning /x-amazon-apigateway-auth: 'x-amazon-apigateway-auth' has no effect in \
                 the document | it belongs in an operation",
            ],
        ),
        (
            operation(
                r"x-amazon-apigateway-policy: {}
x-amazon-apigateway-any-method: {}",
            ),
            &[
                "7 warning @/x-amazon-apigateway-policy: 'x-amazon-apigateway-policy' has no \
                 effect in an operation | it belongs in the document's root",
                "8 warning @/x-amazon-apigateway-any-method: 'x-amazon-apigateway-any-method' has \
                 no effect in an operation | it belongs in a path",
            ],
        ),
    ]);
}

#[test]
fn what_comes_later_is_said() {
    said(&[
        (
            root("x-amazon-apigateway-documentation: { version: 1 }"),
            &["4 not carried out /x-amazon-apigateway-documentation: documentation parts are \
                 not kept | they come with a later release; nothing about serving depends on them"],
        ),
        (
            root("x-amazon-apigateway-endpoint-configuration: { types: [PRIVATE] }"),
            &["4 not carried out /x-amazon-apigateway-endpoint-configuration: the endpoint \
                 configuration is not carried out | decide with --listen who reaches the gateway"],
        ),
        (
            root(
                "servers: [{ url: /, x-amazon-apigateway-endpoint-configuration: { vpcEndpointIds: [a] } }]",
            ),
            &["4 not carried out /servers/0/x-amazon-apigateway-endpoint-configuration: the \
                 endpoint configuration is not carried out | decide with --listen who reaches the \
                 gateway"],
        ),
        (
            root(
                r"x-amazon-apigateway-endpoint-access-mode: STRICT
x-amazon-apigateway-security-policy: TLS_1_2",
            ),
            &[
                "4 not carried out /x-amazon-apigateway-endpoint-access-mode: the endpoint's \
                 access mode is not carried out | decide with --listen who reaches the gateway",
                "5 not carried out /x-amazon-apigateway-security-policy: the endpoint's TLS \
                 policy is not carried out | it comes with TLS listeners in a later release",
            ],
        ),
        (
            root(
                r"x-amazon-apigateway-cors: { allowOrigins: ['*'] }
x-amazon-apigateway-importexport-version: '1.0'",
            ),
            &[
                "4 not carried out /x-amazon-apigateway-cors: this belongs to HTTP APIs, and has \
                 no effect on a REST API | HTTP APIs come with a later release; the document is \
                 served as a REST API",
                "5 not carried out /x-amazon-apigateway-importexport-version: this belongs to \
                 HTTP APIs, and has no effect on a REST API | HTTP APIs come with a later \
                 release; the document is served as a REST API",
            ],
        ),
        (
            root("tags: [{ name: a, x-amazon-apigateway-tag-value: b }]"),
            &["4 not carried out /tags/0/x-amazon-apigateway-tag-value: this belongs to HTTP \
                 APIs, and has no effect on a REST API | HTTP APIs come with a later release; the \
                 document is served as a REST API"],
        ),
    ]);
}

#[test]
fn a_policy_is_an_error() {
    said(&[
        (
            root("x-amazon-apigateway-policy: { Version: '2012-10-17', Statement: [] }"),
            &["4 error /x-amazon-apigateway-policy: the resource policy would not be enforced | \
                 resource policies come with a later release: until then restrict access in front \
                 of the gateway, and remove the policy to serve the API without it"],
        ),
        (
            root("x-amazon-apigateway-policy: null"),
            &["4 warning /x-amazon-apigateway-policy: 'x-amazon-apigateway-policy' is null and \
                 counts as not there | remove the key, or give it a value"],
        ),
    ]);
}
