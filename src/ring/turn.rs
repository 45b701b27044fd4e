//! The ring itself: its loop, and the handles through which tasks use it.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::os::fd::RawFd;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::buf_ring::{BufPool, RecvBuf};
use super::caught::catch;
use super::kernel::{Kernel, SocketNames};
use super::op::{Cqe, Op, SendMode};
use super::slot::{Completed, Key, Slot, Slots, State};
use super::task::{NO_TASK, Ready, Tasks};
use super::timer::{TimerKey, Wheel};
use super::uring::{GROUP_BULK, GROUP_RECV, Uring};
use crate::limits::{
    BULK_BUF_BYTES, BULK_BUF_COUNT, RECV_BUF_BYTES, RECV_BUF_COUNT, RECV_SPILL_BYTES_MAX,
    RECV_UNREAD_BUFS_MAX,
};
use crate::time::{Nanos, WallMillis};

mod handle;
mod post;

pub(super) use handle::Handle;

/// Sizes of a ring's buffers.
#[derive(Clone, Copy, Debug)]
pub struct RingConfig {
    /// Provided receive buffers; a power of two.
    pub recv_bufs: u16,
    /// Provided bulk buffers; a power of two.
    pub bulk_bufs: u16,
}

impl Default for RingConfig {
    fn default() -> Self {
        Self { recv_bufs: RECV_BUF_COUNT, bulk_bufs: BULK_BUF_COUNT }
    }
}

/// What a ring has done since it started.
#[derive(Clone, Copy, Debug, Default)]
pub struct RingStats {
    /// Times it entered the kernel to submit and wait.
    pub waits: u64,
    /// Completions.
    pub cqes: u64,
    /// Submissions.
    pub sqes: u64,
    /// Receives that found no free buffer.
    pub enobufs: u64,
    /// Bytes copied to the heap because their connection was not reading.
    pub spilled_bytes: u64,
    /// Turns in which more completions had come than the queue holds; the kernel kept the rest.
    pub cq_overflows: u64,
    /// Tasks that panicked.
    pub panics: u64,
    /// Small buffers in use.
    pub recv_bufs_leased: u16,
    /// Bulk buffers in use.
    pub bulk_bufs_leased: u16,
    /// Tasks.
    pub tasks: usize,
    /// Ops under way.
    pub ops: usize,
}

/// One thread's io_uring with its tasks. Cloning gives another handle to the same ring.
#[derive(Clone)]
pub struct Ring(Rc<Inner>);

struct Inner {
    kernel: RefCell<Kernel>,
    slots: RefCell<Slots>,
    tasks: RefCell<Tasks>,
    ready: RefCell<Ready>,
    timers: RefCell<Wheel>,
    recv_pool: Rc<BufPool>,
    bulk_pool: Rc<BufPool>,
    /// Task being polled.
    current: Cell<u32>,
    now: Cell<Nanos>,
    /// Wall clock minus monotonic clock, milliseconds; read anew every second.
    wall_offset: Cell<u64>,
    wall_read_at: Cell<Nanos>,
    stats: Cell<RingStats>,
    stopped: Cell<bool>,
    /// Tasks whose panic is not caught: a handful.
    vital: RefCell<Vec<u32>>,
    /// Receives with data that nobody was waiting for when it came, or that was left behind.
    unread: RefCell<Vec<Key>>,
    /// Sends that this turn submits and that say nothing if all goes well.
    posted: RefCell<Vec<Key>>,
    /// Memory of posted sends that have left.
    memory: RefCell<Vec<Vec<u8>>>,
}

impl Ring {
    /// Sets up a ring for this thread.
    ///
    /// # Errors
    /// What `io_uring_setup(2)` or `io_uring_register(2)` says; [`super::probe`] explains it.
    pub fn new(config: RingConfig) -> io::Result<Self> {
        Self::with_kernel(Kernel::Uring(Box::new(Uring::new()?)), config, true)
    }

    pub(super) fn with_kernel(
        mut kernel: Kernel,
        config: RingConfig,
        shared: bool,
    ) -> io::Result<Self> {
        let pool = |group, count, bytes| BufPool::new(group, count, bytes, shared);
        let recv_pool = pool(GROUP_RECV, config.recv_bufs, RECV_BUF_BYTES);
        let bulk_pool = pool(GROUP_BULK, config.bulk_bufs, BULK_BUF_BYTES);
        kernel.register_buffers(&recv_pool)?;
        kernel.register_buffers(&bulk_pool)?;
        let now = kernel.now();
        let wall = kernel.wall();
        Ok(Self(Rc::new(Inner {
            kernel: RefCell::new(kernel),
            slots: RefCell::new(Slots::new()),
            tasks: RefCell::new(Tasks::new()),
            ready: RefCell::new(Ready::with_capacity(1_024)),
            timers: RefCell::new(Wheel::new(now)),
            recv_pool,
            bulk_pool,
            current: Cell::new(NO_TASK),
            now: Cell::new(now),
            wall_offset: Cell::new(wall.0.wrapping_sub(now.0 / 1_000_000)),
            wall_read_at: Cell::new(now),
            stats: Cell::default(),
            stopped: Cell::new(false),
            vital: RefCell::default(),
            unread: RefCell::default(),
            posted: RefCell::default(),
            memory: RefCell::default(),
        })))
    }

    /// The moment this turn of the loop began.
    pub fn now(&self) -> Nanos {
        self.0.now.get()
    }

    /// The same moment on the wall clock.
    pub fn wall(&self) -> WallMillis {
        WallMillis(self.0.wall_offset.get().wrapping_add(self.now().0 / 1_000_000))
    }

    /// What the ring has done so far.
    pub fn stats(&self) -> RingStats {
        RingStats {
            recv_bufs_leased: self.0.recv_pool.out_count(),
            bulk_bufs_leased: self.0.bulk_pool.out_count(),
            tasks: self.0.tasks.borrow().count,
            ops: self.0.slots.borrow().live_count(),
            ..self.0.stats.get()
        }
    }

    /// Starts a task. It is first polled in this turn or the next.
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let task = self.0.tasks.borrow_mut().insert(Box::pin(future));
        self.wake(task);
    }

    /// Starts a task without which the ring is of no use: where any other's panic ends only that task,
    /// this one's goes on through [`Self::run`].
    pub fn spawn_vital(&self, future: impl Future<Output = ()> + 'static) {
        let task = self.0.tasks.borrow_mut().insert(Box::pin(future));
        self.0.vital.borrow_mut().push(task);
        self.wake(task);
    }

    fn count_panic(&self) {
        let mut stats = self.0.stats.get();
        stats.panics += 1;
        self.0.stats.set(stats);
        tracing::error!(
            "a connection was dropped because of a mistake in Ringway: please report the panic above"
        );
    }

    /// Polls every task once more, whatever it waits for: for news that concerns all of them.
    pub fn wake_all(&self) {
        let count = self.0.tasks.borrow().places_count();
        self.0.ready.borrow_mut().extend(0..count);
    }

    /// A timer that is off.
    pub fn timer(&self) -> Timer {
        let key = self.0.timers.borrow_mut().insert(self.0.current.get());
        Timer { ring: self.clone(), key }
    }

    /// Makes [`Self::run`] return after this turn, whatever tasks are left.
    pub fn stop(&self) {
        self.0.stopped.set(true);
    }

    /// Runs until no task is left, or [`Self::stop`] is called.
    ///
    /// # Errors
    /// What `io_uring_enter(2)` says beyond what passes by itself: only a broken ring.
    pub fn run(&self) -> io::Result<()> {
        let mut cqes = Vec::with_capacity(crate::limits::RING_CQ_ENTRIES as usize);
        while self.turn(&mut cqes)? {}
        Ok(())
    }

    /// One turn of the loop; `false` when no task is left.
    fn turn(&self, cqes: &mut Vec<Cqe>) -> io::Result<bool> {
        self.poll_ready();
        let inner = &*self.0;
        if inner.tasks.borrow().count == 0 || inner.stopped.get() {
            // What the last task dropped (closes, cancels) still has to be handed over.
            inner.kernel.borrow_mut().submit(false, None)?;
            return Ok(false);
        }
        self.spill_unread();
        inner.recv_pool.wake_waiters(|task| inner.ready.borrow_mut().push_back(task));
        let wait = inner.ready.borrow().is_empty();
        let timeout = inner.timers.borrow().next_timeout(inner.now.get());
        inner.recv_pool.fill_window();
        inner.bulk_pool.fill_window();
        inner.kernel.borrow_mut().submit(wait, timeout)?;
        self.read_clock();
        let overflowed = inner.kernel.borrow_mut().cq_overflowed();
        inner.kernel.borrow_mut().drain(cqes);
        let mut stats = inner.stats.get();
        stats.cq_overflows += u64::from(overflowed);
        stats.waits += 1;
        stats.cqes += cqes.len() as u64;
        inner.stats.set(stats);
        for cqe in cqes.drain(..) {
            self.complete(cqe);
        }
        if !overflowed {
            self.settle_posts();
        }
        inner
            .timers
            .borrow_mut()
            .advance(inner.now.get(), |task| inner.ready.borrow_mut().push_back(task));
        Ok(true)
    }

    fn poll_ready(&self) {
        // Tasks woken by those that run now come in the next turn, after their ops were submitted:
        // a task that keeps waking itself starves nobody.
        let count = self.0.ready.borrow().len();
        for _ in 0..count {
            let Some(task) = self.0.ready.borrow_mut().pop_front() else { break };
            let Some(mut future) = self.0.tasks.borrow_mut().start(task) else { continue };
            let outer = self.0.current.replace(task);
            // One request that trips over a mistake of ours must not end everybody's connections. What
            // unwinding leaves behind is the task's own: it is dropped with it.
            let polled = catch(|| {
                let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                polled.is_pending().then_some(future)
            });
            match polled {
                Ok(Some(future)) => self.0.tasks.borrow_mut().put_back(task, future),
                Ok(None) => {
                    self.0.tasks.borrow_mut().end(task);
                    self.0.vital.borrow_mut().retain(|&vital| vital != task);
                }
                Err(panic) => {
                    self.0.tasks.borrow_mut().end(task);
                    if self.0.vital.borrow().contains(&task) {
                        resume_unwind(panic);
                    }
                    self.count_panic();
                }
            }
            self.0.current.set(outer);
        }
    }

    fn read_clock(&self) {
        let kernel = self.0.kernel.borrow();
        let now = kernel.now();
        self.0.now.set(now);
        if now.0 - self.0.wall_read_at.get().0 >= 1_000_000_000 {
            self.0.wall_read_at.set(now);
            self.0.wall_offset.set(kernel.wall().0.wrapping_sub(now.0 / 1_000_000));
        }
    }

    fn complete(&self, cqe: Cqe) {
        if cqe.user_data == UNOWNED {
            return;
        }
        let mut slots = self.0.slots.borrow_mut();
        match slots.complete(cqe) {
            Completed::Queued { task, key } => {
                let slot = slots.slot(key);
                if cqe.buf_id.is_some() {
                    self.pool_of(slot.op.as_ref()).count_out();
                }
                let mut overrun = false;
                match &slot.op {
                    Some(Op::RecvMulti { .. }) => {
                        overrun =
                            cqe.more && slot.cqes.len() > RECV_UNREAD_BUFS_MAX && !slot.cancelled;
                        slot.cancelled |= overrun;
                        if !slot.awaited {
                            self.list_unread(slot, key);
                        }
                    }
                    Some(Op::Send { mode, .. }) => {
                        let awaited = *mode == SendMode::Awaited;
                        if !awaited && self.resume_post(slot, key, &cqe) {
                            return;
                        }
                    }
                    _ => {}
                }
                drop(slots);
                if overrun {
                    self.push_unowned(Op::Cancel { target: cqe.user_data });
                }
                self.wake(task);
            }
            Completed::Ignored { accepts } => {
                drop(slots);
                self.give_back(None, accepts, &cqe);
            }
            Completed::Retired(op) => {
                drop(slots);
                self.give_back(Some(&op), matches!(op, Op::Accept { .. }), &cqe);
            }
        }
    }

    /// Has a look at the slot taken when this turn's tasks have run.
    fn list_unread(&self, slot: &mut Slot, key: Key) {
        if !slot.listed {
            slot.listed = true;
            self.0.unread.borrow_mut().push(key);
        }
    }

    /// Spills what the tasks that have just run did not take and are not about to take.
    fn spill_unread(&self) {
        if self.0.unread.borrow().is_empty() {
            return;
        }
        let mut unread = std::mem::take(&mut *self.0.unread.borrow_mut());
        for key in unread.drain(..) {
            self.spill(key);
        }
        *self.0.unread.borrow_mut() = unread; // its memory
    }

    /// Moves a multishot receive's untaken data to the heap; stops it if that is too much.
    fn spill(&self, key: Key) {
        let mut slots = self.0.slots.borrow_mut();
        let Some(slot) = slots.slot_if_alive(key) else { return };
        slot.listed = false;
        if slot.awaited || slot.cqes.iter().all(|cqe| cqe.buf_id.is_none()) {
            return;
        }
        let received = |cqe: &Cqe| match cqe.result {
            len @ 1.. if cqe.buf_id.is_some() => len as usize,
            _ => 0,
        };
        let fresh: usize = slot.cqes.iter().map(received).sum();
        if slot.spilled.is_empty() {
            slot.spilled.reserve_exact(fresh);
        }
        let mut end = None;
        for cqe in slot.cqes.drain(..) {
            if let Some(buf) = self.received(slot.op.as_ref(), &cqe) {
                slot.spilled.extend_from_slice(&buf);
            }
            if !cqe.more {
                // If it brought data, they are spilled, and what is left of it is that it ended.
                let result = if cqe.result > 0 { -libc::ECANCELED } else { cqe.result };
                end = Some(Cqe { result, buf_id: None, ..cqe });
            }
        }
        if !slot.spilled.is_empty() {
            slot.cqes.push_back(Cqe::spill(key.user_data(), slot.spilled.len()));
        }
        slot.cqes.extend(end);
        let too_much = slot.spilled.len() >= RECV_SPILL_BYTES_MAX
            && slot.state == State::Live
            && !slot.cancelled;
        slot.cancelled |= too_much;
        drop(slots);
        if too_much {
            self.push_unowned(Op::Cancel { target: key.user_data() });
        }
        let mut stats = self.0.stats.get();
        stats.spilled_bytes += fresh as u64;
        self.0.stats.set(stats);
    }

    fn pool_of(&self, op: Option<&Op>) -> &Rc<BufPool> {
        match op {
            Some(Op::RecvBulk { .. }) => &self.0.bulk_pool,
            _ => &self.0.recv_pool,
        }
    }

    /// The buffer that `cqe` of `op` brought, so that dropping it gives it back. To be called once.
    pub(super) fn received(&self, op: Option<&Op>, cqe: &Cqe) -> Option<RecvBuf> {
        let id = cqe.buf_id?;
        let len = u32::try_from(cqe.result).unwrap_or(0);
        Some(self.pool_of(op).lease(id, len))
    }

    /// Gives back what a CQE brought that nobody will take any more: a buffer, a descriptor.
    fn give_back(&self, op: Option<&Op>, accepts: bool, cqe: &Cqe) {
        if cqe.buf_id.is_some() {
            self.pool_of(op).count_out();
        }
        drop(self.received(op, cqe));
        if accepts && cqe.result >= 0 {
            self.push_unowned(Op::Close { fd: cqe.result });
        }
    }

    pub(super) fn wake(&self, task: u32) {
        if task != NO_TASK {
            self.0.ready.borrow_mut().push_back(task);
        }
    }

    pub(super) fn wake_current(&self) {
        self.wake(self.0.current.get());
    }

    /// Queues an op for the current task.
    pub(super) fn start(&self, op: Op) -> Handle {
        let mut slots = self.0.slots.borrow_mut();
        let key = slots.insert(op, self.0.current.get());
        let slot = slots.slot(key);
        let op = slot.op.as_mut().expect("just inserted");
        self.0.kernel.borrow_mut().push(key.user_data(), op, &mut slot.message);
        self.count_sqe();
        Handle { ring: self.clone(), key: Some(key) }
    }

    /// Queues an op whose outcome nobody waits for.
    pub(super) fn push_unowned(&self, mut op: Op) {
        assert!(matches!(op, Op::Cancel { .. } | Op::Close { .. }), "such an op owns no memory");
        self.0.kernel.borrow_mut().push(UNOWNED, &mut op, &mut None);
        self.count_sqe();
    }

    fn count_sqe(&self) {
        let mut stats = self.0.stats.get();
        stats.sqes += 1;
        self.0.stats.set(stats);
    }

    /// Notes that a receive from the group found no buffer in the ring.
    pub(super) fn found_no_buffer(&self, group: u16) {
        let pool = if group == GROUP_BULK { &self.0.bulk_pool } else { &self.0.recv_pool };
        pool.widen();
        let mut stats = self.0.stats.get();
        stats.enobufs += 1;
        self.0.stats.set(stats);
    }

    /// Whether a small buffer is free; if not, the current task is woken when one is.
    pub(super) fn recv_buf_free_or_wait(&self) -> bool {
        let free = self.0.recv_pool.has_free();
        if !free {
            self.0.recv_pool.wait_for_free(self.0.current.get());
        }
        free
    }

    pub(super) fn open_socket(&self, addr: &std::net::SocketAddr) -> io::Result<RawFd> {
        self.0.kernel.borrow_mut().socket(addr)
    }

    pub(super) fn is_quiet(&self, fd: RawFd) -> bool {
        self.0.kernel.borrow().is_quiet(fd)
    }

    pub(super) fn names(&self, fd: RawFd) -> io::Result<SocketNames> {
        self.0.kernel.borrow().names(fd)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Futures drop their handles, which need the ring; by now none can be left, because every
        // future that uses the ring holds an `Rc` to this. Ops that have not completed keep memory the
        // kernel may write to: it is leaked, and the buffer pools with it.
        if self.slots.get_mut().live_count() > 0 {
            std::mem::forget(std::mem::replace(self.slots.get_mut(), Slots::new()));
            std::mem::forget(Rc::clone(&self.recv_pool));
            std::mem::forget(Rc::clone(&self.bulk_pool));
        }
    }
}

impl Ring {
    /// Drops every task. Their ops are cancelled; what the kernel still holds is waited for.
    pub fn shut_down(&self) {
        let futures = self.0.tasks.borrow_mut().take_all();
        drop(futures);
        let mut cqes = Vec::new();
        for _ in 0..1_000 {
            // Also when no op is left: what was dropped closes descriptors.
            let wait = self.0.slots.borrow().live_count() > 0;
            let timeout = std::time::Duration::from_millis(1);
            if self.0.kernel.borrow_mut().submit(wait, Some(timeout)).is_err() || !wait {
                return;
            }
            self.0.kernel.borrow_mut().drain(&mut cqes);
            for cqe in cqes.drain(..) {
                self.complete(cqe);
            }
        }
    }
}

/// `user_data` of ops whose outcome nobody waits for.
pub(super) const UNOWNED: u64 = u64::MAX;

/// A deadline that can be set again and again.
pub struct Timer {
    ring: Ring,
    key: TimerKey,
}

impl Timer {
    /// Sets when it fires; [`Nanos::NEVER`] turns it off.
    pub fn set(&mut self, deadline: Nanos) {
        let current = self.ring.0.current.get();
        self.ring.0.timers.borrow_mut().set(self.key, current, deadline);
    }

    /// Whether the time it was last set to has come.
    pub fn has_fired(&self) -> bool {
        self.ring.0.timers.borrow().has_fired(self.key)
    }

    /// Waits until the time it was last set to has come. Must be awaited by the task that set it.
    pub async fn fired(&self) {
        std::future::poll_fn(|_| if self.has_fired() { Poll::Ready(()) } else { Poll::Pending })
            .await;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.ring.0.timers.borrow_mut().remove(self.key);
    }
}
