//! What is wrong with integrations, or has no effect on their kind.

use super::{integration, said};

#[test]
fn an_integration_has_a_type() {
    said(&[
        (
            integration("{}"),
            &["7 error @/x-amazon-apigateway-integration: the integration has no type | write \
                 type: mock, http or http_proxy"],
        ),
        (
            integration("uri: http://a/"),
            &["7 error @/x-amazon-apigateway-integration: the integration has no type | write \
                 type: mock, http or http_proxy"],
        ),
        (
            integration("type: moc"),
            &["8 error @/x-amazon-apigateway-integration/type: 'moc' is no type | did you mean \
                 mock?"],
        ),
        (
            integration("type: lambda"),
            &["8 error @/x-amazon-apigateway-integration/type: 'lambda' is no type | write one \
                 of mock, http, http_proxy, aws, aws_proxy"],
        ),
        (
            integration("type: null"),
            &["7 error @/x-amazon-apigateway-integration: the integration has no type | write \
                 type: mock, http or http_proxy"],
        ),
        (
            integration(
                r"type: MOCK
url: http://a/
method: GET",
            ),
            &[
                "9 warning @/x-amazon-apigateway-integration/url: an integration has no key 'url' \
                 | did you mean 'uri'?",
                "10 warning @/x-amazon-apigateway-integration/method: an integration has no key \
                 'method' | remove it: nothing reads it",
            ],
        ),
        (
            integration("$ref: '#/components/x-amazon-apigateway-integrations/a'"),
            &["8 error @/x-amazon-apigateway-integration/$ref: there is no \
                 '#/components/x-amazon-apigateway-integrations/a' | define it, or mend the \
                 reference"],
        ),
    ]);
}

#[test]
fn an_integration_has_a_method() {
    said(&[
        (
            integration(
                r"type: http
uri: http://a/",
            ),
            &["7 error @/x-amazon-apigateway-integration: Enumeration value for HttpMethod must \
                 be non-empty | add httpMethod: the method towards the backend, or ANY for the \
                 client's own"],
        ),
        (
            integration(
                r"type: http_proxy
uri: http://a/
httpMethod: FETCH",
            ),
            &["10 error @/x-amazon-apigateway-integration/httpMethod: 'FETCH' is no method | \
                 write GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD or ANY"],
        ),
        (
            integration(
                r"type: http_proxy
uri: http://a/
httpMethod: any",
            ),
            &[],
        ),
    ]);
}

#[test]
fn values_of_an_integration_are_checked() {
    said(&[
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
passthroughBehavior: when_no_mach",
            ),
            &["11 error @/x-amazon-apigateway-integration/passthroughBehavior: 'when_no_mach' \
                 is no passthroughBehavior | did you mean when_no_match?"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
passthroughBehavior: sometimes",
            ),
            &["11 error @/x-amazon-apigateway-integration/passthroughBehavior: 'sometimes' is \
                 no passthroughBehavior | write one of when_no_match, when_no_templates, never"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
contentHandling: CONVERT_TO_BASE64",
            ),
            &["11 error @/x-amazon-apigateway-integration/contentHandling: 'CONVERT_TO_BASE64' \
                 is no contentHandling | did you mean CONVERT_TO_TEXT?"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
timeoutInMillis: 49",
            ),
            &["11 error @/x-amazon-apigateway-integration/timeoutInMillis: Timeout should be \
                 between 50 ms and 29000 ms | 49 is too short; it is a number of milliseconds"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
timeoutInMillis: 50",
            ),
            &[],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
timeoutInMillis: fast",
            ),
            &["11 error @/x-amazon-apigateway-integration/timeoutInMillis: 'timeoutInMillis' is \
                 a string (fast), but has to be a whole number from 0 to 4294967295 | write a \
                 whole number from 0 to 4294967295"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
timeoutInMillis: 99999999999",
            ),
            &["11 error @/x-amazon-apigateway-integration/timeoutInMillis: 'timeoutInMillis' is \
                 a number (99999999999), but has to be a whole number from 0 to 4294967295 | \
                 write a whole number from 0 to 4294967295"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
connectionType: VPC",
            ),
            &["11 error @/x-amazon-apigateway-integration/connectionType: 'VPC' is no \
                 connectionType | write one of INTERNET, VPC_LINK"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
connectionType: INTERNET
connectionId: abc",
            ),
            &["12 warning @/x-amazon-apigateway-integration/connectionId: 'connectionId' has no \
                 effect without connectionType: VPC_LINK | remove it"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
connectionId: abc",
            ),
            &["11 warning @/x-amazon-apigateway-integration/connectionId: 'connectionId' has no \
                 effect without connectionType: VPC_LINK | remove it"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
tlsConfig: { insecureSkipVerification: true }",
            ),
            &["11 warning @/x-amazon-apigateway-integration/tlsConfig/insecureSkipVerification: \
                 the backend's certificate is not checked: whoever answers is believed | give the \
                 backend's CA with --ca-file, and remove this"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
tlsConfig: { insecureSkipVerification: 'no', serverNameToVerify: a, ca: b }",
            ),
            &[
                "11 error @/x-amazon-apigateway-integration/tlsConfig/insecureSkipVerification: \
                 'insecureSkipVerification' is a string (no), but has to be true or false | write \
                 true or false",
                "11 not carried out \
                 @/x-amazon-apigateway-integration/tlsConfig/serverNameToVerify: this belongs to \
                 integrations of HTTP APIs, and has no effect on a REST API | HTTP APIs come with \
                 a later release",
                "11 warning @/x-amazon-apigateway-integration/tlsConfig/ca: tlsConfig has no key \
                 'ca' | remove it: nothing reads it",
            ],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
responseTransferMode: STREAM",
            ),
            &["11 not carried out @/x-amazon-apigateway-integration/responseTransferMode: \
                 'responseTransferMode: STREAM' changes nothing | answers of HTTP_PROXY are \
                 streamed anyway; raise --limit integration-timeout and --limit payload for long \
                 ones"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
responseTransferMode: SLOW",
            ),
            &["11 error @/x-amazon-apigateway-integration/responseTransferMode: 'SLOW' is no \
                 responseTransferMode | write one of BUFFERED, STREAM"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
responseTransferMode: BUFFERED",
            ),
            &[],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
credentials: 'arn:aws:iam::*:user/*'",
            ),
            &["11 not carried out @/x-amazon-apigateway-integration/credentials: credentials \
                 are not used | they matter to integrations with AWS services, which come with a \
                 later release"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
cacheNamespace: a
cacheKeyParameters: [method.request.path.id]",
            ),
            &[
                "11 not carried out @/x-amazon-apigateway-integration/cacheNamespace: responses \
                 are not cached yet, so this has no effect | caching comes with a later release",
                "12 not carried out @/x-amazon-apigateway-integration/cacheKeyParameters: \
                 responses are not cached yet, so this has no effect | caching comes with a later \
                 release",
            ],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
cacheKeyParameters: []",
            ),
            &[],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
payloadFormatVersion: '1.0'
integrationSubtype: SQS-SendMessage
responseParameters: { '200': {} }",
            ),
            &[
                "11 not carried out @/x-amazon-apigateway-integration/payloadFormatVersion: this \
                 belongs to integrations of HTTP APIs, and has no effect on a REST API | HTTP \
                 APIs come with a later release",
                "12 not carried out @/x-amazon-apigateway-integration/integrationSubtype: this \
                 belongs to integrations of HTTP APIs, and has no effect on a REST API | HTTP \
                 APIs come with a later release",
                "13 not carried out @/x-amazon-apigateway-integration/responseParameters: this \
                 belongs to integrations of HTTP APIs, and has no effect on a REST API | HTTP \
                 APIs come with a later release",
            ],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
integrationTarget: arn",
            ),
            &["11 not carried out @/x-amazon-apigateway-integration/integrationTarget: the \
                 integration target is not used | Ringway reaches private addresses directly: \
                 write the load balancer's address into uri"],
        ),
    ]);
}

#[test]
fn what_has_no_effect_on_a_mock() {
    said(&[
        (
            integration(
                r"type: mock
uri: http://a/
httpMethod: GET
requestParameters: { integration.request.header.X: method.request.header.X }
contentHandling: CONVERT_TO_TEXT
timeoutInMillis: 1000
connectionType: INTERNET
connectionId: a
tlsConfig: { insecureSkipVerification: false }",
            ),
            &[
                "9 warning @/x-amazon-apigateway-integration/uri: 'uri' has no effect: a MOCK \
                 integration calls nobody | remove it, or leave it: AWS ignores it too",
                "10 warning @/x-amazon-apigateway-integration/httpMethod: 'httpMethod' has no \
                 effect: a MOCK integration calls nobody | remove it, or leave it: AWS ignores it \
                 too",
                "11 warning @/x-amazon-apigateway-integration/requestParameters: \
                 'requestParameters' has no effect: a MOCK integration calls nobody | remove it, \
                 or leave it: AWS ignores it too",
                "12 warning @/x-amazon-apigateway-integration/contentHandling: 'contentHandling' \
                 has no effect: a MOCK integration calls nobody | remove it, or leave it: AWS \
                 ignores it too",
                "13 warning @/x-amazon-apigateway-integration/timeoutInMillis: 'timeoutInMillis' \
                 has no effect: a MOCK integration calls nobody | remove it, or leave it: AWS \
                 ignores it too",
                "14 warning @/x-amazon-apigateway-integration/connectionType: 'connectionType' \
                 has no effect: a MOCK integration calls nobody | remove it, or leave it: AWS \
                 ignores it too",
                "15 warning @/x-amazon-apigateway-integration/connectionId: 'connectionId' has no \
                 effect: a MOCK integration calls nobody | remove it, or leave it: AWS ignores it \
                 too",
                "16 warning @/x-amazon-apigateway-integration/tlsConfig: 'tlsConfig' has no \
                 effect: a MOCK integration calls nobody | remove it, or leave it: AWS ignores it \
                 too",
            ],
        ),
        (
            integration(
                r"type: mock
requestParameters: {}
tlsConfig: {}",
            ),
            &[],
        ),
    ]);
}

#[test]
fn what_has_no_effect_on_a_proxy() {
    said(&[
        (
            integration(
                r"type: http_proxy
uri: http://a/
httpMethod: GET
requestTemplates: { application/json: '{}' }",
            ),
            &["11 warning @/x-amazon-apigateway-integration/requestTemplates: \
                 'requestTemplates' has no effect: a proxy integration passes bodies and answers \
                 through | remove it, or leave it: AWS ignores it too"],
        ),
        (
            integration(
                r"type: http_proxy
uri: http://a/
httpMethod: GET
requestTemplates: {}",
            ),
            &[],
        ),
        (
            integration(
                r"type: http_proxy
uri: http://a/
httpMethod: GET
passthroughBehavior: never",
            ),
            &["11 warning @/x-amazon-apigateway-integration/passthroughBehavior: \
                 'passthroughBehavior' has no effect: a proxy integration passes bodies through | \
                 remove it, or use type: http with request templates"],
        ),
        (
            integration(
                r"type: http_proxy
uri: http://a/
httpMethod: GET
passthroughBehavior: when_no_match",
            ),
            &[],
        ),
        (
            integration(
                r"type: http_proxy
uri: http://a/
httpMethod: GET
responses: { default: { statusCode: '200' } }",
            ),
            &[],
        ),
        (
            integration(
                r"type: http_proxy
uri: http://a/
httpMethod: GET
responses: { default: {} }",
            ),
            &[
                "11 warning @/x-amazon-apigateway-integration/responses: 'responses' has no \
                 effect: a proxy integration passes bodies and answers through | remove it, or \
                 leave it: AWS ignores it too",
                "11 error @/x-amazon-apigateway-integration/responses/default: the integration \
                 response has no statusCode | add the status the client gets, like statusCode: \
                 \"200\"",
            ],
        ),
        (
            integration(
                r"type: http_proxy
uri: http://a/
httpMethod: GET
responses: { default: { statusCode: 200, responseParameters: {} } }",
            ),
            &["11 warning @/x-amazon-apigateway-integration/responses: 'responses' has no \
                 effect: a proxy integration passes bodies and answers through | remove it, or \
                 leave it: AWS ignores it too"],
        ),
        (
            integration(
                r"type: http_proxy
uri: http://a/
httpMethod: GET
responses: { 4..: { statusCode: 400 } }",
            ),
            &["11 warning @/x-amazon-apigateway-integration/responses: 'responses' has no \
                 effect: a proxy integration passes bodies and answers through | remove it, or \
                 leave it: AWS ignores it too"],
        ),
        (
            integration(
                r"type: http_proxy
uri: http://a/
httpMethod: GET
responses: {}",
            ),
            &[],
        ),
    ]);
}

#[test]
fn integration_responses_have_a_status() {
    said(&[
        (
            integration(
                r"type: mock
responses:
  default: {}
  2..: { statusCode: OK }
  3..: { statusCode: 200.0, selectionPattern: a }
  4..: []
  5..: { statusCode: null }",
            ),
            &[
                "10 error @/x-amazon-apigateway-integration/responses/default: the integration \
                 response has no statusCode | add the status the client gets, like statusCode: \
                 \"200\"",
                "11 error @/x-amazon-apigateway-integration/responses/2../statusCode: \
                 'statusCode' is a string (OK), but has to be a status from 100 to 599 | write a \
                 status from 100 to 599",
                "12 error @/x-amazon-apigateway-integration/responses/3../statusCode: \
                 'statusCode' is a number (200.0), but has to be a status from 100 to 599 | write \
                 a status from 100 to 599",
                "12 warning @/x-amazon-apigateway-integration/responses/3../selectionPattern: an \
                 integration response has no key 'selectionPattern' | remove it: nothing reads it",
                "13 error @/x-amazon-apigateway-integration/responses/4..: '4..' is a list, but \
                 has to be an object | write an object",
                "14 error @/x-amazon-apigateway-integration/responses/5../statusCode: \
                 'statusCode' is null, but has to be a status from 100 to 599 | write a status \
                 from 100 to 599",
            ],
        ),
        (
            integration(
                r"type: mock
responses:
  4..: { statusCode: 200 }
  5..: { statusCode: '200', contentHandling: CONVERT }",
            ),
            &[
                "11 warning @/x-amazon-apigateway-integration/responses/5../statusCode: another \
                 integration response gives the status 200 already | Ringway tells them apart by \
                 their patterns, AWS keeps one for each status: join the patterns with '|'",
                "11 error @/x-amazon-apigateway-integration/responses/5../contentHandling: \
                 'CONVERT' is no contentHandling | write one of CONVERT_TO_TEXT, CONVERT_TO_BINARY",
            ],
        ),
    ]);
}

#[test]
fn mappings_read_what_is_declared() {
    said(&[
        (
            integration(
                r#"type: http
uri: http://a/{id}
httpMethod: GET
requestParameters:
  integration.request.path.id: method.request.path.id
  integration.request.header.A: method.request.header.A
  integration.request.querystring.B: method.request.multivaluequerystring.B
  integration.request.header.C: method.request.body.c
  integration.request.header.D: "'method.request.header.D'"
  integration.request.header.E: context.stage"#,
            ),
            &[
                "13 warning \
                 @/x-amazon-apigateway-integration/requestParameters/integration.request.header.A: \
                 Invalid mapping expression parameter specified: method.request.header.A | \
                 Ringway maps it, AWS refuses the import: declare it under the operation's \
                 parameters",
                "14 warning \
                 @/x-amazon-apigateway-integration/requestParameters/integration.request.querystring.B: \
                 Invalid mapping expression parameter specified: method.request.querystring.B | \
                 Ringway maps it, AWS refuses the import: declare it under the operation's \
                 parameters",
            ],
        ),
        (
            integration(
                r#"type: mock
responses:
  default: { statusCode: 200, responseParameters: { method.response.header.x: "'1'", method.response.header.Y: "'1'" } }
  4..: { statusCode: 404 }"#,
            ),
            &[
                "10 warning \
                 @/x-amazon-apigateway-integration/responses/default/responseParameters/method.response.header.Y: \
                 Invalid mapping expression parameter specified: method.response.header.Y | \
                 Ringway sends it, AWS refuses the import: declare the header under responses, \
                 200, headers",
                "11 warning @/x-amazon-apigateway-integration/responses/4../statusCode: Output \
                 mapping refers to an invalid method response: 404 | a request that ends here \
                 gets 500: declare 404 under responses",
            ],
        ),
    ]);
}
