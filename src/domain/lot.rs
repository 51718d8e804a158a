//! A lot as its customer is told of it, and what shows it.

use std::collections::BTreeMap;

use super::certificate::Proof;
use super::clock::Timestamp;
use super::ids::{Fingerprint, Serial};
use super::state::UnitState;
use super::work_order::WorkOrderRow;

/// The journal's newest signed head, its values in lowercase hex.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SignedHeadText {
    /// Whose journal it is.
    pub station: String,
    /// Which journal of that station.
    pub instance: String,
    /// The number of the head's entry.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
    /// The key that signed it: an uncompressed point of P-256.
    pub public_key: String,
    /// The signature, r and s.
    pub signature: String,
}

/// An entry of the journal as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// Its number.
    pub seq: u64,
    /// Its bytes.
    pub entry: Vec<u8>,
    /// Its hash.
    pub hash: [u8; 32],
}

/// What a lot's sheet says.
#[derive(Debug, Clone, PartialEq)]
pub struct Lot {
    /// The work order.
    pub order: WorkOrderRow,
    /// Units with a proven certificate.
    pub count: u64,
    /// The first and the last of their serials.
    pub serials: Option<(Serial, Serial)>,
    /// Units of the work order without one, with what became of them; not all where there are
    /// many.
    pub exceptions: Vec<(Serial, UnitState)>,
    /// How many there are.
    pub exception_count: u64,
    /// Units by the kind of their proof.
    pub proofs: BTreeMap<Proof, u64>,
    /// Units that stand in the cloud.
    pub registered: u64,
    /// The CA's subject.
    pub authority: String,
    /// SHA-256 of the CA certificate's DER.
    pub authority_fingerprint: Fingerprint,
    /// From when to when the CA is valid.
    pub authority_valid: (Timestamp, Timestamp),
    /// SHA-256 of the lot's table of units, lowercase hex.
    pub units_sha256: String,
    /// The head of the journal that shows it.
    pub head: SignedHeadText,
    /// When the sheet was made.
    pub made_at: Timestamp,
}

impl Lot {
    /// What the sheet's QR code says: enough to tell a bundle that belongs to it from another.
    pub fn code(&self) -> String {
        format!(
            "LOT1 {} {} {} {} {} {}",
            self.order.work_order.id.as_str(),
            self.count,
            self.units_sha256,
            self.head.seq,
            self.head.hash,
            self.authority_fingerprint
        )
    }
}
