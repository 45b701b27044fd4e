//! Maps as Java prints them, secrets hidden; and the headers of an answer as AWS tells them.

use crate::deploy::CompiledStage;
use crate::gateway::secret::mask;
use crate::gateway::{Exchange, ResponseBody};
use crate::http::KnownHeader;
use crate::limits::EXECUTION_LOG_LINE_BYTES_MAX;

/// Names and values on their way into a line, each name once, in the order in which they came first.
#[derive(Default)]
pub(super) struct JavaMap {
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
}

impl JavaMap {
    fn entry(&mut self, name: &[u8], is: impl Fn(&[u8]) -> bool) -> Option<&mut Vec<u8>> {
        let place = self.entries.iter().position(|(other, _)| is(other)).or_else(|| {
            // What stands behind the line's end need not be kept.
            (self.bytes <= EXECUTION_LOG_LINE_BYTES_MAX).then(|| {
                self.bytes += name.len() + ", =".len();
                self.entries.push((name.to_vec(), Vec::new()));
                self.entries.len() - 1
            })
        })?;
        Some(&mut self.entries[place].1)
    }

    /// A parameter: the last value of a name counts.
    pub(super) fn parameter(&mut self, name: &[u8], value: impl Iterator<Item = u8>) {
        if let Some(entry) = self.entry(name, |other| other == name) {
            entry.clear();
            entry.extend(value);
        }
    }

    /// A header: several values of a name stand together.
    pub(super) fn header(&mut self, name: &[u8], value: &[u8]) {
        let secret = is_secret(name);
        if let Some(entry) = self.entry(name, |other| other.eq_ignore_ascii_case(name)) {
            if !entry.is_empty() {
                entry.push(b',');
            }
            match secret {
                true => mask(value, entry),
                false => entry.extend_from_slice(value),
            }
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (index, (name, value)) in self.entries.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(name);
            out.push(b'=');
            out.extend_from_slice(value);
        }
        out.push(b'}');
    }
}

fn is_secret(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"authorization") || name.eq_ignore_ascii_case(b"x-api-key")
}

/// Names and values of an answer's headers as a test invocation has them: the trace first, the content
/// type last, nothing that a connection adds. Of a gateway response only what tells of the error: AWS
/// leaves out its `Content-Type` where it is JSON.
pub fn answer_headers(stage: &CompiledStage, exchange: &Exchange) -> Vec<(Vec<u8>, Vec<u8>)> {
    const JSON: &[u8] = b"application/json";
    let list = match exchange.response.body {
        ResponseBody::Constant(index) => &stage.constants[index as usize].headers,
        _ => &exchange.response.headers,
    };
    let is_refused = exchange.error.is_some();
    let mut headers: Vec<_> = list
        .iter()
        .filter(|(_, value, known)| {
            !(is_refused && *known == KnownHeader::ContentType && *value == JSON)
        })
        .map(|(name, value, known)| (name.to_vec(), value.to_vec(), known))
        .collect();
    if !is_refused && list.find(KnownHeader::ContentType).is_none() {
        let known = KnownHeader::ContentType;
        headers.push((known.as_str().as_bytes().to_vec(), JSON.to_vec(), known));
    }
    headers.sort_by_key(|(_, _, known)| match known {
        KnownHeader::XAmznTraceId => 0,
        KnownHeader::ContentType => 2,
        _ => 1,
    });
    headers.into_iter().map(|(name, value, _)| (name, value)).collect()
}
