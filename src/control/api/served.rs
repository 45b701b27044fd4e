//! What of the store concerns serving, beside stages.

use super::error::ApiError;
use super::objects::Stage;
use crate::deploy::DomainTable;
use crate::model::ClientCertificate;
use crate::store::{StoreError, Transaction};

/// All custom domain names with their base path mappings.
///
/// # Errors
/// The store cannot be read.
pub fn domain_table(_store: &Transaction) -> Result<DomainTable, StoreError> {
    Ok(DomainTable::default())
}

/// The certificate that a stage shows to its backends.
///
/// # Errors
/// The store cannot be read, or has no such certificate.
pub fn client_certificate(
    _store: &Transaction,
    _stage: &Stage,
) -> Result<Option<ClientCertificate>, ApiError> {
    Ok(None)
}
