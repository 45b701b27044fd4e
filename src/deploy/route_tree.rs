//! The paths and methods of a stage as a tree that a request walks.
//!
//! A segment of the path is matched by a literal before a `{variable}` before a `{greedy+}`, and
//! the walk turns back where a candidate lacks the method: with `POST /test` and
//! `OPTIONS /{proxy+}`, `OPTIONS /test` ends at the greedy resource (facts, rest-api section 2).
//! matchit knows no methods and cannot be asked for its next best match, hence a tree of our own.
//!
//! A node's literal children are sorted, and their first eight bytes behind what all of them share
//! stand side by side as numbers: a step down is one binary search over one array, so that 2 000
//! routes cost hardly more than 10. Nothing is hashed, nothing is allocated.
//!
//! In: path below the stage as received, method. Out: number of the method, spans of the path
//! parameters. Cost: at most one visit per node of the tree, on ordinary paths one per segment.

use smallvec::SmallVec;

use crate::http::Span;
use crate::limits::PATH_SEGMENTS_MAX;
use crate::model::MethodName;

/// No such child, no such method.
const NONE: u32 = u32::MAX;

/// Values of path parameters as spans of the path that was looked up.
pub type Captures = SmallVec<[Span; 6]>;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct RouteTree {
    nodes: Box<[Node]>,
    /// Sort key of every literal child; a node's children stand together, sorted.
    keys: Box<[u64]>,
    /// Text and node of the child with the same index in `keys`.
    children: Box<[Child]>,
    /// The literals' bytes.
    text: Box<[u8]>,
    /// Methods of the nodes that have any; index by [`MethodName`].
    methods: Box<[[u32; 8]]>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    children_start: u32,
    children_count: u32,
    /// Bytes that all literal children begin with; at most `u16::MAX`.
    shared_bytes: u16,
    /// Index into `methods`.
    methods: u32,
    variable: u32,
    /// Index into `methods`: a greedy parameter has no children.
    greedy: u32,
}

#[derive(Debug, Clone, Copy)]
struct Child {
    text: u32,
    len: u32,
    node: u32,
}

/// Why a path cannot be added to a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteError {
    /// Does not begin with `/`.
    NoSlash,
    /// `//` or a `/` at the end: no request could ever match.
    EmptySegment,
    /// `{` or `}` that is not around the whole segment, or an empty name.
    Braces(String),
    /// A greedy parameter that is not the last segment.
    GreedyNotLast(String),
    /// A second parameter of another name beside this one.
    SiblingVariable(String),
    /// The same name twice on one path.
    RepeatedName(String),
    /// Path and method are there already.
    Duplicate,
    /// More than [`PATH_SEGMENTS_MAX`] segments.
    TooDeep,
}

impl RouteError {
    /// What is wrong, and how to mend it.
    pub fn explain(&self) -> (String, &'static str) {
        match self {
            Self::NoSlash => ("the path does not begin with '/'".into(), "write it from the root"),
            Self::EmptySegment => (
                "the path has an empty segment".into(),
                "remove the doubled or trailing '/': AWS ignores trailing slashes of requests",
            ),
            Self::Braces(segment) => (
                format!("'{segment}' is neither a literal nor one parameter"),
                "a parameter is a whole segment: {name} or {name+}",
            ),
            Self::GreedyNotLast(segment) => (
                format!(
                    "Cannot create a child of a resource with a greedy path variable: {segment}"
                ),
                "let the greedy parameter be the last segment",
            ),
            Self::SiblingVariable(segment) => (
                format!(
                    "A sibling ({segment}) of this resource already has a variable path part -- \
                     only one is allowed"
                ),
                "give both the same name",
            ),
            Self::RepeatedName(name) => (
                format!("the path has two parameters of the name '{name}'"),
                "give them different names",
            ),
            Self::Duplicate => {
                ("path and method are declared twice".into(), "remove one of the two")
            }
            Self::TooDeep => (
                format!("the path has more than {PATH_SEGMENTS_MAX} segments"),
                "use a greedy parameter for the rest of the path",
            ),
        }
    }
}

impl RouteTree {
    /// Finds the method for a path below the stage, as received.
    ///
    /// Trailing slashes are ignored, leading ones count as one, those inside separate segments that
    /// may be empty. `captures` gets the values of the path parameters in the path's order.
    #[inline]
    pub fn find(&self, path: &[u8], method: MethodName, captures: &mut Captures) -> Option<u32> {
        captures.clear();
        let start = path.iter().position(|&byte| byte != b'/').unwrap_or(path.len());
        let end = path.iter().rposition(|&byte| byte != b'/').map_or(start, |last| last + 1);
        if self.nodes.is_empty() {
            return None;
        }
        self.walk(0, path, start, end, method, captures)
    }

    /// Looks for the rest of the path, `path[at..end]`, below `index`. `at > end`: nothing is left.
    fn walk(
        &self,
        index: u32,
        path: &[u8],
        at: usize,
        end: usize,
        method: MethodName,
        captures: &mut Captures,
    ) -> Option<u32> {
        let node = &self.nodes[index as usize];
        // The root of an empty path; below it an empty rest is an empty segment only behind a '/'.
        if at > end || (index == 0 && at == end) {
            return self.method_at(node.methods, method);
        }
        let rest = &path[at..end];
        let len = memchr::memchr(b'/', rest).unwrap_or(rest.len());
        let segment = &rest[..len];
        let next = at + len + 1;
        if let Some(child) = self.literal(node, segment)
            && let Some(found) = self.walk(child, path, next, end, method, captures)
        {
            return Some(found);
        }
        if node.variable != NONE && len > 0 {
            captures.push(Span { start: at as u32, len: len as u32 });
            if let Some(found) = self.walk(node.variable, path, next, end, method, captures) {
                return Some(found);
            }
            captures.pop();
        }
        let found = self.method_at(node.greedy, method)?;
        captures.push(Span { start: at as u32, len: (end - at) as u32 });
        Some(found)
    }

    /// The explicit method, else ANY.
    #[inline]
    fn method_at(&self, index: u32, method: MethodName) -> Option<u32> {
        let methods = self.methods.get(index as usize)?;
        [methods[method as usize], methods[MethodName::Any as usize]]
            .into_iter()
            .find(|&found| found != NONE)
    }

    /// The literal child of this text: binary search by key, then by the bytes behind the key.
    #[inline]
    fn literal(&self, node: &Node, segment: &[u8]) -> Option<u32> {
        let range =
            node.children_start as usize..(node.children_start + node.children_count) as usize;
        let (keys, children) = (&self.keys[range.clone()], &self.children[range]);
        let key = key(segment.get(usize::from(node.shared_bytes)..)?);
        let mut index = keys.partition_point(|&other| other < key);
        if keys.get(index + 1) == Some(&key) {
            // Several share the key: go on by their whole text.
            index += children[index..].partition_point(|child| {
                self.text_of(child) < segment && self.key_of(node, child) == key
            });
        }
        if keys.get(index) != Some(&key) {
            return None;
        }
        let child = &children[index];
        (self.text_of(child) == segment).then_some(child.node)
    }

    #[inline]
    fn text_of(&self, child: &Child) -> &[u8] {
        &self.text[child.text as usize..(child.text + child.len) as usize]
    }

    fn key_of(&self, node: &Node, child: &Child) -> u64 {
        key(&self.text_of(child)[usize::from(node.shared_bytes)..])
    }
}

/// The first eight bytes as a number that sorts like them; zeros where there are fewer.
#[inline]
fn key(bytes: &[u8]) -> u64 {
    if let Some(first) = bytes.first_chunk::<8>() {
        return u64::from_be_bytes(*first);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        // The last four overlap the first: those are shifted out.
        let last = u32::from_be_bytes(*last).unbounded_shl(8 * (8 - bytes.len() as u32));
        return u64::from(u32::from_be_bytes(*first)) << 32 | u64::from(last);
    }
    let key = bytes.iter().fold(0, |key, &byte| key << 8 | u64::from(byte));
    key.unbounded_shl(8 * (8 - bytes.len() as u32))
}

/// Collects paths for a [`RouteTree`].
#[derive(Debug)]
pub struct RouteTreeBuilder {
    nodes: Vec<BuildNode>,
}

#[derive(Debug, Default)]
struct BuildNode {
    literals: std::collections::BTreeMap<Vec<u8>, usize>,
    /// Name and node.
    variable: Option<(String, usize)>,
    greedy: Option<(String, [u32; 8])>,
    methods: Option<[u32; 8]>,
}

impl Default for RouteTreeBuilder {
    fn default() -> Self {
        Self { nodes: vec![BuildNode::default()] }
    }
}

/// Segments of a resource's path; `/` has none.
///
/// # Errors
/// [`RouteError::NoSlash`], [`RouteError::EmptySegment`], [`RouteError::TooDeep`].
fn segments(path: &str) -> Result<Vec<&str>, RouteError> {
    let rest = path.strip_prefix('/').ok_or(RouteError::NoSlash)?;
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    let segments: Vec<&str> = rest.split('/').collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        return Err(RouteError::EmptySegment);
    }
    if segments.len() > PATH_SEGMENTS_MAX {
        return Err(RouteError::TooDeep);
    }
    Ok(segments)
}

enum Segment<'a> {
    Literal(&'a str),
    Variable(&'a str),
    Greedy(&'a str),
}

fn segment(text: &str) -> Result<Segment<'_>, RouteError> {
    let bad = || RouteError::Braces(text.to_owned());
    let Some(inner) = text.strip_prefix('{') else {
        return if text.contains(['{', '}']) { Err(bad()) } else { Ok(Segment::Literal(text)) };
    };
    let inner = inner.strip_suffix('}').ok_or_else(bad)?;
    let (name, greedy) = match inner.strip_suffix('+') {
        Some(name) => (name, true),
        None => (inner, false),
    };
    if name.is_empty() || name.contains(['{', '}', '+']) {
        return Err(bad());
    }
    Ok(if greedy { Segment::Greedy(name) } else { Segment::Variable(name) })
}

/// Names of a path's parameters, in order.
///
/// # Errors
/// [`RouteError`] if the path is none that a tree takes.
pub fn parameter_names(path: &str) -> Result<Vec<String>, RouteError> {
    let mut names: Vec<String> = Vec::new();
    for text in segments(path)? {
        if let Segment::Variable(name) | Segment::Greedy(name) = segment(text)? {
            if names.iter().any(|other| other == name) {
                return Err(RouteError::RepeatedName(name.to_owned()));
            }
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

impl RouteTreeBuilder {
    /// Adds the method `index` under `path`.
    ///
    /// # Errors
    /// [`RouteError`]; what of the path has been added by then answers nothing.
    pub fn add(&mut self, path: &str, method: MethodName, index: u32) -> Result<(), RouteError> {
        parameter_names(path)?;
        let mut node = 0;
        let segments = segments(path)?;
        for (position, text) in segments.iter().enumerate() {
            let fresh = self.nodes.len();
            let next = match segment(text)? {
                Segment::Literal(text) => {
                    *self.nodes[node].literals.entry(text.as_bytes().to_vec()).or_insert(fresh)
                }
                Segment::Variable(name) => {
                    let (other, next) =
                        self.nodes[node].variable.get_or_insert_with(|| (name.to_owned(), fresh));
                    if other != name {
                        return Err(RouteError::SiblingVariable(format!("{{{other}}}")));
                    }
                    *next
                }
                Segment::Greedy(name) => {
                    if position + 1 < segments.len() {
                        return Err(RouteError::GreedyNotLast((*text).to_owned()));
                    }
                    let (other, methods) =
                        self.nodes[node].greedy.get_or_insert_with(|| (name.to_owned(), [NONE; 8]));
                    if other != name {
                        return Err(RouteError::SiblingVariable(format!("{{{other}+}}")));
                    }
                    return put(methods, method, index);
                }
            };
            if next == fresh {
                self.nodes.push(BuildNode::default());
            }
            node = next;
        }
        put(self.nodes[node].methods.get_or_insert([NONE; 8]), method, index)
    }

    /// The finished tree.
    pub fn build(self) -> RouteTree {
        let mut tree = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (nodes, keys, children, text, methods) = &mut tree;
        let mut methods_of = |entry: Option<[u32; 8]>| match entry {
            Some(entry) => {
                methods.push(entry);
                methods.len() as u32 - 1
            }
            None => NONE,
        };
        for node in self.nodes {
            let names: Vec<&[u8]> = node.literals.keys().map(Vec::as_slice).collect();
            let shared_bytes = shared_prefix(&names);
            nodes.push(Node {
                children_start: keys.len() as u32,
                children_count: names.len() as u32,
                shared_bytes,
                methods: methods_of(node.methods),
                variable: node.variable.map_or(NONE, |(_, index)| index as u32),
                greedy: methods_of(node.greedy.map(|(_, entry)| entry)),
            });
            for (name, &child) in &node.literals {
                keys.push(key(&name[usize::from(shared_bytes)..]));
                children.push(Child {
                    text: text.len() as u32,
                    len: name.len() as u32,
                    node: child as u32,
                });
                text.extend_from_slice(name);
            }
        }
        let (nodes, keys, children, text, methods) = tree;
        RouteTree {
            nodes: nodes.into(),
            keys: keys.into(),
            children: children.into(),
            text: text.into(),
            methods: methods.into(),
        }
    }
}

fn put(methods: &mut [u32; 8], method: MethodName, index: u32) -> Result<(), RouteError> {
    let slot = &mut methods[method as usize];
    if *slot != NONE {
        return Err(RouteError::Duplicate);
    }
    *slot = index;
    Ok(())
}

/// Bytes that all of the sorted names begin with.
fn shared_prefix(names: &[&[u8]]) -> u16 {
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return 0 };
    let shared = first.iter().zip(*last).take_while(|(a, b)| a == b).count();
    u16::try_from(shared).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
