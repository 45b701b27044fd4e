//! The floor: what the kernel alone costs a server on io_uring.
//!
//! `perf-floor LISTEN [UPSTREAM [--bulk]]`, both `address:port`. Without an upstream every receive is answered by
//! one constant; with one the bytes pass through as they came, each client with a connection of its own to the
//! upstream. Nothing is parsed, counted, limited or logged, no deadline runs. Ringway's own way through the kernel
//! (multishot receives into a shared buffer ring, sends that need no completion, one system call a turn; with
//! `--bulk` one receive and one send of up to 256 KiB) is all there is.
//!
//! So whatever a peer costs over this is the most by which any server can be cheaper than that peer here. It is no
//! server: a client that does not read is cut off, and one that sends half a request gets an answer.

use std::error::Error;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::squeue::Flags;
use io_uring::types::{BufRingEntry, Fd};
use io_uring::{IoUring, cqueue, opcode, squeue};

/// Buffers of the ring that all connections share, and bytes of each.
const BUF_COUNT: u16 = 512;
const BUF_BYTES: usize = 4_096;
/// One receive with `--bulk`, bytes.
const BULK_BYTES: usize = 256 * 1_024;
/// `MSG_DONTWAIT | MSG_WAITALL`: see `src/ring/turn/post.rs`.
const POSTED: i32 = 0x40 | 0x100;
const WAITALL: i32 = 0x100;

/// As many bytes as Ringway answers a MOCK with.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\
    Date: Thu, 26 Nov 2026 10:00:00 GMT\r\nx-amzn-RequestId: 01234567-89ab-4def-8123-456789abcdef\r\n\
    x-amz-apigw-id: abcdefghijklmno=\r\nConnection: keep-alive\r\n\r\n\
    {\"id\":137,\"name\":\"a constant answer of one hundred bytes\",\"kind\":\"perf\",\"tags\":[\"ring\",\"way\"],\"n\":1}";

/// What a completion belongs to; the descriptor stands above it in `user_data`.
const ACCEPT: u64 = 1;
const RECV: u64 = 2;
const BULK_RECV: u64 = 3;
const BULK_SEND: u64 = 4;
const POST: u64 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (listen, upstream, bulk) = match &arguments[..] {
        [listen] => (listen, None, false),
        [listen, upstream] => (listen, Some(upstream.parse()?), false),
        [listen, upstream, flag] if flag == "--bulk" => (listen, Some(upstream.parse()?), true),
        _ => return Err("usage: perf-floor LISTEN [UPSTREAM [--bulk]]".into()),
    };
    Floor::new(listen.parse()?, upstream, bulk)?.run()
}

/// Where what comes from a connection goes.
#[derive(Clone, Copy)]
enum Goes {
    /// Nowhere: the constant goes back.
    Back,
    To(RawFd),
    /// The other end is gone.
    Lost,
}

/// One end.
struct Connection {
    socket: OwnedFd,
    goes: Goes,
    /// For `--bulk`; never freed, because the kernel may write to it until the process ends.
    memory: Option<&'static mut [u8; BULK_BYTES]>,
}

struct Floor {
    ring: IoUring,
    listener: TcpListener,
    upstream: Option<SocketAddr>,
    bulk: bool,
    buffers: Buffers,
    /// By descriptor.
    connections: Vec<Option<Connection>>,
    /// Memory of connections that have ended.
    spare: Vec<&'static mut [u8; BULK_BYTES]>,
    /// What the next submission takes.
    queue: Vec<squeue::Entry>,
}

impl Floor {
    fn new(
        listen: SocketAddr,
        upstream: Option<SocketAddr>,
        bulk: bool,
    ) -> Result<Self, Box<dyn Error>> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_coop_taskrun()
            .setup_cqsize(8_192)
            .build(1_024)?;
        let buffers = Buffers::new(&ring)?;
        let listener = TcpListener::bind(listen)?;
        let accept = opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).build().user_data(ACCEPT);
        Ok(Self {
            ring,
            listener,
            upstream,
            bulk,
            buffers,
            connections: Vec::new(),
            spare: Vec::new(),
            queue: vec![accept],
        })
    }

    fn run(mut self) -> Result<(), Box<dyn Error>> {
        let mut completions = Vec::with_capacity(8_192);
        loop {
            for entry in self.queue.drain(..) {
                // SAFETY: buffers of the ring, the constant answer and memory for bulk receives are never freed,
                // and no two operations of a connection use its memory at once.
                while unsafe { self.ring.submission().push(&entry) }.is_err() {
                    self.ring.submit()?;
                }
            }
            self.ring.submit_and_wait(1)?;
            // A posted send has left its buffer when it has been submitted: that may be received into again.
            self.buffers.give_back();
            completions.extend(self.ring.completion());
            for completion in completions.drain(..) {
                self.complete(&completion)?;
            }
        }
    }

    fn complete(&mut self, completion: &cqueue::Entry) -> Result<(), Box<dyn Error>> {
        let (kind, fd) = (completion.user_data() & 0xff, (completion.user_data() >> 8) as RawFd);
        let result = completion.result();
        match kind {
            ACCEPT if result < 0 => {
                return Err(std::io::Error::from_raw_os_error(-result).into());
            }
            ACCEPT => {
                // SAFETY: the kernel has just made it, and nobody else knows of it.
                self.begin(unsafe { OwnedFd::from_raw_fd(result) })?;
                if !cqueue::more(completion.flags()) {
                    let listener = Fd(self.listener.as_raw_fd());
                    self.queue.push(opcode::AcceptMulti::new(listener).build().user_data(ACCEPT));
                }
            }
            RECV => self.received(fd, completion),
            BULK_RECV if result > 0 => self.bulk_send(fd, result as u32),
            BULK_SEND if result > 0 => self.receive(fd),
            POST => self.cut(fd),
            _ => self.end(fd),
        }
        Ok(())
    }

    fn begin(&mut self, client: OwnedFd) -> Result<(), Box<dyn Error>> {
        rustix::net::sockopt::set_tcp_nodelay(&client, true)?;
        let upstream = match self.upstream {
            None => None,
            Some(address) => {
                let upstream = TcpStream::connect(address)?;
                upstream.set_nodelay(true)?;
                Some(OwnedFd::from(upstream))
            }
        };
        let back = Goes::To(client.as_raw_fd());
        self.add(client, upstream.as_ref().map_or(Goes::Back, |it| Goes::To(it.as_raw_fd())));
        if let Some(upstream) = upstream {
            self.add(upstream, back);
        }
        Ok(())
    }

    fn add(&mut self, socket: OwnedFd, goes: Goes) {
        let fd = socket.as_raw_fd();
        let memory = self
            .bulk
            .then(|| self.spare.pop().unwrap_or_else(|| Box::leak(Box::new([0; BULK_BYTES]))));
        let place = fd as usize;
        if self.connections.len() <= place {
            self.connections.resize_with(place + 1, || None);
        }
        self.connections[place] = Some(Connection { socket, goes, memory });
        self.receive(fd);
    }

    fn receive(&mut self, fd: RawFd) {
        let Some(connection) = self.connections.get_mut(fd as usize).and_then(Option::as_mut)
        else {
            return;
        };
        self.queue.push(match &mut connection.memory {
            Some(memory) => opcode::Recv::new(Fd(fd), memory.as_mut_ptr(), BULK_BYTES as u32)
                .build()
                .user_data(tag(fd, BULK_RECV)),
            None => opcode::RecvMulti::new(Fd(fd), 0).build().user_data(tag(fd, RECV)),
        });
    }

    fn received(&mut self, fd: RawFd, completion: &cqueue::Entry) {
        let more = cqueue::more(completion.flags());
        let Some(id) = cqueue::buffer_select(completion.flags()) else {
            // Without a buffer in the ring it is asked again, otherwise the peer has ended.
            let empty = completion.result() == -rustix::io::Errno::NOBUFS.raw_os_error();
            return if empty { self.receive(fd) } else { self.end(fd) };
        };
        self.buffers.used(id);
        let Some(connection) = self.connections.get(fd as usize).and_then(Option::as_ref) else {
            return;
        };
        let post = |to, bytes, count: usize| {
            let send = opcode::Send::new(Fd(to), bytes, count as u32).flags(POSTED).build();
            send.flags(Flags::SKIP_SUCCESS).user_data(tag(to, POST))
        };
        self.queue.extend(match connection.goes {
            Goes::Back => Some(post(fd, ANSWER.as_ptr(), ANSWER.len())),
            Goes::To(to) => {
                Some(post(to, self.buffers.bytes(id), completion.result().max(0) as usize))
            }
            Goes::Lost => None,
        });
        if !more {
            self.receive(fd);
        }
    }

    fn bulk_send(&mut self, fd: RawFd, count: u32) {
        let Some(connection) = self.connections.get(fd as usize).and_then(Option::as_ref) else {
            return;
        };
        let (Goes::To(to), Some(memory)) = (connection.goes, &connection.memory) else {
            return self.end(fd);
        };
        let send = opcode::Send::new(Fd(to), memory.as_ptr(), count).flags(WAITALL).build();
        self.queue.push(send.user_data(tag(fd, BULK_SEND)));
    }

    /// A peer does not read: its receive ends, and with that the connection.
    fn cut(&self, fd: RawFd) {
        if let Some(connection) = self.connections.get(fd as usize).and_then(Option::as_ref) {
            // An error says that it is gone already.
            let _ = rustix::net::shutdown(&connection.socket, rustix::net::Shutdown::Both);
        }
    }

    /// One end is gone: the other's receive ends with it.
    fn end(&mut self, fd: RawFd) {
        let Some(connection) = self.connections.get_mut(fd as usize).and_then(Option::take) else {
            return;
        };
        self.spare.extend(connection.memory);
        let Goes::To(to) = connection.goes else { return };
        if let Some(other) = self.connections.get_mut(to as usize).and_then(Option::as_mut) {
            other.goes = Goes::Lost;
        }
        self.cut(to);
    }
}

fn tag(fd: RawFd, kind: u64) -> u64 {
    (fd as u64) << 8 | kind
}

/// A page, so that the kernel gets what is aligned as it wants it.
#[repr(align(4096))]
struct Page([u8; BUF_BYTES]);

/// Buffers from which the kernel takes one when data is there.
struct Buffers {
    pages: &'static mut [Page],
    entries: *mut BufRingEntry,
    tail: u16,
    used: Vec<u16>,
}

impl Buffers {
    fn new(ring: &IoUring) -> Result<Self, Box<dyn Error>> {
        let pages =
            |count: usize| (0..count).map(|_| Page([0; BUF_BYTES])).collect::<Vec<_>>().leak();
        let bytes = usize::from(BUF_COUNT) * size_of::<BufRingEntry>();
        let entries = pages(bytes.div_ceil(BUF_BYTES)).as_mut_ptr().cast::<BufRingEntry>();
        // SAFETY: page-aligned, large enough for `BUF_COUNT` entries, and never freed.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(entries.addr() as u64, BUF_COUNT, 0, 0)?
        };
        let mut buffers = Self {
            pages: pages(usize::from(BUF_COUNT)),
            entries,
            tail: 0,
            used: (0..BUF_COUNT).collect(),
        };
        buffers.give_back();
        Ok(buffers)
    }

    fn bytes(&self, id: u16) -> *const u8 {
        self.pages[usize::from(id)].0.as_ptr()
    }

    fn used(&mut self, id: u16) {
        self.used.push(id);
    }

    /// Puts into the ring what has been used.
    fn give_back(&mut self) {
        for id in self.used.drain(..) {
            let place = usize::from(self.tail & (BUF_COUNT - 1));
            // SAFETY: within the entries, of which the kernel reads only those before the published tail.
            let entry = unsafe { &mut *self.entries.add(place) };
            entry.set_addr(self.pages[usize::from(id)].0.as_mut_ptr().addr() as u64);
            entry.set_len(BUF_BYTES as u32);
            entry.set_bid(id);
            self.tail = self.tail.wrapping_add(1);
        }
        // SAFETY: the tail lies in the first entry, aligned for 16 bits; kernel and we change it atomically.
        let tail = unsafe { &*BufRingEntry::tail(self.entries).cast::<AtomicU16>() };
        tail.store(self.tail, Ordering::Release);
    }
}
