//! Values of flags, as more than one subcommand takes them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::config::values;
use crate::limits::Limits;
use crate::model::ThrottleSettings;

/// The stage a definition is compiled for.
#[derive(Debug, Args)]
pub(super) struct StageArgs {
    /// OpenAPI 3.0, 3.1 or Swagger 2.0, JSON or YAML
    pub file: PathBuf,

    /// Name of the stage: the first segment of every path
    #[arg(long, value_name = "NAME", default_value = "dev", value_parser = parse_stage)]
    pub stage: String,

    /// A stage variable; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = parse_variable)]
    pub variables: Vec<(String, String)>,

    /// Raise a limit or turn it off, like payload=50MiB or integration-timeout=off; see
    /// `ringway limits`; may be repeated
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = parse_limit)]
    pub limits: Vec<String>,
}

impl StageArgs {
    /// The stage's variables; the last of one name counts.
    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        self.variables.iter().cloned().collect()
    }

    /// AWS's limits with what `--limit` changes.
    pub(super) fn limits(&self) -> Arc<Limits> {
        Arc::new(limits_from(&self.limits))
    }
}

/// AWS's limits with `assignments` applied, which [`parse_limit`] has checked.
pub(super) fn limits_from(assignments: &[String]) -> Limits {
    let mut limits = Limits::default();
    for assignment in assignments {
        limits.set(assignment).expect("clap has parsed it with `parse_limit`");
    }
    limits
}

/// Checks one `--limit`; it is applied later, in order.
pub(super) fn parse_limit(text: &str) -> Result<String, String> {
    Limits::default().set(text)?;
    Ok(text.to_owned())
}

/// AWS: letters, digits, hyphens and underscores, at most 128.
pub(super) fn parse_stage(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || text.len() > 128 || !text.chars().all(good) {
        return Err("a stage's name has 1 to 128 letters, digits, '-' and '_'".to_owned());
    }
    Ok(text.to_owned())
}

/// AWS: names of letters, digits and underscores.
pub(super) fn parse_variable(text: &str) -> Result<(String, String), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("write NAME=VALUE".to_owned());
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err("a variable's name has letters, digits and '_'; write NAME=VALUE".to_owned());
    }
    if value.chars().any(char::is_control) {
        return Err(format!("the value of '{name}' has a control character"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// The account's throttle, or none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AccountThrottle(pub Option<ThrottleSettings>);

/// Reads `RATE:BURST` or `off`.
pub(super) fn parse_account_throttle(text: &str) -> Result<AccountThrottle, String> {
    values::account_throttle(text).map(AccountThrottle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_and_bad_ones_refused() {
        for (text, want) in [
            ("host=example.com", Some(("host", "example.com"))),
            ("url=http://x/?a=b", Some(("url", "http://x/?a=b"))),
            ("empty=", Some(("empty", ""))),
            ("v_1=ü", Some(("v_1", "ü"))),
            ("host", None),
            ("=x", None),
            ("a-b=x", None),
            ("a=x\ny", None),
        ] {
            let got = parse_variable(text).ok();
            let got = got.as_ref().map(|(name, value)| (name.as_str(), value.as_str()));
            assert_eq!(got, want, "{text:?}");
        }
    }

    #[test]
    fn account_throttles_are_read_and_bad_ones_refused() {
        let some = |rate_limit, burst_limit| {
            Some(AccountThrottle(Some(ThrottleSettings { rate_limit, burst_limit })))
        };
        for (text, want) in [
            ("10000:5000", some(10_000.0, 5_000)),
            ("0.5:1", some(0.5, 1)),
            ("off", Some(AccountThrottle(None))),
            ("OFF", Some(AccountThrottle(None))),
            ("10000", None),
            ("0:5", None),
            ("-1:5", None),
            ("inf:5", None),
            ("nan:5", None),
            ("10:0", None),
            ("10:1.5", None),
            ("", None),
        ] {
            assert_eq!(parse_account_throttle(text).ok(), want, "{text:?}");
        }
    }

    #[test]
    fn stages_are_named_as_aws_names_them() {
        for (text, good) in
            [("dev", true), ("v1_2-x", true), ("", false), ("a/b", false), ("$default", false)]
        {
            assert_eq!(parse_stage(text).is_ok(), good, "{text:?}");
        }
    }

    #[test]
    fn limits_apply_in_order() {
        let limits = limits_from(&["url=1KiB".to_owned(), "url=off".to_owned()]);
        assert_eq!(limits.url_bytes, None);
        assert!(parse_limit("nonsense=1").is_err());
    }
}
