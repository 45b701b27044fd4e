//! The simulated kernel by itself: an echo over the ring's own sockets.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::ring::{RecvBuf, SendBuf, Socket};

/// Sends `input`, ends its side, and reads what comes back.
struct EchoClient {
    input: Vec<u8>,
    sent: usize,
    output: Rc<RefCell<Vec<u8>>>,
}

impl SimPeer for EchoClient {
    fn act(&mut self, link: &mut SimLink<'_>) -> Option<Duration> {
        let most = link.rng().range(1..5_000);
        self.output.borrow_mut().extend(link.read(most));
        let most = link.rng().range(1..5_000).min(self.input.len() - self.sent);
        self.sent += link.write(&self.input[self.sent..self.sent + most]);
        if self.sent == self.input.len() {
            link.finish();
        }
        (!link.ended()).then_some(Duration::from_micros(100))
    }
}

struct Server(EchoClient);

impl SimPeer for Server {
    fn act(&mut self, link: &mut SimLink<'_>) -> Option<Duration> {
        self.0.act(link)
    }
}

/// One connection out of `seed`'s machine, echoed by a task of ours.
fn echo(seed: u64, bulk: bool) -> (Vec<u8>, Vec<u8>, SimReport) {
    let sim = Sim::new(SimConfig::from_seed(seed));
    let ring = sim.ring(RingConfig { recv_bufs: 2, bulk_bufs: 1 });
    let input: Vec<u8> = (0..40_000_u32).map(|it| (it * 7 + it / 251) as u8).collect();
    let output = Rc::new(RefCell::new(Vec::new()));
    let address: SocketAddr = "10.0.0.1:80".parse().unwrap();
    let mut peer = Some(EchoClient { input: input.clone(), sent: 0, output: Rc::clone(&output) });
    sim.server(address, move |_| match peer.take() {
        Some(peer) => Answering::Accepts(Box::new(Server(peer))),
        None => Answering::Refuses,
    });
    ring.spawn({
        let ring = ring.clone();
        async move {
            let socket = Socket::connect(&ring, address).await.unwrap();
            let mut recv = socket.recv_stream();
            loop {
                let piece: RecvBuf =
                    if bulk { recv.next_bulk().await } else { recv.next().await }.unwrap();
                if piece.is_empty() {
                    break;
                }
                let (sent, _) = socket.send_all(SendBuf::with_tail(Vec::new(), piece)).await;
                sent.unwrap();
            }
            drop(recv);
        }
    });
    ring.run().unwrap();
    sim.settle();
    let stats = ring.stats();
    assert_eq!((stats.recv_bufs_leased, stats.bulk_bufs_leased, stats.ops), (0, 0, 0));
    assert_eq!(stats.panics, 0);
    let output = output.borrow().clone();
    (input, output, sim.report())
}

#[test]
fn every_seed_echoes_every_byte_and_leaves_nothing() {
    for seed in 0..60 {
        let (input, output, report) = echo(seed, seed % 3 == 0);
        assert!(input == output, "seed {seed}: {} of {} bytes", output.len(), input.len());
        let left = (report.descriptors, report.zombies, report.ops, report.filled_buffers);
        assert_eq!(left, (0, 0, 0, 0), "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..5 {
        assert_eq!(echo(seed, false).2, echo(seed, false).2);
    }
    assert_ne!(echo(1, false).2, echo(2, false).2);
}
