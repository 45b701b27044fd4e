//! Sources over each other, what is refused and where, and a document that says what the code does.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn env(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn flag(key: &str, flag: &'static str, values: &[&str]) -> Flag {
    Flag { key: key.to_owned(), flag, values: values.iter().map(|&v| v.to_owned()).collect() }
}

/// With a file's text, as if it were `ringway.toml`.
fn load(text: &str, variables: &[(&str, &str)], flags: &[Flag]) -> Result<Config, ConfigError> {
    let mut loader = Loader::new();
    loader.apply_file(Path::new("ringway.toml"), text);
    loader.apply_env(env(variables));
    loader.apply_flags(flags);
    loader.finish()
}

#[track_caller]
fn problems(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let error = load(text, variables, &[]).unwrap_err();
    error.0.iter().map(Problem::to_string).collect()
}

#[test]
fn nothing_has_to_be_set() {
    let config = Config::new();
    assert_eq!(config.server.listen, ["0.0.0.0:8080".parse().unwrap()]);
    assert_eq!(config.server.shards, None);
    assert_eq!(config.server.api_host_suffix, "localhost");
    assert_eq!(config.store.path, Path::new("ringway-data"));
    assert_eq!(config.admin.listen, "127.0.0.1:9080".parse().unwrap());
    assert_eq!(config.admin.auth, AdminAuth::SigV4);
    assert!(config.admin.access_keys.is_empty() && config.admin.tls.is_none());
    assert_eq!(config.admin.max_body_bytes, 10 << 20);
    assert_eq!((&*config.aws.region, &*config.aws.account_id), ("us-east-1", ACCOUNT_ID));
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.throttle.account, Some(ACCOUNT_THROTTLE));
    assert_eq!(config.telemetry.access_log, Some(LogDestination::Stdout));
    assert_eq!(config.telemetry.metrics_listen, None);
    assert_eq!(config.warnings, []);
    assert!(config.settings.iter().all(|setting| setting.origin == Origin::Default));
}

#[test]
fn each_source_goes_over_those_before() {
    let text = "[admin]\nlisten = '127.0.0.1:1'\n[aws]\nregion = 'file'\naccount_id = \
                '000000000001'\n[store]\npath = 'file'\n";
    let variables = [
        ("RINGWAY_AWS_REGION", "env"),
        ("RINGWAY_STORE_PATH", "env"),
        ("RINGWAY_AWS_ACCOUNT_ID", ""),
        ("RINGWAY_LIMITS_HELD_BODY", "1GiB"),
        ("HOME", "/root"),
    ];
    let flags =
        [flag("store.path", "--store", &["first", "flag"]), flag("aws.region", "--region", &[])];
    let config = load(text, &variables, &flags).unwrap();
    let origin = |key| config.origin(key).unwrap().to_string();
    assert_eq!(config.store.path, Path::new("flag"));
    assert_eq!(origin("store.path"), "--store");
    assert_eq!(config.aws.region, "env");
    assert_eq!(origin("aws.region"), "RINGWAY_AWS_REGION");
    assert_eq!(config.aws.account_id, "000000000001", "an empty variable is not set");
    assert_eq!(origin("aws.account_id"), "ringway.toml:5:1");
    assert_eq!(config.admin.listen.port(), 1);
    assert_eq!(origin("admin.listen"), "ringway.toml:2:1");
    assert_eq!(config.limits.held_bytes, Some(1 << 30));
    assert_eq!(origin("server.listen"), "default");
    assert_eq!(config.origin("server.nothing"), None);
}

#[test]
fn lists_are_replaced_and_come_from_every_source() {
    let listen = |config: Config| -> Vec<String> {
        config.server.listen.iter().map(ToString::to_string).collect()
    };
    let text = "[server]\nlisten = ['0.0.0.0:1', '[::]:2']\n";
    assert_eq!(listen(load(text, &[], &[]).unwrap()), ["0.0.0.0:1", "[::]:2"]);
    let one = load("server.listen = '0.0.0.0:3'", &[], &[]).unwrap();
    assert_eq!(listen(one), ["0.0.0.0:3"]);
    let variables = [("RINGWAY_SERVER_LISTEN", "0.0.0.0:4, 0.0.0.0:5,")];
    assert_eq!(listen(load(text, &variables, &[]).unwrap()), ["0.0.0.0:4", "0.0.0.0:5"]);
    let flags = [flag("server.listen", "--listen", &["0.0.0.0:6"])];
    assert_eq!(listen(load(text, &variables, &flags).unwrap()), ["0.0.0.0:6"]);
}

#[test]
fn access_keys_come_from_file_and_environment() {
    let ids = |config: &Config| -> Vec<(String, String)> {
        let keys = config.admin.access_keys.iter();
        keys.map(|key| (key.access_key_id.clone(), key.secret.expose().to_owned())).collect()
    };
    let want = [("a", "b="), ("c", "d:e")].map(|(id, secret)| (id.to_owned(), secret.to_owned()));
    for text in [
        "[admin]\naccess_keys = [{ id = 'a', secret = 'b=' }, { id = 'c', secret = 'd:e' }]",
        "[[admin.access_keys]]\nid = 'a'\nsecret = 'b='\n[[admin.access_keys]]\nid = 'c'\nsecret = 'd:e'",
    ] {
        assert_eq!(ids(&load(text, &[], &[]).unwrap()), want);
    }
    let variables = [("RINGWAY_ADMIN_ACCESS_KEYS", "a:b=,c:d:e")];
    assert_eq!(ids(&load("", &variables, &[]).unwrap()), want);
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let text = "listen = 'x'\n\n[server]\n  lisen = ['0.0.0.0:1']\nshards = true\n\n[servr]\na = 1\n\
                [limits]\npayload = '1XB'\nurl = 0\n[admin]\ndrain_timeout = '1s'\nauth = 'basic'\n";
    assert_eq!(
        problems(text, &[("RINGWAY_AWS_ACCOUNT_ID", "1"), ("RINGWAY_SERVER_SHARDS", "0")]),
        [
            "ringway.toml:1:1: 'listen' stands in no table; 'listen' belongs to [server]",
            "ringway.toml:4:3: there is no key 'lisen' in [server]; did you mean 'listen'?",
            "ringway.toml:5:10: server.shards takes \"auto\" or a number, not a boolean",
            "ringway.toml:7:2: there is no table [servr]; did you mean [server]?",
            "ringway.toml:13:1: there is no key 'drain_timeout' in [admin]; 'drain-timeout' belongs to \
             [limits]",
            "ringway.toml:10:1: limits.payload: '1XB' has no unit I know; write for example 65536, \
             64KiB, 10MiB, 5GiB or off",
            "ringway.toml:11:1: limits.url: '0' is no size above 0; write for example 65536, 64KiB, \
             10MiB, 5GiB or off",
            "ringway.toml:14:1: admin.auth: 'basic' is not \"sigv4\" and not \"none\"",
            "RINGWAY_AWS_ACCOUNT_ID: aws.account_id: '1' is no account id: it has twelve digits",
            "RINGWAY_SERVER_SHARDS: server.shards: write a number from 1 to 1024",
        ]
    );
}

#[test]
fn unknown_keys_are_refused_with_what_was_meant() {
    for (text, says) in [
        ("[limits]\nheld_body = 1", "write 'held-body'"),
        ("[server]\nheld-body = 1", "'held-body' belongs to [limits]"),
        ("[server]\ndrain_timeout = '1s'", "'drain-timeout' belongs to [limits]"),
        ("[aws]\nacount_id = '1'", "did you mean 'account_id'?"),
        ("[aws]\nLISTEN = '1'", "did you mean 'listen' in [server]?"),
        ("[aws]\nzebra = 1", "its keys are region, account_id"),
        ("[zebra]\na = 1", "the tables are server, store, admin, aws, limits, throttle, telemetry"),
        ("zebra = 1", "'zebra' stands in no table; the tables are"),
        ("server = 1", "[server] is a table of keys, not a number"),
        ("[[server]]\nlisten = 'x'", "[server] is a table of keys, not a list"),
        ("[server.listen]\na = 1", "server.listen takes a list of texts"),
    ] {
        let all = problems(text, &[]);
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].contains(says), "{text}: {}", all[0]);
    }
}

#[test]
fn wrong_types_and_values_say_what_is_right() {
    for (text, place, says) in [
        (
            "[server]\nlisten = 8080",
            "2:10",
            "takes a list of texts like [\"0.0.0.0:8080\"], not a number",
        ),
        ("[server]\nlisten = ['0.0.0.0:1', 2]", "2:10", "takes a list of texts"),
        ("[server]\nlisten = []", "2:1", "name at least one address"),
        ("[server]\nlisten = ['0.0.0.0:1', '0.0.0.0:1']", "2:1", "the same address twice"),
        ("[server]\nlisten = '8080'", "2:1", "'8080' has no port; write HOST:PORT"),
        ("[server]\nshards = 0", "2:1", "write a number from 1 to 1024"),
        ("[server]\nshards = 1.5", "2:10", "not a number with a fraction"),
        ("[server]\napi_host_suffix = 'a:1'", "2:1", "is no host name"),
        ("[server]\nca_files = ['']", "2:1", "write a path"),
        ("[store]\npath = 2024-01-01", "2:8", "takes a text, the path of a directory, not a date"),
        (
            "[aws]\naccount_id = 123456789012",
            "2:14",
            "a text of twelve digits, in quotes, not a number",
        ),
        ("[aws]\naccount_id = '12345678901a'", "2:1", "it has twelve digits"),
        ("[aws]\nregion = 'US'", "2:1", "is no region"),
        ("[admin]\nmax_body = '2GiB'", "2:1", "is not between 64KiB and 1GiB"),
        ("[admin]\nmax_body = -1", "2:1", "'-1' has no unit"),
        ("[admin]\ntls_key = 'k'", "2:1", "needs admin.tls_certificate"),
        ("[admin]\ntls_certificate = 'c'", "2:1", "needs admin.tls_key"),
        ("[throttle]\naccount = '10'", "2:1", "write RATE:BURST"),
        ("[telemetry]\naccess_log_format = 'x'", "2:1", "there is no preset 'x'; there are clf"),
        (
            "[telemetry]\naccess_log_format = '$context.nothing'",
            "2:1",
            "telemetry.access_log_format: ",
        ),
        ("[telemetry]\nmetrics_listen = 'x'", "2:1", "has no port"),
        ("[limits]\npayload = true", "2:11", "takes a number, or a text like"),
        ("[limits]\nconnections = '1KiB'", "2:1", "no count above 0"),
        ("[limits]\nurl = 1\nurl = 2", "3:1", "duplicate key"),
        ("[limits\nurl = 1", "1:8", "unclosed table"),
        ("[server]\r\n# ü\r\nlisten = \"é\" x", "3:14", ""),
    ] {
        let all = problems(text, &[]);
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].starts_with(&format!("ringway.toml:{place}: ")), "{text}: {}", all[0]);
        assert!(all[0].contains(says), "{text}: {}", all[0]);
    }
    let several = problems("[aws]\nregion = \naccount_id = 'a' b\n", &[]);
    assert_eq!(several.len(), 2, "{several:?}");
}

#[test]
fn the_admin_api_is_open_on_loopback_addresses_only() {
    for (listen, good) in [
        ("127.0.0.1:0", true),
        ("127.8.8.8:9080", true),
        ("[::1]:9080", true),
        ("[::ffff:127.0.0.1]:9080", true),
        ("0.0.0.0:9080", false),
        ("[::]:9080", false),
        ("192.0.2.1:9080", false),
    ] {
        let text = format!("[admin]\nlisten = '{listen}'\nauth = 'none'\n");
        let result = load(&text, &[], &[]);
        assert_eq!(result.is_ok(), good, "{listen}");
        if let Err(error) = result {
            let text = error.to_string();
            let says = format!("lets everybody who reaches {listen} change every API");
            assert!(
                text.starts_with("ringway.toml:3:1: admin.auth") && text.contains(&says),
                "{text}"
            );
        }
    }
    let open = load("", &[("RINGWAY_ADMIN_LISTEN", "0.0.0.0:1")], &[]).unwrap();
    let [warning] = &open.warnings[..] else { panic!("{:?}", open.warnings) };
    assert!(
        warning
            .to_string()
            .starts_with("RINGWAY_ADMIN_LISTEN: the admin API on 0.0.0.0:1 is signed but")
    );
    let tls = "[admin]\nlisten = '0.0.0.0:1'\ntls_certificate = 'c'\ntls_key = 'k'";
    let config = load(tls, &[], &[]).unwrap();
    assert_eq!(config.warnings, []);
    assert_eq!(config.admin.tls, Some(TlsFiles { certificate: "c".into(), key: "k".into() }));
    let without = [("RINGWAY_ADMIN_TLS_KEY", "none"), ("RINGWAY_ADMIN_TLS_CERTIFICATE", "none")];
    assert_eq!(load(tls, &without, &[]).unwrap().admin.tls, None);
}

#[test]
fn listeners_have_different_addresses() {
    for (text, key) in [
        ("[server]\nlisten = '127.0.0.1:9080'", "admin.listen"),
        ("[telemetry]\nmetrics_listen = '127.0.0.1:9080'", "telemetry.metrics_listen"),
        ("[telemetry]\nmetrics_listen = '0.0.0.0:8080'", "telemetry.metrics_listen"),
    ] {
        let all = problems(text, &[]);
        assert!(
            all[0].contains(&format!("{key}: ")) && all[0].contains("another listener"),
            "{all:?}"
        );
    }
    let zero = "server.listen = ['127.0.0.1:0', '127.0.0.1:0']\nadmin.listen = '127.0.0.1:0'\n\
                telemetry.metrics_listen = '127.0.0.1:0'";
    assert!(load(zero, &[], &[]).is_ok(), "port 0 is another one each time");
}

#[test]
fn secrets_are_never_shown() {
    const SECRET: &str = "wJalrXUtnFEMI";
    let file = |key: &str| format!("[admin]\naccess_keys = [{key}]");
    for text in [
        file(&format!("'{SECRET}'")),
        file(&format!("{{ id = '{SECRET}/' , secret = 'x' }}")),
        file(&format!("{{ id = 'x', secret = '{SECRET} ü' }}")),
        file(&format!("{{ id = 'x', secret = '{SECRET}', more = 1 }}")),
        file(&format!("{{ id = 1, secret = '{SECRET}' }}")),
        file(&format!("{{ secret = '{SECRET}' }}")),
        file(&format!("{{ id = 'x', secret = '{SECRET}' }}, {{ id = 'x', secret = '{SECRET}' }}")),
        format!("[admin]\naccess_keys = '{SECRET}'"),
        format!("[admin]\naccess_keys = {{ id = '{SECRET}' }}"),
        format!("[admin]\naccess_keys = [{{ id = 'x', secret = '{SECRET} }}]"),
    ] {
        let all = problems(&text, &[]);
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(!all[0].contains("wJalr"), "{}", all[0]);
        assert!(all[0].starts_with("ringway.toml:2:"), "{}", all[0]);
    }
    for value in [SECRET.to_owned(), format!("x:{SECRET} a"), format!("{SECRET}/:x")] {
        let all = problems("", &[("RINGWAY_ADMIN_ACCESS_KEYS", &value)]);
        assert!(!all[0].contains("wJalr"), "{}", all[0]);
    }
    let config = load(&file(&format!("{{ id = 'x', secret = '{SECRET}' }}")), &[], &[]).unwrap();
    for text in [config.to_toml(), config.to_json(), format!("{config:?}")] {
        assert!(!text.contains("wJalr"), "{text}");
    }
    let printed = config.to_toml();
    assert!(printed.contains("access_keys = [{ id = \"x\", secret = \"****\" }]"));
    assert!(problems(&printed, &[])[0].contains("the secret of key 1 is the mask"), "not a secret");
}

#[test]
fn variables_that_are_nearly_right_are_warned_of() {
    let variables = [
        ("RINGWAY_ADMIN_LISTN", "x"),
        ("RINGWAY_LOG", "debug"),
        ("RINGWAY_ADMIN_PORT_9080_TCP_ADDR", "10.0.0.1"),
        ("RINGWAY_SERVICE_HOST", "10.0.0.1"),
        ("RINGWAY_ADMIN_PORT", "tcp://10.0.0.1:9080"),
    ];
    let config = load("", &variables, &[]).unwrap();
    let all: Vec<String> = config.warnings.iter().map(Problem::to_string).collect();
    assert_eq!(all, ["RINGWAY_ADMIN_LISTN: sets nothing; did you mean RINGWAY_ADMIN_LISTEN?"]);
}

#[test]
fn what_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let bad = OsString::from_vec(vec![0xff]);
    let error = Config::load(None, [("RINGWAY_STORE_PATH".into(), bad.clone())], &[]).unwrap_err();
    assert_eq!(error.to_string(), "RINGWAY_STORE_PATH: is not UTF-8");
    assert!(Config::load(None, [(bad.clone(), bad)], &[]).is_ok());

    let directory = std::env::temp_dir().join(format!("ringway-config-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("x.toml");
    let error = Config::load(Some(&path), [], &[]).unwrap_err().to_string();
    assert!(error.ends_with("x.toml:1:1: cannot be read: No such file or directory (os error 2)"));
    for (bytes, says) in
        [(vec![0xff], "is not UTF-8"), (vec![b'#'; (1 << 20) + 1], "is longer than 1048576 bytes")]
    {
        std::fs::write(&path, bytes).unwrap();
        let error = Config::load(Some(&path), [], &[]).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    std::fs::write(&path, "[aws]\nregion = 'x'").unwrap();
    let config = Config::load(Some(&path), [], &[]).unwrap();
    assert_eq!(config.origin("aws.region").unwrap().to_string(), format!("{}:2:1", path.display()));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn the_printed_configuration_is_one() {
    let text = "[server]\nshards = 0x10\nlisten = ['127.0.0.1:1']\n[store]\npath = \"a\\\"\\u007f\\n\"\n\
                [limits]\nurl = 'off'\npayload = 1_000\n";
    let variables = [("RINGWAY_AWS_REGION", "eu-west-1")];
    let config = load(text, &variables, &[flag("admin.auth", "--admin-auth", &["none"])]).unwrap();
    let printed = config.to_toml();
    for line in [
        "[server]\nlisten = [\"127.0.0.1:1\"]       # ringway.toml:3:1\n",
        "\nshards = 16                    # ringway.toml:2:1\n",
        "\n[store]\npath = \"a\\\"\\u007F\\n\"  # ringway.toml:5:1\n",
        "\nauth = \"none\"              # --admin-auth\n",
        "region = \"eu-west-1\"         # RINGWAY_AWS_REGION\n",
        "payload = 1000 ",
        "access_keys = []           # default\n",
    ] {
        assert!(printed.contains(line), "{line}\n{printed}");
    }
    let again = load(&printed, &[], &[]).unwrap();
    for (one, other) in config.settings.iter().zip(&again.settings) {
        assert_eq!(one.value, other.value, "{}", one.key.path());
    }
    let json: serde_json::Value = serde_json::from_str(&config.to_json()).unwrap();
    let row = |key: &str| json.as_array().unwrap().iter().find(|row| row["key"] == key).unwrap();
    assert_eq!(
        *row("server.shards"),
        serde_json::json!({
            "key": "server.shards", "value": 16, "origin": "file", "at": "ringway.toml:2:1",
            "variable": "RINGWAY_SERVER_SHARDS",
        })
    );
    assert_eq!(row("aws.region")["origin"], "environment");
    assert_eq!(row("admin.auth")["origin"], "flag");
    assert_eq!(row("admin.listen")["at"], serde_json::Value::Null);
    let made =
        "access_keys = []           # default: made at first start, in ringway-data/credentials\n";
    assert!(Config::new().to_toml().contains(made));
}

#[test]
fn flags_are_checked_alone() {
    assert!(check("server.listen", "0.0.0.0:1").is_ok());
    assert!(check("server.ca_files", "a,b").is_ok());
    assert!(check("aws.account_id", "1").unwrap_err().contains("twelve digits"));
    let error = load("", &[], &[flag("aws.regon", "--x", &["1"])]).unwrap_err();
    assert_eq!(error.to_string(), "--x: there is no key 'aws.regon'");
    let error = load("", &[], &[flag("aws.region", "--region", &["?"])]).unwrap_err();
    assert!(error.to_string().starts_with("--region: aws.region: '?' is no region"));
}

#[test]
fn variables_and_keys_have_names_of_their_own() {
    let names: BTreeSet<String> = KEYS.iter().map(Key::env).collect();
    assert_eq!(names.len(), KEYS.len());
    assert!(names.contains("RINGWAY_LIMITS_HELD_BODY"));
    // Kubernetes sets these of its own accord for a service named ringway or ringway-TABLE.
    let kubernetes = |name: &&String| name.ends_with("_PORT") || name.ends_with("_SERVICE_HOST");
    assert_eq!(names.iter().find(kubernetes), None);
}

/// A row of a table of `docs/configuration.md`.
struct Row {
    path: String,
    cells: Vec<String>,
}

fn documented() -> (String, Vec<Row>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/configuration.md")).unwrap();
    let mut rows = Vec::new();
    let mut table = "";
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            table = title.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or("");
        } else if let Some(row) = line.strip_prefix("| `")
            && !table.is_empty()
        {
            let (name, rest) = row.split_once('`').unwrap();
            let cells = rest.trim_matches(['|', ' ']).split(" | ").map(str::to_owned).collect();
            rows.push(Row { path: format!("{table}.{name}"), cells });
        }
    }
    (text, rows)
}

#[test]
fn the_document_has_the_keys_that_the_code_has() {
    let (_, rows) = documented();
    let in_document: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    let in_code: Vec<String> = KEYS.iter().map(Key::path).collect();
    assert_eq!(in_document, in_code);
    for row in &rows {
        assert_eq!(row.cells.len(), 4, "type, default, range, meaning of {}", row.path);
        assert!(row.cells.iter().all(|cell| !cell.is_empty()), "{}", row.path);
    }
}

#[test]
fn the_document_has_the_defaults_that_the_code_has() {
    let (_, rows) = documented();
    let default = Config::new();
    for row in &rows {
        let literal = row.cells[1].trim_matches('`');
        let (table, name) = row.path.split_once('.').unwrap();
        let text = format!("[{table}]\n{name} = {literal}\n");
        let config = load(&text, &[], &[]).unwrap_or_else(|error| panic!("{text}{error}"));
        assert!(matches!(config.origin(&row.path), Some(Origin::File { .. })));
        if table == "limits" {
            assert_eq!(config.limits, default.limits, "{text}");
        } else {
            let value = |config: &Config| {
                let mut settings = config.settings.iter();
                settings.find(|setting| setting.key.is(&row.path)).unwrap().value.clone()
            };
            assert_eq!(value(&config), value(&default), "{text}");
        }
    }
}

#[test]
fn the_documents_example_sets_every_key() {
    let (text, _) = documented();
    let (_, rest) = text.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let config = load(example, &[], &[]).unwrap();
    let unset: Vec<String> = config
        .settings
        .iter()
        .filter(|setting| setting.origin == Origin::Default)
        .map(|setting| setting.key.path())
        .collect();
    assert_eq!(unset, [""; 0]);
    let default = Config::new();
    let same: Vec<String> = config
        .settings
        .iter()
        .zip(&default.settings)
        .filter(|(one, other)| one.value == other.value)
        .map(|(setting, _)| setting.key.path())
        .collect();
    assert_eq!(same, ["admin.auth"]);
    let limits: BTreeMap<&str, String> =
        config.limits.table().into_iter().map(|row| (row.name, row.value)).collect();
    assert_eq!((&*limits["head-timeout"], &*limits["url"]), ("10s", "off"));
}

#[test]
fn the_documents_messages_are_those_of_the_code() {
    let (text, _) = documented();
    let file = "\n[server]\nlisen = ['0.0.0.0:1']\n\n[admin]\n\nauth = true\n";
    for message in problems(file, &[("RINGWAY_AWS_ACCOUNT_ID", "1234")]) {
        assert!(text.contains(&format!("\n{message}\n")), "{message}");
    }
}

proptest! {
    #[test]
    fn no_file_and_no_environment_makes_the_loader_panic(
        text in "\\PC{0,200}|(\\[(server|admin|limits|aws)\\]\n([a-z_-]{1,12} = [ -~]{0,20}\n){0,4}){0,3}",
        name in "RINGWAY_(SERVER_LISTEN|ADMIN_ACCESS_KEYS|LIMITS_URL|[A-Z_]{0,20})",
        value in "[^:]{0,40}",
    ) {
        if let Ok(config) = load(&text, &[(&name, &value)], &[])
            && config.admin.access_keys.is_empty()
        {
            load(&config.to_toml(), &[], &[]).unwrap();
        }
    }
}
