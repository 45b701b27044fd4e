//! As much HTTP/1.1 as a load generator needs: where a head ends, its status and its length.

use std::io;

/// The longest head anyone sends here, bytes.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What a head says about what follows it.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the head with its empty line.
    pub bytes: usize,
    /// Status of an answer, 0 for a request.
    pub status: u16,
    /// `Content-Length`, 0 when there is none.
    pub body_bytes: u64,
}

/// Parses a head at the start of `input`; `None` while it is not whole.
///
/// # Errors
/// `InvalidData` for a head that is too long, chunked, or has a bad status or length.
pub fn parse_head(input: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if input.len() < HEAD_BYTES_MAX {
            Ok(None)
        } else {
            Err(bad("the head is too long"))
        };
    };
    let mut lines = input[..end].split(|&byte| byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let status = match first.strip_prefix(b"HTTP/1.") {
        Some(rest) => number(rest.get(2..5).unwrap_or_default())? as u16,
        None => 0,
    };
    let mut body_bytes = 0;
    for line in lines {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            body_bytes = number(value)?;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return Err(bad("a chunked body is not understood here"));
        }
    }
    Ok(Some(Head { bytes: end + 4, status, body_bytes }))
}

fn number(digits: &[u8]) -> io::Result<u64> {
    let text = std::str::from_utf8(digits).map_err(|_| bad("a number is not ASCII"))?;
    text.parse().map_err(|_| bad("a status or Content-Length is no number"))
}

fn bad(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_needs_its_empty_line() {
        let whole = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 12\r\n\r\nbody";
        for end in 0..whole.len() - 4 {
            assert_eq!(parse_head(&whole[..end]).unwrap(), None, "first {end} bytes");
        }
        let head = Head { bytes: whole.len() - 4, status: 429, body_bytes: 12 };
        assert_eq!(parse_head(whole).unwrap(), Some(head));
    }

    #[test]
    fn request_head_has_no_status() {
        let head = parse_head(b"POST / HTTP/1.1\r\nContent-Length:7\r\n\r\n").unwrap().unwrap();
        assert_eq!((head.status, head.body_bytes), (0, 7));
    }

    #[test]
    fn chunked_and_garbage_are_errors() {
        assert!(parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(parse_head(b"HTTP/1.1 2x0 OK\r\n\r\n").is_err());
        assert!(parse_head(&[b'a'; HEAD_BYTES_MAX]).is_err());
    }
}
