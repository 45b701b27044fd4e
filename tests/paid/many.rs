//! Many keys: imported by one call, found by requests at once, there again after a restart.

use super::shop::Shop;
use super::support::{Folder, ServeOptions};

/// As many as a debug build imports in a moment; a release build takes ten times more.
const KEYS: usize = if cfg!(debug_assertions) { 5_000 } else { 50_000 };
/// Memory that one key may take, bytes: 300 MB for a million.
const KEY_BYTES_MAX: u64 = 300;

fn value(number: usize) -> String {
    format!("value-of-the-key-of-customer-{number:07}")
}

#[test]
fn many_keys_are_imported_found_and_loaded() {
    let folder = Folder::new();
    let store = folder.file("store");
    let shop = Shop::of(ServeOptions::new().store(&store));
    shop.does(&["plans", "create", "gold", "--quota", "5/MONTH", "--stage", "Pets:v1"]);
    let plan = shop.json(&["plans", "list"])["item"][0]["id"].as_str().unwrap().to_owned();
    let mut csv = "Name,Key,UsagePlanIds\n".to_owned();
    for number in 0..KEYS {
        csv += &format!("customer {number},{},{plan}\n", value(number));
    }
    let file = folder.write("keys.csv", &csv).display().to_string();
    assert_eq!(shop.told("/it", &value(KEYS - 1)).0, 403);
    assert_eq!(shop.does(&["keys", "import", &file]), format!("imported: {KEYS} keys\n"));
    for number in [0, 1, KEYS / 2, KEYS - 1] {
        assert_eq!(shop.told("/it", &value(number)).0, 200, "{number}");
    }
    assert_eq!(shop.told("/it", &value(KEYS)).0, 403);
    let shop = restarted(shop);
    for (number, left) in [(0, 4), (KEYS / 2, 4), (4_711, 5)] {
        assert_eq!(shop.admitted(9, &value(number)), left, "{number}");
    }
    let name = format!("customer {}", KEYS - 1);
    shop.does(&["keys", "disable", &name]);
    assert_eq!(shop.told("/it", &value(KEYS - 1)).0, 403);

    // What they take, beside a gateway without keys.
    let without = Shop::of(ServeOptions::new().store(&folder.file("empty")));
    let with = restarted(shop).serving.memory("VmRSS");
    let without = restarted(without).serving.memory("VmRSS");
    let each = with.saturating_sub(without) / KEYS as u64;
    println!("{each} bytes a key; {with} bytes with {KEYS} keys");
    assert!(each <= KEY_BYTES_MAX, "{each} bytes a key");
}

/// The same store in a new process.
fn restarted(shop: Shop) -> Shop {
    let Shop { mut serving, api } = shop;
    serving.gateway.signal(rustix::process::Signal::TERM);
    assert!(serving.gateway.exit().success());
    Shop::again(&serving.store, &api)
}
