//! A broker that devices meet as their last proof: TLS that demands a certificate of the
//! station's CA, and MQTT as far as CONNECT. What it sees it tells whoever waits for it.
//!
//! It keeps no message and passes none on. Whoever connects without a certificate of this
//! CA does not get beyond TLS.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::mqtt;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::{Sighting, Witness as Seer};
use crate::domain::identity::TlsVersion;
use crate::domain::ids::{ClientId, Fingerprint};

/// For each thing that a client says, and for its staying afterwards.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the listener looks whether it is over.
const SLICE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Clients that are heard at a time; a line has 64 slots.
const CLIENTS: usize = 256;

/// Sightings that are kept. A device connects again and again.
const KEPT: usize = 4096;

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

/// One client that proved its certificate.
struct Seen {
    certificate: Fingerprint,
    client_id: String,
    at: Instant,
}

#[derive(Default)]
struct Book {
    seen: Mutex<VecDeque<Seen>>,
    came: Condvar,
    is_over: AtomicBool,
    clients: AtomicUsize,
}

impl Book {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, seen: Seen) {
        let mut all = self.lock();
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(seen);
        self.came.notify_all();
    }
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
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            Fault::new(Code::BrokerStart, format!("{what}: {error}"))
        };
        let patience = settings.patience;
        let listen = settings.listen;
        let tls = server_config(settings).map_err(|error| {
            failed("the station's broker can't use its certificate and key", &error)
        })?;
        let taken = |error: io::Error| {
            failed(&format!("the station's broker can't listen at {listen}"), &error)
        };
        let listener = TcpListener::bind(listen).map_err(taken)?;
        listener.set_nonblocking(true).map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let book = Arc::new(Book::default());
        let shared = Arc::clone(&book);
        let thread = thread::Builder::new()
            .name("broker".to_owned())
            .spawn(move || serve(&listener, &Arc::new(tls), &shared))
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
        self.book.is_over.store(true, Ordering::Release);
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
        let until = Instant::now() + self.patience;
        let mut all = self.book.lock();
        loop {
            let its = |seen: &&Seen| seen.certificate == *certificate && seen.at >= since;
            let mut met = all.iter().filter(its);
            if met.clone().any(|seen| seen.client_id == client_id.as_str()) {
                return Sighting::Connected;
            }
            if let Some(other) = met.next() {
                return Sighting::OtherClientId(other.client_id.clone());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Sighting::Nobody;
            }
            let waited = self.book.came.wait_timeout(all, left);
            all = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn patience(&self) -> Duration {
        self.patience
    }
}

fn server_config(settings: WitnessSettings) -> Result<ServerConfig, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from(settings.authority);
    roots.add(authority).map_err(|error| told(&error))?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| told(&error))?;
    let versions: Vec<&SupportedProtocolVersion> =
        [(TlsVersion::V1_3, &rustls::version::TLS13), (TlsVersion::V1_2, &rustls::version::TLS12)]
            .into_iter()
            .filter(|(version, _)| (settings.tls_min..=settings.tls_max).contains(version))
            .map(|(_, version)| version)
            .collect();
    let certificates = settings.certificates.into_iter().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(settings.key.as_slice()));
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .map_err(|error| told(&error))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates, key.clone_key())
        .map_err(|error| told(&error))
}

fn serve(listener: &TcpListener, tls: &Arc<ServerConfig>, book: &Arc<Book>) {
    while !book.is_over.load(Ordering::Acquire) {
        let mut polled = [PollFd::new(listener, PollFlags::IN)];
        // What can't be waited for is tried again, as often as a slice is long.
        let _ = poll(&mut polled, Some(&SLICE));
        let Ok((socket, _)) = listener.accept() else { continue };
        if book.clients.fetch_add(1, Ordering::AcqRel) >= CLIENTS {
            book.clients.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        let (tls, shared) = (Arc::clone(tls), Arc::clone(book));
        let hearing = thread::Builder::new().name("broker client".to_owned()).spawn(move || {
            if let Err(error) = hear(socket, tls, &shared) {
                tracing::debug!(%error, "a client of the station's broker did not get in");
            }
            shared.clients.fetch_sub(1, Ordering::AcqRel);
        });
        if hearing.is_err() {
            book.clients.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Hears one client, up to its first message.
fn hear(socket: TcpStream, tls: Arc<ServerConfig>, book: &Book) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let server = ServerConnection::new(tls).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(server, socket);
    let client_id = mqtt::read_connect(&mut stream)?;
    let shown = stream.conn.peer_certificates().and_then(<[_]>::first);
    let certificate = shown.ok_or_else(|| io::Error::other("it showed no certificate"))?;
    let certificate = Fingerprint::new(Sha256::digest(certificate).into());
    book.note(Seen { certificate, client_id, at: Instant::now() });
    stream.write_all(&mqtt::ACCEPTED)?;
    stream.flush()?;
    // Most clients say something now; one that waits for its answer gets it.
    while let Some(packet) = mqtt::read_publish(&mut stream)? {
        stream.write_all(&mqtt::acknowledged(packet))?;
        stream.flush()?;
    }
    Ok(())
}
