//! Provided receive buffers: memory the kernel picks from when data is there, so that an idle
//! connection holds none.
//!
//! ```text
//! free in the ring ──kernel picks──▶ in a CQE ──taken──▶ leased (count ≥ 1) ──last view dropped──▶ free
//! ```
//!
//! A buffer counts as out of the ring from the moment its CQE is seen. One that is leased is out, and so the kernel does not write to it: that is what makes handing out `&[u8]` sound. Source: `io_uring_register_buf_ring(3)`.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

use super::uring::GROUP_RECV;

/// Fewest buffers in the ring when the kernel is entered.
const WINDOW_MIN: u16 = 8;

/// Turns after which a window that was more than twice what they needed is halved.
const WINDOW_TURNS: u16 = 4_096;

/// Distance between two buffers, bytes: those that begin at multiples of a large power of two share few
/// lines of the cache.
const STAGGER_BYTES: usize = 320;

/// A received piece of a stream: a view into a provided buffer, or into heap memory.
///
/// Cloning shares the buffer; it returns to the ring when the last clone is dropped.
#[derive(Clone, Default)]
pub struct RecvBuf {
    storage: Storage,
    start: u32,
    end: u32,
}

#[derive(Default)]
enum Storage {
    #[default]
    Empty,
    Leased(Lease),
    Heap(Rc<Vec<u8>>),
}

impl Clone for Storage {
    fn clone(&self) -> Self {
        match self {
            Self::Empty => Self::Empty,
            Self::Leased(lease) => Self::Leased(lease.clone()),
            Self::Heap(bytes) => Self::Heap(Rc::clone(bytes)),
        }
    }
}

impl RecvBuf {
    /// Wraps bytes that are on the heap already.
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        let end = u32::try_from(bytes.len()).expect("received pieces are below 4 GiB");
        Self { storage: Storage::Heap(Rc::new(bytes)), start: 0, end }
    }

    /// Leaves out the first `count` bytes. An empty view holds no buffer.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn advance(&mut self, count: usize) {
        assert!(count <= self.len());
        self.start += count as u32;
        if self.start == self.end {
            *self = Self::default();
        }
    }

    /// A view of `range` of this view; shares the buffer.
    ///
    /// # Panics
    /// If `range` is out of bounds.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len());
        if range.is_empty() {
            return Self::default();
        }
        let start = self.start + range.start as u32;
        Self { storage: self.storage.clone(), start, end: start + (range.end - range.start) as u32 }
    }

    /// Whether this view holds one of the ring's shared buffers.
    pub fn is_leased(&self) -> bool {
        matches!(self.storage, Storage::Leased(_))
    }

    /// Gives a shared buffer back (as far as this view holds it): the bytes are copied to the heap.
    ///
    /// For what has to wait for somebody, and nobody knows how long.
    pub fn detach(&mut self) {
        if self.is_leased() {
            *self = match self.is_empty() {
                true => Self::default(),
                false => Self::from_vec(self.to_vec()),
            };
        }
    }

    /// [`Self::detach`] if small shared buffers are running out: at least half of them are in use.
    ///
    /// For what is on its way and will probably go on at once.
    pub fn detach_if_scarce(&mut self) {
        if let Storage::Leased(lease) = &self.storage
            && lease.pool.is_scarce()
        {
            self.detach();
        }
    }
}

impl std::ops::Deref for RecvBuf {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        let range = self.start as usize..self.end as usize;
        match &self.storage {
            Storage::Empty => &[],
            Storage::Leased(lease) => &lease.pool.bytes(lease.id)[range],
            Storage::Heap(bytes) => &bytes[range],
        }
    }
}

impl std::fmt::Debug for RecvBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecvBuf({} bytes)", self.len())
    }
}

/// One count of a leased buffer.
struct Lease {
    pool: Rc<BufPool>,
    id: u16,
}

impl Clone for Lease {
    fn clone(&self) -> Self {
        let count = &self.pool.leases[usize::from(self.id)];
        count.set(count.get() + 1);
        Self { pool: Rc::clone(&self.pool), id: self.id }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let count = &self.pool.leases[usize::from(self.id)];
        count.set(count.get() - 1);
        if count.get() == 0 {
            self.pool.recycle(self.id);
        }
    }
}

/// A group of equal buffers and the ring through which the kernel is given them.
///
/// The kernel takes buffers in the order they were given, so all that are in the ring are written to in
/// turn, and with them all in it each receive would hit memory that has long left the cache. The ring
/// therefore holds only a window, as many as one turn needs; it doubles when a receive finds none.
pub(super) struct BufPool {
    /// `buf_group` of the SQEs that select from here.
    pub(super) group: u16,
    buf_bytes: usize,
    count: u16,
    memory: NonNull<u8>,
    layout: Layout,
    /// Live `Lease`s per buffer; 0: in the ring, or in a CQE that nobody has taken.
    leases: Box<[Cell<u32>]>,
    /// Buffers that somebody uses.
    out: Cell<u16>,
    /// Buffers that nobody uses and that are not in the ring; the last used is the next to go there.
    spare: RefCell<Vec<u16>>,
    /// How many are to be in the ring when the kernel is entered.
    window: Cell<u16>,
    window_min: u16,
    /// Fewest that were left in the ring in this period, and the turns it has lasted.
    fewest_left: Cell<u16>,
    turns: Cell<u16>,
    free: Free,
    /// Tasks that found the ring empty and wait for a buffer.
    waiters: RefCell<VecDeque<u32>>,
}

enum Free {
    /// Shared with the kernel: `entries[tail & mask]` is written, then the tail is published.
    Kernel { entries: NonNull<BufRingEntry>, layout: Layout, tail: Cell<u16> },
    /// The simulated kernel's: a plain queue.
    Sim(RefCell<VecDeque<u16>>),
}

impl BufPool {
    /// Allocates `count` buffers of `buf_bytes`; with `shared`, also the ring to register.
    pub(super) fn new(group: u16, count: u16, buf_bytes: usize, shared: bool) -> Rc<Self> {
        assert!(count.is_power_of_two());
        assert!(buf_bytes > 0);
        let layout =
            Layout::from_size_align((buf_bytes + STAGGER_BYTES) * usize::from(count), 4_096)
                .expect("limits.rs keeps the buffers below isize::MAX");
        let memory = allocate(layout);
        let free = if shared {
            let layout = Layout::array::<BufRingEntry>(usize::from(count))
                .and_then(|layout| layout.align_to(4_096))
                .expect("a ring of at most 32 768 entries fits");
            Free::Kernel { entries: allocate(layout).cast(), layout, tail: Cell::new(0) }
        } else {
            Free::Sim(RefCell::new(VecDeque::with_capacity(usize::from(count))))
        };
        let pool = Self {
            group,
            buf_bytes,
            count,
            memory,
            layout,
            leases: (0..count).map(|_| Cell::new(0)).collect(),
            out: Cell::new(0),
            spare: RefCell::new((0..count).rev().collect()),
            window: Cell::new(count.min(WINDOW_MIN)),
            window_min: count.min(WINDOW_MIN),
            fewest_left: Cell::new(count),
            turns: Cell::new(0),
            free,
            waiters: RefCell::default(),
        };
        pool.fill_window();
        Rc::new(pool)
    }

    /// Address and entry count for `io_uring_register_buf_ring`; `None` for a simulated kernel's.
    pub(super) fn registration(&self) -> Option<(u64, u16)> {
        match &self.free {
            Free::Kernel { entries, .. } => Some((entries.as_ptr().addr() as u64, self.count)),
            Free::Sim(_) => None,
        }
    }

    /// Notes that a CQE has brought one of the buffers: it is out of the ring.
    pub(super) fn count_out(&self) {
        assert!(self.has_free(), "the kernel picks from what is in the ring");
        self.out.set(self.out.get() + 1);
    }

    /// Takes over buffer `id`, which [`Self::count_out`] knows of and into which the kernel has put `len`
    /// bytes.
    pub(super) fn lease(self: &Rc<Self>, id: u16, len: u32) -> RecvBuf {
        assert!(id < self.count, "the kernel named a buffer that is not in this group");
        assert!(len as usize <= self.buf_bytes);
        let count = &self.leases[usize::from(id)];
        assert_eq!(count.get(), 0, "a leased buffer is not in the ring");
        count.set(1);
        let lease = Lease { pool: Rc::clone(self), id };
        RecvBuf { storage: Storage::Leased(lease), start: 0, end: len }
    }

    /// Buffers that somebody uses.
    pub(super) fn out_count(&self) -> u16 {
        self.out.get()
    }

    /// Whether there is a buffer for the next receive.
    pub(super) fn has_free(&self) -> bool {
        self.out.get() < self.count
    }

    /// Whether this group is shared by all connections and half of it is out. Bulk buffers are never
    /// scarce: who finds none receives into memory of its own.
    fn is_scarce(&self) -> bool {
        self.group == GROUP_RECV && self.out.get() >= self.count / 2
    }

    /// Wakes `task` when a buffer is in the ring again.
    pub(super) fn wait_for_free(&self, task: u32) {
        let mut waiters = self.waiters.borrow_mut();
        if !waiters.contains(&task) {
            waiters.push_back(task);
        }
    }

    /// Gives `wake` as many waiters as there are free buffers. To be called every turn: one that is woken
    /// may have no use for a buffer any more, and the next must not wait for it.
    pub(super) fn wake_waiters(&self, wake: impl FnMut(u32)) {
        let mut waiters = self.waiters.borrow_mut();
        if !waiters.is_empty() {
            let free = usize::from(self.count - self.out.get());
            let woken = free.min(waiters.len());
            waiters.drain(..woken).for_each(wake);
        }
    }

    fn recycle(&self, id: u16) {
        let left = self.left_in_ring();
        self.out.set(self.out.get() - 1);
        if left < self.window.get() {
            self.publish(id);
        } else {
            self.spare.borrow_mut().push(id);
        }
    }

    /// Buffers the kernel can still take.
    fn left_in_ring(&self) -> u16 {
        self.count - self.out.get() - self.spare.borrow().len() as u16
    }

    /// Puts as many into the ring as the window wants. To be called before the kernel is entered.
    pub(super) fn fill_window(&self) {
        let left = self.left_in_ring();
        self.fewest_left.set(self.fewest_left.get().min(left));
        self.turns.set(self.turns.get() + 1);
        if self.turns.get() == WINDOW_TURNS {
            let window = self.window.get();
            if self.fewest_left.get() > window / 2 {
                self.window.set((window / 2).max(self.window_min));
            }
            self.fewest_left.set(self.count);
            self.turns.set(0);
        }
        for _ in left..self.window.get() {
            let Some(id) = self.spare.borrow_mut().pop() else { break };
            self.publish(id);
        }
    }

    /// Notes that a receive found the ring empty.
    pub(super) fn widen(&self) {
        self.window.set(self.window.get().saturating_mul(2).min(self.count));
    }

    /// Puts a buffer into the ring.
    fn publish(&self, id: u16) {
        match &self.free {
            Free::Kernel { entries, tail, .. } => {
                let index = usize::from(tail.get() & (self.count - 1));
                // SAFETY: `index < count`, and `entries` holds `count` entries (`new`).
                let mut entry = unsafe { entries.add(index) };
                // SAFETY: aligned and initialised (zeroed in `new`). The kernel reads entries only between
                // head and tail. This one is outside until the tail moves, after the last use of this:
                // the ring holds at most `count - 1` buffers now, since `id` is not in it. Entry 0
                // holds the tail too, which the kernel only reads.
                let entry = unsafe { entry.as_mut() };
                // SAFETY: within the memory because `id < count` (`lease`, `new`).
                let addr = unsafe { self.memory.as_ptr().add(self.offset(id)) };
                entry.set_addr(addr.addr() as u64);
                entry.set_len(self.buf_bytes as u32);
                entry.set_bid(id);
                tail.set(tail.get().wrapping_add(1));
                // SAFETY: `entries` is the base of the ring, where the kernel's ABI puts the tail (in
                // the reserved field of entry 0).
                let shared_tail = unsafe { BufRingEntry::tail(entries.as_ptr()) };
                // SAFETY: `shared_tail` points into the ring, is aligned for u16, and both sides use
                // it only atomically.
                let shared_tail = unsafe { AtomicU16::from_ptr(shared_tail.cast_mut()) };
                shared_tail.store(tail.get(), Ordering::Release);
            }
            Free::Sim(free) => free.borrow_mut().push_back(id),
        }
    }

    /// Where a buffer begins, from the start of the memory.
    fn offset(&self, id: u16) -> usize {
        usize::from(id) * (self.buf_bytes + STAGGER_BYTES)
    }

    fn bytes(&self, id: u16) -> &[u8] {
        // SAFETY: the whole buffer is within the memory because `id < count` (`lease`).
        let start = unsafe { self.memory.as_ptr().add(self.offset(id)) };
        // SAFETY: the memory is initialised (zeroed in `new`), lives as long as `self`, and while a
        // `Lease` exists (only then is this called) the buffer is outside the ring, so nobody writes.
        unsafe { std::slice::from_raw_parts(start, self.buf_bytes) }
    }

    /// A simulated kernel's receive: takes a free buffer and lets `fill` write to it.
    pub(super) fn sim_fill(&self, fill: impl FnOnce(&mut [u8]) -> usize) -> Option<(u16, usize)> {
        let Free::Sim(free) = &self.free else {
            unreachable!("a shared ring is filled by the kernel")
        };
        let id = free.borrow_mut().pop_front()?;
        assert_eq!(self.leases[usize::from(id)].get(), 0, "a leased buffer is not in the ring");
        // SAFETY: as in `bytes`: in bounds.
        let start = unsafe { self.memory.as_ptr().add(self.offset(id)) };
        // SAFETY: the buffer was free: no `Lease`, hence no other reference, leads to it.
        let bytes = unsafe { std::slice::from_raw_parts_mut(start, self.buf_bytes) };
        Some((id, fill(bytes)))
    }
}

impl Drop for BufPool {
    fn drop(&mut self) {
        // The ring that registered this pool holds an `Rc` to it and is closed before it lets go (field
        // order of `Uring`), after all its receives have ended; otherwise this is leaked (`Inner::drop`).
        // So the kernel no longer uses the memory.
        // SAFETY: allocated in `new` with this layout, freed once.
        unsafe { dealloc(self.memory.as_ptr(), self.layout) };
        if let Free::Kernel { entries, layout, .. } = &self.free {
            // SAFETY: allocated in `new` with this layout, freed once.
            unsafe { dealloc(entries.as_ptr().cast(), *layout) };
        }
    }
}

fn allocate(layout: Layout) -> NonNull<u8> {
    assert!(layout.size() > 0);
    // SAFETY: the size is not zero.
    let pointer = unsafe { alloc_zeroed(layout) };
    NonNull::new(pointer).unwrap_or_else(|| handle_alloc_error(layout))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Rc<BufPool> {
        BufPool::new(GROUP_RECV, 4, 64, false)
    }

    #[test]
    fn a_buffer_returns_when_the_last_view_is_dropped() {
        let pool = pool();
        let (id, len) = pool
            .sim_fill(|bytes| {
                bytes[..5].copy_from_slice(b"hello");
                5
            })
            .unwrap();
        pool.count_out();
        assert_eq!(pool.out_count(), 1);
        let mut buf = pool.lease(id, len as u32);
        assert_eq!(pool.out_count(), 1);
        let tail = buf.slice(1..5);
        buf.advance(2);
        assert_eq!((&*buf, &*tail), (&b"llo"[..], &b"ello"[..]));
        drop(buf);
        assert_eq!(pool.out_count(), 1, "the slice still shares it");
        drop(tail);
        assert_eq!(pool.out_count(), 0);
    }

    fn leases(pool: &Rc<BufPool>, count: u16) -> Vec<RecvBuf> {
        (0..count)
            .map(|_| {
                let (id, len) = pool.sim_fill(|_| 7).unwrap();
                pool.count_out();
                pool.lease(id, len as u32)
            })
            .collect()
    }

    #[test]
    fn as_many_waiters_are_woken_as_buffers_are_free() {
        let pool = pool();
        let mut leases = leases(&pool, 4);
        assert!(!pool.has_free());
        assert!(pool.sim_fill(|_| 0).is_none());
        for task in [7, 8, 7, 9] {
            pool.wait_for_free(task);
        }
        let woken = || {
            let mut woken = Vec::new();
            pool.wake_waiters(|task| woken.push(task));
            woken
        };
        assert_eq!(woken(), [0; 0]);
        leases.pop();
        assert_eq!(woken(), [7]);
        // The first has taken nothing, so the next gets its chance.
        assert_eq!(woken(), [8]);
        leases.clear();
        assert_eq!(woken(), [9]);
    }

    #[test]
    fn a_view_is_detached_when_half_of_the_buffers_are_out() {
        let pool = pool();
        let mut first = leases(&pool, 1).remove(0);
        first.detach_if_scarce();
        assert!(first.is_leased());
        let mut second = leases(&pool, 1).remove(0);
        second.detach_if_scarce();
        assert!(!second.is_leased());
        assert_eq!((second.len(), pool.out_count()), (7, 1));
        first.detach();
        assert_eq!((first.len(), pool.out_count()), (7, 0));
        let bulk = BufPool::new(1, 2, 64, false);
        let mut piece = leases(&bulk, 2).remove(0);
        piece.detach_if_scarce();
        assert!(piece.is_leased(), "bulk buffers are not scarce");
    }

    #[test]
    fn an_empty_view_holds_no_buffer() {
        let pool = pool();
        let mut buf = leases(&pool, 1).remove(0);
        let nothing = buf.slice(3..3);
        buf.advance(7);
        assert_eq!((buf.len(), nothing.len(), pool.out_count()), (0, 0, 0));
    }

    #[test]
    fn views_of_heap_memory_behave_alike() {
        let mut buf = RecvBuf::from_vec(b"abcdef".to_vec());
        buf.advance(1);
        assert_eq!(&*buf.slice(1..3), b"cd");
        assert!(!buf.is_leased());
        assert_eq!(&*RecvBuf::default(), b"");
    }
}
