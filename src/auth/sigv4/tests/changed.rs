//! Whatever is changed of a signed request, it is refused; whatever comes, nothing panics.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What a signature covers of a request, and what it says: equal for requests that mean the same.
fn meaning(case: &Case, wire: &Wire) -> Option<(Vec<u8>, Presented)> {
    let request = wire.request();
    let query = Query::parse(&wire.query);
    let presented = Presented::read(&request, &query).ok()?;
    let hash = case.verifier().payload_hash(&request, &query, presented.is_presigned());
    let canonical = canonical::request(
        &request,
        PathForm::of_service(&case.service),
        &query,
        presented.is_presigned(),
        &presented.signed_headers,
        hash.as_bytes(),
    );
    Some((canonical, presented))
}

#[track_caller]
fn refused_unless_the_same(case: &Case, original: &Wire, changed: &Wire) {
    if case.verify(changed, 0).is_ok() {
        assert_eq!(meaning(case, changed), meaning(case, original), "{changed:?}");
    }
}

/// Every place of a request where one byte may be changed.
fn places(wire: &mut Wire) -> Vec<&mut Vec<u8>> {
    let signed = |name: &[u8]| !name.eq_ignore_ascii_case(b"user-agent");
    let headers = wire.headers.iter_mut().filter(|(name, _)| signed(name));
    let mut places: Vec<&mut Vec<u8>> = headers.map(|(_, value)| value).collect();
    places.extend([&mut wire.path, &mut wire.query, &mut wire.body]);
    places
}

#[test]
fn a_request_with_any_byte_changed_is_refused() {
    for case in [ours(Some("token")), presigned()] {
        let original = case.wire();
        let places_count = places(&mut original.clone()).len();
        let (mut refusals, mut changes) = (0, 0);
        for place in 0..places_count {
            let length = places(&mut original.clone())[place].len();
            for at in 0..length {
                for change in [1, 2, 0x20, 0x80] {
                    let mut changed = original.clone();
                    places(&mut changed)[place][at] ^= change;
                    refused_unless_the_same(&case, &original, &changed);
                    changes += 1;
                    refusals += usize::from(case.verify(&changed, 0).is_err());
                }
            }
        }
        // Those accepted are the same request: an escape in lower case, a comma for a blank.
        assert!(refusals * 10 > changes * 9, "{refusals} of {changes}");
        let mut method = original.clone();
        method.method = "post".to_owned();
        assert!(case.verify(&method, 0).is_err());
    }
}

/// Headers that the verifier reads, and one without a name.
const NAMES: [&str; 7] = [
    "Authorization",
    "X-Amz-Date",
    "Date",
    "Host",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
    "",
];

proptest! {
    #[test]
    fn a_changed_request_of_botocore_is_refused(
        index in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        with in any::<u8>(),
        inserts in any::<bool>(),
    ) {
        let case = index.get(&BOTOCORE);
        let original = case.wire();
        let mut changed = original.clone();
        {
            let mut places = places(&mut changed);
            let place = place.index(places.len());
            let place = &mut places[place];
            if inserts {
                place.insert(at.index(place.len() + 1), with);
            } else if !place.is_empty() {
                let at = at.index(place.len());
                place[at] = with;
            }
        }
        // What botocore leaves unsigned may be anything.
        let signed = meaning(case, &original).unwrap();
        let is_free = changed.headers.iter().zip(&original.headers).any(|(new, old)| {
            new != old && !signed.1.signed_headers.contains(&old.0.to_ascii_lowercase())
                && !old.0.eq_ignore_ascii_case(b"authorization")
        });
        if !is_free {
            refused_unless_the_same(case, &original, &changed);
        }
    }

    #[test]
    fn no_bytes_make_the_verifier_panic(
        method in "[A-Z]{0,8}",
        path in vec(any::<u8>(), 0..80),
        query in vec(any::<u8>(), 0..80),
        names in vec(prop::sample::select(&NAMES[..]), 0..6),
        values in vec(vec(any::<u8>(), 0..80), 6),
        body in vec(any::<u8>(), 0..40),
        now in any::<u64>(),
    ) {
        let headers = names.iter().copied().zip(&values);
        let request = Request::new(&method, &path, &query, headers, Payload::Bytes(&body));
        let keys = StaticCredentials::default();
        prop_assert!(Verifier::new("s3", "").verify(&request, &keys, WallMillis(now)).is_err());
    }

    /// As above, but nearly right, so that more of the verifier is reached.
    #[test]
    fn no_garbage_in_a_field_makes_the_verifier_panic(
        algorithm in "AWS4-HMAC-SHA256|\\PC{0,8}",
        credential in "AKIDEXAMPLE/20150830/us-east-1/apigateway/aws4_request|[ -~]{0,40}|\\PC{0,9}",
        signed in "host;x-amz-date|[ -~]{0,30}|\\PC{0,9}",
        signature in "[0-9a-f]{64}|\\PC{0,9}",
        date in "20150830T123600Z|[0-9TZ]{16}|Sun, 30 Aug 2015 12:36:00 GMT|\\PC{0,29}",
        expires in "[0-9]{1,12}|\\PC{0,9}",
        now in prop_oneof![Just(1_440_938_160_000), any::<u64>()],
    ) {
        let case = ours(None);
        let keys: StaticCredentials = [case.credential()].into_iter().collect();
        let authorization = format!(
            "{algorithm} Credential={credential}, SignedHeaders={signed}, Signature={signature}"
        );
        let headers =
            [("Host", "h"), ("X-Amz-Date", &*date), ("Authorization", &*authorization)];
        let request = Request::new("GET", b"/", b"", headers, Payload::Bytes(b""));
        prop_assert!(case.verifier().verify(&request, &keys, WallMillis(now)).is_err());
        let query = format!(
            "X-Amz-Algorithm={algorithm}&X-Amz-Credential={credential}&X-Amz-Date={date}&\
             X-Amz-Expires={expires}&X-Amz-SignedHeaders={signed}&X-Amz-Signature={signature}"
        );
        let request =
            Request::new("GET", b"/", query.as_bytes(), [("Host", "h")], Payload::Bytes(b""));
        prop_assert!(case.verifier().verify(&request, &keys, WallMillis(now)).is_err());
    }
}
