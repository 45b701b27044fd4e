//! A gateway that serves an API whose methods require a key.

use std::path::Path;

use serde_json::{Value, json};

use super::support::{Answer, Client, Definition, ServeOptions, Serving};

/// `GET /it` and `GET /other` require a key, `GET /open` does not.
pub fn definition() -> String {
    let keyed = |body: &str| {
        json!({
            "security": [{"key": []}],
            "responses": {"200": {"description": "fine"}},
            "x-amazon-apigateway-integration": {
                "type": "mock",
                "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
                "responses": {"default": {
                    "statusCode": "200",
                    "responseTemplates": {"application/json": body},
                }},
            },
        })
    };
    let scheme = json!({"type": "apiKey", "name": "x-api-key", "in": "header"});
    Definition::new()
        .operation("GET", "/it", keyed("$context.identity.apiKeyId"))
        .operation("GET", "/other", keyed("other"))
        .mock("GET", "/open", 200, "open")
        .with("info", json!({"title": "Pets", "version": "1"}))
        .with("components", json!({"securitySchemes": {"key": scheme}}))
        .into()
}

/// The gateway, and the API's id.
pub struct Shop {
    pub serving: Serving,
    pub api: String,
}

impl Shop {
    /// A new one with the API on stage `v1`.
    pub fn new() -> Self {
        Self::of(ServeOptions::new())
    }

    pub fn of(options: ServeOptions) -> Self {
        let serving = options.start();
        let file = serving.folder.write("api.json", &definition()).display().to_string();
        let answer = serving.json(&["deploy", &file, "--stage", "v1"]);
        assert_eq!(answer["findings"], json!([]), "`ringway serve` has keys");
        let api = answer["restApiId"].as_str().expect("an id").to_owned();
        Self { serving, api }
    }

    /// One on a store that has it.
    pub fn again(store: &Path, api: &str) -> Self {
        Self { serving: ServeOptions::new().store(store).start(), api: api.to_owned() }
    }

    pub fn does(&self, words: &[&str]) -> String {
        self.serving.does(words)
    }

    pub fn json(&self, words: &[&str]) -> Value {
        self.serving.json(words)
    }

    pub fn request(&self, path: &str, key: &str) -> String {
        let key = if key.is_empty() { String::new() } else { format!("x-api-key: {key}\r\n") };
        format!("GET /v1{path} HTTP/1.1\r\nHost: {}.execute-api.localhost\r\n{key}\r\n", self.api)
    }

    /// A request with a key; empty: with none.
    pub fn ask(&self, path: &str, key: &str) -> Answer {
        self.serving.client().asks(self.request(path, key))
    }

    /// Status and body.
    pub fn told(&self, path: &str, key: &str) -> (u16, String) {
        let answer = self.ask(path, key);
        (answer.status, answer.text().to_owned())
    }

    /// Asks so many times; gives how many were answered 200.
    pub fn admitted(&self, requests: usize, key: &str) -> usize {
        let mut client: Client = self.serving.client();
        (0..requests).filter(|_| client.asks(self.request("/it", key)).status == 200).count()
    }

    /// What a plan's key has used today, and has left.
    pub fn usage(&self, plan: &str, key: &str) -> (u64, u64) {
        let usage = self.json(&["usage", plan, "--key", key]);
        let days = usage["values"].as_object().and_then(|keys| keys.values().next());
        let today = days.and_then(|days| days.as_array()?.last()).expect("a day");
        (today[0].as_u64().expect("used"), today[1].as_u64().expect("remaining"))
    }
}

pub const FORBIDDEN: &str = r#"{"message":"Forbidden"}"#;
pub const TOO_MANY: &str = r#"{"message":"Too Many Requests"}"#;
pub const EXCEEDED: &str = r#"{"message":"Limit Exceeded"}"#;
