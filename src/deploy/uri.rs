//! An integration's `uri`: stage variables are put in, the backend's place is split off, the rest
//! becomes literals and mapped path parameters.
//!
//! Source: facts, rest-api section 5 ("URI rendering").

use indexmap::IndexMap;

use super::compiled::UriPiece;
use super::source::{Scope, Source};
use crate::upstream::Scheme;

/// Characters a path keeps: RFC 3986's pchar, `/`, and `%` (escapes stay).
pub const PATH: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// The same for a query, which may hold `?` too.
const QUERY: &percent_encoding::AsciiSet = &PATH.remove(b'?');
/// Everything but RFC 3986's unreserved characters: for names and values of parameters.
pub const COMPONENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A compiled `uri`.
#[derive(Debug, PartialEq, Eq)]
pub struct Uri {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host without port; IPv6 in brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query.
    pub pieces: Vec<UriPiece>,
    /// Names of mapped parameters and the places of their pieces.
    pub names: Vec<(Box<str>, usize)>,
    /// Whether there is a `?`.
    pub has_query: bool,
}

/// Replaces `${stageVariables.x}`; an unset one becomes nothing. Also the names that were used.
pub fn with_variables<'a>(uri: &'a str, scope: &Scope<'_>) -> (String, Vec<&'a str>) {
    let (mut out, mut names, mut rest) = (String::new(), Vec::new(), uri);
    while let Some(at) = rest.find("${stageVariables.") {
        out.push_str(&rest[..at]);
        let behind = &rest[at + "${stageVariables.".len()..];
        let Some((name, after)) = behind.split_once('}') else {
            rest = &rest[at..];
            break;
        };
        out.push_str(scope.variables.get(name).map_or("", String::as_str));
        names.push(name);
        rest = after;
    }
    out.push_str(rest);
    (out, names)
}

/// Names in braces in path and query, in their order; stage variables have been put in.
pub fn placeholders(uri: &str) -> Vec<&str> {
    let uri = uri.split_once('#').map_or(uri, |(before, _)| before);
    let mut names: Vec<&str> = uri
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .collect();
    names.dedup();
    names
}

impl Uri {
    /// Compiles a URL without stage variables. `paths` are the sources of its `{name}`s; a name
    /// without source stays as it is.
    ///
    /// # Errors
    /// What is wrong with the address, as half a sentence.
    pub fn compile(text: &str, paths: &IndexMap<&str, Source>) -> Result<Self, String> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| format!("'{text}' does not begin with http:// or https://"))?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(format!("the scheme '{other}' is neither http nor https")),
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (host, port) = authority_parts(authority, scheme)?;
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let mut pieces = Pieces::default();
        if !path.starts_with('/') {
            pieces.literal.push('/');
        }
        pieces.add(path, paths, PATH, UriPiece::Path);
        if let Some(query) = query {
            pieces.literal.push('?');
            pieces.add(query, paths, QUERY, UriPiece::Query);
        }
        pieces.flush();
        let Pieces { all: pieces, names, .. } = pieces;
        Ok(Self { scheme, host, port, pieces, names, has_query: query.is_some() })
    }
}

fn authority_parts(authority: &str, scheme: Scheme) -> Result<(String, u16), String> {
    if authority.contains(['{', '}']) {
        return Err(format!(
            "'{authority}' has a path parameter; parameters may stand in path and query, and \
             stage variables anywhere"
        ));
    }
    if authority.contains('@') {
        return Err("the address holds a user name, which AWS does not take".to_owned());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_name = |host: &str| {
        !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let is_v6 = |host: &str| {
        host.strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
    };
    if !is_name(host) && !is_v6(host) {
        return Err(format!("'{host}' is no host name and no address"));
    }
    let port = match port {
        None | Some("") => scheme.default_port(),
        Some(port) => port
            .parse()
            .ok()
            .filter(|&port: &u16| port > 0)
            .ok_or_else(|| format!("'{port}' is no port"))?,
    };
    Ok((host.to_owned(), port))
}

#[derive(Default)]
struct Pieces {
    all: Vec<UriPiece>,
    names: Vec<(Box<str>, usize)>,
    literal: String,
}

impl Pieces {
    fn add(
        &mut self,
        mut rest: &str,
        paths: &IndexMap<&str, Source>,
        set: &'static percent_encoding::AsciiSet,
        piece: impl Fn(Source) -> UriPiece,
    ) {
        while let Some(open) = rest.find('{') {
            let name = rest[open + 1..].split_once('}').map(|(name, _)| name);
            let source = name.and_then(|name| Some((name, paths.get(name)?)));
            let Some((name, source)) = source else {
                self.escape(&rest[..=open], set);
                rest = &rest[open + 1..];
                continue;
            };
            self.escape(&rest[..open], set);
            match source {
                Source::Nothing => {}
                source => {
                    self.flush();
                    self.names.push((name.into(), self.all.len()));
                    self.all.push(piece(source.clone()));
                }
            }
            rest = &rest[open + name.len() + 2..];
        }
        self.escape(rest, set);
    }

    fn escape(&mut self, text: &str, set: &'static percent_encoding::AsciiSet) {
        self.literal.extend(percent_encoding::utf8_percent_encode(text, set));
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            let literal = std::mem::take(&mut self.literal);
            self.all.push(UriPiece::Literal(literal.into_bytes().into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> UriPiece {
        UriPiece::Literal(text.as_bytes().into())
    }

    #[test]
    fn uris_become_place_and_pieces() {
        let paths = IndexMap::from([("id", Source::Path(0)), ("p", Source::Path(1))]);
        for (text, host, port, pieces) in [
            ("http://h", "h", 80, vec![literal("/")]),
            ("https://h?x=1#frag", "h", 443, vec![literal("/?x=1")]),
            (
                "HTTP://h:8080/a/{id}/{p}",
                "h",
                8080,
                vec![
                    literal("/a/"),
                    UriPiece::Path(Source::Path(0)),
                    literal("/"),
                    UriPiece::Path(Source::Path(1)),
                ],
            ),
            (
                "http://[::1]:9/x?a={id}&b=c d",
                "[::1]",
                9,
                vec![literal("/x?a="), UriPiece::Query(Source::Path(0)), literal("&b=c%20d")],
            ),
            (
                "http://h/{unmapped}/%41/\u{e9}",
                "h",
                80,
                vec![literal("/%7Bunmapped%7D/%41/%C3%A9")],
            ),
        ] {
            let uri = Uri::compile(text, &paths).unwrap();
            assert_eq!((uri.host.as_str(), uri.port), (host, port), "{text}");
            assert_eq!(uri.pieces, pieces, "{text}");
            assert_eq!(uri.has_query, text.contains('?'), "{text}");
        }
        for text in [
            "h/x",
            "ftp://h",
            "http://",
            "http:///x",
            "http://a b/",
            "http://h:x/",
            "http://h:0/",
            "http://h:65536/",
            "http://u@h/",
            "http://{id}/",
            "http://[::1/",
            "http://[zz]/",
        ] {
            assert!(Uri::compile(text, &paths).is_err(), "{text}");
        }
    }

    #[test]
    fn placeholders_are_the_names_in_braces() {
        for (uri, want) in [
            ("http://h/{a}/x{b}?q={c}", vec!["a", "b", "c"]),
            ("http://h/{a}#{b}", vec!["a"]),
            ("http://h/{/}{}{open", vec![]),
            ("http://h/", vec![]),
        ] {
            assert_eq!(placeholders(uri), want, "{uri}");
        }
    }

    #[test]
    fn stage_variables_are_put_in_and_unset_ones_vanish() {
        let variables = [("host".to_owned(), "h:81".to_owned())].into();
        let scope = Scope { variables: &variables, constants: &[], path_parameters: &[] };
        let (text, names) =
            with_variables("http://${stageVariables.host}/${stageVariables.no}x", &scope);
        assert_eq!((text.as_str(), names), ("http://h:81/x", vec!["host", "no"]));
        assert_eq!(with_variables("a${stageVariables.open", &scope).0, "a${stageVariables.open");
    }
}
