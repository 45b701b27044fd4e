//! Calling operations in tests: a store of its own, calls by name, answers as JSON.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::call::{Body, Call};
use super::context::{Context, Effects, Settings};
use super::operation::OPERATIONS;
use super::{ApiError, carry_out, route};
use crate::control::vault::Vault;
use crate::store::Store;

/// A call of an operation with given labels and input.
pub fn call_with(operation: &str, labels: &[(&'static str, &str)], input: Value) -> Call<'static> {
    let operation = OPERATIONS.iter().find(|it| it.name == operation).expect("an operation");
    let input = match input {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Call { operation, labels, query: Vec::new(), accept: None, body: b"", input }
}

/// A gateway's control plane without a gateway.
pub struct Plane {
    store: Store,
    settings: Settings,
    directory: std::path::PathBuf,
    /// The clock, seconds since 1970; a test may set it.
    pub now: i64,
    /// What the last successful call wants done.
    pub effects: Effects,
}

impl Plane {
    /// An empty one.
    pub fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ringway-plane-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let settings = Settings {
            account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            api_host_suffix: "localhost".to_owned(),
            api_port: 8080,
            vault: Arc::new(Vault::new(&[7; 32])),
        };
        let store = Store::open(&directory).expect("a store");
        Self { store, settings, directory, now: 1_700_000_000, effects: Effects::default() }
    }

    /// Who and where it is.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Runs `f` with what an operation that reads works with.
    pub fn with_context(&self, f: impl FnOnce(&Context<'_>)) {
        let transaction = self.store.read().expect("a view");
        f(&Context {
            store: &transaction,
            settings: &self.settings,
            now: self.now,
            effects: Effects::default(),
        });
    }

    /// Sends a request as a client would: `call("GET", "/restapis?limit=1", json!(null))`. A text as
    /// input is sent as a raw body.
    pub fn call(&mut self, method: &str, uri: &str, input: Value) -> Result<Value, ApiError> {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let query: Vec<(String, String)> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                let decoded = |text: &str| {
                    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
                };
                (decoded(key), decoded(value))
            })
            .collect();
        let route = route(method, path, &query).expect("an operation");
        let (body, input) = match input {
            Value::String(text) => (text.into_bytes(), Map::new()),
            Value::Object(members) => (Vec::new(), members),
            _ => (Vec::new(), Map::new()),
        };
        let call = Call {
            operation: route.operation,
            labels: route.labels,
            query,
            accept: Some("application/json"),
            body: &body,
            input,
        };
        let writes = route.operation.writes();
        let transaction = if writes { self.store.write() } else { self.store.read() }?;
        let mut context = Context {
            store: &transaction,
            settings: &self.settings,
            now: self.now,
            effects: Effects::default(),
        };
        let reply = carry_out(&mut context, &call)?;
        self.effects = context.effects;
        assert_eq!(reply.status, route.operation.status);
        transaction.commit()?;
        Ok(match reply.body {
            Body::Empty => Value::Null,
            Body::Json(value) => value,
            Body::Raw { content_type, bytes, .. } if content_type == "application/json" => {
                serde_json::from_slice(&bytes).expect("JSON")
            }
            Body::Raw { bytes, .. } => Value::from(String::from_utf8(bytes).expect("text")),
        })
    }

    /// The same where it has to succeed.
    #[track_caller]
    pub fn ok(&mut self, method: &str, uri: &str, input: Value) -> Value {
        self.call(method, uri, input).unwrap_or_else(|error| panic!("{method} {uri}: {error}"))
    }

    /// The same where it has to fail: `404 NotFoundException: message`.
    #[track_caller]
    pub fn refused(&mut self, method: &str, uri: &str, input: Value) -> String {
        match self.call(method, uri, input) {
            Ok(answer) => panic!("{method} {uri} answered {answer}"),
            Err(error) => format!("{} {error}", error.status),
        }
    }

    /// A patch of one operation.
    pub fn patch(
        &mut self,
        uri: &str,
        op: &str,
        path: &str,
        value: &str,
    ) -> Result<Value, ApiError> {
        let patch = serde_json::json!({"op": op, "path": path, "value": value});
        self.call("PATCH", uri, serde_json::json!({"patchOperations": [patch]}))
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        // A leftover in the temporary directory harms nobody.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
