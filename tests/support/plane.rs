//! `ringway serve` over a store of its own, and calls of its control-plane API.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Answer, Client, Definition, Folder, Gateway};

/// How it is started: two shards, no access log, no throttle, an admin port open to all, unless said
/// otherwise. Clones share the store.
#[derive(Clone, Debug)]
pub struct PlaneOptions {
    folder: Arc<Folder>,
    listen: String,
    admin: String,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
}

impl PlaneOptions {
    /// With an empty store.
    pub fn new() -> Self {
        let free = "127.0.0.1:0".to_owned();
        Self {
            folder: Arc::new(Folder::in_memory()),
            listen: free.clone(),
            admin: free,
            flags: Vec::new(),
            environment: Vec::new(),
        }
        .flag("--shards", "2")
        .flag("--access-log", "off")
        .flag("--account-throttle", "off")
        .flag("--admin-auth", "none")
    }

    /// A flag of `ringway serve`; one that is there already gets the new value.
    pub fn flag(mut self, name: &str, value: &str) -> Self {
        match self.flags.iter().position(|it| it == name) {
            Some(at) => value.clone_into(&mut self.flags[at + 1]),
            None => self.flags.extend([name.to_owned(), value.to_owned()]),
        }
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Addresses that are known before it starts, for those who want to watch it doing so.
    pub fn at(mut self, listen: SocketAddr, admin: SocketAddr) -> Self {
        self.listen = listen.to_string();
        self.admin = admin.to_string();
        self
    }

    /// The store's directory.
    pub fn store(&self) -> PathBuf {
        self.folder.file("store")
    }

    /// A directory of the test's own, beside the store.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What starts it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringway"));
        command
            .arg("serve")
            .args(["--listen", &self.listen, "--admin", &self.admin, "--store"])
            .arg(self.store())
            .args(&self.flags)
            .current_dir(self.folder.file(""))
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// It ended before; its status and all that it said.
    pub fn try_start(&self) -> Result<Serve, String> {
        let gateway = Gateway::spawn(self.command(), Folder::new(), self.store())?;
        Ok(Serve { gateway, options: self.clone() })
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// If it ends before, with what it said.
    pub fn start(&self) -> Serve {
        self.try_start().unwrap_or_else(|why| panic!("ringway serve did not start {why}"))
    }
}

/// A running `ringway serve`; killed when it is dropped, its store stays as long as its options.
#[derive(Debug)]
pub struct Serve {
    gateway: Gateway,
    options: PlaneOptions,
}

impl Deref for Serve {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        &self.gateway
    }
}

impl DerefMut for Serve {
    fn deref_mut(&mut self) -> &mut Gateway {
        &mut self.gateway
    }
}

impl Serve {
    /// One with an empty store and nothing special.
    pub fn new() -> Self {
        PlaneOptions::new().start()
    }

    /// A connection to the control-plane API.
    pub fn api(&self) -> Admin {
        Admin::connect(self.gateway.admin)
    }

    /// Kills it and starts it again over the same store.
    pub fn restart(self) -> Self {
        let options = self.options.clone();
        let mut gateway = self.gateway;
        gateway.signal(Signal::KILL);
        gateway.exit();
        drop(gateway);
        options.start()
    }
}

/// A `GET` of a stage at the API's own host.
pub fn get_at(api: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {api}.execute-api.localhost\r\n\r\n")
}

/// A client of the control-plane API.
#[derive(Debug)]
pub struct Admin(Client);

impl Admin {
    pub fn connect(address: SocketAddr) -> Self {
        Self(Client::connect(address))
    }

    /// A call as it goes over the wire.
    pub fn request(method: &str, path: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "{method} {path} HTTP/1.1\r\nHost: admin\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    }

    /// Calls an operation; a `Value::Null` is no body.
    pub fn call(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        self.try_call(method, path, body).expect("an answer")
    }

    /// The same, or what cut it short.
    pub fn try_call(&mut self, method: &str, path: &str, body: &Value) -> Result<Answer, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.try_send(method, path, &body)
    }

    /// The same with a body that is no members but a document.
    pub fn try_send(&mut self, method: &str, path: &str, body: &str) -> Result<Answer, String> {
        if !self.0.tries_to_send(Self::request(method, path, body)) {
            return Err("the call is not taken".to_owned());
        }
        self.0.try_answer()
    }

    /// Calls an operation that succeeds; gives what it answers, `null` for nothing.
    ///
    /// # Panics
    /// If it does not succeed.
    pub fn does(&mut self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.call(method, path, &body);
        let text = answer.text();
        assert!((200..300).contains(&answer.status), "{method} {path} {body}: {answer:?} {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(text).expect("JSON") }
    }

    /// Calls an operation that is refused; gives the status and the message.
    ///
    /// # Panics
    /// If it is not refused.
    pub fn refuses(&mut self, method: &str, path: &str, body: Value) -> (u16, String) {
        let answer = self.call(method, path, &body);
        let text = answer.text();
        assert!(answer.status >= 400, "{method} {path} {body}: {answer:?} {text}");
        let members: Value = serde_json::from_str(text).expect("JSON");
        (answer.status, members["message"].as_str().expect("a message").to_owned())
    }

    pub fn gets(&mut self, path: &str) -> Value {
        self.does("GET", path, Value::Null)
    }

    /// ImportRestApi; gives the new API's id.
    pub fn imports(&mut self, definition: &Definition) -> String {
        let answer = self.try_send("POST", "/restapis?mode=import", &definition.text());
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 201, "{}", answer.text());
        let api: Value = serde_json::from_str(answer.text()).expect("JSON");
        api["id"].as_str().expect("an id").to_owned()
    }

    /// PutRestApi, overwriting.
    pub fn overwrites(&mut self, api: &str, definition: &Definition) {
        let path = format!("/restapis/{api}?mode=overwrite");
        let answer = self.try_send("PUT", &path, &definition.text()).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// CreateDeployment on a stage, with more members; gives the deployment's id.
    pub fn deploys(&mut self, api: &str, stage: &str, more: Value) -> String {
        let mut members = json!({"stageName": stage});
        for (name, value) in more.as_object().into_iter().flatten() {
            members[name] = value.clone();
        }
        let deployment = self.does("POST", &format!("/restapis/{api}/deployments"), members);
        deployment["id"].as_str().expect("an id").to_owned()
    }

    /// UpdateStage: operations, paths and values.
    pub fn patches_stage(
        &mut self,
        api: &str,
        stage: &str,
        operations: &[(&str, &str, &str)],
    ) -> Value {
        let path = format!("/restapis/{api}/stages/{stage}");
        self.does("PATCH", &path, patches(operations))
    }
}

/// The body of an `Update…` call.
pub fn patches(operations: &[(&str, &str, &str)]) -> Value {
    let all: Vec<Value> = operations
        .iter()
        .map(|(op, path, value)| match *op {
            "remove" => json!({"op": op, "path": path}),
            "copy" => json!({"op": op, "path": path, "from": value}),
            _ => json!({"op": op, "path": path, "value": value}),
        })
        .collect();
    json!({ "patchOperations": all })
}
