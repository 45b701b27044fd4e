//! Values of the wrong kind, null, variables and functions of CloudFormation.

use super::{integration, operation, root, said};

#[test]
fn null_counts_as_not_there_and_is_said() {
    said(&[
        (
            operation(
                r"operationId: null
parameters: null
requestBody: null
responses: null",
            ),
            &[
                "7 warning @/operationId: 'operationId' is null and counts as not there | remove \
                 the key, or give it a value",
                "8 warning @/parameters: 'parameters' is null and counts as not there | remove \
                 the key, or give it a value",
                "9 warning @/requestBody: 'requestBody' is null and counts as not there | remove \
                 the key, or give it a value",
                "10 warning @/responses: 'responses' is null and counts as not there | remove the \
                 key, or give it a value",
            ],
        ),
        (
            operation(
                r"parameters: [null]
responses: { '200': null }",
            ),
            &[
                "7 warning @/parameters/0: '0' is null and counts as not there | remove the key, \
                 or give it a value",
                "8 warning @/responses/200: '200' is null and counts as not there | remove the \
                 key, or give it a value",
            ],
        ),
        (
            integration(
                r"type: http
uri: null
httpMethod: null
timeoutInMillis: null
connectionType: null
tlsConfig: null",
            ),
            &[
                "7 error @/x-amazon-apigateway-integration: Enumeration value for HttpMethod must \
                 be non-empty | add httpMethod: the method towards the backend, or ANY for the \
                 client's own",
                "9 warning @/x-amazon-apigateway-integration/uri: 'uri' is null and counts as not \
                 there | remove the key, or give it a value",
                "10 warning @/x-amazon-apigateway-integration/httpMethod: 'httpMethod' is null \
                 and counts as not there | remove the key, or give it a value",
                "11 warning @/x-amazon-apigateway-integration/timeoutInMillis: 'timeoutInMillis' \
                 is null and counts as not there | remove the key, or give it a value",
                "12 warning @/x-amazon-apigateway-integration/connectionType: 'connectionType' is \
                 null and counts as not there | remove the key, or give it a value",
                "13 warning @/x-amazon-apigateway-integration/tlsConfig: 'tlsConfig' is null and \
                 counts as not there | remove the key, or give it a value",
            ],
        ),
        (
            integration(
                r"type: mock
requestTemplates: { application/json: null }
responses: { default: null }",
            ),
            &["10 warning @/x-amazon-apigateway-integration/responses/default: 'default' is \
                 null and counts as not there | remove the key, or give it a value"],
        ),
        (
            integration(
                r"type: http
uri: http://a/
httpMethod: GET
requestParameters: { integration.request.header.X: null }
responses: { default: { statusCode: '200', responseParameters: { method.response.header.X: null } } }",
            ),
            &[
                "11 warning \
                 @/x-amazon-apigateway-integration/requestParameters/integration.request.header.X: \
                 'integration.request.header.X' is null and counts as not there | remove the key, \
                 or give it a value",
                "12 warning \
                 @/x-amazon-apigateway-integration/responses/default/responseParameters/method.response.header.X: \
                 'method.response.header.X' is null and counts as not there | remove the key, or \
                 give it a value",
            ],
        ),
    ]);
}

#[test]
fn import_variables_are_put_in_and_others_are_errors() {
    said(&[
        (
            integration(
                r"type: http
uri: http://${AWS::Region}.example.com/${AWS::AccountId}/${AWS::Partition}/${stageVariables.x}
httpMethod: GET",
            ),
            &[],
        ),
        (
            integration(
                r"type: http
uri: http://${AWS::StackName}.example.com/
httpMethod: GET",
            ),
            &["9 error @/x-amazon-apigateway-integration/uri: there is no import variable \
                 '${AWS::StackName}' | an import knows ${AWS::Region}, ${AWS::AccountId} and \
                 ${AWS::Partition}; CloudFormation's other variables have to be put in before"],
        ),
        (
            integration(
                r"type: http
uri: http://a/${AWS::Region
httpMethod: GET",
            ),
            &["9 error @/x-amazon-apigateway-integration/uri: there is no import variable \
                 '${AWS::Region}' | an import knows ${AWS::Region}, ${AWS::AccountId} and \
                 ${AWS::Partition}; CloudFormation's other variables have to be put in before"],
        ),
    ]);
}

#[test]
fn cloudformation_has_to_be_resolved_before() {
    said(&[
        (
            integration(
                r"type: http
uri: { 'Fn::Sub': 'http://${Host}/' }
httpMethod: { Ref: Method }",
            ),
            &[
                "9 error @/x-amazon-apigateway-integration/uri: 'uri' is an object, but has to be \
                 a string | Fn::Sub is CloudFormation's: put in what it gives",
                "10 error @/x-amazon-apigateway-integration/httpMethod: 'httpMethod' is an \
                 object, but has to be a string | Ref is CloudFormation's: put in what it gives",
            ],
        ),
        (
            root("x-amazon-apigateway-binary-media-types: [{ Ref: Type }, { Ref: A, B: C }]"),
            &[
                "4 error /x-amazon-apigateway-binary-media-types/0: '0' is an object, but has to \
                 be a string | Ref is CloudFormation's: put in what it gives",
                "4 error /x-amazon-apigateway-binary-media-types/1: '1' is an object, but has to \
                 be a string | write a string",
            ],
        ),
    ]);
}

#[test]
fn values_of_the_wrong_kind_say_what_is_wanted() {
    said(&[
        (
            operation(
                r"operationId: []
parameters: {}
requestBody: text
responses: []",
            ),
            &[
                "7 error @/operationId: 'operationId' is a list, but has to be a string | write a \
                 string",
                "8 error @/parameters: 'parameters' is an object, but has to be a list | write a \
                 list",
                "9 error @/requestBody: 'requestBody' is a string (text), but has to be an object \
                 | write an object",
                "10 error @/responses: 'responses' is a list, but has to be an object | write an \
                 object",
            ],
        ),
        (
            integration("type: [mock]"),
            &["8 error @/x-amazon-apigateway-integration/type: 'type' is a list, but has to be \
                 a string | write a string"],
        ),
        (
            integration("- type"),
            &["7 error @/x-amazon-apigateway-integration: 'x-amazon-apigateway-integration' is \
                 a list, but has to be an object | write an object"],
        ),
    ]);
}
