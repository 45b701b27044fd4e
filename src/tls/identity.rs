//! Whom the gateway is towards an integration that asks for a client certificate.
//!
//! In: certificate and key as PEM. Out: configurations like those of [`ClientTrust`] that present them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::ClientTrust;

/// A client certificate with its key. Two of the same certificates and key are equal.
pub struct ClientIdentity {
    certified: Arc<CertifiedKey>,
    /// To compare by: the key's bytes are not in it, since a certificate has one key only.
    chain: Vec<CertificateDer<'static>>,
    /// Verifying and insecure; made by the first connection. A process has one trust.
    configs: OnceLock<[Arc<ClientConfig>; 2]>,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}

impl PartialEq for ClientIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.chain == other.chain
    }
}

impl Eq for ClientIdentity {}

impl Hash for ClientIdentity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.chain.hash(state);
    }
}

impl ClientIdentity {
    /// Reads certificates (the client's first) and the first one's key.
    ///
    /// # Errors
    /// What is wrong with them, in half a sentence.
    pub fn from_pem(certificates: &str, key: &str) -> Result<Self, String> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| format!("the client certificate is not readable: {error}"))?;
        if chain.is_empty() {
            return Err("the client certificate is no PEM text with a certificate".to_owned());
        }
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|error| format!("the client certificate's key is not readable: {error}"))?;
        let key = any_supported_type(&key)
            .map_err(|error| format!("the client certificate's key is not usable: {error}"))?;
        let certified = CertifiedKey::new(chain.clone(), key);
        match certified.keys_match() {
            // Not every kind of key can be compared.
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(_) => return Err("the key is not the client certificate's".to_owned()),
        }
        Ok(Self { certified: Arc::new(certified), chain, configs: OnceLock::new() })
    }

    /// The configuration for a connection; `insecure` is `tlsConfig.insecureSkipVerification`.
    pub fn config(&self, trust: &ClientTrust, insecure: bool) -> Arc<ClientConfig> {
        let configs = self.configs.get_or_init(|| {
            [false, true].map(|insecure| {
                let mut config = ClientConfig::clone(&trust.config(insecure));
                config.client_auth_cert_resolver =
                    Arc::new(SingleCertAndKey::from(Arc::clone(&self.certified)));
                // A session of a connection without certificate must not be taken up by one with it.
                config.resumption = Resumption::default();
                Arc::new(config)
            })
        });
        Arc::clone(&configs[usize::from(insecure)])
    }
}
