//! The trace header, `X-Amzn-Trace-Id`: kept, completed or made.
//!
//! Source: facts, aws-recorded section 20: a header with root, parent and sampled flag is kept as it
//! is, a bare root gets a parent, and without a header a root is made.

use super::super::exchange::Exchange;
use crate::http::{KnownHeader, encode};

/// Longest header that is kept; ours: no trace has more than about 100 bytes.
const KEPT_BYTES_MAX: usize = 512;

/// Value of `Root`.
pub fn root(trace: &[u8]) -> Option<&[u8]> {
    part(trace, b"Root=")
}

fn part<'a>(trace: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut parts = trace.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    parts.find_map(|part| part.strip_prefix(name)).filter(|value| !value.is_empty())
}

/// Fills `exchange.trace` unless it is filled.
pub fn prepare(exchange: &mut Exchange) {
    if !exchange.trace.is_empty() {
        return;
    }
    let Exchange { head, head_bytes, trace, received_wall, .. } = exchange;
    let given = head.find(head_bytes, KnownHeader::XAmznTraceId);
    match given.filter(|it| it.len() <= KEPT_BYTES_MAX && root(it).is_some()) {
        Some(given) => {
            trace.extend_from_slice(given);
            if part(given, b"Parent=").is_none() {
                trace.extend_from_slice(b";Parent=");
                encode::hex(trace, fastrand::u64(..), 16);
                if part(given, b"Sampled=").is_none() {
                    trace.extend_from_slice(b";Sampled=0");
                }
            }
        }
        None => {
            trace.extend_from_slice(b"Root=1-");
            encode::hex(trace, received_wall.0 / 1_000, 8);
            trace.push(b'-');
            encode::hex(trace, fastrand::u64(..), 8);
            encode::hex(trace, fastrand::u64(..), 16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::exchange;
    use super::*;
    use crate::time::WallMillis;

    #[test]
    fn traces_are_kept_completed_or_made() {
        let root_id = "1-5759e988-bd862e3fe1be46a994272793";
        for (given, want, digits) in [
            (format!("Root={root_id};Parent=53995c3f42cd8ad8;Sampled=1"), None, 0),
            (
                format!("Root={root_id};Sampled=1"),
                Some(format!("Root={root_id};Sampled=1;Parent=")),
                16,
            ),
            (format!("Root={root_id}"), Some(format!("Root={root_id};Parent=")), 16),
            ("Self=1".to_owned(), Some("Root=1-5e5ffe45-".to_owned()), 24),
            (format!("Root={}", "x".repeat(600)), Some("Root=1-5e5ffe45-".to_owned()), 24),
        ] {
            let mut exchange =
                exchange(&format!("GET / HTTP/1.1\r\nHost: h\r\nX-Amzn-Trace-Id: {given}\r\n\r\n"));
            exchange.received_wall = WallMillis(1_583_349_317_999);
            prepare(&mut exchange);
            let trace = String::from_utf8(exchange.trace.clone()).unwrap();
            match want {
                None => assert_eq!(trace, given),
                Some(start) => {
                    let rest = trace.strip_prefix(&start).unwrap_or_else(|| panic!("{trace}"));
                    assert!(rest.trim_end_matches(";Sampled=0").len() >= digits, "{trace}");
                }
            }
            let before = exchange.trace.clone();
            prepare(&mut exchange);
            assert_eq!(exchange.trace, before, "a trace is made once");
        }
    }
}
