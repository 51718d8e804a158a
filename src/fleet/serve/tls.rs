//! TLS of the fleet: its own certificate from files, and whatever certificate a station shows.
//! That its holder has the key is proven here; whose it is, the door decides for each request.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};

use super::super::error::FleetError;
use crate::domain::cause::cause;
use crate::domain::say::Say;
use crate::say;

/// The server's own certificate and key, PEM.
pub struct ServerTls {
    /// The certificate, and what stands above it.
    pub certificate: Vec<u8>,
    /// The key.
    pub key: Vec<u8>,
}

/// Takes any certificate whose holder signs the handshake; a browser shows none.
#[derive(Debug)]
struct Shown(Arc<CryptoProvider>);

impl ClientCertVerifier for Shown {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 alone is spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// TLS 1.3 alone: what a station signs in an older handshake could be anything.
pub(super) fn config(files: &ServerTls) -> Result<ServerConfig, FleetError> {
    let wrong = |why: Say| {
        let what = say!("the server's certificate and key", "服务的证书和密钥");
        FleetError::Asked(what.then(&why))
    };
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(&files.certificate).collect();
    let chain = chain.map_err(|_| wrong(say!("the certificate is no PEM", "证书不是 PEM")))?;
    let key = PrivateKeyDer::from_pem_slice(&files.key)
        .map_err(|_| wrong(say!("the key is no PEM", "密钥不是 PEM")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| wrong(cause(&error)))?
        .with_client_cert_verifier(Arc::new(Shown(provider)));
    builder.with_single_cert(chain, key).map_err(|error| wrong(cause(&error)))
}
