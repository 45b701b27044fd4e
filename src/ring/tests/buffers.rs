//! Who holds shared buffers for how long, and what happens when none is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::limits::{RECV_BUF_BYTES, RECV_SPILL_BYTES_MAX};

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
            let spilled = ring.stats().spilled_bytes;
            until(&ring, |now| now.spilled_bytes == spilled + 4).await;
            let mut peer = Some(peer);
            if seen_by_stop {
                reset(peer.take().unwrap());
                sleep(&ring, Duration::from_millis(5)).await;
            }
            let len: usize = recv.stop().await.iter().map(|piece| piece.len()).sum();
            assert_eq!(len, 4);
            if let Some(peer) = peer {
                reset(peer);
            }
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
        for (part, index) in want.chunks(100).zip(1..) {
            peer.write_all(part).unwrap();
            until(&ring, |now| now.spilled_bytes == index * 100 && now.recv_bufs_leased == 0).await;
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
        until(&ring, |now| (now.recv_bufs_leased, now.spilled_bytes) == (0, 4)).await;
        assert_eq!(&*recv.next().await.unwrap(), b"late");
        // Nor does what is left when the task takes one of two pieces and turns to something else.
        let second = bytes(20_000, 1);
        peer.write_all(&second).unwrap();
        let piece = recv.next().await.unwrap();
        let rest = (second.len() - piece.len()) as u64;
        until(&ring, |now| (now.recv_bufs_leased, now.spilled_bytes) == (1, 4 + rest)).await;
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
        until(&ring, |now| now.recv_bufs_leased == 0).await;
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
            assert!(ring.now().since(begun) < Duration::from_secs(5));
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
fn a_stream_is_silent_until_anything_comes_armed_or_not() {
    run(1, 1, async |ring| {
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        assert!(recv.is_silent(), "not armed, and nothing is there");
        peer.write_all(b"408").unwrap();
        until(&ring, |_| !recv.is_silent()).await;
        assert_eq!(&*recv.next().await.unwrap(), b"408");
        recv.stop().await;
        recv.arm();
        yield_now(&ring).await;
        assert!(recv.is_silent());
        // No buffer is free for what comes: the receive ends without it.
        let (holder, mut holder_peer) = pair(&ring).await;
        holder_peer.write_all(b"held").unwrap();
        let held = holder.recv_stream().next().await.unwrap();
        peer.write_all(b"408").unwrap();
        // Data is there, although none was received.
        until(&ring, |_| !recv.is_silent()).await;
        drop(held);
        assert_eq!(&*recv.next().await.unwrap(), b"408");
        assert!(recv.is_silent(), "armed again by the read");
        drop(peer);
        until(&ring, |_| !recv.is_silent()).await;
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
