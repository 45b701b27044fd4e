//! Custom domain names and what their paths lead to.
//!
//! In: names and base path mappings as the control plane keeps them. Out: an immutable table that every
//! shard holds; `gateway::find_api` asks it on a connection's first request, and again when a request
//! names another host.
//! Source: developer guide, "Custom domain names for public REST APIs", "Wildcard custom domain names",
//! "Use API mappings to connect API stages to a custom domain name".

use std::collections::HashMap;

/// What AWS calls the base path of a mapping that has none.
const NO_BASE_PATH: &str = "(none)";

/// What the paths below a base path of a custom domain name lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasePathMapping {
    /// `a`, `a/b`, or empty: every path that no other mapping fits. AWS's `(none)` and slashes around it
    /// are taken, too.
    pub base_path: String,
    /// The API.
    pub api_id: String,
    /// Its stage; `None`: the segment behind the base path names it.
    pub stage: Option<String>,
}

/// One custom domain name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Lower case; `*.example.com` stands for every name with one label more than `example.com`.
    pub name: String,
    /// The longest base path first, so that the first that fits is the one.
    pub mappings: Vec<BasePathMapping>,
}

/// Every custom domain name there is.
#[derive(Clone, Debug, Default)]
pub struct DomainTable {
    domains: Box<[Domain]>,
    by_name: HashMap<Box<[u8]>, u32, foldhash::fast::RandomState>,
}

impl DomainTable {
    /// A table of these. Of two domains of one name the later one counts, and of two mappings of one
    /// base path the earlier one.
    pub fn new(domains: impl IntoIterator<Item = Domain>) -> Self {
        let domains: Box<[Domain]> = domains.into_iter().map(normal).collect();
        let by_name = (0_u32..)
            .zip(&domains)
            .map(|(place, domain)| (domain.name.as_bytes().into(), place))
            .collect();
        Self { domains, by_name }
    }

    /// All of them; the index is what [`Self::find`] answers.
    pub fn domains(&self) -> &[Domain] {
        &self.domains
    }

    /// Place of the domain that a lower-case name without port belongs to: its own, else that of the
    /// wildcard above it.
    pub fn find(&self, name: &[u8]) -> Option<u32> {
        if self.domains.is_empty() {
            return None;
        }
        if let Some(&place) = self.by_name.get(name) {
            // `*` is no letter of a host name, so nobody can ask for a wildcard by its name.
            return Some(place);
        }
        let dot = memchr::memchr(b'.', name).filter(|&dot| dot > 0)?;
        let above = &name[dot..];
        let mut wildcard = [b'*'; 256];
        wildcard.get_mut(1..=above.len())?.copy_from_slice(above);
        self.by_name.get(&wildcard[..=above.len()]).copied()
    }
}

fn normal(domain: Domain) -> Domain {
    let mut mappings = domain.mappings;
    for mapping in &mut mappings {
        let bare = mapping.base_path.trim_matches('/');
        let bare = if bare == NO_BASE_PATH { "" } else { bare };
        mapping.base_path = bare.to_owned();
    }
    // Those that fit a path are prefixes of each other: the longest has the most segments.
    mappings.sort_by_key(|mapping| std::cmp::Reverse(mapping.base_path.len()));
    Domain { name: domain.name.to_ascii_lowercase(), mappings }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(name: &str, base_paths: &[&str]) -> Domain {
        let mapping = |path: &&str| BasePathMapping {
            base_path: (*path).to_owned(),
            api_id: "a1b2c3d4e5".to_owned(),
            stage: None,
        };
        Domain { name: name.to_owned(), mappings: base_paths.iter().map(mapping).collect() }
    }

    #[test]
    fn a_name_is_found_before_the_wildcard_above_it() {
        let table = DomainTable::new([
            domain("*.Example.com", &[""]),
            domain("api.example.com", &[""]),
            domain("*.deep.example.com", &[""]),
        ]);
        for (name, want) in [
            ("api.example.com", Some(1)),
            ("shop.example.com", Some(0)),
            ("a.deep.example.com", Some(2)),
            ("deep.example.com", Some(0)),
            // One label, not two and not none.
            ("a.b.example.com", None),
            ("example.com", None),
            (".example.com", None),
            ("example.org", None),
            ("", None),
            ("localhost", None),
        ] {
            assert_eq!(table.find(name.as_bytes()), want, "{name}");
        }
        let long = format!("{}.example.com", "a".repeat(300));
        assert_eq!(table.find(long.as_bytes()), Some(0));
        assert_eq!(table.find(format!("a.{}", "b".repeat(300)).as_bytes()), None);
        assert_eq!(DomainTable::default().find(b"api.example.com"), None);
    }

    #[test]
    fn the_longest_base_path_comes_first_and_none_is_a_base_path() {
        let table = DomainTable::new([domain("d", &["(none)", "/a/b/", "a", "long-one"])]);
        let paths: Vec<&str> =
            table.domains()[0].mappings.iter().map(|it| it.base_path.as_str()).collect();
        assert_eq!(paths, ["long-one", "a/b", "a", ""]);
    }
}
