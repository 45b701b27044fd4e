//! io_uring for one thread: ops, buffers, tasks, timers, mailboxes. The only unsafe code.
//!
//! A [`Ring`] belongs to one thread. Its loop turns like this:
//!
//! ```text
//! run ready tasks → submit what they queued and wait (one system call) → drain all CQEs → due timers
//! ```
//!
//! An op's slot owns everything the kernel touches until the *final* CQE (the one without
//! `IORING_CQE_F_MORE`); a future holds only the slot's key. Dropping a future cancels the op and
//! orphans the slot: nothing is freed early, nothing leaks.
//!
//! **Invariant**: this module knows nothing of HTTP; outside of it the crate has no `unsafe`.

#![allow(unsafe_code)]

mod buf_ring;
mod caught;
mod kernel;
mod mailbox;
mod op;
mod probe;
#[doc(hidden)]
pub mod sim;
mod slot;
mod socket;
mod task;
#[cfg(test)]
mod tests;
mod timer;
mod turn;
mod uring;

pub use buf_ring::RecvBuf;
pub use caught::is_panic_caught;
pub use kernel::SocketNames;
pub use mailbox::{Mailbox, MailboxReceiver, MailboxSender};
pub use op::{SendBuf, Tail};
pub use probe::{KernelReport, ProbeError, probe};
pub use socket::{AcceptStream, Accepted, RecvStream, Socket};
pub use task::{Either, Select, select, yield_now};
pub use timer::Timer;
pub use turn::{Ring, RingConfig, RingStats};
