//! Step 4, authorize: is the caller allowed to?
//!
//! Authorizers, IAM and resource policies are not carried out yet. A method that is protected by one of
//! them is closed to everybody: what its owner has locked is not served open.
//!
//! In: the method. Out: `Ok(())` or [`GatewayError::NotAuthorized`]. Cost: one load.
//! Source: facts, rest-api section 1; gateway response ACCESS_DENIED.

use super::error::GatewayError;
use crate::deploy::CompiledMethod;

/// Lets a request to an open method through.
///
/// # Errors
/// [`GatewayError::NotAuthorized`].
#[inline]
pub fn check(method: &CompiledMethod) -> Result<(), GatewayError> {
    if method.is_closed { Err(GatewayError::NotAuthorized) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::context::testing::Api;
    use super::*;
    use crate::model::AuthorizationType;

    #[test]
    fn what_an_owner_has_locked_is_closed() {
        let mut api = Api::new().mock("GET", "/open").mock("GET", "/locked");
        api.method("/locked", "GET").authorization_type = AuthorizationType::AwsIam;
        let stage = api.stage();
        let of = |path: &str| stage.methods.iter().find(|it| &*it.resource_path == path).unwrap();
        assert_eq!(check(of("/open")), Ok(()));
        assert_eq!(check(of("/locked")), Err(GatewayError::NotAuthorized));
        for (policy, closed) in [
            (
                serde_json::json!({"Statement": [{"Effect": "Allow", "Principal": "*",
                "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}]}),
                false,
            ),
            (
                serde_json::json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"},
                "Action": ["execute-api:*"], "Resource": ["arn:aws:execute-api:us-east-1:1:a/*"]}}),
                false,
            ),
            (
                serde_json::json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*",
                "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]}),
                true,
            ),
            (
                serde_json::json!({"Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*/private"}]}),
                true,
            ),
            (
                serde_json::json!({"Statement": [{"Effect": "Allow", "Principal": "*",
                "Action": "execute-api:Invoke", "Resource": "execute-api:/dev/GET/pets"}]}),
                true,
            ),
            (
                serde_json::json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"},
                "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}]}),
                true,
            ),
            (serde_json::json!({}), true),
        ] {
            let mut api = Api::new().mock("GET", "/open");
            api.model.policy = Some(policy.clone());
            assert_eq!(api.stage().methods[0].is_closed, closed, "{policy}");
        }
    }
}
