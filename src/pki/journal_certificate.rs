//! The CA's certificate for a station's journal key, so that the CA certificate alone
//! suffices to verify a journal.

use std::time::Duration;

use super::authority::Authority;
use super::ca_certificate::{CaCertificate, p256_key_of, parse, validity_of};
use super::check::{Expected, Purpose, is_no_ca, is_signed_by, only_signs, serves};
use super::error::PkiError;
use super::issue::random_sn;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PublicKey, StationId};
use crate::domain::say::Phrase;

/// What the CN begins with. The space keeps it apart from every client id.
const COMMON_NAME_PREFIX: &str = "station-journal ";
/// A journal written in the first hours after the CA was made is within its validity too.
const BACKDATE: Duration = Duration::from_secs(24 * 3600);

/// What a journal key's certificate says, verified under its CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalCertificate {
    /// The station whose journal it signs.
    pub station: StationId,
    /// The journal key.
    pub public_key: PublicKey,
}

impl Authority {
    /// Certifies a station's journal key, to the CA's own end. The certificate can't be
    /// used as a device's: its purpose is to sign documents, and no client id has its CN.
    pub fn certify_journal_key(
        &self,
        key: &PublicKey,
        station: &StationId,
        now: Timestamp,
    ) -> Result<Vec<u8>, PkiError> {
        self.ca.check_valid_at(now)?;
        self.sign_checked(&Expected {
            sn: &random_sn()?,
            organization: None,
            organizational_unit: None,
            common_name: &format!("{COMMON_NAME_PREFIX}{station}"),
            public_key: key,
            not_before: self.start_of(now, BACKDATE),
            not_after: self.ca.not_after,
            purpose: Purpose::Journal,
        })
    }
}

/// Verifies a journal key's certificate under the CA's and tells the key.
///
/// Whether it is still valid is not asked: a journal is verified years later.
pub fn journal_key_of(
    certificate: &[u8],
    ca_certificate: &[u8],
) -> Result<JournalCertificate, PkiError> {
    let refused = |problem| PkiError::JournalCertificate { problem };
    let ca = CaCertificate::from_der(ca_certificate)?;
    let found = parse(certificate).ok_or(refused(Phrase {
        english: "is not an X.509 certificate",
        chinese: "不是 X.509 证书",
    }))?;
    if found.issuer().as_raw() != ca.subject_der || !is_signed_by(&found, &ca.public_key) {
        return Err(refused(Phrase {
            english: "was not issued by this CA",
            chinese: "不是这个 CA 签发的",
        }));
    }
    if !is_no_ca(&found) || !only_signs(&found) || !serves(&found, Purpose::Journal) {
        return Err(refused(Phrase {
            english: "is not one for a journal key",
            chinese: "不是日志密钥的证书",
        }));
    }
    let name = found.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let station = name.and_then(|name| name.strip_prefix(COMMON_NAME_PREFIX));
    let station = station
        .and_then(|id| id.parse().ok())
        .ok_or(refused(Phrase { english: "names no station", chinese: "没有写明站" }))?;
    let public_key = p256_key_of(&found).ok_or(refused(Phrase {
        english: "has a key that is not P-256",
        chinese: "密钥不是 P-256",
    }))?;
    Ok(JournalCertificate { station, public_key })
}

/// Whether a certificate is valid at that time, by its own word.
pub fn is_valid_at(certificate: &[u8], now: Timestamp) -> bool {
    parse(certificate).is_some_and(|found| {
        let (not_before, not_after) = validity_of(&found);
        not_before <= now && now <= not_after
    })
}

/// The P-256 key of a certificate, whoever signed that.
pub fn p256_key_in(certificate: &[u8]) -> Option<PublicKey> {
    parse(certificate).as_ref().and_then(p256_key_of)
}
