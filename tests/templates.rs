//! Mapping templates through the whole gateway: what a client and an upstream see of them.

mod support;

use serde_json::{Value, json};

use support::servers::Python;
use support::{Definition, Options, get};

/// A MOCK with these templates; the answer's status is 200 unless the request's template says so.
fn mocked(request: &str, response: Value) -> Value {
    json!({
        "type": "mock",
        "requestTemplates": {"application/json": request},
        "responses": {
            "default": {"statusCode": "200", "responseTemplates": response},
            "404": {
                "statusCode": "404",
                "responseTemplates": {"application/json": "{\"missing\":\"$input.params('id')\"}"},
            },
        },
    })
}

#[test]
fn a_mock_answers_by_its_templates() {
    let integration = mocked(
        "{\"statusCode\": #if($input.params('id') == 'none')404#{else}200#end}",
        json!({
            "application/json": "{\"id\": \"$input.params('id')\", \"color\": \"$stageVariables.color\", \
                \"stage\": \"$context.stage\", \"q\": \"$util.escapeJavaScript($input.params('q'))\"}",
            "application/xml": "<pet id='$input.params().path.id'/>",
        }),
    );
    let api = Definition::new().method("GET", "/pets/{id}", &["200", "404"], integration);
    let gateway = Options::new(api).var("color=blue").start();
    let mut client = gateway.client();
    let answer = client.asks(get("/pets/a%20b?q=x%22y"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), r#"{"id": "a b", "color": "blue", "stage": "dev", "q": "x\"y"}"#);
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    let answer = client.asks(get("/pets/none"));
    assert_eq!((answer.status, answer.text()), (404, r#"{"missing":"none"}"#));
    let answer =
        client.asks("GET /dev/pets/7 HTTP/1.1\r\nHost: h\r\nAccept: application/xml\r\n\r\n");
    assert_eq!((answer.status, answer.text()), (200, "<pet id='7'/>"));
}
