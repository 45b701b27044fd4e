//! The subcommands that are clients of `ringway serve`, against a real one.

mod support;

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use support::serve::without_settings;
use support::{Definition, Folder, ServeOptions, Serving, Told};

/// An API that answers `body` under `/it`.
fn answering(body: &str) -> String {
    Definition::new().mock("GET", "/it", 200, body).into()
}

/// The same with another title.
fn titled(title: &str, body: &str) -> String {
    let info = json!({"title": title, "version": "1"});
    Definition::new().mock("GET", "/it", 200, body).with("info", info).into()
}

/// Deploys to stage `v1`; gives the API's and the deployment's id.
#[track_caller]
fn deployed(serving: &Serving, definition: &str, flags: &[&str]) -> (String, String) {
    let file = serving.folder.write("api.json", definition).display().to_string();
    let answer = serving.json(&[&["deploy", &file, "--stage", "v1"], flags].concat());
    let text = |member: &str| answer[member].as_str().expect(member).to_owned();
    (text("restApiId"), text("deploymentId"))
}

/// What stage `v1` answers, many times: one body, or both.
fn answers(serving: &Serving, api: &str) -> Vec<String> {
    let mut client = serving.client();
    let mut all: Vec<String> = (0..100)
        .map(|_| {
            let request =
                format!("GET /v1/it HTTP/1.1\r\nHost: {api}.execute-api.localhost\r\n\r\n");
            let answer = client.asks(request);
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.text().to_owned()
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn a_document_becomes_an_api_and_meets_it_again() {
    let serving = ServeOptions::new().start();
    assert!(serving.does(&["status"]).contains("no APIs yet; `ringway deploy FILE"));
    let file = serving.folder.write("api.json", &answering("one")).display().to_string();
    let deploy = ["deploy", &file, "--stage", "v1"];

    let first = serving.tell(&[&deploy[..], &["--description", "the first"]].concat());
    assert!(first.stderr.contains("api.json: nothing to complain about"), "{}", first.stderr);
    let first = first.fine();
    let status = serving.json(&["status"]);
    let api = status["apis"][0]["id"].as_str().unwrap().to_owned();
    let stage = status["apis"][0]["stages"][0].clone();
    let id = stage["deploymentId"].as_str().unwrap();
    let url = format!("http://{api}.execute-api.localhost:{}/v1", serving.address.port());
    assert_eq!(
        first,
        format!("API {api} (test): made of the document\nstage v1: deployment {id} (new)\n{url}\n")
    );
    assert_eq!(serving.get(&api, "/v1/it").text(), "one");

    serving.folder.write("api.json", &answering("two"));
    let second = serving.json(&deploy);
    assert_eq!((&second["restApiId"], &second["created"]), (&json!(api), &json!(false)));
    assert_eq!((&second["previousDeploymentId"], &second["url"]), (&json!(id), &json!(url)));
    assert_eq!(second["deployment"]["id"], second["deploymentId"]);
    assert_eq!(second["findings"], json!([]));
    assert_eq!(serving.get(&api, "/v1/it").text(), "two");

    // Merged, what the document does not have stays; overwritten, it goes.
    let other = Definition::new().mock("GET", "/other", 200, "three");
    serving.folder.write("api.json", &String::from(other));
    for (mode, status) in [("merge", 200), ("overwrite", 403)] {
        let told = serving.does(&[&deploy[..], &["--mode", mode]].concat());
        assert!(
            told.contains(if mode == "merge" { "merged with" } else { "replaced by" }),
            "{told}"
        );
        assert_eq!(serving.get(&api, "/v1/other").text(), "three");
        assert_eq!(serving.get(&api, "/v1/it").status, status, "{mode}");
    }

    let history = serving.does(&["history"]);
    let lines: Vec<&str> = history.lines().collect();
    assert_eq!(lines.len(), 6, "{history}");
    assert!(lines[2].contains("  v1") && lines[5].ends_with("the first"), "{history}");
    assert!(lines[5].starts_with(id), "{history}");
    assert!(serving.does(&["status"]).contains(&url));
}

#[test]
fn a_document_that_cannot_be_served_changes_nothing() {
    let serving = ServeOptions::new().start();
    let (api, _) = deployed(&serving, &answering("one"), &[]);
    let before = serving.json(&["status"]);
    let resources = serving.json(&["history"]);
    let broken: String =
        Definition::new().mock("GET", "/it", 200, "#set(").mock("GET", "/new", 200, "new").into();
    let file = serving.folder.write("broken.json", &broken).display().to_string();
    for stage in ["v1", "v2"] {
        let told = serving.tell(&["deploy", &file, "--stage", stage]);
        told.failed(1, "broken.json: 1 error");
        assert!(told.stderr.contains("error at /paths/~1it/get"), "{}", told.stderr);
    }
    let title = titled("another", "#set(");
    let file = serving.folder.write("other.json", &title).display().to_string();
    serving.tell(&["deploy", &file, "--stage", "v1"]).failed(1, "1 error");
    let file = serving.folder.write("no.json", "{").display().to_string();
    serving.tell(&["deploy", &file, "--stage", "v1"]).failed(1, "no.json:1:");
    serving.tell(&["deploy", "/nowhere.yaml", "--stage", "v1"]).failed(1, "cannot be read");
    assert_eq!(serving.json(&["status"]), before);
    assert_eq!(serving.json(&["history"]), resources);
    assert_eq!(serving.get(&api, "/v1/it").text(), "one");
}

#[test]
fn what_only_the_gateway_refuses_serves_what_it_did() {
    let serving = ServeOptions::new().start();
    let slow = json!({"timeoutInMillis": 60_000});
    let slow = Definition::new().proxy_with("GET", "/it", "http://127.0.0.1:9/", slow);
    let file = serving.folder.write("slow.json", &String::from(slow)).display().to_string();
    let deploy = ["deploy", &file, "--stage", "v1"];
    serving.tell(&deploy).failed(1, "slow.json: 1 error");
    // The gateway's limits are narrower than those that the document is checked with.
    let deploy = [&deploy[..], &["--limit", "integration-timeout=off"]].concat();
    serving.tell(&deploy).failed(1, "BadRequestException: The deployment cannot be served: ");
    assert_eq!(serving.json(&["status"])["apis"], json!([]), "the new API is gone again");
    let (api, deployment) = deployed(&serving, &answering("one"), &[]);
    serving.tell(&deploy).failed(1, "it was not deployed: stage v1 serves what it did");
    let status = serving.json(&["status"]);
    assert_eq!(status["apis"][0]["stages"][0]["deploymentId"], json!(deployment));
    assert_eq!(serving.get(&api, "/v1/it").text(), "one");
    serving
        .tell(&[&deploy[..], &["--var", "a=b c"]].concat())
        .failed(2, "Stage variable value for 'a'");
}

#[test]
fn a_canary_is_promoted_and_a_stage_rolled_back() {
    let serving = ServeOptions::new().start();
    let file = serving.folder.write("api.json", &answering("one")).display().to_string();
    serving
        .tell(&["deploy", &file, "--stage", "v1", "--canary", "10"])
        .failed(1, "there is no stage 'v1' yet; deploy to it without --canary first");
    let (api, first) = deployed(&serving, &answering("one"), &[]);
    let v1 = ["--stage", "v1"];
    serving.tell(&[&["promote"], &v1[..]].concat()).failed(1, "stage v1 has no canary");
    serving.tell(&[&["abort"], &v1[..]].concat()).failed(1, "stage v1 has no canary");
    serving.tell(&[&["rollback"], &v1[..]].concat()).failed(1, "no deployment before");

    let (_, second) = deployed(&serving, &answering("two"), &["--canary", "0%"]);
    assert_eq!(answers(&serving, &api), ["one"]);
    let history = serving.does(&["history", "--stage", "v1"]);
    assert!(history.contains("v1 (canary, 0%)"), "{history}");
    let told = serving.does(&[&["abort"], &v1[..]].concat());
    assert!(told.starts_with(&format!("stage v1: the canary with deployment {second} has ended")));

    let (_, third) = deployed(&serving, &answering("three"), &["--canary", "50"]);
    assert_eq!(answers(&serving, &api), ["one", "three"]);
    // A deployment while a canary runs is the canary's.
    let (_, fourth) = deployed(&serving, &answering("four"), &[]);
    assert_eq!(answers(&serving, &api), ["four", "one"]);
    let status = serving.does(&["status"]);
    assert!(status.contains(&format!("{fourth} (50%)")), "{status}");

    let promoted = serving.does(&[&["promote"], &v1[..]].concat());
    let says = format!("stage v1: deployment {first} → {fourth}, for all requests");
    assert!(promoted.starts_with(&says), "{promoted}");
    assert_eq!(answers(&serving, &api), ["four"]);

    // Back to what the stage had, past two deployments that only canaries had.
    let rolled = serving.does(&[&["rollback"], &v1[..]].concat());
    assert!(rolled.starts_with(&format!("stage v1: deployment {fourth} → {first}\n")), "{rolled}");
    assert_eq!(answers(&serving, &api), ["one"]);
    serving.tell(&[&["rollback"], &v1[..]].concat()).failed(1, "no deployment before");

    let to = [&["rollback"], &v1[..], &["--to", &third]].concat();
    let stage = serving.json(&to);
    assert_eq!((&stage["deploymentId"], &stage["stageName"]), (&json!(third), &json!("v1")));
    assert_eq!(answers(&serving, &api), ["three"]);
    serving.tell(&to).failed(1, &format!("stage v1 has deployment {third} already"));
    serving.tell(&[&["rollback"], &v1[..], &["--to", "x"]].concat()).failed(1, "no deployment 'x'");

    // A rollback leaves a canary alone, and says so.
    let (_, fifth) = deployed(&serving, &answering("five"), &["--canary", "50"]);
    let rolled = serving.does(&[&["rollback"], &v1[..]].concat());
    let says = format!("the canary stays: 50% of requests go to deployment {fifth}");
    assert!(rolled.contains(&says), "{rolled}");
    assert_eq!(answers(&serving, &api), ["five", "one"]);
    let stage = serving.json(&[&["promote"], &v1[..]].concat());
    assert_eq!((&stage["deploymentId"], &stage["canarySettings"]), (&json!(fifth), &Value::Null));
}

#[test]
fn variables_are_the_stages_and_the_canarys() {
    let serving = ServeOptions::new().start();
    let definition = answering("$stageVariables.a/$stageVariables.b");
    let (api, _) = deployed(&serving, &definition, &["--var", "a=1", "--var", "b=1"]);
    assert_eq!(answers(&serving, &api), ["1/1"]);
    deployed(&serving, &definition, &["--var", "b=2"]);
    assert_eq!(answers(&serving, &api), ["1/2"]);
    deployed(&serving, &definition, &["--var", "b=3", "--canary", "50"]);
    assert_eq!(answers(&serving, &api), ["1/2", "1/3"]);
    deployed(&serving, &definition, &["--var", "a=2", "--canary", "100"]);
    assert_eq!(answers(&serving, &api), ["2/3"]);
    let promoted = serving.does(&["promote", "--stage", "v1"]);
    assert!(promoted.contains("its variables are the stage's now: a, b"), "{promoted}");
    assert_eq!(answers(&serving, &api), ["2/3"]);
}

/// A document is checked with the variables that its stage has.
#[test]
fn a_stages_variables_count_when_a_document_is_checked() {
    let serving = ServeOptions::new().start();
    let proxy = Definition::new().proxy("GET", "/it", "http://${stageVariables.host}/");
    let proxy = String::from(proxy);
    let file = serving.folder.write("api.json", &proxy).display().to_string();
    let deploy = ["deploy", &file, "--stage", "v1"];
    let told = serving.tell(&deploy);
    assert!(told.stderr.contains("host"), "{}", told.stderr);
    let complaints = told.stderr;
    serving.does(&[&deploy[..], &["--var", "host=127.0.0.1:9"]].concat());
    let again = serving.tell(&deploy);
    assert_ne!(again.stderr, complaints, "it was checked without the stage's variables");
    again.fine();
}

#[test]
fn with_several_apis_it_has_to_be_said_which() {
    let serving = ServeOptions::new().start();
    serving.tell(&["history"]).failed(1, "there is no API yet");
    let (pets, _) = deployed(&serving, &titled("Pets", "pets"), &[]);
    let (shop, _) = deployed(&serving, &titled("Shop", "shop"), &[]);
    assert_ne!(pets, shop);
    for command in [&["history"][..], &["rollback", "--stage", "v1"], &["promote", "--stage", "v1"]]
    {
        let told = serving.tell(command);
        told.failed(1, "there are several APIs; say which: ");
        assert!(told.stderr.contains(&format!("--api {pets}  Pets\n")), "{}", told.stderr);
    }
    for wanted in [&*shop, "Shop"] {
        assert_eq!(serving.json(&["history", "--api", wanted])["restApiId"], json!(shop));
    }
    serving.tell(&["history", "--api", "Cats"]).failed(1, "there is no API 'Cats'; there are: ");
    serving.tell(&["history", "--api", "Pets", "--stage", "v9"]).failed(1, "it has v1");

    // A document that is for another API than its title says: that becomes what it says.
    deployed(&serving, &titled("Shop", "new pets"), &["--api", "Pets"]);
    assert_eq!(serving.get(&pets, "/v1/it").text(), "new pets");
    assert_eq!(serving.get(&shop, "/v1/it").text(), "shop");
    let file = serving.folder.write("api.json", &titled("Shop", "?")).display().to_string();
    let told = serving.tell(&["deploy", &file, "--stage", "v1"]);
    told.failed(1, "several APIs are called 'Shop'; say which: ");
}

/// More deployments than a page has.
#[test]
fn a_long_history_is_walked_page_by_page() {
    let serving = ServeOptions::new().start();
    let (api, first) = deployed(&serving, &answering("one"), &[]);
    let signed = Signed::of(&serving);
    let answers =
        signed.sends("POST", &format!("/restapis/{api}/deployments?number=[1-110]"), "{}");
    assert_eq!(answers.matches("\"createdDate\"").count(), 110, "{answers}");
    let all = serving.json(&["history"]);
    let items = all["item"].as_array().unwrap();
    assert_eq!((items.len(), &items[110]["id"]), (111, &json!(first)));
    assert_eq!(serving.json(&["history", "--stage", "v1"])["item"].as_array().unwrap().len(), 1);
}

/// Calls of the API by curl, which signs as AWS does and makes many of `[1-9]` in a URL.
struct Signed {
    url: String,
    key: String,
}

impl Signed {
    fn of(serving: &Serving) -> Self {
        let file = std::fs::read_to_string(serving.store.join("credentials")).unwrap();
        let value = |name: &str| {
            let line = file.lines().find_map(|line| line.strip_prefix(name));
            line.expect(name).trim_start_matches([' ', '=']).to_owned()
        };
        let key = format!("{}:{}", value("aws_access_key_id"), value("aws_secret_access_key"));
        Self { url: serving.url.clone(), key }
    }

    fn sends(&self, method: &str, path: &str, body: &str) -> String {
        let url = format!("{}{path}", self.url);
        let answer = support::tools::curl(&[
            "--aws-sigv4",
            "aws:amz:us-east-1:apigateway",
            "--user",
            &self.key,
            "--request",
            method,
            "--header",
            "Content-Type: application/json",
            "--data",
            body,
            &url,
        ]);
        String::from_utf8(answer.expect("an answer")).expect("text")
    }
}

#[test]
fn what_is_wrong_is_told_with_a_way_out() {
    let nobody = ["status", "--admin", "http://127.0.0.1:1", "--store", "/nowhere"];
    let told = Told::by(&nobody, &[]);
    told.failed(1, "no gateway answers at http://127.0.0.1:1: connection refused");
    assert!(told.stderr.contains("`ringway serve` starts one"), "{}", told.stderr);
    let told =
        Told::by(&["status", "--store", "/nowhere"], &[("RINGWAY_ADMIN_URL", "http://[::1]:1")]);
    told.failed(1, "at http://[::1]:1: ");
    Told::by(&["status"], &[("RINGWAY_ADMIN_URL", "nowhere")]).failed(2, "write http://HOST:PORT");
    Told::by(&["status"], &[("AWS_ACCESS_KEY_ID", "x")]).failed(2, "AWS_SECRET_ACCESS_KEY is not");

    let serving = ServeOptions::new().start();
    let at = ["status", "--admin", &serving.url];
    let told = Told::by(&[&at[..], &["--store", "/nowhere"]].concat(), &[]);
    told.failed(1, "MissingAuthenticationTokenException: ");
    assert!(told.stderr.contains("/nowhere/credentials"), "{}", told.stderr);
    let key = [("AWS_ACCESS_KEY_ID", "AKWRONG"), ("AWS_SECRET_ACCESS_KEY", "wrong")];
    let told = Told::by(&at, &key);
    told.failed(1, "UnrecognizedClientException: ");
    assert!(told.stderr.contains("the key AKWRONG of AWS_ACCESS_KEY_ID"), "{}", told.stderr);
    let told = serving.tell(&["status", "--region", "eu-west-9"]);
    told.failed(1, "Credential should be scoped to a valid region");
    // What listens there is no gateway's admin port.
    let other = format!("http://{}", serving.address);
    let told = Told::by(&["status", "--admin", &other, "--store", "/nowhere"], &[]);
    told.failed(1, "Forbidden");
}

#[test]
fn keys_come_from_flags_and_variables() {
    let keys = "first:one,second:two";
    let serving = ServeOptions::new().variable("RINGWAY_ADMIN_ACCESS_KEYS", keys).start();
    let status = ["status", "--admin", &serving.url, "--store", "/nowhere"];
    let flags = ["--access-key", "second", "--secret-key", "two"];
    let wrong = [("AWS_ACCESS_KEY_ID", "first"), ("AWS_SECRET_ACCESS_KEY", "two")];
    let right = [("RINGWAY_ACCESS_KEY_ID", "first"), ("RINGWAY_SECRET_ACCESS_KEY", "one")];
    Told::by(&[&status[..], &flags].concat(), &wrong).fine();
    Told::by(&status, &[wrong, right].concat()).fine();
    Told::by(&status, &[("RINGWAY_ADMIN_ACCESS_KEYS", keys)]).fine();
    Told::by(&status, &wrong).failed(1, "InvalidSignatureException");
    assert!(!serving.store.join("credentials").exists(), "no key was made");
}

#[test]
fn an_admin_port_with_tls_is_checked_against_a_ca_file() {
    let folder = Folder::new();
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = folder.write("admin.pem", &issued.cert.pem()).display().to_string();
    let key = folder.write("key.pem", &issued.signing_key.serialize_pem()).display().to_string();
    let serving = ServeOptions::new()
        .variable("RINGWAY_ADMIN_TLS_CERTIFICATE", &certificate)
        .variable("RINGWAY_ADMIN_TLS_KEY", &key)
        .start();
    assert!(serving.url.starts_with("https://"), "{}", serving.url);
    let url = format!("https://localhost:{}", serving.admin.port());
    let store = serving.store.display().to_string();
    let status = ["status", "--admin", &url, "--store", &store];
    let told = Told::by(&[&status[..], &["--ca-file", &certificate]].concat(), &[]).fine();
    assert!(told.contains(&url), "{told}");
    let told = Told::by(&status, &[]);
    told.failed(1, "no gateway answers at https://localhost:");
    assert!(told.stderr.contains("invalid peer certificate"), "{}", told.stderr);
    Told::by(&[&status[..], &["--ca-file", &key]].concat(), &[]).failed(1, "holds no certificate");
}

#[test]
fn an_open_admin_port_needs_no_key() {
    let serving = ServeOptions::new().flag("--admin-auth", "none").start();
    Told::by(&["status", "--admin", &serving.url, "--store", "/nowhere"], &[]).fine();
    let (api, _) = deployed(&serving, &answering("one"), &[]);
    let backup = serving.folder.file("backup").display().to_string();
    serving.does(&["backup", &backup]);
    deployed(&serving, &answering("two"), &[]);
    serving.does(&["restore", &backup, "--yes"]);
    assert_eq!(serving.get(&api, "/v1/it").text(), "one");
}

#[test]
fn a_backup_while_writing_is_whole_and_restored() {
    // Calls are bounded to less than a backup has.
    let serving = ServeOptions::new().variable("RINGWAY_ADMIN_MAX_BODY", "64KiB").start();
    let (api, _) = deployed(&serving, &answering("one"), &[]);
    let file = |name: &str| serving.folder.file(name).display().to_string();
    serving.does(&["backup", &file("first")]);
    assert!(std::fs::metadata(file("first")).unwrap().len() > 64 << 10);
    serving.tell(&["backup", &file("first")]).failed(1, "exists already; --force replaces it");

    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let signed = Signed::of(&serving);
            let mut written = 0;
            while !ended.load(Ordering::Relaxed) {
                signed.sends("POST", &format!("/restapis/{api}/deployments"), "{}");
                written += 1;
            }
            written
        });
        let mut before = 0;
        for number in 0..5 {
            let name = file("moving");
            serving.does(&["backup", &name, "--force"]);
            let directory = serving.folder.file(&format!("copy-{number}"));
            let copy = directory.display().to_string();
            let offline = ["restore", &name, "--offline", "--yes", "--store", &copy];
            Told::by(&offline, &[]).fine();
            // As a gateway would: every deployment that is listed has its snapshot, or the next write
            // that reads them fails.
            let store = ringway::store::Store::open(&directory).expect("a whole store");
            let deployments = deployments_of(&store, &api);
            assert!(deployments >= before, "{deployments} after {before}");
            before = deployments;
        }
        ended.store(true, Ordering::Relaxed);
        assert!(writer.join().expect("it writes") > 0);
    });

    deployed(&serving, &answering("two"), &[]);
    assert_eq!(serving.get(&api, "/v1/it").text(), "two");
    serving.tell(&["restore", &file("first")]).failed(2, "say --yes");
    let garbage = serving.folder.write("garbage", "garbage").display().to_string();
    serving.tell(&["restore", &garbage, "--yes"]).failed(1, "BadRequestException: ");
    serving.tell(&["restore", "/nowhere", "--yes"]).failed(1, "/nowhere: No such file");
    assert_eq!(serving.get(&api, "/v1/it").text(), "two");
    let restored = serving.does(&["restore", &file("first"), "--yes"]);
    assert_eq!(restored, "restored and served: 1 API with 1 stage\n");
    assert_eq!(serving.get(&api, "/v1/it").text(), "one");
    assert_eq!(serving.json(&["history"])["item"].as_array().unwrap().len(), 1);
    let left: Vec<_> = std::fs::read_dir(&serving.store)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("passing"))
        .collect();
    assert_eq!(left, [""; 0], "nothing temporary is left");
}

fn deployments_of(store: &ringway::store::Store, api: &str) -> usize {
    use ringway::control::api::objects::{Deployment, SNAPSHOT};
    let view = store.read().expect("a view");
    let all: Vec<Deployment> = view.list(&[api]).expect("deployments");
    for deployment in &all {
        let snapshot = view.blob(SNAPSHOT, &[api, &deployment.id]).expect("a whole blob");
        assert!(snapshot.is_some(), "deployment {} has no snapshot", deployment.id);
    }
    all.len()
}

#[test]
fn a_stopped_store_is_restored_and_one_in_use_is_not() {
    let serving = ServeOptions::new().start();
    let (api, _) = deployed(&serving, &answering("one"), &[]);
    let folder = Folder::new();
    let backup = folder.file("backup").display().to_string();
    serving.does(&["backup", &backup]);
    let store = serving.store.display().to_string();
    let offline = |backup: &str, store: &str| {
        Told::by(&["restore", backup, "--offline", "--yes", "--store", store], &[])
    };
    offline(&backup, &store).failed(1, "in use");
    let elsewhere = folder.file("elsewhere");
    let shown = elsewhere.display().to_string();
    assert_eq!(offline(&backup, &shown).fine(), format!("restored: {shown}\n"));
    let again = offline(&backup, &shown).fine();
    assert!(again.contains("what was there before is kept: "), "{again}");
    let garbage = folder.write("garbage", "garbage").display().to_string();
    offline(&garbage, &shown).failed(1, "garbage");
    let second = ServeOptions::new().store(&elsewhere).start();
    assert_eq!(second.get(&api, "/v1/it").text(), "one");
}

/// On a terminal it asks, and takes only a yes for one.
#[test]
fn a_restore_asks_on_a_terminal() {
    let serving = ServeOptions::new().start();
    let (api, _) = deployed(&serving, &answering("one"), &[]);
    let backup = serving.folder.file("backup").display().to_string();
    serving.does(&["backup", &backup]);
    deployed(&serving, &answering("two"), &[]);
    for (answer, code, serves) in [("n", 1, "two"), ("", 1, "two"), ("y", 0, "one")] {
        let (ringway, store) = (env!("CARGO_BIN_EXE_ringway"), serving.store.display());
        let url = &serving.url;
        let line = format!("'{ringway}' restore '{backup}' --admin {url} --store '{store}'");
        // util-linux's script gives it a terminal.
        let mut script = without_settings(Command::new("script"))
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("script (util-linux)");
        use std::io::Write;
        writeln!(script.stdin.take().expect("it is piped"), "{answer}").expect("it reads");
        let output = script.wait_with_output().expect("its end");
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains("replaces 1 API with 1 stage of http://"), "{said}");
        assert_eq!(serving.get(&api, "/v1/it").text(), serves, "{answer:?}");
    }
}
