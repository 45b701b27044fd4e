//! A closed loop, as wrk's, for requests with a body and a header that changes from one to the next:
//! every connection sends its next request when it has its answer.
//!
//! wrk can do this in Lua only, and then is the slower of the two ends.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::flags::Flags;
use crate::http::parse_head;
use crate::net::{self, Poll};
use crate::quantile;
use crate::requests::Requests;

/// How long the last answers may take.
const DRAIN: Duration = Duration::from_secs(5);

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    sent_ns: u64,
    waits: bool,
}

/// Runs and prints counts by status and latencies as JSON. Every request begun is finished.
///
/// # Errors
/// When the flags are wrong, no connection can be made, or the server closes one.
pub fn run(flags: &Flags) -> io::Result<()> {
    let address: SocketAddr = flags.value("address")?;
    let mut requests = Requests::from_flags(flags, address)?;
    let end_ns = (flags.value::<f64>("seconds")? * 1e9) as u64;
    let mut poll = Poll::new()?;
    let mut connections = Vec::new();
    for index in 0..flags.value("connections")? {
        let stream = net::connect(address)?;
        poll.add(&stream, index)?;
        connections.push(Connection { stream, input: Vec::new(), sent_ns: 0, waits: false });
    }
    let (mut ok, mut other, mut last_status) = (0u64, 0u64, 0);
    let mut latencies_ns = Vec::new();
    let mut scratch = vec![0; 64 * 1024];
    let mut ready: Vec<usize> = Vec::new();
    let start = Instant::now();
    let now_ns = || start.elapsed().as_nanos() as u64;
    for connection in &mut connections {
        connection.send(&mut requests, now_ns())?;
    }
    let mut in_flight = connections.len();
    let mut duration_ns = 0;
    while in_flight > 0 {
        if now_ns() > end_ns + DRAIN.as_nanos() as u64 {
            break;
        }
        poll.wait(Some(Duration::from_millis(100)), &mut ready)?;
        for index in ready.drain(..) {
            let connection = &mut connections[index];
            if !connection.waits {
                continue;
            }
            let Some(status) = connection.receive(&mut scratch)? else { continue };
            match status {
                200..=299 => ok += 1,
                _ => (other, last_status) = (other + 1, status),
            }
            let now = now_ns();
            latencies_ns.push(now - connection.sent_ns);
            if now < end_ns {
                connection.send(&mut requests, now)?;
            } else {
                connection.waits = false;
                in_flight -= 1;
                duration_ns = now;
            }
        }
    }
    latencies_ns.sort_unstable();
    println!(
        "{{\"requests\":{},\"ok\":{ok},\"other\":{other},\"last_other_status\":{last_status},\"errors\":{in_flight},\
         \"duration_us\":{},\"p50_ns\":{},\"p99_ns\":{},\"p999_ns\":{}}}",
        ok + other,
        duration_ns.max(end_ns) / 1000,
        quantile(&latencies_ns, 0.5),
        quantile(&latencies_ns, 0.99),
        quantile(&latencies_ns, 0.999),
    );
    Ok(())
}

impl Connection {
    fn send(&mut self, requests: &mut Requests, now_ns: u64) -> io::Result<()> {
        // Nothing else is in flight here, so some kilobytes fit into the send buffer.
        self.stream.write_all(requests.draw().0)?;
        self.sent_ns = now_ns;
        self.waits = true;
        Ok(())
    }

    /// The answer's status, once the answer is whole.
    fn receive(&mut self, scratch: &mut [u8]) -> io::Result<Option<u16>> {
        loop {
            let count = match self.stream.read(scratch) {
                Ok(0) => {
                    let text = "the server closed a keep-alive connection";
                    return Err(io::Error::new(ErrorKind::UnexpectedEof, text));
                }
                Ok(count) => count,
                Err(error) if net::is_pending(&error) => return Ok(None),
                Err(error) => return Err(error),
            };
            // Nearly every answer comes in one piece and is looked at where it lies.
            let input = if self.input.is_empty() {
                &scratch[..count]
            } else {
                self.input.extend_from_slice(&scratch[..count]);
                &self.input[..]
            };
            if let Some(head) = parse_head(input)? {
                let whole = head.bytes + head.body_bytes as usize;
                if input.len() > whole {
                    return Err(io::Error::new(ErrorKind::InvalidData, "more than one answer"));
                }
                if input.len() == whole {
                    self.input.clear();
                    return Ok(Some(head.status));
                }
            }
            if self.input.is_empty() {
                self.input.extend_from_slice(&scratch[..count]);
            }
        }
    }
}
