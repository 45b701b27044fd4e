//! What a future holds of its op.

use std::os::fd::RawFd;
use std::task::Poll;

use super::Ring;
use crate::ring::buf_ring::RecvBuf;
use crate::ring::op::{Cqe, Op};
use crate::ring::slot::{Key, State};

/// An op under way. Dropping it cancels the op.
pub(in crate::ring) struct Handle {
    pub(in crate::ring) ring: Ring,
    /// `None` once the op has ended.
    pub(super) key: Option<Key>,
}

impl Handle {
    /// The next CQE, with the op if it was the final one.
    pub(in crate::ring) fn poll(&mut self) -> Poll<(Cqe, Option<Op>)> {
        let key = self.key.expect("not polled after its end");
        let inner = &*self.ring.0;
        let mut slots = inner.slots.borrow_mut();
        let slot = slots.slot(key);
        slot.task = inner.current.get();
        let Some(cqe) = slot.cqes.pop_front() else {
            slot.awaited = true;
            return Poll::Pending;
        };
        slot.awaited = false;
        if cqe.more {
            if !slot.cqes.is_empty() {
                // The task may wait for something else before it comes back for the rest.
                self.ring.list_unread(slot, key);
            }
            return Poll::Ready((cqe, None));
        }
        assert_eq!(slot.state, State::Done);
        let op = slots.retire(key);
        self.key = None;
        Poll::Ready((cqe, Some(op)))
    }

    /// What ended a multishot, taking nothing; pending while it is armed. The task is woken by its end.
    /// `takes`: what it has brought will be taken then, and so may stay in shared buffers.
    pub(in crate::ring) fn poll_end(&mut self, takes: bool) -> Poll<Cqe> {
        let key = self.key.expect("not polled after its end");
        let inner = &*self.ring.0;
        let mut slots = inner.slots.borrow_mut();
        let slot = slots.slot(key);
        slot.task = inner.current.get();
        slot.awaited = takes;
        match slot.state {
            State::Done => Poll::Ready(*slot.cqes.back().expect("the final CQE is not taken")),
            _ => Poll::Pending,
        }
    }

    /// Nobody waits for the next CQE any more: what it brings must not stay in shared buffers.
    pub(in crate::ring) fn unawait(&mut self) {
        let Some(key) = self.key else { return };
        let mut slots = self.ring.0.slots.borrow_mut();
        let slot = slots.slot(key);
        slot.awaited = false;
        if !slot.cqes.is_empty() {
            self.ring.list_unread(slot, key);
        }
    }

    /// The data that [`Cqe::is_spill`] stands for.
    pub(in crate::ring) fn take_spilled(&mut self) -> RecvBuf {
        let key = self.key.expect("a CQE that stands for spilled data is not the final one");
        let spilled = std::mem::take(&mut self.ring.0.slots.borrow_mut().slot(key).spilled);
        RecvBuf::from_vec(spilled)
    }

    /// The only CQE of a one-shot op.
    pub(in crate::ring) async fn once(mut self) -> (Cqe, Op) {
        std::future::poll_fn(|_| match self.poll() {
            Poll::Ready((cqe, Some(op))) => Poll::Ready((cqe, op)),
            Poll::Ready((_, None)) => unreachable!("a one-shot op has one CQE"),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Whether the final CQE has come.
    #[cfg(test)]
    pub(in crate::ring) fn has_ended(&self) -> bool {
        self.key.is_none_or(|key| self.ring.0.slots.borrow_mut().slot(key).state == State::Done)
    }

    /// Whether the final CQE tells an error; if it has not come, the current task is woken by it.
    pub(in crate::ring) fn has_failed(&self) -> bool {
        let Some(key) = self.key else { return false };
        let mut slots = self.ring.0.slots.borrow_mut();
        let slot = slots.slot(key);
        slot.task = self.ring.0.current.get();
        slot.state == State::Done && slot.cqes.back().is_some_and(|cqe| cqe.result <= 0)
    }

    /// Asks the kernel to end the op; its final CQE will come.
    pub(in crate::ring) fn cancel(&mut self) {
        let Some(key) = self.key else { return };
        let mut slots = self.ring.0.slots.borrow_mut();
        let slot = slots.slot(key);
        if slot.state == State::Live && !slot.cancelled {
            slot.cancelled = true;
            drop(slots);
            self.ring.push_unowned(Op::Cancel { target: key.user_data() });
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        self.cancel();
        let inner = &*self.ring.0;
        let mut slots = inner.slots.borrow_mut();
        let slot = slots.slot(key);
        let untaken = std::mem::take(&mut slot.cqes);
        slot.spilled = Vec::new();
        let done = slot.state == State::Done;
        if !done {
            slot.state = State::Orphaned;
        }
        let multishot_recv = slot.op.as_ref().is_some_and(Op::is_multishot);
        let leases: Vec<RecvBuf> =
            untaken.iter().filter_map(|cqe| self.ring.received(slot.op.as_ref(), cqe)).collect();
        let accepted: Vec<RawFd> = match slot.op {
            Some(Op::Accept { .. }) => {
                untaken.iter().map(|cqe| cqe.result).filter(|&fd| fd >= 0).collect()
            }
            _ => Vec::new(),
        };
        let op = done.then(|| slots.retire(key));
        drop(slots);
        debug_assert!(multishot_recv || untaken.len() <= 1);
        drop((op, leases));
        for fd in accepted {
            self.ring.push_unowned(Op::Close { fd });
        }
    }
}
