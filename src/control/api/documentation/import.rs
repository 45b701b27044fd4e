//! Documentation out of a document: `x-amazon-apigateway-documentation` of an OpenAPI file.
//!
//! Source: facts, openapi sections 1, 4 and 9.

use std::collections::HashMap;

use indexmap::IndexSet;
use serde_json::{Map, Number, Value, json};

use super::super::call::{Call, Reply};
use super::super::context::Context;
use super::super::error::ApiError;
use super::super::objects::{DocumentationPart, DocumentationPartLocation};
use super::super::shape;
use super::location::{self, Place};
use super::new_id;
use crate::openapi::{self, Document, Node, json_number};

const EXTENSION: &str = "x-amazon-apigateway-documentation";
const MODES: [&str; 2] = ["merge", "overwrite"];

/// Parts of the document take the place of those that are about the same; with `mode=overwrite` all
/// others go.
pub(in super::super) fn import_documentation_parts(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    shape::check_query(call, &[("mode", &MODES)])?;
    let api = context.rest_api(call.label("restapi_id"))?.id;
    let unusable = || ApiError::bad_request("Unable to build importer with provided input.");
    let text = std::str::from_utf8(call.body).map_err(|_| unusable())?;
    let document = Document::parse(text).map_err(|_| unusable())?;
    let root = document.root();
    if !matches!(root.value, openapi::Value::Map(_)) {
        return Err(unusable());
    }
    let mut warnings = Vec::new();
    let mut wanted = Vec::new();
    let parts = root.member(EXTENSION).and_then(|extension| extension.member("documentationParts"));
    for (index, part) in parts.map(Node::items).unwrap_or_default().iter().enumerate() {
        match read(part) {
            Ok(part) => wanted.push(part),
            Err(why) => {
                warnings.push(format!("Ignoring documentation part {}: {why}", index + 1));
            }
        }
    }
    if call.query_flag("failonwarnings") && !warnings.is_empty() {
        let all = warnings.join("\n\t");
        return Err(ApiError::bad_request(format!("Warnings found during import:\n\t{all}")));
    }
    let ids = keep(context, &api, wanted, call.query("mode") == Some(MODES[1]))?;
    let mut answer = json!({"ids": ids});
    if !warnings.is_empty() {
        answer["warnings"] = json!(warnings);
    }
    Ok(Reply::json(&answer))
}

/// A part of the document: its location and properties.
fn read(part: &Node) -> Result<(DocumentationPartLocation, String), String> {
    let location = part.member("location").ok_or("it has no location")?;
    let member = |name| location.member(name).and_then(Node::scalar).map(str::to_owned);
    let location = DocumentationPartLocation {
        r#type: member("type").unwrap_or_default(),
        path: member("path"),
        method: member("method"),
        status_code: member("statusCode"),
        name: member("name"),
    };
    let location = location::checked(location)?;
    let properties = part.member("properties").ok_or("it has no properties")?;
    Ok((location, json_of(properties).to_string()))
}

/// Keeps the parts and gives their ids, in the document's order.
fn keep(
    context: &Context<'_>,
    api: &str,
    wanted: Vec<(DocumentationPartLocation, String)>,
    overwrites: bool,
) -> Result<IndexSet<String>, ApiError> {
    let there: Vec<DocumentationPart> = context.list(&[api])?;
    let mut ids_of: HashMap<Place<'_>, String> =
        there.iter().map(|part| (Place::of(&part.location), part.id.clone())).collect();
    if overwrites {
        context.delete_all::<DocumentationPart>(&[api])?;
    }
    let mut ids = IndexSet::with_capacity(wanted.len());
    for (location, properties) in &wanted {
        let id = match ids_of.get(&Place::of(location)) {
            Some(id) => id.clone(),
            None => new_id(context, api)?,
        };
        let part = DocumentationPart {
            id: id.clone(),
            location: location.clone(),
            properties: properties.clone(),
        };
        context.put(&[api, &id], &part)?;
        ids_of.insert(Place::of(location), id.clone());
        // The same place twice in one document is one part: the last counts.
        ids.insert(id);
    }
    Ok(ids)
}

/// A node as JSON; a document is not deeper than [`crate::limits::DOCUMENT_DEPTH_MAX`].
fn json_of(node: &Node) -> Value {
    match &node.value {
        openapi::Value::Null => Value::Null,
        openapi::Value::Bool(flag) => Value::Bool(*flag),
        openapi::Value::Number(text) => {
            let number = json_number(text);
            let number = number.and_then(|text| serde_json::from_str::<Number>(&text).ok());
            // What is no number for JSON stays the text that it was.
            number.map_or_else(|| Value::from(&**text), Value::Number)
        }
        openapi::Value::String(text) => Value::from(&**text),
        openapi::Value::List(items) => items.iter().map(json_of).collect(),
        openapi::Value::Map(members) => Value::Object(
            members
                .iter()
                .map(|member| (member.key.to_string(), json_of(&member.node)))
                .collect::<Map<_, _>>(),
        ),
    }
}
