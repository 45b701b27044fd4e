//! An open loop: requests become due at random moments of a given rate, whatever the server does.
//!
//! Arrivals are a Poisson process from a fixed seed, the same for every peer. A due request goes to
//! the connection that has waited longest without one; if all are busy it is pipelined. Latency counts
//! from the moment a request was *due*, so a stall of the server counts for all that fell into it
//! (h2load's `--rps` counts from the moment it was sent, and its clients send in step: measured, 95% of
//! the requests leave within 50 us of another).

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::flags::Flags;
use crate::http::parse_head;
use crate::net::{self, Poll};
use crate::quantile;
use crate::requests::{Requests, xorshift};

/// How long answers may take once the last request was sent.
const DRAIN: Duration = Duration::from_secs(5);
const SEED: u64 = 0x5eed_0f9e_3779_b97f;

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    in_flight: VecDeque<InFlight>,
}

struct InFlight {
    /// When it was due, ns since the start.
    due_ns: u64,
    /// Index of its header value.
    value: usize,
}

/// What became of the requests with one value of the header that changes.
#[derive(Clone, Default)]
struct ByValue {
    ok: u64,
    throttled: u64,
    /// 429 as well, but by a quota.
    exceeded: u64,
    other: u64,
    first_sent_ns: u64,
    last_sent_ns: u64,
    first_answer_ns: u64,
    last_answer_ns: u64,
}

#[derive(Default)]
struct Tally {
    /// By header value; empty when nobody asked.
    by_value: Vec<ByValue>,
    ok: u64,
    throttled: u64,
    other: u64,
    errors: u64,
    latencies_ns: Vec<u64>,
    last_answer_ns: u64,
}

/// Runs and prints counts by status and latencies as JSON.
///
/// # Errors
/// When the flags are wrong or no connection can be made.
pub fn run(flags: &Flags) -> io::Result<()> {
    let address: SocketAddr = flags.value("address")?;
    let mut requests = Requests::from_flags(flags, address)?;
    let tally_file: Option<String> = flags.optional("tally")?;
    let rate: f64 = flags.value("rate")?;
    let seconds: f64 = flags.value("seconds")?;
    let mut poll = Poll::new()?;
    let mut connections = Vec::new();
    for index in 0..flags.value("connections")? {
        let stream = net::connect(address)?;
        poll.add(&stream, index)?;
        connections.push(Connection { stream, input: Vec::new(), in_flight: VecDeque::new() });
    }
    let mut idle: VecDeque<usize> = (0..connections.len()).collect();
    let mut busy_next = 0;
    let mut random = SEED;
    let mut lags_ns = Vec::new();
    let mut tally = Tally::default();
    if tally_file.is_some() {
        tally.by_value.resize(requests.value_count(), ByValue::default());
    }
    let mut ready = Vec::new();
    let end_ns = (seconds * 1e9) as u64;
    let start = Instant::now();
    let now_ns = || start.elapsed().as_nanos() as u64;
    let mut due_ns = interval_ns(&mut random, rate);
    let mut in_flight = 0u64;
    loop {
        let now = now_ns();
        while due_ns <= now && due_ns < end_ns {
            let index = idle.pop_front().unwrap_or_else(|| {
                busy_next = (busy_next + 1) % connections.len();
                busy_next
            });
            let connection = &mut connections[index];
            let (request, value) = requests.draw();
            connection.in_flight.push_back(InFlight { due_ns, value });
            let sent = now_ns();
            // A small request fits into the send buffer unless the server has stopped reading.
            connection.stream.write_all(request)?;
            in_flight += 1;
            lags_ns.push(sent.saturating_sub(due_ns));
            if let Some(one) = tally.by_value.get_mut(value) {
                if one.last_sent_ns == 0 {
                    one.first_sent_ns = sent;
                }
                one.last_sent_ns = sent;
            }
            due_ns += interval_ns(&mut random, rate);
        }
        let sending = due_ns < end_ns;
        if !sending && (in_flight == 0 || now > end_ns + DRAIN.as_nanos() as u64) {
            break;
        }
        let timeout = if sending {
            Duration::from_nanos(due_ns.saturating_sub(now_ns()))
        } else {
            Duration::from_millis(100)
        };
        poll.wait(Some(timeout), &mut ready)?;
        for index in ready.drain(..) {
            let connection = &mut connections[index];
            if connection.in_flight.is_empty() {
                continue;
            }
            let before = connection.in_flight.len();
            match receive(connection, &mut tally, &now_ns) {
                Err(error) if net::is_pending(&error) => {}
                Err(error) => return Err(error),
                Ok(()) => {}
            }
            in_flight -= (before - connection.in_flight.len()) as u64;
            if connection.in_flight.is_empty() {
                idle.push_back(index);
            }
        }
    }
    tally.errors += in_flight;
    if let Some(file) = tally_file {
        tally.save(&file)?;
    }
    tally.latencies_ns.sort_unstable();
    lags_ns.sort_unstable();
    let latency = |share| quantile(&tally.latencies_ns, share);
    println!(
        "{{\"ok\":{},\"throttled\":{},\"other\":{},\"errors\":{},\"duration_us\":{},\"p50_ns\":{},\"p99_ns\":{},\
         \"p999_ns\":{},\"lag_p99_ns\":{}}}",
        tally.ok,
        tally.throttled,
        tally.other,
        tally.errors,
        tally.last_answer_ns / 1000,
        latency(0.5),
        latency(0.99),
        latency(0.999),
        quantile(&lags_ns, 0.99),
    );
    Ok(())
}

impl Tally {
    /// A line for each value that was sent.
    fn save(&self, file: &str) -> io::Result<()> {
        let mut lines = String::new();
        for (index, one) in self.by_value.iter().enumerate().filter(|(_, one)| one.last_sent_ns > 0)
        {
            let ByValue { ok, throttled, exceeded, other, first_sent_ns, .. } = one;
            let ByValue { last_sent_ns, first_answer_ns, last_answer_ns, .. } = one;
            lines += &format!(
                "{index} {ok} {throttled} {exceeded} {other} {first_sent_ns} {last_sent_ns} {first_answer_ns} \
                 {last_answer_ns}\n"
            );
        }
        std::fs::write(file, lines)
    }
}

/// Reads until the socket would block or nothing is in flight, and counts whole answers.
fn receive(
    connection: &mut Connection,
    tally: &mut Tally,
    now_ns: &impl Fn() -> u64,
) -> io::Result<()> {
    let mut buffer = [0; 8192];
    while !connection.in_flight.is_empty() {
        let count = connection.stream.read(&mut buffer)?;
        if count == 0 {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "the server closed a keep-alive connection",
            ));
        }
        connection.input.extend_from_slice(&buffer[..count]);
        let now = now_ns();
        let mut read = 0;
        while let Some(head) = parse_head(&connection.input[read..])? {
            let whole = read + head.bytes + head.body_bytes as usize;
            if whole > connection.input.len() {
                break;
            }
            let body = &connection.input[read + head.bytes..whole];
            let by_quota = head.status == 429 && body.windows(14).any(|it| it == b"Limit Exceeded");
            read = whole;
            let InFlight { due_ns, value } = connection.in_flight.pop_front().ok_or_else(|| {
                io::Error::new(ErrorKind::InvalidData, "an answer nobody asked for")
            })?;
            tally.last_answer_ns = now;
            tally.latencies_ns.push(now.saturating_sub(due_ns));
            match head.status {
                200..=299 => tally.ok += 1,
                429 => tally.throttled += 1,
                _ => tally.other += 1,
            }
            if let Some(one) = tally.by_value.get_mut(value) {
                if one.last_answer_ns == 0 {
                    one.first_answer_ns = now;
                }
                one.last_answer_ns = now;
                match head.status {
                    200..=299 => one.ok += 1,
                    429 if by_quota => one.exceeded += 1,
                    429 => one.throttled += 1,
                    _ => one.other += 1,
                }
            }
        }
        connection.input.drain(..read);
    }
    Ok(())
}

/// The time until the next arrival of a Poisson process.
fn interval_ns(random: &mut u64, rate: f64) -> u64 {
    let bits = xorshift(random) >> 11;
    let uniform = (bits as f64 + 1.0) / (1u64 << 53) as f64;
    (-uniform.ln() / rate * 1e9) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_come_at_the_rate() {
        let mut random = SEED;
        let sum: u64 = (0..100_000).map(|_| interval_ns(&mut random, 10_000.0)).sum();
        let mean = sum as f64 / 100_000.0;
        assert!((mean - 100_000.0).abs() < 1_000.0, "mean {mean} ns instead of 100 000");
    }
}
