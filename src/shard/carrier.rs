//! What a connection needs for its requests, lent by its shard.
//!
//! The future that carries a request from its head to its answer takes more than a KiB, and a connection
//! spends most of its life without a request. So an idle connection owns none: with the first bytes of
//! a request it takes a carrier from the shard, which it gives back when it is idle again. A carrier's
//! future never ends, it serves one connection after the other, so that its memory is allocated once.
//!
//! In: a connection with input. Out: the same, idle or over. Cost: two moves of the connection's state
//! and one more poll per request; no allocation once the shard has as many carriers as it needs.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use super::body::Link;
use super::connection;

/// Serves connections, one at a time.
pub(super) struct Carrier {
    /// Polled by the task of the connection it serves: whatever it waits for wakes that task.
    future: Pin<Box<dyn Future<Output = Infallible>>>,
    desk: Rc<Desk>,
}

/// Where a connection is handed over, both ways.
#[derive(Default)]
struct Desk {
    given: RefCell<Option<Link>>,
    served: RefCell<Option<(Link, bool)>>,
}

impl Carrier {
    pub(super) fn new() -> Self {
        let desk = Rc::new(Desk::default());
        Self { future: Box::pin(work(Rc::clone(&desk))), desk }
    }

    /// Hands over a connection that has input. It comes back from [`served`](Self::served).
    pub(super) fn give(&self, link: Link) {
        let before = self.desk.given.replace(Some(link));
        assert!(before.is_none(), "a carrier serves one connection at a time");
    }

    /// Serves the connection's requests; gives it back when it is idle (`true`) or over.
    ///
    /// A carrier that is not waited for to the end has to be dropped: it has the connection.
    pub(super) async fn served(&mut self) -> (Link, bool) {
        poll_fn(|context| match self.future.as_mut().poll(context) {
            Poll::Ready(never) => match never {},
            Poll::Pending => match self.desk.served.take() {
                Some(served) => Poll::Ready(served),
                None => Poll::Pending,
            },
        })
        .await
    }
}

async fn work(desk: Rc<Desk>) -> Infallible {
    loop {
        let mut link = poll_fn(|_| match desk.given.take() {
            Some(link) => Poll::Ready(link),
            None => Poll::Pending,
        })
        .await;
        let goes_on = connection::serve(&mut link).await;
        desk.served.replace(Some((link, goes_on)));
    }
}
