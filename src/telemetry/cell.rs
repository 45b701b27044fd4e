//! A number that one thread writes and others read.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter or gauge with one writer: a load and a store, no locked instruction.
///
/// Readers see a recent value. If two threads wrote, increments would be lost: a cell belongs to one
/// shard.
#[derive(Debug, Default)]
pub struct Cell64(AtomicU64);

impl Cell64 {
    /// A cell that holds 0.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds; wraps at 2⁶⁴.
    pub fn add(&self, amount: u64) {
        self.0.store(self.load().wrapping_add(amount), Ordering::Relaxed);
    }

    /// Adds 1.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Subtracts from a gauge; stops at 0.
    pub fn sub(&self, amount: u64) {
        debug_assert!(self.load() >= amount, "a gauge goes below 0");
        self.0.store(self.load().saturating_sub(amount), Ordering::Relaxed);
    }

    /// Sets, for gauges and for counters that someone else keeps.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The value; any thread may ask.
    pub fn load(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_add_subtract_and_set() {
        let cell = Cell64::new();
        cell.add(5);
        cell.increment();
        cell.sub(2);
        assert_eq!(cell.load(), 4);
        cell.set(9);
        assert_eq!(cell.load(), 9);
    }
}
