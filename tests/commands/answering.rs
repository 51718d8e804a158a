//! A server that answers every request with the same text, over TCP or TLS.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use crate::station::openssl;

/// A server's certificate under a root of its own, made by OpenSSL for one test.
pub(crate) struct Tls {
    dir: TempDir,
}

impl Tls {
    pub(crate) fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let of_root = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";
        fs::write(dir.path().join("root.ext"), of_root).unwrap();
        fs::write(dir.path().join("leaf.ext"), format!("subjectAltName=DNS:{name}\n")).unwrap();
        let request = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        let lines = [
            format!("{request} -keyout root.key -out root.csr -subj /CN=root"),
            "x509 -req -in root.csr -key root.key -days 2 -extfile root.ext -out root.pem".into(),
            format!("{request} -keyout leaf.key -out leaf.csr -subj /CN={name}"),
            "x509 -req -in leaf.csr -CA root.pem -CAkey root.key -days 2 -extfile leaf.ext \
             -out leaf.pem"
                .to_owned(),
        ];
        for line in lines {
            let run = openssl(dir.path(), &line);
            assert_eq!(run.status, 0, "{line}: {run:?}");
        }
        Self { dir }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("root.pem")
    }

    pub(crate) fn leaf(&self) -> PathBuf {
        self.dir.path().join("leaf.pem")
    }

    fn config(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = CertificateDer::from_pem_file(self.leaf()).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.dir.path().join("leaf.key")).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![chain], key);
        Arc::new(config.unwrap())
    }
}

/// The server; its thread ends with the process of the tests.
pub(crate) struct Answering {
    port: u16,
    tls: Arc<Mutex<Option<Arc<ServerConfig>>>>,
}

impl Answering {
    /// Answers with this body.
    pub(crate) fn text(body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let length = body.len();
        let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
        let tls = Arc::<Mutex<Option<Arc<ServerConfig>>>>::default();
        let of_thread = Arc::clone(&tls);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let config = of_thread.lock().unwrap().clone();
                match config {
                    Some(config) => {
                        let connection = ServerConnection::new(config).unwrap();
                        serve(StreamOwned::new(connection, stream), &reply);
                    }
                    None => serve(stream, &reply),
                }
            }
        });
        Self { port, tls }
    }

    /// Answers with this error of the API.
    pub(crate) fn error(code: &str) -> Self {
        Self::text(&format!(
            r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"so"}},"RequestId":"1"}}}}"#
        ))
    }

    /// The same over TLS.
    pub(crate) fn behind(self, tls: &Tls) -> Self {
        *self.tls.lock().unwrap() = Some(tls.config());
        self
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        match self.tls.lock().unwrap().is_some() {
            true => format!("https://localhost:{}", self.port),
            false => format!("http://127.0.0.1:{}", self.port),
        }
    }
}

/// Answers one request, or none where the client goes away before.
fn serve<S: Stream>(stream: S, reply: &str) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if !matches!(reader.read_line(&mut head), Ok(1..)) {
            return;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    if reader.read_exact(&mut body).is_ok() {
        let mut stream = reader.into_inner();
        let _ = stream.write_all(reply.as_bytes()).and_then(|()| stream.flush());
    }
}

trait Stream: Read + Write {}

impl Stream for TcpStream {}

impl Stream for StreamOwned<ServerConnection, TcpStream> {}
