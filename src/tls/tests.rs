//! Both sides of a TLS connection in memory: ours against a rustls server.

use std::io::{Read, Write};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, ServerConnection};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::trust::trusting;
use super::{ClientIdentity, ClientTls, ClientTrust, TlsError};

/// A CA and a server certificate it signed for `names`.
struct Authority {
    ca: CertificateDer<'static>,
    ca_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    key_pem: String,
    certificate_pem: String,
}

fn authority(names: &[&str]) -> Authority {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    Authority {
        ca: issuer.der().clone(),
        ca_pem: issuer.pem(),
        chain: vec![certificate.der().clone()],
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        key_pem: key.serialize_pem(),
        certificate_pem: certificate.pem(),
    }
}

impl Authority {
    fn server(&self, alpn: &[&[u8]]) -> ServerConnection {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        ServerConnection::new(Arc::new(config)).unwrap()
    }
}

/// Moves bytes both ways, `step` bytes of ciphertext at a time towards the client, until neither side
/// has any. Returns what the client decrypted.
fn exchange(
    client: &mut ClientTls,
    server: &mut ServerConnection,
    step: usize,
) -> Result<Vec<u8>, TlsError> {
    let mut plaintext = Vec::new();
    loop {
        let mut to_server = Vec::new();
        client.pending(&mut to_server);
        let mut rest = &to_server[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            let _alert_goes_out_below = server.process_new_packets();
        }
        let mut to_client = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut to_client).unwrap();
        }
        if to_server.is_empty() && to_client.is_empty() {
            return Ok(plaintext);
        }
        for piece in to_client.chunks(step) {
            client.receive(piece, &mut plaintext)?;
        }
    }
}

fn connect(trust: &ClientTrust, insecure: bool, host: &str) -> ClientTls {
    ClientTls::new(trust.config(insecure), host).unwrap()
}

#[test]
fn plaintext_comes_back_whatever_pieces_the_ciphertext_comes_in() {
    let authority = authority(&["backend.test"]);
    let trust = trusting(std::slice::from_ref(&authority.ca));
    for step in [1, 7, 4_096, 1 << 20] {
        let mut server = authority.server(&[b"http/1.1"]);
        let mut client = connect(&trust, false, "backend.test");
        assert!(client.handshaking());
        exchange(&mut client, &mut server, step).unwrap();
        assert!(!client.handshaking());
        assert_eq!(server.alpn_protocol(), Some(&b"http/1.1"[..]));

        let request = b"GET / HTTP/1.1\r\n\r\n";
        assert_eq!(client.send(request), request.len());
        exchange(&mut client, &mut server, step).unwrap();
        let mut seen = [0; 64];
        let length = server.reader().read(&mut seen).unwrap();
        assert_eq!(&seen[..length], request);

        let answer: Vec<u8> = (0..100_000_u32).map(|byte| byte as u8).collect();
        let mut rest = &answer[..];
        let mut got = Vec::new();
        while !rest.is_empty() {
            let taken = server.writer().write(rest).unwrap();
            rest = &rest[taken..];
            got.extend(exchange(&mut client, &mut server, step).unwrap());
        }
        assert_eq!(got, answer, "step {step}");
    }
}

#[test]
fn plaintext_sent_during_the_handshake_is_bounded_and_follows_it() {
    let authority = authority(&["backend.test"]);
    let trust = trusting(std::slice::from_ref(&authority.ca));
    let mut server = authority.server(&[]);
    let mut client = connect(&trust, false, "backend.test");
    let body = vec![b'x'; 100_000];
    let taken = client.send(&body);
    assert!((1..=64 * 1024).contains(&taken), "{taken}");
    exchange(&mut client, &mut server, 4_096).unwrap();
    let mut seen = vec![0; body.len()];
    let length = server.reader().read(&mut seen).unwrap();
    assert!(length > 0 && seen[..length].iter().all(|&byte| byte == b'x'));
}

#[test]
fn seal_encrypts_more_than_the_buffer_holds() {
    let authority = authority(&["backend.test"]);
    let trust = trusting(std::slice::from_ref(&authority.ca));
    let mut server = authority.server(&[]);
    let mut client = connect(&trust, false, "backend.test");
    exchange(&mut client, &mut server, 4_096).unwrap();
    let body = vec![b'y'; 200_000];
    let mut out = Vec::new();
    client.seal(&body, &mut out);
    let (mut rest, mut seen) = (&out[..], Vec::new());
    while !rest.is_empty() {
        server.read_tls(&mut rest).unwrap();
        let count = server.process_new_packets().unwrap().plaintext_bytes_to_read();
        let mut piece = vec![0; count];
        server.reader().read_exact(&mut piece).unwrap();
        seen.extend(piece);
    }
    assert_eq!(seen, body);
}

#[test]
fn addresses_are_verified_with_and_without_brackets() {
    let authority = authority(&["127.0.0.1", "::1"]);
    let trust = trusting(std::slice::from_ref(&authority.ca));
    for host in ["127.0.0.1", "::1", "[::1]"] {
        let mut client = connect(&trust, false, host);
        exchange(&mut client, &mut authority.server(&[]), 4_096).unwrap();
        assert!(!client.handshaking(), "{host}");
    }
    let bad = ClientTls::new(trust.config(false), "not a name").unwrap_err();
    assert_eq!(bad, TlsError::InvalidName("not a name".to_owned()));
}

#[test]
fn a_wrong_name_or_an_unknown_authority_is_refused_and_the_peer_is_told() {
    let authority = authority(&["backend.test"]);
    let other = self::authority(&["backend.test"]);
    let trust = trusting(std::slice::from_ref(&authority.ca));
    for (served, host) in [(&authority, "elsewhere.test"), (&other, "backend.test")] {
        let mut server = served.server(&[]);
        let mut client = connect(&trust, false, host);
        let error = exchange(&mut client, &mut server, 4_096).unwrap_err();
        assert!(matches!(error, TlsError::Certificate(_)), "{host}: {error}");
        let mut alert = Vec::new();
        client.pending(&mut alert);
        assert!(!alert.is_empty(), "{host}: the peer gets an alert");
    }
}

#[test]
fn insecure_accepts_any_chain_and_name() {
    let authority = authority(&["backend.test"]);
    let trust = trusting(&[]);
    let mut client = connect(&trust, true, "elsewhere.test");
    exchange(&mut client, &mut authority.server(&[]), 4_096).unwrap();
    assert!(!client.handshaking());
}

/// A server that takes only clients whose certificate `clients` has signed.
fn mutual(server: &Authority, clients: &Authority) -> ServerConnection {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(clients.ca.clone()).unwrap();
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::clone(&provider),
    );
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(server.chain.clone(), server.key.clone_key())
        .unwrap();
    ServerConnection::new(Arc::new(config)).unwrap()
}

#[test]
fn an_identity_is_shown_to_a_server_that_asks() {
    let (server, clients) = (authority(&["backend.test"]), authority(&["gateway.test"]));
    let trust = trusting(std::slice::from_ref(&server.ca));
    let identity = ClientIdentity::from_pem(&clients.certificate_pem, &clients.key_pem).unwrap();
    for insecure in [false, true] {
        let config = identity.config(&trust, insecure);
        assert!(Arc::ptr_eq(&config, &identity.config(&trust, insecure)), "made once");
        let mut client = ClientTls::new(config, "backend.test").unwrap();
        let mut connection = mutual(&server, &clients);
        exchange(&mut client, &mut connection, 4_096).unwrap();
        let shown = connection.peer_certificates().expect("a certificate was shown");
        assert_eq!(shown, clients.chain);

        let mut nobody = connect(&trust, insecure, "backend.test");
        let refused = exchange(&mut nobody, &mut mutual(&server, &clients), 4_096);
        assert!(matches!(refused, Err(TlsError::Refused(_))), "{refused:?}");
    }
    // The server's name is checked no less for it.
    let mut client = ClientTls::new(identity.config(&trust, false), "other.test").unwrap();
    let refused = exchange(&mut client, &mut mutual(&server, &clients), 4_096);
    assert!(matches!(refused, Err(TlsError::Certificate(_))), "{refused:?}");
}

#[test]
fn insecure_still_refuses_a_peer_that_does_not_hold_the_key() {
    let authority = authority(&["backend.test"]);
    let thief = KeyPair::generate().unwrap();
    let key = PrivateKeyDer::try_from(thief.serialize_der()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let signing = provider.key_provider.load_private_key(key).unwrap();
    let stolen = rustls::sign::CertifiedKey::new(authority.chain.clone(), signing);
    #[derive(Debug)]
    struct Always(Arc<rustls::sign::CertifiedKey>);
    impl rustls::server::ResolvesServerCert for Always {
        fn resolve(
            &self,
            _hello: rustls::server::ClientHello<'_>,
        ) -> Option<Arc<rustls::sign::CertifiedKey>> {
            Some(self.0.clone())
        }
    }
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::new(stolen))));
    let mut server = ServerConnection::new(Arc::new(config)).unwrap();
    let mut client = connect(&trusting(&[]), true, "backend.test");
    assert!(exchange(&mut client, &mut server, 4_096).is_err());
}

#[test]
fn close_notify_ends_a_connection_and_its_absence_truncates_it() {
    let authority = authority(&["backend.test"]);
    let trust = trusting(std::slice::from_ref(&authority.ca));
    let mut server = authority.server(&[]);
    let mut client = connect(&trust, false, "backend.test");
    exchange(&mut client, &mut server, 4_096).unwrap();
    assert_eq!(client.end(), Err(TlsError::Truncated));
    server.writer().write_all(b"last words").unwrap();
    server.send_close_notify();
    let got = exchange(&mut client, &mut server, 4_096).unwrap();
    assert_eq!(got, b"last words");
    assert_eq!(client.end(), Ok(()));
    assert!(client.receive(b"garbage after the end", &mut Vec::new()).unwrap().closed);

    client.close_notify();
    assert!(client.has_pending());
}

#[test]
fn a_peer_that_speaks_no_tls_is_a_protocol_error() {
    let trust = trusting(&[]);
    let mut client = connect(&trust, false, "backend.test");
    let error = client.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n", &mut Vec::new()).unwrap_err();
    assert!(matches!(error, TlsError::Protocol(_)), "{error}");
}

#[test]
fn ca_files_are_read_and_bad_ones_are_named_with_their_line() {
    let dir = std::env::temp_dir().join(format!("ringway-tls-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let pem = authority(&["a.test"]).ca_pem;
    let good = file("good.pem", &format!("# a comment\n{pem}\n{pem}"));
    assert!(ClientTrust::load(std::slice::from_ref(&good)).unwrap().root_count() >= 2);

    let bad_second = format!("{pem}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    let line = pem.lines().count() + 1;
    for (name, text, says) in [
        ("empty.pem", "", "holds no certificate".to_owned()),
        ("key.pem", "-----BEGIN PRIVATE KEY-----\n", "holds no certificate".to_owned()),
        (
            "second.pem",
            &bad_second,
            format!("second.pem, line {line}: the certificate is not usable"),
        ),
        ("torn.pem", "-----BEGIN CERTIFICATE-----\nMIIB", "torn.pem, line 1".to_owned()),
    ] {
        let error = ClientTrust::load(&[file(name, text)]).unwrap_err();
        assert!(error.contains(&says), "{name}: {error}");
    }
    let error = ClientTrust::load(&[dir.join("absent.pem")]).unwrap_err();
    assert!(error.contains("absent.pem: No such file"), "{error}");
    std::fs::remove_dir_all(&dir).unwrap();
}
