//! The upstream of profiles with uploads: reads requests, drops their bodies unseen, says how long they were
//! or what it was told to say.
//!
//! `MSG_TRUNC` throws the bytes away inside the kernel, so this upstream costs as little as one can. It answers
//! when the body is there to its end, as backends do; nginx's `return` answers the head alone, and a proxy
//! that sends the body after it then cannot keep the connection.
//!
//! `GET /echo` and `GET /upstream-status` answer as the nginx of `peers/upstream` does.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::flags::Flags;
use crate::http::{HEAD_BYTES_MAX, parse_head};
use crate::net::{self, CHUNK_BYTES, Poll};

const LISTENER: usize = usize::MAX >> 1;

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    /// `None` between requests.
    request: Option<Request>,
}

/// A request whose head was read.
struct Request {
    /// Bytes of its body that are still to come.
    left: u64,
    /// Bytes of its body.
    length: u64,
    /// The answer to one of the paths that are known here.
    own: Option<String>,
}

struct Sink {
    /// The answer to all others, whole; without one it is the length of the body.
    constant: Option<Vec<u8>>,
    accepted: u64,
    requests: u64,
    scratch: Vec<u8>,
}

/// Serves until it is killed.
///
/// # Errors
/// When it cannot listen or wait; a connection's errors only close that connection.
pub fn run(flags: &Flags) -> io::Result<()> {
    let listener = net::listen(flags.value::<SocketAddr>("listen")?)?;
    let mut poll = Poll::new()?;
    poll.add(&listener, LISTENER)?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let constant = match flags.optional::<String>("answer-file")? {
        Some(file) => Some(answer(&std::fs::read_to_string(file)?)),
        None => None,
    };
    let mut sink = Sink { constant, accepted: 0, requests: 0, scratch: vec![0; CHUNK_BYTES] };
    let mut ready = Vec::new();
    loop {
        poll.wait(None, &mut ready)?;
        for index in ready.drain(..) {
            if index == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    sink.accepted += 1;
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    let index =
                        connections.iter().position(Option::is_none).unwrap_or(connections.len());
                    poll.add(&stream, index)?;
                    let connection = Connection { stream, input: Vec::new(), request: None };
                    if index == connections.len() {
                        connections.push(Some(connection));
                    } else {
                        connections[index] = Some(connection);
                    }
                }
                continue;
            }
            let Some(slot) = connections.get_mut(index) else { continue };
            let Some(connection) = slot else { continue };
            match sink.serve(connection) {
                Err(error) if net::is_pending(&error) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => *slot = None,
                Err(error) => {
                    eprintln!("perf-load sink: {error}");
                    *slot = None;
                }
                Ok(never) => match never {},
            }
        }
    }
}

impl Sink {
    fn serve(&mut self, connection: &mut Connection) -> io::Result<std::convert::Infallible> {
        loop {
            if let Some(request) = &mut connection.request {
                while request.left > 0 {
                    match net::discard(&connection.stream, &mut self.scratch, request.left)? {
                        0 => return Err(ErrorKind::UnexpectedEof.into()),
                        taken => request.left -= taken as u64,
                    }
                }
                // An answer of some hundred bytes always fits into an empty send buffer.
                match (&request.own, &self.constant) {
                    (Some(own), _) => connection.stream.write_all(&answer(own))?,
                    (None, Some(constant)) => connection.stream.write_all(constant)?,
                    (None, None) => {
                        let body = format!("{{\"bytes\":{}}}", request.length);
                        connection.stream.write_all(&answer(&body))?;
                    }
                }
                connection.request = None;
            }
            if let Some(head) = parse_head(&connection.input)? {
                self.requests += 1;
                let own = self.own(&connection.input[..head.bytes]);
                let early = (connection.input.len() - head.bytes) as u64;
                let taken = early.min(head.body_bytes);
                connection.input.drain(..head.bytes + taken as usize);
                let (left, length) = (head.body_bytes - taken, head.body_bytes);
                connection.request = Some(Request { left, length, own });
                continue;
            }
            let room = HEAD_BYTES_MAX.min(4096);
            match connection.stream.read(&mut self.scratch[..room])? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => connection.input.extend_from_slice(&self.scratch[..count]),
            }
        }
    }

    /// What is answered to `perf/compare` itself.
    fn own(&self, head: &[u8]) -> Option<String> {
        if !head.starts_with(b"GET ") {
            return None;
        }
        let head = String::from_utf8_lossy(head);
        let path = head.split(' ').nth(1)?;
        if path.ends_with("/upstream-status") {
            let Self { accepted, requests, .. } = self;
            return Some(format!(
                "\naccepted handled requests\n{accepted} {accepted} {requests}\n"
            ));
        }
        if !path.ends_with("/echo") {
            return None;
        }
        let header = |wanted: &str| {
            let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
            let value = fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            value.map_or("", |(_, value)| value.trim()).replace(['"', '\\'], "'")
        };
        Some(format!(
            r#"{{"for":"{}","proto":"{}","port":"{}","host":"{}","connection":"{}"}}"#,
            header("x-forwarded-for"),
            header("x-forwarded-proto"),
            header("x-forwarded-port"),
            header("host"),
            header("connection"),
        ))
    }
}

fn answer(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}
