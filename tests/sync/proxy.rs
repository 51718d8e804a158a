//! The cloud behind HTTPS and a proxy, as a factory's network has it.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;

use provisioning_station::sim::cloud::start;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::factory::{Factory, emulated};

/// A name that only the proxy knows.
const HOST: &str = "mqtt.cloud.test";

/// HTTPS in front of an emulated cloud, and a proxy by which alone it is reached.
struct Network {
    proxy: SocketAddr,
    root: String,
    tunnels: Arc<AtomicU32>,
    _over: tokio::sync::oneshot::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Network {
    fn before(cloud: SocketAddr) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let root = rcgen::CertificateParams::new(vec![HOST.to_owned()]).unwrap();
        let certificate = root.self_signed(&key).unwrap();
        let tls = server_config(&certificate, &key);
        let tunnels = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&tunnels);
        let (over, ended) = tokio::sync::oneshot::channel();
        let (listens, at) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let https = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let behind = https.local_addr().unwrap();
                listens.send(proxy.local_addr().unwrap()).unwrap();
                tokio::select! {
                    () = serve_https(https, TlsAcceptor::from(tls), cloud) => {}
                    () = serve_proxy(proxy, behind, counted) => {}
                    _ = ended => {}
                }
            });
        });
        let proxy = at.recv().unwrap();
        Self { proxy, root: certificate.pem(), tunnels, _over: over, thread: Some(thread) }
    }

    /// Goes away, proxy and all.
    fn end(mut self) {
        let thread = self.thread.take();
        drop(self);
        thread.unwrap().join().unwrap();
    }
}

fn server_config(certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap())
}

async fn serve_https(listener: TcpListener, tls: TlsAcceptor, cloud: SocketAddr) {
    loop {
        let Ok((socket, _)) = listener.accept().await else { return };
        let tls = tls.clone();
        tokio::spawn(async move {
            let Ok(mut from) = tls.accept(socket).await else { return };
            let Ok(mut to) = TcpStream::connect(cloud).await else { return };
            // Either side may end it.
            let _ = copy_bidirectional(&mut from, &mut to).await;
        });
    }
}

async fn serve_proxy(listener: TcpListener, https: SocketAddr, tunnels: Arc<AtomicU32>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else { return };
        let tunnels = Arc::clone(&tunnels);
        tokio::spawn(async move { tunnel(socket, https, &tunnels).await });
    }
}

/// One tunnel, for the one host that this proxy knows.
async fn tunnel(mut socket: TcpStream, https: SocketAddr, tunnels: &AtomicU32) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    let wanted = format!("CONNECT {HOST}:443 HTTP/1.1\r\n");
    if !head.starts_with(wanted.as_bytes()) {
        return socket.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
    }
    tunnels.fetch_add(1, Ordering::Relaxed);
    let mut to = TcpStream::connect(https).await?;
    socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut socket, &mut to).await.map(drop)
}

#[test]
fn everything_goes_through_the_proxy_and_the_cloud_is_known_by_its_own_root() {
    let cloud = start(emulated()).unwrap();
    let address = cloud.url().trim_start_matches("http://").parse().unwrap();
    let network = Network::before(address);
    let mut factory = Factory::new(&cloud.url());
    factory.endpoint = format!("https://{HOST}");
    fs::write(factory.path("cloud-root.pem"), &network.root).unwrap();
    factory.more = format!("root = \"cloud-root.pem\"\nproxy = \"http://{}\"", network.proxy);
    factory.configure();
    // What a real cloud takes.
    let text = fs::read_to_string(factory.path("station.toml")).unwrap();
    let text = text.replace("rate_per_second = 500", "rate_per_second = 15");
    fs::write(factory.path("station.toml"), text).unwrap();
    factory.run(&["authority", "register"]).expect(0);
    factory.prove(1..=3);
    assert_eq!(factory.sync().expect(0).summary()["registered"], 3);
    assert!(network.tunnels.load(Ordering::Relaxed) > 0);
    // Without the proxy nobody knows the name; and no proxy is an answer, too.
    network.end();
    factory.prove(4..=4);
    let refused = factory.run(&["sync"]).expect(6);
    assert!(refused.errors.contains("E-CLOUD-UNREACHABLE"), "{}", refused.errors);
    factory.assert_it_verifies();
}
