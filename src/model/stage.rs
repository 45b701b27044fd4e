//! What a stage says about its methods, and whom it is towards backends.

/// Settings of a stage's method, or of all (`*/*`). A method's own entry replaces that of `*/*` as a
/// whole (facts, stages section 2).
///
/// Throttling is carried out; the other members are kept for what comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MethodSetting {
    /// Whether CloudWatch gets the method's metrics; ours are always there.
    pub metrics_enabled: Option<bool>,
    /// `OFF`, `ERROR` or `INFO`.
    pub logging_level: Option<String>,
    /// Whether the execution log has bodies and headers.
    pub data_trace_enabled: Option<bool>,
    /// Requests at once. 0 closes the method.
    pub throttling_burst_limit: Option<u32>,
    /// Requests a second; fractions are allowed. 0 closes the method.
    pub throttling_rate_limit: Option<f64>,
    /// Whether answers are kept.
    pub caching_enabled: Option<bool>,
    /// For how long, seconds, 0 to 3600.
    pub cache_ttl_in_seconds: Option<u32>,
    /// Whether what is kept is encrypted.
    pub cache_data_encrypted: Option<bool>,
    /// Whether a client has to be allowed to invalidate what is kept.
    pub require_authorization_for_cache_control: Option<bool>,
    /// `FAIL_WITH_403`, `SUCCEED_WITH_RESPONSE_HEADER` or `SUCCEED_WITHOUT_RESPONSE_HEADER`.
    pub unauthorized_cache_control_header_strategy: Option<String>,
}

/// The certificate that a stage's `https` integrations are shown, and its key.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM: the certificate, then those that lead to its authority, if any.
    pub pem_encoded_certificate: String,
    /// PEM: PKCS#8, PKCS#1 or SEC1.
    pub private_key: String,
}

impl std::fmt::Debug for ClientCertificate {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}
