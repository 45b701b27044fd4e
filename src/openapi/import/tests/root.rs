//! The root's keys, and the extensions that belong there.

use super::{operation, raw, root, said};

#[test]
fn a_document_says_what_it_is() {
    said(&[
        (
            raw("[]"),
            &["1 error : the document is a list, but has to be an object | write an object"],
        ),
        (
            raw("text"),
            &["1 error : the document is a string (text), but has to be an object | write an \
                 object"],
        ),
        (
            raw("info: { title: T }"),
            &["1 error : Invalid OpenAPI input. The document has neither 'openapi' nor \
                 'swagger' | write openapi: 3.0.3 or swagger: \"2.0\" at the top"],
        ),
        (
            raw("swagger: '1.2'"),
            &["1 error /swagger: Invalid OpenAPI input. The version 1.2 is not supported | use \
                 OpenAPI 3.0 or 3.1, or Swagger 2.0"],
        ),
        (
            raw("openapi: 3.2.0"),
            &["1 error /openapi: Invalid OpenAPI input. The version 3.2.0 is not supported | \
                 use OpenAPI 3.0 or 3.1, or Swagger 2.0"],
        ),
        (
            raw("openapi: [3]"),
            &["1 error /openapi: Invalid OpenAPI input. The version a list is not supported | \
                 use OpenAPI 3.0 or 3.1, or Swagger 2.0"],
        ),
        (
            raw(r"openapi: 3.0.1
swagger: '2.0'"),
            &["1 error /openapi: Invalid OpenAPI input. The document says both 'swagger' and \
                 'openapi' | write openapi: 3.0.3 or swagger: \"2.0\" at the top"],
        ),
    ]);
}

#[test]
fn the_api_has_a_name_and_a_method() {
    said(&[
        (
            raw(r"openapi: 3.0.1
paths: {}"),
            &[
                "1 error : the document has no info | add info with a title: it names the API",
                "2 error /paths: The REST API doesn't contain any methods | add a path with an \
                 operation",
            ],
        ),
        (
            raw(r"openapi: 3.0.1
info: null
paths: null"),
            &[
                "1 error : the document has no info | add info with a title: it names the API",
                "2 warning /info: 'info' is null and counts as not there | remove the key, or \
                 give it a value",
                "3 error /paths: The REST API doesn't contain any methods | add a path with an \
                 operation",
                "3 warning /paths: 'paths' is null and counts as not there | remove the key, or \
                 give it a value",
            ],
        ),
        (
            raw(r"openapi: 3.1.0
info: {}
paths: []"),
            &[
                "2 error /info: info has no title | add one: it names the API",
                "3 error /paths: 'paths' is a list, but has to be an object | write an object",
                "3 error /paths: The REST API doesn't contain any methods | add a path with an \
                 operation",
            ],
        ),
        (
            raw(r"swagger: 2.0
info: { title: '' }
paths: { /a: {} }"),
            &[
                "2 error /info: info has no title | add one: it names the API",
                "3 error /paths: The REST API doesn't contain any methods | add a path with an \
                 operation",
            ],
        ),
        (
            raw(r"openapi: 3.0.1
info:
  title: [T]
  version: {}
  licence: MIT
paths: { /a: null }"),
            &[
                "2 error /info: info has no title | add one: it names the API",
                "3 error /info/title: 'title' is a list, but has to be a string | write a string",
                "4 error /info/version: 'version' is an object, but has to be a string | write a \
                 string",
                "5 warning /info/licence: info has no key 'licence' | did you mean 'license'?",
                "6 error /paths: The REST API doesn't contain any methods | add a path with an \
                 operation",
                "6 warning /paths/~1a: '/a' is null and counts as not there | remove the key, or \
                 give it a value",
            ],
        ),
    ]);
}

#[test]
fn keys_of_the_root_are_known_or_reported() {
    said(&[
        (
            root("path: {}"),
            &["4 warning /path: the document has no key 'path' | did you mean 'paths'?"],
        ),
        (
            root("zebra: 1"),
            &["4 warning /zebra: the document has no key 'zebra' | remove it: nothing reads it"],
        ),
        (
            root("webhooks: {}"),
            &["4 warning /webhooks: 'webhooks' has no effect: API Gateway calls nobody by \
                 itself | remove it, or leave it: nothing reads it"],
        ),
        (
            root("definitions: {}"),
            &["4 warning /definitions: the document has no key 'definitions' | remove it: \
                 nothing reads it"],
        ),
        (
            root("tags: { name: a }"),
            &["4 error /tags: 'tags' is an object, but has to be a list | write a list"],
        ),
        (
            root("tags: [{ name: a, titel: b }]"),
            &["4 warning /tags/0/titel: a tag has no key 'titel' | remove it: nothing reads it"],
        ),
        (
            root("servers: [{ url: /, urls: [] }]"),
            &["4 warning /servers/0/urls: a server has no key 'urls' | did you mean 'url'?"],
        ),
        (
            root(
                r"components:
  schema: {}
  securitySchemes: null
  x-amazon-apigateway-integrations: {}",
            ),
            &[
                "5 warning /components/schema: components has no key 'schema' | did you mean \
                 'schemas'?",
                "6 warning /components/securitySchemes: 'securitySchemes' is null and counts as \
                 not there | remove the key, or give it a value",
                "7 warning /components/x-amazon-apigateway-integrations: named integrations \
                 belong to HTTP APIs: AWS reads none for a REST API | Ringway follows a $ref to \
                 them; to run on AWS too, write each one into its operation",
            ],
        ),
    ]);
}

#[test]
fn binary_media_types_are_texts() {
    said(&[
        (
            root(
                "x-amazon-apigateway-binary-media-types: [image/png, '*/*', '*/png', 7, [], null]",
            ),
            &[
                "4 warning /x-amazon-apigateway-binary-media-types/2: '*/png' never matches | API \
                 Gateway knows type/subtype, type/* and */*",
                "4 error /x-amazon-apigateway-binary-media-types/4: '4' is a list, but has to be \
                 a string | write a string",
                "4 error /x-amazon-apigateway-binary-media-types/5: '5' is null, but has to be a \
                 string | write a string",
            ],
        ),
        (
            root("x-amazon-apigateway-binary-media-types: image/png"),
            &["4 error /x-amazon-apigateway-binary-media-types: \
                 'x-amazon-apigateway-binary-media-types' is a string (image/png), but has to be \
                 a list | write a list"],
        ),
        (
            root("x-amazon-apigateway-binary-media-types: null"),
            &["4 warning /x-amazon-apigateway-binary-media-types: \
                 'x-amazon-apigateway-binary-media-types' is null and counts as not there | \
                 remove the key, or give it a value"],
        ),
    ]);
}

#[test]
fn the_compression_size_is_a_number_of_bytes() {
    said(&[
        (root("x-amazon-apigateway-minimum-compression-size: 0"), &[]),
        (root("x-amazon-apigateway-minimum-compression-size: 10485760"), &[]),
        (root("x-amazon-apigateway-minimum-compression-size: null"), &[]),
        (
            root("x-amazon-apigateway-minimum-compression-size: 10485761"),
            &["4 error /x-amazon-apigateway-minimum-compression-size: Invalid minimum \
                 compression size, must be between 0 and 10485760 | 10485761 is too large; it is \
                 a number of bytes"],
        ),
        (
            root("x-amazon-apigateway-minimum-compression-size: -1"),
            &["4 error /x-amazon-apigateway-minimum-compression-size: \
                 'x-amazon-apigateway-minimum-compression-size' is a number (-1), but has to be a \
                 whole number from 0 to 4294967295 | write a whole number from 0 to 4294967295"],
        ),
        (
            root("x-amazon-apigateway-minimum-compression-size: 1.5"),
            &["4 error /x-amazon-apigateway-minimum-compression-size: \
                 'x-amazon-apigateway-minimum-compression-size' is a number (1.5), but has to be \
                 a whole number from 0 to 4294967295 | write a whole number from 0 to 4294967295"],
        ),
        (
            root("x-amazon-apigateway-minimum-compression-size: '1024'"),
            &["4 error /x-amazon-apigateway-minimum-compression-size: \
                 'x-amazon-apigateway-minimum-compression-size' is a string (1024), but has to be \
                 a whole number from 0 to 4294967295 | write a whole number from 0 to 4294967295"],
        ),
        (
            root("x-amazon-apigateway-minimum-compression-size: []"),
            &["4 error /x-amazon-apigateway-minimum-compression-size: \
                 'x-amazon-apigateway-minimum-compression-size' is a list, but has to be a whole \
                 number from 0 to 4294967295 | write a whole number from 0 to 4294967295"],
        ),
    ]);
}

#[test]
fn gateway_responses_have_types_and_statuses() {
    said(&[
        (
            root(
                r"x-amazon-apigateway-gateway-responses:
  THROTTLED: { statusCode: 99 }
  UNAUTHORIZED: { statusCode: 4XX, status: 401 }
  ACCESS_DENIED: null
  DEFAULT_4XX: { statusCode: null, responseTemplates: { application/json: null }, responseParameters: [] }
  THROTLED: {}
  nothing: {}
  DEFAULT_5XX: { responseParameters: { gatewayresponse.header.X: {} } }",
            ),
            &[
                "5 error /x-amazon-apigateway-gateway-responses/THROTTLED/statusCode: \
                 'statusCode' is a number (99), but has to be a status from 100 to 599 | write a \
                 status from 100 to 599",
                "6 not carried out /x-amazon-apigateway-gateway-responses/UNAUTHORIZED: no answer \
                 of type UNAUTHORIZED occurs: authorizers and IAM come with a later release | \
                 leave it: it does no harm",
                "6 error /x-amazon-apigateway-gateway-responses/UNAUTHORIZED/statusCode: \
                 'statusCode' is a string (4XX), but has to be a status from 100 to 599 | write a \
                 status from 100 to 599",
                "6 warning /x-amazon-apigateway-gateway-responses/UNAUTHORIZED/status: a gateway \
                 response has no key 'status' | remove it: nothing reads it",
                "7 warning /x-amazon-apigateway-gateway-responses/ACCESS_DENIED: 'ACCESS_DENIED' \
                 is null and counts as not there | remove the key, or give it a value",
                "8 warning \
                 /x-amazon-apigateway-gateway-responses/DEFAULT_4XX/responseTemplates/application~1json: \
                 'application/json' is null and counts as not there | remove the key, or give it \
                 a value",
                "8 error /x-amazon-apigateway-gateway-responses/DEFAULT_4XX/responseParameters: \
                 'responseParameters' is a list, but has to be an object | write an object",
                "9 error /x-amazon-apigateway-gateway-responses/THROTLED: there is no gateway \
                 response type 'THROTLED' | did you mean THROTTLED?",
                "10 error /x-amazon-apigateway-gateway-responses/nothing: there is no gateway \
                 response type 'nothing' | did you mean THROTTLED?",
                "11 error \
                 /x-amazon-apigateway-gateway-responses/DEFAULT_5XX/responseParameters/gatewayresponse.header.X: \
                 'gatewayresponse.header.X' is an object, but has to be a string | write a string",
            ],
        ),
        (
            root("x-amazon-apigateway-gateway-responses: []"),
            &["4 error /x-amazon-apigateway-gateway-responses: \
                 'x-amazon-apigateway-gateway-responses' is a list, but has to be an object | \
                 write an object"],
        ),
    ]);
}

#[test]
fn a_throttle_has_a_rate_and_a_burst() {
    said(&[
        (root("x-ringway-throttle: { rateLimit: 0.5, burstLimit: 1 }"), &[]),
        (
            root("x-ringway-throttle: {}"),
            &["4 error /x-ringway-throttle: x-ringway-throttle has no rateLimit | write both: \
                 rateLimit (requests a second) and burstLimit (requests at once)"],
        ),
        (
            root("x-ringway-throttle: { rateLimit: 1 }"),
            &["4 error /x-ringway-throttle: x-ringway-throttle has no burstLimit | write both: \
                 rateLimit (requests a second) and burstLimit (requests at once)"],
        ),
        (
            root("x-ringway-throttle: { rateLimit: 0, burstLimit: 1 }"),
            &["4 error /x-ringway-throttle/rateLimit: 'rateLimit' is a number (0), but has to \
                 be a number of requests a second above 0 | write a number of requests a second \
                 above 0"],
        ),
        (
            root("x-ringway-throttle: { rateLimit: '5', burstLimit: 1 }"),
            &["4 error /x-ringway-throttle/rateLimit: 'rateLimit' is a string (5), but has to \
                 be a number of requests a second above 0 | write a number of requests a second \
                 above 0"],
        ),
        (
            root("x-ringway-throttle: { rateLimit: 5, burstLimit: 1.5 }"),
            &["4 error /x-ringway-throttle/burstLimit: 'burstLimit' is a number (1.5), but has \
                 to be a whole number from 0 to 4294967295 | write a whole number from 0 to \
                 4294967295"],
        ),
        (
            root("x-ringway-throttle: { rateLimit: 5, burstLimit: 0 }"),
            &["4 error /x-ringway-throttle/burstLimit: 'burstLimit' is a number (0), but has to \
                 be a whole number of requests, at least 1 | write a whole number of requests, at \
                 least 1"],
        ),
        (
            root("x-ringway-throttle: { rateLimit: 5, burstLimit: 5, period: 1 }"),
            &["4 warning /x-ringway-throttle/period: x-ringway-throttle has no key 'period' | \
                 remove it: nothing reads it"],
        ),
        (
            root("x-ringway-throttle: null"),
            &["4 warning /x-ringway-throttle: 'x-ringway-throttle' is null and counts as not \
                 there | remove the key, or give it a value"],
        ),
        (
            root("x-ringway-throttle: 5"),
            &["4 error /x-ringway-throttle: 'x-ringway-throttle' is a number (5), but has to be \
                 an object | write an object"],
        ),
        (
            operation("x-ringway-throttle: { rateLimit: -1, burstLimit: 2 }"),
            &["7 error @/x-ringway-throttle/rateLimit: 'rateLimit' is a number (-1), but has to \
                 be a number of requests a second above 0 | write a number of requests a second \
                 above 0"],
        ),
    ]);
}
