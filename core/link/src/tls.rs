//! TLS 1.3 with raw public keys (RFC 7250): each side proves one Ed25519 key, and that is all.
//!
//! No certificates, no names, no authorities, no resumption, no 0-RTT: the same key is proved
//! anew for every connection.

use std::sync::{Arc, OnceLock};

use merestone_core::key::SigningKey;
use quinn::crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, ServerConfig,
    SignatureAlgorithm, SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::{
        AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::{CertifiedKey, Signer, SigningKey as TlsSigningKey},
    version::TLS13,
};

use crate::{PeerKey, TransportKey, Version};

/// TLS wants a name to connect to; it is never sent, looked up or compared.
pub(crate) const NO_NAME: &str = "peer.invalid";

/// This device's key in the form TLS takes it, made once per endpoint.
#[derive(Clone)]
pub(crate) struct Identity {
    provider: Arc<CryptoProvider>,
    key: Arc<CertifiedKey>,
}

impl Identity {
    pub(crate) fn new(key: &TransportKey) -> Self {
        let signer = Arc::new(TransportSigner(key.signing_key()));
        let spki = CertificateDer::from(key.public().to_spki());
        Self { provider: Arc::new(provider()), key: Arc::new(CertifiedKey::new(vec![spki], signer)) }
    }

    /// Versions up to `newest` are offered; with none in common the handshake fails on both sides.
    pub(crate) fn server_config(&self, newest: Version) -> Arc<QuicServerConfig> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])
            .expect("the provider has TLS 1.3 suites and X25519")
            .with_client_cert_verifier(Arc::new(AnyClient { provider: Arc::clone(&self.provider) }))
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(Arc::clone(&self.key))));
        config.alpn_protocols = Version::offered(newest);
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        Arc::new(QuicServerConfig::try_from(config).expect("the provider has AES-128-GCM"))
    }

    /// `shown_instead` is filled in when the server shows another key than the expected one.
    pub(crate) fn client_config(
        &self,
        newest: Version,
        expected: Option<PeerKey>,
        shown_instead: Arc<OnceLock<PeerKey>>,
    ) -> Arc<QuicClientConfig> {
        let verifier = Server { provider: Arc::clone(&self.provider), expected, shown_instead };
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])
            .expect("the provider has TLS 1.3 suites and X25519")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(Arc::clone(&self.key))));
        config.alpn_protocols = Version::offered(newest);
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        config.enable_sni = false;
        Arc::new(QuicClientConfig::try_from(config).expect("the provider has AES-128-GCM"))
    }
}

/// The key the peer proved, once a handshake is complete.
pub(crate) fn proved_key(quic: &quinn::Connection) -> Option<PeerKey> {
    let identity = quic.peer_identity()?;
    let shown = identity.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    match shown.as_slice() {
        [spki] => PeerKey::from_spki(spki),
        _ => None,
    }
}

/// The version both sides agreed on, once a handshake is complete.
pub(crate) fn agreed_version(quic: &quinn::Connection) -> Option<Version> {
    let data = quic.handshake_data()?.downcast::<HandshakeData>().ok()?;
    Version::from_alpn(&data.protocol?)
}

/// ring, with one key exchange: both ends are ours, so there is nothing to negotiate.
///
/// It is not quantum-safe: who records a link today may read it when such a computer exists.
fn provider() -> CryptoProvider {
    CryptoProvider { kx_groups: vec![ring::kx_group::X25519], ..ring::default_provider() }
}

#[derive(Debug)]
struct TransportSigner(Arc<SigningKey>);

impl TlsSigningKey for TransportSigner {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ED25519).then(|| Box::new(Self(Arc::clone(&self.0))) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for TransportSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.0.sign(message).to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// What rustls asks of a verifier in either direction, in the same words of two traits: one
/// scheme, raw keys only, and nothing older than TLS 1.3. Expects a field `provider`.
macro_rules! raw_key_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _cert: &CertificateDer<'_>,
            _dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(PeerIncompatible::Tls13RequiredForQuic.into())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_signature(&self.provider, message, cert, dss)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }
    };
}

/// Accepts any server that proves the expected key, or any key when none is expected.
#[derive(Debug)]
struct Server {
    provider: Arc<CryptoProvider>,
    expected: Option<PeerKey>,
    shown_instead: Arc<OnceLock<PeerKey>>,
}

impl ServerCertVerifier for Server {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = shown_key(end_entity, intermediates)?;
        match self.expected {
            // Refused here, before our own key is sent: a stranger at a known address learns
            // nothing about who called.
            Some(expected) if expected != shown => {
                let _ = self.shown_instead.set(shown);
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            Some(_) | None => Ok(ServerCertVerified::assertion()),
        }
    }

    raw_key_signatures!();
}

/// Accepts any client that proves some key; the conversation's first frame says whose it is.
#[derive(Debug)]
struct AnyClient {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        shown_key(end_entity, intermediates).map(|_| ClientCertVerified::assertion())
    }

    raw_key_signatures!();
}

/// The one key in a Certificate message; RFC 7250 has no chains.
fn shown_key(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Result<PeerKey, Error> {
    match (PeerKey::from_spki(end_entity), intermediates) {
        (Some(key), []) => Ok(key),
        _ => Err(CertificateError::BadEncoding.into()),
    }
}

fn verify_signature(
    provider: &CryptoProvider,
    message: &[u8],
    cert: &CertificateDer<'_>,
    dss: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    // rustls asks the verifier to hold peers to the schemes it offered.
    if dss.scheme != SignatureScheme::ED25519 {
        return Err(CertificateError::BadSignature.into());
    }
    verify_tls13_signature_with_raw_key(
        message,
        &SubjectPublicKeyInfoDer::from(cert.as_ref()),
        dss,
        &provider.signature_verification_algorithms,
    )
}
