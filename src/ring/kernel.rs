//! The seam below which is the kernel, real or simulated.

use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::Duration;

use super::buf_ring::BufPool;
use super::op::{Cqe, Op};
use super::sim::SimKernel;
use super::uring::{MessageParts, Uring};
use crate::time::{Nanos, WallMillis};

/// Both ends of a connected socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketNames {
    /// The other side's address.
    pub peer: SocketAddr,
    /// Our side's address.
    pub local: SocketAddr,
}

/// What carries ops out.
pub(super) enum Kernel {
    Uring(Box<Uring>),
    Sim(SimKernel),
}

impl Kernel {
    /// Queues `op`; everything its SQE points to is owned by the op or by `message`.
    pub(super) fn push(
        &mut self,
        user_data: u64,
        op: &mut Op,
        message: &mut Option<Box<MessageParts>>,
    ) {
        match self {
            Self::Uring(uring) => uring.push(user_data, op, message),
            Self::Sim(sim) => sim.push(user_data, op),
        }
    }

    /// Submits what is queued. With `wait`, returns when there is a CQE or after `timeout`.
    pub(super) fn submit(&mut self, wait: bool, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Uring(uring) => uring.submit(wait, timeout),
            Self::Sim(sim) => {
                sim.submit(wait, timeout);
                Ok(())
            }
        }
    }

    /// Whether everything that was queued has been submitted.
    pub(super) fn has_taken_all(&mut self) -> bool {
        match self {
            Self::Uring(uring) => uring.has_taken_all(),
            Self::Sim(sim) => sim.has_taken_all(),
        }
    }

    /// Whether completions wait that found no place in the queue; a later `submit` hands them over.
    pub(super) fn cq_overflowed(&mut self) -> bool {
        match self {
            Self::Uring(uring) => uring.cq_overflowed(),
            Self::Sim(sim) => sim.cq_overflowed(),
        }
    }

    /// Moves all CQEs that are there into `cqes`.
    pub(super) fn drain(&mut self, cqes: &mut Vec<Cqe>) {
        match self {
            Self::Uring(uring) => uring.drain(cqes),
            Self::Sim(sim) => sim.drain(cqes),
        }
    }

    pub(super) fn register_buffers(&mut self, pool: &Rc<BufPool>) -> io::Result<()> {
        match self {
            Self::Uring(uring) => uring.register_buffers(pool),
            Self::Sim(sim) => {
                sim.register_buffers(pool);
                Ok(())
            }
        }
    }

    /// `CLOCK_MONOTONIC`; costs some 30 ns.
    pub(super) fn now(&self) -> Nanos {
        match self {
            Self::Uring(_) => {
                let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
                Nanos(now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64)
            }
            Self::Sim(sim) => sim.now(),
        }
    }

    /// `CLOCK_REALTIME`.
    pub(super) fn wall(&self) -> WallMillis {
        match self {
            Self::Uring(_) => {
                let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
                WallMillis(now.tv_sec as u64 * 1_000 + now.tv_nsec as u64 / 1_000_000)
            }
            Self::Sim(sim) => sim.wall(),
        }
    }

    /// A new TCP socket for a connection to `addr`, with `TCP_NODELAY`.
    pub(super) fn socket(&mut self, addr: &SocketAddr) -> io::Result<RawFd> {
        match self {
            Self::Uring(_) => {
                let socket = socket2::Socket::new(
                    socket2::Domain::for_address(*addr),
                    socket2::Type::STREAM.cloexec(),
                    Some(socket2::Protocol::TCP),
                )?;
                socket.set_tcp_nodelay(true)?;
                Ok(std::os::fd::IntoRawFd::into_raw_fd(socket))
            }
            Self::Sim(sim) => Ok(sim.socket(*addr)),
        }
    }

    /// Whether a socket has neither data to read nor an end or error to report; a system call.
    pub(super) fn is_quiet(&self, fd: RawFd) -> bool {
        match self {
            Self::Uring(_) => {
                // SAFETY: the caller (`RecvStream`) owns the descriptor, which stays open over this call.
                let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
                let flags = rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT;
                matches!(
                    rustix::net::recv(fd, &mut [0_u8; 1], flags),
                    Err(rustix::io::Errno::AGAIN)
                )
            }
            Self::Sim(sim) => sim.is_quiet(fd),
        }
    }

    /// Addresses of both ends.
    pub(super) fn names(&self, fd: RawFd) -> io::Result<SocketNames> {
        match self {
            Self::Uring(_) => {
                // SAFETY: the caller (`Socket`) owns the descriptor, which stays open over this call.
                let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
                let addr = |any: Option<SocketAddr>| {
                    any.ok_or(io::Error::from(io::ErrorKind::InvalidData))
                };
                Ok(SocketNames {
                    peer: addr(rustix::net::getpeername(fd)?.and_then(|a| a.try_into().ok()))?,
                    local: addr(rustix::net::getsockname(fd)?.try_into().ok())?,
                })
            }
            Self::Sim(sim) => sim.names(fd),
        }
    }
}
