//! `format`: what the Java validator accepts, which is what API Gateway's callers meet.
//!
//! | format | as read by | unlike the RFC |
//! | --- | --- | --- |
//! | `date-time` | Joda | seconds end at 59; fractions of up to 12 digits; `+0100` will do |
//! | `email` | `InternetAddress`, strict | a domain of one label will do |
//! | `hostname` | Guava's `InternetDomainName` | `_` and letters of any script; the last label begins with no digit |
//! | `ipv4`, `ipv6` | Guava's `InetAddresses` | |
//! | `uri` | `java.net.URI` | relative references are URIs; so are characters of any script |
//!
//! `InternetAddress` reads some things that nobody calls an address (`Ann <a@b.c>`, comments);
//! those are refused here.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A format that is checked. All others are warned about and accept everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Uri,
}

/// The names of all formats, for whoever asks for another.
pub(super) const NAMES: &str = "date-time, email, hostname, ipv4, ipv6 and uri";

impl Format {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "date-time" => Self::DateTime,
            "email" => Self::Email,
            "hostname" => Self::Hostname,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "uri" => Self::Uri,
            _ => return None,
        })
    }

    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Self::DateTime => is_date_time(text.as_bytes()),
            Self::Email => is_email(text),
            Self::Hostname => is_hostname(text),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Uri => is_uri(text.as_bytes()),
        }
    }

    /// What is said about a text that is not accepted, after the text in quotes.
    pub(super) fn complaint(self) -> &'static str {
        match self {
            Self::DateTime => {
                "is invalid against requested date format(s) [yyyy-MM-dd'T'HH:mm:ssZ, \
                 yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,12}Z]"
            }
            Self::Email => "is not a valid email address",
            Self::Hostname => "is not a valid hostname",
            Self::Ipv4 => "is not a valid IPv4 address",
            Self::Ipv6 => "is not a valid IPv6 address",
            Self::Uri => "is not a valid URI",
        }
    }
}

/// The number that `count` digits at the beginning of `text` are, and what comes after them.
fn number(text: &[u8], count: usize) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let value = digits.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
    })?;
    Some((value, rest))
}

fn is_date_time(text: &[u8]) -> bool {
    let read = || {
        let (year, rest) = number(text, 4)?;
        let (month, rest) = number(rest.strip_prefix(b"-")?, 2)?;
        let (day, rest) = number(rest.strip_prefix(b"-")?, 2)?;
        let [b'T' | b't', rest @ ..] = rest else { return None };
        let (hour, rest) = number(rest, 2)?;
        let (minute, rest) = number(rest.strip_prefix(b":")?, 2)?;
        let (second, mut rest) = number(rest.strip_prefix(b":")?, 2)?;
        if let [b'.', fraction @ ..] = rest {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=12).contains(&digits) {
                return None;
            }
            rest = &fraction[digits..];
        }
        let zone = match rest {
            [b'Z' | b'z'] => true,
            [b'+' | b'-', offset @ ..] => {
                let (hours, rest) = number(offset, 2)?;
                let (minutes, rest) = number(rest.strip_prefix(b":").unwrap_or(rest), 2)?;
                hours <= 23 && minutes <= 59 && rest.is_empty()
            }
            _ => false,
        };
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        Some(zone && (1..=days).contains(&day) && hour <= 23 && minute <= 59 && second <= 59)
    };
    read() == Some(true)
}

/// What nearly all addresses are made of; anything else is looked at character by character.
fn is_plain_email(text: &[u8]) -> bool {
    // Where the part that is being read began, and whether it is the domain's.
    let (mut start, mut domain) = (0, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {}
            b'_' | b'+' if !domain => {}
            b'-' if at > start && text.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) => {}
            b'.' | b'@' if at == start => return false,
            b'.' => start = at + 1,
            b'@' if !domain => (start, domain) = (at + 1, true),
            _ => return false,
        }
    }
    domain && start < text.len()
}

fn is_email(text: &str) -> bool {
    if is_plain_email(text.as_bytes()) {
        return true;
    }
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_valid = match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => {
            let mut escaped = false;
            let plain = quoted.chars().all(|char| {
                let valid = escaped || char != '"';
                escaped = !escaped && char == '\\';
                valid && !char.is_control()
            });
            plain && !escaped
        }
        None => {
            let atom = |part: &str| {
                let special = |char: char| {
                    char.is_control() || char == ' ' || r#"()<>,;:\"[]@"#.contains(char)
                };
                !part.is_empty() && !part.contains(special)
            };
            local.split('.').all(atom)
        }
    };
    let domain_valid = match domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => {
            literal.parse::<Ipv4Addr>().is_ok()
                || literal.strip_prefix("IPv6:").is_some_and(|v6| v6.parse::<Ipv6Addr>().is_ok())
        }
        None => domain.split('.').all(|label| {
            let inside = label.chars().all(|char| char.is_alphanumeric() || char == '-');
            !label.is_empty() && inside && !label.starts_with('-') && !label.ends_with('-')
        }),
    };
    local_valid && domain_valid
}

fn is_hostname(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label_valid = |label: &str| {
        let dash = |char: char| matches!(char, '-' | '_');
        let inside = label.chars().all(|char| char.is_alphanumeric() || dash(char));
        (1..=63).contains(&label.chars().count())
            && inside
            && !label.starts_with(dash)
            && !label.ends_with(dash)
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    name.len() <= 253
        && name.split('.').count() <= 127
        && name.split('.').all(label_valid)
        && !last.starts_with(|char: char| char.is_ascii_digit())
}

/// What stands in a URI as itself or escaped, and what is not ASCII and no blank.
fn uri_characters(mut text: &[u8], extra: &[u8]) -> bool {
    while let [byte, rest @ ..] = text {
        text = match byte {
            b'%' => match rest {
                [a, b, rest @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => rest,
                _ => return false,
            },
            byte if byte.is_ascii_alphanumeric() || *byte >= 0x80 => rest,
            byte if b"-_.!~*'();/?:@&=+$,".contains(byte) || extra.contains(byte) => rest,
            _ => return false,
        };
    }
    true
}

/// `[scheme:]scheme-specific-part[#fragment]`, as `java.net.URI` has it (RFC 2396 with RFC 2732).
fn is_uri(text: &[u8]) -> bool {
    let split = |text: &'_ [u8], at: u8| text.iter().position(|&byte| byte == at);
    let text = match split(text, b'#') {
        Some(at) => {
            if !uri_characters(&text[at + 1..], b"[]") {
                return false;
            }
            &text[..at]
        }
        None => text,
    };
    let ends_scheme = |byte: &u8| matches!(byte, b':' | b'/' | b'?');
    let rest = match text.iter().position(ends_scheme) {
        Some(at) if text[at] == b':' => {
            let valid = text[..at].iter().enumerate().all(|(index, byte)| match byte {
                b'a'..=b'z' | b'A'..=b'Z' => true,
                b'0'..=b'9' | b'+' | b'-' | b'.' => index > 0,
                _ => false,
            });
            let rest = &text[at + 1..];
            if at == 0 || !valid || rest.is_empty() {
                return false;
            }
            // What does not go on with a slash is opaque: it has no parts.
            if rest[0] != b'/' {
                return uri_characters(rest, b"[]");
            }
            rest
        }
        _ => text,
    };
    let (hierarchy, query) = match split(rest, b'?') {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &rest[..0]),
    };
    let path = match hierarchy.strip_prefix(b"//") {
        Some(authority) => {
            let end = split(authority, b'/').unwrap_or(authority.len());
            // `file:///x` has no authority, but then it has a path.
            if (end == 0 && authority.is_empty()) || !is_authority(&authority[..end]) {
                return false;
            }
            &authority[end..]
        }
        None => hierarchy,
    };
    uri_characters(path, b"") && uri_characters(query, b"[]")
}

/// `[user@]host[:port]`; a host in brackets is an address. What is no host is a registry's name.
fn is_authority(authority: &[u8]) -> bool {
    let Some(open) = authority.iter().position(|&byte| byte == b'[') else {
        return uri_characters(authority, b"");
    };
    let Some(close) = authority.iter().position(|&byte| byte == b']') else { return false };
    let user = &authority[..open];
    let (Some(address), port) = (authority.get(open + 1..close), &authority[close + 1..]) else {
        return false;
    };
    let address = str::from_utf8(address).unwrap_or_default();
    let address = address.split_once('%').map_or(address, |(address, _scope)| address);
    (user.is_empty() || user.ends_with(b"@"))
        && uri_characters(user, b"")
        && address.parse::<Ipv6Addr>().is_ok()
        && (port.is_empty() || (port[0] == b':' && port[1..].iter().all(u8::is_ascii_digit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, valid: &[&str], invalid: &[&str]) {
        let format = Format::of(format).unwrap();
        for text in valid {
            assert!(format.accepts(text), "{format:?} {text:?}");
        }
        for text in invalid {
            assert!(!format.accepts(text), "{format:?} {text:?}");
        }
    }

    #[test]
    fn date_times_are_what_joda_reads() {
        check(
            "date-time",
            &[
                "2024-02-29T23:59:59Z",
                "2024-01-31T00:00:00.1+01:00",
                "2024-01-31t00:00:00.123456789012-0800",
                "0000-12-31T00:00:00z",
                "2000-02-29T00:00:00Z",
            ],
            &[
                "",
                "2024-02-30T00:00:00Z",
                "2023-02-29T00:00:00Z",
                "1900-02-29T00:00:00Z",
                "2024-13-01T00:00:00Z",
                "2024-00-01T00:00:00Z",
                "2024-01-00T00:00:00Z",
                "2024-01-01T24:00:00Z",
                "2024-01-01T23:60:00Z",
                "2024-01-01T23:59:60Z",
                "2024-01-01T00:00:00",
                "2024-01-01 00:00:00Z",
                "2024-01-01T00:00:00.Z",
                "2024-01-01T00:00:00.1234567890123Z",
                "2024-01-01T00:00:00+24:00",
                "2024-01-01T00:00:00+01:60",
                "2024-01-01T00:00:00+01",
                "2024-01-01T00:00:00ZZ",
                "24-01-01T00:00:00Z",
                "2024-1-01T00:00:00Z",
                "2024-01-01T0０:00:00Z",
            ],
        );
    }

    #[test]
    fn addresses_and_names() {
        check(
            "email",
            &[
                "a@b",
                "joe.bloggs+x@example.com",
                "\"joe \\\" x\"@example.com",
                "é@exämple.de",
                "a@[127.0.0.1]",
                "a@[IPv6:::1]",
            ],
            &[
                "",
                "a",
                "@b",
                "a@",
                "a b@c",
                "a..b@c",
                ".a@c",
                "a@b..c",
                "a@-b",
                "a@b_c",
                "\"a\"b\"@c",
                "a@[x]",
                "<a@b>",
                "a,b@c",
            ],
        );
        let long = "a".repeat(64);
        let name_long = ["a"; 128].join(".");
        check(
            "hostname",
            &["a", "example.com", "example.com.", "a_b.c-d", "xn--nxasmq6b", "bücher.de", "1.a"],
            &["", ".", "a..b", "-a", "a-", "a.1", "127.0.0.1", "a b", &long, &name_long],
        );
        check(
            "ipv4",
            &["127.0.0.1", "0.0.0.0"],
            &["", "127.0.0", "127.0.0.01", "256.0.0.1", "::1", "1.2.3.4 "],
        );
        check(
            "ipv6",
            &["::1", "::", "2001:db8::1", "::ffff:1.2.3.4"],
            &["", "1.2.3.4", "::1::", "12345::", ":::1"],
        );
    }

    #[test]
    fn uris_are_what_java_reads() {
        check(
            "uri",
            &[
                "http://example.com/a?b=c&d=[1]#e",
                "http://user:pw@example.com:8080/%7Ea",
                "http://[::1]:80/",
                "mailto:a@b.c",
                "urn:isbn:0451450523",
                "/relative/path",
                "relative",
                "",
                "#fragment",
                "http://bücher.de/ä",
                "file:///etc/passwd",
                "//host/path",
            ],
            &[
                "http://exa mple.com",
                "http:",
                ":a",
                "1http://a",
                "http://a/%zz",
                "http://a/<b>",
                "http://a\\b",
                "a^b",
                "http://a/[b]",
                "http://[::1",
                "http://[x]/",
                "http://",
                "ht tp://a",
                "http://a#b#c",
            ],
        );
    }
}
