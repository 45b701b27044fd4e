//! Every bound of the gateway in one place, with unit, source, and its relation to its neighbours.
//!
//! Constants bound what a shard allocates when it starts. [`Limits`] holds what a user may raise or
//! turn off (`--limit payload=off`); AWS's quotas are its defaults. `ringway limits` prints
//! [`Limits::table`].

use std::time::Duration;

/// Bytes in a kibibyte.
pub const KIB: usize = 1_024;
/// Bytes in a mebibyte.
pub const MIB: usize = 1_024 * KIB;

/// One provided receive buffer, bytes. Ours: an ordinary head parses in place, a longer one is gathered.
pub const RECV_BUF_BYTES: usize = 16 * KIB;
/// Provided receive buffers per shard; a power of two (`io_uring_register_buf_ring`).
pub const RECV_BUF_COUNT: u16 = 512;
/// One provided buffer for bulk transfer, bytes. Measured against 256 KiB: bodies of 100 MiB cost 9 to 28%
/// less CPU, in fewer receives and sends; those of 1 MiB between 16% less and 3% more.
pub const BULK_BUF_BYTES: usize = MIB;
/// Part of a piece of a body for which whoever is to take it has its whole time, bytes: large pieces ask
/// for no faster reader than small ones.
pub const TIMED_PART_BYTES: usize = 256 * KIB;
/// Provided buffers for bulk transfer per shard; a power of two.
pub const BULK_BUF_COUNT: u16 = 16;
/// A body whose announced rest is longer than this is streamed through bulk buffers, bytes.
pub const BULK_THRESHOLD_BYTES: u64 = 32 * KIB as u64;
/// An integration's body that came with its head is copied behind ours up to this length, bytes, and the
/// answer leaves as one piece; a longer one is sent from where it was received. Measured: up to
/// 12 KB the two cost the same, a download of 64 KiB costs 17% less without the copy.
pub const COPIED_BODY_BYTES_MAX: usize = RECV_BUF_BYTES;
/// Pieces of one connection that may come faster than its task takes them, then its receive is stopped
/// until it has taken them. Keeps one client from draining the shared buffer ring within a turn.
pub const RECV_UNREAD_BUFS_MAX: usize = 2;
/// What is received for a connection that is not reading (its request waits for the integration, its
/// client pipelines) is copied to the heap and the shared buffer goes back; from this many bytes on its
/// receive is stopped until it reads again, and TCP holds its client back. What the turn that reaches
/// this brings is still kept: at most the whole buffer ring, as a rule one or two buffers. Ours: some
/// hundred pipelined requests; 10 000 such clients hold 640 MiB.
pub const RECV_SPILL_BYTES_MAX: usize = 64 * KIB;

/// Submission queue entries per ring. More in one turn are submitted in several calls.
pub const RING_SQ_ENTRIES: u32 = 1_024;
/// Completion queue entries per ring. The kernel keeps what overflows and hands it over later.
pub const RING_CQ_ENTRIES: u32 = 8_192;

/// Header fields of one head that are parsed on the stack: all of an integration's answer, and the limit
/// `header-count` of requests unless it is raised. AWS publishes none; nginx has no count either, HAProxy
/// 101.
pub const HEADER_COUNT_MAX: usize = 128;
/// Header fields of one request where `header-count` is off: what 4 MiB of parser memory hold.
pub const HEADER_COUNT_CEILING: usize = 131_072;
/// Trailer section after a chunked body, bytes; trailers are read and dropped.
pub const TRAILER_BYTES_MAX: usize = 8 * KIB;
/// One chunk-size line including extensions, bytes.
pub const CHUNK_LINE_BYTES_MAX: usize = 256;
/// Head of an integration's answer, bytes.
pub const RESPONSE_HEAD_BYTES_MAX: usize = 64 * KIB;
/// Answers of pipelined requests that may wait for one send, bytes; then the connection stops reading.
pub const PIPELINED_RESPONSE_BYTES_MAX: usize = 64 * KIB;
/// Sends up to this length are posted and not waited for, bytes: what fits the buffer of an idle socket,
/// whose first size is 16 KiB (tcp(7), tcp_wmem).
pub const POSTED_BYTES_MAX: usize = 16 * KIB;
/// Buffers of posted sends that a ring keeps for the next ones.
pub const POSTED_MEMORY_MAX: usize = 256;
/// Bytes of an answer made in memory that a client gets `send-timeout` for, each time.
pub const SEND_PIECE_BYTES_MAX: usize = 256 * KIB;
/// Time that a refused client has to end its sending and read its answer: what it sends meanwhile is
/// read and dropped, for a close with unread input resets the connection and the answer with it. Ours;
/// nginx lingering_time 30 s.
pub const LINGER_TIME: Duration = Duration::from_secs(30);
/// A refused client that sends nothing for this time has read its answer. Ours; nginx
/// lingering_timeout 5 s.
pub const LINGER_QUIET_TIME: Duration = Duration::from_secs(5);

/// Smallest `timeoutInMillis` of an integration, milliseconds. AWS quota.
pub const INTEGRATION_TIMEOUT_MIN_MS: u32 = 50;
/// Largest `timeoutInMillis` AWS accepts without a raised quota, milliseconds.
pub const INTEGRATION_TIMEOUT_MAX_MS: u32 = 29_000;

/// An OpenAPI document, bytes. AWS quota "API definition file size".
pub const DOCUMENT_BYTES_MAX: usize = 6 * MIB;
/// Nesting of an OpenAPI document. Ours: keeps recursion off the end of the stack.
pub const DOCUMENT_DEPTH_MAX: usize = 128;
/// Resources of an API are not limited by us (AWS: 300); this bounds one path's segments.
pub const PATH_SEGMENTS_MAX: usize = 64;

/// One access-log batch handed from a shard to the writer, bytes.
pub const LOG_BATCH_BYTES: usize = 64 * KIB;
/// Batches that may wait for a slow disk; what comes after is dropped and counted.
pub const LOG_BATCHES_MAX: usize = 256;
/// A batch that is not full is handed over after this time.
pub const LOG_BATCH_DELAY: Duration = Duration::from_millis(200);

/// Usage plans whose requests are counted one by one; those of further plans are counted together. Ours:
/// a scrape has three lines for each.
pub const USAGE_PLAN_SERIES_MAX: u16 = 1_000;

/// Bytes that go into a coder (gzip, deflate) or come out of it before others have their turn: two or
/// three milliseconds. Ours.
pub const CODING_TURN_BYTES: u64 = 256 * KIB as u64;

/// Text of one line of an execution log, bytes; a longer one ends there and says so. Recorded: log lines
/// of AWS are cut at 1 024, whatever they tell.
pub const EXECUTION_LOG_LINE_BYTES_MAX: usize = 1_024;
/// Test invocations that run on one shard at a time; what comes beyond is refused. Ours: each may hold
/// a request's and an answer's body whole.
pub const TEST_INVOCATIONS_MAX: usize = 16;
/// A test invocation is given up after this time. Ours: it only shows where the integration's own
/// timeout is off or far above AWS's 29 s.
pub const TEST_INVOCATION_TIME_MAX: Duration = Duration::from_secs(600);

/// Idle kept connections to one target per shard.
pub const UPSTREAM_IDLE_MAX: usize = 512;
/// An idle kept connection to a target is closed after this time. Below the 60 s that nginx and
/// most load balancers use, so that we close before they do.
pub const UPSTREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// Time to take a piece of `bytes` for somebody who has `time` for each [`TIMED_PART_BYTES`] of it.
pub fn time_to_take(time: Duration, bytes: usize) -> Duration {
    // No piece is larger than a buffer, and so the count is small.
    time.saturating_mul(bytes.div_ceil(TIMED_PART_BYTES).max(1) as u32)
}

const _: () = assert!(RECV_BUF_COUNT.is_power_of_two());
// One piece never stops a receive by itself.
const _: () = assert!(RECV_SPILL_BYTES_MAX > RECV_BUF_BYTES);
const _: () = assert!(BULK_BUF_COUNT.is_power_of_two());
const _: () = assert!(CHUNK_LINE_BYTES_MAX < RECV_BUF_BYTES);
const _: () = assert!(TRAILER_BYTES_MAX < RECV_BUF_BYTES);
const _: () = assert!(HEADER_COUNT_MAX < HEADER_COUNT_CEILING);
const _: () = assert!(LINGER_QUIET_TIME.as_millis() < LINGER_TIME.as_millis());
const _: () = assert!(PIPELINED_RESPONSE_BYTES_MAX < SEND_PIECE_BYTES_MAX);

/// What a user may change: `--limit NAME=VALUE` or `NAME=off`.
///
/// `None` is off: no bound. Sizes are bytes, deadlines are [`Duration`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Request or response payload, bytes (413 for a request, 500 for a response).
    pub payload_bytes: Option<u64>,
    /// A body that is held whole because something reads or changes it, bytes (as `payload_bytes`); of a
    /// coded one what comes out. Bounds the memory of a connection where `payload_bytes` is off.
    pub held_bytes: Option<u64>,
    /// Names and values of all request headers together, bytes (431).
    pub header_bytes: Option<u64>,
    /// Header fields of a request (431).
    pub header_count: Option<u64>,
    /// Request target, bytes (414).
    pub url_bytes: Option<u64>,
    /// Upper bound of every integration's `timeoutInMillis`, and what one without it gets; off: such an
    /// integration may take for ever.
    pub integration_timeout: Option<Duration>,
    /// Time for connecting to an integration.
    pub connect_timeout: Option<Duration>,
    /// From accepting a connection to its first byte.
    pub first_byte_timeout: Option<Duration>,
    /// From a head's first byte to its last, dripping included.
    pub head_timeout: Option<Duration>,
    /// Between two reads of a body.
    pub body_read_timeout: Option<Duration>,
    /// From a body's first byte to its last, dripping included.
    pub body_timeout: Option<Duration>,
    /// Between two requests on a kept connection.
    pub idle_timeout: Option<Duration>,
    /// For a client that does not read its answer: time for taking a piece of it, at most
    /// [`SEND_PIECE_BYTES_MAX`].
    pub send_timeout: Option<Duration>,
    /// For finishing requests in flight after SIGTERM.
    pub drain_timeout: Option<Duration>,
    /// Client connections per shard.
    pub connections: Option<u64>,
    /// An OpenAPI document, bytes (an error of the definition).
    pub definition_bytes: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_bytes: Some(10 * MIB as u64),
            held_bytes: Some(64 * MIB as u64),
            header_bytes: Some(10_240),
            header_count: Some(HEADER_COUNT_MAX as u64),
            url_bytes: Some(10_240),
            integration_timeout: Some(Duration::from_secs(29)),
            connect_timeout: Some(Duration::from_secs(10)),
            first_byte_timeout: Some(Duration::from_secs(60)),
            head_timeout: Some(Duration::from_secs(30)),
            body_read_timeout: Some(Duration::from_secs(30)),
            body_timeout: Some(Duration::from_secs(300)),
            idle_timeout: Some(Duration::from_secs(350)),
            send_timeout: Some(Duration::from_secs(60)),
            drain_timeout: Some(Duration::from_secs(30)),
            connections: Some(65_536),
            definition_bytes: Some(DOCUMENT_BYTES_MAX as u64),
        }
    }
}

/// One line of `ringway limits`.
pub struct LimitRow {
    /// Name as `--limit` takes it.
    pub name: &'static str,
    /// Value in force, as `--limit` takes it.
    pub value: String,
    /// What it bounds and what happens beyond.
    pub meaning: &'static str,
    /// Where the default comes from.
    pub source: &'static str,
}

enum Field<'a> {
    Bytes(&'a mut Option<u64>),
    Count(&'a mut Option<u64>),
    Time(&'a mut Option<Duration>),
}

impl Limits {
    /// Largest body that passes through, bytes.
    pub fn payload_max(&self) -> u64 {
        self.payload_bytes.unwrap_or(u64::MAX)
    }

    /// Largest body that is held whole, bytes.
    pub fn held_max(&self) -> u64 {
        self.payload_max().min(self.held_bytes.unwrap_or(u64::MAX))
    }

    /// Name, meaning and source of every limit, in the order of `ringway limits`.
    const ROWS: [(&'static str, &'static str, &'static str); 16] = [
        (
            "payload",
            "request body (413) or integration's answer (500), bytes",
            "API Gateway quota: payload size 10 MB",
        ),
        (
            "held-body",
            "a body that is mapped, converted, coded or read by a MOCK (413, 500), bytes",
            "Ringway; such a body lies in memory whole",
        ),
        (
            "headers",
            "request header names and values together, bytes (431)",
            "API Gateway quota: total of all header values 10,240 bytes",
        ),
        (
            "header-count",
            "header fields of a request (431)",
            "Ringway; AWS publishes none, HAProxy has 101",
        ),
        ("url", "request target, bytes (414)", "API Gateway quota: URL length 10,240 characters"),
        (
            "integration-timeout",
            "ceiling of every timeoutInMillis, and the time without one (504)",
            "API Gateway quota: 29 s",
        ),
        ("connect-timeout", "connecting to an integration (504)", "Ringway"),
        (
            "first-byte-timeout",
            "a new connection that sends nothing is closed",
            "Ringway; nginx client_header_timeout 60 s",
        ),
        (
            "head-timeout",
            "a head that drips or stops is closed (408)",
            "Ringway; AWS closes slow heads after 30 s",
        ),
        (
            "body-read-timeout",
            "a body that stops is closed (408)",
            "Ringway; nginx client_body_timeout 60 s",
        ),
        ("body-timeout", "a body that drips: from its first byte to its last (408)", "Ringway"),
        (
            "idle-timeout",
            "a kept connection between two requests is closed",
            "Ringway; AWS's network load balancers keep 350 s",
        ),
        (
            "send-timeout",
            "a client that takes no 256 KiB of its answer in this time is closed",
            "Ringway; nginx send_timeout 60 s",
        ),
        (
            "drain-timeout",
            "requests in flight after SIGTERM",
            "Ringway; nginx worker_shutdown_timeout",
        ),
        ("connections", "client connections per shard; more wait in the listen queue", "Ringway"),
        (
            "definition",
            "an OpenAPI document, bytes; a longer one is an error",
            "API Gateway quota: API definition file size 6 MB",
        ),
    ];

    fn field(&mut self, name: &str) -> Option<Field<'_>> {
        Some(match name {
            "payload" => Field::Bytes(&mut self.payload_bytes),
            "held-body" => Field::Bytes(&mut self.held_bytes),
            "headers" => Field::Bytes(&mut self.header_bytes),
            "header-count" => Field::Count(&mut self.header_count),
            "url" => Field::Bytes(&mut self.url_bytes),
            "integration-timeout" => Field::Time(&mut self.integration_timeout),
            "connect-timeout" => Field::Time(&mut self.connect_timeout),
            "first-byte-timeout" => Field::Time(&mut self.first_byte_timeout),
            "head-timeout" => Field::Time(&mut self.head_timeout),
            "body-read-timeout" => Field::Time(&mut self.body_read_timeout),
            "body-timeout" => Field::Time(&mut self.body_timeout),
            "idle-timeout" => Field::Time(&mut self.idle_timeout),
            "send-timeout" => Field::Time(&mut self.send_timeout),
            "drain-timeout" => Field::Time(&mut self.drain_timeout),
            "connections" => Field::Count(&mut self.connections),
            "definition" => Field::Bytes(&mut self.definition_bytes),
            _ => return None,
        })
    }

    /// Applies one `NAME=VALUE` as `--limit` takes it: `payload=50MiB`, `head-timeout=5s`, `url=off`.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what would be right: an unknown name (all names are
    /// listed), a value that is no size, time or count, or a zero.
    pub fn set(&mut self, assignment: &str) -> Result<(), String> {
        let (name, value) = assignment.split_once('=').ok_or_else(|| {
            format!("'{assignment}' is no limit: write NAME=VALUE or NAME=off, for example payload=50MiB")
        })?;
        let (name, value) = (name.trim(), value.trim());
        let Some(field) = self.field(name) else {
            let names: Vec<&str> = Self::ROWS.iter().map(|row| row.0).collect();
            return Err(format!("there is no limit '{name}'; the limits are {}", names.join(", ")));
        };
        let off = value.eq_ignore_ascii_case("off");
        match field {
            Field::Bytes(slot) => {
                *slot = if off {
                    None
                } else {
                    Some(parse_size(value).map_err(|why| format!("limit {name}: {why} or off"))?)
                };
            }
            Field::Count(slot) => {
                let count = value.parse::<u64>().ok().filter(|&count| count > 0);
                *slot = match (off, count) {
                    (true, _) => None,
                    (false, Some(count)) => Some(count),
                    (false, None) => {
                        return Err(format!(
                            "limit {name}: '{value}' is no count above 0, and not 'off'"
                        ));
                    }
                };
            }
            Field::Time(slot) => {
                *slot = if off { None } else { Some(parse_duration(name, value)?) };
            }
        }
        Ok(())
    }

    /// Every limit with its value in force, meaning and source.
    pub fn table(&self) -> Vec<LimitRow> {
        let mut copy = self.clone();
        Self::ROWS
            .iter()
            .map(|&(name, meaning, source)| {
                let value = match copy.field(name).expect("ROWS and `field` name the same limits") {
                    Field::Bytes(value) | Field::Count(value) => {
                        value.map_or_else(|| "off".to_owned(), |bytes| bytes.to_string())
                    }
                    Field::Time(value) => value.map_or_else(
                        || "off".to_owned(),
                        |time| match time.as_millis() {
                            ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
                            ms => format!("{ms}ms"),
                        },
                    ),
                };
                LimitRow { name, value, meaning, source }
            })
            .collect()
    }
}

/// Reads `10485760`, `64KiB`, `10MiB`, `5GiB` (also `K`, `M`, `G` and `KB`, `MB`, `GB`: powers of 1 024).
///
/// # Errors
/// A sentence that says what would be right.
pub fn parse_size(value: &str) -> Result<u64, String> {
    let help = "write for example 65536, 64KiB, 10MiB, 5GiB";
    let split = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (digits, unit) = value.split_at(split);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(format!("'{value}' has no unit I know; {help}")),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(factor))
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| format!("'{value}' is no size above 0; {help}"))
}

/// Reads `500ms`, `30s`, `5m`; a bare number counts seconds.
fn parse_duration(name: &str, value: &str) -> Result<Duration, String> {
    let split = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (digits, unit) = value.split_at(split);
    let millis_per_unit: u64 = match unit.trim() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        _ => {
            return Err(format!(
                "limit {name}: '{value}' has no unit I know; write for example 500ms, 30s, 5m or off"
            ));
        }
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(millis_per_unit))
        .filter(|&millis| millis > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| format!("limit {name}: '{value}' is no time above 0; write for example 500ms, 30s, 5m or off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_piece_has_its_time_for_every_part() {
        let minute = Duration::from_secs(60);
        for (bytes, minutes) in [
            (0, 1),
            (TIMED_PART_BYTES, 1),
            (TIMED_PART_BYTES + 1, 2),
            (BULK_BUF_BYTES, (BULK_BUF_BYTES / TIMED_PART_BYTES) as u32),
        ] {
            assert_eq!(time_to_take(minute, bytes), minute * minutes, "{bytes} bytes");
        }
    }

    #[test]
    fn limits_are_set_by_name_and_printed_as_they_are_set() {
        let mut limits = Limits::default();
        limits.set("payload=off").unwrap();
        limits.set("url=64KiB").unwrap();
        limits.set("head-timeout=500ms").unwrap();
        limits.set("connections=10").unwrap();
        assert_eq!(limits.payload_bytes, None);
        assert_eq!(limits.url_bytes, Some(65_536));
        assert_eq!(limits.head_timeout, Some(Duration::from_millis(500)));
        for row in limits.table() {
            let mut again = limits.clone();
            again.set(&format!("{}={}", row.name, row.value)).unwrap();
            assert_eq!(again, limits, "{}", row.name);
        }
    }

    #[test]
    fn bad_limits_are_refused_with_what_would_be_right() {
        let mut limits = Limits::default();
        for (bad, says) in [
            ("payload", "NAME=VALUE"),
            ("paylaod=1", "there is no limit 'paylaod'; the limits are payload, held-body"),
            ("payload=0", "no size above 0"),
            ("payload=10XB", "no unit I know"),
            ("payload=99999999999GiB", "no size above 0"),
            ("head-timeout=soon", "no unit I know"),
            ("connections=-1", "no count above 0"),
        ] {
            let error = limits.set(bad).unwrap_err();
            assert!(error.contains(says), "{bad}: {error}");
        }
        assert_eq!(limits, Limits::default());
    }
}
