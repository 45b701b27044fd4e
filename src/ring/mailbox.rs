//! Mailboxes: how another thread hands a value to a ring's thread.
//!
//! A bounded lock-free queue, and an eventfd that the ring polls. Senders are control threads with no
//! ring of this kind, so a write to the eventfd is what wakes the receiver.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

use crossbeam::queue::ArrayQueue;
use rustix::event::{EventfdFlags, eventfd};

use super::socket::Readable;
use super::turn::Ring;

struct Shared<T> {
    queue: ArrayQueue<T>,
    bell: OwnedFd,
    /// The receiver has gone.
    closed: AtomicBool,
}

impl<T> Shared<T> {
    /// Drops what nobody is going to receive.
    fn empty(&self) {
        while self.queue.pop().is_some() {}
    }
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
        let queue = ArrayQueue::new(capacity);
        let shared = Arc::new(Shared { queue, bell, closed: AtomicBool::new(false) });
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
    /// Hands `value` over. To a receiver that has gone it is dropped.
    ///
    /// # Errors
    /// The value comes back when the mailbox is full.
    pub fn send(&self, value: T) -> Result<(), T> {
        self.0.queue.push(value)?;
        // Either this end sees that the other has gone, or that one, going, sees the value.
        fence(Ordering::SeqCst);
        if self.0.closed.load(Ordering::SeqCst) {
            self.0.empty();
        }
        // Fails only when the counter is at its end: then the receiver is awake anyway.
        let _ = rustix::io::write(&self.0.bell, &1_u64.to_ne_bytes());
        Ok(())
    }
}

/// The receiving end.
pub struct MailboxReceiver<T>(Arc<Shared<T>>);

impl<T> Drop for MailboxReceiver<T> {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.0.empty();
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_receives_is_dropped() {
        let value = Arc::new(());
        let Mailbox { sender, receiver } = Mailbox::new(2).unwrap();
        assert!(sender.send(Arc::clone(&value)).is_ok());
        assert_eq!(Arc::strong_count(&value), 2);
        drop(receiver);
        assert_eq!(Arc::strong_count(&value), 1, "it waited");
        let other = sender.clone();
        for _ in 0..5 {
            assert!(sender.send(Arc::clone(&value)).is_ok(), "and does not fill the mailbox");
            assert!(other.send(Arc::clone(&value)).is_ok());
        }
        assert_eq!(Arc::strong_count(&value), 1, "it came late");
    }
}
