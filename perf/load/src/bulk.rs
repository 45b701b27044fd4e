//! Bodies on a few connections, one request at a time on each, up or down.
//!
//! No request begins after the time is up, and every one that began is finished: what a server has
//! buffered and not passed on would otherwise flatter it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::flags::{Flags, usage};
use crate::http::parse_head;
use crate::net::{self, CHUNK_BYTES, Poll};

/// How long requests in flight may take once the time is up.
const DRAIN: Duration = Duration::from_secs(30);

struct Connection {
    stream: TcpStream,
    sent: u64,
    input: Vec<u8>,
    /// Bytes of the answer's body still to come, once its head is read.
    left: Option<u64>,
    done: bool,
}

struct Bodies {
    head: Vec<u8>,
    upload_bytes: u64,
    download_bytes: Option<u64>,
    zeros: Vec<u8>,
    scratch: Vec<u8>,
    deadline: Instant,
    requests: u64,
}

/// Runs and prints requests, duration and errors as JSON.
///
/// # Errors
/// When the flags are wrong or no connection can be made.
pub fn run(flags: &Flags) -> io::Result<()> {
    let address: SocketAddr = flags.value("address")?;
    let path: String = flags.value("path")?;
    let body_bytes: u64 = flags.value("body-bytes")?;
    let seconds = Duration::from_secs_f64(flags.value("seconds")?);
    let (method, upload_bytes, download_bytes) = match flags.value::<String>("direction")?.as_str()
    {
        "up" => ("POST", body_bytes, None),
        "down" => ("GET", 0, Some(body_bytes)),
        other => return Err(usage(format!("--direction {other:?} is neither up nor down"))),
    };
    let length = match method {
        "POST" => {
            format!("Content-Type: application/octet-stream\r\nContent-Length: {body_bytes}\r\n")
        }
        _ => String::new(),
    };
    let mut poll = Poll::new()?;
    let mut connections = Vec::new();
    for index in 0..flags.value("connections")? {
        let stream = net::connect(address)?;
        poll.add(&stream, index)?;
        connections.push(Connection {
            stream,
            sent: 0,
            input: Vec::new(),
            left: None,
            done: false,
        });
    }
    let start = Instant::now();
    let mut bodies = Bodies {
        head: format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n{length}\r\n").into_bytes(),
        upload_bytes,
        download_bytes,
        zeros: vec![b'x'; CHUNK_BYTES],
        scratch: vec![0; CHUNK_BYTES],
        deadline: start + seconds,
        requests: 0,
    };
    let (mut errors, mut first_error) = (0, String::new());
    let mut ready: Vec<usize> = (0..connections.len()).collect();
    let mut open = connections.len();
    while open > 0 {
        for index in ready.drain(..) {
            let connection = &mut connections[index];
            if connection.done {
                continue;
            }
            match bodies.advance(connection) {
                Err(error) if net::is_pending(&error) => continue,
                Err(error) => {
                    errors += 1;
                    if first_error.is_empty() {
                        first_error = error.to_string().replace(['"', '\\'], "'");
                    }
                }
                Ok(()) => {}
            }
            connection.done = true;
            open -= 1;
        }
        if open > 0 {
            if Instant::now() > bodies.deadline + DRAIN {
                errors += open;
                first_error = format!("{open} requests had no answer {DRAIN:?} after the end");
                break;
            }
            poll.wait(Some(Duration::from_millis(500)), &mut ready)?;
        }
    }
    println!(
        "{{\"requests\":{},\"duration_us\":{},\"errors\":{errors},\"first_error\":\"{first_error}\"}}",
        bodies.requests,
        start.elapsed().as_micros()
    );
    Ok(())
}

impl Bodies {
    /// Goes on until the socket would block; `Ok` when the time is up and the answer is read.
    fn advance(&mut self, connection: &mut Connection) -> io::Result<()> {
        loop {
            self.send(connection).or_else(|error| {
                // An answer may come while the upload is stuck: it is read below.
                if net::is_pending(&error) { Ok(()) } else { Err(error) }
            })?;
            self.receive(connection)?;
            self.requests += 1;
            if Instant::now() >= self.deadline {
                return Ok(());
            }
            connection.sent = 0;
            connection.left = None;
        }
    }

    fn send(&mut self, connection: &mut Connection) -> io::Result<()> {
        let head_bytes = self.head.len() as u64;
        let whole = head_bytes + self.upload_bytes;
        while connection.sent < whole {
            let part = if connection.sent < head_bytes {
                &self.head[connection.sent as usize..]
            } else {
                let left = (whole - connection.sent).min(self.zeros.len() as u64);
                &self.zeros[..left as usize]
            };
            connection.sent += connection.stream.write(part)? as u64;
        }
        Ok(())
    }

    fn receive(&mut self, connection: &mut Connection) -> io::Result<()> {
        while connection.left.is_none() {
            // Small reads for the head, so that little of the body is copied.
            let count = connection.stream.read(&mut self.scratch[..1024])?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            connection.input.extend_from_slice(&self.scratch[..count]);
            let Some(head) = parse_head(&connection.input)? else { continue };
            if head.status != 200 || self.download_bytes.is_some_and(|want| want != head.body_bytes)
            {
                let text = format!("answer {} with {} bytes", head.status, head.body_bytes);
                return Err(io::Error::new(ErrorKind::InvalidData, text));
            }
            if connection.sent < self.head.len() as u64 + self.upload_bytes {
                return Err(io::Error::new(
                    ErrorKind::InvalidData,
                    "answered before the upload's end",
                ));
            }
            let early = (connection.input.len() - head.bytes) as u64;
            connection.left = Some(head.body_bytes.saturating_sub(early));
            connection.input.clear();
        }
        while let Some(left) = connection.left.filter(|&left| left > 0) {
            match net::discard(&connection.stream, &mut self.scratch, left)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                taken => connection.left = Some(left - taken as u64),
            }
        }
        Ok(())
    }
}
