//! A broker's front door with rustls: PORT CERT KEY CAS, all PEM. For `tests/stacks/run`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [port, certificate, key, authorities] = words.as_slice() else {
        return Err("usage: PORT CERT KEY CAS".into());
    };
    let config = Arc::new(config(certificate, key, authorities)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.parse()?))?;
    for stream in listener.incoming() {
        let (stream, config) = (stream?, Arc::clone(&config));
        std::thread::spawn(move || serve(stream, config).map_err(|error| error.to_string()));
    }
    Ok(())
}

fn config(certificate: &str, key: &str, authorities: &str) -> Result<ServerConfig, Box<dyn Error>> {
    let read = |path: &str| -> Result<Vec<CertificateDer<'static>>, Box<dyn Error>> {
        Ok(CertificateDer::pem_file_iter(Path::new(path))?.collect::<Result<_, _>>()?)
    };
    let mut roots = RootCertStore::empty();
    for authority in read(authorities)? {
        roots.add(authority)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()?;
    Ok(ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(read(certificate)?, PrivateKeyDer::from_pem_file(Path::new(key))?)?)
}

/// Answers CONNECT and PINGREQ until the device goes.
fn serve(stream: TcpStream, config: Arc<ServerConfig>) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut tls = StreamOwned::new(ServerConnection::new(config)?, stream);
    loop {
        let mut head = [0; 2];
        tls.read_exact(&mut head)?;
        let mut body = vec![0; usize::from(head[1])];
        tls.read_exact(&mut body)?;
        match head[0] {
            0x10 => tls.write_all(&[0x20, 2, 0, 0])?,
            0xc0 => tls.write_all(&[0xd0, 0])?,
            _ => {}
        }
        tls.flush()?;
    }
}
