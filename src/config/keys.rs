//! Every key there is.

use std::sync::LazyLock;

use crate::auth::Secret;
use crate::limits::Limits;

/// What a key sets, and so what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Listen,
    Shards,
    CaFiles,
    ApiHostSuffix,
    StorePath,
    AdminListen,
    AdminAuth,
    AccessKeys,
    TlsCertificate,
    TlsKey,
    MaxBody,
    Region,
    AccountId,
    Limit,
    AccountThrottle,
    AccessLog,
    AccessLogFormat,
    MetricsListen,
}

/// A value that has the right type; nothing else of it has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<String>),
    AccessKeys(Vec<(String, Secret)>),
}

/// A key of a table.
#[derive(Debug)]
pub(super) struct Key {
    pub table: &'static str,
    pub name: &'static str,
    pub kind: Kind,
    pub default: Value,
    /// What a file may have, for messages.
    pub expects: &'static str,
}

impl Key {
    /// `table.key`.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }

    pub(super) fn is(&self, path: &str) -> bool {
        path.split_once('.') == Some((self.table, self.name))
    }

    /// Name of its variable.
    pub(super) fn env(&self) -> String {
        let name = format!("{}{}_{}", super::ENV_PREFIX, self.table, self.name);
        name.to_ascii_uppercase().replace('-', "_")
    }

    /// May a file have a number where the value is a text? Not for account ids: leading zeros count.
    pub(super) fn takes_numbers(&self) -> bool {
        matches!(self.kind, Kind::Shards | Kind::MaxBody | Kind::Limit)
    }
}

/// All keys, by table; within one in the order of their documentation.
pub(super) static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    const ADDRESS: &str = "a text \"HOST:PORT\"";
    const FILE: &str = "a text, the path of a file";
    let text = |table, name, kind, default: &str, expects| Key {
        table,
        name,
        kind,
        default: Value::Text(default.to_owned()),
        expects,
    };
    let list = |table, name, kind, default: &[&str], expects| Key {
        table,
        name,
        kind,
        default: Value::List(default.iter().map(|&text| text.to_owned()).collect()),
        expects,
    };
    let addresses = "a list of texts like [\"0.0.0.0:8080\"]";
    let files = "a list of texts like [\"ca.pem\"]";
    let keys = "a list like [{ id = \"test\", secret = \"test\" }]";
    let mut all = vec![
        list("server", "listen", Kind::Listen, &["0.0.0.0:8080"], addresses),
        text("server", "shards", Kind::Shards, "auto", "\"auto\" or a number"),
        text("server", "api_host_suffix", Kind::ApiHostSuffix, "localhost", "a text, a host name"),
        list("server", "ca_files", Kind::CaFiles, &[], files),
        text("store", "path", Kind::StorePath, "ringway-data", "a text, the path of a directory"),
        text("admin", "listen", Kind::AdminListen, "127.0.0.1:9080", ADDRESS),
        text("admin", "auth", Kind::AdminAuth, "sigv4", "\"sigv4\" or \"none\""),
        Key {
            table: "admin",
            name: "access_keys",
            kind: Kind::AccessKeys,
            default: Value::AccessKeys(Vec::new()),
            expects: keys,
        },
        text("admin", "tls_certificate", Kind::TlsCertificate, "none", FILE),
        text("admin", "tls_key", Kind::TlsKey, "none", FILE),
        text("admin", "max_body", Kind::MaxBody, "10MiB", "a size like \"10MiB\""),
        text("aws", "region", Kind::Region, "us-east-1", "a text"),
        text(
            "aws",
            "account_id",
            Kind::AccountId,
            super::ACCOUNT_ID,
            "a text of twelve digits, in quotes",
        ),
    ];
    for row in Limits::default().table() {
        let expects = "a number, or a text like \"64KiB\", \"30s\" or \"off\"";
        all.push(text("limits", row.name, Kind::Limit, &row.value, expects));
    }
    all.extend([
        text(
            "throttle",
            "account",
            Kind::AccountThrottle,
            "10000:5000",
            "a text \"RATE:BURST\" or \"off\"",
        ),
        text("telemetry", "access_log", Kind::AccessLog, "-", "a file, \"-\" or \"off\""),
        text("telemetry", "access_log_format", Kind::AccessLogFormat, "clf", "a text"),
        text("telemetry", "metrics_listen", Kind::MetricsListen, "admin", ADDRESS),
    ]);
    all
});

/// The key `table.key`.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.is(path))
}

/// Names of tables, each once.
pub(super) fn tables() -> Vec<&'static str> {
    let mut tables: Vec<&str> = KEYS.iter().map(|key| key.table).collect();
    tables.dedup();
    tables
}

/// The candidate that `name` may be a misspelling of: at most `distance_max` letters are wrong, and no
/// more than a third.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    distance_max: usize,
) -> Option<&'a str> {
    const NAME_BYTES_MAX: usize = 64;
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let measured = candidates
        .into_iter()
        .map(|other| (other, strsim::osa_distance(&name, &other.to_ascii_lowercase())));
    measured
        .min_by_key(|&(_, distance)| distance)
        .filter(|&(other, distance)| {
            distance <= (other.len().min(name.len()) / 3).clamp(1, distance_max)
        })
        .map(|(other, _)| other)
}

/// What somebody who wrote this unknown key may have meant: one of the table, else one of another.
pub(super) fn hint(table: &str, name: &str) -> String {
    let plain = |name: &str| name.replace('_', "-");
    let here = || KEYS.iter().filter(|key| key.table == table);
    if let Some(key) = here().find(|key| plain(key.name) == plain(name)) {
        return format!("write '{}'", key.name);
    }
    if let Some(key) = KEYS.iter().find(|key| plain(key.name) == plain(name)) {
        return format!("'{}' belongs to [{}]", key.name, key.table);
    }
    if let Some(meant) = nearest(name, here().map(|key| key.name), 4) {
        return format!("did you mean '{meant}'?");
    }
    if let Some(meant) = nearest(name, KEYS.iter().map(|key| key.name), 4) {
        let key = KEYS.iter().find(|key| key.name == meant).expect("one of them");
        return format!("did you mean '{meant}' in [{}]?", key.table);
    }
    let names: Vec<&str> = here().map(|key| key.name).collect();
    format!("its keys are {}", names.join(", "))
}
