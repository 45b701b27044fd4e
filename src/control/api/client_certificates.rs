//! ClientCertificate: what the gateway shows backends, so that they know who calls.
//!
//! A self-signed certificate for a P-256 key (AWS's is RSA; this one is made in well under a
//! millisecond, and every TLS 1.2 backend takes it). The private key is kept beside the certificate,
//! as an object of its own that no operation answers.
//!
//! Source: facts, security section 8, control-plane section 12.

use std::time::Duration;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};

use super::call::{Call, Reply};
use super::context::Context;
use super::error::ApiError;
use super::ids;
use super::objects::{RestApi, Secret, Stage, Tags, objects, wire};
use super::page;
use super::patch::Op;
use super::tags;

/// How long a certificate is valid.
const VALID_SECONDS: i64 = 365 * 86_400;

wire! {
    /// A client certificate.
    ClientCertificate {
        client_certificate_id: String,
        description: Option<String>,
        pem_encoded_certificate: String,
        created_date: i64,
        expiration_date: i64,
        tags: Option<Tags>,
    }

    /// Its private key, under the same id.
    ClientCertificateKey {
        private_key_pem: Secret,
    }
}

objects! {
    ClientCertificate: "clientcertificate";
    ClientCertificateKey: "clientcertificatekey";
}

pub(super) fn get_client_certificates(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    page::stored::<ClientCertificate>(context, call, &[], |it| Some(page::item(&it)))
}

pub(super) fn get_client_certificate(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    Ok(Reply::json(&with_tags(certificate_of(context, call)?)))
}

pub(super) fn generate_client_certificate(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let id = ids::new(ids::SHORT, |id| context.has::<ClientCertificate>(&[id]))?;
    let tags = tags::given(call)?;
    let expiration_date = context.now + VALID_SECONDS;
    let (pem_encoded_certificate, private_key_pem) = generate(&id, context.now, expiration_date)
        .map_err(|error| ApiError::internal(format!("no certificate could be made: {error}")))?;
    let certificate = ClientCertificate {
        client_certificate_id: id,
        description: call.owned("description"),
        pem_encoded_certificate,
        created_date: context.now,
        expiration_date,
        tags,
    };
    let id = &certificate.client_certificate_id;
    context.put(&[id], &certificate)?;
    let private_key_pem = Secret(context.settings.vault.seal(&private_key_pem.0));
    context.put(&[id], &ClientCertificateKey { private_key_pem })?;
    Ok(Reply::json(&certificate))
}

pub(super) fn update_client_certificate(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let mut certificate = certificate_of(context, call)?;
    for patch in call.patches()? {
        match (patch.op, patch.path()) {
            (Op::Replace, "/description") => {
                certificate.description = patch.value.clone().filter(|text| !text.is_empty());
            }
            (Op::Replace, _) => return Err(patch.not_one_of(&["/description"])),
            _ => return Err(patch.not_supported()),
        }
    }
    context.put(&[&certificate.client_certificate_id], &certificate)?;
    Ok(Reply::json(&with_tags(certificate)))
}

pub(super) fn delete_client_certificate(
    context: &mut Context<'_>,
    call: &Call<'_>,
) -> Result<Reply, ApiError> {
    let id = certificate_of(context, call)?.client_certificate_id;
    // A stage whose certificate is gone could not be served again.
    for api in context.list::<RestApi>(&[])? {
        for stage in context.list::<Stage>(&[&api.id])? {
            if stage.client_certificate_id.as_ref() == Some(&id) {
                return Err(ApiError::bad_request(format!(
                    "Client certificate {id} is used by stage {} of API {}",
                    stage.stage_name, api.id
                )));
            }
        }
    }
    context.delete::<ClientCertificate>(&[&id])?;
    context.delete::<ClientCertificateKey>(&[&id])?;
    Ok(Reply::empty())
}

fn certificate_of(context: &Context<'_>, call: &Call<'_>) -> Result<ClientCertificate, ApiError> {
    find(context, call.label("clientcertificate_id"))
}

/// The certificate of that id.
pub(super) fn find(context: &Context<'_>, id: &str) -> Result<ClientCertificate, ApiError> {
    let certificate = context.get(&[id])?;
    certificate
        .ok_or_else(|| ApiError::not_found("Invalid Client Certificate identifier specified"))
}

fn with_tags(mut certificate: ClientCertificate) -> ClientCertificate {
    certificate.tags.get_or_insert_default();
    certificate
}

/// A certificate and its private key, both as PEM; valid from `from` until `until`, seconds since 1970.
fn generate(id: &str, from: i64, until: i64) -> Result<(String, Secret), rcgen::Error> {
    let moment = |seconds: i64| {
        let since = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        rcgen::date_time_ymd(1970, 1, 1) + since
    };
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.not_before = moment(from);
    params.not_after = moment(until);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "ApiGateway");
    params.distinguished_name.push(DnType::OrganizationalUnitName, id);
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    Ok((params.self_signed(&key)?.pem(), Secret(key.serialize_pem())))
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};
    use serde_json::{Value, json};

    use super::super::testing::Plane;
    use super::*;

    #[test]
    fn a_certificate_is_valid_for_a_year_and_keeps_its_key_to_itself() {
        let mut plane = Plane::new();
        let input = json!({"description": "d", "tags": {"a": "b"}});
        let made = plane.ok("POST", "/clientcertificates", input);
        let id = made["clientCertificateId"].as_str().unwrap().to_owned();
        let pem = made["pemEncodedCertificate"].as_str().unwrap();
        assert_eq!(
            made,
            json!({
                "clientCertificateId": id, "description": "d", "tags": {"a": "b"},
                "pemEncodedCertificate": pem, "createdDate": 1_700_000_000,
                "expirationDate": 1_731_536_000,
            })
        );
        let kept = plane.store().read().unwrap();
        let key: ClientCertificateKey = kept.get(&[&id]).unwrap().unwrap();
        // The pair is one that a TLS client takes.
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let vault = crate::control::vault::Vault::new(&[7; 32]);
        assert!(!key.private_key_pem.0.contains("PRIVATE KEY"), "it is encrypted");
        let pem_key = vault.open(&key.private_key_pem.0).unwrap();
        let private = PrivateKeyDer::from_pem_slice(pem_key.as_bytes()).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate.clone()], private)
            .unwrap();
        // UTCTime of 2023-11-14T22:13:20Z and of 365 days later.
        for time in [&b"231114221320Z"[..], b"241113221320Z"] {
            assert!(certificate.windows(time.len()).any(|it| it == time));
        }
        let uri = format!("/clientcertificates/{id}");
        for answer in [
            plane.ok("GET", &uri, Value::Null),
            plane.ok("GET", "/clientcertificates", Value::Null)["item"][0].clone(),
            plane.patch(&uri, "replace", "/description", "d").unwrap(),
        ] {
            assert_eq!(answer, made);
        }
        assert!(!format!("{key:?}").contains("PRIVATE"));
        plane.ok("DELETE", &uri, Value::Null);
        assert!(
            plane.store().read().unwrap().list::<ClientCertificateKey>(&[]).unwrap().is_empty()
        );
        assert_eq!(
            plane.refused("GET", &uri, Value::Null),
            "404 NotFoundException: Invalid Client Certificate identifier specified"
        );
    }

    #[test]
    fn only_the_description_changes() {
        let mut plane = Plane::new();
        let made = plane.ok("POST", "/clientcertificates", json!({}));
        let uri = format!("/clientcertificates/{}", made["clientCertificateId"].as_str().unwrap());
        let got = plane.patch(&uri, "replace", "/description", "new").unwrap();
        assert_eq!((&got["description"], &got["tags"]), (&json!("new"), &json!({})));
        for (op, path, want) in [
            (
                "replace",
                "/pemEncodedCertificate",
                "Invalid patch path  '/pemEncodedCertificate' specified for op 'replace'. Must be one of: [/description]",
            ),
            (
                "remove",
                "/description",
                "Invalid patch path  '/description' specified for op 'remove'. Please choose supported operations",
            ),
        ] {
            assert_eq!(plane.patch(&uri, op, path, "").unwrap_err().message, want);
        }
    }
}
