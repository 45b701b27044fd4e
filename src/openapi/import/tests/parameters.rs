//! What is wrong with parameters, bodies and responses.

use super::{operation, paths, said, swagger};

#[test]
fn a_parameter_has_a_name_and_a_place() {
    said(&[
        (
            operation("parameters: [{}]"),
            &["7 error @/parameters/0: the parameter has no 'name' | a parameter has a name, \
                 and says where it is: path, query or header"],
        ),
        (
            operation("parameters: [{ name: a }]"),
            &["7 error @/parameters/0: the parameter has no 'in' | a parameter has a name, and \
                 says where it is: path, query or header"],
        ),
        (
            operation("parameters: [{ in: query }]"),
            &["7 error @/parameters/0: the parameter has no 'name' | a parameter has a name, \
                 and says where it is: path, query or header"],
        ),
        (
            operation("parameters: [{ name: null, in: query }]"),
            &["7 error @/parameters/0: the parameter has no 'name' | a parameter has a name, \
                 and says where it is: path, query or header"],
        ),
        (
            operation("parameters: [{ name: a, in: body }]"),
            &["7 error @/parameters/0/in: a parameter cannot be in 'body' | write path, query \
                 or header"],
        ),
        (
            operation("parameters: [{ name: a, in: formData }]"),
            &["7 error @/parameters/0/in: a parameter cannot be in 'formData' | write path, \
                 query or header"],
        ),
        (
            operation("parameters: [{ name: a, in: cookie }]"),
            &["7 warning @/parameters/0: 'a' is a cookie parameter and has no effect | API \
                 Gateway knows parameters in path, query and header; a proxy integration passes \
                 everything on"],
        ),
        (
            operation("parameters: [{ name: a, in: nowhere }]"),
            &["7 error @/parameters/0/in: a parameter cannot be in 'nowhere' | write path, \
                 query or header"],
        ),
        (
            operation("parameters: [{ name: 'a[b]', in: query }]"),
            &["7 error @/parameters/0: Invalid mapping expression specified: \
                 method.request.querystring.a[b] | a name consists of letters, digits, '.', '_', \
                 '$' and '-': leave the parameter out, a proxy integration passes it on all the \
                 same"],
        ),
        (
            operation("parameters: [{ name: '', in: header }]"),
            &["7 error @/parameters/0: Invalid mapping expression specified: \
                 method.request.header. | a name consists of letters, digits, '.', '_', '$' and \
                 '-': leave the parameter out, a proxy integration passes it on all the same"],
        ),
        (
            operation("parameters: [{ name: id, in: path, required: false }]"),
            &["7 warning @/parameters/0/required: a path parameter is always required | write \
                 required: true, or leave it out"],
        ),
        (
            operation("parameters: [{ name: ID, in: path }]"),
            &["7 warning @/parameters/0: the path /a/{id} has no parameter 'ID' | did you mean \
                 'id'?"],
        ),
        (
            operation("parameters: [{ name: zebra, in: path }]"),
            &["7 warning @/parameters/0: the path /a/{id} has no parameter 'zebra' | write \
                 {zebra} in the path, or remove the parameter"],
        ),
        (
            operation("parameters: [{ name: a, in: query, requierd: true }]"),
            &["7 warning @/parameters/0/requierd: a parameter has no key 'requierd' | did you \
                 mean 'required'?"],
        ),
        (
            operation("parameters: [{ name: a, in: query, required: 'yes' }]"),
            &["7 error @/parameters/0/required: 'required' is a string (yes), but has to be \
                 true or false | write true or false"],
        ),
        (
            operation("parameters: [7]"),
            &["7 error @/parameters/0: '0' is a number (7), but has to be an object | write an \
                 object"],
        ),
        (swagger("parameters: [{ name: a, in: body, schema: {} }]"), &[]),
        (
            swagger("parameters: [{ name: a, in: formData }, { name: b, in: cookie }]"),
            &[
                "7 warning @/parameters/0: 'a' is a formData parameter and has no effect | API \
                 Gateway knows parameters in path, query and header; a proxy integration passes \
                 everything on",
                "7 error @/parameters/1/in: a parameter cannot be in 'cookie' | write path, query \
                 or header",
            ],
        ),
    ]);
}

#[test]
fn names_of_parameters_are_unique() {
    said(&[
        (
            operation("parameters: [{ name: a, in: query }, { name: a, in: query }]"),
            &["7 error @/parameters/1: the querystring parameter 'a' is declared twice | remove \
                 one of the two"],
        ),
        (
            operation("parameters: [{ name: a, in: query }, { name: a, in: header }]"),
            &["7 error @/parameters/1: Parameter names must be unique across querystring, \
                 header and path: 'a' is in querystring too | rename one of the two, or leave it \
                 out: proxy integrations pass everything on"],
        ),
        (
            paths(
                r"/b:
  parameters: [{ name: a, in: query }]
  get: { parameters: [{ name: a, in: header }], x-amazon-apigateway-integration: { type: mock } }",
            ),
            &["5 error /paths/~1b/parameters/0: Parameter names must be unique across \
                 querystring, header and path: 'a' is in header too | rename one of the two, or \
                 leave it out: proxy integrations pass everything on"],
        ),
    ]);
}

#[test]
fn responses_have_statuses() {
    said(&[
        (
            operation(
                r"responses:
  default: {}
  2XX: {}
  99: {}
  '600': {}
  2000: {}
  ok: {}
  x-kong-name: a
  200: { header: {} }
  404: []",
            ),
            &[
                "9 warning @/responses/2XX: the status range '2XX' makes no method response | API \
                 Gateway knows single statuses only: write each one",
                "10 error @/responses/99: Invalid status code: 99 | write a status from 100 to \
                 599, or default",
                "11 error @/responses/600: Invalid status code: 600 | write a status from 100 to \
                 599, or default",
                "12 error @/responses/2000: Invalid status code: 2000 | write a status from 100 \
                 to 599, or default",
                "13 error @/responses/ok: Invalid status code: ok | write a status from 100 to \
                 599, or default",
                "14 warning @/responses/x-kong-name: 'x-kong-name' is another vendor's extension \
                 and has no effect | API Gateway ignores it too",
                "15 warning @/responses/200/header: a response has no key 'header' | did you mean \
                 'headers'?",
                "16 error @/responses/404: '404' is a list, but has to be an object | write an \
                 object",
            ],
        ),
        (
            operation(
                "responses: { '200': { headers: { X: { type: string, nmae: 1 }, Y: 7, Z: { $ref: '#/info/title' } } } }",
            ),
            &[
                "2 error /info/title: 'title' is a string (T), but has to be an object | write an \
                 object",
                "7 warning @/responses/200/headers/X/nmae: a header has no key 'nmae' | remove \
                 it: nothing reads it",
                "7 error @/responses/200/headers/Y: 'Y' is a number (7), but has to be an object \
                 | write an object",
            ],
        ),
        (
            operation("requestBody: { content: {}, contents: {} }"),
            &["7 warning @/requestBody/contents: a request body has no key 'contents' | did you \
                 mean 'content'?"],
        ),
    ]);
}
