//! The owner's subcommands: keys, plans and usage, with no tool of AWS.

use serde_json::json;

use super::shop::{EXCEEDED, FORBIDDEN, Shop, TOO_MANY};
use super::support::ServeOptions;

const VALUE: &str = "the-value-of-the-first-customers-key";

#[test]
fn an_api_is_sold_with_ringway_alone() {
    let shop = Shop::new();
    let forbidden = (403, FORBIDDEN.to_owned());
    assert_eq!(shop.told("/open", ""), (200, "open".to_owned()));
    assert_eq!(shop.told("/it", ""), forbidden);

    // A key without a plan opens nothing, a plan without a key neither.
    let told = shop.does(&["keys", "create", "first", "--value", VALUE]);
    assert!(told.contains("made, enabled\nvalue: the-value-"), "{told}");
    assert!(told.contains("no plan yet, so it opens nothing"), "{told}");
    assert_eq!(shop.told("/it", VALUE), forbidden);
    let plan = shop.json(&["plans", "create", "gold", "--quota", "5/day", "--stage", "Pets:v1"]);
    assert_eq!(plan["quota"], json!({"limit": 5, "offset": 0, "period": "DAY"}));
    assert_eq!(shop.told("/it", VALUE), forbidden);
    let told = shop.does(&["plans", "add-key", "gold", "first"]);
    assert!(told.contains("has key first ("), "{told}");
    // The change is there for the next request, on every shard.
    let (status, id) = shop.told("/it", VALUE);
    assert_eq!((status, id.len()), (200, 10));
    assert_eq!(shop.told("/it", "a value that nobody has"), forbidden);

    // The quota: five, of which one is gone.
    assert_eq!(shop.admitted(9, VALUE), 4);
    assert_eq!(shop.told("/it", VALUE), (429, EXCEEDED.to_owned()));
    assert_eq!(shop.told("/open", VALUE), (200, "open".to_owned()), "not counted");
    assert_eq!(shop.usage("gold", "first"), (5, 0));
    let told = shop.does(&["usage", "grant", "gold", "first", "--remaining", "2"]);
    assert!(told.ends_with(": 2 requests left\n"), "{told}");
    assert_eq!(shop.admitted(9, VALUE), 2);
    assert_eq!(shop.usage("gold", "first"), (7, 0));
    let table = shop.does(&["usage", "gold"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[1].starts_with("KEY  ") && lines[2].contains("first  7     0"), "{table}");
    let table = shop.does(&["usage", "gold", "--key", &id]);
    assert_eq!(table.lines().count(), 2 + 7, "a week: {table}");

    // The throttle of one method, then of all.
    shop.does(&["plans", "change", "gold", "--no-quota"]);
    let limit = ["plans", "limit", "gold", "Pets:v1", "get", "/it"];
    shop.does(&[&limit[..], &["--rate", "0.001", "--burst", "2"]].concat());
    assert_eq!(shop.admitted(9, VALUE), 2);
    assert_eq!(shop.told("/it", VALUE), (429, TOO_MANY.to_owned()));
    assert_eq!(shop.told("/other", VALUE).0, 200);
    let shown = shop.does(&["plans", "show", "gold"]);
    assert!(shown.contains("        GET /it: 0.001 per second, burst 2\n"), "{shown}");
    assert!(shown.contains(&format!("    first ({id})\n")), "{shown}");
    shop.does(&[&limit[..], &["--none"]].concat());
    shop.does(&["plans", "change", "gold", "--rate", "0.001", "--burst", "3"]);
    assert_eq!(shop.admitted(9, VALUE), 3);
    shop.does(&["plans", "change", "gold", "--no-throttle"]);
    assert_eq!(shop.told("/it", VALUE).0, 200);

    // The key is closed and opened.
    assert!(shop.does(&["keys", "disable", "first"]).ends_with(": disabled\n"));
    assert_eq!(shop.told("/it", VALUE), forbidden);
    assert!(shop.does(&["keys", "disable", &id]).ends_with(": disabled, as it was\n"));
    shop.does(&["keys", "enable", "first"]);
    assert_eq!(shop.told("/it", VALUE).0, 200);
    shop.does(&["plans", "remove-key", "gold", "first"]);
    assert_eq!(shop.told("/it", VALUE), forbidden);
    shop.does(&["plans", "add-key", "gold", "first"]);
    assert_eq!(shop.told("/it", VALUE).0, 200);
    shop.serving.tell(&["plans", "delete", "gold"]).failed(1, "`ringway plans remove-stage`");
    shop.does(&["plans", "remove-stage", "gold", "Pets:v1"]);
    assert_eq!(shop.told("/it", VALUE), forbidden);
    shop.does(&["plans", "add-stage", "gold", "Pets:v1"]);
    shop.does(&["keys", "delete", "first"]);
    assert_eq!(shop.told("/it", VALUE), forbidden);
    shop.does(&["plans", "remove-stage", "gold", "Pets:v1"]);
    assert!(shop.does(&["plans", "delete", "gold"]).ends_with(": deleted\n"));
    assert_eq!(shop.does(&["plans", "list"]), "no usage plans; `ringway plans create` makes one\n");
    assert_eq!(shop.does(&["keys", "list"]), "no keys; `ringway keys create` makes one\n");
}

#[test]
fn keys_go_out_and_come_in_as_csv() {
    let shop = Shop::new();
    shop.does(&["plans", "create", "gold", "--stage", "Pets:v1"]);
    let plan = shop.json(&["plans", "list"])["item"][0]["id"].as_str().unwrap().to_owned();
    let key = shop.json(&["keys", "create", "first", "--value", VALUE, "--plan", "gold"]);
    assert_eq!((&key["usagePlanIds"], &key["value"]), (&json!([plan]), &json!(VALUE)));
    shop.does(&["keys", "create", "O'Brien, \"Bob\"", "--description", "two\nlines", "--disabled"]);
    shop.does(&["keys", "create"]);

    // Values are shown only to those who ask for them.
    for words in [&["keys", "export"][..], &["keys", "list"], &["plans", "show", "gold", "--json"]]
    {
        let told = shop.does(words);
        assert!(told.contains("first") && !told.contains(VALUE), "{words:?}: {told}");
    }
    let listed = shop.does(&["keys", "list", "--values"]);
    assert!(listed.contains(VALUE), "{listed}");
    let listed = shop.json(&["keys", "list", "--name", "fir"]);
    assert_eq!(listed["item"].as_array().unwrap().len(), 1);

    let exported = shop.does(&["keys", "export", "--values"]);
    assert!(
        exported.starts_with("Name,Key,Description,Enabled,UsagePlanIds\nfirst,"),
        "{exported}"
    );
    let other = Shop::new();
    let file = other.serving.folder.write("keys.csv", &exported).display().to_string();
    // The other gateway has no such plan.
    let import = ["keys", "import", &file];
    let told = other.serving.tell(&[&import[..], &["--fail-on-warnings"]].concat());
    told.failed(1, &format!("Usage plan {plan} does not exist"));
    assert_eq!(other.json(&["keys", "list"])["item"], json!([]));
    let told = other.serving.tell(&import);
    assert!(told.stderr.contains("keys.csv: Line 2: Usage plan"), "{}", told.stderr);
    assert_eq!(told.fine(), "imported: 3 keys\n");
    let names = |shop: &Shop| -> Vec<(String, bool, String)> {
        let all = shop.json(&["keys", "list", "--values"]);
        let text = |key: &serde_json::Value, member: &str| {
            key[member].as_str().unwrap_or_default().to_owned()
        };
        let keys = all["item"].as_array().unwrap().iter();
        keys.map(|it| (text(it, "description"), it["enabled"] == true, text(it, "value"))).collect()
    };
    assert_eq!(names(&other), names(&shop));
    // In the gateway that it came from nothing changes, and the plan is known.
    assert_eq!(shop.json(&import)["ids"].as_array().unwrap().len(), 3);
    assert_eq!(shop.told("/it", VALUE).0, 200);

    let bad = other.serving.folder.write("bad.csv", "Name,Key\na,short\nb,\n");
    let bad = bad.display().to_string();
    let told = other.serving.tell(&["keys", "import", &bad]);
    told.failed(1, "bad.csv: BadRequestException: Line 2: API Key value should be at least 20");
    assert!(told.stderr.contains("; Line 3: "), "{}", told.stderr);
    other.serving.tell(&["keys", "import", "/nowhere.csv"]).failed(1, "/nowhere.csv: No such file");
}

#[test]
fn what_is_wrong_with_keys_and_plans_is_told() {
    let shop = Shop::new();
    let tell = |words: &[&str], code: i32, says: &str| shop.serving.tell(words).failed(code, says);
    tell(
        &["plans", "show", "gold"],
        1,
        "there is no usage plan 'gold'; `ringway plans list` lists",
    );
    tell(&["keys", "enable", "first"], 1, "there is no API key 'first'; `ringway keys list` lists");
    tell(&["keys", "create", "x", "--plan", "gold"], 1, "there is no usage plan 'gold'");
    tell(&["keys", "create", "x", "--value", "short"], 1, "at least 20 characters");
    assert_eq!(shop.json(&["keys", "list"])["item"], json!([]), "nothing was made");
    tell(&["plans", "create", "gold", "--stage", "Pets:v9"], 1, "it has v1");
    tell(&["plans", "create", "gold", "--stage", "Cats:v1"], 1, "there is no API 'Cats'");
    shop.does(&["plans", "create", "gold", "--stage", "Pets:v1"]);
    shop.does(&["plans", "create", "silver", "--stage", &format!("{}:v1", shop.api)]);
    shop.does(&["plans", "create", "silver"]);
    tell(&["plans", "show", "silver"], 1, "several usage plans are called 'silver'");
    tell(&["plans", "change", "gold"], 2, "nothing to change");
    tell(&["plans", "limit", "gold", "Pets:v1", "GET", "/it"], 2, "give --rate, --burst");
    let told =
        shop.serving.tell(&["plans", "limit", "gold", "Pets:v1", "PUT", "/it", "--rate", "1"]);
    assert!(told.stderr.contains("warning: the API has no PUT /it now"), "{}", told.stderr);
    told.fine();

    // A key has one plan per stage. What cannot belong to a plan is not made.
    let key = shop.json(&["keys", "create", "first", "--plan", "gold"]);
    let silver = shop.json(&["plans", "list"])["item"].as_array().unwrap().iter().find_map(|it| {
        let has_stage = it["name"] == "silver" && it["apiStages"] != json!([]);
        has_stage.then(|| it["id"].as_str().unwrap().to_owned())
    });
    let silver = silver.expect("the one with a stage");
    tell(&["plans", "add-key", &silver, "first"], 1, "is already associated with API Stage");
    tell(
        &["keys", "create", "second", "--plan", "gold", "--plan", &silver],
        1,
        "the key was deleted again",
    );
    tell(&["plans", "remove-key", &silver, "first"], 1, "does not belong to plan silver");
    tell(&["usage", "grant", &silver, "first", "--remaining", "1"], 1, "does not belong");
    tell(&["usage", "grant", "gold", "first", "--remaining", "1"], 1, "has no quota");
    tell(&["usage", "gold", "--from", "2026-02-30"], 2, "is no day");
    tell(&["usage", "gold", "--from", "2020-01-01"], 1, "at most 90 days");
    shop.does(&["keys", "create", "first"]);
    let id = key["id"].as_str().unwrap();
    tell(&["keys", "disable", "first"], 1, id);
    assert_eq!(shop.json(&["keys", "disable", id])["enabled"], json!(false));
}

/// The key of the store is not in a backup.
#[test]
fn a_backup_of_another_stores_keys_is_refused() {
    let shop = Shop::new();
    shop.does(&["plans", "create", "gold", "--stage", "Pets:v1"]);
    shop.does(&["keys", "create", "first", "--value", VALUE, "--plan", "gold"]);
    let backup = shop.serving.folder.file("backup").display().to_string();
    shop.does(&["backup", &backup]);
    assert!(!std::fs::read(&backup).unwrap().windows(VALUE.len()).any(|it| it == VALUE.as_bytes()));
    let other = Shop::new();
    let told = other.serving.tell(&["restore", &backup, "--yes"]);
    told.failed(1, "in this backup was encrypted with the key of another store");
    assert_eq!(other.json(&["keys", "list"])["item"], json!([]), "nothing has changed");
    assert_eq!(other.told("/open", "").0, 200);

    // With its store's key it is one; what was counted comes back with it.
    assert_eq!(shop.admitted(5, VALUE), 5);
    assert_eq!(shop.usage("gold", "first").0, 5);
    shop.does(&["restore", &backup, "--yes"]);
    assert_eq!(shop.usage("gold", "first").0, 0);
    assert_eq!(shop.told("/it", VALUE).0, 200);
    let new = shop.serving.folder.file("new");
    std::fs::create_dir(&new).unwrap();
    std::fs::copy(shop.serving.store.join("key"), new.join("key")).unwrap();
    let place = new.display().to_string();
    let told = super::support::Told::by(
        &["restore", &backup, "--offline", "--yes", "--store", &place],
        &[],
    );
    told.fine();
    let options = ServeOptions::new().store(&new);
    let third = Shop { serving: options.start(), api: shop.api.clone() };
    assert_eq!(third.told("/it", VALUE).0, 200);
}
