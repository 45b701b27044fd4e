//! ImportRestApi and PutRestApi: an OpenAPI document becomes an API, or meets one.
//!
//! Source: facts, openapi sections 1 to 3 and aws-recorded section 18.

use super::call::{Call, Reply};
use super::context::Context;
use super::documentation;
use super::error::ApiError;
use super::ids;
use super::objects::{EndpointConfiguration, RestApi};
use super::rest_apis;
use crate::control::definition::{Definition, PutMode};
use crate::openapi::{self, BasePath, Document, Import, ImportOptions, Severity};

/// Findings of an import that go to the log.
const TOLD_MAX: usize = 20;

pub(super) fn import_rest_api(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let import = imported(context, call)?;
    let types = call.query("endpointConfigurationTypes").map(|it| vec![it.to_owned()]);
    let endpoint = types.map(|types| EndpointConfiguration { types, ..Default::default() });
    let rest_api = RestApi {
        id: ids::new(ids::LONG, |id| context.has::<RestApi>(&[id]))?,
        root_resource_id: ids::new(ids::LONG, |_| Ok::<_, ApiError>(false))?,
        created_date: context.now,
        endpoint_configuration: rest_apis::endpoint(endpoint.clone())?,
        ..RestApi::default()
    };
    let mut definition = Definition { rest_api, ..Definition::default() };
    definition.adopt(&import.api, PutMode::Overwrite)?;
    if endpoint.is_some() {
        // What the call says counts more than what the document says.
        definition.rest_api.endpoint_configuration = rest_apis::endpoint(endpoint)?;
    }
    finish(context, call, &definition, &import)
}

pub(super) fn put_rest_api(context: &mut Context<'_>, call: &Call<'_>) -> Result<Reply, ApiError> {
    let id = context.rest_api(call.label("restapi_id"))?.id;
    let mode = match call.query("mode") {
        None | Some("" | "merge") => PutMode::Merge,
        Some("overwrite") => PutMode::Overwrite,
        Some(other) => {
            return Err(ApiError::validation(format!(
                "1 validation error detected: Value '{other}' at 'putRestApiInput.mode' failed to satisfy constraint: Member must satisfy enum value set: [merge, overwrite]"
            )));
        }
    };
    let import = imported(context, call)?;
    let mut definition = Definition::load(context.store, &id)?
        .ok_or_else(|| ApiError::internal("the API is gone"))?;
    definition.adopt(&import.api, mode)?;
    definition.rest_api.tags.get_or_insert_default();
    context.effects.endpoints.insert(id);
    finish(context, call, &definition, &import)
}

/// Keeps the definition and answers with its API, and with what AWS warns of.
fn finish(
    context: &mut Context<'_>,
    call: &Call<'_>,
    definition: &Definition,
    import: &Import,
) -> Result<Reply, ApiError> {
    definition.store(context.store)?;
    if let Some(version) = &import.api.documentation_version {
        documentation::ensure_version(context, &definition.rest_api.id, version)?;
    }
    let name = &definition.rest_api.name;
    let later = import.diagnostics.iter().filter(|it| it.severity == Severity::NotCarriedOut);
    for finding in later.take(TOLD_MAX) {
        let (operation, pointer) = (call.operation.name, &finding.pointer);
        context.not_carried_out(format!("{operation} of '{name}': {pointer}: {}", finding.message));
    }
    let mut api = definition.rest_api.clone();
    let warnings: Vec<String> = import.aws_warnings().into_iter().map(str::to_owned).collect();
    api.warnings = (!warnings.is_empty()).then_some(warnings);
    Ok(Reply::json(&api))
}

/// Reads the call's document.
fn imported(context: &Context<'_>, call: &Call<'_>) -> Result<Import, ApiError> {
    let unreadable = |what: &str| ApiError::bad_request(format!("Invalid OpenAPI input. {what}"));
    let text = std::str::from_utf8(call.body)
        .map_err(|error| unreadable(&format!("It is not UTF-8 text: {error}")))?;
    let document = Document::parse(text).map_err(|it| {
        let (line, column) = (it.position.line, it.position.column);
        unreadable(&format!("Line {line}, column {column}: {}", it.message))
    })?;
    let options = ImportOptions {
        base_path: match call.query("basepath") {
            None | Some("" | "ignore") => BasePath::Ignore,
            Some("prepend") => BasePath::Prepend,
            Some("split") => BasePath::Split,
            Some(other) => {
                return Err(ApiError::bad_request(format!(
                    "Invalid basepath '{other}': it has to be ignore, prepend or split"
                )));
            }
        },
        ignore_documentation: call.query("ignore") == Some("documentation"),
        region: context.settings.region.clone(),
        account_id: context.settings.account_id.clone(),
        ..ImportOptions::default()
    };
    let import = openapi::import_with(&document, &options);
    match import.aws_refusal(call.query_flag("failonwarnings")) {
        Some(message) => Err(ApiError::bad_request(message)),
        None => Ok(import),
    }
}
