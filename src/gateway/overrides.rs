//! What templates set over mapped parameters: `$context.requestOverride` and `responseOverride`.
//!
//! They apply once a template has rendered, after the mappings; a header that is the gateway's own keeps
//! the fate that a mapping to it has. Names that differ by the case of their letters only are one header,
//! and AWS answers 500 to one that is overridden twice.
//!
//! Source: facts, vtl section 13; developer guide, "Override your API's request and response parameters".

use super::error::GatewayError;
use super::exchange::Response;
use crate::deploy::{RequestHeader, request_header, response_header};
use crate::http::{HeaderList, KnownHeader, encode};
use crate::vtl::{Overrides, Owned};

/// Names and values of one kind of parameter, in the order in which they were set.
pub type Values<'o> = &'o [(String, Owned)];

/// What is set over the parameters of a request.
#[derive(Clone, Copy, Default)]
pub struct RequestOverrides<'o> {
    /// Headers.
    pub header: Values<'o>,
    /// The URI's `{name}`s.
    pub path: Values<'o>,
    /// Query parameters.
    pub querystring: Values<'o>,
}

impl<'o> RequestOverrides<'o> {
    /// Those among all of an exchange's.
    pub fn of(overrides: &'o Overrides) -> Self {
        let request = overrides.request();
        Self {
            header: Overrides::entries(request, "header"),
            path: Overrides::entries(request, "path"),
            querystring: Overrides::entries(request, "querystring"),
        }
    }

    /// Whether a header has been overridden; one that was given no value has not.
    pub fn has_header(&self, name: &[u8]) -> bool {
        let is = |(other, value): &(String, Owned)| {
            other.as_bytes().eq_ignore_ascii_case(name) && has_value(value)
        };
        self.header.iter().any(is)
    }

    /// Writes the headers, as lines.
    ///
    /// # Errors
    /// [`GatewayError::HeaderAlreadyPresent`]: one is the gateway's own. [`GatewayError::Configuration`]:
    /// one is there twice, or its name is none.
    pub fn write_headers(
        &self,
        out: &mut Vec<u8>,
        mut written: impl FnMut(KnownHeader),
    ) -> Result<(), GatewayError> {
        check_names(self.header)?;
        for (name, value) in self.header.iter().filter(|(_, value)| has_value(value)) {
            let known = KnownHeader::of(name.as_bytes());
            match request_header(known) {
                RequestHeader::Sent => {}
                RequestHeader::Dropped => continue,
                RequestHeader::Forbidden => {
                    return Err(GatewayError::HeaderAlreadyPresent { name: name.clone() });
                }
            }
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            let start = out.len();
            write(value, out);
            encode::blank_controls(&mut out[start..]);
            out.extend_from_slice(b"\r\n");
            written(known);
        }
        Ok(())
    }
}

/// Sets status and headers that templates have set over the mapped ones.
///
/// # Errors
/// [`GatewayError::Configuration`]: a header is there twice, or its name is none.
pub fn apply_to_response(
    overrides: &Overrides,
    is_mock: bool,
    response: &mut Response,
    scratch: &mut Vec<u8>,
) -> Result<(), GatewayError> {
    let all = overrides.response();
    let status = all.iter().find(|(name, _)| name == "status");
    if let Some(status) = status.and_then(|(_, value)| status_of(value)) {
        response.status = status;
    }
    let headers = Overrides::entries(all, "header");
    check_names(headers)?;
    for (name, value) in headers.iter().filter(|(_, value)| has_value(value)) {
        if let Some(name) = response_header(name, is_mock) {
            scratch.clear();
            write(value, scratch);
            set(&mut response.headers, &name, scratch);
        }
    }
    Ok(())
}

fn set(headers: &mut HeaderList, name: &str, value: &[u8]) {
    headers.set(name.as_bytes(), value);
}

/// A status that ends a request; everything else is ignored. AWS takes 100 to 199 too, after which
/// clients would go on waiting.
fn status_of(value: &Owned) -> Option<u16> {
    let status = match value {
        Owned::Long(status) => u16::try_from(*status).ok()?,
        Owned::Text(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (200..=599).contains(&status).then_some(status)
}

/// Whether there is anything to send.
pub fn has_value(value: &Owned) -> bool {
    !matches!(value, Owned::Null | Owned::Map(_))
}

/// Writes a value; a list's joined with `,`.
pub fn write(value: &Owned, out: &mut Vec<u8>) {
    match value {
        Owned::Null | Owned::Map(_) => {}
        Owned::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Owned::Long(value) => {
            out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes());
        }
        Owned::Text(text) => out.extend_from_slice(text.as_bytes()),
        Owned::List(items) => {
            for (index, item) in items.iter().filter(|item| has_value(item)).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
        }
    }
}

/// Each of a value's values: a list's elements, or the value.
pub fn each(value: &Owned) -> impl Iterator<Item = &Owned> {
    let values = match value {
        Owned::List(items) => &items[..],
        other => std::slice::from_ref(other),
    };
    values.iter().filter(|value| has_value(value))
}

fn check_names(headers: Values<'_>) -> Result<(), GatewayError> {
    if headers.len() > HEADERS_MAX {
        return Err(TOO_MANY);
    }
    for (index, (name, _)) in headers.iter().enumerate() {
        if !encode::is_token(name.as_bytes()) {
            return Err(NO_NAME);
        }
        if headers[..index].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            return Err(TWICE);
        }
    }
    Ok(())
}

/// Headers that templates of one request may override. Ours: every name is compared with every other.
const HEADERS_MAX: usize = 1_000;
const TOO_MANY: GatewayError =
    GatewayError::Configuration("a template overrides more than 1000 headers");
const NO_NAME: GatewayError =
    GatewayError::Configuration("a template overrides a header whose name is none");
const TWICE: GatewayError = GatewayError::Configuration("a template overrides a header twice");
