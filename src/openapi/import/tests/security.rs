//! Security that Ringway would not enforce.

use super::{operation, raw, root, said, secured};

#[test]
fn whatever_aws_enforces_is_an_error() {
    said(&[
        (
            secured("{ type: apiKey, name: x-api-key, in: header }"),
            &[
                "3 warning /paths/~1a/get/security/0/s: the API key ('s') closes this method where there are \
                 no keys | 'ringway run' has none, so these requests are answered 403: import the \
                 document into 'ringway serve', which keeps keys and usage plans",
            ],
        ),
        (
            secured("{ type: apiKey, name: X-API-Key, in: query }"),
            &[
                "3 warning /paths/~1a/get/security/0/s: the API key ('s') closes this method where there are \
                 no keys | 'ringway run' has none, so these requests are answered 403: import the \
                 document into 'ringway serve', which keeps keys and usage plans",
            ],
        ),
        (
            secured(
                "{ type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4 }",
            ),
            &[
                "3 error /paths/~1a/get/security/0/s: AWS_IAM authorization ('s') would not be \
                 enforced for this method | authorizers come with a later release: \
                 until then check callers in the integration or in front of the gateway, and \
                 remove the requirement to serve without it",
                "4 not carried out /components/securitySchemes/s/x-amazon-apigateway-authtype: \
                 authorizers are not carried out | they come with a later release; methods that \
                 use one are errors until then",
            ],
        ),
        (
            secured(
                "{ type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: custom, x-amazon-apigateway-authorizer: { type: token } }",
            ),
            &[
                "3 error /paths/~1a/get/security/0/s: the authorizer 's' would not be enforced \
                 for this method | authorizers come with a later release: until then \
                 check callers in the integration or in front of the gateway, and remove the \
                 requirement to serve without it",
                "4 not carried out /components/securitySchemes/s/x-amazon-apigateway-authtype: \
                 authorizers are not carried out | they come with a later release; methods that \
                 use one are errors until then",
                "4 not carried out /components/securitySchemes/s/x-amazon-apigateway-authorizer: \
                 authorizers are not carried out | they come with a later release; methods that \
                 use one are errors until then",
            ],
        ),
        (
            secured(
                "{ type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: cognito_user_pools }",
            ),
            &[
                "3 error /paths/~1a/get/security/0/s: the authorizer 's' would not be enforced \
                 for this method | authorizers come with a later release: until then \
                 check callers in the integration or in front of the gateway, and remove the \
                 requirement to serve without it",
                "4 not carried out /components/securitySchemes/s/x-amazon-apigateway-authtype: \
                 authorizers are not carried out | they come with a later release; methods that \
                 use one are errors until then",
            ],
        ),
        (
            secured("{ type: oauth2, x-amazon-apigateway-authorizer: { type: jwt } }"),
            &[
                "3 error /paths/~1a/get/security/0/s: the authorizer 's' would not be enforced \
                 for this method | authorizers come with a later release: until then \
                 check callers in the integration or in front of the gateway, and remove the \
                 requirement to serve without it",
                "4 not carried out /components/securitySchemes/s/x-amazon-apigateway-authorizer: \
                 authorizers are not carried out | they come with a later release; methods that \
                 use one are errors until then",
            ],
        ),
        (
            secured("{ type: apiKey, name: A, in: header, x-amazon-apigateway-authorizer: null }"),
            &[
                "3 error /paths/~1a/get/security/0/s: the authorizer 's' would not be enforced \
                 for this method | authorizers come with a later release: until then \
                 check callers in the integration or in front of the gateway, and remove the \
                 requirement to serve without it",
                "4 warning /components/securitySchemes/s/x-amazon-apigateway-authorizer: \
                 'x-amazon-apigateway-authorizer' is null and counts as not there | remove the key, \
                 or give it a value",
            ],
        ),
        (
            secured("{ $ref: '#/components/x' }"),
            &["4 error /components/securitySchemes/s/$ref: there is no '#/components/x' | \
                 define it, or mend the reference"],
        ),
    ]);
}

#[test]
fn a_scheme_that_enforces_nothing_is_a_warning() {
    said(&[
        (
            secured("{ type: http, scheme: bearer }"),
            &["3 warning /paths/~1a/get/security/0/s: the security scheme 's' enforces nothing \
                 | API Gateway needs x-amazon-apigateway-authorizer in the scheme, or an apiKey \
                 named x-api-key in the header; AWS leaves the method open too"],
        ),
        (
            secured("{ type: apiKey, name: Authorization, in: header }"),
            &["3 warning /paths/~1a/get/security/0/s: the security scheme 's' enforces nothing \
                 | API Gateway needs x-amazon-apigateway-authorizer in the scheme, or an apiKey \
                 named x-api-key in the header; AWS leaves the method open too"],
        ),
        (
            secured("{ type: oauth2, flows: {}, flowz: {} }"),
            &[
                "3 warning /paths/~1a/get/security/0/s: the security scheme 's' enforces nothing \
                 | API Gateway needs x-amazon-apigateway-authorizer in the scheme, or an apiKey \
                 named x-api-key in the header; AWS leaves the method open too",
                "4 warning /components/securitySchemes/s/flowz: a security scheme has no key \
                 'flowz' | did you mean 'flows'?",
            ],
        ),
    ]);
}

#[test]
fn requirements_name_schemes() {
    said(&[
        (
            operation("security: [{ nobody: [] }]"),
            &["7 error @/security/0/nobody: there is no security scheme 'nobody' | define it \
                 under securitySchemes (Swagger: securityDefinitions), or remove the requirement"],
        ),
        (
            operation("security: { nobody: [] }"),
            &["7 error @/security: 'security' is an object, but has to be a list | write a list"],
        ),
        (
            operation("security: [null]"),
            &["7 error @/security/0: '0' is null, but has to be an object | write an object"],
        ),
        (
            operation("security: [nobody]"),
            &["7 error @/security/0: '0' is a string (nobody), but has to be an object | write \
                 an object"],
        ),
        (operation("security: []"), &[]),
        (
            root(
                r"components: { securitySchemes: { api_key: { type: apiKey, name: x-api-key, in: header } } }
security: [{ apikey: [] }]",
            ),
            &["5 error /security/0/apikey: there is no security scheme 'apikey' | did you mean \
                 'api_key'?"],
        ),
        (
            root(
                "components: { securitySchemes: { x-api-key: { type: apiKey, name: x-api-key, in: header }, x-kong-name: a } }",
            ),
            &["4 warning /components/securitySchemes/x-kong-name: 'x-kong-name' is another \
                 vendor's extension and has no effect | API Gateway ignores it too"],
        ),
    ]);
}

#[test]
fn the_auth_extension_closes_a_method() {
    said(&[
        (operation("x-amazon-apigateway-auth: { type: none }"), &[]),
        (
            operation("x-amazon-apigateway-auth: { type: aws_iam }"),
            &["7 error @/x-amazon-apigateway-auth: AWS_IAM authorization would not be enforced \
                 for this method | authorizers come with a later release: until then \
                 check callers in the integration or in front of the gateway, and remove the \
                 requirement to serve without it"],
        ),
        (
            operation("x-amazon-apigateway-auth: { type: CUSTOM }"),
            &["7 error @/x-amazon-apigateway-auth/type: 'CUSTOM' is no type | write one of \
                 NONE, AWS_IAM"],
        ),
        (
            operation("x-amazon-apigateway-auth: {}"),
            &["7 error @/x-amazon-apigateway-auth: x-amazon-apigateway-auth has no type | write \
                 type: NONE or type: AWS_IAM"],
        ),
        (
            operation("x-amazon-apigateway-auth: { type: NONE, typo: 1 }"),
            &["7 warning @/x-amazon-apigateway-auth/typo: x-amazon-apigateway-auth has no key \
                 'typo' | did you mean 'type'?"],
        ),
        (
            operation("x-amazon-apigateway-auth: null"),
            &["7 warning @/x-amazon-apigateway-auth: 'x-amazon-apigateway-auth' is null and \
                 counts as not there | remove the key, or give it a value"],
        ),
    ]);
}

#[test]
fn security_of_the_document_applies_to_methods_without_their_own() {
    said(&[
        (
            raw(r"swagger: '2.0'
info: { title: T }
securityDefinitions: { key: { type: apiKey, name: x-api-key, in: header } }
security: [{ key: [] }]
paths:
  /a:
    get: { x-amazon-apigateway-integration: { type: mock } }"),
            &[
                "4 warning /security/0/key: the API key ('key') closes every method without security of its own where there are \
                 no keys | 'ringway run' has none, so these requests are answered 403: import the \
                 document into 'ringway serve', which keeps keys and usage plans",
            ],
        ),
        (
            raw(r"swagger: '2.0'
info: { title: T }
securityDefinitions: { key: { type: apiKey, name: x-api-key, in: header } }
security: [{ key: [] }]
paths:
  /a:
    get: { security: [], x-amazon-apigateway-integration: { type: mock } }"),
            &[],
        ),
        (
            raw(r"swagger: '2.0'
info: { title: T }
securityDefinitions: { key: { type: apiKey, name: x-api-key, in: header } }
security: [{ key: [] }]
paths:
  /a:
    get: { security: null, x-amazon-apigateway-integration: { type: mock } }"),
            &[
                "4 warning /security/0/key: the API key ('key') closes every method without security of its own where there are \
                 no keys | 'ringway run' has none, so these requests are answered 403: import the \
                 document into 'ringway serve', which keeps keys and usage plans",
                "7 warning /paths/~1a/get/security: 'security' is null and counts as not there | \
                 remove the key, or give it a value",
            ],
        ),
        (
            raw(r"swagger: '2.0'
info: { title: T }
securityDefinitions: { key: { type: apiKey, name: x-api-key, in: header } }
security: [{ key: [] }]
paths:
  /a:
    x-amazon-apigateway-any-method: { x-amazon-apigateway-integration: { type: mock } }"),
            &["7 warning /paths/~1a/x-amazon-apigateway-any-method: the document's security \
                 does not apply to ANY methods: this one is open | AWS leaves it open too: write \
                 security into the method itself"],
        ),
    ]);
}
