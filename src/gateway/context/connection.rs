//! What a `Connection` header names: those headers go no further (RFC 9110 section 7.6.1).

use crate::http::Values;

fn options<'a>(connection: Values<'a>) -> impl Iterator<Item = &'a [u8]> {
    connection.flat_map(|value| value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii))
}

/// Whether this header is one of those that all `Connection` headers together name.
pub fn is_named(connection: Values<'_>, name: &[u8]) -> bool {
    options(connection).any(|option| option.eq_ignore_ascii_case(name))
}
