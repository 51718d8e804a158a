//! A real mosquitto that takes the clients of a factory's CA.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use provisioning_station::broker::{
    self, Connected, Demands, Identity, Meeting, Mosquitto, Refused,
};
use provisioning_station::domain::clock::Timestamp;
use provisioning_station::domain::identity::TlsVersion;
use provisioning_station::pki::{SampleServer, pkcs8_of, sample_server};
use provisioning_station::sim::Held;
use tempfile::TempDir;

use super::openssl::split;

/// A broker with TLS 1.2 and 1.3.
pub(crate) struct Broker {
    mosquitto: Mosquitto,
    server: SampleServer,
    _folder: TempDir,
}

impl Broker {
    /// One that takes clients of these CAs which are on none of these lists; PEM both.
    pub(crate) fn start(authorities: &[&Path], lists: &[&Path]) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = Timestamp(i64::try_from(since.as_micros()).unwrap());
        let server = sample_server(IpAddr::V4(Ipv4Addr::LOCALHOST), now).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let all = |files: &[&Path]| -> String {
            files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
        };
        let demands = Demands {
            certificate: &server.certificate,
            key: &server.key,
            client_authorities: &all(authorities),
            revoked: &all(lists),
            tls_min: TlsVersion::V1_2,
            tls_max: TlsVersion::V1_3,
        };
        let mosquitto = Mosquitto::start(None, folder.path(), &demands).unwrap();
        Self { mosquitto, server, _folder: folder }
    }

    /// Has a device connect with what it holds.
    pub(crate) fn meets(
        &self,
        held: &Held,
        client_id: &str,
        version: TlsVersion,
    ) -> Result<Connected, Refused> {
        let mut certificates = vec![held.certificate.clone()];
        certificates.extend(split(&held.chain).map(<[u8]>::to_vec));
        let identity = Identity { certificates, key: pkcs8_of(&held.key).unwrap() };
        let meeting = Meeting {
            address: self.mosquitto.address(),
            name: "127.0.0.1",
            roots: std::slice::from_ref(&self.server.root),
            version,
            client_id,
        };
        broker::connect(&meeting, Some(&identity))
    }

    /// Demands that a device gets in under its client id, with both TLS versions.
    #[track_caller]
    pub(crate) fn assert_takes(&self, held: &Held, client_id: &str) {
        for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
            let connected = self.meets(held, client_id, version).unwrap();
            assert_eq!(connected.version, version);
        }
        assert!(self.mosquitto.has_let_in(client_id, client_id), "{:#?}", self.mosquitto.log());
    }

    /// Demands that a device is refused for this reason, with both TLS versions.
    #[track_caller]
    pub(crate) fn assert_refuses(&self, held: &Held, client_id: &str, reason: &str) {
        for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
            let refused = self.meets(held, client_id, version).unwrap_err();
            assert_eq!(refused, Refused::Tls(reason.to_owned()), "{:#?}", self.mosquitto.log());
        }
    }
}
