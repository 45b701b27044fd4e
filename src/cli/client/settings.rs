//! What a client goes by: flags, then the environment, then the configuration of a gateway on this
//! machine.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use super::super::{Failure, complain};
use super::{ClientArgs, admin};
use crate::auth::credential::{check_access_key_id, check_secret};
use crate::auth::{Credential, Secret};
use crate::config::{Config, Flag, Origin};
use crate::control::credentials::AdminCredentials;
use crate::limits::Limits;

const URL_VARIABLE: &str = "RINGWAY_ADMIN_URL";
/// Pairs of variables with an access key, the first counts.
const KEY_VARIABLES: [(&str, &str); 2] = [
    ("RINGWAY_ACCESS_KEY_ID", "RINGWAY_SECRET_ACCESS_KEY"),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
];
/// Variables with a region that AWS's tools know.
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// All of it.
#[derive(Debug)]
pub(super) struct Settings {
    /// `http://127.0.0.1:9080`.
    pub(super) url: String,
    /// `None`: calls go unsigned, as a gateway with `admin.auth = "none"` takes them.
    pub(super) key: Option<Key>,
    pub(super) region: String,
    pub(super) ca_files: Vec<PathBuf>,
    /// Directory of the store on this machine.
    pub(super) store: PathBuf,
    /// What the configuration says about limits.
    pub(super) limits: Limits,
}

/// What calls are signed with.
#[derive(Debug, PartialEq)]
pub(super) struct Key {
    pub(super) credential: Credential,
    /// Where it is from, for messages.
    pub(super) origin: String,
}

impl Settings {
    /// Puts the settings together.
    ///
    /// # Errors
    /// A value is wrong, or half of a key is missing.
    pub(super) fn of(args: &ClientArgs) -> Result<Self, Failure> {
        Self::with(args, std::env::vars_os().collect())
    }

    fn with(args: &ClientArgs, env: Vec<(OsString, OsString)>) -> Result<Self, Failure> {
        let variable = |name: &str| {
            let found = env.iter().find(|(key, _)| key.to_str() == Some(name));
            // Empty is how many tools say "not set".
            found.and_then(|(_, value)| value.to_str()).filter(|value| !value.is_empty())
        };
        let config = configuration(args, &env)?;
        let url = match (&args.admin, variable(URL_VARIABLE)) {
            (Some(url), _) => url.clone(),
            (None, Some(url)) => admin::parse_url(url)
                .map_err(|why| Failure::Usage(format!("{URL_VARIABLE}: '{url}': {why}")))?,
            (None, None) => local_url(&config),
        };
        let is_set = !matches!(config.origin("aws.region"), None | Some(Origin::Default));
        let configured = is_set.then_some(config.aws.region.as_str());
        let region = args
            .region
            .as_deref()
            .or(configured)
            .or_else(|| REGION_VARIABLES.iter().find_map(|name| variable(name)))
            .unwrap_or(&config.aws.region)
            .to_owned();
        let key = match (&args.access_key, &args.secret_key) {
            (Some(id), Some(secret)) => {
                let origin = "--access-key".to_owned();
                Some(Key { credential: credential(id, secret, &origin)?, origin })
            }
            _ => match key_of_environment(&variable)? {
                None => key_of_configuration(&config)?,
                found => found,
            },
        };
        let (store, ca_files) = (config.store.path, args.ca_files.clone());
        Ok(Self { url, key, region, ca_files, store, limits: config.limits })
    }

    /// What a refused caller should know about the key.
    pub(super) fn about_key(&self) -> String {
        match &self.key {
            Some(key) => format!(
                "the call was signed with the key {} of {} for {}; another comes with --access-key \
                 and --secret-key, or RINGWAY_ACCESS_KEY_ID and RINGWAY_SECRET_ACCESS_KEY",
                key.credential.access_key_id, key.origin, self.region
            ),
            None => format!(
                "there is no key to sign with in RINGWAY_ACCESS_KEY_ID, AWS_ACCESS_KEY_ID or {}; \
                 `ringway serve` makes one there at its first start: name the directory by --store",
                self.store.join("credentials").display()
            ),
        }
    }
}

/// The configuration of a gateway that runs here.
fn configuration(args: &ClientArgs, env: &[(OsString, OsString)]) -> Result<Config, Failure> {
    let store = args.store.as_ref().map(|path| Flag {
        key: "store.path".to_owned(),
        flag: "--store",
        values: vec![path.display().to_string()],
    });
    // Those are a client's, and no misspelt keys.
    let own = |name: &str| {
        name == URL_VARIABLE || KEY_VARIABLES.iter().any(|it| it.0 == name || it.1 == name)
    };
    let env = env.iter().filter(|(name, _)| !name.to_str().is_some_and(own)).cloned();
    let flags: Vec<Flag> = store.into_iter().collect();
    Config::load(args.config.as_deref(), env, &flags).map_err(|error| {
        complain(&format!("{error}\n"));
        Failure::Told
    })
}

/// Where the admin port of a gateway with this configuration is, seen from its own machine.
fn local_url(config: &Config) -> String {
    let listen = config.admin.listen;
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let scheme = if config.admin.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(ip, listen.port()))
}

fn credential(id: &str, secret: &str, origin: &str) -> Result<Credential, Failure> {
    check_access_key_id(id)
        .and_then(|()| check_secret(secret).map_err(|why| format!("the secret {why}")))
        .map_err(|why| Failure::Usage(format!("{origin}: {why}")))?;
    Ok(Credential::new(id, Secret::new(secret)))
}

fn key_of_environment<'v>(
    variable: &impl Fn(&str) -> Option<&'v str>,
) -> Result<Option<Key>, Failure> {
    for (id_name, secret_name) in KEY_VARIABLES {
        let (id, secret) = match (variable(id_name), variable(secret_name)) {
            (None, None) => continue,
            (Some(id), Some(secret)) => (id, secret),
            (Some(_), None) => return Err(half(id_name, secret_name)),
            (None, Some(_)) => return Err(half(secret_name, id_name)),
        };
        let origin = id_name.to_owned();
        return Ok(Some(Key { credential: credential(id, secret, &origin)?, origin }));
    }
    Ok(None)
}

fn half(there: &str, missing: &str) -> Failure {
    Failure::Usage(format!("{there} is set, and {missing} is not"))
}

/// The first key of the configuration, else of the store's own.
fn key_of_configuration(config: &Config) -> Result<Option<Key>, Failure> {
    if let Some(credential) = config.admin.access_keys.first().cloned() {
        return Ok(Some(Key { credential, origin: "the configuration".to_owned() }));
    }
    let found = AdminCredentials::load(&config.store.path)
        .map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(found.and_then(|found| {
        let origin = found.path.display().to_string();
        found.keys.into_iter().next().map(|credential| Key { credential, origin })
    }))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        client: ClientArgs,
    }

    fn settings(flags: &str, env: &[(&str, &str)]) -> Result<Settings, Failure> {
        let words = std::iter::once("x").chain(flags.split_whitespace());
        let line = Line::try_parse_from(words).unwrap();
        let env = env.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Settings::with(&line.client, env)
    }

    #[test]
    fn flags_go_over_the_environment_and_that_over_the_configuration() {
        let nothing = settings("--store /nowhere", &[("RINGWAY_ADMIN_URL", "")]).unwrap();
        assert_eq!(nothing.url, "http://127.0.0.1:9080");
        assert_eq!((nothing.region.as_str(), nothing.key.as_ref()), ("us-east-1", None));
        assert!(nothing.about_key().contains("/nowhere/credentials"), "{}", nothing.about_key());

        let all = [
            ("RINGWAY_ADMIN_URL", "https://env:1"),
            ("RINGWAY_ADMIN_LISTEN", "0.0.0.0:2"),
            ("RINGWAY_STORE_PATH", "/env"),
            ("RINGWAY_ADMIN_ACCESS_KEYS", "config:s"),
            ("AWS_ACCESS_KEY_ID", "aws"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("RINGWAY_ACCESS_KEY_ID", "env"),
            ("RINGWAY_SECRET_ACCESS_KEY", "s"),
            ("AWS_DEFAULT_REGION", "default-1"),
            ("AWS_REGION", "aws-1"),
            ("RINGWAY_AWS_REGION", "config-1"),
        ];
        let summary = |it: &Settings| {
            let key = it.key.as_ref().map_or("-", |key| &key.credential.access_key_id);
            format!("{} {key} {} {}", it.url, it.region, it.store.display())
        };
        let flags =
            "--admin http://flag:3 --access-key flag --secret-key s --region flag-1 --store /flag";
        for (flags, skipped, want) in [
            (flags, 0, "http://flag:3 flag flag-1 /flag"),
            ("", 0, "https://env:1 env config-1 /env"),
            ("", 1, "http://127.0.0.1:2 env config-1 /env"),
        ] {
            assert_eq!(summary(&settings(flags, &all[skipped..]).unwrap()), want);
        }
        let without = |names: &[&str]| -> Vec<(&str, &str)> {
            all.into_iter()
                .filter(|(name, _)| !names.iter().any(|it| name.starts_with(it)))
                .collect()
        };
        let aws = settings("", &without(&["RINGWAY_ACCESS", "RINGWAY_SECRET", "RINGWAY_AWS"]));
        assert_eq!(summary(&aws.unwrap()), "https://env:1 aws aws-1 /env");
        let config = settings("", &without(&["RINGWAY_ACCESS", "RINGWAY_SECRET", "AWS_"]));
        assert_eq!(summary(&config.unwrap()), "https://env:1 config config-1 /env");
    }

    #[test]
    fn what_is_half_or_wrong_is_wrong_usage() {
        for (env, says) in [
            (("RINGWAY_ADMIN_URL", "nowhere"), "RINGWAY_ADMIN_URL: 'nowhere': write http://"),
            (
                ("AWS_ACCESS_KEY_ID", "a"),
                "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not",
            ),
            (("RINGWAY_SECRET_ACCESS_KEY", "a"), "and RINGWAY_ACCESS_KEY_ID is not"),
        ] {
            match settings("", &[env]) {
                Err(Failure::Usage(why)) => assert!(why.contains(says), "{why}"),
                other => panic!("{env:?}: {other:?}"),
            }
        }
        assert!(Line::try_parse_from(["x", "--access-key", "a"]).is_err());
        assert!(Line::try_parse_from(["x", "--admin", "127.0.0.1:9080"]).is_err());
    }
}
