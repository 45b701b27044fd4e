//! What `ringway serve` is told: `ringway.toml`, the environment, flags; and where each value came from.
//!
//! One table of keys (`keys`) says what there is; everything else follows from it: what a file may
//! have, the names of variables (`RINGWAY_` + table + `_` + key), what `ringway config` prints, and the
//! test that `docs/configuration.md` tells all of it. Sources are applied in order, each over those
//! before: defaults, file, environment, flags. All that is wrong is found at once, each with its place.
//!
//! In: texts. Out: a [`Config`], or every [`Problem`]. Reads the file and, for host names in
//! addresses, the system's resolver; nothing else.

mod file;
mod keys;
mod show;
#[cfg(test)]
mod tests;
pub mod values;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::auth::credential::{check_access_key_id, check_secret};
use crate::auth::{Credential, Secret};
use crate::control::log_writer::LogDestination;
use crate::limits::Limits;
use crate::model::ThrottleSettings;
use crate::telemetry::AccessLogFormat;

use keys::{KEYS, Key, Kind, Value};

/// AWS's account throttle: 10 000 requests a second with bursts of 5 000. Source: "Amazon API Gateway
/// quotas".
pub const ACCOUNT_THROTTLE: ThrottleSettings =
    ThrottleSettings { rate_limit: 10_000.0, burst_limit: 5_000 };

/// The account that AWS's documentation shows.
pub const ACCOUNT_ID: &str = "123456789012";

/// Begins the name of every variable.
const ENV_PREFIX: &str = "RINGWAY_";

/// All settings of the process, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[store]`
    pub store: Store,
    /// `[admin]`
    pub admin: Admin,
    /// `[aws]`
    pub aws: Aws,
    /// `[limits]`
    pub limits: Limits,
    /// `[throttle]`
    pub throttle: Throttle,
    /// `[telemetry]`
    pub telemetry: Telemetry,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Problem>,
    settings: Vec<Setting>,
}

/// Where clients of APIs connect, and who serves them.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// At least one; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Shards; `None`: one per CPU that the process may use.
    pub shards: Option<usize>,
    /// Certificates that integrations' certificates may be signed by, besides the system's.
    pub ca_files: Vec<PathBuf>,
    /// What follows `{apiId}.execute-api.` in URLs that Ringway prints.
    pub api_host_suffix: String,
}

/// Where APIs are kept.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// A directory.
    pub path: PathBuf,
}

/// The control-plane API.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Its address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who may call it.
    pub auth: AdminAuth,
    /// Keys of its callers; none: one is made at first start (`control::credentials`).
    pub access_keys: Vec<Credential>,
    /// Its certificate; `None`: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Largest body of a call, bytes.
    pub max_body_bytes: u64,
}

/// Who may call the admin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminAuth {
    /// Who signs with an access key.
    SigV4,
    /// Who can reach it: on a loopback address only.
    None,
}

/// PEM files of a TLS listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, the server's certificate first.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// What Ringway calls itself where AWS has regions and accounts.
#[derive(Clone, Debug, Default)]
pub struct Aws {
    /// Of ARNs and signatures.
    pub region: String,
    /// Of ARNs and `$context.accountId`: twelve digits.
    pub account_id: String,
}

/// Throttling of all APIs together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Throttle {
    /// `None`: off.
    pub account: Option<ThrottleSettings>,
}

/// Logs and metrics.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// Where the access log goes; `None`: off.
    pub access_log: Option<LogDestination>,
    /// Its format where a stage has none of its own.
    pub access_log_format: Arc<AccessLogFormat>,
    /// An address for `/metrics`, `/healthz` and `/readyz`; `None`: they are on the admin port.
    pub metrics_listen: Option<SocketAddr>,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody has set it.
    Default,
    /// A file; line and column count from 1.
    File {
        /// As it was named.
        path: PathBuf,
        /// Line.
        line: usize,
        /// Column, in characters.
        column: usize,
    },
    /// An environment variable.
    Env(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Env(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// One thing that is wrong, and where. Shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// What, and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

/// Everything that is wrong, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Problem>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if index > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// A flag of the command line that sets a key.
#[derive(Clone, Debug)]
pub struct Flag {
    /// `table.key`.
    pub key: String,
    /// As the user writes it, `--listen`.
    pub flag: &'static str,
    /// The values of all its uses.
    pub values: Vec<String>,
}

/// A key with its value in force.
#[derive(Clone, Debug)]
struct Setting {
    key: &'static Key,
    value: Value,
    origin: Origin,
}

impl Config {
    /// Reads `file`, if there is one, then the variables of `env` that begin with `RINGWAY_`, then
    /// `flags`.
    ///
    /// # Errors
    /// All that is wrong, in the order of the sources.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &[Flag],
    ) -> Result<Self, ConfigError> {
        let mut loader = Loader::new();
        if let Some(path) = file {
            match values::read_bounded(path) {
                Ok(text) => loader.apply_file(path, &text),
                Err(message) => loader
                    .complain(Origin::File { path: path.to_owned(), line: 1, column: 1 }, message),
            }
        }
        loader.apply_env(env);
        loader.apply_flags(flags);
        loader.finish()
    }

    /// With nothing set.
    pub fn new() -> Self {
        Self::load(None, [], &[]).expect("defaults are right")
    }

    /// Where the value of `table.key` came from. `None`: there is no such key.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        let mut settings = self.settings.iter();
        settings.find(|setting| setting.key.is(key)).map(|setting| &setting.origin)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// Checks one value of a scalar or of a list's elements, as flags are checked while they are parsed.
///
/// # Errors
/// A sentence that says what would be right.
///
/// # Panics
/// There is no key `table.key`.
pub fn check(key: &str, text: &str) -> Result<(), String> {
    let key = keys::find(key).unwrap_or_else(|| panic!("{key} is a key"));
    let value = match key.default {
        Value::List(_) => Value::List(vec![text.to_owned()]),
        _ => Value::of_text(key, text),
    };
    Loader::new().apply(key, value)
}

/// A configuration that is being put together.
struct Loader {
    config: Config,
    /// Both or none make a `TlsFiles`.
    tls_certificate: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    problems: Vec<Problem>,
}

impl Loader {
    fn new() -> Self {
        let unset = SocketAddr::from(([0, 0, 0, 0], 0));
        let config = Config {
            server: Server::default(),
            store: Store::default(),
            admin: Admin {
                listen: unset,
                auth: AdminAuth::SigV4,
                access_keys: Vec::new(),
                tls: None,
                max_body_bytes: 0,
            },
            aws: Aws::default(),
            limits: Limits::default(),
            throttle: Throttle::default(),
            telemetry: Telemetry {
                access_log: None,
                access_log_format: Arc::new(values::access_log_format("clf").expect("a preset")),
                metrics_listen: None,
            },
            warnings: Vec::new(),
            settings: Vec::new(),
        };
        let mut loader =
            Self { config, tls_certificate: None, tls_key: None, problems: Vec::new() };
        for key in KEYS.iter() {
            let value = key.default.clone();
            loader.apply(key, value.clone()).expect("defaults are right");
            loader.config.settings.push(Setting { key, value, origin: Origin::Default });
        }
        loader
    }

    fn complain(&mut self, origin: Origin, message: impl Into<String>) {
        self.problems.push(Problem { origin, message: message.into() });
    }

    fn set(&mut self, key: &'static Key, value: Value, origin: Origin) {
        match self.apply(key, value.clone()) {
            Ok(()) => {
                let mut settings = self.config.settings.iter_mut();
                let setting = settings.find(|setting| std::ptr::eq(setting.key, key));
                let setting = setting.expect("every key has its setting");
                (setting.value, setting.origin) = (value, origin);
            }
            Err(why) => self.complain(origin, format!("{}: {why}", key.path())),
        }
    }

    fn apply_file(&mut self, path: &Path, text: &str) {
        let read = file::read(path, text);
        self.problems.extend(read.problems);
        for (key, value, origin) in read.values {
            self.set(key, value, origin);
        }
    }

    fn apply_env(&mut self, env: impl IntoIterator<Item = (OsString, OsString)>) {
        // In the order of names, so that the same environment makes the same messages.
        let mut env: Vec<(OsString, OsString)> = env.into_iter().collect();
        env.sort_unstable();
        for (name, value) in env {
            let Some(name) = name.to_str().filter(|name| name.starts_with(ENV_PREFIX)) else {
                continue;
            };
            let origin = Origin::Env(name.to_owned());
            // Empty is how many tools say "not set".
            match (KEYS.iter().find(|key| key.env() == name), value.to_str()) {
                (Some(_), Some("")) => {}
                (Some(key), Some(text)) => self.set(key, Value::of_text(key, text), origin),
                (Some(_), None) => self.complain(origin, "is not UTF-8"),
                (None, _) => {
                    // Only a near miss is told: Kubernetes sets RINGWAY_ADMIN_PORT and the like of
                    // its own accord, and other tools may have names like these, too.
                    let names: Vec<String> = KEYS.iter().map(Key::env).collect();
                    if let Some(meant) = keys::nearest(name, names.iter().map(String::as_str), 2) {
                        let message = format!("sets nothing; did you mean {meant}?");
                        self.config.warnings.push(Problem { origin, message });
                    }
                }
            }
        }
    }

    fn apply_flags(&mut self, flags: &[Flag]) {
        for given in flags {
            let origin = Origin::Flag(given.flag);
            let Some(key) = keys::find(&given.key) else {
                self.complain(origin, format!("there is no key '{}'", given.key));
                continue;
            };
            let value = match (&key.default, given.values.last()) {
                (_, None) => continue,
                (Value::List(_), _) => Value::List(given.values.clone()),
                (_, Some(last)) => Value::of_text(key, last),
            };
            self.set(key, value, origin);
        }
    }

    /// Puts a value in its place.
    fn apply(&mut self, key: &Key, value: Value) -> Result<(), String> {
        let config = &mut self.config;
        match (key.kind, value) {
            (Kind::Listen, Value::List(all)) => {
                let parsed = all.iter().map(|text| values::parse_address(text));
                let addresses = parsed.collect::<Result<Vec<SocketAddr>, String>>()?;
                let different: BTreeSet<&SocketAddr> =
                    addresses.iter().filter(|address| address.port() != 0).collect();
                let with_port = addresses.iter().filter(|address| address.port() != 0).count();
                if addresses.is_empty() {
                    return Err("name at least one address, like [\"0.0.0.0:8080\"]".to_owned());
                }
                if different.len() < with_port {
                    return Err("has the same address twice".to_owned());
                }
                config.server.listen = addresses;
            }
            (Kind::CaFiles, Value::List(all)) => {
                let paths = all.iter().map(|text| values::path(text));
                config.server.ca_files = paths.collect::<Result<_, _>>()?;
            }
            (Kind::AccessKeys, Value::AccessKeys(all)) => {
                let mut keys: Vec<Credential> = Vec::with_capacity(all.len());
                for (index, (id, secret)) in all.into_iter().enumerate() {
                    if id.is_empty() {
                        return Err("an access key has an id and a secret; in a variable write \
                                    ID:SECRET"
                            .to_owned());
                    }
                    check_access_key_id(&id)?;
                    check_secret(secret.expose())
                        .map_err(|why| format!("the secret of key {} {why}", index + 1))?;
                    if secret.is(show::MASK.as_bytes()) {
                        return Err(format!(
                            "the secret of key {} is the mask that `ringway config` prints; write \
                             the secret",
                            index + 1
                        ));
                    }
                    if keys.iter().any(|other| other.access_key_id == id) {
                        return Err(format!("has the id '{id}' twice"));
                    }
                    keys.push(Credential::new(id, secret));
                }
                config.admin.access_keys = keys;
            }
            (kind, Value::Text(text)) => self.apply_text(key, kind, &text)?,
            (kind, _) => unreachable!("a value of {kind:?} that its key does not take"),
        }
        Ok(())
    }

    fn apply_text(&mut self, key: &Key, kind: Kind, text: &str) -> Result<(), String> {
        let config = &mut self.config;
        match kind {
            Kind::Shards => {
                let auto = text.eq_ignore_ascii_case("auto");
                config.server.shards = if auto { None } else { Some(values::shards(text)?) };
            }
            Kind::ApiHostSuffix => config.server.api_host_suffix = values::host_suffix(text)?,
            Kind::StorePath => config.store.path = values::path(text)?,
            Kind::AdminListen => config.admin.listen = values::parse_address(text)?,
            Kind::AdminAuth => {
                config.admin.auth = match text {
                    "sigv4" => AdminAuth::SigV4,
                    "none" => AdminAuth::None,
                    _ => return Err(format!("'{text}' is not \"sigv4\" and not \"none\"")),
                };
            }
            Kind::TlsCertificate => self.tls_certificate = optional_path(text)?,
            Kind::TlsKey => self.tls_key = optional_path(text)?,
            Kind::MaxBody => config.admin.max_body_bytes = values::max_body(text)?,
            Kind::Region => config.aws.region = values::region(text)?,
            Kind::AccountId => config.aws.account_id = values::account_id(text)?,
            Kind::Limit => config.limits.set(&format!("{}={text}", key.name)).map_err(|why| {
                let prefix = format!("limit {}: ", key.name);
                why.strip_prefix(&prefix).map_or_else(|| why.clone(), str::to_owned)
            })?,
            Kind::AccountThrottle => config.throttle.account = values::account_throttle(text)?,
            Kind::AccessLog => config.telemetry.access_log = values::access_log(text)?,
            Kind::AccessLogFormat => {
                config.telemetry.access_log_format = Arc::new(values::access_log_format(text)?);
            }
            Kind::MetricsListen => {
                let shared = text.eq_ignore_ascii_case("admin");
                config.telemetry.metrics_listen =
                    if shared { None } else { Some(values::parse_address(text)?) };
            }
            Kind::Listen | Kind::CaFiles | Kind::AccessKeys => {
                unreachable!("{kind:?} is no text")
            }
        }
        Ok(())
    }

    /// What one value alone does not show.
    fn finish(mut self) -> Result<Config, ConfigError> {
        match (self.tls_certificate.take(), self.tls_key.take()) {
            (Some(certificate), Some(key)) => {
                self.config.admin.tls = Some(TlsFiles { certificate, key });
            }
            (None, None) => {}
            (Some(_), None) => self.blame(
                "admin.tls_certificate",
                "admin.tls_certificate needs admin.tls_key, the file of its key",
            ),
            (None, Some(_)) => self.blame(
                "admin.tls_key",
                "admin.tls_key needs admin.tls_certificate, the file of its certificate",
            ),
        }
        let admin = self.config.admin.listen;
        let local = admin.ip().to_canonical().is_loopback();
        if self.config.admin.auth == AdminAuth::None && !local {
            self.blame(
                "admin.auth",
                &format!(
                    "admin.auth = \"none\" lets everybody who reaches {admin} change every API: it \
                     is accepted on a loopback address only, like admin.listen = \"127.0.0.1:9080\""
                ),
            );
        }
        for (key, others) in [
            ("admin.listen", self.config.server.listen.clone()),
            ("telemetry.metrics_listen", [&self.config.server.listen[..], &[admin]].concat()),
        ] {
            let address = match key {
                "admin.listen" => Some(admin),
                _ => self.config.telemetry.metrics_listen,
            };
            if let Some(address) = address
                && address.port() != 0
                && others.contains(&address)
            {
                let message = format!("{key}: {address} is the address of another listener, too");
                self.blame(key, &message);
            }
        }
        if !self.problems.is_empty() {
            return Err(ConfigError(self.problems));
        }
        if self.config.admin.auth == AdminAuth::SigV4 && !local && self.config.admin.tls.is_none() {
            let origin = self.origin("admin.listen");
            let message = format!(
                "the admin API on {admin} is signed but not encrypted: whoever is on the way reads \
                 what is sent; set admin.tls_certificate and admin.tls_key"
            );
            self.config.warnings.push(Problem { origin, message });
        }
        Ok(self.config)
    }

    fn origin(&self, key: &str) -> Origin {
        self.config.origin(key).expect("a key").clone()
    }

    fn blame(&mut self, key: &str, message: &str) {
        let origin = self.origin(key);
        self.complain(origin, message);
    }
}

fn optional_path(text: &str) -> Result<Option<PathBuf>, String> {
    if text == "none" { Ok(None) } else { values::path(text).map(Some) }
}

impl Value {
    /// A value from a variable or flag: elements of lists stand between commas, access keys are
    /// `ID:SECRET`.
    fn of_text(key: &Key, text: &str) -> Self {
        let elements = || text.split(',').map(str::trim).filter(|element| !element.is_empty());
        match key.default {
            Self::Text(_) => Self::Text(text.to_owned()),
            Self::List(_) => Self::List(elements().map(str::to_owned).collect()),
            Self::AccessKeys(_) => Self::AccessKeys(
                elements()
                    .map(|element| element.split_once(':').unwrap_or(("", element)))
                    .map(|(id, secret)| (id.to_owned(), Secret::new(secret)))
                    .collect(),
            ),
        }
    }
}
