use serde_json::{Value, json};

use super::super::testing::Plane;
use super::*;

fn create(plane: &mut Plane, mut input: Value, kind: &str) -> Value {
    input["endpointConfiguration"] = json!({"types": [kind]});
    plane.ok("POST", "/domainnames", input)
}

#[test]
fn a_name_has_a_name_of_this_gateway_for_each_endpoint() {
    let mut plane = Plane::new();
    let arn = "arn:aws:acm:us-east-1:123456789012:certificate/c";
    let mut edge = plane.ok(
        "POST",
        "/domainnames",
        json!({"domainName": "API.example.com", "certificateArn": arn, "tags": {"a": "b"}}),
    );
    let name = edge["distributionDomainName"].take();
    let name = name.as_str().unwrap();
    assert!(name.starts_with("d-") && name.ends_with(".execute-api.us-east-1.localhost"), "{name}");
    assert_eq!(
        edge,
        json!({
            "domainName": "api.example.com", "certificateArn": arn, "tags": {"a": "b"},
            "domainNameArn": "arn:aws:apigateway:us-east-1::/domainnames/api.example.com",
            "certificateUploadDate": 1_700_000_000, "distributionDomainName": null,
            "distributionHostedZoneId": "Z2FDTNDATAQYW2", "domainNameStatus": "AVAILABLE",
            "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
            "securityPolicy": "TLS_1_2",
        })
    );
    assert!(plane.effects.domains);
    assert_eq!(
        plane.effects.not_carried_out,
        [
            "domain name api.example.com: certificates are stored or named, but TLS is not offered under them yet"
        ]
    );
    let regional = create(&mut plane, json!({"domainName": "*.example.com"}), "REGIONAL");
    let name = regional["regionalDomainName"].as_str().unwrap();
    assert!(name.starts_with("d-") && name.ends_with(".execute-api.us-east-1.localhost"), "{name}");
    assert_eq!(regional["regionalHostedZoneId"], "Z1UJRXOUMOOFQ8");
    assert_eq!(regional.get("distributionDomainName"), None);
    let got = plane.ok("GET", "/domainnames/%2A.example.com", Value::Null);
    assert_eq!((&got["regionalDomainName"], &got["tags"]), (&json!(name), &json!({})));
    let got = plane.ok("GET", "/domainnames/Api.Example.Com", Value::Null);
    assert_eq!(got["domainName"], "api.example.com");
    let listed = plane.ok("GET", "/domainnames", Value::Null);
    let listed = listed["item"].as_array().unwrap();
    assert_eq!((listed.len(), listed[0].get("tags")), (2, None));
    let others = plane.ok("GET", "/domainnames?resourceOwner=OTHER_ACCOUNTS", Value::Null);
    assert_eq!(others, json!({"item": []}));
    plane.ok("DELETE", "/domainnames/api.example.com", Value::Null);
    assert!(plane.effects.domains);
    for method in ["GET", "PATCH", "DELETE"] {
        assert_eq!(
            plane.refused(method, "/domainnames/api.example.com", Value::Null),
            "404 NotFoundException: Invalid domain name identifier specified"
        );
    }
}

#[test]
fn wrong_names_are_refused() {
    let mut plane = Plane::new();
    create(&mut plane, json!({"domainName": "api.example.com"}), "REGIONAL");
    let mutual = json!({"truststoreUri": "s3://bucket/store.pem"});
    for (input, want) in [
        (json!({"domainName": ""}), "No Domain Name specified"),
        (json!({"domainName": "a..b"}), "Invalid domain name specified"),
        (json!({"domainName": "a.*.b"}), "Invalid domain name specified"),
        (json!({"domainName": "a_b.c"}), "Invalid domain name specified"),
        (json!({"domainName": "a".repeat(64)}), "Invalid domain name specified"),
        (json!({"domainName": "a.".repeat(150) + "b"}), "Invalid domain name specified"),
        (json!({"domainName": "API.example.com"}), "The domain name you provided already exists."),
        (
            json!({"domainName": "b.c", "endpointConfiguration": {"types": ["EDGE", "REGIONAL"]}}),
            "Cannot create a domain name with multiple Endpoint Types.",
        ),
        (
            json!({"domainName": "b.c", "mutualTlsAuthentication": mutual}),
            "Mutual TLS is only supported for regional custom domain names",
        ),
        (
            json!({
                "domainName": "b.c", "mutualTlsAuthentication": mutual,
                "endpointConfiguration": {"types": ["REGIONAL"]}, "securityPolicy": "TLS_1_0",
            }),
            "Mutual TLS requires a security policy of TLS_1_2 at least",
        ),
        (
            json!({
                "domainName": "b.c", "mutualTlsAuthentication": {"truststoreUri": "http://x"},
                "endpointConfiguration": {"types": ["REGIONAL"]},
            }),
            "Invalid truststore URI specified. Must begin with s3://",
        ),
        (
            json!({"domainName": "b.c", "policy": "x"}),
            "Invalid policy document: it has to be a JSON object",
        ),
    ] {
        let got = plane.refused("POST", "/domainnames", input);
        assert_eq!(got, format!("400 BadRequestException: {want}"));
    }
}

#[test]
fn patches_change_every_member_that_can_change() {
    let mut plane = Plane::new();
    create(&mut plane, json!({"domainName": "api.example.com"}), "REGIONAL");
    let uri = "/domainnames/api.example.com";
    let at = |domain: &Value, pointer: &str| domain.pointer(pointer).cloned();
    for (path, value) in [
        ("/certificateArn", "arn:1"),
        ("/certificateName", "name"),
        ("/regionalCertificateArn", "arn:2"),
        ("/regionalCertificateName", "regional"),
        ("/securityPolicy", "SecurityPolicy_TLS13_1_3_2025_09"),
        ("/endpointAccessMode", "STRICT"),
        ("/endpointConfiguration/ipAddressType", "dualstack"),
        ("/mutualTlsAuthentication/truststoreUri", "s3://bucket/store.pem"),
        ("/mutualTlsAuthentication/truststoreVersion", "v1"),
        ("/ownershipVerificationCertificateArn", "arn:3"),
        ("/policy", "{}"),
        ("/managementPolicy", "{}"),
        ("/routingMode", "ROUTING_RULE_ONLY"),
    ] {
        let domain = plane.patch(uri, "replace", path, value).unwrap();
        assert_eq!(at(&domain, path), Some(json!(value)), "{path}");
        assert!(plane.effects.domains);
    }
    assert_eq!(plane.effects.not_carried_out.len(), 2);
    let domain = plane.patch(uri, "replace", "/mutualTlsAuthentication/truststoreUri", "").unwrap();
    assert_eq!(domain.get("mutualTlsAuthentication"), None);
    let domain = plane.patch(uri, "add", "/endpointConfiguration/types", "EDGE").unwrap();
    assert_eq!(domain["endpointConfiguration"]["types"], json!(["REGIONAL", "EDGE"]));
    assert!(domain["distributionDomainName"].is_string());
    let domain = plane.patch(uri, "remove", "/endpointConfiguration/types", "REGIONAL").unwrap();
    assert_eq!(domain.get("regionalDomainName"), None);
    let domain =
        plane.patch(uri, "replace", "/endpointConfiguration/types/EDGE", "REGIONAL").unwrap();
    assert_eq!(domain["endpointConfiguration"]["types"], json!(["REGIONAL"]));
    for (op, path, value, want) in [
        (
            "remove",
            "/endpointConfiguration/types",
            "REGIONAL",
            "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
        ),
        (
            "replace",
            "/endpointConfiguration/types/0",
            "x",
            "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE",
        ),
        (
            "replace",
            "/endpointConfiguration/ipAddressType",
            "x",
            "ipAddressType must be either ipv4 or dualstack.",
        ),
        (
            "replace",
            "/routingMode",
            "x",
            "Invalid routingMode specified. Valid options are BASE_PATH_MAPPING_ONLY,ROUTING_RULE_ONLY,ROUTING_RULE_THEN_BASE_PATH_MAPPING",
        ),
        (
            "replace",
            "/endpointAccessMode",
            "x",
            "Invalid endpointAccessMode specified. Valid options are BASIC,STRICT",
        ),
        (
            "remove",
            "/policy",
            "",
            "Invalid patch path  '/policy' specified for op 'remove'. Must be one of: [/endpointConfiguration/types]",
        ),
        (
            "copy",
            "/policy",
            "",
            "Invalid patch path  '/policy' specified for op 'copy'. Please choose supported operations",
        ),
    ] {
        assert_eq!(plane.patch(uri, op, path, value).unwrap_err().message, want);
    }
    for path in
        ["/domainName", "/endpointConfiguration/types/7", "/endpointConfiguration/types/EDGE"]
    {
        let got = plane.patch(uri, "replace", path, "EDGE").unwrap_err().message;
        let want = format!(
            "Invalid patch path  '{path}' specified for op 'replace'. Must be one of: [/certificateArn, "
        );
        assert!(got.starts_with(&want), "{got}");
    }
}

#[test]
fn an_uploaded_certificate_is_kept_and_not_shown() {
    let mut plane = Plane::new();
    let input = json!({
        "domainName": "a.b", "certificateName": "n", "certificateBody": "body",
        "certificatePrivateKey": "hidden", "certificateChain": "chain",
    });
    let answer = plane.ok("POST", "/domainnames", input);
    assert!(!answer.to_string().contains("hidden") && !answer.to_string().contains("body"));
    assert_eq!(answer["certificateUploadDate"], 1_700_000_000);
    let reading = plane.store().read().unwrap();
    let kept: DomainCertificate = reading.get(&["a.b"]).unwrap().unwrap();
    assert_eq!((kept.body.as_deref(), kept.chain.as_deref()), (Some("body"), Some("chain")));
    let vault = crate::control::vault::Vault::new(&[7; 32]);
    let key = kept.private_key.as_ref().expect("a key");
    assert_eq!(vault.open(&key.0).as_deref(), Some("hidden"), "it is encrypted");
    assert!(!format!("{kept:?}").contains("hidden"));
    plane.ok("DELETE", "/domainnames/a.b", Value::Null);
    assert!(plane.store().read().unwrap().list::<DomainCertificate>(&[]).unwrap().is_empty());
}

#[test]
fn private_names_have_ids_and_associations() {
    let mut plane = Plane::new();
    let made: Vec<Value> = (0..2)
        .map(|_| create(&mut plane, json!({"domainName": "in.example.com"}), "PRIVATE"))
        .collect();
    let (id, arn) = (made[0]["domainNameId"].as_str().unwrap(), &made[0]["domainNameArn"]);
    let key = format!("in.example.com+{id}");
    let want = format!("arn:aws:apigateway:us-east-1:123456789012:/domainnames/{key}");
    assert_eq!(*arn, json!(want));
    assert_eq!(made[0]["endpointConfiguration"]["ipAddressType"], "dualstack");
    assert_eq!(made[0].get("regionalDomainName"), None);
    let uri = format!("/domainnames/in.example.com?domainNameId={id}");
    assert_eq!(plane.ok("GET", &uri, Value::Null)["domainNameArn"], *arn);
    assert!(plane.refused("GET", "/domainnames/in.example.com", Value::Null).starts_with("404"));

    let all = "/domainnameaccessassociations";
    let input = json!({
        "domainNameArn": arn, "accessAssociationSourceType": "VPCE",
        "accessAssociationSource": "vpce-1",
    });
    let association = plane.ok("POST", all, input.clone());
    let own = format!(
        "arn:aws:apigateway:us-east-1:123456789012:/domainnameaccessassociations/domainname/{key}/vpcesource/vpce-1"
    );
    let mut want = input.clone();
    want["domainNameAccessAssociationArn"] = json!(own);
    assert_eq!(association, want);
    assert_eq!(plane.effects.not_carried_out.len(), 1);
    assert_eq!(plane.ok("GET", all, Value::Null), json!({"item": [want]}));
    let public =
        create(&mut plane, json!({"domainName": "a.b"}), "REGIONAL")["domainNameArn"].take();
    for (member, value, want) in [
        (
            "accessAssociationSource",
            json!("vpce-1"),
            "409 ConflictException: Domain name access association already exists",
        ),
        (
            "accessAssociationSource",
            json!("vpc-1"),
            "400 BadRequestException: Invalid VPC endpoint identifier specified",
        ),
        (
            "domainNameArn",
            json!("x"),
            "404 NotFoundException: Invalid domain name identifier specified",
        ),
        (
            "domainNameArn",
            public,
            "400 BadRequestException: Domain name access associations are only supported for private custom domain names",
        ),
        (
            "accessAssociationSourceType",
            json!("VPC"),
            "400 ValidationException: 1 validation error detected: Value 'VPC' at 'createDomainNameAccessAssociationInput.accessAssociationSourceType' failed to satisfy constraint: Member must satisfy enum value set: [VPCE]",
        ),
    ] {
        let mut input = input.clone();
        input[member] = value;
        assert_eq!(plane.refused("POST", all, input), want);
    }
    let gone = "404 NotFoundException: Invalid domain name access association identifier specified";
    let encode = |arn: &str| arn.replace(':', "%3A").replace('/', "%2F").replace('+', "%2B");
    let reject = |domain: &Value| {
        format!(
            "/rejectdomainnameaccessassociations?domainNameAccessAssociationArn={}&domainNameArn={}",
            encode(&own),
            encode(domain.as_str().unwrap())
        )
    };
    assert_eq!(plane.refused("POST", &reject(&made[1]["domainNameArn"]), Value::Null), gone);
    plane.ok("POST", &reject(arn), Value::Null);
    assert_eq!(plane.ok("GET", all, Value::Null), json!({"item": []}));
    plane.ok("POST", all, input.clone());
    let uri = format!("{all}/{}", encode(&own));
    plane.ok("DELETE", &uri, Value::Null);
    assert_eq!(plane.refused("DELETE", &uri, Value::Null), gone);
    // A name takes its associations along.
    plane.ok("POST", all, input);
    plane.ok("DELETE", &format!("/domainnames/in.example.com?domainNameId={id}"), Value::Null);
    assert_eq!(plane.ok("GET", all, Value::Null), json!({"item": []}));
}
