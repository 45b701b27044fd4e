//! A request as signatures see it.

use aws_lc_rs::digest::{SHA256, digest};

/// The body, or what is known of it.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// All of it; it is hashed only if the rest of the request is worth it.
    Bytes(&'a [u8]),
    /// SHA-256 of it.
    Hash([u8; 32]),
}

/// A request to be signed or verified, borrowed from where it lies.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// As sent: methods are case-sensitive.
    pub(super) method: &'a [u8],
    /// As sent, with its percent-escapes.
    pub(super) path: &'a [u8],
    /// As sent, without the question mark.
    pub(super) query: &'a [u8],
    /// Ordered by name whatever its case; headers of one name stay in their order.
    headers: Vec<(&'a [u8], &'a [u8])>,
    payload: Payload<'a>,
}

impl<'a> Request<'a> {
    /// Takes method, path and query as they stand in the request line, and all headers, of which one
    /// is `Host` (for HTTP/2, `:authority` under that name).
    pub fn new<N, V>(
        method: &'a str,
        path: &'a [u8],
        query: &'a [u8],
        headers: impl IntoIterator<Item = (&'a N, &'a V)>,
        payload: Payload<'a>,
    ) -> Self
    where
        N: AsRef<[u8]> + ?Sized + 'a,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        let mut headers: Vec<(&[u8], &[u8])> =
            headers.into_iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        headers.sort_by(|(one, _), (other, _)| lower(one).cmp(lower(other)));
        Self { method: method.as_bytes(), path, query, headers, payload }
    }

    /// The same request with more headers.
    pub(super) fn with_headers<'b>(&'b self, added: &'b [(&'static str, String)]) -> Request<'b> {
        let mut headers: Vec<(&[u8], &[u8])> = self.headers.clone();
        headers.extend(added.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        headers.sort_by(|(one, _), (other, _)| lower(one).cmp(lower(other)));
        Request { headers, ..*self }
    }

    /// Headers of that name, in their order. `name` is lower-case.
    pub(super) fn headers_named<'s>(&'s self, name: &[u8]) -> &'s [(&'a [u8], &'a [u8])] {
        let begin =
            self.headers.partition_point(|(other, _)| lower(other).lt(name.iter().copied()));
        let count = self.headers[begin..]
            .partition_point(|(other, _)| lower(other).eq(name.iter().copied()));
        &self.headers[begin..begin + count]
    }

    /// The value of a header as it is signed: blanks trimmed, inner runs of blanks one space, values
    /// of one name joined with commas. `None`: there is no such header.
    pub(super) fn header(&self, name: &[u8]) -> Option<Vec<u8>> {
        let all = self.headers_named(name);
        if all.is_empty() {
            return None;
        }
        let mut value = Vec::new();
        for (index, (_, one)) in all.iter().enumerate() {
            if index > 0 {
                value.push(b',');
            }
            push_trimmed(&mut value, one);
        }
        Some(value)
    }

    /// Lower-case names of all headers, ordered, each once.
    pub(super) fn header_names(&self) -> Vec<Vec<u8>> {
        let mut names: Vec<Vec<u8>> =
            self.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.dedup();
        names
    }

    /// SHA-256 of the body, as lower-case hex digits.
    pub(super) fn payload_hash(&self) -> String {
        match &self.payload {
            Payload::Bytes(bytes) => hex(digest(&SHA256, bytes).as_ref()),
            Payload::Hash(hash) => hex(hash),
        }
    }
}

fn lower(name: &[u8]) -> impl Iterator<Item = u8> + '_ {
    name.iter().map(u8::to_ascii_lowercase)
}

/// Source: "Create a signed AWS API request": trim, and convert sequential spaces to one. SDKs take
/// tabs for spaces, too.
fn push_trimmed(value: &mut Vec<u8>, raw: &[u8]) {
    let words = raw.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            value.push(b' ');
        }
        value.extend_from_slice(word);
    }
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_trimmed_and_joined() {
        let headers = [
            ("X-B", "  one \t two  "),
            ("Host", "h"),
            ("x-b", ""),
            ("X-a", "v"),
            ("X-B", "three"),
            ("X-Bb", "no"),
        ];
        let request = Request::new("GET", b"/", b"", headers, Payload::Bytes(b""));
        assert_eq!(request.header(b"x-b").unwrap(), b"one two,,three");
        assert_eq!(request.header(b"x-a").unwrap(), b"v");
        assert_eq!(request.header(b"x-"), None);
        assert_eq!(request.header(b"x-c"), None);
        let names: Vec<&[u8]> = vec![b"host", b"x-a", b"x-b", b"x-bb"];
        assert_eq!(request.header_names(), names);
    }

    #[test]
    fn a_body_and_its_hash_are_the_same() {
        const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let none: [(&str, &str); 0] = [];
        let of_bytes = Request::new("GET", b"/", b"", none, Payload::Bytes(b""));
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, b"").as_ref());
        let of_hash = Request::new("GET", b"/", b"", none, Payload::Hash(hash));
        assert_eq!((of_bytes.payload_hash(), of_hash.payload_hash()), (EMPTY.into(), EMPTY.into()));
    }
}
