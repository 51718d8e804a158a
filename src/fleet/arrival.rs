//! A segment at the fleet's door: nothing of it is believed before all of it was verified,
//! from its bytes and the CA that its station enrolled with.

use sha2::{Digest, Sha256};

use crate::domain::cause::Told;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::{PublicKey, StationId};
use crate::ledger::{ArrivedEntry, ArrivedError, Head, InstanceId, arrived};
use crate::pki;

use super::error::FleetError;
use crate::say;

/// The most bytes that a segment may have, packed and unpacked. A line ends one at 8 MiB; one
/// work order that lists a million devices has 40 MB by itself.
pub(super) const MOST_PACKED: usize = 72 << 20;
const MOST_PLAIN: u64 = 72 << 20;

/// Who a station is to the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The station.
    pub station: StationId,
    /// Its ledger.
    pub instance: InstanceId,
    /// The CAs that it enrolled with, DER.
    pub authorities: Vec<Vec<u8>>,
    /// Journal keys that one of them certified.
    pub keys: Vec<PublicKey>,
}

impl Known {
    /// The journal key of a certificate that one of its CAs signed for this station.
    pub fn key_of(&self, certificate: &[u8]) -> Option<PublicKey> {
        let found =
            self.authorities.iter().find_map(|ca| pki::journal_key_of(certificate, ca).ok());
        found.filter(|found| found.station == self.station).map(|found| found.public_key)
    }
}

/// A segment that was verified.
#[derive(Debug)]
pub struct Arrival {
    /// Its bytes as they came.
    pub bytes: Vec<u8>,
    /// SHA-256 of them.
    pub digest: [u8; 32],
    /// What it continues.
    pub behind: Head,
    /// Its last entry.
    pub head: Head,
    /// The key that signed it.
    pub key: PublicKey,
    /// Its entries.
    pub entries: Vec<ArrivedEntry>,
}

impl Arrival {
    /// Verifies a segment that this station sent.
    pub fn verify(
        bytes: Vec<u8>,
        known: &Known,
        verifier: &dyn HeadVerifier,
    ) -> Result<Self, FleetError> {
        let mut entries = Vec::new();
        let header = arrived(&bytes, MOST_PLAIN, verifier, |entry| entries.push(entry));
        let header = header.map_err(|error| match error {
            ArrivedError::Newer { .. } => FleetError::Newer(error.sentence()),
            error => FleetError::Segment(error.sentence()),
        })?;
        if *header.station() != known.station || header.instance() != known.instance {
            let what = say!(
                "it is of station {}, ledger {}, and {} sent it, whose ledger is {}",
                "它属于站 {}、账本 {}，发送它的是 {}，其账本是 {}",
                header.station(),
                header.instance(),
                known.station,
                known.instance
            );
            return Err(FleetError::Segment(what));
        }
        let certified = header.certificate().and_then(|der| known.key_of(der));
        let key = header.key();
        if certified != Some(key) && !known.keys.contains(&key) {
            let what = say!(
                "its journal key is not certified by the CA that this station enrolled with",
                "它的日志密钥不是由本站加入时的 CA 签发证书的"
            );
            return Err(FleetError::Segment(what));
        }
        let (first, last) = header.entries();
        let head = Head { seq: last, hash: header.head() };
        debug_assert_eq!(first, header.behind().seq + 1);
        let digest = Sha256::digest(&bytes).into();
        Ok(Self { digest, behind: header.behind(), head, key, entries, bytes })
    }

    /// The hash of one of its entries, or of what it continues.
    pub fn hash_at(&self, seq: u64) -> Option<Head> {
        if seq == self.behind.seq {
            return Some(self.behind);
        }
        let found = self.entries.iter().find(|entry| entry.seq == seq)?;
        Some(Head { seq, hash: found.hash })
    }
}
