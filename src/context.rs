//! Names of `$context` variables, shared by access-log formats, gateway-response templates and
//! parameter mappings. What a name is worth for one request is `gateway::context`'s business.
//!
//! Source: developer guide, "Variables for access logging" and "$context variables for models and
//! mapping templates".

macro_rules! context_variables {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// A `$context` variable of REST APIs, by name.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum ContextVariable { $($(#[$doc])* $variant),* }

        impl ContextVariable {
            /// Every variable, in the order of the developer guide.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Finds the variable by the part of its name after `$context.`; `None` if there is none.
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// The part of its name after `$context.`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

context_variables! {
    /// Owner's account, always `123456789012` until configured.
    AccountId = "accountId",
    /// The API's id.
    ApiId = "apiId",
    /// The stage's name.
    Stage = "stage",
    /// The deployment's id.
    DeploymentId = "deploymentId",
    /// UUID; `x-amzn-RequestId`.
    RequestId = "requestId",
    /// `x-amz-apigw-id`.
    ExtendedRequestId = "extendedRequestId",
    /// Request id of the AWS backend.
    AwsEndpointRequestId = "awsEndpointRequestId",
    /// Method of the request.
    HttpMethod = "httpMethod",
    /// Path with the stage.
    Path = "path",
    /// `HTTP/1.1`.
    Protocol = "protocol",
    /// Resource's id.
    ResourceId = "resourceId",
    /// Resource's pattern, `/pets/{id}`.
    ResourcePath = "resourcePath",
    /// `04/Mar/2020:19:15:17 +0000`.
    RequestTime = "requestTime",
    /// Milliseconds since 1970.
    RequestTimeEpoch = "requestTimeEpoch",
    /// `Host` without port.
    DomainName = "domainName",
    /// First label of `Host`.
    DomainPrefix = "domainPrefix",
    /// Method's `operationName`.
    OperationName = "operationName",
    /// `true` or `false` on a stage with a canary.
    IsCanaryRequest = "isCanaryRequest",
    /// The client's address.
    IdentitySourceIp = "identity.sourceIp",
    /// `User-Agent`.
    IdentityUserAgent = "identity.userAgent",
    /// The caller's API key.
    IdentityApiKey = "identity.apiKey",
    /// The caller's API key's id.
    IdentityApiKeyId = "identity.apiKeyId",
    /// The caller's account.
    IdentityAccountId = "identity.accountId",
    /// The caller's access key.
    IdentityAccessKey = "identity.accessKey",
    /// The caller's principal.
    IdentityCaller = "identity.caller",
    /// The caller's user.
    IdentityUser = "identity.user",
    /// The caller's ARN.
    IdentityUserArn = "identity.userArn",
    /// The caller's organisation.
    IdentityPrincipalOrgId = "identity.principalOrgId",
    /// Cognito identity.
    IdentityCognitoIdentityId = "identity.cognitoIdentityId",
    /// Cognito identity pool.
    IdentityCognitoIdentityPoolId = "identity.cognitoIdentityPoolId",
    /// Cognito authentication type.
    IdentityCognitoAuthenticationType = "identity.cognitoAuthenticationType",
    /// Cognito authentication provider.
    IdentityCognitoAuthenticationProvider = "identity.cognitoAuthenticationProvider",
    /// VPC of a private call.
    IdentityVpcId = "identity.vpcId",
    /// VPC endpoint of a private call.
    IdentityVpceId = "identity.vpceId",
    /// Lambda authorizer's principal.
    AuthorizerPrincipalId = "authorizer.principalId",
    /// Error message of a gateway response.
    ErrorMessage = "error.message",
    /// Error message as a quoted JSON string.
    ErrorMessageString = "error.messageString",
    /// Type of the gateway response.
    ErrorResponseType = "error.responseType",
    /// What exactly did not validate.
    ErrorValidationErrorString = "error.validationErrorString",
    /// WAF's decision.
    WafResponseCode = "wafResponseCode",
    /// WAF's list.
    WebaclArn = "webaclArn",
    /// Latency of the whole request, milliseconds.
    ResponseLatency = "responseLatency",
    /// Bytes of the answer's body.
    ResponseLength = "responseLength",
    /// Status of the answer.
    Status = "status",
    /// Integration's error message.
    IntegrationError = "integration.error",
    /// Same as `integration.error`.
    IntegrationErrorMessage = "integrationErrorMessage",
    /// Latency of the integration, milliseconds.
    IntegrationLatency = "integration.latency",
    /// Same as `integration.latency`.
    IntegrationLatencyOld = "integrationLatency",
    /// Status of the integration's answer.
    IntegrationStatus = "integration.status",
    /// Status of the call to the integration.
    IntegrationIntegrationStatus = "integration.integrationStatus",
    /// Same as `integration.integrationStatus`.
    IntegrationStatusOld = "integrationStatus",
    /// Request id the integration answered.
    IntegrationRequestId = "integration.requestId",
    /// Trace id.
    XrayTraceId = "xrayTraceId",
    /// Base path of a custom domain that matched.
    CustomDomainBasePathMatched = "customDomain.basePathMatched",
    /// Type of the endpoint: `REGIONAL`.
    EndpointType = "endpointType",
    /// TLS version of the client's connection.
    TlsVersion = "tlsVersion",
    /// TLS cipher suite of the client's connection.
    CipherSuite = "cipherSuite",
}

impl ContextVariable {
    /// Whether it is made here, of letters, digits and `-_.:+/= ` only, whatever a client, an API or a
    /// backend says: it stands in a log as it is.
    #[inline]
    pub fn is_plain(self) -> bool {
        matches!(
            self,
            Self::RequestId
                | Self::ExtendedRequestId
                | Self::Protocol
                | Self::RequestTime
                | Self::RequestTimeEpoch
                | Self::IdentitySourceIp
                | Self::Status
                | Self::ResponseLatency
                | Self::ResponseLength
                | Self::IntegrationLatency
                | Self::IntegrationLatencyOld
                | Self::IntegrationStatus
                | Self::IntegrationIntegrationStatus
                | Self::IntegrationStatusOld
                | Self::EndpointType
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_found_by_its_name() {
        for &variable in ContextVariable::ALL {
            assert_eq!(ContextVariable::named(variable.name()), Some(variable));
        }
        assert_eq!(ContextVariable::named("requestid"), None, "names are case-sensitive");
    }
}
