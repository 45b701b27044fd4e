//! TLS for the admin port: handshakes side by side, so that a client which does not go on with its own
//! keeps nobody else waiting.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Time for a handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Connections with a finished handshake that may wait to be served.
const WAITING_MAX: usize = 64;
/// After an error of the listening socket itself (out of descriptors).
const PAUSE: Duration = Duration::from_millis(100);

/// The certificate and key of a TLS listener.
#[derive(Clone, Debug)]
pub struct AdminTls(Arc<ServerConfig>);

impl AdminTls {
    /// Reads PEM files: the chain, the server's certificate first, and its key.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, String> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|error| format!("{}: {error}", certificate.display()))?;
        if chain.is_empty() {
            return Err(format!("{} has no certificate in PEM form", certificate.display()));
        }
        let key_in_it = PrivateKeyDer::from_pem_file(key).map_err(|error| {
            format!("{} has no private key in PEM form: {error}", key.display())
        })?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_single_cert(chain, key_in_it)
            .map_err(|error| format!("{} and {}: {error}", certificate.display(), key.display()))?;
        Ok(Self(Arc::new(config)))
    }
}

/// A listener whose connections have finished their handshake.
pub(super) struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Takes connections of `listener`; runs in the control thread's runtime.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn new(listener: TcpListener, tls: &AdminTls) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(tls.0.clone());
        let (finished, ready) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move {
            while !finished.is_closed() {
                let Ok((stream, peer)) = listener.accept().await else {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                };
                let (acceptor, finished) = (acceptor.clone(), finished.clone());
                tokio::spawn(async move {
                    let handshake = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream));
                    if let Ok(Ok(stream)) = handshake.await {
                        // Nobody listens any more when the process ends.
                        let _ = finished.send((stream, peer)).await;
                    }
                });
            }
        });
        Ok(Self { address, ready })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
