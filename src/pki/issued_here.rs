//! A certificate as a device gives it: whether one of this station's CAs issued it, and what
//! it says. Nothing is believed but what the CA signed.

use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::OID_X509_COMMON_NAME;
use x509_parser::x509::X509Version;

use super::ca_certificate::{CaCertificate, p256_key_of, parse, validity_of};
use super::check::{Purpose, is_no_ca, is_signed_by, only_signs, serves};
use super::error::PkiError;
use super::fingerprint::fingerprint_of;
use crate::domain::certificate::Certificate;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{CertificateSn, ClientId};
use crate::domain::say::Phrase;

/// A device's certificate that was found to be issued under a CA of this station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedHere {
    /// The certificate.
    pub certificate: Certificate,
    /// The client id that it names.
    pub client_id: ClientId,
    /// The DER of the CA's certificate.
    pub authority: Vec<u8>,
}

/// Checks a certificate that a device gave: signed by one of these CAs, for a client, valid
/// now, with a serial number and a name as this station gives them.
pub fn verify_issued_here(
    der: &[u8],
    authorities: &[Vec<u8>],
    now: Timestamp,
) -> Result<IssuedHere, PkiError> {
    let refused = |problem| PkiError::Foreign { problem };
    let found = parse(der).ok_or_else(|| {
        refused(Phrase { english: "is not an X.509 certificate", chinese: "不是 X.509 证书" })
    })?;
    let ca = issuer_of(&found, authorities).ok_or_else(|| {
        refused(Phrase {
            english: "was not issued by a CA of this station",
            chinese: "不是本站的 CA 签发的",
        })
    })?;
    let (not_before, not_after) = validity_of(&found);
    let parts = [
        (
            found.version() == X509Version::V3,
            Phrase { english: "is not X.509 v3", chinese: "不是 X.509 v3" },
        ),
        (
            is_no_ca(&found),
            Phrase {
                english: "is not marked as one that is no CA's", chinese: "没有标明不是 CA"
            },
        ),
        (
            only_signs(&found),
            Phrase { english: "is for more than signing", chinese: "用途不止签名" },
        ),
        (
            serves(&found, Purpose::Device),
            Phrase { english: "is not a client's", chinese: "不是客户端证书" },
        ),
        (
            (not_before..=not_after).contains(&now),
            Phrase { english: "is not valid now", chinese: "现在不在有效期内" },
        ),
    ];
    if let Some((_, problem)) = parts.into_iter().find(|(holds, _)| !holds) {
        return Err(refused(problem));
    }
    let no_key = || {
        refused(Phrase { english: "has a key that is not P-256", chinese: "密钥不是 P-256" })
    };
    let no_sn = |_| {
        refused(Phrase {
            english: "has a serial number that this station does not give",
            chinese: "序列号不是本站给出的",
        })
    };
    let no_name = || {
        refused(Phrase {
            english: "names no client id as its subject",
            chinese: "主题中没有客户端 ID",
        })
    };
    let certificate = Certificate {
        sn: CertificateSn::from_bytes(found.raw_serial()).map_err(no_sn)?,
        fingerprint: fingerprint_of(der),
        public_key: p256_key_of(&found).ok_or_else(no_key)?,
        der: der.into(),
        issuer: ca.fingerprint,
        not_before,
        not_after,
    };
    let client_id = common_name(&found).ok_or_else(no_name)?;
    Ok(IssuedHere { certificate, client_id, authority: ca.der.to_vec() })
}

fn issuer_of(found: &X509Certificate<'_>, authorities: &[Vec<u8>]) -> Option<CaCertificate> {
    let known = authorities.iter().filter_map(|der| CaCertificate::from_der(der).ok());
    let mut issuers = known.filter(|ca| found.issuer().as_raw() == ca.subject_der);
    issuers.find(|ca| is_signed_by(found, &ca.public_key))
}

fn common_name(found: &X509Certificate<'_>) -> Option<ClientId> {
    let mut names = found.subject().iter_attributes();
    let named = names.find(|part| *part.attr_type() == OID_X509_COMMON_NAME)?;
    let another = names.any(|part| *part.attr_type() == OID_X509_COMMON_NAME);
    named.as_str().ok().filter(|_| !another)?.parse().ok()
}
