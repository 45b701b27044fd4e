//! Who may call a method: authorization types, authorizers, where API keys come from.

use super::Pointer;

/// Where the key of a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum ApiKeySource {
    /// The header `x-api-key`.
    #[default]
    Header,
    /// `usageIdentifierKey` of the authorizer's answer.
    Authorizer,
}

named!(ApiKeySource: Header = "HEADER", Authorizer = "AUTHORIZER");

/// How callers of a method are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AuthorizationType {
    /// Not at all.
    #[default]
    None,
    /// By the signature of the request.
    AwsIam,
    /// By a Lambda authorizer, TOKEN or REQUEST.
    Custom,
    /// By a Cognito authorizer's tokens. Methods with a JWT authorizer have it too (unverified: the
    /// facts name no other type that carries scopes).
    CognitoUserPools,
}

named!(AuthorizationType:
    None = "NONE",
    AwsIam = "AWS_IAM",
    Custom = "CUSTOM",
    CognitoUserPools = "COGNITO_USER_POOLS",
);

/// Kind of an authorizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AuthorizerType {
    /// A Lambda function that gets one token.
    #[default]
    Token,
    /// A Lambda function that gets the request.
    Request,
    /// Tokens of Cognito user pools.
    CognitoUserPools,
    /// Tokens of any issuer (2026).
    Jwt,
}

named!(AuthorizerType:
    Token = "TOKEN",
    Request = "REQUEST",
    CognitoUserPools = "COGNITO_USER_POOLS",
    Jwt = "JWT",
);

impl AuthorizerType {
    /// The type of the methods that use one.
    pub fn authorization_type(self) -> AuthorizationType {
        match self {
            Self::Token | Self::Request => AuthorizationType::Custom,
            Self::CognitoUserPools | Self::Jwt => AuthorizationType::CognitoUserPools,
        }
    }
}

/// An authorizer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Authorizer {
    /// Six lower-case letters and digits; `None` while nobody has given it one.
    pub id: Option<String>,
    /// Its kind.
    pub kind: AuthorizerType,
    /// ARNs of the user pools.
    pub provider_arns: Vec<String>,
    /// `x-amazon-apigateway-authtype`: free text, like `custom` or `oauth2`.
    pub auth_type: Option<String>,
    /// The function's invocation ARN.
    pub authorizer_uri: Option<String>,
    /// The role that may invoke it.
    pub authorizer_credentials: Option<String>,
    /// `method.request.header.X`, or a comma-separated list of sources.
    pub identity_source: Option<String>,
    /// Java regex over the whole token.
    pub identity_validation_expression: Option<String>,
    /// How long an answer is kept, seconds, 0 to 3600; `None`: 300.
    pub result_ttl_seconds: Option<u32>,
    /// `jwtConfiguration` as it was given.
    pub jwt_configuration: Option<serde_json::Value>,
    /// Where it stands.
    pub pointer: Pointer,
}
