//! Timers: one hierarchical wheel per ring, driven by the wait's own timeout.
//!
//! Four levels of 64 places; a tick is 4 ms, so the levels span 256 ms, 16 s, 17 min and 18 h. An
//! entry sits in the level whose span its distance fits and moves down as its time comes near. Setting
//! a timer later than its place says costs one store: the entry is moved only when that place comes.

use std::time::Duration;

use crate::time::Nanos;

/// One tick, nanoseconds. Deadlines are met late by at most this, never early.
const TICK_NANOS: u64 = 4_000_000;
const LEVELS: usize = 4;
const PLACES: usize = 64;
const NONE: u32 = u32::MAX;

/// Names a timer in its wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimerKey(u32);

#[derive(Clone, Copy)]
struct Entry {
    /// Tick at which it is due; `u64::MAX`: it is off.
    due: u64,
    /// Tick it is filed under; `u64::MAX`: it is not filed.
    filed: u64,
    place: u16,
    task: u32,
    fired: bool,
    next: u32,
    prev: u32,
}

/// All timers of a ring.
pub(super) struct Wheel {
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// First entry of each place.
    places: [u32; LEVELS * PLACES],
    /// Which places have entries.
    occupied: [u64; LEVELS],
    /// Every tick up to this one has been handled.
    now: u64,
}

impl Wheel {
    pub(super) fn new(now: Nanos) -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            places: [NONE; LEVELS * PLACES],
            occupied: [0; LEVELS],
            now: now.0 / TICK_NANOS,
        }
    }

    pub(super) fn insert(&mut self, task: u32) -> TimerKey {
        let entry = Entry {
            due: u64::MAX,
            filed: u64::MAX,
            place: 0,
            task,
            fired: false,
            next: NONE,
            prev: NONE,
        };
        let index = if let Some(index) = self.free.pop() {
            self.entries[index as usize] = entry;
            index
        } else {
            self.entries.push(entry);
            (self.entries.len() - 1) as u32
        };
        TimerKey(index)
    }

    pub(super) fn remove(&mut self, key: TimerKey) {
        self.unfile(key.0);
        self.free.push(key.0);
    }

    /// Sets when the timer fires next; [`Nanos::NEVER`] turns it off. A timer that has fired is fresh again.
    pub(super) fn set(&mut self, key: TimerKey, task: u32, deadline: Nanos) {
        let entry = &mut self.entries[key.0 as usize];
        entry.task = task;
        entry.fired = false;
        entry.due = if deadline == Nanos::NEVER {
            u64::MAX
        } else {
            deadline.0.div_ceil(TICK_NANOS).max(self.now + 1)
        };
        if entry.due < entry.filed {
            self.unfile(key.0);
            self.file(key.0);
        }
    }

    pub(super) fn has_fired(&self, key: TimerKey) -> bool {
        self.entries[key.0 as usize].fired
    }

    /// Handles every tick up to `now`; `wake` gets the task of each timer that fires.
    pub(super) fn advance(&mut self, now: Nanos, mut wake: impl FnMut(u32)) {
        let until = now.0 / TICK_NANOS;
        while self.now < until {
            // Skip to the next tick at which anything is filed.
            let Some(next) = self.next_tick().filter(|&tick| tick <= until) else {
                self.now = until;
                return;
            };
            self.now = next;
            for level in (0..LEVELS).rev() {
                let shift = 6 * level as u32;
                if self.now & ((1 << shift) - 1) != 0 {
                    continue; // this level turns only when all below it have come round
                }
                let place = level * PLACES + (self.now >> shift) as usize % PLACES;
                let mut index = std::mem::replace(&mut self.places[place], NONE);
                self.occupied[level] &= !(1 << (place % PLACES));
                while index != NONE {
                    let entry = &mut self.entries[index as usize];
                    let next = entry.next;
                    entry.filed = u64::MAX;
                    if entry.due <= self.now {
                        entry.due = u64::MAX;
                        entry.fired = true;
                        wake(entry.task);
                    } else if entry.due != u64::MAX {
                        self.file(index);
                    }
                    index = next;
                }
            }
        }
    }

    /// Time from `now` until anything may be due; `None`: nothing is filed.
    pub(super) fn next_timeout(&self, now: Nanos) -> Option<Duration> {
        let tick = self.next_tick()?;
        Some(Duration::from_nanos((tick * TICK_NANOS).saturating_sub(now.0)))
    }

    /// The next tick at which a place with entries comes.
    fn next_tick(&self) -> Option<u64> {
        (0..LEVELS)
            .filter(|&level| self.occupied[level] != 0)
            .map(|level| {
                let shift = 6 * level as u32;
                let turn = self.now >> shift;
                // Places after the current one come first; the current one itself comes last.
                let from = (turn + 1) % PLACES as u64;
                let distance = self.occupied[level].rotate_right(from as u32).trailing_zeros();
                (turn + 1 + u64::from(distance)) << shift
            })
            .min()
    }

    fn file(&mut self, index: u32) {
        let due = self.entries[index as usize].due;
        let distance = due - self.now;
        let level = (0..LEVELS - 1)
            .find(|&level| distance < 1 << (6 * (level as u32 + 1)))
            .unwrap_or(LEVELS - 1);
        let shift = 6 * level as u32;
        // Beyond the top level's span: the furthest place, where it will be filed anew.
        let turn = (due >> shift)
            .min((self.now >> shift) + PLACES as u64 - 1)
            .max((self.now >> shift) + u64::from(level > 0));
        let place = level * PLACES + turn as usize % PLACES;
        let first = self.places[place];
        if first != NONE {
            self.entries[first as usize].prev = index;
        }
        let entry = &mut self.entries[index as usize];
        entry.filed = turn << shift;
        entry.place = place as u16;
        entry.next = first;
        entry.prev = NONE;
        self.places[place] = index;
        self.occupied[level] |= 1 << (place % PLACES);
    }

    fn unfile(&mut self, index: u32) {
        let Entry { filed, place, next, prev, .. } = self.entries[index as usize];
        if filed == u64::MAX {
            return;
        }
        self.entries[index as usize].filed = u64::MAX;
        if next != NONE {
            self.entries[next as usize].prev = prev;
        }
        if prev != NONE {
            self.entries[prev as usize].next = next;
        } else {
            self.places[usize::from(place)] = next;
            if next == NONE {
                let place = usize::from(place);
                self.occupied[place / PLACES] &= !(1 << (place % PLACES));
            }
        }
    }
}

pub use super::turn::Timer;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn fired(wheel: &mut Wheel, at_ms: u64) -> Vec<u32> {
        let mut tasks = Vec::new();
        wheel.advance(Nanos(at_ms * MS), |task| tasks.push(task));
        tasks.sort_unstable();
        tasks
    }

    #[test]
    fn timers_fire_when_due_and_not_before() {
        for start_ms in [0, 3, 1_000, 255, 16_383 * 4, 123_456_789] {
            for delay_ms in
                [1, 4, 5, 100, 255, 256, 257, 1_000, 16_000, 17_000, 350_000, 2_000_000, 90_000_000]
            {
                let mut wheel = Wheel::new(Nanos(start_ms * MS));
                let key = wheel.insert(9);
                wheel.set(key, 9, Nanos((start_ms + delay_ms) * MS));
                let mut now = start_ms;
                let mut waits = 0;
                loop {
                    let wait = wheel.next_timeout(Nanos(now * MS)).expect("a timer is set");
                    now += (wait.as_nanos() as u64).div_ceil(MS);
                    waits += 1;
                    if fired(&mut wheel, now) == [9] {
                        break;
                    }
                    assert!(
                        now <= start_ms + delay_ms + 4,
                        "late: {now} for {start_ms}+{delay_ms}"
                    );
                    assert!(waits < 30, "the wheel wakes for nothing");
                }
                assert!(now >= start_ms + delay_ms, "early: {now} for {start_ms}+{delay_ms}");
                assert!(wheel.has_fired(key));
                assert_eq!(wheel.next_timeout(Nanos(now * MS)), None);
            }
        }
    }

    #[test]
    fn a_timer_set_again_counts_from_its_last_setting() {
        let mut wheel = Wheel::new(Nanos(0));
        let (a, b) = (wheel.insert(1), wheel.insert(2));
        wheel.set(a, 1, Nanos(100 * MS));
        wheel.set(b, 2, Nanos(100 * MS));
        wheel.set(a, 1, Nanos(5_000 * MS));
        assert_eq!(fired(&mut wheel, 104), [2]);
        wheel.set(a, 1, Nanos(200 * MS));
        assert_eq!(fired(&mut wheel, 199), [0; 0]);
        assert_eq!(fired(&mut wheel, 204), [1]);
        wheel.set(a, 1, Nanos(300 * MS));
        wheel.set(a, 1, Nanos::NEVER);
        assert_eq!(fired(&mut wheel, 10_000), [0; 0]);
        wheel.remove(a);
        wheel.remove(b);
        assert_eq!(wheel.next_timeout(Nanos(10_000 * MS)), None);
    }

    #[test]
    fn many_timers_agree_with_a_sorted_list() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut wheel = Wheel::new(Nanos(0));
        let mut due: Vec<(u64, TimerKey)> = (0..500)
            .map(|task| {
                let key = wheel.insert(task);
                let at = random.u64(1..40_000);
                wheel.set(key, task, Nanos(at * MS));
                (at, key)
            })
            .collect();
        let mut now = 0;
        while now < 50_000 {
            for slot in due.iter_mut() {
                if random.u32(0..200) == 0 && !wheel.has_fired(slot.1) {
                    slot.0 = now + random.u64(1..20_000);
                    wheel.set(slot.1, slot.1.0, Nanos(slot.0 * MS));
                }
            }
            now += random.u64(1..300);
            fired(&mut wheel, now);
            for &(at, key) in &due {
                assert!(!wheel.has_fired(key) || at <= now, "early");
                assert!(wheel.has_fired(key) || at + 4 >= now, "late: {at} at {now}");
            }
        }
    }
}
