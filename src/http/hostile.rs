//! Requests that two parsers could read differently, or that are wrong in another way, with the
//! status each must be refused with. `tests` feeds them whole and cut at every byte; `tests/` sends
//! them through real sockets.
//!
//! Where the head is fine and the body is not, the bytes hold both. Verdicts are those under the
//! default limits, and no more bytes than these are needed for them: nothing has to time out.

use crate::limits::{HEADER_COUNT_MAX, TRAILER_BYTES_MAX};

/// A first line, then a good header section.
macro_rules! line {
    ($line:literal) => {
        concat!($line, "\r\nHost: a.example\r\n\r\n").as_bytes()
    };
}

/// A good first line and `Host`, then these lines and the end of the head.
macro_rules! head {
    ($lines:literal) => {
        concat!("GET /dev/pets HTTP/1.1\r\nHost: a.example\r\n", $lines, "\r\n\r\n").as_bytes()
    };
}

/// A good first line, then these lines instead of a good `Host`.
macro_rules! host {
    ($lines:literal) => {
        concat!("GET /dev/pets HTTP/1.1\r\n", $lines, "\r\n\r\n").as_bytes()
    };
}

/// A `POST` with these lines, the end of the head and a body.
macro_rules! post {
    ($lines:literal, $body:literal) => {
        concat!("POST /dev/pets HTTP/1.1\r\nHost: a.example\r\n", $lines, "\r\n\r\n", $body)
            .as_bytes()
    };
}

/// A `POST` whose body is these chunks.
macro_rules! chunks {
    ($body:literal) => {
        post!("Transfer-Encoding: chunked", $body)
    };
}

/// `before`, as many `fill` as make the whole `N` bytes, `after`.
const fn padded<const N: usize>(before: &[u8], fill: u8, after: &[u8]) -> [u8; N] {
    let mut bytes = [fill; N];
    let mut index = 0;
    while index < before.len() {
        bytes[index] = before[index];
        index += 1;
    }
    index = 0;
    while index < after.len() {
        bytes[N - after.len() + index] = after[index];
        index += 1;
    }
    bytes
}

const LONG_URL: [u8; 10_300] = padded(b"GET /dev/", b'a', b" HTTP/1.1\r\nHost: a.example\r\n\r\n");
const ENDLESS_URL: [u8; 10_400] = padded(b"GET /dev/", b'a', b"");
const ENDLESS_METHOD: [u8; 10_400] = padded(b"GET", b'A', b"");
const LONG_QUERY: [u8; 10_400] =
    padded(b"GET /dev/pets?q=", b'1', b" HTTP/1.1\r\nHost: a.example\r\n\r\n");
const LONG_VALUE: [u8; 10_400] =
    padded(b"GET /dev/pets HTTP/1.1\r\nHost: a.example\r\nX-A: ", b'v', b"\r\n\r\n");
const LONG_NAME: [u8; 10_400] =
    padded(b"GET /dev/pets HTTP/1.1\r\nHost: a.example\r\nX", b'n', b": v\r\n\r\n");
const ENDLESS_VALUE: [u8; 12_000] =
    padded(b"GET /dev/pets HTTP/1.1\r\nHost: a.example\r\nX-A: ", b'v', b"");
const ENDLESS_BLANKS: [u8; 12_000] =
    padded(b"GET /dev/pets HTTP/1.1\r\nHost: a.example\r\nX-A:", b' ', b"v\r\n\r\n");

const MANY_HEADERS: [u8; 41 + 5 * HEADER_COUNT_MAX + 2] = {
    const START: &[u8] = b"GET /dev/pets HTTP/1.1\r\nHost: a.example\r\n";
    let mut bytes = padded::<{ 41 + 5 * HEADER_COUNT_MAX + 2 }>(START, b'\n', b"\r\n");
    let mut count = 0;
    while count < HEADER_COUNT_MAX {
        let at = START.len() + 5 * count;
        bytes[at] = b'a';
        bytes[at + 1] = b':';
        bytes[at + 2] = b'b';
        bytes[at + 3] = b'\r';
        count += 1;
    }
    bytes
};

const CHUNKED_HEAD: &[u8] =
    b"POST /dev/pets HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ";
const LONG_TRAILER: [u8; CHUNKED_HEAD.len() + TRAILER_BYTES_MAX] = padded(CHUNKED_HEAD, b'v', b"");
const LONG_HOST: [u8; 300] = padded(b"GET /dev/pets HTTP/1.1\r\nHost: ", b'a', b"\r\n\r\n");
const LONG_EXTENSION: [u8; 400] = padded(
    b"POST /dev/pets HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n1;a=",
    b'x',
    b"",
);

/// What is wrong, the bytes, the status.
#[rustfmt::skip] // one case is one line
pub const HOSTILE: &[(&str, &[u8], u16)] = &[
    // Length: two of them, or one that is not plainly a number.
    ("length and chunked", post!("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400),
    ("chunked and length", post!("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"), 400),
    ("length 0 and chunked", post!("Content-Length: 0\r\nTransfer-Encoding: chunked", "0\r\n\r\nGET /x HTTP/1.1\r\n\r\n"), 400),
    ("length twice, same", post!("Content-Length: 5\r\nContent-Length: 5", "abcde"), 400),
    ("length twice, different", post!("Content-Length: 5\r\nContent-Length: 0", "abcde"), 400),
    ("length twice, other case", post!("content-length: 5\r\nCONTENT-LENGTH: 6", "abcdef"), 400),
    ("length as a list", post!("Content-Length: 5, 5", "abcde"), 400),
    ("length as a list of two", post!("Content-Length: 5,6", "abcdef"), 400),
    ("length with plus", post!("Content-Length: +5", "abcde"), 400),
    ("length with minus", post!("Content-Length: -5", "abcde"), 400),
    ("length minus zero", post!("Content-Length: -0", ""), 400),
    ("length in hexadecimal", post!("Content-Length: 0x5", "abcde"), 400),
    ("length in bare hexadecimal", post!("Content-Length: a", "abcdeabcde"), 400),
    ("length empty", post!("Content-Length:", ""), 400),
    ("length of blanks", post!("Content-Length: \t ", ""), 400),
    ("length with a blank inside", post!("Content-Length: 1 0", "a"), 400),
    ("length with a fraction", post!("Content-Length: 5.0", "abcde"), 400),
    ("length with an exponent", post!("Content-Length: 1e1", "abcde"), 400),
    ("length with an underscore", post!("Content-Length: 1_0", "abcde"), 400),
    ("length in quotes", post!("Content-Length: \"5\"", "abcde"), 400),
    ("length with a semicolon", post!("Content-Length: 5;", "abcde"), 400),
    ("length with a trailing comma", post!("Content-Length: 5,", "abcde"), 400),
    ("length over 2^63", post!("Content-Length: 9223372036854775808", ""), 400),
    ("length over 2^64", post!("Content-Length: 18446744073709551621", ""), 400),
    ("length of 60 digits", post!("Content-Length: 999999999999999999999999999999999999999999999999999999999999", ""), 400),
    ("length in other digits", b"POST /dev/pets HTTP/1.1\r\nHost: a.example\r\nContent-Length: \xd9\xa5\r\n\r\nabcde", 400),
    ("length with a vertical tab", post!("Content-Length: \x0b5", "abcde"), 400),
    ("length with a form feed", post!("Content-Length: 5\x0c", "abcde"), 400),
    ("length with a no-break space", b"POST /dev/pets HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\xa0\r\n\r\nabcde", 400),
    ("length is text", post!("Content-Length: five", "abcde"), 400),
    ("length, blank before the colon", post!("Content-Length : 5", "abcde"), 400),
    ("length, tab before the colon", post!("Content-Length\t: 5", "abcde"), 400),
    ("length, NUL before the colon", post!("Content-Length\0: 5", "abcde"), 400),
    ("length folded", post!("Content-Length:\r\n 5", "abcde"), 400),
    // Transfer-Encoding that somebody might not see, or see although it is none.
    ("chunked twice in a list", post!("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"), 400),
    ("chunked twice in two headers", post!("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400),
    ("chunked, then identity", post!("Transfer-Encoding: chunked, identity", "0\r\n\r\n"), 400),
    ("identity, then chunked", post!("Transfer-Encoding: identity, chunked", "0\r\n\r\n"), 400),
    ("identity", post!("Transfer-Encoding: identity", ""), 400),
    ("identity and a length", post!("Transfer-Encoding: identity\r\nContent-Length: 5", "abcde"), 400),
    ("identity and chunked in two headers", post!("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400),
    ("chunked and identity in two headers", post!("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"), 400),
    ("xchunked", post!("Transfer-Encoding: xchunked", "0\r\n\r\n"), 400),
    ("chunkedx", post!("Transfer-Encoding: chunkedx", "0\r\n\r\n"), 400),
    ("chunked in quotes", post!("Transfer-Encoding: \"chunked\"", "0\r\n\r\n"), 400),
    ("chunked in single quotes", post!("Transfer-Encoding: 'chunked'", "0\r\n\r\n"), 400),
    ("chunked with a semicolon", post!("Transfer-Encoding: chunked;", "0\r\n\r\n"), 400),
    ("chunked with a parameter", post!("Transfer-Encoding: chunked;q=1", "0\r\n\r\n"), 400),
    ("chunked with a leading comma", post!("Transfer-Encoding: ,chunked", "0\r\n\r\n"), 400),
    ("chunked with a trailing comma", post!("Transfer-Encoding: chunked,", "0\r\n\r\n"), 400),
    ("chunked as two words", post!("Transfer-Encoding: chunked foo", "0\r\n\r\n"), 400),
    ("chunked cut in two", post!("Transfer-Encoding: chun ked", "0\r\n\r\n"), 400),
    ("chunked behind a vertical tab", post!("Transfer-Encoding: \x0bchunked", "0\r\n\r\n"), 400),
    ("chunked before a form feed", post!("Transfer-Encoding: chunked\x0c", "0\r\n\r\n"), 400),
    ("chunked before a no-break space", b"POST /dev/pets HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\xa0\r\n\r\n0\r\n\r\n", 400),
    ("chunked with a Kelvin sign", b"POST /dev/pets HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chun\xe2\x84\xaaed\r\n\r\n0\r\n\r\n", 400),
    ("transfer encoding empty", post!("Transfer-Encoding:", "0\r\n\r\n"), 400),
    ("transfer encoding empty, and a length", post!("Transfer-Encoding:\r\nContent-Length: 5", "abcde"), 400),
    ("chunked folded", post!("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"), 400),
    ("chunked folded by a tab", post!("Transfer-Encoding:\r\n\tchunked", "0\r\n\r\n"), 400),
    ("chunked, blank before the colon", post!("Transfer-Encoding : chunked", "0\r\n\r\n"), 400),
    ("chunked, tab before the colon", post!("Transfer-Encoding\t: chunked", "0\r\n\r\n"), 400),
    ("chunked behind a leading blank", post!("X-A: b\r\n Transfer-Encoding: chunked", "0\r\n\r\n"), 400),
    ("chunked behind a bare CR", post!("X-A: b\rTransfer-Encoding: chunked", "0\r\n\r\n"), 400),
    ("chunked behind a bare LF", post!("X-A: b\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400),
    ("chunked before a bare CR", post!("Transfer-Encoding: chunked\rX: y", "0\r\n\r\n"), 400),
    ("chunked in HTTP/1.0", b"POST /dev/pets HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("chunked and keep-alive in HTTP/1.0", b"POST /dev/pets HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("gzip alone", post!("Transfer-Encoding: gzip", "abc"), 400),
    ("chunked, then gzip", post!("Transfer-Encoding: chunked, gzip", "0\r\n\r\n"), 400),
    ("gzip, then chunked", post!("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), 501),
    ("a coding nobody knows, then chunked", post!("Transfer-Encoding: cow , chunked", "0\r\n\r\n"), 501),
    ("no token, then chunked", post!("Transfer-Encoding: c/w, chunked", "0\r\n\r\n"), 400),
    ("gzip and chunked in two headers", post!("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400),
    // Chunks.
    ("chunk size with plus", chunks!("+5\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size with minus", chunks!("-1\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size with 0x", chunks!("0x5\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size with a leading blank", chunks!(" 5\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size with a trailing blank", chunks!("5 \r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size with a trailing tab", chunks!("5\t\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size, blank before the extension", chunks!("5 ;a\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size empty", chunks!("\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size is only an extension", chunks!(";a=b\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size is no number", chunks!("xyz\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size ends in a letter", chunks!("5g\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size with a comma", chunks!("5,5\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size with an underscore", chunks!("1_0\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size of 2^63", chunks!("8000000000000000\r\nabc"), 400),
    ("chunk size over 2^64", chunks!("10000000000000005\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size of 17 digits", chunks!("00000000000000005\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size line ends in LF", chunks!("5\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size line ends in CR", chunks!("5\rabcde\r\n0\r\n\r\n"), 400),
    ("chunk size line ends in CR CR LF", chunks!("5\r\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk size with NUL", chunks!("5\0\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk data longer than said", chunks!("3\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk data ends in LF", chunks!("5\r\nabcde\n0\r\n\r\n"), 400),
    ("chunk data ends in CR", chunks!("5\r\nabcde\r0\r\n\r\n"), 400),
    ("chunk data ends in LF CR", chunks!("5\r\nabcde\n\r0\r\n\r\n"), 400),
    ("chunk data without an end", chunks!("5\r\nabcde0\r\n\r\n"), 400),
    ("chunk extension ends in LF", chunks!("5;a\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk extension with a bare CR", chunks!("5;a\rb\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk extension with NUL", chunks!("5;a\0\r\nabcde\r\n0\r\n\r\n"), 400),
    ("chunk extension too long", &LONG_EXTENSION, 400),
    ("last chunk ends in LF", chunks!("0\n\r\n"), 400),
    ("body ends in LF", chunks!("0\r\n\n"), 400),
    ("body ends in CR and something else", chunks!("0\r\n\rX"), 400),
    ("trailer without colon", chunks!("0\r\nfoo\r\n\r\n"), 400),
    ("trailer without name", chunks!("0\r\n: foo\r\n\r\n"), 400),
    ("trailer folded", chunks!("0\r\nX: a\r\n b\r\n\r\n"), 400),
    ("trailer, blank before the colon", chunks!("0\r\nX : a\r\n\r\n"), 400),
    ("trailer ends in LF", chunks!("0\r\nX: a\n\r\n"), 400),
    ("trailer with a bare CR", chunks!("0\r\nX: a\rb\r\n\r\n"), 400),
    ("trailer with NUL", chunks!("0\r\nX: a\0\r\n\r\n"), 400),
    ("a request instead of a trailer", chunks!("0\r\nGET /x HTTP/1.1\r\nHost: b\r\n\r\n"), 400),
    ("trailer too long", &LONG_TRAILER, 431),
    // Line ends.
    ("all lines end in LF", b"GET /dev/pets HTTP/1.1\nHost: a.example\n\n", 400),
    ("first line ends in LF", b"GET /dev/pets HTTP/1.1\nHost: a.example\r\n\r\n", 400),
    ("a header ends in LF", b"GET /dev/pets HTTP/1.1\r\nHost: a.example\nX: y\r\n\r\n", 400),
    ("last header ends in LF", b"GET /dev/pets HTTP/1.1\r\nHost: a.example\n\r\n", 400),
    ("head ends in LF", b"GET /dev/pets HTTP/1.1\r\nHost: a.example\r\n\n", 400),
    ("empty header ends in LF", b"GET /dev/pets HTTP/1.1\r\nHost: a.example\r\nX:\n\r\n", 400),
    ("all lines end in CR", b"GET /dev/pets HTTP/1.1\rHost: a.example\r\r", 400),
    ("a header ends in CR CR LF", head!("X: y\r"), 400),
    ("bare CR in a value", head!("X: a\rb"), 400),
    ("bare CR before a value", head!("X:\ra"), 400),
    ("bare CR in a name", head!("X\rY: a"), 400),
    ("bare CR in the target", line!("GET /a\rb HTTP/1.1"), 400),
    ("first line ends in CR CR LF", line!("GET /dev/pets HTTP/1.1\r"), 400),
    ("head ends in CR and something else", b"GET /dev/pets HTTP/1.1\r\nHost: a.example\r\n\rX: y\r\n\r\n", 400),
    ("LF CR as line ends", b"GET /dev/pets HTTP/1.1\n\rHost: a.example\n\r\n\r", 400),
    ("two empty lines first", b"\r\n\r\nGET /dev/pets HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
    ("LF first", b"\nGET /dev/pets HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
    ("CR first", b"\rGET /dev/pets HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
    ("an empty line and LF first", b"\r\n\nGET /dev/pets HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
    ("an empty line and a blank first", b"\r\n GET /dev/pets HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
    // Header names and values.
    ("fold by a blank", head!("X: a\r\n b"), 400),
    ("fold by a tab", head!("X: a\r\n\tb"), 400),
    ("fold of the first header", b"GET /dev/pets HTTP/1.1\r\n Host: a.example\r\n\r\n", 400),
    ("a line of blanks", head!("X: a\r\n   \r\nY: b"), 400),
    ("blank before the colon", head!("X : a"), 400),
    ("tab before the colon", head!("X\t: a"), 400),
    ("blank in a name", head!("X Y: a"), 400),
    ("no colon", head!("XY"), 400),
    ("no name", head!(": a"), 400),
    ("only a colon", head!(":"), 400),
    ("NUL in a name", head!("X\0Y: a"), 400),
    ("NUL in a value", head!("X: a\0b"), 400),
    ("NUL alone as a value", head!("X: \0"), 400),
    ("bell in a value", head!("X: a\x07b"), 400),
    ("escape in a value", head!("X: a\x1b[2Jb"), 400),
    ("vertical tab in a value", head!("X: a\x0bb"), 400),
    ("form feed in a value", head!("X: a\x0cb"), 400),
    ("delete in a value", head!("X: a\x7fb"), 400),
    ("delete at the 40th byte of a value", head!("X: 0123456789012345678901234567890123456789\x7f"), 400),
    ("unit separator in a value", head!("X: \x1f"), 400),
    ("vertical tab in a name", head!("X\x0b: a"), 400),
    ("parenthesis in a name", head!("X(Y): a"), 400),
    ("slash in a name", head!("X/Y: a"), 400),
    ("at sign in a name", head!("X@Y: a"), 400),
    ("quote in a name", head!("\"X\": a"), 400),
    ("brace in a name", head!("X{Y}: a"), 400),
    ("backslash in a name", head!("X\\Y: a"), 400),
    ("equals sign in a name", head!("X=Y: a"), 400),
    ("comma in a name", head!("X,Y: a"), 400),
    ("semicolon in a name", head!("X;Y: a"), 400),
    ("letter outside ASCII in a name", head!("Xä: a"), 400),
    ("byte order mark before a name", head!("\u{feff}X: a"), 400),
    // Host.
    ("no Host", b"GET /dev/pets HTTP/1.1\r\n\r\n", 400),
    ("no Host but others", host!("X-Host: a.example\r\nAccept: */*"), 400),
    ("two Host, same", host!("Host: a.example\r\nHost: a.example"), 400),
    ("two Host, different", host!("Host: a.example\r\nHost: b.example"), 400),
    ("two Host, other case", host!("HOST: a.example\r\nhost: b.example"), 400),
    ("two Host in HTTP/1.0", b"GET /dev/pets HTTP/1.0\r\nHost: a.example\r\nHost: b.example\r\n\r\n", 400),
    ("Host empty", host!("Host:"), 400),
    ("Host of blanks", host!("Host:   "), 400),
    ("Host is only a port", host!("Host: :80"), 400),
    ("Host list", host!("Host: a.example, b.example"), 400),
    ("Host list without blank", host!("Host: a.example,b.example"), 400),
    ("Host with a blank", host!("Host: a.example b.example"), 400),
    ("Host with a tab", host!("Host: a.example\tb.example"), 400),
    ("Host with a path", host!("Host: a.example/x"), 400),
    ("Host with a backslash", host!("Host: a.example\\x"), 400),
    ("Host with a query", host!("Host: a.example?x"), 400),
    ("Host with a fragment", host!("Host: a.example#x"), 400),
    ("Host with a user", host!("Host: user@a.example"), 400),
    ("Host is a URL", host!("Host: http://a.example"), 400),
    ("Host with percent", host!("Host: a%2eexample"), 400),
    ("Host with a quote", host!("Host: \"a.example\""), 400),
    ("Host with angle brackets", host!("Host: <a.example>"), 400),
    ("Host outside ASCII", host!("Host: ä.example"), 400),
    ("Host with a port that is none", host!("Host: a.example:http"), 400),
    ("Host with a signed port", host!("Host: a.example:+80"), 400),
    ("Host with two ports", host!("Host: a.example:80:81"), 400),
    ("Host with a port over 65535", host!("Host: a.example:65536"), 400),
    ("Host with a port beyond 64 bits", host!("Host: a.example:99999999999999999999999"), 400),
    ("Host with a port of six digits", host!("Host: a.example:000080"), 400),
    ("Host with a blank before the port", host!("Host: a.example :80"), 400),
    ("Host is an IPv6 address without brackets", host!("Host: ::1"), 400),
    ("Host is half an IPv6 address", host!("Host: [::1"), 400),
    ("Host is no IPv6 address", host!("Host: [a.example]"), 400),
    ("Host is an IPv6 address with a zone", host!("Host: [fe80::1%25eth0]"), 400),
    ("Host is an IPv6 address and more", host!("Host: [::1]x"), 400),
    ("Host of empty brackets", host!("Host: []"), 400),
    ("Host, blank before the colon", host!("Host : a.example"), 400),
    ("Host folded", host!("Host:\r\n a.example"), 400),
    ("Host longer than any", &LONG_HOST, 400),
    // Target.
    ("absolute form, other host", line!("GET http://b.example/dev/pets HTTP/1.1"), 400),
    ("absolute form, other port", line!("GET http://a.example:81/dev/pets HTTP/1.1"), 400),
    ("absolute form without Host", b"GET http://a.example/dev/pets HTTP/1.1\r\n\r\n", 400),
    ("absolute form without authority", line!("GET http:///dev/pets HTTP/1.1"), 400),
    ("absolute form with a user", line!("GET http://u@a.example/dev/pets HTTP/1.1"), 400),
    ("absolute form of ftp", line!("GET ftp://a.example/dev/pets HTTP/1.1"), 400),
    ("absolute form of file", line!("GET file:///etc/passwd HTTP/1.1"), 400),
    ("absolute form with one slash", line!("GET http:/a.example/ HTTP/1.1"), 400),
    ("absolute form with backslashes", line!("GET http:\\\\a.example\\ HTTP/1.1"), 400),
    ("no leading slash", line!("GET dev/pets HTTP/1.1"), 400),
    ("only a query", line!("GET ?a=b HTTP/1.1"), 400),
    ("authority form", line!("GET a.example:80 HTTP/1.1"), 400),
    ("asterisk of GET", line!("GET * HTTP/1.1"), 400),
    ("asterisk and more", line!("OPTIONS *x HTTP/1.1"), 400),
    ("asterisk with a query", line!("OPTIONS *?a=b HTTP/1.1"), 400),
    ("CONNECT", b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", 400),
    ("CONNECT of a path", line!("CONNECT /dev/pets HTTP/1.1"), 400),
    ("fragment", line!("GET /dev/pets#top HTTP/1.1"), 400),
    ("fragment behind the query", line!("GET /dev/pets?a=b#top HTTP/1.1"), 400),
    ("target with a blank", line!("GET /dev/ pets HTTP/1.1"), 400),
    ("target with a tab", line!("GET /dev/\tpets HTTP/1.1"), 400),
    ("target with NUL", line!("GET /dev/\0pets HTTP/1.1"), 400),
    ("target with a control byte", line!("GET /dev/\x01pets HTTP/1.1"), 400),
    ("target with delete", line!("GET /dev/\x7fpets HTTP/1.1"), 400),
    ("target outside ASCII", line!("GET /dev/pëts HTTP/1.1"), 400),
    ("target in no encoding", b"GET /dev/\xff HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
    ("target with a bare LF", line!("GET /dev\nX: HTTP/1.1"), 400),
    ("target with an overlong slash", b"GET /dev\xc0\xafpets HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
    ("query outside ASCII", line!("GET /dev/pets?q=ü HTTP/1.1"), 400),
    // Method and the shape of the first line.
    ("no method", line!(" /dev/pets HTTP/1.1"), 400),
    ("no target", line!("GET  HTTP/1.1"), 400),
    ("no version (HTTP/0.9)", b"GET /dev/pets\r\n", 400),
    ("no version but headers", line!("GET /dev/pets"), 400),
    ("a blank instead of a version", line!("GET /dev/pets "), 400),
    ("only a method", line!("GET"), 400),
    ("two blanks before the target", line!("GET  /dev/pets HTTP/1.1"), 400),
    ("two blanks before the version", line!("GET /dev/pets  HTTP/1.1"), 400),
    ("blank behind the version", line!("GET /dev/pets HTTP/1.1 "), 400),
    ("tab between method and target", line!("GET\t/dev/pets HTTP/1.1"), 400),
    ("tab between target and version", line!("GET /dev/pets\tHTTP/1.1"), 400),
    ("blank before the method", line!(" GET /dev/pets HTTP/1.1"), 400),
    ("method with a colon", line!("GET: /dev/pets HTTP/1.1"), 400),
    ("method with a slash", line!("GE/T /dev/pets HTTP/1.1"), 400),
    ("method with a parenthesis", line!("GET(x) /dev/pets HTTP/1.1"), 400),
    ("method outside ASCII", line!("GÉT /dev/pets HTTP/1.1"), 400),
    ("method with NUL", line!("G\0T /dev/pets HTTP/1.1"), 400),
    ("method of 33 bytes", line!("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG /dev/pets HTTP/1.1"), 400),
    ("method without end", &ENDLESS_METHOD, 400),
    ("an answer", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 400),
    ("header first", b"Host: a.example\r\n\r\n", 400),
    ("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n", 400),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ("PROXY protocol, text", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("PROXY protocol, binary", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", 400),
    // Version.
    ("HTTP/0.9", line!("GET /dev/pets HTTP/0.9"), 505),
    ("HTTP/1.2", line!("GET /dev/pets HTTP/1.2"), 505),
    ("HTTP/1.9", line!("GET /dev/pets HTTP/1.9"), 505),
    ("HTTP/2.0", line!("GET /dev/pets HTTP/2.0"), 505),
    ("HTTP/3.0", line!("GET /dev/pets HTTP/3.0"), 505),
    ("HTTP/2 by prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("HTTP/2", line!("GET /dev/pets HTTP/2"), 400),
    ("HTTP/1", line!("GET /dev/pets HTTP/1"), 400),
    ("HTTP/1.", line!("GET /dev/pets HTTP/1."), 400),
    ("HTTP/1.11", line!("GET /dev/pets HTTP/1.11"), 400),
    ("HTTP/01.1", line!("GET /dev/pets HTTP/01.1"), 400),
    ("HTTP/1,1", line!("GET /dev/pets HTTP/1,1"), 400),
    ("HTTP 1.1", line!("GET /dev/pets HTTP 1.1"), 400),
    ("HTTP/1.1x", line!("GET /dev/pets HTTP/1.1x"), 400),
    ("http/1.1", line!("GET /dev/pets http/1.1"), 400),
    ("HTTPS/1.1", line!("GET /dev/pets HTTPS/1.1"), 400),
    ("HTTP/1.1 with NUL", line!("GET /dev/pets HTTP/1.1\0"), 400),
    // Expect.
    ("expects something else", post!("Expect: 200-ok\r\nContent-Length: 0", ""), 417),
    ("expects nothing", post!("Expect:\r\nContent-Length: 0", ""), 417),
    ("expects continue and more", post!("Expect: 100-continue, x\r\nContent-Length: 0", ""), 417),
    ("expects continue, then something else", post!("Expect: 100-continue\r\nExpect: x\r\nContent-Length: 0", ""), 417),
    // Limits.
    ("target longer than the limit", &LONG_URL, 414),
    ("target without end", &ENDLESS_URL, 414),
    ("query longer than the limit", &LONG_QUERY, 414),
    ("value longer than the limit", &LONG_VALUE, 431),
    ("name longer than the limit", &LONG_NAME, 431),
    ("value without end", &ENDLESS_VALUE, 431),
    ("blanks longer than the limit", &ENDLESS_BLANKS, 431),
    ("more headers than the limit", &MANY_HEADERS, 431),
];
