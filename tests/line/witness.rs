//! What the station's own broker takes for a connection, what it tells of others, and that
//! nobody keeps it busy.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use provisioning_station::broker::Identity;
use provisioning_station::pki::read_certificates;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use super::connect::with_a_broker;
use super::support::connecting::{Application, in_simulated};
use super::support::{Factory, LONG, Process, label, labels};

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// CONNECT of MQTT 3.1.1 as TH200-00000001.
const CONNECT: &[u8] = b"\x10\x1a\x00\x04MQTT\x04\x02\x00\x1e\x00\x0eTH200-00000001";

const PINGREQ: &[u8] = &[0xc0, 0];

/// The application of a device, which does with its connection what a test says; again and
/// again, until it is dropped.
struct Device {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Device {
    fn start(
        factory: &Factory,
        address: SocketAddr,
        versions: &'static [&'static SupportedProtocolVersion],
        trusts: &str,
        deed: impl Fn(&mut Stream) -> std::io::Result<()> + Send + 'static,
    ) -> Self {
        let (devices, roots) = (factory.devices_dir(), factory.path(trusts));
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            while !over.load(Ordering::Acquire) {
                if let Some(identity) = in_simulated(&devices)
                    && let Some(mut stream) = connection(address, versions, &roots, &identity)
                {
                    // What becomes of it is the broker's to tell.
                    let _ = deed(&mut stream);
                }
                thread::park_timeout(Duration::from_millis(20));
            }
        });
        Self { is_over, thread: Some(thread) }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn connection(
    address: SocketAddr,
    versions: &[&'static SupportedProtocolVersion],
    roots: &Path,
    identity: &Identity,
) -> Option<Stream> {
    let mut trusted = RootCertStore::empty();
    for der in read_certificates(roots).unwrap() {
        trusted.add(CertificateDer::from(der)).unwrap();
    }
    let certificates = identity.certificates.iter().cloned().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.to_vec()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(trusted)
        .with_client_auth_cert(certificates, key)
        .unwrap();
    let name = "127.0.0.1".try_into().unwrap();
    let socket = TcpStream::connect(address).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    Some(StreamOwned::new(client, socket))
}

/// Connects and reads CONNACK.
fn let_in(stream: &mut Stream) -> std::io::Result<()> {
    stream.write_all(CONNECT)?;
    stream.flush()?;
    let mut connack = [0; 4];
    stream.read_exact(&mut connack)?;
    assert_eq!(connack, [0x20, 2, 0, 0]);
    Ok(())
}

/// Runs one unit whose device does this, and gives its line.
fn unit_of(
    tls: &str,
    versions: &'static [&'static SupportedProtocolVersion],
    trusts: &str,
    within: &str,
    deed: impl Fn(&mut Stream) -> std::io::Result<()> + Send + 'static,
) -> serde_json::Value {
    let (factory, address) = with_a_broker(within);
    factory.change("port = 8883", &format!("port = 8883\n{tls}"));
    let _device = factory.devices("A", 1);
    let _application = Device::start(&factory, address, versions, trusts, deed);
    factory.batch(&labels(1)).unit(&label(1))
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

#[test]
fn a_device_that_closes_at_its_connack_is_not_connected() {
    let unit = unit_of("", BOTH, "server-root.pem", "1s", let_in);
    assert_eq!((&unit["outcome"], &unit["code"]), (&"fail".into(), &"E-DEV-CONNECT".into()));
    let message = unit["message"].as_str().unwrap();
    let told = "127.0.0.1 was let in, and sent nothing of its own after CONNACK";
    assert!(message.contains(told), "{message}");
}

#[test]
fn a_ping_behind_connack_is_a_connection_and_no_ticket_comes_before_it() {
    let unit = unit_of("", BOTH, "server-root.pem", "30s", |stream| {
        let_in(stream)?;
        stream.write_all(PINGREQ)?;
        stream.flush()?;
        let mut pong = [0; 2];
        stream.read_exact(&mut pong)?;
        assert_eq!(pong, [0xd0, 0]);
        assert_eq!(stream.conn.tls13_tickets_received(), 0);
        Ok(())
    });
    assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"connect".into()), "{unit}");
}

#[test]
fn what_the_broker_saw_of_a_device_is_in_its_units_message() {
    const OLD: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
    let new = "tls_min = \"1.3\"";
    let unit = unit_of(new, OLD, "server-root.pem", "1s", let_in);
    let message = unit["message"].as_str().unwrap();
    let told = "127.0.0.1 reached it, and TLS did not come about: it offers no TLS version";
    assert!(message.contains(told), "{message}");

    // It trusts another root than the broker's.
    let unit = unit_of("", BOTH, "ca.pem", "1s", let_in);
    let message = unit["message"].as_str().unwrap();
    assert!(message.contains("it sent the alert UnknownCA"), "{message}");

    let (factory, _) = with_a_broker("1s");
    let _device = factory.devices("A", 1);
    let unit = factory.batch(&labels(1)).unit(&label(1));
    let message = unit["message"].as_str().unwrap();
    assert!(message.ends_with("of its restart: nobody reached it"), "{message}");
}

/// Connections from other addresses of this machine, which never say anything whole.
struct Crowd {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Opens so many from each of those hosts, and drips bytes into them.
    fn of(address: SocketAddr, hosts: &[u8], each: usize) -> Self {
        let mut all = Vec::new();
        for host in hosts {
            all.extend((0..each).filter_map(|_| open_from(*host, address).ok()));
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            // The head of a TLS record that promises 16 KiB.
            for next in b"\x16\x03\x01\x40\x00".iter().chain(std::iter::repeat(&0)) {
                if over.load(Ordering::Acquire) {
                    return;
                }
                all.retain_mut(|stream| stream.write_all(&[*next]).is_ok());
                thread::park_timeout(Duration::from_millis(100));
            }
        });
        Self { is_over, thread: Some(thread) }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// A connection from 127.0.0.`host`.
fn open_from(host: u8, to: SocketAddr) -> std::io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, host], 0)))?;
        socket.connect(to).await?.into_std()
    })?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// A line that has its broker open.
fn waiting_line(factory: &Factory, address: SocketAddr) -> Process {
    let batch = factory.start(&["batch", "--serials", "-"]);
    let until = Instant::now() + LONG;
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < until, "{}", batch.errors());
        thread::park_timeout(Duration::from_millis(20));
    }
    batch
}

#[test]
fn a_crowd_that_drips_keeps_no_device_out() {
    let (factory, address) = with_a_broker("20s");
    let _device = factory.devices("A", 1);
    let mut batch = waiting_line(&factory, address);
    let _crowd = Crowd::of(address, &[2], 300);
    let _application = Application::of_simulated(&factory, address, "TH200-00000001");
    batch.say(&labels(1));
    let unit = batch.event(LONG).unwrap();
    assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"connect".into()), "{unit}");
    // A line of one slot has a dozen threads of its own.
    let threads = fs::read_dir(format!("/proc/{}/task", batch.pid())).unwrap().count();
    assert!(threads < 100, "{threads} threads");
    batch.finish(LONG).expect(0);
}

#[test]
fn a_client_that_drips_is_closed_at_one_deadline() {
    let (factory, address) = with_a_broker("1s");
    let batch = waiting_line(&factory, address);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let until = Instant::now() + LONG;
    for next in b"\x16\x03\x01\x40\x00".iter().chain(std::iter::repeat(&0)) {
        if stream.write_all(&[*next]).is_err() {
            break;
        }
        match stream.read(&mut [0; 16]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => break,
        }
        assert!(Instant::now() < until, "it is heard for ever");
    }
    batch.finish(LONG).expect(0);
}
