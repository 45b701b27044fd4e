//! Header names known at compile time.

/// A header that API Gateway treats specially or that is common, by number instead of by name.
///
/// Generated: the variants, their names, and the number of them come from one list.
macro_rules! known_headers {
    ($($variant:ident $name:literal,)+) => {
        /// A header name that API Gateway treats specially or that is common; everything else is
        /// [`KnownHeader::Other`]. Small enough to index a table of [`KnownHeader::COUNT`] entries.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
        #[repr(u8)]
        pub enum KnownHeader {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
            /// Any other name.
            #[default]
            Other,
        }

        impl KnownHeader {
            /// Every known header, in the order of their numbers; without [`KnownHeader::Other`].
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// How many variants there are, [`KnownHeader::Other`] included.
            pub const COUNT: usize = Self::ALL.len() + 1;
            const NAMES: [&'static str; Self::COUNT] = [$($name,)+ ""];
        }
    };
}

known_headers! {
    Accept "Accept",
    AcceptCharset "Accept-Charset",
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    AccessControlAllowOrigin "Access-Control-Allow-Origin",
    Age "Age",
    Authorization "Authorization",
    CacheControl "Cache-Control",
    Connection "Connection",
    ContentEncoding "Content-Encoding",
    ContentLength "Content-Length",
    ContentMd5 "Content-MD5",
    ContentType "Content-Type",
    Cookie "Cookie",
    Date "Date",
    ETag "ETag",
    Expect "Expect",
    Host "Host",
    KeepAlive "Keep-Alive",
    LastModified "Last-Modified",
    Location "Location",
    MaxForwards "Max-Forwards",
    Origin "Origin",
    Pragma "Pragma",
    ProxyAuthenticate "Proxy-Authenticate",
    ProxyAuthorization "Proxy-Authorization",
    ProxyConnection "Proxy-Connection",
    Range "Range",
    Referer "Referer",
    Server "Server",
    SetCookie "Set-Cookie",
    Te "TE",
    Trailer "Trailer",
    TransferEncoding "Transfer-Encoding",
    Upgrade "Upgrade",
    UserAgent "User-Agent",
    Vary "Vary",
    Via "Via",
    Warn "Warn",
    Warning "Warning",
    WwwAuthenticate "WWW-Authenticate",
    XAmznRequestId "x-amzn-RequestId",
    XAmzApigwId "x-amz-apigw-id",
    XAmznTraceId "X-Amzn-Trace-Id",
    XAmznApigatewayApiId "X-Amzn-Apigateway-Api-Id",
    XAmznErrorType "x-amzn-ErrorType",
    XForwardedFor "X-Forwarded-For",
    XForwardedPort "X-Forwarded-Port",
    XForwardedProto "X-Forwarded-Proto",
    XHttpMethodOverride "X-HTTP-Method-Override",
    XApiKey "X-Api-Key",
}

const SLOTS: usize = 256;

/// Where a name stands in [`TABLE`]: its length, first and last letter (either case) mixed so that
/// no two known names meet. The multipliers were found by trying; the table's building checks them.
const fn slot(name: &[u8]) -> usize {
    let (first, last) = (name[0] | 0x20, name[name.len() - 1] | 0x20);
    (name.len() * MULTIPLIERS[0] + first as usize * MULTIPLIERS[1] + last as usize * MULTIPLIERS[2])
        % SLOTS
}

const MULTIPLIERS: [usize; 3] = [189, 13, 44];

static TABLE: [KnownHeader; SLOTS] = {
    let mut table = [KnownHeader::Other; SLOTS];
    let mut index = 0;
    while index < KnownHeader::ALL.len() {
        let slot = slot(KnownHeader::NAMES[index].as_bytes());
        assert!(matches!(table[slot], KnownHeader::Other), "two names meet: other multipliers");
        table[slot] = KnownHeader::ALL[index];
        index += 1;
    }
    table
};

impl KnownHeader {
    /// The header of this name, in any case of letters. One table look-up and one comparison.
    #[inline]
    pub fn of(name: &[u8]) -> Self {
        if name.is_empty() {
            return Self::Other;
        }
        let candidate = TABLE[slot(name)];
        if is_same(name, candidate.as_str().as_bytes()) { candidate } else { Self::Other }
    }

    /// Its name as we write it; empty for [`KnownHeader::Other`].
    #[inline]
    pub fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// Whether `name` is `known` in any case of letters, eight bytes at a time: `eq_ignore_ascii_case`, byte by
/// byte, was the larger part of [`KnownHeader::of`].
#[inline]
fn is_same(name: &[u8], known: &[u8]) -> bool {
    if name.len() != known.len() {
        return false;
    }
    if let (Some(end), Some(known_end)) = (name.last_chunk(), known.last_chunk()) {
        let (words, known_words) = (name.as_chunks().0, known.as_chunks().0);
        let mut pairs = words.iter().zip(known_words);
        return is_same_word(end, known_end)
            && pairs.all(|(word, known)| is_same_word(word, known));
    }
    match (ends(name), ends(known)) {
        (Some(word), Some(known)) => is_same_word(&word, &known),
        _ => name.eq_ignore_ascii_case(known),
    }
}

/// First and last four bytes of a name of four to seven.
#[inline]
fn ends(name: &[u8]) -> Option<[u8; 8]> {
    let (first, last) = (name.first_chunk::<4>()?, name.last_chunk::<4>()?);
    let word = u64::from(u32::from_ne_bytes(*first)) << 32 | u64::from(u32::from_ne_bytes(*last));
    Some(word.to_ne_bytes())
}

/// In a known name, which has only letters, digits and `-`, bit 6 of a byte says that it is a letter, and bit 5
/// is its case.
#[inline]
fn is_same_word(word: &[u8; 8], known: &[u8; 8]) -> bool {
    const LETTER: u64 = 0x4040_4040_4040_4040;
    let (word, known) = (u64::from_ne_bytes(*word), u64::from_ne_bytes(*known));
    (word ^ known) & !((known & LETTER) >> 1) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_headers_are_found_in_any_case_and_others_are_not() {
        for &known in KnownHeader::ALL {
            let name = known.as_str();
            assert_eq!(KnownHeader::of(name.as_bytes()), known);
            assert_eq!(KnownHeader::of(name.to_ascii_lowercase().as_bytes()), known);
            assert_eq!(KnownHeader::of(name.to_ascii_uppercase().as_bytes()), known);
            assert_eq!(KnownHeader::of(&name.as_bytes()[1..]), KnownHeader::Other, "{name}");
            assert_eq!(KnownHeader::of(format!("{name}x").as_bytes()), KnownHeader::Other);
            let mut middle = name.as_bytes().to_vec();
            middle[name.len() / 2] ^= 0x80;
            assert_eq!(KnownHeader::of(&middle), KnownHeader::Other, "{name}");
        }
        assert_eq!(KnownHeader::of(b""), KnownHeader::Other);
        // 0x0d | 0x20 is '-': letters only may be folded.
        assert_eq!(KnownHeader::of(b"Content\x0dType"), KnownHeader::Other);
        assert_eq!(KnownHeader::COUNT, KnownHeader::ALL.len() + 1);
    }
}
