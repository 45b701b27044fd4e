//! Tasks: one connection, one task; polled only by the ring's own thread.
//!
//! There are no wakers: an op's slot knows the task that waits for it, and the ring puts that task
//! into the ready queue. A future that waits for anything but this ring would never be woken, and so
//! there is none.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// No task: completions of such an op wake nobody.
pub(super) const NO_TASK: u32 = u32::MAX;

pub(super) type BoxFuture = Pin<Box<dyn Future<Output = ()>>>;

enum Place {
    Free {
        next: u32,
    },
    /// Its future is out, being polled.
    Running,
    Waiting(BoxFuture),
}

/// All tasks of a ring.
pub(super) struct Tasks {
    places: Vec<Place>,
    first_free: u32,
    pub(super) count: usize,
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self { places: Vec::new(), first_free: NO_TASK, count: 0 }
    }

    pub(super) fn insert(&mut self, future: BoxFuture) -> u32 {
        self.count += 1;
        let index = self.first_free;
        if let Some(place) = self.places.get_mut(index as usize) {
            let Place::Free { next } = *place else {
                unreachable!("the free list leads to free places")
            };
            self.first_free = next;
            *place = Place::Waiting(future);
            index
        } else {
            self.places.push(Place::Waiting(future));
            (self.places.len() - 1) as u32
        }
    }

    /// Indices of tasks are below this.
    pub(super) fn places_count(&self) -> u32 {
        self.places.len() as u32
    }

    /// Takes the task's future out to poll it; `None`: it has ended, or is being polled.
    pub(super) fn start(&mut self, task: u32) -> Option<BoxFuture> {
        let place = self.places.get_mut(task as usize)?;
        match std::mem::replace(place, Place::Running) {
            Place::Waiting(future) => Some(future),
            other => {
                *place = other;
                None
            }
        }
    }

    pub(super) fn put_back(&mut self, task: u32, future: BoxFuture) {
        self.places[task as usize] = Place::Waiting(future);
    }

    pub(super) fn end(&mut self, task: u32) {
        self.places[task as usize] = Place::Free { next: self.first_free };
        self.first_free = task;
        self.count -= 1;
    }

    /// Takes every future, to drop them when no borrow is held.
    pub(super) fn take_all(&mut self) -> Vec<BoxFuture> {
        let places = std::mem::take(&mut self.places);
        self.first_free = NO_TASK;
        self.count = 0;
        places
            .into_iter()
            .filter_map(|place| match place {
                Place::Waiting(future) => Some(future),
                Place::Free { .. } | Place::Running => None,
            })
            .collect()
    }
}

/// Tasks that have something to do.
pub(super) type Ready = VecDeque<u32>;

/// What the first of two futures gave.
#[derive(Debug)]
pub enum Either<A, B> {
    /// The first future's.
    Left(A),
    /// The second future's.
    Right(B),
}

/// Waits for whichever of two futures is ready first (the left one if both are) and drops the other.
pub fn select<A: Future, B: Future>(left: A, right: B) -> Select<A, B> {
    Select { left, right }
}

pin_project_lite::pin_project! {
    /// The future of [`select`]. Not an `async fn`, which would keep both futures twice: as its arguments
    /// and as its locals, with a copy between them.
    #[must_use = "nothing is waited for without `.await`"]
    pub struct Select<A, B> {
        #[pin]
        left: A,
        #[pin]
        right: B,
    }
}

impl<A: Future, B: Future> Future for Select<A, B> {
    type Output = Either<A::Output, B::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.left.poll(context) {
            return Poll::Ready(Either::Left(output));
        }
        this.right.poll(context).map(Either::Right)
    }
}

/// Lets every other ready task run before this one goes on.
pub async fn yield_now(ring: &super::Ring) {
    let mut yielded = false;
    std::future::poll_fn(|_| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        ring.wake_current();
        Poll::Pending
    })
    .await;
}
