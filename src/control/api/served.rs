//! What of the store concerns serving, beside stages.

use super::base_path_mappings::BasePathMapping;
use super::client_certificates::{ClientCertificate, ClientCertificateKey};
use super::domain_names::DomainName;
use super::error::ApiError;
use super::objects::Stage;
use crate::control::vault::Vault;
use crate::deploy::{self, Domain, DomainTable};
use crate::model;
use crate::store::{StoreError, Transaction};

/// All custom domain names with their base path mappings.
///
/// # Errors
/// The store cannot be read.
pub fn domain_table(store: &Transaction) -> Result<DomainTable, StoreError> {
    let mut domains = Vec::new();
    for domain in store.list::<DomainName>(&[])? {
        let mappings = store.list::<BasePathMapping>(&[&domain.key()])?.into_iter();
        domains.push(Domain {
            mappings: mappings
                .map(|it| deploy::BasePathMapping {
                    base_path: it.base_path,
                    api_id: it.rest_api_id,
                    stage: it.stage,
                })
                .collect(),
            name: domain.domain_name,
        });
    }
    Ok(DomainTable::new(domains))
}

/// The certificate that a stage shows to its backends; `None`: it shows none.
///
/// # Errors
/// The store cannot be read, or has no such certificate.
pub fn client_certificate(
    store: &Transaction,
    vault: &Vault,
    stage: &Stage,
) -> Result<Option<model::ClientCertificate>, ApiError> {
    let Some(id) = stage.client_certificate_id.as_deref() else { return Ok(None) };
    let certificate = store.get::<ClientCertificate>(&[id])?;
    let key = store.get::<ClientCertificateKey>(&[id])?;
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let private_key = vault.open(&key.private_key_pem.0).ok_or_else(|| {
                ApiError::internal(format!(
                    "the private key of client certificate {id} was encrypted with another key than the one beside the store"
                ))
            })?;
            let pem_encoded_certificate = certificate.pem_encoded_certificate;
            Ok(Some(model::ClientCertificate { pem_encoded_certificate, private_key }))
        }
        _ => Err(ApiError::not_found("Invalid Client Certificate identifier specified")),
    }
}
