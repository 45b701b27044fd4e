//! The document's base path: `basePath`, or what `servers` say.

use super::super::Node;
use super::place::Place;
use super::{Dialect, Importer};

/// What becomes of the base path. Source: facts, openapi section 3 ("Base path results").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BasePath {
    /// Nothing.
    #[default]
    Ignore,
    /// It stands before every path.
    Prepend,
    /// All of it but its first segment does.
    Split,
}

impl BasePath {
    /// Reads `ignore`, `prepend` and `split` in any case of letters.
    pub fn named(name: &str) -> Option<Self> {
        let all = [("ignore", Self::Ignore), ("prepend", Self::Prepend), ("split", Self::Split)];
        all.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, it)| it)
    }
}

impl Importer<'_> {
    /// What stands before every path: `""`, or segments that each begin with `/`.
    pub(super) fn path_prefix(&self, root: &Place<'_>) -> String {
        let declared = match self.dialect {
            Dialect::Swagger2 => {
                root.node.member("basePath").and_then(Node::as_str).map(str::to_owned)
            }
            Dialect::OpenApi3 => server_path(root.node),
        };
        let base_path = declared.unwrap_or_default();
        let segments = base_path.split('/').filter(|segment| !segment.is_empty());
        let dropped = match self.options.base_path {
            BasePath::Ignore => usize::MAX,
            BasePath::Prepend => 0,
            BasePath::Split => 1,
        };
        segments.skip(dropped).map(|segment| format!("/{segment}")).collect()
    }
}

/// The path of the first server: the default of its variable `basePath`, or of the first variable that
/// stands in its path, or the path itself.
fn server_path(root: &Node) -> Option<String> {
    let server = root.member("servers")?.items().first()?;
    let url = server.member("url").and_then(Node::as_str)?;
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let variables = server.member("variables").map(Node::members).unwrap_or_default();
    let used = variables.iter().filter(|it| path.contains(&format!("{{{}}}", it.key)));
    let mut used: Vec<_> = used.collect();
    // Stable, so that the document's order decides among the others.
    used.sort_by_key(|it| &*it.key != "basePath");
    match used.first() {
        Some(variable) => variable.node.member("default").and_then(Node::scalar).map(str::to_owned),
        None => Some(path.to_owned()),
    }
}
