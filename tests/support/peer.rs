//! A scripted upstream: a closure answers each connection in the protocol's words, bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::Socket;

use super::PATIENCE;

/// A listener whose connections run a script.
#[derive(Debug)]
pub struct Peer {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
    seen: Mutex<Receiver<Seen>>,
}

/// What happened at an upstream, told to the test by the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A request came, whole.
    Request(Request),
    /// The gateway has closed or reset its connection.
    Closed,
    /// So many bytes.
    Bytes(u64),
    /// Whatever a script wants to say.
    Said(&'static str),
}

/// A request as the gateway sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
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
}

impl Peer {
    /// Runs `script` for every connection, each on a thread of its own.
    pub fn start(script: impl Fn(PeerConnection) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let stop = Arc::new(AtomicBool::new(false));
        let connections = Arc::new(AtomicUsize::new(0));
        let (tell, seen) = channel();
        std::thread::spawn({
            let (stop, connections, script) = (stop.clone(), connections.clone(), Arc::new(script));
            move || {
                while let Ok((stream, _)) = listener.accept() {
                    if stop.load(Ordering::Acquire) {
                        return;
                    }
                    let number = connections.fetch_add(1, Ordering::AcqRel);
                    let connection = PeerConnection::over(stream, number, tell.clone());
                    let script = script.clone();
                    std::thread::spawn(move || script(connection));
                }
            }
        });
        Self { address, stop, connections, seen: Mutex::new(seen) }
    }

    /// Answers every request with the same bytes, and tells each.
    pub fn answering(answer: &'static [u8]) -> Self {
        Self::start(move |mut connection| {
            while let Some(request) = connection.request() {
                connection.tells(Seen::Request(request));
                connection.sends(answer);
            }
        })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Waits for what the scripts tell next.
    pub fn saw(&self) -> Seen {
        let seen = self.seen.lock().expect("one reader");
        seen.recv_timeout(PATIENCE).expect("the upstream sees something")
    }

    /// Waits for a request.
    pub fn request(&self) -> Request {
        match self.saw() {
            Seen::Request(request) => request,
            other => panic!("no request but {other:?}"),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Wakes the accept.
        let _ = TcpStream::connect(self.address);
    }
}

/// One connection of the gateway to a scripted upstream.
#[derive(Debug)]
pub struct PeerConnection {
    pub stream: TcpStream,
    /// How many came before it.
    pub number: usize,
    buffer: Vec<u8>,
    tell: Sender<Seen>,
}

impl PeerConnection {
    fn over(stream: TcpStream, number: usize, tell: Sender<Seen>) -> Self {
        stream.set_nodelay(true).expect("a TCP socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time above 0");
        Self { stream, number, buffer: Vec::new(), tell }
    }

    /// Lets the test know.
    pub fn tells(&self, seen: Seen) {
        // A test that has ended does not care.
        let _ = self.tell.send(seen);
    }

    /// The next whole request; `None`: the gateway has closed.
    pub fn request(&mut self) -> Option<Request> {
        let mut request = self.head()?;
        if request.header("Transfer-Encoding").is_some() {
            request.body = self.chunks();
        } else if let Some(length) = request.header("Content-Length") {
            let length: usize = length.parse().expect("a length");
            while self.buffer.len() < length {
                assert!(self.receive(), "the gateway ended within a body");
            }
            request.body = self.buffer.drain(..length).collect();
        }
        Some(request)
    }

    /// The next request's head; its body stays to be read.
    pub fn head(&mut self) -> Option<Request> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.receive() {
                return None;
            }
        };
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        let head = String::from_utf8(head).expect("a head of UTF-8");
        let mut lines = head.trim_end().split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        assert_eq!(first.next().as_deref(), Some("HTTP/1.1"), "{head}");
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(": ").expect("name, colon, blank, value");
                (name.to_owned(), value.to_owned())
            })
            .collect();
        Some(Request { method, target, headers, body: Vec::new() })
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.line();
            let size = usize::from_str_radix(&line, 16).unwrap_or_else(|_| panic!("{line:?}"));
            while self.buffer.len() < size + 2 {
                assert!(self.receive(), "the gateway ended within a chunk");
            }
            body.extend(self.buffer.drain(..size));
            assert_eq!(self.line(), "", "after a chunk of {size} bytes");
            if size == 0 {
                return body;
            }
        }
    }

    fn line(&mut self) -> String {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|bytes| bytes == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..at + 2).collect();
                return String::from_utf8_lossy(&line[..at]).into_owned();
            }
            assert!(self.receive(), "the gateway ended within a line");
        }
    }

    /// Reads some more; `false`: the gateway has closed or reset.
    fn receive(&mut self) -> bool {
        let mut bytes = vec![0; 65_536];
        let count = self.read(&mut bytes);
        self.buffer.extend_from_slice(&bytes[..count]);
        count > 0
    }

    /// Reads what comes next, of a body for example; 0: the gateway has closed or reset.
    pub fn read(&mut self, into: &mut [u8]) -> usize {
        match self.stream.read(into) {
            Ok(count) => count,
            Err(error) if is_gone(error.kind()) => 0,
            Err(error) => panic!("an upstream waits in vain: {error}"),
        }
    }

    /// Bytes of a body that came with its head.
    pub fn take_received(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Sends; `false`: the gateway has closed.
    pub fn sends(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends until nothing more is taken for `time`; gives how many bytes were.
    pub fn sends_until_blocked(&mut self, piece: &[u8], most: u64, time: Duration) -> u64 {
        self.stream.set_write_timeout(Some(time)).expect("a time above 0");
        let mut sent = 0;
        while sent < most {
            match self.stream.write(piece) {
                Ok(count) => sent += count as u64,
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    break;
                }
                Err(error) => panic!("the gateway closed after {sent} bytes: {error}"),
            }
        }
        self.stream.set_write_timeout(None).expect("none is fine");
        sent
    }

    /// Waits until the gateway closes its side.
    pub fn waits_for_close(&mut self) {
        while self.receive() {}
    }

    pub fn ends(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Closes with a reset.
    pub fn resets(self) {
        let socket = Socket::from(self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("a TCP socket");
    }
}

fn is_gone(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted
    )
}
