//! The upstream of upload profiles: reads requests, drops their bodies unseen, says how long they were.
//!
//! `MSG_TRUNC` throws the bytes away inside the kernel, so this upstream costs as little as one can.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::flags::Flags;
use crate::http::{HEAD_BYTES_MAX, parse_head};
use crate::net::{self, CHUNK_BYTES, Poll};

const LISTENER: usize = usize::MAX >> 1;

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    /// Bytes of the current body that are still to come, and its length; `None` between requests.
    body: Option<(u64, u64)>,
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
    let mut scratch = vec![0; CHUNK_BYTES];
    let mut ready = Vec::new();
    loop {
        poll.wait(None, &mut ready)?;
        for index in ready.drain(..) {
            if index == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    let index =
                        connections.iter().position(Option::is_none).unwrap_or(connections.len());
                    poll.add(&stream, index)?;
                    let connection = Connection { stream, input: Vec::new(), body: None };
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
            match serve(connection, &mut scratch) {
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

fn serve(connection: &mut Connection, scratch: &mut [u8]) -> io::Result<std::convert::Infallible> {
    loop {
        if let Some((left, length)) = &mut connection.body {
            while *left > 0 {
                match net::discard(&connection.stream, scratch, *left)? {
                    0 => return Err(ErrorKind::UnexpectedEof.into()),
                    taken => *left -= taken as u64,
                }
            }
            let body = format!("{{\"bytes\":{length}}}");
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            connection.body = None;
            // An answer of some hundred bytes always fits into an empty send buffer.
            connection.stream.write_all(answer.as_bytes())?;
        }
        if let Some(head) = parse_head(&connection.input)? {
            let early = (connection.input.len() - head.bytes) as u64;
            let taken = early.min(head.body_bytes);
            connection.input.drain(..head.bytes + taken as usize);
            connection.body = Some((head.body_bytes - taken, head.body_bytes));
            continue;
        }
        let room = HEAD_BYTES_MAX.min(4096);
        match connection.stream.read(&mut scratch[..room])? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => connection.input.extend_from_slice(&scratch[..count]),
        }
    }
}
