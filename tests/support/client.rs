//! A client that says exactly the bytes it is told to, and reads answers strictly.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::PATIENCE;

/// A `GET` without more than it needs.
pub fn get(path: &str) -> String {
    format!("GET /dev{path} HTTP/1.1\r\nHost: test\r\n\r\n")
}

/// A `POST` of JSON.
pub fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /dev{path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    pub stream: TcpStream,
    /// Received and not yet read.
    buffer: Vec<u8>,
}

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub version: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The only value of a header.
    ///
    /// # Panics
    /// If it stands there twice.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let first = all.next().map(|(_, value)| value.as_str());
        assert_eq!(all.next(), None, "{name} is there twice: {self:?}");
        first
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the gateway listens");
        Self::over(stream)
    }

    /// From another address of loopback: each has its own ports.
    pub fn connect_from(local: Ipv4Addr, address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SockAddr::from(SocketAddr::new(IpAddr::V4(local), 0))).expect("loopback");
        socket.connect(&SockAddr::from(address)).expect("the gateway listens");
        Self::over(socket.into())
    }

    /// With a small receive buffer, so that little is in flight when nobody reads.
    pub fn connect_with_buffer(address: SocketAddr, bytes: usize) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(bytes).expect("a size of the receive buffer");
        socket.connect(&SockAddr::from(address)).expect("the gateway listens");
        Self::over(socket.into())
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a TCP socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time above 0");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time above 0");
        Self { stream, buffer: Vec::new() }
    }

    pub fn sends(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).expect("the gateway takes what is sent");
        self
    }

    /// Sends although the other side may have closed already.
    pub fn tries_to_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends, and reads the answer.
    pub fn asks(&mut self, request: impl AsRef<[u8]>) -> Answer {
        let head = request.as_ref().starts_with(b"HEAD ");
        self.sends(request);
        if head { self.answer_to_head() } else { self.answer() }
    }

    /// Ends its own side of the connection.
    pub fn ends(&mut self) -> &mut Self {
        self.stream.shutdown(Shutdown::Write).expect("an open connection");
        self
    }

    /// Closes with a reset, as a process that is killed with unread input does.
    pub fn resets(self) {
        let socket = Socket::from(self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("a TCP socket");
    }

    /// The next answer, an interim one included.
    pub fn answer(&mut self) -> Answer {
        self.read_answer(true).expect("a whole answer")
    }

    /// The next answer, which has no body whatever its length says.
    pub fn answer_to_head(&mut self) -> Answer {
        self.read_answer(false).expect("a whole answer")
    }

    /// The next answer's head; its body is for the caller to read.
    pub fn head(&mut self) -> Answer {
        self.read_head().expect("a head")
    }

    /// The next answer, or what cut it short.
    pub fn try_answer(&mut self) -> Result<Answer, String> {
        self.read_answer(true)
    }

    fn read_answer(&mut self, body: bool) -> Result<Answer, String> {
        let mut answer = self.read_head()?;
        if !body || matches!(answer.status, 100..=199 | 204 | 304) {
            return Ok(answer);
        }
        let chunked = answer.header("Transfer-Encoding").map(|value| value == "chunked");
        let length = answer.header("Content-Length").map(|value| value.parse::<usize>());
        answer.body = match (chunked, length) {
            (Some(true), None) => self.read_chunks()?,
            (None, Some(Ok(length))) => self.read_bytes(length)?,
            (None, None) => self.read_to_end()?,
            other => return Err(format!("framed as {other:?}: {answer:?}")),
        };
        Ok(answer)
    }

    fn read_head(&mut self) -> Result<Answer, String> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            self.receive()?;
        };
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        let head = String::from_utf8(head).map_err(|error| error.to_string())?;
        let mut lines = head.trim_end().split("\r\n");
        let mut status_line = lines.next().unwrap_or_default().splitn(3, ' ');
        let version = status_line.next().unwrap_or_default().to_owned();
        let status = status_line.next().and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| format!("no status: {head:?}"))?;
        let headers = lines
            .map(|line| {
                let (name, value) =
                    line.split_once(": ").ok_or_else(|| format!("no header: {line:?}"))?;
                Ok((name.to_owned(), value.to_owned()))
            })
            .collect::<Result<_, String>>()?;
        Ok(Answer { version, status, headers, body: Vec::new() })
    }

    fn read_chunks(&mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            let line = self.read_line()?;
            let size =
                usize::from_str_radix(&line, 16).map_err(|_| format!("no size: {line:?}"))?;
            let chunk = self.read_bytes(size)?;
            body.extend_from_slice(&chunk);
            let end = self.read_line()?;
            if !end.is_empty() {
                return Err(format!("a chunk of {size} bytes ends with {end:?}"));
            }
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn read_line(&mut self) -> Result<String, String> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|bytes| bytes == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..at + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            self.receive()?;
        }
    }

    fn read_bytes(&mut self, count: usize) -> Result<Vec<u8>, String> {
        while self.buffer.len() < count {
            self.receive()?;
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// All that comes until the connection ends well.
    pub fn read_to_end(&mut self) -> Result<Vec<u8>, String> {
        let mut all = std::mem::take(&mut self.buffer);
        match self.stream.read_to_end(&mut all) {
            Ok(_) => Ok(all),
            Err(error) => Err(format!("{error} after {} bytes", all.len())),
        }
    }

    /// Reads some more.
    fn receive(&mut self) -> Result<(), String> {
        let mut bytes = [0; 65_536];
        match self.stream.read(&mut bytes) {
            Ok(0) => Err(format!("it ended after {:?}", String::from_utf8_lossy(&self.buffer))),
            Ok(count) => {
                self.buffer.extend_from_slice(&bytes[..count]);
                Ok(())
            }
            Err(error) => Err(format!("{error} after {} bytes", self.buffer.len())),
        }
    }

    /// Bytes of a body that a head's reader got too.
    pub fn take_received(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Waits until the other side has closed, well or with a reset, and says nothing more.
    ///
    /// # Panics
    /// If there is anything else to read, or it stays open.
    pub fn is_closed(&mut self) {
        assert!(self.buffer.is_empty(), "unread: {:?}", String::from_utf8_lossy(&self.buffer));
        let mut byte = [0; 1_024];
        match self.stream.read(&mut byte) {
            Ok(0) => {}
            Ok(count) => panic!("it said {:?}", String::from_utf8_lossy(&byte[..count])),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection stays open: {error}"),
        }
    }
}
