//! A broker that devices meet as their last proof: TLS that demands a certificate of the
//! station's CA, and MQTT as far as the first packet behind CONNACK. What it sees it tells
//! whoever waits for it.
//!
//! It keeps no message and passes none on. Whoever connects without a certificate of this
//! CA does not get beyond TLS. Nobody who connects can keep others out: places are bounded,
//! in all and for each address, and each client has one deadline until it is let in.

mod book;
mod door;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use zeroize::Zeroizing;

use self::book::Book;
use self::door::Door;
use crate::domain::cause::cause;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::{Sighting, Witness as Seer};
use crate::domain::identity::TlsVersion;
use crate::domain::ids::{ClientId, Fingerprint};
use crate::domain::say::Say;
use crate::say;

/// What the broker is, and whom it lets in.
pub struct WitnessSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its certificate and what stands above it, leaf first, DER.
    pub certificates: Vec<Vec<u8>>,
    /// Its key, PKCS#8 in DER.
    pub key: Zeroizing<Vec<u8>>,
    /// The CA whose clients it lets in, DER.
    pub authority: Vec<u8>,
    /// The oldest TLS version that it speaks.
    pub tls_min: TlsVersion,
    /// The newest one.
    pub tls_max: TlsVersion,
    /// How long a device is waited for after its restart.
    pub patience: Duration,
}

/// The station's own broker. It ends when it is dropped.
pub struct Witness {
    book: Arc<Book>,
    address: SocketAddr,
    patience: Duration,
    thread: Option<JoinHandle<()>>,
}

impl Witness {
    /// Starts to listen.
    pub fn start(settings: WitnessSettings) -> Result<Self, Fault> {
        let failed = |what: Say, error: Say| Fault::said(Code::BrokerStart, what.then(&error));
        let patience = settings.patience;
        let listen = settings.listen;
        let tls = server_config(settings).map_err(|error| {
            let what = say!(
                "the station's broker can't use its certificate and key",
                "本站的代理服务器不能用它的证书和密钥"
            );
            failed(what, error)
        })?;
        let taken = |error: io::Error| {
            let what = say!(
                "the station's broker can't listen at {listen}",
                "本站的代理服务器无法在 {listen} 监听"
            );
            failed(what, cause(&error))
        };
        let listener = TcpListener::bind(listen).map_err(taken)?;
        listener.set_nonblocking(true).map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let book = Arc::new(Book::default());
        let door = Door::new(Arc::new(tls), Arc::clone(&book), patience);
        let thread = thread::Builder::new()
            .name("broker".to_owned())
            .spawn(move || door.serve(&listener))
            .map_err(taken)?;
        Ok(Self { book, address, patience, thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.book.close();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}

impl Seer for Witness {
    fn wait_for(
        &self,
        certificate: &Fingerprint,
        client_id: &ClientId,
        since: Instant,
    ) -> Sighting {
        self.book.wait_for(certificate, client_id, since, Instant::now() + self.patience)
    }

    fn patience(&self) -> Duration {
        self.patience
    }
}

fn server_config(settings: WitnessSettings) -> Result<ServerConfig, Say> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from(settings.authority);
    roots.add(authority).map_err(|error| cause(&error))?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| cause(&error))?;
    let versions: Vec<&SupportedProtocolVersion> =
        [(TlsVersion::V1_3, &rustls::version::TLS13), (TlsVersion::V1_2, &rustls::version::TLS12)]
            .into_iter()
            .filter(|(version, _)| (settings.tls_min..=settings.tls_max).contains(version))
            .map(|(_, version)| version)
            .collect();
    let certificates = settings.certificates.into_iter().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(settings.key.as_slice()));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .map_err(|error| cause(&error))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates, key.clone_key())
        .map_err(|error| cause(&error))?;
    // Nobody resumes anything here, and wolfSSL 5.5.4 ends at a ticket's nonce of 32 bytes.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}
