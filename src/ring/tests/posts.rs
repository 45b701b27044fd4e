//! Posted sends against the real kernel: what leaves at once is not told, and what does not, goes on.

use super::*;

/// More than the buffers of both sockets of a connection hold.
const TOO_MUCH: usize = 16 << 20;

async fn settles(socket: &mut Socket) -> Vec<u8> {
    let (result, head) = socket.settled().await;
    result.unwrap();
    head
}

#[test]
fn whoever_waits_for_what_was_posted_is_woken_when_it_has_left() {
    let stats = run(4, 1, async |ring| {
        let (mut socket, _peer) = pair(&ring).await;
        for _ in 0..10 {
            socket.post(SendBuf::from_vec(b"hello".to_vec()));
            assert_eq!(settles(&mut socket).await, b"hello");
        }
    });
    assert!(stats.waits < 100, "{stats:?}");
}

#[test]
fn what_leaves_at_once_needs_no_completion() {
    let stats = run(4, 1, async |ring| {
        let (mut socket, mut peer) = pair(&ring).await;
        let mut memory = Vec::with_capacity(64);
        for round in 0..100_u8 {
            memory.extend_from_slice(&[round; 40]);
            socket.post(SendBuf::from_vec(std::mem::take(&mut memory)));
            assert!(!socket.is_settled(), "it leaves with the next submission");
            yield_now(&ring).await;
            assert!(socket.is_settled(), "round {round}");
            memory = settles(&mut socket).await;
            assert_eq!((&memory[..], memory.capacity()), (&[round; 40][..], 64));
            memory.clear();
            let mut got = [0; 40];
            peer.read_exact(&mut got).unwrap();
            assert_eq!(got, [round; 40]);
        }
    });
    assert!(stats.sqes >= 100, "{stats:?}");
    assert!(stats.cqes < 20, "{stats:?}");
}

#[test]
fn a_received_piece_that_is_posted_gives_its_buffer_back_when_it_has_left() {
    run(4, 1, async |ring| {
        let (mut socket, mut peer) = pair(&ring).await;
        peer.write_all(b" and a tail").unwrap();
        let tail = socket.recv_stream().next().await.unwrap();
        until(&ring, |stats| stats.recv_bufs_leased == 1).await;
        socket.post(SendBuf::with_tail(b"a head".to_vec(), tail));
        // Nobody asks whether it is settled.
        until(&ring, |stats| stats.recv_bufs_leased == 0).await;
        let mut got = [0; 17];
        peer.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"a head and a tail");
        settles(&mut socket).await;
    });
}

#[test]
fn what_finds_no_room_goes_on_by_itself_and_stays_in_order() {
    run(4, 1, async |ring| {
        let (mut socket, mut peer) = pair(&ring).await;
        let much = bytes(TOO_MUCH, 7);
        let want = [&much[..], b"more"].concat();
        socket.post(SendBuf::from_vec(much));
        sleep(&ring, SHORT).await;
        assert!(!socket.is_settled(), "the peer does not read");
        let reader = std::thread::spawn(move || {
            let mut got = Vec::new();
            peer.read_to_end(&mut got).unwrap();
            got
        });
        assert_eq!(settles(&mut socket).await.len(), TOO_MUCH);
        socket.post(SendBuf::from_vec(b"more".to_vec()));
        settles(&mut socket).await;
        drop(socket);
        yield_now(&ring).await;
        sleep(&ring, Duration::from_millis(5)).await;
        assert!(reader.join().unwrap() == want);
    });
}

#[test]
fn a_full_socket_takes_a_posted_send_when_there_is_room() {
    run(4, 1, async |ring| {
        let (mut socket, mut peer) = pair(&ring).await;
        let sending = socket.send_all(SendBuf::from_vec(vec![1; TOO_MUCH]));
        assert!(matches!(select(sending, sleep(&ring, SHORT)).await, Either::Right(())));
        sleep(&ring, SHORT).await; // the cancel takes effect
        socket.post(SendBuf::from_vec(vec![2; 4 << 20]));
        sleep(&ring, SHORT).await;
        assert!(!socket.is_settled(), "there is no room");
        let reader = std::thread::spawn(move || {
            let mut got = Vec::new();
            peer.read_to_end(&mut got).unwrap();
            got
        });
        settles(&mut socket).await;
        drop(socket);
        yield_now(&ring).await;
        sleep(&ring, Duration::from_millis(5)).await;
        let got = reader.join().unwrap();
        let end = got.len() - (4 << 20);
        assert!(
            got[..end].iter().all(|&byte| byte == 1) && got[end..].iter().all(|&byte| byte == 2)
        );
    });
}

#[test]
fn a_peer_that_is_gone_is_told_to_whoever_waits_for_an_answer() {
    run(4, 1, async |ring| {
        let (mut socket, peer) = pair(&ring).await;
        socket.post(SendBuf::from_vec(vec![0; TOO_MUCH]));
        sleep(&ring, Duration::from_millis(5)).await;
        reset(peer);
        socket.post_failed().await;
        let error = socket.settled().await.0.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset));
        // A failure that the submission itself meets.
        socket.post(SendBuf::from_vec(b"hello".to_vec()));
        socket.post_failed().await;
        assert!(socket.settled().await.0.is_err());
    });
}

#[test]
fn a_socket_may_be_dropped_with_what_was_posted_on_its_way() {
    run(4, 1, async |ring| {
        for (length, waits) in [(10, false), (TOO_MUCH, false), (10, true), (TOO_MUCH, true)] {
            let (mut socket, mut peer) = pair(&ring).await;
            socket.post(SendBuf::from_vec(vec![3; length]));
            if waits {
                yield_now(&ring).await;
            }
            drop(socket);
            yield_now(&ring).await;
            sleep(&ring, Duration::from_millis(5)).await;
            let mut got = Vec::new();
            // A close with an unsent rest may reset.
            let _ = peer.read_to_end(&mut got);
            assert!(got.len() <= length && got.iter().all(|&byte| byte == 3));
            if length == 10 && waits {
                assert_eq!(got.len(), 10);
            }
        }
    });
}

#[test]
fn posts_of_many_sockets_are_settled_by_one_turn() {
    let stats = run(4, 1, async |ring| {
        let mut pairs = Vec::new();
        for _ in 0..300 {
            pairs.push(pair(&ring).await);
        }
        let before = ring.stats();
        for (index, (socket, _)) in pairs.iter_mut().enumerate() {
            socket.post(SendBuf::from_vec(format!("{index:5}").into_bytes()));
        }
        yield_now(&ring).await;
        let waits = ring.stats().waits - before.waits;
        assert!(waits <= 2, "{waits}");
        for (index, (socket, peer)) in pairs.iter_mut().enumerate() {
            assert!(socket.is_settled(), "socket {index}");
            let mut got = [0; 5];
            peer.read_exact(&mut got).unwrap();
            assert_eq!(got, format!("{index:5}").as_bytes());
        }
    });
    assert!(stats.cqes < 2_000, "{stats:?}");
}

#[test]
fn memory_that_is_given_away_serves_the_next_send_of_any_socket() {
    run(4, 1, async |ring| {
        let (mut first, _first_peer) = pair(&ring).await;
        let (mut second, mut second_peer) = pair(&ring).await;
        let mut memory = Vec::with_capacity(1_000);
        memory.extend_from_slice(b"hello");
        first.post(SendBuf::from_vec(memory).giving_memory());
        assert_eq!(ring.memory().capacity(), 0, "it is on its way");
        yield_now(&ring).await;
        let mut memory = ring.memory();
        assert_eq!((memory.len(), memory.capacity()), (0, 1_000));
        memory.extend_from_slice(b"and there");
        second.post(SendBuf::from_vec(memory).giving_memory());
        assert_eq!(settles(&mut first).await, b"");
        assert_eq!(settles(&mut second).await, b"");
        let mut got = [0; 9];
        second_peer.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"and there");
    });
}
