//! Security: what guards each method. Whatever AWS would enforce and Ringway does not yet is an error
//! besides, so that nobody opens an API by serving it.
//!
//! Source: facts, openapi section 10, aws-recorded section 18.

use super::super::{Node, Value};
use super::place::Place;
use super::report::{Keys, Use};
use super::{Dialect, Importer, names};
use crate::model::{AuthorizationType, Authorizer, MethodName};

use Use::{Documentation, Later, Read};

pub(super) const AUTHORIZER: &str = "x-amazon-apigateway-authorizer";
pub(super) const AUTHTYPE: &str = "x-amazon-apigateway-authtype";
const LATER: Use = Later(
    "authorizers are not carried out",
    "they come with a later release; methods that use one are errors until then",
);
const SCHEME: &Keys = &[
    ("type", Read),
    ("description", Documentation),
    ("name", Read),
    ("in", Read),
    ("scheme", Documentation),
    ("bearerFormat", Documentation),
    ("flows", Documentation),
    ("openIdConnectUrl", Documentation),
    ("oauth2MetadataUrl", Documentation),
    ("flow", Documentation),
    ("authorizationUrl", Documentation),
    ("tokenUrl", Documentation),
    ("scopes", Documentation),
    ("deprecated", Documentation),
    (AUTHORIZER, LATER),
    (AUTHTYPE, LATER),
];

/// Where AWS has this: a method without the authorizer that its type needs.
const NO_AUTHORIZER: &str = "Invalid authorizer ID specified. Setting the authorization type to CUSTOM \
     or COGNITO_USER_POOLS requires a valid authorizer.";

/// What `ringway run`, which keeps no keys, has to be told of a method that requires one.
pub const NO_KEYS_IN_RUN: &str = "'ringway run' has none, so these requests are answered 403: import the \
     document into 'ringway serve', which keeps keys and usage plans";

/// What guards a method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) authorization_type: AuthorizationType,
    pub(super) authorizer: Option<String>,
    pub(super) authorization_scopes: Vec<String>,
    pub(super) api_key_required: bool,
}

/// What AWS makes of a security scheme.
enum Enforced {
    Authorizer,
    Iam,
    ApiKey,
    Nothing,
}

impl<'a> Importer<'a> {
    fn schemes(&mut self) -> Option<Place<'a>> {
        let root = self.root.clone();
        match self.dialect {
            Dialect::Swagger2 => root.member("securityDefinitions"),
            Dialect::OpenApi3 => root.member("components")?.member("securitySchemes"),
        }
    }

    /// The security schemes by name, in the document's order, as far as they can be read.
    pub(super) fn all_schemes(&mut self) -> Vec<(String, Place<'a>)> {
        let Some(schemes) = self.schemes() else { return Vec::new() };
        let mut found = Vec::new();
        for (name, place) in schemes.members() {
            let place = place();
            let is_scheme =
                ["type", "$ref", AUTHORIZER].iter().any(|it| place.member(it).is_some());
            if !is_scheme || !matches!(place.node.value, Value::Map(_)) {
                continue;
            }
            // What is wrong with the reference has been said.
            if let Some(scheme) = self.resolve(&place) {
                found.push((name.to_owned(), scheme));
            }
        }
        found
    }

    /// Accounts for the keys of the security schemes.
    pub(super) fn security_schemes(&mut self) {
        let Some(schemes) = self.schemes() else { return };
        if !self.is_object(&schemes) {
            return;
        }
        for (name, place) in schemes.members() {
            let place = place();
            // Schemes are often named after their header: `x-api-key`.
            let scheme = ["type", "$ref", AUTHORIZER].iter().any(|it| place.member(it).is_some());
            if name.starts_with("x-") && !scheme {
                self.report.unknown_key(name, &place, "the list of security schemes", &[]);
            } else if self.is_object(&place)
                && let Some(scheme) = self.resolve(&place)
                && self.is_object(&scheme)
            {
                self.report.keys(&scheme, "a security scheme", SCHEME);
            }
        }
    }

    /// What guards an operation: its own `security`, or the document's, which AWS does not apply to
    /// ANY methods (facts, aws-recorded section 18); and `x-amazon-apigateway-auth`.
    pub(super) fn security(&mut self, operation: &Place<'a>, name: MethodName) -> Guard {
        let mut guard = Guard::default();
        // What is null is not there: it does not open the method.
        let own = operation.member("security").filter(|own| !self.is_null(own));
        match (own, self.root.clone().member("security")) {
            (Some(own), _) => self.requirements(&own, "this method", &mut guard),
            (None, Some(shared)) if name == MethodName::Any => {
                if !shared.node.items().is_empty() {
                    self.report.warning(
                        operation,
                        "the document's security does not apply to ANY methods: this one is open",
                        "AWS leaves it open too: write security into the method itself",
                    );
                }
            }
            (None, Some(shared)) => {
                let of = "every method without security of its own";
                self.requirements(&shared, of, &mut guard);
            }
            (None, None) => {}
        }
        let Some(auth) = self.object(operation, "x-amazon-apigateway-auth") else { return guard };
        self.report.keys(&auth, "x-amazon-apigateway-auth", &[("type", Read)]);
        if auth.member("type").is_none() {
            self.report.error(
                &auth,
                "x-amazon-apigateway-auth has no type",
                "write type: NONE or type: AWS_IAM",
            );
        }
        let kinds = [("NONE", false), ("AWS_IAM", true)];
        // NONE opens no method that `security` has closed.
        if self.choice(&auth, "type", &kinds) == Some(true) {
            self.not_enforced(&auth, "AWS_IAM authorization", "this method");
            guard.authorization_type = AuthorizationType::AwsIam;
            guard.authorizer = None;
            guard.authorization_scopes.clear();
        }
        guard
    }

    fn requirements(&mut self, list: &Place<'a>, of: &str, guard: &mut Guard) {
        if !self.is_list(list) {
            return;
        }
        for requirement in list.items() {
            // Not even null may open a method.
            if !matches!(requirement.node.value, Value::Map(_)) {
                self.wrong_kind(&requirement, "an object");
                continue;
            }
            for (name, place) in requirement.members() {
                self.requirement(name, &place(), of, guard);
            }
        }
    }

    fn requirement(&mut self, name: &str, place: &Place<'a>, of: &str, guard: &mut Guard) {
        let shown = names::shown(name);
        let schemes = self.schemes();
        let scheme = schemes.as_ref().and_then(|schemes| schemes.member(name));
        let Some(scheme) = scheme.filter(|scheme| scheme.node.value != Value::Null) else {
            let known = schemes.iter().flat_map(|it| it.members()).map(|(key, _)| key);
            let help = match names::meant(name, known) {
                Some(name) => format!("did you mean '{name}'?"),
                None => {
                    "define it under securitySchemes (Swagger: securityDefinitions), or remove \
                         the requirement"
                        .to_owned()
                }
            };
            let message = format!("there is no security scheme '{shown}'");
            return self.report.error(place, message, help);
        };
        let Some(scheme) = self.resolve(&scheme) else { return };
        match enforced(&scheme) {
            Enforced::Authorizer => {
                self.not_enforced(place, &format!("the authorizer '{shown}'"), of);
                self.guard_by_authorizer(name, place, guard);
            }
            Enforced::Iam => {
                self.not_enforced(place, &format!("AWS_IAM authorization ('{shown}')"), of);
                if guard.authorization_type == AuthorizationType::None {
                    guard.authorization_type = AuthorizationType::AwsIam;
                }
            }
            Enforced::ApiKey => {
                guard.api_key_required = true;
                self.report.warning(
                    place,
                    format!("the API key ('{shown}') closes {of} where there are no keys"),
                    NO_KEYS_IN_RUN,
                );
            }
            Enforced::Nothing => self.report.warning(
                place,
                format!("the security scheme '{shown}' enforces nothing"),
                "API Gateway needs x-amazon-apigateway-authorizer in the scheme, or an apiKey named \
                 x-api-key in the header; AWS leaves the method open too",
            ),
        }
    }

    /// A method has one authorizer: the first that is named. Which one AWS takes was not recorded.
    fn guard_by_authorizer(&mut self, name: &str, place: &Place<'a>, guard: &mut Guard) {
        let Some(Authorizer { kind, .. }) = self.authorizers.get(name) else {
            self.report.aws_error(NO_AUTHORIZER);
            return;
        };
        if guard.authorization_type != AuthorizationType::None {
            return;
        }
        guard.authorization_type = kind.authorization_type();
        guard.authorizer = Some(name.to_owned());
        if guard.authorization_type == AuthorizationType::CognitoUserPools {
            let scopes = place.node.items().iter().filter_map(Node::scalar);
            guard.authorization_scopes = scopes.map(str::to_owned).collect();
        }
    }

    fn not_enforced(&mut self, place: &Place<'_>, what: &str, of: &str) {
        self.report.ours(
            place,
            format!("{what} would not be enforced for {of}"),
            "authorizers come with a later release: until then check callers in the \
             integration or in front of the gateway, and remove the requirement to serve without it",
        );
    }
}

fn enforced(scheme: &Place<'_>) -> Enforced {
    let says = |key: &str, wanted: &str| {
        let member = scheme.node.member(key).and_then(|it| it.as_str());
        member.is_some_and(|text| text.eq_ignore_ascii_case(wanted))
    };
    if scheme.node.member(AUTHORIZER).is_some() {
        return Enforced::Authorizer;
    }
    match scheme.node.member(AUTHTYPE) {
        Some(kind) => {
            let kind = kind.as_str().unwrap_or_default();
            // AWS reserves names that begin with `aws`: awsSigv4.
            let iam = kind.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("aws"));
            if iam { Enforced::Iam } else { Enforced::Authorizer }
        }
        // Wherever it says the key is: who writes this means to close the method.
        None if says("type", "apiKey") && says("name", "x-api-key") => Enforced::ApiKey,
        None => Enforced::Nothing,
    }
}
