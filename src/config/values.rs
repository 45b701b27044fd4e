//! Texts of values, as files, variables and flags have them alike.

use std::io::Read;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use crate::control::log_writer::LogDestination;
use crate::limits;
use crate::model::ThrottleSettings;
use crate::telemetry::AccessLogFormat;

/// Longest configuration file, bytes. Ours: a hundred times what all keys need.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// More than any machine has CPUs is a slip of the finger.
const SHARDS_MAX: usize = 1_024;
/// The admin API's bodies are held in memory: bounds of `admin.max_body`.
const MAX_BODY_BYTES: std::ops::RangeInclusive<u64> = (64 << 10)..=(1 << 30);

/// Reads a configuration file.
pub(super) fn read_bounded(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("is longer than {FILE_BYTES_MAX} bytes: that is no configuration"));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}

/// Reads `HOST:PORT`: an address, or a name that the system resolves (its first address is taken). IPv6
/// addresses stand in brackets.
///
/// # Errors
/// A sentence that says what would be right.
pub fn parse_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address);
    }
    let help = "write HOST:PORT, for example 127.0.0.1:8080, 0.0.0.0:80 or [::]:8080";
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(format!("'{text}' has no port; {help}"));
    };
    if host.is_empty() || host.contains(':') || host.contains('[') {
        return Err(format!("'{text}' is no address; {help}"));
    }
    let port: u16 = port
        .parse()
        .map_err(|_| format!("'{port}' in '{text}' is no port from 0 to 65535; {help}"))?;
    (host, port).to_socket_addrs().ok().and_then(|mut addresses| addresses.next()).ok_or_else(
        || format!("'{host}' in '{text}' is no address and no name the system knows; {help}"),
    )
}

/// Reads a number of shards.
///
/// # Errors
/// A sentence that says what would be right.
pub fn shards(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=SHARDS_MAX).contains(count))
        .ok_or_else(|| format!("write a number from 1 to {SHARDS_MAX}"))
}

/// Reads `RATE:BURST` or `off`.
///
/// # Errors
/// A sentence that says what would be right.
pub fn account_throttle(text: &str) -> Result<Option<ThrottleSettings>, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let help = "write RATE:BURST (requests a second : tokens), for example 10000:5000, or off";
    let (rate, burst) = text.split_once(':').ok_or_else(|| help.to_owned())?;
    let rate_limit = rate
        .parse::<f64>()
        .ok()
        .filter(|rate| rate.is_finite() && *rate > 0.0)
        .ok_or_else(|| format!("'{rate}' is no rate above 0; {help}"))?;
    let burst_limit = burst
        .parse::<u32>()
        .ok()
        .filter(|&burst| burst > 0)
        .ok_or_else(|| format!("'{burst}' is no burst of 1 or more; {help}"))?;
    Ok(Some(ThrottleSettings { rate_limit, burst_limit }))
}

/// Reads where an access log goes: a file, `-` for standard output, or `off`.
///
/// # Errors
/// It is empty.
pub fn access_log(text: &str) -> Result<Option<LogDestination>, String> {
    match text {
        "-" => Ok(Some(LogDestination::Stdout)),
        off if off.eq_ignore_ascii_case("off") => Ok(None),
        file => Ok(Some(LogDestination::File(path(file)?))),
    }
}

/// Reads an access log's format: a preset by its name, or one of the user's own.
///
/// # Errors
/// A sentence that says what would be right.
pub fn access_log_format(text: &str) -> Result<AccessLogFormat, String> {
    if let Some(preset) = AccessLogFormat::preset(text) {
        return Ok(preset);
    }
    if !text.contains('$') {
        let names = AccessLogFormat::PRESET_NAMES.join(", ");
        return Err(format!(
            "there is no preset '{text}'; there are {names}, and a format of your own has $context \
             variables"
        ));
    }
    AccessLogFormat::parse(text).map_err(|error| error.to_string())
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') {
        return Err("write a path".to_owned());
    }
    Ok(PathBuf::from(text))
}

/// RFC 1123 names: labels of letters, digits and inner hyphens.
pub(super) fn host_suffix(text: &str) -> Result<String, String> {
    let good_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // `{apiId}.execute-api.` comes before it, and 253 is the longest name.
    if text.len() > 200 || !text.split('.').all(good_label) {
        return Err(format!(
            "'{text}' is no host name; write one without a port, for example localhost or \
             api.example.com"
        ));
    }
    Ok(text.to_ascii_lowercase())
}

pub(super) fn max_body(text: &str) -> Result<u64, String> {
    let bytes = limits::parse_size(text)?;
    if !MAX_BODY_BYTES.contains(&bytes) {
        return Err(format!("'{text}' is not between 64KiB and 1GiB"));
    }
    Ok(bytes)
}

pub(super) fn region(text: &str) -> Result<String, String> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=32).contains(&text.len()) || !text.bytes().all(good) {
        return Err(format!(
            "'{text}' is no region: 1 to 32 lower-case letters, digits and hyphens, for example \
             us-east-1"
        ));
    }
    Ok(text.to_owned())
}

pub(super) fn account_id(text: &str) -> Result<String, String> {
    if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("'{text}' is no account id: it has twelve digits"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_what_would_be_right() {
        for (text, want) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]:0", "[::1]:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
        ] {
            assert_eq!(parse_address(text).unwrap().to_string(), want);
        }
        assert_eq!(parse_address("localhost:81").unwrap().port(), 81);
        for (text, says) in [
            ("8080", "has no port"),
            (":8080", "is no address"),
            ("::1:8080", "is no address"),
            ("127.0.0.1:99999", "no port from 0 to 65535"),
            ("127.0.0.1:", "no port from 0 to 65535"),
            ("no such name:80", "no name the system knows"),
        ] {
            let error = parse_address(text).unwrap_err();
            assert!(error.contains(says) && error.contains("127.0.0.1:8080"), "{text}: {error}");
        }
    }
}
