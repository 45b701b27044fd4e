//! Media types as API Gateway compares them: without parameters, in any case of letters.
//!
//! Source: facts, rest-api section 13 and aws-recorded section 28.1.

/// What AWS assumes where a request says nothing.
pub const JSON: &str = "application/json";

/// The media type of a `Content-Type` value, without parameters and blanks.
#[inline]
pub fn essence(value: &[u8]) -> &[u8] {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    value[..end].trim_ascii()
}

/// The first media type of an `Accept` value, without parameters and blanks.
#[inline]
pub fn first(value: &[u8]) -> &[u8] {
    let end = memchr::memchr(b',', value).unwrap_or(value.len());
    essence(&value[..end])
}

/// `binaryMediaTypes`: which payloads are bytes and not text.
#[derive(Clone, Debug, Default)]
pub struct MediaTypes {
    entries: Box<[Entry]>,
}

#[derive(Clone, Debug)]
enum Entry {
    /// `*/*`.
    Everything,
    /// `image/*`; holds `image/`.
    Subtypes(Box<[u8]>),
    /// `image/png`.
    One(Box<[u8]>),
}

impl MediaTypes {
    /// From the API's list. `*/png` is an entry that never matches (recorded).
    pub fn new(types: &[String]) -> Self {
        let entries = types.iter().map(|entry| match essence(entry.as_bytes()) {
            b"*/*" => Entry::Everything,
            entry => match entry.strip_suffix(b"*") {
                Some(prefix) if prefix.ends_with(b"/") => Entry::Subtypes(prefix.into()),
                _ => Entry::One(entry.into()),
            },
        });
        // A wildcard on the left is only a wildcard in `*/*`.
        Self {
            entries: entries
                .filter(|entry| !matches!(entry, Entry::One(text) if text.starts_with(b"*")))
                .collect(),
        }
    }

    /// Whether there is no entry: everything is text.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a `Content-Type` value is in the list; no header is never in it, but for `*/*`.
    #[inline]
    pub fn contain(&self, content_type: Option<&[u8]>) -> bool {
        !self.entries.is_empty() && self.contain_essence(content_type.map(essence))
    }

    /// Whether the first type of an `Accept` value is in the list.
    #[inline]
    pub fn contain_first(&self, accept: Option<&[u8]>) -> bool {
        !self.entries.is_empty() && self.contain_essence(accept.map(first))
    }

    fn contain_essence(&self, given: Option<&[u8]>) -> bool {
        self.entries.iter().any(|entry| match (entry, given) {
            (Entry::Everything, _) => true,
            (Entry::One(text), Some(given)) => given.eq_ignore_ascii_case(text),
            (Entry::Subtypes(prefix), Some(given)) => {
                given.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            }
            (_, None) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_types_match_as_recorded() {
        for (configured, accept, want) in [
            ("image/png", Some("image/png"), true),
            ("image/png", Some("IMAGE/PNG; q=0.1"), true),
            ("image/png", Some("image/jpg"), false),
            ("image/png", Some("image/*"), false),
            ("image/png", Some("*/*"), false),
            ("image/png", Some("application"), false),
            ("image/png", None, false),
            ("image/png", Some("image/webp,image/png,*/*;q=0.8"), false),
            ("image/png", Some("image/png,image/*,*/*;q=0.8"), true),
            ("*/test", Some("*/test"), false),
            ("*/test", Some("random/test"), false),
            ("application/*", Some("application/whatever"), true),
            ("application/*", Some("application/*"), true),
            ("application/*", Some("applicationx/y"), false),
            ("*/*", Some("text/plain"), true),
            ("*/*", None, true),
        ] {
            let types = MediaTypes::new(&[configured.to_owned()]);
            assert_eq!(
                types.contain_first(accept.map(str::as_bytes)),
                want,
                "{configured} and {accept:?}"
            );
        }
        let png = MediaTypes::new(&["image/png".to_owned()]);
        assert!(png.contain(Some(b"image/png ; x=y")));
        assert!(!png.contain(Some(b"image/png, image/gif")), "a Content-Type is no list");
        assert!(MediaTypes::new(&[]).is_empty());
    }
}
