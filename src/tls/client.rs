//! One TLS connection to an integration, as a state machine over byte buffers.
//!
//! ```text
//!            receive(ciphertext) ──▶ plaintext
//!  socket ◀─ pending(out)        ◀── send(plaintext)
//! ```
//!
//! In: ciphertext as it arrives, plaintext to send. Out: the other of each. After every `receive` and
//! `send` the caller writes what [`ClientTls::pending`] yields: handshake messages, alerts and key
//! updates leave that way too. Cost: rustls copies each record twice (decrypt in its buffer, out).

use std::fmt;
use std::io::{BufRead, Write};
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::ServerName;

use super::trust::TLS_BUFFER_BYTES_MAX;

/// A TLS connection to an integration. Dropping it sends nothing.
pub struct ClientTls {
    connection: ClientConnection,
    /// The peer's `close_notify` came: the end of the connection is the peer's will.
    closed: bool,
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls")
            .field("handshaking", &self.handshaking())
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

/// What [`ClientTls::receive`] learned besides plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The peer has said that nothing more will come (`close_notify`).
    pub closed: bool,
}

/// Why a TLS connection cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsError {
    /// The integration's host can stand in no certificate.
    InvalidName(String),
    /// The peer's certificate is not acceptable.
    Certificate(String),
    /// The peer refused us by an alert.
    Refused(String),
    /// The peer speaks no TLS, or breaks its rules.
    Protocol(String),
    /// The connection ended without `close_notify`: what was received may be incomplete.
    Truncated,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidName(host) => write!(f, "'{host}' is no host name a certificate can name"),
            Self::Certificate(why) => {
                write!(f, "the integration's certificate is not accepted: {why}")
            }
            Self::Refused(why) => write!(f, "the integration refused the TLS connection: {why}"),
            Self::Protocol(why) => write!(f, "TLS failed: {why}"),
            Self::Truncated => f.write_str("the TLS connection was cut off"),
        }
    }
}

impl std::error::Error for TlsError {}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
                Self::Certificate(error.to_string())
            }
            rustls::Error::AlertReceived(alert) => Self::Refused(format!("{alert:?}")),
            other => Self::Protocol(other.to_string()),
        }
    }
}

impl ClientTls {
    /// Begins a connection to `host`, a name or an IP address (IPv6 with or without brackets).
    /// [`Self::pending`] has the first flight at once.
    ///
    /// # Errors
    /// [`TlsError::InvalidName`]: `host` is neither name nor address.
    pub fn new(config: Arc<ClientConfig>, host: &str) -> Result<Self, TlsError> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| TlsError::InvalidName(host.to_owned()))?;
        let mut connection = ClientConnection::new(config, name)?;
        connection.set_buffer_limit(Some(TLS_BUFFER_BYTES_MAX));
        Ok(Self { connection, closed: false })
    }

    /// Is the handshake still going on? Plaintext may be sent already; it waits for the handshake.
    pub fn handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Takes all of `ciphertext` and appends what it decrypts to, to `plaintext`.
    ///
    /// What is appended is never longer than `ciphertext` plus what was an incomplete record before.
    ///
    /// # Errors
    /// The peer's certificate, an alert, or bytes that are no TLS. The connection is dead, but
    /// [`Self::pending`] may have an alert that tells the peer why.
    pub fn receive(
        &mut self,
        mut ciphertext: &[u8],
        plaintext: &mut Vec<u8>,
    ) -> Result<Received, TlsError> {
        // `read_tls` takes an empty read as the end of the stream, so it must not see one here.
        while !ciphertext.is_empty() && !self.closed {
            let taken = self
                .connection
                .read_tls(&mut ciphertext)
                .map_err(|error| TlsError::Protocol(error.to_string()))?;
            let state = self.connection.process_new_packets()?;
            self.closed = state.peer_has_closed();
            let mut left = state.plaintext_bytes_to_read();
            let mut reader = self.connection.reader();
            while left > 0 {
                let chunk =
                    reader.fill_buf().map_err(|error| TlsError::Protocol(error.to_string()))?;
                let length = chunk.len();
                if length == 0 {
                    break;
                }
                plaintext.extend_from_slice(chunk);
                reader.consume(length);
                left = left.saturating_sub(length);
            }
            if taken == 0 && !self.closed {
                return Err(TlsError::Protocol("a message is larger than TLS allows".to_owned()));
            }
        }
        Ok(Received { closed: self.closed })
    }

    /// The socket's end was read.
    ///
    /// # Errors
    /// [`TlsError::Truncated`]: the peer did not say `close_notify` before. A body whose length is
    /// known and complete may be used nevertheless; one that ends with the connection may not.
    pub fn end(&self) -> Result<(), TlsError> {
        if self.closed { Ok(()) } else { Err(TlsError::Truncated) }
    }

    /// Encrypts from the front of `plaintext` and returns how many bytes were taken: fewer than all
    /// when 32 KiB wait to be sent. Then the caller writes what [`Self::pending`] yields and goes on
    /// with the rest; during the handshake it waits for the peer's next bytes first.
    #[must_use = "what was not taken has to be sent again"]
    pub fn send(&mut self, plaintext: &[u8]) -> usize {
        // Writing into memory fails only by taking nothing.
        self.connection.writer().write(plaintext).unwrap_or(0)
    }

    /// Encrypts all of `plaintext` and appends the ciphertext to `out`. For use once the handshake is
    /// over; the caller bounds `plaintext`.
    ///
    /// # Panics
    /// While [`Self::handshaking`]: the plaintext would have nowhere to go.
    pub fn seal(&mut self, mut plaintext: &[u8], out: &mut Vec<u8>) {
        assert!(!self.handshaking());
        while !plaintext.is_empty() {
            let taken = self.send(plaintext);
            self.pending(out);
            plaintext = &plaintext[taken..];
        }
    }

    /// Appends the ciphertext that waits to be written to `out`.
    pub fn pending(&mut self, out: &mut Vec<u8>) {
        while self.connection.wants_write() {
            if !matches!(self.connection.write_tls(out), Ok(1..)) {
                break;
            }
        }
    }

    /// Does ciphertext wait to be written?
    pub fn has_pending(&self) -> bool {
        self.connection.wants_write()
    }

    /// Says that nothing more will be sent; [`Self::pending`] has the alert.
    pub fn close_notify(&mut self) {
        self.connection.send_close_notify();
    }
}
