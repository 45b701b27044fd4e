//! Slots: where ops live from submission to their final CQE.
//!
//! ```text
//! Free ──insert──▶ Live ──final CQE──▶ Done ──taken by its future──▶ Free
//!                   └──future dropped──▶ Orphaned ──final CQE──▶ Free
//! ```
//!
//! What a multishot receive brings while nobody reads does not stay in shared buffers: it is *spilled*,
//! put together in heap memory of the slot, and a made-up completion takes its place in the queue.
//!
//! `user_data` is index and generation together, so that a CQE of an earlier life of a slot is told
//! apart (a bug of ours if it ever came: the final CQE ends a life).

use std::collections::VecDeque;

use super::op::{Cqe, Op};
use super::task::NO_TASK;
use super::uring::MessageParts;

/// Names a slot in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl Key {
    pub(super) fn user_data(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    pub(super) fn from_user_data(user_data: u64) -> Self {
        Self { index: user_data as u32, generation: (user_data >> 32) as u32 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Free,
    Live,
    Done,
    Orphaned,
}

pub(super) struct Slot {
    pub(super) state: State,
    pub(super) generation: u32,
    /// Task to run when something completes.
    pub(super) task: u32,
    /// A cancel has been submitted.
    pub(super) cancelled: bool,
    /// The task waits for this very op: it will take the next CQE in the turn that brings it.
    pub(super) awaited: bool,
    /// It is in the list of slots whose data may have to be spilled after this turn's tasks have run.
    pub(super) listed: bool,
    pub(super) op: Option<Op>,
    /// A multishot's CQEs that nobody has taken; a one-shot's single one.
    pub(super) cqes: VecDeque<Cqe>,
    /// The bytes of the CQE that stands for spilled data; see [`Cqe::is_spill`].
    pub(super) spilled: Vec<u8>,
    /// Message header of a vectored send: kept from life to life.
    pub(super) message: Option<Box<MessageParts>>,
    next_free: u32,
}

const NONE: u32 = u32::MAX;

/// A queue that has grown beyond this many CQEs is not kept for the slot's next life.
const KEPT_CQES_MAX: usize = 64;

/// All slots of a ring.
pub(super) struct Slots {
    slots: Vec<Slot>,
    first_free: u32,
    live_count: usize,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new(), first_free: NONE, live_count: 0 }
    }

    /// Ops that have not seen their final CQE, or whose result nobody has taken.
    pub(super) fn live_count(&self) -> usize {
        self.live_count
    }

    pub(super) fn insert(&mut self, op: Op, task: u32) -> Key {
        let index = if self.first_free == NONE {
            let index = u32::try_from(self.slots.len()).expect("fewer than 2^32 slots");
            self.slots.push(Slot {
                state: State::Free,
                generation: 0,
                task: 0,
                cancelled: false,
                awaited: false,
                listed: false,
                op: None,
                cqes: VecDeque::new(),
                spilled: Vec::new(),
                message: None,
                next_free: NONE,
            });
            index
        } else {
            self.first_free
        };
        let slot = &mut self.slots[index as usize];
        assert_eq!(slot.state, State::Free);
        self.first_free = slot.next_free;
        slot.state = State::Live;
        slot.task = task;
        slot.cancelled = false;
        slot.awaited = false;
        slot.op = Some(op);
        self.live_count += 1;
        Key { index, generation: slot.generation }
    }

    /// The slot in the life that `key` names.
    ///
    /// # Panics
    /// If that life is over: only our own mistake can cause it.
    pub(super) fn slot(&mut self, key: Key) -> &mut Slot {
        let slot = &mut self.slots[key.index as usize];
        assert_eq!(slot.generation, key.generation, "a slot outlives its key");
        assert_ne!(slot.state, State::Free);
        slot
    }

    /// The slot in the life that `key` names, if that is not over.
    pub(super) fn slot_if_alive(&mut self, key: Key) -> Option<&mut Slot> {
        let slot = &mut self.slots[key.index as usize];
        (slot.generation == key.generation && slot.state != State::Free).then_some(slot)
    }

    /// Ends the slot's life; returns the op for whoever wants its buffers.
    pub(super) fn retire(&mut self, key: Key) -> Op {
        let first_free = self.first_free;
        let slot = self.slot(key);
        let op = slot.op.take().expect("a slot that is not free has an op");
        slot.state = State::Free;
        slot.generation = slot.generation.wrapping_add(1);
        slot.cqes.clear();
        if slot.cqes.capacity() > KEPT_CQES_MAX {
            slot.cqes = VecDeque::new();
        }
        slot.spilled = Vec::new();
        slot.listed = false;
        slot.next_free = first_free;
        self.first_free = key.index;
        self.live_count -= 1;
        op
    }

    /// Takes in a CQE. `Some(op)`: the slot was an orphan and this was its final CQE; the caller drops
    /// the op (and gives back what the CQE brought) when it holds no borrow.
    pub(super) fn complete(&mut self, cqe: Cqe) -> Completed {
        let key = Key::from_user_data(cqe.user_data);
        let slot = self.slot(key);
        match slot.state {
            State::Live => {
                // A task that was woken for an earlier CQE finds this one too.
                let wakes = slot.cqes.is_empty() || !cqe.more;
                slot.cqes.push_back(cqe);
                if !cqe.more {
                    slot.state = State::Done;
                }
                Completed::Queued { task: if wakes { slot.task } else { NO_TASK }, key }
            }
            State::Orphaned if cqe.more => {
                Completed::Ignored { accepts: matches!(slot.op, Some(Op::Accept { .. })) }
            }
            State::Orphaned => Completed::Retired(self.retire(key)),
            State::Done | State::Free => unreachable!("a CQE after the final one"),
        }
    }
}

/// What a CQE led to.
pub(super) enum Completed {
    /// The slot has something to take; `task` is to be woken.
    Queued { task: u32, key: Key },
    /// An orphaned multishot's CQE that is not the final one.
    Ignored { accepts: bool },
    /// An orphan has ended.
    Retired(Op),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cqe(key: Key, result: i32, more: bool) -> Cqe {
        Cqe { user_data: key.user_data(), result, more, buf_id: None }
    }

    #[test]
    fn a_slot_is_reused_only_after_its_final_cqe() {
        let mut slots = Slots::new();
        let key = slots.insert(Op::RecvMulti { fd: 3 }, 7);
        slots.slot(key).state = State::Orphaned;
        assert!(matches!(slots.complete(cqe(key, 5, true)), Completed::Ignored { .. }));
        let other = slots.insert(Op::Close { fd: 4 }, 7);
        assert_ne!(other.index, key.index);
        assert!(matches!(
            slots.complete(cqe(key, -125, false)),
            Completed::Retired(Op::RecvMulti { fd: 3 })
        ));
        let again = slots.insert(Op::Close { fd: 5 }, 7);
        assert_eq!(again.index, key.index);
        assert_ne!(again.generation, key.generation);
        assert_eq!(slots.live_count(), 2);
    }

    #[test]
    fn a_multishot_keeps_its_cqes_in_order() {
        let mut slots = Slots::new();
        let key = slots.insert(Op::RecvMulti { fd: 3 }, 7);
        // The first one wakes the task, and the end does, in case only that is waited for.
        for (result, more, woken) in [(1, true, 7), (2, true, NO_TASK), (0, false, 7)] {
            let completed = slots.complete(cqe(key, result, more));
            assert!(matches!(completed, Completed::Queued { task, .. } if task == woken));
        }
        let slot = slots.slot(key);
        assert_eq!(slot.state, State::Done);
        assert_eq!(slot.cqes.iter().map(|cqe| cqe.result).collect::<Vec<_>>(), [1, 2, 0]);
    }
}
