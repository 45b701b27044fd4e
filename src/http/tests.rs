//! Both directions against tables, whole and cut at every byte, and against random bytes.

use proptest::prelude::*;

use super::*;
use crate::limits::{CHUNK_LINE_BYTES_MAX, HEADER_COUNT_MAX};

const LIMITS: HeadLimits =
    HeadLimits { url_bytes: 10_240, header_bytes: 10_240, header_count: HEADER_COUNT_MAX };

/// What becomes of bytes that arrive in parts which end at `ends`: payload and length of the first
/// request, `None` if it is not complete, or the status it is refused with.
fn serve(bytes: &[u8], ends: &[usize]) -> Result<Option<(Vec<u8>, usize)>, u16> {
    let (mut head, mut scan) = (RequestHead::default(), HeadScan::default());
    let mut body: Option<(BodyDecoder, usize)> = None;
    let mut payload = Vec::new();
    for &end in ends {
        let seen = &bytes[..end];
        if body.is_none() && head.parse(seen, &mut scan, &LIMITS).map_err(|error| error.status())? {
            body = Some((BodyDecoder::request(head.framing), head.len as usize));
        }
        let Some((decoder, at)) = &mut body else { continue };
        while *at < end && !decoder.is_done() {
            let decoded = decoder.decode(&seen[*at..]).map_err(|error| error.status())?;
            payload.extend_from_slice(&seen[*at + decoded.data.start..*at + decoded.data.end]);
            *at += decoded.consumed;
        }
        if decoder.is_done() {
            return Ok(Some((payload, *at)));
        }
    }
    Ok(None)
}

/// Every way in which a table's bytes are cut: whole, dripping, and in two at every place (of long
/// ones at every 97th).
fn each_cut(len: usize, mut check: impl FnMut(&[usize])) {
    check(&[len]);
    check(&(1..=len).collect::<Vec<_>>());
    for cut in (1..len).step_by(if len > 1_000 { 97 } else { 1 }) {
        check(&[cut, len]);
    }
}

#[test]
fn hostile_requests_are_refused_however_they_are_cut() {
    assert!(hostile::HOSTILE.len() >= 160, "{} cases", hostile::HOSTILE.len());
    for &(what, bytes, status) in hostile::HOSTILE {
        each_cut(bytes.len(), |ends| {
            assert_eq!(serve(bytes, ends), Err(status), "{what}, cut at {:?}", ends.first());
        });
    }
    let mut names: Vec<_> = hostile::HOSTILE.iter().map(|case| case.0).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), hostile::HOSTILE.len(), "two cases have one name");
}

#[test]
fn every_error_has_a_status_and_says_what_is_wrong() {
    let mut seen = Vec::new();
    for &(_, bytes, _) in hostile::HOSTILE {
        let (mut head, mut scan) = (RequestHead::default(), HeadScan::default());
        if let Err(error) = head.parse(bytes, &mut scan, &LIMITS)
            && !seen.contains(&error)
        {
            assert!(!error.to_string().is_empty());
            seen.push(error);
        }
    }
    // All that a request can cause but the two that `httparse` and the scan see first.
    assert!(seen.len() >= 26, "{} kinds of error: {seen:?}", seen.len());
}

struct Want {
    method: &'static str,
    path: &'static str,
    query: &'static str,
    host: &'static str,
    framing: Framing,
    keep_alive: bool,
    payload: &'static str,
}

const GET: Want = Want {
    method: "GET",
    path: "/a",
    query: "",
    host: "h",
    framing: Framing::None,
    keep_alive: true,
    payload: "",
};
const POST: Want = Want { method: "POST", ..GET };

#[test]
fn good_requests_are_read_however_they_are_cut() {
    #[rustfmt::skip] // one case is one line
    let table: &[(&str, Want)] = &[
        ("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", GET),
        ("\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", GET),
        ("GET /a HTTP/1.1\r\nhost:h\r\n\r\n", GET),
        ("GET /a HTTP/1.1\r\nHOST: \t h \t \r\nX:\r\nY: \r\n\r\n", GET),
        ("GET /a?b=c&d HTTP/1.1\r\nHost: h\r\n\r\n", Want { query: "b=c&d", ..GET }),
        ("GET /a? HTTP/1.1\r\nHost: h\r\n\r\n", GET),
        ("GET /a?b?c HTTP/1.1\r\nHost: h\r\n\r\n", Want { query: "b?c", ..GET }),
        ("GET //a//b HTTP/1.1\r\nHost: h\r\n\r\n", Want { path: "//a//b", ..GET }),
        ("GET /a%20b|{}\"<>\\^` HTTP/1.1\r\nHost: h\r\n\r\n", Want { path: "/a%20b|{}\"<>\\^`", ..GET }),
        ("GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n", GET),
        ("GET HTTP://H/a?q HTTP/1.1\r\nHost: h\r\n\r\n", Want { query: "q", ..GET }),
        ("GET https://h:8443 HTTP/1.1\r\nHost: h:8443\r\n\r\n", Want { path: "/", host: "h:8443", ..GET }),
        ("GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n", Want { path: "/", query: "q", ..GET }),
        ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", Want { method: "OPTIONS", path: "*", ..GET }),
        ("OPTIONS /a HTTP/1.1\r\nHost: h\r\n\r\n", Want { method: "OPTIONS", ..GET }),
        ("TRACE /a HTTP/1.1\r\nHost: h\r\n\r\n", Want { method: "TRACE", ..GET }),
        ("get /a HTTP/1.1\r\nHost: h\r\n\r\n", Want { method: "get", ..GET }),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF /a HTTP/1.1\r\nHost: h\r\n\r\n", Want { method: "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", ..GET }),
        ("GET /a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", Want { host: "[::1]:80", ..GET }),
        ("GET /a HTTP/1.1\r\nHost: 127.0.0.1:65535\r\n\r\n", Want { host: "127.0.0.1:65535", ..GET }),
        ("GET /a HTTP/1.1\r\nHost: a_b-c.d~e.:\r\n\r\n", Want { host: "a_b-c.d~e.:", ..GET }),
        ("GET /a HTTP/1.0\r\n\r\n", Want { host: "", keep_alive: false, ..GET }),
        ("GET http://h/a HTTP/1.0\r\n\r\n", Want { keep_alive: false, ..GET }),
        ("GET /a HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n", GET),
        ("GET /a HTTP/1.0\r\nHost: h\r\nConnection: x, keep-alive ,\r\n\r\n", GET),
        ("GET /a HTTP/1.0\r\nHost: h\r\nExpect: something\r\n\r\n", Want { keep_alive: false, ..GET }),
        ("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", Want { keep_alive: false, ..GET }),
        ("GET /a HTTP/1.1\r\nHost: h\r\nConnection: x,CLOSE\r\n\r\n", Want { keep_alive: false, ..GET }),
        ("GET /a HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n", GET),
        ("GET /a HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", Want { keep_alive: false, ..GET }),
        ("GET /a HTTP/1.1\r\nHost: h\r\nX: \u{e4}\u{1f600}\ta\r\n\r\n", GET),
        ("GET /a HTTP/1.1\r\nHost: h\r\n!#$%&'*+-.^_`|~0: a\r\n\r\n", GET),
        ("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\n", GET),
        ("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", Want { framing: Framing::Length(0), ..POST }),
        ("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET", Want { framing: Framing::Length(3), payload: "abc", ..POST }),
        ("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 003\r\n\r\nabc", Want { framing: Framing::Length(3), payload: "abc", ..POST }),
        ("POST /a HTTP/1.0\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", Want { framing: Framing::Length(3), payload: "abc", keep_alive: false, ..POST }),
        ("GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", Want { framing: Framing::Length(3), payload: "abc", ..GET }),
        ("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Want { framing: Framing::Chunked, ..POST }),
        ("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked \r\n\r\n3\r\nabc\r\n0\r\n\r\nGET", Want { framing: Framing::Chunked, payload: "abc", ..POST }),
        ("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n002\r\nbc\r\nA;x=\"y\"; z\r\n0123456789\r\n00\r\nX: y\r\nZ:\r\n\r\n", Want { framing: Framing::Chunked, payload: "abc0123456789", ..POST }),
        ("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n", Want { framing: Framing::Chunked, payload: "\r\n\r\n", ..POST }),
    ];
    for (text, want) in table {
        let bytes = text.as_bytes();
        let (mut head, mut scan) = (RequestHead::default(), HeadScan::default());
        assert_eq!(head.parse(bytes, &mut scan, &LIMITS), Ok(true), "{text:?}");
        let text_of = |span: Span| std::str::from_utf8(span.of(bytes)).unwrap();
        assert_eq!(text_of(head.method_name), want.method, "{text:?}");
        assert_eq!(head.method, Method::of(want.method.as_bytes()), "{text:?}");
        assert_eq!(text_of(head.path), want.path, "{text:?}");
        assert_eq!(text_of(head.query), want.query, "{text:?}");
        assert_eq!(text_of(head.host).to_ascii_lowercase(), want.host, "{text:?}");
        assert_eq!(head.framing, want.framing, "{text:?}");
        assert_eq!(head.keep_alive, want.keep_alive, "{text:?}");
        let whole = serve(bytes, &[bytes.len()]);
        assert_eq!(
            whole.as_ref().map(|done| done.as_ref().map(|done| done.0.as_slice())),
            Ok(Some(want.payload.as_bytes())),
            "{text:?}"
        );
        each_cut(bytes.len(), |ends| {
            assert_eq!(serve(bytes, ends), whole, "{text:?}, cut at {:?}", ends.first());
        });
    }
}

#[test]
fn heads_at_a_limit_pass_and_one_byte_more_does_not() {
    let limits = HeadLimits { url_bytes: 20, header_bytes: 40, header_count: 3 };
    let verdict = |text: &str| {
        let bytes = text.as_bytes();
        let whole = RequestHead::default().parse(bytes, &mut HeadScan::default(), &limits);
        let (mut head, mut scan) = (RequestHead::default(), HeadScan::default());
        let mut drip = Ok(false);
        for end in 1..=bytes.len() {
            drip = head.parse(&bytes[..end], &mut scan, &limits);
            if drip != Ok(false) {
                break;
            }
        }
        assert_eq!(whole, drip, "{text:?}");
        assert!(whole != Ok(true) || bytes.len() <= limits.head_bytes_max(), "{text:?}");
        whole
    };
    let with_url = |len: usize| format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "u".repeat(len - 1));
    assert_eq!(verdict(&with_url(20)), Ok(true));
    assert_eq!(verdict(&with_url(21)), Err(HeadError::UrlTooLong));
    let with_values =
        |len: usize| format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "v".repeat(len - 6));
    assert_eq!(verdict(&with_values(40)), Ok(true));
    assert_eq!(verdict(&with_values(41)), Err(HeadError::HeadersTooLarge));
    let with_count =
        |count: usize| format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: y\r\n".repeat(count - 1));
    assert_eq!(verdict(&with_count(3)), Ok(true));
    assert_eq!(verdict(&with_count(4)), Err(HeadError::TooManyHeaders));
    for header_count in [1_000, usize::MAX] {
        let many = HeadLimits { header_count, ..limits };
        let text = with_count(900).replace("X: y", "X:");
        let mut head = RequestHead::default();
        let more = HeadLimits { header_bytes: 1_000, ..many };
        assert_eq!(head.parse(text.as_bytes(), &mut HeadScan::default(), &more), Ok(true));
        assert_eq!(head.headers.len(), 900);
    }
    let off =
        HeadLimits { url_bytes: usize::MAX, header_bytes: usize::MAX, header_count: usize::MAX };
    let long = format!("GET /{0} HTTP/1.1\r\nHost: h\r\nX: {0}\r\n\r\n", "x".repeat(300_000));
    assert_eq!(
        RequestHead::default().parse(long.as_bytes(), &mut HeadScan::default(), &off),
        Ok(true)
    );
}

#[test]
fn a_scan_and_a_head_are_ready_again_after_every_verdict() {
    let good = b"GET /a HTTP/1.1\r\nHost: h\r\nX: 1\r\nx: 2\r\nAccept: a\r\n\r\n";
    let (mut head, mut scan) = (RequestHead::default(), HeadScan::default());
    for &(what, bad, _) in hostile::HOSTILE {
        for end in 1..=bad.len().min(300) {
            if head.parse(&bad[..end], &mut scan, &LIMITS) != Ok(false) {
                break;
            }
        }
        scan.reset();
        let capacity = head.headers.capacity();
        assert_eq!(head.parse(&good[..30], &mut scan, &LIMITS), Ok(false), "{what}");
        assert_eq!(head.parse(good, &mut scan, &LIMITS), Ok(true), "{what}");
        assert_eq!(head.len as usize, good.len());
        assert!(capacity == 0 || head.headers.capacity() == capacity.max(4));
    }
    assert_eq!(head.find(good, KnownHeader::Accept), Some(&b"a"[..]));
    assert_eq!(head.find(good, KnownHeader::Other), None);
    assert_eq!(head.find_name(good, b"ACCEPT"), Some(&b"a"[..]));
    assert_eq!(head.find_name(good, b"x"), Some(&b"1"[..]));
    assert_eq!(head.values(good, b"X").collect::<Vec<_>>(), [b"1", b"2"]);
    assert_eq!(head.find_name(good, b"y"), None);
}

#[test]
fn continue_is_expected_only_in_http_11() {
    for (version, value, want) in [
        ("1.1", "100-continue", true),
        ("1.1", "100-Continue", true),
        ("1.0", "100-continue", false),
    ] {
        let text = format!(
            "POST / HTTP/{version}\r\nHost: h\r\nExpect: {value}\r\nContent-Length: 1\r\n\r\n"
        );
        let mut head = RequestHead::default();
        assert_eq!(head.parse(text.as_bytes(), &mut HeadScan::default(), &LIMITS), Ok(true));
        assert_eq!(head.expect_continue, want, "{text:?}");
    }
}

/// Verdict on an answer that arrives in parts which end at `ends`.
fn answer(
    bytes: &[u8],
    method: Method,
    ends: &[usize],
) -> Result<Option<(u16, ResponseFraming, bool, u32)>, HeadError> {
    let (mut head, mut scan) = (ResponseHead::default(), HeadScan::default());
    for &end in ends {
        if head.parse(&bytes[..end], method, &mut scan)? {
            return Ok(Some((head.status, head.framing, head.keep_alive, head.len)));
        }
    }
    Ok(None)
}

#[test]
fn answers_are_framed_as_rfc_9112_says() {
    use ResponseFraming::{Chunked, Length, None, UntilClose};
    #[rustfmt::skip] // one case is one line
    let table = [
        (Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", (200, Length(5), true)),
        (Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", (200, Length(5), true)),
        (Method::Get, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", (200, Length(0), true)),
        (Method::Get, "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", (200, Length(0), true)),
        (Method::Get, "HTTP/1.1 200 \u{e4}\tb\r\nContent-Length: 0\r\n\r\n", (200, Length(0), true)),
        (Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", (200, Chunked, true)),
        (Method::Get, "HTTP/1.1 200 OK\r\n\r\n", (200, UntilClose, false)),
        (Method::Get, "HTTP/1.0 200 OK\r\n\r\n", (200, UntilClose, false)),
        (Method::Get, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", (200, Length(5), false)),
        (Method::Get, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n", (200, Length(5), true)),
        (Method::Get, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", (200, Length(5), false)),
        (Method::Head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", (200, None, true)),
        (Method::Head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", (200, None, true)),
        (Method::Head, "HTTP/1.1 200 OK\r\n\r\n", (200, None, true)),
        (Method::Get, "HTTP/1.1 204 No Content\r\n\r\n", (204, None, true)),
        (Method::Get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", (304, None, true)),
        (Method::Get, "HTTP/1.1 100 Continue\r\n\r\n", (100, None, true)),
        (Method::Get, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", (103, None, true)),
        (Method::Get, "HTTP/1.1 999 Odd\r\nContent-Length: 1\r\n\r\n", (999, Length(1), true)),
    ];
    for (method, text, (status, framing, keep_alive)) in table {
        let bytes = text.as_bytes();
        let want = Ok(Some((status, framing, keep_alive, bytes.len() as u32)));
        each_cut(bytes.len(), |ends| assert_eq!(answer(bytes, method, ends), want, "{text:?}"));
    }
    let text = b"HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n";
    let mut head = ResponseHead::default();
    assert_eq!(head.parse(text, Method::Get, &mut HeadScan::default()), Ok(true));
    assert_eq!(head.reason.of(text), b"Fine");
    assert_eq!(head.find(text, KnownHeader::ContentLength), Some(&b"0"[..]));
    assert_eq!(head.find_name(text, b"content-LENGTH"), Some(&b"0"[..]));
}

#[test]
fn answers_that_could_be_read_in_two_ways_are_refused_however_they_are_cut() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(HEADER_COUNT_MAX + 1));
    let long = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(70_000));
    let endless = format!("HTTP/1.1 200 {}", "x".repeat(70_000));
    #[rustfmt::skip] // one case is one line
    let table: &[(&[u8], HeadError)] = &[
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", HeadError::ContentLengthRepeated),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", HeadError::ContentLength),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", HeadError::ContentLength),
        (b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", HeadError::ContentLength),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", HeadError::TwoLengths),
        (b"HTTP/1.1 204 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", HeadError::TwoLengths),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", HeadError::TransferEncoding),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", HeadError::TransferEncoding),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", HeadError::TransferEncodingUnsupported),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", HeadError::TransferEncodingRepeated),
        (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HeadError::TransferEncodingInHttp10),
        (b"HTTP/1.1 200 OK\nContent-Length: 5\n\n", HeadError::BareLineFeed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\n", HeadError::BareLineFeed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\n", HeadError::BareLineFeed),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", HeadError::HeaderName),
        (b"HTTP/1.1 200 OK\r\nX : a\r\n\r\n", HeadError::HeaderName),
        (b"HTTP/1.1 200 OK\r\nX\r\n\r\n", HeadError::HeaderName),
        (b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", HeadError::HeaderValue),
        (b"HTTP/1.1 200 OK\r\nX: a\x01b\r\n\r\n", HeadError::HeaderValue),
        (b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", HeadError::Nul),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", HeadError::Nul),
        (b"HTTP/1.1 200 O\rK\r\n\r\n", HeadError::StatusLine),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", HeadError::SwitchingProtocols),
        (b"HTTP/1.1 099 Low\r\n\r\n", HeadError::StatusLine),
        (b"HTTP/1.1 20 OK\r\n\r\n", HeadError::StatusLine),
        (b"HTTP/1.1 2000 OK\r\n\r\n", HeadError::StatusLine),
        (b"HTTP/1.1 200OK\r\n\r\n", HeadError::StatusLine),
        (b"HTTP/1.1  200 OK\r\n\r\n", HeadError::StatusLine),
        (b"HTTP/1.2 200 OK\r\n\r\n", HeadError::Version),
        (b"HTTP/2.0 200 OK\r\n\r\n", HeadError::StatusLine),
        (b"http/1.1 200 OK\r\n\r\n", HeadError::StatusLine),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\n", HeadError::StatusLine),
        (b" HTTP/1.1 200 OK\r\n\r\n", HeadError::StatusLine),
        (b"ICY 200 OK\r\n\r\n", HeadError::StatusLine),
        (b"\x15\x03\x01", HeadError::StatusLine),
        (b"<html>", HeadError::StatusLine),
        (many.as_bytes(), HeadError::TooManyHeaders),
        (long.as_bytes(), HeadError::HeadersTooLarge),
        (endless.as_bytes(), HeadError::HeadersTooLarge),
    ];
    for &(bytes, want) in table {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]);
        each_cut(bytes.len(), |ends| {
            assert_eq!(answer(bytes, Method::Get, ends), Err(want), "{shown:?}");
        });
    }
}

#[test]
fn bodies_end_where_they_should() {
    let mut none = BodyDecoder::none();
    assert!(none.is_done() && none.remaining() == Some(0) && none.end_of_input().is_ok());
    assert_eq!(none.decode(b"GET"), Ok(Decoded::default()));
    assert!(BodyDecoder::length(0).is_done());

    let mut length = BodyDecoder::length(5);
    assert_eq!(length.remaining(), Some(5));
    assert_eq!(length.decode(b""), Ok(Decoded::default()));
    assert_eq!(length.decode(b"abc"), Ok(Decoded { consumed: 3, data: 0..3 }));
    assert_eq!(length.remaining(), Some(2));
    assert_eq!(length.end_of_input(), Err(BodyError::Truncated));
    assert_eq!(length.decode(b"deGET"), Ok(Decoded { consumed: 2, data: 0..2 }));
    assert!(length.is_done() && length.end_of_input().is_ok());

    let mut close = BodyDecoder::until_close();
    assert_eq!(close.decode(b"abc"), Ok(Decoded { consumed: 3, data: 0..3 }));
    assert!(!close.is_done() && close.remaining().is_none());
    assert!(close.end_of_input().is_ok() && close.is_done());

    let mut chunked = BodyDecoder::chunked();
    // Framing before and behind a piece goes with it, so one call often is enough.
    assert_eq!(chunked.decode(b"3\r\nabc\r\n2\r\nde"), Ok(Decoded { consumed: 11, data: 3..6 }));
    assert_eq!(chunked.end_of_input(), Err(BodyError::Truncated));
    assert_eq!(chunked.decode(b"de\r\n0\r\n\r\nGET"), Ok(Decoded { consumed: 9, data: 0..2 }));
    assert!(chunked.is_done() && chunked.end_of_input().is_ok());

    let huge = BodyDecoder::length(u64::MAX).decode(b"abc");
    assert_eq!(huge, Ok(Decoded { consumed: 3, data: 0..3 }));
    let mut large = BodyDecoder::chunked();
    assert_eq!(large.decode(b"7fffffffffffffff\r\na"), Ok(Decoded { consumed: 19, data: 18..19 }));
}

#[test]
fn chunk_lines_and_what_is_dropped_are_bounded() {
    let line = |extension: usize| format!("1;{}\r\na\r\n", "e".repeat(extension));
    // "1", ";" and CRLF are part of the line.
    let longest = CHUNK_LINE_BYTES_MAX - 4;
    assert!(fuzz::body_verdict(line(longest).as_bytes(), 7).is_ok());
    assert_eq!(
        fuzz::body_verdict(line(longest + 1).as_bytes(), 7),
        Err(BodyError::ChunkLineTooLong)
    );
    let many = line(longest).repeat(100);
    assert_eq!(fuzz::body_verdict(many.as_bytes(), 7), Err(BodyError::TrailersTooLarge));
}

#[test]
fn no_value_can_end_its_line() {
    let mut list = HeaderList::new();
    assert!(list.push(b"X-A", b"a\r\nX-B: b\0\x7f\tc\x01"));
    assert!(!list.push(b"X\r\nX-C", b"c"));
    assert!(!list.push(b"", b"c"));
    assert!(!list.push(b"X-D:", b"c"));
    assert!(list.push_with(b"X-E", |out| out.extend_from_slice(b"\n\ne")));
    list.push_known(KnownHeader::Other, b"x");
    let mut out = Vec::new();
    list.encode(&mut out);
    assert_eq!(out, b"X-A: a  X-B: b  \tc \r\nX-E:   e\r\n");
    let mut direct = Vec::new();
    assert!(encode::header(&mut direct, b"X-A", b"a\r\nb"));
    assert!(!encode::header(&mut direct, b"X A", b"a"));
    assert_eq!(direct, b"X-A: a  b\r\n");
}

#[test]
fn header_lists_are_searched_changed_and_written() {
    let mut list = HeaderList::new();
    assert!(list.is_empty());
    list.push(b"Content-Type", b"text/plain");
    list.push(b"X-One", b"1");
    list.push(b"x-one", b"2");
    list.push_known(KnownHeader::Date, b"now");
    assert_eq!(list.len(), 4);
    assert_eq!(list.find(KnownHeader::ContentType), Some(&b"text/plain"[..]));
    assert_eq!(list.find_name(b"X-ONE"), Some(&b"1"[..]));
    assert!(list.set(b"content-type", b"application/json"));
    assert!(list.remove_name(b"X-ONE") && !list.remove_name(b"X-ONE"));
    list.push_with(b"X-Two", |out| encode::decimal(out, 2));
    let mut out = Vec::new();
    list.encode(&mut out);
    assert_eq!(out, b"Date: now\r\ncontent-type: application/json\r\nX-Two: 2\r\n");
    assert_eq!(
        list.iter().map(|(name, ..)| name).collect::<Vec<_>>(),
        [&b"Date"[..], b"content-type", b"X-Two"]
    );
    list.retain(|_, _, known| known != KnownHeader::Date);
    assert_eq!(list.find(KnownHeader::Date), None);
    list.clear();
    list.encode(&mut out);
    assert!(list.is_empty() && out.ends_with(b"X-Two: 2\r\n"));
}

#[test]
fn status_lines_and_chunk_heads_are_written_as_they_are_read() {
    let mut out = Vec::new();
    for status in 100..=999 {
        out.clear();
        encode::status_line(&mut out, status);
        let want = format!("HTTP/1.1 {status} {}\r\n", encode::reason(status));
        assert_eq!(out, want.as_bytes());
        if status == 101 {
            continue;
        }
        encode::content_length(&mut out, 7);
        out.extend_from_slice(b"\r\n");
        let mut head = ResponseHead::default();
        assert_eq!(head.parse(&out, Method::Get, &mut HeadScan::default()), Ok(true));
        assert_eq!(head.status, status);
    }
    for (bytes, want) in
        [(1, "1\r\n"), (15, "f\r\n"), (16, "10\r\n"), (255, "ff\r\n"), (65_536, "10000\r\n")]
    {
        out.clear();
        encode::chunk_head(&mut out, bytes);
        assert_eq!(out, want.as_bytes());
    }
}

/// Bytes that look like HTTP more often than random ones do.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => prop::sample::select(vec![
            "GET ", "POST ", "/a?b ", "HTTP/1.1\r\n", "HTTP/1.0\r\n", "HTTP/1.1 200 OK\r\n",
            "Host: h\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "\r\n", "\n",
            "\r", "\0", " ", ":", "X: y\r\n", "http://h/", "Connection: close\r\n", "abc", "3\r\n",
            "0\r\n\r\n", "5;x\r\n", "Expect: 100-continue\r\n", "#", "*", "ä",
        ])
        .prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(word, 0..14).prop_map(|words| words.concat())
}

/// A table's bytes with one byte changed, removed or doubled.
fn mutated(table: Vec<&'static [u8]>) -> impl Strategy<Value = Vec<u8>> {
    (prop::sample::select(table), any::<prop::sample::Index>(), any::<u8>(), 0..3u8).prop_map(
        |(bytes, index, byte, how)| {
            let mut bytes = bytes[..bytes.len().min(400)].to_vec();
            let at = index.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, bytes[at]),
            }
            bytes
        },
    )
}

const GOOD: &[u8] =
    b"POST /a?b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nY: z\r\n\r\n";

fn requests() -> impl Strategy<Value = Vec<u8>> {
    let mut table: Vec<_> = hostile::HOSTILE.iter().map(|case| case.1).collect();
    table.extend(std::iter::repeat_n(GOOD, 60));
    prop_oneof![soup(), mutated(table)]
}

#[test]
fn extensions_may_cost_as_much_as_they_carry_but_not_much_more() {
    let body = |count: usize, payload: &str| {
        let chunk = format!("{:x};name=\"a value\"\r\n{payload}\r\n", payload.len());
        format!("{}0\r\n\r\n", chunk.repeat(count))
    };
    let long = body(10_000, &"x".repeat(20));
    let (payload, _) =
        fuzz::body_verdict(long.as_bytes(), 1_000).expect("more payload than framing");
    assert_eq!(payload.len(), 200_000);
    let flood = body(10_000, "x");
    assert_eq!(fuzz::body_verdict(flood.as_bytes(), 1_000), Err(BodyError::TrailersTooLarge));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn requests_of_any_bytes_hold_the_invariants(bytes in requests()) {
        fuzz::request(&bytes);
    }

    #[test]
    fn answers_of_any_bytes_hold_the_invariants(bytes in prop_oneof![soup(), mutated(vec![
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y\r\n\r\nabc",
        b"HTTP/1.0 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n",
    ])]) {
        fuzz::response(&bytes);
    }

    #[test]
    fn bodies_of_any_bytes_hold_the_invariants(bytes in prop_oneof![
        soup(),
        mutated(vec![b"5\r\nabcde\r\nA;x=y\r\n0123456789\r\n0\r\nX: y\r\n\r\nGET"]),
    ]) {
        fuzz::body(&bytes);
    }

    #[test]
    fn chunked_bodies_come_back_as_they_went(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..600), 0..8),
        step in 1usize..700,
    ) {
        let mut wire = Vec::new();
        for piece in &pieces {
            encode::chunk_head(&mut wire, piece.len() as u64);
            wire.extend_from_slice(piece);
            wire.extend_from_slice(encode::CHUNK_END);
        }
        wire.extend_from_slice(encode::LAST_CHUNK);
        let len = wire.len();
        wire.extend_from_slice(b"GET / HTTP/1.1\r\n");
        prop_assert_eq!(fuzz::body_verdict(&wire, step), Ok((pieces.concat(), Some(len))));
    }

    #[test]
    fn header_names_are_known_in_any_case_and_only_they(
        known in prop::sample::select(KnownHeader::ALL),
        flips in any::<u64>(),
        change in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut name = known.as_str().as_bytes().to_vec();
        for (place, byte) in name.iter_mut().enumerate() {
            if byte.is_ascii_alphabetic() && flips >> place & 1 == 1 {
                *byte ^= 0x20;
            }
        }
        if let Some((place, byte)) = change {
            let place = place.index(name.len());
            name[place] = byte;
        }
        let same = |it: &&KnownHeader| it.as_str().as_bytes().eq_ignore_ascii_case(&name);
        let want = KnownHeader::ALL.iter().find(same).copied().unwrap_or_default();
        prop_assert_eq!(KnownHeader::of(&name), want);
    }

    #[test]
    fn numbers_and_addresses_are_written_as_the_standard_library_writes_them(
        number in any::<u64>(),
        digits in 1u32..=16,
        address in any::<std::net::IpAddr>(),
    ) {
        let mut out = Vec::new();
        encode::hex(&mut out, number, digits);
        let all = format!("{number:016x}");
        prop_assert_eq!(&out, &all.as_bytes()[16 - digits as usize..]);
        out.clear();
        encode::address(&mut out, address);
        prop_assert_eq!(&out, &address.to_string().into_bytes());
        for number in [number, number % 1_000, number % 2_000] {
            out.truncate(3);
            let before = out.len();
            encode::decimal(&mut out, number);
            prop_assert_eq!(&out[before..], number.to_string().into_bytes());
        }
    }

    #[test]
    fn header_lists_of_any_values_are_read_back_with_as_many_fields(
        fields in prop::collection::vec(
            ("[A-Za-z-]{1,20}", prop::collection::vec(any::<u8>(), 0..40)), 0..20,
        ),
    ) {
        let mut list = HeaderList::new();
        for (name, value) in &fields {
            list.push(format!("x{name}").as_bytes(), value);
        }
        let mut wire = b"HTTP/1.1 200 OK\r\n".to_vec();
        list.encode(&mut wire);
        wire.extend_from_slice(b"\r\n");
        let mut head = ResponseHead::default();
        prop_assert_eq!(head.parse(&wire, Method::Get, &mut HeadScan::default()), Ok(true));
        prop_assert_eq!(head.headers.len(), fields.len());
        prop_assert_eq!(head.len as usize, wire.len());
    }
}
