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
    crypto::{CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
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
            .with_client_cert_verifier(Arc::new(AnyClient))
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
        let verifier = Server { expected, shown_instead };
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

/// The ciphers of ring, with one key exchange: both ends are ours, so there is nothing to negotiate.
///
/// It is not quantum-safe: who records a link today may read it when such a computer exists.
/// Whatever else ring and TLS know (other curves, RSA, certificates, keys in files) is never asked for, and so is not linked.
fn provider() -> CryptoProvider {
    use ring::cipher_suite::{TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256};
    CryptoProvider {
        cipher_suites: vec![TLS13_AES_256_GCM_SHA384, TLS13_AES_128_GCM_SHA256, TLS13_CHACHA20_POLY1305_SHA256],
        kx_groups: vec![ring::kx_group::X25519],
        // Signatures are verified here, by `verify_signature`, and no chains are.
        signature_verification_algorithms: WebPkiSupportedAlgorithms { all: &[], mapping: &[] },
        secure_random: &System,
        key_provider: &NoFiles,
    }
}

/// Random bytes of the system.
#[derive(Debug)]
struct System;

impl SecureRandom for System {
    fn fill(&self, out: &mut [u8]) -> Result<(), GetRandomFailed> {
        getrandom::fill(out).map_err(|_| GetRandomFailed)
    }
}

/// Reads no keys: this device's own is given.
#[derive(Debug)]
struct NoFiles;

impl KeyProvider for NoFiles {
    fn load_private_key(&self, _key: PrivateKeyDer<'static>) -> Result<Arc<dyn TlsSigningKey>, Error> {
        Err(Error::General("keys are not read from files".to_owned()))
    }
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
/// scheme, raw keys only, and nothing older than TLS 1.3.
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
            verify_signature(message, cert, dss)
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
struct AnyClient;

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

/// As signatures of entries are: strictly (RFC 8032, no small-order keys).
fn verify_signature(
    message: &[u8],
    cert: &CertificateDer<'_>,
    dss: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let refused = || Error::from(CertificateError::BadSignature);
    // rustls asks the verifier to hold peers to the schemes it offered.
    if dss.scheme != SignatureScheme::ED25519 {
        return Err(refused());
    }
    let shown = PeerKey::from_spki(cert).ok_or(CertificateError::BadEncoding)?;
    let signature = dss.signature().try_into().map_err(|_| refused())?;
    shown.verify(message, signature).then(HandshakeSignatureValid::assertion).ok_or_else(refused)
}
