//! The ids that every answer carries: unique, not secret.

use crate::gateway::RequestIds;
use crate::http::encode;

/// Makes ids from a generator seeded by the system; a system call per request would cost 0.4 us.
pub(super) struct IdSource(fastrand::Rng);

impl IdSource {
    pub(super) fn new() -> Self {
        Self(fastrand::Rng::new())
    }

    /// A random UUID (RFC 9562 section 5.4), and fifteen Base64 characters with `=` at the end.
    pub(super) fn next(&mut self) -> RequestIds {
        const BASE64: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        // Version 4 and variant 10 in their places.
        let high = self.0.u64(..) & !0xF000 | 0x4000;
        let low = self.0.u64(..) & !(0b11 << 62) | 0b10 << 62;
        let (high, low) = (encode::hex_digits(high), encode::hex_digits(low));
        let mut request_id = [b'-'; 36];
        request_id[..8].copy_from_slice(&high[..8]);
        request_id[9..13].copy_from_slice(&high[8..12]);
        request_id[14..18].copy_from_slice(&high[12..]);
        request_id[19..23].copy_from_slice(&low[..4]);
        request_id[24..].copy_from_slice(&low[4..]);
        let mut extended_request_id = [b'='; 16];
        let (first, second) = extended_request_id[..15].split_at_mut(8);
        for half in [first, second] {
            let mut bits = self.0.u64(..);
            for place in half {
                *place = BASE64[(bits & 63) as usize];
                bits >>= 6;
            }
        }
        RequestIds { request_id, extended_request_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_form_of_a_uuid_and_of_aws_extended_id() {
        let mut ids = IdSource::new();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1_000 {
            let RequestIds { request_id, extended_request_id } = ids.next();
            let text = std::str::from_utf8(&request_id).unwrap();
            assert_eq!(
                text.split('-').map(str::len).collect::<Vec<_>>(),
                [8, 4, 4, 4, 12],
                "{text}"
            );
            assert_eq!(&text[14..15], "4", "{text}");
            assert!("89ab".contains(&text[19..20]), "{text}");
            assert!(text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()));
            assert_eq!(extended_request_id[15], b'=');
            assert!(seen.insert((request_id, extended_request_id)));
        }
    }
}
