//! What happens to a payload on its way: text and bytes, Base64, compression.
//!
//! Compression takes place after mapping and only where the API sets a smallest size, the client
//! asks for it and the answer has no coding yet. A request's coding is undone before mapping, and
//! what comes out is bounded like any body that is held whole, so that a small one cannot fill the memory.
//! Both go step by step with pauses between, in which the shard serves others.
//!
//! Source: facts, rest-api sections 13 and 14, aws-recorded section 28; RFC 9110 section 12.5.3.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::error::GatewayError;
use super::exchange::{Exchange, ResponseBody};
use crate::deploy::{CompiledResponse, CompiledStage, Template};
use crate::http::{HeaderList, KnownHeader};
use crate::limits::CODING_TURN_BYTES;
use crate::model::ContentHandling;

/// A content coding that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950; many clients send RFC 1951 under this name, and that is taken too.
    Deflate,
}

impl Coding {
    /// Its name in headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    fn named(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") {
            Some(Self::Gzip)
        } else if name.eq_ignore_ascii_case(b"deflate") {
            Some(Self::Deflate)
        } else {
            None
        }
    }

    /// The coding to undo of a request with this `Content-Encoding`; `None`: there is none.
    ///
    /// # Errors
    /// [`GatewayError::UnsupportedMediaType`]: a coding that we do not know, or more than one.
    pub fn of_request(content_encoding: Option<&[u8]>) -> Result<Option<Self>, GatewayError> {
        match content_encoding.map(<[u8]>::trim_ascii) {
            None | Some(b"") => Ok(None),
            Some(name) if name.eq_ignore_ascii_case(b"identity") => Ok(None),
            Some(name) => Self::named(name).map(Some).ok_or(GatewayError::UnsupportedMediaType),
        }
    }

    /// The client's first choice if it is one of ours. `*` alone, `identity` first, or no header: none.
    pub fn wanted(accept_encoding: Option<&[u8]>) -> Option<Self> {
        let mut best: Option<(u32, Option<Self>)> = None;
        for item in accept_encoding?.split(|&byte| byte == b',') {
            let mut parts = item.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let quality = parts
                .find_map(|part| part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q=")))
                .map_or(1_000, thousandths);
            if name.is_empty() || quality == 0 {
                continue;
            }
            if best.is_none_or(|(other, _)| quality > other) {
                best = Some((quality, Self::named(name)));
            }
        }
        best?.1
    }
}

/// A quality value in thousandths; what is none counts as 0 (RFC 9110 section 12.4.2).
fn thousandths(text: &[u8]) -> u32 {
    let text = text.trim_ascii();
    let (whole, fraction) = match memchr::memchr(b'.', text) {
        Some(dot) => (&text[..dot], &text[dot + 1..]),
        None => (text, &[][..]),
    };
    if fraction.len() > 3 || !fraction.iter().all(u8::is_ascii_digit) {
        return 0;
    }
    let digits = fraction.iter().chain(b"000").take(3);
    let fraction = digits.fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0'));
    match whole {
        b"1" => 1_000,
        b"0" => fraction,
        _ => 0,
    }
}

/// How much may go into or come out of a coder in one step, bytes.
const STEP_BYTES: usize = 16 * crate::limits::KIB;

/// Undoes a request's coding in place, with a `pause` after each [`CODING_TURN_BYTES`].
///
/// # Errors
/// [`GatewayError::PayloadTooLarge`]: more than `limit` bytes come out.
/// [`GatewayError::UnsupportedMediaType`]: the body is not what its coding says.
pub async fn decompress(
    body: &mut Vec<u8>,
    coding: Coding,
    limit: u64,
    pause: impl AsyncFn(),
) -> Result<(), GatewayError> {
    if body.is_empty() {
        return Ok(());
    }
    let plain = match coding {
        Coding::Gzip => inflate(body, Decompress::new_gzip(15), limit, &pause).await?,
        Coding::Deflate => match inflate(body, Decompress::new(true), limit, &pause).await {
            Err(GatewayError::UnsupportedMediaType) => {
                inflate(body, Decompress::new(false), limit, &pause).await?
            }
            other => other?,
        },
    };
    *body = plain;
    Ok(())
}

/// Counts what a coder has done since the last pause.
#[derive(Default)]
struct Turn {
    began_at: u64,
}

impl Turn {
    /// `done`: bytes in and out so far.
    async fn pause_if_over(&mut self, done: u64, pause: &impl AsyncFn()) {
        if done - self.began_at >= CODING_TURN_BYTES {
            self.began_at = done;
            pause().await;
        }
    }
}

async fn inflate(
    input: &[u8],
    mut decoder: Decompress,
    limit: u64,
    pause: &impl AsyncFn(),
) -> Result<Vec<u8>, GatewayError> {
    let mut out = Vec::new();
    // Not into `out` at once: what it has room for grows with it, and so would a step.
    let mut turn = Turn::default();
    loop {
        let (taken, given) = (decoder.total_in(), decoder.total_out());
        turn.pause_if_over(taken + given, pause).await;
        let rest = usize::try_from(taken).ok().and_then(|taken| input.get(taken..));
        // Not into all the room there is: a vector that has doubled has room for megabytes.
        let start = out.len();
        out.resize(start + STEP_BYTES, 0);
        let status = decoder
            .decompress(rest.unwrap_or_default(), &mut out[start..], FlushDecompress::None)
            .map_err(|_| GatewayError::UnsupportedMediaType)?;
        let made = usize::try_from(decoder.total_out() - given).unwrap_or(0);
        out.truncate(start + made);
        if out.len() as u64 > limit {
            return Err(GatewayError::PayloadTooLarge { limit });
        }
        match status {
            // What follows the end would be read differently by different decoders.
            Status::StreamEnd if decoder.total_in() == input.len() as u64 => return Ok(out),
            Status::StreamEnd => return Err(GatewayError::UnsupportedMediaType),
            // Nothing goes in and nothing comes out: the body is cut off.
            _ if (taken, given) == (decoder.total_in(), decoder.total_out()) => {
                return Err(GatewayError::UnsupportedMediaType);
            }
            _ => {}
        }
    }
}

/// Whether the client's answer is to be compressed if it is large enough; `has_coding`: the answer
/// is coded already.
pub fn wants_compression(stage: &CompiledStage, exchange: &Exchange, has_coding: bool) -> bool {
    stage.minimum_compression_size.is_some()
        && !has_coding
        && Coding::wanted(exchange.head.find(&exchange.head_bytes, KnownHeader::AcceptEncoding))
            .is_some()
}

/// How the finished answer is to be compressed; `None`: API or client do not want it, or it is too small,
/// coded already, or streamed.
pub fn compression(stage: &CompiledStage, exchange: &Exchange) -> Option<Coding> {
    let minimum = stage.minimum_compression_size?;
    // Gateway responses are not mapped bodies.
    if exchange.error_type.is_some() || exchange.error.is_some() {
        return None;
    }
    let accept = exchange.head.find(&exchange.head_bytes, KnownHeader::AcceptEncoding);
    let coding = Coding::wanted(accept)?;
    let (body, headers) = finished(stage, exchange)?;
    let large = !body.is_empty() && body.len() as u64 >= u64::from(minimum);
    (large && headers.find(KnownHeader::ContentEncoding).is_none()).then_some(coding)
}

/// Body and headers of an answer that is there whole.
fn finished<'a>(
    stage: &'a CompiledStage,
    exchange: &'a Exchange,
) -> Option<(&'a [u8], &'a HeaderList)> {
    let response = &exchange.response;
    match response.body {
        ResponseBody::Buffered => Some((&response.buffer, &response.headers)),
        ResponseBody::Constant(index) => {
            let constant = &stage.constants[index as usize];
            Some((&constant.body, &constant.headers))
        }
        ResponseBody::Empty | ResponseBody::Streamed(_) => None,
    }
}

/// Compresses the finished answer, with a `pause` after each [`CODING_TURN_BYTES`].
pub async fn compress_response(
    stage: &CompiledStage,
    exchange: &mut Exchange,
    coding: Coding,
    pause: impl AsyncFn(),
) {
    let Some((body, _)) = finished(stage, exchange) else { return };
    let Some(packed) = deflate(body, coding, pause).await else { return };
    let response = &mut exchange.response;
    if let ResponseBody::Constant(index) = response.body {
        let constant = &stage.constants[index as usize];
        response.status = constant.status;
        response.headers.clear();
        for (name, value, _) in constant.headers.iter() {
            response.headers.push(name, value);
        }
    }
    response.headers.push_known(KnownHeader::ContentEncoding, coding.as_str().as_bytes());
    response.body = ResponseBody::Buffered;
    response.buffer = packed;
}

/// `None` if the encoder cannot go on, which it can.
async fn deflate(body: &[u8], coding: Coding, pause: impl AsyncFn()) -> Option<Vec<u8>> {
    let mut encoder = match coding {
        Coding::Gzip => Compress::new_gzip(Compression::fast(), 15),
        Coding::Deflate => Compress::new(Compression::fast(), true),
    };
    let mut out = Vec::with_capacity(body.len().min(STEP_BYTES) / 2 + 64);
    let mut turn = Turn::default();
    loop {
        let taken = usize::try_from(encoder.total_in()).ok()?;
        let before = (encoder.total_in(), encoder.total_out());
        turn.pause_if_over(before.0 + before.1, &pause).await;
        // A step takes no more than this: text may shrink to nothing and never fill the output.
        let rest = &body[taken..];
        let step = &rest[..rest.len().min(STEP_BYTES)];
        let last = step.len() == rest.len();
        let flush = if last { FlushCompress::Finish } else { FlushCompress::None };
        match encoder.compress_vec(step, &mut out, flush).ok()? {
            Status::StreamEnd => return Some(out),
            _ if last
                && out.len() < out.capacity()
                && before == (encoder.total_in(), encoder.total_out()) =>
            {
                return None;
            }
            _ => out.reserve(STEP_BYTES),
        }
    }
}

/// What a conversion makes of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Bytes stay as they are.
    Raw,
    /// Text: what is not UTF-8 becomes U+FFFD.
    Text,
    /// Base64 text becomes bytes; what is none breaks the call.
    Decode,
    /// Bytes become Base64 text.
    Encode,
}

impl Conversion {
    /// For a request's body. Source: facts, rest-api section 13, first table.
    pub fn of_request(handling: Option<ContentHandling>, is_binary: bool) -> Self {
        use ContentHandling as H;
        match (is_binary, handling) {
            (false, None | Some(H::ConvertToText)) => Self::Text,
            (false, Some(H::ConvertToBinary)) => Self::Decode,
            (true, None | Some(H::ConvertToBinary)) => Self::Raw,
            (true, Some(H::ConvertToText)) => Self::Encode,
        }
    }

    /// For an answer's body. Source: facts, aws-recorded section 28.2.
    pub fn of_response(
        handling: Option<ContentHandling>,
        is_binary: bool,
        accepts_binary: bool,
    ) -> Self {
        use ContentHandling as H;
        match (handling, is_binary, accepts_binary) {
            (None, false, false) | (Some(H::ConvertToText), false, _) => Self::Text,
            (None, false, true) | (Some(H::ConvertToBinary), false, _) => Self::Decode,
            (None, true, false) | (Some(H::ConvertToText), true, _) => Self::Encode,
            (None, true, true) | (Some(H::ConvertToBinary), true, _) => Self::Raw,
        }
    }

    /// The conversion for an integration's answer to this request.
    pub fn of_answer(
        stage: &CompiledStage,
        selected: &CompiledResponse,
        exchange: &Exchange,
        content_type: Option<&[u8]>,
    ) -> Self {
        let types = &stage.binary_media_types;
        let accept = exchange.head.find(&exchange.head_bytes, KnownHeader::Accept);
        Self::of_response(
            selected.content_handling,
            types.contain(content_type),
            types.contain_first(accept),
        )
    }

    /// Whether bytes come out: no template can take them.
    pub fn makes_bytes(self) -> bool {
        matches!(self, Self::Raw | Self::Decode)
    }

    /// Converts in place.
    ///
    /// # Errors
    /// [`GatewayError::Configuration`]: text that was to be decoded is no Base64.
    pub fn apply(self, body: &mut Vec<u8>) -> Result<(), GatewayError> {
        match self {
            Self::Raw => {}
            Self::Text => replace_invalid_utf8(body),
            Self::Decode => {
                let text = body.trim_ascii();
                let decoded = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text));
                *body = decoded.map_err(|_| NOT_BASE64)?;
            }
            Self::Encode => *body = STANDARD.encode(&*body).into_bytes(),
        }
        Ok(())
    }
}

const NOT_BASE64: GatewayError = GatewayError::Configuration("Unable to base64 decode the body");

/// A template takes no bytes.
pub const BYTES_IN_TEMPLATE: GatewayError =
    GatewayError::Configuration("Unable to transform the body: a template takes no binary payload");

/// Every byte sequence that is not UTF-8 becomes U+FFFD; valid text is not touched.
fn replace_invalid_utf8(body: &mut Vec<u8>) {
    if std::str::from_utf8(body).is_ok() {
        return;
    }
    let text = String::from_utf8_lossy(body).into_owned();
    *body = text.into_bytes();
}

/// Converts a payload, or puts the text of a template that is no program in its place.
///
/// # Errors
/// [`GatewayError::Configuration`]: it is bytes, or no Base64.
pub fn replace(
    template: Option<&Template>,
    conversion: Conversion,
    body: &mut Vec<u8>,
) -> Result<(), GatewayError> {
    match template {
        Some(Template::Literal(_)) if conversion.makes_bytes() => Err(BYTES_IN_TEMPLATE),
        Some(Template::Literal(text)) => {
            body.clear();
            body.extend_from_slice(text);
            Ok(())
        }
        Some(Template::Passthrough | Template::Program(_)) | None => conversion.apply(body),
    }
}

#[cfg(test)]
mod tests {
    use super::super::context::testing::{self, Api, at_once, exchange};
    use super::super::integrate::mock;
    use super::*;
    use crate::deploy::CompiledIntegration;
    use std::io::{Read as _, Write as _};

    #[test]
    fn the_first_choice_of_accept_encoding_counts() {
        for (accept, want) in [
            (Some("gzip"), Some(Coding::Gzip)),
            (Some("GZIP, deflate"), Some(Coding::Gzip)),
            (Some("deflate, gzip;q=0.9"), Some(Coding::Deflate)),
            (Some("gzip;q=0.5, deflate;q=0.8"), Some(Coding::Deflate)),
            (Some("gzip;q=0, deflate"), Some(Coding::Deflate)),
            (Some("gzip;q=0"), None),
            (Some("br, gzip"), None),
            (Some("br;q=0.5, gzip"), Some(Coding::Gzip)),
            (Some("identity, gzip"), None),
            (Some("*"), None),
            (Some(""), None),
            (Some("gzip;q=x"), None),
            (Some("gzip;q=0.0001"), None),
            (None, None),
        ] {
            assert_eq!(Coding::wanted(accept.map(str::as_bytes)), want, "{accept:?}");
        }
        for (encoding, want) in [
            (None, Ok(None)),
            (Some("identity"), Ok(None)),
            (Some("gzip"), Ok(Some(Coding::Gzip))),
            (Some("Deflate"), Ok(Some(Coding::Deflate))),
            (Some("br"), Err(GatewayError::UnsupportedMediaType)),
            (Some("gzip, gzip"), Err(GatewayError::UnsupportedMediaType)),
        ] {
            assert_eq!(Coding::of_request(encoding.map(str::as_bytes)), want, "{encoding:?}");
        }
    }

    async fn no_pause() {}

    fn packed(body: &[u8], coding: Coding) -> Vec<u8> {
        at_once(deflate(body, coding, no_pause)).unwrap()
    }

    fn unpack(body: &mut Vec<u8>, coding: Coding, limit: Option<u64>) -> Result<(), GatewayError> {
        at_once(decompress(body, coding, limit.unwrap_or(u64::MAX), no_pause))
    }

    #[test]
    fn coding_pauses_by_what_goes_in_and_by_what_comes_out() {
        let turns = std::cell::Cell::new(0_u64);
        let pause = async || turns.set(turns.get() + 1);
        for body in [
            vec![0; 16 << 20],
            (0..16_u32 << 20).map(|it| (it.wrapping_mul(it) >> 7) as u8).collect(),
        ] {
            let packed = at_once(deflate(&body, Coding::Gzip, pause)).unwrap();
            let work = (body.len() + packed.len()) as u64;
            // A turn ends with the step that fills it.
            let least = work / (CODING_TURN_BYTES + 2 * STEP_BYTES as u64) - 1;
            assert!(turns.get() >= least, "{} turns for {work} bytes", turns.get());
            turns.set(0);
            let mut unpacked = packed;
            at_once(decompress(&mut unpacked, Coding::Gzip, u64::MAX, pause)).unwrap();
            assert!(unpacked == body);
            assert!(turns.get() >= least / 2, "{} turns for {work} bytes", turns.get());
            turns.set(0);
        }
    }

    #[test]
    fn requests_are_decompressed_within_the_limit() {
        let plain = b"hello ".repeat(10_000);
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(&plain).unwrap();
        for (coded, coding) in [
            (packed(&plain, Coding::Gzip), Coding::Gzip),
            (packed(&plain, Coding::Deflate), Coding::Deflate),
            (raw.finish().unwrap(), Coding::Deflate),
        ] {
            let mut body = coded.clone();
            assert_eq!(unpack(&mut body, coding, Some(60_000)), Ok(()));
            assert!(body == plain);
            let mut body = coded.clone();
            assert_eq!(
                unpack(&mut body, coding, Some(59_999)),
                Err(GatewayError::PayloadTooLarge { limit: 59_999 })
            );
            for broken in [
                coded[..coded.len() - 1].to_vec(),
                [&coded[..], b"x"].concat(),
                b"plain text".to_vec(),
            ] {
                let mut body = broken;
                assert_eq!(
                    unpack(&mut body, coding, None),
                    Err(GatewayError::UnsupportedMediaType)
                );
            }
        }
        let mut bomb = packed(&vec![0; 8 << 20], Coding::Gzip);
        let held = GatewayError::PayloadTooLarge { limit: 100_000 };
        assert_eq!(unpack(&mut bomb, Coding::Gzip, Some(100_000)), Err(held));
        assert_eq!(unpack(&mut Vec::new(), Coding::Gzip, None), Ok(()));
    }

    #[test]
    fn payloads_are_converted_as_recorded() {
        use ContentHandling::{ConvertToBinary as B, ConvertToText as T};
        use Conversion as C;
        for (handling, payload, accept, want) in [
            (None, false, true, C::Decode),
            (None, true, true, C::Raw),
            (None, false, false, C::Text),
            (None, true, false, C::Encode),
            (Some(T), false, false, C::Text),
            (Some(T), false, true, C::Text),
            (Some(T), true, false, C::Encode),
            (Some(T), true, true, C::Encode),
            (Some(B), false, false, C::Decode),
            (Some(B), false, true, C::Decode),
            (Some(B), true, false, C::Raw),
            (Some(B), true, true, C::Raw),
        ] {
            assert_eq!(Conversion::of_response(handling, payload, accept), want);
        }
        for (handling, payload, want) in [
            (None, false, C::Text),
            (Some(T), false, C::Text),
            (Some(B), false, C::Decode),
            (None, true, C::Raw),
            (Some(B), true, C::Raw),
            (Some(T), true, C::Encode),
        ] {
            assert_eq!(Conversion::of_request(handling, payload), want);
        }
        for (conversion, input, want) in [
            (C::Text, &b"\x1f\x8b\x08\x00"[..], Some("\x1f\u{fffd}\x08\x00".as_bytes())),
            (C::Text, b"\xff\x4b", Some("\u{fffd}K".as_bytes())),
            (C::Text, b"\xce\xcf-", Some("\u{fffd}\u{fffd}-".as_bytes())),
            (C::Text, b"\xd3\xb5", Some(b"\xd3\xb5")),
            (C::Decode, b"aGVsbG8=", Some(b"hello")),
            (C::Decode, b"aGVsbG8", Some(b"hello")),
            (C::Decode, b"plain text", None),
            (C::Decode, b"", Some(b"")),
            (C::Encode, b"hello", Some(b"aGVsbG8=")),
            (C::Raw, b"\xff", Some(b"\xff")),
        ] {
            let mut body = input.to_vec();
            let result = conversion.apply(&mut body).ok().map(|()| &body[..]);
            assert_eq!(result, want, "{conversion:?} of {input:?}");
        }
    }

    #[test]
    fn answers_are_compressed_where_api_and_client_want_it() {
        let text = "x".repeat(100);
        let mut api = Api::new().mock("GET", "/").change("GET", "/", |integration| {
            let template = [("text/plain".to_owned(), text.clone())];
            integration.responses[0].response_templates = template.into();
        });
        for (minimum, accept, want) in [
            (Some(100), "gzip", Some("gzip")),
            (Some(0), "deflate", Some("deflate")),
            (Some(101), "gzip", None),
            (None, "gzip", None),
            (Some(0), "*", None),
        ] {
            api.model.minimum_compression_size = minimum;
            let stage = api.stage();
            let mut exchange = exchange(&format!(
                "GET /dev HTTP/1.1\r\nHost: h\r\nAccept-Encoding: {accept}\r\n\r\n"
            ));
            let method = testing::route(&stage, &mut exchange).unwrap();
            let CompiledIntegration::Mock(mock) = &method.integration else { panic!() };
            mock::respond(&stage, method, mock, &mut exchange, &mut Default::default()).unwrap();
            if let Some(coding) = compression(&stage, &exchange) {
                at_once(compress_response(&stage, &mut exchange, coding, no_pause));
            }
            let response = &exchange.response;
            let Some(coding) = want else {
                assert!(matches!(response.body, ResponseBody::Constant(_)), "{minimum:?} {accept}");
                continue;
            };
            assert_eq!(response.body, ResponseBody::Buffered);
            assert_eq!(response.status, 200);
            assert_eq!(
                response.headers.find(KnownHeader::ContentEncoding),
                Some(coding.as_bytes())
            );
            let mut plain = String::new();
            match coding {
                "gzip" => {
                    flate2::read::GzDecoder::new(&response.buffer[..]).read_to_string(&mut plain)
                }
                _ => {
                    flate2::read::ZlibDecoder::new(&response.buffer[..]).read_to_string(&mut plain)
                }
            }
            .unwrap();
            assert_eq!(plain, text);
        }
    }
}
