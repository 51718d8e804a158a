//! A device's way into a broker: TLS with its certificate, CONNECT with its client id, one
//! message.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use zeroize::Zeroizing;

use super::mqtt::{self, Said};
use super::timed::Timed;
use crate::domain::cause::{Told, library};
use crate::domain::identity::TlsVersion;

/// For the connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// For all that comes then, however the broker's bytes come.
const MEETING: Duration = Duration::from_secs(10);

/// Whom to meet, and how.
#[derive(Debug, Clone)]
pub struct Meeting<'a> {
    /// The broker's address.
    pub address: SocketAddr,
    /// The name that its certificate must have.
    pub name: &'a str,
    /// The roots that its certificate must chain to, DER.
    pub roots: &'a [Vec<u8>],
    /// The only TLS version that the client speaks.
    pub version: TlsVersion,
    /// The MQTT client id.
    pub client_id: &'a str,
}

/// Who the client is.
pub struct Identity {
    /// The client certificate and what stands above it, leaf first, DER.
    pub certificates: Vec<Vec<u8>>,
    /// The private key, PKCS#8 in DER.
    pub key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// The broker took the client and its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connected {
    /// The TLS version that was spoken.
    pub version: TlsVersion,
}

/// Why a client did not get in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The broker can't be reached.
    #[error("no connection: {0}")]
    Unreached(String),
    /// TLS did not come about; a broker's own reason is an alert.
    #[error("no TLS: {0}")]
    Tls(String),
    /// The broker said no in MQTT.
    #[error("MQTT was refused: {0}")]
    Mqtt(String),
}

impl Told for Refused {
    fn chinese(&self) -> Option<String> {
        let (what, why) = match self {
            Self::Unreached(why) => ("无法连接", why),
            Self::Tls(why) => ("TLS 没有建立", why),
            Self::Mqtt(why) => ("MQTT 被拒绝", why),
        };
        Some(format!("{what}：{}", library(why.clone()).chinese))
    }
}

/// Connects as a device does, publishes one message that the broker acknowledges, and
/// leaves. Without an identity it shows no certificate.
pub fn connect(meeting: &Meeting<'_>, identity: Option<&Identity>) -> Result<Connected, Refused> {
    let unreached = |error: io::Error| Refused::Unreached(error.to_string());
    let tls = |error: &dyn std::fmt::Display| Refused::Tls(error.to_string());
    let config = config(meeting, identity).map_err(|error| tls(&error))?;
    let name = ServerName::try_from(meeting.name.to_owned()).map_err(|error| tls(&error))?;
    let socket = TcpStream::connect_timeout(&meeting.address, PATIENCE).map_err(unreached)?;
    let socket = Timed::new(socket, Instant::now() + MEETING).map_err(unreached)?;
    let client = ClientConnection::new(Arc::new(config), name).map_err(|error| tls(&error))?;
    let mut stream = StreamOwned::new(client, socket);
    // With TLS 1.3 a refused certificate is told only after the client's own part is done.
    let ask = |stream: &mut StreamOwned<_, _>, packet: &[u8]| {
        let sent = stream.write_all(packet).and_then(|()| stream.flush());
        sent.and_then(|()| mqtt::read(stream)).map_err(|error| why(&error))
    };
    match ask(&mut stream, &mqtt::connect(meeting.client_id))? {
        Said::Connack(0) => {}
        Said::Connack(code) => return Err(Refused::Mqtt(mqtt::refusal(code).to_owned())),
        Said::Puback(_) => return Err(Refused::Mqtt("it answers another packet".to_owned())),
    }
    let topic = format!("selftest/{}", meeting.client_id);
    match ask(&mut stream, &mqtt::publish(&topic, b"here"))? {
        Said::Puback(1) => {}
        _ => return Err(Refused::Mqtt("it does not acknowledge the message".to_owned())),
    }
    let version = match stream.conn.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => TlsVersion::V1_2,
        _ => TlsVersion::V1_3,
    };
    // Whether it hears the farewell is its own matter.
    let _ = stream.write_all(&mqtt::DISCONNECT).and_then(|()| stream.flush());
    Ok(Connected { version })
}

fn config(
    meeting: &Meeting<'_>,
    identity: Option<&Identity>,
) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for der in meeting.roots {
        roots.add(CertificateDer::from_slice(der).into_owned())?;
    }
    let version: &SupportedProtocolVersion = match meeting.version {
        TlsVersion::V1_2 => &rustls::version::TLS12,
        TlsVersion::V1_3 => &rustls::version::TLS13,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])?
        .with_root_certificates(roots);
    let Some(identity) = identity else { return Ok(builder.with_no_client_auth()) };
    let certificates = identity.certificates.iter();
    let certificates = certificates.map(|der| CertificateDer::from_slice(der).into_owned());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.as_slice()));
    builder.with_client_auth_cert(certificates.collect(), key.clone_key())
}

/// What broke a connection off: the broker's alert, or whatever else it was.
fn why(error: &io::Error) -> Refused {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(alert)) => Refused::Tls(format!("{alert:?}")),
        Some(other) => Refused::Tls(other.to_string()),
        None => Refused::Mqtt(format!("the connection ended: {error}")),
    }
}
