//! Documentation in an export: which part is about which object, and which of its members OpenAPI has.
//!
//! A part without path, method or status is about every object below `/`, `*`, `*`; the most specific one
//! counts, the path before the status. Members that OpenAPI has, and those that begin with `x-`, are
//! put into the object; the extension has all of them.
//!
//! Source: facts, openapi section 9; developer guide, "Publish API documentation".

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::ExportOptions;
use crate::model::{DocumentationPart, DocumentationPartLocation, DocumentationPartType, RestApi};

pub(super) const EXTENSION: &str = "x-amazon-apigateway-documentation";

/// The parts of an export; none without a documentation version.
pub(super) struct Texts<'a> {
    options: &'a ExportOptions,
    parts: &'a [DocumentationPart],
    /// Properties of each part, empty where they are no object.
    properties: Vec<Map<String, Json>>,
    /// Parts by type, name and path without a slash at its end.
    by_place: HashMap<(DocumentationPartType, Option<&'a str>, &'a str), Vec<usize>>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(api: &'a RestApi, options: &'a ExportOptions) -> Self {
        let parts = match options.documentation {
            Some(_) => &*api.documentation_parts,
            None => &[],
        };
        let object = |part: &DocumentationPart| serde_json::from_str(&part.properties).ok();
        let properties = parts.iter().map(|part| object(part).unwrap_or_default()).collect();
        let mut by_place: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, DocumentationPart { location, .. }) in parts.iter().enumerate() {
            let path = location.path.as_deref().unwrap_or_default().trim_end_matches('/');
            let place = (location.kind, location.name.as_deref(), path);
            by_place.entry(place).or_default().push(index);
        }
        Self { options, parts, properties, by_place }
    }

    /// The properties of the most specific part about an object; the first of equals.
    pub(super) fn of(
        &self,
        kind: DocumentationPartType,
        path: Option<&str>,
        method: Option<&str>,
        status_code: Option<&str>,
        name: Option<&str>,
    ) -> Option<&Map<String, Json>> {
        let mut path = path.unwrap_or_default().trim_end_matches('/');
        loop {
            let mut best: Option<(usize, (bool, bool))> = None;
            for &index in self.by_place.get(&(kind, name, path)).into_iter().flatten() {
                let at = &self.parts[index].location;
                let own_method = fits(at.method.as_deref(), method);
                let own_status = fits(at.status_code.as_deref(), status_code);
                if let Some(own) = own_method.zip(own_status)
                    && best.is_none_or(|(_, other)| own > other)
                {
                    best = Some((index, own));
                }
            }
            if let Some((index, _)) = best {
                return Some(&self.properties[index]);
            }
            path = &path[..path.rfind('/')?];
        }
    }

    /// `x-amazon-apigateway-documentation`.
    pub(super) fn extension(&self) -> Map<String, Json> {
        let mut extension = Map::new();
        let Some(snapshot) = &self.options.documentation else { return extension };
        extension.insert("version".to_owned(), json!(snapshot.version));
        if let Some(date) = &snapshot.created_date {
            extension.insert("createdDate".to_owned(), json!(date));
        }
        let part = |part: &DocumentationPart| {
            let properties: Json = serde_json::from_str(&part.properties)
                .unwrap_or_else(|_| Json::String(part.properties.clone()));
            json!({ "location": location(&part.location), "properties": properties })
        };
        let parts: Json = self.parts.iter().map(part).collect();
        extension.insert("documentationParts".to_owned(), parts);
        extension
    }
}

fn location(at: &DocumentationPartLocation) -> Json {
    let members = [
        ("type", Some(at.kind.as_str())),
        ("path", at.path.as_deref()),
        ("method", at.method.as_deref()),
        ("statusCode", at.status_code.as_deref()),
        ("name", at.name.as_deref()),
    ];
    let given =
        members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value?))));
    Json::Object(given.collect())
}

/// Whether the part names the object's own method or status; `None`: another one.
fn fits(part: Option<&str>, object: Option<&str>) -> Option<bool> {
    match (part, object) {
        (None | Some("*"), _) | (_, None) => Some(false),
        (Some(part), Some(object)) => part.eq_ignore_ascii_case(object).then_some(true),
    }
}

/// Takes over members of these keys.
pub(super) fn take(
    object: &mut Map<String, Json>,
    properties: Option<&Map<String, Json>>,
    keys: &[&str],
) {
    let Some(properties) = properties else { return };
    for key in keys {
        if let Some(value) = properties.get(*key) {
            object.insert((*key).to_owned(), value.clone());
        }
    }
}

/// Takes over members that are extensions, but none of API Gateway's and none that is there.
pub(super) fn take_extensions(
    object: &mut Map<String, Json>,
    properties: Option<&Map<String, Json>>,
) {
    for (key, value) in properties.into_iter().flatten() {
        let ours = key.starts_with("x-amazon-apigateway-") || key.starts_with("x-ringway-");
        if key.starts_with("x-") && !ours && !object.contains_key(key) {
            object.insert(key.clone(), value.clone());
        }
    }
}
