//! The canonical request: the one form of a request that client and server both hash.
//!
//! Sources: "Create a signed AWS API request"; botocore's `auth.py` where that page leaves something
//! open. Cost: linear in the request but for sorting query parameters. The result is at most three
//! times as long as the request, because every header counts once.

use super::request::Request;

/// How a service wants the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathForm {
    /// Dot segments and doubled slashes removed, and what the client has escaped escaped once more.
    EscapedTwice,
    /// As it is: S3's keys may have any segments.
    EscapedOnce,
}

impl PathForm {
    pub(super) fn of_service(service: &str) -> Self {
        if service == "s3" { Self::EscapedOnce } else { Self::EscapedTwice }
    }

    /// The canonical URI.
    pub(super) fn canonical(self, path: &[u8]) -> Vec<u8> {
        let mut uri = Vec::with_capacity(path.len() + 16);
        match self {
            Self::EscapedTwice => normalized(path).iter().for_each(|&byte| match byte {
                b'/' => uri.push(byte),
                _ => escape(&mut uri, byte),
            }),
            Self::EscapedOnce => {
                for (index, segment) in path.split(|&byte| byte == b'/').enumerate() {
                    if index > 0 {
                        uri.push(b'/');
                    }
                    unescaped(segment).for_each(|byte| escape(&mut uri, byte));
                }
            }
        }
        if uri.is_empty() {
            uri.push(b'/');
        }
        uri
    }
}

/// RFC 3986 section 5.2.4, and doubled slashes are one. Unlike there, `/a/.` ends without a slash.
fn normalized(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in path.split(|&byte| byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let mut result = Vec::with_capacity(path.len());
    if path.first() == Some(&b'/') {
        result.push(b'/');
    }
    result.extend_from_slice(&kept.join(&b'/'));
    if path.last() == Some(&b'/') && !kept.is_empty() {
        result.push(b'/');
    }
    result
}

/// Parameters of a query in canonical form: escaped anew, sorted by name and then value.
#[derive(Debug)]
pub(super) struct Query(Vec<(Vec<u8>, Vec<u8>)>);

/// The parameter that signs the others.
pub(super) const SIGNATURE: &[u8] = b"X-Amz-Signature";

impl Query {
    /// Reads a query as sent. A `+` is a space, as SDKs and servers take it; an escape that is none
    /// stands for itself; `name` is `name=`.
    pub(super) fn parse(raw: &[u8]) -> Self {
        let component = |raw: &[u8]| {
            let mut text = Vec::with_capacity(raw.len());
            let mut rest = raw;
            while let [first, ..] = rest {
                let (byte, length) = unescape_first(rest);
                // An escaped plus sign is one.
                escape(&mut text, if *first == b'+' { b' ' } else { byte });
                rest = &rest[length..];
            }
            text
        };
        let pairs = raw.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
        let mut all: Vec<(Vec<u8>, Vec<u8>)> = pairs
            .map(|pair| match pair.iter().position(|&byte| byte == b'=') {
                Some(at) => (component(&pair[..at]), component(&pair[at + 1..])),
                None => (component(pair), Vec::new()),
            })
            .collect();
        all.sort_unstable();
        Self(all)
    }

    /// All values of a parameter whose name needs no escapes, unescaped.
    pub(super) fn values(&self, name: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
        let begin = self.0.partition_point(|(other, _)| other.as_slice() < name);
        let count = self.0[begin..].partition_point(|(other, _)| other.as_slice() == name);
        self.0[begin..begin + count].iter().map(|(_, value)| unescaped(value).collect())
    }

    /// Has it such a parameter?
    pub(super) fn has(&self, name: &[u8]) -> bool {
        self.values(name).next().is_some()
    }

    fn canonical(&self, without_signature: bool) -> Vec<u8> {
        let mut text = Vec::new();
        for (name, value) in &self.0 {
            if without_signature && name == SIGNATURE {
                continue;
            }
            if !text.is_empty() {
                text.push(b'&');
            }
            text.extend_from_slice(name);
            text.push(b'=');
            text.extend_from_slice(value);
        }
        text
    }
}

/// The names of signed headers: lower-case, sorted, each once.
pub(super) fn header_names(list: &[u8]) -> Vec<Vec<u8>> {
    let names = list.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    let mut names: Vec<Vec<u8>> =
        names.filter(|name| !name.is_empty()).map(<[u8]>::to_ascii_lowercase).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The text whose hash is signed.
///
/// A signed header that the request lacks has no line, so that the signature is wrong: it was signed
/// with one.
pub(super) fn request(
    request: &Request<'_>,
    path_form: PathForm,
    query: &Query,
    is_presigned: bool,
    signed_headers: &[Vec<u8>],
    payload_hash: &[u8],
) -> Vec<u8> {
    let mut text = Vec::with_capacity(1_024);
    let mut push = |parts: &[&[u8]]| parts.iter().for_each(|part| text.extend_from_slice(part));
    push(&[request.method, b"\n"]);
    push(&[&path_form.canonical(request.path), b"\n"]);
    push(&[&query.canonical(is_presigned), b"\n"]);
    for name in signed_headers {
        if let Some(value) = request.header(name) {
            push(&[name, b":", &value, b"\n"]);
        }
    }
    push(&[b"\n", &signed_headers.join(&b';'), b"\n", payload_hash]);
    text
}

/// Writes a byte as RFC 3986 wants one that is data.
fn escape(text: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        text.push(byte);
    } else {
        let digit = |value: u8| DIGITS[usize::from(value)];
        text.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
    }
}

/// The byte that `text` begins with, and how many it is written with.
fn unescape_first(text: &[u8]) -> (u8, usize) {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if let [b'%', high, low, ..] = text
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
    {
        return (high << 4 | low, 3);
    }
    (text[0], 1)
}

fn unescaped(mut text: &[u8]) -> impl Iterator<Item = u8> + '_ {
    std::iter::from_fn(move || {
        text.first()?;
        let (byte, length) = unescape_first(text);
        text = &text[length..];
        Some(byte)
    })
}

#[cfg(test)]
mod tests {
    use super::super::request::Payload;
    use super::*;

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn paths_are_normalized_and_escaped_once_more() {
        for (path, want) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/a/../", "/"),
            ("/../a", "/a"),
            ("/a/.", "/a"),
            ("/a/./b//c/", "/a/b/c/"),
            ("/a/b/..", "/a"),
            ("/restapis/x/resources", "/restapis/x/resources"),
            ("/tags/arn%3Aaws", "/tags/arn%253Aaws"),
            ("/a b", "/a%20b"),
            ("/a%20b", "/a%2520b"),
            ("/%zz%", "/%25zz%25"),
            ("/-._~!$&'()*+,;=:@", "/-._~%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40"),
            ("/ü", "/%C3%BC"),
            ("a/../..", "/"),
            ("*", "%2A"),
        ] {
            assert_eq!(text(&PathForm::EscapedTwice.canonical(path.as_bytes())), want, "{path:?}");
        }
    }

    #[test]
    fn paths_of_s3_stay_as_they_are() {
        for (path, want) in [
            ("", "/"),
            ("/a/../b//c/./", "/a/../b//c/./"),
            ("/a%20b%2fc", "/a%20b%2Fc"),
            ("/a b+%", "/a%20b%2B%25"),
        ] {
            assert_eq!(text(&PathForm::EscapedOnce.canonical(path.as_bytes())), want, "{path:?}");
        }
    }

    #[test]
    fn queries_are_escaped_and_sorted() {
        for (query, want) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&a", "a=&a=1&a=2"),
            ("a-b=1&a=1", "a=1&a-b=1"), // by name, not by the whole pair
            ("A=1&a=1&_=1", "A=1&_=1&a=1"),
            ("a=b=c", "a=b%3Dc"),
            ("=v", "=v"),
            ("a&&b=", "a=&b="),
            ("a=x+y%2Bz", "a=x%20y%2Bz"),
            ("a=%c3%bc&%41=1", "A=1&a=%C3%BC"),
            ("a=%&b=%4&c=%zz&d=%25", "a=%25&b=%254&c=%25zz&d=%25"),
            ("a=/?:@ü", "a=%2F%3F%3A%40%C3%BC"),
        ] {
            let query = Query::parse(query.as_bytes());
            assert_eq!(text(&query.canonical(true)), want);
        }
        let query = Query::parse(b"X-Amz-Signature=1&a=%2F&a=");
        assert_eq!(text(&query.canonical(true)), "a=&a=%2F");
        assert_eq!(text(&query.canonical(false)), "X-Amz-Signature=1&a=&a=%2F");
        assert_eq!(query.values(b"a").collect::<Vec<_>>(), [b"".to_vec(), b"/".to_vec()]);
        assert!(query.has(SIGNATURE) && !query.has(b"b"));
    }

    #[test]
    fn a_header_counts_once_however_often_it_is_named() {
        let names = header_names(b"b;A; a;;b;host");
        assert_eq!(names, [b"a".to_vec(), b"b".to_vec(), b"host".to_vec()]);
    }

    /// Hostile requests cost no more than their length.
    #[test]
    fn the_canonical_request_is_bounded_by_the_request() {
        const LONG: usize = 1 << 20;
        let value = "v".repeat(LONG);
        let list = "a;".repeat(LONG);
        let path = "/../%".repeat(LONG / 5);
        let pairs = "&=%+".repeat(LONG / 4);
        let headers = [("a", value.as_str()), ("A", value.as_str()), ("b", "")];
        let hostile =
            Request::new("GET", path.as_bytes(), pairs.as_bytes(), headers, Payload::Bytes(b""));
        let query = Query::parse(hostile.query);
        let names = header_names(list.as_bytes());
        let text = request(&hostile, PathForm::EscapedTwice, &query, false, &names, b"hash");
        let bytes = path.len() + pairs.len() + 2 * value.len();
        assert!(text.len() <= 3 * bytes + 64, "{} of {bytes}", text.len());
    }
}
