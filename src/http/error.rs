//! What can be wrong with a head or a body.

use std::fmt;

/// Why a head is refused. The connection it came on is not to be used again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeadError {
    /// More than one empty line, or half of one, before the request.
    EmptyLines,
    /// A line ends in LF without CR.
    BareLineFeed,
    /// A CR that no LF follows.
    BareCarriageReturn,
    /// A NUL byte.
    Nul,
    /// Not `method SP target SP version`.
    RequestLine,
    /// The method is no token.
    Method,
    /// The method is longer than [`METHOD_BYTES_MAX`](super::METHOD_BYTES_MAX).
    MethodTooLong,
    /// `CONNECT`: a gateway is no tunnel.
    Connect,
    /// The target is no path and no `http` URL, or has a fragment, a control or a non-ASCII byte.
    Target,
    /// The target is longer than the limit.
    UrlTooLong,
    /// What stands for the version is none.
    Version,
    /// A version that exists or may exist but is neither 1.0 nor 1.1.
    VersionUnsupported,
    /// A header name is empty, holds a forbidden byte or a space before the colon, or is a fold.
    HeaderName,
    /// A header value holds a control byte.
    HeaderValue,
    /// Names and values together are longer than the limit.
    HeadersTooLarge,
    /// More header fields than the limit.
    TooManyHeaders,
    /// HTTP/1.1 without `Host`.
    HostMissing,
    /// More than one `Host`.
    HostRepeated,
    /// `Host` (or the target's authority) is no host with an optional port.
    Host,
    /// The target names another authority than `Host`.
    HostMismatch,
    /// `Content-Length` is no plain decimal number below 2^63.
    ContentLength,
    /// More than one `Content-Length`.
    ContentLengthRepeated,
    /// `Transfer-Encoding` is something else than one final `chunked`.
    TransferEncoding,
    /// More than one `Transfer-Encoding`.
    TransferEncodingRepeated,
    /// `Transfer-Encoding` in HTTP/1.0.
    TransferEncodingInHttp10,
    /// A coding before `chunked` that we do not decode.
    TransferEncodingUnsupported,
    /// Both `Content-Length` and `Transfer-Encoding`.
    TwoLengths,
    /// An `Expect` other than `100-continue`.
    Expectation,
    /// An answer's first line is not `HTTP/1.x status reason`.
    StatusLine,
    /// An answer switches protocols although nobody asked.
    SwitchingProtocols,
}

impl HeadError {
    /// The status to refuse a request with. Of an answer's head the gateway makes a 502 instead.
    pub fn status(&self) -> u16 {
        match self {
            Self::UrlTooLong => 414,
            Self::Expectation => 417,
            Self::HeadersTooLarge | Self::TooManyHeaders => 431,
            Self::TransferEncodingUnsupported => 501,
            Self::VersionUnsupported => 505,
            Self::EmptyLines
            | Self::BareLineFeed
            | Self::BareCarriageReturn
            | Self::Nul
            | Self::RequestLine
            | Self::Method
            | Self::MethodTooLong
            | Self::Connect
            | Self::Target
            | Self::Version
            | Self::HeaderName
            | Self::HeaderValue
            | Self::HostMissing
            | Self::HostRepeated
            | Self::Host
            | Self::HostMismatch
            | Self::ContentLength
            | Self::ContentLengthRepeated
            | Self::TransferEncoding
            | Self::TransferEncodingRepeated
            | Self::TransferEncodingInHttp10
            | Self::TwoLengths
            | Self::StatusLine
            | Self::SwitchingProtocols => 400,
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyLines => "more than one empty line before the request",
            Self::BareLineFeed => "a line ends in LF without CR",
            Self::BareCarriageReturn => "a CR is not followed by LF",
            Self::Nul => "the head holds a NUL byte",
            Self::RequestLine => "the first line is not 'method target version'",
            Self::Method => "the method is no token",
            Self::MethodTooLong => "the method is longer than 32 bytes",
            Self::Connect => "CONNECT is not served: this is no proxy",
            Self::Target => {
                "the target is no path and no http URL, or holds a fragment or a forbidden byte"
            }
            Self::UrlTooLong => "the target is longer than the limit 'url'",
            Self::Version => "the first line does not end in a protocol version",
            Self::VersionUnsupported => "the protocol version is neither HTTP/1.0 nor HTTP/1.1",
            Self::HeaderName => {
                "a header name is empty or holds a forbidden byte, has a space before its colon, or is a folded line"
            }
            Self::HeaderValue => "a header value holds a control byte",
            Self::HeadersTooLarge => "the headers are longer than the limit 'headers'",
            Self::TooManyHeaders => "there are more headers than the limit 'header-count'",
            Self::HostMissing => "Host is missing",
            Self::HostRepeated => "there is more than one Host",
            Self::Host => "Host is no host name or address with an optional port",
            Self::HostMismatch => "the target names another host than Host",
            Self::ContentLength => "Content-Length is no plain decimal number",
            Self::ContentLengthRepeated => "there is more than one Content-Length",
            Self::TransferEncoding => "Transfer-Encoding is not exactly one final 'chunked'",
            Self::TransferEncodingRepeated => "there is more than one Transfer-Encoding",
            Self::TransferEncodingInHttp10 => "Transfer-Encoding in an HTTP/1.0 message",
            Self::TransferEncodingUnsupported => {
                "Transfer-Encoding names a coding other than 'chunked'"
            }
            Self::TwoLengths => "both Content-Length and Transfer-Encoding",
            Self::Expectation => "Expect is not '100-continue'",
            Self::StatusLine => "the first line is not 'HTTP/1.x status reason'",
            Self::SwitchingProtocols => "the answer switches protocols, which nobody asked for",
        })
    }
}

impl std::error::Error for HeadError {}

impl From<httparse::Error> for HeadError {
    fn from(error: httparse::Error) -> Self {
        match error {
            httparse::Error::HeaderName => Self::HeaderName,
            httparse::Error::HeaderValue => Self::HeaderValue,
            httparse::Error::NewLine => Self::BareCarriageReturn,
            httparse::Error::Status => Self::StatusLine,
            httparse::Error::Token => Self::RequestLine,
            httparse::Error::TooManyHeaders => Self::TooManyHeaders,
            httparse::Error::Version => Self::Version,
        }
    }
}

/// Why a body is refused. What follows on its connection cannot be told from body: close it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyError {
    /// A chunk size is missing, has a sign, a space or another byte that is no hexadecimal digit.
    ChunkSize,
    /// A chunk size that no body can have.
    ChunkSizeTooLarge,
    /// A chunk extension holds a control byte.
    ChunkExtension,
    /// One chunk line is longer than [`CHUNK_LINE_BYTES_MAX`](crate::limits::CHUNK_LINE_BYTES_MAX).
    ChunkLineTooLong,
    /// Chunk data or a line is not followed by CRLF.
    LineEnd,
    /// A trailer is no header field.
    Trailer,
    /// Trailers and chunk extensions of a body together are longer than
    /// [`TRAILER_BYTES_MAX`](crate::limits::TRAILER_BYTES_MAX).
    TrailersTooLarge,
    /// The connection ended inside the body.
    Truncated,
}

impl BodyError {
    /// The status to refuse a request with. Of an answer's body the gateway makes a 502 instead.
    pub fn status(&self) -> u16 {
        match self {
            Self::TrailersTooLarge => 431,
            Self::ChunkSize
            | Self::ChunkSizeTooLarge
            | Self::ChunkExtension
            | Self::ChunkLineTooLong
            | Self::LineEnd
            | Self::Trailer
            | Self::Truncated => 400,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ChunkSize => "a chunk size is no plain hexadecimal number",
            Self::ChunkSizeTooLarge => "a chunk size is larger than any body",
            Self::ChunkExtension => "a chunk extension holds a control byte",
            Self::ChunkLineTooLong => "a chunk line is longer than 256 bytes",
            Self::LineEnd => "chunk data or a chunk line does not end in CRLF",
            Self::Trailer => "a trailer is no header field",
            Self::TrailersTooLarge => "trailers and chunk extensions are longer than 8 KiB",
            Self::Truncated => "the connection ended inside the body",
        })
    }
}

impl std::error::Error for BodyError {}
