//! The canary of a stage that a call sets.

use serde_json::{Map, Value, json};

use super::apis::Canary;

/// Reads the share of requests: a number from 0 to 100, with or without `%`.
pub(super) fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse::<f64>().ok();
    number
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| format!("'{text}' is no percentage from 0 to 100"))
}

/// Settings of the canary that a deployment goes to, for CreateDeployment: a new one with `percent`, or
/// the `running` one, which keeps what is not said anew. Variables go over those it has. `None`: the
/// deployment is the stage's own.
pub(super) fn settings(
    percent: Option<f64>,
    running: Option<&Canary>,
    variables: &[(String, String)],
) -> Option<Value> {
    let percent = percent.or_else(|| running.map(|it| it.percent))?;
    let mut overrides = running.map(overrides).unwrap_or_default();
    overrides.extend(variables.iter().map(|(name, value)| (name.clone(), json!(value))));
    let stage_cache = running.and_then(|it| it.settings.get("useStageCache")).cloned();
    let mut settings = json!({ "percentTraffic": percent });
    if let Some(stage_cache) = stage_cache {
        settings["useStageCache"] = stage_cache;
    }
    if !overrides.is_empty() {
        settings["stageVariableOverrides"] = Value::Object(overrides);
    }
    Some(settings)
}

/// Variables that the canary's requests have otherwise than the stage's.
pub(super) fn overrides(canary: &Canary) -> Map<String, Value> {
    let overrides = canary.settings.get("stageVariableOverrides").and_then(Value::as_object);
    overrides.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read() {
        for (text, want) in
            [("10", Some(10.0)), ("0.5%", Some(0.5)), ("100", Some(100.0)), ("0", Some(0.0))]
        {
            assert_eq!(parse_percent(text).ok(), want, "{text}");
        }
        for text in ["", "%", "-1", "100.1", "nan", "inf", "ten"] {
            assert!(parse_percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_running_canary_keeps_what_is_not_said_anew() {
        let running = Canary {
            percent: 10.0,
            deployment: "d".to_owned(),
            settings: json!({
                "percentTraffic": 10.0, "deploymentId": "d", "useStageCache": true,
                "stageVariableOverrides": {"a": "1", "b": "2"},
            }),
        };
        let variables = [("b".to_owned(), "3".to_owned())];
        assert_eq!(settings(None, None, &variables), None);
        assert_eq!(
            settings(Some(5.0), None, &variables).unwrap(),
            json!({"percentTraffic": 5.0, "stageVariableOverrides": {"b": "3"}})
        );
        assert_eq!(
            settings(None, Some(&running), &variables).unwrap(),
            json!({
                "percentTraffic": 10.0, "useStageCache": true,
                "stageVariableOverrides": {"a": "1", "b": "3"},
            })
        );
        assert_eq!(settings(Some(50.0), Some(&running), &[]).unwrap()["percentTraffic"], 50.0);
    }
}
