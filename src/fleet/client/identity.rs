//! A station's certificate in TLS: that of its journal key, which signs the handshake too.
//!
//! TLS 1.3 alone: what is signed there begins with 64 spaces and a text of its own, so that no
//! server can have a journal's head signed.

use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{ClientConfig, Error, RootCertStore, SignatureAlgorithm, SignatureScheme};

use crate::domain::cause::cause;
use crate::domain::evidence::HeadSigner;

use super::super::error::FleetError;
use crate::say;

/// The journal key as TLS wants it.
#[derive(Clone)]
struct Key(Arc<dyn HeadSigner>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let own = offered.contains(&SignatureScheme::ECDSA_NISTP256_SHA256);
        own.then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let raw = self.0.sign(message).map_err(|fault| Error::General(fault.to_string()))?;
        let (r, s) = raw.split_at(32);
        let body = [integer(r), integer(s)].concat();
        let length = u8::try_from(body.len()).map_err(|_| Error::General("too long".to_owned()))?;
        Ok([&[0x30, length][..], &body].concat())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP256_SHA256
    }
}

/// An unsigned number of 32 bytes as a DER INTEGER.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let digits = &bytes[first..];
    let sign: &[u8] = if digits[0] & 0x80 == 0 { &[] } else { &[0] };
    let length = u8::try_from(sign.len() + digits.len()).unwrap_or(u8::MAX);
    [&[0x02, length], sign, digits].concat()
}

/// Shows the one certificate whatever the server would rather see.
#[derive(Debug)]
struct Own(Arc<CertifiedKey>);

impl ResolvesClientCert for Own {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// TLS under these roots, or the system's where there are none.
pub(super) fn config(
    roots: &[Vec<u8>],
    certificate: &[u8],
    signer: Arc<dyn HeadSigner>,
) -> Result<ClientConfig, FleetError> {
    let wrong = |error: rustls::Error| {
        let what = say!("TLS to the fleet can't be set up", "无法建立到总库的 TLS");
        FleetError::Asked(what.then(&cause(&error)))
    };
    let mut store = RootCertStore::empty();
    for der in roots {
        let der = CertificateDer::from_slice(der).into_owned();
        store.add(der).map_err(wrong)?;
    }
    if roots.is_empty() {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let chain = vec![CertificateDer::from(certificate.to_vec())];
    let own = Own(Arc::new(CertifiedKey::new(chain, Arc::new(Key(signer)))));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(wrong)?;
    Ok(builder.with_root_certificates(store).with_client_cert_resolver(Arc::new(own)))
}

#[cfg(test)]
mod tests {
    use super::integer;

    #[test]
    fn a_number_is_written_without_leading_zeros_and_never_negative() {
        let mut bytes = [0; 32];
        assert_eq!(integer(&bytes), [2, 1, 0]);
        bytes[31] = 0x80;
        assert_eq!(integer(&bytes), [2, 2, 0, 0x80]);
        bytes[0] = 0x7f;
        assert_eq!(integer(&bytes)[..3], [2, 32, 0x7f]);
    }
}
