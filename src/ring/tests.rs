//! The ring against the real kernel: scripted peers on loopback, small buffer rings.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::limits::RING_CQ_ENTRIES;

mod buffers;
mod posts;

/// A test that takes longer than so many waits of a second hangs. Not one long wait: it would be over when
/// the machine has stood still for a while.
const HANGS_AFTER_WAITS: u32 = 20;

/// Longer than any test.
const LONG: Duration = Duration::from_secs(60);

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
    ring.spawn_vital({
        let ring = ring.clone();
        async move {
            let hangs = async {
                for _ in 0..HANGS_AFTER_WAITS {
                    sleep(&ring, Duration::from_secs(1)).await;
                }
            };
            if let Either::Right(()) = select(future, hangs).await {
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
    assert_eq!(stats.panics, 0);
    stats
}

/// A socket of ours and its peer's.
async fn pair(ring: &Ring) -> (Socket, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = Socket::connect(ring, listener.local_addr().unwrap()).await.unwrap();
    let (peer, _) = listener.accept().unwrap();
    peer.set_read_timeout(Some(LONG)).unwrap();
    (socket, peer)
}

/// Waits, and for the end of the turn in which it woke: what came until then has been dealt with.
async fn sleep(ring: &Ring, time: Duration) {
    let mut timer = ring.timer();
    timer.set(ring.now().after(time));
    timer.fired().await;
    yield_now(ring).await;
}

/// Waits until `holds`: what a peer sends may take its time on a busy machine.
async fn until(ring: &Ring, mut holds: impl FnMut(&RingStats) -> bool) {
    while !holds(&ring.stats()) {
        sleep(ring, Duration::from_millis(1)).await;
    }
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

fn listening() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
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
                sleep(&ring, LONG).await;
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
fn an_accept_without_descriptors_fails_and_goes_on_when_there_are_some() {
    // The bound on descriptors is the whole process's.
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "ring::tests::child_without_descriptors"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "needs a process of its own: the test above starts it"]
fn child_without_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = Rlimit { current: Some(64), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();
    let stats = run(1, 1, async |ring| {
        let (listener, address) = listening();
        let clients = [(); 2].map(|()| TcpStream::connect(address).unwrap());
        let mut hoard = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            hoard.push(file);
        }
        let mut accepts = AcceptStream::new(&ring, listener);
        for _ in 0..3 {
            let Err(error) = accepts.next().await else { panic!("no descriptor is left") };
            assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
            sleep(&ring, Duration::from_millis(10)).await;
        }
        drop(hoard);
        for client in &clients {
            let socket = accepts.next().await.unwrap();
            assert_eq!(socket.names().unwrap().peer, client.local_addr().unwrap());
        }
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
            until(&ring, |now| (now.recv_bufs_leased, now.ops) == (0, before.ops)).await;
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
fn more_ops_and_completions_in_a_turn_than_the_queues_hold_lose_none() {
    const OPS: usize = 3 * RING_CQ_ENTRIES as usize;
    let stats = run(4, 1, async |ring| {
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        recv.arm();
        yield_now(&ring).await;
        // Each completes at once, and nobody looks at the completions meanwhile.
        for _ in 0..OPS {
            ring.push_unowned(op::Op::Cancel { target: u64::MAX - 1 });
        }
        peer.write_all(b"still here").unwrap();
        assert_eq!(&*recv.next().await.unwrap(), b"still here");
        let (result, _) = socket.send_all(SendBuf::from_vec(b"and there".to_vec())).await;
        result.unwrap();
        let mut got = [0; 9];
        peer.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"and there");
        while ring.stats().cqes < OPS as u64 {
            yield_now(&ring).await;
        }
    });
    assert!(stats.cqes > OPS as u64 && stats.cq_overflows > 0, "{stats:?}");
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

/// Whether a reset is noticed within a short time. One that is there is waited for with `reset` itself.
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
        recv.reset().await;
        assert_eq!(&*recv.next().await.unwrap(), b"next", "what came before stays");
        let (socket, peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        recv.arm();
        reset(peer);
        recv.reset().await;
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
        recv.reset().await;
        let (socket, mut peer) = pair(&ring).await;
        let mut recv = socket.recv_stream();
        recv.arm();
        peer.write_all(b"before").unwrap();
        until(&ring, |now| now.spilled_bytes == 6).await;
        assert_eq!(recv.stop().await.iter().map(|piece| piece.len()).sum::<usize>(), 6);
        assert!(!notices_reset(&ring, &mut recv).await, "stopped");
        peer.write_all(b"more").unwrap();
        assert!(!notices_reset(&ring, &mut recv).await, "data is no reset");
        reset(peer);
        recv.reset().await;
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
        recv.reset().await;
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
fn a_send_to_a_closed_peer_fails_and_gives_the_buffer_back() {
    run(4, 1, async |ring| {
        let (socket, peer) = pair(&ring).await;
        reset(peer);
        let (result, buf) = loop {
            let (result, buf) = socket.send_all(SendBuf::from_vec(b"hello".to_vec())).await;
            if result.is_err() {
                break (result, buf);
            }
            sleep(&ring, Duration::from_millis(1)).await; // the reset is on its way
        };
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

#[test]
fn a_panic_ends_its_task_and_no_other() {
    let ring = Ring::new(RingConfig { recv_bufs: 1, bulk_bufs: 1 }).unwrap();
    let (socket, mut peer) = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (AcceptStream::new(&ring, listener), peer)
    };
    ring.spawn({
        let ring = ring.clone();
        async move {
            let mut accepting = socket;
            let socket = accepting.next().await.unwrap();
            let mut recv = socket.recv_stream();
            recv.arm();
            yield_now(&ring).await;
            panic!("expected by the test");
        }
    });
    ring.spawn({
        let ring = ring.clone();
        async move {
            while ring.stats().panics == 0 {
                sleep(&ring, Duration::from_millis(1)).await;
            }
        }
    });
    ring.run().unwrap();
    ring.shut_down();
    let stats = ring.stats();
    assert_eq!((stats.panics, stats.tasks, stats.ops), (1, 0, 0));
    peer.set_read_timeout(Some(LONG)).unwrap();
    assert_eq!(peer.read(&mut [0]).unwrap(), 0, "its connection was closed");
}

#[test]
#[should_panic(expected = "expected by the test")]
fn a_vital_task_that_panics_ends_the_ring() {
    let ring = Ring::new(RingConfig { recv_bufs: 1, bulk_bufs: 1 }).unwrap();
    ring.spawn_vital(async { panic!("expected by the test") });
    let _ = ring.run();
}
