//! `paths` to the tree of resources.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Importer;
use super::names::{self, shown};
use super::parameters::is_parameter_name;
use super::place::Place;
use super::report::{Keys, Use};
use crate::model::{Method, MethodName, Resource};

use Use::{Documentation, Ignored, Read};

const ANY: &str = "x-amazon-apigateway-any-method";
const METHODS: [(&str, MethodName); 8] = [
    ("get", MethodName::Get),
    ("put", MethodName::Put),
    ("post", MethodName::Post),
    ("delete", MethodName::Delete),
    ("options", MethodName::Options),
    ("head", MethodName::Head),
    ("patch", MethodName::Patch),
    (ANY, MethodName::Any),
];
const PATH_ITEM: &Keys = &[
    ("summary", Documentation),
    ("description", Documentation),
    ("servers", Documentation),
    ("parameters", Read),
    ("get", Read),
    ("put", Read),
    ("post", Read),
    ("delete", Read),
    ("options", Read),
    ("head", Read),
    ("patch", Read),
    (ANY, Read),
    ("trace", Ignored("API Gateway has no TRACE method")),
    ("query", Ignored("API Gateway has no QUERY method")),
];
const RESOURCE_ID_CHARS: usize = 6;

type Methods = BTreeMap<MethodName, Method>;

/// What has been found below each parent: its variable segment.
type Variables = HashMap<String, String>;

impl<'a> Importer<'a> {
    /// All resources, those between included, sorted by path.
    pub(super) fn resources(&mut self, root: &Place<'a>) -> Vec<Resource> {
        let mut resources: BTreeMap<String, Methods> = BTreeMap::new();
        resources.insert("/".to_owned(), Methods::new());
        let (mut variables, mut refused) = (Variables::new(), false);
        let paths = self.object(root, "paths");
        for (path, place) in paths.iter().flat_map(|paths| paths.members()) {
            let place = place();
            if path.starts_with("x-") {
                self.report.unknown_key(path, &place, "paths", &[]);
                continue;
            }
            let prefixed = match path {
                "/" if !self.path_prefix.is_empty() => self.path_prefix.clone(),
                _ if path.starts_with('/') => format!("{}{path}", self.path_prefix),
                _ => path.to_owned(),
            };
            let before =
                self.report.step(format!("Unable to create resource at path '{prefixed}'"));
            let (path, taken) = self.path(&prefixed, &place, &mut variables);
            self.report.step(before);
            let methods = self.path_item(&place, path);
            if !taken {
                refused = true;
                continue;
            }
            for (end, _) in path.match_indices('/').skip(1) {
                resources.entry(path[..end].to_owned()).or_default();
            }
            let resource = resources.entry(path.to_owned()).or_default();
            for (name, method) in methods {
                if resource.insert(name, method).is_some() {
                    let message = format!("{} {path} is declared twice", name.as_str());
                    self.report.error(&place, message, "remove one of the two");
                }
            }
        }
        if !refused && resources.values().all(Methods::is_empty) {
            let place = root.member("paths").unwrap_or_else(|| root.clone());
            // AWS says so when the API is deployed.
            self.report.ours(
                &place,
                "The REST API doesn't contain any methods",
                "add a path with an operation",
            );
        }
        let mut taken = BTreeSet::new();
        resources
            .into_iter()
            .map(|(path, methods)| {
                let mut id = names::id(&path, RESOURCE_ID_CHARS);
                while !taken.insert(id.clone()) {
                    id = names::id(&format!("{path} {id}"), RESOURCE_ID_CHARS);
                }
                Resource { id, path, methods }
            })
            .collect()
    }

    /// Checks a path and gives it without a slash at its end, and whether AWS takes it.
    fn path<'p>(
        &mut self,
        path: &'p str,
        place: &Place<'a>,
        variables: &mut Variables,
    ) -> (&'p str, bool) {
        let path = match path.strip_suffix('/') {
            Some(shorter) if !shorter.is_empty() && !shorter.ends_with('/') => {
                self.report.warning(
                    place,
                    "the slash at the path's end has no effect",
                    "API Gateway ignores slashes at the end, in definitions and requests",
                );
                shorter
            }
            _ => path,
        };
        if !path.starts_with('/') {
            self.report.error(
                place,
                format!("the path '{}' does not begin with '/'", shown(path)),
                "write it from the root",
            );
            return (path, false);
        }
        if matches!(path, "/ping" | "/sping") {
            self.report.warning(
                place,
                "AWS keeps /ping and /sping for itself",
                "Ringway serves the path; choose another one if the API is to run on AWS too",
            );
        }
        let (mut names, mut taken) = (Vec::new(), true);
        let mut start = 1;
        while start < path.len() {
            let end = path[start..].find('/').map_or(path.len(), |len| start + len);
            let (parent, segment) = (&path[..start - 1], &path[start..end]);
            if !self.segment(segment, place) {
                return (path, false);
            }
            if segment.starts_with('{') {
                let name = segment.trim_matches(['{', '}', '+']);
                if names.contains(&name) {
                    taken = false;
                    let message = format!("the path has two parameters of the name '{name}'");
                    self.report.error(place, message, "give them different names");
                }
                names.push(name);
                let first = variables.entry(parent.to_owned()).or_insert(segment.to_owned());
                if *first != segment {
                    taken = false;
                    self.report.error(
                        place,
                        format!(
                            "A sibling ({first}) of this resource already has a variable path part \
                             -- only one is allowed"
                        ),
                        format!("rename {segment} to {first}, or move one of the two"),
                    );
                }
                if segment.ends_with("+}") && end < path.len() {
                    taken = false;
                    self.report.error(
                        place,
                        format!(
                            "Cannot create a child of a resource with a greedy path variable: \
                             {segment}"
                        ),
                        "let the greedy parameter be the last segment",
                    );
                }
            }
            start = end + 1;
        }
        (path, taken)
    }

    /// Whether a segment is one that AWS takes; says so if not.
    fn segment(&mut self, segment: &str, place: &Place<'_>) -> bool {
        if segment.is_empty() {
            self.report.error(place, "the path has an empty segment", "remove the doubled '/'");
            return false;
        }
        if segment == "$default" {
            self.report.error(
                place,
                "the path $default belongs to HTTP APIs",
                "they come with a later release: write /{proxy+}, and / beside it",
            );
            return false;
        }
        let literal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:,~@".contains(&byte);
        let whole = segment.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        let ok = match whole {
            Some(name) => is_parameter_name(name.strip_suffix('+').unwrap_or(name)),
            None => segment.bytes().all(literal),
        };
        if !ok {
            let help = if whole.is_none() && segment.contains(['{', '}']) {
                "a parameter is a whole segment: {name}, or {name+} at the path's end"
            } else {
                "write letters, digits and . _ - : , ~ @, or {name} with letters, digits and . _ - $"
            };
            self.report.error_as(
                place,
                format!(
                    "Resource's path part only allow a-zA-Z0-9._-:, or a valid greedy path variable \
                     and curly braces at the beginning and the end: '{}'",
                    shown(segment)
                ),
                help,
                "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and \
                 curly braces at the beginning and the end.",
            );
        }
        ok
    }

    fn path_item(&mut self, place: &Place<'a>, path: &str) -> Methods {
        let mut methods = Methods::new();
        if !self.is_object(place) {
            return methods;
        }
        let Some(item) = self.resolve(place) else { return methods };
        if !self.is_object(&item) {
            return methods;
        }
        self.path_item_keys(&item);
        self.document_path(path, item.node);
        let shared = self.parameters(&item);
        for (key, name) in METHODS {
            if let Some(operation) = self.object(&item, key) {
                methods.insert(name, self.operation(&operation, path, name, &shared));
            }
        }
        methods
    }

    /// A method in capitals would vanish behind a warning, so it is an error.
    fn path_item_keys(&mut self, item: &Place<'a>) {
        let mut known = PATH_ITEM.to_vec();
        for (key, place) in item.members() {
            let method = |(name, _): &&(&'static str, MethodName)| {
                *name != key && name.eq_ignore_ascii_case(key) && *name != ANY
            };
            if let Some((name, _)) = METHODS.iter().find(method) {
                let message = format!("'{key}' is no method");
                self.report.ours(&place(), message, format!("write it as '{name}'"));
                known.push((key, Read));
            }
        }
        self.report.keys(item, "a path", &known);
    }
}
