//! Everything that is refused, in AWS's words.

use super::*;

#[track_caller]
fn refused(case: &Case, wire: &Wire, error_type: &str, says: &str) {
    let error = case.verify(wire, 0).unwrap_err();
    assert_eq!((error.status(), error.error_type()), (403, error_type), "{error}");
    if says.ends_with('…') {
        let says = says.trim_end_matches('…');
        assert!(error.message().starts_with(says), "{error}\nwant {says}");
    } else {
        assert_eq!(error.message(), says);
    }
}

#[test]
fn headers_that_are_no_signature_are_refused_in_awss_words() {
    let case = ours(None);
    let (missing, incomplete) =
        ("MissingAuthenticationTokenException", "IncompleteSignatureException");
    refused(&case, &case.wire().without("authorization"), missing, "Missing Authentication Token");
    let required = "Authorization header requires 'Credential' parameter. Authorization header \
                    requires 'Signature' parameter. Authorization header requires 'SignedHeaders' \
                    parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=…";
    let unequal = "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with \
                   SHA-256 and encoded with Base64): '…";
    for (authorization, error_type, says) in [
        ("", missing, "Missing Authentication Token"),
        ("  ", missing, "Missing Authentication Token"),
        (
            "Bearer x",
            incomplete,
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with \
             SHA-256 and encoded with Base64): 'uTem/WB082UJMN2ajD6lH6UChGpTAddMJSx2iu923No='.",
        ),
        ("Basic dXNlcjpwdw==", incomplete, required),
        ("AWS4-HMAC-SHA256", incomplete, required),
        ("AWS4-HMAC-SHA256 Credential=, Signature=,", incomplete, required),
        ("AWS4-HMAC-SHA256 Credential= a/b/c/d/e, Signature=x", incomplete, unequal),
        ("Authorization: AWS4-HMAC-SHA256 Credential=a", incomplete, unequal),
        (
            "x-api-key=1XV",
            incomplete,
            "Authorization header must begin with the algorithm name, which cannot include an \
             equal-sign",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a,Credential=b",
            incomplete,
            "Authorization header requires one 'Credential' parameter. …",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=0",
            "InvalidSignatureException",
            "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=x-amz-date, Signature=0",
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "AWS4-HMAC-SHA512 Credential=a, SignedHeaders=host;x-amz-date, Signature=0",
            incomplete,
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512' (only AWS4-HMAC-SHA256 for now). ",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host;x-amz-date, Signature=0",
            incomplete,
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got 'a/b/c/d'",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host;x-amz-date, Signature=0",
            "InvalidSignatureException",
            "Credential should be scoped to a valid region. Credential should be scoped to correct \
             service: 'apigateway'. Credential should be scoped with a valid terminator: \
             'aws4_request', not 'e'. Date in Credential scope does not match YYYYMMDD from \
             ISO-8601 version of date from HTTP: 'b' != '20150830', from '20150830T123600Z'.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20150830/us-east-1/execute-api/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=0",
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'apigateway'. ",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20150830/us-east-1/apigateway/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=0",
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
    ] {
        let mut wire = case.wire();
        *wire.header("authorization") = authorization.as_bytes().to_vec();
        refused(&case, &wire, error_type, says);
    }
    let mut twice = case.wire();
    let authorization = twice.header("authorization").clone();
    twice.headers.push((b"authorization".to_vec(), authorization));
    refused(&case, &twice, incomplete, unequal);
    let mut both = case.wire();
    both.query = b"X-Amz-Algorithm=AWS4-HMAC-SHA256".to_vec();
    refused(
        &case,
        &both,
        "InvalidSignatureException",
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    );
}

#[test]
fn dates_are_required_and_have_their_form() {
    let case = ours(None);
    let incomplete = "IncompleteSignatureException";
    let mut bearer = case.wire().without("x-amz-date");
    refused(
        &case,
        &bearer,
        incomplete,
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. …",
    );
    *bearer.header("authorization") = b"x".to_vec();
    refused(
        &case,
        &bearer,
        incomplete,
        "Authorization header requires 'Credential' parameter. Authorization header requires \
         'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. \
         Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
         (Hashed with SHA-256 and encoded with Base64) \
         Authorization=LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=",
    );
    for date in ["2015-08-30T12:36:00Z", "Sun, 30 Aug 2015 12:36:00 GMT", "1440938160"] {
        let mut wire = case.wire();
        *wire.header("x-amz-date") = date.as_bytes().to_vec();
        let says = format!(
            "Date must be in ISO-8601 'basic format'. Got '{date}'. See \
             http://en.wikipedia.org/wiki/ISO_8601"
        );
        refused(&case, &wire, incomplete, &says);
    }
    let mut wire = case.wire();
    wire.headers.push((b"x-amz-date".to_vec(), b"20150830T123600Z".to_vec()));
    refused(
        &case,
        &wire,
        incomplete,
        "Date must be in ISO-8601 'basic format'. Got '20150830T123600Z,…",
    );
}

#[test]
fn a_clock_may_be_off_by_five_minutes() {
    let case = ours(None);
    let keys: StaticCredentials = [case.credential()].into_iter().collect();
    let wire = case.wire();
    let at = |now| case.verifier().verify(&wire.request(), &keys, WallMillis(now));
    let signed = case.time * 1_000;
    for off in [0, 299_999, 300_000] {
        assert!(at(signed + off).is_ok() && at(signed - off).is_ok(), "{off}");
    }
    for (now, says) in [
        (
            signed + 301_000,
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z \
             (20150830T124101Z - 5 min.)",
        ),
        (
            signed - 301_000,
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \
             (20150830T123059Z + 5 min.)",
        ),
        (
            0,
            "Signature not yet current: 20150830T123600Z is still later than 19700101T000500Z \
             (19700101T000000Z + 5 min.)",
        ),
    ] {
        let error = at(now).unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::InvalidSignature);
        assert_eq!(error.message(), says);
    }
    assert!(at(u64::MAX).is_err());
    let lenient = case.verifier().with_clock_skew(Duration::from_secs(3_600));
    assert!(lenient.verify(&wire.request(), &keys, WallMillis(signed + 3_600_000)).is_ok());
}

#[test]
fn a_wrong_signature_is_explained_as_aws_does() {
    let mut case = ours(None);
    let wire = case.wire();
    case.key.1 = "another secret".into();
    let short = "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.";
    let body_hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let error = case.verify(&wire, 0).unwrap_err();
    let canonical = format!(
        "POST\n/restapis\nmode=import&x=%20\nhost:h:9080\nx-a:a b\nx-amz-date:20150830T123600Z\n\n\
         host;x-a;x-amz-date\n{body_hash}"
    );
    let begin = format!(
        "{short}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\nThe \
         String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20150830T123600Z\n\
         20150830/us-east-1/apigateway/aws4_request\n"
    );
    assert!(error.message().starts_with(&begin), "{}", error.message());
    assert!(error.message().ends_with("'\n"));
    let keys: StaticCredentials = [case.credential()].into_iter().collect();
    let now = WallMillis(case.time * 1_000);
    let error = case.verifier().verify(&wire.request(), &keys, now).unwrap_err();
    assert_eq!(error.message(), short);
    let mut long = wire.clone();
    *long.header("x-a") = vec![b'x'; EXPLAINED_BYTES_MAX];
    assert_eq!(case.verify(&long, 0).unwrap_err().message(), short);
}

#[test]
fn session_tokens_have_to_be_the_right_ones() {
    let (unrecognized, invalid) =
        ("UnrecognizedClientException", "The security token included in the request is invalid.");
    let case = ours(Some("the token"));
    case.verify(&case.wire(), 0).unwrap();

    let mut other = case.clone();
    other.key.2 = Some("the tokem".into());
    refused(&other, &case.wire(), unrecognized, invalid);
    other.key.2 = None;
    refused(&other, &case.wire(), unrecognized, invalid);
    let mut without = ours(None);
    without.key.2 = Some("the token".into());
    refused(&without, &without.wire(), unrecognized, invalid);

    let mut changed = case.wire();
    *changed.header("x-amz-security-token") = b"the tokem".to_vec();
    refused(&case, &changed, "InvalidSignatureException", "The request signature we…");

    let mut credential = case.credential();
    let now = WallMillis(case.time * 1_000);
    credential.expires_at = Some(now);
    let keys: StaticCredentials = [credential].into_iter().collect();
    let wire = case.wire();
    let error = case.verifier().verify(&wire.request(), &keys, now).unwrap_err();
    assert_eq!(error.error_type(), "ExpiredTokenException");
    assert_eq!(error.message(), "The security token included in the request is expired");
    assert!(case.verifier().verify(&wire.request(), &keys, WallMillis(now.0 - 1)).is_ok());
}

#[test]
fn headers_of_aws_have_to_be_signed_but_for_a_cdns() {
    let case = ours(None);
    let mut wire = case.wire();
    wire.headers.push((b"X-Amz-Cf-Id".to_vec(), b"1".to_vec()));
    wire.headers.push((b"X-Amzn-Trace-Id".to_vec(), b"1".to_vec()));
    wire.headers.push((b"Via".to_vec(), b"1".to_vec()));
    case.verify(&wire, 0).unwrap();
    wire.headers.push((b"X-AMZ-Target".to_vec(), b"1".to_vec()));
    refused(
        &case,
        &wire,
        "InvalidSignatureException",
        "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    );
    // A signed header that was removed on the way.
    refused(
        &case,
        &case.wire().without("x-a"),
        "InvalidSignatureException",
        "The request signature…",
    );
}

#[test]
fn presigned_urls_are_complete_and_unambiguous() {
    let case = presigned();
    let incomplete = "IncompleteSignatureException";
    let wire = case.wire();
    let with = |from: &str, to: &str| {
        let query = String::from_utf8(wire.query.clone()).unwrap();
        assert!(query.contains(from), "{query}");
        Wire { query: query.replacen(from, to, 1).into_bytes(), ..wire.clone() }
    };
    for name in ["Algorithm", "Credential", "Signature", "SignedHeaders", "Date"] {
        let says = format!(
            "AWS query-string parameters must include 'X-Amz-{name}'. Re-examine the query-string \
             parameters."
        );
        refused(&case, &with(&format!("X-Amz-{name}="), "y="), incomplete, &says);
        let twice = format!("X-Amz-{name}=1&X-Amz-{name}=");
        let says = format!("AWS query-string parameters must include 'X-Amz-{name}' once. …");
        refused(&case, &with(&format!("X-Amz-{name}="), &twice), incomplete, &says);
    }
    for (expires, says) in [
        ("604801", "X-Amz-Expires must be less than a week (in seconds); that is, …"),
        ("99999999999999999999", "X-Amz-Expires must be less than a week (in seconds); that is, …"),
        ("0", "X-Amz-Expires must be greater than 0"),
        ("-1", "X-Amz-Expires should be a number"),
        ("+60", "X-Amz-Expires should be a number"), // a space and 60
        ("%2B60", "X-Amz-Expires should be a number"),
    ] {
        let wire = with("X-Amz-Expires=3600", &format!("X-Amz-Expires={expires}"));
        refused(&case, &wire, incomplete, says);
    }
    let mismatch = "The request signature we calculated does not match…";
    for (from, to) in [
        ("X-Amz-Expires=3600", "X-Amz-Expires=3601"),
        ("X-Amz-Expires=3600&", ""),
        ("X-Amz-Security-Token=", "x="),
        ("X-Amz-Signature=", "extra=1&X-Amz-Signature="),
        ("X-Amz-Signature=", "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Signature="),
    ] {
        refused(&case, &with(from, to), "InvalidSignatureException", mismatch);
    }
    let mut body = wire.clone();
    body.body = b"x".to_vec();
    refused(&case, &body, "InvalidSignatureException", mismatch);
    refused(
        &case,
        &with("SignedHeaders=", "SignedHeaders=x%3B"),
        "InvalidSignatureException",
        mismatch,
    );
    refused(
        &case,
        &Wire { query: b"X-Amz-Security-Token=x".to_vec(), ..wire.clone() },
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    );
}

#[test]
fn bodies_are_left_unsigned_only_where_the_service_allows_it() {
    let mut case = ours(None);
    let mut wire = case.wire().without("authorization").without("x-amz-date");
    wire.headers.push((b"X-Amz-Content-Sha256".to_vec(), b"UNSIGNED-PAYLOAD".to_vec()));
    let now = WallMillis(case.time * 1_000);
    let added = sign(&case.credential(), "us-east-1", "apigateway", &wire.request(), now);
    wire.headers.extend(added.into_iter().map(|(name, value)| (name.into(), value.into_bytes())));
    wire.body = b"any other".to_vec();
    let keys: StaticCredentials = [case.credential()].into_iter().collect();
    for (policy, good) in [
        (UnsignedPayload::Refused, false),
        (UnsignedPayload::Presigned, false),
        (UnsignedPayload::Accepted, true),
    ] {
        let verifier = case.verifier().with_unsigned_payload(policy);
        assert_eq!(verifier.verify(&wire.request(), &keys, now).is_ok(), good, "{policy:?}");
    }
    // S3 presigns without the body, which is refused where bodies have to be signed.
    case = BOTOCORE.iter().find(|it| it.service == "s3" && it.expires.is_some()).unwrap().clone();
    let keys: StaticCredentials = [case.credential()].into_iter().collect();
    let now = WallMillis(case.time * 1_000);
    let wire = case.wire();
    let strict = case.verifier().with_unsigned_payload(UnsignedPayload::Refused);
    assert!(strict.verify(&wire.request(), &keys, now).is_err());
    // A hash that is signed has to be that of the body, however it is written.
    let case = BOTOCORE.iter().find(|case| {
        case.service != "s3" && case.headers.iter().any(|(name, _)| name == "X-Amz-Content-SHA256")
    });
    let mut wire = case.unwrap().wire();
    wire.body.push(b'x');
    refused(case.unwrap(), &wire, "InvalidSignatureException", "The request signature we…");
}
