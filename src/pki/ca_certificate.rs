//! A CA certificate as a value: parsed once, and found fit to issue client certificates.

use std::sync::Arc;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Version};

use super::algorithm::{check_hash, key_name};
use super::error::PkiError;
use super::fingerprint::fingerprint_of;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{Fingerprint, PublicKey};
use crate::domain::say::Say;
use crate::say;

/// What is said about a CA certificate's faults.
pub(super) const CA_CERTIFICATE: &str = "CA certificate";

/// A certificate that may issue client certificates.
#[derive(Debug, Clone)]
pub(super) struct CaCertificate {
    pub(super) der: Arc<[u8]>,
    pub(super) fingerprint: Fingerprint,
    /// The subject for people.
    pub(super) subject: String,
    /// The subject's DER, which each issued certificate must repeat byte for byte.
    pub(super) subject_der: Vec<u8>,
    /// Its subject key identifier.
    pub(super) key_id: Vec<u8>,
    pub(super) public_key: PublicKey,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

impl CaCertificate {
    /// Reads one and checks that it may issue.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, PkiError> {
        let refused = |problem: Say| refused(CA_CERTIFICATE, problem);
        let certificate = parse(der)
            .ok_or_else(|| refused(say!("is not an X.509 certificate", "不是 X.509 证书")))?;
        check_may_issue(&certificate).map_err(refused)?;
        check_hash(&certificate).map_err(refused)?;
        let not_taken = || refused(why_no_key(&certificate));
        let public_key = p256_key_of(&certificate).ok_or_else(not_taken)?;
        let no_key_id = || refused(say!("has no subject key identifier", "没有主体密钥标识"));
        let key_id = subject_key_id(&certificate).ok_or_else(no_key_id)?.to_vec();
        let (not_before, not_after) = validity_of(&certificate);
        Ok(Self {
            der: der.into(),
            fingerprint: fingerprint_of(der),
            subject: certificate.subject().to_string(),
            subject_der: certificate.subject().as_raw().to_vec(),
            key_id,
            public_key,
            not_before,
            not_after,
        })
    }

    /// Refuses a time at which the CA is not valid; both ends belong to its validity.
    pub(super) fn check_valid_at(&self, now: Timestamp) -> Result<(), PkiError> {
        let (not_before, not_after) = (self.not_before, self.not_after);
        if (not_before.seconds()..=not_after.seconds()).contains(&now.seconds()) {
            return Ok(());
        }
        Err(PkiError::Expired { not_before, not_after, now })
    }
}

/// A fault of a certificate of the authority.
pub(super) fn refused(what: &'static str, problem: Say) -> PkiError {
    PkiError::Authority { what, problem }
}

/// A certificate and nothing behind it.
pub(super) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    rest.is_empty().then_some(certificate)
}

/// Its start and end of validity.
pub(super) fn validity_of(certificate: &X509Certificate<'_>) -> (Timestamp, Timestamp) {
    let validity = certificate.validity();
    let at = |seconds: i64| Timestamp(seconds.saturating_mul(1_000_000));
    (at(validity.not_before.timestamp()), at(validity.not_after.timestamp()))
}

/// Its public key, where it is an uncompressed point of P-256.
pub(super) fn p256_key_of(certificate: &X509Certificate<'_>) -> Option<PublicKey> {
    p256_key_in(certificate.public_key())
}

/// The same of a public key wherever it stands.
pub(super) fn p256_key_in(info: &SubjectPublicKeyInfo<'_>) -> Option<PublicKey> {
    use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY};

    let curve = info.algorithm.parameters.as_ref()?.as_oid().ok()?;
    if info.algorithm.algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY || curve != OID_EC_P256 {
        return None;
    }
    let key = PublicKey::from_bytes(&info.subject_public_key.data).ok()?;
    p256::PublicKey::from_sec1_bytes(key.as_bytes()).ok().map(|_| key)
}

/// Why its key is none that the station issues with.
fn why_no_key(certificate: &X509Certificate<'_>) -> Say {
    let info = certificate.public_key();
    match (key_name(info).as_str(), info.subject_public_key.data.first()) {
        ("P-256", Some(2 | 3)) => say!(
            "has its P-256 key as a compressed point, which is not taken: have it certified anew \
             with an uncompressed one",
            "其 P-256 公钥是压缩点，不接受：请用未压缩的公钥重新签发"
        ),
        ("P-256", _) => {
            say!("has a P-256 key that is no point of the curve", "其 P-256 公钥不在曲线上")
        }
        (name, _) => {
            say!("has a key that is not P-256 but {name}", "其密钥不是 P-256，而是 {name}")
        }
    }
}

/// Its subject key identifier.
pub(super) fn subject_key_id<'a>(certificate: &X509Certificate<'a>) -> Option<&'a [u8]> {
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    })
}

fn check_may_issue(certificate: &X509Certificate<'_>) -> Result<(), Say> {
    if certificate.version() != X509Version::V3 {
        return Err(say!("is not X.509 v3", "不是 X.509 v3"));
    }
    check_is_ca(certificate)?;
    check_may_sign(certificate)?;
    check_purposes(certificate)?;
    check_nothing_unknown(certificate)
}

/// Whether it is a CA's at all. RFC 5280 wants that marked as critical, and easy-rsa does not:
/// verifiers take it all the same, but for OpenSSL's `-x509_strict`.
pub(super) fn check_is_ca(certificate: &X509Certificate<'_>) -> Result<(), Say> {
    match certificate.basic_constraints() {
        Ok(Some(found)) if !found.value.ca => {
            Err(say!("is not a CA's (CA:FALSE)", "不是 CA 的证书（CA:FALSE）"))
        }
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(say!(
            "is not a CA's (it has no basic constraints)",
            "不是 CA 的证书（没有基本约束）"
        )),
        Err(_) => Err(say!("has basic constraints that can't be read", "其基本约束无法读取")),
    }
}

/// Whether so many CAs may stand below it (RFC 5280, section 4.2.1.9).
pub(super) fn check_path_length(certificate: &X509Certificate<'_>, below: u32) -> Result<(), Say> {
    let allowed = match certificate.basic_constraints() {
        Ok(Some(found)) => found.value.path_len_constraint,
        _ => None,
    };
    match allowed {
        Some(allowed) if allowed < below => Err(say!(
            "({}) allows {allowed} CAs below it by its path length, and there are {below}",
            "（{}）按路径长度只允许下面有 {allowed} 级 CA，现有 {below} 级",
            certificate.subject()
        )),
        _ => Ok(()),
    }
}

fn check_may_sign(certificate: &X509Certificate<'_>) -> Result<(), Say> {
    match certificate.key_usage() {
        Ok(Some(usage)) if usage.value.key_cert_sign() => Ok(()),
        _ => Err(say!(
            "may not sign certificates (its key usage lacks keyCertSign)",
            "不得签发证书（密钥用途没有 keyCertSign）"
        )),
    }
}

/// A CA that names purposes passes on those alone.
fn check_purposes(certificate: &X509Certificate<'_>) -> Result<(), Say> {
    match certificate.extended_key_usage() {
        Ok(None) => Ok(()),
        Ok(Some(usage)) if usage.value.client_auth || usage.value.any => Ok(()),
        _ => Err(say!(
            "may not issue client certificates (by its extended key usage)",
            "不得签发客户端证书（扩展密钥用途不允许）"
        )),
    }
}

/// Refuses what it can't honour: a verifier would refuse the devices for it.
fn check_nothing_unknown(certificate: &X509Certificate<'_>) -> Result<(), Say> {
    let unknown = certificate.extensions().iter().find(|extension| {
        let honoured = matches!(
            extension.parsed_extension(),
            ParsedExtension::BasicConstraints(_)
                | ParsedExtension::KeyUsage(_)
                | ParsedExtension::ExtendedKeyUsage(_)
                | ParsedExtension::CertificatePolicies(_)
        );
        extension.critical && !honoured
    });
    match unknown {
        Some(extension) => Err(say!(
            "has a critical extension that is not supported ({})",
            "有不支持的关键扩展（{}）",
            extension.oid
        )),
        None => Ok(()),
    }
}
