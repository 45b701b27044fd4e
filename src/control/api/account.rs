//! Account: settings of everything together.
//!
//! Source: facts, control-plane section 5, aws-recorded section 16.

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::objects::{objects, wire};
use super::patch::Op;
use super::usage_plans::ThrottleSettings;

/// There is one account.
const ID: &str = "account";
/// Requests a second and at once. Source: facts, stages-canary-cache-throttle section 9.
const RATE: f64 = 10_000.0;
const BURST: i64 = 5_000;

wire! {
    /// The account, of which only the role can be changed.
    Account {
        cloudwatch_role_arn: Option<String>,
        throttle_settings: ThrottleSettings,
        features: Vec<String>,
        api_key_version: String,
    }
}

objects! {
    Account: "account";
}

pub(super) fn get_account(context: &mut Context<'_>, _: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(&account(context)?))
}

pub(super) fn update_account(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut account = account(context)?;
    for patch in call.patches()? {
        match (patch.op, patch.path()) {
            (Op::Replace, "/cloudwatchRoleArn") => {
                let role = patch.value.clone().filter(|role| !role.is_empty());
                if role.as_ref().is_some_and(|role| !role.starts_with("arn:")) {
                    return Err(ApiError::bad_request("Invalid ARN specified in the request"));
                }
                account.cloudwatch_role_arn = role;
            }
            (Op::Replace, _) => return Err(patch.not_one_of(&["/cloudwatchRoleArn"])),
            (Op::Add | Op::Remove, "/features") if patch.value() != "UsagePlans" => {
                return Err(ApiError::bad_request(
                    "Invalid feature specified. Valid options are UsagePlans",
                ));
            }
            // Every account has it.
            (Op::Add, "/features") => {}
            (Op::Remove, "/features") => {
                return Err(ApiError::bad_request("Usage Plans cannot be disabled once enabled"));
            }
            (Op::Add | Op::Remove, _) => return Err(patch.not_one_of(&["/features"])),
            (Op::Move | Op::Copy | Op::Test, _) => return Err(patch.not_supported()),
        }
    }
    context.put(&[ID], &account)?;
    Ok(Reply::json(&account))
}

fn account(context: &Context<'_>) -> Result<Account, ApiError> {
    let kept = context.get::<Account>(&[ID])?.unwrap_or_default();
    Ok(Account {
        cloudwatch_role_arn: kept.cloudwatch_role_arn,
        throttle_settings: ThrottleSettings { burst_limit: Some(BURST), rate_limit: Some(RATE) },
        features: vec!["UsagePlans".to_owned()],
        api_key_version: "4".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::Plane;

    #[test]
    fn the_account_has_a_role_and_nothing_else_to_change() {
        let mut plane = Plane::new();
        let mut want = json!({
            "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
            "features": ["UsagePlans"], "apiKeyVersion": "4",
        });
        assert_eq!(plane.ok("GET", "/account", Value::Null), want);
        let role = "arn:aws:iam::123456789012:role/logs";
        want["cloudwatchRoleArn"] = json!(role);
        assert_eq!(plane.patch("/account", "replace", "/cloudwatchRoleArn", role).unwrap(), want);
        assert_eq!(plane.patch("/account", "add", "/features", "UsagePlans").unwrap(), want);
        assert_eq!(plane.ok("GET", "/account", Value::Null), want);
        for (op, path, value, message) in [
            (
                "replace",
                "/throttleSettings/rateLimit",
                "1",
                "Invalid patch path  '/throttleSettings/rateLimit' specified for op 'replace'. Must be one of: [/cloudwatchRoleArn]",
            ),
            ("replace", "/cloudwatchRoleArn", "role", "Invalid ARN specified in the request"),
            (
                "add",
                "/cloudwatchRoleArn",
                role,
                "Invalid patch path  '/cloudwatchRoleArn' specified for op 'add'. Must be one of: [/features]",
            ),
            ("remove", "/features", "UsagePlans", "Usage Plans cannot be disabled once enabled"),
            ("add", "/features", "x", "Invalid feature specified. Valid options are UsagePlans"),
            (
                "test",
                "/features",
                "x",
                "Invalid patch path  '/features' specified for op 'test'. Please choose supported operations",
            ),
        ] {
            assert_eq!(plane.patch("/account", op, path, value).unwrap_err().message, message);
        }
        // How Terraform and CloudFormation take the role away.
        let account = plane.patch("/account", "replace", "/cloudwatchRoleArn", "").unwrap();
        assert_eq!(account.get("cloudwatchRoleArn"), None);
    }
}
