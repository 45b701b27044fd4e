//! Stores that cannot be used: one sentence, exit status 1, and the file is as it was.

use std::process::Output;

use redb::TableDefinition;
use ringway::store::{FILE_NAME, FORMAT};
use rustix::process::Signal;
use serde_json::json;

use crate::support::plane::get_at;
use crate::support::{PlaneOptions, Serve};
use crate::{numbered, said};

/// Runs it to its end, which comes by itself.
fn ends(options: &PlaneOptions) -> Output {
    options.command().output().expect("the ringway binary")
}

/// It says `words` and little else, ends with 1, and the file is still `bytes`.
fn is_refused(options: &PlaneOptions, bytes: &[u8], words: &[&str], case: &str) {
    let file = options.store().join(FILE_NAME);
    let output = ends(options);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{case}: {said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{case}: {said}");
    for words in words.iter().chain(&[FILE_NAME]) {
        assert!(said.contains(words), "{case}: no {words:?} in {said}");
    }
    let same = std::fs::read(&file).is_ok_and(|there| there == bytes);
    assert!(same, "{case}: the file was changed, after: {said}");
}

/// A store with a stage, and what it says.
fn store(signal: Signal) -> (PlaneOptions, String, Vec<u8>) {
    let options = PlaneOptions::new();
    let mut gateway = options.start();
    let mut admin = gateway.api();
    let api = admin.imports(&numbered(1));
    for number in 0..20 {
        admin.deploys(&api, "v1", json!({"variables": {"n": number.to_string()}}));
    }
    gateway.signal(signal);
    gateway.exit();
    let bytes = std::fs::read(options.store().join(FILE_NAME)).expect("the store");
    (options, api, bytes)
}

#[test]
fn a_truncated_store_is_refused_and_left_alone() {
    for signal in [Signal::TERM, Signal::KILL] {
        let (options, api, whole) = store(signal);
        let file = options.store().join(FILE_NAME);
        let length = whole.len();
        for cut in [1, 64, 319, 4_096, 8_192, length / 4, length / 2, length - 4_096, length - 1] {
            std::fs::write(&file, &whole[..cut]).expect("a file to write");
            let case = format!("{cut} of {length} bytes after {signal:?}");
            let words: &[&str] = if cut < 9 {
                &["it is no store of Ringway", "Nothing was changed"]
            } else {
                &["cannot be used", "Nothing was changed", "ringway restore"]
            };
            // Its last page may have held nothing yet: then nothing of it is missing.
            if cut + 4_096 >= length
                && let Ok(gateway) = options.try_start()
            {
                assert_eq!(said(&gateway.client().asks(get_at(&api, "/v1/number"))).variable, "19");
                continue;
            }
            is_refused(&options, &whole[..cut], words, &case);
        }
        std::fs::write(&file, &whole).expect("a file to write");
        let gateway = options.start();
        assert_eq!(said(&gateway.client().asks(get_at(&api, "/v1/number"))).variable, "19");
    }
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let options = PlaneOptions::new();
    std::fs::create_dir_all(options.store()).expect("a directory");
    let file = options.store().join(FILE_NAME);
    let zeros = vec![0; 100_000];
    for foreign in [&b"#!/bin/sh\nrm -rf /precious\n"[..], b"redb", b"SQLite format 3\0", &zeros] {
        std::fs::write(&file, foreign).expect("a file to write");
        let words = ["it is no store of Ringway", "Nothing was changed"];
        is_refused(&options, foreign, &words, &String::from_utf8_lossy(&foreign[..4]));
    }
    // What begins as one of redb's, and is none.
    let mut foreign = b"redb\x1a\x0a\xa9\x0d\x0a".to_vec();
    foreign.resize(100_000, 0x55);
    std::fs::write(&file, &foreign).expect("a file to write");
    is_refused(&options, &foreign, &["cannot be used", "Nothing was changed"], "a wrong header");
}

#[test]
fn a_store_of_a_newer_ringway_is_refused_and_left_alone() {
    const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
    for signal in [Signal::TERM, Signal::KILL] {
        let (options, ..) = store(signal);
        let file = options.store().join(FILE_NAME);
        let database = redb::Database::open(&file).expect("a store");
        let writing = database.begin_write().expect("nobody else writes");
        writing
            .open_table(META)
            .expect("our table")
            .insert("format", FORMAT + 1)
            .expect("a store to write to");
        writing.commit().expect("a disk with room");
        drop(database);
        let bytes = std::fs::read(&file).expect("the store");
        let format = format!("format {}", FORMAT + 1);
        is_refused(&options, &bytes, &[&format, "Nothing was changed"], &format!("{signal:?}"));
    }
}

#[test]
fn a_document_that_cannot_be_read_is_named() {
    const OBJECTS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("objects");
    let (options, api, _) = store(Signal::TERM);
    let database = redb::Database::open(options.store().join(FILE_NAME)).expect("a store");
    let writing = database.begin_write().expect("nobody else writes");
    let key = format!("stage\0{api}\0v1");
    writing
        .open_table(OBJECTS)
        .expect("our table")
        .insert(&*key, &b"{\"stageName\": 7}"[..])
        .expect("a store to write to");
    writing.commit().expect("a disk with room");
    drop(database);
    let output = ends(&options);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("stage/{api}/v1")), "{said}");
}

#[test]
fn a_second_process_on_the_same_store_is_refused() {
    let options = PlaneOptions::new();
    let gateway = options.start();
    let mut admin = gateway.api();
    let api = admin.imports(&numbered(1));
    let output = ends(&options);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert_eq!(words.trim_end().lines().count(), 1, "{words}");
    assert!(words.contains("in use by another process"), "{words}");
    // The first goes on.
    admin.deploys(&api, "v1", json!({"variables": {"n": "1"}}));
    assert_eq!(said(&gateway.client().asks(get_at(&api, "/v1/number"))).number, "1");
    let gateway: Serve = gateway.restart();
    assert_eq!(said(&gateway.client().asks(get_at(&api, "/v1/number"))).number, "1");
}
