//! Connects to a broker as a device would, up to the point where its certificate verified.
//!
//! Nothing is said in MQTT and no client certificate is shown: a broker that breaks off
//! because of that has shown its own before, which is all that is asked here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::domain::cause::cause;
use crate::domain::identity::TlsVersion;
use crate::domain::say::Say;
use crate::say;

/// For the connection and the handshake: a broker near or far answers within a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// A broker as the devices are told of it.
#[derive(Debug, Clone)]
pub struct Broker<'a> {
    /// Its host.
    pub host: &'a str,
    /// Its TLS port.
    pub port: u16,
    /// The oldest TLS version that the devices may use.
    pub tls_min: TlsVersion,
    /// The newest one.
    pub tls_max: TlsVersion,
    /// The roots that they trust, DER.
    pub roots: &'a [Vec<u8>],
}

/// Why a broker was not verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// It can't be reached from here, so nothing is known.
    #[error("{0}")]
    Unreached(Say),
    /// It is there, and no device could connect.
    #[error("{0}")]
    Refused(Say),
}

/// Connects and verifies.
pub async fn probe(broker: &Broker<'_>) -> Result<(), Unverified> {
    let (refused, unreached) = (Unverified::Refused, Unverified::Unreached);
    let verdict = Arc::new(Verdict::new(broker.roots).map_err(refused)?);
    let config = config(broker, &verdict).map_err(|error| refused(cause(&error)))?;
    let name = ServerName::try_from(broker.host.to_owned());
    let name = name.map_err(|error| refused(cause(&error)))?;
    let connected = TcpStream::connect((broker.host, broker.port));
    let stream = tokio::time::timeout(PATIENCE, connected).await;
    let stream = stream.map_err(|_| unreached(say!("no connection in time", "没有按时连接上")))?;
    let stream = stream.map_err(|error| unreached(cause(&error)))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let shaken = tokio::time::timeout(PATIENCE, handshake).await;
    match (verdict.found(), shaken) {
        (Some(found), _) => found.map_err(Unverified::Refused),
        (None, Ok(Ok(_))) => Ok(()),
        (None, Ok(Err(error))) => Err(refused(say!("no TLS", "TLS 没有建立").then(&cause(&error)))),
        (None, Err(_)) => Err(unreached(say!("no TLS handshake in time", "TLS 握手没有按时完成"))),
    }
}

fn config(broker: &Broker<'_>, verdict: &Arc<Verdict>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(broker.tls_min, broker.tls_max))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(verdict) as Arc<dyn ServerCertVerifier>);
    Ok(builder.with_no_client_auth())
}

fn versions(min: TlsVersion, max: TlsVersion) -> Vec<&'static SupportedProtocolVersion> {
    let all =
        [(TlsVersion::V1_3, &rustls::version::TLS13), (TlsVersion::V1_2, &rustls::version::TLS12)];
    let allowed = all.into_iter().filter(|(version, _)| (min..=max).contains(version));
    allowed.map(|(_, version)| version).collect()
}

/// The ordinary verification, which also remembers what it found.
#[derive(Debug)]
struct Verdict {
    verifier: Arc<WebPkiServerVerifier>,
    found: Mutex<Option<Result<(), Say>>>,
}

impl Verdict {
    fn new(roots: &[Vec<u8>]) -> Result<Self, Say> {
        let mut store = RootCertStore::empty();
        for der in roots {
            let der = CertificateDer::from_slice(der).into_owned();
            store.add(der).map_err(|error| cause(&error))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
            .build()
            .map_err(|error| cause(&error))?;
        Ok(Self { verifier, found: Mutex::new(None) })
    }

    fn found(&self) -> Option<Result<(), Say>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Verdict {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let found = verified.as_ref().map(|_| ()).map_err(|error| cause(error));
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
