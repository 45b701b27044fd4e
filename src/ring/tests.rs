//! The ring against the real kernel: scripted peers on loopback, small buffer rings.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::limits::{RECV_BUF_BYTES, RECV_SPILL_BYTES_MAX};

/// A test that takes longer than this hangs.
const HANGS_AFTER: Duration = Duration::from_secs(20);

/// Runs `test` on a ring with so many buffers; afterwards nothing may be left.
fn run<F: Future<Output = ()> + 'static>(
    recv_bufs: u16,
    bulk_bufs: u16,
    test: impl FnOnce(Ring) -> F,
) -> RingStats {
    if let Err(error) = probe() {
        panic!("{error}");
    }
    let ring = Ring::new(RingConfig { recv_bufs, bulk_bufs }).unwrap();
    let future = test(ring.clone());
    ring.spawn({
        let ring = ring.clone();
        async move {
            let mut timer = ring.timer();
            timer.set(ring.now().after(HANGS_AFTER));
            if let Either::Right(()) = select(future, timer.fired()).await {
                panic!("the test hangs: {:?}", ring.stats());
            }
            ring.stop();
        }
    });
    ring.run().unwrap();
    ring.shut_down();
    let stats = ring.stats();
    let left = (stats.ops, stats.tasks, stats.recv_bufs_leased, stats.bulk_bufs_leased);
    assert_eq!(left, (0, 0, 0, 0), "ops, tasks and buffers are left: {stats:?}");
    stats
}

/// A socket of ours and its peer's.
async fn pair(ring: &Ring) -> (Socket, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = Socket::connect(ring, listener.local_addr().unwrap()).await.unwrap();
    let (peer, _) = listener.accept().unwrap();
    peer.set_read_timeout(Some(HANGS_AFTER)).unwrap();
    (socket, peer)
}

async fn sleep(ring: &Ring, time: Duration) {
    let mut timer = ring.timer();
    timer.set(ring.now().after(time));
    timer.fired().await;
}

const SHORT: Duration = Duration::from_millis(60);

/// Closes with a reset instead of an end.
fn reset(peer: TcpStream) {
    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
}

fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; len];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

#[test]
fn a_task_that_keeps_yielding_does_not_starve_receives() {
    run(4, 1, async |ring| {
        let (socket, mut peer) = pair(&ring).await;
        let done = Rc::new(Cell::new(false));
        ring.spawn({
            let (ring, done) = (ring.clone(), Rc::clone(&done));
            async move {
                while !done.get() {
                    yield_now(&ring).await;
                }
            }
        });
        let mut recv = socket.recv_stream();
        recv.arm();
        yield_now(&ring).await;
        peer.write_all(b"hello").unwrap();
        assert_eq!(&*recv.next().await.unwrap(), b"hello");
        done.set(true);
    });
}

#[test]
fn shutting_down_closes_sockets_that_have_no_op_in_flight() {
    let (send, peers) = std::sync::mpsc::channel();
    run(4, 1, async move |ring| {
        let (socket, peer) = pair(&ring).await;
        send.send(peer).unwrap();
        ring.spawn({
            let ring = ring.clone();
            async move {
                let _socket = socket;
                sleep(&ring, HANGS_AFTER).await;
            }
        });
        yield_now(&ring).await;
    });
    let mut peer = peers.recv().unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    // Not `read`: the end of a ring's work interrupts its thread's system calls.
    assert_eq!(peer.read_to_end(&mut Vec::new()).unwrap(), 0, "the peer reads the end");
}

#[test]
fn shutting_down_ends_ops_of_every_kind() {
    let mut peers = Vec::new();
    let (send, received) = std::sync::mpsc::channel();
    run(4, 1, async move |ring| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mailbox = Mailbox::<u32>::new(4).unwrap();
        ring.spawn({
            let ring = ring.clone();
            async move { mailbox.receiver.run(&ring, |_| true).await }
        });
        ring.spawn({
            let mut accepts = AcceptStream::new(&ring, listener);
            async move { drop(accepts.next().await) }
        });
        for kind in 0..4 {
            let (socket, mut peer) = pair(&ring).await;
            peer.write_all(if kind == 3 { b"unread" } else { b"" }).unwrap();
            send.send(peer).unwrap();
            ring.spawn(async move {
                let mut recv = socket.recv_stream();
                match kind {
                    0 => drop(recv.next().await),
                    1 => drop(socket.send_all(SendBuf::from_vec(vec![0; 32 << 20])).await),
                    2 => recv.reset().await,
                    _ => {
                        recv.arm();
                        std::future::pending::<()>().await;
                    }
                }
                unreachable!("nothing of it ends by itself");
            });
        }
        sleep(&ring, SHORT).await;
    });
    peers.extend(received.try_iter());
    for mut peer in peers {
        let mut rest = Vec::new();
        match peer.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

#[test]
fn an_empty_buffer_ring_is_waited_for_without_spinning() {
    let stats = run(2, 1, async |ring| {
        // Two connections that nobody reads hold both buffers in completions that were not taken.
        let (first, mut first_peer) = pair(&ring).await;
        let (second, mut second_peer) = pair(&ring).await;
        let (mut first_recv, mut second_recv) = (first.recv_stream(), second.recv_stream());
        let (third, mut third_peer) = pair(&ring).await;
        let mut third_recv = third.recv_stream();
        third_recv.arm();
        first_peer.write_all(b"1").unwrap();
        second_peer.write_all(b"2").unwrap();
        let first_piece = first_recv.next().await.unwrap();
        let second_piece = second_recv.next().await.unwrap();
        third_peer.write_all(b"3").unwrap();
        ring.spawn({
            let ring = ring.clone();
            async move {
                sleep(&ring, SHORT * 2).await;
                drop((first_piece, second_piece));
            }
        });
        assert_eq!(&*third_recv.next().await.unwrap(), b"3");
    });
    assert!(stats.enobufs <= 3, "{stats:?}");
    assert!(stats.waits < 100, "the ring spins: {stats:?}");
}

#[test]
fn a_waiter_that_needs_no_buffer_keeps_none_from_the_next() {
    run(1, 1, async |ring| {
        let (holder, mut holder_peer) = pair(&ring).await;
        let mut holder_recv = holder.recv_stream();
        holder_peer.write_all(b"held").unwrap();
        let held = holder_recv.next().await.unwrap();
        let (idle, _idle_peer) = pair(&ring).await;
        let (busy, mut busy_peer) = pair(&ring).await;
        // Both wait for a buffer; the idle one is first, and nothing comes for it.
        ring.spawn(async move { drop(idle.recv_stream().next().await) });
        yield_now(&ring).await;
        let (ring_2, got) = (ring.clone(), Rc::new(RefCell::new(Vec::new())));
        ring.spawn({
            let got = Rc::clone(&got);
            async move {
                let piece = busy.recv_stream().next().await.unwrap();
                got.borrow_mut().extend_from_slice(&piece);
            }
        });
        yield_now(&ring_2).await;
        busy_peer.write_all(b"busy").unwrap();
        drop(held);
        for _ in 0..100 {
            if !got.borrow().is_empty() {
                break;
            }
            sleep(&ring_2, Duration::from_millis(10)).await;
        }
        assert_eq!(*got.borrow(), b"busy");
    });
}

fn listening() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[test]
fn connections_accepted_before_a_pause_wait_and_are_not_closed() {
    run(4, 1, async |ring| {
        let (listener, address) = listening();
        let clients: Vec<TcpStream> =
            (0..5).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut accepts = AcceptStream::new(&ring, listener);
        let mut sockets = vec![accepts.next().await.unwrap()];
        accepts.pause();
        sleep(&ring, SHORT).await;
        accepts.pause();
        let late = TcpStream::connect(address).unwrap();
        sleep(&ring, SHORT).await;
        for client in &clients {
            client.set_nonblocking(true).unwrap();
            let error = (&*client).read(&mut [0; 8]).expect_err("nobody closed it");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
        }
        for _ in 0..5 {
            sockets.push(accepts.next().await.unwrap());
        }
        let peers: Vec<SocketAddr> =
            sockets.iter().map(|socket| socket.names().unwrap().peer).collect();
        for client in clients.iter().chain([&late]) {
            assert!(peers.contains(&client.local_addr().unwrap()));
        }
    });
}

#[test]
fn a_listener_that_does_not_block_is_waited_for_without_spinning() {
    let stats = run(4, 1, async |ring| {
        let (listener, address) = listening();
        listener.set_nonblocking(true).unwrap();
        let mut accepts = AcceptStream::new(&ring, listener);
        ring.spawn({
            let ring = ring.clone();
            async move {
                sleep(&ring, SHORT * 2).await;
                drop(TcpStream::connect(address).unwrap());
            }
        });
        drop(accepts.next().await.unwrap());
    });
    assert!(stats.waits < 100, "the ring spins: {stats:?}");
}

#[test]
fn dropping_everything_gives_back_buffers_slots_and_descriptors() {
    run(8, 2, async |ring| {
        let (listener, address) = listening();
        let mut accepts = AcceptStream::new(&ring, listener);
        let waiting: Vec<TcpStream> =
            (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
        drop(accepts.next().await.unwrap());
        let before = ring.stats();
        for round in 0..20 {
            let (socket, mut peer) = pair(&ring).await;
            let mut recv = socket.recv_stream();
            recv.arm();
            peer.write_all(&bytes(40_000, round)).unwrap();
            if round % 2 == 0 {
                sleep(&ring, Duration::from_millis(5)).await;
            }
            let sending = socket.send_all(SendBuf::from_vec(vec![0; 16 << 20]));
            let mut timer = ring.timer();
            timer.set(ring.now().after(Duration::from_millis(5)));
            assert!(matches!(select(sending, timer.fired()).await, Either::Right(())));
            if round % 3 == 0 {
                drop(recv.next().await.unwrap());
            }
            drop((recv, socket));
            sleep(&ring, Duration::from_millis(5)).await;
            let stats = ring.stats();
            assert_eq!((stats.recv_bufs_leased, stats.ops), (0, before.ops), "round {round}");
            let mut rest = Vec::new();
            // What was sent before the cancel arrives, then the end or a reset: unread data was here.
            let _ = peer.read_to_end(&mut rest);
        }
        drop(accepts);
        sleep(&ring, Duration::from_millis(20)).await;
        for mut client in waiting {
            client.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            match client.read(&mut [0; 1]) {
                Ok(0) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
                other => panic!("a connection nobody took stays open: {other:?}"),
            }
        }
        assert!(TcpStream::connect(address).is_err(), "the listener is closed");
    });
}

#[test]
fn a_tiny_buffer_ring_loses_no_byte() {
    let stats = run(2, 1, async |ring| {
        let done = Rc::new(Cell::new(0));
        for seed in 0..8 {
            let (socket, mut peer) = pair(&ring).await;
            let want = bytes(300_000, seed);
            let sent = want.clone();
            std::thread::spawn(move || {
                peer.write_all(&sent).unwrap();
                peer.shutdown(Shutdown::Write).unwrap();
                let _ = peer.read(&mut [0; 1]);
            });
            let (ring_2, done) = (ring.clone(), Rc::clone(&done));
            ring.spawn(async move {
                let mut recv = socket.recv_stream();
                let mut got = Vec::new();
                loop {
                    let piece = recv.next().await.unwrap();
                    if piece.is_empty() {
                        break;
                    }
                    got.extend_from_slice(&piece);
                    yield_now(&ring_2).await;
                }
                assert!(got == want, "connection {seed}: {} bytes", got.len());
                done.set(done.get() + 1);
            });
        }
        while done.get() < 8 {
            sleep(&ring, Duration::from_millis(5)).await;
        }
    });
    assert!(stats.enobufs > 0, "the test wants an empty ring: {stats:?}");
}

#[test]
fn a_close_is_an_end_and_a_reset_an_error_again_and_again() {
    run(4, 1, async |ring| {
        let (socket, peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        drop(peer);
        assert!(recv.next().await.unwrap().is_empty());
        assert!(recv.next().await.unwrap().is_empty());
        let (socket, peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        reset(peer);
        for _ in 0..2 {
            assert_eq!(recv.next().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        }
    });
}

/// Whether the peer's reset is noticed within a short time.
async fn notices_reset(ring: &Ring, recv: &mut RecvStream) -> bool {
    let mut timer = ring.timer();
    timer.set(ring.now().after(SHORT));
    matches!(select(recv.reset(), timer.fired()).await, Either::Left(()))
}

#[test]
fn a_reset_is_noticed_and_an_end_is_not() {
    run(4, 1, async |ring| {
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        recv.arm();
        assert!(!notices_reset(&ring, &mut recv).await);
        peer.write_all(b"next").unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        assert!(!notices_reset(&ring, &mut recv).await, "data and an end are no reset");
        reset(peer);
        assert!(notices_reset(&ring, &mut recv).await, "a reset after the end");
        assert_eq!(&*recv.next().await.unwrap(), b"next", "what came before stays");
        let (socket, peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        recv.arm();
        reset(peer);
        assert!(notices_reset(&ring, &mut recv).await);
        assert!(recv.next().await.is_err());
    });
}

#[test]
fn a_reset_is_noticed_while_the_receive_is_disarmed() {
    run(4, 1, async |ring| {
        let (socket, peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        assert!(!notices_reset(&ring, &mut recv).await, "never armed");
        reset(peer);
        assert!(notices_reset(&ring, &mut recv).await);
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        recv.arm();
        peer.write_all(b"before").unwrap();
        sleep(&ring, Duration::from_millis(5)).await;
        assert_eq!(recv.stop().await.iter().map(|piece| piece.len()).sum::<usize>(), 6);
        assert!(!notices_reset(&ring, &mut recv).await, "stopped");
        peer.write_all(b"more").unwrap();
        assert!(!notices_reset(&ring, &mut recv).await, "data is no reset");
        reset(peer);
        assert!(notices_reset(&ring, &mut recv).await);
    });
}

#[test]
fn a_reset_is_noticed_after_the_buffers_ran_out() {
    run(1, 1, async |ring| {
        let (holder, mut holder_peer) = pair(&ring).await;
        holder_peer.write_all(b"held").unwrap();
        let held = holder.recv_stream().next().await.unwrap();
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        recv.arm();
        peer.write_all(b"no room").unwrap();
        assert!(!notices_reset(&ring, &mut recv).await);
        reset(peer);
        assert!(notices_reset(&ring, &mut recv).await);
        drop(held);
    });
}

#[test]
fn stopping_keeps_what_was_received() {
    run(16, 1, async |ring| {
        for (len, pause) in [(5, true), (5, false), (50_000, true), (50_000, false)] {
            let (socket, mut peer) = pair(&ring).await;
            let want = bytes(len, len as u64);
            let mut recv = socket.recv_stream();
            recv.arm();
            yield_now(&ring).await;
            peer.write_all(&want).unwrap();
            peer.write_all(b"end").unwrap();
            peer.shutdown(Shutdown::Write).unwrap();
            if pause {
                sleep(&ring, Duration::from_millis(5)).await;
            }
            let mut got = Vec::new();
            for piece in recv.stop().await {
                got.extend_from_slice(&piece);
            }
            // The rest is still in the socket.
            loop {
                let piece = recv.next().await.unwrap();
                if piece.is_empty() {
                    break;
                }
                got.extend_from_slice(&piece);
            }
            assert!(got == [&want[..], b"end"].concat(), "{len} bytes, pause: {pause}");
        }
    });
}

#[test]
fn a_stop_that_is_given_up_loses_nothing() {
    run(16, 1, async |ring| {
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        recv.arm();
        yield_now(&ring).await;
        peer.write_all(b"first").unwrap();
        // Polled once, then dropped.
        let given_up = select(recv.stop(), std::future::ready(())).await;
        assert!(matches!(given_up, Either::Right(())));
        sleep(&ring, Duration::from_millis(5)).await;
        peer.write_all(b"second").unwrap();
        let mut got = Vec::new();
        while got.len() < 11 {
            let piece = recv.next().await.unwrap();
            assert!(!piece.is_empty(), "no end was sent");
            got.extend_from_slice(&piece);
        }
        assert_eq!(got, b"firstsecond");
    });
}

#[test]
fn bulk_receives_fall_back_to_the_heap_and_lose_no_byte() {
    let stats = run(8, 1, async |ring| {
        let done = Rc::new(Cell::new(0));
        for seed in 0..6 {
            let (socket, mut peer) = pair(&ring).await;
            let want = bytes(2 << 20, seed);
            let sent = want.clone();
            std::thread::spawn(move || {
                peer.write_all(&sent).unwrap();
                end_and_wait(peer);
            });
            let (ring_2, done) = (ring.clone(), Rc::clone(&done));
            ring.spawn(async move {
                let mut recv = socket.recv_stream();
                recv.arm();
                yield_now(&ring_2).await;
                let mut got = Vec::new();
                for piece in recv.stop().await {
                    got.extend_from_slice(&piece);
                }
                let mut held = RecvBuf::default();
                while got.len() < want.len() {
                    let piece = recv.next_bulk().await.unwrap();
                    assert!(!piece.is_empty());
                    got.extend_from_slice(&piece);
                    // The only bulk buffer is kept over the next receive.
                    drop(std::mem::replace(&mut held, piece));
                }
                assert!(got == want, "connection {seed}");
                // Back to the armed receive.
                drop(held);
                recv.arm();
                assert!(recv.next().await.unwrap().is_empty());
                assert!(recv.next_bulk().await.unwrap().is_empty());
                done.set(done.get() + 1);
            });
        }
        while done.get() < 6 {
            sleep(&ring, Duration::from_millis(5)).await;
        }
    });
    assert!(stats.enobufs > 0, "the test wants the fallback: {stats:?}");
}

/// Ends the stream and waits until the other side has closed.
fn end_and_wait(mut peer: TcpStream) {
    peer.shutdown(Shutdown::Write).unwrap();
    let _ = peer.read(&mut [0; 1]);
}

#[test]
fn a_reset_is_no_end_of_a_bulk_transfer() {
    run(4, 1, async |ring| {
        for seen_by_stop in [true, false] {
            let (socket, mut peer) = pair(&ring).await;
            let mut recv = socket.recv_stream();
            recv.arm();
            peer.write_all(b"some").unwrap();
            sleep(&ring, Duration::from_millis(5)).await;
            let mut peer = Some(peer);
            if seen_by_stop {
                reset(peer.take().unwrap());
                sleep(&ring, Duration::from_millis(5)).await;
            }
            let len: usize = recv.stop().await.iter().map(|piece| piece.len()).sum();
            assert_eq!(len, 4);
            peer.map(reset);
            for _ in 0..2 {
                let error = recv.next_bulk().await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ConnectionReset, "by stop: {seen_by_stop}");
            }
        }
    });
}

#[test]
fn what_nobody_reads_goes_to_the_heap_and_comes_in_order() {
    let stats = run(4, 1, async |ring| {
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        recv.arm();
        let want = bytes(9_000, 3);
        for part in want.chunks(100) {
            peer.write_all(part).unwrap();
            sleep(&ring, Duration::from_millis(1)).await;
            // What came in this very turn is spilled at its end.
            yield_now(&ring).await;
            let stats = ring.stats();
            assert_eq!(stats.recv_bufs_leased, 0, "no shared buffer is held: {stats:?}");
        }
        let mut got = Vec::new();
        while got.len() < want.len() {
            got.extend_from_slice(&recv.next().await.unwrap());
        }
        assert!(got == want);
        // Awaited data stays where it is.
        let before = ring.stats().spilled_bytes;
        ring.spawn({
            let ring = ring.clone();
            async move {
                sleep(&ring, Duration::from_millis(5)).await;
                peer.write_all(b"awaited").unwrap();
                sleep(&ring, SHORT).await;
            }
        });
        let piece = recv.next().await.unwrap();
        assert_eq!((&*piece, piece.is_leased()), (&b"awaited"[..], true));
        assert_eq!(ring.stats().spilled_bytes, before);
    });
    assert_eq!((stats.spilled_bytes, stats.enobufs), (9_000, 0));
}

#[test]
fn a_read_that_was_given_up_holds_no_buffer() {
    run(4, 1, async |ring| {
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        let mut timer = ring.timer();
        timer.set(ring.now().after(Duration::from_millis(1)));
        assert!(matches!(select(recv.next(), timer.fired()).await, Either::Right(())));
        peer.write_all(b"late").unwrap();
        sleep(&ring, Duration::from_millis(5)).await;
        assert_eq!((ring.stats().recv_bufs_leased, ring.stats().spilled_bytes), (0, 4));
        assert_eq!(&*recv.next().await.unwrap(), b"late");
        // Nor does what is left when the task takes one of two pieces and turns to something else.
        let second = bytes(20_000, 1);
        peer.write_all(&second).unwrap();
        let piece = recv.next().await.unwrap();
        sleep(&ring, Duration::from_millis(5)).await;
        assert_eq!(ring.stats().recv_bufs_leased, 1, "the one that was taken");
        let mut got = piece.to_vec();
        while got.len() < second.len() {
            got.extend_from_slice(&recv.next().await.unwrap());
        }
        assert!(got == second);
    });
}

#[test]
fn a_flood_that_nobody_reads_is_held_back_and_loses_no_byte() {
    const LEN: usize = 24 << 20;
    run(16, 1, async |ring| {
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        recv.arm();
        let (written, sent) = (Arc::new(AtomicUsize::new(0)), bytes(1 << 20, 9));
        let writer = std::thread::spawn({
            let (written, sent) = (Arc::clone(&written), sent.clone());
            move || {
                for _ in 0..LEN >> 20 {
                    peer.write_all(&sent).unwrap();
                    written.fetch_add(1 << 20, Ordering::Relaxed);
                }
                end_and_wait(peer);
            }
        });
        for _ in 0..20 {
            sleep(&ring, Duration::from_millis(5)).await;
            let stats = ring.stats();
            let bound = RECV_SPILL_BYTES_MAX + 16 * RECV_BUF_BYTES;
            assert!(stats.spilled_bytes <= bound as u64, "{stats:?}");
        }
        assert!(written.load(Ordering::Relaxed) < LEN, "TCP holds the writer back");
        assert_eq!(ring.stats().recv_bufs_leased, 0);
        let mut got = 0;
        loop {
            let piece = recv.next().await.unwrap();
            if piece.is_empty() {
                break;
            }
            for &byte in &*piece {
                assert!(byte == sent[got % sent.len()], "byte {got}");
                got += 1;
            }
        }
        assert_eq!(got, LEN);
        drop((recv, socket));
        yield_now(&ring).await;
        sleep(&ring, Duration::from_millis(1)).await;
        writer.join().unwrap();
    });
}

#[test]
fn fifty_that_pipeline_without_reading_starve_nobody() {
    let stats = run(4, 1, async |ring| {
        let mut hung = Vec::new();
        for _ in 0..50 {
            let (socket, mut peer) = pair(&ring).await;
            peer.write_all(b"request").unwrap();
            let mut recv = socket.recv_stream();
            // The request is taken, and waits for an integration that does not answer.
            assert_eq!(&*recv.next().await.unwrap(), b"request");
            hung.push((socket, recv, peer));
        }
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        for round in 0..20_u8 {
            for (_, _, peer) in &mut hung {
                peer.write_all(&[round; 500]).unwrap();
            }
            peer.write_all(&[round; 10]).unwrap();
            let begun = ring.now();
            assert_eq!(&*recv.next().await.unwrap(), [round; 10]);
            assert!(ring.now().since(begun) < Duration::from_secs(1));
        }
        for (_, mut recv, _) in hung {
            let mut got = Vec::new();
            while got.len() < 20 * 500 {
                got.extend_from_slice(&recv.next().await.unwrap());
            }
            assert!(got.chunks(500).zip(0..20).all(|(part, round)| part == [round; 500]));
        }
    });
    assert!(stats.spilled_bytes > 0, "{stats:?}");
}

#[test]
fn an_armed_receive_is_silent_until_anything_comes_or_it_is_disarmed() {
    run(1, 1, async |ring| {
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        assert!(!recv.is_silent(), "never armed");
        recv.arm();
        yield_now(&ring).await;
        assert!(recv.is_silent());
        // No buffer is free for what comes: the receive ends without it.
        let (holder, mut holder_peer) = pair(&ring).await;
        holder_peer.write_all(b"held").unwrap();
        let held = holder.recv_stream().next().await.unwrap();
        peer.write_all(b"408").unwrap();
        sleep(&ring, Duration::from_millis(5)).await;
        assert!(!recv.is_silent(), "data is there, although none was received");
        drop(held);
        assert_eq!(&*recv.next().await.unwrap(), b"408");
        assert!(recv.is_silent());
        drop(peer);
        sleep(&ring, Duration::from_millis(5)).await;
        assert!(!recv.is_silent(), "closed");
    });
}

#[test]
fn a_send_gives_its_shared_buffer_back_when_those_are_scarce() {
    run(2, 1, async |ring| {
        let (source, mut source_peer) = pair(&ring).await;
        let (stuck, _stuck_peer) = pair(&ring).await;
        source_peer.write_all(b"piece").unwrap();
        let piece = source.recv_stream().next().await.unwrap();
        assert_eq!(ring.stats().recv_bufs_leased, 1);
        let sending = stuck.send_all(SendBuf::with_tail(vec![0; 32 << 20], piece));
        let mut timer = ring.timer();
        timer.set(ring.now().after(SHORT));
        let looking = async {
            timer.fired().await;
            assert_eq!(ring.stats().recv_bufs_leased, 0, "the peer does not read");
        };
        assert!(matches!(select(sending, looking).await, Either::Right(())));
    });
}

#[test]
fn a_send_to_a_closed_peer_fails_and_gives_the_buffer_back() {
    run(4, 1, async |ring| {
        let (socket, peer) = pair(&ring).await;
        reset(peer);
        sleep(&ring, Duration::from_millis(5)).await;
        let (result, buf) = socket.send_all(SendBuf::from_vec(b"hello".to_vec())).await;
        assert!(matches!(
            result.unwrap_err().kind(),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
        ));
        assert_eq!(buf.head, b"hello");
    });
}

#[test]
fn a_big_send_reaches_a_slow_reader_whole() {
    run(4, 1, async |ring| {
        let (socket, mut peer) = pair(&ring).await;
        peer.write_all(b" and a tail").unwrap();
        let tail = socket.recv_stream().next().await.unwrap();
        let head = bytes(12 << 20, 1);
        let want = [&head[..], b" and a tail"].concat();
        let reader = std::thread::spawn(move || {
            let mut got = vec![0; 100_000];
            peer.read_exact(&mut got).unwrap();
            std::thread::sleep(Duration::from_millis(100));
            peer.read_to_end(&mut got).unwrap();
            got
        });
        let (result, buf) = socket.send_all(SendBuf::with_tail(head, tail)).await;
        result.unwrap();
        assert_eq!(buf.head.len(), 12 << 20, "its memory comes back");
        drop((buf, socket));
        yield_now(&ring).await;
        sleep(&ring, Duration::from_millis(5)).await;
        assert!(reader.join().unwrap() == want);
    });
}

#[test]
fn timers_fire_once_in_order_and_a_dropped_one_never() {
    run(1, 1, async |ring| {
        let fired = Rc::new(RefCell::new(Vec::new()));
        let begun = ring.now();
        for index in 0..1_000_u64 {
            let (ring_2, fired) = (ring.clone(), Rc::clone(&fired));
            ring.spawn(async move {
                let mut timer = ring_2.timer();
                let mut far = ring_2.timer();
                far.set(ring_2.now().after(Duration::from_secs(1_000_000)));
                let time = Duration::from_millis(5 + index * 7 % 50);
                timer.set(ring_2.now().after(time));
                if index % 3 == 0 {
                    let mut cancelled = ring_2.timer();
                    cancelled.set(ring_2.now().after(Duration::from_millis(1)));
                }
                timer.fired().await;
                assert!(ring_2.now().since(begun) >= time, "early");
                assert!(!far.has_fired());
                fired.borrow_mut().push((time.as_millis() as u64).div_ceil(4));
            });
        }
        while fired.borrow().len() < 1_000 {
            sleep(&ring, Duration::from_millis(5)).await;
        }
        assert_eq!(ring.stats().tasks, 1, "nobody else is left");
    });
}

#[test]
fn a_mailbox_delivers_everything_from_many_threads_in_each_ones_order() {
    const THREADS: usize = 4;
    const VALUES: usize = 5_000;
    run(1, 1, async |ring| {
        let Mailbox { sender, receiver } = Mailbox::<(usize, usize)>::new(16).unwrap();
        for thread in 0..THREADS {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for value in 0..VALUES {
                    let mut message = (thread, value);
                    while let Err(back) = sender.send(message) {
                        message = back;
                        std::thread::yield_now();
                    }
                }
            });
        }
        let mut next = [0; THREADS];
        let mut left = THREADS * VALUES;
        receiver
            .run(&ring, |(thread, value)| {
                assert_eq!(value, next[thread]);
                next[thread] += 1;
                left -= 1;
                left > 0
            })
            .await;
        assert_eq!(left, 0);
    });
}
