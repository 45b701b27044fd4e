//! Reads the values that parameter mappings name.
//!
//! A value is appended behind what the caller has; a source without a value appends nothing, and the
//! mapping makes no target.
//!
//! Source: facts, rest-api section 4.

use super::ContextView;
use crate::deploy::ResponseMapping;
use crate::deploy::json_path::{self, InvalidJson};
use crate::deploy::source::{BodySource, Source};
use crate::gateway::error::GatewayError;
use crate::http::{HeaderList, KnownHeader, ResponseHead, Values as HeaderValues};
use crate::telemetry::Variables as _;

/// Where the values of one request's mappings are.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// The request and its context.
    pub context: ContextView<'a>,
    /// What was taken of the request's body.
    pub body: Option<&'a BodyValues>,
    /// The integration's answer.
    pub answer: Option<Answer<'a>>,
}

/// An integration's answer as mappings see it.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// Its head.
    pub head: &'a ResponseHead,
    /// The bytes of the head.
    pub head_bytes: &'a [u8],
    /// Its body, where it was read.
    pub body: &'a [u8],
}

/// Values of a request's body, taken before the body is transformed.
#[derive(Debug, Default)]
pub struct BodyValues {
    text: Vec<u8>,
    /// End of each value in `text`; `None`: it has none.
    ends: Vec<Option<usize>>,
}

impl BodyValues {
    /// Takes the values of `sources` from a body; `is_json`: it is known to be JSON.
    ///
    /// # Errors
    /// [`GatewayError::InvalidJsonBody`].
    pub fn take(
        &mut self,
        sources: &[BodySource],
        body: &[u8],
        mut is_json: bool,
    ) -> Result<(), GatewayError> {
        for source in sources {
            let has_value = match source {
                _ if body.is_empty() => false,
                BodySource::Whole => {
                    self.text.extend_from_slice(body);
                    true
                }
                BodySource::Path(path) => {
                    if !is_json {
                        json_path::check(body)
                            .map_err(|InvalidJson| GatewayError::InvalidJsonBody)?;
                        is_json = true;
                    }
                    path.write_checked(body, &mut self.text)
                }
            };
            self.ends.push(has_value.then_some(self.text.len()));
        }
        Ok(())
    }

    fn value(&self, index: usize) -> Option<&[u8]> {
        let end = (*self.ends.get(index)?)?;
        let start = self.ends[..index].iter().rev().find_map(|end| *end).unwrap_or(0);
        Some(&self.text[start..end])
    }
}

/// An answer's body that a mapping reads as JSON is none.
const INVALID_ANSWER: GatewayError = GatewayError::Configuration(
    "a parameter mapping reads the endpoint's body as JSON, and it is none",
);

impl<'a> Values<'a> {
    /// Values of a request.
    pub fn of(context: ContextView<'a>) -> Self {
        Self { context, body: None, answer: None }
    }

    /// Appends a source's value; `false`: it has none and nothing was appended.
    ///
    /// # Errors
    /// [`GatewayError::Configuration`]: the integration's body is no JSON.
    pub fn write(&self, source: &Source, out: &mut Vec<u8>) -> Result<bool, GatewayError> {
        let exchange = self.context.exchange;
        Ok(match source {
            Source::Nothing => false,
            Source::Literal(value) => {
                out.extend_from_slice(value);
                true
            }
            Source::Path(index) => self.path_parameter(usize::from(*index), out),
            Source::PathNamed(name) => {
                let names = self.context.method.map_or(&[][..], |method| &method.path_parameters);
                match names.iter().position(|other| other == name) {
                    Some(index) => self.path_parameter(index, out),
                    None => false,
                }
            }
            Source::Query { name, all } => {
                let mut values = self.query_values(name);
                if *all {
                    join(values, out, |out, value| out.extend(decoded(value, true)))
                } else if let Some(last) = values.next_back() {
                    out.extend(decoded(last, true));
                    true
                } else {
                    false
                }
            }
            Source::Header { name, known: KnownHeader::Other, all } => {
                headers(exchange.head.values(&exchange.head_bytes, name), *all, out)
            }
            Source::Header { known, all, .. } => {
                let name = known.as_str().as_bytes();
                headers(exchange.head.values(&exchange.head_bytes, name), *all, out)
            }
            Source::Body(index) => {
                match self.body.and_then(|body| body.value(usize::from(*index))) {
                    Some(value) => {
                        out.extend_from_slice(value);
                        true
                    }
                    None => false,
                }
            }
            Source::Context(variable) => {
                let start = out.len();
                let has_value = self.context.write(*variable, out);
                if !has_value {
                    out.truncate(start);
                }
                has_value
            }
            Source::IntegrationHeader { name, all } => match self.answer {
                Some(answer) => answer_headers(&answer, name, *all, out),
                None => false,
            },
            Source::IntegrationBody(source) => match (self.answer, source) {
                (None, _) => false,
                (Some(answer), BodySource::Whole) => {
                    out.extend_from_slice(answer.body);
                    !answer.body.is_empty()
                }
                (Some(answer), BodySource::Path(path)) => {
                    // Only what looks like JSON is read as JSON.
                    let starts = matches!(
                        answer.body.trim_ascii_start().first(),
                        Some(b'{' | b'[' | b'"' | b'\'')
                    );
                    starts && path.write(answer.body, out).map_err(|InvalidJson| INVALID_ANSWER)?
                }
            },
        })
    }

    /// Sets mapped response headers; what has no value sets nothing. `scratch` is overwritten.
    ///
    /// # Errors
    /// As [`Values::write`].
    pub fn set_headers(
        &self,
        mappings: &[ResponseMapping],
        scratch: &mut Vec<u8>,
        headers: &mut HeaderList,
    ) -> Result<(), GatewayError> {
        for mapping in mappings {
            scratch.clear();
            if self.write(&mapping.source, scratch)? {
                headers.set(&mapping.name, scratch);
            }
        }
        Ok(())
    }

    /// A path parameter as it was received, with its escapes.
    pub fn raw_path_parameter(&self, index: usize) -> Option<&'a [u8]> {
        let exchange = self.context.exchange;
        Some(exchange.captures.get(index)?.of(&exchange.head_bytes))
    }

    fn path_parameter(&self, index: usize, out: &mut Vec<u8>) -> bool {
        match self.raw_path_parameter(index) {
            Some(value) => {
                out.extend(decoded(value, false));
                true
            }
            None => false,
        }
    }

    /// Values of a query parameter as they were received, in order.
    pub fn query_values(
        &self,
        name: &'a [u8],
    ) -> impl DoubleEndedIterator<Item = &'a [u8]> + use<'a> {
        let exchange = self.context.exchange;
        pairs(exchange.head.query.of(&exchange.head_bytes)).filter_map(move |(given, value)| {
            let same = given == name
                || (memchr::memchr2(b'%', b'+', given).is_some()
                    && decoded(given, true).eq(name.iter().copied()));
            same.then_some(value)
        })
    }
}

/// Names and values of a query, still escaped. `;` separates like `&` (facts, rest-api section 17).
pub fn pairs(query: &[u8]) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
    query.split(|&byte| byte == b'&' || byte == b';').filter(|pair| !pair.is_empty()).map(|pair| {
        match memchr::memchr(b'=', pair) {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        }
    })
}

/// Undoes percent-encoding; in a query `+` is a blank. A `%` without two digits stays.
pub fn decoded(bytes: &[u8], plus: bool) -> impl Iterator<Item = u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut at = 0;
    std::iter::from_fn(move || {
        let byte = *bytes.get(at)?;
        at += 1;
        Some(match (byte, bytes.get(at).copied(), bytes.get(at + 1).copied()) {
            (b'%', Some(high), Some(low)) => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    at += 2;
                    high << 4 | low
                }
                _ => b'%',
            },
            (b'+', _, _) if plus => b' ',
            _ => byte,
        })
    })
}

/// Appends values with `,` between them; `false`: there is none.
fn join<'v>(
    values: impl Iterator<Item = &'v [u8]>,
    out: &mut Vec<u8>,
    write: impl Fn(&mut Vec<u8>, &[u8]),
) -> bool {
    let mut any = false;
    for value in values {
        if any {
            out.push(b',');
        }
        write(out, value);
        any = true;
    }
    any
}

fn headers(values: HeaderValues<'_>, all: bool, out: &mut Vec<u8>) -> bool {
    let copy = |out: &mut Vec<u8>, value: &[u8]| out.extend_from_slice(value);
    if all {
        return join(values, out, copy);
    }
    match values.last() {
        Some(value) => {
            copy(out, value);
            true
        }
        None => false,
    }
}

/// Headers of an answer; AWS compares their names with regard to case.
fn answer_headers(answer: &Answer<'_>, name: &[u8], all: bool, out: &mut Vec<u8>) -> bool {
    let fields = answer.head.headers.iter();
    let mut values = fields
        .filter(|field| field.name.of(answer.head_bytes) == name)
        .map(|field| field.value.of(answer.head_bytes));
    if all {
        return join(values, out, |out, value| out.extend_from_slice(value));
    }
    match values.next_back() {
        Some(value) => {
            out.extend_from_slice(value);
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, Api, answer, exchange};
    use super::*;
    use crate::deploy::source::{Scope, Side};

    #[test]
    fn mapped_values_are_read_from_their_place() {
        let stage = Api::new().mock("GET", "/a/{id}/{proxy+}").stage();
        let mut exchange = exchange(
            "GET /dev/a/x%20y%2Fz/b//c?q=1&q=a%2Bb+c&empty=&flag&n%61me=v;semi=2&bad=%zz%4 HTTP/1.1\r\n\
             Host: h\r\nX-A: one\r\nx-a: two\r\nAccept: text/html\r\n\r\n",
        );
        testing::route(&stage, &mut exchange).unwrap();
        let (head, head_bytes) = answer(
            "HTTP/1.1 200 OK\r\nX-B: one\r\nX-B: two\r\nx-b: lower\r\nContent-Length: 0\r\n\r\n",
        );
        let body = br#"{"a":{"b":[1,"two"]}}"#;
        let mut body_values = BodyValues::default();
        let names = ["id".to_owned(), "proxy".to_owned()];
        let scope =
            Scope { variables: &Default::default(), constants: &[], path_parameters: &names };
        let mut bodies = Vec::new();
        let cases = [
            (Side::Request, "method.request.path.id", Some("x y/z")),
            (Side::Request, "method.request.path.proxy", Some("b//c")),
            (Side::GatewayResponse, "method.request.path.id", Some("x y/z")),
            (Side::GatewayResponse, "method.request.path.no", None),
            (Side::Request, "method.request.querystring.q", Some("a+b c")),
            (Side::Request, "method.request.multivaluequerystring.q", Some("1,a+b c")),
            (Side::Request, "method.request.querystring.empty", Some("")),
            (Side::Request, "method.request.querystring.flag", Some("")),
            (Side::Request, "method.request.querystring.name", Some("v")),
            (Side::Request, "method.request.querystring.semi", Some("2")),
            (Side::Request, "method.request.querystring.bad", Some("%zz%4")),
            (Side::Request, "method.request.querystring.Q", None),
            (Side::Request, "method.request.header.X-a", Some("two")),
            (Side::Request, "method.request.multivalueheader.x-A", Some("one,two")),
            (Side::Request, "method.request.header.accept", Some("text/html")),
            (Side::Request, "method.request.header.missing", None),
            (Side::Request, "method.request.body.a.b[1]", Some("two")),
            (Side::Request, "method.request.body.a.no", None),
            (Side::Request, "method.request.body.a.b", Some(r#"[1,"two"]"#)),
            (Side::Request, "method.request.body", Some(r#"{"a":{"b":[1,"two"]}}"#)),
            (Side::Request, "context.httpMethod", Some("GET")),
            (Side::Request, "context.operationName", None),
            (Side::Request, "'x'", Some("x")),
            (Side::Response, "integration.response.header.X-B", Some("two")),
            (Side::Response, "integration.response.header.x-b", Some("lower")),
            (Side::Response, "integration.response.header.X-b", None),
            (Side::Response, "integration.response.multivalueheader.X-B", Some("one,two")),
            (Side::Response, "integration.response.body.a.b[0]", Some("1")),
        ];
        let sources = cases.map(|(side, text, want)| {
            (text, Source::compile(text, side, &scope, &mut bodies).unwrap(), want)
        });
        body_values.take(&bodies, body, false).unwrap();
        let values = Values {
            context: ContextView::new(&stage, &exchange),
            body: Some(&body_values),
            answer: Some(Answer { head: &head, head_bytes: &head_bytes, body }),
        };
        for (text, source, want) in sources {
            let mut out = b"x".to_vec();
            let found = values.write(&source, &mut out).unwrap();
            let value = std::str::from_utf8(&out[1..]).unwrap();
            assert_eq!(found.then_some(value), want, "{text}");
            assert!(found || value.is_empty(), "{text}: no value, nothing appended");
        }
        let mut values = BodyValues::default();
        assert_eq!(values.take(&bodies[..1], b"{", false), Err(GatewayError::InvalidJsonBody));
        assert_eq!(BodyValues::default().take(&bodies, b"", false), Ok(()));
    }

    #[test]
    fn an_answer_is_read_as_json_only_if_it_looks_like_it() {
        let stage = Api::new().mock("GET", "/").stage();
        let exchange = exchange("GET /dev HTTP/1.1\r\nHost: h\r\n\r\n");
        let (head, head_bytes) = answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let scope = Scope { variables: &Default::default(), constants: &[], path_parameters: &[] };
        let source =
            Source::compile("integration.response.body.a", Side::Response, &scope, &mut Vec::new());
        let source = source.unwrap();
        for (body, want) in [
            (&b"plain"[..], Ok(false)),
            (b"", Ok(false)),
            (b"12", Ok(false)),
            (b" {\"a\":1}", Ok(true)),
            (b"{\"a\":1", Err(INVALID_ANSWER)),
            (b"'x'", Err(INVALID_ANSWER)),
        ] {
            let values = Values {
                context: ContextView::new(&stage, &exchange),
                body: None,
                answer: Some(Answer { head: &head, head_bytes: &head_bytes, body }),
            };
            assert_eq!(values.write(&source, &mut Vec::new()), want);
        }
    }
}
