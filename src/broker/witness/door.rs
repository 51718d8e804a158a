//! Who comes in, how many at a time, and how long each is listened to.

use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::{PeerIncompatible, ServerConfig, ServerConnection, StreamOwned};
use sha2::{Digest, Sha256};

use super::book::Book;
use crate::domain::ids::Fingerprint;
use crate::domain::places::{Place, Places};
use crate::mqtt::served::{self, Deed};
use crate::timed::Timed;

/// The longest from a client's arrival to its CONNACK, however its bytes come: a small
/// microcontroller needs seconds for a handshake. `[connect] within` may be shorter.
const LETTING_IN: Duration = Duration::from_secs(20);

/// How long a client that spoke is still answered.
const FAREWELL: Duration = Duration::from_secs(5);

/// Clients that are heard at a time, each in a thread.
const CLIENTS: usize = 256;

/// Clients of one address: as many as a line has slots, should all devices come through one
/// gateway.
const CLIENTS_OF_ONE: usize = 64;

/// A client's thread holds a handshake and one packet.
const STACK: usize = 512 << 10;

/// How often the listener looks whether it is over.
const SLICE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// How long to wait before the next client is taken where taking one failed.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// The door of the broker.
pub(super) struct Door {
    tls: Arc<ServerConfig>,
    book: Arc<Book>,
    places: Places,
    patience: Duration,
}

/// One client that is listened to.
struct Client {
    tls: Arc<ServerConfig>,
    book: Arc<Book>,
    number: u64,
    patience: Duration,
    arrived: Instant,
}

impl Door {
    pub(super) fn new(tls: Arc<ServerConfig>, book: Arc<Book>, patience: Duration) -> Self {
        Self { tls, book, places: Places::new(CLIENTS, CLIENTS_OF_ONE), patience }
    }

    /// Takes clients until the book is closed.
    pub(super) fn serve(&self, listener: &TcpListener) {
        while !self.book.is_over() {
            let mut polled = [PollFd::new(listener, PollFlags::IN)];
            // What can't be waited for is tried again, as often as a slice is long.
            let _ = poll(&mut polled, Some(&SLICE));
            match listener.accept() {
                Ok((socket, from)) => self.take(socket, from.ip()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => {
                    tracing::warn!(%error, "the station's broker can't take a client");
                    thread::park_timeout(AFTER_FAILED_ACCEPT);
                }
            }
        }
    }

    fn take(&self, socket: TcpStream, from: IpAddr) {
        let Some(place) = self.places.take(from) else {
            tracing::debug!(%from, "the station's broker has no place for another client");
            return;
        };
        let client = Client {
            tls: Arc::clone(&self.tls),
            book: Arc::clone(&self.book),
            number: self.book.begin(from),
            patience: self.patience,
            arrived: Instant::now(),
        };
        let (number, book) = (client.number, Arc::clone(&self.book));
        let builder = thread::Builder::new().name("broker client".to_owned()).stack_size(STACK);
        if let Err(error) = builder.spawn(move || client.attend(socket, place)) {
            book.ended(number, format!("the station has no thread for it: {error}"));
        }
    }
}

impl Client {
    /// Hears it to its end, and notes what that was.
    fn attend(&self, socket: TcpStream, _place: Place) {
        let why = match self.hear(socket) {
            Ok(()) => "it left".to_owned(),
            Err(error) => why(&error),
        };
        if let Some(visit) = self.book.ended(self.number, why) {
            tracing::info!("a client of the station's broker: {visit}");
        }
    }

    fn hear(&self, socket: TcpStream) -> io::Result<()> {
        let let_in = self.arrived + LETTING_IN.min(self.patience);
        let server = ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(server, Timed::new(socket, let_in)?);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        let shown = stream.conn.peer_certificates().and_then(<[_]>::first);
        let shown = shown.ok_or_else(|| io::Error::other("it showed no certificate"))?;
        let certificate = Fingerprint::new(Sha256::digest(shown).into());
        self.book.proved(self.number, certificate);
        let said = served::read_connect(&mut stream)?;
        stream.write_all(&said.version.accepted())?;
        stream.flush()?;
        self.book.named(self.number, certificate, said.client_id);
        stream.sock.set_deadline(Instant::now() + self.patience);
        self.answer(&mut stream, said.version)
    }

    /// Answers what it does, which shows that its CONNACK came.
    fn answer(
        &self,
        stream: &mut StreamOwned<ServerConnection, Timed>,
        version: served::Version,
    ) -> io::Result<()> {
        let mut has_spoken = false;
        while let Deed::Spoke(answer) = served::read_deed(stream, version)? {
            if !has_spoken {
                has_spoken = true;
                self.book.spoke(self.number);
                stream.sock.set_deadline(Instant::now() + FAREWELL);
            }
            stream.write_all(&answer)?;
            stream.flush()?;
        }
        Ok(())
    }
}

/// What ended a client's visit, in words.
fn why(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (inner, error.kind()) {
        (Some(error), _) => why_tls(error),
        (None, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
            "it closed the connection".to_owned()
        }
        (None, _) => error.to_string(),
    }
}

fn why_tls(error: &rustls::Error) -> String {
    use rustls::Error::{AlertReceived, InvalidCertificate, NoCertificatesPresented};
    match error {
        AlertReceived(alert) => format!("it sent the alert {alert:?}"),
        NoCertificatesPresented => "it showed no certificate".to_owned(),
        InvalidCertificate(why) => format!("its certificate is refused: {why}"),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => "it offers no TLS version that the broker speaks".to_owned(),
        other => other.to_string(),
    }
}
