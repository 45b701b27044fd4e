//! Tests that hang, are too many, outlive their shard, or break it.

use std::io::Write;
use std::net::TcpListener;

use super::endpoints::proxy;
use super::*;

/// A backend that takes connections and says nothing.
fn mute() -> (TcpListener, Arc<CompiledStage>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stage = proxy(&format!("http://{}/{{proxy}}", listener.local_addr().unwrap()));
    (listener, stage)
}

#[test]
fn a_draining_shard_replies_to_every_test() {
    let (listener, silent) = mute();
    let mut shard = Testing::start();
    let mailbox = shard.0.as_ref().unwrap().mailbox();
    let hangs = shard.send(test(&silent, MethodName::Get, Some("/any/a")));
    let _call = listener.accept().unwrap();
    shard.drain(Some(Duration::from_millis(10)));
    assert_eq!(hangs.recv().unwrap(), Err(INTERNAL_ERROR.to_owned()));
    // Nobody looks into this mailbox any more.
    let late = send(&mailbox, test(&silent, MethodName::Get, Some("/any/a")));
    assert_eq!(late.recv().unwrap(), Err(INTERNAL_ERROR.to_owned()));
}

#[test]
fn a_draining_shard_ends_its_tests_first() {
    let (listener, silent) = mute();
    let mut shard = Testing::start();
    let hangs = shard.send(test(&silent, MethodName::Get, Some("/any/a")));
    let (mut call, _) = listener.accept().unwrap();
    let answering = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        call.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    });
    shard.drain(None);
    assert_eq!(hangs.recv().unwrap().unwrap().body, b"ok");
    answering.join().unwrap();
}

#[test]
fn tests_beyond_the_limit_are_refused_and_others_go_on() {
    let (listener, silent) = mute();
    let mut shard = Testing::start();
    let hanging: Vec<_> = (0..TEST_INVOCATIONS_MAX)
        .map(|_| shard.send(test(&silent, MethodName::Get, Some("/any/a"))))
        .collect();
    let refused = shard.run(test(&silent, MethodName::Get, Some("/any/a"))).unwrap_err();
    assert_eq!(refused, "16 tests are running already");
    for _ in 0..TEST_INVOCATIONS_MAX {
        let (mut call, _) = listener.accept().unwrap();
        call.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    }
    for result in hanging {
        assert_eq!(result.recv().unwrap().unwrap().body, b"ok");
    }
    // Whoever ends makes room.
    let mut test = test(&stage(MOCK), MethodName::Post, Some("/pets/1/2?status=201"));
    test.body = b"{\"name\":\"Rex\"}".to_vec();
    assert_eq!(shard.run(test).unwrap().status, 201);
    shard.drain(None);
}

#[test]
fn a_panic_ends_its_test_only() {
    let mut broken = stage_with(MOCK, "", &[], Limits::default());
    broken.methods[0].index = 99;
    let broken = Arc::new(broken);
    let shard = Testing::start();
    let failed = shard.run(test(&broken, MethodName::Post, Some("/pets/1/2")));
    assert_eq!(failed, Err(INTERNAL_ERROR.to_owned()));
    let outcome = shard.run(test(&stage(MOCK), MethodName::Post, Some("/pets/1/2?status=404")));
    assert_eq!(outcome.unwrap().status, 500);
}
