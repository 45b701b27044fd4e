//! What is wrong with `$ref`s.

use super::{operation, root, said};

#[test]
fn references_lead_to_what_they_name() {
    said(&[
        (
            operation("parameters: [{ $ref: '#/components/parameters/p' }]"),
            &["7 error @/parameters/0/$ref: there is no '#/components/parameters/p' | define \
                 it, or mend the reference"],
        ),
        (
            operation("parameters: [{ $ref: 'other.yaml#/p' }]"),
            &["7 error @/parameters/0/$ref: 'other.yaml#/p' leads out of the document | API \
                 Gateway takes local references only: copy the object into this file"],
        ),
        (
            operation("parameters: [{ $ref: '#/inf' }]"),
            &["7 error @/parameters/0/$ref: there is no '#/inf' | did you mean '#/info'?"],
        ),
        (
            operation("parameters: [{ $ref: '#x' }]"),
            &["7 error @/parameters/0/$ref: there is no '#x' | define it, or mend the reference"],
        ),
        (
            operation("parameters: [{ $ref: '#/paths/~1b' }]"),
            &["7 error @/parameters/0/$ref: there is no '#/paths/~1b' | define it, or mend the \
                 reference"],
        ),
        (
            operation("parameters: [{ $ref: '#/a/b/c' }]"),
            &["7 error @/parameters/0/$ref: there is no '#/a/b/c' | define it, or mend the \
                 reference"],
        ),
        (
            operation("parameters: [{ $ref: 7 }]"),
            &["7 error @/parameters/0/$ref: '$ref' is a number (7), but has to be a string | \
                 write a string"],
        ),
        (
            root(
                "components: { parameters: { page: {} }, securitySchemes: { a: { $ref: '#/components/parameters/pagee' } } }",
            ),
            &["4 error /components/securitySchemes/a/$ref: there is no \
                 '#/components/parameters/pagee' | did you mean '#/components/parameters/page'?"],
        ),
        (
            operation(
                "responses: { '200': { $ref: '#/paths/~1a~1{id}/get/responses/404', headers: {} }, '404': { description: a } }",
            ),
            &["7 warning @/responses/200/headers: 'headers' stands beside a $ref and has no \
                 effect | move it to where the $ref leads"],
        ),
        (
            operation(
                "responses: { '200': { $ref: '#/paths/~1a~1{id}/get/responses/404', description: b } , '404': {} }",
            ),
            &[],
        ),
    ]);
}

#[test]
fn references_that_go_round_are_errors() {
    said(&[
        (
            operation("responses: { '200': { $ref: '#/paths/~1a~1{id}/get/responses/200' } }"),
            &["7 error @/responses/200/$ref: '$ref' leads back to itself: @/responses/200 -> \
                 @/responses/200 | let it lead to the object itself"],
        ),
        (
            operation(
                "responses: { '200': { $ref: '#/paths/~1a~1{id}/get/responses/404' }, '404': { $ref: '#/paths/~1a~1{id}/get/responses/200' } }",
            ),
            &[
                "7 error @/responses/200/$ref: '$ref' leads back to itself: @/responses/404 -> \
                 @/responses/200 -> /pat... | let it lead to the object itself",
                "7 error @/responses/404/$ref: '$ref' leads back to itself: @/responses/200 -> \
                 @/responses/404 -> /pat... | let it lead to the object itself",
            ],
        ),
        (
            operation("parameters: [{ $ref: '#' }]"),
            &[
                "1 error : the parameter has no 'name' | a parameter has a name, and says where \
                 it is: path, query or header",
                "1 warning /openapi: a parameter has no key 'openapi' | remove it: nothing reads \
                 it",
                "2 warning /info: a parameter has no key 'info' | remove it: nothing reads it",
                "3 warning /paths: a parameter has no key 'paths' | remove it: nothing reads it",
            ],
        ),
    ]);
}
