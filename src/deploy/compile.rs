//! Compiles a model against a stage's settings.
//!
//! All problems are found in one run, so that an owner mends a definition in one go. A stage with a
//! problem is never published.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compiled::{
    CompiledIntegration, CompiledMethod, CompiledStage, Constants, ThrottleScope,
};
use super::gateway_responses;
use super::integration;
use super::media_type::MediaTypes;
use super::protection;
use super::route_tree::{RouteTreeBuilder, parameter_names};
use super::source::Scope;
use super::validation::Schemas;
use crate::context::ContextVariable;
use crate::http::encode;
use crate::limits::Limits;
use crate::model::{
    ApiKeySource, ClientCertificate, Method, MethodName, MethodSetting, Pointer, Resource, RestApi,
    ThrottleSettings,
};
use crate::throttle::{BucketRegistry, TokenBucket};
use crate::time::Nanos;
use crate::tls::ClientIdentity;
use crate::upstream::TargetRegistry;

/// What a stage adds to its API.
#[derive(Clone, Debug, Default)]
pub struct StageSettings {
    /// Name: `[A-Za-z0-9_-]{1,128}`.
    pub stage: String,
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// Limits in force.
    pub limits: Arc<Limits>,
    /// Limit of the whole account; `None`: off.
    pub account_throttle: Option<ThrottleSettings>,
    /// Owner's account.
    pub account_id: String,
    /// Id of the deployment.
    pub deployment_id: String,
    /// Settings of methods, by AWS's keys: `pets/{id}/GET`, `//GET` for the root, `*/*` for those that
    /// have none.
    pub method_settings: BTreeMap<String, MethodSetting>,
    /// What `https` integrations are shown that ask for a certificate.
    pub client_certificate: Option<ClientCertificate>,
}

/// What outlives a deployment, so that a reload keeps buckets and targets.
#[derive(Clone, Copy, Debug)]
pub struct CompileEnv<'a> {
    /// Token buckets by name.
    pub buckets: &'a BucketRegistry,
    /// Integration endpoints.
    pub targets: &'a TargetRegistry,
    /// New buckets are full at this moment.
    pub now: Nanos,
}

/// Why a stage cannot be deployed; or, as a warning, what of it will not be as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// Where in the document.
    pub pointer: Pointer,
    /// What it is about: `GET /pets integration`.
    pub object: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({})", self.object, self.message, self.help)
    }
}

impl std::error::Error for CompileError {}

/// What is found about one object.
pub(super) struct Report<'a> {
    pub(super) object: String,
    pub(super) errors: &'a mut Vec<CompileError>,
    pub(super) warnings: &'a mut Vec<CompileError>,
}

impl Report<'_> {
    pub(super) fn add(
        &mut self,
        pointer: Pointer,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let (object, message, help) = (self.object.clone(), message.into(), help.into());
        self.errors.push(CompileError { pointer, object, message, help });
    }

    /// The stage can be served, but this will not be as it is written.
    pub(super) fn warn(
        &mut self,
        pointer: Pointer,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let (object, message, help) = (self.object.clone(), message.into(), help.into());
        self.warnings.push(CompileError { pointer, object, message, help });
    }
}

/// The pointer of a member below `pointer` (RFC 6901 section 3).
pub(super) fn below(pointer: &str, members: &[&str]) -> Pointer {
    members.iter().fold(pointer.to_owned(), |pointer, member| {
        format!("{pointer}/{}", member.replace('~', "~0").replace('/', "~1"))
    })
}

/// A method whose keys nobody says.
const KEY_OF_AUTHORIZER: (&str, &str) = (
    "API keys come from an authorizer, which are not carried out yet: every request is answered 403",
    "set x-amazon-apigateway-api-key-source to HEADER; authorizers come with a later release",
);

/// Compiles a stage; for a caller that nobody reads warnings of.
///
/// # Errors
/// As [`compile_with`].
pub fn compile(
    api: &RestApi,
    settings: &StageSettings,
    env: &mut CompileEnv<'_>,
) -> Result<CompiledStage, Vec<CompileError>> {
    compile_with(api, settings, env, &mut Vec::new())
}

/// Compiles a stage. `warnings` gets what is not carried out as it is written: headers that are renamed
/// or dropped, mappings that never have a value, requests that can only be answered 500.
///
/// # Errors
/// Everything that is wrong with it; nothing has changed but that buckets and targets may have been
/// registered.
pub fn compile_with(
    api: &RestApi,
    settings: &StageSettings,
    env: &mut CompileEnv<'_>,
    warnings: &mut Vec<CompileError>,
) -> Result<CompiledStage, Vec<CompileError>> {
    let mut errors = Vec::new();
    check_stage_name(&settings.stage, &mut errors);
    let identity = identity(settings, &mut errors);
    let fixed = [
        (ContextVariable::ApiId, api.id.as_str()),
        (ContextVariable::Stage, settings.stage.as_str()),
        (ContextVariable::AccountId, settings.account_id.as_str()),
        (ContextVariable::DeploymentId, settings.deployment_id.as_str()),
    ];
    let scope = Scope { variables: &settings.variables, constants: &fixed, path_parameters: &[] };

    let mut constants = Constants::default();
    let mut problems = Vec::new();
    let gateway_responses = gateway_responses::compile(api, &scope, &mut constants, &mut problems);
    for problem in problems {
        let pointer = api.gateway_responses.get(&problem.kind).map(|it| it.pointer.as_str());
        let mut pointer = below(pointer.unwrap_or_default(), &[problem.member]);
        if let Some(key) = &problem.key {
            pointer = below(&pointer, &[key]);
        }
        let list = if problem.is_warning { &mut *warnings } else { &mut errors };
        list.push(CompileError {
            pointer,
            object: format!("gateway response {}", problem.kind.as_str()),
            message: problem.message,
            help: problem.help,
        });
    }

    let mut throttles = Throttles::new(api, settings, env);
    let mut schemas = Schemas::new(api);
    let api_is_closed = protection::is_closed(api);
    let mut tree = RouteTreeBuilder::default();
    let mut methods = Vec::new();
    for resource in &api.resources {
        for (&name, method) in &resource.methods {
            let mut report = Report {
                object: format!("{} {}", name.as_str(), resource.path),
                errors: &mut errors,
                warnings,
            };
            let index = u32::try_from(methods.len()).unwrap_or(u32::MAX);
            let added = tree.add(&resource.path, name, index);
            let path_parameters = match added.and_then(|()| parameter_names(&resource.path)) {
                Ok(names) => names,
                Err(error) => {
                    let (message, help) = error.explain();
                    report.add(method.pointer.clone(), message, help);
                    continue;
                }
            };
            let scope = Scope { path_parameters: &path_parameters, ..scope };
            let mut step = Step {
                settings,
                env,
                identity: identity.as_ref(),
                scope: &scope,
                constants: &mut constants,
            };
            let validation = schemas.validation(method, &path_parameters, &mut report);
            let api_key = method.api_key_required.then_some(api.api_key_source);
            if api_key == Some(ApiKeySource::Authorizer) {
                report.warn(method.pointer.clone(), KEY_OF_AUTHORIZER.0, KEY_OF_AUTHORIZER.1);
            }
            let closed = protection::why_closed(api_is_closed, method);
            if let Some(why) = closed {
                report.warn(
                    method.pointer.clone(),
                    format!("every request is answered 403: {why}"),
                    "it comes with a later release; take the protection away to open the method",
                );
            }
            if let Some(integration) = step.integration(method, &mut report) {
                methods.push(CompiledMethod {
                    index,
                    http_method: name,
                    resource_path: resource.path.as_str().into(),
                    resource_id: resource.id.clone(),
                    operation_name: method.operation_name.clone(),
                    is_closed: closed.is_some(),
                    path_parameters: path_parameters
                        .iter()
                        .map(|name| name.as_bytes().into())
                        .collect(),
                    api_key,
                    validation,
                    buckets: throttles.of(resource, name, method),
                    integration,
                });
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(CompiledStage {
        api_id: api.id.clone(),
        api_name: api.name.clone(),
        stage: settings.stage.clone(),
        deployment_id: settings.deployment_id.clone(),
        account_id: settings.account_id.clone(),
        variables: settings.variables.clone(),
        limits: Arc::clone(&settings.limits),
        routes: tree.build(),
        methods: methods.into(),
        throttles: throttles.all.into(),
        constants: constants.finish(),
        gateway_responses,
        binary_media_types: MediaTypes::new(&api.binary_media_types),
        minimum_compression_size: api.minimum_compression_size,
        user_agent_line: encode::line("User-Agent", &format!("AmazonAPIGateway_{}", api.id)),
        api_id_line: encode::line("X-Amzn-Apigateway-Api-Id", &api.id),
    })
}

/// A stage of no API: what answers requests that come to none.
pub fn nowhere(limits: &Arc<Limits>) -> CompiledStage {
    let settings = StageSettings {
        stage: "nowhere".to_owned(),
        limits: Arc::clone(limits),
        ..StageSettings::default()
    };
    let (buckets, targets) = (BucketRegistry::new(), TargetRegistry::new());
    let mut env = CompileEnv { buckets: &buckets, targets: &targets, now: Nanos(0) };
    compile(&RestApi::default(), &settings, &mut env).expect("there is nothing that could be wrong")
}

fn check_stage_name(name: &str, errors: &mut Vec<CompileError>) {
    let ok = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || name.len() > 128 || !name.bytes().all(ok) {
        errors.push(CompileError {
            pointer: Pointer::new(),
            object: "stage".to_owned(),
            message: format!("'{name}' is no stage name"),
            help: "a stage name has 1 to 128 letters, digits, '_' and '-'".to_owned(),
        });
    }
}

fn identity(
    settings: &StageSettings,
    errors: &mut Vec<CompileError>,
) -> Option<Arc<ClientIdentity>> {
    let ClientCertificate { pem_encoded_certificate, private_key } =
        settings.client_certificate.as_ref()?;
    match ClientIdentity::from_pem(pem_encoded_certificate, private_key) {
        Ok(identity) => Some(Arc::new(identity)),
        Err(message) => {
            errors.push(CompileError {
                pointer: Pointer::new(),
                object: "stage".to_owned(),
                message,
                help: "give the stage another client certificate, or none".to_owned(),
            });
            None
        }
    }
}

/// What compiling one method's integration needs.
pub(super) struct Step<'a, 'b> {
    pub(super) settings: &'a StageSettings,
    pub(super) env: &'a CompileEnv<'b>,
    pub(super) identity: Option<&'a Arc<ClientIdentity>>,
    pub(super) scope: &'a Scope<'a>,
    pub(super) constants: &'a mut Constants,
}

impl Step<'_, '_> {
    /// `None`: something is wrong and has been reported.
    fn integration(
        &mut self,
        method: &Method,
        report: &mut Report<'_>,
    ) -> Option<CompiledIntegration> {
        let Some(declared) = &method.integration else {
            report.add(
                method.pointer.clone(),
                "No integration defined for method",
                "add x-amazon-apigateway-integration to the operation",
            );
            return None;
        };
        report.object.push_str(" integration");
        let before = report.errors.len();
        let compiled = integration::compile(self, declared, method, report);
        compiled.filter(|_| report.errors.len() == before)
    }
}

/// AWS's defaults for a method whose setting has one member only (facts, stages section 2).
const METHOD_RATE_LIMIT: f64 = 10_000.0;
const METHOD_BURST_LIMIT: u32 = 5_000;

/// The buckets that a stage's requests spend from.
///
/// `*/*` is no bucket of the whole stage: it is the limit of each method that has no entry of its own,
/// so every method has its own bucket, as with AWS ("default method throttling"). The bucket that all
/// methods of a stage share is ours: `x-ringway-throttle` at the root of a document.
struct Throttles<'a> {
    api: &'a RestApi,
    settings: &'a StageSettings,
    env: &'a CompileEnv<'a>,
    shared: Vec<(ThrottleScope, Arc<TokenBucket>)>,
    all: Vec<(Arc<TokenBucket>, ThrottleSettings)>,
}

impl<'a> Throttles<'a> {
    fn new(api: &'a RestApi, settings: &'a StageSettings, env: &'a CompileEnv<'a>) -> Self {
        let mut throttles = Self { api, settings, env, shared: Vec::new(), all: Vec::new() };
        let stage = format!("{}/{}", api.id, settings.stage);
        let shared = [
            (ThrottleScope::Stage, stage, api.throttle),
            (ThrottleScope::Account, "account".to_owned(), settings.account_throttle),
        ];
        for (scope, name, limit) in shared {
            if let Some(limit) = limit {
                let bucket = throttles.bucket(&name, limit);
                throttles.shared.push((scope, bucket));
            }
        }
        throttles
    }

    fn bucket(&mut self, name: &str, limit: ThrottleSettings) -> Arc<TokenBucket> {
        let ThrottleSettings { rate_limit, burst_limit } = limit;
        let bucket = self.env.buckets.bucket(name, rate_limit, burst_limit, self.env.now);
        self.all.push((Arc::clone(&bucket), limit));
        bucket
    }

    /// A method's buckets in the order they are spent from: its own, the stage's, the account's.
    fn of(
        &mut self,
        resource: &Resource,
        name: MethodName,
        method: &Method,
    ) -> Box<[(ThrottleScope, Arc<TokenBucket>)]> {
        let own = self.limit_of(resource, name, method).filter(|limit| self.can_decide(limit));
        let own = own.map(|limit| {
            let (api, stage) = (&self.api.id, &self.settings.stage);
            let name = format!("{api}/{stage}/{} {}", name.as_str(), resource.path);
            (ThrottleScope::Method, self.bucket(&name, limit))
        });
        own.into_iter().chain(self.shared.iter().cloned()).collect()
    }

    /// The method's limit: by its own entry of the stage, else as the document says, else by `*/*`.
    fn limit_of(
        &self,
        resource: &Resource,
        name: MethodName,
        method: &Method,
    ) -> Option<ThrottleSettings> {
        let settings = &self.settings.method_settings;
        if settings.is_empty() {
            return method.throttle;
        }
        if let Some(own) = settings.get(&setting_key(&resource.path, name)) {
            return throttle_of(own);
        }
        method.throttle.or_else(|| throttle_of(settings.get("*/*")?))
    }

    /// Whether a method's bucket can be empty before the account's is. One with the account's rate and
    /// burst, or more, sees a part of the requests that the account's sees and never decides. AWS's
    /// defaults are such (an entry that anything was set in has them), and a bucket for each of 90 000
    /// methods would take 30 MB and an atomic operation a request.
    fn can_decide(&self, limit: &ThrottleSettings) -> bool {
        self.settings.account_throttle.is_none_or(|account| {
            limit.rate_limit < account.rate_limit || limit.burst_limit < account.burst_limit
        })
    }
}

/// Key of a method in a stage's settings: the path without its first slash, but `/` for the root.
fn setting_key(path: &str, name: MethodName) -> String {
    let path = path.strip_prefix('/').filter(|rest| !rest.is_empty()).unwrap_or(path);
    format!("{path}/{}", name.as_str())
}

/// A setting's throttle, if it has any.
fn throttle_of(setting: &MethodSetting) -> Option<ThrottleSettings> {
    let (rate, burst) = (setting.throttling_rate_limit, setting.throttling_burst_limit);
    (rate.is_some() || burst.is_some()).then(|| ThrottleSettings {
        rate_limit: rate.unwrap_or(METHOD_RATE_LIMIT),
        burst_limit: burst.unwrap_or(METHOD_BURST_LIMIT),
    })
}

#[cfg(test)]
mod tests;
