//! A certificate's registration in a cloud, in words that no cloud owns.
//!
//! What is the same for every cloud stands here: which instance is meant, what is asked of
//! it and what it says of a certificate. How it is asked stands in `cloud`, what is done
//! about it in `sync`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::ids::{CertificateSn, ClientId, Fingerprint, to_hex};
use super::person::Person;

/// Names one instance of one cloud for good: registrations are kept for each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CloudInstance {
    /// The host of the API without its port, for example `mqtt.tencentcloudapi.com`.
    pub site: String,
    /// The region, for example `ap-guangzhou`.
    pub region: String,
    /// The instance's id, for example `mqtt-g839agr2`.
    pub instance: String,
}

impl fmt::Display for CloudInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} at {}", self.instance, self.region, self.site)
    }
}

/// Where a certificate stands in the cloud, in the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CloudStatus {
    /// A device may connect with it.
    Active,
    /// Registered, and not to be used yet or any more.
    Inactive,
    /// Never to be used again.
    Revoked,
    /// Registered by itself and not activated yet.
    PendingActivation,
}

impl CloudStatus {
    /// Every status.
    pub const ALL: [CloudStatus; 4] = [
        CloudStatus::Active,
        CloudStatus::Inactive,
        CloudStatus::Revoked,
        CloudStatus::PendingActivation,
    ];

    /// The word in the API, in JSON and in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            CloudStatus::Active => "ACTIVE",
            CloudStatus::Inactive => "INACTIVE",
            CloudStatus::Revoked => "REVOKED",
            CloudStatus::PendingActivation => "PENDING_ACTIVATION",
        }
    }

    /// The status that a word of the API names.
    pub fn from_word(word: &str) -> Option<CloudStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl fmt::Display for CloudStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a cloud learns of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Registering {
    /// Each is uploaded before its device first connects.
    Manual,
    /// A certificate registers itself when its device first connects.
    Automatic,
}

/// A certificate's serial number by its value, however it is spelt.
///
/// Clouds print one number with or without leading zeros, in capitals or not; other tools
/// add a prefix or colons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnValue(String);

/// A text that is no serial number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no serial number in hexadecimal")]
pub struct NoSerialNumber(String);

impl FromStr for SnValue {
    type Err = NoSerialNumber;

    fn from_str(text: &str) -> Result<Self, NoSerialNumber> {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let digits: String = digits.chars().filter(|c| *c != ':').collect();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoSerialNumber(text.to_owned()));
        }
        let value = digits.trim_start_matches('0').to_ascii_lowercase();
        Ok(Self(if value.is_empty() { "0".to_owned() } else { value }))
    }
}

impl From<&CertificateSn> for SnValue {
    fn from(sn: &CertificateSn) -> Self {
        // Its first byte is never below 0x10, so there is no leading zero.
        Self(to_hex(sn.as_bytes()))
    }
}

impl fmt::Display for SnValue {
    /// Lowercase hexadecimal without leading zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A CA's serial number exactly as the cloud gave it; the cloud takes no other spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaSn(pub String);

/// A CA is about to be registered in a cloud instance, or stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityRegistered {
    /// The CA.
    pub authority: Fingerprint,
    /// The instance.
    pub cloud: CloudInstance,
    /// DER of the verification certificate that the CA signed for it, lowercase hex; none
    /// where the CA was found there.
    pub verification: Option<String>,
    /// Its serial number as the cloud gave it; none before the cloud was asked.
    pub ca_sn: Option<CaSn>,
    /// Who.
    pub by: Person,
}

/// One certificate to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRegistration {
    /// Its serial number.
    pub sn: CertificateSn,
    /// Its DER.
    pub der: Arc<[u8]>,
    /// The client id that may connect with it.
    pub client_id: ClientId,
    /// Its issuer, as the cloud names it.
    pub ca: CaSn,
    /// The status that it is to have: active or inactive.
    pub status: CloudStatus,
}

/// What the cloud says of one client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudCertificate {
    /// Its serial number as the cloud prints it, with or without leading zeros.
    pub sn: String,
    /// SHA-256 of its DER, the first certificate of what the cloud returns; none where it
    /// returned no certificate that can be read.
    pub fingerprint: Option<Fingerprint>,
    /// Its issuer, as the cloud names it.
    pub ca: CaSn,
    /// The client id that it was registered for, untrusted; may be empty.
    pub client_id: String,
    /// Where it stands; none for a word that is new.
    pub status: Option<CloudStatus>,
    /// Whether it registered itself at its first connection.
    pub automatic: bool,
}

/// What the cloud says of one CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudAuthority {
    /// Its serial number as the cloud gave it.
    pub sn: CaSn,
    /// SHA-256 of its DER; none where the cloud returned no certificate that can be read.
    pub fingerprint: Option<Fingerprint>,
    /// Where it stands.
    pub status: Option<CloudStatus>,
    /// The end of its validity as the cloud sees it.
    pub not_after: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_the_same_in_every_spelling() {
        let value: SnValue = "eef68a5".parse().unwrap();
        for spelling in ["0eef68a5", "0EEF68A5", "0x0eef68a5", "0e:ef:68:a5", "000000000eef68a5"] {
            assert_eq!(spelling.parse().as_ref(), Ok(&value), "{spelling}");
        }
        assert_eq!("0001".parse::<SnValue>(), "1".parse());
        assert_eq!("00".parse::<SnValue>().map(|value| value.to_string()), Ok("0".to_owned()));
        assert_ne!("eef68a50".parse().as_ref(), Ok(&value));
        for wrong in ["", "0x", ":", "12g4", "-1", " 1"] {
            assert!(wrong.parse::<SnValue>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_station_s_own_numbers_have_one_spelling() {
        let sn = CertificateSn::from_random([0; 16]);
        assert_eq!(SnValue::from(&sn).to_string(), sn.to_string());
        assert_eq!(sn.to_string().parse(), Ok(SnValue::from(&sn)));
    }
}
