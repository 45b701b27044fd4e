//! The request target and `Host`: RFC 9112 section 3.2, RFC 9110 section 7.2.
//!
//! Stricter than RFC 3986 in the host: letters, digits, `-._~`, or an IPv6 address in brackets.
//! Percent-encoding, user information, zone ids and sub-delimiters in a host have no honest use and
//! are read differently by different parsers.

use std::net::Ipv6Addr;

use super::{BYTES, HOST, HeadError, Method, Span, TARGET, all_in};

/// A host with its port, bytes. DNS allows 255 for the name.
const HOST_BYTES_MAX: usize = 255 + 6;

/// Parts of a target.
pub(crate) struct Target {
    pub(crate) path: Span,
    pub(crate) query: Span,
    /// Only in absolute form.
    pub(crate) authority: Span,
}

/// Splits a target that begins at `at` of the head.
///
/// # Errors
/// [`HeadError::Target`]: a forbidden byte, or a form that is not served here;
/// [`HeadError::Host`]: absolute form with a bad authority.
#[inline]
pub(crate) fn split(target: &[u8], at: usize, method: Method) -> Result<Target, HeadError> {
    if !all_in(target, TARGET) {
        return Err(HeadError::Target);
    }
    match target.first() {
        Some(b'/') => {
            let (path, query) = path_and_query(target, at);
            Ok(Target { path, query, authority: Span::default() })
        }
        Some(b'*') if target.len() == 1 && method == Method::Options => Ok(Target {
            path: Span::new(at, 1),
            query: Span::default(),
            authority: Span::default(),
        }),
        _ => split_absolute(target, at),
    }
}

/// Path and query of what begins with a path.
#[inline]
fn path_and_query(bytes: &[u8], at: usize) -> (Span, Span) {
    match memchr::memchr(b'?', bytes) {
        None => (Span::new(at, bytes.len()), Span::default()),
        Some(mark) if mark + 1 == bytes.len() => (Span::new(at, mark), Span::default()),
        Some(mark) => (Span::new(at, mark), Span::new(at + mark + 1, bytes.len() - mark - 1)),
    }
}

fn split_absolute(target: &[u8], at: usize) -> Result<Target, HeadError> {
    let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| {
        target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let begin = scheme.ok_or(HeadError::Target)?.len();
    let rest = &target[begin..];
    let len = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
    check_host(&rest[..len])?;
    let authority = Span::new(at + begin, len);
    let (mut path, query) = path_and_query(&rest[len..], at + begin + len);
    if path.is_empty() {
        // "/" by definition; the last slash of the scheme's "://" lends its place.
        path = Span::new(at + begin - 1, 1);
    }
    Ok(Target { path, query, authority })
}

/// Checks `host [":" port]`.
///
/// # Errors
/// [`HeadError::Host`], also for an empty one: an `http` URL has a host (RFC 9110 section 4.2.1).
#[inline]
pub(crate) fn check_host(host: &[u8]) -> Result<(), HeadError> {
    if host.len() > HOST_BYTES_MAX {
        return Err(HeadError::Host);
    }
    let (name_is_good, port) = match host.first() {
        Some(b'[') => {
            let end = memchr::memchr(b']', host).ok_or(HeadError::Host)?;
            let address = std::str::from_utf8(&host[1..end]).ok();
            let good = address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
            (good, &host[end + 1..])
        }
        _ => {
            let is_name = |byte: &u8| BYTES[usize::from(*byte)] & HOST != 0;
            let end = host.iter().position(|byte| !is_name(byte)).unwrap_or(host.len());
            // Whatever else ends it, is no port.
            (end > 0, &host[end..])
        }
    };
    let port_is_good = match port {
        [] => true,
        [b':', digits @ ..] => {
            // Of five digits none can overflow.
            let number = || {
                digits.iter().try_fold(0u32, |port, digit| {
                    digit.is_ascii_digit().then(|| port * 10 + u32::from(digit - b'0'))
                })
            };
            digits.len() <= 5 && number().is_some_and(|port| port <= u32::from(u16::MAX))
        }
        _ => false,
    };
    if name_is_good && port_is_good { Ok(()) } else { Err(HeadError::Host) }
}
