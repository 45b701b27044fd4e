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

/// How long answers may take once the last request was sent.
const DRAIN: Duration = Duration::from_secs(5);
const SEED: u64 = 0x5eed_0f9e_3779_b97f;

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    /// When each request in flight was due, ns since the start.
    due_ns: VecDeque<u64>,
}

#[derive(Default)]
struct Tally {
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
    let path: String = flags.value("path")?;
    let rate: f64 = flags.value("rate")?;
    let seconds: f64 = flags.value("seconds")?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes();
    let mut poll = Poll::new()?;
    let mut connections = Vec::new();
    for index in 0..flags.value("connections")? {
        let stream = net::connect(address)?;
        poll.add(&stream, index)?;
        connections.push(Connection { stream, input: Vec::new(), due_ns: VecDeque::new() });
    }
    let mut idle: VecDeque<usize> = (0..connections.len()).collect();
    let mut busy_next = 0;
    let mut random = SEED;
    let mut lags_ns = Vec::new();
    let mut tally = Tally::default();
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
            connection.due_ns.push_back(due_ns);
            // A request of 100 bytes fits into the send buffer unless the server has stopped reading.
            connection.stream.write_all(&request)?;
            in_flight += 1;
            lags_ns.push(now_ns().saturating_sub(due_ns));
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
            if connection.due_ns.is_empty() {
                continue;
            }
            let before = connection.due_ns.len();
            match receive(connection, &mut tally, &now_ns) {
                Err(error) if net::is_pending(&error) => {}
                Err(error) => return Err(error),
                Ok(()) => {}
            }
            in_flight -= (before - connection.due_ns.len()) as u64;
            if connection.due_ns.is_empty() {
                idle.push_back(index);
            }
        }
    }
    tally.errors += in_flight;
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

/// Reads until the socket would block or nothing is in flight, and counts whole answers.
fn receive(
    connection: &mut Connection,
    tally: &mut Tally,
    now_ns: &impl Fn() -> u64,
) -> io::Result<()> {
    let mut buffer = [0; 8192];
    while !connection.due_ns.is_empty() {
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
            read = whole;
            let due = connection.due_ns.pop_front().ok_or_else(|| {
                io::Error::new(ErrorKind::InvalidData, "an answer nobody asked for")
            })?;
            tally.last_answer_ns = now;
            tally.latencies_ns.push(now.saturating_sub(due));
            match head.status {
                200..=299 => tally.ok += 1,
                429 => tally.throttled += 1,
                _ => tally.other += 1,
            }
        }
        connection.input.drain(..read);
    }
    Ok(())
}

/// The time until the next arrival of a Poisson process.
fn interval_ns(random: &mut u64, rate: f64) -> u64 {
    // xorshift64*: good enough for arrivals, and the same on every machine.
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    let bits = random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
    let uniform = (bits as f64 + 1.0) / (1u64 << 53) as f64;
    (-uniform.ln() / rate * 1e9) as u64
}

fn quantile(sorted: &[u64], share: f64) -> u64 {
    let index = (sorted.len() as f64 * share) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
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

    #[test]
    fn quantile_of_few_values_stays_inside() {
        assert_eq!(quantile(&[], 0.5), 0);
        assert_eq!(quantile(&[7], 0.999), 7);
        assert_eq!(quantile(&[1, 2, 3, 4], 0.5), 3);
    }
}
