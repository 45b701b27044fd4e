use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, Serialize, Deserialize, PartialEq, Clone)]
struct Pet {
    name: String,
}

impl Document for Pet {
    const KIND: &'static str = "pet";
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Petty(u8);

impl Document for Petty {
    const KIND: &'static str = "petty";
}

fn pet(name: &str) -> Pet {
    Pet { name: name.to_owned() }
}

/// A directory of its own that is gone after the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("ringway-store-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_is_committed_is_there_and_what_is_not_is_not() {
    let scratch = Scratch::new("commit");
    let store = Store::open(&scratch.0).unwrap();
    assert_eq!(store.read().unwrap().get::<Pet>(&["a", "1"]).unwrap(), None);
    let writing = store.write().unwrap();
    writing.put(&["a", "1"], &pet("Ada")).unwrap();
    writing.put_blob("text", &["a", "1"], &[b'x'; 100_000]).unwrap();
    let before = store.read().unwrap();
    writing.commit().unwrap();
    assert_eq!(before.get::<Pet>(&["a", "1"]).unwrap(), None, "a view does not move");
    let dropped = store.write().unwrap();
    dropped.put(&["a", "1"], &pet("Bob")).unwrap();
    drop(dropped);
    drop(store);
    let store = Store::open(&scratch.0).unwrap();
    let reading = store.read().unwrap();
    assert_eq!(reading.get::<Pet>(&["a", "1"]).unwrap(), Some(pet("Ada")));
    assert_eq!(reading.blob("text", &["a", "1"]).unwrap().unwrap(), [b'x'; 100_000]);
    assert!(reading.put(&["a", "2"], &pet("Cyd")).is_err());
}

#[test]
fn listing_and_deleting_stay_below_their_ids() {
    let scratch = Scratch::new("list");
    let store = Store::open(&scratch.0).unwrap();
    let writing = store.write().unwrap();
    for (parent, id) in [("a", "1"), ("a", "2"), ("a", "3"), ("ab", "1"), ("b", "1")] {
        writing.put(&[parent, id], &pet(&format!("{parent}{id}"))).unwrap();
        writing.put(&[parent, id], &Petty(7)).unwrap();
        writing.put_blob("text", &[parent, id], b"t").unwrap();
    }
    let names = |transaction: &Transaction, ids: &[&str]| -> Vec<String> {
        transaction.list::<Pet>(ids).unwrap().into_iter().map(|pet| pet.name).collect()
    };
    assert_eq!(names(&writing, &["a"]), ["a1", "a2", "a3"]);
    assert_eq!(names(&writing, &[]), ["a1", "a2", "a3", "ab1", "b1"]);
    let mut seen = Vec::new();
    writing
        .each::<Pet>(&["a"], Some("1"), |id, _| {
            seen.push(id.to_owned());
            false
        })
        .unwrap();
    assert_eq!(seen, ["2"]);
    // During a walk others may be read; whoever writes is told, and the walk goes on.
    let mut told = Vec::new();
    writing
        .each::<Pet>(&["a"], None, |id, _| {
            assert!(writing.has::<Petty>(&["a", id]).unwrap());
            told.push(writing.put(&["a", id], &Petty(8)).unwrap_err().to_string());
            true
        })
        .unwrap();
    assert_eq!(told.len(), 3);
    assert!(told[0].contains("during a walk"), "{told:?}");
    writing.delete_all::<Pet>(&["a"]).unwrap();
    writing.delete_blobs("text", &["a"]).unwrap();
    assert_eq!(names(&writing, &[]), ["ab1", "b1"]);
    assert_eq!(writing.list::<Petty>(&["a"]).unwrap().len(), 3);
    assert_eq!(writing.blob("text", &["a", "1"]).unwrap(), None);
    assert!(writing.blob("text", &["ab", "1"]).unwrap().is_some());
    assert!(writing.delete::<Pet>(&["b", "1"]).unwrap());
    assert!(!writing.delete::<Pet>(&["b", "1"]).unwrap());
}

#[test]
fn a_backup_is_a_store_and_comes_back() {
    let scratch = Scratch::new("backup");
    let store = Store::open(&scratch.file("one")).unwrap();
    let writing = store.write().unwrap();
    writing.put(&["a"], &pet("Ada")).unwrap();
    writing.put_blob("text", &["a"], b"frozen").unwrap();
    writing.commit().unwrap();
    let copy = scratch.file("copy.redb");
    store.backup(&copy).unwrap();
    assert!(store.backup(&copy).unwrap_err().to_string().contains("overwrites nothing"));
    let writing = store.write().unwrap();
    writing.put(&["a"], &pet("Bob")).unwrap();
    writing.commit().unwrap();
    let refused = restore(&copy, &scratch.file("one")).unwrap_err();
    assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
    drop(store);
    let kept = restore(&copy, &scratch.file("one")).unwrap().expect("the old store is kept");
    assert!(kept.exists());
    let store = Store::open(&scratch.file("one")).unwrap();
    let reading = store.read().unwrap();
    assert_eq!(reading.get::<Pet>(&["a"]).unwrap(), Some(pet("Ada")));
    assert_eq!(reading.blob("text", &["a"]).unwrap().unwrap(), b"frozen");
    assert_eq!(restore(&copy, &scratch.file("new")).unwrap(), None);
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let scratch = Scratch::new("damaged");
    let file = scratch.file(FILE_NAME);
    std::fs::write(&file, b"#!/bin/sh\necho precious\n").unwrap();
    let error = Store::open(&scratch.0).unwrap_err().to_string();
    assert!(error.contains("it is no store of Ringway") && error.contains("Nothing was changed"));
    assert_eq!(std::fs::read(&file).unwrap(), b"#!/bin/sh\necho precious\n");
    let error = restore(&file, &scratch.file("other")).unwrap_err().to_string();
    assert!(error.contains("it is no store"), "{error}");
    assert!(!scratch.file("other").join(FILE_NAME).exists());

    std::fs::remove_file(&file).unwrap();
    drop(Store::open(&scratch.0).unwrap());
    let whole = std::fs::read(&file).unwrap();
    for cut in [5, 9, 100, 320, 4_096, whole.len() / 2] {
        std::fs::write(&file, &whole[..cut]).unwrap();
        let error = Store::open(&scratch.0).unwrap_err().to_string();
        assert!(error.contains("Nothing was changed"), "{cut}: {error}");
        assert_eq!(std::fs::read(&file).unwrap(), &whole[..cut], "{cut}");
    }
    let mut flipped = whole;
    for byte in &mut flipped[64..320] {
        *byte ^= 0x55;
    }
    std::fs::write(&file, &flipped).unwrap();
    let error = Store::open(&scratch.0).unwrap_err().to_string();
    assert!(error.contains("Nothing was changed"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), flipped);
}

/// A store that says to have another format.
fn with_format(name: &str, format: u64) -> Scratch {
    let scratch = Scratch::new(name);
    let store = Store::open(&scratch.0).unwrap();
    let writing = store.write().unwrap();
    writing.put(&["a", "1"], &pet("Ada")).unwrap();
    writing.commit().unwrap();
    let writing = store.database.begin_write().unwrap();
    writing.open_table(META).unwrap().insert(FORMAT_KEY, format).unwrap();
    writing.commit().unwrap();
    scratch
}

#[test]
fn an_unknown_format_is_refused_and_left_alone() {
    for (name, format) in [("newer", FORMAT + 1), ("older", FORMAT_MIN - 1)] {
        let scratch = with_format(name, format);
        let error = Store::open(&scratch.0).unwrap_err();
        assert!(matches!(error, StoreError::Format { found, .. } if found == format), "{error}");
    }
}

#[test]
fn an_older_format_that_is_known_is_taken_over() {
    let scratch = with_format("known", FORMAT_MIN);
    let store = Store::open(&scratch.0).unwrap();
    assert_eq!(store.format().unwrap(), Some(FORMAT), "an older Ringway refuses it from now on");
    assert_eq!(store.read().unwrap().list::<Pet>(&[]).unwrap().len(), 1);
}

#[test]
fn two_processes_do_not_share_a_store() {
    let scratch = Scratch::new("held");
    let _first = Store::open(&scratch.0).unwrap();
    let error = Store::open(&scratch.0).unwrap_err().to_string();
    assert!(error.contains("in use by another process"), "{error}");
}
