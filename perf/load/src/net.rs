//! Sockets and readiness: edge-triggered epoll, whose events carry the connection's index.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::net::RecvFlags;

/// Bytes moved per system call at most.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// An epoll instance and the events of its last wait.
pub struct Poll {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Poll {
    /// A new instance.
    ///
    /// # Errors
    /// What `epoll_create1(2)` says.
    pub fn new() -> io::Result<Self> {
        // The timeouts of open loops are microseconds; the default slack alone is 50.
        rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1))?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, events: Vec::with_capacity(1024) })
    }

    /// Reports `source` as `index` whenever it becomes readable or writable.
    ///
    /// # Errors
    /// What `epoll_ctl(2)` says.
    pub fn add(&self, source: impl AsFd, index: usize) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.epoll, source, EventData::new_u64(index as u64), flags)?)
    }

    /// Waits; appends the indices that are ready to `ready`.
    ///
    /// # Errors
    /// What `epoll_pwait2(2)` says, without `EINTR`.
    pub fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<usize>) -> io::Result<()> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs() as _,
            tv_nsec: timeout.subsec_nanos().into(),
        });
        self.events.clear();
        let spare = rustix::buffer::spare_capacity(&mut self.events);
        match epoll::wait(&self.epoll, spare, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        ready.extend(self.events.iter().map(|event| event.data.u64() as usize));
        Ok(())
    }
}

/// A connected, non-blocking socket without Nagle's delay.
///
/// # Errors
/// What `connect(2)` says.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// A non-blocking listening socket.
///
/// # Errors
/// What `bind(2)` and `listen(2)` say.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Takes up to `bytes` out of the socket without copying them: `MSG_TRUNC` on TCP. 0 is the end.
///
/// # Errors
/// `WouldBlock` when nothing is there; what `recv(2)` says otherwise.
pub fn discard(stream: &TcpStream, scratch: &mut [u8], bytes: u64) -> io::Result<usize> {
    let length = scratch.len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
    let (_, taken) = rustix::net::recv(stream, &mut scratch[..length], RecvFlags::TRUNC)?;
    Ok(taken)
}

/// Whether an error only says "not now".
pub fn is_pending(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
