//! Whom the gateway trusts: the system's roots, and files the user names.
//!
//! In: PEM files. Out: two `rustls` configurations, one that verifies and one for integrations with
//! `tlsConfig.insecureSkipVerification`. Both keep sessions for resumption.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// Ciphertext and plaintext each connection may hold back, bytes: two records of the largest size.
pub(super) const TLS_BUFFER_BYTES_MAX: usize = 2 * 16 * 1024;

/// Configurations of TLS connections to integrations.
pub struct ClientTrust {
    verifying: Arc<ClientConfig>,
    insecure: Arc<ClientConfig>,
    root_count: usize,
    warnings: Vec<String>,
}

impl fmt::Debug for ClientTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTrust").field("root_count", &self.root_count).finish_non_exhaustive()
    }
}

impl ClientTrust {
    /// Reads the system's root certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured) and
    /// every certificate of `extra_ca_files`.
    ///
    /// A system without roots is only a [warning](Self::warnings): MOCK and plain HTTP need none.
    ///
    /// # Errors
    /// A sentence with file and line: a file that cannot be read, holds no certificate, or holds one
    /// that is none.
    pub fn load(extra_ca_files: &[PathBuf]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let mut warnings = Vec::new();
        let system = rustls_native_certs::load_native_certs();
        let (added, _ignored) = roots.add_parsable_certificates(system.certs);
        if added == 0 {
            let why = system.errors.first().map_or_else(String::new, |error| format!(" ({error})"));
            let remedy = if extra_ca_files.is_empty() {
                "; https integrations will fail: install the package ca-certificates or give --ca-file"
            } else {
                "; only the certificates of --ca-file are trusted"
            };
            warnings.push(format!("the system has no root certificates{why}{remedy}"));
        }
        for path in extra_ca_files {
            add_file(&mut roots, path)?;
        }
        Self::with_roots(roots, warnings)
    }

    /// Trusts exactly `roots`.
    fn with_roots(roots: RootCertStore, warnings: Vec<String>) -> Result<Self, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let root_count = roots.len();
        let builder = || {
            ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()
                .map_err(|error| format!("TLS cannot be set up: {error}"))
        };
        let mut verifying = builder()?.with_root_certificates(roots).with_no_client_auth();
        let mut insecure = builder()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyChain { provider: provider.clone() }))
            .with_no_client_auth();
        for config in [&mut verifying, &mut insecure] {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        Ok(Self {
            verifying: Arc::new(verifying),
            insecure: Arc::new(insecure),
            root_count,
            warnings,
        })
    }

    /// The configuration for a connection; `insecure` is `tlsConfig.insecureSkipVerification`.
    pub fn config(&self, insecure: bool) -> Arc<ClientConfig> {
        if insecure { self.insecure.clone() } else { self.verifying.clone() }
    }

    /// How many root certificates are trusted.
    pub fn root_count(&self) -> usize {
        self.root_count
    }

    /// What the user should know, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Certificates that a client trusts: the system's, and every one of `extra_ca_files`.
///
/// # Errors
/// As [`ClientTrust::load`]'s.
pub fn trusted_certificates(
    extra_ca_files: &[PathBuf],
) -> Result<Vec<CertificateDer<'static>>, String> {
    // Where the system has none, every handshake says so.
    let mut all = rustls_native_certs::load_native_certs().certs;
    // Found out here and not in a handshake: which of the files' certificates are of no use.
    let mut roots = RootCertStore::empty();
    for path in extra_ca_files {
        all.extend(add_file(&mut roots, path)?);
    }
    Ok(all)
}

/// Adds every certificate of a PEM file, and gives them.
fn add_file(
    roots: &mut RootCertStore,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| format!("CA file {shown}: {error}"))?;
    let mut added = Vec::new();
    for (line, section) in certificate_sections(&text) {
        let certificate = CertificateDer::from_pem_slice(section).map_err(|error| {
            format!("CA file {shown}, line {line}: the certificate is not readable: {error}")
        })?;
        roots.add(certificate.clone()).map_err(|error| {
            format!("CA file {shown}, line {line}: the certificate is not usable: {error}")
        })?;
        added.push(certificate);
    }
    if added.is_empty() {
        return Err(format!(
            "CA file {shown} holds no certificate; it must be PEM with '-----BEGIN CERTIFICATE-----'"
        ));
    }
    Ok(added)
}

/// Cuts PEM text at each `BEGIN CERTIFICATE`; with the line (from 1) each begins at.
fn certificate_sections(text: &[u8]) -> Vec<(usize, &[u8])> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let mut starts = Vec::new();
    let (mut offset, mut line) = (0, 1);
    for piece in text.split_inclusive(|&byte| byte == b'\n') {
        if piece.trim_ascii_start().starts_with(BEGIN) {
            starts.push((line, offset));
        }
        offset += piece.len();
        line += 1;
    }
    let ends = starts.iter().skip(1).map(|&(_, offset)| offset).chain([text.len()]);
    starts.iter().zip(ends).map(|(&(line, start), end)| (line, &text[start..end])).collect()
}

/// Accepts every certificate chain and name; the peer must still prove that it holds the key.
#[derive(Debug)]
struct AnyChain {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyChain {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
pub(super) fn trusting(certificates: &[CertificateDer<'static>]) -> ClientTrust {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone()).expect("test certificate");
    }
    ClientTrust::with_roots(roots, Vec::new()).expect("test configuration")
}
