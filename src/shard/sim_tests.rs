//! A shard on a simulated machine, where what takes long takes no time: clients that are slow or never
//! stop, against deadlines.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::tests::{api, apply, method, mock, prepare};
use super::{MAILBOX_CAPACITY, ShardMessage, run};
use crate::limits::{LINGER_TIME, Limits, MIB};
use crate::model::{MethodName, RestApi};
use crate::ring::sim::{Sim, SimConfig, SimLink, SimPeer};
use crate::ring::{Mailbox, MailboxSender, RingConfig};
use crate::time::Nanos;

/// What a client has seen.
#[derive(Default)]
struct Seen {
    answer: Vec<u8>,
    was_reset: bool,
}

/// Sends a head and then zeros, so many at a time; reads at a rate when it has sent all.
struct Client {
    head: &'static str,
    body_bytes: usize,
    sent: usize,
    writes: usize,
    reads: usize,
    every: Duration,
    next_at: Nanos,
    seen: Rc<RefCell<Seen>>,
    shard: MailboxSender<ShardMessage>,
    done: bool,
}

impl SimPeer for Client {
    fn act(&mut self, link: &mut SimLink<'_>) -> Option<Duration> {
        if self.done {
            return None;
        }
        let total = self.head.len() + self.body_bytes;
        if link.now() >= self.next_at {
            self.next_at = link.now().after(self.every);
            if self.sent < self.head.len() {
                self.sent += link.write(&self.head.as_bytes()[self.sent..]);
            } else if self.sent < total {
                self.sent += link.write(&vec![0; self.writes.min(total - self.sent)]);
            } else {
                self.seen.borrow_mut().answer.extend(link.read(self.reads));
            }
        }
        if link.was_reset() || link.ended() {
            self.seen.borrow_mut().was_reset = link.was_reset();
            link.close();
            self.done = true;
            assert!(self.shard.send(ShardMessage::Drain { deadline: None }).is_ok());
            return None;
        }
        Some(self.every)
    }
}

/// Lets the client loose on a shard; gives what it has seen, and the time it took.
fn play(
    api: &RestApi,
    limits: Limits,
    change: impl FnOnce(&mut Client),
) -> (Rc<RefCell<Seen>>, Duration) {
    let sim = Sim::new(SimConfig::calm(1));
    let ring = sim.ring(RingConfig { recv_bufs: 16, bulk_bufs: 2 });
    let Mailbox { sender, receiver } = Mailbox::new(MAILBOX_CAPACITY).unwrap();
    let (config, batch, _) = prepare(api, limits, None);
    assert!(sender.send(apply(batch)).is_ok());
    let seen = Rc::default();
    let mut client = Client {
        head: "GET /dev/big HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        body_bytes: 0,
        sent: 0,
        writes: 64 * 1_024,
        reads: 64 * 1_024,
        every: Duration::from_millis(10),
        next_at: Nanos(0),
        seen: Rc::clone(&seen),
        shard: sender,
        done: false,
    };
    change(&mut client);
    sim.client(Duration::ZERO, client);
    run(&ring, config, receiver).unwrap();
    assert_eq!(ring.stats().panics, 0);
    (seen, sim.report().elapsed)
}

#[test]
fn a_slow_but_steady_client_gets_all_of_a_large_answer() {
    let body = "x".repeat(2 * MIB);
    let api = api(vec![("/big", MethodName::Get, method(mock(&body)))]);
    let send_timeout = Some(Duration::from_secs(2));
    let limits = || Limits { send_timeout, ..Limits::default() };
    // 200 kB a second.
    let (seen, took) = play(&api, limits(), |client| {
        client.reads = 20_000;
        client.every = Duration::from_millis(100);
    });
    let answer = &seen.borrow().answer;
    assert!(took > Duration::from_secs(9), "{took:?}");
    assert!(answer.ends_with(body.as_bytes()), "{} bytes in {took:?}", answer.len());
    // One that stops is closed.
    let (seen, took) = play(&api, limits(), |client| {
        client.reads = 20_000;
        client.every = Duration::from_secs(20);
    });
    assert!(seen.borrow().answer.len() < 2 * MIB, "in {took:?}");
}

const UPLOAD: &str = "POST /dev/big HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n";

#[test]
fn a_refusal_survives_an_upload_of_any_size() {
    let api = api(vec![("/big", MethodName::Post, method(mock("fine")))]);
    let (seen, took) = play(&api, Limits::default(), |client| {
        client.head = UPLOAD;
        client.body_bytes = 100 * MIB;
    });
    let seen = seen.borrow();
    assert!(took > Duration::from_secs(15) && took < LINGER_TIME, "{took:?}");
    assert!(seen.answer.starts_with(b"HTTP/1.1 413 "), "{} bytes", seen.answer.len());
    assert!(!seen.was_reset);
}

#[test]
fn an_upload_that_never_stops_is_ended_by_time() {
    let api = api(vec![("/big", MethodName::Post, method(mock("fine")))]);
    let (seen, took) = play(&api, Limits::default(), |client| {
        client.head = UPLOAD;
        client.body_bytes = usize::MAX / 2;
        client.writes = 1_024;
    });
    assert!(seen.borrow().was_reset);
    assert!(took >= LINGER_TIME && took < LINGER_TIME + Duration::from_secs(2), "{took:?}");
}
