//! TLS over byte buffers, by rustls.
