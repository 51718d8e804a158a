//! Which signatures and keys of a chain the verifiers take, by name.
//!
//! A device's chain is judged by others: OpenSSL at its default security level, and rustls
//! (webpki). What one of them would refuse is refused here, and said with its name; what this
//! program can't check is told as that, and never as a forgery.

use crate::domain::say::Say;
use crate::say;
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// The shortest RSA key that both verifiers take, in bits.
const SHORTEST_RSA: usize = 2048;

/// What is taken, for whoever has something else.
const TAKEN: &str = "taken are ECDSA on P-256 or P-384 with SHA-256 or SHA-384, RSA from 2048 \
                     bits with SHA-256, SHA-384 or SHA-512, and Ed25519";

/// Signature algorithms by their object identifiers; the last field tells the broken hashes.
const SIGNATURES: &[(&str, &str, bool)] = &[
    ("1.2.840.113549.1.1.4", "RSA with MD5", true),
    ("1.2.840.113549.1.1.5", "RSA with SHA-1", true),
    ("1.3.14.3.2.29", "RSA with SHA-1", true),
    ("1.2.840.10040.4.3", "DSA with SHA-1", true),
    ("1.2.840.10045.4.1", "ECDSA with SHA-1", true),
    ("1.2.840.113549.1.1.10", "RSA-PSS", false),
    ("1.2.840.113549.1.1.11", "RSA with SHA-256", false),
    ("1.2.840.113549.1.1.12", "RSA with SHA-384", false),
    ("1.2.840.113549.1.1.13", "RSA with SHA-512", false),
    ("1.2.840.10045.4.3.1", "ECDSA with SHA-224", false),
    ("1.2.840.10045.4.3.2", "ECDSA with SHA-256", false),
    ("1.2.840.10045.4.3.3", "ECDSA with SHA-384", false),
    ("1.2.840.10045.4.3.4", "ECDSA with SHA-512", false),
    ("1.3.101.112", "Ed25519", false),
    ("1.3.101.113", "Ed448", false),
    ("1.2.156.10197.1.501", "SM2 with SM3", false),
];

/// Curves by their object identifiers.
const CURVES: &[(&str, &str)] = &[
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
    ("1.2.156.10197.1.301", "SM2"),
];

/// Refuses a certificate whose own signature no verifier takes any more. A root's is checked
/// by none: it is trusted for its key.
pub(super) fn check_hash(certificate: &X509Certificate<'_>) -> Result<(), Say> {
    let (name, is_broken) = signature_of(certificate);
    let is_root = certificate.issuer().as_raw() == certificate.subject().as_raw();
    match is_broken && !is_root {
        true => Err(say!(
            "is signed by {} with {name}: OpenSSL at its default security level and rustls \
             refuse every chain with it",
            "由 {} 以 {name} 签名：OpenSSL 默认安全级别和 rustls 都拒绝含它的证书链",
            certificate.issuer()
        )),
        false => Ok(()),
    }
}

/// Checks that a certificate was signed with the key of another one, in a way that the
/// verifiers take.
pub(super) fn check_signed(
    issued: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
) -> Result<(), Say> {
    let (subject, key) = (issuer.subject(), issuer.public_key());
    if let Some(bits) = rsa_bits(key).filter(|bits| *bits < SHORTEST_RSA) {
        return Err(say!(
            "({subject}) has an RSA key of {bits} bits: rustls, and OpenSSL at security level 2, \
             as Debian sets it, refuse less than {SHORTEST_RSA}",
            "（{subject}）的 RSA 密钥是 {bits} 位：rustls 和安全级别 2 的 OpenSSL（Debian 如此设置）\
             拒绝少于 {SHORTEST_RSA} 位的密钥"
        ));
    }
    match issued.verify_signature(Some(key)) {
        Ok(()) => Ok(()),
        Err(X509Error::SignatureUnsupportedAlgorithm) => Err(say!(
            "({subject}) signed {} by {} on {}, which rustls refuses and the station can't check \
             (OpenSSL may take it); {TAKEN}",
            "（{subject}）为 {} 签名用的是 {}（{}），rustls 拒绝，本站也不能核对（OpenSSL 也许接受）；{TAKEN}",
            issued.subject(),
            signature_of(issued).0,
            key_name(key)
        )),
        Err(_) => {
            Err(say!("({subject}) did not issue {}", "（{subject}）没有签发 {}", issued.subject()))
        }
    }
}

/// The name of a key's kind, for people.
pub(super) fn key_name(key: &SubjectPublicKeyInfo<'_>) -> String {
    if let Some(bits) = rsa_bits(key) {
        return format!("RSA of {bits} bits");
    }
    let curve = key.algorithm.parameters.as_ref().and_then(|of| of.as_oid().ok());
    let oid = curve.unwrap_or_else(|| key.algorithm.algorithm.clone()).to_id_string();
    let known = CURVES.iter().find(|(id, _)| *id == oid).map(|(_, name)| (*name).to_owned());
    let known = known.or_else(|| name_of(&oid).map(|(name, _)| name.to_owned()));
    known.unwrap_or(oid)
}

fn rsa_bits(key: &SubjectPublicKeyInfo<'_>) -> Option<usize> {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => Some(rsa.key_size()),
        _ => None,
    }
}

fn name_of(oid: &str) -> Option<(&'static str, bool)> {
    let found = SIGNATURES.iter().find(|(id, ..)| *id == oid);
    found.map(|(_, name, is_broken)| (*name, *is_broken))
}

/// The name of a certificate's signature algorithm, and whether its hash is broken.
fn signature_of(certificate: &X509Certificate<'_>) -> (String, bool) {
    let oid = certificate.signature_algorithm.algorithm.to_id_string();
    match name_of(&oid) {
        Some((name, is_broken)) => (name.to_owned(), is_broken),
        None => (format!("algorithm {oid}"), false),
    }
}
