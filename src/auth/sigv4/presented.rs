//! What a request says of its signature, in either form.

use super::canonical::{Query, SIGNATURE, header_names};
use super::date;
use super::error::{AuthError, hashed, shown};
use super::request::Request;
use crate::time::WallMillis;

/// Where the signature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// In the header `Authorization`.
    Header,
    /// In the query: a presigned URL.
    Query {
        /// Seconds from its date on.
        expires: Option<u32>,
    },
}

/// A signature that is complete; nothing of it has been checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Presented {
    pub form: Form,
    pub algorithm: Vec<u8>,
    /// Key id and scope, `keyid/date/region/service/term`.
    pub credential: Vec<u8>,
    pub signed_headers: Vec<Vec<u8>>,
    pub signature: Vec<u8>,
    /// When it was made, as it says.
    pub date: WallMillis,
    pub session_token: Option<Vec<u8>>,
}

/// Longest life of a presigned URL, seconds. Source: "Authenticating requests: using query parameters".
pub(super) const EXPIRES_SECONDS_MAX: u32 = 604_800;

impl Presented {
    /// Finds the signature.
    ///
    /// # Errors
    /// There is none, or a part of it is missing or cannot be read.
    pub(super) fn read(request: &Request<'_>, query: &Query) -> Result<Self, AuthError> {
        let authorization = request.headers_named(b"authorization");
        let in_query = query.has(b"X-Amz-Algorithm");
        match authorization {
            [] if in_query || query.has(SIGNATURE) || query.has(b"X-Amz-Credential") => {
                Self::from_query(query)
            }
            [] => Err(AuthError::missing_token()),
            _ if in_query => Err(AuthError::invalid(
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP \
                 header.",
            )),
            [(_, value)] => Self::from_header(request, value.trim_ascii()),
            // Two of them make one that cannot be read.
            several => {
                let values: Vec<&[u8]> = several.iter().map(|(_, value)| *value).collect();
                Self::from_header(request, values.join(&b','.to_owned()).trim_ascii())
            }
        }
    }

    fn from_header(request: &Request<'_>, authorization: &[u8]) -> Result<Self, AuthError> {
        let is_blank = |byte: &u8| byte.is_ascii_whitespace();
        let end = authorization.iter().position(is_blank).unwrap_or(authorization.len());
        let (algorithm, rest) = authorization.split_at(end);
        if algorithm.is_empty() {
            return Err(AuthError::missing_token());
        }
        if algorithm.contains(&b'=') {
            return Err(AuthError::incomplete(
                "Authorization header must begin with the algorithm name, which cannot include an \
                 equal-sign",
            ));
        }
        let parameters = Parameters::read(authorization, rest)?;
        let date = request.header(b"x-amz-date").or_else(|| request.header(b"date"));
        let date = date.filter(|date| !date.is_empty());
        let mut missing = String::new();
        for (name, found) in [
            ("Credential", parameters.credential.is_some_and(|value| !value.is_empty())),
            ("Signature", parameters.signature.is_some_and(|value| !value.is_empty())),
            ("SignedHeaders", parameters.signed_headers.is_some()),
        ] {
            if !found {
                missing += &format!("Authorization header requires '{name}' parameter. ");
            }
        }
        let (Some(credential), Some(signature), Some(signed), Some(date), true) = (
            parameters.credential,
            parameters.signature,
            parameters.signed_headers,
            &date,
            missing.is_empty(),
        ) else {
            if date.is_none() {
                missing += "Authorization header requires existence of either a 'X-Amz-Date' or a \
                            'Date' header. ";
            }
            let hash = hashed(authorization);
            return Err(AuthError::incomplete(format!(
                "{missing}(Hashed with SHA-256 and encoded with Base64) Authorization={hash}"
            )));
        };
        let http_date = || {
            // Only the header that HTTP defines may have HTTP's form.
            if request.headers_named(b"x-amz-date").is_empty() {
                date::parse_http(date)
            } else {
                None
            }
        };
        Ok(Self {
            form: Form::Header,
            algorithm: algorithm.to_vec(),
            credential: credential.to_vec(),
            signed_headers: header_names(signed),
            signature: signature.to_vec(),
            date: date::parse_basic(date).or_else(http_date).ok_or_else(|| no_date(date))?,
            session_token: request.header(b"x-amz-security-token"),
        })
    }

    fn from_query(query: &Query) -> Result<Self, AuthError> {
        let one = |name: &str| {
            let mut values = query.values(name.as_bytes());
            let first = values.next().filter(|value| !value.is_empty());
            match values.next() {
                None => Ok(first),
                // Ours: which of them counts must not be a matter of taste.
                Some(_) => Err(AuthError::incomplete(format!(
                    "AWS query-string parameters must include '{name}' once. Re-examine the \
                     query-string parameters."
                ))),
            }
        };
        let mut missing = String::new();
        let mut required = |name: &str| {
            let value = one(name)?;
            if value.is_none() {
                missing += &format!("AWS query-string parameters must include '{name}'. ");
            }
            Ok(value.unwrap_or_default())
        };
        let algorithm = required("X-Amz-Algorithm")?;
        let credential = required("X-Amz-Credential")?;
        let signature = required("X-Amz-Signature")?;
        let signed_headers = required("X-Amz-SignedHeaders")?;
        let date = required("X-Amz-Date")?;
        if !missing.is_empty() {
            missing += "Re-examine the query-string parameters.";
            return Err(AuthError::incomplete(missing));
        }
        let expires = one("X-Amz-Expires")?.map(|text| expires(&text)).transpose()?;
        Ok(Self {
            form: Form::Query { expires },
            algorithm,
            credential,
            signed_headers: header_names(&signed_headers),
            signature,
            date: date::parse_basic(&date).ok_or_else(|| no_date(&date))?,
            session_token: one("X-Amz-Security-Token")?,
        })
    }

    pub(super) fn is_presigned(&self) -> bool {
        matches!(self.form, Form::Query { .. })
    }
}

/// What stands after the algorithm.
#[derive(Default)]
struct Parameters<'a> {
    credential: Option<&'a [u8]>,
    signed_headers: Option<&'a [u8]>,
    signature: Option<&'a [u8]>,
}

impl<'a> Parameters<'a> {
    /// Reads `name=value`s between commas and blanks; names that nobody knows are skipped.
    fn read(authorization: &[u8], rest: &'a [u8]) -> Result<Self, AuthError> {
        let mut all = Self::default();
        let words = rest.split(|&byte| byte == b',' || byte.is_ascii_whitespace());
        for word in words.filter(|word| !word.is_empty()) {
            let Some(at) = word.iter().position(|&byte| byte == b'=') else {
                let hash = hashed(authorization);
                return Err(AuthError::incomplete(format!(
                    "Invalid key=value pair (missing equal-sign) in Authorization header (hashed \
                     with SHA-256 and encoded with Base64): '{hash}'."
                )));
            };
            let (name, value) = (&word[..at], &word[at + 1..]);
            let slot = match name {
                b"Credential" => &mut all.credential,
                b"SignedHeaders" => &mut all.signed_headers,
                b"Signature" => &mut all.signature,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                // Ours, as for the query.
                let hash = hashed(authorization);
                return Err(AuthError::incomplete(format!(
                    "Authorization header requires one '{}' parameter. (Hashed with SHA-256 and \
                     encoded with Base64) Authorization={hash}",
                    shown(name)
                )));
            }
        }
        Ok(all)
    }
}

fn no_date(text: &[u8]) -> AuthError {
    AuthError::incomplete(format!(
        "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
        shown(text)
    ))
}

/// Reads `X-Amz-Expires`. The messages are S3's, the only ones known.
fn expires(text: &[u8]) -> Result<u32, AuthError> {
    let is_number = text.iter().all(u8::is_ascii_digit);
    let seconds = std::str::from_utf8(text).ok().filter(|_| is_number).map(str::parse::<u32>);
    match seconds {
        None => Err(AuthError::incomplete("X-Amz-Expires should be a number")),
        Some(Ok(seconds @ 1..=EXPIRES_SECONDS_MAX)) => Ok(seconds),
        Some(Ok(0)) => Err(AuthError::incomplete("X-Amz-Expires must be greater than 0")),
        Some(_) => Err(AuthError::incomplete(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires \
             must be less than 604800 seconds",
        )),
    }
}
