//! TestInvokeMethod: one request through a method as it is now, deployed or not.
//!
//! The method is compiled to a stage of its own and carried out by a shard, with everything but
//! authorizers, API keys and throttles. Source: facts, rest-api section 16 and aws-recorded section 17.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use indexmap::IndexMap;
use serde_json::json;

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::objects::Resource;
use crate::control::definition::Definition;
use crate::control::serving::Serving;
use crate::deploy::CompiledStage;
use crate::model::MethodName;
use crate::time::Nanos;

/// A request that a shard is to carry out.
#[derive(Debug)]
pub struct Trial {
    /// Compiled for this request only.
    pub stage: Arc<CompiledStage>,
    /// The resource.
    pub resource_id: String,
    /// The request's method, none but ANY.
    pub method: MethodName,
    /// Path and query without a stage; `None`: the resource's pattern as it stands.
    pub path_with_query_string: Option<String>,
    /// In order; a name may come several times.
    pub headers: Vec<(String, String)>,
    /// The request's body.
    pub body: Vec<u8>,
}

/// What came of it.
#[derive(Debug)]
pub struct TrialOutcome {
    /// The answer's status.
    pub status: u16,
    /// Its headers, in order.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// AWS's execution log.
    pub log: String,
    /// How long it took.
    pub latency: Duration,
}

/// Carries trials out.
pub trait TestInvoker: Send + Sync {
    /// Runs one on a shard; the error is a sentence.
    fn invoke(
        &self,
        trial: Trial,
    ) -> Pin<Box<dyn Future<Output = Result<TrialOutcome, String>> + Send>>;
}

/// Makes a trial of a TestInvokeMethod call.
///
/// # Errors
/// What AWS says of ids and members, or what does not compile of the method.
pub fn prepare_test_invoke(
    context: &mut Context<'_>,
    call: &Call<'_>,
    serving: &Serving,
    now: Nanos,
) -> Result<Trial, ApiError> {
    super::shape::check(call)?;
    let (api, resource_id) = (call.label("restapi_id"), call.label("resource_id"));
    let unknown_resource = || ApiError::not_found("Invalid Resource identifier specified");
    let mut definition = Definition::load(context.store, api)?.ok_or_else(unknown_resource)?;
    definition.resources.retain(|it| it.id == resource_id);
    let resource = definition.resources.first_mut().ok_or_else(unknown_resource)?;
    let method = method(call.label("http_method"), resource)?;
    // What is wrong with other methods is none of this one's business.
    let methods = resource.resource_methods.get_or_insert_default();
    let own = if methods.contains_key(method.as_str()) { method.as_str() } else { "ANY" };
    methods.retain(|name, _| name == own);
    if methods.values().any(|it| it.method_integration.is_none()) {
        return Err(ApiError::not_found("Invalid Integration identifier specified"));
    }
    let variables = call.member::<BTreeMap<String, String>>("stageVariables")?.unwrap_or_default();
    let stage = Arc::new(serving.trial(&definition, variables, now)?);
    let single = call.member::<IndexMap<String, String>>("headers")?.unwrap_or_default();
    let several = call.member::<IndexMap<String, Vec<String>>>("multiValueHeaders")?;
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, values) in several.unwrap_or_default() {
        headers.extend(values.into_iter().map(|value| (name.clone(), value)));
    }
    for (name, value) in single {
        if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            headers.push((name, value));
        }
    }
    Ok(Trial {
        stage,
        resource_id: resource_id.to_owned(),
        method,
        path_with_query_string: call.owned("pathWithQueryString").filter(|path| !path.is_empty()),
        headers,
        body: call.text("body").unwrap_or_default().as_bytes().to_vec(),
    })
}

/// The method to call: the named one, which the resource has itself or by its ANY.
fn method(name: &str, resource: &Resource) -> Result<MethodName, ApiError> {
    let methods = resource.resource_methods.as_ref();
    let has = |name: &str| methods.is_some_and(|all| all.contains_key(name));
    let named = MethodName::named(name).filter(|it| has(it.as_str()) || has("ANY"));
    match named {
        // A method ANY is called by one of the seven; GET is as good as the others.
        Some(MethodName::Any) => Ok(MethodName::Get),
        Some(method) => Ok(method),
        None => Err(ApiError::not_found("Invalid Method identifier specified")),
    }
}

/// AWS's answer to a test: always a success, whatever the method did.
pub fn test_invoke_reply(outcome: TrialOutcome) -> Reply {
    let mut headers: IndexMap<&str, &str> = IndexMap::new();
    let mut several: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for (name, value) in &outcome.headers {
        headers.insert(name, value);
        several.entry(name).or_default().push(value);
    }
    // JSON has no place for bytes that are no text.
    let body = String::from_utf8(outcome.body)
        .unwrap_or_else(|error| base64::engine::general_purpose::STANDARD.encode(error.as_bytes()));
    Reply::json(&json!({
        "status": outcome.status,
        "body": body,
        "headers": headers,
        "multiValueHeaders": several,
        "log": outcome.log,
        "latency": u64::try_from(outcome.latency.as_millis()).unwrap_or(u64::MAX),
    }))
}

/// The operation's place in the table: the service calls [`prepare_test_invoke`] instead, because a
/// shard carries it out.
pub(super) fn test_invoke_method(_: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    Err(ApiError::internal(format!("{} runs on a shard", call.operation.name)))
}

pub(super) fn test_invoke_authorizer(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let ids = [call.label("restapi_id"), call.label("authorizer_id")];
    if !context.has::<super::objects::Authorizer>(&ids)? {
        return Err(ApiError::not_found("Invalid Authorizer identifier specified"));
    }
    Err(ApiError::not_implemented(
        "Authorizers are stored and not carried out yet, so none can be tested; they come with a later release of Ringway",
    ))
}
