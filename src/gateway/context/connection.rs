//! What a `Connection` header names: those headers go no further (RFC 9110 section 7.6.1).

use crate::http::Values;

fn options<'a>(connection: Values<'a>) -> impl Iterator<Item = &'a [u8]> {
    connection.flat_map(|value| value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii))
}

/// Whether all `Connection` headers together name any header, and do not just say what becomes of
/// the connection.
pub fn names_headers(connection: Values<'_>) -> bool {
    options(connection).any(|option| {
        !option.eq_ignore_ascii_case(b"keep-alive") && !option.eq_ignore_ascii_case(b"close")
    })
}

/// Whether this header is one of those that they name.
pub fn is_named(connection: Values<'_>, name: &[u8]) -> bool {
    options(connection).any(|option| option.eq_ignore_ascii_case(name))
}
