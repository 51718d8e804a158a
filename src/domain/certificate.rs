//! Certificates as the ledger and the flow know them: public bytes and states.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::ids::{CertificateSn, Fingerprint, PublicKey};

/// An issued certificate. Public; the private key is elsewhere or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its serial number, unique over the whole cloud instance.
    pub sn: CertificateSn,
    /// The DER as signed.
    pub der: Arc<[u8]>,
    /// SHA-256 of `der`.
    pub fingerprint: Fingerprint,
    /// The subject's public key.
    pub public_key: PublicKey,
    /// Fingerprint of the CA certificate that signed it.
    pub issuer: Fingerprint,
    /// Start of validity, whole seconds.
    pub not_before: Timestamp,
    /// End of validity, whole seconds; `9999-12-31T23:59:59Z` means that it has none.
    pub not_after: Timestamp,
}

/// Where a certificate stands. `docs/architecture.md` draws who may move which to which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateState {
    /// Signed, its commit never asked: no device can hold it.
    Issued,
    /// Its commit was asked; only its own device can tell whether it holds it.
    Uncertain,
    /// A device proved that it holds it.
    Proven,
    /// Was proven; a rework replaced it.
    Superseded,
    /// Never to be used. Final.
    Void,
}

impl CertificateState {
    /// The word in JSON and the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            CertificateState::Issued => "issued",
            CertificateState::Uncertain => "uncertain",
            CertificateState::Proven => "proven",
            CertificateState::Superseded => "superseded",
            CertificateState::Void => "void",
        }
    }
}

/// How strongly a device showed that it holds what was burned, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Nothing was shown.
    None,
    /// The stored bytes, or their hash, were read back.
    ReadBack,
    /// The device signed a fresh challenge with the burned key after a restart.
    Possession,
    /// The device authenticated with it to the station's own broker.
    Connect,
}

impl Proof {
    /// Every kind of proof.
    pub const ALL: &[Proof] = &[Proof::None, Proof::ReadBack, Proof::Possession, Proof::Connect];

    /// Whether this proof is at least what a product requires; a connection counts as possession.
    pub fn reaches(self, required: Proof) -> bool {
        let rank = |proof| match proof {
            Proof::None => 0,
            Proof::ReadBack => 1,
            Proof::Possession | Proof::Connect => 2,
        };
        rank(self) >= rank(required)
    }

    /// The word in JSON, station.toml and the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Proof::None => "none",
            Proof::ReadBack => "read-back",
            Proof::Possession => "possession",
            Proof::Connect => "connect",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_counts_as_possession_and_the_other_way_round() {
        assert!(Proof::Connect.reaches(Proof::Possession));
        assert!(Proof::Possession.reaches(Proof::Connect));
        assert!(!Proof::ReadBack.reaches(Proof::Possession));
        assert!(Proof::None.reaches(Proof::None));
    }
}
