//! Entry points for fuzzing: any bytes, and what must hold of them whatever they are.

use std::ops::Range;

use super::{
    BodyDecoder, BodyError, HeadError, HeadLimits, HeadScan, HeaderField, HeaderList, Method,
    RequestHead, ResponseHead, encode,
};

/// Limits of moderate size, so that the passing of each is within a fuzzer's reach.
pub const LIMITS: HeadLimits = HeadLimits { url_bytes: 64, header_bytes: 256, header_count: 8 };

/// Parses a request: no panic, the same verdict for every cut, and what is accepted is sound.
///
/// # Panics
/// If an invariant does not hold.
pub fn request(bytes: &[u8]) {
    let whole = request_verdict(bytes, bytes.len().max(1));
    for step in [1, 2, 3, 7] {
        assert_eq!(request_verdict(bytes, step), whole, "reads of {step} bytes");
    }
    let Ok(Some(len)) = whole else { return };
    let mut head = RequestHead::default();
    let complete = head.parse(bytes, &mut HeadScan::default(), &LIMITS);
    assert_eq!(complete, Ok(true));
    assert_eq!(head.len as usize, len);
    let text = &bytes[..len];
    assert!(text.ends_with(b"\r\n\r\n"));
    assert!(!text.contains(&0));
    // Every LF has its CR and every CR its LF.
    let lines = text.windows(2).filter(|pair| pair == b"\r\n").count();
    assert_eq!(lines, text.iter().filter(|&&byte| byte == b'\r').count());
    assert_eq!(lines, text.iter().filter(|&&byte| byte == b'\n').count());
    assert!(head.path.of(text) == b"*" || head.path.of(text).starts_with(b"/"));
    assert!(head.target.of(text).is_ascii());
    assert!(head.target.of(text).len() <= LIMITS.url_bytes);
    assert!(head.headers.len() <= LIMITS.header_count);
    let lines = written(&head.headers, text);
    let mut again = Vec::new();
    again.extend_from_slice(head.method_name.of(text));
    again.extend_from_slice(b" ");
    again.extend_from_slice(head.target.of(text));
    again.extend_from_slice(match head.version {
        super::Version::Http10 => b" HTTP/1.0\r\n",
        super::Version::Http11 => b" HTTP/1.1\r\n",
    });
    again.extend_from_slice(&lines);
    again.extend_from_slice(b"\r\n");
    let mut second = RequestHead::default();
    let wide = HeadLimits { url_bytes: 4_096, header_bytes: 4_096, header_count: 64 };
    assert_eq!(second.parse(&again, &mut HeadScan::default(), &wide), Ok(true));
    assert_eq!(second.framing, head.framing);
    assert_eq!(second.keep_alive, head.keep_alive);
    assert_eq!(second.path.of(&again), head.path.of(text));
    assert_eq!(second.query.of(&again), head.query.of(text));
    assert_eq!(second.host.of(&again), head.host.of(text));
    assert_eq!(second.headers.len(), head.headers.len());
}

/// The fields as lines; what is passed on unseen must be what is written with care.
fn written(fields: &[HeaderField], head: &[u8]) -> Vec<u8> {
    let (mut list, mut passed) = (HeaderList::new(), HeaderList::new());
    for field in fields {
        assert!(encode::is_token(field.name.of(head)));
        assert!(encode::is_value(field.value.of(head)));
        assert!(list.push(field.name.of(head), field.value.of(head)));
        passed.pass(field, head);
    }
    assert!(passed.iter().eq(list.iter()));
    let (mut lines, mut passed_lines) = (Vec::new(), Vec::new());
    list.encode(&mut lines);
    passed.encode(&mut passed_lines);
    assert_eq!(passed_lines, lines);
    lines
}

/// Verdict on a request that arrives in reads of `step` bytes: its length, or not yet, or why not.
pub fn request_verdict(bytes: &[u8], step: usize) -> Result<Option<usize>, HeadError> {
    let (mut head, mut scan) = (RequestHead::default(), HeadScan::default());
    for seen in cuts(bytes.len(), step) {
        if head.parse(&bytes[..seen], &mut scan, &LIMITS)? {
            return Ok(Some(head.len as usize));
        }
    }
    Ok(None)
}

/// Parses an answer: no panic and the same verdict for every cut.
///
/// # Panics
/// If an invariant does not hold.
pub fn response(bytes: &[u8]) {
    for method in [Method::Get, Method::Head] {
        let whole = response_verdict(bytes, method, bytes.len().max(1));
        for step in [1, 2, 3, 7] {
            assert_eq!(response_verdict(bytes, method, step), whole, "reads of {step} bytes");
        }
        let Ok(Some(len)) = whole else { continue };
        let text = &bytes[..len];
        assert!(text.starts_with(b"HTTP/1.") && text.ends_with(b"\r\n\r\n"));
        assert_eq!(
            text.windows(2).filter(|pair| pair == b"\r\n").count(),
            text.iter().filter(|&&byte| byte == b'\n').count()
        );
        let mut head = ResponseHead::default();
        assert_eq!(head.parse(text, method, &mut HeadScan::default()), Ok(true));
        written(&head.headers, text);
    }
}

/// Verdict on an answer that arrives in reads of `step` bytes.
pub fn response_verdict(
    bytes: &[u8],
    method: Method,
    step: usize,
) -> Result<Option<usize>, HeadError> {
    let (mut head, mut scan) = (ResponseHead::default(), HeadScan::default());
    for seen in cuts(bytes.len(), step) {
        if head.parse(&bytes[..seen], method, &mut scan)? {
            return Ok(Some(head.len as usize));
        }
    }
    Ok(None)
}

/// Decodes a chunked body: no panic, the same payload and verdict for every cut, and what is
/// accepted can be encoded and decoded again.
///
/// # Panics
/// If an invariant does not hold.
pub fn body(bytes: &[u8]) {
    let whole = body_verdict(bytes, bytes.len().max(1));
    for step in [1, 2, 3, 7] {
        assert_eq!(body_verdict(bytes, step), whole, "reads of {step} bytes");
    }
    let Ok((payload, Some(_))) = whole else { return };
    let mut again = Vec::new();
    for piece in payload.chunks(5) {
        encode::chunk_head(&mut again, piece.len() as u64);
        again.extend_from_slice(piece);
        again.extend_from_slice(encode::CHUNK_END);
    }
    again.extend_from_slice(encode::LAST_CHUNK);
    let len = again.len();
    assert_eq!(body_verdict(&again, len), Ok((payload, Some(len))));
}

/// Payload of a chunked body that arrives in reads of `step` bytes, and its length if it is done.
pub fn body_verdict(bytes: &[u8], step: usize) -> Result<(Vec<u8>, Option<usize>), BodyError> {
    let mut decoder = BodyDecoder::chunked();
    let mut payload = Vec::new();
    let mut at = 0;
    for seen in cuts(bytes.len(), step) {
        while at < seen && !decoder.is_done() {
            let decoded = decoder.decode(&bytes[at..seen])?;
            assert!(decoded.consumed > 0, "a decoder that is not done takes what there is");
            assert!(decoded.data.end <= decoded.consumed);
            let Range { start, end } = decoded.data;
            payload.extend_from_slice(&bytes[at + start..at + end]);
            at += decoded.consumed;
        }
    }
    Ok((payload, decoder.is_done().then_some(at)))
}

/// How many bytes have arrived after each read of `step` bytes.
fn cuts(len: usize, step: usize) -> impl Iterator<Item = usize> {
    (1..=len.div_ceil(step)).map(move |read| (read * step).min(len))
}
