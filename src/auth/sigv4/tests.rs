//! Signatures of others verified, and ours compared with theirs.

mod changed;
mod refused;

use std::sync::LazyLock;

use serde::Deserialize;

use super::*;
use crate::auth::{Credential, Secret, StaticCredentials};

/// A request that somebody signed.
#[derive(Clone, Debug, Deserialize)]
struct Case {
    service: String,
    region: String,
    /// Seconds since 1970.
    time: u64,
    key: (String, String, Option<String>),
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
    expires: Option<u64>,
}

impl Case {
    fn body(&self) -> Vec<u8> {
        let digits = self.body.as_bytes().chunks(2);
        digits.map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
    }

    fn credential(&self) -> Credential {
        let (id, secret, token) = self.key.clone();
        let mut credential = Credential::new(id, Secret::new(secret));
        credential.session_token = token.map(Secret::new);
        credential
    }

    fn verifier(&self) -> Verifier {
        let verifier = Verifier::new(&self.service, &self.region);
        match self.service.as_str() {
            "s3" => verifier.with_unsigned_payload(UnsignedPayload::Presigned),
            _ => verifier,
        }
    }

    fn wire(&self) -> Wire {
        let headers = self.headers.iter();
        Wire {
            method: self.method.clone(),
            path: self.path.clone().into_bytes(),
            query: self.query.clone().into_bytes(),
            headers: headers
                .map(|(name, value)| (name.clone().into(), value.clone().into()))
                .collect(),
            body: self.body(),
        }
    }

    fn verify(&self, wire: &Wire, after_seconds: u64) -> Result<Identity, AuthError> {
        let keys: StaticCredentials = [self.credential()].into_iter().collect();
        let now = WallMillis((self.time + after_seconds) * 1_000);
        self.verifier().explaining().verify(&wire.request(), &keys, now)
    }
}

/// A request that owns its bytes and may be changed.
#[derive(Clone, Debug, PartialEq)]
struct Wire {
    method: String,
    path: Vec<u8>,
    query: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
}

impl Wire {
    fn request(&self) -> Request<'_> {
        let headers = self.headers.iter().map(|(name, value)| (name, value));
        Request::new(&self.method, &self.path, &self.query, headers, Payload::Bytes(&self.body))
    }

    fn header(&mut self, name: &str) -> &mut Vec<u8> {
        let mut headers = self.headers.iter_mut();
        let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
        &mut found.unwrap_or_else(|| panic!("a header {name}")).1
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name.as_bytes()));
        self
    }
}

/// What botocore has signed: `tests/data/sigv4/generate.py`.
static BOTOCORE: LazyLock<Vec<Case>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<Case>,
    }
    let text = include_str!("../../../tests/data/sigv4/cases.json");
    serde_json::from_str::<File>(text).unwrap().cases
});

#[test]
fn requests_that_botocore_signed_are_accepted_until_their_time_is_over() {
    for (index, case) in BOTOCORE.iter().enumerate() {
        let wire = case.wire();
        let identity = case.verify(&wire, 0).unwrap_or_else(|error| panic!("{index}: {error}"));
        assert_eq!(identity.access_key_id, case.key.0);
        assert_eq!(identity.signed_at, WallMillis(case.time * 1_000));
        assert_eq!(identity.is_presigned, case.expires.is_some());
        let lives = case.expires.unwrap_or(300);
        case.verify(&wire, lives).unwrap();
        let error = case.verify(&wire, lives + 1).unwrap_err();
        assert!(error.message().starts_with("Signature expired: 20"), "{error}");
    }
    assert!(BOTOCORE.len() >= 300);
}

#[test]
fn we_sign_as_botocore_does() {
    let mut signed = 0;
    for case in BOTOCORE.iter().filter(|case| case.expires.is_none()) {
        let theirs = case.wire();
        // Ours has no other date than its own.
        if !theirs.headers.iter().any(|(name, _)| name == b"X-Amz-Date") {
            continue;
        }
        let mut bare = theirs.clone().without("authorization").without("x-amz-date");
        bare = bare.without("x-amz-security-token");
        let now = WallMillis(case.time * 1_000);
        let added = sign(&case.credential(), &case.region, &case.service, &bare.request(), now);
        let mut ours = bare.clone();
        ours.headers.extend(
            added.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())),
        );
        let want = theirs.clone().header("authorization").clone();
        assert_eq!(
            String::from_utf8_lossy(ours.header("authorization")),
            String::from_utf8_lossy(&want)
        );
        case.verify(&ours, 0).unwrap();
        signed += 1;
    }
    assert!(signed > 100, "{signed}");
}

/// AWS's published test suite ("aws-sig-v4-test-suite"), those cases that no service's rules change.
#[test]
fn signatures_are_those_of_awss_test_suite() {
    const UNRESERVED: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let unreserved = format!("{UNRESERVED}={UNRESERVED}");
    type Headers = &'static [(&'static str, &'static str)];
    let suite: [(&str, &str, &str, Headers, &str, &str); 11] = [
        (
            "get-vanilla",
            "GET",
            "",
            &[],
            "",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-vanilla-query-order-key-case",
            "GET",
            "Param2=value2&Param1=value1",
            &[],
            "",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-query-unreserved",
            "GET",
            &unreserved,
            &[],
            "",
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ),
        (
            "get-vanilla-utf8-query",
            "GET",
            "ሴ=bar",
            &[],
            "",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "get-header-value-trim",
            "GET",
            "",
            &[("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            "",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "get-header-value-order",
            "GET",
            "",
            &[
                ("My-Header1", "value4"),
                ("My-Header1", "value1"),
                ("My-Header1", "value3"),
                ("My-Header1", "value2"),
            ],
            "",
            "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        ),
        (
            "post-vanilla",
            "POST",
            "",
            &[],
            "",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-vanilla-query",
            "POST",
            "Param1=value1",
            &[],
            "",
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
        (
            "post-header-key-sort",
            "POST",
            "",
            &[("My-Header1", "value1")],
            "",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "post-header-value-case",
            "POST",
            "",
            &[("My-Header1", "VALUE1")],
            "",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
        (
            "post-x-www-form-urlencoded",
            "POST",
            "",
            &[("Content-Type", "application/x-www-form-urlencoded")],
            "Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ];
    let credential =
        Credential::new("AKIDEXAMPLE", Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
    for (name, method, query, headers, body, want) in suite {
        let mut all = vec![("Host", "example.amazonaws.com")];
        all.extend_from_slice(headers);
        let request =
            Request::new(method, b"/", query.as_bytes(), all, Payload::Bytes(body.as_bytes()));
        let now = WallMillis(1_440_938_160_000);
        let added = sign(&credential, "us-east-1", "service", &request, now);
        assert_eq!(added[0], ("X-Amz-Date", "20150830T123600Z".to_owned()), "{name}");
        let (_, authorization) = added.last().unwrap();
        assert!(authorization.ends_with(&format!("Signature={want}")), "{name}: {authorization}");
    }
}

/// Our own requests, easier to change than others'.
fn ours(token: Option<&str>) -> Case {
    let mut case = Case {
        service: "apigateway".into(),
        region: "us-east-1".into(),
        time: 1_440_938_160,
        key: ("AKIDEXAMPLE".into(), "wJalrXUtnFEMI".into(), token.map(Into::into)),
        method: "POST".into(),
        path: "/restapis".into(),
        query: "mode=import&x=%20".into(),
        headers: vec![("Host".into(), "h:9080".into()), ("X-A".into(), "a  b".into())],
        body: "7b7d".into(),
        expires: None,
    };
    let now = WallMillis(case.time * 1_000);
    let added = sign(&case.credential(), "us-east-1", "apigateway", &case.wire().request(), now);
    case.headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    case
}

fn presigned() -> Case {
    let case = BOTOCORE.iter().find(|case| {
        case.expires == Some(3_600) && case.service == "apigateway" && case.key.2.is_some()
    });
    case.unwrap().clone()
}
