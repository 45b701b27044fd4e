//! Mailboxes: how another thread hands a value to a ring's thread.
//!
//! A bounded lock-free queue, and an eventfd that the ring polls. Senders are control threads with no
//! ring of this kind, so a write to the eventfd is what wakes the receiver.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use crossbeam::queue::ArrayQueue;
use rustix::event::{EventfdFlags, eventfd};

use super::socket::Readable;
use super::turn::Ring;

struct Shared<T> {
    queue: ArrayQueue<T>,
    bell: OwnedFd,
}

/// Both ends of a mailbox.
pub struct Mailbox<T> {
    /// For the other threads.
    pub sender: MailboxSender<T>,
    /// For the ring's thread.
    pub receiver: MailboxReceiver<T>,
}

impl<T> Mailbox<T> {
    /// A mailbox for up to `capacity` values.
    ///
    /// # Errors
    /// What `eventfd(2)` says (`EMFILE`).
    pub fn new(capacity: usize) -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let shared = Arc::new(Shared { queue: ArrayQueue::new(capacity), bell });
        Ok(Self { sender: MailboxSender(Arc::clone(&shared)), receiver: MailboxReceiver(shared) })
    }
}

/// The sending end; clones send to the same mailbox.
pub struct MailboxSender<T>(Arc<Shared<T>>);

impl<T> Clone for MailboxSender<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> MailboxSender<T> {
    /// Hands `value` over.
    ///
    /// # Errors
    /// The value comes back when the mailbox is full.
    pub fn send(&self, value: T) -> Result<(), T> {
        self.0.queue.push(value)?;
        // Fails only when the counter is at its end: then the receiver is awake anyway.
        let _ = rustix::io::write(&self.0.bell, &1_u64.to_ne_bytes());
        Ok(())
    }
}

/// The receiving end.
pub struct MailboxReceiver<T>(Arc<Shared<T>>);

impl<T> MailboxReceiver<T> {
    /// Calls `handle` with each value as it comes, until it returns `false`.
    pub async fn run(self, ring: &Ring, mut handle: impl FnMut(T) -> bool) {
        let mut readable = Readable::new(ring, self.0.bell.as_raw_fd());
        loop {
            while let Some(value) = self.0.queue.pop() {
                if !handle(value) {
                    return;
                }
            }
            readable.next().await;
            let _ = rustix::io::read(&self.0.bell, &mut [0_u8; 8]);
        }
    }
}
