//! `ringway serve` as a whole process: nothing that was acknowledged is lost, what is published is served
//! at once and everywhere, and what was served comes back.
//!
//! Real processes and sockets. Figures are printed (`cargo test --test control_plane -- --nocapture`);
//! none of them is a time that a test passes or fails by.

#[path = "../support/mod.rs"]
mod support;

mod canary;
mod crash;
mod damaged;
mod finding;
mod publish;
mod restart;
mod scale;
mod stages;

use support::{Answer, Definition};

/// A definition whose answers say of which deployment they are: `number` stands in the body and in
/// `X-Number`, the stage variable `n` in the body and in `X-Variable`; the deployment's id and the stage
/// variable `s` in the body.
fn numbered(number: usize) -> Definition {
    let body = format!(
        r#"{{"number":"{number}","variable":"$stageVariables.n","sequence":"$stageVariables.s","deployment":"$context.deploymentId","canary":"$context.isCanaryRequest"}}"#
    );
    let integration = serde_json::json!({
        "type": "mock",
        "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {
            "statusCode": "200",
            "responseParameters": {
                "method.response.header.X-Number": format!("'{number}'"),
                "method.response.header.X-Variable": "stageVariables.n",
            },
            "responseTemplates": {"application/json": body},
        }},
    });
    let header = serde_json::json!({"schema": {"type": "string"}});
    Definition::new().operation(
        "GET",
        "/number",
        serde_json::json!({
            "responses": {"200": {
                "description": "which one it is",
                "headers": {"X-Number": header, "X-Variable": header},
            }},
            "x-amazon-apigateway-integration": integration,
        }),
    )
}

/// What an answer of [`numbered`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    number: String,
    variable: String,
    sequence: String,
    deployment: String,
    canary: bool,
}

/// Reads an answer of [`numbered`].
///
/// # Panics
/// If it is none, or its parts are of different deployments.
fn said(answer: &Answer) -> Said {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body: serde_json::Value = serde_json::from_str(answer.text()).expect("JSON");
    let text = |name: &str| body[name].as_str().expect("it is there").to_owned();
    let said = Said {
        number: text("number"),
        variable: text("variable"),
        sequence: text("sequence"),
        deployment: text("deployment"),
        canary: text("canary") == "true",
    };
    assert_eq!(answer.header("X-Number"), Some(&*said.number), "{answer:?} {said:?}");
    assert_eq!(answer.header("X-Variable").unwrap_or_default(), said.variable, "{answer:?}");
    said
}
