//! Devices that connect to the station's own broker with what they hold.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use provisioning_station::broker::{Identity, Meeting, connect};
use provisioning_station::domain::identity::TlsVersion;
use provisioning_station::pki::{pkcs8_of, read_certificates};
use provisioning_station::sim::held_identity;

use super::Factory;
use super::keys::files_under;
use super::openssl::openssl;

const PASSPHRASE: &str = "the broker's own";

/// Gives a factory a broker of its own, where devices are waited for this long.
pub(crate) fn give_broker(factory: &mut Factory, within: &str) -> SocketAddr {
    let at = |name: &str| factory.path(name).to_str().unwrap().to_owned();
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
    let (root, root_key) = (at("server-root.pem"), at("root.key"));
    let made = ["-keyout", &root_key, "-out", &root, "-subj", "/CN=Factory broker root"];
    openssl(&[&["req", "-x509", "-days", "30"], &curve[..], &made].concat());
    let (clear, sealed, certificate) = (at("clear.key"), at("broker.key"), at("broker.pem"));
    let own = ["-keyout", &clear, "-out", &certificate, "-subj", "/CN=broker", "-CA", &root];
    let names = ["-addext", "subjectAltName=IP:127.0.0.1"];
    let rest = ["-CAkey", &root_key, "-addext", "basicConstraints=critical,CA:FALSE"];
    openssl(&[&["req", "-x509", "-days", "30"], &curve[..], &own, &rest, &names].concat());
    let pass = format!("pass:{PASSPHRASE}");
    let seal = ["pkcs8", "-topk8", "-scrypt", "-v2", "aes-256-cbc", "-in", &clear];
    openssl(&[&seal[..], &["-out", &sealed, "-passout", &pass]].concat());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    factory.change(
        "[ledger]",
        &format!(
            "[connect]\nlisten = \"{address}\"\ncertificate = \"broker.pem\"\n\
             key = \"broker.key\"\nwithin = \"{within}\"\n\n[ledger]"
        ),
    );
    factory.set("STATION_CONNECT_PASSPHRASE", PASSPHRASE);
    address
}

/// What a device's own application does: whenever there is an identity, it connects.
pub(crate) struct Application {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Application {
    /// Under the name that `client_id` makes of the certificate's own.
    pub(crate) fn start(
        factory: &Factory,
        address: SocketAddr,
        client_id: &'static str,
        identity: impl Fn() -> Option<Identity> + Send + 'static,
    ) -> Self {
        let roots = read_certificates(&factory.path("server-root.pem")).unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Acquire) {
                let name = "127.0.0.1";
                let version = TlsVersion::V1_3;
                let meeting = Meeting { address, name, roots: &roots, version, client_id };
                if let Some(identity) = identity() {
                    // A broker that is not there yet is tried again, as a device does.
                    let _ = connect(&meeting, Some(&identity));
                }
                std::thread::park_timeout(Duration::from_millis(20));
            }
        });
        Self { is_over, thread: Some(thread) }
    }

    /// The application of a simulated device of this factory.
    pub(crate) fn of_simulated(
        factory: &Factory,
        address: SocketAddr,
        client_id: &'static str,
    ) -> Self {
        let devices = factory.devices_dir();
        Self::start(factory, address, client_id, move || in_simulated(&devices))
    }
}

/// What the simulated device below that folder holds.
pub(crate) fn in_simulated(devices: &Path) -> Option<Identity> {
    let flashes = files_under(devices, &[]);
    let held = flashes.iter().find_map(|flash| held_identity(flash).ok().flatten())?;
    Some(Identity { certificates: vec![held.certificate], key: pkcs8_of(&held.key)? })
}

impl Drop for Application {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
