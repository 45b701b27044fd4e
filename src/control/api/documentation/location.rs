//! What a piece of documentation is about.
//!
//! Source: facts, openapi section 9.

use std::collections::HashSet;

use super::super::context::Context;
use super::super::error::ApiError;
use super::super::objects::{
    Authorizer, DocumentationPart, DocumentationPartLocation, Method, Model, Resource,
};

/// All types, in the order of AWS's model.
pub(super) const TYPES: [&str; 12] = [
    "API",
    "AUTHORIZER",
    "MODEL",
    "RESOURCE",
    "METHOD",
    "PATH_PARAMETER",
    "QUERY_PARAMETER",
    "REQUEST_HEADER",
    "REQUEST_BODY",
    "RESPONSE",
    "RESPONSE_HEADER",
    "RESPONSE_BODY",
];

/// Which members a location of a type has.
#[derive(Clone, Copy)]
struct Members {
    path: bool,
    method: bool,
    status_code: bool,
    name: bool,
    needs_name: bool,
}

/// `None`: there is no such type.
fn members_of(kind: &str) -> Option<Members> {
    let members = |depth: u8, name: bool| Members {
        path: depth > 0,
        method: depth > 1,
        status_code: depth > 2,
        name,
        needs_name: name,
    };
    Some(match kind {
        "API" => members(0, false),
        "AUTHORIZER" | "MODEL" => members(0, true),
        "RESOURCE" => members(1, false),
        "METHOD" | "REQUEST_BODY" => members(2, false),
        "PATH_PARAMETER" | "REQUEST_HEADER" => members(2, true),
        "QUERY_PARAMETER" => Members { needs_name: false, ..members(2, true) },
        "RESPONSE" | "RESPONSE_BODY" => members(3, false),
        "RESPONSE_HEADER" => members(3, true),
        _ => return None,
    })
}

/// A location as it is kept: without empty members.
///
/// # Errors
/// It has a member that its type has not, or lacks a name.
pub(super) fn checked(
    mut location: DocumentationPartLocation,
) -> Result<DocumentationPartLocation, String> {
    let kind = location.r#type.clone();
    let Some(allowed) = members_of(&kind) else {
        return Err(format!("Invalid location specified: there is no type '{kind}'"));
    };
    for (member, name, is_allowed) in [
        (&mut location.path, "path", allowed.path),
        (&mut location.method, "method", allowed.method),
        (&mut location.status_code, "statusCode", allowed.status_code),
        (&mut location.name, "name", allowed.name),
    ] {
        *member = member.take().filter(|text| !text.trim().is_empty());
        if member.is_some() && !is_allowed {
            return Err(format!("Invalid location specified: type '{kind}' has no {name}"));
        }
    }
    if allowed.needs_name && location.name.is_none() {
        return Err(format!("Invalid location specified: type '{kind}' needs a name"));
    }
    if location.path.as_ref().is_some_and(|path| !path.starts_with('/')) {
        return Err("Invalid location specified: path has to begin with '/'".to_owned());
    }
    if !location.status_code.as_deref().is_none_or(is_status) {
        return Err("Invalid location specified: statusCode has to be like 200, or *".to_owned());
    }
    Ok(location)
}

fn is_status(text: &str) -> bool {
    let bytes = text.as_bytes();
    text == "*"
        || (bytes.len() == 3
            && (b'1'..=b'5').contains(&bytes[0])
            && bytes.iter().all(u8::is_ascii_digit))
}

/// `type 'METHOD', path '/', method 'GET'`: the members that were given.
pub(super) fn described(location: &DocumentationPartLocation) -> String {
    let mut text = format!("type '{}'", location.r#type);
    for (name, value) in [
        ("path", &location.path),
        ("method", &location.method),
        ("statusCode", &location.status_code),
        ("name", &location.name),
    ] {
        if let Some(value) = value {
            text.push_str(&format!(", {name} '{value}'"));
        }
    }
    text
}

/// A location with the defaults of what it leaves out, by which it is told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place<'a> {
    kind: &'a str,
    pub(super) path: Option<&'a str>,
    method: Option<&'a str>,
    status_code: Option<&'a str>,
    pub(super) name: Option<&'a str>,
}

impl<'a> Place<'a> {
    pub(super) fn of(location: &'a DocumentationPartLocation) -> Self {
        let allowed = members_of(&location.r#type);
        let member = |value: &'a Option<String>, is_allowed: bool, default: &'static str| {
            value.as_deref().or_else(|| is_allowed.then_some(default))
        };
        let has = |pick: fn(Members) -> bool| allowed.is_some_and(pick);
        Self {
            kind: &location.r#type,
            path: member(&location.path, has(|it| it.path), "/"),
            method: member(&location.method, has(|it| it.method), "*"),
            status_code: member(&location.status_code, has(|it| it.status_code), "*"),
            name: location.name.as_deref(),
        }
    }

    /// A text that no other place has.
    pub(super) fn described(&self) -> String {
        let members = [self.path, self.method, self.status_code, self.name];
        let members: Vec<&str> = members.into_iter().flatten().collect();
        format!("{} {}", self.kind, members.join(" "))
    }

    /// The places whose documentation this one has too: itself, and itself with any status or method.
    fn widened(self) -> [Self; 4] {
        let any = |value: Option<&'a str>| value.map(|_| "*");
        let status_code = any(self.status_code);
        let method = any(self.method);
        [
            self,
            Self { status_code, ..self },
            Self { method, ..self },
            Self { method, status_code, ..self },
        ]
    }
}

/// Everything of an API that could be documented and is not, in the order of AWS's types.
pub(super) fn undocumented(
    context: &Context<'_>,
    api: &str,
    parts: &[DocumentationPart],
) -> Result<Vec<DocumentationPartLocation>, ApiError> {
    let documented: HashSet<Place<'_>> =
        parts.iter().map(|part| Place::of(&part.location)).collect();
    let mut all = everything(context, api)?;
    all.retain(|it| !Place::of(it).widened().iter().any(|place| documented.contains(place)));
    all.sort_by_key(|it| TYPES.iter().position(|kind| *kind == it.r#type));
    Ok(all)
}

/// Everything of an API that could be documented, resources by path.
fn everything(
    context: &Context<'_>,
    api: &str,
) -> Result<Vec<DocumentationPartLocation>, ApiError> {
    let named = |kind: &str, name: String| DocumentationPartLocation {
        r#type: kind.to_owned(),
        name: Some(name),
        ..DocumentationPartLocation::default()
    };
    let mut all = vec![DocumentationPartLocation {
        r#type: TYPES[0].to_owned(),
        ..DocumentationPartLocation::default()
    }];
    let authorizers: Vec<Authorizer> = context.list(&[api])?;
    all.extend(authorizers.into_iter().map(|it| named("AUTHORIZER", it.name)));
    let models: Vec<Model> = context.list(&[api])?;
    all.extend(models.into_iter().map(|it| named("MODEL", it.name)));
    let mut resources: Vec<Resource> = context.list(&[api])?;
    resources.sort_by(|one, other| one.path.cmp(&other.path));
    for resource in &resources {
        all.push(DocumentationPartLocation {
            r#type: "RESOURCE".to_owned(),
            path: Some(resource.path.clone()),
            ..DocumentationPartLocation::default()
        });
        for method in resource.resource_methods.iter().flat_map(|methods| methods.values()) {
            push_method(&mut all, &resource.path, method);
        }
    }
    Ok(all)
}

fn push_method(all: &mut Vec<DocumentationPartLocation>, path: &str, method: &Method) {
    let mut push = |kind: &str, status_code: Option<&str>, name: Option<&str>| {
        all.push(DocumentationPartLocation {
            r#type: kind.to_owned(),
            path: Some(path.to_owned()),
            method: Some(method.http_method.clone()),
            status_code: status_code.map(str::to_owned),
            name: name.map(str::to_owned),
        });
    };
    push("METHOD", None, None);
    for key in method.request_parameters.iter().flat_map(|parameters| parameters.keys()) {
        let place = key.strip_prefix("method.request.").and_then(|it| it.split_once('.'));
        match place {
            Some(("path", name)) => push("PATH_PARAMETER", None, Some(name)),
            Some(("querystring", name)) => push("QUERY_PARAMETER", None, Some(name)),
            Some(("header", name)) => push("REQUEST_HEADER", None, Some(name)),
            _ => {}
        }
    }
    if method.request_models.as_ref().is_some_and(|models| !models.is_empty()) {
        push("REQUEST_BODY", None, None);
    }
    for (status, response) in method.method_responses.iter().flatten() {
        push("RESPONSE", Some(status), None);
        for key in response.response_parameters.iter().flat_map(|parameters| parameters.keys()) {
            if let Some(name) = key.strip_prefix("method.response.header.") {
                push("RESPONSE_HEADER", Some(status), Some(name));
            }
        }
        if response.response_models.as_ref().is_some_and(|models| !models.is_empty()) {
            push("RESPONSE_BODY", Some(status), None);
        }
    }
}
