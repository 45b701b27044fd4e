//! Panics of tasks: caught, so that they end one task; and known to be, before they are.
//!
//! A panic hook runs before the unwinding that `catch_unwind` stops. One that ends the process, as
//! `server`'s does, has to ask [`is_panic_caught`] or nothing is ever survived.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread, now, is one of a ring's task: it ends that task, or goes on through
/// [`Ring::run`](super::Ring::run) where the task is vital.
pub fn is_panic_caught() -> bool {
    CAUGHT.get()
}

/// Runs what may trip over a mistake of ours. What unwinding leaves behind is the caller's to drop.
pub(super) fn catch<T>(run: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    let outer = CAUGHT.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(run));
    CAUGHT.set(outer);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_known_to_be_caught_while_it_is() {
        assert!(!is_panic_caught());
        let outcome = catch(|| {
            assert!(is_panic_caught());
            assert_eq!(catch(|| 1).unwrap(), 1);
            assert!(is_panic_caught(), "still within the outer one");
            std::panic::resume_unwind(Box::new("expected by the test"));
        });
        assert!(outcome.is_err() && !is_panic_caught());
    }
}
